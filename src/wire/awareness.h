/* awareness.h -- presence on the wire: y-protocols awareness updates. Pure.
 *
 *   varUint(n), then n times: varUint(client) varUint(clock) string(state as JSON, or "null")
 *
 * An entry is taken by a peer when its clock is higher than the one known, or equal with state null. */
#ifndef WIRE_AWARENESS_H
#define WIRE_AWARENESS_H

#include "base/buf.h"
#include "base/read.h"

struct awareness_entry {
    uint64_t client, clock;
    struct slice state;         /* JSON text, borrowed; empty: null (the person is gone) */
};

/* Is it one whole, well-formed update? Then the entries can be read one by one. The states are not
 * parsed: a client repeats what it was told of others, and only its own entry is looked at. */
int awareness_check(struct slice update);
bool awareness_next(struct reader *r, uint64_t *left, struct awareness_entry *out);

/* Start reading a checked update: reader and number of entries. */
uint64_t awareness_begin(struct slice update, struct reader *r);

void awareness_encode(struct buf *out, const struct awareness_entry *e);    /* one entry, without n */

/* Who stands behind a state; the server's word, whatever the client says (S3). */
struct awareness_identity {
    const char *user;           /* id */
    const char *name;           /* NULL: a guest; its own `user` stays, but for `user.id` */
    const char *color, *color_light;
    unsigned color_index;
};

/* The state with its identity: E_OK and JSON text in *out; E_INVALID when it is no JSON object, too
 * deep, or too large before or after. A guest's state without an object `user` stays as it is. */
int awareness_stamp(struct slice state, const struct awareness_identity *who, struct buf *out);

#endif
