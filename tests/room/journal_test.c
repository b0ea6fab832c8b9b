/* journal_test.c -- the journal and its writer over the fake log. The test is the reactor; the
 * writer is the real thread. Meant to run under the thread sanitizer as well (J4). */
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/err.h"
#include "base/must.h"
#include "room/journal.h"
#include "room/writer.h"
#include "store/memory.h"
#include "t.h"

#define LINEAGE "0123456789abcdef0123456789abcdef"
#define PATIENCE_MS 20000

static struct fix {             /* one test's world */
    struct memory_disk *disk;
    struct store *w, *r;
    struct journal *j;
    struct writer writer;
    bool running;
    uint32_t next;              /* number of the next edit */
    uint64_t published, dropped, done_ok, done_err;
    uint32_t last_published, last_dropped;
    uint64_t last_lsn;
    bool in_order;
    _Atomic int fatal;
} f;

static uint32_t number_of(const struct entry *e) {
    uint32_t n;
    must(e->bytes->len >= sizeof n);
    memcpy(&n, e->bytes->bytes, sizeof n);
    return n;
}

static void on_publish(void *ctx, struct entry *e, uint64_t lsn) {
    check(ctx == &f);
    if (f.published && (number_of(e) <= f.last_published || lsn != f.last_lsn + 1)) f.in_order = false;
    f.last_published = number_of(e);
    f.last_lsn = lsn;
    f.published++;
}

static void on_dropped(void *ctx, struct entry *e, int err) {
    check(ctx == &f && err == E_FULL);
    if (f.dropped && number_of(e) >= f.last_dropped) f.in_order = false;    /* the newest first */
    f.last_dropped = number_of(e);
    f.dropped++;
}

static void on_done(void *ctx, int err, uint64_t lsn) {
    check(ctx == &f && (err == E_OK) == (lsn != 0));
    if (err == E_OK) f.done_ok++;
    else f.done_err++;
}

static void on_fatal(void *ctx, int err) {
    (void)ctx;
    atomic_store(&f.fatal, err);
}

static void begin(void) {
    f = (struct fix){ .disk = memory_disk_new(), .j = journal_new(), .in_order = true };
    must(memory_open(f.disk, true, &f.w) == E_OK && memory_open(f.disk, false, &f.r) == E_OK);
    f.j->ctx = &f;
    f.j->publish = on_publish;
    f.j->on_dropped = on_dropped;
}

static void start(void) {
    struct writer_config config = { .journal = f.j, .store = f.w, .on_fatal = on_fatal };
    must(writer_start(&f.writer, &config) == E_OK);
    f.running = true;
}

static void end(void) {
    if (f.running) writer_stop(&f.writer);
    f.w->kind->close(f.w);
    f.r->kind->close(f.r);
    journal_free(f.j);
    memory_disk_free(f.disk);
}

static uint64_t add_bytes(size_t len) {
    uint8_t *bytes = calloc(1, len);
    must(bytes && len >= sizeof f.next);
    memcpy(bytes, &f.next, sizeof f.next);
    f.next++;
    struct entry e = { .kind = ROW_UPDATE, .cause = CAUSE_YJS, .time_ms = 1700000000000 + f.next,
                       .bytes = frame_copy((struct slice){ bytes, len }),
                       .name = frame_copy(slice_of("doc:a")), .lineage = frame_copy(slice_of(LINEAGE)),
                       .message_id = f.next % 2 ? NULL : frame_copy(slice_of("m")),
                       .who = principal_new("anna", "Anna", ROLE_EDITOR), .done = on_done, .ctx = &f };
    free(bytes);
    return journal_append(f.j, e);
}

static uint64_t add(void) { return add_bytes(4 + f.next % 50); }

/* One turn of a reactor that waits for the writer. */
static void turn(void) {
    struct pollfd p = { .fd = f.j->wakeup_reactor, .events = POLLIN };
    must(poll(&p, 1, PATIENCE_MS) == 1);        /* else: the writer is stuck */
    journal_publish(f.j);
}

static void until_settled(void) {
    journal_seal(f.j);
    while (f.j->published < f.j->appended) turn();
}

