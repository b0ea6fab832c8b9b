/* weave_cli_doc.c -- documents driven by lines: the other half of tests/node/weave_doc.test.mjs.
 *
 * Every command starts with `doc.`; arguments are separated by spaces; bytes and names are hex,
 * `-` is empty. A document is a number below DOCS. Each command answers with one line: `ok`, `ok`
 * and a result, or `err` and the code. A type is named by a path: the root's name in hex, then
 * steps joined by `/`, each `kHEX` (key) or `iNUMBER` (element).
 *
 *   doc.new D CLIENT            doc.free D                 doc.apply D UPDATE
 *   doc.state D                 doc.since D STATE          doc.pending D
 *   doc.json D TYPE             doc.text D TYPE            doc.length D TYPE
 *   doc.insert D TYPE AT TEXT [KEY JSON]...   (with attributes; `{}` alone: none wanted)
 *   doc.embed D TYPE AT JSON    doc.format D TYPE AT LEN KEY JSON...
 *   doc.delete D TYPE AT LEN    (of a text)
 *   doc.push D TYPE AT ANY...   doc.pull D TYPE AT LEN     doc.nest D TYPE AT KIND   (of an array)
 *   doc.set D TYPE KEY ANY      doc.unset D TYPE KEY       doc.nestkey D TYPE KEY KIND   (of a map)
 *   doc.begin D                 doc.commit D               (edits outside commit by themselves)
 *   doc.anchor D TYPE AT ASSOC  doc.find D ANCHOR
 *   doc.memory D
 *   doc.watch D UPDATE          (apply; the answer is what it told: hex of a JSON list of events)
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <weave.h>

#include "base/buf.h"
#include "tools/weave_cli.h"

#define DOCS 64
#define WORDS 64

struct session {
    struct weave *docs[DOCS];
    bool open[DOCS];
};

struct words {
    char *at[WORDS];
    size_t n;
};

static struct session session;

/* ---- bytes and lines ---------------------------------------------------------------------- */

static struct weave_bytes unhex(char *text) {       /* in place */
    uint8_t *out = (uint8_t *)text;
    size_t n = strcmp(text, "-") == 0 ? 0 : strlen(text) / 2;

    for (size_t i = 0; i < n; i++) {
        unsigned byte;
        if (sscanf(text + 2 * i, "%2x", &byte) != 1) byte = 0;
        out[i] = (uint8_t)byte;
    }
    return (struct weave_bytes){ out, n };
}

static void put_hex(void *ctx, const uint8_t *at, size_t len) {
    static const char digits[] = "0123456789abcdef";

    (void)ctx;
    for (size_t i = 0; i < len; i++) {
        putchar(digits[at[i] >> 4]);
        putchar(digits[at[i] & 15]);
    }
}

static const struct weave_sink hex_out = { put_hex, NULL };

static void answer(int rc) {
    if (rc == 0) puts("ok");
    else printf("err %d\n", rc);
}

/* ---- types by path ------------------------------------------------------------------------ */

static weave_type step(struct weave *w, weave_type t, char *name) {
    struct weave_value v = { 0 };
    bool found = name[0] == 'k' ? weave_map_get(w, t, unhex(name + 1), &v)
                                : weave_array_get(w, t, (uint32_t)strtoul(name + 1, NULL, 10), &v);

    return found && v.kind == WEAVE_V_TYPE ? v.type : 0;
}

static weave_type type_of(struct weave *w, char *path) {
    char *rest = NULL, *word = strtok_r(path, "/", &rest);
    weave_type t = word ? weave_root(w, unhex(word)) : 0;

    while (t && (word = strtok_r(NULL, "/", &rest))) t = step(w, t, word);
    return t;
}

/* ---- commands ----------------------------------------------------------------------------- */

struct call {
    struct weave *w;
    size_t doc;
    struct words args;          /* behind the document */
};

static uint32_t number(const struct call *c, size_t i) {
    return c->args.n > i ? (uint32_t)strtoul(c->args.at[i], NULL, 10) : 0;
}

static void do_apply(struct call *c) { answer(weave_apply(c->w, unhex(c->args.at[0]), NULL)); }

/* ---- events as JSON ----------------------------------------------------------------------- */

