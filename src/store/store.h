/* store.h -- the log: everything that must survive the process.
 *
 * A handle belongs to one thread: one handle writes (the writer's), any number read. Every
 * function may block and none calls back into the rooms.
 *   sqlite.c    the default: log.db in the data directory (docs/internals/log.md)
 *   memory.c    the fake for tests: fails, waits and loses data on command (memory.h)
 *
 * One set of contract tests runs against every implementation (tests/store/contract_test.c, rules
 * S1-S9). The derived index (index.db: projector's cursor, snapshots, entities) is store/index.h. */
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

#define LINEAGE_LEN 32          /* hex digits */

struct row {                    /* one durable edit or command; slices are borrowed for the call */
    uint64_t lsn;               /* place in the log, from 1, given by commit */
    uint64_t time_ms;           /* Unix time */
    enum row_kind kind;
    enum row_cause cause;
    struct slice room;          /* its name; empty: belongs to no room (ROW_WROTE) */
    struct slice lineage;       /* LINEAGE_LEN hex digits, given with every row of a room (D1). Append
                                   uses it when this is the room's first row, or its first after a
                                   ROW_DELETE; else what is stored holds. Reading: that of the row */
    struct slice user, session;
    struct slice message_id;    /* the client's; empty where it sent none */
    struct slice bytes;
};

struct room_state {             /* what the log knows of a room */
    bool exists;                /* it has rows */
    bool deleted;               /* its last ROW_DELETE is newer than its last other row */
    char lineage[LINEAGE_LEN + 1];      /* "" when it does not exist */
    uint64_t first_lsn;         /* first row of this lineage */
};

typedef int store_on_row(void *ctx, const struct row *row);    /* not E_OK stops the reading */

struct store;

struct store_kind {
    const char *name;

    /* Writing handle. What was appended is kept until commit. E_OK: all of it is on disk, with
     * consecutive lsns. Else none of it is: E_FULL (no space) and E_OVERLOADED (another program
     * holds the file) may be tried again; after E_IO (a write or fsync failed) or E_CORRUPT the
     * process must end. Append's errors are commit's too. Nothing appended: E_OK and the last lsn. */
    int (*append)(struct store *s, const struct row *row);
    int (*commit)(struct store *s, uint64_t *last_lsn);
    int (*probe)(struct store *s);      /* would a commit find space again? Writes some; errors as commit */
    int (*checkpoint)(struct store *s, bool idle);  /* between commits; does it when it is due, or when
                                           idle: all of it. Errors as commit */

    /* Reading handle. No transaction is open while on_row runs: it may take its time and may use
     * the handle. What on_row returns other than E_OK is returned. */
    int (*room_state)(struct store *s, struct slice room, struct room_state *out);
    int (*follow)(struct store *s, uint64_t after_lsn, size_t rows_max, store_on_row *on_row, void *ctx);
    int (*read)(struct store *s, uint64_t lsn, store_on_row *on_row, void *ctx);    /* one row; E_NOT_FOUND */
    int (*last_lsn)(struct store *s, uint64_t *out);

    void (*close)(struct store *s);     /* what was not committed is gone */
};

struct store {                  /* embedded first in each implementation */
    const struct store_kind *kind;
};

/* Open the log in this directory (made when absent). One writing handle per directory: a second
 * answers E_EXISTS; it is opened before the reading ones. *why gets a static sentence on an error. */
int store_sqlite_open(const char *directory, bool writing, struct store **out, const char **why);

/* Walks every row and batch of a reading handle of store_sqlite_open and recomputes the hash chain.
 * Each problem is reported with the lsn it concerns (0: none). E_OK, or E_CORRUPT: had problems. */
struct store_verified { uint64_t rows, batches, rooms, problems; };
int store_verify(struct store *s, void (*on_problem)(void *ctx, uint64_t lsn, const char *what),
                 void *ctx, struct store_verified *out);

/* covalent verify DIR: prints a report; returns the exit status: 0 fine, 1 problems, 2 usage. */
int command_verify(int argc, char **argv);

#endif
