#include "files/scalar.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* A cursor over the scalar: each take_ moves over what it names and says whether it was there. */
struct cursor {
    const uint8_t *at, *end;
};

static struct cursor cursor_of(struct slice s) { return (struct cursor){ s.at, s.at + s.len }; }
static bool at_end(const struct cursor *c) { return c->at == c->end; }

static bool take(struct cursor *c, const char *any_of) {
    if (at_end(c) || *c->at == 0 || !strchr(any_of, *c->at)) return false;
    c->at++;
    return true;
}

static size_t take_all(struct cursor *c, const char *any_of) {
    size_t n = 0;
    while (take(c, any_of)) n++;
    return n;
}

static bool take_word(struct cursor *c, const char *word) {
    size_t len = strlen(word);
    if ((size_t)(c->end - c->at) < len || memcmp(c->at, word, len) != 0) return false;
    c->at += len;
    return true;
}

#define DIGITS "0123456789"

static bool is_one_of(struct slice s, const char *const *words) {
    for (; *words; words++)
        if (slice_is(s, *words)) return true;
    return false;
}

static bool is_true(struct slice s) {
    return is_one_of(s, (const char *const[]){ "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON", NULL });
}

static bool is_false(struct slice s) {
    return is_one_of(s, (const char *const[]){ "no", "No", "NO", "false", "False", "FALSE", "off", "Off",
        "OFF", NULL });
}

static bool is_null(struct slice s) {
    return is_one_of(s, (const char *const[]){ "", "~", "null", "Null", "NULL", NULL });
}

/* (:[0-5]?[0-9])+ */
static bool take_sixties(struct cursor *c) {
    bool any = false;

    while (take(c, ":")) {
        bool small = take(c, "012345");
        if (!take(c, DIGITS) && !small) return false;
        any = true;
    }
    return any;
}

static bool is_int(struct slice s) {
    struct cursor c = cursor_of(s);

    take(&c, "-+");
    if (take_word(&c, "0b")) return take_all(&c, "01_") > 0 && at_end(&c);
    if (take_word(&c, "0x")) return take_all(&c, DIGITS "abcdefABCDEF_") > 0 && at_end(&c);
    if (take(&c, "0")) return at_end(&c) || (take_all(&c, "01234567_") > 0 && at_end(&c));
    if (!take(&c, "123456789")) return false;
    take_all(&c, DIGITS "_");
    return at_end(&c) || (take_sixties(&c) && at_end(&c));
}

/* ([eE][-+][0-9]+)? to the end */
static bool takes_exponent(struct cursor *c) {
    if (at_end(c)) return true;
    return take(c, "eE") && take(c, "-+") && take_all(c, DIGITS) > 0 && at_end(c);
}

static bool is_float(struct slice s) {
    struct cursor c = cursor_of(s);
    bool sign = take(&c, "-+");

    if (take(&c, ".")) {
        if (take_word(&c, "inf") || take_word(&c, "Inf") || take_word(&c, "INF")) return at_end(&c);
        if (sign) return false;
        if (take_word(&c, "nan") || take_word(&c, "NaN") || take_word(&c, "NAN")) return at_end(&c);
        if (!take(&c, DIGITS)) return false;
        take_all(&c, DIGITS "_");
        return takes_exponent(&c);
    }
    if (!take(&c, DIGITS)) return false;
    take_all(&c, DIGITS "_");
    if (take(&c, ".")) {
        take_all(&c, DIGITS "_");
        return takes_exponent(&c);
    }
    if (!take_sixties(&c) || !take(&c, ".")) return false;
    take_all(&c, DIGITS "_");
    return at_end(&c);
}

/* ---- dates ------------------------------------------------------------------------------- */

struct date {
    int year, month, day, hour, minute, second, micros, zone_min;
    bool has_time, has_zone;
};

static bool take_number(struct cursor *c, int least, int most, int *out) {
    int n = 0;

    *out = 0;
    while (n < most && !at_end(c) && isdigit(*c->at)) {
        *out = *out * 10 + (*c->at++ - '0');
        n++;
    }
    return n >= least;
}

static void take_fraction(struct cursor *c, struct date *d) {
    int scale = 100000;

    if (!take(c, ".")) return;
    while (!at_end(c) && isdigit(*c->at)) {
        d->micros += (*c->at++ - '0') * scale;
        scale /= 10;
    }
}

static bool take_zone(struct cursor *c, struct date *d) {
    int hours, minutes = 0;

    take_all(c, " \t");
    d->has_zone = true;
    if (take(c, "Z")) return at_end(c);
    bool minus = take(c, "-");
    if (!minus && !take(c, "+")) return false;
    if (!take_number(c, 1, 2, &hours)) return false;
    if (take(c, ":") && !take_number(c, 2, 2, &minutes)) return false;
    d->zone_min = (minus ? -1 : 1) * (hours * 60 + minutes);
    return at_end(c);
}

static bool date_read(struct slice s, struct date *d) {
    struct cursor c = cursor_of(s);

    *d = (struct date){ 0 };
    if (!take_number(&c, 4, 4, &d->year) || !take(&c, "-") || !take_number(&c, 1, 2, &d->month) || !take(&c, "-") ||
        !take_number(&c, 1, 2, &d->day)) return false;
    if (at_end(&c)) return s.len == 10;
    if (!take(&c, "Tt") && take_all(&c, " \t") == 0) return false;
    if (!take_number(&c, 1, 2, &d->hour) || !take(&c, ":") || !take_number(&c, 2, 2, &d->minute) || !take(&c, ":") ||
        !take_number(&c, 2, 2, &d->second)) return false;
    d->has_time = true;
    take_fraction(&c, d);
    return at_end(&c) || take_zone(&c, d);
}

