/* schema.c -- the tables of log.db and the way there from every earlier version.
 *
 * A step is never changed once it was released: a new version appends one. A file says its version
 * in meta; steps run in one transaction, so a file is never between two versions. */
#include "base/err.h"
#include "store/sqlite_int.h"

#define APPLICATION_ID 1131834484       /* "Cvlt": whose file this is, for file(1) and for us */
#define TEXT_(x) #x
#define TEXT(x) TEXT_(x)

static const char *const steps[] = {
    /* 1: rooms, the log, its hash chain.
     * A number stands for one lineage of a room: after a delete, a new import is a new number.
     * log has no secondary index: one by room halves the speed at which edits become durable. */
    "CREATE TABLE room (number INTEGER PRIMARY KEY, name TEXT NOT NULL, lineage TEXT NOT NULL,"
    "  first_lsn INTEGER NOT NULL, deleted_lsn INTEGER NOT NULL DEFAULT 0);"
    "CREATE UNIQUE INDEX room_name ON room (name, number);"
    "CREATE TABLE log (lsn INTEGER PRIMARY KEY, room INTEGER NOT NULL, kind INTEGER NOT NULL,"
    "  cause INTEGER NOT NULL, time_ms INTEGER NOT NULL, user TEXT NOT NULL, session TEXT NOT NULL,"
    "  message_id TEXT NOT NULL, bytes BLOB NOT NULL);"
    "CREATE TABLE batch (first_lsn INTEGER PRIMARY KEY, last_lsn INTEGER NOT NULL,"
    "  row_hashes BLOB NOT NULL, hash BLOB NOT NULL);",

    /* 2: renames leave an alias: what the room was called up to and with that lsn. */
    "CREATE TABLE alias (room INTEGER NOT NULL, until_lsn INTEGER NOT NULL, name TEXT NOT NULL,"
    "  PRIMARY KEY (room, until_lsn)) WITHOUT ROWID;"
    "CREATE INDEX alias_name ON alias (name);",

    /* 3: where a full disk is probed for space. */
    "CREATE TABLE probe (id INTEGER PRIMARY KEY, bytes BLOB NOT NULL);",
};

#define VERSION (int)(sizeof steps / sizeof steps[0])

/* One integer from one row; `absent` where there is none. */
static bool query_int(sqlite3 *db, const char *sql, int absent, int *out) {
    sqlite3_stmt *s;
    if (!sqlite_prepare(db, &s, sql)) return false;
    int rc = sqlite3_step(s);
    *out = rc == SQLITE_ROW ? sqlite3_column_int(s, 0) : absent;
    bool ok = rc == SQLITE_ROW || rc == SQLITE_DONE;
    sqlite3_finalize(s);
    return ok;
}

/* 0: an empty file. -1: another program's. */
static bool version_of(sqlite3 *db, int *version) {
    int tables, id;
    if (!query_int(db, "SELECT count(*) FROM sqlite_schema", 0, &tables)) return false;
    if (!query_int(db, "PRAGMA application_id", 0, &id)) return false;
    *version = tables == 0 ? 0 : -1;
    if (tables == 0 || id != APPLICATION_ID) return true;
    if (!query_int(db, "SELECT value FROM meta WHERE key = 'schema'", -1, version)) return false;
    if (*version < 1) *version = -1;
    return true;
}

static bool set_version(sqlite3 *db, int version) {
    sqlite3_stmt *s;
    if (!sqlite_prepare(db, &s, "INSERT OR REPLACE INTO meta (key, value) VALUES ('schema', ?1)"))
        return false;
    sqlite3_bind_int(s, 1, version);
    bool ok = sqlite3_step(s) == SQLITE_DONE;
    sqlite3_finalize(s);
    return ok;
}

static bool migrate_from(sqlite3 *db, int version) {
    if (!sqlite_run(db, "BEGIN IMMEDIATE")) return false;
    bool ok = version > 0 ||
              (sqlite_run(db, "PRAGMA application_id = " TEXT(APPLICATION_ID)) &&
               sqlite_run(db, "CREATE TABLE meta (key TEXT PRIMARY KEY, value) WITHOUT ROWID"));
    for (int v = version; ok && v < VERSION; v++) ok = sqlite_run(db, steps[v]);
    return ok && set_version(db, VERSION) && sqlite_run(db, "COMMIT");
}

int schema_migrate(sqlite3 *db, bool writing, const char **why) {
    int version;
    if (!version_of(db, &version)) return sqlite_err(db, sqlite3_extended_errcode(db));
    if (version < 0) {
        *why = "log.db is not a log of Covalent";
        return E_INVALID;
    }
    if (version > VERSION) {
        *why = "log.db was written by a newer version of Covalent; run that version or a newer one";
        return E_INVALID;
    }
    if (version == VERSION) return E_OK;
    if (!writing) {
        *why = "log.db is of an older version of Covalent; start the server once to bring it up to date";
        return E_INVALID;
    }
    if (migrate_from(db, version)) return E_OK;
    int err = sqlite_err(db, sqlite3_extended_errcode(db));
    sqlite_run(db, "ROLLBACK");
    return err;
}
