/* value_int.h -- plain values: the lib0 `any` encoding, JSON text, and weave_value.
 *
 * Whatever is decoded here was checked before (decode_any, json_is_valid): depth is bounded by
 * DECODE_DEPTH, so the walks recurse. */
#ifndef WEAVE_VALUE_INT_H
#define WEAVE_VALUE_INT_H

#include "weave/doc_int.h"

enum {                          /* the tag byte of an `any` */
    ANY_BINARY = 0x74, ANY_ARRAY = 0x75, ANY_OBJECT = 0x76, ANY_STRING = 0x77, ANY_TRUE = 0x78,
    ANY_FALSE = 0x79, ANY_BIGINT = 0x7a, ANY_FLOAT64 = 0x7b, ANY_FLOAT32 = 0x7c, ANY_INTEGER = 0x7d,
    ANY_NULL = 0x7e, ANY_UNDEFINED = 0x7f,
};

void number_print(struct buf *out, double v);               /* NaN and infinities: null */
void number_to_any(struct buf *out, double v);
struct weave_value any_read(struct reader *r);              /* the next value; r moves behind it */
void any_print(struct buf *out, struct reader *r);          /* the next value as JSON */
void binary_print(struct buf *out, struct slice bytes);     /* {"0":1,...} as JSON.stringify does */
void json_to_any(struct buf *out, struct slice json);       /* valid JSON */
void json_normalise(struct buf *out, struct slice json);    /* as JSON.stringify writes it */

/* The value of a unit of an item that counts: element `offset` of it. */
struct weave_value value_of(struct weave *w, const struct item *x, uint32_t offset);
/* The next element of a KIND_ANY or KIND_JSON item; r moves behind it. */
struct weave_value value_next(uint32_t kind, struct reader *r);

/* As content of an item. `kind`: KIND_ANY (bytes: one element), KIND_BINARY, KIND_DOC. */
int value_encode(struct buf *out, const struct weave_value *v, uint32_t *kind);

#endif
