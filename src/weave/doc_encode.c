/* doc_encode.c -- a document, or what one transaction changed, as an update.
 *
 * The bytes are those Yjs writes for the same document: clients by descending id, runs joined as
 * transaction.c left them, the complete delete set. The delete set is encoded once and kept until
 * something is deleted. */
#include "weave/doc_int.h"

#define HEADER_MAX 64       /* info, two ids, a parent id, lengths: at most 52 bytes */

static uint8_t *write_uint(uint8_t *to, uint64_t value) {
    while (value > 0x7f) {
        *to++ = (uint8_t)(0x80 | (value & 0x7f));
        value >>= 7;
    }
    *to++ = (uint8_t)value;
    return to;
}

static uint8_t *write_uid(const struct weave *w, uint8_t *to, struct uid id) {
    const struct client *c = &w->clients[id.client];

    memcpy(to, &c->wire, sizeof c->wire);
    return write_uint(to + c->wire_len, id.clock);
}

static void encode_parent(const struct weave *w, struct buf *out, const struct item *x) {
    const struct type *t = type_at(w, x->parent);

    if (t->item == NONE) {
        buf_uint(out, 1);
        buf_bytes(out, key_name(w, t->name));
    } else {
        struct uid holder = item_at(w, t->item)->id;
        buf_uint(out, 0);
        buf_uint(out, w->clients[holder.client].id);
        buf_uint(out, holder.clock);
    }
    if (x->key != NONE) buf_bytes(out, key_name(w, x->key));
}

static void encode_string(struct weave *w, struct buf *out, const struct item *x, uint32_t offset) {
    struct slice text = { item_content(w, x), x->bytes };
    bool inside = false;
    uint32_t byte = offset ? content_cut(text, x->flags, offset, &inside) : 0;

    if (inside) {       /* the second half of a pair: U+FFFD, as a cut there leaves it */
        buf_uint(out, text.len - byte - 1);
        buf_put(out, "\xef\xbf\xbd", 3);
        byte += 4;
    } else {
        buf_uint(out, text.len - byte);
    }
    buf_put(out, text.at + byte, text.len - byte);
}

static void encode_content(struct weave *w, struct buf *out, const struct item *x,
                           uint32_t offset) {
    struct slice content = { item_content(w, x), x->bytes };
    bool inside;

    switch (item_kind(x)) {
    case KIND_DELETED: buf_uint(out, x->len - offset); break;
    case KIND_STRING: encode_string(w, out, x, offset); break;
    case KIND_ANY: case KIND_JSON: {
        uint32_t byte = content_cut(content, x->flags, offset, &inside);
        buf_uint(out, x->len - offset);
        buf_put(out, content.at + byte, content.len - byte);
        break;
    }
    default: buf_slice(out, content);
    }
}

/* A struct, without its first `offset` units. */
static void encode_struct(struct weave *w, struct buf *out, uint32_t ref, uint32_t offset) {
    const struct item *x = item_at(w, ref);
    uint8_t *start = buf_reserve(out, HEADER_MAX), *to = start;

    if (!start) return;
    if (item_kind(x) == KIND_GC) {
        *to++ = KIND_GC;
        to = write_uint(to, x->len - offset);
        out->len += (size_t)(to - start);
        return;
    }
    struct uid origin = offset ? (struct uid){ x->id.client, x->id.clock + offset - 1 } : x->origin;
    bool has_origin = origin.client != NONE, has_right = x->right_origin.client != NONE;
    *to++ = (uint8_t)(item_kind(x) | (has_origin ? INFO_ORIGIN : 0u) |
                      (has_right ? INFO_RIGHT : 0u) | (x->key != NONE ? INFO_KEY : 0u));
    if (has_origin) to = write_uid(w, to, origin);
    if (has_right) to = write_uid(w, to, x->right_origin);
    out->len += (size_t)(to - start);
    if (!has_origin && !has_right) encode_parent(w, out, x);
    encode_content(w, out, x, offset);
}

