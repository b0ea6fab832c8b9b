/* decode_test.c -- the decoder of update v1: npm yjs' own bytes, all their prefixes, hostile ones. */
#include <stdlib.h>

#include "t.h"
#include "vectors.h"
#include "weave/decode_int.h"

static bool decodes(struct weave_bytes update) {
    struct decode d = decode_of(update);
    struct decoded s;
    struct deleted range;

    while (decode_block(&d))
        while (decode_struct(&d, &s)) {}
    while (decode_range(&d, &range)) {}
    return decode_is_done(&d);
}

/* An exact allocation, so that the sanitizer sees a read past the end. */
static bool decodes_copy(const uint8_t *at, size_t len) {
    uint8_t *copy = malloc(len ? len : 1);
    if (len) memcpy(copy, at, len);
    bool ok = decodes((struct weave_bytes){ copy, len });
    free(copy);
    return ok;
}

static void vectors_decode(void) {
    for (size_t i = 0; i < N_VECTORS; i++) {
        uint8_t bytes[VECTOR_MAX];
        size_t len = unhex(vectors[i].v1, bytes);
        check(decodes_copy(bytes, len));
    }
}

static void d1_every_prefix_is_refused(void) {
    for (size_t i = 0; i < N_VECTORS; i++) {
        uint8_t bytes[VECTOR_MAX];
        size_t len = unhex(vectors[i].v1, bytes);
        for (size_t n = 0; n < len; n++) check(!decodes_copy(bytes, n));
        bytes[len] = 0;
        check(!decodes_copy(bytes, len + 1));       /* trailing byte */
    }
}

static void one_bit_off_never_overreads(void) {
    for (size_t i = 0; i < N_VECTORS; i++) {
        uint8_t bytes[VECTOR_MAX];
        size_t len = unhex(vectors[i].v1, bytes);
        for (size_t bit = 0; bit < len * 8; bit++) {
            bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
            decodes_copy(bytes, len);
            bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        }
    }
    check(true);
}

static const struct { const char *why, *hex; bool ok; } cases[] = {
    { "nothing at all", "", false },
    { "no structs, no deletions", "0000", true },
    { "a block without structs", "0100010000", true },
    { "d1 unknown content 11", "010101000b0101740100", false },
    { "d1 unknown content 31", "010101001f0101740100", false },
    { "d1 type 7 (weak link)", "01010100070101740700", false },
    { "d1 type 6", "01010100070101740600", true },
    { "d1 any tag 115", "0101010008010174017300", false },
    { "d1 parent neither root nor id", "0101010004020100016100", false },
    { "d1 a million structs in ten bytes", "01c0843d01000001", false },
    { "d1 an array of 2^52 elements", "010101000801017401758080808080808000", false },
    { "d2 an empty string (T18)", "01010100040101740000", false },
    { "d2 no elements", "01010100080101740000", false },
    { "d2 deleted 0", "01010100010101740000", false },
    { "d2 gc 0", "01010100000000", false },
    { "d2 an empty range", "000101010000", true },
    { "d3 clock 2^32-1 (T18: allowed here, the relay has its own limit)", "0101010000ffffffff0f00", true },
    { "d3 past clock 2^32-1", "0101010100ffffffff0f00", false },
    { "d3 first clock 2^32", "0101018080808010000100", false },
    { "d3 client 2^53-1", "0101ffffffffffffff0f00000100", true },
    { "d3 client 2^53", "010180808080808080100000" "0100", false },
    { "d3 a range past 2^32-1", "0001010101ffffffff0f", false },
    { "d3 a varint that never ends", "ffffffffffffffffffffffffffff", false },
    { "d4 a string cut inside a character", "010101000401017401c300", false },
    { "d4 overlong", "010101000401017402c08000", false },
    { "d4 a surrogate in UTF-8", "010101000401017403eda08000", false },
    { "d4 a root name that is not UTF-8", "0101010004010180016100", false },
    { "d4 an embed that is not JSON", "010101000501017401" "7b" "00", false },
    { "d4 an embed", "010101000501017402" "7b7d" "00", true },
    { "d4 a format that is not JSON", "0101010006010174016202" "6e75" "00", false },
    { "d4 a legacy undefined", "010101000201017401" "09756e646566696e6564" "00", true },
    { "d4 a subdocument without options", "0101010009010174016701" "7e00", false },
    { "d5 an origin of its own future", "010101008401000161" "00", false },
    { "d5 a right origin of its own future", "010101004401050161" "00", false },
    { "d5 its own parent", "0101010004000100016100", false },
    { "d5 the origin right before", "0101010184010001" "61" "00", true },
};

