/* ledger.h - transactional truth: one writer with group commit, many short readers, any SQL backend.
 *
 *     souk_auto(souk_ledger) ledger = NULL;
 *     SOUK_TRY(souk_ledger_open_sqlite(mem, disk, "ledger", NULL, &ledger, diag));
 *     SOUK_TRY(souk_ledger_migrate(ledger, "coupon", steps, step_count, diag));
 *
 *     static souk_err redeem(souk_tx *tx, void *context)        a closure: it may run again
 *     {
 *         struct redeem *my = context;
 *         SOUK_TRY(souk_sql_run(tx, "UPDATE coupon SET used = 1 WHERE code = ?1 AND used = 0",
 *                               SOUK_VALUES(SOUK_BLOB(my->code, 16))));
 *         return souk_sql_changed(tx) == 1 ? SOUK_OK : SOUK_ECONFLICT;
 *     }
 *     SOUK_TRY(souk_ledger_write(ledger, SOUK_LANE_TILL, redeem, &my));      durable from here on
 *
 *     souk_auto_value(souk_rows) rows = {0};                    inside a closure
 *     SOUK_TRY(souk_rows_begin(tx, "SELECT id, name FROM store WHERE merchant = ?1",
 *                              SOUK_VALUES(SOUK_INT(7)), &rows));
 *     while (souk_rows_next(&rows))
 *         use(souk_rows_int(&rows, 0), souk_rows_text(&rows, 1));
 *     SOUK_TRY(souk_rows_check(&rows));
 *
 *     SOUK_TRY(souk_ledger_close(ledger));                      before free, where all went well
 *
 * The workload: hundreds of doors with a till's basket or a batch of events each, all of which wait
 * for the disk.  One thread takes what has gathered, by lane, runs it as one transaction (a group)
 * and answers all of it after one sync; what gathers during that sync is the next group.  Nothing
 * waits on purpose.
 *
 * Closures  run in the writer thread (or, reading, in the caller) with the transaction as parameter.
 *           They may run several times and only the last run counts: set results afresh, touch
 *           nothing outside the transaction, take no lock, do no I/O.  An error undoes what this
 *           closure did and reaches only its caller; the rest of its group commits.
 * Groups    Work of a group sees the work before it in the same group, not yet committed.
 * Tills     On PostgreSQL closures of SOUK_LANE_TILL stand outside the groups: options.writers threads, each with a
 *           connection of its own, run one at a time as a transaction of its own, READ COMMITTED, side by side.
 *           What was read may have changed before it is written: every write carries its predicate.  One that lost
 *           (a deadlock, a lock held for 0.9 s, a broken connection) runs again, SOUK_ERETRY once that was in vain.
 *           Ingest and jobs keep the one writer and its groups.  Each statement that writes has a second:
 *           SOUK_ETIMEOUT.
 * Errors    SOUK_EBUSY: the lane's queue is full, or the server cannot be reached; nothing was done.
 *           SOUK_EFULL, SOUK_ENOMEM: nothing of it is stored, reads go on, later groups try again.  SOUK_EIO from a commit means "nobody knows": the
 *           ledger has failed, says SOUK_EIO to everything from then on, and the process is expected
 *           to stop and to recover by opening again (never sync twice; ATC '20, Rebello et al.);
 *           opening copies the log into the file, so that what readers see then lasts.
 *           SOUK_ESTOPPED: closing.  SOUK_ECORRUPT: stored bytes are damaged.
 * Cost      write: one sync shared by the group (64 callers: about 50 to a sync); read: no system call
 *           beyond locks; a prepared statement is found by the address of its literal.  Moving the
 *           log costs the writer one copy of checkpoint_pages and two syncs.
 * Threads   a ledger may be used from any thread; a souk_tx belongs to the closure it was given to. */
#ifndef SOUK_STORE_LEDGER_H
#define SOUK_STORE_LEDGER_H

#include "base/text.h"
#include "os/clock.h"
#include "os/disk.h"

typedef struct souk_ledger souk_ledger;
typedef struct souk_tx souk_tx;

/* What waits for the writer: a till never behind a flood of events, events never behind a job. */
enum souk_lane { SOUK_LANE_TILL, SOUK_LANE_INGEST, SOUK_LANE_JOB, SOUK_LANE_COUNT };

