/* Identity: every line of the rules in api/auth.h, over a real listener. */
#include "web.h"

#include "base/clock.h"
#include "base/err.h"

#define SECRET "0123456789abcdef0123456789abcdef"
#define HOST "Host: localhost:8000\r\n"
#define OWN "Origin: http://localhost:8000\r\n"
#define WS "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"

static const char *token_of(const char *user, const char *name, enum role role) {
    static char text[4096];
    struct buf b;
    const char *why = "";

    buf_init(&b, sizeof text - 1);
    check(auth_token_make(&(struct auth_token){ SECRET, user, name, role, 12 }, &b, &why) == E_OK);
    snprintf(text, sizeof text, "%.*s", SLICE_ARG(buf_view(&b)));
    buf_deinit(&b);
    return text;
}

/* ---- I1: Host and Origin ------------------------------------------------------------------- */

static void i1_hosts(void) {
    static const struct { const char *host; int status; } cases[] = {
        { "localhost", 200 }, { "localhost:8000", 200 }, { "LOCALHOST:1", 200 }, { "127.0.0.1:8000", 200 }, { "[::1]:8000", 200 },
        { "page.example", 200 }, { "page.example:444", 200 }, { "other.example", 403 }, { "localhost.evil.example", 403 },
        { "127.0.0.1.evil.example", 403 }, { "127.0.0.2:8000", 403 }, { "192.168.1.5:8000", 403 }, { "", 403 }, { "evil\"example", 403 },
    };
    web_start((struct web_config){ .origins = "https://page.example:444" });
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int status = ask("GET /api/me HTTP/1.1\r\nHost: %s\r\n\r\n", cases[i].host);
        if (status != cases[i].status) fprintf(stderr, "%s: %d\n", cases[i].host, status);
        check(status == cases[i].status);
    }
    check(ask("GET /api/me HTTP/1.1\r\nHost: other.example:9\r\n\r\n") == 403);
    check(answer_has("ALLOWED_ORIGINS=https://page.example:444,http://other.example:9\""));
    web_stop();
}

static void i1_origins(void) {
    static const struct { const char *origin; int status; } cases[] = {
        { "http://localhost:8000", 200 }, { "https://localhost:8000", 200 }, { "HTTP://LocalHost:8000", 200 },
        { "http://page.example:3000", 200 }, { "http://localhost:5000", 200 },
        { "http://localhost:8001", 403 }, { "http://localhost", 403 }, { "http://127.0.0.1:8000", 403 },
        { "https://page.example:3000", 403 }, { "http://page.example", 403 }, { "http://evil.example", 403 },
        { "http://localhost:8000.evil.example", 403 }, { "ftp://localhost:8000", 403 }, { "null", 403 }, { "", 403 }, { "localhost:8000", 403 },
    };
    web_start((struct web_config){ .origins = "http://page.example:3000, http://localhost:5000/" });
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int status = ask("GET /api/me HTTP/1.1\r\n" HOST "Origin: %s\r\n\r\n", cases[i].origin);
        if (status != cases[i].status) fprintf(stderr, "%s: %d\n", cases[i].origin, status);
        check(status == cases[i].status);
        opened.n = 0;
        status = ask("GET /yjs/x HTTP/1.1\r\n" HOST WS "Origin: %s\r\n\r\n", cases[i].origin);
        check(status == (cases[i].status == 200 ? 101 : 403) && opened.n == (cases[i].status == 200));
    }
    web_stop();
}

static void i1_the_refusal_says_what_to_set(void) {
    web_start((struct web_config){ 0 });
    check(ask("GET /yjs/x HTTP/1.1\r\n" HOST WS "Origin: http://localhost:3000\r\n\r\n") == 403);
    check(answer_has("{\"detail\": \"Origin http://localhost:3000 is not allowed; to allow it start the server with ALLOWED_ORIGINS=http://localhost:3000\"}"));
    check(ask("GET /api/me HTTP/1.1\r\n" HOST "Origin: null\r\n\r\n") == 403);
    check(answer_has("ALLOWED_ORIGINS=http://localhost:PORT"));
    web_stop();
}

static void i1_before_the_token(void) {
    web_start((struct web_config){ .secret = SECRET });
    const char *token = token_of("anna", "Anna", ROLE_ADMIN);
    check(ask("GET /api/me HTTP/1.1\r\n" HOST "Origin: http://evil.example\r\nAuthorization: Bearer %s\r\n\r\n", token) == 403);
    check(ask("GET /api/me HTTP/1.1\r\nHost: evil.example\r\nAuthorization: Bearer %s\r\n\r\n", token) == 403);
    web_stop();
}

