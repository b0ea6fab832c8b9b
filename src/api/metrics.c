/* metrics.c -- what an operator's monitoring asks. */
#include "api/metrics.h"

#include "base/limits.h"

static void get_metrics(struct http *http, const struct request *r) {
    const struct health *h = r->ctx;
    struct buf b;

    buf_init(&b, KIB(256));
    metrics_write(h->metrics, &b);
    http_respond(http, r->ticket, &(struct response){
        .status = 200, .type = "text/plain; version=0.0.4; charset=utf-8", .body = buf_view(&b) });
    buf_deinit(&b);
}

static void get_ready(struct http *http, const struct request *r) {
    const struct health *h = r->ctx;

    const char *problem = h->problem ? h->problem(h->ctx) : NULL;

    if (problem || (h->is_ready && !h->is_ready(h->ctx)))
        http_respond_error(http, r->ticket, 503, problem ? problem : "not ready yet");
    else
        http_respond(http, r->ticket,
                     &(struct response){ .status = 200, .body = slice_of("{\"status\": \"ready\"}\n") });
}

void metrics_add_routes(struct http *http, struct health *h) {
    const struct route routes[] = {
        { METHOD_GET, "/metrics", ROLE_VIEWER, true, get_metrics, h },
        { METHOD_GET, "/ready", ROLE_VIEWER, true, get_ready, h },
    };
    for (size_t i = 0; i < sizeof routes / sizeof *routes; i++) http_add_route(http, routes[i]);
}
