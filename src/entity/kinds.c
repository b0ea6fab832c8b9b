#include "entity/kinds.h"

#include "base/err.h"
#include "base/must.h"
#include "base/utf8.h"

static const struct kind_row {
    const char *text;
    const char *folder;         /* NULL: no file */
    const char *extension;
    bool document;
} kinds[KIND_COUNT] = {
    [KIND_ATOM] = { "atom", "atoms", ".yaml", true },
    [KIND_MODULE] = { "module", "modules", ".yaml", true },
    [KIND_PHASE] = { "phase", "phases", ".yaml", true },
    [KIND_JOURNEY] = { "journey", "journeys", ".yaml", true },
    [KIND_WORKFLOW] = { "workflow", "workflows", ".json", true },
    [KIND_DOC] = { "doc", NULL, NULL, true },
    [KIND_USER] = { "user", NULL, NULL, false },
    [KIND_WORKSPACE] = { "workspace", NULL, NULL, false },
};

const char *kind_text(enum kind kind) {
    must(kind < KIND_COUNT);
    return kinds[kind].text;
}

bool kind_of(struct slice text, enum kind *out) {
    for (int k = 0; k < KIND_COUNT; k++) {
        if (!slice_is(text, kinds[k].text)) continue;
        *out = (enum kind)k;
        return true;
    }
    return false;
}

bool kind_has_file(enum kind kind) {
    must(kind < KIND_COUNT);
    return kinds[kind].folder != NULL;
}

bool kind_has_document(enum kind kind) {
    must(kind < KIND_COUNT);
    return kinds[kind].document;
}

const char *kind_folder(enum kind kind) {
    must(kind_has_file(kind));
    return kinds[kind].folder;
}

const char *kind_extension(enum kind kind) {
    must(kind_has_file(kind));
    return kinds[kind].extension;
}

static bool ends_with(struct slice s, const char *text) {
    size_t len = strlen(text);
    return s.len > len && memcmp(s.at + s.len - len, text, len) == 0;
}

bool kind_of_path(struct slice path, enum kind *out) {
    const uint8_t *slash = path.len ? memchr(path.at, '/', path.len) : NULL;

    if (!slash) return false;
    struct slice folder = { path.at, (size_t)(slash - path.at) };
    for (int k = 0; k < KIND_COUNT; k++) {
        if (!kinds[k].folder || !slice_is(folder, kinds[k].folder)) continue;
        if (!ends_with(path, kinds[k].extension) &&
            !(k != KIND_WORKFLOW && ends_with(path, ".yml"))) return false;
        *out = (enum kind)k;
        return true;
    }
    return false;
}

static bool is_alnum(uint8_t c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool id_is_valid(struct slice id) {
    if (id.len == 0 || id.len > LIMIT_ID_BYTES || !is_alnum(id.at[0])) return false;
    for (size_t i = 1; i < id.len; i++) {
        uint8_t c = id.at[i];
        if (!is_alnum(c) && c != '.' && c != '_' && c != '-') return false;
        if (c == '.' && id.at[i - 1] == '.') return false;
    }
    return true;
}

static bool doc_name_is_valid(struct slice name) {
    return name.len > 0 && name.len <= LIMIT_DOC_NAME_BYTES && utf8_is_valid(name) &&
           !utf8_has_control(name);
}

int name_parse(struct slice text, struct room_name *out) {
    struct room_name name = { .text = text };

    if (text.len == 0) return E_INVALID;
    if (slice_is(text, "workspace")) {
        name.kind = KIND_WORKSPACE;
        *out = name;
        return E_OK;
    }
    const uint8_t *colon = memchr(text.at, ':', text.len);
    if (!colon) return E_INVALID;
    struct slice kind = { text.at, (size_t)(colon - text.at) };
    if (!kind_of(kind, &name.kind) || name.kind == KIND_WORKSPACE) return E_INVALID;
    name.id = (struct slice){ colon + 1, text.len - kind.len - 1 };
    bool valid = name.kind == KIND_DOC ? doc_name_is_valid(name.id) : id_is_valid(name.id);
    if (!valid) return E_INVALID;
    *out = name;
    return E_OK;
}
