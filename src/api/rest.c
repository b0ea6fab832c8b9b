/* rest.c -- questions to the index and answers that are kept.
 *
 * An answer is made by the reader thread; requests that ask the same while it is made share it, unless
 * the index changed in between. Lists stay in memory with their gzip until the index changes; single
 * entities are asked anew each time. */
#include "api/rest_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <zlib.h>

#include "base/err.h"
#include "base/must.h"
#include "base/sha256.h"

#define LIMIT_KEPT 64                   /* answers, and their bytes */
#define LIMIT_KEPT_BYTES MIB(64)
#define GZIP_FROM 1024

struct answer {
    struct job job;
    struct rest *rest;
    struct question question;
    uint64_t generation;                /* when it was asked for */
    struct ticket *tickets;             /* who asked; NULL once it is made */
    size_t n_tickets, tickets_cap;
    bool made;
    int err;
    struct buf body, gzip;
    char etag[33];
    struct answer *next;
};

/* ---- making (reader thread) ----------------------------------------------------------------- */

static int make_body(struct index *x, const struct question *q, struct buf *out) {
    struct slice text = slice_of(q->text);

    switch (q->ask) {
    case ASK_ATOMS:
        return answer_atoms(x, &(struct atoms_query){ .limit = q->limit, .offset = q->offset,
                            .summary_only = q->summary_only, .type = text }, out);
    case ASK_ALL: return answer_all(x, q->kind, out);
    case ASK_ONE: return answer_one(x, q->kind, text, out);
    case ASK_JOURNEY_PHASES: return answer_journey_phases(x, text, out);
    case ASK_PHASE_STATS: return answer_phase_stats(x, out);
    case ASK_PROBLEMS: return answer_problems(x, out);
    case ASK_GRAPH: return answer_graph(x, out);
    case ASK_GRAPH_TYPE: return answer_graph_type(x, text, out);
    case ASK_GRAPH_MODULE: return answer_graph_module(x, text, out);
    }
    return E_INVALID;
}

