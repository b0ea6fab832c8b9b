/* deleteset.c -- ranges of deleted units. Any thread; each object has one owner. */
#include "weave/deleteset_int.h"

#include <stdlib.h>

#include "base/must.h"

/* ---- one client's ranges ------------------------------------------------------------------ */

void ranges_deinit(struct ranges *r) {
    free(r->at);
    *r = (struct ranges){ 0 };
}

static uint32_t range_end(struct range r) { return r.clock + r.len; }

/* Index of the first range that ends at `clock` or later. */
static size_t first_reaching(const struct ranges *r, uint32_t clock) {
    size_t low = 0, high = r->n;

    if (r->n > 0 && range_end(r->at[r->n - 1]) < clock) return r->n;    /* as when loading */
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (range_end(r->at[middle]) < clock) low = middle + 1;
        else high = middle;
    }
    return low;
}

static void ranges_reserve(struct ranges *r, size_t n) {
    if (n <= r->cap) return;
    size_t cap = r->cap + r->cap / 2 + 4;
    if (cap < n) cap = n;
    r->at = realloc(r->at, cap * sizeof *r->at);
    must(r->at);
    r->cap = cap;
}

uint32_t ranges_add(struct ranges *r, struct range add) {
    if (add.len == 0) return 0;
    size_t from = first_reaching(r, add.clock), to = from;
    uint32_t clock = add.clock, end = range_end(add), had = 0;

    for (; to < r->n && r->at[to].clock <= range_end(add); to++) {      /* joined with these */
        struct range other = r->at[to];
        uint32_t low = other.clock > add.clock ? other.clock : add.clock;
        uint32_t high = range_end(other) < range_end(add) ? range_end(other) : range_end(add);
        if (high > low) had += high - low;
        if (other.clock < clock) clock = other.clock;
        if (range_end(other) > end) end = range_end(other);
    }
    if (to == from) ranges_reserve(r, r->n + 1);
    if (to != from + 1)
        memmove(r->at + from + 1, r->at + to, (r->n - to) * sizeof *r->at);
    r->n = r->n + 1 - (to - from);
    r->at[from] = (struct range){ clock, end - clock };
    return add.len - had;
}

/* Merges from the back, so that many ranges cost one pass and no second array. */
static void merge_back(struct ranges *r, const struct deleted *add, size_t n) {
    size_t i = r->n, j = n, k = r->n + n;

    ranges_reserve(r, k);
    while (j > 0) {
        if (i > 0 && r->at[i - 1].clock > add[j - 1].clock) r->at[--k] = r->at[--i];
        else j--, r->at[--k] = (struct range){ add[j].clock, add[j].len };
    }
    size_t last = 0;
    for (k = 1; k < r->n + n; k++) {
        struct range next = r->at[k];
        struct range *open = &r->at[last];
        if (next.clock > range_end(*open)) r->at[++last] = next;
        else if (range_end(next) > range_end(*open)) open->len = range_end(next) - open->clock;
    }
    r->n = last + 1;
}

void ranges_union(struct ranges *r, const struct deleted *add, size_t n) {
    if (n >= 16 && n >= r->n / 16) {
        merge_back(r, add, n);
        return;
    }
    for (size_t i = 0; i < n; i++) ranges_add(r, (struct range){ add[i].clock, add[i].len });
}

bool ranges_gap(const struct ranges *r, struct range within, struct range *gap) {
    uint32_t clock = within.clock, end = range_end(within);

    if (within.len == 0) return false;
    size_t i = first_reaching(r, clock);
    if (i < r->n && range_end(r->at[i]) == clock) i++;
    if (i < r->n && r->at[i].clock <= clock) {
        clock = range_end(r->at[i]);        /* ranges never touch: a unit of gap follows */
        i++;
    }
    if (clock >= end) return false;
    if (i < r->n && r->at[i].clock < end) end = r->at[i].clock;
    *gap = (struct range){ clock, end - clock };
    return true;
}

/* ---- many clients' ------------------------------------------------------------------------ */

void delete_set_deinit(struct delete_set *s) {
    free(s->at);
    *s = (struct delete_set){ 0 };
}

static int by_client_and_clock(const void *a, const void *b) {
    const struct deleted *x = a, *y = b;

    if (x->client != y->client) return x->client > y->client ? -1 : 1;
    return x->clock < y->clock ? -1 : x->clock > y->clock;
}

void delete_set_sort(struct delete_set *s) {
    bool sorted = true;

    for (size_t i = 1; i < s->n && sorted; i++)
        sorted = by_client_and_clock(&s->at[i - 1], &s->at[i]) <= 0;
    if (!sorted) qsort(s->at, s->n, sizeof *s->at, by_client_and_clock);
    size_t last = 0;
    for (size_t i = 1; i < s->n; i++) {
        struct deleted *open = &s->at[last], next = s->at[i];
        uint32_t end = open->clock + open->len, next_end = next.clock + next.len;
        if (next.client != open->client || next.clock > end) s->at[++last] = next;
        else if (next_end > end) open->len = next_end - open->clock;
    }
    if (s->n > 0) s->n = last + 1;
}

void delete_set_add(struct delete_set *s, struct deleted d) {
    if (s->n > 0) {         /* the common orders join at once */
        struct deleted *open = &s->at[s->n - 1];
        if (open->client == d.client && open->clock + open->len == d.clock) {
            open->len += d.len;
            return;
        }
    }
    if (s->n == s->cap) {
        if (s->n > 1024) delete_set_sort(s);    /* the same ranges a million times stay few */
        if (s->n > s->cap / 2 || s->cap == 0) {
            size_t cap = s->cap ? s->cap * 2 : 8;
            s->at = realloc(s->at, cap * sizeof *s->at);
            must(s->at);
            s->cap = cap;
        }
    }
    s->at[s->n++] = d;
}

uint64_t delete_set_units(const struct delete_set *s) {
    uint64_t units = 0;

    for (size_t i = 0; i < s->n; i++) units += s->at[i].len;
    return units;
}

static size_t same_client(const struct delete_set *s, size_t i) {
    size_t j = i;

    while (j < s->n && s->at[j].client == s->at[i].client) j++;
    return j;
}

void delete_set_write(const struct delete_set *s, struct buf *b) {
    uint64_t clients = 0;

    for (size_t i = 0; i < s->n; i = same_client(s, i)) clients++;
    buf_uint(b, clients);
    for (size_t i = 0; i < s->n;) {
        size_t end = same_client(s, i);
        buf_uint(b, s->at[i].client);
        buf_uint(b, end - i);
        for (; i < end; i++) {
            buf_uint(b, s->at[i].clock);
            buf_uint(b, s->at[i].len);
        }
    }
}
