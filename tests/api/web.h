/* web.h -- for tests of the HTTP side: a server on port 0 in this process and clients that talk to it. */
#ifndef TEST_WEB_H
#define TEST_WEB_H

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "api/listener.h"
#include "t.h"

static struct loop *loop;
static struct conns *conns;
static struct auth *auth;
static struct http *http;
static uint64_t web_ms = 1000000;
static char web_answer[1 << 20];        /* the last answer, whole */
static size_t web_len;

/* What the last upgrade was. */
static struct { int n; char target[600], user[200], name[100], session[80]; bool named, inflate, deflate, ack_ids, is_app, awaits_token; enum dialect dialect;
                enum role role; char bytes[64]; size_t len; } opened;

static void (*web_after_turn)(void);    /* or NULL */

static void web_turn(void) {
    loop_turn(loop);
    if (web_after_turn) web_after_turn();
}

static uint64_t web_now(void *ctx) { return *(uint64_t *)ctx; }

static void ws_bytes(void *owner, struct conn *c, uint8_t *at, size_t len) {
    (void)owner, (void)c;
    if (opened.len + len <= sizeof opened.bytes) memcpy(opened.bytes + opened.len, at, len), opened.len += len;
}
static void ws_writable(void *owner, struct conn *c) { (void)owner, (void)c; }
static void ws_close(void *owner, struct conn *c) { (void)c; principal_unref(owner); }
static const struct conn_handler ws_handler = { ws_bytes, ws_writable, ws_close };

static void (*web_upgrade)(void *ctx, struct conn *c, const struct upgrade *u);     /* instead of `opened` */
static void *web_upgrade_ctx;

static void on_upgrade(void *ctx, struct conn *c, const struct upgrade *u) {
    (void)ctx;
    if (web_upgrade) {
        web_upgrade(web_upgrade_ctx, c, u);
        return;
    }
    int n = opened.n + 1;
    memset(&opened, 0, sizeof opened);
    opened.n = n;
    snprintf(opened.target, sizeof opened.target, "%.*s", SLICE_ARG(u->target));
    snprintf(opened.user, sizeof opened.user, "%s", u->who->user);
    snprintf(opened.name, sizeof opened.name, "%s", u->who->name);
    snprintf(opened.session, sizeof opened.session, "%s", u->who->session);
    opened.named = u->who->named;
    opened.role = u->who->role;
    opened.inflate = u->inflate, opened.deflate = u->deflate, opened.ack_ids = u->ack_ids, opened.is_app = u->is_app, opened.awaits_token = u->awaits_token;
    opened.dialect = u->dialect;
    conn_set_handler(c, &ws_handler, u->who);
}

struct web_config { const char *secret, *origins, *proxies, *cookie_key_file; uint32_t connections, per_address, per_user; };

static void web_start(struct web_config w) {
    const char *why = NULL;
    struct auth_config a = { .secret = w.secret ? w.secret : "", .allowed_origins = w.origins ? w.origins : "",
                             .listen = "127.0.0.1:0", .cookie_key_file = w.cookie_key_file };

    loop = loop_new();
    loop_set_clock(loop, web_now, &web_ms);
    conns = conns_new(loop, 256);
    auth = auth_new(&a, &why);
    if (why) fprintf(stderr, "%s\n", why);
    check(auth != NULL);
    http = http_open(&(struct listener_config){
        .conns = conns, .auth = auth, .listen = "127.0.0.1:0", .trusted_proxies = w.proxies ? w.proxies : "",
        .connections = w.connections ? w.connections : 200, .connections_per_address = w.per_address ? w.per_address : 200,
        .connections_per_user = w.per_user ? w.per_user : 50, .on_upgrade = on_upgrade }, &why);
    check(http != NULL);
    auth_add_routes(http, auth);
}

__attribute__((unused)) static void web_stop(void) {
    conns_free(conns);
    http_close(http);
    auth_free(auth);
    loop_free(loop);
}

static int web_connect(void) {
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons(http_port(http)) };
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    check(connect(fd, (struct sockaddr *)&a, sizeof a) == 0);
    check(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &(struct timeval){ .tv_sec = 5 }, sizeof(struct timeval)) == 0);
    return fd;
}

/* Is web_answer a whole answer? */
static bool web_whole(bool is_head) {
    web_answer[web_len] = 0;
    const char *end = strstr(web_answer, "\r\n\r\n"), *length = strstr(web_answer, "Content-Length: ");
    if (!end) return false;
    if (is_head || !length || length > end || strstr(web_answer, " 304 ") == web_answer + 8) return true;
    return web_len >= (size_t)(end + 4 - web_answer) + strtoul(length + 16, NULL, 10);
}

/* Turn until there is an answer, or the connection closed (then web_len may be 0). */
static void web_read(int fd, bool is_head) {
    web_len = 0;
    for (int i = 0; i < 20000 && !web_whole(is_head); i++) {
        web_turn();
        ssize_t n = recv(fd, web_answer + web_len, sizeof web_answer - web_len - 1, MSG_DONTWAIT);
        if (n > 0) web_len += (size_t)n;
        if (n == 0) break;
        if (n < 0) poll(&(struct pollfd){ .fd = fd, .events = POLLIN }, 1, 1);
    }
    web_answer[web_len] = 0;
}

static void web_send(int fd, const char *text, size_t len) { check(send(fd, text, len, MSG_NOSIGNAL) == (ssize_t)len); }

__attribute__((unused)) static void web_say(int fd, const char *text) { web_send(fd, text, strlen(text)); }

static int web_status(void) { return web_len > 12 ? atoi(web_answer + 9) : 0; }

/* One request on a connection of its own; returns the status. */
__attribute__((format(printf, 1, 2), unused)) static int ask(const char *format, ...) {
    char *text;
    va_list args;
    int fd = web_connect();

    va_start(args, format);
    int n = vasprintf(&text, format, args);
    va_end(args);
    check(n >= 0);
    web_send(fd, text, (size_t)n);
    web_read(fd, strncmp(text, "HEAD", 4) == 0);
    free(text);
    close(fd);
    return web_status();
}

__attribute__((unused)) static bool answer_has(const char *text) {
    bool has = strstr(web_answer, text) != NULL;
    if (!has) fprintf(stderr, "no \"%s\" in: %.900s\n", text, web_answer);
    return has;
}

/* The answer's Set-Cookie as a Cookie value. */
__attribute__((unused)) static const char *answer_cookie(void) {
    static char cookie[2000];
    const char *at = strstr(web_answer, "Set-Cookie: ");
    cookie[0] = 0;
    if (at) snprintf(cookie, sizeof cookie, "%.*s", (int)strcspn(at + 12, ";"), at + 12);
    return cookie;
}

#endif
