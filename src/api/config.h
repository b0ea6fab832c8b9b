/* config.h -- the settings of `covalent serve`: flags, else environment, else .env in the current
 * folder, else the default. The same names everywhere; the table in config.c is also --help. */
#ifndef API_CONFIG_H
#define API_CONFIG_H

#include <stddef.h>
#include <stdint.h>

struct config {
    char listen[128];           /* ADDRESS:PORT; port 0: any */
    char workspace[4096];
    char data[4096];
    char secret[512];           /* WS_SECRET_KEY; "" : open mode */
    char public_key[4096];      /* a file with a PEM key or JWKS; "" : none */
    char allowed_origins[4096]; /* separated by commas */
    char trusted_proxies[1024]; /* addresses or CIDR, separated by commas */
    uint32_t connections, connections_per_address, connections_per_user;
    uint32_t idle_min;          /* session of our own app */
};

/* Fills *config from argv (after the command's name) and the environment. 0: go on. 1: --help was
 * printed. 2: something is wrong, and a sentence on stderr says what. */
int config_read(struct config *config, int argc, char **argv);

#endif
