/* projector.c -- the projector's turn, and its talk with the reactor.
 *
 *   follow the log -> changes of files -> what writes took out -> cards that are due -> snapshots
 *   -> one commit -> cursor, errands, notice
 *
 * What fails inside the transaction is rolled back whole; then memory is thrown away too and read again
 * from index.db, so there is one recovery path and it is the one of a restart. */
#include "projection/projector_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/must.h"

#define ROWS_AT_ONCE 2000       /* P5 */
#define BATCHES_A_TURN 10       /* then jobs get their turn */
#define FOLLOW_MS 20            /* at most so often: a batch costs a commit and a row an entity */
#define IDLE_MS 1000
#define ITEMS_A_TURN 256

uint64_t now_ms(void) { return clock_mono_ms(); }

const char *git_busy(struct projector *p) {
    if (!p->git_asked) {
        p->git_busy = disk_git_busy(p->disk);
        p->git_asked = true;
    }
    return p->git_busy;
}

/* ---- errands ------------------------------------------------------------------------------------------------ */

struct outcome {
    enum errand_kind kind;
    char room[LIMIT_ID_BYTES + 16];
    int err;
    uint64_t lsn;
};

static void errand_free(struct job *job) {
    struct errand *e = (struct errand *)job;
    buf_deinit(&e->bytes);
    free(e);
}

static void errand_arrives(struct job *job) {
    struct errand *e = (struct errand *)job;
    e->projector->config.on_errand(e->projector->config.ctx, e);
}

struct errand *errand_new(struct projector *p, enum errand_kind kind, const struct card *i) {
    struct errand *e = calloc(1, sizeof *e);

    must(e != NULL);
    e->job.done = errand_arrives;
    e->kind = kind;
    e->projector = p;
    snprintf(e->room, sizeof e->room, "%s", i->room);
    buf_init(&e->bytes, LIMIT_DOCUMENT_BYTES);
    return e;
}

void errand_send(struct projector *p, struct errand *e) {
    if (p->n_errands == p->errands_cap) {
        p->errands_cap = p->errands_cap ? 2 * p->errands_cap : 16;
        p->errands = realloc(p->errands, p->errands_cap * sizeof *p->errands);
        must(p->errands != NULL);
    }
    p->errands[p->n_errands++] = e;
    p->n_flights++;
}

static void errand_returns(struct job *job, void *ctx) {
    struct errand *e = (struct errand *)job;
    struct projector *p = ctx;
    struct outcome o = { .kind = e->kind, .err = e->err, .lsn = e->lsn };

    snprintf(o.room, sizeof o.room, "%s", e->room);
    buf_put(&p->outcomes, &o, sizeof o);        /* dealt with in the turn, inside its transaction */
    p->n_flights--;
}

void errand_answer(struct errand *e, int err, uint64_t lsn) {
    e->err = err;
    e->lsn = lsn;
    e->job.run = errand_returns;
    e->job.done = errand_free;
    bool taken = worker_submit(&e->projector->worker, &e->job);
    must(taken);        /* LIMIT_FLIGHTS and one wake are far below LIMIT_JOBS */
}

static int take_outcome(struct projector *p, const struct outcome *o) {
    struct card *i = card_of_room(p, slice_of(o->room));
    enum flight flight = o->kind == ERRAND_WROTE ? FLIGHT_WROTE : FLIGHT_MERGE;

    if (i == NULL || i->flight != flight) return E_OK;      /* memory was thrown away meanwhile */
    i->flight = FLIGHT_NONE;
    int e = flight == FLIGHT_WROTE ? wrote_done(p, i, o->err, o->lsn) : merge_done(p, i, o->err, o->lsn);
    buf_deinit(&i->pending->bytes);
    free(i->pending);
    i->pending = NULL;
    return e;
}

static int take_outcomes(struct projector *p) {
    int e = E_OK;

    for (size_t at = 0; at < p->outcomes.len && e == E_OK; at += sizeof(struct outcome)) {
        struct outcome o;
        memcpy(&o, p->outcomes.at + at, sizeof o);
        e = take_outcome(p, &o);
    }
    buf_reset(&p->outcomes);
    return e;
}

/* ---- notices ---------------------------------------------------------------------------------------------------- */

struct notice_job { struct job job; struct projector *projector; struct notice *notice; };

static void notice_arrives(struct job *job) {
    struct notice_job *n = (struct notice_job *)job;
    n->projector->config.on_notice(n->projector->config.ctx, n->notice);
    free(n->notice);
    free(n);
}

