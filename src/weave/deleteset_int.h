/* deleteset_int.h -- which units are deleted: ranges of clocks.
 *
 * Two shapes. `ranges` is what is deleted of one client: sorted, neither overlapping nor touching,
 * found by binary search. `delete_set` is a flat list over many clients, to collect what an update
 * says in any order and write it; delete_set_sort brings it into the order of the wire. */
#ifndef WEAVE_DELETESET_INT_H
#define WEAVE_DELETESET_INT_H

#include "base/buf.h"
#include "weave/decode_int.h"

struct range {
    uint32_t clock, len;
};

struct ranges {
    struct range *at;
    size_t n, cap;
};

void ranges_deinit(struct ranges *r);
uint32_t ranges_add(struct ranges *r, struct range add);    /* how many units were not in it */
/* Adds ranges of one client, sorted. */
void ranges_union(struct ranges *r, const struct deleted *add, size_t n);

/* The first part of `within` that is not in r; false when all of it is. For the next part, call
 * again with what follows the gap. Subtraction is the loop over this. */
bool ranges_gap(const struct ranges *r, struct range within, struct range *gap);

struct delete_set {
    struct deleted *at;
    size_t n, cap;
};

void delete_set_deinit(struct delete_set *s);
void delete_set_add(struct delete_set *s, struct deleted d);
void delete_set_sort(struct delete_set *s);     /* clients descending, clocks ascending, joined */
uint64_t delete_set_units(const struct delete_set *s);      /* sorted before */
void delete_set_write(const struct delete_set *s, struct buf *b);           /* sorted before */

#endif
