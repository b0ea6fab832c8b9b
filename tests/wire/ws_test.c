/* The facts of RFC 6455 and 7692 as tables; each is fed at every cut (W1). */
#include "wire/ws.h"

#include <stdlib.h>

#include "base/err.h"
#include "base/limits.h"
#include "t.h"

static struct ws_codec *codec;
static struct ws_rules plain = { .text_max = MIB(16), .binary_max = MIB(16) };
static struct ws_rules small = { .text_max = 64, .binary_max = 256 };
static struct ws_rules deflated;

/* ---- making frames, writing down events ---------------------------------------------------- */

static void put_frame(struct buf *b, uint8_t first, struct slice payload) {
    static const uint8_t mask[4] = { 0x37, 0xfa, 0x21, 0x3d };
    uint8_t head[WS_HEAD_MAX];
    size_t n = ws_head(head, WS_OP_TEXT, payload.len, false);

    head[0] = first;
    head[1] |= 0x80;
    buf_put(b, head, n);
    buf_put(b, mask, 4);
    for (size_t i = 0; i < payload.len; i++) buf_byte(b, payload.at[i] ^ mask[i & 3]);
}

static void note(struct buf *trace, const struct ws_event *e) {
    static const char *const names[] = { "text", "binary", "ping", "pong", "close", "failed" };

    buf_text(trace, names[e->kind]);
    if (e->kind == WS_CLOSE || e->kind == WS_FAILED) buf_printf(trace, " %u", e->code);
    if (e->kind != WS_FAILED && e->payload.len > 200) {
        uint64_t sum = 0;
        for (size_t i = 0; i < e->payload.len; i++) sum = sum * 31 + e->payload.at[i];
        buf_printf(trace, " #%zu:%llx", e->payload.len, (unsigned long long)sum);
    } else if (e->kind != WS_FAILED && e->payload.len) {
        buf_byte(trace, ' ');
        buf_slice(trace, e->payload);
    }
    buf_byte(trace, ';');
}

/* Feed `in` cut before each byte whose index is a multiple of `step`, and at `cut`. */
static void feed(const struct ws_rules *rules, struct slice in, size_t cut, size_t step, struct buf *trace) {
    struct ws ws = { 0 };
    struct ws_event e;
    size_t at = 0;

    buf_reset(trace);
    while (at < in.len) {
        size_t end = in.len;
        if (at < cut && cut < end) end = cut;
        if (step && end > at + step) end = at + step;
        uint8_t *copy = malloc(end - at);           /* exact, so that a read past it is seen */
        memcpy(copy, in.at + at, end - at);
        struct ws_input input = { copy, end - at };
        while (ws_next(&ws, rules, &input, &e)) note(trace, &e);
        check(input.len == 0);
        free(copy);
        at = end;
    }
    ws_deinit(&ws);
}

static void expect(const struct ws_rules *rules, struct slice in, const char *events) {
    struct buf trace;
    size_t every = in.len < 400 ? 1 : in.len / 150;

    buf_init(&trace, MIB(1));
    feed(rules, in, in.len, 0, &trace);
    if (!slice_is(buf_view(&trace), events))
        fprintf(stderr, "got  %.*s\nwant %s\n", SLICE_ARG(buf_view(&trace)), events);
    check(slice_is(buf_view(&trace), events));
    for (size_t cut = 1; cut < in.len; cut += every) {
        feed(rules, in, cut, 0, &trace);
        check(slice_is(buf_view(&trace), events));
    }
    for (size_t step = 1; step <= 7 && in.len < 100000; step += 2) {
        feed(rules, in, in.len, step, &trace);
        check(slice_is(buf_view(&trace), events));
    }
    buf_deinit(&trace);
}

struct frame_case { uint8_t first; const char *payload; };

/* A NULL payload ends the list. */
static void expect_frames(const struct ws_rules *rules, const struct frame_case *frames, const char *events) {
    struct buf b;

    buf_init(&b, MIB(1));
    for (; frames->payload; frames++) put_frame(&b, frames->first, slice_of(frames->payload));
    expect(rules, buf_view(&b), events);
    buf_deinit(&b);
}

