/* rooms.c -- all rooms of a reactor: opening through the reader, closing when empty, a turn's end.
 *
 *   room_open ──> LOADING ──(reader: room/loader.c)──> OPEN ──(empty for grace_ms, all settled)──> freed
 *                    ^                                   │
 *                    └───────── a commit failed ─────────┘
 *
 * R-1  A room is freed only without members, without entries in the journal, without submissions.
 * R-2  A load names its room by name and serial; what comes back for another serial is dropped. */
#include <stdlib.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/must.h"
#include "base/rand.h"
#include "room/outlet_int.h"
#include "room/rooms_int.h"
#include "wire/ws.h"

#define GRACE_MS 20000
#define READ_ONLY_POLL_MS 500
#define HASH_BYTES 32

uint64_t rooms_now_ms(const struct rooms *all) { return loop_now_ms(all->config.loop); }

static void on_again(struct loop_timer *timer, uint64_t now_ms) { (void)timer, (void)now_ms; }

void rooms_turn_again(struct rooms *all) {
    all->again_timer.on_timer = on_again;
    loop_timer_set(all->config.loop, &all->again_timer, rooms_now_ms(all));
}

/* ---- authors: who is skipped when an entry is published ------------------------------------- */

uint32_t author_take(struct rooms *all, struct member *m) {
    uint32_t i = all->free_author;

    if (i) {
        all->free_author = all->authors[i - 1].next_free;
    } else {
        if (all->n_authors == all->cap_authors) {
            all->cap_authors = all->cap_authors ? all->cap_authors * 2 : 64;
            all->authors = realloc(all->authors, all->cap_authors * sizeof *all->authors);
            must(all->authors);
        }
        i = ++all->n_authors;
    }
    all->authors[i - 1] = (struct author){ .member = m };
    return i;
}

/* A number is given to another member only when no entry names it any more. */
static void free_if_unused(struct rooms *all, uint32_t number) {
    struct author *a = &all->authors[number - 1];

    if (a->member || a->in_flight) return;
    a->next_free = all->free_author;
    all->free_author = number;
}

void author_leave(struct rooms *all, uint32_t number) {
    all->authors[number - 1].member = NULL;
    free_if_unused(all, number);
}

struct member *author_settle(struct rooms *all, uint32_t number) {
    struct author *a = &all->authors[number - 1];
    struct member *m = a->member;

    must(a->in_flight > 0);
    a->in_flight--;
    free_if_unused(all, number);
    return m;
}

/* ---- opening -------------------------------------------------------------------------------- */

static struct room *room_find(const struct rooms *all, struct slice name) { return map_get(&all->by_name, name); }

void room_mark_dirty(struct room *r) {
    if (r->is_dirty) return;
    r->is_dirty = true;
    r->next_dirty = r->all->dirty;
    r->all->dirty = r;
}

void room_load_later(struct room *r) {
    if (r->is_unloaded) return;
    r->is_unloaded = true;
    r->next_unloaded = r->all->unloaded;
    r->all->unloaded = r;
    rooms_turn_again(r->all);
}

static void room_free(struct room *r);
static void on_loaded(struct load *l);

static bool start_load(struct room *r) {
    struct load *l = load_new(r->name, ++r->all->serials);

    r->serial = l->serial;
    l->ctx = r->all;
    l->done = on_loaded;
    if (worker_submit(r->all->config.reader, &l->job)) return true;
    load_free(l);
    return false;
}

/* Rooms that wait for the reader: its ring was full, or their commit failed. */
static void load_unloaded(struct rooms *all) {
    struct room *r = all->unloaded, *next;

    all->unloaded = NULL;
    for (; r; r = next) {
        next = r->next_unloaded;
        r->is_unloaded = false;
        if (!start_load(r)) room_load_later(r);
    }
}

struct room *room_open(struct rooms *all, struct slice name) {
    struct room *r = room_find(all, name);

    if (r) return r;
    r = calloc(1, sizeof *r);
    must(r);
    *r = (struct room){ .all = all, .name = frame_copy(name), .state = ROOM_LOADING };
    map_put(&all->by_name, frame_slice(r->name), r);
    all->stats.rooms++;
    if (!start_load(r)) room_load_later(r);
    return r;
}

static void set_lineage(struct room *r, const char *lineage) {
    char drawn[33];

    if (!lineage[0]) {
        rand_hex(drawn, 16);
        lineage = drawn;
    }
    if (r->lineage) frame_unref(r->lineage);
    r->lineage = frame_copy((struct slice){ (const uint8_t *)lineage, 33 });
    r->lineage->len = 32;       /* the NUL stays behind it */
}

void room_draw_lineage(struct room *r) { set_lineage(r, ""); }

/* The relay from what was loaded. E_CORRUPT: the log holds what is no update, or has gaps. */
static int take_document(struct room *r, struct slice update) {
    struct weave_effect effect;

    r->relay = weave_relay_new(LIMIT_DOCUMENT_BYTES);
    if (update.len && weave_relay_apply(r->relay, weave_of(update), &effect) < 0) return E_CORRUPT;
    room_learn_ids(r);
    return E_OK;
}

