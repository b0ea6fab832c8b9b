/* command_reindex.c -- `covalent reindex`: index.db is thrown away and derived again from log.db and the
 * workspace (P2). The server must not be running: it holds the workspace's lock. */
#include <getopt.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/err.h"
#include "projection/projector.h"

static int usage(void) {
    fprintf(stderr, "usage: covalent reindex --workspace DIR --data DIR\n");
    return 2;
}

static int refuse(const char *what, const char *why) {
    fprintf(stderr, "covalent: %s: %s\n", what, why);
    return 1;
}

static int reindex(const char *workspace, const char *data) {
    struct projector_config config = { .workspace = workspace, .data = data, .once = true };
    struct projector *p;
    const char *why = "";
    uint64_t from_ms = clock_mono_ms();

    if (store_sqlite_open(data, false, &config.log, &why) != E_OK) return refuse(data, why);
    config.fresh = true;
    if (projector_new(&config, &p, &why) != E_OK) {
        config.log->kind->close(config.log);
        return refuse(workspace, why);
    }
    int e = projector_catch_up(p);
    if (e == E_OK)
        printf("index.db made in %llu ms: rows up to %llu, %llu problems in files\n",
               (unsigned long long)(clock_mono_ms() - from_ms),
               (unsigned long long)atomic_load(&projector_status(p)->cursor),
               (unsigned long long)atomic_load(&projector_status(p)->problems));
    projector_free(p);
    return e == E_OK ? 0 : refuse(data, err_text(e));
}

int command_reindex(int argc, char **argv) {
    static const struct option options[] = { { "workspace", required_argument, NULL, 'w' },
                                             { "data", required_argument, NULL, 'd' }, { 0 } };
    const char *workspace = NULL, *data = NULL;
    int c;

    optind = 1;
    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (c == 'w') workspace = optarg;
        else if (c == 'd') data = optarg;
        else return usage();
    }
    if (workspace == NULL || data == NULL || optind < argc) return usage();
    return reindex(workspace, data);
}
