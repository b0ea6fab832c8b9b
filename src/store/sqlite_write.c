/* sqlite_write.c -- the writing handle of log.db: append, commit, checkpoint. Writer thread.
 *
 * A commit is one transaction: the rows, new rooms, and one batch row that carries the hash chain
 * (P4). Invariant: between commits no transaction is open, `lsn` and `chain` are what is on disk. */
#include <stdlib.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/must.h"
#include "store/sqlite_int.h"

#define CHECKPOINT_FRAMES 4096          /* pages: at 16 MiB of WAL it is copied between two commits */
#define WAL_FRAMES_MAX (64 * 256)       /* 64 MiB: somebody's read transaction holds it back (P5) */
#define PROBE_BYTES (64 * 1024)         /* space that must be there before a full disk counts as freed */

static int on_wal(void *ctx, sqlite3 *db, const char *name, int frames) {
    struct log_sqlite *s = ctx;
    (void)db, (void)name;
    s->wal_frames = frames;
    return SQLITE_OK;
}

static bool load_last_batch(struct log_sqlite *s) {
    sqlite3_stmt *q;
    if (!sqlite_prepare(s->db, &q, "SELECT last_lsn, hash FROM batch ORDER BY first_lsn DESC LIMIT 1"))
        return false;
    int rc = sqlite3_step(q);
    if (rc == SQLITE_ROW) {
        struct slice hash = column_slice(q, 1);
        s->lsn = (uint64_t)sqlite3_column_int64(q, 0);
        if (hash.len == SHA256_BYTES) memcpy(s->chain, hash.at, SHA256_BYTES);   /* else verify tells */
    }
    sqlite3_finalize(q);
    return rc == SQLITE_ROW || rc == SQLITE_DONE;
}

bool sqlite_write_prepare(struct log_sqlite *s) {
    const struct { sqlite3_stmt **to; const char *sql; } all[] = {
        { &s->begin, "BEGIN IMMEDIATE" },
        { &s->commit, "COMMIT" },
        { &s->rollback, "ROLLBACK" },
        { &s->insert_row, "INSERT INTO log (lsn, room, kind, cause, time_ms, user, session, message_id, bytes)"
                          " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)" },
        { &s->insert_batch, "INSERT INTO batch (first_lsn, last_lsn, row_hashes, hash) VALUES (?1, ?2, ?3, ?4)" },
        { &s->insert_room, "INSERT INTO room (name, lineage, first_lsn) VALUES (?1, ?2, ?3)" },
        { &s->find_room, "SELECT number, lineage, deleted_lsn FROM room WHERE name = ?1"
                         " ORDER BY number DESC LIMIT 1" },
        { &s->set_deleted, "UPDATE room SET deleted_lsn = ?2 WHERE number = ?1" },
        { &s->insert_probe, "INSERT INTO probe (id, bytes) VALUES (1, randomblob(?1))" },
        { &s->delete_probe, "DELETE FROM probe" },
    };
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        if (!sqlite_prepare(s->db, all[i].to, all[i].sql)) return false;
    sqlite3_wal_hook(s->db, on_wal, s);
    return load_last_batch(s);
}

/* Steps a statement without results and makes it ready for the next time. */
static int run_stmt(struct log_sqlite *s, sqlite3_stmt *q) {
    int rc = sqlite3_step(q);
    int err = rc == SQLITE_DONE ? E_OK : sqlite_err(s->db, sqlite3_extended_errcode(s->db));
    sqlite3_reset(q);
    return err;
}

/* ---- rooms --------------------------------------------------------------------------------- */

void sqlite_forget_rooms(struct log_sqlite *s) {
    for (size_t i = 0; i < s->rooms.cap; i++)
        if (s->rooms.entries[i].key.at) free(s->rooms.entries[i].value);
    map_deinit(&s->rooms);
    map_init(&s->rooms);
}

static struct room_ref *keep_room(struct log_sqlite *s, struct slice name, int64_t number, struct slice lineage) {
    if (s->rooms.n >= ROOMS_CACHED) sqlite_forget_rooms(s);
    struct room_ref *r = calloc(1, sizeof *r + name.len);
    must(r && lineage.len == LINEAGE_LEN);
    r->number = number;
    r->len = name.len;
    memcpy(r->name, name.at, name.len);
    memcpy(r->lineage, lineage.at, LINEAGE_LEN);
    struct slice key = { r->name, r->len };
    free(map_remove(&s->rooms, key));           /* a new lineage takes the place of the old one */
    map_put(&s->rooms, key, r);
    return r;
}

