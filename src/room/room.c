/* room.c -- one live document: changes in, published changes out, what happens when a commit fails.
 * Reactor thread. Rules R1, R3, R4, A5, A8, D1: room.h.
 *
 *   room_submit   refuse, or: relay -> journal        the one entrance
 *   on_publish    journal -> fan-out, waiters         it is on disk
 *   on_dropped    journal -> the room is unloaded     it is not: loaded again from the log */
#include "room/room.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/must.h"
#include "entity/import.h"
#include "room/rooms_int.h"

#define CLIENT_LAST ((UINT64_C(1) << 53) - 1)

/* ---- lineage (D1) --------------------------------------------------------------------------- */

static bool is_reserved(uint64_t client) { return client >= IMPORT_CLIENT_FIRST && client <= CLIENT_LAST; }

static bool owns(const struct room *r, uint64_t client) {
    for (uint32_t i = 0; i < r->n_own_ids; i++)
        if (r->own_ids[i] == client) return true;
    return false;
}

struct border { const struct room *room; bool is_foreign; };

/* Called for each id an update names. Stops at one that is another import's. */
static bool may_come_in(void *ctx, uint64_t client) {
    struct border *b = ctx;

    b->is_foreign = is_reserved(client) && !owns(b->room, client);
    return !b->is_foreign;
}

static bool state_may_come_in(void *ctx, uint64_t client, uint64_t clock) {
    (void)clock;
    return may_come_in(ctx, client);
}

static bool learn_id(void *ctx, uint64_t client) {
    struct room *r = ctx;

    if (!is_reserved(client) || owns(r, client) || r->n_own_ids == LIMIT_OWN_IDS) return true;
    r->own_ids = realloc(r->own_ids, (r->n_own_ids + 1) * sizeof *r->own_ids);
    must(r->own_ids);
    r->own_ids[r->n_own_ids++] = client;
    return true;
}

static bool learn_state(void *ctx, uint64_t client, uint64_t clock) {
    (void)clock;
    return learn_id(ctx, client);
}

int room_allows(const struct room *r, struct slice state) {
    struct border b = { .room = r };

    if (weave_state_each(weave_of(state), state_may_come_in, &b) == 0) return E_OK;
    return b.is_foreign ? E_REPLACED : E_INVALID;
}

void room_learn_ids(struct room *r) {
    struct buf state;

    buf_init(&state, LIMIT_SYNC_MESSAGE);
    weave_relay_state(r->relay, sink_into(&state));
    r->n_own_ids = 0;
    weave_state_each(weave_of(buf_view(&state)), learn_state, r);
    buf_deinit(&state);
}

/* E_OK, E_INVALID or E_REPLACED. What the server itself makes may bring new ids of its own. */
static int check_ids(struct room *r, const struct edit *e) {
    struct border b = { .room = r };

    if (!e->from) return weave_update_clients(weave_of(e->update), learn_id, r) == 0 ? E_OK : E_INVALID;
    if (weave_update_clients(weave_of(e->update), may_come_in, &b) == 0) return E_OK;
    return b.is_foreign ? E_REPLACED : E_INVALID;
}

/* ---- in ------------------------------------------------------------------------------------- */

int room_read_only(const struct room *r) { return r->all->read_only; }

/* The effective update may be longer than what came: a struct that is cut gets an origin of its own. */
bool room_has_space(const struct room *r, size_t update_len) {
    size_t need = 3 * update_len + KIB(4);

    return !journal_full(r->all->config.journal, need < LIMIT_JOURNAL_BYTES ? need : LIMIT_JOURNAL_BYTES);
}

void room_append(struct room *r, struct entry e) {
    e.room = r;
    e.name = frame_ref(r->name);
    e.lineage = frame_ref(r->lineage);
    e.time_ms = clock_wall_ms();
    e.received_ns = clock_mono_ns();
    journal_append(r->all->config.journal, e);
    r->appended++;
}

static int weave_err(int e) {
    if (e == WEAVE_TOO_LARGE) return E_TOO_LARGE;
    return e < 0 ? E_INVALID : E_OK;
}