#define FRAMES(...) (const struct frame_case[]) { __VA_ARGS__, { 0, NULL } }
enum { FIN = 0x80, RSV1 = 0x40 };

/* ---- groups 1 and 2: framing, ping and pong ------------------------------------------------ */

static void w1_framing(void) {
    static const size_t sizes[] = { 0, 1, 125, 126, 127, 128, 65535, 65536, 70000 };

    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        for (int kind = 1; kind <= 2; kind++) {
            struct buf b, want;
            uint8_t *payload = malloc(sizes[i] + 1);
            memset(payload, '*', sizes[i]);
            buf_init(&b, MIB(1));
            buf_init(&want, MIB(1));
            put_frame(&b, (uint8_t)(FIN | kind), (struct slice){ payload, sizes[i] });
            note(&want, &(struct ws_event){ .kind = kind == 1 ? WS_TEXT : WS_BINARY,
                                            .payload = { payload, sizes[i] } });
            buf_byte(&want, 0);
            expect(&plain, buf_view(&b), (const char *)want.at);
            buf_deinit(&b);
            buf_deinit(&want);
            free(payload);
        }
}

static void w1_ping_pong(void) {
    char long_payload[127];
    memset(long_payload, 'x', 126);
    long_payload[126] = 0;

    expect_frames(&plain, FRAMES({ FIN | 9, "" }), "ping;");
    expect_frames(&plain, FRAMES({ FIN | 9, "hello" }, { FIN | 10, "unasked" }), "ping hello;pong unasked;");
    expect_frames(&plain, FRAMES({ FIN | 9, "\xff\xfe" }), "ping \xff\xfe;");
    expect_frames(&plain, FRAMES({ FIN | 9, long_payload }), "failed 1002;");
    long_payload[125] = 0;
    struct buf want;
    buf_init(&want, 4096);
    for (int i = 0; i < 3; i++) buf_printf(&want, "ping %s;", long_payload);
    buf_byte(&want, 0);
    expect_frames(&plain, FRAMES({ FIN | 9, long_payload }, { FIN | 9, long_payload }, { FIN | 9, long_payload }),
                  (const char *)want.at);
    buf_deinit(&want);
}

/* ---- groups 3, 4, 5: reserved bits, opcodes, fragmentation --------------------------------- */

static void w1_reserved_bits_and_opcodes(void) {
    for (int rsv = 1; rsv <= 7; rsv++)
        for (int op = 0; op <= 15; op++)
            expect_frames(&plain, FRAMES({ FIN | 1, "a" }, { (uint8_t)(FIN | rsv << 4 | op), "b" }, { FIN | 1, "c" }),
                          "text a;failed 1002;");
    for (int op = 3; op <= 15; op++) {
        if (op >= 8 && op <= 10) continue;
        expect_frames(&plain, FRAMES({ FIN | 1, "a" }, { (uint8_t)(FIN | op), "" }, { FIN | 9, "" }), "text a;failed 1002;");
    }
}

