/* Rooms over a real journal, reader and sockets; the log is store/memory.c. */
#include "t.h"
#include "world.h"

#define STATE_0 ((struct slice){ (const uint8_t *)"\0", 1 })

/* J2: an edit reaches the others when it is on disk, not before, and not its author. */
static void j2_durable_then_visible(void) {
    struct world w;
    struct client ann, bob;
    struct buf b;
    struct y_msg m;
    struct weave *doc = weave_new(7, MIB(1));

    world_init(&w);
    buf_init(&b, KIB(64));
    client_init(&ann, &w, "ann", ROLE_EDITOR);
    client_init(&bob, &w, "bob", ROLE_EDITOR);
    client_join(&ann, "doc:a");
    client_join(&bob, "doc:a");
    check(client_y(&bob, &m) && m.kind == Y_SYNC && m.step == Y_STEP_1);
    check(client_y(&ann, &m) && m.step == Y_STEP_1);

    check(member_on_update(ann.member, type_text(doc, &b, 0, "hello"), false) == E_OK);
    world_turn(&w);
    check(!client_y(&bob, &m));                     /* sealed, not durable */
    world_commit(&w);
    check(client_y(&bob, &m) && m.kind == Y_SYNC && m.step == Y_UPDATE && slice_eq(m.body, buf_view(&b)));
    check(!client_y(&bob, &m));
    check(!client_y(&ann, &m));

    client_deinit(&ann);
    client_deinit(&bob);
    weave_free(doc);
    buf_deinit(&b);
    world_deinit(&w);
}

/* R3: on any error nothing has changed. R4: twice is once. */
static void r3_refused_changes_nothing(void) {
    struct world w;
    struct client ann, eve;
    struct buf b;
    struct weave *doc = weave_new(7, MIB(1));

    world_init(&w);
    buf_init(&b, KIB(64));
    client_init(&ann, &w, "ann", ROLE_EDITOR);
    client_init(&eve, &w, "eve", ROLE_VIEWER);
    client_join(&ann, "doc:a");
    client_join(&eve, "doc:a");
    struct slice update = type_text(doc, &b, 0, "hello");

    check(member_on_update(eve.member, update, false) == E_OK);     /* told, not taken */
    check(w.journal->appended == 0 && eve.member->is_denied);
    for (size_t len = 0; len < update.len; len++)
        check(member_on_update(ann.member, (struct slice){ update.at, len }, false) == E_INVALID);
    check(w.journal->appended == 0);
    check(member_on_update(ann.member, update, false) == E_OK);
    check(w.journal->appended == 1);
    check(member_on_update(ann.member, update, false) == E_OK);     /* R4 */
    check(member_on_update(ann.member, update, true) == E_OK);
    check(w.journal->appended == 1);
    world_commit(&w);

    client_deinit(&ann);
    client_deinit(&eve);
    weave_free(doc);
    buf_deinit(&b);
    world_deinit(&w);
}

/* A2: an answer that shows what is not durable waits for it; else it leaves at once. */
static void a2_answers_wait_for_the_commit(void) {
    struct world w;
    struct client ann, bob;
    struct buf b;
    struct y_msg m;
    struct weave *doc = weave_new(7, MIB(1)), *other = weave_new(8, MIB(1));

    world_init(&w);
    buf_init(&b, KIB(64));
    client_init(&ann, &w, "ann", ROLE_EDITOR);
    client_init(&bob, &w, "bob", ROLE_EDITOR);
    client_join(&ann, "doc:a");
    client_join(&bob, "doc:a");
    client_skip(&bob);
    check(member_on_step_1(bob.member, STATE_0) == E_OK);
    world_turn(&w);
    check(client_y(&bob, &m) && m.step == Y_STEP_2 && m.body.len == 2);     /* nothing uncommitted: at once */

    member_on_update(ann.member, type_text(doc, &b, 0, "hello"), false);
    check(member_on_step_1(bob.member, STATE_0) == E_OK);
    world_turn(&w);
    world_turn(&w);
    check(!client_y(&bob, &m));
    world_commit(&w);
    check(client_apply(&bob, other) >= 1 && text_is(other, "hello"));

    client_deinit(&ann);
    client_deinit(&bob);
    weave_free(doc);
    weave_free(other);
    buf_deinit(&b);
    world_deinit(&w);
}

