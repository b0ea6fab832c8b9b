/* sqlite_test.c -- log.db beyond the contract: files and locks, versions, hash chain, damage,
 * checkpoints (P4, P5). Seed of the random damage: SEED in the environment, printed. */
#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/must.h"
#include "base/rand.h"
#include "store/store.h"
#include "t.h"

#define LINEAGE_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define LINEAGE_B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

/* Hashes of the version 1 file below, computed from docs/internals/log.md by another program. */
#define ROW_1 "a89d99125e6cfbb0633662f8278dee9e537db8fa406fbf215319f3cd25ca9c5d"
#define ROW_2 "958e0129b5c860c5a337c219e9c142dd1c21349ec372eb86819558bc62f35a0a"
#define BATCH_1 "87479419fc5f9361dbcb502b254e02d48affe2562f89a78c4dd1d97fe15f4170"

static char directory[64], path[128];

static void begin(void) {
    snprintf(directory, sizeof directory, "/tmp/covalent-sqlite-XXXXXX");
    must(mkdtemp(directory));
    snprintf(path, sizeof path, "%s/log.db", directory);
}

static void end(void) {
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", directory);
    must(system(command) == 0);
}

static struct store *open_log(bool writing) {
    struct store *s = NULL;
    const char *why;
    must(store_sqlite_open(directory, writing, &s, &why) == E_OK);
    return s;
}

static uint64_t put(struct store *w, const char *room, const char *bytes, int kind) {
    uint64_t lsn = 0;
    struct row row = { .time_ms = 1700000000000, .kind = (enum row_kind)kind, .cause = CAUSE_YJS,
                       .room = slice_of(room), .lineage = slice_of(LINEAGE_A),
                       .user = slice_of("anna"), .bytes = slice_of(bytes) };
    must(w->kind->append(w, &row) == E_OK && w->kind->commit(w, &lsn) == E_OK);
    return lsn;
}

/* Runs SQL on the file as another program would. */
static void outside(const char *sql) {
    sqlite3 *db;
    must(sqlite3_open(path, &db) == SQLITE_OK);
    must(sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK);
    must(sqlite3_close(db) == SQLITE_OK);
}

struct report { uint64_t lsns[1000]; size_t n; };

static void on_problem(void *ctx, uint64_t lsn, const char *what) {
    struct report *r = ctx;
    must(what && *what);
    if (r->n < 1000) r->lsns[r->n] = lsn;
    r->n++;
}

static struct report verify(struct store_verified *out) {
    struct report report = { .n = 0 };
    struct store *r = open_log(false);
    int err = store_verify(r, on_problem, &report, out);
    check((err == E_OK) == (report.n == 0) && report.n == out->problems);
    r->kind->close(r);
    return report;
}

/* ---- files and locks ----------------------------------------------------------------------- */

static unsigned mode_of(const char *file) {
    struct stat st;
    must(stat(file, &st) == 0);
    return st.st_mode & 0777;
}

static void p5_files_are_ours_alone(void) {
    char deep[128], file[192];
    const char *why;
    struct store *w;
    begin();
    umask(0);
    snprintf(deep, sizeof deep, "%s/a/b", directory);
    must(store_sqlite_open(deep, true, &w, &why) == E_OK);
    put(w, "doc:a", "1", ROW_UPDATE);
    check(mode_of(deep) == 0700);
    const char *const files[] = { "log.db", "log.db-wal", "log.db-shm" };
    for (size_t i = 0; i < 3; i++) {
        snprintf(file, sizeof file, "%s/%s", deep, files[i]);
        check(mode_of(file) == 0600);
    }
    w->kind->close(w);
    end();
}

static void p5_second_server_refused_with_a_sentence(void) {
    const char *why = NULL;
    struct store *w, *second;
    int status;
    begin();
    w = open_log(true);
    pid_t pid = fork();
    must(pid >= 0);
    if (pid == 0) {
        int err = store_sqlite_open(directory, true, &second, &why);
        _exit(err == E_EXISTS && why && strstr(why, "another server") ? 7 : 8);
    }
    must(waitpid(pid, &status, 0) == pid);
    check(WIFEXITED(status) && WEXITSTATUS(status) == 7);
    check(put(w, "doc:a", "1", ROW_UPDATE) == 1);
    w->kind->close(w);
    end();
}

