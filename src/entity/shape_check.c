#include "entity/model_int.h"

#define LIST_MAX 10000          /* lists are compared entry by entry */

/* What each field may be in a file. Scalars of any type can be texts: `name: 2025` reads as "2025". */

static bool wrong(const struct node *n, struct problem *p, const char *what, const char *key) {
    problem_set(p, n->line, n->column, "%s: %s", key, what);
    return false;
}

/* An item's map in the document also holds what the server needs: a file cannot have these keys there. */
static bool check_item_keys(const struct node *item, struct problem *p) {
    static const char *const own[] = { "order", "deleted" };

    for (size_t i = 0; i < 2; i++) {
        const struct node *n = node_find(item, own[i]);
        if (n) return wrong(n, p, "this key is not possible in an entry of a list", own[i]);
    }
    return true;
}

static bool check_items(const struct field *f, const struct node *list, struct problem *p) {
    for (const struct node *c = list->first; c; c = c->next) {
        if (f->fields && c->kind != NODE_MAP) return wrong(c, p, "an entry must be a map", f->key);
        if (f->fields && !(shape_check(f->fields, c, p) && check_item_keys(c, p))) return false;
        if (!f->fields && c->kind == NODE_MAP)
            return wrong(c, p, "an entry must be a text; quote it if it holds a colon", f->key);
        if (!f->fields && !node_is_scalar(c)) return wrong(c, p, "an entry must be a text", f->key);
    }
    return true;
}

static bool check_edges(const struct field *f, const struct node *list, struct problem *p) {
    for (const struct node *c = list->first; c; c = c->next) {
        if (c->kind != NODE_MAP) return wrong(c, p, "an edge must be a map", f->key);
        const struct node *type = node_find(c, "type"), *target = node_find(c, "targetId");
        if (!type || type->kind != NODE_STRING) return wrong(c, p, "an edge without a type", f->key);
        if (!target || target->kind != NODE_STRING) return wrong(c, p, "an edge without a targetId", f->key);
        if (memchr(type->text.at, '|', type->text.len)) return wrong(type, p, "a type must not hold |", f->key);
    }
    return true;
}

static bool check_field(const struct field *f, const struct node *n, struct problem *p) {
    bool list = f->type == FIELD_ITEMS || f->type == FIELD_KEYS || f->type == FIELD_EDGES;
    bool map = f->type == FIELD_MAP || f->type == FIELD_VALUES;

    if (f->type == FIELD_PLAIN || n->kind == NODE_NULL) return true;
    if (f->type == FIELD_TEXT && !node_is_scalar(n)) return wrong(n, p, "must be a text", f->key);
    if (list && n->kind != NODE_LIST) return wrong(n, p, "must be a list", f->key);
    if (map && n->kind != NODE_MAP) return wrong(n, p, "must be a map", f->key);
    if (list && n->n > LIST_MAX) return wrong(n, p, "a list of more than 10,000 entries", f->key);
    switch (f->type) {
    case FIELD_ITEMS: return check_items(f, n, p);
    case FIELD_EDGES: return check_edges(f, n, p);
    case FIELD_MAP: return shape_check(f->fields, n, p);
    case FIELD_KEYS:
        for (const struct node *c = n->first; c; c = c->next)
            if (!node_is_scalar(c)) return wrong(c, p, "an entry must be an id", f->key);
        return true;
    default: return true;
    }
}

bool shape_check(const struct field *fields, const struct node *map, struct problem *p) {
    for (const struct node *c = map->first; c; c = c->next) {
        const struct field *f = field_find(fields, c->key->text);
        if (f && !check_field(f, c, p)) return false;
        if (key_is_ours(c->key->text)) return wrong(c, p, "keys must not begin with _", "this key");
    }
    return true;
}
