/* import.h -- from a file to the first update of its room, and from a changed file to an update.
 *
 * Pure: bytes in, bytes out; any thread. The server makes every container (D2). What it imports has
 * a client id in the reserved range, a 40-bit hash of the file's bytes and the importer's version (D1):
 * the same bytes give the same update. */
#ifndef ENTITY_IMPORT_H
#define ENTITY_IMPORT_H

#include <weave.h>

#include "base/buf.h"
#include "entity/kinds.h"

#define IMPORT_CLIENT_FIRST ((UINT64_C(1) << 53) - (UINT64_C(1) << 40))   /* reserved ids: from here to 2^53 - 1 */

struct entity_problem {         /* why a file cannot be read; line and column from 1, 0: none */
    int line, column;
    char text[160];
};

/* The first update of the room. E_OK, or E_INVALID with *problem filled. */
int entity_import(enum kind kind, struct slice file, struct buf *update, struct entity_problem *problem);

/* The client id of entity_import for these bytes. */
uint64_t entity_import_client(struct slice file);

/* Somebody else changed the file from `base` (what we wrote) to `file`: apply that difference to
 * `doc` (a clone of the replica, with a fresh client id) as one transaction; *update gets it, empty
 * when nothing is different. Texts by minimal diff, lists by item, scalars as registers, edges as a
 * set; what people changed meanwhile stays. E_OK or E_INVALID with *problem filled. */
int entity_merge(enum kind kind, struct weave *doc, struct slice base, struct slice file,
                 struct buf *update, struct entity_problem *problem);

#endif
