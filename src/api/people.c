/* people.c -- what those who joined `workspace` are told: who is online, which entities changed. At
 * most once a second. Reactor thread. */
#include <stdio.h>
#include <stdlib.h>

#include "api/session_int.h"
#include "base/clock.h"
#include "base/must.h"

#define TELL_MS 1000
#define PEOPLE_MAX 1000

static const char *const colours[8] = {     /* as in room/presence.c */
    "#0462d3", "#bf4213", "#00736e", "#872d8e", "#4c701a", "#906106", "#4a2dad", "#c1195c",
};

/* ---- who is online -------------------------------------------------------------------------- */

static uint8_t lowest_free(const struct sessions *all) {
    uint8_t best = 0;

    for (uint8_t i = 1; i < 8; i++)
        if (all->colours[i] < all->colours[best]) best = i;
    return best;
}

/* Guests of other applications come by thousands; who is named or uses /ws/ is a person to others. */
void people_add(struct session *s) {
    struct sessions *all = s->all;

    if (!s->who->named && s->dialect == DIALECT_YJS) return;
    struct person_online *p = map_get(&all->online, slice_of(s->who->user));
    if (!p) {
        p = calloc(1, sizeof *p);
        must(p);
        *p = (struct person_online){ .who = principal_ref(s->who), .since_ms = clock_wall_ms(),
                                     .colour = lowest_free(all) };
        all->colours[p->colour]++;
        map_put(&all->online, slice_of(p->who->user), p);
    }
    s->person = p;
    s->next_person = p->first;
    p->first = s;
    people_changed(all);
}

static void person_free(struct sessions *all, struct person_online *p) {
    map_remove(&all->online, slice_of(p->who->user));
    all->colours[p->colour]--;
    principal_unref(p->who);
    free(p);
}

void people_remove(struct session *s) {
    struct person_online *p = s->person;

    if (!p) return;
    struct session **at = &p->first;
    while (*at != s) at = &(*at)->next_person;
    *at = s->next_person;
    if (!p->first) person_free(s->all, p);
    people_changed(s->all);
}

/* ---- telling -------------------------------------------------------------------------------- */

static void put_person(struct buf *out, const struct person_online *p) {
    struct gndp_person g = { .user = slice_of(p->who->user), .name = slice_of(p->who->name),
                             .colour = colours[p->colour], .since_ms = p->since_ms, .status = GNDP_AWAY };

    for (struct session *s = p->first; s; s = s->next_person) {
        if (s->status < g.status) g.status = s->status;
        const struct member *m = s->outlet.members;     /* the newest first */
        if (m && !g.room.len) g.room = (struct slice){ member_room(m)->bytes, member_room(m)->len };
    }
    gndp_encode_person(out, &g);
}

static void encode_people(struct sessions *all, struct buf *out) {
    uint32_t n = 0;

    buf_text(out, "{\"type\":\"workspace\",\"people\":[");
    for (size_t i = 0; i < all->online.cap && n < PEOPLE_MAX; i++) {
        if (!all->online.entries[i].key.at) continue;
        if (n++) buf_byte(out, ',');
        put_person(out, all->online.entries[i].value);
    }
    buf_text(out, "]}");
}

static void to_workspace(struct sessions *all, const struct buf *message) {
    if (message->bad) return;
    for (struct session *s = all->workspace; s; s = s->next_workspace)
        if (!s->is_closing) outlet_put(&s->outlet, WS_OP_TEXT, buf_view(message));
}

static void tell_entities(struct sessions *all, struct buf *message) {
    if (!all->entities.len) return;
    buf_text(message, "{\"type\":\"entities\",\"changed\":[");
    buf_slice(message, buf_view(&all->entities));
    buf_text(message, "]}");
    to_workspace(all, message);
    buf_reset(&all->entities);
}

static void on_tell(struct loop_timer *timer, uint64_t now_ms) {
    struct sessions *all = (struct sessions *)(void *)((char *)timer - offsetof(struct sessions, people_timer));
    struct buf message;

    all->people_told_ms = now_ms;
    buf_init(&message, MIB(4));
    tell_entities(all, &message);
    buf_reset(&message);
    if (all->people_changed && all->workspace) {
        encode_people(all, &message);
        to_workspace(all, &message);
    }
    all->people_changed = false;
    buf_deinit(&message);
}

static void tell_later(struct sessions *all) {
    uint64_t now_ms = loop_now_ms(all->config.loop), due_ms = all->people_told_ms + TELL_MS;

    if (all->people_timer.place || !all->workspace) return;
    all->people_timer.on_timer = on_tell;
    loop_timer_set(all->config.loop, &all->people_timer, due_ms > now_ms ? due_ms : now_ms);
}

void people_changed(struct sessions *all) {
    all->people_changed = true;
    tell_later(all);
}

void people_subscribe(struct session *s) {
    struct sessions *all = s->all;
    struct buf message;

    if (!s->is_workspace) {
        s->is_workspace = true;
        s->next_workspace = all->workspace;
        all->workspace = s;
    }
    buf_init(&message, MIB(4));
    encode_people(all, &message);
    if (!message.bad) outlet_put(&s->outlet, WS_OP_TEXT, buf_view(&message));
    buf_deinit(&message);
}

void people_unsubscribe(struct session *s) {
    struct session **at = &s->all->workspace;

    if (!s->is_workspace) return;
    s->is_workspace = false;
    while (*at != s) at = &(*at)->next_workspace;
    *at = s->next_workspace;
}

/* Is this one waiting to be told already? Few are; they are compared as text. */
static bool is_waiting(const struct sessions *all, struct slice one) {
    return all->entities.len >= one.len && memmem(all->entities.at, all->entities.len, one.at, one.len) != NULL;
}

void sessions_entities_changed(struct sessions *all, const struct entity_name *changed, size_t n) {
    struct buf one;

    if (!all->workspace) return;        /* whoever joins reads the lists */
    buf_init(&one, KIB(4));
    for (size_t i = 0; i < n; i++) {
        buf_reset(&one);
        buf_text(&one, "{\"kind\":");
        buf_json(&one, changed[i].kind);
        buf_text(&one, ",\"id\":");
        buf_json(&one, changed[i].id);
        buf_byte(&one, '}');
        if (one.bad || is_waiting(all, buf_view(&one))) continue;
        if (all->entities.len) buf_byte(&all->entities, ',');
        buf_slice(&all->entities, buf_view(&one));
    }
    buf_deinit(&one);
    tell_later(all);
}

void people_deinit(struct sessions *all) {
    loop_timer_clear(all->config.loop, &all->people_timer);
    map_deinit(&all->online);
    buf_deinit(&all->entities);
}
