/* routes_write.c -- POST and DELETE of an atom. Reactor, with the file's making and all looking up on
 * the reader thread.
 *
 * Both are rows of the log like every other change; the projector writes and removes the files. The
 * answer leaves when the row is on disk. */
#include <stdio.h>
#include <stdlib.h>

#include "api/rest_int.h"
#include "base/err.h"
#include "base/must.h"
#include "base/sha256.h"
#include "entity/export.h"
#include "entity/import.h"
#include "projection/shape.h"

struct write {                  /* one request, from its handler to its answer */
    struct job job;
    struct rest *rest;
    struct ticket ticket;
    struct principal *who;      /* reactor only */
    char room[LIMIT_ID_BYTES + 16];
    struct new_atom atom;       /* POST */
    bool tombstone;             /* POST: its room is there, its file was deleted: a new lineage begins */
    struct buf import;          /* hash, update */
    struct buf answer;
    uint8_t hash[SHA256_BYTES];
    int err;
    char why[256];
};

static const char *id_of(const struct write *w) { return strchr(w->room, ':') + 1; }

static struct write *write_new(const struct request *request, struct slice id) {
    struct write *w = calloc(1, sizeof *w);

    must(w != NULL);
    w->rest = request->ctx;
    w->ticket = request->ticket;
    w->who = principal_ref(request->who);
    snprintf(w->room, sizeof w->room, "%s:%.*s", kind_text(KIND_ATOM), SLICE_ARG(id));
    buf_init(&w->import, LIMIT_DOCUMENT_BYTES);
    buf_init(&w->answer, LIMIT_DOCUMENT_BYTES);
    return w;
}

static void write_free(struct write *w) {
    principal_unref(w->who);
    buf_deinit(&w->atom.json);
    buf_deinit(&w->import);
    buf_deinit(&w->answer);
    free(w);
}

static void fail(struct write *w, int err) {
    struct http *h = w->rest->config.http;
    char text[320];

    switch (err) {
    case E_EXISTS: snprintf(text, sizeof text, "Atom with ID '%s' already exists", id_of(w)); break;
    case E_NOT_FOUND: snprintf(text, sizeof text, "Atom '%s' not found", id_of(w)); break;
    default: snprintf(text, sizeof text, "%s", w->why[0] ? w->why : err_text(err));
    }
    if (err == E_OVERLOADED)
        http_respond(h, w->ticket, &(struct response){ .status = 503, .headers = "Retry-After: 1\r\n",
                     .body = slice_of("{\"detail\":\"not ready yet, try again\"}") });
    else http_respond_error(h, w->ticket, err_http(err), text);
    write_free(w);
}

/* ---- POST ----------------------------------------------------------------------------------- */

static int see_state(void *ctx, const struct entity_row *row) {
    struct write *w = ctx;
    if (row->state != ENTITY_GONE) return E_EXISTS;
    w->tombstone = row->lsn > 0;
    return E_OK;
}

static int look_up(struct write *w, struct sources *s) {
    if (s->index_complete && !atomic_load(s->index_complete)) return E_OVERLOADED;
    int e = index_entity(s->index, slice_of(kind_text(KIND_ATOM)), slice_of(id_of(w)), see_state, w);
    return e == E_NOT_FOUND ? E_OK : e;
}

/* The stored map as a GET would give it: read from the very file that will be written. */
static int make_answer(struct write *w, struct slice file, struct entity_problem *problem) {
    char path[512];
    struct buf json;
    struct shape shape;
    const char *why = "";

    buf_init(&json, LIMIT_DOCUMENT_BYTES);
    shape_init(&shape);
    int e = entity_file_json(KIND_ATOM, file, &json, problem);
    if (e == E_OK) {
        shape_new_path(KIND_ATOM, buf_view(&json), slice_of(id_of(w)), 1, path, sizeof path);
        e = shape_make(KIND_ATOM, buf_view(&json), slice_of(path), &shape, &why);
    }
    if (e == E_OK) buf_slice(&w->answer, buf_view(&shape.json));
    shape_deinit(&shape);
    buf_deinit(&json);
    return e;
}

static int make_file(struct write *w, struct entity_problem *problem) {
    struct buf file, update;

    buf_init(&file, LIMIT_FILE_BYTES);
    buf_init(&update, LIMIT_DOCUMENT_BYTES);
    int e = entity_new_file(KIND_ATOM, buf_view(&w->atom.json), &file, problem);
    if (e == E_OK) e = entity_import(KIND_ATOM, buf_view(&file), &update, problem);
    if (e == E_OK) e = make_answer(w, buf_view(&file), problem);
    if (e == E_OK) {
        sha256(buf_view(&file), w->hash);
        buf_put(&w->import, w->hash, sizeof w->hash);
        buf_slice(&w->import, buf_view(&update));
    }
    buf_deinit(&file);
    buf_deinit(&update);
    return e;
}

static void post_run(struct job *job, void *sources) {
    struct write *w = (struct write *)job;
    struct entity_problem problem = { 0 };

    w->err = look_up(w, sources);
    if (w->err == E_OK) w->err = make_file(w, &problem);
    snprintf(w->why, sizeof w->why, "%s", problem.text);
}

