/* disk.h -- the workspace on disk: walk, read, write, watch.
 *
 * One thread at a time uses a `struct disk` (the projector; `covalent check`). Calls block on the
 * file system and never wait for time to pass: what has to wait says E_AGAIN, ask again in 50 ms.
 *
 * Paths are relative to the workspace, "atoms/processes/atom-x.yaml"; only the five folders atoms,
 * modules, phases, journeys, workflows exist here. Everything is opened beneath the workspace's
 * descriptor with openat2(RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS): no path leads out of it.
 *
 * F1: a file somebody else changes at the very moment we write it is never lost. We exchange, keep
 *     what came out, and look into it when nobody has it open any more: disk_settle.
 * F2: while git works, or a file holds conflict markers, do not write: disk_git_busy, disk_has_conflict. */
#ifndef FILES_DISK_H
#define FILES_DISK_H

#include "base/buf.h"

#define DISK_SETTLE_MS 50       /* the least age of what a write took out, before it is read (F1) */
#define DISK_ABSENT_MS 1000     /* a file counts as deleted after this long without it (F2) */
#define DISK_PATH_BYTES 512     /* the longest path, NUL included */

struct disk;

struct disk_file {
    const char *path;           /* borrowed for the call */
    uint64_t mtime_ns, size, inode;
};

/* E_OK; E_NOT_FOUND: no such directory; E_EXISTS: another process holds the workspace (flock);
 * E_IO. *why says it in a sentence (static text). Leftovers of a crash are taken up: disk_settle. */
int disk_open(const char *directory, struct disk **out, const char **why);
int disk_open_read(const char *directory, struct disk **out, const char **why);  /* no lock, no writing */
void disk_close(struct disk *d);

/* A sentence to print at start when this file system cannot do F1 in full; NULL when it can. */
const char *disk_weakness(const struct disk *d);

/* Every *.yaml, *.yml (workflows: *.json) of the five folders, in byte order of the paths. on_problem
 * hears of what is skipped: a symbolic link, a name that is not UTF-8, a folder that cannot be read,
 * more than 16 folders deep. on_file may end the walk with a negative value, which is returned. */
int disk_walk(struct disk *d, int (*on_file)(void *ctx, const struct disk_file *file),
              void (*on_problem)(void *ctx, const char *path, const char *problem), void *ctx);

/* The whole file, appended to `bytes`; its max is the limit. E_NOT_FOUND; E_TOO_LARGE; E_AGAIN: a
 * program has it open for writing, or it changed while we read; E_INVALID: not a regular file, or
 * a path that leads outside; E_IO. *file (may be NULL) gets its facts (path: the one given). */
int disk_read(struct disk *d, const char *path, struct buf *bytes, struct disk_file *file);
int disk_stat(struct disk *d, const char *path, struct disk_file *file);

/* F1. The file holds `bytes` afterwards, durably (fsync of file and folder), with the mode it had.
 * What was there is kept aside and comes back through disk_settle. E_NOT_FOUND: there is no
 * file now (an editor may be about to rename one into
 * place: ask again in 50 ms, up to DISK_ABSENT_MS); E_FULL; E_IO: nothing happened. */
int disk_replace(struct disk *d, const char *path, struct slice bytes);

/* A new file, mode 0644 & ~umask; folders on the way are made. E_EXISTS: nothing happened. */
int disk_create(struct disk *d, const char *path, struct slice bytes);
int disk_unlink(struct disk *d, const char *path);      /* E_NOT_FOUND, E_IO */

/* Looks into what writes took out. For each thing aside that is old enough and that nobody has open for
 * writing: on_displaced(ctx, path, bytes). The caller compares its hash with what it knew to be in
 * the file (or ever wrote there): if it is another, somebody wrote it, and the caller
 * merges it. E_OK: dealt with, it is unlinked. E_AGAIN: ask again (kept). The bytes are borrowed.
 * Returns how many are still aside. */
size_t disk_settle(struct disk *d, int (*on_displaced)(void *ctx, const char *path, struct slice bytes), void *ctx);
size_t disk_aside(const struct disk *d);                /* how many wait; call disk_settle again when > 0 */

/* Watching. disk_watch starts it (inotify) and gives the descriptor to poll for reading. disk_changes
 * reads what is there, without waiting: on_change(ctx, path) for a file that may have
 * changed, come or gone (any number of times; our own writes too: compare hashes); path NULL: walk
 * everything again (events were lost, or a folder moved). */
int disk_watch(struct disk *d, int *fd, const char **why);
void disk_changes(struct disk *d, void (*on_change)(void *ctx, const char *path), void *ctx);

/* Why nothing may be written now: "git holds its index lock", "a rebase is in progress", ...; or NULL (F2). */
const char *disk_git_busy(struct disk *d);
/* Does a file hold git's conflict markers (a line of each of <<<<<<<, =======, >>>>>>>)? Its line, or 0. */
int disk_has_conflict(struct slice bytes);

#endif
