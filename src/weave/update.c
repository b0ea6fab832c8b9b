/* update.c -- updates as bytes, without a document: check, diff, state vector, ids. Any thread.
 * An update whose clients do not descend, or that has a client twice, is first brought into
 * order by the merge, so everything behind sees what Yjs itself would have written. */
#include "weave/update_int.h"

#include <stdlib.h>

#include "base/must.h"
#include "weave/encode_int.h"

static bool add_block(struct update *u, const struct decode *d, const uint8_t *at) {
    if (u->max > 0 && u->n == u->max) return false;
    if (u->n == u->cap) {
        u->cap = u->cap ? u->cap * 2 : 4;
        u->blocks = realloc(u->blocks, u->cap * sizeof *u->blocks);
        must(u->blocks);
    }
    u->blocks[u->n++] = (struct block){ .client = d->client, .n = d->structs, .at = at,
                                        .clock = (uint32_t)d->clock };
    return true;
}

int update_read(struct update *u, struct weave_bytes bytes) {
    struct decode d = decode_of(bytes);
    struct decoded s;
    struct deleted range;

    u->is_ordered = true;
    u->units_deleted = 0;
    while (decode_block(&d)) {
        if (d.structs == 0) continue;
        if (u->n > 0 && u->blocks[u->n - 1].client <= d.client) u->is_ordered = false;
        if (!add_block(u, &d, d.at)) return WEAVE_TOO_LARGE;
        while (decode_struct(&d, &s)) {}
        u->blocks[u->n - 1].end = d.at;
    }
    u->deletions = d.at;
    u->end = d.end;
    while (decode_range(&d, &range)) u->units_deleted += range.len;
    return decode_is_done(&d) ? 0 : WEAVE_INVALID;
}

struct decode update_ranges(const struct update *u) {
    return (struct decode){ .at = u->deletions, .end = u->end };
}

void update_deinit(struct update *u) {
    free(u->blocks);
    *u = (struct update){ 0 };
}

int weave_update_check(struct weave_bytes update) {
    struct decode d = decode_of(update);
    struct deleted range;

    while (decode_block(&d)) {}
    while (decode_range(&d, &range)) {}
    return decode_is_done(&d) ? 0 : WEAVE_INVALID;
}

bool weave_update_is_empty(struct weave_bytes update) {
    struct decode d = decode_of(update);
    struct decoded s;
    struct deleted range;
    bool empty = true;

    while (decode_block(&d))
        while (decode_struct(&d, &s))
            if (s.kind != KIND_SKIP) empty = false;
    while (decode_range(&d, &range)) empty = false;
    return empty && decode_is_done(&d);
}

/* ---- ids ---------------------------------------------------------------------------------- */

static bool name_clients(const struct decoded *s, bool (*on_client)(void *, uint64_t), void *ctx) {
    uint64_t own = s->client;       /* named with its block */

    if ((s->info & INFO_ORIGIN) && s->origin.client != own && !on_client(ctx, s->origin.client))
        return false;
    if ((s->info & INFO_RIGHT) && s->right.client != own && !on_client(ctx, s->right.client))
        return false;
    return s->parent != PARENT_ID || s->parent_id.client == own
           || on_client(ctx, s->parent_id.client);
}

int weave_update_clients(struct weave_bytes update, bool (*on_client)(void *ctx, uint64_t client),
                         void *ctx) {
    struct decode d = decode_of(update);
    struct decoded s;
    struct deleted range = { .client = UINT64_MAX };

    while (decode_block(&d)) {
        if (!on_client(ctx, d.client)) return WEAVE_INVALID;
        while (decode_struct(&d, &s))
            if (s.kind != KIND_SKIP && s.kind != KIND_GC && !name_clients(&s, on_client, ctx))
                return WEAVE_INVALID;
    }
    for (uint64_t last = UINT64_MAX; decode_range(&d, &range); last = range.client)
        if (range.client != last && !on_client(ctx, range.client)) return WEAVE_INVALID;
    return decode_is_done(&d) ? 0 : WEAVE_INVALID;
}

