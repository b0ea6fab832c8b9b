/* auth_routes.c -- who am I, pick a name, sign in by link, sign out. Reactor thread. */
#include <ctype.h>
#include <stdio.h>

#include "api/auth.h"
#include "api/http.h"
#include "base/err.h"
#include "base/rand.h"
#include "wire/json.h"

static void respond_me(struct http *h, const struct request *r, const struct principal *who,
                       const char *headers) {
    const struct auth *a = r->ctx;
    struct buf b;

    buf_init(&b, KIB(4));
    buf_text(&b, "{\"user\": ");
    if (r->is_anonymous && who == r->who) buf_text(&b, "null, \"name\": null, \"role\": null");
    else {
        buf_json(&b, slice_of(who->user));
        buf_text(&b, ", \"name\": ");
        buf_json(&b, slice_of(who->name));
        buf_printf(&b, ", \"role\": \"%s\"", role_name(who->role));
    }
    buf_printf(&b, ", \"named\": %s, \"mode\": \"%s\"}\n", who->named ? "true" : "false",
               auth_is_open(a) ? "open" : "token");
    http_respond(h, r->ticket,
                 &(struct response){ .status = 200, .headers = headers, .body = buf_view(&b) });
    buf_deinit(&b);
}

static void get_me(struct http *h, const struct request *r) { respond_me(h, r, r->who, NULL); }

/* An id for a name: its letters, then something that makes it one's own. */
static void make_user(const char *name, char *out, size_t size) {
    char slug[33], hex[9];
    size_t n = 0;

    for (const char *p = name; *p && n < sizeof slug - 1; p++) {
        if (isascii((unsigned char)*p) && isalnum((unsigned char)*p))
            slug[n++] = (char)tolower((unsigned char)*p);
        else if (n && slug[n - 1] != '-') slug[n++] = '-';
    }
    while (n && slug[n - 1] == '-') n--;
    slug[n] = 0;
    rand_hex(hex, 4);
    snprintf(out, size, "%s-%s", n ? slug : "person", hex);
}

/* Open mode. A person who has a name keeps the id and changes the name. */
static void post_name(struct http *h, const struct request *r) {
    struct auth *a = r->ctx;
    json_t *body;
    const char *why;
    char name[LIMIT_NAME_BYTES + 1], user[LIMIT_USER_BYTES + 1];

    if (!auth_is_open(a)) {
        http_respond_error(h, r->ticket, 403, "names come from the token here");
        return;
    }
    int e = json_parse(r->body, &body, &why);
    if (e != E_OK) {
        http_respond_error(h, r->ticket, err_http(e), why);
        return;
    }
    bool good = auth_clean_name(json_get_text(body, "name"), name);
    json_decref(body);
    if (!good) {
        http_respond_error(h, r->ticket, 422, "name: 1 to 64 bytes that can be read");
        return;
    }
    if (r->who->named) snprintf(user, sizeof user, "%s", r->who->user);
    else make_user(name, user, sizeof user);
    struct principal *who = principal_new(user, name, ROLE_EDITOR);
    who->named = true;
    struct buf line;
    buf_init(&line, KIB(4));
    auth_cookie_line(a, who, &line);
    buf_byte(&line, 0);
    respond_me(h, r, who, (const char *)line.at);
    buf_deinit(&line);
    principal_unref(who);
}

/* The link that `covalent token` prints. */
static void get_sign_in(struct http *h, const struct request *r) {
    struct auth *a = r->ctx;
    struct buf token, headers;
    struct principal *who = NULL;

    buf_init(&token, LIMIT_URL_BYTES);
    buf_init(&headers, KIB(4));
    if (!auth_is_open(a) && http_query(r, "token", &token))
        who = auth_from_token(a, buf_view(&token));
    if (who) auth_cookie_line(a, who, &headers);
    buf_printf(&headers, "Location: /\r\n%c", 0);
    if (who || auth_is_open(a))
        http_respond(h, r->ticket,
                     &(struct response){ .status = 303, .headers = (const char *)headers.at });
    else http_respond_error(h, r->ticket, 401, "this sign-in link is not valid any more");
    if (who) principal_unref(who);
    buf_deinit(&headers);
    buf_deinit(&token);
}

static void post_logout(struct http *h, const struct request *r) {
    struct buf line;

    buf_init(&line, KIB(1));
    auth_cookie_clear_line(r->ctx, &line);
    buf_byte(&line, 0);
    http_respond(h, r->ticket,
                 &(struct response){
                     .status = 200, .headers = (const char *)line.at, .body = slice_of("{}\n") });
    buf_deinit(&line);
}

void auth_add_routes(struct http *h, struct auth *a) {
    const struct route routes[] = {
        { METHOD_GET, "/api/me", ROLE_VIEWER, true, get_me, a },
        { METHOD_POST, "/api/auth/name", ROLE_VIEWER, true, post_name, a },
        { METHOD_GET, "/auth", ROLE_VIEWER, true, get_sign_in, a },
        { METHOD_POST, "/api/auth/logout", ROLE_VIEWER, true, post_logout, a },
    };
    for (size_t i = 0; i < sizeof routes / sizeof *routes; i++) http_add_route(h, routes[i]);
}
