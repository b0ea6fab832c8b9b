/* loadgen.c -- many WebSocket clients in one process, for any y-websocket server.
 *
 *   build/loadgen --port P [--path /yjs/doc:bench-%d] [--sockets 1000] [--per-room 10] [--rate 1000]
 *                 [--seconds 10] [--size 64] [--pid SERVER] [--idle] [--name LABEL]
 *
 * Each client types into its room's text: an edit is a Yjs update whose inserted text begins with
 * the time it was sent, so a receiver knows how long it was under way. Prints one JSON line: edits
 * sent, deliveries, latency end to end, and with --pid the server's CPU time per delivery. With
 * --idle it only opens the sockets and prints the server's resident memory per connection.
 * One thread, one epoll; loopback only. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/must.h"

#define MARK "@T"
#define LATENCIES 4000000u

struct client {
    int fd;
    bool open;              /* the 101 came */
    uint64_t id;            /* Yjs client id */
    uint32_t clock;
    struct buf in;          /* bytes of an incomplete frame */
};

struct options {
    int port, sockets, per_room, rate, seconds, size, pid;
    bool idle;
    const char *path, *name;
};

struct load {
    struct options o;
    int epoll, opened;
    struct client *clients;
    uint32_t *latency_us;
    size_t n_latencies;
    uint64_t sent, delivered, closed;
    uint8_t read_buffer[1 << 16];
};

/* The room's number goes in place of %d. */
static void write_path(const struct load *l, int room, char *to, size_t max) {
    const char *mark = strstr(l->o.path, "%d");

    if (mark) snprintf(to, max, "%.*s%d%s", (int)(mark - l->o.path), l->o.path, room, mark + 2);
    else snprintf(to, max, "%s", l->o.path);
}

static void connect_client(struct load *l, int i) {
    struct client *c = &l->clients[i];
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)l->o.port),
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    char path[256], request[512];

    c->fd = socket(AF_INET, SOCK_STREAM, 0);
    must(c->fd >= 0);
    if (connect(c->fd, (struct sockaddr *)&to, sizeof to) != 0) {
        perror("connect");
        exit(1);
    }
    int one = 1;
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    c->id = 1000000 + (uint64_t)i;
    buf_init(&c->in, MIB(64));
    write_path(l, i / l->o.per_room, path, sizeof path);
    int n = snprintf(request, sizeof request,
                     "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUpgrade: websocket\r\n"
                     "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                     "Sec-WebSocket-Version: 13\r\n\r\n", path, l->o.port);
    must(write(c->fd, request, (size_t)n) == n);
    fcntl(c->fd, F_SETFL, O_NONBLOCK);
    struct epoll_event e = { .events = EPOLLIN, .data.u32 = (uint32_t)i };
    must(epoll_ctl(l->epoll, EPOLL_CTL_ADD, c->fd, &e) == 0);
}

static void send_frame(struct load *l, struct client *c, struct slice payload) {
    uint8_t frame[4096];
    size_t n = 0;

    must(payload.len < sizeof frame - 16);
    frame[n++] = 0x82;
    if (payload.len < 126) {
        frame[n++] = (uint8_t)(0x80 | payload.len);
    } else {
        frame[n++] = 0x80 | 126;
        frame[n++] = (uint8_t)(payload.len >> 8);
        frame[n++] = (uint8_t)payload.len;
    }
    memset(frame + n, 0, 4);            /* a mask of zeros: the payload as it is */
    n += 4;
    memcpy(frame + n, payload.at, payload.len);
    n += payload.len;
    if (write(c->fd, frame, n) != (ssize_t)n) l->closed++;
}

/* Typing: one String struct behind the client's last, its text starting with the time. */
static void send_edit(struct load *l, struct client *c) {
    struct buf update, message;
    char text[2048];
    int pad = l->o.size > 18 && l->o.size < 2000 ? l->o.size - 18 : 0;
    int len = snprintf(text, sizeof text, MARK "%016llx%*s", (unsigned long long)clock_mono_ns(), pad, "");

    buf_init(&update, 4096);
    buf_init(&message, 4096);
    buf_uint(&update, 1);
    buf_uint(&update, 1);
    buf_uint(&update, c->id);
    buf_uint(&update, c->clock);
    if (c->clock == 0) {
        buf_byte(&update, 4);
        buf_uint(&update, 1);
        buf_bytes(&update, slice_of("t"));
    } else {
        buf_byte(&update, 0x84);
        buf_uint(&update, c->id);
        buf_uint(&update, c->clock - 1);
    }
    buf_bytes(&update, slice_of(text));
    buf_uint(&update, 0);
    buf_byte(&message, 0);
    buf_byte(&message, 2);
    buf_bytes(&message, buf_view(&update));
    send_frame(l, c, buf_view(&message));
    c->clock += (uint32_t)len;
    l->sent++;
    buf_deinit(&update);
    buf_deinit(&message);
}

