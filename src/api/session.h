/* session.h -- one WebSocket connection: frames in, rooms, frames out. Reactor thread.
 *
 * The HTTP side (api/listener) has checked Host, Origin and identity and has written the 101
 * response; from then on the connection belongs to the session. */
#ifndef API_SESSION_H
#define API_SESSION_H

#include "io/conn.h"
#include "room/principal.h"
#include "room/room.h"

struct sessions;                /* all of them; made by main with the rooms they join */

enum dialect {
    DIALECT_YJS,                /* WS /yjs/{room}: one room, y-protocols */
    DIALECT_MUX,                /* WS /ws/{user_id}: text JSON and binary room-name frames */
};

struct upgrade {
    enum dialect dialect;
    struct slice target;        /* percent-decoded once: the room name after /yjs/, or the user id; borrowed */
    struct principal *who;      /* transferred */
    bool inflate;               /* permessage-deflate was agreed (no context takeover): messages may come compressed */
    bool deflate;               /* and we may compress to this client */
    bool awaits_token;          /* DIALECT_MUX: who it is comes in its first auth message, within 10 s; until
                                   then `who` is a guest with the user id of the address */
    bool ack_ids;               /* /yjs/ with ?ack=ids (A1) */
    bool is_app;                /* our own web app (subprotocol covalent.v1): gets 4408, rebase, own frames */
};

struct sessions_config {
    struct rooms *rooms;
    struct loop *loop;
    /* Is this a valid token of that same person (A1: the auth message)? NULL: there is no secret,
     * any token passes. */
    bool (*token_is_valid)(void *ctx, struct slice token, const struct principal *who);
    /* Who this token is of, or NULL; the reference is the caller's. For awaits_token. */
    struct principal *(*sign_in)(void *ctx, struct slice token);
    void *ctx;
};

struct sessions *sessions_new(const struct sessions_config *config);
void sessions_free(struct sessions *all);       /* after every connection has closed */

/* Takes the connection over. Never fails: a refusal is a WebSocket close. */
void session_open(struct sessions *all, struct conn *c, const struct upgrade *u);

/* Drain: every session is closed with 1012, spread evenly over that time; new ones at once. */
void sessions_close_all(struct sessions *all, uint32_t spread_ms);
uint32_t sessions_count(const struct sessions *all);

/* Tell the web apps that entities were created, changed, renamed or deleted (message `entities`, sent
 * to those who joined `workspace`, at most once a second, each entity once). Borrowed for the call. */
struct entity_name { struct slice kind, id; };
void sessions_entities_changed(struct sessions *all, const struct entity_name *changed, size_t n);

#endif
