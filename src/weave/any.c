/* any.c -- the lib0 `any` encoding: reading, writing, and JSON text from it and to it. */
#include "base/utf8.h"
#include "weave/value_int.h"

#include <math.h>

/* ---- reading ------------------------------------------------------------------------------ */

static double read_integer(struct reader *r) {      /* lib0 varInt: the sign is a flag */
    uint8_t byte = read_byte(r);
    bool negative = byte & 0x40;
    uint64_t value = byte & 0x3f;

    for (unsigned shift = 6; byte & 0x80 && shift < 57; shift += 7) {
        byte = read_byte(r);
        value |= (uint64_t)(byte & 0x7f) << shift;
    }
    return negative ? -(double)value : (double)value;
}

static uint64_t read_big_endian(struct reader *r, int bytes) {
    uint64_t value = 0;

    for (int i = 0; i < bytes; i++) value = value << 8 | read_byte(r);
    return value;
}

static double read_float(struct reader *r, uint8_t tag) {
    if (tag == ANY_FLOAT32) {
        uint32_t bits = (uint32_t)read_big_endian(r, 4);
        float f;
        memcpy(&f, &bits, sizeof f);
        return (double)f;
    }
    uint64_t bits = read_big_endian(r, 8);
    double d;
    memcpy(&d, &bits, sizeof d);
    return d;
}

struct weave_value any_read(struct reader *r) {
    struct weave_value v = { .kind = WEAVE_V_NULL };
    struct reader start = *r;
    uint8_t tag = read_byte(r);
    struct slice s;

    switch (tag) {
    case ANY_UNDEFINED: v.kind = WEAVE_V_UNDEFINED; break;
    case ANY_TRUE: case ANY_FALSE: v.kind = WEAVE_V_BOOL; v.boolean = tag == ANY_TRUE; break;
    case ANY_INTEGER: v.kind = WEAVE_V_NUMBER; v.number = read_integer(r); break;
    case ANY_FLOAT32:
    case ANY_FLOAT64:
        v.kind = WEAVE_V_NUMBER;
        v.number = read_float(r, tag);
        break;
    case ANY_BIGINT: v.kind = WEAVE_V_BIGINT; v.bigint = (int64_t)read_big_endian(r, 8); break;
    case ANY_STRING: case ANY_BINARY:
        v.kind = tag == ANY_STRING ? WEAVE_V_STRING : WEAVE_V_BINARY;
        s = read_bytes(r);
        v.bytes = (struct weave_bytes){ s.at, s.len };
        break;
    case ANY_OBJECT: case ANY_ARRAY:
        v.kind = tag == ANY_OBJECT ? WEAVE_V_OBJECT : WEAVE_V_ARRAY;
        *r = start;
        decode_any(r);
        v.bytes = (struct weave_bytes){ start.at, (size_t)(r->at - start.at) };
        break;
    default: break;
    }
    return v;
}

/* ---- JSON from any ------------------------------------------------------------------------ */

void binary_print(struct buf *out, struct slice s) {     /* as JSON.stringify does a Uint8Array */
    buf_byte(out, '{');
    for (size_t i = 0; i < s.len; i++) buf_printf(out, "%s\"%zu\":%u", i ? "," : "", i, s.at[i]);
    buf_byte(out, '}');
}

static void print_object(struct buf *out, struct reader *r) {
    bool first = true;

    read_byte(r);
    buf_byte(out, '{');
    for (uint64_t n = read_uint(r); n > 0; n--) {
        struct slice key = read_bytes(r);
        if (reader_left(r) > 0 && *r->at == ANY_UNDEFINED) {    /* JSON has no such member */
            read_byte(r);
            continue;
        }
        if (!first) buf_byte(out, ',');
        first = false;
        buf_json(out, key);
        buf_byte(out, ':');
        any_print(out, r);
    }
    buf_byte(out, '}');
}

static void print_array(struct buf *out, struct reader *r) {
    read_byte(r);
    buf_byte(out, '[');
    uint64_t n = read_uint(r);
    for (uint64_t i = 0; i < n; i++) {
        if (i) buf_byte(out, ',');
        any_print(out, r);
    }
    buf_byte(out, ']');
}

