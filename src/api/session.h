/* session.h -- one WebSocket connection: frames in, rooms, frames out. Reactor thread.
 *
 * The HTTP side (api/listener) has checked Host, Origin and identity and has written the 101
 * response; from then on the connection belongs to the session. */
#ifndef API_SESSION_H
#define API_SESSION_H

#include "io/conn.h"
#include "room/principal.h"

struct sessions;                /* all of them; made by main with the rooms they join */

enum dialect {
    DIALECT_YJS,                /* WS /yjs/{room}: one room, y-protocols */
    DIALECT_MUX,                /* WS /ws/{user_id}: text JSON and binary room-name frames */
};

struct upgrade {
    enum dialect dialect;
    struct slice target;        /* percent-decoded once: the room name after /yjs/, or the user id; borrowed */
    struct principal *who;      /* transferred */
    bool deflate;               /* permessage-deflate (no context takeover) was agreed */
    bool ack_ids;               /* /yjs/ with ?ack=ids (A1) */
    bool is_app;                /* our own web app (subprotocol covalent.v1): gets 4408, rebase, own frames */
};

/* Takes the connection over. Never fails: a refusal is a WebSocket close. */
void session_open(struct sessions *all, struct conn *c, const struct upgrade *u);

#endif
