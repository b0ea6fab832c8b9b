/* ws.c -- WebSocket frames, both directions (RFC 6455). */
#include "wire/ws.h"

#include <stdlib.h>

#include "base/err.h"
#include "base/must.h"

#define FIN 0x80
#define RSV1 0x40
#define RSV 0x70
#define MASKED 0x80
#define CONTROL_MAX 125
#define HELD_MIN 512            /* bytes first allocated for a message that did not come whole */

enum { LENT_NOTHING, LENT_MESSAGE, LENT_CONTROL };

_Static_assert(sizeof(struct ws) <= 64, "ten thousand idle connections have one each");

/* ---- reading: the head of a frame ----------------------------------------------------------- */

static size_t head_size(const struct ws *ws) {
    if (ws->head_len < 2) return 2;
    uint8_t len = ws->head[1] & 0x7f;
    return 2 + (len == 126 ? 2u : len == 127 ? 8u : 0u) + (ws->head[1] & MASKED ? 4u : 0u);
}

static bool take_head(struct ws *ws, struct ws_input *in) {
    size_t need;

    while (ws->head_len < (need = head_size(ws))) {
        size_t n = need - ws->head_len < in->len ? need - ws->head_len : in->len;
        if (n == 0) return false;
        memcpy(ws->head + ws->head_len, in->at, n);
        ws->head_len = (uint8_t)(ws->head_len + n);
        in->at += n;
        in->len -= n;
    }
    return true;
}

static uint64_t head_payload(const struct ws *ws) {
    uint8_t len = ws->head[1] & 0x7f;
    uint64_t n = 0;

    if (len < 126) return len;
    for (int i = 0; i < (len == 126 ? 2 : 8); i++) n = n << 8 | ws->head[2 + i];
    return n;
}

static bool is_control(uint8_t opcode) { return opcode >= WS_OP_CLOSE; }
static uint8_t frame_opcode(const struct ws *ws) { return ws->head[0] & 0x0f; }
static bool frame_is_fin(const struct ws *ws) { return ws->head[0] & FIN; }

/* What is wrong with this head by the RFC, or NULL. */
static const char *head_problem(const struct ws *ws, const struct ws_rules *rules) {
    uint8_t opcode = frame_opcode(ws), rsv = ws->head[0] & RSV;
    uint64_t len = head_payload(ws);

    if (rsv & ~RSV1) return "reserved bits";
    if (rsv && (!rules->inflate || is_control(opcode) || opcode == WS_OP_MORE))
        return "reserved bit 1 where nothing is compressed";
    if (opcode > WS_OP_PONG || (opcode > WS_OP_BINARY && opcode < WS_OP_CLOSE)) return "unknown opcode";
    if (!(ws->head[1] & MASKED)) return "frame without mask";
    if (is_control(opcode)) {
        if (!frame_is_fin(ws)) return "fragmented control frame";
        return len > CONTROL_MAX ? "long control frame" : NULL;
    }
    if ((ws->head[1] & 0x7f) == 126 && len < 126) return "length not in its shortest form";
    if ((ws->head[1] & 0x7f) == 127 && (len <= 0xffff || len >> 63)) return "bad length";
    if (opcode == WS_OP_MORE && !ws->opcode) return "continuation of nothing";
    if (opcode != WS_OP_MORE && ws->opcode) return "new message inside a message";
    return NULL;
}

/* ---- reading: events ------------------------------------------------------------------------ */

static void forget(struct ws *ws) {
    free(ws->held);
    ws->held = NULL;
    ws->held_len = ws->held_cap = ws->control_len = 0;
    ws->lent = LENT_NOTHING;
}

static bool fail(struct ws *ws, struct ws_event *e, uint16_t code, const char *why) {
    forget(ws);
    ws->over = true;
    *e = (struct ws_event){ .kind = WS_FAILED, .code = code, .payload = slice_of(why) };
    return true;
}

static bool emit_close(struct ws *ws, struct slice payload, struct ws_event *e) {
    uint16_t code = 1005;

    if (payload.len == 1) return fail(ws, e, 1002, "close code of one byte");
    if (payload.len >= 2) {
        code = (uint16_t)(payload.at[0] << 8 | payload.at[1]);
        payload = (struct slice){ payload.at + 2, payload.len - 2 };
        if (!ws_code_is_valid(code)) return fail(ws, e, 1002, "invalid close code");
        if (!utf8_is_valid(payload)) return fail(ws, e, 1007, "close reason is not UTF-8");
    }
    ws->over = true;
    *e = (struct ws_event){ .kind = WS_CLOSE, .code = code, .payload = payload };
    return true;
}

