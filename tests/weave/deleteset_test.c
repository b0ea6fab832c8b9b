/* deleteset_test.c -- ranges against a bitmap. */
#include <stdlib.h>

#include "t.h"
#include "weave/deleteset_int.h"

#define UNITS 300

static uint32_t next(uint32_t *seed) {      /* xorshift */
    *seed ^= *seed << 13;
    *seed ^= *seed >> 17;
    *seed ^= *seed << 5;
    return *seed;
}

static uint32_t mark(bool *map, struct range r) {
    uint32_t added = 0;
    for (uint32_t i = r.clock; i < r.clock + r.len; i++) {
        added += !map[i];
        map[i] = true;
    }
    return added;
}

/* Sorted, apart, and exactly the units of the map. */
static bool equals(const struct ranges *r, const bool *map) {
    bool seen[UNITS] = { 0 };
    for (size_t i = 0; i < r->n; i++) {
        if (r->at[i].len == 0) return false;
        if (i > 0 && r->at[i].clock <= r->at[i - 1].clock + r->at[i - 1].len) return false;
        mark(seen, r->at[i]);
    }
    return memcmp(seen, map, sizeof seen) == 0;
}

static struct range random_range(uint32_t *seed) {
    uint32_t clock = next(seed) % (UNITS - 20);
    return (struct range){ clock, next(seed) % 20 };
}

static void adding_counts_what_is_new(void) {
    for (uint32_t round = 1; round <= 200; round++) {
        uint32_t seed = round * 7919;
        struct ranges r = { 0 };
        bool map[UNITS] = { 0 };
        for (int i = 0; i < 40; i++) {
            struct range add = random_range(&seed);
            check(ranges_add(&r, add) == mark(map, add));
            check(equals(&r, map));
        }
        ranges_deinit(&r);
    }
}

static void gaps_are_what_is_left(void) {
    for (uint32_t round = 1; round <= 200; round++) {
        uint32_t seed = round * 104729;
        struct ranges r = { 0 };
        bool map[UNITS] = { 0 };
        for (int i = 0; i < 15; i++) {
            struct range add = random_range(&seed);
            ranges_add(&r, add);
            mark(map, add);
        }
        struct range within = random_range(&seed), gap;
        uint32_t end = within.clock + within.len, expect = 0, found = 0;
        for (uint32_t i = within.clock; i < end; i++) expect += !map[i];
        while (ranges_gap(&r, within, &gap)) {
            for (uint32_t i = gap.clock; i < gap.clock + gap.len; i++) check(!map[i]);
            found += gap.len;
            within = (struct range){ gap.clock + gap.len, end - gap.clock - gap.len };
        }
        check(found == expect);
        ranges_deinit(&r);
    }
}

static void union_of_many(void) {
    for (uint32_t round = 1; round <= 200; round++) {
        uint32_t seed = round * 31337;
        struct ranges r = { 0 };
        struct delete_set s = { 0 };
        bool map[UNITS] = { 0 };
        for (int i = 0; i < 20; i++) {
            struct range add = random_range(&seed);
            ranges_add(&r, add);
            mark(map, add);
        }
        for (uint32_t i = 0; i < 5 + round % 40; i++) {
            struct range add = random_range(&seed);
            if (add.len == 0) continue;
            delete_set_add(&s, (struct deleted){ 1, add.clock, add.len });
            mark(map, add);
        }
        delete_set_sort(&s);
        ranges_union(&r, s.at, s.n);
        check(equals(&r, map));
        ranges_deinit(&r);
        delete_set_deinit(&s);
    }
}

static void the_same_ranges_stay_few(void) {
    struct delete_set s = { 0 };
    for (uint32_t i = 0; i < 1000000; i++)
        delete_set_add(&s, (struct deleted){ i % 7, i % 13 * 2, 1 });
    check(s.cap <= 4096);
    delete_set_sort(&s);
    check(s.n == 7 * 13);
    check(delete_set_units(&s) == 7 * 13);
    check(s.at[0].client == 6 && s.at[s.n - 1].client == 0);
    delete_set_deinit(&s);
}

int main(void) {
    run(adding_counts_what_is_new);
    run(gaps_are_what_is_left);
    run(union_of_many);
    run(the_same_ranges_stay_few);
    return t_exit();
}
