#include "files/disk_int.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/must.h"
#include "base/utf8.h"

#define DEPTH_MAX 16

const char *const disk_folders[DISK_FOLDERS] = { "atoms", "journeys", "modules", "phases", "workflows" };

int disk_error(int error) {
    switch (error) {
    case ENOENT:
    case ENOTDIR: return E_NOT_FOUND;
    case ENOSPC:
    case EDQUOT: return E_FULL;
    case EEXIST: return E_EXISTS;
    case ELOOP:
    case EXDEV:
    case ENAMETOOLONG:
    case EISDIR: return E_INVALID;
    default: return E_IO;
    }
}

int disk_openat(const struct disk *d, const char *path, int flags, mode_t mode) {
    struct open_how how = {
        .flags = (uint32_t)(flags | O_CLOEXEC), .mode = mode, .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS,
    };
    long fd;

    do fd = syscall(SYS_openat2, d->root, path, &how, sizeof how); while (fd < 0 && errno == EAGAIN);
    return fd < 0 ? -errno : (int)fd;
}

static bool ends_with(const char *text, const char *end) {
    size_t n = strlen(text), k = strlen(end);
    return n > k && strcmp(text + n - k, end) == 0;
}

bool disk_path_is_valid(const char *path) {
    size_t len = strlen(path);

    if (len == 0 || len >= DISK_PATH_BYTES || strstr(path, "..") || strstr(path, "//")) return false;
    for (int i = 0; i < DISK_FOLDERS; i++) {
        size_t n = strlen(disk_folders[i]);
        if (strncmp(path, disk_folders[i], n) == 0 && path[n] == '/' && path[n + 1]) return true;
    }
    return false;
}

bool disk_is_temp(const char *name) { return name[0] == '.' && strstr(name, ".covalent-") != NULL; }

bool disk_is_entity(const char *path) {
    const char *name = strrchr(path, '/');

    if (!name || name[1] == '.' || !disk_path_is_valid(path)) return false;
    if (strncmp(path, "workflows/", 10) == 0) return ends_with(path, ".json");
    return ends_with(path, ".yaml") || ends_with(path, ".yml");
}

/* ---- walking ----------------------------------------------------------------------------- */

struct walk {
    struct disk *d;
    int (*on_file)(void *ctx, const struct disk_file *file);
    void (*on_problem)(void *ctx, const char *path, const char *problem);
    void *ctx;
    bool takes_temps;           /* only what a crash left: at start */
};

static void problem(struct walk *w, const char *path, const char *text) {
    if (w->on_problem && !w->takes_temps) w->on_problem(w->ctx, path, text);
}

static uint64_t nanoseconds(struct timespec t) { return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec; }

static int folder(struct walk *w, const char *path, int depth);

/* The file a temporary name belongs to: ".NAME.covalent-out-..." -> NAME in the same folder. */
static void found_temp(struct walk *w, const char *path) {
    const char *slash = strrchr(path, '/'), *mark = strstr(slash, ".covalent-");
    char target[DISK_PATH_BYTES];

    if (!mark || mark <= slash + 2) return;
    int n = snprintf(target, sizeof target, "%.*s%.*s", (int)(slash + 1 - path), path,
        (int)(mark - slash - 2), slash + 2);
    if (n < 0 || (size_t)n >= sizeof target) return;
    if (strncmp(mark, ".covalent-out-", 14) == 0) {
        disk_add_aside(w->d, target, path, 0);
    } else {                    /* ours, not yet put in place: nothing of anybody's is in it */
        disk_unlink_temp(w->d, path);
    }
}

static int entry(struct walk *w, const char *path, const char *name, int depth) {
    struct stat st;

    if (!utf8_is_valid(slice_of(name))) {
        problem(w, path, "the name is not UTF-8");
        return E_OK;
    }
    if (fstatat(w->d->root, path, &st, AT_SYMLINK_NOFOLLOW) < 0) return E_OK;    /* gone meanwhile */
    if (S_ISDIR(st.st_mode)) return name[0] == '.' ? E_OK : folder(w, path, depth + 1);
    if (disk_is_temp(name)) {
        if (w->takes_temps && S_ISREG(st.st_mode)) found_temp(w, path);
        return E_OK;
    }
    if (w->takes_temps || !disk_is_entity(path)) return E_OK;
    if (!S_ISREG(st.st_mode)) {
        problem(w, path, S_ISLNK(st.st_mode) ? "a symbolic link: not followed" : "not a file");
        return E_OK;
    }
    struct disk_file file = { path, nanoseconds(st.st_mtim), (uint64_t)st.st_size, st.st_ino };
    return w->on_file(w->ctx, &file);
}

static int compare_names(const struct dirent **a, const struct dirent **b) {
    return strcmp((*a)->d_name, (*b)->d_name);
}

static int is_listed(const struct dirent *e) { return strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0; }

static int folder(struct walk *w, const char *path, int depth) {
    struct dirent **names;
    int r = E_OK;

    if (depth > DEPTH_MAX) {
        problem(w, path, "more than 16 folders deep");
        return E_OK;
    }
    int fd = disk_openat(w->d, path, O_RDONLY | O_DIRECTORY, 0);
    if (fd == -ENOENT && depth == 0) return E_OK;
    int n = fd < 0 ? -1 : scandirat(fd, ".", &names, is_listed, compare_names);
    if (fd >= 0) close(fd);
    if (n < 0) {
        problem(w, path, fd == -ELOOP ? "a symbolic link: not followed" : "the folder cannot be read");
        return E_OK;
    }
    for (int i = 0; i < n; i++) {
        char child[DISK_PATH_BYTES];
        int len = snprintf(child, sizeof child, "%s/%s", path, names[i]->d_name);
        if (r == E_OK && (len < 0 || (size_t)len >= sizeof child)) problem(w, path, "a path that is too long");
        else if (r == E_OK) r = entry(w, child, names[i]->d_name, depth);
        free(names[i]);
    }
    free(names);
    return r;
}

