/* apply_int.h -- the parts of model_apply. */
#ifndef ENTITY_APPLY_INT_H
#define ENTITY_APPLY_INT_H

#include "entity/model_int.h"
#include "entity/read_int.h"

struct apply {
    struct weave *w;
    struct tree *t;             /* scratch, freed at the end */
    const struct apply_ids *ids;
    uint32_t n_ids;             /* made so far */
    int error;                  /* the first failure of the engine (the document is full) */
};

void apply_text(struct apply *a, weave_type text, struct slice base, struct slice file);
void apply_items(struct apply *a, const struct field *f, weave_type list, const struct node *base,
    const struct node *file);
void apply_keys(struct apply *a, weave_type map, const struct node *base, const struct node *file);
void apply_edges(struct apply *a, weave_type map, const struct node *base, const struct node *file);
void apply_nodes(struct apply *a, weave_type map, const struct node *base, const struct node *file);
void apply_arrows(struct apply *a, weave_type map, const struct node *base, const struct node *file);

/* Sets and deletes plain values of a map: what differs from base to file. Keys of `fields` and of `skip` (a
 * NULL-ended
 * list, may be NULL) are left alone. */
void apply_plain(struct apply *a, weave_type map, const struct node *base, const struct node *file,
                 const struct field *fields, const char *const *skip);

weave_type new_type(struct apply *a, weave_type map, struct slice key, enum weave_kind kind);
void set_value(struct apply *a, weave_type map, struct slice key, const struct node *value);
void set_text(struct apply *a, weave_type map, const char *key, struct slice text);
void delete_key(struct apply *a, weave_type map, struct slice key);
struct slice new_id(struct apply *a);

/* One place of a list as the file has it. apply_order fills `order` for those that moved or are new: a key right
 * behind the one before it; `changed` says so. `all`: every order in the document, sorted. */
struct order_slot {
    struct slice order;
    bool fixed, changed;
};
void apply_order(struct apply *a, struct order_slot *slots, size_t n, const struct doc_item *all, size_t n_all);

#endif
