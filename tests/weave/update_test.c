/* update_test.c -- merge, diff, state vectors and ids on npm yjs' own bytes. */
#include <stdlib.h>

#include "base/buf.h"
#include "t.h"
#include "vectors.h"

#include <weave.h>

struct bytes { uint8_t at[VECTOR_MAX]; size_t len; };

static struct bytes from_hex(const char *hex) {
    struct bytes b;
    b.len = unhex(hex, b.at);
    return b;
}

static struct weave_bytes view(const struct bytes *b) { return (struct weave_bytes){ b->at, b->len }; }

static void to_buf(void *ctx, const uint8_t *at, size_t len) { buf_put(ctx, at, len); }

static struct weave_sink sink(struct buf *b) {
    buf_init(b, SIZE_MAX / 2);
    return (struct weave_sink){ to_buf, b };
}

/* Compares and frees. */
static bool is_hex(struct buf *b, const char *hex) {
    struct bytes want = from_hex(hex);
    bool same = b->len == want.len && (b->len == 0 || memcmp(b->at, want.at, b->len) == 0);
    for (size_t i = 0; !same && i < b->len; i++) fprintf(stderr, "%s%02x", i ? "" : "# got ", b->at[i]);
    if (!same) fprintf(stderr, ", want %s\n", hex);
    buf_deinit(b);
    return same;
}

static const char *const abc[] = { "0101010004010174016100", "01010101840100016200",
                                   "01010102840101016300" };

static bool merges_to(const char *const *hex, size_t n, const char *want) {
    struct bytes b[8];
    struct weave_bytes u[8];
    struct buf out;
    struct weave_sink s = sink(&out);
    for (size_t i = 0; i < n; i++) {
        b[i] = from_hex(hex[i]);
        u[i] = view(&b[i]);
    }
    return weave_update_merge(u, n, s) == 0 && is_hex(&out, want);
}

static void merge_fills_holes_with_skip(void) {
    const char *two[] = { abc[2], abc[0] };
    check(merges_to(two, 2, "010301000401017401610a01840101016300"));       /* T11 */
}

static void merge_joins_typing(void) {
    const char *three[] = { abc[1], abc[2], abc[0] };
    check(merges_to(three, 3, "01010100040101740361626300"));               /* T11, stored form */
}

static void merge_drops_and_cuts_what_is_covered(void) {
    const char *overlap[] = { "010101000401017402616200", "01010100040101740361626300", abc[1] };
    check(merges_to(overlap, 3, "01010100040101740361626300"));
}

static void merge_fills_the_holes_of_others(void) {
    const char *two[] = { "010301000401017401610a01840101016300", abc[1] };     /* a, a hole, c; then b */
    check(merges_to(two, 2, "01010100040101740361626300"));
}

static void e1_only_true_neighbours_join(void) {
    static const char *const apart[] = {
        "0102010044020001" "61" "c401000201" "0162" "00",   /* another right origin */
        "010201000401017401" "61" "c401000200" "0162" "00", /* a right origin, and none before */
        "0103010004010174026162" "8401000163" "8401010164" "00",   /* behind other units than the last */
        "0102010028" "01016d016b" "017d01" "a80100" "017d02" "00", /* two values of a key */
        "010201000401017401" "61" "850100" "027b7d" "00",   /* text, then an embed */
    };
    for (size_t i = 0; i < sizeof apart / sizeof *apart; i++) check(merges_to(apart + i, 1, apart[i]));
    const char *tombstones[] = { "0102010021" "01016d016b" "01" "a10100" "01" "0101010002" };
    check(merges_to(tombstones, 1, "0101010021" "01016d016b" "02" "0101010002"));
    const char *values[] = { "01020100080101610" "17d01" "880100" "017d02" "00" };
    check(merges_to(values, 1, "0101010008010161" "027d017d02" "00"));
}

static void merge_of_nothing_is_empty(void) {
    check(merges_to(NULL, 0, "0000"));
    const char *skip[] = { "010101000a0500" };
    check(merges_to(skip, 1, "0000"));
}

static void merge_orders_clients(void) {
    /* Client 1 before 2, and client 1 twice: as Yjs would have written it. */
    const char *odd[] = { "03" "010100040101740161" "010200040101740142" "0101018401000162" "00" };
    check(merges_to(odd, 1, "02" "010200040101740142" "01010004010174026162" "00"));
}

static void merge_unites_deletions(void) {
    const char *sets[] = { "00010101" "0101", "00010101" "0202", "00010201" "0001" };
    check(merges_to(sets, 3, "0002" "02010001" "01010103"));
}

static void merge_keeps_every_vector(void) {
    for (size_t i = 0; i < N_VECTORS; i++) {
        struct bytes b = from_hex(vectors[i].v1);
        struct weave_bytes u[2] = { view(&b), view(&b) };
        struct buf one, two;
        struct weave_sink s1 = sink(&one), s2 = sink(&two);
        check(weave_update_merge(u, 1, s1) == 0 && weave_update_merge(u, 2, s2) == 0);
        check(one.len == two.len && memcmp(one.at, two.at, one.len) == 0);
        buf_deinit(&one);
        buf_deinit(&two);
    }
}

static bool diffs_to(const char *update, const char *state, const char *want) {
    struct bytes u = from_hex(update), v = from_hex(state);
    struct buf out;
    struct weave_sink s = sink(&out);
    return weave_update_diff(view(&u), view(&v), s) == 0 && is_hex(&out, want);
}

