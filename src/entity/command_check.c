#include "entity/command_check.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/err.h"
#include "base/map.h"
#include "base/must.h"
#include "entity/model_int.h"
#include "files/disk.h"

/* Three levels: an error keeps an entity from being edited or breaks a reference; a warning is a value outside
 * the known ones; a note is odd but harmless. */
enum level { ERROR, WARNING, NOTE };

struct entity {
    char path[DISK_PATH_BYTES];
    enum kind kind;
    struct model model;
    struct buf bytes;
    const char *id;
    char key[8 + 1 + LIMIT_ID_BYTES + 1];       /* kind:id */
    size_t n_modules;           /* of an atom: how many list it */
    struct entity *next;
};

struct check {
    struct disk *disk;
    struct entity *first, *last;
    struct map by_key;
    size_t n[KIND_COUNT], counts[3];
};

__attribute__((format(printf, 5, 6)))
static void say(struct check *c, enum level level, const char *path, const struct node *at, const char *format, ...) {
    static const char *const names[] = { "error", "warning", "note" };
    va_list args;

    c->counts[level]++;
    printf("%s", path);
    if (at && at->line) printf(":%d:%d", at->line, at->column);
    printf(": %s: ", names[level]);
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    printf("\n");
}

/* ---- reading ----------------------------------------------------------------------------- */

static const char *text_of(struct entity *e, const struct node *n) {
    char *text = tree_alloc(&e->model.tree, n->text.len + 1);
    memcpy(text, n->text.at, n->text.len);
    return text;
}

static struct slice stem_of(const char *path) {
    const char *name = strrchr(path, '/') + 1, *dot = strrchr(name, '.');
    return (struct slice){ (const uint8_t *)name, (size_t)(dot - name) };
}

static void add(struct check *c, struct entity *e) {
    const struct node *id = node_find(e->model.file, "id");
    struct entity *other;

    e->id = text_of(e, id);
    snprintf(e->key, sizeof e->key, "%s:%s", kind_text(e->kind), e->id);
    other = map_get(&c->by_key, slice_of(e->key));
    if (other) say(c, ERROR, e->path, id, "the id %s is also in %s", e->id, other->path);
    else map_put(&c->by_key, slice_of(e->key), e);
    if (!slice_eq(stem_of(e->path), id->text)) say(c, NOTE, e->path, id, "the id %s is not the file's name", e->id);
    c->n[e->kind]++;
}

static int on_file(void *ctx, const struct disk_file *file) {
    struct check *c = ctx;
    struct entity_problem p = { 0 };
    struct entity *e = calloc(1, sizeof *e);

    must(e);
    snprintf(e->path, sizeof e->path, "%s", file->path);
    buf_init(&e->bytes, LIMIT_DOCUMENT_BYTES);
    must(kind_of_path(slice_of(e->path), &e->kind));
    int r = disk_read(c->disk, file->path, &e->bytes, NULL);
    if (r == E_OK && e->bytes.len == 0) snprintf(p.text, sizeof p.text, "the file is empty");
    else if (r == E_OK) r = model_read(e->kind, buf_view(&e->bytes), false, &e->model, &p);
    else snprintf(p.text, sizeof p.text, "%s", err_text(r));
    int line = disk_has_conflict(buf_view(&e->bytes));
    if (line && p.text[0]) p = (struct entity_problem){ line, 1, "conflict markers of git" };
    struct node at = { .line = p.line, .column = p.column };
    if (p.text[0]) say(c, ERROR, file->path, &at, "%s", p.text);
    if (line && !p.text[0]) say(c, WARNING, file->path, &(struct node){ .line = line, .column = 1 }, "conflict markers of git");
    if (!e->model.file || p.text[0]) {
        model_deinit(&e->model);
        buf_deinit(&e->bytes);
        free(e);
        return E_OK;
    }
    if (c->last) c->last->next = e;
    else c->first = e;
    c->last = e;
    add(c, e);
    return E_OK;
}

