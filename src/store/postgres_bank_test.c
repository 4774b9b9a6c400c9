/* postgres_bank_test.c - 16 clients move money at READ COMMITTED: with predicates nothing is lost, and a planted
 * read-then-write loses some and is noticed. */
#include "store/postgres_server.h"

#include "os/thread.h"
#include "test/test.h"

#include <stdio.h>

enum { CLIENTS = 16, ACCOUNTS = 4, MONEY = 1000, MOVES = 60, ROUNDS = 20 };

struct move {
    int64_t from, to, amount;
};

static souk_err run_sql(souk_tx *tx, void *sql)
{
    return souk_sql_script(tx, sql);
}

static souk_err sum_of(souk_tx *tx, void *context)
{
    return souk_sql_one_int(tx, "SELECT sum(money) FROM account", SOUK_NO_VALUES, context);
}

static souk_err take(souk_tx *tx, const struct move *move)
{
    SOUK_TRY(souk_sql_run(tx, "UPDATE account SET money = money - ?2 WHERE id = ?1 AND money >= ?2",
                          SOUK_VALUES(SOUK_INT(move->from), SOUK_INT(move->amount))));
    return souk_sql_changed(tx) == 1 ? SOUK_OK : SOUK_ECONFLICT;
}

static souk_err give(souk_tx *tx, const struct move *move)
{
    SOUK_TRY(souk_sql_run(tx, "UPDATE account SET money = money + ?2 WHERE id = ?1",
                          SOUK_VALUES(SOUK_INT(move->to), SOUK_INT(move->amount))));
    return souk_sql_changed(tx) == 1 ? SOUK_OK : SOUK_ECONFLICT;
}

/* In the order of the accounts: the one lock order. */
static souk_err move_by_predicate(souk_tx *tx, void *context)
{
    const struct move *move = context;
    if (move->from < move->to) {
        SOUK_TRY(take(tx, move));
        return give(tx, move);
    }
    SOUK_TRY(give(tx, move));
    return take(tx, move);
}

static souk_err set_to(souk_tx *tx, int64_t account, int64_t change)
{
    int64_t money = 0;
    SOUK_TRY(souk_sql_one_int(tx, "SELECT money FROM account WHERE id = ?1",
                              SOUK_VALUES(SOUK_INT(account)), &money));
    if (money + change < 0)
        return SOUK_ECONFLICT;
    return souk_sql_run(tx, "UPDATE account SET money = ?2 WHERE id = ?1",
                        SOUK_VALUES(SOUK_INT(account), SOUK_INT(money + change)));
}

/* What one must not write: between the reading and the writing another client comes by. */
static souk_err move_naively(souk_tx *tx, void *context)
{
    const struct move *move = context;
    bool up = move->from < move->to;
    int64_t change = up ? -move->amount : move->amount;
    SOUK_TRY(set_to(tx, up ? move->from : move->to, change));
    return set_to(tx, up ? move->to : move->from, -change);
}

struct client {
    souk_ledger *ledger;
    souk_tx_closure *apply;
    souk_thread thread;
    unsigned number;
    unsigned moved, refused, wrong;
};

static void client_body(void *context)
{
    struct client *client = context;
    for (unsigned i = 0; i < MOVES; i++) {
        struct move move = {.from = 1 + (client->number + i) % ACCOUNTS,
                            .to = 1 + (client->number + i + 1 + i % 3) % ACCOUNTS,
                            .amount = 1 + (client->number * 97 + i * 31) % 3000};
        souk_err err = souk_ledger_write(client->ledger, SOUK_LANE_TILL, client->apply, &move);
        client->moved += err == SOUK_OK;
        client->refused += err == SOUK_ECONFLICT;
        client->wrong += err != SOUK_OK && err != SOUK_ECONFLICT;
    }
}

static int64_t money_after(souk_test *test, souk_ledger *ledger, souk_tx_closure *apply)
{
    struct client clients[CLIENTS];
    unsigned moved = 0, refused = 0;
    int64_t sum = 0;
    for (unsigned i = 0; i < CLIENTS; i++) {
        clients[i] = (struct client){.ledger = ledger, .apply = apply, .number = i};
        SOUK_MUST(souk_thread_start(&clients[i].thread, "client", client_body, &clients[i]));
    }
    for (unsigned i = 0; i < CLIENTS; i++)
        souk_thread_join(&clients[i].thread);
    for (unsigned i = 0; i < CLIENTS; i++) {
        SOUK_CHECK(clients[i].wrong == 0);
        moved += clients[i].moved;
        refused += clients[i].refused;
    }
    SOUK_CHECK(moved > 0 && refused > 0);
    SOUK_MUST(souk_ledger_read(ledger, sum_of, &sum));
    return sum;
}

SOUK_TEST("16 clients lose no money by predicates, and lose some by reading before writing")
{
    if (!postgres_server_found())
        test_skip(test, "PostgreSQL is not installed");
    char url[POSTGRES_URL_ROOM];
    souk_auto(souk_ledger) ledger = NULL;
    souk_diag diag = {0};
    souk_ledger_options options = {.writers = CLIENTS};
    static char schema[] = "CREATE TABLE account (id INTEGER PRIMARY KEY, money INTEGER NOT NULL"
                           " CHECK (money >= 0));"
                           "INSERT INTO account VALUES (1, 1000), (2, 1000), (3, 1000), (4, 1000)";
    SOUK_MUST(postgres_database(url));
    SOUK_MUST(souk_ledger_open_postgres(test->mem, url, &options, &ledger, &diag));
    SOUK_MUST(souk_ledger_write(ledger, SOUK_LANE_JOB, run_sql, schema));
    SOUK_CHECK(money_after(test, ledger, move_by_predicate) == ACCOUNTS * MONEY);

    bool noticed = false;
    for (int round = 0; round < ROUNDS && !noticed; round++)
        noticed = money_after(test, ledger, move_naively) != ACCOUNTS * MONEY;
    SOUK_CHECK(noticed);
    SOUK_MUST(souk_ledger_close(ledger));
}
