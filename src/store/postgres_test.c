/* postgres_test.c - what only PostgreSQL can do or refuse: servers, retries, tills side by side, large answers. */
#include "store/postgres_server.h"

#include "os/thread.h"
#include "test/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define NEED_POSTGRES()           \
    if (!postgres_server_found()) \
    test_skip(test, "PostgreSQL is not installed")

static souk_err run_sql(souk_tx *tx, void *sql)
{
    return souk_sql_script(tx, sql);
}

static void must_sql(souk_test *test, souk_ledger *ledger, const char *sql)
{
    SOUK_MUST(souk_ledger_write(ledger, SOUK_LANE_JOB, run_sql, (void *)(uintptr_t)sql));
}

struct question {
    const char *sql;
    int64_t answer;
};

static souk_err ask_closure(souk_tx *tx, void *context)
{
    struct question *question = context;
    return souk_sql_one_int(tx, question->sql, SOUK_NO_VALUES, &question->answer);
}

static int64_t ask(souk_test *test, souk_ledger *ledger, const char *sql)
{
    struct question question = {.sql = sql};
    SOUK_MUST(souk_ledger_read(ledger, ask_closure, &question));
    return question.answer;
}

static souk_ledger *open_new(souk_test *test, char url[POSTGRES_URL_ROOM],
                             souk_ledger_options options)
{
    souk_ledger *ledger = NULL;
    souk_diag diag = {0};
    SOUK_MUST(postgres_database(url));
    if (souk_ledger_open_postgres(test->mem, url, &options, &ledger, &diag))
        test_fail(test, __FILE__, __LINE__, "%s", diag.words);
    return ledger;
}

/* ---- which servers --------------------------------------------------------------------------- */

static souk_err open_at(souk_test *test, const char *url, enum souk_ledger_sync sync,
                        souk_diag *diag)
{
    souk_auto(souk_ledger) ledger = NULL;
    souk_ledger_options options = {.sync = sync, .no_thread = true};
    *diag = (souk_diag){0};
    SOUK_TRY(souk_ledger_open_postgres(test->mem, url, &options, &ledger, diag));
    return souk_ledger_close(ledger);
}

SOUK_TEST("a URL that leads nowhere is refused with words, and they never hold its password")
{
    NEED_POSTGRES();
    char url[POSTGRES_URL_ROOM], bad[2 * POSTGRES_URL_ROOM], words[200];
    souk_diag diag = {0};
    static const char *const unread[] = {"postgres://anna:hunter22@[::1/shop",
                                         "postgres://anna:hunter22@host/shop?hunter22=1",
                                         "host='hunter22", "postgres://a:hunter22@h:port/%zz"};
    for (size_t i = 0; i < sizeof unread / sizeof *unread; i++) {
        SOUK_CHECK_ERR(open_at(test, unread[i], SOUK_SYNC_FULL, &diag), SOUK_EINVAL);
        SOUK_CHECK(strstr(diag.words, "write postgres://") && !strstr(diag.words, "hunter22"));
    }
    SOUK_MUST(postgres_database(url));
    const char *host = strstr(url, "host=");
    snprintf(bad, sizeof bad, "postgres://nobody:role@/shop?%s", host);
    SOUK_CHECK_ERR(open_at(test, bad, SOUK_SYNC_FULL, &diag), SOUK_EDENIED);
    SOUK_CHECK(strstr(diag.words, "cannot be opened") && !strstr(diag.words, "role"));
    snprintf(bad, sizeof bad, "postgres://souk_shop:hunter22@/gone?%s", host);
    SOUK_CHECK_ERR(open_at(test, bad, SOUK_SYNC_FULL, &diag), SOUK_ENOENT);
    SOUK_CHECK(strstr(diag.words, "gone") && !strstr(diag.words, "hunter22"));
    snprintf(bad, sizeof bad, "postgres://a:hunter22@/shop?host=%s/nowhere", test_folder(test));
    SOUK_CHECK_ERR(open_at(test, bad, SOUK_SYNC_FULL, &diag), SOUK_EBUSY);
    SOUK_CHECK(!strstr(diag.words, "hunter22"));

    char admin[POSTGRES_URL_ROOM];
    postgres_as_admin(url, admin);
    SOUK_MUST(postgres_tell(admin,
                            "CREATE DATABASE latin OWNER souk_shop ENCODING 'LATIN1' LOCALE 'C'"
                            " TEMPLATE template0",
                            words));
    snprintf(bad, sizeof bad, "postgres://souk_shop@/latin?%s", host);
    SOUK_CHECK_ERR(open_at(test, bad, SOUK_SYNC_FULL, &diag), SOUK_EUNSUPPORTED);
    SOUK_CHECK(strstr(diag.words, "ENCODING 'UTF8'"));
}

