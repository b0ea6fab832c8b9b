/* encode.c -- structs as update v1 has them. Any thread. See encode_int.h for E-1 and E-2. */
#include "weave/encode_int.h"

#include "base/must.h"
#include "base/utf8.h"

#define UINT_BYTES 8        /* a varUint of 53 bits */

static const uint8_t replacement[] = { 0xef, 0xbf, 0xbd };      /* U+FFFD */

static size_t put_uint(uint8_t *to, uint64_t value) {
    size_t n = 0;

    for (; value > 0x7f; value >>= 7) to[n++] = (uint8_t)(0x80 | (value & 0x7f));
    to[n++] = (uint8_t)value;
    return n;
}

void sink_uint(struct weave_sink out, uint64_t value) {
    uint8_t bytes[UINT_BYTES];

    out.write(out.ctx, bytes, put_uint(bytes, value));
}

static bool is_item(const struct decoded *s) {
    return s->kind != KIND_GC && s->kind != KIND_SKIP;
}

/* ---- parts -------------------------------------------------------------------------------- */

static void cut_string(struct decoded *p, uint32_t from, uint32_t len) {
    bool inside;
    struct slice text = p->text;
    size_t at = utf8_offset(text, from, &inside);

    if (inside) {                   /* after the pair; its second half becomes U+FFFD */
        p->is_half = true;
        at += 4;
        len--;
    }
    text = (struct slice){ text.at + at, text.len - at };
    text.len = utf8_offset(text, len, &inside);
    must(!inside);
    p->text = text;
}

static void cut_elements(struct decoded *p, uint32_t from) {
    struct reader r = reader_of(p->text);

    for (uint32_t i = 0; i < from; i++) {
        if (p->kind == KIND_ANY) decode_any(&r);
        else read_bytes(&r);
    }
    must(!r.bad);
    p->text = (struct slice){ r.at, reader_left(&r) };
}

/* The header of the part: where it stands. */
static struct decoded place(const struct decoded *s, uint32_t from, uint32_t len) {
    struct decoded p = *s;

    p.at = NULL;
    p.clock += from;
    p.len = len;
    if (from > 0 && is_item(s)) {
        p.info |= INFO_ORIGIN;
        p.origin = (struct id){ p.client, p.clock - 1 };
        p.parent = PARENT_NONE;
        p.key = (struct slice){ NULL, 0 };
    }
    return p;
}

struct decoded struct_part(const struct decoded *s, uint32_t from, uint32_t len) {
    struct decoded p = place(s, from, len);

    must(len > 0 && from < s->len && len <= s->len - from);
    if (s->kind == KIND_STRING) cut_string(&p, from, len);
    if (s->kind == KIND_ANY || s->kind == KIND_JSON) cut_elements(&p, from);
    return p;
}

struct decoded struct_deleted(const struct decoded *s, uint32_t from, uint32_t len) {
    struct decoded p = place(s, from, len);

    p.kind = KIND_DELETED;
    p.info = (uint8_t)((p.info & ~INFO_KIND) | KIND_DELETED);
    return p;
}

struct decoded struct_skip(struct id first, uint32_t len) {
    return (struct decoded){ .client = first.client, .clock = first.clock, .len = len,
                             .info = KIND_SKIP, .kind = KIND_SKIP };
}

/* ---- joining ------------------------------------------------------------------------------ */

static bool may_join(const struct tail *t, const struct decoded *s) {
    if (!t->is_set || t->kind != s->kind || !id_eq(t->next, (struct id){ s->client, s->clock }))
        return false;
    if (!is_item(s)) return true;
    if (s->kind != KIND_STRING && s->kind != KIND_DELETED && s->kind != KIND_ANY
        && s->kind != KIND_JSON) return false;
    if (!(s->info & INFO_ORIGIN) || s->is_half) return false;
    if (!id_eq(s->origin, (struct id){ s->client, s->clock - 1 })) return false;
    if ((t->info ^ s->info) & (INFO_RIGHT | INFO_KEY)) return false;
    if ((s->info & INFO_KEY) && s->kind != KIND_DELETED) return false;
    return !(s->info & INFO_RIGHT) || id_eq(t->right, s->right);
}

