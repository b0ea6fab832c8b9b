/* answers.c -- lists and single entities as REST serves them. The graph: answers_graph.c. */
#include "projection/answers.h"

#include <ctype.h>
#include <stdlib.h>
#include <time.h>

#include "base/err.h"
#include "base/map.h"
#include "base/must.h"
#include "projection/json_view.h"
#include "projection/shape.h"

struct list {               /* rows being written, comma between them */
    struct buf *out;
    bool summary;
    size_t n;
};

static int put_row(void *ctx, const struct entity_row *row) {
    struct list *l = ctx;

    if (l->n++) buf_byte(l->out, ',');
    shape_put(l->out, l->summary ? row->summary : row->json, row->lsn, row->hash);
    return E_OK;
}

static int finish(struct buf *out, int e) {
    return e == E_OK && out->bad ? E_TOO_LARGE : e;
}

int answer_atoms(struct index *x, const struct atoms_query *q, struct buf *out) {
    char upper[256] = "";
    uint64_t total = 0;
    size_t len = q->type.len < sizeof upper - 1 ? q->type.len : sizeof upper - 1;
    struct list list = { .out = out, .summary = q->summary_only };

    for (size_t i = 0; i < len; i++) upper[i] = (char)toupper(q->type.at[i]);
    struct entity_query query = { .kind = slice_of(kind_text(KIND_ATOM)), .type = slice_of(upper),
                                  .offset = q->offset, .limit = q->limit };
    buf_text(out, "{\"atoms\":[");
    int e = index_list(x, &query, &total, put_row, &list);
    buf_printf(out, "],\"total\":%llu,\"limit\":%llu,\"offset\":%llu,\"has_more\":%s}",
               (unsigned long long)total, (unsigned long long)q->limit, (unsigned long long)q->offset,
               q->offset + list.n < total && list.n > 0 ? "true" : "false");
    return finish(out, e);
}

static int each_of(struct index *x, enum kind kind, index_on_entity *on_row, void *ctx) {
    struct entity_query query = { .kind = slice_of(kind_text(kind)), .limit = INT64_MAX };
    uint64_t total;

    return index_list(x, &query, &total, on_row, ctx);
}

int answer_all(struct index *x, enum kind kind, struct buf *out) {
    struct list list = { .out = out };

    buf_byte(out, '[');
    int e = each_of(x, kind, put_row, &list);
    buf_byte(out, ']');
    return finish(out, e);
}

/* ---- one ------------------------------------------------------------------------------------------------ */

struct one {
    struct buf *out;
    enum kind kind;
    struct slice id;
    bool found;
};

static const char *title_of(enum kind kind) {
    switch (kind) {
    case KIND_ATOM: return "Atom";
    case KIND_MODULE: return "Module";
    case KIND_PHASE: return "Phase";
    case KIND_JOURNEY: return "Journey";
    default: return "Workflow";
    }
}

static void say_gone(struct one *o, const struct entity_row *row) {
    char when[32] = "";
    time_t s = (time_t)(row->at_ms / 1000);
    struct tm tm;

    if (gmtime_r(&s, &tm)) strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%SZ", &tm);
    buf_printf(o->out, "%s '%.*s' was deleted by %.*s at %s", title_of(o->kind), SLICE_ARG(o->id),
               SLICE_ARG(row->by), when);
}

static int on_one(void *ctx, const struct entity_row *row) {
    struct one *o = ctx;

    if (row->state == ENTITY_GONE) {
        say_gone(o, row);
    } else {
        o->found = true;
        shape_put(o->out, row->json, row->lsn, row->hash);
    }
    return E_OK;
}

int answer_one(struct index *x, enum kind kind, struct slice id, struct buf *out) {
    struct one o = { .out = out, .kind = kind, .id = id };
    int e = index_entity(x, slice_of(kind_text(kind)), id, on_one, &o);

    if (e == E_NOT_FOUND) buf_printf(out, "%s '%.*s' not found", title_of(kind), SLICE_ARG(id));
    return e == E_OK && !o.found ? E_NOT_FOUND : finish(out, e);
}

/* ---- phases ------------------------------------------------------------------------------------------------ */

struct phase { char *json; long sequence; size_t place; };

struct phases {
    struct slice journey_id;    /* whose phases; empty: every phase counts */
    struct slice wanted;        /* the journey's own list, a JSON array */
    struct phase *all;
    size_t n, cap;
};

static long number_of(struct slice value, long otherwise) {
    char text[32];

    if (value.len == 0 || value.len >= sizeof text || slice_is(value, "null")) return otherwise;
    memcpy(text, value.at, value.len);
    text[value.len] = 0;
    char *end;
    long n = strtol(text, &end, 10);
    return end == text ? otherwise : n;
}

/* Where in the journey's list the phase stands; the list's length when it only names the journey
 * itself (phase.journeyId); SIZE_MAX: it is of another journey. */
static size_t place_of(const struct phases *p, const struct entity_row *row) {
    struct slice rest = p->wanted, element;
    size_t place = 0;

    for (; json_next_element(&rest, &element); place++)
        if (slice_eq(json_quoted(element), row->id)) return place;
    return slice_eq(json_quoted(json_member(row->json, "journeyId")), p->journey_id) ? place : SIZE_MAX;
}

static int take_phase(void *ctx, const struct entity_row *row) {
    struct phases *p = ctx;
    struct buf b;
    size_t place = place_of(p, row);

    if (place == SIZE_MAX) return E_OK;
    if (p->n == p->cap) {
        p->cap = p->cap ? 2 * p->cap : 16;
        p->all = realloc(p->all, p->cap * sizeof *p->all);
        must(p->all != NULL);
    }
    buf_init(&b, LIMIT_ANSWER_BYTES);
    shape_put(&b, row->json, row->lsn, row->hash);
    buf_byte(&b, 0);
    p->all[p->n++] = (struct phase){ (char *)b.at, number_of(json_member(row->json, "sequence"), 999), place };
    return E_OK;
}