static uint64_t rows_on_disk(void) {
    uint64_t n = 0;
    check(f.r->kind->last_lsn(f.r, &n) == E_OK);
    return n;
}

static void j1_one_number_each_without_gaps(void) {
    begin();
    for (uint64_t i = 0; i < 100; i++) check(add() == i);
    start();
    until_settled();
    for (uint64_t i = 100; i < 200; i++) check(add() == i);
    until_settled();
    check(f.published == 200 && f.in_order && f.last_lsn == 200 && f.done_ok == 200);
    end();
}

static void j2_durable_then_visible(void) {
    begin();
    memory_hold(f.disk, true);
    start();
    for (int i = 0; i < 10; i++) add();
    journal_publish(f.j);
    check(f.published == 0);                    /* not sealed */
    journal_seal(f.j);
    journal_publish(f.j);
    check(f.published == 0 && f.done_ok == 0 && rows_on_disk() == 0);   /* the commit is held */
    memory_hold(f.disk, false);
    until_settled();
    check(f.published == 10 && f.done_ok == 10 && rows_on_disk() == 10);
    end();
}

/* Is every published edit in the log, in this order, whole, and nothing else? */
struct compared { uint64_t n; uint32_t last; bool ok; };

static int on_row(void *ctx, const struct row *row) {
    struct compared *c = ctx;
    uint32_t n;
    must(row->bytes.len >= sizeof n);
    memcpy(&n, row->bytes.at, sizeof n);
    if (c->n && n <= c->last) c->ok = false;
    if (!slice_is(row->room, "doc:a") || !slice_is(row->lineage, LINEAGE)) c->ok = false;
    if (!slice_is(row->user, "anna") || row->time_ms != UINT64_C(1700000000001) + n) c->ok = false;
    if (row->bytes.len != 4 + n % 50 || !slice_is(row->message_id, n % 2 ? "m" : "")) c->ok = false;
    c->last = n;
    c->n++;
    return E_OK;
}

static void burst(unsigned *seed, uint64_t n) {
    while (n--) {
        while (journal_full(f.j, 64)) {
            journal_seal(f.j);
            turn();
        }
        add();
        if (rand_r(seed) % 8 == 0) journal_seal(f.j);
        if (rand_r(seed) % 8 == 0) journal_publish(f.j);
    }
    until_settled();
}

static void j3_published_in_order(void) {
    unsigned seed = 1;
    begin();
    start();
    burst(&seed, 20000);
    check(f.published == 20000 && f.in_order && f.last_lsn == 20000);
    end();
}

static void j4_sealed_entries_are_only_read(void) {
    struct compared c = { .ok = true };
    unsigned seed = 2;
    begin();
    start();
    burst(&seed, 20000);
    check(f.r->kind->follow(f.r, 0, SIZE_MAX, on_row, &c) == E_OK);
    check(c.n == 20000 && c.ok);
    end();
}

static void j5_a_batch_is_whole_or_not_there(void) {
    begin();
    for (int i = 0; i < 5; i++) add();
    start();
    until_settled();
    memory_fail(f.disk, E_FULL, 1);
    for (int i = 0; i < 7; i++) add();
    journal_seal(f.j);
    add();                                      /* accepted behind the failing ones, not sealed */
    while (!f.dropped) turn();
    check(f.published == 5 && f.dropped == 8 && f.done_err == 8 && rows_on_disk() == 5);
    check(f.j->appended == 5 && f.j->bytes == 0 && f.in_order);
    check(add() == 5);                          /* the number is given out again */
    until_settled();
    check(f.published == 6 && f.last_lsn == 6 && rows_on_disk() == 6 && f.in_order);
    end();
}

static void j5_what_was_published_is_what_is_stored(void) {
    struct compared c = { .ok = true };
    unsigned seed = 3;
    begin();
    start();
    for (int round = 0; round < 50; round++) {
        memory_fail(f.disk, E_FULL, (unsigned)rand_r(&seed) % 3);
        f.dropped = 0;                          /* newest first holds for each failure by itself */
        f.in_order = true;
        for (int i = 0; i < 40; i++) {
            add();
            if (rand_r(&seed) % 8 == 0) journal_seal(f.j);
        }
        journal_seal(f.j);
        while (f.j->published < f.j->appended) turn();
    }
    check(f.r->kind->follow(f.r, 0, SIZE_MAX, on_row, &c) == E_OK);
    check(c.ok && c.n == f.published && f.published == f.done_ok && c.n < 2000 && c.n > 0);
    check(f.done_ok + f.done_err == 2000);
    end();
}

