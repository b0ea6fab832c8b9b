/* Import, export and merge: rulings D1, D2, D3, D5 and the table. */
#include "entity/export.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/err.h"
#include "t.h"

#define ATOM                                                                                       \
    "# kept\nid: atom-a\ncategory: SYSTEM\ntype: PROCESS\nname: Check the title # why\nversion: 1.0.0\n" \
    "phaseId: null\nowning_team: X\ncontent:\n  summary: one two three\n  steps:\n  - first step\n"      \
    "  - second step\n  - third step\n  exceptions:\n  - condition: none\n    action: wait\nedges:\n"      \
    "- type: ENABLES\n  targetId: atom-b\n- type: ENABLES\n  targetId: atom-c\n  label: l\nmetrics:\n  error_rate: 0.5\n"

static void put(void *ctx, const uint8_t *at, size_t len) { buf_put(ctx, at, len); }
static struct weave_sink to(struct buf *b) { return (struct weave_sink){ put, b }; }
static struct weave_bytes bytes(const char *text) { return (struct weave_bytes){ (const uint8_t *)text, strlen(text) }; }

static struct weave *open_kind(enum kind kind, struct slice file) {
    struct entity_problem p = { 0 };
    struct buf update;
    struct weave *w = weave_new(7, MIB(64));
    buf_init(&update, MIB(64));
    int e = entity_import(kind, file, &update, &p);
    check(e == E_OK);
    if (e < 0) fprintf(stderr, "  %d:%d %s\n", p.line, p.column, p.text);
    check(weave_apply(w, (struct weave_bytes){ update.at, update.len }, NULL) == 0);
    buf_deinit(&update);
    return w;
}

static struct weave *open_atom(const char *text) { return open_kind(KIND_ATOM, slice_of(text)); }

static bool exports(enum kind kind, struct weave *w, struct slice previous, const char *want) {
    struct entity_problem p = { 0 };
    struct buf file;
    buf_init(&file, MIB(4));
    int e = entity_export(kind, w, previous, &file, &p);
    bool same = e == E_OK && slice_is(buf_view(&file), want);
    if (!same) fprintf(stderr, "  %d %s\n<<<\n%.*s>>>\n", e, p.text, SLICE_ARG(buf_view(&file)));
    buf_deinit(&file);
    return same;
}

static bool exports_atom(struct weave *w, const char *want) { return exports(KIND_ATOM, w, slice_of(ATOM), want); }

/* ATOM with the first `from` replaced. */
static const char *with(const char *from, const char *into) {
    static char text[4][4096];
    static int n;
    char *out = text[n++ & 3];
    const char *at = strstr(ATOM, from);
    snprintf(out, sizeof text[0], "%.*s%s%s", at ? (int)(at - ATOM) : 0, ATOM, into, at ? at + strlen(from) : "");
    check(at != NULL);
    return out;
}

static weave_type at(struct weave *w, weave_type map, const char *key) {
    struct weave_value v;
    bool found = weave_map_get(w, map, bytes(key), &v) && v.kind == WEAVE_V_TYPE;
    check(found);
    return found ? v.type : 0;
}

static weave_type atom_of(struct weave *w) { return weave_root(w, bytes("atom")); }

static void merge_file(struct weave *w, const char *base, const char *file) {
    struct entity_problem p = { 0 };
    struct buf update;
    buf_init(&update, MIB(4));
    weave_set_client(w, 99);
    int e = entity_merge(KIND_ATOM, w, slice_of(base), slice_of(file), &update, &p);
    check(e == E_OK);
    if (e < 0) fprintf(stderr, "  %d:%d %s\n", p.line, p.column, p.text);
    buf_deinit(&update);
}

static void d1_same_bytes_same_update(void) {
    struct entity_problem p;
    struct buf a, b, c;
    buf_init(&a, MIB(1)), buf_init(&b, MIB(1)), buf_init(&c, MIB(1));
    check(entity_import(KIND_ATOM, slice_of(ATOM), &a, &p) == E_OK);
    check(entity_import(KIND_ATOM, slice_of(ATOM), &b, &p) == E_OK);
    check(entity_import(KIND_ATOM, slice_of(with("one", "1ne")), &c, &p) == E_OK);
    check(slice_eq(buf_view(&a), buf_view(&b)) && !slice_eq(buf_view(&a), buf_view(&c)));
    uint64_t id = entity_import_client(slice_of(ATOM));
    check(id >= IMPORT_CLIENT_FIRST && id < UINT64_C(1) << 53);
    check(id != entity_import_client(slice_of(with("one", "1ne"))));
    buf_deinit(&a), buf_deinit(&b), buf_deinit(&c);
}

