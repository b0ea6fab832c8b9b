/* json.h -- JSON text from outside, through jansson behind our limits. Pure.
 *
 * Refused: deeper than 32, more than 10,000 members, repeated keys, numbers that are not finite,
 * invalid UTF-8, lone surrogates, U+0000, anything after the value. Depth and members are counted
 * before jansson allocates. */
#ifndef WIRE_JSON_H
#define WIRE_JSON_H

#include <jansson.h>

#include "base/buf.h"

/* E_OK with a value to json_decref, E_INVALID or E_TOO_LARGE with a sentence in *why (never NULL). */
int json_parse(struct slice text, json_t **out, const char **why);

/* A string member, borrowed from the object; empty when it is absent or not a string. */
struct slice json_get_text(const json_t *object, const char *key);
bool json_get_uint(const json_t *object, const char *key, uint64_t *out);   /* an integer of 0 to 2^53-1 */

#endif
