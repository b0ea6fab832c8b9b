/* worker.h -- a named thread with a bounded ring of jobs: reader, projector, later outbound.
 *
 * The reactor submits a job; `run` is called on the worker; then `done` is called on the reactor, in
 * worker_drain. A worker may also post a job to the reactor by itself (only `done` is called). A job
 * is embedded in what it is for. It holds slot and generation of a connection, never a pointer to
 * one. Two rings, no lock (one thread at each end). */
#ifndef IO_WORKER_H
#define IO_WORKER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define LIMIT_JOBS 1024     /* a ring's length; a power of two */

struct job {
    void (*run)(struct job *job, void *ctx);    /* on the worker; ctx: the worker's own state */
    void (*done)(struct job *job);              /* on the reactor; frees the job */
};

struct job_ring {
    struct job *jobs[LIMIT_JOBS];
    _Atomic uint64_t head, tail;
};

struct worker_config {
    const char *name;                   /* at most 15 characters */
    void *ctx;
    /* Called after every wakeup and at the latest when `tick` said; returns ms until the next
     * call, or -1. NULL where a worker only runs jobs. */
    int (*tick)(void *ctx);
    int extra_fd;                       /* also wakes the worker when readable, or -1 */
};

struct worker {
    struct worker_config config;
    pthread_t thread;
    struct job_ring in, out;
    int wakeup_worker, wakeup_reactor;  /* eventfds; the reactor polls the second, then drains */
    _Atomic bool stop, ended;
    _Atomic bool out_full;              /* the worker waits for space in `out` */
};

/* E_OK, or E_IO when there is no thread or descriptor to be had. The signals of the process stay with
 * the reactor. */
int worker_start(struct worker *w, const struct worker_config *config);
void worker_stop(struct worker *w);                     /* runs what was submitted (`done` too), then joins */

bool worker_submit(struct worker *w, struct job *job);  /* reactor; false: the ring is full */
void worker_post(struct worker *w, struct job *job);    /* worker; waits while the ring is full */
void worker_drain(struct worker *w);                    /* reactor: run what is done */

#endif