static void make_gzip(struct slice body, struct buf *out) {
    z_stream z = { 0 };

    if (deflateInit2(&z, 4, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK) return;
    uLong bound = deflateBound(&z, (uLong)body.len);
    uint8_t *to = buf_reserve(out, bound);
    if (to) {
        z.next_in = (Bytef *)(uintptr_t)body.at;
        z.avail_in = (uInt)body.len;
        z.next_out = to;
        z.avail_out = (uInt)bound;
        if (deflate(&z, Z_FINISH) == Z_STREAM_END) out->len = z.total_out;
    }
    deflateEnd(&z);
}

static void answer_run(struct job *job, void *ctx) {
    struct answer *a = (struct answer *)job;
    struct sources *sources = ctx;
    uint8_t hash[SHA256_BYTES];

    a->err = make_body(sources->index, &a->question, &a->body);
    if (a->err == E_NOT_FOUND && sources->index_complete && !atomic_load(sources->index_complete))
        a->err = E_OVERLOADED;          /* A10: nobody has looked everywhere yet */
    if (a->err != E_OK) return;
    sha256(buf_view(&a->body), hash);
    for (int i = 0; i < 16; i++) snprintf(a->etag + 2 * i, 3, "%02x", hash[i]);
    if (a->body.len >= GZIP_FROM && a->body.len < UINT32_MAX / 2) make_gzip(buf_view(&a->body), &a->gzip);
}

/* ---- answering ------------------------------------------------------------------------------ */

static void unavailable(struct rest *r, struct ticket t) {
    http_respond(r->config.http, t, &(struct response){
        .status = 503, .headers = "Retry-After: 1\r\n", .body = slice_of("{\"detail\":\"not ready yet, try again\"}") });
}

static void tell(const struct answer *a, struct ticket t) {
    struct rest *r = a->rest;

    if (a->err == E_OK) {
        http_respond(r->config.http, t, &(struct response){
            .status = 200, .headers = "Cache-Control: no-cache\r\n", .etag = slice_of(a->etag),
            .body = buf_view(&a->body), .gzip = buf_view(&a->gzip) });
    } else if (a->err == E_OVERLOADED) {
        unavailable(r, t);
    } else {
        char detail[600];
        struct slice why = a->err == E_NOT_FOUND ? buf_view(&a->body) : slice_of(err_text(a->err));
        snprintf(detail, sizeof detail, "%.*s", SLICE_ARG(why));
        http_respond_error(r->config.http, t, err_http(a->err), detail);
    }
}

static void answer_free(struct answer *a) {
    buf_deinit(&a->body);
    buf_deinit(&a->gzip);
    free(a->tickets);
    free(a);
}

static size_t answer_bytes(const struct answer *a) { return a->body.cap + a->gzip.cap; }

static void forget(struct rest *r, struct answer **at) {
    struct answer *a = *at;
    *at = a->next;
    r->n_kept--;
    r->kept_bytes -= answer_bytes(a);
    answer_free(a);
}

/* Out of date, or beyond the limits (the list has the newest used first). */
static void trim(struct rest *r) {
    size_t n = 0, bytes = 0;

    for (struct answer **at = &r->answers; *at; ) {
        struct answer *a = *at;
        if (a->made) {
            n++;
            bytes += answer_bytes(a);
        }
        if (a->made && (a->generation != r->generation || n > LIMIT_KEPT || bytes > LIMIT_KEPT_BYTES)) {
            forget(r, at);
            continue;
        }
        at = &a->next;
    }
}

static void answer_done(struct job *job) {
    struct answer *a = (struct answer *)job;
    struct rest *r = a->rest;

    a->made = true;
    r->n_kept++;
    r->kept_bytes += answer_bytes(a);
    for (size_t i = 0; i < a->n_tickets; i++) tell(a, a->tickets[i]);
    a->n_tickets = 0;
    if (a->err != E_OK || a->question.ask == ASK_ONE) a->generation = UINT64_MAX;      /* not kept */
    trim(r);
}

static void add_ticket(struct answer *a, struct ticket t) {
    if (a->n_tickets == a->tickets_cap) {
        a->tickets_cap = a->tickets_cap ? 2 * a->tickets_cap : 2;
        a->tickets = realloc(a->tickets, a->tickets_cap * sizeof *a->tickets);
        must(a->tickets != NULL);
    }
    a->tickets[a->n_tickets++] = t;
}

static struct answer *find(struct rest *r, const struct question *q) {
    for (struct answer **at = &r->answers; *at; at = &(*at)->next) {
        struct answer *a = *at;
        if (a->generation != r->generation || memcmp(&a->question, q, sizeof *q) != 0) continue;
        *at = a->next;
        a->next = r->answers;
        r->answers = a;
        return a;
    }
    return NULL;
}

static void ask_now(struct rest *r, const struct question *q, struct ticket t) {
    struct answer *a = find(r, q);

    if (a && a->made) {
        tell(a, t);
        return;
    }
    if (a == NULL) {
        a = calloc(1, sizeof *a);
        must(a != NULL);
        a->job = (struct job){ .run = answer_run, .done = answer_done };
        a->rest = r;
        memcpy(&a->question, q, sizeof *q);
        a->generation = r->generation;
        buf_init(&a->body, LIMIT_ANSWER_BYTES);
        buf_init(&a->gzip, LIMIT_ANSWER_BYTES);
        if (!worker_submit(r->config.reader, &a->job)) {
            answer_free(a);
            unavailable(r, t);
            return;
        }
        a->next = r->answers;
        r->answers = a;
    }
    add_ticket(a, t);
}

/* ---- P3: read your writes ------------------------------------------------------------------- */

static uint64_t cursor(const struct rest *r) { return atomic_load(&r->config.projector->cursor); }

static void on_durable(void *ctx, const struct entry *e, uint64_t lsn) {
    struct rest *r = ctx;

    if (e->who == NULL || lsn <= cursor(r)) return;
    struct slice user = slice_of(e->who->user);
    struct mark *m = map_get(&r->marks, user);
    if (m == NULL) {
        m = malloc(sizeof *m + user.len);
        must(m != NULL);
        m->len = user.len;
        memcpy(m->user, user.at, user.len);
        map_put(&r->marks, (struct slice){ m->user, m->len }, m);
    }
    m->lsn = lsn;
}

static void forget_marks(struct rest *r, uint64_t upto) {
    size_t at = 0;

    while (at < r->marks.cap) {         /* removing moves a later entry here: look again */
        struct mark *m = r->marks.entries[at].key.at ? r->marks.entries[at].value : NULL;
        if (m && m->lsn <= upto) {
            map_remove(&r->marks, (struct slice){ m->user, m->len });
            free(m);
        } else {
            at++;
        }
    }
}

static void go_on(struct rest *r, uint64_t now_ms) {
    uint64_t upto = cursor(r), next = UINT64_MAX;

    for (struct waiting **at = &r->waiting; *at; ) {
        struct waiting *w = *at;
        if (w->lsn > upto && w->until_ms > now_ms) {
            if (w->until_ms < next) next = w->until_ms;
            at = &w->next;
            continue;
        }
        *at = w->next;
        w->go(r, w->ctx, w->lsn <= upto);
        free(w);
    }
    if (next != UINT64_MAX) loop_timer_set(r->config.loop, &r->timer, next);
}

static void on_timer(struct loop_timer *timer, uint64_t now_ms) {
    go_on((struct rest *)((char *)timer - offsetof(struct rest, timer)), now_ms);
}

void rest_after_own_writes(struct rest *r, const struct principal *who, rest_go *go, void *ctx) {
    struct mark *m = map_get(&r->marks, slice_of(who->user));

    if (m == NULL || m->lsn <= cursor(r)) {
        go(r, ctx, true);
        return;
    }
    struct waiting *w = calloc(1, sizeof *w);
    must(w != NULL);
    *w = (struct waiting){ .go = go, .ctx = ctx, .lsn = m->lsn, .next = r->waiting,
                           .until_ms = loop_now_ms(r->config.loop) + REST_WAIT_MS };
    r->waiting = w;
    if (r->timer.place == 0) loop_timer_set(r->config.loop, &r->timer, w->until_ms);
}

struct asking {                 /* a question that waits */
    struct question question;
    struct ticket ticket;
};

static void ask_or_refuse(struct rest *r, void *ctx, bool ready) {
    struct asking *a = ctx;

    if (ready) ask_now(r, &a->question, a->ticket);
    else unavailable(r, a->ticket);
    free(a);
}

void rest_ask(struct rest *r, const struct request *request, const struct question *q) {
    struct asking *a = calloc(1, sizeof *a);

    must(a != NULL);
    memcpy(&a->question, q, sizeof *q);     /* its padding too: questions are compared by their bytes */
    a->ticket = request->ticket;
    rest_after_own_writes(r, request->who, ask_or_refuse, a);
}

void rest_notice(struct rest *r, const struct notice *n) {
    if (n->n > 0 || n->everything || n->problems) r->generation++;
    trim(r);
    forget_marks(r, n->cursor);
    go_on(r, loop_now_ms(r->config.loop));
}

/* ---- life ----------------------------------------------------------------------------------- */

struct rest *rest_new(const struct rest_config *config) {
    struct rest *r = calloc(1, sizeof *r);

    must(r != NULL);
    r->config = *config;
    r->timer.on_timer = on_timer;
    map_init(&r->marks);
    config->journal->on_durable = on_durable;
    config->journal->on_durable_ctx = r;
    rest_add_read_routes(r);
    rest_add_write_routes(r);
    return r;
}
