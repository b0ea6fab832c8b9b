/* read_int.h -- reading a document into nodes: copies, so nothing is borrowed from the document. */
#ifndef ENTITY_READ_INT_H
#define ENTITY_READ_INT_H

#include <weave.h>

#include "files/node.h"
#include "weave/bridge.h"

struct doc_entry {              /* one key of a Y.Map */
    struct slice key;
    weave_type type;            /* a container; 0: a plain value */
    struct node *value;         /* the plain value; NULL for a container */
    struct doc_entry *next;
};

struct doc_item {               /* one item of an item list, in order */
    struct slice id, order;
    weave_type type;
    bool deleted;
    struct doc_entry *entries;
};

struct node *node_from_json(struct tree *t, struct slice json);     /* null, is_decorated: no file can hold it */

struct doc_entry *doc_entries(struct weave *w, struct tree *t, weave_type map);     /* in the order first seen */
struct doc_entry *doc_entry(struct doc_entry *entries, const char *key);
struct slice doc_text(struct weave *w, struct tree *t, weave_type text);

/* The items of a list, sorted by order, then id; deleted ones too. *n gets how many. NULL and *n 0: none. An
 * entry that
 * is no map is left out and counted in *broken. */
struct doc_item *doc_items(struct weave *w, struct tree *t, weave_type list, size_t *n, size_t *broken);
/* The keys of a key list or the records of a map of records, sorted by their order, then key. */
struct doc_item *doc_keys(struct weave *w, struct tree *t, weave_type map, size_t *n);

/* A plain value for weave_map_set; its bytes are in the tree. */
struct weave_value value_from(struct tree *t, const struct node *n);

/* A key without the "#2" that makes the second of two equal ones different. */
struct slice key_stem(struct slice key);

#endif
