/* splice.h -- change a YAML file to hold other values, touching only the lines of what changed.
 *
 * Pure; any thread. Comments, blank lines, quotes, indentation, line ends, a BOM, a missing final newline and
 * unknown keys stay as they are. A folded text keeps its line breaks up to the first changed word and, where the
 * rest still fits, behind the last. What was written is read back and compared; if it should differ from
 * what was wanted, the whole file is written in PyYAML's style instead. */
#ifndef FILES_SPLICE_H
#define FILES_SPLICE_H

#include "files/node.h"

enum splice_result { SPLICE_SAME, SPLICE_LINES, SPLICE_WHOLE };    /* untouched; lines changed; written anew */

/* `was`: the file as yaml_read gave it. `unicode`: new non-ASCII text is written as it is (also when the
 * file already holds some), else escaped. */
enum splice_result splice(struct slice file, const struct node *was, const struct node *want, bool unicode,
                          struct buf *out);

#endif