/* How hard a commit presses the disk.  Anything but FULL loses answered work at a power cut; the
 * others are for the tests which prove that they would notice. */
enum souk_ledger_sync { SOUK_SYNC_FULL, SOUK_SYNC_NORMAL, SOUK_SYNC_OFF };

typedef struct souk_ledger_options { /* {0} is the sane default */
    enum souk_ledger_sync sync;
    const char *
        url; /* of a server that holds it, for souk_ledger_open; NULL or "": a file of the folder */
    bool no_thread;      /* submit and write run their group in the caller: one thread only */
    bool quick_check;    /* read the whole file once at open; SOUK_ECORRUPT */
    unsigned readers;    /* connections for reading; 0: 4 */
    unsigned writers;    /* connections for tills, where the backend writes in parallel; 0: 8 */
    unsigned queue_jobs; /* ceiling of each lane; 0: 4096 */
    unsigned group_jobs; /* ceiling of one group; 0: 1024 */
    unsigned slice_us;   /* a group takes no further job after this much work; 0: 5000 */
    unsigned checkpoint_pages; /* of 4096 bytes in the write-ahead log; 0: 1000 */
    unsigned cache_kib;        /* page cache of each connection; 0: 2048 */
    uint64_t wal_limit_bytes;  /* what a log that once grew is cut to; 0: 64 MiB */
    const souk_clock *clock;   /* for slices and counters; NULL: the machine's */
} souk_ledger_options;

/* ---- life ------------------------------------------------------------------------------- */

/* Opens or makes the file `file_name` of the disk's folder; options may be NULL.  The disk must
 * outlive the ledger, and its folder belongs to this process (souk_disk_lock).
 * SOUK_EINVAL: a database, but none of ours.  SOUK_EUNSUPPORTED: a file system over the network.
 * SOUK_ECORRUPT, SOUK_EIO, SOUK_EFULL, SOUK_ENOMEM. */
SOUK_CHECKED souk_err souk_ledger_open_sqlite(souk_mem *mem, souk_disk *disk, const char *file_name,
                                              const souk_ledger_options *options,
                                              souk_ledger **ret_ledger, souk_diag *diag);
/* Opens a database of PostgreSQL 15 or later: postgres://user:password@host:5432/database, or any other form that
 * libpq knows; docs/postgres.md says how to make role and database.  Tills write in parallel there.
 * SOUK_EINVAL: the URL does not parse.  SOUK_EDENIED: the server refuses the role.  SOUK_ENOENT: no such database.
 * SOUK_EUNSUPPORTED: the server is too old, a standby, without fsync (unless options say SOUK_SYNC_OFF), or the
 * database is not UTF-8; diag says what to do and never holds the password.  SOUK_EBUSY: it cannot be reached.
 * SOUK_ENOMEM. */
SOUK_CHECKED souk_err souk_ledger_open_postgres(souk_mem *mem, const char *url,
                                                const souk_ledger_options *options,
                                                souk_ledger **ret_ledger, souk_diag *diag);
/* The form of souk_ledger_open_sqlite, for who opens a ledger and leaves the choice to others. */
typedef souk_err souk_ledger_opener(souk_mem *mem, souk_disk *disk, const char *file_name,
                                    const souk_ledger_options *options, souk_ledger **ret_ledger,
                                    souk_diag *diag);

/* Whether options->url names a server. */
bool souk_ledger_is_elsewhere(const souk_ledger_options *options);
/* There, on PostgreSQL ("postgres://…"), or else the file. */
SOUK_CHECKED souk_err souk_ledger_open(souk_mem *mem, souk_disk *disk, const char *file_name,
                                       const souk_ledger_options *options, souk_ledger **ret_ledger,
                                       souk_diag *diag);

/* Finishes what is queued, moves the write-ahead log into the file and lets go of it.  New work gets
 * SOUK_ESTOPPED.  Free comes after it. */
