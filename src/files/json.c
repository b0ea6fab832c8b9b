#include "files/json.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/limits.h"
#include "base/map.h"
#include "base/utf8.h"

struct parse {
    struct slice file;
    size_t i;
    struct tree *tree;
    struct problem *problem;
    size_t nodes_max;
};

static int fail(struct parse *p, const char *text) {
    int line = 1, column = 1;

    for (size_t k = 0; k < p->i && k < p->file.len; k++) {
        column = p->file.at[k] == '\n' ? 1 : column + ((p->file.at[k] & 0xc0) != 0x80);
        line += p->file.at[k] == '\n';
    }
    problem_set(p->problem, line, column, "%s", text);
    return E_INVALID;
}

static int peek(const struct parse *p) { return p->i < p->file.len ? p->file.at[p->i] : -1; }

static void skip_space(struct parse *p) {
    while (peek(p) == ' ' || peek(p) == '\t' || peek(p) == '\n' || peek(p) == '\r') p->i++;
}

static bool take(struct parse *p, int c) {
    skip_space(p);
    if (peek(p) != c) return false;
    p->i++;
    return true;
}

/* ---- scalars ----------------------------------------------------------------------------- */

static bool read_hex4(struct parse *p, uint32_t *out) {
    *out = 0;
    for (int k = 0; k < 4; k++) {
        int c = peek(p);
        if (c < 0 || !isxdigit(c)) return false;
        *out = *out * 16 + (uint32_t)(isdigit(c) ? c - '0' : (c | 32) - 'a' + 10);
        p->i++;
    }
    return true;
}

static void put_utf8(struct buf *b, uint32_t c) {
    if (c < 0x80) {
        buf_byte(b, (uint8_t)c);
    } else if (c < 0x800) {
        buf_byte(b, (uint8_t)(0xc0 | c >> 6));
        buf_byte(b, (uint8_t)(0x80 | (c & 0x3f)));
    } else if (c < 0x10000) {
        buf_byte(b, (uint8_t)(0xe0 | c >> 12));
        buf_byte(b, (uint8_t)(0x80 | (c >> 6 & 0x3f)));
        buf_byte(b, (uint8_t)(0x80 | (c & 0x3f)));
    } else {
        buf_byte(b, (uint8_t)(0xf0 | c >> 18));
        buf_byte(b, (uint8_t)(0x80 | (c >> 12 & 0x3f)));
        buf_byte(b, (uint8_t)(0x80 | (c >> 6 & 0x3f)));
        buf_byte(b, (uint8_t)(0x80 | (c & 0x3f)));
    }
}

/* Behind "\u". A lone half of a pair becomes U+FFFD, as everywhere UTF-8 is made from UTF-16. */
static bool read_unicode(struct parse *p, struct buf *b) {
    uint32_t c, low;

    if (!read_hex4(p, &c)) return false;
    if (c >= 0xd800 && c < 0xdc00 && p->i + 1 < p->file.len && p->file.at[p->i] == '\\' &&
        p->file.at[p->i + 1] == 'u') {
        size_t back = p->i;
        p->i += 2;
        if (!read_hex4(p, &low)) return false;
        if (low >= 0xdc00 && low < 0xe000) c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
        else p->i = back;
    }
    if (c >= 0xd800 && c < 0xe000) c = 0xfffd;
    put_utf8(b, c);
    return true;
}

static bool read_escape(struct parse *p, struct buf *b) {
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    int c = peek(p);

    if (c <= 0) return false;
    p->i++;
    if (c == 'u') return read_unicode(p, b);
    const char *at = strchr(from, c);
    if (!at) return false;
    buf_byte(b, (uint8_t)to[at - from]);
    return true;
}

static int read_string(struct parse *p, struct node **out) {
    struct buf b;
    size_t at = p->i;
    bool good = true;

    buf_init(&b, p->file.len);
    p->i++;
    while (good && peek(p) >= 0x20 && peek(p) != '"') {
        uint8_t c = p->file.at[p->i++];
        if (c == '\\') good = read_escape(p, &b);
        else buf_byte(&b, c);
    }
    good = good && peek(p) == '"';
    if (good) {
        *out = node_text(p->tree, buf_view(&b));
        (*out)->style = STYLE_DOUBLE;
        (*out)->at = at;
        (*out)->end = ++p->i;
    }
    buf_deinit(&b);
    return good ? E_OK : fail(p, "a text that does not end, or a wrong escape in it");
}

static size_t skip_digits(struct parse *p) {
    size_t n = 0;
    for (; peek(p) >= '0' && peek(p) <= '9'; n++) p->i++;
    return n;
}

static int read_number(struct parse *p, struct node **out) {
    size_t at = p->i;
    bool whole = true, good;
    char text[64];

    if (peek(p) == '-') p->i++;
    size_t first = p->i, digits = skip_digits(p);
    good = digits == 1 || (digits > 1 && p->file.at[first] != '0');
    if (peek(p) == '.') {
        whole = false;
        p->i++;
        good = skip_digits(p) > 0 && good;
    }
    if (peek(p) == 'e' || peek(p) == 'E') {
        whole = false;
        p->i++;
        if (peek(p) == '-' || peek(p) == '+') p->i++;
        good = skip_digits(p) > 0 && good;
    }
    if (!good || p->i - at >= sizeof text) return fail(p, "not a JSON value");
    memcpy(text, p->file.at + at, p->i - at);
    text[p->i - at] = 0;
    *out = node_new(p->tree, whole ? NODE_INT : NODE_FLOAT);
    (*out)->number = strtod(text, NULL);
    (*out)->text = (struct slice){ p->file.at + at, p->i - at };
    return E_OK;
}

