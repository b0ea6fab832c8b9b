/* doc_anchor_test.c -- anchors in Yjs' encoding, both ways (T14), and what they follow. */
#include "doc.h"

static bool makes(struct weave *w, weave_type t, uint32_t at, int assoc, const char *hex) {
    struct buf b;
    return weave_anchor_make(w, t, at, assoc, doc_sink(&b)) == 0 && is_hex(&b, hex);
}

static int find_hex(struct weave *w, const char *hex, uint32_t *at) {
    uint8_t bytes[64];
    weave_type t;
    size_t n = unhex(hex, bytes);
    return weave_anchor_find(w, (struct weave_bytes){ bytes, n }, &t, at);
}

static bool finds(struct weave *w, const char *hex, uint32_t want) {
    uint32_t at = 999;
    int rc = find_hex(w, hex, &at);
    if (rc != 0 || at != want) fprintf(stderr, "# %s: %d, %u\n", hex, rc, at);
    return rc == 0 && at == want;
}

static void t14_anchors_are_yjs_bytes(void) {
    struct weave *w = doc_of(vectors[2].v1);        /* "ho", of "hello" */
    weave_type t = weave_root(w, text("t")), nested;
    check(makes(w, t, 0, 0, "00010000") && makes(w, t, 1, 0, "00010400"));
    check(makes(w, t, 2, 0, "01017400") && makes(w, t, 2, -1, "00010441") && makes(w, t, 0, -1, "01017441"));
    struct buf none;
    check(weave_anchor_make(w, t, 3, 0, doc_sink(&none)) == WEAVE_RANGE && none.len == 0);

    weave_set_client(w, 1);
    weave_begin(w);
    check(weave_map_set_type(w, weave_root(w, text("m")), text("n"), WEAVE_TEXT, &nested) == 0);
    weave_commit(w, (struct weave_sink){ 0 });
    check(makes(w, nested, 0, 0, "02010500"));
    weave_free(w);
}

static void t14_anchors_are_found(void) {
    struct weave *w = doc_of(vectors[2].v1);
    check(finds(w, "00010000", 0) && finds(w, "00010400", 1) && finds(w, "01017400", 2));
    check(finds(w, "00010441", 2) && finds(w, "01017441", 0) && finds(w, "000104", 1));     /* no assoc: 0 */
    check(finds(w, "00010200", 1));                 /* on what was deleted: where that was */

    weave_begin(w);                                 /* they move with the text */
    check(weave_text_insert(w, weave_root(w, text("t")), 0, text("oh ")) == 0);
    weave_commit(w, (struct weave_sink){ 0 });
    check(finds(w, "00010000", 3) && finds(w, "00010400", 4) && finds(w, "01017400", 5) && finds(w, "01017441", 0));
    weave_free(w);
}

static void t14_every_place_is_found_again(void) {
    struct weave *w = weave_new(7, 0);
    weave_type t = weave_root(w, text("t")), found;
    for (uint32_t i = 0; i < 300; i++) {            /* many runs, so that positions are indexed */
        weave_begin(w);
        check(weave_text_insert(w, t, i / 2, text("ab")) == 0);
        if (i % 3 == 0) check(weave_text_delete(w, t, i, 1) == 0);
        weave_commit(w, (struct weave_sink){ 0 });
    }
    for (uint32_t at = 0; at <= weave_length(w, t); at++) {
        for (int assoc = -1; assoc <= 0; assoc++) {
            struct buf b;
            uint32_t again = 0;
            check(weave_anchor_make(w, t, at, assoc, doc_sink(&b)) == 0);
            check(weave_anchor_find(w, view(&b), &found, &again) == 0 && again == at && found == t);
            buf_deinit(&b);
        }
    }
    weave_free(w);
}

static void r3_bad_anchors_are_refused(void) {
    static const char *const invalid[] = { "", "00", "0001", "01", "0103", "010274", "02", "0201", "03010000",
                                           "ffffffffffffffffffff", "00ffffffffffffffffff0100",
                                           "00018080808080808010" };
    static const char *const unknown[] = { "00010500", "00020000", "01017a00", "02010000", "0001ffffffff0f" };
    struct weave *w = doc_of(vectors[2].v1);
    struct buf before = whole(w);
    uint32_t at;
    for (size_t i = 0; i < sizeof invalid / sizeof *invalid; i++) check(find_hex(w, invalid[i], &at) == WEAVE_INVALID);
    for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++) check(find_hex(w, unknown[i], &at) == WEAVE_RANGE);
    struct buf after = whole(w);
    check(same(&before, &after));
    weave_free(w);
}

static void r3_an_anchor_on_collected_content_is_not_found(void) {
    struct weave *w = doc_of("010201002101016d016c0100030101010004");       /* T8, deleted */
    uint32_t at;
    check(find_hex(w, "00010100", &at) == WEAVE_RANGE);
    check(find_hex(w, "02010200", &at) == WEAVE_RANGE);
    weave_free(w);
}

int main(void) {
    run(t14_anchors_are_yjs_bytes);
    run(t14_anchors_are_found);
    run(t14_every_place_is_found_again);
    run(r3_bad_anchors_are_refused);
    run(r3_an_anchor_on_collected_content_is_not_found);
    return t_exit();
}
