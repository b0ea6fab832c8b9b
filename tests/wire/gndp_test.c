#include "t.h"

#include "base/err.h"
#include "wire/gndp.h"

static void w1_messages(void) {
    static const struct { const char *text; int err; const char *code; const char *id; } table[] = {
        { "{\"type\":\"join\",\"room\":\"atom:x\"}", E_OK, "", "" },
        { "{\"type\":\"join\",\"room_id\":\"atom:x\",\"id\":7}", E_OK, "", "7" },
        { "{\"type\":\"leave\",\"room\":\"atom:x\",\"id\":\"a\\\"b\"}", E_OK, "", "\"a\\\"b\"" },
        { "{\"type\":\"heartbeat\"}", E_OK, "", "" },
        { "{\"type\":\"presence\",\"status\":\"idle\"}", E_OK, "", "" },
        { "{\"type\":\"status\",\"status\":\"away\"}", E_OK, "", "" },
        { "{\"type\":\"status\",\"status\":\"gone\"}", E_INVALID, "INVALID_MESSAGE", "" },
        { "{\"type\":\"join\",\"id\":1}", E_INVALID, "INVALID_MESSAGE", "1" },
        { "{\"type\":\"join\",\"room\":\"\"}", E_INVALID, "INVALID_MESSAGE", "" },
        { "{\"type\":\"dance\",\"id\":2}", E_INVALID, "UNKNOWN_TYPE", "2" },
        { "{\"id\":3}", E_INVALID, "INVALID_MESSAGE", "3" },
        { "{\"type\":\"heartbeat\",\"id\":{}}", E_INVALID, "INVALID_MESSAGE", "" },
        { "{\"type\":\"heartbeat\",\"id\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"}",
          E_INVALID, "INVALID_MESSAGE", "" },
        { "[]", E_INVALID, "INVALID_MESSAGE", "" },
        { "", E_INVALID, "INVALID_JSON", "" },
        { "{\"type\":\"join\"", E_INVALID, "INVALID_JSON", "" },
        { "{\"type\":\"join\",\"type\":\"leave\"}", E_INVALID, "INVALID_JSON", "" },
    };

    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct gndp_msg m;
        check(gndp_decode(slice_of(table[i].text), &m) == table[i].err);
        check(strcmp(m.code ? m.code : "", table[i].code) == 0);
        check(strcmp(m.id, table[i].id) == 0);
        gndp_deinit(&m);
    }
}

static void w1_every_prefix_is_refused(void) {
    const char *whole = "{\"type\":\"join\",\"room\":\"atom:x\",\"id\":\"q\"}";
    struct gndp_msg m;

    for (size_t len = 0; len < strlen(whole); len++) {
        check(gndp_decode((struct slice){ (const uint8_t *)whole, len }, &m) == E_INVALID);
        gndp_deinit(&m);
    }
}

static void m1_deep_json_is_an_error(void) {
    char deep[2001];
    struct gndp_msg m;

    memset(deep, '[', 2000);
    deep[2000] = 0;
    check(gndp_decode(slice_of(deep), &m) == E_INVALID && strcmp(m.code, "INVALID_JSON") == 0);
    gndp_deinit(&m);
}

static void w1_answers(void) {
    struct buf b;

    buf_init(&b, 1000);
    gndp_encode_error(&b, "7", "UNKNOWN_TYPE", "no \"such\" type", slice_of("atom:x"));
    check(slice_is(buf_view(&b), "{\"type\":\"error\",\"id\":7,\"code\":\"UNKNOWN_TYPE\","
                                 "\"detail\":\"no \\\"such\\\" type\",\"room\":\"atom:x\"}"));
    buf_reset(&b);
    gndp_encode_joined(&b, "", slice_of("atom:x"), "00ff", false);
    check(slice_is(buf_view(&b), "{\"type\":\"joined\",\"room\":\"atom:x\",\"lineage\":\"00ff\",\"scope\":\"readonly\"}"));
    buf_reset(&b);
    struct gndp_person p = { .user = slice_of("u"), .name = slice_of("N"), .colour = "#0462d3",
                             .status = GNDP_IDLE, .since_ms = 5 };
    gndp_encode_person(&b, &p);
    check(slice_is(buf_view(&b), "{\"user\":\"u\",\"name\":\"N\",\"colour\":\"#0462d3\",\"room\":null,"
                                 "\"status\":\"idle\",\"since\":5}"));
    buf_deinit(&b);
}

int main(void) {
    run(w1_messages);
    run(w1_every_prefix_is_refused);
    run(m1_deep_json_is_an_error);
    run(w1_answers);
    return t_exit();
}
