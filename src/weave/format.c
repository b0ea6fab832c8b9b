/* format.c -- text with attributes. A format is an item without length that sets one key from
 * there on (null ends it); the attributes at a position are the fold of the formats before it.
 *
 * What an edit writes follows Yjs step by step, so that both write the same bytes. Values are JSON
 * texts as JSON.stringify writes them, interned: equal values are equal numbers. */
#include "base/utf8.h"
#include "weave/edit_int.h"

/* ---- attributes, in the order they were set ----------------------------------------------- */

static uint32_t null_value(struct weave *w) { return key_intern(w, slice_of("null")); }

/* The value, or NONE when the key is not there. */
static uint32_t attribute_get(const struct attributes *a, uint32_t key) {
    for (uint32_t i = 0; i < a->n; i++)
        if (a->list[i].key == key) return a->list[i].value;
    return NONE;
}

static uint32_t attribute_or_null(struct weave *w, const struct attributes *a, uint32_t key) {
    uint32_t value = attribute_get(a, key);

    return value == NONE ? null_value(w) : value;
}

static void attribute_set(struct attributes *a, uint32_t key, uint32_t value) {
    for (uint32_t i = 0; i < a->n; i++) {
        if (a->list[i].key != key) continue;
        a->list[i].value = value;
        return;
    }
    vector_push(a, (struct attribute){ key, value });
}

static void attribute_remove(struct attributes *a, uint32_t key) {
    for (uint32_t i = 0; i < a->n; i++) {
        if (a->list[i].key != key) continue;
        memmove(a->list + i, a->list + i + 1, (a->n - i - 1) * sizeof *a->list);
        a->n--;
        return;
    }
}

int format_read(struct weave *w, struct attributes *to, const struct weave_attribute *from,
                size_t n) {
    struct buf json;

    for (size_t i = 0; i < n; i++) {
        struct slice key = { from[i].key.at, from[i].key.len },
                     text = { from[i].json.at, from[i].json.len };
        if (!utf8_is_valid(key) || text.len == 0 || !json_is_valid(text)) return WEAVE_INVALID;
    }
    buf_init(&json, SIZE_MAX / 2);
    for (size_t i = 0; i < n; i++) {
        struct slice key = { from[i].key.at, from[i].key.len },
                     text = { from[i].json.at, from[i].json.len };
        buf_reset(&json);
        json_normalise(&json, text);
        attribute_set(to, key_intern(w, key), key_intern(w, buf_view(&json)));
    }
    buf_deinit(&json);
    return 0;
}

static struct attribute format_of(struct weave *w, const struct item *x) {
    struct reader r = reader_of((struct slice){ item_content(w, x), x->bytes });
    struct slice key = read_bytes(&r), value = read_bytes(&r);

    return (struct attribute){ key_intern(w, key), key_intern(w, value) };
}

void format_apply(struct weave *w, struct attributes *now, const struct item *x) {
    struct attribute a = format_of(w, x);

    if (a.value == null_value(w)) attribute_remove(now, a.key);
    else attribute_set(now, a.key, a.value);
}

/* ---- moving ------------------------------------------------------------------------------- */

static bool is_live_format(const struct item *x) {
    return item_kind(x) == KIND_FORMAT && !item_is_deleted(x);
}

static void forward(struct weave *w, struct text_spot *spot) {
    const struct item *x = item_at(w, spot->gap.right);

    if (is_live_format(x)) format_apply(w, &spot->now, x);
    spot->gap.left = spot->gap.right;
    spot->gap.right = x->right;
}

struct text_spot format_spot(struct weave *w, uint32_t t, uint32_t at) {
    struct text_spot spot = { .gap = { NONE, type_at(w, t)->start } };

    while (at > 0) {
        const struct item *x = item_at(w, spot.gap.right);
        uint32_t visible = item_visible(x);
        if (visible > at) {
            item_ending(w, (struct uid){ x->id.client, x->id.clock + at - 1 });
            visible = at;
        }
        at -= visible;
        forward(w, &spot);
    }
    return spot;
}

/* ---- inserting ---------------------------------------------------------------------------- */

static void put_format(struct weave *w, uint32_t t, struct text_spot *spot, uint32_t key,
                       uint32_t value) {
    struct buf content;

    buf_init(&content, SIZE_MAX / 2);
    buf_bytes(&content, key_name(w, key));
    buf_bytes(&content, key_name(w, value));
    spot->gap.right = edit_insert(w, t, NONE, spot->gap,
                                  (struct content){ KIND_FORMAT, 1, buf_view(&content) });
    buf_deinit(&content);
    forward(w, spot);
}

/* Past what is deleted and past formats that say what is wanted anyway. */
static void pass_agreeing(struct weave *w, struct text_spot *spot,
                          const struct attributes *wanted) {
    while (spot->gap.right != NONE) {
        const struct item *x = item_at(w, spot->gap.right);
        if (!item_is_deleted(x)) {
            if (item_kind(x) != KIND_FORMAT) return;
            struct attribute a = format_of(w, x);
            if (attribute_or_null(w, wanted, a.key) != a.value) return;
        }
        forward(w, spot);
    }
}

