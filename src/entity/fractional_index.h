/* fractional_index.h -- order as a string that always has room between two others.
 *
 * Gives the same strings as npm fractional-indexing (base 62: 0-9A-Za-z, compared as bytes). Pure. */
#ifndef ENTITY_FRACTIONAL_INDEX_H
#define ENTITY_FRACTIONAL_INDEX_H

#include "base/buf.h"

bool fractional_index_is_valid(struct slice key);

/* A key between two: a empty: before b. b empty: after a. Both empty: the first key, "a0". False when
 * a is not before b or one is no key; nothing is written then. */
bool fractional_index_between(struct slice a, struct slice b, struct buf *out);

#endif
