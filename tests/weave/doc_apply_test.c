/* doc_apply_test.c -- updates from outside: in any order, twice, torn, hostile. An update that is
 * refused leaves no trace (W1, R3); what cannot be integrated yet waits. */
#include "doc.h"

/* ---- all or nothing ------------------------------------------------------------------------------ */

struct look { struct buf whole, state; bool pending; size_t n_roots; };

static struct look look(struct weave *w) {
    struct look l = { .whole = whole(w), .pending = weave_has_pending(w) };
    struct weave_bytes name;
    weave_type t;
    weave_state(w, doc_sink(&l.state));
    while (weave_roots(w, l.n_roots, &name, &t)) l.n_roots++;
    return l;
}

static bool unchanged(struct weave *w, struct look *before) {
    struct look now = look(w);
    bool roots = now.n_roots == before->n_roots, pending = now.pending == before->pending;
    bool bytes = same(&now.whole, &before->whole), state = same(&now.state, &before->state);
    return roots && pending && bytes && state;
}

static int apply_bytes(struct weave *w, const uint8_t *at, size_t len) {
    uint8_t *exact = malloc(len ? len : 1);
    if (len) memcpy(exact, at, len);
    int rc = weave_apply(w, (struct weave_bytes){ exact, len }, NULL);
    free(exact);
    return rc;
}

/* A document with some of everything, something that waits included. */
static struct weave *busy(void) {
    struct weave *w = doc_of("0103c0843d00040101740661f09f98806284c0843d030163" "84c0843d040164" "00");
    check(apply_hex(w, "010201000401016e01782701016d026b3100" "00") == 0);
    check(apply_hex(w, "01010205840204017a" "00") == 0 && weave_has_pending(w));
    return w;
}

static void w1_every_prefix_is_refused_and_changes_nothing(void) {
    for (size_t i = 0; i < N_VECTORS; i++) {
        uint8_t bytes[VECTOR_MAX];
        size_t n = unhex(vectors[i].v1, bytes);
        struct weave *empty = weave_new(9, 0), *other = busy();
        for (size_t len = 0; len < n; len++) {
            struct look a = look(empty), b = look(other);
            check(apply_bytes(empty, bytes, len) == WEAVE_INVALID && unchanged(empty, &a));
            check(apply_bytes(other, bytes, len) == WEAVE_INVALID && unchanged(other, &b));
        }
        check(apply_bytes(empty, bytes, n) == 0);   /* and is taken after all of them as at first */
        struct weave *fresh = doc_of(vectors[i].v1);
        struct buf mine = whole(empty), its = whole(fresh);
        check(same(&mine, &its));
        weave_free(fresh);
        weave_free(empty);
        weave_free(other);
    }
}

static void flipped(const uint8_t *bytes, size_t n) {
    struct weave *w = busy();
    struct look before = look(w);
    if (apply_bytes(w, bytes, n) != 0) {
        check(unchanged(w, &before));
    } else {                        /* taken: then what it says now is an update like any other */
        struct buf all = whole(w);
        struct weave *copy = weave_new(9, 0);
        check(weave_update_check(view(&all)) == 0);
        check(weave_apply(copy, view(&all), NULL) == 0);
        buf_deinit(&all);
        buf_deinit(&before.whole);
        buf_deinit(&before.state);
        weave_free(copy);
    }
    weave_free(w);
}

static void w1_every_changed_byte_is_refused_or_sound(void) {
    static const uint8_t others[] = { 0x00, 0x01, 0x0a, 0x20, 0x40, 0x7f, 0x80, 0x84, 0xff };
    for (size_t i = 0; i < N_VECTORS; i++) {
        uint8_t bytes[VECTOR_MAX];
        size_t n = unhex(vectors[i].v1, bytes);
        for (size_t at = 0; at < n; at++) {
            uint8_t was = bytes[at];
            for (size_t k = 0; k < sizeof others; k++) {
                bytes[at] = others[k];
                flipped(bytes, n);
            }
            bytes[at] = was;
        }
    }
}