static void a7_full_by_count_and_by_bytes(void) {
    begin();
    for (uint64_t i = 0; i < LIMIT_JOURNAL; i++) {
        check(!journal_full(f.j, 4));
        add_bytes(4);
    }
    check(journal_full(f.j, 4));
    start();
    until_settled();
    check(!journal_full(f.j, LIMIT_JOURNAL_BYTES) && journal_full(f.j, LIMIT_JOURNAL_BYTES + 1));
    check(journal_full(f.j, SIZE_MAX));
    add_bytes(MIB(100));
    check(journal_full(f.j, MIB(28) + 1) && !journal_full(f.j, MIB(28)));
    until_settled();
    check(!journal_full(f.j, MIB(100)));
    end();
}

static void a8_full_disk_is_a_state_that_ends_by_itself(void) {
    begin();
    start();
    check(writer_read_only(&f.writer) == E_OK);
    memory_fail(f.disk, E_FULL, 1000000);
    add();
    journal_seal(f.j);
    while (!f.dropped) turn();
    check(writer_read_only(&f.writer) == E_FULL);   /* set before the drop is heard of */
    memory_fail(f.disk, E_FULL, 0);
    for (int ms = 0; ms < PATIENCE_MS && writer_read_only(&f.writer) != E_OK; ms++) poll(NULL, 0, 1);
    check(writer_read_only(&f.writer) == E_OK);     /* found by a probe: nothing was appended */
    add();
    until_settled();
    check(f.published == 1 && f.done_err == 1);
    end();
}

static void a8_failing_fsync_ends_acknowledgements(void) {
    begin();
    start();
    add();
    until_settled();
    memory_fail(f.disk, E_IO, 1);
    for (int i = 0; i < 3; i++) add();
    journal_seal(f.j);
    for (int ms = 0; ms < PATIENCE_MS && !atomic_load(&f.fatal); ms++) poll(NULL, 0, 1);
    check(atomic_load(&f.fatal) == E_IO);
    add();
    journal_seal(f.j);
    journal_publish(f.j);
    check(f.published == 1 && f.done_ok == 1 && f.dropped == 0);
    writer_stop(&f.writer);
    f.running = false;
    check(rows_on_disk() == 1 && f.j->durable == 1);    /* though the fake would take more now */
    end();
}

/* A restart goes on where the log ends: its lsn is known before the first commit. */
static void j1_lsn_goes_on_after_a_restart(void) {
    begin();
    start();
    for (int i = 0; i < 3; i++) add();
    until_settled();
    writer_stop(&f.writer);
    journal_free(f.j);
    f.j = journal_new();
    f.j->ctx = &f;
    f.j->publish = on_publish;
    start();
    check(f.j->lsn == 3);
    check(add() == 0);
    until_settled();
    check(f.published == 4 && f.last_lsn == 4 && f.in_order && f.j->lsn == 4);
    end();
}

static void a8_stop_commits_what_was_sealed(void) {
    begin();
    memory_hold(f.disk, true);
    start();
    for (int i = 0; i < 3; i++) add();
    journal_seal(f.j);
    memory_hold(f.disk, false);
    writer_stop(&f.writer);
    f.running = false;
    journal_publish(f.j);
    check(f.published == 3 && rows_on_disk() == 3);
    end();
}

int main(void) {
    run(j1_one_number_each_without_gaps);
    run(j1_lsn_goes_on_after_a_restart);
    run(j2_durable_then_visible);
    run(j3_published_in_order);
    run(j4_sealed_entries_are_only_read);
    run(j5_a_batch_is_whole_or_not_there);
    run(j5_what_was_published_is_what_is_stored);
    run(a7_full_by_count_and_by_bytes);
    run(a8_full_disk_is_a_state_that_ends_by_itself);
    run(a8_failing_fsync_ends_acknowledgements);
    run(a8_stop_commits_what_was_sealed);
    return t_exit();
}
