/* client_log.c -- one client's structs, searched and cleaned by chunks. Owned by a relay. */
#include "weave/client_log_int.h"

#include <stdlib.h>

#include "base/must.h"
#include "base/utf8.h"

#define TOMBSTONE_RUN_MIN 64    /* units: below it the headers of the parts cost more */
#define DEAD_MIN 16             /* units deleted before a chunk is looked at */

size_t client_log_memory(const struct client_log *l) {
    size_t bytes = sizeof *l + l->cap * sizeof *l->chunks + l->deleted.cap * sizeof *l->deleted.at;

    for (uint32_t i = 0; i < l->n; i++) bytes += l->chunks[i].cap;
    return bytes;
}

void client_log_free(struct client_log *l) {
    for (uint32_t i = 0; i < l->n; i++) free(l->chunks[i].at);
    free(l->chunks);
    ranges_deinit(&l->deleted);
    free(l);
}

/* ---- chunks ------------------------------------------------------------------------------- */

/* A chunk's bytes as a buf, and back. */
static struct buf open_chunk(const struct chunk *c) {
    return (struct buf){ .at = c->at, .len = c->len, .cap = c->cap, .max = UINT32_MAX };
}

static int64_t close_chunk(struct chunk *c, const struct buf *b) {
    int64_t grown = (int64_t)b->cap - c->cap;

    must(!b->bad);
    c->at = b->at;
    c->len = (uint32_t)b->len;
    c->cap = (uint32_t)b->cap;
    return grown;
}

static int64_t shrink(struct chunk *c) {
    int64_t spare = (int64_t)c->cap - c->len;

    if (spare == 0 || c->len == 0) return 0;
    uint8_t *at = realloc(c->at, c->len);
    must(at);
    c->at = at;
    c->cap = c->len;
    return -spare;
}

static int64_t new_chunk(struct client_log *l) {
    int64_t grown = l->n > 0 ? shrink(&l->chunks[l->n - 1]) : 0;

    if (l->n == l->cap) {
        uint32_t cap = l->cap ? l->cap + l->cap / 2 + 1 : 1;    /* most clients need one */
        l->chunks = realloc(l->chunks, cap * sizeof *l->chunks);
        must(l->chunks);
        grown += (int64_t)((cap - l->cap) * sizeof *l->chunks);
        l->cap = cap;
    }
    l->chunks[l->n++] = (struct chunk){ .clock = l->clock };
    l->tail = (struct tail){ 0 };
    return grown;
}

/* Index of the chunk that holds `clock`. */
static uint32_t chunk_of(const struct client_log *l, uint32_t clock) {
    uint32_t low = 0, high = l->n;

    if (l->chunks[l->n - 1].clock <= clock) return l->n - 1;
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (l->chunks[middle].clock <= clock) low = middle;
        else high = middle;
    }
    return low;
}

static struct decode chunk_structs(const struct client_log *l, const struct chunk *c) {
    return decode_structs((struct id){ l->client, c->clock }, c->n, c->at, c->at + c->len);
}

static bool is_tombstone(const struct decoded *s) {
    return s->kind == KIND_GC || s->kind == KIND_DELETED;
}

int64_t client_log_append(struct client_log *l, const struct decoded *s) {
    int64_t grown = 0;

    must(s->clock == l->clock && s->kind != KIND_SKIP);
    const struct chunk *last = l->n > 0 ? &l->chunks[l->n - 1] : NULL;
    if (!last || last->len >= CHUNK_BYTES || last->n >= CHUNK_STRUCTS)
        grown += new_chunk(l);
    struct chunk *c = &l->chunks[l->n - 1];
    struct buf b = open_chunk(c);
    l->encoded -= c->len;
    if (encode_struct(&b, &l->tail, s)) c->n++;
    grown += close_chunk(c, &b);
    l->encoded += c->len;
    l->clock += s->len;
    if (is_tombstone(s)) {
        size_t cap = l->deleted.cap;
        ranges_add(&l->deleted, (struct range){ s->clock, s->len });
        grown += (int64_t)((l->deleted.cap - cap) * sizeof *l->deleted.at);
    } else {
        c->live += s->len;
    }
    return grown;
}

