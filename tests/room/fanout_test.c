/* Fan-out: one byte log a dialect, members as cursors, slow readers, compression, crowds. */
#include "t.h"
#include "world.h"

#define STATE_0 ((struct slice){ (const uint8_t *)"\0", 1 })

static char *letters(size_t n, uint64_t seed) {     /* text that does not compress to nothing */
    char *s = malloc(n + 1);
    must(s);
    for (size_t i = 0; i < n; i++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        s[i] = (char)('a' + (seed >> 33) % 26);
    }
    s[n] = 0;
    return s;
}

struct scene { struct world w; struct client ann, bob; struct weave *a, *b; struct buf buf; };

static void scene_init(struct scene *s) {
    world_init(&s->w);
    buf_init(&s->buf, MIB(16));
    s->a = weave_new(7, MIB(64));
    s->b = weave_new(8, MIB(64));
    client_init(&s->ann, &s->w, "ann", ROLE_EDITOR);
    client_init(&s->bob, &s->w, "bob", ROLE_EDITOR);
    client_join(&s->ann, "doc:a");
    client_join(&s->bob, "doc:a");
    client_skip(&s->ann);
    client_skip(&s->bob);
}

static void scene_deinit(struct scene *s) {
    client_deinit(&s->ann);
    client_deinit(&s->bob);
    weave_free(s->a);
    weave_free(s->b);
    buf_deinit(&s->buf);
    world_deinit(&s->w);
}

static void write_text(struct scene *s, const char *text) {
    check(member_on_update(s->ann.member, type_text(s->a, &s->buf, 0, text), false) == E_OK);
    world_commit(&s->w);
}

static struct fanout_log *log_of(struct client *c) { return &c->member->room->logs[c->member->channel]; }

/* F-1: a socket that takes a little at a time gets every frame whole and in order, frames of its own
 * between them included; then nothing of it is left in memory. */
static void f1_partial_writes_keep_frames_whole(void) {
    struct scene s;

    scene_init(&s);
    for (int i = 0; i < 20; i++) {
        char *text = letters(30000, (uint64_t)i);
        write_text(&s, text);
        check(member_on_step_1(s.bob.member, STATE_0) == E_OK);     /* an answer of its own */
        free(text);
    }
    check(s.bob.outlet.is_blocked);
    client_apply(&s.bob, s.b);
    check(s.bob.at == s.bob.in.len);                    /* no half frame is left */
    check(weave_length(s.b, weave_root(s.b, (struct weave_bytes){ (const uint8_t *)"t", 1 })) == 20 * 30000);
    check(!s.bob.outlet.is_blocked && !s.bob.outlet.segments && s.bob.outlet.own_bytes == 0);
    world_turn(&s.w);
    check(log_of(&s.bob)->len == 0 && !log_of(&s.bob)->at);
    scene_deinit(&s);
}

/* Its own frames are left out of the range between the others'. */
static void f1_own_frames_are_left_out(void) {
    struct scene s;
    struct y_msg m;
    struct buf theirs;

    scene_init(&s);
    buf_init(&theirs, KIB(64));
    member_on_update(s.ann.member, type_text(s.a, &s.buf, 0, "a1"), false);
    member_on_update(s.bob.member, type_text(s.b, &theirs, 0, "b1"), false);
    member_on_update(s.ann.member, type_text(s.a, &s.buf, 0, "a2"), false);
    world_commit(&s.w);
    check(client_y(&s.ann, &m) && slice_eq(m.body, buf_view(&theirs)));
    check(!client_y(&s.ann, &m));
    check(client_apply(&s.bob, s.b) == 2 && client_skip(&s.bob) == 0);
    buf_deinit(&theirs);
    scene_deinit(&s);
}

/* F-2: a reader that stops is cut off at the bound, whatever comes; when it reads again it has it all. */
static void f2_a_slow_reader_is_bounded_and_resynced(void) {
    struct scene s;
    size_t worst = 0;

    scene_init(&s);
    for (int i = 0; i < 40; i++) {
        char *text = letters(100000, (uint64_t)i);
        write_text(&s, text);
        if (log_of(&s.bob)->len > worst) worst = log_of(&s.bob)->len;
        free(text);
    }
    check(s.bob.member->is_behind);
    check(worst < 2 * LIMIT_QUEUE_BYTES);
    check(log_of(&s.bob)->len < LIMIT_QUEUE_BYTES && s.bob.outlet.own_bytes < KIB(256));
    client_apply(&s.bob, s.b);
    world_turn(&s.w);
    client_apply(&s.bob, s.b);
    check(!s.bob.member->is_behind && s.bob.member->room->n_slow == 0);
    check(weave_length(s.b, weave_root(s.b, (struct weave_bytes){ (const uint8_t *)"t", 1 })) == 40 * 100000);
    write_text(&s, "again");
    check(client_apply(&s.bob, s.b) == 1);              /* and is a member like any other */
    scene_deinit(&s);
}

