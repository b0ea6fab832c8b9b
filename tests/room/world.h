/* world.h -- a small world for tests of rooms: real loop, sockets, journal, reader and log, a clock
 * and a writer that move when the test says so. */
#ifndef TESTS_WORLD_H
#define TESTS_WORLD_H

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <weave.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/must.h"
#include "io/worker.h"
#include "room/journal.h"
#include "room/loader.h"
#include "room/member.h"
#include "room/room_int.h"
#include "store/memory.h"

struct world {
    uint64_t now_ms;
    struct loop *loop;
    struct conns *conns;
    struct journal *journal;
    struct memory_disk *disk;
    struct store *writing;
    struct sources sources;
    struct worker reader;
    _Atomic int read_only;
    struct rooms *rooms;
    char directory[40];
};

struct client {                     /* the far end of a socket whose near end is a member's */
    struct outlet outlet;           /* first */
    struct world *world;
    struct principal *who;
    struct member *member;
    int fd;
    struct buf in;                  /* bytes of frames that came */
    size_t at;                      /* read up to here */
    int joined, refused, lost, ready, read_only;
    int err;
};

static uint64_t world_clock(void *ctx) { return ((struct world *)ctx)->now_ms; }

static inline void world_init(struct world *w) {
    const char *why;

    *w = (struct world){ .now_ms = 1000000 };
    w->loop = loop_new();
    loop_set_clock(w->loop, world_clock, w);
    w->conns = conns_new(w->loop, 2000);
    w->journal = journal_new();
    w->disk = memory_disk_new();
    must(memory_open(w->disk, true, &w->writing) == E_OK);
    must(memory_open(w->disk, false, &w->sources.log) == E_OK);
    memcpy(w->directory, "/tmp/covalent-world-XXXXXX", 27);
    must(mkdtemp(w->directory));
    must(index_open(w->directory, true, &w->sources.index, &why) == E_OK);
    must(worker_start(&w->reader, &(struct worker_config){ .name = "reader", .ctx = &w->sources, .extra_fd = -1 }) == E_OK);
    w->rooms = rooms_new(&(struct rooms_config){ .journal = w->journal, .reader = &w->reader, .loop = w->loop,
                                                 .read_only = &w->read_only });
}

/* One turn of the reactor. */
static inline void world_turn(struct world *w) {
    uint64_t n;

    loop_turn(w->loop);
    if (read(w->reader.wakeup_reactor, &n, sizeof n) == sizeof n) worker_drain(&w->reader);
    journal_seal(w->journal);
    journal_publish(w->journal);
    rooms_flush(w->rooms);
}

static inline void world_pass(struct world *w, uint64_t ms) {
    w->now_ms += ms;
    world_turn(w);
    world_turn(w);
}

static inline bool world_is_loading(struct world *w) {
    for (size_t i = 0; i < w->rooms->by_name.cap; i++) {
        struct room *r = w->rooms->by_name.entries[i].value;
        if (r && r->state == ROOM_LOADING) return true;
    }
    return false;
}

/* Turn until the reader, the only thread besides ours, has answered everything. */
static inline void world_loaded(struct world *w) {
    struct pollfd p = { .fd = w->reader.wakeup_reactor, .events = POLLIN };

    world_turn(w);
    while (world_is_loading(w)) {
        must(poll(&p, 1, 10000) == 1);
        world_turn(w);
    }
    world_turn(w);
}

/* The writer's part, then publish. */
static inline void world_commit(struct world *w) {
    uint64_t from, to, lsn;

    journal_seal(w->journal);
    while (journal_pending(w->journal, &from, &to)) {
        int err = E_OK;
        for (uint64_t i = from; i < to; i++) {
            struct entry *e = journal_at(w->journal, i);
            struct row row = { .time_ms = e->time_ms, .kind = e->kind, .cause = e->cause,
                .room = { e->name->bytes, e->name->len }, .lineage = { e->lineage->bytes, e->lineage->len },
                .user = e->who ? slice_of(e->who->user) : (struct slice){ 0 },
                .bytes = { e->bytes->bytes, e->bytes->len } };
            err = w->writing->kind->append(w->writing, &row);
        }
        err = w->writing->kind->commit(w->writing, &lsn);
        if (err == E_OK) journal_committed(w->journal, to, lsn);
        else journal_failed(w->journal, err);
        if (err != E_OK) break;
    }
    world_turn(w);
    world_turn(w);
}

static inline void world_deinit(struct world *w) {
    rooms_free(w->rooms);
    worker_stop(&w->reader);
    conns_free(w->conns);
    journal_free(w->journal);
    w->writing->kind->close(w->writing);
    w->sources.log->kind->close(w->sources.log);
    memory_disk_free(w->disk);
    index_close(w->sources.index);
    index_delete(w->directory);
    rmdir(w->directory);
    loop_free(w->loop);
}

/* ---- clients -------------------------------------------------------------------------------- */

static void client_joined(struct outlet *o, struct member *m) { (void)m; ((struct client *)(void *)o)->joined++; }
static void client_refused(struct outlet *o, struct member *m, int err, const char *why) {
    struct client *c = (struct client *)(void *)o;
    (void)m, (void)why;
    c->refused++;
    c->err = err;
    c->member = NULL;
}
static void client_lost(struct outlet *o) { ((struct client *)(void *)o)->lost++; }
static void client_ready(struct outlet *o) { ((struct client *)(void *)o)->ready++; }
static void client_read_only(struct outlet *o, struct member *m, const char *why) {
    (void)m;
    ((struct client *)(void *)o)->read_only = why[0] != 0;
}
static void client_empty(struct outlet *o) { (void)o; }

