#include "entity/model_int.h"
#include "entity/read_int.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/err.h"

struct build {
    struct weave *w;
    struct tree *t;
    struct entity_problem *problem;
    bool is_new;                        /* there is no file yet: it gets the keys a new file has */
    bool failed;
};

__attribute__((format(printf, 2, 3)))
static struct node *broken(struct build *b, const char *format, ...) {
    va_list args;

    if (b->failed) return NULL;
    b->failed = true;
    b->problem->line = b->problem->column = 0;
    va_start(args, format);
    vsnprintf(b->problem->text, sizeof b->problem->text, format, args);
    va_end(args);
    return NULL;
}

/* ---- values ------------------------------------------------------------------------------ */

static bool is_empty(const struct node *n) {
    return n->kind == NODE_NULL || (node_is_scalar(n) ? n->kind == NODE_STRING && n->text.len == 0 : n->n == 0);
}

/* node_same, but for .inf and .nan: they are null in a document, as in JSON. */
static bool says_same(const struct node *want, const struct node *was) {
    if (was->kind == NODE_FLOAT && !isfinite(was->number) && want->kind == NODE_NULL) return true;
    if (node_is_scalar(was) || want->kind != was->kind || want->n != was->n) return node_same(want, was);
    const struct node *x = want->first, *y = was->first;
    for (; x && y; x = x->next, y = y->next)
        if ((x->key && !slice_eq(x->key->text, y->key->text)) || !says_same(x, y)) return false;
    return true;
}

/* The value as the file writes such a value: what means the same stays as it was; a number that was a float stays
 * one; a date stays a date. */
static struct node *like(struct build *b, struct node *want, const struct node *was) {
    if (!was) return want;
    if (says_same(want, was)) return node_clone(b->t, was);
    if (was->kind == NODE_FLOAT && want->kind == NODE_INT) want->kind = NODE_FLOAT;
    if (was->kind == NODE_DATE && want->kind == NODE_STRING) want->kind = NODE_DATE;
    if (want->kind != NODE_MAP || was->kind != NODE_MAP) return want;
    struct node *out = node_new(b->t, NODE_MAP);    /* keys of a map in the file's order */
    for (const struct node *c = was->first; c; c = c->next) {
        struct node *mine = node_get(want, c->key->text);
        if (mine) node_put(b->t, out, c->key->text, like(b, node_clone(b->t, mine), c));
    }
    for (const struct node *c = want->first; c; c = c->next)
        if (!node_get(was, c->key->text)) node_put(b->t, out, c->key->text, node_clone(b->t, c));
    return node_same(out, was) ? node_clone(b->t, was) : out;
}

static struct node *plain_of(struct build *b, const struct doc_entry *e, const struct node *was) {
    if (e->value && e->value->is_decorated)
        broken(b, "%.*s: bytes, or nested deeper than 32 levels", e->key.len > 60 ? 60 : (int)e->key.len, e->key.at);
    if (e->value) return like(b, node_clone(b->t, e->value), was);
    struct buf json;                    /* a container somebody made under a key of their own */
    buf_init(&json, LIMIT_DOCUMENT_BYTES);
    weave_json(b->w, e->type, sink_into(&json));
    struct node *n = node_from_json(b->t, buf_view(&json));
    buf_deinit(&json);
    return like(b, n, was);
}

/* A text equal to what the file has under any type: `name: 2025` stays a number there. */
static struct node *text_like(struct build *b, struct slice text, const struct node *was) {
    if (was && node_is_scalar(was) && slice_eq(was->text, text)) return node_clone(b->t, was);
    return node_text(b->t, text);
}

static const struct node *child_like(const struct node *list, struct slice text) {
    for (const struct node *c = list ? list->first : NULL; c; c = c->next)
        if (node_is_scalar(c) && slice_eq(c->text, text)) return c;
    return NULL;
}

/* An empty list, text or map: as the file has it; in a new file where the table says so. */
static struct node *empty(struct build *b, const struct field *f, const struct node *was, enum node_kind kind) {
    if (was && is_empty(was)) return node_clone(b->t, was);
    return was || (f->always && b->is_new) ? node_new(b->t, kind) : NULL;
}

/* ---- fields ------------------------------------------------------------------------------ */

