#include "entity/apply_int.h"

#include <stdio.h>

#include "base/err.h"
#include "base/must.h"
#include "base/sha256.h"
#include "base/utf8.h"
#include "entity/fractional_index.h"
#include "merge/diff.h"

static void note(struct apply *a, int result) {
    if (result < 0 && a->error == 0) a->error = result;
}

weave_type new_type(struct apply *a, weave_type map, struct slice key, enum weave_kind kind) {
    weave_type type = 0;
    note(a, weave_map_set_type(a->w, map, weave_of(key), kind, &type));
    return type;
}

void set_value(struct apply *a, weave_type map, struct slice key, const struct node *value) {
    struct weave_value v = value_from(a->t, value);
    note(a, weave_map_set(a->w, map, weave_of(key), &v));
}

void set_text(struct apply *a, weave_type map, const char *key, struct slice text) {
    struct weave_value v = { .kind = WEAVE_V_STRING, .bytes = weave_of(text) };
    note(a, weave_map_set(a->w, map, weave_of(slice_of(key)), &v));
}

void delete_key(struct apply *a, weave_type map, struct slice key) {
    struct weave_value v;
    if (weave_map_get(a->w, map, weave_of(key), &v)) note(a, weave_map_delete(a->w, map, weave_of(key)));
}

/* Ids of what the server makes: computed, so that the same import gives the same update (D1). */
struct slice new_id(struct apply *a) {
    uint8_t hash[SHA256_BYTES];
    char text[17];
    struct buf b;

    buf_init(&b, a->ids->seed.len + 16);
    buf_slice(&b, a->ids->seed);
    buf_uint(&b, a->n_ids++);
    sha256(buf_view(&b), hash);
    buf_deinit(&b);
    for (int i = 0; i < 8; i++) snprintf(text + 2 * i, 3, "%02x", hash[i]);
    return tree_copy(a->t, (struct slice){ (const uint8_t *)text, 16 });
}

/* ---- texts ------------------------------------------------------------------------------- */

/* A place in the base, as a place in what the document holds now. */
static uint32_t moved(const struct diff *people, uint32_t at) {
    int64_t shift = 0;

    for (size_t i = 0; i < people->n; i++) {
        const struct diff_edit *e = &people->edits[i];
        int64_t put = (int64_t)utf8_units(e->insert);
        if (e->at + e->delete_units <= at) shift += put - (int64_t)e->delete_units;
        else if (e->at < at) return (uint32_t)((int64_t)e->at + shift + put);
        else break;
    }
    return (uint32_t)((int64_t)at + shift);
}

/* Deletes what of the base's range is still there; what people put inside it stays. Back to front. */
static void delete_range(struct apply *a, weave_type text, const struct diff *people, uint32_t at, uint32_t len) {
    uint32_t end = at + len;

    for (size_t i = people->n; i-- > 0;) {
        const struct diff_edit *e = &people->edits[i];
        if (e->at + e->delete_units <= at && !(e->at > at)) break;
        if (e->at >= end) continue;
        uint32_t behind = e->at + e->delete_units;
        if (behind < end) {
            uint32_t from = moved(people, behind);
            note(a, weave_text_delete(a->w, text, from, end - behind));
        }
        end = e->at > at ? e->at : at;
    }
    if (end > at) note(a, weave_text_delete(a->w, text, moved(people, at), end - at));
}

void apply_text(struct apply *a, weave_type text, struct slice base, struct slice file) {
    struct diff ours = { 0 }, people = { 0 };
    struct slice now = doc_text(a->w, a->t, text);

    if (slice_eq(base, file) || slice_eq(now, file)) return;
    if (diff_text(base, file, &ours) == E_OK && diff_text(base, now, &people) == E_OK) {
        for (size_t i = ours.n; i-- > 0;) {
            const struct diff_edit *e = &ours.edits[i];
            delete_range(a, text, &people, e->at, e->delete_units);
            if (e->insert.len) note(a, weave_text_insert(a->w, text, moved(&people, e->at), weave_of(e->insert)));
        }
    }
    diff_deinit(&ours);
    diff_deinit(&people);
}

/* ---- plain values ------------------------------------------------------------------------ */

static bool is_skipped(struct slice key, const struct field *fields, const char *const *skip) {
    for (; skip && *skip; skip++)
        if (slice_is(key, *skip)) return true;
    const struct field *f = field_find(fields, key);
    return f && f->type != FIELD_PLAIN;
}

void apply_plain(struct apply *a, weave_type map, const struct node *base, const struct node *file,
                 const struct field *fields, const char *const *skip) {
    for (const struct node *c = file ? file->first : NULL; c; c = c->next) {
        const struct node *was = base ? node_get(base, c->key->text) : NULL;
        if (is_skipped(c->key->text, fields, skip) || (was && node_same(was, c))) continue;
        set_value(a, map, c->key->text, c);
    }
    for (const struct node *c = base ? base->first : NULL; c; c = c->next)
        if (!is_skipped(c->key->text, fields, skip) && !(file && node_get(file, c->key->text)))
            delete_key(a, map, c->key->text);
}

