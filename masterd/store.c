/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sqlite3.h>

#include "common/log.h"
#include "masterd/store.h"

#define SCHEMA_VERSION 3
#define KEEP_DEAD_TOKENS (7 * 24 * 3600)
#define SWEEP_SECONDS 3600
#define MAX_STATEMENTS 16

static sqlite3 *store;
/* Each is prepared once and kept; the text's address tells which it is. */
static struct { const char *sql; sqlite3_stmt *stmt; } statements[MAX_STATEMENTS];
static unsigned statements_count;
static time_t swept;

static const char schema[] =
    "PRAGMA journal_mode = WAL;"
    "PRAGMA synchronous = FULL;"
    "BEGIN IMMEDIATE;"
    "CREATE TABLE IF NOT EXISTS node ("
    " number INTEGER PRIMARY KEY, state INTEGER NOT NULL, instance INTEGER NOT NULL,"
    " perms INTEGER NOT NULL, mode INTEGER NOT NULL, uid INTEGER NOT NULL, gid INTEGER NOT NULL,"
    " cert BLOB, held INTEGER NOT NULL DEFAULT 0, word TEXT NOT NULL DEFAULT '');"
    "CREATE TABLE IF NOT EXISTS attr ("
    " node INTEGER NOT NULL, name TEXT NOT NULL, value BLOB NOT NULL,"
    " PRIMARY KEY (node, name)) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS token ("
    " hash BLOB PRIMARY KEY, node INTEGER NOT NULL, expires INTEGER NOT NULL,"
    " used INTEGER NOT NULL) WITHOUT ROWID;"
    "PRAGMA user_version = 3;"
    "COMMIT;";

/* What makes each form out of the one before it; by the number of that. */
static const char *const upgrades[SCHEMA_VERSION] = {
    [1] = "BEGIN IMMEDIATE;"
          "ALTER TABLE node ADD COLUMN held INTEGER NOT NULL DEFAULT 0;"
          "PRAGMA user_version = 2;"
          "COMMIT;",
    [2] = "BEGIN IMMEDIATE;"
          "ALTER TABLE node ADD COLUMN word TEXT NOT NULL DEFAULT '';"
          "PRAGMA user_version = 3;"
          "COMMIT;"
};

static int store_failed(const char *what)
{
    log_warnx("cannot %s in the state database: %s", what, sqlite3_errmsg(store));
    return -EIO;
}

/* To be given back by sqlite3_reset(). NULL when it cannot be prepared. */
static sqlite3_stmt *statement(const char *sql)
{
    sqlite3_stmt *stmt = NULL;
    unsigned i;

    for (i = 0; i < statements_count; i++)
        if (statements[i].sql == sql) {
            sqlite3_clear_bindings(statements[i].stmt);
            return statements[i].stmt;
        }
    if (i == MAX_STATEMENTS ||
        sqlite3_prepare_v3(store, sql, -1, SQLITE_PREPARE_PERSISTENT, &stmt, NULL) != SQLITE_OK)
        return NULL;
    statements[i].sql = sql;
    statements[statements_count++].stmt = stmt;
    return stmt;
}

static int sql_run(const char *sql)
{
    sqlite3_stmt *stmt = statement(sql);
    int done = stmt && sqlite3_step(stmt) == SQLITE_DONE;

    sqlite3_reset(stmt);
    return done ? 0 : -EIO;
}

/* The form of the database, 0 when it is new; -EINVAL with a reason when we cannot read it. */
static int version_read(char *text, size_t len)
{
    sqlite3_stmt *stmt = statement("PRAGMA user_version");
    int version = stmt && sqlite3_step(stmt) == SQLITE_ROW ? sqlite3_column_int(stmt, 0) : -1;

    sqlite3_reset(stmt);
    if (version >= 0 && version <= SCHEMA_VERSION)
        return version;
    if (version < 0)
        snprintf(text, len, "%s", sqlite3_errmsg(store));
    else
        snprintf(text, len, "it was written by a newer release (form %d)", version);
    return -EINVAL;
}

static int schema_make(int version, char *text, size_t len)
{
    int result = SQLITE_OK;

    for (; version > 0 && version < SCHEMA_VERSION && result == SQLITE_OK; version++)
        result = sqlite3_exec(store, upgrades[version], NULL, NULL, NULL);
    if (result == SQLITE_OK && sqlite3_exec(store, schema, NULL, NULL, NULL) == SQLITE_OK)
        return 0;
    snprintf(text, len, "%s", sqlite3_errmsg(store));
    return -EIO;
}

