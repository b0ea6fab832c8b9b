/* replica.c -- documents of rooms, as far as the projector has followed. Projector's thread.
 *
 * A replica is made from the log when it is needed and dropped when the budget is used up, the least
 * recently used first; it can always be made again. It never leads the cursor (P1). */
#include "projection/projector_int.h"

#include <stdlib.h>

#include "base/err.h"
#include "base/log.h"
#include "base/must.h"
#include "base/rand.h"
#include "entity/import.h"

/* An id for edits of our own making: drawn anew each time, outside the imports' range (D1). */
uint64_t fresh_client(void) { return 1 + rand_u64() % (IMPORT_CLIENT_FIRST - 1); }

/* ---- from the log ------------------------------------------------------------------------------------------ */

static int apply(struct weave *doc, struct slice bytes) {
    int e = weave_apply(doc, weave_of(bytes), NULL);
    return e == 0 ? E_OK : e == WEAVE_TOO_LARGE ? E_TOO_LARGE : E_CORRUPT;
}

static int on_snapshot(void *ctx, struct slice bytes, uint64_t lsn) {
    (void)lsn;
    return apply(ctx, bytes);
}

static int on_row(void *ctx, const struct row *row) {
    struct slice bytes = row->bytes;

    if (row->kind == ROW_IMPORT) {
        if (bytes.len < 32) return E_CORRUPT;
        bytes = (struct slice){ bytes.at + 32, bytes.len - 32 };
    }
    return apply(ctx, bytes);
}

int document_upto(struct projector *p, struct slice room, uint64_t upto, uint64_t client, struct weave **out) {
    struct weave *doc = weave_new(client, LIMIT_DOCUMENT_BYTES);
    int e = index_load_room_upto(p->index, p->log, room, upto, on_snapshot, on_row, doc);

    if (e != E_OK) {
        log_error("projector.document", "room=%.*s why=\"%s\"", SLICE_ARG(room), err_text(e));
        weave_free(doc);
        return e;
    }
    *out = doc;
    return E_OK;
}

/* ---- the list, newest first ---------------------------------------------------------------------------------- */

static void unlink_replica(struct projector *p, struct replica *r) {
    if (r->newer) r->newer->older = r->older;
    else p->newest = r->older;
    if (r->older) r->older->newer = r->newer;
    else p->oldest = r->newer;
    r->newer = r->older = NULL;
}

static void link_newest(struct projector *p, struct replica *r) {
    r->older = p->newest;
    if (p->newest) p->newest->newer = r;
    else p->oldest = r;
    p->newest = r;
}

void replica_drop(struct projector *p, struct card *i) {
    struct replica *r = i->replica;

    if (r == NULL) return;
    unlink_replica(p, r);
    weave_free(r->doc);
    free(r);
    i->replica = NULL;
}

struct weave *replica_of(struct projector *p, struct card *i) {
    struct replica *r = i->replica;

    if (r) {
        unlink_replica(p, r);
        link_newest(p, r);
        return r->doc;
    }
    struct weave *doc;
    if (document_upto(p, slice_of(i->room), p->cursor, fresh_client(), &doc) != E_OK) return NULL;
    r = calloc(1, sizeof *r);
    must(r != NULL);
    r->doc = doc;
    r->card = i;
    i->replica = r;
    link_newest(p, r);
    return doc;
}

/* Called between batches: what weave_memory says is asked of all, which is a sum over at most some
 * thousands of documents. One replica always stays. */
void replica_trim(struct projector *p) {
    size_t used = 0;

    for (struct replica *r = p->newest; r; r = r->older) used += weave_memory(r->doc);
    while (used > p->config.replica_bytes && p->oldest != p->newest) {
        used -= weave_memory(p->oldest->doc);
        replica_drop(p, p->oldest->card);
    }
}
