/* covalent check: each kind of problem is found, with its place; a clean workspace is clean. */
#include "entity/command_check.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "t.h"

static char top[64], output[65536];

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw) {
    (void)st, (void)type, (void)ftw;
    return remove(path);
}

static void put(const char *path, const char *text) {
    char full[256];
    snprintf(full, sizeof full, "%s/%s", top, path);
    FILE *f = fopen(full, "wb");
    check(f && fputs(text, f) >= 0 && fclose(f) == 0);
}

static void begin(void) {
    static const char *const folders[] = { "atoms", "modules", "phases", "journeys", "workflows" };
    snprintf(top, sizeof top, "/tmp/check_test.XXXXXX");
    check(mkdtemp(top) != NULL);
    for (size_t i = 0; i < 5; i++) {
        char full[256];
        snprintf(full, sizeof full, "%s/%s", top, folders[i]);
        check(mkdir(full, 0755) == 0);
    }
}

/* Runs the command with its output in `output`. */
static int checked(const char *directory) {
    char *argv[] = { "check", (char *)(size_t)directory, NULL };
    char path[] = "/tmp/check_out.XXXXXX";
    int file = mkstemp(path), screen = dup(1);

    fflush(stdout);
    dup2(file, 1);
    int status = command_check(2, argv);
    fflush(stdout);
    dup2(screen, 1);
    close(screen);
    ssize_t n = pread(file, output, sizeof output - 1, 0);
    output[n > 0 ? n : 0] = 0;
    close(file);
    unlink(path);
    return status;
}

static void the_sample_is_clean(void) {
    check(checked("examples/lending") == 0);
    check(strstr(output, "29 atoms, 4 modules, 3 phases") && strstr(output, "0 errors, 0 warnings, 0 notes"));
}

static void every_kind_of_problem_is_found(void) {
    static const char *const says[] = {
        "atoms/bad.yaml:2:", "atoms/empty.yaml: error: the file is empty", "atoms/two.yaml:1:5: error: the id a is also in atoms/a.yaml",
        "atoms/two.yaml:1:5: note: the id a is not the file's name", "atoms/a.yaml:2:7: warning: type: SOMETHING is none",
        "atoms/a.yaml:6:13: error: edges: there is no atom nobody", "atoms/a.yaml:5:9: warning: edges: ODD is none of the known types",
        "atoms/a.yaml:7:3: warning: edges: this edge is there twice", "atoms/a.yaml:3:11: warning: moduleId: modules/m.yaml does not list a",
        "modules/m.yaml:3:3: error: atoms: there is no atom gone", "modules/m.yaml:4:10: error: phaseId: there is no phase p9",
        "workflows/w.json:3:22: error: start_step_id: there is no step s9", "workflows/w.json:4:14: error: step s1: there is no step s2",
        "atoms/conflict.yaml:1:1: error: conflict markers of git",
    };
    begin();
    put("atoms/a.yaml", "id: a\ntype: SOMETHING\nmoduleId: m\nedges:\n- type: ODD\n  targetId: nobody\n- type: ODD\n  targetId: nobody\n");
    put("atoms/bad.yaml", "id: bad\nname: @x\n");
    put("atoms/empty.yaml", "");
    put("atoms/two.yaml", "id: a\n");
    put("atoms/conflict.yaml", "<<<<<<< ours\nid: c\n=======\nid: d\n>>>>>>> theirs\n");
    put("modules/m.yaml", "id: m\natoms:\n- gone\nphaseId: p9\n");
    put("workflows/w.json", "{\n    \"id\": \"w\",\n    \"start_step_id\": \"s9\",\n    \"steps\": [{\"id\": \"s1\", \"transitions\": [{\"target_step_id\": \"s2\"}]}]\n}");
    check(checked(top) == 1);
    for (size_t i = 0; i < sizeof says / sizeof *says; i++) {
        bool found = strstr(output, says[i]) != NULL;
        check(found);
        if (!found) fprintf(stderr, "  not said: %s\n%s", says[i], i == 0 ? output : "");
    }
    nftw(top, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void no_workspace_is_status_2(void) { check(checked("/nonexistent/workspace") == 2); }

int main(void) {
    run(the_sample_is_clean);
    run(every_kind_of_problem_is_found);
    run(no_workspace_is_status_2);
    return t_exit();
}
