/* doc_event_test.c -- what an apply tells: deltas, keys, paths, lost map values, late content. */
#include <stdlib.h>
#include <string.h>
#include <weave.h>

#include "base/buf.h"
#include "t.h"

static void put(void *ctx, const uint8_t *at, size_t len) { buf_put(ctx, at, len); }

static struct weave_sink into(struct buf *b) {
    buf_reset(b);
    return (struct weave_sink){ put, b };
}

static struct weave_bytes bytes(const char *text) {
    return (struct weave_bytes){ (const uint8_t *)text, strlen(text) };
}

static struct weave_bytes view(const struct buf *b) {
    return (struct weave_bytes){ b->at, b->len };
}

/* Two documents; `update` carries an edit of one to the other, `told` is what the other said. */
struct pair {
    struct weave *a, *b;
    struct buf update, told;
};

static struct pair open_pair(void) {
    struct pair p = { .a = weave_new(1, 0), .b = weave_new(2, 0) };

    buf_init(&p.update, 1 << 20);
    buf_init(&p.told, 1 << 20);
    return p;
}

static void close_pair(struct pair *p) {
    weave_free(p->a);
    weave_free(p->b);
    buf_deinit(&p->update);
    buf_deinit(&p->told);
}

/* ---- telling in words --------------------------------------------------------------------- */

static void tell_value(struct buf *b, const struct weave_value *v) {
    switch (v->kind) {
    case WEAVE_V_NUMBER: buf_printf(b, "%g", v->number); break;
    case WEAVE_V_STRING: case WEAVE_V_JSON: buf_put(b, v->bytes.at, v->bytes.len); break;
    case WEAVE_V_TYPE: buf_text(b, "type"); break;
    case WEAVE_V_UNDEFINED: buf_text(b, "-"); break;
    default: buf_printf(b, "kind%d", v->kind);
    }
}

static void tell_delta(struct buf *b, const struct weave_delta *d) {
    buf_printf(b, " %c%u", "rid"[d->op], d->len);
    if (d->text.len) {
        buf_byte(b, '=');
        buf_put(b, d->text.at, d->text.len);
    }
    for (uint32_t i = 0; d->op == WEAVE_INSERT && d->text.len == 0 && i < d->len; i++) {
        buf_byte(b, i ? ',' : '=');
        tell_value(b, &d->values[i]);
    }
    for (size_t i = 0; i < d->n_attributes; i++) {
        buf_byte(b, '@');
        buf_put(b, d->attributes[i].key.at, d->attributes[i].key.len);
        buf_byte(b, ':');
        buf_put(b, d->attributes[i].json.at, d->attributes[i].json.len);
    }
}

static void on_event(void *ctx, const struct weave_event *e) {
    struct buf *b = ctx;

    check(e->root != 0 && (e->n_path > 0 || e->root == e->type));
    buf_byte(b, '[');
    for (size_t i = 0; i < e->n_path; i++) {
        buf_byte(b, '/');
        if (e->path[i].is_index) buf_printf(b, "%u", e->path[i].index);
        else buf_put(b, e->path[i].key.at, e->path[i].key.len);
    }
    for (size_t i = 0; i < e->n_deltas; i++) tell_delta(b, &e->deltas[i]);
    for (size_t i = 0; i < e->n_keys; i++) {
        buf_printf(b, " %c", "+~-"[e->keys[i].action]);
        buf_put(b, e->keys[i].key.at, e->keys[i].key.len);
        buf_byte(b, '(');
        tell_value(b, &e->keys[i].old);
        buf_byte(b, ')');
    }
    buf_byte(b, ']');
}

static void on_key_clash(void *ctx, weave_type map, struct weave_bytes key, struct weave_value lost,
                         uint64_t client) {
    struct buf *b = ctx;

    check(map != 0);
    buf_text(b, "{clash ");
    buf_put(b, key.at, key.len);
    buf_byte(b, ' ');
    tell_value(b, &lost);
    buf_printf(b, " of %llu}", (unsigned long long)client);
}

static void on_deleted_parent(void *ctx, uint64_t client, uint64_t clock, uint32_t len,
                              struct weave_bytes content) {
    struct buf *b = ctx;

    buf_printf(b, "{orphan %llu:%llu+%u ", (unsigned long long)client, (unsigned long long)clock,
               len);
    buf_put(b, content.at, content.len);
    buf_byte(b, '}');
}