static void diff_cuts_by_state(void) {
    const char *hello = "01010100040101740568656c6c6f00";
    check(diffs_to(hello, "010102", "01010102840101036c6c6f00"));           /* T12 */
    check(diffs_to("010201002101016d016b01a80100017d02" "0101010001", "010101",
                   "01010101a80100017d02" "0101010001"));
    check(diffs_to(hello, "010105", "0000"));
    check(diffs_to(hello, "010109", "0000"));
    check(diffs_to(hello, "00", hello));
    check(diffs_to(hello, "", hello));
    check(diffs_to("010301000401017401610a01840101016300", "010101", "01010102840101016300"));
    /* T10: a pair cut in half. */
    check(diffs_to("01010100040101740661f09f98806200", "010102", "01010102840101" "04efbfbd62" "00"));
}

static void state_is_the_contiguous_part(void) {
    static const struct { const char *update, *state; } cases[] = {
        { "01010100040101740361626300", "010103" },
        { "010301000401017401610a01840101016300", "010101" },           /* up to the Skip */
        { "01010102840101016300", "00" },                               /* does not start at 0 */
        { "0202ac0200840101016381ac0200010201000101017401840100016202ac0201010101010001",
          "02ac02020102" },                                             /* T15 */
        { "0000", "00" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct bytes u = from_hex(cases[i].update);
        struct buf out;
        struct weave_sink s = sink(&out);
        check(weave_update_state(view(&u), s) == 0 && is_hex(&out, cases[i].state));
    }
}

struct seen { uint64_t clients[16]; size_t n, stop; };

static bool see(void *ctx, uint64_t client) {
    struct seen *s = ctx;
    s->clients[s->n++ % 16] = client;
    return s->n != s->stop;
}

static void clients_are_all_that_are_named(void) {
    /* client 5: origin (6,0), right (7,0); then parent (8,0); deletions of 9. */
    struct bytes u = from_hex("01020500c4060007000161040008000161010901" "0001");
    struct seen all = { .stop = 99 }, some = { .stop = 2 };
    check(weave_update_clients(view(&u), see, &all) == 0);
    check(all.n == 5 && all.clients[0] == 5 && all.clients[1] == 6 && all.clients[2] == 7
          && all.clients[3] == 8 && all.clients[4] == 9);
    check(weave_update_clients(view(&u), see, &some) == WEAVE_INVALID && some.n == 2);
}

static void empty_is_empty(void) {
    static const struct { const char *hex; bool empty; } cases[] = {
        { "0000", true }, { "01000100" "00", true }, { "0001010100" "01", false },
        { "0001010100" "00", true }, { "0101010004010174016100", false }, { "00", false },
        { "010101000a0500", true },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct bytes u = from_hex(cases[i].hex);
        check(weave_update_is_empty(view(&u)) == cases[i].empty);
    }
}

static bool keep_entry(void *ctx, uint64_t client, uint64_t clock) {
    *(uint64_t *)ctx += client * 1000 + clock;
    return true;
}

static void state_vectors_are_walked_and_checked(void) {
    struct bytes v = from_hex("0202050103");
    uint64_t sum = 0;
    check(weave_state_each(view(&v), keep_entry, &sum) == 0 && sum == 3008);
    for (size_t n = 1; n < v.len; n++)
        check(weave_state_each((struct weave_bytes){ v.at, n }, keep_entry, &sum) == WEAVE_INVALID);
    struct bytes trailing = from_hex("010103" "00");
    check(weave_state_each(view(&trailing), keep_entry, &sum) == WEAVE_INVALID);
}

static void malformed_is_refused_everywhere(void) {
    for (size_t i = 0; i < N_VECTORS; i++) {
        struct bytes b = from_hex(vectors[i].v1);
        for (size_t n = 0; n < b.len; n++) {
            struct weave_bytes cut = { b.at, n }, none = { NULL, 0 };
            struct seen seen = { .stop = SIZE_MAX };
            struct buf out;
            struct weave_sink s = sink(&out);
            check(weave_update_check(cut) == WEAVE_INVALID);
            check(weave_update_merge(&cut, 1, s) == WEAVE_INVALID);
            check(weave_update_diff(cut, none, s) == WEAVE_INVALID);
            check(weave_update_state(cut, s) == WEAVE_INVALID);
            check(weave_update_clients(cut, see, &seen) == WEAVE_INVALID);
            check(!weave_update_is_empty(cut));
            check(out.len == 0);            /* nothing was written on an error */
            buf_deinit(&out);
        }
    }
}

int main(void) {
    run(merge_fills_holes_with_skip);
    run(merge_joins_typing);
    run(merge_drops_and_cuts_what_is_covered);
    run(merge_fills_the_holes_of_others);
    run(e1_only_true_neighbours_join);
    run(merge_of_nothing_is_empty);
    run(merge_orders_clients);
    run(merge_unites_deletions);
    run(merge_keeps_every_vector);
    run(diff_cuts_by_state);
    run(state_is_the_contiguous_part);
    run(clients_are_all_that_are_named);
    run(empty_is_empty);
    run(state_vectors_are_walked_and_checked);
    run(malformed_is_refused_everywhere);
    return t_exit();
}
