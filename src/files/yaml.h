/* yaml.h -- reading a YAML file into a tree that knows where in the file everything stands.
 *
 * Pure; any thread. libyaml's events, typed as PyYAML's safe_load types them (YAML 1.1). Anchors are
 * followed and what they name is copied, under the node budget. Refused with a sentence: more
 * than one document, merge keys, duplicate keys, keys that are lists or maps, tags other than the
 * core ones, whatever passes a limit of limits.h (`ours`: a file we wrote ourselves has no limits but
 * those of a document). */
#ifndef FILES_YAML_H
#define FILES_YAML_H

#include "files/node.h"

/* E_OK or E_INVALID, E_TOO_LARGE with *problem. An empty file reads as null. The tree's nodes borrow from file. */
int yaml_read(struct slice file, bool ours, struct tree *t, struct problem *problem);

#endif
