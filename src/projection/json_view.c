/* json_view.c -- a scanner over JSON text: strings and depth are all it needs to know. */
#include "projection/json_view.h"

static bool is_space(uint8_t c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

static struct slice from(struct slice s, size_t at) {
    return at <= s.len ? (struct slice){ s.at + at, s.len - at } : (struct slice){ s.at + s.len, 0 };
}

static struct slice skip_space(struct slice s) {
    size_t i = 0;
    while (i < s.len && is_space(s.at[i])) i++;
    return from(s, i);
}

/* Bytes of the string that begins s, with both quotes. */
static size_t string_len(struct slice s) {
    for (size_t i = 1; i < s.len; i++) {
        if (s.at[i] == '\\') i++;
        else if (s.at[i] == '"') return i + 1;
    }
    return s.len;
}

/* Bytes of the value that begins s. */
static size_t value_len(struct slice s) {
    size_t depth = 0, i = 0;

    while (i < s.len) {
        uint8_t c = s.at[i];
        if (c == '"') {
            i += string_len(from(s, i));
            if (depth == 0) return i;
            continue;
        }
        if (depth == 0 && (c == ',' || c == ']' || c == '}' || is_space(c))) return i;
        if (c == '{' || c == '[') depth++;
        if ((c == '}' || c == ']') && --depth == 0) return i + 1;
        i++;
    }
    return i;
}

/* To the next thing inside a container: behind its opening bracket, or behind the comma. */
static bool enter(struct slice *rest, uint8_t open, uint8_t close) {
    *rest = skip_space(*rest);
    if (rest->len == 0 || (rest->at[0] != open && rest->at[0] != ',')) return false;
    *rest = skip_space(from(*rest, 1));
    return rest->len > 0 && rest->at[0] != close;
}

static struct slice take_value(struct slice *rest) {
    *rest = skip_space(*rest);
    size_t len = value_len(*rest);
    struct slice value = { rest->at, len };
    *rest = skip_space(from(*rest, len));
    return value;
}

bool json_next_member(struct slice *rest, struct slice *key, struct slice *value) {
    if (!enter(rest, '{', '}') || rest->at[0] != '"') return false;
    size_t len = string_len(*rest);
    if (len < 2) return false;
    *key = (struct slice){ rest->at + 1, len - 2 };
    *rest = skip_space(from(*rest, len));
    if (rest->len == 0 || rest->at[0] != ':') return false;
    *rest = from(*rest, 1);
    *value = take_value(rest);
    return value->len > 0;
}

bool json_next_element(struct slice *rest, struct slice *value) {
    if (!enter(rest, '[', ']')) return false;
    *value = take_value(rest);
    return value->len > 0;
}

struct slice json_member(struct slice object, const char *name) {
    struct slice rest = object, key, value;
    while (json_next_member(&rest, &key, &value))
        if (slice_is(key, name)) return value;
    return (struct slice){ 0 };
}

struct slice json_quoted(struct slice value) {
    if (value.len < 2 || value.at[0] != '"') return (struct slice){ 0 };
    return (struct slice){ value.at + 1, value.len - 2 };
}

bool json_is_plain(struct slice string) {
    return string.len == 0 || memchr(string.at, '\\', string.len) == NULL;
}

bool json_is_nothing(struct slice value) {
    struct slice rest = value, key, element;

    if (value.len == 0 || slice_is(value, "null") || slice_is(value, "false") ||
        slice_is(value, "\"\"") || slice_is(value, "0") || slice_is(value, "0.0")) return true;
    if (value.at[0] == '{') return !json_next_member(&rest, &key, &element);
    if (value.at[0] == '[') return !json_next_element(&rest, &element);
    return false;
}