SOUK_TEST("a server that may lose commits, or is a standby, is refused with what to do")
{
    NEED_POSTGRES();
    postgres_server server = {{0}, 0, 0};
    char url[POSTGRES_URL_ROOM], path[200];
    souk_diag diag;
    SOUK_MUST(postgres_server_start(&server, "-c wal_level=replica -c fsync=off"));
    postgres_server_url(&server, "souk_admin", "postgres", url);
    SOUK_CHECK_ERR(open_at(test, url, SOUK_SYNC_FULL, &diag), SOUK_EUNSUPPORTED);
    SOUK_CHECK(strstr(diag.words, "set fsync = on"));
    SOUK_MUST(open_at(test, url, SOUK_SYNC_OFF, &diag));
    postgres_server_kill(&server);
    snprintf(path, sizeof path, "%s/data/standby.signal", server.folder);
    FILE *file = fopen(path, "w");
    SOUK_CHECK(file && fclose(file) == 0);
    SOUK_MUST(postgres_server_again(&server, "-c wal_level=replica"));
    SOUK_CHECK_ERR(open_at(test, url, SOUK_SYNC_FULL, &diag), SOUK_EUNSUPPORTED);
    SOUK_CHECK(strstr(diag.words, "promote it"));
    postgres_server_stop(&server);
}

/* ---- trying again ------------------------------------------------------------------------------ */

struct trying {
    const char *first, *then; /* of the first run; of the others */
    int runs;
};

static souk_err try_closure(souk_tx *tx, void *context)
{
    struct trying *trying = context;
    const char *sql = trying->runs++ ? trying->then : trying->first;
    SOUK_TRY(souk_sql_run(tx, "INSERT INTO item (id) VALUES (?1)", SOUK_VALUES(SOUK_INT(1))));
    return sql ? souk_sql_script(tx, sql) : SOUK_OK;
}

SOUK_TEST(
    "a closure runs again after a lost connection or a held lock, and not after a slow statement")
{
    NEED_POSTGRES();
    char url[POSTGRES_URL_ROOM];
    souk_auto(souk_ledger) ledger = open_new(test, url, (souk_ledger_options){.writers = 2});
    must_sql(test, ledger, "CREATE TABLE item (id INTEGER); CREATE TABLE lock (id INTEGER)");
    for (int lane = 0; lane < SOUK_LANE_COUNT; lane++) {
        struct trying cut = {.first = "SELECT pg_terminate_backend(pg_backend_pid())"};
        SOUK_MUST(souk_ledger_write(ledger, (enum souk_lane)lane, try_closure, &cut));
        SOUK_CHECK(cut.runs >= 2);
        struct trying held = {.first = "DO $$BEGIN RAISE SQLSTATE '55P03'; END$$"};
        held.first = "SELECT 1 / 0"; /* a failure that stays one */
        SOUK_CHECK_ERR(souk_ledger_write(ledger, (enum souk_lane)lane, try_closure, &held),
                       SOUK_EINVAL);
    }
    SOUK_CHECK(ask(test, ledger, "SELECT count(*) FROM item") == SOUK_LANE_COUNT);
    struct trying slow = {.first = "SELECT pg_sleep(3)"};
    SOUK_CHECK_ERR(souk_ledger_write(ledger, SOUK_LANE_TILL, try_closure, &slow), SOUK_ETIMEOUT);
    SOUK_CHECK(slow.runs == 1);
    SOUK_CHECK(ask(test, ledger, "SELECT count(*) FROM item") == SOUK_LANE_COUNT);
    SOUK_MUST(souk_ledger_close(ledger));
}

/* Two that lock in opposite orders, and meet in the middle on their first run. */
struct crossing {
    souk_ledger *ledger;
    int64_t first, second;
    pthread_barrier_t *meet;
    souk_thread thread;
    int runs;
    souk_err err;
};

static souk_err cross(souk_tx *tx, void *context)
{
    struct crossing *my = context;
    static const char sql[] = "UPDATE item SET stock = stock + 1 WHERE id = ?1";
    SOUK_TRY(souk_sql_run(tx, sql, SOUK_VALUES(SOUK_INT(my->first))));
    if (my->runs++ == 0)
        pthread_barrier_wait(my->meet);
    return souk_sql_run(tx, sql, SOUK_VALUES(SOUK_INT(my->second)));
}

