/* workflow.c -- a workflow's file: steps with their transitions; its model: nodes and edges. */
#include "entity/model_int.h"

#include <stdio.h>

/* In the file: {..., steps: [{id, ..., transitions: [{target_step_id, condition?, label?}]}],
 *               layout?: {stepId: {x, y, w, h}}}
 * In the model: {workflow: {...}, nodes: [{_key, ...}], edges: [{_key?, source, target, ...}]} */

static const char *const PLACE[] = { "x", "y", "w", "h" };
#define N_PLACE 4

#define STEPS_MAX 2000          /* steps, and transitions of all steps: they are compared one by one */

static bool is_place(struct slice key) {
    for (int i = 0; i < N_PLACE; i++)
        if (slice_is(key, PLACE[i])) return true;
    return false;
}

static bool wrong(const struct node *n, struct problem *p, const char *text) {
    problem_set(p, n->line, n->column, "%s", text);
    return false;
}

/* Keys that mean something else in the document's maps: a file cannot have them here. */
static bool check_keys(const struct node *map, const char *const *own, struct problem *p) {
    for (; *own; own++) {
        const struct node *n = node_find(map, *own);
        if (!n) continue;
        problem_set(p, n->line, n->column, "%s: this key is not possible here", *own);
        return false;
    }
    for (const struct node *c = map->first; c; c = c->next)
        if (key_is_ours(c->key->text)) return wrong(c, p, "keys must not begin with _");
    return true;
}

static bool check_step(const struct node *step, struct problem *p) {
    static const char *const step_own[] = { "order", "x", "y", "w", "h", NULL };
    static const char *const arrow_own[] = { "order", "source", "target", NULL };

    if (step->kind != NODE_MAP) return wrong(step, p, "steps: a step must be an object");
    if (!check_keys(step, step_own, p)) return false;
    const struct node *id = node_find(step, "id"), *out = node_find(step, "transitions");
    if (!id || id->kind != NODE_STRING || id->text.len == 0) return wrong(step, p, "steps: a step without an id");
    if (out && out->kind != NODE_LIST && out->kind != NODE_NULL)
        return wrong(out, p, "transitions: must be an array");
    for (const struct node *c = out ? out->first : NULL; c; c = c->next) {
        if (c->kind != NODE_MAP) return wrong(c, p, "transitions: one must be an object");
        const struct node *target = node_find(c, "target_step_id");
        if (!check_keys(c, arrow_own, p)) return false;
        if (!target || target->kind != NODE_STRING) return wrong(c, p, "transitions: one without a target_step_id");
    }
    return true;
}

bool workflow_check(const struct node *file, struct problem *p) {
    const struct node *steps = node_find(file, "steps"), *layout = node_find(file, "layout");

    if (layout && layout->kind != NODE_MAP) return wrong(layout, p, "layout: must be an object");
    for (const struct node *c = layout ? layout->first : NULL; c; c = c->next)
        if (c->kind != NODE_MAP) return wrong(c, p, "layout: a place must be an object");
    if (!steps) return true;
    if (steps->kind != NODE_LIST) return wrong(steps, p, "steps: must be an array");
    if (steps->n > STEPS_MAX) return wrong(steps, p, "steps: more than 2,000");
    size_t n = 0;
    for (const struct node *c = steps->first; c; c = c->next) {
        if (!check_step(c, p)) return false;
        const struct node *out = node_find(c, "transitions");
        n += out ? out->n : 0;
        if (n > STEPS_MAX) return wrong(out, p, "transitions: more than 2,000");
        for (const struct node *o = steps->first; o != c; o = o->next)
            if (slice_eq(node_find(o, "id")->text, node_find(c, "id")->text))
                return wrong(c, p, "steps: two steps have this id");
    }
    return true;
}

static void put_copy(struct tree *t, struct node *map, struct slice key, const struct node *value) {
    node_put(t, map, key, node_clone(t, value));
}

static void add_edges(struct tree *t, struct node *edges, struct slice source, const struct node *transitions) {
    for (const struct node *c = transitions ? transitions->first : NULL; c; c = c->next) {
        struct node *edge = node_new(t, NODE_MAP);
        node_put(t, edge, slice_of("source"), node_text(t, source));
        for (const struct node *e = c->first; e; e = e->next)
            put_copy(t, edge, slice_is(e->key->text, "target_step_id") ? slice_of("target") : e->key->text, e);
        node_append(edges, edge);
    }
}

struct node *workflow_model(struct tree *t, const struct node *file) {
    struct node *model = node_new(t, NODE_MAP), *head = node_new(t, NODE_MAP);
    struct node *nodes = node_new(t, NODE_LIST), *edges = node_new(t, NODE_LIST);
    const struct node *steps = node_find(file, "steps"), *layout = node_find(file, "layout");

    for (const struct node *c = file->first; c; c = c->next)
        if (c != steps && c != layout) put_copy(t, head, c->key->text, c);
    for (const struct node *s = steps ? steps->first : NULL; s; s = s->next) {
        struct node *node = node_new(t, NODE_MAP);
        struct slice id = node_find(s, "id")->text;
        const struct node *place = layout ? node_get(layout, id) : NULL;
        node_put(t, node, slice_of("_key"), node_text(t, id));
        for (const struct node *c = s->first; c; c = c->next)
            if (!slice_is(c->key->text, "id") && !slice_is(c->key->text, "transitions"))
                put_copy(t, node, c->key->text, c);
        for (const struct node *c = place ? place->first : NULL; c; c = c->next)
            if (is_place(c->key->text)) put_copy(t, node, c->key->text, c);
        node_append(nodes, node);
        add_edges(t, edges, id, node_find(s, "transitions"));
    }
    node_put(t, model, slice_of("workflow"), head);
    node_put(t, model, slice_of("nodes"), nodes);
    node_put(t, model, slice_of("edges"), edges);
    return model;
}

