/* Tokens: what passes, and one refusal for each check. */
#include "wire/jwt.h"

#include <jose/b64.h>
#include <jose/jwk.h>
#include <jose/jws.h>
#include <jose/openssl.h>
#include <openssl/pem.h>
#include <stdlib.h>

#include "base/err.h"
#include "t.h"
#include "wire/json.h"

#define NOW 1700000000u
#define SECRET "0123456789abcdef0123456789abcdef"

static struct jwt_keys *keys;
static json_t *secret_jwk;
static const char *why;
static struct jwt_claims claims;

/* Sign header and payload as they stand, by any key and algorithm. */
static char *sign(const json_t *jwk, const char *header, const char *payload) {
    json_t *jws = json_pack("{s:o}", "payload", jose_b64_enc(payload, strlen(payload)));
    json_t *sig = json_pack("{s:o}", "protected", json_loads(header, 0, NULL));
    char *token = NULL;

    check(jose_jws_sig(NULL, jws, sig, jwk));
    if (asprintf(&token, "%s.%s.%s", json_string_value(json_object_get(jws, "protected")),
                 json_string_value(json_object_get(jws, "payload")),
                 json_string_value(json_object_get(jws, "signature"))) < 0) abort();
    json_decref(jws);
    json_decref(sig);
    return token;
}

static int verify(const char *token) { return jwt_verify(keys, slice_of(token), NOW, &claims, &why); }

static int verify_signed(const char *header, const char *payload) {
    char *token = sign(secret_jwk, header, payload);
    int e = verify(token);
    free(token);
    return e;
}

#define HS "{\"alg\":\"HS256\"}"
#define GOOD "{\"sub\":\"anna\",\"exp\":1700000100}"

static void t1_what_we_make_passes(void) {
    struct buf b;
    struct jwt_claims c = { .sub = "anna", .name = "Anna \xc3\x84", .role = "editor", .expires_s = NOW + 3600 };

    buf_init(&b, KIB(4));
    jwt_make(keys, &c, NOW, &b);
    check(jwt_verify(keys, buf_view(&b), NOW, &claims, &why) == E_OK);
    check(memcmp(&c, &claims, sizeof c) == 0);
    check(jwt_verify(keys, buf_view(&b), NOW + 3600 + 29, &claims, &why) == E_OK);
    check(jwt_verify(keys, buf_view(&b), NOW + 3600 + 30, &claims, &why) == E_UNAUTHORIZED && claims.sub[0] == 0);
    check(jwt_verify(keys, buf_view(&b), NOW - 31, &claims, &why) == E_UNAUTHORIZED);       /* iat */

    for (size_t len = 0; len < b.len; len++)                        /* every prefix */
        check(jwt_verify(keys, (struct slice){ b.at, len }, NOW, &claims, &why) == E_UNAUTHORIZED);
    for (size_t i = 0; i < b.len - 1; i++) {                        /* every changed character */
        uint8_t was = b.at[i];
        b.at[i] = was == 'A' ? 'B' : 'A';
        check(jwt_verify(keys, buf_view(&b), NOW, &claims, &why) == E_UNAUTHORIZED);
        b.at[i] = was;
    }
    buf_deinit(&b);
}

