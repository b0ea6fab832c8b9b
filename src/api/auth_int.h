/* auth_int.h -- what auth.c and auth_cookie.c share. */
#ifndef API_AUTH_INT_H
#define API_AUTH_INT_H

#include "api/auth.h"
#include "base/log.h"
#include "wire/jwt.h"

struct auth {
    struct jwt_keys *keys;          /* empty: open mode */
    char *allowed, *listen;
    bool listens_everywhere;
    uint8_t cookie_key[32];
    char cookie_name[32];           /* of the key: servers on other ports of this host have other cookies */
    uint64_t guests;
    struct log_gate refused_gate, token_gate;
};

struct principal *auth_from_cookie(struct auth *a, struct slice cookies);   /* NULL: none that is valid */

#endif
