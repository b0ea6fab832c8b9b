/* fuzz_http.c -- any bytes as a request: a head that is taken lies inside the input and is not taken when cut
 * short; a body is the same however it is cut. */
#include <stdlib.h>

#include "base/err.h"
#include "base/must.h"
#include "wire/http.h"
#include "wire/url.h"

static int take(const struct http_head *h, struct slice in, size_t step, struct buf *out, size_t *used) {
    struct http_body b;
    int e = E_AGAIN;

    http_body_init(&b, h);
    *used = 0;
    while (*used < in.len && e == E_AGAIN) {
        struct slice piece = { in.at + *used, in.len - *used < step ? in.len - *used : step };
        size_t had = piece.len;
        e = http_body_take(&b, &piece, out);
        *used += had - piece.len;
    }
    return e;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct http_head h, again;
    struct slice in = { data, size };
    struct buf text, a, b;
    size_t used_a, used_b;

    if (http_head_parse(in, &h) != E_OK) return 0;
    must(h.size <= size && h.n <= LIMIT_HEADERS && h.path.len && h.target.len <= LIMIT_URL_BYTES);
    must(http_head_parse((struct slice){ data, h.size - 1 }, &again) == E_AGAIN);
    buf_init(&text, LIMIT_URL_BYTES);
    if (url_decode(h.path, false, &text)) must(text.len <= h.path.len && !memchr(text.at, 0, text.len));
    buf_reset(&text);
    url_query(h.query, "token", &text);
    buf_deinit(&text);
    http_cookie(http_field(&h, "cookie"), "a");
    buf_init(&a, 1000);
    buf_init(&b, 1000);
    struct slice rest = { data + h.size, size - h.size };
    int e = take(&h, rest, size, &a, &used_a);
    must(take(&h, rest, 1, &b, &used_b) == e);
    if (e == E_OK) must(used_a == used_b && slice_eq(buf_view(&a), buf_view(&b)));
    buf_deinit(&a);
    buf_deinit(&b);
    return 0;
}
