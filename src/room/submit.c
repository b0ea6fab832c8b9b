/* submit.c -- changes that do not come from a member: files, REST, deletion. Reactor thread.
 *
 * They wait until their room is open, in the order they came, and then take the same entrance. */
#include <stdlib.h>

#include "base/err.h"
#include "base/must.h"
#include "room/rooms_int.h"

#define HASH_BYTES 32

static void tell(rooms_done *done, void *ctx, int err) {
    if (done) done(ctx, err, 0);
}

static struct queued *queued_new(const struct submission *s, int what) {
    struct queued *q = calloc(1, sizeof *q);

    must(q);
    q->what = what;
    q->cause = s->cause;
    q->bytes = frame_copy(s->bytes);
    q->message_id = s->message_id.len ? frame_copy(s->message_id) : NULL;
    q->who = s->who ? principal_ref(s->who) : NULL;
    if (s->lineage) memcpy(q->lineage, s->lineage, strnlen(s->lineage, 32));
    q->done = s->done;
    q->ctx = s->ctx;
    return q;
}

static void queued_free(struct queued *q) {
    frame_unref(q->bytes);
    if (q->message_id) frame_unref(q->message_id);
    if (q->who) principal_unref(q->who);
    free(q);
}

static void enqueue(struct rooms *all, const struct submission *s, int what) {
    struct room *r = room_open(all, s->room);
    struct queued *q = queued_new(s, what);

    if (r->queued_first) r->queued_last->next = q;
    else r->queued_first = q;
    r->queued_last = q;
    if (r->state == ROOM_OPEN) room_run_queued(r);
}

void rooms_submit(struct rooms *all, const struct submission *s) { enqueue(all, s, QUEUED_SUBMIT); }
void rooms_create(struct rooms *all, const struct submission *s) { enqueue(all, s, QUEUED_CREATE); }
void rooms_delete(struct rooms *all, const struct submission *s) { enqueue(all, s, QUEUED_DELETE); }

/* On E_OK `done` is called later, by the journal or when all is settled. */
static int run_submit(struct room *r, const struct queued *q) {
    struct weave_effect effect;
    struct edit e = { .who = q->who, .cause = q->cause, .update = frame_slice(q->bytes),
                      .message_id = q->message_id, .done = q->done, .ctx = q->ctx };

    if (q->lineage[0] && memcmp(q->lineage, r->lineage->bytes, 32) != 0) return E_REPLACED;
    return room_submit(r, &e, &effect);
}

static int run_delete(struct room *r, const struct queued *q) {
    if (r->is_deleted) return E_NOT_FOUND;
    if (room_read_only(r) != E_OK) return room_read_only(r);
    if (!room_has_space(r, 0)) return E_OVERLOADED;
    room_append(r, (struct entry){
        .kind = ROW_DELETE,
        .cause = q->cause,
        .bytes = frame_copy((struct slice){ 0 }),
        .who = q->who ? principal_ref(q->who) : NULL,
        .message_id = q->message_id ? frame_ref(q->message_id) : NULL,
        .done = q->done,
        .ctx = q->ctx,
    });
    r->is_deleted = true;
    return E_OK;
}

static int run_one(struct room *r, const struct queued *q) {
    switch (q->what) {
    case QUEUED_SUBMIT: return run_submit(r, q);
    case QUEUED_DELETE: return run_delete(r, q);
    case QUEUED_CREATE: return E_EXISTS;
    }
    return E_INVALID;
}

static struct queued *dequeue(struct room *r) {
    struct queued *q = r->queued_first;

    if (!q) return NULL;
    r->queued_first = q->next;
    if (!r->queued_first) r->queued_last = NULL;
    return q;
}

void room_run_queued(struct room *r) {
    struct queued *q;

    while (r->state == ROOM_OPEN && (q = dequeue(r))) {
        int err = run_one(r, q);
        if (err != E_OK) tell(q->done, q->ctx, err);
        queued_free(q);
    }
}

void room_fail_queued(struct room *r, int err) {
    struct queued *q;

    while ((q = dequeue(r))) {
        tell(q->done, q->ctx, err);
        queued_free(q);
    }
}

static void unref_both(const struct queued *q) {
    if (q->who) principal_unref(q->who);
    if (q->message_id) frame_unref(q->message_id);
}

/* The entity does not exist: whatever waits before the next creation is told so, then it is created and the
 * room may be opened. Who is told may queue a creation at once: it is found here. */
bool room_create_queued(struct room *r) {
    struct queued *q;

    while ((q = dequeue(r)) && q->what != QUEUED_CREATE) {
        tell(q->done, q->ctx, E_NOT_FOUND);
        queued_free(q);
    }
    if (!q) return false;
    room_draw_lineage(r);
    int err = q->bytes->len <= HASH_BYTES ? E_INVALID : room_import(r, frame_slice(q->bytes), (struct entry){
        .cause = q->cause, .done = q->done, .ctx = q->ctx,
        .who = q->who ? principal_ref(q->who) : NULL,
        .message_id = q->message_id ? frame_ref(q->message_id) : NULL,
    });
    if (err != E_OK) {
        if (q->bytes->len > HASH_BYTES) unref_both(q);
        tell(q->done, q->ctx, err);
    }
    queued_free(q);
    return err == E_OK;
}