static void w1_fragmentation(void) {
    static const struct { struct frame_case frames[8]; const char *events; } cases[] = {
        { { { 1, "ab" }, { FIN | 0, "cd" } }, "text abcd;" },
        { { { 2, "ab" }, { 0, "" }, { 0, "c" }, { FIN | 0, "" } }, "binary abc;" },
        { { { 1, "" }, { 0, "" }, { FIN | 0, "" } }, "text;" },
        { { { 1, "ab" }, { FIN | 9, "p" }, { FIN | 0, "cd" } }, "ping p;text abcd;" },
        { { { 1, "ab" }, { FIN | 9, "p" }, { FIN | 9, "q" }, { 0, "cd" }, { FIN | 10, "" }, { FIN | 0, "ef" } },
          "ping p;ping q;pong;text abcdef;" },
        { { { 1, "" }, { FIN | 9, "p" }, { FIN | 0, "x" }, { FIN | 2, "y" } }, "ping p;text x;binary y;" },
        { { { 9, "p" } }, "failed 1002;" },
        { { { 10, "p" } }, "failed 1002;" },
        { { { 8, "" } }, "failed 1002;" },
        { { { FIN | 0, "x" }, { FIN | 1, "y" } }, "failed 1002;" },
        { { { 0, "x" }, { FIN | 1, "y" } }, "failed 1002;" },
        { { { 1, "a" }, { FIN | 1, "b" } }, "failed 1002;" },
        { { { 1, "a" }, { 2, "b" } }, "failed 1002;" },
        { { { 1, "a" }, { FIN | 0, "b" }, { FIN | 0, "c" } }, "text ab;failed 1002;" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) expect_frames(&plain, cases[i].frames, cases[i].events);
}

static void w1_unmasked_and_lengths(void) {
    static const uint8_t unmasked[] = { 0x81, 0x01, 'a' };
    static const uint8_t not_shortest[] = { 0x82, 0xfe, 0, 125, 0, 0, 0, 0 };
    static const uint8_t not_shortest_64[] = { 0x82, 0xff, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 0, 0 };
    static const uint8_t top_bit[] = { 0x82, 0xff, 0x80, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0 };
    static const uint8_t control_126[] = { 0x89, 0xfe, 0, 126, 0, 0, 0, 0 };

    expect(&plain, (struct slice){ unmasked, sizeof unmasked }, "failed 1002;");
    expect(&plain, (struct slice){ not_shortest, sizeof not_shortest }, "failed 1002;");
    expect(&plain, (struct slice){ not_shortest_64, sizeof not_shortest_64 }, "failed 1002;");
    expect(&plain, (struct slice){ top_bit, sizeof top_bit }, "failed 1002;");
    expect(&plain, (struct slice){ control_126, sizeof control_126 }, "failed 1002;");
}

/* ---- group 6: UTF-8 ------------------------------------------------------------------------ */

static void w1_utf8(void) {
    static const struct { const char *bytes; bool valid; } cases[] = {
        { "\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5", true },
        { "\xc2\x80", true }, { "\xdf\xbf", true }, { "\xe0\xa0\x80", true }, { "\xed\x9f\xbf", true },
        { "\xee\x80\x80", true }, { "\xef\xbf\xbd", true }, { "\xef\xbf\xbf", true }, { "\xef\xbb\xbf", true },
        { "\xf0\x90\x80\x80", true }, { "\xf4\x8f\xbf\xbf", true }, { "\x7f", true },
        { "\x80", false }, { "\xbf", false }, { "\x80\xbf\x80", false }, { "\xc0\xaf", false }, { "\xc1\xbf", false },
        { "\xe0\x80\xaf", false }, { "\xe0\x9f\xbf", false }, { "\xf0\x80\x80\xaf", false }, { "\xf0\x8f\xbf\xbf", false },
        { "\xed\xa0\x80", false }, { "\xed\xbf\xbf", false }, { "\xed\xa0\x80\xed\xb0\x80", false },
        { "\xf4\x90\x80\x80", false }, { "\xf5\x80\x80\x80", false }, { "\xf8\x88\x80\x80\x80", false },
        { "\xfc\x84\x80\x80\x80\x80", false }, { "\xfe", false }, { "\xff", false }, { "a\xc3", false },
        { "\xe2\x82", false }, { "\xf0\x9f\x98", false }, { "\xc3(", false }, { "ok\xe2(\xa1", false },
        { "12345678\xce\xba" "12345678\xf0\x9f\x98\x80 and on", true }, { "12345678\xce" "12345678", false },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buf want;
        size_t len = strlen(cases[i].bytes);
        buf_init(&want, 4096);
        if (cases[i].valid) buf_printf(&want, "text %s;", cases[i].bytes);
        else buf_text(&want, "failed 1007;");
        buf_byte(&want, 0);
        expect_frames(&plain, FRAMES({ FIN | 1, cases[i].bytes }), (const char *)want.at);
        for (size_t cut = 0; cut <= len; cut++) {       /* and fragmented at every byte */
            struct buf b;
            buf_init(&b, 4096);
            put_frame(&b, 1, (struct slice){ (const uint8_t *)cases[i].bytes, cut });
            put_frame(&b, FIN | 0, (struct slice){ (const uint8_t *)cases[i].bytes + cut, len - cut });
            expect(&plain, buf_view(&b), (const char *)want.at);
            buf_deinit(&b);
        }
        expect_frames(&plain, FRAMES({ FIN | 2, cases[i].bytes }),  /* binary is not looked at */
                      (buf_reset(&want), buf_printf(&want, "binary %s;%c", cases[i].bytes, 0), (const char *)want.at));
        buf_deinit(&want);
    }
}

/* Bad text fails where it stands, before its frame is complete. */
static void w1_utf8_fails_fast(void) {
    struct buf b;
    struct ws ws = { 0 };
    struct ws_event e;

    buf_init(&b, 4096);
    put_frame(&b, FIN | 1, slice_of("\xce\xba\xf4\x90 and much more"));
    struct ws_input in = { b.at, 6 + 3 };
    check(!ws_next(&ws, &plain, &in, &e));
    in = (struct ws_input){ b.at + 9, 1 };
    check(ws_next(&ws, &plain, &in, &e) && e.kind == WS_FAILED && e.code == 1007);
    ws_deinit(&ws);
    buf_deinit(&b);
}

/* ---- group 7: closing ---------------------------------------------------------------------- */

static void w3_close(void) {
    static const uint16_t good[] = { 1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999 };
    static const uint16_t bad[] = { 0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535 };
    char want[64];

    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        struct buf b;
        buf_init(&b, 4096);
        put_frame(&b, FIN | 8, (struct slice){ (const uint8_t[]){ (uint8_t)(good[i] >> 8), (uint8_t)good[i] }, 2 });
        put_frame(&b, FIN | 1, slice_of("after"));
        snprintf(want, sizeof want, "close %u;", good[i]);
        expect(&plain, buf_view(&b), want);
        check(ws_close_answer(good[i]) == good[i]);
        buf_deinit(&b);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct buf b;
        buf_init(&b, 4096);
        put_frame(&b, FIN | 8, (struct slice){ (const uint8_t[]){ (uint8_t)(bad[i] >> 8), (uint8_t)bad[i] }, 2 });
        expect(&plain, buf_view(&b), "failed 1002;");
        buf_deinit(&b);
    }
    expect_frames(&plain, FRAMES({ FIN | 8, "" }, { FIN | 9, "" }), "close 1005;");
    check(ws_close_answer(1005) == 1000);
    expect_frames(&plain, FRAMES({ FIN | 8, "\x03" }), "failed 1002;");
    expect_frames(&plain, FRAMES({ FIN | 8, "\x03\xe8" "bye" }), "close 1000 bye;");
    expect_frames(&plain, FRAMES({ FIN | 8, "\x03\xe8\xce\xba\xff" }), "failed 1007;");
    expect_frames(&plain, FRAMES({ 1, "half" }, { FIN | 8, "\x03\xe8" }, { FIN | 0, "x" }), "close 1000;");
}

