/* metric.h -- counters and gauges for /metrics (Prometheus text format). A registry is passed around,
 * there is no global one. Each value is stored by one thread; anybody may read it. */
#ifndef BASE_METRIC_H
#define BASE_METRIC_H

#include <stdatomic.h>

#include "base/buf.h"

#define METRICS_MAX 128

struct metric { _Atomic uint64_t value; };

struct metrics {
    struct metric_row {
        const char *name, *help;    /* static strings; name with labels: covalent_x{kind="a"} */
        bool is_counter;
        struct metric *metric;
        uint64_t (*read)(void *ctx);    /* instead of metric; called on the reactor */
        void *ctx;
    } rows[METRICS_MAX];
    size_t n;
};

/* At start, before any other thread runs. Metric and strings outlive the registry. */
void metrics_add_counter(struct metrics *m, const char *name, const char *help, struct metric *metric);
void metrics_add_gauge(struct metrics *m, const char *name, const char *help, uint64_t (*read)(void *ctx), void *ctx);
void metrics_write(const struct metrics *m, struct buf *out);

static inline void metric_add(struct metric *m, uint64_t n) {
    atomic_fetch_add_explicit(&m->value, n, memory_order_relaxed);
}

#endif
