/* diff.h -- what turns one text into another: few and small edits (Myers 1986, linear space).
 *
 * Used where somebody hands over a whole text and only the difference may enter the document: a
 * saved file, a JSON `change`. Compared by code points, so no edit ever cuts a surrogate pair;
 * positions count UTF-16 units, as the document does.
 *
 *   F-1  Applying the edits to `before` gives `after`, exactly.
 *   F-2  Edits ascend, and an unchanged character lies between any two.
 *   F-3  The work is bounded: an edit script beyond DIFF_STEPS_MAX is not searched for; what is
 *        still open then is replaced whole. Shorter scripts are minimal in characters. */
#ifndef MERGE_DIFF_H
#define MERGE_DIFF_H

#include "base/read.h"

#define DIFF_STEPS_MAX 2000000      /* some milliseconds */

struct diff_edit {
    uint32_t at;            /* units, in `before`: apply the last edit first */
    uint32_t delete_units;
    struct slice insert;    /* borrows `after` */
};

struct diff {               /* all 0 to begin with; may be reused */
    struct diff_edit *edits;
    size_t n, cap;
};

/* E_INVALID when a text is not UTF-8. */
int diff_text(struct slice before, struct slice after, struct diff *out);
void diff_deinit(struct diff *d);

#endif
