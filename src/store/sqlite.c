/* sqlite.c -- the log in SQLite: opening, closing and what both kinds of handle share.
 *
 * Invariants (P5): one handle in one process writes and checkpoints, guarded by a lock on the
 * directory (every SQLite before 3.51.3 can corrupt a WAL that two connections reset at once); a
 * commit is synced (synchronous=FULL) before it returns; nothing but prepared statements. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/limits.h"
#include "base/must.h"
#include "store/sqlite_int.h"

/* Did a write fail for want of space? A quota or a limit on file sizes answers EDQUOT or EFBIG,
 * which SQLite reports as any other error; the file it wrote to (the WAL, or log.db in a
 * checkpoint) remembers the reason. */
static bool lacked_space(sqlite3 *db) {
    const int files[] = { SQLITE_FCNTL_JOURNAL_POINTER, SQLITE_FCNTL_FILE_POINTER };
    for (size_t i = 0; i < 2; i++) {
        sqlite3_file *file = NULL;
        int why = 0;
        sqlite3_file_control(db, NULL, files[i], &file);
        if (!file || !file->pMethods) continue;
        file->pMethods->xFileControl(file, SQLITE_FCNTL_LAST_ERRNO, &why);
        if (why == ENOSPC || why == EDQUOT || why == EFBIG) return true;
    }
    return false;
}

/* A write that finds no space is E_FULL: nothing was written. A sync that fails is always E_IO,
 * whatever the reason: what it did not write may be gone. */
int sqlite_err(sqlite3 *db, int rc) {
    switch (rc & 0xff) {
    case SQLITE_FULL: return E_FULL;
    case SQLITE_BUSY:
    case SQLITE_LOCKED: return E_OVERLOADED;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB: return E_CORRUPT;
    case SQLITE_NOMEM: must(!"out of memory");
    case SQLITE_IOERR:
        if (rc == SQLITE_IOERR_SHMSIZE) return E_FULL;
        return rc == SQLITE_IOERR_WRITE && lacked_space(db) ? E_FULL : E_IO;
    }
    return E_IO;
}

bool sqlite_prepare(sqlite3 *db, sqlite3_stmt **out, const char *sql) {
    return sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, out, NULL) == SQLITE_OK;
}

bool sqlite_run(sqlite3 *db, const char *sql) {
    return sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK;
}

struct slice column_slice(sqlite3_stmt *s, int column) {
    const uint8_t *at = sqlite3_column_blob(s, column);     /* first: it may convert, bytes then counts */
    return (struct slice){ at, (size_t)sqlite3_column_bytes(s, column) };
}

void bind_slice(sqlite3_stmt *s, int at, struct slice text) {
    const char *bytes = text.len ? (const char *)text.at : "";
    must(sqlite3_bind_text64(s, at, bytes, text.len, SQLITE_STATIC, SQLITE_UTF8) == SQLITE_OK);
}

static void add_u64(uint8_t **at, uint64_t value) {
    for (int i = 0; i < 8; i++) *(*at)++ = (uint8_t)(value >> (8 * i));
}

void row_hash(struct sha256 *sha, const struct row *row, uint8_t out[SHA256_BYTES]) {
    const struct slice parts[] = { row->room, row->lineage, row->user, row->session,
                                   row->message_id, row->bytes };
    uint8_t head[8 * 10], *at = head;
    add_u64(&at, row->lsn);
    add_u64(&at, row->time_ms);
    add_u64(&at, (uint64_t)row->kind);
    add_u64(&at, (uint64_t)row->cause);
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) add_u64(&at, parts[i].len);
    must(at == head + sizeof head);
    sha256_begin(sha);
    sha256_add(sha, (struct slice){ head, sizeof head });
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) sha256_add(sha, parts[i]);
    sha256_end(sha, out);
}

void batch_hash(struct sha256 *sha, const uint8_t chain[SHA256_BYTES], uint64_t first_lsn,
                struct slice hashes, uint8_t out[SHA256_BYTES]) {
    uint8_t head[8 * 2], *at = head;
    add_u64(&at, first_lsn);
    add_u64(&at, hashes.len / SHA256_BYTES);
    sha256_begin(sha);
    sha256_add(sha, (struct slice){ chain, SHA256_BYTES });
    sha256_add(sha, (struct slice){ head, sizeof head });
    sha256_add(sha, hashes);
    sha256_end(sha, out);
}

/* ---- the directory ------------------------------------------------------------------------- */

/* Makes the path and its parents, for us alone, and puts the new names on disk. */
static bool make_directory(const char *path) {
    char part[4096];
    int n = snprintf(part, sizeof part, "%s", path);
    if (n <= 0 || (size_t)n >= sizeof part) return false;
    for (char *slash = part; (slash = strchr(slash + 1, '/'));) {
        *slash = '\0';
        if (mkdir(part, 0700) != 0 && errno != EEXIST) return false;
        *slash = '/';
    }
    return mkdir(part, 0700) == 0 || errno == EEXIST;
}

static bool sync_path(const char *path) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return false;
    bool ok = fsync(fd) == 0;
    close(fd);
    return ok;
}

/* An empty file of ours, before SQLite opens it: it would be readable by others. Never opened and
 * closed later, which would drop the locks SQLite holds on it. */
static bool make_file(const char *directory, const char *path) {
    char parent[4096 + 4];
    int fd = open(path, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600);
    if (fd < 0) return errno == EEXIST && chmod(path, 0600) == 0;
    bool ok = fsync(fd) == 0;
    close(fd);
    snprintf(parent, sizeof parent, "%s/..", directory);
    return ok && sync_path(directory) && sync_path(parent);
}

