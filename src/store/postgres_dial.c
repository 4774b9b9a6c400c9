/* postgres_dial.c - sessions with a server: how one is made, which servers are refused, and what is said of it.
 *
 * A server that is not there is waited for, because it may be starting again; one that says no is not.  After a
 * vain wait the next one is short until it answered once, so that a queue of tills hears of it soon. */
#include "store/postgres_tx.h"

#include <stdio.h>

enum { OLDEST_SERVER = 150000 };

/* ---- the URL ------------------------------------------------------------------------------------ */

static const char *option_of(const PQconninfoOption *options, const char *keyword,
                             const char *otherwise)
{
    for (; options->keyword; options++)
        if (!strcmp(options->keyword, keyword) && options->val && options->val[0])
            return options->val;
    return otherwise;
}

static char *copy_of(souk_mem *mem, const char *words)
{
    size_t bytes = strlen(words) + 1;
    char *copy = souk_mem_get(mem, bytes);
    if (copy)
        memcpy(copy, words, bytes);
    return copy;
}

void souk_postgres_place_free(struct postgres_place *place)
{
    if (!place)
        return;
    souk_mem_put(place->mem, place->url);
    souk_mem_put(place->mem, place->password);
    souk_mem_put(place->mem, place);
}

static souk_err read_url(struct postgres_place *place, const char *url, souk_diag *diag)
{
    /* What libpq says of a URL that does not parse repeats it with its password. */
    PQconninfoOption *options = PQconninfoParse(url, NULL);
    if (!options)
        return souk_diag_say(diag, SOUK_EINVAL,
                             "the URL of the ledger does not parse: write "
                             "postgres://USER:PASSWORD@HOST:PORT/DATABASE, signs as %%40");
    snprintf(place->where, sizeof place->where, "database '%s' on %s",
             option_of(options, "dbname", "of the user's name"),
             option_of(options, "host", "this machine"));
    const char *password = option_of(options, "password", NULL);
    place->url = copy_of(place->mem, url);
    place->password = password ? copy_of(place->mem, password) : NULL;
    bool whole = place->url && (place->password || !password);
    PQconninfoFree(options);
    return whole ? SOUK_OK : SOUK_ENOMEM;
}

souk_err souk_postgres_place_new(souk_mem *mem, const char *url, const souk_ledger_options *options,
                                 struct postgres_place **ret_place, souk_diag *diag)
{
    struct postgres_place *place = souk_mem_get(mem, sizeof *place);
    if (!place)
        return SOUK_ENOMEM;
    place->mem = mem;
    place->options = souk_ledger_options_of(options);
    souk_err err = read_url(place, url, diag);
    if (err)
        souk_postgres_place_free(place);
    else
        *ret_place = place;
    return err;
}

/* ---- words --------------------------------------------------------------------------------------- */

/* The first line of what libpq or the server said, the password struck out wherever it stands. */
static void keep_words(struct postgres_tx *my, const char *words, const char *code)
{
    const char *password = my->place->password;
    size_t secret = password ? strlen(password) : 0, out = 0, room = sizeof my->tx.words - 10;
    while (*words && *words != '\n' && out < room) {
        if (secret && !strncmp(words, password, secret)) {
            my->tx.words[out++] = '*';
            words += secret;
        } else {
            my->tx.words[out++] = *words++;
        }
    }
    my->tx.words[out] = '\0';
    if (code)
        snprintf(my->tx.words + out, sizeof my->tx.words - out, " (%.5s)", code);
}

souk_err souk_postgres_err(struct postgres_tx *my, const PGresult *result)
{
    const char *code = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const char *words = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    bool lost = !my->conn || PQstatus(my->conn) != CONNECTION_OK;
    if (!result && !lost) {
        keep_words(my, "no memory for the answer of the server", NULL);
        return SOUK_ENOMEM;
    }
    keep_words(my, words ? words : my->conn ? PQerrorMessage(my->conn) : "not connected", code);
    return lost ? SOUK_ERETRY : souk_postgres_code_err(code);
}

souk_err souk_postgres_exec(struct postgres_tx *my, const char *text, PGresult **ret_result)
{
    PGresult *result = my->conn ? PQexec(my->conn, text) : NULL;
    ExecStatusType status = PQresultStatus(result);
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
        souk_err err = souk_postgres_err(my, result);
        PQclear(result);
        return err;
    }
    if (ret_result)
        *ret_result = result;
    else
        PQclear(result);
    return SOUK_OK;
}

