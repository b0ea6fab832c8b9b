/* auth_cookie.c -- the signed session cookie, and what auth starts with. Reactor thread; auth_new reads
 * and writes the key file, before the loop turns.
 *
 * A cookie is base64url(payload) "." base64url(HMAC-SHA256(key, payload)); the payload is lines:
 * version, expiry (Unix ms, 0: none), role, user, name. */
#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "api/auth_int.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/must.h"
#include "base/rand.h"
#include "wire/http.h"

#define YEAR_S 31536000u
#define COOKIE_BYTES 1024

static void mac(const struct auth *a, struct slice text, uint8_t out[32]) {
    unsigned len = 32;
    must(HMAC(EVP_sha256(), a->cookie_key, sizeof a->cookie_key, text.at, text.len, out, &len) &&
         len == 32);
}

/* ---- the key -------------------------------------------------------------------------------- */

static bool read_key(const char *path, uint8_t key[32]) {
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    bool good = fd >= 0 && read(fd, key, 32) == 32;

    if (fd >= 0) close(fd);
    return good;
}

static bool write_key(const char *path, const uint8_t key[32]) {
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    bool good = fd >= 0 && write(fd, key, 32) == 32 && fsync(fd) == 0;

    if (fd >= 0) close(fd);
    return good;
}

/* With a secret the key follows from it, so that every server with the secret takes the cookie. */
static bool make_key(struct auth *a, const struct auth_config *c) {
    unsigned len = 32;
    uint8_t id[32];

    if (c->secret[0]) {
        must(HMAC(EVP_sha256(), c->secret, (int)strlen(c->secret),
                  (const uint8_t *)"covalent cookie 1", 17, a->cookie_key, &len));
    } else if (!c->cookie_key_file || !read_key(c->cookie_key_file, a->cookie_key)) {
        rand_bytes(a->cookie_key, sizeof a->cookie_key);
        if (c->cookie_key_file && !write_key(c->cookie_key_file, a->cookie_key)) return false;
    }
    mac(a, slice_of("name"), id);
    snprintf(a->cookie_name, sizeof a->cookie_name, "covalent_%02x%02x%02x%02x", id[0], id[1],
             id[2], id[3]);
    return true;
}

/* ---- start and end -------------------------------------------------------------------------- */

static bool is_loopback(const char *listen) {
    return strncmp(listen, "127.", 4) == 0 || strncmp(listen, "localhost:", 10) == 0 ||
           strncmp(listen, "[::1]", 5) == 0;
}

struct auth *auth_new(const struct auth_config *c, const char **why) {
    struct auth *a = calloc(1, sizeof *a);

    must(a);
    a->keys = jwt_keys_new();
    a->allowed = strdup(c->allowed_origins);
    a->listen = strdup(c->listen);
    must(a->allowed && a->listen);
    a->listens_everywhere = strncmp(c->listen, "0.0.0.0:", 8) == 0 ||
                            strncmp(c->listen, "[::]:", 5) == 0 || c->listen[0] == ':';
    *why = NULL;
    if (c->secret[0] && jwt_keys_add_secret(a->keys, slice_of(c->secret)) != E_OK)
        *why = "WS_SECRET_KEY must have 32 characters or more (openssl rand -hex 32)";
    else if (c->public_key.len && jwt_keys_add_public(a->keys, c->public_key) != E_OK)
        *why = "the public key file holds no RSA key of 2048 bits or P-256 key (PEM, JWK or JWKS)";
    else if (auth_is_open(a) && !is_loopback(c->listen))
        *why =
            "without WS_SECRET_KEY or a public key the server only listens on loopback addresses";
    else if (!make_key(a, c))
        *why = "the cookie key cannot be written to the data directory";
    if (!*why) return a;
    auth_free(a);
    return NULL;
}

void auth_free(struct auth *a) {
    jwt_keys_free(a->keys);
    OPENSSL_cleanse(a->cookie_key, sizeof a->cookie_key);
    free(a->allowed);
    free(a->listen);
    free(a);
}

bool auth_is_open(const struct auth *a) { return jwt_keys_empty(a->keys); }

/* ---- cookies -------------------------------------------------------------------------------- */

