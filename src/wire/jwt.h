/* jwt.h -- signed tokens (RFC 7519): checked and made through libjose. Pure but for memory.
 *
 * Checks around the library's signature check: the algorithm is the key's, never the token's choice
 * (HS256; RS256 of 2048 bits or more; ES256); kid names a loaded key exactly; jku, x5u, x5c, jwk, crit and
 * zip are refused; sub and exp are required, nbf and iat honoured, 30 s of skew, at most 24 h between
 * now and exp; 4 KiB at most; repeated JSON keys refused. */
#ifndef WIRE_JWT_H
#define WIRE_JWT_H

#include "base/buf.h"
#include "base/limits.h"

#define JWT_SECRET_MIN 32           /* bytes of an HS256 secret */
#define JWT_SKEW_S 30
#define JWT_LIFETIME_MAX_S (24 * 3600)

struct jwt_keys;

struct jwt_claims {
    char sub[LIMIT_USER_BYTES + 1];     /* valid UTF-8 without control characters */
    char name[4 * LIMIT_NAME_BYTES + 1];    /* `name`, as it is; "" : none */
    char role[16];                      /* the highest known of `role` and `roles`; "" : none */
    uint64_t expires_s;                 /* Unix time */
};

struct jwt_keys *jwt_keys_new(void);
void jwt_keys_free(struct jwt_keys *keys);
int jwt_keys_add_secret(struct jwt_keys *keys, struct slice secret);    /* E_OK, or E_INVALID: too short */
int jwt_keys_add_public(struct jwt_keys *keys, struct slice text);      /* a PEM public key, a JWK or a JWKS;
                                                                           E_INVALID: none usable in it */
bool jwt_keys_empty(const struct jwt_keys *keys);

/* E_OK, or E_UNAUTHORIZED with the reason in *why: for the log, not for the client. */
int jwt_verify(const struct jwt_keys *keys, struct slice token, uint64_t now_s,
               struct jwt_claims *out, const char **why);

/* Append a token signed by the secret (there must be one). */
void jwt_make(const struct jwt_keys *keys, const struct jwt_claims *claims, uint64_t now_s, struct buf *out);

/* base64url (RFC 4648 section 5), without padding. */
void jwt_base64url(struct slice bytes, struct buf *out);
bool jwt_base64url_decode(struct slice text, struct buf *out);      /* strict */

#endif
