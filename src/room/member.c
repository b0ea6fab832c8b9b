/* member.c -- joining, leaving, and what a member says. Reactor thread.
 *
 * A member of a room that still loads is a member already; what it says is held until the room is open. */
#include "room/member.h"

#include <stdlib.h>

#include "base/err.h"
#include "base/must.h"
#include "room/outlet_int.h"
#include "wire/hocuspocus.h"

/* ---- joining and leaving -------------------------------------------------------------------- */

static void set_channel(struct member *m, const struct joining *j) {
    m->channel = (uint8_t)j->channel;
    if (m->channel < CHANNEL_LOGS && m->outlet->deflate) m->channel++;
    if (m->channel == CHANNEL_NAMED) {
        member_more(m)->wire_name = frame_copy(j->wire_name);
        m->room->n_named++;
    }
    m->acks = j->acks;
    m->is_app = j->is_app;
    fanout_add(m);
}

void member_set_channel(struct member *m, const struct joining *j) {
    must(m->channel == CHANNEL_SILENT);
    set_channel(m, j);
}

struct member *room_join(struct outlet *o, const struct joining *j, int *err) {
    struct room *r = room_open(o->all, j->room);

    *err = E_TOO_LARGE;
    if (r->n_members >= LIMIT_MEMBERS_PER_ROOM || o->n_members >= LIMIT_ROOMS_PER_CONNECTION) {
        room_close_later(r);
        return NULL;
    }
    struct member *m = calloc(1, sizeof *m);
    must(m);
    *m = (struct member){ .room = r, .outlet = o, .next = r->members, .next_of_outlet = o->members,
                          .who = j->who, .may_edit = j->who->role >= ROLE_EDITOR };
    if (r->members) r->members->before = m;
    r->members = m;
    r->n_members++;
    o->members = m;
    o->n_members++;
    r->all->stats.members++;
    m->number = author_take(r->all, m);
    set_channel(m, j);
    *err = E_OK;
    if (r->state == ROOM_OPEN) member_tell_joined(m);
    return m;
}

static void unlink_member(struct member *m) {
    struct room *r = m->room;
    struct member **at = &m->outlet->members;

    if (m->before) m->before->next = m->next;
    else r->members = m->next;
    if (m->next) m->next->before = m->before;
    while (*at != m) at = &(*at)->next_of_outlet;
    *at = m->next_of_outlet;
    m->outlet->n_members--;
    r->n_members--;
    r->all->stats.members--;
}

void room_leave(struct member *m) {
    struct room *r = m->room;

    member_forget_joined(m);
    presence_leave(m);
    waiter_drop(r, m);
    fanout_remove(m);
    if (m->channel == CHANNEL_NAMED) r->n_named--;
    if (m->is_lean) r->n_slow--;
    member_more_free(m);
    unlink_member(m);
    author_leave(r->all, m->number);
    free(m);
    room_close_later(r);
}

void member_refuse(struct member *m, int err, const char *why) {
    m->outlet->handler->on_refused(m->outlet, m, err, why);
    room_leave(m);
}

/* ---- sending -------------------------------------------------------------------------------- */

void member_send(struct member *m, struct slice y) {
    if (m->channel != CHANNEL_SILENT) outlet_put_frame(m->outlet, m, fanout_frame(m, y));
}

static void encode_sync(struct rooms *all, enum y_step step, struct slice body) {
    buf_reset(&all->scratch);
    y_encode_sync(&all->scratch, step, body);
    must(!all->scratch.bad);
}

/* Our sync step 1; `ack`: is the answer acknowledged (A1: it answers the client's own step 1)? */
static void ask(struct member *m, bool ack) {
    struct rooms *all = m->room->all;
    struct buf state;

    if (m->channel == CHANNEL_SILENT) return;
    if (m->acks) {
        struct member_more *more = member_more(m);
        if (more->expected == 32) return;
        if (ack) more->expected_ack |= 1u << more->expected;
        more->expected++;
    }
    buf_init(&state, LIMIT_SYNC_MESSAGE);
    weave_relay_state(m->room->relay, sink_into(&state));
    encode_sync(all, Y_STEP_1, buf_view(&state));
    buf_deinit(&state);
    member_send(m, buf_view(&all->scratch));
}

void member_ask(struct member *m) { ask(m, false); }

/* What the document has and this state lacks, framed; NULL: the state is not one. */
static struct frame *answer(struct member *m, struct slice state, enum y_step step) {
    struct rooms *all = m->room->all;
    struct buf update;

    buf_init(&update, 2 * LIMIT_SYNC_MESSAGE);
    int e = weave_relay_since(m->room->relay, weave_of(state), sink_into(&update));
    if (e == 0) encode_sync(all, step, buf_view(&update));
    buf_deinit(&update);
    return e == 0 ? fanout_frame(m, buf_view(&all->scratch)) : NULL;
}

/* The whole document is the most asked for: framed once while it does not change. */
static struct frame *whole(struct member *m) {
    static const uint8_t nothing[] = { 0 };
    struct room *r = m->room;
    struct slice empty = { nothing, 1 };