static void t2_claims(void) {
    static const struct { const char *payload; int e; const char *role; } cases[] = {
        { GOOD, E_OK, "" },
        { "{\"sub\":\"anna\",\"exp\":1700000100.5,\"role\":\"viewer\"}", E_OK, "viewer" },
        { "{\"sub\":\"anna\",\"exp\":1700000100,\"roles\":[\"viewer\",\"editor\",\"commenter\",\"king\",5]}", E_OK, "editor" },
        { "{\"sub\":\"anna\",\"exp\":1700000100,\"role\":\"admin\",\"roles\":[\"viewer\"]}", E_OK, "admin" },
        { "{\"sub\":\"anna\",\"exp\":1700000100,\"role\":\"king\"}", E_OK, "" },
        { "{\"sub\":\"anna\",\"exp\":1700000100,\"nbf\":1700000030,\"iat\":1700000030}", E_OK, "" },
        { "{\"sub\":\"anna\",\"exp\":1700000100,\"nbf\":1700000031}", E_UNAUTHORIZED, "" },
        { "{\"sub\":\"anna\",\"exp\":1700000100,\"iat\":1700000031}", E_UNAUTHORIZED, "" },
        { "{\"sub\":\"anna\"}", E_UNAUTHORIZED, "" }, { "{\"sub\":\"anna\",\"exp\":\"1700000100\"}", E_UNAUTHORIZED, "" },
        { "{\"sub\":\"anna\",\"exp\":1699999970}", E_UNAUTHORIZED, "" }, { "{\"sub\":\"anna\",\"exp\":-1}", E_UNAUTHORIZED, "" },
        { "{\"sub\":\"anna\",\"exp\":1e300}", E_UNAUTHORIZED, "" },
        { "{\"sub\":\"anna\",\"exp\":1700086431}", E_UNAUTHORIZED, "" }, { "{\"sub\":\"anna\",\"exp\":1700086430}", E_OK, "" },
        { "{\"exp\":1700000100}", E_UNAUTHORIZED, "" }, { "{\"sub\":\"\",\"exp\":1700000100}", E_UNAUTHORIZED, "" },
        { "{\"sub\":5,\"exp\":1700000100}", E_UNAUTHORIZED, "" }, { "{\"sub\":\"a\\nb\",\"exp\":1700000100}", E_UNAUTHORIZED, "" },
        { "{\"sub\":\"anna\",\"sub\":\"bob\",\"exp\":1700000100}", E_UNAUTHORIZED, "" },
        { "[]", E_UNAUTHORIZED, "" }, { "anna", E_UNAUTHORIZED, "" }, { "", E_UNAUTHORIZED, "" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int e = verify_signed(HS, cases[i].payload);
        if (e != cases[i].e) fprintf(stderr, "case %zu: %d\n", i, e);
        check(e == cases[i].e && strcmp(claims.role, cases[i].role) == 0);
    }
}

static void t3_headers(void) {
    static const char *const bad[] = {
        "{\"alg\":\"HS256\",\"crit\":[\"b64\"],\"b64\":true}", "{\"alg\":\"HS256\",\"x5c\":[]}", "{\"alg\":\"HS256\",\"jku\":\"http://a\"}",
        "{\"alg\":\"HS256\",\"jwk\":{}}", "{\"alg\":\"HS256\",\"x5u\":\"\"}", "{\"alg\":\"HS256\",\"zip\":\"DEF\"}",
        "{\"alg\":\"HS256\",\"kid\":\"unknown\"}", "{\"alg\":\"HS256\",\"kid\":\"\"}", "{\"alg\":\"HS256\",\"kid\":5}",
    };
    json_t *free_jwk = json_deep_copy(secret_jwk);      /* our key, with no algorithm fixed */
    json_object_del(free_jwk, "alg");
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char *token = sign(free_jwk, bad[i], GOOD);
        check(verify(token) == E_UNAUTHORIZED);
        free(token);
    }
    json_decref(free_jwk);
    check(verify_signed("{\"alg\":\"HS256\",\"typ\":\"JWT\"}", GOOD) == E_OK);

    static const char *const none[] = { "{\"alg\":\"none\"}", "{\"alg\":\"None\"}", "{}", "{\"alg\":null}" };
    for (size_t i = 0; i < 4; i++) {
        struct buf b;
        buf_init(&b, KIB(4));
        jwt_base64url(slice_of(none[i]), &b);
        buf_byte(&b, '.');
        jwt_base64url(slice_of(GOOD), &b);
        buf_byte(&b, '.');
        check(jwt_verify(keys, buf_view(&b), NOW, &claims, &why) == E_UNAUTHORIZED);
        buf_deinit(&b);
    }
    static const char *const shapes[] = { "", ".", "..", "...", "a.b.c", "a.b.c.d", "e30.e30.", "!.!.!" };
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) check(verify(shapes[i]) == E_UNAUTHORIZED);

    char *large = calloc(1, 5000);
    memset(large, 'a', 4999);
    large[10] = large[20] = '.';
    check(verify(large) == E_UNAUTHORIZED);
    free(large);
}