int room_import(struct room *r, struct slice hash_and_update, struct entry e) {
    struct slice update = { hash_and_update.at + HASH_BYTES, hash_and_update.len - HASH_BYTES };

    must(hash_and_update.len >= HASH_BYTES);
    if (room_read_only(r) != E_OK) return room_read_only(r);
    if (!room_has_space(r, hash_and_update.len)) return E_OVERLOADED;
    int err = take_document(r, update);
    if (err != E_OK) return E_INVALID;
    e.kind = ROW_IMPORT;
    e.bytes = frame_copy(hash_and_update);
    room_append(r, e);
    return E_OK;
}

static int take_load(struct room *r, const struct load *l) {
    if (l->err != E_OK) return l->err;
    set_lineage(r, l->lineage);
    if (l->what != LOADED_IMPORT) return take_document(r, buf_view(&l->bytes));
    return room_import(r, buf_view(&l->bytes), (struct entry){ .cause = CAUSE_FILE });
}

static void opened(struct room *r) {
    struct member *next;
    bool again = r->version > 0;

    r->state = ROOM_OPEN;
    r->version++;
    room_run_queued(r);
    for (struct member *m = r->members; m; m = next) {
        next = m->next;
        if (again && m->is_joined) member_reloaded(m);
        member_loaded(m);
    }
    room_close_later(r);
}

static void failed(struct room *r, int err, const char *why) {
    if (r->relay) weave_relay_free(r->relay);
    r->relay = NULL;
    if (err != E_NOT_FOUND)
        log_warn("room.refused", "room=\"%.*s\" reason=\"%s\"", SLICE_ARG(frame_slice(r->name)), why);
    if (err == E_NOT_FOUND && room_create_queued(r)) {
        opened(r);
        return;
    }
    room_fail_queued(r, err);
    room_refuse_all(r, err, why);
    if (room_is_settled(r)) room_free(r);
}

/* A load came back. */
static void on_loaded(struct load *l) {
    struct rooms *all = l->ctx;
    struct room *r = room_find(all, frame_slice(l->name));

    if (r && r->state == ROOM_LOADING && r->serial == l->serial) {
        int err = take_load(r, l);
        if (err == E_OK) opened(r);
        else failed(r, err, l->why[0] ? l->why : err_text(err));
    }
    load_free(l);
}

/* ---- closing -------------------------------------------------------------------------------- */

static void unlink_dirty(struct room *r) {
    struct room **at = &r->all->dirty;

    while (r->is_dirty && *at != r) at = &(*at)->next_dirty;
    if (r->is_dirty) *at = r->next_dirty;
    at = &r->all->unloaded;
    while (r->is_unloaded && *at != r) at = &(*at)->next_unloaded;
    if (r->is_unloaded) *at = r->next_unloaded;
}

static void room_free(struct room *r) {
    struct rooms *all = r->all;

    must(!r->members && !r->queued_first && room_is_settled(r));
    loop_timer_clear(all->config.loop, &r->close_timer);
    loop_timer_clear(all->config.loop, &r->hold_timer);
    unlink_dirty(r);
    map_remove(&all->by_name, frame_slice(r->name));
    presence_free(r);
    fanout_deinit(r);
    waiter_drop(r, NULL);
    done_waiter_fail(r, E_OVERLOADED);
    if (r->relay) weave_relay_free(r->relay);
    if (r->saved) frame_unref(r->saved);
    if (r->lineage) frame_unref(r->lineage);
    frame_unref(r->name);
    free(r->own_ids);
    free(r);
    all->stats.rooms--;
}

static bool is_idle(const struct room *r) {
    return !r->members && !r->queued_first && r->state == ROOM_OPEN && room_is_settled(r);
}

static void on_close_due(struct loop_timer *timer, uint64_t now_ms) {
    struct room *r = (struct room *)(void *)((char *)timer - offsetof(struct room, close_timer));

    (void)now_ms;
    if (is_idle(r)) room_free(r);
}

void room_close_later(struct room *r) {
    uint64_t grace_ms = r->is_deleted ? 0 : r->all->config.grace_ms;

    if (!is_idle(r)) return;
    r->close_timer.on_timer = on_close_due;
    loop_timer_set(r->all->config.loop, &r->close_timer, rooms_now_ms(r->all) + grace_ms);
}

/* ---- nothing can be saved (A8: the disk is full) -------------------------------------------- */

static void tell_read_only(struct room *r, const char *why) {
    struct member *next;

    for (struct member *m = r->members; m; m = next) {
        next = m->next;
        m->outlet->handler->on_read_only(m->outlet, m, why);
        if (why[0] || !m->is_missing) continue;
        m->is_missing = false;
        if (m->acks) m->outlet->handler->on_lost(m->outlet);
        else if (r->state == ROOM_OPEN) member_ask(m);
    }
}

