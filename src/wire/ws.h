/* ws.h -- WebSocket frames (RFC 6455) and permessage-deflate without context takeover (RFC 7692),
 * the server's side. Pure: no socket, no clock.
 *
 * Reading: give what came to ws_next until it answers false; then all of it has been taken. Payloads
 * are unmasked in place; a message that lies in one read in one frame is not copied. Only an
 * incomplete message has a buffer, which grows as bytes come, never by what a header promises.
 *
 *     struct ws_input in = { at, len };
 *     while (ws_next(&ws, &rules, &in, &event)) ...event.kind...
 *
 * Invariants:
 *   W1  However the input is cut into reads, the events are the same.
 *   W2  Nothing above a limit is buffered: it is checked on the frame's header.
 *   W3  After WS_CLOSE or WS_FAILED there are no more events; what follows is dropped. */
#ifndef WIRE_WS_H
#define WIRE_WS_H

#include "base/buf.h"
#include "base/utf8.h"

#define WS_HEAD_MAX 10          /* bytes of a server's frame head */
#define WS_CLOSE_MAX (4 + 123)  /* bytes of a whole close frame */
#define WS_DEFLATE_MIN 512      /* shorter messages go as they are */

enum ws_opcode { WS_OP_MORE = 0, WS_OP_TEXT = 1, WS_OP_BINARY = 2, WS_OP_CLOSE = 8, WS_OP_PING = 9, WS_OP_PONG = 10 };

enum ws_kind {
    WS_TEXT,                    /* a whole message, valid UTF-8 */
    WS_BINARY,                  /* a whole message */
    WS_PING, WS_PONG,           /* payload: at most 125 bytes; a ping wants a pong with the same */
    WS_CLOSE,                   /* the peer closes with `code` (1005: none given), payload: its reason;
                                   answer with a close frame of ws_close_answer(code) */
    WS_FAILED,                  /* the peer broke the protocol or a limit: send a close frame of `code` */
};

struct ws_event {
    enum ws_kind kind;
    uint16_t code;              /* WS_CLOSE, WS_FAILED */
    struct slice payload;       /* borrowed until the next ws_next; WS_FAILED: a reason in words */
};

struct ws_input {
    uint8_t *at;                /* changed in place */
    size_t len;
};

struct ws_codec;                /* the (de)compressor that all connections of a thread share */

struct ws_rules {               /* may differ at each call: before and after authentication, ... */
    size_t text_max, binary_max;    /* bytes of one message, inflated */
    struct ws_codec *inflate;       /* permessage-deflate was agreed; else NULL */
};

struct ws {                     /* zero-initialised; 48 bytes, no memory of its own while idle */
    uint8_t *held;              /* the incomplete message, then the incomplete control frame */
    uint32_t held_len, held_cap;
    uint32_t control_len;       /* bytes of the control frame behind held[held_len - 1] */
    uint32_t frame_left;        /* payload bytes of this frame that are still to come */
    uint8_t head[14];           /* of this frame, as far as it came */
    uint8_t head_len;
    uint8_t opcode;             /* of the message in progress; 0: none */
    uint8_t mask_at;            /* which mask byte is next */
    uint8_t lent;               /* what of `held` the last event borrowed */
    struct utf8_stream utf8;
    bool in_frame, compressed, over;
};

bool ws_next(struct ws *ws, const struct ws_rules *rules, struct ws_input *in, struct ws_event *event);
void ws_deinit(struct ws *ws);
size_t ws_held(const struct ws *ws);            /* memory of the incomplete message, for accounting */

/* Writing: unmasked frames. ws_head writes the head of a frame whose payload has `len` bytes and
 * returns the head's length. */
size_t ws_head(uint8_t head[WS_HEAD_MAX], enum ws_opcode opcode, size_t len, bool compressed);
void ws_put(struct buf *out, enum ws_opcode opcode, struct slice payload, bool compressed);
size_t ws_close_frame(uint8_t frame[WS_CLOSE_MAX], uint16_t code, const char *reason);
uint16_t ws_close_answer(uint16_t code);        /* what a close frame with this code is answered with */
bool ws_code_is_valid(uint16_t code);           /* may it stand in a close frame? */

/* permessage-deflate. */
struct ws_codec *ws_codec_new(void);
void ws_codec_free(struct ws_codec *z);

/* Compress a message once, for everybody who agreed to it. False: send it as it is (it is short, or
 * did not get shorter). *out is borrowed until the next call. */
bool ws_deflate_message(struct ws_codec *z, struct slice message, struct slice *out);

/* Inflate one message: E_OK; E_INVALID, E_TOO_LARGE (more than max, or more than 100 times its size
 * after the first 64 KiB). *out is borrowed until the next call. */
int ws_inflate_message(struct ws_codec *z, struct slice in, size_t max, struct slice *out);

struct ws_offer {
    bool agreed;                /* the answer below goes into Sec-WebSocket-Extensions; we may get RSV1 */
    bool may_deflate;           /* we may compress to this client (its window is as large as ours) */
    char answer[128];
};

/* Choose from the client's Sec-WebSocket-Extensions value (all of them joined by commas). */
struct ws_offer ws_negotiate(struct slice extensions);

/* Sec-WebSocket-Accept of a Sec-WebSocket-Key: 28 characters and a NUL. False: not a valid key. */
bool ws_accept_key(struct slice key, char accept[29]);

#endif
