/* HTTP over a real listener: hostile requests, keep-alive, caching, upgrades, caps. */
#include "web.h"

#include <zlib.h>

#include "api/metrics.h"
#include "base/err.h"

#define HOST "Host: localhost:8000\r\n"
#define WS "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"

static struct ticket kept;
static char long_text[5000];

static void echo(struct http *h, const struct request *r) {
    struct buf b;

    buf_init(&b, MIB(2));
    buf_printf(&b, "%d|%.*s|%.*s|%.*s|%.*s|", (int)r->method, SLICE_ARG(r->path), SLICE_ARG(r->args[0]), SLICE_ARG(r->args[1]), SLICE_ARG(r->query));
    buf_slice(&b, r->body);
    http_respond(h, r->ticket, &(struct response){ .status = 200, .type = "text/plain", .body = buf_view(&b) });
    http_respond(h, r->ticket, &(struct response){ .status = 500 });       /* X1: too late */
    buf_deinit(&b);
}

static void later(struct http *h, const struct request *r) { (void)h; kept = r->ticket; }

static void tagged(struct http *h, const struct request *r) {
    http_respond(h, r->ticket, &(struct response){ .status = 200, .etag = slice_of("v1"), .body = slice_of(long_text), .type = "text/plain" });
}

static const char *problem(void *ctx) { return *(bool *)ctx ? "the disk is full" : NULL; }
static bool ready(void *ctx) { return !*(bool *)ctx; }

static void start(struct web_config w) {
    memset(long_text, 'x', sizeof long_text - 1);
    web_start(w);
    http_add_route(http, (struct route){ METHOD_GET, "/echo/{}/{*}", ROLE_VIEWER, false, echo, NULL });
    http_add_route(http, (struct route){ METHOD_POST, "/echo/{}", ROLE_VIEWER, false, echo, NULL });
    http_add_route(http, (struct route){ METHOD_GET, "/echo/{}", ROLE_VIEWER, false, echo, NULL });
    http_add_route(http, (struct route){ METHOD_GET, "/later", ROLE_VIEWER, false, later, NULL });
    http_add_route(http, (struct route){ METHOD_GET, "/tagged", ROLE_VIEWER, false, tagged, NULL });
}

/* ---- hostile requests ---------------------------------------------------------------------- */

static void h1_refusals(void) {
    static const struct { const char *text; int status; } cases[] = {
        { "GET / HTTP/1.1\r\n\r\n", 400 }, { "GET / HTTP/1.1\n" HOST "\n", 400 }, { "GET / HTTP/1.1\r\n" HOST HOST "\r\n", 400 },
        { "GET / HTTP/1.1\r\n" HOST " folded\r\n\r\n", 400 }, { "BREW /echo/a HTTP/1.1\r\n" HOST "\r\n", 501 }, { "GET /echo/a HTTP/3.0\r\n" HOST "\r\n", 505 },
        { "GET /echo/%zz HTTP/1.1\r\n" HOST "\r\n", 400 }, { "GET /echo/%00 HTTP/1.1\r\n" HOST "\r\n", 400 }, { "GET /echo/%ff HTTP/1.1\r\n" HOST "\r\n", 400 },
        { "GET /none HTTP/1.1\r\n" HOST "\r\n", 404 }, { "DELETE /echo/a HTTP/1.1\r\n" HOST "\r\n", 405 }, { "GET /echo/ HTTP/1.1\r\n" HOST "\r\n", 404 },
        { "POST /echo/a HTTP/1.1\r\n" HOST "Content-Length: 2000000\r\n\r\n", 413 }, { "POST /echo/a HTTP/1.1\r\n" HOST "Content-Length: x\r\n\r\n", 400 },
        { "POST /echo/a HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n200000\r\n", 413 }, { "POST /echo/a HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\nzz\r\n", 400 },
        { "POST /echo/a HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n", 400 },
        { "GET /yjs/x HTTP/1.1\r\n" HOST "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\r\n", 400 },
        { "GET /yjs/x HTTP/1.1\r\n" HOST "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 8\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n", 426 },
        { "GET /yjs/x HTTP/1.1\r\n" HOST "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: short\r\n\r\n", 400 },
        { "POST /yjs/x HTTP/1.1\r\n" HOST WS "\r\n", 400 }, { "GET /yjs/x HTTP/1.0\r\n" HOST WS "\r\n", 400 }, { "GET /yjs/ HTTP/1.1\r\n" HOST WS "\r\n", 404 },
        { "GET /other HTTP/1.1\r\n" HOST WS "\r\n", 404 }, { "GET /yjs/a%00b HTTP/1.1\r\n" HOST WS "\r\n", 400 },
        { "GET /echo/a HTTP/1.1\r\n" HOST "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n\r\n", 200 },      /* ignored */
        { "\x16\x03\x01\x02\x01\xfc\x03\x03\r\n\r\n", 400 },                                                 /* TLS on a plain port */
    };
    start((struct web_config){ 0 });
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int status = ask("%s", cases[i].text);
        if (status != cases[i].status) fprintf(stderr, "case %zu: %d, want %d\n", i, status, cases[i].status);
        check(status == cases[i].status);
        if (status != 200) check(answer_has("{\"detail\": \""));
    }
    check(ask("GET /yjs/x HTTP/1.1\r\n" HOST "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 8\r\n\r\n") == 426 &&
          answer_has("Sec-WebSocket-Version: 13\r\n"));
    web_stop();
}

