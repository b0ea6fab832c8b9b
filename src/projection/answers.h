/* answers.h -- the bodies of REST reads, from index.db. Reader thread (any handle that reads).
 *
 * Each writes JSON into `out` and returns E_OK; E_NOT_FOUND where the named thing is not there (`out`
 * then holds the sentence for "detail"), else the index's error. */
#ifndef PROJECTION_ANSWERS_H
#define PROJECTION_ANSWERS_H

#include "base/buf.h"
#include "entity/kinds.h"
#include "store/index.h"

#define LIMIT_ANSWER_BYTES MIB(256)

struct atoms_query {
    uint64_t limit, offset;
    bool summary_only;
    struct slice type;          /* "": all; any case */
};

int answer_atoms(struct index *x, const struct atoms_query *query, struct buf *out);
int answer_all(struct index *x, enum kind kind, struct buf *out);           /* a bare list */
int answer_one(struct index *x, enum kind kind, struct slice id, struct buf *out);
int answer_journey_phases(struct index *x, struct slice id, struct buf *out);
int answer_phase_stats(struct index *x, struct buf *out);
int answer_problems(struct index *x, struct buf *out);

int answer_graph(struct index *x, struct buf *out);
int answer_graph_type(struct index *x, struct slice type, struct buf *out);     /* any case */
int answer_graph_module(struct index *x, struct slice id, struct buf *out);

#endif