static void w3_close_frame(void) {
    uint8_t frame[WS_CLOSE_MAX];
    char reason[200];

    check(ws_close_frame(frame, 1000, "") == 4 && memcmp(frame, "\x88\x02\x03\xe8", 4) == 0);
    check(ws_close_frame(frame, 4403, "no") == 6 && memcmp(frame, "\x88\x04\x11\x33no", 6) == 0);
    for (size_t i = 0; i < 198; i += 2) memcpy(reason + i, "\xc3\xa9", 2);
    reason[198] = 0;
    check(ws_close_frame(frame, 1008, reason) == 4 + 122 && frame[1] == 124);   /* not inside a character */
}

/* ---- group 9: limits ----------------------------------------------------------------------- */

static void w2_limits(void) {
    char text[258];

    memset(text, 'x', 257);
    text[257] = 0;
    expect_frames(&small, FRAMES({ FIN | 2, text }), "failed 1009;");
    expect_frames(&small, FRAMES({ FIN | 2, text + 1 + 100 }), (memset(text + 240, 0, 1), "binary "
        "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx;"));
    text[65] = 0;
    expect_frames(&small, FRAMES({ FIN | 1, text }), "failed 1009;");
    text[33] = 0;
    expect_frames(&small, FRAMES({ 1, text }, { FIN | 9, "p" }, { FIN | 0, text }), "ping p;failed 1009;");
    text[32] = 0;
    expect_frames(&small, FRAMES({ 1, text }, { FIN | 0, text }),
                  "text xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx;");
}

