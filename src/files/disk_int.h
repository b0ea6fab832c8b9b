/* disk_int.h -- the parts of disk.c. */
#ifndef FILES_DISK_INT_H
#define FILES_DISK_INT_H

#include <sys/types.h>

#include "files/disk.h"

#define DISK_FOLDERS 5
extern const char *const disk_folders[DISK_FOLDERS];

/* What a write took out of the workspace, under a name of ours beside the file (F1). */
struct aside {
    char path[DISK_PATH_BYTES];         /* of the file */
    char temp[DISK_PATH_BYTES];
    uint64_t since_ms;
    struct aside *next;
};

struct watch {
    int wd;
    char path[DISK_PATH_BYTES];
    struct watch *next;
};

struct disk {
    int root;                   /* O_PATH descriptor of the workspace */
    int lock;                   /* holds the flock; -1: read only */
    bool no_exchange, no_lease; /* the file system cannot */
    uint64_t counter;           /* of temporary names */
    struct aside *asides;
    size_t n_asides;
    int inotify;                /* -1: not watching */
    struct watch *watches;
    char busy[64];              /* disk_git_busy's sentence */
};

/* Opens beneath the workspace, following no symbolic link. -errno on failure. */
int disk_openat(const struct disk *d, const char *path, int flags, mode_t mode);
int disk_error(int error);                              /* errno -> E_ */
bool disk_path_is_valid(const char *path);              /* in one of the folders, no "..", not too long */
bool disk_is_temp(const char *name);                    /* is this name one of ours? */
bool disk_is_entity(const char *path);                  /* by folder and ending */

/* disk_write.c */
void disk_add_aside(struct disk *d, const char *path, const char *temp, uint64_t since_ms);
void disk_unlink_temp(struct disk *d, const char *temp);
void disk_probe(struct disk *d);                        /* what can this file system do? */

#endif
