/* The workspace on disk: what is walked, what is refused, what a crash leaves, what is heard. */
#include "files/disk.h"

#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/limits.h"
#include "t.h"

static char top[64];

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw) {
    (void)st, (void)type, (void)ftw;
    return remove(path);
}

static const char *in(const char *path) {
    static char text[4][512];
    static int n;
    char *at = text[n++ & 3];
    snprintf(at, sizeof text[0], "%s/%s", top, path);
    return at;
}

static void begin(void) {
    snprintf(top, sizeof top, "/tmp/disk_test.XXXXXX");
    check(mkdtemp(top) != NULL);
    check(mkdir(in("atoms"), 0755) == 0 && mkdir(in("atoms/processes"), 0755) == 0);
}

static void end(void) { nftw(top, remove_one, 16, FTW_DEPTH | FTW_PHYS); }

static void put(const char *path, const char *text) {
    FILE *f = fopen(in(path), "wb");
    check(f && fputs(text, f) >= 0 && fclose(f) == 0);
}

static bool holds(const char *path, const char *text) {
    char got[4096];
    FILE *f = fopen(in(path), "rb");
    if (!f) return false;
    size_t n = fread(got, 1, sizeof got, f);
    fclose(f);
    return n == strlen(text) && memcmp(got, text, n) == 0;
}

static struct disk *open_disk(void) {
    struct disk *d = NULL;
    const char *why = "";
    check(disk_open(top, &d, &why) == E_OK);
    return d;
}

struct list { char text[4096], problems[4096]; };

static int on_file(void *ctx, const struct disk_file *file) {
    struct list *l = ctx;
    size_t n = strlen(l->text);
    snprintf(l->text + n, sizeof l->text - n, "%s ", file->path);
    return E_OK;
}

static void on_problem(void *ctx, const char *path, const char *problem) {
    struct list *l = ctx;
    size_t n = strlen(l->problems);
    snprintf(l->problems + n, sizeof l->problems - n, "%s: %s\n", path, problem);
}

static void walks_the_five_folders_in_order(void) {
    struct list l = { "", "" };
    begin();
    mkdir(in("workflows"), 0755), mkdir(in("other"), 0755), mkdir(in("atoms/a"), 0755);
    put("atoms/z.yaml", ""), put("atoms/a/b.yml", ""), put("atoms/a.txt", ""), put("atoms/.x.yaml", "");
    put("workflows/w.json", ""), put("workflows/w.yaml", ""), put("other/o.yaml", ""), put("root.yaml", "");
    struct disk *d = open_disk();
    check(disk_walk(d, on_file, on_problem, &l) == E_OK);
    check(strcmp(l.text, "atoms/a/b.yml atoms/z.yaml workflows/w.json ") == 0);
    check(l.problems[0] == 0);
    disk_close(d);
    end();
}

static void nothing_outside_is_reached(void) {
    static const char *const paths[] = { "../x", "atoms/../../etc/passwd", "/etc/passwd", "atoms/link.yaml", "atoms/dir/x.yaml",
                                         "atoms", "atoms/", "", "other/x.yaml", "atoms//x.yaml" };
    struct list l = { "", "" };
    struct buf b;
    begin();
    put("secret.yaml", "secret");
    check(symlink(in("secret.yaml"), in("atoms/link.yaml")) == 0 && symlink(top, in("atoms/dir")) == 0);
    struct disk *d = open_disk();
    buf_init(&b, KIB(256));
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        check(disk_read(d, paths[i], &b, NULL) < 0);
        check(disk_create(d, paths[i], slice_of("x")) < 0);
        check(disk_replace(d, paths[i], slice_of("x")) < 0);
    }
    check(b.len == 0 && holds("secret.yaml", "secret"));
    disk_walk(d, on_file, on_problem, &l);
    check(l.text[0] == 0 && strstr(l.problems, "atoms/link.yaml: a symbolic link") != NULL);
    buf_deinit(&b);
    disk_close(d);
    end();
}

