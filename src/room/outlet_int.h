/* outlet_int.h -- between fanout.c (rooms' logs) and outlet.c (one connection's output). */
#ifndef ROOM_OUTLET_INT_H
#define ROOM_OUTLET_INT_H

#include "room/room_int.h"

void outlet_push_log(struct outlet *o, struct member *m, uint64_t from, uint64_t to);
void outlet_put_counted(struct outlet *o, struct member *m, struct frame *f);   /* transfer; counts as lag */
void outlet_mark_dirty(struct outlet *o);
void outlet_write_dirty(struct rooms *all);

/* The member leaves, or its cursor is dropped: nothing of its log is needed any more. */
void outlet_forget(struct outlet *o, struct member *m);
size_t outlet_lag(const struct outlet *o, const struct member *m);      /* bytes of rooms, not sent yet */
uint64_t outlet_first(const struct outlet *o, const struct member *m);  /* the first place still needed */

void outlet_wait(struct outlet *o);             /* on_ready is wanted */
void outlet_tell_waiting(struct rooms *all);
bool members_replay(struct outlet *o);          /* what its members held; false: not all could go in */

void fanout_is_dry(struct member *m);       /* its outlet has sent everything */
void member_resync(struct member *m);       /* the whole document, as far as it is durable */

#endif
