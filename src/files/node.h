/* node.h -- a tree of values: what a YAML or JSON file holds, or should hold.
 *
 * Pure; a tree belongs to one thread. A tree owns its nodes and everything they point to, except
 * the bytes of the file it was read from, which must live as long; it is freed whole. */
#ifndef FILES_NODE_H
#define FILES_NODE_H

#include "base/buf.h"

enum node_kind { NODE_NULL, NODE_BOOL, NODE_INT, NODE_FLOAT, NODE_DATE, NODE_STRING, NODE_LIST, NODE_MAP };
enum node_style { STYLE_ANY, STYLE_PLAIN, STYLE_SINGLE, STYLE_DOUBLE, STYLE_LITERAL, STYLE_FOLDED,
                  STYLE_BLOCK, STYLE_FLOW };

struct node {
    enum node_kind kind;
    enum node_style style;      /* as in the file */
    bool boolean;               /* BOOL */
    bool is_alias;              /* stands for an anchor's value: nothing of it is at `at` */
    bool is_decorated;          /* has an anchor or a tag before it, from `at` on */
    double number;              /* INT, FLOAT */
    struct slice text;          /* STRING: its value. DATE: ISO text. others: as the file has it */
    struct node *key;           /* of an entry of a map: a scalar, named by its text */
    struct node *first, *last, *next;   /* children; next sibling */
    uint32_t n;                 /* children */
    int line, column;           /* in the file, from 1; 0: not from a file */
    size_t at, end;             /* its bytes in the file */
};

struct tree {
    struct tree_block *blocks;
    struct node *root;
    size_t n_nodes;
};

struct problem {                /* why a file cannot be read; line and column from 1, 0: none */
    int line, column;
    char text[160];
};

void tree_init(struct tree *t);
void tree_deinit(struct tree *t);
void *tree_alloc(struct tree *t, size_t size);                  /* zeroed, aligned */
struct slice tree_copy(struct tree *t, struct slice bytes);

struct node *node_new(struct tree *t, enum node_kind kind);
struct node *node_text(struct tree *t, struct slice text);      /* a STRING; copies */
struct node *node_number(struct tree *t, double number);        /* INT when it is whole and |x| < 2^53 */
struct node *node_clone(struct tree *t, const struct node *n);  /* deep; without its place in a file */
void node_append(struct node *list, struct node *item);
void node_put(struct tree *t, struct node *map, struct slice key, struct node *value);     /* after the last */

/* The child of a map by key, or NULL. Linear: maps of entities are small. */
struct node *node_get(const struct node *map, struct slice key);
struct node *node_find(const struct node *map, const char *key);

bool node_is_scalar(const struct node *n);

/* Do they mean the same? Numbers by value; a date and a text are the same when the text is; keys of
 * maps in the same order. */
bool node_same(const struct node *a, const struct node *b);

void problem_set(struct problem *p, int line, int column, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

#endif
