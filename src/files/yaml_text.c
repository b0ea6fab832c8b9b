#include "files/yaml_text_int.h"

#include "base/must.h"
#include "files/scalar.h"
#include "files/yaml_emit.h"

#define NONE UINT32_MAX         /* behind the last character */

uint32_t utf8_next(struct slice s, size_t *i) {
    uint8_t a = s.at[*i];
    size_t n = a < 0x80 ? 1 : a < 0xe0 ? 2 : a < 0xf0 ? 3 : 4;
    uint32_t c = n == 1 ? a : n == 2 ? a & 0x1fu : n == 3 ? a & 0x0fu : a & 0x07u;

    for (size_t k = 1; k < n && *i + k < s.len; k++) c = c << 6 | (s.at[*i + k] & 0x3fu);
    *i = *i + n < s.len ? *i + n : s.len;
    return c;
}

size_t utf8_characters(struct slice s) {
    size_t n = 0;
    for (size_t i = 0; i < s.len; i++) n += (s.at[i] & 0xc0) != 0x80;
    return n;
}

static bool is_break(uint32_t c) { return c == '\n' || c == 0x85 || c == 0x2028 || c == 0x2029; }
static bool is_blank(uint32_t c) { return c == 0 || c == ' ' || c == '\t' || c == '\r' || is_break(c) || c == NONE; }

static bool is_printable_unicode(uint32_t c) {
    if (c == 0x85 || (c >= 0xa0 && c <= 0xd7ff)) return true;
    return ((c >= 0xe000 && c <= 0xfffd) || (c >= 0x10000 && c < 0x10ffff)) && c != 0xfeff;
}

/* ---- which styles can hold a text ---------------------------------------------------------- */

struct analysis {
    bool block_indicators, flow_indicators, line_breaks, special;
    bool leading, trailing;             /* a space or break at the ends */
    bool break_space, space_break;      /* a break before a space; a space before a break */
};

static bool one_of(uint32_t c, const char *set) { return c < 0x80 && c != 0 && strchr(set, (int)c); }

static void analyze_indicator(struct analysis *a, uint32_t c, uint32_t before, uint32_t after) {
    bool first = before == NONE;

    if (first && one_of(c, "#,[]{}&*!|>'\"%@`")) a->flow_indicators = a->block_indicators = true;
    if (first && c == '-' && is_blank(after)) a->flow_indicators = a->block_indicators = true;
    if (!first && one_of(c, ",?[]{}")) a->flow_indicators = true;
    if (c == ':' || (first && c == '?')) {
        a->flow_indicators = true;
        if (is_blank(after)) a->block_indicators = true;
    }
    if (!first && c == '#' && is_blank(before)) a->flow_indicators = a->block_indicators = true;
}

static struct analysis analyze(struct slice text, bool unicode) {
    struct analysis a = { 0 };
    uint32_t before = NONE;
    size_t i = 0;

    if (text.len >= 3 && (memcmp(text.at, "---", 3) == 0 || memcmp(text.at, "...", 3) == 0))
        a.block_indicators = a.flow_indicators = true;
    while (i < text.len) {
        uint32_t c = utf8_next(text, &i);
        size_t peek = i;
        uint32_t after = i < text.len ? utf8_next(text, &peek) : NONE;
        analyze_indicator(&a, c, before, after);
        if (is_break(c)) a.line_breaks = true;
        /* PyYAML writes these as they are, then reads them otherwise */
        if (is_break(c) && c != '\n') a.special = true;
        if (c != '\n' && (c < 0x20 || c > 0x7e) && !(unicode && is_printable_unicode(c))) a.special = true;
        if ((c == ' ' || is_break(c)) && before == NONE) a.leading = true;
        if ((c == ' ' || is_break(c)) && after == NONE) a.trailing = true;
        if (c == ' ' && is_break(before)) a.break_space = true;
        if (is_break(c) && before == ' ') a.space_break = true;
        before = c;
    }
    return a;
}

bool yaml_style_fits(struct slice text, enum node_style style, bool unicode, bool flow) {
    struct analysis a = analyze(text, unicode);

    if (style == STYLE_DOUBLE) return true;
    if (a.space_break || a.special) return false;
    if (style == STYLE_SINGLE) return !a.break_space;
    if (style != STYLE_PLAIN) return false;
    if (text.len == 0 || a.leading || a.trailing || a.break_space || a.line_breaks) return false;
    if (flow ? a.flow_indicators : a.block_indicators) return false;
    return scalar_kind(text) == NODE_STRING && !scalar_is_special(text);
}

/* ---- writing ------------------------------------------------------------------------------- */

struct writer {
    struct slice text;
    struct text_place *place;
    struct buf *out;
    size_t start;               /* first byte not written yet */
};

static void put_until(struct writer *w, size_t end) {
    if (end <= w->start) return;
    struct slice s = { w->text.at + w->start, end - w->start };
    buf_slice(w->out, s);
    w->place->column += utf8_characters(s);
    w->start = end;
}

static void put_line(struct writer *w) {
    buf_byte(w->out, '\n');
    for (size_t i = 0; i < w->place->indent; i++) buf_byte(w->out, ' ');
    w->place->column = w->place->indent;
}

static bool may_break(const struct writer *w) {
    return !w->place->one_line && w->place->column > YAML_WIDTH;
}

