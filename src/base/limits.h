/* limits.h -- every limit, once. What comes from outside is checked against these before it
 * becomes an allocation. A line: value, unit, why. Those an operator may change are flags of
 * `covalent serve` and start from the value here. */
#ifndef BASE_LIMITS_H
#define BASE_LIMITS_H

#define KIB(n) ((size_t)(n) << 10)
#define MIB(n) ((size_t)(n) << 20)

/* connections */
#define LIMIT_CONNECTIONS 10000             /* flag; up to the process's descriptor limit */
#define LIMIT_CONNECTIONS_PER_ADDRESS 200   /* not for loopback and trusted proxies */
#define LIMIT_CONNECTIONS_PER_USER 50       /* named users */
#define LIMIT_ROOMS_PER_CONNECTION 128
#define LIMIT_MEMBERS_PER_ROOM 10000

/* HTTP request */
#define LIMIT_HEADER_BYTES KIB(8)
#define LIMIT_HEADERS 64
#define LIMIT_URL_BYTES KIB(2)
#define LIMIT_REQUEST_MS 10000              /* the whole request head must have come by then */
#define LIMIT_BODY_BYTES MIB(1)             /* JSON bodies */

/* messages */
#define LIMIT_SYNC_MESSAGE MIB(64)          /* authenticated; charged as it grows */
#define LIMIT_JSON_MESSAGE MIB(1)
#define LIMIT_UNAUTHENTICATED_BYTES KIB(64)
#define LIMIT_JSON_DEPTH 32
#define LIMIT_JSON_MEMBERS 10000
#define LIMIT_TOKEN_BYTES KIB(4)

/* documents */
#define LIMIT_DOCUMENT_BYTES MIB(64)        /* encoded */
#define LIMIT_UPDATE_AHEAD 10000000u        /* units of GC, Deleted, Skip not backed by bytes, per update */
#define LIMIT_PENDING_BYTES KIB(256)        /* structs that cannot be integrated yet, per connection */
#define LIMIT_PENDING_UPDATES 64
#define LIMIT_ANY_DEPTH 64

/* rates */
#define LIMIT_SYNC_BYTES_PER_S KIB(256)     /* then the socket is read later, never refused */
#define LIMIT_SYNC_BURST MIB(4)
#define LIMIT_COMMANDS_PER_MIN 100          /* RATE_LIMIT: durable JSON commands, per user; 0 = off */
#define LIMIT_COMMANDS_BURST 50
#define LIMIT_PRESENCE_PER_S 30             /* per person, newest wins */

/* presence */
#define LIMIT_PRESENCE_STATE KIB(4)
#define LIMIT_PRESENCE_DEPTH 8

/* output */
#define LIMIT_QUEUE_BYTES MIB(1)            /* per slow reader, join answers apart */

/* files */
#define LIMIT_FILE_BYTES KIB(256)           /* an entity file we did not write */
#define LIMIT_YAML_DEPTH 32
#define LIMIT_YAML_NODES 50000              /* aliases expanded */
#define LIMIT_YAML_SCALAR KIB(64)

/* names */
#define LIMIT_ID_BYTES 128
#define LIMIT_DOC_NAME_BYTES 512
#define LIMIT_USER_BYTES 128
#define LIMIT_NAME_BYTES 64                 /* a person's display name */

#endif