static void i1_cross_site_without_origin(void) {
    web_start((struct web_config){ 0 });
    check(ask("GET /api/me HTTP/1.1\r\n" HOST "Sec-Fetch-Site: cross-site\r\n\r\n") == 200);
    check(ask("POST /api/auth/name HTTP/1.1\r\n" HOST "Sec-Fetch-Site: cross-site\r\nContent-Length: 14\r\n\r\n{\"name\":\"Eve\"}") == 403);
    check(ask("POST /api/auth/name HTTP/1.1\r\n" HOST "Sec-Fetch-Site: same-site\r\nContent-Length: 14\r\n\r\n{\"name\":\"Eve\"}") == 403);
    check(ask("GET /yjs/x HTTP/1.1\r\n" HOST WS "Sec-Fetch-Site: cross-site\r\n\r\n") == 403);
    web_stop();
}

/* ---- (1) tokens ---------------------------------------------------------------------------- */

static void i2_tokens(void) {
    web_start((struct web_config){ .secret = SECRET, .origins = "http://page.example" });
    const char *token = token_of("anna", "Anna B", ROLE_EDITOR);

    check(ask("GET /api/me?token=%s HTTP/1.1\r\n" HOST "\r\n", token) == 200);
    check(answer_has("{\"user\": \"anna\", \"name\": \"Anna B\", \"role\": \"editor\", \"named\": true, \"mode\": \"token\"}"));
    check(ask("GET /api/me HTTP/1.1\r\n" HOST "authorization: bearer %s\r\n\r\n", token) == 200 && answer_has("\"anna\""));
    check(ask("GET /api/me?token=%s HTTP/1.1\r\n" HOST "Origin: http://page.example\r\n\r\n", token) == 200 && answer_has("\"anna\""));
    check(ask("GET /yjs/x HTTP/1.1\r\n" HOST WS "Sec-WebSocket-Protocol: covalent.v1, bearer.%s\r\n\r\n", token) == 101);
    check(answer_has("Sec-WebSocket-Protocol: covalent.v1\r\n") && !strstr(web_answer, "bearer") && strcmp(opened.user, "anna") == 0 && opened.is_app);
    check(ask("GET /ws/anna?token=%s HTTP/1.1\r\n" HOST WS "\r\n", token) == 101 && opened.role == ROLE_EDITOR);
    check(ask("GET /ws/bob?token=%s HTTP/1.1\r\n" HOST WS "\r\n", token) == 403);     /* sub must equal the path */
    check(ask("GET /ws/anna HTTP/1.1\r\n" HOST WS "\r\n") == 101);     /* its token is to come in a message */
    check(opened.awaits_token && !opened.named && opened.role == ROLE_VIEWER);
    check(ask("GET /yjs/x?user=anna HTTP/1.1\r\n" HOST WS "\r\n") == 401);           /* a word counts in open mode alone */
    check(ask("GET /api/me HTTP/1.1\r\n" HOST "\r\n") == 200 && answer_has("{\"user\": null, \"name\": null, \"role\": null, \"named\": false, \"mode\": \"token\"}"));
    check(auth_token_is_valid(auth, slice_of(token), &(struct principal){ .user = "anna" }));
    check(!auth_token_is_valid(auth, slice_of(token), &(struct principal){ .user = "bob" }));
    check(!auth_token_is_valid(auth, slice_of("x"), &(struct principal){ .user = "anna" }));
    web_stop();
}

static void i2_a_bad_token_refuses(void) {
    web_start((struct web_config){ .secret = SECRET });
    const char *token = token_of("anna", "Anna", ROLE_EDITOR);
    check(ask("GET /auth?token=%s HTTP/1.1\r\n" HOST "\r\n", token) == 303);
    char cookie[2000];
    snprintf(cookie, sizeof cookie, "%s", answer_cookie());
    check(ask("GET /api/me HTTP/1.1\r\n" HOST OWN "Cookie: %s\r\n\r\n", cookie) == 200 && answer_has("\"anna\""));
    check(ask("GET /api/me?token=x.y.z HTTP/1.1\r\n" HOST OWN "Cookie: %s\r\n\r\n", cookie) == 401);   /* not even with a cookie */
    check(answer_has("the token is not valid") && answer_has("WWW-Authenticate: Bearer"));
    check(ask("GET /yjs/x?token=x HTTP/1.1\r\n" HOST WS "\r\n") == 401);
    check(ask("GET /auth?token=x.y.z HTTP/1.1\r\n" HOST "\r\n") == 401 && !strstr(web_answer, "Set-Cookie"));
    check(ask("GET /auth HTTP/1.1\r\n" HOST "\r\n") == 401);
    web_stop();
}

