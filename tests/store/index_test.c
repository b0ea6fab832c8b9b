/* index_test.c -- index.db: what it keeps, that it is rebuilt when odd, and which rows make a room. */
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "store/index.h"
#include "t.h"

/* ---- a log in memory, enough to load rooms from ------------------------------------------------- */

struct fake_log {
    struct store store;
    struct row rows[64];
    size_t n;
};

static int fake_state(struct store *s, struct slice room, struct room_state *out) {
    struct fake_log *log = (struct fake_log *)s;
    *out = (struct room_state){ 0 };
    for (size_t i = 0; i < log->n; i++) {
        const struct row *r = &log->rows[i];
        if (!slice_eq(r->room, room)) continue;
        if (!out->exists || (r->kind == ROW_IMPORT && out->deleted)) out->first_lsn = r->lsn;
        out->deleted = r->kind == ROW_DELETE || (out->deleted && r->kind != ROW_IMPORT);
        out->exists = true;
    }
    return E_OK;
}

static int fake_follow(struct store *s, uint64_t after, size_t max, store_on_row *on_row, void *ctx) {
    struct fake_log *log = (struct fake_log *)s;
    for (size_t i = 0; i < log->n && max > 0; i++) {
        if (log->rows[i].lsn <= after) continue;
        max--;
        int e = on_row(ctx, &log->rows[i]);
        if (e != E_OK) return e;
    }
    return E_OK;
}

static int fake_read(struct store *s, uint64_t lsn, store_on_row *on_row, void *ctx) {
    struct fake_log *log = (struct fake_log *)s;
    return lsn >= 1 && lsn <= log->n ? on_row(ctx, &log->rows[lsn - 1]) : E_NOT_FOUND;
}

static const struct store_kind fake = {
    .name = "fake", .room_state = fake_state, .follow = fake_follow, .read = fake_read,
};

static void add(struct fake_log *log, enum row_kind kind, const char *room, const char *bytes) {
    log->rows[log->n] = (struct row){ .lsn = log->n + 1, .kind = kind, .room = slice_of(room),
                                      .bytes = slice_of(bytes) };
    log->n++;
}

/* ---- helpers ---------------------------------------------------------------------------------------- */

static char directory[] = "/tmp/covalent-index-XXXXXX";

static struct index *opened(void) {
    struct index *x = NULL;
    const char *why = "";
    if (index_open(directory, true, &x, &why) != E_OK) {
        fprintf(stderr, "index_open: %s\n", why);
        exit(1);
    }
    return x;
}

static struct index *fresh(void) {
    check(index_delete(directory) == E_OK);
    return opened();
}

static int take_snapshot(void *ctx, struct slice bytes, uint64_t lsn) {
    buf_printf(ctx, "[%.*s@%d]", SLICE_ARG(bytes), (int)lsn);
    return E_OK;
}

static int take_row(void *ctx, const struct row *row) {
    buf_printf(ctx, "%.*s", SLICE_ARG(row->bytes));
    return E_OK;
}

static bool loads(struct index *x, struct fake_log *log, uint64_t upto, const char *expected) {
    struct buf b;
    buf_init(&b, 4096);
    int e = index_load_room_upto(x, &log->store, slice_of("atom:a"), upto, take_snapshot, take_row, &b);
    bool same = e == E_OK && slice_is(buf_view(&b), expected);
    if (!same) fprintf(stderr, "loaded %d \"%.*s\", not \"%s\"\n", e, SLICE_ARG(buf_view(&b)), expected);
    buf_deinit(&b);
    return same;
}

static void project(struct index *x, const struct fake_log *log, uint64_t upto) {
    check(index_begin(x) == E_OK);
    for (size_t i = 0; i < upto; i++) {
        const struct row *r = &log->rows[i];
        if (r->room.len) check(index_add_row(x, r->room, r->lsn, r->bytes.len) == E_OK);
    }
    check(index_set_cursor(x, upto) == E_OK);
    check(index_commit(x) == E_OK);
}

/* ---- rooms -------------------------------------------------------------------------------------------- */

