/* ledger_shop.h - for tests of ledger.h: a ledger on every arrangement.  A new backend adds its line and passes
 * the same sentences.
 *
 *     EACH_SHOP(shop, .readers = 2)
 *     {
 *         must_sql(test, &shop, "INSERT INTO item (name) VALUES ('tea')");
 *         SOUK_CHECK(ask(test, &shop, "SELECT count(*) FROM item") == 1);
 *     }
 *
 * Stands after test/test.h. */
#ifndef SOUK_STORE_LEDGER_SHOP_H
#define SOUK_STORE_LEDGER_SHOP_H

#include "store/postgres_server.h"

#include <stdio.h>

struct arrangement {
    const char *name;
    bool real_disk, no_thread;
    bool postgres; /* another dialect of errors, tills in parallel, no file of its own */
    souk_err (*open)(souk_mem *mem, souk_disk *disk, const char *file_name,
                     const souk_ledger_options *options, souk_ledger **ret_ledger, souk_diag *diag);
};

static const struct arrangement arrangements[] = {
    {"sqlite, simulated disk, no thread", false, true, false, souk_ledger_open_sqlite},
    {"sqlite, simulated disk", false, false, false, souk_ledger_open_sqlite},
    {"sqlite, real disk", true, false, false, souk_ledger_open_sqlite},
    {"postgres", false, false, true, postgres_open},
};

/* The arrangement, or NULL behind the last; those that this machine cannot have are passed over. */
static inline const struct arrangement *arrangement_from(size_t number)
{
    const size_t count = sizeof arrangements / sizeof *arrangements;
    while (number < count && arrangements[number].postgres && !postgres_server_found())
        number++;
    return number < count ? &arrangements[number] : NULL;
}

/* For tests of modules that stand on any ledger and open it themselves:
 *
 *     EACH_ARRANGEMENT (how)
 *         SOUK_MUST(how->open(test->mem, disk, "ledger", &options, &ledger, NULL)); */
#define EACH_ARRANGEMENT(how)                                      \
    for (const struct arrangement *how = arrangement_from(0); how; \
         how = arrangement_from((size_t)(how - arrangements) + 1))

struct shop {
    const struct arrangement *how;
    souk_disk *disk;
    souk_ledger *ledger;
};

static inline void open_with(souk_test *test, struct shop *shop, souk_ledger_options options)
{
    options.no_thread |= shop->how->no_thread;
    souk_diag diag = {0};
    souk_err err = shop->how->open(test->mem, shop->disk, "ledger", &options, &shop->ledger, &diag);
    if (err)
        test_fail(test, __FILE__, __LINE__, "%s: %s", shop->how->name, diag.words);
}

static inline souk_err run_sql(souk_tx *tx, void *sql)
{
    return souk_sql_script(tx, sql);
}

static inline void must_sql(souk_test *test, struct shop *shop, const char *sql)
{
    SOUK_MUST(souk_ledger_write(shop->ledger, SOUK_LANE_JOB, run_sql, (void *)(uintptr_t)sql));
}

static inline struct shop open_shop(souk_test *test, const struct arrangement *how,
                                    souk_ledger_options options)
{
    struct shop shop = {.how = how};
    if (shop.how->real_disk) {
        char folder[600];
        snprintf(folder, sizeof folder, "%s/%zu", test_folder(test), (size_t)(how - arrangements));
        SOUK_MUST(souk_disk_open_real(test->mem, folder, &shop.disk, NULL));
    } else {
        SOUK_MUST(souk_disk_open_sim(test->mem, test_random(test, 0), &shop.disk));
    }
    open_with(test, &shop, options);
    must_sql(test, &shop,
             "CREATE TABLE item (id INTEGER PRIMARY KEY, name TEXT UNIQUE, stock INTEGER"
             " CHECK (stock >= 0), picture BLOB);");
    return shop;
}

static inline void reopen(souk_test *test, struct shop *shop, souk_ledger_options options)
{
    SOUK_MUST(souk_ledger_close(shop->ledger));
    souk_ledger_free(souk_take(&shop->ledger));
    open_with(test, shop, options);
}

static inline void close_shop(souk_test *test, struct shop *shop)
{
    souk_diag diag = {0};
    if (souk_ledger_verify(shop->ledger, &diag))
        test_fail(test, __FILE__, __LINE__, "%s: %s", shop->how->name, diag.words);
    SOUK_MUST(souk_ledger_close(shop->ledger));
    souk_ledger_free(shop->ledger);
    souk_disk_free(shop->disk);
}

#define EACH_SHOP(shop, ...)                                                                   \
    EACH_ARRANGEMENT (shop_how)                                                                \
        for (struct shop shop = open_shop(test, shop_how, (souk_ledger_options){__VA_ARGS__}); \
             shop.how; close_shop(test, &shop), shop.how = NULL)

struct question {
    const char *sql;
    int64_t answer;
};

static inline souk_err ask_closure(souk_tx *tx, void *context)
{
    struct question *question = context;
    return souk_sql_one_int(tx, question->sql, SOUK_NO_VALUES, &question->answer);
}

static inline int64_t ask(souk_test *test, struct shop *shop, const char *sql)
{
    struct question question = {.sql = sql};
    SOUK_MUST(souk_ledger_read(shop->ledger, ask_closure, &question));
    return question.answer;
}

/* A closure. */
static inline souk_err nothing(souk_tx *tx, void *context)
{
    (void)tx, (void)context;
    return SOUK_OK;
}

#endif