/* Replaces the varUint at `at`, moving what follows when the new one is longer. */
static void rewrite_uint(struct buf *b, size_t at, uint64_t value) {
    uint8_t bytes[UINT_BYTES];
    size_t now = put_uint(bytes, value), was = 1;

    while (b->at[at + was - 1] & 0x80) was++;
    if (now != was) {
        if (!buf_reserve(b, UINT_BYTES)) return;
        memmove(b->at + at + now, b->at + at + was, b->len - at - was);
        b->len = b->len - was + now;
    }
    memcpy(b->at + at, bytes, now);
}

static uint64_t uint_at(const struct buf *b, size_t at, size_t *size) {
    struct reader r = { .at = b->at + at, .end = b->at + b->len };
    uint64_t value = read_uint(&r);

    must(!r.bad);
    *size = (size_t)(r.at - (b->at + at));
    return value;
}

/* The content of an item whose kind joins, or of GC and Skip, starts with its length or count. */
static void join(struct buf *b, struct tail *t, const struct decoded *s) {
    size_t size;
    uint64_t n = uint_at(b, t->content, &size);
    bool has_text = s->kind != KIND_GC && s->kind != KIND_SKIP && s->kind != KIND_DELETED;

    if (has_text) buf_slice(b, s->text);
    rewrite_uint(b, t->content, n + (s->kind == KIND_STRING ? s->text.len : s->len));
    t->next.clock += s->len;
}

/* ---- structs ------------------------------------------------------------------------------ */

static void encode_ids(struct buf *b, const struct decoded *s) {
    if (s->info & INFO_ORIGIN) {
        buf_uint(b, s->origin.client);
        buf_uint(b, s->origin.clock);
    }
    if (s->info & INFO_RIGHT) {
        buf_uint(b, s->right.client);
        buf_uint(b, s->right.clock);
    }
    if (s->parent == PARENT_ROOT) {
        buf_uint(b, 1);
        buf_bytes(b, s->root);
    } else if (s->parent == PARENT_ID) {
        buf_uint(b, 0);
        buf_uint(b, s->parent_id.client);
        buf_uint(b, s->parent_id.clock);
    }
    if (s->key.at) buf_bytes(b, s->key);
}

/* Content of those kinds that have parts; every other struct is only ever written whole. */
static void encode_content(struct buf *b, const struct decoded *s) {
    switch (s->kind) {
    case KIND_STRING:
        buf_uint(b, s->text.len + (s->is_half ? sizeof replacement : 0));
        if (s->is_half) buf_put(b, replacement, sizeof replacement);
        buf_slice(b, s->text);
        break;
    case KIND_ANY: case KIND_JSON:
        buf_uint(b, s->len);
        buf_slice(b, s->text);
        break;
    default:
        must(s->kind == KIND_GC || s->kind == KIND_SKIP || s->kind == KIND_DELETED);
        buf_uint(b, s->len);
    }
}

bool encode_struct(struct buf *b, struct tail *t, const struct decoded *s) {
    if (may_join(t, s)) {
        join(b, t, s);
        return false;
    }
    size_t content;
    if (s->at) {
        content = b->len + (size_t)(s->content - s->at);
        buf_put(b, s->at, (size_t)(s->end - s->at));
    } else {
        buf_byte(b, s->info);
        if (is_item(s)) encode_ids(b, s);
        content = b->len;
        encode_content(b, s);
    }
    *t = (struct tail){ .next = { s->client, s->clock + s->len }, .right = s->right,
                        .info = s->info, .kind = s->kind, .is_set = true, .content = content };
    return true;
}
