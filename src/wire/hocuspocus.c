#include "wire/hocuspocus.h"

#include "base/err.h"
#include "base/limits.h"

#define TOKEN 0
#define REFUSED 1
#define ALLOWED 2

static struct slice room_of(struct slice name) {
    const uint8_t *nul = name.len ? memchr(name.at, 0, name.len) : NULL;
    return nul ? (struct slice){ name.at, (size_t)(nul - name.at) } : name;
}

/* The rest after name and kind. Unknown trailing fields of auth, close, ping are let through: the
 * provider added its version to auth in 4.6 and may add more. */
static int decode_rest(struct reader *r, uint64_t kind, struct hocuspocus_msg *out) {
    struct y_msg y = { 0 };

    switch (kind) {
    case HOCUSPOCUS_SYNC:
    case HOCUSPOCUS_AWARENESS:
    case HOCUSPOCUS_QUERY_AWARENESS:
        if (y_decode_kind(r, kind, &y) < 0) return E_INVALID;
        break;
    case HOCUSPOCUS_SYNC_REPLY:
        if (y_decode_kind(r, Y_SYNC, &y) < 0) return E_INVALID;
        break;
    case HOCUSPOCUS_AUTH:
        if (read_uint(r) != TOKEN) return E_INVALID;
        y.body = read_bytes(r);
        if (y.body.len > LIMIT_TOKEN_BYTES) return E_INVALID;
        break;
    case HOCUSPOCUS_STATELESS:
    case HOCUSPOCUS_BROADCAST_STATELESS:
        y.body = read_bytes(r);
        break;
    case HOCUSPOCUS_CLOSE:
    case HOCUSPOCUS_PING:
    case HOCUSPOCUS_PONG:
        break;
    default:        /* a sync status comes from servers only */
        return E_INVALID;
    }
    if (r->bad) return E_INVALID;
    out->kind = (enum hocuspocus_kind)kind;
    out->step = y.step;
    out->body = y.body;
    return E_OK;
}

int hocuspocus_decode(struct slice in, struct hocuspocus_msg *out) {
    *out = (struct hocuspocus_msg){ 0 };
    if (in.len == 1 && (in.at[0] == HOCUSPOCUS_PING || in.at[0] == HOCUSPOCUS_PONG)) {
        out->kind = (enum hocuspocus_kind)in.at[0];
        return E_OK;
    }
    struct reader r = reader_of(in);
    struct slice name = read_bytes(&r);
    uint64_t kind = read_uint(&r);
    if (r.bad) return E_INVALID;

    out->name = name;
    out->room = room_of(name);
    return decode_rest(&r, kind, out);
}

void hocuspocus_encode_name(struct buf *out, struct slice name) { buf_bytes(out, name); }

void hocuspocus_encode_allowed(struct buf *out, struct slice name, bool may_edit) {
    buf_bytes(out, name);
    buf_byte(out, HOCUSPOCUS_AUTH);
    buf_byte(out, ALLOWED);
    buf_bytes(out, slice_of(may_edit ? "read-write" : "readonly"));
}

void hocuspocus_encode_refused(struct buf *out, struct slice name, const char *reason) {
    buf_bytes(out, name);
    buf_byte(out, HOCUSPOCUS_AUTH);
    buf_byte(out, REFUSED);
    buf_bytes(out, slice_of(reason));
}

void hocuspocus_encode_saved(struct buf *out, struct slice name) {
    buf_bytes(out, name);
    buf_byte(out, HOCUSPOCUS_SYNC_STATUS);
    buf_byte(out, 1);   /* lib0 varInt 1 */
}
