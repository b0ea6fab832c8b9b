/* Room names and ids: what is one, and everything that must not be. */
#include "entity/kinds.h"

#include <stdio.h>

#include "base/err.h"
#include "t.h"

static struct slice literal(const char *text, size_t len) {
    return (struct slice){ (const uint8_t *)text, len };
}
#define S(text) literal(text, sizeof text - 1)

static void names_that_are_rooms(void) {
    static const struct { const char *text; enum kind kind; const char *id; } cases[] = {
        { "atom:atom-bo-title-search", KIND_ATOM, "atom-bo-title-search" },
        { "module:MOD-001", KIND_MODULE, "MOD-001" },
        { "phase:p", KIND_PHASE, "p" },
        { "journey:journey-refinance", KIND_JOURNEY, "journey-refinance" },
        { "workflow:doc_approval_v1", KIND_WORKFLOW, "doc_approval_v1" },
        { "workflow:v2.1", KIND_WORKFLOW, "v2.1" },
        { "doc:notes/2026/plan of the week", KIND_DOC, "notes/2026/plan of the week" },
        { "doc:user:5", KIND_DOC, "user:5" },
        { "doc:../x", KIND_DOC, "../x" },
        { "doc:\xc3\xa9t\xc3\xa9", KIND_DOC, "\xc3\xa9t\xc3\xa9" },
        { "user:anna", KIND_USER, "anna" },
        { "workspace", KIND_WORKSPACE, "" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct room_name name;
        check(name_parse(slice_of(cases[i].text), &name) == E_OK);
        check(name.kind == cases[i].kind);
        check(slice_is(name.id, cases[i].id));
        check(slice_is(name.text, cases[i].text));
    }
}

static void hostile_names_are_refused(void) {
    const struct slice cases[] = {
        S(""), S(":"), S("atom"), S("atom:"), S(":x"), S("Atom:x"), S("atoms:x"), S("atom :x"), S("workspace:"),
        S("workspace:x"), S("Workspace"), S("atom:../x"), S("atom:a/../b"), S("atom:a/b"), S("atom:/etc/passwd"),
        S("atom:.hidden"), S("atom:-rf"), S("atom:_x"), S("atom:a..b"), S("atom:.."), S("atom:a\0b"), S("atom\0:a"),
        S("atom:a b"), S("atom:a%2fb"), S("atom:a\\b"), S("atom:\xc3\xa9"), S("atom:a\n"), S("atom:a:b"), S("doc:"),
        S("doc:a\0"), S("doc:a\x1f"), S("doc:\x7f"), S("doc:\xff"), S("doc:\xed\xa0\x80"), S("doc:\xc0\xaf"),
        S("user:"), S("user:a@b"), S("\xef\xbb\xbf" "atom:x"),
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct room_name name = { .kind = KIND_COUNT };
        bool refused = name_parse(cases[i], &name) == E_INVALID && name.kind == KIND_COUNT;
        check(refused);
        if (!refused) fprintf(stderr, "  case %zu: %.*s\n", i, SLICE_ARG(cases[i]));
    }
}

static void names_have_a_longest_length(void) {
    char text[8 + LIMIT_DOC_NAME_BYTES + 1];
    struct room_name name;

    memset(text, 'a', sizeof text);
    memcpy(text, "atom:", 5);
    check(name_parse(literal(text, 5 + LIMIT_ID_BYTES), &name) == E_OK);
    check(name_parse(literal(text, 5 + LIMIT_ID_BYTES + 1), &name) == E_INVALID);
    memcpy(text, "doc:a", 5);
    check(name_parse(literal(text, 4 + LIMIT_DOC_NAME_BYTES), &name) == E_OK);
    check(name_parse(literal(text, 4 + LIMIT_DOC_NAME_BYTES + 1), &name) == E_INVALID);
}

static void every_kind_has_its_text(void) {
    for (int k = 0; k < KIND_COUNT; k++) {
        enum kind kind = KIND_COUNT;
        check(kind_of(slice_of(kind_text((enum kind)k)), &kind) && kind == (enum kind)k);
        check(!kind_has_file((enum kind)k) || kind_has_document((enum kind)k));
    }
    enum kind kind;
    check(!kind_of(slice_of("rule"), &kind));
}

static void a_path_has_a_kind(void) {
    static const struct { const char *path; int kind; } cases[] = {
        { "atoms/processes/atom-x.yaml", KIND_ATOM }, { "atoms/x.yml", KIND_ATOM }, { "modules/MOD-001.yaml", KIND_MODULE },
        { "phases/p.yaml", KIND_PHASE }, { "journeys/j.yaml", KIND_JOURNEY }, { "workflows/w.json", KIND_WORKFLOW },
        { "workflows/w.yaml", -1 }, { "atoms/x.json", -1 }, { "atoms", -1 }, { "x.yaml", -1 }, { "", -1 },
        { "atomsx/x.yaml", -1 }, { "/atoms/x.yaml", -1 }, { "atoms/x.yaml~", -1 }, { "rules/r.yaml", -1 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        enum kind kind = KIND_COUNT;
        bool found = kind_of_path(slice_of(cases[i].path), &kind);
        check(found == (cases[i].kind >= 0));
        check(!found || (int)kind == cases[i].kind);
    }
}

int main(void) {
    run(names_that_are_rooms);
    run(hostile_names_are_refused);
    run(names_have_a_longest_length);
    run(every_kind_has_its_text);
    run(a_path_has_a_kind);
    return t_exit();
}
