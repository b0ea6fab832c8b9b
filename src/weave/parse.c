/* parse.c -- an update becomes items that are not yet integrated, one queue per client block.
 *
 * Nothing a reader could see changes here. When the update is refused, everything made for it
 * (slots, client ids, keys, roots) is given back (D2). */
#include "base/limits.h"
#include "weave/doc_int.h"

static uint32_t client_of(struct weave *w, uint64_t id) {
    uint32_t a = w->recent[0], b = w->recent[1];

    if (a != NONE && w->clients[a].id == id) return a;
    if (b != NONE && w->clients[b].id == id) {
        w->recent[0] = b;
        w->recent[1] = a;
        return b;
    }
    w->recent[1] = a;
    return w->recent[0] = client_intern(w, id);
}

static struct uid uid_of(struct weave *w, struct id id) {
    return (struct uid){ client_of(w, id.client), id.clock };
}

static void parse_parent(struct weave *w, struct item *x, const struct decoded *s) {
    if (s->parent == PARENT_ROOT) {
        x->parent = type_root(w, key_intern(w, s->root));
    } else {
        struct uid id = uid_of(w, s->parent_id);
        x->parent = id.client;
        x->leaf = id.clock;
        x->flags |= ITEM_PARENT_ID;
    }
    if (s->key.at) x->key = key_intern(w, s->key);
}

/* What is kept of the content: without the counts and lengths that change when runs are joined. */
static struct slice kept(const struct decoded *s) {
    switch (s->kind) {
    case KIND_GC: case KIND_SKIP: case KIND_DELETED: return (struct slice){ s->end, 0 };
    case KIND_STRING: case KIND_ANY: case KIND_JSON: return s->text;
    default: return (struct slice){ s->content, (size_t)(s->end - s->content) };
    }
}

static uint32_t flags_of(const struct decoded *s) {
    uint32_t flags = s->kind;

    if (s->kind != KIND_GC && s->kind != KIND_DELETED && s->kind != KIND_FORMAT)
        flags |= ITEM_COUNTABLE;
    if (s->kind == KIND_GC) flags |= ITEM_DELETED;
    if (s->kind == KIND_STRING && s->len == s->text.len) flags |= ITEM_ASCII;
    return flags;
}

static void parse_item(struct weave *w, uint32_t client, const struct decoded *s) {
    uint32_t ref = item_new(w);
    struct item *x = item_at(w, ref);
    struct slice content = kept(s);

    *x = (struct item){
        .id = { client, s->clock },
        .len = s->len,
        .flags = flags_of(s),
        .left = NONE,
        .right = NONE,
        .origin = { NONE, 0 },
        .right_origin = { NONE, 0 },
        .key = NONE,
        .leaf = NONE,
        .at = (uint32_t)(content.at - w->source),
        .bytes = (uint32_t)content.len,
    };
    if (s->info & INFO_ORIGIN && s->kind != KIND_GC && s->kind != KIND_SKIP)
        x->origin = uid_of(w, s->origin);
    if (s->info & INFO_RIGHT && s->kind != KIND_GC && s->kind != KIND_SKIP)
        x->right_origin = uid_of(w, s->right);
    if (s->parent != PARENT_NONE) parse_parent(w, x, s);
    vector_push(&w->parsed, ref);
}

/* Units an update adds to a client's clock without bringing bytes for them. (Skip adds none.) */
static uint64_t unbacked(const struct client *c, const struct decoded *s) {
    if (s->kind != KIND_GC && s->kind != KIND_DELETED) return 0;
    uint32_t end = s->clock + s->len, from = s->clock > c->state ? s->clock : c->state;
    return end > from ? end - from : 0;
}

static bool parse_blocks(struct weave *w, struct decode *d, uint64_t limit) {
    struct decoded s;
    uint64_t ahead = 0;

    while (decode_block(d)) {
        uint32_t first = w->parsed.n, client = NONE;
        while (decode_struct(d, &s)) {
            if (client == NONE) client = client_of(w, s.client);
            parse_item(w, client, &s);
            ahead += unbacked(&w->clients[client], &s);
            if (ahead > limit) return false;
        }
        if (client == NONE) continue;
        if (w->n_queues == w->cap_queues)
            w->queues = vector_grow(w->queues, &w->cap_queues, sizeof *w->queues);
        w->queues[w->n_queues++] = (struct queue){ client, first, w->parsed.n };
        w->clients[client].queue = w->n_queues;     /* the last, should a client have two */
    }
    return true;
}

static void parse_ranges(struct weave *w, struct decode *d) {
    struct deleted range;

    while (decode_range(d, &range))
        vector_push(&w->deletes,
                    (struct range){ client_of(w, range.client), range.clock, range.len });
}

/* Refused: as if it had never been here. */
static void parse_undo(struct weave *w, uint32_t n_clients, uint32_t n_keys, uint32_t n_types) {
    while (w->parsed.n) item_free(w, w->parsed.list[--w->parsed.n]);
    for (uint32_t i = 0; i < w->n_queues; i++) w->clients[w->queues[i].client].queue = 0;
    type_forget(w, n_types);
    key_forget(w, n_keys);
    client_forget(w, n_clients);
    w->n_queues = w->deletes.n = 0;
}

#define STRUCT_COST 16      /* bytes a struct takes encoded, about */

size_t encoded_size(const struct weave *w) {
    return w->content + (size_t)(w->arena.n - w->arena.n_free) * STRUCT_COST +
           w->pending.update.len;
}

/* An empty document is being loaded: what grew update by update, each within the limit, comes back
 * as one. A jump to the end of all clocks is still refused. */
static uint64_t ahead_max(const struct weave *w) {
    return w->arena.n == w->arena.n_free ? INT32_MAX : LIMIT_UPDATE_AHEAD;
}

/* `ours`: bytes that were accepted before; the limits do not apply to them again. */
int parse_update(struct weave *w, struct weave_bytes update, bool ours, size_t *structs_len) {
    uint32_t n_clients = w->n_clients, n_keys = w->keys.n, n_types = w->n_types;
    struct decode d = decode_of(update);
    int rc = 0;

    if (update.len == 0) return WEAVE_INVALID;
    w->parsed.n = w->n_queues = w->deletes.n = 0;
    w->source = update.at;
    if (update.len > UINT32_MAX / 2) return WEAVE_TOO_LARGE;
    if (!parse_blocks(w, &d, ours ? UINT64_MAX : ahead_max(w))) rc = WEAVE_INVALID;
    *structs_len = (size_t)(d.at - update.at);
    if (rc == 0) parse_ranges(w, &d);
    if (rc == 0 && !decode_is_done(&d)) rc = WEAVE_INVALID;
    if (rc == 0 && !ours && encoded_size(w) + update.len > w->bytes_max) rc = WEAVE_TOO_LARGE;
    if (rc) parse_undo(w, n_clients, n_keys, n_types);
    return rc;
}
