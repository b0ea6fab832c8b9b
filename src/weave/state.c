/* state.c -- state vectors: client and next clock. Any thread. */
#include <stdlib.h>

#include "base/must.h"
#include "weave/update_int.h"

int weave_state_each(struct weave_bytes state,
                     bool (*on_entry)(void *ctx, uint64_t client, uint64_t clock), void *ctx) {
    if (state.len == 0) return 0;
    struct reader r = { .at = state.at, .end = state.at + state.len };
    for (uint64_t n = read_uint(&r); n > 0 && !r.bad; n--) {
        uint64_t client = read_uint(&r), clock = read_uint(&r);
        if (!r.bad && !on_entry(ctx, client, clock)) return WEAVE_INVALID;
    }
    return r.bad || r.at != r.end ? WEAVE_INVALID : 0;
}

static bool state_add(void *ctx, uint64_t client, uint64_t clock) {
    struct state *s = ctx;

    if (s->n == s->cap) {
        s->cap = s->cap ? s->cap * 2 : 8;
        s->at = realloc(s->at, s->cap * sizeof *s->at);
        must(s->at);
    }
    s->at[s->n++] = (struct state_entry){ client, clock };
    return true;
}

static int descending(const void *a, const void *b) {
    const struct state_entry *x = a, *y = b;

    if (x->client != y->client) return x->client > y->client ? -1 : 1;
    return x->clock < y->clock ? -1 : x->clock > y->clock;
}

int state_read(struct state *s, struct weave_bytes bytes) {
    bool ordered = true;

    s->n = 0;
    int e = weave_state_each(bytes, state_add, s);
    if (e) return e;
    for (size_t i = 1; i < s->n && ordered; i++) ordered = s->at[i - 1].client > s->at[i].client;
    if (!ordered) qsort(s->at, s->n, sizeof *s->at, descending);
    size_t n = 0;
    for (size_t i = 0; i < s->n; i++)
        if (n == 0 || s->at[n - 1].client != s->at[i].client) s->at[n++] = s->at[i];
    s->n = n;
    return 0;
}

uint64_t state_clock(const struct state *s, uint64_t client) {
    size_t low = 0, high = s->n;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (s->at[middle].client > client) low = middle + 1;
        else high = middle;
    }
    return low < s->n && s->at[low].client == client ? s->at[low].clock : 0;
}

void state_deinit(struct state *s) {
    free(s->at);
    *s = (struct state){ 0 };
}
