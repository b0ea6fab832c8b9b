#include "entity/apply_int.h"

#include <stdio.h>

#include "entity/match_int.h"

static const struct slice NOTHING = { (const uint8_t *)"", 0 };

static size_t length(const struct node *list) { return list ? list->n : 0; }

static const struct node **array_of(struct apply *a, const struct node *list) {
    const struct node **out = tree_alloc(a->t, (length(list) + 1) * sizeof *out);
    size_t i = 0;
    for (const struct node *c = list ? list->first : NULL; c; c = c->next) out[i++] = c;
    return out;
}

/* ---- item lists -------------------------------------------------------------------------- */

static struct slice item_text(const struct node *n, const char *key) {
    const struct node *text = key && n->kind == NODE_MAP ? node_find(n, key) : n;
    return text && node_is_scalar(text) && text->kind != NODE_NULL ? text->text : NOTHING;
}

/* What an item says, for comparing: its text, or its texts one below the other. */
static struct slice item_words(struct apply *a, const struct field *f, const struct node *n) {
    if (!f->fields) return item_text(n, NULL);
    struct buf b;
    buf_init(&b, LIMIT_DOCUMENT_BYTES);
    for (const struct field *text = f->fields; text->key; text++) {
        buf_slice(&b, item_text(n, text->key));
        buf_byte(&b, '\n');
    }
    struct slice s = tree_copy(a->t, buf_view(&b));
    buf_deinit(&b);
    return s;
}

static struct slice doc_item_words(struct apply *a, const struct field *f, const struct doc_item *item) {
    static const struct field one[] = { { "text", FIELD_TEXT, false, NULL }, { NULL, FIELD_PLAIN, false, NULL } };
    struct buf b;

    buf_init(&b, LIMIT_DOCUMENT_BYTES);
    for (const struct field *text = f->fields ? f->fields : one; text->key; text++) {
        struct doc_entry *e = doc_entry(item->entries, text->key);
        if (e && e->type && weave_kind_of(a->w, e->type) == WEAVE_TEXT) buf_slice(&b, doc_text(a->w, a->t, e->type));
        if (f->fields) buf_byte(&b, '\n');
    }
    struct slice s = tree_copy(a->t, buf_view(&b));
    buf_deinit(&b);
    return s;
}

struct list {
    const struct field *f;
    const struct node **base, **file;
    size_t n_base, n_file;
    size_t *base_doc;           /* base entry -> item of the document */
    size_t *file_base;          /* file entry -> base entry */
    struct doc_item *items;
    size_t n_items;
};

static struct slice *words_of(struct apply *a, const struct field *f, const struct node **nodes, size_t n) {
    struct slice *out = tree_alloc(a->t, (n + 1) * sizeof *out);
    for (size_t i = 0; i < n; i++) out[i] = item_words(a, f, nodes[i]);
    return out;
}

/* People may have edited, moved and deleted items since the base was written: its entries are found
 * again among the items in the same way, those not deleted first. */
static void match_document(struct apply *a, struct list *l) {
    struct slice *base = words_of(a, l->f, l->base, l->n_base);
    struct slice *live = tree_alloc(a->t, (l->n_items + 1) * sizeof *live);
    size_t *index = tree_alloc(a->t, (l->n_items + 1) * sizeof *index);

    for (size_t j = 0; j < l->n_base; j++) l->base_doc[j] = MATCH_NONE;
    for (int deleted = 0; deleted < 2; deleted++) {
        size_t n_live = 0, n_open = 0;
        struct slice *open = tree_alloc(a->t, (l->n_base + 1) * sizeof *open);
        size_t *open_base = tree_alloc(a->t, (l->n_base + 1) * sizeof *open_base);
        size_t *found = tree_alloc(a->t, (l->n_base + 1) * sizeof *found);
        for (size_t i = 0; i < l->n_items; i++) {
            if (l->items[i].deleted != (deleted == 1)) continue;
            index[n_live] = i;
            live[n_live++] = doc_item_words(a, l->f, &l->items[i]);
        }
        for (size_t j = 0; j < l->n_base; j++) {
            if (l->base_doc[j] != MATCH_NONE) continue;
            open_base[n_open] = j;
            open[n_open++] = base[j];
        }
        match_lists(live, n_live, open, n_open, found);
        for (size_t j = 0; j < n_open; j++)
            if (found[j] != MATCH_NONE) l->base_doc[open_base[j]] = index[found[j]];
    }
}

