/* yaml_text_int.h -- one text as a plain, single- or double-quoted scalar, folded as PyYAML folds. Pure. */
#ifndef FILES_YAML_TEXT_INT_H
#define FILES_YAML_TEXT_INT_H

#include "files/node.h"

struct text_place {
    size_t column;              /* in characters; afterwards: where the text ended */
    size_t indent;              /* of further lines */
    bool unicode, one_line;
};

/* The style must fit (yaml_style_fits). */
void yaml_text_put(struct slice text, enum node_style style, struct text_place *place, struct buf *out);

/* The next character of valid UTF-8 at *i, which moves behind it. */
uint32_t utf8_next(struct slice s, size_t *i);
size_t utf8_characters(struct slice s);

/* The text between double quotes: escapes only, no folding. */
void yaml_double_escape(struct slice text, bool unicode, struct buf *out);

#endif
