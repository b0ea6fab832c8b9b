/* scalar.h -- what a plain scalar means in YAML 1.1 as PyYAML reads it, and numbers as text.
 *
 * Pure; any thread. `yes`, `on`, `0777`, `1_000`, `1:30` and `2025-12-18` are not texts here, so a
 * text that looks like one of them has to be quoted. */
#ifndef FILES_SCALAR_H
#define FILES_SCALAR_H

#include "files/node.h"

/* kind, boolean, number and text of a plain scalar (its text after folding). A date's ISO text is
 * made in the tree. STRING when it is nothing else. */
void scalar_resolve(struct tree *t, struct slice plain, struct node *n);
enum node_kind scalar_kind(struct slice plain);             /* the kind alone */

/* Python says `=` and `<<` are neither texts nor anything: they are read as texts and written quoted. */
bool scalar_is_special(struct slice plain);

#define SCALAR_NUMBER_BYTES 32

/* Shortest decimal that reads back as the same number: %.15g, %.16g or %.17g. Infinity and
 * NaN have no JSON: "null". Returns the length. */
size_t scalar_print_json(double number, char out[SCALAR_NUMBER_BYTES]);
/* As Python's repr prints it in YAML: a float keeps its point (1.0, 1.0e-05), .inf, .nan. */
size_t scalar_print_yaml(double number, bool is_float, char out[SCALAR_NUMBER_BYTES]);

#endif
