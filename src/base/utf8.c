#include "base/utf8.h"

/* Length of the sequence that starts here, or 0 when it is not valid UTF-8. */
static size_t sequence(const uint8_t *at, size_t left) {
    uint8_t a = at[0];

    if (a < 0x80) return 1;
    if (a < 0xc2) return 0;
    if (a < 0xe0) return left >= 2 && (at[1] & 0xc0) == 0x80 ? 2 : 0;
    if (a < 0xf0) {
        if (left < 3 || (at[1] & 0xc0) != 0x80 || (at[2] & 0xc0) != 0x80) return 0;
        if (a == 0xe0 && at[1] < 0xa0) return 0;      /* overlong */
        if (a == 0xed && at[1] >= 0xa0) return 0;     /* surrogate */
        return 3;
    }
    if (a > 0xf4 || left < 4) return 0;
    if ((at[1] & 0xc0) != 0x80 || (at[2] & 0xc0) != 0x80 || (at[3] & 0xc0) != 0x80) return 0;
    if (a == 0xf0 && at[1] < 0x90) return 0;
    if (a == 0xf4 && at[1] >= 0x90) return 0;
    return 4;
}

/* How many bytes from `i` on are ASCII, eight at a time: nearly all text is. */
static size_t skip_ascii(struct slice s, size_t i) {
    while (i + 8 <= s.len) {
        uint64_t word;
        memcpy(&word, s.at + i, 8);
        if (word & 0x8080808080808080u) break;
        i += 8;
    }
    return i;
}

bool utf8_is_valid(struct slice s) {
    size_t i = skip_ascii(s, 0);

    while (i < s.len) {
        size_t n = sequence(s.at + i, s.len - i);
        if (n == 0) return false;
        i += n;
        if (n == 1) i = skip_ascii(s, i);
    }
    return true;
}

/* The first byte of a character of several bytes; false: none begins so. */
static bool begin(struct utf8_stream *u, uint8_t a) {
    if (a < 0xc2 || a > 0xf4) return false;
    *u = (struct utf8_stream){ .left = a < 0xe0 ? 1 : a < 0xf0 ? 2 : 3, .low = 0x80, .high = 0xbf };
    if (a == 0xe0) u->low = 0xa0;       /* overlong */
    if (a == 0xed) u->high = 0x9f;      /* surrogates */
    if (a == 0xf0) u->low = 0x90;
    if (a == 0xf4) u->high = 0x8f;
    return true;
}

bool utf8_feed(struct utf8_stream *u, struct slice s) {
    for (size_t i = 0; i < s.len; i++) {
        if (u->left) {
            if (s.at[i] < u->low || s.at[i] > u->high) return false;
            u->left--;
            u->low = 0x80;
            u->high = 0xbf;
            continue;
        }
        i = skip_ascii(s, i);
        if (i == s.len) break;
        if (s.at[i] >= 0x80 && !begin(u, s.at[i])) return false;
    }
    return true;
}

size_t utf8_units(struct slice s) {
    size_t i = skip_ascii(s, 0), units = i;

    for (; i < s.len; i++) {
        if ((s.at[i] & 0xc0) != 0x80) units++;
        if (s.at[i] >= 0xf0) units++;       /* a surrogate pair */
    }
    return units;
}

bool utf8_has_control(struct slice s) {
    for (size_t i = 0; i < s.len; i++)
        if (s.at[i] < 0x20 || s.at[i] == 0x7f) return true;
    return false;
}

size_t utf8_offset(struct slice s, size_t units, bool *inside) {
    size_t i = 0;

    *inside = false;
    while (units > 0 && i < s.len) {
        uint8_t a = s.at[i];
        size_t n = a < 0x80 ? 1 : a < 0xe0 ? 2 : a < 0xf0 ? 3 : 4;
        if (n == 4 && units == 1) {
            *inside = true;
            return i;
        }
        units -= n == 4 ? 2 : 1;
        i += n;
    }
    return i;
}