static void d2_every_container_is_made(void) {
    struct weave *w = open_atom("id: a\n");
    weave_type root = atom_of(w), content = at(w, root, "content");
    static const char *const lists[] = { "steps", "inputs", "outputs", "prerequisites", "success_criteria", "requirements", "risks", "exceptions" };
    static const char *const texts[] = { "summary", "description", "purpose", "business_context", "regulatory_context" };
    for (size_t i = 0; i < 8; i++) check(weave_kind_of(w, at(w, content, lists[i])) == WEAVE_MAP);
    for (size_t i = 0; i < 5; i++) check(weave_kind_of(w, at(w, content, texts[i])) == WEAVE_TEXT);
    check(weave_kind_of(w, at(w, root, "name")) == WEAVE_TEXT);
    check(weave_kind_of(w, at(w, root, "edges")) == WEAVE_MAP && weave_kind_of(w, at(w, root, "metrics")) == WEAVE_MAP);
    check(exports(KIND_ATOM, w, slice_of("id: a\n"), "id: a\n"));       /* empty is absent */
    weave_free(w);
}

static void an_unchanged_document_is_the_same_file(void) {
    struct weave *w = open_atom(ATOM);
    check(exports_atom(w, ATOM));
    weave_free(w);
}

static void one_word_is_one_line(void) {
    struct weave *w = open_atom(ATOM);
    struct buf u;
    buf_init(&u, MIB(1));
    weave_begin(w);
    weave_type content = at(w, atom_of(w), "content");
    weave_type summary = at(w, content, "summary");
    check(weave_text_insert(w, summary, 4, bytes("and ")) == 0);
    struct weave_value v = { .kind = WEAVE_V_STRING, .bytes = bytes("RETIRED") };
    check(weave_map_set(w, atom_of(w), bytes("version"), &v) == 0);
    weave_commit(w, to(&u));
    char want[4096];
    snprintf(want, sizeof want, "%s", with("one two three", "one and two three"));
    char *version = strstr(want, "1.0.0");
    memmove(version + 7, version + 5, strlen(version + 5) + 1);
    memcpy(version, "RETIRED", 7);
    check(exports_atom(w, want));
    weave_free(w);
    buf_deinit(&u);
}

struct ids { char id[16][64]; size_t n; };

static void on_id(void *ctx, struct weave_bytes key, const struct weave_value *v) {
    struct ids *ids = ctx;
    (void)v;
    if (ids->n < 16) snprintf(ids->id[ids->n++], 64, "%.*s", (int)key.len, (const char *)key.at);
}

static void d3_a_deleted_item_is_not_in_the_file(void) {
    struct weave *w = open_atom(ATOM);
    struct buf u, any;
    struct ids ids = { .n = 0 };
    buf_init(&u, MIB(1)), buf_init(&any, MIB(1));
    weave_type steps = at(w, at(w, atom_of(w), "content"), "steps");
    weave_map_each(w, steps, on_id, &ids);
    check(ids.n == 3);
    check(weave_any_from_json(bytes("{\"by\":\"u\",\"at\":1,\"seen\":\"second step\"}"), to(&any)) == 0);
    struct weave_value v = { .kind = WEAVE_V_OBJECT, .bytes = { any.at, any.len } };
    weave_begin(w);
    check(weave_map_set(w, at(w, steps, ids.id[1]), bytes("deleted"), &v) == 0);
    weave_commit(w, to(&u));
    check(exports_atom(w, with("  - second step\n", "")));
    weave_begin(w);
    check(weave_map_delete(w, at(w, steps, ids.id[1]), bytes("deleted")) == 0);
    weave_commit(w, to(&u));
    check(exports_atom(w, ATOM));
    weave_free(w);
    buf_deinit(&u), buf_deinit(&any);
}

