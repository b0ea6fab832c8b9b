/* weave_cli.c -- the loop: a line in, a line out, until the input ends. */
#include "tools/weave_cli.h"

#include <stdio.h>
#include <stdlib.h>

int main(void) {
    char *line = NULL;
    size_t cap = 0;

    while (getline(&line, &cap, stdin) > 0) {
        if (!weave_cli_doc(line) && !weave_cli_bytes(line)) puts("err no such command");
        fflush(stdout);
    }
    free(line);
    return 0;
}
