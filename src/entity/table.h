/* table.h -- what each kind of entity holds, as one table: rulings section 3, docs/documents.md.
 * Import, export, merge and JSON all walk it. Constant data. */
#ifndef ENTITY_TABLE_H
#define ENTITY_TABLE_H

#include "entity/kinds.h"

enum field_type {
    FIELD_PLAIN,        /* a value in its map: file scalar, list or map <-> one register */
    FIELD_TEXT,         /* Y.Text <-> scalar */
    FIELD_ITEMS,        /* Y.Map id -> {order, text...} <-> list of scalars, or of maps of texts */
    FIELD_KEYS,         /* Y.Map key -> plain {order} <-> list of scalars */
    FIELD_EDGES,        /* Y.Map "TYPE|target" -> Y.Map <-> list of {type, targetId, ...} */
    FIELD_VALUES,       /* Y.Map name -> plain <-> map */
    FIELD_MAP,          /* Y.Map of the fields below <-> map */
    FIELD_RECORDS,      /* Y.Map id -> Y.Map of plain values with an order <-> list of maps (workflows) */
};

struct field {
    const char *key;                /* NULL ends a list of fields */
    enum field_type type;
    bool always;                    /* a new file has it even when empty */
    const struct field *fields;     /* MAP: what is in it; ITEMS of maps: the texts of an item */
};

struct shape {
    const struct field *fields;     /* root types; of most kinds there is one, a map */
};

const struct shape *shape_of(enum kind kind);                   /* kinds with a file */
const struct field *field_find(const struct field *fields, struct slice key);   /* NULL: an unknown key */

/* Unknown keys are plain values; those of the server begin with "_". */
static inline bool key_is_ours(struct slice key) { return key.len > 0 && key.at[0] == '_'; }

#endif