static void p5_another_program_holding_the_file_is_waited_out(void) {
    struct store *w;
    struct row row = { .kind = ROW_WROTE, .cause = CAUSE_SERVER, .bytes = slice_of("{}") };
    sqlite3 *other;
    uint64_t lsn;
    begin();
    w = open_log(true);
    must(sqlite3_open(path, &other) == SQLITE_OK);
    must(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL) == SQLITE_OK);
    check(w->kind->append(w, &row) == E_OVERLOADED && w->kind->commit(w, &lsn) == E_OVERLOADED);
    check(w->kind->probe(w) == E_OVERLOADED);
    must(sqlite3_close(other) == SQLITE_OK);
    check(w->kind->probe(w) == E_OK);
    check(w->kind->append(w, &row) == E_OK && w->kind->commit(w, &lsn) == E_OK && lsn == 1);
    w->kind->close(w);
    end();
}

/* ---- versions ------------------------------------------------------------------------------ */

/* A log.db as version 1 of the schema wrote it: two commits, a deleted room. Kept as SQL so that
 * it stays what it was, whatever the code becomes. */
static const char *const version_1 =
    "PRAGMA journal_mode = WAL; PRAGMA application_id = 1131834484;"
    "CREATE TABLE meta (key TEXT PRIMARY KEY, value) WITHOUT ROWID;"
    "INSERT INTO meta VALUES ('schema', 1);"
    "CREATE TABLE room (number INTEGER PRIMARY KEY, name TEXT NOT NULL, lineage TEXT NOT NULL,"
    "  first_lsn INTEGER NOT NULL, deleted_lsn INTEGER NOT NULL DEFAULT 0);"
    "CREATE UNIQUE INDEX room_name ON room (name, number);"
    "CREATE TABLE log (lsn INTEGER PRIMARY KEY, room INTEGER NOT NULL, kind INTEGER NOT NULL,"
    "  cause INTEGER NOT NULL, time_ms INTEGER NOT NULL, user TEXT NOT NULL, session TEXT NOT NULL,"
    "  message_id TEXT NOT NULL, bytes BLOB NOT NULL);"
    "CREATE TABLE batch (first_lsn INTEGER PRIMARY KEY, last_lsn INTEGER NOT NULL,"
    "  row_hashes BLOB NOT NULL, hash BLOB NOT NULL);"
    "INSERT INTO room VALUES (1, 'doc:old', '" LINEAGE_A "', 1, 0);"
    "INSERT INTO log VALUES (1, 1, 1, 1, 1700000000000, 'anna', '', '', x'0001');"
    "INSERT INTO log VALUES (2, 1, 1, 1, 1700000000001, 'ben', 'tab', 'm1', x'0002');"
    "INSERT INTO batch VALUES (1, 2, "
    "  x'" ROW_1 ROW_2 "', x'" BATCH_1 "');";

static void p4_older_file_is_migrated(void) {
    struct store_verified v;
    struct store *w, *r;
    struct room_state state;
    const char *why = NULL;
    begin();
    outside(version_1);
    check(store_sqlite_open(directory, false, &r, &why) == E_INVALID && why && strstr(why, "older"));
    w = open_log(true);
    check(put(w, "doc:old", "3", ROW_UPDATE) == 3);
    check(put(w, "doc:new", "4", ROW_UPDATE) == 4);
    w->kind->close(w);
    check(verify(&v).n == 0 && v.rows == 4 && v.batches == 3 && v.rooms == 2);
    r = open_log(false);
    check(r->kind->room_state(r, slice_of("doc:old"), &state) == E_OK);
    check(state.exists && state.first_lsn == 1 && slice_is(slice_of(state.lineage), LINEAGE_A));
    r->kind->close(r);
    end();
}