/* D3: an item the file no longer has is marked, with the text its writer saw. */
static void delete_item(struct apply *a, const struct list *l, size_t base) {
    struct doc_item *item = &l->items[l->base_doc[base]];
    struct node *mark = node_new(a->t, NODE_MAP);
    struct slice seen = item_words(a, l->f, l->base[base]);

    if (item->deleted) return;
    if (l->f->fields && seen.len) seen.len--;
    node_put(a->t, mark, slice_of("by"), node_text(a->t, slice_of("file")));
    node_put(a->t, mark, slice_of("at"), node_number(a->t, (double)a->ids->now_ms));
    node_put(a->t, mark, slice_of("seen"), node_text(a->t, seen));
    set_value(a, item->type, slice_of("deleted"), mark);
}

static void edit_item(struct apply *a, const struct list *l, const struct doc_item *item, const struct node *base,
                      const struct node *file) {
    static const char *const own[] = { "order", "deleted", NULL };

    for (const struct field *text = l->f->fields; text && text->key; text++) {
        struct doc_entry *e = doc_entry(item->entries, text->key);
        if (e && e->type && weave_kind_of(a->w, e->type) == WEAVE_TEXT)
            apply_text(a, e->type, item_text(base, text->key), item_text(file, text->key));
    }
    if (l->f->fields) {
        apply_plain(a, item->type, base, file, l->f->fields, own);
        return;
    }
    struct doc_entry *e = doc_entry(item->entries, "text");
    if (e && e->type && weave_kind_of(a->w, e->type) == WEAVE_TEXT)
        apply_text(a, e->type, item_text(base, NULL), item_text(file, NULL));
}

static void new_text(struct apply *a, weave_type map, const char *key, struct slice text) {
    weave_type type = new_type(a, map, slice_of(key), WEAVE_TEXT);
    if (type && text.len) apply_text(a, type, NOTHING, text);
}

static void new_item(struct apply *a, const struct list *l, weave_type list, const struct node *file,
                     struct slice order) {
    static const char *const own[] = { "order", "deleted", NULL };
    weave_type item = new_type(a, list, new_id(a), WEAVE_MAP);

    if (item == 0) return;
    set_text(a, item, "order", order);
    for (const struct field *text = l->f->fields; text && text->key; text++)
        new_text(a, item, text->key, item_text(file, text->key));
    if (l->f->fields) apply_plain(a, item, NULL, file, l->f->fields, own);
    else new_text(a, item, "text", item_text(file, NULL));
}

static struct list list_of(struct apply *a, const struct field *f, weave_type type, const struct node *base,
                           const struct node *file) {
    size_t broken;
    struct list l = {
        .f = f, .base = array_of(a, base), .file = array_of(a, file), .n_base = length(base), .n_file = length(file),
    };
    l.items = doc_items(a->w, a->t, type, &l.n_items, &broken);
    l.base_doc = tree_alloc(a->t, (l.n_base + 1) * sizeof *l.base_doc);
    l.file_base = tree_alloc(a->t, (l.n_file + 1) * sizeof *l.file_base);
    match_document(a, &l);
    match_lists(words_of(a, f, l.base, l.n_base), l.n_base, words_of(a, f, l.file, l.n_file), l.n_file, l.file_base);
    return l;
}

/* The item of a file entry; NULL: it is new, or people took its item away. */
static struct doc_item *item_of(const struct list *l, size_t entry) {
    size_t base = l->file_base[entry];
    if (base == MATCH_NONE || l->base_doc[base] == MATCH_NONE) return NULL;
    return &l->items[l->base_doc[base]];
}

static void place_items(struct apply *a, const struct list *l, weave_type type) {
    struct order_slot *slots = tree_alloc(a->t, (l->n_file + 1) * sizeof *slots);
    size_t *entry = tree_alloc(a->t, (l->n_file + 1) * sizeof *entry);
    bool *stays = tree_alloc(a->t, l->n_file + 1);
    size_t n = 0;

    match_stays(l->file_base, l->n_file, stays);
    for (size_t j = 0; j < l->n_file; j++) {
        struct doc_item *item = item_of(l, j);
        if (!item && l->file_base[j] != MATCH_NONE) continue;
        entry[n] = j;
        slots[n++] = (struct order_slot){ item ? item->order : NOTHING, item && stays[j], false };
    }
    apply_order(a, slots, n, l->items, l->n_items);
    for (size_t k = 0; k < n; k++) {
        struct doc_item *item = item_of(l, entry[k]);
        if (!item) new_item(a, l, type, l->file[entry[k]], slots[k].order);
        else if (slots[k].changed) set_text(a, item->type, "order", slots[k].order);
    }
}

