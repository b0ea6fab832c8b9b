/* content.c -- where to cut content. The bytes were checked when they were decoded. */
#include "base/utf8.h"
#include "weave/doc_int.h"

uint32_t content_cut(struct slice content, uint32_t flags, uint32_t units, bool *inside) {
    *inside = false;
    if (flags & ITEM_ASCII) return units;
    if ((flags & ITEM_KIND) == KIND_STRING) return (uint32_t)utf8_offset(content, units, inside);

    struct reader r = reader_of(content);
    for (uint32_t i = 0; i < units; i++) {
        if ((flags & ITEM_KIND) == KIND_ANY) decode_any(&r);
        else read_bytes(&r);
    }
    must(!r.bad);
    return (uint32_t)(r.at - content.at);
}