static void cross_body(void *context)
{
    struct crossing *my = context;
    my->err = souk_ledger_write(my->ledger, SOUK_LANE_TILL, cross, my);
}

SOUK_TEST("two tills run side by side, and of two that lock each other out both end well")
{
    NEED_POSTGRES();
    char url[POSTGRES_URL_ROOM];
    pthread_barrier_t meet;
    souk_auto(souk_ledger) ledger = open_new(test, url, (souk_ledger_options){.writers = 2});
    must_sql(test, ledger,
             "CREATE TABLE item (id INTEGER PRIMARY KEY, stock INTEGER);"
             "INSERT INTO item VALUES (1, 0), (2, 0)");
    pthread_barrier_init(&meet, NULL, 2);
    struct crossing both[] = {{.ledger = ledger, .first = 1, .second = 2, .meet = &meet},
                              {.ledger = ledger, .first = 2, .second = 1, .meet = &meet}};
    for (int i = 0; i < 2; i++)
        SOUK_MUST(souk_thread_start(&both[i].thread, "crossing", cross_body, &both[i]));
    for (int i = 0; i < 2; i++)
        souk_thread_join(&both[i].thread);
    pthread_barrier_destroy(&meet);
    SOUK_MUST(both[0].err);
    SOUK_MUST(both[1].err);
    SOUK_CHECK(both[0].runs + both[1].runs >= 3); /* one of them lost and came again */
    SOUK_CHECK(ask(test, ledger, "SELECT sum(stock) FROM item") == 4);
    souk_ledger_counters counters;
    souk_ledger_count(ledger, &counters);
    SOUK_CHECK(counters.rerun_groups >= 1 && counters.refused_jobs == 0);
    SOUK_MUST(souk_ledger_close(ledger));
}

/* ---- answers of every size --------------------------------------------------------------------- */

struct reading {
    int64_t upto; /* rows with id below */
    int64_t rows, sum;
    size_t nested;
};

static souk_err read_items(souk_tx *tx, void *context)
{
    struct reading *reading = context;
    reading->rows = reading->sum = 0;
    souk_auto_value(souk_rows) rows = {0};
    SOUK_TRY(souk_rows_begin(tx, "SELECT id, name FROM item WHERE id < ?1 ORDER BY id",
                             SOUK_VALUES(SOUK_INT(reading->upto)), &rows));
    while (souk_rows_next(&rows)) {
        reading->rows++;
        reading->sum += souk_rows_int(&rows, 0);
        if (souk_rows_text(&rows, 1).bytes != 1000)
            return SOUK_ECORRUPT;
        if (reading->rows % 1000 == 0) { /* a statement within */
            int64_t one = 0;
            SOUK_TRY(souk_sql_one_int(tx, "SELECT count(*) FROM item WHERE id = ?1",
                                      SOUK_VALUES(SOUK_INT(reading->rows - 1)), &one));
            reading->nested += one == 1;
        }
    }
    return souk_rows_check(&rows);
}

SOUK_TEST("a query that was small many times may be large the next time, and is read whole")
{
    NEED_POSTGRES();
    char url[POSTGRES_URL_ROOM];
    souk_auto(souk_ledger) ledger = open_new(test, url, (souk_ledger_options){.readers = 1});
    must_sql(test, ledger,
             "CREATE TABLE item (id INTEGER PRIMARY KEY, name TEXT);"
             "INSERT INTO item SELECT i, repeat('x', 1000) FROM generate_series(0, 4999) i");
    static const int64_t sizes[] = {5000, 0,  1,  31,   32, 33,  10,  10,
                                    10,   10, 10, 5000, 10, 511, 5000};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct reading reading = {.upto = sizes[i]};
        SOUK_MUST(souk_ledger_read(ledger, read_items, &reading));
        SOUK_CHECK(reading.rows == sizes[i]);
        SOUK_CHECK(reading.sum == sizes[i] * (sizes[i] - 1) / 2);
        SOUK_CHECK(reading.nested >= (size_t)sizes[i] / 1000);
    }
    SOUK_MUST(souk_ledger_close(ledger));
}