static void d5_a_broken_shape_is_said_and_not_written(void) {
    static const struct { const char *key; } cases[] = { { "name" }, { "content" }, { "edges" }, { "metrics" } };
    for (size_t i = 0; i < 4; i++) {
        struct weave *w = open_atom(ATOM);
        struct entity_problem p = { 0 };
        struct buf u, file;
        buf_init(&u, MIB(1)), buf_init(&file, MIB(1));
        weave_begin(w);
        struct weave_value v = { .kind = WEAVE_V_STRING, .bytes = bytes("oops") };
        check(weave_map_set(w, atom_of(w), bytes(cases[i].key), &v) == 0);
        weave_commit(w, to(&u));
        check(entity_export(KIND_ATOM, w, slice_of(ATOM), &file, &p) == E_INVALID);
        check(strstr(p.text, cases[i].key) != NULL && file.len == 0);
        weave_free(w);
        buf_deinit(&u), buf_deinit(&file);
    }
}

static void d5_a_file_of_another_shape_is_said_with_its_line(void) {
    static const struct { const char *file; int line; const char *says; } cases[] = {
        { "id: a\ncontent:\n  steps: x\n", 3, "list" },
        { "id: a\ncontent:\n  steps:\n  - ok\n  - a: b\n", 5, "quote" },
        { "id: a\nedges:\n- x\n", 3, "map" },
        { "id: a\nedges:\n- type: A\n", 3, "targetId" },
        { "id: a\nname: [x]\n", 2, "text" },
        { "name: x\n", 1, "id" },
        { "id: ../x\n", 1, "id" },
        { "- a\n", 1, "map" },
        { "id: a\nid: b\n", 2, "twice" },
        { "id: a\nx: &a [*a]\n", 2, "alias" },
        { "id: a\nx: !!python/name:os.system y\n", 2, "tags" },
        { "id: a\nx: @y\n", 2, "character" },
        { "id: a\n<<: {b: 1}\n", 2, "merge" },
        { "id: a\n---\nid: b\n", 2, "second document" },
        { "id: a\nname: \xff\n", 2, "UTF-8" },
        { "id: a\n  name: x\n", 2, "" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct entity_problem p = { 0 };
        struct buf u;
        buf_init(&u, MIB(1));
        check(entity_import(KIND_ATOM, slice_of(cases[i].file), &u, &p) == E_INVALID);
        bool good = p.line == cases[i].line && strstr(p.text, cases[i].says) && u.len == 0;
        check(good);
        if (!good) fprintf(stderr, "  case %zu: %d:%d %s\n", i, p.line, p.column, p.text);
        buf_deinit(&u);
    }
}

static void yaml_bombs_are_refused(void) {
    struct entity_problem p = { 0 };
    struct buf file, u;
    buf_init(&file, MIB(1)), buf_init(&u, MIB(64));
    buf_text(&file, "id: a\na0: &a0 [x,x,x,x,x,x,x,x,x,x]\n");
    for (int i = 1; i < 9; i++) {
        buf_printf(&file, "a%d: &a%d [", i, i);
        for (int k = 0; k < 10; k++) buf_printf(&file, "%s*a%d", k ? "," : "", i - 1);
        buf_text(&file, "]\n");
    }
    check(entity_import(KIND_ATOM, buf_view(&file), &u, &p) == E_INVALID && strstr(p.text, "50,000"));
    buf_reset(&file);
    buf_text(&file, "id: a\nx: ");
    for (int i = 0; i < 100000; i++) buf_byte(&file, '[');
    check(entity_import(KIND_ATOM, buf_view(&file), &u, &p) == E_INVALID && strstr(p.text, "32"));
    buf_reset(&file);
    buf_text(&file, "id: a\nx: ");
    for (int i = 0; i < 70000; i++) buf_byte(&file, 'x');
    check(entity_import(KIND_ATOM, buf_view(&file), &u, &p) == E_INVALID && strstr(p.text, "64 KiB"));
    buf_deinit(&file), buf_deinit(&u);
}

static void every_prefix_is_read_or_refused(void) {
    static const char json[] = "{\"id\": \"w\", \"steps\": [{\"id\": \"a\", \"n\": -1.5e3, \"t\": \"\\ud83d\\ude00\", \"transitions\": [{\"target_step_id\": \"a\"}]}]}";
    for (int kind = 0; kind < 2; kind++) {
        const char *text = kind ? json : ATOM;
        for (size_t n = 0; n <= strlen(text); n++) {
            struct entity_problem p = { 0 };
            struct buf u;
            uint8_t *exact = malloc(n + 1);         /* so that a read past the end is seen */
            memcpy(exact, text, n);
            buf_init(&u, MIB(1));
            int e = entity_import(kind ? KIND_WORKFLOW : KIND_ATOM, (struct slice){ exact, n }, &u, &p);
            check(e == E_OK ? u.len > 0 : p.text[0] != 0 && u.len == 0);
            buf_deinit(&u);
            free(exact);
        }
    }
}

/* ---- somebody else changed the file -------------------------------------------------------- */

static void people_write(struct weave *w, const char *text) {
    struct buf u;
    buf_init(&u, MIB(1));
    weave_begin(w);
    check(weave_text_insert(w, at(w, at(w, atom_of(w), "content"), "summary"), 0, bytes(text)) == 0);
    weave_commit(w, to(&u));
    buf_deinit(&u);
}

static void a_changed_file_comes_in(void) {
    static const struct { const char *from, *into; } cases[] = {
        { "one two three", "one 2 three and four" }, { "  - second step\n", "" }, { "  - second step\n", "  - second steps, two of them\n" },
        { "  - first step\n", "  - zeroth\n  - first step\n" }, { "  - first step\n  - second step\n", "  - second step\n  - first step\n" },
        { "  - third step\n", "  - third step\n  - fourth\n  - fifth\n" }, { "type: PROCESS", "type: POLICY" }, { "phaseId: null\n", "phaseId: p\nmoduleId: m\n" },
        { "owning_team: X\n", "" }, { "- type: ENABLES\n  targetId: atom-b\n", "" }, { "  label: l\n", "" }, { "  label: l\n", "  label: l\n- type: Z\n  targetId: q\n" },
        { "error_rate: 0.5", "error_rate: 0.25\n  more: 1" }, { "    action: wait\n", "    action: call\n  - condition: two\n    action: go\n" },
        { "  - first step\n  - second step\n  - third step\n", "  - third step\n  - first step\n  - second step\n" },
        { "  steps:\n  - first step\n  - second step\n  - third step\n", "" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct weave *w = open_atom(ATOM);
        const char *file = with(cases[i].from, cases[i].into);
        merge_file(w, ATOM, file);
        struct entity_problem p = { 0 };
        struct buf a, b;
        buf_init(&a, MIB(1)), buf_init(&b, MIB(1));
        check(entity_export(KIND_ATOM, w, slice_of(file), &a, &p) == E_OK);
        bool same = slice_is(buf_view(&a), file);
        check(same);
        if (!same) fprintf(stderr, "  case %zu %s\n%.*s", i, p.text, SLICE_ARG(buf_view(&a)));
        buf_deinit(&a), buf_deinit(&b);
        weave_free(w);
    }
}

static void what_people_wrote_meanwhile_stays(void) {
    struct weave *w = open_atom(ATOM);
    people_write(w, "PEOPLE ");
    merge_file(w, ATOM, with("two three", "2 three!"));
    check(exports_atom(w, with("one two three", "PEOPLE one 2 three!")));
    weave_free(w);
}

static void what_people_put_inside_a_deleted_part_stays(void) {
    struct weave *w = open_atom(ATOM);
    struct buf u;
    buf_init(&u, MIB(1));
    weave_begin(w);
    check(weave_text_insert(w, at(w, at(w, atom_of(w), "content"), "summary"), 6, bytes("XX")) == 0);  /* one twXXo three */
    weave_commit(w, to(&u));
    merge_file(w, ATOM, with("one two three", "one three"));
    struct buf text;
    buf_init(&text, MIB(1));
    weave_text_read(w, at(w, at(w, atom_of(w), "content"), "summary"), to(&text));
    buf_byte(&text, 0);
    char *people = strstr((char *)text.at, "XX");
    check(people != NULL);
    if (people) memmove(people, people + 2, strlen(people + 2) + 1);
    check(strcmp((char *)text.at, "one three") == 0);
    weave_free(w);
    buf_deinit(&u), buf_deinit(&text);
}

static void nothing_changed_is_an_empty_update(void) {
    struct weave *w = open_atom(ATOM);
    struct entity_problem p;
    struct buf u;
    buf_init(&u, MIB(1));
    people_write(w, "x");
    check(entity_merge(KIND_ATOM, w, slice_of(ATOM), slice_of(ATOM), &u, &p) == E_OK && u.len == 0);
    check(entity_merge(KIND_ATOM, w, slice_of(ATOM), slice_of(with("# why", "# other")), &u, &p) == E_OK && u.len == 0);
    weave_free(w);
    buf_deinit(&u);
}

static void a_wrong_file_changes_nothing(void) {
    struct weave *w = open_atom(ATOM);
    struct entity_problem p = { 0 };
    struct buf u;
    buf_init(&u, MIB(1));
    check(entity_merge(KIND_ATOM, w, slice_of(ATOM), slice_of("id: [\n"), &u, &p) == E_INVALID && p.line > 0);
    check(entity_merge(KIND_ATOM, w, slice_of(ATOM), slice_of(with("id: atom-a", "id: atom-z")), &u, &p) == E_INVALID);
    check(u.len == 0 && exports_atom(w, ATOM));
    weave_free(w);
    buf_deinit(&u);
}

/* ---- kinds ------------------------------------------------------------------------------- */

static void module_shapes_come_back(void) {
    static const char *const files[] = {
        "id: m\nname: M\natoms:\n- a\n- b\nphaseId: p\n",
        "id: m\nmodule_id: m\nname: M\natom_ids:\n- a\n- b\nmetadata:\n  created: 2025-12-18\n  n: 1.0\natoms:\n- zz\n",
        "id: m\natom_ids: &id001\n- a\n- b\natoms: *id001\n",
        "id: m\natom_ids:\n- a\n- a\ntags: []\n",
        "id: m\natoms: null\n",
    };
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        struct weave *w = open_kind(KIND_MODULE, slice_of(files[i]));
        check(exports(KIND_MODULE, w, slice_of(files[i]), files[i]));
        weave_free(w);
    }
}

static void c_writes_atom_ids(void) {
    const char *file = "id: m\natom_ids: &id001\n- a\n- b\natoms: *id001\n";
    struct weave *w = open_kind(KIND_MODULE, slice_of(file));
    struct buf u;
    buf_init(&u, MIB(1));
    weave_begin(w);
    check(weave_map_delete(w, at(w, weave_root(w, bytes("module")), "atoms"), bytes("a")) == 0);
    weave_commit(w, to(&u));
    check(exports(KIND_MODULE, w, slice_of(file), "id: m\natom_ids:\n- b\natoms:\n- b\n"));
    weave_free(w);
    buf_deinit(&u);
}

#define FLOW(steps) "{\n    \"id\": \"w\",\n    \"steps\": [" steps "]\n}"
#define STEP(id, more) "{\"id\": \"" id "\", \"type\": \"task\", \"transitions\": [" more "]}"
#define GO(to) "{\"target_step_id\": \"" to "\"}"

static void workflows_merge_by_step_and_arrow(void) {
    static const char *const versions[] = {
        FLOW(STEP("a", GO("b")) ", " STEP("b", "")),
        FLOW(STEP("a", GO("b") ", " GO("b")) ", " STEP("b", GO("a"))),
        FLOW(STEP("b", GO("a")) ", " STEP("c", "") ", " STEP("a", GO("b"))),
        FLOW(""),
        FLOW(STEP("a", GO("a"))),
    };
    struct weave *w = open_kind(KIND_WORKFLOW, slice_of(versions[0]));
    for (size_t i = 0; i + 1 < sizeof versions / sizeof *versions; i++) {
        struct entity_problem p = { 0 };
        struct buf u;
        buf_init(&u, MIB(1));
        weave_set_client(w, 100 + i);
        check(entity_merge(KIND_WORKFLOW, w, slice_of(versions[i]), slice_of(versions[i + 1]), &u, &p) == E_OK && u.len > 0);
        check(exports(KIND_WORKFLOW, w, slice_of(versions[i + 1]), versions[i + 1]));
        buf_deinit(&u);
    }
    weave_free(w);
}

static void new_files_are_in_the_tables_order(void) {
    struct entity_problem p = { 0 };
    struct buf file;
    buf_init(&file, MIB(1));
    check(entity_new_file(KIND_ATOM, slice_of("{\"x\":1,\"name\":\"N\",\"edges\":[],\"id\":\"a\",\"content\":{\"steps\":[\"s: t\"],\"summary\":\"\"}}"), &file, &p) == E_OK);
    check(slice_is(buf_view(&file), "id: a\nname: N\ncontent:\n  summary: ''\n  steps:\n  - 's: t'\nedges: []\nx: 1\n"));
    buf_reset(&file);
    check(entity_new_file(KIND_PHASE, slice_of("{\"id\":\"p\",\"name\":\"A \xe2\x80\x94 B\",\"modules\":[]}"), &file, &p) == E_OK);
    check(slice_is(buf_view(&file), "id: p\nname: \"A \\u2014 B\"\nmodules: []\n"));
    buf_deinit(&file);
}

/* Every file of a workspace: imported, exported, the same bytes; and its JSON from both sides. */
static size_t check_tree(const char *top, const char *folder) {
    char path[1024];
    size_t n = 0;
    snprintf(path, sizeof path, "%s/%s", top, folder);
    DIR *dir = opendir(path);
    for (struct dirent *e = dir ? readdir(dir) : NULL; e; e = readdir(dir)) {
        char name[512];
        enum kind kind;
        struct stat st;
        static uint8_t bytes_of_file[KIB(256)];
        if (e->d_name[0] == '.') continue;
        snprintf(name, sizeof name, "%s/%.200s", folder, e->d_name);
        snprintf(path, sizeof path, "%s/%s", top, name);
        if (stat(path, &st) == 0 && S_ISDIR(st.st_mode)) {
            n += check_tree(top, name);
            continue;
        }
        if (!kind_of_path(slice_of(name), &kind)) continue;
        FILE *f = fopen(path, "rb");
        struct slice file = { bytes_of_file, f ? fread(bytes_of_file, 1, sizeof bytes_of_file, f) : 0 };
        if (f) fclose(f);
        struct weave *w = open_kind(kind, file);
        struct entity_problem p = { 0 };
        struct buf out;
        buf_init(&out, MIB(4));
        bool same = entity_export(kind, w, file, &out, &p) == E_OK && slice_eq(buf_view(&out), file);
        check(same);
        if (!same) fprintf(stderr, "  %s: %s\n", name, p.text);
        buf_deinit(&out);
        weave_free(w);
        n++;
    }
    if (dir) closedir(dir);
    return n;
}

static void every_file_of_the_sample_comes_back(void) {
    static const char *const folders[] = { "atoms", "modules", "phases", "journeys", "workflows" };
    const char *more = getenv("GNDP_DIR");
    size_t n = 0;
    for (size_t i = 0; i < 5; i++) n += check_tree("examples/lending", folders[i]);
    check(n == 39);
    for (size_t i = 0; more && i < 5; i++) n += check_tree(more, folders[i]);
    printf("# %zu files\n", n);
}

int main(void) {
    run(d1_same_bytes_same_update);
    run(d2_every_container_is_made);
    run(an_unchanged_document_is_the_same_file);
    run(one_word_is_one_line);
    run(d3_a_deleted_item_is_not_in_the_file);
    run(d5_a_broken_shape_is_said_and_not_written);
    run(d5_a_file_of_another_shape_is_said_with_its_line);
    run(yaml_bombs_are_refused);
    run(every_prefix_is_read_or_refused);
    run(workflows_merge_by_step_and_arrow);
    run(a_changed_file_comes_in);
    run(what_people_wrote_meanwhile_stays);
    run(what_people_put_inside_a_deleted_part_stays);
    run(nothing_changed_is_an_empty_update);
    run(a_wrong_file_changes_nothing);
    run(module_shapes_come_back);
    run(c_writes_atom_ids);
    run(new_files_are_in_the_tables_order);
    run(every_file_of_the_sample_comes_back);
    return t_exit();
}
