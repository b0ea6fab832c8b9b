/* http.c -- request heads and bodies. Pure. */
#include "wire/http.h"

#include <strings.h>

#include "base/err.h"

#define METHOD_BYTES 16
#define CHUNK_LINE_BYTES 256    /* a chunk's size with its extensions */
#define TRAILER_BYTES 1024

static bool is_token_char(uint8_t c) {
    return c > 0x20 && c < 0x7f && !strchr("\"(),/:;<=>?@[\\]{}", c);
}

static bool is_token(struct slice s) {
    for (size_t i = 0; i < s.len; i++)
        if (!is_token_char(s.at[i])) return false;
    return s.len > 0;
}

static struct slice trim(struct slice s) {
    while (s.len && (s.at[0] == ' ' || s.at[0] == '\t')) s.at++, s.len--;
    while (s.len && (s.at[s.len - 1] == ' ' || s.at[s.len - 1] == '\t')) s.len--;
    return s;
}

static bool equals(struct slice s, const char *text) {
    return s.len == strlen(text) && strncasecmp((const char *)s.at, text, s.len) == 0;
}

static int refuse(struct http_head *h, int status, const char *problem) {
    h->status = status;
    h->problem = problem;
    return E_INVALID;
}

/* ---- lines ---------------------------------------------------------------------------------- */

/* Take one line off *in, without its CRLF. E_AGAIN: it is not all there. */
static int take_line(struct slice *in, struct slice *line, struct http_head *h) {
    const uint8_t *end = in->len ? memchr(in->at, '\n', in->len) : NULL;

    if (!end) return E_AGAIN;
    if (end == in->at || end[-1] != '\r') return refuse(h, 400, "a line ends without CR");
    size_t used = (size_t)(end - in->at) + 1;
    *line = (struct slice){ in->at, used - 2 };
    *in = (struct slice){ in->at + used, in->len - used };
    return E_OK;
}

static struct slice take_word(struct slice *line) {
    const uint8_t *end = line->len ? memchr(line->at, ' ', line->len) : NULL;
    struct slice word = { line->at, end ? (size_t)(end - line->at) : line->len };
    size_t used = word.len + (end ? 1 : 0);

    *line = (struct slice){ line->at + used, line->len - used };
    return word;
}

static int parse_target(struct http_head *h) {
    if (h->target.len > LIMIT_URL_BYTES) return refuse(h, 414, "the address is longer than 2 KiB");
    if (h->target.len == 0 || (h->target.at[0] != '/' && !slice_is(h->target, "*")))
        return refuse(h, 400, "the address must begin with /");
    for (size_t i = 0; i < h->target.len; i++)
        if (h->target.at[i] <= 0x20 || h->target.at[i] >= 0x7f || h->target.at[i] == '#')
            return refuse(h, 400, "the address holds characters that must be encoded");
    const uint8_t *mark = memchr(h->target.at, '?', h->target.len);
    h->path = h->target;
    if (mark) {
        h->path.len = (size_t)(mark - h->target.at);
        h->query = (struct slice){ mark + 1, h->target.len - h->path.len - 1 };
    }
    return E_OK;
}

static int parse_request_line(struct slice line, struct http_head *h) {
    h->method = take_word(&line);
    h->target = take_word(&line);
    if (h->method.len > METHOD_BYTES || !is_token(h->method)) return refuse(h, 400, "bad method");
    int e = parse_target(h);
    if (e != E_OK) return e;
    if (slice_is(line, "HTTP/1.1")) h->minor = 1;
    else if (!slice_is(line, "HTTP/1.0"))
        return line.len == 8 && memcmp(line.at, "HTTP/", 5) == 0
                   ? refuse(h, 505, "only HTTP/1.1 is spoken here") : refuse(h, 400, "bad request line");
    return E_OK;
}

static int parse_field(struct slice line, struct http_head *h) {
    if (h->n == LIMIT_HEADERS) return refuse(h, 431, "more than 64 header fields");
    if (line.at[0] == ' ' || line.at[0] == '\t') return refuse(h, 400, "folded header line");
    const uint8_t *colon = memchr(line.at, ':', line.len);
    if (!colon) return refuse(h, 400, "header line without a colon");
    struct http_field f = { .name = { line.at, (size_t)(colon - line.at) } };
    f.value = trim((struct slice){ colon + 1, line.len - f.name.len - 1 });
    if (!is_token(f.name)) return refuse(h, 400, "bad header name");
    for (size_t i = 0; i < f.value.len; i++)
        if ((f.value.at[i] < 0x20 && f.value.at[i] != '\t') || f.value.at[i] == 0x7f)
            return refuse(h, 400, "control character in a header");
    h->fields[h->n++] = f;
    return E_OK;
}

