/* member.h -- a participant of a room, and the output of the connection it came on. Reactor thread.
 *
 * A session owns one `struct outlet` and joins rooms with it: once for /yjs/, up to
 * LIMIT_ROOMS_PER_CONNECTION times for /ws/. What a member says goes in by the member_on_ functions;
 * what the room says leaves through the outlet, already framed for the member's dialect.
 *
 * What an outlet still has to send is an ordered list of segments: a range of a room's byte log
 * (room/fanout.c), or a frame of its own. A member is a cursor into its room's log. */
#ifndef ROOM_MEMBER_H
#define ROOM_MEMBER_H

#include "base/frame.h"
#include "io/conn.h"
#include "room/room.h"
#include "wire/ws.h"
#include "wire/y.h"

struct member;
struct outlet;
struct segment;

/* How a room's messages are framed for a member. The deflated twin of a dialect is the next number. */
enum channel {
    CHANNEL_YJS = 0,            /* one y-protocols message in a binary frame */
    CHANNEL_MUX = 2,            /* the room's name before it */
    CHANNEL_LOGS = 4,           /* those that share a log */
    CHANNEL_NAMED = 4,          /* as MUX with a wire name of the member's own: framed for it alone */
    CHANNEL_SILENT = 5,         /* a JSON member: in the room, but gets no binary messages */
};

/* Callbacks upward. None may free the outlet. */
struct outlet_handler {
    void (*on_joined)(struct outlet *o, struct member *m);      /* loaded; now its messages are answered */
    /* The room cannot serve this member: err and why in words. The member is gone after the call. */
    void (*on_refused)(struct outlet *o, struct member *m, int err, const char *why);
    /* A commit failed and acknowledgements were lost (A8): the socket must start again. */
    void (*on_lost)(struct outlet *o);
    void (*on_read_only)(struct outlet *o, struct member *m, const char *why);  /* "" : writable again */
    void (*on_ready)(struct outlet *o);         /* what outlet_is_busy or member_on_ waited for has passed */
    void (*on_empty)(struct outlet *o);         /* wants_empty, and everything is in the kernel */
};

struct outlet {                 /* embedded in a session */
    struct conn *conn;
    struct rooms *all;
    const struct outlet_handler *handler;
    struct member *members;     /* linked by next_of_outlet */
    struct segment *segments;   /* [first, n) is still to be sent; NULL while there is none */
    struct outlet *next_dirty, *next_waiting;
    size_t own_bytes;           /* of frames of its own, those that wait for a commit included */
    uint64_t sent_ms;           /* when the last message was put, loop time */
    uint64_t active_ms;         /* when its person last did something: an edit, a move */
    uint32_t first, n, cap;
    uint16_t n_members;
    bool is_dirty, is_blocked, deflate;
    bool is_waiting;            /* on_ready is wanted */
    bool wants_empty;           /* set by the owner */
};

void outlet_init(struct outlet *o, struct rooms *all, struct conn *c, const struct outlet_handler *h);
void outlet_deinit(struct outlet *o);       /* leaves every room */
void outlet_on_writable(struct outlet *o);

/* Queue one WebSocket message or, with `raw`, bytes that are frames already. Copied. */
void outlet_put(struct outlet *o, enum ws_opcode opcode, struct slice message);
void outlet_put_raw(struct outlet *o, struct slice frames);
struct member *outlet_find(const struct outlet *o, struct slice wire_name);    /* NULL: not joined */

/* Should its connection not be read for now: more than LIMIT_QUEUE_BYTES of answers wait to be sent
 * or committed (then on_ready follows when they are gone)? */
bool outlet_is_busy(struct outlet *o);

struct member {
    struct room *room;
    struct outlet *outlet;
    struct member *next, *before;       /* in the room */
    struct member *next_of_outlet;
    struct member *next_joining;        /* is told at the end of the turn that it has joined */
    struct principal *who;              /* borrowed from the session */
    struct person *person;              /* its presence (room/presence.c), or NULL */
    struct member_more *more;           /* what few members have at a time, or NULL */
    uint64_t cursor;                    /* into its room's log, where it has one */
    uint32_t number;                    /* entry.author */
    uint8_t channel;
    bool may_edit;
    bool acks;                          /* SyncStatus after the commit (A1) */
    bool is_app;
    bool is_to_tell;                    /* in the queue of those that will be told */
    bool was_told;                      /* has got the others' presence */
    bool is_behind;                     /* its cursor was dropped; resync when the outlet is empty */
    bool is_lean;                       /* slow: gets no presence until the outlet is empty */
    bool is_denied;                     /* was told once that it may not edit */
    bool is_missing;                    /* updates of its were dropped (A8): ask again when possible */
    bool is_joining;
    bool is_joined;                     /* on_joined was called */
    bool is_unanswered;                 /* a failed commit took an answer from it (A8) */
};

struct joining {
    struct slice room;          /* canonical name, checked by name_parse */
    struct slice wire_name;     /* CHANNEL_NAMED: as the client wrote it */
    struct principal *who;      /* borrowed; the session keeps it while the member lives */
    enum channel channel;       /* YJS, MUX, NAMED or SILENT; the twin is chosen by the outlet */
    bool acks, is_app;
};

/* Join a room, opening it when it is closed. NULL and *err: E_TOO_LARGE (too many members or rooms).
 * Everything else is told later, by on_joined or on_refused, never from inside this call. */
struct member *room_join(struct outlet *o, const struct joining *j, int *err);
void room_leave(struct member *m);
void member_set_channel(struct member *m, const struct joining *j);    /* SILENT to another one */

const struct frame *member_room(const struct member *m);        /* the room's name */
struct slice member_wire_name(const struct member *m);           /* as its client writes it */
const char *member_lineage(const struct member *m);
const char *member_read_only(const struct member *m);           /* why nothing is saved now, or NULL */
bool member_is_joined(const struct member *m);

/* What the member says. E_OK, or E_AGAIN: not now (the journal is full, or too much is held while the
 * room loads): give the same message again after on_ready. Other errors are final: E_INVALID (the
 * bytes are no such thing), E_REPLACED (D1), E_TOO_LARGE (the document would pass its limit). */
int member_on_step_1(struct member *m, struct slice state);
int member_on_update(struct member *m, struct slice update, bool is_step_2);
int member_on_awareness(struct member *m, struct slice update);
int member_on_query(struct member *m);
int member_on_message(struct member *m, const struct y_msg *msg);      /* one of the four */

void member_send(struct member *m, struct slice y_message);     /* a message of its own, framed for it */
void member_ask(struct member *m);                              /* send our sync step 1 */

/* Liveness, told by the session: silent for 9 s (hidden from the others), heard again, and every few
 * seconds while its socket answers (a silent owner is sent again after 15 s, S2). */
void member_hide(struct member *m);
void member_heard(struct member *m);
void member_renew(struct member *m, uint64_t now_ms);

/* For the list of people: the person's state as the others see it, or NULL. */
bool member_has_presence(const struct member *m);

#endif
