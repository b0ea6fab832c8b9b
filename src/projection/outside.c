/* outside.c -- a file that is not as we left it becomes an update for its room (F2, P6). Projector's
 * thread.
 *
 * What another program wrote is compared with what we wrote, not with what the document says by now:
 * an editor that read version 1 and saves after version 3 must not delete what came in between. So the
 * base of the merge is that of the last versions which is nearest to the file. The update is built on
 * a clone of the replica under a fresh client id and goes to the room; until its outcome is known the
 * file is neither written nor merged again. */
#include "projection/projector_int.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/log.h"
#include "base/must.h"
#include "base/sha256.h"
#include "merge/diff.h"

struct found {              /* a file as it was read; bytes are in p->bytes, or lent by disk_settle */
    struct slice bytes;
    uint8_t hash[32];
    uint64_t mtime_ns, size;
    bool displaced;
};

/* ---- versions -------------------------------------------------------------------------------------------- */

struct version_search { const uint8_t *hash; uint64_t lsn; bool found, newest; size_t n; };

static int match_version(void *ctx, const struct version_row *v) {
    struct version_search *s = ctx;
    if (!s->found && memcmp(v->hash, s->hash, 32) == 0) {
        s->found = true;
        s->newest = s->n == 0;
        s->lsn = v->lsn;
    }
    s->n++;
    return E_OK;
}

/* E_OK, or E_NOT_FOUND: we never wrote that. */
static int find_version(struct projector *p, const struct card *i, struct version_search *s) {
    int e = index_versions(p->index, slice_of(i->room), match_version, s);
    return e == E_OK && !s->found ? E_NOT_FOUND : e;
}

struct base {               /* the nearest version so far */
    struct projector *projector;
    const struct card *card;
    struct slice file;
    struct buf bytes;
    uint64_t lsn;
    size_t distance;
};

static size_t distance(struct slice a, struct slice b) {
    struct diff d = { 0 };
    size_t sum = 0;

    if (diff_text(a, b, &d) != E_OK) sum = a.len + b.len;
    for (size_t n = 0; n < d.n; n++) sum += d.edits[n].delete_units + d.edits[n].insert.len;
    diff_deinit(&d);
    return sum;
}

/* A version whose bytes were lost with index.db: the document as it was, written out again. What it
 * says is the same; only comments and style may be missing, and a merge does not look at those. */
static int write_again(struct projector *p, const struct card *i, uint64_t lsn, struct buf *out) {
    struct entity_problem why;
    struct weave *doc;
    int e = document_upto(p, slice_of(i->room), lsn, fresh_client(), &doc);

    if (e != E_OK) return e;
    e = entity_export(i->kind, doc, slice_of(""), out, &why);
    weave_free(doc);
    return e;
}

static int take_nearer(void *ctx, const struct version_row *v) {
    struct base *b = ctx;
    struct buf again;

    buf_init(&again, LIMIT_DOCUMENT_BYTES);
    struct slice bytes = v->bytes;
    if (bytes.len == 0 && write_again(b->projector, b->card, v->lsn, &again) == E_OK) bytes = buf_view(&again);
    if (bytes.len > 0) {
        size_t d = distance(bytes, b->file);
        if (d < b->distance) {                  /* ties: the newest, which comes first */
            b->distance = d;
            b->lsn = v->lsn;
            buf_reset(&b->bytes);
            buf_slice(&b->bytes, bytes);
        }
    }
    buf_deinit(&again);
    return E_OK;
}

static int take_newest(void *ctx, const struct version_row *v) {
    struct base *b = ctx;
    return b->distance == SIZE_MAX ? take_nearer(ctx, v) : E_OK;
}

/* `newest`: the last one whatever the file looks like. Without any version: the document as it is. */
static int choose_base(struct base *b, bool newest) {
    struct projector *p = b->projector;

    b->distance = SIZE_MAX;
    buf_init(&b->bytes, LIMIT_DOCUMENT_BYTES);
    int e = index_versions(p->index, slice_of(b->card->room), newest ? take_newest : take_nearer, b);
    if (e != E_OK || b->distance != SIZE_MAX) return e;
    b->lsn = b->card->lsn;
    return write_again(p, b->card, b->lsn, &b->bytes);
}

static int remember(struct projector *p, const struct card *i, const uint8_t hash[32], uint64_t lsn,
                    struct slice bytes) {
    struct version_row v = { .room = slice_of(i->room), .lsn = lsn, .bytes = bytes };
    memcpy(v.hash, hash, 32);
    return index_put_version(p->index, &v);
}

/* ---- merging ------------------------------------------------------------------------------------------------ */

static int unreadable(struct projector *p, struct card *i, const struct entity_problem *why) {
    i->unreadable = true;
    return catalog_problem(p, i, "file", why);
}

static int readable(struct projector *p, struct card *i) {
    i->unreadable = false;
    return catalog_clear_problem(p, i, "file");
}

static void take_facts(struct card *i, const struct found *f) {
    memcpy(i->hash, f->hash, 32);
    i->mtime_ns = f->mtime_ns;
    i->size = f->size;
}

