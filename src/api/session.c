/* session.c -- the life of a WebSocket connection: bytes to messages, liveness, back-pressure, the
 * close. Reactor thread.
 *
 * W-1  A message that cannot be taken now is kept with all that follows it, and the socket is not read
 *      until it could (A7): nothing of a CRDT's is refused for being early or much.
 * W-2  A closing session says nothing more than its close frame; it ends when that is in the kernel.
 * W-3  A session is in one slot of the wheel: who has presence is looked at every few seconds. */
#include "api/session.h"

#include <stdlib.h>

#include "api/session_int.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/must.h"

#define PING_PRESENCE_S 4
#define PING_S 15               /* of the others: also when a client's watchdog wants a message */
#define HIDE_MS 9000
#define DEAD_PRESENCE_MS 20000
#define DEAD_MS 90000
#define QUIET_MS 14000          /* then a client gets an empty message; its own watchdog ends at 30 s */
#define IDLE_MS (30 * 60 * 1000)
#define CLOSE_MS 5000           /* a close frame that nobody reads */
#define HOLD_MS 5000            /* A10 */
#define HOLD_AFTER 3
#define HOLD_WITHIN_MS 10000
#define RATE_TICK_MS 50
#define SIGN_IN_S 10

/* ---- the wheel ------------------------------------------------------------------------------ */

static void leave_wheel(struct session *s) {
    if (s->before) s->before->next = s->next;
    else if (s->all->wheel[s->slot] == s) s->all->wheel[s->slot] = s->next;
    if (s->next) s->next->before = s->before;
    s->next = s->before = NULL;
}

void session_look_at(struct session *s, uint32_t in_s) {
    struct sessions *all = s->all;

    leave_wheel(s);
    s->slot = (uint8_t)((all->wheel_s + (in_s ? in_s : 1)) % WHEEL);
    s->next = all->wheel[s->slot];
    if (s->next) s->next->before = s;
    all->wheel[s->slot] = s;
}

static bool has_presence(const struct session *s) {
    for (const struct member *m = s->outlet.members; m; m = m->next_of_outlet)
        if (member_has_presence(m)) return true;
    return false;
}

static void for_members(struct session *s, void (*each)(struct member *m)) {
    for (struct member *m = s->outlet.members; m; m = m->next_of_outlet) each(m);
}

/* Is the socket dead? Not while we ourselves do not read it. */
static bool is_dead(struct session *s, uint64_t silent_ms, bool presence) {
    if (s->paused) return false;
    if (presence && silent_ms >= HIDE_MS && !s->is_hidden) {
        s->is_hidden = true;
        for_members(s, member_hide);
    }
    return silent_ms >= (presence ? DEAD_PRESENCE_MS : DEAD_MS);
}

/* y-websocket and Hocuspocus close when no message came for 30 s; a WebSocket ping is none to them. */
static void keep_alive(struct session *s, uint64_t now_ms) {
    static const uint8_t nobody[] = { Y_AWARENESS, 1, 0 }, ping[] = { 9 };

    if (now_ms < s->outlet.sent_ms + QUIET_MS) return;
    if (s->dialect == DIALECT_YJS && s->outlet.members)
        member_send(s->outlet.members, (struct slice){ nobody, sizeof nobody });
    if (s->dialect == DIALECT_MUX && s->is_binary)
        outlet_put(&s->outlet, WS_OP_BINARY, (struct slice){ ping, sizeof ping });
}

/* The reasons to end a session that is well alive. */
static bool is_over(struct session *s, uint64_t now_ms) {
    if (s->who->expires_ms && clock_wall_ms() >= s->who->expires_ms) {
        session_close(s, (uint16_t)err_close(E_UNAUTHORIZED), "the token has expired");
        return true;
    }
    if (s->is_app && now_ms >= s->outlet.active_ms + IDLE_MS) {
        session_close(s, 4408, "idle for 30 minutes");
        return true;
    }
    return false;
}

static void look_at_closing(struct session *s, uint64_t now_ms) {
    if (s->paused & PAUSE_HELD) {
        if (now_ms < s->close_ms + HOLD_MS) {
            session_look_at(s, 1);
            return;
        }
        s->paused &= (uint8_t)~PAUSE_HELD;
        session_close(s, s->close_code, "refused");
        return;
    }
    if (now_ms >= s->close_ms + CLOSE_MS) conn_close(s->outlet.conn);
    else session_look_at(s, 1);
}