/* *out is NULL where the log has no such room. */
static int find_room(struct log_sqlite *s, struct slice name, struct room_ref **out) {
    *out = map_get(&s->rooms, name);
    if (*out) return E_OK;
    bind_slice(s->find_room, 1, name);
    int rc = sqlite3_step(s->find_room), err = E_OK;
    if (rc == SQLITE_ROW && column_slice(s->find_room, 1).len != LINEAGE_LEN) {
        err = E_CORRUPT;
    } else if (rc == SQLITE_ROW) {
        *out = keep_room(s, name, sqlite3_column_int64(s->find_room, 0), column_slice(s->find_room, 1));
        (*out)->deleted = sqlite3_column_int64(s->find_room, 2) != 0;
    } else if (rc != SQLITE_DONE) {
        err = sqlite_err(s->db, rc);
    }
    sqlite3_reset(s->find_room);
    return err;
}

static int new_lineage(struct log_sqlite *s, const struct row *row, struct room_ref **out) {
    bind_slice(s->insert_room, 1, row->room);
    bind_slice(s->insert_room, 2, row->lineage);
    sqlite3_bind_int64(s->insert_room, 3, (int64_t)row->lsn);
    int err = run_stmt(s, s->insert_room);
    if (err == E_OK) *out = keep_room(s, row->room, sqlite3_last_insert_rowid(s->db), row->lineage);
    return err;
}

static int set_deleted(struct log_sqlite *s, struct room_ref *r, uint64_t lsn) {
    sqlite3_bind_int64(s->set_deleted, 1, r->number);
    sqlite3_bind_int64(s->set_deleted, 2, (int64_t)lsn);
    int err = run_stmt(s, s->set_deleted);
    if (err == E_OK) r->deleted = lsn != 0;
    return err;
}

/* The number and lineage a row goes under. A room that was deleted begins anew with the lineage
 * the row brings; with the lineage it had, it is restored (D1). */
static int room_of(struct log_sqlite *s, const struct row *row, struct room_ref **out) {
    int err = find_room(s, row->room, out);
    if (err != E_OK) return err;
    struct room_ref *r = *out;
    bool anew = !r || (r->deleted && !slice_eq(row->lineage, slice_of(r->lineage)));
    if (anew && (err = new_lineage(s, row, out)) != E_OK) return err;
    r = *out;
    if (row->kind == ROW_DELETE) return set_deleted(s, r, row->lsn);
    return r->deleted ? set_deleted(s, r, 0) : E_OK;
}

/* ---- append, commit ------------------------------------------------------------------------ */

static uint8_t *next_hash(struct pending *p) {
    if (p->n == p->cap) {
        p->cap = p->cap ? p->cap * 2 : 64;
        p->hashes = realloc(p->hashes, p->cap * SHA256_BYTES);
        must(p->hashes);
    }
    return p->hashes + SHA256_BYTES * p->n++;
}

static int insert_row(struct log_sqlite *s, const struct row *row, int64_t number) {
    sqlite3_stmt *q = s->insert_row;
    sqlite3_bind_int64(q, 1, (int64_t)row->lsn);
    sqlite3_bind_int64(q, 2, number);
    sqlite3_bind_int(q, 3, (int)row->kind);
    sqlite3_bind_int(q, 4, (int)row->cause);
    sqlite3_bind_int64(q, 5, (int64_t)row->time_ms);
    bind_slice(q, 6, row->user);
    bind_slice(q, 7, row->session);
    bind_slice(q, 8, row->message_id);
    const void *bytes = row->bytes.len ? row->bytes.at : (const uint8_t *)"";
    must(sqlite3_bind_blob64(q, 9, bytes, row->bytes.len, SQLITE_STATIC) == SQLITE_OK);
    return run_stmt(s, q);
}

static int append(struct log_sqlite *s, const struct row *given) {
    struct row row = *given;
    struct room_ref *room = NULL;
    int err = E_OK;

    must(!row.room.len || row.lineage.len == LINEAGE_LEN);
    if (!s->pending.is_open && (err = run_stmt(s, s->begin)) != E_OK) return err;
    s->pending.is_open = true;
    row.lsn = s->lsn + s->pending.n + 1;
    if (row.room.len && (err = room_of(s, &row, &room)) != E_OK) return err;
    if ((err = insert_row(s, &row, room ? room->number : 0)) != E_OK) return err;
    row.lineage = room ? slice_of(room->lineage) : (struct slice){ 0 };
    row_hash(s->sha, &row, next_hash(&s->pending));
    return E_OK;
}

