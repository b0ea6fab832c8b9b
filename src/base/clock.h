/* clock.h -- time. Timers and latencies use the monotonic clock; the wall clock only stamps. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

uint64_t clock_mono_ns(void);
uint64_t clock_mono_ms(void);
uint64_t clock_wall_ms(void);       /* Unix time */

#endif
