/* map.c -- reading and editing the keys of a type. A key is a chain of items; the last one is its
 * value, all others are deleted. */
#include "base/utf8.h"
#include "weave/edit_int.h"

static uint32_t live_head(const struct weave *w, weave_type t, struct weave_bytes key) {
    must(t > 0 && t < w->n_types);
    uint32_t ref = table_get(type_at(w, t)->table, key_find(w, (struct slice){ key.at, key.len }));

    return ref != NONE && !item_is_deleted(item_at(w, ref)) ? ref : NONE;
}

bool weave_map_get(struct weave *w, weave_type t, struct weave_bytes key, struct weave_value *out) {
    uint32_t ref = live_head(w, t, key);

    if (ref == NONE) return false;
    const struct item *x = item_at(w, ref);
    *out = value_of(w, x, x->len - 1);
    return true;
}

void weave_map_each(struct weave *w, weave_type t,
                    void (*on_key)(void *ctx, struct weave_bytes key, const struct weave_value *v),
                    void *ctx) {
    must(t > 0 && t < w->n_types);
    for (uint32_t i = 0; type_at(w, t)->table && i < type_at(w, t)->table->n; i++) {
        struct table_entry e = type_at(w, t)->table->list[i];
        if (e.item == NONE || item_is_deleted(item_at(w, e.item))) continue;
        const struct item *x = item_at(w, e.item);
        struct weave_value v = value_of(w, x, x->len - 1);
        struct slice name = key_name(w, e.key);
        on_key(ctx, (struct weave_bytes){ name.at, name.len }, &v);
    }
}

static int check_key(const struct weave *w, weave_type t, struct weave_bytes key, size_t bytes) {
    int rc = edit_check(w, t, EDIT_MAP, bytes + key.len);

    if (rc) return rc;
    return utf8_is_valid((struct slice){ key.at, key.len }) ? 0 : WEAVE_INVALID;
}

static struct gap chain_end(struct weave *w, weave_type t, uint32_t key) {
    return (struct gap){ table_get(type_at(w, t)->table, key), NONE };
}

int weave_map_set(struct weave *w, weave_type t, struct weave_bytes key,
                  const struct weave_value *v) {
    uint32_t kind;
    int rc = check_key(w, t, key, 0);

    if (rc) return rc;
    buf_reset(&w->out);
    rc = value_encode(&w->out, v, &kind);
    if (rc == 0) rc = edit_check(w, t, EDIT_MAP, w->out.len + key.len);
    if (rc) return rc;
    uint32_t k = key_intern(w, (struct slice){ key.at, key.len });
    edit_insert(w, t, k, chain_end(w, t, k), (struct content){ kind, 1, buf_view(&w->out) });
    return 0;
}

int weave_map_set_type(struct weave *w, weave_type t, struct weave_bytes key, enum weave_kind kind,
                       weave_type *out) {
    int rc = check_key(w, t, key, 1);

    if (rc) return rc;
    if (kind != WEAVE_ARRAY && kind != WEAVE_MAP && kind != WEAVE_TEXT) return WEAVE_WRONG_TYPE;
    uint32_t k = key_intern(w, (struct slice){ key.at, key.len });
    *out = edit_insert_type(w, t, k, chain_end(w, t, k), kind);
    return 0;
}

int weave_map_delete(struct weave *w, weave_type t, struct weave_bytes key) {
    int rc = check_key(w, t, key, 0);

    if (rc) return rc;
    uint32_t ref = live_head(w, t, key);
    if (ref != NONE) delete_item(w, ref);
    return 0;
}
