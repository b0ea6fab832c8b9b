/* http_answer.c -- answers: head, CORS, 304, gzip, and writing them out. Reactor thread. */
#include <stdio.h>
#include <strings.h>
#include <zlib.h>

#include "api/http_int.h"
#include "base/must.h"

#define GZIP_MIN KIB(1)

static const char *reason(int status) {
    static const struct { int status; const char *text; } reasons[] = {
        { 101, "Switching Protocols" },
        { 200, "OK" },
        { 201, "Created" },
        { 202, "Accepted" },
        { 204, "No Content" },
        { 303, "See Other" },
        { 304, "Not Modified" },
        { 400, "Bad Request" },
        { 401, "Unauthorized" },
        { 403, "Forbidden" },
        { 404, "Not Found" },
        { 405, "Method Not Allowed" },
        { 408, "Request Timeout" },
        { 409, "Conflict" },
        { 412, "Precondition Failed" },
        { 413, "Content Too Large" },
        { 414, "URI Too Long" },
        { 415, "Unsupported Media Type" },
        { 417, "Expectation Failed" },
        { 422, "Unprocessable Content" },
        { 426, "Upgrade Required" },
        { 429, "Too Many Requests" },
        { 431, "Request Header Fields Too Large" },
        { 500, "Internal Server Error" },
        { 501, "Not Implemented" },
        { 503, "Service Unavailable" },
        { 505, "HTTP Version Not Supported" },
        { 507, "Insufficient Storage" },
    };
    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
        if (reasons[i].status == status) return reasons[i].text;
    return "Status";
}

/* Does one of the handler's header lines have this name? */
static bool names(const char *headers, const char *name) {
    size_t len = strlen(name);

    for (const char *at = headers; at && *at; at = strchr(at, '\n') ? strchr(at, '\n') + 1 : NULL)
        if (strncasecmp(at, name, len) == 0 && at[len] == ':') return true;
    return false;
}

/* RFC 9110 section 13.1.2: weak comparison; the list is short. */
static bool etag_matches(const char *if_none_match, struct slice etag) {
    if (!if_none_match || !etag.len) return false;
    if (strcmp(if_none_match, "*") == 0) return true;
    size_t len = strlen(if_none_match);
    for (const char *at = if_none_match; len >= etag.len + 2; at++, len--)
        if (*at == '"' && memcmp(at + 1, etag.at, etag.len) == 0 && at[1 + etag.len] == '"')
            return true;
    return false;
}

/* The body as gzip, or false: it is not worth it. */
static bool pack(struct slice body, struct buf *out) {
    z_stream z = { 0 };
    struct buf b;

    must(deflateInit2(&z, 4, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK);
    size_t room = deflateBound(&z, (uLong)body.len);
    buf_init(&b, room);
    z.next_out = buf_reserve(&b, room);
    must(z.next_out);
    z.avail_out = (uInt)room;
    z.next_in = (Bytef *)(uintptr_t)body.at;
    z.avail_in = (uInt)body.len;
    bool good = deflate(&z, Z_FINISH) == Z_STREAM_END && z.total_out < body.len;
    b.len = z.total_out;
    deflateEnd(&z);
    if (good) *out = b;
    else buf_deinit(&b);
    return good;
}

static void put_head(struct exchange *x, const struct response *r, int status, size_t length,
                     bool packed) {
    struct buf *out = &x->out;

    buf_printf(out, "HTTP/1.1 %d %s\r\n", status, reason(status));
    if (status != 204 && status != 304) {
        buf_printf(out, "Content-Type: %s\r\n", r->type ? r->type : "application/json");
        buf_printf(out, "Content-Length: %zu\r\n", length);
    }
    if (r->etag.len) buf_printf(out, "ETag: \"%.*s\"\r\n", SLICE_ARG(r->etag));
    if (packed) buf_text(out, "Content-Encoding: gzip\r\n");
    if (r->body.len >= GZIP_MIN && !names(r->headers, "Vary"))
        buf_text(out, "Vary: Accept-Encoding\r\n");
    if (!names(r->headers, "Cache-Control"))
        buf_text(out, r->etag.len ? "Cache-Control: no-cache\r\n" : "Cache-Control: no-store\r\n");
    if (!names(r->headers, "Content-Security-Policy"))
        buf_text(out, "Content-Security-Policy: default-src 'none'; frame-ancestors 'none'\r\n");
    buf_text(out, "X-Content-Type-Options: nosniff\r\n"
                  "Referrer-Policy: no-referrer\r\n"
                  "Cross-Origin-Opener-Policy: same-origin\r\n");
    if (x->cors_origin)
        buf_printf(out,
                   "Access-Control-Allow-Origin: %s\r\n"
                   "Access-Control-Expose-Headers: ETag, Retry-After\r\n"
                   "Vary: Origin\r\n",
                   x->cors_origin);
    if (r->headers) buf_text(out, r->headers);
    if (status == 401) buf_text(out, "WWW-Authenticate: Bearer\r\n");
    if (status == 503 && !names(r->headers, "Retry-After")) buf_text(out, "Retry-After: 1\r\n");
    if (!x->keep_alive) buf_text(out, "Connection: close\r\n");
    buf_text(out, "\r\n");
}

void answer(struct exchange *x, const struct response *r) {
    struct buf packed_body = { 0 };
    int status = r->status == 200 && etag_matches(x->if_none_match, r->etag) ? 304 : r->status;

    must(x->state == ANSWERING);
    bool packed = x->takes_gzip && status != 304 && r->body.len >= GZIP_MIN &&
                  r->body.len < MIB(128) && !names(r->headers, "Content-Encoding") &&
                  (r->gzip.len || pack(r->body, &packed_body));
    struct slice body = !packed ? r->body : r->gzip.len ? r->gzip : buf_view(&packed_body);
    put_head(x, r, status, body.len, packed);
    if (!x->is_head && status != 304 && status != 204) buf_slice(&x->out, body);
    buf_deinit(&packed_body);
    must(!x->out.bad);
    x->state = WRITING;
    answer_flush(x);
}

void answer_error(struct exchange *x, int status, const char *detail) {
    struct buf b;

    buf_init(&b, KIB(64));
    buf_text(&b, "{\"detail\": ");
    buf_json(&b, slice_of(detail));
    buf_text(&b, "}\n");
    answer(x, &(struct response){
                  .status = status,
                  .body = buf_view(&b),
                  .headers = status == 426 ? "Sec-WebSocket-Version: 13\r\nUpgrade: websocket\r\n"
                                           : NULL });
    buf_deinit(&b);
}

void answer_flush(struct exchange *x) {
    if (x->state != WRITING) return;
    ssize_t n =
        conn_write(x->conn, &(struct iovec){ x->out.at + x->written, x->out.len - x->written }, 1);
    if (n < 0) return;                      /* on_close follows */
    x->written += (size_t)n;
    if (x->written < x->out.len) exchange_written(x);
    else exchange_end_request(x);
}
