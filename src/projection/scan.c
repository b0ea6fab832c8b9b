/* scan.c -- the workspace at start, and one look at a file that has no room yet (D6: such an entity
 * lives in its file alone, lists and graph read the file). Projector's thread.
 *
 * A file whose time and size are as the index has them is not opened: 10,000 unchanged atoms take the
 * time of 10,000 fstatat. */
#include "projection/projector_int.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/sha256.h"

#define FILES_PER_COMMIT 500
#define PROGRESS_MS 1000

/* ---- one file ------------------------------------------------------------------------------------------- */

static int broken(struct projector *p, struct card *i, const char *text) {
    struct entity_problem why = { 0 };
    snprintf(why.text, sizeof why.text, "%s", text);
    return catalog_broken(p, i, &why);
}

/* Others with the id that `i` gave up get their chance. */
static void visit_duplicates(struct projector *p) {
    for (size_t at = 0; at < p->by_path.cap; at++) {
        struct card *i = p->by_path.entries[at].key.at ? p->by_path.entries[at].value : NULL;
        if (i && i->state == ENTITY_DUPLICATE) card_visit(p, i, now_ms());
    }
}

static int forget(struct projector *p, struct card *i) {
    bool had_room = i->room != NULL;

    if (had_room && i->exists && i->state == ENTITY_OK) catalog_changed(p, CHANGE_REMOVED, i);
    int e = catalog_clear_problem(p, i, NULL);
    if (e == E_OK) e = index_remove_entity(p->index, slice_of(i->path));
    card_free(p, i);
    if (had_room) visit_duplicates(p);
    return e;
}

/* The room's card is without a file, and here is one with its id: the file moved, or came back. */
static int take_over(struct projector *p, struct card *owner, struct card *i, struct slice raw) {
    char path[DISK_PATH_BYTES];
    struct card facts = *i;

    snprintf(path, sizeof path, "%s", i->path);
    catalog_clear_problem(p, i, NULL);
    if (i->exists) index_remove_entity(p->index, slice_of(path));
    card_free(p, i);
    card_set_path(p, owner, path);
    owner->absent_ms = 0;
    owner->seen = facts.seen;
    if (owner->lsn == 0) {
        memcpy(owner->hash, facts.hash, 32);
        owner->mtime_ns = facts.mtime_ns;
        owner->size = facts.size;
    }
    int e = catalog_put(p, owner, raw);
    if (e != E_OK || owner->lsn == 0) return e;
    card_touch(p, owner);
    return visit(p, owner);             /* what it says beside the room is merged */
}

static bool is_there(struct projector *p, const struct card *i) {
    struct disk_file file;
    return i->path && i->state != ENTITY_GONE && disk_stat(p->disk, i->path, &file) != E_NOT_FOUND;
}

static int duplicate(struct projector *p, struct card *i, const struct card *owner) {
    struct entity_problem why = { 0 };

    snprintf(why.text, sizeof why.text, "its id is also in %s", owner->path);
    int e = catalog_broken(p, i, &why);
    if (e != E_OK) return e;
    i->state = ENTITY_DUPLICATE;
    return catalog_touch(p, i);
}

static int index_it(struct projector *p, struct card *i, struct slice raw) {
    const char *why = "";
    char room[LIMIT_ID_BYTES + 16];

    if (shape_make(i->kind, raw, slice_of(i->path), &p->shape, &why) != E_OK) return broken(p, i, why);
    snprintf(room, sizeof room, "%s:%s", kind_text(i->kind), p->shape.id);
    struct card *owner = card_of_room(p, slice_of(room));
    if (owner && owner != i) {
        if (!is_there(p, owner)) return take_over(p, owner, i, raw);
        return duplicate(p, i, owner);
    }
    if (i->room && owner == NULL) {             /* the id in the file is another one now */
        catalog_changed(p, CHANGE_REMOVED, i);
        i->exists = false;
    }
    card_set_room(p, i, slice_of(room));
    int e = catalog_clear_problem(p, i, "file");
    return e != E_OK ? e : catalog_put(p, i, raw);
}

int file_absent(struct projector *p, struct card *i) {
    if (i->state == ENTITY_GONE) return E_OK;
    if (i->absent_ms == 0) i->absent_ms = now_ms();
    if (now_ms() - i->absent_ms < DISK_ABSENT_MS || git_busy(p)) {
        card_visit(p, i, now_ms() + (git_busy(p) ? RETRY_MS : DISK_ABSENT_MS / 4));
        return E_OK;
    }
    if (i->room == NULL || i->state != ENTITY_OK) return forget(p, i);
    memset(i->hash, 0, 32);
    int e = catalog_gone(p, i, "file", clock_wall_ms());
    visit_duplicates(p);
    return e;
}

