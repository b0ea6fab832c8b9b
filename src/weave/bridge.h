/* bridge.h -- between the public header's types, which know nothing of base, and ours. Pure; borrows. */
#ifndef WEAVE_BRIDGE_H
#define WEAVE_BRIDGE_H

#include <weave.h>

#include "base/buf.h"

static inline struct weave_bytes weave_of(struct slice s) { return (struct weave_bytes){ s.at, s.len }; }
static inline struct slice slice_from(struct weave_bytes b) { return (struct slice){ b.at, b.len }; }
static inline struct weave_bytes bytes_of(const struct buf *b) { return (struct weave_bytes){ b->at, b->len }; }

/* What is written goes behind what the buf holds; full, it says so by `bad`. */
static inline void write_into(void *ctx, const uint8_t *at, size_t len) { buf_put(ctx, at, len); }
static inline struct weave_sink sink_into(struct buf *b) { return (struct weave_sink){ write_into, b }; }

#endif
