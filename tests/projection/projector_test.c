/* projector_test.c -- the projector against a log in memory and real files. */
#include <sqlite3.h>

#include "bench.h"

#define PATH "atoms/processes/atom-a.yaml"

static struct bench b;

static void with_atom(void) {
    open_bench(&b);
    write_file(&b, PATH, atom_text);
    start(&b);
}

static void with_room(void) {
    with_atom();
    import(&b, "atom:atom-a", atom_text);
    until(&b, settled(&b));
}

/* ---- reading ------------------------------------------------------------------------------------------------ */

static void d6_an_entity_without_a_room_is_its_file(void) {
    with_atom();
    check(row_says(&b, "atom-a", "name", "\"First name\""));
    char *text = edited(atom_text, "First name", "Second name");
    write_file(&b, PATH, text);
    until(&b, row_says(&b, "atom-a", "name", "\"Second name\""));
    write_file(&b, "atoms/new/x.yaml", "id: atom-x\nname: New\n");
    until(&b, row_says(&b, "atom-x", "name", "\"New\""));
    check(b.merges == 0 && b.wrotes == 0);
    free(text);
    close_bench(&b);
}

static void d5_what_does_not_parse_is_listed_and_the_rest_works(void) {
    open_bench(&b);
    write_file(&b, PATH, atom_text);
    write_file(&b, "atoms/a.yaml", "id: atom-z\nname: [\n");
    write_file(&b, "atoms/b.yaml", "name: no id\n");
    write_file(&b, "atoms/z.yaml", atom_text);
    start(&b);
    check(row_says(&b, "atom-a", "name", "\"First name\"") && row_says(&b, "atom-z", NULL, NULL));
    check(problems_say(&b, "atoms/a.yaml:3") || problems_say(&b, "atoms/a.yaml:2"));
    check(problems_say(&b, "atoms/b.yaml:1"));
    check(problems_say(&b, "atoms/z.yaml:0 its id is also in " PATH));
    write_file(&b, "atoms/a.yaml", "id: atom-z\nname: good\n");
    until(&b, row_says(&b, "atom-z", "name", "\"good\"") && !problems_say(&b, "atoms/a.yaml"));
    char command[512];
    snprintf(command, sizeof command, "rm %s/" PATH, b.workspace);
    check(system(command) == 0);                            /* the duplicate takes its place */
    until(&b, row_says(&b, "atom-a", "_file_path", "\"atoms/z.yaml\"") && !problems_say(&b, "also in"));
    close_bench(&b);
}

/* ---- writing ---------------------------------------------------------------------------------------------------- */

static void p1_opening_a_room_changes_no_file(void) {
    with_room();
    check(b.wrotes == 0 && b.merges == 0 && file_is(&b, PATH, atom_text));
    close_bench(&b);
}

static void p1_a_word_is_one_line_of_the_file(void) {
    with_room();
    struct client ann = join(&b, "atom:atom-a");
    insert(&ann, "summary", 9, " sly");
    until(&b, row_says(&b, "atom-a", "summary", "\"The quick sly brown fox\""));  /* before the file */
    char *text = edited(atom_text, "The quick brown", "The quick sly brown");
    until(&b, file_is(&b, PATH, text));
    set_scalar(&ann, "owner", "Bob");
    char *more = edited(text, "owner: Ann", "owner: Bob");
    until(&b, file_is(&b, PATH, more));
    until(&b, settled(&b));
    check(b.wrotes == 2 && b.merges == 0);                  /* no echo */
    leave(&ann);
    free(text);
    free(more);
    close_bench(&b);
}

static void p1_the_projector_never_leads(void) {
    with_room();
    b.hold = true;                                          /* the journal does not answer */
    struct client ann = join(&b, "atom:atom-a");
    insert(&ann, "summary", 0, "X");
    until(&b, b.n_held == 1);
    check(file_is(&b, PATH, atom_text));                    /* not written before its row is durable */
    b.hold = false;
    answer(&b, b.held[0], E_FULL);                          /* refused: asked again later */
    char *text = edited(atom_text, "The quick", "XThe quick");
    until(&b, file_is(&b, PATH, text));
    check(b.wrotes == 2);
    leave(&ann);
    free(text);
    close_bench(&b);
}

