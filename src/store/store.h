/* store.h -- the log: everything that must survive the process.
 *
 * A handle belongs to one thread: one handle writes (the writer's), any number read. Every
 * function may block and none calls back into the rooms.
 *   sqlite.c    the default: log.db in the data directory
 *   memory.c    the fake for tests: fails, tears writes and loses data on command
 *
 * One set of contract tests runs against every implementation (tests/store/contract.c, rules S1-S9).
 * The derived index (index.db: projector's cursor, snapshots, entities) is store/index.h. */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include "base/read.h"

enum row_kind {
    ROW_UPDATE = 1,     /* bytes: a Yjs update */
    ROW_IMPORT = 2,     /* the first row of a room whose content came from a file or from creation;
                           bytes: 32 bytes SHA-256 of the file, then the update */
    ROW_WROTE = 3,      /* bytes: JSON {path, hash, lsn}: the projector is about to write this file */
    ROW_DELETE = 4,     /* the entity of this room was deleted; a later import starts a new lineage */
};

enum row_cause { CAUSE_YJS = 1, CAUSE_JSON, CAUSE_REST, CAUSE_FILE, CAUSE_REVERT, CAUSE_SERVER };

struct row {                    /* one durable edit or command; slices are borrowed for the call */
    uint64_t lsn;               /* place in the log, from 1, given by commit */
    uint64_t time_ms;           /* Unix time */
    enum row_kind kind;
    enum row_cause cause;
    struct slice room;          /* its name; empty for ROW_WROTE */
    struct slice lineage;       /* append: of the room, used when this is its first row (or after ROW_DELETE) */
    struct slice user, session;
    struct slice message_id;    /* the client's; empty where it sent none */
    struct slice bytes;
};

struct room_state {             /* what the log knows of a room */
    bool exists;                /* it has rows */
    bool deleted;               /* the last ROW_DELETE is newer than the last ROW_IMPORT */
    char lineage[33];           /* 32 hex digits; "" when it does not exist */
    uint64_t first_lsn;         /* first row of this lineage */
    uint64_t last_lsn;
};

typedef int store_on_row(void *ctx, const struct row *row);    /* not E_OK stops the reading */

struct store;

struct store_kind {
    const char *name;

    /* writing handle */
    int (*append)(struct store *s, const struct row *row);      /* kept until commit */
    int (*commit)(struct store *s, uint64_t *last_lsn);         /* E_OK: all appended is on disk, lsns
                                                                   consecutive. Else nothing is: E_FULL (no
                                                                   space, may be tried again) or E_IO (fsync
                                                                   failed: the process must end) */
    int (*checkpoint)(struct store *s);                         /* between commits; E_IO as above */

    /* reading handle; a call is one read transaction of at most 2,000 rows at a time */
    int (*room_state)(struct store *s, struct slice room, struct room_state *out);
    int (*follow)(struct store *s, uint64_t after_lsn, size_t rows_max, store_on_row *on_row, void *ctx);
    int (*read)(struct store *s, uint64_t lsn, store_on_row *on_row, void *ctx);    /* one row */
    int (*last_lsn)(struct store *s, uint64_t *out);

    void (*close)(struct store *s);
};

struct store {                  /* embedded first in each implementation */
    const struct store_kind *kind;
};

/* Open the log in this directory (made when absent). One writing handle per directory: a second
 * answers E_EXISTS. *why gets a static or store-owned sentence on an error. */
int store_sqlite_open(const char *directory, bool writing, struct store **out, const char **why);

#endif