/* Every mark in a message is one delivery. */
static void count_marks(struct load *l, struct slice message, uint64_t now_ns) {
    const uint8_t *at = message.at, *end = message.at + message.len;

    while ((at = memmem(at, (size_t)(end - at), MARK, 2)) && end - at >= 18) {
        char digits[17] = { 0 };
        memcpy(digits, at + 2, 16);
        uint64_t then = strtoull(digits, NULL, 16);
        if (l->n_latencies < LATENCIES && now_ns > then)
            l->latency_us[l->n_latencies++] = (uint32_t)((now_ns - then) / 1000);
        l->delivered++;
        at += 18;
    }
}

/* Length of the first frame in `in` and its payload; 0 when it is not whole yet. */
static size_t first_frame(struct slice in, struct slice *payload) {
    if (in.len < 2) return 0;
    size_t head = 2, len = in.at[1] & 0x7f;
    if (len == 126) {
        if (in.len < 4) return 0;
        len = (size_t)in.at[2] << 8 | in.at[3];
        head = 4;
    } else if (len == 127) {
        if (in.len < 10) return 0;
        len = 0;
        for (int i = 2; i < 10; i++) len = len << 8 | in.at[i];
        head = 10;
    }
    if (in.len - head < len) return 0;
    *payload = (struct slice){ in.at + head, len };
    return head + len;
}

static void on_message(struct load *l, struct client *c, uint8_t opcode, struct slice payload) {
    static const uint8_t empty_step_2[] = { 0, 1, 2, 0, 0 };

    if (opcode == 8) l->closed++;
    if (opcode == 9) {                  /* ping: answered with an empty pong */
        const uint8_t pong[] = { 0x8a, 0x80, 0, 0, 0, 0 };
        must(write(c->fd, pong, sizeof pong) >= 0);
    }
    if (opcode != 2 || payload.len < 2) return;
    if (payload.at[0] == 0 && payload.at[1] == 0)
        send_frame(l, c, (struct slice){ empty_step_2, sizeof empty_step_2 });
    else
        count_marks(l, payload, clock_mono_ns());
}

static void on_open(struct load *l, struct client *c) {
    static const uint8_t step_1[] = { 0, 0, 1, 0 };

    c->open = true;
    l->opened++;
    if (!l->o.idle) send_frame(l, c, (struct slice){ step_1, sizeof step_1 });
}

static void consume(struct load *l, struct client *c) {
    struct slice in = buf_view(&c->in), payload;
    size_t n;

    if (!c->open) {
        uint8_t *end = memmem(in.at, in.len, "\r\n\r\n", 4);
        if (!end) return;
        if (in.len < 12 || memcmp(in.at + 9, "101", 3) != 0) {
            fprintf(stderr, "refused: %.*s\n", SLICE_ARG(in));
            exit(1);
        }
        n = (size_t)(end + 4 - in.at);
        in = (struct slice){ in.at + n, in.len - n };
        on_open(l, c);
    }
    while ((n = first_frame(in, &payload)) > 0) {
        on_message(l, c, in.at[0] & 15, payload);
        in = (struct slice){ in.at + n, in.len - n };
    }
    memmove(c->in.at, in.at, in.len);
    c->in.len = in.len;
    if (in.len == 0) {
        buf_deinit(&c->in);
        buf_init(&c->in, MIB(64));
    }
}

static void poll_once(struct load *l, int wait_ms) {
    struct epoll_event events[512];
    int n = epoll_wait(l->epoll, events, 512, wait_ms);

    for (int i = 0; i < n; i++) {
        struct client *c = &l->clients[events[i].data.u32];
        ssize_t got = read(c->fd, l->read_buffer, sizeof l->read_buffer);
        if (got <= 0) {
            if (got < 0 && errno == EAGAIN) continue;
            epoll_ctl(l->epoll, EPOLL_CTL_DEL, c->fd, NULL);
            l->closed++;
            continue;
        }
        buf_put(&c->in, l->read_buffer, (size_t)got);
        consume(l, c);
    }
}

static double cpu_seconds(int pid) {
    char path[64], text[1024];
    unsigned long in_user = 0, in_kernel = 0;

    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    FILE *f = fopen(path, "r");
    if (!f) return 0;
    size_t n = fread(text, 1, sizeof text - 1, f);
    fclose(f);
    text[n] = 0;
    char *after = strrchr(text, ')');
    if (after) sscanf(after + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &in_user, &in_kernel);
    return (double)(in_user + in_kernel) / (double)sysconf(_SC_CLK_TCK);
}

static long resident_kib(int pid) {
    char path[64], line[256];
    long kib = 0;

    snprintf(path, sizeof path, "/proc/%d/status", pid);
    FILE *f = fopen(path, "r");
    while (f && fgets(line, sizeof line, f)) sscanf(line, "VmRSS: %ld", &kib);
    if (f) fclose(f);
    return kib;
}

