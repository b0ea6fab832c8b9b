/* writer.c -- the writer's loop: wait, append, commit once, move the cursor. Writer thread. */
#include "room/writer.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/must.h"

#define PROBE_MS 500            /* between two tries while nothing can be written */
#define IDLE_MS 1000            /* without an edit, before the whole WAL is copied */

static struct slice frame_slice(const struct frame *f) {
    return f ? (struct slice){ f->bytes, f->len } : (struct slice){ 0 };
}

static struct row row_of(const struct entry *e) {
    return (struct row){
        .time_ms = e->time_ms, .kind = e->kind, .cause = e->cause,
        .room = frame_slice(e->name), .lineage = frame_slice(e->lineage),
        .user = e->who ? slice_of(e->who->user) : (struct slice){ 0 },
        .session = e->who ? slice_of(e->who->session) : (struct slice){ 0 },
        .message_id = frame_slice(e->message_id), .bytes = frame_slice(e->bytes),
    };
}

static bool is_fatal(int err) { return err == E_IO || err == E_CORRUPT; }

/* One line when it changes; while it lasts, the state itself tells. */
static void set_read_only(struct writer *w, int err) {
    w->probing = err != E_OK;
    int before = atomic_exchange_explicit(&w->read_only, err, memory_order_acq_rel);
    if (before == err) return;
    if (err != E_OK) log_error("log.read_only", "reason=\"%s\"", err_text(err));
    else log_info("log.writable", "after=\"%s\"", err_text(before));
}

/* Errors that may pass (a full disk) wait for the next commit to tell; fatal ones are returned. */
static int checkpoint(struct writer *w, bool idle) {
    struct store *s = w->config.store;
    int err = s->kind->checkpoint(s, idle);
    if (idle && err == E_OK) w->unchecked = false;
    if (err == E_OK || is_fatal(err)) return err;
    if (log_gate_opens(&w->gate, clock_mono_ms()))
        log_warn("log.checkpoint", "reason=\"%s\"", err_text(err));
    return E_OK;
}

/* The entries of one or more whole ticks, in one commit (P7: a seal is never split). */
static int commit(struct writer *w, uint64_t from, uint64_t to) {
    struct journal *j = w->config.journal;
    struct store *s = w->config.store;
    uint64_t lsn = 0;
    int err = E_OK;

    for (uint64_t seq = from; seq < to && err == E_OK; seq++) {
        struct row row = row_of(journal_at(j, seq));
        err = s->kind->append(s, &row);
    }
    err = s->kind->commit(s, &lsn);
    if (is_fatal(err)) return err;
    set_read_only(w, err);                      /* before the reactor hears of it */
    if (err != E_OK) {
        journal_failed(j, err);
        return E_OK;
    }
    journal_committed(j, to, lsn);
    atomic_fetch_add_explicit(&w->commits, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&w->rows, to - from, memory_order_relaxed);
    w->unchecked = true;
    return checkpoint(w, false);
}

/* Nothing to commit for a while: is there space again, can the WAL be emptied? */
static int when_idle(struct writer *w) {
    if (!w->probing) return checkpoint(w, true);
    int err = w->config.store->kind->probe(w->config.store);
    if (!is_fatal(err)) set_read_only(w, err);
    return is_fatal(err) ? err : E_OK;
}

/* True: woken. False: nothing came for as long as there is something else to do. */
static bool wait_for_work(struct writer *w) {
    struct pollfd p = { .fd = w->config.journal->wakeup_writer, .events = POLLIN };
    int wait_ms = w->probing ? PROBE_MS : w->unchecked ? IDLE_MS : -1;
    int n = poll(&p, 1, wait_ms);
    if (n == 0) return false;
    uint64_t count;
    ssize_t got = read(p.fd, &count, sizeof count);
    must(got == sizeof count || errno == EAGAIN);
    return true;
}

/* A failing fsync cannot be tried again: the kernel may have dropped the pages it could not write
 * and would report success. Only reading the file anew tells what is there. */
static void fatal(struct writer *w, int err) {
    log_error("log.failed", "reason=\"%s\" action=\"stopping: nothing more is acknowledged\"", err_text(err));
    atomic_store_explicit(&w->read_only, err, memory_order_release);
    if (w->config.on_fatal) w->config.on_fatal(w->config.ctx, err);
}

static int turn(struct writer *w) {
    uint64_t from, to;
    if (journal_pending(w->config.journal, &from, &to)) return commit(w, from, to);
    if (wait_for_work(w)) return E_OK;
    return when_idle(w);
}

static bool is_done(struct writer *w) {
    uint64_t from, to;      /* stop first: what was sealed before it is seen then */
    return atomic_load_explicit(&w->stop, memory_order_acquire) &&
           !journal_pending(w->config.journal, &from, &to);
}

static void *run_writer(void *arg) {
    struct writer *w = arg;
    int err = E_OK;
    while (err == E_OK && !is_done(w)) err = turn(w);
    if (err == E_OK) err = checkpoint(w, true);
    if (err != E_OK) fatal(w, err);
    return NULL;
}

int writer_start(struct writer *w, const struct writer_config *config) {
    *w = (struct writer){ .config = *config };
    sigset_t all, before;
    uint64_t lsn = 0;
    if (config->store->kind->commit(config->store, &lsn) == E_OK)   /* nothing: tells where the log ends */
        atomic_store_explicit(&config->journal->lsn, lsn, memory_order_relaxed);
    sigfillset(&all);                           /* signals are the reactor's */
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failed = pthread_create(&w->thread, NULL, run_writer, w);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failed) return E_OVERLOADED;
    pthread_setname_np(w->thread, "writer");
    return E_OK;
}

void writer_stop(struct writer *w) {
    uint64_t one = 1;
    atomic_store_explicit(&w->stop, true, memory_order_release);
    ssize_t n = write(w->config.journal->wakeup_writer, &one, sizeof one);
    must(n == sizeof one);
    pthread_join(w->thread, NULL);
}
