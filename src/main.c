/* main.c -- covalent's commands. `serve` makes the modules, joins them, and turns the reactor's loop.
 *
 * The callbacks that go upward (src/layers) are set here: writer -> the end of the process, projector
 * -> rooms and sessions, workers and journal -> their wakeups. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/command_token.h"
#include "api/config.h"
#include "api/listener.h"
#include "api/metrics.h"
#include "api/rest.h"
#include "api/session.h"
#include "api/static.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/frame.h"
#include "base/log.h"
#include "base/must.h"
#include "entity/command_check.h"
#include "io/loop.h"
#include "io/worker.h"
#include "projection/projector.h"
#include "room/journal.h"
#include "room/loader.h"
#include "room/room.h"
#include "room/writer.h"
#include "store/index.h"
#include "store/store.h"

#define VERSION "0.1.0"
#define DRAIN_MS 2000           /* SIGTERM: members are asked to come back, spread over this time */
#define STOP_MS 10000           /* and at the latest after this the process ends */

struct wakeup {                 /* an eventfd of another thread, polled by the loop */
    struct loop_source source;
    struct server *server;
};

struct server {
    struct config config;
    struct loop *loop;
    struct journal *journal;
    struct store *log;
    struct writer writer;
    struct sources sources;     /* the reader's; its alone after worker_start */
    struct worker reader;
    struct projector *projector;
    struct rooms *rooms;
    struct sessions *sessions;
    struct auth *auth;
    struct conns *conns;
    struct http *http;
    struct rest *rest;
    struct metrics metrics;
    struct health health;
    struct wakeup journal_wakeup, reader_wakeup, projector_wakeup, signals;
    struct loop_timer stop_timer;
    bool stopping, stopped;
};

/* ---- wakeups ------------------------------------------------------------------------------------ */

static void drain_eventfd(int fd) {
    uint64_t count;
    ssize_t n = read(fd, &count, sizeof count);
    (void)n;                    /* nonblocking: nothing there is fine */
}

static void on_journal(struct loop_source *source, uint32_t events) {
    struct server *s = ((struct wakeup *)source)->server;
    (void)events;
    drain_eventfd(source->fd);
    projector_wake(s->projector);           /* the tick publishes */
}

static void on_reader(struct loop_source *source, uint32_t events) {
    (void)events;
    worker_drain(&((struct wakeup *)source)->server->reader);
}

static void on_projector(struct loop_source *source, uint32_t events) {
    (void)events;
    worker_drain(projector_worker(((struct wakeup *)source)->server->projector));
}

static void watch(struct server *s, struct wakeup *w, int fd, void (*on_events)(struct loop_source *, uint32_t)) {
    *w = (struct wakeup){ .source = { .fd = fd, .events = EPOLLIN, .on_events = on_events }, .server = s };
    must(loop_add(s->loop, &w->source) == E_OK);
}

/* ---- callbacks upward ------------------------------------------------------------------------------ */

/* A failing fsync (A8): what was acknowledged is on disk; nothing more may be promised. */
static void on_fatal(void *ctx, int err) {
    (void)ctx;
    log_error("server.fatal", "reason=\"%s\" advice=\"check the disk, then start again\"", err_text(err));
    _exit(1);
}

static void on_errand_done(void *ctx, int err, uint64_t lsn) { errand_answer(ctx, err, lsn); }

static void append_wrote(struct server *s, struct errand *e) {
    struct slice bytes = buf_view(&e->bytes);

    if (journal_full(s->journal, bytes.len) || s->journal->dropping) {
        errand_answer(e, E_OVERLOADED, 0);
        return;
    }
    journal_append(s->journal, (struct entry){
        .kind = ROW_WROTE, .cause = CAUSE_SERVER, .bytes = frame_copy(bytes),
        .time_ms = clock_wall_ms(), .received_ns = clock_mono_ns(), .done = on_errand_done, .ctx = e });
}