static struct node *build_text(struct build *b, const struct field *f, weave_type text, const struct node *was) {
    if (weave_kind_of(b->w, text) != WEAVE_TEXT) return broken(b, "%s is not a text", f->key);
    struct slice s = doc_text(b->w, b->t, text);
    return s.len == 0 ? empty(b, f, was, NODE_STRING) : text_like(b, s, was);
}

/* Do they say the same when what is empty counts as absent? */
static bool equivalent(const struct node *a, const struct node *b) {
    for (int side = 0; side < 2; side++) {
        for (const struct node *c = a->first; c; c = c->next) {
            const struct node *other = node_get(b, c->key->text);
            bool same = other ? node_same(c, other) || (is_empty(c) && is_empty(other)) ||
                        (node_is_scalar(c) && node_is_scalar(other) && slice_eq(c->text, other->text))
                              : is_empty(c);
            if (!same) return false;
        }
        const struct node *swap = a;
        a = b;
        b = swap;
    }
    return true;
}

/* An item that is a map: its texts, then the keys we do not know. */
static struct node *build_pair(struct build *b, const struct field *f, const struct doc_item *item,
                               const struct node *was_list) {
    struct node *map = node_new(b->t, NODE_MAP);

    for (const struct field *text = f->fields; text->key; text++) {
        struct doc_entry *e = doc_entry(item->entries, text->key);
        if (!e || !e->type) return broken(b, "%s: an entry without its %s", f->key, text->key);
        struct node *n = build_text(b, text, e->type, NULL);
        if (n) node_put(b->t, map, e->key, n);
    }
    for (struct doc_entry *e = item->entries; e; e = e->next)
        if (!slice_is(e->key, "order") && !slice_is(e->key, "deleted") && !field_find(f->fields, e->key))
            node_put(b->t, map, e->key, plain_of(b, e, NULL));
    if (map->n == 0) node_put(b->t, map, slice_of(f->fields->key), node_text(b->t, slice_of("")));
    for (const struct node *c = was_list ? was_list->first : NULL; c; c = c->next)
        if (c->kind == NODE_MAP && equivalent(map, c)) return node_clone(b->t, c);
    return map;
}

static struct node *build_items(struct build *b, const struct field *f, weave_type list, const struct node *was) {
    size_t n, bad;
    struct doc_item *items = doc_items(b->w, b->t, list, &n, &bad);
    struct node *out = node_new(b->t, NODE_LIST);

    if (bad) return broken(b, "%s: an entry is not a map", f->key);
    for (size_t i = 0; i < n && !b->failed; i++) {
        if (items[i].deleted) continue;
        struct node *item = NULL;
        if (f->fields) {
            item = build_pair(b, f, &items[i], was);
        } else {
            struct doc_entry *e = doc_entry(items[i].entries, "text");
            if (!e || !e->type || weave_kind_of(b->w, e->type) != WEAVE_TEXT)
                return broken(b, "%s: an entry without its text", f->key);
            struct slice s = doc_text(b->w, b->t, e->type);
            item = text_like(b, s, child_like(was, s));
        }
        if (item) node_append(out, item);
    }
    return out->n ? out : empty(b, f, was, NODE_LIST);
}

static struct node *build_keys(struct build *b, const struct field *f, weave_type map, const struct node *was) {
    size_t n;
    struct doc_item *items = doc_keys(b->w, b->t, map, &n);
    struct node *out = node_new(b->t, NODE_LIST);

    for (size_t i = 0; i < n; i++) {
        struct slice key = child_like(was, items[i].id) ? items[i].id : key_stem(items[i].id);
        node_append(out, text_like(b, key, child_like(was, key)));
    }
    return out->n ? out : empty(b, f, was, NODE_LIST);
}

static const struct node *edge_like(const struct node *list, struct slice type, struct slice target, size_t skip) {
    for (const struct node *c = list ? list->first : NULL; c; c = c->next) {
        const struct node *t = node_find(c, "type"), *id = node_find(c, "targetId");
        if (slice_eq(t->text, type) && slice_eq(id->text, target) && skip-- == 0) return c;
    }
    return NULL;
}

struct edge {
    struct node *node;
    size_t place;               /* in the file; SIZE_MAX: new */
};

/* The "#2" of a key: the how manieth of equal edges, from 0. */
static size_t key_copy(struct slice key) {
    size_t stem = key_stem(key).len, copy = 0;
    for (size_t i = stem + 1; i < key.len; i++) copy = copy * 10 + (size_t)(key.at[i] - '0');
    return stem < key.len && copy > 0 ? copy - 1 : 0;
}

