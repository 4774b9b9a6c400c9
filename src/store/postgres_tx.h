/* postgres_tx.h - what the files of the PostgreSQL backend share; private to store/postgres*.c.
 *
 * postgres.c          opening, transactions, in doubt or not
 * postgres_dial.c     connections: how a session is made, and which servers are refused
 * postgres_sql.c      statements: the cache, parameters, scripts, blobs
 * postgres_rows.c     cursors
 * postgres_value.c    numbers in the server's binary form, and the meaning of its error codes
 * postgres_whole.c    backups and checks of everything
 * postgres_dialect.c  the text of a statement */
#ifndef SOUK_STORE_POSTGRES_TX_H
#define SOUK_STORE_POSTGRES_TX_H

#include "base/random.h"
#include "store/ledger_backend.h"

#include <libpq-fe.h>

/* Types of the server, by their fixed numbers (pg_type.dat). */
enum {
    PG_BOOL = 16,
    PG_BYTEA = 17,
    PG_NAME = 19,
    PG_INT8 = 20,
    PG_INT2 = 21,
    PG_INT4 = 23,
    PG_TEXT = 25,
    PG_OID = 26,
    PG_FLOAT4 = 700,
    PG_FLOAT8 = 701,
    PG_UNKNOWN = 705,
    PG_VARCHAR = 1043,
    PG_NUMERIC = 1700,
};

enum {
    POSTGRES_VALUES_MOST = 100,      /* parameters of one statement */
    POSTGRES_PREPARED_MOST = 4096,   /* of one connection: what one program can name */
    POSTGRES_VALUE_BYTES = 64 << 20, /* of one text or blob, as on SQLite */
    POSTGRES_OPEN_MS = 1000,         /* how long the first server is waited for */
    POSTGRES_CONNECT_MS = 5000,      /* and one that was lost */
    POSTGRES_DOUBT_MS = 30000, /* and how long when it alone knows whether a commit happened */
    POSTGRES_WRITE_MS =
        1000, /* of a statement that writes; DESIGN: readers of the log's tail wait for it */
    POSTGRES_LOCK_MS = 900, /* below it, so that the reason is told apart */
    POSTGRES_READ_MS = 60000,
};

/* Who a session belongs to. */
enum postgres_role { POSTGRES_WRITER, POSTGRES_READER, POSTGRES_KEEPER };

struct postgres_place {
    souk_mem *mem;
    souk_ledger_options options;
    char *url;
    char *password;  /* as it stands in the URL, decoded; NULL: none */
    char where[160]; /* database and host, for words */
};

/* A prepared statement, found again by the address of its literal. */
struct postgres_prepared {
    const char *sql;
    char *text;   /* for the server */
    uint32_t sum; /* of sql: a literal keeps its text */
    unsigned number;
    bool prepared;       /* on this connection */
    bool stale;          /* with other types, or for a schema that is gone */
    bool is_query;       /* a cursor can be declared for it */
    bool changes;        /* INSERT, UPDATE, DELETE */
    bool large;          /* it once brought more than fits: read by a cursor from then on */
    unsigned small_runs; /* in a row */
    size_t count;
    Oid types[]; /* of its parameters, [count]; 0: only NULL so far */
};

struct postgres_tx {
    souk_tx tx; /* first: what the port hands out */
    struct postgres_place *place;
    enum postgres_role role;
    PGconn *conn;  /* NULL: lost */
    char mark[33]; /* of a writer: the id of its row in souk_writer, hexadecimal */
    uint64_t
        serial; /* of its transactions: what that row says once the running one has committed */
    char server[40];                     /* the cluster's identifier */
    char session[60];                    /* pid and start of the server's process */
    int64_t refused_ns;                  /* when the server was last waited for in vain; 0: never */
    struct postgres_prepared **prepared; /* open addressing, prepared_room a power of two */
    size_t prepared_room, prepared_count;
    uint64_t cursors;              /* declared so far: their names */
    struct postgres_slice *slices; /* see postgres_sql.c */
};

static inline struct postgres_tx *postgres_tx_of(const souk_tx *tx)
{
    return (struct postgres_tx *)(uintptr_t)tx; /* the port's first field is ours */
}

/* ---- postgres_value.c ---- */

/* Our code for an SQLSTATE; NULL or "": the connection is lost, SOUK_ERETRY. */
souk_err souk_postgres_code_err(const char *sqlstate);
void souk_postgres_put64(uint64_t number, unsigned char to[8]);
/* A number of the given type.  SOUK_EOVERFLOW: a whole number beyond 64 bits.  SOUK_EUNSUPPORTED: no number. */
SOUK_CHECKED souk_err souk_postgres_int(Oid type, const void *at, size_t bytes,
                                        int64_t *ret_number);