/* ---- order -------------------------------------------------------------------------------- */

int update_read_ordered(struct update *u, struct weave_bytes bytes, struct buf *hold) {
    u->n = 0;
    int e = update_read(u, bytes);
    if (e || u->is_ordered) return e;
    buf_reset(hold);
    e = weave_update_merge(&bytes, 1, sink_into(hold));
    u->n = 0;
    return e ? e : update_read(u, bytes_of(hold));
}

/* ---- state vector ------------------------------------------------------------------------- */

/* Where the block's contiguous beginning ends: its first Skip, or its end. */
static uint32_t contiguous(const struct block *b) {
    struct decode d = block_structs(b);
    struct decoded s;
    uint32_t clock = b->clock;

    while (decode_struct(&d, &s) && s.kind != KIND_SKIP) clock += s.len;
    return clock;
}

int weave_update_state(struct weave_bytes update, struct weave_sink out) {
    struct update u = { 0 };
    struct buf hold, entries;
    uint64_t n = 0;

    buf_init(&hold, SIZE_MAX / 2);
    buf_init(&entries, SIZE_MAX / 2);
    int e = update_read_ordered(&u, update, &hold);
    for (size_t i = 0; !e && i < u.n; i++) {
        uint32_t clock = u.blocks[i].clock == 0 ? contiguous(&u.blocks[i]) : 0;
        if (clock == 0) continue;
        n++;
        buf_uint(&entries, u.blocks[i].client);
        buf_uint(&entries, clock);
    }
    if (!e) {
        sink_uint(out, n);
        sink_put(out, entries.at, entries.len);
    }
    buf_deinit(&entries);
    buf_deinit(&hold);
    update_deinit(&u);
    return e;
}

/* ---- diff --------------------------------------------------------------------------------- */

/* Narrows the block to what is above `clock`: s is its first struct. False: nothing is. */
static bool above(struct block *b, uint64_t clock, struct decoded *s) {
    struct decode d = block_structs(b);

    while (decode_struct(&d, s)) {
        if (s->kind != KIND_SKIP && (uint64_t)s->clock + s->len > clock) return true;
        b->n--;
        b->at = d.at;
        b->clock += s->len;
    }
    return false;
}

static void write_above(const struct block *b, const struct decoded *first, uint64_t clock,
                        struct weave_sink out) {
    uint32_t from = clock > first->clock ? (uint32_t)(clock - first->clock) : 0;
    struct decoded cut = struct_from(first, from);
    struct tail tail = { 0 };
    struct buf bytes;

    buf_init(&bytes, SIZE_MAX / 2);
    encode_struct(&bytes, &tail, &cut);
    sink_uint(out, b->n);
    sink_uint(out, b->client);
    sink_uint(out, cut.clock);
    sink_put(out, bytes.at, bytes.len);
    sink_put(out, first->end, (size_t)(b->end - first->end));
    buf_deinit(&bytes);
}

static void write_diff(const struct update *u, const struct state *have, struct weave_sink out) {
    uint64_t n = 0;
    struct decoded s;

    for (size_t i = 0; i < u->n; i++) {
        struct block b = u->blocks[i];
        if (above(&b, state_clock(have, b.client), &s)) n++;
    }
    sink_uint(out, n);
    for (size_t i = 0; i < u->n; i++) {
        struct block b = u->blocks[i];
        uint64_t clock = state_clock(have, b.client);
        if (above(&b, clock, &s)) write_above(&b, &s, clock, out);
    }
    sink_put(out, u->deletions, (size_t)(u->end - u->deletions));
}

int weave_update_diff(struct weave_bytes update, struct weave_bytes state, struct weave_sink out) {
    struct update u = { 0 };
    struct state have = { 0 };
    struct buf hold;

    buf_init(&hold, SIZE_MAX / 2);
    int e = state_read(&have, state);
    if (!e) e = update_read_ordered(&u, update, &hold);
    if (!e) write_diff(&u, &have, out);
    buf_deinit(&hold);
    update_deinit(&u);
    state_deinit(&have);
    return e;
}
