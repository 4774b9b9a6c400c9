/* sqlite_sql.c - statements on SQLite.  The workload: a few hundred literals, each run millions of
 * times, so that finding a prepared one is one hash of its address and one compare of its text (the
 * compare catches a caller who hands in a buffer of his own in place of a literal). */
#include "store/sqlite_tx.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>

/* ---- errors -------------------------------------------------------------------------------- */

static souk_err constraint_err(int code)
{
    switch (code) {
    case SQLITE_CONSTRAINT_UNIQUE:
    case SQLITE_CONSTRAINT_PRIMARYKEY:
    case SQLITE_CONSTRAINT_ROWID:
        return SOUK_EEXIST;
    default:
        return SOUK_ECONFLICT;
    }
}

souk_err souk_sqlite_code_err(int code)
{
    switch (code & 0xff) {
    case SQLITE_OK:
    case SQLITE_ROW:
    case SQLITE_DONE:
        return SOUK_OK;
    case SQLITE_CONSTRAINT:
        return constraint_err(code);
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return code == SQLITE_BUSY_SNAPSHOT ? SOUK_ERETRY : SOUK_EBUSY;
    case SQLITE_NOMEM:
        return SOUK_ENOMEM;
    case SQLITE_FULL:
        return SOUK_EFULL;
    case SQLITE_TOOBIG:
        return SOUK_ETOOBIG;
    case SQLITE_INTERRUPT:
        return SOUK_EINTERRUPT;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return SOUK_ECORRUPT;
    case SQLITE_READONLY:
    case SQLITE_PERM:
        return SOUK_EDENIED;
    case SQLITE_IOERR:
        return code == SQLITE_IOERR_NOMEM ? SOUK_ENOMEM : SOUK_EIO;
    case SQLITE_CANTOPEN:
    case SQLITE_PROTOCOL:
        return SOUK_EIO;
    default:
        return SOUK_EINVAL;
    }
}

souk_err souk_sqlite_err(struct sqlite_tx *my, int code)
{
    souk_err err = souk_sqlite_code_err(code);
    souk_assert((code & 0xff) != SQLITE_MISUSE);
    /* Cutting a file needs room where blocks are copied to be changed; only checkpoints cut, and what
     * they leave is whole. */
    if (code == SQLITE_IOERR_TRUNCATE && sqlite3_system_errno(my->db) == ENOSPC)
        err = SOUK_EFULL;
    if (err)
        snprintf(my->tx.words, sizeof my->tx.words, "%s (%d)", sqlite3_errmsg(my->db), code);
    if (code == SQLITE_IOERR_FSYNC || code == SQLITE_IOERR_DIR_FSYNC)
        my->tx.doubtful = true;
    return err;
}

/* ---- the cache ------------------------------------------------------------------------------ */

static struct sqlite_prepared *slot_of(struct sqlite_prepared *slots, size_t room, const char *sql)
{
    size_t at = (size_t)(((uintptr_t)sql * 0x9e3779b97f4a7c15u) >> 32) & (room - 1);
    while (slots[at].sql && slots[at].sql != sql)
        at = (at + 1) & (room - 1);
    return &slots[at];
}

/* Room for one more, at most three quarters full. */
static souk_err grow_cache(struct sqlite_tx *my)
{
    if ((my->prepared_count + 1) * 4 <= my->prepared_room * 3)
        return SOUK_OK;
    size_t room = my->prepared_room ? my->prepared_room * 2 : 64;
    struct sqlite_prepared *slots = souk_mem_array(my->mem, room, sizeof *slots);
    if (!slots)
        return SOUK_ENOMEM;
    for (size_t i = 0; i < my->prepared_room; i++)
        if (my->prepared[i].sql)
            *slot_of(slots, room, my->prepared[i].sql) = my->prepared[i];
    souk_mem_put(my->mem, my->prepared);
    my->prepared = slots;
    my->prepared_room = room;
    return SOUK_OK;
}

/* "No such table" may also mean that the newest schema could not be read: SQLite 3.40 forgets why.  So
 * once more, behind a read that would tell. */
static int prepare_again(struct sqlite_tx *my, const char *sql, unsigned flags,
                         sqlite3_stmt **ret_statement, const char **ret_rest)
{
    int code = sqlite3_exec(my->db, "PRAGMA schema_version", NULL, NULL, NULL);
    return code ? code : sqlite3_prepare_v3(my->db, sql, -1, flags, ret_statement, ret_rest);
}

