#include "files/splice_int.h"

#include <stdlib.h>

#include "base/err.h"
#include "base/limits.h"
#include "base/must.h"
#include "files/yaml.h"
#include "files/yaml_text_int.h"

void splice_put(struct splice *s, size_t at, size_t end, struct slice text) {
    must(at <= end && end <= s->file.len);
    if (s->n == s->cap) {
        s->cap = s->cap ? s->cap * 2 : 16;
        s->edits = realloc(s->edits, s->cap * sizeof *s->edits);
        must(s->edits);
    }
    s->edits[s->n] = (struct splice_edit){ at, end, tree_copy(s->t, text), s->n };
    s->n++;
}

size_t splice_line_start(const struct splice *s, size_t at) {
    while (at > 0 && s->file.at[at - 1] != '\n') at--;
    return at;
}

size_t splice_line_end(const struct splice *s, size_t at) {
    while (at < s->file.len && s->file.at[at] != '\n') at++;
    return at < s->file.len ? at + 1 : at;
}

static size_t bom(struct slice file) {
    return file.len >= 3 && memcmp(file.at, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
}

size_t splice_column(const struct splice *s, size_t at) {
    size_t start = splice_line_start(s, at);
    if (start == 0) start = bom(s->file);
    return at > start ? utf8_characters((struct slice){ s->file.at + start, at - start }) : 0;
}

bool splice_begins_line(const struct splice *s, size_t at) {
    size_t start = splice_line_start(s, at);
    for (size_t i = start == 0 ? bom(s->file) : start; i < at; i++)
        if (s->file.at[i] != ' ') return false;
    return true;
}

size_t splice_content_end(const struct splice *s, const struct node *n) {
    while (n->style == STYLE_BLOCK && n->last && !n->is_alias) n = n->last;
    size_t end = n->end;
    if (n->style == STYLE_LITERAL || n->style == STYLE_FOLDED)      /* libyaml's end is behind blank lines too */
        while (end > n->at && strchr(" \t\r\n", s->file.at[end - 1])) end--;
    return end;
}

/* ---- the new file ------------------------------------------------------------------------- */

static int compare_edits(const void *a, const void *b) {
    const struct splice_edit *x = a, *y = b;
    if (x->at != y->at) return x->at < y->at ? -1 : 1;
    bool x_puts = x->at == x->end, y_puts = y->at == y->end;
    if (x_puts != y_puts) return x_puts ? -1 : 1;
    return x->number < y->number ? -1 : 1;
}

/* New lines end as the file's do. */
static void put_lines(struct buf *out, struct slice text, bool crlf) {
    for (size_t i = 0; i < text.len; i++) {
        if (crlf && text.at[i] == '\n') buf_byte(out, '\r');
        buf_byte(out, text.at[i]);
    }
}

static bool has_crlf(struct slice file) {
    const uint8_t *at = file.len ? memchr(file.at, '\n', file.len) : NULL;
    return at && at > file.at && at[-1] == '\r';
}

static bool write_edits(struct splice *s, bool strip_newline, struct buf *out) {
    bool crlf = has_crlf(s->file);
    size_t at = 0;

    if (s->n) qsort(s->edits, s->n, sizeof *s->edits, compare_edits);
    for (size_t i = 0; i < s->n; i++) {
        if (s->edits[i].at < at) return false;      /* two edits of the same bytes */
        buf_put(out, s->file.at + at, s->edits[i].at - at);
        put_lines(out, s->edits[i].text, crlf);
        at = s->edits[i].end;
    }
    buf_put(out, s->file.at + at, s->file.len - at);
    if (strip_newline && out->len && out->at[out->len - 1] == '\n') out->len -= crlf && out->len > 1 ? 2 : 1;
    return !out->bad;
}

static bool reads_as(struct slice bytes, const struct node *want) {
    struct tree t;
    struct problem p;

    tree_init(&t);
    bool same = yaml_read(bytes, true, &t, &p) == E_OK && node_same(t.root, want);
    tree_deinit(&t);
    return same;
}

/* The first list below a key tells how the file indents its dashes; PyYAML does not. */
static bool find_list_step(const struct splice *s, const struct node *n, size_t *step) {
    if (n->style != STYLE_BLOCK || n->is_alias) return false;
    if (n->kind == NODE_LIST && n->key && n->first) {
        size_t dash = splice_column(s, n->at), key = splice_column(s, n->key->at);
        if (dash < key || n->key->line == n->line) return false;
        *step = dash - key;
        return true;
    }
    for (const struct node *c = n->first; c; c = c->next)
        if (find_list_step(s, c, step)) return true;
    return false;
}

static bool has_unicode(struct slice file) {
    for (size_t i = bom(file); i < file.len; i++)
        if (file.at[i] >= 0x80) return true;
    return false;
}

static bool try_splice(struct splice *s, const struct node *was, const struct node *want, bool strip,
    struct buf *out) {
    struct yaml_place place = { .step = 2, .unicode = s->unicode };
    size_t before = out->len;

    find_list_step(s, was, &s->list_step);
    place.list_step = s->list_step;
    splice_value(s, was, want, &place);
    bool good = !s->failed && write_edits(s, strip, out) && out->len > before &&
                reads_as((struct slice){ out->at + before, out->len - before }, want);
    if (!good && !out->bad) out->len = before;
    return good;
}

static void write_whole(struct slice file, const struct node *want, bool unicode, struct buf *out) {
    struct buf text;

    buf_init(&text, out->max);
    yaml_emit(want, unicode, &text);
    buf_put(out, file.at, bom(file));
    put_lines(out, buf_view(&text), has_crlf(file));
    if (text.bad) out->bad = true;
    buf_deinit(&text);
}

enum splice_result splice(struct slice file, const struct node *was, const struct node *want, bool unicode,
                          struct buf *out) {
    bool ends = file.len > 0 && file.at[file.len - 1] == '\n';
    struct buf copy;
    bool good = false;

    if (node_same(was, want)) {
        buf_slice(out, file);
        return SPLICE_SAME;
    }
    unicode = unicode || has_unicode(file);
    buf_init(&copy, file.len + 2);
    buf_slice(&copy, file);
    if (!ends) buf_text(&copy, has_crlf(file) ? "\r\n" : "\n");
    for (int blunt = 0; blunt < 2 && !good && was->kind == NODE_MAP && want->kind == NODE_MAP; blunt++) {
        struct tree t;
        tree_init(&t);
        struct splice s = { .file = buf_view(&copy), .t = &t, .unicode = unicode, .blunt = blunt == 1 };
        good = try_splice(&s, was, want, !ends, out);
        free(s.edits);
        tree_deinit(&t);
    }
    buf_deinit(&copy);
    if (!good && !out->bad) write_whole(file, want, unicode, out);
    return good ? SPLICE_LINES : SPLICE_WHOLE;
}
