/* splice_text.c -- one scalar for another: the same quotes, the line breaks of what did not change. */
#include "files/splice_int.h"

#include "base/limits.h"
#include "files/yaml_text_int.h"

/* A text is words with something between them. In a file a single line break reads as a space, and
 * n + 1 of them as n newlines; so words compare by what stands between them, not by how it is written. */
struct word {
    struct slice text;          /* as in the file: quotes doubled, escapes written */
    size_t newlines;            /* of the value before this word; 0: a space */
    bool breaks;                /* in the file, this word begins a line */
};

struct words {
    struct word *at;
    size_t n;
};

static size_t count(struct slice s, uint8_t byte) {
    size_t n = 0;
    for (size_t i = 0; i < s.len; i++) n += s.at[i] == byte;
    return n;
}

/* The words of a value as this style writes them. */
static struct words words_wanted(struct splice *s, struct slice text, enum node_style style) {
    struct buf b;
    struct words w = { 0 };
    size_t newlines = 0, start = 0;

    buf_init(&b, LIMIT_DOCUMENT_BYTES);
    if (style == STYLE_DOUBLE) {
        yaml_double_escape(text, s->unicode, &b);
    } else {
        for (size_t i = 0; i < text.len; i++) {
            if (style == STYLE_SINGLE && text.at[i] == '\'') buf_byte(&b, '\'');
            buf_byte(&b, text.at[i]);
        }
    }
    struct slice all = tree_copy(s->t, buf_view(&b));
    buf_deinit(&b);
    w.at = tree_alloc(s->t, (count(all, ' ') + count(all, '\n') + 2) * sizeof *w.at);
    for (size_t i = 0; i <= all.len; i++) {
        if (i < all.len && all.at[i] != ' ' && all.at[i] != '\n') continue;
        w.at[w.n++] = (struct word){ { all.at + start, i - start }, newlines, false };
        newlines = 0;
        while (i < all.len && all.at[i] == '\n') {
            newlines++;
            i++;
        }
        start = newlines ? i : i + 1;
        if (newlines) i--;
    }
    return w;
}

/* The words of a scalar's bytes in the file, [at, end) without quotes or header. */
static struct words words_found(struct splice *s, size_t at, size_t end) {
    struct slice all = { s->file.at + at, end - at };
    struct words w = { 0 };
    size_t breaks = 0, i = at;

    w.at = tree_alloc(s->t, (count(all, ' ') + count(all, '\n') + 2) * sizeof *w.at);
    for (;;) {
        size_t start = i;
        while (i < end && !strchr(" \r\n", s->file.at[i])) i++;
        w.at[w.n++] = (struct word){ { s->file.at + start, i - start }, breaks > 1 ? breaks - 1 : 0, breaks > 0 };
        if (i == end) return w;
        size_t ahead = i;               /* spaces before a line break say nothing */
        breaks = 0;
        while (ahead < end && strchr(" \t\r\n", s->file.at[ahead])) breaks += s->file.at[ahead++] == '\n';
        i = breaks ? ahead : i + 1;
    }
}

struct fold {
    struct splice *s;
    struct words was, want;
    size_t same_front, same_back;
    size_t indent, width;
    size_t column;
    bool flowing;               /* a line ran over: the lines behind it are filled anew */
    struct buf *out;
};

static bool same_word(const struct word *a, const struct word *b) {
    return a->newlines == b->newlines && slice_eq(a->text, b->text);
}

static void compare(struct fold *f) {
    size_t n = f->was.n < f->want.n ? f->was.n : f->want.n;

    while (f->same_front < n && same_word(&f->was.at[f->same_front], &f->want.at[f->same_front])) f->same_front++;
    while (f->same_back < n - f->same_front &&
           same_word(&f->was.at[f->was.n - 1 - f->same_back], &f->want.at[f->want.n - 1 - f->same_back]))
        f->same_back++;
}

/* The word of the file that the i-th wanted word is, or NULL. The first changed word has the place of its
 * predecessor. */
static const struct word *found(const struct fold *f, size_t i) {
    if (i < f->same_front || (i == f->same_front && i < f->was.n && f->was.at[i].newlines == 0)) return &f->was.at[i];
    if (i >= f->want.n - f->same_back) return &f->was.at[f->was.n - (f->want.n - i)];
    return NULL;
}

static bool breaks_before(struct fold *f, size_t i) {
    const struct word *old = found(f, i), *word = &f->want.at[i];
    bool behind = i >= f->want.n - f->same_back && i > f->same_front;
    bool may = word->text.len > 0 && f->want.at[i - 1].text.len > 0;

    if (i < f->same_front) return old->breaks;
    if (old && old->breaks && may && !(behind && f->flowing)) return true;
    if (!may || f->column <= f->width) return false;
    f->flowing = !(old && old->breaks);     /* where both break, the rest is as it was */
    return true;
}

static void put_spaces(struct buf *out, size_t n) {
    for (; n > 0; n--) buf_byte(out, ' ');
}

static void put_words(struct fold *f) {
    for (size_t i = 0; i < f->want.n; i++) {
        const struct word *word = &f->want.at[i];
        if (i > 0 && word->newlines) {
            for (size_t k = 0; k <= word->newlines; k++) buf_byte(f->out, '\n');
            if (word->text.len) put_spaces(f->out, f->indent);
            f->column = f->indent;
            f->flowing = false;
        } else if (i > 0 && breaks_before(f, i)) {
            buf_byte(f->out, '\n');
            put_spaces(f->out, f->indent);
            f->column = f->indent;
        } else if (i > 0) {
            buf_byte(f->out, ' ');
            f->column++;
        }
        buf_slice(f->out, word->text);
        f->column += utf8_characters(word->text);
    }
}

