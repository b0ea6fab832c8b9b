#include "entity/import.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/sha256.h"
#include "entity/model_int.h"
#include "entity/read_int.h"

#define IMPORTER_VERSION 1      /* the shape of documents: another version imports under other client ids */

static void hash_of(struct slice first, struct slice second, uint8_t out[SHA256_BYTES]) {
    struct sha256 *h = sha256_new();
    uint8_t version = IMPORTER_VERSION;

    sha256_begin(h);
    sha256_add(h, (struct slice){ &version, 1 });
    sha256_add(h, first);
    sha256_add(h, second);
    sha256_end(h, out);
    sha256_free(h);
}

uint64_t entity_import_client(struct slice file) {
    uint8_t hash[SHA256_BYTES];
    uint64_t id = 0;

    hash_of(file, (struct slice){ NULL, 0 }, hash);
    for (int i = 0; i < 5; i++) id = id << 8 | hash[i];
    return IMPORT_CLIENT_FIRST + id;
}

static int refuse(struct entity_problem *problem, int e, const char *text) {
    problem->line = problem->column = 0;
    snprintf(problem->text, sizeof problem->text, "%s", text);
    return e;
}

static int apply(enum kind kind, struct weave *doc, const struct model *base, const struct model *file,
                 const struct apply_ids *ids, struct buf *update) {
    weave_begin(doc);
    int e = model_apply(kind, doc, base ? base->root : NULL, file->root, ids);
    weave_commit(doc, sink_into(update));
    return e;
}

int entity_import(enum kind kind, struct slice file, struct buf *update, struct entity_problem *problem) {
    struct model m;
    uint8_t seed[SHA256_BYTES];

    if (file.len == 0) return refuse(problem, E_INVALID, "the file is empty");
    int e = model_read(kind, file, false, &m, problem);
    if (e == E_OK) {
        struct weave *doc = weave_new(entity_import_client(file), LIMIT_DOCUMENT_BYTES);
        hash_of(file, (struct slice){ NULL, 0 }, seed);
        struct apply_ids ids = { .seed = { seed, sizeof seed } };
        e = apply(kind, doc, NULL, &m, &ids, update);
        if (e < 0) refuse(problem, e, "larger than a document may be");
        weave_free(doc);
    }
    model_deinit(&m);
    return e;
}

int entity_merge(enum kind kind, struct weave *doc, struct slice base, struct slice file, struct buf *update,
                 struct entity_problem *problem) {
    struct model was, is;
    uint8_t seed[SHA256_BYTES];

    if (file.len == 0) return refuse(problem, E_INVALID, "the file is empty");
    int e = model_read(kind, base, true, &was, problem);
    if (e == E_OK) e = model_read(kind, file, false, &is, problem);
    else model_init(&is);
    const struct node *id = e == E_OK && was.file ? node_find(was.file, "id") : NULL;
    if (id && !node_same(id, node_find(is.file, "id")))
        e = refuse(problem, E_INVALID, "the id was changed in the file");
    if (e == E_OK) {
        hash_of(base, file, seed);
        struct apply_ids ids = { .seed = { seed, sizeof seed }, .now_ms = clock_wall_ms() };
        e = apply(kind, doc, was.root ? &was : NULL, &is, &ids, update);
        if (e < 0) refuse(problem, e, "larger than a document may be");
    }
    model_deinit(&was);
    model_deinit(&is);
    return e;
}
