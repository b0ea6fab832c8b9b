/* plan.c -- decides what of an update fits. Owned by a relay; changes nothing but itself. */
#include <stdlib.h>

#include "base/must.h"
#include "weave/relay_int.h"

/* ---- clients and their clocks ------------------------------------------------------------- */

static struct plan_block *find_block(const struct plan *p, uint64_t client) {
    size_t low = 0, high = p->n;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (p->blocks[middle].client > client) low = middle + 1;
        else high = middle;
    }
    return low < p->n && p->blocks[low].client == client ? &p->blocks[low] : NULL;
}

static uint32_t known_clock(const struct plan *p, uint64_t client) {
    const struct plan_block *b = find_block(p, client);
    if (b) return b->clock;
    const struct client_log *log = relay_find(p->relay, client);
    return log ? log->clock : 0;
}

static void add_missing(struct plan *p, uint64_t client) {
    if (p->n_missing == p->missing_cap) {
        p->missing_cap = p->missing_cap ? p->missing_cap * 2 : 4;
        p->missing = realloc(p->missing, p->missing_cap * sizeof *p->missing);
        must(p->missing);
    }
    p->missing[p->n_missing++] = (struct weave_missing){ client, known_clock(p, client) };
}

/* ---- structs ------------------------------------------------------------------------------ */

/* Does s name a unit of another client that is not known? Then *needs is that unit. */
static bool is_early(const struct plan *p, const struct decoded *s, struct id *needs) {
    const struct id *ids[] = { s->info & INFO_ORIGIN ? &s->origin : NULL,
                               s->info & INFO_RIGHT ? &s->right : NULL,
                               s->parent == PARENT_ID ? &s->parent_id : NULL };

    if (s->kind == KIND_GC) return false;
    for (int i = 0; i < 3; i++) {
        if (!ids[i] || ids[i]->client == s->client) continue;
        if (ids[i]->clock < known_clock(p, ids[i]->client)) continue;
        *needs = *ids[i];
        return true;
    }
    return false;
}

static void fit(struct plan *p, struct plan_block *b, const struct decode *before,
                const struct decoded *s) {
    uint32_t cut = b->clock - s->clock;

    if (b->n_fits++ == 0) {
        b->fits = *before;
        b->cut = cut;
    }
    b->fits.end = s->end;
    b->clock = s->clock + s->len;
    p->bytes_new += (uint64_t)(s->end - s->at);
    if (s->kind == KIND_GC || s->kind == KIND_DELETED) p->units_empty += s->len - cut;
}

/* Goes on in a block while its clock is at most `until`. False: it waits, for *needs. */
static bool advance(struct plan *p, struct plan_block *b, uint64_t until, struct id *needs) {
    while (b->rest.structs > 0 && b->clock <= until) {
        struct decode before = b->rest;
        struct decoded s;
        must(decode_struct(&b->rest, &s));
        if (s.kind == KIND_SKIP || s.clock + s.len <= b->clock) {
            b->is_whole = false;
            continue;
        }
        bool hole = s.clock > b->clock;
        if (hole) *needs = (struct id){ b->client, b->clock };
        if (hole || is_early(p, &s, needs)) {
            b->rest = before;
            return false;
        }
        fit(p, b, &before, &s);
    }
    return true;
}

static void push(struct plan *p, const struct plan_block *b, uint64_t until) {
    if (p->depth == p->stack_cap) {
        p->stack_cap = p->stack_cap ? p->stack_cap * 2 : 8;
        p->stack = realloc(p->stack, p->stack_cap * sizeof *p->stack);
        must(p->stack);
    }
    struct plan_block *block = &p->blocks[b - p->blocks];
    block->is_on_stack = true;
    p->stack[p->depth++] = (struct plan_frame){ (uint32_t)(block - p->blocks), until };
}

static void all_wait(struct plan *p) {
    while (p->depth > 0) {
        struct plan_block *b = &p->blocks[p->stack[--p->depth].block];
        b->is_on_stack = false;
        b->is_waiting = true;
        p->has_waiting = true;
    }
}

/* Tries a block to its end, and before it whatever it turns out to need. */
static void try_block(struct plan *p, struct plan_block *b) {
    push(p, b, UINT64_MAX);
    while (p->depth > 0) {
        struct plan_frame top = p->stack[p->depth - 1];
        struct plan_block *block = &p->blocks[top.block];
        struct id needs;
        if (advance(p, block, top.until, &needs)) {
            block->is_on_stack = false;
            p->depth--;
            continue;
        }
        bool hole = needs.client == block->client;
        struct plan_block *other = hole ? NULL : find_block(p, needs.client);
        if (other && other->rest.structs > 0 && !other->is_waiting && !other->is_on_stack) {
            push(p, other, needs.clock);
            continue;
        }
        if (!other || !other->is_waiting) add_missing(p, needs.client); /* else it has asked */
        all_wait(p);
    }
}

