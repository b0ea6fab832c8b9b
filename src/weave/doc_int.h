/* doc_int.h -- the integrated document: its structures, and what its files offer one another.
 *
 * A document is an arena of items (64 bytes, named by 32-bit references), per client an index
 * from clocks to items and a buffer with that client's content in clock order, and type records
 * with the head of a list and a table of keys. Nothing points at anything: references are
 * numbers, so the arena may move.
 *
 * Invariants:
 *   D1  A client's items have contiguous clocks from 0 up to client.state.
 *   D2  Nothing fails after the first change to a document: apply checks the whole update first.
 *   D3  A pointer to an item is good until the next item_new; a reference until the item is freed.
 *   D4  No recursion: depth comes from outside.
 *   D5  A transaction costs what it touches, never the number of clients. */
#ifndef WEAVE_DOC_INT_H
#define WEAVE_DOC_INT_H

#include <stdlib.h>
#include <weave.h>

#include "base/buf.h"
#include "weave/bridge.h"
#include "base/must.h"
#include "base/read.h"
#include "weave/decode_int.h"

#define NONE UINT32_MAX

/* ---- items -------------------------------------------------------------------------------- */

enum {
    ITEM_KIND = 0x1f,           /* enum struct_kind */
    ITEM_DELETED = 0x100,
    ITEM_COUNTABLE = 0x200,     /* adds to the length of its type */
    ITEM_ASCII = 0x400,         /* a string of one-byte characters: units are bytes */
    ITEM_PARENT_ID = 0x800,     /* not integrated: parent is a client, leaf a clock */
    ITEM_HALF = 0x1000,         /* not integrated: starts with the second half of a pair */
};

struct uid {                    /* an id inside a document */
    uint32_t client, clock;     /* client: index in the document, or NONE for no id */
};

struct item {                   /* one cache line */
    struct uid id;
    uint32_t len;               /* UTF-16 units or elements */
    uint32_t flags;
    uint32_t left, right;       /* neighbours in its list or key chain; left links the free slots */
    struct uid origin, right_origin;
    uint32_t parent;            /* type */
    uint32_t key;               /* of a map, or NONE */
    uint32_t at, bytes; /* content: a range of its client's bytes (unintegrated: of the update) */
    uint32_t leaf;              /* of the position index, or NONE */
    uint32_t type;              /* KIND_TYPE: the type it holds */
};
_Static_assert(sizeof(struct item) == 64, "an item is one cache line");

#define PAGE_SHIFT 12
#define PAGE_ITEMS (1u << PAGE_SHIFT)

struct arena {
    struct item **pages;        /* of PAGE_ITEMS; the first page starts small and grows */
    uint32_t n_pages, cap_pages, cap_first;
    uint32_t n;                 /* slots ever used */
    uint32_t free;              /* chain of free slots */
    uint32_t n_free;
};

/* ---- clients ------------------------------------------------------------------------------ */

#define BLOCK_SHIFT 8
#define BLOCK_SLOTS (1u << BLOCK_SHIFT)

struct block {                  /* part of the clock index: clocks, then references */
    uint32_t n, cap;            /* cap: 4, 16, 64, 256 */
    uint32_t at[];
};

/* A place in a client's index is (block << BLOCK_SHIFT | slot). */
struct client {
    uint64_t id;
    uint64_t wire;              /* the id as varUint, first byte lowest */
    uint32_t wire_len;
    uint32_t state;             /* next clock */
    uint32_t epoch, before;     /* transaction that touched it last, and the state at its start */
    uint32_t n_blocks, cap_blocks;
    uint32_t hint;              /* place found last */
    uint32_t queue;             /* during apply: its queue + 1, or 0 */
    uint32_t *first;            /* first clock of each block */
    struct block **blocks;
    uint8_t *bytes;             /* content in clock order */
    uint32_t len, cap, dead;    /* dead: bytes no item uses */
};

/* ---- keys and types ----------------------------------------------------------------------- */

struct key {
    uint32_t at, len;           /* in keys.bytes */
    uint32_t root;              /* the root type of that name, or 0 */
    uint32_t hash;
};

struct keys {                   /* every map key and root name, once */
    struct buf bytes;
    struct key *list;
    uint32_t n, cap;
    uint32_t *slots, n_slots;
};

struct table_entry {
    uint32_t key, item;         /* item: the rightmost of the key's chain */
};

struct table {                  /* the keys of one type, in the order first seen */
    uint32_t n, cap;
    uint32_t *slots, n_slots;   /* hash table past TABLE_SMALL entries */
    struct table_entry *list;
};

enum { TYPE_DEAD = 1, TYPE_FORMATTED = 2 };

struct type {
    uint32_t start;             /* first item of the list */
    uint32_t item;              /* that holds it; NONE: a root, or collected (TYPE_DEAD) */
    uint32_t length;            /* visible units */
    uint32_t name;              /* key: of a root; node name of an XML element; or NONE */
    uint8_t kind, flags;
    struct table *table;        /* NULL until a key is set */
    struct position *position;  /* NULL until positions are looked up */
};

/* ---- transactions ------------------------------------------------------------------------- */

