/* read.c -- a type as JSON, like toJSON of Yjs; XML as its markup, in a JSON string.
 *
 * Types nest as deep as somebody outside likes, so the walk keeps its own stack (D4). A root does
 * not say what it is: keys make it an object; otherwise text makes it a string, XML children make
 * it markup, and anything else a list. */
#include "weave/value_int.h"

enum shape { SHAPE_NULL, SHAPE_STRING, SHAPE_OBJECT, SHAPE_ARRAY, SHAPE_MARKUP };

struct frame {
    uint32_t type;
    enum shape shape;
    uint32_t item, offset;      /* next of a list */
    uint32_t entry;             /* next key */
    bool first;
};

struct walk {
    struct weave *w;
    struct buf *out;
    struct buf markup;          /* XML being written; then it is quoted as a whole */
    struct frame *list;
    uint32_t n, cap;
};

static bool is_markup(enum weave_kind kind) {
    return kind == WEAVE_XML_ELEMENT || kind == WEAVE_XML_FRAGMENT || kind == WEAVE_XML_HOOK ||
           kind == WEAVE_XML_TEXT;
}

static enum shape shape_of_root(const struct weave *w, const struct type *t) {
    for (uint32_t i = 0; t->table && i < t->table->n; i++)
        if (t->table->list[i].item != NONE && !item_is_deleted(item_at(w, t->table->list[i].item)))
            return SHAPE_OBJECT;
    for (uint32_t ref = t->start; ref != NONE; ref = item_at(w, ref)->right) {
        const struct item *x = item_at(w, ref);
        if (item_is_deleted(x)) continue;
        uint32_t kind = item_kind(x);
        if (kind == KIND_STRING || kind == KIND_FORMAT || kind == KIND_EMBED) return SHAPE_STRING;
        if (kind == KIND_TYPE && is_markup(type_at(w, x->type)->kind)) return SHAPE_MARKUP;
        return SHAPE_ARRAY;
    }
    return SHAPE_NULL;
}

static enum shape shape_of(const struct weave *w, uint32_t t) {
    const struct type *type = type_at(w, t);

    switch (type->kind) {
    case WEAVE_ARRAY: return SHAPE_ARRAY;
    case WEAVE_MAP: return SHAPE_OBJECT;
    case WEAVE_TEXT: return SHAPE_STRING;
    case WEAVE_ROOT: return shape_of_root(w, type);
    default: return SHAPE_MARKUP;
    }
}

/* ---- values ------------------------------------------------------------------------------- */

static void read_text(struct weave *w, struct buf *out, uint32_t t) {
    for (uint32_t ref = type_at(w, t)->start; ref != NONE; ref = item_at(w, ref)->right) {
        const struct item *x = item_at(w, ref);
        if (item_kind(x) == KIND_STRING && !item_is_deleted(x))
            buf_put(out, item_content(w, x), x->bytes);
    }
}

static void print_text(struct walk *k, uint32_t t) {
    struct buf text;

    buf_init(&text, SIZE_MAX / 2);
    read_text(k->w, &text, t);
    buf_json(k->out, buf_view(&text));
    buf_deinit(&text);
}

static void open_type(struct walk *k, uint32_t t);

static void print_value(struct walk *k, const struct item *x, uint32_t offset) {
    if (item_kind(x) == KIND_TYPE) {
        open_type(k, x->type);
        return;
    }
    struct weave_value v = value_of(k->w, x, offset);
    struct slice s = { v.bytes.at, v.bytes.len };
    struct reader r;
    switch (v.kind) {
    case WEAVE_V_JSON: buf_slice(k->out, s); break;
    case WEAVE_V_DOC: buf_text(k->out, "{}"); break;      /* its content is another document */
    case WEAVE_V_STRING: buf_json(k->out, s); break;
    case WEAVE_V_UNDEFINED: buf_text(k->out, "null"); break;
    default:
        r = reader_of((struct slice){ item_content(k->w, x), x->bytes });
        if (item_kind(x) == KIND_BINARY) {
            binary_print(k->out, read_bytes(&r));
            break;
        }
        for (uint32_t i = 0; i < offset; i++) decode_any(&r);
        any_print(k->out, &r);
    }
}

static bool is_undefined(struct weave *w, const struct item *x, uint32_t offset) {
    return (item_kind(x) == KIND_ANY || item_kind(x) == KIND_JSON) &&
           value_of(w, x, offset).kind == WEAVE_V_UNDEFINED;
}

/* ---- markup ------------------------------------------------------------------------------- */

static void markup_lower(struct buf *out, struct slice name) {
    for (size_t i = 0; i < name.len; i++) {
        uint8_t c = name.at[i];
        buf_byte(out, c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c);
    }
}

static void markup_attribute(struct walk *k, struct table_entry e) {
    const struct item *x = item_at(k->w, e.item);
    struct weave_value v = value_of(k->w, x, x->len - 1);

    buf_byte(&k->markup, ' ');
    buf_slice(&k->markup, key_name(k->w, e.key));
    buf_text(&k->markup, "=\"");
    if (v.kind == WEAVE_V_STRING || v.kind == WEAVE_V_JSON) {
        buf_put(&k->markup, v.bytes.at, v.bytes.len);
    } else if (item_kind(x) == KIND_ANY) {
        struct reader r = reader_of((struct slice){ item_content(k->w, x), x->bytes });
        for (uint32_t i = 0; i + 1 < x->len; i++) decode_any(&r);
        any_print(&k->markup, &r);
    }
    buf_byte(&k->markup, '"');
}