static void look_at(struct session *s, uint64_t now_ms) {
    static const uint8_t ping[] = { 0x89, 0 };
    bool presence = has_presence(s);
    uint64_t silent_ms = now_ms - s->heard_ms;

    if (s->is_closing || s->paused & PAUSE_HELD) {
        look_at_closing(s, now_ms);
        return;
    }
    if (s->awaits_token) {
        session_close(s, (uint16_t)err_close(E_UNAUTHORIZED), "no token came in time");
        return;
    }
    if (is_over(s, now_ms)) return;
    if (is_dead(s, silent_ms, presence)) {
        conn_close(s->outlet.conn);
        return;
    }
    if (presence && !s->is_hidden)
        for (struct member *m = s->outlet.members; m; m = m->next_of_outlet) member_renew(m, now_ms);
    keep_alive(s, now_ms);
    if (silent_ms >= (presence ? 2000 : 30000)) outlet_put_raw(&s->outlet, (struct slice){ ping, sizeof ping });
    session_look_at(s, presence ? (silent_ms > 4500 ? 1 : PING_PRESENCE_S) : PING_S);
}

static void drain_some(struct sessions *all, uint64_t now_ms);

static void on_wheel(struct loop_timer *timer, uint64_t now_ms) {
    struct sessions *all = (struct sessions *)(void *)((char *)timer - offsetof(struct sessions, wheel_timer));
    uint64_t now_s = now_ms / 1000;

    if (now_s - all->wheel_s > WHEEL) all->wheel_s = now_s - WHEEL;     /* we slept: once around */
    while (all->wheel_s < now_s) {
        struct session *s = all->wheel[++all->wheel_s % WHEEL];
        all->wheel[all->wheel_s % WHEEL] = NULL;
        while (s) {
            struct session *next = s->next;
            s->next = s->before = NULL;
            look_at(s, now_ms);
            s = next;
        }
    }
    if (all->draining_ms) drain_some(all, now_ms);
    if (all->n) loop_timer_set(all->config.loop, timer, (now_s + 1) * 1000);
}

/* ---- reading, or not (A7) ------------------------------------------------------------------- */

static void pause_reading(struct session *s, enum pause why) {
    if (!s->paused) conn_pause(s->outlet.conn);
    s->paused |= (uint8_t)why;
}

static void unpause(struct session *s, enum pause why) {
    if (!(s->paused & why)) return;
    s->paused &= (uint8_t)~why;
    if (s->paused) return;
    s->heard_ms = session_now_ms(s);    /* the silence was ours */
    conn_resume(s->outlet.conn);
}

static void refill(struct session *s, uint64_t now_ms) {
    uint64_t ms = now_ms - s->tokens_ms;

    if (ms > 60000) ms = 60000;
    s->tokens += (int64_t)(ms * LIMIT_SYNC_BYTES_PER_S / 1000);
    if (s->tokens > (int64_t)LIMIT_SYNC_BURST) s->tokens = (int64_t)LIMIT_SYNC_BURST;
    s->tokens_ms = now_ms;
}

static void on_rate(struct loop_timer *timer, uint64_t now_ms) {
    struct sessions *all = (struct sessions *)(void *)((char *)timer - offsetof(struct sessions, rate_timer));
    struct session **at = &all->rated;

    while (*at) {
        struct session *s = *at;
        refill(s, now_ms);
        if (s->tokens < 0) {
            at = &s->next_rated;
            continue;
        }
        *at = s->next_rated;
        s->is_rated = false;
        unpause(s, PAUSE_RATE);
    }
    if (all->rated) loop_timer_set(all->config.loop, timer, now_ms + RATE_TICK_MS);
}

static void charge(struct session *s, size_t len) {
    struct sessions *all = s->all;

    refill(s, session_now_ms(s));
    s->tokens -= (int64_t)len;
    if (s->tokens >= 0 || s->is_rated) return;
    s->is_rated = true;
    s->next_rated = all->rated;
    all->rated = s;
    pause_reading(s, PAUSE_RATE);
    if (!all->rate_timer.place)
        loop_timer_set(all->config.loop, &all->rate_timer, session_now_ms(s) + RATE_TICK_MS);
}

