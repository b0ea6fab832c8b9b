/* waiter.c -- answers that leave when what they show is durable (A2). Reactor thread.
 *
 * An answer is encoded when it is asked for; `need` is the number of entries its room had appended by
 * then. It leaves when so many have been settled, at once when nothing is uncommitted. Waiters lie in
 * the order of their need, beside the journal, and go with their member. */
#include <stdlib.h>

#include "base/err.h"
#include "base/must.h"
#include "room/rooms_int.h"

bool room_is_settled(const struct room *r) { return r->settled == r->appended; }

static void send(struct member *m, struct frame *f, uint32_t times) {
    while (times--) outlet_put_frame(m->outlet, m, frame_ref(f));
    frame_unref(f);
}

void waiter_add(struct member *m, struct frame *f) {
    struct room *r = m->room;
    struct waiter *last = r->waiters_last;

    if (room_is_settled(r)) {
        send(m, f, 1);
        return;
    }
    m->outlet->own_bytes += f->len;
    if (last && last->member == m && last->need == r->appended && last->frame == f) {
        last->times++;                  /* one more acknowledgement */
        frame_unref(f);
        return;
    }
    struct waiter *w = calloc(1, sizeof *w);
    must(w);
    *w = (struct waiter){ .member = m, .frame = f, .need = r->appended, .times = 1 };
    if (last) last->next = w;
    else r->waiters_first = w;
    r->waiters_last = w;
}

static void uncount(const struct waiter *w) {
    w->member->outlet->own_bytes -= (size_t)w->frame->len * w->times;
}

static void release_done(struct room *r) {
    while (r->done_first && r->done_first->need <= r->settled) {
        struct done_waiter *d = r->done_first;
        r->done_first = d->next;
        if (!r->done_first) r->done_last = NULL;
        d->done(d->ctx, E_OK, 0);
        free(d);
    }
}

void waiter_release(struct room *r) {
    while (r->waiters_first && r->waiters_first->need <= r->settled) {
        struct waiter *w = r->waiters_first;
        r->waiters_first = w->next;
        if (!r->waiters_first) r->waiters_last = NULL;
        uncount(w);
        send(w->member, w->frame, w->times);
        free(w);
    }
    release_done(r);
}

void waiter_drop(struct room *r, struct member *m) {
    struct waiter **at = &r->waiters_first, *w, *last = NULL;

    while ((w = *at)) {
        if (m && w->member != m) {
            last = w;
            at = &w->next;
            continue;
        }
        *at = w->next;
        uncount(w);
        frame_unref(w->frame);
        free(w);
    }
    r->waiters_last = last;
}

/* ---- submissions that changed nothing ------------------------------------------------------- */

void done_waiter_add(struct room *r, rooms_done *done, void *ctx) {
    if (room_is_settled(r)) {
        done(ctx, E_OK, 0);
        return;
    }
    struct done_waiter *d = calloc(1, sizeof *d);
    must(d);
    *d = (struct done_waiter){ .need = r->appended, .done = done, .ctx = ctx };
    if (r->done_last) r->done_last->next = d;
    else r->done_first = d;
    r->done_last = d;
}

void done_waiter_fail(struct room *r, int err) {
    struct done_waiter *d = r->done_first;

    r->done_first = r->done_last = NULL;
    while (d) {
        struct done_waiter *next = d->next;
        d->done(d->ctx, err, 0);
        free(d);
        d = next;
    }
}
