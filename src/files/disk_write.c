/* disk_write.c -- F1: writing beside other writers without losing what they wrote. */
#include "files/disk_int.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/must.h"
#include "base/rand.h"

/* The names of one file being written. A temporary is called "new" until its bytes are on the disk: such
 * a leftover holds nothing of anybody's. "out" is what is exchanged: it holds our bytes before and somebody's
 * after. */
struct names {
    char folder[DISK_PATH_BYTES], fresh[DISK_PATH_BYTES], out[DISK_PATH_BYTES];
};

static int names_make(const char *path, struct names *n) {
    const char *slash = strrchr(path, '/');
    char id[17];

    if (!disk_path_is_valid(path) || strlen(slash + 1) > 200) return E_INVALID;
    rand_hex(id, 8);
    int dir = (int)(slash - path);
    snprintf(n->folder, sizeof n->folder, "%.*s", dir, path);
    int a = snprintf(n->fresh, sizeof n->fresh, "%.*s/.%s.covalent-new-%s", dir, path, slash + 1, id);
    int b = snprintf(n->out, sizeof n->out, "%.*s/.%s.covalent-out-%s", dir, path, slash + 1, id);
    return a < DISK_PATH_BYTES && b < DISK_PATH_BYTES ? E_OK : E_INVALID;
}

static int write_all(int fd, struct slice bytes) {
    while (bytes.len > 0) {
        ssize_t n = write(fd, bytes.at, bytes.len);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return disk_error(errno);
        bytes.at += n;
        bytes.len -= (size_t)n;
    }
    return fsync(fd) < 0 ? disk_error(errno) : E_OK;
}

/* The folder of a path, opened safely: names in it are then used alone, so no link can lead away. */
static int open_folder(struct disk *d, const char *path) {
    return disk_openat(d, path, O_RDONLY | O_DIRECTORY, 0);
}

static const char *name_of(const char *path) { return strrchr(path, '/') + 1; }

static int rename_in(int dir, const char *from, const char *to, unsigned flags) {
    return syscall(SYS_renameat2, dir, name_of(from), dir, name_of(to), flags) < 0 ? -errno : 0;
}

/* A temporary file with these bytes, durable, under the name "out". */
static int make_temp(int dir, const struct names *n, struct slice bytes, mode_t mode, bool exact) {
    int fd = openat(dir, name_of(n->fresh), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);

    if (fd < 0) return disk_error(errno);
    if (exact) (void)!fchmod(fd, mode);
    int r = write_all(fd, bytes);
    close(fd);
    if (r == E_OK && rename_in(dir, n->fresh, n->out, RENAME_NOREPLACE) < 0) r = E_IO;
    if (r < 0) unlinkat(dir, name_of(n->fresh), 0);
    return r;
}

/* ---- what waits beside ------------------------------------------------------------------- */

void disk_add_aside(struct disk *d, const char *path, const char *temp, uint64_t since_ms) {
    struct aside *a = calloc(1, sizeof *a), **at = &d->asides;

    must(a);
    snprintf(a->path, sizeof a->path, "%s", path);
    snprintf(a->temp, sizeof a->temp, "%s", temp);
    a->since_ms = since_ms;
    while (*at) at = &(*at)->next;
    *at = a;
    d->n_asides++;
}

size_t disk_aside(const struct disk *d) { return d->n_asides; }

void disk_unlink_temp(struct disk *d, const char *temp) {
    char folder[DISK_PATH_BYTES];

    snprintf(folder, sizeof folder, "%.*s", (int)(name_of(temp) - temp - 1), temp);
    int dir = open_folder(d, folder);
    if (dir < 0) return;
    unlinkat(dir, name_of(temp), 0);
    close(dir);
}

/* True: dealt with. */
static bool settle_one(struct disk *d, struct aside *a,
                       int (*on_displaced)(void *ctx, const char *path, struct slice bytes), void *ctx) {
    struct buf bytes;
    uint64_t age = d->no_lease ? 1000 : DISK_SETTLE_MS;

    if (a->since_ms && clock_mono_ms() - a->since_ms < age) return false;
    buf_init(&bytes, LIMIT_DOCUMENT_BYTES);
    int r = disk_read(d, a->temp, &bytes, NULL);
    bool done = r == E_NOT_FOUND || r == E_INVALID;
    if (r == E_OK && on_displaced(ctx, a->path, buf_view(&bytes)) == E_OK) {
        disk_unlink_temp(d, a->temp);
        done = true;
    }
    buf_deinit(&bytes);
    return done;
}

size_t disk_settle(struct disk *d, int (*on_displaced)(void *ctx, const char *path, struct slice bytes), void *ctx) {
    struct aside **at = &d->asides;

    while (*at) {
        struct aside *a = *at;
        if (!settle_one(d, a, on_displaced, ctx)) {
            at = &a->next;
            continue;
        }
        *at = a->next;
        free(a);
        d->n_asides--;
    }
    return d->n_asides;
}

/* ---- writing ----------------------------------------------------------------------------- */

/* Without exchange: the old file gets a second name first, so what a late writer still puts into it is
 * found there; then our file takes its place. Between the two a rename-over can be lost: disk_weakness says so. */
