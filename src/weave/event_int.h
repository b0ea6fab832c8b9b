/* event_int.h -- what one apply changed, gathered before it is tidied up and told afterwards. */
#ifndef WEAVE_EVENT_INT_H
#define WEAVE_EVENT_INT_H

#include "weave/edit_int.h"

struct pool {                   /* pieces freed together */
    void **list;
    uint32_t n, cap;
};

void *pool_get(struct pool *p, size_t size);        /* zeroed; never NULL */
struct weave_bytes pool_copy(struct pool *p, struct slice s);
struct weave_value pool_value(struct pool *p, struct weave_value v);    /* its bytes copied */

/* Did the unit come, or go, in the transaction under way? Ranges must be sorted. */
bool event_is_new(const struct weave *w, const struct item *x);
bool ranges_hold(const struct ranges *r, struct uid id);

/* The list change of `type`, into `event`. */
void delta_gather(struct weave *w, struct pool *pool, uint32_t type, struct weave_event *event);

struct report *report_gather(struct weave *w, const struct weave_observer *observer);
void report_send(struct report *r, const struct weave_observer *observer);      /* frees it */

#endif