static int walk_folders(struct walk *w) {
    int r = E_OK;
    for (int i = 0; i < DISK_FOLDERS && r == E_OK; i++) r = folder(w, disk_folders[i], 0);
    return r;
}

int disk_walk(struct disk *d, int (*on_file)(void *ctx, const struct disk_file *file),
              void (*on_problem)(void *ctx, const char *path, const char *problem), void *ctx) {
    struct walk w = { .d = d, .on_file = on_file, .on_problem = on_problem, .ctx = ctx };
    return walk_folders(&w);
}

/* ---- opening ----------------------------------------------------------------------------- */

static int open_root(const char *directory, struct disk **out, const char **why) {
    int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0) {
        *why = errno == ENOENT ? "there is no such directory" : errno == ENOTDIR ? "it is not a directory"
                                                                                 : "the directory cannot be opened";
        return disk_error(errno);
    }
    struct disk *d = calloc(1, sizeof *d);
    must(d);
    d->root = fd;
    d->lock = d->inotify = -1;
    *out = d;
    return E_OK;
}

int disk_open_read(const char *directory, struct disk **out, const char **why) {
    return open_root(directory, out, why);
}

int disk_open(const char *directory, struct disk **out, const char **why) {
    int r = open_root(directory, out, why);

    if (r < 0) return r;
    struct disk *d = *out;
    d->lock = dup(d->root);
    if (d->lock < 0 || flock(d->lock, LOCK_EX | LOCK_NB) < 0) {
        *why = errno == EWOULDBLOCK ? "another server has this workspace open" : "the workspace cannot be locked";
        r = errno == EWOULDBLOCK ? E_EXISTS : E_IO;
        disk_close(d);
        *out = NULL;
        return r;
    }
    disk_probe(d);
    struct walk w = { .d = d, .takes_temps = true };
    walk_folders(&w);
    return E_OK;
}

void disk_close(struct disk *d) {
    if (!d) return;
    while (d->asides) {
        struct aside *next = d->asides->next;
        free(d->asides);
        d->asides = next;
    }
    while (d->watches) {
        struct watch *next = d->watches->next;
        free(d->watches);
        d->watches = next;
    }
    if (d->inotify >= 0) close(d->inotify);
    if (d->lock >= 0) close(d->lock);
    close(d->root);
    free(d);
}

/* ---- reading ----------------------------------------------------------------------------- */

int disk_stat(struct disk *d, const char *path, struct disk_file *file) {
    struct stat st;

    if (!disk_path_is_valid(path)) return E_INVALID;
    int fd = disk_openat(d, path, O_PATH | O_NOFOLLOW, 0);
    if (fd < 0) return disk_error(-fd);
    int r = fstat(fd, &st);
    close(fd);
    if (r < 0) return E_IO;
    if (!S_ISREG(st.st_mode)) return E_INVALID;
    *file = (struct disk_file){ path, nanoseconds(st.st_mtim), (uint64_t)st.st_size, st.st_ino };
    return E_OK;
}

/* Does somebody have it open for writing? A read lease is only given when nobody does (F1). */
static bool has_writer(const struct disk *d, int fd) {
    if (d->no_lease) return false;
    if (fcntl(fd, F_SETLEASE, F_RDLCK) < 0) return errno == EAGAIN || errno == EWOULDBLOCK;
    fcntl(fd, F_SETLEASE, F_UNLCK);
    return false;
}

static int read_all(int fd, uint64_t size, struct buf *bytes) {
    for (;;) {
        size_t want = size > 0 && size < KIB(64) ? (size_t)size + 1 : KIB(64);
        if (want > bytes->max - bytes->len) want = bytes->max - bytes->len;
        if (want == 0) {
            uint8_t more;
            return read(fd, &more, 1) > 0 ? E_TOO_LARGE : E_OK;
        }
        uint8_t *to = buf_reserve(bytes, want);
        if (!to) return E_TOO_LARGE;
        ssize_t n = read(fd, to, want);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return E_IO;
        if (n == 0) return E_OK;
        bytes->len += (size_t)n;
    }
}

static bool same_file(const struct stat *a, const struct stat *b) {
    return a->st_size == b->st_size && nanoseconds(a->st_mtim) == nanoseconds(b->st_mtim) && a->st_ino == b->st_ino;
}

static int read_open(struct disk *d, int fd, const char *path, struct buf *bytes, struct disk_file *file) {
    struct stat before, after;

    if (fstat(fd, &before) < 0) return E_IO;
    if (!S_ISREG(before.st_mode)) return E_INVALID;
    if ((uint64_t)before.st_size > bytes->max - bytes->len) return E_TOO_LARGE;
    if (has_writer(d, fd)) return E_AGAIN;
    int r = read_all(fd, (uint64_t)before.st_size, bytes);
    if (r < 0) return r;
    if (fstat(fd, &after) < 0) return E_IO;
    if (!same_file(&before, &after) || has_writer(d, fd)) return E_AGAIN;
    if (file) *file = (struct disk_file){ path, nanoseconds(after.st_mtim), (uint64_t)after.st_size, after.st_ino };
    return E_OK;
}

int disk_read(struct disk *d, const char *path, struct buf *bytes, struct disk_file *file) {
    size_t before = bytes->len;

    if (!disk_path_is_valid(path)) return E_INVALID;
    int fd = disk_openat(d, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
    if (fd < 0) return disk_error(-fd);
    int r = read_open(d, fd, path, bytes, file);
    close(fd);
    if (r < 0) bytes->len = before;
    return r;
}