/* Each answer is followed by a NULL, and behind them stands that of the sync. */
souk_err souk_postgres_take_two(struct postgres_tx *my, PGresult **ret_rows)
{
    souk_err err = SOUK_OK;
    for (int nulls = 0; my->conn;) {
        PGresult *result = PQgetResult(my->conn);
        ExecStatusType status = PQresultStatus(result);
        if (!result) {
            if (++nulls == 3 || PQstatus(my->conn) != CONNECTION_OK)
                break;
            continue;
        }
        if (status == PGRES_TUPLES_OK && !*ret_rows) {
            *ret_rows = result;
            continue;
        }
        bool good = status == PGRES_COMMAND_OK || status == PGRES_PIPELINE_SYNC ||
                    status == PGRES_PIPELINE_ABORTED;
        if (!good && !err)
            err = souk_postgres_err(my, result);
        PQclear(result);
        if (status == PGRES_PIPELINE_SYNC)
            break;
    }
    if (!PQexitPipelineMode(my->conn) || PQstatus(my->conn) != CONNECTION_OK) {
        err = err ? err : souk_postgres_err(my, NULL);
        souk_postgres_hang_up(my);
    }
    return err;
}

/* ---- a session ------------------------------------------------------------------------------------- */

static void say_nothing(void *context, const PGresult *result)
{
    (void)context, (void)result;
}

void souk_postgres_hang_up(struct postgres_tx *my)
{
    PQfinish(my->conn);
    my->conn = NULL;
    souk_postgres_unprepare(my);
}

/* Before the URL stands what it may overrule, behind it what it may not. */
static PGconn *call(const struct postgres_place *place)
{
    const char *keywords[] = {"connect_timeout",  "keepalives_idle",  "keepalives_interval",
                              "keepalives_count", "tcp_user_timeout", "fallback_application_name",
                              "dbname",           "client_encoding",  NULL};
    const char *values[] = {"5", "15", "5", "3", "20000", "souk", place->url, "UTF8", NULL};
    return PQconnectdbParams(keywords, values, 1);
}

static souk_err set_up(struct postgres_tx *my)
{
    char text[900];
    bool full = my->place->options.sync == SOUK_SYNC_FULL;
    int statement_ms = my->role == POSTGRES_WRITER   ? POSTGRES_WRITE_MS
                       : my->role == POSTGRES_READER ? POSTGRES_READ_MS
                                                     : 0;
    int lock_ms = my->role == POSTGRES_WRITER ? POSTGRES_LOCK_MS : statement_ms;
    snprintf(text, sizeof text,
             "SET statement_timeout = %d; SET lock_timeout = %d;"
             "SET idle_in_transaction_session_timeout = %d;"
             "SET search_path = public, pg_temp; SET standard_conforming_strings = on;"
             "SET timezone = 'UTC'; SET datestyle = 'ISO'; SET client_min_messages = warning;"
             "SET default_transaction_read_only = off; SET jit = off; SET row_security = on;"
             "SELECT set_config('synchronous_commit', CASE WHEN %d = 0 THEN 'off' WHEN"
             " current_setting('synchronous_commit') = 'remote_apply' THEN 'remote_apply'"
             " ELSE 'on' END, false)",
             statement_ms, lock_ms, statement_ms, full);
    return souk_postgres_exec(my, text, NULL);
}

static souk_err refuse(struct postgres_tx *my, souk_diag *diag, const char *words)
{
    snprintf(my->tx.words, sizeof my->tx.words, "%s", words);
    return souk_diag_say(diag, SOUK_EUNSUPPORTED, "%s: %s", my->place->where, words);
}

/* What a ledger must not stand on. */
static souk_err judge(struct postgres_tx *my, souk_diag *diag)
{
    static const char question[] =
        "SELECT current_setting('fsync'), current_setting('full_page_writes'),"
        " current_setting('server_encoding'), pg_is_in_recovery(),"
        " (SELECT system_identifier FROM pg_control_system()),"
        " (SELECT pid || ' ' || extract(epoch FROM backend_start) FROM pg_stat_activity WHERE pid "
        "= pg_backend_pid())";
    PGresult *result = NULL;
    if (PQserverVersion(my->conn) < OLDEST_SERVER)
        return refuse(my, diag, "the server is older than PostgreSQL 15: use 15 or later");
    SOUK_TRY(souk_postgres_exec(my, question, &result));
    bool fsync = !strcmp(PQgetvalue(result, 0, 0), "on");
    bool pages = !strcmp(PQgetvalue(result, 0, 1), "on");
    bool utf8 = !strcmp(PQgetvalue(result, 0, 2), "UTF8");
    bool standby = !strcmp(PQgetvalue(result, 0, 3), "t");
    snprintf(my->server, sizeof my->server, "%s", PQgetvalue(result, 0, 4));
    snprintf(my->session, sizeof my->session, "%s", PQgetvalue(result, 0, 5));
    PQclear(result);
    bool careless = my->place->options.sync == SOUK_SYNC_OFF;
    if (standby)
        return refuse(my, diag, "the server is a standby: name the primary, or promote it");
    if (!utf8)
        return refuse(my, diag, "the database is not UTF-8: make one with ENCODING 'UTF8'");
    if (!fsync && !careless)
        return refuse(my, diag, "fsync is off and a power cut would lose sales: set fsync = on");
    if (!pages && !careless)
        return refuse(my, diag, "full_page_writes is off, pages may tear: set it on");
    return SOUK_OK;
}

/* What the session before this one left open holds locks, the writer's own row among them, until the server notices
 * that nobody is there. */
