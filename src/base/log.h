/* log.h -- one line an event on stderr: time, level, event name, then key=value pairs.
 *
 *   2026-01-02T03:04:05.678Z warn ws.refused reason="unknown room" room=atom:x
 *
 * Never a token, never text of a document. A line is one write, so threads do not mix lines.
 * A caller that could repeat itself holds a gate: one line a minute, then how many were left out. */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/read.h"

enum log_level { LOG_INFO_, LOG_WARN_, LOG_ERROR_ };

struct log_gate {           /* zero-initialised; owned by one thread */
    uint64_t next_ms;
    uint64_t left_out;
};

/* `pairs` is a printf format of key=value pairs; quote values that may hold spaces: key="%s". */
void log_line(enum log_level level, const char *event, const char *pairs, ...)
    __attribute__((format(printf, 3, 4)));

bool log_gate_opens(struct log_gate *gate, uint64_t now_ms);   /* may I print now? */

#define log_info(event, ...) log_line(LOG_INFO_, event, __VA_ARGS__)
#define log_warn(event, ...) log_line(LOG_WARN_, event, __VA_ARGS__)
#define log_error(event, ...) log_line(LOG_ERROR_, event, __VA_ARGS__)

#endif
