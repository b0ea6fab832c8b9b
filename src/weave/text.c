/* text.c -- reading and editing a text.
 *
 * New text goes behind what is deleted at its position, as Yjs does it. A text that never held a
 * format has no attributes, and its edits take the short way; the others go through format.c. */
#include "base/utf8.h"
#include "weave/edit_int.h"

void weave_text_read(struct weave *w, weave_type t, struct weave_sink out) {
    must(t > 0 && t < w->n_types);
    buf_reset(&w->out);
    for (uint32_t ref = type_at(w, t)->start; ref != NONE; ref = item_at(w, ref)->right) {
        const struct item *x = item_at(w, ref);
        if (item_kind(x) == KIND_STRING && !item_is_deleted(x))
            buf_put(&w->out, item_content(w, x), x->bytes);
    }
    write_to(out, &w->out);
}

static bool is_plain(const struct weave *w, weave_type t) {
    return !(type_at(w, t)->flags & TYPE_FORMATTED);
}

static struct gap behind_deleted(const struct weave *w, struct gap gap) {
    while (gap.right != NONE && item_is_deleted(item_at(w, gap.right))) {
        gap.left = gap.right;
        gap.right = item_at(w, gap.right)->right;
    }
    return gap;
}

/* `wanted` NULL: as the text around it. */
static void insert(struct weave *w, weave_type t, uint32_t at, struct attributes *wanted,
                   struct content content) {
    if (is_plain(w, t) && (!wanted || wanted->n == 0)) {
        edit_insert(w, t, NONE, behind_deleted(w, edit_gap(w, t, at)), content);
        return;
    }
    struct text_spot spot = format_spot(w, t, at);
    struct attributes same = { 0 };
    if (!wanted) {
        for (uint32_t i = 0; i < spot.now.n; i++) vector_push(&same, spot.now.list[i]);
        wanted = &same;
    }
    format_insert(w, t, &spot, wanted, content);
    free(same.list);
    free(spot.now.list);
}

int weave_text_insert(struct weave *w, weave_type t, uint32_t at, struct weave_bytes utf8) {
    struct slice text = { utf8.at, utf8.len };
    int rc = edit_check(w, t, EDIT_TEXT, utf8.len);

    if (rc) return rc;
    if (at > type_at(w, t)->length) return WEAVE_RANGE;
    if (!utf8_is_valid(text)) return WEAVE_INVALID;
    if (text.len == 0) return 0;
    insert(w, t, at, NULL, (struct content){ KIND_STRING, (uint32_t)utf8_units(text), text });
    return 0;
}

int weave_text_insert_with(struct weave *w, weave_type t, uint32_t at, struct weave_bytes utf8,
                           const struct weave_attribute *attributes, size_t n) {
    struct slice text = { utf8.at, utf8.len };
    struct attributes wanted = { 0 };
    int rc = edit_check(w, t, EDIT_TEXT, utf8.len);

    if (rc) return rc;
    if (at > type_at(w, t)->length) return WEAVE_RANGE;
    if (!utf8_is_valid(text)) return WEAVE_INVALID;
    rc = format_read(w, &wanted, attributes, n);
    if (rc == 0 && text.len > 0)
        insert(w, t, at, &wanted,
               (struct content){ KIND_STRING, (uint32_t)utf8_units(text), text });
    free(wanted.list);
    return rc;
}

int weave_text_embed(struct weave *w, weave_type t, uint32_t at, struct weave_bytes json) {
    struct slice text = { json.at, json.len };
    struct attributes none = { 0 };
    struct buf plain, content;
    int rc = edit_check(w, t, EDIT_TEXT, json.len);

    if (rc) return rc;
    if (at > type_at(w, t)->length) return WEAVE_RANGE;
    if (!json_is_valid(text)) return WEAVE_INVALID;
    buf_init(&plain, SIZE_MAX / 2);
    buf_init(&content, SIZE_MAX / 2);
    json_normalise(&plain, text);
    buf_bytes(&content, buf_view(&plain));
    insert(w, t, at, &none, (struct content){ KIND_EMBED, 1, buf_view(&content) });
    buf_deinit(&plain);
    buf_deinit(&content);
    return 0;
}

int weave_text_format(struct weave *w, weave_type t, uint32_t at, uint32_t len,
                      const struct weave_attribute *attributes, size_t n) {
    struct attributes wanted = { 0 };
    int rc = edit_check(w, t, EDIT_TEXT, 0);

    if (rc) return rc;
    uint32_t length = type_at(w, t)->length;
    if (at > length || len > length - at) return WEAVE_RANGE;
    if (len == 0) return 0;
    rc = format_read(w, &wanted, attributes, n);
    if (rc == 0) {
        struct text_spot spot = format_spot(w, t, at);
        format_range(w, t, &spot, len, &wanted);
        free(spot.now.list);
    }
    free(wanted.list);
    return rc;
}

int weave_text_delete(struct weave *w, weave_type t, uint32_t at, uint32_t len) {
    int rc = edit_check(w, t, EDIT_TEXT, 0);

    if (rc) return rc;
    uint32_t length = type_at(w, t)->length;
    if (at > length || len > length - at) return WEAVE_RANGE;
    if (len == 0) return 0;
    if (is_plain(w, t)) {
        struct spot spot = position_find(w, t, at);
        if (spot.offset + len == item_at(w, spot.item)->len && delete_tail(w, spot.item, len))
            return 0;
        edit_delete(w, edit_gap_before(w, spot), len);
        return 0;
    }
    struct text_spot spot = format_spot(w, t, at);
    format_delete(w, &spot, len);
    free(spot.now.list);
    return 0;
}