static void d5_a_broken_shape_keeps_the_last_valid_file(void) {
    with_room();
    struct client ann = join(&b, "atom:atom-a");
    struct weave_value n = { .kind = WEAVE_V_NUMBER, .number = 5 };
    weave_begin(ann.doc);
    check(weave_map_set(ann.doc, weave_root(ann.doc, key_of("atom")), key_of("content"), &n) == 0);
    commit(&ann);
    until(&b, problems_say(&b, "(ann)"));
    until(&b, settled(&b));
    check(file_is(&b, PATH, atom_text) && row_says(&b, "atom-a", "name", "\"First name\""));
    leave(&ann);
    close_bench(&b);
}

/* ---- creation and deletion ------------------------------------------------------------------------------------------ */

static void a_created_entity_gets_its_file_and_a_deleted_one_loses_it(void) {
    open_bench(&b);
    start(&b);
    char *text = edited(atom_text, "# a comment that stays\n", "");
    import(&b, "atom:atom-a", text);
    until(&b, row_says(&b, "atom-a", "_file_path", "\"atoms/back_office/atom-a.yaml\""));
    until(&b, settled(&b));
    check(!file_is(&b, "atoms/back_office/atom-a.yaml", NULL));
    append(&b, ROW_DELETE, CAUSE_REST, "atom:atom-a", slice_of(""));
    projector_wake(b.projector);
    until(&b, row_says(&b, "atom-a", NULL, "gone by ann"));
    until(&b, settled(&b));
    check(file_is(&b, "atoms/back_office/atom-a.yaml", NULL));
    import(&b, "atom:atom-a", text);                        /* a new lineage */
    until(&b, row_says(&b, "atom-a", "name", "\"First name\""));
    until(&b, settled(&b) && !file_is(&b, "atoms/back_office/atom-a.yaml", NULL));
    free(text);
    close_bench(&b);
}

static void f2_a_file_that_went_away_is_a_tombstone(void) {
    char command[512];
    with_room();
    snprintf(command, sizeof command, "mv %s/" PATH " %s/away", b.workspace, b.workspace);
    check(system(command) == 0);
    until(&b, row_says(&b, "atom-a", NULL, "gone by file"));
    snprintf(command, sizeof command, "mv %s/away %s/" PATH, b.workspace, b.workspace);
    check(system(command) == 0);
    until(&b, row_says(&b, "atom-a", "name", "\"First name\""));
    snprintf(command, sizeof command, "mkdir %s/atoms/other && mv %s/" PATH " %s/atoms/other/", b.workspace, b.workspace,
             b.workspace);
    check(system(command) == 0);                            /* moved: the same entity at another place */
    until(&b, row_says(&b, "atom-a", "_file_path", "\"atoms/other/atom-a.yaml\""));
    until(&b, settled(&b));
    check(row_says(&b, "atom-a", "name", "\"First name\""));
    close_bench(&b);
}

/* ---- outside edits ------------------------------------------------------------------------------------------------------ */

static void f2_an_outside_edit_is_merged_with_what_people_write(void) {
    with_room();
    struct client ann = join(&b, "atom:atom-a");
    insert(&ann, "summary", 0, "Ann: ");                    /* not in the file yet */
    char *text = edited(atom_text, "Another sentence", "Another short sentence");
    write_file(&b, PATH, text);
    until(&b, b.merges == 1);
    until(&b, text_is(&ann, "description", "One sentence. Another short sentence."));
    check(text_is(&ann, "summary", "Ann: The quick brown fox"));
    char *both = edited(text, "summary: The", "summary: 'Ann: The");
    char *quoted = edited(both, "brown fox", "brown fox'");
    until(&b, file_is(&b, PATH, quoted));
    until(&b, settled(&b));
    check(b.merges == 1);
    leave(&ann);
    free(text);
    free(both);
    free(quoted);
    close_bench(&b);
}

static void f2_an_editor_that_read_an_old_version_deletes_nothing(void) {
    with_room();
    struct client ann = join(&b, "atom:atom-a");
    insert(&ann, "summary", 0, "One ");                     /* version 2 */
    until(&b, settled(&b) && b.wrotes == 1);
    insert(&ann, "summary", 0, "Two ");                     /* version 3 */
    until(&b, settled(&b) && b.wrotes == 2);
    char *text = edited(atom_text, "owner: Ann", "owner: Zoe");     /* version 1, with an edit of its own */
    write_file(&b, PATH, text);
    until(&b, row_says(&b, "atom-a", "owner", "\"Zoe\""));
    check(text_is(&ann, "summary", "Two One The quick brown fox"));
    char *one = edited(text, "summary: The", "summary: Two One The");
    until(&b, file_is(&b, PATH, one));
    leave(&ann);
    free(text);
    free(one);
    close_bench(&b);
}

