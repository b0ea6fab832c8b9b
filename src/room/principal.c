#include "room/principal.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/must.h"

struct principal *principal_new(const char *user, const char *name, enum role role) {
    struct principal *p = calloc(1, sizeof *p);
    must(p);
    p->refs = 1;
    p->role = role;
    snprintf(p->user, sizeof p->user, "%s", user);
    snprintf(p->name, sizeof p->name, "%s", name);
    return p;
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
