/* relay.c -- the relay: what is known of a document without integrating it. One owner, any thread.
 *
 * An update is read twice: once whole, to check it (nothing is kept of a malformed one), once by
 * the plan, which says what is new. Only then does anything change, and nothing can fail any more. */
#include <stdlib.h>

#include "base/must.h"
#include "weave/relay_int.h"

#define UNITS_EMPTY_MAX 10000000u   /* GC and Deleted in one update: no clock runs away */
#define SCRATCH_KEPT ((size_t)64 << 10)
#define CLIENT_COST 512             /* memory of a client with one small struct, at most */

struct weave_relay *weave_relay_new(size_t bytes_max) {
    struct weave_relay *r = calloc(1, sizeof *r);

    must(r);
    r->bytes_max = bytes_max;
    struct buf *bufs[] = { &r->ordered, &r->effective, &r->pending, &r->deletions, &r->state };
    for (size_t i = 0; i < sizeof bufs / sizeof *bufs; i++) buf_init(bufs[i], SIZE_MAX / 2);
    return r;
}

void weave_relay_free(struct weave_relay *r) {
    if (!r) return;
    for (size_t i = 0; i < r->n; i++) client_log_free(r->clients[i].log);
    struct buf *bufs[] = { &r->ordered, &r->effective, &r->pending, &r->deletions, &r->state };
    for (size_t i = 0; i < sizeof bufs / sizeof *bufs; i++) buf_deinit(bufs[i]);
    free(r->clients);
    plan_deinit(&r->plan);
    update_deinit(&r->update);
    state_deinit(&r->have);
    free(r);
}

struct client_log *relay_find(const struct weave_relay *r, uint64_t client) {
    size_t low = 0, high = r->n;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (r->clients[middle].client > client) low = middle + 1;
        else high = middle;
    }
    return low < r->n && r->clients[low].client == client ? r->clients[low].log : NULL;
}

size_t weave_relay_bytes(const struct weave_relay *r) {
    const struct plan *p = &r->plan;

    return sizeof *r + r->cap * sizeof *r->clients + r->logs_memory + r->ordered.cap
           + r->effective.cap + r->pending.cap + r->deletions.cap + r->state.cap
           + p->cap * sizeof *p->blocks + p->stack_cap * sizeof *p->stack
           + p->missing_cap * sizeof *p->missing
           + (p->deletions.cap + p->unknown.cap) * sizeof *p->deletions.at
           + r->update.cap * sizeof *r->update.blocks + r->have.cap * sizeof *r->have.at;
}

size_t weave_relay_encoded(const struct weave_relay *r) {
    return r->encoded + r->n * 12 + r->n_ranges * 5;
}

/* ---- applying ----------------------------------------------------------------------------- */

/* Scratch that one large update needed is not kept for the many small ones. */
static void trim_buf(struct buf *b) {
    size_t max = b->max;

    if (b->cap > SCRATCH_KEPT) {
        buf_deinit(b);
        buf_init(b, max);
    }
    buf_reset(b);
}

static void trim_scratch(struct weave_relay *r) {
    struct plan *p = &r->plan;

    trim_buf(&r->ordered);
    trim_buf(&r->effective);
    trim_buf(&r->pending);
    if (p->cap * sizeof *p->blocks > SCRATCH_KEPT || p->deletions.cap + p->unknown.cap > 4096
        || p->missing_cap > 4096) plan_deinit(p);
    if (r->update.cap > 1024) update_deinit(&r->update);
    if (r->have.cap > 4096) state_deinit(&r->have);
}

/* Makes logs for the clients seen for the first time: one pass, however many. */
static void add_clients(struct weave_relay *r, struct plan *p) {
    size_t i = r->n, k = r->n + p->clients_new;

    if (p->clients_new == 0) return;
    if (k > r->cap) {
        r->cap = k + k / 4;
        r->clients = realloc(r->clients, r->cap * sizeof *r->clients);
        must(r->clients);
    }
    r->n = k;
    for (size_t j = p->n; j-- > 0;) {       /* both descend: merged from the back */
        struct plan_block *b = &p->blocks[j];
        if (b->log || b->n_fits == 0) continue;
        while (i > 0 && r->clients[i - 1].client < b->client) r->clients[--k] = r->clients[--i];
        b->log = calloc(1, sizeof *b->log);
        must(b->log);
        b->log->client = b->client;
        r->logs_memory += sizeof *b->log;
        r->clients[--k] = (struct relay_client){ b->client, b->log };
    }
}

