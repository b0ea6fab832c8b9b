/* F1 against other programs that save the same file at the same moment: truncate and write, append, rename over,
 * vim with a backup, vim in place. Each writer saves a numbered text, waits until it was seen through disk_read
 * or disk_settle, and saves the next; meanwhile we write the file all the time. Nothing may be lost.
 *
 * LEVEL=full: 1,500 saves each; else 60. RACES=n sets another number. */
#include "files/disk.h"

#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/limits.h"
#include "t.h"

#define FILE_PATH "atoms/a.yaml"
#define LOST_MS 5000            /* a save that was not seen by then is lost */

static char top[64], target[128];
static int races;
static int answers = -1;        /* vim's keyboard: "changed since reading it, really write?" y, as often as it asks */

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw) {
    (void)st, (void)type, (void)ftw;
    return remove(path);
}

static void begin(void) {
    char path[128];
    snprintf(top, sizeof top, "/tmp/racing.XXXXXX");
    check(mkdtemp(top) != NULL);
    snprintf(path, sizeof path, "%s/atoms", top);
    check(mkdir(path, 0755) == 0);
    snprintf(target, sizeof target, "%s/%s", top, FILE_PATH);
    FILE *f = fopen(target, "w");
    check(f && fputs("start\n", f) >= 0 && fclose(f) == 0);
}

static void end(void) { nftw(top, remove_one, 16, FTW_DEPTH | FTW_PHYS); }

static void ack_path(char out[128], int i) { snprintf(out, 128, "%s/seen.%d", top, i); }

/* ---- writers, each in a process of its own ------------------------------------------------- */

static void wait_seen(int i) {
    char path[128];
    ack_path(path, i);
    while (access(path, F_OK) != 0) poll(NULL, 0, 1);
}

static void put(int fd, int i) {
    char text[64];
    int n = snprintf(text, sizeof text, "save %d", i);
    if (write(fd, text, (size_t)n) != n || write(fd, " end\n", 5) != 5) _exit(2);    /* in two pieces */
}

static int open_retry(const char *path, int flags) {
    for (;;) {
        int fd = open(path, flags, 0644);
        if (fd >= 0) return fd;
        poll(NULL, 0, 1);
    }
}

static void save_truncate(int i) {
    int fd = open_retry(target, O_WRONLY | O_CREAT | O_TRUNC);
    put(fd, i);
    close(fd);
}

static void save_append(int i) {
    int fd = open_retry(target, O_WRONLY | O_APPEND);
    put(fd, i);
    close(fd);
}

static void save_rename(int i) {
    char temp[160];
    snprintf(temp, sizeof temp, "%s.tmp", target);
    int fd = open_retry(temp, O_WRONLY | O_CREAT | O_TRUNC);
    put(fd, i);
    close(fd);
    if (rename(temp, target) != 0) _exit(3);
}

static pid_t start_writer(void (*save)(int i)) {
    pid_t pid = fork();
    if (pid != 0) return pid;
    for (int i = 0; i < races; i++) {
        save(i);
        wait_seen(i);
    }
    _exit(0);
}

static pid_t start_vim(const char *options) {
    char script[128];
    snprintf(script, sizeof script, "%s/script.vim", top);
    FILE *f = fopen(script, "w");
    if (!f) return -1;
    fprintf(f, "set nocompatible noswapfile nomore %s\n"
               "autocmd FileChangedShell * let v:fcs_choice = ''\n"      /* no question about our writes */
               "let s:i = 0\n"
               "while s:i < %d\n"
               "  silent! %%delete _\n"
               "  call setline(1, 'save ' . s:i . ' end')\n"
               "  while &modified | silent! write! | endwhile\n"       /* until vim says it is saved */
               "  while !filereadable('%s/seen.' . s:i) | sleep 1m | endwhile\n"
               "  let s:i += 1\n"
               "endwhile\n"
               "qall!\n", options, races, top);
    fclose(f);
    int quiet[2];
    if (pipe(quiet) != 0) return -1;
    answers = quiet[1];
    fcntl(answers, F_SETFL, O_NONBLOCK);
    pid_t pid = fork();
    if (pid != 0) return pid;
    int null = open("/dev/null", O_RDWR);
    dup2(quiet[0], 0), dup2(null, 1), dup2(null, 2);
    execlp("vim", "vim", "-u", "NONE", "-i", "NONE", "-e", "-s", "-S", script, target, (char *)NULL);
    _exit(127);
}

