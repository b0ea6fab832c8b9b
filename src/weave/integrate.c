/* integrate.c -- an item takes its place: the YATA algorithm as Yjs has it.
 *
 * Everything the item names is known (apply.c saw to that), so nothing here can fail. What was
 * attached to collected items becomes collected itself, on every replica alike. */
#include "weave/doc_int.h"

/* ---- the conflict scan ----------------------------------------------------------------------
 * Items between left and right that were put there at the same time are numbered as they are
 * passed. "Was this one passed?" is asked by reference: a short list is searched, a long one
 * hashed. */

#define SCAN_SMALL 16

static uint32_t scan_probe(const struct weave *w, uint32_t ref) {
    uint32_t mask = w->n_scan_slots - 1, i = (ref * 0x9e3779b1u >> 5) & mask;

    while (w->scan_slots[i] != NONE && w->scan.list[w->scan_slots[i]] != ref) i = (i + 1) & mask;
    return i;
}

static void scan_rehash(struct weave *w) {
    uint32_t n = SCAN_SMALL * 4;

    while (n < w->scan.n * 4) n *= 2;
    w->scan_slots = realloc(w->scan_slots, n * sizeof *w->scan_slots);
    must(w->scan_slots);
    w->n_scan_slots = n;
    memset(w->scan_slots, 0xff, n * sizeof *w->scan_slots);
    for (uint32_t i = 0; i < w->scan.n; i++) w->scan_slots[scan_probe(w, w->scan.list[i])] = i;
}

static void scan_add(struct weave *w, uint32_t ref) {
    vector_push(&w->scan, ref);
    if (w->scan.n <= SCAN_SMALL) return;
    if (w->scan.n == SCAN_SMALL + 1 || w->scan.n * 2 > w->n_scan_slots) scan_rehash(w);
    else w->scan_slots[scan_probe(w, ref)] = w->scan.n - 1;
}

/* Its number, or NONE when it was not passed. */
static uint32_t scan_number(const struct weave *w, uint32_t ref) {
    if (w->scan.n > SCAN_SMALL) return w->scan_slots[scan_probe(w, ref)];
    for (uint32_t i = w->scan.n; i-- > 0;)
        if (w->scan.list[i] == ref) return i;
    return NONE;
}

static uint32_t chain_first(const struct weave *w, const struct type *t, uint32_t key) {
    uint32_t ref = table_get(t->table, key);

    while (ref != NONE && item_at(w, ref)->left != NONE) ref = item_at(w, ref)->left;
    return ref;
}

static uint32_t first_of(const struct weave *w, const struct item *x) {
    const struct type *t = type_at(w, x->parent);

    return x->key == NONE ? t->start : chain_first(w, t, x->key);
}

/* The item left of x's place, given the one it was written behind. */
static uint32_t scan_left(struct weave *w, const struct item *x, uint32_t left, uint32_t right) {
    uint32_t o = left != NONE ? item_at(w, left)->right : first_of(w, x);
    uint32_t since = 0;                         /* numbers from here on came after `left` moved */
    uint64_t me = w->clients[x->id.client].id;

    w->scan.n = 0;
    for (; o != NONE && o != right; o = item_at(w, o)->right) {
        const struct item *y = item_at(w, o);
        scan_add(w, o);
        if (uid_eq(y->origin, x->origin)) {     /* written behind the same unit: lower id first */
            if (w->clients[y->id.client].id < me) {
                left = o;
                since = w->scan.n;
            } else if (uid_eq(y->right_origin, x->right_origin)) {
                break;
            }
            continue;
        }
        if (y->origin.client == NONE) break;
        uint32_t number = scan_number(w, item_holding(w, y->origin));
        if (number == NONE) break;
        if (number < since) {
            left = o;
            since = w->scan.n;
        }
    }
    return left;
}

/* ---- linking ------------------------------------------------------------------------------ */

static void link_between(struct weave *w, uint32_t ref, uint32_t left) {
    struct item *x = item_at(w, ref);
    struct type *t = type_at(w, x->parent);

    x->left = left;
    if (left != NONE) {
        x->right = item_at(w, left)->right;
        item_at(w, left)->right = ref;
    } else {
        x->right = first_of(w, x);
        if (x->key == NONE) t->start = ref;
    }
    if (x->right != NONE) {
        item_at(w, x->right)->left = ref;
    } else if (x->key != NONE) {
        *table_slot(t, x->key) = ref;
        if (left != NONE) delete_item(w, left);
    }
}