/* A head that promises much allocates nothing; one above the limit fails before any payload. */
static void w2_limit_before_buffering(void) {
    uint8_t head[] = { 0x82, 0xff, 0, 0, 0, 0, 0, 0x80, 0, 0, 1, 2, 3, 4, 0 };   /* 8 MiB */
    struct ws ws = { 0 };
    struct ws_event e;
    struct ws_input in = { head, sizeof head };

    check(!ws_next(&ws, &plain, &in, &e) && ws_held(&ws) <= 512);
    ws_deinit(&ws);
    check(ws_held(&ws) == 0);
    ws = (struct ws){ 0 };
    in = (struct ws_input){ head, 14 };
    check(ws_next(&ws, &small, &in, &e) && e.kind == WS_FAILED && e.code == 1009 && ws_held(&ws) == 0);
    ws_deinit(&ws);
}

static void w2_many_small_fragments(void) {
    struct buf b, want;
    uint8_t *whole = calloc(1, KIB(64));

    buf_init(&b, MIB(1));
    buf_init(&want, 4096);
    for (size_t i = 0; i < KIB(64); i += 64)
        put_frame(&b, (uint8_t)((i ? 0 : 2) | (i + 64 == KIB(64) ? FIN : 0)), (struct slice){ whole + i, 64 });
    note(&want, &(struct ws_event){ .kind = WS_BINARY, .payload = { whole, KIB(64) } });
    buf_byte(&want, 0);
    expect(&plain, buf_view(&b), (const char *)want.at);
    buf_deinit(&b);
    buf_deinit(&want);
    free(whole);
}

static void w2_nothing_is_held_while_idle(void) {
    struct buf b;
    struct ws ws = { 0 };
    struct ws_event e;
    size_t n = 0;

    buf_init(&b, 4096);
    put_frame(&b, 1, slice_of("half"));
    put_frame(&b, FIN | 9, slice_of("ping"));
    put_frame(&b, FIN | 0, slice_of("whole"));
    for (size_t i = 0; i < b.len; i++) {
        struct ws_input in = { b.at + i, 1 };
        while (ws_next(&ws, &plain, &in, &e)) n++;
    }
    check(n == 2 && ws_held(&ws) == 0 && ws.held == NULL);
    buf_deinit(&b);
}

/* ---- groups 12 and 13: compression --------------------------------------------------------- */

