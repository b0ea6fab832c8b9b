/* fuzz_yaml.c -- any bytes as an entity's file: read or refused; what is read is written so that it reads back the same,
 * whole, and spliced into what a second file holds (the input is cut at its first NUL). */
#include "base/err.h"
#include "base/limits.h"
#include "base/must.h"
#include "entity/export.h"
#include "files/splice.h"
#include "files/yaml.h"
#include "files/yaml_emit.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool reads_as(struct slice bytes, const struct node *want) {
    struct tree t;
    struct problem p;

    tree_init(&t);
    bool same = yaml_read(bytes, true, &t, &p) == E_OK && node_same(t.root, want);
    tree_deinit(&t);
    return same;
}

static void written_reads_back(const struct node *n) {
    for (int unicode = 0; unicode < 2; unicode++) {
        struct buf out;
        buf_init(&out, LIMIT_DOCUMENT_BYTES);
        yaml_emit(n, unicode, &out);
        must(out.bad || reads_as(buf_view(&out), n));
        buf_deinit(&out);
    }
}

static void spliced_reads_back(struct slice file, const struct node *was, struct slice other) {
    struct tree t;
    struct problem p;
    struct buf out;

    tree_init(&t);
    buf_init(&out, LIMIT_DOCUMENT_BYTES);
    if (yaml_read(other, false, &t, &p) == E_OK && t.root->kind == NODE_MAP && was->kind == NODE_MAP) {
        splice(file, was, t.root, true, &out);
        must(reads_as(buf_view(&out), t.root));
    }
    buf_deinit(&out);
    tree_deinit(&t);
}

static void imported_comes_back(struct slice file) {
    struct entity_problem p = { 0 };
    struct buf update, out;

    buf_init(&update, LIMIT_DOCUMENT_BYTES);
    buf_init(&out, LIMIT_DOCUMENT_BYTES);
    if (entity_import(KIND_ATOM, file, &update, &p) == E_OK) {
        struct weave *w = weave_new(7, LIMIT_DOCUMENT_BYTES);
        must(weave_apply(w, (struct weave_bytes){ update.at, update.len }, NULL) == 0);
        must(entity_export(KIND_ATOM, w, file, &out, &p) == E_OK);
        must(slice_eq(buf_view(&out), file));
        weave_free(w);
    } else {
        must(p.text[0] != 0);
    }
    buf_deinit(&update);
    buf_deinit(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const uint8_t *cut = size ? memchr(data, 0, size) : NULL;
    struct slice file = { data, cut ? (size_t)(cut - data) : size };
    struct slice other = { cut ? cut + 1 : data, cut ? size - file.len - 1 : 0 };
    struct tree t;
    struct problem p = { 0 };

    tree_init(&t);
    if (yaml_read(file, false, &t, &p) == E_OK) {
        written_reads_back(t.root);
        if (cut) spliced_reads_back(file, t.root, other);
    } else {
        must(p.text[0] != 0);
    }
    tree_deinit(&t);
    imported_comes_back(file);
    return 0;
}
