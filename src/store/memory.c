/* memory.c -- the fake log of the tests (memory.h).
 *
 * Invariant: rows below `n` never change while a handle is open; the writing handle alone stores n. */
#include "store/memory.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "base/err.h"
#include "base/must.h"

struct kept {
    struct row row;
    uint8_t bytes[];            /* what row's slices point to */
};

struct memory_disk {
    struct kept *rows[MEMORY_ROWS];     /* lsn - 1 */
    _Atomic uint64_t n;
    _Atomic int fail_err;
    _Atomic unsigned fail_times;
    _Atomic bool held, has_writer;
};

struct memory_store {
    struct store base;
    struct memory_disk *disk;
    bool writing;
    uint64_t pending;           /* rows appended beyond n */
    bool overflow;
};

static struct kept *keep(const struct row *row, uint64_t lsn) {
    const struct slice from[] = { row->room, row->lineage, row->user, row->session, row->message_id, row->bytes };
    size_t len = 0;
    for (size_t i = 0; i < 6; i++) len += from[i].len;
    struct kept *k = malloc(sizeof *k + len);
    must(k);
    k->row = *row;
    k->row.lsn = lsn;
    struct slice *const to[] = { &k->row.room, &k->row.lineage, &k->row.user, &k->row.session,
                                 &k->row.message_id, &k->row.bytes };
    uint8_t *at = k->bytes;
    for (size_t i = 0; i < 6; i++) {
        if (from[i].len) memcpy(at, from[i].at, from[i].len);
        to[i]->at = at;
        at += from[i].len;
    }
    return k;
}

static uint64_t rows(const struct memory_disk *d) { return atomic_load_explicit(&d->n, memory_order_acquire); }

/* ---- writing ------------------------------------------------------------------------------- */

static void drop_pending(struct memory_store *s) {
    uint64_t n = rows(s->disk);
    while (s->pending) free(s->disk->rows[n + --s->pending]);
    s->overflow = false;
}

static int memory_append(struct store *base, const struct row *row) {
    struct memory_store *s = (struct memory_store *)base;
    uint64_t at = rows(s->disk) + s->pending;
    must(s->writing && (!row->room.len || row->lineage.len == LINEAGE_LEN));
    if (at == MEMORY_ROWS) {
        s->overflow = true;
        return E_FULL;
    }
    s->disk->rows[at] = keep(row, at + 1);
    s->pending++;
    return E_OK;
}

static int ordered_to_fail(struct memory_disk *d) {
    unsigned times = atomic_load(&d->fail_times);
    while (times && !atomic_compare_exchange_weak(&d->fail_times, &times, times - 1)) { }
    return times ? atomic_load(&d->fail_err) : E_OK;
}

static void wait_while_held(struct memory_disk *d) {
    const struct timespec ms = { .tv_nsec = 1000000 };
    while (atomic_load(&d->held)) nanosleep(&ms, NULL);
}

/* The lineage an earlier row of the room set holds, until a delete (as in sqlite_write.c). */
static void settle_lineage(struct memory_disk *d, uint64_t at) {
    struct row *row = &d->rows[at]->row;
    if (!row->room.len) return;
    for (uint64_t i = at; i-- > 0;) {
        const struct row *before = &d->rows[i]->row;
        if (!slice_eq(before->room, row->room)) continue;
        if (before->kind != ROW_DELETE) memcpy(d->rows[at]->bytes + row->room.len, before->lineage.at, LINEAGE_LEN);
        return;
    }
}

static int memory_commit(struct store *base, uint64_t *last_lsn) {
    struct memory_store *s = (struct memory_store *)base;
    uint64_t n = rows(s->disk);
    must(s->writing);
    *last_lsn = n;
    if (!s->pending && !s->overflow) return E_OK;
    wait_while_held(s->disk);
    int err = s->overflow ? E_FULL : ordered_to_fail(s->disk);
    if (err != E_OK) {
        drop_pending(s);
        return err;
    }
    for (uint64_t i = n; i < n + s->pending; i++) settle_lineage(s->disk, i);
    *last_lsn = n + s->pending;
    s->pending = 0;
    atomic_store_explicit(&s->disk->n, *last_lsn, memory_order_release);
    return E_OK;
}

