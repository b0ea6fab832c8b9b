/* json_view.h -- looking into JSON text without building a tree. Pure; any thread.
 *
 * For text our own code wrote (entity_json, index.db): values are handed out as slices of the text and
 * copied verbatim, so numbers and strings come out exactly as they went in. On text that is no JSON
 * the answers are empty or odd, but nothing is read past the end. */
#ifndef PROJECTION_JSON_VIEW_H
#define PROJECTION_JSON_VIEW_H

#include "base/read.h"

/* Walk: struct slice rest = object; while (json_next_member(&rest, &key, &value)) ...
 * `key` is the raw text between its quotes; `value` is the whole value, strings with their quotes. */
bool json_next_member(struct slice *rest, struct slice *key, struct slice *value);
bool json_next_element(struct slice *rest, struct slice *value);

struct slice json_member(struct slice object, const char *key);     /* empty: not there */
struct slice json_quoted(struct slice value);   /* between the quotes, escapes untouched; empty: no string */
bool json_is_plain(struct slice string);        /* what json_quoted gave holds no escape: it is the text */

/* null, "", [], {}, 0, false or not there: what Python calls false. */
bool json_is_nothing(struct slice value);

#endif
