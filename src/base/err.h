/* err.h -- every error code, defined once.
 *
 * A row: name, value, message, HTTP status, WebSocket close code. REST and WebSocket read the
 * same row, so the two cannot disagree. */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#define ERR_LIST(X)                                                       \
    X(AGAIN,        -1,  "more bytes are needed",              0,   0)    \
    X(INVALID,      -2,  "the input is malformed",             400, 1007) \
    X(DENIED,       -3,  "permission denied",                  403, 4403) \
    X(NOT_FOUND,    -4,  "not found",                          404, 4404) \
    X(TOO_LARGE,    -5,  "larger than the limit",              413, 1009) \
    X(RATE_LIMITED, -6,  "rate limit exceeded",                429, 1013) \
    X(OVERLOADED,   -7,  "overloaded, try again",              503, 1013) \
    X(IO,           -8,  "the store failed",                   500, 1011) \
    X(UNAUTHORIZED, -9,  "a valid token is needed",            401, 4401) \
    X(REPLACED,     -10, "the document was replaced",          409, 4410) \
    X(EXISTS,       -11, "already exists",                     400, 1008) \
    X(FULL,         -12, "no space on the disk",               507, 1013) \
    X(CONFLICT,     -13, "changed by somebody else meanwhile", 409, 1008) \
    X(CORRUPT,      -14, "the stored data is damaged",         500, 1011)

enum err {
    E_OK = 0,
#define X(name, value, text, http, close) E_##name = value,
    ERR_LIST(X)
#undef X
};

const char *err_text(int e);    /* a sentence without a full stop; "ok" for E_OK */
int err_http(int e);            /* 200 for E_OK */
int err_close(int e);           /* 1000 for E_OK */

#endif
