/* index_int.h -- how the parts of the index share its handle: one prepared statement a kind of
 * question, kept for the life of the handle. */
#ifndef STORE_INDEX_INT_H
#define STORE_INDEX_INT_H

#include <sqlite3.h>

#include "store/index.h"

#define INDEX_SQL(X)                                                                               \
    X(BEGIN, "begin immediate")                                                                    \
    X(BEGIN_READ, "begin")                                                                         \
    X(COMMIT, "commit")                                                                            \
    X(ROLLBACK, "rollback")                                                                        \
    X(GET_CURSOR, "select lsn from cursor")                                                        \
    X(SET_CURSOR, "update cursor set lsn = ?1")                                                    \
    X(ADD_ROOM, "insert into room(name) values(?1) on conflict do nothing")                        \
    X(ADD_ROW, "insert into room_row(room, lsn) select id, ?2 from room where name = ?1"           \
               " on conflict do nothing")                                                          \
    X(ADD_TAIL, "update room set tail_rows = tail_rows + 1, tail_bytes = tail_bytes + ?2"          \
                " where name = ?1")                                                                \
    X(GET_TAIL, "select tail_rows, tail_bytes from room where name = ?1")                          \
    X(RESET_TAIL, "update room set tail_rows = 0, tail_bytes = 0 where name = ?1")                 \
    X(SET_SNAPSHOT, "insert into snapshot(room, lsn, sum, bytes)"                                  \
                    " select id, ?2, ?3, ?4 from room where name = ?1 on conflict(room) do"        \
                    " update set lsn = excluded.lsn, sum = excluded.sum, bytes = excluded.bytes")  \
    X(GET_SNAPSHOT, "select lsn, sum, bytes from snapshot join room on room.id = snapshot.room"    \
                    " where name = ?1 and lsn between ?2 and ?3")                                  \
    X(DROP_SNAPSHOT, "delete from snapshot where room = (select id from room where name = ?1)")    \
    X(ROOM_ROWS, "select lsn from room_row where room = (select id from room where name = ?1)"     \
                 " and lsn between ?2 and ?3 order by lsn")                                        \
    X(PUT_ENTITY, "insert or replace into entity(path, kind, id, state, hash, mtime, size, type,"  \
                  " json, summary, lsn, file_lsn, gone_by, gone_at)"                               \
                  " values(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14)")                       \
    X(TOUCH_ENTITY, "update entity set state = ?2, hash = ?3, mtime = ?4, size = ?5, lsn = ?6,"    \
                    " file_lsn = ?7, gone_by = ?8, gone_at = ?9 where path = ?1")                  \
    X(REMOVE_ENTITY, "delete from entity where path = ?1")                                         \
    X(GET_ENTITY, "select " INDEX_ENTITY ", json, summary from entity where kind = ?1 and id = ?2" \
                  " and state in (0, 3) order by state, path limit 1")                             \
    X(GET_ENTITY_AT, "select " INDEX_ENTITY ", json, summary from entity where path = ?1")         \
    X(FILES, "select " INDEX_ENTITY ", '', '' from entity order by path")                          \
    X(LIST, "select " INDEX_ENTITY ", json, summary from entity"                                   \
            " where kind = ?1 and state = 0 order by path limit ?2 offset ?3")                     \
    X(LIST_TYPE, "select " INDEX_ENTITY ", json, summary from entity where kind = ?1"              \
                 " and state = 0 and type = ?4 order by path limit ?2 offset ?3")                  \
    X(COUNT, "select count(*) from entity where kind = ?1 and state = 0")                          \
    X(COUNT_TYPE, "select count(*) from entity where kind = ?1 and state = 0 and type = ?2")       \
    X(FILL_VERSION, "update version set bytes = ?3 where room = ?1 and hash = ?2"                  \
                    " and length(bytes) = 0")                                                      \
    X(PUT_VERSION, "insert into version(room, hash, lsn, bytes) values(?1, ?2, ?3, ?4)")           \
    X(HAS_VERSION, "select count(*) from version where room = ?1 and hash = ?2 and lsn = ?3")      \
    X(CUT_VERSIONS, "delete from version where room = ?1 and n <="                                 \
                    " (select n from version where room = ?1 order by n desc limit 1 offset ?2)")  \
    X(DROP_VERSIONS, "delete from version where room = ?1")                                        \
    X(VERSIONS, "select room, hash, lsn, bytes from version where room = ?1 order by n desc")      \
    X(SET_PROBLEM, "insert or replace into problem(path, source, line, col, text, user, at)"       \
                   " values(?1, ?2, ?3, ?4, ?5, ?6, ?7)")                                          \
    X(CLEAR_PROBLEM, "delete from problem where path = ?1 and source = ?2")                        \
    X(CLEAR_PROBLEMS, "delete from problem where path = ?1")                                       \
    X(CLEAR_SKIPPED, "delete from problem where source = 'skipped'")                               \
    X(PROBLEMS, "select path, source, line, col, text, user, at from problem"                      \
                " order by path, source limit 1000")                                               \
    X(COUNT_PROBLEMS, "select count(*) from problem")

#define INDEX_ENTITY \
    "path, kind, id, state, hash, mtime, size, type, lsn, file_lsn, gone_by, gone_at"

enum index_sql {
#define X(name, text) SQL_##name,
    INDEX_SQL(X)
#undef X
    SQL_COUNT_OF
};

struct index {
    sqlite3 *db;
    char *directory;
    bool damaged;
    sqlite3_stmt *sql[SQL_COUNT_OF];
};

sqlite3_stmt *index_sql(struct index *x, enum index_sql which);    /* reset, nothing bound; NULL: E_IO */
int index_step(struct index *x, sqlite3_stmt *s);                  /* runs to the end; resets */
int index_error(struct index *x, int rc);                          /* SQLITE_ to E_; notes damage */
void index_bind(sqlite3_stmt *s, int at, struct slice text);
void index_bind_blob(sqlite3_stmt *s, int at, struct slice bytes);
struct slice index_column(sqlite3_stmt *s, int at);

#endif
