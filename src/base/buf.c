#include "base/buf.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/must.h"

void buf_init(struct buf *b, size_t max) { *b = (struct buf){ .max = max }; }

void buf_deinit(struct buf *b) {
    free(b->at);
    *b = (struct buf){ 0 };
}

void buf_reset(struct buf *b) {
    b->len = 0;
    b->bad = false;
}

uint8_t *buf_reserve(struct buf *b, size_t len) {
    if (b->bad || len > b->max - b->len) {
        b->bad = true;
        return NULL;
    }
    if (b->len + len > b->cap) {
        size_t cap = b->cap ? b->cap * 2 : 64;
        if (cap < b->len + len) cap = b->len + len;
        if (cap > b->max) cap = b->max;
        b->at = realloc(b->at, cap);
        must(b->at);
        b->cap = cap;
    }
    return b->at + b->len;
}

void buf_put(struct buf *b, const void *at, size_t len) {
    if (len == 0) return;
    uint8_t *to = buf_reserve(b, len);
    if (!to) return;
    memcpy(to, at, len);
    b->len += len;
}

void buf_byte(struct buf *b, uint8_t byte) { buf_put(b, &byte, 1); }

void buf_uint(struct buf *b, uint64_t value) {
    uint8_t bytes[10];
    size_t n = 0;

    while (value > 0x7f) {
        bytes[n++] = (uint8_t)(0x80 | (value & 0x7f));
        value >>= 7;
    }
    bytes[n++] = (uint8_t)value;
    buf_put(b, bytes, n);
}

void buf_bytes(struct buf *b, struct slice s) {
    buf_uint(b, s.len);
    buf_put(b, s.at, s.len);
}

void buf_text(struct buf *b, const char *text) { buf_put(b, text, strlen(text)); }

void buf_slice(struct buf *b, struct slice s) { buf_put(b, s.at, s.len); }

void buf_printf(struct buf *b, const char *format, ...) {
    va_list args;

    va_start(args, format);
    int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    must(n >= 0);
    uint8_t *to = buf_reserve(b, (size_t)n + 1);    /* vsnprintf also writes a NUL */
    if (!to) return;
    va_start(args, format);
    vsnprintf((char *)to, (size_t)n + 1, format, args);
    va_end(args);
    b->len += (size_t)n;
}

void buf_json(struct buf *b, struct slice utf8) {
    buf_byte(b, '"');
    for (size_t i = 0; i < utf8.len; i++) {
        uint8_t c = utf8.at[i];
        switch (c) {
        case '"': buf_text(b, "\\\""); break;
        case '\\': buf_text(b, "\\\\"); break;
        case '\n': buf_text(b, "\\n"); break;
        case '\r': buf_text(b, "\\r"); break;
        case '\t': buf_text(b, "\\t"); break;
        default:
            if (c < 0x20) buf_printf(b, "\\u%04x", c);
            else buf_byte(b, c);
        }
    }
    buf_byte(b, '"');
}
