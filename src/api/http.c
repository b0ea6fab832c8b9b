/* http.c -- requests: read, checked, routed. Reactor thread. */
#include <stdio.h>
#include <stdlib.h>

#include "api/http_int.h"
#include "base/err.h"
#include "base/must.h"
#include "base/utf8.h"
#include "wire/url.h"

#define IDLE_MS 60000           /* a kept-alive connection without a request */
#define BODY_MS 30000           /* 1 MiB over a slow line */
#define WRITE_MS 60000          /* an answer nobody reads */
#define IN_MAX (LIMIT_HEADER_BYTES + KIB(64) + KIB(64))     /* a head and what one or two reads bring after it */

/* ---- the life of an exchange ---------------------------------------------------------------- */

static void on_timer(struct loop_timer *timer, uint64_t now_ms) {
    struct exchange *x =
        (struct exchange *)(void *)((char *)timer - offsetof(struct exchange, timer));

    (void)now_ms;
    if (x->state == READ_BODY ||
        (x->state == READ_HEAD && x->in.len && memchr(x->in.at, '\n', x->in.len)))
        exchange_fail(x, 408, "the request did not come in time");
    else conn_close(x->conn);
}

static void set_timer(struct exchange *x, uint32_t ms) {
    loop_timer_set(x->http->loop, &x->timer, loop_now_ms(x->http->loop) + ms);
}

void exchange_open(struct http *h, struct conn *c) {
    struct exchange *x = calloc(1, sizeof *x);

    must(x);
    x->http = h;
    x->conn = c;
    x->timer.on_timer = on_timer;
    buf_init(&x->in, IN_MAX);
    buf_init(&x->body, LIMIT_BODY_BYTES);
    buf_init(&x->out, MIB(256));
    set_timer(x, LIMIT_REQUEST_MS);
    conn_set_handler(c, &exchange_handler, x);
}

static void forget_request(struct exchange *x) {
    if (x->who) principal_unref(x->who);
    free(x->if_none_match);
    free(x->cors_origin);
    x->who = NULL;
    x->if_none_match = x->cors_origin = NULL;
    x->is_anonymous = x->is_head = false;
    buf_deinit(&x->body);
    buf_init(&x->body, LIMIT_BODY_BYTES);
    buf_deinit(&x->out);
    buf_init(&x->out, MIB(256));
    x->written = 0;
}

void exchange_free(struct exchange *x) {
    loop_timer_clear(x->http->loop, &x->timer);
    forget_request(x);
    buf_deinit(&x->in);
    free(x);
}

/* ---- routing -------------------------------------------------------------------------------- */

static bool method_of(struct slice text, enum method *out) {
    static const char *const names[] = { "GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS" };

    for (int i = 0; i < 6; i++)
        if (slice_is(text, names[i])) {
            *out = (enum method)i;
            return true;
        }
    return false;
}

static bool match(const char *pattern, struct slice path, struct slice args[4]) {
    size_t at = 0, n = 0;

    for (const char *p = pattern; *p; p++) {
        if (strncmp(p, "{*}", 3) == 0) {
            args[n] = (struct slice){ path.at + at, path.len - at };
            return true;
        }
        if (strncmp(p, "{}", 2) == 0) {
            size_t start = at;
            while (at < path.len && path.at[at] != '/') at++;
            if (at == start || n == 4) return false;
            args[n++] = (struct slice){ path.at + start, at - start };
            p++;
        } else {
            if (at == path.len || path.at[at] != (uint8_t)*p) return false;
            at++;
        }
    }
    return at == path.len;
}

static const struct route *find_route(const struct http *h, struct request *r, bool *path_known) {
    enum method wanted = r->method == METHOD_HEAD ? METHOD_GET : r->method;

    *path_known = false;
    for (size_t i = 0; i < h->n_routes; i++) {
        if (!match(h->routes[i].pattern, r->path, r->args)) continue;
        if (h->routes[i].method == wanted) return &h->routes[i];
        if (strcmp(h->routes[i].pattern, "/{*}") != 0) *path_known = true;
    }
    return NULL;
}

void http_add_route(struct http *h, struct route route) {
    must(h->n_routes < ROUTES_MAX);
    h->routes[h->n_routes++] = route;
}

static void answer_preflight(struct exchange *x) {
    answer(x, &(struct response){
                  .status = 204,
                  .headers = "Access-Control-Allow-Methods: GET, HEAD, POST, PUT, DELETE\r\n"
                             "Access-Control-Allow-Headers: Authorization, Content-Type, If-Match, "
                             "If-None-Match, Idempotency-Key\r\n"
                             "Access-Control-Max-Age: 600\r\n" });
}

