/* projector_int.h -- the projector from inside. Everything here runs on the projector's thread.
 *
 *   catalog.c    the cards: one a file; their rows in index.db
 *   scan.c       the walk at start, and one look at a file that no room knows
 *   replica.c    documents of rooms, least recently used out
 *   follow.c     rows of the log -> cards, replicas, versions, snapshots
 *   outside.c    a file that is not as we left it -> an update for its room (F2)
 *   writeback.c  a room that is ahead of its file -> the file (F1)
 *   projector.c  the turn, errands, notices */
#ifndef PROJECTION_PROJECTOR_INT_H
#define PROJECTION_PROJECTOR_INT_H

#include <weave.h>

#include "base/log.h"
#include "base/map.h"
#include "entity/export.h"
#include "projection/projector.h"
#include "projection/shape.h"
#include "weave/bridge.h"

enum flight { FLIGHT_NONE, FLIGHT_WROTE, FLIGHT_MERGE };

struct pending {                /* what waits for an errand's outcome */
    uint8_t hash[32];           /* of `bytes` */
    uint64_t lsn;               /* WROTE: the room's rows in it */
    uint64_t mtime_ns, size;    /* MERGE: of the file */
    struct buf bytes;           /* WROTE: the file as it will be. MERGE: the file as somebody left it */
    bool displaced;             /* MERGE: bytes come from a write's other side, they are not in the file */
};

/* A file, and the entity in it. A card with a room owns that room's name: no two have the same. */
struct card {
    char *path;                 /* NULL: the room is known, its file not (yet) */
    char *room;                 /* "atom:x"; NULL: broken or duplicate */
    enum kind kind;
    enum entity_state state;
    uint8_t hash[32];           /* of the file as last seen or written; zero: there was none */
    uint64_t mtime_ns, size;
    uint64_t lsn, file_lsn;     /* as in index.db */
    char *user;                 /* who made the last row; NULL unknown */
    char *by;                   /* GONE: who */
    uint64_t at_ms;             /* GONE: when */
    bool lost;                  /* the log says it was written, and it has not been seen since */
    bool unreadable;            /* has a room, but its file does not parse now: not written */
    bool touched;               /* in this batch: its row must be made again */
    bool exists;                /* its row is in index.db */
    uint32_t seen;              /* number of the scan that saw its file */

    bool busy;                  /* in p->busy: one of the following is set */
    uint64_t visit_ms;          /* look at the file then; 0: no need */
    uint64_t write_ms;          /* write the file then; 0: it is up to date */
    uint64_t first_edit_ms;     /* of the edits write_ms waits for */
    uint64_t absent_ms;         /* since when the file is not there; 0: it is */

    enum flight flight;
    struct pending *pending;
    struct replica *replica;
};

struct replica {
    struct weave *doc;
    struct card *card;
    struct replica *newer, *older;
};

struct projector {
    struct projector_config config;
    struct projector_status status;
    struct worker worker;
    struct wake { struct job job; bool waking; } wake;      /* reactor; one at a time */
    struct store *log;
    struct index *index;
    struct disk *disk;

    struct map by_path, by_room;        /* cards */
    struct card **busy;
    size_t n_busy, busy_cap;
    struct card **touched;
    size_t n_touched, touched_cap;
    struct buf compact;                 /* names of rooms whose tail grew, each ended by NUL */

    struct replica *newest, *oldest;
    size_t replica_bytes;

    uint64_t cursor;                    /* what the open transaction will say */
    bool scanned, rescan, woken;
    uint32_t scan;                      /* its number */
    uint64_t next_follow_ms, retry_ms;
    struct buf outcomes;                /* struct outcome, one behind the other */
    struct log_gate gate;
    const char *git_busy;               /* asked once a turn */
    bool git_asked;
    char *git_index;                    /* .git/index of the workspace; NULL: none */

    size_t n_flights;
    struct errand **errands;            /* leave after the commit */
    size_t n_errands, errands_cap;
    struct notice *notice;              /* being filled; NULL: nothing to say */

    struct shape shape;                 /* scratch */
    struct buf json, bytes;
    int watch_fd;
};

#define LIMIT_FLIGHTS 64        /* errands out at once: each may open a room */
#define RETRY_MS 1000
#define AGAIN_MS 50             /* somebody has the file open */

/* catalog.c */
struct card *card_at(struct projector *p, const char *path);
struct card *card_of_room(struct projector *p, struct slice room);
struct card *card_new(struct projector *p, enum kind kind, const char *path, struct slice room);
void card_free(struct projector *p, struct card *i);
void card_set_path(struct projector *p, struct card *i, const char *path);
void card_set_room(struct projector *p, struct card *i, struct slice room);     /* empty: none */
void card_visit(struct projector *p, struct card *i, uint64_t at_ms);
void card_write(struct projector *p, struct card *i, uint64_t at_ms);
bool card_has_file(const struct card *i);       /* its hash is known */
struct slice card_id(const struct card *i);

int catalog_load(struct projector *p);          /* from index.db */
void catalog_clear(struct projector *p);
int catalog_put(struct projector *p, struct card *i, struct slice raw);     /* raw: the entity's own JSON */
int catalog_touch(struct projector *p, struct card *i);     /* numbers and state; texts stay */
int catalog_gone(struct projector *p, struct card *i, const char *by, uint64_t at_ms);
int catalog_broken(struct projector *p, struct card *i, const struct entity_problem *why);
int catalog_problem(struct projector *p, const struct card *i, const char *source,
                    const struct entity_problem *why);
int catalog_clear_problem(struct projector *p, const struct card *i, const char *source);
void catalog_changed(struct projector *p, enum change_kind kind, const struct card *i);

/* scan.c */
int scan_workspace(struct projector *p);
int scan_file(struct projector *p, struct card *i);             /* a card without a room: index the file */
int file_absent(struct projector *p, struct card *i);           /* for DISK_ABSENT_MS: then it is gone */

/* replica.c: the room's document up to the cursor; NULL: it cannot be made (damaged, too large) */
struct weave *replica_of(struct projector *p, struct card *i);
void replica_drop(struct projector *p, struct card *i);
void replica_trim(struct projector *p);
int document_upto(struct projector *p, struct slice room, uint64_t upto, uint64_t client, struct weave **out);
uint64_t fresh_client(void);

/* follow.c */
int follow(struct projector *p, size_t rows_max, size_t *n);
int compact_rooms(struct projector *p);
void card_touch(struct projector *p, struct card *i);           /* make its row again, from its room */
void touch_unplaced(struct projector *p);                       /* after a scan: rooms without a file */

/* outside.c */
int visit(struct projector *p, struct card *i);
int on_displaced(void *projector, const char *path, struct slice bytes);
int merge_done(struct projector *p, struct card *i, int err, uint64_t lsn);

/* writeback.c */
int write_back(struct projector *p, struct card *i);
int wrote_done(struct projector *p, struct card *i, int err, uint64_t lsn);
int pause_for(struct projector *p, struct card *i, const char *why);

/* git.c */
char *git_index_path(const char *workspace);            /* NULL: not in a git tree; yours */
bool git_touched(const char *index, uint64_t mtime_ns); /* did git write its index right behind that? */

/* projector.c */
const char *git_busy(struct projector *p);
struct errand *errand_new(struct projector *p, enum errand_kind kind, const struct card *i);
void errand_send(struct projector *p, struct errand *e);
uint64_t now_ms(void);

#endif