static souk_err read_kinds(souk_tx *tx, void *context)
{
    bool *good = context;
    souk_auto_value(souk_rows) rows = {0};
    SOUK_TRY(souk_rows_begin(tx,
                             "SELECT sum(id), count(*) > 3, ?1 = 0, avg(id), CAST(max(id) AS REAL),"
                             " CAST('77' AS INTEGER), x'', length(?2) FROM item",
                             SOUK_VALUES(SOUK_INT(INT64_MAX), SOUK_STR(SOUK_TEXT("h\xc3\xa4"))),
                             &rows));
    *good = souk_rows_next(&rows) && souk_rows_int(&rows, 0) == 10 &&
            souk_rows_int(&rows, 1) == 1 && souk_rows_int(&rows, 2) == 0 &&
            souk_rows_real(&rows, 3) == 2.5 && souk_rows_real(&rows, 4) == 4 &&
            souk_rows_int(&rows, 5) == 77 && !souk_rows_is_null(&rows, 6) &&
            souk_rows_int(&rows, 7) == 2;
    return souk_rows_check(&rows);
}

static souk_err overflow(souk_tx *tx, void *context)
{
    return souk_sql_one_int(tx, "SELECT sum(id) + 9223372036854775807 FROM item", SOUK_NO_VALUES,
                            context);
}

static souk_err bad_text(souk_tx *tx, void *context)
{
    (void)context;
    return souk_sql_run(tx, "INSERT INTO note (words) VALUES (?1)",
                        SOUK_VALUES(SOUK_STR(((souk_text){"a\0b", 3}))));
}

/* One literal, first with NULL and then with each kind. */
static souk_err many_kinds(souk_tx *tx, void *context)
{
    (void)context;
    static const char sql[] = "INSERT INTO note (number) VALUES (?1)";
    SOUK_TRY(souk_sql_run(tx, sql, SOUK_VALUES(SOUK_NULL)));
    SOUK_TRY(souk_sql_run(tx, sql, SOUK_VALUES(SOUK_INT(7))));
    SOUK_TRY(souk_sql_run(tx, sql, SOUK_VALUES(SOUK_NULL)));
    return souk_sql_run(tx, sql, SOUK_VALUES(SOUK_INT(INT64_MIN)));
}

SOUK_TEST("sums, conditions and casts are numbers as on SQLite; what does not fit is refused")
{
    NEED_POSTGRES();
    char url[POSTGRES_URL_ROOM];
    souk_auto(souk_ledger) ledger = open_new(test, url, (souk_ledger_options){0});
    bool good = false;
    int64_t number = 0;
    must_sql(test, ledger,
             "CREATE TABLE item (id INTEGER PRIMARY KEY); INSERT INTO item VALUES (1),(2),(3),(4);"
             "CREATE TABLE note (words TEXT, number INTEGER)");
    SOUK_MUST(souk_ledger_read(ledger, read_kinds, &good));
    SOUK_CHECK(good);
    SOUK_CHECK_ERR(souk_ledger_read(ledger, overflow, &number), SOUK_EOVERFLOW);
    SOUK_CHECK_ERR(souk_ledger_write(ledger, SOUK_LANE_JOB, bad_text, NULL), SOUK_EINVAL);
    SOUK_MUST(souk_ledger_write(ledger, SOUK_LANE_TILL, many_kinds, NULL));
    SOUK_CHECK(ask(test, ledger, "SELECT count(*) FROM note") == 4);
    SOUK_MUST(souk_ledger_close(ledger));
}

static souk_err add_one(souk_tx *tx, void *context)
{
    (void)context;
    static const char bytes[] = "picture";
    SOUK_TRY(souk_sql_run(tx,
                          "INSERT INTO picture (id, bytes) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
                          SOUK_VALUES(SOUK_INT(1), SOUK_BLOB(bytes, 7))));
    char slice[3];
    SOUK_TRY(souk_sql_blob_read(tx, "picture", "bytes", 1, 4, slice, 3));
    return memcmp(slice, "ure", 3) ? SOUK_ECORRUPT : SOUK_OK;
}

static souk_err story(souk_mem *mem, const char *url)
{
    static const souk_migration steps[] = {
        {1, "CREATE TABLE picture (id INTEGER PRIMARY KEY, bytes BLOB)"}};
    souk_auto(souk_ledger) ledger = NULL;
    souk_ledger_options options = {.no_thread = true, .readers = 1};
    struct question question = {.sql = "SELECT count(*) FROM picture"};
    SOUK_TRY(souk_ledger_open_postgres(mem, url, &options, &ledger, NULL));
    SOUK_TRY(souk_ledger_migrate(ledger, "picture", steps, 1, NULL));
    SOUK_TRY(souk_ledger_write(ledger, SOUK_LANE_TILL, add_one, NULL));
    for (int i = 0; i < 5; i++)
        SOUK_TRY(souk_ledger_read(ledger, ask_closure, &question));
    if (question.answer != 1)
        return SOUK_ECORRUPT;
    return souk_ledger_close(ledger);
}

