/* Jobs go over and come back in order, with full rings too. Run under the thread sanitizer. */
#include "io/worker.h"

#include <poll.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/err.h"
#include "t.h"

struct sum { struct job job; int n, doubled; };

static int done_n, next_expected, out_of_order;
static int seen_by_worker;      /* the worker's own */

static void run_job(struct job *job, void *ctx) {
    struct sum *s = (struct sum *)job;
    s->doubled = 2 * s->n + *(int *)ctx;
    seen_by_worker++;
}

static void done_job(struct job *job) {
    struct sum *s = (struct sum *)job;
    if (s->n != next_expected++ || s->doubled != 2 * s->n + 1) out_of_order++;
    done_n++;
    free(s);
}

static struct job *new_job(int n) {
    struct sum *s = calloc(1, sizeof *s);
    *s = (struct sum){ .job = { run_job, done_job }, .n = n };
    return &s->job;
}

static void wait_done(struct worker *w) {
    struct pollfd p = { .fd = w->wakeup_reactor, .events = POLLIN };
    poll(&p, 1, 5000);
    worker_drain(w);
}

static int one = 1;

static void k2_jobs_return_in_order(void) {
    struct worker *w = calloc(1, sizeof *w);
    enum { JOBS = 20000 };
    int submitted = 0;

    done_n = next_expected = out_of_order = 0;
    check(worker_start(w, &(struct worker_config){ .name = "test", .ctx = &one, .extra_fd = -1 }) == E_OK);
    while (done_n < JOBS) {
        while (submitted < JOBS) {
            struct job *job = new_job(submitted);
            if (!worker_submit(w, job)) {
                free(job);
                break;
            }
            submitted++;
        }
        wait_done(w);
    }
    check(out_of_order == 0);
    worker_stop(w);
    check(seen_by_worker == JOBS);
    free(w);
}

/* Nobody drains: `out` fills, the worker waits; stopping still runs and returns every job. */
static void k2_stop_runs_what_was_submitted(void) {
    struct worker *w = calloc(1, sizeof *w);
    int n = 0;

    done_n = next_expected = out_of_order = 0;
    check(worker_start(w, &(struct worker_config){ .name = "test", .ctx = &one, .extra_fd = -1 }) == E_OK);
    for (int refused = 0; refused < 100;) {     /* both rings full */
        struct job *job = new_job(n);
        if (worker_submit(w, job)) {
            n++;
            continue;
        }
        free(job);
        refused++;
        poll(NULL, 0, 1);
    }
    check(n >= 2 * LIMIT_JOBS);
    worker_stop(w);
    check(done_n == n && out_of_order == 0);
    free(w);
}

struct ticker { struct worker *w; int ticks, extra; };

static void posted(struct job *job) {
    done_n++;
    free(job);
}

static int tick(void *ctx) {
    struct ticker *t = ctx;
    uint64_t count;

    if (read(t->extra, &count, sizeof count) == sizeof count) {
        struct job *job = calloc(1, sizeof *job);
        job->done = posted;
        worker_post(t->w, job);
    }
    t->ticks++;
    return t->ticks < 5 ? 1 : -1;
}

static void k1_ticks_and_posts(void) {
    struct worker *w = calloc(1, sizeof *w);
    struct ticker t = { .w = w, .extra = eventfd(0, EFD_NONBLOCK) };

    done_n = 0;
    check(worker_start(w, &(struct worker_config){ .name = "ticks", .ctx = &t, .tick = tick,
                                                   .extra_fd = t.extra }) == E_OK);
    for (int i = 1; i <= 3; i++) {
        check(write(t.extra, &(uint64_t){ 1 }, 8) == 8);
        while (done_n < i) wait_done(w);
    }
    worker_stop(w);
    check(done_n == 3 && t.ticks >= 3);
    close(t.extra);
    free(w);
}

int main(void) {
    run(k2_jobs_return_in_order);
    run(k2_stop_runs_what_was_submitted);
    run(k1_ticks_and_posts);
    return t_exit();
}
