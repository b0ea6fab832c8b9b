/* http.h -- the head of an HTTP/1.1 request and its body (RFC 9112), strictly. Pure.
 *
 * What two parsers could read differently is refused: bare LF, folded lines, blanks before a colon,
 * both lengths, repeated critical fields.
 *
 * Invariants:
 *   W4  A head is parsed whole or not at all; every prefix answers E_AGAIN or is refused for good.
 *   W5  Nothing is allocated for a head; a body's memory is the caller's, up to its maximum. */
#ifndef WIRE_HTTP_H
#define WIRE_HTTP_H

#include "base/buf.h"
#include "base/limits.h"

struct http_field { struct slice name, value; };    /* value without blanks around it */

struct http_head {                  /* slices point into the input */
    struct slice method, target;
    struct slice path, query;       /* of the target, raw; query without ? */
    uint8_t minor;                  /* HTTP/1.minor */
    bool keep_alive, expects_continue;
    bool wants_websocket;           /* Connection: upgrade, Upgrade: websocket */
    bool is_chunked;
    uint64_t length;                /* Content-Length, or 0 */
    size_t size;                    /* bytes of the head, its empty line included */
    size_t n;
    struct http_field fields[LIMIT_HEADERS];
    int status;                     /* why it is refused: 400, 414, 431, 501, 505, 417 */
    const char *problem;            /* in words */
};

/* E_OK, E_AGAIN (more bytes are needed), or E_INVALID with status and problem set. */
int http_head_parse(struct slice in, struct http_head *head);

struct slice http_field(const struct http_head *head, const char *name);    /* the first; empty: none */
void http_fields_join(const struct http_head *head, const char *name, struct buf *out);     /* by ", " */
bool http_list_has(struct slice list, const char *token);      /* "a, B" has "b"; parameters ignored */

/* One cookie's value from a Cookie field, or empty. */
struct slice http_cookie(struct slice cookies, const char *name);

enum http_body_state { HTTP_BODY_DATA, HTTP_BODY_SIZE, HTTP_BODY_EXTENSION, HTTP_BODY_DATA_END, HTTP_BODY_TRAILER };

struct http_body {
    uint64_t left;                  /* of the whole body, or of this chunk */
    enum http_body_state state;
    uint16_t line;                  /* bytes of the line in progress, and of all trailers */
    bool is_chunked, any_digit, after_cr, line_empty;
};

void http_body_init(struct http_body *b, const struct http_head *head);

/* Take what belongs to the body off the front of *in and append its content. E_OK: the body is whole.
 * E_AGAIN, E_INVALID, or E_TOO_LARGE when it would pass out->max. */
int http_body_take(struct http_body *b, struct slice *in, struct buf *out);

#endif
