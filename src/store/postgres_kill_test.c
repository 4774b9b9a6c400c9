/* postgres_kill_test.c - kill -9 of the server under load: what was answered is there once, what was refused is
 * not there, and nothing is there twice. */
#include "store/postgres_server.h"

#include "os/thread.h"
#include "test/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { CLIENTS = 8, IDS_MOST = 1 << 20, KILLS = 3, LOAD_MS = 250, DOWN_MS = 80 };

/* What a client heard of an id. */
enum heard { NOTHING, YES, NO, UNKNOWN };

struct load {
    souk_ledger *ledger;
    souk_mutex lock;
    bool stop;
    int64_t next;
    unsigned char *heard; /* [IDS_MOST] */
};

struct sale {
    int64_t id;
};

/* The table has no key: a closure that is committed twice leaves two rows. */
static souk_err sell(souk_tx *tx, void *context)
{
    const struct sale *sale = context;
    SOUK_TRY(souk_sql_run(tx, "UPDATE till SET sales = sales + 1 WHERE id = ?1",
                          SOUK_VALUES(SOUK_INT(sale->id % CLIENTS))));
    return souk_sql_run(tx, "INSERT INTO sale (id) VALUES (?1)", SOUK_VALUES(SOUK_INT(sale->id)));
}

static bool next_id(struct load *load, int64_t *ret_id)
{
    souk_auto_lock(&load->lock);
    *ret_id = load->next;
    if (load->stop || load->next == IDS_MOST)
        return false;
    load->next++;
    return true;
}

static void client_body(void *context)
{
    struct load *load = context;
    struct sale sale;
    while (next_id(load, &sale.id)) {
        enum souk_lane lane = sale.id % 4 ? SOUK_LANE_TILL : SOUK_LANE_INGEST;
        souk_err err = souk_ledger_write(load->ledger, lane, sell, &sale);
        load->heard[sale.id] = err == SOUK_OK ? YES : err == SOUK_EIO ? UNKNOWN : NO;
    }
}

static souk_err run_sql(souk_tx *tx, void *sql)
{
    return souk_sql_script(tx, sql);
}

struct judging {
    const struct load *load;
    unsigned char *count; /* [IDS_MOST] */
    int64_t sales, rows;
};

static souk_err count_sales(souk_tx *tx, void *context)
{
    struct judging *my = context;
    souk_auto_value(souk_rows) rows = {0};
    memset(my->count, 0, IDS_MOST);
    my->rows = 0;
    SOUK_TRY(souk_sql_one_int(tx, "SELECT sum(sales) FROM till", SOUK_NO_VALUES, &my->sales));
    SOUK_TRY(souk_rows_begin(tx, "SELECT id FROM sale", SOUK_NO_VALUES, &rows));
    for (; souk_rows_next(&rows); my->rows++)
        my->count[souk_rows_int(&rows, 0)]++;
    return souk_rows_check(&rows);
}

/* NULL: all is told truly. */
static const char *judge(const struct judging *my)
{
    if (my->sales != my->rows)
        return "a transaction is half there";
    for (int64_t id = 0; id < my->load->next; id++) {
        if (my->count[id] > 1)
            return "a closure is there twice";
        if (my->load->heard[id] == YES && my->count[id] != 1)
            return "an answered closure is lost";
        if (my->load->heard[id] == NO && my->count[id] != 0)
            return "a refused closure is there";
    }
    return NULL;
}

static void sleep_ms(long ms)
{
    nanosleep(&(struct timespec){.tv_nsec = ms * 1000000}, NULL);
}

static void make_tables(souk_test *test, struct load *load)
{
    char sql[400] = "CREATE TABLE sale (id INTEGER NOT NULL);"
                    "CREATE TABLE till (id INTEGER PRIMARY KEY, sales INTEGER NOT NULL)";
    SOUK_MUST(souk_ledger_write(load->ledger, SOUK_LANE_JOB, run_sql, sql));
    for (int i = 0; i < CLIENTS; i++) {
        snprintf(sql, sizeof sql, "INSERT INTO till VALUES (%d, 0)", i);
        SOUK_MUST(souk_ledger_write(load->ledger, SOUK_LANE_JOB, run_sql, sql));
    }
}

SOUK_TEST("through kill -9 of the server every answer stays true, and no closure is there twice")
{
    static postgres_server server;
    static struct load load;
    souk_thread clients[CLIENTS] = {{0}};
    char url[POSTGRES_URL_ROOM], words[200];
    souk_ledger_options options = {.writers = CLIENTS};
    const char *more = getenv("SOUK_KILLS");
    int kills = more ? atoi(more) : KILLS;
    if (!postgres_server_found())
        test_skip(test, "PostgreSQL is not installed");
    SOUK_MUST(postgres_server_start(&server, ""));
    postgres_server_url(&server, "souk_admin", "postgres", url);
    SOUK_MUST(postgres_tell(url, "CREATE ROLE souk_shop LOGIN", words));
    SOUK_MUST(postgres_tell(url, "CREATE DATABASE shop OWNER souk_shop", words));
    postgres_server_url(&server, "souk_shop", "shop", url);

    load = (struct load){.heard = souk_mem_get(test->mem, IDS_MOST)};
    souk_mutex_init(&load.lock);
    SOUK_MUST(souk_ledger_open_postgres(test->mem, url, &options, &load.ledger, NULL));
    make_tables(test, &load);
    for (int i = 0; i < CLIENTS; i++)
        SOUK_MUST(souk_thread_start(&clients[i], "client", client_body, &load));
    for (int i = 0; i < kills; i++) {
        sleep_ms(LOAD_MS);
        postgres_server_kill(&server);
        sleep_ms(DOWN_MS);
        SOUK_MUST(postgres_server_again(&server, ""));
    }
    sleep_ms(LOAD_MS);
    {
        souk_auto_lock(&load.lock);
        load.stop = true;
    }
    for (int i = 0; i < CLIENTS; i++)
        souk_thread_join(&clients[i]);

    struct judging judging = {.load = &load, .count = souk_mem_get(test->mem, IDS_MOST)};
    SOUK_MUST(souk_ledger_read(load.ledger, count_sales, &judging));
    const char *wrong = judge(&judging);
    if (wrong)
        test_fail(test, __FILE__, __LINE__, "%s", wrong);
    int64_t said[4] = {0};
    for (int64_t id = 0; id < load.next; id++)
        said[load.heard[id]]++;
    if (more)
        fprintf(stderr, "  %lld answered, %lld refused, %lld unknown through %d kills\n",
                (long long)said[YES], (long long)said[NO], (long long)said[UNKNOWN], kills);
    SOUK_CHECK(said[YES] > 100 && said[UNKNOWN] == 0 && said[NOTHING] == 0);

    load.heard[load.next] = YES; /* planted: an answer without its sale */
    load.next++;
    SOUK_CHECK(judge(&judging) != NULL);
    SOUK_MUST(souk_ledger_close(load.ledger));
    souk_ledger_free(load.ledger);
    souk_mutex_done(&load.lock);
    souk_mem_put(test->mem, judging.count);
    souk_mem_put(test->mem, load.heard);
    postgres_server_stop(&server);
}
