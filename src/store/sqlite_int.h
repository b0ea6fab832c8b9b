/* sqlite_int.h -- one handle of log.db: what sqlite.c (open, close), sqlite_write.c,
 * sqlite_read.c and verify.c share. The schema is schema.c; all of it is told in
 * docs/internals/log.md. */
#ifndef STORE_SQLITE_INT_H
#define STORE_SQLITE_INT_H

#include <sqlite3.h>

#include "base/log.h"
#include "base/map.h"
#include "base/sha256.h"
#include "store/store.h"

#define CHUNK_ROWS 2000             /* rows of one read transaction (P5) */
#define CHUNK_BYTES MIB(4)          /* and their bytes, one row more at most */
#define ROOMS_CACHED 8192           /* names the writing handle keeps numbers of */

struct room_ref {                   /* what the writing handle knows of a room */
    int64_t number;
    bool deleted;
    char lineage[LINEAGE_LEN + 1];
    size_t len;
    uint8_t name[];
};

struct pending {                    /* the open batch */
    bool is_open;
    int err;                        /* the first error of an append: the whole batch is lost */
    uint64_t n;
    uint8_t *hashes;                /* SHA256_BYTES a row */
    size_t cap;                     /* rows hashes has space for */
};

struct log_sqlite {
    struct store base;
    sqlite3 *db;
    bool writing;
    int lock_fd;                    /* of the data directory, flock'd; -1 for a reading handle */
    struct sha256 *sha;

    /* writing */
    sqlite3_stmt *begin, *commit, *rollback;
    sqlite3_stmt *insert_row, *insert_batch, *insert_room, *find_room, *set_deleted;
    sqlite3_stmt *insert_probe, *delete_probe;
    struct map rooms;               /* name -> struct room_ref; emptied when full or after a rollback */
    struct pending pending;
    uint64_t lsn;                   /* of the last committed row */
    uint8_t chain[SHA256_BYTES];    /* hash of the last batch */
    int wal_frames;                 /* in the WAL after the last commit */
    struct log_gate gate;

    /* reading */
    sqlite3_stmt *select_rows, *select_room, *select_last;
};

/* schema.c: bring an open file to this version's schema. */
int schema_migrate(sqlite3 *db, bool writing, const char **why);

/* sqlite.c */
int sqlite_err(sqlite3 *db, int rc);        /* an E_ code for a result that is not a success */
bool sqlite_prepare(sqlite3 *db, sqlite3_stmt **out, const char *sql);
bool sqlite_run(sqlite3 *db, const char *sql);      /* constant SQL without results; false: see sqlite_err */
struct slice column_slice(sqlite3_stmt *s, int column);     /* borrowed until the next step */
void bind_slice(sqlite3_stmt *s, int at, struct slice text);        /* the caller keeps it until the reset */

/* The hash of one row: every field, each with its length, so no two rows read the same. */
void row_hash(struct sha256 *sha, const struct row *row, uint8_t out[SHA256_BYTES]);
/* The hash of one batch: the previous batch's, its lsns, its rows' hashes. */
void batch_hash(struct sha256 *sha, const uint8_t chain[SHA256_BYTES], uint64_t first_lsn,
                struct slice hashes, uint8_t out[SHA256_BYTES]);

/* sqlite_write.c */
bool sqlite_write_prepare(struct log_sqlite *s);
int sqlite_append(struct store *base, const struct row *row);
int sqlite_commit(struct store *base, uint64_t *last_lsn);
int sqlite_probe(struct store *base);
int sqlite_checkpoint(struct store *base, bool idle);
void sqlite_forget_rooms(struct log_sqlite *s);

/* sqlite_read.c */
bool sqlite_read_prepare(struct log_sqlite *s);
int sqlite_room_state(struct store *base, struct slice room, struct room_state *out);
int sqlite_follow(struct store *base, uint64_t after_lsn, size_t rows_max, store_on_row *on_row, void *ctx);
int sqlite_read(struct store *base, uint64_t lsn, store_on_row *on_row, void *ctx);
int sqlite_last_lsn(struct store *base, uint64_t *out);

#endif
