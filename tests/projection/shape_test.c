/* shape_test.c -- what REST serves of each kind, and the JSON scanner it is made with. */
#include "projection/shape.h"

#include <stdlib.h>

#include "base/err.h"
#include "projection/json_view.h"
#include "t.h"

static const uint8_t hash[32] = { 0xab, 0xcd };

/* ---- the scanner ------------------------------------------------------------------------------------ */

static void members_and_elements_are_walked(void) {
    struct slice object = slice_of(" { \"a\" : [1, {\"x\":\"]}\"}, \"\\\"\" ] , \"b\":-1.5e3,\"c\":{}, \"d\" : null } ");
    struct slice rest = json_member(object, "a"), value, key;
    int n = 0;

    check(slice_is(json_member(object, "b"), "-1.5e3"));
    check(slice_is(json_member(object, "c"), "{}"));
    check(slice_is(json_member(object, "d"), "null"));
    check(json_member(object, "x").len == 0);
    check(json_next_element(&rest, &value) && slice_is(value, "1"));
    check(json_next_element(&rest, &value) && slice_is(value, "{\"x\":\"]}\"}"));
    check(json_next_element(&rest, &value) && slice_is(value, "\"\\\"\""));
    check(!json_is_plain(json_quoted(value)));
    check(!json_next_element(&rest, &value));
    for (rest = object; json_next_member(&rest, &key, &value); ) n++;
    check(n == 4);
}

