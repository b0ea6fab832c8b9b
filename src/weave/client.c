/* client.c -- what one client has written: an index from clocks to items, and the content bytes.
 *
 * The index is a row of blocks (4, 16, 64, then 256 entries), so that a document with thousands
 * of clients of one item each stays small and a change inside a long history moves at most 2 KiB.
 * A place is (block, slot); it is good until the next change of this client's index. */
#include "weave/doc_int.h"

static uint64_t mix(uint64_t x) {       /* the finaliser of MurmurHash3 */
    x ^= x >> 33;
    x *= 0xff51afd7ed558ccdu;
    x ^= x >> 33;
    x *= 0xc4ceb9fe1a85ec53u;
    return x ^ x >> 33;
}

/* ---- the table of clients ----------------------------------------------------------------- */

static uint32_t client_slot(const struct weave *w, uint64_t id) {
    uint32_t mask = w->n_client_slots - 1, i = (uint32_t)mix(id ^ w->seed) & mask;

    while (w->client_slots[i] != NONE && w->clients[w->client_slots[i]].id != id)
        i = (i + 1) & mask;
    return i;
}

static void client_rehash(struct weave *w) {
    w->n_client_slots = w->n_client_slots ? w->n_client_slots * 2 : 16;
    free(w->client_slots);
    w->client_slots = malloc(w->n_client_slots * sizeof *w->client_slots);
    must(w->client_slots);
    memset(w->client_slots, 0xff, w->n_client_slots * sizeof *w->client_slots);
    for (uint32_t i = 0; i < w->n_clients; i++)
        w->client_slots[client_slot(w, w->clients[i].id)] = i;
}

uint32_t client_find(const struct weave *w, uint64_t id) {
    return w->n_clients ? w->client_slots[client_slot(w, id)] : NONE;
}

static void client_init(struct client *c, uint64_t id) {
    *c = (struct client){ .id = id };
    for (uint64_t left = id;; left >>= 7) {
        uint64_t byte = (left & 0x7f) | (left > 0x7f ? 0x80 : 0);
        c->wire |= byte << (8 * c->wire_len++);
        if (left <= 0x7f) break;
    }
}

uint32_t client_intern(struct weave *w, uint64_t id) {
    if ((w->n_clients + 1) * 2 > w->n_client_slots) client_rehash(w);
    uint32_t slot = client_slot(w, id);
    if (w->client_slots[slot] != NONE) return w->client_slots[slot];

    if (w->n_clients == w->cap_clients)
        w->clients = vector_grow(w->clients, &w->cap_clients, sizeof *w->clients);
    client_init(&w->clients[w->n_clients], id);
    w->client_slots[slot] = w->n_clients;
    return w->n_clients++;
}

/* Newest first, so that clearing a slot breaks nobody's probe. */
void client_forget(struct weave *w, uint32_t n) {
    while (w->n_clients > n) {
        struct client *c = &w->clients[w->n_clients - 1];
        w->client_slots[client_slot(w, c->id)] = NONE;
        client_deinit(c);
        w->n_clients--;
    }
    if (w->recent[0] >= n) w->recent[0] = NONE;
    if (w->recent[1] >= n) w->recent[1] = NONE;
}

void client_deinit(struct client *c) {
    for (uint32_t i = 0; i < c->n_blocks; i++) free(c->blocks[i]);
    free(c->blocks);
    free(c->first);
    free(c->bytes);
}

struct by_id {
    uint64_t id;
    uint32_t client;
};

static int descending(const void *a, const void *b) {
    const struct by_id *x = a, *y = b;

    return x->id < y->id ? 1 : x->id > y->id ? -1 : 0;
}

const struct refs *client_order(struct weave *w) {
    if (w->order.n == w->n_clients) return &w->order;

    struct by_id *sorted = malloc((w->n_clients + 1) * sizeof *sorted);
    must(sorted);
    for (uint32_t i = 0; i < w->n_clients; i++) sorted[i] = (struct by_id){ w->clients[i].id, i };
    qsort(sorted, w->n_clients, sizeof *sorted, descending);
    w->order.n = 0;
    for (uint32_t i = 0; i < w->n_clients; i++) vector_push(&w->order, sorted[i].client);
    free(sorted);
    return &w->order;
}