/* A1: one acknowledgement an update, and one for the step 2 that answers the step 1 of the handshake;
 * those of updates that come before that step 2 wait for it. */
static void a1_acknowledged_after_the_commit(void) {
    struct world w;
    struct client ann;
    struct buf b;
    struct weave *doc = weave_new(7, MIB(1));
    const struct slice nothing = { (const uint8_t *)"\0\0", 2 };

    world_init(&w);
    buf_init(&b, KIB(64));
    client_init(&ann, &w, "ann", ROLE_EDITOR);
    client_join_as(&ann, "doc:a", CHANNEL_MUX);
    while (!ann.joined) world_loaded(&w);
    check(member_on_step_1(ann.member, STATE_0) == E_OK);
    world_turn(&w);
    check(client_skip(&ann) == 2);                  /* our step 1, step 2 */
    check(member_on_update(ann.member, type_text(doc, &b, 0, "a"), false) == E_OK);
    world_commit(&w);
    check(client_skip(&ann) == 0);                  /* the step 2 is still to come */
    check(member_on_update(ann.member, type_text(doc, &b, 1, "b"), true) == E_OK);
    world_turn(&w);
    check(client_skip(&ann) == 0);                  /* not on disk */
    world_commit(&w);
    check(client_skip(&ann) == 2);                  /* one for the update, one for the step 2 */
    check(member_on_update(ann.member, buf_view(&b), false) == E_OK);
    world_turn(&w);
    check(client_skip(&ann) == 1);                  /* nothing new is acknowledged too */

    member_ask(ann.member);                         /* a later step 1 of ours */
    world_turn(&w);
    check(client_skip(&ann) == 1);
    check(member_on_update(ann.member, nothing, true) == E_OK);
    world_turn(&w);
    check(client_skip(&ann) == 0);                  /* its answer is not counted by the client */

    client_deinit(&ann);
    weave_free(doc);
    buf_deinit(&b);
    world_deinit(&w);
}

/* A room is loaded from the log: what was committed is there after everybody had left. */
static void r1_opened_from_the_log(void) {
    struct world w;
    struct client ann, bob;
    struct buf b;
    char lineage[33], again[33];
    struct weave *doc = weave_new(7, MIB(1)), *other = weave_new(8, MIB(1));

    world_init(&w);
    buf_init(&b, KIB(64));
    client_init(&ann, &w, "ann", ROLE_EDITOR);
    client_join(&ann, "doc:a");
    member_on_update(ann.member, type_text(doc, &b, 0, "one"), false);
    world_commit(&w);
    member_on_update(ann.member, type_text(doc, &b, 3, " two"), false);
    world_commit(&w);
    check(rooms_lineage(w.rooms, slice_of("doc:a"), lineage) && strlen(lineage) == 32);
    client_deinit(&ann);
    check(rooms_is_live(w.rooms, slice_of("doc:a")));
    world_pass(&w, 60000);
    check(!rooms_is_live(w.rooms, slice_of("doc:a")));      /* freed within a minute */

    client_init(&bob, &w, "bob", ROLE_EDITOR);
    client_join(&bob, "doc:a");
    check(rooms_lineage(w.rooms, slice_of("doc:a"), again) && strcmp(lineage, again) == 0);
    check(member_on_step_1(bob.member, STATE_0) == E_OK);
    world_turn(&w);
    client_apply(&bob, other);
    check(text_is(other, "one two"));

    client_deinit(&bob);
    weave_free(doc);
    weave_free(other);
    buf_deinit(&b);
    world_deinit(&w);
}

