/* presence.c -- who is in a room, and where (rulings S1 to S3, S5). Reactor thread. Never journaled.
 *
 * A person is one awareness id. `clock` is its owner's, `out` the last we sent for it: peers accept an
 * entry only when its clock is higher than what they know, and they remember clocks across reconnects,
 * so `out` only grows and grows by our own will.
 *
 *   S1  A connection owns one id. It claims one with an entry we have not told it of, when nobody owns
 *       the id or its owner is an older connection of the same named user. Every other foreign entry
 *       is ignored: a client repeats what it was told. An id is kept KEPT_MS after its owner closed.
 *   S2  To peers out := max(clock, out + 1); an id that is new here starts AHEAD further, for peers that
 *       remember it from before we started. Before its owner sees out > clock come back, it privately
 *       gets (id, out, null): the library keeps its state and goes on from out + 1.
 *       Gone is (id, out, null) at the current out.
 *   S3  Who somebody is, is the server's word.
 *   S5  What changed in a tick leaves as one message, everybody's newest state once. */
#include <stdlib.h>

#include "base/err.h"
#include "base/must.h"
#include "room/rooms_int.h"
#include "wire/awareness.h"

#define AHEAD 1024
#define KEPT_MS 60000
#define TELL_MS 100
#define TICK_MS 50
#define TICK_CROWD_MS 100       /* above CROWD people */
#define CROWD 50
#define BIG_CROWD 200           /* above it each person is sent once in BIG_CROWD_MS */
#define BIG_CROWD_MS 1000
#define RENEW_MS 15000          /* peers forget after 30 s */
#define SAME_MS 10000           /* an unchanged state is not sent again sooner */
#define COLORS 8
#define STATE_MAX (LIMIT_PRESENCE_STATE + KIB(1))

struct person {
    uint64_t client;            /* the awareness id; also its key in the table */
    uint64_t clock, out;
    uint64_t raised;            /* out in the last private null: its library is beyond that */
    struct member *owner;       /* NULL: closed at closed_ms */
    struct principal *who;      /* of the last owner; a reference */
    struct frame *state;        /* stamped; NULL: gone */
    struct person *next_dirty;
    uint64_t spoke_ms, sent_ms, closed_ms;
    uint8_t color;
    bool is_dirty, is_hidden;
};

struct presence {
    struct room *room;
    struct map people;          /* by the bytes of person.client */
    struct person *dirty;
    uint32_t n_states;
    struct loop_timer tick_timer, purge_timer;
    uint64_t ticked_ms;
    struct presence *next_due;
    bool is_due;
};

struct told {                   /* a joiner that is told after TELL_MS at the latest */
    struct told *next;
    struct member *member;      /* NULL: it has left or was told */
    uint64_t due_ms;
};

/* Blue, vermilion, teal, plum, moss, amber, indigo, rose: legible under white text, told apart by
 * most colour-blind people; the web app has their twins for dark screens, by index. */
static const char *const colors[COLORS] = {
    "#0462d3", "#bf4213", "#00736e", "#872d8e", "#4c701a", "#906106", "#4a2dad", "#c1195c",
};
static const char *const colors_light[COLORS] = {
    "#0462d333", "#bf421333", "#00736e33", "#872d8e33", "#4c701a33", "#90610633", "#4a2dad33", "#c1195c33",
};

/* ---- the table ------------------------------------------------------------------------------ */

static uint64_t now_of(const struct room *r) { return rooms_now_ms(r->all); }

static struct slice key_of(const uint64_t *client) { return (struct slice){ (const uint8_t *)client, sizeof *client }; }

static struct presence *presence_of(struct room *r) {
    if (r->presence) return r->presence;
    r->presence = calloc(1, sizeof *r->presence);
    must(r->presence);
    r->presence->room = r;
    map_init(&r->presence->people);
    return r->presence;
}

