/* plan_int.h -- what of an update is new to a relay and what must wait, before anything changes.
 *
 *   N-1  A struct is new at or above its client's clock; one that lies across it is new in part.
 *   N-2  A struct fits when its client is known up to it, and each id of another client it is
 *        attached to (origin, right origin, parent) is known or fits too. That is Yjs' own check.
 *   N-3  A client's structs fit in order: behind one that waits, all wait.
 *   N-4  A deleted unit is new when it was not deleted and its struct is known or fits; the
 *        deletion of an unknown unit waits.
 *
 * Clients wait for each other along a stack: a struct that names an unknown unit has that client's
 * structs tried first, as far as needed. Where this ends at something the update does not hold,
 * all on the stack waits. So every struct is looked at a few times, whatever the order. */
#ifndef WEAVE_PLAN_INT_H
#define WEAVE_PLAN_INT_H

#include "weave/client_log_int.h"
#include "weave/update_int.h"

struct plan_block {
    uint64_t client;
    struct client_log *log;     /* NULL: a client not seen before */
    uint32_t clock;             /* how far the client would be known */
    struct decode rest;         /* what was not looked at, or waits */
    struct decode fits;         /* the structs that are new, the first maybe in part */
    uint64_t n_fits;
    uint32_t cut;               /* units of the first that are known */
    bool is_whole;              /* every struct is new: nothing known, nothing waiting, no Skip */
    bool is_waiting, is_on_stack;
};

struct plan_frame { uint32_t block; uint64_t until; };      /* go on while clock <= until */

struct plan {                   /* arrays are kept for the next plan */
    const struct weave_relay *relay;
    struct plan_block *blocks;  /* clients descending */
    size_t n, cap;
    struct plan_frame *stack;
    size_t depth, stack_cap;
    struct delete_set deletions, unknown;   /* new ones, and those that wait; sorted */
    struct weave_missing *missing;
    size_t n_missing, missing_cap;
    uint64_t bytes_new;         /* of structs that fit */
    uint64_t units_empty;       /* of GC and Deleted that fit: lengths no bytes stand for */
    size_t clients_new;
    bool has_structs, has_waiting, is_whole;
};

void plan_make(struct plan *p, const struct weave_relay *relay, const struct update *u);
void plan_deinit(struct plan *p);

#endif
