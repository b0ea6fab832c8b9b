/* fanout.c -- what a room says, encoded once, and how it reaches its members. Reactor thread.
 *
 *   room's log of a dialect      ... | frame | frame | frame |
 *                                        ^ cursor of a slow member   ^ end: cursor of the others
 *
 * A message becomes one WebSocket frame per dialect in use, appended to that dialect's byte log. A
 * member is a cursor; its turn is one write of everything from there to the end. Bytes are freed when
 * the last cursor has passed them. A member's own frames are left out by splitting its range. In a
 * crowded room a log is held up to HOLD_MS, so that many messages leave in one write; a quiet room
 * goes out at once.
 *
 * F-1  Every place a cursor or segment starts at is a frame boundary, but for the segment at the head
 *      of an outlet, which a partial write may have left inside a frame: `start` is that frame's.
 * F-2  Whoever lags by more than LIMIT_QUEUE_BYTES keeps only the frame it is in the middle of; when
 *      that is out, it gets the whole document (is_behind). At a quarter of that it gets no presence. */
#include <stdlib.h>

#include "base/must.h"
#include "room/outlet_int.h"
#include "wire/hocuspocus.h"

#define CROWD 50            /* members from which a log is held */
#define HOLD_MS 16
#define LEAN_BYTES (LIMIT_QUEUE_BYTES / 4)

/* ---- encoding ------------------------------------------------------------------------------- */

static void put_frame(struct buf *out, struct ws_codec *z, bool deflate, struct slice message) {
    struct slice small;

    if (deflate && ws_deflate_message(z, message, &small)) ws_put(out, WS_OP_BINARY, small, true);
    else ws_put(out, WS_OP_BINARY, message, false);
}

/* The message as this dialect has it, in all->message or as it came. */
static struct slice dress(struct rooms *all, struct slice name, bool with_name, struct slice y) {
    if (!with_name) return y;
    buf_reset(&all->message);
    hocuspocus_encode_name(&all->message, name);
    buf_slice(&all->message, y);
    must(!all->message.bad);
    return buf_view(&all->message);
}

struct slice member_wire_name(const struct member *m) {
    return frame_slice(m->channel == CHANNEL_NAMED ? m->more->wire_name : m->room->name);
}

struct frame *fanout_frame(struct member *m, struct slice y) {
    struct rooms *all = m->room->all;
    bool with_name = m->channel >= CHANNEL_MUX;
    struct slice message = dress(all, member_wire_name(m), with_name, y);

    buf_reset(&all->framed);
    put_frame(&all->framed, all->codec, m->outlet->deflate, message);
    must(!all->framed.bad);
    return frame_copy(buf_view(&all->framed));
}

/* ---- the log -------------------------------------------------------------------------------- */

void fanout_deinit(struct room *r) {
    for (int i = 0; i < CHANNEL_LOGS; i++) {
        free(r->logs[i].at);
        if (r->logs[i].full) frame_unref(r->logs[i].full);
    }
}

static struct fanout_log *log_of(const struct member *m) {
    return m->channel < CHANNEL_LOGS ? &m->room->logs[m->channel] : NULL;
}

void fanout_add(struct member *m) {
    struct fanout_log *l = log_of(m);

    if (!l) return;
    l->n_members++;
    m->cursor = fanout_end(l);
}

void fanout_remove(struct member *m) {
    struct fanout_log *l = log_of(m);

    outlet_forget(m->outlet, m);
    if (l) l->n_members--;
    room_mark_dirty(m->room);       /* so that its part of the log is freed */
}

static void append(struct fanout_log *l, struct slice frames) {
    if (l->len + frames.len > l->cap) {
        size_t cap = l->cap ? l->cap * 2 : 256;
        while (cap < l->len + frames.len) cap *= 2;
        l->at = realloc(l->at, cap);
        must(l->at);
        l->cap = cap;
    }
    memcpy(l->at + l->len, frames.at, frames.len);
    l->len += frames.len;
}

/* This member does not get the frame [from, end): what it has before becomes a segment. */
static void leave_out(struct member *m, uint64_t from) {
    struct fanout_log *l = log_of(m);

    if (m->cursor < from && !m->is_behind) {
        outlet_push_log(m->outlet, m, m->cursor, from);
        outlet_mark_dirty(m->outlet);       /* its cursor alone no longer tells */
    }
    m->cursor = fanout_end(l);
}

/* Lean members, and those that are behind, are few; a room without any is not walked. */
static void leave_out_slow(struct room *r, int channel, uint64_t from, enum audience to) {
    for (struct member *m = r->members; m && r->n_slow; m = m->next) {
        if (m->channel != channel) continue;
        if (m->is_behind) m->cursor = fanout_end(&r->logs[channel]);
        else if (m->is_lean && to == TO_ALL_AWAKE) leave_out(m, from);
    }
}

static void to_log(struct room *r, int channel, struct slice y, struct member *except, enum audience to) {
    struct fanout_log *l = &r->logs[channel];
    struct rooms *all = r->all;
    uint64_t from = fanout_end(l);
    struct slice message = dress(all, frame_slice(r->name), channel >= CHANNEL_MUX, y);

    buf_reset(&all->framed);
    put_frame(&all->framed, all->codec, channel & 1, message);
    must(!all->framed.bad);
    append(l, buf_view(&all->framed));
    if (except && except->channel == channel) leave_out(except, from);
    leave_out_slow(r, channel, from, to);
}

