/* doc_edit_test.c -- local edits write what npm yjs writes for the same edits, byte by byte. */
#include "doc.h"

static weave_type root(struct weave *w, const char *name) { return weave_root(w, text(name)); }
static struct weave_value string(const char *s) { return (struct weave_value){ .kind = WEAVE_V_STRING, .bytes = text(s) }; }
static struct weave_value number(double n) { return (struct weave_value){ .kind = WEAVE_V_NUMBER, .number = n }; }

static void edit_text_t1_to_t3(void) {
    struct weave *w = weave_new(1, 0);
    weave_type t = root(w, "t");
    weave_begin(w);
    check(weave_text_insert(w, t, 0, text("abc")) == 0);
    check(commits(w, vectors[0].v1));
    weave_free(w);

    w = weave_new(1, 0);
    t = root(w, "t");
    weave_begin(w);
    check(weave_text_insert(w, t, 0, text("ad")) == 0 && weave_text_insert(w, t, 1, text("bc")) == 0);
    check(commits(w, vectors[1].v1) && whole_is(w, vectors[1].v1) && text_is(w, "t", "abcd"));
    weave_free(w);

    w = weave_new(1, 0);
    t = root(w, "t");
    weave_begin(w);
    check(weave_text_insert(w, t, 0, text("hello")) == 0 && weave_text_delete(w, t, 1, 3) == 0);
    check(commits(w, vectors[2].v1) && text_is(w, "t", "ho") && weave_length(w, t) == 2);
    weave_free(w);
}

static void edit_typing_joins_t11(void) {
    struct weave *w = weave_new(1, 0);
    weave_type t = root(w, "t");
    for (uint32_t i = 0; i < 3; i++) {
        char letter[] = { (char)('a' + i), 0 };
        weave_begin(w);
        check(weave_text_insert(w, t, i, text(letter)) == 0);
        check(commits(w, vectors[9 + i].v1));
    }
    check(whole_is(w, "01010100040101740361626300"));
    weave_free(w);
}

static void edit_map_t5(void) {
    struct weave *w = weave_new(1, 0);
    struct weave_value one = number(1), x = string("x"), yes = { .kind = WEAVE_V_BOOL, .boolean = true };
    weave_type m = root(w, "m");
    weave_begin(w);
    check(weave_map_set(w, m, text("k"), &one) == 0 && weave_map_set(w, m, text("k"), &x) == 0);
    check(weave_map_delete(w, m, text("q")) == 0);
    check(weave_map_set(w, m, text("b"), &yes) == 0 && weave_map_delete(w, m, text("b")) == 0);
    check(commits(w, vectors[4].v1) && json_is(w, "m", "{\"k\":\"x\"}"));
    weave_free(w);
}

static struct weave_value any_of(const char *json, struct buf *b) {
    check(weave_any_from_json(text(json), doc_sink(b)) == 0);
    return (struct weave_value){ .kind = WEAVE_V_OBJECT, .bytes = view(b) };
}

static void edit_every_value_t6(void) {
    static const uint8_t nested[] = { 0x76, 1, 1, 'u', 0x74, 2, 1, 2 }, binary[] = { 9, 8 };
    struct buf list, object;
    struct weave *w = weave_new(1, 0);
    struct weave_value values[] = {
        { .kind = WEAVE_V_NULL }, number(0), number(-0.0), number(-1), number(63), number(64), number(2147483647),
        number(2147483648), number(-2147483648.0), number(0.5), number(0.1), { .kind = WEAVE_V_BOOL, .boolean = true },
        { .kind = WEAVE_V_BOOL }, string("\xc3\xa9"), any_of("[1,[2]]", &list), any_of("{\"a\":1,\"b\":null}", &object),
        { .kind = WEAVE_V_OBJECT, .bytes = { nested, sizeof nested } },
        { .kind = WEAVE_V_BINARY, .bytes = { binary, sizeof binary } },
    };
    struct weave_value big = { .kind = WEAVE_V_BIGINT, .bigint = 12345678901234567 };
    struct weave_value undefined = { .kind = WEAVE_V_UNDEFINED };
    weave_begin(w);
    check(weave_array_insert(w, root(w, "a"), 0, values, sizeof values / sizeof *values) == 0);
    check(weave_map_set(w, root(w, "m"), text("big"), &big) == 0);
    check(weave_map_set(w, root(w, "m"), text("und"), &undefined) == 0);
    check(commits(w, vectors[5].v1) && whole_is(w, vectors[5].v1));

    struct weave_value v;
    check(weave_array_get(w, root(w, "a"), 10, &v) && v.kind == WEAVE_V_NUMBER && v.number == 0.1);
    check(weave_array_get(w, root(w, "a"), 17, &v) && v.kind == WEAVE_V_BINARY && v.bytes.len == 2 && v.bytes.at[0] == 9);
    check(!weave_array_get(w, root(w, "a"), 18, &v));
    check(weave_map_get(w, root(w, "m"), text("big"), &v) && v.kind == WEAVE_V_BIGINT && v.bigint == 12345678901234567);
    check(!weave_map_get(w, root(w, "m"), text("small"), &v));
    buf_deinit(&list);
    buf_deinit(&object);
    weave_free(w);
}

