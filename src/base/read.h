/* read.h -- borrowed bytes, and decoding of untrusted ones.
 *
 * A reader never passes its end. The first failed read sets `bad`; from then on every read
 * returns zero or empty. So decode straight down the page and check once at the end. */
#ifndef BASE_READ_H
#define BASE_READ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct slice {              /* borrowed bytes: the lender documents for how long */
    const uint8_t *at;
    size_t len;
};

static inline struct slice slice_of(const char *text) {
    return (struct slice){ (const uint8_t *)text, strlen(text) };
}

static inline bool slice_eq(struct slice a, struct slice b) {
    return a.len == b.len && (a.len == 0 || memcmp(a.at, b.at, a.len) == 0);
}

static inline bool slice_is(struct slice a, const char *text) {
    return slice_eq(a, slice_of(text));
}

/* For printf: "%.*s", SLICE_ARG(s). */
#define SLICE_ARG(s) (int)(s).len, (const char *)(s).at

struct reader {
    const uint8_t *at, *end;
    bool bad;
};

static inline struct reader reader_of(struct slice s) {
    return (struct reader){ .at = s.at, .end = s.len ? s.at + s.len : s.at };
}

static inline size_t reader_left(const struct reader *r) { return (size_t)(r->end - r->at); }

uint8_t read_byte(struct reader *r);
uint64_t read_uint(struct reader *r);                     /* lib0 varUint: 7 bits a byte, 53 bits at most */
struct slice read_bytes(struct reader *r);                /* a varUint length, then that many bytes */
struct slice read_take(struct reader *r, size_t len);     /* exactly len bytes */

#endif