static void p6_one_file_update_is_in_flight_and_a_failed_one_is_made_again(void) {
    with_room();
    b.hold = true;
    char *text = edited(atom_text, "owner: Ann", "owner: Zoe"), *more = edited(text, "team: Blue", "team: Red");
    write_file(&b, PATH, text);
    until(&b, b.n_held == 1);
    write_file(&b, PATH, more);
    for (int i = 0; i < 10; i++) reactor_turn(&b, 20);
    check(b.n_held == 1);
    b.hold = false;
    answer(&b, b.held[0], E_IO);
    until(&b, row_says(&b, "atom-a", "owner", "\"Zoe\"") && row_says(&b, "atom-a", "team", "\"Red\""));
    until(&b, settled(&b));
    check(file_is(&b, PATH, more));
    free(text);
    free(more);
    close_bench(&b);
}

static void f2_changes_made_while_nobody_was_running_are_merged(void) {
    with_room();
    struct client ann = join(&b, "atom:atom-a");
    insert(&ann, "summary", 0, "Late ");
    until(&b, caught_up(&b));
    stop(&b);                                               /* before its 500 ms: the file is behind */
    check(file_is(&b, PATH, atom_text));
    char *text = edited(atom_text, "owner: Ann", "owner: Zoe");
    write_file(&b, PATH, text);
    start(&b);
    until(&b, row_says(&b, "atom-a", "owner", "\"Zoe\""));
    char *both = edited(text, "summary: The", "summary: Late The");
    until(&b, file_is(&b, PATH, both));
    check(text_is(&ann, "summary", "Late The quick brown fox"));
    leave(&ann);
    free(text);
    free(both);
    close_bench(&b);
}

static void f2_conflict_markers_pause_a_file_and_say_so(void) {
    with_room();
    char *text = edited(atom_text, "owner: Ann\n", "<<<<<<< HEAD\nowner: Ann\n=======\nowner: Zoe\n>>>>>>> other\n");
    write_file(&b, PATH, text);
    until(&b, problems_say(&b, "conflict markers"));
    struct client ann = join(&b, "atom:atom-a");
    insert(&ann, "summary", 0, "X");
    until(&b, row_says(&b, "atom-a", "summary", "\"XThe quick brown fox\""));
    for (int i = 0; i < 40; i++) reactor_turn(&b, 20);      /* past the time of a write-back */
    check(file_is(&b, PATH, text) && b.wrotes == 0);
    char *solved = edited(atom_text, "owner: Ann", "owner: Zoe"), *both = edited(solved, "summary: The", "summary: XThe");
    write_file(&b, PATH, solved);
    until(&b, file_is(&b, PATH, both) && problems_say(&b, NULL));
    leave(&ann);
    free(text);
    free(solved);
    free(both);
    close_bench(&b);
}

/* ---- the index ---------------------------------------------------------------------------------------------------------- */

/* Everything index.db says, as text. */
static void dump(const char *data, struct buf *out) {
    static const char *const queries[] = {
        "select kind,id,state,hex(hash),size,type,lsn,json,summary,path from entity order by path",
        "select room.name,lsn from room_row join room on room.id = room order by 1,2", "select * from cursor",
        "select room,hex(hash),lsn from version order by room,n", "select path,source,line,text from problem order by 1,2",
    };
    char path[128];
    sqlite3 *db;
    sqlite3_stmt *s;

    snprintf(path, sizeof path, "%s/index.db", data);
    check(sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL) == SQLITE_OK);
    for (size_t i = 0; i < sizeof queries / sizeof *queries; i++) {
        check(sqlite3_prepare_v2(db, queries[i], -1, &s, NULL) == SQLITE_OK);
        while (sqlite3_step(s) == SQLITE_ROW) {
            for (int c = 0; c < sqlite3_column_count(s); c++) buf_printf(out, "%s|", (const char *)sqlite3_column_text(s, c));
            buf_byte(out, '\n');
        }
        sqlite3_finalize(s);
    }
    sqlite3_close(db);
    check(out->len > 500);
}

