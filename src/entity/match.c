#include "entity/match_int.h"

#include <stdlib.h>

#include "base/map.h"
#include "base/must.h"
#include "base/utf8.h"
#include "merge/diff.h"

#define SIMILAR_PAIRS_MAX 20000     /* comparisons of texts at one merge */

static void match_ends(const struct slice *a, size_t n_a, const struct slice *b, size_t n_b, size_t *to_a,
    bool *used) {
    size_t n = n_a < n_b ? n_a : n_b, front = 0, back = 0;

    while (front < n && slice_eq(a[front], b[front])) {
        to_a[front] = front;
        used[front++] = true;
    }
    while (back < n - front && slice_eq(a[n_a - 1 - back], b[n_b - 1 - back])) {
        to_a[n_b - 1 - back] = n_a - 1 - back;
        used[n_a - 1 - back] = true;
        back++;
    }
}


static void match_equal(const struct slice *a, size_t n_a, const struct slice *b, size_t n_b, size_t *to_a,
    bool *used) {
    struct map first;
    size_t *chain = calloc(n_a + 1, sizeof *chain);     /* chain[i]: 1 + the next equal one */

    must(chain);
    map_init(&first);
    for (size_t i = n_a; i-- > 0;) {
        if (used[i]) continue;
        struct slice key = { a[i].at ? a[i].at : (const uint8_t *)"", a[i].len };
        size_t *before = map_get(&first, key);
        chain[i] = before ? (size_t)(before - chain) + 1 : 0;
        map_put(&first, key, &chain[i]);
    }
    for (size_t j = 0; j < n_b; j++) {
        if (to_a[j] != MATCH_NONE) continue;
        size_t *at = map_get(&first, b[j]);
        while (at && used[at - chain]) at = *at ? &chain[*at - 1] : NULL;
        if (!at) continue;
        to_a[j] = (size_t)(at - chain);
        used[to_a[j]] = true;
    }
    map_deinit(&first);
    free(chain);
}

/* 2 * what is kept / both lengths, in UTF-16 units. */
static bool is_similar(struct slice a, struct slice b) {
    struct diff d = { 0 };
    size_t deleted = 0, before = utf8_units(a), after = utf8_units(b);
    size_t least = before < after ? before : after;

    if (10 * 2 * least < 6 * (before + after)) return false;     /* too different in length */
    if (diff_text(a, b, &d) < 0) return false;
    for (size_t i = 0; i < d.n; i++) deleted += d.edits[i].delete_units;
    diff_deinit(&d);
    return 10 * 2 * (before - deleted) >= 6 * (before + after);
}

static void match_similar(const struct slice *a, size_t n_a, const struct slice *b, size_t n_b, size_t *to_a,
    bool *used) {
    size_t from = 0, pairs = 0;

    for (size_t j = 0; j < n_b; j++) {
        if (to_a[j] != MATCH_NONE) continue;
        for (size_t i = from; i < n_a && pairs < SIMILAR_PAIRS_MAX; i++) {
            if (used[i]) continue;
            pairs++;
            if (!is_similar(a[i], b[j])) continue;
            to_a[j] = i;
            used[i] = true;
            from = i + 1;
            break;
        }
    }
}

void match_lists(const struct slice *a, size_t n_a, const struct slice *b, size_t n_b, size_t *to_a) {
    bool *used = calloc(n_a + 1, sizeof *used);

    must(used);
    for (size_t j = 0; j < n_b; j++) to_a[j] = MATCH_NONE;
    match_ends(a, n_a, b, n_b, to_a, used);
    match_equal(a, n_a, b, n_b, to_a, used);
    match_similar(a, n_a, b, n_b, to_a, used);
    free(used);
}

/* Longest ascending subsequence by patience: tails[k] ends a run of k + 1. */
void match_stays(const size_t *to_a, size_t n, bool *stays) {
    size_t *tails = calloc(n + 1, sizeof *tails), *before = calloc(n + 1, sizeof *before);
    size_t length = 0;

    must(tails && before);
    for (size_t j = 0; j < n; j++) {
        stays[j] = false;
        if (to_a[j] == MATCH_NONE) continue;
        size_t low = 0, high = length;
        while (low < high) {
            size_t middle = (low + high) / 2;
            if (to_a[tails[middle]] < to_a[j]) low = middle + 1;
            else high = middle;
        }
        before[j] = low > 0 ? tails[low - 1] : MATCH_NONE;
        tails[low] = j;
        if (low == length) length++;
    }
    for (size_t j = length ? tails[length - 1] : MATCH_NONE; j != MATCH_NONE; j = before[j]) stays[j] = true;
    free(tails);
    free(before);
}
