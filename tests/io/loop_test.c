/* The loop's promises: order of timers, no events for removed sources, tasks at the end. */
#include "io/loop.h"

#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/err.h"
#include "t.h"

static struct loop *loop;
static uint64_t clock_ms;

static uint64_t fake_now(void *ctx) { return *(uint64_t *)ctx; }

static void start(void) {
    clock_ms = 1000;
    loop = loop_new();
    loop_set_clock(loop, fake_now, &clock_ms);
}

/* ---- timers -------------------------------------------------------------------------------- */

enum { N = 200 };
static struct loop_timer timers[N];
static uint64_t last_due, fired;
static bool in_order;

static void on_timer(struct loop_timer *t, uint64_t now_ms) {
    if (t->due_ms < last_due || t->due_ms > now_ms) in_order = false;
    last_due = t->due_ms;
    fired++;
}

static void l2_timers_fire_in_order(void) {
    unsigned seed = 7, set = 0;

    start();
    for (int round = 0; round < 50; round++) {
        for (int i = 0; i < N; i++) {
            seed = seed * 1103515245u + 12345u;
            timers[i].on_timer = on_timer;
            if ((seed >> 16) % 4 == 0) loop_timer_clear(loop, &timers[i]);
            else loop_timer_set(loop, &timers[i], clock_ms + (seed >> 16) % 97);
        }
        set = 0;
        for (int i = 0; i < N; i++) set += timers[i].place != 0;
        fired = 0;
        in_order = true;
        for (int step = 0; step < 97; step++) {
            clock_ms++;
            last_due = 0;
            loop_turn(loop);
        }
        check(in_order && fired == set);
    }
    loop_free(loop);
}

static void again(struct loop_timer *t, uint64_t now_ms) {
    if (++fired < 5) loop_timer_set(loop, t, now_ms + 10);
}

static void l2_a_timer_may_set_itself(void) {
    struct loop_timer t = { .on_timer = again };

    start();
    fired = 0;
    loop_timer_set(loop, &t, clock_ms);
    for (int i = 0; i < 100; i++) {
        loop_turn(loop);
        clock_ms++;
    }
    check(fired == 5 && t.place == 0);
    loop_free(loop);
}

/* With the real clock: the wait ends by the timer, not later than somebody would notice. */
static void l2_the_wait_ends_by_the_timer(void) {
    struct loop_timer t = { .on_timer = on_timer };

    loop = loop_new();
    fired = 0;
    last_due = 0;
    loop_timer_set(loop, &t, loop_now_ms(loop) + 20);
    while (!fired) loop_turn(loop);
    check(loop_now_ms(loop) >= t.due_ms);
    loop_free(loop);
}

/* ---- sources ------------------------------------------------------------------------------- */

struct pair { struct loop_source source; struct pair *other; bool called; };
static int calls;

static void remove_other(struct loop_source *source, uint32_t events) {
    struct pair *p = (struct pair *)source;

    check(events & EPOLLIN);
    calls++;
    loop_remove(loop, &p->other->source);
    loop_remove(loop, &p->source);
    close(p->other->source.fd);
    close(p->source.fd);
    free(p->other);
    free(p);
}

static void l1_removed_sources_get_no_events(void) {
    start();
    struct pair *a = calloc(1, sizeof *a), *b = calloc(1, sizeof *b);
    struct pair *both[] = { a, b };
    for (int i = 0; i < 2; i++) {
        both[i]->other = both[1 - i];
        both[i]->source = (struct loop_source){ eventfd(1, EFD_NONBLOCK), EPOLLIN, remove_other };
        check(loop_add(loop, &both[i]->source) == E_OK);
    }
    calls = 0;
    loop_turn(loop);
    check(calls == 1);      /* whichever came first freed both; the sanitizer sees a second */
    loop_turn(loop);
    check(calls == 1);
    loop_free(loop);
}

/* ---- tasks --------------------------------------------------------------------------------- */

static char trace[16];
static int traced;
static struct loop_task a_task, b_task;

static void task_b(struct loop_task *t) { (void)t; trace[traced++] = 'b'; }
static void task_a(struct loop_task *t) {
    (void)t;
    trace[traced++] = 'a';
    loop_defer(loop, &b_task);
}
static void timer_then_task(struct loop_timer *t, uint64_t now_ms) {
    (void)t, (void)now_ms;
    trace[traced++] = 't';
    loop_defer(loop, &a_task);
    loop_defer(loop, &a_task);
}

static void l3_tasks_run_once_at_the_end(void) {
    struct loop_timer t = { .on_timer = timer_then_task }, far = { .on_timer = on_timer };

    start();
    a_task.on_turn_end = task_a;
    b_task.on_turn_end = task_b;
    loop_timer_set(loop, &t, clock_ms);
    loop_turn(loop);
    loop_turn(loop);
    check(traced == 3 && trace[0] == 't' && trace[1] == 'a' && trace[2] == 'b');
    loop_defer(loop, &a_task);
    loop_defer(loop, &b_task);
    loop_defer_clear(loop, &b_task);
    loop_defer_clear(loop, &a_task);
    loop_turn(loop);
    check(traced == 3);
    loop_free(loop);

    loop = loop_new();      /* real clock: a task set between turns does not wait for the far timer */
    loop_timer_set(loop, &far, loop_now_ms(loop) + 3600000);
    loop_defer(loop, &b_task);
    loop_turn(loop);
    check(traced == 4);
    loop_free(loop);
}

int main(void) {
    run(l1_removed_sources_get_no_events);
    run(l2_timers_fire_in_order);
    run(l2_a_timer_may_set_itself);
    run(l2_the_wait_ends_by_the_timer);
    run(l3_tasks_run_once_at_the_end);
    return t_exit();
}
