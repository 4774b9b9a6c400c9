/* parked_test.c - suspended baskets: one takes each up, nobody reads them in the database, and a day ends them. */
#include "service/checkout/parked.h"

#include "test/test.h"

#include "store/ledger_shop.h"
#include "store/vault_desk.h"

#include <stdio.h>

#define NOW 1767268800000

enum doing { ADD, CHANGE, REMOVE, READ, LIST, SWEEP };

struct asked {
    souk_test *test;
    souk_vault *vault;
    enum doing doing;
    souk_parked basket;
    int64_t expected;
    souk_arena arena;
    size_t count;
    souk_diag diag;
    char first[32]; /* of a list: the till of the first */
};

static souk_err count_one(void *context, const souk_parked *basket)
{
    struct asked *asked = context;
    if (asked->count++ == 0)
        snprintf(asked->first, sizeof asked->first, "%.*s", SOUK_TEXT_PRINT(basket->till));
    return SOUK_OK;
}

static souk_err ask_in(souk_tx *tx, void *context)
{
    struct asked *asked = context;
    souk_parked *basket = &asked->basket;
    asked->diag = (souk_diag){0};
    asked->count = 0;
    switch (asked->doing) {
    case ADD:
        return souk_parked_add(tx, asked->test->mem, asked->vault, basket, &asked->diag);
    case CHANGE:
        return souk_parked_change(tx, asked->test->mem, asked->vault, basket, asked->expected,
                                  &asked->diag);
    case REMOVE:
        return souk_parked_remove(tx, basket, asked->expected, &asked->diag);
    case READ:
        return souk_parked_read(tx, asked->vault, basket->merchant, basket->id, basket->at,
                                &asked->arena, basket);
    case LIST:
        return souk_parked_list(tx, basket->merchant, basket->store, basket->at, SOUK_PARKED_MOST,
                                count_one, asked);
    default:
        return souk_parked_sweep(tx, basket->at, &asked->count);
    }
}

static souk_err run(struct shop *shop, struct asked *asked, enum doing doing)
{
    asked->doing = doing;
    return souk_ledger_write(shop->ledger, SOUK_LANE_TILL, ask_in, asked);
}

static struct asked asked_of(souk_test *test, const vault_desk *keys, uint64_t id, const char *body)
{
    return (struct asked){.test = test,
                          .vault = keys->vault,
                          .arena = {.mem = test->mem},
                          .basket = {.id = {id, 7},
                                     .merchant = 1,
                                     .store = SOUK_TEXT("BER"),
                                     .till = SOUK_TEXT("3"),
                                     .lines = 2,
                                     .at = NOW,
                                     .body = souk_text_of(body)}};
}

#define EACH_HOOK(shop, ...)                    \
    EACH_SHOP(shop, __VA_ARGS__)                \
    if (souk_parked_migrate(shop.ledger, NULL)) \
        SOUK_CHECK(false);                      \
    else

SOUK_TEST("a suspended basket is read as it was, by its merchant alone, and lies sealed")
{
    vault_desk keys = desk_of(test, &small);
    EACH_HOOK(shop, .readers = 1)
    {
        struct asked asked = asked_of(test, &keys, 1, "{\"basket\":{\"who\":\"Ada\"}}");
        SOUK_MUST(run(&shop, &asked, ADD));
        SOUK_CHECK(asked.basket.version == 1);
        asked.basket = (souk_parked){.id = {1, 7}, .merchant = 1, .at = NOW};
        SOUK_MUST(run(&shop, &asked, READ));
        SOUK_CHECK_TEXT(asked.basket.body, "{\"basket\":{\"who\":\"Ada\"}}");
        SOUK_CHECK_TEXT(asked.basket.store, "BER");
        SOUK_CHECK(asked.basket.lines == 2 && asked.basket.version == 1);
        asked.basket.merchant = 2;
        SOUK_CHECK_ERR(run(&shop, &asked, READ), SOUK_ENOENT);
        asked.expected = 1;
        SOUK_CHECK_ERR(run(&shop, &asked, REMOVE), SOUK_ENOENT);
        /* a row that is moved to another name does not open */
        asked.basket.merchant = 1;
        must_sql(test, &shop, "UPDATE parked_basket SET merchant = 2");
        asked.basket.merchant = 2;
        SOUK_CHECK(run(&shop, &asked, READ) != SOUK_OK);
        souk_arena_done(&asked.arena);
    }
    desk_done(&keys);
}

SOUK_TEST("a suspended basket is changed over its version, in its store, and taken up once")
{
    vault_desk keys = desk_of(test, &small);
    EACH_HOOK(shop, .readers = 1)
    {
        struct asked asked = asked_of(test, &keys, 1, "{}");
        SOUK_MUST(run(&shop, &asked, ADD));
        asked.basket.body = SOUK_TEXT("{\"a\":1}");
        asked.expected = 2;
        SOUK_CHECK_ERR(run(&shop, &asked, CHANGE), SOUK_ECHANGED);
        SOUK_CHECK_ERR(run(&shop, &asked, REMOVE), SOUK_ECHANGED);
        asked.expected = 1;
        asked.basket.store = SOUK_TEXT("MUC");
        SOUK_CHECK_ERR(run(&shop, &asked, CHANGE), SOUK_ECONFLICT);
        SOUK_CHECK(strstr(asked.diag.words, "store BER"));
        asked.basket.store = SOUK_TEXT("BER");
        SOUK_MUST(run(&shop, &asked, CHANGE));
        SOUK_CHECK(asked.basket.version == 2);
        SOUK_CHECK_ERR(run(&shop, &asked, CHANGE), SOUK_ECHANGED);
        SOUK_CHECK_ERR(run(&shop, &asked, REMOVE), SOUK_ECHANGED);
        asked.expected = 2;
        SOUK_MUST(run(&shop, &asked, REMOVE));
        SOUK_CHECK_ERR(run(&shop, &asked, REMOVE), SOUK_ENOENT);
        SOUK_CHECK_ERR(run(&shop, &asked, CHANGE), SOUK_ENOENT);
    }
    desk_done(&keys);
}