static souk_err prepare(struct sqlite_tx *my, const char *sql, unsigned flags,
                        sqlite3_stmt **ret_statement)
{
    const char *rest = NULL;
    int code = sqlite3_prepare_v3(my->db, sql, -1, flags, ret_statement, &rest);
    if (code == SQLITE_ERROR)
        code = prepare_again(my, sql, flags, ret_statement, &rest);
    if (code)
        return souk_sqlite_err(my, code);
    souk_assert(*ret_statement && rest[strspn(rest, " ;\n")] == '\0'); /* one statement, not two */
    souk_assert(my->tx.writes || sqlite3_stmt_readonly(*ret_statement));
    return SOUK_OK;
}

/* The statement of a literal; owned where it is not the cache's and ends with its use. */
static souk_err find(struct sqlite_tx *my, const char *sql, sqlite3_stmt **ret_statement,
                     bool *ret_owned)
{
    *ret_owned = false;
    struct sqlite_prepared *slot =
        my->prepared_room ? slot_of(my->prepared, my->prepared_room, sql) : NULL;
    if (slot && slot->sql) {
        souk_assert(!strcmp(sqlite3_sql(slot->statement), sql)); /* a literal keeps its text */
        if (!slot->in_use) {
            *ret_statement = slot->statement;
            return SOUK_OK;
        }
    }
    if ((slot && slot->sql) || my->prepared_count == SQLITE_PREPARED_MOST) {
        *ret_owned = true; /* its cursor is open further up, or there are too many */
        return prepare(my, sql, 0, ret_statement);
    }
    SOUK_TRY(grow_cache(my));
    SOUK_TRY(prepare(my, sql, SQLITE_PREPARE_PERSISTENT, ret_statement));
    slot = slot_of(my->prepared, my->prepared_room, sql);
    *slot = (struct sqlite_prepared){sql, *ret_statement, false};
    my->prepared_count++;
    return SOUK_OK;
}

souk_err souk_sqlite_warm(struct sqlite_tx *my, const char *sql)
{
    sqlite3_stmt *statement = NULL;
    bool owned = false;
    SOUK_TRY(find(my, sql, &statement, &owned));
    if (owned)
        sqlite3_finalize(statement);
    return SOUK_OK;
}

void souk_sqlite_forget_statements(struct sqlite_tx *my)
{
    for (size_t i = 0; i < my->prepared_room; i++)
        sqlite3_finalize(my->prepared[i].statement);
    souk_mem_put(my->mem, my->prepared);
    my->prepared = NULL;
    my->prepared_room = my->prepared_count = 0;
}

/* After its use; an error of the last step was already told by the step. */
static void put_away(sqlite3_stmt *statement, bool owned)
{
    if (owned) {
        sqlite3_finalize(statement);
        return;
    }
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement); /* no pointer into the caller's storage stays behind */
}

/* ---- parameters ------------------------------------------------------------------------------ */

static int bind_one(sqlite3_stmt *statement, int at, const souk_value *value,
                    sqlite3_destructor_type lifetime)
{
    /* A NULL pointer would bind NULL; no bytes are not NULL. */
    const char *from = value->bytes.bytes ? value->bytes.at : "";
    switch (value->kind) {
    case SOUK_VALUE_NULL:
        return sqlite3_bind_null(statement, at);
    case SOUK_VALUE_INT:
        return sqlite3_bind_int64(statement, at, value->integer);
    case SOUK_VALUE_REAL:
        return sqlite3_bind_double(statement, at, value->real);
    case SOUK_VALUE_STR:
        return sqlite3_bind_text64(statement, at, from, value->bytes.bytes, lifetime, SQLITE_UTF8);
    case SOUK_VALUE_BLOB:
        break;
    }
    souk_assert(value->kind == SOUK_VALUE_BLOB);
    return sqlite3_bind_blob64(statement, at, from, value->bytes.bytes, lifetime);
}

static souk_err bind_all(struct sqlite_tx *my, sqlite3_stmt *statement, const souk_value *values,
                         size_t count, sqlite3_destructor_type lifetime)
{
    souk_assert((size_t)sqlite3_bind_parameter_count(statement) == count);
    for (size_t i = 0; i < count; i++) {
        int code = bind_one(statement, (int)i + 1, &values[i], lifetime);
        if (code)
            return souk_sqlite_err(my, code);
    }
    return SOUK_OK;
}

/* ---- running ---------------------------------------------------------------------------------- */

static void count_changes(struct sqlite_tx *my, sqlite3_stmt *statement)
{
    if (!sqlite3_stmt_readonly(statement))
        my->tx.changed = (uint64_t)sqlite3_changes64(my->db);
}

