#include "files/node.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/must.h"

#define BLOCK_BYTES ((size_t)16 << 10)

struct tree_block {
    struct tree_block *next;
    size_t used, cap;
    _Alignas(16) uint8_t bytes[];
};

void tree_init(struct tree *t) { *t = (struct tree){ 0 }; }

void tree_deinit(struct tree *t) {
    while (t->blocks) {
        struct tree_block *next = t->blocks->next;
        free(t->blocks);
        t->blocks = next;
    }
    *t = (struct tree){ 0 };
}

void *tree_alloc(struct tree *t, size_t size) {
    size = (size + 15) & ~(size_t)15;
    if (!t->blocks || t->blocks->cap - t->blocks->used < size) {
        size_t cap = size > BLOCK_BYTES ? size : BLOCK_BYTES;
        struct tree_block *block = calloc(1, sizeof *block + cap);
        must(block);
        block->cap = cap;
        block->next = t->blocks;
        t->blocks = block;
    }
    void *at = t->blocks->bytes + t->blocks->used;
    t->blocks->used += size;
    return at;
}

struct slice tree_copy(struct tree *t, struct slice bytes) {
    if (bytes.len == 0) return (struct slice){ (const uint8_t *)"", 0 };
    uint8_t *at = tree_alloc(t, bytes.len);
    memcpy(at, bytes.at, bytes.len);
    return (struct slice){ at, bytes.len };
}

struct node *node_new(struct tree *t, enum node_kind kind) {
    struct node *n = tree_alloc(t, sizeof *n);
    n->kind = kind;
    n->text = (struct slice){ (const uint8_t *)"", 0 };
    t->n_nodes++;
    return n;
}

struct node *node_text(struct tree *t, struct slice text) {
    struct node *n = node_new(t, NODE_STRING);
    n->text = tree_copy(t, text);
    return n;
}

struct node *node_number(struct tree *t, double number) {
    bool whole = isfinite(number) && number == floor(number) && fabs(number) < 9007199254740992.0;
    struct node *n = node_new(t, whole ? NODE_INT : NODE_FLOAT);
    n->number = number;
    return n;
}

struct node *node_clone(struct tree *t, const struct node *from) {
    struct node *n = node_new(t, from->kind);

    n->boolean = from->boolean;
    n->number = from->number;
    n->text = tree_copy(t, from->text);
    for (const struct node *c = from->first; c; c = c->next) {
        struct node *child = node_clone(t, c);
        if (c->key) child->key = node_clone(t, c->key);
        node_append(n, child);
    }
    return n;
}

void node_append(struct node *list, struct node *item) {
    if (list->last) list->last->next = item;
    else list->first = item;
    list->last = item;
    list->n++;
}

void node_put(struct tree *t, struct node *map, struct slice key, struct node *value) {
    value->key = node_text(t, key);
    node_append(map, value);
}

struct node *node_get(const struct node *map, struct slice key) {
    for (struct node *c = map->first; c; c = c->next)
        if (c->key && slice_eq(c->key->text, key)) return c;
    return NULL;
}

struct node *node_find(const struct node *map, const char *key) { return node_get(map, slice_of(key)); }

bool node_is_scalar(const struct node *n) { return n->kind < NODE_LIST; }

static bool is_number(const struct node *n) { return n->kind == NODE_INT || n->kind == NODE_FLOAT; }
static bool is_text(const struct node *n) { return n->kind == NODE_STRING || n->kind == NODE_DATE; }

bool node_same(const struct node *a, const struct node *b) {
    if (is_number(a) && is_number(b))
        return a->number == b->number || (isnan(a->number) && isnan(b->number));
    if (is_text(a) && is_text(b)) return slice_eq(a->text, b->text);
    if (a->kind != b->kind || a->n != b->n) return false;
    if (a->kind == NODE_BOOL) return a->boolean == b->boolean;
    const struct node *x = a->first, *y = b->first;
    for (; x && y; x = x->next, y = y->next) {
        if (x->key && !(y->key && slice_eq(x->key->text, y->key->text))) return false;
        if (!node_same(x, y)) return false;
    }
    return true;
}

void problem_set(struct problem *p, int line, int column, const char *format, ...) {
    va_list args;

    p->line = line;
    p->column = column;
    va_start(args, format);
    vsnprintf(p->text, sizeof p->text, format, args);
    va_end(args);
}
