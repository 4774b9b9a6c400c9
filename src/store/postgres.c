/* postgres.c - the ledger on a PostgreSQL server: opening, transactions, and the truth about those whose end
 * was not heard.
 *
 * Each writing connection has a row of its own in the table souk_writer, and each of its transactions begins
 * by writing its serial number there.  Where the connection breaks before COMMIT was sent nothing happened:
 * SOUK_ERETRY, and the closure runs again on a new connection.  Where it breaks behind that, the row is read
 * and locked in a new session, which waits for the end of the old one:
 *
 *     it has the serial     committed: SOUK_OK
 *     it has an older one   not committed: SOUK_ERETRY, run again
 *     another cluster, or no answer for 30 s: nobody knows, SOUK_EIO
 *
 * pg_xact_status, made for this question, is no witness after a crash: a number that no flushed record of the
 * log bears is given again, and the answer is then about somebody else's transaction. */
#include "store/postgres_tx.h"

#include <stdio.h>
#include <stdlib.h>

/* ---- connections ------------------------------------------------------------------------------ */

static bool is_open(souk_tx *tx)
{
    struct postgres_tx *my = postgres_tx_of(tx);
    return my->conn && PQstatus(my->conn) == CONNECTION_OK &&
           PQtransactionStatus(my->conn) != PQTRANS_IDLE;
}

void souk_postgres_disconnect(souk_tx *tx, bool clean)
{
    struct postgres_tx *my = postgres_tx_of(tx);
    char text[100];
    snprintf(text, sizeof text, "DELETE FROM souk_writer WHERE id = '\\x%s'", my->mark);
    if (my->mark[0] && (clean || !is_open(tx)) && my->conn)
        (void)!souk_postgres_exec(my, text, NULL); /* else it goes after a week */
    souk_postgres_hang_up(my);
    souk_postgres_forget_statements(my);
    souk_mem_put(my->place->mem, my);
}

souk_err souk_postgres_connect(struct postgres_place *place, enum postgres_role role,
                               struct postgres_tx **ret_my, souk_diag *diag)
{
    struct postgres_tx *my = souk_mem_get(place->mem, sizeof *my);
    if (!my)
        return SOUK_ENOMEM;
    my->tx.backend = &souk_ledger_postgres;
    my->tx.writes = role == POSTGRES_WRITER;
    my->place = place;
    my->role = role;
    if (my->tx.writes) {
        unsigned char id[16];
        souk_entropy(id, sizeof id);
        souk_hex(id, sizeof id, my->mark);
    }
    souk_err err = souk_postgres_dial(my, POSTGRES_OPEN_MS, diag);
    if (err) {
        souk_diag_say(diag, err, "%s cannot be opened: %s", place->where,
                      my->tx.words[0] ? my->tx.words : souk_err_words(err));
        souk_postgres_disconnect(&my->tx, false);
        return err;
    }
    *ret_my = my;
    return SOUK_OK;
}

static souk_err connect(void *context, bool writes, souk_tx **ret_tx, souk_diag *diag)
{
    struct postgres_tx *my = NULL;
    SOUK_TRY(souk_postgres_connect(context, writes ? POSTGRES_WRITER : POSTGRES_READER, &my, diag));
    *ret_tx = &my->tx;
    return SOUK_OK;
}

static void forget(void *context)
{
    souk_postgres_place_free(context);
}

/* ---- transactions ----------------------------------------------------------------------------- */

static void rollback(souk_tx *tx)
{
    struct postgres_tx *my = postgres_tx_of(tx);
    char words[sizeof tx->words]; /* why it is rolled back is worth more than how that went */
    memcpy(words, tx->words, sizeof words);
    if (is_open(tx) && souk_postgres_exec(my, "ROLLBACK", NULL) != SOUK_OK)
        souk_postgres_hang_up(my); /* the server rolls back what it can no longer answer */
    memcpy(tx->words, words, sizeof words);
}

/* A writer's begin: the mark is written before anything else, so that who asks for it waits; in one round trip. */
static souk_err begin_marked(struct postgres_tx *my)
{
    unsigned char number[8];
    const char *values[] = {(const char *)number};
    const int bytes[] = {sizeof number}, formats[] = {1};
    PGresult *rows = NULL;
    souk_postgres_put64(++my->serial, number);
    bool sent = PQenterPipelineMode(my->conn) &&
                PQsendQueryParams(my->conn, "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE", 0,
                                  NULL, NULL, NULL, NULL, 0) &&
                PQsendQueryPrepared(my->conn, "souk_mark", 1, values, bytes, formats, 0) &&
                PQpipelineSync(my->conn);
    souk_err err = sent ? souk_postgres_take_two(my, &rows) : souk_postgres_err(my, NULL);
    bool marked = !err && PQntuples(rows) == 1;
    PQclear(rows);
    if (err && sent)
        return err;
    if (marked)
        return SOUK_OK;
    souk_postgres_hang_up(my); /* or a stranger took the row away: a new session makes it again */
    return SOUK_ERETRY;
}