SOUK_TEST("whichever allocation fails, it is told, nothing leaks and nothing is there twice")
{
    NEED_POSTGRES();
    char url[POSTGRES_URL_ROOM];
    SOUK_MUST(postgres_database(url));
    SOUK_FAULT_LOOP (test) {
        souk_err err = story(test->mem, url);
        SOUK_CHECK(err == SOUK_OK || err == SOUK_ENOMEM);
        test_fault_seen(test, err);
    }
}

/* ---- schema and damage -------------------------------------------------------------------------- */

struct node {
    souk_ledger *ledger;
    souk_thread thread;
    souk_err err;
};

static void migrate_body(void *context)
{
    static const souk_migration steps[] = {
        {1, "CREATE TABLE shelf (id INTEGER PRIMARY KEY); INSERT INTO shelf VALUES (1)"},
        {2, "INSERT INTO shelf VALUES (2)"},
        {3, "CREATE INDEX shelf_again ON shelf (id)"}};
    struct node *node = context;
    node->err = souk_ledger_migrate(node->ledger, "shelf", steps, 3, NULL);
}

SOUK_TEST("two nodes that start at once take each step of a schema once")
{
    NEED_POSTGRES();
    char url[POSTGRES_URL_ROOM];
    struct node nodes[4] = {{.ledger = open_new(test, url, (souk_ledger_options){0})}};
    for (int i = 1; i < 4; i++)
        SOUK_MUST(souk_ledger_open_postgres(test->mem, url, NULL, &nodes[i].ledger, NULL));
    for (int i = 0; i < 4; i++)
        SOUK_MUST(souk_thread_start(&nodes[i].thread, "node", migrate_body, &nodes[i]));
    for (int i = 0; i < 4; i++)
        souk_thread_join(&nodes[i].thread);
    for (int i = 0; i < 4; i++)
        SOUK_MUST(nodes[i].err);
    SOUK_CHECK(ask(test, nodes[0].ledger, "SELECT count(*) FROM shelf") == 2);
    for (int i = 0; i < 4; i++) {
        SOUK_MUST(souk_ledger_close(nodes[i].ledger));
        souk_ledger_free(nodes[i].ledger);
    }
}

SOUK_TEST("a page that the disk changed is found by verify")
{
    NEED_POSTGRES();
    postgres_server server = {{0}, 0, 0};
    char url[POSTGRES_URL_ROOM], words[200], path[400];
    souk_diag diag = {0};
    souk_ledger_options options = {.no_thread = true};
    souk_ledger *ledger = NULL;
    SOUK_MUST(postgres_server_start(&server, ""));
    postgres_server_url(&server, "souk_admin", "postgres", url);
    SOUK_MUST(souk_ledger_open_postgres(test->mem, url, &options, &ledger, NULL));
    must_sql(test, ledger,
             "CREATE TABLE shelf (id INTEGER PRIMARY KEY, name TEXT);"
             "INSERT INTO shelf SELECT i, repeat('salt', 50) FROM generate_series(1, 500) i");
    SOUK_MUST(postgres_tell(url, "CREATE EXTENSION amcheck", words));
    SOUK_MUST(souk_ledger_verify(ledger, &diag));
    SOUK_MUST(postgres_tell(url, "CHECKPOINT", words));
    SOUK_MUST(postgres_ask(url, "SELECT pg_relation_filepath('shelf')", words));
    snprintf(path, sizeof path, "%s/data/%s", server.folder, words);
    SOUK_MUST(souk_ledger_close(ledger));
    postgres_server_kill(&server);
    FILE *file = fopen(path, "r+");
    SOUK_CHECK(file && fseek(file, 8192 + 4000, SEEK_SET) == 0 && fputc('#', file) != EOF);
    SOUK_CHECK(fclose(file) == 0);
    SOUK_MUST(postgres_server_again(&server, ""));
    souk_ledger_free(ledger);
    SOUK_MUST(souk_ledger_open_postgres(test->mem, url, &options, &ledger, NULL));
    SOUK_CHECK_ERR(souk_ledger_verify(ledger, &diag), SOUK_ECORRUPT);
    SOUK_CHECK(strstr(diag.words, "table shelf is damaged"));
    SOUK_MUST(souk_ledger_close(ledger));
    souk_ledger_free(ledger);
    postgres_server_stop(&server);
}