/* At `end` a run of spaces from w->start ends: a line break when it is one space behind the width. */
static void put_space_run(struct writer *w, size_t end, bool quoted) {
    bool single = w->start + 1 == end;

    if (single && may_break(w) && !(quoted && (w->start == 0 || end == w->text.len))) {
        put_line(w);
        w->start = end;
    } else {
        put_until(w, end);
    }
}

static void put_plain(struct writer *w) {
    bool spaces = false;

    for (size_t i = 0; i < w->text.len; i++) {
        bool space = w->text.at[i] == ' ';
        if (space == spaces) continue;
        if (spaces) put_space_run(w, i, false);
        else put_until(w, i);
        spaces = space;
    }
    put_until(w, w->text.len);
}

/* A run of breaks: one more line break than the text has, since a single one reads as a space. */
static void put_break_run(struct writer *w, size_t end) {
    size_t i = w->start;

    if (w->text.at[i] == '\n') buf_byte(w->out, '\n');
    while (i < end) {
        size_t at = i;
        uint32_t c = utf8_next(w->text, &i);
        if (c == '\n') buf_byte(w->out, '\n');
        else buf_put(w->out, w->text.at + at, i - at);
    }
    for (size_t k = 0; k < w->place->indent; k++) buf_byte(w->out, ' ');
    w->place->column = w->place->indent;
    w->start = end;
}

static void put_single(struct writer *w) {
    enum { WORD, SPACES, BREAKS } in = WORD;
    size_t i = 0;

    buf_byte(w->out, '\'');
    w->place->column++;
    for (;;) {
        size_t at = i;
        uint32_t c = i < w->text.len ? utf8_next(w->text, &i) : NONE;
        if (in == SPACES && c != ' ') put_space_run(w, at, true);
        else if (in == BREAKS && (c == NONE || !is_break(c))) put_break_run(w, at);
        else if (in == WORD && (c == NONE || c == ' ' || is_break(c) || c == '\'')) put_until(w, at);
        if (c == NONE) break;
        if (c == '\'') {
            buf_text(w->out, "''");
            w->place->column += 2;
            w->start = i;
        }
        in = c == ' ' ? SPACES : is_break(c) ? BREAKS : WORD;
    }
    buf_byte(w->out, '\'');
    w->place->column++;
}

static void put_escape(struct buf *out, uint32_t c) {
    static const struct { uint32_t c; char letter; } rows[] = {
        { 0, '0' }, { 7, 'a' }, { 8, 'b' }, { 9, 't' }, { 10, 'n' }, { 11, 'v' }, { 12, 'f' }, { 13, 'r' }, {
            27, 'e' },
        { '"', '"' }, { '\\', '\\' }, { 0x85, 'N' }, { 0xa0, '_' }, { 0x2028, 'L' }, { 0x2029, 'P' },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (rows[i].c != c) continue;
        buf_byte(out, '\\');
        buf_byte(out, (uint8_t)rows[i].letter);
        return;
    }
    buf_printf(out, c <= 0xff ? "\\x%02X" : c <= 0xffff ? "\\u%04X" : "\\U%08X", c);
}

static bool needs_escape(uint32_t c, bool unicode) {
    if (c == '"' || c == '\\' || c == 0xfeff || (is_break(c) && c != '\n')) return true;
    if (c >= 0x20 && c <= 0x7e) return false;
    return !(unicode && ((c >= 0xa0 && c <= 0xd7ff) || (c >= 0xe000 && c <= 0xfffd)));
}

void yaml_double_escape(struct slice text, bool unicode, struct buf *out) {
    size_t i = 0;

    while (i < text.len) {
        size_t at = i;
        uint32_t c = utf8_next(text, &i);
        if (needs_escape(c, unicode)) put_escape(out, c);
        else buf_put(out, text.at + at, i - at);
    }
}

/* PyYAML breaks a double-quoted line before a space or escape, with a backslash at its end. */
static void break_double(struct writer *w, size_t at) {
    size_t column = w->place->column;

    if (w->start > at) column--;        /* just behind an escape: PyYAML counts one less */
    else column += utf8_characters((struct slice){ w->text.at + w->start, at - w->start });
    if (w->place->one_line || column <= YAML_WIDTH) return;
    put_until(w, at);
    buf_byte(w->out, '\\');
    put_line(w);
    if (w->text.at[w->start] == ' ') {
        buf_byte(w->out, '\\');
        w->place->column++;
    }
}

static void put_double(struct writer *w) {
    size_t i = 0;

    buf_byte(w->out, '"');
    w->place->column++;
    while (i < w->text.len) {
        size_t at = i;
        uint32_t c = utf8_next(w->text, &i);
        if (needs_escape(c, w->place->unicode)) {
            put_until(w, at);
            size_t before = w->out->len;
            put_escape(w->out, c);
            w->place->column += w->out->len - before;
            w->start = i;
        }
        if (at > 0 && i < w->text.len && (c == ' ' || w->start >= at)) break_double(w, at);
    }
    put_until(w, w->text.len);
    buf_byte(w->out, '"');
    w->place->column++;
}

void yaml_text_put(struct slice text, enum node_style style, struct text_place *place, struct buf *out) {
    struct writer w = { .text = text, .place = place, .out = out };

    switch (style) {
    case STYLE_PLAIN: put_plain(&w); return;
    case STYLE_SINGLE: put_single(&w); return;
    default: put_double(&w);
    }
}