static const struct outlet_handler client_handler = { client_joined, client_refused, client_lost,
                                                      client_read_only, client_ready, client_empty };

static void conn_bytes(void *owner, struct conn *c, uint8_t *at, size_t len) { (void)owner, (void)c, (void)at, (void)len; }
static void conn_writable(void *owner, struct conn *c) { (void)c; outlet_on_writable(owner); }
static void conn_closed(void *owner, struct conn *c) { (void)owner, (void)c; }
static const struct conn_handler conn_handler = { conn_bytes, conn_writable, conn_closed };

static inline void client_init(struct client *c, struct world *w, const char *user, enum role role) {
    int fds[2], small = 4096;

    *c = (struct client){ .world = w };
    must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) == 0);
    setsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
    c->fd = fds[1];
    c->who = principal_new(user, user, role);
    c->who->named = strncmp(user, "guest", 5) != 0;
    struct conn *conn = conns_adopt(w->conns, fds[0]);
    must(conn);
    outlet_init(&c->outlet, w->rooms, conn, &client_handler);
    conn_set_handler(conn, &conn_handler, &c->outlet);
    buf_init(&c->in, 64u << 20);
}

static inline void client_join_as(struct client *c, const char *room, enum channel channel) {
    int err;
    struct joining j = { .room = slice_of(room), .who = c->who, .channel = channel, .acks = channel == CHANNEL_MUX };
    c->member = room_join(&c->outlet, &j, &err);
    must(c->member);
}

static inline void client_join(struct client *c, const char *room) {
    client_join_as(c, room, CHANNEL_YJS);
    if (rooms_is_live(c->world->rooms, slice_of(room))) world_turn(c->world);
    while (!c->joined && !c->refused) world_loaded(c->world);
}

/* The connection closes. */
static inline void client_deinit(struct client *c) {
    struct conn *conn = c->outlet.conn;

    outlet_deinit(&c->outlet);
    if (conn) conn_close(conn);
    loop_turn(c->world->loop);
    close(c->fd);
    c->fd = -1;
    principal_unref(c->who);
    buf_deinit(&c->in);
}

static inline void client_receive(struct client *c) {
    uint8_t bytes[65536];
    ssize_t n;

    while ((n = read(c->fd, bytes, sizeof bytes)) > 0) {
        buf_put(&c->in, bytes, (size_t)n);
        world_turn(c->world);
    }
}

/* The next WebSocket message that came; false: none. */
static inline bool client_next(struct client *c, struct slice *message) {
    if (c->fd < 0) return false;
    client_receive(c);
    const uint8_t *p = c->in.at + c->at;
    size_t left = c->in.len - c->at, head = 2, len;

    if (left < 2) return false;
    len = p[1] & 0x7f;
    if (len == 126) head = 4, len = (size_t)p[2] << 8 | p[3];
    else if (len == 127) {
        head = 10;
        len = 0;
        for (int i = 2; i < 10; i++) len = len << 8 | p[i];
    }
    if (left < head + len) return false;
    *message = (struct slice){ p + head, len };
    c->at += head + len;
    return true;
}

/* The next y-protocols message, the dialect's name taken off. */
static inline bool client_y(struct client *c, struct y_msg *msg) {
    struct slice m;

    if (!client_next(c, &m)) return false;
    if (c->member && c->member->channel >= CHANNEL_MUX) {
        struct reader r = reader_of(m);
        read_bytes(&r);
        m = (struct slice){ r.at, reader_left(&r) };
    }
    *msg = (struct y_msg){ 0 };
    if (y_decode(m, msg) != E_OK) msg->kind = Y_AUTH, msg->body = m;   /* anything else */
    return true;
}

static inline int client_skip(struct client *c) {       /* how many messages came */
    struct slice m;
    int n = 0;

    while (client_next(c, &m)) n++;
    return n;
}

/* ---- documents: a real one with one text ---------------------------------------------------- */

static void into_buf(void *ctx, const uint8_t *at, size_t len) { buf_put(ctx, at, len); }

/* The update that typing this makes, in b. */
static inline struct slice type_text(struct weave *doc, struct buf *b, uint32_t at, const char *text) {
    struct weave_sink sink = { into_buf, b };
    struct weave_bytes name = { (const uint8_t *)"t", 1 };

    buf_reset(b);
    weave_begin(doc);
    must(weave_text_insert(doc, weave_root(doc, name), at,
                           (struct weave_bytes){ (const uint8_t *)text, strlen(text) }) == 0);
    weave_commit(doc, sink);
    return buf_view(b);
}

static inline bool text_is(struct weave *doc, const char *text) {
    struct buf b;
    struct weave_bytes name = { (const uint8_t *)"t", 1 };

    buf_init(&b, 1 << 20);
    weave_text_read(doc, weave_root(doc, name), (struct weave_sink){ into_buf, &b });
    bool is = slice_is(buf_view(&b), text);
    buf_deinit(&b);
    return is;
}

static inline int apply(struct weave *doc, struct slice update) {
    return weave_apply(doc, (struct weave_bytes){ update.at, update.len }, NULL);
}

/* All updates that came go into the document; returns how many. */
static inline int client_apply(struct client *c, struct weave *doc) {
    struct y_msg m;
    int n = 0;

    while (client_y(c, &m))
        if (m.kind == Y_SYNC && m.step != Y_STEP_1) n += apply(doc, m.body) == 0;
    return n;
}

#endif