static int by_sequence(const void *a, const void *b) {
    const struct phase *p = a, *q = b;
    if (p->sequence != q->sequence) return p->sequence < q->sequence ? -1 : 1;
    return p->place < q->place ? -1 : p->place > q->place;
}

static int copy_list(void *ctx, const struct entity_row *row) {
    struct slice phases = json_member(row->json, "phases");
    if (row->state == ENTITY_GONE) return E_NOT_FOUND;
    buf_slice(ctx, phases);
    return E_OK;
}

int answer_journey_phases(struct index *x, struct slice id, struct buf *out) {
    struct buf wanted;
    struct phases p = { .journey_id = id };

    buf_init(&wanted, LIMIT_ANSWER_BYTES);
    int e = index_entity(x, slice_of(kind_text(KIND_JOURNEY)), id, copy_list, &wanted);
    p.wanted = buf_view(&wanted);
    if (e == E_NOT_FOUND) buf_printf(out, "Journey '%.*s' not found", SLICE_ARG(id));
    if (e == E_OK) e = each_of(x, KIND_PHASE, take_phase, &p);
    if (e == E_OK) {
        if (p.n) qsort(p.all, p.n, sizeof *p.all, by_sequence);
        buf_byte(out, '[');
        for (size_t i = 0; i < p.n; i++) buf_printf(out, "%s%s", i ? "," : "", p.all[i].json);
        buf_byte(out, ']');
    }
    for (size_t i = 0; i < p.n; i++) free(p.all[i].json);
    free(p.all);
    buf_deinit(&wanted);
    return finish(out, e);
}

struct stats {
    size_t phases, journeys, modules;
    double days;
    struct map by_journey;
    struct tally { size_t n; size_t len; uint8_t key[]; } **tallies;
};

static void count_journey(struct stats *s, struct slice journey) {
    if (journey.len == 0) journey = slice_of("unassigned");
    struct tally *t = map_get(&s->by_journey, journey);

    if (t == NULL) {
        t = malloc(sizeof *t + journey.len);
        must(t != NULL);
        t->n = 0;
        t->len = journey.len;
        memcpy(t->key, journey.at, journey.len);
        s->tallies = realloc(s->tallies, (s->by_journey.n + 1) * sizeof *s->tallies);
        must(s->tallies != NULL);
        s->tallies[s->by_journey.n] = t;
        map_put(&s->by_journey, (struct slice){ t->key, t->len }, t);
    }
    t->n++;
}

static int on_phase_stats(void *ctx, const struct entity_row *row) {
    struct stats *s = ctx;
    struct slice rest = json_member(row->json, "modules"), element;

    s->phases++;
    while (json_next_element(&rest, &element)) s->modules++;
    s->days += (double)number_of(json_member(row->json, "targetDurationDays"), 0);
    count_journey(s, json_quoted(json_member(row->json, "journeyId")));
    return E_OK;
}

static int on_journey_stats(void *ctx, const struct entity_row *row) {
    struct stats *s = ctx;
    (void)row;
    s->journeys++;
    return E_OK;
}

int answer_phase_stats(struct index *x, struct buf *out) {
    struct stats s = { 0 };

    map_init(&s.by_journey);
    int e = each_of(x, KIND_PHASE, on_phase_stats, &s);
    if (e == E_OK) e = each_of(x, KIND_JOURNEY, on_journey_stats, &s);
    buf_printf(out, "{\"total_phases\":%zu,\"total_journeys\":%zu,\"total_modules_in_phases\":%zu,"
                    "\"avg_phase_duration_days\":%.15g,\"phases_by_journey\":{",
               s.phases, s.journeys, s.modules, s.phases ? s.days / (double)s.phases : 0.0);
    for (size_t i = 0; i < s.by_journey.n; i++)     /* keys are raw JSON text: quoted as they were */
        buf_printf(out, "%s\"%.*s\":%zu", i ? "," : "", (int)s.tallies[i]->len,
                   (const char *)s.tallies[i]->key, s.tallies[i]->n);
    buf_text(out, "}}");
    for (size_t i = 0; i < s.by_journey.n; i++) free(s.tallies[i]);
    free(s.tallies);
    map_deinit(&s.by_journey);
    return finish(out, e);
}

/* ---- problems ------------------------------------------------------------------------------------------------ */

static int put_problem(void *ctx, const struct problem_row *p) {
    struct list *l = ctx;

    if (l->n++) buf_byte(l->out, ',');
    buf_text(l->out, "{\"path\":");
    buf_json(l->out, p->path);
    buf_text(l->out, ",\"source\":");
    buf_json(l->out, p->source);
    buf_printf(l->out, ",\"line\":%d,\"column\":%d,\"text\":", p->line, p->column);
    buf_json(l->out, p->text);
    buf_text(l->out, ",\"user\":");
    if (p->user.len) buf_json(l->out, p->user);
    else buf_text(l->out, "null");
    buf_printf(l->out, ",\"at\":%llu}", (unsigned long long)p->at_ms);
    return E_OK;
}

int answer_problems(struct index *x, struct buf *out) {
    struct list list = { .out = out };
    uint64_t total = 0;

    buf_text(out, "{\"problems\":[");
    int e = index_problems(x, &total, put_problem, &list);
    buf_printf(out, "],\"total\":%llu}", (unsigned long long)total);
    return finish(out, e);
}
