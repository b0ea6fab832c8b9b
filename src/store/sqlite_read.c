/* sqlite_read.c -- the reading handles of log.db. Owned by the thread that opened them.
 *
 * Invariant (P5): rows are copied out first, at most CHUNK_ROWS at a time, and the transaction is
 * over before the first is handed on. So a slow caller never keeps the writer's WAL from being
 * copied, and nobody has to be interrupted. */
#include <stdlib.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/must.h"
#include "store/sqlite_int.h"

#define N_TEXTS 6               /* the columns of a row that are bytes, from column 4 on */

struct chunk {
    struct row *rows;           /* their slices have a length; the bytes lie one after another */
    size_t n, cap;
    struct buf bytes;
};

bool sqlite_read_prepare(struct log_sqlite *s) {
    return sqlite_prepare(s->db, &s->select_rows,
               "SELECT log.lsn, log.kind, log.cause, log.time_ms, coalesce(room.name, ''),"
               "  coalesce(room.lineage, ''), user, session, message_id, bytes"
               " FROM log LEFT JOIN room ON room.number = log.room"
               " WHERE log.lsn >= ?1 AND log.lsn <= ?2 ORDER BY log.lsn LIMIT ?3") &&
           sqlite_prepare(s->db, &s->select_room,
               "SELECT lineage, first_lsn, deleted_lsn FROM room WHERE number = coalesce("
               "  (SELECT max(number) FROM room WHERE name = ?1),"
               "  (SELECT max(room) FROM alias WHERE name = ?1))") &&
           sqlite_prepare(s->db, &s->select_last,
               "SELECT last_lsn FROM batch ORDER BY first_lsn DESC LIMIT 1");
}

static struct slice *text_of(struct row *row, int i) {
    struct slice *const all[N_TEXTS] = { &row->room, &row->lineage, &row->user, &row->session,
                                         &row->message_id, &row->bytes };
    return all[i];
}

static void add_row(struct chunk *c, sqlite3_stmt *q) {
    struct row *row = &c->rows[c->n++];
    *row = (struct row){
        .lsn = (uint64_t)sqlite3_column_int64(q, 0),
        .kind = (enum row_kind)sqlite3_column_int(q, 1),
        .cause = (enum row_cause)sqlite3_column_int(q, 2),
        .time_ms = (uint64_t)sqlite3_column_int64(q, 3),
    };
    for (int i = 0; i < N_TEXTS; i++) {
        struct slice text = column_slice(q, 4 + i);
        buf_slice(&c->bytes, text);
        text_of(row, i)->len = text.len;
    }
}

/* Rows from lsn `first` to `last`, as many as fit into one chunk: one read transaction. */
static int read_chunk(struct log_sqlite *s, struct chunk *c, uint64_t first, uint64_t last) {
    sqlite3_stmt *q = s->select_rows;
    int rc;
    c->n = 0;
    buf_reset(&c->bytes);
    sqlite3_bind_int64(q, 1, (int64_t)first);
    sqlite3_bind_int64(q, 2, (int64_t)last);
    sqlite3_bind_int64(q, 3, (int64_t)c->cap);
    while ((rc = sqlite3_step(q)) == SQLITE_ROW) {
        if ((uint64_t)sqlite3_column_int64(q, 0) < first) break;    /* a damaged page leads back */
        add_row(c, q);
        first = c->rows[c->n - 1].lsn + 1;
        if (c->n == c->cap || c->bytes.len >= CHUNK_BYTES) break;
    }
    bool full = c->n == c->cap || c->bytes.len >= CHUNK_BYTES;
    int err = rc == SQLITE_DONE || full ? E_OK : rc == SQLITE_ROW ? E_CORRUPT : sqlite_err(s->db, rc);
    sqlite3_reset(q);
    must(!c->bytes.bad);
    return err;
}

