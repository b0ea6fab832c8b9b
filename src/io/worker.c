/* worker.c -- one thread, two rings of job pointers, two eventfds.
 *
 * Invariants:
 *   K1  A ring has one thread that pushes and one that pops: tail is stored by the first, head by
 *       the second. A job is visible to the other side after the release of its place.
 *   K2  Jobs run, and are done, in the order they were submitted. */
#include "io/worker.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/err.h"
#include "base/must.h"

_Static_assert((LIMIT_JOBS & (LIMIT_JOBS - 1)) == 0, "the ring wraps with a mask");

static bool push(struct job_ring *r, struct job *job) {
    uint64_t tail = atomic_load_explicit(&r->tail, memory_order_relaxed);

    if (tail - atomic_load_explicit(&r->head, memory_order_acquire) == LIMIT_JOBS) return false;
    r->jobs[tail & (LIMIT_JOBS - 1)] = job;
    atomic_store_explicit(&r->tail, tail + 1, memory_order_release);
    return true;
}

static struct job *pop(struct job_ring *r) {
    uint64_t head = atomic_load_explicit(&r->head, memory_order_relaxed);

    if (head == atomic_load_explicit(&r->tail, memory_order_acquire)) return NULL;
    struct job *job = r->jobs[head & (LIMIT_JOBS - 1)];
    atomic_store_explicit(&r->head, head + 1, memory_order_release);
    return job;
}

static void wake(int fd) {
    ssize_t n = write(fd, &(uint64_t){ 1 }, sizeof(uint64_t));
    must(n == sizeof(uint64_t) || errno == EAGAIN);     /* EAGAIN: it is more than awake */
}

static void unwake(int fd) {
    uint64_t count;
    ssize_t n = read(fd, &count, sizeof count);
    must(n == sizeof count || errno == EAGAIN || errno == EINTR);
}

/* ---- on the worker ------------------------------------------------------------------------- */

static void wait_for(const struct worker *w, int ms, bool extra) {
    struct pollfd fds[2] = {
        { .fd = w->wakeup_worker, .events = POLLIN },
        { .fd = extra ? w->config.extra_fd : -1, .events = POLLIN },
    };
    int n = poll(fds, 2, ms);
    must(n >= 0 || errno == EINTR);
    if (n > 0 && fds[0].revents) unwake(w->wakeup_worker);
}

void worker_post(struct worker *w, struct job *job) {
    bool waited = false;

    while (!push(&w->out, job)) {
        atomic_store(&w->out_full, true);
        if (push(&w->out, job)) break;      /* drained in between: nobody would wake us */
        wake(w->wakeup_reactor);
        wait_for(w, -1, false);
        waited = true;
    }
    wake(w->wakeup_reactor);
    if (waited) wake(w->wakeup_worker);     /* the wakeup this wait took may have been for `work` */
}

static void *work(void *arg) {
    struct worker *w = arg;

    for (;;) {
        bool stop = atomic_load(&w->stop);      /* before the ring: what came before it is run */
        struct job *job;
        while ((job = pop(&w->in))) {
            job->run(job, w->config.ctx);
            worker_post(w, job);
        }
        if (stop) break;
        wait_for(w, w->config.tick ? w->config.tick(w->config.ctx) : -1, true);
    }
    atomic_store(&w->ended, true);
    wake(w->wakeup_reactor);
    return NULL;
}

/* ---- on the reactor ------------------------------------------------------------------------ */

int worker_start(struct worker *w, const struct worker_config *config) {
    sigset_t all, before;

    memset(w, 0, sizeof *w);
    w->config = *config;
    w->wakeup_worker = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    w->wakeup_reactor = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    bool started = w->wakeup_worker >= 0 && w->wakeup_reactor >= 0 &&
                   pthread_create(&w->thread, NULL, work, w) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (!started) {
        if (w->wakeup_worker >= 0) close(w->wakeup_worker);
        if (w->wakeup_reactor >= 0) close(w->wakeup_reactor);
        return E_IO;
    }
    pthread_setname_np(w->thread, config->name);
    return E_OK;
}

bool worker_submit(struct worker *w, struct job *job) {
    if (!push(&w->in, job)) return false;
    wake(w->wakeup_worker);
    return true;
}

void worker_drain(struct worker *w) {
    struct job *job;

    unwake(w->wakeup_reactor);
    while ((job = pop(&w->out))) {
        if (atomic_exchange(&w->out_full, false)) wake(w->wakeup_worker);
        job->done(job);
    }
}

void worker_stop(struct worker *w) {
    atomic_store(&w->stop, true);
    wake(w->wakeup_worker);
    while (!atomic_load(&w->ended)) {       /* it may wait for space in `out` */
        struct pollfd fd = { .fd = w->wakeup_reactor, .events = POLLIN };
        poll(&fd, 1, -1);
        worker_drain(w);
    }
    pthread_join(w->thread, NULL);
    worker_drain(w);
    close(w->wakeup_worker);
    close(w->wakeup_reactor);
}
