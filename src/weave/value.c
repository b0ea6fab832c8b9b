/* value.c -- what an item holds as a weave_value, and a weave_value as content of an item. */
#include "base/utf8.h"
#include "weave/value_int.h"

static struct weave_value value_bytes(enum weave_value_kind kind, struct slice s) {
    return (struct weave_value){ .kind = kind, .bytes = { s.at, s.len } };
}

static struct weave_value value_json(struct slice json) {
    if (slice_is(json, "undefined")) return (struct weave_value){ .kind = WEAVE_V_UNDEFINED };
    return value_bytes(WEAVE_V_JSON, json);
}

/* One character of a text read as a list. */
static struct weave_value value_character(struct slice text, uint32_t offset) {
    bool inside;
    size_t from = utf8_offset(text, offset, &inside), to = utf8_offset(text, offset + 1, &inside);

    if (to == from) to += 4;
    return value_bytes(WEAVE_V_STRING, (struct slice){ text.at + from, to - from });
}

struct weave_value value_next(uint32_t kind, struct reader *r) {
    return kind == KIND_ANY ? any_read(r) : value_json(read_bytes(r));
}

struct weave_value value_of(struct weave *w, const struct item *x, uint32_t offset) {
    struct slice content = { item_content(w, x), x->bytes };
    struct reader r = reader_of(content);
    bool inside;

    switch (item_kind(x)) {
    case KIND_ANY:
        r.at += content_cut(content, x->flags, offset, &inside);
        return any_read(&r);
    case KIND_JSON:
        r.at += content_cut(content, x->flags, offset, &inside);
        return value_json(read_bytes(&r));
    case KIND_STRING: return value_character(content, offset);
    case KIND_BINARY: return value_bytes(WEAVE_V_BINARY, read_bytes(&r));
    case KIND_EMBED: return value_json(read_bytes(&r));
    case KIND_DOC: return value_bytes(WEAVE_V_DOC, read_bytes(&r));
    case KIND_TYPE: return (struct weave_value){ .kind = WEAVE_V_TYPE, .type = x->type };
    default: return (struct weave_value){ .kind = WEAVE_V_UNDEFINED };
    }
}

static int encode_plain(struct buf *out, const struct weave_value *v) {
    struct slice s = { v->bytes.at, v->bytes.len };
    struct reader r = reader_of(s);

    switch (v->kind) {
    case WEAVE_V_UNDEFINED: buf_byte(out, ANY_UNDEFINED); break;
    case WEAVE_V_NULL: buf_byte(out, ANY_NULL); break;
    case WEAVE_V_BOOL: buf_byte(out, v->boolean ? ANY_TRUE : ANY_FALSE); break;
    case WEAVE_V_NUMBER: number_to_any(out, v->number); break;
    case WEAVE_V_BIGINT:
        buf_byte(out, ANY_BIGINT);
        for (int i = 7; i >= 0; i--) buf_byte(out, (uint8_t)((uint64_t)v->bigint >> (8 * i)));
        break;
    case WEAVE_V_STRING:
        if (!utf8_is_valid(s)) return WEAVE_INVALID;
        buf_byte(out, ANY_STRING);
        buf_bytes(out, s);
        break;
    case WEAVE_V_OBJECT: case WEAVE_V_ARRAY:
        if (s.len == 0 || !decode_any(&r) || reader_left(&r) > 0) return WEAVE_INVALID;
        buf_slice(out, s);
        break;
    case WEAVE_V_JSON:
        if (!json_is_valid(s)) return WEAVE_INVALID;
        json_to_any(out, s);
        break;
    default: return WEAVE_WRONG_TYPE;
    }
    return 0;
}

int value_encode(struct buf *out, const struct weave_value *v, uint32_t *kind) {
    struct slice s = { v->bytes.at, v->bytes.len };

    switch (v->kind) {
    case WEAVE_V_BINARY:
        *kind = KIND_BINARY;
        buf_bytes(out, s);
        return 0;
    case WEAVE_V_DOC:
        if (!utf8_is_valid(s)) return WEAVE_INVALID;
        *kind = KIND_DOC;
        buf_bytes(out, s);
        buf_byte(out, ANY_OBJECT);      /* no options */
        buf_byte(out, 0);
        return 0;
    default:
        *kind = KIND_ANY;
        return encode_plain(out, v);
    }
}
