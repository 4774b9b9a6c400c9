/* sqlite_tx.h - what the files of the SQLite backend share; private to store/sqlite*.c.
 *
 * sqlite.c      connections, transactions, checkpoints, backups
 * sqlite_sql.c  statements: the cache, parameters, cursors, blobs, and the meaning of error codes
 * sqlite_vfs.c  the file operations of SQLite on a simulated disk */
#ifndef SOUK_STORE_SQLITE_TX_H
#define SOUK_STORE_SQLITE_TX_H

#include "store/ledger_backend.h"

#include <sqlite3.h>

/* A prepared statement, found again by the address of its literal. */
struct sqlite_prepared {
    const char *sql;
    sqlite3_stmt *statement;
    bool in_use; /* by a cursor: the same literal further down needs a second statement */
};

enum { SQLITE_PREPARED_MOST = 4096 }; /* of one connection: what one program can name */

struct sqlite_tx {
    souk_tx tx; /* first: what the port hands out */
    souk_mem *mem;
    sqlite3 *db;
    struct sqlite_prepared *prepared; /* open addressing, prepared_room a power of two */
    size_t prepared_room, prepared_count;
};

static inline struct sqlite_tx *sqlite_tx_of(const souk_tx *tx)
{
    return (struct sqlite_tx *)(uintptr_t)tx; /* the port's first field is ours */
}

/* Our code for SQLite's extended one; keeps its words in the transaction, and remembers a failed
 * sync as doubt. */
SOUK_CHECKED souk_err souk_sqlite_err(struct sqlite_tx *my, int code);
/* The same without a connection. */
souk_err souk_sqlite_code_err(int code);

SOUK_CHECKED souk_err souk_sqlite_run(souk_tx *tx, const char *sql, const souk_value *values,
                                      size_t count);
SOUK_CHECKED souk_err souk_sqlite_script(souk_tx *tx, const char *sql);
SOUK_CHECKED souk_err souk_sqlite_rows_begin(souk_tx *tx, const char *sql, const souk_value *values,
                                             size_t count, souk_rows *rows);
SOUK_CHECKED souk_err souk_sqlite_rows_next(souk_rows *rows, bool *ret_more);
enum souk_value_kind souk_sqlite_rows_kind(const souk_rows *rows, unsigned column);
int64_t souk_sqlite_rows_int(const souk_rows *rows, unsigned column);
double souk_sqlite_rows_real(const souk_rows *rows, unsigned column);
SOUK_CHECKED souk_err souk_sqlite_rows_bytes(souk_rows *rows, unsigned column,
                                             souk_text *ret_bytes);
void souk_sqlite_rows_done(souk_rows *rows);
SOUK_CHECKED souk_err souk_sqlite_blob_read(souk_tx *tx, const char *table, const char *column,
                                            int64_t rowid, size_t offset, void *to, size_t bytes);
/* Prepares a literal ahead, so that its run needs no memory for that. */
SOUK_CHECKED souk_err souk_sqlite_warm(struct sqlite_tx *my, const char *sql);
/* Lets go of all statements, before the connection closes. */
void souk_sqlite_forget_statements(struct sqlite_tx *my);

/* Registers a VFS which sends every file operation to the simulated disk; free unregisters it, after
 * the last connection. */
typedef struct souk_sqlite_vfs souk_sqlite_vfs;
SOUK_CHECKED souk_err souk_sqlite_vfs_new(souk_mem *mem, souk_disk *disk,
                                          souk_sqlite_vfs **ret_vfs);
void souk_sqlite_vfs_free(souk_sqlite_vfs *vfs);
SOUK_AUTO(souk_sqlite_vfs)
const char *souk_sqlite_vfs_name(const souk_sqlite_vfs *vfs);

#endif