static int apply(struct pair *p, struct weave *to) {
    struct weave_observer observer = { &p->told, on_event, on_key_clash, on_deleted_parent };

    buf_reset(&p->told);
    return weave_apply(to, view(&p->update), &observer);
}

static bool tells(struct pair *p, const char *wanted) {
    check(apply(p, p->b) == 0);
    bool same = p->told.len == strlen(wanted) && memcmp(p->told.at, wanted, p->told.len) == 0;
    if (!same)
        fprintf(stderr, "told   %.*s\nwanted %s\n", (int)p->told.len, (const char *)p->told.at,
                wanted);
    return same;
}

static void set_number(struct weave *w, weave_type map, const char *key, double v) {
    struct weave_value value = { .kind = WEAVE_V_NUMBER, .number = v };

    check(weave_map_set(w, map, bytes(key), &value) == 0);
}

/* ---- texts and lists ---------------------------------------------------------------------- */

static void w7_text_changes_are_deltas(void) {
    struct pair p = open_pair();
    weave_type t = weave_root(p.a, bytes("t"));

    weave_begin(p.a);
    weave_text_insert(p.a, t, 0, bytes("hello"));
    weave_commit(p.a, into(&p.update));
    check(tells(&p, "[ i5=hello]"));
    weave_begin(p.a);
    weave_text_insert(p.a, t, 5, bytes("!"));
    weave_commit(p.a, into(&p.update));
    check(tells(&p, "[ r5 i1=!]"));             /* the run grew; only its end is new */
    weave_begin(p.a);
    weave_text_delete(p.a, t, 1, 3);
    weave_text_insert(p.a, t, 1, bytes("\xf0\x9f\x98\x80"));
    weave_commit(p.a, into(&p.update));
    check(tells(&p, "[ r1 d3 i2=\xf0\x9f\x98\x80]"));
    check(tells(&p, ""));                       /* the same again: nothing changed */
    close_pair(&p);
}

static void w7_formats_are_attributes(void) {
    struct pair p = open_pair();
    weave_type t = weave_root(p.a, bytes("t"));
    struct weave_attribute bold = { bytes("b"), bytes("true") },
                           thin = { bytes("b"), bytes("null") };

    weave_begin(p.a);
    weave_text_insert(p.a, t, 0, bytes("abcd"));
    weave_commit(p.a, into(&p.update));
    check(apply(&p, p.b) == 0);
    weave_begin(p.a);
    weave_text_format(p.a, t, 1, 2, &bold, 1);
    weave_commit(p.a, into(&p.update));
    check(tells(&p, "[ r1 r2@b:true]"));
    weave_begin(p.a);
    weave_text_insert(p.a, t, 2, bytes("X"));
    weave_text_embed(p.a, t, 0, bytes("{\"i\":1}"));
    weave_commit(p.a, into(&p.update));
    check(tells(&p, "[ i1={\"i\":1} r2 i1=X@b:true]"));
    weave_begin(p.a);
    weave_text_format(p.a, t, 0, 6, &thin, 1);
    weave_commit(p.a, into(&p.update));
    check(tells(&p, "[ r2 r3@b:null]"));
    close_pair(&p);
}

static void w7_list_changes_carry_values_and_paths(void) {
    struct pair p = open_pair();
    weave_type list = weave_root(p.a, bytes("l")), map, text;
    struct weave_value two[2] = { { .kind = WEAVE_V_NUMBER, .number = 7 },
                                  { .kind = WEAVE_V_STRING, .bytes = bytes("s") } };

    weave_begin(p.a);
    weave_array_insert(p.a, list, 0, two, 2);
    weave_array_insert_type(p.a, list, 2, WEAVE_MAP, &map);
    weave_map_set_type(p.a, map, bytes("body"), WEAVE_TEXT, &text);
    weave_commit(p.a, into(&p.update));
    check(tells(&p, "[ i3=7,s,type]"));         /* what came inside a new type is not told apart */
    weave_begin(p.a);
    weave_text_insert(p.a, text, 0, bytes("x"));
    set_number(p.a, map, "n", 1);
    weave_array_delete(p.a, list, 0, 1);
    weave_commit(p.a, into(&p.update));
    check(tells(&p, "[ d1][/1 +n(-)][/1/body i1=x]"));
    weave_begin(p.a);
    weave_array_delete(p.a, list, 1, 1);
    weave_commit(p.a, into(&p.update));
    check(tells(&p, "[ r1 d1]"));
    close_pair(&p);
}