static int hand_on(struct chunk *c, store_on_row *on_row, void *ctx) {
    const uint8_t *at = c->bytes.at;
    for (size_t i = 0; i < c->n; i++) {
        for (int t = 0; t < N_TEXTS; t++) {
            struct slice *text = text_of(&c->rows[i], t);
            text->at = at;
            at += text->len;
        }
        int err = on_row(ctx, &c->rows[i]);
        if (err != E_OK) return err;
    }
    return E_OK;
}

static int each_row(struct log_sqlite *s, uint64_t first, uint64_t last, size_t rows_max,
                    store_on_row *on_row, void *ctx) {
    struct chunk c = { .cap = rows_max < CHUNK_ROWS ? rows_max : CHUNK_ROWS };
    int err = E_OK;
    if (!c.cap) return E_OK;
    c.rows = malloc(c.cap * sizeof *c.rows);
    must(c.rows);
    buf_init(&c.bytes, SIZE_MAX / 2);           /* what is in the log was within limits.h */
    while (rows_max) {
        if (c.cap > rows_max) c.cap = rows_max;
        err = read_chunk(s, &c, first, last);
        if (err != E_OK || !c.n) break;
        rows_max -= c.n;
        first = c.rows[c.n - 1].lsn + 1;
        err = hand_on(&c, on_row, ctx);
        if (err != E_OK) break;
    }
    free(c.rows);
    buf_deinit(&c.bytes);
    return err;
}

int sqlite_follow(struct store *base, uint64_t after_lsn, size_t rows_max, store_on_row *on_row, void *ctx) {
    struct log_sqlite *s = (struct log_sqlite *)base;
    must(!s->writing);
    if (after_lsn >= INT64_MAX) return E_OK;
    return each_row(s, after_lsn + 1, INT64_MAX, rows_max, on_row, ctx);
}

struct one { store_on_row *on_row; void *ctx; bool found; };

static int on_one(void *ctx, const struct row *row) {
    struct one *one = ctx;
    one->found = true;
    return one->on_row(one->ctx, row);
}

int sqlite_read(struct store *base, uint64_t lsn, store_on_row *on_row, void *ctx) {
    struct log_sqlite *s = (struct log_sqlite *)base;
    struct one one = { on_row, ctx, false };
    must(!s->writing);
    if (lsn > INT64_MAX) return E_NOT_FOUND;
    int err = each_row(s, lsn, lsn, 1, on_one, &one);
    return err == E_OK && !one.found ? E_NOT_FOUND : err;
}

int sqlite_room_state(struct store *base, struct slice room, struct room_state *out) {
    struct log_sqlite *s = (struct log_sqlite *)base;
    sqlite3_stmt *q = s->select_room;
    must(!s->writing);
    *out = (struct room_state){ 0 };
    bind_slice(q, 1, room);
    int rc = sqlite3_step(q);
    if (rc == SQLITE_ROW) {
        struct slice lineage = column_slice(q, 0);
        out->exists = true;
        if (lineage.len <= LINEAGE_LEN) memcpy(out->lineage, lineage.at, lineage.len);
        out->first_lsn = (uint64_t)sqlite3_column_int64(q, 1);
        out->deleted = sqlite3_column_int64(q, 2) != 0;
    }
    int err = rc == SQLITE_ROW || rc == SQLITE_DONE ? E_OK : sqlite_err(s->db, rc);
    sqlite3_reset(q);
    return err;
}

int sqlite_last_lsn(struct store *base, uint64_t *out) {
    struct log_sqlite *s = (struct log_sqlite *)base;
    must(!s->writing);
    int rc = sqlite3_step(s->select_last);
    *out = rc == SQLITE_ROW ? (uint64_t)sqlite3_column_int64(s->select_last, 0) : 0;
    int err = rc == SQLITE_ROW || rc == SQLITE_DONE ? E_OK : sqlite_err(s->db, rc);
    sqlite3_reset(s->select_last);
    return err;
}