static void send_notice(struct projector *p) {
    struct notice_job *n = calloc(1, sizeof *n);

    must(n != NULL);
    n->job.done = notice_arrives;
    n->projector = p;
    n->notice = p->notice;
    n->notice->cursor = p->cursor;
    p->notice = NULL;
    worker_post(&p->worker, &n->job);
}

static int ignore_problem(void *ctx, const struct problem_row *row) {
    (void)ctx;
    (void)row;
    return E_OK;
}

/* Behind the commit: now others may know. */
static void publish(struct projector *p) {
    uint64_t problems = 0;

    if (p->notice && p->notice->problems && index_problems(p->index, &problems, ignore_problem, NULL) == E_OK)
        atomic_store(&p->status.problems, problems);
    atomic_store(&p->status.cursor, p->cursor);
    atomic_store(&p->status.err, E_OK);
    if (p->config.once) {
        free(p->notice);
        p->notice = NULL;
        return;
    }
    if (p->notice) send_notice(p);
    for (size_t at = 0; at < p->n_errands; at++) worker_post(&p->worker, &p->errands[at]->job);
    p->n_errands = 0;
}

/* ---- the turn ----------------------------------------------------------------------------------------------------- */

static void on_change(void *ctx, const char *path) {
    struct projector *p = ctx;
    struct card *i = path ? card_at(p, path) : NULL;
    enum kind kind;

    if (path == NULL) {
        p->rescan = true;
        return;
    }
    if (i == NULL) {
        if (!kind_of_path(slice_of(path), &kind)) return;
        i = card_new(p, kind, path, slice_of(""));
        i->state = ENTITY_BROKEN;               /* until it is read */
        i->seen = p->scan;
    }
    card_visit(p, i, now_ms());
}

static int follow_all(struct projector *p) {
    size_t n = 0;
    int e = E_OK;

    for (int batch = 0; batch < BATCHES_A_TURN && e == E_OK; batch++) {
        e = follow(p, ROWS_AT_ONCE, &n);
        if (n < ROWS_AT_ONCE) break;
    }
    p->next_follow_ms = n < ROWS_AT_ONCE ? now_ms() + FOLLOW_MS : now_ms();
    return e;
}

static bool is_due(const struct card *i, uint64_t now) {
    return i && ((i->visit_ms && i->visit_ms <= now) || (i->write_ms && i->write_ms <= now));
}

/* The card may be freed by what it does (its file is gone): then its place is empty. */
static int serve_card(struct projector *p, size_t at, uint64_t now) {
    struct card *i = p->busy[at];
    int e = E_OK;

    if (i->visit_ms && i->visit_ms <= now) {
        i->visit_ms = 0;
        e = visit(p, i);
    }
    if (e == E_OK && p->busy[at] && i->write_ms && i->write_ms <= now) {
        i->write_ms = 0;
        e = write_back(p, i);
    }
    if (p->busy[at] && i->visit_ms == 0 && i->write_ms == 0) {
        i->busy = false;
        p->busy[at] = NULL;
    }
    return e;
}

static int serve_cards(struct projector *p) {
    uint64_t now = now_ms();
    size_t served = 0, kept = 0;
    int e = E_OK;

    for (size_t at = 0; at < p->n_busy && e == E_OK; at++) {     /* may grow meanwhile */
        if (!is_due(p->busy[at], now)) continue;
        if (++served > ITEMS_A_TURN) break;
        e = serve_card(p, at, now);
    }
    for (size_t at = 0; at < p->n_busy; at++)
        if (p->busy[at]) p->busy[kept++] = p->busy[at];
    p->n_busy = kept;
    return e;
}

static bool is_something_due(const struct projector *p, uint64_t now) {
    if (p->outcomes.len > 0 || p->rescan || now >= p->next_follow_ms || disk_aside(p->disk) > 0) return true;
    for (size_t at = 0; at < p->n_busy; at++)
        if (is_due(p->busy[at], now)) return true;
    return false;
}

static int work(struct projector *p) {
    int e = follow_all(p);

    if (e == E_OK) e = take_outcomes(p);
    if (e == E_OK && p->rescan) {
        p->rescan = false;
        e = scan_workspace(p);
    }
    if (e == E_OK && disk_aside(p->disk) > 0) disk_settle(p->disk, on_displaced, p);
    if (e == E_OK && p->next_follow_ms > now_ms()) e = serve_cards(p);   /* only when the log is followed */
    if (e == E_OK) e = compact_rooms(p);
    return e;
}

