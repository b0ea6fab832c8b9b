/* outlet.c -- one connection's output: an ordered list of segments, written with one call. Reactor.
 *
 *   segments   [ own frame ][ log 120..480 ][ own frame ]      explicit, oldest first
 *   then       for each member: its cursor .. the end of its room's log
 *
 * While the socket takes everything there are no segments at rest: an idle connection has none. */
#include <stdlib.h>

#include "base/must.h"
#include "room/outlet_int.h"

#define PARTS 64            /* iovecs of one write */
#define READ_AGAIN_BYTES (LIMIT_QUEUE_BYTES / 2)

static struct fanout_log *log_of(const struct member *m) { return &m->room->logs[m->channel]; }

static bool has_log(const struct member *m) { return m->channel < CHANNEL_LOGS; }

void outlet_init(struct outlet *o, struct rooms *all, struct conn *c, const struct outlet_handler *h) {
    *o = (struct outlet){ .conn = c, .all = all, .handler = h, .sent_ms = rooms_now_ms(all) };
}

static void unlink_dirty(struct outlet *o) {
    struct outlet **at = &o->all->dirty_outlets;

    if (!o->is_dirty) return;
    while (*at != o) at = &(*at)->next_dirty;
    *at = o->next_dirty;
    o->is_dirty = false;
}

static void unlink_waiting(struct outlet *o) {
    struct outlet **at = &o->all->waiting;

    if (!o->is_waiting) return;
    while (*at != o) at = &(*at)->next_waiting;
    *at = o->next_waiting;
    o->is_waiting = false;
}

void outlet_deinit(struct outlet *o) {
    while (o->members) room_leave(o->members);
    unlink_dirty(o);
    unlink_waiting(o);
    for (uint32_t i = o->first; i < o->n; i++)
        if (!o->segments[i].member) frame_unref(o->segments[i].u.own.frame);
    free(o->segments);
    o->segments = NULL;
    o->conn = NULL;
}

/* ---- putting -------------------------------------------------------------------------------- */

static void push(struct outlet *o, struct segment s) {
    if (o->n == o->cap) {
        if (o->first > o->n / 2) {
            memmove(o->segments, o->segments + o->first, (o->n - o->first) * sizeof s);
            o->n -= o->first;
            o->first = 0;
        } else {
            o->cap = o->cap ? o->cap * 2 : 4;
            o->segments = realloc(o->segments, o->cap * sizeof s);
            must(o->segments);
        }
    }
    o->segments[o->n++] = s;
}

void outlet_push_log(struct outlet *o, struct member *m, uint64_t from, uint64_t to) {
    struct segment s = { .member = m };

    must(from < to);
    s.u.log.start = s.u.log.at = from;
    s.u.log.end = to;
    push(o, s);
}

void outlet_mark_dirty(struct outlet *o) {
    if (o->is_dirty || !o->conn) return;
    o->is_dirty = true;
    o->next_dirty = o->all->dirty_outlets;
    o->all->dirty_outlets = o;
}

/* What the member has in its room's log comes before what follows now. */
static void push_range(struct outlet *o, struct member *m) {
    if (!has_log(m) || m->is_behind) return;
    uint64_t end = fanout_end(log_of(m));
    if (m->cursor == end) return;
    outlet_push_log(o, m, m->cursor, end);
    m->cursor = end;
}

void outlet_put_frame(struct outlet *o, struct member *m, struct frame *f) {
    struct segment s = { .member = NULL };

    if (m) push_range(o, m);
    s.u.own.frame = f;
    push(o, s);
    o->own_bytes += f->len;
    o->sent_ms = rooms_now_ms(o->all);
    outlet_mark_dirty(o);
}

void outlet_put_counted(struct outlet *o, struct member *m, struct frame *f) {
    outlet_put_frame(o, m, f);
    if (o->is_blocked && o->own_bytes > LIMIT_QUEUE_BYTES) {    /* F-2 for those without a log */
        if (!m->is_lean) m->room->n_slow++;
        m->is_lean = m->is_behind = true;
    }
}

