/* ws_key.c -- the opening handshake's proof that we speak WebSocket (RFC 6455 section 4.2.2). */
#include "wire/ws.h"

#include <openssl/evp.h>

#include "base/must.h"

#define KEY_LEN 24      /* 16 bytes in base64 */

static bool is_base64(uint8_t c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '/';
}

bool ws_accept_key(struct slice key, char accept[29]) {
    static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    uint8_t text[KEY_LEN + sizeof guid - 1], hash[20];

    if (key.len != KEY_LEN || key.at[22] != '=' || key.at[23] != '=') return false;
    for (size_t i = 0; i < 22; i++)
        if (!is_base64(key.at[i])) return false;
    memcpy(text, key.at, KEY_LEN);
    memcpy(text + KEY_LEN, guid, sizeof guid - 1);
    must(EVP_Digest(text, sizeof text, hash, NULL, EVP_sha1(), NULL) == 1);
    EVP_EncodeBlock((unsigned char *)accept, hash, sizeof hash);
    return true;
}
