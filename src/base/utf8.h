/* utf8.h -- UTF-8 as the wire has it, lengths in UTF-16 units as Yjs counts them (RFC 3629). */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include "base/read.h"

bool utf8_is_valid(struct slice s);         /* no overlong forms, no surrogates, no gaps */
size_t utf8_units(struct slice s);          /* UTF-16 units of valid UTF-8 */
bool utf8_has_control(struct slice s);      /* any byte below 0x20, or DEL */

/* Byte offset of the UTF-16 unit `units` into valid UTF-8. *inside is set when that offset would
 * cut a surrogate pair; then the offset returned is that of the pair's character. */
size_t utf8_offset(struct slice s, size_t units, bool *inside);

#endif