/* What is said while the room loads is held, and answered in order. */
static void r1_said_while_loading(void) {
    struct world w;
    struct client ann, bob;
    struct buf b;
    struct weave *doc = weave_new(7, MIB(1)), *other = weave_new(8, MIB(1));

    world_init(&w);
    buf_init(&b, KIB(64));
    client_init(&ann, &w, "ann", ROLE_EDITOR);
    client_init(&bob, &w, "bob", ROLE_EDITOR);
    client_join_as(&ann, "doc:a", CHANNEL_YJS);
    client_join_as(&bob, "doc:a", CHANNEL_YJS);
    check(member_on_update(ann.member, type_text(doc, &b, 0, "early"), false) == E_OK);
    check(member_on_step_1(bob.member, STATE_0) == E_OK);
    while (!ann.joined) world_loaded(&w);
    world_commit(&w);
    client_apply(&bob, other);
    check(text_is(other, "early"));

    client_deinit(&ann);
    client_deinit(&bob);
    weave_free(doc);
    weave_free(other);
    buf_deinit(&b);
    world_deinit(&w);
}

/* D6, A10: opening never creates an entity. */
static void d6_an_unknown_entity_is_not_found(void) {
    struct world w;
    struct client ann;

    world_init(&w);
    client_init(&ann, &w, "ann", ROLE_EDITOR);
    client_join(&ann, "atom:nobody");
    check(ann.refused == 1 && ann.err == E_NOT_FOUND && !ann.member);
    check(!rooms_is_live(w.rooms, slice_of("atom:nobody")));
    client_deinit(&ann);
    world_deinit(&w);
}

/* A8: a failed commit: nobody saw it, the room is loaded again, members are asked for what they hold. */
static void a8_failed_commit_is_forgotten_and_asked_for(void) {
    struct world w;
    struct client ann, bob, mux;
    struct buf b, all;
    struct y_msg m;
    struct weave *doc = weave_new(7, MIB(1)), *other = weave_new(8, MIB(1));

    world_init(&w);
    buf_init(&b, KIB(64));
    buf_init(&all, KIB(64));
    client_init(&ann, &w, "ann", ROLE_EDITOR);
    client_init(&bob, &w, "bob", ROLE_EDITOR);
    client_init(&mux, &w, "mux", ROLE_EDITOR);
    client_join(&ann, "doc:a");
    client_join(&bob, "doc:a");
    client_join_as(&mux, "doc:a", CHANNEL_MUX);
    world_turn(&w);
    member_on_update(ann.member, type_text(doc, &b, 0, "kept"), false);
    world_commit(&w);
    client_skip(&ann);
    client_skip(&mux);
    client_apply(&bob, other);

    memory_fail(w.disk, E_FULL, 1);
    member_on_update(ann.member, type_text(doc, &b, 4, " lost"), false);
    check(member_on_step_1(bob.member, STATE_0) == E_OK);       /* its answer is lost with it */
    world_commit(&w);
    world_loaded(&w);
    check(mux.lost == 1);                                       /* its counter cannot be repaired */
    check(client_y(&ann, &m) && m.kind == Y_SYNC && m.step == Y_STEP_1);
    check(client_y(&bob, &m) && m.step == Y_STEP_1);
    client_apply(&bob, other);
    check(text_is(other, "kept"));                              /* answered, from the log */

    weave_since(doc, (struct weave_bytes){ (const uint8_t *)"\0", 1 }, (struct weave_sink){ into_buf, &all });
    check(member_on_update(ann.member, buf_view(&all), true) == E_OK);
    world_commit(&w);
    client_apply(&bob, other);
    check(text_is(other, "kept lost"));

    client_deinit(&ann);
    client_deinit(&bob);
    client_deinit(&mux);
    weave_free(doc);
    weave_free(other);
    buf_deinit(&b);
    buf_deinit(&all);
    world_deinit(&w);
}

