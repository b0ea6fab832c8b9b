/* item.c -- the arena of items; cutting a run in two and joining two runs.
 *
 * Cutting and joining follow Yjs exactly (yjs splitItem, Item.mergeWith), because two documents
 * with the same content must encode to the same bytes. */
#include "weave/doc_int.h"

static const uint8_t REPLACEMENT[3] = { 0xef, 0xbf, 0xbd };     /* U+FFFD */

void *vector_grow(void *list, uint32_t *cap, size_t size) {
    *cap = *cap ? *cap * 2 : 8;
    list = realloc(list, *cap * size);
    must(list);
    return list;
}

/* The first page starts with 64 items and moves when it grows: small documents stay small. */
static void arena_grow(struct arena *a) {
    if (a->n_pages == 0 || (a->n_pages == 1 && a->cap_first < PAGE_ITEMS)) {
        uint32_t cap = a->n_pages ? a->cap_first * 4 : 64;
        struct item *page = aligned_alloc(64, cap * sizeof *page);
        must(page);
        if (a->n_pages == 0) {
            a->pages = malloc(sizeof *a->pages);
            must(a->pages);
            a->cap_pages = a->n_pages = 1;
        } else {
            memcpy(page, a->pages[0], a->n * sizeof *page);
            free(a->pages[0]);
        }
        a->pages[0] = page;
        a->cap_first = cap;
        return;
    }
    if (a->n_pages == a->cap_pages)
        a->pages = vector_grow(a->pages, &a->cap_pages, sizeof *a->pages);
    a->pages[a->n_pages] = aligned_alloc(64, PAGE_ITEMS * sizeof **a->pages);
    must(a->pages[a->n_pages]);
    a->n_pages++;
}

uint32_t item_new(struct weave *w) {
    struct arena *a = &w->arena;

    if (a->free != NONE) {
        uint32_t ref = a->free;
        a->free = item_at(w, ref)->left;
        a->n_free--;
        return ref;
    }
    uint32_t room = a->n_pages <= 1 ? a->cap_first : a->n_pages << PAGE_SHIFT;
    if (a->n == room) arena_grow(a);
    return a->n++;
}

void item_free(struct weave *w, uint32_t ref) {
    struct item *x = item_at(w, ref);

    x->flags = 0;
    x->left = w->arena.free;
    w->arena.free = ref;
    w->arena.n_free++;
}

/* Where the key's chain ends in `from`, it now ends in `to`. */
static void move_head(struct weave *w, const struct item *x, uint32_t from, uint32_t to) {
    if (x->key == NONE) return;
    uint32_t *head = table_slot(type_at(w, x->parent), x->key);
    if (*head == from) *head = to;
}

/* A cut between the halves of a surrogate pair leaves U+FFFD on both sides, as in Yjs. */
static void split_pair(struct weave *w, struct item *x, struct item *y, uint32_t byte) {
    struct client *c = &w->clients[x->id.client];
    uint32_t left = byte + 3, right = x->bytes - byte - 4 + 3;
    uint8_t *copy = malloc(left + right);

    must(copy);
    memcpy(copy, c->bytes + x->at, byte);
    memcpy(copy + byte, REPLACEMENT, 3);
    memcpy(copy + left, REPLACEMENT, 3);
    memcpy(copy + left + 3, c->bytes + x->at + byte + 4, right - 3);
    c->dead += x->bytes;
    w->content -= x->bytes;
    x->at = client_put(w, c, copy, left + right);
    x->bytes = left;
    y->at = x->at + left;
    y->bytes = right;
    free(copy);
}

static void split_content(struct weave *w, struct item *x, struct item *y, uint32_t units) {
    bool inside = false;

    if (x->bytes == 0) return;
    uint32_t byte =
        content_cut((struct slice){ item_content(w, x), x->bytes }, x->flags, units, &inside);
    if (inside) {
        split_pair(w, x, y, byte);
        return;
    }
    y->at = x->at + byte;
    y->bytes = x->bytes - byte;
    x->bytes = byte;
}

