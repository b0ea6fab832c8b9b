/* follow.c -- rows of the log, in order, into cards, replicas, versions and snapshots. Projector's
 * thread, inside a transaction that ends with the cursor: what is half followed is followed again,
 * and everything here may be done twice. */
#include "projection/projector_int.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/must.h"
#include "base/sha256.h"

#define COMPACT_ROWS 500
#define COMPACT_BYTES KIB(256)

struct batch {
    struct projector *projector;
    size_t n;
};

void card_touch(struct projector *p, struct card *i) {
    if (i->touched) return;
    i->touched = true;
    if (p->n_touched == p->touched_cap) {
        p->touched_cap = p->touched_cap ? 2 * p->touched_cap : 64;
        p->touched = realloc(p->touched, p->touched_cap * sizeof *p->touched);
        must(p->touched != NULL);
    }
    p->touched[p->n_touched++] = i;
}

/* ---- the file's rows ----------------------------------------------------------------------------------------- */

static bool hash_of(const char *hex, uint8_t out[32]) {
    for (int i = 0; i < 32; i++) {
        unsigned byte;
        if (sscanf(hex + 2 * i, "%2x", &byte) != 1) return false;
        out[i] = (uint8_t)byte;
    }
    return true;
}

/* {"room", "path", "hash", "lsn"}: what we are about to write. Ours, but read with care. */
static int on_wrote(struct projector *p, const struct row *row) {
    json_t *json = json_loadb((const char *)row->bytes.at, row->bytes.len, 0, NULL);
    const char *room = json_string_value(json_object_get(json, "room"));
    const char *path = json_string_value(json_object_get(json, "path"));
    const char *hash = json_string_value(json_object_get(json, "hash"));
    struct version_row v = { .lsn = (uint64_t)json_integer_value(json_object_get(json, "lsn")) };
    struct card *i = room ? card_of_room(p, slice_of(room)) : NULL;
    int e = E_OK;

    if (i && path && hash && strlen(hash) == 64 && hash_of(hash, v.hash)) {
        v.room = slice_of(room);
        e = index_put_version(p->index, &v);
        if (i->path == NULL && strlen(path) < DISK_PATH_BYTES && card_at(p, path) == NULL) {
            card_set_path(p, i, path);
            i->lost = true;                     /* until it is seen */
        }
    }
    json_decref(json);
    return e;
}

/* The bytes of the first version, for a merge later (F2): those of the file, if it is still that one. */
static void read_imported(struct projector *p, const struct card *i, struct version_row *v) {
    uint8_t hash[32];

    buf_reset(&p->bytes);
    p->bytes.max = LIMIT_FILE_BYTES;
    if (disk_read(p->disk, i->path, &p->bytes, NULL) != E_OK) return;
    sha256(buf_view(&p->bytes), hash);
    if (memcmp(hash, v->hash, 32) == 0) v->bytes = buf_view(&p->bytes);
}

/* The room's first row: its content is that of a file with this hash (or of a creation). What the file
 * says now is looked at: it may have changed between the import and here. */
static int on_import(struct projector *p, struct card *i, const struct row *row) {
    struct version_row v = { .room = row->room, .lsn = row->lsn };

    if (row->bytes.len < 32) return E_CORRUPT;
    memcpy(v.hash, row->bytes.at, 32);
    replica_drop(p, i);             /* another lineage's, if there was one */
    if (i->state == ENTITY_GONE) {
        i->state = ENTITY_OK;
        memset(i->hash, 0, 32);
    }
    if (card_has_file(i) && memcmp(v.hash, i->hash, 32) == 0) {
        i->file_lsn = row->lsn;
        read_imported(p, i, &v);
    } else if (card_has_file(i)) {
        card_visit(p, i, now_ms());
    }
    return index_put_version(p->index, &v);
}

static int remove_file(struct projector *p, struct card *i) {
    struct room_state state;
    struct disk_file file;

    if (p->config.once || i->path == NULL || !card_has_file(i)) return E_OK;
    if (p->log->kind->room_state(p->log, slice_of(i->room), &state) != E_OK || !state.deleted) return E_OK;
    int e = disk_stat(p->disk, i->path, &file);
    if (e == E_NOT_FOUND) return E_OK;
    if (e == E_OK && file.mtime_ns == i->mtime_ns && file.size == i->size) {
        log_info("workspace.deleted", "file=%s", i->path);
        return disk_unlink(p->disk, i->path) == E_IO ? E_IO : E_OK;
    }
    log_warn("workspace.kept", "file=%s why=\"it was changed while it was deleted: it is an entity of its own\"",
             i->path);
    card_visit(p, i, now_ms());
    return E_OK;
}