static void account(struct weave_relay *r, int64_t grown) {
    r->logs_memory = (size_t)((int64_t)r->logs_memory + grown);
}

static void append_structs(struct weave_relay *r, const struct plan_block *b) {
    struct decode d = b->fits;
    struct decoded s;
    size_t encoded = b->log->encoded, n_ranges = b->log->deleted.n;

    d.structs = b->n_fits;
    for (uint32_t cut = b->cut; decode_struct(&d, &s); cut = 0) {
        struct decoded part = struct_from(&s, cut);
        account(r, client_log_append(b->log, &part));
    }
    must(decode_is_done(&d) && b->log->clock == b->clock);
    r->encoded += b->log->encoded - encoded;
    r->n_ranges += b->log->deleted.n - n_ranges;
}

static void add_deletions(struct weave_relay *r, const struct delete_set *s) {
    for (size_t i = 0, end; i < s->n; i = end) {
        for (end = i; end < s->n && s->at[end].client == s->at[i].client; end++) {}
        struct client_log *log = relay_find(r, s->at[i].client);
        must(log);
        size_t encoded = log->encoded, n_ranges = log->deleted.n;
        account(r, client_log_delete(log, s->at + i, end - i));
        r->encoded += log->encoded - encoded;
        r->n_ranges += log->deleted.n - n_ranges;
    }
}

static void commit(struct weave_relay *r) {
    struct plan *p = &r->plan;

    add_clients(r, p);
    for (size_t i = 0; i < p->n; i++)
        if (p->blocks[i].n_fits > 0) append_structs(r, &p->blocks[i]);
    add_deletions(r, &p->deletions);
    if (p->deletions.n > 0 || p->units_empty > 0) r->has_deletions = false;
    if (p->has_structs) r->has_state = false;
}

/* An empty relay is loading what grew step by step under the limit; the estimate, which is too high
 * by a factor of three at most, must not refuse that. */
static size_t memory_max(const struct weave_relay *r) {
    return r->n > 0 || r->bytes_max > SIZE_MAX / 4 ? r->bytes_max : 4 * r->bytes_max;
}

/* Would it pass the limit? More than it will need: the structs, and what holds them. */
static bool is_too_large(const struct weave_relay *r) {
    const struct plan *p = &r->plan;
    uint64_t more = p->bytes_new + p->bytes_new / 4 + p->clients_new * CLIENT_COST
                    + p->deletions.n * 3 * sizeof(struct range);

    if (!p->has_structs && p->deletions.n == 0) return false;
    return r->logs_memory + r->cap * sizeof *r->clients + more > memory_max(r);
}

/* ---- the effect --------------------------------------------------------------------------- */

static void encode_fits(const struct plan_block *b, struct buf *out) {
    struct decode d = b->fits;
    struct decoded s;
    struct tail tail = { 0 };

    d.structs = b->n_fits;
    must(decode_struct(&d, &s));
    struct decoded first = struct_from(&s, b->cut);
    buf_uint(out, b->n_fits);
    buf_uint(out, b->client);
    buf_uint(out, first.clock);
    encode_struct(out, &tail, &first);
    buf_put(out, s.end, (size_t)(b->fits.end - s.end));
}

static void encode_effective(const struct plan *p, struct buf *out) {
    uint64_t n = 0;

    for (size_t i = 0; i < p->n; i++) n += p->blocks[i].n_fits > 0;
    buf_uint(out, n);
    for (size_t i = 0; i < p->n; i++)
        if (p->blocks[i].n_fits > 0) encode_fits(&p->blocks[i], out);
    delete_set_write(&p->deletions, out);
}

static void encode_pending(const struct plan *p, const struct update *u, struct buf *out) {
    uint64_t n = 0;

    for (size_t i = 0; i < p->n; i++) n += p->blocks[i].is_waiting;
    buf_uint(out, n);
    for (size_t i = 0; i < p->n; i++) {
        const struct plan_block *b = &p->blocks[i];
        if (!b->is_waiting) continue;
        buf_uint(out, b->rest.structs);
        buf_uint(out, b->client);
        buf_uint(out, b->rest.clock);
        buf_put(out, b->rest.at, (size_t)(u->blocks[i].end - b->rest.at));
    }
    delete_set_write(&p->unknown, out);
}