/* A8: while the disk is full, edits are dropped and the room is read-only; then they are asked for. */
static void a8_read_only_while_the_disk_is_full(void) {
    struct world w;
    struct client ann;
    struct buf b;
    struct y_msg m;
    struct weave *doc = weave_new(7, MIB(1));

    world_init(&w);
    buf_init(&b, KIB(64));
    client_init(&ann, &w, "ann", ROLE_EDITOR);
    client_join(&ann, "doc:a");
    client_skip(&ann);
    w.read_only = E_FULL;
    world_turn(&w);
    check(ann.read_only == 1 && member_read_only(ann.member));
    check(member_on_update(ann.member, type_text(doc, &b, 0, "x"), false) == E_OK);
    check(w.journal->appended == 0);
    w.read_only = E_OK;
    world_pass(&w, 1000);
    check(ann.read_only == 0);
    check(client_y(&ann, &m) && m.kind == Y_SYNC && m.step == Y_STEP_1);

    client_deinit(&ann);
    weave_free(doc);
    buf_deinit(&b);
    world_deinit(&w);
}

/* A7: with the journal full nothing is refused; the message is taken when there is room. */
static void a7_a_full_journal_waits(void) {
    struct world w;
    struct client ann;
    struct buf b;
    struct weave *doc = weave_new(7, MIB(4));
    uint32_t n = 0;

    world_init(&w);
    buf_init(&b, KIB(64));
    client_init(&ann, &w, "ann", ROLE_EDITOR);
    client_join(&ann, "doc:a");
    while (member_on_update(ann.member, type_text(doc, &b, n, "x"), false) == E_OK) n++;
    check(n == LIMIT_JOURNAL);
    check(member_on_update(ann.member, buf_view(&b), false) == E_AGAIN);
    world_turn(&w);
    check(ann.ready == 0);
    world_commit(&w);
    check(ann.ready == 1);
    check(member_on_update(ann.member, buf_view(&b), false) == E_OK);
    check(w.journal->appended == LIMIT_JOURNAL + 1);
    world_commit(&w);

    client_deinit(&ann);
    weave_free(doc);
    buf_deinit(&b);
    world_deinit(&w);
}

static int done_err = 99, done_n;
static uint64_t done_lsn;
static void on_done(void *ctx, int err, uint64_t lsn) {
    (void)ctx;
    done_err = err;
    done_lsn = lsn;
    done_n++;
}

/* P6: an update of the projector's opens the room, is committed, and reaches the members. */
static void p6_submitted_from_outside(void) {
    struct world w;
    struct client bob;
    struct buf b;
    struct weave *doc = weave_new(7, MIB(1)), *other = weave_new(8, MIB(1));

    world_init(&w);
    buf_init(&b, KIB(64));
    struct submission s = { .room = slice_of("doc:a"), .cause = CAUSE_FILE, .bytes = type_text(doc, &b, 0, "file"),
                            .done = on_done };
    rooms_submit(w.rooms, &s);
    world_loaded(&w);
    check(done_n == 0);
    world_commit(&w);
    check(done_n == 1 && done_err == E_OK && done_lsn == 1);
    client_init(&bob, &w, "bob", ROLE_EDITOR);
    client_join(&bob, "doc:a");
    rooms_submit(w.rooms, &s);                                  /* nothing new: told at once */
    check(done_n == 2 && done_err == E_OK && done_lsn == 0);
    s.lineage = "00000000000000000000000000000000";
    rooms_submit(w.rooms, &s);
    check(done_n == 3 && done_err == E_REPLACED);
    s.lineage = NULL;
    s.bytes = type_text(doc, &b, 4, "!");
    rooms_submit(w.rooms, &s);
    world_commit(&w);
    check(done_n == 4 && done_err == E_OK && done_lsn == 2);
    client_apply(&bob, other);
    member_on_step_1(bob.member, STATE_0);
    world_turn(&w);
    client_apply(&bob, other);
    check(text_is(other, "file!"));

    client_deinit(&bob);
    weave_free(doc);
    weave_free(other);
    buf_deinit(&b);
    world_deinit(&w);
}

