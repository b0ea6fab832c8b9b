/* powerloss_test.c -- what is on disk after the power went at any moment (A9): kill -9 leaves the
 * kernel's memory as it is, so it cannot show a missing sync; this can.
 *
 * A random session appends, commits and checkpoints. Between its writes and syncs, crash states
 * are taken: what a disk may then hold. Each is opened as after a restart: every row reported
 * committed is there, the chain verifies, a batch is whole or not there, and work goes on.
 *
 *   STATES=20000 SEED=7 build/tests/store/powerloss_test */
#include <stdlib.h>
#include <unistd.h>

#include "base/err.h"
#include "base/limits.h"
#include "base/rand.h"
#include "store/store.h"
#include "store/vfs_shim.c"
#include "t.h"

#define LINEAGE "0123456789abcdef0123456789abcdef"
#define STATES_MAX 64           /* kept at once */

struct moment { struct shim_state state; uint64_t acked, appended; };

static struct session {
    char directory[64];
    struct store *w;
    unsigned seed;
    uint64_t acked, appended;   /* rows reported committed; rows handed over */
    struct moment moments[STATES_MAX];
    size_t n;
    unsigned one_in;            /* a crash state at one operation in so many */
} s;

static unsigned seed_of_run(void) {
    const char *given = getenv("SEED");
    return given ? (unsigned)atoi(given) : (unsigned)rand_u64();
}

static void remove_directory(const char *directory) {
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", directory);
    must(system(command) == 0);
}

static void on_op(void) {
    if (s.n == STATES_MAX || (unsigned)rand_r(&s.seed) / 8 % s.one_in) return;
    s.moments[s.n++] = (struct moment){ shim_crash(&s.seed), s.acked, s.appended };
}

static void session_begin(unsigned seed, unsigned one_in, bool lies) {
    const char *why;
    memset(&s, 0, sizeof s);
    s.seed = seed;
    s.one_in = one_in;
    snprintf(s.directory, sizeof s.directory, "/tmp/covalent-power-XXXXXX");
    must(mkdtemp(s.directory));
    shim_install();
    shim.lies = lies;
    shim.on_op = one_in ? on_op : NULL;
    must(store_sqlite_open(s.directory, true, &s.w, &why) == E_OK);
}

/* The row of an lsn is the same wherever it is made: room, size and bytes follow from the number. */
static size_t bytes_of(uint64_t lsn, uint8_t to[20000]) {
    size_t len = lsn % 13 == 0 ? 9000 + lsn % 7000 : 20 + lsn % 300;
    for (size_t i = 0; i < len; i++) to[i] = (uint8_t)(lsn * 31 + i * 7);
    return len;
}

static int append(struct store *w, uint64_t lsn) {
    uint8_t bytes[20000];
    char room[32];
    snprintf(room, sizeof room, "doc:%d", (int)(lsn % 17));
    struct row row = { .time_ms = lsn, .kind = ROW_UPDATE, .cause = CAUSE_YJS, .room = slice_of(room),
                       .lineage = slice_of(LINEAGE), .user = slice_of("anna"),
                       .bytes = { bytes, bytes_of(lsn, bytes) } };
    return w->kind->append(w, &row);
}

/* One batch, sometimes a checkpoint. E_OK or the first error. */
static int step(void) {
    uint64_t n = 1 + (uint64_t)rand_r(&s.seed) / 8 % 12, lsn;
    for (uint64_t i = 0; i < n; i++) {
        s.appended = s.acked + i + 1;
        append(s.w, s.appended);                /* its error comes again at the commit */
    }
    int err = s.w->kind->commit(s.w, &lsn);
    if (err != E_OK) return err;
    must(lsn == s.appended);
    s.acked = lsn;
    int roll = rand_r(&s.seed) / 8 % 16;
    return roll > 2 ? E_OK : s.w->kind->checkpoint(s.w, true);
}

/* ---- judging ------------------------------------------------------------------------------- */

static int on_row(void *ctx, const struct row *row) {
    uint64_t *next = ctx;
    uint8_t bytes[20000];
    size_t len = bytes_of(row->lsn, bytes);
    if (row->lsn != *next || !slice_eq(row->bytes, (struct slice){ bytes, len })) return E_CORRUPT;
    *next += 1;
    return E_OK;
}

/* NULL, or what is wrong with a directory in which rows up to `acked` were reported committed. */
static const char *judge(const char *directory, uint64_t acked, uint64_t appended) {
    struct store_verified v;
    struct store *w, *r = NULL;
    const char *why, *wrong = NULL;
    uint64_t next = 1, last = 0, lsn = 0;

    if (store_sqlite_open(directory, true, &w, &why) != E_OK) return why;
    if (store_sqlite_open(directory, false, &r, &why) != E_OK) wrong = why;
    else if (r->kind->last_lsn(r, &last) != E_OK) wrong = "unreadable";
    else if (last < acked) wrong = "a row reported committed is gone";
    else if (last > appended) wrong = "a row from nowhere";
    else if (r->kind->follow(r, 0, SIZE_MAX, on_row, &next) != E_OK || next != last + 1) wrong = "wrong rows";
    else if (last > acked && last != appended) wrong = "half a batch";
    else if (store_verify(r, NULL, NULL, &v) != E_OK) wrong = "the chain does not verify";
    else if (append(w, last + 1) != E_OK || w->kind->commit(w, &lsn) != E_OK) wrong = "cannot go on";
    else if (lsn != last + 1 || r->kind->read(r, lsn, on_row, &next) != E_OK) wrong = "goes on wrongly";
    if (r) r->kind->close(r);
    w->kind->close(w);
    return wrong;
}

