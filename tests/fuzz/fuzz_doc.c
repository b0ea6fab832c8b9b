/* fuzz_doc.c -- documents from hostile updates.
 *
 * The input is a row of updates, each behind a two-byte length. Whatever of it is taken:
 *   - a refused update leaves the document as it was, byte by byte;
 *   - what the document says about itself is taken by a fresh one, and what that says by a third,
 *     which then holds the same (the first need not: it may have seen one id with two contents);
 *   - it can be edited, and the edits reach the other document. */
#include <stdlib.h>
#include <string.h>
#include <weave.h>

#include "base/buf.h"
#include "base/must.h"

#define BYTES_MAX (1 << 20)

static void put(void *ctx, const uint8_t *at, size_t len) { buf_put(ctx, at, len); }

static struct weave_sink into(struct buf *b) {
    buf_reset(b);
    return (struct weave_sink){ put, b };
}

static struct weave_bytes view(const struct buf *b) { return (struct weave_bytes){ b->at, b->len }; }

static void same(const struct buf *a, const struct buf *b) {
    must(a->len == b->len && (a->len == 0 || memcmp(a->at, b->at, a->len) == 0));
}

static void on_event(void *ctx, const struct weave_event *event) {
    (void)ctx;
    must(event->n_deltas + event->n_keys > 0);
}

static void apply_row(struct weave *w, const uint8_t *at, size_t len) {
    struct weave_observer observer = { .on_event = on_event };
    struct buf before, after;

    buf_init(&before, 64 << 20);
    buf_init(&after, 64 << 20);
    while (len >= 2) {
        size_t n = (size_t)at[0] << 8 | at[1];
        if (n > len - 2) n = len - 2;
        must(weave_since(w, (struct weave_bytes){ 0 }, into(&before)) == 0);
        if (weave_apply(w, (struct weave_bytes){ at + 2, n }, n % 2 ? &observer : NULL) != 0) {
            must(weave_since(w, (struct weave_bytes){ 0 }, into(&after)) == 0);
            same(&before, &after);
        }
        at += 2 + n;
        len -= 2 + n;
    }
    buf_deinit(&before);
    buf_deinit(&after);
}

/* Both know the same, and every root of one as JSON is that of the other. */
static void compare(struct weave *a, struct weave *b) {
    struct weave_bytes name;
    weave_type t;
    struct buf x, y, copy;

    if (weave_has_pending(a)) return;
    buf_init(&x, 64 << 20);
    buf_init(&y, 64 << 20);
    buf_init(&copy, 64 << 20);
    weave_state(a, into(&x));
    weave_state(b, into(&y));
    same(&x, &y);
    for (size_t i = 0; weave_roots(a, i, &name, &t); i++) {
        buf_reset(&copy);
        buf_put(&copy, name.at, name.len);
        weave_json(a, t, into(&x));
        weave_json(b, weave_root(b, view(&copy)), into(&y));
        must(weave_length(a, t) == weave_length(b, weave_root(b, view(&copy))));
        same(&x, &y);
    }
    buf_deinit(&x);
    buf_deinit(&y);
    buf_deinit(&copy);
}

static void edit(struct weave *w, struct buf *update) {
    struct weave_bytes name;
    weave_type t;

    weave_begin(w);
    for (size_t i = 0; i < 4 && weave_roots(w, i, &name, &t); i++) {
        uint32_t length = weave_length(w, t);
        weave_text_insert(w, t, length / 2, (struct weave_bytes){ (const uint8_t *)"\xc3\xa9x", 3 });
        weave_text_delete(w, t, length / 3, (length - length / 3 + 1) / 2);
        struct weave_value v = { .kind = WEAVE_V_NUMBER, .number = 1.5 };
        weave_map_set(w, t, (struct weave_bytes){ (const uint8_t *)"k", 1 }, &v);
    }
    weave_commit(w, into(update));
}

int LLVMFuzzerTestOneInput(const uint8_t *at, size_t len);

static void copy_document(struct weave *from, struct weave *to) {
    struct buf all;

    buf_init(&all, 64 << 20);
    must(weave_since(from, (struct weave_bytes){ 0 }, into(&all)) == 0);
    must(weave_apply(to, view(&all), NULL) == 0);
    buf_deinit(&all);
}

int LLVMFuzzerTestOneInput(const uint8_t *at, size_t len) {
    struct weave *docs[3];
    struct buf update;

    buf_init(&update, 64 << 20);
    for (size_t i = 0; i < 3; i++) docs[i] = weave_new(((uint64_t)1 << 53) - 1 - i, i ? 0 : BYTES_MAX);
    apply_row(docs[0], at, len);
    edit(docs[0], &update);
    copy_document(docs[0], docs[1]);
    copy_document(docs[1], docs[2]);
    compare(docs[1], docs[2]);
    edit(docs[1], &update);
    if (update.len > 0) must(weave_apply(docs[2], view(&update), NULL) == 0);
    compare(docs[1], docs[2]);
    for (size_t i = 0; i < 3; i++) weave_free(docs[i]);
    buf_deinit(&update);
    return 0;
}
