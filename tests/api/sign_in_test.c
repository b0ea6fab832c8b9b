/* A Hocuspocus client whose token comes in its first message: with the real sessions behind the listener. */
#include "web.h"

#include "room/journal.h"
#include "room/room.h"
#include "wire/hocuspocus.h"
#include "wire/ws.h"

#define SECRET "0123456789abcdef0123456789abcdef"
#define OPEN_ANNA "GET /ws/anna HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" \
                  "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"

static struct sessions *sessions;
static struct rooms *rooms;
static struct journal *journal;

static void open_session(void *ctx, struct conn *c, const struct upgrade *u) { session_open(ctx, c, u); }

static void put(struct buf *b, uint8_t opcode, struct slice payload) {      /* masked with zeros */
    uint8_t head[WS_HEAD_MAX];
    size_t n = ws_head(head, (enum ws_opcode)opcode, payload.len, false);

    head[1] |= 0x80;
    buf_put(b, head, n);
    buf_put(b, "\0\0\0\0", 4);
    buf_slice(b, payload);
}

/* Sends a frame and reads what comes back until it is quiet or closed. */
static void say(int fd, uint8_t opcode, struct slice payload) {
    struct buf b;

    buf_init(&b, MIB(1));
    put(&b, opcode, payload);
    web_send(fd, (const char *)b.at, b.len);
    buf_deinit(&b);
    web_len = 0;
    for (int i = 0, quiet = 0; i < 2000 && quiet < 30; i++) {
        web_turn();
        ssize_t n = recv(fd, web_answer + web_len, sizeof web_answer - web_len - 1, MSG_DONTWAIT);
        if (n > 0) web_len += (size_t)n;
        if (n == 0) break;
        quiet = n > 0 ? 0 : quiet + 1;
        if (n < 0) poll(&(struct pollfd){ .fd = fd, .events = POLLIN }, 1, 1);
    }
}

static bool closed_with(uint16_t code) {
    uint8_t frame[2] = { (uint8_t)(code >> 8), (uint8_t)code };
    for (size_t i = 0; i + 4 <= web_len; i++)
        if ((uint8_t)web_answer[i] == 0x88 && memcmp(web_answer + i + 2, frame, 2) == 0) return true;
    return false;
}

static void say_auth(int fd, const char *token) {
    struct buf b;

    buf_init(&b, MIB(1));
    buf_bytes(&b, slice_of("\x01 no name"));        /* refused as a room, when the token is good */
    buf_uint(&b, HOCUSPOCUS_AUTH);
    buf_uint(&b, 0);
    buf_bytes(&b, slice_of(token));
    buf_bytes(&b, slice_of("4.0"));
    say(fd, WS_OP_BINARY, buf_view(&b));
    buf_deinit(&b);
}

static void flush(void) { rooms_flush(rooms); }

static int start(void) {
    web_start((struct web_config){ .secret = SECRET });
    journal = journal_new();
    rooms = rooms_new(&(struct rooms_config){ .journal = journal, .loop = loop });      /* nothing is loaded here */
    web_after_turn = flush;
    sessions = sessions_new(&(struct sessions_config){ .rooms = rooms, .loop = loop, .token_is_valid = auth_token_is_valid, .sign_in = auth_from_token, .ctx = auth });
    web_upgrade = open_session;
    web_upgrade_ctx = sessions;
    int fd = web_connect();
    web_say(fd, OPEN_ANNA);
    web_read(fd, true);
    check(web_status() == 101);
    return fd;
}

static void stop(int fd) {
    close(fd);
    conns_free(conns);
    sessions_free(sessions);
    rooms_free(rooms);
    journal_free(journal);
    http_close(http);
    auth_free(auth);
    loop_free(loop);
    web_upgrade = NULL;
    web_after_turn = NULL;
}

static const char *token_of(const char *user) {
    static char text[4096];
    struct buf b;
    const char *why;

    buf_init(&b, sizeof text - 1);
    check(auth_token_make(&(struct auth_token){ SECRET, user, "", ROLE_EDITOR, 1 }, &b, &why) == 0);
    snprintf(text, sizeof text, "%.*s", SLICE_ARG(buf_view(&b)));
    buf_deinit(&b);
    return text;
}

static void i4_a_good_token_signs_in(void) {
    int fd = start();
    say_auth(fd, token_of("anna"));
    check(web_len > 0 && !closed_with(4401) && memmem(web_answer, web_len, "not a valid name", 16));
    say(fd, WS_OP_TEXT, slice_of("{\"type\":\"heartbeat\"}"));        /* JSON is heard from now on */
    check(!closed_with(4401));
    web_ms += 15000;
    say(fd, WS_OP_PING, slice_of("x"));
    check(!closed_with(4401));
    stop(fd);
}

static void i4_a_bad_token_closes(void) {
    static const char *const bad[] = { "", "x.y.z", NULL };
    for (int i = 0; i < 3; i++) {
        int fd = start();
        say_auth(fd, bad[i] ? bad[i] : token_of("bob"));
        check(closed_with(4401));
        stop(fd);
    }
}

static void i4_nothing_before_the_token(void) {
    int fd = start();
    say(fd, WS_OP_TEXT, slice_of("{\"type\":\"heartbeat\"}"));
    check(closed_with(4401));
    stop(fd);
    fd = start();
    struct buf big;
    buf_init(&big, MIB(1));
    for (size_t i = 0; i <= LIMIT_UNAUTHENTICATED_BYTES; i++) buf_byte(&big, 0);
    say(fd, WS_OP_BINARY, buf_view(&big));
    check(closed_with(1009));
    buf_deinit(&big);
    stop(fd);
}

static void i4_ten_seconds(void) {
    int fd = start();
    web_ms += 9000;
    say(fd, WS_OP_PING, slice_of("x"));
    check(!closed_with(4401));
    web_ms += 2000;
    say(fd, WS_OP_PING, slice_of("x"));
    check(closed_with(4401));
    stop(fd);
}

int main(void) {
    run(i4_a_good_token_signs_in);
    run(i4_a_bad_token_closes);
    run(i4_nothing_before_the_token);
    run(i4_ten_seconds);
    return t_exit();
}
