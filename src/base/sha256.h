/* sha256.h -- SHA-256 (FIPS 180-4), by OpenSSL. */
#ifndef BASE_SHA256_H
#define BASE_SHA256_H

#include "base/read.h"

#define SHA256_BYTES 32

void sha256(struct slice s, uint8_t out[SHA256_BYTES]);     /* all at once */

/* Piece by piece, many times over: one object, one thread. */
struct sha256;

struct sha256 *sha256_new(void);
void sha256_free(struct sha256 *h);                         /* NULL: nothing to do */
void sha256_begin(struct sha256 *h);
void sha256_add(struct sha256 *h, struct slice s);
void sha256_end(struct sha256 *h, uint8_t out[SHA256_BYTES]);

#endif
