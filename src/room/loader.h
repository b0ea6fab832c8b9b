/* loader.h -- opening a room: rows and files to one compacted update, on the reader thread.
 *
 * The reactor submits a load; the reader reads snapshot and rows, merges them, and for an entity
 * that has no rows yet reads and imports its file (D6); `done` is called back on the reactor. Opening
 * never creates an entity: without rows and without a file it is E_NOT_FOUND. */
#ifndef ROOM_LOADER_H
#define ROOM_LOADER_H

#include <stdatomic.h>

#include "base/buf.h"
#include "base/frame.h"
#include "files/disk.h"
#include "io/worker.h"
#include "store/index.h"
#include "store/store.h"

/* What the reader thread reads from: the ctx of its worker. Its own handles, used by it alone. */
struct sources {
    struct store *log;
    struct index *index;
    struct disk *disk;                  /* files/disk.h, opened for reading; NULL: there are no files */
    const _Atomic bool *index_complete;  /* false while the first scan runs: then "not found" is not
                                           said (A10); NULL: it is complete */
};

enum loaded { LOADED_ROWS, LOADED_IMPORT, LOADED_NEW };

struct load {
    struct job job;
    struct frame *name;         /* the room's; a reference the reactor took, the reader only reads */
    uint32_t serial;            /* of the room that asked */
    void *ctx;                  /* the rooms */
    void (*done)(struct load *l);       /* on the reactor; then load_free */

    int err;                    /* E_OK, or E_NOT_FOUND, E_INVALID (the file does not parse: `why`),
                                   E_OVERLOADED (cannot be said yet), E_IO, E_CORRUPT */
    enum loaded what;
    struct buf bytes;           /* ROWS: the document as one update. IMPORT: 32 bytes SHA-256, then the
                                   update, to be appended as ROW_IMPORT. NEW: empty (doc: rooms) */
    char lineage[33];           /* as in the log; "" for IMPORT and NEW: the room draws one */
    char why[200];
};

struct load *load_new(struct frame *name, uint32_t serial);
void load_free(struct load *l);

#endif