void any_print(struct buf *out, struct reader *r) {
    uint8_t tag = reader_left(r) ? *r->at : ANY_NULL;

    if (tag == ANY_OBJECT) {
        print_object(out, r);
        return;
    }
    if (tag == ANY_ARRAY) {
        print_array(out, r);
        return;
    }
    struct weave_value v = any_read(r);
    struct slice s = { v.bytes.at, v.bytes.len };
    switch (v.kind) {
    case WEAVE_V_BOOL: buf_text(out, v.boolean ? "true" : "false"); break;
    case WEAVE_V_NUMBER: number_print(out, v.number); break;
    case WEAVE_V_BIGINT: buf_printf(out, "%lld", (long long)v.bigint); break;
    case WEAVE_V_STRING: buf_json(out, s); break;
    case WEAVE_V_BINARY: binary_print(out, s); break;
    default: buf_text(out, "null");
    }
}

/* ---- any from JSON ------------------------------------------------------------------------ */

static void write_big_endian(struct buf *out, uint64_t value, int bytes) {
    while (bytes-- > 0) buf_byte(out, (uint8_t)(value >> (8 * bytes)));
}

static void write_integer(struct buf *out, double v) {
    uint64_t left = (uint64_t)fabs(v);
    uint8_t sign = signbit(v) ? 0x40 : 0;

    buf_byte(out, (uint8_t)((left > 0x3f ? 0x80 : 0) | sign | (left & 0x3f)));
    for (left >>= 6; left > 0; left >>= 7)
        buf_byte(out, (uint8_t)((left > 0x7f ? 0x80 : 0) | (left & 0x7f)));
}

void number_to_any(struct buf *out, double v) {
    float f = (float)v;

    if (v == floor(v) && fabs(v) <= 2147483647) {
        buf_byte(out, ANY_INTEGER);
        write_integer(out, v);
    } else if ((double)f == v) {
        uint32_t bits;
        memcpy(&bits, &f, sizeof bits);
        buf_byte(out, ANY_FLOAT32);
        write_big_endian(out, bits, 4);
    } else {
        uint64_t bits;
        memcpy(&bits, &v, sizeof bits);
        buf_byte(out, ANY_FLOAT64);
        write_big_endian(out, bits, 8);
    }
}

static void skip_space(struct reader *r) {
    while (r->at < r->end && (*r->at == ' ' || *r->at == '\t' || *r->at == '\n' || *r->at == '\r'))
        r->at++;
}

