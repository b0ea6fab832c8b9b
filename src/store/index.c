/* index.c -- index.db over SQLite: opening, transactions, the cursor, rows and snapshots of rooms.
 * Entities, versions and problems: index_entity.c. Loading a room: index_room.c.
 *
 * One handle writes (the projector's); it is also the only one that checkpoints, so SQLite's rule of
 * one writer and one checkpointer holds. synchronous=NORMAL: after a power cut the last transactions
 * may be missing, cursor and data together, and are made again. Which is also why anything odd in the
 * file is answered by deleting it. */
#include "store/index_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <zlib.h>

#include "base/err.h"
#include "base/log.h"
#include "base/must.h"

#define INDEX_SCHEMA 1
#define CHECK_BYTES_MAX (64 << 20)      /* up to here the whole file is checked at start: 60 ms */
#define BUSY_MS 2000

static const char schema[] =
    "create table cursor(lsn integer not null);"
    "insert into cursor values(0);"
    "create table room(id integer primary key, name text unique not null,"
    " tail_rows integer not null default 0, tail_bytes integer not null default 0);"
    "create table room_row(room integer not null, lsn integer not null,"
    " primary key(room, lsn)) without rowid;"
    "create table snapshot(room integer primary key, lsn integer not null, sum integer not null,"
    " bytes blob not null);"
    "create table entity(path text primary key, kind text not null, id text not null,"
    " state integer not null, hash blob not null, mtime integer not null, size integer not null,"
    " type text not null, lsn integer not null, file_lsn integer not null,"
    " gone_by text not null, gone_at integer not null, json text not null, summary text not null);"
    "create index entity_id on entity(kind, id);"
    "create index entity_list on entity(kind, state, path, type);"
    "create table version(n integer primary key, room text not null, hash blob not null,"
    " lsn integer not null, bytes blob not null);"
    "create index version_room on version(room, n);"
    "create table problem(path text not null, source text not null, line integer not null,"
    " col integer not null, text text not null, user text not null, at integer not null,"
    " primary key(path, source)) without rowid;";

static const char *const sql_text[] = {
#define X(name, text) text,
    INDEX_SQL(X)
#undef X
};

/* ---- shared with index_entity.c and index_room.c -------------------------------------------- */

int index_error(struct index *x, int rc) {
    switch (rc & 0xff) {
    case SQLITE_OK:
    case SQLITE_ROW:
    case SQLITE_DONE: return E_OK;
    case SQLITE_FULL: return E_FULL;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        index_mark_damaged(x);
        return E_CORRUPT;
    }
    return E_IO;
}

sqlite3_stmt *index_sql(struct index *x, enum index_sql which) {
    sqlite3_stmt **s = &x->sql[which];

    if (*s == NULL) {
        int rc = sqlite3_prepare_v3(x->db, sql_text[which], -1, SQLITE_PREPARE_PERSISTENT, s, NULL);
        if (rc != SQLITE_OK) {
            log_error("index.sql", "error=\"%s\"", sqlite3_errmsg(x->db));
            index_error(x, rc);
            return NULL;
        }
    }
    sqlite3_reset(*s);
    sqlite3_clear_bindings(*s);
    return *s;
}

int index_step(struct index *x, sqlite3_stmt *s) {
    if (s == NULL) return x->damaged ? E_CORRUPT : E_IO;
    int rc = sqlite3_step(s);
    sqlite3_reset(s);
    return index_error(x, rc);
}

void index_bind(sqlite3_stmt *s, int at, struct slice text) {
    if (s) sqlite3_bind_text64(s, at, text.len ? (const char *)text.at : "", text.len,
                               SQLITE_STATIC, SQLITE_UTF8);
}

void index_bind_blob(sqlite3_stmt *s, int at, struct slice bytes) {
    if (s == NULL) return;
    if (bytes.len == 0) sqlite3_bind_zeroblob(s, at, 0);
    else sqlite3_bind_blob64(s, at, bytes.at, bytes.len, SQLITE_STATIC);
}

struct slice index_column(sqlite3_stmt *s, int at) {
    const void *bytes = sqlite3_column_blob(s, at);
    return (struct slice){ bytes, bytes ? (size_t)sqlite3_column_bytes(s, at) : 0 };
}

/* ---- opening ---------------------------------------------------------------------------------- */

static void path_of(char *to, size_t max, const char *directory, const char *suffix) {
    int n = snprintf(to, max, "%s/" INDEX_FILE "%s", directory, suffix);
    must(n > 0 && (size_t)n < max);
}

