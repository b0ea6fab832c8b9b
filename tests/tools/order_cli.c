/* order_cli -- fractional indexes on lines: "a b" ("-" is none) is answered by the key between, or "!". */
#include <stdio.h>
#include <string.h>

#include "entity/fractional_index.h"

static struct slice key_of(const char *text) {
    return strcmp(text, "-") == 0 ? (struct slice){ NULL, 0 } : slice_of(text);
}

int main(void) {
    char a[1024], b[1024];

    while (scanf("%1023s %1023s", a, b) == 2) {
        struct buf out;
        buf_init(&out, 4096);
        if (fractional_index_between(key_of(a), key_of(b), &out)) printf("%.*s\n", SLICE_ARG(buf_view(&out)));
        else printf("!\n");
        buf_deinit(&out);
    }
    return 0;
}
