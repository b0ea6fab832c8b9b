#include "room/principal.h"

#include <stdlib.h>

#include "base/must.h"

static struct principal *make(struct slice user, struct slice name, struct slice session) {
    struct principal *p = calloc(1, sizeof *p + user.len + name.len + session.len + 3);
    char *at;

    must(p && user.len <= LIMIT_USER_BYTES && name.len <= LIMIT_NAME_BYTES);
    p->refs = 1;
    p->user = at = p->text;
    memcpy(at, user.at, user.len);
    p->name = at += user.len + 1;
    memcpy(at, name.at, name.len);
    p->session = at += name.len + 1;
    if (session.len) memcpy(at, session.at, session.len);
    return p;
}

struct principal *principal_new(const char *user, const char *name, enum role role) {
    struct principal *p = make(slice_of(user), slice_of(name), (struct slice){ 0 });
    p->role = role;
    return p;
}

struct principal *principal_with_session(struct principal *p, struct slice session) {
    must(p->refs == 1);
    struct principal *q = make(slice_of(p->user), slice_of(p->name), session);
    q->role = p->role;
    q->named = p->named;
    q->expires_ms = p->expires_ms;
    principal_unref(p);
    return q;
}

struct principal *principal_ref(struct principal *p) {
    must(p->refs > 0);
    p->refs++;
    return p;
}

void principal_unref(struct principal *p) {
    must(p->refs > 0);
    if (--p->refs == 0) free(p);
}
