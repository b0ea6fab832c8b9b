/* index_room.c -- the rows that make a room's document: snapshot, rows known to the index, and the
 * log's tail beyond the cursor. Any handle; what the three sources say is one consistent whole because
 * cursor, snapshot and row numbers come from one read transaction and log rows never change.
 *
 * A snapshot is only a shortcut: all rows stay in the log and in room_row, so a snapshot whose sum is
 * wrong is left aside. */
#include <stdlib.h>
#include <zlib.h>

#include "base/err.h"
#include "base/log.h"
#include "base/must.h"
#include "store/index_int.h"

#define ROWS_AT_ONCE 2000       /* P5: a read transaction's length */

typedef int on_snapshot_fn(void *ctx, struct slice bytes, uint64_t lsn);

struct load {
    struct index *index;
    struct store *log;
    struct slice room;
    uint64_t from, upto;        /* rows wanted, inclusive */
    uint64_t cursor;            /* the index's */
    uint64_t *lsns;
    size_t n, cap;
    uint64_t seen;              /* of the tail */
    size_t n_seen;
    store_on_row *on_row;
    void *ctx;
};

static void add_lsn(struct load *l, uint64_t lsn) {
    if (l->n == l->cap) {
        l->cap = l->cap ? l->cap * 2 : 64;
        l->lsns = realloc(l->lsns, l->cap * sizeof *l->lsns);
        must(l->lsns != NULL);
    }
    l->lsns[l->n++] = lsn;
}

/* on_snapshot may be called; l->from moves behind it. */
static int read_snapshot(struct load *l, on_snapshot_fn *on_snapshot) {
    sqlite3_stmt *s = index_sql(l->index, SQL_GET_SNAPSHOT);
    int e = E_OK;

    if (s == NULL) return E_IO;
    index_bind(s, 1, l->room);
    sqlite3_bind_int64(s, 2, (sqlite3_int64)l->from);
    sqlite3_bind_int64(s, 3, l->upto > INT64_MAX ? INT64_MAX : (sqlite3_int64)l->upto);
    int rc = sqlite3_step(s);
    if (rc == SQLITE_ROW) {
        uint64_t lsn = (uint64_t)sqlite3_column_int64(s, 0);
        struct slice bytes = index_column(s, 2);
        if (crc32_z(0, bytes.at, bytes.len) == (uint64_t)sqlite3_column_int64(s, 1)) {
            e = on_snapshot(l->ctx, bytes, lsn);
            l->from = lsn + 1;
        } else {
            log_warn("index.snapshot", "room=%.*s why=\"its sum is wrong: not used\"", SLICE_ARG(l->room));
        }
    }
    sqlite3_reset(s);
    return e != E_OK ? e : index_error(l->index, rc);
}

static int read_row_numbers(struct load *l) {
    sqlite3_stmt *s = index_sql(l->index, SQL_ROOM_ROWS);
    int rc;

    if (s == NULL) return E_IO;
    index_bind(s, 1, l->room);
    sqlite3_bind_int64(s, 2, (sqlite3_int64)l->from);
    sqlite3_bind_int64(s, 3, (sqlite3_int64)(l->upto < l->cursor ? l->upto : l->cursor));
    while ((rc = sqlite3_step(s)) == SQLITE_ROW) add_lsn(l, (uint64_t)sqlite3_column_int64(s, 0));
    sqlite3_reset(s);
    return index_error(l->index, rc);
}

static int read_index(struct load *l, on_snapshot_fn *on_snapshot) {
    bool own = sqlite3_get_autocommit(l->index->db);     /* the projector may be inside a transaction */

    if (own) {
        int e = index_step(l->index, index_sql(l->index, SQL_BEGIN_READ));
        if (e != E_OK) return e;
    }
    int e = index_cursor(l->index, &l->cursor);
    if (e == E_OK) e = read_snapshot(l, on_snapshot);
    if (e == E_OK) e = read_row_numbers(l);
    if (own) index_step(l->index, index_sql(l->index, SQL_COMMIT));
    return e;
}

static int wanted(struct load *l, const struct row *row) {
    if (row->kind != ROW_IMPORT && row->kind != ROW_UPDATE) return E_OK;
    return l->on_row(l->ctx, row);
}

static int on_known(void *ctx, const struct row *row) { return wanted(ctx, row); }

static int on_tail(void *ctx, const struct row *row) {
    struct load *l = ctx;

    l->seen = row->lsn;
    l->n_seen++;
    if (row->lsn < l->from || row->lsn > l->upto || !slice_eq(row->room, l->room)) return E_OK;
    return wanted(l, row);
}

static int read_tail(struct load *l) {
    l->seen = l->cursor;
    do {
        l->n_seen = 0;
        int e = l->log->kind->follow(l->log, l->seen, ROWS_AT_ONCE, on_tail, l);
        if (e != E_OK) return e;
    } while (l->n_seen > 0 && l->seen < l->upto);
    return E_OK;
}

int index_load_room_upto(struct index *x, struct store *log, struct slice room, uint64_t upto,
                         on_snapshot_fn *on_snapshot, store_on_row *on_row, void *ctx) {
    struct room_state state;
    int e = log->kind->room_state(log, room, &state);

    if (e == E_NOT_FOUND || (e == E_OK && !state.exists)) return E_OK;
    if (e != E_OK) return e;

    struct load l = { .index = x, .log = log, .room = room, .from = state.first_lsn, .upto = upto,
                      .on_row = on_row, .ctx = ctx };
    e = read_index(&l, on_snapshot);
    for (size_t i = 0; e == E_OK && i < l.n; i++) e = log->kind->read(log, l.lsns[i], on_known, &l);
    free(l.lsns);
    return e != E_OK || upto <= l.cursor ? e : read_tail(&l);
}

int index_load_room(struct index *x, struct store *log, struct slice room,
                    on_snapshot_fn *on_snapshot, store_on_row *on_row, void *ctx) {
    return index_load_room_upto(x, log, room, UINT64_MAX, on_snapshot, on_row, ctx);
}