/* ---- cleaning ----------------------------------------------------------------------------- */

struct rewrite {
    struct client_log *log;
    struct buf out;
    struct tail tail;
    struct chunk chunk;     /* n and live of what was written */
};

static void put(struct rewrite *w, const struct decoded *s) {
    w->chunk.n += encode_struct(&w->out, &w->tail, s);
    if (!is_tombstone(s)) w->chunk.live += s->len;
}

/* The next run of deleted units at or behind `from` in s that is worth a tombstone. */
static bool deleted_run(const struct ranges *deleted, const struct decoded *s, uint32_t from,
                        struct range *run) {
    uint32_t clock = s->clock + from, end = s->clock + s->len;
    struct range gap = { 0 };

    while (clock < end) {       /* a run ends where a gap in the deletions begins */
        if (!ranges_gap(deleted, (struct range){ clock, end - clock }, &gap))
            gap = (struct range){ end, 0 };
        if (gap.clock - clock >= TOMBSTONE_RUN_MIN) {
            *run = (struct range){ clock - s->clock, gap.clock - clock };
            return true;
        }
        clock = gap.clock + gap.len;
    }
    return false;
}

/* Narrows a run so that neither end cuts a surrogate pair; `text` starts at unit `from`. */
static void spare_pairs(struct slice text, uint32_t from, struct range *run) {
    bool inside;
    size_t at = utf8_offset(text, run->clock - from, &inside);

    if (inside) {
        run->clock++;
        run->len--;
        at += 4;
    }
    utf8_offset((struct slice){ text.at + at, text.len - at }, run->len, &inside);
    if (inside) run->len--;
}

/* A string that lives in part: long deleted runs become tombstones. Walks its text once. */
static void put_string(struct rewrite *w, const struct decoded *s) {
    struct decoded rest = *s;
    struct range run;
    uint32_t from = 0;      /* where rest starts in s */

    while (deleted_run(&w->log->deleted, s, from, &run)) {
        spare_pairs(rest.text, from, &run);
        if (run.clock > from) {
            struct decoded live = struct_part(&rest, 0, run.clock - from);
            put(w, &live);
            rest = struct_from(&rest, run.clock - from);
        }
        struct decoded dead = struct_deleted(&rest, 0, run.len);
        put(w, &dead);
        from = run.clock + run.len;
        if (from == s->len) return;
        rest = struct_from(&rest, run.len);
    }
    put(w, &rest);
}

static void put_clean(struct rewrite *w, const struct decoded *s) {
    struct range whole = { s->clock, s->len }, gap;

    if (is_tombstone(s) || s->kind == KIND_TYPE || s->kind == KIND_DOC) {
        put(w, s);
    } else if (!ranges_gap(&w->log->deleted, whole, &gap)) {
        struct decoded dead = struct_deleted(s, 0, s->len);
        put(w, &dead);
    } else if (s->kind == KIND_STRING) {
        put_string(w, s);
    } else {
        put(w, s);
    }
}

/* Writes the chunks [first, last] anew, as one. */
static int64_t rewrite(struct client_log *l, uint32_t first, uint32_t last) {
    struct rewrite w = { .log = l, .chunk = { .clock = l->chunks[first].clock } };
    int64_t grown = 0;

    buf_init(&w.out, UINT32_MAX);
    for (uint32_t i = first; i <= last; i++) {
        struct decode d = chunk_structs(l, &l->chunks[i]);
        struct decoded s;
        while (decode_struct(&d, &s)) put_clean(&w, &s);
        must(decode_is_done(&d));
        grown -= l->chunks[i].cap;
        l->encoded -= l->chunks[i].len;
        free(l->chunks[i].at);
    }
    grown += close_chunk(&w.chunk, &w.out);
    if (last + 1 == l->n) l->tail = w.tail;
    grown += shrink(&w.chunk);
    l->encoded += w.chunk.len;
    l->chunks[first] = w.chunk;
    memmove(l->chunks + first + 1, l->chunks + last + 1, (l->n - last - 1) * sizeof *l->chunks);
    l->n -= last - first;
    return grown;
}

