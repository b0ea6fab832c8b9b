/* map.h -- a hash table from bytes to a pointer. Open addressing; the hash is keyed with a
 * random seed per table, so nobody outside can aim at collisions. Keys are borrowed: they must
 * live as long as their entry (keep the key inside the value). */
#ifndef BASE_MAP_H
#define BASE_MAP_H

#include "base/read.h"

struct map_entry {
    struct slice key;       /* at == NULL: free */
    void *value;
};

struct map {
    struct map_entry *entries;
    size_t cap, n;          /* cap is 0 or a power of two */
    uint64_t seed[2];
};

void map_init(struct map *m);
void map_deinit(struct map *m);
void *map_get(const struct map *m, struct slice key);           /* NULL: not there */
void map_put(struct map *m, struct slice key, void *value);     /* replaces key and value */
void *map_remove(struct map *m, struct slice key);              /* what was there, or NULL */

/* The keyed hash itself, where a table would be too much. */
uint64_t map_hash(const uint64_t seed[2], struct slice key);

/* Walk: for (size_t i = 0; i < m->cap; i++) if (m->entries[i].key.at) ... */

#endif
