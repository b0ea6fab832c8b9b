/* doc_vectors_test.c -- npm yjs' own updates in a document: read, kept and written again byte by byte. */
#include "doc.h"

/* What a document makes of a vector, where that is not the vector itself. */
static const struct { const char *name, *stored, *state; } kept[] = {
    { "T1 text insert", NULL, "010103" },
    { "T2 insert in middle (split)", NULL, "010104" },
    { "T3 delete", NULL, "010105" },
    { "T4 concurrent same position", NULL, "0202010101" },
    { "T5 map LWW", NULL, "010103" },
    { "T6 any values", NULL, "010114" },
    { "T7 rich text", NULL, "010105" },
    { "T9 xml", NULL, "010105" },
    { "T10 surrogates", NULL, "010105" },
    { "T11 skip u0", NULL, "010101" },
    { "T11 skip u1", NULL, "00" },                          /* waits, and is sent on */
    { "T11 skip u2", NULL, "00" },
    { "T11 skip merged_u0_u2", NULL, "010101" },
    { "T11 skip merged_all", "01010100040101740361626300", "010103" },
    { "T12 diff inside an item diff", NULL, "00" },
    { "T12 diff inside an item mapdiff", NULL, "00" },
    { "T13 subdoc", NULL, "010101" },
    { "T15 two clients, v2 columns", NULL, "02ac02020102" },
};

static void d4_vectors_come_back_as_they_were(void) {
    check(sizeof kept / sizeof *kept == N_VECTORS);
    for (size_t i = 0; i < N_VECTORS; i++) {
        struct weave *w = doc_of(vectors[i].v1);
        check(strcmp(kept[i].name, vectors[i].name) == 0);
        check(whole_is(w, kept[i].stored ? kept[i].stored : vectors[i].v1));
        check(state_is(w, kept[i].state));
        check(weave_has_pending(w) == (strcmp(kept[i].state, "00") == 0 || strstr(kept[i].name, "merged_u0") != NULL));
        weave_free(w);
    }
}

static void d4_applying_again_changes_nothing(void) {
    for (size_t i = 0; i < N_VECTORS; i++) {
        struct weave *w = doc_of(vectors[i].v1);
        struct buf once = whole(w);
        check(apply_hex(w, vectors[i].v1) == 0);
        check(weave_apply(w, view(&once), NULL) == 0);
        struct buf twice = whole(w);
        check(same(&once, &twice));
        weave_free(w);
    }
}

/* Whatever a state vector says is known, the answer completes a document of that state. */
static void d4_answers_complete_every_prefix_of_a_text(void) {
    struct weave *w = doc_of("01010100040101740568656c6c6f00");         /* "hello" */
    for (uint8_t known = 0; known <= 5; known++) {
        uint8_t state[] = { 1, 1, known };
        struct buf first, rest;
        struct weave *half = weave_new(9, 0);
        check(weave_since(w, (struct weave_bytes){ state, 3 }, doc_sink(&rest)) == 0);
        struct buf all = whole(w);
        check(weave_update_diff(view(&all), (struct weave_bytes){ state, 3 }, doc_sink(&first)) == 0);
        struct buf wanted = { .at = first.at, .len = first.len };
        check(rest.len == wanted.len && memcmp(rest.at, wanted.at, rest.len) == 0);
        check(weave_apply(half, view(&rest), NULL) == 0 && weave_has_pending(half) == (known > 0 && known < 5));
        check(weave_apply(half, view(&all), NULL) == 0 && text_is(half, "t", "hello"));
        check(!weave_has_pending(half) && whole_is(half, "01010100040101740568656c6c6f00"));
        buf_deinit(&all);
        buf_deinit(&first);
        buf_deinit(&rest);
        weave_free(half);
    }
    weave_free(w);
}

static void d4_vectors_read_as_in_yjs(void) {
    static const struct { size_t vector; const char *root, *json; } reads[] = {
        { 1, "t", "\"abcd\"" }, { 2, "t", "\"ho\"" }, { 3, "t", "\"AB\"" }, { 4, "m", "{\"k\":\"x\"}" },
        { 5, "a", "[null,0,0,-1,63,64,2147483647,2147483648,-2147483648,0.5,0.1,true,false,\"\xc3\xa9\",[1,[2]],"
                  "{\"a\":1,\"b\":null},{\"u\":{\"0\":1,\"1\":2}},{\"0\":9,\"1\":8}]" },
        { 6, "t", "\"ab\"" }, { 7, "x", "\"<p class=\\\"c\\\">hi</p>\"" },
        { 8, "t", "\"a\xef\xbf\xbdX\xef\xbf\xbd" "b\"" }, { 13, "t", "\"abc\"" }, { 16, "m", "{\"d\":{}}" },
    };
    for (size_t i = 0; i < sizeof reads / sizeof *reads; i++) {
        struct weave *w = doc_of(vectors[reads[i].vector].v1);
        check(json_is(w, reads[i].root, reads[i].json));
        weave_free(w);
    }
}

/* T8: children of a deleted type leave only their ids. */
static void t8_children_of_what_is_deleted_are_collected(void) {
    static const char before[] = "010401002701016d016c0008000100017d018701010204000102017100";
    static const char after[] = "010201002101016d016c0100030101010004";
    struct weave *w = doc_of(before);
    check(json_is(w, "m", "{\"l\":[1,\"q\"]}") && whole_is(w, before));
    check(apply_hex(w, after) == 0 && whole_is(w, after) && state_is(w, "010104"));
    weave_free(w);

    w = doc_of(before);
    weave_set_client(w, 1);
    weave_begin(w);
    check(weave_map_delete(w, weave_root(w, text("m")), text("l")) == 0);
    check(commits(w, "000101010004") && whole_is(w, after));
    check(apply_hex(w, before) == 0 && whole_is(w, after));     /* and does not come back */
    weave_free(w);

    w = doc_of(after);
    check(apply_hex(w, "01010200040001030178" "00") == 0);       /* into the text that was collected */
    check(json_is(w, "m", "null") && state_is(w, "0202010104"));
    weave_free(w);
}

int main(void) {
    run(d4_vectors_come_back_as_they_were);
    run(d4_applying_again_changes_nothing);
    run(d4_answers_complete_every_prefix_of_a_text);
    run(d4_vectors_read_as_in_yjs);
    run(t8_children_of_what_is_deleted_are_collected);
    return t_exit();
}
