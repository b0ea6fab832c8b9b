/* position.c -- from a position in a list to the item there: a B+tree over the items of one list.
 *
 * A leaf holds up to 64 items with their visible lengths; a node up to 32 children with the sums
 * below them. An item knows its leaf. Built at the first look-up that would pass more than
 * WALK_MAX items, then kept up to date by every change.
 *
 * A cursor remembers the leaf used last and the units before it; what changes inside that leaf is
 * added to the sums above only when the cursor moves. So typing touches one leaf. */
#include "weave/doc_int.h"

#define WALK_MAX 64
#define LEAF_MAX 64
#define NODE_MAX 32

struct leaf {
    uint32_t n, sum, parent;
    uint32_t items[LEAF_MAX], lens[LEAF_MAX];
};

struct node {
    uint32_t n, parent, height;     /* height 1: its children are leaves */
    uint32_t children[NODE_MAX], sums[NODE_MAX];
};

struct leaves {
    struct leaf *list;
    uint32_t n, cap, free;          /* free: chain through parent */
};

struct nodes {
    struct node *list;
    uint32_t n, cap, free;
};

struct position {
    struct leaves leaves;
    struct nodes nodes;
    uint32_t root;
    uint32_t leaf;                  /* cursor, or NONE */
    uint32_t before;                /* units before that leaf */
    uint32_t slot, slot_before; /* place in the leaf found last, and the units before it there */
    int64_t owed;                   /* change of the leaf that the sums above do not have yet */
};

void position_free(struct position *p) {
    if (!p) return;
    free(p->leaves.list);
    free(p->nodes.list);
    free(p);
}

size_t position_memory(const struct position *p) {
    return p ? sizeof *p + p->leaves.cap * sizeof *p->leaves.list +
                   p->nodes.cap * sizeof *p->nodes.list
             : 0;
}

/* ---- nodes -------------------------------------------------------------------------------- */

static uint32_t leaf_new(struct position *p) {
    uint32_t i = p->leaves.free;

    if (i != NONE) p->leaves.free = p->leaves.list[i].parent;
    else {
        vector_room(&p->leaves);
        i = p->leaves.n++;
    }
    p->leaves.list[i].n = p->leaves.list[i].sum = 0;
    return i;
}

static uint32_t node_new(struct position *p, uint32_t height) {
    uint32_t i = p->nodes.free;

    if (i != NONE) p->nodes.free = p->nodes.list[i].parent;
    else {
        vector_room(&p->nodes);
        i = p->nodes.n++;
    }
    p->nodes.list[i] = (struct node){ .parent = NONE, .height = height };
    return i;
}

static uint32_t *parent_of(struct position *p, uint32_t height, uint32_t child) {
    return height == 0 ? &p->leaves.list[child].parent : &p->nodes.list[child].parent;
}

static uint32_t child_slot(const struct node *n, uint32_t child) {
    uint32_t i = 0;

    while (n->children[i] != child) i++;
    return i;
}

static uint32_t node_sum(const struct node *n) {
    uint32_t sum = 0;

    for (uint32_t i = 0; i < n->n; i++) sum += n->sums[i];
    return sum;
}

static void add_above(struct position *p, uint32_t leaf, int64_t change) {
    uint32_t child = leaf;

    for (uint32_t i = p->leaves.list[leaf].parent; i != NONE;
         child = i, i = p->nodes.list[i].parent) {
        struct node *n = &p->nodes.list[i];
        uint32_t *sum = &n->sums[child_slot(n, child)];
        *sum = (uint32_t)(*sum + change);
    }
}

static void cursor_leave(struct position *p) {
    if (p->leaf == NONE) return;
    if (p->owed) add_above(p, p->leaf, p->owed);
    p->owed = 0;
    p->leaf = NONE;
}

static void root_over(struct position *p, uint32_t height, uint32_t child, uint32_t sum) {
    p->root = node_new(p, height);
    struct node *root = &p->nodes.list[p->root];
    root->n = 1;
    root->children[0] = child;
    root->sums[0] = sum;
    *parent_of(p, height - 1, child) = p->root;
}

