#include "entity/fractional_index.h"

#include "base/must.h"

/* A key is an integer part and a fraction. The integer's first letter says how many digits follow:
 * 'a' 1, 'b' 2, ... 'z' 26 count up from zero; 'Z' 1, 'Y' 2, ... 'A' 26 count down below it. The
 * fraction is digits behind a point, without a trailing zero. */

static const char DIGITS[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
#define BASE 62
#define INTEGER_MAX 27

static int value_of(uint8_t digit) {
    const char *at = digit ? strchr(DIGITS, digit) : NULL;
    return at ? (int)(at - DIGITS) : -1;
}

static size_t integer_length(uint8_t head) {
    if (head >= 'a' && head <= 'z') return (size_t)(head - 'a') + 2;
    if (head >= 'A' && head <= 'Z') return (size_t)('Z' - head) + 2;
    return 0;
}

static bool is_smallest(struct slice key) {     /* nothing can come before it */
    if (key.len != INTEGER_MAX || key.at[0] != 'A') return false;
    for (size_t i = 1; i < key.len; i++)
        if (key.at[i] != '0') return false;
    return true;
}

bool fractional_index_is_valid(struct slice key) {
    if (key.len == 0) return false;
    size_t integer = integer_length(key.at[0]);
    if (integer == 0 || integer > key.len || is_smallest(key)) return false;
    for (size_t i = 1; i < key.len; i++)
        if (value_of(key.at[i]) < 0) return false;
    return key.len == integer || key.at[key.len - 1] != '0';
}

static int compare(struct slice a, struct slice b) {
    size_t n = a.len < b.len ? a.len : b.len;
    int c = n ? memcmp(a.at, b.at, n) : 0;
    return c ? c : (a.len > b.len) - (a.len < b.len);
}

static struct slice from(struct slice s, size_t i) {
    return i < s.len ? (struct slice){ s.at + i, s.len - i } : (struct slice){ s.at, 0 };
}

static int digit_at(struct slice s, size_t i) { return i < s.len ? value_of(s.at[i]) : 0; }

/* A fraction between two; b empty is one. a < b. */
static void put_midpoint(struct slice a, struct slice b, struct buf *out) {
    for (;;) {
        if (b.len > 0) {            /* what they have in common stays */
            size_t same = 0;
            while (same < b.len && digit_at(a, same) == value_of(b.at[same])) same++;
            buf_put(out, b.at, same);
            a = from(a, same);
            b = from(b, same);
        }
        int low = digit_at(a, 0), high = b.len > 0 ? value_of(b.at[0]) : BASE;
        if (high - low > 1) {
            buf_byte(out, (uint8_t)DIGITS[(low + high + 1) / 2]);
            return;
        }
        if (b.len > 1) {            /* neighbours, and b goes on: its first digit alone is between */
            buf_byte(out, b.at[0]);
            return;
        }
        buf_byte(out, (uint8_t)DIGITS[low]);
        a = from(a, 1);
        b = (struct slice){ NULL, 0 };
    }
}

/* The integer after (step 1) or before (step -1); false when there is none. */
static bool integer_step(struct slice integer, int step, uint8_t out[INTEGER_MAX], size_t *len) {
    int last = step > 0 ? BASE - 1 : 0;
    size_t n = integer.len, i = n;

    memcpy(out, integer.at, n);
    while (i > 1 && value_of(out[i - 1]) == last) out[--i] = (uint8_t)DIGITS[step > 0 ? 0 : BASE - 1];
    *len = n;
    if (i > 1) {
        out[i - 1] = (uint8_t)DIGITS[value_of(out[i - 1]) + step];
        return true;
    }
    uint8_t head = integer.at[0];               /* it ran over: the next head */
    if (head == (step > 0 ? 'z' : 'A')) return false;
    if (step > 0) head = head == 'Z' ? 'a' : (uint8_t)(head + 1);
    else head = head == 'a' ? 'Z' : (uint8_t)(head - 1);
    out[0] = head;
    *len = integer_length(head);
    for (size_t k = n; k < *len; k++) out[k] = (uint8_t)DIGITS[step > 0 ? 0 : BASE - 1];
    return true;
}

static void put_first_before(struct slice b, struct buf *out) {
    size_t integer = integer_length(b.at[0]), len;
    struct slice whole = { b.at, integer };
    uint8_t step[INTEGER_MAX];

    if (is_smallest(whole)) {
        buf_slice(out, whole);
        put_midpoint((struct slice){ NULL, 0 }, from(b, integer), out);
    } else if (integer < b.len) {
        buf_slice(out, whole);
    } else {
        must(integer_step(whole, -1, step, &len));
        buf_put(out, step, len);
        /* the smallest integer alone is no key */
        struct slice none = { NULL, 0 };
        if (is_smallest((struct slice){ step, len })) put_midpoint(none, none, out);
    }
}

static void put_next_after(struct slice a, struct slice b, struct buf *out) {
    size_t integer = integer_length(a.at[0]), len;
    struct slice whole = { a.at, integer };
    uint8_t step[INTEGER_MAX];

    if (integer_step(whole, 1, step, &len) && (b.len == 0 || compare((struct slice){ step, len }, b) < 0)) {
        buf_put(out, step, len);
        return;
    }
    buf_slice(out, whole);
    put_midpoint(from(a, integer), (struct slice){ NULL, 0 }, out);
}

bool fractional_index_between(struct slice a, struct slice b, struct buf *out) {
    if ((a.len && !fractional_index_is_valid(a)) || (b.len && !fractional_index_is_valid(b))) return false;
    if (a.len && b.len && compare(a, b) >= 0) return false;
    if (a.len == 0 && b.len == 0) {
        buf_text(out, "a0");
    } else if (a.len == 0) {
        put_first_before(b, out);
    } else if (b.len && integer_length(a.at[0]) == integer_length(b.at[0]) &&
               memcmp(a.at, b.at, integer_length(a.at[0])) == 0) {
        size_t integer = integer_length(a.at[0]);
        buf_put(out, a.at, integer);
        put_midpoint(from(a, integer), from(b, integer), out);
    } else {
        put_next_after(a, b, out);
    }
    return true;
}
