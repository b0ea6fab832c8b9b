/* static.h -- the web app, compiled into the binary (tools/embed). Reactor thread. */
#ifndef API_STATIC_H
#define API_STATIC_H

#include "api/http.h"

struct static_file {            /* laid out by tools/embed: six machine words */
    const char *path;           /* "/assets/index-Bx1.js" */
    const uint8_t *at;
    uint64_t len;
    const uint8_t *gzip;        /* NULL: not smaller */
    uint64_t gzip_len;
    const char *etag;
};

/* Files by their path; every other path without a dot is a page of the app (index.html, with a
 * fresh nonce for its Content-Security-Policy); else 404. Add it after all other routes. */
void static_add_routes(struct http *h);

#endif