static int on_delete(struct projector *p, struct card *i, const struct row *row) {
    char by[LIMIT_USER_BYTES + 1];

    snprintf(by, sizeof by, "%.*s", SLICE_ARG(row->user));
    remove_file(p, i);
    replica_drop(p, i);
    i->lsn = i->file_lsn = 0;
    memset(i->hash, 0, 32);
    i->touched = false;
    int e = catalog_gone(p, i, by, row->time_ms);
    if (e == E_OK) e = index_drop_versions(p->index, row->room);
    return e != E_OK ? e : index_drop_snapshot(p->index, row->room);
}

/* ---- rows of documents ------------------------------------------------------------------------------------------ */

static void note_user(struct card *i, struct slice user) {
    if (i->user && slice_is(user, i->user)) return;
    free(i->user);
    i->user = strndup((const char *)user.at, user.len);
}

static int apply_row(struct projector *p, struct card *i, const struct row *row) {
    struct slice bytes = row->bytes;

    if (i->replica == NULL || row->lsn <= i->lsn) return E_OK;     /* made from the log when needed */
    if (row->kind == ROW_IMPORT) bytes = (struct slice){ bytes.at + 32, bytes.len - 32 };
    if (weave_apply(i->replica->doc, weave_of(bytes), NULL) != 0) {
        log_error("projector.row", "lsn=%llu room=%s why=\"does not apply\"", (unsigned long long)row->lsn, i->room);
        replica_drop(p, i);
    }
    return E_OK;
}

static void edited(struct projector *p, struct card *i) {
    uint64_t now = now_ms();

    if (i->write_ms == 0) i->first_edit_ms = now;
    uint64_t due = now + WRITE_BACK_MS, latest = i->first_edit_ms + WRITE_BACK_MAX_MS;
    card_write(p, i, due < latest ? due : latest);
}

static int on_entity_row(struct projector *p, const struct room_name *name, const struct row *row) {
    struct card *i = card_of_room(p, name->text);
    int e = E_OK;

    if (i == NULL) i = card_new(p, name->kind, NULL, name->text);
    if (row->kind == ROW_DELETE) return on_delete(p, i, row);
    if (row->kind == ROW_IMPORT) e = on_import(p, i, row);
    if (e == E_OK) e = apply_row(p, i, row);
    if (e != E_OK) return e;
    if (row->lsn > i->lsn) i->lsn = row->lsn;
    note_user(i, row->user);
    card_touch(p, i);
    if (i->state != ENTITY_GONE && i->lsn > i->file_lsn) edited(p, i);
    return E_OK;
}

static void note_tail(struct projector *p, struct slice room) {
    struct slice rest = buf_view(&p->compact);

    while (rest.len > 0) {
        size_t len = strlen((const char *)rest.at);
        if (slice_eq((struct slice){ rest.at, len }, room)) return;
        rest = (struct slice){ rest.at + len + 1, rest.len - len - 1 };
    }
    buf_slice(&p->compact, room);
    buf_byte(&p->compact, 0);
}

static int on_row(void *ctx, const struct row *row) {
    struct batch *b = ctx;
    struct projector *p = b->projector;
    struct room_name name;
    struct room_tail tail;

    b->n++;
    p->cursor = row->lsn;
    if (row->kind == ROW_WROTE) return on_wrote(p, row);
    if (name_parse(row->room, &name) != E_OK) return E_OK;      /* rooms of a later version */
    int e = index_add_row(p->index, row->room, row->lsn, row->bytes.len);
    if (e == E_OK) e = index_room_tail(p->index, row->room, &tail);
    if (e != E_OK) return e;
    if (tail.rows > COMPACT_ROWS || tail.bytes > COMPACT_BYTES) note_tail(p, row->room);
    if (kind_has_file(name.kind)) return on_entity_row(p, &name, row);
    return row->kind == ROW_DELETE ? index_drop_snapshot(p->index, row->room) : E_OK;
}

/* ---- rows of entities that were touched ------------------------------------------------------------------------- */

/* Created, and no file yet: choose its place. One whose file was written once and is not there now was
 * deleted while we were not running. */
