/* weave.h -- documents that many clients edit at once and that converge to the same state.
 *
 * Speaks the Yjs update format (version 1), so any Yjs client is a peer. Pure: no I/O, no
 * clock, no thread, no global. A document, relay or result belongs to one thread at a time.
 *
 *   Bytes      the weave_update_ functions work on updates without a document.
 *   Relay      enough to serve sync (tier 1): which structs and deletions are known, as they came.
 *   Document   the integrated content (tier 2): reading, editing, events, anchors.
 *
 *   Memory     each object owns what it holds and is freed whole. What a function returns is
 *              borrowed from the object until the next call that writes to it.
 *   Positions  count UTF-16 units, as Yjs does.
 *   Errors     0, or a negative weave_error. On an error the object is as it was. */
#ifndef WEAVE_H
#define WEAVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct weave_bytes {
    const uint8_t *at;
    size_t len;
};

enum weave_error {
    WEAVE_INVALID = -1,     /* not an update: malformed, truncated or hostile bytes */
    WEAVE_TOO_LARGE = -2,   /* the document would pass its limit */
    WEAVE_WRONG_TYPE = -3,  /* a text is not a map */
    WEAVE_RANGE = -4,       /* the position is outside the text or list */
};

/* Receives encoded bytes, in order: the caller decides where they go. */
struct weave_sink {
    void (*write)(void *ctx, const uint8_t *at, size_t len);
    void *ctx;
};

/* ---- updates without a document ------------------------------------------------------------ */

int weave_update_check(struct weave_bytes update);              /* is it a well-formed update? */

/* One update with the content of all: applying it is applying each. Holes become Skip structs;
 * adjacent typing is joined, so many small updates become about what Yjs would store. */
int weave_update_merge(const struct weave_bytes *updates, size_t n, struct weave_sink out);
/* Its structs above `state` and all its deletions. */
int weave_update_diff(struct weave_bytes update, struct weave_bytes state, struct weave_sink out);
/* Its state vector: the clients that start at clock 0, up to their first hole. */
int weave_update_state(struct weave_bytes update, struct weave_sink out);
/* No structs and no deletions; a malformed one is not empty. */
bool weave_update_is_empty(struct weave_bytes update);

/* Calls on_client for every client id an update names: in structs, origins, parents and
 * deletions; an id may be named more than once. Stops when it returns false, with WEAVE_INVALID. */
int weave_update_clients(struct weave_bytes update, bool (*on_client)(void *ctx, uint64_t client),
                         void *ctx);

/* Walks a state vector: (client, next clock). */
int weave_state_each(struct weave_bytes state,
                     bool (*on_entry)(void *ctx, uint64_t client, uint64_t clock), void *ctx);

/* ---- relay ----------------------------------------------------------------------------------*/

struct weave_relay;

struct weave_missing {
    uint64_t client, clock;     /* structs of client from clock on are needed */
};

/* What an update meant to a relay. Borrowed until the next call that writes to the relay. */
struct weave_effect {
    struct weave_bytes update;      /* new structs and new deletions, cut from the received bytes:
                                       these bytes themselves (then borrowed from the caller) when
                                       all of them is new; len 0 when everything was known */
    struct weave_bytes pending;     /* what cannot be integrated yet, an update by itself; or len 0 */
    const struct weave_missing *missing;    /* what pending waits for: by client, each once */
    size_t n_missing;
};

/* bytes_max bounds the memory of what is held: about the encoded document, and some 300 bytes a
 * client. Content that is deleted is dropped from it in time, its ids stay. */
struct weave_relay *weave_relay_new(size_t bytes_max);
void weave_relay_free(struct weave_relay *r);       /* NULL: nothing */

/* Take what is new and fits; report what it was. All or nothing on an error. The bytes are not kept.
 * WEAVE_INVALID also for more than 10^7 units of GC or tombstones in one update: a client's clock
 * would run away. The first update of an empty relay may have them (it is a document being loaded). */
