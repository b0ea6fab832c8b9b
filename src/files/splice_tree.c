/* splice_tree.c -- entries of maps and items of lists: kept, changed, removed, put in. */
#include "files/splice_int.h"

#include <stdlib.h>

#include "base/limits.h"
#include "base/must.h"

#define PAIRS_MAX 1000000       /* of a list's longest common part; beyond it the middle is written anew */

static struct slice view(const struct buf *b) { return buf_view(b); }

/* Has it an anchor or tag, or stands it for another's value? Then it is replaced whole, never edited inside. */
static bool is_tied(const struct node *n) { return n->is_alias || n->is_decorated; }

/* Where the value's place begins: behind "key:" or "-". SIZE_MAX: not found. */
static size_t value_start(const struct splice *s, const struct node *n, bool in_list) {
    size_t i;

    if (!in_list) {
        for (i = n->key->end; i < s->file.len && s->file.at[i] != ':'; i++)
            if (!strchr(" \t", s->file.at[i])) return SIZE_MAX;
        return i + 1;
    }
    for (i = n->at; i > 0 && strchr(" \t\r\n", s->file.at[i - 1]); i--) {}
    return i > 0 && s->file.at[i - 1] == '-' ? i : SIZE_MAX;
}

static bool rest_is_blank(const struct splice *s, size_t at) {
    for (; at < s->file.len && s->file.at[at] != '\n'; at++)
        if (!strchr(" \t\r", s->file.at[at])) return false;
    return true;
}

static size_t line_text_end(const struct splice *s, size_t at) {
    size_t end = splice_line_end(s, at);
    while (end > at && strchr("\r\n", s->file.at[end - 1])) end--;
    return end;
}

static bool is_flow_of_scalars(const struct node *n) {
    if (node_is_scalar(n) || n->n == 0) return false;
    for (const struct node *c = n->first; c; c = c->next)
        if (!node_is_scalar(c)) return false;
    return true;
}

/* [a, b] stays one line of that kind while it fits. */
static bool replace_flow(struct splice *s, const struct node *was, const struct node *want) {
    struct buf b;
    bool fits = was->style == STYLE_FLOW && was->n > 0 && was->kind == want->kind && is_flow_of_scalars(want);

    if (!fits) return false;
    buf_init(&b, LIMIT_DOCUMENT_BYTES);
    yaml_emit_flow(want, s->unicode, &b);
    fits = splice_column(s, was->at) + b.len <= YAML_WIDTH;
    if (fits) splice_put(s, was->at, was->end, view(&b));
    buf_deinit(&b);
    return fits;
}

static void replace(struct splice *s, const struct node *was, const struct node *want,
    const struct yaml_place *place) {
    size_t start = value_start(s, was, place->in_list), end = splice_content_end(s, was);
    struct yaml_place at = *place;
    struct buf b;

    if (was->is_alias) end = was->end;
    if (start == SIZE_MAX || end < start) {
        if (start == SIZE_MAX) s->failed = true;
        end = start;
    }
    if (s->failed || replace_flow(s, was, want)) return;
    at.column = splice_column(s, start);
    buf_init(&b, LIMIT_DOCUMENT_BYTES);
    yaml_emit_value(want, &at, &b);
    bool lines = !node_is_scalar(want) && want->n > 0 && !place->in_list;
    if (lines && !rest_is_blank(s, end)) {      /* key: []  # comment -> the comment stays on the key's line */
        splice_put(s, start, end, (struct slice){ NULL, 0 });
        splice_put(s, line_text_end(s, end), line_text_end(s, end), view(&b));
    } else {
        splice_put(s, start, end, view(&b));
    }
    buf_deinit(&b);
}

/* ---- maps -------------------------------------------------------------------------------- */

static bool keys_in_order(const struct node *was, const struct node *want) {
    const struct node *at = was->first;

    for (const struct node *c = want->first; c; c = c->next) {
        if (!node_get(was, c->key->text)) continue;
        while (at && !slice_eq(at->key->text, c->key->text)) at = at->next;
        if (!at) return false;
        at = at->next;
    }
    return true;
}

static void remove_lines(struct splice *s, size_t first, size_t last) {
    splice_put(s, splice_line_start(s, first), splice_line_end(s, last), (struct slice){ NULL, 0 });
}

static void put_entry(struct splice *s, size_t at, const struct node *entry, const struct yaml_place *place) {
    struct yaml_place here = *place;
    struct buf b;

    here.column = place->indent;
    here.in_list = false;
    buf_init(&b, LIMIT_DOCUMENT_BYTES);
    for (size_t i = 0; i < place->indent; i++) buf_byte(&b, ' ');
    yaml_emit_entry(entry, &here, &b);
    buf_byte(&b, '\n');
    splice_put(s, at, at, view(&b));
    buf_deinit(&b);
}

/* Can its keys be taken out and put in line by line? */
static bool is_editable_map(const struct splice *s, const struct node *was, const struct node *want) {
    const struct node *first = was->first;

    if (!keys_in_order(was, want)) return false;
    if (!node_get(want, first->key->text) || slice_eq(want->first->key->text, first->key->text) == false)
        return splice_begins_line(s, first->key->at);       /* "- key:": the dash's line must stay */
    return true;
}