static int memory_probe(struct store *base) {
    struct memory_store *s = (struct memory_store *)base;
    wait_while_held(s->disk);
    return ordered_to_fail(s->disk);
}

static int memory_checkpoint(struct store *base, bool idle) {
    (void)base, (void)idle;
    return E_OK;
}

/* ---- reading ------------------------------------------------------------------------------- */

static int memory_room_state(struct store *base, struct slice room, struct room_state *out) {
    struct memory_store *s = (struct memory_store *)base;
    uint64_t n = rows(s->disk);
    *out = (struct room_state){ 0 };
    for (uint64_t i = 0; i < n; i++) {
        const struct row *row = &s->disk->rows[i]->row;
        if (!slice_eq(row->room, room)) continue;
        if (!slice_is(row->lineage, out->lineage)) out->first_lsn = row->lsn;
        memcpy(out->lineage, row->lineage.at, LINEAGE_LEN);
        out->exists = true;
        out->deleted = row->kind == ROW_DELETE;
    }
    return E_OK;
}

static int memory_follow(struct store *base, uint64_t after_lsn, size_t rows_max, store_on_row *on_row, void *ctx) {
    struct memory_store *s = (struct memory_store *)base;
    uint64_t n = rows(s->disk);
    for (uint64_t i = after_lsn; i < n && rows_max; i++, rows_max--) {
        int err = on_row(ctx, &s->disk->rows[i]->row);
        if (err != E_OK) return err;
    }
    return E_OK;
}

static int memory_read(struct store *base, uint64_t lsn, store_on_row *on_row, void *ctx) {
    struct memory_store *s = (struct memory_store *)base;
    if (lsn == 0 || lsn > rows(s->disk)) return E_NOT_FOUND;
    return on_row(ctx, &s->disk->rows[lsn - 1]->row);
}

static int memory_last_lsn(struct store *base, uint64_t *out) {
    *out = rows(((struct memory_store *)base)->disk);
    return E_OK;
}

/* ---- handles and disks --------------------------------------------------------------------- */

static void memory_close(struct store *base) {
    struct memory_store *s = (struct memory_store *)base;
    drop_pending(s);
    if (s->writing) atomic_store(&s->disk->has_writer, false);
    free(s);
}

static const struct store_kind kind = {
    .name = "memory",
    .append = memory_append, .commit = memory_commit, .probe = memory_probe,
    .checkpoint = memory_checkpoint,
    .room_state = memory_room_state, .follow = memory_follow, .read = memory_read,
    .last_lsn = memory_last_lsn,
    .close = memory_close,
};

struct memory_disk *memory_disk_new(void) {
    struct memory_disk *d = calloc(1, sizeof *d);
    must(d);
    return d;
}

void memory_disk_free(struct memory_disk *d) {
    if (!d) return;
    memory_lose(d, 0);
    free(d);
}

int memory_open(struct memory_disk *d, bool writing, struct store **out) {
    if (writing && atomic_exchange(&d->has_writer, true)) return E_EXISTS;
    struct memory_store *s = calloc(1, sizeof *s);
    must(s);
    *s = (struct memory_store){ .base.kind = &kind, .disk = d, .writing = writing };
    *out = &s->base;
    return E_OK;
}

void memory_fail(struct memory_disk *d, int err, unsigned times) {
    atomic_store(&d->fail_err, err);
    atomic_store(&d->fail_times, times);
}

void memory_hold(struct memory_disk *d, bool on) { atomic_store(&d->held, on); }

void memory_lose(struct memory_disk *d, uint64_t after_lsn) {
    uint64_t n = rows(d);
    while (n > after_lsn) free(d->rows[--n]);
    atomic_store(&d->n, n);
}
