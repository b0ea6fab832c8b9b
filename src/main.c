/* main.c -- covalent's commands. `serve` wires the modules together and turns the reactor's loop. */
#include <stdio.h>
#include <string.h>

#define VERSION "0.1.0"

int main(int argc, char **argv) {
    if (argc == 2 && strcmp(argv[1], "version") == 0) {
        printf("covalent %s\n", VERSION);
        return 0;
    }
    fprintf(stderr, "usage: covalent serve | check | token | version\n");
    return 2;
}
