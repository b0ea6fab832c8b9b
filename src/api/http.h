/* http.h -- HTTP/1.1 requests (RFC 9112) and their answers. Reactor thread.
 *
 * A handler answers at once or keeps the ticket and answers later (a worker's job that came back);
 * a ticket whose connection has closed answers nobody. */
#ifndef API_HTTP_H
#define API_HTTP_H

#include "base/buf.h"
#include "io/conn.h"
#include "room/principal.h"

enum method { METHOD_GET, METHOD_HEAD, METHOD_POST, METHOD_PUT, METHOD_DELETE, METHOD_OPTIONS };

struct ticket {
    struct conn_id conn;
    uint32_t serial;            /* of the request on its connection */
};

struct request {                /* slices are borrowed for the call of the handler */
    enum method method;
    struct slice path;          /* percent-decoded once, without the query; valid UTF-8, no NUL */
    struct slice query;         /* raw */
    struct slice body;
    struct slice args[4];       /* what the route's {} matched */
    struct principal *who;      /* never NULL; ref it to keep it */
    bool is_anonymous;          /* has no credentials (public routes only) */
    struct ticket ticket;
    const void *raw;            /* for http_header */
    void *ctx;                  /* the route's */
};

struct http;                    /* the HTTP side of a listener */

struct response {
    int status;
    const char *type;           /* content type; NULL: application/json */
    struct slice etag;          /* without quotes; empty: none. If-None-Match answers 304 by itself */
    const char *headers;        /* more header lines, each ended by \r\n, or NULL. Content-Encoding: the body
                                   is encoded; Cache-Control, Content-Security-Policy: instead of ours */
    struct slice body;          /* copied, or gzip'd from 1 KiB on when the client takes it */
    struct slice gzip;          /* the body gzip'd already (long answers that are kept), or empty; copied */
};

typedef void http_handler(struct http *h, const struct request *r);

struct route {
    enum method method;         /* GET also serves HEAD */
    const char *pattern;        /* "/api/atoms/{}"; {} matches one segment, {*} the rest */
    enum role role;             /* at least; checked before the handler */
    bool is_public;             /* also for those who have no credentials where there is a key */
    http_handler *handler;
    void *ctx;
};

/* At start only; the first that matches counts. Pattern, handler's ctx: must outlive the http. */
void http_add_route(struct http *h, struct route route);
void http_respond(struct http *h, struct ticket t, const struct response *response);
void http_respond_error(struct http *h, struct ticket t, int status, const char *detail);  /* {"detail": ...} */
struct slice http_header(const struct request *r, const char *name);    /* empty: not there */
bool http_query(const struct request *r, const char *name, struct buf *value);  /* decoded; false: not there */

#endif