static void watch_read_only(struct rooms *all) {
    int now = all->config.read_only ? atomic_load_explicit(all->config.read_only, memory_order_acquire) : E_OK;

    if (now != E_OK) {
        all->read_only_timer.on_timer = on_again;
        loop_timer_set(all->config.loop, &all->read_only_timer, rooms_now_ms(all) + READ_ONLY_POLL_MS);
    }
    if (now == all->read_only) return;
    all->read_only = now;
    for (size_t i = 0; i < all->by_name.cap; i++)
        if (all->by_name.entries[i].key.at)
            tell_read_only(all->by_name.entries[i].value, now == E_OK ? "" : err_text(now));
}

/* ---- all of them ---------------------------------------------------------------------------- */

/* Members that joined a room which was open: told so at the end of their turn. */
static void on_joins(struct loop_task *task) {
    struct rooms *all = (struct rooms *)(void *)((char *)task - offsetof(struct rooms, joins_task));

    while (all->joins) {
        struct member *m = all->joins;
        all->joins = m->next_joining;
        m->next_joining = NULL;
        m->is_joining = false;
        if (m->room->state == ROOM_OPEN) member_loaded(m);
    }
}

void member_tell_joined(struct member *m) {
    struct rooms *all = m->room->all;

    m->is_joining = true;
    m->next_joining = all->joins;
    all->joins = m;
    loop_defer(all->config.loop, &all->joins_task);
}

void member_forget_joined(struct member *m) {
    struct member **at = &m->room->all->joins;

    if (!m->is_joining) return;
    while (*at != m) at = &(*at)->next_joining;
    *at = m->next_joining;
}

struct rooms *rooms_new(const struct rooms_config *config) {
    struct rooms *all = calloc(1, sizeof *all);

    must(all);
    all->config = *config;
    if (!all->config.grace_ms) all->config.grace_ms = GRACE_MS;
    map_init(&all->by_name);
    all->codec = ws_codec_new();
    all->joins_task.on_turn_end = on_joins;
    buf_init(&all->scratch, 4 * LIMIT_SYNC_MESSAGE);
    buf_init(&all->message, 4 * LIMIT_SYNC_MESSAGE);
    buf_init(&all->framed, 4 * LIMIT_SYNC_MESSAGE);
    config->journal->ctx = all;
    config->journal->publish = rooms_on_publish;
    config->journal->on_dropped = rooms_on_dropped;
    return all;
}

/* At exit: every connection has closed, the journal is published. */
void rooms_free(struct rooms *all) {
    for (size_t i = 0; i < all->by_name.cap; i++) {
        struct room *r = all->by_name.cap ? all->by_name.entries[i].value : NULL;
        if (!r) continue;
        room_fail_queued(r, E_OVERLOADED);
        room_refuse_all(r, E_OVERLOADED, "the server stops");
        r->settled = r->appended;
        room_free(r);
        i = (size_t)-1;             /* removing moved entries */
    }
    loop_timer_clear(all->config.loop, &all->told_timer);
    loop_timer_clear(all->config.loop, &all->again_timer);
    loop_timer_clear(all->config.loop, &all->read_only_timer);
    loop_defer_clear(all->config.loop, &all->joins_task);
    all->config.journal->publish = NULL;
    all->config.journal->on_dropped = NULL;
    presence_free_told(all);
    map_deinit(&all->by_name);
    ws_codec_free(all->codec);
    buf_deinit(&all->scratch);
    buf_deinit(&all->message);
    buf_deinit(&all->framed);
    free(all->authors);
    free(all);
}

/* Held structs of rooms that have grown; a room that grows again is looked at in the next turn. */
static void retry_pending(struct rooms *all) {
    for (struct room *r = all->dirty; r; r = r->next_dirty)
        if (r->has_grown && r->state == ROOM_OPEN) pending_retry(r);
}

/* A large message does not keep its memory for ever. */
static void shrink(struct buf *b) {
    size_t max = b->max;

    if (b->cap <= MIB(1)) return;
    buf_deinit(b);
    buf_init(b, max);
}

void rooms_flush(struct rooms *all) {
    watch_read_only(all);
    load_unloaded(all);
    outlet_tell_waiting(all);
    retry_pending(all);
    presence_flush(all);
    fanout_flush(all);
    shrink(&all->scratch);
    shrink(&all->message);
    shrink(&all->framed);
}

bool rooms_is_live(const struct rooms *all, struct slice room) { return room_find(all, room) != NULL; }

bool rooms_lineage(const struct rooms *all, struct slice room, char lineage[33]) {
    const struct room *r = room_find(all, room);

    if (!r || !r->lineage) return false;
    memcpy(lineage, r->lineage->bytes, 33);
    return true;
}

void rooms_stats(const struct rooms *all, struct rooms_stats *out) { *out = all->stats; }