static void on_problem(void *ctx, const char *path, const char *problem) {
    say(ctx, WARNING, path, NULL, "%s", problem);
}

/* ---- values ------------------------------------------------------------------------------ */

static const char *const TYPES[] = {
    "PROCESS", "DECISION", "GATEWAY", "ROLE", "SYSTEM", "DOCUMENT", "REGULATION", "METRIC", "RISK", "POLICY",
    "CONTROL", "API",
    "CAPABILITY", "AGENT", "VERSION", "DATA", "VALIDATION", "REQUIREMENT", "DESIGN", "PROCEDURE", NULL };
static const char *const CATEGORIES[] = { "CUSTOMER_FACING", "BACK_OFFICE", "SYSTEM", "COMPLIANCE", "RISK", NULL };
static const char *const STATUSES[] = { "ACTIVE", "DRAFT", "DEPRECATED", "ARCHIVED", NULL };
static const char *const CRITICALITIES[] = { "LOW", "MEDIUM", "HIGH", "CRITICAL", NULL };
static const char *const EDGES[] = {
    "DEPENDS_ON", "ENABLES", "RELATED_TO", "COMPONENT_OF", "USES_COMPONENT", "PARALLEL_WITH", "ESCALATES_TO",
    "GOVERNED_BY",
    "DATA_FLOWS_TO", "IMPLEMENTS", "REFERENCES", "SUPERSEDES", "REQUIRES_KNOWLEDGE_OF", "PERFORMED_BY",
    "FORBIDDEN_FOR",
    "REPLACED_BY", "MIGRATED_TO", "VERSION_OF", "REQUIRES", "INFLUENCES", "DOCUMENTS", "VALIDATES",
    "TRIGGERS", "PRODUCES",
    "CONSUMES", "ENFORCES", "LEADS_TO", "MITIGATES", "OWNS", "AFFECTS", NULL };
static const char *const WORKFLOW_TYPES[] = { "BPM", "SOP", "CUSTOMER_JOURNEY", "CUSTOM", NULL };

static bool is_one_of(struct slice text, const char *const *words) {
    for (; *words; words++) {
        if (text.len != strlen(*words)) continue;
        if (strncasecmp((const char *)text.at, *words, text.len) == 0) return true;
    }
    return false;
}

static void check_word(struct check *c, struct entity *e, const struct node *map, const char *key,
    const char *const *words) {
    const struct node *n = node_find(map, key);

    if (!n || n->kind == NODE_NULL || is_one_of(n->text, words)) return;
    const char *value = node_is_scalar(n) ? text_of(e, n) : "a list";
    say(c, WARNING, e->path, n, "%s: %s is none of the known values", key, value);
}

/* ---- references -------------------------------------------------------------------------- */

static struct entity *named(struct check *c, enum kind kind, struct slice id) {
    char key[8 + 1 + LIMIT_ID_BYTES + 1];
    int n = snprintf(key, sizeof key, "%s:%.*s", kind_text(kind), SLICE_ARG(id));
    return n > 0 && (size_t)n < sizeof key ? map_get(&c->by_key, slice_of(key)) : NULL;
}

static struct entity *check_reference(struct check *c, struct entity *e, const struct node *n,
    enum kind kind, const char *what) {
    if (!n || n->kind == NODE_NULL || !node_is_scalar(n)) return NULL;
    struct entity *other = named(c, kind, n->text);
    if (!other) say(c, ERROR, e->path, n, "%s: there is no %s %s", what, kind_text(kind), text_of(e, n));
    return other;
}

static const struct node *list_in(const struct entity *e, const char *root, const char *key) {
    const struct node *list = node_find(node_find(e->model.root, root), key);
    return list && list->kind == NODE_LIST ? list : NULL;
}