static void on_errand(void *ctx, struct errand *e) {
    struct server *s = ctx;

    if (e->kind == ERRAND_WROTE) {
        append_wrote(s, e);
        return;
    }
    rooms_submit(s->rooms, &(struct submission){
        .room = slice_of(e->room), .bytes = buf_view(&e->bytes), .cause = CAUSE_FILE,
        .lineage = e->lineage, .done = on_errand_done, .ctx = e });
}

static void on_notice(void *ctx, const struct notice *n) {
    struct server *s = ctx;
    struct entity_name names[NOTICE_CHANGES];

    for (size_t i = 0; i < n->n; i++) {
        struct room_name name;
        must(name_parse(slice_of(n->changes[i].room), &name) == E_OK);
        names[i] = (struct entity_name){ slice_of(kind_text(name.kind)), name.id };
    }
    if (s->sessions) sessions_entities_changed(s->sessions, names, n->n);
    if (s->rest) rest_notice(s->rest, n);
}

/* ---- stopping ---------------------------------------------------------------------------------------- */

static void on_stop_timer(struct loop_timer *timer, uint64_t now_ms) {
    struct server *s = (struct server *)((char *)timer - offsetof(struct server, stop_timer));
    (void)now_ms;
    s->stopped = true;
}

static void on_signal(struct loop_source *source, uint32_t events) {
    struct server *s = ((struct wakeup *)source)->server;
    struct signalfd_siginfo info;
    (void)events;

    if (read(source->fd, &info, sizeof info) != (ssize_t)sizeof info) return;
    if (s->stopping) {
        s->stopped = true;      /* asked twice: do not wait for anybody */
        return;
    }
    s->stopping = true;
    log_info("server.stopping", "signal=%u connections=%u", info.ssi_signo, sessions_count(s->sessions));
    http_stop_accepting(s->http);
    sessions_close_all(s->sessions, sessions_count(s->sessions) > 20 ? DRAIN_MS : 0);
    projector_hurry(s->projector);
    s->stop_timer.on_timer = on_stop_timer;
    loop_timer_set(s->loop, &s->stop_timer, loop_now_ms(s->loop) + STOP_MS);
}

static bool is_drained(const struct server *s) {
    return sessions_count(s->sessions) == 0 && s->journal->published == s->journal->appended &&
           atomic_load(&projector_status(s->projector)->idle);
}

/* ---- the loop ------------------------------------------------------------------------------------------ */

static void tick(struct server *s) {
    loop_turn(s->loop);                 /* bytes -> sessions -> rooms -> journal; timers; workers' answers */
    journal_seal(s->journal);           /* hand over to the writer */
    journal_publish(s->journal);        /* what became durable */
    rooms_flush(s->rooms);              /* one write each */
    journal_seal(s->journal);           /* what waited for room in the journal */
}

static void run(struct server *s) {
    while (!s->stopped && !(s->stopping && is_drained(s))) tick(s);
}

static int make_directory(char *path) {
    for (char *slash = path + 1; (slash = strchr(slash, '/')); slash++) {
        *slash = 0;
        int e = mkdir(path, 0755);
        *slash = '/';
        if (e != 0 && errno != EEXIST) return -1;
    }
    return mkdir(path, 0700) != 0 && errno != EEXIST ? -1 : 0;
}

static int refuse(const char *what, const char *why) {
    fprintf(stderr, "covalent: %s: %s\n", what, why);
    return 1;
}

/* Writing before reading: the writer makes log.db, the projector index.db. */
static int open_data(struct server *s) {
    struct config *c = &s->config;
    struct store *log;
    const char *why = "";

    if (make_directory(c->data) != 0) return refuse(c->data, strerror(errno));
    if (store_sqlite_open(c->data, true, &s->log, &why) != E_OK) return refuse(c->data, why);
    if (store_sqlite_open(c->data, false, &log, &why) != E_OK) return refuse(c->data, why);
    s->journal = journal_new();
    struct projector_config projector = { .workspace = c->workspace, .data = c->data, .log = log, .ctx = s,
                                          .on_errand = on_errand, .on_notice = on_notice };
    if (projector_new(&projector, &s->projector, &why) != E_OK) return refuse(c->workspace, why);
    if (store_sqlite_open(c->data, false, &s->sources.log, &why) != E_OK) return refuse(c->data, why);
    if (index_open(c->data, false, &s->sources.index, &why) != E_OK) return refuse(c->data, why);
    if (disk_open_read(c->workspace, &s->sources.disk, &why) != E_OK) return refuse(c->workspace, why);
    s->sources.index_complete = &projector_status(s->projector)->complete;
    return 0;
}

