#include "base/read.h"

#define UINT_MAX_BITS 53    /* what a JavaScript number holds exactly */

uint8_t read_byte(struct reader *r) {
    if (r->bad || r->at == r->end) {
        r->bad = true;
        return 0;
    }
    return *r->at++;
}

uint64_t read_uint(struct reader *r) {
    uint64_t value = 0;

    for (unsigned shift = 0; !r->bad; shift += 7) {
        if (r->at == r->end || shift > UINT_MAX_BITS) {
            r->bad = true;
            break;
        }
        uint8_t byte = *r->at++;
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) break;
    }
    if (value >> UINT_MAX_BITS) r->bad = true;
    return r->bad ? 0 : value;
}

struct slice read_take(struct reader *r, size_t len) {
    if (r->bad || len > reader_left(r)) {
        r->bad = true;
        return (struct slice){ 0 };
    }
    struct slice s = { .at = r->at, .len = len };
    r->at += len;
    return s;
}

struct slice read_bytes(struct reader *r) {
    uint64_t len = read_uint(r);

    if (len > reader_left(r)) r->bad = true;
    return r->bad ? (struct slice){ 0 } : read_take(r, (size_t)len);
}
