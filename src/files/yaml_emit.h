/* yaml_emit.h -- a tree as YAML text, byte for byte what PyYAML's safe_dump(sort_keys=False,
 * default_flow_style=False) prints at width 80.
 *
 * Pure; any thread. libyaml's own emitter agrees with PyYAML except beyond U+FFFF (it escapes what
 * PyYAML writes as it is) and cannot write a piece at a given place, which splice.c needs. */
#ifndef FILES_YAML_EMIT_H
#define FILES_YAML_EMIT_H

#include "files/node.h"

#define YAML_WIDTH 80           /* a line is broken at the first single space behind this column */

struct yaml_place {             /* where in a file a value is written */
    size_t column;              /* characters already on the line */
    size_t indent;              /* column of the key it belongs to, or of the dash */
    size_t step;                /* deeper by this; 2 */
    size_t list_step;           /* a list's dashes are this much deeper than its key; 0 */
    bool unicode;               /* non-ASCII as it is; else escaped in double quotes */
    bool in_list;               /* after a dash, not after "key:" */
    bool flow;                  /* inside [ ] or { }: one line */
};

/* A whole file: the root at column 0, a newline at the end. */
void yaml_emit(const struct node *root, bool unicode, struct buf *out);

/* What follows "key:" or "-": begins with a space or newline; no newline at the end. */
void yaml_emit_value(const struct node *value, const struct yaml_place *place, struct buf *out);

/* "key: value" of an entry whose key stands at place->indent; begins at the key. */
void yaml_emit_entry(const struct node *value, const struct yaml_place *place, struct buf *out);

/* One scalar in this style where the style can hold it (else the next that can: plain, single, double),
 * from place->column on, continued at `indent + step`. */
void yaml_emit_scalar(const struct node *scalar, enum node_style style, const struct yaml_place *place,
                      struct buf *out);
/* A list or map of scalars as [a, b] or {a: b} on one line. */
void yaml_emit_flow(const struct node *value, bool unicode, struct buf *out);

/* Can the style hold this text at all? PLAIN also asks whether it would read back as a text. */
bool yaml_style_fits(struct slice text, enum node_style style, bool unicode, bool flow);

#endif
