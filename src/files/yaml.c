#include "files/yaml.h"

#include <stdlib.h>
#include <yaml.h>

#include "base/err.h"
#include "base/limits.h"
#include "base/map.h"
#include "base/must.h"
#include "base/utf8.h"
#include "files/scalar.h"

#define CORE "tag:yaml.org,2002:"
#define CHECKPOINT 64           /* libyaml's marks count characters: a byte offset is kept for every 64th */

struct anchor {
    struct slice name;
    struct node *node;
    bool open;                  /* we are still inside it: an alias here would never end */
};

struct parse {
    yaml_parser_t parser;
    struct slice file;          /* without its BOM */
    size_t base;                /* bytes of the BOM */
    uint32_t *checkpoints;      /* NULL: all ASCII, a character is a byte */
    size_t n_checkpoints;
    struct tree *tree;
    struct problem *problem;
    struct map anchors;         /* name -> struct anchor, in the tree */
    size_t nodes_max, scalar_max;
};

static int fail(struct parse *p, const yaml_mark_t *mark, const char *text) {
    problem_set(p->problem, (int)mark->line + 1, (int)mark->column + 1, "%s", text);
    return E_INVALID;
}

static int fail_parser(struct parse *p) {
    const yaml_parser_t *y = &p->parser;
    bool context = y->context && y->context[0];

    problem_set(p->problem, (int)y->problem_mark.line + 1, (int)y->problem_mark.column + 1, "%s%s%s",
                context ? y->context : "", context ? ", " : "", y->problem ? y->problem : "not YAML");
    return E_INVALID;
}

static void checkpoints_make(struct parse *p) {
    size_t chars = 0, n = 0;
    bool ascii = true;

    for (size_t i = 0; i < p->file.len && ascii; i++) ascii = p->file.at[i] < 0x80;
    if (ascii) return;
    p->n_checkpoints = p->file.len / CHECKPOINT + 1;
    p->checkpoints = calloc(p->n_checkpoints, sizeof *p->checkpoints);
    must(p->checkpoints);
    for (size_t i = 0; i < p->file.len; i++) {
        if ((p->file.at[i] & 0xc0) == 0x80) continue;
        if (chars++ % CHECKPOINT == 0) p->checkpoints[n++] = (uint32_t)i;
    }
    p->n_checkpoints = n;
}

/* Byte offset in the file, BOM included, of a character. */
static size_t offset_of(const struct parse *p, size_t index) {
    size_t i = index;

    if (p->checkpoints) {
        size_t c = index / CHECKPOINT;
        if (c >= p->n_checkpoints) c = p->n_checkpoints - 1;
        i = p->checkpoints[c];
        for (size_t left = index - c * CHECKPOINT; left > 0 && i < p->file.len; left--)
            do i++; while (i < p->file.len && (p->file.at[i] & 0xc0) == 0x80);
    }
    return p->base + (i < p->file.len ? i : p->file.len);
}

static void place(const struct parse *p, struct node *n, const yaml_event_t *e) {
    n->line = (int)e->start_mark.line + 1;
    n->column = (int)e->start_mark.column + 1;
    n->at = offset_of(p, e->start_mark.index);
    n->end = offset_of(p, e->end_mark.index);
}

static bool next_event(struct parse *p, yaml_event_t *e) { return yaml_parser_parse(&p->parser, e) == 1; }

static int charge(struct parse *p, const yaml_mark_t *mark, int depth) {
    if (depth > LIMIT_YAML_DEPTH) return fail(p, mark, "nested deeper than 32 levels");
    if (p->tree->n_nodes >= p->nodes_max) return fail(p, mark, "more than 50,000 values (aliases counted in full)");
    return E_OK;
}

/* ---- scalars ----------------------------------------------------------------------------- */

static const char *core_tag(const char *tag) {
    static const char *const names[] = { "str", "int", "float", "bool", "null", "timestamp", "map", "seq" };

    if (!tag || strcmp(tag, "!") == 0) return "";
    if (strncmp(tag, CORE, strlen(CORE)) != 0) return NULL;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(tag + strlen(CORE), names[i]) == 0) return names[i];
    return NULL;
}

