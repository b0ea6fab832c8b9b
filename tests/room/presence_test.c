/* Presence: rulings S1, S2, S3, S5, with peers that accept entries as the awareness library does. */
#include "t.h"
#include "world.h"

#include "wire/awareness.h"

#define PEERS 8

/* What one awareness instance of y-protocols knows. */
struct library {
    uint64_t own;               /* its own id; 0: it sets no state */
    struct { uint64_t client, clock; char state[256]; bool here; } known[PEERS];
    int n;
};

static int find(struct library *l, uint64_t client) {
    for (int i = 0; i < l->n; i++)
        if (l->known[i].client == client) return i;
    must(l->n < PEERS);
    l->known[l->n].client = client;
    return l->n++;
}

static bool sees(struct library *l, uint64_t client) {
    for (int i = 0; i < l->n; i++)
        if (l->known[i].client == client) return l->known[i].here;
    return false;
}

static const char *state_of(struct library *l, uint64_t client) { return l->known[find(l, client)].state; }
static uint64_t clock_of(struct library *l, uint64_t client) { return l->known[find(l, client)].clock; }

/* The accept rule of y-protocols, its own id included. */
static void library_take(struct library *l, struct slice update) {
    struct awareness_entry e;
    struct reader r;

    must(awareness_check(update) == E_OK);
    uint64_t left = awareness_begin(update, &r);
    while (awareness_next(&r, &left, &e)) {
        int i = find(l, e.client);
        if (e.clock < l->known[i].clock) continue;
        if (e.clock == l->known[i].clock && (e.state.len || !l->known[i].here)) continue;
        if (e.client == l->own && !e.state.len && l->known[i].here) {
            l->known[i].clock = e.clock + 1;
            continue;
        }
        l->known[i].clock = e.clock;
        l->known[i].here = e.state.len > 0;
        snprintf(l->known[i].state, sizeof l->known[i].state, "%.*s", SLICE_ARG(e.state));
    }
}

/* Everything that came: how many awareness messages. */
static int listen_to(struct client *c, struct library *l) {
    struct y_msg m;
    int n = 0;

    while (client_y(c, &m)) {
        if (m.kind != Y_AWARENESS) continue;
        library_take(l, m.body);
        n++;
    }
    return n;
}

static void say(struct client *c, uint64_t client, uint64_t clock, const char *state) {
    struct buf b;
    struct awareness_entry e = { client, clock, state ? slice_of(state) : (struct slice){ 0 } };

    buf_init(&b, KIB(64));
    buf_uint(&b, 1);
    awareness_encode(&b, &e);
    check(member_on_awareness(c->member, buf_view(&b)) == E_OK);
    buf_deinit(&b);
}

/* Its own library speaks: the next clock. */
static void set(struct client *c, struct library *l, const char *state) {
    int i = find(l, l->own);

    l->known[i].clock++;
    l->known[i].here = state != NULL;
    snprintf(l->known[i].state, sizeof l->known[i].state, "%s", state ? state : "");
    say(c, l->own, l->known[i].clock, state);
}

struct scene { struct world w; struct client ann, bob; struct library a, b; };

static void scene_init(struct scene *s) {
    memset(&s->a, 0, sizeof s->a);
    memset(&s->b, 0, sizeof s->b);
    s->a.own = 101;
    s->b.own = 202;
    world_init(&s->w);
    client_init(&s->ann, &s->w, "ann", ROLE_EDITOR);
    client_init(&s->bob, &s->w, "bob", ROLE_EDITOR);
    client_join(&s->ann, "doc:a");
    client_join(&s->bob, "doc:a");
}

static void scene_deinit(struct scene *s) {
    client_deinit(&s->ann);
    client_deinit(&s->bob);
    world_deinit(&s->w);
}

static void both_listen(struct scene *s) {
    world_pass(&s->w, 200);
    listen_to(&s->ann, &s->a);
    listen_to(&s->bob, &s->b);
}

