/* pending.c -- structs that came before what they build on (A6). Reactor thread.
 *
 * They are held with their sender, never journaled, relayed or acknowledged. The sender is asked once
 * for what is missing: a sync step 1, and for the same gap not again within ASK_AGAIN_MS, since a
 * client may itself hold what it cannot integrate. When the room has grown they are tried again. */
#include <stdlib.h>

#include "base/err.h"
#include "base/must.h"
#include "room/rooms_int.h"

#define ASK_AGAIN_MS 30000
#define N(array) (sizeof(array) / sizeof *(array))

struct member_more *member_more(struct member *m) {
    if (!m->more) {
        m->more = calloc(1, sizeof *m->more);
        must(m->more);
    }
    return m->more;
}

static void forget_updates(struct member *m) {
    struct pending *p = &m->more->pending;

    for (uint32_t i = 0; i < p->n; i++) frame_unref(p->updates[i]);
    if (p->n) m->room->n_pending--;
    p->n = 0;
    p->bytes = 0;
}

void member_more_free(struct member *m) {
    struct member_more *more = m->more;

    if (!more) return;
    forget_updates(m);
    while (more->held_first) {
        struct held *h = more->held_first;
        more->held_first = h->next;
        free(h);
    }
    if (more->wire_name) frame_unref(more->wire_name);
    free(more);
    m->more = NULL;
}

void pending_forget(struct member *m) {
    forget_updates(m);
    m->more->pending.owed = m->more->owed_early = 0;
    m->more->expected = m->more->expected_ack = 0;
    memset(m->more->asked, 0, sizeof m->more->asked);
    member_more_trim(m);
}

/* A gap that was asked for keeps the struct alive for as long as it is remembered. */
static bool remembers_gap(const struct member *m) {
    uint64_t now_ms = rooms_now_ms(m->room->all);

    for (size_t i = 0; i < N(m->more->asked); i++)
        if (m->more->asked[i].at_ms && now_ms < m->more->asked[i].at_ms + ASK_AGAIN_MS) return true;
    return false;
}

void member_more_trim(struct member *m) {
    struct member_more *more = m->more;

    if (!more || more->pending.n || more->pending.owed || more->held_first || more->wire_name) return;
    if (more->owed_early || more->expected || remembers_gap(m)) return;
    free(more);
    m->more = NULL;
}

/* FNV-1a over the pairs; they come sorted. */
static uint64_t hash_of(const struct weave_effect *e) {
    uint64_t h = 0xcbf29ce484222325u;

    for (size_t i = 0; i < e->n_missing; i++) {
        h = (h ^ e->missing[i].client) * 0x100000001b3u;
        h = (h ^ e->missing[i].clock) * 0x100000001b3u;
    }
    return h ? h : 1;
}

/* May we ask for this gap now? Remembers that we did. */
static bool may_ask(struct member *m, uint64_t hash) {
    struct asked_gap *asked = m->more->asked, *oldest = &asked[0];
    uint64_t now_ms = rooms_now_ms(m->room->all);

    for (size_t i = 0; i < N(m->more->asked); i++) {
        if (asked[i].hash == hash && asked[i].at_ms && now_ms < asked[i].at_ms + ASK_AGAIN_MS) return false;
        if (asked[i].at_ms < oldest->at_ms) oldest = &asked[i];
    }
    *oldest = (struct asked_gap){ .hash = hash, .at_ms = now_ms ? now_ms : 1 };
    return true;
}

/* Hold what could not be integrated, and ask for what is missing. `owed`: the acknowledgement that its
 * sender gets when it is durable. Past the limits all of it is given up: whoever has it sends it again
 * in its answer. */
int pending_add(struct member *m, const struct weave_effect *effect, uint32_t owed) {
    struct pending *p = &member_more(m)->pending;
    struct slice bytes = slice_from(effect->pending);

    p->owed += owed;
    if (p->n == LIMIT_PENDING_UPDATES || bytes.len > LIMIT_PENDING_BYTES - p->bytes) forget_updates(m);
    if (bytes.len <= LIMIT_PENDING_BYTES) {
        if (p->n == 0) m->room->n_pending++;
        p->updates[p->n++] = frame_copy(bytes);
        p->bytes += bytes.len;
    }
    if (may_ask(m, hash_of(effect))) member_ask(m);
    return E_OK;
}

/* All that a member holds as one update, in all->scratch; false: too large to be one. */
static bool merge(struct member *m, struct buf *out) {
    struct weave_bytes updates[LIMIT_PENDING_UPDATES];
    struct pending *p = &m->more->pending;

    for (uint32_t i = 0; i < p->n; i++) updates[i] = weave_of(frame_slice(p->updates[i]));
    buf_reset(out);
    return weave_update_merge(updates, p->n, sink_into(out)) == 0 && !out->bad;
}

static void retry(struct member *m) {
    struct buf merged;

    buf_init(&merged, 2 * LIMIT_PENDING_BYTES);
    if (merge(m, &merged)) {
        uint32_t owed = m->more->pending.owed;
        forget_updates(m);
        m->more->pending.owed = 0;
        member_take(m, buf_view(&merged), owed, true);
    }
    buf_deinit(&merged);
    member_more_trim(m);
}

void pending_retry(struct room *r) {
    struct member *next;

    r->has_grown = false;
    for (struct member *m = r->members; m && r->n_pending; m = next) {
        next = m->next;
        if (!m->more || !m->more->pending.n || journal_full(r->all->config.journal, LIMIT_PENDING_BYTES)) continue;
        retry(m);
        rooms_turn_again(r->all);       /* so that it is handed to the writer */
    }
}