static bool emit_control(struct ws *ws, struct slice payload, struct ws_event *e) {
    uint8_t opcode = frame_opcode(ws);

    ws->in_frame = false;
    ws->head_len = 0;
    if (opcode == WS_OP_CLOSE) return emit_close(ws, payload, e);
    *e = (struct ws_event){ .kind = opcode == WS_OP_PING ? WS_PING : WS_PONG, .payload = payload };
    return true;
}

static bool emit_message(struct ws *ws, const struct ws_rules *rules, struct slice payload,
                         struct ws_event *e) {
    bool text = ws->opcode == WS_OP_TEXT;

    ws->opcode = 0;
    if (ws->compressed) {
        size_t max = text ? rules->text_max : rules->binary_max;
        int err = rules->inflate ? ws_inflate_message(rules->inflate, payload, max, &payload) : E_INVALID;
        if (err == E_TOO_LARGE) return fail(ws, e, 1009, "message larger than the limit when inflated");
        if (err != E_OK) return fail(ws, e, 1007, "compressed data is damaged");
        if (text && !utf8_is_valid(payload)) return fail(ws, e, 1007, "text is not UTF-8");
    } else if (text && !utf8_feed_is_whole(&ws->utf8)) {
        return fail(ws, e, 1007, "text is not UTF-8");
    }
    *e = (struct ws_event){ .kind = text ? WS_TEXT : WS_BINARY, .payload = payload };
    return true;
}

/* ---- reading: payloads ---------------------------------------------------------------------- */

static void unmask(struct ws *ws, uint8_t *at, size_t len) {
    const uint8_t *mask = ws->head + ws->head_len - 4;
    uint8_t wide[8];
    uint64_t word, mask_word;
    size_t i = 0;

    for (size_t k = 0; k < 8; k++) wide[k] = mask[(ws->mask_at + k) & 3];
    memcpy(&mask_word, wide, 8);
    for (; i + 8 <= len; i += 8) {
        memcpy(&word, at + i, 8);
        word ^= mask_word;
        memcpy(at + i, &word, 8);
    }
    for (; i < len; i++) at[i] ^= wide[i & 7];
    ws->mask_at = (uint8_t)((ws->mask_at + len) & 3);
}

/* Append to what is held. It grows by doubling, but not past the end of a message that is known. */
static void hold(struct ws *ws, const uint8_t *at, size_t len) {
    size_t used = (size_t)ws->held_len + ws->control_len, need = used + len;

    if (need > ws->held_cap) {
        size_t cap = (size_t)ws->held_cap * 2 > HELD_MIN ? (size_t)ws->held_cap * 2 : HELD_MIN;
        if (frame_is_fin(ws) && cap > need + ws->frame_left) cap = need + ws->frame_left;
        if (cap < need) cap = need;
        must(cap <= UINT32_MAX);
        ws->held = realloc(ws->held, cap);
        must(ws->held);
        ws->held_cap = (uint32_t)cap;
    }
    if (len) memcpy(ws->held + used, at, len);
}

static bool control_payload(struct ws *ws, const uint8_t *at, size_t len, struct ws_event *e) {
    if (ws->frame_left == 0 && ws->control_len == 0)
        return emit_control(ws, (struct slice){ at, len }, e);
    hold(ws, at, len);
    ws->control_len += (uint32_t)len;
    if (ws->frame_left) return false;
    ws->lent = LENT_CONTROL;
    return emit_control(ws, (struct slice){ ws->held + ws->held_len, ws->control_len }, e);
}

static bool data_payload(struct ws *ws, const struct ws_rules *rules, struct slice got,
                         struct ws_event *e) {
    bool ends = ws->frame_left == 0, last = ends && frame_is_fin(ws);

    if (ws->opcode == WS_OP_TEXT && !ws->compressed && !utf8_feed(&ws->utf8, got))
        return fail(ws, e, 1007, "text is not UTF-8");
    if (!last || ws->held_len) {
        hold(ws, got.at, got.len);
        ws->held_len += (uint32_t)got.len;
    }
    if (ends) {
        ws->in_frame = false;
        ws->head_len = 0;
    }
    if (!last) return false;
    if (ws->held_len) got = (struct slice){ ws->held, ws->held_len };
    if (ws->held) ws->lent = LENT_MESSAGE;
    return emit_message(ws, rules, got, e);
}

