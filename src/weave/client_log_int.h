/* client_log_int.h -- what one client wrote: its structs as encoded, in clock order, from
 * clock 0 on, and which of their units are deleted.
 *
 * The bytes lie in chunks of about CHUNK_STRUCTS structs or CHUNK_BYTES. A chunk is the unit of
 * search (binary search to it, then a walk inside) and of cleaning: when most of what is in it has
 * been deleted, it is written anew with tombstones in place of content.
 *
 *   C-1  clocks are contiguous: a chunk starts where the one before ends; no Skip is ever held
 *   C-2  every struct that came stays or is joined to a neighbour (E-1): ids that origins name
 *        never vanish, and types and subdocuments keep their content
 *   C-3  content becomes a tombstone only where every unit of the item, or a long run of a string,
 *        is in `deleted`; so a receiver that applies the delete set gets the same document */
#ifndef WEAVE_CLIENT_LOG_INT_H
#define WEAVE_CLIENT_LOG_INT_H

#include "weave/deleteset_int.h"
#include "weave/encode_int.h"

#define CHUNK_STRUCTS 64    /* a walk of half a microsecond */
#define CHUNK_BYTES 4096

struct chunk {
    uint8_t *at;
    uint32_t len, cap;
    uint32_t clock;         /* of its first unit */
    uint32_t n;             /* structs */
    uint32_t live;          /* units not deleted, about */
    uint32_t dead;          /* units deleted since it was last written */
};

struct client_log {
    uint64_t client;
    uint32_t clock;         /* next: how far the client is known */
    uint32_t n, cap;        /* chunks */
    struct chunk *chunks;
    struct tail tail;       /* last struct of the last chunk */
    struct ranges deleted;  /* the delete set's, and units that came as tombstones or GC */
    size_t encoded;         /* bytes in the chunks */
};

/* The calls that change a log return how many bytes of memory it uses more, or fewer. */
int64_t client_log_append(struct client_log *l, const struct decoded *s);   /* s->clock: l->clock */
int64_t client_log_delete(struct client_log *l, const struct deleted *ranges, size_t n);
void client_log_free(struct client_log *l);
size_t client_log_memory(const struct client_log *l);

/* Writes the block of what is at or above `clock` (which is below l->clock). */
void client_log_since(const struct client_log *l, uint32_t clock, struct weave_sink out);

#endif