static void run_route(struct exchange *x, struct request *r) {
    bool path_known;
    const struct route *route = find_route(x->http, r, &path_known);

    if (!route && r->method == METHOD_OPTIONS) answer_preflight(x);
    else if (!route)
        answer_error(x, path_known ? 405 : 404,
                     path_known ? "this method is not served here" : "not found");
    else if (x->is_anonymous && !route->is_public) answer_error(x, 401, "sign in, or send a token");
    else if (r->who->role < route->role && !route->is_public)
        answer_error(x, 403, "your role does not allow this");
    else {
        r->ctx = route->ctx;
        route->handler(x->http, r);
    }
}

/* ---- one request ---------------------------------------------------------------------------- */

void auth_request_of(const struct http_head *head, struct slice path_user, struct auth_request *a) {
    *a = (struct auth_request){
        .host = http_field(head, "host"),
        .origin = http_field(head, "origin"),
        .fetch_site = http_field(head, "sec-fetch-site"),
        .authorization = http_field(head, "authorization"),
        .cookie = http_field(head, "cookie"),
        .query = head->query,
        .path_user = path_user,
        .session = http_field(head, "idempotency-key"),
        .protocols = http_field(head, "sec-websocket-protocol"),
        .is_read = slice_is(head->method, "GET") || slice_is(head->method, "HEAD"),
        .is_websocket = head->wants_websocket,
    };
    a->has_origin = a->origin.at != NULL;
    a->has_fetch_site = a->fetch_site.at != NULL;
}

static void note_headers(struct exchange *x, const struct http_head *head) {
    struct slice match = http_field(head, "if-none-match");

    x->is_head = slice_is(head->method, "HEAD");
    x->keep_alive = head->keep_alive;
    x->takes_gzip = http_list_has(http_field(head, "accept-encoding"), "gzip");
    if (match.len) x->if_none_match = strndup((const char *)match.at, match.len);
}

/* E_OK, or it has been answered. */
static int identify(struct exchange *x, const struct http_head *head) {
    struct auth_request a;
    struct auth_result result;

    auth_request_of(head, (struct slice){ 0 }, &a);
    int e = auth_identify(x->http->config.auth, &a, &result);
    if (e != E_OK) {
        answer_error(x, err_http(e), result.detail);
        return e;
    }
    x->who = result.who;
    x->is_anonymous = result.is_anonymous;
    if (result.is_allowed_origin) x->cors_origin = strndup((const char *)a.origin.at, a.origin.len);
    return E_OK;
}

/* The request is whole: `in` begins with its head, `body` is its body. */
static void dispatch(struct exchange *x) {
    struct http_head head;
    struct buf path;

    must(http_head_parse((struct slice){ x->in.at, x->head_size }, &head) == E_OK);
    x->state = ANSWERING;
    x->serial++;
    loop_timer_clear(x->http->loop, &x->timer);
    note_headers(x, &head);
    buf_init(&path, LIMIT_URL_BYTES);
    struct request r = { .query = head.query, .body = buf_view(&x->body), .raw = &head,
                         .ticket = { x->conn->id, x->serial } };
    if (!url_decode(head.path, false, &path)) {
        answer_error(x, 400, "the address is not UTF-8 in percent-encoding");
    } else if (head.wants_websocket) {
        upgrade_run(x, &head, buf_view(&path));
        buf_deinit(&path);
        return;                                 /* x may be gone */
    } else if (!method_of(head.method, &r.method)) {
        answer_error(x, 501, "unknown method");
    } else if (identify(x, &head) == E_OK) {
        r.path = buf_view(&path);
        r.who = x->who;
        r.is_anonymous = x->is_anonymous;
        run_route(x, &r);
    }
    buf_deinit(&path);
}

/* ---- reading -------------------------------------------------------------------------------- */

/* Take from `in` what belongs to the body. */
static int take_body(struct exchange *x) {
    struct slice rest = { x->in.at + x->head_size, x->in.len - x->head_size };
    size_t had = rest.len;
    int e = http_body_take(&x->body_parser, &rest, &x->body);

    memmove(x->in.at + x->head_size, x->in.at + x->head_size + (had - rest.len), rest.len);
    x->in.len = x->head_size + rest.len;
    return e;
}

