/* update_int.h -- the blocks of an update, checked once and then walked as often as needed. */
#ifndef WEAVE_UPDATE_INT_H
#define WEAVE_UPDATE_INT_H

#include "weave/bridge.h"
#include "weave/deleteset_int.h"

struct block {              /* the structs of one client, somewhere in an update */
    uint64_t client, n;
    uint32_t clock;         /* of the first */
    const uint8_t *at, *end;
};

struct update {             /* borrows the bytes it was read from */
    struct block *blocks;   /* those that hold a struct */
    size_t n, cap;
    size_t max;             /* blocks it may have, or 0: WEAVE_TOO_LARGE */
    const uint8_t *deletions;   /* where the delete set starts */
    const uint8_t *end;
    uint64_t units_deleted;     /* sum of the delete set's lengths as the wire has them */
    bool is_ordered;        /* clients descend and none has two blocks, as Yjs writes them */
};

void update_deinit(struct update *u);

/* Reads into u (emptied before); an update out of order is rewritten into `hold`. */
int update_read_ordered(struct update *u, struct weave_bytes bytes, struct buf *hold);

/* Adds the blocks of `bytes`; everything is checked. WEAVE_INVALID: u is to be freed only. */
int update_read(struct update *u, struct weave_bytes bytes);

static inline struct decode block_structs(const struct block *b) {
    return decode_structs((struct id){ b->client, b->clock }, b->n, b->at, b->end);
}

/* Reads the delete set of u's last update. */
struct decode update_ranges(const struct update *u);

/* A state vector, sorted by client, descending; an empty slice is an empty one. A client named
 * twice counts with its lower clock. WEAVE_INVALID when malformed. */
struct state_entry { uint64_t client, clock; };
struct state { struct state_entry *at; size_t n, cap; };
int state_read(struct state *s, struct weave_bytes bytes);
void state_deinit(struct state *s);
uint64_t state_clock(const struct state *s, uint64_t client);

#endif
