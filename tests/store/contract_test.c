/* contract_test.c -- what every store promises (store/store.h), run against each of them.
 *
 *   S1  lsns begin at 1 and are consecutive in the order of append; commit tells the last one
 *   S2  a committed row is read back as it was given, every byte, also after the log was reopened
 *   S3  what was appended but not committed is seen by nobody, and gone after a close
 *   S4  after a failed commit nothing of it is there, and the next one goes on without a gap
 *   S5  one writing handle at a time; the next may open when it is closed
 *   S6  follow gives rows in order, no more than asked, and stops with what the callback returned
 *   S7  a room keeps the lineage of its first row; deleted, a new one begins; or it is restored
 *   S8  one row is read by its lsn; there is none beyond the last
 *   S9  while a callback runs, the handle can be used and the writer can commit and checkpoint */
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/must.h"
#include "store/memory.h"
#include "store/store.h"
#include "t.h"

#define LINEAGE_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define LINEAGE_B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

static struct place {           /* where the store under test keeps its data */
    struct memory_disk *disk;   /* NULL: sqlite */
    char directory[64];
} place;

static void place_begin(bool memory) {
    snprintf(place.directory, sizeof place.directory, "/tmp/covalent-store-XXXXXX");
    place.disk = memory ? memory_disk_new() : NULL;
    must(memory || mkdtemp(place.directory));
}

static void place_end(void) {
    char command[128];
    if (place.disk) {
        memory_disk_free(place.disk);
        return;
    }
    snprintf(command, sizeof command, "rm -rf '%s'", place.directory);
    must(system(command) == 0);
}

static int try_open(bool writing, struct store **out) {
    const char *why;
    return place.disk ? memory_open(place.disk, writing, out)
                      : store_sqlite_open(place.directory, writing, out, &why);
}

static struct store *open_store(bool writing) {
    struct store *s = NULL;
    must(try_open(writing, &s) == E_OK);
    return s;
}

static struct row row_in(const char *room, const char *bytes) {
    return (struct row){ .time_ms = 1700000000000, .kind = ROW_UPDATE, .cause = CAUSE_YJS,
                         .room = slice_of(room), .lineage = slice_of(LINEAGE_A),
                         .user = slice_of("anna"), .session = slice_of(""), .message_id = slice_of(""),
                         .bytes = slice_of(bytes) };
}

static uint64_t put(struct store *w, struct row row) {
    uint64_t lsn = 0;
    check(w->kind->append(w, &row) == E_OK);
    check(w->kind->commit(w, &lsn) == E_OK);
    return lsn;
}

static uint64_t last_lsn(struct store *r) {
    uint64_t lsn = 99999;
    check(r->kind->last_lsn(r, &lsn) == E_OK);
    return lsn;
}

struct seen { uint64_t n, next; int stop_at; bool in_order; };

static int on_seen(void *ctx, const struct row *row) {
    struct seen *s = ctx;
    if (s->next && row->lsn != s->next) s->in_order = false;
    s->next = row->lsn + 1;
    s->n++;
    return s->stop_at && s->n == (uint64_t)s->stop_at ? E_DENIED : E_OK;
}

static struct seen follow(struct store *r, uint64_t after, size_t max) {
    struct seen seen = { .in_order = true };
    check(r->kind->follow(r, after, max, on_seen, &seen) == E_OK);
    return seen;
}

static void s1_lsns_are_consecutive(void) {
    struct store *w = open_store(true);
    uint64_t lsn = 99;
    check(w->kind->commit(w, &lsn) == E_OK && lsn == 0);
    check(put(w, row_in("doc:a", "1")) == 1);
    for (int i = 0; i < 5; i++) {
        struct row row = row_in("doc:a", "x");
        check(w->kind->append(w, &row) == E_OK);
    }
    check(w->kind->commit(w, &lsn) == E_OK && lsn == 6);
    check(w->kind->commit(w, &lsn) == E_OK && lsn == 6);
    struct store *r = open_store(false);
    struct seen seen = follow(r, 0, 100);
    check(seen.n == 6 && seen.in_order && last_lsn(r) == 6);
    r->kind->close(r);
    w->kind->close(w);
    w = open_store(true);
    check(put(w, row_in("doc:a", "y")) == 7);
    w->kind->close(w);
}

static const struct row full = {
    .time_ms = 1764000000123, .kind = ROW_IMPORT, .cause = CAUSE_FILE,
    .room = { (const uint8_t *)"atom:\xc3\xa9\xe2\x82\xac", 10 },
    .lineage = { (const uint8_t *)LINEAGE_B, LINEAGE_LEN },
    .user = { (const uint8_t *)"J\xc3\xbcrgen", 7 }, .session = { (const uint8_t *)"tab-1", 5 },
    .message_id = { (const uint8_t *)"id\0with nul", 11 },
    .bytes = { (const uint8_t *)"\x00\xff\x80\x00update", 10 },
};

