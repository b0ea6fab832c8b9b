/* shape.h -- from an entity's own JSON (entity/export.h) to what REST serves. Pure; any thread.
 *
 * The shapes are those of the GNDP API; keys that it does not know are kept. `_rev` is not in them: it
 * is added when served (shape_put). */
#ifndef PROJECTION_SHAPE_H
#define PROJECTION_SHAPE_H

#include "base/buf.h"
#include "entity/kinds.h"

struct shape {              /* made by shape_init, emptied by each shape_make */
    struct buf json;        /* one object */
    struct buf summary;     /* atoms: the list row; else empty */
    struct buf type;        /* upper case; empty: none */
    char id[LIMIT_ID_BYTES + 1];
};

void shape_init(struct shape *s);
void shape_deinit(struct shape *s);

/* E_OK, or E_INVALID when `raw` has no valid id (s->id is "" then); *why says so. A module's id is its
 * module_id, else its id. */
int shape_make(enum kind kind, struct slice raw, struct slice path, struct shape *s, const char **why);

/* Where a new entity's file goes: atoms by category, the others in their kind's folder. `json` is its own
 * or its served JSON. `n` from 1: tried in turn while the place is taken. */
void shape_new_path(enum kind kind, struct slice json, struct slice id, int n, char *path, size_t max);

/* A served object with its revision: the lsn, or where there is no room yet the file's hash (A3). */
void shape_put(struct buf *out, struct slice json, uint64_t lsn, const uint8_t hash[32]);

#endif
