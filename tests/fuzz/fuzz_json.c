/* fuzz_json.c -- any bytes as JSON and as a token: taken or refused, nothing else. */
#include "base/err.h"
#include "base/must.h"
#include "wire/json.h"
#include "wire/jwt.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static struct jwt_keys *keys;
    struct jwt_claims claims;
    const char *why = NULL;
    json_t *v = NULL;

    if (!keys) {
        keys = jwt_keys_new();
        must(jwt_keys_add_secret(keys, slice_of("a secret of thirty-two characters")) == E_OK);
    }
    if (json_parse((struct slice){ data, size }, &v, &why) == E_OK) must(v != NULL);
    else must(why != NULL);
    json_decref(v);
    must(jwt_verify(keys, (struct slice){ data, size }, 1700000000, &claims, &why) == E_UNAUTHORIZED);
    return 0;
}
