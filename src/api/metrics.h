/* metrics.h -- /metrics, /health and /ready. Reactor thread. */
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

/* /health answers {"status":"ok"} while the process lives, with "problem" where there is one; /ready 503 until
 * it is ready. All public: they name no person and no document. h outlives the http. */
void metrics_add_routes(struct http *http, struct health *h);

#endif
