/* http_int.h -- what http.c, http_answer.c, upgrade.c and listener.c share.
 *
 * An exchange is one HTTP connection: requests one after the other until it closes or becomes a
 * WebSocket, which frees it. Invariants:
 *   X1  A request is answered once; a second answer, or one for a request that is over, does nothing.
 *   X2  Nothing more is read while a request is being answered. */
#ifndef API_HTTP_INT_H
#define API_HTTP_INT_H

#include "api/listener.h"
#include "base/log.h"
#include "wire/http.h"

#define ROUTES_MAX 256

enum exchange_state { READ_HEAD, READ_BODY, ANSWERING, WRITING, OVER };

struct exchange {
    struct http *http;
    struct conn *conn;
    enum exchange_state state;
    uint32_t serial;
    bool is_running;            /* inside exchange_run: an answer does not start it again */
    bool is_head, keep_alive, takes_gzip, is_anonymous;
    size_t head_size;           /* of `in`: the request's head */
    struct buf in;              /* the head, then what followed it */
    struct buf body;
    struct buf out;
    size_t written;             /* of out */
    struct http_body body_parser;
    struct principal *who;      /* of this request, or NULL */
    char *if_none_match;        /* of this request, or NULL */
    char *cors_origin;          /* answer with CORS for it, or NULL */
    struct loop_timer timer;
};

#define CROWDS 4096             /* a power of two */

/* How many connections share an address or a user: counted by hash. Where a count reaches its limit the
 * seats are looked through, since two could share a counter. No string and no table entry a connection. */
struct seat { uint64_t address, user; };    /* keyed hashes; 0: not counted */

struct http {
    struct listener_config config;
    struct loop *loop;
    struct loop_source source;
    struct proxy { uint8_t address[16]; unsigned bits; } *proxies;
    size_t n_proxies;
    struct route routes[ROUTES_MAX];
    size_t n_routes;
    uint64_t seed[2];
    uint32_t addresses[CROWDS], users[CROWDS];
    struct seat *seats;         /* by slot */
    uint32_t n_seats;
    bool is_accepting;
    struct log_gate full_gate, request_gate;
};

extern const struct conn_handler exchange_handler;

void exchange_open(struct http *h, struct conn *c);
void exchange_free(struct exchange *x);
void exchange_end_request(struct exchange *x);          /* the answer is written */
void exchange_fail(struct exchange *x, int status, const char *detail);    /* answer, then close */
void exchange_written(struct exchange *x);              /* go on with what is waiting */

void answer(struct exchange *x, const struct response *r);
void answer_error(struct exchange *x, int status, const char *detail);
void answer_flush(struct exchange *x);                  /* write what the socket takes */

/* The request asks for a WebSocket on this path: 101 and session, or an error. */
void upgrade_run(struct exchange *x, const struct http_head *head, struct slice path);

void auth_request_of(const struct http_head *head, struct slice path_user, struct auth_request *out);

/* One more connection of this user? False: it has too many. */
bool http_seat_user(struct http *h, const struct conn *c, const struct principal *who);
/* The same for who is behind a trusted proxy; true where it names nobody. */
bool http_seat_forwarded(struct http *h, const struct conn *c, struct slice forwarded);
void http_address_text(const struct http *h, const struct conn *c, struct slice forwarded, char out[64]);

#endif
