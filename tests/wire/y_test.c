#include "t.h"

#include "base/err.h"
#include "wire/y.h"

static struct slice of(const uint8_t *at, size_t len) { return (struct slice){ at, len }; }

/* W1: a message is decoded whole or not at all; the reader never passes its end. */
static void w1_every_prefix_is_refused(void) {
    const uint8_t whole[] = { 0, 2, 3, 'a', 'b', 'c' };     /* sync, update, "abc" */
    struct y_msg m;

    for (size_t len = 0; len < sizeof whole; len++) check(y_decode(of(whole, len), &m) == E_INVALID);
    check(y_decode(of(whole, sizeof whole), &m) == E_OK);
    check(m.kind == Y_SYNC && m.step == Y_UPDATE && slice_is(m.body, "abc"));
}

static void w1_table(void) {
    static const struct { uint8_t bytes[8]; size_t len; int err; } table[] = {
        { { 0, 0, 1, 0 }, 4, E_OK },            /* step 1 of an empty state vector */
        { { 0, 1, 2, 0, 0 }, 5, E_OK },         /* step 2, an empty update */
        { { 0, 3, 0 }, 3, E_INVALID },          /* no such step */
        { { 0, 0, 1, 0, 9 }, 5, E_INVALID },    /* a byte too many */
        { { 1, 1, 0 }, 3, E_OK },               /* nobody is here */
        { { 1, 2, 0 }, 3, E_INVALID },
        { { 2, 0, 0 }, 3, E_INVALID },          /* auth comes from servers */
        { { 3 }, 1, E_OK },
        { { 3, 0 }, 2, E_INVALID },
        { { 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80 }, 8, E_INVALID },
        { { 4, 0 }, 2, E_INVALID },
    };
    struct y_msg m;

    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        check(y_decode(of(table[i].bytes, table[i].len), &m) == table[i].err);
}

static void w1_written_is_read(void) {
    struct buf b;
    struct y_msg m;

    buf_init(&b, 1000);
    y_encode_sync(&b, Y_STEP_2, slice_of("xyz"));
    check(y_decode(buf_view(&b), &m) == E_OK && m.step == Y_STEP_2 && slice_is(m.body, "xyz"));
    buf_reset(&b);
    y_encode_awareness(&b, slice_of("w"));
    check(y_decode(buf_view(&b), &m) == E_OK && m.kind == Y_AWARENESS && slice_is(m.body, "w"));
    buf_reset(&b);
    y_encode_denied(&b, "no");
    check(b.len == 5 && memcmp(b.at, "\x02\x00\x02no", 5) == 0);
    buf_deinit(&b);
}

int main(void) {
    run(w1_every_prefix_is_refused);
    run(w1_table);
    run(w1_written_is_read);
    return t_exit();
}