static void leave_rated(struct session *s) {
    struct session **at = &s->all->rated;

    if (!s->is_rated) return;
    while (*at != s) at = &(*at)->next_rated;
    *at = s->next_rated;
}

/* ---- messages ------------------------------------------------------------------------------- */

static void stash_free(struct session *s) {
    if (!s->stash) return;
    if (s->stash->message) frame_unref(s->stash->message);
    free(s->stash->rest);
    free(s->stash);
    s->stash = NULL;
}

/* W-1: keep the message (kind; or none) and what lies behind it. */
static void stall(struct session *s, const struct ws_event *e, struct ws_input rest) {
    struct stash *st = calloc(1, sizeof *st);

    must(st && !s->stash);
    if (e) {
        st->has_message = true;
        st->kind = e->kind;
        st->message = frame_copy(e->payload);
    }
    if (rest.len) {
        st->rest = malloc(rest.len);
        must(st->rest);
        memcpy(st->rest, rest.at, rest.len);
        st->rest_len = rest.len;
    }
    s->stash = st;
    pause_reading(s, PAUSE_STALLED);
}

static int on_message(struct session *s, enum ws_kind kind, struct slice payload) {
    if (s->awaits_token && kind != WS_BINARY) return E_UNAUTHORIZED;
    if (s->dialect == DIALECT_YJS) return kind == WS_BINARY ? ws_yjs_message(s, payload) : E_INVALID;
    return kind == WS_BINARY ? ws_mux_message(s, payload) : ws_json_message(s, payload);
}

static void end_broken(struct session *s, uint16_t code, const char *why) {
    if (log_gate_opens(&s->all->refused_gate, session_now_ms(s)))
        log_warn("ws.refused", "user=\"%s\" code=%u reason=\"%s\"", s->who->user, code, why);
    session_close(s, code, why);
}

static void on_control(struct session *s, const struct ws_event *e) {
    struct buf *out = &s->all->out;

    switch (e->kind) {
    case WS_PING:
        buf_reset(out);
        ws_put(out, WS_OP_PONG, e->payload, false);
        outlet_put_raw(&s->outlet, buf_view(out));
        break;
    case WS_CLOSE:
        session_close(s, ws_close_answer(e->code), "");
        break;
    case WS_FAILED:
        end_broken(s, e->code, (const char *)e->payload.at);
        break;
    default:
        break;
    }
}

/* False: this message has to be given again. */
static bool take(struct session *s, const struct ws_event *e) {
    if (e->kind != WS_TEXT && e->kind != WS_BINARY) {
        on_control(s, e);
        return true;
    }
    int err = on_message(s, e->kind, e->payload);
    if (err == E_AGAIN) return false;
    if (err != E_OK && !s->is_closing && !(s->paused & PAUSE_HELD))
        end_broken(s, (uint16_t)err_close(err), err_text(err));
    return true;
}

static void feed(struct session *s, struct ws_input in) {
    struct ws_rules rules = { .text_max = LIMIT_JSON_MESSAGE, .binary_max = LIMIT_SYNC_MESSAGE,
                              .inflate = s->inflate ? s->all->codec : NULL };
    if (s->awaits_token) rules.text_max = rules.binary_max = LIMIT_UNAUTHENTICATED_BYTES;
    struct ws_event e;

    while (!s->is_closing && !(s->paused & PAUSE_HELD) && ws_next(&s->ws, &rules, &in, &e)) {
        if (!take(s, &e)) {
            stall(s, &e, in);
            return;
        }
        if (outlet_is_busy(&s->outlet)) {
            stall(s, NULL, in);
            return;
        }
    }
}

static void on_bytes(void *owner, struct conn *c, uint8_t *at, size_t len) {
    struct session *s = owner;

    (void)c;
    if (s->is_closing || s->paused & PAUSE_HELD) return;
    must(!s->stash);
    s->heard_ms = session_now_ms(s);
    if (s->is_hidden) {
        s->is_hidden = false;
        for_members(s, member_heard);
    }
    charge(s, len);
    feed(s, (struct ws_input){ at, len });
}