static void w1_deflate_messages(void) {
    static const uint8_t rfc_hello[] = { 0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00 };
    static const uint8_t stored[] = { 0x00, 0x05, 0x00, 0xfa, 0xff, 'H', 'e', 'l', 'l', 'o', 0x00 };
    static const uint8_t final_block[] = { 0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00 };
    static const uint8_t two_blocks[] = { 0xf2, 0x48, 0x05, 0x00, 0x00, 0x00, 0xff, 0xff, 0xca, 0xc9, 0xc9, 0x07, 0x00 };
    static const struct { const uint8_t *at; size_t len; } hellos[] = {
        { rfc_hello, sizeof rfc_hello }, { stored, sizeof stored },
        { final_block, sizeof final_block }, { two_blocks, sizeof two_blocks },
    };

    for (size_t i = 0; i < 4; i++)
        for (size_t cut = 1; cut < hellos[i].len; cut++) {
            struct buf b;
            buf_init(&b, 4096);
            put_frame(&b, FIN | RSV1 | 1, (struct slice){ hellos[i].at, hellos[i].len });
            put_frame(&b, RSV1 | 1, (struct slice){ hellos[i].at, cut });
            put_frame(&b, FIN | 9, slice_of("p"));
            put_frame(&b, FIN | 0, (struct slice){ hellos[i].at + cut, hellos[i].len - cut });
            put_frame(&b, FIN | 1, slice_of("plain"));
            expect(&deflated, buf_view(&b), "text Hello;ping p;text Hello;text plain;");
            buf_deinit(&b);
        }
}

static void w1_deflate_refusals(void) {
    static const uint8_t damaged[] = { 0xff, 0xff, 0xff, 0x01 };
    struct buf b;

    buf_init(&b, 4096);
    put_frame(&b, FIN | RSV1 | 2, (struct slice){ damaged, sizeof damaged });
    expect(&deflated, buf_view(&b), "failed 1007;");
    buf_deinit(&b);
    expect_frames(&deflated, FRAMES({ RSV1 | 1, "\xf2\x48" }, { FIN | RSV1 | 0, "\xcd" }), "failed 1002;");
    expect_frames(&deflated, FRAMES({ FIN | RSV1 | 9, "x" }), "failed 1002;");
    expect_frames(&deflated, FRAMES({ FIN | RSV1 | 8, "" }), "failed 1002;");
    expect_frames(&deflated, FRAMES({ FIN | 0x20 | 1, "x" }), "failed 1002;");

    buf_init(&b, 4096);                 /* text of one 0xff, compressed */
    put_frame(&b, FIN | RSV1 | 1, (struct slice){ (const uint8_t[]){ 0xfa, 0x0f, 0x00 }, 3 });
    expect(&deflated, buf_view(&b), "failed 1007;");
    buf_deinit(&b);
}

static void w1_deflate_round_trip(void) {
    for (size_t len = 0; len < 300000; len = len * 3 + 100) {
        uint8_t *message = malloc(len + 1);
        struct slice packed, back;
        for (size_t i = 0; i < len; i++) message[i] = (uint8_t)"collaboration"[(i * i + i / 50 * 7 + i / 1000) % 13];
        bool did = ws_deflate_message(codec, (struct slice){ message, len }, &packed);
        check(did == (len >= WS_DEFLATE_MIN));
        if (did) {
            check(packed.len < len);
            check(ws_inflate_message(codec, packed, len, &back) == E_OK);
            check(slice_eq(back, (struct slice){ message, len }));
            check(ws_inflate_message(codec, packed, len - 1, &back) == E_TOO_LARGE);
        }
        free(message);
    }
    uint8_t noise[1000];
    uint32_t x = 1;
    for (size_t i = 0; i < sizeof noise; i++) noise[i] = (uint8_t)((x = x * 1664525 + 1013904223) >> 24);
    struct slice out;
    check(!ws_deflate_message(codec, (struct slice){ noise, sizeof noise }, &out));
}

static void w2_zip_bomb(void) {
    uint8_t *zeros = calloc(1, MIB(8));
    struct slice bomb, out;
    struct buf b;

    check(ws_deflate_message(codec, (struct slice){ zeros, MIB(8) }, &bomb) && bomb.len < KIB(64));
    check(ws_inflate_message(codec, bomb, MIB(16), &out) == E_TOO_LARGE);   /* by its ratio */
    struct slice paste;                     /* a person's: one character, 1 MiB of it */
    check(ws_deflate_message(codec, (struct slice){ zeros, MIB(1) }, &paste));
    check(ws_inflate_message(codec, paste, MIB(16), &out) == E_OK && out.len == MIB(1));
    check(ws_deflate_message(codec, (struct slice){ zeros, MIB(8) }, &bomb));
    buf_init(&b, MIB(1));
    put_frame(&b, FIN | RSV1 | 2, bomb);
    expect(&deflated, buf_view(&b), "failed 1009;");
    buf_deinit(&b);
    free(zeros);
}

