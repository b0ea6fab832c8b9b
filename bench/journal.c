/* bench/journal.c -- how long an edit takes to be durable: journal, writer thread and SQLite log,
 * without sockets and documents. Open loop: edits are due at a fixed rate whatever the log does, and
 * the time counts from when an edit was due.
 *
 *   build/journal DIR [SECONDS]     DIR: where a log is made (and removed); its disk is what counts */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/must.h"
#include "room/writer.h"

#define EDIT_BYTES 100
#define ROOMS 1000

static struct bench {
    struct journal *j;
    struct writer writer;
    uint64_t *took_ns;
    size_t n, cap;
    struct frame *names[ROOMS], *lineage;
    struct principal *who;
} b;

static void on_publish(void *ctx, struct entry *e, uint64_t lsn) {
    (void)ctx, (void)lsn;
    if (b.n < b.cap) b.took_ns[b.n++] = clock_mono_ns() - e->received_ns;
}

static void append(uint64_t i, uint64_t due_ns) {
    static const uint8_t edit[EDIT_BYTES];
    journal_append(b.j, (struct entry){
        .kind = ROW_UPDATE, .cause = CAUSE_YJS, .bytes = frame_copy((struct slice){ edit, sizeof edit }),
        .name = frame_ref(b.names[i % ROOMS]), .lineage = frame_ref(b.lineage),
        .who = principal_ref(b.who), .time_ms = due_ns / 1000000, .received_ns = due_ns });
}

static int by_time(const void *x, const void *y) {
    uint64_t a = *(const uint64_t *)x, c = *(const uint64_t *)y;
    return a < c ? -1 : a > c;
}

static double ms_at(double part) { return (double)b.took_ns[(size_t)((double)(b.n - 1) * part)] / 1e6; }

static void report(uint64_t rate, uint64_t spent_ns, uint64_t commits) {
    qsort(b.took_ns, b.n, sizeof *b.took_ns, by_time);
    printf("%8lu %12.0f %10.1f %8.2f %8.2f %8.2f %8.2f\n", rate, (double)b.n / ((double)spent_ns / 1e9),
           (double)b.n / (double)commits, ms_at(0.5), ms_at(0.95), ms_at(0.99), ms_at(1));
    fflush(stdout);
}

/* A reactor's loop: what is due goes in, one seal a turn, then wait for the writer or the time. */
static void run_rate(uint64_t rate, uint64_t seconds) {
    uint64_t n = rate * seconds, sent = 0, start = clock_mono_ns();
    uint64_t commits = atomic_load(&b.writer.commits);
    struct pollfd p = { .fd = b.j->wakeup_reactor, .events = POLLIN };
    b.n = 0;
    b.cap = n;
    b.took_ns = calloc(n, sizeof *b.took_ns);
    must(b.took_ns);
    while (b.n < n) {
        uint64_t due = (clock_mono_ns() - start) * rate / 1000000000;
        for (; sent < n && sent < due && !journal_full(b.j, EDIT_BYTES); sent++)
            append(sent, start + sent * 1000000000 / rate);
        journal_seal(b.j);
        struct timespec wait = { .tv_nsec = 200000 };
        must(ppoll(&p, 1, &wait, NULL) >= 0);
        journal_publish(b.j);
    }
    report(rate, clock_mono_ns() - start, atomic_load(&b.writer.commits) - commits);
    free(b.took_ns);
}

static void on_fatal(void *ctx, int err) {
    (void)ctx;
    fprintf(stderr, "%s\n", err_text(err));
    exit(1);
}

int main(int argc, char **argv) {
    const uint64_t rates[] = { 1000, 10000, 50000 };
    char directory[4096], command[4200], name[32];
    struct store *log;
    const char *why;

    if (argc < 2) {
        fprintf(stderr, "usage: %s DIR [SECONDS]\n", argv[0]);
        return 2;
    }
    snprintf(directory, sizeof directory, "%s/covalent-bench-XXXXXX", argv[1]);
    must(mkdtemp(directory) && store_sqlite_open(directory, true, &log, &why) == E_OK);
    for (int i = 0; i < ROOMS; i++) {
        snprintf(name, sizeof name, "doc:bench-%d", i);
        b.names[i] = frame_copy(slice_of(name));
    }
    b.lineage = frame_copy(slice_of("0123456789abcdef0123456789abcdef"));
    b.who = principal_new("anna", "Anna", ROLE_EDITOR);
    b.j = journal_new();
    b.j->publish = on_publish;
    struct writer_config config = { .journal = b.j, .store = log, .on_fatal = on_fatal };
    must(writer_start(&b.writer, &config) == E_OK);
    printf("%d rooms, %d bytes an edit, SQLite synchronous=FULL, in %s\n", ROOMS, EDIT_BYTES, argv[1]);
    printf("%8s %12s %10s %8s %8s %8s %8s\n", "edits/s", "durable/s", "a commit", "p50 ms", "p95", "p99", "max");
    for (size_t i = 0; i < sizeof rates / sizeof rates[0]; i++)
        run_rate(rates[i], argc > 2 ? (uint64_t)atoi(argv[2]) : 5);
    writer_stop(&b.writer);
    log->kind->close(log);
    journal_free(b.j);
    snprintf(command, sizeof command, "rm -rf '%s'", directory);
    return system(command) == 0 ? 0 : 1;
}
