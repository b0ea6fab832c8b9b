/* loop.c -- epoll, level-triggered, and a binary heap of timers. Reactor thread.
 *
 * Invariants:
 *   L1  A source that was removed gets no more events, not even those of the turn in progress.
 *   L2  heap[t->place - 1] == t for every timer that is set; a parent is never due after its child. */
#include "io/loop.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/must.h"

#define EVENTS_PER_TURN 512     /* a turn stays short: the journal is sealed after it */

struct loop {
    int epoll;
    uint64_t now_ms;
    uint64_t (*clock)(void *ctx);
    void *clock_ctx;
    struct epoll_event events[EVENTS_PER_TURN];
    int at, n;                          /* the event being delivered, and how many there are */
    struct loop_timer **heap;
    uint32_t timers, timers_cap;
    struct loop_task *first, **last;    /* set tasks, in order */
};

struct loop *loop_new(void) {
    struct loop *l = calloc(1, sizeof *l);
    must(l);
    l->epoll = epoll_create1(EPOLL_CLOEXEC);
    must(l->epoll >= 0);
    l->last = &l->first;
    l->now_ms = clock_mono_ms();
    return l;
}

void loop_free(struct loop *l) {
    close(l->epoll);
    free(l->heap);
    free(l);
}

void loop_set_clock(struct loop *l, uint64_t (*now_ms)(void *ctx), void *ctx) {
    l->clock = now_ms;
    l->clock_ctx = ctx;
    l->now_ms = now_ms(ctx);
}

uint64_t loop_now_ms(const struct loop *l) { return l->now_ms; }

/* ---- sources ------------------------------------------------------------------------------- */

int loop_add(struct loop *l, struct loop_source *source) {
    struct epoll_event e = { .events = source->events, .data.ptr = source };
    return epoll_ctl(l->epoll, EPOLL_CTL_ADD, source->fd, &e) == 0 ? E_OK : E_IO;
}

void loop_change(struct loop *l, struct loop_source *source, uint32_t events) {
    struct epoll_event e = { .events = events, .data.ptr = source };

    if (source->events == events) return;
    source->events = events;
    must(epoll_ctl(l->epoll, EPOLL_CTL_MOD, source->fd, &e) == 0);
}

void loop_remove(struct loop *l, struct loop_source *source) {
    must(epoll_ctl(l->epoll, EPOLL_CTL_DEL, source->fd, NULL) == 0);
    for (int i = l->at; i < l->n; i++)
        if (l->events[i].data.ptr == source) l->events[i].data.ptr = NULL;
}

/* ---- timers -------------------------------------------------------------------------------- */

static void put(struct loop *l, uint32_t i, struct loop_timer *t) {
    l->heap[i] = t;
    t->place = i + 1;
}

static void sift_up(struct loop *l, uint32_t i, struct loop_timer *t) {
    while (i > 0 && l->heap[(i - 1) / 2]->due_ms > t->due_ms) {
        put(l, i, l->heap[(i - 1) / 2]);
        i = (i - 1) / 2;
    }
    put(l, i, t);
}

static void sift_down(struct loop *l, uint32_t i, struct loop_timer *t) {
    for (;;) {
        uint32_t child = 2 * i + 1;
        if (child >= l->timers) break;
        if (child + 1 < l->timers && l->heap[child + 1]->due_ms < l->heap[child]->due_ms) child++;
        if (l->heap[child]->due_ms >= t->due_ms) break;
        put(l, i, l->heap[child]);
        i = child;
    }
    put(l, i, t);
}

static void settle(struct loop *l, uint32_t i, struct loop_timer *t) {
    if (i > 0 && l->heap[(i - 1) / 2]->due_ms > t->due_ms) sift_up(l, i, t);
    else sift_down(l, i, t);
}

void loop_timer_set(struct loop *l, struct loop_timer *t, uint64_t due_ms) {
    t->due_ms = due_ms;
    if (t->place) {
        must(l->heap[t->place - 1] == t);
        settle(l, t->place - 1, t);
        return;
    }
    if (l->timers == l->timers_cap) {
        l->timers_cap = l->timers_cap ? l->timers_cap * 2 : 64;
        l->heap = realloc(l->heap, l->timers_cap * sizeof *l->heap);
        must(l->heap);
    }
    l->timers++;
    sift_up(l, l->timers - 1, t);
}

void loop_timer_clear(struct loop *l, struct loop_timer *t) {
    if (!t->place) return;
    uint32_t i = t->place - 1;
    must(l->heap[i] == t);
    struct loop_timer *last = l->heap[--l->timers];
    t->place = 0;
    if (last != t) settle(l, i, last);
}

static void run_timers(struct loop *l) {
    while (l->timers && l->heap[0]->due_ms <= l->now_ms) {
        struct loop_timer *t = l->heap[0];
        loop_timer_clear(l, t);
        t->on_timer(t, l->now_ms);
    }
}

/* ---- the turn ------------------------------------------------------------------------------ */

void loop_defer(struct loop *l, struct loop_task *task) {
    if (task->set) return;
    task->set = true;
    task->next = NULL;
    *l->last = task;
    l->last = &task->next;
}

void loop_defer_clear(struct loop *l, struct loop_task *task) {
    if (!task->set) return;
    struct loop_task **link = &l->first;
    while (*link != task) link = &(*link)->next;
    *link = task->next;
    if (l->last == &task->next) l->last = link;
    task->set = false;
}

static void run_tasks(struct loop *l) {
    while (l->first) {
        struct loop_task *task = l->first;
        l->first = task->next;
        if (!l->first) l->last = &l->first;
        task->set = false;
        task->on_turn_end(task);
    }
}

static uint64_t now(const struct loop *l) {
    return l->clock ? l->clock(l->clock_ctx) : clock_mono_ms();
}

/* How long may the wait last? -1: until something happens. */
static int wait_ms(const struct loop *l) {
    if (l->first || l->clock) return 0;
    if (!l->timers) return -1;
    uint64_t t = now(l), due = l->heap[0]->due_ms;
    if (due <= t) return 0;
    return due - t > 60000 ? 60000 : (int)(due - t);
}

void loop_turn(struct loop *l) {
    l->at = 0;
    l->n = epoll_wait(l->epoll, l->events, EVENTS_PER_TURN, wait_ms(l));
    must(l->n >= 0 || errno == EINTR);
    l->now_ms = now(l);
    for (; l->at < l->n; l->at++) {
        struct loop_source *source = l->events[l->at].data.ptr;
        if (source) source->on_events(source, l->events[l->at].events);
    }
    l->n = 0;
    run_timers(l);
    run_tasks(l);
}
