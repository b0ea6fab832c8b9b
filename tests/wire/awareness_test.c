#include "t.h"

#include <stdlib.h>

#include "base/err.h"
#include "base/limits.h"
#include "wire/awareness.h"

static const struct awareness_identity anna = { "u1", "Anna", "#0462d3", "#0462d333", 0 };
static const struct awareness_identity guest = { "guest-7", NULL, "#bf4213", "#bf421333", 1 };

static void w1_every_prefix_is_refused(void) {
    struct buf b;
    struct awareness_entry e = { 300, 7, slice_of("{\"a\":1}") };

    buf_init(&b, 1000);
    buf_uint(&b, 2);
    awareness_encode(&b, &e);
    e = (struct awareness_entry){ .client = 5, .clock = 6 };
    awareness_encode(&b, &e);
    for (size_t len = 0; len < b.len; len++)
        check(awareness_check((struct slice){ b.at, len }) == E_INVALID);
    check(awareness_check(buf_view(&b)) == E_OK);
    buf_byte(&b, 0);
    check(awareness_check(buf_view(&b)) == E_INVALID);      /* a byte too many */
    buf_deinit(&b);
}

static void w1_written_is_read(void) {
    struct buf b;
    struct reader r;
    struct awareness_entry e = { 300, 7, slice_of("{}") };

    buf_init(&b, 1000);
    buf_uint(&b, 2);
    awareness_encode(&b, &e);
    e = (struct awareness_entry){ .client = 5, .clock = 6 };
    awareness_encode(&b, &e);
    uint64_t left = awareness_begin(buf_view(&b), &r);
    check(left == 2);
    check(awareness_next(&r, &left, &e) && e.client == 300 && e.clock == 7 && slice_is(e.state, "{}"));
    check(awareness_next(&r, &left, &e) && e.client == 5 && e.clock == 6 && e.state.len == 0);
    check(!awareness_next(&r, &left, &e));
    buf_deinit(&b);
}

static void m1_a_count_alone_costs_nothing(void) {
    const uint8_t many[] = { 0xff, 0xff, 0xff, 0x7f };

    check(awareness_check((struct slice){ many, sizeof many }) == E_INVALID);
}

static int stamp(const char *state, const struct awareness_identity *who, struct buf *out) {
    buf_reset(out);
    return awareness_stamp(slice_of(state), who, out);
}

/* S3: who somebody is, is the server's word. */
static void s3_identity_is_stamped(void) {
    struct buf out;

    buf_init(&out, KIB(8));
    check(stamp("{\"cursor\":1,\"user\":{\"name\":\"Bob\",\"id\":\"x\",\"mood\":\"ok\"}}", &anna, &out) == E_OK);
    check(slice_is(buf_view(&out), "{\"cursor\":1,\"user\":{\"name\":\"Anna\",\"id\":\"u1\",\"mood\":\"ok\","
                                   "\"color\":\"#0462d3\",\"colorLight\":\"#0462d333\",\"colorIndex\":0}}"));
    check(stamp("{}", &anna, &out) == E_OK && memmem(out.at, out.len, "\"Anna\"", 6));
    check(stamp("{\"user\":\"Bob\"}", &anna, &out) == E_OK && !memmem(out.at, out.len, "Bob", 3));
    buf_deinit(&out);
}

static void s3_a_guest_keeps_its_user_but_not_its_id(void) {
    struct buf out;

    buf_init(&out, KIB(8));
    check(stamp("{\"user\":{\"name\":\"Zoe\",\"id\":\"u1\"}}", &guest, &out) == E_OK);
    check(slice_is(buf_view(&out), "{\"user\":{\"name\":\"Zoe\",\"id\":\"guest-7\"}}"));
    check(stamp("{ \"x\": 0.1 }", &guest, &out) == E_OK && slice_is(buf_view(&out), "{ \"x\": 0.1 }"));
    buf_deinit(&out);
}

static void m1_states_are_small_and_shallow(void) {
    struct buf out;
    static const struct { const char *state; int err; } table[] = {
        { "[]", E_INVALID }, { "3", E_INVALID }, { "", E_INVALID }, { "{", E_INVALID }, { "{}x", E_INVALID },
        { "{\"a\":1,\"a\":2}", E_INVALID },
        { "{\"a\":[[[[[[[1]]]]]]]}", E_OK },            /* 8 deep */
        { "{\"a\":[[[[[[[[1]]]]]]]]}", E_INVALID },
        { "{\"a\":\"\\u0000\"}", E_INVALID },
    };
    char *big = malloc(LIMIT_PRESENCE_STATE + 2);

    buf_init(&out, KIB(8));
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        check(stamp(table[i].state, &anna, &out) == table[i].err);
    memset(big, 'a', LIMIT_PRESENCE_STATE + 1);
    memcpy(big, "{\"a\":\"", 6);
    memcpy(big + LIMIT_PRESENCE_STATE - 2, "\"}", 3);
    check(stamp(big, &guest, &out) == E_OK);            /* exactly the limit */
    memcpy(big + LIMIT_PRESENCE_STATE - 2, "a\"}", 4);
    check(stamp(big, &guest, &out) == E_INVALID);
    buf_deinit(&out);
    free(big);
}

int main(void) {
    run(w1_every_prefix_is_refused);
    run(w1_written_is_read);
    run(m1_a_count_alone_costs_nothing);
    run(s3_identity_is_stamped);
    run(s3_a_guest_keeps_its_user_but_not_its_id);
    run(m1_states_are_small_and_shallow);
    return t_exit();
}