/* ---- order ------------------------------------------------------------------------------- */

static int compare_bytes(struct slice x, struct slice y) {
    size_t n = x.len < y.len ? x.len : y.len;
    int c = n ? memcmp(x.at, y.at, n) : 0;
    return c ? c : (x.len > y.len) - (x.len < y.len);
}

/* The smallest order in the document behind `order`; empty: none. */
static struct slice order_behind(struct slice order, const struct doc_item *all, size_t n_all) {
    struct slice best = { NULL, 0 };
    for (size_t i = 0; i < n_all; i++) {
        struct slice o = all[i].order;
        if (!fractional_index_is_valid(o) || (order.len && compare_bytes(o, order) <= 0)) continue;
        if (best.len == 0 || compare_bytes(o, best) < 0) best = o;
    }
    return best;
}

static void order_between(struct apply *a, struct order_slot *slot, struct slice low, struct slice high) {
    struct buf b;

    buf_init(&b, KIB(64));
    if (!fractional_index_between(low, high, &b)) must(fractional_index_between(low, (struct slice){ NULL, 0 }, &b));
    slot->order = tree_copy(a->t, buf_view(&b));
    slot->changed = true;
    buf_deinit(&b);
}

void apply_order(struct apply *a, struct order_slot *slots, size_t n, const struct doc_item *all, size_t n_all) {
    struct slice low = { NULL, 0 }, fixed = { NULL, 0 };

    for (size_t i = 0; i < n; i++) {
        bool valid = slots[i].fixed && fractional_index_is_valid(slots[i].order);
        /* something comes between two of equal order: the right one gets another first */
        bool equal = valid && fixed.len && i > 0 && slots[i - 1].changed && slice_eq(slots[i].order, fixed);
        if (valid) fixed = slots[i].order;
        if (!valid || equal) order_between(a, &slots[i], low, order_behind(low, all, n_all));
        low = slots[i].order;
    }
}

/* ---- maps -------------------------------------------------------------------------------- */

static weave_type container(struct apply *a, weave_type map, const char *key, enum weave_kind kind) {
    struct weave_value v;

    if (weave_map_get(a->w, map, weave_of(slice_of(key)), &v) && v.kind == WEAVE_V_TYPE &&
        weave_kind_of(a->w, v.type) == kind) return v.type;
    return new_type(a, map, slice_of(key), kind);
}

static struct slice text_of(const struct node *n) {
    return n && n->kind != NODE_NULL && node_is_scalar(n) ? n->text : (struct slice){ (const uint8_t *)"", 0 };
}

static const struct node *child(const struct node *map, const char *key) {
    const struct node *n = map ? node_find(map, key) : NULL;
    return n && n->kind == NODE_NULL ? NULL : n;
}

static void apply_map(struct apply *a, const struct field *fields, weave_type map, const struct node *base,
                      const struct node *file);

static void apply_field(struct apply *a, const struct field *f, weave_type map, const struct node *base,
                        const struct node *file) {
    weave_type type = container(a, map, f->key, f->type == FIELD_TEXT ? WEAVE_TEXT : WEAVE_MAP);

    if (type == 0) return;
    switch (f->type) {
    case FIELD_TEXT: apply_text(a, type, text_of(base), text_of(file)); break;
    case FIELD_ITEMS: apply_items(a, f, type, base, file); break;
    case FIELD_KEYS: apply_keys(a, type, base, file); break;
    case FIELD_EDGES: apply_edges(a, type, base, file); break;
    case FIELD_VALUES: apply_plain(a, type, base, file, NULL, NULL); break;
    default: apply_map(a, f->fields, type, base, file);
    }
}

static void apply_map(struct apply *a, const struct field *fields, weave_type map, const struct node *base,
                      const struct node *file) {
    apply_plain(a, map, base, file, fields, NULL);
    for (const struct field *f = fields; f->key; f++)
        if (f->type != FIELD_PLAIN) apply_field(a, f, map, child(base, f->key), child(file, f->key));
}

int model_apply(enum kind kind, struct weave *doc, const struct node *base, const struct node *file,
                const struct apply_ids *ids) {
    struct tree scratch;
    struct apply a = { .w = doc, .t = &scratch, .ids = ids };

    tree_init(&scratch);
    for (const struct field *f = shape_of(kind)->fields; f->key; f++) {
        weave_type root = weave_root(doc, weave_of(slice_of(f->key)));
        const struct node *was = base ? node_find(base, f->key) : NULL, *is = node_find(file, f->key);
        if (f->type == FIELD_MAP) apply_map(&a, f->fields, root, was, is);
        else if (slice_is(slice_of(f->key), "nodes")) apply_nodes(&a, root, was, is);
        else apply_arrows(&a, root, was, is);
    }
    tree_deinit(&scratch);
    return a.error == WEAVE_TOO_LARGE ? E_TOO_LARGE : a.error < 0 ? E_INVALID : E_OK;
}
