/* loader.c -- the reader's side of opening a room: snapshot and rows merged into one update, or the
 * entity's file imported. Reader thread; it reads the load's name and fills in the rest. */
#include "room/loader.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <weave.h>

#include "base/err.h"
#include "base/must.h"
#include "base/sha256.h"
#include "entity/import.h"
#include "weave/bridge.h"

#define MERGE_BYTES MIB(8)      /* rows are merged when so much has come, so that memory stays bounded */
#define MERGE_ROWS 4096
#define TRIES 8                 /* for a file that a program is just writing */
#define TRY_AGAIN_US 25000

/* ---- rows ----------------------------------------------------------------------------------- */

struct gathering {              /* updates one after the other in `bytes`, ends in `ends` */
    struct buf bytes, merged;
    size_t ends[MERGE_ROWS];
    size_t n;
};

/* All that was gathered becomes one update. */
static int merge(struct gathering *g) {
    struct weave_bytes updates[MERGE_ROWS];
    size_t from = 0;

    if (g->n <= 1) return E_OK;
    for (size_t i = 0; i < g->n; i++) {
        updates[i] = (struct weave_bytes){ g->bytes.at + from, g->ends[i] - from };
        from = g->ends[i];
    }
    buf_reset(&g->merged);
    if (weave_update_merge(updates, g->n, sink_into(&g->merged)) < 0) return E_CORRUPT;
    if (g->merged.bad) return E_TOO_LARGE;
    struct buf other = g->bytes;
    g->bytes = g->merged;
    g->merged = other;
    g->ends[0] = g->bytes.len;
    g->n = 1;
    return E_OK;
}

static int gather(struct gathering *g, struct slice update) {
    int err = E_OK;

    if (g->n == MERGE_ROWS || (g->n > 1 && g->bytes.len - g->ends[0] > MERGE_BYTES)) err = merge(g);
    if (err != E_OK) return err;
    buf_slice(&g->bytes, update);
    if (g->bytes.bad) return E_TOO_LARGE;
    g->ends[g->n++] = g->bytes.len;
    return E_OK;
}

static int on_snapshot(void *ctx, struct slice bytes, uint64_t lsn) {
    (void)lsn;
    return gather(ctx, bytes);
}

static int on_row(void *ctx, const struct row *row) {
    struct slice update = row->bytes;

    if (row->kind == ROW_IMPORT) {
        if (update.len < SHA256_BYTES) return E_CORRUPT;
        update = (struct slice){ update.at + SHA256_BYTES, update.len - SHA256_BYTES };
    } else if (row->kind != ROW_UPDATE) {
        return E_OK;
    }
    return gather(ctx, update);
}

static int load_rows(struct load *l, struct sources *s) {
    struct gathering *g = calloc(1, sizeof *g);

    must(g);
    buf_init(&g->bytes, 4 * LIMIT_DOCUMENT_BYTES);
    buf_init(&g->merged, 4 * LIMIT_DOCUMENT_BYTES);
    struct slice name = { l->name->bytes, l->name->len };
    int err = index_load_room(s->index, s->log, name, on_snapshot, on_row, g);
    if (err == E_OK) err = merge(g);
    l->bytes = g->bytes;
    buf_deinit(&g->merged);
    free(g);
    return err;
}

/* ---- files (D6) ----------------------------------------------------------------------------- */

struct found { char path[DISK_PATH_BYTES]; };

static int on_entity(void *ctx, const struct entity_row *row) {
    struct found *f = ctx;

    if (row->state == ENTITY_GONE || row->state == ENTITY_DUPLICATE) return E_OK;
    if (row->path.len < sizeof f->path) snprintf(f->path, sizeof f->path, "%.*s", SLICE_ARG(row->path));
    return E_OK;
}

static int read_file(struct sources *s, const char *path, struct buf *file) {
    int err = E_AGAIN;

    for (int i = 0; i < TRIES && err == E_AGAIN; i++) {
        if (i) usleep(TRY_AGAIN_US);
        buf_reset(file);
        err = disk_read(s->disk, path, file, NULL);
    }
    return err == E_AGAIN ? E_OVERLOADED : err;
}

static int import(struct load *l, enum kind kind, struct slice file) {
    struct entity_problem problem = { 0 };
    struct buf update;
    uint8_t hash[SHA256_BYTES];

    buf_init(&update, LIMIT_DOCUMENT_BYTES);
    int err = entity_import(kind, file, &update, &problem);
    if (err == E_OK) {
        sha256(file, hash);
        buf_put(&l->bytes, hash, sizeof hash);
        buf_slice(&l->bytes, buf_view(&update));
        l->what = LOADED_IMPORT;
    } else {
        snprintf(l->why, sizeof l->why, "the file cannot be read: line %d: %.160s", problem.line, problem.text);
    }
    buf_deinit(&update);
    return err;
}

static int load_file(struct load *l, struct sources *s, const struct room_name *name) {
    struct found found = { "" };
    struct buf file;
    bool is_complete = !s->index_complete || atomic_load(s->index_complete);

    if (!s->disk) return E_NOT_FOUND;
    int err = index_entity(s->index, slice_of(kind_text(name->kind)), name->id, on_entity, &found);
    if (err == E_OK && !found.path[0]) err = E_NOT_FOUND;
    if (err == E_NOT_FOUND) return is_complete ? E_NOT_FOUND : E_OVERLOADED;
    if (err != E_OK) return err;

    buf_init(&file, LIMIT_DOCUMENT_BYTES);
    err = read_file(s, found.path, &file);
    if (err == E_NOT_FOUND) err = E_OVERLOADED;     /* it was there; the index hears of it soon (A10) */
    if (err == E_OK) err = import(l, name->kind, buf_view(&file));
    buf_deinit(&file);
    return err;
}

/* ---- the job -------------------------------------------------------------------------------- */

static int load(struct load *l, struct sources *s) {
    struct slice text = { l->name->bytes, l->name->len };
    struct room_state state;
    struct room_name name;

    if (name_parse(text, &name) != E_OK || !kind_has_document(name.kind)) return E_NOT_FOUND;
    int err = s->log->kind->room_state(s->log, text, &state);
    if (err != E_OK) return err;
    if (state.exists && !state.deleted) {
        l->what = LOADED_ROWS;
        snprintf(l->lineage, sizeof l->lineage, "%s", state.lineage);
        return load_rows(l, s);
    }
    if (kind_has_file(name.kind)) return load_file(l, s, &name);
    l->what = LOADED_NEW;
    return E_OK;
}

static void run(struct job *job, void *ctx) {
    struct load *l = (struct load *)(void *)job;

    l->err = load(l, ctx);
}

static void job_done(struct job *job) {
    struct load *l = (struct load *)(void *)job;

    l->done(l);
}

struct load *load_new(struct frame *name, uint32_t serial) {
    struct load *l = calloc(1, sizeof *l);

    must(l);
    l->job = (struct job){ .run = run, .done = job_done };
    l->name = frame_ref(name);
    l->serial = serial;
    buf_init(&l->bytes, 4 * LIMIT_DOCUMENT_BYTES);
    return l;
}

void load_free(struct load *l) {
    frame_unref(l->name);
    buf_deinit(&l->bytes);
    free(l);
}
