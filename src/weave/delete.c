/* delete.c -- deleting items, and collecting what was deleted.
 *
 * A deleted item stays in its place, because others may still refer to it; its content goes at
 * the end of the transaction (KIND_DELETED). The children of a deleted type lose even their place
 * (KIND_GC): nothing can come into them any more. Both walks keep their own stack (D4). */
#include "weave/doc_int.h"

/* Children of a type that is being deleted; those deleted before may now join with neighbours. */
static void doom_child(struct weave *w, uint32_t ref) {
    const struct item *x = item_at(w, ref);

    if (!item_is_deleted(x)) vector_push(&w->doomed, ref);
    else if (x->id.clock < transaction_before(w, &w->clients[x->id.client]))
        vector_push(&w->now.splits, x->id);
}

static void doom_children(struct weave *w, const struct type *t) {
    for (uint32_t ref = t->start; ref != NONE; ref = item_at(w, ref)->right) doom_child(w, ref);
    for (uint32_t i = 0; t->table && i < t->table->n; i++)
        if (t->table->list[i].item != NONE) doom_child(w, t->table->list[i].item);
}

static void delete_one(struct weave *w, uint32_t ref) {
    struct item *x = item_at(w, ref);

    if (x->key == NONE) type_at(w, x->parent)->length -= item_visible(x);
    x->flags |= ITEM_DELETED;
    if (x->leaf != NONE) position_update(w, ref);
    range_add(&w->now.deleted, (struct range){ x->id.client, x->id.clock, x->len });
    if (w->now.records) transaction_changed(w, x->parent, x->key);
}

void delete_item(struct weave *w, uint32_t ref) {
    uint32_t floor = w->doomed.n;

    if (item_is_deleted(item_at(w, ref))) return;
    w->delete_set_good = false;
    vector_push(&w->doomed, ref);
    while (w->doomed.n > floor) {
        ref = w->doomed.list[--w->doomed.n];
        const struct item *x = item_at(w, ref);
        if (item_is_deleted(x)) continue;
        delete_one(w, ref);
        if (item_kind(x) == KIND_TYPE) doom_children(w, type_at(w, x->type));
    }
}

/* Backspace over one's own run: the last units of a run go, and behind it lies the tombstone of
 * those that went before. The border between the two moves; cutting, collecting and joining would
 * end in the same. False when it is not like that. */
bool delete_tail(struct weave *w, uint32_t ref, uint32_t units) {
    struct item *x = item_at(w, ref);
    struct client *c = &w->clients[x->id.client];

    if (w->now.records || units >= x->len || x->right == NONE || x->key != NONE ||
        (x->flags & (ITEM_KIND | ITEM_DELETED | ITEM_ASCII)) != (KIND_STRING | ITEM_ASCII))
        return false;
    struct item *t = item_at(w, x->right);
    if (item_kind(t) != KIND_DELETED || t->id.client != x->id.client ||
        t->id.clock != item_end(x) || !uid_eq(t->origin, item_last_uid(x)) ||
        !uid_eq(t->right_origin, x->right_origin))
        return false;

    client_move_start(c, client_place(c, t->id.clock), t->id.clock - units);
    t->id.clock -= units;
    t->origin.clock -= units;
    t->len += units;
    x->len -= units;
    x->bytes -= units;
    c->dead += units;
    w->content -= units;
    type_at(w, x->parent)->length -= units;
    if (x->leaf != NONE) position_update(w, ref);
    range_add(&w->now.deleted, (struct range){ x->id.client, t->id.clock, units });
    w->delete_set_good = false;
    return true;
}

void delete_range(struct weave *w, struct range r) {
    struct client *c = &w->clients[r.client];
    uint32_t end = r.clock + r.len, place = client_place(c, r.clock), ref = place_ref(c, place);
    const struct item *x = item_at(w, ref);

    if (end == item_end(x) && delete_tail(w, ref, r.len)) return;
    if (!item_is_deleted(x) && x->id.clock < r.clock) {
        item_split(w, place, ref, r.clock - x->id.clock);
        place = client_place(c, r.clock);
    }
    for (; place != NONE && place_clock(c, place) < end; place = client_next(c, place)) {
        ref = place_ref(c, place);
        x = item_at(w, ref);
        if (item_is_deleted(x)) continue;
        if (end < item_end(x)) {
            item_split(w, place, ref, end - x->id.clock);
            place = client_place(c, item_at(w, ref)->id.clock); /* its block may have been cut */
        }
        delete_item(w, ref);
    }
}

/* ---- collecting --------------------------------------------------------------------------- */

static void collect_children(struct weave *w, struct type *t) {
    for (uint32_t ref = t->start; ref != NONE; ref = item_at(w, ref)->right)
        vector_push(&w->doomed, ref);
    for (uint32_t i = 0; t->table && i < t->table->n; i++)
        for (uint32_t ref = t->table->list[i].item; ref != NONE; ref = item_at(w, ref)->left)
            vector_push(&w->doomed, ref);
    table_free(t->table);
    position_free(t->position);
    t->table = NULL;
    t->position = NULL;
    t->start = t->item = NONE;
    t->flags |= TYPE_DEAD;
}

/* The content of one item is let go. */
static void collect_one(struct weave *w, struct item *x, bool as_child) {
    if (item_kind(x) == KIND_TYPE) collect_children(w, type_at(w, x->type));
    w->clients[x->id.client].dead += x->bytes;
    w->content -= x->bytes;
    x->bytes = 0;
    x->flags = (as_child ? KIND_GC : KIND_DELETED) | ITEM_DELETED;
    if (as_child) x->leaf = NONE;
}

void collect_item(struct weave *w, uint32_t ref, bool as_child) {
    uint32_t floor = w->doomed.n;

    collect_one(w, item_at(w, ref), as_child);
    while (w->doomed.n > floor) {
        struct item *x = item_at(w, w->doomed.list[--w->doomed.n]);
        if (item_kind(x) != KIND_GC) collect_one(w, x, true);
    }
}