int weave_relay_apply(struct weave_relay *r, struct weave_bytes update, struct weave_effect *effect);

void weave_relay_state(const struct weave_relay *r, struct weave_sink out);     /* state vector */
/* What one who has `state` lacks: structs above it and the whole delete set. An empty slice is an
 * empty state vector. WEAVE_INVALID: it is malformed; nothing was written. */
int weave_relay_since(struct weave_relay *r, struct weave_bytes state, struct weave_sink out);
size_t weave_relay_bytes(const struct weave_relay *r);          /* memory in use */
size_t weave_relay_encoded(const struct weave_relay *r);        /* about the length of a full answer */

/* ---- document ------------------------------------------------------------------------------ */

struct weave;                   /* a document */

/* A type inside a document (text, map, array, XML node) is named by a number that stays valid
 * while the document lives; 0 is none. A root carries no kind: it can be read as any. */
typedef uint32_t weave_type;

enum weave_kind {               /* numbers as on the wire */
    WEAVE_ARRAY = 0, WEAVE_MAP = 1, WEAVE_TEXT = 2, WEAVE_XML_ELEMENT = 3, WEAVE_XML_FRAGMENT = 4,
    WEAVE_XML_HOOK = 5, WEAVE_XML_TEXT = 6, WEAVE_ROOT = 100,
};

enum weave_value_kind {
    WEAVE_V_UNDEFINED, WEAVE_V_NULL, WEAVE_V_BOOL, WEAVE_V_NUMBER, WEAVE_V_BIGINT, WEAVE_V_STRING,
    WEAVE_V_BINARY, WEAVE_V_OBJECT, WEAVE_V_ARRAY,      /* plain values, not types */
    WEAVE_V_TYPE, WEAVE_V_DOC, WEAVE_V_JSON,            /* JSON: a legacy element or an embed */
};

struct weave_value {
    enum weave_value_kind kind;
    bool boolean;
    double number;
    int64_t bigint;
    weave_type type;
    struct weave_bytes bytes;   /* STRING: UTF-8. BINARY. JSON: its text. DOC: its guid. OBJECT and
                                   ARRAY: the lib0 `any` encoding, tag included */
};

struct weave *weave_new(uint64_t client, size_t bytes_max);     /* client: id of local edits */
void weave_free(struct weave *w);
void weave_set_client(struct weave *w, uint64_t client);        /* id of later local edits */

/* What changed in one transaction, for one type. The path leads from the root to the type. */
struct weave_step { struct weave_bytes key; uint32_t index; bool is_index; };
struct weave_delta {            /* of a text or list, in order */
    enum { WEAVE_RETAIN, WEAVE_INSERT, WEAVE_DELETE } op;
    uint32_t len;
    struct weave_bytes text;    /* WEAVE_INSERT into a text: UTF-8 (len counts units) */
    const struct weave_value *values;       /* WEAVE_INSERT into a list, embeds: len values */
    const struct weave_attribute { struct weave_bytes key, json; } *attributes;    /* formats */
    size_t n_attributes;
};
struct weave_key_change {
    struct weave_bytes key;
    enum { WEAVE_KEY_ADD, WEAVE_KEY_UPDATE, WEAVE_KEY_DELETE } action;
    struct weave_value old;     /* what it was, for UPDATE and DELETE, where still known */
};
struct weave_event {
    weave_type type;
    weave_type root;            /* where the path starts */
    const struct weave_step *path;
    size_t n_path;
    const struct weave_delta *deltas;
    size_t n_deltas;
    const struct weave_key_change *keys;
    size_t n_keys;
};