/* An entity is created once, deleted once; its members are told. */
static void d1_created_and_deleted(void) {
    struct world w;
    struct client ann;
    struct buf b, import;
    char lineage[33], again[33];
    struct weave *doc = weave_new(7, MIB(1));

    done_n = 0;
    world_init(&w);
    buf_init(&b, KIB(64));
    buf_init(&import, KIB(64));
    for (int i = 0; i < 32; i++) buf_byte(&import, (uint8_t)i);
    buf_slice(&import, type_text(doc, &b, 0, "new"));
    struct submission s = { .room = slice_of("atom:new"), .cause = CAUSE_REST, .bytes = buf_view(&import), .done = on_done };
    rooms_create(w.rooms, &s);
    world_loaded(&w);
    world_commit(&w);
    check(done_n == 1 && done_err == E_OK && done_lsn == 1);
    check(rooms_lineage(w.rooms, slice_of("atom:new"), lineage));
    rooms_create(w.rooms, &s);
    check(done_n == 2 && done_err == E_EXISTS);
    client_init(&ann, &w, "ann", ROLE_EDITOR);
    client_join(&ann, "atom:new");
    rooms_delete(w.rooms, &s);
    world_commit(&w);
    check(done_n == 3 && done_err == E_OK && done_lsn == 2);
    check(ann.refused == 1 && ann.err == E_NOT_FOUND);
    world_pass(&w, 1);
    rooms_create(w.rooms, &s);
    world_loaded(&w);
    world_commit(&w);
    check(done_n == 4 && done_err == E_OK);
    check(rooms_lineage(w.rooms, slice_of("atom:new"), again) && strcmp(lineage, again) != 0);

    client_deinit(&ann);
    weave_free(doc);
    buf_deinit(&b);
    buf_deinit(&import);
    world_deinit(&w);
}

/* D1: a client id of another import enters nowhere: not in a step 1, not in an update. */
static void d1_another_imports_ids_are_refused(void) {
    struct world w;
    struct client ann;
    struct buf b;
    const uint64_t reserved = (UINT64_C(1) << 53) - 12345;
    struct weave *doc = weave_new(reserved, MIB(1));
    struct buf state;

    world_init(&w);
    buf_init(&b, KIB(64));
    buf_init(&state, 100);
    client_init(&ann, &w, "ann", ROLE_EDITOR);
    client_join(&ann, "doc:a");
    client_skip(&ann);
    struct slice update = type_text(doc, &b, 0, "theirs");
    check(member_on_update(ann.member, update, false) == E_REPLACED);
    buf_uint(&state, 1);
    buf_uint(&state, reserved);
    buf_uint(&state, 6);
    check(member_on_step_1(ann.member, buf_view(&state)) == E_REPLACED);
    check(client_skip(&ann) == 0 && w.journal->appended == 0);

    struct submission s = { .room = slice_of("doc:a"), .cause = CAUSE_SERVER, .bytes = update };
    rooms_submit(w.rooms, &s);                          /* the server may bring it */
    world_commit(&w);
    check(member_on_step_1(ann.member, buf_view(&state)) == E_OK);      /* now it is this room's own */

    client_deinit(&ann);
    weave_free(doc);
    buf_deinit(&b);
    buf_deinit(&state);
    world_deinit(&w);
}

int main(void) {
    run(j2_durable_then_visible);
    run(r3_refused_changes_nothing);
    run(a2_answers_wait_for_the_commit);
    run(a1_acknowledged_after_the_commit);
    run(r1_opened_from_the_log);
    run(r1_said_while_loading);
    run(d6_an_unknown_entity_is_not_found);
    run(a8_failed_commit_is_forgotten_and_asked_for);
    run(a8_read_only_while_the_disk_is_full);
    run(a7_a_full_journal_waits);
    run(p6_submitted_from_outside);
    run(d1_created_and_deleted);
    run(d1_another_imports_ids_are_refused);
    return t_exit();
}
