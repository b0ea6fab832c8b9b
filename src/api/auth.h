/* auth.h -- who sends a request: Host, Origin, token, session cookie, open mode. Reactor thread.
 *
 *   (1) a token: Authorization: Bearer, subprotocol bearer.TOKEN, ?token=
 *   (2) the signed session cookie: for our own Origin, and for GET and HEAD without Origin unless
 *       Sec-Fetch-Site is cross-site or same-site; never from another Origin
 *   (3) open mode (no key at all, loopback only): scripts (no Origin, no Sec-Fetch-Site) and allowed
 *       foreign Origins are who ?user= or the path of /ws/{user_id} says, else guest-n; browsers of our
 *       own Origin are who their cookie says, else guest-n until they pick a name
 *
 * Invariants:
 *   I1  Whatever Host is not ours, and whatever Origin is neither ours nor allowed, `null` included, is
 *       refused before anything else is looked at; the refusal names the ALLOWED_ORIGINS to set.
 *   I2  A token that is there and not valid refuses the request: nothing else is tried.
 *   I3  Everything else has a principal; without credentials, where there is a key, it is anonymous. */
#ifndef API_AUTH_H
#define API_AUTH_H

#include "base/buf.h"
#include "room/principal.h"

struct auth;

struct auth_config {
    const char *secret;             /* HS256; "" : none */
    struct slice public_key;        /* text of a PEM, JWK or JWKS file; empty: none */
    const char *allowed_origins;    /* separated by commas */
    const char *listen;             /* ADDRESS:PORT, as in the settings */
    const char *cookie_key_file;    /* 32 random bytes, made when absent, so that cookies outlive a restart;
                                       NULL: a key that dies with the process */
};

struct auth_request {               /* what the request says, all borrowed */
    struct slice host, origin, fetch_site, authorization, cookie, query;
    struct slice protocols;         /* Sec-WebSocket-Protocol */
    struct slice session;           /* Idempotency-Key */
    struct slice path_user;         /* of /ws/{user_id}, decoded; empty: another path */
    bool has_origin, has_fetch_site, is_read, is_websocket;     /* is_read: GET or HEAD */
};

struct auth_result {
    struct principal *who;          /* E_OK: yours */
    bool is_anonymous;              /* there is a key and no credential: public routes only */
    bool is_allowed_origin;         /* from a page on an allowed foreign Origin: answer with CORS */
    char detail[512];               /* else: for the client */
};

struct auth *auth_new(const struct auth_config *config, const char **why);  /* NULL with a sentence */
void auth_free(struct auth *a);
bool auth_is_open(const struct auth *a);        /* open mode */

/* E_OK, E_INVALID (400), E_UNAUTHORIZED (401), E_DENIED (403). */
int auth_identify(struct auth *a, const struct auth_request *r, struct auth_result *out);

/* Is this a valid token of that same person? For sessions_config. ctx: the auth. */
bool auth_token_is_valid(void *ctx, struct slice token, const struct principal *who);

/* A principal from a token alone (the sign-in link; sessions_config), or NULL. ctx: the auth. */
struct principal *auth_from_token(void *ctx, struct slice token);

struct auth_token { const char *secret, *user, *name; enum role role; unsigned hours; };

/* Append a token. E_OK, or E_INVALID with a sentence: the secret is short, the user is no id, ... */
int auth_token_make(const struct auth_token *t, struct buf *out, const char **why);

/* A Set-Cookie header line that signs this person in, until its expires_ms or for a year. */
void auth_cookie_line(struct auth *a, const struct principal *who, struct buf *out);
void auth_cookie_clear_line(struct auth *a, struct buf *out);

bool auth_user_is_valid(struct slice user);
/* Keep what people may read of a name: no control or bidi characters, at most 64 bytes. False: nothing left. */
bool auth_clean_name(struct slice name, char out[LIMIT_NAME_BYTES + 1]);
const char *role_name(enum role role);
bool role_parse(struct slice text, enum role *out);

struct http;
void auth_add_routes(struct http *h, struct auth *a);   /* /api/me, /api/auth/name, /auth, /api/auth/logout */

#endif
