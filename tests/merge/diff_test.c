/* diff_test.c -- edits lead from one text to the other, are minimal, and never cut a pair. */
#include "merge/diff.h"

#include <stdlib.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/utf8.h"
#include "t.h"

/* F-1: applies the edits; every position must be a character's edge. */
static bool leads_to(struct slice before, const struct diff *d, struct slice after) {
    struct buf out;
    size_t units = 0;
    bool good = true, inside;
    struct slice left = before;

    buf_init(&out, SIZE_MAX / 2);
    for (size_t i = 0; i < d->n; i++) {
        const struct diff_edit *e = &d->edits[i];
        good = good && e->at >= units && (i == 0 || e->at > units);         /* F-2 */
        size_t keep = utf8_offset(left, e->at - units, &inside);
        good = good && !inside;
        buf_put(&out, left.at, keep);
        left = (struct slice){ left.at + keep, left.len - keep };
        size_t drop = utf8_offset(left, e->delete_units, &inside);
        good = good && !inside;
        left = (struct slice){ left.at + drop, left.len - drop };
        buf_slice(&out, e->insert);
        units = e->at + e->delete_units;
    }
    buf_slice(&out, left);
    good = good && slice_eq(buf_view(&out), after);
    buf_deinit(&out);
    return good;
}

static void known_edits(void) {
    static const struct { const char *before, *after; size_t n; struct { uint32_t at, del; const char *ins; } e[2]; }
    cases[] = {
        { "", "", 0, { { 0 } } },
        { "same", "same", 0, { { 0 } } },
        { "", "new", 1, { { 0, 0, "new" } } },
        { "old", "", 1, { { 0, 3, "" } } },
        { "hello world", "hello brave world", 1, { { 6, 0, "brave " } } },
        { "abc", "axc", 1, { { 1, 1, "x" } } },
        { "one two three", "one 2 three!", 2, { { 4, 3, "2" }, { 13, 0, "!" } } },
        { "\xf0\x9f\x98\x80x", "\xf0\x9f\x98\x81x", 1, { { 0, 2, "\xf0\x9f\x98\x81" } } },  /* same high surrogate */
        { "a\xf0\x9f\x98\x80" "b", "a\xf0\x9f\x98\x80" "c", 1, { { 3, 1, "c" } } },
        { "\xc3\xa9t\xc3\xa9", "\xc3\xa9t\xc3\xa8", 1, { { 2, 1, "\xc3\xa8" } } },           /* same lead byte */
    };
    struct diff d = { 0 };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        check(diff_text(slice_of(cases[i].before), slice_of(cases[i].after), &d) == E_OK);
        check(d.n == cases[i].n);
        for (size_t j = 0; j < d.n && j < 2; j++) {
            check(d.edits[j].at == cases[i].e[j].at);
            check(d.edits[j].delete_units == cases[i].e[j].del);
            check(slice_is(d.edits[j].insert, cases[i].e[j].ins));
        }
    }
    diff_deinit(&d);
}

static void invalid_text_is_refused(void) {
    struct diff d = { 0 };
    check(diff_text(slice_of("\xff"), slice_of("a"), &d) == E_INVALID);
    check(diff_text(slice_of("a"), slice_of("\xed\xa0\x80"), &d) == E_INVALID);
    diff_deinit(&d);
}

static uint32_t next(uint32_t *seed) {
    *seed ^= *seed << 13;
    *seed ^= *seed >> 17;
    *seed ^= *seed << 5;
    return *seed;
}

static size_t random_text(uint32_t *seed, char *to, size_t characters) {
    static const char *const alphabet[] = { "a", "b", "c", "\xc3\xa9", "\xf0\x9f\x98\x80", "\xf0\x9f\x98\x81" };
    size_t n = 0;
    for (size_t i = 0; i < characters; i++) {
        const char *c = alphabet[next(seed) % 6];
        memcpy(to + n, c, strlen(c));
        n += strlen(c);
    }
    return n;
}

/* Edit distance without replacement, by the textbook table over code points. */
static size_t distance(struct slice a, struct slice b) {
    static size_t row[64][64];
    uint32_t p[2][64];
    size_t n[2] = { 0 };
    struct slice t[2] = { a, b };
    for (int k = 0; k < 2; k++)
        for (size_t i = 0; i < t[k].len; n[k]++) {
            size_t len = t[k].at[i] < 0x80 ? 1 : t[k].at[i] < 0xe0 ? 2 : 4;
            p[k][n[k]] = 0;
            for (size_t j = 0; j < len; j++) p[k][n[k]] = p[k][n[k]] << 8 | t[k].at[i++];
        }
    for (size_t i = 0; i <= n[0]; i++)
        for (size_t j = 0; j <= n[1]; j++) {
            if (i == 0 || j == 0) row[i][j] = i + j;
            else if (p[0][i - 1] == p[1][j - 1]) row[i][j] = row[i - 1][j - 1];
            else row[i][j] = 1 + (row[i - 1][j] < row[i][j - 1] ? row[i - 1][j] : row[i][j - 1]);
        }
    return row[n[0]][n[1]];
}

static size_t cost(struct slice before, const struct diff *d) {
    size_t n = 0;
    for (size_t i = 0; i < d->n; i++) {
        struct slice s = d->edits[i].insert;
        for (size_t j = 0; j < s.len; j++) n += (s.at[j] & 0xc0) != 0x80;
        bool inside;
        size_t from = utf8_offset(before, d->edits[i].at, &inside);
        size_t to = utf8_offset(before, d->edits[i].at + d->edits[i].delete_units, &inside);
        for (size_t j = from; j < to; j++) n += (before.at[j] & 0xc0) != 0x80;
    }
    return n;
}

static void f1_f3_random_texts(void) {
    struct diff d = { 0 };
    for (uint32_t round = 1; round <= 20000; round++) {
        uint32_t seed = round * 2654435761u;
        char a[256], b[256];
        struct slice before = { (uint8_t *)a, random_text(&seed, a, next(&seed) % 40) };
        struct slice after = { (uint8_t *)b, random_text(&seed, b, next(&seed) % 40) };
        check(diff_text(before, after, &d) == E_OK);
        check(leads_to(before, &d, after));
        check(cost(before, &d) == distance(before, after));
    }
    diff_deinit(&d);
}

/* Two large texts without anything in common: far beyond the budget, still right. */
static void f3_large_and_different(void) {
    size_t len = 200000;
    char *a = malloc(len), *b = malloc(len);
    struct diff d = { 0 };
    uint32_t seed = 7;
    for (size_t i = 0; i < len; i++) {
        a[i] = (char)('a' + next(&seed) % 26);
        b[i] = (char)('a' + next(&seed) % 26);
    }
    memcpy(b, a, 1000);
    memcpy(b + len - 1000, a + len - 1000, 1000);
    struct slice before = { (uint8_t *)a, len }, after = { (uint8_t *)b, len };
    check(diff_text(before, after, &d) == E_OK);
    check(leads_to(before, &d, after));
    check(d.n >= 1 && d.edits[0].at >= 1000);
    diff_deinit(&d);
    free(a);
    free(b);
}

int main(void) {
    run(known_edits);
    run(invalid_text_is_refused);
    run(f1_f3_random_texts);
    run(f3_large_and_different);
    return t_exit();
}
