/* writeback.c -- a room that is ahead of its file: the file is spliced, journaled as ours, written
 * (F1). Projector's thread.
 *
 *   export against the bytes that are there -> same: nothing to do
 *   -> the version is kept -> ROW_WROTE through the journal -> on disk -> exchanged into place
 *
 * The row goes first, so that after a crash at any point the file is recognised as ours. */
#include "projection/projector_int.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/log.h"
#include "base/must.h"
#include "base/sha256.h"

static int again(struct projector *p, struct card *i, uint64_t in_ms) {
    card_write(p, i, now_ms() + in_ms);
    return E_OK;
}

int pause_for(struct projector *p, struct card *i, const char *why) {
    struct entity_problem problem = { 0 };

    snprintf(problem.text, sizeof problem.text, "not written while %s", why);
    return catalog_problem(p, i, "paused", &problem);
}

static int failed(struct projector *p, struct card *i, int err) {
    struct entity_problem why = { 0 };

    snprintf(why.text, sizeof why.text, "the file cannot be written: %s", err_text(err));
    again(p, i, 5 * RETRY_MS);
    return catalog_problem(p, i, "write", &why);
}

/* ---- what the file should hold -------------------------------------------------------------------------- */

static int is_current(struct projector *p, struct card *i) {
    i->file_lsn = i->lsn;
    int e = catalog_clear_problem(p, i, "write");
    return e != E_OK ? e : catalog_touch(p, i);
}

static void put_hex(struct buf *b, const uint8_t hash[32]) {
    for (int n = 0; n < 32; n++) buf_printf(b, "%02x", hash[n]);
}

static int send_wrote(struct projector *p, struct card *i, struct buf *file) {
    struct pending *w = calloc(1, sizeof *w);

    must(w != NULL);
    sha256(buf_view(file), w->hash);
    w->lsn = i->lsn;
    w->bytes = *file;
    buf_init(file, 0);
    struct version_row v = { .room = slice_of(i->room), .lsn = w->lsn, .bytes = buf_view(&w->bytes) };
    memcpy(v.hash, w->hash, 32);
    i->pending = w;
    i->flight = FLIGHT_WROTE;

    struct errand *e = errand_new(p, ERRAND_WROTE, i);
    buf_text(&e->bytes, "{\"room\":");
    buf_json(&e->bytes, slice_of(i->room));
    buf_text(&e->bytes, ",\"path\":");
    buf_json(&e->bytes, slice_of(i->path));
    buf_text(&e->bytes, ",\"hash\":\"");
    put_hex(&e->bytes, w->hash);
    buf_printf(&e->bytes, "\",\"lsn\":%llu}", (unsigned long long)w->lsn);
    errand_send(p, e);
    return index_put_version(p->index, &v);
}

static int export_over(struct projector *p, struct card *i, struct slice previous) {
    struct entity_problem why = { 0 };
    struct weave *doc = replica_of(p, i);
    struct buf file;

    if (doc == NULL) return E_OK;                       /* said in its row already */
    buf_init(&file, LIMIT_DOCUMENT_BYTES);
    int e = entity_export(i->kind, doc, previous, &file, &why);
    if (e != E_OK) {                                    /* D5: the last valid file stays */
        e = catalog_problem(p, i, "shape", &why);
    } else {
        e = catalog_clear_problem(p, i, "shape");
        if (e == E_OK && slice_eq(buf_view(&file), previous)) e = is_current(p, i);
        else if (e == E_OK) e = send_wrote(p, i, &file);
    }
    buf_deinit(&file);
    return e;
}

int write_back(struct projector *p, struct card *i) {
    uint8_t hash[32];

    if (i->room == NULL || i->lsn == 0 || i->path == NULL || i->state != ENTITY_OK || i->unreadable) return E_OK;
    if (i->flight != FLIGHT_NONE || p->n_flights >= LIMIT_FLIGHTS) return again(p, i, AGAIN_MS);
    if (git_busy(p)) return again(p, i, RETRY_MS), pause_for(p, i, git_busy(p));

    buf_reset(&p->bytes);
    p->bytes.max = LIMIT_DOCUMENT_BYTES;
    int e = disk_read(p->disk, i->path, &p->bytes, NULL);
    if (e == E_AGAIN) return again(p, i, AGAIN_MS);
    if (e == E_NOT_FOUND && !card_has_file(i) && !i->lost) return export_over(p, i, slice_of(""));
    if (e == E_NOT_FOUND) return file_absent(p, i);     /* it comes back and is looked at, or it is gone */
    if (e != E_OK) return failed(p, i, e);
    sha256(buf_view(&p->bytes), hash);
    if (memcmp(hash, i->hash, 32) != 0) {               /* somebody was there first */
        card_visit(p, i, now_ms());
        return again(p, i, WRITE_BACK_MS);
    }
    e = catalog_clear_problem(p, i, "paused");
    return e != E_OK ? e : export_over(p, i, buf_view(&p->bytes));
}

/* ---- journaled: write it ---------------------------------------------------------------------------------- */

static int written(struct projector *p, struct card *i) {
    struct disk_file file;

    memcpy(i->hash, i->pending->hash, 32);
    i->file_lsn = i->pending->lsn;
    i->lost = false;
    if (disk_stat(p->disk, i->path, &file) == E_OK) {
        i->mtime_ns = file.mtime_ns;
        i->size = file.size;
    }
    if (i->lsn > i->file_lsn && i->write_ms == 0) again(p, i, WRITE_BACK_MS);
    int e = catalog_clear_problem(p, i, "write");
    return e != E_OK ? e : catalog_touch(p, i);
}

int wrote_done(struct projector *p, struct card *i, int err, uint64_t lsn) {
    struct slice bytes = buf_view(&i->pending->bytes);

    (void)lsn;
    if (err != E_OK) return again(p, i, RETRY_MS);      /* disk full, most likely: the row is asked for again */
    if (i->state == ENTITY_GONE || i->lsn == 0 || i->path == NULL) return E_OK;     /* deleted meanwhile */
    if (git_busy(p)) return again(p, i, RETRY_MS);

    int e = card_has_file(i) ? disk_replace(p->disk, i->path, bytes) : disk_create(p->disk, i->path, bytes);
    switch (e) {
    case E_OK: return written(p, i);
    case E_NOT_FOUND: card_visit(p, i, now_ms() + AGAIN_MS); return again(p, i, WRITE_BACK_MS);
    case E_EXISTS: card_visit(p, i, now_ms()); return again(p, i, WRITE_BACK_MS);
    default: return failed(p, i, e);
    }
}