/* A map value whose writer had not seen another one: either it loses against what is there, or
 * what was there (`replaced`, when it was not what x was written over) loses against it. */
static void note_clash(struct weave *w, const struct item *x, uint32_t replaced) {
    if (x->right != NONE && item_kind(x) != KIND_DELETED) {
        vector_push(&w->now.clashes, item_last_uid(x));
    } else if (x->right == NONE && replaced != NONE) {
        const struct item *lost = item_at(w, replaced);
        if (lost->id.client != x->id.client) vector_push(&w->now.clashes, item_last_uid(lost));
    }
}

static void open_content(struct weave *w, uint32_t ref) {
    struct item *x = item_at(w, ref);

    switch (item_kind(x)) {
    case KIND_DELETED:
        range_add(&w->now.deleted, (struct range){ x->id.client, x->id.clock, x->len });
        x->flags |= ITEM_DELETED;
        w->delete_set_good = false;
        break;
    case KIND_FORMAT:
        type_at(w, x->parent)->flags |= TYPE_FORMATTED;
        break;
    case KIND_TYPE: {
        struct reader r = reader_of((struct slice){ item_content(w, x), x->bytes });
        uint64_t kind = read_uint(&r);
        bool named = kind == WEAVE_XML_ELEMENT || kind == WEAVE_XML_HOOK;
        uint32_t t = type_new(w, ref, named ? key_intern(w, read_bytes(&r)) : NONE);
        type_at(w, t)->kind = (uint8_t)kind;
        x->type = t;
        break;
    }
    default: break;
    }
}

static void append_struct(struct weave *w, uint32_t ref) {
    const struct item *x = item_at(w, ref);
    struct client *c = &w->clients[x->id.client];

    client_append(c, x->id.clock, ref);
    c->state = item_end(x);
}

/* Its left, right and content are set: puts it where it belongs and does what follows from that. */
static void place(struct weave *w, uint32_t ref, uint32_t left, uint32_t right) {
    struct item *x = item_at(w, ref);
    uint32_t wanted = left;

    if ((left == NONE && (right == NONE || item_at(w, right)->left != NONE)) ||
        (left != NONE && item_at(w, left)->right != right))
        left = scan_left(w, x, left, right);
    transaction_touch(w, x->id.client);
    append_struct(w, ref);
    bool replaces = left != NONE && left != wanted && !item_is_deleted(item_at(w, left));
    link_between(w, ref, left);
    struct type *t = type_at(w, x->parent);
    if (x->key == NONE) t->length += item_visible(x);
    if (w->now.records && x->key != NONE) note_clash(w, x, replaces ? left : NONE);
    open_content(w, ref);
    t = type_at(w, x->parent);      /* open_content may have moved the types */
    if (t->position && x->key == NONE) position_insert(w, ref);
    if (w->now.records) transaction_changed(w, x->parent, x->key);
    if (type_is_deleted(w, t) || (x->key != NONE && x->right != NONE)) delete_item(w, ref);
}

void integrate_local(struct weave *w, uint32_t ref) {
    const struct item *x = item_at(w, ref);

    place(w, ref, x->left, x->right);
}

/* ---- what an update brings ---------------------------------------------------------------- */

/* Typing: the struct continues the run its client wrote last, so the run grows. Yjs would make an
 * item and join it at the end of the transaction; the outcome is the same. */
static bool extend_run(struct weave *w, uint32_t ref) {
    const struct item *x = item_at(w, ref);
    struct client *c = &w->clients[x->id.client];

    if (item_kind(x) != KIND_STRING || x->origin.client != x->id.client ||
        x->id.clock != c->state || x->origin.clock + 1 != c->state)
        return false;
    uint32_t last = place_ref(c, client_last(c));
    struct item *l = item_at(w, last);
    if (item_kind(l) != KIND_STRING || item_is_deleted(l) || l->key != NONE ||
        l->at + l->bytes != c->len || !uid_eq(l->right_origin, x->right_origin)) return false;
    if (l->right == NONE ? x->right_origin.client != NONE
                         : !uid_eq(item_at(w, l->right)->id, x->right_origin)) return false;

    transaction_touch(w, x->id.client);
    client_put(w, c, w->source + x->at, x->bytes);
    l->bytes += x->bytes;
    l->len += x->len;
    if (!(x->flags & ITEM_ASCII)) l->flags &= ~(uint32_t)ITEM_ASCII;
    c->state += x->len;
    type_at(w, l->parent)->length += x->len;
    if (l->leaf != NONE) position_update(w, last);
    if (w->now.records) transaction_changed(w, l->parent, NONE);
    item_free(w, ref);
    return true;
}

