/* Request heads and bodies: what is refused with which status, and every prefix (W4). */
#include "wire/http.h"

#include <stdlib.h>

#include "base/err.h"
#include "t.h"
#include "wire/url.h"

#define H "Host: a\r\n"

static struct http_head head;

static int parse(const char *text) { return http_head_parse(slice_of(text), &head); }

/* ---- heads --------------------------------------------------------------------------------- */

static void w4_a_request(void) {
    check(parse("GET /yjs/a%20b?token=x&y HTTP/1.1\r\nhOST:  localhost:8000 \r\nX-Empty:\r\nConnection: keep-alive, Upgrade\r\n"
                "Upgrade: WebSocket\r\n\r\nrest") == E_OK);
    check(slice_is(head.method, "GET") && slice_is(head.path, "/yjs/a%20b") && slice_is(head.query, "token=x&y"));
    check(slice_is(http_field(&head, "host"), "localhost:8000") && http_field(&head, "x-empty").len == 0);
    check(head.n == 4 && head.minor == 1 && head.keep_alive && head.wants_websocket && !head.is_chunked);
    check(strcmp((const char *)slice_of("rest").at, "rest") == 0 && head.size == strlen(
          "GET /yjs/a%20b?token=x&y HTTP/1.1\r\nhOST:  localhost:8000 \r\nX-Empty:\r\nConnection: keep-alive, Upgrade\r\n"
          "Upgrade: WebSocket\r\n\r\n"));
    check(parse("POST / HTTP/1.1\r\n" H "Content-Length: 12\r\nExpect: 100-Continue\r\n\r\n") == E_OK);
    check(head.length == 12 && head.expects_continue && !head.wants_websocket && head.query.len == 0);
    check(parse("GET / HTTP/1.0\r\n" H "\r\n") == E_OK && !head.keep_alive);
    check(parse("GET / HTTP/1.1\r\n" H "Connection: Close\r\n\r\n") == E_OK && !head.keep_alive);
    check(parse("OPTIONS * HTTP/1.1\r\n" H "\r\n") == E_OK);
    check(parse("GET / HTTP/1.1\r\n" H "Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n") == E_OK && !head.wants_websocket);
}

