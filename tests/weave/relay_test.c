/* relay_test.c -- what is effective, what waits, what an answer holds. */
#include <stdlib.h>

#include "base/buf.h"
#include "t.h"
#include "vectors.h"

#include "weave/relay_int.h"

#define LIMIT ((size_t)1 << 26)

struct bytes { uint8_t at[VECTOR_MAX]; size_t len; };

static struct bytes from_hex(const char *hex) {
    struct bytes b;
    b.len = unhex(hex, b.at);
    return b;
}

static void to_buf(void *ctx, const uint8_t *at, size_t len) { buf_put(ctx, at, len); }

static bool same(struct weave_bytes got, const char *hex) {
    struct bytes want = from_hex(hex);
    bool equal = got.len == want.len && (got.len == 0 || memcmp(got.at, want.at, got.len) == 0);
    if (equal) return true;
    fprintf(stderr, "# got ");
    for (size_t i = 0; i < got.len; i++) fprintf(stderr, "%02x", got.at[i]);
    fprintf(stderr, ", want %s\n", hex);
    return false;
}

/* One step of a script: apply `update`; expect what is effective and what waits. */
struct step {
    const char *update, *effective, *pending;
    size_t n_missing;
    uint64_t client, clock;     /* the first missing */
};

static void play(struct weave_relay *r, const struct step *steps, size_t n) {
    for (size_t i = 0; i < n; i++) {
        struct bytes u = from_hex(steps[i].update);
        struct weave_effect e;
        check(weave_relay_apply(r, (struct weave_bytes){ u.at, u.len }, &e) == 0);
        check(same(e.update, steps[i].effective));
        check(same(e.pending, steps[i].pending));
        check(e.n_missing == steps[i].n_missing);
        if (e.n_missing > 0 && steps[i].n_missing > 0)
            check(e.missing[0].client == steps[i].client && e.missing[0].clock == steps[i].clock);
    }
}

static bool answers(struct weave_relay *r, const char *state, const char *want) {
    struct bytes s = from_hex(state);
    struct buf out;
    buf_init(&out, LIMIT);
    int e = weave_relay_since(r, (struct weave_bytes){ s.at, s.len }, (struct weave_sink){ to_buf, &out });
    bool ok = e == 0 && same((struct weave_bytes){ out.at, out.len }, want);
    buf_deinit(&out);
    return ok;
}

#define PLAY(r, ...)                                                    \
    do {                                                                \
        static const struct step steps[] = { __VA_ARGS__ };             \
        play(r, steps, sizeof steps / sizeof *steps);                   \
    } while (0)

#define A "0101010004010174016100"
#define B "01010101840100016200"
#define C "01010102840101016300"
#define ABC "01010100040101740361626300"

static void a5_new_bytes_pass_as_they_came(void) {
    struct weave_relay *r = weave_relay_new(LIMIT);
    PLAY(r, { A, A, "", 0, 0, 0 }, { B, B, "", 0, 0, 0 }, { C, C, "", 0, 0, 0 });
    check(answers(r, "00", ABC));               /* typed letters are joined */
    check(answers(r, "", ABC));
    check(answers(r, "010103", "0000"));
    check(answers(r, "010109", "0000"));        /* ahead of us: ignored */
    check(answers(r, "010102", "01010102840101016300"));
    check(answers(r, "01090101", ABC) == false);        /* malformed */
    weave_relay_free(r);
}

static void a5_known_is_not_effective(void) {
    struct weave_relay *r = weave_relay_new(LIMIT);
    PLAY(r, { ABC, ABC, "", 0, 0, 0 }, { ABC, "", "", 0, 0, 0 }, { B, "", "", 0, 0, 0 },
         { "0000", "", "", 0, 0, 0 });
    weave_relay_free(r);
}

static void a5_partly_known_is_cut(void) {
    struct weave_relay *r = weave_relay_new(LIMIT);
    PLAY(r, { A, A, "", 0, 0, 0 }, { ABC, "0101010184010002626300", "", 0, 0, 0 });
    check(answers(r, "00", ABC));
    weave_relay_free(r);
}