/* Encodes what the received bytes will not do for; they may be gone after the call. */
static void report(struct weave_relay *r, struct weave_bytes update, struct weave_effect *effect) {
    struct plan *p = &r->plan;

    *effect = (struct weave_effect){ 0 };
    if (p->has_structs || p->deletions.n > 0) {
        if (p->is_whole) {
            effect->update = r->ordered.len > 0 ? bytes_of(&r->ordered) : update;
        } else {
            encode_effective(p, &r->effective);
            effect->update = bytes_of(&r->effective);
        }
    }
    if (!p->has_waiting) return;
    encode_pending(p, &r->update, &r->pending);
    effect->pending = bytes_of(&r->pending);
    effect->missing = p->missing;
    effect->n_missing = p->n_missing;
}

int weave_relay_apply(struct weave_relay *r, struct weave_bytes update,
                      struct weave_effect *effect) {
    *effect = (struct weave_effect){ 0 };
    trim_scratch(r);
    r->update.max = r->n + memory_max(r) / CLIENT_COST + 64;     /* more clients cannot fit */
    int e = update_read_ordered(&r->update, update, &r->ordered);
    if (e) return e;
    plan_make(&r->plan, r, &r->update);
    if (r->n > 0 && r->plan.units_empty > UNITS_EMPTY_MAX) return WEAVE_INVALID;
    if (is_too_large(r)) return WEAVE_TOO_LARGE;
    report(r, update, effect);
    commit(r);
    must(!r->effective.bad && !r->pending.bad);
    return 0;
}

/* ---- answering ---------------------------------------------------------------------------- */

static void encode_state(const struct weave_relay *r, struct buf *out) {
    buf_reset(out);
    buf_uint(out, r->n);
    for (size_t i = 0; i < r->n; i++) {
        buf_uint(out, r->clients[i].client);
        buf_uint(out, r->clients[i].log->clock);
    }
}

void weave_relay_state(const struct weave_relay *r, struct weave_sink out) {
    struct buf b;

    if (r->has_state) {
        sink_put(out, r->state.at, r->state.len);
        return;
    }
    buf_init(&b, SIZE_MAX / 2);
    encode_state(r, &b);
    sink_put(out, b.at, b.len);
    buf_deinit(&b);
}

static void encode_deletions(struct weave_relay *r) {
    uint64_t n = 0;

    buf_reset(&r->deletions);
    for (size_t i = 0; i < r->n; i++) n += r->clients[i].log->deleted.n > 0;
    buf_uint(&r->deletions, n);
    for (size_t i = 0; i < r->n; i++) {
        const struct ranges *ranges = &r->clients[i].log->deleted;
        if (ranges->n == 0) continue;
        buf_uint(&r->deletions, r->clients[i].client);
        buf_uint(&r->deletions, ranges->n);
        for (size_t j = 0; j < ranges->n; j++) {
            buf_uint(&r->deletions, ranges->at[j].clock);
            buf_uint(&r->deletions, ranges->at[j].len);
        }
    }
    r->has_deletions = true;
}

/* The clock the asker has of clients[i]; *at walks its state vector, which descends likewise. */
static uint64_t asker_clock(const struct weave_relay *r, size_t i, size_t *at) {
    while (*at < r->have.n && r->have.at[*at].client > r->clients[i].client) ++*at;
    if (*at == r->have.n || r->have.at[*at].client != r->clients[i].client) return 0;
    return r->have.at[*at].clock;
}

static void write_structs(const struct weave_relay *r, struct weave_sink out) {
    uint64_t n = 0;

    for (size_t i = 0, at = 0; i < r->n; i++)
        n += asker_clock(r, i, &at) < r->clients[i].log->clock;
    sink_uint(out, n);
    for (size_t i = 0, at = 0; i < r->n; i++) {
        uint64_t clock = asker_clock(r, i, &at);
        if (clock < r->clients[i].log->clock)
            client_log_since(r->clients[i].log, (uint32_t)clock, out);
    }
}

int weave_relay_since(struct weave_relay *r, struct weave_bytes state, struct weave_sink out) {
    if (!r->has_state) {
        encode_state(r, &r->state);
        r->has_state = true;
    }
    if (!r->has_deletions) encode_deletions(r);
    if (state.len == r->state.len && memcmp(state.at, r->state.at, state.len) == 0) {
        sink_uint(out, 0);          /* a reconnect that missed nothing */
    } else {
        int e = state_read(&r->have, state);
        if (e) return e;
        write_structs(r, out);
    }
    sink_put(out, r->deletions.at, r->deletions.len);
    return 0;
}
