/* match_int.h -- which entries of one list are which of another. Pure. */
#ifndef ENTITY_MATCH_INT_H
#define ENTITY_MATCH_INT_H

#include "base/read.h"

#define MATCH_NONE SIZE_MAX

/* to_a[j] = the i that b[j] is, each i at most once, or MATCH_NONE. Equal texts first (in order, then
 * wherever they went), then in order those at least 0.6 alike. */
void match_lists(const struct slice *a, size_t n_a, const struct slice *b, size_t n_b, size_t *to_a);

/* Marks the entries of `to_a` that stay where they are: a longest ascending run; the others moved. */
void match_stays(const size_t *to_a, size_t n, bool *stays);

#endif
