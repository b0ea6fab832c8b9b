/* json.h -- a JSON file as a tree that knows its bytes, and a tree as JSON.
 *
 * Pure; any thread. RFC 8259, with limits; duplicate keys are refused, order is kept. jansson, which
 * reads JSON elsewhere, does not say where in the file a value stands. */
#ifndef FILES_JSON_H
#define FILES_JSON_H

#include "files/node.h"

struct json_style {
    int indent;                 /* spaces a level; 0: all on one line without spaces */
    bool ascii;                 /* \u escapes for what is not ASCII */
    bool final_newline;
};

/* E_OK, or E_INVALID or E_TOO_LARGE with *problem. `ours` as in yaml_read. */
int json_read(struct slice file, bool ours, struct tree *t, struct problem *problem);

void json_write(const struct node *n, const struct json_style *style, struct buf *out);
void json_compact(const struct node *n, struct buf *out);

/* The bytes of `file` (read as `was`) changed to hold `want`, in the style found; only lines of what changed differ
 * where the file is laid out as a program lays it out. */
void json_splice(struct slice file, const struct node *was, const struct node *want, struct buf *out);

#endif
