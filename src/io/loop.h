/* loop.h -- the reactor's epoll loop: who is readable or writable, and timers.
 *
 * A source embeds `struct loop_source` and is called back with the events; the callback may remove
 * or free any source, its own included, once it is removed (events of removed sources in the same
 * turn are not delivered). Timers are one-shot, embedded, in a heap; monotonic milliseconds. Tasks
 * are what somebody does once at the end of the turn, however often it was asked for in it. */
#ifndef IO_LOOP_H
#define IO_LOOP_H

#include <stdbool.h>
#include <stdint.h>

struct loop;

struct loop_source {
    int fd;
    uint32_t events;            /* EPOLLIN, EPOLLOUT, ... as asked for */
    void (*on_events)(struct loop_source *source, uint32_t events);
};

struct loop_timer {
    uint64_t due_ms;
    uint32_t place;             /* in the heap + 1; 0: not set */
    void (*on_timer)(struct loop_timer *timer, uint64_t now_ms);
};

struct loop_task {
    struct loop_task *next;
    bool set;
    void (*on_turn_end)(struct loop_task *task);
};

struct loop *loop_new(void);
void loop_free(struct loop *l);

int loop_add(struct loop *l, struct loop_source *source);                       /* E_OK or E_IO */
void loop_change(struct loop *l, struct loop_source *source, uint32_t events);
void loop_remove(struct loop *l, struct loop_source *source);                   /* does not close the fd */

void loop_timer_set(struct loop *l, struct loop_timer *timer, uint64_t due_ms); /* moves it when already set */
void loop_timer_clear(struct loop *l, struct loop_timer *timer);

/* Call it at the end of this turn. Set between two turns: the next one does not wait. A task that
 * is set again while tasks run is called in the same turn. */
void loop_defer(struct loop *l, struct loop_task *task);
void loop_defer_clear(struct loop *l, struct loop_task *task);

/* One turn: wait (at most until the next timer), call sources, then due timers, then tasks. */
void loop_turn(struct loop *l);
uint64_t loop_now_ms(const struct loop *l);     /* the time this turn began: when the wait ended */

/* For tests: time is what now_ms says, and a turn never waits. */
void loop_set_clock(struct loop *l, uint64_t (*now_ms)(void *ctx), void *ctx);

#endif
