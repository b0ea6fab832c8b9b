#include "entity/model_int.h"

#include <stdio.h>

#include "base/err.h"
#include "files/json.h"
#include "files/yaml.h"

void entity_problem_from(struct entity_problem *to, const struct problem *from) {
    to->line = from->line;
    to->column = from->column;
    snprintf(to->text, sizeof to->text, "%s", from->text);
}

void model_init(struct model *m) {
    *m = (struct model){ 0 };
    tree_init(&m->tree);
}

void model_deinit(struct model *m) { tree_deinit(&m->tree); }

/* ---- modules: three shapes --------------------------------------------------------------- */

static struct node *copy_entry(struct tree *t, const struct node *n) {
    struct node *copy = tree_alloc(t, sizeof *copy);    /* keeps its place in the file and its children */
    *copy = *n;
    copy->next = NULL;
    return copy;
}

static struct node *module_model(struct tree *t, const struct node *file) {
    const struct node *ids = node_find(file, "atom_ids"), *atoms = node_find(file, "atoms");
    struct node *out = node_new(t, NODE_MAP);
    struct node *other = NULL;

    for (const struct node *c = file->first; c; c = c->next) {
        if (ids && c == atoms) continue;
        struct node *copy = copy_entry(t, c);
        if (c == ids) copy->key = node_text(t, slice_of("atoms"));
        node_append(out, copy);
    }
    if (!ids) return out;
    if (!atoms) other = node_new(t, NODE_NULL);
    else if (node_same(ids, atoms)) other = node_text(t, slice_of("same"));
    else other = node_clone(t, atoms);
    node_put(t, out, slice_of("_atoms"), other);
    return out;
}

static struct node *renamed(struct tree *t, const struct node *n, const char *key) {
    struct node *copy = node_clone(t, n);
    copy->key = node_text(t, slice_of(key));
    return copy;
}

/* The file's own `atoms`, where it stood before, else at the end. */
static struct node *module_file(struct tree *t, const struct node *want, const struct node *was) {
    const struct node *other = node_find(want, "_atoms"), *atoms = node_find(want, "atoms");
    struct node *out = node_new(t, NODE_MAP), *second = NULL;

    if (other && other->kind == NODE_STRING && atoms) second = renamed(t, atoms, "atoms");
    if (other && other->kind == NODE_LIST) second = renamed(t, other, "atoms");
    const struct node *before = NULL;       /* what stood before `atoms` in the file */
    for (const struct node *c = was ? was->first : NULL; c; c = c->next) {
        if (slice_is(c->key->text, "atoms")) break;
        before = c;
    }
    if (!was || !node_find(was, "atom_ids") || !node_find(was, "atoms")) before = NULL;
    for (const struct node *c = want->first; c; c = c->next) {
        if (c == other) continue;
        bool ids = c == atoms && other;
        node_append(out, ids ? renamed(t, c, "atom_ids") : copy_entry(t, c));
        if (second && before && slice_eq(out->last->key->text, before->key->text)) {
            node_append(out, second);
            second = NULL;
        }
    }
    if (second) node_append(out, second);
    return out;
}

/* ---- all kinds --------------------------------------------------------------------------- */

static struct node *wrap(struct tree *t, const char *root, struct node *map) {
    struct node *model = node_new(t, NODE_MAP);
    struct node *copy = copy_entry(t, map);
    copy->key = node_text(t, slice_of(root));
    node_append(model, copy);
    return model;
}

static bool check_file(enum kind kind, const struct node *file, struct problem *p) {
    if (file->kind != NODE_MAP) {
        problem_set(p, 1, 1, "must be a map with keys such as id and name");
        return false;
    }
    const struct node *id = node_find(file, "id");
    if (!id || id->kind != NODE_STRING || !id_is_valid(id->text)) {
        problem_set(p, id ? id->line : 1, id ? id->column : 1,
                    id ? "id: must be letters, digits, - _ . and at most 128 of them" : "id: is missing");
        return false;
    }
    if (kind == KIND_WORKFLOW && !workflow_check(file, p)) return false;
    if (kind == KIND_MODULE) {
        static const struct field ids[] = {
            { "atom_ids", FIELD_KEYS, false, NULL }, { NULL, FIELD_PLAIN, false, NULL },
        };
        if (!shape_check(ids, file, p)) return false;
    }
    return shape_check(shape_of(kind)->fields[0].fields, file, p);
}

int model_read(enum kind kind, struct slice bytes, bool ours, struct model *m, struct entity_problem *problem) {
    struct problem p = { 0 };

    model_init(m);
    if (bytes.len == 0) return E_OK;
    int r = kind == KIND_WORKFLOW ? json_read(bytes, ours, &m->tree, &p) : yaml_read(bytes, ours, &m->tree, &p);
    if (r == E_OK && !check_file(kind, m->tree.root, &p)) r = E_INVALID;
    if (r < 0) {
        entity_problem_from(problem, &p);
        return r;
    }
    m->file = m->tree.root;
    m->file_len = bytes.len;
    if (kind == KIND_WORKFLOW) m->root = workflow_model(&m->tree, m->file);
    else if (kind == KIND_MODULE) m->root = wrap(&m->tree, "module", module_model(&m->tree, m->file));
    else m->root = wrap(&m->tree, kind_text(kind), m->file);
    return E_OK;
}

struct node *model_file(enum kind kind, struct tree *t, struct node *want, const struct model *was) {
    if (kind == KIND_WORKFLOW) return workflow_file(t, want, was->file);
    if (kind == KIND_MODULE) return module_file(t, want->first, was->file);
    return want->first;
}