static bool lists(const struct node *list, struct slice id) {
    for (const struct node *n = list ? list->first : NULL; n; n = n->next)
        if (node_is_scalar(n) && slice_eq(n->text, id)) return true;
    return false;
}

static void check_list(struct check *c, struct entity *e, const char *key, enum kind kind) {
    const struct node *list = list_in(e, kind_text(e->kind), key);

    for (const struct node *n = list ? list->first : NULL; n; n = n->next) {
        struct entity *other = check_reference(c, e, n, kind, key);
        if (other) other->n_modules++;
        for (const struct node *o = list->first; o != n; o = o->next)
            if (slice_eq(o->text, n->text)) say(c, WARNING, e->path, n, "%s: %s is there twice", key, text_of(e, n));
    }
}

/* Membership is written twice: module.atoms is the truth, atom.moduleId and phaseId repeat it. */
static void check_member(struct check *c, struct entity *e, const char *key, enum kind kind, const char *list_key) {
    const struct node *n = node_find(e->model.file, key);
    struct entity *parent = check_reference(c, e, n, kind, key);

    if (parent && !lists(list_in(parent, kind_text(kind), list_key), node_find(e->model.file, "id")->text))
        say(c, WARNING, e->path, n, "%s: %s does not list %s", key, parent->path, e->id);
}

static void check_edges(struct check *c, struct entity *e) {
    const struct node *list = list_in(e, "atom", "edges");

    for (const struct node *n = list ? list->first : NULL; n; n = n->next) {
        const struct node *type = node_find(n, "type"), *target = node_find(n, "targetId");
        if (!is_one_of(type->text, EDGES))
            say(c, WARNING, e->path, type, "edges: %s is none of the known types", text_of(e, type));
        check_reference(c, e, target, KIND_ATOM, "edges");
        if (slice_is(target->text, e->id)) say(c, WARNING, e->path, target, "edges: an edge to itself");
        for (const struct node *o = list->first; o != n; o = o->next)
            if (slice_eq(node_find(o, "type")->text, type->text) &&
                slice_eq(node_find(o, "targetId")->text, target->text))
                say(c, WARNING, e->path, n, "edges: this edge is there twice");
    }
}

static void check_atom(struct check *c, struct entity *e) {
    const struct node *file = e->model.file;

    check_word(c, e, file, "type", TYPES);
    check_word(c, e, file, "category", CATEGORIES);
    check_word(c, e, file, "status", STATUSES);
    check_word(c, e, file, "criticality", CRITICALITIES);
    check_edges(c, e);
    check_member(c, e, "moduleId", KIND_MODULE, "atoms");
    const struct node *phase = node_find(file, "phaseId"), *module = node_find(file, "moduleId");
    struct entity *m = module ? named(c, KIND_MODULE, module->text) : NULL;
    const struct node *its = m ? node_find(m->model.file, "phaseId") : NULL;
    check_reference(c, e, phase, KIND_PHASE, "phaseId");
    if (phase && its && phase->kind == NODE_STRING && its->kind == NODE_STRING && !slice_eq(phase->text, its->text))
        say(c, WARNING, e->path, phase, "phaseId: its module %s is in %s", m->id, text_of(m, its));
}

static void check_module(struct check *c, struct entity *e) {
    check_word(c, e, e->model.file, "workflow_type", WORKFLOW_TYPES);
    check_word(c, e, e->model.file, "status", STATUSES);
    check_word(c, e, e->model.file, "criticality", CRITICALITIES);
    check_list(c, e, "atoms", KIND_ATOM);
    check_member(c, e, "phaseId", KIND_PHASE, "modules");
    const struct node *other = node_find(node_find(e->model.root, "module"), "_atoms");
    for (const struct node *n = other && other->kind == NODE_LIST ? other->first : NULL; n; n = n->next)
        if (node_is_scalar(n) && !named(c, KIND_ATOM, n->text))
            say(c, WARNING, e->path, NULL, "atoms: there is no atom %s (atom_ids counts)", text_of(e, n));
}

