/* weave-bench.c -- the engine on one editing history: build/weave-bench DIR NAME [RUNS]
 *
 * Reads what exists of NAME.ops (u32le count; per edit u32le position in UTF-16 units, u32le deleted,
 * u32le bytes, UTF-8), NAME.ups (u32le count; per update u32le length, bytes), NAME.v1 and NAME.txt
 * (bench/weave/prep.mjs makes them). Prints one JSON line: medians in ms, and whether every way ends in
 * the very state and text of the files. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <weave.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/must.h"

#define RUNS_MAX 99
#define CLIENT 1000000007u      /* of the recorded histories */

struct input {
    struct weave_bytes ops, ups, v1, txt;
    struct weave_bytes *updates;
    uint32_t n_updates;
};

struct bench {
    struct input in;
    int runs;
    double ms[RUNS_MAX];
    bool identical;
    struct buf out, text;
};

static void to_buf(void *ctx, const uint8_t *at, size_t len) { buf_put(ctx, at, len); }
static struct weave_sink sink(struct buf *b) { return (struct weave_sink){ to_buf, b }; }
static void to_nowhere(void *ctx, const uint8_t *at, size_t len) { (void)ctx, (void)at, (void)len; }

static struct weave_bytes read_file(const char *dir, const char *name, const char *ending) {
    char path[4096];
    struct buf b;
    uint8_t some[65536];
    size_t n;

    snprintf(path, sizeof path, "%s/%s.%s", dir, name, ending);
    FILE *f = fopen(path, "rb");
    if (!f) return (struct weave_bytes){ NULL, 0 };
    buf_init(&b, MIB(512));
    while ((n = fread(some, 1, sizeof some, f)) > 0) buf_put(&b, some, n);
    fclose(f);
    return (struct weave_bytes){ b.at, b.len };
}

static uint32_t number(const uint8_t *at) {
    uint32_t n;
    memcpy(&n, at, 4);
    return n;
}

static void split_updates(struct input *in) {
    if (!in->ups.at) return;
    in->n_updates = number(in->ups.at);
    in->updates = calloc(in->n_updates, sizeof *in->updates);
    must(in->updates);
    const uint8_t *at = in->ups.at + 4;
    for (uint32_t i = 0; i < in->n_updates; i++) {
        in->updates[i] = (struct weave_bytes){ at + 4, number(at) };
        at += 4 + in->updates[i].len;
    }
}

/* ---- what is measured: each makes a document, or works on one ------------------------------------- */

static struct weave *load(const struct input *in) {
    struct weave *w = weave_new(1, MIB(256));
    must(weave_apply(w, in->v1, NULL) == 0);
    return w;
}

static struct weave *stream(const struct input *in, bool with_events) {
    static const struct weave_observer nobody = { 0 };
    struct weave *w = weave_new(1, MIB(256));
    for (uint32_t i = 0; i < in->n_updates; i++)
        must(weave_apply(w, in->updates[i], with_events ? &nobody : NULL) == 0);
    return w;
}

static struct weave *local(const struct input *in, struct weave_sink out) {
    struct weave *w = weave_new(CLIENT, MIB(256));
    weave_type text = weave_root(w, (struct weave_bytes){ (const uint8_t *)"text", 4 });
    const uint8_t *at = in->ops.at + 4;

    for (uint32_t i = number(in->ops.at); i > 0; i--) {
        uint32_t position = number(at), deleted = number(at + 4), len = number(at + 8);
        weave_begin(w);
        if (deleted) must(weave_text_delete(w, text, position, deleted) == 0);
        if (len) must(weave_text_insert(w, text, position, (struct weave_bytes){ at + 12, len }) == 0);
        weave_commit(w, out);
        at += 12 + len;
    }
    return w;
}

/* ---- checking and timing ---------------------------------------------------------------------------- */

static bool is_equal(const struct buf *b, struct weave_bytes want) {
    return !want.at || (b->len == want.len && memcmp(b->at, want.at, want.len) == 0);
}

static void check_state(struct bench *b, struct weave *w) {
    buf_reset(&b->out);
    buf_reset(&b->text);
    must(weave_since(w, (struct weave_bytes){ NULL, 0 }, sink(&b->out)) == 0);
    weave_text_read(w, weave_root(w, (struct weave_bytes){ (const uint8_t *)"text", 4 }), sink(&b->text));
    b->identical = b->identical && is_equal(&b->out, b->in.v1) && is_equal(&b->text, b->in.txt);
}

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static void report(struct bench *b, const char *name) {
    qsort(b->ms, (size_t)b->runs, sizeof *b->ms, by_value);
    printf(",\"%s\":%.4f", name, b->ms[b->runs / 2]);
}

enum way { LOAD, STREAM, STREAM_EVENTS, LOCAL, LOCAL_UPDATES };

