/* shape.c -- the served shapes, by copying members of the entity's JSON as they are written. */
#include "projection/shape.h"

#include <ctype.h>
#include <stdio.h>

#include "base/err.h"
#include "base/must.h"
#include "projection/json_view.h"

#define SHAPE_BYTES_MAX MIB(8)      /* an entity file is far below; texts escaped at worst sixfold */

void shape_init(struct shape *s) {
    buf_init(&s->json, SHAPE_BYTES_MAX);
    buf_init(&s->summary, SHAPE_BYTES_MAX);
    buf_init(&s->type, 256);
    s->id[0] = 0;
}

void shape_deinit(struct shape *s) {
    buf_deinit(&s->json);
    buf_deinit(&s->summary);
    buf_deinit(&s->type);
}

/* ---- writing members ------------------------------------------------------------------------------ */

static void put_key(struct buf *b, const char *key) {
    if (b->len > 1) buf_byte(b, ',');
    buf_printf(b, "\"%s\":", key);
}

static void put_raw(struct buf *b, const char *key, struct slice value) {
    put_key(b, key);
    if (value.len) buf_slice(b, value);
    else buf_text(b, "null");
}

static void put_or(struct buf *b, const char *key, struct slice value, const char *otherwise) {
    put_raw(b, key, json_is_nothing(value) ? slice_of(otherwise) : value);
}

static void put_text(struct buf *b, const char *key, struct slice text) {
    put_key(b, key);
    buf_json(b, text);
}

static bool is_one_of(struct slice key, const char *const *names) {
    for (; *names; names++)
        if (slice_is(key, *names)) return true;
    return false;
}

/* Members of raw whose key is not in `names`. */
static void put_rest(struct buf *b, struct slice raw, const char *const *names) {
    struct slice rest = raw, key, value;

    while (json_next_member(&rest, &key, &value)) {
        if (is_one_of(key, names)) continue;
        if (b->len > 1) buf_byte(b, ',');
        buf_byte(b, '"');
        buf_slice(b, key);
        buf_text(b, "\":");
        buf_slice(b, value);
    }
}

static struct slice first_of(struct slice raw, const char *key, const char *otherwise) {
    struct slice value = json_member(raw, key);
    return json_is_nothing(value) ? json_member(raw, otherwise) : value;
}

/* ---- the kinds -------------------------------------------------------------------------------------- */

/* A value of our own kind in upper case; one with escapes stays (no type has any). */
static void put_upper(struct buf *b, struct slice value) {
    if (!json_is_plain(json_quoted(value))) {
        buf_slice(b, value);
        return;
    }
    for (size_t i = 0; i < value.len; i++)
        buf_byte(b, value.at[0] == '"' ? (uint8_t)toupper(value.at[i]) : value.at[i]);
}

static void put_atom_members(struct buf *b, struct slice raw) {
    static const char *const ours[] = { "atom_id", "_file_path", "_rev", NULL };
    struct slice rest = raw, key, value;

    while (json_next_member(&rest, &key, &value)) {
        if (is_one_of(key, ours)) continue;
        if (b->len > 1) buf_byte(b, ',');
        buf_byte(b, '"');
        buf_slice(b, key);
        buf_text(b, "\":");
        if (slice_is(key, "type")) put_upper(b, value);
        else buf_slice(b, value);
    }
}

static struct slice atom_summary(struct slice raw) {
    struct slice summary = json_member(raw, "summary");
    return json_is_nothing(summary) ? json_member(json_member(raw, "content"), "summary") : summary;
}

static void make_summary(struct buf *b, struct slice raw, struct slice path) {
    static const char *const copied[] = { "owner", "status", "category", "moduleId", "phaseId", "name",
                                          "criticality", "team" };

    buf_byte(b, '{');
    put_raw(b, "id", json_member(raw, "id"));
    put_key(b, "type");
    struct slice type = json_member(raw, "type");
    if (type.len) put_upper(b, type);
    else buf_text(b, "null");
    put_raw(b, "title", first_of(raw, "title", "name"));
    put_raw(b, "summary", atom_summary(raw));
    for (size_t i = 0; i < sizeof copied / sizeof *copied; i++)
        put_raw(b, copied[i], json_member(raw, copied[i]));
    put_text(b, "_file_path", path);
    buf_byte(b, '}');
}

static void make_atom(struct shape *s, struct slice raw, struct slice path) {
    put_atom_members(&s->json, raw);
    put_raw(&s->json, "atom_id", json_member(raw, "id"));
    if (json_member(raw, "summary").len == 0 && atom_summary(raw).len > 0)
        put_raw(&s->json, "summary", atom_summary(raw));
    put_text(&s->json, "_file_path", path);
    make_summary(&s->summary, raw, path);
}

/* The original read metadata.owner alone where metadata is a map, so that a module which gained
 * metadata through an approval had no owner; here the module's own owner stands in. */
static void make_module(struct buf *b, struct slice raw, struct slice path) {
    struct slice owner = json_member(json_member(raw, "metadata"), "owner");

    put_raw(b, "id", first_of(raw, "module_id", "id"));
    put_raw(b, "name", json_member(raw, "name"));
    put_raw(b, "description", json_member(raw, "description"));
    put_raw(b, "owner", json_is_nothing(owner) ? json_member(raw, "owner") : owner);
    put_or(b, "atoms", first_of(raw, "atom_ids", "atoms"), "[]");
    put_raw(b, "phaseId", json_member(raw, "phaseId"));
    put_text(b, "_file_path", path);
    put_raw(b, "_raw", raw);
}