static void reads_with_a_limit_and_a_probe(void) {
    struct buf b;
    struct disk_file file;
    begin();
    put("atoms/a.yaml", "id: a\n");
    struct disk *d = open_disk();
    buf_init(&b, 6);
    check(disk_read(d, "atoms/a.yaml", &b, &file) == E_OK && b.len == 6 && file.size == 6);
    buf_reset(&b);
    put("atoms/a.yaml", "id: ab\n");
    check(disk_read(d, "atoms/a.yaml", &b, NULL) == E_TOO_LARGE && b.len == 0);
    check(disk_read(d, "atoms/none.yaml", &b, NULL) == E_NOT_FOUND);
    put("atoms/a.yaml", "id: a\n");
    int fd = open(in("atoms/a.yaml"), O_WRONLY);
    if (!disk_weakness(d)) check(disk_read(d, "atoms/a.yaml", &b, NULL) == E_AGAIN);
    close(fd);
    check(disk_read(d, "atoms/a.yaml", &b, NULL) == E_OK);
    check(mkfifo(in("atoms/pipe.yaml"), 0644) == 0);
    check(disk_read(d, "atoms/pipe.yaml", &b, NULL) == E_INVALID);
    buf_deinit(&b);
    disk_close(d);
    end();
}

static int keep(void *ctx, const char *path, struct slice bytes) {
    struct list *l = ctx;
    size_t n = strlen(l->text);
    snprintf(l->text + n, sizeof l->text - n, "%s=%.*s ", path, SLICE_ARG(bytes));
    return E_OK;
}

static void settle(struct disk *d, struct list *l) {
    for (int i = 0; i < 400 && disk_settle(d, keep, l) > 0; i++) poll(NULL, 0, 10);
}

static void f1_what_a_write_took_out_comes_back(void) {
    struct list l = { "", "" };
    struct stat st;
    begin();
    put("atoms/a.yaml", "old");
    chmod(in("atoms/a.yaml"), 0600);
    struct disk *d = open_disk();
    check(disk_replace(d, "atoms/a.yaml", slice_of("new")) == E_OK);
    check(holds("atoms/a.yaml", "new") && disk_aside(d) == 1);
    check(stat(in("atoms/a.yaml"), &st) == 0 && (st.st_mode & 0777) == 0600);
    check(disk_settle(d, keep, &l) == 1 && l.text[0] == 0);     /* too young to be read */
    settle(d, &l);
    check(disk_aside(d) == 0 && strcmp(l.text, "atoms/a.yaml=old ") == 0);
    check(disk_replace(d, "atoms/none.yaml", slice_of("x")) == E_NOT_FOUND);
    disk_close(d);
    end();
}

static void f1_a_writer_that_is_not_done_is_waited_for(void) {
    struct list l = { "", "" };
    begin();
    put("atoms/a.yaml", "old");
    struct disk *d = open_disk();
    if (disk_weakness(d)) {
        printf("# no leases here: %s\n", disk_weakness(d));
    } else {
        int fd = open(in("atoms/a.yaml"), O_WRONLY | O_APPEND);
        check(disk_replace(d, "atoms/a.yaml", slice_of("new")) == E_OK);
        poll(NULL, 0, 3 * DISK_SETTLE_MS);
        check(disk_settle(d, keep, &l) == 1 && l.text[0] == 0);
        check(write(fd, " late", 5) == 5);
        close(fd);
        settle(d, &l);
        check(strcmp(l.text, "atoms/a.yaml=old late ") == 0);
    }
    disk_close(d);
    end();
}

static void f1_leftovers_of_a_crash_are_taken_up(void) {
    struct list l = { "", "" };
    begin();
    put("atoms/processes/a.yaml", "ours");
    put("atoms/processes/.a.yaml.covalent-out-0123456789abcdef", "theirs");
    put("atoms/processes/.a.yaml.covalent-new-0123456789abcdef", "tor");
    struct disk *d = open_disk();
    check(disk_aside(d) == 1);
    settle(d, &l);
    check(strcmp(l.text, "atoms/processes/a.yaml=theirs ") == 0);
    check(access(in("atoms/processes/.a.yaml.covalent-out-0123456789abcdef"), F_OK) < 0);
    check(access(in("atoms/processes/.a.yaml.covalent-new-0123456789abcdef"), F_OK) < 0);
    disk_close(d);
    end();
}