static unsigned judge_moments(bool quiet) {
    char directory[64];
    unsigned bad = 0;
    for (size_t i = 0; i < s.n; i++) {
        struct moment *m = &s.moments[i];
        snprintf(directory, sizeof directory, "/tmp/covalent-power-XXXXXX");
        must(mkdtemp(directory));
        shim_state_write(&m->state, directory);
        const char *wrong = judge(directory, m->acked, m->appended);
        if (wrong && !quiet) fprintf(stderr, "state %zu, acked %lu: %s\n", i, m->acked, wrong);
        bad += wrong != NULL;
        remove_directory(directory);
    }
    return bad;
}

/* ---- tests --------------------------------------------------------------------------------- */

/* The session ends before its crashes are judged: they are opened by the real VFS. */
static unsigned one_session(unsigned seed, bool lies, unsigned *states) {
    session_begin(seed, 12, lies);
    for (int i = 0; i < 200 && s.n < STATES_MAX; i++) must(step() == E_OK);
    s.w->kind->close(s.w);
    shim_remove();
    unsigned bad = judge_moments(lies);
    *states += (unsigned)s.n;
    for (size_t i = 0; i < s.n; i++) shim_state_free(&s.moments[i].state);
    remove_directory(s.directory);
    return bad;
}

static void a9_power_loss_loses_nothing_committed(void) {
    const char *given = getenv("STATES");
    unsigned seed = seed_of_run(), states = 0, bad = 0, max = given ? (unsigned)atoi(given) : 300;
    printf("# power loss: SEED=%u STATES=%u\n", seed, max);
    for (unsigned i = 0; states < max; i++) bad += one_session(seed + i, false, &states);
    check(bad == 0);
}

/* The test of the test: a disk that says it has synced and has not is found out. */
static void a9_a_missing_sync_would_be_noticed(void) {
    unsigned states = 0;
    check(one_session(3, true, &states) > 0);
}

/* The n-th write finds the disk full, for every n: the commit fails, nothing of it is there, and
 * the same rows go in afterwards. */
static void a8_every_write_may_find_the_disk_full(void) {
    unsigned failed = 0;
    for (unsigned n = 1; n < 400; n += 1 + n / 20) {
        session_begin(5, 0, false);
        shim.fail_write = shim.writes + n;
        int errors = 0;
        for (int i = 0; i < 12; i++) {
            int err = step();
            check(err == E_OK || err == E_FULL);
            errors += err != E_OK;
        }
        check(errors <= 1);
        failed += (unsigned)errors;
        char directory[64];
        snprintf(directory, sizeof directory, "%s", s.directory);
        uint64_t acked = s.acked;
        s.w->kind->close(s.w);
        shim_remove();
        const char *wrong = judge(directory, acked, acked);
        if (wrong) fprintf(stderr, "write %u: %s\n", n, wrong);
        check(!wrong);
        remove_directory(directory);
    }
    check(failed > 20);
}

/* The n-th sync fails, for every n, in commits and in checkpoints: E_IO, never success; after a
 * restart on any state of that disk all that was committed is there. */
static void a8_every_sync_may_fail(void) {
    unsigned failed = 0, in_checkpoint = 0;
    for (unsigned n = 1; n < 40; n++) {
        int err = E_OK;
        session_begin(11, 0, false);
        shim.fail_sync = shim.syncs + n;
        for (int i = 0; i < 60 && err == E_OK; i++) err = step();
        uint64_t acked = s.acked, appended = s.appended;
        struct shim_state state = shim_crash(&s.seed);
        check(err == E_IO);
        failed += err == E_IO;
        in_checkpoint += acked == appended;
        s.w->kind->close(s.w);
        shim_remove();
        char directory[64] = "/tmp/covalent-power-XXXXXX";
        must(mkdtemp(directory));
        shim_state_write(&state, directory);
        const char *wrong = judge(directory, acked, appended);
        if (wrong) fprintf(stderr, "sync %u: %s\n", n, wrong);
        check(!wrong);
        shim_state_free(&state);
        remove_directory(directory);
        remove_directory(s.directory);
    }
    check(failed == 39 && in_checkpoint > 0);
}

int main(void) {
    run(a9_power_loss_loses_nothing_committed);
    run(a9_a_missing_sync_would_be_noticed);
    run(a8_every_write_may_find_the_disk_full);
    run(a8_every_sync_may_fail);
    return t_exit();
}
