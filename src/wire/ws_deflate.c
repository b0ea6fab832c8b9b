/* ws_deflate.c -- permessage-deflate (RFC 7692): each message by itself, no context kept.
 *
 * Why no context: a room message is compressed once for all its readers, who joined at different
 * times; and a connection costs no window (net.md of any server that keeps one: 10 KB and more). */
#include "wire/ws.h"

#include <stdlib.h>
#include <zlib.h>

#include "base/err.h"
#include "base/limits.h"
#include "base/must.h"

#define WINDOW_BITS 15
#define RATIO_FREE MIB(4)       /* below this any ratio is fine: people do paste 100 KB of one character */
#define RATIO_MAX 100
#define KEEP_BYTES KIB(256)     /* an output buffer above this is given back after use */
#define CHUNK KIB(16)

struct ws_codec {
    z_stream in, out;
    struct buf inflated, deflated;
};

struct ws_codec *ws_codec_new(void) {
    struct ws_codec *z = calloc(1, sizeof *z);

    must(z);
    must(inflateInit2(&z->in, -WINDOW_BITS) == Z_OK);
    must(deflateInit2(&z->out, 1, Z_DEFLATED, -WINDOW_BITS, 8, Z_DEFAULT_STRATEGY) == Z_OK);
    return z;
}

void ws_codec_free(struct ws_codec *z) {
    inflateEnd(&z->in);
    deflateEnd(&z->out);
    buf_deinit(&z->inflated);
    buf_deinit(&z->deflated);
    free(z);
}

static void start(struct buf *b, size_t max) {
    if (b->cap > KEEP_BYTES) buf_deinit(b);
    buf_reset(b);
    b->max = max > b->cap ? max : b->cap;
}

/* ---- inflating ------------------------------------------------------------------------------ */

/* Inflate one piece of input. A final block may stand inside a message: what follows starts anew. */
static int inflate_piece(struct ws_codec *z, struct slice piece, size_t max, size_t max_by_ratio) {
    z->in.next_in = (Bytef *)(uintptr_t)piece.at;
    z->in.avail_in = (uInt)piece.len;
    do {
        uint8_t *to = buf_reserve(&z->inflated, CHUNK);
        must(to);
        z->in.next_out = to;
        z->in.avail_out = CHUNK;
        int rc = inflate(&z->in, Z_SYNC_FLUSH);
        z->inflated.len += CHUNK - z->in.avail_out;
        if (z->inflated.len > max || z->inflated.len > max_by_ratio) return E_TOO_LARGE;
        if (rc == Z_STREAM_END) must(inflateReset(&z->in) == Z_OK);
        else if (rc != Z_OK && rc != Z_BUF_ERROR) return E_INVALID;
    } while (z->in.avail_in || z->in.avail_out == 0);
    return E_OK;
}

int ws_inflate_message(struct ws_codec *z, struct slice in, size_t max, struct slice *out) {
    static const uint8_t tail[] = { 0, 0, 0xff, 0xff };     /* taken off by the sender */
    size_t by_ratio = in.len * RATIO_MAX > RATIO_FREE ? in.len * RATIO_MAX : RATIO_FREE;

    start(&z->inflated, max + CHUNK);
    must(inflateReset(&z->in) == Z_OK);
    int err = inflate_piece(z, in, max, by_ratio);
    if (err == E_OK) err = inflate_piece(z, (struct slice){ tail, sizeof tail }, max, by_ratio);
    if (err != E_OK) return err;
    *out = buf_view(&z->inflated);
    return E_OK;
}

/* ---- deflating ------------------------------------------------------------------------------ */

bool ws_deflate_message(struct ws_codec *z, struct slice message, struct slice *out) {
    if (message.len < WS_DEFLATE_MIN) return false;
    size_t room = deflateBound(&z->out, (uLong)message.len) + 16;

    start(&z->deflated, room);
    uint8_t *to = buf_reserve(&z->deflated, room);
    must(to && deflateReset(&z->out) == Z_OK);
    z->out.next_in = (Bytef *)(uintptr_t)message.at;
    z->out.avail_in = (uInt)message.len;
    z->out.next_out = to;
    z->out.avail_out = (uInt)room;
    must(deflate(&z->out, Z_SYNC_FLUSH) == Z_OK && z->out.avail_in == 0 && z->out.avail_out > 0);
    size_t len = room - z->out.avail_out - 4;               /* without 00 00 ff ff */
    if (len >= message.len) return false;
    *out = (struct slice){ to, len };
    return true;
}

/* ---- the offer ------------------------------------------------------------------------------ */

static struct slice trim(struct slice s) {
    while (s.len && (s.at[0] == ' ' || s.at[0] == '\t')) s.at++, s.len--;
    while (s.len && (s.at[s.len - 1] == ' ' || s.at[s.len - 1] == '\t')) s.len--;
    return s;
}

/* Cut the part up to `mark` off the front of *rest. */
static struct slice part(struct slice *rest, char mark) {
    const uint8_t *found = rest->len ? memchr(rest->at, mark, rest->len) : NULL;
    struct slice first = { rest->at, found ? (size_t)(found - rest->at) : rest->len };
    size_t used = first.len + (found ? 1 : 0);

    *rest = (struct slice){ rest->at + used, rest->len - used };
    return trim(first);
}

/* 8 to 15, with or without quotes; 0: not a window size. */
static unsigned window_bits(struct slice value) {
    if (value.len >= 2 && value.at[0] == '"' && value.at[value.len - 1] == '"')
        value = (struct slice){ value.at + 1, value.len - 2 };
    if (value.len == 1 && (value.at[0] == '8' || value.at[0] == '9')) return value.at[0] - (unsigned)'0';
    if (value.len == 2 && value.at[0] == '1' && value.at[1] >= '0' && value.at[1] <= '5')
        return 10 + value.at[1] - (unsigned)'0';
    return 0;
}

struct offer { unsigned server_bits; unsigned seen; };

/* One parameter; false: this offer must be declined (unknown, repeated or malformed). */
static bool take_parameter(struct offer *o, struct slice parameter) {
    static const char *const names[] = { "server_no_context_takeover", "client_no_context_takeover",
                                         "server_max_window_bits", "client_max_window_bits" };
    bool has_value = parameter.len && memchr(parameter.at, '=', parameter.len);
    struct slice value = parameter, name = part(&value, '=');
    unsigned i = 0;

    while (i < 4 && !slice_is(name, names[i])) i++;
    if (i == 4 || o->seen & 1u << i) return false;
    o->seen |= 1u << i;
    unsigned bits = window_bits(trim(value));
    if (i == 2) {
        o->server_bits = bits;
        return bits != 0;
    }
    return i < 2 ? !has_value : !has_value || bits != 0;
}

struct ws_offer ws_negotiate(struct slice extensions) {
    struct ws_offer result = { 0 };

    while (extensions.len && !result.agreed) {
        struct slice one = part(&extensions, ',');
        struct offer o = { 0 };
        bool good = slice_is(part(&one, ';'), "permessage-deflate");
        while (good && one.len) good = take_parameter(&o, part(&one, ';'));
        if (!good) continue;

        result.agreed = true;
        result.may_deflate = o.server_bits == 0 || o.server_bits == WINDOW_BITS;
        struct buf b;
        buf_init(&b, sizeof result.answer - 1);
        buf_text(&b, "permessage-deflate; server_no_context_takeover; client_no_context_takeover");
        if (o.server_bits) buf_printf(&b, "; server_max_window_bits=%u", o.server_bits);
        must(!b.bad);
        memcpy(result.answer, b.at, b.len);
        buf_deinit(&b);
    }
    return result;
}
