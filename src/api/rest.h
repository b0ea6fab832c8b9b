/* rest.h -- the REST API of the GNDP workspace (items 4.1 to 4.5 of its reference). Reactor thread.
 *
 *   GET     /api/atoms  /api/atoms/{id}  /api/modules[/{id}]  /api/phases[/{id}]  /api/phases/stats
 *           /api/journeys[/{id}]  /api/journeys/{id}/phases  /api/workflows[/{id}]
 *           /api/graph/full[.json]  /api/graph/type/{t}  /api/graph/module/{id}  /api/problems  /health
 *   POST    /api/atoms          DELETE  /api/atoms/{id}
 *
 * Reads come from index.db through the reader thread. Lists are made once a change, kept with their
 * ETag and gzip, and answered from memory.
 *
 *   P3  Whoever wrote something that the projector has not followed yet waits for it, at most a second,
 *       then 503 with Retry-After. Everybody else reads at once. */
#ifndef API_REST_H
#define API_REST_H

#include "api/http.h"
#include "io/loop.h"
#include "io/worker.h"
#include "projection/projector.h"
#include "room/journal.h"
#include "room/room.h"

#define REST_WAIT_MS 1000

struct rest;

struct rest_config {
    struct http *http;
    struct loop *loop;
    struct journal *journal;            /* its on_durable is taken */
    struct rooms *rooms;
    struct worker *reader;              /* its ctx is a struct sources (room/loader.h) */
    const struct projector_status *projector;
    const _Atomic int *read_only;       /* writer.read_only, or NULL */
};

/* Adds its routes, and a 404 for whatever else is below /api: other routes there come first. */
struct rest *rest_new(const struct rest_config *config);

/* From the projector's on_notice: what was kept is out of date, whoever waited may go on. */
void rest_notice(struct rest *r, const struct notice *n);

#endif