static uint32_t hex4(struct reader *r) {
    uint32_t value = 0;

    for (int i = 0; i < 4; i++) {
        uint32_t c = read_byte(r);
        value = value << 4 | (c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
    }
    return value;
}

static void put_utf8(struct buf *out, uint32_t c) {
    if (c < 0x80) {
        buf_byte(out, (uint8_t)c);
    } else if (c < 0x800) {
        buf_byte(out, (uint8_t)(0xc0 | c >> 6));
        buf_byte(out, (uint8_t)(0x80 | (c & 0x3f)));
    } else if (c < 0x10000) {
        buf_byte(out, (uint8_t)(0xe0 | c >> 12));
        buf_byte(out, (uint8_t)(0x80 | (c >> 6 & 0x3f)));
        buf_byte(out, (uint8_t)(0x80 | (c & 0x3f)));
    } else {
        buf_byte(out, (uint8_t)(0xf0 | c >> 18));
        buf_byte(out, (uint8_t)(0x80 | (c >> 12 & 0x3f)));
        buf_byte(out, (uint8_t)(0x80 | (c >> 6 & 0x3f)));
        buf_byte(out, (uint8_t)(0x80 | (c & 0x3f)));
    }
}

/* Behind \u: one code point. Half a surrogate pair becomes U+FFFD, as it would on the wire. */
static void unescape_unicode(struct buf *out, struct reader *r) {
    uint32_t c = hex4(r);

    if (c >= 0xd800 && c < 0xdc00 && reader_left(r) >= 6 && r->at[0] == '\\' && r->at[1] == 'u') {
        struct reader ahead = *r;
        ahead.at += 2;
        uint32_t low = hex4(&ahead);
        if (low >= 0xdc00 && low < 0xe000) {
            *r = ahead;
            c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
        }
    }
    put_utf8(out, c >= 0xd800 && c < 0xe000 ? 0xfffd : c);
}

static void unescape(struct buf *out, struct reader *r) {
    uint8_t c = read_byte(r);

    switch (c) {
    case 'b': buf_byte(out, '\b'); break;
    case 'f': buf_byte(out, '\f'); break;
    case 'n': buf_byte(out, '\n'); break;
    case 'r': buf_byte(out, '\r'); break;
    case 't': buf_byte(out, '\t'); break;
    case 'u': unescape_unicode(out, r); break;
    default: buf_byte(out, c);
    }
}

static void convert_string(struct buf *out, struct reader *r) {
    struct buf text;

    buf_init(&text, SIZE_MAX / 2);
    read_byte(r);
    for (uint8_t c; (c = read_byte(r)) != '"' && !r->bad;) {
        if (c == '\\') unescape(&text, r);
        else buf_byte(&text, c);
    }
    buf_bytes(out, buf_view(&text));
    buf_deinit(&text);
}

static void convert(struct buf *out, struct reader *r);

/* Members or elements up to `close`. Their number comes first, so they are written apart. */
static void convert_list(struct buf *out, struct reader *r, uint8_t close) {
    struct buf inside;
    uint64_t n = 0;

    buf_init(&inside, SIZE_MAX / 2);
    read_byte(r);
    skip_space(r);
    while (!r->bad && *r->at != close) {
        if (close == '}') {
            convert_string(&inside, r);
            skip_space(r);
            read_byte(r);       /* : */
        }
        convert(&inside, r);
        skip_space(r);
        if (*r->at == ',') read_byte(r);
        skip_space(r);
        n++;
    }
    read_byte(r);
    buf_byte(out, close == '}' ? ANY_OBJECT : ANY_ARRAY);
    buf_uint(out, n);
    buf_slice(out, buf_view(&inside));
    buf_deinit(&inside);
}

static void convert_number(struct buf *out, struct reader *r) {
    struct buf text;

    buf_init(&text, SIZE_MAX / 2);
    while (r->at < r->end && memchr("+-.0123456789eE", *r->at, 15)) buf_byte(&text, *r->at++);
    buf_byte(&text, 0);
    number_to_any(out, strtod((const char *)text.at, NULL));
    buf_deinit(&text);
}

static void convert(struct buf *out, struct reader *r) {
    skip_space(r);
    if (reader_left(r) == 0) {
        r->bad = true;
        return;
    }
    switch (*r->at) {
    case '{': convert_list(out, r, '}'); break;
    case '[': convert_list(out, r, ']'); break;
    case '"':
        buf_byte(out, ANY_STRING);
        convert_string(out, r);
        break;
    case 't': buf_byte(out, ANY_TRUE); read_take(r, 4); break;
    case 'f': buf_byte(out, ANY_FALSE); read_take(r, 5); break;
    case 'n': buf_byte(out, ANY_NULL); read_take(r, 4); break;
    default: convert_number(out, r);
    }
}

void json_to_any(struct buf *out, struct slice json) {
    struct reader r = reader_of(json);

    convert(out, &r);
}

void json_normalise(struct buf *out, struct slice json) {
    struct buf any;

    buf_init(&any, SIZE_MAX / 2);
    json_to_any(&any, json);
    struct reader r = reader_of(buf_view(&any));
    any_print(out, &r);
    buf_deinit(&any);
}

/* ---- the public calls --------------------------------------------------------------------- */

int weave_any_to_json(struct weave_bytes any, struct weave_sink out) {
    struct reader r = reader_of((struct slice){ any.at, any.len });
    struct buf text;

    if (any.len == 0 || !decode_any(&r) || reader_left(&r) > 0) return WEAVE_INVALID;
    buf_init(&text, SIZE_MAX / 2);
    r = reader_of((struct slice){ any.at, any.len });
    any_print(&text, &r);
    write_to(out, &text);
    buf_deinit(&text);
    return 0;
}

int weave_any_from_json(struct weave_bytes json, struct weave_sink out) {
    struct slice text = { json.at, json.len };
    struct buf any;

    if (json.len == 0 || !json_is_valid(text)) return WEAVE_INVALID;
    buf_init(&any, SIZE_MAX / 2);
    json_to_any(&any, text);
    write_to(out, &any);
    buf_deinit(&any);
    return 0;
}
