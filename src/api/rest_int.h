/* rest_int.h -- REST from inside.
 *
 *   rest.c           questions, answers kept, who waits for what (P3)
 *   routes_read.c    the GET routes
 *   routes_write.c   POST and DELETE of an atom
 *   new_atom.c       what a POST may say, and the file it becomes */
#ifndef API_REST_INT_H
#define API_REST_INT_H

#include "api/rest.h"
#include "base/map.h"
#include "projection/answers.h"
#include "room/loader.h"

enum ask {
    ASK_ATOMS, ASK_ALL, ASK_ONE, ASK_JOURNEY_PHASES, ASK_PHASE_STATS, ASK_PROBLEMS,
    ASK_GRAPH, ASK_GRAPH_TYPE, ASK_GRAPH_MODULE,
};

#define LIMIT_QUESTION 256          /* bytes of id or type; longer ones name nothing */

struct question {                   /* equal bytes are the same question: zeroed before it is filled */
    enum ask ask;
    enum kind kind;
    uint64_t limit, offset;
    bool summary_only;
    char text[LIMIT_QUESTION + 1];  /* id or type */
};

struct answer;

/* The wait is over: is the index as far as it must be? If not, answer 503. */
typedef void rest_go(struct rest *r, void *ctx, bool ready);

struct waiting {                    /* a request whose user's own writes are not in the index yet (P3) */
    rest_go *go;
    void *ctx;
    uint64_t lsn, until_ms;
    struct waiting *next;
};

struct mark {                       /* the last durable row of a user beyond the projector's cursor */
    uint64_t lsn;
    size_t len;
    uint8_t user[];
};

struct rest {
    struct rest_config config;
    uint64_t generation;            /* of what the index says: one more with each notice of a change */
    struct answer *answers;         /* being made, and kept; newest used first */
    size_t n_kept, kept_bytes;
    struct map marks;
    struct waiting *waiting;
    struct loop_timer timer;        /* of the oldest waiting */
};

void rest_ask(struct rest *r, const struct request *request, const struct question *q);
/* P3: calls `go` now, or when the index holds what this user wrote, or after REST_WAIT_MS without it. */
void rest_after_own_writes(struct rest *r, const struct principal *who, rest_go *go, void *ctx);
void rest_add_read_routes(struct rest *r);
void rest_add_write_routes(struct rest *r);

/* new_atom.c: reader thread or any; pure. */
struct field_error { char field[64]; char message[96]; char type[48]; };
#define LIMIT_FIELD_ERRORS 20

struct new_atom {
    char id[LIMIT_ID_BYTES + 1];
    struct buf json;                /* all keys in file order, defaults filled in */
    struct field_error errors[LIMIT_FIELD_ERRORS];
    size_t n_errors;
};

void new_atom_read(struct slice body, struct new_atom *out);    /* json is yours; n_errors > 0: refused */

#endif
