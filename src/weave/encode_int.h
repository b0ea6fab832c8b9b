/* encode_int.h -- writing structs: whole, in part, or joined to the one before.
 *
 * Structs are written in clock order of one client. `tail` remembers the last one written, so that
 * the next may continue it: "a" then "b" typed after it become "ab". That is what Yjs' own
 * documents hold, and lossless in an update (an item is split again wherever it must be).
 *
 *   E-1  joined: two GC or two Skip that touch; two items of one client, of the same content among
 *        Deleted, String, Any, JSON, where the second's origin is the first's last unit and the
 *        right origins are the same; under a map key only Deleted.
 *   E-2  a part that starts at unit n: the clock moves by n, the origin becomes the unit before, so
 *        no parent is written; a string cut inside a surrogate pair starts with U+FFFD, as in Yjs. */
#ifndef WEAVE_ENCODE_INT_H
#define WEAVE_ENCODE_INT_H

#include "base/buf.h"
#include "weave/decode_int.h"

struct tail {               /* all 0: nothing to join to */
    struct id next;         /* the client, and the clock that would continue it */
    struct id right;
    uint8_t info, kind;
    bool is_set;
    size_t content;         /* where in the buffer its content starts */
};

/* Writes s, joined to the tail where E-1 allows; true: a struct of its own began, to be counted.
 * The tail belongs to the bytes at b's end: clear it when they are gone. */
bool encode_struct(struct buf *b, struct tail *t, const struct decoded *s);

/* The units [from, from + len) of s, borrowing its bytes. len ends before s only for strings, GC,
 * Skip and Deleted, and then not inside a surrogate pair. */
struct decoded struct_part(const struct decoded *s, uint32_t from, uint32_t len);
static inline struct decoded struct_from(const struct decoded *s, uint32_t from) {
    return from == 0 ? *s : struct_part(s, from, s->len - from);
}

/* The same units as a tombstone: an item's place in its list, without its content. */
struct decoded struct_deleted(const struct decoded *s, uint32_t from, uint32_t len);

struct decoded struct_skip(struct id first, uint32_t len);

void sink_uint(struct weave_sink out, uint64_t value);
static inline void sink_put(struct weave_sink out, const uint8_t *at, size_t len) {
    if (len > 0) out.write(out.ctx, at, len);
}

#endif
