#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define GATE_MS 60000u

static size_t stamp(char *to, size_t max) {
    struct timespec t;
    struct tm tm;

    clock_gettime(CLOCK_REALTIME, &t);
    gmtime_r(&t.tv_sec, &tm);
    size_t n = strftime(to, max, "%Y-%m-%dT%H:%M:%S", &tm);
    return n + (size_t)snprintf(to + n, max - n, ".%03ldZ ", t.tv_nsec / 1000000);
}

void log_line(enum log_level level, const char *event, const char *pairs, ...) {
    static const char *const names[] = { "info", "warn", "error" };
    char line[2048];
    size_t n = stamp(line, sizeof line);
    va_list args;

    n += (size_t)snprintf(line + n, sizeof line - n, "%s %.64s ", names[level], event);
    va_start(args, pairs);
    int more = vsnprintf(line + n, sizeof line - n - 1, pairs, args);
    va_end(args);
    n += more < 0 ? 0 : (size_t)more;
    if (n > sizeof line - 2) n = sizeof line - 2;
    for (size_t i = 0; i < n; i++)          /* text from outside cannot start a line of its own */
        if ((unsigned char)line[i] < 0x20 || line[i] == 0x7f) line[i] = '?';
    line[n++] = '\n';
    ssize_t written = write(STDERR_FILENO, line, n);
    (void)written;                          /* nowhere to report it */
}

bool log_gate_opens(struct log_gate *gate, uint64_t now_ms) {
    if (now_ms < gate->next_ms) {
        gate->left_out++;
        return false;
    }
    gate->next_ms = now_ms + GATE_MS;
    gate->left_out = 0;
    return true;
}
