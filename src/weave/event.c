/* event.c -- tells an observer what an apply changed.
 *
 * Gathered before the end of the transaction, while deleted content can still be read; told after
 * it, when everything is in place. All of it is copied into a pool in between. */
#include "weave/event_int.h"

struct clash {
    weave_type map;
    struct weave_bytes key;
    struct weave_value lost;
    uint64_t client;
};

struct orphan {
    uint64_t client, clock;
    uint32_t len;
    struct weave_bytes text;
};

struct report {
    struct pool pool;
    struct weave_event *events;
    uint32_t n_events;
    struct clash *clashes;
    uint32_t n_clashes;
    struct orphan *orphans;
    uint32_t n_orphans;
};

/* ---- the pool ----------------------------------------------------------------------------- */

void *pool_get(struct pool *p, size_t size) {
    void *piece = calloc(1, size ? size : 1);

    must(piece);
    vector_push(p, piece);
    return piece;
}

struct weave_bytes pool_copy(struct pool *p, struct slice s) {
    uint8_t *copy = pool_get(p, s.len);

    if (s.len) memcpy(copy, s.at, s.len);
    return (struct weave_bytes){ copy, s.len };
}

struct weave_value pool_value(struct pool *p, struct weave_value v) {
    v.bytes = pool_copy(p, (struct slice){ v.bytes.at, v.bytes.len });
    return v;
}

static void pool_free(struct pool *p) {
    for (uint32_t i = 0; i < p->n; i++) free(p->list[i]);
    free(p->list);
}

/* ---- what came and what went -------------------------------------------------------------- */

bool event_is_new(const struct weave *w, const struct item *x) {
    return x->id.clock >= transaction_before(w, &w->clients[x->id.client]);
}

bool ranges_hold(const struct ranges *r, struct uid id) {
    uint32_t low = 0, high = r->n;

    while (low < high) {                /* the first range behind id */
        uint32_t mid = low + (high - low) / 2;
        const struct range *m = &r->list[mid];
        if (m->client < id.client || (m->client == id.client && m->clock <= id.clock))
            low = mid + 1;
        else high = mid;
    }
    if (low == 0) return false;
    const struct range *m = &r->list[low - 1];
    return m->client == id.client && id.clock - m->clock < m->len;
}

static bool went(const struct weave *w, const struct item *x) {
    return item_is_deleted(x) && ranges_hold(&w->now.deleted, x->id);
}

/* ---- keys --------------------------------------------------------------------------------- */

static struct weave_value old_value(struct weave *w, struct pool *pool, const struct item *x) {
    return pool_value(pool, value_of(w, x, x->len - 1));
}

/* False when the key ends as it began. */
static bool key_change(struct weave *w, struct pool *pool, uint32_t head,
                       struct weave_key_change *c) {
    const struct item *x = item_at(w, head), *old = x;

    while (event_is_new(w, old) && old->left != NONE) old = item_at(w, old->left);
    bool had = !event_is_new(w, old) && went(w, old);
    bool has = !item_is_deleted(x);
    if (!event_is_new(w, x) && has) return false;       /* untouched */
    if (!had && !has) return false;                     /* came and went */
    c->action = !had ? WEAVE_KEY_ADD : has ? WEAVE_KEY_UPDATE : WEAVE_KEY_DELETE;
    c->old = had ? old_value(w, pool, old) : (struct weave_value){ .kind = WEAVE_V_UNDEFINED };
    return true;
}

static void gather_keys(struct weave *w, struct pool *pool, struct weave_event *e,
                        const struct uid *changed, uint32_t n) {
    struct weave_key_change *keys = pool_get(pool, n * sizeof *keys);
    size_t n_keys = 0;

    for (uint32_t i = 0; i < n; i++) {
        uint32_t key = changed[i].clock;
        uint32_t head = table_get(type_at(w, e->type)->table, key);
        if (head == NONE || !key_change(w, pool, head, &keys[n_keys])) continue;
        keys[n_keys++].key = pool_copy(pool, key_name(w, key));
    }
    e->keys = keys;
    e->n_keys = n_keys;
}

/* ---- events ------------------------------------------------------------------------------- */

static uint32_t parent_of(const struct weave *w, uint32_t t) {      /* 0: t is a root */
    uint32_t holder = type_at(w, t)->item;

    return holder == NONE ? 0 : item_at(w, holder)->parent;
}

static void gather_path(struct weave *w, struct pool *pool, struct weave_event *e) {
    uint32_t depth = 0;

    for (uint32_t t = e->type; t; t = parent_of(w, t)) {
        e->root = t;
        depth++;
    }
    struct weave_step *path = pool_get(pool, depth * sizeof *path);
    e->path = path;
    e->n_path = --depth;
    for (uint32_t t = e->type; depth > 0; t = parent_of(w, t)) {
        uint32_t holder = type_at(w, t)->item, key = item_at(w, holder)->key;
        struct weave_step *step = &path[--depth];
        if (key != NONE) step->key = pool_copy(pool, key_name(w, key));
        else *step = (struct weave_step){ .index = position_of(w, holder), .is_index = true };
    }
}