static void node_put(struct position *p, uint32_t node, uint32_t slot, uint32_t child,
                     uint32_t sum) {
    struct node *n = &p->nodes.list[node];
    uint32_t behind = n->n - slot;

    memmove(n->children + slot + 1, n->children + slot, behind * sizeof *n->children);
    memmove(n->sums + slot + 1, n->sums + slot, behind * sizeof *n->sums);
    n->children[slot] = child;
    n->sums[slot] = sum;
    n->n++;
    *parent_of(p, n->height - 1, child) = node;
}

/* Moves the children from `slot` on to a new node, which is returned. */
static uint32_t node_cut(struct position *p, uint32_t node, uint32_t slot) {
    uint32_t right = node_new(p, p->nodes.list[node].height);
    struct node *a = &p->nodes.list[node], *b = &p->nodes.list[right];

    b->n = a->n - slot;
    memcpy(b->children, a->children + slot, b->n * sizeof *b->children);
    memcpy(b->sums, a->sums + slot, b->n * sizeof *b->sums);
    a->n = slot;
    for (uint32_t i = 0; i < b->n; i++) *parent_of(p, b->height - 1, b->children[i]) = right;
    return right;
}

/* `child` was split: `sum` units of it went to `right`, which gets its place behind it. */
static void insert_behind(struct position *p, uint32_t height, uint32_t child, uint32_t right,
                          uint32_t sum) {
    for (;;) {
        uint32_t node = *parent_of(p, height, child);
        if (node == NONE) {
            uint32_t below = height == 0 ? p->leaves.list[child].sum
                                         : node_sum(&p->nodes.list[child]);
            root_over(p, height + 1, child, below);
            node = p->root;
            node_put(p, node, 1, right, sum);
            return;
        }
        struct node *n = &p->nodes.list[node];
        uint32_t slot = child_slot(n, child);
        n->sums[slot] -= sum;
        if (n->n < NODE_MAX) {
            node_put(p, node, slot + 1, right, sum);
            return;
        }
        uint32_t cut = slot + 1 == NODE_MAX ? NODE_MAX : NODE_MAX / 2;
        uint32_t sibling = node_cut(p, node, cut);
        if (slot + 1 >= cut) node_put(p, sibling, slot + 1 - cut, right, sum);
        else node_put(p, node, slot + 1, right, sum);
        sum = node_sum(&p->nodes.list[sibling]);
        child = node;
        right = sibling;
        height++;
    }
}

/* Takes an empty leaf, and nodes that become empty, out of the tree. The root stays. */
static void remove_empty(struct position *p, uint32_t leaf) {
    uint32_t child = leaf, node = p->leaves.list[leaf].parent;

    if (node == NONE) return;
    p->leaves.list[leaf].parent = p->leaves.free;
    p->leaves.free = leaf;
    for (;;) {
        struct node *n = &p->nodes.list[node];
        uint32_t slot = child_slot(n, child), behind = n->n - slot - 1;
        memmove(n->children + slot, n->children + slot + 1, behind * sizeof *n->children);
        memmove(n->sums + slot, n->sums + slot + 1, behind * sizeof *n->sums);
        n->n--;
        if (n->n > 0) return;
        if (n->parent == NONE) {        /* nothing is left: start again with an empty leaf */
            p->root = NONE;
            uint32_t empty = leaf_new(p);
            p->leaves.list[empty].parent = NONE;
            n->parent = p->nodes.free;
            p->nodes.free = node;
            root_over(p, 1, empty, 0);
            return;
        }
        child = node;
        node = n->parent;
        n->parent = p->nodes.free;
        p->nodes.free = child;
    }
}

/* ---- items -------------------------------------------------------------------------------- */

static uint32_t item_slot(const struct leaf *l, uint32_t ref) {
    uint32_t i = 0;

    while (l->items[i] != ref) i++;
    return i;
}

