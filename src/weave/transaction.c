/* transaction.c -- what one apply or one begin-commit touches, and the tidying at its end.
 *
 * The end follows Yjs' cleanup step by step (collect, then join around deletions, in new structs
 * and where runs were cut, each from right to left): that is what makes two replicas that hold
 * the same encode the same. It looks only at what was touched (D5). */
#include "weave/doc_int.h"

void transaction_begin(struct weave *w) {
    struct transaction *t = &w->now;

    t->epoch++;
    t->touched.n = t->deleted.n = t->splits.n = 0;
    t->changed.n = t->clashes.n = t->orphans.n = t->orphan_text.n = t->received.n = 0;
    buf_reset(&t->notes);
    t->records = false;
}

void transaction_touch(struct weave *w, uint32_t client) {
    struct client *c = &w->clients[client];

    if (c->epoch == w->now.epoch) return;
    c->epoch = w->now.epoch;
    c->before = c->state;
    vector_push(&w->now.touched, client);
}

void transaction_changed(struct weave *w, uint32_t type, uint32_t key) {
    struct uids *list = &w->now.changed;

    if (list->n > 0 && list->list[list->n - 1].client == type &&
        list->list[list->n - 1].clock == key)
        return;
    vector_push(list, (struct uid){ type, key });
}

/* ---- ranges ------------------------------------------------------------------------------- */

void range_add(struct ranges *r, struct range add) {
    if (r->n > 0) {
        struct range *last = &r->list[r->n - 1];
        if (last->client == add.client && last->clock + last->len == add.clock) {
            last->len += add.len;
            return;
        }
    }
    vector_push(r, add);
}

static int ascending(const void *a, const void *b) {
    const struct range *x = a, *y = b;

    if (x->client != y->client) return x->client < y->client ? -1 : 1;
    return x->clock < y->clock ? -1 : x->clock > y->clock;
}

void range_sort(struct ranges *r) {
    uint32_t n = 0;

    if (r->n < 2) return;
    qsort(r->list, r->n, sizeof *r->list, ascending);
    for (uint32_t i = 1; i < r->n; i++) {
        struct range *last = &r->list[n], next = r->list[i];
        uint32_t end = last->clock + last->len, next_end = next.clock + next.len;
        if (next.client != last->client || next.clock > end) r->list[++n] = next;
        else if (next_end > end) last->len = next_end - last->clock;
    }
    r->n = n + 1;
}

/* ---- the end ------------------------------------------------------------------------------ */

static void collect_range(struct weave *w, struct range r) {
    struct client *c = &w->clients[r.client];

    for (uint32_t p = client_place(c, r.clock); p != NONE && place_clock(c, p) < r.clock + r.len;
         p = client_next(c, p)) {
        uint32_t ref = place_ref(c, p);
        const struct item *x = item_at(w, ref);
        if (item_is_deleted(x) && item_kind(x) != KIND_GC && item_kind(x) != KIND_DELETED)
            collect_item(w, ref, false);
    }
}

static void join_down_to(struct weave *w, struct client *c, uint32_t place, uint32_t clock) {
    while (place != NONE && place_clock(c, place) >= clock)
        place = client_previous(c, item_join_left(w, c, place));
}

static void join_around_range(struct weave *w, struct range r) {
    struct client *c = &w->clients[r.client];
    uint32_t place = client_place(c, r.clock + r.len - 1), next = client_next(c, place);

    join_down_to(w, c, next != NONE ? next : place, r.clock);
}

static void join_new_structs(struct weave *w, struct client *c) {
    if (c->state == c->before) return;
    uint32_t last = client_last(c);
    if (place_clock(c, last) < c->before) return;       /* its last run grew, that is all */

    uint32_t first = client_place(c, c->before);
    join_down_to(w, c, last, place_clock(c, first));
}

static void join_at_split(struct weave *w, struct uid id) {
    struct client *c = &w->clients[id.client];
    uint32_t place = client_place(c, id.clock), next = client_next(c, place);

    if (next != NONE) {
        uint32_t joined = item_join_left(w, c, next);
        if (joined != next && joined != place) return;      /* two joins or more: both sides done */
        place = client_place(c, id.clock);
    }
    item_join_left(w, c, place);
}

void transaction_end(struct weave *w) {
    struct transaction *t = &w->now;

    range_sort(&t->deleted);
    for (uint32_t i = t->deleted.n; i-- > 0;) collect_range(w, t->deleted.list[i]);
    for (uint32_t i = t->deleted.n; i-- > 0;) join_around_range(w, t->deleted.list[i]);
    for (uint32_t i = 0; i < t->touched.n; i++)
        join_new_structs(w, &w->clients[t->touched.list[i]]);
    for (uint32_t i = t->splits.n; i-- > 0;) join_at_split(w, t->splits.list[i]);
    for (uint32_t i = 0; i < t->deleted.n; i++)
        client_compact(w, &w->clients[t->deleted.list[i].client]);
}
