/* fuzz_ws.c -- any bytes as what a WebSocket client sends: whole, and cut where the first byte says, give the
 * same events; the limits hold. */
#include <stdlib.h>

#include "base/must.h"
#include "wire/ws.h"

static void feed(const struct ws_rules *rules, const uint8_t *data, size_t size, size_t step, struct buf *trace) {
    struct ws ws = { 0 };
    struct ws_event e;

    for (size_t at = 0; at < size; at += step) {
        size_t n = size - at < step ? size - at : step;
        uint8_t *copy = malloc(n);
        must(copy);
        memcpy(copy, data + at, n);
        struct ws_input in = { copy, n };
        while (ws_next(&ws, rules, &in, &e)) {
            must(e.kind == WS_FAILED || e.payload.len <= rules->binary_max);
            buf_byte(trace, (uint8_t)e.kind);
            buf_uint(trace, e.code);
            buf_bytes(trace, e.payload);
        }
        must(in.len == 0 && ws_held(&ws) <= 2 * (rules->binary_max + 512));
        free(copy);
    }
    ws_deinit(&ws);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static struct ws_codec *codec;
    struct buf whole, cut;

    if (size < 2) return 0;
    if (!codec) codec = ws_codec_new();
    struct ws_rules rules = { .text_max = 1000, .binary_max = 70000, .inflate = data[0] & 1 ? codec : NULL };
    buf_init(&whole, (size_t)1 << 28);
    buf_init(&cut, (size_t)1 << 28);
    feed(&rules, data + 1, size - 1, size, &whole);
    feed(&rules, data + 1, size - 1, 1 + data[0] / 2, &cut);
    must(slice_eq(buf_view(&whole), buf_view(&cut)));
    struct ws_offer offer = ws_negotiate((struct slice){ data, size });
    must(strlen(offer.answer) < sizeof offer.answer && offer.agreed == (offer.answer[0] != 0));
    buf_deinit(&whole);
    buf_deinit(&cut);
    return 0;
}