static void s2_people_see_each_other(void) {
    struct scene s;

    scene_init(&s);
    set(&s.ann, &s.a, "{\"x\":1}");
    both_listen(&s);
    set(&s.bob, &s.b, "{\"x\":2}");
    both_listen(&s);
    check(sees(&s.b, 101) && sees(&s.a, 202));
    check(strstr(state_of(&s.b, 101), "\"x\":1") && strstr(state_of(&s.a, 202), "\"x\":2"));
    set(&s.ann, &s.a, "{\"x\":3}");
    both_listen(&s);
    check(strstr(state_of(&s.b, 101), "\"x\":3"));
    check(strstr(state_of(&s.a, 101), "\"x\":3"));      /* its own state never comes back over it */
    set(&s.ann, &s.a, NULL);
    both_listen(&s);
    check(!sees(&s.b, 101));
    scene_deinit(&s);
}

/* S3: the name is the server's word; a name that is sent is not. */
static void s3_nobody_has_another_name(void) {
    struct scene s;

    scene_init(&s);
    set(&s.ann, &s.a, "{\"user\":{\"name\":\"Bob\",\"id\":\"bob\"}}");
    both_listen(&s);
    check(strstr(state_of(&s.b, 101), "\"name\":\"ann\"") && strstr(state_of(&s.b, 101), "\"id\":\"ann\""));
    check(!strstr(state_of(&s.b, 101), "ob"));
    scene_deinit(&s);
}

/* S3: colours, the lowest free of 8; one person has one colour. */
static void s3_colours_are_handed_out(void) {
    struct scene s;
    struct client tab;

    scene_init(&s);
    set(&s.ann, &s.a, "{}");
    set(&s.bob, &s.b, "{}");
    client_init(&tab, &s.w, "ann", ROLE_EDITOR);
    client_join(&tab, "doc:a");
    say(&tab, 303, 1, "{}");
    both_listen(&s);
    check(strstr(state_of(&s.b, 101), "\"colorIndex\":0") && strstr(state_of(&s.a, 202), "\"colorIndex\":1"));
    check(strstr(state_of(&s.b, 303), "\"colorIndex\":0"));
    client_deinit(&tab);
    scene_deinit(&s);
}

/* S1: an id has one owner; nobody else speaks for it, removes it or moves it. */
static void s1_nobody_speaks_for_another(void) {
    struct scene s;
    struct client eve;

    scene_init(&s);
    set(&s.ann, &s.a, "{\"x\":1}");
    set(&s.bob, &s.b, "{}");
    both_listen(&s);
    client_init(&eve, &s.w, "eve", ROLE_EDITOR);
    client_join(&eve, "doc:a");
    say(&eve, 101, 9000, "{\"x\":\"evil\"}");
    say(&eve, 101, 9001, NULL);
    say(&s.bob, 101, 9002, "{\"x\":\"evil\"}");
    both_listen(&s);
    check(sees(&s.b, 101) && strstr(state_of(&s.b, 101), "\"x\":1"));
    say(&eve, 404, 1, "{\"x\":4}");                      /* its own */
    both_listen(&s);
    check(sees(&s.b, 404));
    say(&eve, 505, 1, "{\"x\":5}");                      /* a connection owns one id */
    both_listen(&s);
    check(!sees(&s.b, 505));
    client_deinit(&eve);
    scene_deinit(&s);
}

/* S1: a client that repeats everything it was told claims nothing. */
static void s1_repeating_others_is_no_claim(void) {
    struct scene s;
    struct client carl;
    struct library c = { .own = 303 };

    scene_init(&s);
    set(&s.ann, &s.a, "{\"x\":1}");
    both_listen(&s);
    client_init(&carl, &s.w, "carl", ROLE_EDITOR);
    client_join(&carl, "doc:a");
    world_pass(&s.w, 200);
    listen_to(&carl, &c);
    check(sees(&c, 101));                               /* told after 100 ms */
    client_deinit(&s.ann);                              /* she leaves ... */
    say(&carl, 101, clock_of(&c, 101), "{\"x\":1}");    /* ... while he repeats her */
    both_listen(&s);
    check(!sees(&s.b, 101));
    set(&carl, &c, "{}");
    both_listen(&s);
    check(sees(&s.b, 303));
    client_deinit(&carl);
    client_init(&s.ann, &s.w, "ann", ROLE_EDITOR);
    scene_deinit(&s);
}