static void a5_deletions_count_once(void) {
    struct weave_relay *r = weave_relay_new(LIMIT);
    PLAY(r, { ABC, ABC, "", 0, 0, 0 },
         { "0001010101" "01", "000101010101", "", 0, 0, 0 },
         { "000101010101", "", "", 0, 0, 0 },
         { "000101010003", "000101020001" "0201", "", 0, 0, 0 });
    check(answers(r, "010103", "000101010003"));
    weave_relay_free(r);
}

static void a6_a_hole_waits(void) {
    struct weave_relay *r = weave_relay_new(LIMIT);
    PLAY(r, { A, A, "", 0, 0, 0 }, { C, "", C, 1, 1, 1 },
         { "010301000401017401610a01840101016300", "", C, 1, 1, 1 },     /* the same behind a Skip */
         { B, B, "", 0, 0, 0 }, { C, C, "", 0, 0, 0 });
    check(answers(r, "00", ABC));
    weave_relay_free(r);
}

static void a6_origin_of_an_unknown_client_waits(void) {
    struct weave_relay *r = weave_relay_new(LIMIT);
    /* Client 2 writes x behind (1,2). */
    PLAY(r, { "01010200" "840102" "0178" "00", "", "01010200840102017800", 1, 1, 0 },
         { ABC, ABC, "", 0, 0, 0 },
         { "01010200840102017800", "01010200840102017800", "", 0, 0, 0 });
    weave_relay_free(r);
}

static void a6_right_origin_and_parent_are_asked_for(void) {
    struct weave_relay *r = weave_relay_new(LIMIT);
    PLAY(r, { "0101020044010201" "7800", "", "01010200440102017800", 1, 1, 0 },
         { "0101020004000100" "017800", "", "0101020004000100017800", 1, 1, 0 });
    weave_relay_free(r);
}

static void a6_clients_of_one_update_depend_on_each_other(void) {
    struct weave_relay *r = weave_relay_new(LIMIT);
    /* 1: a, then c behind 2's b; 2: b behind 1's a, then d behind 1's c. Any order of need. */
    const char *all = "02" "020200" "840100" "0162" "840101" "0164"
                      "020100" "0401017401" "61" "840200" "0163" "00";
    struct step steps[] = { { all, all, "", 0, 0, 0 } };
    play(r, steps, 1);
    weave_relay_free(r);
}

static void a6_part_fits_part_waits(void) {
    struct weave_relay *r = weave_relay_new(LIMIT);
    /* Client 2: x at the root, y behind (9,0); client 1: z behind 2's y. Only x fits. */
    PLAY(r, { "02" "020200" "0401017401" "78" "840900" "0179" "010100" "840201" "017a" "00",
              "01" "010200" "0401017401" "78" "00",
              "02" "010201" "840900" "0179" "010100" "840201" "017a" "00", 1, 9, 0 });
    weave_relay_free(r);
}

static void a6_a_circle_waits_and_names_something(void) {
    struct weave_relay *r = weave_relay_new(LIMIT);
    const char *circle = "02" "010200" "840100" "0162" "010100" "840200" "0161" "00";
    struct bytes u = from_hex(circle);
    struct weave_effect e;
    check(weave_relay_apply(r, (struct weave_bytes){ u.at, u.len }, &e) == 0);
    check(e.update.len == 0 && same(e.pending, circle) && e.n_missing == 1);
    check(answers(r, "00", "0000"));
    weave_relay_free(r);
}

static void a6_unknown_deletions_wait(void) {
    struct weave_relay *r = weave_relay_new(LIMIT);
    PLAY(r, { A, A, "", 0, 0, 0 },
         { "000101010003", "000101010001", "000101010102", 1, 1, 1 },
         { "000107010001", "", "000107010001", 1, 7, 0 },
         { "01010101840100026263" "00", "01010101840100026263" "00", "", 0, 0, 0 },
         { "000101010102", "000101010102", "", 0, 0, 0 });
    weave_relay_free(r);
}