    if (m->channel >= CHANNEL_LOGS) return answer(m, empty, Y_STEP_2);
    struct fanout_log *l = &r->logs[m->channel];
    if (l->full && l->full_version != r->version) {
        frame_unref(l->full);
        l->full = NULL;
    }
    if (!l->full) {
        l->full = answer(m, empty, Y_STEP_2);
        l->full_version = r->version;
        must(l->full);
    }
    return frame_ref(l->full);
}

void member_resync(struct member *m) {
    if (m->channel != CHANNEL_SILENT && m->room->state == ROOM_OPEN) waiter_add(m, whole(m));
}

/* ---- acknowledgements (A1) ------------------------------------------------------------------ */

static struct frame *saved_frame(struct member *m) {
    struct room *r = m->room;
    struct slice body = { (const uint8_t[]){ HOCUSPOCUS_SYNC_STATUS, 1 }, 2 };

    if (m->channel == CHANNEL_NAMED) return fanout_frame(m, body);
    if (!r->saved) r->saved = fanout_frame(m, body);        /* short, so never deflated */
    return frame_ref(r->saved);
}

static void acknowledge(struct member *m, uint32_t times) {
    while (times--) waiter_add(m, saved_frame(m));
}

/* How many acknowledgements does what just came bring, once it is durable? */
static uint32_t owed_for(struct member *m, bool is_step_2) {
    struct member_more *more = m->more;

    if (!m->acks) return 0;
    if (!is_step_2) {
        if (!more || !more->expected_ack) return 1;
        more->owed_early++;         /* not before the step 2 that may hold older edits */
        return 0;
    }
    if (!more || !more->expected) return 0;
    bool ack = more->expected_ack & 1;
    more->expected_ack >>= 1;
    more->expected--;
    if (!ack || more->expected_ack) return ack;
    uint32_t owed = 1 + more->owed_early;
    more->owed_early = 0;
    return owed;
}

/* ---- updates -------------------------------------------------------------------------------- */

static void settle_owed(struct member *m, const struct weave_effect *effect, uint32_t owed, bool all_of_it) {
    if (effect->pending.len) {
        pending_add(m, effect, owed);
        return;
    }
    if (m->more && all_of_it && !m->more->pending.n) {
        owed += m->more->pending.owed;
        m->more->pending.owed = 0;
    }
    acknowledge(m, owed);
    member_more_trim(m);
}

int member_take(struct member *m, struct slice update, uint32_t owed, bool is_step_2) {
    struct edit e = { .from = m, .who = m->who, .cause = CAUSE_YJS, .update = update };
    struct weave_effect effect;
    int err = room_submit(m->room, &e, &effect);

    if (err == E_OK) settle_owed(m, &effect, owed, is_step_2);
    return err;
}

/* What an update would add, deletions apart: a client repeats all deletions in every step 2. */
static bool has_new_structs(struct member *m, struct slice update) {
    struct buf state, diff;

    buf_init(&state, LIMIT_SYNC_MESSAGE);
    buf_init(&diff, LIMIT_SYNC_MESSAGE);
    weave_relay_state(m->room->relay, sink_into(&state));
    int e = weave_update_diff(weave_of(update), weave_of(buf_view(&state)), sink_into(&diff));
    bool has = e < 0 || diff.len == 0 || diff.at[0] != 0;
    buf_deinit(&state);
    buf_deinit(&diff);
    return has;
}

/* A viewer's editor answers our step 1 like any other. It is told once that it may not edit; what it
 * did not change is acknowledged. */
static int refuse_edit(struct member *m, struct slice update, uint32_t owed) {
    if (weave_update_check(weave_of(update)) < 0) return E_INVALID;
    if (!has_new_structs(m, update)) acknowledge(m, owed);
    if (weave_update_is_empty(weave_of(update))) return E_OK;
    if (!m->is_denied && m->channel <= CHANNEL_YJS + 1) {
        buf_reset(&m->room->all->scratch);
        y_encode_denied(&m->room->all->scratch, "you may read this document, not change it");
        member_send(m, buf_view(&m->room->all->scratch));
    }
    m->is_denied = true;
    return E_OK;
}

static struct held *held_new(enum y_kind kind, enum y_step step, struct slice body) {
    struct held *h = malloc(sizeof *h + body.len);
    must(h);
    *h = (struct held){ .kind = kind, .step = step, .len = body.len };
    if (body.len) memcpy(h->bytes, body.at, body.len);
    return h;
}

/* The room loads: keep the message, up to a limit; then the socket waits. */
static int hold(struct member *m, enum y_kind kind, enum y_step step, struct slice body) {
    struct member_more *more = member_more(m);

    if (more->held_bytes && body.len + sizeof(struct held) > LIMIT_HELD_BYTES - more->held_bytes) {
        outlet_wait(m->outlet);
        return E_AGAIN;
    }
    struct held *h = held_new(kind, step, body);
    if (more->held_first) more->held_last->next = h;
    else more->held_first = h;
    more->held_last = h;
    more->held_bytes += body.len + sizeof *h;
    if (more->held_bytes > LIMIT_HELD_BYTES) more->held_bytes = LIMIT_HELD_BYTES;
    return E_OK;
}