void apply_items(struct apply *a, const struct field *f, weave_type type, const struct node *base,
                 const struct node *file) {
    if (base && file && node_same(base, file)) return;
    struct list l = list_of(a, f, type, base, file);
    bool *kept = tree_alloc(a->t, l.n_base + 1);

    for (size_t j = 0; j < l.n_file; j++) {
        struct doc_item *item = item_of(&l, j);
        if (l.file_base[j] == MATCH_NONE) continue;
        kept[l.file_base[j]] = true;
        if (item) edit_item(a, &l, item, l.base[l.file_base[j]], l.file[j]);
    }
    for (size_t i = 0; i < l.n_base; i++)
        if (!kept[i] && l.base_doc[i] != MATCH_NONE) delete_item(a, &l, i);
    place_items(a, &l, type);
}

/* ---- key lists --------------------------------------------------------------------------- */

/* The document's keys of a list: the second of two equal ones is key#2. */
static struct slice *keys_of(struct apply *a, const struct node *list) {
    struct slice *keys = tree_alloc(a->t, (length(list) + 1) * sizeof *keys);
    size_t n = 0;

    for (const struct node *c = list ? list->first : NULL; c; c = c->next) {
        size_t same = 1;
        for (const struct node *o = list->first; o != c; o = o->next) same += slice_eq(o->text, c->text);
        keys[n] = c->text;
        if (same > 1) {
            char text[32];
            int len = snprintf(text, sizeof text, "#%zu", same);
            uint8_t *at = tree_alloc(a->t, c->text.len + (size_t)len);
            memcpy(at, c->text.at, c->text.len);
            memcpy(at + c->text.len, text, (size_t)len);
            keys[n] = (struct slice){ at, c->text.len + (size_t)len };
        }
        n++;
    }
    return keys;
}

static size_t find_key(const struct slice *keys, size_t n, struct slice key) {
    for (size_t i = 0; i < n; i++)
        if (slice_eq(keys[i], key)) return i;
    return MATCH_NONE;
}

static const struct doc_item *find_item(const struct doc_item *items, size_t n, struct slice id) {
    for (size_t i = 0; i < n; i++)
        if (slice_eq(items[i].id, id)) return &items[i];
    return NULL;
}

/* The slots of keyed entries in the file's order. */
static struct order_slot *key_slots(struct apply *a, const struct slice *base, size_t n_base,
    const struct slice *file,
                                    size_t n_file, const struct doc_item *items, size_t n_items) {
    struct order_slot *slots = tree_alloc(a->t, (n_file + 1) * sizeof *slots);
    size_t *to_base = tree_alloc(a->t, (n_file + 1) * sizeof *to_base);
    bool *stays = tree_alloc(a->t, n_file + 1);

    for (size_t j = 0; j < n_file; j++) to_base[j] = find_key(base, n_base, file[j]);
    match_stays(to_base, n_file, stays);
    for (size_t j = 0; j < n_file; j++) {
        const struct doc_item *item = find_item(items, n_items, file[j]);
        bool fixed = item && (stays[j] || to_base[j] == MATCH_NONE);
        slots[j] = (struct order_slot){ item ? item->order : NOTHING, fixed, false };
    }
    apply_order(a, slots, n_file, items, n_items);
    return slots;
}

static void set_order(struct apply *a, weave_type map, struct slice key, struct slice order) {
    struct node *value = node_new(a->t, NODE_MAP);
    node_put(a->t, value, slice_of("order"), node_text(a->t, order));
    set_value(a, map, key, value);
}

void apply_keys(struct apply *a, weave_type map, const struct node *base, const struct node *file) {
    size_t n_base = length(base), n_file = length(file), n_items;

    if (base && file && node_same(base, file)) return;
    struct slice *was = keys_of(a, base), *is = keys_of(a, file);
    const struct doc_item *items = doc_keys(a->w, a->t, map, &n_items);
    struct order_slot *slots = key_slots(a, was, n_base, is, n_file, items, n_items);
    for (size_t i = 0; i < n_base; i++)
        if (find_key(is, n_file, was[i]) == MATCH_NONE) delete_key(a, map, was[i]);
    for (size_t j = 0; j < n_file; j++) {
        bool is_new = find_key(was, n_base, is[j]) == MATCH_NONE;
        bool there = find_item(items, n_items, is[j]) != NULL;
        if ((is_new && !there) || (there && slots[j].changed)) set_order(a, map, is[j], slots[j].order);
    }
}
