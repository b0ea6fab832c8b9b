/* hocuspocus.h -- many rooms on one socket, in the framing HocuspocusProvider speaks. Pure.
 *
 * A binary message is string(name), varUint(kind), then what the kind says; `name` is the room, or
 * room NUL session where the client multiplexes several editors of one room (sessionAwareness). Two
 * messages have no name: the one byte 09 is a ping, the one byte 0a its answer.
 *
 *   0 sync              as in wire/y.h, after its first byte
 *   1 awareness         bytes(awareness update)
 *   2 auth              client: 0 string(token) string(version of the provider)
 *                       server: 1 string(reason), refused; 2 string("read-write" or "readonly")
 *   3 query awareness
 *   4 sync reply        as 0; wants no answer
 *   5 stateless         string(payload), to the server      6 broadcast stateless, to everybody
 *   7 close             leave the room; string(reason) from the server
 *   8 sync status       varInt 1: saved; 0: not
 *   9 ping  10 pong     in a room, the same meaning */
#ifndef WIRE_HOCUSPOCUS_H
#define WIRE_HOCUSPOCUS_H

#include "wire/y.h"

enum hocuspocus_kind {
    HOCUSPOCUS_SYNC = 0, HOCUSPOCUS_AWARENESS = 1, HOCUSPOCUS_AUTH = 2,
    HOCUSPOCUS_QUERY_AWARENESS = 3, HOCUSPOCUS_SYNC_REPLY = 4, HOCUSPOCUS_STATELESS = 5,
    HOCUSPOCUS_BROADCAST_STATELESS = 6, HOCUSPOCUS_CLOSE = 7, HOCUSPOCUS_SYNC_STATUS = 8,
    HOCUSPOCUS_PING = 9, HOCUSPOCUS_PONG = 10,
};

struct hocuspocus_msg {         /* slices are borrowed from the input */
    struct slice name;          /* as on the wire; empty for the one-byte ping and pong */
    struct slice room;          /* the name up to its NUL */
    enum hocuspocus_kind kind;
    enum y_step step;           /* of a sync or sync reply */
    struct slice body;          /* state vector, update, awareness update, token, payload */
};

/* E_OK, or E_INVALID for anything the dialect does not know. */
int hocuspocus_decode(struct slice in, struct hocuspocus_msg *out);

/* Each writes one whole message; the sync and awareness kinds are a name followed by wire/y.h. */
void hocuspocus_encode_name(struct buf *out, struct slice name);
void hocuspocus_encode_allowed(struct buf *out, struct slice name, bool may_edit);
void hocuspocus_encode_refused(struct buf *out, struct slice name, const char *reason);
void hocuspocus_encode_saved(struct buf *out, struct slice name);

#endif