static void append_effect(struct room *r, const struct edit *e, struct slice update) {
    if (e->from) {
        r->all->authors[e->from->number - 1].in_flight++;
        e->from->outlet->active_ms = rooms_now_ms(r->all);
    }
    r->version++;
    r->has_grown = true;
    if (r->n_pending) room_mark_dirty(r);       /* what waited for this is tried at the end of the turn */
    r->all->stats.updates++;
    room_append(r, (struct entry){
        .author = e->from ? e->from->number : 0,
        .kind = ROW_UPDATE,
        .cause = e->cause,
        .bytes = frame_copy(update),
        .message_id = e->message_id ? frame_ref(e->message_id) : NULL,
        .who = e->who ? principal_ref(e->who) : NULL,
        .done = e->done,
        .ctx = e->ctx,
    });
}

int room_submit(struct room *r, const struct edit *e, struct weave_effect *effect) {
    must(r->state == ROOM_OPEN);
    if (e->from && !e->from->may_edit) return E_DENIED;
    if (e->update.len > LIMIT_SYNC_MESSAGE) return E_TOO_LARGE;
    if (r->is_deleted) return E_NOT_FOUND;
    if (room_read_only(r) != E_OK) return room_read_only(r);
    if (!room_has_space(r, e->update.len)) return E_OVERLOADED;
    int err = check_ids(r, e);
    if (err != E_OK) return err;

    err = weave_err(weave_relay_apply(r->relay, weave_of(e->update), effect));
    if (err != E_OK) return err;
    if (effect->update.len == 0) {
        if (e->done) done_waiter_add(r, e->done, e->ctx);
        return E_OK;
    }
    if (journal_full(r->all->config.journal, effect->update.len)) {   /* grew more than threefold: made to */
        room_unload(r, E_TOO_LARGE);
        return E_TOO_LARGE;
    }
    append_effect(r, e, slice_from(effect->update));
    return E_OK;
}

/* ---- out ------------------------------------------------------------------------------------ */

static void publish_update(struct room *r, const struct entry *e, struct member *author) {
    struct rooms *all = r->all;

    buf_reset(&all->scratch);
    y_encode_sync(&all->scratch, Y_UPDATE, frame_slice(e->bytes));
    must(!all->scratch.bad);
    fanout_message(r, buf_view(&all->scratch), author, TO_ALL);
}

/* journal.publish: the entry is on disk. */
void rooms_on_publish(void *ctx, struct entry *e, uint64_t lsn) {
    struct rooms *all = ctx;
    struct room *r = e->room;

    (void)lsn;
    if (!r) return;
    struct member *author = e->author ? author_settle(all, e->author) : NULL;
    r->settled++;
    all->stats.published++;
    all->stats.latency_ns_sum += clock_mono_ns() - e->received_ns;
    if (e->kind == ROW_UPDATE) publish_update(r, e, author);
    waiter_release(r);
    if (e->kind == ROW_DELETE) room_refuse_all(r, E_NOT_FOUND, "this document was deleted");
    room_close_later(r);
}

/* journal.on_dropped: the entry is lost (A8). */
void rooms_on_dropped(void *ctx, struct entry *e, int err) {
    struct rooms *all = ctx;
    struct room *r = e->room;

    if (!r) return;
    if (e->author) author_settle(all, e->author);
    r->settled++;
    if (e->kind == ROW_DELETE) r->is_deleted = false;
    room_unload(r, err);
}

void room_refuse_all(struct room *r, int err, const char *why) {
    while (r->members) member_refuse(r->members, err, why);
}

/* ---- a commit failed ------------------------------------------------------------------------ */

static void forget_answers(struct room *r) {
    for (struct waiter *w = r->waiters_first; w; w = w->next) w->member->is_unanswered = true;
    waiter_drop(r, NULL);
    done_waiter_fail(r, E_OVERLOADED);
}

static void forget_members_doubts(struct room *r) {
    for (struct member *m = r->members; m; m = m->next)
        if (m->more) pending_forget(m);
}

/* The document in memory shows what is not on disk: throw it away and load it again. */
void room_unload(struct room *r, int err) {
    if (r->state == ROOM_LOADING) return;
    log_warn("room.unloaded", "room=\"%.*s\" reason=\"%s\"", SLICE_ARG(frame_slice(r->name)), err_text(err));
    forget_answers(r);
    forget_members_doubts(r);
    weave_relay_free(r->relay);
    r->relay = NULL;
    r->state = ROOM_LOADING;
    r->version++;
    room_load_later(r);
}
