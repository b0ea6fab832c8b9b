#include "entity/apply_int.h"

#include <stdio.h>

#include "entity/match_int.h"

static size_t length(const struct node *list) { return list ? list->n : 0; }

static struct slice named(const struct node *map, const char *key) {
    const struct node *n = node_find(map, key);
    return n ? n->text : (struct slice){ (const uint8_t *)"", 0 };
}

/* "first<bar>second", and "#2" for the second of two equal ones: the names of a list's maps. */
static struct slice *names_of(struct apply *a, const struct node *list, const char *first, const char *second) {
    struct slice *names = tree_alloc(a->t, (length(list) + 1) * sizeof *names);
    size_t n = 0;

    for (const struct node *c = list ? list->first : NULL; c; c = c->next) {
        struct buf b;
        size_t same = 1;
        for (const struct node *o = list->first; o != c; o = o->next)
            same += slice_eq(named(o, first), named(c, first)) && slice_eq(named(o, second), named(c, second));
        buf_init(&b, LIMIT_DOCUMENT_BYTES);
        buf_slice(&b, named(c, first));
        buf_byte(&b, '|');
        buf_slice(&b, named(c, second));
        if (same > 1) buf_printf(&b, "#%zu", same);
        names[n++] = tree_copy(a->t, buf_view(&b));
        buf_deinit(&b);
    }
    return names;
}

static const struct node *find(const struct node *list, const struct slice *names, struct slice name) {
    size_t i = 0;
    for (const struct node *c = list ? list->first : NULL; c; c = c->next)
        if (slice_eq(names[i++], name)) return c;
    return NULL;
}

/* ---- an atom's edges: a set -------------------------------------------------------------- */

void apply_edges(struct apply *a, weave_type map, const struct node *base, const struct node *file) {
    static const char *const own[] = { "type", "targetId", NULL };
    struct slice *was = names_of(a, base, "type", "targetId"), *is = names_of(a, file, "type", "targetId");
    size_t i = 0;

    for (const struct node *c = base ? base->first : NULL; c; c = c->next, i++)
        if (!find(file, is, was[i])) delete_key(a, map, was[i]);
    i = 0;
    for (const struct node *c = file ? file->first : NULL; c; c = c->next, i++) {
        const struct node *before = find(base, was, is[i]);
        struct weave_value v;
        bool there = weave_map_get(a->w, map, weave_of(is[i]), &v) && v.kind == WEAVE_V_TYPE;
        if (before && node_same(before, c)) continue;
        weave_type edge = there ? v.type : new_type(a, map, is[i], WEAVE_MAP);
        if (edge) apply_plain(a, edge, there ? before : NULL, c, NULL, own);
    }
}

/* ---- a workflow's nodes and arrows: records with an order -------------------------------- */

static const char *const RECORD_OWN[] = { "_key", "order", NULL };

struct records {
    const struct node *base, *file;
    struct slice *was, *is;         /* their names */
    struct slice *keys;             /* the document's key of each file record */
    const struct doc_item **items;  /* and what it holds now; NULL: nothing */
    const struct doc_item *all;
    size_t n_all;
};

static void place_records(struct apply *a, weave_type map, const struct records *r) {
    size_t n = length(r->file), n_base = length(r->base), i = 0;
    struct order_slot *slots = tree_alloc(a->t, (n + 1) * sizeof *slots);
    size_t *to_base = tree_alloc(a->t, (n + 1) * sizeof *to_base);
    bool *stays = tree_alloc(a->t, n + 1);

    for (size_t j = 0; j < n; j++) {
        to_base[j] = MATCH_NONE;
        for (size_t k = 0; k < n_base; k++)
            if (slice_eq(r->was[k], r->is[j])) to_base[j] = k;
    }
    match_stays(to_base, n, stays);
    for (size_t j = 0; j < n; j++)
        slots[j] = (struct order_slot){ r->items[j] ? r->items[j]->order : (struct slice){ (const uint8_t *)"", 0 },
                                        r->items[j] && (stays[j] || to_base[j] == MATCH_NONE), false };
    apply_order(a, slots, n, r->all, r->n_all);
    for (const struct node *c = r->file ? r->file->first : NULL; c; c = c->next, i++) {
        const struct node *before = find(r->base, r->was, r->is[i]);
        const struct doc_item *item = r->items[i];
        if (!item && before && node_same(before, c)) continue;      /* people took it away: it stays away */
        weave_type type = item ? item->type : new_type(a, map, r->keys[i], WEAVE_MAP);
        if (type == 0) return;
        apply_plain(a, type, item ? before : NULL, c, NULL, RECORD_OWN);
        if (slots[i].changed) set_text(a, type, "order", slots[i].order);
    }
}

