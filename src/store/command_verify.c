/* command_verify.c -- `covalent verify DIR`: is every row of the log what was once committed? */
#include <inttypes.h>
#include <stdio.h>

#include "base/err.h"
#include "store/store.h"

#define PRINTED_MAX 100         /* a damaged disk has thousands; the count says how many */

struct printed { unsigned n; };

static void on_problem(void *ctx, uint64_t lsn, const char *what) {
    struct printed *p = ctx;
    if (p->n++ >= PRINTED_MAX) return;
    if (lsn) printf("  row %" PRIu64 ": %s\n", lsn, what);
    else printf("  %s\n", what);
}

int command_verify(int argc, char **argv) {
    struct store *s;
    struct store_verified v;
    struct printed printed = { 0 };
    const char *why;

    if (argc != 2 || argv[1][0] == '-') {
        fprintf(stderr, "usage: covalent verify DATA-DIRECTORY\n");
        return 2;
    }
    int err = store_sqlite_open(argv[1], false, &s, &why);
    if (err != E_OK) {
        fprintf(stderr, "%s/log.db: %s\n", argv[1], why);
        return 1;
    }
    printf("%s/log.db\n", argv[1]);
    err = store_verify(s, on_problem, &printed, &v);
    s->kind->close(s);
    if (printed.n > PRINTED_MAX) printf("  and %u more\n", printed.n - PRINTED_MAX);
    printf("%" PRIu64 " rows in %" PRIu64 " commits, %" PRIu64 " rooms: ", v.rows, v.batches, v.rooms);
    if (v.problems) printf("%" PRIu64 " problem%s\n", v.problems, v.problems == 1 ? "" : "s");
    else printf("no problem\n");
    return err == E_OK ? 0 : 1;
}