static void i2_tokens_are_made_within_bounds(void) {
    struct buf b;
    const char *why = NULL;

    buf_init(&b, 4096);
    check(auth_token_make(&(struct auth_token){ "short", "anna", "", ROLE_ADMIN, 1 }, &b, &why) == E_INVALID && why);
    check(auth_token_make(&(struct auth_token){ SECRET, "../x", "", ROLE_ADMIN, 1 }, &b, &why) == E_INVALID);
    check(auth_token_make(&(struct auth_token){ SECRET, "anna", "", ROLE_ADMIN, 25 }, &b, &why) == E_INVALID);
    check(auth_token_make(&(struct auth_token){ SECRET, "anna", "", ROLE_ADMIN, 0 }, &b, &why) == E_INVALID && b.len == 0);
    buf_deinit(&b);
}

/* ---- (2) the cookie ------------------------------------------------------------------------ */

static void i3_when_the_cookie_counts(void) {
    web_start((struct web_config){ .origins = "http://localhost:5000" });
    check(ask("POST /api/auth/name HTTP/1.1\r\n" HOST OWN "Content-Length: 15\r\n\r\n{\"name\":\"Anna\"}") == 200);
    check(answer_has("HttpOnly; SameSite=Strict") && answer_has("\"name\": \"Anna\"") && answer_has("\"named\": true"));
    char cookie[2000];
    snprintf(cookie, sizeof cookie, "%s", answer_cookie());
    static const struct { const char *method, *headers; bool counts; } cases[] = {
        { "GET", OWN, true }, { "GET", "", true }, { "GET", "Sec-Fetch-Site: none\r\n", true }, { "GET", "Sec-Fetch-Site: same-origin\r\n", true },
        { "GET", "Sec-Fetch-Site: cross-site\r\n", false }, { "GET", "Sec-Fetch-Site: same-site\r\n", false },
        { "GET", "Origin: http://localhost:5000\r\n", false },      /* allowed, but another Origin */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        check(ask("%s /api/me HTTP/1.1\r\n" HOST "%sCookie: a=b; %s\r\n\r\n", cases[i].method, cases[i].headers, cookie) == 200);
        if ((strstr(web_answer, "\"name\": \"Anna\"") != NULL) != cases[i].counts) fprintf(stderr, "case %zu\n", i);
        check((strstr(web_answer, "\"name\": \"Anna\"") != NULL) == cases[i].counts);
    }
    /* A POST with the cookie and no Origin is not this person: the name it picks is somebody else's. */
    check(ask("POST /api/auth/name HTTP/1.1\r\n" HOST "Cookie: %s\r\nContent-Length: 15\r\n\r\n{\"name\":\"Anne\"}", cookie) == 200);
    char *user = strstr(web_answer, "\"user\": \"");
    check(user && strncmp(user + 9, "anne-", 5) == 0);
    /* With our Origin it is: the id stays. */
    check(ask("POST /api/auth/name HTTP/1.1\r\n" HOST OWN "Cookie: %s\r\nContent-Length: 15\r\n\r\n{\"name\":\"Anne\"}", cookie) == 200);
    user = strstr(web_answer, "\"user\": \"");
    check(user && strncmp(user + 9, "anna-", 5) == 0 && answer_has("\"name\": \"Anne\""));
    check(ask("GET /yjs/x?user=eve HTTP/1.1\r\n" HOST OWN WS "Cookie: %s\r\n\r\n", cookie) == 101 && strncmp(opened.user, "anna-", 5) == 0);
    check(ask("GET /ws/eve HTTP/1.1\r\n" HOST OWN WS "Cookie: %s\r\n\r\n", cookie) == 403);
    web_stop();
}

/* Not even where a cookie is all there is: an allowed page is another Origin. */
static void i3_no_cookie_from_an_allowed_origin(void) {
    web_start((struct web_config){ .secret = SECRET, .origins = "http://localhost:5000,null" });
    check(ask("GET /auth?token=%s HTTP/1.1\r\n" HOST "\r\n", token_of("anna", "Anna", ROLE_EDITOR)) == 303);
    char cookie[2000];
    snprintf(cookie, sizeof cookie, "%s", answer_cookie());
    check(ask("GET /api/me HTTP/1.1\r\n" HOST OWN "Cookie: %s\r\n\r\n", cookie) == 200 && answer_has("\"anna\""));
    check(ask("GET /api/me HTTP/1.1\r\n" HOST "Origin: http://localhost:5000\r\nCookie: %s\r\n\r\n", cookie) == 200 && answer_has("\"user\": null"));
    check(ask("GET /yjs/x HTTP/1.1\r\n" HOST WS "Origin: http://localhost:5000\r\nCookie: %s\r\n\r\n", cookie) == 401);
    check(ask("GET /api/me HTTP/1.1\r\n" HOST "Origin: null\r\n\r\n") == 403);      /* whatever the list says */
    web_stop();
}

