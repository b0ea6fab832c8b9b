/* merge.c -- many updates into one. Any thread.
 *
 * The unit of the merge is the block: every block of every update is one run of structs in clock
 * order. Blocks are sorted by (client descending, clock); those of one client are merged through a
 * binary heap keyed by the clock each has reached, so k blocks of m structs cost O(m log k). What
 * is covered is dropped, an overlap is cut, a hole becomes a Skip, neighbours are joined (E-1). */
#include <stdlib.h>

#include "base/must.h"
#include "weave/encode_int.h"
#include "weave/update_int.h"

static int by_client_and_clock(const void *a, const void *b) {
    const struct block *x = a, *y = b;

    if (x->client != y->client) return x->client > y->client ? -1 : 1;
    if (x->clock != y->clock) return x->clock < y->clock ? -1 : 1;
    return x->at < y->at ? -1 : x->at > y->at;      /* the same bytes, the same result */
}

static void sink_down(struct block *heap, size_t n) {
    for (size_t i = 0, child; (child = 2 * i + 1) < n; i = child) {
        if (child + 1 < n && heap[child + 1].clock < heap[child].clock) child++;
        if (heap[i].clock <= heap[child].clock) return;
        struct block swap = heap[i];
        heap[i] = heap[child];
        heap[child] = swap;
    }
}

struct merge {              /* one client's structs on their way out */
    struct buf *out;
    struct tail tail;
    uint64_t n;             /* structs written */
    uint32_t first, next;   /* clocks: of the first struct written, and the one wanted next */
};

static void take(struct merge *m, const struct decoded *s) {
    uint32_t from = 0;

    if (s->kind == KIND_SKIP) return;
    if (m->n == 0) {
        m->first = m->next = s->clock;
    } else if (s->clock > m->next) {
        struct decoded hole = struct_skip((struct id){ s->client, m->next }, s->clock - m->next);
        m->n += encode_struct(m->out, &m->tail, &hole);
    } else if (s->clock < m->next) {
        from = m->next - s->clock;
    }
    if (from >= s->len) return;
    struct decoded rest = struct_from(s, from);
    m->n += encode_struct(m->out, &m->tail, &rest);
    m->next = s->clock + s->len;
}

/* Merges blocks of one client, sorted: a valid heap. They are used up. */
static void merge_client(struct block *heap, size_t n, struct merge *m) {
    while (n > 0) {
        struct decode d = block_structs(&heap[0]);
        struct decoded s;
        uint32_t until = CLOCK_MAX;         /* run on while no other block is behind */
        for (size_t i = 1; i <= 2 && i < n; i++)
            if (heap[i].clock < until) until = heap[i].clock;
        do {
            if (!decode_struct(&d, &s)) break;
            take(m, &s);
        } while (d.clock <= until);
        heap[0].at = d.at;
        heap[0].n = d.structs;
        heap[0].clock = (uint32_t)d.clock;
        if (d.structs == 0) heap[0] = heap[--n];
        sink_down(heap, n);
    }
}

static void write_client(struct block *blocks, size_t n, struct buf *out, struct buf *scratch) {
    struct merge m = { .out = scratch };
    uint64_t client = blocks[0].client;

    buf_reset(scratch);
    merge_client(blocks, n, &m);
    buf_uint(out, m.n);
    buf_uint(out, client);
    buf_uint(out, m.first);
    buf_slice(out, buf_view(scratch));
}

static bool has_structs(const struct block *b) {
    struct decode d = block_structs(b);
    struct decoded s;

    while (decode_struct(&d, &s))
        if (s.kind != KIND_SKIP) return true;
    return false;
}

/* Drops the blocks that hold nothing but Skips; returns how many clients are left. */
static uint64_t drop_empty(struct update *u) {
    uint64_t clients = 0;
    size_t n = 0;

    for (size_t i = 0; i < u->n; i++) {
        if (!has_structs(&u->blocks[i])) continue;
        if (n == 0 || u->blocks[n - 1].client != u->blocks[i].client) clients++;
        u->blocks[n++] = u->blocks[i];
    }
    u->n = n;
    return clients;
}

static void write_merged(struct update *u, struct delete_set *deletions, struct weave_sink out) {
    struct buf bytes, scratch;

    buf_init(&bytes, SIZE_MAX / 2);
    buf_init(&scratch, SIZE_MAX / 2);
    if (u->n > 0) qsort(u->blocks, u->n, sizeof *u->blocks, by_client_and_clock);
    buf_uint(&bytes, drop_empty(u));
    for (size_t i = 0, end; i < u->n; i = end) {
        for (end = i; end < u->n && u->blocks[end].client == u->blocks[i].client; end++) {}
        write_client(u->blocks + i, end - i, &bytes, &scratch);
        sink_put(out, bytes.at, bytes.len);
        buf_reset(&bytes);
    }
    delete_set_sort(deletions);
    delete_set_write(deletions, &bytes);
    sink_put(out, bytes.at, bytes.len);
    must(!bytes.bad && !scratch.bad);
    buf_deinit(&scratch);
    buf_deinit(&bytes);
}

int weave_update_merge(const struct weave_bytes *updates, size_t n, struct weave_sink out) {
    struct update u = { 0 };
    struct delete_set deletions = { 0 };
    int e = 0;

    for (size_t i = 0; i < n && !e; i++) {
        e = update_read(&u, updates[i]);
        if (e) break;
        struct deleted range;
        struct decode d = update_ranges(&u);
        while (decode_range(&d, &range)) delete_set_add(&deletions, range);
    }
    if (!e) write_merged(&u, &deletions, out);
    update_deinit(&u);
    delete_set_deinit(&deletions);
    return e;
}
