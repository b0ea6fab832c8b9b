/* JSON from outside: the limits, and every prefix. */
#include "wire/json.h"

#include <stdlib.h>

#include "base/err.h"
#include "base/limits.h"
#include "t.h"

static int parse(const char *text) {
    json_t *v = NULL;
    const char *why = NULL;
    int e = json_parse(slice_of(text), &v, &why);

    check(e == E_OK ? v != NULL : why != NULL);
    json_decref(v);
    return e;
}

static int nested(size_t depth) {
    struct buf b;
    buf_init(&b, MIB(1));
    for (size_t i = 0; i < depth; i++) buf_byte(&b, '[');
    for (size_t i = 0; i < depth; i++) buf_byte(&b, ']');
    buf_byte(&b, 0);
    int e = parse((const char *)b.at);
    buf_deinit(&b);
    return e;
}

static int members(size_t n) {
    struct buf b;
    buf_init(&b, MIB(1));
    buf_byte(&b, '[');
    for (size_t i = 0; i < n; i++) buf_text(&b, i ? ",1" : "1");
    buf_byte(&b, ']');
    buf_byte(&b, 0);
    int e = parse((const char *)b.at);
    buf_deinit(&b);
    return e;
}

static void w1_json_limits(void) {
    check(nested(32) == E_OK && nested(33) == E_TOO_LARGE && nested(100000) == E_TOO_LARGE);
    check(members(LIMIT_JSON_MEMBERS) == E_OK && members(LIMIT_JSON_MEMBERS + 1) == E_TOO_LARGE);
    check(parse("\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\\\"[[[[[[[[[[[[\"") == E_OK);   /* in a string */
}

static void w1_json_refusals(void) {
    static const char *const bad[] = {
        "", " ", "{", "{\"a\":1,\"a\":2}", "{\"a\":{\"b\":1,\"b\":1}}", "1e999", "-1e999", "NaN", "Infinity", "[1,]", "{\"a\":1,}",
        "\"\xff\"", "\"\xed\xa0\x80\"", "\"\\ud800\"", "\"\\u0000\"", "\"a\nb\"", "1 2", "{} x", "nul", "'a'", "// c\n1", "]", "}",
    };
    static const char *const good[] = { "1", "null", "\"\\ud83d\\ude00\"", "{\"a\":[1.5,-0,true]}", " [] " };

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        if (parse(bad[i]) != E_INVALID) fprintf(stderr, "taken: %s\n", bad[i]);
        check(parse(bad[i]) == E_INVALID);
    }
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) check(parse(good[i]) == E_OK);
}

static void w1_json_every_prefix(void) {
    static const char text[] = "{\"type\":\"join\",\"room\":\"atom:x\",\"n\":[1,2.5,null,true],\"s\":\"\\u00e9\\\\\"}";

    for (size_t len = 0; len < sizeof text - 1; len++) {
        json_t *v = NULL;
        const char *why;
        char *exact = malloc(len ? len : 1);
        memcpy(exact, text, len);
        check(json_parse((struct slice){ (uint8_t *)exact, len }, &v, &why) == E_INVALID);
        free(exact);
    }
    check(parse(text) == E_OK);
}

static void w1_json_members(void) {
    json_t *v;
    const char *why;
    uint64_t n = 7;

    check(json_parse(slice_of("{\"s\":\"x\",\"n\":9007199254740991,\"big\":9007199254740992,\"neg\":-1,\"r\":1.0}"), &v, &why) == E_OK);
    check(slice_is(json_get_text(v, "s"), "x") && json_get_text(v, "n").len == 0 && json_get_text(v, "none").len == 0);
    check(json_get_uint(v, "n", &n) && n == 9007199254740991u);
    check(!json_get_uint(v, "big", &n) && !json_get_uint(v, "neg", &n) && !json_get_uint(v, "r", &n) && !json_get_uint(v, "s", &n));
    json_decref(v);
}

int main(void) {
    run(w1_json_limits);
    run(w1_json_refusals);
    run(w1_json_every_prefix);
    run(w1_json_members);
    return t_exit();
}
