/* apply.c -- an update from outside goes into a document, in an order its structs allow.
 *
 * First the whole update is decoded and checked (parse.c). Then structs whose needs are known are
 * integrated; the rest waits as an update of its own, and deletions of unknown structs wait as
 * ranges. Both are tried again when what they miss may have come. */
#include "weave/event_int.h"

/* The client that x needs more structs of, or NONE. */
static uint32_t missing_client(const struct weave *w, const struct item *x) {
    const struct client *c = w->clients;
    uint32_t me = x->id.client, o = x->origin.client, r = x->right_origin.client;

    if (o != NONE && o != me && x->origin.clock >= c[o].state) return o;
    if (r != NONE && r != me && x->right_origin.clock >= c[r].state) return r;
    if (x->flags & ITEM_PARENT_ID && x->parent != me && x->leaf >= c[x->parent].state)
        return x->parent;
    return NONE;
}

static void note_missing(struct weave *w, uint32_t client, uint32_t clock) {
    for (uint32_t i = 0; i < w->pending.missing.n; i++) {
        struct uid *m = &w->pending.missing.list[i];
        if (m->client != client) continue;
        if (clock < m->clock) m->clock = clock;
        return;
    }
    vector_push(&w->pending.missing, (struct uid){ client, clock });
}

/* The next struct of this client in the update, or NONE. */
static uint32_t take_next(struct weave *w, uint32_t client) {
    uint32_t queue = w->clients[client].queue;
    struct queue *q = queue ? &w->queues[queue - 1] : NULL;

    return q && q->next < q->end ? w->parsed.list[q->next++] : NONE;
}

/* Integrates this struct after what it needs; false when something has to wait. */
static bool integrate_with_needs(struct weave *w, uint32_t ref) {
    bool all = true;

    w->stack.n = 0;
    for (;;) {
        struct item *x = item_at(w, ref);
        const struct client *c = &w->clients[x->id.client];
        uint32_t missing, next;
        if (item_kind(x) == KIND_SKIP) {
            item_free(w, ref);
        } else if (x->id.clock > c->state) {
            note_missing(w, x->id.client, x->id.clock - 1);
            item_free(w, ref);
            all = false;
        } else if (c->state - x->id.clock >= x->len) {
            item_free(w, ref);                                      /* known */
        } else if ((missing = missing_client(w, x)) == NONE) {
            integrate(w, ref, c->state - x->id.clock);
        } else if ((next = take_next(w, missing)) != NONE) {
            vector_push(&w->stack, ref);
            ref = next;
            continue;
        } else {
            note_missing(w, missing, w->clients[missing].state);
            item_free(w, ref);
            all = false;
        }
        if (w->stack.n == 0) return all;
        ref = w->stack.list[--w->stack.n];
    }
}

static bool apply_structs(struct weave *w) {
    bool all = true;

    for (uint32_t i = 0; i < w->n_queues; i++) {
        struct queue *q = &w->queues[i];
        while (q->next < q->end)
            if (!integrate_with_needs(w, w->parsed.list[q->next++])) all = false;
    }
    for (uint32_t i = 0; i < w->n_queues; i++) w->clients[w->queues[i].client].queue = 0;
    w->parsed.n = 0;
    return all;
}

/* The part of a range that is known is deleted, the rest waits. */
static void apply_range(struct weave *w, struct range r) {
    uint32_t state = w->clients[r.client].state, end = r.clock + r.len;

    if (end > state) {
        uint32_t from = r.clock > state ? r.clock : state;
        vector_push(&w->pending.deleted, (struct range){ r.client, from, end - from });
        end = state;
    }
    if (r.clock >= end) return;
    struct range known = { r.client, r.clock, end - r.clock };
    if (w->now.records) vector_push(&w->now.received, known);
    delete_range(w, known);
}

static void apply_deletes(struct weave *w) {
    struct ranges waiting = w->pending.deleted;

    w->pending.deleted = (struct ranges){ 0 };
    for (uint32_t i = 0; i < w->deletes.n; i++) apply_range(w, w->deletes.list[i]);
    for (uint32_t i = 0; i < waiting.n; i++) apply_range(w, waiting.list[i]);
    free(waiting.list);
    range_sort(&w->pending.deleted);
}

/* ---- what waits --------------------------------------------------------------------------- */

/* What of this update is still above our state joins the pending update. Its deletions were
 * taken care of, so they are left out. */
static void keep_waiting(struct weave *w, struct weave_bytes update, size_t structs_len) {
    struct buf alone, state, rest, merged;

    buf_init(&alone, SIZE_MAX / 2);
    buf_init(&state, SIZE_MAX / 2);
    buf_init(&rest, SIZE_MAX / 2);
    buf_init(&merged, SIZE_MAX / 2);
    buf_put(&alone, update.at, structs_len);
    buf_uint(&alone, 0);
    weave_state(w, sink_into(&state));
    must(weave_update_diff(bytes_of(&alone), bytes_of(&state), sink_into(&rest)) == 0);
    if (w->pending.update.len) {
        struct weave_bytes both[2] = { bytes_of(&w->pending.update), bytes_of(&rest) };
        must(weave_update_merge(both, 2, sink_into(&merged)) == 0);
        buf_deinit(&w->pending.update);
        w->pending.update = merged;
        buf_deinit(&rest);
    } else {
        w->pending.update = rest;
    }
    buf_deinit(&alone);
    buf_deinit(&state);
}

static bool has_come(const struct weave *w) {
    for (uint32_t i = 0; i < w->pending.missing.n; i++) {
        struct uid m = w->pending.missing.list[i];
        if (m.clock < w->clients[m.client].state) return true;
    }
    return false;
}

static void retry_pending(struct weave *w) {
    struct buf update = w->pending.update;
    size_t structs_len;

    buf_init(&w->pending.update, SIZE_MAX / 2);
    w->pending.missing.n = 0;
    must(parse_update(w, bytes_of(&update), true, &structs_len) == 0);
    if (!apply_structs(w)) keep_waiting(w, bytes_of(&update), structs_len);
    w->deletes.n = 0;
    if (w->pending.deleted.n) apply_deletes(w);
    buf_deinit(&update);
}

int weave_apply(struct weave *w, struct weave_bytes update, const struct weave_observer *observer) {
    size_t structs_len;

    must(!w->now.open);
    int rc = parse_update(w, update, false, &structs_len);
    if (rc) return rc;
    transaction_begin(w);
    w->now.records = observer != NULL;
    if (!apply_structs(w)) keep_waiting(w, update, structs_len);
    if (w->deletes.n || w->pending.deleted.n) apply_deletes(w);
    if (w->pending.missing.n && has_come(w)) retry_pending(w);
    struct report *report = observer ? report_gather(w, observer) : NULL;
    transaction_end(w);
    if (report) report_send(report, observer);
    return 0;
}

bool weave_has_pending(const struct weave *w) {
    return w->pending.update.len > 0 || w->pending.deleted.n > 0;
}