static void tombstones_count_as_deleted(void) {
    struct weave_relay *r = weave_relay_new(LIMIT);
    PLAY(r, { "0101010001010174" "0300", "01010100010101740300", "", 0, 0, 0 },
         { "000101010003", "", "", 0, 0, 0 });
    check(answers(r, "010103", "000101010003"));
    PLAY(r, { "0101010381010202" "00", "0101010381010202" "00", "", 0, 0, 0 });     /* two more */
    check(answers(r, "010105", "000101010005"));
    check(answers(r, "00", "0101010001010174" "05" "0101010005"));                 /* one tombstone */
    weave_relay_free(r);
}

/* C-2: a map with a nested array and 20 values, all deleted: the type is still there, the values not. */
static void c2_types_outlive_their_deletion(void) {
    struct weave_relay *r = weave_relay_new(LIMIT);
    struct weave_effect e;
    struct buf u;
    buf_init(&u, LIMIT);
    buf_put(&u, "\1\2\1\0\x27\1\1m\1k\0\x08\0\1\0\x14", 16);
    for (int i = 0; i < 20; i++) buf_put(&u, "w\4text", 6);
    buf_put(&u, "\1\1\1\0\x15", 5);
    check(weave_relay_apply(r, (struct weave_bytes){ u.at, u.len }, &e) == 0 && e.update.len == u.len);
    check(answers(r, "00", "01020100" "2701016d016b00" "0100010014" "0101010015"));
    buf_deinit(&u);
    weave_relay_free(r);
}

static void odd_orders_are_read_as_yjs_would_write_them(void) {
    struct weave_relay *r = weave_relay_new(LIMIT);
    PLAY(r, { "03" "010100040101740161" "010200040101740142" "0101018401000162" "00",
              "02" "010200040101740142" "01010004010174026162" "00", "", 0, 0, 0 });
    weave_relay_free(r);
}

static void limits_lengths_without_bytes(void) {
    struct weave_relay *r = weave_relay_new(LIMIT);
    struct bytes jump = from_hex("0101020000ffffffff0f00"), a = from_hex(A);
    struct weave_effect e;
    check(weave_relay_apply(r, (struct weave_bytes){ a.at, a.len }, &e) == 0);
    check(weave_relay_apply(r, (struct weave_bytes){ jump.at, jump.len }, &e) == WEAVE_INVALID);
    check(answers(r, "00", A));
    weave_relay_free(r);
}

static void limit_refuses_and_changes_nothing(void) {
    struct weave_relay *r = weave_relay_new(6000);
    uint8_t big[8000] = { 1, 1, 2, 0, 4, 1, 1, 't', 0xc0, 0x3e };      /* 8,000 letters announced */
    struct bytes a = from_hex(A);
    struct weave_effect e;
    check(weave_relay_apply(r, (struct weave_bytes){ a.at, a.len }, &e) == 0);
    size_t text = 7900;
    big[8] = (uint8_t)(0x80 | (text & 0x7f));
    big[9] = (uint8_t)(text >> 7);
    memset(big + 10, 'x', text);
    big[10 + text] = 0;
    check(weave_relay_apply(r, (struct weave_bytes){ big, 11 + text }, &e) == WEAVE_TOO_LARGE);
    check(e.update.len == 0 && e.pending.len == 0);
    check(answers(r, "00", A));
    weave_relay_free(r);
}

static void malformed_changes_nothing(void) {
    for (size_t i = 0; i < N_VECTORS; i++) {
        struct weave_relay *r = weave_relay_new(LIMIT);
        struct bytes b = from_hex(vectors[i].v1);
        struct weave_effect e;
        for (size_t n = 0; n < b.len; n++) {
            uint8_t *copy = malloc(n ? n : 1);
            memcpy(copy, b.at, n);
            check(weave_relay_apply(r, (struct weave_bytes){ copy, n }, &e) == WEAVE_INVALID);
            free(copy);
        }
        check(answers(r, "00", "0000"));
        weave_relay_free(r);
    }
}

