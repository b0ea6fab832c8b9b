/* sha256_test.c -- the examples of FIPS 180, at once and in pieces. */
#include "base/sha256.h"
#include "t.h"

static const struct { const char *text, *hex; } cases[] = {
    { "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
    { "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
    { "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
      "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1" },
};

static bool is(const uint8_t hash[SHA256_BYTES], const char *hex) {
    char text[2 * SHA256_BYTES + 1];
    for (int i = 0; i < SHA256_BYTES; i++) snprintf(text + 2 * i, 3, "%02x", hash[i]);
    return strcmp(text, hex) == 0;
}

static void sha256_of_the_standard(void) {
    struct sha256 *h = sha256_new();
    uint8_t hash[SHA256_BYTES];
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct slice s = slice_of(cases[i].text);
        sha256(s, hash);
        check(is(hash, cases[i].hex));
        for (size_t cut = 0; cut <= s.len; cut++) {     /* the object is used again each time */
            sha256_begin(h);
            sha256_add(h, (struct slice){ s.at, cut });
            sha256_add(h, (struct slice){ s.at + cut, s.len - cut });
            sha256_end(h, hash);
            check(is(hash, cases[i].hex));
        }
    }
    sha256_free(h);
}

int main(void) {
    run(sha256_of_the_standard);
    return t_exit();
}