static void make_phase(struct buf *b, struct slice raw, struct slice path) {
    static const char *const known[] = { "id", "name", "description", "modules", "journeyId",
        "targetDurationDays", "sequence", "entry_criteria", "exit_criteria", "sla_hours",
        "_file_path", "_rev", NULL };

    for (size_t i = 0; i < 3; i++) put_raw(b, known[i], json_member(raw, known[i]));
    put_or(b, "modules", json_member(raw, "modules"), "[]");
    put_raw(b, "journeyId", json_member(raw, "journeyId"));
    put_or(b, "targetDurationDays", json_member(raw, "targetDurationDays"), "0");
    for (size_t i = 6; i < 10; i++) put_raw(b, known[i], json_member(raw, known[i]));
    put_rest(b, raw, known);
    put_text(b, "_file_path", path);
}

static void make_journey(struct buf *b, struct slice raw, struct slice path) {
    static const char *const known[] = { "id", "name", "description", "phases", "journey_type",
        "product_type", "target_duration_days", "_file_path", "_rev", NULL };

    for (size_t i = 0; i < 3; i++) put_raw(b, known[i], json_member(raw, known[i]));
    put_or(b, "phases", json_member(raw, "phases"), "[]");
    for (size_t i = 4; i < 7; i++) put_raw(b, known[i], json_member(raw, known[i]));
    put_rest(b, raw, known);
    put_text(b, "_file_path", path);
}

static void make_workflow(struct buf *b, struct slice raw, struct slice path) {
    static const char *const ours[] = { "_file_path", "_rev", NULL };

    put_rest(b, raw, ours);
    put_text(b, "_file_path", path);
}

/* ---- the whole ----------------------------------------------------------------------------------------- */

static void take_type(struct shape *s, struct slice raw) {
    struct slice type = json_quoted(json_member(raw, "type"));

    if (!json_is_plain(type) || type.len > 200) return;
    for (size_t i = 0; i < type.len; i++) buf_byte(&s->type, (uint8_t)toupper(type.at[i]));
}

static int take_id(enum kind kind, struct slice raw, struct shape *s, const char **why) {
    struct slice value = kind == KIND_MODULE ? first_of(raw, "module_id", "id") : json_member(raw, "id");
    struct slice id = json_quoted(value);

    s->id[0] = 0;
    if (!json_is_plain(id) || !id_is_valid(id)) {
        *why = value.len ? "its id is not valid" : "it has no id";
        return E_INVALID;
    }
    memcpy(s->id, id.at, id.len);
    s->id[id.len] = 0;
    return E_OK;
}

int shape_make(enum kind kind, struct slice raw, struct slice path, struct shape *s, const char **why) {
    buf_reset(&s->json);
    buf_reset(&s->summary);
    buf_reset(&s->type);
    int e = take_id(kind, raw, s, why);
    if (e != E_OK) return e;

    take_type(s, raw);
    buf_byte(&s->json, '{');
    switch (kind) {
    case KIND_ATOM: make_atom(s, raw, path); break;
    case KIND_MODULE: make_module(&s->json, raw, path); break;
    case KIND_PHASE: make_phase(&s->json, raw, path); break;
    case KIND_JOURNEY: make_journey(&s->json, raw, path); break;
    default: make_workflow(&s->json, raw, path);
    }
    buf_byte(&s->json, '}');
    if (!s->json.bad && !s->summary.bad) return E_OK;
    *why = "it is too large";
    return E_INVALID;
}

/* A category becomes a folder only when it is a plain word: paths are never made from texts. */
static bool is_folder(struct slice s) {
    for (size_t i = 0; i < s.len; i++)
        if (!isalnum(s.at[i]) && s.at[i] != '_' && s.at[i] != '-') return false;
    return s.len > 0 && s.len <= 64;
}

void shape_new_path(enum kind kind, struct slice json, struct slice id, int n, char *path, size_t max) {
    struct slice category = json_quoted(json_member(json, "category"));
    char folder[80] = "", suffix[16] = "";

    if (kind == KIND_ATOM && is_folder(category)) {
        for (size_t i = 0; i < category.len; i++) folder[i] = (char)tolower(category.at[i]);
        folder[category.len] = '/';
    }
    if (n > 1) snprintf(suffix, sizeof suffix, "-%d", n);
    snprintf(path, max, "%s/%s%.*s%s%s", kind_folder(kind), folder, SLICE_ARG(id), suffix, kind_extension(kind));
}

void shape_put(struct buf *out, struct slice json, uint64_t lsn, const uint8_t hash[32]) {
    must(json.len >= 2);
    buf_put(out, json.at, json.len - 1);
    buf_text(out, json.len > 2 ? ",\"_rev\":\"" : "\"_rev\":\"");
    if (lsn > 0) buf_printf(out, "%llu", (unsigned long long)lsn);
    else for (int i = 0; i < 32; i++) buf_printf(out, "%02x", hash[i]);
    buf_text(out, "\"}");
}