/* Forgets the first units of a struct, which are known already. */
static void cut_known(struct weave *w, struct item *x, uint32_t offset) {
    bool inside = false;

    if (x->bytes) {
        struct slice content = { w->source + x->at, x->bytes };
        uint32_t byte = content_cut(content, x->flags, offset, &inside);
        x->at += byte;
        x->bytes -= byte;
    }
    x->id.clock += offset;
    x->len -= offset;
    if (item_kind(x) == KIND_GC) return;
    x->origin = (struct uid){ x->id.client, x->id.clock - 1 };
    if (inside) x->flags |= ITEM_HALF;      /* its first character is half of a pair */
}

static const uint8_t REPLACEMENT[3] = { 0xef, 0xbf, 0xbd };

static void take_content(struct weave *w, struct item *x) {
    struct client *c = &w->clients[x->id.client];
    const uint8_t *from = w->source + x->at;

    if (x->flags & ITEM_HALF) {     /* four bytes of a pair become U+FFFD for its second half */
        x->at = client_put(w, c, REPLACEMENT, 3);
        client_put(w, c, from + 4, x->bytes - 4);
        x->bytes -= 1;
        x->flags &= ~(uint32_t)ITEM_HALF;
        return;
    }
    x->at = client_put(w, c, from, x->bytes);
}

static bool is_collected(const struct weave *w, uint32_t ref) {
    return ref != NONE && item_kind(item_at(w, ref)) == KIND_GC;
}

/* Settles the type (and key) x belongs to; false when it was collected. A neighbour's wins against
 * what x says itself: both are there only when the front of x was known, and a client that writes
 * one id twice could say two things. Lists stay whole that way. */
static bool find_parent(struct weave *w, struct item *x, uint32_t left, uint32_t right) {
    if (is_collected(w, left) || is_collected(w, right)) return false;
    bool by_id = x->flags & ITEM_PARENT_ID;

    x->flags &= ~(uint32_t)ITEM_PARENT_ID;
    if (left != NONE || right != NONE) {
        const struct item *neighbour = item_at(w, left != NONE ? left : right);
        x->parent = neighbour->parent;
        x->key = neighbour->key;
    } else if (by_id) {
        const struct item *holder = item_at(w, item_holding(w, (struct uid){ x->parent, x->leaf }));
        if (item_kind(holder) != KIND_TYPE) return false;
        x->parent = holder->type;
    }
    x->leaf = NONE;
    return true;
}

static void note_orphan(struct weave *w, const struct item *x) {
    if (!w->now.records || item_kind(x) == KIND_GC || item_kind(x) == KIND_DELETED) return;
    uint32_t bytes = item_kind(x) == KIND_STRING ? x->bytes : 0;
    vector_push(&w->now.orphans, (struct range){ x->id.client, x->id.clock, x->len });
    vector_push(&w->now.orphan_text, (struct uid){ (uint32_t)w->now.notes.len, bytes });
    buf_put(&w->now.notes, w->source + x->at, bytes);
}

static void integrate_collected(struct weave *w, uint32_t ref) {
    struct item *x = item_at(w, ref);

    transaction_touch(w, x->id.client);
    x->flags = KIND_GC | ITEM_DELETED;
    x->bytes = 0;
    x->left = x->right = x->leaf = NONE;
    w->delete_set_good = false;
    append_struct(w, ref);
}

void integrate(struct weave *w, uint32_t ref, uint32_t offset) {
    if (offset == 0 && extend_run(w, ref)) return;

    struct item *x = item_at(w, ref);
    if (offset) cut_known(w, x, offset);
    if (item_kind(x) == KIND_GC) {
        integrate_collected(w, ref);
        return;
    }
    struct uid origin = x->origin, right_origin = x->right_origin;
    uint32_t left = NONE, right = NONE;
    if (origin.client != NONE) left = item_ending(w, origin);
    if (right_origin.client != NONE) {
        uint32_t guess = left != NONE ? item_at(w, left)->right : NONE;     /* nearly always */
        right = guess != NONE && uid_eq(item_at(w, guess)->id, right_origin)
                    ? guess : item_starting(w, right_origin);
    }
    x = item_at(w, ref);            /* cutting may have moved the items */
    if (!find_parent(w, x, left, right)) {
        note_orphan(w, x);
        integrate_collected(w, ref);
        return;
    }
    if (type_is_deleted(w, type_at(w, x->parent))) note_orphan(w, x);
    take_content(w, x);
    place(w, ref, left, right);
}
