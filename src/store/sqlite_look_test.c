/* sqlite_look_test.c - a look into the ledger beside the process that owns it. */
#include "store/ledger.h"
#include "test/test.h"

static const souk_migration schema[] = {
    {1, "CREATE TABLE product (id INTEGER PRIMARY KEY, name TEXT NOT NULL)"},
};

static souk_err add_product(souk_tx *tx, void *context)
{
    (void)context;
    return souk_sql_run(tx, "INSERT INTO product (name) VALUES ('salt')", SOUK_NO_VALUES);
}

static souk_err count_products(souk_tx *tx, void *context)
{
    return souk_sql_one_int(tx, "SELECT count(*) FROM product", SOUK_NO_VALUES, context);
}

static souk_err quick_check(souk_tx *tx, void *context)
{
    souk_auto_value(souk_rows) rows = {0};
    SOUK_TRY(souk_rows_begin(tx, "PRAGMA quick_check(1)", SOUK_NO_VALUES, &rows));
    bool *sound = context;
    *sound = souk_rows_next(&rows) && souk_text_equal(souk_rows_text(&rows, 0), SOUK_TEXT("ok"));
    return souk_rows_check(&rows);
}

SOUK_TEST("a look sees what is committed, and the owner goes on and cuts its log afterwards")
{
    souk_auto(souk_disk) disk = NULL;
    souk_auto(souk_disk) other = NULL;
    souk_auto(souk_ledger) ledger = NULL;
    int64_t count = 0;
    bool sound = false;
    SOUK_MUST(souk_disk_open_real(test->mem, test_folder(test), &disk, NULL));
    SOUK_MUST(souk_disk_open_real(test->mem, test_folder(test), &other, NULL));
    SOUK_MUST(souk_ledger_open_sqlite(test->mem, disk, "ledger", NULL, &ledger, NULL));
    SOUK_MUST(souk_ledger_migrate(ledger, "shop", schema, 1, NULL));
    for (int64_t i = 1; i < 20; i++) {
        SOUK_MUST(souk_ledger_write(ledger, SOUK_LANE_TILL, add_product, NULL));
        SOUK_MUST(
            souk_ledger_look_sqlite(test->mem, other, "ledger", count_products, &count, NULL));
        SOUK_CHECK(count == i);
    }
    SOUK_MUST(souk_ledger_checkpoint(ledger, true));
    SOUK_MUST(souk_ledger_look_sqlite(test->mem, other, "ledger", quick_check, &sound, NULL));
    SOUK_CHECK(sound);
    SOUK_MUST(souk_ledger_close(ledger));
    /* Nobody owns it now: the look leaves it so that it opens again. */
    SOUK_MUST(souk_ledger_look_sqlite(test->mem, other, "ledger", count_products, &count, NULL));
    SOUK_CHECK(count == 19);
    souk_ledger_free(souk_take(&ledger));
    SOUK_MUST(souk_ledger_open_sqlite(test->mem, disk, "ledger", NULL, &ledger, NULL));
    SOUK_MUST(souk_ledger_write(ledger, SOUK_LANE_TILL, add_product, NULL));
}

SOUK_TEST("a look refuses what is missing, no ledger, or damaged, and writes nothing")
{
    souk_auto(souk_disk) disk = NULL;
    souk_auto(souk_ledger) ledger = NULL;
    souk_diag diag = {.words = ""};
    int64_t count;
    SOUK_MUST(souk_disk_open_sim(test->mem, 5, &disk));
    SOUK_CHECK_ERR(
        souk_ledger_look_sqlite(test->mem, disk, "ledger", count_products, &count, &diag),
        SOUK_ENOENT);
    SOUK_CHECK(strstr(diag.words, "no file 'ledger'") && !souk_disk_exists(disk, "ledger"));

    SOUK_MUST(souk_ledger_open_sqlite(test->mem, disk, "ledger", NULL, &ledger, NULL));
    SOUK_MUST(souk_ledger_migrate(ledger, "shop", schema, 1, NULL));
    SOUK_MUST(souk_ledger_close(ledger));
    souk_auto_value(souk_buf) all = {.mem = test->mem};
    souk_auto_value(souk_buf) after = {.mem = test->mem};
    SOUK_MUST(souk_disk_take(disk, "ledger", &all));
    SOUK_MUST(souk_ledger_look_sqlite(test->mem, disk, "ledger", count_products, &count, NULL));
    SOUK_MUST(souk_disk_take(disk, "ledger", &after));
    SOUK_CHECK(count == 0 && souk_text_equal(souk_buf_view(&all), souk_buf_view(&after)));

    all.at[68] = 'X'; /* the application's mark */
    SOUK_MUST(souk_disk_put(disk, "other", all.at, all.bytes));
    diag.words[0] = '\0';
    SOUK_CHECK_ERR(souk_ledger_look_sqlite(test->mem, disk, "other", count_products, &count, &diag),
                   SOUK_EINVAL);
    SOUK_CHECK(strstr(diag.words, "not a ledger"));
    memset(all.at, 'z', 100);
    SOUK_MUST(souk_disk_put(disk, "hurt", all.at, all.bytes));
    SOUK_CHECK_ERR(souk_ledger_look_sqlite(test->mem, disk, "hurt", count_products, &count, NULL),
                   SOUK_ECORRUPT);
}

SOUK_TEST("a look survives the lack of memory")
{
    souk_auto(souk_disk) disk = NULL;
    souk_auto(souk_ledger) ledger = NULL;
    SOUK_MUST(souk_disk_open_real(test->mem, test_folder(test), &disk, NULL));
    SOUK_MUST(souk_ledger_open_sqlite(test->mem, disk, "ledger", NULL, &ledger, NULL));
    SOUK_MUST(souk_ledger_migrate(ledger, "shop", schema, 1, NULL));
    SOUK_FAULT_LOOP (test) {
        int64_t count;
        souk_err err =
            souk_ledger_look_sqlite(test->mem, disk, "ledger", count_products, &count, NULL);
        SOUK_CHECK(err == SOUK_OK || err == SOUK_ENOMEM);
        test_fault_seen(test, err);
    }
}