/* ---- what the fields mean ------------------------------------------------------------------- */

static int check_repeats(struct http_head *h) {
    static const char *const once[] = {
        "host", "content-length", "transfer-encoding", "content-type", "expect", "origin", "authorization",
        "cookie", "sec-fetch-site", "sec-websocket-key", "sec-websocket-version", "upgrade",
    };
    for (size_t k = 0; k < sizeof once / sizeof *once; k++) {
        size_t found = 0;
        for (size_t i = 0; i < h->n; i++) found += equals(h->fields[i].name, once[k]);
        if (found > 1) return refuse(h, 400, "a header that must be single is repeated");
        if (k == 0 && found == 0) return refuse(h, 400, "there is no Host header");
    }
    return E_OK;
}

static bool has(const struct http_head *h, const char *name) {
    for (size_t i = 0; i < h->n; i++)
        if (equals(h->fields[i].name, name)) return true;
    return false;
}

static int parse_length(struct http_head *h) {
    struct slice length = http_field(h, "content-length"), coding = http_field(h, "transfer-encoding");
    bool has_length = has(h, "content-length"), has_coding = has(h, "transfer-encoding");

    if (has_length && has_coding) return refuse(h, 400, "both Content-Length and Transfer-Encoding");
    if (has_coding) {
        if (h->minor == 0) return refuse(h, 400, "Transfer-Encoding in HTTP/1.0");
        if (!equals(coding, "chunked")) return refuse(h, 501, "only chunked is understood");
        h->is_chunked = true;
    }
    if (!has_length) return E_OK;
    if (length.len == 0 || length.len > 15) return refuse(h, 400, "bad Content-Length");
    for (size_t i = 0; i < length.len; i++) {
        if (length.at[i] < '0' || length.at[i] > '9') return refuse(h, 400, "bad Content-Length");
        h->length = h->length * 10 + (uint64_t)(length.at[i] - '0');
    }
    return E_OK;
}

static int read_fields(struct http_head *h) {
    int e = check_repeats(h);
    if (e == E_OK) e = parse_length(h);
    if (e != E_OK) return e;

    bool upgrade = false, close = h->minor == 0;
    for (size_t i = 0; i < h->n; i++) {
        if (!equals(h->fields[i].name, "connection")) continue;
        if (http_list_has(h->fields[i].value, "close")) close = true;
        if (http_list_has(h->fields[i].value, "upgrade")) upgrade = true;
    }
    h->keep_alive = !close;
    h->wants_websocket = upgrade && http_list_has(http_field(h, "upgrade"), "websocket");
    if (h->wants_websocket && (h->is_chunked || h->length))
        return refuse(h, 400, "an upgrade with a body");
    struct slice expect = http_field(h, "expect");
    if (expect.len && !equals(expect, "100-continue")) return refuse(h, 417, "unknown expectation");
    h->expects_continue = expect.len > 0;
    return E_OK;
}

/* What is there of the head is too much, though it has no end yet? */
static int check_unfinished(struct slice in, bool in_first_line, struct http_head *h) {
    if (in_first_line && in.len > METHOD_BYTES + LIMIT_URL_BYTES + sizeof " HTTP/1.1\r")
        return refuse(h, 414, "the address is longer than 2 KiB");
    if (in.len > LIMIT_HEADER_BYTES) return refuse(h, 431, "the header is larger than 8 KiB");
    return E_AGAIN;
}

int http_head_parse(struct slice in, struct http_head *h) {
    struct slice rest = in, line;

    h->n = 0;
    h->status = 0;
    h->minor = 0;
    h->length = 0;
    h->is_chunked = false;
    h->query = (struct slice){ 0 };
    int e = take_line(&rest, &line, h);
    if (e == E_AGAIN) return check_unfinished(in, true, h);
    if (e == E_OK) e = parse_request_line(line, h);
    while (e == E_OK) {
        e = take_line(&rest, &line, h);
        if (e == E_AGAIN) return check_unfinished(in, false, h);
        if (e == E_OK && line.len == 0) break;
        if (e == E_OK) e = parse_field(line, h);
    }
    if (e != E_OK) return e;
    h->size = in.len - rest.len;
    if (h->size > LIMIT_HEADER_BYTES) return refuse(h, 431, "the header is larger than 8 KiB");
    return read_fields(h);
}

struct slice http_field(const struct http_head *h, const char *name) {
    for (size_t i = 0; i < h->n; i++)
        if (equals(h->fields[i].name, name)) return h->fields[i].value;
    return (struct slice){ 0 };
}

