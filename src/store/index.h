/* index.h -- index.db: what is derived from the log and the workspace. Written by the projector
 * alone, read by the reader (read-only handles). Deleting it loses nothing: it is rebuilt.
 *
 * Tables: cursor; room_row(room, lsn): which rows a room has, up to the cursor; snapshot(room, lsn,
 * bytes): a compacted update with everything up to lsn; entity: one row a file (projection/catalog). */
#ifndef STORE_INDEX_H
#define STORE_INDEX_H

#include "store/store.h"

struct index;

struct entity_row {             /* one atom, module, phase, journey or workflow; slices borrowed */
    struct slice kind;          /* "atom", ... */
    struct slice id;
    struct slice path;          /* relative to the workspace */
    uint8_t hash[32];           /* SHA-256 of the file */
    uint64_t mtime_ns, size;
    struct slice json;          /* the file's content as JSON (entity/json.h); "" when it does not parse */
    struct slice problem;       /* why it does not parse, with line; "" */
    uint64_t lsn;               /* of the last log row in it; 0: the file alone */
};

int index_open(const char *directory, bool writing, struct index **out, const char **why);
void index_close(struct index *x);

/* projector: all between begin and commit is one transaction */
int index_begin(struct index *x);
int index_commit(struct index *x);
int index_set_cursor(struct index *x, uint64_t lsn);
int index_add_row(struct index *x, struct slice room, uint64_t lsn);
int index_set_snapshot(struct index *x, struct slice room, uint64_t lsn, struct slice bytes);
int index_put_entity(struct index *x, const struct entity_row *row);
int index_remove_entity(struct index *x, struct slice kind, struct slice id);

/* anybody */
int index_cursor(struct index *x, uint64_t *lsn);
int index_entity(struct index *x, struct slice kind, struct slice id,
                 int (*on_row)(void *ctx, const struct entity_row *row), void *ctx);     /* E_NOT_FOUND */
int index_entities(struct index *x, struct slice kind,      /* in path order; empty kind: all */
                   int (*on_row)(void *ctx, const struct entity_row *row), void *ctx);

/* The rows that make a room's document, oldest first, from its newest snapshot on: on_snapshot (at
 * most once), then on_row for each row after it, those beyond the cursor from the log's tail. Rows
 * before the room's current lineage are left out. */
int index_load_room(struct index *x, struct store *log, struct slice room,
                    int (*on_snapshot)(void *ctx, struct slice bytes, uint64_t lsn),
                    store_on_row *on_row, void *ctx);

#endif