static void p2_reindex_gives_the_same(void) {
    struct buf before, after;
    const char *why = "";
    with_room();
    write_file(&b, "atoms/broken.yaml", "id: [\n");
    struct client ann = join(&b, "atom:atom-a");
    insert(&ann, "summary", 0, "X");
    until(&b, settled(&b) && b.wrotes == 1 && !problems_say(&b, NULL));
    stop(&b);
    buf_init(&before, 1 << 20);
    buf_init(&after, 1 << 20);
    dump(b.data, &before);
    struct projector_config config = { .workspace = b.workspace, .data = b.data, .once = true, .fresh = true };
    check(memory_open(b.disk, false, &config.log) == E_OK);
    check(projector_new(&config, &b.projector, &why) == E_OK);
    check(projector_catch_up(b.projector) == E_OK);
    projector_free(b.projector);
    b.projector = NULL;
    dump(b.data, &after);
    check(slice_eq(buf_view(&before), buf_view(&after)));
    buf_deinit(&before);
    buf_deinit(&after);
    start(&b);                                              /* and it goes on from there */
    char *text = edited(atom_text, "owner: Ann", "owner: Zoe"), *both = edited(text, "summary: The", "summary: XThe");
    write_file(&b, PATH, both);
    until(&b, row_says(&b, "atom-a", "owner", "\"Zoe\""));
    check(text_is(&ann, "summary", "XThe quick brown fox"));
    leave(&ann);
    free(text);
    free(both);
    close_bench(&b);
}

/* index.db cannot be written for a while (here: somebody holds its lock): nothing is shown, nothing is
 * lost, and it goes on by itself. */
static void p2_a_failing_index_is_begun_again(void) {
    char path[128];
    sqlite3 *db;

    with_room();
    struct client ann = join(&b, "atom:atom-a");
    snprintf(path, sizeof path, "%s/index.db", b.data);
    check(sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL) == SQLITE_OK);
    check(sqlite3_exec(db, "begin immediate", NULL, NULL, NULL) == SQLITE_OK);
    insert(&ann, "summary", 0, "X");
    until(&b, atomic_load(&projector_status(b.projector)->err) != E_OK);
    check(row_says(&b, "atom-a", "summary", "\"The quick brown fox\"") && file_is(&b, PATH, atom_text));
    check(sqlite3_exec(db, "rollback", NULL, NULL, NULL) == SQLITE_OK);
    sqlite3_close(db);
    char *text = edited(atom_text, "The quick", "XThe quick");
    until(&b, file_is(&b, PATH, text));
    until(&b, settled(&b) && atomic_load(&projector_status(b.projector)->err) == E_OK);
    check(b.merges == 0 && row_says(&b, "atom-a", "summary", "\"XThe quick brown fox\""));
    leave(&ann);
    free(text);
    close_bench(&b);
}

static int count_rows(void *ctx, const struct row *row) {
    (void)row;
    ++*(int *)ctx;
    return E_OK;
}

static int count_snapshot(void *ctx, struct slice bytes, uint64_t lsn) {
    (void)bytes;
    *(int *)ctx += 1000 + (int)(lsn > 0);
    return E_OK;
}

static void j6_a_long_tail_becomes_a_snapshot(void) {
    int n = 0;
    struct store *log;
    with_room();
    struct client ann = join(&b, "atom:atom-a");
    for (int i = 0; i < 600; i++) insert(&ann, "description", 0, "x");
    until(&b, caught_up(&b));
    check(memory_open(b.disk, false, &log) == E_OK);
    check(index_load_room(b.reader, log, slice_of("atom:atom-a"), count_snapshot, count_rows, &n) == E_OK);
    check(n >= 1001 && n < 1001 + 501);                     /* one snapshot, and fewer rows than without */
    log->kind->close(log);
    leave(&ann);
    close_bench(&b);
}

int main(void) {
    run(d6_an_entity_without_a_room_is_its_file);
    run(d5_what_does_not_parse_is_listed_and_the_rest_works);
    run(p1_opening_a_room_changes_no_file);
    run(p1_a_word_is_one_line_of_the_file);
    run(p1_the_projector_never_leads);
    run(d5_a_broken_shape_keeps_the_last_valid_file);
    run(a_created_entity_gets_its_file_and_a_deleted_one_loses_it);
    run(f2_a_file_that_went_away_is_a_tombstone);
    run(f2_an_outside_edit_is_merged_with_what_people_write);
    run(f2_an_editor_that_read_an_old_version_deletes_nothing);
    run(p6_one_file_update_is_in_flight_and_a_failed_one_is_made_again);
    run(f2_changes_made_while_nobody_was_running_are_merged);
    run(f2_conflict_markers_pause_a_file_and_say_so);
    run(p2_reindex_gives_the_same);
    run(p2_a_failing_index_is_begun_again);
    run(j6_a_long_tail_becomes_a_snapshot);
    return t_exit();
}