/* What was not taken: again. */
static void on_ready(struct outlet *o) {
    struct session *s = (struct session *)(void *)o;
    struct stash *st = s->stash;

    if (!st || s->is_closing) return;
    s->stash = NULL;
    struct ws_input rest = { st->rest, st->rest_len };
    struct ws_event e = { .kind = st->kind };
    bool taken = true;
    if (st->has_message) {
        e.payload = (struct slice){ st->message->bytes, st->message->len };
        taken = take(s, &e);
        if (!taken) stall(s, &e, rest);
    }
    if (taken) feed(s, rest);
    if (!s->stash) unpause(s, PAUSE_STALLED);
    if (st->message) frame_unref(st->message);
    free(st->rest);
    free(st);
}

/* ---- closing -------------------------------------------------------------------------------- */

void session_close(struct session *s, uint16_t code, const char *reason) {
    uint8_t frame[WS_CLOSE_MAX];

    if (s->is_closing) return;
    s->is_closing = true;
    s->close_ms = session_now_ms(s);
    stash_free(s);
    pause_reading(s, PAUSE_CLOSING);
    s->outlet.wants_empty = true;
    outlet_put_raw(&s->outlet, (struct slice){ frame, ws_close_frame(frame, code, reason) });
    session_look_at(s, 1);
}

static uint64_t refusal_key(const struct session *s, struct slice room) {
    uint64_t h = 0xcbf29ce484222325u;

    for (size_t i = 0; i < 16; i++) h = (h ^ s->outlet.conn->address[i]) * 0x100000001b3u;
    for (size_t i = 0; i < room.len; i++) h = (h ^ room.at[i]) * 0x100000001b3u;
    return h;
}

/* The third close of the same address and room within 10 s, and those after it. */
static bool is_looping(struct session *s, struct slice room) {
    uint64_t key = refusal_key(s, room), now_ms = session_now_ms(s);
    struct refusal *r = &s->all->refusals[key % REFUSALS];

    if (r->key != key || now_ms > r->first_ms + HOLD_WITHIN_MS)
        *r = (struct refusal){ .key = key, .first_ms = now_ms };
    return ++r->n > HOLD_AFTER;
}

bool session_hold(struct session *s, struct slice room, uint16_t code) {
    if (!is_looping(s, room)) return false;
    s->close_code = code;
    s->close_ms = session_now_ms(s);
    pause_reading(s, PAUSE_HELD);
    session_look_at(s, HOLD_MS / 1000);
    return true;
}

static void on_empty(struct outlet *o) { conn_finish(o->conn); }

static void on_writable(void *owner, struct conn *c) {
    struct session *s = owner;

    (void)c;
    s->heard_ms = session_now_ms(s);    /* it reads, slowly */
    outlet_on_writable(&s->outlet);
}

static void on_close(void *owner, struct conn *c) {
    struct session *s = owner;
    struct sessions *all = s->all;

    (void)c;
    ws_json_forget(s);
    people_unsubscribe(s);
    outlet_deinit(&s->outlet);
    people_remove(s);
    leave_wheel(s);
    leave_rated(s);
    stash_free(s);
    ws_deinit(&s->ws);
    principal_unref(s->who);
    free(s);
    all->n--;
}

/* ---- what rooms say ------------------------------------------------------------------------- */

static struct session *session_of(struct outlet *o) { return (struct session *)(void *)o; }

static void on_joined(struct outlet *o, struct member *m) {
    struct session *s = session_of(o);

    if (s->dialect == DIALECT_YJS || s->is_closing) return;
    people_changed(s->all);
    if (m->channel == CHANNEL_SILENT) ws_json_joined(s, m);
    else ws_mux_joined(s, m);
}

static void on_refused(struct outlet *o, struct member *m, int err, const char *why) {
    struct session *s = session_of(o);

    if (s->is_closing) return;
    struct slice room = { member_room(m)->bytes, member_room(m)->len };
    if (s->dialect == DIALECT_YJS) ws_yjs_refused(s, room, err, why);
    else if (m->channel == CHANNEL_SILENT) ws_json_refused(s, m, err, why);
    else ws_mux_refused(s, m, err, why);
}

