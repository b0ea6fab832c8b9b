#include "base/rand.h"

#include <stdio.h>
#include <sys/random.h>

#include "base/must.h"

void rand_bytes(void *to, size_t len) {
    uint8_t *at = to;

    while (len > 0) {
        size_t some = len < 256 ? len : 256;
        must(getrandom(at, some, 0) == (ssize_t)some);
        at += some;
        len -= some;
    }
}

uint64_t rand_u64(void) {
    uint64_t value;
    rand_bytes(&value, sizeof value);
    return value;
}

void rand_hex(char *to, size_t bytes) {
    for (size_t i = 0; i < bytes; i++) {
        uint8_t byte;
        rand_bytes(&byte, 1);
        snprintf(to + 2 * i, 3, "%02x", byte);
    }
}
