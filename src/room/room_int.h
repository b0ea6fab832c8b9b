/* room_int.h -- the structs behind room.h and member.h, private to this module. */
#ifndef ROOM_ROOM_INT_H
#define ROOM_ROOM_INT_H

#include <weave.h>

#include "base/buf.h"
#include "base/map.h"
#include "room/loader.h"
#include "room/member.h"
#include "room/room.h"
#include "weave/bridge.h"

#define LIMIT_HELD_BYTES KIB(256)       /* a member's messages while its room loads */
#define LIMIT_OWN_IDS 64                /* client ids of the reserved range in one room */

/* ---- fan-out -------------------------------------------------------------------------------- */

struct fanout_log {                     /* frames of one dialect, back to back */
    uint8_t *at;
    size_t len, cap;
    uint64_t base;                      /* place of at[0]; places only grow */
    uint32_t n_members;
    struct frame *full;                 /* the whole document as a sync step 2, framed */
    uint64_t full_version;              /* of the document `full` shows */
};

static inline uint64_t fanout_end(const struct fanout_log *l) { return l->base + l->len; }

enum segment_kind { SEGMENT_OWN, SEGMENT_LOG };

struct segment {
    struct member *member;              /* LOG: whose room and channel; NULL: an own frame */
    union {
        struct { struct frame *frame; uint32_t at; } own;
        struct { uint64_t start, at, end; } log;    /* start: the last frame boundary up to at */
    } u;
};

void fanout_deinit(struct room *r);
void fanout_add(struct member *m);              /* its cursor starts at the end */
void fanout_remove(struct member *m);           /* what it has half sent becomes a frame of its own */

enum audience { TO_ALL, TO_ALL_AWAKE };         /* AWAKE: presence; not to members that are lean */

/* One y-protocols message to every member but `except`: framed once per channel in use. */
void fanout_message(struct room *r, struct slice y_message, struct member *except, enum audience to);

/* A message for one member, framed: a new reference. */
struct frame *fanout_frame(struct member *m, struct slice y_message);
void outlet_put_frame(struct outlet *o, struct member *m, struct frame *f);     /* transfer */
void fanout_flush(struct rooms *all);

/* ---- waiters (A2) --------------------------------------------------------------------------- */

struct waiter {
    struct waiter *next;
    struct member *member;
    struct frame *frame;
    uint64_t need;                      /* released when room->settled has reached it */
    uint32_t times;                     /* the frame is sent that often (acknowledgements) */
};

void waiter_add(struct member *m, struct frame *f);     /* transfer; sent now when nothing is uncommitted */
void waiter_release(struct room *r);
void waiter_drop(struct room *r, struct member *m);     /* NULL: all of the room's */

/* ---- pending (A6) --------------------------------------------------------------------------- */

struct asked_gap {                      /* a set of missing pairs we asked for, by its hash */
    uint64_t hash, at_ms;
};

struct pending {
    struct frame *updates[LIMIT_PENDING_UPDATES];
    uint32_t n, owed;                   /* acknowledgements owed when all of it has come in */
    size_t bytes;
};

struct held {                           /* a message that waits for the room to load */
    struct held *next;
    enum y_kind kind;
    enum y_step step;
    size_t len;
    uint8_t bytes[];
};

struct member_more {
    struct pending pending;
    struct asked_gap asked[4];
    struct held *held_first, *held_last;
    size_t held_bytes;
    bool is_replaying;
    struct frame *wire_name;
    uint32_t owed_early;                /* A1: acknowledgements held until the step 2 has come */
    uint32_t expected;                  /* sync step 2s that are to come, and for each a bit: */
    uint32_t expected_ack;              /* is it acknowledged? (lowest: the next) */
};

struct member_more *member_more(struct member *m);      /* made when absent */
void member_more_trim(struct member *m);                /* freed when it holds nothing */
void member_more_free(struct member *m);

/* ---- presence (S1-S5) ----------------------------------------------------------------------- */

struct presence;
int presence_update(struct member *m, struct slice update);
void presence_tell(struct member *m);                   /* send the others' states, once */
void presence_tell_later(struct member *m);              /* at the latest after 100 ms */
void presence_leave(struct member *m);
void presence_snapshot(struct member *m);               /* again, to a member that missed some */
void presence_free(struct room *r);
void presence_flush(struct rooms *all);                 /* rooms whose tick is due */
void presence_free_told(struct rooms *all);

/* ---- rooms ---------------------------------------------------------------------------------- */

enum room_stage { ROOM_LOADING, ROOM_OPEN };

struct queued {                         /* a submission that waits for the room to load */
    struct queued *next;
    enum { QUEUED_SUBMIT, QUEUED_CREATE, QUEUED_DELETE } what;
    enum row_cause cause;
    struct frame *bytes, *message_id;   /* message_id: or NULL */
    struct principal *who;              /* or NULL */
    char lineage[33];
    rooms_done *done;
    void *ctx;
};

