/* edit.c -- local transactions, and new items of the local client. */
#include "weave/edit_int.h"

void weave_begin(struct weave *w) {
    must(!w->now.open);
    transaction_begin(w);
    w->now.open = true;
}

void weave_commit(struct weave *w, struct weave_sink out) {
    must(w->now.open);
    transaction_end(w);
    w->now.open = false;
    if (!out.write) return;
    buf_reset(&w->out);
    encode_transaction(w, &w->out);
    write_to(out, &w->out);
}

int edit_check(const struct weave *w, weave_type t, unsigned kinds, size_t bytes) {
    must(w->now.open && t > 0 && t < w->n_types);
    const struct type *type = type_at(w, t);

    if (type->kind != WEAVE_ROOT && !(kinds >> type->kind & 1)) return WEAVE_WRONG_TYPE;
    if (type_is_deleted(w, type)) return WEAVE_WRONG_TYPE;
    if (bytes > w->bytes_max || encoded_size(w) + bytes > w->bytes_max) return WEAVE_TOO_LARGE;
    if (bytes >= CLOCK_MAX - w->clients[w->me].state) return WEAVE_TOO_LARGE;
    return 0;
}

/* Typing on: the run written last ends where this goes, so it grows. Yjs would make an item and
 * join it at the end of the transaction; the outcome is the same. */
static bool extend(struct weave *w, struct gap gap, struct content content) {
    struct client *c = &w->clients[w->me];

    if (gap.left == NONE || content.kind != KIND_STRING) return false;
    struct item *l = item_at(w, gap.left);
    if (l->id.client != w->me || item_end(l) != c->state || l->key != NONE ||
        (l->flags & (ITEM_KIND | ITEM_DELETED)) != KIND_STRING || l->at + l->bytes != c->len)
        return false;
    struct uid right = gap.right == NONE ? (struct uid){ NONE, 0 } : item_at(w, gap.right)->id;
    if (!uid_eq(l->right_origin, right)) return false;

    transaction_touch(w, w->me);
    client_put(w, c, content.bytes.at, (uint32_t)content.bytes.len);
    l->bytes += (uint32_t)content.bytes.len;
    l->len += content.len;
    if (content.len != content.bytes.len) l->flags &= ~(uint32_t)ITEM_ASCII;
    c->state += content.len;
    type_at(w, l->parent)->length += content.len;
    if (l->leaf != NONE) position_update(w, gap.left);
    return true;
}

uint32_t edit_insert(struct weave *w, uint32_t t, uint32_t key, struct gap gap,
                     struct content content) {
    if (extend(w, gap, content)) return gap.left;

    uint32_t ref = item_new(w), flags = content.kind;
    struct item *x = item_at(w, ref);
    struct client *c = &w->clients[w->me];
    if (content.kind != KIND_FORMAT) flags |= ITEM_COUNTABLE;
    if (content.kind == KIND_STRING && content.len == content.bytes.len) flags |= ITEM_ASCII;
    *x = (struct item){
        .id = { w->me, c->state },
        .len = content.len,
        .flags = flags,
        .left = gap.left,
        .right = gap.right,
        .origin = { NONE, 0 },
        .right_origin = { NONE, 0 },
        .parent = t,
        .key = key,
        .bytes = (uint32_t)content.bytes.len,
        .leaf = NONE,
    };
    if (gap.left != NONE) x->origin = item_last_uid(item_at(w, gap.left));
    if (gap.right != NONE) x->right_origin = item_at(w, gap.right)->id;
    x->at = client_put(w, c, content.bytes.at, (uint32_t)content.bytes.len);
    integrate_local(w, ref);
    return ref;
}

uint32_t edit_insert_type(struct weave *w, uint32_t t, uint32_t key, struct gap gap,
                          enum weave_kind kind) {
    uint8_t byte = (uint8_t)kind;
    uint32_t ref = edit_insert(w, t, key, gap, (struct content){ KIND_TYPE, 1, { &byte, 1 } });

    return item_at(w, ref)->type;
}

struct gap edit_gap(struct weave *w, uint32_t t, uint32_t at) {
    if (at == 0) return (struct gap){ NONE, type_at(w, t)->start };

    struct spot spot = position_find(w, t, at - 1);
    const struct item *x = item_at(w, spot.item);
    if (spot.offset + 1 < x->len)
        item_ending(w, (struct uid){ x->id.client, x->id.clock + spot.offset });
    return (struct gap){ spot.item, item_at(w, spot.item)->right };
}

struct gap edit_gap_before(struct weave *w, struct spot spot) {
    const struct item *x = item_at(w, spot.item);

    if (spot.offset == 0) return (struct gap){ x->left, spot.item };
    item_ending(w, (struct uid){ x->id.client, x->id.clock + spot.offset - 1 });
    return (struct gap){ spot.item, item_at(w, spot.item)->right };
}

struct gap edit_delete(struct weave *w, struct gap gap, uint32_t len) {
    while (len > 0) {
        must(gap.right != NONE);
        const struct item *x = item_at(w, gap.right);
        uint32_t visible = item_visible(x);
        if (visible > len) {
            item_ending(w, (struct uid){ x->id.client, x->id.clock + len - 1 });
            visible = len;
        }
        if (visible) delete_item(w, gap.right);
        len -= visible;
        gap.left = gap.right;
        gap.right = item_at(w, gap.right)->right;
    }
    return gap;
}
