/* config_test.c -- settings come from flags, else the environment, else the default. */
#include "api/config.h"

#include <stdlib.h>
#include <string.h>

#include "t.h"

static int read_two(struct config *c, char *flag, char *value) {
    char *argv[] = { flag, value };
    return config_read(c, value ? 2 : 1, argv);
}

static void defaults_are_those_of_limits_h(void) {
    struct config c;
    check(config_read(&c, 0, NULL) == 0);
    check(strcmp(c.listen, "127.0.0.1:8000") == 0);
    check(c.connections == 10000 && c.connections_per_address == 200 && c.connections_per_user == 50);
    check(c.secret[0] == 0);
    check(strstr(c.data, "/covalent/data/") != NULL);
}

static void a_flag_wins_over_the_environment(void) {
    struct config c;
    setenv("LISTEN", "127.0.0.1:1", 1);
    check(config_read(&c, 0, NULL) == 0 && strcmp(c.listen, "127.0.0.1:1") == 0);
    check(read_two(&c, "--listen", "127.0.0.1:2") == 0 && strcmp(c.listen, "127.0.0.1:2") == 0);
    check(read_two(&c, "--listen=127.0.0.1:3", NULL) == 0 && strcmp(c.listen, "127.0.0.1:3") == 0);
    unsetenv("LISTEN");
}

static void what_is_wrong_is_refused(void) {
    struct config c;
    char long_text[9000];
    memset(long_text, 'x', sizeof long_text - 1);
    long_text[sizeof long_text - 1] = 0;
    check(read_two(&c, "--nonsense", "1") == 2);
    check(read_two(&c, "--listen", NULL) == 2);
    check(read_two(&c, "--connections", "0") == 2);
    check(read_two(&c, "--connections", "-1") == 2);
    check(read_two(&c, "--connections", "12x") == 2);
    check(read_two(&c, "--connections", "1000001") == 2);
    check(read_two(&c, "--data", long_text) == 2);
    check(read_two(&c, "--workspace", "/does/not/exist") == 2);
    setenv("WS_SECRET_KEY", "short", 1);
    check(config_read(&c, 0, NULL) == 2);
    unsetenv("WS_SECRET_KEY");
}

int main(void) {
    run(defaults_are_those_of_limits_h);
    run(a_flag_wins_over_the_environment);
    run(what_is_wrong_is_refused);
    return t_exit();
}