/* A file whose lines run on far behind the width is not folded by us either. */
static size_t width_of(const struct fold *f, size_t column) {
    for (size_t i = 0; i < f->was.n; i++) {
        if (f->was.at[i].breaks) column = f->indent;
        else if (i > 0 && column > YAML_WIDTH) return SIZE_MAX;
        column += utf8_characters(f->was.at[i].text) + (i > 0 && !f->was.at[i].breaks);
    }
    return YAML_WIDTH;
}

static void fold(struct splice *s, size_t at, size_t end, struct fold *f) {
    f->s = s;
    f->was = words_found(s, at, end);
    f->width = width_of(f, f->column);
    compare(f);
    put_words(f);
}

/* The indentation of the second line, where there is one. */
static size_t further_indent(const struct splice *s, size_t at, size_t end, size_t otherwise) {
    for (size_t i = at; i < end; i++) {
        if (s->file.at[i] != '\n') continue;
        size_t first = i + 1;
        while (first < end && s->file.at[first] == ' ') first++;
        if (first < end && !strchr("\r\n", s->file.at[first])) return first - i - 1;
    }
    return otherwise;
}

/* ---- block scalars ----------------------------------------------------------------------- */

/* | and >: the header's line stays, but for the sign that says whether the text ends with a newline. */
static bool splice_block(struct splice *s, const struct node *was, struct slice text, struct buf *out) {
    size_t header = splice_line_end(s, was->at), end = splice_content_end(s, was), sign = was->at + 1;
    bool newline = text.len > 0 && text.at[text.len - 1] == '\n';
    size_t indent = further_indent(s, header - 1, end, 0);

    if (newline) text.len--;
    if (text.len == 0 || text.at[0] == ' ' || text.at[0] == '\n' || text.at[text.len - 1] == '\n' ||
        indent == 0) return false;
    for (size_t i = 0; i < text.len; i++)
        if (text.at[i] < 0x20 && text.at[i] != '\n' && text.at[i] != '\t') return false;
    bool strip = s->file.at[sign] == '-';
    if (!strip && !strchr(" #\r\n", s->file.at[sign])) return false;    /* |+ or |2 */
    buf_byte(out, s->file.at[was->at]);
    if (!newline) buf_byte(out, '-');
    for (size_t i = sign + strip; i < header; i++)
        if (s->file.at[i] != '\r') buf_byte(out, s->file.at[i]);
    if (was->style == STYLE_FOLDED) {
        struct fold f = { .want = words_wanted(s, text, STYLE_FOLDED), .indent = indent, .column = indent,
            .out = out };
        size_t first = header;
        while (first < end && s->file.at[first] == ' ') first++;
        put_spaces(out, indent);
        fold(s, first, end, &f);
        return true;
    }
    for (size_t i = 0; i < text.len; i++) {
        bool begins = i == 0 || text.at[i - 1] == '\n';
        if (begins && text.at[i] != '\n') put_spaces(out, indent);
        buf_byte(out, text.at[i]);
    }
    return true;
}

/* ---- all styles -------------------------------------------------------------------------- */

static bool has_folded_escape(const struct splice *s, const struct node *n) {
    for (size_t i = n->at; i + 1 < n->end; i++)
        if (s->file.at[i] == '\\' && strchr("\r\n", s->file.at[i + 1])) return true;
    return false;
}

static bool splice_flow_text(struct splice *s, const struct node *was, struct slice text,
                             const struct yaml_place *place, struct buf *out) {
    size_t quote = was->style == STYLE_PLAIN ? 0 : 1;

    if (!yaml_style_fits(text, was->style, s->unicode, place->flow)) return false;
    if (was->style == STYLE_DOUBLE && has_folded_escape(s, was)) return false;
    if (was->kind != NODE_STRING) return false;
    struct fold f = {
        .want = words_wanted(s, text, was->style), .out = out,
        .indent = further_indent(s, was->at, was->end, place->indent + place->step),
        .column = splice_column(s, was->at) + quote,
    };
    if (quote) buf_byte(out, s->file.at[was->at]);
    fold(s, was->at + quote, was->end - quote, &f);
    if (quote) buf_byte(out, s->file.at[was->at]);
    return true;
}

void splice_scalar(struct splice *s, const struct node *was, const struct node *want,
    const struct yaml_place *place) {
    bool block = was->style == STYLE_LITERAL || was->style == STYLE_FOLDED;
    struct yaml_place here = *place;
    struct buf b;
    bool done = false;

    buf_init(&b, LIMIT_DOCUMENT_BYTES);
    if (!s->blunt && want->kind == NODE_STRING)
        done = block ? splice_block(s, was, want->text, &b) : splice_flow_text(s, was, want->text, place, &b);
    if (!done) {
        b.len = 0;
        here.column = splice_column(s, was->at);
        yaml_emit_scalar(want, block || was->kind != NODE_STRING ? STYLE_PLAIN : was->style, &here, &b);
    }
    splice_put(s, was->at, block ? splice_content_end(s, was) : was->end, buf_view(&b));
    buf_deinit(&b);
}
