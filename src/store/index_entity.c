/* index_entity.c -- the index's tables of files: entities, the versions we wrote (F2), problems. */
#include "base/err.h"
#include "base/must.h"
#include "store/index_int.h"

/* ---- entities ----------------------------------------------------------------------------------- */

int index_put_entity(struct index *x, const struct entity_row *row) {
    sqlite3_stmt *s = index_sql(x, SQL_PUT_ENTITY);

    must(row->path.len > 0);
    if (s == NULL) return E_IO;
    index_bind(s, 1, row->path);
    index_bind(s, 2, row->kind);
    index_bind(s, 3, row->id);
    sqlite3_bind_int(s, 4, row->state);
    index_bind_blob(s, 5, (struct slice){ row->hash, sizeof row->hash });
    sqlite3_bind_int64(s, 6, (sqlite3_int64)row->mtime_ns);
    sqlite3_bind_int64(s, 7, (sqlite3_int64)row->size);
    index_bind(s, 8, row->type);
    index_bind(s, 9, row->json);
    index_bind(s, 10, row->summary);
    sqlite3_bind_int64(s, 11, (sqlite3_int64)row->lsn);
    sqlite3_bind_int64(s, 12, (sqlite3_int64)row->file_lsn);
    index_bind(s, 13, row->by);
    sqlite3_bind_int64(s, 14, (sqlite3_int64)row->at_ms);
    return index_step(x, s);
}

int index_touch_entity(struct index *x, const struct entity_row *row) {
    sqlite3_stmt *s = index_sql(x, SQL_TOUCH_ENTITY);

    if (s == NULL) return E_IO;
    index_bind(s, 1, row->path);
    sqlite3_bind_int(s, 2, row->state);
    index_bind_blob(s, 3, (struct slice){ row->hash, sizeof row->hash });
    sqlite3_bind_int64(s, 4, (sqlite3_int64)row->mtime_ns);
    sqlite3_bind_int64(s, 5, (sqlite3_int64)row->size);
    sqlite3_bind_int64(s, 6, (sqlite3_int64)row->lsn);
    sqlite3_bind_int64(s, 7, (sqlite3_int64)row->file_lsn);
    index_bind(s, 8, row->by);
    sqlite3_bind_int64(s, 9, (sqlite3_int64)row->at_ms);
    return index_step(x, s);
}

int index_remove_entity(struct index *x, struct slice path) {
    sqlite3_stmt *s = index_sql(x, SQL_REMOVE_ENTITY);
    index_bind(s, 1, path);
    return index_step(x, s);
}

static void copy_hash(uint8_t to[32], struct slice from) {
    memset(to, 0, 32);
    if (from.len == 32) memcpy(to, from.at, 32);
}

/* The columns of INDEX_ENTITY, then json, summary. */
static void read_entity(sqlite3_stmt *s, struct entity_row *row) {
    *row = (struct entity_row){
        .path = index_column(s, 0), .kind = index_column(s, 1), .id = index_column(s, 2),
        .state = (enum entity_state)sqlite3_column_int(s, 3),
        .mtime_ns = (uint64_t)sqlite3_column_int64(s, 5), .size = (uint64_t)sqlite3_column_int64(s, 6),
        .type = index_column(s, 7),
        .lsn = (uint64_t)sqlite3_column_int64(s, 8), .file_lsn = (uint64_t)sqlite3_column_int64(s, 9),
        .by = index_column(s, 10), .at_ms = (uint64_t)sqlite3_column_int64(s, 11),
        .json = index_column(s, 12), .summary = index_column(s, 13),
    };
    copy_hash(row->hash, index_column(s, 4));
}

static int each_entity(struct index *x, sqlite3_stmt *s, index_on_entity *on_row, void *ctx) {
    struct entity_row row;
    int rc, e = E_OK;

    if (s == NULL) return E_IO;
    while (e == E_OK && (rc = sqlite3_step(s)) == SQLITE_ROW) {
        read_entity(s, &row);
        e = on_row(ctx, &row);
    }
    sqlite3_reset(s);
    return e != E_OK ? e : index_error(x, rc);
}