uint32_t item_split(struct weave *w, uint32_t place, uint32_t ref, uint32_t units) {
    uint32_t right = item_new(w);
    struct item *x = item_at(w, ref), *y = item_at(w, right);

    *y = *x;
    y->id.clock += units;
    y->len -= units;
    y->left = ref;
    y->origin = (struct uid){ x->id.client, y->id.clock - 1 };
    y->leaf = NONE;
    x->len = units;
    if (y->right != NONE) item_at(w, y->right)->left = right;
    else move_head(w, y, ref, right);
    x->right = right;
    split_content(w, x, y, units);
    client_insert_after(&w->clients[x->id.client], place, y->id.clock, right);
    vector_push(&w->now.splits, y->id);
    if (x->leaf != NONE) {
        position_update(w, ref);
        position_insert(w, right);
    }
    return right;
}

uint32_t item_starting(struct weave *w, struct uid id) {
    struct client *c = &w->clients[id.client];
    uint32_t place = client_place(c, id.clock), ref = place_ref(c, place);
    uint32_t start = place_clock(c, place);

    if (start == id.clock || item_kind(item_at(w, ref)) == KIND_GC) return ref;
    return item_split(w, place, ref, id.clock - start);
}

uint32_t item_ending(struct weave *w, struct uid id) {
    struct client *c = &w->clients[id.client];
    uint32_t place = client_place(c, id.clock), ref = place_ref(c, place);
    const struct item *x = item_at(w, ref);

    if (id.clock + 1 != item_end(x) && item_kind(x) != KIND_GC)
        item_split(w, place, ref, id.clock - x->id.clock + 1);
    return ref;
}

static bool may_join(const struct item *l, const struct item *r, uint32_t right) {
    uint32_t kind = item_kind(l);

    if (kind != KIND_STRING && kind != KIND_DELETED && kind != KIND_ANY && kind != KIND_JSON)
        return false;
    return ((l->flags ^ r->flags) & ITEM_DELETED) == 0 && l->right == right &&
           r->origin.client == l->id.client && r->origin.clock + 1 == item_end(l) &&
           uid_eq(l->right_origin, r->right_origin);
}

/* Their bytes nearly always touch already, because content lies in clock order. */
static void join_content(struct weave *w, struct client *c, struct item *l, const struct item *r) {
    if (!(r->flags & ITEM_ASCII)) l->flags &= ~(uint32_t)ITEM_ASCII;
    if (r->bytes == 0) return;
    if (r->at != l->at + l->bytes) {
        uint32_t bytes = l->bytes + r->bytes;
        uint8_t *copy = malloc(bytes);
        must(copy);
        memcpy(copy, c->bytes + l->at, l->bytes);
        memcpy(copy + l->bytes, c->bytes + r->at, r->bytes);
        c->dead += bytes;
        w->content -= bytes;
        l->at = client_put(w, c, copy, bytes);
        free(copy);
    }
    l->bytes += r->bytes;
}

static bool item_join(struct weave *w, struct client *c, uint32_t left_place, uint32_t place) {
    uint32_t left = place_ref(c, left_place), right = place_ref(c, place);
    struct item *l = item_at(w, left), *r = item_at(w, right);

    if (item_kind(l) != item_kind(r)) return false;
    if (item_kind(l) != KIND_GC) {
        if (!may_join(l, r, right)) return false;
        join_content(w, c, l, r);
        if (r->leaf != NONE) position_remove(w, right);
        l->right = r->right;
        if (l->right != NONE) item_at(w, l->right)->left = left;
        else move_head(w, r, right, left);
    }
    l->len += r->len;
    if (l->leaf != NONE) position_update(w, left);
    item_free(w, right);
    client_remove(c, place);
    return true;
}

uint32_t item_join_left(struct weave *w, struct client *c, uint32_t place) {
    for (;;) {
        uint32_t left = client_previous(c, place);
        if (left == NONE || !item_join(w, c, left, place)) return place;
        place = left;
    }
}