void auth_cookie_line(struct auth *a, const struct principal *who, struct buf *out) {
    struct buf payload;
    uint8_t sum[32];
    uint64_t now = clock_wall_ms(), age_s = YEAR_S;

    buf_init(&payload, COOKIE_BYTES);
    buf_printf(&payload, "1\n%llu\n%s\n%s\n%s", (unsigned long long)who->expires_ms,
               role_name(who->role), who->user, who->name);
    must(!payload.bad);
    mac(a, buf_view(&payload), sum);
    if (who->expires_ms) age_s = who->expires_ms > now ? (who->expires_ms - now) / 1000 : 0;
    buf_printf(out, "Set-Cookie: %s=", a->cookie_name);
    jwt_base64url(buf_view(&payload), out);
    buf_byte(out, '.');
    jwt_base64url((struct slice){ sum, sizeof sum }, out);
    buf_printf(out, "; Path=/; HttpOnly; SameSite=Strict; Max-Age=%llu\r\n",
               (unsigned long long)age_s);
    buf_deinit(&payload);
}

void auth_cookie_clear_line(struct auth *a, struct buf *out) {
    buf_printf(out, "Set-Cookie: %s=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0\r\n",
               a->cookie_name);
}

static struct slice take_line(struct slice *rest) {
    const uint8_t *end = rest->len ? memchr(rest->at, '\n', rest->len) : NULL;
    struct slice line = { rest->at, end ? (size_t)(end - rest->at) : rest->len };
    size_t used = line.len + (end ? 1 : 0);

    *rest = (struct slice){ rest->at + used, rest->len - used };
    return line;
}

/* The payload was signed by us: its form is ours; only its age and our rules can have changed. */
static struct principal *from_payload(struct slice text) {
    char user[LIMIT_USER_BYTES + 1], name[LIMIT_NAME_BYTES + 1], number[24];
    enum role role;
    struct slice version = take_line(&text), expiry = take_line(&text),
                 role_text = take_line(&text);
    struct slice user_text = take_line(&text);

    if (!slice_is(version, "1") || expiry.len >= sizeof number || !role_parse(role_text, &role))
        return NULL;
    snprintf(number, sizeof number, "%.*s", SLICE_ARG(expiry));
    uint64_t expires_ms = strtoull(number, NULL, 10);
    if (expires_ms && expires_ms <= clock_wall_ms()) return NULL;
    if (!auth_user_is_valid(user_text) || !auth_clean_name(text, name)) return NULL;
    snprintf(user, sizeof user, "%.*s", SLICE_ARG(user_text));
    struct principal *who = principal_new(user, name, role);
    who->named = true;
    who->expires_ms = expires_ms;
    return who;
}

struct principal *auth_from_cookie(struct auth *a, struct slice cookies) {
    struct slice value = http_cookie(cookies, a->cookie_name);
    const uint8_t *dot =
        value.len && value.len < COOKIE_BYTES ? memchr(value.at, '.', value.len) : NULL;
    struct buf payload, sum;
    uint8_t ours[32];
    struct principal *who = NULL;

    if (!dot) return NULL;
    buf_init(&payload, COOKIE_BYTES);
    buf_init(&sum, 64);
    size_t at = (size_t)(dot - value.at);
    if (jwt_base64url_decode((struct slice){ value.at, at }, &payload) &&
        jwt_base64url_decode((struct slice){ dot + 1, value.len - at - 1 }, &sum) &&
        sum.len == sizeof ours) {
        mac(a, buf_view(&payload), ours);
        if (CRYPTO_memcmp(ours, sum.at, sizeof ours) == 0) who = from_payload(buf_view(&payload));
    }
    buf_deinit(&payload);
    buf_deinit(&sum);
    return who;
}

/* ---- tokens --------------------------------------------------------------------------------- */

int auth_token_make(const struct auth_token *t, struct buf *out, const char **why) {
    struct jwt_claims c = { 0 };
    struct jwt_keys *keys = jwt_keys_new();
    uint64_t now_s = clock_wall_ms() / 1000;
    int e = E_INVALID;

    if (jwt_keys_add_secret(keys, slice_of(t->secret)) != E_OK) {
        *why = "WS_SECRET_KEY must be set and have 32 characters or more (openssl rand -hex 32)";
    } else if (!auth_user_is_valid(slice_of(t->user))) {
        *why = "--user must match [A-Za-z0-9][A-Za-z0-9._@+-]{0,127}, without ..";
    } else if (t->hours == 0 || t->hours > 24) {
        *why = "--hours is 1 to 24";
    } else {
        char name[LIMIT_NAME_BYTES + 1];
        if (!auth_clean_name(slice_of(t->name), name)) auth_clean_name(slice_of(t->user), name);
        snprintf(c.sub, sizeof c.sub, "%s", t->user);
        snprintf(c.name, sizeof c.name, "%s", name);
        snprintf(c.role, sizeof c.role, "%s", role_name(t->role));
        c.expires_s = now_s + 3600u * t->hours;
        jwt_make(keys, &c, now_s, out);
        e = E_OK;
    }
    jwt_keys_free(keys);
    return e;
}
