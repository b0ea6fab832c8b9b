#include "api/config.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/limits.h"

struct setting {
    const char *flag, *variable, *initial;
    size_t offset, size;        /* size 0: a number */
    uint32_t least, most;       /* of a number */
    const char *help;
};

#define TEXT(field) offsetof(struct config, field), sizeof ((struct config *)0)->field, 0, 0
#define NUMBER(field, least, most) offsetof(struct config, field), 0, least, most
#define STRING_(x) #x
#define STRING(x) STRING_(x)

static const struct setting settings[] = {
    { "listen", "LISTEN", "127.0.0.1:8000", TEXT(listen),
      "ADDRESS:PORT to listen on; without WS_SECRET_KEY only loopback" },
    { "workspace", "WORKSPACE", ".", TEXT(workspace), "the GNDP workspace: a folder with atoms/, modules/, ..." },
    { "data", "DATA", "", TEXT(data),
      "where the database lives; default: a folder of its own under ~/.local/share/covalent" },
    { "public-key", "WS_PUBLIC_KEY", "", TEXT(public_key), "a PEM key or JWKS file for RS256 and ES256 tokens" },
    { "allowed-origins", "ALLOWED_ORIGINS", "", TEXT(allowed_origins),
      "pages on other origins that may connect: http://host:port,..." },
    { "trusted-proxies", "TRUSTED_PROXIES", "", TEXT(trusted_proxies),
      "addresses whose X-Forwarded-For is believed: 10.0.0.0/8,..." },
    { "connections", "CONNECTIONS", STRING(LIMIT_CONNECTIONS), NUMBER(connections, 1, 1000000),
      "connections at the same time" },
    { "connections-per-address", "CONNECTIONS_PER_ADDRESS", STRING(LIMIT_CONNECTIONS_PER_ADDRESS),
      NUMBER(connections_per_address, 1, 1000000), "from one address; loopback and trusted proxies are free" },
    { "connections-per-user", "CONNECTIONS_PER_USER", STRING(LIMIT_CONNECTIONS_PER_USER),
      NUMBER(connections_per_user, 1, 1000000), "of one named user" },
    { "idle-minutes", "IDLE_MINUTES", "30", NUMBER(idle_min, 1, 100000), "a session of the web app ends after this" },
};
#define SETTINGS (sizeof settings / sizeof *settings)

static void print_help(void) {
    printf("covalent serve -- the collaboration server\n\n"
           "  covalent serve --workspace DIR\n"
           "  WS_SECRET_KEY=... covalent serve --listen 0.0.0.0:8000 --workspace DIR\n\n"
           "Settings, as flag or environment variable (also from a file .env here):\n\n");
    for (size_t i = 0; i < SETTINGS; i++) {
        const struct setting *s = &settings[i];
        printf("  --%s, %s%s%s%s\n      %s\n", s->flag, s->variable, *s->initial ? " (" : "", s->initial,
               *s->initial ? ")" : "", s->help);
    }
    printf("  WS_SECRET_KEY\n      signs and checks tokens (HS256) and session cookies, 32 characters or more; only as\n"
           "      a variable, so that it shows in no process list. Without it: open mode, loopback only\n\n"
           "Every fixed limit is listed in docs/run.md.\n");
}

static int set(struct config *config, const struct setting *s, const char *value, const char *from) {
    char *field = (char *)config + s->offset;

    if (s->size) {
        if ((size_t)snprintf(field, s->size, "%s", value) < s->size) return 0;
        fprintf(stderr, "covalent: %s is too long\n", from);
        return 2;
    }
    char *end;
    errno = 0;
    unsigned long number = strtoul(value, &end, 10);
    if (errno || *end || end == value || *value == '-' || number < s->least || number > s->most) {
        fprintf(stderr, "covalent: %s must be a number from %u to %u, not \"%s\"\n", from, s->least, s->most, value);
        return 2;
    }
    *(uint32_t *)(void *)field = (uint32_t)number;
    return 0;
}

/* NAME=value lines of ./.env become variables unless they are set already. */
static void read_dotenv(void) {
    char line[8192];
    FILE *f = fopen(".env", "re");

    while (f && fgets(line, sizeof line, f)) {
        line[strcspn(line, "\r\n")] = 0;
        char *equals = strchr(line, '=');
        if (line[0] == '#' || !equals) continue;
        *equals = 0;
        char *value = equals + 1;
        size_t len = strlen(value);
        if (len >= 2 && (*value == '"' || *value == '\'') && value[len - 1] == *value) {
            value[len - 1] = 0;
            value++;
        }
        setenv(line, value, 0);
    }
    if (f) fclose(f);
}

static int read_environment(struct config *config) {
    for (size_t i = 0; i < SETTINGS; i++) {
        const char *value = getenv(settings[i].variable);
        int e = set(config, &settings[i], value && *value ? value : settings[i].initial, settings[i].variable);
        if (e) return e;
    }
    const char *secret = getenv("WS_SECRET_KEY");
    if (secret && *secret && strlen(secret) < 32) {
        fprintf(stderr, "covalent: WS_SECRET_KEY is shorter than 32 characters; make one with: openssl rand -hex 32\n");
        return 2;
    }
    snprintf(config->secret, sizeof config->secret, "%s", secret ? secret : "");
    return 0;
}

static int read_flags(struct config *config, int argc, char **argv) {
    for (int i = 0; i < argc; i++) {
        const char *flag = argv[i];
        if (strcmp(flag, "--help") == 0 || strcmp(flag, "-h") == 0) {
            print_help();
            return 1;
        }
        size_t k = 0;
        const char *name = strncmp(flag, "--", 2) == 0 ? flag + 2 : "";
        size_t len = strcspn(name, "=");
        while (k < SETTINGS && (strlen(settings[k].flag) != len || memcmp(settings[k].flag, name, len) != 0)) k++;
        const char *value = name[len] == '=' ? name + len + 1 : i + 1 < argc ? argv[++i] : NULL;
        if (k == SETTINGS || !value) {
            fprintf(stderr, k == SETTINGS ? "covalent: unknown option %s (see covalent serve --help)\n"
                                          : "covalent: %s needs a value\n", flag);
            return 2;
        }
        int e = set(config, &settings[k], value, flag);
        if (e) return e;
    }
    return 0;
}

/* One data folder a workspace, outside of its git tree: named after the workspace's whole path. */
static int default_data(struct config *config) {
    char path[PATH_MAX];
    const char *base = getenv("XDG_DATA_HOME"), *home = getenv("HOME");

    if (!realpath(config->workspace, path)) {
        fprintf(stderr, "covalent: no such workspace: %s\n", config->workspace);
        return 2;
    }
    for (char *c = path + 1; *c; c++)
        if (*c == '/') *c = '-';
    size_t max = sizeof config->data;
    int n = base && *base ? snprintf(config->data, max, "%s/covalent/data/%s", base, path + 1)
                          : snprintf(config->data, max, "%s/.local/share/covalent/data/%s", home ? home : ".", path + 1);
    if ((size_t)n < max) return 0;
    fprintf(stderr, "covalent: give --data; the workspace's path is too long to name one\n");
    return 2;
}

int config_read(struct config *config, int argc, char **argv) {
    memset(config, 0, sizeof *config);
    read_dotenv();
    int e = read_environment(config);
    if (!e) e = read_flags(config, argc, argv);
    if (!e && !config->data[0]) e = default_data(config);
    return e;
}