void outlet_put(struct outlet *o, enum ws_opcode opcode, struct slice message) {
    struct buf *framed = &o->all->framed;
    struct slice small;

    buf_reset(framed);
    if (o->deflate && ws_deflate_message(o->all->codec, message, &small)) ws_put(framed, opcode, small, true);
    else ws_put(framed, opcode, message, false);
    must(!framed->bad);
    outlet_put_frame(o, NULL, frame_copy(buf_view(framed)));
}

void outlet_put_raw(struct outlet *o, struct slice frames) {
    uint64_t sent_ms = o->sent_ms;      /* pings and closes are no message to a client's watchdog */

    outlet_put_frame(o, NULL, frame_copy(frames));
    o->sent_ms = sent_ms;
}

/* ---- writing -------------------------------------------------------------------------------- */

static struct iovec part_of(const struct segment *s) {
    if (!s->member)
        return (struct iovec){ s->u.own.frame->bytes + s->u.own.at, s->u.own.frame->len - s->u.own.at };
    struct fanout_log *l = log_of(s->member);
    return (struct iovec){ l->at + (s->u.log.at - l->base), (size_t)(s->u.log.end - s->u.log.at) };
}

/* Bytes of the server's frame that begins here. */
static uint64_t frame_len(const uint8_t *head) {
    uint64_t len = head[1] & 0x7f;

    if (len == 126) return 4 + ((uint64_t)head[2] << 8 | head[3]);
    if (len < 126) return 2 + len;
    len = 0;
    for (int i = 2; i < 10; i++) len = len << 8 | head[i];
    return 10 + len;
}

/* F-1: move `start` to the beginning of the frame that `at` is in. */
static void find_boundary(struct segment *s) {
    struct fanout_log *l = log_of(s->member);

    for (;;) {
        uint64_t len = frame_len(l->at + (s->u.log.start - l->base));
        if (s->u.log.start + len > s->u.log.at) return;
        s->u.log.start += len;
        if (s->u.log.start == s->u.log.end) return;
    }
}

/* So many bytes of the segments are in the kernel. */
static void consume(struct outlet *o, size_t took) {
    while (took || (o->first < o->n && part_of(&o->segments[o->first]).iov_len == 0)) {
        struct segment *s = &o->segments[o->first];
        size_t len = part_of(s).iov_len, use = took < len ? took : len;
        took -= use;
        if (!s->member) {
            s->u.own.at += (uint32_t)use;
            o->own_bytes -= use;
        } else {
            s->u.log.at += use;
            if (use < len) find_boundary(s);
        }
        if (use < len) return;
        if (!s->member) frame_unref(s->u.own.frame);
        o->first++;
    }
}

static bool write_some(struct outlet *o) {
    struct iovec parts[PARTS];
    int n = 0;
    size_t want = 0;

    for (uint32_t i = o->first; i < o->n && n < PARTS; i++) {
        parts[n] = part_of(&o->segments[i]);
        want += parts[n++].iov_len;
    }
    ssize_t took = conn_write(o->conn, parts, n);
    if (took < 0) return false;
    consume(o, (size_t)took);
    o->is_blocked = (size_t)took < want;
    return !o->is_blocked;
}

static void is_dry(struct outlet *o) {
    free(o->segments);
    o->segments = NULL;
    o->first = o->n = o->cap = 0;
    for (struct member *m = o->members; m; m = m->next_of_outlet) fanout_is_dry(m);
    if (o->wants_empty && o->n == 0) o->handler->on_empty(o);
}