SOUK_CHECKED souk_err souk_ledger_close(souk_ledger *ledger);
/* The abandon path: what is queued gets SOUK_ESTOPPED; committed work stays.  NULL is fine. */
void souk_ledger_free(souk_ledger *ledger);
SOUK_AUTO(souk_ledger)
/* "sqlite": for the few words of a schema that databases do not share, such as a trigger's. */
const char *souk_ledger_backend_name(const souk_ledger *ledger);

/* ---- transactions ----------------------------------------------------------------------- */

typedef souk_err souk_tx_closure(souk_tx *tx, void *context);

/* Runs the closure in a group and returns when it is durable (or its error).  Not from a closure. */
SOUK_CHECKED souk_err souk_ledger_write(souk_ledger *ledger, enum souk_lane lane,
                                        souk_tx_closure *apply, void *context);
/* Runs the closure on a snapshot of what is committed, in the calling thread; waits for a free
 * connection.  Keep it below a few milliseconds: the log cannot be cut while a snapshot lives.
 * A statement that writes is a bug. */
SOUK_CHECKED souk_err souk_ledger_read(souk_ledger *ledger, souk_tx_closure *apply, void *context);

/* Work that nobody waits for on its stack: the caller owns it, embedded in a struct of its own, from
 * submit until `after` is called. */
typedef struct souk_job souk_job;
struct souk_job {
    enum souk_lane lane;
    bool
        may_fail; /* failing is ordinary for it: it gets a savepoint at once, so that a refusal does
                      not make its group run again.  Costs a few microseconds. */
    souk_err (*apply)(souk_tx *tx, souk_job *job); /* a closure as above */
    /* Called exactly once for an accepted job, in the writer thread, after the commit or the
     * failure, in the order in which the group ran (within a lane, the order of submission).  Where
     * tills write in parallel theirs is called in the thread that ran the job, several at once and in
     * any order.  Keep it short; it may submit, and may free the job. */
    void (*after)(souk_job *job, souk_err err);
    souk_job *next; /* private from here on */
    souk_err err;
};
/* The struct of `type` in which the job is the field `member`. */
#define SOUK_JOB_OWNER(job, type, member) ((type *)(void *)((char *)(job)-offsetof(type, member)))

/* SOUK_EBUSY, SOUK_ESTOPPED, SOUK_EIO: refused, and `after` is not called. */
SOUK_CHECKED souk_err souk_ledger_submit(souk_ledger *ledger, souk_job *job);

/* State in memory that goes with the writer's transactions: told in the writer's thread.  What a closure changed in it is
 * taken back by undo (to the last mark) or by end(false), and stands after end(true). */
typedef struct souk_watch souk_watch;
struct souk_watch {
    void (*mark)(souk_watch *watch); /* before a closure that may be undone alone */
    void (*undo)(souk_watch *watch); /* it was: the transaction goes on without it */
    void (*end)(souk_watch *watch,
                bool committed); /* perhaps of a transaction that changed nothing */
    souk_watch *next;            /* private */
};
/* From the next transaction on.  SOUK_EUNSUPPORTED: this ledger has several writers, so keep nothing in memory. */
SOUK_CHECKED souk_err souk_ledger_watch(souk_ledger *ledger, souk_watch *watch);
/* Nothing is told after it returns. */
void souk_ledger_unwatch(souk_ledger *ledger, souk_watch *watch);

/* While held, work gathers and no group starts; release lets it go on (and, without a thread, runs
 * it before returning).  Holds nest. */
void souk_ledger_hold(souk_ledger *ledger);
void souk_ledger_release(souk_ledger *ledger);

/* ---- statements, inside a closure ------------------------------------------------------- */

/* SQL is a string literal with parameters ?1, ?2, …: it is prepared once per connection and found
 * again by its address.  Values are copied before the call returns. */
enum souk_value_kind {
    SOUK_VALUE_NULL,
    SOUK_VALUE_INT,
    SOUK_VALUE_REAL,
    SOUK_VALUE_STR,
    SOUK_VALUE_BLOB
};
typedef struct souk_value {
    enum souk_value_kind kind;
    union {
        int64_t integer;
        double real;
        souk_text bytes;
    };
} souk_value;
#define SOUK_NULL      ((souk_value){.kind = SOUK_VALUE_NULL})
#define SOUK_INT(x)    ((souk_value){.kind = SOUK_VALUE_INT, .integer = (int64_t)(x)})
#define SOUK_REAL(x)   ((souk_value){.kind = SOUK_VALUE_REAL, .real = (x)})
#define SOUK_STR(text) ((souk_value){.kind = SOUK_VALUE_STR, .bytes = (text)})
#define SOUK_BLOB(from, count)             \
    ((souk_value){.kind = SOUK_VALUE_BLOB, \
                  .bytes = {.at = (const char *)(const void *)(from), .bytes = (count)}})
