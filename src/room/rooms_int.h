/* rooms_int.h -- between room.c (one document) and rooms.c (opening, closing, all of them). */
#ifndef ROOM_ROOMS_INT_H
#define ROOM_ROOMS_INT_H

#include "room/room_int.h"

void rooms_on_publish(void *ctx, struct entry *e, uint64_t lsn);
void rooms_on_dropped(void *ctx, struct entry *e, int err);

void room_learn_ids(struct room *r);            /* the reserved client ids that are its own (D1) */
void room_unload(struct room *r, int err);      /* A8; does nothing while it loads */
void room_load_later(struct room *r);           /* at the end of this turn */

void done_waiter_add(struct room *r, rooms_done *done, void *ctx);      /* told now when all is settled */
void done_waiter_fail(struct room *r, int err);
/* The first row: applied and appended. e.cause, who, message_id, done are given; references taken on
 * E_OK only. E_INVALID: the update is none. */
int room_import(struct room *r, struct slice hash_and_update, struct entry e);
void room_draw_lineage(struct room *r);
bool room_create_queued(struct room *r);
void pending_forget(struct member *m);

#endif