static uint32_t structs_from(const struct client *c, uint32_t place) {
    uint32_t n = c->blocks[place >> BLOCK_SHIFT]->n - (place & (BLOCK_SLOTS - 1));

    for (uint32_t b = (place >> BLOCK_SHIFT) + 1; b < c->n_blocks; b++) n += c->blocks[b]->n;
    return n;
}

static void encode_client(struct weave *w, struct buf *out, struct client *c, uint32_t clock) {
    uint32_t place = client_place(c, clock), offset = clock - place_clock(c, place);

    buf_uint(out, structs_from(c, place));
    buf_uint(out, c->id);
    buf_uint(out, clock);
    for (; place != NONE; place = client_next(c, place), offset = 0)
        encode_struct(w, out, place_ref(c, place), offset);
}

/* ---- the delete set ----------------------------------------------------------------------- */

static uint32_t encode_deleted(struct weave *w, struct buf *out, const struct client *c) {
    uint32_t n = 0;

    if (c->n_blocks == 0) return 0;
    for (uint32_t place = 0; place != NONE;) {
        const struct item *x = item_at(w, place_ref(c, place));
        place = client_next(c, place);
        if (!item_is_deleted(x)) continue;
        uint32_t clock = x->id.clock, end = item_end(x);
        while (place != NONE && item_is_deleted(x = item_at(w, place_ref(c, place)))) {
            end = item_end(x);
            place = client_next(c, place);
        }
        buf_uint(out, clock);
        buf_uint(out, end - clock);
        n++;
    }
    return n;
}

static void encode_delete_set(struct weave *w) {
    const struct refs *order = client_order(w);
    struct buf ranges, clients;
    uint32_t n = 0;

    buf_init(&ranges, SIZE_MAX / 2);
    buf_init(&clients, SIZE_MAX / 2);
    for (uint32_t i = 0; i < order->n; i++) {
        const struct client *c = &w->clients[order->list[i]];
        buf_reset(&ranges);
        uint32_t n_ranges = encode_deleted(w, &ranges, c);
        if (n_ranges == 0) continue;
        buf_uint(&clients, c->id);
        buf_uint(&clients, n_ranges);
        buf_slice(&clients, buf_view(&ranges));
        n++;
    }
    buf_reset(&w->delete_set);
    buf_uint(&w->delete_set, n);
    buf_slice(&w->delete_set, buf_view(&clients));
    w->delete_set_good = true;
    buf_deinit(&ranges);
    buf_deinit(&clients);
}

/* ---- whole updates ------------------------------------------------------------------------ */

static void encode_since(struct weave *w, struct buf *out, const uint32_t *known) {
    const struct refs *order = client_order(w);
    uint32_t n = 0;

    for (uint32_t i = 0; i < w->n_clients; i++)
        if (w->clients[i].state > (known ? known[i] : 0)) n++;
    buf_uint(out, n);
    for (uint32_t i = 0; i < order->n; i++) {
        struct client *c = &w->clients[order->list[i]];
        uint32_t clock = known ? known[order->list[i]] : 0;
        if (c->state > clock) encode_client(w, out, c, clock);
    }
    if (!w->delete_set_good) encode_delete_set(w);
    buf_slice(out, buf_view(&w->delete_set));
}

/* Sorts a few clients by descending id: a transaction touches one or two. */
static void sort_clients(const struct weave *w, struct refs *list) {
    for (uint32_t i = 1; i < list->n; i++) {
        uint32_t client = list->list[i], k = i;
        for (; k > 0 && w->clients[list->list[k - 1]].id < w->clients[client].id; k--)
            list->list[k] = list->list[k - 1];
        list->list[k] = client;
    }
}

static void encode_transaction_deletes(struct weave *w, struct buf *out, struct refs *clients) {
    const struct ranges *deleted = &w->now.deleted;

    clients->n = 0;
    for (uint32_t i = 0; i < deleted->n; i++)
        if (i == 0 || deleted->list[i].client != deleted->list[i - 1].client)
            vector_push(clients, deleted->list[i].client);
    sort_clients(w, clients);
    buf_uint(out, clients->n);
    for (uint32_t k = 0; k < clients->n; k++) {
        uint32_t from = 0, n = 0;
        while (deleted->list[from].client != clients->list[k]) from++;
        while (from + n < deleted->n && deleted->list[from + n].client == clients->list[k]) n++;
        buf_uint(out, w->clients[clients->list[k]].id);
        buf_uint(out, n);
        for (uint32_t i = from; i < from + n; i++) {
            buf_uint(out, deleted->list[i].clock);
            buf_uint(out, deleted->list[i].len);
        }
    }
}

