/* jwt.c -- signed tokens through libjose, with the checks of jwt.h around it. */
#include "wire/jwt.h"

#include <jose/b64.h>
#include <jose/jwk.h>
#include <jose/jws.h>
#include <jose/openssl.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/must.h"
#include "base/utf8.h"
#include "wire/json.h"

#define KEYS_MAX 32
#define KID_MAX 64

struct key {
    json_t *jwk;            /* with "alg" set by us */
    const char *alg;
    char kid[KID_MAX + 1];  /* "" : has none */
};

struct jwt_keys {
    jose_cfg_t *quiet;      /* libjose would print what it refuses */
    struct key keys[KEYS_MAX];
    size_t n;
    const struct key *secret;
};

/* ---- keys ----------------------------------------------------------------------------------- */

static void say_nothing(void *misc, const char *file, int line, uint64_t err, const char *format,
                        va_list ap) {
    (void)misc, (void)file, (void)line, (void)err, (void)format, (void)ap;
}

struct jwt_keys *jwt_keys_new(void) {
    struct jwt_keys *keys = calloc(1, sizeof *keys);
    must(keys);
    keys->quiet = jose_cfg();
    must(keys->quiet);
    jose_cfg_set_err_func(keys->quiet, say_nothing, NULL);
    return keys;
}

void jwt_keys_free(struct jwt_keys *keys) {
    for (size_t i = 0; i < keys->n; i++) json_decref(keys->keys[i].jwk);
    jose_cfg_decref(keys->quiet);
    free(keys);
}

bool jwt_keys_empty(const struct jwt_keys *keys) { return keys->n == 0; }

void jwt_base64url(struct slice bytes, struct buf *out) {
    size_t len = jose_b64_enc_buf(NULL, bytes.len, NULL, 0);
    uint8_t *to = buf_reserve(out, len);

    if (!to) return;
    must(jose_b64_enc_buf(bytes.at, bytes.len, to, len) == len);
    out->len += len;
}

bool jwt_base64url_decode(struct slice text, struct buf *out) {
    size_t len = jose_b64_dec_buf(NULL, text.len, NULL, 0);
    uint8_t *to = len == SIZE_MAX ? NULL : buf_reserve(out, len + 1);

    if (!to || jose_b64_dec_buf(text.at, text.len, to, len) != len) return false;
    out->len += len;
    return true;
}

/* The one algorithm this key is for, or NULL: not a key we take. Sizes: RFC 7518 sections 3.3, 3.4. */
static const char *alg_of(const json_t *jwk) {
    struct slice kty = json_get_text(jwk, "kty"), alg = json_get_text(jwk, "alg"),
                 use = json_get_text(jwk, "use");
    const char *ours = NULL;

    if (slice_is(kty, "RSA") && json_get_text(jwk, "n").len >= 342) ours = "RS256";     /* 256 bytes in base64 */
    if (slice_is(kty, "EC") && slice_is(json_get_text(jwk, "crv"), "P-256")) ours = "ES256";
    if (!ours || (alg.len && !slice_is(alg, ours)) || (use.len && !slice_is(use, "sig")))
        return NULL;
    return ours;
}

static bool add(struct jwt_keys *keys, const json_t *jwk, const char *alg) {
    struct slice kid = json_get_text(jwk, "kid");

    if (!alg || keys->n == KEYS_MAX || kid.len > KID_MAX) return false;
    struct key *k = &keys->keys[keys->n++];
    *k = (struct key){ .jwk = json_deep_copy(jwk), .alg = alg };
    must(k->jwk && json_object_set_new(k->jwk, "alg", json_string(alg)) == 0);
    json_object_del(k->jwk, "key_ops");
    if (kid.len) memcpy(k->kid, kid.at, kid.len);
    return true;
}

int jwt_keys_add_secret(struct jwt_keys *keys, struct slice secret) {
    if (secret.len < JWT_SECRET_MIN) return E_INVALID;
    json_t *k = jose_b64_enc(secret.at, secret.len);
    json_t *jwk = json_pack("{s:s,s:o}", "kty", "oct", "k", k);
    must(jwk && keys->n < KEYS_MAX && !keys->secret);
    must(add(keys, jwk, "HS256"));
    keys->secret = &keys->keys[keys->n - 1];
    json_decref(jwk);
    return E_OK;
}

