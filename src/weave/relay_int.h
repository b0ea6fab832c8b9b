/* relay_int.h -- what a relay holds. */
#ifndef WEAVE_RELAY_INT_H
#define WEAVE_RELAY_INT_H

#include "weave/plan_int.h"

struct relay_client {
    uint64_t client;
    struct client_log *log;
};

struct weave_relay {
    struct relay_client *clients;   /* descending */
    size_t n, cap;
    size_t bytes_max;
    size_t logs_memory;             /* of all logs */
    size_t encoded;                 /* bytes of structs, of all logs */
    size_t n_ranges;                /* of all delete sets */
    struct plan plan;               /* scratch, kept from call to call while small */
    struct update update;
    struct state have;
    struct buf ordered, effective, pending;
    struct buf deletions, state;    /* encoded, where the flags say so */
    bool has_deletions, has_state;
};

/* The client's log, or NULL. */
struct client_log *relay_find(const struct weave_relay *r, uint64_t client);

#endif