static int wait_ms(const struct projector *p) {
    uint64_t now = now_ms(), next = now + IDLE_MS;

    if (disk_aside(p->disk) > 0 && now + AGAIN_MS < next) next = now + AGAIN_MS;
    for (size_t at = 0; at < p->n_busy; at++) {
        const struct card *i = p->busy[at];
        if (i == NULL) continue;
        if (i->visit_ms && i->visit_ms < next) next = i->visit_ms;
        if (i->write_ms && i->write_ms < next) next = i->write_ms;
    }
    if (p->woken && p->next_follow_ms < next) next = p->next_follow_ms;
    return next > now ? (int)(next - now) : 0;
}

/* Memory says more than index.db: throw it away, begin again from what is stored. */
static void start_over(struct projector *p, int err) {
    index_rollback(p->index);
    atomic_store(&p->status.err, err);
    if (log_gate_opens(&p->gate, now_ms()))
        log_error("projector.failed", "why=\"%s\" next=\"again in a second\"", err_text(err));
    for (size_t at = 0; at < p->n_errands; at++) {
        errand_free(&p->errands[at]->job);
        p->n_flights--;
    }
    p->n_errands = 0;
    free(p->notice);
    p->notice = NULL;
    buf_reset(&p->outcomes);
    catalog_clear(p);
    p->retry_ms = now_ms() + RETRY_MS;
    p->rescan = true;
    if (index_cursor(p->index, &p->cursor) != E_OK || catalog_load(p) != E_OK)
        log_error("projector.failed", "why=\"index.db cannot be read\"");
}

static int turn(struct projector *p) {
    int e = index_begin(p->index);

    if (e == E_OK) e = work(p);
    if (e == E_OK) e = index_commit(p->index);
    if (e != E_OK) {
        start_over(p, e);
        return e;
    }
    replica_trim(p);
    publish(p);
    return E_OK;
}

static void note_idle(struct projector *p) {
    bool idle = p->n_busy == 0 && p->n_flights == 0 && disk_aside(p->disk) == 0 && !p->woken;
    atomic_store(&p->status.idle, idle);
}

int projector_tick(void *projector) {
    struct projector *p = projector;
    uint64_t now = now_ms();

    if (index_is_damaged(p->index)) return IDLE_MS;     /* the next start makes it anew */
    if (now < p->retry_ms) return (int)(p->retry_ms - now);
    if (!p->scanned && projector_catch_up(p) != E_OK) return RETRY_MS;
    p->git_asked = false;
    if (p->watch_fd >= 0) disk_changes(p->disk, on_change, p);
    if (is_something_due(p, now)) {
        if (now >= p->next_follow_ms) p->woken = false;
        turn(p);
    }
    note_idle(p);
    return wait_ms(p);
}

int projector_catch_up(struct projector *p) {
    size_t n;
    int e = E_OK;

    do {
        e = index_begin(p->index);
        if (e == E_OK) e = follow(p, ROWS_AT_ONCE, &n);
        if (e == E_OK) e = compact_rooms(p);
        if (e == E_OK) e = index_commit(p->index);
        replica_trim(p);
    } while (e == E_OK && n == ROWS_AT_ONCE);

    p->git_asked = false;
    if (e == E_OK) e = index_begin(p->index);
    if (e == E_OK) e = scan_workspace(p);
    p->scanned = e == E_OK;
    if (e == E_OK) e = follow(p, ROWS_AT_ONCE, &n);     /* rooms whose file was not found get their place */
    if (e == E_OK) e = index_commit(p->index);
    if (e != E_OK) {
        p->scanned = false;
        start_over(p, e);
        return e;
    }
    catalog_changed(p, CHANGE_UPDATED, NULL);
    p->notice->everything = p->notice->problems = true;
    atomic_store(&p->status.complete, true);    /* before the notice: it wakes whoever waits for this */
    publish(p);
    return E_OK;
}

/* ---- opening and closing ----------------------------------------------------------------------------------------- */

/* A log that is shorter than the index was restored from an older copy: the index is of another past. */
static int open_index(struct projector *p, const char **why) {
    uint64_t last = 0;
    int e = index_open(p->config.data, true, &p->index, why);

    if (e != E_OK) return e;
    *why = "log.db cannot be read";
    e = p->log->kind->last_lsn(p->log, &last);
    if (e != E_OK) return e;
    *why = "index.db cannot be read";
    e = index_cursor(p->index, &p->cursor);
    if (e != E_OK || p->cursor <= last) return e;
    log_warn("index.rebuild", "why=\"it is ahead of the log\"");
    index_close(p->index);
    p->index = NULL;
    if (index_delete(p->config.data) != E_OK) return E_IO;
    p->cursor = 0;
    return index_open(p->config.data, true, &p->index, why);
}