/* A type that came or went itself is part of what changed around it. */
static bool is_told(const struct weave *w, uint32_t type) {
    const struct type *t = type_at(w, type);

    if (type_is_deleted(w, t)) return false;
    return t->item == NONE || !event_is_new(w, item_at(w, t->item));
}

static int by_type_and_key(const void *a, const void *b) {
    const struct uid *x = a, *y = b;

    if (x->client != y->client) return x->client < y->client ? -1 : 1;
    return x->clock < y->clock ? -1 : x->clock > y->clock;
}

static int shorter_path(const void *a, const void *b) {
    const struct weave_event *x = a, *y = b;

    if (x->n_path != y->n_path) return x->n_path < y->n_path ? -1 : 1;
    return x->type < y->type ? -1 : x->type > y->type;
}

static void gather_events(struct weave *w, struct report *r) {
    struct uids *changed = &w->now.changed;
    uint32_t n = 0;

    if (changed->n > 1) qsort(changed->list, changed->n, sizeof *changed->list, by_type_and_key);
    for (uint32_t i = 0; i < changed->n; i++)       /* each once */
        if (i == 0 || by_type_and_key(&changed->list[n - 1], &changed->list[i]) != 0)
            changed->list[n++] = changed->list[i];
    changed->n = n;
    r->events = pool_get(&r->pool, n * sizeof *r->events);
    for (uint32_t i = 0, end; i < n; i = end) {
        uint32_t type = changed->list[i].client;
        for (end = i; end < n && changed->list[end].client == type;) end++;
        if (!is_told(w, type)) continue;
        struct weave_event *e = &r->events[r->n_events];
        *e = (struct weave_event){ .type = type };
        bool has_list = changed->list[end - 1].clock == NONE;       /* NONE sorts last */
        gather_keys(w, &r->pool, e, changed->list + i, end - i - (has_list ? 1 : 0));
        if (has_list) delta_gather(w, &r->pool, type, e);
        if (e->n_keys == 0 && e->n_deltas == 0) continue;
        gather_path(w, &r->pool, e);
        r->n_events++;
    }
    if (r->n_events > 1) qsort(r->events, r->n_events, sizeof *r->events, shorter_path);
}

/* ---- clashes and orphans ----------------------------------------------------------------------
 * What the sender deleted as well it knew about: that is history, not a surprise. */

static void gather_clashes(struct weave *w, struct report *r) {
    r->clashes = pool_get(&r->pool, w->now.clashes.n * sizeof *r->clashes);
    for (uint32_t i = 0; i < w->now.clashes.n; i++) {
        struct uid id = w->now.clashes.list[i];
        if (ranges_hold(&w->now.received, id)) continue;
        const struct item *x = item_at(w, item_holding(w, id));
        if (!(x->flags & ITEM_COUNTABLE) || x->key == NONE || !went(w, x)) continue;
        if (type_is_deleted(w, type_at(w, x->parent))) continue;
        r->clashes[r->n_clashes++] = (struct clash){
            .map = x->parent, .key = pool_copy(&r->pool, key_name(w, x->key)),
            .lost = old_value(w, &r->pool, x), .client = w->clients[id.client].id,
        };
    }
}

static void gather_orphans(struct weave *w, struct report *r) {
    r->orphans = pool_get(&r->pool, w->now.orphans.n * sizeof *r->orphans);
    for (uint32_t i = 0; i < w->now.orphans.n; i++) {
        struct range o = w->now.orphans.list[i];
        struct uid text = w->now.orphan_text.list[i];
        if (ranges_hold(&w->now.received, (struct uid){ o.client, o.clock })) continue;
        struct slice s = { w->now.notes.at + text.client, text.clock };
        r->orphans[r->n_orphans++] = (struct orphan){ w->clients[o.client].id, o.clock, o.len,
                                                      pool_copy(&r->pool, s) };
    }
}

struct report *report_gather(struct weave *w, const struct weave_observer *observer) {
    struct report *r = calloc(1, sizeof *r);

    must(r);
    range_sort(&w->now.deleted);
    range_sort(&w->now.received);
    if (observer->on_key_clash) gather_clashes(w, r);
    if (observer->on_deleted_parent) gather_orphans(w, r);
    if (observer->on_event) gather_events(w, r);
    return r;
}

void report_send(struct report *r, const struct weave_observer *observer) {
    for (uint32_t i = 0; i < r->n_events; i++) observer->on_event(observer->ctx, &r->events[i]);
    for (uint32_t i = 0; i < r->n_clashes; i++) {
        const struct clash *c = &r->clashes[i];
        observer->on_key_clash(observer->ctx, c->map, c->key, c->lost, c->client);
    }
    for (uint32_t i = 0; i < r->n_orphans; i++) {
        const struct orphan *o = &r->orphans[i];
        observer->on_deleted_parent(observer->ctx, o->client, o->clock, o->len, o->text);
    }
    pool_free(&r->pool);
    free(r);
}