static void take_blocks(struct plan *p, const struct update *u) {
    if (p->cap < u->n) {
        p->blocks = realloc(p->blocks, u->n * sizeof *p->blocks);
        must(p->blocks);
        p->cap = u->n;
    }
    p->n = u->n;
    for (size_t i = 0; i < u->n; i++) {
        struct client_log *log = relay_find(p->relay, u->blocks[i].client);
        p->blocks[i] = (struct plan_block){ .client = u->blocks[i].client, .log = log,
                                            .clock = log ? log->clock : 0, .is_whole = true,
                                            .rest = block_structs(&u->blocks[i]) };
    }
}

/* ---- deletions ---------------------------------------------------------------------------- */

static void plan_known(struct plan *p, const struct client_log *log, struct deleted range) {
    struct range gap, within = { range.clock, range.len };
    uint32_t end = range.clock + range.len;

    if (!log) delete_set_add(&p->deletions, range);
    while (log && ranges_gap(&log->deleted, within, &gap)) {
        delete_set_add(&p->deletions, (struct deleted){ range.client, gap.clock, gap.len });
        within.clock = gap.clock + gap.len;
        within.len = end - within.clock;
    }
}

static void plan_deletions(struct plan *p, const struct update *u) {
    struct decode d = update_ranges(u);
    struct deleted range;
    uint64_t client = UINT64_MAX;
    const struct plan_block *block = NULL;
    const struct client_log *log = NULL;

    while (decode_range(&d, &range)) {
        if (range.client != client) {
            client = range.client;
            block = find_block(p, client);
            log = block ? block->log : relay_find(p->relay, client);
        }
        uint32_t known = block ? block->clock : log ? log->clock : 0, end = range.clock + range.len;
        uint32_t middle = end < known ? end : known > range.clock ? known : range.clock;
        if (middle > range.clock)
            plan_known(p, log, (struct deleted){ client, range.clock, middle - range.clock });
        if (middle == end) continue;
        delete_set_add(&p->unknown, (struct deleted){ client, middle, end - middle });
        p->has_waiting = true;
        bool asked = p->n_missing > 0 && p->missing[p->n_missing - 1].client == client;
        if (!asked && !(block && block->is_waiting)) add_missing(p, client);
    }
    delete_set_sort(&p->deletions);
    delete_set_sort(&p->unknown);
}

/* ---- the plan ----------------------------------------------------------------------------- */

static int by_client(const void *a, const void *b) {
    const struct weave_missing *x = a, *y = b;

    if (x->client != y->client) return x->client < y->client ? -1 : 1;
    return x->clock < y->clock ? -1 : x->clock > y->clock;
}

/* Once per client; its clock is taken anew, for it may have grown since. */
static void sort_missing(struct plan *p) {
    size_t n = 0;

    if (p->n_missing > 1) qsort(p->missing, p->n_missing, sizeof *p->missing, by_client);
    for (size_t i = 0; i < p->n_missing; i++) {
        uint64_t client = p->missing[i].client;
        if (n > 0 && p->missing[n - 1].client == client) continue;
        p->missing[n++] = (struct weave_missing){ client, known_clock(p, client) };
    }
    p->n_missing = n;
}

void plan_make(struct plan *p, const struct weave_relay *relay, const struct update *u) {
    p->relay = relay;
    p->depth = p->n_missing = p->clients_new = 0;
    p->deletions.n = p->unknown.n = 0;
    p->bytes_new = p->units_empty = 0;
    p->has_structs = p->has_waiting = false;
    take_blocks(p, u);
    for (size_t i = 0; i < p->n; i++)
        if (!p->blocks[i].is_waiting) try_block(p, &p->blocks[i]);
    plan_deletions(p, u);
    sort_missing(p);
    p->is_whole = !p->has_waiting && delete_set_units(&p->deletions) == u->units_deleted;
    for (size_t i = 0; i < p->n; i++) {
        const struct plan_block *b = &p->blocks[i];
        if (b->n_fits > 0) p->has_structs = true;
        if (b->n_fits > 0 && !b->log) p->clients_new++;
        if (!b->is_whole || b->cut > 0) p->is_whole = false;
    }
}

void plan_deinit(struct plan *p) {
    free(p->blocks);
    free(p->stack);
    free(p->missing);
    delete_set_deinit(&p->deletions);
    delete_set_deinit(&p->unknown);
    *p = (struct plan){ 0 };
}