int scan_file(struct projector *p, struct card *i) {
    struct disk_file file;
    struct entity_problem why = { 0 };
    uint8_t hash[32];

    buf_reset(&p->bytes);
    p->bytes.max = LIMIT_FILE_BYTES;
    int e = disk_read(p->disk, i->path, &p->bytes, &file);
    if (e == E_NOT_FOUND) return file_absent(p, i);
    if (e == E_AGAIN) return card_visit(p, i, now_ms() + AGAIN_MS), E_OK;
    if (e == E_TOO_LARGE) return broken(p, i, "it is larger than 256 KiB");
    if (e != E_OK) return broken(p, i, "it cannot be read");

    sha256(buf_view(&p->bytes), hash);
    bool same = memcmp(hash, i->hash, 32) == 0 && i->exists && i->state == ENTITY_OK;
    i->absent_ms = 0;
    memcpy(i->hash, hash, 32);
    i->mtime_ns = file.mtime_ns;
    i->size = file.size;
    if (same) return catalog_touch(p, i);
    buf_reset(&p->json);
    e = entity_file_json(i->kind, buf_view(&p->bytes), &p->json, &why);
    return e != E_OK ? catalog_broken(p, i, &why) : index_it(p, i, buf_view(&p->json));
}

static int scan_path(struct projector *p, const char *path) {
    enum kind kind;

    if (!kind_of_path(slice_of(path), &kind)) return E_OK;
    struct card *i = card_new(p, kind, path, slice_of(""));
    i->state = ENTITY_BROKEN;                   /* until it is read */
    i->seen = p->scan;
    return scan_file(p, i);
}

/* ---- all of them ------------------------------------------------------------------------------------------- */

struct walk {
    struct projector *projector;
    size_t files, read;
    uint64_t next_line_ms;
};

static int pause_transaction(struct projector *p) {
    int e = index_commit(p->index);
    return e != E_OK ? e : index_begin(p->index);
}

static int on_file(void *ctx, const struct disk_file *file) {
    struct walk *w = ctx;
    struct projector *p = w->projector;
    struct card *i = card_at(p, file->path);
    int e = E_OK;

    w->files++;
    if (i) i->seen = p->scan;
    if (i && i->state != ENTITY_GONE && card_has_file(i) && i->mtime_ns == file->mtime_ns && i->size == file->size) {
        if (i->absent_ms) i->absent_ms = 0;
        return E_OK;
    }
    w->read++;
    if (i == NULL) e = scan_path(p, file->path);
    else if (i->lsn > 0 && card_has_file(i)) card_visit(p, i, now_ms());
    else if (i->lsn > 0) e = visit(p, i);       /* an index that was made anew: do we know it? */
    else e = scan_file(p, i);
    if (e == E_OK && w->read % FILES_PER_COMMIT == 0) e = pause_transaction(p);
    if (now_ms() >= w->next_line_ms) {
        log_info("workspace.scan", "files=%zu read=%zu", w->files, w->read);
        w->next_line_ms = now_ms() + PROGRESS_MS;
    }
    return e;
}

static void on_skipped(void *ctx, const char *path, const char *problem) {
    struct walk *w = ctx;
    struct problem_row row = { .path = slice_of(path), .source = slice_of("skipped"), .text = slice_of(problem),
                               .at_ms = clock_wall_ms() };

    if (row.path.len > 0) index_set_problem(w->projector->index, &row);
}

/* Files that were known and that the walk did not meet. */
static void visit_unseen(struct projector *p) {
    for (size_t at = 0; at < p->by_path.cap; at++) {
        struct card *i = p->by_path.entries[at].key.at ? p->by_path.entries[at].value : NULL;
        if (i && i->seen != p->scan && i->state != ENTITY_GONE && card_has_file(i)) card_visit(p, i, now_ms());
    }
}

static int log_problem(void *ctx, const struct problem_row *row) {
    (void)ctx;
    log_warn("workspace.problem", "file=\"%.*s\" line=%d kind=%.*s why=\"%.*s\"", SLICE_ARG(row->path), row->line,
             SLICE_ARG(row->source), SLICE_ARG(row->text));
    return E_OK;
}

int scan_workspace(struct projector *p) {
    uint64_t problems;

    struct walk w = { .projector = p, .next_line_ms = now_ms() + PROGRESS_MS };
    uint64_t from_ms = now_ms();

    p->scan++;
    int e = index_clear_skipped(p->index);
    if (e == E_OK) e = disk_walk(p->disk, on_file, on_skipped, &w);
    if (e != E_OK) return e;
    visit_unseen(p);
    touch_unplaced(p);
    log_info("workspace.scanned", "files=%zu read=%zu ms=%llu", w.files, w.read,
             (unsigned long long)(now_ms() - from_ms));
    return index_problems(p->index, &problems, log_problem, NULL);
}
