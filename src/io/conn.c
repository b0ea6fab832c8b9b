/* conn.c -- a slab of connection slots over the loop. Reactor thread.
 *
 * Invariants:
 *   C1  A slot's generation changes when it is released: a name finds its own connection or none.
 *   C2  on_close is called once for every connection that has a handler, from the end of a turn,
 *       never from inside a call of its owner.
 *   C3  A slot is in at most one list: free, closing, lingering. */
#include "io/conn.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"
#include "base/must.h"

#define READ_BYTES 65536        /* the one buffer of all reads */
#define SLAB 256                /* slots allocated at a time */
#define LINGER_MS 1000
#define NONE UINT32_MAX
_Static_assert(sizeof(struct conn) <= 96, "a slot is small: ten thousand are idle");

struct lingering {
    uint64_t due_ms;
    uint32_t before;            /* the list's other direction */
};

struct conns {
    struct loop *loop;
    struct conn **slabs;
    uint32_t max, made, n;
    uint32_t free_first, closing_first;
    uint32_t linger_first, linger_last;
    struct lingering *lingering;    /* by slot; only looked at while lingering */
    void (*on_release)(void *ctx, const struct conn *c);
    void *release_ctx;
    struct loop_task close_task;
    struct loop_timer linger_timer;
    int spare_fd;               /* given up for a moment to refuse somebody when descriptors run out */
    uint8_t read_buffer[READ_BYTES];
};

static struct conn *slot(const struct conns *all, uint32_t i) {
    return &all->slabs[i / SLAB][i % SLAB];
}

static void close_all(struct loop_task *task);
static void linger_expire(struct loop_timer *timer, uint64_t now_ms);

struct conns *conns_new(struct loop *loop, uint32_t max) {
    struct conns *all = calloc(1, sizeof *all);
    must(all && max > 0 && max < NONE);
    all->loop = loop;
    all->max = max;
    all->slabs = calloc((max + SLAB - 1) / SLAB, sizeof(struct conn *));
    all->lingering = calloc(max, sizeof *all->lingering);
    must(all->slabs && all->lingering);
    all->free_first = all->closing_first = all->linger_first = all->linger_last = NONE;
    all->close_task.on_turn_end = close_all;
    all->linger_timer.on_timer = linger_expire;
    all->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    return all;
}

uint32_t conns_count(const struct conns *all) { return all->n; }
struct loop *conns_loop(const struct conns *all) { return all->loop; }

void conns_on_release(struct conns *all, void (*on_release)(void *ctx, const struct conn *c), void *ctx) {
    all->on_release = on_release;
    all->release_ctx = ctx;
}

struct conn *conns_find(struct conns *all, struct conn_id id) {
    if (id.slot >= all->made) return NULL;
    struct conn *c = slot(all, id.slot);
    return c->id.generation == id.generation && c->source.fd >= 0 && !c->closing ? c : NULL;
}

/* ---- slots --------------------------------------------------------------------------------- */

static struct conn *take_slot(struct conns *all) {
    uint32_t i = all->free_first;

    if (i != NONE) {
        all->free_first = slot(all, i)->next;
    } else {
        if (all->made == all->max) return NULL;
        i = all->made++;
        if (i % SLAB == 0) {
            all->slabs[i / SLAB] = calloc(SLAB, sizeof(struct conn));
            must(all->slabs[i / SLAB]);
        }
        slot(all, i)->id = (struct conn_id){ .slot = i, .generation = 1 };
    }
    all->n++;
    return slot(all, i);
}

static void release(struct conn *c) {
    struct conns *all = c->all;

    if (all->on_release) all->on_release(all->release_ctx, c);
    loop_remove(all->loop, &c->source);
    close(c->source.fd);
    *c = (struct conn){
        .source.fd = -1, .all = all, .next = all->free_first,
        .id = { .slot = c->id.slot, .generation = c->id.generation + 1 },
    };
    all->free_first = c->id.slot;
    all->n--;
}

/* ---- events -------------------------------------------------------------------------------- */

static uint32_t wanted(const struct conn *c) {
    return (c->reading ? (uint32_t)EPOLLIN : 0) | (c->wants_write ? (uint32_t)EPOLLOUT : 0);
}