static void to_named(struct room *r, struct slice y, struct member *except, enum audience to) {
    for (struct member *m = r->members; m; m = m->next) {
        if (m->channel != CHANNEL_NAMED || m == except || m->is_behind) continue;
        if (m->is_lean && to == TO_ALL_AWAKE) continue;
        outlet_put_counted(m->outlet, m, fanout_frame(m, y));
    }
}

void fanout_message(struct room *r, struct slice y, struct member *except, enum audience to) {
    for (int i = 0; i < CHANNEL_LOGS; i++)
        if (r->logs[i].n_members > (except && except->channel == i ? 1u : 0u)) to_log(r, i, y, except, to);
    if (r->n_named) to_named(r, y, except, to);
    r->all->stats.deliveries += r->n_members - (except ? 1 : 0);
    room_mark_dirty(r);
}

/* ---- lagging (F-2) -------------------------------------------------------------------------- */

static void drop_cursor(struct member *m) {
    if (m->is_behind) return;
    m->is_behind = true;
    if (!m->is_lean) m->room->n_slow++;
    m->is_lean = true;
    outlet_forget(m->outlet, m);
    if (m->channel < CHANNEL_LOGS) m->cursor = fanout_end(log_of(m));
}

static void check_lag(struct member *m) {
    size_t lag = outlet_lag(m->outlet, m);

    if (m->is_behind || lag <= LEAN_BYTES) return;
    if (!m->is_lean) m->room->n_slow++;
    m->is_lean = true;
    if (lag > LIMIT_QUEUE_BYTES) drop_cursor(m);
}

/* ---- a turn's end --------------------------------------------------------------------------- */

static void on_hold_over(struct loop_timer *timer, uint64_t now_ms) {
    struct room *r = (struct room *)(void *)((char *)timer - offsetof(struct room, hold_timer));

    (void)now_ms;
    r->is_held = false;
    r->flushed_ms = 0;
}

/* Is this room's log kept a little longer? */
static bool is_held(struct room *r, uint64_t now_ms) {
    if (r->n_members <= CROWD || now_ms >= r->flushed_ms + HOLD_MS) return false;
    if (!r->is_held) {
        r->is_held = true;
        r->hold_timer.on_timer = on_hold_over;
        loop_timer_set(r->all->config.loop, &r->hold_timer, r->flushed_ms + HOLD_MS);
    }
    return true;
}

static void gather(struct room *r) {
    for (struct member *m = r->members; m; m = m->next) {
        struct fanout_log *l = log_of(m);
        if (!l || m->cursor == fanout_end(l)) continue;
        if (m->outlet->is_blocked) check_lag(m);
        else outlet_mark_dirty(m->outlet);
    }
}

/* Free what every cursor has passed. */
static void trim(struct fanout_log *l, uint64_t from) {
    must(from >= l->base && from <= fanout_end(l));
    if (from == fanout_end(l)) {
        free(l->at);
        *l = (struct fanout_log){ .base = from, .n_members = l->n_members, .full = l->full,
                                  .full_version = l->full_version };
    } else if (from - l->base > l->len / 2) {
        size_t drop = (size_t)(from - l->base);
        memmove(l->at, l->at + drop, l->len - drop);
        l->len -= drop;
        l->base = from;
    }
}

static void trim_room(struct room *r) {
    uint64_t from[CHANNEL_LOGS];

    for (int i = 0; i < CHANNEL_LOGS; i++) from[i] = fanout_end(&r->logs[i]);
    for (struct member *m = r->members; m; m = m->next) {
        if (m->channel >= CHANNEL_LOGS) continue;
        uint64_t first = outlet_first(m->outlet, m);
        if (first < from[m->channel]) from[m->channel] = first;
    }
    for (int i = 0; i < CHANNEL_LOGS; i++)
        if (r->logs[i].len) trim(&r->logs[i], from[i]);
}

void fanout_flush(struct rooms *all) {
    uint64_t now_ms = rooms_now_ms(all);
    struct room *r, *next, *held = NULL, *flushed = NULL;

    for (r = all->dirty; r; r = next) {
        next = r->next_dirty;
        bool hold = is_held(r, now_ms);
        r->next_dirty = hold ? held : flushed;
        if (hold) held = r;
        else flushed = r, r->flushed_ms = now_ms, gather(r);
    }
    all->dirty = held;
    outlet_write_dirty(all);
    for (r = flushed; r; r = next) {
        next = r->next_dirty;
        r->is_dirty = false;
        r->next_dirty = NULL;
        trim_room(r);
    }
}

void fanout_is_dry(struct member *m) {
    bool was_behind = m->is_behind, was_lean = m->is_lean;

    if (!was_lean) return;
    m->is_lean = m->is_behind = false;
    m->room->n_slow--;
    if (was_behind) member_resync(m);
    presence_snapshot(m);
}
