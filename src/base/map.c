#include "base/map.h"

#include <stdlib.h>

#include "base/must.h"
#include "base/rand.h"

static uint64_t rotate(uint64_t x, int bits) { return x << bits | x >> (64 - bits); }

#define ROUND(v0, v1, v2, v3)                                        \
    (v0 += v1, v1 = rotate(v1, 13), v1 ^= v0, v0 = rotate(v0, 32),   \
     v2 += v3, v3 = rotate(v3, 16), v3 ^= v2,                        \
     v0 += v3, v3 = rotate(v3, 21), v3 ^= v0,                        \
     v2 += v1, v1 = rotate(v1, 17), v1 ^= v2, v2 = rotate(v2, 32))

/* SipHash-1-3 (Aumasson, Bernstein). */
uint64_t map_hash(const uint64_t seed[2], struct slice key) {
    uint64_t v0 = seed[0] ^ 0x736f6d6570736575u, v1 = seed[1] ^ 0x646f72616e646f6du;
    uint64_t v2 = seed[0] ^ 0x6c7967656e657261u, v3 = seed[1] ^ 0x7465646279746573u;
    uint64_t word;
    size_t i = 0;

    for (; i + 8 <= key.len; i += 8) {
        memcpy(&word, key.at + i, 8);
        v3 ^= word;
        ROUND(v0, v1, v2, v3);
        v0 ^= word;
    }
    word = (uint64_t)key.len << 56;
    memcpy(&word, key.at + i, key.len - i);
    v3 ^= word;
    ROUND(v0, v1, v2, v3);
    v0 ^= word;
    v2 ^= 0xff;
    for (int k = 0; k < 3; k++) ROUND(v0, v1, v2, v3);
    return v0 ^ v1 ^ v2 ^ v3;
}

void map_init(struct map *m) {
    *m = (struct map){ 0 };
    rand_bytes(m->seed, sizeof m->seed);
}

void map_deinit(struct map *m) {
    free(m->entries);
    *m = (struct map){ 0 };
}

/* The entry of this key, or the free one where it belongs. */
static struct map_entry *find(const struct map *m, struct slice key) {
    size_t i = map_hash(m->seed, key) & (m->cap - 1);

    while (m->entries[i].key.at && !slice_eq(m->entries[i].key, key)) i = (i + 1) & (m->cap - 1);
    return &m->entries[i];
}

static void grow(struct map *m) {
    struct map old = *m;

    m->cap = old.cap ? old.cap * 2 : 16;
    m->entries = calloc(m->cap, sizeof *m->entries);
    must(m->entries);
    for (size_t i = 0; i < old.cap; i++)
        if (old.entries[i].key.at) *find(m, old.entries[i].key) = old.entries[i];
    free(old.entries);
}

void *map_get(const struct map *m, struct slice key) {
    return m->n ? find(m, key)->value : NULL;
}

void map_put(struct map *m, struct slice key, void *value) {
    must(key.at && value);
    if ((m->n + 1) * 4 > m->cap * 3) grow(m);
    struct map_entry *e = find(m, key);
    if (!e->key.at) m->n++;
    *e = (struct map_entry){ key, value };
}

void *map_remove(struct map *m, struct slice key) {
    struct map_entry *e = m->n ? find(m, key) : NULL;
    if (!e || !e->key.at) return NULL;

    void *value = e->value;
    size_t hole = (size_t)(e - m->entries), i = hole;
    for (;;) {      /* close the gap, so that no search stops early */
        i = (i + 1) & (m->cap - 1);
        if (!m->entries[i].key.at) break;
        size_t home = map_hash(m->seed, m->entries[i].key) & (m->cap - 1);
        if (((i - home) & (m->cap - 1)) >= ((i - hole) & (m->cap - 1))) {
            m->entries[hole] = m->entries[i];
            hole = i;
        }
    }
    m->entries[hole] = (struct map_entry){ 0 };
    m->n--;
    return value;
}
