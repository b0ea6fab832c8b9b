/* delta.c -- how one list changed in a transaction: retain, insert, delete.
 *
 * One walk over the list. An item was visible before when it is not new and was not deleted then,
 * and is visible now when it is not deleted. A run may be old up to some unit and new from there
 * (typing extends runs). For texts two folds of the formats go along, as it was and as it is:
 * inserts carry the attributes that hold there, retains those that changed. */
#include "weave/event_int.h"

struct op {
    int op;
    uint32_t len;
    struct buf text;
    struct weave_value *values;         /* len of them, where text is empty */
    uint32_t n_values, cap_values;
    struct attributes attributes;
};

struct ops {
    struct op *list;
    uint32_t n, cap;
};

struct folds {
    struct attributes before, now;
};

/* ---- attributes --------------------------------------------------------------------------- */

static uint32_t value_in(const struct attributes *a, uint32_t key) {
    for (uint32_t i = 0; i < a->n; i++)
        if (a->list[i].key == key) return a->list[i].value;
    return NONE;
}

/* What turns `before` into `now`: changed keys, and null for those that are gone. */
static struct attributes changed_attributes(struct weave *w, const struct folds *f) {
    struct attributes changed = { 0 };

    for (uint32_t i = 0; i < f->now.n; i++)
        if (value_in(&f->before, f->now.list[i].key) != f->now.list[i].value)
            vector_push(&changed, f->now.list[i]);
    for (uint32_t i = 0; i < f->before.n; i++) {
        uint32_t key = f->before.list[i].key;
        if (value_in(&f->now, key) == NONE)
            vector_push(&changed, (struct attribute){ key, key_intern(w, slice_of("null")) });
    }
    return changed;
}

static struct attributes all_attributes(const struct folds *f) {
    struct attributes all = { 0 };

    for (uint32_t i = 0; i < f->now.n; i++) vector_push(&all, f->now.list[i]);
    return all;
}

static bool same_attributes(const struct attributes *a, const struct attributes *b) {
    if (a->n != b->n) return false;
    for (uint32_t i = 0; i < a->n; i++)
        if (value_in(b, a->list[i].key) != a->list[i].value) return false;
    return true;
}

/* ---- operations --------------------------------------------------------------------------- */

/* The last operation when it goes on in the same way, else a new one. Takes the attributes. */
static struct op *op_for(struct ops *ops, int kind, bool is_text, struct attributes attributes) {
    struct op *last = ops->n ? &ops->list[ops->n - 1] : NULL;

    if (last && last->op == kind && same_attributes(&last->attributes, &attributes) &&
        (kind != WEAVE_INSERT || (last->text.len > 0) == is_text)) {
        free(attributes.list);
        return last;
    }
    vector_push(ops, (struct op){ .op = kind, .attributes = attributes });
    buf_init(&ops->list[ops->n - 1].text, SIZE_MAX / 2);
    return &ops->list[ops->n - 1];
}

static void insert_string(struct weave *w, struct op *op, const struct item *x, uint32_t from) {
    struct slice text = { item_content(w, x), x->bytes };
    bool inside;
    uint32_t byte = from ? content_cut(text, x->flags, from, &inside) : 0;

    buf_put(&op->text, text.at + byte, text.len - byte);
}

static void insert_values(struct weave *w, struct pool *pool, struct op *op, const struct item *x) {
    struct reader r = reader_of((struct slice){ item_content(w, x), x->bytes });
    bool row = item_kind(x) == KIND_ANY || item_kind(x) == KIND_JSON;     /* read in one pass */

    for (uint32_t i = 0; i < x->len; i++) {
        if (op->n_values == op->cap_values)
            op->values = vector_grow(op->values, &op->cap_values, sizeof *op->values);
        op->values[op->n_values++] =
            pool_value(pool, row ? value_next(item_kind(x), &r) : value_of(w, x, i));
    }
}

