/* weave_cli_bytes.c -- updates and relays driven by lines: the other half of
 * tests/node/weave_bytes.test.mjs. Bytes are hex, `-` is empty; a relay is a number below RELAYS.
 * Each command answers with one line: `ok` and results, or `err` and the code.
 *
 *   bytes.check U        bytes.merge U...      bytes.diff U STATE      bytes.state U
 *   bytes.clients U      bytes.empty U
 *   relay.new R MAX      relay.free R          relay.state R           relay.since R STATE
 *   relay.apply R U      (answers EFFECTIVE PENDING CLIENT:CLOCK...)
 *   relay.size R         (answers MEMORY ENCODED) */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <weave.h>

#include "tools/weave_cli.h"

#define RELAYS 64
#define WORDS 4096

struct words {
    char *at[WORDS];
    size_t n;
};

static struct weave_relay *relays[RELAYS];

static int digit(char c) { return c <= '9' ? c - '0' : c - 'a' + 10; }

/* In place: the bytes take half of the digits' room. */
static struct weave_bytes unhex(char *hex) {
    struct weave_bytes b = { (uint8_t *)hex, 0 };
    if (hex[0] == '-') return b;
    for (uint8_t *to = (uint8_t *)hex; hex[0] && hex[1]; hex += 2, b.len++)
        *to++ = (uint8_t)(digit(hex[0]) << 4 | digit(hex[1]));
    return b;
}

static void put_hex(void *ctx, const uint8_t *at, size_t len) {
    static const char digits[] = "0123456789abcdef";
    (void)ctx;
    for (size_t i = 0; i < len; i++) {
        putchar(digits[at[i] >> 4]);
        putchar(digits[at[i] & 15]);
    }
}

static const struct weave_sink hex_out = { put_hex, NULL };

static void put_bytes(struct weave_bytes b) {
    putchar(' ');
    if (b.len == 0) putchar('-');
    put_hex(NULL, b.at, b.len);
}

/* The sink writes nothing on an error, so `ok ` may go ahead of it only when it is known: collect. */
struct text {
    uint8_t *at;
    size_t len;
};

static void collect(void *ctx, const uint8_t *at, size_t len) {
    struct text *t = ctx;
    t->at = realloc(t->at, t->len + len);
    if (!t->at) abort();
    memcpy(t->at + t->len, at, len);
    t->len += len;
}

static void answer_bytes(int rc, struct text *t) {
    if (rc == 0) {
        fputs("ok", stdout);
        put_bytes((struct weave_bytes){ t->at, t->len });
        putchar('\n');
    } else {
        printf("err %d\n", rc);
    }
    free(t->at);
}

/* ---- updates ---------------------------------------------------------------------------------- */

static bool put_client(void *ctx, uint64_t client) {
    (void)ctx;
    printf(" %llu", (unsigned long long)client);
    return true;
}

static void do_clients(struct weave_bytes u) {
    fputs("ok", stdout);
    int rc = weave_update_clients(u, put_client, NULL);
    printf(rc ? " err %d\n" : "\n", rc);
}

static void do_merge(const struct words *w) {
    static struct weave_bytes updates[WORDS];
    struct text t = { 0 };
    for (size_t i = 1; i < w->n; i++) updates[i - 1] = unhex(w->at[i]);
    int rc = weave_update_merge(updates, w->n - 1, (struct weave_sink){ collect, &t });
    answer_bytes(rc, &t);
}

static bool on_update(const struct words *w) {
    const char *command = w->at[0];
    struct text t = { 0 };
    struct weave_sink out = { collect, &t };

    if (strcmp(command, "bytes.merge") == 0) {
        do_merge(w);
        return true;
    }
    if (w->n < 2) return false;
    struct weave_bytes u = unhex(w->at[1]);
    if (strcmp(command, "bytes.check") == 0) printf("ok %d\n", weave_update_check(u));
    else if (strcmp(command, "bytes.empty") == 0) printf("ok %d\n", weave_update_is_empty(u));
    else if (strcmp(command, "bytes.clients") == 0) do_clients(u);
    else if (strcmp(command, "bytes.state") == 0) answer_bytes(weave_update_state(u, out), &t);
    else if (strcmp(command, "bytes.diff") == 0 && w->n == 3)
        answer_bytes(weave_update_diff(u, unhex(w->at[2]), out), &t);
    else return false;
    return true;
}

/* ---- relays ----------------------------------------------------------------------------------- */

static void do_apply(struct weave_relay *r, struct weave_bytes u) {
    struct weave_effect e;
    int rc = weave_relay_apply(r, u, &e);
    if (rc) {
        printf("err %d\n", rc);
        return;
    }
    fputs("ok", stdout);
    put_bytes(e.update);
    put_bytes(e.pending);
    for (size_t i = 0; i < e.n_missing; i++)
        printf(" %llu:%llu", (unsigned long long)e.missing[i].client,
               (unsigned long long)e.missing[i].clock);
    putchar('\n');
}

static bool on_relay(const struct words *w) {
    const char *command = w->at[0];
    size_t i = w->n > 1 ? strtoul(w->at[1], NULL, 10) : RELAYS;
    struct text t = { 0 };

    if (i >= RELAYS) return false;
    if (strcmp(command, "relay.new") == 0 && w->n == 3) {
        weave_relay_free(relays[i]);
        relays[i] = weave_relay_new(strtoul(w->at[2], NULL, 10));
        puts("ok");
        return true;
    }
    if (!relays[i]) return false;
    if (strcmp(command, "relay.free") == 0) {
        weave_relay_free(relays[i]);
        relays[i] = NULL;
        puts("ok");
    } else if (strcmp(command, "relay.apply") == 0 && w->n == 3) {
        do_apply(relays[i], unhex(w->at[2]));
    } else if (strcmp(command, "relay.since") == 0 && w->n == 3) {
        struct weave_sink out = { collect, &t };
        answer_bytes(weave_relay_since(relays[i], unhex(w->at[2]), out), &t);
    } else if (strcmp(command, "relay.state") == 0) {
        fputs("ok ", stdout);
        weave_relay_state(relays[i], hex_out);
        putchar('\n');
    } else if (strcmp(command, "relay.size") == 0) {
        printf("ok %zu %zu\n", weave_relay_bytes(relays[i]), weave_relay_encoded(relays[i]));
    } else {
        return false;
    }
    return true;
}

bool weave_cli_bytes(char *line) {
    struct words w = { .n = 0 };
    char *rest = NULL;

    if (strncmp(line, "bytes.", 6) != 0 && strncmp(line, "relay.", 6) != 0) return false;
    for (char *word = strtok_r(line, " \n", &rest); word && w.n < WORDS; word = strtok_r(NULL, " \n", &rest))
        w.at[w.n++] = word;
    return strncmp(w.at[0], "bytes.", 6) == 0 ? on_update(&w) : on_relay(&w);
}
