/* fuzz_update.c -- any bytes as an update: refused by all functions or taken by all, and the merge
 * keeps what it must. Byte 0 cuts the input into two updates. */
#include <stdlib.h>
#include <weave.h>

#include "base/buf.h"
#include "base/must.h"
#include "weave/decode_int.h"

static void to_buf(void *ctx, const uint8_t *at, size_t len) { buf_put(ctx, at, len); }

static bool on_client(void *ctx, uint64_t client) {
    (void)ctx;
    must(client <= CLIENT_MAX);
    return true;
}

static struct weave_bytes view(const struct buf *b) { return (struct weave_bytes){ b->at, b->len }; }

static bool same(const struct buf *a, const struct buf *b) { return slice_eq(buf_view(a), buf_view(b)); }

static struct buf merged(const struct weave_bytes *u, size_t n) {
    struct buf out;
    buf_init(&out, SIZE_MAX / 2);
    must(weave_update_merge(u, n, (struct weave_sink){ to_buf, &out }) == 0);
    must(weave_update_check(view(&out)) == 0);
    return out;
}

/* One update: its own merge is a fixed point, its diff to nothing is itself in content. */
static void one(struct weave_bytes u) {
    struct buf out, state, again;
    buf_init(&out, SIZE_MAX / 2);
    buf_init(&state, SIZE_MAX / 2);
    struct weave_sink sink = { to_buf, &out };
    bool good = weave_update_check(u) == 0;

    must((weave_update_diff(u, (struct weave_bytes){ 0 }, sink) == 0) == good);
    must((weave_update_state(u, (struct weave_sink){ to_buf, &state }) == 0) == good);
    must((weave_update_clients(u, on_client, NULL) == 0) == good);
    if (good) {
        struct weave_bytes diff = view(&out);
        must(weave_update_check(diff) == 0);
        struct buf once = merged(&u, 1), of_diff = merged(&diff, 1);
        struct weave_bytes first = view(&once);
        again = merged(&first, 1);
        must(same(&once, &again) && same(&once, &of_diff));
        must(!weave_update_is_empty(u) || once.len == 2);
        buf_deinit(&again);
        buf_deinit(&once);
        buf_deinit(&of_diff);
        buf_reset(&out);
        must(weave_update_diff(u, view(&state), sink) == 0 && weave_update_check(view(&out)) == 0);
    } else {
        must(out.len == 0 && state.len == 0 && !weave_update_is_empty(u));
    }
    buf_deinit(&out);
    buf_deinit(&state);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 1) return 0;
    size_t cut = 1 + data[0] % size;
    struct weave_bytes u[2] = { { data + 1, cut - 1 }, { data + cut, size - cut } };

    one(u[0]);
    one(u[1]);
    if (weave_update_check(u[0]) || weave_update_check(u[1])) return 0;
    struct buf ab = merged(u, 2);
    struct weave_bytes twice[] = { view(&ab), u[0], u[1] };
    struct buf more = merged(twice, 3);
    struct buf state, states;       /* what is known does not shrink by merging it again */
    buf_init(&state, SIZE_MAX / 2);
    buf_init(&states, SIZE_MAX / 2);
    must(weave_update_state(view(&ab), (struct weave_sink){ to_buf, &state }) == 0);
    must(weave_update_state(view(&more), (struct weave_sink){ to_buf, &states }) == 0);
    must(same(&state, &states));
    buf_deinit(&state);
    buf_deinit(&states);
    buf_deinit(&more);
    buf_deinit(&ab);
    return 0;
}