/* Does it have to wait behind what is held, or for the room? */
static bool is_loading(const struct member *m) {
    if (m->room->state != ROOM_OPEN || !m->is_joined) return true;
    return m->more && m->more->held_first && !m->more->is_replaying;
}

int member_on_update(struct member *m, struct slice update, bool is_step_2) {
    if (is_loading(m)) return hold(m, Y_SYNC, is_step_2 ? Y_STEP_2 : Y_UPDATE, update);
    if (m->may_edit && room_read_only(m->room) != E_OK) {
        if (!weave_update_is_empty(weave_of(update))) m->is_missing = true;
        return E_OK;
    }
    if (m->may_edit && !room_has_space(m->room, update.len)) {
        outlet_wait(m->outlet);
        return E_AGAIN;
    }
    uint32_t owed = owed_for(m, is_step_2);
    if (!m->may_edit) return refuse_edit(m, update, is_step_2 ? owed : 0);
    return member_take(m, update, owed, is_step_2);
}

int member_on_step_1(struct member *m, struct slice state) {
    if (is_loading(m)) return hold(m, Y_SYNC, Y_STEP_1, state);
    int err = room_allows(m->room, state);
    if (err != E_OK) return err;
    struct frame *f = state.len == 1 && state.at[0] == 0 ? whole(m) : answer(m, state, Y_STEP_2);
    if (!f) return E_INVALID;
    if (m->acks) ask(m, true);
    waiter_add(m, f);
    return E_OK;
}

int member_on_awareness(struct member *m, struct slice update) {
    if (is_loading(m)) return hold(m, Y_AWARENESS, Y_STEP_1, update);
    int err = presence_update(m, update);
    presence_tell(m);
    return err;
}

int member_on_query(struct member *m) {
    if (is_loading(m)) return hold(m, Y_QUERY_AWARENESS, Y_STEP_1, (struct slice){ 0 });
    presence_tell(m);
    return E_OK;
}

int member_on_message(struct member *m, const struct y_msg *msg) {
    switch (msg->kind) {
    case Y_SYNC:
        if (msg->step == Y_STEP_1) return member_on_step_1(m, msg->body);
        return member_on_update(m, msg->body, msg->step == Y_STEP_2);
    case Y_AWARENESS: return member_on_awareness(m, msg->body);
    case Y_QUERY_AWARENESS: return member_on_query(m);
    case Y_AUTH: break;
    }
    return E_INVALID;
}

/* ---- the room has loaded -------------------------------------------------------------------- */

static int replay_one(struct member *m) {
    struct held *h = m->more->held_first;
    struct y_msg msg = { h->kind, h->step, { h->bytes, h->len } };

    m->more->is_replaying = true;
    int err = member_on_message(m, &msg);
    m->more->is_replaying = false;
    if (err == E_AGAIN) return err;
    m->more->held_first = h->next;
    free(h);
    return err;
}

/* E_OK: nothing is held any more. E_AGAIN: the rest later. Else the error that ends the member. */
static int replay(struct member *m) {
    int err = E_OK;

    while (err == E_OK && m->more && m->more->held_first) err = replay_one(m);
    if (err != E_OK || !m->more) return err;
    m->more->held_bytes = 0;
    member_more_trim(m);
    return E_OK;
}

bool members_replay(struct outlet *o) {
    struct member *next;
    bool is_all = true;

    for (struct member *m = o->members; m; m = next) {
        next = m->next_of_outlet;
        if (m->room->state != ROOM_OPEN || !m->is_joined) continue;
        int err = replay(m);
        if (err == E_AGAIN) is_all = false;
        else if (err != E_OK) member_refuse(m, err, err_text(err));
    }
    return is_all;
}

void member_loaded(struct member *m) {
    struct outlet *o = m->outlet;

    if (!m->is_joined) {
        m->is_joined = true;
        if (m->channel <= CHANNEL_YJS + 1) ask(m, false);
        o->handler->on_joined(o, m);
        presence_tell_later(m);
    }
    int err = replay(m);
    if (err != E_OK && err != E_AGAIN) member_refuse(m, err, err_text(err));
}

/* A8. Nobody but the member itself saw what was lost, and its document still has it. */
void member_reloaded(struct member *m) {
    if (m->acks) {
        m->outlet->handler->on_lost(m->outlet);
        return;
    }
    ask(m, false);
    if (m->is_unanswered) member_resync(m);
    m->is_unanswered = false;
}

/* ---- questions ------------------------------------------------------------------------------ */

const struct frame *member_room(const struct member *m) { return m->room->name; }
bool member_is_joined(const struct member *m) { return m->is_joined; }
bool member_has_presence(const struct member *m) { return m->person != NULL; }

const char *member_lineage(const struct member *m) {
    return m->room->lineage ? (const char *)m->room->lineage->bytes : "";
}

const char *member_read_only(const struct member *m) {
    int err = room_read_only(m->room);
    return err == E_OK ? NULL : err_text(err);
}
