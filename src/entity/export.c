#include "entity/export.h"

#include <stdio.h>

#include "base/err.h"
#include "base/limits.h"
#include "entity/model_int.h"
#include "files/json.h"
#include "files/splice.h"
#include "files/yaml_emit.h"

/* Phases and journeys are written by a program that escapes what is not ASCII. */
static bool is_unicode(enum kind kind) { return kind == KIND_ATOM || kind == KIND_MODULE; }

static int too_large(struct entity_problem *problem) {
    problem->line = problem->column = 0;
    snprintf(problem->text, sizeof problem->text, "larger than a document may be");
    return E_TOO_LARGE;
}

static void write_new(enum kind kind, const struct node *tree, struct buf *file) {
    if (kind == KIND_WORKFLOW) json_write(tree, &(struct json_style){ .indent = 4 }, file);
    else yaml_emit(tree, is_unicode(kind), file);
}

static void write_file(enum kind kind, const struct model *was, struct slice previous, const struct node *want,
                       struct buf *file) {
    if (!was->file) write_new(kind, want, file);
    else if (node_same(was->file, want)) buf_slice(file, previous);
    else if (kind == KIND_WORKFLOW) json_splice(previous, was->file, want, file);
    else splice(previous, was->file, want, is_unicode(kind), file);
}

int entity_export(enum kind kind, struct weave *doc, struct slice previous, struct buf *file,
                  struct entity_problem *problem) {
    struct model was;
    struct tree t;
    struct node *model;

    int e = model_read(kind, previous, true, &was, problem);
    if (e < 0) {                    /* what is there is no entity: it is written anew */
        model_deinit(&was);
        model_init(&was);
    }
    tree_init(&t);
    e = model_build(kind, doc, &was, &t, &model, problem);
    if (e == E_OK) {
        write_file(kind, &was, previous, model_file(kind, &t, model, &was), file);
        if (file->bad) e = too_large(problem);
    }
    tree_deinit(&t);
    model_deinit(&was);
    return e;
}

int entity_json(enum kind kind, struct weave *doc, struct buf *json, struct entity_problem *problem) {
    struct model none;
    struct tree t;
    struct node *model;

    model_init(&none);
    tree_init(&t);
    int e = model_build(kind, doc, &none, &t, &model, problem);
    if (e == E_OK) {
        json_compact(model_file(kind, &t, model, &none), json);
        if (json->bad) e = too_large(problem);
    }
    tree_deinit(&t);
    return e;
}

int entity_file_json(enum kind kind, struct slice file, struct buf *json, struct entity_problem *problem) {
    struct model m;

    int e = model_read(kind, file, true, &m, problem);
    if (e == E_OK && !m.file) {
        snprintf(problem->text, sizeof problem->text, "the file is empty");
        e = E_INVALID;
    }
    if (e == E_OK) {
        json_compact(m.file, json);
        if (json->bad) e = too_large(problem);
    }
    model_deinit(&m);
    return e;
}

/* ---- a new file -------------------------------------------------------------------------- */

/* The map's keys in the table's order, then the others. */
static struct node *in_table_order(struct tree *t, const struct field *fields, const struct node *map) {
    struct node *out = node_new(t, NODE_MAP);

    for (const struct field *f = fields; f && f->key; f++) {
        const struct node *n = node_find(map, f->key);
        bool nested = n && f->type == FIELD_MAP && n->kind == NODE_MAP;
        if (n) node_put(t, out, slice_of(f->key), nested ? in_table_order(t, f->fields, n) : node_clone(t, n));
    }
    for (const struct node *c = map->first; c; c = c->next)
        if (!field_find(fields, c->key->text)) node_put(t, out, c->key->text, node_clone(t, c));
    return out;
}

int entity_new_file(enum kind kind, struct slice json, struct buf *file, struct entity_problem *problem) {
    struct tree t;
    struct problem p = { 0 };
    const struct field *fields = shape_of(kind)->fields[0].fields;

    tree_init(&t);
    int e = json_read(json, false, &t, &p);
    if (e == E_OK && t.root->kind != NODE_MAP) {
        problem_set(&p, 0, 0, "must be an object");
        e = E_INVALID;
    }
    if (e == E_OK && !shape_check(fields, t.root, &p)) e = E_INVALID;
    if (e == E_OK && kind == KIND_WORKFLOW && !workflow_check(t.root, &p)) e = E_INVALID;
    if (e == E_OK) {
        write_new(kind, kind == KIND_WORKFLOW ? t.root : in_table_order(&t, fields, t.root), file);
        if (file->bad) e = E_TOO_LARGE;
    }
    entity_problem_from(problem, &p);
    tree_deinit(&t);
    return e;
}