static int add_pem(struct jwt_keys *keys, struct slice text) {
    BIO *bio = BIO_new_mem_buf(text.at, (int)text.len);
    EVP_PKEY *pkey = bio ? PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL) : NULL;
    json_t *jwk = pkey ? jose_openssl_jwk_from_EVP_PKEY(keys->quiet, pkey) : NULL;
    bool good = jwk && add(keys, jwk, alg_of(jwk));

    json_decref(jwk);
    EVP_PKEY_free(pkey);
    BIO_free(bio);
    return good ? E_OK : E_INVALID;
}

int jwt_keys_add_public(struct jwt_keys *keys, struct slice text) {
    json_t *root, *one;
    const char *why;
    size_t i, before = keys->n;

    if (text.len > MIB(1)) return E_INVALID;
    if (text.len && memmem(text.at, text.len, "-----BEGIN", 10)) return add_pem(keys, text);
    if (json_parse(text, &root, &why) != E_OK) return E_INVALID;
    json_t *set = json_object_get(root, "keys");
    if (set) {
        json_array_foreach(set, i, one) add(keys, one, alg_of(one));
    } else {
        add(keys, root, alg_of(root));
    }
    json_decref(root);
    return keys->n > before ? E_OK : E_INVALID;
}

/* ---- verifying ------------------------------------------------------------------------------ */

struct parts { struct slice header, payload, signature; };

static bool split(struct slice token, struct parts *p) {
    const uint8_t *end = token.at + token.len;
    const uint8_t *dot = token.len ? memchr(token.at, '.', token.len) : NULL;
    const uint8_t *dot2 = dot ? memchr(dot + 1, '.', (size_t)(end - dot - 1)) : NULL;

    if (!dot2 || memchr(dot2 + 1, '.', (size_t)(end - dot2 - 1))) return false;
    p->header = (struct slice){ token.at, (size_t)(dot - token.at) };
    p->payload = (struct slice){ dot + 1, (size_t)(dot2 - dot - 1) };
    p->signature = (struct slice){ dot2 + 1, (size_t)(end - dot2 - 1) };
    return true;
}

/* A part as a JSON object, or NULL. */
static json_t *decode(struct slice part) {
    struct buf b;
    json_t *v = NULL;
    const char *why;

    buf_init(&b, LIMIT_TOKEN_BYTES);
    if (jwt_base64url_decode(part, &b) && json_parse(buf_view(&b), &v, &why) != E_OK) v = NULL;
    buf_deinit(&b);
    if (v && !json_is_object(v)) {
        json_decref(v);
        return NULL;
    }
    return v;
}

/* The key this header asks for, or NULL with the reason. */
static const struct key *choose_key(const struct jwt_keys *keys, const json_t *header,
                                    const char **why) {
    static const char *const refused[] = { "jku", "x5u", "x5c", "jwk", "crit", "zip", "b64" };
    struct slice alg = json_get_text(header, "alg"), kid = json_get_text(header, "kid");
    const struct key *found = NULL;

    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        if (json_object_get(header, refused[i])) {
            *why = "a header member that could choose the key";
            return NULL;
        }
    *why = "no key for this alg and kid";
    if (json_object_get(header, "kid") && kid.len == 0) return NULL;
    for (size_t i = 0; i < keys->n; i++) {
        const struct key *k = &keys->keys[i];
        if (!slice_is(alg, k->alg)) continue;
        if (kid.len ? slice_is(kid, k->kid) : !found) found = k;
        else if (!kid.len) return NULL;         /* two could be meant */
    }
    return found;
}

static bool signature_is_good(const struct jwt_keys *keys, const struct parts *p,
                              const struct key *key) {
    json_t *jws = json_pack("{s:s%,s:s%,s:s%}", "protected", p->header.at, p->header.len,
                            "payload", p->payload.at, p->payload.len,
                            "signature", p->signature.at, p->signature.len);
    bool good = jws && jose_jws_ver(keys->quiet, jws, NULL, key->jwk, false);

    json_decref(jws);
    return good;
}

/* A NumericDate; false: it is there but not one. */
static bool get_date(const json_t *payload, const char *name, uint64_t *out) {
    const json_t *v = json_object_get(payload, name);

    *out = 0;
    if (!v) return true;
    if (!json_is_number(v) || json_number_value(v) < 0 || json_number_value(v) > 1e11) return false;
    *out = (uint64_t)json_number_value(v);
    return true;
}