static int slice_order(struct slice a, struct slice b) {
    int order = memcmp(a.at, b.at, a.len < b.len ? a.len : b.len);

    return order ? order : a.len < b.len ? -1 : a.len > b.len;
}

/* Attributes by name, as Yjs prints them. */
static void markup_attributes(struct walk *k, const struct table *t) {
    struct slice last = { 0 };

    for (bool more = t != NULL; more;) {
        uint32_t best = NONE;
        for (uint32_t i = 0; i < t->n; i++) {
            if (t->list[i].item == NONE || item_is_deleted(item_at(k->w, t->list[i].item)))
                continue;
            struct slice name = key_name(k->w, t->list[i].key);
            if (last.at && slice_order(name, last) <= 0) continue;
            if (best == NONE || slice_order(name, key_name(k->w, t->list[best].key)) < 0) best = i;
        }
        more = best != NONE;
        if (!more) return;
        markup_attribute(k, t->list[best]);
        last = key_name(k->w, t->list[best].key);
    }
}

static void markup_open(struct walk *k, uint32_t t) {
    const struct type *type = type_at(k->w, t);

    if (type->kind == WEAVE_XML_TEXT || type->kind == WEAVE_TEXT) {
        read_text(k->w, &k->markup, t);
        return;
    }
    if (type->kind == WEAVE_XML_ELEMENT || type->kind == WEAVE_XML_HOOK) {
        buf_byte(&k->markup, '<');
        markup_lower(&k->markup, key_name(k->w, type->name));
        markup_attributes(k, type->table);
        buf_byte(&k->markup, '>');
    }
    vector_push(k, (struct frame){ .type = t, .shape = SHAPE_MARKUP, .item = type->start });
}

static void markup_close(struct walk *k, uint32_t t) {
    const struct type *type = type_at(k->w, t);

    if (type->kind == WEAVE_XML_ELEMENT || type->kind == WEAVE_XML_HOOK) {
        buf_text(&k->markup, "</");
        markup_lower(&k->markup, key_name(k->w, type->name));
        buf_byte(&k->markup, '>');
    }
    k->n--;
    if (k->n > 0 && k->list[k->n - 1].shape == SHAPE_MARKUP) return;
    buf_json(k->out, buf_view(&k->markup));
    buf_reset(&k->markup);
}

static void step_markup(struct walk *k) {
    struct frame *f = &k->list[k->n - 1];

    while (f->item != NONE) {
        const struct item *x = item_at(k->w, f->item);
        f->item = x->right;
        if (item_is_deleted(x) || item_kind(x) != KIND_TYPE) continue;
        markup_open(k, x->type);
        return;
    }
    markup_close(k, f->type);
}

/* ---- lists and objects -------------------------------------------------------------------- */

static void open_type(struct walk *k, uint32_t t) {
    enum shape shape = shape_of(k->w, t);

    switch (shape) {
    case SHAPE_NULL: buf_text(k->out, "null"); return;
    case SHAPE_STRING: print_text(k, t); return;
    case SHAPE_MARKUP:
        markup_open(k, t);
        if (type_at(k->w, t)->kind == WEAVE_XML_TEXT) {
            buf_json(k->out, buf_view(&k->markup));
            buf_reset(&k->markup);
        }
        return;
    default: break;
    }
    buf_byte(k->out, shape == SHAPE_OBJECT ? '{' : '[');
    vector_push(k, (struct frame){
                       .type = t, .shape = shape, .item = type_at(k->w, t)->start, .first = true });
}

static void close_type(struct walk *k) {
    buf_byte(k->out, k->list[--k->n].shape == SHAPE_OBJECT ? '}' : ']');
}

static void comma(struct walk *k, struct frame *f) {
    if (!f->first) buf_byte(k->out, ',');
    f->first = false;
}

static void step_array(struct walk *k) {
    struct frame *f = &k->list[k->n - 1];

    while (f->item != NONE) {
        const struct item *x = item_at(k->w, f->item);
        if (f->offset == item_visible(x)) {
            f->item = x->right;
            f->offset = 0;
            continue;
        }
        comma(k, f);
        print_value(k, x, f->offset++);
        return;
    }
    close_type(k);
}

static void step_object(struct walk *k) {
    struct frame *f = &k->list[k->n - 1];
    const struct table *t = type_at(k->w, f->type)->table;

    while (t && f->entry < t->n) {
        struct table_entry e = t->list[f->entry++];
        if (e.item == NONE || item_is_deleted(item_at(k->w, e.item))) continue;
        const struct item *x = item_at(k->w, e.item);
        if (is_undefined(k->w, x, x->len - 1)) continue;
        comma(k, f);
        buf_json(k->out, key_name(k->w, e.key));
        buf_byte(k->out, ':');
        print_value(k, x, x->len - 1);
        return;
    }
    close_type(k);
}

void weave_json(struct weave *w, weave_type t, struct weave_sink out) {
    struct walk k = { .w = w, .out = &w->out };

    must(t > 0 && t < w->n_types);
    buf_reset(&w->out);
    buf_init(&k.markup, SIZE_MAX / 2);
    open_type(&k, t);
    while (k.n > 0) {
        switch (k.list[k.n - 1].shape) {
        case SHAPE_OBJECT: step_object(&k); break;
        case SHAPE_ARRAY: step_array(&k); break;
        default: step_markup(&k);
        }
    }
    free(k.list);
    buf_deinit(&k.markup);
    write_to(out, &w->out);
}
