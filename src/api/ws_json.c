/* ws_json.c -- the text frames of WS /ws/{user_id} (wire/gndp.h). Reactor thread.
 *
 * `join workspace` subscribes to who is online and which entities changed; joining a document's room
 * keeps it open and answers with its lineage, without sending the document. */
#include <stdio.h>
#include <stdlib.h>

#include "api/session_int.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/must.h"
#include "entity/kinds.h"

static void send_error(struct session *s, const char *id, const char *code, const char *detail, struct slice room) {
    buf_reset(&s->all->out);
    gndp_encode_error(&s->all->out, id, code, detail, room);
    session_send_text(s);
}

static const char *code_of(int err) {
    switch (err) {
    case E_NOT_FOUND: return "NOT_FOUND";
    case E_DENIED: return "DENIED";
    case E_INVALID: return "INVALID";
    case E_TOO_LARGE: return "TOO_LARGE";
    case E_REPLACED: return "REPLACED";
    default: return "UNAVAILABLE";
    }
}

static void send_joined(struct session *s, const char *id, struct slice room, const char *lineage, bool may_edit) {
    buf_reset(&s->all->out);
    gndp_encode_joined(&s->all->out, id, room, lineage, may_edit);
    session_send_text(s);
}

static struct slice room_of(const struct member *m) {
    return (struct slice){ member_room(m)->bytes, member_room(m)->len };
}

/* The id of the join that made this member; "" when it had none. */
static void take_id(struct session *s, const struct member *m, char id[GNDP_ID_MAX]) {
    id[0] = 0;
    for (struct joining_json **at = &s->joins; *at; at = &(*at)->next) {
        struct joining_json *j = *at;
        if (j->member != m) continue;
        memcpy(id, j->id, GNDP_ID_MAX);
        *at = j->next;
        free(j);
        return;
    }
}

void ws_json_joined(struct session *s, struct member *m) {
    char id[GNDP_ID_MAX];

    take_id(s, m, id);
    send_joined(s, id, room_of(m), member_lineage(m), m->may_edit);
}

void ws_json_refused(struct session *s, struct member *m, int err, const char *why) {
    char id[GNDP_ID_MAX];

    take_id(s, m, id);
    send_error(s, id, code_of(err), why, room_of(m));
}

void ws_json_forget(struct session *s) {
    while (s->joins) {
        struct joining_json *j = s->joins;
        s->joins = j->next;
        free(j);
    }
}

static void join_document(struct session *s, const struct gndp_msg *msg) {
    struct member *m = outlet_find(&s->outlet, msg->room);
    struct joining j = { .room = msg->room, .who = s->who, .channel = CHANNEL_SILENT, .is_app = s->is_app };
    int err;

    if (m && member_is_joined(m)) {
        send_joined(s, msg->id, msg->room, member_lineage(m), m->may_edit);
        return;
    }
    if (m) {
        send_error(s, msg->id, "BUSY", "this room is being joined", msg->room);
        return;
    }
    m = room_join(&s->outlet, &j, &err);
    if (!m) {
        send_error(s, msg->id, "TOO_LARGE", "too many rooms on this connection, or people in the room", msg->room);
        return;
    }
    struct joining_json *wait = calloc(1, sizeof *wait);
    must(wait);
    *wait = (struct joining_json){ .next = s->joins, .member = m };
    memcpy(wait->id, msg->id, GNDP_ID_MAX);
    s->joins = wait;
}

static void join(struct session *s, const struct gndp_msg *msg) {
    struct room_name name;

    if (name_parse(msg->room, &name) != E_OK) {
        send_error(s, msg->id, "INVALID", "not a valid name of a room", (struct slice){ 0 });
        return;
    }
    if (kind_has_document(name.kind)) {
        join_document(s, msg);
        return;
    }
    if (name.kind == KIND_USER && !slice_is(name.id, s->who->user)) {
        send_error(s, msg->id, "DENIED", "this is somebody else's room", msg->room);
        return;
    }
    send_joined(s, msg->id, msg->room, "", false);
    if (name.kind == KIND_WORKSPACE) people_subscribe(s);
}

static void leave(struct session *s, const struct gndp_msg *msg) {
    struct member *m = outlet_find(&s->outlet, msg->room);
    char id[GNDP_ID_MAX];

    if (slice_is(msg->room, "workspace")) people_unsubscribe(s);
    if (m) {
        take_id(s, m, id);
        room_leave(m);
        people_changed(s->all);
    }
    buf_reset(&s->all->out);
    gndp_encode_ack(&s->all->out, msg->id);
    session_send_text(s);
}

static void set_status(struct session *s, enum gndp_status status) {
    if (!status || status == s->status) return;
    s->status = (uint8_t)status;
    if (status == GNDP_ACTIVE) s->outlet.active_ms = session_now_ms(s);
    people_changed(s->all);
}

static void on_message(struct session *s, const struct gndp_msg *msg) {
    switch (msg->type) {
    case GNDP_JOIN:
        s->outlet.active_ms = session_now_ms(s);
        join(s, msg);
        break;
    case GNDP_LEAVE:
        leave(s, msg);
        break;
    case GNDP_HEARTBEAT:
        set_status(s, msg->status);
        buf_reset(&s->all->out);
        gndp_encode_pong(&s->all->out, msg->id, clock_wall_ms());
        session_send_text(s);
        break;
    case GNDP_STATUS:
        set_status(s, msg->status);
        buf_reset(&s->all->out);
        gndp_encode_ack(&s->all->out, msg->id);
        session_send_text(s);
        break;
    }
}

int ws_json_message(struct session *s, struct slice text) {
    struct gndp_msg msg;

    if (gndp_decode(text, &msg) == E_OK) on_message(s, &msg);
    else send_error(s, msg.id, msg.code, msg.detail, (struct slice){ 0 });
    gndp_deinit(&msg);
    return E_OK;
}