int store_open(const char *state_dir, char *text, size_t len)
{
    char path[PATH_MAX], reason[300] = "";
    mode_t mask = umask(077);
    int error = 0;

    snprintf(path, sizeof(path), "%s/bproc.db", state_dir);
    if (sqlite3_open(path, &store) != SQLITE_OK) {
        snprintf(reason, sizeof(reason), "%s", store ? sqlite3_errmsg(store) : "out of memory");
        error = -EIO;
    }
    if (!error) {
        sqlite3_busy_timeout(store, 2000);
        error = version_read(reason, sizeof(reason));
    }
    if (error >= 0)
        error = schema_make(error, reason, sizeof(reason));
    umask(mask);
    if (error) {
        snprintf(text, len, "cannot open %s: %s", path, reason);
        store_close();
    }
    return error;
}

void store_close(void)
{
    while (statements_count > 0)
        sqlite3_finalize(statements[--statements_count].stmt);
    sqlite3_close(store);
    store = NULL;
    swept = 0;
}

static void attrs_read(sqlite3_stmt *stmt, struct store_node *node)
{
    sqlite3_reset(stmt);
    sqlite3_bind_int(stmt, 1, node->number);
    while (sqlite3_step(stmt) == SQLITE_ROW)
        nodeattr_set(&node->attrs, (const char *)sqlite3_column_text(stmt, 0),
                     sqlite3_column_blob(stmt, 1), (unsigned)sqlite3_column_bytes(stmt, 1));
}

int store_load(void (*fn)(struct store_node *node, void *arg), void *arg)
{
    sqlite3_stmt *attrs = statement("SELECT name, value FROM attr WHERE node = ?");
    sqlite3_stmt *stmt = statement("SELECT number, state, instance, perms, mode, uid, gid, cert,"
                                   " held, word FROM node");
    int result;

    if (!stmt || !attrs) {
        result = store_failed("read the nodes");
        sqlite3_reset(stmt);
        sqlite3_reset(attrs);
        return result;
    }
    while ((result = sqlite3_step(stmt)) == SQLITE_ROW) {
        struct store_node node = {
            .number = sqlite3_column_int(stmt, 0),
            .state = (node_state)sqlite3_column_int(stmt, 1),
            .instance = (uint64_t)sqlite3_column_int64(stmt, 2),
            .set = (unsigned)sqlite3_column_int(stmt, 3),
            .mode = (unsigned)sqlite3_column_int(stmt, 4),
            .uid = (unsigned)sqlite3_column_int64(stmt, 5),
            .gid = (unsigned)sqlite3_column_int64(stmt, 6),
            .joined = sqlite3_column_bytes(stmt, 7) == BPROC_HASH_LEN,
            .held = sqlite3_column_int(stmt, 8),
        };

        snprintf(node.word, sizeof(node.word), "%s", (const char *)sqlite3_column_text(stmt, 9));
        if (node.joined)
            memcpy(node.cert, sqlite3_column_blob(stmt, 7), BPROC_HASH_LEN);
        attrs_read(attrs, &node);
        fn(&node, arg);
        nodeattr_clear(&node.attrs);
    }
    sqlite3_reset(stmt);
    sqlite3_reset(attrs);
    return result == SQLITE_DONE ? 0 : store_failed("read the nodes");
}

static int node_write(sqlite3_stmt *stmt, const struct store_node *node)
{
    sqlite3_reset(stmt);
    sqlite3_bind_int(stmt, 1, node->number);
    sqlite3_bind_int(stmt, 2, (int)node->state);
    sqlite3_bind_int64(stmt, 3, (sqlite3_int64)node->instance);
    sqlite3_bind_int(stmt, 4, (int)node->set);
    sqlite3_bind_int(stmt, 5, (int)node->mode);
    sqlite3_bind_int64(stmt, 6, node->uid);
    sqlite3_bind_int64(stmt, 7, node->gid);
    if (node->joined)
        sqlite3_bind_blob(stmt, 8, node->cert, BPROC_HASH_LEN, SQLITE_STATIC);
    else
        sqlite3_bind_null(stmt, 8);
    sqlite3_bind_int(stmt, 9, node->held);
    sqlite3_bind_text(stmt, 10, node->word, -1, SQLITE_STATIC);
    return sqlite3_step(stmt) == SQLITE_DONE ? 0 : -EIO;
}

static int attrs_forget(int number)
{
    sqlite3_stmt *stmt = statement("DELETE FROM attr WHERE node = ?");
    int done;

    if (!stmt)
        return -EIO;
    sqlite3_bind_int(stmt, 1, number);
    done = sqlite3_step(stmt) == SQLITE_DONE;
    sqlite3_reset(stmt);
    return done ? 0 : -EIO;
}

