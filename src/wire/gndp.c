#include "wire/gndp.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/limits.h"

static const struct { const char *name; enum gndp_type type; } types[] = {
    { "join", GNDP_JOIN }, { "leave", GNDP_LEAVE }, { "heartbeat", GNDP_HEARTBEAT },
    { "presence", GNDP_HEARTBEAT }, { "status", GNDP_STATUS },
};
static const char *const statuses[] = { "", "active", "idle", "away" };

static const char *gndp_status_text(enum gndp_status status) { return statuses[status ? status : GNDP_ACTIVE]; }

static int fail(struct gndp_msg *m, const char *code, const char *detail) {
    m->code = code;
    m->detail = detail;
    return E_INVALID;
}

/* As JSON text, so that it is repeated as it came. Other kinds of id are no id. */
static int read_id(struct gndp_msg *m) {
    json_t *id = json_object_get(m->root, "id");
    char *text;

    if (!id || json_is_null(id)) return E_OK;
    bool is_text = json_is_string(id) && json_string_length(id) <= 64;
    if (!is_text && !json_is_number(id)) return E_INVALID;
    text = json_dumps(id, JSON_COMPACT | JSON_ENCODE_ANY);
    bool fits = text && strlen(text) < sizeof m->id;    /* escapes may make it longer */
    if (fits) snprintf(m->id, sizeof m->id, "%s", text);
    free(text);
    return fits ? E_OK : E_INVALID;
}

static bool read_type(struct gndp_msg *m) {
    struct slice type = json_get_text(m->root, "type");

    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (!slice_is(type, types[i].name)) continue;
        m->type = types[i].type;
        return true;
    }
    return false;
}

static enum gndp_status read_status(const json_t *root) {
    struct slice text = json_get_text(root, "status");

    for (enum gndp_status s = GNDP_ACTIVE; s <= GNDP_AWAY; s++)
        if (slice_is(text, statuses[s])) return s;
    return GNDP_NONE;
}

int gndp_decode(struct slice text, struct gndp_msg *m) {
    const char *why;

    *m = (struct gndp_msg){ 0 };
    if (json_parse(text, &m->root, &why) != E_OK) return fail(m, "INVALID_JSON", why);
    if (!json_is_object(m->root)) return fail(m, "INVALID_MESSAGE", "a message is a JSON object");
    if (read_id(m) != E_OK) return fail(m, "INVALID_MESSAGE", "id is a string of at most 64 bytes, or a number");
    if (!json_get_text(m->root, "type").at) return fail(m, "INVALID_MESSAGE", "type is missing");
    if (!read_type(m)) return fail(m, "UNKNOWN_TYPE", "no message has this type; see docs/protocol.md");
    m->room = json_get_text(m->root, "room");
    if (!m->room.at) m->room = json_get_text(m->root, "room_id");
    m->status = read_status(m->root);
    if ((m->type == GNDP_JOIN || m->type == GNDP_LEAVE) && !m->room.len)
        return fail(m, "INVALID_MESSAGE", "room is missing");
    if (m->type == GNDP_STATUS && !m->status)
        return fail(m, "INVALID_MESSAGE", "status is active, idle or away");
    return E_OK;
}

void gndp_deinit(struct gndp_msg *m) {
    json_decref(m->root);
    m->root = NULL;
}

/* ---- writing -------------------------------------------------------------------------------- */

static void begin(struct buf *out, const char *type, const char *id) {
    buf_printf(out, "{\"type\":\"%s\"", type);
    if (id[0]) buf_printf(out, ",\"id\":%s", id);
}

static void put(struct buf *out, const char *key, struct slice text) {
    buf_printf(out, ",\"%s\":", key);
    buf_json(out, text);
}

void gndp_encode_ack(struct buf *out, const char *id) {
    begin(out, "ack", id);
    buf_byte(out, '}');
}

void gndp_encode_error(struct buf *out, const char *id, const char *code, const char *detail, struct slice room) {
    begin(out, "error", id);
    put(out, "code", slice_of(code));
    put(out, "detail", slice_of(detail));
    if (room.len) put(out, "room", room);
    buf_byte(out, '}');
}

void gndp_encode_joined(struct buf *out, const char *id, struct slice room, const char *lineage, bool may_edit) {
    begin(out, "joined", id);
    put(out, "room", room);
    if (lineage[0]) put(out, "lineage", slice_of(lineage));
    put(out, "scope", slice_of(may_edit ? "read-write" : "readonly"));
    buf_byte(out, '}');
}

void gndp_encode_pong(struct buf *out, const char *id, uint64_t time_ms) {
    begin(out, "pong", id);
    buf_printf(out, ",\"timestamp\":%llu}", (unsigned long long)time_ms);
}

void gndp_encode_about(struct buf *out, const char *type, struct slice room, const char *reason) {
    begin(out, type, "");
    put(out, "room", room);
    put(out, "reason", slice_of(reason));
    buf_byte(out, '}');
}

void gndp_encode_person(struct buf *out, const struct gndp_person *p) {
    buf_text(out, "{\"user\":");
    buf_json(out, p->user);
    put(out, "name", p->name);
    put(out, "colour", slice_of(p->colour));
    if (p->room.len) put(out, "room", p->room);
    else buf_text(out, ",\"room\":null");
    put(out, "status", slice_of(gndp_status_text(p->status)));
    buf_printf(out, ",\"since\":%llu}", (unsigned long long)p->since_ms);
}