/* The head is whole: may this frame come? */
static bool begin_frame(struct ws *ws, const struct ws_rules *rules, struct ws_event *e) {
    const char *problem = head_problem(ws, rules);
    uint64_t len = head_payload(ws);

    if (problem) return !fail(ws, e, 1002, problem);
    if (!is_control(frame_opcode(ws))) {
        if (frame_opcode(ws) != WS_OP_MORE) {
            ws->opcode = frame_opcode(ws);
            ws->compressed = ws->head[0] & RSV1;
            ws->utf8 = (struct utf8_stream){ 0 };
        }
        size_t max = ws->opcode == WS_OP_TEXT ? rules->text_max : rules->binary_max;
        must(max <= UINT32_MAX / 4);
        if (len > max || ws->held_len > max - len)
            return !fail(ws, e, 1009, "message larger than the limit");
    }
    ws->frame_left = (uint32_t)len;
    ws->mask_at = 0;
    ws->in_frame = true;
    return true;
}

/* The last event's borrow is over. */
static void take_back(struct ws *ws) {
    if (ws->lent == LENT_CONTROL) ws->control_len = 0;
    if (ws->lent == LENT_MESSAGE || (ws->lent == LENT_CONTROL && !ws->opcode)) forget(ws);
    ws->lent = LENT_NOTHING;
}

bool ws_next(struct ws *ws, const struct ws_rules *rules, struct ws_input *in, struct ws_event *e) {
    if (ws->lent) take_back(ws);
    while (!ws->over) {
        if (!ws->in_frame) {
            if (!take_head(ws, in)) return false;
            if (!begin_frame(ws, rules, e)) return true;
        }
        size_t n = ws->frame_left < in->len ? ws->frame_left : in->len;
        if (n == 0 && ws->frame_left) return false;

        struct slice got = { in->at, n };
        unmask(ws, in->at, n);
        in->at += n;
        in->len -= n;
        ws->frame_left -= (uint32_t)n;
        bool event = is_control(frame_opcode(ws)) ? control_payload(ws, got.at, got.len, e)
                                                  : data_payload(ws, rules, got, e);
        if (event) return true;
    }
    in->at += in->len;
    in->len = 0;
    return false;
}

void ws_deinit(struct ws *ws) {
    forget(ws);
    ws->over = true;
}

size_t ws_held(const struct ws *ws) { return ws->held_cap; }

/* ---- writing -------------------------------------------------------------------------------- */

size_t ws_head(uint8_t head[WS_HEAD_MAX], enum ws_opcode opcode, size_t len, bool compressed) {
    head[0] = (uint8_t)(FIN | (compressed ? RSV1 : 0) | (int)opcode);
    if (len < 126) {
        head[1] = (uint8_t)len;
        return 2;
    }
    size_t bytes = len <= 0xffff ? 2 : 8;
    head[1] = bytes == 2 ? 126 : 127;
    for (size_t i = 0; i < bytes; i++) head[2 + i] = (uint8_t)((uint64_t)len >> (8 * (bytes - 1 - i)));
    return 2 + bytes;
}

void ws_put(struct buf *out, enum ws_opcode opcode, struct slice payload, bool compressed) {
    uint8_t head[WS_HEAD_MAX];

    if (!buf_reserve(out, WS_HEAD_MAX + payload.len)) return;
    buf_put(out, head, ws_head(head, opcode, payload.len, compressed));
    buf_slice(out, payload);
}

bool ws_code_is_valid(uint16_t code) {
    return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) ||
           (code >= 3000 && code <= 4999);
}

uint16_t ws_close_answer(uint16_t code) { return code == 1005 ? 1000 : code; }

size_t ws_close_frame(uint8_t frame[WS_CLOSE_MAX], uint16_t code, const char *reason) {
    size_t len = strlen(reason);

    must(ws_code_is_valid(code));
    if (len > 123) len = 123;
    while (len && !utf8_is_valid((struct slice){ (const uint8_t *)reason, len })) len--;
    frame[0] = FIN | WS_OP_CLOSE;
    frame[1] = (uint8_t)(2 + len);
    frame[2] = (uint8_t)(code >> 8);
    frame[3] = (uint8_t)code;
    memcpy(frame + 4, reason, len);
    return 4 + len;
}