/* Public keys: RS256 and ES256 by JWKS and PEM, and no confusion of a public key with a secret. */
static void t4_public_keys(void) {
    json_t *rsa = json_pack("{s:s,s:s}", "alg", "RS256", "kid", "r1"), *ec = json_pack("{s:s}", "alg", "ES256");
    char n[172] = { 0 };            /* 1024 bits */
    memset(n, 'q', 171);
    json_t *small = json_pack("{s:s,s:s,s:s}", "kty", "RSA", "n", n, "e", "AQAB");
    struct jwt_keys *both = jwt_keys_new();

    check(jose_jwk_gen(NULL, rsa) && jose_jwk_gen(NULL, ec));
    char *by_rsa = sign(rsa, "{\"alg\":\"RS256\",\"kid\":\"r1\"}", GOOD);
    json_t *set = json_pack("{s:[O,O,O]}", "keys", rsa, ec, small);
    jose_jwk_pub(NULL, set);        /* strips the private parts of each */
    char *text = json_dumps(set, 0);
    check(strstr(text, "\"n\"") != NULL);
    check(jwt_keys_add_public(both, slice_of(text)) == E_OK);
    check(jwt_verify(both, slice_of(by_rsa), NOW, &claims, &why) == E_OK && strcmp(claims.sub, "anna") == 0);
    by_rsa[strlen(by_rsa) - 9] ^= 1;
    check(jwt_verify(both, slice_of(by_rsa), NOW, &claims, &why) == E_UNAUTHORIZED);

    json_t *signing_ec = json_pack("{s:s}", "alg", "ES256");
    check(jose_jwk_gen(NULL, signing_ec));
    EVP_PKEY *pkey = jose_openssl_jwk_to_EVP_PKEY(NULL, signing_ec);
    BIO *bio = BIO_new(BIO_s_mem());
    char *pem;
    check(PEM_write_bio_PUBKEY(bio, pkey) == 1);
    long pem_len = BIO_get_mem_data(bio, &pem);
    struct jwt_keys *one = jwt_keys_new();
    struct slice pem_slice = { (const uint8_t *)pem, (size_t)pem_len };
    check(jwt_keys_add_public(one, pem_slice) == E_OK);
    char *token = sign(signing_ec, "{\"alg\":\"ES256\"}", GOOD);
    check(jwt_verify(one, slice_of(token), NOW, &claims, &why) == E_OK && strcmp(claims.sub, "anna") == 0);
    check(jwt_verify(both, slice_of(token), NOW, &claims, &why) == E_UNAUTHORIZED);     /* another key's */
    free(token);

    json_t *confused = json_pack("{s:s,s:o}", "kty", "oct", "k", jose_b64_enc(pem_slice.at, pem_slice.len));
    token = sign(confused, HS, GOOD);                   /* the public key's text as an HMAC secret */
    check(jwt_verify(one, slice_of(token), NOW, &claims, &why) == E_UNAUTHORIZED);
    free(token);

    check(jwt_keys_add_public(one, slice_of("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n")) == E_INVALID);
    check(jwt_keys_add_public(one, slice_of("{\"keys\":[]}")) == E_INVALID);
    check(jwt_keys_add_public(one, slice_of("")) == E_INVALID && jwt_keys_add_public(one, slice_of("x")) == E_INVALID);
    char *weak = json_dumps(small, 0);
    check(jwt_keys_add_public(one, slice_of(weak)) == E_INVALID);
    free(weak);
    json_decref(confused);
    json_decref(signing_ec);
    free(by_rsa);
    json_decref(rsa);
    json_decref(ec);
    json_decref(small);
    json_decref(set);
    free(text);
    EVP_PKEY_free(pkey);
    BIO_free(bio);
    jwt_keys_free(one);
    jwt_keys_free(both);
}

/* kid: with several keys of one algorithm it decides; without it nothing is guessed. */
static void t5_kid(void) {
    struct jwt_keys *set = jwt_keys_new();
    json_t *private[2];

    for (int i = 0; i < 2; i++) {
        private[i] = json_pack("{s:s,s:s}", "alg", "ES256", "kid", i ? "two" : "one");
        check(jose_jwk_gen(NULL, private[i]));
        json_t *public = json_deep_copy(private[i]);
        check(jose_jwk_pub(NULL, public));
        char *text = json_dumps(public, 0);
        check(jwt_keys_add_public(set, slice_of(text)) == E_OK);
        free(text);
        json_decref(public);
    }
    static const struct { int key; const char *header; int e; } cases[] = {
        { 0, "{\"alg\":\"ES256\",\"kid\":\"one\"}", E_OK }, { 1, "{\"alg\":\"ES256\",\"kid\":\"two\"}", E_OK },
        { 0, "{\"alg\":\"ES256\",\"kid\":\"two\"}", E_UNAUTHORIZED }, { 0, "{\"alg\":\"ES256\"}", E_UNAUTHORIZED },
        { 0, "{\"alg\":\"ES256\",\"kid\":\"on\"}", E_UNAUTHORIZED },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *token = sign(private[cases[i].key], cases[i].header, GOOD);
        check(jwt_verify(set, slice_of(token), NOW, &claims, &why) == cases[i].e);
        free(token);
    }
    json_decref(private[0]);
    json_decref(private[1]);
    jwt_keys_free(set);
}

static void t6_secrets(void) {
    struct jwt_keys *k = jwt_keys_new();

    check(jwt_keys_empty(k) && jwt_keys_add_secret(k, slice_of("short")) == E_INVALID && jwt_keys_empty(k));
    check(jwt_keys_add_secret(k, slice_of("another secret of 32 characters!")) == E_OK);
    char *token = sign(secret_jwk, HS, GOOD);
    check(jwt_verify(k, slice_of(token), NOW, &claims, &why) == E_UNAUTHORIZED);
    free(token);
    jwt_keys_free(k);
}

int main(void) {
    keys = jwt_keys_new();
    check(jwt_keys_add_secret(keys, slice_of(SECRET)) == E_OK);
    secret_jwk = json_pack("{s:s,s:o}", "kty", "oct", "k", jose_b64_enc(SECRET, strlen(SECRET)));
    run(t1_what_we_make_passes);
    run(t2_claims);
    run(t3_headers);
    run(t4_public_keys);
    run(t5_kid);
    run(t6_secrets);
    json_decref(secret_jwk);
    jwt_keys_free(keys);
    return t_exit();
}