static void r3_hostile_updates_are_refused(void) {
    static const char *const hostile[] = {
        "0101010000ffffffff0f00",               /* T18: the clock runs away */
        "01010100040101740000",                 /* T18: a text of no length */
        "01010100000000",                       /* a GC struct of no length */
        "01010100" "0b0101740161" "00",         /* an unknown kind */
        "01010100" "0701017407" "00",           /* an unknown type */
        "01010100" "0401017402c328" "00",       /* not UTF-8 */
        "01010100" "0401017403eda080" "00",     /* half of a pair */
        "01010100" "0501017401" "7b" "00",      /* an embed that is not JSON */
        "01010100" "840105" "0161" "00",        /* behind a unit of its own that comes later */
        "01010100" "07000101" "00" "00",        /* in a type of its own that comes later */
        "ffffffff0f",                           /* more clients than bytes */
        "0101ffffffffffffff1f00" "0401017401" "61" "00",    /* a client of more than 53 bits */
        "00" "0101" "01" "ffffffff0f" "ffffffff0f",         /* a deletion past the clocks */
        "00" "ffffffff0f",
        "010101" "feffffff0f" "0401017403616161" "00",      /* the text passes the last clock */
    };
    for (size_t i = 0; i < sizeof hostile / sizeof *hostile; i++) {
        struct weave *w = busy();
        struct look before = look(w);
        int rc = apply_hex(w, hostile[i]);
        if (rc != WEAVE_INVALID) fprintf(stderr, "# hostile %zu: %d\n", i, rc);
        check(rc == WEAVE_INVALID && unchanged(w, &before));
        weave_free(w);
    }
}

static void r3_an_update_past_the_limit_is_refused(void) {
    struct weave *w = weave_new(9, 100);
    struct buf big;
    buf_init(&big, 4096);
    uint8_t head[] = { 1, 1, 1, 0, 4, 1, 1, 't', 120 };
    buf_put(&big, head, sizeof head);
    for (int i = 0; i < 120; i++) buf_byte(&big, 'x');
    buf_byte(&big, 0);
    struct look before = look(w);
    check(weave_apply(w, view(&big), NULL) == WEAVE_TOO_LARGE && unchanged(w, &before));
    check(apply_hex(w, vectors[0].v1) == 0 && text_is(w, "t", "abc"));
    buf_deinit(&big);
    weave_free(w);
}

/* D4: types nested by the thousand are built, read, deleted and collected without recursion. */
static void d4_depth_is_no_danger(void) {
    enum { DEPTH = 20000 };
    struct buf deep, json;
    struct weave *w = weave_new(9, 0);
    buf_init(&deep, 1 << 20);
    uint8_t head[] = { 1 };
    buf_put(&deep, head, 1);
    buf_uint(&deep, DEPTH);
    buf_uint(&deep, 1);
    buf_uint(&deep, 0);
    for (uint32_t i = 0; i < DEPTH; i++) {
        buf_byte(&deep, 7);
        if (i == 0) buf_put(&deep, (const uint8_t *)"\1\1a", 3);
        else {
            buf_put(&deep, (const uint8_t *)"\0\1", 2);
            buf_uint(&deep, i - 1);
        }
        buf_byte(&deep, 0);
    }
    buf_byte(&deep, 0);
    check(weave_apply(w, view(&deep), NULL) == 0);
    weave_json(w, weave_root(w, text("a")), doc_sink(&json));
    check(json.len == 2 * (DEPTH + 1) && json.at[DEPTH] == '[' && json.at[DEPTH + 1] == ']');
    check(apply_hex(w, "000101010001") == 0);       /* the outermost goes */
    check(whole_is(w, "01020100" "0101016101" "009f9c01" "01010100a09c01"));
    check(json_is(w, "a", "null"));
    buf_deinit(&deep);
    buf_deinit(&json);
    weave_free(w);
}

/* ---- waiting --------------------------------------------------------------------------------------- */