static void new_files_never_replace(void) {
    begin();
    struct disk *d = open_disk();
    struct stat st;
    umask(022);
    check(disk_create(d, "phases/deep/er/p.yaml", slice_of("id: p\n")) == E_OK);
    check(holds("phases/deep/er/p.yaml", "id: p\n"));
    check(stat(in("phases/deep/er/p.yaml"), &st) == 0 && (st.st_mode & 0777) == 0644);
    check(disk_create(d, "phases/deep/er/p.yaml", slice_of("x")) == E_EXISTS);
    check(holds("phases/deep/er/p.yaml", "id: p\n"));
    check(disk_unlink(d, "phases/deep/er/p.yaml") == E_OK);
    check(disk_unlink(d, "phases/deep/er/p.yaml") == E_NOT_FOUND);
    disk_close(d);
    end();
}

static void one_server_a_workspace(void) {
    struct disk *second = NULL;
    const char *why = "";
    begin();
    struct disk *d = open_disk();
    check(disk_open(top, &second, &why) == E_EXISTS && strstr(why, "another server"));
    disk_close(d);
    check(disk_open(top, &second, &why) == E_OK);
    disk_close(second);
    check(disk_open(in("none"), &second, &why) == E_NOT_FOUND);
    end();
}

static void on_change(void *ctx, const char *path) {
    struct list *l = ctx;
    size_t n = strlen(l->text);
    snprintf(l->text + n, sizeof l->text - n, "%s ", path ? path : "*");
}

static bool hears(struct disk *d, int fd, const char *what) {
    struct list l = { "", "" };
    for (int i = 0; i < 20 && !strstr(l.text, what); i++) {
        struct pollfd p = { fd, POLLIN, 0 };
        poll(&p, 1, 500);
        disk_changes(d, on_change, &l);
    }
    return strstr(l.text, what) != NULL;
}

static void changes_are_heard_in_new_folders_too(void) {
    const char *why = "";
    int fd = -1;
    begin();
    put("atoms/a.yaml", "a");
    struct disk *d = open_disk();
    check(disk_watch(d, &fd, &why) == E_OK);
    put("atoms/a.yaml", "b");
    check(hears(d, fd, "atoms/a.yaml "));
    check(mkdir(in("modules"), 0755) == 0);
    check(hears(d, fd, "* "));
    put("modules/m.yaml", "m");
    check(hears(d, fd, "modules/m.yaml "));
    check(rename(in("modules/m.yaml"), in("atoms/processes/m.yaml")) == 0);
    check(hears(d, fd, "atoms/processes/m.yaml "));
    check(truncate(in("atoms/a.yaml"), 0) == 0);
    check(hears(d, fd, "atoms/a.yaml "));
    disk_close(d);
    end();
}

static void f2_git_at_work_is_seen(void) {
    begin();
    struct disk *d = open_disk();
    check(disk_git_busy(d) == NULL);
    mkdir(in(".git"), 0755);
    check(disk_git_busy(d) == NULL);
    put(".git/index.lock", "");
    check(strcmp(disk_git_busy(d), "git holds its index lock") == 0);
    unlink(in(".git/index.lock"));
    mkdir(in(".git/rebase-merge"), 0755);
    check(strcmp(disk_git_busy(d), "a rebase is in progress") == 0);
    rmdir(in(".git/rebase-merge"));
    put(".git/MERGE_HEAD", "x");
    check(strcmp(disk_git_busy(d), "a merge is in progress") == 0);
    disk_close(d);
    check(disk_has_conflict(slice_of("a: 1\n<<<<<<< ours\nb: 1\n=======\nb: 2\n>>>>>>> theirs\n")) == 2);
    check(disk_has_conflict(slice_of("a: |\n  =======\n")) == 0);
    check(disk_has_conflict(slice_of("")) == 0);
    end();
}

int main(void) {
    run(walks_the_five_folders_in_order);
    run(nothing_outside_is_reached);
    run(reads_with_a_limit_and_a_probe);
    run(f1_what_a_write_took_out_comes_back);
    run(f1_a_writer_that_is_not_done_is_waited_for);
    run(f1_leftovers_of_a_crash_are_taken_up);
    run(new_files_never_replace);
    run(one_server_a_workspace);
    run(changes_are_heard_in_new_folders_too);
    run(f2_git_at_work_is_seen);
    return t_exit();
}