static enum node_style style_of(yaml_scalar_style_t style) {
    switch (style) {
    case YAML_SINGLE_QUOTED_SCALAR_STYLE: return STYLE_SINGLE;
    case YAML_DOUBLE_QUOTED_SCALAR_STYLE: return STYLE_DOUBLE;
    case YAML_LITERAL_SCALAR_STYLE: return STYLE_LITERAL;
    case YAML_FOLDED_SCALAR_STYLE: return STYLE_FOLDED;
    default: return STYLE_PLAIN;
    }
}

/* Gives n the type its explicit tag names, when its text allows it. */
static bool retag(const char *tag, struct node *n, struct slice text) {
    static const struct { const char *tag; enum node_kind kind; } rows[] = {
        { "null", NODE_NULL }, { "bool", NODE_BOOL }, { "int", NODE_INT }, { "float", NODE_FLOAT },
        { "timestamp", NODE_DATE },
    };
    if (strcmp(tag, "str") == 0) {
        n->kind = NODE_STRING;
        n->text = text;
        return true;
    }
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (strcmp(tag, rows[i].tag) != 0) continue;
        if (n->kind == NODE_INT && rows[i].kind == NODE_FLOAT) n->kind = NODE_FLOAT;
        return n->kind == rows[i].kind;
    }
    return false;
}

static int read_scalar(struct parse *p, const yaml_event_t *e, struct node **out) {
    struct slice value = { e->data.scalar.value, e->data.scalar.length };
    const char *tag = core_tag((const char *)e->data.scalar.tag);
    bool plain = e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;

    if (value.len > p->scalar_max) return fail(p, &e->start_mark, "a text longer than 64 KiB");
    if (!tag) return fail(p, &e->start_mark, "only the core tags are understood (!!str, !!int, ...)");
    struct node *n = node_new(p->tree, NODE_STRING);
    place(p, n, e);
    n->style = style_of(e->data.scalar.style);
    n->is_decorated = e->data.scalar.tag || e->data.scalar.anchor;
    struct slice text = tree_copy(p->tree, value);
    if (*tag || (plain && !e->data.scalar.tag)) scalar_resolve(p->tree, text, n);
    else n->text = text;
    if (*tag && !retag(tag, n, text)) return fail(p, &e->start_mark, "the value does not fit its tag");
    *out = n;
    return E_OK;
}

/* ---- anchors ----------------------------------------------------------------------------- */

static struct anchor *anchor_open(struct parse *p, const yaml_char_t *name, struct node *n) {
    if (!name) return NULL;
    struct anchor *a = tree_alloc(p->tree, sizeof *a);
    a->name = tree_copy(p->tree, slice_of((const char *)name));
    a->node = n;
    a->open = true;
    map_put(&p->anchors, a->name, a);
    return a;
}

static int copy_alias(struct parse *p, const struct node *from, const yaml_event_t *e, int depth,
                      struct node **out) {
    int r = charge(p, &e->start_mark, depth);
    if (r < 0) return r;
    struct node *n = node_new(p->tree, from->kind);
    n->style = from->style;
    n->boolean = from->boolean;
    n->number = from->number;
    n->text = from->text;
    n->is_alias = true;
    place(p, n, e);
    for (const struct node *c = from->first; c; c = c->next) {
        struct node *child;
        r = copy_alias(p, c, e, depth + 1, &child);
        if (r < 0) return r;
        child->key = c->key;
        node_append(n, child);
    }
    *out = n;
    return E_OK;
}

static int read_alias(struct parse *p, const yaml_event_t *e, int depth, struct node **out) {
    struct anchor *a = map_get(&p->anchors, slice_of((const char *)e->data.alias.anchor));

    if (!a) return fail(p, &e->start_mark, "an alias (*) to an anchor (&) that is not there");
    if (a->open) return fail(p, &e->start_mark, "an alias (*) inside the value it names");
    return copy_alias(p, a->node, e, depth, out);
}