struct done_waiter {                    /* a submission that changed nothing: told when all is durable */
    struct done_waiter *next;
    uint64_t need;
    rooms_done *done;
    void *ctx;
};

struct room {
    struct rooms *all;
    struct frame *name, *lineage;       /* lineage: 32 hex digits; NULL before the first load */
    struct frame *saved;                /* "it is on disk", framed for CHANNEL_MUX; NULL: not made yet */
    enum room_stage state;
    uint32_t serial;                    /* of the load in progress */
    struct weave_relay *relay;
    uint64_t *own_ids;                  /* D1: reserved client ids of this room's own content */
    uint32_t n_own_ids;
    uint32_t n_members, n_named;
    uint32_t n_pending, n_slow;         /* members that hold pending updates; that are lean or behind */
    uint64_t version;                   /* one more for each effective update */
    uint64_t appended, settled;         /* entries of this room: into the journal, and out of it */
    struct member *members;
    struct waiter *waiters_first, *waiters_last;
    struct done_waiter *done_first, *done_last;
    struct queued *queued_first, *queued_last;
    struct fanout_log logs[CHANNEL_LOGS];
    struct presence *presence;
    struct room *next_dirty;            /* has something to write */
    struct room *next_unloaded;         /* waits for the reader's ring, or its commit failed */
    struct loop_timer close_timer, hold_timer;
    uint64_t flushed_ms;
    bool is_dirty, is_unloaded, is_held, has_grown, is_deleted;
};

struct author { struct member *member; uint32_t in_flight, next_free; };

struct rooms {
    struct rooms_config config;
    struct map by_name;
    struct author *authors;             /* index: member.number - 1 */
    uint32_t n_authors, cap_authors, free_author;
    uint32_t serials;
    struct room *dirty, *unloaded;
    struct outlet *dirty_outlets, *waiting;
    struct presence *presence_due;
    struct told *told_first, *told_last;    /* joiners that get the others' states after 100 ms */
    struct loop_timer told_timer, read_only_timer, again_timer;
    struct member *joins;                   /* members of open rooms that have not been told so */
    struct loop_task joins_task;
    struct ws_codec *codec;
    struct buf scratch, message, framed;    /* for one call at a time */
    int read_only;                      /* as last seen */
    struct rooms_stats stats;
};

struct edit {                           /* one change on its way in */
    struct member *from;                /* NULL: not a member's */
    struct principal *who;              /* borrowed; NULL: the server */
    enum row_cause cause;
    struct slice update;
    struct frame *message_id;           /* borrowed, or NULL */
    rooms_done *done;
    void *ctx;
};

/* The one entrance of every change. E_OK and what the update meant, or a reason; then nothing has
 * changed: E_DENIED, E_TOO_LARGE, E_INVALID, E_REPLACED, E_OVERLOADED (the journal is full), E_FULL
 * and others (nothing can be saved now). */
int room_submit(struct room *r, const struct edit *e, struct weave_effect *effect);

struct room *room_open(struct rooms *all, struct slice name);       /* found or made; loading */
void room_close_later(struct room *r);          /* when it is empty */
bool room_is_settled(const struct room *r);
void room_mark_dirty(struct room *r);
void room_refuse_all(struct room *r, int err, const char *why);
int room_read_only(const struct room *r);       /* E_OK, or why nothing can be saved now */
int room_allows(const struct room *r, struct slice state);          /* D1: E_OK, E_REPLACED or E_INVALID */
void room_append(struct room *r, struct entry e);                   /* counts it; e.bytes is transferred */
void room_run_queued(struct room *r);           /* the room is open */
void room_fail_queued(struct room *r, int err);
void member_loaded(struct member *m);           /* the room has become open */
void member_tell_joined(struct member *m);      /* it is open already: at the end of this turn */
void member_forget_joined(struct member *m);
void pending_retry(struct room *r);

/* Submit; what cannot be integrated is held; `owed` acknowledgements leave when all of it is durable. */
int member_take(struct member *m, struct slice update, uint32_t owed, bool is_step_2);
void member_reloaded(struct member *m);         /* after a failed commit: asked again, answered again */
void member_free(struct member *m);             /* out of its room and outlet */
int pending_add(struct member *m, const struct weave_effect *effect, uint32_t owed);
void member_refuse(struct member *m, int err, const char *why);
uint64_t rooms_now_ms(const struct rooms *all);
void rooms_turn_again(struct rooms *all);       /* do not wait before the next turn */
bool room_has_space(const struct room *r, size_t update_len);       /* in the journal */
uint32_t author_take(struct rooms *all, struct member *m);
void author_leave(struct rooms *all, uint32_t number);
struct member *author_settle(struct rooms *all, uint32_t number);   /* one entry less in flight */

static inline struct slice frame_slice(const struct frame *f) { return (struct slice){ f->bytes, f->len }; }

#endif
