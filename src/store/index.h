/* index.h -- index.db: what is derived from the log and the workspace. Written by the projector
 * alone (one handle), read by the reader (query-only handles). A handle belongs to one thread; every
 * call may block. Deleting the file loses nothing: it is rebuilt from the log and the workspace.
 *
 *   cursor      the last log row that is in here
 *   room_row    which rows a room has, up to the cursor
 *   snapshot    a compacted update with everything of a room up to its lsn
 *   entity      one row a file: what lists, single reads and the graph answer
 *   version     the last LIMIT_VERSIONS contents we wrote into (or imported from) a room's file (F2)
 *   problem     what people should know about a file
 *
 * Errors: E_NOT_FOUND, E_FULL (disk), E_CORRUPT (the file is damaged: see index_mark_damaged), E_IO. */
#ifndef STORE_INDEX_H
#define STORE_INDEX_H

#include "store/store.h"

#define LIMIT_VERSIONS 20
#define INDEX_FILE "index.db"

struct index;

enum entity_state {
    ENTITY_OK = 0,
    ENTITY_BROKEN = 1,          /* the file does not parse; its id is not known: "" */
    ENTITY_DUPLICATE = 2,       /* another file has this kind and id, seen earlier; id: "" */
    ENTITY_GONE = 3,            /* deleted: by ROW_DELETE, or the file went away (by, at_ms) */
};

struct entity_row {             /* one atom, module, phase, journey or workflow; slices borrowed */
    struct slice path;          /* relative to the workspace; the key. "" never */
    struct slice kind, id;      /* "atom", ... */
    enum entity_state state;
    uint8_t hash[32];           /* SHA-256 of the file as last seen; zero: there is none yet */
    uint64_t mtime_ns, size;
    struct slice type;          /* upper case; "" where the kind has none */
    struct slice json;          /* as REST serves it, one object without _rev; "" when broken */
    struct slice summary;       /* the list row, one object without _rev; "" where there is none */
    uint64_t lsn;               /* of the room's last row in json; 0: no room yet, the file alone */
    uint64_t file_lsn;          /* of the room's last row in the file; 0: none */
    struct slice by;            /* ENTITY_GONE: who; else "" */
    uint64_t at_ms;             /* ENTITY_GONE: when */
};

struct version_row {
    struct slice room;          /* "atom:x" */
    uint8_t hash[32];
    uint64_t lsn;               /* the room's rows up to here are in it */
    struct slice bytes;         /* "": not kept; can be made again from the log up to lsn */
};

struct problem_row {
    struct slice path;
    struct slice source;        /* "file" "shape" "paused" "write" "skipped" (by the walk) */
    int line, column;           /* from 1; 0: none */
    struct slice text, user;    /* user: who did it, "" unknown */
    uint64_t at_ms;
};

struct entity_query {
    struct slice kind;
    struct slice type;          /* exact, upper case; "": all */
    uint64_t offset, limit;
};

struct room_tail { uint64_t rows, bytes; };     /* since the snapshot */

typedef int index_on_entity(void *ctx, const struct entity_row *row);     /* not E_OK stops */
typedef int index_on_version(void *ctx, const struct version_row *row);
typedef int index_on_problem(void *ctx, const struct problem_row *row);

/* Opening for writing makes the file, and makes it anew when it is damaged, of another schema
 * version or marked damaged (a log line says so). Opening for reading needs it to be there. */
int index_open(const char *directory, bool writing, struct index **out, const char **why);
void index_close(struct index *x);

/* Delete the index of this directory (`covalent reindex`). Nobody may have it open. */
int index_delete(const char *directory);

/* After E_CORRUPT: the next index_open for writing starts from nothing. */
void index_mark_damaged(struct index *x);
bool index_is_damaged(const struct index *x);

/* projector: all between begin and commit is one transaction */
int index_begin(struct index *x);
int index_commit(struct index *x);
void index_rollback(struct index *x);
int index_set_cursor(struct index *x, uint64_t lsn);
int index_add_row(struct index *x, struct slice room, uint64_t lsn, size_t bytes);   /* twice is once */
int index_set_snapshot(struct index *x, struct slice room, uint64_t lsn, struct slice bytes);
int index_drop_snapshot(struct index *x, struct slice room);       /* ROW_DELETE */
int index_put_entity(struct index *x, const struct entity_row *row);
int index_touch_entity(struct index *x, const struct entity_row *row);      /* all but kind, id, type and the texts */
int index_remove_entity(struct index *x, struct slice path);
int index_put_version(struct index *x, const struct version_row *row);  /* keeps the newest; known: bytes filled in */
int index_drop_versions(struct index *x, struct slice room);
int index_set_problem(struct index *x, const struct problem_row *row);
int index_clear_problem(struct index *x, struct slice path, const char *source, bool *had);   /* source
                                                    NULL: all of the file's; had may be NULL */
int index_clear_skipped(struct index *x);               /* all of source "skipped": a walk begins */

/* anybody */
int index_cursor(struct index *x, uint64_t *lsn);
int index_room_tail(struct index *x, struct slice room, struct room_tail *out);
int index_entity(struct index *x, struct slice kind, struct slice id,   /* OK before GONE; E_NOT_FOUND */
                 index_on_entity *on_row, void *ctx);
int index_entity_at(struct index *x, struct slice path, index_on_entity *on_row, void *ctx);
int index_files(struct index *x, index_on_entity *on_row, void *ctx);   /* all, path order, without texts */
int index_list(struct index *x, const struct entity_query *query, uint64_t *total,   /* ENTITY_OK only */
               index_on_entity *on_row, void *ctx);
int index_versions(struct index *x, struct slice room, index_on_version *on_row, void *ctx);  /* newest first */
int index_problems(struct index *x, uint64_t *total, index_on_problem *on_row, void *ctx);    /* path order */

/* The rows that make a room's document, oldest first, from its newest snapshot on: on_snapshot (at
 * most once), then on_row for each ROW_IMPORT and ROW_UPDATE after it, those beyond the cursor from
 * the log's tail. Rows before the room's current lineage are left out. A room without rows: E_OK and
 * no call. `upto` (UINT64_MAX: all) leaves out what is newer. */
int index_load_room(struct index *x, struct store *log, struct slice room,
                    int (*on_snapshot)(void *ctx, struct slice bytes, uint64_t lsn),
                    store_on_row *on_row, void *ctx);
int index_load_room_upto(struct index *x, struct store *log, struct slice room, uint64_t upto,
                         int (*on_snapshot)(void *ctx, struct slice bytes, uint64_t lsn),
                         store_on_row *on_row, void *ctx);

#endif
