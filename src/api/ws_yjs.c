/* ws_yjs.c -- WS /yjs/{room}: one room, y-protocols messages, for any y-websocket client. Reactor.
 *
 * A name without a known kind is a free document: /yjs/my-notes is the room doc:my-notes. */
#include "api/session_int.h"
#include "base/err.h"
#include "base/log.h"
#include "entity/kinds.h"

/* The canonical name in *out. E_OK; or why not, with a hint. */
static int canonical(struct slice target, struct buf *out, const char **why) {
    const uint8_t *colon = target.len ? memchr(target.at, ':', target.len) : NULL;
    struct slice before = { target.at, colon ? (size_t)(colon - target.at) : target.len };
    struct room_name name;
    enum kind kind;

    *why = "not a valid name of a document";
    if (kind_of(before, &kind)) {
        buf_slice(out, target);
        if (name_parse(target, &name) != E_OK) return E_NOT_FOUND;
        *why = "this kind has no document; a free document of that name is /yjs/doc:<name>";
        return kind_has_document(name.kind) ? E_OK : E_NOT_FOUND;
    }
    buf_text(out, "doc:");
    buf_slice(out, target);
    return !out->bad && name_parse(buf_view(out), &name) == E_OK ? E_OK : E_NOT_FOUND;
}

void ws_yjs_open(struct session *s, struct slice target) {
    struct buf name;
    const char *why;
    struct member *m = NULL;

    buf_init(&name, LIMIT_URL_BYTES + 8);
    int err = canonical(target, &name, &why);
    if (err == E_OK) {
        struct joining j = { .room = buf_view(&name), .who = s->who, .channel = CHANNEL_YJS, .is_app = s->is_app };
        m = room_join(&s->outlet, &j, &err);
        why = "this document has too many members";
    }
    if (!m) ws_yjs_refused(s, target, err, why);
    buf_deinit(&name);
}

int ws_yjs_message(struct session *s, struct slice message) {
    struct member *m = s->outlet.members;
    struct y_msg msg;

    if (!m) return E_OK;
    if (message.len && message.at[0] == Y_AUTH) return E_OK;    /* nothing to say back */
    if (y_decode(message, &msg) != E_OK) return E_INVALID;
    int err = member_on_message(m, &msg);
    if (err == E_OK || err == E_AGAIN) return err;
    ws_yjs_refused(s, (struct slice){ member_room(m)->bytes, member_room(m)->len }, err, err_text(err));
    room_leave(m);          /* nothing of the document is sent to it any more */
    return E_OK;
}

void ws_yjs_refused(struct session *s, struct slice room, int err, const char *why) {
    struct buf *out = &s->all->out;

    buf_reset(out);
    y_encode_denied(out, why);
    outlet_put(&s->outlet, WS_OP_BINARY, buf_view(out));
    if (log_gate_opens(&s->all->refused_gate, session_now_ms(s)))
        log_warn("ws.refused", "room=\"%.*s\" reason=\"%s\"", SLICE_ARG(room), why);
    if (!session_hold(s, room, (uint16_t)err_close(err))) session_close(s, (uint16_t)err_close(err), why);
}
