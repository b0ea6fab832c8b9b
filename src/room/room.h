/* room.h -- rooms: one live document and the people in it. Reactor thread.
 *
 * Every change of a document enters through one function, room_submit (room_int.h), whoever makes
 * it: a member's socket (api/ws_*.c), the projector that noticed a changed file, a REST call. It
 * refuses first, then takes what is new into the relay, then appends that to the journal.
 *
 *   R1  One document, one room, one thread.
 *   R3  A refused submit changes nothing.      R4  An update received twice is published once.
 *   A2  What a live document answers leaves when everything it shows is durable.
 *   A8  A failed commit discards the room; it is loaded again and its members are asked again.
 *   D1  A client id of the reserved range that is not this room's own never enters it.
 *
 * A room is named by its canonical name (entity/kinds.h). It opens through the reader thread
 * (room/loader.c) and closes when it is empty, some time after its last member left. */
#ifndef ROOM_ROOM_H
#define ROOM_ROOM_H

#include "base/read.h"
#include "io/loop.h"
#include "io/worker.h"
#include "room/journal.h"
#include "room/principal.h"

struct rooms;                   /* all rooms of a reactor */
struct room;
struct frame;

struct rooms_config {
    struct journal *journal;    /* its ctx is the struct rooms, set by rooms_new with the callbacks */
    struct worker *reader;      /* its ctx is a struct sources (room/loader.h) */
    struct loop *loop;
    const _Atomic int *read_only;       /* writer.read_only: why nothing can be saved now; NULL: never */
    uint64_t grace_ms;          /* an empty room stays in memory that long; 0: the default, 20 s */
};

struct rooms *rooms_new(const struct rooms_config *config);
void rooms_free(struct rooms *all);

/* The end of a turn, after journal_seal and journal_publish: what waited is tried again, then every
 * member gets what came for it with one write. */
void rooms_flush(struct rooms *all);

/* ---- changes that do not come from a member ------------------------------------------------- */

/* Called once on the reactor: E_OK with the row's lsn when it is on disk (lsn 0: the update held
 * nothing new, and everything it repeats is on disk), or why not: E_NOT_FOUND, E_EXISTS, E_INVALID,
 * E_TOO_LARGE, E_REPLACED (another lineage), E_OVERLOADED (try again), E_FULL, E_IO. */
typedef void rooms_done(void *ctx, int err, uint64_t lsn);

struct submission {
    struct slice room;          /* canonical name; borrowed */
    struct slice bytes;         /* rooms_submit: a Yjs update. rooms_create: 32 bytes SHA-256 of the
                                   file, then the update of entity_import. Copied */
    enum row_cause cause;
    struct principal *who;      /* borrowed; NULL: the server itself */
    struct slice message_id;    /* the client's, or empty; copied */
    const char *lineage;        /* the lineage the update was built on, or NULL: whatever it is */
    rooms_done *done;           /* NULL: nobody waits */
    void *ctx;
};

/* Apply an update to a room's document, opening the room when it is closed. An update that waits for
 * something the document does not have is E_INVALID: such updates are built on what is durable.
 * The projector's file updates (CAUSE_FILE) come this way; it keeps at most one a room in flight (P6). */
void rooms_submit(struct rooms *all, const struct submission *s);

/* The first row (ROW_IMPORT) of an entity that does not exist yet, or was deleted. */
void rooms_create(struct rooms *all, const struct submission *s);

/* ROW_DELETE: when it is durable the members are refused with E_NOT_FOUND and the room closes. `bytes`
 * is not used. */
void rooms_delete(struct rooms *all, const struct submission *s);

/* ---- questions ------------------------------------------------------------------------------ */

bool rooms_is_live(const struct rooms *all, struct slice room);     /* is it in memory? */
bool rooms_lineage(const struct rooms *all, struct slice room, char lineage[33]);   /* false: not live */

struct rooms_stats {
    uint64_t rooms, members, updates, deliveries, presence, bytes_documents, bytes_queued;
    uint64_t latency_ns_sum, published;     /* from arrival to published */
};
void rooms_stats(const struct rooms *all, struct rooms_stats *out);

#endif
