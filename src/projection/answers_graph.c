/* answers_graph.c -- the graph of atoms, computed from the index when asked: nodes, and those edges
 * whose target is a node of the same answer (a drawing library has nothing to tie others to). */
#include <ctype.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/map.h"
#include "base/must.h"
#include "projection/answers.h"
#include "projection/json_view.h"

struct node { size_t len; uint8_t id[]; };

struct graph {
    struct index *index;
    struct buf *out;
    struct map nodes;       /* ids in the answer, each a struct node */
    struct slice type;      /* wanted; empty: all */
    struct slice wanted;    /* a JSON array of ids; empty: all */
    bool full;              /* whole nodes, or id, type and label alone */
    size_t n;               /* written into the array at hand */
};

static bool is_listed(struct slice list, struct slice id) {
    struct slice element;
    while (json_next_element(&list, &element))
        if (slice_eq(json_quoted(element), id)) return true;
    return false;
}

static void put(struct buf *b, const char *key, struct slice value) {
    buf_printf(b, ",\"%s\":", key);
    if (value.len) buf_slice(b, value);
    else buf_text(b, "null");
}

static int put_node(void *ctx, const struct entity_row *row) {
    struct graph *g = ctx;
    struct slice json = row->json;

    if (g->wanted.len && !is_listed(g->wanted, row->id)) return E_OK;
    struct node *node = malloc(sizeof *node + row->id.len);
    must(node != NULL);
    node->len = row->id.len;
    memcpy(node->id, row->id.at, row->id.len);
    map_put(&g->nodes, (struct slice){ node->id, node->len }, node);

    if (g->n++) buf_byte(g->out, ',');
    buf_text(g->out, "{\"id\":");
    buf_json(g->out, row->id);
    put(g->out, "type", json_member(json, "type"));
    struct slice title = json_member(json, "title");
    put(g->out, "label", json_is_nothing(title) ? json_member(json, "name") : title);
    if (g->full) {
        put(g->out, "description", json_member(json_member(json, "content"), "description"));
        put(g->out, "status", json_member(json, "status"));
        put(g->out, "owner", json_member(json, "owner"));
        put(g->out, "team", json_member(json, "team"));
        buf_printf(g->out, ",\"url\":\"/atoms/%.*s\"", SLICE_ARG(row->id));
    }
    buf_byte(g->out, '}');
    return E_OK;
}

/* What an edge says beside its type and target. */
static void put_properties(struct buf *b, struct slice edge) {
    struct slice rest = edge, key, value;
    bool first = true;

    buf_byte(b, '{');
    while (json_next_member(&rest, &key, &value)) {
        if (slice_is(key, "type") || slice_is(key, "targetId") || slice_is(key, "target")) continue;
        buf_printf(b, "%s\"%.*s\":", first ? "" : ",", SLICE_ARG(key));
        buf_slice(b, value);
        first = false;
    }
    buf_byte(b, '}');
}

static int put_edges(void *ctx, const struct entity_row *row) {
    struct graph *g = ctx;
    struct slice rest = json_member(row->json, "edges"), edge;

    if (map_get(&g->nodes, row->id) == NULL) return E_OK;
    while (json_next_element(&rest, &edge)) {
        struct slice target = json_member(edge, "targetId");
        if (target.len == 0) target = json_member(edge, "target");     /* older files */
        if (map_get(&g->nodes, json_quoted(target)) == NULL) continue;
        if (g->n++) buf_byte(g->out, ',');
        buf_text(g->out, "{\"source\":");
        buf_json(g->out, row->id);
        put(g->out, "target", target);
        put(g->out, "type", json_member(edge, "type"));
        buf_text(g->out, ",\"properties\":");
        put_properties(g->out, edge);
        buf_byte(g->out, '}');
    }
    return E_OK;
}

static int put_graph(struct graph *g) {
    struct entity_query query = { .kind = slice_of(kind_text(KIND_ATOM)), .type = g->type,
                                  .limit = INT64_MAX };
    uint64_t total;

    map_init(&g->nodes);
    buf_text(g->out, "{\"nodes\":[");
    int e = index_list(g->index, &query, &total, put_node, g);
    g->n = 0;
    buf_text(g->out, "],\"edges\":[");
    if (e == E_OK) e = index_list(g->index, &query, &total, put_edges, g);
    buf_text(g->out, "]}");
    for (size_t i = 0; i < g->nodes.cap; i++)
        if (g->nodes.entries[i].key.at) free(g->nodes.entries[i].value);
    map_deinit(&g->nodes);
    return e == E_OK && g->out->bad ? E_TOO_LARGE : e;
}

int answer_graph(struct index *x, struct buf *out) {
    struct graph g = { .index = x, .out = out, .full = true };
    return put_graph(&g);
}

int answer_graph_type(struct index *x, struct slice type, struct buf *out) {
    char upper[256] = "";
    size_t len = type.len < sizeof upper - 1 ? type.len : sizeof upper - 1;

    for (size_t i = 0; i < len; i++) upper[i] = (char)toupper(type.at[i]);
    struct graph g = { .index = x, .out = out, .type = slice_of(upper) };
    if (len == 0) g.type = slice_of("?");
    size_t before = out->len;
    int e = put_graph(&g);
    if (e != E_OK || out->len > before + strlen("{\"nodes\":[],\"edges\":[]}")) return e;
    buf_reset(out);
    buf_printf(out, "No atoms of type '%.*s'", SLICE_ARG(type));
    return E_NOT_FOUND;
}

static int copy_atoms(void *ctx, const struct entity_row *row) {
    if (row->state == ENTITY_GONE) return E_NOT_FOUND;
    buf_slice(ctx, json_member(row->json, "atoms"));
    return E_OK;
}

int answer_graph_module(struct index *x, struct slice id, struct buf *out) {
    struct buf wanted;

    buf_init(&wanted, LIMIT_ANSWER_BYTES);
    int e = index_entity(x, slice_of(kind_text(KIND_MODULE)), id, copy_atoms, &wanted);
    if (e == E_NOT_FOUND) buf_printf(out, "Module '%.*s' not found", SLICE_ARG(id));
    struct graph g = { .index = x, .out = out, .wanted = buf_view(&wanted) };
    if (e == E_OK) e = put_graph(&g);
    buf_deinit(&wanted);
    return e;
}
