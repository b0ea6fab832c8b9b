/* conn.h -- accepted TCP connections: slots, reading into one shared buffer, writing without copies.
 *
 * A connection is named by {slot, generation}: a name whose connection has closed finds nothing.
 * Whoever owns a connection gets its events through `struct conn_handler`; ownership can move once
 * (from the HTTP reader to a WebSocket session) by conn_set_handler. No buffer is held while idle. */
#ifndef IO_CONN_H
#define IO_CONN_H

#include <sys/uio.h>

#include "base/read.h"
#include "io/loop.h"

struct conn_id { uint32_t slot, generation; };

struct conn;

struct conn_handler {
    /* Bytes came. They are borrowed for this call and may be changed in place (unmasking). What the
     * owner needs later it copies. */
    void (*on_bytes)(void *owner, struct conn *c, uint8_t *at, size_t len);
    void (*on_writable)(void *owner, struct conn *c);       /* after conn_write wrote less than all */
    void (*on_close)(void *owner, struct conn *c);          /* the peer went, or an error; last call */
};

struct conn {                       /* 80 bytes, in a slab; read its fields, change them by functions */
    struct loop_source source;
    struct conn_id id;
    struct conns *all;
    const struct conn_handler *handler;
    void *owner;
    uint8_t address[16];            /* IPv6, or IPv4 mapped */
    uint32_t next;                  /* in the list it is in: free, closing or lingering */
    bool reading, wants_write, closing;
    bool finish;                    /* close gracefully */
};

struct conns;                       /* every connection of a reactor */

struct conns *conns_new(struct loop *loop, uint32_t max);
void conns_free(struct conns *all);                             /* closes them all, with on_close */

/* The next who waits; owned by nobody and not read until conn_set_handler. NULL: nobody waits, or
 * there is no slot or descriptor for it (then it was closed). */
struct conn *conns_accept(struct conns *all, int listen_fd);
struct conn *conns_adopt(struct conns *all, int fd);            /* a connected, non-blocking socket; NULL: no slot */
struct conn *conns_find(struct conns *all, struct conn_id id);  /* NULL: gone, or about to close */
uint32_t conns_count(const struct conns *all);                  /* open, those that still linger included */
struct loop *conns_loop(const struct conns *all);
/* Called when a connection is gone for good, after on_close, whoever owned it: for who counts them. */
void conns_on_release(struct conns *all, void (*on_release)(void *ctx, const struct conn *c), void *ctx);

/* The first call starts reading. */
void conn_set_handler(struct conn *c, const struct conn_handler *handler, void *owner);

/* Write now what the socket takes. Returns the bytes taken (0 when it is full; then on_writable
 * follows), or -1 when the connection is broken (on_close follows, not from inside this call). */
ssize_t conn_write(struct conn *c, const struct iovec *parts, int n);

void conn_pause(struct conn *c);            /* stop reading: back-pressure (A7) */
void conn_resume(struct conn *c);
void conn_close(struct conn *c);            /* at the end of this turn; on_close is called */

/* As conn_close, but what was written arrives: the socket is half-closed, and what still comes in is
 * dropped for at most a second (a reset would take the last answer from the peer). */
void conn_finish(struct conn *c);

#endif