static void p4_newer_and_foreign_files_are_refused(void) {
    const struct { const char *sql, *word; } cases[] = {
        { "UPDATE meta SET value = 99 WHERE key = 'schema'", "newer" },
        { "PRAGMA application_id = 5", "not a log" },
        { "DELETE FROM meta", "not a log" },
        { "UPDATE meta SET value = 'x' WHERE key = 'schema'", "not a log" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        for (int writing = 0; writing < 2; writing++) {
            const char *why = NULL;
            struct store *s;
            begin();
            s = open_log(true);
            s->kind->close(s);
            outside(cases[i].sql);
            check(store_sqlite_open(directory, writing, &s, &why) == E_INVALID);
            check(why && strstr(why, cases[i].word));
            end();
        }
    }
}

static void p4_a_file_of_text_is_refused(void) {
    const char *why = NULL;
    struct store *s;
    begin();
    FILE *file = fopen(path, "w");
    must(file);
    for (int i = 0; i < 1000; i++) fputs("this is not a database\n", file);
    fclose(file);
    check(store_sqlite_open(directory, true, &s, &why) == E_CORRUPT && why && strstr(why, "damaged"));
    end();
}

/* ---- hash chain and damage ----------------------------------------------------------------- */

/* A log of some shape, closed, all in log.db. */
static void fill(void) {
    struct store *w = open_log(true);
    char room[32], bytes[64];
    for (int i = 1; i <= 60; i++) {
        snprintf(room, sizeof room, "doc:%d", i % 7);
        snprintf(bytes, sizeof bytes, "<content of row %03d>", i);
        put(w, room, bytes, i == 59 ? ROW_DELETE : ROW_UPDATE);
    }
    for (int i = 61; i <= 120; i++) {           /* in one commit */
        struct row row = { .kind = ROW_UPDATE, .cause = CAUSE_JSON, .room = slice_of("atom:x"),
                           .lineage = slice_of(LINEAGE_B), .user = slice_of("ben"), .session = slice_of("s"),
                           .message_id = slice_of("id"), .bytes = { (uint8_t *)bytes, 20 } };
        snprintf(bytes, sizeof bytes, "<content of row %03d>", i);
        must(w->kind->append(w, &row) == E_OK);
    }
    uint64_t lsn;
    must(w->kind->commit(w, &lsn) == E_OK && lsn == 120);
    must(w->kind->checkpoint(w, true) == E_OK);
    w->kind->close(w);
}

static struct buf read_file(void) {
    struct buf b;
    uint8_t part[4096];
    size_t n;
    FILE *file = fopen(path, "r");
    must(file);
    buf_init(&b, MIB(64));
    while ((n = fread(part, 1, sizeof part, file)) > 0) buf_put(&b, part, n);
    fclose(file);
    must(!b.bad);
    return b;
}

static void write_file(struct slice s) {
    char wal[160];
    snprintf(wal, sizeof wal, "%s-wal", path);
    unlink(wal);
    FILE *file = fopen(path, "w");
    must(file && fwrite(s.at, 1, s.len, file) == s.len && fclose(file) == 0);
}

static uint8_t *find(struct buf *b, const char *text) {
    uint8_t *at = memmem(b->at, b->len, text, strlen(text));
    must(at);
    return at;
}

static void p4_chain_verifies(void) {
    struct store_verified v;
    begin();
    fill();
    check(verify(&v).n == 0 && v.rows == 120 && v.batches == 61 && v.rooms == 8);
    end();
}

static void p4_flipped_byte_is_named_by_lsn(void) {
    const struct { const char *text; uint64_t lsn; } cases[] = {
        { "row 001>", 1 }, { "row 042>", 42 }, { "row 120>", 120 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct store_verified v;
        begin();
        fill();
        struct buf b = read_file();
        find(&b, cases[i].text)[2] ^= 1;
        write_file(buf_view(&b));
        struct report report = verify(&v);
        check(report.n == 1 && report.lsns[0] == cases[i].lsn && v.rows == 120);
        buf_deinit(&b);
        end();
    }
}

static void p4_changed_history_is_seen(void) {
    const struct { const char *sql; uint64_t lsn; } cases[] = {
        { "DELETE FROM log WHERE lsn = 77", 77 },
        { "UPDATE log SET user = 'eve' WHERE lsn = 78", 78 },
        { "UPDATE log SET time_ms = time_ms + 1 WHERE lsn = 1", 1 },
        { "UPDATE log SET room = 1 WHERE lsn = 120", 120 },
        { "UPDATE log SET session = 'a', message_id = 'b' WHERE lsn = 5", 5 },
        { "DELETE FROM batch WHERE first_lsn = 20", 21 },
        { "UPDATE batch SET hash = zeroblob(32) WHERE first_lsn = 20", 20 },
        { "UPDATE batch SET row_hashes = zeroblob(32) WHERE first_lsn = 20", 20 },
        { "UPDATE batch SET last_lsn = 119 WHERE first_lsn = 61", 61 },
        { "INSERT INTO log SELECT 121, room, kind, cause, time_ms, user, session, message_id, bytes"
          " FROM log WHERE lsn = 120", 121 },
        { "UPDATE room SET deleted_lsn = 0", 3 },
        { "UPDATE room SET first_lsn = first_lsn + 1 WHERE number = 8", 62 },
        { "UPDATE room SET name = 'doc:stolen' WHERE number = 8", 61 },
        { "UPDATE room SET lineage = replace(lineage, 'b', 'c') WHERE number = 8", 61 },
        { "DELETE FROM room WHERE number = 8", 61 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct store_verified v;
        begin();
        fill();
        outside(cases[i].sql);
        struct report report = verify(&v);
        bool named = false;
        for (size_t k = 0; k < report.n && k < 1000; k++) named |= report.lsns[k] == cases[i].lsn;
        if (!named) fprintf(stderr, "not seen: %s (%zu problems)\n", cases[i].sql, report.n);
        check(named);
        end();
    }
}

/* A rename changes the room's name; its older rows still verify by the alias, and it is found. */
static void p4_renamed_room_verifies_and_is_found(void) {
    struct store_verified v;
    struct room_state state;
    struct store *w, *r;
    begin();
    fill();
    outside("UPDATE room SET name = 'atom:y' WHERE name = 'atom:x';"
            "INSERT INTO alias SELECT number, 120, 'atom:x' FROM room WHERE name = 'atom:y'");
    w = open_log(true);
    check(put(w, "atom:y", "after", ROW_UPDATE) == 121);
    w->kind->close(w);
    struct report report = verify(&v);
    check(report.n == 0 && v.rows == 121 && v.rooms == 8);
    r = open_log(false);
    check(r->kind->room_state(r, slice_of("atom:x"), &state) == E_OK);
    check(state.exists && state.first_lsn == 61);
    r->kind->close(r);
    end();
}

static int on_dump(void *ctx, const struct row *row) {
    struct buf *b = ctx;
    buf_printf(b, "%lu %lu %d %d ", row->lsn, row->time_ms, (int)row->kind, (int)row->cause);
    const struct slice parts[] = { row->room, row->lineage, row->user, row->session, row->message_id,
                                   row->bytes };
    for (size_t i = 0; i < 6; i++) buf_bytes(b, parts[i]);
    return E_OK;
}

/* All a reader can learn from the file. False: it was told that it is damaged. */
static bool dump(struct buf *b) {
    const char *why;
    char name[16];
    struct store *r;
    struct room_state state;
    buf_init(b, MIB(64));
    if (store_sqlite_open(directory, false, &r, &why) != E_OK) return false;
    bool ok = r->kind->follow(r, 0, SIZE_MAX, on_dump, b) == E_OK;
    for (int i = 0; ok && i < 8; i++) {
        snprintf(name, sizeof name, i == 7 ? "atom:x" : "doc:%d", i);
        ok = r->kind->room_state(r, slice_of(name), &state) == E_OK;
        buf_put(b, &state, sizeof state);
    }
    r->kind->close(r);
    return ok;
}

static bool problems_or_refused(void) {
    struct report report = { .n = 0 };
    struct store_verified v;
    struct store *r;
    const char *why = NULL;
    if (store_sqlite_open(directory, false, &r, &why) != E_OK) return why != NULL;
    int err = store_verify(r, on_problem, &report, &v);
    r->kind->close(r);
    return err != E_OK;
}

/* Wherever a bit flips or the file ends early: what is read is what was written, or verify (or
 * the opening) says that it is not. */
static void p4_random_damage_is_never_silent(void) {
    const char *given = getenv("SEED"), *rounds = getenv("DAMAGE");
    unsigned seed = given ? (unsigned)atoi(given) : (unsigned)rand_u64();
    struct buf good, whole, now;
    int silent = 0, harmless = 0, n = rounds ? atoi(rounds) : 300;
    printf("# random damage: SEED=%u DAMAGE=%d\n", seed, n);
    begin();
    fill();
    whole = read_file();
    must(dump(&good));
    for (int i = 0; i < n; i++) {
        struct slice s = buf_view(&whole);
        size_t at = (size_t)rand_r(&seed) % whole.len;
        uint8_t bit = (uint8_t)(1 << rand_r(&seed) % 8);
        if (i % 10 == 9) s.len = at;
        else whole.at[at] ^= bit;
        write_file(s);
        if (i % 10 != 9) whole.at[at] ^= bit;
        bool told = !dump(&now);
        bool same = !told && slice_eq(buf_view(&now), buf_view(&good));
        harmless += same;
        if (!same && !problems_or_refused()) {
            silent++;
            fprintf(stderr, "silent: byte %zu bit %d %s\n", at, bit, i % 10 == 9 ? "cut" : "flip");
        }
        buf_deinit(&now);
    }
    check(silent == 0 && harmless < n);
    buf_deinit(&whole);
    buf_deinit(&good);
    end();
}

/* ---- checkpoints --------------------------------------------------------------------------- */

static off_t wal_size(void) {
    char wal[160];
    struct stat st;
    snprintf(wal, sizeof wal, "%s-wal", path);
    return stat(wal, &st) == 0 ? st.st_size : -1;
}

static void put_large(struct store *w) {
    static const uint8_t bytes[200000];
    struct row row = { .kind = ROW_UPDATE, .cause = CAUSE_YJS, .room = slice_of("doc:a"),
                       .lineage = slice_of(LINEAGE_A), .bytes = { bytes, sizeof bytes } };
    uint64_t lsn;
    must(w->kind->append(w, &row) == E_OK && w->kind->commit(w, &lsn) == E_OK);
}

static void p5_wal_is_bounded_and_emptied_when_idle(void) {
    struct store *w;
    begin();
    w = open_log(true);
    for (int i = 0; i < 300; i++) {             /* 60 MB */
        put_large(w);
        check(w->kind->checkpoint(w, false) == E_OK);
    }
    check(wal_size() < 20 << 20 && wal_size() > 8 << 20);
    put_large(w);
    check(w->kind->checkpoint(w, true) == E_OK && wal_size() == 0);
    w->kind->close(w);
    end();
}

static void p5_reader_holds_the_wal_and_lets_go(void) {
    struct store_verified v;
    struct store *w;
    sqlite3 *other;
    begin();
    w = open_log(true);
    put_large(w);
    must(sqlite3_open(path, &other) == SQLITE_OK);
    must(sqlite3_exec(other, "BEGIN; SELECT count(*) FROM log", NULL, NULL, NULL) == SQLITE_OK);
    for (int i = 0; i < 10; i++) put_large(w);
    off_t before = wal_size();
    check(w->kind->checkpoint(w, true) == E_OK);    /* not complete, and that is no error */
    check(wal_size() == before);
    must(sqlite3_exec(other, "COMMIT", NULL, NULL, NULL) == SQLITE_OK);
    check(w->kind->checkpoint(w, true) == E_OK && wal_size() == 0);
    must(sqlite3_close(other) == SQLITE_OK);
    w->kind->close(w);
    check(verify(&v).n == 0 && v.rows == 11);
    end();
}

/* Its own settings are not the file's: what another program left does not weaken a commit. */
static void p5_no_checkpoint_but_ours(void) {
    struct store *w;
    begin();
    w = open_log(true);
    for (int i = 0; i < 40; i++) put_large(w);  /* 8 MB: beyond SQLite's own 1,000 pages */
    check(wal_size() > 7 << 20);
    w->kind->close(w);
    check(wal_size() > 7 << 20);                /* nor at close */
    end();
}

int main(void) {
    run(p5_files_are_ours_alone);
    run(p5_second_server_refused_with_a_sentence);
    run(p5_another_program_holding_the_file_is_waited_out);
    run(p4_older_file_is_migrated);
    run(p4_newer_and_foreign_files_are_refused);
    run(p4_a_file_of_text_is_refused);
    run(p4_chain_verifies);
    run(p4_flipped_byte_is_named_by_lsn);
    run(p4_changed_history_is_seen);
    run(p4_renamed_room_verifies_and_is_found);
    run(p4_random_damage_is_never_silent);
    run(p5_wal_is_bounded_and_emptied_when_idle);
    run(p5_reader_holds_the_wal_and_lets_go);
    run(p5_no_checkpoint_but_ours);
    return t_exit();
}