/* A member that leaves, or whose connection ends, with half a frame sent disturbs nobody. */
static void f1_leaving_in_the_middle_of_a_frame(void) {
    struct scene s;
    struct client other;
    char *text = letters(100000, 1);

    scene_init(&s);
    client_init(&other, &s.w, "carl", ROLE_EDITOR);
    client_join_as(&other, "doc:a", CHANNEL_MUX);
    world_turn(&s.w);
    write_text(&s, text);
    check(other.outlet.is_blocked);
    room_leave(other.member);                           /* the socket stays: the frame is completed */
    other.member = NULL;
    world_turn(&s.w);
    check(client_skip(&other) == 1 && other.at == other.in.len);
    client_deinit(&s.bob);                              /* here the connection ends */
    write_text(&s, "more");
    world_turn(&s.w);
    client_init(&s.bob, &s.w, "bob", ROLE_EDITOR);
    client_deinit(&other);
    free(text);
    scene_deinit(&s);
}

/* One log a dialect: /yjs/ and /ws/ members get the same message, the latter with the room's name;
 * deflated once for those that agreed, from 512 bytes on. */
static void f3_dialects_and_compression(void) {
    struct scene s;
    struct client mux, small;
    struct slice m;
    struct ws_codec *z = ws_codec_new();
    char *text = malloc(5001);
    struct slice plain;

    memset(text, 'x', 5000);
    text[5000] = 0;
    scene_init(&s);
    client_init(&mux, &s.w, "mux", ROLE_EDITOR);
    client_init(&small, &s.w, "small", ROLE_EDITOR);
    small.outlet.deflate = true;
    client_join_as(&mux, "doc:a", CHANNEL_MUX);
    client_join(&small, "doc:a");
    client_skip(&small);
    write_text(&s, text);
    check(client_next(&mux, &m) && memcmp(m.at, "\x05" "doc:a" "\x00\x02", 8) == 0);
    check(client_next(&small, &m) && m.len < 200);
    check(small.in.at[small.at - m.len - 2] == 0xc2);   /* FIN, RSV1, binary */
    check(ws_inflate_message(z, m, MIB(1), &plain) == E_OK && plain.len > 5000 && plain.at[1] == 2);
    write_text(&s, "short");
    check(client_next(&small, &m) && m.at[0] == 0 && m.at[1] == 2);         /* as it is */
    client_deinit(&mux);
    client_deinit(&small);
    ws_codec_free(z);
    free(text);
    scene_deinit(&s);
}

/* A quiet room goes out at once; in a crowd what follows within 16 ms leaves with one write. */
static void f4_a_crowd_is_held_a_moment(void) {
    struct scene s;
    struct client crowd[60];

    scene_init(&s);
    for (int i = 0; i < 60; i++) {
        client_init(&crowd[i], &s.w, "someone", ROLE_EDITOR);
        client_join(&crowd[i], "doc:a");
        client_skip(&crowd[i]);
    }
    world_pass(&s.w, 100);
    client_skip(&s.bob);
    write_text(&s, "first");
    check(client_skip(&s.bob) == 1);
    s.w.now_ms += 1;
    write_text(&s, "second");
    write_text(&s, "third");
    check(client_skip(&s.bob) == 0);
    world_pass(&s.w, 16);
    check(client_skip(&s.bob) == 2);
    for (int i = 0; i < 60; i++) client_deinit(&crowd[i]);
    scene_deinit(&s);
}

/* M1: a client that asks and does not read is not answered for ever. */
static void m1_answers_that_nobody_reads_are_bounded(void) {
    struct scene s;
    char *text = letters(400000, 5);
    int n = 0;

    scene_init(&s);
    write_text(&s, text);
    while (!outlet_is_busy(&s.bob.outlet) && n < 100) {
        check(member_on_step_1(s.bob.member, STATE_0) == E_OK);
        world_turn(&s.w);
        n++;
    }
    check(n < 10 && s.bob.ready == 0);
    client_skip(&s.bob);
    world_turn(&s.w);
    world_turn(&s.w);
    check(s.bob.ready == 1);
    free(text);
    scene_deinit(&s);
}

int main(void) {
    run(f1_partial_writes_keep_frames_whole);
    run(f1_own_frames_are_left_out);
    run(f2_a_slow_reader_is_bounded_and_resynced);
    run(f1_leaving_in_the_middle_of_a_frame);
    run(f3_dialects_and_compression);
    run(f4_a_crowd_is_held_a_moment);
    run(m1_answers_that_nobody_reads_are_bounded);
    return t_exit();
}