souk_err souk_sqlite_run(souk_tx *tx, const char *sql, const souk_value *values, size_t count)
{
    struct sqlite_tx *my = sqlite_tx_of(tx);
    sqlite3_stmt *statement = NULL;
    bool owned = false;
    SOUK_TRY(find(my, sql, &statement, &owned));
    souk_err err = bind_all(my, statement, values, count, SQLITE_STATIC);
    if (!err) {
        int code;
        while ((code = sqlite3_step(statement)) == SQLITE_ROW)
            ;
        err = souk_sqlite_err(my, code);
    }
    if (!err)
        count_changes(my, statement);
    put_away(statement, owned);
    return err;
}

souk_err souk_sqlite_script(souk_tx *tx, const char *sql)
{
    struct sqlite_tx *my = sqlite_tx_of(tx);
    return souk_sqlite_err(my, sqlite3_exec(my->db, sql, NULL, NULL, NULL));
}

souk_err souk_sqlite_rows_begin(souk_tx *tx, const char *sql, const souk_value *values,
                                size_t count, souk_rows *rows)
{
    struct sqlite_tx *my = sqlite_tx_of(tx);
    sqlite3_stmt *statement = NULL;
    SOUK_TRY(find(my, sql, &statement, &rows->owned));
    souk_err err = bind_all(my, statement, values, count, SQLITE_TRANSIENT);
    if (err) {
        put_away(statement, rows->owned);
        return err;
    }
    if (!rows->owned)
        slot_of(my->prepared, my->prepared_room, sql)->in_use = true;
    rows->statement = statement;
    rows->sql = sql;
    return SOUK_OK;
}

souk_err souk_sqlite_rows_next(souk_rows *rows, bool *ret_more)
{
    struct sqlite_tx *my = sqlite_tx_of(rows->tx);
    int code = sqlite3_step(rows->statement);
    *ret_more = code == SQLITE_ROW;
    if (code == SQLITE_DONE)
        count_changes(my, rows->statement);
    return souk_sqlite_err(my, code);
}

enum souk_value_kind souk_sqlite_rows_kind(const souk_rows *rows, unsigned column)
{
    switch (sqlite3_column_type(rows->statement, (int)column)) {
    case SQLITE_INTEGER:
        return SOUK_VALUE_INT;
    case SQLITE_FLOAT:
        return SOUK_VALUE_REAL;
    case SQLITE_TEXT:
        return SOUK_VALUE_STR;
    case SQLITE_BLOB:
        return SOUK_VALUE_BLOB;
    default:
        return SOUK_VALUE_NULL;
    }
}

int64_t souk_sqlite_rows_int(const souk_rows *rows, unsigned column)
{
    return sqlite3_column_int64(rows->statement, (int)column);
}

double souk_sqlite_rows_real(const souk_rows *rows, unsigned column)
{
    return sqlite3_column_double(rows->statement, (int)column);
}

/* Texts are asked for as blobs: the same UTF-8 without a NUL that would need a larger copy. */
souk_err souk_sqlite_rows_bytes(souk_rows *rows, unsigned column, souk_text *ret_bytes)
{
    const void *at = sqlite3_column_blob(rows->statement, (int)column);
    int bytes = sqlite3_column_bytes(rows->statement, (int)column);
    *ret_bytes = (souk_text){at, at ? (size_t)bytes : 0};
    if (!at && sqlite3_errcode(sqlite_tx_of(rows->tx)->db) == SQLITE_NOMEM)
        return SOUK_ENOMEM;
    return SOUK_OK;
}

void souk_sqlite_rows_done(souk_rows *rows)
{
    struct sqlite_tx *my = sqlite_tx_of(rows->tx);
    if (!rows->owned)
        slot_of(my->prepared, my->prepared_room, rows->sql)->in_use = false;
    put_away(rows->statement, rows->owned);
}

souk_err souk_sqlite_blob_read(souk_tx *tx, const char *table, const char *column, int64_t rowid,
                               size_t offset, void *to, size_t bytes)
{
    struct sqlite_tx *my = sqlite_tx_of(tx);
    sqlite3_blob *blob = NULL;
    int code = sqlite3_blob_open(my->db, "main", table, column, rowid, 0, &blob);
    if (code == SQLITE_ERROR) { /* no such row, or neither a blob nor a text: SQLite says no more */
        bool is_row = strstr(sqlite3_errmsg(my->db), "no such rowid") != NULL;
        souk_err err = souk_sqlite_err(my, code);
        return is_row ? SOUK_ENOENT : err;
    }
    souk_err err = souk_sqlite_err(my, code);
    if (!err) {
        size_t all = (size_t)sqlite3_blob_bytes(blob);
        if (offset > all || bytes > all - offset || all > INT_MAX)
            err = SOUK_EINVAL;
        else if (bytes)
            err = souk_sqlite_err(my, sqlite3_blob_read(blob, to, (int)bytes, (int)offset));
    }
    sqlite3_blob_close(blob);
    return err;
}