static int start_threads(struct server *s) {
    struct writer_config writer = { .journal = s->journal, .store = s->log, .on_fatal = on_fatal, .ctx = s };
    struct worker_config reader = { .name = "reader", .ctx = &s->sources, .extra_fd = -1 };

    if (writer_start(&s->writer, &writer) != E_OK || worker_start(&s->reader, &reader) != E_OK)
        return refuse("cannot start a thread", strerror(errno));
    s->rooms = rooms_new(&(struct rooms_config){ .journal = s->journal, .reader = &s->reader, .loop = s->loop,
                                                 .read_only = &s->writer.read_only });
    watch(s, &s->journal_wakeup, s->journal->wakeup_reactor, on_journal);
    watch(s, &s->reader_wakeup, s->reader.wakeup_reactor, on_reader);
    if (projector_start(s->projector) != E_OK) return refuse("cannot start a thread", strerror(errno));
    watch(s, &s->projector_wakeup, projector_worker(s->projector)->wakeup_reactor, on_projector);
    return 0;
}

static void stop_threads(struct server *s) {
    journal_seal(s->journal);
    writer_stop(&s->writer);
    journal_publish(s->journal);
    projector_stop(s->projector);
    worker_stop(&s->reader);
}

/* Signals come through the loop; threads inherit the mask. */
static int signal_descriptor(void) {
    sigset_t set;

    signal(SIGPIPE, SIG_IGN);
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    must(pthread_sigmask(SIG_BLOCK, &set, NULL) == 0);
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* Descriptors are what connections cost first: take all the kernel allows. */
static void raise_descriptor_limit(struct config *c) {
    struct rlimit files;

    must(getrlimit(RLIMIT_NOFILE, &files) == 0);
    rlim_t want = (rlim_t)c->connections + 64;
    if (files.rlim_cur < want) {
        files.rlim_cur = want < files.rlim_max ? want : files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
    if (files.rlim_cur < want) {
        c->connections = (uint32_t)(files.rlim_cur - 64);
        log_warn("server.descriptors", "limit=%llu connections=%u advice=\"ulimit -n %llu\"",
                 (unsigned long long)files.rlim_cur, c->connections, (unsigned long long)want);
    }
}

/* ---- what operators see ----------------------------------------------------------------------------------- */

static const char *health_problem(void *ctx) {
    struct server *s = ctx;

    if (writer_read_only(&s->writer) == E_FULL) return "the disk is full: rooms are read-only until there is space";
    if (writer_read_only(&s->writer) != E_OK) return "the log cannot be written: rooms are read-only";
    if (atomic_load(&projector_status(s->projector)->err) != E_OK)
        return "index.db cannot be written: files and lists are behind, nothing is lost";
    return NULL;
}

static bool health_is_ready(void *ctx) {
    struct server *s = ctx;
    return !s->stopping && writer_read_only(&s->writer) == E_OK;
}

#define ROOM_GAUGE(field)                                              \
    static uint64_t gauge_##field(void *ctx) {                         \
        struct rooms_stats stats;                                      \
        rooms_stats(((struct server *)ctx)->rooms, &stats);            \
        return stats.field;                                            \
    }
ROOM_GAUGE(rooms)
ROOM_GAUGE(members)
ROOM_GAUGE(updates)
ROOM_GAUGE(deliveries)
ROOM_GAUGE(bytes_documents)
ROOM_GAUGE(bytes_queued)

static uint64_t gauge_connections(void *ctx) { return conns_count(((struct server *)ctx)->conns); }
static uint64_t gauge_commits(void *ctx) { return atomic_load(&((struct server *)ctx)->writer.commits); }
static uint64_t gauge_rows(void *ctx) { return atomic_load(&((struct server *)ctx)->writer.rows); }
static uint64_t gauge_read_only(void *ctx) { return writer_read_only(&((struct server *)ctx)->writer) != E_OK; }
static uint64_t gauge_lag(void *ctx) {
    struct server *s = ctx;
    uint64_t lsn = atomic_load(&s->journal->lsn), cursor = atomic_load(&projector_status(s->projector)->cursor);
    return lsn > cursor ? lsn - cursor : 0;
}
static uint64_t gauge_problems(void *ctx) {
    return atomic_load(&projector_status(((struct server *)ctx)->projector)->problems);
}

static void add_metrics(struct server *s) {
    static const struct { const char *name, *help; uint64_t (*read)(void *ctx); } gauges[] = {
        { "covalent_connections", "open connections", gauge_connections },
        { "covalent_rooms", "rooms in memory", gauge_rooms },
        { "covalent_members", "members of rooms", gauge_members },
        { "covalent_updates", "updates accepted since the start", gauge_updates },
        { "covalent_deliveries", "updates sent to members since the start", gauge_deliveries },
        { "covalent_document_bytes", "memory of live documents", gauge_bytes_documents },
        { "covalent_queued_bytes", "bytes waiting for slow readers", gauge_bytes_queued },
        { "covalent_commits", "commits of the log since the start", gauge_commits },
        { "covalent_log_rows", "rows written to the log since the start", gauge_rows },
        { "covalent_read_only", "1 while nothing can be saved", gauge_read_only },
        { "covalent_projector_lag_rows", "log rows that files and lists do not show yet", gauge_lag },
        { "covalent_problems", "problems of files in the workspace", gauge_problems },
    };
    for (size_t i = 0; i < sizeof gauges / sizeof *gauges; i++)
        metrics_add_gauge(&s->metrics, gauges[i].name, gauges[i].help, gauges[i].read, s);
    s->health = (struct health){ &s->metrics, health_problem, health_is_ready, s };
}

/* ---- the network side --------------------------------------------------------------------------------------- */

static void on_upgrade(void *ctx, struct conn *c, const struct upgrade *u) {
    session_open(((struct server *)ctx)->sessions, c, u);
}

static int read_key(const char *path, struct buf *key) {
    FILE *f = *path ? fopen(path, "re") : NULL;
    char some[4096];
    size_t n;

    if (!*path) return 0;
    if (!f) return refuse(path, strerror(errno));
    while ((n = fread(some, 1, sizeof some, f)) > 0) buf_put(key, some, n);
    fclose(f);
    return key->bad ? refuse(path, "larger than 64 KiB, that is no key") : 0;
}

static int open_auth(struct server *s) {
    char cookie_key[sizeof s->config.data + 16];
    const char *why = "";
    struct buf key;

    buf_init(&key, KIB(64));
    if (read_key(s->config.public_key, &key) != 0) return 1;
    snprintf(cookie_key, sizeof cookie_key, "%s/cookie.key", s->config.data);
    s->auth = auth_new(&(struct auth_config){
        .secret = s->config.secret, .public_key = buf_view(&key), .allowed_origins = s->config.allowed_origins,
        .listen = s->config.listen, .cookie_key_file = cookie_key }, &why);
    buf_deinit(&key);
    return s->auth ? 0 : refuse("cannot serve", why);
}

static int open_network(struct server *s) {
    const char *why = "";

    if (open_auth(s) != 0) return 1;
    s->sessions = sessions_new(&(struct sessions_config){
        .rooms = s->rooms, .loop = s->loop, .ctx = s->auth,
        .token_is_valid = auth_is_open(s->auth) ? NULL : auth_token_is_valid,
        .sign_in = auth_from_token });
    s->conns = conns_new(s->loop, s->config.connections + 64);
    s->http = http_open(&(struct listener_config){
        .conns = s->conns, .auth = s->auth, .listen = s->config.listen,
        .trusted_proxies = s->config.trusted_proxies, .connections = s->config.connections,
        .connections_per_address = s->config.connections_per_address,
        .connections_per_user = s->config.connections_per_user, .on_upgrade = on_upgrade, .ctx = s }, &why);
    if (!s->http) return refuse(s->config.listen, why);
    auth_add_routes(s->http, s->auth);
    s->rest = rest_new(&(struct rest_config){
        .http = s->http, .loop = s->loop, .journal = s->journal, .rooms = s->rooms, .reader = &s->reader,
        .projector = projector_status(s->projector), .read_only = &s->writer.read_only });
    add_metrics(s);
    metrics_add_routes(s->http, &s->health);
    static_add_routes(s->http);
    return 0;
}

/* ---- serve ---------------------------------------------------------------------------------------------------- */

static void announce(const struct server *s) {
    const char *colon = strrchr(s->config.listen, ':');
    int host = colon ? (int)(colon - s->config.listen) : (int)strlen(s->config.listen);

    log_info("server.listening", "address=%.*s:%u mode=%s workspace=\"%s\" data=\"%s\" version=%s", host,
             s->config.listen, http_port(s->http), auth_is_open(s->auth) ? "open" : "token", s->config.workspace,
             s->config.data, VERSION);
    printf("Covalent: http://%.*s:%u%s\n", host, s->config.listen, http_port(s->http),
           auth_is_open(s->auth) ? "  (open mode: no WS_SECRET_KEY, this machine only)" : "");
    fflush(stdout);
}

static int command_serve(int argc, char **argv) {
    struct server *s = calloc(1, sizeof *s);
    must(s);
    int e = config_read(&s->config, argc - 1, argv + 1);
    if (e != 0) return e == 1 ? 0 : e;

    raise_descriptor_limit(&s->config);
    s->loop = loop_new();
    watch(s, &s->signals, signal_descriptor(), on_signal);
    if (open_data(s) != 0 || start_threads(s) != 0) return 1;
    while (!atomic_load(&projector_status(s->projector)->complete)) tick(s);    /* its notice wakes the loop */
    if (open_network(s) != 0) return 1;
    announce(s);
    run(s);
    stop_threads(s);
    log_info("server.stopped", "lsn=%llu", (unsigned long long)atomic_load(&s->journal->lsn));
    return 0;
}

static int command_version(int argc, char **argv) {
    (void)argc, (void)argv;
    printf("covalent %s\n", VERSION);
    return 0;
}

int main(int argc, char **argv) {
    static const struct { const char *name, *help; int (*run)(int argc, char **argv); } commands[] = {
        { "serve", "the server: covalent serve --workspace DIR", command_serve },
        { "token", "a token and a sign-in link: covalent token --user anna --role editor", command_token },
        { "check", "every problem of a workspace: covalent check DIR", command_check },
        { "verify", "is the log whole? covalent verify DATA", command_verify },
        { "reindex", "derive index.db again: covalent reindex --workspace DIR --data DIR", command_reindex },
        { "version", "the version", command_version },
    };
    size_t n = sizeof commands / sizeof *commands;
    const char *name = argc > 1 ? argv[1] : "";

    for (size_t i = 0; i < n; i++)
        if (strcmp(commands[i].name, name) == 0) return commands[i].run(argc - 1, argv + 1);
    FILE *out = strcmp(name, "--help") == 0 || strcmp(name, "help") == 0 ? stdout : stderr;
    fprintf(out, "covalent -- documentation as YAML in git, edited together, live\n\n");
    for (size_t i = 0; i < n; i++) fprintf(out, "  covalent %-9s %s\n", commands[i].name, commands[i].help);
    fprintf(out, "\nEach has --help.\n");
    return out == stdout ? 0 : 2;
}