static struct node *build_edge(struct build *b, const struct doc_entry *e, const struct node *was_list,
                               size_t *place) {
    struct slice stem = key_stem(e->key);
    const uint8_t *bar = memchr(stem.at, '|', stem.len);
    if (!bar) return broken(b, "edges: \"%.*s\" is not TYPE|target", stem.len > 60 ? 60 : (int)stem.len, stem.at);
    if (!e->type || weave_kind_of(b->w, e->type) != WEAVE_MAP)
        return broken(b, "edges: \"%.*s\" is not a map", stem.len > 60 ? 60 : (int)stem.len, stem.at);
    struct slice type = { stem.at, (size_t)(bar - stem.at) }, target = { bar + 1, stem.len - type.len - 1 };
    const struct node *was = edge_like(was_list, type, target, key_copy(e->key));
    struct node *edge = node_new(b->t, NODE_MAP);

    node_put(b->t, edge, slice_of("type"), node_text(b->t, type));
    node_put(b->t, edge, slice_of("targetId"), node_text(b->t, target));
    for (struct doc_entry *k = doc_entries(b->w, b->t, e->type); k; k = k->next)
        if (!slice_is(k->key, "type") && !slice_is(k->key, "targetId"))
            node_put(b->t, edge, k->key, plain_of(b, k, was ? node_get(was, k->key) : NULL));
    *place = SIZE_MAX;
    if (!was) return edge;
    *place = 0;
    for (const struct node *c = was_list->first; c != was; c = c->next) ++*place;
    return like(b, edge, was);
}

/* Edges are a set: the file's order, new ones behind. */
static struct node *build_edges(struct build *b, const struct field *f, weave_type map, const struct node *was) {
    struct doc_entry *entries = doc_entries(b->w, b->t, map);
    struct node *out = node_new(b->t, NODE_LIST);
    size_t n_was = was ? was->n : 0;
    struct node **old = tree_alloc(b->t, (n_was + 1) * sizeof *old);
    struct node *fresh = node_new(b->t, NODE_LIST);

    for (struct doc_entry *e = entries; e && !b->failed; e = e->next) {
        size_t place = SIZE_MAX;
        struct node *edge = build_edge(b, e, was, &place);
        if (!edge) return NULL;
        if (place < n_was && !old[place]) old[place] = edge;
        else node_append(fresh, edge);
    }
    for (size_t i = 0; i < n_was; i++)
        if (old[i]) node_append(out, old[i]);
    for (struct node *c = fresh->first, *next; c; c = next) {
        next = c->next;
        c->next = NULL;
        node_append(out, c);
    }
    return out->n ? out : empty(b, f, was, NODE_LIST);
}

static struct node *in_file_order(struct build *b, struct node *map, const struct node *was);

static struct node *build_values(struct build *b, const struct field *f, weave_type map, const struct node *was) {
    struct node *out = node_new(b->t, NODE_MAP);

    for (struct doc_entry *e = doc_entries(b->w, b->t, map); e; e = e->next)
        node_put(b->t, out, e->key, plain_of(b, e, was ? node_get(was, e->key) : NULL));
    return out->n ? in_file_order(b, out, was) : empty(b, f, was, NODE_MAP);
}

static struct node *build_records(struct build *b, weave_type map) {
    size_t n;
    struct doc_item *items = doc_keys(b->w, b->t, map, &n);
    struct node *out = node_new(b->t, NODE_LIST);

    for (size_t i = 0; i < n; i++) {
        if (!items[i].type) continue;
        struct node *record = node_new(b->t, NODE_MAP);
        node_put(b->t, record, slice_of("_key"), node_text(b->t, items[i].id));
        for (struct doc_entry *e = items[i].entries; e; e = e->next)
            if (!slice_is(e->key, "order")) node_put(b->t, record, e->key, plain_of(b, e, NULL));
        node_append(out, record);
    }
    return out;
}

static struct node *build_map(struct build *b, const struct field *fields, weave_type map, const struct node *was);

