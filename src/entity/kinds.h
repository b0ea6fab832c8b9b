/* kinds.h -- room names, and the table of what each kind of entity holds (rulings section 3).
 *
 * A room name is `kind:id`. It is checked once, at the border, by name_parse; everything behind it
 * trusts a `struct room_name`. Pure; any thread. */
#ifndef ENTITY_KINDS_H
#define ENTITY_KINDS_H

#include "base/limits.h"
#include "base/read.h"

enum kind { KIND_ATOM, KIND_MODULE, KIND_PHASE, KIND_JOURNEY, KIND_WORKFLOW, KIND_DOC, KIND_USER,
            KIND_WORKSPACE, KIND_COUNT };

struct room_name {
    enum kind kind;
    struct slice id;            /* borrowed from text; empty for `workspace` */
    struct slice text;          /* the whole canonical name, kind included */
};

const char *kind_text(enum kind kind);              /* "atom", ... */
bool kind_of(struct slice text, enum kind *out);
bool kind_has_file(enum kind kind);                 /* atom, module, phase, journey, workflow */
bool kind_has_document(enum kind kind);             /* those, and doc */
const char *kind_folder(enum kind kind);            /* "atoms", ...; only kinds with a file */
const char *kind_extension(enum kind kind);         /* ".yaml" or ".json"; only kinds with a file */

/* The kind of a file by its path in the workspace: first folder and extension (.yml is read too).
 * Its id is not in the path: it is in the file. */
bool kind_of_path(struct slice path, enum kind *out);

bool id_is_valid(struct slice id);                  /* ^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$ without ".." */

/* `kind:id` with a known kind, or `workspace`; E_INVALID otherwise. doc ids are 1 to 512 bytes of
 * UTF-8 without control characters. Borrows text. */
int name_parse(struct slice text, struct room_name *out);

#endif