static void j6_a_room_is_its_rows_in_order_from_index_and_tail(void) {
    struct index *x = fresh();
    struct fake_log log = { .store.kind = &fake };
    uint64_t cursor = 99;

    check(index_cursor(x, &cursor) == E_OK && cursor == 0);
    check(loads(x, &log, UINT64_MAX, ""));
    add(&log, ROW_IMPORT, "atom:a", "i");
    add(&log, ROW_UPDATE, "atom:b", "X");
    add(&log, ROW_UPDATE, "atom:a", "1");
    add(&log, ROW_WROTE, "", "W");
    add(&log, ROW_UPDATE, "atom:a", "2");
    for (uint64_t upto = 0; upto <= log.n; upto++) {        /* wherever the projector is */
        project(x, &log, upto);
        check(loads(x, &log, UINT64_MAX, "i12"));
        check(loads(x, &log, 3, "i1"));
    }
    index_close(x);
}

static void j6_a_snapshot_replaces_the_rows_in_it(void) {
    struct index *x = fresh();
    struct fake_log log = { .store.kind = &fake };
    struct room_tail tail;

    add(&log, ROW_IMPORT, "atom:a", "i");
    add(&log, ROW_UPDATE, "atom:a", "1");
    add(&log, ROW_UPDATE, "atom:a", "22");
    project(x, &log, 3);
    project(x, &log, 3);                                    /* twice is once */
    check(index_room_tail(x, slice_of("atom:a"), &tail) == E_OK && tail.rows == 3 && tail.bytes == 4);
    check(index_set_snapshot(x, slice_of("atom:a"), 2, slice_of("S")) == E_OK);
    check(index_room_tail(x, slice_of("atom:a"), &tail) == E_OK && tail.rows == 0);
    check(loads(x, &log, UINT64_MAX, "[S@2]22"));
    check(loads(x, &log, 1, "i"));                          /* a snapshot newer than what is asked for */
    check(index_set_snapshot(x, slice_of("atom:a"), 3, slice_of("T")) == E_OK);
    check(loads(x, &log, UINT64_MAX, "[T@3]"));
    index_close(x);
}

static void d1_rows_before_the_current_lineage_are_left_out(void) {
    struct index *x = fresh();
    struct fake_log log = { .store.kind = &fake };

    add(&log, ROW_IMPORT, "atom:a", "i");
    add(&log, ROW_UPDATE, "atom:a", "1");
    project(x, &log, 2);
    check(index_set_snapshot(x, slice_of("atom:a"), 2, slice_of("S")) == E_OK);
    add(&log, ROW_DELETE, "atom:a", "D");
    add(&log, ROW_IMPORT, "atom:a", "j");
    for (uint64_t upto = 2; upto <= log.n; upto++) {
        project(x, &log, upto);
        check(loads(x, &log, UINT64_MAX, "j"));             /* the old snapshot is not used either */
    }
    index_close(x);
}

/* ---- entities, versions, problems ------------------------------------------------------------------------ */

static struct entity_row atom(const char *path, const char *id, const char *type) {
    return (struct entity_row){ .path = slice_of(path), .kind = slice_of("atom"), .id = slice_of(id),
                                .type = slice_of(type), .json = slice_of("{}"), .summary = slice_of("{1}") };
}

static int take_id(void *ctx, const struct entity_row *row) {
    buf_printf(ctx, "%.*s,", SLICE_ARG(row->id));
    return E_OK;
}

static bool lists(struct index *x, struct entity_query q, uint64_t total, const char *ids) {
    struct buf b;
    uint64_t n = 0;
    buf_init(&b, 4096);
    q.kind = slice_of("atom");
    bool same = index_list(x, &q, &n, take_id, &b) == E_OK && n == total && slice_is(buf_view(&b), ids);
    if (!same) fprintf(stderr, "listed %d: %.*s\n", (int)n, SLICE_ARG(buf_view(&b)));
    buf_deinit(&b);
    return same;
}

static int take_entity(void *ctx, const struct entity_row *row) {
    *(enum entity_state *)ctx = row->state;
    return row->json.len ? E_OK : E_INVALID;
}

