/* Connections over socket pairs and a loopback listener. */
#include "io/conn.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/limits.h"
#include "t.h"

static struct loop *loop;
static struct conns *conns;
static uint64_t clock_ms = 5000;

struct seen { char bytes[256]; size_t len, total; int writable, closed; bool inside, echo; };

static uint64_t fake_now(void *ctx) { return *(uint64_t *)ctx; }

static void on_bytes(void *owner, struct conn *c, uint8_t *at, size_t len) {
    struct seen *s = owner;

    s->inside = true;
    s->total += len;
    if (s->len + len <= sizeof s->bytes) {
        memcpy(s->bytes + s->len, at, len);
        s->len += len;
    }
    if (s->echo) check(conn_write(c, &(struct iovec){ at, len }, 1) == (ssize_t)len);
    if (memchr(at, '!', len)) {
        conn_close(c);
        check(conn_write(c, &(struct iovec){ at, 1 }, 1) == -1);
        check(s->closed == 0);                          /* C2: not from inside */
        check(conns_find(conns, c->id) == NULL);
    }
    s->inside = false;
}

static void on_writable(void *owner, struct conn *c) {
    (void)c;
    ((struct seen *)owner)->writable++;
}

static void on_close(void *owner, struct conn *c) {
    struct seen *s = owner;
    check(c->closing && !s->inside);
    s->closed++;
}

static const struct conn_handler handler = { on_bytes, on_writable, on_close };

static void start(uint32_t max) {
    loop = loop_new();
    loop_set_clock(loop, fake_now, &clock_ms);
    conns = conns_new(loop, max);
}

static void stop(void) {
    conns_free(conns);
    loop_free(loop);
}

static struct conn *open_pair(struct seen *s, int *peer) {
    int fds[2];

    check(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) == 0);
    struct conn *c = conns_adopt(conns, fds[0]);
    check(c != NULL);
    *s = (struct seen){ 0 };
    conn_set_handler(c, &handler, s);
    *peer = fds[1];
    return c;
}

static void c0_reads_and_writes(void) {
    struct seen s;
    int peer;
    char back[32];

    start(4);
    struct conn *c = open_pair(&s, &peer);
    s.echo = true;
    check(write(peer, "hello", 5) == 5);
    loop_turn(loop);
    check(s.len == 5 && memcmp(s.bytes, "hello", 5) == 0);
    check(read(peer, back, sizeof back) == 5);
    check(memcmp(c->address, "\0\0\0\0\0\0\0\0\0\0\xff\xff\x7f\0\0\1", 16) == 0);
    close(peer);
    loop_turn(loop);
    check(s.closed == 1 && conns_count(conns) == 0);
    stop();
}

static void c1_a_name_finds_its_own_connection_or_none(void) {
    struct seen s, t;
    int peer, other;

    start(1);
    struct conn *c = open_pair(&s, &peer);
    struct conn_id first = c->id;
    check(conns_find(conns, first) == c);
    check(conns_adopt(conns, peer) == NULL);            /* no slot */
    conn_close(c);
    check(conns_find(conns, first) == NULL);
    loop_turn(loop);
    check(s.closed == 1);
    c = open_pair(&t, &other);
    check(c->id.slot == first.slot && c->id.generation != first.generation);
    check(conns_find(conns, first) == NULL && conns_find(conns, c->id) == c);
    check(conns_find(conns, (struct conn_id){ 0, 0 }) == NULL);
    check(conns_find(conns, (struct conn_id){ 9, 1 }) == NULL);
    stop();
    check(t.closed == 1);
    close(peer);
    close(other);
}

static void c2_closes_once_at_the_end_of_the_turn(void) {
    struct seen s;
    int peer;

    start(4);
    open_pair(&s, &peer);
    check(write(peer, "bye!", 4) == 4);
    loop_turn(loop);
    check(s.closed == 1);
    loop_turn(loop);
    check(s.closed == 1);
    close(peer);
    stop();
}

static void a7_paused_reads_nothing(void) {
    struct seen s;
    int peer;

    start(4);
    struct conn *c = open_pair(&s, &peer);
    conn_pause(c);
    check(write(peer, "later", 5) == 5);
    loop_turn(loop);
    check(s.total == 0);
    conn_resume(c);
    loop_turn(loop);
    check(s.total == 5);
    conn_pause(c);
    close(peer);                        /* a paused connection still notices that its peer is gone */
    loop_turn(loop);
    check(s.closed == 1);
    stop();
}