static int prepare_directory(struct log_sqlite *s, const char *directory, const char *path, const char **why) {
    if (!make_directory(directory)) {
        *why = "the data directory cannot be made";
        return E_IO;
    }
    s->lock_fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (s->lock_fd < 0) {
        *why = "the data directory cannot be opened";
        return E_IO;
    }
    if (flock(s->lock_fd, LOCK_EX | LOCK_NB) != 0) {
        *why = "another server is using this data directory; stop it first, or give this one another --data";
        return E_EXISTS;
    }
    if (!make_file(directory, path)) {
        *why = "log.db cannot be made in the data directory";
        return errno == ENOSPC ? E_FULL : E_IO;
    }
    return E_OK;
}

/* ---- the handle ---------------------------------------------------------------------------- */

static void sqlite_close_handle(struct store *base) {
    struct log_sqlite *s = (struct log_sqlite *)base;
    sqlite3_stmt *all[] = { s->begin, s->commit, s->rollback, s->insert_row, s->insert_batch,
                            s->insert_room, s->find_room, s->set_deleted, s->insert_probe,
                            s->delete_probe, s->select_rows, s->select_room, s->select_last };
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) sqlite3_finalize(all[i]);
    must(sqlite3_close(s->db) == SQLITE_OK);
    if (s->writing) sqlite_forget_rooms(s), map_deinit(&s->rooms);
    free(s->pending.hashes);
    sha256_free(s->sha);
    if (s->lock_fd >= 0) close(s->lock_fd);
    free(s);
}

static const struct store_kind kind = {
    .name = "sqlite",
    .append = sqlite_append, .commit = sqlite_commit, .probe = sqlite_probe,
    .checkpoint = sqlite_checkpoint,
    .room_state = sqlite_room_state, .follow = sqlite_follow, .read = sqlite_read,
    .last_lsn = sqlite_last_lsn,
    .close = sqlite_close_handle,
};

/* Settings of the connection. A write could fail before the commit if pages spilled: they do not. */
static bool configure(sqlite3 *db, bool writing) {
    sqlite3_extended_result_codes(db, 1);
    sqlite3_busy_timeout(db, 0);
    sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    sqlite3_wal_autocheckpoint(db, 0);
    if (!sqlite_run(db, "PRAGMA mmap_size = 0; PRAGMA cell_size_check = ON; PRAGMA temp_store = MEMORY"))
        return false;
    return sqlite_run(db, writing ? "PRAGMA page_size = 4096; PRAGMA journal_mode = WAL;"
                                    "PRAGMA synchronous = FULL; PRAGMA cache_spill = OFF"
                                  : "PRAGMA query_only = ON; PRAGMA cache_size = -4096");
}

static bool is_wal(sqlite3 *db) {
    sqlite3_stmt *s;
    if (!sqlite_prepare(db, &s, "PRAGMA journal_mode")) return false;
    bool yes = sqlite3_step(s) == SQLITE_ROW && slice_is(column_slice(s, 0), "wal");
    sqlite3_finalize(s);
    return yes;
}

static int open_handle(struct log_sqlite *s, const char *path, const char **why) {
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE | SQLITE_OPEN_NOFOLLOW;
    int rc = sqlite3_open_v2(path, &s->db, flags, NULL);
    must(s->db);                                /* else: out of memory */
    if (rc != SQLITE_OK) {
        *why = "log.db cannot be opened";
        return rc == SQLITE_CANTOPEN ? E_NOT_FOUND : sqlite_err(s->db, rc);
    }
    if (!configure(s->db, s->writing)) return sqlite_err(s->db, sqlite3_extended_errcode(s->db));
    if (!is_wal(s->db)) {
        *why = "log.db cannot use a write-ahead log here (network file system?)";
        return E_IO;
    }
    int err = schema_migrate(s->db, s->writing, why);
    if (err != E_OK) return err;
    if (s->writing ? sqlite_write_prepare(s) : sqlite_read_prepare(s)) return E_OK;
    return sqlite_err(s->db, sqlite3_extended_errcode(s->db));
}

static const char *sentence(int err) {
    switch (err) {
    case E_FULL: return "the disk of the data directory is full";
    case E_OVERLOADED: return "another program holds log.db; close it first";
    case E_CORRUPT: return "log.db is damaged; see `covalent verify`";
    default: return "log.db cannot be read or written";
    }
}

int store_sqlite_open(const char *directory, bool writing, struct store **out, const char **why) {
    char path[4096 + 8];
    int n = snprintf(path, sizeof path, "%s/log.db", directory);
    *why = NULL;
    if (n <= 0 || n > 4096) {
        *why = "the path of the data directory is too long";
        return E_INVALID;
    }
    struct log_sqlite *s = calloc(1, sizeof *s);
    must(s);
    *s = (struct log_sqlite){ .base.kind = &kind, .writing = writing, .lock_fd = -1, .sha = sha256_new() };
    if (writing) map_init(&s->rooms);
    int err = writing ? prepare_directory(s, directory, path, why) : E_OK;
    if (err == E_OK) err = open_handle(s, path, why);
    if (err == E_OK) {
        *out = &s->base;
        return E_OK;
    }
    if (!*why) {
        *why = sentence(err);
        log_error("log.open", "reason=\"%s\"", s->db ? sqlite3_errmsg(s->db) : "");
    }
    sqlite_close_handle(&s->base);
    return err;
}
