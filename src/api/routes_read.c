/* routes_read.c -- the GET routes: from path and query to a question (rest_int.h). Reactor thread. */
#include <stdio.h>
#include <stdlib.h>

#include "api/rest_int.h"
#include "base/err.h"

#define LIMIT_PAGE 1000

/* ---- parameters ----------------------------------------------------------------------------- */

static void refuse_query(struct http *h, const struct request *r, const char *name, const char *what, const char *type) {
    char body[256];

    snprintf(body, sizeof body, "{\"detail\":[{\"loc\":[\"query\",\"%s\"],\"msg\":\"%s\",\"type\":\"%s\"}]}",
             name, what, type);
    http_respond(h, r->ticket, &(struct response){ .status = 422, .body = slice_of(body) });
}

/* A whole number from 0; true when absent. False: the 422 has been sent. */
static bool number(struct http *h, const struct request *r, const char *name, uint64_t *out) {
    struct buf value;
    char *end = NULL;

    buf_init(&value, LIMIT_URL_BYTES + 1);
    bool there = http_query(r, name, &value);
    bool is_long = value.len > 18;
    buf_byte(&value, 0);
    const char *text = is_long || value.bad ? "x" : (const char *)value.at;
    long long n = there ? strtoll(text, &end, 10) : 0;
    bool valid = !there || (*text != 0 && end && *end == 0 && n >= 0);
    if (there && valid) *out = (uint64_t)n;
    buf_deinit(&value);
    if (!valid) refuse_query(h, r, name, "value is not a valid integer of 0 or more", "type_error.integer");
    return valid;
}

static bool is_true(struct slice s) {
    return slice_is(s, "true") || slice_is(s, "True") || slice_is(s, "1") || slice_is(s, "yes") || slice_is(s, "on");
}

static bool is_false(struct slice s) {
    return slice_is(s, "false") || slice_is(s, "False") || slice_is(s, "0") || slice_is(s, "no") || slice_is(s, "off");
}

static bool boolean(struct http *h, const struct request *r, const char *name, bool *out) {
    struct buf value;

    buf_init(&value, LIMIT_URL_BYTES);
    bool there = http_query(r, name, &value);
    struct slice text = value.bad ? slice_of("?") : buf_view(&value);
    bool valid = !there || is_true(text) || is_false(text);
    if (there && valid) *out = is_true(text);
    buf_deinit(&value);
    if (!valid) refuse_query(h, r, name, "value could not be parsed to a boolean", "type_error.bool");
    return valid;
}

/* What is longer than any id names nothing; it is cut to something that no id is. */
static void set_text(struct question *q, struct slice text) {
    if (text.len > LIMIT_QUESTION) text.len = LIMIT_QUESTION;
    memcpy(q->text, text.at, text.len);
}

static void zero(struct question *q, enum ask ask) {
    memset(q, 0, sizeof *q);
    q->ask = ask;
}

/* ---- the routes ----------------------------------------------------------------------------- */

static void get_atoms(struct http *h, const struct request *r) {
    struct question q;
    struct buf type;

    zero(&q, ASK_ATOMS);
    q.limit = 100;
    if (!number(h, r, "limit", &q.limit) || !number(h, r, "offset", &q.offset) ||
        !boolean(h, r, "summary_only", &q.summary_only)) return;
    if (q.limit > LIMIT_PAGE) q.limit = LIMIT_PAGE;
    buf_init(&type, LIMIT_URL_BYTES);
    if (http_query(r, "type_filter", &type)) set_text(&q, buf_view(&type));
    buf_deinit(&type);
    rest_ask(r->ctx, r, &q);
}

static void ask_all(const struct request *r, enum kind kind) {
    struct question q;
    zero(&q, ASK_ALL);
    q.kind = kind;
    rest_ask(r->ctx, r, &q);
}

static void ask_one(const struct request *r, enum kind kind) {
    struct question q;
    zero(&q, ASK_ONE);
    q.kind = kind;
    set_text(&q, r->args[0]);
    rest_ask(r->ctx, r, &q);
}

static void ask_about(const struct request *r, enum ask ask, struct slice text) {
    struct question q;
    zero(&q, ask);
    set_text(&q, text);
    rest_ask(r->ctx, r, &q);
}