static struct weave *clone_of(struct projector *p, struct card *i) {
    struct weave *doc = replica_of(p, i);
    struct buf all;

    if (doc == NULL) return NULL;
    struct weave *clone = weave_new(fresh_client(), LIMIT_DOCUMENT_BYTES);
    buf_init(&all, 2 * LIMIT_DOCUMENT_BYTES);
    int e = weave_since(doc, (struct weave_bytes){ 0 }, sink_into(&all));
    if (e == 0 && !all.bad) e = weave_apply(clone, bytes_of(&all), NULL);
    else e = -1;
    buf_deinit(&all);
    if (e == 0) return clone;
    weave_free(clone);
    return NULL;
}

/* The file says the same as its base: only its style is new. It is the next version to build on. */
static int same_content(struct projector *p, struct card *i, const struct found *f, uint64_t lsn) {
    int e = remember(p, i, f->hash, lsn, f->bytes);

    if (e != E_OK || f->displaced) return e;
    take_facts(i, f);
    i->file_lsn = lsn;
    if (i->lsn > i->file_lsn) card_write(p, i, now_ms() + WRITE_BACK_MS);
    e = readable(p, i);
    return e != E_OK ? e : catalog_touch(p, i);
}

static int send_merge(struct projector *p, struct card *i, const struct found *f, struct buf *update) {
    struct room_state state;
    int e = p->log->kind->room_state(p->log, slice_of(i->room), &state);

    if (e != E_OK || !state.exists || state.deleted) return E_AGAIN;    /* its ROW_DELETE comes soon */
    struct errand *errand = errand_new(p, ERRAND_MERGE, i);
    snprintf(errand->lineage, sizeof errand->lineage, "%s", state.lineage);
    buf_deinit(&errand->bytes);
    errand->bytes = *update;
    buf_init(update, 0);

    struct pending *w = calloc(1, sizeof *w);
    must(w != NULL);
    memcpy(w->hash, f->hash, 32);
    w->mtime_ns = f->mtime_ns;
    w->size = f->size;
    w->displaced = f->displaced;
    buf_init(&w->bytes, LIMIT_DOCUMENT_BYTES);
    buf_slice(&w->bytes, f->bytes);
    i->pending = w;
    i->flight = FLIGHT_MERGE;
    errand_send(p, errand);
    log_info("workspace.merge", "file=%s bytes=%zu", i->path, errand->bytes.len);
    return E_OK;
}

static int build(struct projector *p, struct card *i, const struct found *f, const struct base *base) {
    struct entity_problem why = { 0 };
    struct weave *clone = clone_of(p, i);
    struct buf update;

    if (clone == NULL) return E_CORRUPT;
    buf_init(&update, LIMIT_DOCUMENT_BYTES);
    int e = entity_merge(i->kind, clone, buf_view(&base->bytes), f->bytes, &update, &why);
    if (e == E_OK && update.len == 0) e = same_content(p, i, f, base->lsn);
    else if (e == E_OK) e = send_merge(p, i, f, &update);
    else if (e == E_INVALID) e = unreadable(p, i, &why);
    buf_deinit(&update);
    weave_free(clone);
    return e;
}

static int merge(struct projector *p, struct card *i, const struct found *f, bool newest_base) {
    struct base base = { .projector = p, .card = i, .file = f->bytes };

    if (p->config.once || p->n_flights >= LIMIT_FLIGHTS) return E_AGAIN;
    int e = choose_base(&base, newest_base);
    if (e == E_OK) e = build(p, i, f, &base);
    else if (e == E_INVALID) e = E_CORRUPT;
    buf_deinit(&base.bytes);
    if (e == E_CORRUPT && !index_is_damaged(p->index)) {    /* of this room alone */
        struct entity_problem why = { .text = "its rows in the log cannot be read, so the file is left alone" };
        return unreadable(p, i, &why);
    }
    return e;
}

int merge_done(struct projector *p, struct card *i, int err, uint64_t lsn) {
    struct pending *w = i->pending;
    int e = E_OK;

    if (err == E_OK) {
        e = remember(p, i, w->hash, lsn ? lsn : i->lsn, buf_view(&w->bytes));
        if (!w->displaced) {
            memcpy(i->hash, w->hash, 32);
            i->mtime_ns = w->mtime_ns;
            i->size = w->size;
        }
        if (e == E_OK) e = readable(p, i);
        if (e == E_OK) e = catalog_touch(p, i);
        card_write(p, i, now_ms() + WRITE_BACK_MS);
    } else {
        log_warn("workspace.merge", "file=%s why=\"%s\" next=\"again\"", i->path, err_text(err));
        card_visit(p, i, now_ms() + RETRY_MS);
    }
    return e;
}

/* ---- looking at a file ----------------------------------------------------------------------------------------- */

/* Does git's index say that git itself put the file there? Checkout and its like write the file, then
 * the index; an editor touches neither. */