static int attrs_write(const struct store_node *node)
{
    sqlite3_stmt *stmt = NULL;
    int error = attrs_forget(node->number);

    if (!error && node->attrs.count > 0) {
        stmt = statement("INSERT INTO attr VALUES (?, ?, ?)");
        error = stmt ? 0 : -EIO;
    }
    for (unsigned i = 0; !error && i < node->attrs.count; i++) {
        const struct nodeattr *attr = &node->attrs.list[i];

        sqlite3_reset(stmt);
        sqlite3_bind_int(stmt, 1, node->number);
        sqlite3_bind_text(stmt, 2, attr->name, -1, SQLITE_STATIC);
        sqlite3_bind_blob(stmt, 3, attr->value, (int)attr->len, SQLITE_STATIC);
        error = sqlite3_step(stmt) == SQLITE_DONE ? 0 : -EIO;
    }
    sqlite3_reset(stmt);
    return error;
}

/* Within a group what fails takes nothing else back. */
int store_save(const struct store_node *nodes, unsigned count)
{
    sqlite3_stmt *stmt;
    int error = sql_run("SAVEPOINT nodes");

    if (error)
        return store_failed("write nodes");
    stmt = statement("INSERT OR REPLACE INTO node VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
    error = stmt ? 0 : -EIO;
    for (unsigned i = 0; !error && i < count; i++) {
        error = node_write(stmt, &nodes[i]);
        if (!error)
            error = attrs_write(&nodes[i]);
    }
    sqlite3_reset(stmt);
    if (!error && sql_run("RELEASE nodes") == 0)
        return 0;
    error = store_failed("write nodes");
    sql_run("ROLLBACK TO nodes");
    sql_run("RELEASE nodes");
    return error;
}

int store_begin(void)
{
    return sql_run("BEGIN IMMEDIATE") == 0 ? 0 : store_failed("begin");
}

int store_commit(void)
{
    int error;

    if (sql_run("COMMIT") == 0)
        return 0;
    error = store_failed("commit");
    sql_run("ROLLBACK");
    return error;
}

int store_token_add(const uint8_t hash[BPROC_HASH_LEN], int node, time_t expires)
{
    sqlite3_stmt *stmt = statement("INSERT INTO token VALUES (?, ?, ?, 0)");
    int done;

    if (!stmt)
        return store_failed("write a token");
    sqlite3_bind_blob(stmt, 1, hash, BPROC_HASH_LEN, SQLITE_STATIC);
    sqlite3_bind_int(stmt, 2, node);
    sqlite3_bind_int64(stmt, 3, expires);
    done = sqlite3_step(stmt) == SQLITE_DONE;
    sqlite3_reset(stmt);
    return done ? 0 : store_failed("write a token");
}

/* Tokens long dead tell nobody anything any more. */
static void tokens_sweep(time_t now)
{
    sqlite3_stmt *stmt;

    if (now - swept < SWEEP_SECONDS)
        return;
    swept = now;
    stmt = statement("DELETE FROM token WHERE expires < ?");
    if (stmt) {
        sqlite3_bind_int64(stmt, 1, now - KEEP_DEAD_TOKENS);
        sqlite3_step(stmt);
    }
    sqlite3_reset(stmt);
}

static int token_look_up(const uint8_t *hash, time_t now, int *node)
{
    sqlite3_stmt *stmt = statement("SELECT node, expires, used FROM token WHERE hash = ?");
    int error = -ENOENT;

    if (!stmt)
        return store_failed("read a token");
    sqlite3_bind_blob(stmt, 1, hash, BPROC_HASH_LEN, SQLITE_STATIC);
    if (sqlite3_step(stmt) == SQLITE_ROW) {
        *node = sqlite3_column_int(stmt, 0);
        error = sqlite3_column_int(stmt, 2)           ? -EALREADY
                : sqlite3_column_int64(stmt, 1) < now ? -ETIME
                                                      : 0;
    }
    sqlite3_reset(stmt);
    return error;
}

static int token_mark(const uint8_t hash[BPROC_HASH_LEN], int used)
{
    sqlite3_stmt *stmt = statement("UPDATE token SET used = ? WHERE hash = ?");
    int done;

    if (!stmt)
        return store_failed("use a token");
    sqlite3_bind_int(stmt, 1, used);
    sqlite3_bind_blob(stmt, 2, hash, BPROC_HASH_LEN, SQLITE_STATIC);
    done = sqlite3_step(stmt) == SQLITE_DONE && sqlite3_changes(store) == 1;
    sqlite3_reset(stmt);
    return done ? 0 : store_failed("use a token");
}

int store_token_use(const uint8_t hash[BPROC_HASH_LEN], time_t now, int *node)
{
    int error = token_look_up(hash, now, node);

    if (!error)
        error = token_mark(hash, 1);
    if (!error)
        tokens_sweep(now);
    return error;
}

int store_token_give_back(const uint8_t hash[BPROC_HASH_LEN])
{
    return token_mark(hash, 0);
}