static void w1_any_order_makes_the_same_document(void) {
    static const char *const abc[] = { "0101010004010174016100", "01010101840100016200", "01010102840101016300" };
    static const unsigned orders[][3] = { { 0, 1, 2 }, { 0, 2, 1 }, { 1, 0, 2 }, { 1, 2, 0 }, { 2, 0, 1 }, { 2, 1, 0 } };
    for (size_t i = 0; i < 6; i++) {
        struct weave *w = weave_new(9, 0);
        for (size_t k = 0; k < 3; k++) check(apply_hex(w, abc[orders[i][k]]) == 0);
        check(!weave_has_pending(w) && whole_is(w, "01010100040101740361626300") && text_is(w, "t", "abc"));
        weave_free(w);
    }
}

static void w1_what_waits_is_sent_on_and_not_shown(void) {
    struct weave *w = doc_of("01010102840101016300"), *other = weave_new(8, 0);
    check(weave_has_pending(w) && text_is(w, "t", "") && state_is(w, "00"));
    struct buf waiting = whole(w);
    check(weave_apply(other, view(&waiting), NULL) == 0 && weave_has_pending(other));
    buf_deinit(&waiting);
    check(apply_hex(other, "010201000401017401618401000162" "00") == 0);
    check(text_is(other, "t", "abc") && !weave_has_pending(other));
    weave_free(w);
    weave_free(other);
}

static void w1_deletions_wait_for_what_they_delete(void) {
    struct weave *w = doc_of("000101010101");       /* unit 1 of client 1 */
    check(weave_has_pending(w) && whole_is(w, "000101010101"));
    check(apply_hex(w, "0101010004010174016100") == 0 && weave_has_pending(w) && text_is(w, "t", "a"));
    check(apply_hex(w, "010101018401000262" "6300") == 0);
    check(!weave_has_pending(w) && text_is(w, "t", "ac"));
    weave_free(w);
}

static void w1_what_waits_for_another_client(void) {
    struct weave *w = weave_new(9, 0);
    check(apply_hex(w, "01010200840100" "0158" "00") == 0);              /* 2 writes behind 1:0 */
    check(apply_hex(w, "01010300840200" "0159" "00") == 0);              /* 3 behind that */
    check(weave_has_pending(w) && text_is(w, "t", ""));
    check(apply_hex(w, "0101010004010174016100") == 0);
    check(!weave_has_pending(w) && text_is(w, "t", "aXY"));
    weave_free(w);
}

/* ---- converging ------------------------------------------------------------------------------------ */

static void d4_the_lower_client_goes_first(void) {
    struct weave *w = doc_of("01010200040101740142" "00");
    check(apply_hex(w, "01010100040101740141" "00") == 0 && text_is(w, "t", "AB"));
    weave_free(w);
}

static void d4_the_higher_client_wins_a_key(void) {
    static const char one[] = "01020100" "2801016d016b017d01" "a80100017d02" "0101010001";  /* writes 1, then 2 */
    static const char two[] = "01010200" "2801016d016b017d07" "00";
    for (int order = 0; order < 2; order++) {
        struct weave *w = doc_of(order ? one : two);
        check(apply_hex(w, order ? two : one) == 0 && json_is(w, "m", "{\"k\":7}"));
        weave_free(w);
    }
}

static void d4_text_behind_collected_content_is_collected(void) {
    struct weave *w = doc_of("01010100" "0005" "00");
    check(apply_hex(w, "01010200" "840102" "0161" "00") == 0);
    check(whole_is(w, "02010200" "0001" "010100" "0005" "0202010001" "01010005") && state_is(w, "0202010105"));
    weave_free(w);
}

int main(void) {
    run(w1_every_prefix_is_refused_and_changes_nothing);
    run(w1_every_changed_byte_is_refused_or_sound);
    run(r3_hostile_updates_are_refused);
    run(r3_an_update_past_the_limit_is_refused);
    run(d4_depth_is_no_danger);
    run(w1_any_order_makes_the_same_document);
    run(w1_what_waits_is_sent_on_and_not_shown);
    run(w1_deletions_wait_for_what_they_delete);
    run(w1_what_waits_for_another_client);
    run(d4_the_lower_client_goes_first);
    run(d4_the_higher_client_wins_a_key);
    run(d4_text_behind_collected_content_is_collected);
    return t_exit();
}
