/* json.c -- jansson behind limits. Pure. */
#include "wire/json.h"

#include "base/err.h"
#include "base/limits.h"

/* Count nesting and members outside of strings; jansson judges the rest. */
static int check_size(struct slice text) {
    size_t depth = 0, members = 0;
    bool in_string = false;

    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.at[i];
        if (in_string) {
            if (c == '\\') i++;
            else if (c == '"') in_string = false;
            continue;
        }
        switch (c) {
        case '"': in_string = true; break;
        case '{': case '[':
            if (++depth > LIMIT_JSON_DEPTH) return E_TOO_LARGE;
            members++;
            break;
        case '}': case ']': depth -= depth > 0; break;
        case ',': members++; break;
        }
        if (members > LIMIT_JSON_MEMBERS) return E_TOO_LARGE;
    }
    return E_OK;
}

int json_parse(struct slice text, json_t **out, const char **why) {
    json_error_t error;

    if (check_size(text) != E_OK) {
        *why = "JSON is nested too deeply or has too many members";
        return E_TOO_LARGE;
    }
    *out = json_loadb((const char *)text.at, text.len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
    if (*out) return E_OK;
    *why = json_error_code(&error) == json_error_duplicate_key ? "JSON repeats a key" : "JSON is malformed";
    return E_INVALID;
}

struct slice json_get_text(const json_t *object, const char *key) {
    const json_t *v = json_object_get(object, key);

    if (!json_is_string(v)) return (struct slice){ 0 };
    return (struct slice){ (const uint8_t *)json_string_value(v), json_string_length(v) };
}

bool json_get_uint(const json_t *object, const char *key, uint64_t *out) {
    const json_t *v = json_object_get(object, key);

    if (!json_is_integer(v) || json_integer_value(v) < 0 || json_integer_value(v) >> 53) return false;
    *out = (uint64_t)json_integer_value(v);
    return true;
}