#define each_person(ps, p)                                                                          \
    for (size_t p##_i = 0; p##_i < (ps)->people.cap; p##_i++)                                       \
        if ((p = (ps)->people.entries[p##_i].value))

static void set_state(struct presence *ps, struct person *p, struct frame *state) {
    if (p->state) frame_unref(p->state);
    else if (state) ps->n_states++;
    if (p->state && !state) ps->n_states--;
    p->state = state;
}

static void person_free(struct presence *ps, struct person *p) {
    map_remove(&ps->people, key_of(&p->client));
    set_state(ps, p, NULL);
    principal_unref(p->who);
    free(p);
}

/* ---- ticks (S5) ----------------------------------------------------------------------------- */

static void set_due(struct presence *ps) {
    if (ps->is_due) return;
    ps->is_due = true;
    ps->next_due = ps->room->all->presence_due;
    ps->room->all->presence_due = ps;
}

static void on_tick(struct loop_timer *timer, uint64_t now_ms) {
    (void)now_ms;
    set_due((struct presence *)(void *)((char *)timer - offsetof(struct presence, tick_timer)));
}

static uint64_t tick_ms(const struct presence *ps) { return ps->n_states > CROWD ? TICK_CROWD_MS : TICK_MS; }

static void tick_later(struct presence *ps) {
    uint64_t due_ms = ps->ticked_ms + tick_ms(ps), now_ms = now_of(ps->room);

    if (ps->is_due || ps->tick_timer.place) return;
    if (!ps->ticked_ms || due_ms <= now_ms) {
        set_due(ps);
        return;
    }
    ps->tick_timer.on_timer = on_tick;
    loop_timer_set(ps->room->all->config.loop, &ps->tick_timer, due_ms);
}

static void mark(struct presence *ps, struct person *p) {
    if (!p->is_dirty) {
        p->is_dirty = true;
        p->next_dirty = ps->dirty;
        ps->dirty = p;
    }
    tick_later(ps);
}

static void put_entry(struct buf *out, const struct person *p, bool is_here) {
    struct awareness_entry e = { p->client, p->out, is_here ? frame_slice(p->state) : (struct slice){ 0 } };
    awareness_encode(out, &e);
}

/* One awareness message of n entries, in all->scratch. */
static struct slice message_of(struct rooms *all, uint32_t n, const struct buf *entries) {
    struct buf body;

    buf_init(&body, entries->len + 16);
    buf_uint(&body, n);
    buf_slice(&body, buf_view(entries));
    buf_reset(&all->scratch);
    y_encode_awareness(&all->scratch, buf_view(&body));
    buf_deinit(&body);
    must(!all->scratch.bad);
    return buf_view(&all->scratch);
}

/* S2: its library keeps its state at this null and takes out + 1 for its clock. Nothing is sent while
 * its clock is at most `slack` behind. */
static void raise_owner(struct presence *ps, struct person *p, uint64_t slack) {
    uint64_t knows = p->raised + 1 > p->clock ? p->raised + 1 : p->clock;
    struct buf entry;

    if (!p->owner || p->out <= knows + slack) return;
    p->raised = p->out;
    buf_init(&entry, 64);
    put_entry(&entry, p, false);
    member_send(p->owner, message_of(ps->room->all, 1, &entry));
    buf_deinit(&entry);
}

static bool is_too_soon(const struct presence *ps, const struct person *p, uint64_t now_ms) {
    return ps->n_states > BIG_CROWD && p->state && !p->is_hidden && p->sent_ms && now_ms < p->sent_ms + BIG_CROWD_MS;
}

/* Write a person's news; peers see it at the end of this turn. */
static void put_news(struct presence *ps, struct person *p, struct buf *entries) {
    bool is_here = p->state && !p->is_hidden;

    if (is_here) {
        p->out = p->clock > p->out + 1 ? p->clock : p->out + 1;
        raise_owner(ps, p, 0);
    }
    p->sent_ms = now_of(ps->room);
    put_entry(entries, p, is_here);
}

static void tick(struct presence *ps) {
    struct room *r = ps->room;
    uint64_t now_ms = now_of(r);
    struct person *p = ps->dirty, *next;
    struct buf entries;
    uint32_t n = 0;

    ps->ticked_ms = now_ms;
    ps->dirty = NULL;
    buf_init(&entries, LIMIT_SYNC_MESSAGE);
    for (; p; p = next) {
        next = p->next_dirty;
        p->is_dirty = false;
        if (r->n_members == (p->owner ? 1 : 0)) continue;       /* nobody else is here */
        if (is_too_soon(ps, p, now_ms) || entries.len > LIMIT_SYNC_MESSAGE / 2) {
            mark(ps, p);
            continue;
        }
        put_news(ps, p, &entries);
        n++;
    }
    if (n) fanout_message(r, message_of(r->all, n, &entries), NULL, TO_ALL_AWAKE);
    r->all->stats.presence += n;
    buf_deinit(&entries);
}

void presence_flush(struct rooms *all) {
    struct presence *ps = all->presence_due, *next;

    all->presence_due = NULL;
    for (; ps; ps = next) {
        next = ps->next_due;
        ps->is_due = false;
        tick(ps);
    }
}

/* ---- telling a joiner ----------------------------------------------------------------------- */

/* The others as they are. Each is raised by one: the joiner may remember it at the same clock, gone.
 * Their owners may lag behind by that, but never by AHEAD, or peers would not accept them after a
 * restart of ours. */
void presence_snapshot(struct member *m) {
    struct presence *ps = m->room->presence;
    struct person *p;
    struct buf entries;
    uint32_t n = 0;

    if (!ps || m->channel == CHANNEL_SILENT) return;
    buf_init(&entries, LIMIT_SYNC_MESSAGE);
    each_person(ps, p) {
        if (!p->state || p->is_hidden || p == m->person || entries.len > LIMIT_SYNC_MESSAGE / 2) continue;
        p->out++;
        raise_owner(ps, p, AHEAD / 2);
        put_entry(&entries, p, true);
        n++;
    }
    if (n) member_send(m, message_of(m->room->all, n, &entries));
    buf_deinit(&entries);
}

static void told_forget(struct member *m) {
    for (struct told *t = m->room->all->told_first; t && m->is_to_tell; t = t->next)
        if (t->member == m) t->member = NULL, m->is_to_tell = false;
}

void presence_tell(struct member *m) {
    if (m->was_told) return;
    m->was_told = true;
    told_forget(m);
    presence_snapshot(m);
}

static void on_tell(struct loop_timer *timer, uint64_t now_ms) {
    struct rooms *all = (struct rooms *)(void *)((char *)timer - offsetof(struct rooms, told_timer));

    while (all->told_first && (!all->told_first->member || all->told_first->due_ms <= now_ms)) {
        struct told *t = all->told_first;
        all->told_first = t->next;
        if (!all->told_first) all->told_last = NULL;
        if (t->member) {
            t->member->is_to_tell = false;
            presence_tell(t->member);
        }
        free(t);
    }
    if (all->told_first) loop_timer_set(all->config.loop, timer, all->told_first->due_ms);
}

void presence_tell_later(struct member *m) {
    struct rooms *all = m->room->all;
    struct told *t;

    if (m->was_told || m->is_to_tell || m->channel == CHANNEL_SILENT) return;
    t = calloc(1, sizeof *t);
    must(t);
    *t = (struct told){ .member = m, .due_ms = rooms_now_ms(all) + TELL_MS };
    m->is_to_tell = true;
    if (all->told_first) all->told_last->next = t;
    else all->told_first = t;
    all->told_last = t;
    all->told_timer.on_timer = on_tell;
    if (!all->told_timer.place) loop_timer_set(all->config.loop, &all->told_timer, t->due_ms);
}

/* ---- claims (S1) ---------------------------------------------------------------------------- */

static bool is_same_user(const struct principal *a, const struct principal *b) {
    return a->named && b->named && strcmp(a->user, b->user) == 0;
}

/* The same person has one colour in a room; else the lowest that fewest people have. */
static uint8_t choose_color(struct presence *ps, const struct principal *who) {
    uint32_t used[COLORS] = { 0 };
    struct person *p;
    uint8_t best = 0;

    each_person(ps, p) {
        if (is_same_user(p->who, who)) return p->color;
        if (p->owner) used[p->color]++;
    }
    for (uint8_t i = 1; i < COLORS; i++)
        if (used[i] < used[best]) best = i;
    return best;
}

static bool may_claim(struct member *m, const struct person *p, const struct awareness_entry *e) {
    if (!e->state.len) return false;
    if (!p) return true;
    if (m->was_told && p->state && e->clock <= p->out) return false;   /* we told it so */
    if (is_same_user(p->who, m->who)) return true;
    return !p->owner && !p->who->named;
}

static struct person *claim(struct member *m, struct person *p, const struct awareness_entry *e) {
    struct presence *ps = presence_of(m->room);

    if (!p) {
        p = calloc(1, sizeof *p);
        must(p);
        *p = (struct person){ .client = e->client, .out = e->clock + AHEAD - 1, .who = principal_ref(m->who),
                              .color = choose_color(ps, m->who) };
        map_put(&ps->people, key_of(&p->client), p);
    } else {
        if (p->owner) p->owner->person = NULL;
        principal_ref(m->who);
        principal_unref(p->who);
        p->who = m->who;
    }
    p->owner = m;
    p->clock = p->raised = 0;
    p->is_hidden = false;
    m->person = p;
    return p;
}

/* ---- what owners say ------------------------------------------------------------------------ */

static bool stamp(struct person *p, struct slice state, struct buf *out) {
    struct awareness_identity id = {
        .user = p->who->user, .name = p->who->named ? p->who->name : NULL,
        .color = colors[p->color], .color_light = colors_light[p->color], .color_index = p->color,
    };
    return awareness_stamp(state, &id, out) == E_OK;
}

static void speak(struct member *m, struct person *p, const struct awareness_entry *e) {
    struct presence *ps = m->room->presence;
    uint64_t now_ms = now_of(m->room);
    struct buf state;

    p->clock = e->clock;
    p->spoke_ms = now_ms;
    if (!e->state.len) {
        if (!p->state) return;
        set_state(ps, p, NULL);
        mark(ps, p);
        return;
    }
    buf_init(&state, STATE_MAX);
    if (!stamp(p, e->state, &state)) {
        buf_deinit(&state);
        return;
    }
    bool same = p->state && slice_eq(frame_slice(p->state), buf_view(&state));
    if (!same) {
        set_state(ps, p, frame_copy(buf_view(&state)));
        m->outlet->active_ms = now_ms;
    }
    buf_deinit(&state);
    if (!same || p->is_hidden || !p->sent_ms || now_ms >= p->sent_ms + SAME_MS) mark(ps, p);
    p->is_hidden = false;
}

static void take_entry(struct member *m, const struct awareness_entry *e) {
    struct presence *ps = presence_of(m->room);
    struct person *p = map_get(&ps->people, key_of(&e->client));

    if (m->person) {
        bool is_news = m->person == p && (e->clock > p->clock || (e->clock == p->clock && !e->state.len));
        if (is_news) speak(m, p, e);
    } else if (may_claim(m, p, e)) {
        speak(m, claim(m, p, e), e);
    }
}

int presence_update(struct member *m, struct slice update) {
    struct awareness_entry e;
    struct reader r;

    if (awareness_check(update) != E_OK) return E_INVALID;
    if (m->channel == CHANNEL_SILENT) return E_OK;
    uint64_t left = awareness_begin(update, &r);
    while (awareness_next(&r, &left, &e))
        if (e.clock < (UINT64_C(1) << 50)) take_entry(m, &e);   /* out must be able to grow */
    return E_OK;
}

/* ---- coming and going ----------------------------------------------------------------------- */

static void on_purge(struct loop_timer *timer, uint64_t now_ms) {
    struct presence *ps = (struct presence *)(void *)((char *)timer - offsetof(struct presence, purge_timer));
    uint64_t next_ms = UINT64_MAX;

    for (size_t i = 0; i < ps->people.cap; i++) {
        struct person *p = ps->people.entries[i].value;
        if (!p || p->owner || p->is_dirty) continue;
        if (now_ms >= p->closed_ms + KEPT_MS) person_free(ps, p), i = (size_t)-1;   /* entries moved */
        else if (p->closed_ms + KEPT_MS < next_ms) next_ms = p->closed_ms + KEPT_MS;
    }
    if (next_ms != UINT64_MAX) loop_timer_set(ps->room->all->config.loop, timer, next_ms);
}

void presence_leave(struct member *m) {
    struct presence *ps = m->room->presence;
    struct person *p = m->person;

    told_forget(m);
    if (!p) return;
    p->owner = NULL;
    m->person = NULL;
    p->closed_ms = now_of(m->room);
    if (p->state) {
        set_state(ps, p, NULL);
        if (!p->is_hidden) mark(ps, p);
    }
    ps->purge_timer.on_timer = on_purge;
    if (!ps->purge_timer.place)
        loop_timer_set(m->room->all->config.loop, &ps->purge_timer, p->closed_ms + KEPT_MS);
}

void member_hide(struct member *m) {
    struct person *p = m->person;

    if (!p || !p->state || p->is_hidden) return;
    p->is_hidden = true;
    mark(m->room->presence, p);
}

void member_heard(struct member *m) {
    struct person *p = m->person;

    if (!p || !p->is_hidden) return;
    p->is_hidden = false;
    if (p->state) mark(m->room->presence, p);
}

void member_renew(struct member *m, uint64_t now_ms) {
    struct person *p = m->person;

    if (!p || !p->state || p->is_hidden) return;
    if (now_ms < p->spoke_ms + RENEW_MS || now_ms < p->sent_ms + RENEW_MS) return;
    mark(m->room->presence, p);
}

void presence_free(struct room *r) {
    struct presence *ps = r->presence, **at = &r->all->presence_due;

    if (!ps) return;
    while (ps->is_due && *at != ps) at = &(*at)->next_due;
    if (ps->is_due) *at = ps->next_due;
    loop_timer_clear(r->all->config.loop, &ps->tick_timer);
    loop_timer_clear(r->all->config.loop, &ps->purge_timer);
    for (size_t i = 0; i < ps->people.cap; i++) {
        struct person *p = ps->people.entries[i].value;
        if (p) person_free(ps, p), i = (size_t)-1;
    }
    map_deinit(&ps->people);
    free(ps);
    r->presence = NULL;
}

void presence_free_told(struct rooms *all) {
    while (all->told_first) {
        struct told *t = all->told_first;
        all->told_first = t->next;
        free(t);
    }
    all->told_last = NULL;
}