static souk_err begin_once(struct postgres_tx *my)
{
    SOUK_TRY(souk_postgres_dial(my, POSTGRES_CONNECT_MS, NULL));
    if (my->tx.writes)
        return begin_marked(my);
    return souk_postgres_exec(my, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", NULL);
}

/* A session that died while it was idle shows it here, and nothing is lost. */
static souk_err begin(souk_tx *tx)
{
    struct postgres_tx *my = postgres_tx_of(tx);
    souk_err err = begin_once(my);
    if (err == SOUK_ERETRY)
        err = begin_once(my);
    if (err == SOUK_EDENIED)
        souk_postgres_hang_up(my); /* it became a standby: the next one finds the primary */
    if (err && is_open(tx))
        rollback(tx);
    return err;
}

/* One question about the fate of the transaction; SOUK_EBUSY: ask again. */
static souk_err ask_fate(struct postgres_tx *my, const char *server)
{
    char text[300];
    PGresult *result = NULL;
    souk_err err = souk_postgres_dial(my, POSTGRES_CONNECT_MS, NULL);
    if (err)
        return err == SOUK_EBUSY ? SOUK_EBUSY : SOUK_EIO;
    if (strcmp(my->server, server) != 0)
        return SOUK_EIO; /* it is no witness */
    snprintf(text, sizeof text, "SELECT serial FROM souk_writer WHERE id = '\\x%s' FOR UPDATE",
             my->mark);
    err = souk_postgres_exec(my, text, &result);
    if (err)
        return err == SOUK_ERETRY ? SOUK_EBUSY : SOUK_EIO; /* also: the old one still holds it */
    bool row = PQntuples(result) == 1;
    bool done = row && strtoull(PQgetvalue(result, 0, 0), NULL, 10) == my->serial;
    PQclear(result);
    return done ? SOUK_OK : SOUK_ERETRY;
}

/* The connection broke after COMMIT was sent. */
static souk_err settle(struct postgres_tx *my)
{
    char server[sizeof my->server];
    const souk_clock *clock = souk_clock_real();
    int64_t end_ns = souk_clock_monotonic_ns(clock) + (int64_t)POSTGRES_DOUBT_MS * 1000000;
    memcpy(server, my->server, sizeof server);
    souk_err err = SOUK_EBUSY;
    for (unsigned attempt = 0; err == SOUK_EBUSY; attempt++) {
        if (souk_clock_monotonic_ns(clock) >= end_ns)
            break;
        if (attempt)
            souk_ledger_pause(attempt + 3);
        err = ask_fate(my, server);
    }
    if (err == SOUK_OK || err == SOUK_ERETRY)
        return err;
    my->tx.doubtful = true;
    snprintf(my->tx.words, sizeof my->tx.words,
             "nobody knows whether transaction %llu of writer %s was committed",
             (unsigned long long)my->serial, my->mark);
    return SOUK_EIO;
}

static souk_err commit(souk_tx *tx)
{
    struct postgres_tx *my = postgres_tx_of(tx);
    PGresult *result = NULL;
    if (!is_open(tx)) /* it broke before: nothing was sent */
        return SOUK_ERETRY;
    souk_err err = souk_postgres_exec(my, "COMMIT", &result);
    if (!err) {
        bool done =
            !strcmp(PQcmdStatus(result), "COMMIT"); /* a failed one is rolled back instead */
        PQclear(result);
        return done ? SOUK_OK : SOUK_ECONFLICT;
    }
    if (!my->conn || PQstatus(my->conn) != CONNECTION_OK)
        return settle(my);
    return err;
}

static souk_err savepoint(souk_tx *tx)
{
    return souk_postgres_exec(postgres_tx_of(tx), "SAVEPOINT job", NULL);
}

static souk_err release(souk_tx *tx)
{
    return souk_postgres_exec(postgres_tx_of(tx), "RELEASE job", NULL);
}

static souk_err rollback_to(souk_tx *tx)
{
    return souk_postgres_exec(postgres_tx_of(tx), "ROLLBACK TO job; RELEASE job", NULL);
}

/* A step of a schema may take its time, and waits for another node that takes it. */
static souk_err guard_schema(souk_tx *tx)
{
    return souk_postgres_exec(postgres_tx_of(tx),
                              "SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0;"
                              "SET LOCAL idle_in_transaction_session_timeout = 0;"
                              "SELECT pg_advisory_xact_lock(hashtext('souk_migration'))",
                              NULL);
}

/* The server moves its own log; what deleted rows leave there is told in docs/postgres.md. */
static souk_err checkpoint(souk_tx *tx, bool truncate)
{
    (void)tx, (void)truncate;
    return SOUK_OK;
}

const souk_ledger_backend souk_ledger_postgres = {
    .name = "postgres",
    .parallel = true,
    .connect = connect,
    .disconnect = souk_postgres_disconnect,
    .forget = forget,
    .begin = begin,
    .commit = commit,
    .rollback = rollback,
    .is_open = is_open,
    .savepoint = savepoint,
    .rollback_to = rollback_to,
    .release = release,
    .guard_schema = guard_schema,
    .run = souk_postgres_run,
    .script = souk_postgres_script,
    .rows_begin = souk_postgres_rows_begin,
    .rows_next = souk_postgres_rows_next,
    .rows_kind = souk_postgres_rows_kind,
    .rows_int = souk_postgres_rows_int,
    .rows_real = souk_postgres_rows_real,
    .rows_bytes = souk_postgres_rows_bytes,
    .rows_done = souk_postgres_rows_done,
    .blob_read = souk_postgres_blob_read,
    .checkpoint = checkpoint,
    .backup = souk_postgres_backup,
    .verify = souk_postgres_verify,
};

souk_err souk_ledger_open_postgres(souk_mem *mem, const char *url,
                                   const souk_ledger_options *options, souk_ledger **ret_ledger,
                                   souk_diag *diag)
{
    struct postgres_place *place = NULL;
    SOUK_TRY(souk_postgres_place_new(mem, url, options, &place, diag));
    return souk_ledger_open_on(mem, &souk_ledger_postgres, place, &place->options, ret_ledger,
                               diag);
}