static void nothing_is_what_python_calls_false(void) {
    static const struct { const char *json; bool nothing; } cases[] = {
        { "", true }, { "null", true }, { "\"\"", true }, { "[]", true }, { "[ ]", true }, { "{}", true },
        { "0", true }, { "false", true }, { "\"0\"", false }, { "[0]", false }, { "{\"a\":0}", false },
        { "1", false }, { "true", false },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check(json_is_nothing(slice_of(cases[i].json)) == cases[i].nothing);
}

static void w1_no_prefix_is_read_past_its_end(void) {
    const char *whole = "{\"a\":[1,{\"x\":\"]}\"},\"\\\"\"],\"b\":-1.5e3,\"c\":{}}";
    struct slice rest, key, value;

    for (size_t len = 0; len <= strlen(whole); len++) {
        char *copy = strndup(whole, len);                   /* the sanitizer guards its end */
        rest = (struct slice){ (const uint8_t *)copy, len };
        while (json_next_member(&rest, &key, &value)) {
            struct slice inner = value, element;
            check(value.at + value.len <= (const uint8_t *)copy + len);
            while (json_next_element(&inner, &element))
                check(element.at + element.len <= (const uint8_t *)copy + len);
        }
        free(copy);
    }
}

/* ---- the shapes --------------------------------------------------------------------------------------- */

static bool shapes(enum kind kind, const char *raw, const char *json, const char *summary) {
    struct shape s;
    struct buf b;
    const char *why = "";

    shape_init(&s);
    buf_init(&b, 65536);
    int e = shape_make(kind, slice_of(raw), slice_of("d/f.yaml"), &s, &why);
    if (e == E_OK) shape_put(&b, buf_view(&s.json), 7, hash);
    bool same = e == E_OK && slice_is(buf_view(&b), json) && slice_is(buf_view(&s.summary), summary);
    if (!same) fprintf(stderr, "%d %s\n%.*s\n%.*s\n", e, why, SLICE_ARG(buf_view(&b)), SLICE_ARG(buf_view(&s.summary)));
    buf_deinit(&b);
    shape_deinit(&s);
    return same;
}

static void an_atom_keeps_its_keys_and_gains_four(void) {
    check(shapes(KIND_ATOM,
        "{\"id\":\"a\",\"category\":\"SYSTEM\",\"type\":\"process\",\"name\":\"N \\u0041\",\"odd\":[1.50],"
        "\"content\":{\"summary\":\"S\"},\"metrics\":{\"error_rate\":0.3}}",
        "{\"id\":\"a\",\"category\":\"SYSTEM\",\"type\":\"PROCESS\",\"name\":\"N \\u0041\",\"odd\":[1.50],"
        "\"content\":{\"summary\":\"S\"},\"metrics\":{\"error_rate\":0.3},\"atom_id\":\"a\",\"summary\":\"S\","
        "\"_file_path\":\"d/f.yaml\",\"_rev\":\"7\"}",
        "{\"id\":\"a\",\"type\":\"PROCESS\",\"title\":\"N \\u0041\",\"summary\":\"S\",\"owner\":null,\"status\":null,"
        "\"category\":\"SYSTEM\",\"moduleId\":null,\"phaseId\":null,\"name\":\"N \\u0041\",\"criticality\":null,"
        "\"team\":null,\"_file_path\":\"d/f.yaml\"}"));
    check(shapes(KIND_ATOM, "{\"id\":\"a\",\"atom_id\":\"z\",\"title\":\"T\",\"_rev\":\"9\"}",
        "{\"id\":\"a\",\"title\":\"T\",\"atom_id\":\"a\",\"_file_path\":\"d/f.yaml\",\"_rev\":\"7\"}",
        "{\"id\":\"a\",\"type\":null,\"title\":\"T\",\"summary\":null,\"owner\":null,\"status\":null,"
        "\"category\":null,\"moduleId\":null,\"phaseId\":null,\"name\":null,\"criticality\":null,\"team\":null,"
        "\"_file_path\":\"d/f.yaml\"}"));
}

static void a_module_is_normalised_with_its_raw_map(void) {
    check(shapes(KIND_MODULE, "{\"id\":\"x\",\"module_id\":\"m\",\"name\":\"N\",\"atom_ids\":[\"a\"],\"atoms\":[\"b\"],"
                              "\"metadata\":{\"owner\":\"O\"}}",
        "{\"id\":\"m\",\"name\":\"N\",\"description\":null,\"owner\":\"O\",\"atoms\":[\"a\"],\"phaseId\":null,"
        "\"_file_path\":\"d/f.yaml\",\"_raw\":{\"id\":\"x\",\"module_id\":\"m\",\"name\":\"N\",\"atom_ids\":[\"a\"],"
        "\"atoms\":[\"b\"],\"metadata\":{\"owner\":\"O\"}},\"_rev\":\"7\"}", ""));
    check(shapes(KIND_MODULE, "{\"id\":\"m\",\"owner\":\"P\",\"metadata\":{},\"atoms\":[]}",
        "{\"id\":\"m\",\"name\":null,\"description\":null,\"owner\":\"P\",\"atoms\":[],\"phaseId\":null,"
        "\"_file_path\":\"d/f.yaml\",\"_raw\":{\"id\":\"m\",\"owner\":\"P\",\"metadata\":{},\"atoms\":[]},"
        "\"_rev\":\"7\"}", ""));
}

static void phases_and_journeys_have_all_their_keys(void) {
    check(shapes(KIND_PHASE, "{\"id\":\"p\",\"name\":\"N\",\"extra\":1}",
        "{\"id\":\"p\",\"name\":\"N\",\"description\":null,\"modules\":[],\"journeyId\":null,"
        "\"targetDurationDays\":0,\"sequence\":null,\"entry_criteria\":null,\"exit_criteria\":null,"
        "\"sla_hours\":null,\"extra\":1,\"_file_path\":\"d/f.yaml\",\"_rev\":\"7\"}", ""));
    check(shapes(KIND_JOURNEY, "{\"id\":\"j\",\"owner\":\"O\",\"phases\":[\"p\"]}",
        "{\"id\":\"j\",\"name\":null,\"description\":null,\"phases\":[\"p\"],\"journey_type\":null,"
        "\"product_type\":null,\"target_duration_days\":null,\"owner\":\"O\",\"_file_path\":\"d/f.yaml\","
        "\"_rev\":\"7\"}", ""));
}

static void an_id_is_checked(void) {
    static const char *const bad[] = { "{}", "{\"id\":\"\"}", "{\"id\":\"../x\"}", "{\"id\":1}",
                                       "{\"id\":\"a\\u0062\"}", "[]", "" };
    struct shape s;
    const char *why = NULL;

    shape_init(&s);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        why = NULL;
        check(shape_make(KIND_ATOM, slice_of(bad[i]), slice_of("f"), &s, &why) == E_INVALID && why && !s.id[0]);
    }
    shape_deinit(&s);
}

static void a3_without_a_room_the_revision_is_the_hash(void) {
    struct buf b;
    buf_init(&b, 4096);
    shape_put(&b, slice_of("{}"), 0, hash);
    check(slice_is(buf_view(&b), "{\"_rev\":\"abcd000000000000000000000000000000000000000000000000000000000000\"}"));
    buf_deinit(&b);
}

int main(void) {
    run(members_and_elements_are_walked);
    run(nothing_is_what_python_calls_false);
    run(w1_no_prefix_is_read_past_its_end);
    run(an_atom_keeps_its_keys_and_gains_four);
    run(a_module_is_normalised_with_its_raw_map);
    run(phases_and_journeys_have_all_their_keys);
    run(an_id_is_checked);
    run(a3_without_a_room_the_revision_is_the_hash);
    return t_exit();
}
