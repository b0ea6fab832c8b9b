/* projector.h -- the thread that follows the log and derives everything from it: YAML files, the
 * catalogue of entities (lists, single reads, graph), snapshots; and that brings changes other
 * programs make to the files back into the rooms.
 *
 *   P1  It only sees committed rows: nothing derived can show what a crash could take back.
 *   P2  What it makes is equal when made again from log and workspace.
 *   P6  One file update a room is in flight; write-back of that file waits for its outcome.
 *   F1, F2 (files/disk.h): an outside change is never lost, our own writes never echo.
 *
 * It talks to the reactor by jobs: an `errand` asks it to do something that must go through the journal
 * or a room, and is answered (errand_answer); a `notice` says how far the projector is and what changed.
 * Owned by the reactor: struct projector_config's callbacks. Everything else runs on its own thread. */
#ifndef PROJECTION_PROJECTOR_H
#define PROJECTION_PROJECTOR_H

#include <stdatomic.h>

#include "base/buf.h"
#include "entity/kinds.h"
#include "files/disk.h"
#include "io/worker.h"
#include "store/index.h"

#define WRITE_BACK_MS 500           /* after the last durable edit of an entity its file is written */
#define WRITE_BACK_MAX_MS 5000      /* and at the latest this long after the first */

struct projector;

enum errand_kind {
    ERRAND_WROTE,       /* append ROW_WROTE with `bytes` (JSON) for no room, and say when it is durable */
    ERRAND_MERGE,       /* rooms_submit `bytes` to `room` as CAUSE_FILE, built on `lineage` */
};

struct errand {
    struct job job;             /* its own */
    enum errand_kind kind;
    struct projector *projector;
    char room[LIMIT_ID_BYTES + 16];
    char lineage[LINEAGE_LEN + 1];
    struct buf bytes;
    int err;                    /* the answer */
    uint64_t lsn;
};

/* Reactor: the outcome of an errand; it goes back to the projector. Must be called once for each. */
void errand_answer(struct errand *e, int err, uint64_t lsn);

enum change_kind { CHANGE_UPDATED, CHANGE_CREATED, CHANGE_REMOVED };

struct change {                 /* of an entity's row */
    enum change_kind kind;
    char room[LIMIT_ID_BYTES + 16];
};

#define NOTICE_CHANGES 256

struct notice {                 /* borrowed for the call */
    uint64_t cursor;
    size_t n;
    bool everything;            /* more than NOTICE_CHANGES changed */
    bool problems;              /* the list of problems changed */
    struct change changes[NOTICE_CHANGES];
};

/* What other threads may look at without asking. */
struct projector_status {
    _Atomic uint64_t cursor;            /* the last row in index.db (P3) */
    _Atomic bool complete;              /* the first scan is done: "not found" can be said (A10) */
    _Atomic uint64_t problems;          /* rows of GET /api/problems */
    _Atomic bool idle;                  /* nothing waits: every file is as its room */
    _Atomic int err;                    /* E_OK, or why index.db cannot be written */
};

struct projector_config {
    const char *workspace, *data;       /* directories */
    struct store *log;                  /* a reading handle, its own from now on (closed by it) */
    size_t replica_bytes;               /* memory of replicas; 0: 64 MiB */
    bool fresh;                         /* delete index.db first, under the workspace's lock */
    bool once;                          /* no watching, no write-back, no errands: projector_catch_up only */
    void *ctx;                          /* of the callbacks, which run on the reactor */
    void (*on_errand)(void *ctx, struct errand *e);
    void (*on_notice)(void *ctx, const struct notice *n);
};

/* Opens the workspace (its lock) and index.db; does nothing yet. *why is a sentence on an error. */
int projector_new(const struct projector_config *config, struct projector **out, const char **why);
void projector_free(struct projector *p);           /* after projector_stop */

int projector_start(struct projector *p);           /* the thread; E_OK or E_IO */
struct worker *projector_worker(struct projector *p);   /* the reactor polls wakeup_reactor and drains */
void projector_wake(struct projector *p);           /* reactor: something became durable */
void projector_hurry(struct projector *p);          /* reactor, before stopping: write now what waits for its
                                                       time; turn the loop until status.idle, or some seconds */
void projector_stop(struct projector *p);           /* joins; what is not written is at the next start */

const struct projector_status *projector_status(const struct projector *p);

/* Without a thread: follow the log to its end and scan the workspace (`covalent reindex`, tests). */
int projector_catch_up(struct projector *p);
int projector_tick(void *projector);        /* one turn, as the thread does it; ms until the next */

/* `covalent reindex --workspace DIR --data DIR`; returns the exit status. */
int command_reindex(int argc, char **argv);

#endif