/* Nothing when nothing changed. After transaction_end: its ranges are sorted. */
void encode_transaction(struct weave *w, struct buf *out) {
    struct refs *clients = &w->stack;

    clients->n = 0;
    for (uint32_t i = 0; i < w->now.touched.n; i++) {
        const struct client *c = &w->clients[w->now.touched.list[i]];
        if (c->state > c->before) vector_push(clients, w->now.touched.list[i]);
    }
    if (clients->n == 0 && w->now.deleted.n == 0) return;
    sort_clients(w, clients);
    buf_uint(out, clients->n);
    for (uint32_t i = 0; i < clients->n; i++) {
        struct client *c = &w->clients[clients->list[i]];
        encode_client(w, out, c, c->before);
    }
    encode_transaction_deletes(w, out, clients);
}

/* ---- the public calls --------------------------------------------------------------------- */

void weave_state(struct weave *w, struct weave_sink out) {
    const struct refs *order = client_order(w);
    uint32_t n = 0;

    for (uint32_t i = 0; i < w->n_clients; i++) n += w->clients[i].state > 0;
    buf_reset(&w->out);
    buf_uint(&w->out, n);
    for (uint32_t i = 0; i < order->n; i++) {
        const struct client *c = &w->clients[order->list[i]];
        if (c->state == 0) continue;
        buf_uint(&w->out, c->id);
        buf_uint(&w->out, c->state);
    }
    write_to(out, &w->out);
}

struct known {
    struct weave *w;
    uint32_t *clocks;
};

static bool know(void *ctx, uint64_t client, uint64_t clock) {
    struct known *k = ctx;
    uint32_t i = client_find(k->w, client);

    if (i != NONE) k->clocks[i] = clock < UINT32_MAX ? (uint32_t)clock : UINT32_MAX;
    return true;
}

/* What waits goes along: as one update its deletions, and its structs above `state`. */
static void merge_pending(struct weave *w, struct weave_bytes state, struct weave_sink out) {
    static const uint8_t nothing[1] = { 0 };
    struct weave_bytes parts[3];
    struct buf deleted, structs;
    size_t n = 1;

    buf_init(&deleted, SIZE_MAX / 2);
    buf_init(&structs, SIZE_MAX / 2);
    parts[0] = bytes_of(&w->out);
    if (w->pending.deleted.n) {
        struct ranges now = w->now.deleted;
        w->now.deleted = w->pending.deleted;
        buf_uint(&deleted, 0);
        encode_transaction_deletes(w, &deleted, &w->stack);
        w->now.deleted = now;
        parts[n++] = bytes_of(&deleted);
    }
    if (w->pending.update.len) {
        struct weave_bytes since = state.len ? state : (struct weave_bytes){ nothing, 1 };
        must(weave_update_diff(bytes_of(&w->pending.update), since, sink_into(&structs)) == 0);
        parts[n++] = bytes_of(&structs);
    }
    must(weave_update_merge(parts, n, out) == 0);
    buf_deinit(&deleted);
    buf_deinit(&structs);
}

int weave_since(struct weave *w, struct weave_bytes state, struct weave_sink out) {
    uint32_t *known = NULL;

    if (state.len > 0) {
        known = calloc(w->n_clients + 1, sizeof *known);
        must(known);
        int rc = weave_state_each(state, know, &(struct known){ w, known });
        if (rc) {
            free(known);
            return rc;
        }
    }
    buf_reset(&w->out);
    encode_since(w, &w->out, known);
    free(known);
    if (weave_has_pending(w)) merge_pending(w, state, out);
    else write_to(out, &w->out);
    return 0;
}
