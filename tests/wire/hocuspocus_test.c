#include "t.h"

#include "base/err.h"
#include "wire/hocuspocus.h"

static int decode(const char *bytes, size_t len, struct hocuspocus_msg *m) {
    return hocuspocus_decode((struct slice){ (const uint8_t *)bytes, len }, m);
}

#define DECODE(text, m) decode(text, sizeof text - 1, m)

/* W1: every message a provider sends, and no prefix of one. */
static void w1_every_prefix_is_refused(void) {
    static const struct { const char *bytes; size_t len; enum hocuspocus_kind kind; } table[] = {
        { "\x05" "doc:a" "\x00\x00\x01\x00", 10, HOCUSPOCUS_SYNC },
        { "\x05" "doc:a" "\x00\x02\x02\x00\x00", 11, HOCUSPOCUS_SYNC },
        { "\x05" "doc:a" "\x04\x01\x02\x00\x00", 11, HOCUSPOCUS_SYNC_REPLY },
        { "\x05" "doc:a" "\x01\x01\x00", 9, HOCUSPOCUS_AWARENESS },
        { "\x05" "doc:a" "\x02\x00\x03tok", 12, HOCUSPOCUS_AUTH },
        { "\x05" "doc:a" "\x03", 7, HOCUSPOCUS_QUERY_AWARENESS },
        { "\x05" "doc:a" "\x05\x02hi", 10, HOCUSPOCUS_STATELESS },
        { "\x05" "doc:a" "\x07", 7, HOCUSPOCUS_CLOSE },
    };
    struct hocuspocus_msg m;

    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        for (size_t len = 0; len < table[i].len; len++)
            check(decode(table[i].bytes, len, &m) == E_INVALID);
        check(decode(table[i].bytes, table[i].len, &m) == E_OK);
        check(m.kind == table[i].kind && slice_is(m.room, "doc:a") && slice_is(m.name, "doc:a"));
    }
}

static void w1_ping_and_pong_have_no_name(void) {
    struct hocuspocus_msg m;

    check(DECODE("\x09", &m) == E_OK && m.kind == HOCUSPOCUS_PING && m.name.len == 0);
    check(DECODE("\x0a", &m) == E_OK && m.kind == HOCUSPOCUS_PONG);
    check(DECODE("\x08", &m) == E_INVALID);
}

static void w1_a_session_follows_a_nul(void) {
    struct hocuspocus_msg m;

    check(DECODE("\x08" "doc:a\0s1" "\x03", &m) == E_OK);
    check(slice_is(m.room, "doc:a") && m.name.len == 8);
}

static void w1_servers_words_are_refused(void) {
    struct hocuspocus_msg m;

    check(DECODE("\x05" "doc:a" "\x08\x01", &m) == E_INVALID);      /* sync status */
    check(DECODE("\x05" "doc:a" "\x02\x02\x00", &m) == E_INVALID);  /* authenticated */
    check(DECODE("\x05" "doc:a" "\x0b", &m) == E_INVALID);
}

/* A1: the version after the token, as provider 4.8 sends it, is no error. */
static void a1_auth_may_be_followed_by_a_version(void) {
    struct hocuspocus_msg m;

    check(DECODE("\x05" "doc:a" "\x02\x00\x00" "\x05" "4.8.0", &m) == E_OK && m.body.len == 0);
}

static void a1_answers(void) {
    struct buf b;
    struct slice name = slice_of("doc:a");

    buf_init(&b, 1000);
    hocuspocus_encode_allowed(&b, name, true);
    check(b.len == 19 && memcmp(b.at, "\x05" "doc:a" "\x02\x02\x0a" "read-write", 19) == 0);
    buf_reset(&b);
    hocuspocus_encode_allowed(&b, name, false);
    check(b.len == 17 && memcmp(b.at + 8, "\x08" "readonly", 9) == 0);
    buf_reset(&b);
    hocuspocus_encode_refused(&b, name, "no");
    check(b.len == 11 && memcmp(b.at + 6, "\x02\x01\x02no", 5) == 0);
    buf_reset(&b);
    hocuspocus_encode_saved(&b, name);
    check(b.len == 8 && memcmp(b.at + 6, "\x08\x01", 2) == 0);
    buf_deinit(&b);
}

int main(void) {
    run(w1_every_prefix_is_refused);
    run(w1_ping_and_pong_have_no_name);
    run(w1_a_session_follows_a_nul);
    run(w1_servers_words_are_refused);
    run(a1_auth_may_be_followed_by_a_version);
    run(a1_answers);
    return t_exit();
}