/* ---- back -------------------------------------------------------------------------------- */

static struct node *transitions_of(struct tree *t, struct slice source, const struct node *edges) {
    struct node *list = node_new(t, NODE_LIST);

    for (const struct node *e = edges->first; e; e = e->next) {
        const struct node *from = node_find(e, "source");
        if (!from || !slice_eq(from->text, source)) continue;
        struct node *out = node_new(t, NODE_MAP);
        const struct node *target = node_find(e, "target");
        if (!target) continue;
        put_copy(t, out, slice_of("target_step_id"), target);
        for (const struct node *c = e->first; c; c = c->next)
            if (c != from && c != target && !key_is_ours(c->key->text)) put_copy(t, out, c->key->text, c);
        node_append(list, out);
    }
    return list;
}

/* The order keys had in `was`; others behind, in the order they have. */
static struct node *ordered_like(struct tree *t, struct node *map, const struct node *was) {
    struct node *out = node_new(t, NODE_MAP);

    for (const struct node *c = was ? was->first : NULL; c; c = c->next) {
        const struct node *mine = node_get(map, c->key->text);
        if (mine) put_copy(t, out, c->key->text, mine);
    }
    for (const struct node *c = map->first; c; c = c->next)
        if (!node_get(out, c->key->text)) put_copy(t, out, c->key->text, c);
    return out;
}

static const struct node *step_named(const struct node *file, struct slice id) {
    const struct node *steps = file ? node_find(file, "steps") : NULL;

    for (const struct node *s = steps ? steps->first : NULL; s; s = s->next)
        if (slice_eq(node_find(s, "id")->text, id)) return s;
    return NULL;
}

static struct node *step_file(struct tree *t, const struct node *node, const struct node *edges,
                              const struct node *file) {
    static const char *const first[] = { "name", "type", "task_definition_id", "assign_to_role", "atomId" };
    struct slice id = node_find(node, "_key")->text;
    struct node *step = node_new(t, NODE_MAP);
    const struct node *was = step_named(file, id);

    node_put(t, step, slice_of("id"), node_text(t, id));
    for (size_t i = 0; i < sizeof first / sizeof *first; i++) {
        const struct node *value = node_find(node, first[i]);
        if (value) put_copy(t, step, slice_of(first[i]), value);
    }
    for (const struct node *c = node->first; c; c = c->next)
        if (!key_is_ours(c->key->text) && !is_place(c->key->text) && !node_get(step, c->key->text))
            put_copy(t, step, c->key->text, c);
    struct node *transitions = transitions_of(t, id, edges);
    const struct node *before = was ? node_find(was, "transitions") : NULL;
    if (transitions->n == 0 && was && (!before || before->n == 0)) {     /* absent, null or [] as it was */
        if (before) put_copy(t, step, slice_of("transitions"), before);
    } else {
        node_put(t, step, slice_of("transitions"), transitions);
    }
    return ordered_like(t, step, was);
}

static struct node *layout_file(struct tree *t, const struct node *nodes, const struct node *file) {
    const struct node *was = file ? node_find(file, "layout") : NULL;
    struct node *layout = node_new(t, NODE_MAP);

    for (const struct node *n = nodes->first; n; n = n->next) {
        struct slice id = node_find(n, "_key")->text;
        const struct node *old = was ? node_get(was, id) : NULL;
        struct node *place = node_new(t, NODE_MAP);
        for (int i = 0; i < N_PLACE; i++) {
            const struct node *value = node_find(n, PLACE[i]);
            if (value) put_copy(t, place, slice_of(PLACE[i]), value);
        }
        for (const struct node *c = old ? old->first : NULL; c; c = c->next)
            if (!is_place(c->key->text)) put_copy(t, place, c->key->text, c);
        if (place->n || old) node_put(t, layout, id, ordered_like(t, place, old));
    }
    for (const struct node *c = was ? was->first : NULL; c; c = c->next)    /* of steps that never were there */
        if (!step_named(file, c->key->text)) put_copy(t, layout, c->key->text, c);
    return ordered_like(t, layout, was);
}

struct node *workflow_file(struct tree *t, const struct node *want, const struct node *was) {
    const struct node *head = node_find(want, "workflow"), *nodes = node_find(want, "nodes");
    const struct node *edges = node_find(want, "edges");
    struct node *file = node_new(t, NODE_MAP), *steps = node_new(t, NODE_LIST);

    for (const struct node *c = head->first; c; c = c->next)
        if (!key_is_ours(c->key->text)) put_copy(t, file, c->key->text, c);
    for (const struct node *n = nodes->first; n; n = n->next) node_append(steps, step_file(t, n, edges, was));
    if (steps->n || !was || node_find(was, "steps")) node_put(t, file, slice_of("steps"), steps);
    const struct node *old = was ? node_find(was, "layout") : NULL;
    struct node *layout = layout_file(t, nodes, was);
    if (layout->n || old) node_put(t, file, slice_of("layout"), layout);
    return ordered_like(t, file, was);
}
