/* metrics.h -- /metrics and /ready (/health is with the REST routes: it tells of files and index). Reactor thread. */
#ifndef API_METRICS_H
#define API_METRICS_H

#include "api/http.h"
#include "base/metric.h"

struct health {
    struct metrics *metrics;
    /* Is something wrong that people should know (a full disk, ...)? A static sentence, or NULL. */
    const char *(*problem)(void *ctx);
    bool (*is_ready)(void *ctx);        /* the log is open, the index is complete */
    void *ctx;
};

/* /ready answers 503, with the problem where there is one, until the server can take edits. Both are public:
 * they name no person and no document. h outlives the http. */
void metrics_add_routes(struct http *http, struct health *h);

#endif