void http_fields_join(const struct http_head *h, const char *name, struct buf *out) {
    for (size_t i = 0; i < h->n; i++) {
        if (!equals(h->fields[i].name, name)) continue;
        if (out->len) buf_text(out, ", ");
        buf_slice(out, h->fields[i].value);
    }
}

bool http_list_has(struct slice list, const char *token) {
    while (list.len) {
        const uint8_t *end = memchr(list.at, ',', list.len);
        struct slice one = { list.at, end ? (size_t)(end - list.at) : list.len };
        size_t used = one.len + (end ? 1 : 0);
        list = (struct slice){ list.at + used, list.len - used };
        const uint8_t *semicolon = one.len ? memchr(one.at, ';', one.len) : NULL;
        if (semicolon) one.len = (size_t)(semicolon - one.at);
        if (equals(trim(one), token)) return true;
    }
    return false;
}

struct slice http_cookie(struct slice cookies, const char *name) {
    size_t name_len = strlen(name);

    while (cookies.len) {
        const uint8_t *end = memchr(cookies.at, ';', cookies.len);
        struct slice one = { cookies.at, end ? (size_t)(end - cookies.at) : cookies.len };
        size_t used = one.len + (end ? 1 : 0);
        cookies = (struct slice){ cookies.at + used, cookies.len - used };
        one = trim(one);
        if (one.len > name_len && memcmp(one.at, name, name_len) == 0 && one.at[name_len] == '=')
            return (struct slice){ one.at + name_len + 1, one.len - name_len - 1 };
    }
    return (struct slice){ 0 };
}

/* ---- body ----------------------------------------------------------------------------------- */

void http_body_init(struct http_body *b, const struct http_head *h) {
    *b = (struct http_body){ .is_chunked = h->is_chunked, .left = h->length };
    if (h->is_chunked) b->state = HTTP_BODY_SIZE;
}

static int hex(uint8_t c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

static int take_data(struct http_body *b, struct slice *in, struct buf *out) {
    size_t n = b->left < in->len ? (size_t)b->left : in->len;

    if (b->left > out->max - out->len) return E_TOO_LARGE;
    buf_put(out, in->at, n);
    b->left -= n;
    *in = (struct slice){ in->at + n, in->len - n };
    return b->left ? E_AGAIN : E_OK;
}

static int end_of_size_line(struct http_body *b, const struct buf *out) {
    if (!b->any_digit) return E_INVALID;
    if (b->left > out->max - out->len) return E_TOO_LARGE;
    b->state = b->left ? HTTP_BODY_DATA : HTTP_BODY_TRAILER;
    b->line_empty = true;
    b->line = 0;
    b->any_digit = false;
    return E_AGAIN;
}

/* One byte of a chunk's size line, of the line end after its data, or of the trailer. */
static int take_line_byte(struct http_body *b, uint8_t c, const struct buf *out) {
    if (b->after_cr != (c == '\n')) return E_INVALID;           /* a bare CR or LF */
    b->after_cr = c == '\r';
    if (++b->line > (b->state == HTTP_BODY_TRAILER ? TRAILER_BYTES : CHUNK_LINE_BYTES)) return E_INVALID;
    if (c == '\r') return E_AGAIN;
    switch (b->state) {
    case HTTP_BODY_SIZE:
        if (c == '\n') return end_of_size_line(b, out);
        if (c == ';' && b->any_digit) b->state = HTTP_BODY_EXTENSION;
        else if (hex(c) < 0 || b->left >> 50) return E_INVALID;
        else b->left = b->left << 4 | (uint64_t)hex(c), b->any_digit = true;
        return E_AGAIN;
    case HTTP_BODY_EXTENSION:
        return c == '\n' ? end_of_size_line(b, out) : E_AGAIN;
    case HTTP_BODY_DATA_END:
        if (c != '\n') return E_INVALID;
        b->state = HTTP_BODY_SIZE;
        b->line = 0;
        return E_AGAIN;
    default:                                                    /* trailers are read and dropped */
        if (c == '\n' && b->line_empty) return E_OK;
        b->line_empty = c == '\n';
        return E_AGAIN;
    }
}

int http_body_take(struct http_body *b, struct slice *in, struct buf *out) {
    if (!b->is_chunked) return take_data(b, in, out);
    while (in->len) {
        int e;
        if (b->state == HTTP_BODY_DATA) {
            e = take_data(b, in, out);
            if (e == E_OK) b->state = HTTP_BODY_DATA_END, e = E_AGAIN;
        } else {
            e = take_line_byte(b, in->at[0], out);
            in->at++;
            in->len--;
        }
        if (e != E_AGAIN) return e;
    }
    return E_AGAIN;
}