static int on_full(void *ctx, const struct row *row) {
    check(row->time_ms == full.time_ms && row->kind == full.kind && row->cause == full.cause);
    check(slice_eq(row->room, full.room) && slice_eq(row->lineage, full.lineage));
    check(slice_eq(row->user, full.user) && slice_eq(row->session, full.session));
    check(slice_eq(row->message_id, full.message_id) && slice_eq(row->bytes, full.bytes));
    *(int *)ctx += 1;
    return E_OK;
}

static int on_roomless(void *ctx, const struct row *row) {
    check(row->kind == ROW_WROTE && row->room.len == 0 && row->lineage.len == 0 && row->bytes.len == 0);
    *(int *)ctx += 1;
    return E_OK;
}

static void s2_rows_come_back_as_given(void) {
    struct store *w = open_store(true);
    int n = 0;
    check(put(w, full) == 1);
    check(put(w, (struct row){ .kind = ROW_WROTE, .cause = CAUSE_SERVER }) == 2);
    for (int reopened = 0; reopened < 2; reopened++) {
        struct store *r = open_store(false);
        check(r->kind->read(r, 1, on_full, &n) == E_OK);
        check(r->kind->read(r, 2, on_roomless, &n) == E_OK);
        r->kind->close(r);
        w->kind->close(w);
        w = open_store(true);
    }
    check(n == 4);
    w->kind->close(w);
}

static void s3_uncommitted_is_unseen(void) {
    struct store *w = open_store(true), *r;
    struct row row = row_in("doc:a", "lost");
    check(put(w, row_in("doc:a", "kept")) == 1);
    check(w->kind->append(w, &row) == E_OK);
    r = open_store(false);
    check(last_lsn(r) == 1 && follow(r, 0, 100).n == 1);
    w->kind->close(w);
    check(last_lsn(r) == 1 && follow(r, 0, 100).n == 1);
    r->kind->close(r);
    w = open_store(true);
    check(put(w, row_in("doc:a", "next")) == 2);
    w->kind->close(w);
}

static void s5_one_writer(void) {
    struct store *w = open_store(true), *second = NULL;
    check(try_open(true, &second) == E_EXISTS);
    w->kind->close(w);
    check(try_open(true, &second) == E_OK);
    if (second) second->kind->close(second);
}

