/* journal.c -- the ring between the reactor and the writer. Invariants J1-J5: journal.h. */
#include "room/journal.h"

#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/err.h"
#include "base/must.h"

static void wakeup_signal(int fd) {
    uint64_t one = 1;
    ssize_t n = write(fd, &one, sizeof one);
    must(n == sizeof one);
}

static void wakeup_clear(int fd) {
    uint64_t n;
    ssize_t got = read(fd, &n, sizeof n);       /* nothing there: somebody else cleared it */
    (void)got;
}

struct journal *journal_new(void) {
    struct journal *j = calloc(1, sizeof *j);
    must(j);
    j->wakeup_writer = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    j->wakeup_reactor = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    must(j->wakeup_writer >= 0 && j->wakeup_reactor >= 0);
    return j;
}

/* Gives back what an entry holds. Its slot may be written over afterwards. */
static void entry_release(struct journal *j, struct entry *e) {
    j->bytes -= e->bytes->len;
    frame_unref(e->bytes);
    if (e->name) frame_unref(e->name);
    if (e->lineage) frame_unref(e->lineage);
    if (e->message_id) frame_unref(e->message_id);
    if (e->who) principal_unref(e->who);
}

void journal_free(struct journal *j) {
    if (!j) return;
    while (j->appended > j->published) entry_release(j, journal_at(j, --j->appended));
    close(j->wakeup_writer);
    close(j->wakeup_reactor);
    free(j);
}

bool journal_full(const struct journal *j, size_t bytes) {
    return j->appended - j->published == LIMIT_JOURNAL || bytes > LIMIT_JOURNAL_BYTES - j->bytes;
}

uint64_t journal_append(struct journal *j, struct entry e) {
    must(e.bytes && !j->dropping);
    must(!journal_full(j, e.bytes->len));
    *journal_at(j, j->appended) = e;
    j->bytes += e.bytes->len;
    return j->appended++;
}

void journal_seal(struct journal *j) {
    uint64_t sealed = atomic_load_explicit(&j->sealed, memory_order_relaxed);
    must(sealed <= j->appended);
    if (sealed == j->appended) return;
    atomic_store_explicit(&j->sealed, j->appended, memory_order_release);
    wakeup_signal(j->wakeup_writer);
}

static void publish_durable(struct journal *j) {
    uint64_t durable = atomic_load_explicit(&j->durable, memory_order_acquire);
    uint64_t lsn_ahead = atomic_load_explicit(&j->lsn_ahead, memory_order_relaxed);
    must(j->published <= durable && durable <= j->appended);
    while (j->published < durable) {
        struct entry *e = journal_at(j, j->published);
        uint64_t lsn = j->published + lsn_ahead;
        if (e->done) e->done(e->ctx, E_OK, lsn);
        if (j->on_durable) j->on_durable(j->on_durable_ctx, e, lsn);
        if (j->publish) j->publish(j->ctx, e, lsn);
        entry_release(j, e);
        j->published++;                         /* last: the callbacks may append, not into this slot */
    }
}

/* A8. The writer waits until `failed` is E_OK again, so nobody reads these entries meanwhile. */
static void drop_failed(struct journal *j, int err) {
    uint64_t durable = atomic_load_explicit(&j->durable, memory_order_relaxed);
    j->dropping = true;
    while (j->appended > durable) {
        struct entry *e = journal_at(j, j->appended - 1);
        if (e->done) e->done(e->ctx, err, 0);
        if (j->on_dropped) j->on_dropped(j->ctx, e, err);
        entry_release(j, e);
        j->appended--;
    }
    j->dropping = false;
    atomic_store_explicit(&j->sealed, durable, memory_order_relaxed);
    atomic_store_explicit(&j->failed, E_OK, memory_order_release);
    wakeup_signal(j->wakeup_writer);
}

void journal_publish(struct journal *j) {
    wakeup_clear(j->wakeup_reactor);            /* before the cursors are read: no wakeup is lost */
    int err = atomic_load_explicit(&j->failed, memory_order_acquire);
    publish_durable(j);
    if (err != E_OK) drop_failed(j, err);
}

bool journal_pending(struct journal *j, uint64_t *from, uint64_t *to) {
    if (atomic_load_explicit(&j->failed, memory_order_acquire) != E_OK) return false;
    *from = atomic_load_explicit(&j->durable, memory_order_relaxed);
    *to = atomic_load_explicit(&j->sealed, memory_order_acquire);
    return *from < *to;
}

void journal_committed(struct journal *j, uint64_t to, uint64_t last_lsn) {
    uint64_t lsn_ahead = last_lsn - (to - 1);   /* may wrap: it is only ever added back */
    uint64_t durable = atomic_load_explicit(&j->durable, memory_order_relaxed);
    must(durable < to && to <= atomic_load_explicit(&j->sealed, memory_order_relaxed));
    must(durable == 0 || lsn_ahead == atomic_load_explicit(&j->lsn_ahead, memory_order_relaxed));
    atomic_store_explicit(&j->lsn_ahead, lsn_ahead, memory_order_relaxed);
    atomic_store_explicit(&j->lsn, last_lsn, memory_order_relaxed);
    atomic_store_explicit(&j->durable, to, memory_order_release);
    wakeup_signal(j->wakeup_reactor);
}

void journal_failed(struct journal *j, int err) {
    must(err != E_OK);
    atomic_store_explicit(&j->failed, err, memory_order_release);
    wakeup_signal(j->wakeup_reactor);
}
