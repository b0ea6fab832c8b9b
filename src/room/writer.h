/* writer.h -- the thread that makes the journal durable: takes everything sealed, appends it to
 * the log as rows, commits once, moves the cursor. Whatever arrives meanwhile is the next batch.
 *
 * It owns the log's writing handle from writer_start to writer_stop and does nothing else that
 * could delay a commit. Checkpoints run between commits.
 *
 *   disk full        journal_failed; `read_only` says why until a probe commit succeeds
 *   fsync fails      one line, on_fatal, and nothing is committed or acknowledged ever after (A8) */
#ifndef ROOM_WRITER_H
#define ROOM_WRITER_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/log.h"
#include "room/journal.h"

struct writer_config {
    struct journal *journal;
    struct store *store;                        /* a writing handle; borrowed */
    void (*on_fatal)(void *ctx, int err);       /* on the writer: ends the process with a failure (_exit) */
    void *ctx;
};

struct writer {
    struct writer_config config;
    pthread_t thread;
    bool probing;                               /* writer: its own copy of read_only != E_OK */
    bool unchecked;                             /* writer: commits since the last idle checkpoint */
    struct log_gate gate;
    _Atomic bool stop;
    _Atomic int read_only;                      /* E_OK, or why nothing can be written now (E_FULL, ...).
                                                   Anybody may load it: rooms refuse edits, /health says so */
    _Atomic uint64_t commits, rows;             /* since the start, for metrics */
};

int writer_start(struct writer *w, const struct writer_config *config);     /* E_OK or E_OVERLOADED */

/* Commits what is sealed (seal before, publish after), copies the WAL into the file, joins. */
void writer_stop(struct writer *w);

static inline int writer_read_only(const struct writer *w) {
    return atomic_load_explicit(&w->read_only, memory_order_acquire);
}

#endif
