/* model_int.h -- the *model* of an entity: a tree with one child for each root type of its document, in which
 * every list of the table stands under one key.
 *
 * An atom's model is {atom: the file's map}. A module's `atom_ids` becomes `atoms` (docs/documents.md), a
 * workflow's steps and transitions become {workflow, nodes, edges}: lists of records that carry their
 * document key as "_key". Pure. */
#ifndef ENTITY_MODEL_INT_H
#define ENTITY_MODEL_INT_H

#include "entity/import.h"
#include "entity/table.h"
#include "files/node.h"

struct model {
    struct tree tree;           /* owns the nodes of both */
    struct node *file;          /* as read; NULL: there was no file */
    struct node *root;          /* the model; NULL: there was no file */
    size_t file_len;            /* bytes the nodes' places refer to, BOM and all */
};

/* Reads, checks against the table, normalises. E_OK; E_INVALID or E_TOO_LARGE with *problem. Borrows bytes. An
 * empty slice is no file. model_deinit also after an error. */
int model_read(enum kind kind, struct slice bytes, bool ours, struct model *m, struct entity_problem *problem);
void model_init(struct model *m);
void model_deinit(struct model *m);

/* What the file holds when the model is `want`; `was` is what it held (may be without file). In want's tree. */
struct node *model_file(enum kind kind, struct tree *t, struct node *want, const struct model *was);

/* workflow.c */
struct node *workflow_model(struct tree *t, const struct node *file);
struct node *workflow_file(struct tree *t, const struct node *want, const struct node *was);
bool workflow_check(const struct node *file, struct problem *problem);

/* shape_check.c: does the file's map fit the table? */
bool shape_check(const struct field *fields, const struct node *map, struct problem *problem);

/* build.c: the model of a document. `was` (may be without file) decides what cannot be seen in the document:
 * the order of keys, whether an empty list is written, the type of a scalar. E_OK or E_INVALID with *problem (D5). */
int model_build(enum kind kind, struct weave *doc, const struct model *was, struct tree *t, struct node **out,
                struct entity_problem *problem);

/* apply.c: the difference of two models as edits of the document, inside its transaction. base NULL: all of
 * `file` is new (import). `seed` makes the ids of new items. */
struct apply_ids {
    struct slice seed;
    uint64_t now_ms;            /* stamp of deletions */
};
int model_apply(enum kind kind, struct weave *doc, const struct node *base, const struct node *file,
                const struct apply_ids *ids);

void entity_problem_from(struct entity_problem *to, const struct problem *from);

#endif