/* ---- the index ---------------------------------------------------------------------------- */

static uint32_t slot_of(uint32_t place) { return place & (BLOCK_SLOTS - 1); }
static uint32_t block_of(uint32_t place) { return place >> BLOCK_SHIFT; }

uint32_t client_next(const struct client *c, uint32_t place) {
    if (slot_of(place) + 1 < c->blocks[block_of(place)]->n) return place + 1;
    return block_of(place) + 1 < c->n_blocks ? (block_of(place) + 1) << BLOCK_SHIFT : NONE;
}

uint32_t client_previous(const struct client *c, uint32_t place) {
    if (slot_of(place) > 0) return place - 1;
    uint32_t b = block_of(place);
    return b ? ((b - 1) << BLOCK_SHIFT) + c->blocks[b - 1]->n - 1 : NONE;
}

uint32_t client_last(const struct client *c) {
    return ((c->n_blocks - 1) << BLOCK_SHIFT) + c->blocks[c->n_blocks - 1]->n - 1;
}

/* Index of the last element that is at most `clock`; the first one is. */
static uint32_t last_at_most(const uint32_t *list, uint32_t n, uint32_t clock) {
    const uint32_t *base = list;

    while (n > 1) {
        uint32_t half = n >> 1;
        base = base[half] <= clock ? base + half : base;
        n -= half;
    }
    return (uint32_t)(base - list);
}

uint32_t client_place(struct client *c, uint32_t clock) {
    uint32_t hint = c->hint;

    if (block_of(hint) < c->n_blocks && slot_of(hint) < c->blocks[block_of(hint)]->n &&
        place_clock(c, hint) <= clock) {        /* where we were, or the one after */
        uint32_t next = client_next(c, hint);
        if (next == NONE || clock < place_clock(c, next)) return hint;
        uint32_t after = client_next(c, next);
        if (after == NONE || clock < place_clock(c, after)) return c->hint = next;
    }
    uint32_t b = last_at_most(c->first, c->n_blocks, clock);
    c->hint = (b << BLOCK_SHIFT) + last_at_most(c->blocks[b]->at, c->blocks[b]->n, clock);
    return c->hint;
}

static struct block *block_new(uint32_t cap) {
    struct block *b = malloc(sizeof *b + (size_t)cap * 8);

    must(b);
    b->n = 0;
    b->cap = cap;
    return b;
}

/* Moves the entries of `from` at and after `slot` into the empty block `to`. */
static void block_move(struct block *to, struct block *from, uint32_t slot) {
    to->n = from->n - slot;
    memcpy(to->at, from->at + slot, to->n * sizeof *to->at);
    memcpy(to->at + to->cap, from->at + from->cap + slot, to->n * sizeof *to->at);
    from->n = slot;
}

static void block_open(struct client *c, uint32_t at, uint32_t cap) {
    if (c->n_blocks == c->cap_blocks) {
        c->cap_blocks = c->cap_blocks ? c->cap_blocks * 2 : 1;
        c->first = realloc(c->first, c->cap_blocks * sizeof *c->first);
        c->blocks = realloc(c->blocks, c->cap_blocks * sizeof *c->blocks);
        must(c->first && c->blocks);
    }
    uint32_t behind = c->n_blocks - at;
    memmove(c->first + at + 1, c->first + at, behind * sizeof *c->first);
    memmove(c->blocks + at + 1, c->blocks + at, behind * sizeof *c->blocks);
    c->blocks[at] = block_new(cap);
    c->n_blocks++;
}

static struct block *block_grow(struct client *c, uint32_t b) {
    struct block *old = c->blocks[b], *new = block_new(old->cap * 4);

    block_move(new, old, 0);
    free(old);
    return c->blocks[b] = new;
}

static void block_insert(struct block *b, uint32_t slot, uint32_t clock, uint32_t ref) {
    uint32_t *clocks = b->at, *refs = b->at + b->cap, behind = b->n - slot;

    memmove(clocks + slot + 1, clocks + slot, behind * sizeof *clocks);
    memmove(refs + slot + 1, refs + slot, behind * sizeof *refs);
    clocks[slot] = clock;
    refs[slot] = ref;
    b->n++;
}

