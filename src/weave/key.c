/* key.c -- names, each stored once per document, and the table of keys of one type. */
#include "weave/doc_int.h"

#define TABLE_SMALL 8       /* up to here a table is searched from its start */

static uint32_t hash_name(uint64_t seed, struct slice name) {
    uint64_t h = seed ^ name.len;

    for (size_t i = 0; i < name.len; i++) h = (h ^ name.at[i]) * 0x9e3779b97f4a7c15u;
    return (uint32_t)(h ^ h >> 32);
}

struct slice key_name(const struct weave *w, uint32_t key) {
    const struct key *k = &w->keys.list[key];

    return (struct slice){ w->keys.bytes.at + k->at, k->len };
}

static uint32_t key_slot(const struct weave *w, struct slice name, uint32_t hash) {
    const struct keys *k = &w->keys;
    uint32_t mask = k->n_slots - 1, i = hash & mask;

    while (k->slots[i] != NONE &&
           (k->list[k->slots[i]].hash != hash || !slice_eq(key_name(w, k->slots[i]), name)))
        i = (i + 1) & mask;
    return i;
}

static void key_rehash(struct keys *k) {
    k->n_slots = k->n_slots ? k->n_slots * 2 : 16;
    free(k->slots);
    k->slots = malloc(k->n_slots * sizeof *k->slots);
    must(k->slots);
    memset(k->slots, 0xff, k->n_slots * sizeof *k->slots);
    for (uint32_t i = 0; i < k->n; i++) {
        uint32_t slot = k->list[i].hash & (k->n_slots - 1);
        while (k->slots[slot] != NONE) slot = (slot + 1) & (k->n_slots - 1);
        k->slots[slot] = i;
    }
}

uint32_t key_find(const struct weave *w, struct slice name) {
    if (w->keys.n == 0) return NONE;
    return w->keys.slots[key_slot(w, name, hash_name(w->seed, name))];
}

uint32_t key_intern(struct weave *w, struct slice name) {
    struct keys *k = &w->keys;
    uint32_t hash = hash_name(w->seed, name);

    if ((k->n + 1) * 2 > k->n_slots) key_rehash(k);
    uint32_t slot = key_slot(w, name, hash);
    if (k->slots[slot] != NONE) return k->slots[slot];

    uint32_t at = (uint32_t)k->bytes.len;
    buf_slice(&k->bytes, name);
    must(!k->bytes.bad);
    vector_push(k, (struct key){ .at = at, .len = (uint32_t)name.len, .hash = hash });
    return k->slots[slot] = k->n - 1;
}

/* Newest first, so that clearing a slot breaks nobody's probe. */
void key_forget(struct weave *w, uint32_t n) {
    struct keys *k = &w->keys;

    while (k->n > n) {
        const struct key *last = &k->list[k->n - 1];
        k->slots[key_slot(w, key_name(w, k->n - 1), last->hash)] = NONE;
        k->bytes.len = last->at;
        k->n--;
    }
}

/* ---- the keys of one type ----------------------------------------------------------------- */

static uint32_t table_probe(const struct table *t, uint32_t key) {
    uint32_t mask = t->n_slots - 1, i = (key * 0x9e3779b1u >> 7) & mask;

    while (t->slots[i] != NONE && t->list[t->slots[i]].key != key) i = (i + 1) & mask;
    return i;
}

static uint32_t table_entry(const struct table *t, uint32_t key) {
    if (t->n > TABLE_SMALL) return t->slots[table_probe(t, key)];
    for (uint32_t i = 0; i < t->n; i++)
        if (t->list[i].key == key) return i;
    return NONE;
}

uint32_t table_get(const struct table *t, uint32_t key) {
    uint32_t i = t && key != NONE ? table_entry(t, key) : NONE;

    return i == NONE ? NONE : t->list[i].item;
}

static void table_rehash(struct table *t) {
    if (t->n <= TABLE_SMALL) return;
    if (t->n * 2 > t->n_slots) {
        t->n_slots = t->n_slots ? t->n_slots * 2 : TABLE_SMALL * 4;
        t->slots = realloc(t->slots, t->n_slots * sizeof *t->slots);
        must(t->slots);
        memset(t->slots, 0xff, t->n_slots * sizeof *t->slots);
        for (uint32_t i = 0; i < t->n; i++) t->slots[table_probe(t, t->list[i].key)] = i;
        return;
    }
    t->slots[table_probe(t, t->list[t->n - 1].key)] = t->n - 1;
}

uint32_t *table_slot(struct type *type, uint32_t key) {
    if (!type->table) {
        type->table = calloc(1, sizeof *type->table);
        must(type->table);
    }
    struct table *t = type->table;
    uint32_t i = table_entry(t, key);
    if (i != NONE) return &t->list[i].item;

    if (t->n == t->cap) {       /* small maps stay small: 2, 4, 8 entries */
        t->cap = t->cap ? t->cap * 2 : 2;
        t->list = realloc(t->list, t->cap * sizeof *t->list);
        must(t->list);
    }
    t->list[t->n++] = (struct table_entry){ key, NONE };
    table_rehash(t);
    return &t->list[t->n - 1].item;
}

void table_free(struct table *t) {
    if (!t) return;
    free(t->slots);
    free(t->list);
    free(t);
}
