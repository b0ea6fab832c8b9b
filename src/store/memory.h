/* memory.h -- a log in memory, for tests: it fails, waits and loses data on command.
 *
 * A disk is shared by its handles: one writes, any number read, each on its own thread. The
 * commands may come from any thread. */
#ifndef STORE_MEMORY_H
#define STORE_MEMORY_H

#include "store/store.h"

#define MEMORY_ROWS 65536       /* what a disk holds; then it is full */

struct memory_disk;

struct memory_disk *memory_disk_new(void);
void memory_disk_free(struct memory_disk *d);               /* after its handles are closed */

int memory_open(struct memory_disk *d, bool writing, struct store **out);   /* E_EXISTS: a second writer */

void memory_fail(struct memory_disk *d, int err, unsigned times);   /* the next commits and probes fail;
                                                                       0 times: none from now on */
void memory_hold(struct memory_disk *d, bool on);           /* commits wait while held (a slow disk) */
void memory_lose(struct memory_disk *d, uint64_t after_lsn);    /* rows beyond it were never synced; no
                                                                   handle may be open */

#endif
