/* edit_int.h -- local editing: what the editing calls of texts, arrays and maps share. */
#ifndef WEAVE_EDIT_INT_H
#define WEAVE_EDIT_INT_H

#include "weave/value_int.h"

struct gap {                    /* between two neighbours of a list */
    uint32_t left, right;       /* items or NONE */
};

struct content {                /* of an item to be made */
    uint32_t kind, len;
    struct slice bytes;         /* as struct item keeps them */
};

/* Is t of one of these kinds (bits 1 << kind), alive, and is there room for `bytes` more? 0 or an
 * error. */
#define EDIT_LIST (1u << WEAVE_ARRAY | 1u << WEAVE_XML_ELEMENT | 1u << WEAVE_XML_FRAGMENT)
#define EDIT_TEXT (1u << WEAVE_TEXT | 1u << WEAVE_XML_TEXT)
#define EDIT_MAP                                                                                   \
    (1u << WEAVE_MAP | 1u << WEAVE_TEXT | 1u << WEAVE_XML_ELEMENT | 1u << WEAVE_XML_HOOK |         \
     1u << WEAVE_XML_TEXT)
int edit_check(const struct weave *w, weave_type t, unsigned kinds, size_t bytes);

/* A new item of the local client in this gap of t's list, or at the end of key's chain. */
uint32_t edit_insert(struct weave *w, uint32_t t, uint32_t key, struct gap gap,
                     struct content content);
uint32_t edit_insert_type(struct weave *w, uint32_t t, uint32_t key, struct gap gap,
                          enum weave_kind kind);

/* The gap before the unit `at` of the list, right behind the unit before it; cuts where needed. */
struct gap edit_gap(struct weave *w, uint32_t t, uint32_t at);

/* The gap right before a unit that is there: what was deleted in front of it stays on the left. */
struct gap edit_gap_before(struct weave *w, struct spot spot);

/* Deletes `len` visible units right of the gap; returns the gap behind them. */
struct gap edit_delete(struct weave *w, struct gap gap, uint32_t len);

/* ---- format.c: attributes of text --------------------------------------------------------- */

struct attribute { uint32_t key, value; };      /* value: JSON text, interned */

struct attributes {
    struct attribute *list;
    uint32_t n, cap;
};

struct text_spot {              /* a gap in a text, and the attributes that hold there */
    struct gap gap;
    struct attributes now;
};

struct text_spot format_spot(struct weave *w, uint32_t t, uint32_t at);
int format_read(struct weave *w, struct attributes *to, const struct weave_attribute *from,
                size_t n);
void format_insert(struct weave *w, uint32_t t, struct text_spot *spot, struct attributes *wanted,
                   struct content content);
void format_range(struct weave *w, uint32_t t, struct text_spot *spot, uint32_t len,
                  struct attributes *wanted);
void format_delete(struct weave *w, struct text_spot *spot, uint32_t len);
void format_apply(struct weave *w, struct attributes *now, const struct item *x);

#endif
