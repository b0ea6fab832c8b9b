#include "wire/awareness.h"

#include "base/err.h"
#include "base/limits.h"
#include "wire/json.h"

#define STAMP_BYTES 512     /* what an identity adds at most: names are limited */

uint64_t awareness_begin(struct slice update, struct reader *r) {
    *r = reader_of(update);
    return read_uint(r);
}

bool awareness_next(struct reader *r, uint64_t *left, struct awareness_entry *out) {
    if (*left == 0) return false;
    --*left;
    out->client = read_uint(r);
    out->clock = read_uint(r);
    out->state = read_bytes(r);
    if (slice_is(out->state, "null")) out->state = (struct slice){ 0 };
    return !r->bad;
}

int awareness_check(struct slice update) {
    struct reader r;
    uint64_t left = awareness_begin(update, &r);
    struct awareness_entry e;

    while (awareness_next(&r, &left, &e)) { }
    return r.bad || left || reader_left(&r) ? E_INVALID : E_OK;
}

void awareness_encode(struct buf *out, const struct awareness_entry *e) {
    buf_uint(out, e->client);
    buf_uint(out, e->clock);
    buf_bytes(out, e->state.len ? e->state : slice_of("null"));
}

/* json_object_set_new takes the value, also when it fails (a name that is not UTF-8: left out). */
static void set(json_t *user, const char *key, const char *value) {
    json_object_set_new(user, key, json_string(value));
}

static void stamp(json_t *state, const struct awareness_identity *who) {
    json_t *user = json_object_get(state, "user");

    if (!json_is_object(user)) {
        if (!who->name) return;
        json_object_set_new(state, "user", json_object());
        user = json_object_get(state, "user");
    }
    set(user, "id", who->user);
    if (!who->name) return;
    set(user, "name", who->name);
    set(user, "color", who->color);
    set(user, "colorLight", who->color_light);
    json_object_set_new(user, "colorIndex", json_integer(who->color_index));
}

/* json_parse has bounded the depth of what is walked here. */
static bool is_shallow(json_t *value, unsigned depth) {
    const char *key;
    json_t *child;
    size_t i;

    if (!json_is_object(value) && !json_is_array(value)) return true;
    if (depth == 0) return false;
    json_object_foreach(value, key, child)
        if (!is_shallow(child, depth - 1)) return false;
    json_array_foreach(value, i, child)
        if (!is_shallow(child, depth - 1)) return false;
    return true;
}

static int put(const char *at, size_t len, void *out) {
    buf_put(out, at, len);
    return 0;
}

int awareness_stamp(struct slice state, const struct awareness_identity *who, struct buf *out) {
    const char *why;
    json_t *value = NULL;

    if (state.len > LIMIT_PRESENCE_STATE || json_parse(state, &value, &why) != E_OK) return E_INVALID;
    if (!json_is_object(value) || !is_shallow(value, LIMIT_PRESENCE_DEPTH)) {
        json_decref(value);
        return E_INVALID;
    }
    if (!who->name && !json_is_object(json_object_get(value, "user"))) {
        buf_slice(out, state);
    } else {
        stamp(value, who);
        json_dump_callback(value, put, out, JSON_COMPACT);
    }
    json_decref(value);
    return out->bad || out->len > LIMIT_PRESENCE_STATE + STAMP_BYTES ? E_INVALID : E_OK;
}
