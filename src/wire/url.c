/* url.c -- percent-encoding. Pure. */
#include "wire/url.h"

#include "base/utf8.h"

static int hex(uint8_t c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

bool url_decode(struct slice raw, bool is_query, struct buf *out) {
    size_t start = out->len, i = 0;

    for (; i < raw.len; i++) {
        uint8_t c = raw.at[i];
        if (c == '%') {
            if (i + 2 >= raw.len || hex(raw.at[i + 1]) < 0 || hex(raw.at[i + 2]) < 0) break;
            c = (uint8_t)(hex(raw.at[i + 1]) << 4 | hex(raw.at[i + 2]));
            i += 2;
        } else if (c == '+' && is_query) {
            c = ' ';
        }
        if (c == 0) break;
        buf_byte(out, c);
    }
    struct slice decoded = { out->at + start, out->len - start };
    if (i == raw.len && !out->bad && (decoded.len == 0 || utf8_is_valid(decoded))) return true;
    out->len = start;
    return false;
}

bool url_query(struct slice query, const char *name, struct buf *value) {
    size_t name_len = strlen(name);

    while (query.len) {
        const uint8_t *end = memchr(query.at, '&', query.len);
        size_t len = end ? (size_t)(end - query.at) : query.len;
        if (len >= name_len && memcmp(query.at, name, name_len) == 0 &&
            (len == name_len || query.at[name_len] == '=')) {
            size_t skip = len == name_len ? len : name_len + 1;
            return url_decode((struct slice){ query.at + skip, len - skip }, true, value);
        }
        size_t used = len + (end ? 1 : 0);
        query = (struct slice){ query.at + used, query.len - used };
    }
    return false;
}

void url_encode(struct slice text, struct buf *out) {
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.at[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                     c == '-' || c == '.' || c == '_' || c == '~';
        if (plain) buf_byte(out, c);
        else buf_printf(out, "%%%02X", c);
    }
}