static int open_all(struct projector *p, const char **why) {
    int e = disk_open(p->config.workspace, &p->disk, why);

    if (e == E_OK && p->config.fresh && index_delete(p->config.data) != E_OK) {
        *why = "index.db cannot be deleted";
        e = E_IO;
    }
    if (e == E_OK) e = open_index(p, why);
    if (e != E_OK) return e;
    if (!p->config.once) {
        e = disk_watch(p->disk, &p->watch_fd, why);
        if (e != E_OK) return e;
        if (disk_weakness(p->disk)) log_warn("workspace.weak", "why=\"%s\"", disk_weakness(p->disk));
    }
    p->git_index = git_index_path(p->config.workspace);
    *why = "index.db cannot be read";
    return catalog_load(p);
}

int projector_new(const struct projector_config *config, struct projector **out, const char **why) {
    struct projector *p = calloc(1, sizeof *p);

    must(p != NULL);
    p->config = *config;
    if (p->config.replica_bytes == 0) p->config.replica_bytes = MIB(64);
    p->log = config->log;
    p->watch_fd = -1;
    map_init(&p->by_path);
    map_init(&p->by_room);
    buf_init(&p->compact, MIB(1));
    buf_init(&p->outcomes, MIB(1));
    buf_init(&p->json, LIMIT_DOCUMENT_BYTES);
    buf_init(&p->bytes, LIMIT_DOCUMENT_BYTES);
    shape_init(&p->shape);
    int e = open_all(p, why);
    if (e != E_OK) {
        p->log = NULL;          /* stays the caller's */
        projector_free(p);
        return e;
    }
    atomic_store(&p->status.cursor, p->cursor);
    *out = p;
    return E_OK;
}

void projector_free(struct projector *p) {
    if (p == NULL) return;
    catalog_clear(p);
    map_deinit(&p->by_path);
    map_deinit(&p->by_room);
    for (size_t at = 0; at < p->n_errands; at++) errand_free(&p->errands[at]->job);
    free(p->errands);
    free(p->git_index);
    free(p->notice);
    free(p->busy);
    free(p->touched);
    buf_deinit(&p->compact);
    buf_deinit(&p->outcomes);
    buf_deinit(&p->json);
    buf_deinit(&p->bytes);
    shape_deinit(&p->shape);
    index_close(p->index);
    if (p->disk) disk_close(p->disk);
    if (p->log) p->log->kind->close(p->log);
    free(p);
}

int projector_start(struct projector *p) {
    struct worker_config config = { .name = "projector", .ctx = p, .tick = projector_tick, .extra_fd = p->watch_fd };
    return worker_start(&p->worker, &config);
}

struct worker *projector_worker(struct projector *p) { return &p->worker; }
const struct projector_status *projector_status(const struct projector *p) { return &p->status; }
void projector_stop(struct projector *p) { worker_stop(&p->worker); }

/* ---- wakes ---------------------------------------------------------------------------------------------------------- */

static void wake_runs(struct job *job, void *ctx) {
    struct projector *p = ctx;
    (void)job;
    p->woken = true;
}

static void wake_done(struct job *job) {
    struct wake *w = (struct wake *)job;
    w->waking = false;
}

void projector_wake(struct projector *p) {
    if (p->wake.waking) return;
    p->wake.job = (struct job){ .run = wake_runs, .done = wake_done };
    p->wake.waking = worker_submit(&p->worker, &p->wake.job);
}

static void hurry_runs(struct job *job, void *ctx) {
    struct projector *p = ctx;
    (void)job;
    for (size_t at = 0; at < p->n_busy; at++)
        if (p->busy[at] && p->busy[at]->write_ms) p->busy[at]->write_ms = now_ms();
    p->woken = true;
    p->next_follow_ms = 0;
}

static void hurry_done(struct job *job) { free(job); }

void projector_hurry(struct projector *p) {
    struct job *job = calloc(1, sizeof *job);

    must(job != NULL);
    *job = (struct job){ .run = hurry_runs, .done = hurry_done };
    if (!worker_submit(&p->worker, job)) free(job);
}
