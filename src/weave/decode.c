/* decode.c -- update v1, struct by struct. Any thread; pure. See decode_int.h for the rules D-1 to
 * D-5. This runs twice over every byte the server receives, so reads are inline. */
#include "weave/decode_int.h"

/* lib0 varUint of at most 53 bits. */
static inline uint64_t var_long(struct decode *d) {
    uint64_t value = 0;

    for (unsigned shift = 0; shift <= 49; shift += 7) {
        if (d->at == d->end) break;
        uint8_t byte = *d->at++;
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte >= 0x80) continue;
        if (value <= CLIENT_MAX) return value;
        break;
    }
    d->bad = true;
    d->at = d->end;
    return 0;
}

static inline uint64_t var(struct decode *d) {
    if (d->at < d->end && *d->at < 0x80) return *d->at++;
    return var_long(d);
}

static inline uint32_t var_clock(struct decode *d) {
    uint64_t value = var(d);

    if (value > CLOCK_MAX) d->bad = true;
    return (uint32_t)value;
}

static inline struct id var_id(struct decode *d) {
    uint64_t client = var(d);

    return (struct id){ client, var_clock(d) };
}

static inline struct slice var_bytes(struct decode *d) {
    uint64_t len = var(d);

    if (len > (size_t)(d->end - d->at)) {
        d->bad = true;
        d->at = d->end;
        return (struct slice){ d->at, 0 };
    }
    struct slice s = { d->at, (size_t)len };
    d->at += len;
    return s;
}

/* Length in UTF-16 units of one sequence that is not ASCII, 0 when it is not valid; *n: bytes. */
static unsigned sequence(const uint8_t *at, size_t left, size_t *n) {
    uint8_t a = at[0];

    *n = a < 0xe0 ? 2 : a < 0xf0 ? 3 : 4;
    if (a < 0xc2 || a > 0xf4 || left < *n) return 0;
    for (size_t i = 1; i < *n; i++)
        if ((at[i] & 0xc0) != 0x80) return 0;
    if ((a == 0xe0 && at[1] < 0xa0) || (a == 0xf0 && at[1] < 0x90)) return 0;    /* overlong */
    if (a == 0xed && at[1] > 0x9f) return 0;        /* surrogate */
    if (a == 0xf4 && at[1] > 0x8f) return 0;        /* past the last */
    return *n == 4 ? 2 : 1;
}

/* UTF-8 is checked and counted in one pass; nearly all of it is ASCII, eight bytes at a time. */
static inline bool text_units(struct slice s, uint64_t *units) {
    uint64_t count = 0;
    size_t i = 0;

    while (i < s.len) {
        uint64_t word;
        if (i + 8 <= s.len) {
            memcpy(&word, s.at + i, 8);
            if ((word & UINT64_C(0x8080808080808080)) == 0) {
                i += 8, count += 8;
                continue;
            }
        }
        if (s.at[i] < 0x80) {
            i++, count++;
            continue;
        }
        size_t n;
        unsigned u = sequence(s.at + i, s.len - i, &n);
        if (u == 0) return false;
        i += n, count += u;
    }
    *units = count;
    return true;
}

static inline struct slice var_text(struct decode *d) {
    struct slice s = var_bytes(d);
    uint64_t units;

    if (!text_units(s, &units)) d->bad = true;
    return s;
}

static inline struct slice var_json(struct decode *d) {
    struct slice s = var_bytes(d);

    if (!json_is_valid(s)) d->bad = true;
    return s;
}

/* ---- any ---------------------------------------------------------------------------------- */

static void any_int(struct decode *d) {     /* varInt: a sign bit and 6 bits, then 7 bits a byte */
    uint8_t byte = 0x80;
    unsigned bits = 6;

    for (; byte >= 0x80 && d->at < d->end && bits <= 55; bits += 7) byte = *d->at++;
    if (byte >= 0x80) d->bad = true;
}

static void any_take(struct decode *d, size_t len) {
    if (len > (size_t)(d->end - d->at)) d->bad = true;
    else d->at += len;
}

/* One value's tag and what is in it but values; *values: how many follow, *keyed: with keys. */
static void any_head(struct decode *d, uint64_t *values, bool *keyed) {
    *values = 0;
    *keyed = false;
    if (d->at == d->end) {
        d->bad = true;
        return;
    }
    switch (*d->at++) {
    case 0x7f: case 0x7e: case 0x79: case 0x78: break;          /* undefined null false true */
    case 0x7d: any_int(d); break;
    case 0x7c: any_take(d, 4); break;                           /* float32 */
    case 0x7b: case 0x7a: any_take(d, 8); break;                /* float64 bigint */
    case 0x77: var_text(d); break;
    case 0x74: var_bytes(d); break;
    case 0x76: *keyed = true; *values = var(d); break;          /* object */
    case 0x75: *values = var(d); break;                         /* array */
    default: d->bad = true;
    }
}

static void any(struct decode *d) {
    struct { uint64_t left; bool keyed; } stack[DECODE_DEPTH];
    unsigned depth = 0;

    for (;;) {
        uint64_t values;
        bool keyed;
        any_head(d, &values, &keyed);
        if (d->bad) return;
        if (values > 0) {
            if (depth == DECODE_DEPTH) {
                d->bad = true;
                return;
            }
            stack[depth].left = values;
            stack[depth++].keyed = keyed;
        }
        while (depth > 0 && stack[depth - 1].left == 0) depth--;
        if (depth == 0) return;
        stack[depth - 1].left--;
        if (stack[depth - 1].keyed) var_text(d);
    }
}

bool decode_any(struct reader *r) {
    struct decode d = { .at = r->at, .end = r->end, .bad = r->bad };

    if (!d.bad) any(&d);
    r->at = d.at;
    r->bad = d.bad;
    return !d.bad;
}