static void check_workflow(struct check *c, struct entity *e) {
    const struct node *nodes = node_find(e->model.root, "nodes"), *edges = node_find(e->model.root, "edges");
    const struct node *steps = node_find(e->model.file, "steps"), *start = node_find(e->model.file, "start_step_id");
    bool found = !start || start->kind == NODE_NULL;

    for (const struct node *n = nodes->first; n; n = n->next) {
        const struct node *atom = node_find(n, "atomId");
        if (atom && atom->kind == NODE_STRING && !named(c, KIND_ATOM, atom->text))
            say(c, ERROR, e->path, NULL, "step %s: there is no atom %s", text_of(e, node_find(n, "_key")),
                text_of(e, atom));
        if (start && slice_eq(node_find(n, "_key")->text, start->text)) found = true;
    }
    if (!found) say(c, ERROR, e->path, start, "start_step_id: there is no step %s", text_of(e, start));
    for (const struct node *n = edges->first; n; n = n->next) {
        const struct node *target = node_find(n, "target");
        bool there = false;
        for (const struct node *s = nodes->first; s && !there; s = s->next)
            there = slice_eq(node_find(s, "_key")->text, target->text);
        if (there) continue;
        const char *source = text_of(e, node_find(n, "source"));
        say(c, ERROR, e->path, steps, "step %s: there is no step %s", source, text_of(e, target));
    }
}

static void check_entity(struct check *c, struct entity *e) {
    switch (e->kind) {
    case KIND_ATOM: check_atom(c, e); break;
    case KIND_MODULE: check_module(c, e); break;
    case KIND_PHASE:
        check_list(c, e, "modules", KIND_MODULE);
        check_member(c, e, "journeyId", KIND_JOURNEY, "phases");
        break;
    case KIND_JOURNEY: check_list(c, e, "phases", KIND_PHASE); break;
    default: check_workflow(c, e);
    }
}

/* ---- the command ------------------------------------------------------------------------- */

static const char *plural(size_t n, const char *one, const char *many) { return n == 1 ? one : many; }

static void summary(const struct check *c, const char *directory) {
    printf("%s: %zu atoms, %zu modules, %zu phases, %zu journeys, %zu workflows; %zu %s, %zu %s, %zu %s\n", directory,
           c->n[KIND_ATOM], c->n[KIND_MODULE], c->n[KIND_PHASE], c->n[KIND_JOURNEY], c->n[KIND_WORKFLOW],
           c->counts[ERROR], plural(c->counts[ERROR], "error", "errors"), c->counts[WARNING],
           plural(c->counts[WARNING], "warning", "warnings"), c->counts[NOTE],
           plural(c->counts[NOTE], "note", "notes"));
}

int command_check(int argc, char **argv) {
    struct check c = { 0 };
    const char *directory = argc > 1 ? argv[1] : ".", *why = "";

    if (argc > 2 || directory[0] == '-') {
        fprintf(stderr, "usage: covalent check [DIR]\nEvery problem of a workspace, with file, line and column. Status 1: errors.\n");
        return argc == 2 && (strcmp(directory, "--help") == 0 || strcmp(directory, "-h") == 0) ? 0 : 2;
    }
    if (disk_open_read(directory, &c.disk, &why) < 0) {
        fprintf(stderr, "covalent check: %s: %s\n", directory, why);
        return 2;
    }
    map_init(&c.by_key);
    int r = disk_walk(c.disk, on_file, on_problem, &c);
    for (struct entity *e = c.first; e; e = e->next) check_entity(&c, e);
    summary(&c, directory);
    while (c.first) {
        struct entity *next = c.first->next;
        model_deinit(&c.first->model);
        buf_deinit(&c.first->bytes);
        free(c.first);
        c.first = next;
    }
    map_deinit(&c.by_key);
    disk_close(c.disk);
    return r < 0 || c.counts[ERROR] ? 1 : 0;
}