static bool by_git(struct projector *p, const struct found *f) {
    return p->git_index && git_touched(p->git_index, f->mtime_ns);
}

/* A version we know. Not the newest: an editor that saved what it had read long ago (then the file
 * is brought forward), or git that was asked for it (then it is what people want). */
static int known_version(struct projector *p, struct card *i, const struct found *f,
                         const struct version_search *s) {
    if (f->displaced) return E_OK;
    if (!s->newest && by_git(p, f)) return merge(p, i, f, true);
    take_facts(i, f);
    i->file_lsn = s->lsn;
    if (i->lsn > s->lsn) card_write(p, i, now_ms());
    int e = readable(p, i);
    return e != E_OK ? e : catalog_touch(p, i);
}

static int not_ours(struct projector *p, struct card *i, const struct found *f) {
    struct entity_problem why = { 0 };
    struct version_search s = { .hash = f->hash };
    const char *text = "";

    buf_reset(&p->json);
    int e = entity_file_json(i->kind, f->bytes, &p->json, &why);
    if (e != E_OK) return unreadable(p, i, &why);
    e = shape_make(i->kind, buf_view(&p->json), slice_of(i->path), &p->shape, &text);
    if (e != E_OK || !slice_is(card_id(i), p->shape.id)) {
        snprintf(why.text, sizeof why.text, "its id is no longer %s; it is not read or written until it is",
                 i->room + strlen(kind_text(i->kind)) + 1);
        return unreadable(p, i, &why);
    }
    e = find_version(p, i, &s);
    if (e == E_OK) return known_version(p, i, f, &s);
    return e == E_NOT_FOUND ? merge(p, i, f, false) : e;
}

static int unchanged(struct projector *p, struct card *i, const struct found *f) {
    take_facts(i, f);
    if (i->state == ENTITY_GONE) {
        i->state = ENTITY_OK;
        card_touch(p, i);
    }
    if (i->lsn > i->file_lsn && i->write_ms == 0) card_write(p, i, now_ms());
    int e = readable(p, i);
    return e != E_OK ? e : catalog_touch(p, i);
}

static int look(struct projector *p, struct card *i, struct found *f) {
    char why[160];
    int line = disk_has_conflict(f->bytes);

    if (git_busy(p) || line > 0) {
        snprintf(why, sizeof why, line > 0 ? "it holds git's conflict markers" : "%s", git_busy(p));
        card_visit(p, i, now_ms() + RETRY_MS);
        return pause_for(p, i, why);
    }
    sha256(f->bytes, f->hash);
    i->absent_ms = 0;
    i->lost = false;
    int e = catalog_clear_problem(p, i, "paused");
    if (e != E_OK) return e;
    if (memcmp(f->hash, i->hash, 32) == 0) return unchanged(p, i, f);
    if (i->state == ENTITY_GONE) {
        i->state = ENTITY_OK;
        card_touch(p, i);
    }
    e = not_ours(p, i, f);
    if (e != E_AGAIN) return e;
    card_visit(p, i, now_ms() + AGAIN_MS);
    return E_OK;
}

int visit(struct projector *p, struct card *i) {
    struct entity_problem why = { 0 };
    struct disk_file file;

    if (i->room == NULL || i->lsn == 0) return scan_file(p, i);
    if (i->flight != FLIGHT_NONE) return card_visit(p, i, now_ms() + AGAIN_MS), E_OK;
    buf_reset(&p->bytes);
    p->bytes.max = LIMIT_DOCUMENT_BYTES;
    int e = disk_read(p->disk, i->path, &p->bytes, &file);
    if (e == E_NOT_FOUND) return card_has_file(i) || i->lost ? file_absent(p, i) : E_OK;
    if (e == E_AGAIN) return card_visit(p, i, now_ms() + AGAIN_MS), E_OK;
    if (e != E_OK) {
        snprintf(why.text, sizeof why.text, "it cannot be read: %s", err_text(e));
        return unreadable(p, i, &why);
    }
    struct found f = { .bytes = buf_view(&p->bytes), .mtime_ns = file.mtime_ns, .size = file.size };
    return look(p, i, &f);
}

/* The other side of a write (F1): what was in the file when ours went in. */
int on_displaced(void *projector, const char *path, struct slice bytes) {
    struct projector *p = projector;
    struct card *i = card_at(p, path);
    struct found f = { .bytes = bytes, .displaced = true };
    struct version_search s = { .hash = f.hash };

    if (i == NULL || i->room == NULL || i->lsn == 0) {
        log_warn("workspace.aside", "file=%s why=\"its entity is gone\"", path);
        return E_OK;
    }
    sha256(bytes, f.hash);
    if (memcmp(f.hash, i->hash, 32) == 0) return E_OK;
    int e = find_version(p, i, &s);
    if (e != E_NOT_FOUND) return e;                     /* E_OK: ours */
    if (i->flight != FLIGHT_NONE) return E_AGAIN;
    e = not_ours(p, i, &f);
    return e == E_OK ? E_AGAIN : e;                     /* asked again: then it is a version, and ours */
}