static void h1_large_heads(void) {
    char *big = malloc(20001);

    start((struct web_config){ 0 });
    memset(big, 'a', 20000);
    big[3000] = 0;
    check(ask("GET /%s HTTP/1.1\r\n" HOST "\r\n", big) == 414);
    memset(big, 'a', 20000);
    big[9000] = 0;
    check(ask("GET / HTTP/1.1\r\n" HOST "X: %s\r\n\r\n", big) == 431);
    size_t n = 0;
    for (int i = 0; i < 70; i++) n += (size_t)sprintf(big + n, "X: 1\r\n");
    check(ask("GET / HTTP/1.1\r\n" HOST "%s\r\n", big) == 431);
    check(ask("GET /echo/%s HTTP/1.1\r\n" HOST "\r\n", "../../etc/passwd") == 200);     /* an argument, never a path */
    check(answer_has("|/echo/../../etc/passwd|..|../etc/passwd|"));
    free(big);
    web_stop();
}

static void h2_slow_requests(void) {
    start((struct web_config){ 0 });
    int fd = web_connect(), silent = web_connect();
    web_say(fd, "GET / HTTP/1.1\r\nHo");
    for (int i = 0; i < 50; i++) loop_turn(loop);
    check(conns_count(conns) == 2);
    web_ms += 9000;
    for (int i = 0; i < 50; i++) loop_turn(loop);
    web_say(fd, "s");                                   /* a byte now and then does not help */
    for (int i = 0; i < 50; i++) loop_turn(loop);
    check(conns_count(conns) == 2);
    web_ms += 1001;
    web_read(fd, false);
    check(web_status() == 408);
    web_read(silent, false);
    check(web_len == 0);                                    /* nothing was asked: just closed */
    web_ms += 1001;                                         /* lingering ends */
    for (int i = 0; i < 50; i++) loop_turn(loop);
    check(conns_count(conns) == 0);
    close(fd);
    close(silent);

    fd = web_connect();                                     /* a body that does not come */
    web_say(fd, "POST /echo/a HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nab");
    for (int i = 0; i < 50; i++) loop_turn(loop);
    web_ms += 30001;
    web_read(fd, false);
    check(web_status() == 408);
    close(fd);
    web_stop();
}

/* Every cut of two pipelined requests gives the same two answers. */
static void w4_every_cut(void) {
    static const char text[] = "POST /echo/a?q=1 HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
                               "GET /echo/b HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n";
    start((struct web_config){ 0 });
    for (size_t cut = 1; cut < sizeof text - 1; cut++) {
        int fd = web_connect();
        web_send(fd, text, cut);
        for (int i = 0; i < 8; i++) loop_turn(loop);
        web_send(fd, text + cut, sizeof text - 1 - cut);
        web_len = 0;
        for (int i = 0; i < 5000; i++) {
            loop_turn(loop);
            ssize_t n = recv(fd, web_answer + web_len, sizeof web_answer - web_len - 1, MSG_DONTWAIT);
            if (n > 0) web_len += (size_t)n;
            if (n == 0) break;
            if (n < 0) poll(&(struct pollfd){ .fd = fd, .events = POLLIN }, 1, 1);
        }
        web_answer[web_len] = 0;
        check(answer_has("2|/echo/a|a||q=1|abcHTTP/1.1 200") && answer_has("0|/echo/b|b|||") && answer_has("Connection: close"));
        close(fd);
    }
    web_stop();
}