static void write_all(struct outlet *o) {
    if (!o->conn || o->is_blocked) return;
    for (struct member *m = o->members; m; m = m->next_of_outlet) {
        if (has_log(m) && !m->is_behind && m->cursor < fanout_end(log_of(m))) o->sent_ms = rooms_now_ms(o->all);
        push_range(o, m);
    }
    while (o->first < o->n)
        if (!write_some(o)) break;
    if (o->first == o->n) is_dry(o);
    if (o->is_waiting && o->own_bytes <= READ_AGAIN_BYTES) rooms_turn_again(o->all);
}

void outlet_write_dirty(struct rooms *all) {
    while (all->dirty_outlets) {        /* a member that was behind makes its outlet dirty again */
        struct outlet *o = all->dirty_outlets;
        all->dirty_outlets = o->next_dirty;
        o->is_dirty = false;
        write_all(o);
    }
}

void outlet_on_writable(struct outlet *o) {
    o->is_blocked = false;
    for (struct member *m = o->members; m; m = m->next_of_outlet) room_mark_dirty(m->room);    /* to trim */
    outlet_mark_dirty(o);
}

struct member *outlet_find(const struct outlet *o, struct slice wire_name) {
    for (struct member *m = o->members; m; m = m->next_of_outlet) {
        struct frame *name = m->channel == CHANNEL_NAMED ? m->more->wire_name : m->room->name;
        if (slice_eq(frame_slice(name), wire_name)) return m;
    }
    return NULL;
}

bool outlet_is_busy(struct outlet *o) {
    if (o->own_bytes <= LIMIT_QUEUE_BYTES) return false;
    outlet_wait(o);
    return true;
}

void outlet_wait(struct outlet *o) {
    if (o->is_waiting) return;
    o->is_waiting = true;
    o->next_waiting = o->all->waiting;
    o->all->waiting = o;
}

/* Those whose messages were not taken: what its members still hold first, then the session. */
void outlet_tell_waiting(struct rooms *all) {
    struct outlet *o, *next;

    if (journal_full(all->config.journal, LIMIT_JOURNAL_BYTES / 2)) return;
    o = all->waiting;
    all->waiting = NULL;
    for (; o; o = next) {
        next = o->next_waiting;
        o->is_waiting = false;
        if (o->own_bytes > READ_AGAIN_BYTES) {
            outlet_wait(o);
            continue;
        }
        if (members_replay(o)) o->handler->on_ready(o);
    }
}

/* ---- members that go, and slow ones --------------------------------------------------------- */

/* The rest of the frame that is half sent, as a frame of its own. */
static struct segment rest_of_frame(const struct segment *s) {
    struct fanout_log *l = log_of(s->member);
    uint64_t end = s->u.log.start + frame_len(l->at + (s->u.log.start - l->base));
    struct segment own = { .member = NULL };

    must(end > s->u.log.at && end <= s->u.log.end);
    own.u.own.frame = frame_copy((struct slice){ l->at + (s->u.log.at - l->base), (size_t)(end - s->u.log.at) });
    return own;
}

void outlet_forget(struct outlet *o, struct member *m) {
    uint32_t kept = o->first;

    for (uint32_t i = o->first; i < o->n; i++) {
        struct segment s = o->segments[i];
        if (s.member == m) {
            if (s.u.log.at == s.u.log.start || s.u.log.at == s.u.log.end) continue;
            s = rest_of_frame(&s);
            o->own_bytes += s.u.own.frame->len;
        }
        o->segments[kept++] = s;
    }
    o->n = kept;
}

size_t outlet_lag(const struct outlet *o, const struct member *m) {
    uint64_t lag = fanout_end(log_of(m)) - m->cursor;

    for (uint32_t i = o->first; i < o->n; i++)
        if (o->segments[i].member == m) lag += o->segments[i].u.log.end - o->segments[i].u.log.at;
    return (size_t)lag;
}

uint64_t outlet_first(const struct outlet *o, const struct member *m) {
    for (uint32_t i = o->first; i < o->n; i++)
        if (o->segments[i].member == m) return o->segments[i].u.log.start;
    return m->cursor;
}
