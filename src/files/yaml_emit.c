#include "files/yaml_emit.h"

#include <stdio.h>

#include "files/scalar.h"
#include "files/yaml_text_int.h"

struct emitter {
    struct buf *out;
    struct yaml_place place;
};

static void put_spaces(struct buf *out, size_t n) {
    for (; n > 0; n--) buf_byte(out, ' ');
}

static void new_line(struct emitter *e, size_t indent) {
    buf_byte(e->out, '\n');
    put_spaces(e->out, indent);
    e->place.column = indent;
}

static void put(struct emitter *e, const char *text) {
    buf_text(e->out, text);
    e->place.column += strlen(text);
}

static void emit_text(struct emitter *e, struct slice text, enum node_style style, bool is_key) {
    struct text_place place = {
        .column = e->place.column, .indent = e->place.indent + e->place.step, .unicode = e->place.unicode,
        .one_line = is_key || e->place.flow,
    };
    yaml_text_put(text, style, &place, e->out);
    e->place.column = place.column;
}

static enum node_style style_for(struct slice text, enum node_style style, const struct emitter *e, bool is_key) {
    bool multiline = text.len && memchr(text.at, '\n', text.len);
    bool unicode = e->place.unicode, flow = e->place.flow;

    if (style == STYLE_ANY) style = STYLE_PLAIN;
    if (style == STYLE_PLAIN && !(is_key && text.len == 0) && yaml_style_fits(text, STYLE_PLAIN, unicode, flow))
        return STYLE_PLAIN;
    if (style != STYLE_DOUBLE && !(is_key && multiline) && yaml_style_fits(text, STYLE_SINGLE, unicode, flow))
        return STYLE_SINGLE;
    return STYLE_DOUBLE;
}

/* ISO text as Python's str() of a datetime: a space for the T. */
static bool emit_date(struct emitter *e, struct slice iso) {
    if (scalar_kind(iso) != NODE_DATE) return false;
    uint8_t text[64];
    size_t len = iso.len < sizeof text ? iso.len : sizeof text;
    for (size_t i = 0; i < len; i++) text[i] = iso.at[i] == 'T' ? ' ' : iso.at[i];
    emit_text(e, (struct slice){ text, len }, STYLE_PLAIN, false);
    return true;
}

static void emit_scalar(struct emitter *e, const struct node *n, enum node_style style, bool is_key) {
    char text[SCALAR_NUMBER_BYTES];

    switch (n->kind) {
    case NODE_NULL: put(e, "null"); return;
    case NODE_BOOL: put(e, n->boolean ? "true" : "false"); return;
    case NODE_INT:
    case NODE_FLOAT:
        if (n->text.len) {
            emit_text(e, n->text, STYLE_PLAIN, true);
            return;
        }
        scalar_print_yaml(n->number, n->kind == NODE_FLOAT, text);
        put(e, text);
        return;
    case NODE_DATE:
        if (emit_date(e, n->text)) return;
        break;
    default: break;
    }
    emit_text(e, n->text, style_for(n->text, style, e, is_key), is_key);
}

/* A key counts by its text: one that is no text in the file (2025: x) stays as it is there. */
static void emit_key(struct emitter *e, const struct node *key, bool simple) {
    bool plain = key->kind != NODE_STRING && key->text.len && key->style == STYLE_PLAIN;

    if (plain) emit_text(e, key->text, STYLE_PLAIN, true);
    else emit_text(e, key->text, style_for(key->text, STYLE_ANY, e, simple), simple);
}

/* PyYAML writes a key on the line of its value when it is one line of less than 128, "!!str" included. */
static bool is_simple_key(const struct node *key) {
    return key->text.len > 0 && utf8_characters(key->text) < 123 && !memchr(key->text.at, '\n', key->text.len);
}

static void emit_value(struct emitter *e, const struct node *n);
static void emit_after_dash(struct emitter *e, const struct node *n);

