/* auth.c -- who sends a request. The rules are in auth.h. */
#include "api/auth.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "api/auth_int.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/must.h"
#include "base/utf8.h"
#include "wire/http.h"
#include "wire/url.h"

enum origin { ORIGIN_OWN, ORIGIN_ALLOWED, ORIGIN_BROWSER, ORIGIN_SCRIPT };

/* ---- names ---------------------------------------------------------------------------------- */

const char *role_name(enum role role) {
    static const char *const names[] = { "viewer", "commenter", "editor", "admin" };
    return names[role];
}

bool role_parse(struct slice text, enum role *out) {
    for (int i = ROLE_VIEWER; i <= ROLE_ADMIN; i++)
        if (slice_is(text, role_name((enum role)i))) {
            *out = (enum role)i;
            return true;
        }
    return false;
}

bool auth_user_is_valid(struct slice user) {
    if (user.len == 0 || user.len > LIMIT_USER_BYTES) return false;
    for (size_t i = 0; i < user.len; i++) {
        uint8_t c = user.at[i];
        bool word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!word && (i == 0 || !strchr("._-@+", c))) return false;
        if (i && c == '.' && user.at[i - 1] == '.') return false;
    }
    return true;
}

/* Bidirectional controls let a name be read as another: U+200E-F, U+202A-E, U+2066-9, U+061C. */
static size_t hidden(struct slice s, size_t i) {
    const uint8_t *p = s.at + i;

    if (p[0] < 0x20 || p[0] == 0x7f) return 1;
    if (p[0] == 0xc2 && p[1] < 0xa0) return 2;
    if (p[0] == 0xd8 && p[1] == 0x9c) return 2;
    if (p[0] != 0xe2) return 0;
    if (p[1] == 0x80 &&
        (p[2] == 0x8b || p[2] == 0x8e || p[2] == 0x8f || (p[2] >= 0xa8 && p[2] <= 0xae)))
        return 3;
    return p[1] == 0x81 && p[2] >= 0xa0 && p[2] <= 0xaf ? 3 : 0;
}

bool auth_clean_name(struct slice name, char out[LIMIT_NAME_BYTES + 1]) {
    size_t n = 0;

    out[0] = 0;
    if (!utf8_is_valid(name)) return false;
    for (size_t i = 0; i < name.len;) {
        uint8_t a = name.at[i];
        size_t len = a < 0x80 ? 1 : a < 0xe0 ? 2 : a < 0xf0 ? 3 : 4, skip = hidden(name, i);
        if (!skip && n + len > LIMIT_NAME_BYTES) break;
        if (!skip && (n || a != ' ')) {
            memcpy(out + n, name.at + i, len);
            n += len;
        }
        i += len;
    }
    while (n && out[n - 1] == ' ') n--;
    out[n] = 0;
    return n > 0;
}

/* ---- Host and Origin ------------------------------------------------------------------------ */

static bool equals(struct slice a, struct slice b) {
    return a.len == b.len && strncasecmp((const char *)a.at, (const char *)b.at, a.len) == 0;
}

/* The name in HOST[:PORT] or [V6][:PORT]. */
static struct slice host_name(struct slice host) {
    const uint8_t *end = NULL;

    if (host.len && host.at[0] == '[') {
        end = memchr(host.at, ']', host.len);
        return (struct slice){ host.at, end ? (size_t)(end - host.at) + 1 : host.len };
    }
    if (host.len) end = memchr(host.at, ':', host.len);
    return (struct slice){ host.at, end ? (size_t)(end - host.at) : host.len };
}

static struct slice origin_host(struct slice origin) {
    const uint8_t *at = origin.len ? memmem(origin.at, origin.len, "://", 3) : NULL;

    if (!at) return (struct slice){ 0 };
    return (struct slice){ at + 3, origin.len - (size_t)(at + 3 - origin.at) };
}

static bool is_ip_literal(struct slice name) {
    for (size_t i = 0; i < name.len; i++)
        if (!strchr("0123456789.", name.at[i]) && name.at[0] != '[') return false;
    return name.len > 0;
}

/* The next origin of the comma-separated list. */
static bool next_allowed(const char **at, struct slice *out) {
    while (**at == ',' || **at == ' ') (*at)++;
    size_t len = strcspn(*at, ", ");

    *out = (struct slice){ (const uint8_t *)*at, len };
    *at += len;
    while (out->len && out->at[out->len - 1] == '/') out->len--;
    return len > 0;
}

static bool is_allowed_origin(const struct auth *a, struct slice origin) {
    struct slice one;

    if (slice_is(origin, "null")) return false;
    for (const char *at = a->allowed; next_allowed(&at, &one);)
        if (equals(one, origin)) return true;
    return false;
}

/* A name of ours: against pages that point their own name at our address. An address is no name; it
 * cannot be pointed anywhere. */
static bool is_our_host(const struct auth *a, struct slice host) {
    struct slice name = host_name(host), one;
    static const char *const always[] = { "localhost", "127.0.0.1", "[::1]" };

    for (size_t i = 0; i < 3; i++)
        if (equals(name, slice_of(always[i]))) return true;
    if (equals(name, host_name(slice_of(a->listen)))) return true;
    if (a->listens_everywhere && is_ip_literal(name)) return true;
    for (const char *at = a->allowed; next_allowed(&at, &one);)
        if (equals(host_name(origin_host(one)), name)) return true;
    return false;
}