/* S1, S2: an unclean drop: the same person comes back on a new connection while the old one still
 * counts as open, with the clock it had. Both sides see each other at once, and the old connection's
 * close removes nobody. */
static void s2_a_return_is_seen_at_once(void) {
    struct scene s;
    struct client again;

    scene_init(&s);
    set(&s.ann, &s.a, "{\"x\":1}");
    set(&s.bob, &s.b, "{\"x\":2}");
    both_listen(&s);
    s.a.known[find(&s.a, 202)].here = false;            /* its library forgot the others' states */
    client_init(&again, &s.w, "ann", ROLE_EDITOR);
    client_join(&again, "doc:a");
    say(&again, 101, clock_of(&s.a, 101), "{\"x\":1}"); /* y-websocket: the same clock */
    world_pass(&s.w, 1);
    listen_to(&again, &s.a);
    listen_to(&s.bob, &s.b);
    check(sees(&s.a, 202));
    check(sees(&s.b, 101));
    client_deinit(&s.ann);
    world_pass(&s.w, 200);
    listen_to(&s.bob, &s.b);
    check(sees(&s.b, 101));
    client_deinit(&s.bob);
    world_pass(&s.w, 200);
    listen_to(&again, &s.a);
    check(!sees(&s.a, 202));                            /* no ghost */
    client_deinit(&again);
    world_deinit(&s.w);
}

/* S2: closed cleanly and back within a minute, and after the server has forgotten everything. */
static void s2_seen_again_after_a_close_and_a_restart(void) {
    struct scene s;

    scene_init(&s);
    set(&s.bob, &s.b, "{\"x\":2}");
    set(&s.ann, &s.a, "{\"x\":1}");
    both_listen(&s);
    client_deinit(&s.ann);
    world_pass(&s.w, 100);
    listen_to(&s.bob, &s.b);
    check(!sees(&s.b, 101));
    client_init(&s.ann, &s.w, "ann", ROLE_EDITOR);
    client_join(&s.ann, "doc:a");
    say(&s.ann, 101, clock_of(&s.a, 101), "{\"x\":1}");
    both_listen(&s);
    check(sees(&s.b, 101));

    struct library a = s.a, b = s.b;                    /* they remember; the server does not */
    scene_deinit(&s);
    scene_init(&s);
    s.a = a;
    s.b = b;
    s.a.known[find(&s.a, 202)].here = s.b.known[find(&s.b, 101)].here = false;
    say(&s.ann, 101, clock_of(&s.a, 101), "{\"x\":1}");
    say(&s.bob, 202, clock_of(&s.b, 202), "{\"x\":2}");
    both_listen(&s);
    check(sees(&s.b, 101) && sees(&s.a, 202));
    scene_deinit(&s);
}

/* S2: the server restarts before anybody moved: clocks are not used twice. */
static void s2_seen_after_a_restart_without_a_move(void) {
    struct scene s;

    scene_init(&s);
    client_deinit(&s.bob);
    set(&s.ann, &s.a, "{\"x\":1}");                     /* alone */
    world_pass(&s.w, 200);
    client_init(&s.bob, &s.w, "bob", ROLE_EDITOR);
    client_join(&s.bob, "doc:a");
    set(&s.bob, &s.b, "{\"x\":2}");
    both_listen(&s);
    check(sees(&s.b, 101) && sees(&s.a, 202));

    struct library a = s.a, b = s.b;
    scene_deinit(&s);
    scene_init(&s);
    s.a = a;
    s.b = b;
    s.a.known[find(&s.a, 202)].here = s.b.known[find(&s.b, 101)].here = false;
    client_deinit(&s.bob);
    say(&s.ann, 101, clock_of(&s.a, 101), "{\"x\":1}");      /* she is back first */
    world_pass(&s.w, 200);
    client_init(&s.bob, &s.w, "bob", ROLE_EDITOR);
    client_join(&s.bob, "doc:a");
    say(&s.bob, 202, clock_of(&s.b, 202), "{\"x\":2}");
    both_listen(&s);
    check(sees(&s.b, 101) && sees(&s.a, 202));
    scene_deinit(&s);
}