/* A session of typing and deleting costs what is left of it, not what was typed. */
static void memory_follows_what_lives(void) {
    struct weave_relay *r = weave_relay_new(LIMIT);
    struct weave_effect e;
    struct buf u;
    buf_init(&u, LIMIT);
    for (uint32_t i = 0; i < 100000; i++) {
        buf_reset(&u);
        buf_put(&u, "\1\1\1", 3);
        buf_uint(&u, i);
        if (i == 0) buf_put(&u, "\4\1\1t", 4);
        else buf_put(&u, "\x84\1", 2), buf_uint(&u, i - 1);
        buf_put(&u, "\1x\0", 3);
        check(weave_relay_apply(r, (struct weave_bytes){ u.at, u.len }, &e) == 0);
    }
    check(weave_relay_encoded(r) > 100000 && weave_relay_encoded(r) < 102000);
    for (uint32_t i = 100000; i-- > 1000;) {        /* backspace */
        buf_reset(&u);
        buf_put(&u, "\0\1\1\1", 4);
        buf_uint(&u, i);
        buf_put(&u, "\1", 1);
        check(weave_relay_apply(r, (struct weave_bytes){ u.at, u.len }, &e) == 0);
    }
    check(weave_relay_encoded(r) < 8000);
    check(weave_relay_bytes(r) < 20000);
    buf_deinit(&u);
    weave_relay_free(r);
}

/* One update of `text` by `client` at its clock 0, at the root or behind the unit before `clock`. */
static void put_string(struct buf *u, uint64_t client, uint32_t clock, const char *text, size_t len) {
    buf_reset(u);
    buf_put(u, "\1\1", 2);
    buf_uint(u, client);
    buf_uint(u, clock);
    buf_byte(u, clock ? 0x84 : 4);
    if (clock) buf_uint(u, client), buf_uint(u, clock - 1);
    else buf_put(u, "\1\1t", 3);
    buf_bytes(u, (struct slice){ (const uint8_t *)text, len });
    buf_byte(u, 0);
}

static void put_deletion(struct buf *u, uint64_t client, uint32_t clock, uint32_t len) {
    buf_reset(u);
    buf_put(u, "\0\1", 2);
    buf_uint(u, client);
    buf_byte(u, 1);
    buf_uint(u, clock);
    buf_uint(u, len);
}

static int apply(struct weave_relay *r, const struct buf *u) {
    struct weave_effect e;
    return weave_relay_apply(r, (struct weave_bytes){ u->at, u->len }, &e);
}

static struct buf whole(struct weave_relay *r) {
    struct buf out;
    buf_init(&out, LIMIT);
    check(weave_relay_since(r, (struct weave_bytes){ 0 }, (struct weave_sink){ to_buf, &out }) == 0);
    return out;
}

/* Whatever fitted step by step is loaded in one. */
static void limit_never_refuses_to_load_what_grew(void) {
    for (int shape = 0; shape < 3; shape++) {
        size_t max = 300000;
        struct weave_relay *r = weave_relay_new(max), *again = weave_relay_new(max);
        struct buf u;
        uint32_t clock = 0;
        int e = 0;
        buf_init(&u, LIMIT);
        for (uint64_t i = 1; e == 0; i++) {
            uint64_t client = shape == 0 ? 1 : i * 77777;       /* one client, or one each */
            uint32_t at = shape == 0 ? clock : 0;
            put_string(&u, client, at, "some text", 9);
            if (shape == 2) u.len--, buf_put(&u, "\1", 1), buf_uint(&u, client), buf_put(&u, "\1\2\1", 3);
            e = apply(r, &u);
            clock += e == 0 ? 9 : 0;
        }
        check(e == WEAVE_TOO_LARGE);
        struct buf all = whole(r);
        check(apply(again, &all) == 0);
        struct buf same_all = whole(again);
        check(slice_eq(buf_view(&all), buf_view(&same_all)));
        buf_deinit(&all);
        buf_deinit(&same_all);
        buf_deinit(&u);
        weave_relay_free(r);
        weave_relay_free(again);
    }
}

static size_t counted(const struct weave_relay *r) {
    size_t bytes = 0;
    for (size_t i = 0; i < r->n; i++) bytes += client_log_memory(r->clients[i].log);
    return bytes;
}

