/* anchor.c -- positions that move with the text around them (Yjs: relative positions).
 *
 * An anchor names a unit by its id, or the end (assoc < 0: the start) of a type:
 *   uint 0, client, clock | uint 1, root name | uint 2, client, clock of the type's item; then int
 * assoc. */
#include "weave/doc_int.h"

enum { ANCHOR_UNIT = 0, ANCHOR_ROOT = 1, ANCHOR_TYPE = 2 };

static void put_id(struct weave *w, struct buf *out, unsigned kind, struct uid id) {
    buf_uint(out, kind);
    buf_uint(out, w->clients[id.client].id);
    buf_uint(out, id.clock);
}

static void put_end(struct weave *w, struct buf *out, weave_type t) {
    const struct type *type = type_at(w, t);

    if (type->item != NONE) {
        put_id(w, out, ANCHOR_TYPE, item_at(w, type->item)->id);
        return;
    }
    buf_uint(out, ANCHOR_ROOT);
    buf_bytes(out, key_name(w, type->name));
}

static void put_assoc(struct buf *out, int assoc) {     /* lib0 varInt, small */
    unsigned size = (unsigned)(assoc < 0 ? -assoc : assoc) & 0x3f;

    buf_byte(out, (uint8_t)((assoc < 0 ? 0x40 : 0) | size));
}

/* Last item of the list, deleted or not. */
static uint32_t last_item(struct weave *w, weave_type t) {
    uint32_t ref = type_at(w, t)->start, last = ref;

    for (; ref != NONE; ref = item_at(w, ref)->right) last = ref;
    return last;
}

int weave_anchor_make(struct weave *w, weave_type t, uint32_t at, int assoc,
                      struct weave_sink out) {
    struct buf *b = &w->out;

    must(t > 0 && t < w->n_types);
    if (type_at(w, t)->flags & TYPE_DEAD) return WEAVE_WRONG_TYPE;
    uint32_t length = type_at(w, t)->length;
    if (at > length) return WEAVE_RANGE;
    buf_reset(b);
    bool at_start = assoc < 0 && at == 0;
    uint32_t unit = assoc < 0 ? at - 1 : at, last;
    if (!at_start && unit < length) {
        struct spot spot = position_find(w, t, unit);
        const struct item *x = item_at(w, spot.item);
        put_id(w, b, ANCHOR_UNIT, (struct uid){ x->id.client, x->id.clock + spot.offset });
    } else if (!at_start && assoc < 0 && (last = last_item(w, t)) != NONE) {
        put_id(w, b, ANCHOR_UNIT, item_last_uid(item_at(w, last)));
    } else {
        put_end(w, b, t);
    }
    put_assoc(b, assoc);
    write_to(out, b);
    return 0;
}

/* The id that follows; WEAVE_RANGE when it is not known here. */
static int read_known(struct weave *w, struct reader *r, struct uid *id) {
    uint64_t client = read_uint(r), clock = read_uint(r);

    if (r->bad) return WEAVE_INVALID;
    id->client = client_find(w, client);
    if (id->client == NONE || clock >= w->clients[id->client].state) return WEAVE_RANGE;
    id->clock = (uint32_t)clock;
    return 0;
}

static int find_unit(struct weave *w, struct uid id, int assoc, weave_type *t, uint32_t *at) {
    uint32_t ref = item_holding(w, id);
    const struct item *x = item_at(w, ref);

    if (item_kind(x) == KIND_GC) return WEAVE_RANGE;
    *t = x->parent;
    if (type_is_deleted(w, type_at(w, *t)) || x->key != NONE) {
        *at = 0;
        return 0;
    }
    uint32_t inside = item_visible(x) ? id.clock - x->id.clock + (assoc < 0 ? 1 : 0) : 0;
    *at = position_of(w, ref) + inside;
    return 0;
}

static int find_end(struct weave *w, weave_type found, int assoc, weave_type *t, uint32_t *at) {
    *t = found;
    *at = assoc < 0 ? 0 : type_at(w, found)->length;
    return 0;
}

int weave_anchor_find(struct weave *w, struct weave_bytes anchor, weave_type *t, uint32_t *at) {
    struct reader r = reader_of((struct slice){ anchor.at, anchor.len });
    uint64_t kind = read_uint(&r);
    struct slice name = { 0 };
    struct uid id = { NONE, 0 };
    int rc = 0;

    if (kind == ANCHOR_ROOT) name = read_bytes(&r);
    else if (kind == ANCHOR_UNIT || kind == ANCHOR_TYPE) rc = read_known(w, &r, &id);
    else rc = WEAVE_INVALID;
    if (rc || r.bad) return rc ? rc : WEAVE_INVALID;
    int assoc = reader_left(&r) > 0 && read_byte(&r) & 0x40 ? -1 : 0; /* old anchors have none */

    if (kind == ANCHOR_UNIT) return find_unit(w, id, assoc, t, at);
    if (kind == ANCHOR_TYPE) {
        const struct item *x = item_at(w, item_holding(w, id));
        return item_kind(x) == KIND_TYPE ? find_end(w, x->type, assoc, t, at) : WEAVE_RANGE;
    }
    uint32_t key = key_find(w, name);
    if (key == NONE || w->keys.list[key].root == 0) return WEAVE_RANGE;
    return find_end(w, w->keys.list[key].root, assoc, t, at);
}