/* The last two arguments of a statement. */
#define SOUK_VALUES(...)               \
    (const souk_value[]){__VA_ARGS__}, \
        (sizeof((const souk_value[]){__VA_ARGS__}) / sizeof(souk_value))
#define SOUK_NO_VALUES ((const souk_value *)0), ((size_t)0)

/* The SQL is one text for SQLite and PostgreSQL; store/postgres_dialect.h tells what differs.  So: no
 * INSERT OR REPLACE, no sum(a = b), a column read in ON CONFLICT DO UPDATE is named with its table,
 * like is compared with like, and texts are UTF-8 without NUL.
 *
 * Runs one statement to its end; rows it returns are passed over.
 * SOUK_EEXIST: a UNIQUE or PRIMARY KEY forbids it.  SOUK_ECONFLICT: a CHECK, NOT NULL, foreign key or
 * trigger does.  SOUK_EINVAL: the SQL does not compile here.
 * A statement that failed fails its closure, whatever that returns afterwards, and those after it fail
 * in the same way without being run (PostgreSQL knows no other way): where a repeat is ordinary, write
 * ON CONFLICT DO NOTHING and look at what changed. */
SOUK_CHECKED souk_err souk_sql_run(souk_tx *tx, const char *sql, const souk_value *values,
                                   size_t count);
/* Rows that the last INSERT, UPDATE or DELETE changed: a write with a predicate checks it. */
uint64_t souk_sql_changed(const souk_tx *tx);
/* The first column of the first row; works with RETURNING.  SOUK_ENOENT: no row, or NULL. */
SOUK_CHECKED souk_err souk_sql_one_int(souk_tx *tx, const char *sql, const souk_value *values,
                                       size_t count, int64_t *ret_number);
/* Several statements parted by ';', without parameters and not kept: for schemas. */
SOUK_CHECKED souk_err souk_sql_script(souk_tx *tx, const char *sql);
/* What the database said about the last error of this transaction; for logs, not for shoppers. */
const char *souk_sql_words(const souk_tx *tx);

/* Reads [offset, offset + bytes) of a blob without its other bytes.
 * SOUK_ENOENT: no such row.  SOUK_EINVAL: the range lies beyond its end, or it is no blob. */
SOUK_CHECKED souk_err souk_sql_blob_read(souk_tx *tx, const char *table, const char *column,
                                         int64_t rowid, size_t offset, void *to, size_t bytes);

/* A cursor; a failure is sticky: next says false, check says why.  Columns count from 0.  Texts and
 * blobs live until the next `next` or `done`; NULL reads as 0 and as no bytes. */
typedef struct souk_rows {
    souk_tx *tx;
    void *statement;
    const char *sql;
    souk_err failed;
    bool owned, finished;
} souk_rows;
SOUK_CHECKED souk_err souk_rows_begin(souk_tx *tx, const char *sql, const souk_value *values,
                                      size_t count, souk_rows *rows);
bool souk_rows_next(souk_rows *rows);
SOUK_CHECKED souk_err souk_rows_check(const souk_rows *rows);
bool souk_rows_is_null(const souk_rows *rows, unsigned column);
int64_t souk_rows_int(const souk_rows *rows, unsigned column);
double souk_rows_real(const souk_rows *rows, unsigned column);
souk_text souk_rows_text(souk_rows *rows, unsigned column);
souk_text souk_rows_blob(souk_rows *rows, unsigned column);
/* Closes the cursor; {0} and a closed one are fine. */
void souk_rows_done(souk_rows *rows);

/* ---- schema, upkeep, backup --------------------------------------------------------------- */