static const char *check_dates(const json_t *payload, uint64_t now_s, struct jwt_claims *out) {
    uint64_t nbf, iat;

    if (!get_date(payload, "exp", &out->expires_s) || !get_date(payload, "nbf", &nbf) ||
        !get_date(payload, "iat", &iat))
        return "a date that is not a number";
    if (out->expires_s == 0) return "exp is missing";
    if (out->expires_s + JWT_SKEW_S <= now_s) return "it has expired";
    if (nbf > now_s + JWT_SKEW_S || iat > now_s + JWT_SKEW_S) return "it is not valid yet";
    if (out->expires_s > now_s + JWT_LIFETIME_MAX_S + JWT_SKEW_S)
        return "it lives longer than 24 hours";
    return NULL;
}

static void take_role(struct slice role, struct jwt_claims *out) {
    static const char *const known[] = { "viewer", "commenter", "editor", "admin" };
    size_t had = 0;

    for (size_t i = 0; i < 4; i++)
        if (strcmp(out->role, known[i]) == 0) had = i + 1;
    for (size_t i = had; i < 4; i++)
        if (slice_is(role, known[i])) snprintf(out->role, sizeof out->role, "%s", known[i]);
}

static const char *take_claims(const json_t *payload, struct jwt_claims *out) {
    struct slice sub = json_get_text(payload, "sub"), name = json_get_text(payload, "name");
    json_t *roles = json_object_get(payload, "roles"), *role;
    size_t i;

    if (sub.len == 0 || sub.len > LIMIT_USER_BYTES || utf8_has_control(sub))
        return "sub is missing or not an id";
    memcpy(out->sub, sub.at, sub.len);
    if (name.len < sizeof out->name)
        memcpy(out->name, name.at ? (const char *)name.at : "", name.len);
    take_role(json_get_text(payload, "role"), out);
    json_array_foreach(roles, i, role)
        if (json_is_string(role)) take_role(slice_of(json_string_value(role)), out);
    return NULL;
}

int jwt_verify(const struct jwt_keys *keys, struct slice token, uint64_t now_s,
               struct jwt_claims *out, const char **why) {
    struct parts p;
    const struct key *key = NULL;
    json_t *header = NULL, *payload = NULL;

    *out = (struct jwt_claims){ 0 };
    *why = "malformed";
    if (token.len <= LIMIT_TOKEN_BYTES && split(token, &p)) header = decode(p.header);
    if (header) key = choose_key(keys, header, why);
    if (key && !signature_is_good(keys, &p, key)) {
        *why = "bad signature";
        key = NULL;
    }
    if (key) payload = decode(p.payload);
    if (payload) *why = check_dates(payload, now_s, out);
    else if (key) *why = "malformed payload";
    if (payload && !*why) *why = take_claims(payload, out);
    bool good = payload && !*why;
    json_decref(header);
    json_decref(payload);
    if (!good) *out = (struct jwt_claims){ 0 };
    return good ? E_OK : E_UNAUTHORIZED;
}

/* ---- making --------------------------------------------------------------------------------- */

void jwt_make(const struct jwt_keys *keys, const struct jwt_claims *claims, uint64_t now_s,
              struct buf *out) {
    must(keys->secret);
    json_t *payload = json_pack("{s:s,s:I,s:I}", "sub", claims->sub, "iat", (json_int_t)now_s,
                                "exp", (json_int_t)claims->expires_s);
    must(payload);
    if (claims->name[0]) json_object_set_new(payload, "name", json_string(claims->name));
    if (claims->role[0]) json_object_set_new(payload, "role", json_string(claims->role));
    char *text = json_dumps(payload, JSON_COMPACT);
    json_t *jws = json_pack("{s:o}", "payload", jose_b64_enc(text, strlen(text)));
    json_t *sig = json_pack("{s:{s:s,s:s}}", "protected", "alg", "HS256", "typ", "JWT");
    must(jws && sig && jose_jws_sig(keys->quiet, jws, sig, keys->secret->jwk));
    buf_slice(out, json_get_text(jws, "protected"));
    buf_byte(out, '.');
    buf_slice(out, json_get_text(jws, "payload"));
    buf_byte(out, '.');
    buf_slice(out, json_get_text(jws, "signature"));
    json_decref(sig);
    json_decref(jws);
    json_decref(payload);
    free(text);
}