/* ---- answers ------------------------------------------------------------------------------- */

static void x1_keep_alive_and_late_answers(void) {
    start((struct web_config){ 0 });
    int fd = web_connect();
    for (int i = 0; i < 3; i++) {
        web_say(fd, "GET /echo/a HTTP/1.1\r\n" HOST "\r\n");
        web_read(fd, false);
        check(web_status() == 200);
    }
    web_say(fd, "GET /later HTTP/1.1\r\n" HOST "\r\nGET /echo/next HTTP/1.1\r\n" HOST "\r\n");
    for (int i = 0; i < 50; i++) loop_turn(loop);
    struct ticket wrong = { kept.conn, kept.serial + 1 };
    http_respond_error(http, wrong, 500, "nobody's");
    http_respond(http, kept, &(struct response){ .status = 201, .body = slice_of("done"), .type = "text/plain" });
    http_respond_error(http, kept, 500, "twice");
    web_read(fd, false);
    check(web_status() == 201 && answer_has("done"));
    if (!strstr(web_answer, "/echo/next")) web_read(fd, false);
    check(answer_has("/echo/next") && !strstr(web_answer, "nobody") && !strstr(web_answer, "twice"));
    web_say(fd, "GET /later HTTP/1.1\r\n" HOST "\r\n");
    for (int i = 0; i < 50; i++) loop_turn(loop);
    close(fd);
    for (int i = 0; i < 50 && conns_count(conns); i++) {
        loop_turn(loop);
        if (i == 20) http_respond_error(http, kept, 200, "to nobody");
    }
    web_stop();
}

static void x3_etag_gzip_head(void) {
    start((struct web_config){ 0 });
    check(ask("GET /tagged HTTP/1.1\r\n" HOST "\r\n") == 200 && answer_has("ETag: \"v1\"\r\n") && answer_has("Content-Length: 4999\r\n") && answer_has("Cache-Control: no-cache"));
    check(!strstr(web_answer, "Content-Encoding"));
    check(ask("GET /tagged HTTP/1.1\r\n" HOST "If-None-Match: \"v0\", W/\"v1\"\r\n\r\n") == 304 && !strstr(web_answer, "xxx"));
    check(ask("GET /tagged HTTP/1.1\r\n" HOST "If-None-Match: \"v\"\r\n\r\n") == 200);
    check(ask("HEAD /tagged HTTP/1.1\r\n" HOST "\r\n") == 200 && answer_has("Content-Length: 4999\r\n") && !strstr(web_answer, "xxx"));
    check(ask("GET /tagged HTTP/1.1\r\n" HOST "Accept-Encoding: br, gzip\r\n\r\n") == 200 && answer_has("Content-Encoding: gzip") && answer_has("Vary: Accept-Encoding"));
    char *body = strstr(web_answer, "\r\n\r\n") + 4, plain[6000];
    z_stream z = { .next_in = (Bytef *)body, .avail_in = (uInt)(web_len - (size_t)(body - web_answer)), .next_out = (Bytef *)plain, .avail_out = sizeof plain };
    check(inflateInit2(&z, 15 + 16) == Z_OK && inflate(&z, Z_FINISH) == Z_STREAM_END && z.total_out == 4999 && plain[4998] == 'x');
    inflateEnd(&z);
    check(ask("GET /echo/a HTTP/1.1\r\n" HOST "Accept-Encoding: gzip\r\n\r\n") == 200 && !strstr(web_answer, "Content-Encoding"));
    check(answer_has("X-Content-Type-Options: nosniff") && answer_has("Referrer-Policy: no-referrer") && answer_has("Content-Security-Policy: default-src 'none'"));
    web_stop();
}