/* Random writing and deleting: the accounts hold, and each chunk begins where the last one ends. */
static void accounts_hold(void) {
    struct weave_relay *r = weave_relay_new(LIMIT);
    struct buf u;
    uint32_t clocks[4] = { 0 }, seed = 42;
    buf_init(&u, LIMIT);
    for (int i = 0; i < 20000; i++) {
        seed = seed * 1664525 + 1013904223;
        uint32_t c = seed >> 30, n = 1 + (seed >> 20) % 40;
        if (clocks[c] == 0 || seed % 7 < 4) {
            put_string(&u, c + 1, clocks[c], "0123456789012345678901234567890123456789", n);
            clocks[c] += n;
        } else {
            uint32_t at = (seed >> 8) % clocks[c];
            put_deletion(&u, c + 1, at, n < clocks[c] - at ? n : clocks[c] - at);
        }
        check(apply(r, &u) == 0);
    }
    size_t encoded = 0, ranges = 0;
    for (size_t i = 0; i < r->n; i++) {
        const struct client_log *l = r->clients[i].log;
        ranges += l->deleted.n;
        uint32_t clock = 0;
        for (uint32_t k = 0; k < l->n; k++) {
            struct decode d = decode_structs((struct id){ l->client, l->chunks[k].clock }, l->chunks[k].n,
                                             l->chunks[k].at, l->chunks[k].at + l->chunks[k].len);
            struct decoded s;
            check(l->chunks[k].clock == clock);
            while (decode_struct(&d, &s)) {}
            check(decode_is_done(&d));
            clock = (uint32_t)d.clock;
            encoded += l->chunks[k].len;
        }
        check(clock == l->clock && clock == clocks[l->client - 1]);
    }
    check(counted(r) == r->logs_memory);
    check(encoded == r->encoded && ranges == r->n_ranges);
    buf_deinit(&u);
    weave_relay_free(r);
}

/* 40 emoji, then deletions that cut pairs at both ends: no pair is broken, the rest is dropped. */
static void a_tombstone_never_cuts_a_pair(void) {
    for (uint32_t from = 2; from < 6; from++) {
        for (uint32_t to = 150; to < 154; to++) {
            struct weave_relay *r = weave_relay_new(LIMIT);
            struct buf u;
            char text[320];
            for (int i = 0; i < 80; i++) memcpy(text + 4 * i, "\xf0\x9f\x98\x80", 4);
            buf_init(&u, LIMIT);
            put_string(&u, 1, 0, text, 320);
            check(apply(r, &u) == 0);
            put_deletion(&u, 1, from, to - from);
            check(apply(r, &u) == 0);
            check(r->encoded < 80);
            struct buf all = whole(r);
            check(weave_update_check((struct weave_bytes){ all.at, all.len }) == 0);
            check(!memmem(all.at, all.len, "\xef\xbf\xbd", 3));
            uint32_t low = from + from % 2, high = to - to % 2;     /* what is dropped */
            size_t emoji = 0;
            for (size_t i = 0; i + 4 <= all.len; i++) emoji += memcmp(all.at + i, text, 4) == 0;
            check(emoji == 80 - (high - low) / 2);
            buf_deinit(&all);
            buf_deinit(&u);
            weave_relay_free(r);
        }
    }
}

int main(void) {
    run(a5_new_bytes_pass_as_they_came);
    run(a5_known_is_not_effective);
    run(a5_partly_known_is_cut);
    run(a5_deletions_count_once);
    run(a6_a_hole_waits);
    run(a6_origin_of_an_unknown_client_waits);
    run(a6_right_origin_and_parent_are_asked_for);
    run(a6_clients_of_one_update_depend_on_each_other);
    run(a6_part_fits_part_waits);
    run(a6_a_circle_waits_and_names_something);
    run(a6_unknown_deletions_wait);
    run(tombstones_count_as_deleted);
    run(c2_types_outlive_their_deletion);
    run(odd_orders_are_read_as_yjs_would_write_them);
    run(limits_lengths_without_bytes);
    run(limit_refuses_and_changes_nothing);
    run(malformed_changes_nothing);
    run(memory_follows_what_lives);
    run(limit_never_refuses_to_load_what_grew);
    run(accounts_hold);
    run(a_tombstone_never_cuts_a_pair);
    return t_exit();
}
