/* metric.c -- the registry and its text. */
#include "base/metric.h"

#include "base/must.h"

static void add(struct metrics *m, struct metric_row row) {
    must(m->n < METRICS_MAX);
    m->rows[m->n++] = row;
}

void metrics_add_counter(struct metrics *m, const char *name, const char *help,
                         struct metric *metric) {
    add(m, (struct metric_row){ .name = name, .help = help, .is_counter = true, .metric = metric });
}

void metrics_add_gauge(struct metrics *m, const char *name, const char *help,
                       uint64_t (*read)(void *ctx), void *ctx) {
    add(m, (struct metric_row){ .name = name, .help = help, .read = read, .ctx = ctx });
}

void metrics_write(const struct metrics *m, struct buf *out) {
    for (size_t i = 0; i < m->n; i++) {
        const struct metric_row *r = &m->rows[i];
        size_t bare = strcspn(r->name, "{");
        bool same = i && strlen(m->rows[i - 1].name) >= bare &&
                    strcspn(m->rows[i - 1].name, "{") == bare &&
                    strncmp(m->rows[i - 1].name, r->name, bare) == 0; /* one family, other labels */
        uint64_t value = r->read ? r->read(r->ctx)
                                 : atomic_load_explicit(&r->metric->value, memory_order_relaxed);
        if (!same)
            buf_printf(out, "# HELP %.*s %s\n# TYPE %.*s %s\n", (int)bare, r->name, r->help,
                       (int)bare, r->name, r->is_counter ? "counter" : "gauge");
        buf_printf(out, "%s %llu\n", r->name, (unsigned long long)value);
    }
}