int sqlite_append(struct store *base, const struct row *row) {
    struct log_sqlite *s = (struct log_sqlite *)base;
    must(s->writing);
    if (s->pending.err == E_OK) s->pending.err = append(s, row);
    return s->pending.err;
}

/* SQLite may have rolled back by itself after the error; then there is nothing left to do. */
static void roll_back(struct log_sqlite *s) {
    if (!sqlite3_get_autocommit(s->db)) run_stmt(s, s->rollback);
    must(sqlite3_get_autocommit(s->db));
    sqlite_forget_rooms(s);                     /* it may know rooms that do not exist now */
}

static int commit_batch(struct log_sqlite *s, uint8_t chain[SHA256_BYTES]) {
    uint64_t first = s->lsn + 1, last = s->lsn + s->pending.n;
    struct slice hashes = { s->pending.hashes, s->pending.n * SHA256_BYTES };
    sqlite3_stmt *q = s->insert_batch;

    batch_hash(s->sha, s->chain, first, hashes, chain);
    sqlite3_bind_int64(q, 1, (int64_t)first);
    sqlite3_bind_int64(q, 2, (int64_t)last);
    must(sqlite3_bind_blob64(q, 3, hashes.at, hashes.len, SQLITE_STATIC) == SQLITE_OK);
    must(sqlite3_bind_blob64(q, 4, chain, SHA256_BYTES, SQLITE_STATIC) == SQLITE_OK);
    int err = run_stmt(s, q);
    return err == E_OK ? run_stmt(s, s->commit) : err;
}

int sqlite_commit(struct store *base, uint64_t *last_lsn) {
    struct log_sqlite *s = (struct log_sqlite *)base;
    uint8_t chain[SHA256_BYTES];
    int err = s->pending.err;

    must(s->writing);
    if (err == E_OK && s->pending.is_open) {
        err = commit_batch(s, chain);
        if (err == E_OK) {
            s->lsn += s->pending.n;
            memcpy(s->chain, chain, SHA256_BYTES);
        }
    }
    if (err != E_OK) roll_back(s);
    s->pending.is_open = false;
    s->pending.err = E_OK;
    s->pending.n = 0;
    *last_lsn = s->lsn;
    return err;
}

/* ---- space --------------------------------------------------------------------------------- */

/* Two commits: the bytes are written out (and not just a freed page), then they are gone again. */
int sqlite_probe(struct store *base) {
    struct log_sqlite *s = (struct log_sqlite *)base;
    must(s->writing && !s->pending.is_open);
    int err = run_stmt(s, s->delete_probe);
    sqlite3_bind_int(s->insert_probe, 1, PROBE_BYTES);
    if (err == E_OK) err = run_stmt(s, s->insert_probe);
    if (err == E_OK) err = run_stmt(s, s->delete_probe);
    if (err != E_OK) roll_back(s);
    return err;
}

/* A copy stands only when the call succeeded and every frame was copied: SQLite answers OK as well
 * when a reader kept it from copying some. */
static int copy_wal(struct log_sqlite *s, int mode, bool *complete) {
    int frames = 0, copied = 0;
    int rc = sqlite3_wal_checkpoint_v2(s->db, NULL, mode, &frames, &copied);
    *complete = rc == SQLITE_OK && frames == copied;
    if (rc == SQLITE_OK || (rc & 0xff) == SQLITE_BUSY) return E_OK;
    return sqlite_err(s->db, sqlite3_extended_errcode(s->db));
}

int sqlite_checkpoint(struct store *base, bool idle) {
    struct log_sqlite *s = (struct log_sqlite *)base;
    bool complete;

    must(s->writing && !s->pending.is_open);
    if (s->wal_frames < (idle ? 1 : CHECKPOINT_FRAMES)) return E_OK;
    int err = copy_wal(s, SQLITE_CHECKPOINT_PASSIVE, &complete);
    if (err != E_OK) return err;
    if (!complete) {
        if (s->wal_frames > WAL_FRAMES_MAX && log_gate_opens(&s->gate, clock_mono_ms()))
            log_warn("log.wal_large", "pages=%d reason=\"a reader holds an old state of log.db\"", s->wal_frames);
        return E_OK;
    }
    if (!idle) {
        s->wal_frames = 0;      /* the next commit begins the WAL anew, at its start */
        return E_OK;
    }
    err = copy_wal(s, SQLITE_CHECKPOINT_TRUNCATE, &complete);
    if (err == E_OK && complete) s->wal_frames = 0;
    return err;
}