typedef struct souk_migration {
    unsigned number; /* from 1, ascending */
    const char *sql; /* a script */
} souk_migration;
/* Brings the tables of a module up to its last step, each missing step in a transaction of its own.
 * SOUK_EVERSION: the data has a step that this program does not know.  Not from a closure. */
SOUK_CHECKED souk_err souk_ledger_migrate(souk_ledger *ledger, const char *module,
                                          const souk_migration *steps, size_t count,
                                          souk_diag *diag);

/* Moves the write-ahead log into the file.  truncate: all of it, and what was deleted is gone from
 * the disk when this returns SOUK_OK (an erasure's last step before its answer); waits up to 5 s for
 * readers, then SOUK_EBUSY.  Otherwise as far as readers allow.  On PostgreSQL this does nothing: the server's log and
 * pages keep what was deleted for a while, and only a destroyed key makes it unreadable (docs/postgres.md). */
SOUK_CHECKED souk_err souk_ledger_checkpoint(souk_ledger *ledger, bool truncate);

/* Writes a consistent copy of now under `name` into another folder, synced and renamed into place.
 * Writing goes on meanwhile, the write-ahead log grows.  progress (NULL is fine) is called after
 * every slice; its error ends the backup and removes the unfinished file.  From PostgreSQL it is what pg_dump -Fc
 * writes, of unknown length: total_bytes is the database's size.  SOUK_EUNSUPPORTED: there is no pg_dump here. */
typedef souk_err souk_ledger_progress(void *context, uint64_t done_bytes, uint64_t total_bytes);
SOUK_CHECKED souk_err souk_ledger_backup(souk_ledger *ledger, souk_disk *to, const char *name,
                                         souk_ledger_progress *progress, void *context);

/* Fills the empty database of a URL with what souk_ledger_backup wrote from PostgreSQL, by pg_restore, all of it or
 * nothing; what it has to say goes to stderr.  SOUK_ECONFLICT: the database is not empty, not there, or the file no
 * backup.  SOUK_EUNSUPPORTED: there is no pg_restore here. */
SOUK_CHECKED souk_err souk_ledger_restore_postgres(const char *url, const char *path,
                                                   souk_diag *diag);

/* Walks everything stored; SOUK_ECORRUPT with the first complaint in diag.  Reads the whole file.  On PostgreSQL every
 * row of every table, and every index where the extension amcheck is there and granted. */
SOUK_CHECKED souk_err souk_ledger_verify(souk_ledger *ledger, souk_diag *diag);
/* Runs one closure on a snapshot of the file, beside whatever process owns the folder, and writes nothing
 * but SQLite's own files of locks: for a doctor, run as the owner of the files.  While it runs, that
 * process cannot cut its log.  Errors as open's; SOUK_ENOENT: there is no such file. */
SOUK_CHECKED souk_err souk_ledger_look_sqlite(souk_mem *mem, souk_disk *disk, const char *file_name,
                                              souk_tx_closure *look, void *context,
                                              souk_diag *diag);

/* Since open; for /metrics.  Percentiles are upper ends of buckets at most 25 % wide. */
typedef struct souk_ledger_counters {
    uint64_t groups, jobs;  /* committed transactions; closures they held */
    uint64_t refused_jobs;  /* closures that ended in an error */
    uint64_t rerun_groups;  /* groups run again because one closure failed */
    uint64_t busy;          /* submissions refused by a full queue */
    uint64_t written_bytes; /* pages given to the write-ahead log; 0 where the server alone knows */
    uint64_t checkpoints, checkpoint_max_us;
    uint64_t commit_p50_us, commit_p99_us, commit_max_us; /* the commit with its sync */
    uint64_t slice_max_us; /* the longest work of a group before its commit */
    uint64_t queued[SOUK_LANE_COUNT];
    uint64_t wal_bytes; /* in the write-ahead log at the last commit */
    souk_err failed;    /* SOUK_EIO once the ledger has failed */
    bool full;          /* a job ended in SOUK_EFULL, and nobody has found room since */
} souk_ledger_counters;
void souk_ledger_count(souk_ledger *ledger, souk_ledger_counters *ret_counters);
/* The caller made sure that the disk has room again: counters.full ends.  The ledger itself does not
 * wait for it, every group tries. */
void souk_ledger_found_room(souk_ledger *ledger);

#endif
