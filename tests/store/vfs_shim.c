/* vfs_shim.c -- a disk that loses power (A9), as a SQLite VFS between SQLite and the real files.
 *
 * Included by a test. Every write goes to the real file and is kept here as well, until the file
 * is synced. `shim_crash` then makes what a disk may hold after the power went: of each file all
 * that was synced, and of the rest any part, torn at 512 bytes, in any order; a file whose name
 * was not synced yet may be missing. The shm file is memory: after a crash there is none.
 *
 * It also fails on command: the n-th write finds no space, the n-th sync answers EIO. */
#include <sqlite3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"

#define SHIM_SECTOR 512
#define SHIM_FILES 2

struct shim_op { size_t at, len; uint8_t *bytes; };     /* bytes == NULL: cut to the length `at` */

struct shim_file {
    char name[256];             /* "" : unused */
    bool is_named;              /* its directory entry is on disk */
    uint8_t *image;             /* what is on disk for certain */
    size_t len, cap;
    struct shim_op *ops;        /* since then */
    size_t n, ops_cap;
};

struct shim_state {             /* the disk after one crash */
    bool exists[SHIM_FILES];
    uint8_t *bytes[SHIM_FILES];
    size_t len[SHIM_FILES];
};

static struct shim {
    sqlite3_vfs vfs, *real;
    sqlite3_io_methods methods;
    struct shim_file files[SHIM_FILES];     /* log.db, log.db-wal */
    bool lies;                  /* a sync returns without doing anything */
    unsigned writes, syncs;     /* so far */
    unsigned fail_write, fail_sync;         /* which one fails; 0: none */
    void (*on_op)(void);        /* before each write, cut and sync */
} shim;

struct shim_handle {
    sqlite3_file base;
    struct shim_file *file;     /* NULL: not watched (shm and others do not come here) */
    sqlite3_file *real;
};

static void shim_resize(struct shim_file *f, size_t len) {
    if (len > f->cap) {
        f->cap = len * 2;
        f->image = realloc(f->image, f->cap);
        must(f->image);
    }
    if (len > f->len) memset(f->image + f->len, 0, len - f->len);
    f->len = len;
}

static void shim_apply(struct shim_file *f, size_t at, const uint8_t *bytes, size_t len) {
    if (!bytes) {
        shim_resize(f, at);
        return;
    }
    if (at + len > f->len) shim_resize(f, at + len);
    memcpy(f->image + at, bytes, len);
}

static void shim_add(struct shim_file *f, size_t at, const void *bytes, size_t len) {
    if (f->n == f->ops_cap) {
        f->ops_cap = f->ops_cap ? f->ops_cap * 2 : 16;
        f->ops = realloc(f->ops, f->ops_cap * sizeof *f->ops);
        must(f->ops);
    }
    struct shim_op *op = &f->ops[f->n++];
    *op = (struct shim_op){ .at = at, .len = len, .bytes = bytes ? malloc(len) : NULL };
    must(!bytes || op->bytes);
    if (bytes) memcpy(op->bytes, bytes, len);
}

static void shim_forget(struct shim_file *f) {
    for (size_t i = 0; i < f->n; i++) free(f->ops[i].bytes);
    f->n = 0;
}

static void shim_sync_file(struct shim_file *f) {
    for (size_t i = 0; i < f->n; i++) shim_apply(f, f->ops[i].at, f->ops[i].bytes, f->ops[i].len);
    shim_forget(f);
    f->is_named = true;
}

/* ---- the crash ----------------------------------------------------------------------------- */

enum shim_mode { SHIM_LOSE_ALL, SHIM_KEEP_ALL, SHIM_SECTORS, SHIM_WRITES, SHIM_PREFIX, SHIM_MODES };

static void shim_op_in_sectors(struct shim_file *f, const struct shim_op *op, unsigned *seed) {
    for (size_t done = 0; done < op->len;) {
        size_t step = SHIM_SECTOR - (op->at + done) % SHIM_SECTOR;
        if (step > op->len - done) step = op->len - done;
        if (rand_r(seed) & 16) shim_apply(f, op->at + done, op->bytes + done, step);
        done += step;
    }
}

