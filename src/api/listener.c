/* listener.c -- accepting, and how many may connect. Reactor thread.
 *
 * Invariants:
 *   N1  A counter is the number of seats whose hash falls on it. */
#include "api/listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "api/http_int.h"
#include "base/err.h"
#include "base/map.h"
#include "base/must.h"
#include "base/rand.h"

#define ACCEPTS_PER_TURN 64
#define BACKLOG 4096

/* ---- crowds --------------------------------------------------------------------------------- */

static uint64_t hash_of(const struct http *h, struct slice key) {
    uint64_t hash = map_hash(h->seed, key);
    return hash ? hash : 1;
}

static bool is_full(const struct http *h, uint64_t hash, bool of_user, uint32_t limit) {
    uint32_t n = 0;

    if ((of_user ? h->users : h->addresses)[hash % CROWDS] < limit) return false;
    for (uint32_t i = 0; i < h->n_seats; i++)
        n += (of_user ? h->seats[i].user : h->seats[i].address) == hash;
    return n >= limit;
}

static void on_release(void *ctx, const struct conn *c) {
    struct http *h = ctx;

    if (c->id.slot >= h->n_seats) return;
    struct seat *seat = &h->seats[c->id.slot];
    if (seat->address) h->addresses[seat->address % CROWDS]--;
    if (seat->user) h->users[seat->user % CROWDS]--;
    *seat = (struct seat){ 0 };
}

static struct seat *seat_of(struct http *h, const struct conn *c) {
    if (c->id.slot >= h->n_seats) {
        uint32_t n = h->n_seats ? h->n_seats * 2 : 64;
        while (n <= c->id.slot) n *= 2;
        h->seats = realloc(h->seats, n * sizeof *h->seats);
        must(h->seats);
        memset(h->seats + h->n_seats, 0, (n - h->n_seats) * sizeof *h->seats);
        h->n_seats = n;
    }
    return &h->seats[c->id.slot];
}

bool http_seat_user(struct http *h, const struct conn *c, const struct principal *who) {
    uint64_t hash = hash_of(h, slice_of(who->user));
    struct seat *seat = seat_of(h, c);

    if (!who->named || seat->user) return true;
    if (is_full(h, hash, true, h->config.connections_per_user)) return false;
    seat->user = hash;
    h->users[hash % CROWDS]++;
    return true;
}

/* ---- addresses ------------------------------------------------------------------------------ */

static bool parse_address(const char *text, uint8_t out[16]) {
    struct in_addr v4;

    if (inet_pton(AF_INET6, text, out) == 1) return true;
    if (inet_pton(AF_INET, text, &v4) != 1) return false;
    memset(out, 0, 10);
    memset(out + 10, 0xff, 2);
    memcpy(out + 12, &v4, 4);
    return true;
}

static bool in_range(const uint8_t a[16], const struct proxy *p) {
    for (unsigned i = 0; i < p->bits; i++)
        if ((a[i / 8] ^ p->address[i / 8]) & 0x80u >> i % 8) return false;
    return true;
}

static bool is_trusted(const struct http *h, const uint8_t address[16]) {
    for (size_t i = 0; i < h->n_proxies; i++)
        if (in_range(address, &h->proxies[i])) return true;
    return false;
}

static bool is_loopback(const uint8_t a[16]) {
    static const uint8_t mapped[13] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 127 };
    static const uint8_t v6[16] = { [15] = 1 };
    return memcmp(a, mapped, sizeof mapped) == 0 || memcmp(a, v6, 16) == 0;
}

/* One ADDRESS or ADDRESS/BITS. */
static bool add_proxy(struct http *h, char *text) {
    struct proxy p;
    char *slash = strchr(text, '/');
    bool v4 = !strchr(text, ':');

    if (slash) *slash = 0;
    if (!parse_address(text, p.address)) return false;
    p.bits = v4 ? 32 : 128;
    if (slash) {
        char *end;
        unsigned long bits = strtoul(slash + 1, &end, 10);
        if (end == slash + 1 || *end || bits > p.bits) return false;
        p.bits = (unsigned)bits;
    }
    if (v4) p.bits += 96;
    h->proxies = realloc(h->proxies, (h->n_proxies + 1) * sizeof p);
    must(h->proxies);
    h->proxies[h->n_proxies++] = p;
    return true;
}

static bool add_proxies(struct http *h, const char *list) {
    char *copy = strdup(list), *save = NULL;
    bool good = true;

    must(copy);
    for (char *one = strtok_r(copy, ", ", &save); one && good; one = strtok_r(NULL, ", ", &save))
        good = add_proxy(h, one);
    free(copy);
    return good;
}

/* Who is behind it: the last address of X-Forwarded-For that is not a trusted proxy's, if one spoke. */
void http_address_text(const struct http *h, const struct conn *c, struct slice forwarded,
                       char out[64]) {
    uint8_t at[16];
    char list[512], *comma;

    memcpy(at, c->address, 16);
    if (forwarded.len >= sizeof list) forwarded.len = 0;
    snprintf(list, sizeof list, "%.*s", SLICE_ARG(forwarded));
    while (list[0] && is_trusted(h, at)) {
        comma = strrchr(list, ',');
        char *one = comma ? comma + 1 : list;
        while (*one == ' ') one++;
        if (!parse_address(one, at)) break;
        *(comma ? comma : list) = 0;
    }
    bool v4 = memcmp(at, "\0\0\0\0\0\0\0\0\0\0\xff\xff", 12) == 0;
    inet_ntop(v4 ? AF_INET : AF_INET6, v4 ? at + 12 : at, out, 64);
}

