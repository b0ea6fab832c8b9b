/* listener.h -- the listening socket and what becomes of who connects: HTTP answers, WebSocket
 * sessions, or a refusal. Reactor thread. */
#ifndef API_LISTENER_H
#define API_LISTENER_H

#include "api/auth.h"
#include "api/http.h"
#include "api/session.h"

struct listener_config {
    struct conns *conns;                /* some 64 slots more than `connections`: those get a 503 */
    struct auth *auth;
    const char *listen;                 /* ADDRESS:PORT; port 0: any */
    const char *trusted_proxies;        /* addresses or CIDR, separated by commas */
    uint32_t connections, connections_per_address, connections_per_user;
    /* A checked WebSocket; the 101 is written. See session_open: who is transferred. */
    void (*on_upgrade)(void *ctx, struct conn *c, const struct upgrade *u);
    void *ctx;
};

/* NULL with a sentence in *why. Routes are added to what it returns before the loop turns. */
struct http *http_open(const struct listener_config *config, const char **why);
void http_close(struct http *h);        /* after conns_free */
void http_stop_accepting(struct http *h);
uint16_t http_port(const struct http *h);

#endif
