/* number.c -- doubles as JavaScript prints them (ECMAScript Number::toString, radix 10). */
#include "weave/value_int.h"

#include <math.h>
#include <stdio.h>

/* The fewest digits that read back as `v`, which is finite and above 0. Value: 0.DIGITS * 10^point.
 */
static int shortest(double v, char digits[20], int *point) {
    char text[40];
    int precision = 0;

    do snprintf(text, sizeof text, "%.*e", precision, v);
    while (strtod(text, NULL) != v && ++precision < 17);

    int n = 0;
    const char *c = text;
    for (; *c != 'e'; c++)
        if (*c >= '0' && *c <= '9') digits[n++] = *c;
    while (n > 1 && digits[n - 1] == '0') n--;
    *point = (int)strtol(c + 1, NULL, 10) + 1;
    return n;
}

static void put_zeros(struct buf *out, int n) {
    while (n-- > 0) buf_byte(out, '0');
}

void number_print(struct buf *out, double v) {
    char digits[20];
    int point;

    if (v == 0 || !isfinite(v)) {
        buf_text(out, v == 0 ? "0" : "null");       /* in JSON */
        return;
    }
    if (v == floor(v) && fabs(v) < 1e15) {
        buf_printf(out, "%.0f", v);
        return;
    }
    if (v < 0) buf_byte(out, '-');
    int n = shortest(fabs(v), digits, &point);
    if (point > 21 || point < -5) {
        buf_byte(out, (uint8_t)digits[0]);
        if (n > 1) buf_byte(out, '.');
        buf_put(out, digits + 1, (size_t)(n - 1));
        buf_printf(out, "e%+d", point - 1);
    } else if (point >= n) {
        buf_put(out, digits, (size_t)n);
        put_zeros(out, point - n);
    } else if (point > 0) {
        buf_put(out, digits, (size_t)point);
        buf_byte(out, '.');
        buf_put(out, digits + point, (size_t)(n - point));
    } else {
        buf_text(out, "0.");
        put_zeros(out, -point);
        buf_put(out, digits, (size_t)n);
    }
}