double souk_postgres_real(Oid type, const void *at, size_t bytes);
enum souk_value_kind souk_postgres_kind(Oid type, const void *at, size_t bytes);

/* ---- postgres_dial.c ---- */

SOUK_CHECKED souk_err souk_postgres_place_new(souk_mem *mem, const char *url,
                                              const souk_ledger_options *options,
                                              struct postgres_place **ret_place, souk_diag *diag);
void souk_postgres_place_free(struct postgres_place *place);
/* Makes the session where there is none; wait_ms: a server that is not there is tried again for so long. */
SOUK_CHECKED souk_err souk_postgres_dial(struct postgres_tx *my, unsigned wait_ms, souk_diag *diag);
void souk_postgres_hang_up(struct postgres_tx *my);
/* Keeps words of the server about its last answer, without the password, and gives our code. */
SOUK_CHECKED souk_err souk_postgres_err(struct postgres_tx *my, const PGresult *result);
/* The answers to two statements sent in one pipeline, which ends here: the first rows that come. */
SOUK_CHECKED souk_err souk_postgres_take_two(struct postgres_tx *my, PGresult **ret_rows);
/* Runs fixed text; *ret_result (NULL is fine) is the last answer, cleared by the caller on success. */
SOUK_CHECKED souk_err souk_postgres_exec(struct postgres_tx *my, const char *text,
                                         PGresult **ret_result);

/* ---- postgres_sql.c ---- */

/* The parameters of a run, in the server's form. */
struct postgres_values {
    size_t count;
    const char *at[POSTGRES_VALUES_MOST];
    int bytes[POSTGRES_VALUES_MOST], formats[POSTGRES_VALUES_MOST];
    unsigned char numbers[POSTGRES_VALUES_MOST][8];
};
SOUK_CHECKED souk_err souk_postgres_values(const souk_value *values, size_t count,
                                           struct postgres_values *ret_values);
/* The statement of a literal; prepared on the server where `prepare`. */
SOUK_CHECKED souk_err souk_postgres_find(struct postgres_tx *my, const char *sql,
                                         const souk_value *values, size_t count, bool prepare,
                                         struct postgres_prepared **ret_prepared);
void souk_postgres_name(const struct postgres_prepared *prepared, char name[24]);
/* As souk_postgres_err; a statement that the server no longer has or wants is prepared again next time. */
SOUK_CHECKED souk_err souk_postgres_statement_err(struct postgres_tx *my,
                                                  struct postgres_prepared *prepared,
                                                  const PGresult *result);
void souk_postgres_count_changes(struct postgres_tx *my, const struct postgres_prepared *prepared,
                                 PGresult *result);
/* After the connection is gone: what was prepared there is to be prepared again. */
void souk_postgres_unprepare(struct postgres_tx *my);
void souk_postgres_forget_statements(struct postgres_tx *my);

SOUK_CHECKED souk_err souk_postgres_run(souk_tx *tx, const char *sql, const souk_value *values,
                                        size_t count);
SOUK_CHECKED souk_err souk_postgres_script(souk_tx *tx, const char *sql);
SOUK_CHECKED souk_err souk_postgres_blob_read(souk_tx *tx, const char *table, const char *column,
                                              int64_t rowid, size_t offset, void *to, size_t bytes);

/* ---- postgres_rows.c ---- */

SOUK_CHECKED souk_err souk_postgres_rows_begin(souk_tx *tx, const char *sql,
                                               const souk_value *values, size_t count,
                                               souk_rows *rows);
SOUK_CHECKED souk_err souk_postgres_rows_next(souk_rows *rows, bool *ret_more);
enum souk_value_kind souk_postgres_rows_kind(const souk_rows *rows, unsigned column);
int64_t souk_postgres_rows_int(const souk_rows *rows, unsigned column);
double souk_postgres_rows_real(const souk_rows *rows, unsigned column);
SOUK_CHECKED souk_err souk_postgres_rows_bytes(souk_rows *rows, unsigned column,
                                               souk_text *ret_bytes);
void souk_postgres_rows_done(souk_rows *rows);

/* ---- postgres_whole.c ---- */

SOUK_CHECKED souk_err souk_postgres_backup(void *place, souk_disk *to, const char *name,
                                           souk_ledger_progress *progress, void *context);
SOUK_CHECKED souk_err souk_postgres_verify(void *place, souk_diag *diag);
/* A session for upkeep without time-outs. */
SOUK_CHECKED souk_err souk_postgres_connect(struct postgres_place *place, enum postgres_role role,
                                            struct postgres_tx **ret_my, souk_diag *diag);
void souk_postgres_disconnect(souk_tx *tx, bool clean);

#endif
