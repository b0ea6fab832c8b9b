/* doc.c -- a document as a whole: its life, its memory, its roots. */
#include "weave/doc_int.h"

#define BYTES_MAX ((size_t)1 << 30)     /* content offsets are 32 bits, with room for dead bytes */

struct weave *weave_new(uint64_t client, size_t bytes_max) {
    struct weave *w = calloc(1, sizeof *w);

    must(w);
    must(client <= CLIENT_MAX);
    w->arena.free = NONE;
    w->recent[0] = w->recent[1] = NONE;
    w->bytes_max = bytes_max && bytes_max < BYTES_MAX ? bytes_max : BYTES_MAX;
    w->seed = (uint64_t)(uintptr_t)w * 0x9e3779b97f4a7c15u;     /* differs in every document */
    buf_init(&w->keys.bytes, BYTES_MAX);
    must(buf_reserve(&w->keys.bytes, 1));      /* so that an empty name has an address */
    buf_init(&w->pending.update, SIZE_MAX / 2);
    buf_init(&w->delete_set, SIZE_MAX / 2);
    buf_init(&w->out, SIZE_MAX / 2);
    buf_init(&w->out2, SIZE_MAX / 2);
    buf_init(&w->now.notes, SIZE_MAX / 2);
    type_new(w, NONE, NONE);            /* number 0 is no type */
    w->me = client_intern(w, client);
    return w;
}

void weave_set_client(struct weave *w, uint64_t client) {
    must(client <= CLIENT_MAX && !w->now.open);
    w->me = client_intern(w, client);
}

static void free_scratch(struct weave *w) {
    free(w->now.touched.list);
    free(w->now.deleted.list);
    free(w->now.splits.list);
    free(w->now.changed.list);
    free(w->now.clashes.list);
    free(w->now.orphans.list);
    free(w->now.orphan_text.list);
    free(w->now.received.list);
    free(w->pending.missing.list);
    free(w->pending.deleted.list);
    free(w->parsed.list);
    free(w->queues);
    free(w->stack.list);
    free(w->doomed.list);
    free(w->scan.list);
    free(w->scan_slots);
    free(w->deletes.list);
    free(w->order.list);
    buf_deinit(&w->now.notes);
    buf_deinit(&w->pending.update);
    buf_deinit(&w->delete_set);
    buf_deinit(&w->out);
    buf_deinit(&w->out2);
}

void weave_free(struct weave *w) {
    if (!w) return;
    for (uint32_t i = 0; i < w->arena.n_pages; i++) free(w->arena.pages[i]);
    free(w->arena.pages);
    for (uint32_t i = 0; i < w->n_clients; i++) client_deinit(&w->clients[i]);
    free(w->clients);
    free(w->client_slots);
    for (uint32_t i = 1; i < w->n_types; i++) {
        table_free(w->types[i].table);
        position_free(w->types[i].position);
    }
    free(w->types);
    free(w->roots.list);
    buf_deinit(&w->keys.bytes);
    free(w->keys.list);
    free(w->keys.slots);
    free_scratch(w);
    free(w);
}

size_t weave_memory(const struct weave *w) {
    const struct arena *a = &w->arena;
    size_t items = a->n_pages <= 1 ? a->cap_first : (size_t)a->n_pages * PAGE_ITEMS;
    size_t n = sizeof *w + items * sizeof(struct item);

    n += w->cap_clients * sizeof *w->clients + w->n_client_slots * sizeof *w->client_slots;
    for (uint32_t i = 0; i < w->n_clients; i++) {
        const struct client *c = &w->clients[i];
        n += c->cap + c->cap_blocks * (sizeof *c->first + sizeof *c->blocks);
        for (uint32_t b = 0; b < c->n_blocks; b++)
            n += sizeof(struct block) + (size_t)c->blocks[b]->cap * 8;
    }
    n += w->cap_types * sizeof *w->types;
    for (uint32_t i = 1; i < w->n_types; i++) {
        const struct table *t = w->types[i].table;
        if (t) n += sizeof *t + t->cap * sizeof *t->list + t->n_slots * sizeof *t->slots;
        n += position_memory(w->types[i].position);
    }
    n += w->keys.bytes.cap + w->keys.cap * sizeof *w->keys.list +
         w->keys.n_slots * sizeof *w->keys.slots;
    return n + w->pending.update.cap + w->delete_set.cap + w->out.cap + w->out2.cap;
}

/* ---- roots and types ---------------------------------------------------------------------- */

weave_type weave_root(struct weave *w, struct weave_bytes name) {
    return type_root(w, key_intern(w, (struct slice){ name.at, name.len }));
}

bool weave_roots(struct weave *w, size_t i, struct weave_bytes *name, weave_type *type) {
    if (i >= w->roots.n) return false;
    *type = w->roots.list[i];
    struct slice key = key_name(w, w->types[*type].name);
    *name = (struct weave_bytes){ key.at, key.len };
    return true;
}

static const struct type *checked(const struct weave *w, weave_type t) {
    must(t > 0 && t < w->n_types);
    return &w->types[t];
}

enum weave_kind weave_kind_of(const struct weave *w, weave_type t) { return checked(w, t)->kind; }
uint32_t weave_length(const struct weave *w, weave_type t) { return checked(w, t)->length; }
bool weave_is_deleted(const struct weave *w, weave_type t) {
    return type_is_deleted(w, checked(w, t));
}
