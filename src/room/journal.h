/* journal.h -- the only path from an accepted edit to the members of its room.
 *
 * One ring of entries and four cursors that never overtake each other:
 *
 *   published  <=  durable  <=  sealed  <=  appended  <=  published + LIMIT_JOURNAL
 *
 *   appended   a room added an entry                   (reactor)
 *   sealed     the tick ended: the writer may read it  (reactor stores, writer loads)
 *   durable    it is on disk                           (writer stores, reactor loads)
 *   published  it was sent to the room's members       (reactor)
 *
 * Invariants:
 *   J1  An entry gets one sequence number, without gaps, in the order the rooms accepted it.
 *   J2  No entry is published before it is durable.
 *   J3  Entries are published in sequence order.
 *   J4  Between sealed and durable an entry is only read, by the writer alone.
 *   J5  What was sealed together is wholly durable or not at all. An entry is one row of the log,
 *       so lsn - sequence number never changes.
 *
 * A failed commit (A8): the writer stores `failed` and waits. The reactor drops every entry from
 * `durable` to `appended`, the newest first: `done`, then `on_dropped`. Their sequence numbers are
 * given out again (whoever waits for one belongs to a room that on_dropped names). Then it
 * clears `failed`, and the writer goes on.
 *
 * Two threads, no lock: each cursor is stored by one thread. */
#ifndef ROOM_JOURNAL_H
#define ROOM_JOURNAL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/frame.h"
#include "room/principal.h"
#include "store/store.h"

#define LIMIT_JOURNAL 8192          /* entries not yet published; a power of two */
#define LIMIT_JOURNAL_BYTES MIB(128)    /* of their frames together */
_Static_assert((LIMIT_JOURNAL & (LIMIT_JOURNAL - 1)) == 0, "the ring wraps with a mask");

struct room;

struct entry {
    struct room *room;              /* NULL: belongs to no live room (a file was written, ...) */
    uint32_t author;                /* the member that is skipped when publishing, 0 for none */
    enum row_kind kind;
    enum row_cause cause;
    struct frame *bytes;            /* what is stored and published; the entry holds a reference */
    struct frame *name;             /* the room's name, for the row; a reference; NULL: no room */
    struct frame *lineage;          /* the room's (D1), for its first row; a reference; NULL: no room */
    struct frame *message_id;       /* the client's, or NULL; a reference */
    struct principal *who;          /* a reference, or NULL: the server itself */
    uint64_t time_ms;               /* Unix time of arrival, for the row */
    uint64_t received_ns;           /* for the latency metric */
    /* Called on the reactor when the entry is durable (E_OK and its lsn) or dropped (why, 0), before
     * `publish` or `on_dropped`. NULL where nobody waits. */
    void (*done)(void *ctx, int err, uint64_t lsn);
    void *ctx;
};

struct journal {
    struct entry ring[LIMIT_JOURNAL];
    uint64_t appended;
    uint64_t published;
    size_t bytes;                   /* of the frames between published and appended */
    bool dropping;                  /* inside on_dropped or its done: nothing may be appended */
    _Atomic uint64_t sealed;
    _Atomic uint64_t durable;
    _Atomic uint64_t lsn;           /* of the last durable row; writer_start sets it first */
    _Atomic uint64_t lsn_ahead;     /* lsn - sequence number (writer stores, always the same) */
    _Atomic int failed;             /* E_OK, or why the last commit failed (writer stores, reactor clears) */
    int wakeup_writer;              /* eventfd: something was sealed, or a failure was dealt with */
    int wakeup_reactor;             /* eventfd: something became durable, or failed; nonblocking */
    void (*on_durable)(void *ctx, const struct entry *e, uint64_t lsn);     /* every row, before `publish`:
                                       whose writes are where (api/rest.c); NULL: nobody asks */
    void *on_durable_ctx;
    void *ctx;
    void (*publish)(void *ctx, struct entry *e, uint64_t lsn);      /* once, in order, when durable */
    void (*on_dropped)(void *ctx, struct entry *e, int err);        /* A8: reload e->room; must not append */
};

/* Makes the two eventfds; the caller sets ctx, publish and on_dropped (either may stay NULL).
 * Freeing drops what was not published, silently. */
struct journal *journal_new(void);
void journal_free(struct journal *j);

/* Is there no room for one more entry of that many bytes? Check before appending, so that
 * journal_append cannot fail. */
bool journal_full(const struct journal *j, size_t bytes);

/* Append an entry; its references are transferred. Must not be full. Returns its sequence number. */
uint64_t journal_append(struct journal *j, struct entry e);

void journal_seal(struct journal *j);       /* end of a tick: hand what was appended to the writer */
void journal_publish(struct journal *j);    /* after a wakeup: publish what became durable, drop what failed */

/* For the writer: the entries to commit next are [*from, *to); false: none, or a failure is not
 * dealt with yet. */
bool journal_pending(struct journal *j, uint64_t *from, uint64_t *to);
void journal_committed(struct journal *j, uint64_t to, uint64_t last_lsn);
void journal_failed(struct journal *j, int err);

static inline struct entry *journal_at(struct journal *j, uint64_t seq) {
    return &j->ring[seq & (LIMIT_JOURNAL - 1)];
}

#endif