/* ---- lists and maps ---------------------------------------------------------------------- */

static int read_node(struct parse *p, const yaml_event_t *e, int depth, struct node **out);

static int read_items(struct parse *p, struct node *list, int depth) {
    for (;;) {
        yaml_event_t e;
        struct node *item;
        if (!next_event(p, &e)) return fail_parser(p);
        if (e.type == YAML_SEQUENCE_END_EVENT) {
            list->end = offset_of(p, e.end_mark.index);
            yaml_event_delete(&e);
            return E_OK;
        }
        int r = read_node(p, &e, depth + 1, &item);
        yaml_event_delete(&e);
        if (r < 0) return r;
        node_append(list, item);
    }
}

static int check_key(struct parse *p, const yaml_event_t *e, struct map *seen, struct node *key) {
    if (!node_is_scalar(key)) return fail(p, &e->start_mark, "a key that is a list or a map");
    if (key->style == STYLE_PLAIN && slice_is(key->text, "<<"))
        return fail(p, &e->start_mark, "merge keys (<<) are not supported: write the keys out");
    if (map_get(seen, key->text)) {
        problem_set(p->problem, (int)e->start_mark.line + 1, (int)e->start_mark.column + 1,
                    "the key \"%.*s\" is there twice", key->text.len > 60 ? 60 : (int)key->text.len, key->text.at);
        return E_INVALID;
    }
    map_put(seen, key->text, key);
    return E_OK;
}

/* One key and its value; *done at the end of the map. */
static int read_entry(struct parse *p, struct node *map, struct map *seen, int depth, bool *done) {
    yaml_event_t e;
    struct node *key, *value;

    if (!next_event(p, &e)) return fail_parser(p);
    *done = e.type == YAML_MAPPING_END_EVENT;
    if (*done) {
        map->end = offset_of(p, e.end_mark.index);
        yaml_event_delete(&e);
        return E_OK;
    }
    int r = read_node(p, &e, depth + 1, &key);
    if (r == E_OK) r = check_key(p, &e, seen, key);
    yaml_event_delete(&e);
    if (r < 0) return r;
    if (!next_event(p, &e)) return fail_parser(p);
    r = read_node(p, &e, depth + 1, &value);
    yaml_event_delete(&e);
    if (r < 0) return r;
    value->key = key;
    node_append(map, value);
    return E_OK;
}

static int read_entries(struct parse *p, struct node *map, int depth) {
    struct map seen;
    bool done = false;
    int r = E_OK;

    map_init(&seen);
    while (r == E_OK && !done) r = read_entry(p, map, &seen, depth, &done);
    map_deinit(&seen);
    return r;
}

static int read_collection(struct parse *p, const yaml_event_t *e, int depth, struct node **out) {
    bool list = e->type == YAML_SEQUENCE_START_EVENT;
    const char *tag = (const char *)(list ? e->data.sequence_start.tag : e->data.mapping_start.tag);
    const yaml_char_t *anchor = list ? e->data.sequence_start.anchor : e->data.mapping_start.anchor;
    bool flow = list ? e->data.sequence_start.style == YAML_FLOW_SEQUENCE_STYLE
                     : e->data.mapping_start.style == YAML_FLOW_MAPPING_STYLE;

    const char *core = core_tag(tag);
    if (!core || (*core && strcmp(core, list ? "seq" : "map") != 0))
        return fail(p, &e->start_mark, "only the core tags are understood (!!str, !!int, ...)");
    struct node *n = node_new(p->tree, list ? NODE_LIST : NODE_MAP);
    place(p, n, e);
    n->style = flow ? STYLE_FLOW : STYLE_BLOCK;
    n->is_decorated = tag || anchor;
    struct anchor *a = anchor_open(p, anchor, n);
    int r = list ? read_items(p, n, depth) : read_entries(p, n, depth);
    if (r < 0) return r;
    if (a) a->open = false;
    if (!flow && n->last) n->end = n->last->end;    /* libyaml's end is behind the comments that follow */
    *out = n;
    return E_OK;
}