static void get_atom(struct http *h, const struct request *r) { (void)h; ask_one(r, KIND_ATOM); }
static void get_modules(struct http *h, const struct request *r) { (void)h; ask_all(r, KIND_MODULE); }
static void get_module(struct http *h, const struct request *r) { (void)h; ask_one(r, KIND_MODULE); }
static void get_phases(struct http *h, const struct request *r) { (void)h; ask_all(r, KIND_PHASE); }
static void get_phase(struct http *h, const struct request *r) { (void)h; ask_one(r, KIND_PHASE); }
static void get_journeys(struct http *h, const struct request *r) { (void)h; ask_all(r, KIND_JOURNEY); }
static void get_journey(struct http *h, const struct request *r) { (void)h; ask_one(r, KIND_JOURNEY); }
static void get_workflows(struct http *h, const struct request *r) { (void)h; ask_all(r, KIND_WORKFLOW); }
static void get_workflow(struct http *h, const struct request *r) { (void)h; ask_one(r, KIND_WORKFLOW); }

static void get_stats(struct http *h, const struct request *r) {
    (void)h;
    ask_about(r, ASK_PHASE_STATS, slice_of(""));
}

static void get_journey_phases(struct http *h, const struct request *r) {
    (void)h;
    ask_about(r, ASK_JOURNEY_PHASES, r->args[0]);
}

static void get_problems(struct http *h, const struct request *r) {
    (void)h;
    ask_about(r, ASK_PROBLEMS, slice_of(""));
}

static void get_graph(struct http *h, const struct request *r) {
    (void)h;
    ask_about(r, ASK_GRAPH, slice_of(""));
}

static void get_graph_type(struct http *h, const struct request *r) {
    (void)h;
    ask_about(r, ASK_GRAPH_TYPE, r->args[0]);
}

static void get_graph_module(struct http *h, const struct request *r) {
    (void)h;
    ask_about(r, ASK_GRAPH_MODULE, r->args[0]);
}

/* Always 200 while it answers: what is wrong stands beside `status`, as the original's callers expect. */
static void get_health(struct http *h, const struct request *request) {
    struct rest *r = request->ctx;
    const struct projector_status *p = r->config.projector;
    int read_only = r->config.read_only ? atomic_load(r->config.read_only) : E_OK;
    int index = atomic_load(&p->err);
    uint64_t last = atomic_load(&r->config.journal->lsn), cursor = atomic_load(&p->cursor);
    struct rooms_stats rooms = { 0 };
    char body[512];

    rooms_stats(r->config.rooms, &rooms);
    snprintf(body, sizeof body,
             "{\"status\":\"ok\",\"read_only\":%s,\"disk\":\"%s\",\"index\":\"%s\",\"complete\":%s,"
             "\"projector_lag\":%llu,\"problems\":%llu,\"rooms\":%llu,\"members\":%llu}",
             read_only ? "true" : "false", err_text(read_only), err_text(index),
             atomic_load(&p->complete) ? "true" : "false",
             (unsigned long long)(last > cursor ? last - cursor : 0),
             (unsigned long long)atomic_load(&p->problems), (unsigned long long)rooms.rooms,
             (unsigned long long)rooms.members);
    http_respond(h, request->ticket, &(struct response){
        .status = 200, .headers = "Cache-Control: no-store\r\n", .body = slice_of(body) });
}

/* Else the page of the web app would answer for it. */
static void get_nothing(struct http *h, const struct request *r) {
    http_respond_error(h, r->ticket, 404, "Not Found");
}

void rest_add_read_routes(struct rest *r) {
    static const struct { const char *pattern; http_handler *handler; } routes[] = {
        { "/api/atoms", get_atoms }, { "/api/atoms/{}", get_atom },
        { "/api/modules", get_modules }, { "/api/modules/{}", get_module },
        { "/api/phases", get_phases }, { "/api/phases/stats", get_stats }, { "/api/phases/{}", get_phase },
        { "/api/journeys", get_journeys }, { "/api/journeys/{}", get_journey },
        { "/api/journeys/{}/phases", get_journey_phases },
        { "/api/workflows", get_workflows }, { "/api/workflows/{}", get_workflow },
        { "/api/graph/full", get_graph }, { "/api/graph/full.json", get_graph },
        { "/api/graph/type/{}", get_graph_type }, { "/api/graph/module/{}", get_graph_module },
        { "/api/problems", get_problems }, { "/health", get_health },
        { "/api/{*}", get_nothing },
    };
    for (size_t i = 0; i < sizeof routes / sizeof *routes; i++)     /* the first that matches serves */
        http_add_route(r->config.http, (struct route){
            .method = METHOD_GET, .pattern = routes[i].pattern, .role = ROLE_VIEWER,
            .is_public = routes[i].handler == get_health, .handler = routes[i].handler, .ctx = r });
}
