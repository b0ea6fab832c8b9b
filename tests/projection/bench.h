/* bench.h -- a projector on its thread, with a log in memory and a temporary workspace; the test is the
 * reactor and the writer. Included by the tests of tests/projection. */
#ifndef PROJECTION_BENCH_H
#define PROJECTION_BENCH_H

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <weave.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/sha256.h"
#include "entity/export.h"
#include "entity/import.h"
#include "projection/json_view.h"
#include "projection/projector.h"
#include "store/memory.h"
#include "t.h"

#define LINEAGE "0123456789abcdef0123456789abcdef"

struct bench {
    char workspace[64], data[64];
    struct memory_disk *disk;
    struct store *writer;
    struct projector *projector;
    struct index *reader;
    int merges, wrotes;             /* errands so far */
    bool hold;                      /* errands are kept in `held` instead of answered */
    int fail;                       /* answer the next errand with this */
    struct errand *held[64];
    size_t n_held;
    size_t notices, changes;
};

static const char atom_text[] =
    "# a comment that stays\n"
    "id: atom-a\n"
    "category: BACK_OFFICE\n"
    "type: PROCESS\n"
    "name: First name\n"
    "version: 1.0.0\n"
    "status: ACTIVE\n"
    "owner: Ann\n"
    "team: Blue\n"
    "ontologyDomain: Home Lending\n"
    "criticality: HIGH\n"
    "phaseId: null\n"
    "moduleId: null\n"
    "unknown_key: kept   # as it is\n"
    "content:\n"
    "  summary: The quick brown fox\n"
    "  description: One sentence. Another sentence.\n"
    "  steps:\n"
    "  - first step\n"
    "  - second step\n"
    "edges:\n"
    "- type: ENABLES\n"
    "  targetId: atom-b\n"
    "metrics:\n"
    "  error_rate: 0.3\n";

static inline void put_buf(void *ctx, const uint8_t *at, size_t len) { buf_put(ctx, at, len); }

/* ---- the log: the test writes it ------------------------------------------------------------------------ */

static inline uint64_t append(struct bench *b, enum row_kind kind, enum row_cause cause, const char *room, struct slice bytes) {
    struct row row = { .kind = kind, .cause = cause, .room = slice_of(room), .user = slice_of("ann"),
                       .lineage = slice_of(room[0] ? LINEAGE : ""), .bytes = bytes, .time_ms = clock_wall_ms() };
    uint64_t lsn = 0;
    check(b->writer->kind->append(b->writer, &row) == E_OK);
    check(b->writer->kind->commit(b->writer, &lsn) == E_OK);
    return lsn;
}

static inline void answer(struct bench *b, struct errand *e, int err) {
    uint64_t lsn = 0;
    if (err == E_OK && e->kind == ERRAND_WROTE) lsn = append(b, ROW_WROTE, CAUSE_SERVER, "", buf_view(&e->bytes));
    if (err == E_OK && e->kind == ERRAND_MERGE) lsn = append(b, ROW_UPDATE, CAUSE_FILE, e->room, buf_view(&e->bytes));
    errand_answer(e, err, lsn);
    projector_wake(b->projector);
}

static inline void on_errand(void *ctx, struct errand *e) {
    struct bench *b = ctx;
    if (e->kind == ERRAND_MERGE) b->merges++;
    else b->wrotes++;
    if (b->hold) {
        b->held[b->n_held++] = e;
        return;
    }
    int err = b->fail;
    b->fail = E_OK;
    answer(b, e, err);
}

static inline void on_notice(void *ctx, const struct notice *n) {
    struct bench *b = ctx;
    b->notices++;
    b->changes += n->n;
}

/* ---- the workspace ------------------------------------------------------------------------------------------ */