SOUK_TEST("a suspended basket is gone when its day is over, and swept behind it")
{
    vault_desk keys = desk_of(test, &small);
    EACH_HOOK(shop, .readers = 1)
    {
        struct asked first = asked_of(test, &keys, 1, "{}"),
                     second = asked_of(test, &keys, 2, "{}");
        second.basket.at = NOW + 1;
        second.basket.till = SOUK_TEXT("9");
        SOUK_MUST(run(&shop, &first, ADD));
        SOUK_MUST(run(&shop, &second, ADD));
        SOUK_MUST(run(&shop, &second, LIST));
        SOUK_CHECK(second.count == 2 && !strcmp(second.first, "9")); /* the newest first */
        first.basket.at = second.basket.at = NOW + SOUK_PARKED_MS;
        first.expected = second.expected = 1;
        SOUK_CHECK_ERR(run(&shop, &first, READ), SOUK_ENOENT);
        SOUK_CHECK_ERR(run(&shop, &first, CHANGE), SOUK_ENOENT);
        SOUK_CHECK_ERR(run(&shop, &first, REMOVE), SOUK_ENOENT);
        SOUK_MUST(run(&shop, &second, CHANGE)); /* its day begins again */
        SOUK_MUST(run(&shop, &first, SWEEP));
        SOUK_CHECK(first.count == 1);
        SOUK_MUST(run(&shop, &first, SWEEP));
        SOUK_CHECK(first.count == 0);
        SOUK_CHECK(ask(test, &shop, "SELECT count(*) FROM parked_basket") == 1);
        second.basket.at = NOW + 2 * SOUK_PARKED_MS - 1;
        SOUK_MUST(run(&shop, &second, READ));
        souk_arena_done(&second.arena);
    }
    desk_done(&keys);
}

struct crowd {
    souk_test *test;
    const vault_desk *keys;
};

static souk_err add_crowd(souk_tx *tx, void *context)
{
    const struct crowd *crowd = context;
    for (uint64_t i = 0; i < SOUK_PARKED_MOST; i++) {
        struct asked asked = asked_of(crowd->test, crowd->keys, 100 + i, "{}");
        SOUK_TRY(ask_in(tx, &asked));
    }
    return SOUK_OK;
}

SOUK_TEST("a store has room for so many suspended baskets, and another has its own")
{
    vault_desk keys = desk_of(test, &small);
    EACH_HOOK(shop, .readers = 1)
    {
        struct asked asked = asked_of(test, &keys, 1, "{}");
        asked.basket.at = NOW - SOUK_PARKED_MS; /* over: it takes no room */
        SOUK_MUST(run(&shop, &asked, ADD));
        struct crowd crowd = {test, &keys};
        SOUK_MUST(souk_ledger_write(shop.ledger, SOUK_LANE_TILL, add_crowd, &crowd));
        struct asked last = asked_of(test, &keys, 9999, "{}");
        SOUK_CHECK_ERR(run(&shop, &last, ADD), SOUK_ECONFLICT);
        SOUK_CHECK(strstr(last.diag.words, "delete some"));
        last.basket.store = SOUK_TEXT("MUC");
        SOUK_MUST(run(&shop, &last, ADD));
    }
    desk_done(&keys);
}

SOUK_TEST("a basket is suspended or refused, whatever allocation fails")
{
    vault_desk keys = desk_of(test, &small);
    SOUK_FAULT_LOOP (test) {
        souk_disk *disk = NULL;
        souk_ledger *ledger = NULL;
        souk_ledger_options options = {.no_thread = true, .readers = 1};
        struct asked asked = asked_of(test, &keys, 1, "{\"basket\":{}}");
        souk_err err = souk_disk_open_sim(souk_mem_heap(), 3, &disk);
        if (!err)
            err = souk_ledger_open_sqlite(souk_mem_heap(), disk, "ledger", &options, &ledger, NULL);
        if (!err)
            err = souk_parked_migrate(ledger, NULL);
        if (!err)
            err = souk_ledger_write(ledger, SOUK_LANE_TILL, ask_in, &asked);
        asked.doing = READ;
        if (!err)
            err = souk_ledger_write(ledger, SOUK_LANE_TILL, ask_in, &asked);
        if (!err)
            SOUK_CHECK_TEXT(asked.basket.body, "{\"basket\":{}}");
        SOUK_CHECK(err == SOUK_OK || err == SOUK_ENOMEM);
        test_fault_seen(test, err);
        souk_arena_done(&asked.arena);
        souk_ledger_free(ledger);
        souk_disk_free(disk);
    }
    desk_done(&keys);
}