static int replace_by_link(int dir, const struct names *n, const char *path) {
    char old[DISK_PATH_BYTES];

    if (snprintf(old, sizeof old, "%s2", n->out) >= DISK_PATH_BYTES) return -ENAMETOOLONG;
    if (linkat(dir, name_of(path), dir, name_of(old), 0) < 0) return -errno;
    if (renameat(dir, name_of(n->out), dir, name_of(path)) < 0) {
        int error = errno;
        unlinkat(dir, name_of(old), 0);
        return -error;
    }
    return renameat(dir, name_of(old), dir, name_of(n->out)) < 0 ? -errno : 0;
}

static int replace_in(struct disk *d, int dir, const struct names *n, const char *path, struct slice bytes) {
    struct stat st;

    if (fstatat(dir, name_of(path), &st, AT_SYMLINK_NOFOLLOW) < 0) return disk_error(errno);
    if (!S_ISREG(st.st_mode)) return E_INVALID;
    int r = make_temp(dir, n, bytes, st.st_mode & 07777, true);
    if (r < 0) return r;
    int e = d->no_exchange ? replace_by_link(dir, n, path) : rename_in(dir, n->out, path, RENAME_EXCHANGE);
    if (e < 0) {
        unlinkat(dir, name_of(n->out), 0);
        return disk_error(-e);
    }
    disk_add_aside(d, path, n->out, clock_mono_ms());
    return fsync(dir) < 0 ? E_IO : E_OK;
}

/* The descriptor of the folder that `path` is in, or an E_ value. */
static int open_to_write(struct disk *d, const char *path, struct names *n) {
    must(d->lock >= 0);
    int r = names_make(path, n);
    if (r < 0) return r;
    int dir = open_folder(d, n->folder);
    return dir < 0 ? disk_error(-dir) : dir;
}

int disk_replace(struct disk *d, const char *path, struct slice bytes) {
    struct names n;
    int dir = open_to_write(d, path, &n);

    if (dir < 0) return dir;
    int r = replace_in(d, dir, &n, path, bytes);
    close(dir);
    return r;
}

/* Makes the folders of a path, one below the other. */
static int make_folders(struct disk *d, const char *folder) {
    char part[DISK_PATH_BYTES];
    const char *at = folder;

    do {
        const char *slash = strchr(at, '/');
        size_t len = slash ? (size_t)(slash - folder) : strlen(folder);
        snprintf(part, sizeof part, "%.*s", (int)len, folder);
        const char *last = strrchr(part, '/');
        char parent[DISK_PATH_BYTES] = ".";
        if (last) snprintf(parent, sizeof parent, "%.*s", (int)(last - part), part);
        int dir = open_folder(d, parent);
        if (dir < 0) return disk_error(-dir);
        int r = mkdirat(dir, last ? last + 1 : part, 0777);
        int error = errno;
        if (r == 0) fsync(dir);
        close(dir);
        if (r < 0 && error != EEXIST) return disk_error(error);
        at = slash ? slash + 1 : NULL;
    } while (at);
    return E_OK;
}

int disk_create(struct disk *d, const char *path, struct slice bytes) {
    struct names n;

    must(d->lock >= 0);
    int r = names_make(path, &n);
    if (r == E_OK) r = make_folders(d, n.folder);
    if (r < 0) return r;
    int dir = open_folder(d, n.folder);
    if (dir < 0) return disk_error(-dir);
    r = make_temp(dir, &n, bytes, 0644, false);
    if (r == E_OK) {
        int e = rename_in(dir, n.out, path, RENAME_NOREPLACE);
        if (e == -EINVAL || e == -ENOSYS) {     /* no such flag here: a link does not replace either */
            e = linkat(dir, name_of(n.out), dir, name_of(path), 0) < 0 ? -errno : 0;
            unlinkat(dir, name_of(n.out), 0);
        }
        if (e < 0) {
            unlinkat(dir, name_of(n.out), 0);
            r = disk_error(-e);
        } else if (fsync(dir) < 0) {
            r = E_IO;
        }
    }
    close(dir);
    return r;
}

int disk_unlink(struct disk *d, const char *path) {
    struct names n;
    int dir = open_to_write(d, path, &n);

    if (dir < 0) return dir;
    int r = unlinkat(dir, name_of(path), 0) < 0 ? disk_error(errno) : fsync(dir) < 0 ? E_IO : E_OK;
    close(dir);
    return r;
}

/* ---- what this file system can do -------------------------------------------------------- */

static int probe_file(int dir, const char *name) {
    int fd = openat(dir, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd >= 0) close(fd);
    return fd < 0 ? -1 : 0;
}

void disk_probe(struct disk *d) {
    char a[40] = "./.probe.covalent-new-", b[40] = "./.probe.covalent-new-";

    rand_hex(a + strlen(a), 8);
    rand_hex(b + strlen(b), 8);
    signal(SIGIO, SIG_IGN);         /* a writer that breaks our lease sends it */
    if (probe_file(d->root, a) < 0) return;
    if (probe_file(d->root, b) == 0) {
        d->no_exchange = rename_in(d->root, a, b, RENAME_EXCHANGE) < 0;
        int fd = openat(d->root, a, O_RDONLY | O_CLOEXEC);
        d->no_lease = fd < 0 || fcntl(fd, F_SETLEASE, F_RDLCK) < 0;
        if (fd >= 0) close(fd);
        unlinkat(d->root, b, 0);
    }
    unlinkat(d->root, a, 0);
}

const char *disk_weakness(const struct disk *d) {
    if (d->no_exchange)
        return "this file system cannot exchange two files: what a program saves while we write may be lost";
    if (d->no_lease)
        return "this file system does not say whether a file is open for writing: changes are read a second later";
    return NULL;
}
