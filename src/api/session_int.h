/* session_int.h -- a session and its dialects: session.c, ws_yjs.c, ws_mux.c, ws_json.c, people.c. */
#ifndef API_SESSION_INT_H
#define API_SESSION_INT_H

#include "api/session.h"
#include "base/buf.h"
#include "base/log.h"
#include "base/map.h"
#include "room/member.h"
#include "wire/gndp.h"

#define WHEEL 64                /* seconds ahead that a session's next look can lie */
#define REFUSALS 1024

enum pause { PAUSE_STALLED = 1, PAUSE_RATE = 2, PAUSE_CLOSING = 4, PAUSE_HELD = 8 };

struct stash {                  /* what came and could not be taken yet (A7) */
    enum ws_kind kind;
    bool has_message;
    struct frame *message;      /* the message to give again */
    uint8_t *rest;              /* bytes behind it, not parsed yet */
    size_t rest_len;
};

struct joining_json {           /* a JSON join that waits for its room */
    struct joining_json *next;
    struct member *member;
    char id[GNDP_ID_MAX];
};

struct session {
    struct outlet outlet;       /* first: the rooms call back with it */
    struct sessions *all;
    struct principal *who;
    struct ws ws;
    struct stash *stash;        /* NULL: nothing is waiting */
    struct joining_json *joins;
    struct session *next, *before;      /* in its slot of the wheel */
    struct person_online *person;       /* in the list of people, or NULL */
    struct session *next_person;        /* of the same person */
    struct session *next_workspace;     /* subscribed to people and entities */
    uint64_t heard_ms;          /* loop time */
    uint64_t close_ms;          /* closing or held: since when */
    int64_t tokens;             /* bytes it may still send (A7) */
    uint64_t tokens_ms;
    struct session *next_rated;
    uint16_t close_code;
    uint8_t dialect, paused, status, slot;
    bool inflate, ack_ids, is_app, awaits_token;
    bool is_closing, is_rated, is_workspace, is_binary, is_hidden;
};

struct refusal { uint64_t key, first_ms; uint32_t n; };

struct person_online {          /* one user id, however many connections */
    struct principal *who;
    struct session *first;
    uint64_t since_ms;          /* Unix time */
    uint8_t colour;
};

struct sessions {
    struct sessions_config config;
    struct ws_codec *codec;
    struct session *wheel[WHEEL];
    struct session *rated;
    struct loop_timer wheel_timer, rate_timer, people_timer;
    uint64_t wheel_s;           /* the second that was looked at last */
    uint32_t n;
    uint64_t draining_ms;       /* 0: not; else when it began */
    uint32_t drain_spread_ms, drain_n;
    struct refusal *refusals;
    struct map online;          /* user id -> person_online */
    uint32_t colours[8];
    struct buf entities;        /* "kind" "id" pairs to be told, as JSON objects joined by commas */
    struct session *workspace;
    struct log_gate refused_gate;
    bool people_changed;
    uint64_t people_told_ms;
    struct buf out;             /* for one call at a time */
};

/* session.c */
void session_close(struct session *s, uint16_t code, const char *reason);
bool session_hold(struct session *s, struct slice room, uint16_t code);     /* A10: closed later; false: not needed */
void session_send_text(struct session *s);      /* what is in all->out */
void session_look_at(struct session *s, uint32_t in_s);
extern const struct outlet_handler session_handler;

/* Dialects. E_OK, E_AGAIN (give the same message again later), or the error that ends the session. */
void ws_yjs_open(struct session *s, struct slice target);
int ws_yjs_message(struct session *s, struct slice message);
void ws_yjs_refused(struct session *s, struct slice room, int err, const char *why);
int ws_mux_message(struct session *s, struct slice message);
void ws_mux_joined(struct session *s, struct member *m);
void ws_mux_refused(struct session *s, struct member *m, int err, const char *why);
int ws_json_message(struct session *s, struct slice text);
void ws_json_joined(struct session *s, struct member *m);
void ws_json_refused(struct session *s, struct member *m, int err, const char *why);
void ws_json_forget(struct session *s);         /* joins that wait */

/* people.c: who is online, and which entities changed */
void people_add(struct session *s);
void people_remove(struct session *s);
void people_changed(struct sessions *all);
void people_subscribe(struct session *s);
void people_unsubscribe(struct session *s);
void people_deinit(struct sessions *all);

static inline uint64_t session_now_ms(const struct session *s) { return loop_now_ms(s->all->config.loop); }

#endif