static inline void write_file(struct bench *b, const char *path, const char *text) {
    char full[256], folder[256];
    snprintf(full, sizeof full, "%s/%s", b->workspace, path);
    for (char *slash = strchr(full + strlen(b->workspace) + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        snprintf(folder, sizeof folder, "%.*s", (int)(slash - full), full);
        mkdir(folder, 0755);
    }
    FILE *f = fopen(full, "w");
    fputs(text, f);
    fclose(f);
}

static inline bool file_is(struct bench *b, const char *path, const char *text) {
    char full[256], bytes[65536];
    snprintf(full, sizeof full, "%s/%s", b->workspace, path);
    FILE *f = fopen(full, "r");
    if (f == NULL) return text == NULL;
    size_t n = fread(bytes, 1, sizeof bytes - 1, f);
    fclose(f);
    bytes[n] = 0;
    return text && strcmp(bytes, text) == 0;
}

static inline void show_file(struct bench *b, const char *path) {
    char command[512];
    snprintf(command, sizeof command, "cat %s/%s >&2", b->workspace, path);
    if (system(command) != 0) fprintf(stderr, "(no file)\n");
}

/* `text` with one word replaced; yours. */
static inline char *edited(const char *text, const char *from, const char *to) {
    const char *at = strstr(text, from);
    char *out = malloc(strlen(text) + strlen(to) + 1);
    sprintf(out, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
    return out;
}

/* ---- running ------------------------------------------------------------------------------------------------ */

static inline void reactor_turn(struct bench *b, int ms) {
    struct worker *w = projector_worker(b->projector);
    uint64_t count;
    poll(&(struct pollfd){ .fd = w->wakeup_reactor, .events = POLLIN }, 1, ms);
    if (read(w->wakeup_reactor, &count, sizeof count) < 0) count = 0;
    worker_drain(w);
}

#define until(b, condition) do {                                              \
    uint64_t until_ms = clock_mono_ms() + 10000;                              \
    while (!(condition) && clock_mono_ms() < until_ms) reactor_turn(b, 20);   \
    check(condition);                                                         \
} while (0)

static inline bool caught_up(struct bench *b) {
    uint64_t last = 0;
    b->writer->kind->last_lsn(b->writer, &last);
    const struct projector_status *s = projector_status(b->projector);
    return atomic_load(&s->complete) && atomic_load(&s->cursor) >= last;
}

/* Everything followed, merged, written. */
static inline bool settled(struct bench *b) {
    return caught_up(b) && atomic_load(&projector_status(b->projector)->idle);
}

static inline void start(struct bench *b) {
    const char *why = "";
    struct projector_config config = { .workspace = b->workspace, .data = b->data, .ctx = b,
                                       .on_errand = on_errand, .on_notice = on_notice };
    check(memory_open(b->disk, false, &config.log) == E_OK);
    if (projector_new(&config, &b->projector, &why) != E_OK) {
        fprintf(stderr, "projector_new: %s\n", why);
        exit(1);
    }
    check(projector_start(b->projector) == E_OK);
    check(index_open(b->data, false, &b->reader, &why) == E_OK);
    until(b, caught_up(b));
}

static inline void stop(struct bench *b) {
    projector_stop(b->projector);
    projector_free(b->projector);
    index_close(b->reader);
    b->projector = NULL;
}

static inline void open_bench(struct bench *b) {
    memset(b, 0, sizeof *b);
    strcpy(b->workspace, "/tmp/covalent-files-XXXXXX");
    strcpy(b->data, "/tmp/covalent-data-XXXXXX");
    check(mkdtemp(b->workspace) && mkdtemp(b->data));
    b->disk = memory_disk_new();
    check(memory_open(b->disk, true, &b->writer) == E_OK);
}

static inline void close_bench(struct bench *b) {
    char command[512];
    if (b->projector) stop(b);
    b->writer->kind->close(b->writer);
    memory_disk_free(b->disk);
    snprintf(command, sizeof command, "rm -rf %s %s", b->workspace, b->data);
    check(system(command) == 0);
}

/* ---- editing: the test as a client ----------------------------------------------------------------------------- */

/* The room's document from the log, as a client would have it. */
struct client { struct bench *b; struct weave *doc; const char *room; };

static inline int apply_row(void *ctx, const struct row *row) {
    struct client *c = ctx;
    struct slice bytes = row->bytes;
    if (!slice_is(row->room, c->room)) return E_OK;
    if (row->kind == ROW_IMPORT) bytes = (struct slice){ bytes.at + 32, bytes.len - 32 };
    if (row->kind == ROW_IMPORT || row->kind == ROW_UPDATE)
        check(weave_apply(c->doc, (struct weave_bytes){ bytes.at, bytes.len }, NULL) == 0);
    return E_OK;
}

static inline void pull(struct client *c) {
    struct store *log;
    check(memory_open(c->b->disk, false, &log) == E_OK);
    check(log->kind->follow(log, 0, 100000, apply_row, c) == E_OK);
    log->kind->close(log);
}

static inline struct client join(struct bench *b, const char *room) {
    static uint64_t id = 1000;
    struct client c = { b, weave_new(id++, 1 << 26), room };
    pull(&c);
    return c;
}

static inline void leave(struct client *c) { weave_free(c->doc); }

static inline void commit(struct client *c) {
    struct buf update;
    buf_init(&update, 1 << 20);
    weave_commit(c->doc, (struct weave_sink){ put_buf, &update });
    append(c->b, ROW_UPDATE, CAUSE_YJS, c->room, buf_view(&update));
    projector_wake(c->b->projector);
    buf_deinit(&update);
}

static inline struct weave_bytes key_of(const char *s) { return (struct weave_bytes){ (const uint8_t *)s, strlen(s) }; }

static inline weave_type content_text(struct client *c, const char *key) {
    struct weave_value v;
    weave_type root = weave_root(c->doc, key_of("atom"));
    check(weave_map_get(c->doc, root, key_of("content"), &v) && v.kind == WEAVE_V_TYPE);
    check(weave_map_get(c->doc, v.type, key_of(key), &v) && v.kind == WEAVE_V_TYPE);
    return v.type;
}

static inline void insert(struct client *c, const char *key, uint32_t at, const char *text) {
    weave_begin(c->doc);
    check(weave_text_insert(c->doc, content_text(c, key), at, key_of(text)) == 0);
    commit(c);
}

static inline void set_scalar(struct client *c, const char *key, const char *text) {
    struct weave_value v = { .kind = WEAVE_V_STRING, .bytes = key_of(text) };
    weave_begin(c->doc);
    check(weave_map_set(c->doc, weave_root(c->doc, key_of("atom")), key_of(key), &v) == 0);
    commit(c);
}

static inline bool text_is(struct client *c, const char *key, const char *expected) {
    struct buf text;
    buf_init(&text, 1 << 20);
    pull(c);
    weave_text_read(c->doc, content_text(c, key), (struct weave_sink){ put_buf, &text });
    bool same = slice_is(buf_view(&text), expected);
    if (!same) fprintf(stderr, "%s is \"%.*s\"\n", key, SLICE_ARG(buf_view(&text)));
    buf_deinit(&text);
    return same;
}

/* What the loader does at the first opening: one import row. */
static inline void import(struct bench *b, const char *room, const char *file) {
    struct buf row, update;
    struct entity_problem why = { 0 };
    uint8_t hash[32];
    buf_init(&row, 1 << 20);
    buf_init(&update, 1 << 20);
    check(entity_import(KIND_ATOM, slice_of(file), &update, &why) == E_OK);
    sha256(slice_of(file), hash);
    buf_put(&row, hash, 32);
    buf_slice(&row, buf_view(&update));
    append(b, ROW_IMPORT, CAUSE_SERVER, room, buf_view(&row));
    if (b->projector) projector_wake(b->projector);
    buf_deinit(&row);
    buf_deinit(&update);
}

/* ---- the index ---------------------------------------------------------------------------------------------------- */

static inline int take_json(void *ctx, const struct entity_row *row) {
    struct buf *out = ctx;
    buf_reset(out);
    if (row->state == ENTITY_GONE) buf_printf(out, "gone by %.*s", SLICE_ARG(row->by));
    else buf_slice(out, row->json);
    return E_OK;
}

/* A member of an atom's row is this JSON; or with key NULL the row says this. */
static inline bool row_says(struct bench *b, const char *id, const char *key, const char *expected) {
    struct buf json;
    buf_init(&json, 1 << 20);
    int e = index_entity(b->reader, slice_of("atom"), slice_of(id), take_json, &json);
    struct slice got = key ? json_member(buf_view(&json), key) : buf_view(&json);
    bool same = e == E_NOT_FOUND ? expected == NULL : expected && slice_is(got, expected);
    buf_deinit(&json);
    return same;
}

static inline int take_problem(void *ctx, const struct problem_row *p) {
    buf_printf(ctx, "%.*s:%d %.*s (%.*s)\n", SLICE_ARG(p->path), p->line, SLICE_ARG(p->text), SLICE_ARG(p->user));
    return E_OK;
}

static inline bool problems_say(struct bench *b, const char *part) {
    struct buf text;
    uint64_t total;
    buf_init(&text, 1 << 20);
    check(index_problems(b->reader, &total, take_problem, &text) == E_OK);
    buf_byte(&text, 0);
    bool found = part ? strstr((char *)text.at, part) != NULL : total == 0;
    buf_deinit(&text);
    return found;
}

#endif