int index_delete(const char *directory) {
    static const char *const suffixes[] = { "", "-wal", "-shm", ".damaged" };
    char path[4200];
    int failed = 0;

    for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++) {
        path_of(path, sizeof path, directory, suffixes[i]);
        if (unlink(path) < 0 && access(path, F_OK) == 0) failed = 1;
    }
    return failed ? E_IO : E_OK;
}

void index_mark_damaged(struct index *x) {
    char path[4200];

    if (x->damaged) return;
    x->damaged = true;
    path_of(path, sizeof path, x->directory, ".damaged");
    FILE *f = fopen(path, "we");
    if (f) fclose(f);
    log_error("index.damaged", "file=%s next=\"it is rebuilt at the next start\"", INDEX_FILE);
}

bool index_is_damaged(const struct index *x) { return x->damaged; }

static int scalar(sqlite3 *db, const char *sql, sqlite3_int64 *out) {
    sqlite3_stmt *s = NULL;
    int rc = sqlite3_prepare_v2(db, sql, -1, &s, NULL);

    if (rc == SQLITE_OK && (rc = sqlite3_step(s)) == SQLITE_ROW) {
        const unsigned char *text = sqlite3_column_text(s, 0);
        *out = text && strcmp((const char *)text, "ok") == 0 ? 1 : sqlite3_column_int64(s, 0);
        rc = SQLITE_OK;
    }
    sqlite3_finalize(s);
    return rc;
}

/* Is the file whole and of our schema? An empty file counts as new. */
static bool is_usable(sqlite3 *db, bool *is_new, const char **why) {
    sqlite3_int64 version = 0, pages = 0, size = 0, sound = 1;

    if (scalar(db, "pragma user_version", &version) != SQLITE_OK ||
        scalar(db, "pragma page_count", &pages) != SQLITE_OK ||
        scalar(db, "pragma page_size", &size) != SQLITE_OK) {
        *why = "it is damaged";
        return false;
    }
    *is_new = version == 0 && pages == 0;
    if (*is_new) return true;
    if (version != INDEX_SCHEMA) {
        *why = "it is of another schema version";
        return false;
    }
    if (pages * size <= CHECK_BYTES_MAX &&
        (scalar(db, "pragma quick_check(1)", &sound) != SQLITE_OK || sound != 1)) {
        *why = "it is damaged";
        return false;
    }
    return true;
}

static int make(sqlite3 *db) {
    char version[64];

    snprintf(version, sizeof version, "pragma user_version = %d; commit", INDEX_SCHEMA);
    if (sqlite3_exec(db, "begin immediate", NULL, NULL, NULL) == SQLITE_OK &&
        sqlite3_exec(db, schema, NULL, NULL, NULL) == SQLITE_OK &&
        sqlite3_exec(db, version, NULL, NULL, NULL) == SQLITE_OK) return E_OK;
    return E_IO;
}

static int configure(sqlite3 *db, bool writing) {
    sqlite3_busy_timeout(db, BUSY_MS);
    sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, writing ? 0 : 1, NULL);
    const char *sql = writing
        ? "pragma journal_mode = wal; pragma synchronous = normal; pragma mmap_size = 0;"
          "pragma wal_autocheckpoint = 1000; pragma cache_size = -8192"
        : "pragma query_only = on; pragma mmap_size = 0; pragma wal_autocheckpoint = 0";
    return sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK ? E_OK : E_IO;
}

static int open_once(const char *directory, bool writing, sqlite3 **db, const char **why) {
    char path[4200];
    bool is_new = false;
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | (writing ? SQLITE_OPEN_CREATE : 0);

    *db = NULL;
    path_of(path, sizeof path, directory, "");
    *why = "index.db cannot be opened";
    if (sqlite3_open_v2(path, db, flags, NULL) != SQLITE_OK) return E_IO;
    if (!is_usable(*db, &is_new, why)) return E_CORRUPT;
    *why = "index.db cannot be made";
    if (is_new && !writing) return E_NOT_FOUND;
    if (configure(*db, writing) != E_OK) return E_IO;
    return is_new ? make(*db) : E_OK;
}

