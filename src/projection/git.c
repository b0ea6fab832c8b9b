/* git.c -- was it git that put a file there? Checkout, restore, pull and their like write files and
 * then, within moments, the index; an editor touches the index never. Projector's thread. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "projection/projector_int.h"

#define BEHIND_NS UINT64_C(10000000000)     /* a large checkout takes some seconds */

/* .git is a folder, or in a worktree a file that says "gitdir: <folder>". */
static char *index_in(const char *top) {
    char git[PATH_MAX], folder[PATH_MAX] = "", index[PATH_MAX + 16];
    struct stat st;

    if (snprintf(git, sizeof git, "%s/.git", top) >= (int)sizeof git || stat(git, &st) < 0) return NULL;
    if (S_ISDIR(st.st_mode)) {
        snprintf(index, sizeof index, "%s/index", git);
        return strdup(index);
    }
    FILE *f = fopen(git, "re");
    if (f == NULL) return NULL;
    int n = fscanf(f, "gitdir: %4000[^\n]", folder);
    fclose(f);
    if (n != 1) return NULL;
    if (folder[0] == '/') snprintf(index, sizeof index, "%s/index", folder);
    else if (snprintf(index, sizeof index, "%s/%s/index", top, folder) >= (int)sizeof index) return NULL;
    return strdup(index);
}

char *git_index_path(const char *workspace) {
    char *top = realpath(workspace, NULL);
    char *index = NULL;

    while (top && index == NULL) {
        index = index_in(top);
        char *slash = strrchr(top, '/');
        if (slash == NULL || slash == top) break;
        *slash = 0;
    }
    free(top);
    return index;
}

bool git_touched(const char *index, uint64_t mtime_ns) {
    struct stat st;

    if (stat(index, &st) < 0) return false;
    uint64_t at = (uint64_t)st.st_mtim.tv_sec * UINT64_C(1000000000) + (uint64_t)st.st_mtim.tv_nsec;
    return at >= mtime_ns && at - mtime_ns < BEHIND_NS;
}
