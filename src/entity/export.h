/* export.h -- from a document to its file and to JSON. Pure; any thread. */
#ifndef ENTITY_EXPORT_H
#define ENTITY_EXPORT_H

#include "entity/import.h"

/* The file as it should be now. `previous` (what the file holds; may be empty for a new file) is
 * spliced, so that only the lines of what changed differ; where that is not possible the whole file
 * is emitted in the style of PyYAML at width 80. E_OK, or E_INVALID when the document breaks the
 * shape of its kind (D5): *problem says what; then the last valid file stays. */
int entity_export(enum kind kind, struct weave *doc, struct slice previous, struct buf *file,
                  struct entity_problem *problem);

/* The entity as the file holds it, as JSON with the same keys in the same order (YAML 1.1 typing as
 * PyYAML reads; dates as ISO text). From a document, or straight from a file. */
int entity_json(enum kind kind, struct weave *doc, struct buf *json, struct entity_problem *problem);
int entity_file_json(enum kind kind, struct slice file, struct buf *json, struct entity_problem *problem);

/* A new entity's first file from JSON with the known keys (POST). The caller checked the id. */
int entity_new_file(enum kind kind, struct slice json, struct buf *file, struct entity_problem *problem);

#endif