void client_append(struct client *c, uint32_t clock, uint32_t ref) {
    if (c->n_blocks == 0) {
        block_open(c, 0, 4);
        c->first[0] = clock;
    }
    struct block *b = c->blocks[c->n_blocks - 1];
    if (b->n == b->cap && b->cap < BLOCK_SLOTS) {
        b = block_grow(c, c->n_blocks - 1);
    } else if (b->n == b->cap) {
        block_open(c, c->n_blocks, BLOCK_SLOTS);
        c->first[c->n_blocks - 1] = clock;
        b = c->blocks[c->n_blocks - 1];
    }
    b->at[b->n] = clock;
    b->at[b->cap + b->n] = ref;
    b->n++;
}

void client_insert_after(struct client *c, uint32_t place, uint32_t clock, uint32_t ref) {
    uint32_t i = block_of(place), slot = slot_of(place) + 1;
    struct block *b = c->blocks[i];

    if (b->n == b->cap && b->cap < BLOCK_SLOTS) {
        b = block_grow(c, i);
    } else if (b->n == b->cap) {
        block_open(c, i + 1, BLOCK_SLOTS);
        block_move(c->blocks[i + 1], b, BLOCK_SLOTS / 2);
        c->first[i + 1] = c->blocks[i + 1]->at[0];
        if (slot > BLOCK_SLOTS / 2) {
            b = c->blocks[i + 1];
            slot -= BLOCK_SLOTS / 2;
        }
    }
    block_insert(b, slot, clock, ref);
}

void client_move_start(struct client *c, uint32_t place, uint32_t clock) {
    c->blocks[block_of(place)]->at[slot_of(place)] = clock;
    if (slot_of(place) == 0) c->first[block_of(place)] = clock;
}

void client_remove(struct client *c, uint32_t place) {
    uint32_t i = block_of(place), slot = slot_of(place);
    struct block *b = c->blocks[i];
    uint32_t *clocks = b->at, *refs = b->at + b->cap, behind = b->n - slot - 1;

    memmove(clocks + slot, clocks + slot + 1, behind * sizeof *clocks);
    memmove(refs + slot, refs + slot + 1, behind * sizeof *refs);
    b->n--;
    if (b->n == 0) {
        free(b);
        c->n_blocks--;
        memmove(c->blocks + i, c->blocks + i + 1, (c->n_blocks - i) * sizeof *c->blocks);
        memmove(c->first + i, c->first + i + 1, (c->n_blocks - i) * sizeof *c->first);
    } else if (slot == 0) {
        c->first[i] = clocks[0];
    }
}

/* ---- content ------------------------------------------------------------------------------ */

uint32_t client_put(struct weave *w, struct client *c, const uint8_t *at, uint32_t len) {
    if (len > c->cap - c->len) {
        uint64_t cap = ((uint64_t)c->len + len) * 3 / 2 + 16;
        must(cap <= UINT32_MAX);
        c->bytes = realloc(c->bytes, cap);
        must(c->bytes);
        c->cap = (uint32_t)cap;
    }
    uint32_t offset = c->len;
    if (len) memcpy(c->bytes + offset, at, len);
    c->len += len;
    w->content += len;
    return offset;
}

#define COMPACT_MIN 4096

void client_compact(struct weave *w, struct client *c) {
    if (c->dead < COMPACT_MIN || c->dead < c->len / 2) return;

    uint32_t live = c->len - c->dead, len = 0;
    uint8_t *bytes = malloc((size_t)live + 1);
    must(bytes);
    for (uint32_t p = 0; p != NONE; p = client_next(c, p)) {
        struct item *x = item_at(w, place_ref(c, p));
        if (x->bytes == 0) continue;
        must(x->bytes <= live - len);
        memcpy(bytes + len, c->bytes + x->at, x->bytes);
        x->at = len;
        len += x->bytes;
    }
    free(c->bytes);
    c->bytes = bytes;
    c->len = len;
    c->cap = live + 1;
    c->dead = 0;
}