static int read_node(struct parse *p, const yaml_event_t *e, int depth, struct node **out) {
    int r = charge(p, &e->start_mark, depth);
    if (r < 0) return r;
    switch (e->type) {
    case YAML_SCALAR_EVENT:
        r = read_scalar(p, e, out);
        if (r < 0) return r;
        struct anchor *a = anchor_open(p, e->data.scalar.anchor, *out);
        if (a) a->open = false;
        return E_OK;
    case YAML_ALIAS_EVENT: return read_alias(p, e, depth, out);
    case YAML_SEQUENCE_START_EVENT:
    case YAML_MAPPING_START_EVENT: return read_collection(p, e, depth, out);
    default: return fail(p, &e->start_mark, "not a value");
    }
}

/* ---- the file ---------------------------------------------------------------------------- */

/* The events around the one value: STREAM-START, DOCUMENT-START, value, DOCUMENT-END, STREAM-END. */
static int read_stream(struct parse *p) {
    struct node *root = NULL;

    for (;;) {
        yaml_event_t e;
        int r = E_OK;
        if (!next_event(p, &e)) return fail_parser(p);
        yaml_event_type_t type = e.type;
        if (type == YAML_DOCUMENT_START_EVENT && root) r = fail(p, &e.start_mark, "a second document in one file");
        else if (type == YAML_SCALAR_EVENT || type == YAML_ALIAS_EVENT || type == YAML_SEQUENCE_START_EVENT ||
                 type == YAML_MAPPING_START_EVENT) r = read_node(p, &e, 1, &root);
        yaml_event_delete(&e);
        if (r < 0) return r;
        if (type == YAML_STREAM_END_EVENT) break;
    }
    p->tree->root = root ? root : node_new(p->tree, NODE_NULL);
    return E_OK;
}

static bool starts_with_bom(struct slice s) { return s.len >= 3 && memcmp(s.at, "\xef\xbb\xbf", 3) == 0; }

/* libyaml reads UTF-16 too, and says of broken UTF-8 only where, not what: so this goes first. */
static int check_utf8(struct slice file, struct problem *problem) {
    if (utf8_is_valid(file)) return E_OK;
    size_t good = 0;
    for (size_t half = file.len; half > 0; half /= 2)       /* the longest good prefix, roughly */
        while (good + half <= file.len && utf8_is_valid((struct slice){ file.at, good + half })) good += half;
    int line = 1, column = 1;
    for (size_t i = 0; i < good; i++) {
        column = file.at[i] == '\n' ? 1 : column + ((file.at[i] & 0xc0) != 0x80);
        line += file.at[i] == '\n';
    }
    problem_set(problem, line, column, "not valid UTF-8");
    return E_INVALID;
}

int yaml_read(struct slice file, bool ours, struct tree *t, struct problem *problem) {
    struct parse p = { .tree = t, .problem = problem, .file = file };

    if (file.len > (ours ? LIMIT_DOCUMENT_BYTES : LIMIT_FILE_BYTES)) {
        problem_set(problem, 0, 0, "larger than %zu KiB", (ours ? LIMIT_DOCUMENT_BYTES : LIMIT_FILE_BYTES) >> 10);
        return E_TOO_LARGE;
    }
    int r = check_utf8(file, problem);
    if (r < 0) return r;
    p.base = starts_with_bom(file) ? 3 : 0;
    p.file = (struct slice){ file.at + p.base, file.len - p.base };
    p.nodes_max = t->n_nodes + (ours && file.len > LIMIT_YAML_NODES ? file.len : LIMIT_YAML_NODES);
    p.scalar_max = ours ? LIMIT_DOCUMENT_BYTES : LIMIT_YAML_SCALAR;
    must(yaml_parser_initialize(&p.parser));
    yaml_parser_set_encoding(&p.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&p.parser, p.file.at, p.file.len);
    map_init(&p.anchors);
    checkpoints_make(&p);
    r = read_stream(&p);
    free(p.checkpoints);
    map_deinit(&p.anchors);
    yaml_parser_delete(&p.parser);
    return r;
}
