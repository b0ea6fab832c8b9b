/* ws_mux.c -- the binary frames of WS /ws/{user_id}: many rooms on one socket, in the framing of
 * HocuspocusProvider (wire/hocuspocus.h). Reactor thread.
 *
 * A room is joined by its auth message, left by its close message. A room that cannot be served is
 * refused in it; its messages are dropped from then on and the socket stays (A1, A10). */
#include "api/session_int.h"
#include "base/err.h"
#include "entity/kinds.h"
#include "wire/hocuspocus.h"

static struct slice room_of(const struct member *m) {
    return (struct slice){ member_room(m)->bytes, member_room(m)->len };
}

static void send_binary(struct session *s) { outlet_put(&s->outlet, WS_OP_BINARY, buf_view(&s->all->out)); }

static void refuse_name(struct session *s, struct slice wire_name, const char *why) {
    buf_reset(&s->all->out);
    hocuspocus_encode_refused(&s->all->out, wire_name, why);
    if (!s->all->out.bad) send_binary(s);
}

static void rebase(struct session *s, struct slice room, const char *why) {
    buf_reset(&s->all->out);
    gndp_encode_about(&s->all->out, "rebase", room, why);
    session_send_text(s);
}

static void allow(struct session *s, struct member *m) {
    buf_reset(&s->all->out);
    hocuspocus_encode_allowed(&s->all->out, member_wire_name(m), m->may_edit);
    send_binary(s);
}

void ws_mux_joined(struct session *s, struct member *m) {
    const char *why = member_read_only(m);

    allow(s, m);
    if (!s->is_app) return;
    buf_reset(&s->all->out);
    gndp_encode_joined(&s->all->out, "", room_of(m), member_lineage(m), m->may_edit);
    session_send_text(s);
    if (!why) return;
    buf_reset(&s->all->out);
    gndp_encode_about(&s->all->out, "readonly", room_of(m), why);
    session_send_text(s);
}

/* Its edits will not be taken: our app keeps them aside, reloads, and offers them for copying. */
static bool is_rebase(int err) { return err == E_REPLACED || err == E_INVALID || err == E_TOO_LARGE; }

void ws_mux_refused(struct session *s, struct member *m, int err, const char *why) {
    if (s->is_app && is_rebase(err) && member_is_joined(m)) rebase(s, room_of(m), why);
    refuse_name(s, member_wire_name(m), why);
    people_changed(s->all);
}

static const char *join(struct session *s, const struct hocuspocus_msg *msg) {
    struct room_name name;
    int err;
    struct joining j = { .room = msg->room, .wire_name = msg->name, .who = s->who, .acks = true, .is_app = s->is_app,
                         .channel = msg->name.len == msg->room.len ? CHANNEL_MUX : CHANNEL_NAMED };

    if (msg->name.len > LIMIT_DOC_NAME_BYTES + 80 || name_parse(msg->room, &name) != E_OK)
        return "not a valid name of a document";
    if (!kind_has_document(name.kind)) return "this room has no document; join it with a JSON message";
    struct member *silent = outlet_find(&s->outlet, msg->room);
    if (silent && silent->channel == CHANNEL_SILENT) {
        member_set_channel(silent, &j);
        if (member_is_joined(silent)) ws_mux_joined(s, silent);
        return NULL;
    }
    return room_join(&s->outlet, &j, &err) ? NULL : "too many rooms on this connection, or people in the room";
}

/* The first auth message of a connection that came without credentials says who it is. */
static bool sign_in(struct session *s, struct slice token) {
    const struct sessions_config *c = &s->all->config;
    struct principal *who = c->sign_in ? c->sign_in(c->ctx, token) : NULL;
    bool same = who && strcmp(who->user, s->who->user) == 0;

    if (!same) {
        if (who) principal_unref(who);
        return false;
    }
    principal_unref(s->who);
    s->who = who;
    s->awaits_token = false;
    people_add(s);
    session_look_at(s, 2);
    return true;
}

static void on_auth(struct session *s, const struct hocuspocus_msg *msg) {
    const struct sessions_config *c = &s->all->config;
    struct member *m = outlet_find(&s->outlet, msg->name);
    const char *why = NULL;

    if (s->awaits_token && !sign_in(s, msg->body)) {
        refuse_name(s, msg->name, "the token is not valid for this connection's user");
        session_close(s, (uint16_t)err_close(E_UNAUTHORIZED), "the token is not valid");
        return;
    }
    if (msg->body.len && c->token_is_valid && !c->token_is_valid(c->ctx, msg->body, s->who))
        why = "the token is not valid for this connection's user";
    else if (m && m->channel != CHANNEL_SILENT) {
        if (member_is_joined(m)) allow(s, m);
        return;
    } else why = join(s, msg);
    if (why) refuse_name(s, msg->name, why);
}

/* A message to the room's document or presence. */
static int on_room_message(struct session *s, struct member *m, const struct hocuspocus_msg *msg) {
    struct y_msg y = { .step = msg->step, .body = msg->body };
    bool was_denied = m->is_denied;

    y.kind = msg->kind == HOCUSPOCUS_SYNC_REPLY ? Y_SYNC : (enum y_kind)msg->kind;
    int err = member_on_message(m, &y);
    if (err == E_AGAIN) return err;
    if (err != E_OK) {
        ws_mux_refused(s, m, err, err_text(err));
        room_leave(m);
        return E_OK;
    }
    if (s->is_app && m->is_denied && !was_denied) rebase(s, room_of(m), "you may read this document, not change it");
    return E_OK;
}

int ws_mux_message(struct session *s, struct slice message) {
    static const uint8_t pong[] = { HOCUSPOCUS_PONG };
    struct hocuspocus_msg msg;

    if (hocuspocus_decode(message, &msg) != E_OK) return E_INVALID;
    s->is_binary = true;
    struct member *m = msg.name.len ? outlet_find(&s->outlet, msg.name) : NULL;
    switch (msg.kind) {
    case HOCUSPOCUS_PING:
        outlet_put(&s->outlet, WS_OP_BINARY, (struct slice){ pong, sizeof pong });
        return E_OK;
    case HOCUSPOCUS_AUTH:
        on_auth(s, &msg);
        return E_OK;
    case HOCUSPOCUS_CLOSE:
        if (m) room_leave(m);
        people_changed(s->all);
        return E_OK;
    case HOCUSPOCUS_SYNC: case HOCUSPOCUS_SYNC_REPLY: case HOCUSPOCUS_AWARENESS: case HOCUSPOCUS_QUERY_AWARENESS:
        return m && m->channel != CHANNEL_SILENT ? on_room_message(s, m, &msg) : E_OK;
    default:
        return E_OK;        /* stateless messages have nobody here to read them */
    }
}