static struct node *build_field(struct build *b, const struct field *f, weave_type type, const struct node *was) {
    if (f->type == FIELD_TEXT) return build_text(b, f, type, was);
    if (weave_kind_of(b->w, type) != WEAVE_MAP) return broken(b, "%s is not a map", f->key);
    switch (f->type) {
    case FIELD_ITEMS: return build_items(b, f, type, was);
    case FIELD_KEYS: return build_keys(b, f, type, was);
    case FIELD_EDGES: return build_edges(b, f, type, was);
    case FIELD_VALUES: return build_values(b, f, type, was);
    default: break;
    }
    struct node *map = build_map(b, f->fields, type, was);
    return map && map->n == 0 ? empty(b, f, was, NODE_MAP) : map;
}

/* Keys in the file's order; a new one behind the one before it in the table's. */
static struct node *in_file_order(struct build *b, struct node *map, const struct node *was) {
    struct node *out = node_new(b->t, NODE_MAP);
    struct node **sorted = tree_alloc(b->t, (map->n + 1) * sizeof *sorted);
    size_t n = 0;

    if (!was || was->kind != NODE_MAP) return map;
    for (const struct node *c = was->first; c; c = c->next) {
        struct node *mine = node_get(map, c->key->text);
        if (mine) sorted[n++] = mine;
    }
    struct node *before = NULL;
    for (struct node *c = map->first; c; before = c, c = c->next) {
        if (node_get(was, c->key->text)) continue;
        size_t at = 0;
        while (before && at < n && sorted[at] != before) at++;
        at = before ? at + 1 : 0;
        memmove(sorted + at + 1, sorted + at, (n - at) * sizeof *sorted);
        sorted[at] = c;
        n++;
    }
    for (size_t i = 0; i < n; i++) {
        sorted[i]->next = NULL;
        node_append(out, sorted[i]);
    }
    return out;
}

static void put_if(struct node *map, struct slice key, struct node *value, struct tree *t) {
    if (value) node_put(t, map, key, value);
}

static struct node *build_map(struct build *b, const struct field *fields, weave_type type, const struct node *was) {
    struct doc_entry *entries = doc_entries(b->w, b->t, type);
    struct node *map = node_new(b->t, NODE_MAP);

    for (const struct field *f = fields; f->key && !b->failed; f++) {
        struct doc_entry *e = doc_entry(entries, f->key);
        const struct node *old = was && was->kind == NODE_MAP ? node_find(was, f->key) : NULL;
        if (f->type == FIELD_PLAIN) {
            if (e) node_put(b->t, map, e->key, plain_of(b, e, old));
        } else if (!e || !e->type) {
            broken(b, e ? "%s was replaced by a plain value" : "%s is gone", f->key);
        } else {
            put_if(map, e->key, build_field(b, f, e->type, old), b->t);
        }
    }
    for (struct doc_entry *e = entries; e && !b->failed; e = e->next) {
        if (field_find(fields, e->key) || (key_is_ours(e->key) && !slice_is(e->key, "_atoms"))) continue;
        node_put(b->t, map, e->key, plain_of(b, e, was && was->kind == NODE_MAP ? node_get(was, e->key) : NULL));
    }
    return b->failed ? NULL : in_file_order(b, map, was);
}

/* The id names the file: it cannot be changed in the document. */
static bool check_id(struct build *b, const struct node *map, const struct node *was) {
    const struct node *id = node_find(map, "id"), *old = was ? node_find(was, "id") : NULL;

    if (!id || id->kind != NODE_STRING || !id_is_valid(id->text)) broken(b, "id is gone or not an id");
    else if (old && !slice_eq(old->text, id->text)) broken(b, "id cannot be changed here");
    return !b->failed;
}

int model_build(enum kind kind, struct weave *doc, const struct model *was, struct tree *t, struct node **out,
                struct entity_problem *problem) {
    struct build b = { .w = doc, .t = t, .problem = problem, .is_new = !was->file };
    struct node *model = node_new(t, NODE_MAP);

    for (const struct field *f = shape_of(kind)->fields; f->key && !b.failed; f++) {
        weave_type root = weave_root(doc, weave_of(slice_of(f->key)));
        const struct node *old = was->root ? node_find(was->root, f->key) : NULL;
        struct node *n = f->type == FIELD_RECORDS ? build_records(&b, root) : build_map(&b, f->fields, root, old);
        if (n) node_put(t, model, slice_of(f->key), n);
        if (n && f->type == FIELD_MAP) check_id(&b, n, old);
    }
    *out = model;
    return b.failed ? E_INVALID : E_OK;
}