static int place(struct projector *p, struct card *i, struct slice raw) {
    char path[DISK_PATH_BYTES];
    struct disk_file file;

    for (int n = 1; n < 100; n++) {
        shape_new_path(i->kind, raw, card_id(i), n, path, sizeof path);
        if (card_at(p, path) == NULL && disk_stat(p->disk, path, &file) == E_NOT_FOUND) {
            card_set_path(p, i, path);
            return E_OK;
        }
    }
    log_error("workspace.place", "room=%s why=\"every place for its file is taken\"", i->room);
    return E_EXISTS;
}

static int refresh(struct projector *p, struct card *i) {
    struct entity_problem why = { 0 };
    struct weave *doc = replica_of(p, i);

    if (i->path == NULL && !p->scanned) return E_OK;    /* the scan finds its file, or none */
    if (doc == NULL) {
        if (i->path == NULL) return E_OK;
        snprintf(why.text, sizeof why.text, "its rows in the log cannot be read");
        return catalog_problem(p, i, "shape", &why);
    }
    buf_reset(&p->json);
    int e = entity_json(i->kind, doc, &p->json, &why);
    if (e != E_OK) {                                    /* D5: the last valid row stays */
        if (i->path == NULL) return E_OK;
        e = catalog_problem(p, i, "shape", &why);
        return e != E_OK ? e : catalog_touch(p, i);
    }
    if (i->path == NULL && place(p, i, buf_view(&p->json)) != E_OK) return E_OK;
    e = catalog_put(p, i, buf_view(&p->json));
    if (e == E_INVALID) {                               /* somebody wrote another id into the document */
        snprintf(why.text, sizeof why.text, "the id in the document is not the room's");
        return catalog_problem(p, i, "shape", &why);
    }
    return e;
}

static int refresh_touched(struct projector *p) {
    int e = E_OK;

    for (size_t at = 0; at < p->n_touched; at++) {
        struct card *i = p->touched[at];
        if (i == NULL) continue;
        if (i->touched && e == E_OK && i->state != ENTITY_GONE) e = refresh(p, i);
        else if (i->touched && e == E_OK) e = catalog_touch(p, i);
        i->touched = false;
    }
    p->n_touched = 0;
    return e;
}

void touch_unplaced(struct projector *p) {
    for (size_t at = 0; at < p->by_room.cap; at++) {
        struct card *i = p->by_room.entries[at].key.at ? p->by_room.entries[at].value : NULL;
        if (i == NULL || i->state == ENTITY_GONE) continue;
        if (i->path == NULL && i->lsn > 0) card_touch(p, i);
        if (i->lost) file_absent(p, i);
    }
}

int follow(struct projector *p, size_t rows_max, size_t *n) {
    struct batch b = { .projector = p };
    int e = p->log->kind->follow(p->log, p->cursor, rows_max, on_row, &b);

    if (e == E_OK) e = refresh_touched(p);
    if (e == E_OK && b.n > 0) e = index_set_cursor(p->index, p->cursor);
    if (e == E_OK && b.n > 0) catalog_changed(p, CHANGE_UPDATED, NULL);     /* the cursor is news (P3) */
    *n = b.n;
    return e;
}

/* ---- snapshots ------------------------------------------------------------------------------------------------------ */

static int compact_room(struct projector *p, struct slice room) {
    struct weave *doc;
    struct buf bytes;

    if (document_upto(p, room, p->cursor, fresh_client(), &doc) != E_OK) return E_OK;   /* damaged: as it is */
    buf_init(&bytes, LIMIT_DOCUMENT_BYTES);
    int e = weave_has_pending(doc) ? E_INVALID      /* a snapshot must stand for all its rows */
                                   : weave_since(doc, (struct weave_bytes){ 0 }, sink_into(&bytes));
    if (e == 0 && !bytes.bad) e = index_set_snapshot(p->index, room, p->cursor, buf_view(&bytes));
    else e = E_OK;
    buf_deinit(&bytes);
    weave_free(doc);
    return e;
}

int compact_rooms(struct projector *p) {
    struct slice rest = buf_view(&p->compact);
    int e = E_OK;

    while (rest.len > 0 && e == E_OK) {
        size_t len = strlen((const char *)rest.at);
        e = compact_room(p, (struct slice){ rest.at, len });
        rest = (struct slice){ rest.at + len + 1, rest.len - len - 1 };
    }
    buf_reset(&p->compact);
    return e;
}