/* The key at the current place (column == indent), then its value. */
static void emit_entry(struct emitter *e, const struct node *n) {
    if (is_simple_key(n->key)) {
        emit_key(e, n->key, true);
        put(e, ":");
        emit_value(e, n);
        return;
    }
    put(e, "? ");
    emit_key(e, n->key, false);
    new_line(e, e->place.indent);
    put(e, ":");
    emit_after_dash(e, n);
}

static void emit_entries(struct emitter *e, const struct node *map, size_t indent) {
    size_t outer = e->place.indent;

    e->place.indent = indent;
    for (const struct node *c = map->first; c; c = c->next) {
        emit_entry(e, c);
        if (c->next) new_line(e, indent);
    }
    e->place.indent = outer;
}

static void emit_items(struct emitter *e, const struct node *list, size_t indent) {
    size_t outer = e->place.indent;

    e->place.indent = indent;
    for (const struct node *c = list->first; c; c = c->next) {
        put(e, "-");
        emit_after_dash(e, c);
        if (c->next) new_line(e, indent);
    }
    e->place.indent = outer;
}

static bool emit_on_line(struct emitter *e, const struct node *n) {
    if (!node_is_scalar(n) && n->n > 0) return false;
    put(e, " ");
    if (node_is_scalar(n)) emit_scalar(e, n, STYLE_ANY, false);
    else put(e, n->kind == NODE_LIST ? "[]" : "{}");
    return true;
}

static void emit_value(struct emitter *e, const struct node *n) {
    if (emit_on_line(e, n)) return;
    size_t indent = e->place.indent + (n->kind == NODE_LIST ? e->place.list_step : e->place.step);
    new_line(e, indent);
    if (n->kind == NODE_LIST) emit_items(e, n, indent);
    else emit_entries(e, n, indent);
}

static void emit_after_dash(struct emitter *e, const struct node *n) {
    if (emit_on_line(e, n)) return;
    put(e, " ");
    if (n->kind == NODE_LIST) emit_items(e, n, e->place.indent + 2);
    else emit_entries(e, n, e->place.indent + 2);
}

void yaml_emit(const struct node *root, bool unicode, struct buf *out) {
    struct emitter e = { out, { .step = 2, .unicode = unicode } };

    if (root->kind == NODE_MAP && root->n > 0) emit_entries(&e, root, 0);
    else if (root->kind == NODE_LIST && root->n > 0) emit_items(&e, root, 0);
    else if (node_is_scalar(root)) emit_scalar(&e, root, STYLE_ANY, false);
    else put(&e, root->kind == NODE_LIST ? "[]" : "{}");
    buf_byte(out, '\n');
}

void yaml_emit_value(const struct node *value, const struct yaml_place *place, struct buf *out) {
    struct emitter e = { out, *place };

    if (place->in_list) emit_after_dash(&e, value);
    else emit_value(&e, value);
}

void yaml_emit_entry(const struct node *value, const struct yaml_place *place, struct buf *out) {
    struct emitter e = { out, *place };
    emit_entry(&e, value);
}

void yaml_emit_scalar(const struct node *scalar, enum node_style style, const struct yaml_place *place,
                      struct buf *out) {
    struct emitter e = { out, *place };
    emit_scalar(&e, scalar, style, false);
}

static void emit_flow(struct emitter *e, const struct node *n) {
    if (node_is_scalar(n)) {
        emit_scalar(e, n, STYLE_ANY, true);
        return;
    }
    put(e, n->kind == NODE_LIST ? "[" : "{");
    for (const struct node *c = n->first; c; c = c->next) {
        if (c->key) {
            emit_key(e, c->key, true);
            put(e, ": ");
        }
        emit_flow(e, c);
        if (c->next) put(e, ", ");
    }
    put(e, n->kind == NODE_LIST ? "]" : "}");
}

void yaml_emit_flow(const struct node *value, bool unicode, struct buf *out) {
    struct emitter e = { out, { .step = 2, .unicode = unicode, .flow = true } };
    emit_flow(&e, value);
}
