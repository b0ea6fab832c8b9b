/* rand.h -- unpredictable bytes from the kernel. */
#ifndef BASE_RAND_H
#define BASE_RAND_H

#include <stddef.h>
#include <stdint.h>

void rand_bytes(void *to, size_t len);
uint64_t rand_u64(void);
void rand_hex(char *to, size_t bytes);      /* writes 2 * bytes characters and a NUL */

#endif