static struct slice date_iso(struct tree *t, const struct date *d) {
    char text[128];
    int n = snprintf(text, sizeof text, "%04d-%02d-%02d", d->year, d->month, d->day);

    if (d->has_time) {
        n += snprintf(text + n, sizeof text - (size_t)n, "T%02d:%02d:%02d", d->hour, d->minute, d->second);
        if (d->micros) n += snprintf(text + n, sizeof text - (size_t)n, ".%06d", d->micros);
        int zone = abs(d->zone_min);
        if (d->has_zone)
            n += snprintf(text + n, sizeof text - (size_t)n, "%c%02d:%02d", d->zone_min < 0 ? '-' : '+', zone / 60,
                          zone % 60);
    }
    return tree_copy(t, (struct slice){ (const uint8_t *)text, (size_t)n });
}

/* ---- numbers ----------------------------------------------------------------------------- */

/* Sixties: 1:30 is 90, 1:30.5 is 90.5. `digits` has no sign and no underscores. */
static double sixties_value(const char *digits) {
    double value = 0;

    for (;;) {
        char *end;
        value = value * 60 + strtod(digits, &end);
        if (*end != ':') return value;
        digits = end + 1;
    }
}

static double number_value(struct slice s, bool whole) {
    char text[512];
    size_t n = 0, i = 0;
    bool minus = s.len > 0 && s.at[0] == '-';

    if (s.len > 0 && (s.at[0] == '-' || s.at[0] == '+')) i = 1;
    for (; i < s.len && n + 1 < sizeof text; i++)
        if (s.at[i] != '_') text[n++] = (char)s.at[i];
    text[n] = 0;
    double value;
    if (strchr(text, ':')) value = sixties_value(text);
    else if (whole && strncmp(text, "0b", 2) == 0) value = (double)strtoull(text + 2, NULL, 2);
    else if (whole && strncmp(text, "0x", 2) == 0) value = (double)strtoull(text + 2, NULL, 16);
    else if (whole && text[0] == '0') value = (double)strtoull(text, NULL, 8);
    else if (text[0] == '.' && (text[1] | 32) == 'i') value = INFINITY;
    else if (text[0] == '.' && (text[1] | 32) == 'n') value = NAN;
    else value = strtod(text, NULL);
    return minus ? -value : value;
}

enum node_kind scalar_kind(struct slice s) {
    struct date d;

    if (is_null(s)) return NODE_NULL;
    if (is_true(s) || is_false(s)) return NODE_BOOL;
    if (is_float(s)) return NODE_FLOAT;
    if (is_int(s)) return NODE_INT;
    if (date_read(s, &d)) return NODE_DATE;
    return NODE_STRING;
}

void scalar_resolve(struct tree *t, struct slice plain, struct node *n) {
    struct date d;

    n->kind = scalar_kind(plain);
    n->text = plain;
    if (n->kind == NODE_BOOL) n->boolean = is_true(plain);
    if (n->kind == NODE_INT || n->kind == NODE_FLOAT) n->number = number_value(plain, n->kind == NODE_INT);
    if (n->kind == NODE_DATE && date_read(plain, &d)) n->text = date_iso(t, &d);
}

bool scalar_is_special(struct slice plain) { return slice_is(plain, "=") || slice_is(plain, "<<"); }

static int shortest(double number, char out[SCALAR_NUMBER_BYTES]) {
    int n = 0;

    for (int precision = 15; precision <= 17; precision++) {
        n = snprintf(out, SCALAR_NUMBER_BYTES, "%.*g", precision, number);
        if (strtod(out, NULL) == number) break;
    }
    return n;
}

static bool prints_whole(double number) { return number == floor(number) && fabs(number) < 1e16; }

size_t scalar_print_json(double number, char out[SCALAR_NUMBER_BYTES]) {
    if (!isfinite(number)) return (size_t)snprintf(out, SCALAR_NUMBER_BYTES, "null");
    if (prints_whole(number)) return (size_t)snprintf(out, SCALAR_NUMBER_BYTES, "%.0f", number == 0 ? 0 : number);
    return (size_t)shortest(number, out);
}

size_t scalar_print_yaml(double number, bool is_float_, char out[SCALAR_NUMBER_BYTES]) {
    if (isnan(number)) return (size_t)snprintf(out, SCALAR_NUMBER_BYTES, ".nan");
    if (isinf(number)) return (size_t)snprintf(out, SCALAR_NUMBER_BYTES, number < 0 ? "-.inf" : ".inf");
    if (prints_whole(number)) return (size_t)snprintf(out, SCALAR_NUMBER_BYTES, is_float_ ? "%.1f" : "%.0f", number);
    int n = shortest(number, out);
    char *e = strchr(out, 'e');
    if (e && !strchr(out, '.') && n + 2 < SCALAR_NUMBER_BYTES) {    /* 1e-05 would read back as a text */
        memmove(e + 2, e, strlen(e) + 1);
        memcpy(e, ".0", 2);
        n += 2;
    }
    return (size_t)n;
}
