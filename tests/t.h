/* t.h -- the test harness. A test is a function; a failed check prints its place and goes on.
 * Output is TAP: one "ok - name" or "not ok - name" a test. A test is named after its rule. */
#ifndef T_H
#define T_H

#include <stdio.h>

static int t_failed, t_failed_before;

#define check(x) \
    ((x) ? (void)0 : (void)(t_failed++, fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #x)))

#define run(test)                                                             \
    (t_failed_before = t_failed, test(),                                      \
     printf("%sok - %s\n", t_failed > t_failed_before ? "not " : "", #test),  \
     fflush(stdout))

/* For the end of main. */
#define t_exit() (t_failed ? 1 : 0)

#endif
