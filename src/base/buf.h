/* buf.h -- bytes being written.
 *
 * Grows by itself up to `max`. A put that does not fit, or follows one that did not, changes
 * nothing and sets `bad`; so write straight down the page and check once at the end. Running out
 * of memory ends the process. */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdarg.h>

#include "base/read.h"

struct buf {
    uint8_t *at;
    size_t len, cap;
    size_t max;             /* bytes it may hold; set by buf_init */
    bool bad;
};

void buf_init(struct buf *b, size_t max);
void buf_deinit(struct buf *b);
void buf_reset(struct buf *b);                              /* empty again, memory kept, bad cleared */
uint8_t *buf_reserve(struct buf *b, size_t len);            /* room for len bytes after b->len, or NULL */

void buf_put(struct buf *b, const void *at, size_t len);
void buf_byte(struct buf *b, uint8_t byte);
void buf_uint(struct buf *b, uint64_t value);               /* lib0 varUint */
void buf_bytes(struct buf *b, struct slice s);              /* varUint length, then the bytes */
void buf_text(struct buf *b, const char *text);             /* the characters, without the NUL */
void buf_slice(struct buf *b, struct slice s);              /* the bytes alone */
void buf_printf(struct buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
void buf_json(struct buf *b, struct slice utf8);            /* a JSON string with its quotes */

static inline struct slice buf_view(const struct buf *b) { return (struct slice){ b->at, b->len }; }

#endif
