/* sha256.c -- SHA-256 through OpenSSL's EVP. The digest is fetched once an object: an implicit
 * fetch at every begin costs more than hashing a short row does. */
#include "base/sha256.h"

#include <openssl/evp.h>
#include <stdlib.h>

#include "base/must.h"

struct sha256 {
    EVP_MD *digest;
    EVP_MD_CTX *state;
};

void sha256(struct slice s, uint8_t out[SHA256_BYTES]) {
    must(EVP_Digest(s.at, s.len, out, NULL, EVP_sha256(), NULL) == 1);
}

struct sha256 *sha256_new(void) {
    struct sha256 *h = calloc(1, sizeof *h);
    must(h);
    h->digest = EVP_MD_fetch(NULL, "SHA256", NULL);
    h->state = EVP_MD_CTX_new();
    must(h->digest && h->state);
    return h;
}

void sha256_free(struct sha256 *h) {
    if (!h) return;
    EVP_MD_CTX_free(h->state);
    EVP_MD_free(h->digest);
    free(h);
}

void sha256_begin(struct sha256 *h) {
    must(EVP_DigestInit_ex(h->state, h->digest, NULL) == 1);
}

void sha256_add(struct sha256 *h, struct slice s) {
    if (s.len) must(EVP_DigestUpdate(h->state, s.at, s.len) == 1);
}

void sha256_end(struct sha256 *h, uint8_t out[SHA256_BYTES]) {
    must(EVP_DigestFinal_ex(h->state, out, NULL) == 1);
}