static void d_hostile_is_refused(void) {
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint8_t bytes[256];
        size_t len = unhex(cases[i].hex, bytes);
        bool ok = decodes_copy(bytes, len) == cases[i].ok;
        if (!ok) fprintf(stderr, "# %s\n", cases[i].why);
        check(ok);
    }
}

/* An `any` of `depth` arrays in each other. */
static bool nested_any(unsigned depth) {
    uint8_t bytes[1024] = { 1, 1, 1, 0, 8, 1, 1, 't', 1 };
    size_t n = 9;
    for (unsigned i = 0; i < depth; i++) bytes[n++] = 0x75, bytes[n++] = 1;
    bytes[n++] = 0x7e;
    bytes[n++] = 0;
    return decodes_copy(bytes, n);
}

static bool nested_json(unsigned depth) {
    char text[512];
    memset(text, '[', depth);
    memset(text + depth, ']', depth);
    return json_is_valid((struct slice){ (const uint8_t *)text, 2 * depth });
}

static void d4_nesting_is_bounded(void) {
    check(nested_any(DECODE_DEPTH));
    check(!nested_any(DECODE_DEPTH + 1));
    check(nested_json(DECODE_DEPTH));
    check(!nested_json(DECODE_DEPTH + 1));
}

static void json_texts(void) {
    static const char *good[] = { "null", " true ", "false", "0", "-0", "1.5e+3", "10E-2", "\"\"",
        "\"\\u00e9\\n\"", "[]", "[1,[2],{}]", "{\"a\":1,\"b\":[{}]}", "{ \"a\" : null }\n", "\"\xc3\xa9\"" };
    static const char *bad[] = { "", " ", "nul", "01", "1.", "+1", ".5", "1e", "\"", "\"\\x\"",
        "\"\\u12g4\"", "\"\t\"", "[", "[1,]", "[1 2]", "{", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{a:1}",
        "]", "1 1", "undefined", "NaN", "{\"a\":1]", "\"\xff\"", "[,1]" };

    for (size_t i = 0; i < sizeof good / sizeof *good; i++) check(json_is_valid(slice_of(good[i])));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        if (json_is_valid(slice_of(bad[i]))) fprintf(stderr, "# %s\n", bad[i]);
        check(!json_is_valid(slice_of(bad[i])));
    }
}

/* T2: origins and lengths as the reference page reads them. */
static void fields(void) {
    uint8_t bytes[VECTOR_MAX];
    size_t len = unhex("010301000401017401618401000164c40100010102626300", bytes);
    struct decode d = decode_of((struct weave_bytes){ bytes, len });
    struct decoded s;

    check(decode_block(&d) && decode_struct(&d, &s));
    check(s.kind == KIND_STRING && s.parent == PARENT_ROOT && slice_is(s.root, "t"));
    check(s.client == 1 && s.clock == 0 && s.len == 1 && slice_is(s.text, "a") && !s.key.at);
    check(decode_struct(&d, &s) && s.origin.clock == 0 && s.parent == PARENT_NONE);
    check(decode_struct(&d, &s) && s.right.clock == 1 && s.clock == 2 && s.len == 2);
    check(!decode_struct(&d, &s) && !decode_block(&d) && !d.bad);
}

int main(void) {
    run(vectors_decode);
    run(d1_every_prefix_is_refused);
    run(one_bit_off_never_overreads);
    run(d_hostile_is_refused);
    run(d4_nesting_is_bounded);
    run(json_texts);
    run(fields);
    return t_exit();
}
