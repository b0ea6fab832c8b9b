/* verify.c -- recomputes the hashes of everything in log.db and says what does not match.
 *
 * Walks batch by batch, each in short read transactions, so it may run beside a live server. What
 * one problem hides is kept small: after a wrong hash the walk goes on with the stored one, after
 * an unreadable row with the next. */
#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/must.h"
#include "store/sqlite_int.h"

struct room_seen { uint64_t first_lsn, deleted_lsn; };     /* what its rows say */

struct batch {
    uint64_t first, last;
    uint8_t hash[SHA256_BYTES];
    uint8_t *row_hashes;
    size_t n;                   /* hashes in row_hashes */
};

struct walk {
    struct log_sqlite *s;
    void (*on_problem)(void *ctx, uint64_t lsn, const char *what);
    void *ctx;
    struct store_verified *out;
    sqlite3_stmt *batches, *rows, *rooms;
    uint8_t chain[SHA256_BYTES];
    uint64_t last_lsn;          /* of the batches so far */
    struct room_seen *seen;     /* by room number */
    size_t seen_cap;
};

static void problem(struct walk *w, uint64_t lsn, const char *what) {
    w->out->problems++;
    if (w->on_problem) w->on_problem(w->ctx, lsn, what);
}

static void unreadable(struct walk *w, uint64_t lsn, const char *what) {
    char text[256];
    snprintf(text, sizeof text, "%s cannot be read: %s", what, sqlite3_errmsg(w->s->db));
    problem(w, lsn, text);
}

static bool prepare(struct walk *w) {
    sqlite3 *db = w->s->db;
    return sqlite_prepare(db, &w->batches, "SELECT first_lsn, last_lsn, row_hashes, hash FROM batch"
                                           " WHERE first_lsn > ?1 ORDER BY first_lsn LIMIT 1") &&
           sqlite_prepare(db, &w->rows,
               "SELECT lsn, log.room, kind, cause, time_ms, coalesce((SELECT name FROM alias"
               "    WHERE alias.room = log.room AND until_lsn >= lsn ORDER BY until_lsn LIMIT 1),"
               "    room.name, ''),"
               "  coalesce(room.lineage, ''), user, session, message_id, bytes"
               " FROM log LEFT JOIN room ON room.number = log.room"
               " WHERE lsn BETWEEN ?1 AND ?2 ORDER BY lsn") &&
           sqlite_prepare(db, &w->rooms,
               "SELECT number, first_lsn, deleted_lsn FROM room ORDER BY number");
}

static void finalize(struct walk *w) {
    sqlite3_finalize(w->batches);
    sqlite3_finalize(w->rows);
    sqlite3_finalize(w->rooms);
    free(w->seen);
}

/* ---- rows ---------------------------------------------------------------------------------- */

static struct room_seen *seen_room(struct walk *w, uint64_t number) {
    if (number >= w->seen_cap) {
        size_t cap = w->seen_cap ? w->seen_cap : 64;
        while (cap <= number) cap *= 2;
        w->seen = realloc(w->seen, cap * sizeof *w->seen);
        must(w->seen);
        memset(w->seen + w->seen_cap, 0, (cap - w->seen_cap) * sizeof *w->seen);
        w->seen_cap = cap;
    }
    return &w->seen[number];
}

static void note_room(struct walk *w, const struct row *row, int64_t number) {
    if (number == 0) return;
    /* Numbers are given out one by one: a room more needs a row more. */
    if (number < 0 || (uint64_t)number > w->out->rows + w->out->problems) {
        problem(w, row->lsn, "the row names a room that cannot exist");
        return;
    }
    struct room_seen *r = seen_room(w, (uint64_t)number);
    if (!r->first_lsn) r->first_lsn = row->lsn;
    r->deleted_lsn = row->kind == ROW_DELETE ? row->lsn : 0;
}