/* Reports of one apply, each optional. Called after everything is in place. */
struct weave_observer {
    void *ctx;
    void (*on_event)(void *ctx, const struct weave_event *event);
    /* Two clients wrote this map key without having seen each other; `lost` is not the value. */
    void (*on_key_clash)(void *ctx, weave_type map, struct weave_bytes key, struct weave_value lost,
                         uint64_t lost_client);
    /* Content came into a type that was deleted: it is not visible. `content`: its text, if text. */
    void (*on_deleted_parent)(void *ctx, uint64_t client, uint64_t clock, uint32_t len,
                              struct weave_bytes content);
};

int weave_apply(struct weave *w, struct weave_bytes update, const struct weave_observer *observer);
void weave_state(struct weave *w, struct weave_sink out);
int weave_since(struct weave *w, struct weave_bytes state, struct weave_sink out);  /* empty state: all */
bool weave_has_pending(const struct weave *w);
size_t weave_memory(const struct weave *w);

/* Reading */
weave_type weave_root(struct weave *w, struct weave_bytes name);        /* made when absent */
bool weave_roots(struct weave *w, size_t i, struct weave_bytes *name, weave_type *type);  /* i-th; false: no more */
enum weave_kind weave_kind_of(const struct weave *w, weave_type t);
uint32_t weave_length(const struct weave *w, weave_type t);             /* visible units or elements */
bool weave_is_deleted(const struct weave *w, weave_type t);
void weave_text_read(struct weave *w, weave_type t, struct weave_sink out);     /* UTF-8, no embeds */
bool weave_array_get(struct weave *w, weave_type t, uint32_t index, struct weave_value *out);
bool weave_map_get(struct weave *w, weave_type t, struct weave_bytes key, struct weave_value *out);
/* Calls for every key that is set, in the order the keys were first seen. */
void weave_map_each(struct weave *w, weave_type t,
                    void (*on_key)(void *ctx, struct weave_bytes key, const struct weave_value *v), void *ctx);
void weave_json(struct weave *w, weave_type t, struct weave_sink out);  /* toJSON; a root: by what it holds */

/* Editing: between weave_begin and weave_commit, which writes the transaction's update (nothing
 * when nothing changed). Values of kind TYPE cannot be given; use the _type calls. */
void weave_begin(struct weave *w);
void weave_commit(struct weave *w, struct weave_sink out);
int weave_text_insert(struct weave *w, weave_type t, uint32_t at, struct weave_bytes utf8);
int weave_text_insert_with(struct weave *w, weave_type t, uint32_t at, struct weave_bytes utf8,
                           const struct weave_attribute *attributes, size_t n);
int weave_text_embed(struct weave *w, weave_type t, uint32_t at, struct weave_bytes json);
int weave_text_format(struct weave *w, weave_type t, uint32_t at, uint32_t len,
                      const struct weave_attribute *attributes, size_t n);
int weave_text_delete(struct weave *w, weave_type t, uint32_t at, uint32_t len);
int weave_array_insert(struct weave *w, weave_type t, uint32_t at, const struct weave_value *v, size_t n);
int weave_array_insert_type(struct weave *w, weave_type t, uint32_t at, enum weave_kind kind, weave_type *out);
int weave_array_delete(struct weave *w, weave_type t, uint32_t at, uint32_t len);
int weave_map_set(struct weave *w, weave_type t, struct weave_bytes key, const struct weave_value *v);
int weave_map_set_type(struct weave *w, weave_type t, struct weave_bytes key, enum weave_kind kind, weave_type *out);
int weave_map_delete(struct weave *w, weave_type t, struct weave_bytes key);

/* Anchors (Yjs: relative positions), in Yjs' binary encoding. */
int weave_anchor_make(struct weave *w, weave_type t, uint32_t at, int assoc, struct weave_sink out);
int weave_anchor_find(struct weave *w, struct weave_bytes anchor, weave_type *t, uint32_t *at);

/* Values: from the lib0 `any` encoding to JSON text and back (numbers as JavaScript prints them). */
int weave_any_to_json(struct weave_bytes any, struct weave_sink out);
int weave_any_from_json(struct weave_bytes json, struct weave_sink out);

#endif
