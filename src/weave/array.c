/* array.c -- reading and editing a list. New elements go right behind the element before them,
 * in front of what is deleted there, as Yjs does it. */
#include "weave/edit_int.h"

bool weave_array_get(struct weave *w, weave_type t, uint32_t index, struct weave_value *out) {
    must(t > 0 && t < w->n_types);
    struct spot spot = position_find(w, t, index);

    if (spot.item == NONE) return false;
    *out = value_of(w, item_at(w, spot.item), spot.offset);
    return true;
}

/* Plain elements of a row become one item, as in Yjs; binaries and subdocuments stand alone. */
static void insert_values(struct weave *w, weave_type t, struct gap gap,
                          const struct weave_value *v, size_t n) {
    struct buf *one = &w->out, *row = &w->out2;
    uint32_t kind, plain = 0;

    buf_reset(row);
    for (size_t i = 0; i < n; i++) {
        buf_reset(one);
        must(value_encode(one, &v[i], &kind) == 0);
        if (kind == KIND_ANY) {
            buf_slice(row, buf_view(one));
            plain++;
        }
        if (plain > 0 && (kind != KIND_ANY || i + 1 == n)) {
            gap.left =
                edit_insert(w, t, NONE, gap, (struct content){ KIND_ANY, plain, buf_view(row) });
            plain = 0;
            buf_reset(row);
        }
        if (kind != KIND_ANY)
            gap.left = edit_insert(w, t, NONE, gap, (struct content){ kind, 1, buf_view(one) });
    }
}

int weave_array_insert(struct weave *w, weave_type t, uint32_t at, const struct weave_value *v,
                       size_t n) {
    size_t bytes = 0;
    uint32_t kind;
    int rc = edit_check(w, t, EDIT_LIST, 0);

    if (rc) return rc;
    if (at > type_at(w, t)->length) return WEAVE_RANGE;
    for (size_t i = 0; i < n; i++) {        /* all values are good, or nothing happens */
        buf_reset(&w->out);
        rc = value_encode(&w->out, &v[i], &kind);
        if (rc) return rc;
        bytes += w->out.len;
    }
    rc = edit_check(w, t, EDIT_LIST, bytes);
    if (rc || n == 0) return rc;
    insert_values(w, t, edit_gap(w, t, at), v, n);
    return 0;
}

int weave_array_insert_type(struct weave *w, weave_type t, uint32_t at, enum weave_kind kind,
                            weave_type *out) {
    int rc = edit_check(w, t, EDIT_LIST, 1);

    if (rc) return rc;
    if (at > type_at(w, t)->length) return WEAVE_RANGE;
    if (kind != WEAVE_ARRAY && kind != WEAVE_MAP && kind != WEAVE_TEXT) return WEAVE_WRONG_TYPE;
    *out = edit_insert_type(w, t, NONE, edit_gap(w, t, at), kind);
    return 0;
}

int weave_array_delete(struct weave *w, weave_type t, uint32_t at, uint32_t len) {
    int rc = edit_check(w, t, EDIT_LIST, 0);

    if (rc) return rc;
    uint32_t length = type_at(w, t)->length;
    if (at > length || len > length - at) return WEAVE_RANGE;
    if (len > 0) edit_delete(w, edit_gap_before(w, position_find(w, t, at)), len);
    return 0;
}