static void add_insert(struct weave *w, struct pool *pool, struct ops *ops, const struct item *x,
                       uint32_t from, const struct folds *f) {
    bool is_text = item_kind(x) == KIND_STRING;
    struct op *op = op_for(ops, WEAVE_INSERT, is_text, all_attributes(f));

    op->len += x->len - from;
    if (is_text) insert_string(w, op, x, from);
    else insert_values(w, pool, op, x);
}

static void walk_format(struct weave *w, const struct item *x, struct folds *f) {
    bool deleted = item_is_deleted(x), went = deleted && ranges_hold(&w->now.deleted, x->id);

    if (!event_is_new(w, x) && (!deleted || went)) format_apply(w, &f->before, x);
    if (!deleted) format_apply(w, &f->now, x);
}

static void walk_item(struct weave *w, struct pool *pool, struct ops *ops, const struct item *x,
                      struct folds *f) {
    if (item_kind(x) == KIND_FORMAT) walk_format(w, x, f);
    if (!(x->flags & ITEM_COUNTABLE)) return;

    bool deleted = item_is_deleted(x), went = deleted && ranges_hold(&w->now.deleted, x->id);
    uint32_t before = transaction_before(w, &w->clients[x->id.client]), old = 0;
    if (x->id.clock < before) old = before - x->id.clock < x->len ? before - x->id.clock : x->len;
    if (deleted) {
        if (went && old) op_for(ops, WEAVE_DELETE, false, (struct attributes){ 0 })->len += old;
        return;
    }
    if (old) op_for(ops, WEAVE_RETAIN, false, changed_attributes(w, f))->len += old;
    if (old < x->len) add_insert(w, pool, ops, x, old, f);
}

/* ---- the result --------------------------------------------------------------------------- */

static void finish_op(struct weave *w, struct pool *pool, struct op *op, struct weave_delta *to) {
    struct weave_attribute *list = pool_get(pool, op->attributes.n * sizeof *list);
    struct weave_value *values = pool_get(pool, op->n_values * sizeof *values);

    for (uint32_t i = 0; i < op->attributes.n; i++) {
        list[i].key = pool_copy(pool, key_name(w, op->attributes.list[i].key));
        list[i].json = pool_copy(pool, key_name(w, op->attributes.list[i].value));
    }
    if (op->n_values) memcpy(values, op->values, op->n_values * sizeof *values);
    *to = (struct weave_delta){ .len = op->len,
                                .text = pool_copy(pool, buf_view(&op->text)),
                                .values = values,
                                .attributes = list,
                                .n_attributes = op->attributes.n };
    to->op = op->op == WEAVE_RETAIN   ? WEAVE_RETAIN
             : op->op == WEAVE_INSERT ? WEAVE_INSERT
                                      : WEAVE_DELETE;
}

static void free_ops(struct ops *ops) {
    for (uint32_t i = 0; i < ops->n; i++) {
        buf_deinit(&ops->list[i].text);
        free(ops->list[i].values);
        free(ops->list[i].attributes.list);
    }
    free(ops->list);
}

void delta_gather(struct weave *w, struct pool *pool, uint32_t type, struct weave_event *event) {
    struct ops ops = { 0 };
    struct folds folds = { 0 };

    for (uint32_t ref = type_at(w, type)->start; ref != NONE; ref = item_at(w, ref)->right)
        walk_item(w, pool, &ops, item_at(w, ref), &folds);
    uint32_t n = ops.n;                 /* what stays as it is at the end is not said */
    if (n > 0 && ops.list[n - 1].op == WEAVE_RETAIN && ops.list[n - 1].attributes.n == 0) n--;
    struct weave_delta *deltas = pool_get(pool, n * sizeof *deltas);
    for (uint32_t i = 0; i < n; i++) finish_op(w, pool, &ops.list[i], &deltas[i]);
    event->deltas = deltas;
    event->n_deltas = n;
    free_ops(&ops);
    free(folds.before.list);
    free(folds.now.list);
}