static bool is_own_origin(struct slice origin, struct slice host) {
    bool http = origin.len > 7 && strncasecmp((const char *)origin.at, "http://", 7) == 0;
    bool https = origin.len > 8 && strncasecmp((const char *)origin.at, "https://", 8) == 0;

    return (http || https) && equals(origin_host(origin), host);
}

static bool is_printable(struct slice s) {
    for (size_t i = 0; i < s.len; i++)
        if (s.at[i] <= 0x20 || s.at[i] >= 0x7f || s.at[i] == '"') return false;
    return s.len > 0 && s.len < 200;
}

/* The 403 whose text says what to set. */
static int refuse_page(struct auth *a, struct auth_result *out, const char *what,
                       struct slice add) {
    bool shown = is_printable(add) && !slice_is(add, "null");
    const char *scheme = shown && origin_host(add).len == 0 ? "http://" : "";

    if (shown) {
        snprintf(
            out->detail, sizeof out->detail,
            "%s %.*s is not allowed; to allow it start the server with ALLOWED_ORIGINS=%s%s%s%.*s",
            what, SLICE_ARG(add), a->allowed, a->allowed[0] ? "," : "", scheme, SLICE_ARG(add));
    } else {
        snprintf(out->detail, sizeof out->detail,
                 "%s null is not allowed (a sandboxed frame or a file); serve the page from an "
                 "address and start the server with ALLOWED_ORIGINS=%s%shttp://localhost:PORT",
                 what, a->allowed, a->allowed[0] ? "," : "");
    }
    if (log_gate_opens(&a->refused_gate, clock_mono_ms()))
        log_warn("http.refused", "detail=\"%s\"", out->detail);
    return E_DENIED;
}

static int check_origin(struct auth *a, const struct auth_request *r, enum origin *origin,
                        struct auth_result *out) {
    if (!is_our_host(a, r->host)) return refuse_page(a, out, "Host", r->host);
    if (r->has_origin) {
        if (is_own_origin(r->origin, r->host)) *origin = ORIGIN_OWN;
        else if (is_allowed_origin(a, r->origin)) *origin = ORIGIN_ALLOWED;
        else return refuse_page(a, out, "Origin", r->origin);
        return E_OK;
    }
    *origin = r->has_fetch_site ? ORIGIN_BROWSER : ORIGIN_SCRIPT;
    bool foreign = slice_is(r->fetch_site, "cross-site") || slice_is(r->fetch_site, "same-site");
    if (foreign && (!r->is_read || r->is_websocket)) {
        snprintf(out->detail, sizeof out->detail, "a request from another site without an Origin");
        return E_DENIED;
    }
    return E_OK;
}

/* ---- credentials ---------------------------------------------------------------------------- */

/* The token the request carries, decoded into *b; false: none. */
static bool find_token(const struct auth_request *r, struct buf *b) {
    struct slice list = r->protocols;

    if (r->authorization.len > 7 &&
        strncasecmp((const char *)r->authorization.at, "bearer ", 7) == 0) {
        buf_put(b, r->authorization.at + 7, r->authorization.len - 7);
        return true;
    }
    while (list.len) {
        const uint8_t *end = memchr(list.at, ',', list.len);
        struct slice one = { list.at, end ? (size_t)(end - list.at) : list.len };
        size_t used = one.len + (end ? 1 : 0);
        list = (struct slice){ list.at + used, list.len - used };
        while (one.len && one.at[0] == ' ') one.at++, one.len--;
        if (one.len > 7 && memcmp(one.at, "bearer.", 7) == 0) {
            buf_put(b, one.at + 7, one.len - 7);
            return true;
        }
    }
    return url_query(r->query, "token", b) && b->len > 0;
}

static struct principal *principal_of(const struct jwt_claims *c) {
    char name[LIMIT_NAME_BYTES + 1];
    enum role role = ROLE_VIEWER;       /* a role is granted, never assumed */

    if (!auth_user_is_valid(slice_of(c->sub))) return NULL;
    if (!auth_clean_name(slice_of(c->name), name)) auth_clean_name(slice_of(c->sub), name);
    role_parse(slice_of(c->role), &role);
    struct principal *who = principal_new(c->sub, name, role);
    who->named = true;
    who->expires_ms = c->expires_s * 1000;
    return who;
}

static struct principal *from_token(struct auth *a, struct slice token, const char **why) {
    struct jwt_claims claims;

    if (jwt_verify(a->keys, token, clock_wall_ms() / 1000, &claims, why) != E_OK) return NULL;
    *why = "sub is not an id";
    return principal_of(&claims);
}

struct principal *auth_from_token(void *ctx, struct slice token) {
    const char *why;
    return from_token(ctx, token, &why);
}

