#include <stdio.h>

#include "files/json.h"
#include "files/scalar.h"
#include "files/yaml_text_int.h"

static void put_line(struct buf *out, const struct json_style *style, int depth) {
    if (!style->indent) return;
    buf_byte(out, '\n');
    for (int i = 0; i < style->indent * depth; i++) buf_byte(out, ' ');
}

static void put_ascii(struct buf *out, struct slice text) {
    size_t i = 0;

    while (i < text.len) {
        uint8_t byte = text.at[i];
        uint32_t c = utf8_next(text, &i);
        if (c < 0x80) buf_byte(out, byte);
        else if (c < 0x10000) buf_printf(out, "\\u%04x", c);
        else buf_printf(out, "\\u%04x\\u%04x", 0xd800 + ((c - 0x10000) >> 10), 0xdc00 + ((c - 0x10000) & 0x3ff));
    }
}

static void put_string(struct buf *out, struct slice text, const struct json_style *style) {
    if (!style->ascii) {
        buf_json(out, text);
        return;
    }
    struct buf b;
    buf_init(&b, text.len * 6 + 2);
    buf_json(&b, text);
    put_ascii(out, buf_view(&b));
    buf_deinit(&b);
}

/* Writes a value. `reuse` (may be NULL), of the file `file`, stood at the same depth: children it has with the same
 * meaning are taken over byte for byte. */
struct reuse {
    struct slice file;
    const struct node *was;
};

static void write_value(const struct node *n, const struct json_style *style, int depth, const struct reuse *reuse,
                        struct buf *out);

static const struct node *same_child(const struct reuse *reuse, const struct node *n) {
    if (!reuse || !reuse->was || node_is_scalar(reuse->was)) return NULL;
    if (n->key) {
        const struct node *c = node_get(reuse->was, n->key->text);
        return c && node_same(c, n) ? c : NULL;
    }
    for (const struct node *c = reuse->was->first; c; c = c->next)
        if (!c->key && node_same(c, n)) return c;
    return NULL;
}

static void write_child(const struct node *n, const struct json_style *style, int depth, const struct reuse *reuse,
                        struct buf *out) {
    const struct node *same = same_child(reuse, n);

    if (same) {
        buf_put(out, reuse->file.at + same->at, same->end - same->at);
        return;
    }
    struct reuse inner = { reuse ? reuse->file : (struct slice){ 0 }, NULL };
    if (reuse && reuse->was && n->key) inner.was = node_get(reuse->was, n->key->text);
    write_value(n, style, depth, reuse ? &inner : NULL, out);
}

static void write_collection(const struct node *n, const struct json_style *style, int depth,
                             const struct reuse *reuse, struct buf *out) {
    bool map = n->kind == NODE_MAP;

    buf_byte(out, map ? '{' : '[');
    for (const struct node *c = n->first; c; c = c->next) {
        put_line(out, style, depth + 1);
        if (map) {
            put_string(out, c->key->text, style);
            buf_text(out, style->indent ? ": " : ":");
        }
        write_child(c, style, depth + 1, reuse, out);
        if (c->next) buf_byte(out, ',');
    }
    if (n->n) put_line(out, style, depth);
    buf_byte(out, map ? '}' : ']');
}

static void write_value(const struct node *n, const struct json_style *style, int depth, const struct reuse *reuse,
                        struct buf *out) {
    char number[SCALAR_NUMBER_BYTES];

    switch (n->kind) {
    case NODE_NULL: buf_text(out, "null"); break;
    case NODE_BOOL: buf_text(out, n->boolean ? "true" : "false"); break;
    case NODE_INT:
    case NODE_FLOAT:
        scalar_print_json(n->number, number);
        buf_text(out, number);
        break;
    case NODE_DATE:
    case NODE_STRING: put_string(out, n->text, style); break;
    default: write_collection(n, style, depth, reuse, out);
    }
}

void json_write(const struct node *n, const struct json_style *style, struct buf *out) {
    write_value(n, style, 0, NULL, out);
    if (style->final_newline) buf_byte(out, '\n');
}

void json_compact(const struct node *n, struct buf *out) {
    json_write(n, &(struct json_style){ 0 }, out);
}

/* ---- changing a file ----------------------------------------------------------------------- */

static struct json_style style_of(struct slice file) {
    struct json_style style = { .indent = 4 };

    for (size_t i = 0; i + 1 < file.len; i++) {
        if (file.at[i] != '\n' || file.at[i + 1] != ' ') continue;
        int n = 0;
        while (i + 1 + (size_t)n < file.len && file.at[i + 1 + (size_t)n] == ' ') n++;
        style.indent = n;
        break;
    }
    for (size_t i = 0; i + 1 < file.len; i++)
        if (file.at[i] == '\\' && file.at[i + 1] == 'u') style.ascii = true;
    style.final_newline = file.len > 0 && file.at[file.len - 1] == '\n';
    return style;
}

struct splice {
    struct slice file;
    struct json_style style;
    size_t copied;              /* of the file, into out */
    struct buf *out;
};

static void replace(struct splice *s, const struct node *was, const struct node *want, int depth) {
    struct reuse reuse = { s->file, was };

    buf_put(s->out, s->file.at + s->copied, was->at - s->copied);
    write_value(want, &s->style, depth, &reuse, s->out);
    s->copied = was->end;
}

static bool same_keys(const struct node *a, const struct node *b) {
    if (a->kind != b->kind || a->n != b->n || node_is_scalar(a)) return false;
    const struct node *x = a->first, *y = b->first;
    for (; x && y; x = x->next, y = y->next)
        if (x->key && !slice_eq(x->key->text, y->key->text)) return false;
    return true;
}

static void splice_value(struct splice *s, const struct node *was, const struct node *want, int depth) {
    if (node_same(was, want)) return;
    if (!same_keys(was, want)) {
        replace(s, was, want, depth);
        return;
    }
    const struct node *x = was->first, *y = want->first;
    for (; x && y; x = x->next, y = y->next) splice_value(s, x, y, depth + 1);
}

void json_splice(struct slice file, const struct node *was, const struct node *want, struct buf *out) {
    struct splice s = { .file = file, .style = style_of(file), .out = out };

    splice_value(&s, was, want, 0);
    buf_put(out, file.at + s.copied, file.len - s.copied);
}