static void x4_cors(void) {
    start((struct web_config){ .origins = "http://page.example" });
    check(ask("OPTIONS /echo/a HTTP/1.1\r\n" HOST "Origin: http://page.example\r\nAccess-Control-Request-Method: POST\r\n\r\n") == 204);
    check(answer_has("Access-Control-Allow-Origin: http://page.example\r\n") && answer_has("Access-Control-Allow-Methods: ") && !strstr(web_answer, "Credentials"));
    check(ask("GET /echo/a HTTP/1.1\r\n" HOST "Origin: http://page.example\r\n\r\n") == 200 && answer_has("Access-Control-Allow-Origin: http://page.example\r\n") && answer_has("Vary: Origin"));
    check(ask("GET /echo/a HTTP/1.1\r\n" HOST "\r\n") == 200 && !strstr(web_answer, "Access-Control"));
    check(ask("OPTIONS /echo/a HTTP/1.1\r\n" HOST "Origin: http://evil.example\r\n\r\n") == 403 && !strstr(web_answer, "Access-Control"));
    web_stop();
}

static void x5_bodies(void) {
    start((struct web_config){ 0 });
    char *body = malloc(MIB(1) + 1);
    memset(body, 'b', MIB(1));
    body[MIB(1)] = 0;
    check(ask("POST /echo/big HTTP/1.1\r\n" HOST "Content-Length: %zu\r\n\r\n%.65000s", (size_t)65000, body) == 200 && answer_has("big|||bbbb"));
    free(body);
    int fd = web_connect();
    web_say(fd, "POST /echo/a HTTP/1.1\r\n" HOST "Content-Length: 2\r\nExpect: 100-continue\r\n\r\n");
    web_read(fd, false);
    check(strcmp(web_answer, "HTTP/1.1 100 Continue\r\n\r\n") == 0);
    web_say(fd, "ok");
    web_read(fd, false);
    check(web_status() == 200 && answer_has("|ok"));
    close(fd);
    web_stop();
}

/* ---- upgrades and caps --------------------------------------------------------------------- */

static void u1_upgrade(void) {
    start((struct web_config){ 0 });
    check(ask("GET /yjs/a%%2Fb%%20%%2525?ack=ids HTTP/1.1\r\n" HOST WS "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\r\n\x81\x80zzzz") == 101);
    check(answer_has("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n") && answer_has("Sec-WebSocket-Extensions: permessage-deflate; "));
    check(strcmp(opened.target, "a/b %25") == 0 && opened.dialect == DIALECT_YJS && opened.inflate && opened.deflate && opened.ack_ids && !opened.is_app);
    check(opened.len == 6 && memcmp(opened.bytes, "\x81\x80zzzz", 6) == 0);     /* what came with the handshake */
    check(ask("GET /ws/anna HTTP/1.1\r\n" HOST WS "Sec-WebSocket-Protocol: covalent.v1\r\nSec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=10\r\n\r\n") == 101);
    check(strcmp(opened.target, "anna") == 0 && opened.dialect == DIALECT_MUX && opened.inflate && !opened.deflate && !opened.ack_ids && opened.is_app);
    check(ask("GET /yjs/x HTTP/1.1\r\n" HOST WS "Sec-WebSocket-Protocol: other\r\n\r\n") == 101 && !strstr(web_answer, "Protocol:") && !strstr(web_answer, "Extensions:"));
    web_stop();
}

static void u2_caps(void) {
    int fds[8];

    start((struct web_config){ .connections = 3, .per_user = 2 });
    for (int i = 0; i < 3; i++) fds[i] = web_connect();
    for (int i = 0; i < 50; i++) loop_turn(loop);
    check(conns_count(conns) == 3);
    check(ask("GET /echo/a HTTP/1.1\r\n" HOST "\r\n") == 503 && answer_has("Retry-After: "));
    for (int i = 0; i < 3; i++) close(fds[i]);
    web_ms += 2000;
    for (int i = 0; i < 50; i++) loop_turn(loop);
    check(conns_count(conns) == 0);
    check(ask("GET /echo/a HTTP/1.1\r\n" HOST "\r\n") == 200);
    web_stop();

    start((struct web_config){ .per_user = 2 });
    static const char open_anna[] = "GET /ws/anna HTTP/1.1\r\n" HOST WS "\r\n";
    for (int i = 0; i < 3; i++) {
        fds[i] = web_connect();
        web_send(fds[i], open_anna, sizeof open_anna - 1);
        web_read(fds[i], false);
        check(web_status() == (i < 2 ? 101 : 429));
    }
    close(fds[0]);
    for (int i = 0; i < 50; i++) loop_turn(loop);
    check(ask("%s", open_anna) == 101);                     /* one has gone */
    close(fds[1]);
    close(fds[2]);
    web_stop();
}