static void s6_follow_in_order_and_bounded(void) {
    struct store *w = open_store(true), *r;
    uint64_t lsn;
    for (int i = 0; i < 5000; i++) {
        struct row row = row_in(i % 2 ? "doc:a" : "doc:b", "bytes");
        check(w->kind->append(w, &row) == E_OK);
    }
    check(w->kind->commit(w, &lsn) == E_OK && lsn == 5000);
    r = open_store(false);
    const struct { uint64_t after; size_t max; uint64_t n; } cases[] = {
        { 0, 1, 1 }, { 0, 10000, 5000 }, { 0, 5000, 5000 }, { 0, 2001, 2001 }, { 4999, 10, 1 },
        { 5000, 10, 0 }, { UINT64_MAX, 10, 0 }, { 0, 0, 0 }, { 123, 2000, 2000 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct seen seen = follow(r, cases[i].after, cases[i].max);
        check(seen.n == cases[i].n && seen.in_order);
        check(!seen.n || seen.next == cases[i].after + cases[i].n + 1);
    }
    struct seen stops = { .stop_at = 2500, .in_order = true };
    check(r->kind->follow(r, 0, 10000, on_seen, &stops) == E_DENIED && stops.n == 2500);
    r->kind->close(r);
    w->kind->close(w);
}

static struct room_state state(struct store *r, const char *room) {
    struct room_state out;
    check(r->kind->room_state(r, slice_of(room), &out) == E_OK);
    return out;
}

static void s7_lineage(void) {
    struct store *w = open_store(true), *r = open_store(false);
    struct row row = row_in("atom:x", "1");
    struct room_state s = state(r, "atom:x");
    check(!s.exists && !s.deleted && s.lineage[0] == '\0');
    put(w, row_in("atom:other", "0"));
    put(w, row);
    row.lineage = slice_of(LINEAGE_B);          /* not the first row: what is stored holds */
    put(w, row);
    s = state(r, "atom:x");
    check(s.exists && !s.deleted && s.first_lsn == 2 && slice_is(slice_of(s.lineage), LINEAGE_A));
    row.kind = ROW_DELETE;
    put(w, row);
    s = state(r, "atom:x");
    check(s.exists && s.deleted && s.first_lsn == 2 && slice_is(slice_of(s.lineage), LINEAGE_A));
    row.kind = ROW_IMPORT;
    row.lineage = slice_of(LINEAGE_A);          /* restored */
    put(w, row);
    s = state(r, "atom:x");
    check(!s.deleted && s.first_lsn == 2 && slice_is(slice_of(s.lineage), LINEAGE_A));
    row.kind = ROW_DELETE;
    put(w, row);
    w->kind->close(w);
    w = open_store(true);
    row.kind = ROW_IMPORT;
    row.lineage = slice_of(LINEAGE_B);          /* created anew */
    check(put(w, row) == 7);
    s = state(r, "atom:x");
    check(s.exists && !s.deleted && s.first_lsn == 7 && slice_is(slice_of(s.lineage), LINEAGE_B));
    check(state(r, "atom:other").first_lsn == 1);
    r->kind->close(r);
    w->kind->close(w);
}

static void s8_one_row(void) {
    struct store *w = open_store(true), *r = open_store(false);
    struct seen seen = { .in_order = true };
    put(w, row_in("doc:a", "1"));
    put(w, row_in("doc:a", "2"));
    check(r->kind->read(r, 2, on_seen, &seen) == E_OK && seen.n == 1 && seen.next == 3);
    const uint64_t none[] = { 0, 3, UINT64_MAX };
    for (int i = 0; i < 3; i++) check(r->kind->read(r, none[i], on_seen, &seen) == E_NOT_FOUND);
    check(seen.n == 1);
    r->kind->close(r);
    w->kind->close(w);
}

struct busy { struct store *w, *r; uint64_t n; };

static int on_busy(void *ctx, const struct row *row) {
    struct busy *b = ctx;
    struct seen seen = { .in_order = true };
    uint64_t before = last_lsn(b->r);
    check(put(b->w, row_in("doc:a", "meanwhile")) == before + 1);
    check(b->w->kind->checkpoint(b->w, true) == E_OK);
    check(b->r->kind->read(b->r, before + 1, on_seen, &seen) == E_OK && seen.n == 1);
    check(slice_is(row->bytes, b->n++ ? "2" : "1"));
    return E_OK;
}

static void s9_callbacks_may_take_their_time(void) {
    struct busy b = { .w = open_store(true), .r = open_store(false) };
    put(b.w, row_in("doc:a", "1"));
    put(b.w, row_in("doc:a", "2"));
    check(b.r->kind->follow(b.r, 0, 2, on_busy, &b) == E_OK && b.n == 2);
    b.r->kind->close(b.r);
    b.w->kind->close(b.w);
}

/* No space: the fake is told to fail, SQLite meets a limit on the size of its files. */
static void set_full(bool on) {
    struct rlimit limit;
    if (place.disk) {
        memory_fail(place.disk, E_FULL, on ? 1000 : 0);
        return;
    }
    signal(SIGXFSZ, SIG_IGN);
    must(getrlimit(RLIMIT_FSIZE, &limit) == 0);
    limit.rlim_cur = on ? 8192 : limit.rlim_max;
    must(setrlimit(RLIMIT_FSIZE, &limit) == 0);
}

static void s4_failed_commit_leaves_nothing(void) {
    struct store *w = open_store(true), *r = open_store(false);
    struct row row = row_in("doc:new", "lost");
    uint64_t lsn;
    put(w, row_in("doc:a", "1"));
    set_full(true);
    for (int i = 0; i < 2; i++) {
        check(w->kind->append(w, &row) == E_OK && w->kind->commit(w, &lsn) == E_FULL && lsn == 1);
        check(w->kind->probe(w) == E_FULL);
    }
    set_full(false);
    check(w->kind->probe(w) == E_OK);
    check(last_lsn(r) == 1 && follow(r, 0, 10).n == 1 && !state(r, "doc:new").exists);
    check(put(w, row) == 2 && state(r, "doc:new").first_lsn == 2);
    r->kind->close(r);
    w->kind->close(w);
}

#define contract(test) (place_begin(memory), run(test), place_end())

int main(void) {
    for (int memory = 0; memory < 2; memory++) {
        printf("# %s\n", memory ? "memory" : "sqlite");
        contract(s1_lsns_are_consecutive);
        contract(s2_rows_come_back_as_given);
        contract(s3_uncommitted_is_unseen);
        contract(s4_failed_commit_leaves_nothing);
        contract(s5_one_writer);
        contract(s6_follow_in_order_and_bounded);
        contract(s7_lineage);
        contract(s8_one_row);
        contract(s9_callbacks_may_take_their_time);
    }
    return t_exit();
}