static void edit_formats_t7(void) {
    struct weave *w = weave_new(1, 0);
    struct weave_attribute bold = { text("b"), text("true") }, off = { text("b"), text("null") };
    weave_type t = root(w, "t");
    weave_begin(w);
    check(weave_text_insert_with(w, t, 0, text("ab"), NULL, 0) == 0);
    check(weave_text_format(w, t, 0, 1, &bold, 1) == 0);
    check(weave_text_embed(w, t, 2, text("{\"i\": \"x\"}")) == 0);
    check(commits(w, vectors[6].v1) && text_is(w, "t", "ab") && weave_length(w, t) == 3);
    weave_begin(w);
    check(weave_text_format(w, t, 0, 1, &off, 1) == 0);
    check(commits(w, "000101010202"));
    weave_free(w);
}

static void edit_nested_types_t8(void) {
    struct weave *w = weave_new(1, 0);
    struct weave_value one = number(1);
    weave_type list, q;
    weave_begin(w);
    check(weave_map_set_type(w, root(w, "m"), text("l"), WEAVE_ARRAY, &list) == 0);
    check(weave_array_insert(w, list, 0, &one, 1) == 0);
    check(weave_array_insert_type(w, list, 1, WEAVE_TEXT, &q) == 0 && weave_text_insert(w, q, 0, text("q")) == 0);
    check(commits(w, "010401002701016d016c0008000100017d018701010204000102017100"));
    check(weave_kind_of(w, q) == WEAVE_TEXT && weave_length(w, list) == 2 && !weave_is_deleted(w, q));
    weave_begin(w);
    check(weave_map_delete(w, root(w, "m"), text("l")) == 0);
    check(weave_text_insert(w, q, 0, text("x")) == WEAVE_WRONG_TYPE);       /* it is gone */
    check(commits(w, "000101010004") && weave_is_deleted(w, q) && weave_is_deleted(w, list));
    weave_free(w);
}

static void edit_inside_a_surrogate_pair_t10(void) {
    struct weave *w = weave_new(1, 0);
    weave_type t = root(w, "t");
    weave_begin(w);
    check(weave_text_insert(w, t, 0, text("a\xf0\x9f\x98\x80" "b")) == 0);
    check(commits(w, "01010100040101740661f09f98806200") && weave_length(w, t) == 4);
    weave_begin(w);
    check(weave_text_insert(w, t, 2, text("X")) == 0);
    weave_commit(w, (struct weave_sink){ 0 });
    check(whole_is(w, vectors[8].v1) && weave_length(w, t) == 5);
    weave_free(w);
}

static void edit_two_clients_t15(void) {
    struct weave *w = weave_new(1, 0);
    weave_type t = root(w, "t");
    weave_begin(w);
    check(weave_text_insert(w, t, 0, text("ab")) == 0);
    weave_commit(w, (struct weave_sink){ 0 });
    weave_set_client(w, 300);
    weave_begin(w);
    check(weave_text_insert(w, t, 2, text("cd")) == 0 && weave_text_delete(w, t, 3, 1) == 0);
    weave_commit(w, (struct weave_sink){ 0 });
    weave_set_client(w, 1);
    weave_begin(w);
    check(weave_text_delete(w, t, 0, 1) == 0);
    check(commits(w, "000101010001") && whole_is(w, vectors[17].v1));
    weave_free(w);
}

