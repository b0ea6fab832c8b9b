/* utf8.h -- UTF-8 as the wire has it, lengths in UTF-16 units as Yjs counts them (RFC 3629). */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include "base/read.h"

bool utf8_is_valid(struct slice s);         /* no overlong forms, no surrogates, no gaps */
size_t utf8_units(struct slice s);          /* UTF-16 units of valid UTF-8 */
bool utf8_has_control(struct slice s);      /* any byte below 0x20, or DEL */

/* Validation of text that comes in pieces. Zero-initialised. utf8_feed answers false at the first byte
 * that no continuation can make valid; at the end of the text, utf8_feed_is_whole asks whether its last
 * character is complete. */
struct utf8_stream {
    uint8_t left;               /* bytes still to come of this character */
    uint8_t low, high;          /* what the next of them may be */
};

bool utf8_feed(struct utf8_stream *u, struct slice s);
static inline bool utf8_feed_is_whole(const struct utf8_stream *u) { return u->left == 0; }

/* Byte offset of the UTF-16 unit `units` into valid UTF-8. *inside is set when that offset would
 * cut a surrogate pair; then the offset returned is that of the pair's character. */
size_t utf8_offset(struct slice s, size_t units, bool *inside);

#endif
