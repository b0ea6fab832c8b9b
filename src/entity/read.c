#include "entity/read_int.h"

#include <math.h>
#include <stdlib.h>

#include "base/limits.h"
#include "base/must.h"
#include "files/json.h"

/* What no file can hold: bytes, a document, nested too deep. model_build refuses it. */
static struct node *node_lost(struct tree *t) {
    struct node *n = node_new(t, NODE_NULL);
    n->is_decorated = true;
    return n;
}

struct node *node_from_json(struct tree *t, struct slice json) {
    struct tree inner;
    struct problem p;
    struct node *n;

    tree_init(&inner);
    if (json_read(json, true, &inner, &p) == 0) n = node_clone(t, inner.root);
    else n = node_lost(t);
    tree_deinit(&inner);
    return n;
}

static struct node *node_from_any(struct tree *t, struct weave_bytes any) {
    struct buf json;

    buf_init(&json, LIMIT_DOCUMENT_BYTES);
    struct node *n = weave_any_to_json(any, sink_into(&json)) == 0 ? node_from_json(t, buf_view(&json))
        : node_lost(t);
    buf_deinit(&json);
    return n;
}

static struct node *node_from(struct tree *t, const struct weave_value *v) {
    struct node *n;

    switch (v->kind) {
    case WEAVE_V_BOOL:
        n = node_new(t, NODE_BOOL);
        n->boolean = v->boolean;
        return n;
    case WEAVE_V_NUMBER: return isfinite(v->number) ? node_number(t, v->number) : node_new(t, NODE_NULL);
    case WEAVE_V_BIGINT: return node_number(t, (double)v->bigint);
    case WEAVE_V_STRING: return node_text(t, slice_from(v->bytes));
    case WEAVE_V_OBJECT:
    case WEAVE_V_ARRAY: return node_from_any(t, v->bytes);
    case WEAVE_V_JSON: return node_from_json(t, slice_from(v->bytes));
    case WEAVE_V_BINARY:
    case WEAVE_V_DOC: return node_lost(t);
    default: return node_new(t, NODE_NULL);
    }
}

struct collect {
    struct tree *tree;
    struct doc_entry *first, *last;
};

static void on_key(void *ctx, struct weave_bytes key, const struct weave_value *v) {
    struct collect *c = ctx;
    struct doc_entry *e = tree_alloc(c->tree, sizeof *e);

    e->key = tree_copy(c->tree, slice_from(key));
    if (v->kind == WEAVE_V_TYPE) e->type = v->type;
    else e->value = node_from(c->tree, v);
    if (c->last) c->last->next = e;
    else c->first = e;
    c->last = e;
}

struct doc_entry *doc_entries(struct weave *w, struct tree *t, weave_type map) {
    struct collect c = { .tree = t };
    weave_map_each(w, map, on_key, &c);
    return c.first;
}

struct doc_entry *doc_entry(struct doc_entry *entries, const char *key) {
    for (; entries; entries = entries->next)
        if (slice_is(entries->key, key)) return entries;
    return NULL;
}

struct slice doc_text(struct weave *w, struct tree *t, weave_type text) {
    struct buf b;

    buf_init(&b, LIMIT_DOCUMENT_BYTES);
    weave_text_read(w, text, sink_into(&b));
    struct slice s = tree_copy(t, buf_view(&b));
    buf_deinit(&b);
    return s;
}

static int compare_bytes(struct slice a, struct slice b) {
    size_t n = a.len < b.len ? a.len : b.len;
    int c = n ? memcmp(a.at, b.at, n) : 0;
    return c ? c : (a.len > b.len) - (a.len < b.len);
}

static int compare_items(const void *a, const void *b) {
    const struct doc_item *x = a, *y = b;
    int c = compare_bytes(x->order, y->order);
    return c ? c : compare_bytes(x->id, y->id);
}

static size_t count(const struct doc_entry *e) {
    size_t n = 0;
    for (; e; e = e->next) n++;
    return n;
}

static struct slice order_of(struct doc_entry *entries) {
    struct doc_entry *order = doc_entry(entries, "order");
    bool text = order && order->value && order->value->kind == NODE_STRING;
    return text ? order->value->text : (struct slice){ (const uint8_t *)"", 0 };
}

struct doc_item *doc_items(struct weave *w, struct tree *t, weave_type list, size_t *n, size_t *broken) {
    struct doc_entry *entries = doc_entries(w, t, list);
    size_t max = count(entries);
    struct doc_item *items = tree_alloc(t, (max + 1) * sizeof *items);

    *n = *broken = 0;
    for (struct doc_entry *e = entries; e; e = e->next) {
        if (!e->type || weave_kind_of(w, e->type) != WEAVE_MAP) {
            ++*broken;
            continue;
        }
        struct doc_item *item = &items[(*n)++];
        item->id = e->key;
        item->type = e->type;
        item->entries = doc_entries(w, t, e->type);
        item->order = order_of(item->entries);
        struct doc_entry *deleted = doc_entry(item->entries, "deleted");
        item->deleted = deleted && !(deleted->value && deleted->value->kind == NODE_NULL);
    }
    qsort(items, *n, sizeof *items, compare_items);
    return items;
}

struct doc_item *doc_keys(struct weave *w, struct tree *t, weave_type map, size_t *n) {
    struct doc_entry *entries = doc_entries(w, t, map);
    struct doc_item *items = tree_alloc(t, (count(entries) + 1) * sizeof *items);

    *n = 0;
    for (struct doc_entry *e = entries; e; e = e->next) {
        struct doc_item *item = &items[(*n)++];
        item->id = e->key;
        item->order = (struct slice){ (const uint8_t *)"", 0 };
        if (e->type && weave_kind_of(w, e->type) == WEAVE_MAP) {
            item->type = e->type;
            item->entries = doc_entries(w, t, e->type);
            item->order = order_of(item->entries);
        } else if (e->value && e->value->kind == NODE_MAP) {
            const struct node *order = node_find(e->value, "order");
            if (order && order->kind == NODE_STRING) item->order = order->text;
        }
    }
    qsort(items, *n, sizeof *items, compare_items);
    return items;
}

struct weave_value value_from(struct tree *t, const struct node *n) {
    struct weave_value v = { .kind = WEAVE_V_NULL };
    struct buf json, any;

    switch (n->kind) {
    case NODE_NULL: return v;
    case NODE_BOOL:
        v.kind = WEAVE_V_BOOL;
        v.boolean = n->boolean;
        return v;
    case NODE_INT:
    case NODE_FLOAT:
        v.kind = WEAVE_V_NUMBER;
        v.number = n->number;
        return v;
    case NODE_DATE:
    case NODE_STRING:
        v.kind = WEAVE_V_STRING;
        v.bytes = weave_of(n->text);
        return v;
    default: break;
    }
    buf_init(&json, LIMIT_DOCUMENT_BYTES);
    buf_init(&any, LIMIT_DOCUMENT_BYTES);
    json_compact(n, &json);
    must(weave_any_from_json(weave_of(buf_view(&json)), sink_into(&any)) == 0);
    v.kind = n->kind == NODE_LIST ? WEAVE_V_ARRAY : WEAVE_V_OBJECT;
    v.bytes = weave_of(tree_copy(t, buf_view(&any)));
    buf_deinit(&json);
    buf_deinit(&any);
    return v;
}

struct slice key_stem(struct slice key) {
    size_t i = key.len;
    while (i > 0 && key.at[i - 1] >= '0' && key.at[i - 1] <= '9') i--;
    if (i < key.len && i > 1 && key.at[i - 1] == '#') key.len = i - 1;
    return key;
}