static void u3_caps_per_address(void) {
    start((struct web_config){ .per_address = 2 });
    int fds[8];
    for (int i = 0; i < 4; i++) fds[i] = web_connect();     /* loopback is free */
    for (int i = 0; i < 50; i++) loop_turn(loop);
    check(conns_count(conns) == 4);
    for (int i = 0; i < 4; i++) close(fds[i]);
    web_stop();
}

/* Behind a trusted proxy its word counts, and only the last address it did not write itself. */
static void u4_forwarded_addresses(void) {
    static const struct { const char *proxies, *forwarded; int status; } cases[] = {
        { "10.0.0.0/8", "203.0.113.5", 101 }, { "", "203.0.113.5", 101 }, { "127.0.0.0/8", "203.0.113.5", 429 },
        { "127.0.0.1,::1", "9.9.9.9, 203.0.113.5", 429 }, { "127.0.0.1", "203.0.113.5, 9.9.9.9", 101 },
        { "127.0.0.1 198.51.100.0/24", "203.0.113.5, 198.51.100.7", 429 }, { "127.0.0.1", "", 101 }, { "127.0.0.1", "2001:db8::1", 101 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int fds[3];
        start((struct web_config){ .per_address = 2, .proxies = cases[i].proxies });
        for (int k = 0; k < 3; k++) {
            char text[500];
            snprintf(text, sizeof text, "GET /yjs/x HTTP/1.1\r\n" HOST WS "X-Forwarded-For: %s\r\n\r\n", k < 2 ? "203.0.113.5" : cases[i].forwarded);
            fds[k] = web_connect();
            web_say(fds[k], text);
            web_read(fds[k], false);
            check(web_status() == (k < 2 ? 101 : cases[i].status));
        }
        for (int k = 0; k < 3; k++) close(fds[k]);
        web_stop();
    }
    const char *why = NULL;
    loop = loop_new();
    conns = conns_new(loop, 4);
    check(!http_open(&(struct listener_config){ .conns = conns, .listen = "127.0.0.1:0", .trusted_proxies = "10.0.0.0/33" }, &why) && why);
    check(!http_open(&(struct listener_config){ .conns = conns, .listen = "127.0.0.1", .trusted_proxies = "" }, &why) && why);
    conns_free(conns);
    loop_free(loop);
}

static void o1_ready_and_metrics(void) {
    bool bad = false;
    struct metric requests = { 0 };
    struct metrics metrics = { 0 };
    struct health h = { &metrics, problem, ready, &bad };

    metrics_add_counter(&metrics, "covalent_requests_total{kind=\"a\"}", "Requests.", &requests);
    metrics_add_counter(&metrics, "covalent_requests_total{kind=\"b\"}", "Requests.", &requests);
    metric_add(&requests, 7);
    start((struct web_config){ .secret = "0123456789abcdef0123456789abcdef" });
    metrics_add_routes(http, &h);
    check(ask("GET /ready HTTP/1.1\r\n" HOST "\r\n") == 200);
    check(ask("GET /metrics HTTP/1.1\r\n" HOST "\r\n") == 200 && answer_has("# HELP covalent_requests_total Requests.\n# TYPE covalent_requests_total counter\n"
          "covalent_requests_total{kind=\"a\"} 7\ncovalent_requests_total{kind=\"b\"} 7\n"));
    bad = true;
    check(ask("GET /ready HTTP/1.1\r\n" HOST "\r\n") == 503 && answer_has("the disk is full"));
    web_stop();
}

int main(void) {
    run(h1_refusals);
    run(h1_large_heads);
    run(h2_slow_requests);
    run(w4_every_cut);
    run(x1_keep_alive_and_late_answers);
    run(x3_etag_gzip_head);
    run(x4_cors);
    run(x5_bodies);
    run(u1_upgrade);
    run(u2_caps);
    run(u3_caps_per_address);
    run(u4_forwarded_addresses);
    run(o1_ready_and_metrics);
    return t_exit();
}
