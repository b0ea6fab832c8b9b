/* type.c -- type records: the head of a list, a table of keys, and who holds the type. */
#include "weave/doc_int.h"

uint32_t type_new(struct weave *w, uint32_t item, uint32_t name) {
    if (w->n_types == w->cap_types)
        w->types = vector_grow(w->types, &w->cap_types, sizeof *w->types);
    w->types[w->n_types] = (struct type){ .start = NONE, .item = item, .name = name };
    return w->n_types++;
}

uint32_t type_root(struct weave *w, uint32_t key) {
    if (w->keys.list[key].root) return w->keys.list[key].root;

    uint32_t t = type_new(w, NONE, key);
    w->types[t].kind = WEAVE_ROOT;
    w->keys.list[key].root = t;
    vector_push(&w->roots, t);
    return t;
}

/* Undoes what an update that was refused has added. */
void type_forget(struct weave *w, uint32_t n) {
    while (w->n_types > n) {
        struct type *t = &w->types[--w->n_types];
        w->keys.list[t->name].root = 0;
        w->roots.n--;
    }
}
