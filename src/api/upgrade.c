/* upgrade.c -- WS /yjs/{room} and WS /ws/{user_id}: the opening handshake (RFC 6455 section 4.2), then
 * the connection is the session's. Reactor thread. */
#include <stdio.h>
#include <stdlib.h>

#include "api/http_int.h"
#include "base/err.h"
#include "base/must.h"
#include "wire/url.h"
#include "wire/ws.h"

#define APP_PROTOCOL "covalent.v1"

static struct slice after(struct slice path, const char *prefix) {
    size_t len = strlen(prefix);

    if (path.len <= len || memcmp(path.at, prefix, len) != 0) return (struct slice){ 0 };
    return (struct slice){ path.at + len, path.len - len };
}

/* What is wrong with the handshake's own fields: a status, or 0. */
static int check_fields(const struct http_head *head, char accept[29], const char **problem) {
    if (!slice_is(head->method, "GET") || head->minor == 0) {
        *problem = "a WebSocket is opened by GET and HTTP/1.1";
        return 400;
    }
    if (!slice_is(http_field(head, "sec-websocket-version"), "13")) {
        *problem = "only WebSocket version 13 is spoken here";
        return 426;
    }
    if (!ws_accept_key(http_field(head, "sec-websocket-key"), accept)) {
        *problem = "Sec-WebSocket-Key is missing or malformed";
        return 400;
    }
    return 0;
}

/* Of what the client offers we answer with our own protocol, never with the one that holds a token;
 * a client that offers others of its own gets none of them. */
static bool offers_app(const struct http_head *head) {
    return http_list_has(http_field(head, "sec-websocket-protocol"), APP_PROTOCOL);
}

static bool write_101(struct exchange *x, const char *accept, const struct ws_offer *offer,
                      bool is_app) {
    struct buf b;

    buf_init(&b, KIB(1));
    buf_printf(&b,
               "HTTP/1.1 101 Switching Protocols\r\n"
               "Upgrade: websocket\r\n"
               "Connection: Upgrade\r\n"
               "Sec-WebSocket-Accept: %s\r\n",
               accept);
    if (offer->agreed) buf_printf(&b, "Sec-WebSocket-Extensions: %s\r\n", offer->answer);
    if (is_app) buf_text(&b, "Sec-WebSocket-Protocol: " APP_PROTOCOL "\r\n");
    buf_text(&b, "\r\n");
    must(!b.bad);
    bool all = conn_write(x->conn, &(struct iovec){ b.at, b.len }, 1) == (ssize_t)b.len;
    buf_deinit(&b);
    return all;
}

static struct ws_offer negotiate(const struct http_head *head) {
    struct buf b;

    buf_init(&b, LIMIT_HEADER_BYTES);
    http_fields_join(head, "sec-websocket-extensions", &b);
    struct ws_offer offer = ws_negotiate(buf_view(&b));
    buf_deinit(&b);
    return offer;
}

/* The exchange ends here; what came after the handshake are the session's first bytes. */
static void hand_over(struct exchange *x, const struct http_head *head, struct upgrade *u) {
    struct http *h = x->http;
    struct conn *c = x->conn;
    size_t more = x->in.len - head->size;
    uint8_t *rest = more ? malloc(more) : NULL;

    must(!more || rest);
    if (more) memcpy(rest, x->in.at + head->size, more);
    x->who = NULL;                              /* transferred */
    struct conn_id id = c->id;
    h->config.on_upgrade(h->config.ctx, c, u);  /* sets its own handler; u's slices live in our caller */
    must(c->handler != &exchange_handler);
    exchange_free(x);
    if (more && conns_find(h->config.conns, id) == c) c->handler->on_bytes(c->owner, c, rest, more);
    free(rest);
}

static bool asks_acks(const struct http_head *head) {
    struct buf b;

    buf_init(&b, LIMIT_URL_BYTES);
    bool ids = url_query(head->query, "ack", &b) && slice_is(buf_view(&b), "ids");
    buf_deinit(&b);
    return ids;
}

/* A Hocuspocus client brings its token in its first message: until then it is a guest of that id. */
static struct principal *unproven(struct principal *guest, struct slice user) {
    char id[LIMIT_USER_BYTES + 1];

    principal_unref(guest);
    snprintf(id, sizeof id, "%.*s", SLICE_ARG(user));
    return principal_new(id, "", ROLE_VIEWER);
}

/* Who is it? False: it has been answered. */
static bool admit(struct exchange *x, const struct http_head *head, struct slice user,
                  bool *awaits_token) {
    struct auth_request a;
    struct auth_result result;

    auth_request_of(head, user, &a);
    int e = auth_identify(x->http->config.auth, &a, &result);
    *awaits_token = e == E_OK && result.is_anonymous && user.len;
    if (*awaits_token) {
        result.who = unproven(result.who, user);
    } else if (e == E_OK && result.is_anonymous) {
        principal_unref(result.who);
        snprintf(result.detail, sizeof result.detail, "sign in, or send a token");
        e = E_UNAUTHORIZED;
    }
    if (e != E_OK) {
        answer_error(x, err_http(e), result.detail);
        return false;
    }
    x->who = result.who;
    bool by_address = http_seat_forwarded(x->http, x->conn, http_field(head, "x-forwarded-for"));
    if (by_address && http_seat_user(x->http, x->conn, x->who)) return true;
    answer_error(x, 429,
                 by_address ? "too many connections of this user"
                            : "too many connections from this address");
    return false;
}

void upgrade_run(struct exchange *x, const struct http_head *head, struct slice path) {
    char accept[29];
    const char *problem = NULL;
    bool awaits_token;
    struct slice room = after(path, "/yjs/"), user = after(path, "/ws/");
    int status = room.len || user.len ? check_fields(head, accept, &problem) : 404;

    if (status == 404) problem = "WebSockets are at /yjs/ROOM and /ws/USER";
    if (!status && user.len && !auth_user_is_valid(user)) {
        status = 400;
        problem = "the user id must match [A-Za-z0-9][A-Za-z0-9._@+-]{0,127}, without ..";
    }
    if (status) {
        answer_error(x, status, problem);
        return;
    }
    if (!admit(x, head, user, &awaits_token)) return;
    struct ws_offer offer = negotiate(head);
    struct upgrade u = {
        .dialect = room.len ? DIALECT_YJS : DIALECT_MUX,
        .target = room.len ? room : user,
        .who = x->who,
        .inflate = offer.agreed,
        .deflate = offer.agreed && offer.may_deflate,
        .ack_ids = room.len && asks_acks(head),
        .is_app = offers_app(head),
        .awaits_token = awaits_token,
    };
    if (write_101(x, accept, &offer, u.is_app)) hand_over(x, head, &u);
    else conn_close(x->conn);
}