static void to_buf(void *ctx, const uint8_t *at, size_t len) { buf_put(ctx, at, len); }
static struct slice slice_from(struct weave_bytes b) { return (struct slice){ b.at, b.len }; }

static void put_value(struct buf *b, const struct weave_value *v) {
    switch (v->kind) {
    case WEAVE_V_NULL: buf_text(b, "null"); break;
    case WEAVE_V_BOOL: buf_text(b, v->boolean ? "true" : "false"); break;
    case WEAVE_V_NUMBER: buf_printf(b, "%.17g", v->number); break;
    case WEAVE_V_STRING: buf_json(b, slice_from(v->bytes)); break;
    case WEAVE_V_OBJECT: case WEAVE_V_ARRAY:
        weave_any_to_json(v->bytes, (struct weave_sink){ to_buf, b });
        break;
    case WEAVE_V_JSON: buf_slice(b, slice_from(v->bytes)); break;
    default: buf_printf(b, "\"#%d\"", v->kind); /* types, subdocuments, binaries: their kind */
    }
}

static void put_deltas(struct buf *b, const struct weave_event *e) {
    for (size_t i = 0; i < e->n_deltas; i++) {
        const struct weave_delta *d = &e->deltas[i];
        buf_printf(b, "%s{\"op\":%d,\"len\":%u,\"text\":", i ? "," : "", (int)d->op, d->len);
        buf_json(b, slice_from(d->text));
        buf_text(b, ",\"values\":[");
        for (uint32_t k = 0; d->op == WEAVE_INSERT && d->text.len == 0 && k < d->len; k++) {
            if (k) buf_byte(b, ',');
            put_value(b, &d->values[k]);
        }
        buf_text(b, "],\"attributes\":{");
        for (size_t k = 0; k < d->n_attributes; k++) {
            if (k) buf_byte(b, ',');
            buf_json(b, slice_from(d->attributes[k].key));
            buf_byte(b, ':');
            buf_slice(b, slice_from(d->attributes[k].json));
        }
        buf_text(b, "}}");
    }
}

static void on_event(void *ctx, const struct weave_event *e) {
    struct buf *b = ctx;

    buf_text(b, b->at[b->len - 1] == '}' ? ",{\"path\":[" : "{\"path\":[");
    for (size_t i = 0; i < e->n_path; i++) {
        if (i) buf_byte(b, ',');
        if (e->path[i].is_index) buf_printf(b, "%u", e->path[i].index);
        else buf_json(b, slice_from(e->path[i].key));
    }
    buf_printf(b, "],\"root\":%u,\"deltas\":[", e->root);
    put_deltas(b, e);
    buf_text(b, "],\"keys\":[");
    for (size_t i = 0; i < e->n_keys; i++) {
        buf_printf(b, "%s{\"action\":%d,\"key\":", i ? "," : "", (int)e->keys[i].action);
        buf_json(b, slice_from(e->keys[i].key));
        buf_text(b, ",\"old\":");
        put_value(b, &e->keys[i].old);
        buf_byte(b, '}');
    }
    buf_text(b, "]}");
}

/* The root above a type is not in its path; it is told by the roots' numbers. */
static void put_roots(struct weave *w, struct buf *b) {
    struct weave_bytes name;
    weave_type t;

    buf_text(b, "],\"roots\":{");
    for (size_t i = 0; weave_roots(w, i, &name, &t); i++) {
        if (i) buf_byte(b, ',');
        buf_json(b, slice_from(name));
        buf_printf(b, ":%u", t);
    }
    buf_text(b, "}}");
}

static void do_watch(struct call *c) {
    struct buf b;
    struct weave_observer observer = { .ctx = &b, .on_event = on_event };

    buf_init(&b, SIZE_MAX / 2);
    buf_text(&b, "{\"events\":[");
    int rc = weave_apply(c->w, unhex(c->args.at[0]), &observer);
    if (rc) {
        answer(rc);
    } else {
        fputs("ok ", stdout);
        put_roots(c->w, &b);
        put_hex(NULL, b.at, b.len);
        putchar('\n');
    }
    buf_deinit(&b);
}

static void do_state(struct call *c) {
    fputs("ok ", stdout);
    weave_state(c->w, hex_out);
    putchar('\n');
}

