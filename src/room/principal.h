/* principal.h -- who stands behind a connection or request. Every one has a principal from its
 * first byte on (rulings: identity). Immutable and counted; reactor thread only, except that the
 * writer reads the strings of entries that are sealed (it never counts). */
#ifndef ROOM_PRINCIPAL_H
#define ROOM_PRINCIPAL_H

#include "base/limits.h"
#include "base/read.h"

enum role { ROLE_VIEWER, ROLE_COMMENTER, ROLE_EDITOR, ROLE_ADMIN };

struct principal {
    uint32_t refs;
    enum role role;
    bool named;                             /* false: a guest made up for this connection */
    uint64_t expires_ms;                    /* Unix time; 0: never */
    const char *user;                       /* id, as in the log; at most LIMIT_USER_BYTES */
    const char *name;                       /* for people to read; at most LIMIT_NAME_BYTES */
    const char *session;                    /* ?session= of a JSON client or Idempotency-Key; "" : none */
    char text[];                            /* what they point into: ten thousand are idle, short names cost little */
};

struct principal *principal_new(const char *user, const char *name, enum role role);   /* one ref, yours */
/* The same person with a session, in place of `p`, whose only reference it takes. */
struct principal *principal_with_session(struct principal *p, struct slice session);
struct principal *principal_ref(struct principal *p);
void principal_unref(struct principal *p);

#endif
