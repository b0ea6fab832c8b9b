/* fuzz_relay.c -- a relay under any sequence of updates and questions.
 *
 * The input is records: one byte of kind (even: apply, odd: ask), two of length, the bytes. After
 * every step the rules hold: nothing effective is effective twice, what waits is an update by itself
 * that still waits, a full answer makes a relay with the same state vector and deletions. */
#include <stdlib.h>
#include <weave.h>

#include "base/buf.h"
#include "base/must.h"
#include "base/read.h"

#define LIMIT ((size_t)1 << 20)

static void to_buf(void *ctx, const uint8_t *at, size_t len) { buf_put(ctx, at, len); }
static struct weave_bytes view(const struct buf *b) { return (struct weave_bytes){ b->at, b->len }; }

static struct buf copy(struct weave_bytes from) {
    struct buf b;
    buf_init(&b, SIZE_MAX / 2);
    buf_put(&b, from.at, from.len);
    return b;
}

static struct buf answer(struct weave_relay *r, struct weave_bytes state) {
    struct buf b;
    buf_init(&b, SIZE_MAX / 2);
    if (weave_relay_since(r, state, (struct weave_sink){ to_buf, &b }) != 0) must(b.len == 0);
    return b;
}

static struct buf state_of(const struct weave_relay *r) {
    struct buf b;
    buf_init(&b, SIZE_MAX / 2);
    weave_relay_state(r, (struct weave_sink){ to_buf, &b });
    return b;
}

static void same_and_free(struct buf a, struct buf b) {
    must(slice_eq(buf_view(&a), buf_view(&b)));
    buf_deinit(&a);
    buf_deinit(&b);
}

static void apply(struct weave_relay *r, struct weave_bytes u) {
    struct weave_effect e;
    bool good = weave_update_check(u) == 0;
    int rc = weave_relay_apply(r, u, &e);

    must(good || rc == WEAVE_INVALID);
    if (rc != 0) {
        must(e.update.len == 0 && e.pending.len == 0);
        return;
    }
    must(good && (e.pending.len == 0) == (e.n_missing == 0));
    struct buf effective = copy(e.update), pending = copy(e.pending);
    for (int i = 0; i < 2 && effective.len > 0; i++) {
        must(weave_update_check(view(&effective)) == 0);
        must(weave_relay_apply(r, view(&effective), &e) == 0);
        must(e.update.len == 0 && e.pending.len == 0);
    }
    if (pending.len > 0) {
        must(weave_update_check(view(&pending)) == 0);
        must(weave_relay_apply(r, view(&pending), &e) == 0);
        must(e.update.len == 0 && e.pending.len > 0);
    }
    buf_deinit(&effective);
    buf_deinit(&pending);
}

static void rebuild(struct weave_relay *r) {
    struct weave_relay *again = weave_relay_new(16 * LIMIT);
    struct weave_bytes none = { NULL, 0 };
    struct weave_effect e;
    struct buf whole = answer(r, none);

    must(weave_relay_apply(again, view(&whole), &e) == 0);
    must(e.pending.len == 0);
    struct buf mine = state_of(r), its = state_of(again);
    same_and_free(answer(r, view(&mine)), answer(again, view(&its)));   /* the deletions alone */
    same_and_free(mine, its);
    buf_deinit(&whole);
    weave_relay_free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0) return 0;
    struct reader in = { .at = data, .end = data + size };
    struct weave_relay *r = weave_relay_new(LIMIT);

    while (reader_left(&in) >= 3) {
        uint8_t kind = read_byte(&in);
        size_t len = (size_t)read_byte(&in) << 8;
        len |= read_byte(&in);
        if (len > reader_left(&in)) len = reader_left(&in);
        struct slice s = read_take(&in, len);
        struct weave_bytes b = { s.at, s.len };
        if (kind & 1) {
            struct buf out = answer(r, b);
            must(out.len == 0 || weave_update_check(view(&out)) == 0);
            buf_deinit(&out);
        } else {
            apply(r, b);
        }
    }
    rebuild(r);
    must(weave_relay_bytes(r) < 4 * LIMIT);
    weave_relay_free(r);
    return 0;
}
