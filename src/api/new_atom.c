/* new_atom.c -- what POST /api/atoms may say: fields checked, defaults filled in, keys in file order.
 * Pure.
 *
 * Enumerations are not closed: five sources of the original disagree about them, so what looks like a
 * word is taken, in upper case. Keys that are not known are kept behind the known ones. */
#include <ctype.h>
#include <stdio.h>

#include "api/rest_int.h"
#include "base/err.h"
#include "wire/json.h"

#define LIMIT_NEW_ATOM KIB(192)         /* its file has to be readable again: LIMIT_FILE_BYTES */

static void refuse(struct new_atom *a, const char *field, const char *message, const char *type) {
    if (a->n_errors == LIMIT_FIELD_ERRORS) return;
    struct field_error *e = &a->errors[a->n_errors++];
    snprintf(e->field, sizeof e->field, "%s", field);
    snprintf(e->message, sizeof e->message, "%s", message);
    snprintf(e->type, sizeof e->type, "%s", type);
}

/* ---- writing -------------------------------------------------------------------------------- */

static void put_key(struct buf *b, const char *key) {
    if (b->len > 1) buf_byte(b, ',');
    buf_json(b, slice_of(key));
    buf_byte(b, ':');
}

static int put_chunk(const char *bytes, size_t len, void *ctx) {
    buf_put(ctx, bytes, len);
    return 0;
}

/* 15 digits bring back every number people write; those that need 17 are none we have seen in a file,
 * and they come back with 17. */
static void put_value(struct buf *b, const json_t *value) {
    json_dump_callback(value, put_chunk, b, JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));
}

static void put_upper(struct buf *b, const char *text) {
    char upper[80];
    size_t n = 0;

    for (; text[n] && n < sizeof upper - 1; n++) upper[n] = (char)toupper((unsigned char)text[n]);
    upper[n] = 0;
    buf_json(b, slice_of(upper));
}

/* ---- fields --------------------------------------------------------------------------------- */

static const json_t *given(const json_t *body, const char *key) {
    const json_t *value = json_object_get(body, key);
    return json_is_null(value) ? NULL : value;
}

static bool is_word(const char *text) {
    size_t n = 0;
    for (; text[n]; n++)
        if (!isalnum((unsigned char)text[n]) && text[n] != '_' && text[n] != '-') return false;
    return n > 0 && n <= 64;
}

/* A word in upper case. */
static void word(struct new_atom *a, const json_t *body, const char *key, const char *otherwise) {
    const json_t *value = given(body, key);

    put_key(&a->json, key);
    if (value == NULL && otherwise) { buf_json(&a->json, slice_of(otherwise)); return; }
    if (value == NULL) { refuse(a, key, "field required", "value_error.missing"); return; }
    if (!json_is_string(value)) { refuse(a, key, "str type expected", "type_error.str"); return; }
    if (!is_word(json_string_value(value))) { refuse(a, key, "a word of letters, digits, _ and - expected",
                                                          "value_error.str.regex"); return; }
    put_upper(&a->json, json_string_value(value));
}

/* A text; `otherwise` NULL: required. "null": stays null. */
static void text(struct new_atom *a, const json_t *body, const char *key, const char *otherwise) {
    const json_t *value = given(body, key);

    put_key(&a->json, key);
    if (value == NULL && otherwise) { buf_text(&a->json, otherwise); return; }
    if (value == NULL) { refuse(a, key, "field required", "value_error.missing"); return; }
    if (!json_is_string(value)) { refuse(a, key, "str type expected", "type_error.str"); return; }
    if (otherwise == NULL && json_string_length(value) == 0)
        { refuse(a, key, "it must not be empty", "value_error.any_str.min_length"); return; }
    put_value(&a->json, value);
}

static void check_id(struct new_atom *a, const json_t *body) {
    const json_t *value = given(body, "id");

    put_key(&a->json, "id");
    if (value == NULL) { refuse(a, "id", "field required", "value_error.missing"); return; }
    if (!json_is_string(value)) { refuse(a, "id", "str type expected", "type_error.str"); return; }
    struct slice id = { (const uint8_t *)json_string_value(value), json_string_length(value) };
    if (!id_is_valid(id)) { refuse(a, "id", "letters, digits, . _ and - expected, at most 128",
                                        "value_error.str.regex"); return; }
    snprintf(a->id, sizeof a->id, "%.*s", SLICE_ARG(id));
    buf_json(&a->json, id);
}

static bool all_strings(const json_t *list) {
    size_t i;
    json_t *element;

    json_array_foreach(list, i, element)
        if (!json_is_string(element)) return false;
    return true;
}