static void check_row(struct walk *w, const struct batch *b, uint64_t lsn) {
    sqlite3_stmt *q = w->rows;
    uint8_t hash[SHA256_BYTES];
    struct row row = {
        .lsn = lsn, .kind = (enum row_kind)sqlite3_column_int64(q, 2),
        .cause = (enum row_cause)sqlite3_column_int64(q, 3),
        .time_ms = (uint64_t)sqlite3_column_int64(q, 4),
        .room = column_slice(q, 5), .lineage = column_slice(q, 6), .user = column_slice(q, 7),
        .session = column_slice(q, 8), .message_id = column_slice(q, 9), .bytes = column_slice(q, 10),
    };
    w->out->rows++;
    row_hash(w->s->sha, &row, hash);
    if (lsn - b->first < b->n &&
        memcmp(hash, b->row_hashes + SHA256_BYTES * (lsn - b->first), SHA256_BYTES) != 0)
        problem(w, lsn, "the row does not match its hash");
    note_room(w, &row, sqlite3_column_int64(q, 1));
}

/* The rows of a batch from `next` on, until one cannot be read. Returns the first not looked at. */
static uint64_t check_rows_from(struct walk *w, const struct batch *b, uint64_t next) {
    int rc;
    sqlite3_bind_int64(w->rows, 1, (int64_t)next);
    sqlite3_bind_int64(w->rows, 2, (int64_t)b->last);
    while ((rc = sqlite3_step(w->rows)) == SQLITE_ROW) {
        uint64_t lsn = (uint64_t)sqlite3_column_int64(w->rows, 0);
        if (lsn < next || lsn > b->last) break;         /* a damaged page: not even in order */
        for (; next < lsn; next++) problem(w, next, "the row is missing");
        check_row(w, b, lsn);
        next = lsn + 1;
    }
    if (rc == SQLITE_DONE) {
        for (; next <= b->last; next++) problem(w, next, "the row is missing");
    } else {
        unreadable(w, next, "the row");
        next++;
    }
    sqlite3_reset(w->rows);
    return next;
}

/* ---- batches ------------------------------------------------------------------------------- */

/* E_OK, E_NOT_FOUND: no more, or E_CORRUPT: reported. */
static int next_batch(struct walk *w, struct batch *b) {
    sqlite3_stmt *q = w->batches;
    sqlite3_bind_int64(q, 1, (int64_t)w->last_lsn);
    int rc = sqlite3_step(q), err = E_OK;
    if (rc == SQLITE_ROW) {
        struct slice hashes = column_slice(q, 2), hash = column_slice(q, 3);
        *b = (struct batch){ .first = (uint64_t)sqlite3_column_int64(q, 0),
                             .last = (uint64_t)sqlite3_column_int64(q, 1),
                             .n = hashes.len / SHA256_BYTES };
        b->row_hashes = malloc(hashes.len + 1);
        must(b->row_hashes);
        if (hashes.len) memcpy(b->row_hashes, hashes.at, hashes.len);
        if (hash.len == SHA256_BYTES) memcpy(b->hash, hash.at, SHA256_BYTES);
    } else if (rc == SQLITE_DONE) {
        err = E_NOT_FOUND;
    } else {
        unreadable(w, w->last_lsn + 1, "the batch after the last good one");
        err = E_CORRUPT;
    }
    sqlite3_reset(q);
    return err;
}

static void check_batch(struct walk *w, struct batch *b) {
    uint8_t hash[SHA256_BYTES];
    struct slice hashes = { b->row_hashes, b->n * SHA256_BYTES };
    w->out->batches++;
    if (b->first != w->last_lsn + 1) problem(w, b->first, "a batch is missing before this row");
    if (b->n == 0 || b->last != b->first + b->n - 1) {
        problem(w, b->first, "the batch of this row has a wrong length");
        b->last = b->first + (b->n ? b->n - 1 : 0);
    }
    batch_hash(w->s->sha, w->chain, b->first, hashes, hash);
    if (memcmp(hash, b->hash, SHA256_BYTES) != 0)
        problem(w, b->first, "the batch of this row does not match the hash chain");
    memcpy(w->chain, b->hash, SHA256_BYTES);
    for (uint64_t next = b->first; next <= b->last;) next = check_rows_from(w, b, next);
    w->last_lsn = b->last;
}