/* Opens what differs; returns what has to be restored behind. */
static struct attributes open_formats(struct weave *w, uint32_t t, struct text_spot *spot,
                                      const struct attributes *wanted) {
    struct attributes restore = { 0 };

    for (uint32_t i = 0; i < wanted->n; i++) {
        struct attribute a = wanted->list[i];
        uint32_t now = attribute_or_null(w, &spot->now, a.key);
        if (now == a.value) continue;
        attribute_set(&restore, a.key, now);
        put_format(w, t, spot, a.key, a.value);
    }
    return restore;
}

static void restore_formats(struct weave *w, uint32_t t, struct text_spot *spot,
                            struct attributes *restore) {
    while (spot->gap.right != NONE) {
        const struct item *x = item_at(w, spot->gap.right);
        if (!item_is_deleted(x)) {
            if (item_kind(x) != KIND_FORMAT) break;
            struct attribute a = format_of(w, x);
            if (attribute_get(restore, a.key) != a.value) break;
            attribute_remove(restore, a.key);
        }
        forward(w, spot);
    }
    for (uint32_t i = 0; i < restore->n; i++)
        put_format(w, t, spot, restore->list[i].key, restore->list[i].value);
    free(restore->list);
}

void format_insert(struct weave *w, uint32_t t, struct text_spot *spot, struct attributes *wanted,
                   struct content content) {
    for (uint32_t i = 0; i < spot->now.n; i++)      /* what is not asked for ends */
        if (attribute_get(wanted, spot->now.list[i].key) == NONE)
            attribute_set(wanted, spot->now.list[i].key, null_value(w));
    pass_agreeing(w, spot, wanted);
    struct attributes restore = open_formats(w, t, spot, wanted);
    spot->gap.left = edit_insert(w, t, NONE, spot->gap, content);
    spot->gap.right = item_at(w, spot->gap.left)->right;
    restore_formats(w, t, spot, &restore);
}

/* ---- formatting a range ------------------------------------------------------------------- */

/* A live format inside the range; false when the walk ends in front of it. */
static bool override_format(struct weave *w, struct text_spot *spot, uint32_t left,
                            const struct attributes *wanted, struct attributes *restore) {
    struct attribute a = format_of(w, item_at(w, spot->gap.right));
    uint32_t want = attribute_get(wanted, a.key);

    if (want == NONE) return true;
    if (want == a.value) {
        attribute_remove(restore, a.key);
    } else {
        if (left == 0) return false;
        attribute_set(restore, a.key, a.value);
    }
    delete_item(w, spot->gap.right);
    return true;
}

void format_range(struct weave *w, uint32_t t, struct text_spot *spot, uint32_t len,
                  struct attributes *wanted) {
    if (spot->gap.right == NONE) return;
    pass_agreeing(w, spot, wanted);
    struct attributes restore = open_formats(w, t, spot, wanted);
    while (spot->gap.right != NONE) {
        const struct item *x = item_at(w, spot->gap.right);
        bool passes = item_is_deleted(x) || item_kind(x) == KIND_FORMAT;
        if (len == 0 && (restore.n == 0 || !passes)) break;
        if (is_live_format(x)) {
            if (!override_format(w, spot, len, wanted, &restore)) break;
        } else if (!item_is_deleted(x)) {
            uint32_t visible = x->len;
            if (visible > len) {
                item_ending(w, (struct uid){ x->id.client, x->id.clock + len - 1 });
                visible = len;
            }
            len -= visible;
        }
        forward(w, spot);
    }
    restore_formats(w, t, spot, &restore);
}

/* ---- deleting ----------------------------------------------------------------------------- */

/* The last live format of each key in the gap: key to item. */
static struct attributes last_formats(struct weave *w, uint32_t start, uint32_t end) {
    struct attributes last = { 0 };

    for (uint32_t ref = start; ref != end; ref = item_at(w, ref)->right) {
        const struct item *x = item_at(w, ref);
        if (is_live_format(x)) attribute_set(&last, format_of(w, x).key, ref);
    }
    return last;
}

/* Yjs compares here by identity, which two equal objects do not have. */
static bool is_same(struct weave *w, uint32_t a, uint32_t b) {
    uint8_t first = key_name(w, a).at[0];

    return a == b && first != '{' && first != '[';
}

/* Where no visible content is left between formats, those that are overridden or change nothing go.
 */
static void clean_gap(struct weave *w, uint32_t start, struct attributes *before) {
    uint32_t end = start;

    while (end != NONE && item_visible(item_at(w, end)) == 0) end = item_at(w, end)->right;
    struct attributes last = last_formats(w, start, end);
    for (uint32_t ref = start; ref != end; ref = item_at(w, ref)->right) {
        const struct item *x = item_at(w, ref);
        if (!is_live_format(x)) continue;
        struct attribute a = format_of(w, x);
        if (attribute_get(&last, a.key) != ref ||
            is_same(w, attribute_or_null(w, before, a.key), a.value))
            delete_item(w, ref);
    }
    free(last.list);
}

void format_delete(struct weave *w, struct text_spot *spot, uint32_t len) {
    struct attributes before = { 0 };
    uint32_t start = spot->gap.right;

    for (uint32_t i = 0; i < spot->now.n; i++) vector_push(&before, spot->now.list[i]);
    edit_delete(w, spot->gap, len);
    if (start != NONE) clean_gap(w, start, &before);
    free(before.list);
}
