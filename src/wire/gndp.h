/* gndp.h -- the JSON text messages of /ws/{user_id}. Pure.
 *
 *   client: {"type":"join","room":"atom:x","id":7}      also room_id for room; id may be left out
 *   server: {"type":"joined","id":7,"room":"atom:x","lineage":"...","scope":"read-write"}
 *           {"type":"ack","id":8}    {"type":"error","id":9,"code":"UNKNOWN_TYPE","detail":"..."}
 *
 * Whatever `id` a message has, a string or a number, its answer repeats it. */
#ifndef WIRE_GNDP_H
#define WIRE_GNDP_H

#include "wire/json.h"

#define GNDP_ID_MAX 136         /* the id as JSON text: a string of at most 64 bytes, or a number */

enum gndp_type { GNDP_JOIN, GNDP_LEAVE, GNDP_HEARTBEAT, GNDP_STATUS };
enum gndp_status { GNDP_NONE, GNDP_ACTIVE, GNDP_IDLE, GNDP_AWAY };

struct gndp_msg {
    enum gndp_type type;
    enum gndp_status status;    /* of heartbeat and status; NONE: not said */
    struct slice room;          /* join, leave: never empty. Borrowed from root */
    char id[GNDP_ID_MAX];       /* "" : none */
    const char *code, *detail;  /* after an error: static text */
    json_t *root;
};

/* E_OK, or E_INVALID with code (INVALID_JSON, INVALID_MESSAGE, UNKNOWN_TYPE) and detail, and the id
 * where it could be read. Either way gndp_deinit. */
int gndp_decode(struct slice text, struct gndp_msg *out);
void gndp_deinit(struct gndp_msg *m);


/* Each writes a whole message; id "" and room empty are left out. */
void gndp_encode_ack(struct buf *out, const char *id);
void gndp_encode_error(struct buf *out, const char *id, const char *code, const char *detail, struct slice room);
void gndp_encode_joined(struct buf *out, const char *id, struct slice room, const char *lineage, bool may_edit);
void gndp_encode_pong(struct buf *out, const char *id, uint64_t time_ms);
void gndp_encode_about(struct buf *out, const char *type, struct slice room, const char *reason);  /* rebase, readonly */

struct gndp_person {
    struct slice user, name, room;
    const char *colour;
    enum gndp_status status;
    uint64_t since_ms;
};
void gndp_encode_person(struct buf *out, const struct gndp_person *p);      /* one object of `people` */

#endif