static void i3_forged_cookies(void) {
    web_start((struct web_config){ 0 });
    check(ask("POST /api/auth/name HTTP/1.1\r\n" HOST OWN "Content-Length: 15\r\n\r\n{\"name\":\"Anna\"}") == 200);
    char cookie[2000];
    snprintf(cookie, sizeof cookie, "%s", answer_cookie());
    char *value = strchr(cookie, '=') + 1;
    for (char *p = value; p[1]; p++) {
        char was = *p;
        *p = was == 'A' ? 'B' : 'A';
        check(ask("GET /api/me HTTP/1.1\r\n" HOST OWN "Cookie: %s\r\n\r\n", cookie) == 200 && strstr(web_answer, "\"named\": false"));
        *p = was;
    }
    web_stop();
    web_start((struct web_config){ 0 });        /* another key */
    check(ask("GET /api/me HTTP/1.1\r\n" HOST OWN "Cookie: %s\r\n\r\n", cookie) == 200 && answer_has("\"named\": false"));
    web_stop();
}

static void i3_cookies_outlive_a_restart(void) {
    char path[] = "/tmp/covalent-test-XXXXXX";
    int fd = mkstemp(path);
    check(fd >= 0);
    close(fd);
    web_start((struct web_config){ .cookie_key_file = path });
    check(ask("POST /api/auth/name HTTP/1.1\r\n" HOST OWN "Content-Length: 15\r\n\r\n{\"name\":\"Anna\"}") == 200);
    char cookie[2000];
    snprintf(cookie, sizeof cookie, "%s", answer_cookie());
    web_stop();
    web_start((struct web_config){ .cookie_key_file = path });
    check(ask("GET /api/me HTTP/1.1\r\n" HOST OWN "Cookie: %s\r\n\r\n", cookie) == 200 && answer_has("\"name\": \"Anna\""));
    check(ask("POST /api/auth/logout HTTP/1.1\r\n" HOST OWN "Cookie: %s\r\nContent-Length: 0\r\n\r\n", cookie) == 200 && answer_has("Max-Age=0"));
    web_stop();
    unlink(path);
}

/* ---- (3) open mode ------------------------------------------------------------------------- */

static void i3_open_mode(void) {
    static const struct { const char *path, *headers; int status; const char *user; bool named; } cases[] = {
        { "/yjs/x?user=ci-bot", "", 101, "ci-bot", true }, { "/ws/ci-bot", "", 101, "ci-bot", true }, { "/yjs/x", "", 101, "guest-", false },
        { "/yjs/x?user=anna", "Origin: http://localhost:5000\r\n", 101, "anna", true }, { "/ws/anna", "Origin: http://localhost:5000\r\n", 101, "anna", true },
        { "/yjs/x", "Origin: http://localhost:5000\r\n", 101, "guest-", false },
        { "/yjs/x?user=anna", OWN, 101, "guest-", false }, { "/ws/anna", OWN, 101, "guest-", false },
        { "/yjs/x?user=..%2Fx", "", 400, NULL, false }, { "/yjs/x?user=a%00b", "", 101, "guest-", false }, { "/yjs/x?user=a%20b", "", 400, NULL, false },
        { "/ws/..%2Fx", "", 400, NULL, false }, { "/ws/a%00", "", 400, NULL, false }, { "/ws/a..b", "", 400, NULL, false }, { "/ws/a%2Fb", "", 400, NULL, false },
        { "/ws/bob?user=anna", "", 403, NULL, false },
        { "/ws/anna?token=whatever", "", 101, "anna", true },       /* nothing to check it with */
    };
    web_start((struct web_config){ .origins = "http://localhost:5000" });
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        memset(opened.user, 0, sizeof opened.user);
        int status = ask("GET %s HTTP/1.1\r\n" HOST WS "%s\r\n", cases[i].path, cases[i].headers);
        if (status != cases[i].status) fprintf(stderr, "case %zu: %d\n", i, status);
        check(status == cases[i].status);
        if (cases[i].user) check(strncmp(opened.user, cases[i].user, strlen(cases[i].user)) == 0 && opened.named == cases[i].named && opened.role == ROLE_EDITOR);
    }
    char first[200];
    check(ask("GET /yjs/x HTTP/1.1\r\n" HOST WS "\r\n") == 101);
    snprintf(first, sizeof first, "%s", opened.user);
    check(ask("GET /yjs/x HTTP/1.1\r\n" HOST WS "\r\n") == 101 && strcmp(first, opened.user) != 0);   /* one a connection */
    check(ask("GET /ws/anna?name=Anna%%20%%E2%%80%%AEB&session=s1 HTTP/1.1\r\n" HOST WS "\r\n") == 101);
    check(strcmp(opened.name, "Anna B") == 0 && strcmp(opened.session, "s1") == 0);
    web_stop();
}