static void w4_refused_heads(void) {
    static const struct { const char *text; int status; } cases[] = {
        { "GET /\r\n\r\n", 400 }, { "GET / HTTP/1.1\n" H "\r\n", 400 }, { "GET / HTTP/1.1\r\nHost: a\n\r\n", 400 },
        { "GET / HTTP/1.1\r\n\r\n", 400 }, { "GET / HTTP/1.1\r\n" H H "\r\n", 400 },
        { "GET / HTTP/2.0\r\n" H "\r\n", 505 }, { "GET / HTTP/1.2\r\n" H "\r\n", 505 }, { "GET / http/1.1\r\n" H "\r\n", 400 },
        { "GET  / HTTP/1.1\r\n" H "\r\n", 400 }, { " GET / HTTP/1.1\r\n" H "\r\n", 400 }, { "GET / HTTP/1.1 \r\n" H "\r\n", 400 },
        { "G@T / HTTP/1.1\r\n" H "\r\n", 400 }, { "AVERYLONGMETHODNAME / HTTP/1.1\r\n" H "\r\n", 400 },
        { "GET a HTTP/1.1\r\n" H "\r\n", 400 }, { "GET http://a/ HTTP/1.1\r\n" H "\r\n", 400 },
        { "GET /\x01 HTTP/1.1\r\n" H "\r\n", 400 }, { "GET /\xc3\xa9 HTTP/1.1\r\n" H "\r\n", 400 }, { "GET /#x HTTP/1.1\r\n" H "\r\n", 400 },
        { "\r\nGET / HTTP/1.1\r\n" H "\r\n", 400 }, { "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505 },
        { "GET / HTTP/1.1\r\n" H "X: a\r\n b\r\n\r\n", 400 }, { "GET / HTTP/1.1\r\n " H "\r\n", 400 },
        { "GET / HTTP/1.1\r\n" H "X : a\r\n\r\n", 400 }, { "GET / HTTP/1.1\r\n" H ": a\r\n\r\n", 400 },
        { "GET / HTTP/1.1\r\n" H "no colon\r\n\r\n", 400 }, { "GET / HTTP/1.1\r\n" H "X: a\x01\r\n\r\n", 400 },
        { "GET / HTTP/1.1\r\n" H "X: a\rb\r\n\r\n", 400 },
        { "GET / HTTP/1.1\r\n" H "Origin: http://a\r\nOrigin: http://b\r\n\r\n", 400 },
        { "GET / HTTP/1.1\r\n" H "Cookie: a=1\r\nCookie: b=2\r\n\r\n", 400 },
        { "GET / HTTP/1.1\r\n" H "Authorization: x\r\nauthorization: y\r\n\r\n", 400 },
        { "GET / HTTP/1.1\r\n" H "Sec-WebSocket-Key: x\r\nSec-WebSocket-Key: x\r\n\r\n", 400 },
        { "GET / HTTP/1.1\r\n" H "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Version: 13\r\n\r\n", 400 },
        { "POST / HTTP/1.1\r\n" H "Content-Length: 1\r\nContent-Length: 1\r\n\r\n", 400 },
        { "POST / HTTP/1.1\r\n" H "Content-Length: 1, 1\r\n\r\n", 400 }, { "POST / HTTP/1.1\r\n" H "Content-Length: -1\r\n\r\n", 400 },
        { "POST / HTTP/1.1\r\n" H "Content-Length: +1\r\n\r\n", 400 }, { "POST / HTTP/1.1\r\n" H "Content-Length:\r\n\r\n", 400 },
        { "POST / HTTP/1.1\r\n" H "Content-Length: 0x10\r\n\r\n", 400 },
        { "POST / HTTP/1.1\r\n" H "Content-Length: 99999999999999999999\r\n\r\n", 400 },
        { "POST / HTTP/1.1\r\n" H "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400 },
        { "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", 400 },
        { "POST / HTTP/1.1\r\n" H "Transfer-Encoding: gzip, chunked\r\n\r\n", 501 },
        { "POST / HTTP/1.1\r\n" H "Transfer-Encoding: xchunked\r\n\r\n", 501 },
        { "POST / HTTP/1.0\r\n" H "Transfer-Encoding: chunked\r\n\r\n", 400 },
        { "POST / HTTP/1.1\r\n" H "Expect: tea\r\n\r\n", 417 },
        { "GET / HTTP/1.1\r\n" H "Connection: Upgrade\r\nUpgrade: websocket\r\nTransfer-Encoding: chunked\r\n\r\n", 400 },
        { "GET / HTTP/1.1\r\n" H "Connection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 5\r\n\r\n", 400 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int e = parse(cases[i].text);
        if (e != E_INVALID || head.status != cases[i].status)
            fprintf(stderr, "case %zu: %d, status %d, want %d\n", i, e, head.status, cases[i].status);
        check(e == E_INVALID && head.status == cases[i].status && head.problem);
    }
}

static void w4_every_prefix(void) {
    static const char text[] = "POST /api/x?y=z HTTP/1.1\r\n" H "Content-Type: application/json\r\nContent-Length: 2\r\n\r\n";

    for (size_t len = 0; len < sizeof text - 1; len++) {
        uint8_t *copy = malloc(len + 1);        /* exact: the sanitizer sees a read past it */
        memcpy(copy, text, len);
        uint8_t *exact = realloc(copy, len ? len : 1);
        check(http_head_parse((struct slice){ exact, len }, &head) == E_AGAIN);
        free(exact);
    }
    check(parse(text) == E_OK);
}

static void w4_limits(void) {
    struct buf b;
    static const struct { size_t url, headers, header_bytes; int status; bool ends; } cases[] = {
        { 2047, 0, 0, 0, true }, { 2048, 0, 0, 414, true }, { 5000, 0, 0, 414, false },
        { 1, 62, 4, 0, true }, { 1, 63, 4, 0, true }, { 1, 64, 4, 431, true }, { 1, 1, 8100, 0, true }, { 1, 1, 8192, 431, true }, { 1, 1, 9000, 431, false },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        buf_init(&b, MIB(1));
        buf_text(&b, "GET /");
        for (size_t k = 0; k < cases[i].url; k++) buf_byte(&b, 'u');
        if (cases[i].url < 5000) buf_text(&b, " HTTP/1.1\r\n" H);
        for (size_t n = 0; n < cases[i].headers; n++) {
            buf_text(&b, "X: ");
            for (size_t k = 0; k < cases[i].header_bytes; k++) buf_byte(&b, 'v');
            if (cases[i].ends) buf_text(&b, "\r\n");
        }
        if (cases[i].ends) buf_text(&b, "\r\n");
        int e = http_head_parse(buf_view(&b), &head);
        check(e == (cases[i].status ? E_INVALID : E_OK) && head.status == cases[i].status);
        buf_deinit(&b);
    }
}

static void w4_lists_and_cookies(void) {
    check(http_list_has(slice_of("a, B ;q=1,c"), "b") && !http_list_has(slice_of("ab,c"), "b"));
    check(!http_list_has(slice_of(""), "b") && http_list_has(slice_of(",,b"), "b"));
    check(slice_is(http_cookie(slice_of("x=1; session=abc.def; y=2"), "session"), "abc.def"));
    check(http_cookie(slice_of("xsession=1"), "session").len == 0);
    check(http_cookie(slice_of("session"), "session").len == 0 && http_cookie(slice_of(""), "session").len == 0);
    check(parse("GET / HTTP/1.1\r\n" H "P: a\r\np: b, c\r\n\r\n") == E_OK);
    struct buf b;
    buf_init(&b, 100);
    http_fields_join(&head, "P", &b);
    check(slice_is(buf_view(&b), "a, b, c"));
    buf_deinit(&b);
}

/* ---- bodies -------------------------------------------------------------------------------- */

static int take(const char *text, bool chunked, uint64_t length, size_t step, struct buf *out, size_t *rest) {
    struct http_head h = { .is_chunked = chunked, .length = length };
    struct http_body b;
    struct slice all = slice_of(text);
    int e = E_AGAIN;

    http_body_init(&b, &h);
    buf_reset(out);
    while (all.len && e == E_AGAIN) {
        struct slice in = { all.at, step && step < all.len ? step : all.len };
        size_t given = in.len;
        e = http_body_take(&b, &in, out);
        size_t used = given - in.len;
        check(e != E_AGAIN || used == given);
        all = (struct slice){ all.at + used, all.len - used };
    }
    *rest = all.len;
    return e;
}

static void w5_bodies(void) {
    static const struct { const char *text; bool chunked; uint64_t length; int e; const char *body; size_t rest; } cases[] = {
        { "helloGET", false, 5, E_OK, "hello", 3 }, { "hell", false, 5, E_AGAIN, "hell", 0 },
        { "x", false, 65, E_TOO_LARGE, "", 1 },
        { "5\r\nhello\r\n0\r\n\r\nGET", true, 0, E_OK, "hello", 3 },
        { "5;a=b\r\nhello\r\n1\r\n!\r\n000\r\nX: y\r\n\r\n", true, 0, E_OK, "hello!", 0 },
        { "A\r\n0123456789\r\n0\r\n\r\n", true, 0, E_OK, "0123456789", 0 },
        { "5\nhello", true, 0, E_INVALID, NULL, 0 }, { "\r\n", true, 0, E_INVALID, NULL, 0 }, { ";\r\n", true, 0, E_INVALID, NULL, 0 },
        { "5\r\nhelloX\r\n", true, 0, E_INVALID, NULL, 0 }, { "5\r\nhello\n", true, 0, E_INVALID, NULL, 0 },
        { "-5\r\n", true, 0, E_INVALID, NULL, 0 }, { "0x5\r\n", true, 0, E_INVALID, NULL, 0 }, { "5 \r\n", true, 0, E_INVALID, NULL, 0 },
        { "41\r\n", true, 0, E_TOO_LARGE, NULL, 0 }, { "ffffffffffffffff\r\n", true, 0, E_INVALID, NULL, 0 },
        { "3f\r\n", true, 0, E_AGAIN, "", 0 }, { "5\r\nhello\r\n3c\r\n", true, 0, E_TOO_LARGE, NULL, 0 },
        { "0\r\n\r", true, 0, E_AGAIN, "", 0 }, { "0\r\nX: y\r\n", true, 0, E_AGAIN, "", 0 }, { "0\r\n\rX", true, 0, E_INVALID, NULL, 0 },
    };
    struct buf out;
    size_t rest;

    buf_init(&out, 64);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (size_t step = 0; step <= 4; step++) {
            int e = take(cases[i].text, cases[i].chunked, cases[i].length, step, &out, &rest);
            if (e != cases[i].e) fprintf(stderr, "body %zu step %zu: %d\n", i, step, e);
            check(e == cases[i].e);
            if (cases[i].body) check(slice_is(buf_view(&out), cases[i].body) && rest == cases[i].rest);
        }
    buf_deinit(&out);
}

/* ---- addresses ----------------------------------------------------------------------------- */

static void w1_percent_decoding_once(void) {
    static const struct { const char *raw; bool query; const char *text; } cases[] = {
        { "abc", false, "abc" }, { "a%2Fb%2fc", false, "a/b/c" }, { "%25%32%30", false, "%20" }, { "a+b", false, "a+b" },
        { "a+b", true, "a b" }, { "%c3%a9", false, "\xc3\xa9" }, { "", false, "" },
        { "%", false, NULL }, { "%2", false, NULL }, { "%zz", false, NULL }, { "a%00b", false, NULL }, { "%ff", false, NULL }, { "%c3", false, NULL },
    };
    struct buf b;
    buf_init(&b, 100);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        buf_reset(&b);
        buf_text(&b, "x");
        check(url_decode(slice_of(cases[i].raw), cases[i].query, &b) == (cases[i].text != NULL));
        check(slice_is((struct slice){ b.at + 1, b.len - 1 }, cases[i].text ? cases[i].text : ""));
    }
    buf_reset(&b);
    check(url_query(slice_of("a=1&token=x%26y&token=z&flag"), "token", &b) && slice_is(buf_view(&b), "x&y"));
    buf_reset(&b);
    check(url_query(slice_of("a=1&flag"), "flag", &b) && b.len == 0);
    check(!url_query(slice_of("ab=1&&c"), "a", &b) && !url_query(slice_of(""), "a", &b));
    url_encode(slice_of("a/\xc3\xa9 ~"), &b);
    check(slice_is(buf_view(&b), "a%2F%C3%A9%20~"));
    buf_deinit(&b);
}

int main(void) {
    run(w4_a_request);
    run(w4_refused_heads);
    run(w4_every_prefix);
    run(w4_limits);
    run(w4_lists_and_cookies);
    run(w5_bodies);
    run(w1_percent_decoding_once);
    return t_exit();
}
