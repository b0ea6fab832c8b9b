/* diff.c -- the shortest edit script between two texts. Any thread; pure.
 *
 * A problem is a rectangle: characters [a, a + n) of the one text against [b, b + m) of the other.
 * What is equal at both its ends is cut off; if one side is empty then, the rest is an edit. Else
 * the middle of a shortest path is found by searching from both corners at once, and the two
 * rectangles before and behind it are solved in turn. Each holds half the edits, so the recursion
 * is as deep as the logarithm of their number. */
#include "merge/diff.h"

#include <stdlib.h>

#include "base/err.h"
#include "base/must.h"
#include "base/utf8.h"

#define DISTANCE_MAX 2048           /* edits on half a path; above it a rectangle is replaced */

struct rectangle {
    const uint32_t *a, *b;          /* code points */
    int64_t n, m;
};

struct search {
    int64_t steps;                  /* left */
    int32_t *reach[2];              /* by diagonal: how far along a, from the start and the end */
    struct diff *out;
    /* Where the last edit ended, so that code points become units and bytes in one walk. */
    const uint32_t *a, *b;          /* the whole texts */
    size_t a_index, a_units;
    size_t b_index, b_byte;
    struct slice after;
};

static size_t to_points(struct slice text, uint32_t *points) {
    size_t n = 0;

    for (size_t i = 0; i < text.len; n++) {
        uint8_t lead = text.at[i];
        size_t len = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
        uint32_t point = len == 1 ? lead : lead & (0xffu >> (len + 1));
        for (size_t j = 1; j < len; j++) point = point << 6 | (text.at[i + j] & 0x3fu);
        points[n] = point;
        i += len;
    }
    return n;
}

static size_t units_of(uint32_t point) { return point >= 0x10000 ? 2 : 1; }

static size_t bytes_of(uint32_t point) {
    return point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
}

/* ---- edits ---------------------------------------------------------------------------------- */

static struct diff_edit *new_edit(struct diff *d) {
    if (d->n == d->cap) {
        d->cap = d->cap ? d->cap * 2 : 8;
        d->edits = realloc(d->edits, d->cap * sizeof *d->edits);
        must(d->edits);
    }
    return &d->edits[d->n++];
}

static void emit(struct search *s, const struct rectangle *r) {
    size_t a = (size_t)(r->a - s->a), b = (size_t)(r->b - s->b);
    struct diff_edit *edit = s->out->n ? &s->out->edits[s->out->n - 1] : NULL;

    if (!edit || a != s->a_index || b != s->b_index) {
        while (s->a_index < a) s->a_units += units_of(s->a[s->a_index++]);
        while (s->b_index < b) s->b_byte += bytes_of(s->b[s->b_index++]);
        edit = new_edit(s->out);
        *edit = (struct diff_edit){ (uint32_t)s->a_units, 0, { s->after.at + s->b_byte, 0 } };
    }
    for (int64_t i = 0; i < r->n; i++) {
        edit->delete_units += (uint32_t)units_of(r->a[i]);
        s->a_units += units_of(r->a[i]);
    }
    for (int64_t i = 0; i < r->m; i++) s->b_byte += bytes_of(r->b[i]);
    edit->insert.len = (size_t)(s->after.at + s->b_byte - edit->insert.at);
    s->a_index = a + (size_t)r->n;
    s->b_index = b + (size_t)r->m;
}

/* ---- search --------------------------------------------------------------------------------- */

struct path { int64_t x, y, u, v; };    /* equal characters: from (x, y) to (u, v) */

/* One more edit on diagonal k = x - y from one corner: how far it gets, in `reach`. */
static void extend(struct search *s, const struct rectangle *r, bool backward, int64_t d, int64_t k,
                   struct path *p) {
    int32_t *reach = s->reach[backward];
    bool down = k == -d || k - 1 < -r->m;       /* the neighbour diagonal below does not exist */
    bool right = k == d || k + 1 > r->n;

    if (!down && !right) down = reach[k - 1] < reach[k + 1];
    p->x = d == 0 ? 0 : down ? reach[k + 1] : reach[k - 1] + 1;
    p->y = p->x - k;
    p->u = p->x;
    p->v = p->y;
    while (p->u < r->n && p->v < r->m
           && (backward ? r->a[r->n - 1 - p->u] == r->b[r->m - 1 - p->v]
                        : r->a[p->u] == r->b[p->v])) p->u++, p->v++;
    s->steps -= 1 + p->u - p->x;
    reach[k] = (int32_t)p->u;
}

/* All diagonals with d edits from one corner; true when they meet those of the other corner. */
static bool step(struct search *s, const struct rectangle *r, bool backward, int64_t d,
                 struct path *p) {
    int64_t delta = r->n - r->m, other_d = backward ? d : d - 1;
    bool may_meet = (delta % 2 != 0) == !backward;
    int64_t from = d <= r->m ? -d : -r->m + (d - r->m) % 2;
    int64_t to = d <= r->n ? d : r->n - (d - r->n) % 2;

    for (int64_t k = from; k <= to; k += 2) {
        extend(s, r, backward, d, k, p);
        int64_t other = delta - k;
        if (!may_meet || other < -other_d || other > other_d) continue;
        if (other < -r->m || other > r->n) continue;
        if (p->u + s->reach[!backward][other] < r->n) continue;
        if (backward)
            *p = (struct path){ r->n - p->u, r->m - p->v, r->n - p->x, r->m - p->y };
        return true;
    }
    return false;
}

static bool middle(struct search *s, const struct rectangle *r, struct path *p) {
    for (int64_t d = 0; d <= DISTANCE_MAX && s->steps > 0; d++) {
        if (step(s, r, false, d, p)) return true;
        if (step(s, r, true, d, p)) return true;
    }
    return false;
}

static void trim(struct rectangle *r) {
    while (r->n > 0 && r->m > 0 && *r->a == *r->b) r->a++, r->b++, r->n--, r->m--;
    while (r->n > 0 && r->m > 0 && r->a[r->n - 1] == r->b[r->m - 1]) r->n--, r->m--;
}

static void solve(struct search *s, struct rectangle r) {
    struct path p;

    for (;;) {
        trim(&r);
        if (r.n == 0 && r.m == 0) return;
        if (r.n == 0 || r.m == 0 || !middle(s, &r, &p)) {
            emit(s, &r);
            return;
        }
        solve(s, (struct rectangle){ r.a, r.b, p.x, p.y });
        r = (struct rectangle){ r.a + p.u, r.b + p.v, r.n - p.u, r.m - p.v };
    }
}

int diff_text(struct slice before, struct slice after, struct diff *out) {
    out->n = 0;
    if (!utf8_is_valid(before) || !utf8_is_valid(after)) return E_INVALID;
    if (slice_eq(before, after)) return E_OK;
    uint32_t *points = malloc((before.len + after.len + 1) * sizeof *points);
    int32_t *reach = malloc(2 * (2 * DISTANCE_MAX + 3) * sizeof *reach);
    must(points && reach);
    size_t n = to_points(before, points), m = to_points(after, points + n);
    struct search s = {
        .steps = DIFF_STEPS_MAX,
        .reach = { reach + DISTANCE_MAX + 1, reach + 3 * DISTANCE_MAX + 4 },
        .out = out, .a = points, .b = points + n, .after = after,
    };
    solve(&s, (struct rectangle){ points, points + n, (int64_t)n, (int64_t)m });
    free(reach);
    free(points);
    return E_OK;
}

void diff_deinit(struct diff *d) {
    free(d->edits);
    *d = (struct diff){ 0 };
}