/* The same; the slot found last is tried first. */
static uint32_t item_slot_near(const struct position *p, uint32_t leaf, uint32_t ref) {
    const struct leaf *l = &p->leaves.list[leaf];

    return leaf == p->leaf && p->slot < l->n && l->items[p->slot] == ref ? p->slot
                                                                         : item_slot(l, ref);
}

static uint32_t first_leaf(const struct position *p) {
    uint32_t i = p->root;

    while (p->nodes.list[i].height > 1) i = p->nodes.list[i].children[0];
    return p->nodes.list[i].children[0];
}

/* The visible length of something in `leaf` changed. */
static void leaf_change(struct position *p, uint32_t leaf, int64_t change) {
    p->leaves.list[leaf].sum = (uint32_t)(p->leaves.list[leaf].sum + change);
    if (leaf == p->leaf) {
        p->owed += change;
    } else if (change) {
        cursor_leave(p);
        add_above(p, leaf, change);
    }
}

/* Splits a full leaf and returns the right part; at its end nothing moves, so that appending fills
 * leaves. */
static uint32_t leaf_cut(struct weave *w, struct position *p, uint32_t leaf, uint32_t at) {
    cursor_leave(p);
    uint32_t right = leaf_new(p);
    struct leaf *a = &p->leaves.list[leaf], *b = &p->leaves.list[right];
    uint32_t cut = at == LEAF_MAX ? LEAF_MAX : LEAF_MAX / 2;

    b->n = LEAF_MAX - cut;
    memcpy(b->items, a->items + cut, b->n * sizeof *b->items);
    memcpy(b->lens, a->lens + cut, b->n * sizeof *b->lens);
    a->n = cut;
    for (uint32_t i = 0; i < b->n; i++) {
        b->sum += b->lens[i];
        item_at(w, b->items[i])->leaf = right;
    }
    a->sum -= b->sum;
    insert_behind(p, 0, leaf, right, b->sum);
    return right;
}

static void leaf_put(struct weave *w, struct position *p, uint32_t leaf, uint32_t slot,
                     uint32_t ref) {
    if (p->leaves.list[leaf].n == LEAF_MAX) {
        uint32_t right = leaf_cut(w, p, leaf, slot), kept = p->leaves.list[leaf].n;
        if (slot > kept || slot == LEAF_MAX) {
            leaf = right;
            slot -= kept;
        }
    }
    struct leaf *l = &p->leaves.list[leaf];
    uint32_t behind = l->n - slot, len = item_visible(item_at(w, ref));
    memmove(l->items + slot + 1, l->items + slot, behind * sizeof *l->items);
    memmove(l->lens + slot + 1, l->lens + slot, behind * sizeof *l->lens);
    l->items[slot] = ref;
    l->lens[slot] = len;
    l->n++;
    item_at(w, ref)->leaf = leaf;
    if (leaf == p->leaf && slot <= p->slot) p->slot = p->slot_before = 0;
    leaf_change(p, leaf, len);
}

void position_insert(struct weave *w, uint32_t ref) {
    const struct item *x = item_at(w, ref);
    struct position *p = type_at(w, x->parent)->position;

    if (x->left == NONE) {
        leaf_put(w, p, first_leaf(p), 0, ref);
        return;
    }
    uint32_t leaf = item_at(w, x->left)->leaf;
    leaf_put(w, p, leaf, item_slot_near(p, leaf, x->left) + 1, ref);
}

void position_update(struct weave *w, uint32_t ref) {
    const struct item *x = item_at(w, ref);
    struct position *p = type_at(w, x->parent)->position;
    struct leaf *l = &p->leaves.list[x->leaf];
    uint32_t slot = item_slot_near(p, x->leaf, ref), len = item_visible(x);
    int64_t change = (int64_t)len - l->lens[slot];

    if (change == 0) return;
    l->lens[slot] = len;
    if (x->leaf == p->leaf && slot < p->slot) p->slot = p->slot_before = 0;
    leaf_change(p, x->leaf, change);
}