static void entities_are_listed_in_path_order(void) {
    struct index *x = fresh();
    struct entity_row rows[] = { atom("b.yaml", "two", "ROLE"), atom("a.yaml", "one", "PROCESS"),
                                 atom("c.yaml", "three", "ROLE"), atom("d.yaml", "two", "ROLE") };
    enum entity_state state = ENTITY_OK;

    rows[3].state = ENTITY_DUPLICATE;
    for (size_t i = 0; i < 4; i++) check(index_put_entity(x, &rows[i]) == E_OK);
    check(lists(x, (struct entity_query){ .limit = 10 }, 3, "one,two,three,"));
    check(lists(x, (struct entity_query){ .limit = 1, .offset = 1 }, 3, "two,"));
    check(lists(x, (struct entity_query){ .limit = 9, .type = slice_of("ROLE") }, 2, "two,three,"));
    check(lists(x, (struct entity_query){ .limit = UINT64_MAX, .offset = UINT64_MAX }, 3, ""));
    rows[1].state = ENTITY_GONE;
    check(index_put_entity(x, &rows[1]) == E_OK);           /* the path is the key */
    check(lists(x, (struct entity_query){ .limit = 10 }, 2, "two,three,"));
    check(index_entity(x, slice_of("atom"), slice_of("one"), take_entity, &state) == E_OK);
    check(state == ENTITY_GONE);
    check(index_entity(x, slice_of("atom"), slice_of("none"), take_entity, &state) == E_NOT_FOUND);
    check(index_entity(x, slice_of("module"), slice_of("two"), take_entity, &state) == E_NOT_FOUND);
    check(index_entity_at(x, slice_of("d.yaml"), take_entity, &state) == E_OK && state == ENTITY_DUPLICATE);
    check(index_remove_entity(x, slice_of("b.yaml")) == E_OK);
    check(lists(x, (struct entity_query){ .limit = 10 }, 1, "three,"));
    index_close(x);
}

static int take_version(void *ctx, const struct version_row *row) {
    buf_printf(ctx, "%d:%.*s ", (int)row->lsn, SLICE_ARG(row->bytes));
    return E_OK;
}

static bool versions(struct index *x, const char *expected) {
    struct buf b;
    buf_init(&b, 4096);
    bool same = index_versions(x, slice_of("atom:a"), take_version, &b) == E_OK &&
                slice_is(buf_view(&b), expected);
    if (!same) fprintf(stderr, "versions: %.*s\n", SLICE_ARG(buf_view(&b)));
    buf_deinit(&b);
    return same;
}

static void f2_the_last_twenty_versions_are_kept(void) {
    struct index *x = fresh();
    struct version_row v = { .room = slice_of("atom:a"), .hash = { 7 }, .lsn = 1 };

    check(index_put_version(x, &v) == E_OK);
    check(versions(x, "1: "));
    v.bytes = slice_of("x");
    check(index_put_version(x, &v) == E_OK);                /* known: its bytes come */
    v.bytes = slice_of("");
    check(index_put_version(x, &v) == E_OK);                /* and stay */
    check(versions(x, "1:x "));
    for (v.lsn = 2; v.lsn <= 25; v.lsn++) check(index_put_version(x, &v) == E_OK);
    check(versions(x, "25: 24: 23: 22: 21: 20: 19: 18: 17: 16: 15: 14: 13: 12: 11: 10: 9: 8: 7: 6: "));
    check(index_drop_versions(x, slice_of("atom:a")) == E_OK);
    check(versions(x, ""));
    index_close(x);
}

static int take_problem(void *ctx, const struct problem_row *p) {
    buf_printf(ctx, "%.*s %.*s:%d %.*s;", SLICE_ARG(p->path), SLICE_ARG(p->source), p->line, SLICE_ARG(p->text));
    return E_OK;
}