static int read_word(struct parse *p, struct node **out) {
    static const struct { const char *word; enum node_kind kind; bool boolean; } words[] = {
        { "null", NODE_NULL, false }, { "true", NODE_BOOL, true }, { "false", NODE_BOOL, false },
    };
    for (size_t k = 0; k < 3; k++) {
        size_t len = strlen(words[k].word);
        if (p->file.len - p->i < len || memcmp(p->file.at + p->i, words[k].word, len) != 0) continue;
        *out = node_new(p->tree, words[k].kind);
        (*out)->boolean = words[k].boolean;
        (*out)->text = (struct slice){ p->file.at + p->i, len };
        p->i += len;
        return E_OK;
    }
    return read_number(p, out);
}

/* ---- lists and maps ---------------------------------------------------------------------- */

static int read_value(struct parse *p, int depth, struct node **out);

static int read_key(struct parse *p, struct map *seen, struct node **key) {
    skip_space(p);
    if (peek(p) != '"') return fail(p, "a key in double quotes is missing");
    int r = read_string(p, key);
    if (r < 0) return r;
    if (map_get(seen, (*key)->text)) return fail(p, "this key is there twice");
    map_put(seen, (*key)->text, *key);
    return take(p, ':') ? E_OK : fail(p, "a colon is missing");
}

static int read_children(struct parse *p, struct node *n, struct map *seen, int depth) {
    int close = n->kind == NODE_MAP ? '}' : ']';

    if (take(p, close)) return E_OK;
    for (;;) {
        struct node *child, *key = NULL;
        int r = n->kind == NODE_MAP ? read_key(p, seen, &key) : E_OK;
        if (r == E_OK) r = read_value(p, depth + 1, &child);
        if (r < 0) return r;
        child->key = key;
        node_append(n, child);
        if (take(p, close)) return E_OK;
        if (!take(p, ',')) return fail(p, "a comma or closing bracket is missing");
    }
}

static int read_collection(struct parse *p, int depth, struct node **out) {
    struct map seen;

    *out = node_new(p->tree, peek(p) == '{' ? NODE_MAP : NODE_LIST);
    p->i++;
    map_init(&seen);
    int r = read_children(p, *out, &seen, depth);
    map_deinit(&seen);
    return r;
}

static void place(struct parse *p, struct node *n, size_t at) {
    n->at = at;
    n->end = p->i;
}

static int read_value(struct parse *p, int depth, struct node **out) {
    skip_space(p);
    if (depth > LIMIT_JSON_DEPTH) return fail(p, "nested deeper than 32 levels");
    if (p->tree->n_nodes >= p->nodes_max) return fail(p, "more than 50,000 values");
    size_t at = p->i;
    int c = peek(p), r;
    if (c == '{' || c == '[') r = read_collection(p, depth, out);
    else if (c == '"') r = read_string(p, out);
    else r = read_word(p, out);
    if (r == E_OK) place(p, *out, at);
    return r;
}

/* Lines and columns, in one walk over the file: nodes come in the order of their bytes. */
static void number_lines(struct node *n, struct slice file, size_t *i, int where[2]) {
    for (; *i < n->at; (*i)++) {
        where[1] = file.at[*i] == '\n' ? 1 : where[1] + ((file.at[*i] & 0xc0) != 0x80);
        where[0] += file.at[*i] == '\n';
    }
    n->line = where[0];
    n->column = where[1];
    for (struct node *c = n->first; c; c = c->next) number_lines(c, file, i, where);
}

int json_read(struct slice file, bool ours, struct tree *t, struct problem *problem) {
    struct parse p = { .file = file, .tree = t, .problem = problem };

    if (file.len > (ours ? LIMIT_DOCUMENT_BYTES : LIMIT_FILE_BYTES)) {
        problem_set(problem, 0, 0, "larger than %zu KiB", (ours ? LIMIT_DOCUMENT_BYTES : LIMIT_FILE_BYTES) >> 10);
        return E_TOO_LARGE;
    }
    if (!utf8_is_valid(file)) return fail(&p, "not valid UTF-8");
    if (file.len >= 3 && memcmp(file.at, "\xef\xbb\xbf", 3) == 0) p.i = 3;
    p.nodes_max = t->n_nodes + (ours && file.len > LIMIT_YAML_NODES ? file.len : LIMIT_YAML_NODES);
    int r = read_value(&p, 1, &t->root);
    if (r < 0) return r;
    skip_space(&p);
    if (p.i < file.len) return fail(&p, "something follows the value");
    size_t i = 0;
    int where[2] = { 1, 1 };
    number_lines(t->root, file, &i, where);
    return E_OK;
}
