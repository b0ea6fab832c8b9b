/* Structs that come before what they build on (A6). */
#include "t.h"
#include "world.h"

#define STATE_0 ((struct slice){ (const uint8_t *)"\0", 1 })

struct scene { struct world w; struct client ann, bob; struct weave *a, *b; struct buf one, two, three; };

static void scene_init(struct scene *s, enum channel channel) {
    world_init(&s->w);
    buf_init(&s->one, MIB(1));
    buf_init(&s->two, MIB(1));
    buf_init(&s->three, MIB(1));
    s->a = weave_new(7, MIB(8));
    s->b = weave_new(8, MIB(8));
    client_init(&s->ann, &s->w, "ann", ROLE_EDITOR);
    client_init(&s->bob, &s->w, "bob", ROLE_EDITOR);
    client_join(&s->bob, "doc:a");
    client_join_as(&s->ann, "doc:a", channel);
    while (!s->ann.joined) world_turn(&s->w);
    client_skip(&s->ann);
    client_skip(&s->bob);
    type_text(s->a, &s->one, 0, "one ");
    type_text(s->a, &s->two, 4, "two ");
    type_text(s->a, &s->three, 8, "three");
}

static void scene_deinit(struct scene *s) {
    client_deinit(&s->ann);
    client_deinit(&s->bob);
    weave_free(s->a);
    weave_free(s->b);
    buf_deinit(&s->one);
    buf_deinit(&s->two);
    buf_deinit(&s->three);
    world_deinit(&s->w);
}

static int step_1s(struct client *c) {
    struct y_msg m;
    int n = 0;

    while (client_y(c, &m)) n += m.kind == Y_SYNC && m.step == Y_STEP_1;
    return n;
}

/* Held: not journaled, not relayed; asked for once; in when it fits, as its sender's. */
static void a6_held_asked_for_once_and_taken_when_it_fits(void) {
    struct scene s;

    scene_init(&s, CHANNEL_YJS);
    check(member_on_update(s.ann.member, buf_view(&s.two), false) == E_OK);
    check(member_on_update(s.ann.member, buf_view(&s.two), false) == E_OK);
    world_commit(&s.w);
    check(s.w.journal->appended == 0 && client_skip(&s.bob) == 0);
    check(step_1s(&s.ann) == 1);                        /* the same gap: once */
    check(member_on_update(s.bob.member, buf_view(&s.one), false) == E_OK);     /* from somebody else */
    world_turn(&s.w);
    world_commit(&s.w);
    client_apply(&s.bob, s.b);
    apply(s.b, buf_view(&s.one));
    check(text_is(s.b, "one two "));
    check(!s.ann.member->more || s.ann.member->more->pending.n == 0);
    scene_deinit(&s);
}

/* Never acknowledged before it is durable; then it is. */
static void a6_acknowledged_when_it_is_durable(void) {
    struct scene s;

    scene_init(&s, CHANNEL_MUX);
    member_on_update(s.ann.member, buf_view(&s.three), false);
    world_commit(&s.w);
    check(client_skip(&s.ann) == 1);                    /* our step 1, no acknowledgement */
    member_on_update(s.ann.member, buf_view(&s.one), false);
    world_commit(&s.w);
    check(client_skip(&s.ann) >= 1);
    member_on_update(s.ann.member, buf_view(&s.two), false);
    world_turn(&s.w);
    check(client_skip(&s.ann) == 0);
    world_commit(&s.w);
    world_commit(&s.w);
    check(client_skip(&s.ann) == 2);                    /* two, and three that had waited */
    scene_deinit(&s);
}

/* The same gap is asked for again after 30 s, not sooner. */
static void a6_not_asked_again_within_30_s(void) {
    struct scene s;

    scene_init(&s, CHANNEL_YJS);
    member_on_update(s.ann.member, buf_view(&s.two), false);
    world_turn(&s.w);
    check(step_1s(&s.ann) == 1);
    for (int i = 0; i < 1000; i++) member_on_update(s.ann.member, buf_view(&s.two), true);  /* its answer, each time */
    world_pass(&s.w, 29000);
    member_on_update(s.ann.member, buf_view(&s.two), true);
    check(step_1s(&s.ann) == 0);
    world_pass(&s.w, 2000);
    member_on_update(s.ann.member, buf_view(&s.two), true);
    world_turn(&s.w);
    check(step_1s(&s.ann) == 1);
    scene_deinit(&s);
}

/* M1: what a connection can make us hold is bounded, and goes with it. */
static void m1_pending_is_bounded(void) {
    struct scene s;
    char *text = malloc(20001);

    memset(text, 'z', 20000);
    text[20000] = 0;
    scene_init(&s, CHANNEL_YJS);
    for (uint32_t i = 0; i < 200; i++) {
        struct slice update = type_text(s.a, &s.three, 0, i % 2 ? "x" : text);
        check(member_on_update(s.ann.member, update, false) == E_OK);
        check(s.ann.member->more->pending.bytes <= LIMIT_PENDING_BYTES);
        check(s.ann.member->more->pending.n <= LIMIT_PENDING_UPDATES);
    }
    check(s.w.journal->appended == 0 && s.ann.member->room->n_pending == 1);
    room_leave(s.ann.member);
    s.ann.member = NULL;
    check(s.bob.member->room->n_pending == 0);
    free(text);
    scene_deinit(&s);
}

int main(void) {
    run(a6_held_asked_for_once_and_taken_when_it_fits);
    run(a6_acknowledged_when_it_is_durable);
    run(a6_not_asked_again_within_30_s);
    run(m1_pending_is_bounded);
    return t_exit();
}