/* ---- us ---------------------------------------------------------------------------------- */

struct server {
    struct disk *d;
    int waiting;                /* the save we have to see next */
    bool seen;
    int written, displaced, broken;
};

static void look(struct server *s, struct slice bytes) {
    char text[64];
    int n = snprintf(text, sizeof text, "save %d end\n", s->waiting);
    if (bytes.len && memmem(bytes.at, bytes.len, text, (size_t)n)) s->seen = true;
}

static int on_displaced(void *ctx, const char *path, struct slice bytes) {
    struct server *s = ctx;
    (void)path;
    s->displaced++;
    if (bytes.len == 0) s->broken++;        /* a half-done save was taken for a whole one */
    look(s, bytes);
    return E_OK;
}

static void turn(struct server *s) {
    char text[64];
    struct buf b;

    if (answers >= 0 && write(answers, "yyyyyyyy", 8) < 0) {}       /* full: it has enough */
    buf_init(&b, KIB(256));
    if (disk_read(s->d, FILE_PATH, &b, NULL) == E_OK) look(s, buf_view(&b));
    buf_deinit(&b);
    snprintf(text, sizeof text, "ours %d\n", s->written);
    if (disk_replace(s->d, FILE_PATH, slice_of(text)) == E_OK) s->written++;
    disk_settle(s->d, on_displaced, s);
}

static void seen(int i) {
    char path[128];
    ack_path(path, i);
    close(open(path, O_CREAT | O_WRONLY, 0644));
}

static void race(const char *name, pid_t writer) {
    struct server s = { 0 };
    const char *why = "";
    int lost = 0, status = -1;

    check(writer > 0 && disk_open(top, &s.d, &why) == E_OK);
    for (s.waiting = 0; s.waiting < races; s.waiting++) {
        uint64_t until = clock_mono_ms() + LOST_MS;
        s.seen = false;
        while (!s.seen && clock_mono_ms() < until && waitpid(writer, &status, WNOHANG) == 0) turn(&s);
        if (!s.seen && ++lost == 3) kill(writer, SIGKILL);
        seen(s.waiting);
        if (status != -1 && s.waiting + 1 < races) break;
    }
    if (status == -1) waitpid(writer, &status, 0);
    for (int i = 0; i < 500 && disk_settle(s.d, on_displaced, &s) > 0; i++) poll(NULL, 0, 10);
    if (status != 0) printf("# status %x at %d\n", (unsigned)status, s.waiting);
    check(status == 0);
    check(s.waiting == races && lost == 0 && s.broken == 0 && disk_aside(s.d) == 0);
    printf("# %s: %d lost of %d, %d writes of ours, %d handed back\n", name, lost, races, s.written, s.displaced);
    disk_close(s.d);
    if (answers >= 0) close(answers);
    answers = -1;
}

static void f1_truncate_and_write(void) {
    begin();
    race("truncate and write", start_writer(save_truncate));
    end();
}

static void f1_append(void) {
    begin();
    race("append", start_writer(save_append));
    end();
}

static void f1_rename_over(void) {
    begin();
    race("rename over", start_writer(save_rename));
    end();
}

static void f1_vim_with_backup(void) {
    begin();
    race("vim with backup", start_vim("backup writebackup backupcopy=no"));
    end();
}

static void f1_vim_in_place(void) {
    begin();
    race("vim in place", start_vim("nobackup nowritebackup"));
    end();
}

int main(void) {
    const char *level = getenv("LEVEL"), *n = getenv("RACES");
    signal(SIGPIPE, SIG_IGN);
    bool vim = system("command -v vim >/dev/null 2>&1") == 0;

    races = n ? (int)strtol(n, NULL, 10) : level && strcmp(level, "full") == 0 ? 1500 : 60;
    run(f1_truncate_and_write);
    run(f1_append);
    run(f1_rename_over);
    if (vim) {
        run(f1_vim_with_backup);
        run(f1_vim_in_place);
    } else {
        printf("ok - f1_vim_with_backup # SKIP vim is not installed\nok - f1_vim_in_place # SKIP vim is not installed\n");
    }
    return t_exit();
}