static void edit_nothing_writes_nothing(void) {
    struct weave *w = weave_new(1, 0);
    weave_begin(w);
    check(commits(w, ""));
    weave_begin(w);
    check(weave_text_insert(w, root(w, "t"), 0, text("")) == 0);
    check(weave_map_delete(w, root(w, "m"), text("k")) == 0 && weave_array_insert(w, root(w, "a"), 0, NULL, 0) == 0);
    check(commits(w, "") && whole_is(w, "0000"));
    weave_free(w);
}

static void e1_a_refused_edit_changes_nothing(void) {
    struct weave *w = weave_new(1, 0);
    struct weave_value type = { .kind = WEAVE_V_TYPE, .type = 1 }, one = number(1), bad = string("\xff");
    struct weave_value row[] = { one, bad };
    struct weave_attribute broken = { text("b"), text("{") };
    weave_type t, m;
    weave_begin(w);
    check(weave_map_set_type(w, root(w, "m"), text("t"), WEAVE_TEXT, &t) == 0);
    check(weave_map_set_type(w, root(w, "m"), text("m"), WEAVE_MAP, &m) == 0);
    check(weave_text_insert(w, t, 0, text("ab")) == 0);
    weave_commit(w, (struct weave_sink){ 0 });
    struct buf before = whole(w);

    weave_begin(w);
    check(weave_text_insert(w, m, 0, text("x")) == WEAVE_WRONG_TYPE);
    check(weave_array_insert(w, t, 0, &one, 1) == WEAVE_WRONG_TYPE);
    check(weave_text_insert(w, t, 3, text("x")) == WEAVE_RANGE);
    check(weave_text_insert(w, t, 0, text("\xc3")) == WEAVE_INVALID);
    check(weave_text_insert_with(w, t, 0, text("x"), &broken, 1) == WEAVE_INVALID);
    check(weave_text_format(w, t, 0, 1, &broken, 1) == WEAVE_INVALID);
    check(weave_text_embed(w, t, 0, text("{\"i\"}")) == WEAVE_INVALID);
    check(weave_text_delete(w, t, 1, 2) == WEAVE_RANGE && weave_text_delete(w, t, UINT32_MAX, UINT32_MAX) == WEAVE_RANGE);
    check(weave_array_insert(w, root(w, "a"), 0, row, 2) == WEAVE_INVALID);
    check(weave_array_insert(w, root(w, "a"), 1, &one, 1) == WEAVE_RANGE);
    check(weave_array_delete(w, root(w, "a"), 0, 1) == WEAVE_RANGE);
    check(weave_map_set(w, m, text("k"), &type) == WEAVE_WRONG_TYPE);
    check(weave_map_set(w, m, text("\xff"), &one) == WEAVE_INVALID);
    check(commits(w, ""));
    struct buf after = whole(w);
    check(same(&before, &after));
    weave_free(w);
}

static void e1_an_edit_past_the_limit_is_refused(void) {
    char long_text[600];
    struct weave *w = weave_new(1, 500);
    memset(long_text, 'x', sizeof long_text);
    long_text[sizeof long_text - 1] = 0;
    weave_begin(w);
    check(weave_text_insert(w, root(w, "t"), 0, text(long_text)) == WEAVE_TOO_LARGE);
    check(weave_text_insert(w, root(w, "t"), 0, text("fits")) == 0);
    weave_commit(w, (struct weave_sink){ 0 });
    check(text_is(w, "t", "fits"));
    weave_free(w);
}

int main(void) {
    run(edit_text_t1_to_t3);
    run(edit_typing_joins_t11);
    run(edit_map_t5);
    run(edit_every_value_t6);
    run(edit_formats_t7);
    run(edit_nested_types_t8);
    run(edit_inside_a_surrogate_pair_t10);
    run(edit_two_clients_t15);
    run(edit_nothing_writes_nothing);
    run(e1_a_refused_edit_changes_nothing);
    run(e1_an_edit_past_the_limit_is_refused);
    return t_exit();
}