static void shim_survive(struct shim_file *f, const struct shim_file *from, enum shim_mode mode, unsigned *seed) {
    size_t upto = from->n ? (size_t)rand_r(seed) % (from->n + 1) : 0;
    for (size_t i = 0; i < from->n; i++) {
        const struct shim_op *op = &from->ops[i];
        bool torn = op->bytes && (mode == SHIM_SECTORS || (mode == SHIM_PREFIX && i == upto));
        bool kept = mode == SHIM_KEEP_ALL || (mode == SHIM_PREFIX && i < upto) ||
                    ((mode == SHIM_WRITES || mode == SHIM_SECTORS) && rand_r(seed) & 16);
        if (torn) shim_op_in_sectors(f, op, seed);
        else if (kept) shim_apply(f, op->at, op->bytes, op->len);
    }
}

/* What the disk may hold if the power goes now; one of many, chosen by seed. */
static struct shim_state shim_crash(unsigned *seed) {
    struct shim_state out = { 0 };
    for (int i = 0; i < SHIM_FILES; i++) {
        const struct shim_file *from = &shim.files[i];
        struct shim_file f = { .len = from->len, .cap = from->len + 1 };
        enum shim_mode mode = (enum shim_mode)((unsigned)rand_r(seed) / 8 % SHIM_MODES);
        f.image = malloc(f.cap);
        must(f.image);
        if (from->len) memcpy(f.image, from->image, from->len);
        shim_survive(&f, from, mode, seed);
        out.exists[i] = from->name[0] && (from->is_named || rand_r(seed) & 16);
        out.bytes[i] = f.image;
        out.len[i] = f.len;
    }
    return out;
}

static void shim_state_free(struct shim_state *s) {
    for (int i = 0; i < SHIM_FILES; i++) free(s->bytes[i]);
}

static void shim_state_write(const struct shim_state *s, const char *directory) {
    static const char *const names[SHIM_FILES] = { "log.db", "log.db-wal" };
    char path[320];
    for (int i = 0; i < SHIM_FILES; i++) {
        if (!s->exists[i]) continue;
        snprintf(path, sizeof path, "%s/%s", directory, names[i]);
        FILE *file = fopen(path, "w");
        must(file && fwrite(s->bytes[i], 1, s->len[i], file) == s->len[i] && fclose(file) == 0);
    }
}

/* ---- the file methods ---------------------------------------------------------------------- */

#define REAL(f) (((struct shim_handle *)(f))->real)

static int shim_close(sqlite3_file *f) {
    return REAL(f)->pMethods ? REAL(f)->pMethods->xClose(REAL(f)) : SQLITE_OK;
}

static int shim_read(sqlite3_file *f, void *to, int len, sqlite3_int64 at) {
    return REAL(f)->pMethods->xRead(REAL(f), to, len, at);
}

static int shim_write(sqlite3_file *f, const void *from, int len, sqlite3_int64 at) {
    struct shim_handle *h = (struct shim_handle *)f;
    if (h->file && shim.on_op) shim.on_op();
    if (h->file && ++shim.writes == shim.fail_write) return SQLITE_FULL;
    if (h->file) shim_add(h->file, (size_t)at, from, (size_t)len);
    return h->real->pMethods->xWrite(h->real, from, len, at);
}

static int shim_truncate(sqlite3_file *f, sqlite3_int64 size) {
    struct shim_handle *h = (struct shim_handle *)f;
    if (h->file && shim.on_op) shim.on_op();
    if (h->file) shim_add(h->file, (size_t)size, NULL, 0);
    return h->real->pMethods->xTruncate(h->real, size);
}

/* The real sync is left out: the real disk is not what is tested. A failing sync has lost what it
 * did not write, for good: that a later one succeeds means nothing (fsyncgate). */
static int shim_sync(sqlite3_file *f, int flags) {
    struct shim_handle *h = (struct shim_handle *)f;
    (void)flags;
    if (!h->file) return SQLITE_OK;
    if (shim.on_op) shim.on_op();
    if (++shim.syncs == shim.fail_sync) {
        shim_forget(h->file);
        return SQLITE_IOERR_FSYNC;
    }
    if (!shim.lies) shim_sync_file(h->file);
    return SQLITE_OK;
}