static void splice_map(struct splice *s, const struct node *was, const struct node *want, size_t step) {
    struct yaml_place place = { .indent = splice_column(s, was->first->key->at), .step = step,
                                .list_step = s->list_step, .unicode = s->unicode };
    const struct node *before = NULL;           /* the last entry that stays */

    for (const struct node *c = was->first; c; c = c->next)
        if (!node_get(want, c->key->text)) remove_lines(s, c->key->at, splice_content_end(s, c));
    for (const struct node *c = want->first; c; c = c->next) {
        const struct node *old = node_get(was, c->key->text);
        if (old) {
            splice_value(s, old, c, &place);
            before = old;
        } else {
            size_t at = before ? splice_line_end(s, splice_content_end(s, before))
                               : splice_line_start(s, was->first->key->at);
            put_entry(s, at, c, &place);
        }
    }
}

/* ---- lists ------------------------------------------------------------------------------- */

struct list {
    const struct node **was, **want;
    size_t n_was, n_want;
    size_t *pair;               /* of a wanted item: the old one it is made from, or SIZE_MAX */
    bool *stays;                /* of an old one */
    bool *moved;                /* its bytes were put in elsewhere */
    size_t indent;              /* column of the dashes */
};

static const struct node **children(struct splice *s, const struct node *n) {
    const struct node **out = tree_alloc(s->t, (n->n + 1) * sizeof *out);
    size_t i = 0;
    for (const struct node *c = n->first; c; c = c->next) out[i++] = c;
    return out;
}

static void pair(struct list *l, size_t i, size_t j) {
    l->pair[j] = i;
    l->stays[i] = true;
}

/* Longest common part of was[a..b) and want[c..d), by the usual table. */
static void pair_common(struct list *l, size_t a, size_t b, size_t c, size_t d) {
    size_t rows = b - a, columns = d - c;

    if (rows == 0 || columns == 0 || rows * columns > PAIRS_MAX) return;
    uint32_t *length = calloc((rows + 1) * (columns + 1), sizeof *length);
    must(length);
#define AT(i, j) length[(i) * (columns + 1) + (j)]
    for (size_t i = rows; i-- > 0;)
        for (size_t j = columns; j-- > 0;) {
            bool same = node_same(l->was[a + i], l->want[c + j]);
            uint32_t skip = AT(i + 1, j) > AT(i, j + 1) ? AT(i + 1, j) : AT(i, j + 1);
            AT(i, j) = same ? AT(i + 1, j + 1) + 1 : skip;
        }
    for (size_t i = 0, j = 0; i < rows && j < columns;) {
        if (node_same(l->was[a + i], l->want[c + j])) pair(l, a + i++, c + j++);
        else if (AT(i + 1, j) >= AT(i, j + 1)) i++;
        else j++;
    }
#undef AT
    free(length);
}

static bool is_moved_here(const struct list *l, size_t j) {
    for (size_t i = 0; i < l->n_was; i++)
        if (!l->stays[i] && !l->moved[i] && node_same(l->was[i], l->want[j])) return true;
    return false;
}

static bool is_moved_away(const struct list *l, size_t i) {
    for (size_t j = 0; j < l->n_want; j++)
        if (l->pair[j] == SIZE_MAX && node_same(l->was[i], l->want[j])) return true;
    return false;
}

static bool same_sort(const struct node *a, const struct node *b) {
    return a->kind == b->kind || (node_is_scalar(a) && node_is_scalar(b));
}

/* Between two kept items, old ones are edited into new ones, in order. */
static void pair_gap(struct list *l, size_t a, size_t b, size_t c, size_t d) {
    while (a < b && c < d) {
        if (is_moved_here(l, c)) c++;
        else if (is_moved_away(l, a)) a++;
        else if (!same_sort(l->was[a], l->want[c])) c++;
        else pair(l, a++, c++);
    }
}

static void pair_items(struct list *l) {
    size_t front = 0, back = 0, least = l->n_was < l->n_want ? l->n_was : l->n_want;

    while (front < least && node_same(l->was[front], l->want[front])) {
        pair(l, front, front);
        front++;
    }
    while (back < least - front && node_same(l->was[l->n_was - 1 - back], l->want[l->n_want - 1 - back])) {
        pair(l, l->n_was - 1 - back, l->n_want - 1 - back);
        back++;
    }
    pair_common(l, front, l->n_was - back, front, l->n_want - back);
    size_t a = 0, c = 0;
    for (size_t j = 0; j <= l->n_want; j++) {
        if (j < l->n_want && l->pair[j] == SIZE_MAX) continue;
        size_t b = j < l->n_want ? l->pair[j] : l->n_was;
        pair_gap(l, a, b, c, j);
        a = b + 1;
        c = j + 1;
    }
}