struct range {
    uint32_t client, clock, len;
};

struct ranges {
    struct range *list;
    uint32_t n, cap;
};

struct uids {
    struct uid *list;
    uint32_t n, cap;
};

struct refs {
    uint32_t *list;
    uint32_t n, cap;
};

struct transaction {
    uint32_t epoch;
    bool open;                  /* between weave_begin and weave_commit */
    struct refs touched;        /* clients */
    struct ranges deleted;
    struct uids splits;          /* where runs were cut, to be joined again */
    bool records;               /* events are wanted */
    struct uids changed;         /* (type, key or NONE) */
    struct uids clashes;         /* last units of map values that lost */
    struct ranges orphans;      /* came into a deleted type */
    struct ranges received;     /* the deletions it brought, where known */
    struct uids orphan_text;    /* for each orphan: offset and length in notes */
    struct buf notes;
};

struct queue {                  /* one client's structs in an update */
    uint32_t client, next, end;
};

struct pending {                /* structs that wait, as one update, and deletions that wait */
    struct buf update;
    struct uids missing;
    struct ranges deleted;
};

struct weave {
    struct arena arena;
    struct client *clients;
    uint32_t n_clients, cap_clients;
    uint32_t *client_slots, n_client_slots;
    uint32_t recent[2];         /* clients named last */
    uint32_t me;                /* client of local edits */
    uint64_t seed;              /* of the hash tables */
    size_t bytes_max;
    size_t content;             /* live content bytes of all clients */

    struct keys keys;
    struct type *types;         /* [0] is unused */
    uint32_t n_types, cap_types;
    struct refs roots;

    struct transaction now;
    struct pending pending;

    /* scratch of apply, kept to be used again */
    struct refs parsed;
    struct queue *queues;
    uint32_t n_queues, cap_queues;
    struct refs stack;          /* structs whose needs are integrated first */
    struct refs doomed;         /* items being deleted or collected */
    struct refs scan;           /* conflict scan: items in order */
    uint32_t *scan_slots, n_scan_slots;
    struct ranges deletes;
    const uint8_t *source;      /* the update being applied */

    struct buf delete_set;      /* the encoded delete set, while delete_set_good */
    bool delete_set_good;
    struct refs order;          /* clients by descending id, while order.n == n_clients */
    struct buf out, out2;       /* scratch of encoding and reading */
};

static inline struct item *item_at(const struct weave *w, uint32_t ref) {
    return &w->arena.pages[ref >> PAGE_SHIFT][ref & (PAGE_ITEMS - 1)];
}

static inline uint32_t item_kind(const struct item *x) { return x->flags & ITEM_KIND; }
static inline bool item_is_deleted(const struct item *x) { return x->flags & ITEM_DELETED; }
static inline uint32_t item_end(const struct item *x) { return x->id.clock + x->len; }

/* Units it adds to its list. */
static inline uint32_t item_visible(const struct item *x) {
    return (x->flags & (ITEM_DELETED | ITEM_COUNTABLE)) == ITEM_COUNTABLE ? x->len : 0;
}

static inline bool uid_eq(struct uid a, struct uid b) {
    return a.client == b.client && (a.client == NONE || a.clock == b.clock);
}

static inline struct uid item_last_uid(const struct item *x) {
    return (struct uid){ x->id.client, item_end(x) - 1 };
}

static inline uint8_t *item_content(const struct weave *w, const struct item *x) {
    static uint8_t nothing;         /* a client may have no content at all */
    uint8_t *bytes = w->clients[x->id.client].bytes;

    return bytes ? bytes + x->at : &nothing;
}

/* Makes room for one more in a vector {list, n, cap}. */
#define vector_room(v)                                                              \
    ((v)->n < (v)->cap ? (void)0                                                    \
                       : (void)((v)->list = vector_grow((v)->list, &(v)->cap, sizeof *(v)->list)))
#define vector_push(v, ...) (vector_room(v), (void)((v)->list[(v)->n++] = __VA_ARGS__))
void *vector_grow(void *list, uint32_t *cap, size_t size);

/* ---- item.c: the arena, cutting and joining ----------------------------------------------- */

uint32_t item_new(struct weave *w);
void item_free(struct weave *w, uint32_t ref);
/* Returns the right part. */
uint32_t item_split(struct weave *w, uint32_t place, uint32_t ref, uint32_t units);
uint32_t item_starting(struct weave *w, struct uid id);      /* split if needed, unless collected */
uint32_t item_ending(struct weave *w, struct uid id);
uint32_t item_join_left(struct weave *w, struct client *c, uint32_t place);     /* joined place */

/* ---- client.c ----------------------------------------------------------------------------- */