static void begin_body(struct exchange *x, const struct http_head *head) {
    x->head_size = head->size;
    x->state = READ_BODY;
    http_body_init(&x->body_parser, head);
    if (head->length || head->is_chunked) set_timer(x, BODY_MS);
    if (head->expects_continue && head->length <= LIMIT_BODY_BYTES && x->in.len == head->size) {
        static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
        conn_write(x->conn, &(struct iovec){ (void *)(uintptr_t)go_on, sizeof go_on - 1 }, 1);
    }
}

/* One step. False: nothing more can be done now (or x is gone). */
static bool step(struct exchange *x) {
    if (x->state == READ_HEAD) {
        struct http_head head;
        if (x->in.len == 0) return false;
        int e = http_head_parse(buf_view(&x->in), &head);
        if (e == E_AGAIN) return false;
        if (e != E_OK) {
            exchange_fail(x, head.status, head.problem);
            return false;
        }
        begin_body(x, &head);
        return true;
    }
    if (x->state != READ_BODY) return false;
    int e = take_body(x);
    if (e == E_AGAIN) return false;
    if (e != E_OK) {
        exchange_fail(x, err_http(e),
                      e == E_TOO_LARGE ? "the body is larger than 1 MiB" : "the body is malformed");
        return false;
    }
    struct conn *c = x->conn;
    dispatch(x);
    return c->owner == x && c->handler == &exchange_handler && x->state == READ_HEAD;
}

static void run(struct exchange *x) {
    struct conn *c = x->conn;

    x->is_running = true;
    while (step(x)) continue;
    if (c->owner != x || c->handler != &exchange_handler) return;      /* a WebSocket now */
    x->is_running = false;
    if (x->state == ANSWERING || x->state == WRITING) conn_pause(c);   /* X2 */
    else if (x->state != OVER) conn_resume(c);
}

static void on_bytes(void *owner, struct conn *c, uint8_t *at, size_t len) {
    struct exchange *x = owner;

    if (x->state == OVER) return;
    if (x->in.len == 0 && x->state == READ_HEAD) set_timer(x, LIMIT_REQUEST_MS);
    buf_put(&x->in, at, len);
    if (x->in.bad) {
        conn_close(c);
        return;
    }
    run(x);
}

/* ---- the end of an answer ------------------------------------------------------------------- */

void exchange_end_request(struct exchange *x) {
    if (!x->keep_alive) {
        x->state = OVER;
        loop_timer_clear(x->http->loop, &x->timer);
        conn_finish(x->conn);
        return;
    }
    memmove(x->in.at, x->in.at + x->head_size, x->in.len - x->head_size);
    x->in.len -= x->head_size;
    x->head_size = 0;
    if (x->in.len == 0) {
        buf_deinit(&x->in);         /* nothing is held while idle */
        buf_init(&x->in, IN_MAX);
    }
    forget_request(x);
    x->state = READ_HEAD;
    set_timer(x, x->in.len ? LIMIT_REQUEST_MS : IDLE_MS);
    if (!x->is_running) run(x);
}

void exchange_fail(struct exchange *x, int status, const char *detail) {
    char address[64];

    if (log_gate_opens(&x->http->request_gate, loop_now_ms(x->http->loop))) {
        http_address_text(x->http, x->conn, (struct slice){ 0 }, address);
        log_warn("http.malformed", "status=%d detail=\"%s\" address=%s", status, detail, address);
    }
    x->keep_alive = false;
    x->state = ANSWERING;
    answer_error(x, status, detail);
}

static void on_writable(void *owner, struct conn *c) {
    (void)c;
    answer_flush(owner);
}

static void on_close(void *owner, struct conn *c) {
    (void)c;
    exchange_free(owner);
}

const struct conn_handler exchange_handler = { on_bytes, on_writable, on_close };

void exchange_written(struct exchange *x) { set_timer(x, WRITE_MS); }

/* ---- for handlers --------------------------------------------------------------------------- */

struct slice http_header(const struct request *r, const char *name) {
    return http_field(r->raw, name);
}

bool http_query(const struct request *r, const char *name, struct buf *value) {
    return url_query(r->query, name, value);
}

static struct exchange *find(struct http *h, struct ticket t) {
    struct conn *c = conns_find(h->config.conns, t.conn);

    if (!c || c->handler != &exchange_handler) return NULL;
    struct exchange *x = c->owner;
    return x->serial == t.serial && x->state == ANSWERING ? x : NULL;
}

void http_respond(struct http *h, struct ticket t, const struct response *r) {
    struct exchange *x = find(h, t);
    if (x) answer(x, r);
}

void http_respond_error(struct http *h, struct ticket t, int status, const char *detail) {
    struct exchange *x = find(h, t);
    if (x) answer_error(x, status, detail);
}