/* ---- structs ------------------------------------------------------------------------------ */

static void items(struct decode *d, struct decoded *s, uint64_t *len) {     /* ANY and JSON */
    uint64_t n = var(d);
    const uint8_t *from = d->at;

    for (uint64_t i = 0; i < n && !d->bad; i++) {
        if (s->kind == KIND_ANY) {
            any(d);
            continue;
        }
        struct slice json = var_bytes(d);
        if (!slice_is(json, "undefined") && !json_is_valid(json)) d->bad = true;    /* legacy */
    }
    s->text = (struct slice){ from, (size_t)(d->at - from) };
    *len = n;
}

static void type(struct decode *d, struct decoded *s) {
    uint64_t ref = var(d);

    if (ref > WEAVE_XML_TEXT) d->bad = true;
    s->type_ref = (uint8_t)ref;
    s->text = (struct slice){ d->at, 0 };
    if (ref == WEAVE_XML_ELEMENT || ref == WEAVE_XML_HOOK) s->text = var_text(d);
}

static void subdocument(struct decode *d, struct decoded *s) {
    s->text = var_text(d);
    const uint8_t *from = d->at;
    if (from == d->end || *from != 0x76) d->bad = true;     /* Yjs reads members of the options */
    else any(d);
    s->value = (struct slice){ from, (size_t)(d->at - from) };
}

/* The content of an item, GC or Skip; its length in units. */
static uint64_t content(struct decode *d, struct decoded *s) {
    uint64_t len = 1;

    switch (s->kind) {
    case KIND_GC: case KIND_SKIP: case KIND_DELETED: len = var(d); break;
    case KIND_STRING:
        s->text = var_bytes(d);
        if (!text_units(s->text, &len)) d->bad = true;
        break;
    case KIND_ANY: case KIND_JSON: items(d, s, &len); break;
    case KIND_BINARY: s->text = var_bytes(d); break;
    case KIND_EMBED: s->text = var_json(d); break;
    case KIND_FORMAT: s->text = var_text(d); s->value = var_json(d); break;
    case KIND_TYPE: type(d, s); break;
    case KIND_DOC: subdocument(d, s); break;
    default: d->bad = true;
    }
    return len;
}

/* D-5: what a client's struct is attached to was there before it. */
static inline bool is_before(const struct decoded *s, struct id id) {
    return id.client != s->client || id.clock < s->clock;
}

static void item_ids(struct decode *d, struct decoded *s) {
    if (s->info & INFO_ORIGIN) {
        s->origin = var_id(d);
        if (!is_before(s, s->origin)) d->bad = true;
    }
    if (s->info & INFO_RIGHT) {
        s->right = var_id(d);
        if (!is_before(s, s->right)) d->bad = true;
    }
    if (s->info & (INFO_ORIGIN | INFO_RIGHT)) return;
    uint64_t is_root = var(d);
    if (is_root == 1) {
        s->parent = PARENT_ROOT;
        s->root = var_text(d);
    } else {
        s->parent = PARENT_ID;
        s->parent_id = var_id(d);
        if (is_root != 0 || !is_before(s, s->parent_id)) d->bad = true;
    }
    if (s->info & INFO_KEY) s->key = var_text(d);
}

bool decode_struct(struct decode *d, struct decoded *s) {
    if (d->bad || d->structs == 0) return false;
    if (d->at == d->end) {
        d->bad = true;
        return false;
    }
    d->structs--;
    s->client = d->client;
    s->clock = (uint32_t)d->clock;
    s->at = d->at;
    s->info = *d->at++;
    s->kind = s->info & INFO_KIND;
    s->origin = s->right = (struct id){ 0 };
    s->parent = PARENT_NONE;
    s->key.at = NULL;
    s->key.len = 0;
    s->is_half = false;
    if (s->kind >= KIND_DELETED && s->kind <= KIND_DOC) item_ids(d, s);
    s->content = d->at;
    uint64_t len = content(d, s);
    if (len == 0 || len > CLOCK_MAX || d->clock + len > CLOCK_MAX) d->bad = true;
    d->clock += len;
    s->len = (uint32_t)len;
    s->end = d->at;
    return !d->bad;
}

bool decode_block(struct decode *d) {
    struct decoded s;

    while (decode_struct(d, &s)) {}
    if (d->bad || d->blocks == 0) return false;
    d->blocks--;
    d->structs = var(d);
    d->client = var(d);
    d->clock = var_clock(d);
    return !d->bad;
}

bool decode_range(struct decode *d, struct deleted *range) {
    if (!d->in_ranges) {
        d->in_ranges = true;
        d->range_clients = var(d);
    }
    for (;;) {
        while (d->ranges == 0) {
            if (d->bad || d->range_clients == 0) return false;
            d->range_clients--;
            d->client = var(d);
            d->ranges = var(d);
        }
        if (d->bad) return false;
        d->ranges--;
        range->client = d->client;
        range->clock = var_clock(d);
        range->len = var_clock(d);
        if (range->len > CLOCK_MAX - range->clock) d->bad = true;
        if (d->bad) return false;
        if (range->len > 0) return true;
    }
}

struct decode decode_of(struct weave_bytes update) {
    static const uint8_t nothing;
    struct decode d = { .at = update.at ? update.at : &nothing };

    d.end = d.at + update.len;
    d.blocks = var(&d);
    return d;
}

struct decode decode_structs(struct id first, uint64_t n, const uint8_t *at, const uint8_t *end) {
    return (struct decode){ .at = at, .end = end, .client = first.client, .clock = first.clock,
                            .structs = n };
}