bool http_seat_forwarded(struct http *h, const struct conn *c, struct slice forwarded) {
    struct seat *seat = seat_of(h, c);
    char text[64];

    if (!forwarded.len || seat->address || !is_trusted(h, c->address)) return true;
    http_address_text(h, c, forwarded, text);
    uint64_t hash = hash_of(h, slice_of(text));
    if (is_full(h, hash, false, h->config.connections_per_address)) return false;
    seat->address = hash;
    h->addresses[hash % CROWDS]++;
    return true;
}

/* ---- accepting ------------------------------------------------------------------------------ */

static void refuse(struct http *h, struct conn *c, int status, const char *detail) {
    char text[512];
    int n = snprintf(text, sizeof text,
                     "HTTP/1.1 %d %s\r\nContent-Type: application/json\r\n"
                     "Content-Length: %zu\r\nRetry-After: 2\r\n"
                     "Connection: close\r\n\r\n{\"detail\": \"%s\"}\n",
                     status, status == 503 ? "Service Unavailable" : "Too Many Requests",
                     strlen(detail) + 15, detail);

    conn_write(c, &(struct iovec){ text, (size_t)n }, 1);
    conn_finish(c);
    if (log_gate_opens(&h->full_gate, loop_now_ms(h->loop)))
        log_warn("listener.refused", "status=%d detail=\"%s\" connections=%u", status, detail,
                 conns_count(h->config.conns));
}

static void admit(struct http *h, struct conn *c) {
    uint64_t hash = hash_of(h, (struct slice){ c->address, 16 });
    bool is_free = is_loopback(c->address) || is_trusted(h, c->address);
    struct seat *seat = seat_of(h, c);

    if (conns_count(h->config.conns) > h->config.connections) {
        refuse(h, c, 503, "the server has as many connections as it takes");
    } else if (!is_free && is_full(h, hash, false, h->config.connections_per_address)) {
        refuse(h, c, 429, "too many connections from this address");
    } else {
        if (!is_free) {
            seat->address = hash;
            h->addresses[hash % CROWDS]++;
        }
        exchange_open(h, c);
    }
}

static void on_events(struct loop_source *source, uint32_t events) {
    struct http *h = (struct http *)(void *)((char *)source - offsetof(struct http, source));
    struct conn *c;

    (void)events;
    for (int i = 0; i < ACCEPTS_PER_TURN && (c = conns_accept(h->config.conns, source->fd)); i++)
        admit(h, c);
}

/* ---- opening -------------------------------------------------------------------------------- */

static int bind_one(const struct addrinfo *a) {
    int fd = socket(a->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0) return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){ 1 }, sizeof(int));
    if (bind(fd, a->ai_addr, a->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0) return fd;
    int why = errno;
    close(fd);
    errno = why;
    return -1;
}

static int listen_on(const char *listen_text, const char **why) {
    char host[256];
    const char *colon = strrchr(listen_text, ':');
    struct addrinfo hints = { .ai_flags = AI_PASSIVE | AI_NUMERICSERV, .ai_socktype = SOCK_STREAM },
                    *list;

    *why = "listen must be ADDRESS:PORT";
    if (!colon || (size_t)(colon - listen_text) >= sizeof host) return -1;
    snprintf(host, sizeof host, "%.*s", (int)(colon - listen_text), listen_text);
    size_t len = strlen(host);
    char *name = host;
    if (len > 1 && host[0] == '[' && host[len - 1] == ']') {
        host[len - 1] = 0;
        name = host + 1;
    }
    if (getaddrinfo(name[0] ? name : NULL, colon + 1, &hints, &list) != 0) return -1;
    int fd = bind_one(list);
    *why = fd >= 0 ? NULL : errno == EADDRINUSE ? "the port is in use" : strerror(errno);
    freeaddrinfo(list);
    return fd;
}

struct http *http_open(const struct listener_config *config, const char **why) {
    struct http *h = calloc(1, sizeof *h);

    must(h);
    h->config = *config;
    h->loop = conns_loop(config->conns);
    rand_bytes(h->seed, sizeof h->seed);
    h->source = (struct loop_source){ .fd = listen_on(config->listen, why),
                                      .events = EPOLLIN,
                                      .on_events = on_events };
    if (h->source.fd >= 0 && !add_proxies(h, config->trusted_proxies))
        *why = "TRUSTED_PROXIES must be addresses or CIDR ranges";
    else if (h->source.fd >= 0 && loop_add(h->loop, &h->source) == E_OK) {
        h->is_accepting = true;
        conns_on_release(config->conns, on_release, h);
        return h;
    }
    if (h->source.fd >= 0) close(h->source.fd);
    http_close(h);
    return NULL;
}

void http_stop_accepting(struct http *h) {
    if (!h->is_accepting) return;
    loop_remove(h->loop, &h->source);
    close(h->source.fd);
    h->is_accepting = false;
}

void http_close(struct http *h) {
    http_stop_accepting(h);
    free(h->proxies);
    free(h->seats);
    free(h);
}

uint16_t http_port(const struct http *h) {
    struct sockaddr_storage a = { 0 };
    socklen_t len = sizeof a;

    must(getsockname(h->source.fd, (struct sockaddr *)&a, &len) == 0);
    return ntohs(a.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&a)->sin6_port
                                         : ((struct sockaddr_in *)&a)->sin_port);
}
