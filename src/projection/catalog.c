/* catalog.c -- the cards: every file of the workspace and the entity in it, in memory by path and by
 * room, their texts in index.db. Projector's thread.
 *
 * A card that has a room name owns it: two files with one id are a card with the room and one
 * without (ENTITY_DUPLICATE), which nobody can open. */
#include "projection/projector_int.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/must.h"

static struct slice path_of(const struct card *i) { return slice_of(i->path); }

struct card *card_at(struct projector *p, const char *path) { return map_get(&p->by_path, slice_of(path)); }
struct card *card_of_room(struct projector *p, struct slice room) { return map_get(&p->by_room, room); }

bool card_has_file(const struct card *i) {
    static const uint8_t none[32];
    return memcmp(i->hash, none, 32) != 0;
}

struct slice card_id(const struct card *i) {
    if (i->room == NULL) return slice_of("");
    return slice_of(strchr(i->room, ':') + 1);
}

void card_set_path(struct projector *p, struct card *i, const char *path) {
    if (i->path) {
        map_remove(&p->by_path, path_of(i));
        if (i->exists) index_remove_entity(p->index, path_of(i));
        index_clear_problem(p->index, path_of(i), NULL, NULL);
        i->exists = false;
    }
    free(i->path);
    i->path = path ? strdup(path) : NULL;
    if (path) map_put(&p->by_path, path_of(i), i);
}

void card_set_room(struct projector *p, struct card *i, struct slice room) {
    if (i->room && slice_is(room, i->room)) return;
    if (i->room) map_remove(&p->by_room, slice_of(i->room));
    free(i->room);
    i->room = room.len ? strndup((const char *)room.at, room.len) : NULL;
    if (i->room) map_put(&p->by_room, slice_of(i->room), i);
}

struct card *card_new(struct projector *p, enum kind kind, const char *path, struct slice room) {
    struct card *i = calloc(1, sizeof *i);

    must(i != NULL);
    i->kind = kind;
    card_set_path(p, i, path);
    card_set_room(p, i, room);
    return i;
}

static void leave_busy(struct projector *p, struct card *i) {
    for (size_t at = 0; at < p->n_busy; at++)
        if (p->busy[at] == i) p->busy[at] = NULL;       /* the turn closes the gap */
}

void card_free(struct projector *p, struct card *i) {
    replica_drop(p, i);
    if (i->busy) leave_busy(p, i);
    for (size_t at = 0; at < p->n_touched; at++)
        if (p->touched[at] == i) p->touched[at] = NULL;
    if (i->path) map_remove(&p->by_path, path_of(i));
    if (i->room) map_remove(&p->by_room, slice_of(i->room));
    if (i->pending) buf_deinit(&i->pending->bytes);
    free(i->pending);
    free(i->path);
    free(i->room);
    free(i->user);
    free(i->by);
    free(i);
}

static void card_busy(struct projector *p, struct card *i) {
    if (i->busy) return;
    i->busy = true;
    if (p->n_busy == p->busy_cap) {
        p->busy_cap = p->busy_cap ? 2 * p->busy_cap : 64;
        p->busy = realloc(p->busy, p->busy_cap * sizeof *p->busy);
        must(p->busy != NULL);
    }
    p->busy[p->n_busy++] = i;
}

void card_visit(struct projector *p, struct card *i, uint64_t at_ms) {
    if (i->visit_ms == 0 || at_ms < i->visit_ms) i->visit_ms = at_ms;
    card_busy(p, i);
}

void card_write(struct projector *p, struct card *i, uint64_t at_ms) {
    i->write_ms = at_ms;
    card_busy(p, i);
}

/* ---- rows --------------------------------------------------------------------------------------------- */

static struct entity_row row_of(const struct card *i) {
    struct entity_row row = {
        .path = path_of(i), .kind = slice_of(kind_text(i->kind)), .id = card_id(i), .state = i->state,
        .mtime_ns = i->mtime_ns, .size = i->size, .lsn = i->lsn, .file_lsn = i->file_lsn,
        .by = slice_of(i->by ? i->by : ""), .at_ms = i->at_ms,
    };
    memcpy(row.hash, i->hash, 32);
    return row;
}

void catalog_changed(struct projector *p, enum change_kind kind, const struct card *i) {
    if (p->notice == NULL) {
        p->notice = calloc(1, sizeof *p->notice);
        must(p->notice != NULL);
    }
    if (i == NULL || i->room == NULL) return;
    struct notice *n = p->notice;
    for (size_t at = 0; at < n->n; at++)
        if (strcmp(n->changes[at].room, i->room) == 0 && n->changes[at].kind == kind) return;
    if (n->n == NOTICE_CHANGES) {
        n->everything = true;
        return;
    }
    struct change *c = &n->changes[n->n++];
    c->kind = kind;
    snprintf(c->room, sizeof c->room, "%s", i->room);
}

int catalog_put(struct projector *p, struct card *i, struct slice raw) {
    const char *why = "";
    bool was_there = i->exists && i->state == ENTITY_OK;

    must(i->path != NULL);
    int e = shape_make(i->kind, raw, path_of(i), &p->shape, &why);
    if (e != E_OK || (i->room && !slice_is(card_id(i), p->shape.id))) return E_INVALID;
    i->state = ENTITY_OK;
    struct entity_row row = row_of(i);
    row.type = buf_view(&p->shape.type);
    row.json = buf_view(&p->shape.json);
    row.summary = buf_view(&p->shape.summary);
    e = index_put_entity(p->index, &row);
    if (e != E_OK) return e;
    i->exists = true;
    catalog_changed(p, was_there ? CHANGE_UPDATED : CHANGE_CREATED, i);
    return E_OK;
}