static void w1_negotiation(void) {
    static const struct { const char *offer; bool agreed, may_deflate; const char *bits; } cases[] = {
        { "permessage-deflate", true, true, NULL },
        { "permessage-deflate; client_max_window_bits", true, true, NULL },
        { "permessage-deflate; client_max_window_bits=10; server_no_context_takeover", true, true, NULL },
        { "permessage-deflate; client_no_context_takeover; server_max_window_bits=15", true, true, "15" },
        { "permessage-deflate; server_max_window_bits=9", true, false, "9" },
        { "permessage-deflate; server_max_window_bits=\"12\"", true, false, "12" },
        { "permessage-deflate ;server_max_window_bits = 16, permessage-deflate", true, true, NULL },
        { "x-webkit-deflate-frame, permessage-deflate", true, true, NULL },
        { "", false, false, NULL }, { "permessage-bzip2", false, false, NULL },
        { "permessage-deflate; server_max_window_bits", false, false, NULL },
        { "permessage-deflate; server_max_window_bits=7", false, false, NULL },
        { "permessage-deflate; server_max_window_bits=015", false, false, NULL },
        { "permessage-deflate; client_max_window_bits=", false, false, NULL },
        { "permessage-deflate; client_no_context_takeover=1", false, false, NULL },
        { "permessage-deflate; unknown", false, false, NULL },
        { "permessage-deflate; server_no_context_takeover; server_no_context_takeover", false, false, NULL },
        { ",,; ;", false, false, NULL },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ws_offer o = ws_negotiate(slice_of(cases[i].offer));
        check(o.agreed == cases[i].agreed && o.may_deflate == cases[i].may_deflate);
        char want[128] = "";
        if (o.agreed)
            snprintf(want, sizeof want, "permessage-deflate; server_no_context_takeover; client_no_context_takeover%s%s",
                     cases[i].bits ? "; server_max_window_bits=" : "", cases[i].bits ? cases[i].bits : "");
        check(strcmp(o.answer, want) == 0);
    }
}

static void w1_accept_key(void) {
    char accept[29];

    check(ws_accept_key(slice_of("dGhlIHNhbXBsZSBub25jZQ=="), accept));
    check(strcmp(accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=") == 0);
    check(!ws_accept_key(slice_of("dGhlIHNhbXBsZSBub25jZQ="), accept));
    check(!ws_accept_key(slice_of("dGhlIHNhbXBsZSBub25jZ==="), accept));
    check(!ws_accept_key(slice_of("dGhlIHNhbXBsZSBub25 ZQ=="), accept));
    check(!ws_accept_key(slice_of(""), accept));
}

int main(void) {
    codec = ws_codec_new();
    deflated = (struct ws_rules){ .text_max = MIB(16), .binary_max = MIB(16), .inflate = codec };
    run(w1_framing);
    run(w1_ping_pong);
    run(w1_reserved_bits_and_opcodes);
    run(w1_fragmentation);
    run(w1_unmasked_and_lengths);
    run(w1_utf8);
    run(w1_utf8_fails_fast);
    run(w3_close);
    run(w3_close_frame);
    run(w2_limits);
    run(w2_limit_before_buffering);
    run(w2_many_small_fragments);
    run(w2_nothing_is_held_while_idle);
    run(w1_deflate_messages);
    run(w1_deflate_refusals);
    run(w1_deflate_round_trip);
    run(w2_zip_bomb);
    run(w1_negotiation);
    run(w1_accept_key);
    ws_codec_free(codec);
    return t_exit();
}
