/* loop.h -- the reactor's epoll loop: who is readable or writable, and timers.
 *
 * A source embeds `struct loop_source` and is called back with the events; the callback may remove
 * or free any source, its own included (events of removed sources in the same turn are not
 * delivered). Timers are one-shot, embedded, in a heap; monotonic milliseconds. */
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

struct loop *loop_new(void);
void loop_free(struct loop *l);

int loop_add(struct loop *l, struct loop_source *source);                       /* E_OK or E_IO */
void loop_change(struct loop *l, struct loop_source *source, uint32_t events);
void loop_remove(struct loop *l, struct loop_source *source);                   /* does not close the fd */

void loop_timer_set(struct loop *l, struct loop_timer *timer, uint64_t due_ms); /* moves it when already set */
void loop_timer_clear(struct loop *l, struct loop_timer *timer);

/* One turn: wait (at most until the next timer), call sources, then due timers. */
void loop_turn(struct loop *l);
uint64_t loop_now_ms(const struct loop *l);     /* the time this turn began */

#endif