static souk_err end_session(struct postgres_tx *my, const char *session)
{
    char text[200];
    snprintf(text, sizeof text,
             "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
             " WHERE pid || ' ' || extract(epoch FROM backend_start) = '%s'",
             session);
    return souk_postgres_exec(my, text, NULL);
}

/* The writer's own row, and a table of them where this is the first. */
static souk_err make_mark(struct postgres_tx *my)
{
    static const char table[] =
        "BEGIN; SELECT pg_advisory_xact_lock(hashtext('souk_writer'));"
        "CREATE TABLE IF NOT EXISTS souk_writer ("
        "  id     bytea PRIMARY KEY CHECK (length(id) = 16),"
        "  serial bigint NOT NULL,"
        "  at     timestamptz NOT NULL"
        ") WITH (fillfactor = 20);"
        "COMMENT ON TABLE souk_writer IS 'one row for each connection that writes: whether its "
        "last "
        "COMMIT happened, should the answer be lost';"
        "COMMENT ON COLUMN souk_writer.serial IS 'of its last committed transaction';"
        "COMMENT ON COLUMN souk_writer.at IS 'of that; a row that was silent for a week goes';"
        "COMMIT";
    char text[300];
    PGresult *result = NULL;
    SOUK_TRY(souk_postgres_exec(my, "SELECT to_regclass('public.souk_writer') IS NULL", &result));
    bool missing = !strcmp(PQgetvalue(result, 0, 0), "t");
    PQclear(result);
    if (missing)
        SOUK_TRY(souk_postgres_exec(my, table, NULL));
    snprintf(text, sizeof text,
             "DELETE FROM souk_writer WHERE at < now() - interval '7 days';"
             "INSERT INTO souk_writer (id, serial, at) VALUES ('\\x%s', 0, now())"
             " ON CONFLICT (id) DO NOTHING",
             my->mark);
    SOUK_TRY(souk_postgres_exec(my, text, NULL));
    snprintf(text, sizeof text,
             "PREPARE souk_mark (bigint) AS UPDATE souk_writer SET serial = $1, at = now()"
             " WHERE id = '\\x%s' RETURNING serial",
             my->mark);
    return souk_postgres_exec(my, text, NULL);
}

/* What the server said while it refused the connection; it comes as words only. */
static souk_err connect_err(PGconn *conn)
{
    static const struct {
        const char *words;
        souk_err err;
    } known[] = {
        {"authentication failed", SOUK_EDENIED},
        {"no pg_hba.conf entry", SOUK_EDENIED},
        {"no password supplied", SOUK_EDENIED},
        {"is not permitted to log in", SOUK_EDENIED},
        {"permission denied", SOUK_EDENIED},
        {"role \"", SOUK_EDENIED},
        {"database \"", SOUK_ENOENT},
        {"SSL", SOUK_EDENIED},
        {"could not translate", SOUK_EBUSY},
    };
    const char *words = PQerrorMessage(conn);
    if (strstr(words, "Connection refused") || strstr(words, "starting up"))
        return SOUK_EBUSY;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strstr(words, known[i].words))
            return known[i].err;
    return SOUK_EBUSY;
}

static souk_err dial_once(struct postgres_tx *my, souk_diag *diag)
{
    my->conn = call(my->place);
    if (!my->conn)
        return SOUK_ENOMEM;
    souk_err err = SOUK_OK;
    char before[sizeof my->session];
    memcpy(before, my->session, sizeof before);
    if (PQstatus(my->conn) != CONNECTION_OK) {
        keep_words(my, PQerrorMessage(my->conn), NULL);
        err = connect_err(my->conn);
    } else {
        PQsetNoticeReceiver(my->conn, say_nothing, NULL);
        err = judge(my, diag);
        err = err ? err : set_up(my);
        err = !err && before[0] ? end_session(my, before) : err;
        err = !err && my->tx.writes ? make_mark(my) : err;
        err = err == SOUK_ERETRY ? SOUK_EBUSY : err; /* lost again */
    }
    if (err)
        souk_postgres_hang_up(my);
    return err;
}

souk_err souk_postgres_dial(struct postgres_tx *my, unsigned wait_ms, souk_diag *diag)
{
    if (my->conn && PQstatus(my->conn) == CONNECTION_OK)
        return SOUK_OK;
    const souk_clock *clock = souk_clock_real(); /* a real wait for a real server */
    int64_t now_ns = souk_clock_monotonic_ns(clock);
    bool vain = my->refused_ns && now_ns - my->refused_ns < (int64_t)wait_ms * 1000000;
    int64_t end_ns = vain ? now_ns : now_ns + (int64_t)wait_ms * 1000000;
    souk_err err = SOUK_OK;
    souk_postgres_hang_up(my);
    for (unsigned attempt = 4;; attempt++) {
        err = dial_once(my, diag);
        if (err != SOUK_EBUSY || souk_clock_monotonic_ns(clock) >= end_ns)
            break;
        souk_ledger_pause(attempt);
    }
    my->refused_ns = err ? souk_clock_monotonic_ns(clock) : 0;
    return err;
}