struct once { index_on_entity *on_row; void *ctx; bool found; };

static int on_once(void *ctx, const struct entity_row *row) {
    struct once *o = ctx;
    o->found = true;
    return o->on_row(o->ctx, row);
}

static int one_entity(struct index *x, sqlite3_stmt *s, index_on_entity *on_row, void *ctx) {
    struct once once = { on_row, ctx, false };
    int e = each_entity(x, s, on_once, &once);
    return e == E_OK && !once.found ? E_NOT_FOUND : e;
}

int index_entity(struct index *x, struct slice kind, struct slice id, index_on_entity *on_row, void *ctx) {
    sqlite3_stmt *s = index_sql(x, SQL_GET_ENTITY);
    index_bind(s, 1, kind);
    index_bind(s, 2, id);
    return one_entity(x, s, on_row, ctx);
}

int index_entity_at(struct index *x, struct slice path, index_on_entity *on_row, void *ctx) {
    sqlite3_stmt *s = index_sql(x, SQL_GET_ENTITY_AT);
    index_bind(s, 1, path);
    return one_entity(x, s, on_row, ctx);
}

int index_files(struct index *x, index_on_entity *on_row, void *ctx) {
    return each_entity(x, index_sql(x, SQL_FILES), on_row, ctx);
}

static int count(struct index *x, sqlite3_stmt *s, uint64_t *out) {
    if (s == NULL) return E_IO;
    int rc = sqlite3_step(s);
    *out = rc == SQLITE_ROW ? (uint64_t)sqlite3_column_int64(s, 0) : 0;
    sqlite3_reset(s);
    return index_error(x, rc);
}

static sqlite3_int64 bounded(uint64_t n) { return n > INT64_MAX ? INT64_MAX : (sqlite3_int64)n; }

int index_list(struct index *x, const struct entity_query *q, uint64_t *total,
               index_on_entity *on_row, void *ctx) {
    bool typed = q->type.len > 0;
    sqlite3_stmt *s = index_sql(x, typed ? SQL_COUNT_TYPE : SQL_COUNT);

    index_bind(s, 1, q->kind);
    if (typed) index_bind(s, 2, q->type);
    int e = count(x, s, total);
    if (e != E_OK) return e;

    s = index_sql(x, typed ? SQL_LIST_TYPE : SQL_LIST);
    if (s == NULL) return E_IO;
    index_bind(s, 1, q->kind);
    sqlite3_bind_int64(s, 2, bounded(q->limit));
    sqlite3_bind_int64(s, 3, bounded(q->offset));
    if (typed) index_bind(s, 4, q->type);
    return each_entity(x, s, on_row, ctx);
}

/* ---- versions ------------------------------------------------------------------------------------ */

/* Following the log again meets versions that are here. Bytes may have come before (from the write)
 * or come now. */
static int has_version(struct index *x, const struct version_row *v, uint64_t *known) {
    sqlite3_stmt *s = index_sql(x, SQL_HAS_VERSION);

    index_bind(s, 1, v->room);
    index_bind_blob(s, 2, (struct slice){ v->hash, 32 });
    if (s) sqlite3_bind_int64(s, 3, (sqlite3_int64)v->lsn);
    return count(x, s, known);
}