uint32_t client_intern(struct weave *w, uint64_t id);
uint32_t client_find(const struct weave *w, uint64_t id);   /* or NONE */
void client_forget(struct weave *w, uint32_t n);            /* the last ones, down to n */
void client_deinit(struct client *c);
uint32_t client_place(struct client *c, uint32_t clock);    /* of the item holding clock < state */
uint32_t client_next(const struct client *c, uint32_t place);   /* or NONE */
uint32_t client_previous(const struct client *c, uint32_t place);
uint32_t client_last(const struct client *c);
void client_append(struct client *c, uint32_t clock, uint32_t ref);
void client_insert_after(struct client *c, uint32_t place, uint32_t clock, uint32_t ref);
void client_remove(struct client *c, uint32_t place);
void client_move_start(struct client *c, uint32_t place, uint32_t clock);
/* Adds content; returns its offset. */
uint32_t client_put(struct weave *w, struct client *c, const uint8_t *at, uint32_t len);
void client_compact(struct weave *w, struct client *c);     /* when half of the content is dead */
const struct refs *client_order(struct weave *w);           /* by descending id */

static inline uint32_t place_clock(const struct client *c, uint32_t place) {
    return c->blocks[place >> BLOCK_SHIFT]->at[place & (BLOCK_SLOTS - 1)];
}
static inline uint32_t place_ref(const struct client *c, uint32_t place) {
    const struct block *b = c->blocks[place >> BLOCK_SHIFT];
    return b->at[b->cap + (place & (BLOCK_SLOTS - 1))];
}
static inline uint32_t item_holding(struct weave *w, struct uid id) {
    struct client *c = &w->clients[id.client];
    return place_ref(c, client_place(c, id.clock));
}

/* ---- content.c: measuring and cutting content --------------------------------------------- */

/* Byte offset of a unit or element into an item's content; *inside: it cuts a surrogate pair. */
uint32_t content_cut(struct slice content, uint32_t flags, uint32_t units, bool *inside);

/* ---- key.c, type.c ------------------------------------------------------------------------ */

uint32_t key_intern(struct weave *w, struct slice name);
uint32_t key_find(const struct weave *w, struct slice name);        /* or NONE */
void key_forget(struct weave *w, uint32_t n);
struct slice key_name(const struct weave *w, uint32_t key);
uint32_t table_get(const struct table *t, uint32_t key);            /* item or NONE */
uint32_t *table_slot(struct type *t, uint32_t key);                 /* entry made when absent */
void table_free(struct table *t);

uint32_t type_new(struct weave *w, uint32_t item, uint32_t name);
uint32_t type_root(struct weave *w, uint32_t key);                  /* made when absent */
void type_forget(struct weave *w, uint32_t n);
static inline struct type *type_at(const struct weave *w, uint32_t t) { return &w->types[t]; }
static inline bool type_is_deleted(const struct weave *w, const struct type *t) {
    return (t->flags & TYPE_DEAD) || (t->item != NONE && item_is_deleted(item_at(w, t->item)));
}

/* ---- parse.c: update bytes to item slots; changes no content ------------------------------ */

/* Into parsed, queues, deletes. `ours`: no limits. *structs_len: bytes before the delete set. */
int parse_update(struct weave *w, struct weave_bytes update, bool ours, size_t *structs_len);
size_t encoded_size(const struct weave *w);                         /* about */

/* ---- integrate.c -------------------------------------------------------------------------- */

void integrate(struct weave *w, uint32_t ref, uint32_t offset); /* a parsed item, its needs known */
void integrate_local(struct weave *w, uint32_t ref); /* left, right, parent, key set */

/* ---- transaction.c, collect.c ------------------------------------------------------------- */

void transaction_begin(struct weave *w);
void transaction_end(struct weave *w);                              /* collect, join, compact */
void transaction_touch(struct weave *w, uint32_t client);
void transaction_changed(struct weave *w, uint32_t type, uint32_t key);
void range_add(struct ranges *r, struct range add);                /* joins with the last */
void range_sort(struct ranges *r);                                 /* sorted, joined, disjoint */
static inline uint32_t transaction_before(const struct weave *w, const struct client *c) {
    return c->epoch == w->now.epoch ? c->before : c->state;
}

void delete_item(struct weave *w, uint32_t ref);
bool delete_tail(struct weave *w, uint32_t ref, uint32_t units);    /* false: not so simple */
void delete_range(struct weave *w, struct range r);                 /* known clocks only */
void collect_item(struct weave *w, uint32_t ref, bool as_child);

/* ---- doc_encode.c ------------------------------------------------------------------------- */

/* known: a clock per client, or NULL. */
void encode_transaction(struct weave *w, struct buf *out);

/* ---- position.c: the index from positions to items of one list ---------------------------- */

struct spot {               /* between two items, or inside one */
    uint32_t item;          /* holding the unit at the position, or NONE at the end */
    uint32_t offset;        /* in item */
};

struct spot position_find(struct weave *w, uint32_t type, uint32_t at);
uint32_t position_of(struct weave *w, uint32_t ref);                /* visible units left of it */
void position_insert(struct weave *w, uint32_t ref); /* linked behind its left neighbour */
void position_update(struct weave *w, uint32_t ref);                /* its visible length changed */
void position_remove(struct weave *w, uint32_t ref);                /* before it is unlinked */
void position_free(struct position *p);
size_t position_memory(const struct position *p);

static inline void write_to(struct weave_sink out, const struct buf *b) {
    if (b->len && out.write) out.write(out.ctx, b->at, b->len);
}

#endif