static void created(void *ctx, int err, uint64_t lsn) {
    struct write *w = ctx;
    struct buf body;

    if (err != E_OK) { fail(w, err); return; }
    buf_init(&body, LIMIT_DOCUMENT_BYTES);
    shape_put(&body, buf_view(&w->answer), lsn, w->hash);
    http_respond(w->rest->config.http, w->ticket, &(struct response){ .status = 200, .body = buf_view(&body) });
    buf_deinit(&body);
    write_free(w);
}

static void create(struct write *w) {
    rooms_create(w->rest->config.rooms, &(struct submission){
        .room = slice_of(w->room), .bytes = buf_view(&w->import), .cause = CAUSE_REST, .who = w->who,
        .done = created, .ctx = w });
}

static void tombstone_deleted(void *ctx, int err, uint64_t lsn) {
    struct write *w = ctx;
    (void)lsn;
    if (err != E_OK && err != E_NOT_FOUND) { fail(w, err); return; }
    create(w);
}

static void post_done(struct job *job) {
    struct write *w = (struct write *)job;

    if (w->err != E_OK) { fail(w, w->err); return; }
    if (!w->tombstone) { create(w); return; }
    rooms_delete(w->rest->config.rooms, &(struct submission){
        .room = slice_of(w->room), .cause = CAUSE_REST, .who = w->who, .done = tombstone_deleted, .ctx = w });
}

static void refuse_fields(struct http *h, const struct request *r, const struct new_atom *a) {
    struct buf b;

    buf_init(&b, KIB(64));
    buf_text(&b, "{\"detail\":[");
    for (size_t i = 0; i < a->n_errors; i++) {
        const struct field_error *e = &a->errors[i];
        buf_text(&b, i ? ",{\"loc\":[\"body\"" : "{\"loc\":[\"body\"");
        if (e->field[0]) buf_byte(&b, ','), buf_json(&b, slice_of(e->field));
        buf_text(&b, "],\"msg\":");
        buf_json(&b, slice_of(e->message));
        buf_text(&b, ",\"type\":");
        buf_json(&b, slice_of(e->type));
        buf_byte(&b, '}');
    }
    buf_text(&b, "]}");
    http_respond(h, r->ticket, &(struct response){ .status = 422, .body = buf_view(&b) });
    buf_deinit(&b);
}

static void look_up_or_refuse(struct rest *r, void *ctx, bool ready) {
    struct write *w = ctx;

    if (!ready || !worker_submit(r->config.reader, &w->job)) fail(w, E_OVERLOADED);
}

/* Whether the atom exists is asked of the index, which must hold what this user did before (P3). */
static void submit(struct write *w) { rest_after_own_writes(w->rest, w->who, look_up_or_refuse, w); }

static void post_atom(struct http *h, const struct request *request) {
    struct new_atom atom;

    new_atom_read(request->body, &atom);
    if (atom.n_errors > 0) {
        refuse_fields(h, request, &atom);
        buf_deinit(&atom.json);
        return;
    }
    struct write *w = write_new(request, slice_of(atom.id));
    w->atom = atom;
    w->job = (struct job){ .run = post_run, .done = post_done };
    submit(w);
}

/* ---- DELETE --------------------------------------------------------------------------------- */

static void deleted(void *ctx, int err, uint64_t lsn) {
    struct write *w = ctx;
    char body[256];

    (void)lsn;
    if (err != E_OK) { fail(w, err); return; }
    snprintf(body, sizeof body, "{\"status\":\"success\",\"message\":\"Atom '%s' deleted\"}", id_of(w));
    http_respond(w->rest->config.http, w->ticket, &(struct response){ .status = 200, .body = slice_of(body) });
    write_free(w);
}

static void delete_run(struct job *job, void *sources) {
    struct write *w = (struct write *)job;

    w->err = look_up(w, sources);
    w->err = w->err == E_EXISTS ? E_OK : w->err == E_OK ? E_NOT_FOUND : w->err;
}

static void delete_done(struct job *job) {
    struct write *w = (struct write *)job;

    /* The index may not know yet what was just created: the room does. */
    if (w->err != E_OK && w->err != E_NOT_FOUND) { fail(w, w->err); return; }
    rooms_delete(w->rest->config.rooms, &(struct submission){
        .room = slice_of(w->room), .cause = CAUSE_REST, .who = w->who, .done = deleted, .ctx = w });
}

static void delete_atom(struct http *h, const struct request *request) {
    if (!id_is_valid(request->args[0])) {
        http_respond_error(h, request->ticket, 404, "Atom not found");
        return;
    }
    struct write *w = write_new(request, request->args[0]);
    w->job = (struct job){ .run = delete_run, .done = delete_done };
    submit(w);
}

void rest_add_write_routes(struct rest *r) {
    http_add_route(r->config.http, (struct route){
        .method = METHOD_POST, .pattern = "/api/atoms", .role = ROLE_EDITOR, .handler = post_atom, .ctx = r });
    http_add_route(r->config.http, (struct route){
        .method = METHOD_DELETE, .pattern = "/api/atoms/{}", .role = ROLE_EDITOR, .handler = delete_atom, .ctx = r });
}