static int by_value(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

static double percentile_ms(const struct load *l, double p) {
    if (l->n_latencies == 0) return 0;
    return l->latency_us[(size_t)(p * (double)(l->n_latencies - 1))] / 1000.0;
}

static void open_all(struct load *l) {
    for (int i = 0; i < l->o.sockets; i++) {
        connect_client(l, i);
        if (i % 50 == 0) poll_once(l, 0);
    }
    uint64_t until = clock_mono_ms() + 30000;
    while (l->opened < l->o.sockets && clock_mono_ms() < until) poll_once(l, 100);
    for (uint64_t quiet = clock_mono_ms() + 1000; clock_mono_ms() < quiet;) poll_once(l, 50);
}

static void type_for(struct load *l, int seconds) {
    uint64_t start = clock_mono_ns(), end = start + (uint64_t)seconds * 1000000000u, now;
    uint64_t base = l->sent;

    while ((now = clock_mono_ns()) < end) {
        uint64_t due = base + (now - start) * (uint64_t)l->o.rate / 1000000000u;
        while (l->sent < due) send_edit(l, &l->clients[(l->sent * 7919) % (uint64_t)l->o.sockets]);
        poll_once(l, 1);
    }
    uint64_t want = l->sent * (uint64_t)(l->o.per_room - 1), give_up = clock_mono_ms() + 5000;
    while (l->delivered < want && clock_mono_ms() < give_up) poll_once(l, 10);
}

static void run_load(struct load *l) {
    type_for(l, 1);                     /* warm up; then count from nothing */
    l->n_latencies = 0;
    l->sent = l->delivered = 0;
    double cpu = cpu_seconds(l->o.pid);
    type_for(l, l->o.seconds);
    cpu = cpu_seconds(l->o.pid) - cpu;
    qsort(l->latency_us, l->n_latencies, sizeof *l->latency_us, by_value);
    printf("{\"server\":\"%s\",\"sockets\":%d,\"per_room\":%d,\"rate\":%d,\"seconds\":%d,\"bytes\":%d,",
           l->o.name, l->o.sockets, l->o.per_room, l->o.rate, l->o.seconds, l->o.size);
    printf("\"sent\":%llu,\"delivered\":%llu,\"expected\":%llu,\"closed\":%llu,",
           (unsigned long long)l->sent, (unsigned long long)l->delivered,
           (unsigned long long)(l->sent * (uint64_t)(l->o.per_room - 1)), (unsigned long long)l->closed);
    printf("\"p50_ms\":%.2f,\"p95_ms\":%.2f,\"p99_ms\":%.2f,\"cpu_us_per_delivery\":%.2f}\n",
           percentile_ms(l, 0.5), percentile_ms(l, 0.95), percentile_ms(l, 0.99),
           l->delivered ? cpu * 1e6 / (double)l->delivered : 0);
}

static void parse(struct options *o, int argc, char **argv) {
    static const struct option names[] = {
        { "port", 1, 0, 'p' }, { "path", 1, 0, 'u' }, { "sockets", 1, 0, 'n' }, { "per-room", 1, 0, 'r' },
        { "rate", 1, 0, 'e' }, { "seconds", 1, 0, 's' }, { "size", 1, 0, 'b' }, { "pid", 1, 0, 'P' },
        { "idle", 0, 0, 'i' }, { "name", 1, 0, 'N' }, { 0 } };
    int *const numbers[128] = { ['p'] = &o->port, ['n'] = &o->sockets, ['r'] = &o->per_room, ['e'] = &o->rate,
                                ['s'] = &o->seconds, ['b'] = &o->size, ['P'] = &o->pid };

    for (int c; (c = getopt_long(argc, argv, "", names, NULL)) != -1;) {
        if (c == 'u') o->path = optarg;
        else if (c == 'N') o->name = optarg;
        else if (c == 'i') o->idle = true;
        else if (c == '?') exit(2);
        else *numbers[c] = (int)strtol(optarg, NULL, 10);
    }
    if (o->port == 0 || o->sockets < 1 || o->per_room < 1) {
        fprintf(stderr, "usage: loadgen --port P [--path /yjs/doc:bench-%%d] [--sockets N] ...\n");
        exit(2);
    }
}

int main(int argc, char **argv) {
    struct load *l = calloc(1, sizeof *l);
    must(l);
    l->o = (struct options){ .sockets = 1000, .per_room = 10, .rate = 1000, .seconds = 10, .size = 64,
                             .path = "/yjs/doc:bench-%d", .name = "covalent" };
    parse(&l->o, argc, argv);
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    l->epoll = epoll_create1(0);
    l->clients = calloc((size_t)l->o.sockets, sizeof *l->clients);
    l->latency_us = malloc(LATENCIES * sizeof *l->latency_us);
    must(l->clients && l->latency_us);
    long before = resident_kib(l->o.pid);
    open_all(l);
    if (l->o.idle)
        printf("{\"server\":\"%s\",\"idle\":%d,\"rss_kib_before\":%ld,\"rss_kib\":%ld,"
               "\"bytes_per_connection\":%.0f}\n", l->o.name, l->opened, before, resident_kib(l->o.pid),
               (double)(resident_kib(l->o.pid) - before) * 1024 / l->opened);
    else
        run_load(l);
    return l->closed > 0;
}
