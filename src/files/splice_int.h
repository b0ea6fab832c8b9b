/* splice_int.h -- the parts of splice.c. */
#ifndef FILES_SPLICE_INT_H
#define FILES_SPLICE_INT_H

#include "files/splice.h"
#include "files/yaml_emit.h"

struct splice_edit {
    size_t at, end;             /* bytes of the file that go */
    struct slice text;          /* what comes; in the scratch tree */
    size_t number;              /* equal places: in the order they were made */
};

struct splice {
    struct slice file;          /* ends with a newline */
    struct tree *t;             /* scratch */
    struct splice_edit *edits;
    size_t n, cap;
    size_t list_step;           /* how the file indents the dashes of a list below its key */
    bool unicode;
    bool blunt;                 /* second try: changed texts are written as PyYAML would */
    bool failed;                /* a construct we do not edit: the whole file is written */
};

void splice_put(struct splice *s, size_t at, size_t end, struct slice text);
size_t splice_line_start(const struct splice *s, size_t at);
size_t splice_line_end(const struct splice *s, size_t at);      /* behind its newline */
size_t splice_column(const struct splice *s, size_t at);        /* characters before it on its line */
/* behind its last byte that says something */
size_t splice_content_end(const struct splice *s, const struct node *n);
bool splice_begins_line(const struct splice *s, size_t at);     /* only spaces before it */

/* A value of a key, or of a dash (in_list), that stands at column `indent`. */
void splice_value(struct splice *s, const struct node *was, const struct node *want, const struct yaml_place *place);

/* splice_text.c: one scalar for another, in the style found. */
void splice_scalar(struct splice *s, const struct node *was, const struct node *want, const struct yaml_place *place);

#endif