static void read_some(struct conn *c) {
    uint8_t *to = c->all->read_buffer;
    ssize_t n = recv(c->source.fd, to, READ_BYTES, MSG_DONTWAIT);

    if (n > 0) c->handler->on_bytes(c->owner, c, to, (size_t)n);
    else if (n == 0 || (errno != EAGAIN && errno != EINTR)) conn_close(c);
}

static void on_events(struct loop_source *source, uint32_t events) {
    struct conn *c = (struct conn *)source;     /* its first member */

    if (c->closing) return;
    if (events & EPOLLOUT && c->wants_write) {
        c->wants_write = false;
        c->handler->on_writable(c->owner, c);
        if (!c->closing) loop_change(c->all->loop, &c->source, wanted(c));
    }
    if (c->closing) return;
    if (c->reading && events & (EPOLLIN | EPOLLHUP | EPOLLERR)) read_some(c);
    else if (events & (EPOLLHUP | EPOLLERR)) conn_close(c);     /* paused, and the peer is gone */
}

/* Of a connection that lingers: nobody owns it, its bytes are dropped. */
static void on_linger_events(struct loop_source *source, uint32_t events);

/* ---- accepting ----------------------------------------------------------------------------- */

static void set_address(struct conn *c, const struct sockaddr_storage *peer) {
    if (peer->ss_family == AF_INET6) {
        memcpy(c->address, &((const struct sockaddr_in6 *)peer)->sin6_addr, 16);
    } else {
        memset(c->address, 0, 10);
        memset(c->address + 10, 0xff, 2);
        if (peer->ss_family == AF_INET)
            memcpy(c->address + 12, &((const struct sockaddr_in *)peer)->sin_addr, 4);
        else memcpy(c->address + 12, (uint8_t[]){ 127, 0, 0, 1 }, 4);   /* a local socket pair */
    }
}

struct conn *conns_adopt(struct conns *all, int fd) {
    struct sockaddr_storage peer = { 0 };
    socklen_t len = sizeof peer;
    struct conn *c = take_slot(all);

    if (!c) return NULL;
    *c = (struct conn){ .source = { .fd = fd, .on_events = on_events }, .id = c->id, .all = all };
    if (getpeername(fd, (struct sockaddr *)&peer, &len) != 0) peer.ss_family = AF_UNSPEC;
    set_address(c, &peer);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int));
    must(loop_add(all->loop, &c->source) == E_OK);
    return c;
}

/* Out of descriptors: take the one who waits through the spare one and close it, or the listening
 * socket would stay readable and the loop spin. */
static void refuse_one(struct conns *all, int listen_fd) {
    if (all->spare_fd < 0) return;
    close(all->spare_fd);
    int fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd >= 0) close(fd);
    all->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

struct conn *conns_accept(struct conns *all, int listen_fd) {
    int fd;

