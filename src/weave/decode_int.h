/* decode_int.h -- update v1, read struct by struct where it lies.
 *
 *     struct decode d = decode_of(update);
 *     while (decode_block(&d))
 *         while (decode_struct(&d, &s)) ...
 *     while (decode_range(&d, &range)) ...
 *     if (!decode_is_done(&d)) return WEAVE_INVALID;
 *
 * Slices borrow the update. Nothing is allocated and no count from the wire is trusted: a loop
 * ends with the bytes. The first malformed byte sets `bad`, and every later call returns false.
 *
 * Malformed is what would make a Yjs client fail or differ:
 *   D-1  unknown content, type or `any` numbers; truncated bytes; bytes after the delete set
 *   D-2  a length of zero in a struct (an empty range in the delete set is passed over)
 *   D-3  a client above 2^53-1, a clock + len above 2^32-1
 *   D-4  strings that are not UTF-8; embeds and formats that are not JSON; `any` or JSON nested
 *        deeper than DECODE_DEPTH
 *   D-5  an origin, right origin or parent of the struct's own client that is not before it
 * A decoder holds no list of blocks, so it does not see a client that has two; see update.c. */
#ifndef WEAVE_DECODE_INT_H
#define WEAVE_DECODE_INT_H

#include <weave.h>

#include "base/read.h"

#define DECODE_DEPTH 64             /* of `any` and JSON values */
#define CLIENT_MAX ((UINT64_C(1) << 53) - 1)
#define CLOCK_MAX UINT32_MAX        /* a client's clock never passes it */

enum struct_kind {                  /* info & INFO_KIND; contents 1 to 9 make the struct an item */
    KIND_GC = 0, KIND_DELETED = 1, KIND_JSON = 2, KIND_BINARY = 3, KIND_STRING = 4, KIND_EMBED = 5,
    KIND_FORMAT = 6, KIND_TYPE = 7, KIND_ANY = 8, KIND_DOC = 9, KIND_SKIP = 10,
};

enum { INFO_ORIGIN = 0x80, INFO_RIGHT = 0x40, INFO_KEY = 0x20, INFO_KIND = 0x1f };

enum parent_kind { PARENT_NONE, PARENT_ROOT, PARENT_ID };   /* NONE: copied from a neighbour */

struct id {
    uint64_t client;
    uint32_t clock;
};

static inline bool id_eq(struct id a, struct id b) {
    return a.client == b.client && a.clock == b.clock;
}

struct decoded {                    /* one struct */
    uint64_t client;
    uint32_t clock, len;
    uint8_t info;                   /* as on the wire */
    uint8_t kind;                   /* enum struct_kind */
    uint8_t parent;                 /* enum parent_kind */
    uint8_t type_ref;               /* KIND_TYPE: enum weave_kind */
    struct id origin, right;        /* where info has INFO_ORIGIN, INFO_RIGHT */
    struct id parent_id;            /* PARENT_ID */
    struct slice root;              /* PARENT_ROOT: its name */
    struct slice key;               /* at NULL: none here (with an origin it is the neighbour's) */
    struct slice text;              /* STRING: UTF-8. BINARY: the bytes. EMBED: JSON. FORMAT, DOC:
                                       key, guid. TYPE 3 and 5: the name. ANY, JSON: the elements,
                                       without their count */
    struct slice value;             /* FORMAT: JSON. DOC: the options, an `any` */
    const uint8_t *at, *end;        /* the struct's bytes, info byte first */
    const uint8_t *content;         /* where its content starts (after the ids) */
    bool is_half;                   /* made by struct_part: U+FFFD, for half a pair, before text */
};

struct deleted {                    /* one range of a delete set */
    uint64_t client;
    uint32_t clock, len;
};

struct decode {
    const uint8_t *at, *end;
    bool bad;
    uint64_t client;                /* of the block, or of the ranges */
    uint64_t clock;                 /* of the next struct */
    uint64_t structs;               /* left in the block, as the wire says */
    uint64_t blocks;                /* left, likewise */
    uint64_t ranges;                /* of the client, left */
    uint64_t range_clients;
    bool in_ranges;
};

struct decode decode_of(struct weave_bytes update);
bool decode_block(struct decode *d);    /* to the next block; what is left of this one is passed */
bool decode_struct(struct decode *d, struct decoded *s);
bool decode_range(struct decode *d, struct deleted *range);     /* after the last block */
static inline bool decode_is_done(const struct decode *d) { return !d->bad && d->at == d->end; }

/* The `n` structs of `client` from `clock` on that lie at `at`: bytes decoded before. */
struct decode decode_structs(struct id first, uint64_t n, const uint8_t *at, const uint8_t *end);

/* One `any` value, passed over; false and bad when it is malformed. */
bool decode_any(struct reader *r);

/* Is it one JSON value (RFC 8259) and nothing else? */
bool json_is_valid(struct slice s);

#endif