static void i3_names(void) {
    static const struct { const char *body; int status; } cases[] = {
        { "{\"name\":\"\"}", 422 }, { "{\"name\":\"  \"}", 422 }, { "{\"name\":5}", 422 }, { "{}", 422 }, { "[]", 422 }, { "{", 400 }, { "", 400 },
        { "{\"name\":\"\\u202e\\u0007\"}", 422 }, { "{\"name\":\"\xc3\x84nne\"}", 200 },
    };
    web_start((struct web_config){ 0 });
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check(ask("POST /api/auth/name HTTP/1.1\r\n" HOST OWN "Content-Length: %zu\r\n\r\n%s", strlen(cases[i].body), cases[i].body) == cases[i].status);
    char name[LIMIT_NAME_BYTES + 1], text[200] = { 0 };
    for (int i = 0; i < 99; i++) memcpy(text + 2 * i, "\xc3\xa9", 2);
    check(auth_clean_name(slice_of(text), name) && strlen(name) == 64);
    check(auth_clean_name(slice_of("x\xe2\x80\x8bx"), name) && strcmp(name, "xx") == 0);
    check(!auth_clean_name(slice_of("\xff"), name) && !auth_clean_name(slice_of(""), name));
    web_stop();
    web_start((struct web_config){ .secret = SECRET });
    check(ask("POST /api/auth/name HTTP/1.1\r\n" HOST OWN "Content-Length: 15\r\n\r\n{\"name\":\"Anna\"}") == 403);
    web_stop();
}

static void i3_open_mode_only_on_loopback(void) {
    static const struct { const char *secret, *listen; bool good; } cases[] = {
        { "", "127.0.0.1:8000", true }, { "", "[::1]:8000", true }, { "", "localhost:8000", true }, { "", "0.0.0.0:8000", false }, { "", ":8000", false },
        { "", "192.168.1.5:8000", false }, { SECRET, "0.0.0.0:8000", true }, { "short", "127.0.0.1:8000", false }, { "short", "0.0.0.0:8000", false },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *why = NULL;
        struct auth *a = auth_new(&(struct auth_config){ .secret = cases[i].secret, .allowed_origins = "", .listen = cases[i].listen }, &why);
        check((a != NULL) == cases[i].good && (why == NULL) == cases[i].good);
        if (a) auth_free(a);
    }
}

static void nothing(struct http *h, const struct request *r) { http_respond(h, r->ticket, &(struct response){ .status = 200, .body = slice_of("{}") }); }

static void i3_roles_of_routes(void) {
    web_start((struct web_config){ .secret = SECRET });
    for (int role = ROLE_VIEWER; role <= ROLE_ADMIN; role++) {
        char *pattern = role == 0 ? "/r/0" : role == 1 ? "/r/1" : role == 2 ? "/r/2" : "/r/3";
        http_add_route(http, (struct route){ METHOD_GET, pattern, (enum role)role, false, nothing, NULL });
    }
    for (int have = ROLE_VIEWER; have <= ROLE_ADMIN; have++)
        for (int want = ROLE_VIEWER; want <= ROLE_ADMIN; want++)
            check(ask("GET /r/%d?token=%s HTTP/1.1\r\n" HOST "\r\n", want, token_of("anna", "", (enum role)have)) == (have >= want ? 200 : 403));
    check(ask("GET /r/0 HTTP/1.1\r\n" HOST "\r\n") == 401);
    web_stop();
}

int main(void) {
    run(i1_hosts);
    run(i1_origins);
    run(i1_the_refusal_says_what_to_set);
    run(i1_before_the_token);
    run(i1_cross_site_without_origin);
    run(i2_tokens);
    run(i2_a_bad_token_refuses);
    run(i2_tokens_are_made_within_bounds);
    run(i3_when_the_cookie_counts);
    run(i3_no_cookie_from_an_allowed_origin);
    run(i3_forged_cookies);
    run(i3_cookies_outlive_a_restart);
    run(i3_open_mode);
    run(i3_names);
    run(i3_open_mode_only_on_loopback);
    run(i3_roles_of_routes);
    return t_exit();
}