void position_remove(struct weave *w, uint32_t ref) {
    struct item *x = item_at(w, ref);
    struct position *p = type_at(w, x->parent)->position;
    struct leaf *l = &p->leaves.list[x->leaf];
    uint32_t slot = item_slot(l, ref), behind = l->n - slot - 1, leaf = x->leaf;

    leaf_change(p, leaf, -(int64_t)l->lens[slot]);
    memmove(l->items + slot, l->items + slot + 1, behind * sizeof *l->items);
    memmove(l->lens + slot, l->lens + slot + 1, behind * sizeof *l->lens);
    l->n--;
    x->leaf = NONE;
    if (leaf == p->leaf && slot <= p->slot) p->slot = p->slot_before = 0;
    if (l->n == 0) {
        cursor_leave(p);
        remove_empty(p, leaf);
    }
}

/* ---- look-ups ----------------------------------------------------------------------------- */

static void build(struct weave *w, struct type *t) {
    struct position *p = calloc(1, sizeof *p);

    must(p);
    p->leaves.free = p->nodes.free = p->leaf = NONE;
    uint32_t leaf = leaf_new(p);
    root_over(p, 1, leaf, 0);
    t->position = p;
    for (uint32_t ref = t->start; ref != NONE; ref = item_at(w, ref)->right)
        position_insert(w, ref);
}

/* Puts the cursor on the leaf that holds the unit `at`; the last leaf when there is none. */
static void cursor_to(struct position *p, uint32_t at) {
    if (p->leaf != NONE && at >= p->before && at - p->before < p->leaves.list[p->leaf].sum) return;
    cursor_leave(p);
    uint32_t i = p->root, before = 0;
    for (;;) {
        const struct node *n = &p->nodes.list[i];
        uint32_t k = 0;
        while (k + 1 < n->n && at - before >= n->sums[k]) before += n->sums[k++];
        i = n->children[k];
        if (n->height == 1) break;
    }
    p->leaf = i;
    p->before = before;
    p->slot = p->slot_before = 0;
}

struct spot position_find(struct weave *w, uint32_t type, uint32_t at) {
    struct type *t = type_at(w, type);
    uint32_t ref = t->start, left = at;

    if (at >= t->length) return (struct spot){ NONE, 0 };
    for (uint32_t i = 0; !t->position && i < WALK_MAX; i++, ref = item_at(w, ref)->right) {
        uint32_t len = item_visible(item_at(w, ref));
        if (left < len) return (struct spot){ ref, left };
        left -= len;
    }
    if (!t->position) build(w, t);
    struct position *p = t->position;
    cursor_to(p, at);
    const struct leaf *l = &p->leaves.list[p->leaf];
    left = at - p->before;
    if (left < p->slot_before) p->slot = p->slot_before = 0;
    left -= p->slot_before;
    for (; left >= l->lens[p->slot]; p->slot++) {
        left -= l->lens[p->slot];
        p->slot_before += l->lens[p->slot];
    }
    return (struct spot){ l->items[p->slot], left };
}

uint32_t position_of(struct weave *w, uint32_t ref) {
    const struct item *x = item_at(w, ref);
    struct type *t = type_at(w, x->parent);
    uint32_t before = 0, walked = 0;

    for (uint32_t i = x->left; !t->position && i != NONE; i = item_at(w, i)->left) {
        before += item_visible(item_at(w, i));
        if (++walked > WALK_MAX) build(w, t);
    }
    struct position *p = t->position;
    if (!p) return before;
    cursor_leave(p);
    const struct leaf *l = &p->leaves.list[x->leaf];
    before = 0;
    for (uint32_t i = 0; l->items[i] != ref; i++) before += l->lens[i];
    uint32_t child = x->leaf;
    for (uint32_t i = l->parent; i != NONE; child = i, i = p->nodes.list[i].parent) {
        const struct node *n = &p->nodes.list[i];
        for (uint32_t k = 0; n->children[k] != child; k++) before += n->sums[k];
    }
    return before;
}