static void check_content(struct new_atom *a, const json_t *content) {
    static const char *const texts[] = { "summary", "description", "purpose", "business_context", "regulatory_context" };
    static const char *const lists[] = { "steps", "inputs", "outputs", "prerequisites", "success_criteria",
                                         "requirements", "risks" };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        const json_t *value = given(content, texts[i]);
        if (value && !json_is_string(value)) refuse(a, "content", "its texts must be str", "type_error.str");
    }
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        const json_t *value = given(content, lists[i]);
        if (value && (!json_is_array(value) || !all_strings(value)))
            refuse(a, "content", "its lists must be lists of str", "type_error.list");
    }
}

static void content(struct new_atom *a, const json_t *body) {
    const json_t *value = given(body, "content");

    put_key(&a->json, "content");
    if (value == NULL) { buf_text(&a->json, "{\"summary\":\"\"}"); return; }
    if (!json_is_object(value)) { refuse(a, "content", "value is not a valid dict", "type_error.dict"); return; }
    check_content(a, value);
    put_value(&a->json, value);
}

static void edges(struct new_atom *a, const json_t *body) {
    const json_t *value = given(body, "edges");
    size_t i;
    json_t *edge;

    put_key(&a->json, "edges");
    if (value == NULL) { buf_text(&a->json, "[]"); return; }
    if (!json_is_array(value)) { refuse(a, "edges", "value is not a valid list", "type_error.list"); return; }
    json_array_foreach(value, i, edge) {
        if (json_is_object(edge) && json_is_string(json_object_get(edge, "type")) &&
            json_is_string(json_object_get(edge, "targetId"))) continue;
        { refuse(a, "edges", "each needs a str type and targetId", "type_error.dict"); return; }
    }
    put_value(&a->json, value);
}

static void metrics(struct new_atom *a, const json_t *body) {
    const json_t *value = given(body, "metrics");
    const char *key;
    json_t *number;

    put_key(&a->json, "metrics");
    if (value == NULL)
        { buf_text(&a->json, "{\"automation_level\":0.0,\"avg_cycle_time_mins\":0,\"error_rate\":0.0,"
                                  "\"compliance_score\":0.0}"); return; }
    if (!json_is_object(value)) { refuse(a, "metrics", "value is not a valid dict", "type_error.dict"); return; }
    json_object_foreach((json_t *)(uintptr_t)value, key, number)
        if (!json_is_number(number)) { refuse(a, "metrics", "each must be a number", "type_error.float"); return; }
    put_value(&a->json, value);
}

static void others(struct new_atom *a, const json_t *body) {
    static const char *const known[] = { "id", "category", "type", "name", "version", "status", "owner", "team",
        "ontologyDomain", "criticality", "phaseId", "moduleId", "content", "edges", "metrics",
        "atom_id", "_file_path", "_rev", NULL };
    const char *key;
    json_t *value;

    json_object_foreach((json_t *)(uintptr_t)body, key, value) {
        bool is_known = false;
        for (const char *const *k = known; *k && !is_known; k++) is_known = strcmp(*k, key) == 0;
        if (is_known) continue;
        put_key(&a->json, key);
        put_value(&a->json, value);
    }
}

static void read_fields(struct new_atom *a, const json_t *body) {
    buf_byte(&a->json, '{');
    check_id(a, body);
    word(a, body, "category", NULL);
    word(a, body, "type", NULL);
    text(a, body, "name", NULL);
    text(a, body, "version", "\"1.0.0\"");
    word(a, body, "status", "DRAFT");
    text(a, body, "owner", "\"\"");
    text(a, body, "team", "\"\"");
    text(a, body, "ontologyDomain", "\"Home Lending\"");
    word(a, body, "criticality", "MEDIUM");
    text(a, body, "phaseId", "null");
    text(a, body, "moduleId", "null");
    content(a, body);
    edges(a, body);
    metrics(a, body);
    others(a, body);
    buf_byte(&a->json, '}');
}

void new_atom_read(struct slice body, struct new_atom *out) {
    json_t *json = NULL;
    const char *why = "";

    memset(out, 0, sizeof *out);
    buf_init(&out->json, LIMIT_NEW_ATOM);
    if (json_parse(body, &json, &why) != E_OK) {
        refuse(out, "", why, "value_error.jsondecode");
    } else if (!json_is_object(json)) {
        refuse(out, "", "value is not a valid dict", "type_error.dict");
    } else {
        read_fields(out, json);
        if (out->json.bad) refuse(out, "", "it is too large for a file", "value_error.any_str.max_length");
    }
    json_decref(json);
}