int catalog_touch(struct projector *p, struct card *i) {
    if (!i->exists) return E_OK;        /* its row comes with its texts */
    struct entity_row row = row_of(i);
    return index_touch_entity(p->index, &row);
}

int catalog_gone(struct projector *p, struct card *i, const char *by, uint64_t at_ms) {
    i->state = ENTITY_GONE;
    free(i->by);
    i->by = strdup(by);
    i->at_ms = at_ms;
    i->write_ms = 0;
    i->unreadable = false;
    if (i->path == NULL) return E_OK;
    catalog_changed(p, CHANGE_REMOVED, i);
    int e = index_clear_problem(p->index, path_of(i), NULL, NULL);
    if (e != E_OK) return e;
    if (i->exists) return catalog_touch(p, i);

    struct entity_row row = row_of(i);
    e = index_put_entity(p->index, &row);
    i->exists = e == E_OK;
    return e;
}

/* A file without a room that cannot be read: listed by its path, opened by nobody. */
int catalog_broken(struct projector *p, struct card *i, const struct entity_problem *why) {
    if (i->room && i->exists && i->state == ENTITY_OK) catalog_changed(p, CHANGE_REMOVED, i);
    card_set_room(p, i, slice_of(""));
    i->state = ENTITY_BROKEN;
    struct entity_row row = row_of(i);
    int e = index_put_entity(p->index, &row);
    if (e != E_OK) return e;
    i->exists = true;
    return catalog_problem(p, i, "file", why);
}

/* ---- problems ------------------------------------------------------------------------------------------- */

static void problems_changed(struct projector *p) {
    catalog_changed(p, CHANGE_UPDATED, NULL);
    p->notice->problems = true;
}

int catalog_problem(struct projector *p, const struct card *i, const char *source,
                    const struct entity_problem *why) {
    bool is_shape = strcmp(source, "shape") == 0;
    struct problem_row row = {
        .path = path_of(i), .source = slice_of(source), .line = why->line, .column = why->column,
        .text = slice_of(why->text), .user = slice_of(is_shape && i->user ? i->user : ""),
        .at_ms = clock_wall_ms(),
    };
    if (p->scanned && strcmp(source, "paused") != 0)     /* those of the scan are listed behind it */
        log_warn("workspace.problem", "file=%s line=%d kind=%s why=\"%s\"", i->path, why->line, source, why->text);
    problems_changed(p);
    return index_set_problem(p->index, &row);
}

int catalog_clear_problem(struct projector *p, const struct card *i, const char *source) {
    if (i->path == NULL) return E_OK;
    bool had = false;
    int e = index_clear_problem(p->index, path_of(i), source, &had);
    if (had) problems_changed(p);
    return e;
}

/* ---- from index.db at start --------------------------------------------------------------------------------- */

static int load_row(void *ctx, const struct entity_row *row) {
    struct projector *p = ctx;
    char path[DISK_PATH_BYTES], room[LIMIT_ID_BYTES + 16] = "";
    enum kind kind;

    if (row->path.len >= sizeof path || row->id.len > LIMIT_ID_BYTES || !kind_of(row->kind, &kind)) return E_CORRUPT;
    snprintf(path, sizeof path, "%.*s", SLICE_ARG(row->path));
    bool owns = row->state == ENTITY_OK || row->state == ENTITY_GONE;
    if (owns) snprintf(room, sizeof room, "%s:%.*s", kind_text(kind), SLICE_ARG(row->id));
    if (owns && card_of_room(p, slice_of(room))) {      /* a tombstone beside the living: not needed */
        return E_OK;
    }
    struct card *i = card_new(p, kind, path, slice_of(room));
    i->state = row->state;
    memcpy(i->hash, row->hash, 32);
    i->mtime_ns = row->mtime_ns;
    i->size = row->size;
    i->lsn = row->lsn;
    i->file_lsn = row->file_lsn;
    i->by = row->by.len ? strndup((const char *)row->by.at, row->by.len) : NULL;
    i->at_ms = row->at_ms;
    i->exists = true;
    return E_OK;
}

int catalog_load(struct projector *p) {
    int e = index_files(p->index, load_row, p);
    if (e != E_OK) return e;

    for (size_t at = 0; at < p->by_room.cap; at++) {    /* rooms that were ahead of their file */
        struct card *i = p->by_room.entries[at].key.at ? p->by_room.entries[at].value : NULL;
        if (i && i->state == ENTITY_OK && i->lsn > i->file_lsn) card_write(p, i, now_ms());
    }
    return E_OK;
}

static void clear_map(struct projector *p, struct map *m) {
    for (size_t at = 0; at < m->cap; at++)
        while (m->entries[at].key.at) card_free(p, m->entries[at].value);
}

void catalog_clear(struct projector *p) {
    clear_map(p, &p->by_path);
    clear_map(p, &p->by_room);
    must(p->by_path.n == 0 && p->by_room.n == 0);
    p->n_busy = p->n_touched = 0;
}