int index_put_version(struct index *x, const struct version_row *v) {
    uint64_t known;
    int e = has_version(x, v, &known);
    if (e != E_OK) return e;

    if (known == 0) {
        sqlite3_stmt *s = index_sql(x, SQL_PUT_VERSION);
        index_bind(s, 1, v->room);
        index_bind_blob(s, 2, (struct slice){ v->hash, 32 });
        if (s) sqlite3_bind_int64(s, 3, (sqlite3_int64)v->lsn);
        index_bind_blob(s, 4, v->bytes);
        e = index_step(x, s);
    } else if (v->bytes.len > 0) {
        sqlite3_stmt *s = index_sql(x, SQL_FILL_VERSION);
        index_bind(s, 1, v->room);
        index_bind_blob(s, 2, (struct slice){ v->hash, 32 });
        index_bind_blob(s, 3, v->bytes);
        e = index_step(x, s);
    }
    if (e != E_OK) return e;

    sqlite3_stmt *s = index_sql(x, SQL_CUT_VERSIONS);
    index_bind(s, 1, v->room);
    if (s) sqlite3_bind_int(s, 2, LIMIT_VERSIONS);
    return index_step(x, s);
}

int index_drop_versions(struct index *x, struct slice room) {
    sqlite3_stmt *s = index_sql(x, SQL_DROP_VERSIONS);
    index_bind(s, 1, room);
    return index_step(x, s);
}

int index_versions(struct index *x, struct slice room, index_on_version *on_row, void *ctx) {
    sqlite3_stmt *s = index_sql(x, SQL_VERSIONS);
    int rc, e = E_OK;

    if (s == NULL) return E_IO;
    index_bind(s, 1, room);
    while (e == E_OK && (rc = sqlite3_step(s)) == SQLITE_ROW) {
        struct version_row row = { .room = index_column(s, 0), .bytes = index_column(s, 3),
                                   .lsn = (uint64_t)sqlite3_column_int64(s, 2) };
        copy_hash(row.hash, index_column(s, 1));
        e = on_row(ctx, &row);
    }
    sqlite3_reset(s);
    return e != E_OK ? e : index_error(x, rc);
}

/* ---- problems ------------------------------------------------------------------------------------- */

int index_set_problem(struct index *x, const struct problem_row *p) {
    sqlite3_stmt *s = index_sql(x, SQL_SET_PROBLEM);

    if (s == NULL) return E_IO;
    index_bind(s, 1, p->path);
    index_bind(s, 2, p->source);
    sqlite3_bind_int(s, 3, p->line);
    sqlite3_bind_int(s, 4, p->column);
    index_bind(s, 5, p->text);
    index_bind(s, 6, p->user);
    sqlite3_bind_int64(s, 7, (sqlite3_int64)p->at_ms);
    return index_step(x, s);
}

int index_clear_problem(struct index *x, struct slice path, const char *source, bool *had) {
    sqlite3_stmt *s = index_sql(x, source ? SQL_CLEAR_PROBLEM : SQL_CLEAR_PROBLEMS);
    index_bind(s, 1, path);
    if (source) index_bind(s, 2, slice_of(source));
    int e = index_step(x, s);
    if (had) *had = e == E_OK && sqlite3_changes(x->db) > 0;
    return e;
}

int index_clear_skipped(struct index *x) { return index_step(x, index_sql(x, SQL_CLEAR_SKIPPED)); }

int index_problems(struct index *x, uint64_t *total, index_on_problem *on_row, void *ctx) {
    int rc, e = count(x, index_sql(x, SQL_COUNT_PROBLEMS), total);
    sqlite3_stmt *s = index_sql(x, SQL_PROBLEMS);

    if (e != E_OK || s == NULL) return e != E_OK ? e : E_IO;
    while (e == E_OK && (rc = sqlite3_step(s)) == SQLITE_ROW) {
        struct problem_row row = {
            .path = index_column(s, 0), .source = index_column(s, 1),
            .line = sqlite3_column_int(s, 2), .column = sqlite3_column_int(s, 3),
            .text = index_column(s, 4), .user = index_column(s, 5),
            .at_ms = (uint64_t)sqlite3_column_int64(s, 6),
        };
        e = on_row(ctx, &row);
    }
    sqlite3_reset(s);
    return e != E_OK ? e : index_error(x, rc);
}
