/* doc.h -- documents in tests: made of hex, compared as hex. */
#ifndef DOC_H
#define DOC_H

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "t.h"
#include "vectors.h"

#include <weave.h>

#define DOC_BYTES 1024

static inline void doc_put(void *ctx, const uint8_t *at, size_t len) { buf_put(ctx, at, len); }

static inline struct weave_sink doc_sink(struct buf *b) {
    buf_init(b, SIZE_MAX / 2);
    return (struct weave_sink){ doc_put, b };
}

static inline struct weave_bytes view(const struct buf *b) { return (struct weave_bytes){ b->at, b->len }; }

static inline struct weave_bytes text(const char *s) {
    return (struct weave_bytes){ (const uint8_t *)s, strlen(s) };
}

static inline bool same(struct buf *a, struct buf *b) {     /* frees both */
    bool yes = a->len == b->len && (a->len == 0 || memcmp(a->at, b->at, a->len) == 0);
    buf_deinit(a);
    buf_deinit(b);
    return yes;
}

/* Compares and frees. */
static inline bool is_hex(struct buf *b, const char *hex) {
    uint8_t want[DOC_BYTES];
    size_t n = unhex(hex, want);
    bool yes = b->len == n && (n == 0 || memcmp(b->at, want, n) == 0);
    for (size_t i = 0; !yes && i < b->len; i++) fprintf(stderr, "%s%02x", i ? "" : "# got ", b->at[i]);
    if (!yes) fprintf(stderr, ", want %s\n", hex);
    buf_deinit(b);
    return yes;
}

static inline bool is_text(struct buf *b, const char *want) {
    bool yes = b->len == strlen(want) && (b->len == 0 || memcmp(b->at, want, b->len) == 0);
    if (!yes) fprintf(stderr, "# got %.*s, want %s\n", (int)b->len, (const char *)b->at, want);
    buf_deinit(b);
    return yes;
}

static inline int apply_hex(struct weave *w, const char *hex) {
    size_t n = strlen(hex) / 2;
    uint8_t *exact = malloc(n ? n : 1);         /* the sanitizer sees a read past the end */
    unhex(hex, exact);
    int rc = weave_apply(w, (struct weave_bytes){ exact, n }, NULL);
    free(exact);
    return rc;
}

static inline struct buf whole(struct weave *w) {
    struct buf b;
    if (weave_since(w, (struct weave_bytes){ NULL, 0 }, doc_sink(&b)) != 0) check(!"a whole document");
    return b;
}

static inline bool whole_is(struct weave *w, const char *hex) {
    struct buf b = whole(w);
    return is_hex(&b, hex);
}

static inline bool state_is(struct weave *w, const char *hex) {
    struct buf b;
    weave_state(w, doc_sink(&b));
    return is_hex(&b, hex);
}

static inline bool text_is(struct weave *w, const char *root, const char *want) {
    struct buf b;
    weave_text_read(w, weave_root(w, text(root)), doc_sink(&b));
    return is_text(&b, want);
}

static inline bool json_is(struct weave *w, const char *root, const char *want) {
    struct buf b;
    weave_json(w, weave_root(w, text(root)), doc_sink(&b));
    return is_text(&b, want);
}

static inline struct weave *doc_of(const char *hex) {
    struct weave *w = weave_new(9, 0);
    check(apply_hex(w, hex) == 0);
    return w;
}

/* Ends the transaction; its update is these bytes. */
static inline bool commits(struct weave *w, const char *hex) {
    struct buf b;
    weave_commit(w, doc_sink(&b));
    return is_hex(&b, hex);
}

#endif