/* ---- the rest ------------------------------------------------------------------------------ */

static void check_no_row(struct walk *w, int64_t from, int64_t to) {
    sqlite3_bind_int64(w->rows, 1, from);
    sqlite3_bind_int64(w->rows, 2, to);
    int rc = sqlite3_step(w->rows);
    if (rc == SQLITE_ROW)
        problem(w, (uint64_t)sqlite3_column_int64(w->rows, 0), "the row belongs to no batch");
    else if (rc != SQLITE_DONE)
        unreadable(w, w->last_lsn + 1, "the end of the log");
    sqlite3_reset(w->rows);
}

static void check_rooms(struct walk *w) {
    uint64_t expected = 1;
    int rc;
    while ((rc = sqlite3_step(w->rooms)) == SQLITE_ROW) {
        uint64_t number = (uint64_t)sqlite3_column_int64(w->rooms, 0);
        uint64_t first = (uint64_t)sqlite3_column_int64(w->rooms, 1);
        uint64_t deleted = (uint64_t)sqlite3_column_int64(w->rooms, 2);
        struct room_seen none = { 0 };
        struct room_seen *r = number < w->seen_cap ? &w->seen[number] : &none;
        w->out->rooms++;
        if (number != expected) problem(w, first, "a room is missing before the room of this row");
        if (r->first_lsn != first) problem(w, first, "the room does not begin at this row");
        if (r->deleted_lsn != deleted) problem(w, first, "the room's deletion is not what its rows say");
        expected = number + 1;
    }
    if (rc != SQLITE_DONE) unreadable(w, 0, "the rooms");
    sqlite3_reset(w->rooms);
    if (expected < w->seen_cap && w->seen[expected].first_lsn)
        problem(w, w->seen[expected].first_lsn, "the room of this row is missing");
}

/* Rows are found by number; rooms by name as well, through an index. */
static void check_tables(struct walk *w) {
    const char *const checks[] = { "PRAGMA integrity_check(room)", "PRAGMA integrity_check(alias)" };
    for (size_t i = 0; i < sizeof checks / sizeof checks[0]; i++) {
        sqlite3_stmt *q;
        if (!sqlite_prepare(w->s->db, &q, checks[i])) {
            unreadable(w, 0, "a table");
            continue;
        }
        int rc;
        while ((rc = sqlite3_step(q)) == SQLITE_ROW)
            if (!slice_is(column_slice(q, 0), "ok")) problem(w, 0, (const char *)sqlite3_column_text(q, 0));
        if (rc != SQLITE_DONE) unreadable(w, 0, "a table");
        sqlite3_finalize(q);
    }
}

int store_verify(struct store *base, void (*on_problem)(void *ctx, uint64_t lsn, const char *what),
                 void *ctx, struct store_verified *out) {
    struct walk w = { .s = (struct log_sqlite *)base, .on_problem = on_problem, .ctx = ctx, .out = out };
    struct batch b;
    int err;

    must(!w.s->writing);
    *out = (struct store_verified){ 0 };
    if (!prepare(&w)) {
        unreadable(&w, 0, "log.db");
    } else {
        while ((err = next_batch(&w, &b)) == E_OK) {
            check_batch(&w, &b);
            free(b.row_hashes);
        }
        check_no_row(&w, INT64_MIN, 0);
        if (err == E_NOT_FOUND) check_no_row(&w, (int64_t)w.last_lsn + 1, INT64_MAX);
        check_rooms(&w);
        check_tables(&w);
    }
    finalize(&w);
    return out->problems ? E_CORRUPT : E_OK;
}
