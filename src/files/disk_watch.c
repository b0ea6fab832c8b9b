/* disk_watch.c -- hearing of changes (inotify), and of git at work (F2). */
#include "files/disk_int.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <dirent.h>
#include <unistd.h>

#include "base/err.h"
#include "base/must.h"

#define EVENTS (IN_CLOSE_WRITE | IN_MODIFY | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | \
                IN_ONLYDIR | IN_DONT_FOLLOW | IN_EXCL_UNLINK)
#define DEPTH_MAX 16

static struct watch *watch_find(const struct disk *d, int wd) {
    for (struct watch *w = d->watches; w; w = w->next)
        if (w->wd == wd) return w;
    return NULL;
}

static void watch_forget(struct disk *d, int wd) {
    for (struct watch **at = &d->watches; *at; at = &(*at)->next) {
        if ((*at)->wd != wd) continue;
        struct watch *w = *at;
        *at = w->next;
        free(w);
        return;
    }
}

/* Watches a folder and those below it. "" is the workspace itself: a folder of ours may come later. */
static void watch_folder(struct disk *d, const char *path, int depth) {
    char name[64];
    struct dirent **names;

    int fd = disk_openat(d, *path ? path : ".", O_RDONLY | O_DIRECTORY, 0);
    if (fd < 0) return;
    snprintf(name, sizeof name, "/proc/self/fd/%d/.", fd);
    int wd = inotify_add_watch(d->inotify, name, EVENTS);
    struct watch *w = wd < 0 ? NULL : watch_find(d, wd);
    if (wd >= 0 && !w) {
        w = calloc(1, sizeof *w);
        must(w);
        w->wd = wd;
        w->next = d->watches;
        d->watches = w;
    }
    if (w) snprintf(w->path, sizeof w->path, "%s", path);
    int n = *path && depth < DEPTH_MAX ? scandirat(fd, ".", &names, NULL, NULL) : 0;
    close(fd);
    for (int i = 0; i < n; i++) {
        char child[DISK_PATH_BYTES];
        int len = snprintf(child, sizeof child, "%s/%s", path, names[i]->d_name);
        struct stat st;
        if (names[i]->d_name[0] != '.' && len < DISK_PATH_BYTES &&
            fstatat(d->root, child, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode))
            watch_folder(d, child, depth + 1);
        free(names[i]);
    }
    if (n > 0) free(names);
}

int disk_watch(struct disk *d, int *fd, const char **why) {
    if (d->inotify < 0) d->inotify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (d->inotify < 0) {
        *why = "this system gives no more file watches (fs.inotify.max_user_instances)";
        return E_IO;
    }
    watch_folder(d, "", 0);
    for (int i = 0; i < DISK_FOLDERS; i++) watch_folder(d, disk_folders[i], 0);
    *fd = d->inotify;
    return E_OK;
}

static bool is_folder_of_ours(const char *path) {
    for (int i = 0; i < DISK_FOLDERS; i++)
        if (strcmp(path, disk_folders[i]) == 0) return true;
    return disk_path_is_valid(path);
}

/* True: everything has to be walked again. */
static bool take_event(struct disk *d, const struct inotify_event *e,
                       void (*on_change)(void *ctx, const char *path), void *ctx) {
    char path[DISK_PATH_BYTES];

    if (e->mask & IN_Q_OVERFLOW) return true;
    if (e->mask & IN_IGNORED) {
        watch_forget(d, e->wd);
        return false;
    }
    struct watch *w = watch_find(d, e->wd);
    if (!w || e->len == 0) return false;
    int n = snprintf(path, sizeof path, "%s%s%s", w->path, *w->path ? "/" : "", e->name);
    if (n < 0 || n >= DISK_PATH_BYTES) return false;
    if (e->mask & IN_ISDIR) {
        if (e->name[0] == '.' || !is_folder_of_ours(path)) return false;
        if (e->mask & (IN_CREATE | IN_MOVED_TO)) watch_folder(d, path, 0);
        return true;            /* files may have come into it before we watched */
    }
    if (!disk_is_temp(e->name) && disk_is_entity(path)) on_change(ctx, path);
    return false;
}

void disk_changes(struct disk *d, void (*on_change)(void *ctx, const char *path), void *ctx) {
    _Alignas(struct inotify_event) uint8_t bytes[8192];
    bool everything = false;

    must(d->inotify >= 0);
    for (;;) {
        ssize_t n = read(d->inotify, bytes, sizeof bytes);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) break;
        for (ssize_t i = 0; i < n;) {
            const struct inotify_event *e = (const void *)(bytes + i);
            if (take_event(d, e, on_change, ctx)) everything = true;
            i += (ssize_t)(sizeof *e + e->len);
        }
    }
    if (everything) on_change(ctx, NULL);
}

/* ---- git --------------------------------------------------------------------------------- */

/* The git directory of the workspace or of a directory above it: ".git" itself or the file that names it. */
static int open_git(const struct disk *d) {
    int at = dup(d->root);

    for (int up = 0; up < 32 && at >= 0; up++) {
        struct stat st, above;
        int git = openat(at, ".git", O_RDONLY | O_CLOEXEC);
        if (git >= 0 && fstat(git, &st) == 0) {
            if (S_ISREG(st.st_mode)) {              /* a worktree: "gitdir: PATH" */
                char line[4096] = "";
                ssize_t n = read(git, line, sizeof line - 1);
                close(git);
                line[n > 0 ? n : 0] = 0;
                line[strcspn(line, "\r\n")] = 0;
                bool named = strncmp(line, "gitdir: ", 8) == 0;
                git = named ? openat(at, line + 8, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
            }
            close(at);
            return git;
        }
        if (git >= 0) close(git);
        int parent = openat(at, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        bool top = parent < 0 || fstat(at, &st) < 0 || fstat(parent, &above) < 0 ||
                   (st.st_ino == above.st_ino && st.st_dev == above.st_dev);
        close(at);
        at = parent;
        if (top) break;
    }
    if (at >= 0) close(at);
    return -1;
}

const char *disk_git_busy(struct disk *d) {
    static const struct { const char *name, *why; } signs[] = {
        { "index.lock", "git holds its index lock" }, { "rebase-merge", "a rebase is in progress" },
        { "rebase-apply", "a rebase is in progress" }, { "MERGE_HEAD", "a merge is in progress" },
        { "CHERRY_PICK_HEAD", "a cherry-pick is in progress" }, { "REVERT_HEAD", "a revert is in progress" },
    };
    int git = open_git(d);

    if (git < 0) return NULL;
    const char *why = NULL;
    for (size_t i = 0; i < sizeof signs / sizeof *signs && !why; i++)
        if (faccessat(git, signs[i].name, F_OK, AT_SYMLINK_NOFOLLOW) == 0) why = signs[i].why;
    close(git);
    return why;
}

int disk_has_conflict(struct slice bytes) {
    static const char *const marks[] = { "<<<<<<< ", "=======", ">>>>>>> " };
    int line = 1, first = 0, seen = 0;

    for (size_t i = 0; i < bytes.len && seen < 3; line++) {
        size_t len = strlen(marks[seen]), end = i;
        while (end < bytes.len && bytes.at[end] != '\n') end++;
        if (end - i >= len && memcmp(bytes.at + i, marks[seen], len) == 0) {
            if (seen++ == 0) first = line;
        }
        i = end + 1;
    }
    return seen == 3 ? first : 0;
}