static void c0_partial_writes(void) {
    struct seen s;
    int peer;
    size_t sent = 0, got = 0;
    static uint8_t big[1 << 20];
    static char sink[65536];

    start(4);
    struct conn *c = open_pair(&s, &peer);
    struct iovec parts[2] = { { big, sizeof big / 2 }, { big + sizeof big / 2, sizeof big / 2 } };
    ssize_t n = conn_write(c, parts, 2);
    check(n > 0 && (size_t)n < sizeof big && c->wants_write);
    sent = (size_t)n;
    while (got < sizeof big) {
        ssize_t r = read(peer, sink, sizeof sink);
        if (r > 0) got += (size_t)r;
        int before = s.writable;
        loop_turn(loop);
        if (s.writable > before && sent < sizeof big) {
            n = conn_write(c, &(struct iovec){ big + sent, sizeof big - sent }, 1);
            check(n >= 0);
            sent += (size_t)n;
        }
    }
    check(sent == sizeof big);
    int before = s.writable;
    loop_turn(loop);
    loop_turn(loop);
    check(s.writable <= before + 1 && !c->wants_write);     /* not called when nothing waits */
    close(peer);
    check(conn_write(c, &(struct iovec){ big, 1 }, 1) == -1 && s.closed == 0);
    loop_turn(loop);
    check(s.closed == 1);
    stop();
}

static void c2_finish_delivers_the_last_answer(void) {
    struct seen s;
    int peer;
    char back[16];

    start(4);
    struct conn *c = open_pair(&s, &peer);
    check(conn_write(c, &(struct iovec){ (void *)(uintptr_t)"no", 2 }, 1) == 2);
    conn_finish(c);
    loop_turn(loop);
    check(s.closed == 1 && conns_count(conns) == 1);
    check(write(peer, "still sending", 13) == 13);          /* dropped, no reset */
    loop_turn(loop);
    check(s.total == 0);
    check(read(peer, back, sizeof back) == 2 && read(peer, back, sizeof back) == 0);
    close(peer);
    loop_turn(loop);
    check(conns_count(conns) == 0);

    int peers[3];                                           /* and those who never leave */
    for (int i = 0; i < 3; i++) conn_finish(open_pair(&s, &peers[i]));
    loop_turn(loop);
    check(conns_count(conns) == 3);
    close(peers[1]);                                        /* from the middle of the list */
    loop_turn(loop);
    check(conns_count(conns) == 2);
    clock_ms += 999;
    loop_turn(loop);
    check(conns_count(conns) == 2);
    clock_ms += 1;
    loop_turn(loop);
    check(conns_count(conns) == 0);
    close(peers[0]);
    close(peers[2]);
    stop();
}

static int listen_here(struct sockaddr_in *a) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    socklen_t len = sizeof *a;

    *a = (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    check(bind(fd, (struct sockaddr *)a, sizeof *a) == 0 && listen(fd, 64) == 0);
    check(getsockname(fd, (struct sockaddr *)a, &len) == 0);
    return fd;
}

static void c0_accepts(void) {
    struct sockaddr_in a;
    struct seen s = { 0 };

    start(2);
    int listener = listen_here(&a);
    check(conns_accept(conns, listener) == NULL);           /* nobody waits */
    int peers[3];
    for (int i = 0; i < 3; i++) {
        peers[i] = socket(AF_INET, SOCK_STREAM, 0);
        check(connect(peers[i], (struct sockaddr *)&a, sizeof a) == 0);
    }
    for (int i = 0; i < 2; i++) {
        struct conn *c = conns_accept(conns, listener);
        check(c && c->address[12] == 127 && c->address[15] == 1);
        conn_set_handler(c, &handler, &s);
    }
    check(conns_accept(conns, listener) == NULL);           /* no slot: closed */
    char byte;
    check(read(peers[2], &byte, 1) <= 0);
    for (int i = 0; i < 3; i++) close(peers[i]);
    while (conns_count(conns)) loop_turn(loop);
    check(s.closed == 2);
    close(listener);
    stop();
}

/* Out of descriptors, the one who waits is closed: the listening socket does not stay readable. */
static void c0_refuses_without_descriptors(void) {
    struct sockaddr_in a;
    struct rlimit before, low;

    start(2);
    int listener = listen_here(&a);
    int peer = socket(AF_INET, SOCK_STREAM, 0);
    check(connect(peer, (struct sockaddr *)&a, sizeof a) == 0);
    getrlimit(RLIMIT_NOFILE, &before);
    low = before;
    low.rlim_cur = (rlim_t)peer + 1;
    check(setrlimit(RLIMIT_NOFILE, &low) == 0);
    check(conns_accept(conns, listener) == NULL);
    check(setrlimit(RLIMIT_NOFILE, &before) == 0);
    struct pollfd p = { .fd = listener, .events = POLLIN };
    check(poll(&p, 1, 0) == 0);
    char byte;
    check(read(peer, &byte, 1) <= 0);
    close(peer);
    close(listener);
    stop();
}

static void m1_a_slot_is_small(void) { check(sizeof(struct conn) <= 96); }

int main(void) {
    run(c0_reads_and_writes);
    run(c1_a_name_finds_its_own_connection_or_none);
    run(c2_closes_once_at_the_end_of_the_turn);
    run(a7_paused_reads_nothing);
    run(c0_partial_writes);
    run(c2_finish_delivers_the_last_answer);
    run(c0_accepts);
    run(c0_refuses_without_descriptors);
    run(m1_a_slot_is_small);
    return t_exit();
}