    do fd = accept4(listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    while (fd < 0 && (errno == EINTR || errno == ECONNABORTED));
    if (fd < 0) {
        if (errno == EMFILE || errno == ENFILE) refuse_one(all, listen_fd);
        return NULL;
    }
    struct conn *c = conns_adopt(all, fd);
    if (!c) close(fd);
    return c;
}

void conn_set_handler(struct conn *c, const struct conn_handler *handler, void *owner) {
    bool first = !c->handler;

    c->handler = handler;
    c->owner = owner;
    if (first) conn_resume(c);
}

/* ---- reading and writing ------------------------------------------------------------------- */

void conn_pause(struct conn *c) {
    c->reading = false;
    if (!c->closing) loop_change(c->all->loop, &c->source, wanted(c));
}

void conn_resume(struct conn *c) {
    if (c->closing) return;
    c->reading = true;
    loop_change(c->all->loop, &c->source, wanted(c));
}

ssize_t conn_write(struct conn *c, const struct iovec *parts, int n) {
    struct msghdr m = { .msg_iov = (struct iovec *)(uintptr_t)parts, .msg_iovlen = (size_t)n };
    size_t all = 0;
    ssize_t wrote;

    if (c->closing) return -1;
    for (int i = 0; i < n; i++) all += parts[i].iov_len;
    do wrote = sendmsg(c->source.fd, &m, MSG_DONTWAIT | MSG_NOSIGNAL);
    while (wrote < 0 && errno == EINTR);
    if (wrote < 0) {
        if (errno != EAGAIN) {
            conn_close(c);
            return -1;
        }
        wrote = 0;
    }
    if ((size_t)wrote < all) {
        c->wants_write = true;
        loop_change(c->all->loop, &c->source, wanted(c));
    }
    return wrote;
}

/* ---- closing ------------------------------------------------------------------------------- */

void conn_close(struct conn *c) {
    if (c->closing) {
        c->finish = false;
        return;
    }
    c->closing = true;
    c->next = c->all->closing_first;
    c->all->closing_first = c->id.slot;
    loop_defer(c->all->loop, &c->all->close_task);
}

void conn_finish(struct conn *c) {
    if (c->closing) return;
    conn_close(c);
    c->finish = true;
}

static void linger(struct conn *c) {
    struct conns *all = c->all;

    shutdown(c->source.fd, SHUT_WR);
    c->handler = NULL;
    c->owner = NULL;
    c->source.on_events = on_linger_events;
    loop_change(all->loop, &c->source, EPOLLIN);
    c->next = NONE;
    all->lingering[c->id.slot] = (struct lingering){
        .due_ms = loop_now_ms(all->loop) + LINGER_MS, .before = all->linger_last,
    };
    if (all->linger_first == NONE) all->linger_first = c->id.slot;
    else slot(all, all->linger_last)->next = c->id.slot;
    all->linger_last = c->id.slot;
    if (!all->linger_timer.place)
        loop_timer_set(all->loop, &all->linger_timer, all->lingering[c->id.slot].due_ms);
}

/* A task: closes what was marked in this turn. An on_close may mark more. */
static void close_all(struct loop_task *task) {
    struct conns *all = (struct conns *)(void *)((char *)task - offsetof(struct conns, close_task));

    while (all->closing_first != NONE) {
        struct conn *c = slot(all, all->closing_first);
        all->closing_first = c->next;
        if (c->handler) c->handler->on_close(c->owner, c);
        if (c->finish) linger(c);
        else release(c);
    }
}

static void leave_linger(struct conn *c) {
    struct conns *all = c->all;
    uint32_t before = all->lingering[c->id.slot].before;

    if (before == NONE) all->linger_first = c->next;
    else slot(all, before)->next = c->next;
    if (c->next == NONE) all->linger_last = before;
    else all->lingering[c->next].before = before;
    release(c);
}

static void on_linger_events(struct loop_source *source, uint32_t events) {
    struct conn *c = (struct conn *)source;
    ssize_t n = recv(source->fd, c->all->read_buffer, READ_BYTES, MSG_DONTWAIT);

    (void)events;
    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) leave_linger(c);
}

static void linger_expire(struct loop_timer *timer, uint64_t now_ms) {
    struct conns *all = (struct conns *)(void *)((char *)timer - offsetof(struct conns, linger_timer));

    while (all->linger_first != NONE && all->lingering[all->linger_first].due_ms <= now_ms)
        leave_linger(slot(all, all->linger_first));
    if (all->linger_first != NONE)
        loop_timer_set(all->loop, timer, all->lingering[all->linger_first].due_ms);
}

void conns_free(struct conns *all) {
    for (uint32_t i = 0; i < all->made; i++) {
        struct conn *c = slot(all, i);
        if (c->source.fd >= 0 && !c->closing && c->source.on_events == on_events) conn_close(c);
    }
    for (uint32_t i = all->closing_first; i != NONE; i = slot(all, i)->next) slot(all, i)->finish = false;
    close_all(&all->close_task);
    while (all->linger_first != NONE) leave_linger(slot(all, all->linger_first));
    must(all->n == 0);
    loop_defer_clear(all->loop, &all->close_task);
    loop_timer_clear(all->loop, &all->linger_timer);
    for (uint32_t i = 0; i * SLAB < all->made; i++) free(all->slabs[i]);
    if (all->spare_fd >= 0) close(all->spare_fd);
    free(all->lingering);
    free(all->slabs);
    free(all);
}