static void d5_problems_are_kept_per_file_and_source(void) {
    struct index *x = fresh();
    struct buf b;
    uint64_t total = 0;
    struct problem_row p = { .path = slice_of("b.yaml"), .source = slice_of("file"), .line = 3,
                             .text = slice_of("bad") };

    buf_init(&b, 4096);
    check(index_set_problem(x, &p) == E_OK);
    p.text = slice_of("worse");
    check(index_set_problem(x, &p) == E_OK);
    p.path = slice_of("a.yaml");
    check(index_set_problem(x, &p) == E_OK);
    p.source = slice_of("paused");
    check(index_set_problem(x, &p) == E_OK);
    check(index_clear_problem(x, slice_of("a.yaml"), "file", NULL) == E_OK);
    check(index_problems(x, &total, take_problem, &b) == E_OK && total == 2);
    check(slice_is(buf_view(&b), "a.yaml paused:3 worse;b.yaml file:3 worse;"));
    check(index_clear_problem(x, slice_of("b.yaml"), NULL, NULL) == E_OK);
    check(index_problems(x, &total, take_problem, &b) == E_OK && total == 1);
    buf_deinit(&b);
    index_close(x);
}

/* ---- the file itself ----------------------------------------------------------------------------------------- */

static bool is_new_after(void (*harm)(const char *path)) {
    char path[128];
    uint64_t cursor = 0;
    struct index *x = fresh();

    check(index_set_cursor(x, 42) == E_OK);
    index_close(x);
    snprintf(path, sizeof path, "%s/" INDEX_FILE, directory);
    harm(path);
    x = opened();
    check(index_cursor(x, &cursor) == E_OK);
    index_close(x);
    return cursor == 0;
}

static void harm_nothing(const char *path) { (void)path; }

static void harm_head(const char *path) {
    FILE *f = fopen(path, "r+");
    fputs("this is no database", f);
    fclose(f);
}

static void harm_cut(const char *path) { check(truncate(path, 5000) == 0); }

static void harm_version(const char *path) {
    FILE *f = fopen(path, "r+");
    fseek(f, 63, SEEK_SET);                                 /* user_version, big endian, last byte */
    fputc(200, f);
    fclose(f);
}

static void p2_an_odd_file_is_made_anew(void) {
    struct index *x, *reader = NULL;
    const char *why = "";
    uint64_t cursor = 0;

    check(!is_new_after(harm_nothing));
    check(is_new_after(harm_head));
    check(is_new_after(harm_cut));
    check(is_new_after(harm_version));
    x = fresh();
    check(index_set_cursor(x, 42) == E_OK);
    check(index_open(directory, false, &reader, &why) == E_OK);
    check(index_cursor(reader, &cursor) == E_OK && cursor == 42);
    check(index_set_cursor(reader, 43) != E_OK);            /* readers are query-only */
    index_mark_damaged(x);
    index_close(reader);
    index_close(x);
    x = opened();
    check(index_cursor(x, &cursor) == E_OK && cursor == 0);
    index_close(x);
}

static void p2_a_transaction_is_whole_or_not_at_all(void) {
    struct index *x = fresh();
    struct entity_row row = atom("a.yaml", "one", "ROLE");
    uint64_t cursor = 9;

    check(index_begin(x) == E_OK);
    check(index_put_entity(x, &row) == E_OK && index_set_cursor(x, 5) == E_OK);
    index_rollback(x);
    check(index_cursor(x, &cursor) == E_OK && cursor == 0);
    check(lists(x, (struct entity_query){ .limit = 10 }, 0, ""));
    index_close(x);
}

int main(void) {
    check(mkdtemp(directory) != NULL);
    run(j6_a_room_is_its_rows_in_order_from_index_and_tail);
    run(j6_a_snapshot_replaces_the_rows_in_it);
    run(d1_rows_before_the_current_lineage_are_left_out);
    run(entities_are_listed_in_path_order);
    run(f2_the_last_twenty_versions_are_kept);
    run(d5_problems_are_kept_per_file_and_source);
    run(p2_an_odd_file_is_made_anew);
    run(p2_a_transaction_is_whole_or_not_at_all);
    check(index_delete(directory) == E_OK && rmdir(directory) == 0);
    return t_exit();
}