bool auth_token_is_valid(void *ctx, struct slice token, const struct principal *who) {
    struct auth *a = ctx;

    if (auth_is_open(a)) return true;
    struct principal *p = auth_from_token(a, token);
    bool same = p && strcmp(p->user, who->user) == 0;
    if (p) principal_unref(p);
    return same;
}

static struct principal *guest(struct auth *a, enum role role) {
    char user[32], name[32];

    snprintf(user, sizeof user, "guest-%llu", (unsigned long long)++a->guests);
    snprintf(name, sizeof name, "Guest %llu", (unsigned long long)a->guests);
    return principal_new(user, name, role);
}

/* Open mode: who a script or an embedder's page says it is. NULL: not an id. */
static struct principal *as_said(struct auth *a, const struct auth_request *r) {
    char user[LIMIT_USER_BYTES + 1], name[LIMIT_NAME_BYTES + 1];
    struct buf b, n;
    struct principal *who = NULL;

    buf_init(&b, LIMIT_URL_BYTES);
    buf_init(&n, LIMIT_URL_BYTES);
    bool said = url_query(r->query, "user", &b) && b.len > 0;
    if (!said && r->path_user.len) {
        buf_slice(&b, r->path_user);
        said = true;
    }
    if (!said) {
        who = guest(a, ROLE_EDITOR);
    } else if (auth_user_is_valid(buf_view(&b))) {
        snprintf(user, sizeof user, "%.*s", SLICE_ARG(buf_view(&b)));
        if (!url_query(r->query, "name", &n) || !auth_clean_name(buf_view(&n), name))
            auth_clean_name(buf_view(&b), name);
        who = principal_new(user, name, ROLE_EDITOR);
        who->named = true;
    }
    buf_deinit(&b);
    buf_deinit(&n);
    return who;
}

static bool cookie_counts(const struct auth_request *r, enum origin origin) {
    if (origin == ORIGIN_OWN) return true;
    if (origin == ORIGIN_ALLOWED || !r->is_read) return false;
    return !slice_is(r->fetch_site, "cross-site") && !slice_is(r->fetch_site, "same-site");
}

static bool says_user(const struct auth_request *r) {
    struct buf b;
    buf_init(&b, LIMIT_URL_BYTES);
    bool said = r->path_user.len > 0 || url_query(r->query, "user", &b);
    buf_deinit(&b);
    return said;
}

/* By token, cookie or word. E_OK leaves *who NULL where there is no credential but a key. */
static int find_principal(struct auth *a, const struct auth_request *r, enum origin origin,
                          struct auth_result *out) {
    struct buf token;
    const char *why = NULL;

    buf_init(&token, LIMIT_HEADER_BYTES);
    bool has_token = !auth_is_open(a) && find_token(r, &token);
    if (has_token) out->who = from_token(a, buf_view(&token), &why);
    buf_deinit(&token);
    if (has_token && !out->who) {
        snprintf(out->detail, sizeof out->detail, "the token is not valid");
        if (log_gate_opens(&a->token_gate, clock_mono_ms()))
            log_warn("auth.token", "why=\"%s\"", why);
        return E_UNAUTHORIZED;
    }
    bool by_word =
        auth_is_open(a) && (origin == ORIGIN_ALLOWED || (origin == ORIGIN_SCRIPT && says_user(r)));
    if (!out->who && !by_word && cookie_counts(r, origin))
        out->who = auth_from_cookie(a, r->cookie);
    if (out->who || !auth_is_open(a)) return E_OK;

    out->who = by_word ? as_said(a, r) : guest(a, ROLE_EDITOR);
    if (out->who) return E_OK;
    snprintf(out->detail, sizeof out->detail,
             "user must match [A-Za-z0-9][A-Za-z0-9._@+-]{0,127}, without ..");
    return E_INVALID;
}

#define SESSION_BYTES 64

static struct principal *take_session(const struct auth_request *r, struct principal *who) {
    struct buf b;

    buf_init(&b, LIMIT_URL_BYTES);
    if (r->session.len) buf_slice(&b, r->session);
    else if (!url_query(r->query, "session", &b)) buf_reset(&b);
    if (b.len && b.len <= SESSION_BYTES && utf8_is_valid(buf_view(&b)) &&
        !utf8_has_control(buf_view(&b)))
        who = principal_with_session(who, buf_view(&b));
    buf_deinit(&b);
    return who;
}

int auth_identify(struct auth *a, const struct auth_request *r, struct auth_result *out) {
    enum origin origin = ORIGIN_SCRIPT;

    *out = (struct auth_result){ 0 };
    int e = check_origin(a, r, &origin, out);
    if (e == E_OK) e = find_principal(a, r, origin, out);
    if (e != E_OK) return e;

    out->is_allowed_origin = origin == ORIGIN_ALLOWED;
    if (!out->who) {
        out->is_anonymous = true;
        out->who = guest(a, ROLE_VIEWER);
    } else if (out->who->named && r->path_user.len && !slice_is(r->path_user, out->who->user)) {
        snprintf(out->detail, sizeof out->detail,
                 "signed in as %s: the address must end in that user", out->who->user);
        principal_unref(out->who);
        out->who = NULL;
        return E_DENIED;
    }
    out->who = take_session(r, out->who);
    return E_OK;
}