static bool fit_together(const struct chunk *a, const struct chunk *b) {
    return a->n + b->n <= CHUNK_STRUCTS && a->len + b->len <= CHUNK_BYTES;
}

static int64_t clean(struct client_log *l, uint32_t i) {
    int64_t grown = rewrite(l, i, i);

    if (i + 1 < l->n && fit_together(&l->chunks[i], &l->chunks[i + 1]))
        grown += rewrite(l, i, i + 1);
    if (i > 0 && fit_together(&l->chunks[i - 1], &l->chunks[i]))
        grown += rewrite(l, i - 1, i);
    return grown;
}

/* Cleans the chunks under a range that are mostly dead. */
static int64_t clean_range(struct client_log *l, struct deleted range) {
    uint32_t first = chunk_of(l, range.clock), i = chunk_of(l, range.clock + range.len - 1) + 1;
    int64_t grown = 0;

    while (i-- > first) {
        if (i >= l->n) continue;
        const struct chunk *c = &l->chunks[i];
        if (c->dead >= DEAD_MIN && c->dead > c->live) grown += clean(l, i);
    }
    return grown;
}

static void mark_dead(struct chunk *c, uint32_t units) {
    c->dead += units;
    c->live -= units < c->live ? units : c->live;
}

int64_t client_log_delete(struct client_log *l, const struct deleted *ranges, size_t n) {
    size_t cap = l->deleted.cap;
    int64_t grown = 0;

    ranges_union(&l->deleted, ranges, n);
    grown += (int64_t)((l->deleted.cap - cap) * sizeof *l->deleted.at);
    for (size_t j = 0; j < n; j++) {
        uint32_t clock = ranges[j].clock, end = clock + ranges[j].len;
        for (uint32_t i = chunk_of(l, clock); i < l->n && l->chunks[i].clock < end; i++) {
            uint32_t chunk_end = i + 1 < l->n ? l->chunks[i + 1].clock : l->clock;
            uint32_t until = end < chunk_end ? end : chunk_end;
            mark_dead(&l->chunks[i], until - clock);
            clock = until;
        }
    }
    for (size_t j = n; j-- > 0;)        /* backwards: cleaning may take the chunks behind */
        grown += clean_range(l, ranges[j]);
    return grown;
}

/* ---- reading ------------------------------------------------------------------------------ */

void client_log_since(const struct client_log *l, uint32_t clock, struct weave_sink out) {
    uint32_t i = chunk_of(l, clock);
    struct decode d = chunk_structs(l, &l->chunks[i]);
    struct decoded s;
    uint64_t n = 0;

    while (decode_struct(&d, &s) && s.clock + s.len <= clock) {}
    n = d.structs + 1;
    for (uint32_t j = i + 1; j < l->n; j++) n += l->chunks[j].n;
    sink_uint(out, n);
    sink_uint(out, l->client);
    sink_uint(out, clock);
    if (clock > s.clock) {
        struct decoded cut = struct_from(&s, clock - s.clock);
        struct tail tail = { 0 };
        struct buf b;
        buf_init(&b, UINT32_MAX);
        encode_struct(&b, &tail, &cut);
        sink_put(out, b.at, b.len);
        buf_deinit(&b);
    } else {
        sink_put(out, s.at, (size_t)(s.end - s.at));
    }
    sink_put(out, s.end, (size_t)(d.end - s.end));
    for (uint32_t j = i + 1; j < l->n; j++) sink_put(out, l->chunks[j].at, l->chunks[j].len);
}
