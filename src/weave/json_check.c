/* json_check.c -- is this text JSON? What a peer would fail on must not enter a document:
 * Yjs parses embeds and formats while it reads an update. Any thread; pure. */
#include "base/utf8.h"
#include "weave/decode_int.h"

static void space(struct reader *r) {
    while (r->at < r->end && (*r->at == ' ' || *r->at == '\t' || *r->at == '\n' || *r->at == '\r'))
        r->at++;
}

static bool digits(struct reader *r) {
    const uint8_t *from = r->at;

    while (r->at < r->end && *r->at >= '0' && *r->at <= '9') r->at++;
    return r->at > from;
}

static bool take(struct reader *r, uint8_t byte) {
    if (r->at == r->end || *r->at != byte) return false;
    r->at++;
    return true;
}

static bool number(struct reader *r) {
    take(r, '-');
    if (!take(r, '0') && !digits(r)) return false;
    if (take(r, '.') && !digits(r)) return false;
    if (!take(r, 'e') && !take(r, 'E')) return true;
    if (!take(r, '+')) take(r, '-');
    return digits(r);
}

static bool hex4(struct reader *r) {
    for (int i = 0; i < 4; i++, r->at++) {
        if (r->at == r->end) return false;
        uint8_t c = *r->at | 0x20;
        if (!((*r->at >= '0' && *r->at <= '9') || (c >= 'a' && c <= 'f'))) return false;
    }
    return true;
}

static bool string(struct reader *r) {
    if (!take(r, '"')) return false;
    while (r->at < r->end) {
        uint8_t c = *r->at++;
        if (c == '"') return true;
        if (c < 0x20) return false;
        if (c != '\\') continue;
        if (r->at == r->end) return false;
        c = *r->at++;
        if (c == 'u' ? !hex4(r) : c == 0 || !strchr("\"\\/bfnrt", c)) return false;
    }
    return false;
}

static bool word(struct reader *r, const char *text) {
    size_t len = strlen(text);

    if (reader_left(r) < len || memcmp(r->at, text, len) != 0) return false;
    r->at += len;
    return true;
}

static bool scalar(struct reader *r) {
    switch (*r->at) {
    case '"': return string(r);
    case 't': return word(r, "true");
    case 'f': return word(r, "false");
    case 'n': return word(r, "null");
    default: return number(r);
    }
}

static bool key(struct reader *r) {
    space(r);
    if (!string(r)) return false;
    space(r);
    return take(r, ':');
}

/* After a value: closes what ends here, and stands before the next value; *depth 0: all done. */
static bool after(struct reader *r, const uint8_t *closers, unsigned *depth) {
    while (*depth > 0) {
        space(r);
        uint8_t closer = closers[*depth - 1];
        if (take(r, ',')) return closer != '}' || key(r);
        if (!take(r, closer)) return false;
        --*depth;
    }
    return true;
}

bool json_is_valid(struct slice s) {
    struct reader r = reader_of(s);
    uint8_t closers[DECODE_DEPTH];
    unsigned depth = 0;

    if (!utf8_is_valid(s)) return false;
    do {
        space(&r);
        if (r.at == r.end) return false;
        uint8_t open = *r.at;
        if (open == '{' || open == '[') {
            if (depth == DECODE_DEPTH) return false;
            r.at++;
            closers[depth++] = open == '{' ? '}' : ']';
            space(&r);
            if (take(&r, closers[depth - 1])) {
                depth--;
                if (!after(&r, closers, &depth)) return false;
            } else if (open == '{' && !key(&r)) {
                return false;
            }
        } else if (!scalar(&r) || !after(&r, closers, &depth)) {
            return false;
        }
    } while (depth > 0);
    space(&r);
    return r.at == r.end;
}