static int shim_size(sqlite3_file *f, sqlite3_int64 *out) { return REAL(f)->pMethods->xFileSize(REAL(f), out); }
static int shim_lock(sqlite3_file *f, int level) { return REAL(f)->pMethods->xLock(REAL(f), level); }
static int shim_unlock(sqlite3_file *f, int level) { return REAL(f)->pMethods->xUnlock(REAL(f), level); }
static int shim_reserved(sqlite3_file *f, int *out) {
    return REAL(f)->pMethods->xCheckReservedLock(REAL(f), out);
}
static int shim_control(sqlite3_file *f, int op, void *arg) {
    return REAL(f)->pMethods->xFileControl(REAL(f), op, arg);
}
static int shim_sector(sqlite3_file *f) { return REAL(f)->pMethods->xSectorSize(REAL(f)); }
static int shim_traits(sqlite3_file *f) { return REAL(f)->pMethods->xDeviceCharacteristics(REAL(f)); }
static int shim_shm_map(sqlite3_file *f, int page, int size, int extend, void volatile **out) {
    return REAL(f)->pMethods->xShmMap(REAL(f), page, size, extend, out);
}
static int shim_shm_lock(sqlite3_file *f, int at, int n, int flags) {
    return REAL(f)->pMethods->xShmLock(REAL(f), at, n, flags);
}
static void shim_shm_barrier(sqlite3_file *f) { REAL(f)->pMethods->xShmBarrier(REAL(f)); }
static int shim_shm_unmap(sqlite3_file *f, int delete) { return REAL(f)->pMethods->xShmUnmap(REAL(f), delete); }

/* ---- the file system ----------------------------------------------------------------------- */

static struct shim_file *shim_file_of(const char *name, int flags) {
    if (!name || !(flags & (SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_WAL))) return NULL;
    struct shim_file *f = &shim.files[flags & SQLITE_OPEN_WAL ? 1 : 0];
    if (strcmp(f->name, name) == 0) return f;
    must(!f->name[0] && strlen(name) < sizeof f->name);
    snprintf(f->name, sizeof f->name, "%s", name);
    FILE *file = fopen(name, "r");      /* made before SQLite came: synced by who made it */
    f->is_named = file != NULL;
    if (file) {
        uint8_t part[4096];
        for (size_t n; (n = fread(part, 1, sizeof part, file)) > 0;) shim_apply(f, f->len, part, n);
        fclose(file);
    }
    return f;
}

static int shim_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *f, int flags, int *out_flags) {
    struct shim_handle *h = (struct shim_handle *)f;
    (void)vfs;
    *h = (struct shim_handle){ .real = (sqlite3_file *)(h + 1), .file = shim_file_of(name, flags) };
    int rc = shim.real->xOpen(shim.real, name, h->real, flags, out_flags);
    h->base.pMethods = h->real->pMethods ? &shim.methods : NULL;
    return rc;
}

/* From now on SQLite opens its files through the shim. */
static void shim_install(void) {
    shim.real = sqlite3_vfs_find(NULL);
    must(shim.real);
    shim.vfs = *shim.real;
    shim.vfs.szOsFile = (int)sizeof(struct shim_handle) + shim.real->szOsFile;
    shim.vfs.zName = "shim";
    shim.vfs.xOpen = shim_open;
    shim.methods = (sqlite3_io_methods){
        2, shim_close, shim_read, shim_write, shim_truncate, shim_sync, shim_size, shim_lock,
        shim_unlock, shim_reserved, shim_control, shim_sector, shim_traits, shim_shm_map,
        shim_shm_lock, shim_shm_barrier, shim_shm_unmap, NULL, NULL };
    must(sqlite3_vfs_register(&shim.vfs, 1) == SQLITE_OK);
}

static void shim_remove(void) {
    sqlite3_vfs_unregister(&shim.vfs);
    for (int i = 0; i < SHIM_FILES; i++) {
        shim_forget(&shim.files[i]);
        free(shim.files[i].ops);
        free(shim.files[i].image);
    }
    memset(&shim, 0, sizeof shim);
}
