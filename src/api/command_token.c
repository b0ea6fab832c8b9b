/* command_token.c -- `covalent token`. */
#include "api/command_token.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/auth.h"
#include "base/err.h"

static int usage(const char *problem) {
    fprintf(stderr,
            "covalent token: %s\n"
            "usage: WS_SECRET_KEY=... covalent token --user ID [--name NAME]\n"
            "         [--role viewer|commenter|editor|admin] [--hours 1-24]\n"
            "         [--url http://127.0.0.1:8000]\n",
            problem);
    return 2;
}

int command_token(int argc, char **argv) {
    const char *secret = getenv("WS_SECRET_KEY"), *url = "http://127.0.0.1:8000", *why;
    struct auth_token t = {
        .secret = secret ? secret : "", .user = "", .name = "", .role = ROLE_EDITOR, .hours = 12
    };

    for (int i = 1; i < argc; i += 2) {
        if (i + 1 == argc) return usage("an option without its value");
        const char *value = argv[i + 1];
        if (strcmp(argv[i], "--user") == 0) t.user = value;
        else if (strcmp(argv[i], "--name") == 0) t.name = value;
        else if (strcmp(argv[i], "--url") == 0) url = value;
        else if (strcmp(argv[i], "--hours") == 0) t.hours = (unsigned)strtoul(value, NULL, 10);
        else if (strcmp(argv[i], "--role") != 0) return usage("unknown option");
        else if (!role_parse(slice_of(value), &t.role)) return usage("unknown role");
    }
    if (!t.user[0]) return usage("--user is missing");
    struct buf b;
    buf_init(&b, LIMIT_TOKEN_BYTES);
    int e = auth_token_make(&t, &b, &why);
    if (e == E_OK) {
        printf("%.*s\n", SLICE_ARG(buf_view(&b)));
        fprintf(stderr, "sign in: %s/auth?token=%.*s\n", url, SLICE_ARG(buf_view(&b)));
    }
    buf_deinit(&b);
    return e == E_OK ? 0 : usage(why);
}