static void measure(struct bench *b, const char *name, enum way way) {
    for (int i = -1; i < b->runs; i++) {        /* the first is a warm-up */
        uint64_t start = clock_mono_ns();
        struct weave *w = way == LOAD ? load(&b->in)
                        : way == STREAM || way == STREAM_EVENTS ? stream(&b->in, way == STREAM_EVENTS)
                        : local(&b->in, (struct weave_sink){ way == LOCAL ? NULL : to_nowhere, NULL });
        if (i >= 0) b->ms[i] = (double)(clock_mono_ns() - start) / 1e6;
        if (i < 0) check_state(b, w);
        weave_free(w);
    }
    report(b, name);
}

static void measure_encode(struct bench *b) {
    struct weave *w = load(&b->in);

    printf(",\"mem_loaded_kB\":%zu", weave_memory(w) / 1024);
    for (int i = -1; i < b->runs; i++) {
        buf_reset(&b->out);
        uint64_t start = clock_mono_ns();
        weave_since(w, (struct weave_bytes){ NULL, 0 }, sink(&b->out));
        if (i >= 0) b->ms[i] = (double)(clock_mono_ns() - start) / 1e6;
    }
    weave_free(w);
    report(b, "enc_v1");
}

static bool add_99(void *ctx, uint64_t client, uint64_t clock) {
    buf_uint(ctx, client);
    buf_uint(ctx, clock * 99 / 100);
    return true;
}

static bool count_one(void *ctx, uint64_t client, uint64_t clock) {
    (void)client, (void)clock;
    ++*(uint64_t *)ctx;
    return true;
}

/* What a room answers to somebody who has 99 % of every client's edits: 100 calls. */
static void measure_sync(struct bench *b) {
    struct weave_relay *r = weave_relay_new(MIB(256));
    struct weave_effect effect;
    struct buf state, have;
    uint64_t n = 0;

    must(weave_relay_apply(r, b->in.v1, &effect) == 0);
    buf_init(&state, MIB(16));
    buf_init(&have, MIB(16));
    weave_relay_state(r, sink(&state));
    weave_state_each((struct weave_bytes){ state.at, state.len }, count_one, &n);
    buf_uint(&have, n);
    weave_state_each((struct weave_bytes){ state.at, state.len }, add_99, &have);
    for (int i = -1; i < b->runs; i++) {
        uint64_t start = clock_mono_ns();
        for (int k = 0; k < 100; k++) {
            buf_reset(&b->out);
            must(weave_relay_since(r, (struct weave_bytes){ have.at, have.len }, sink(&b->out)) == 0);
        }
        if (i >= 0) b->ms[i] = (double)(clock_mono_ns() - start) / 1e6;
    }
    buf_deinit(&state);
    buf_deinit(&have);
    weave_relay_free(r);
    report(b, "sync_diff99_x100");
}

static void measure_merge(struct bench *b) {
    size_t n = b->in.n_updates < 1000 ? b->in.n_updates : 1000;

    for (int i = -1; i < b->runs; i++) {
        buf_reset(&b->out);
        uint64_t start = clock_mono_ns();
        must(weave_update_merge(b->in.updates, n, sink(&b->out)) == 0);
        if (i >= 0) b->ms[i] = (double)(clock_mono_ns() - start) / 1e6;
    }
    report(b, "merge1000");
}

int main(int argc, char **argv) {
    if (argc < 3) {
        fprintf(stderr, "usage: weave-bench DIR NAME [RUNS]\n");
        return 2;
    }
    struct bench *b = calloc(1, sizeof *b);
    must(b);
    const char *dir = argv[1], *name = argv[2];
    long runs = argc > 3 ? strtol(argv[3], NULL, 10) : 5;
    b->runs = runs < 1 ? 1 : runs > RUNS_MAX ? RUNS_MAX : (int)runs;
    b->identical = true;
    buf_init(&b->out, MIB(512));
    buf_init(&b->text, MIB(512));
    b->in = (struct input){ read_file(dir, name, "ops"), read_file(dir, name, "ups"),
                            read_file(dir, name, "v1"), read_file(dir, name, "txt"), NULL, 0 };
    split_updates(&b->in);
    printf("{\"engine\":\"weave\",\"name\":\"%s\",\"runs\":%d", name, b->runs);
    if (b->in.ops.at) {
        measure(b, "local", LOCAL);
        measure(b, "local_upd", LOCAL_UPDATES);
    }
    if (b->in.ups.at) {
        measure(b, "stream", STREAM);
        measure(b, "stream_upd", STREAM_EVENTS);
        measure_merge(b);
    }
    if (b->in.v1.at) {
        measure(b, "load_v1", LOAD);
        measure_encode(b);
        measure_sync(b);
    }
    printf(",\"identical\":%s}\n", b->identical ? "true" : "false");
    return !b->identical;
}