static void do_since(struct call *c) {
    fputs("ok ", stdout);
    weave_since(c->w, unhex(c->args.at[0]), hex_out);
    putchar('\n');
}

static void do_pending(struct call *c) { printf("ok %d\n", weave_has_pending(c->w)); }
static void do_memory(struct call *c) { printf("ok %zu\n", weave_memory(c->w)); }

static void do_read(struct call *c, void (*read)(struct weave *, weave_type, struct weave_sink)) {
    weave_type t = type_of(c->w, c->args.at[0]);

    if (!t) {
        answer(WEAVE_WRONG_TYPE);
        return;
    }
    fputs("ok ", stdout);
    read(c->w, t, hex_out);
    putchar('\n');
}

static void do_json(struct call *c) { do_read(c, weave_json); }
static void do_text(struct call *c) { do_read(c, weave_text_read); }

static void do_length(struct call *c) {
    weave_type t = type_of(c->w, c->args.at[0]);

    printf("ok %u\n", t ? weave_length(c->w, t) : 0);
}

static size_t attributes(struct call *c, size_t from, struct weave_attribute *to) {
    size_t n = 0;

    for (; from + 1 < c->args.n; from += 2)
        to[n++] = (struct weave_attribute){ unhex(c->args.at[from]), unhex(c->args.at[from + 1]) };
    return n;
}

static int edit_insert_text(struct call *c, weave_type t) {
    struct weave_attribute list[WORDS];

    if (c->args.n == 3) return weave_text_insert(c->w, t, number(c, 1), unhex(c->args.at[2]));
    size_t n = attributes(c, 3, list);
    return weave_text_insert_with(c->w, t, number(c, 1), unhex(c->args.at[2]), list, n);
}

static int edit_embed(struct call *c, weave_type t) {
    return weave_text_embed(c->w, t, number(c, 1), unhex(c->args.at[2]));
}

static int edit_format(struct call *c, weave_type t) {
    struct weave_attribute list[WORDS];
    size_t n = attributes(c, 3, list);

    return weave_text_format(c->w, t, number(c, 1), number(c, 2), list, n);
}

static int edit_delete_text(struct call *c, weave_type t) {
    return weave_text_delete(c->w, t, number(c, 1), number(c, 2));
}

/* Any value: plain ones by their `any`; B and hex: binary; D and hex: subdocument. */
static struct weave_value value(char *word) {
    if (word[0] == 'B')
        return (struct weave_value){ .kind = WEAVE_V_BINARY, .bytes = unhex(word + 1) };
    if (word[0] == 'D')
        return (struct weave_value){ .kind = WEAVE_V_DOC, .bytes = unhex(word + 1) };
    return (struct weave_value){ .kind = WEAVE_V_OBJECT, .bytes = unhex(word) };
}

static int edit_push(struct call *c, weave_type t) {
    struct weave_value list[WORDS];
    size_t n = 0;

    for (size_t i = 2; i < c->args.n; i++) list[n++] = value(c->args.at[i]);
    return weave_array_insert(c->w, t, number(c, 1), list, n);
}

static int edit_pull(struct call *c, weave_type t) {
    return weave_array_delete(c->w, t, number(c, 1), number(c, 2));
}

static int edit_nest(struct call *c, weave_type t) {
    weave_type made;

    return weave_array_insert_type(c->w, t, number(c, 1), (enum weave_kind)number(c, 2), &made);
}

static int edit_set(struct call *c, weave_type t) {
    struct weave_value v = value(c->args.at[2]);

    return weave_map_set(c->w, t, unhex(c->args.at[1]), &v);
}

static int edit_unset(struct call *c, weave_type t) {
    return weave_map_delete(c->w, t, unhex(c->args.at[1]));
}

static int edit_nest_key(struct call *c, weave_type t) {
    weave_type made;

    return weave_map_set_type(c->w, t, unhex(c->args.at[1]), (enum weave_kind)number(c, 2), &made);
}

static void do_begin(struct call *c) {
    weave_begin(c->w);
    session.open[c->doc] = true;
    answer(0);
}

static void do_commit(struct call *c) {
    fputs("ok ", stdout);
    weave_commit(c->w, hex_out);
    session.open[c->doc] = false;
    putchar('\n');
}