/* S2: hidden while its socket is silent, shown when it is heard; a sleeping owner is sent again. */
static void s2_hidden_heard_and_renewed(void) {
    struct scene s;

    scene_init(&s);
    set(&s.ann, &s.a, "{\"x\":1}");
    set(&s.bob, &s.b, "{}");
    both_listen(&s);
    member_hide(s.ann.member);
    both_listen(&s);
    check(!sees(&s.b, 101));
    member_heard(s.ann.member);
    both_listen(&s);
    check(sees(&s.b, 101));

    uint64_t before = clock_of(&s.b, 101);
    for (int i = 0; i < 4; i++) {
        world_pass(&s.w, 8000);
        member_renew(s.ann.member, s.w.now_ms);
        world_pass(&s.w, 100);
    }
    listen_to(&s.bob, &s.b);
    check(clock_of(&s.b, 101) >= before + 2 && sees(&s.b, 101));
    listen_to(&s.ann, &s.a);
    set(&s.ann, &s.a, "{\"x\":7}");                      /* awake again: its clock went on from ours */
    both_listen(&s);
    check(strstr(state_of(&s.b, 101), "\"x\":7"));
    scene_deinit(&s);
}

/* S5: many changes between two ticks are one message with everybody's newest state once. */
static void s5_one_message_a_tick(void) {
    struct scene s;
    char state[32];

    scene_init(&s);
    set(&s.ann, &s.a, "{}");
    set(&s.bob, &s.b, "{}");
    both_listen(&s);
    both_listen(&s);
    for (int i = 0; i < 10; i++) {
        snprintf(state, sizeof state, "{\"x\":%d}", i);
        set(&s.ann, &s.a, state);
        set(&s.bob, &s.b, state);
        world_pass(&s.w, 1);
    }
    world_pass(&s.w, 60);
    int n = listen_to(&s.bob, &s.b);
    check(n >= 1 && n <= 2);                            /* the first goes out at once, the rest at the tick */
    check(strstr(state_of(&s.b, 101), "\"x\":9"));
    scene_deinit(&s);
}

/* M1: oversized, deep and malformed states change nothing and end nobody. */
static void m1_hostile_presence_disturbs_nobody(void) {
    struct scene s;
    char big[KIB(6)];

    scene_init(&s);
    set(&s.ann, &s.a, "{\"x\":1}");
    both_listen(&s);
    memset(big, 'a', sizeof big);
    memcpy(big, "{\"a\":\"", 6);
    memcpy(big + sizeof big - 3, "\"}", 3);
    say(&s.bob, 202, 1, big);
    say(&s.bob, 202, 2, "not json");
    say(&s.bob, 202, UINT64_C(1) << 52, "{}");
    check(member_on_awareness(s.bob.member, slice_of("\xff\xff\xff\x0f")) == E_INVALID);
    both_listen(&s);
    check(!sees(&s.a, 202) && sees(&s.b, 101));
    scene_deinit(&s);
}

int main(void) {
    run(s2_people_see_each_other);
    run(s3_nobody_has_another_name);
    run(s3_colours_are_handed_out);
    run(s1_nobody_speaks_for_another);
    run(s1_repeating_others_is_no_claim);
    run(s2_a_return_is_seen_at_once);
    run(s2_seen_again_after_a_close_and_a_restart);
    run(s2_seen_after_a_restart_without_a_move);
    run(s2_hidden_heard_and_renewed);
    run(s5_one_message_a_tick);
    run(m1_hostile_presence_disturbs_nobody);
    return t_exit();
}