int index_open(const char *directory, bool writing, struct index **out, const char **why) {
    char mark[4200];
    sqlite3 *db = NULL;

    path_of(mark, sizeof mark, directory, ".damaged");
    if (writing && access(mark, F_OK) == 0) {
        log_warn("index.rebuild", "why=\"it was damaged\"");
        if (index_delete(directory) != E_OK) return *why = "index.db cannot be deleted", E_IO;
    }
    int e = open_once(directory, writing, &db, why);
    if (e == E_CORRUPT && writing) {
        log_warn("index.rebuild", "why=\"%s\"", *why);
        sqlite3_close(db);
        if (index_delete(directory) != E_OK) return *why = "index.db cannot be deleted", E_IO;
        e = open_once(directory, writing, &db, why);
    }
    if (e != E_OK) {
        sqlite3_close(db);
        return e;
    }
    struct index *x = calloc(1, sizeof *x);
    must(x != NULL);
    x->db = db;
    x->directory = strdup(directory);
    must(x->directory != NULL);
    *out = x;
    return E_OK;
}

void index_close(struct index *x) {
    if (x == NULL) return;
    for (int i = 0; i < SQL_COUNT_OF; i++) sqlite3_finalize(x->sql[i]);
    sqlite3_close(x->db);
    free(x->directory);
    free(x);
}

/* ---- transactions, cursor, rows, snapshots ------------------------------------------------------ */

int index_begin(struct index *x) { return index_step(x, index_sql(x, SQL_BEGIN)); }
int index_commit(struct index *x) { return index_step(x, index_sql(x, SQL_COMMIT)); }

void index_rollback(struct index *x) {
    if (!sqlite3_get_autocommit(x->db)) index_step(x, index_sql(x, SQL_ROLLBACK));
}

int index_set_cursor(struct index *x, uint64_t lsn) {
    sqlite3_stmt *s = index_sql(x, SQL_SET_CURSOR);
    if (s) sqlite3_bind_int64(s, 1, (sqlite3_int64)lsn);
    return index_step(x, s);
}

int index_cursor(struct index *x, uint64_t *lsn) {
    sqlite3_stmt *s = index_sql(x, SQL_GET_CURSOR);
    if (s == NULL) return E_IO;
    int rc = sqlite3_step(s);
    *lsn = rc == SQLITE_ROW ? (uint64_t)sqlite3_column_int64(s, 0) : 0;
    sqlite3_reset(s);
    return rc == SQLITE_ROW ? E_OK : rc == SQLITE_DONE ? E_CORRUPT : index_error(x, rc);
}

static int on_name(struct index *x, enum index_sql which, struct slice room, uint64_t second) {
    sqlite3_stmt *s = index_sql(x, which);
    index_bind(s, 1, room);
    if (s && sqlite3_bind_parameter_count(s) > 1) sqlite3_bind_int64(s, 2, (sqlite3_int64)second);
    return index_step(x, s);
}

int index_add_row(struct index *x, struct slice room, uint64_t lsn, size_t bytes) {
    int e = on_name(x, SQL_ADD_ROOM, room, 0);
    if (e == E_OK) e = on_name(x, SQL_ADD_ROW, room, lsn);
    if (e != E_OK || sqlite3_changes(x->db) == 0) return e;     /* known: counted already */
    return on_name(x, SQL_ADD_TAIL, room, bytes);
}

int index_set_snapshot(struct index *x, struct slice room, uint64_t lsn, struct slice bytes) {
    int e = on_name(x, SQL_ADD_ROOM, room, 0);
    if (e != E_OK) return e;

    sqlite3_stmt *s = index_sql(x, SQL_SET_SNAPSHOT);
    index_bind(s, 1, room);
    if (s) {
        sqlite3_bind_int64(s, 2, (sqlite3_int64)lsn);
        sqlite3_bind_int64(s, 3, (sqlite3_int64)crc32_z(0, bytes.at, bytes.len));
        index_bind_blob(s, 4, bytes);
    }
    e = index_step(x, s);
    return e != E_OK ? e : on_name(x, SQL_RESET_TAIL, room, 0);
}

int index_drop_snapshot(struct index *x, struct slice room) {
    int e = on_name(x, SQL_DROP_SNAPSHOT, room, 0);
    return e != E_OK ? e : on_name(x, SQL_RESET_TAIL, room, 0);
}

int index_room_tail(struct index *x, struct slice room, struct room_tail *out) {
    sqlite3_stmt *s = index_sql(x, SQL_GET_TAIL);
    *out = (struct room_tail){ 0 };
    if (s == NULL) return E_IO;
    index_bind(s, 1, room);
    int rc = sqlite3_step(s);
    if (rc == SQLITE_ROW) {
        out->rows = (uint64_t)sqlite3_column_int64(s, 0);
        out->bytes = (uint64_t)sqlite3_column_int64(s, 1);
    }
    sqlite3_reset(s);
    return index_error(x, rc);
}