/* An edit: inside begin and commit, or a transaction of its own that answers with its update. */
static void do_edit(struct call *c, int (*edit)(struct call *, weave_type)) {
    bool alone = !session.open[c->doc];
    weave_type t = type_of(c->w, c->args.at[0]);

    if (!t) {
        answer(WEAVE_WRONG_TYPE);
        return;
    }
    if (alone) weave_begin(c->w);
    int rc = edit(c, t);
    if (rc == 0) fputs("ok ", stdout);
    else printf("err %d ", rc);
    if (alone) weave_commit(c->w, hex_out);
    putchar('\n');
}

static void do_anchor(struct call *c) {
    weave_type t = type_of(c->w, c->args.at[0]);
    int assoc = c->args.n > 2 ? atoi(c->args.at[2]) : 0;

    fputs("ok ", stdout);
    if (t) weave_anchor_make(c->w, t, number(c, 1), assoc, hex_out);
    putchar('\n');
}

static void do_find(struct call *c) {
    weave_type t = 0;
    uint32_t at = 0;
    int rc = weave_anchor_find(c->w, unhex(c->args.at[0]), &t, &at);

    if (rc) answer(rc);
    else printf("ok %u\n", at);
}

static const struct command {
    const char *name;
    void (*run)(struct call *);
    int (*edit)(struct call *, weave_type);
    size_t n_args;              /* at least, behind the document */
} commands[] = {
    { "doc.apply", do_apply, NULL, 1 },
    { "doc.state", do_state, NULL, 0 },
    { "doc.since", do_since, NULL, 1 },
    { "doc.pending", do_pending, NULL, 0 },
    { "doc.memory", do_memory, NULL, 0 },
    { "doc.watch", do_watch, NULL, 1 },
    { "doc.json", do_json, NULL, 1 },
    { "doc.text", do_text, NULL, 1 },
    { "doc.length", do_length, NULL, 1 },
    { "doc.begin", do_begin, NULL, 0 },
    { "doc.commit", do_commit, NULL, 0 },
    { "doc.anchor", do_anchor, NULL, 2 },
    { "doc.find", do_find, NULL, 1 },
    { "doc.insert", NULL, edit_insert_text, 3 },
    { "doc.embed", NULL, edit_embed, 3 },
    { "doc.format", NULL, edit_format, 3 },
    { "doc.delete", NULL, edit_delete_text, 3 },
    { "doc.push", NULL, edit_push, 2 },
    { "doc.pull", NULL, edit_pull, 3 },
    { "doc.nest", NULL, edit_nest, 3 },
    { "doc.set", NULL, edit_set, 3 },
    { "doc.unset", NULL, edit_unset, 2 },
    { "doc.nestkey", NULL, edit_nest_key, 3 },
};

static void open_doc(size_t doc, const char *client) {
    weave_free(session.docs[doc]);
    session.docs[doc] = weave_new(strtoull(client, NULL, 10), 0);
    session.open[doc] = false;
    answer(0);
}

bool weave_cli_doc(char *line) {
    struct words words = { .n = 0 };
    char *rest = NULL;

    if (strncmp(line, "doc.", 4) != 0) return false;
    for (char *word = strtok_r(line, " \n", &rest); word && words.n < WORDS;
         word = strtok_r(NULL, " \n", &rest))
        words.at[words.n++] = word;
    size_t doc = words.n > 1 ? (size_t)strtoul(words.at[1], NULL, 10) : DOCS;
    if (doc >= DOCS) {
        puts("err no document");
        return true;
    }
    if (strcmp(words.at[0], "doc.new") == 0 && words.n > 2) {
        open_doc(doc, words.at[2]);
        return true;
    }
    if (strcmp(words.at[0], "doc.free") == 0) {
        weave_free(session.docs[doc]);
        session.docs[doc] = NULL;
        answer(0);
        return true;
    }
    struct call call = { .w = session.docs[doc], .doc = doc };
    for (size_t i = 2; i < words.n; i++) call.args.at[call.args.n++] = words.at[i];
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        const struct command *c = &commands[i];
        if (strcmp(words.at[0], c->name) != 0 || !call.w || call.args.n < c->n_args) continue;
        if (c->edit) do_edit(&call, c->edit);
        else c->run(&call);
        return true;
    }
    puts("err no such command");
    return true;
}