static void on_lost(struct outlet *o) { session_close(session_of(o), 1012, "send again what is not saved"); }

static void on_read_only(struct outlet *o, struct member *m, const char *why) {
    struct session *s = session_of(o);

    if (!s->is_app || s->is_closing) return;
    buf_reset(&s->all->out);
    gndp_encode_about(&s->all->out, "readonly", (struct slice){ member_room(m)->bytes, member_room(m)->len }, why);
    session_send_text(s);
}

void session_send_text(struct session *s) { outlet_put(&s->outlet, WS_OP_TEXT, buf_view(&s->all->out)); }

const struct outlet_handler session_handler = {
    .on_joined = on_joined, .on_refused = on_refused, .on_lost = on_lost,
    .on_read_only = on_read_only, .on_ready = on_ready, .on_empty = on_empty,
};

static const struct conn_handler conn_events = { .on_bytes = on_bytes, .on_writable = on_writable, .on_close = on_close };

/* ---- opening and all of them ---------------------------------------------------------------- */

void session_open(struct sessions *all, struct conn *c, const struct upgrade *u) {
    struct session *s = calloc(1, sizeof *s);

    must(s);
    *s = (struct session){
        .all = all, .who = u->who, .dialect = (uint8_t)u->dialect, .status = GNDP_ACTIVE,
        .inflate = u->inflate, .ack_ids = u->ack_ids, .is_app = u->is_app, .awaits_token = u->awaits_token,
        .tokens = (int64_t)LIMIT_SYNC_BURST,
    };
    outlet_init(&s->outlet, all->config.rooms, c, &session_handler);
    s->outlet.deflate = u->deflate;
    s->heard_ms = s->outlet.active_ms = s->tokens_ms = session_now_ms(s);
    if (!all->n++) {
        all->wheel_s = s->heard_ms / 1000;
        loop_timer_set(all->config.loop, &all->wheel_timer, (all->wheel_s + 1) * 1000);
    }
    session_look_at(s, s->awaits_token ? SIGN_IN_S : 2);
    conn_set_handler(c, &conn_events, s);
    if (all->draining_ms) {
        session_close(s, 1012, "the server restarts");
        return;
    }
    if (!s->awaits_token) people_add(s);
    if (u->dialect == DIALECT_YJS) ws_yjs_open(s, u->target);
}

uint32_t sessions_count(const struct sessions *all) { return all->n; }

struct sessions *sessions_new(const struct sessions_config *config) {
    struct sessions *all = calloc(1, sizeof *all);

    must(all);
    all->config = *config;
    all->codec = ws_codec_new();
    all->refusals = calloc(REFUSALS, sizeof *all->refusals);
    must(all->refusals);
    all->wheel_timer.on_timer = on_wheel;
    all->rate_timer.on_timer = on_rate;
    map_init(&all->online);
    buf_init(&all->out, MIB(4));
    buf_init(&all->entities, MIB(1));
    return all;
}

void sessions_free(struct sessions *all) {
    must(all->n == 0);
    loop_timer_clear(all->config.loop, &all->wheel_timer);
    loop_timer_clear(all->config.loop, &all->rate_timer);
    people_deinit(all);
    ws_codec_free(all->codec);
    buf_deinit(&all->out);
    free(all->refusals);
    free(all);
}

/* ---- drain ---------------------------------------------------------------------------------- */

/* So many may be left by now; the rest is closed. */
static void drain_some(struct sessions *all, uint64_t now_ms) {
    uint64_t past_ms = now_ms - all->draining_ms, spread_ms = all->drain_spread_ms;
    uint64_t keep = past_ms >= spread_ms ? 0 : all->drain_n * (spread_ms - past_ms) / spread_ms;
    uint64_t open = 0;

    for (size_t i = 0; i < WHEEL; i++)
        for (struct session *s = all->wheel[i], *next; s; s = next) {
            next = s->next;
            if (!s->is_closing && open++ >= keep) session_close(s, 1012, "the server restarts");
        }
}

void sessions_close_all(struct sessions *all, uint32_t spread_ms) {
    all->draining_ms = loop_now_ms(all->config.loop);
    all->drain_spread_ms = spread_ms;
    all->drain_n = all->n;
    drain_some(all, all->draining_ms);
}