/* ---- keys --------------------------------------------------------------------------------- */

static void w7_keys_are_added_updated_deleted(void) {
    struct pair p = open_pair();
    weave_type m = weave_root(p.a, bytes("m"));

    weave_begin(p.a);
    set_number(p.a, m, "k", 1);
    set_number(p.a, m, "k", 2);
    set_number(p.a, m, "gone", 3);
    weave_map_delete(p.a, m, bytes("gone"));
    weave_commit(p.a, into(&p.update));
    check(tells(&p, "[ +k(-)]"));               /* "gone" came and went */
    weave_begin(p.a);
    set_number(p.a, m, "k", 5);
    weave_commit(p.a, into(&p.update));
    check(tells(&p, "[ ~k(2)]"));
    weave_begin(p.a);
    weave_map_delete(p.a, m, bytes("k"));
    weave_commit(p.a, into(&p.update));
    check(tells(&p, "[ -k(5)]"));
    close_pair(&p);
}

static void w7_a_lost_map_value_is_told_by_whoever_sees_it(void) {
    struct pair p = open_pair();
    weave_type ma = weave_root(p.a, bytes("m")), mb = weave_root(p.b, bytes("m"));
    struct buf other;

    buf_init(&other, 1 << 20);
    weave_begin(p.a);
    set_number(p.a, ma, "k", 1);
    weave_commit(p.a, into(&p.update));
    weave_begin(p.b);
    set_number(p.b, mb, "k", 2);
    weave_commit(p.b, into(&other));
    check(tells(&p, "{clash k 1 of 1}"));       /* 2 has the higher id: what came in lost */
    buf_reset(&p.update);
    buf_slice(&p.update, buf_view(&other));
    check(apply(&p, p.a) == 0);                 /* the other side: what was there lost */
    buf_byte(&p.told, 0);
    check(strcmp((const char *)p.told.at, "[ ~k(1)]{clash k 1 of 1}") == 0);

    weave_begin(p.a);
    set_number(p.a, ma, "k", 3);                /* written over what it saw: no clash */
    weave_commit(p.a, into(&p.update));
    check(tells(&p, "[ ~k(2)]"));

    struct weave *fresh = weave_new(9, 0);      /* a history that was settled elsewhere: no news */
    check(weave_since(p.a, (struct weave_bytes){ 0 }, into(&p.update)) == 0);
    check(apply(&p, fresh) == 0);
    buf_byte(&p.told, 0);
    check(strcmp((const char *)p.told.at, "[ +k(-)]") == 0);
    weave_free(fresh);
    buf_deinit(&other);
    close_pair(&p);
}

/* ---- content that comes too late ---------------------------------------------------------- */

static void w7_text_into_a_deleted_type_is_told(void) {
    struct pair p = open_pair();
    weave_type m = weave_root(p.a, bytes("m")), text;
    struct weave_bytes key = bytes("body");

    weave_begin(p.a);
    weave_map_set_type(p.a, m, key, WEAVE_TEXT, &text);
    weave_commit(p.a, into(&p.update));
    check(tells(&p, "[ +body(-)]"));
    weave_begin(p.b);
    weave_map_delete(p.b, weave_root(p.b, bytes("m")), key);
    weave_commit(p.b, (struct weave_sink){ 0 });
    weave_begin(p.a);
    weave_text_insert(p.a, text, 0, bytes("late"));
    weave_commit(p.a, into(&p.update));
    check(tells(&p, "{orphan 1:1+4 late}"));
    close_pair(&p);
}

int main(void) {
    run(w7_text_changes_are_deltas);
    run(w7_formats_are_attributes);
    run(w7_list_changes_carry_values_and_paths);
    run(w7_keys_are_added_updated_deleted);
    run(w7_a_lost_map_value_is_told_by_whoever_sees_it);
    run(w7_text_into_a_deleted_type_is_told);
    return t_exit();
}
