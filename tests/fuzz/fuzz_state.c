/* fuzz_state.c -- any bytes as a state vector, asked of an update and of a relay that holds it. The
 * document: client 1 wrote "hello" with an emoji, client 2 set a key; client 2^40 answers both. */
#include <stdlib.h>
#include <weave.h>

#include "base/buf.h"
#include "base/must.h"

static const uint8_t document[] = {
    3,
    2, 0x80, 0x80, 0x80, 0x80, 0x80, 0x20, 0, 0x84, 1, 3, 2, 'a', 'b', 0xa8, 2, 0, 1, 0x7e,
    1, 2, 0, 0x28, 1, 1, 'm', 1, 'k', 1, 0x7d, 1,
    1, 1, 0, 4, 1, 1, 't', 9, 'h', 'e', 0xf0, 0x9f, 0x98, 0x80, 'l', 'l', 'o',
    1, 1, 1, 4, 1,
};

static void to_buf(void *ctx, const uint8_t *at, size_t len) { buf_put(ctx, at, len); }
static struct weave_bytes view(const struct buf *b) { return (struct weave_bytes){ b->at, b->len }; }

static bool count(void *ctx, uint64_t client, uint64_t clock) {
    (void)client;
    (void)clock;
    ++*(size_t *)ctx;
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct weave_bytes state = { data, size }, all = { document, sizeof document };
    struct weave_relay *r = weave_relay_new((size_t)1 << 20), *other = weave_relay_new((size_t)1 << 20);
    struct weave_effect e;
    struct buf diff, since;
    size_t n = 0;

    buf_init(&diff, SIZE_MAX / 2);
    buf_init(&since, SIZE_MAX / 2);
    must(weave_relay_apply(r, all, &e) == 0 && e.update.len == sizeof document);
    int rc = weave_state_each(state, count, &n);
    must(weave_update_diff(all, state, (struct weave_sink){ to_buf, &diff }) == rc);
    must(weave_relay_since(r, state, (struct weave_sink){ to_buf, &since }) == rc);
    must(n <= size / 2);
    if (rc == 0) {
        /* Both send the same structs; with what they cut away the whole comes back. */
        must(weave_update_check(view(&diff)) == 0 && weave_update_check(view(&since)) == 0);
        struct weave_bytes both[2] = { view(&diff), view(&since) };
        struct buf a, b;
        buf_init(&a, SIZE_MAX / 2);
        buf_init(&b, SIZE_MAX / 2);
        must(weave_update_merge(both, 1, (struct weave_sink){ to_buf, &a }) == 0);
        must(weave_update_merge(both + 1, 1, (struct weave_sink){ to_buf, &b }) == 0);
        must(slice_eq(buf_view(&a), buf_view(&b)));
        must(weave_relay_apply(other, all, &e) == 0);
        must(weave_relay_apply(other, view(&since), &e) == 0 && e.update.len == 0);
        buf_deinit(&a);
        buf_deinit(&b);
    } else {
        must(diff.len == 0 && since.len == 0);
    }
    buf_deinit(&diff);
    buf_deinit(&since);
    weave_relay_free(r);
    weave_relay_free(other);
    return 0;
}