static const struct doc_item *item_named(const struct records *r, struct slice id) {
    for (size_t i = 0; i < r->n_all; i++)
        if (r->all[i].type && slice_eq(r->all[i].id, id)) return &r->all[i];
    return NULL;
}

void apply_nodes(struct apply *a, weave_type map, const struct node *base, const struct node *file) {
    struct records r = { .base = base, .file = file };
    size_t i = 0;

    r.all = doc_keys(a->w, a->t, map, &r.n_all);
    r.was = names_of(a, base, "_key", "");
    r.is = names_of(a, file, "_key", "");
    r.keys = tree_alloc(a->t, (length(file) + 1) * sizeof *r.keys);
    r.items = tree_alloc(a->t, (length(file) + 1) * sizeof *r.items);
    for (const struct node *c = file ? file->first : NULL; c; c = c->next, i++) {
        r.keys[i] = named(c, "_key");
        r.items[i] = item_named(&r, r.keys[i]);
    }
    i = 0;
    for (const struct node *c = base ? base->first : NULL; c; c = c->next, i++)
        if (!find(file, r.is, r.was[i])) delete_key(a, map, named(c, "_key"));
    place_records(a, map, &r);
}

static struct slice text_in(const struct doc_item *item, const char *key) {
    struct doc_entry *e = doc_entry(item->entries, key);
    return e && e->value ? e->value->text : (struct slice){ (const uint8_t *)"", 0 };
}

/* "source|target" of the document's arrows, in order; "#2" for the second of two equal ones. */
static struct slice *arrow_names(struct apply *a, const struct records *r) {
    struct node *list = node_new(a->t, NODE_LIST);

    for (size_t i = 0; i < r->n_all; i++) {
        struct node *arrow = node_new(a->t, NODE_MAP);
        bool plain = r->all[i].type == 0;
        node_put(a->t, arrow, slice_of("source"), node_text(a->t, plain ? r->all[i].id : text_in(&r->all[i], "source")));
        node_put(a->t, arrow, slice_of("target"), node_text(a->t, text_in(&r->all[i], "target")));
        node_append(list, arrow);
    }
    return names_of(a, list, "source", "target");
}

static const struct doc_item *arrow_named(const struct records *r, const struct slice *names, struct slice name) {
    for (size_t i = 0; i < r->n_all; i++)
        if (r->all[i].type && slice_eq(names[i], name)) return &r->all[i];
    return NULL;
}

void apply_arrows(struct apply *a, weave_type map, const struct node *base, const struct node *file) {
    struct records r = { .base = base, .file = file };
    size_t n = length(file), i = 0;

    r.all = doc_keys(a->w, a->t, map, &r.n_all);
    r.was = names_of(a, base, "source", "target");
    r.is = names_of(a, file, "source", "target");
    r.keys = tree_alloc(a->t, (n + 1) * sizeof *r.keys);
    r.items = tree_alloc(a->t, (n + 1) * sizeof *r.items);
    struct slice *names = arrow_names(a, &r);
    for (size_t j = 0; j < n; j++) {
        r.items[j] = arrow_named(&r, names, r.is[j]);
        r.keys[j] = r.items[j] ? r.items[j]->id : new_id(a);
    }
    for (const struct node *c = base ? base->first : NULL; c; c = c->next, i++) {
        const struct doc_item *gone = find(file, r.is, r.was[i]) ? NULL : arrow_named(&r, names, r.was[i]);
        if (gone) delete_key(a, map, gone->id);
    }
    place_records(a, map, &r);
}