/* Every item's dash begins its line, all in one column. */
static bool is_editable_list(const struct splice *s, struct list *l) {
    for (size_t i = 0; i < l->n_was; i++) {
        size_t behind = value_start(s, l->was[i], true);
        if (behind == SIZE_MAX || !splice_begins_line(s, behind - 1)) return false;
        if (i == 0) l->indent = splice_column(s, behind - 1);
        if (splice_column(s, behind - 1) != l->indent) return false;
    }
    return true;
}

/* A moved item takes its bytes along, comment and all. */
static bool put_moved(struct splice *s, struct list *l, size_t at, size_t j) {
    for (size_t i = 0; i < l->n_was; i++) {
        if (l->stays[i] || l->moved[i] || !node_same(l->was[i], l->want[j])) continue;
        size_t from = splice_line_start(s, value_start(s, l->was[i], true) - 1);
        size_t to = splice_line_end(s, splice_content_end(s, l->was[i]));
        struct buf b;
        buf_init(&b, to - from + 1);
        for (size_t k = from; k < to; k++)
            if (s->file.at[k] != '\r') buf_byte(&b, s->file.at[k]);
        splice_put(s, at, at, view(&b));
        buf_deinit(&b);
        l->moved[i] = true;
        return true;
    }
    return false;
}

static void put_item(struct splice *s, const struct list *l, size_t at, const struct node *item, size_t step) {
    struct yaml_place place = { .indent = l->indent, .column = l->indent + 1, .step = step, .list_step = s->list_step,
                                .unicode = s->unicode, .in_list = true };
    struct buf b;

    buf_init(&b, LIMIT_DOCUMENT_BYTES);
    for (size_t i = 0; i < l->indent; i++) buf_byte(&b, ' ');
    buf_byte(&b, '-');
    yaml_emit_value(item, &place, &b);
    buf_byte(&b, '\n');
    splice_put(s, at, at, view(&b));
    buf_deinit(&b);
}

static void edit_list(struct splice *s, struct list *l, size_t step) {
    struct yaml_place place = { .indent = l->indent, .step = step, .list_step = s->list_step, .unicode = s->unicode,
                                .in_list = true };
    size_t at = splice_line_start(s, value_start(s, l->was[0], true) - 1);

    for (size_t i = 0; i < l->n_was; i++)
        if (!l->stays[i]) remove_lines(s, value_start(s, l->was[i], true) - 1, splice_content_end(s, l->was[i]));
    for (size_t j = 0; j < l->n_want; j++) {
        if (l->pair[j] != SIZE_MAX) {
            const struct node *old = l->was[l->pair[j]];
            splice_value(s, old, l->want[j], &place);
            at = splice_line_end(s, splice_content_end(s, old));
        } else if (!put_moved(s, l, at, j)) {
            put_item(s, l, at, l->want[j], step);
        }
    }
}

/* False: not a list we can edit. */
static bool splice_list(struct splice *s, const struct node *was, const struct node *want, size_t step) {
    struct list l = { .was = children(s, was), .want = children(s, want), .n_was = was->n, .n_want = want->n };

    l.pair = tree_alloc(s->t, (l.n_want + 1) * sizeof *l.pair);
    l.stays = tree_alloc(s->t, l.n_was + 1);
    l.moved = tree_alloc(s->t, l.n_was + 1);
    for (size_t j = 0; j < l.n_want; j++) l.pair[j] = SIZE_MAX;
    if (!is_editable_list(s, &l)) return false;
    pair_items(&l);
    edit_list(s, &l, step);
    return true;
}

/* The last item goes: "key:" becomes "key: []", lines of comments between the items stay. */
static bool empty_list(struct splice *s, const struct node *was, const struct yaml_place *place) {
    struct list l = { .was = children(s, was), .n_was = was->n };
    size_t start = place->in_list ? SIZE_MAX : value_start(s, was, false);

    if (start == SIZE_MAX || !is_editable_list(s, &l)) return false;
    splice_put(s, start, start, slice_of(" []"));
    for (size_t i = 0; i < l.n_was; i++)
        remove_lines(s, value_start(s, l.was[i], true) - 1, splice_content_end(s, l.was[i]));
    return true;
}

/* ---- values ------------------------------------------------------------------------------ */

void splice_value(struct splice *s, const struct node *was, const struct node *want, const struct yaml_place *place) {
    bool root = !was->key && !place->in_list;

    if (s->failed || node_same(was, want)) return;
    if (!is_tied(was)) {
        bool block = was->style == STYLE_BLOCK && was->n > 0 && was->kind == want->kind;
        if (block && was->kind == NODE_MAP && want->n > 0 && is_editable_map(s, was, want)) {
            splice_map(s, was, want, place->step);
            return;
        }
        if (block && was->kind == NODE_LIST && want->n > 0 && splice_list(s, was, want, place->step)) return;
        if (block && was->kind == NODE_LIST && want->n == 0 && empty_list(s, was, place)) return;
        if (node_is_scalar(was) && node_is_scalar(want) && was->end > was->at) {
            splice_scalar(s, was, want, place);
            return;
        }
    }
    if (root) s->failed = true;
    else replace(s, was, want, place);
}
