/* levels_test.c - levels against a plain model, kept in memory and in rows, through refusals, restarts and power cuts. */
#include "os/thread.h"
#include "test/test.h"

#include "service/stock/levels_rig.h"

enum { LOCATIONS = 3, PRODUCTS = 4, PLACES = LOCATIONS * PRODUCTS };

static const char *const locations[] = {"SH-014", "SH-015", "WH"};
static const char *const products[] = {"tea", "salt", "rice", "soap"};

static souk_stock_place place_of(unsigned number)
{
    return (souk_stock_place){1, souk_text_of(locations[number / PRODUCTS]),
                              souk_text_of(products[number % PRODUCTS])};
}

static souk_movement movement_of(unsigned place, int64_t on_hand, int64_t reserved)
{
    return (souk_movement){.place = place_of(place),
                           .kind = on_hand < 0 ? SOUK_MOVE_SALE : SOUK_MOVE_RECEIVED,
                           .on_hand = {on_hand},
                           .reserved = {reserved},
                           .at = 1767268800000};
}

SOUK_TEST("goods come in, are kept back, sold, and never below what is promised to others")
{
    EACH_LEVELS(shop, levels, .readers = 1)
    {
        souk_stock_level after;
        souk_movement sale = movement_of(0, -1000000, 0);
        SOUK_CHECK_ERR(move_one(&shop, levels, &sale, &after), SOUK_ENOENT);
        souk_movement received = movement_of(0, 5000000, 0);
        received.opens = true;
        SOUK_MUST(move_one(&shop, levels, &received, &after));
        SOUK_CHECK(after.on_hand.micro == 5000000 && after.reserved.micro == 0);
        souk_movement reserved = movement_of(0, 0, 4500000);
        SOUK_MUST(move_one(&shop, levels, &reserved, &after));
        SOUK_CHECK_ERR(move_one(&shop, levels, &sale, &after), SOUK_ECONFLICT);
        SOUK_CHECK(after.on_hand.micro == 5000000 && after.reserved.micro == 4500000);
        SOUK_CHECK_ERR(move_one(&shop, levels, &reserved, &after), SOUK_ECONFLICT);
        souk_movement fulfilled = movement_of(0, -4000000, -4000000);
        SOUK_MUST(move_one(&shop, levels, &fulfilled, &after));
        SOUK_CHECK(after.on_hand.micro == 1000000 && after.reserved.micro == 500000);
        SOUK_CHECK_ERR(move_one(&shop, levels, &fulfilled, &after), SOUK_ECONFLICT);

        sale.beyond = true; /* the till has it in its hand */
        SOUK_MUST(move_one(&shop, levels, &sale, &after));
        SOUK_MUST(move_one(&shop, levels, &sale, &after));
        SOUK_CHECK(after.on_hand.micro == -1000000);
        received.on_hand.micro = 500000; /* still below zero, yet it may come in */
        SOUK_MUST(move_one(&shop, levels, &received, &after));
        souk_stock_place place = place_of(0);
        souk_stock_level read;
        SOUK_MUST(souk_levels_read(levels, &place, &read));
        SOUK_CHECK(read.on_hand.micro == -500000 && read.reserved.micro == 500000);
        SOUK_MUST(souk_levels_verify(levels, NULL));
    }
}

SOUK_TEST("codes that are empty or too long and quantities beyond a billion are refused")
{
    EACH_LEVELS(shop, levels, .readers = 1)
    {
        souk_stock_level after;
        char code[SOUK_STOCK_PRODUCT_BYTES + 1];
        memset(code, 'x', sizeof code);
        souk_movement movement = movement_of(0, SOUK_STOCK_MOST_MICRO + 1, 0);
        movement.opens = true;
        SOUK_CHECK_ERR(move_one(&shop, levels, &movement, &after), SOUK_EINVAL);
        movement.on_hand.micro = INT64_MIN;
        SOUK_CHECK_ERR(move_one(&shop, levels, &movement, &after), SOUK_EINVAL);
        movement = movement_of(0, 1, 0);
        movement.opens = true;
        movement.place.product = (souk_text){code, sizeof code};
        SOUK_CHECK_ERR(move_one(&shop, levels, &movement, &after), SOUK_EINVAL);
        movement.place.product = SOUK_TEXT("");
        SOUK_CHECK_ERR(move_one(&shop, levels, &movement, &after), SOUK_EINVAL);
        movement = movement_of(0, SOUK_STOCK_MOST_MICRO, 0);
        movement.opens = movement.beyond = true;
        souk_movement most[4000];
        for (int i = 0; i < 4000; i++)
            most[i] = movement;
        struct moving moving = {.levels = levels, .movements = most, .count = 4000};
        SOUK_MUST(souk_ledger_write(shop.ledger, SOUK_LANE_TILL, move_all, &moving));
        SOUK_CHECK(move_one(&shop, levels, &movement, &after) != SOUK_OK); /* 4e18: the end */
    }
}

/* ---- against a model -------------------------------------------------------------------------------------- */

struct model {
    bool is_there[PLACES];
    int64_t on_hand[PLACES], reserved[PLACES];
};

/* The rule of levels.h again, as plainly as it can be said. */
static bool model_takes(struct model *model, unsigned place, const souk_movement *movement)
{
    if (!model->is_there[place] && !movement->opens)
        return false;
    int64_t on_hand = model->on_hand[place] + movement->on_hand.micro;
    int64_t reserved = model->reserved[place] + movement->reserved.micro;
    bool lowers = on_hand - reserved < model->on_hand[place] - model->reserved[place];
    if (reserved < 0 || (lowers && !movement->beyond && on_hand - reserved < 0))
        return false;
    model->is_there[place] = true;
    model->on_hand[place] = on_hand;
    model->reserved[place] = reserved;
    return true;
}

struct basket {
    souk_job job;
    struct moving moving;
    souk_movement movements[3];
    unsigned places[3];
    souk_err err;
};

static souk_err basket_apply(souk_tx *tx, souk_job *job)
{
    return move_all(tx, &SOUK_JOB_OWNER(job, struct basket, job)->moving);
}

static void basket_after(souk_job *job, souk_err err)
{
    SOUK_JOB_OWNER(job, struct basket, job)->err = err;
}

static void fill(souk_test *test, struct basket *basket, souk_levels *levels)
{
    *basket = (struct basket){.job = {.lane = SOUK_LANE_TILL,
                                      .may_fail = test_random(test, 2),
                                      .apply = basket_apply,
                                      .after = basket_after}};
    basket->moving = (struct moving){.levels = levels,
                                     .movements = basket->movements,
                                     .count = 1 + test_random(test, 3),
                                     .answer = test_random(test, 6) ? SOUK_OK : SOUK_EDENIED};
    for (size_t i = 0; i < basket->moving.count; i++) {
        unsigned place = basket->places[i] = (unsigned)test_random(test, PLACES);
        int64_t on_hand = (int64_t)test_random(test, 9) - 4;
        basket->movements[i] = movement_of(place, on_hand, (int64_t)test_random(test, 5) - 2);
        basket->movements[i].opens = test_random(test, 4) == 0;
        basket->movements[i].beyond = test_random(test, 8) == 0;
    }
}

/* A basket stands whole or not at all. */
static bool model_takes_basket(struct model *model, const struct basket *basket)
{
    struct model before = *model;
    bool takes = true;
    for (size_t i = 0; i < basket->moving.count && takes; i++)
        takes = model_takes(model, basket->places[i], &basket->movements[i]);
    takes &= basket->moving.answer == SOUK_OK;
    if (!takes)
        *model = before;
    return takes;
}

static void check_same(souk_test *test, souk_levels *levels, const struct model *model)
{
    for (unsigned i = 0; i < PLACES; i++) {
        souk_stock_place place = place_of(i);
        souk_stock_level level = {0};
        souk_err err = souk_levels_read(levels, &place, &level);
        SOUK_CHECK(err == (model->is_there[i] ? SOUK_OK : SOUK_ENOENT));
        SOUK_CHECK(level.on_hand.micro == model->on_hand[i]);
        SOUK_CHECK(level.reserved.micro == model->reserved[i]);
    }
}

static void run_baskets(souk_test *test, struct shop *shop, souk_levels *levels,
                        struct model *model)
{
    struct basket baskets[8];
    souk_ledger_hold(shop->ledger);
    for (unsigned i = 0; i < 8; i++) {
        fill(test, &baskets[i], levels);
        if (shop->how->postgres) /* tills go in any order there, the model in one */
            baskets[i].job.lane = SOUK_LANE_INGEST;
        SOUK_MUST(souk_ledger_submit(shop->ledger, &baskets[i].job));
    }
    souk_ledger_release(shop->ledger);
    SOUK_MUST(souk_ledger_write(shop->ledger, SOUK_LANE_JOB, nothing, NULL)); /* behind them all */
    for (unsigned i = 0; i < 8; i++)
        SOUK_CHECK((baskets[i].err == SOUK_OK) == model_takes_basket(model, &baskets[i]));
}

SOUK_TEST("random baskets, refused in the middle or not, leave levels that equal a plain model")
{
    EACH_LEVELS(shop, levels, .readers = 2)
    {
        struct model model = {0};
        for (int round = 0; round < 60; round++) {
            bool more;
            run_baskets(test, &shop, levels, &model);
            if (test_random(test, 3) == 0)
                SOUK_MUST(souk_levels_keep(levels, 1 + (unsigned)test_random(test, 6), &more));
        }
        check_same(test, levels, &model);
        SOUK_MUST(souk_levels_verify(levels, NULL));
    }
}

SOUK_TEST("levels in memory are the same after a restart, wherever the writing of rows had come to")
{
    EACH_SHOP(shop, .readers = 2)
    {
        struct model model = {0};
        for (int life = 0; life < 12; life++) {
            souk_auto(souk_levels) levels = open_levels(test, &shop, false);
            check_same(test, levels, &model);
            for (int round = 0; round < 5; round++) {
                bool more;
                run_baskets(test, &shop, levels, &model);
                for (uint64_t keeps = test_random(test, 4); keeps > 0; keeps--)
                    SOUK_MUST(souk_levels_keep(levels, 2, &more));
            }
            SOUK_MUST(souk_levels_verify(levels, NULL));
        }
    }
}

SOUK_TEST("when every row is written the mark has moved up, and nothing waits")
{
    EACH_SHOP(shop, .readers = 1)
    {
        struct model model = {0};
        souk_auto(souk_levels) levels = open_levels(test, &shop, false);
        run_baskets(test, &shop, levels, &model);
        for (bool more = true; more;)
            SOUK_MUST(souk_levels_keep(levels, 1, &more));
        souk_levels_counters counters;
        souk_levels_count(levels, &counters);
        SOUK_CHECK(counters.unkept == 0);
        SOUK_CHECK(ask(test, &shop, "SELECT through FROM stock_mark") ==
                       ask(test, &shop, "SELECT coalesce(max(id), 0) FROM stock_movement") ||
                   counters.memory_bytes == 0);
    }
}

SOUK_TEST("verify notices a level that is not the sum of its movements, and says which")
{
    EACH_LEVELS(shop, levels, .readers = 1)
    {
        souk_stock_level after;
        bool more;
        souk_diag diag = {0};
        souk_movement received = movement_of(5, 7000000, 0);
        received.opens = true;
        SOUK_MUST(move_one(&shop, levels, &received, &after));
        SOUK_MUST(souk_levels_keep(levels, 100, &more));
        must_sql(test, &shop, "UPDATE stock_level SET on_hand = on_hand + 1");
        SOUK_CHECK_ERR(souk_levels_verify(levels, &diag), SOUK_ECORRUPT);
        SOUK_CHECK(strstr(diag.words, "salt") && strstr(diag.words, "7.000001"));
        must_sql(test, &shop, "UPDATE stock_level SET on_hand = on_hand - 1");
        SOUK_MUST(souk_levels_verify(levels, NULL));
    }
}

/* ---- lists -------------------------------------------------------------------------------------------------- */

struct listed {
    char text[400];
    unsigned count;
};

static souk_err note(void *context, const souk_stock_place *place, const souk_stock_level *level)
{
    struct listed *listed = context;
    size_t used = strlen(listed->text);
    listed->count++;
    snprintf(listed->text + used, sizeof listed->text - used, "%.*s %.*s %d; ",
             SOUK_TEXT_PRINT(place->location), SOUK_TEXT_PRINT(place->product),
             (int)(level->on_hand.micro / 1000000));
    return SOUK_OK;
}

static souk_err note_moved(void *context, const souk_moved *moved)
{
    struct listed *listed = context;
    size_t used = strlen(listed->text);
    listed->count++;
    snprintf(listed->text + used, sizeof listed->text - used, "%s %d; ",
             souk_move_word(moved->kind), (int)(moved->on_hand.micro / 1000000));
    return SOUK_OK;
}

SOUK_TEST("levels are listed by location and by product, movements newest first")
{
    EACH_LEVELS(shop, levels, .readers = 2)
    {
        souk_stock_level after;
        for (unsigned i = 0; i < PLACES; i++) {
            souk_movement received = movement_of(i, (int64_t)(i + 1) * 1000000, 0);
            received.opens = true;
            SOUK_MUST(move_one(&shop, levels, &received, &after));
        }
        struct listed listed = {0};
        souk_stock_place filter = {1, SOUK_TEXT(""), SOUK_TEXT("salt")};
        SOUK_MUST(souk_levels_list(levels, &filter, SOUK_TEXT(""), 9, note, &listed));
        SOUK_CHECK_TEXT(souk_text_of(listed.text), "SH-014 salt 2; SH-015 salt 6; WH salt 10; ");
        listed = (struct listed){0};
        filter = (souk_stock_place){1, SOUK_TEXT("WH"), SOUK_TEXT("")};
        SOUK_MUST(souk_levels_list(levels, &filter, SOUK_TEXT("rice"), 2, note, &listed));
        SOUK_CHECK_TEXT(souk_text_of(listed.text), "WH salt 10; WH soap 12; ");
        listed = (struct listed){0};
        filter.merchant = 2; /* another merchant's */
        SOUK_MUST(souk_levels_list(levels, &filter, SOUK_TEXT(""), 9, note, &listed));
        SOUK_CHECK(listed.count == 0);

        souk_movement sale = movement_of(0, -1000000, 0);
        souk_stock_place place = place_of(0);
        SOUK_MUST(move_one(&shop, levels, &sale, &after));
        SOUK_MUST(souk_levels_moved(levels, &place, INT64_MAX, 9, note_moved, &listed));
        SOUK_CHECK_TEXT(souk_text_of(listed.text), "sold -1; received 1; ");
    }
}

/* ---- many tills ------------------------------------------------------------------------------------------------ */

enum { TILLS = 8, SALES = 60 };
struct till {
    struct shop *shop;
    souk_levels *levels;
    souk_thread thread;
    unsigned sold, refused, others;
};

static void sell(void *context)
{
    struct till *till = context;
    for (unsigned i = 0; i < SALES; i++) {
        souk_stock_level after;
        souk_movement sale = movement_of(0, -1000000, 0);
        souk_err err = move_one(till->shop, till->levels, &sale, &after);
        till->sold += err == SOUK_OK;
        till->refused += err == SOUK_ECONFLICT;
        till->others += err != SOUK_OK && err != SOUK_ECONFLICT;
    }
}

SOUK_TEST("eight tills race for the last pieces: as many are sold as there were")
{
    EACH_LEVELS(shop, levels, .readers = 1)
    {
        if (shop.how->no_thread)
            continue;
        struct till tills[TILLS];
        souk_stock_level after;
        souk_movement received = movement_of(0, 100 * 1000000, 0);
        received.opens = true;
        unsigned sold = 0;
        SOUK_MUST(move_one(&shop, levels, &received, &after));
        for (unsigned i = 0; i < TILLS; i++) {
            tills[i] = (struct till){.shop = &shop, .levels = levels};
            SOUK_MUST(souk_thread_start(&tills[i].thread, "till", sell, &tills[i]));
        }
        for (unsigned i = 0; i < TILLS; i++) {
            souk_thread_join(&tills[i].thread);
            sold += tills[i].sold;
            SOUK_CHECK(tills[i].others == 0);
        }
        SOUK_CHECK(sold == 100);
        souk_stock_place place = place_of(0);
        SOUK_MUST(souk_levels_read(levels, &place, &after));
        SOUK_CHECK(after.on_hand.micro == 0);
        SOUK_MUST(souk_levels_verify(levels, NULL));
    }
}

/* ---- power cuts and failing allocations -------------------------------------------------------------------------- */

static souk_err open_cut(souk_test *test, souk_disk *disk, struct shop *shop, souk_levels **levels)
{
    souk_ledger_options options = {.no_thread = true, .readers = 1};
    shop->disk = disk;
    SOUK_TRY(souk_ledger_open_sqlite(test->mem, disk, "ledger", &options, &shop->ledger, NULL));
    return levels_open_as(test->mem, shop->ledger, &test_key, false, levels, NULL);
}

/* Sells until the power goes; tells how many sales were answered. */
static int64_t sell_until_cut(souk_test *test, souk_disk *disk)
{
    struct shop shop = {.ledger = NULL};
    souk_levels *levels = NULL;
    int64_t sold = 0;
    souk_sim_plan(disk, (souk_sim_faults){.cut_at = 1 + test_random(test, 150)});
    souk_err err = open_cut(test, disk, &shop, &levels);
    while (!err) {
        souk_stock_level after;
        bool more;
        souk_movement sale = movement_of(0, -1, 0);
        err = move_one(&shop, levels, &sale, &after);
        sold += !err;
        if (!err && test_random(test, 4) == 0)
            err = souk_levels_keep(levels, 1, &more);
    }
    souk_levels_free(levels);
    souk_ledger_free(shop.ledger);
    souk_sim_power_on(disk);
    souk_sim_plan(disk, (souk_sim_faults){.cut_at = 0});
    return sold;
}

SOUK_TEST(
    "through power cuts every answered sale has left the shelf, and no other but the one in doubt")
{
    souk_auto(souk_disk) disk = NULL;
    struct shop shop = {.ledger = NULL};
    souk_levels *levels = NULL;
    souk_stock_level level;
    souk_stock_place place = place_of(0);
    int64_t there = 1000000;
    SOUK_MUST(souk_disk_open_sim(test->mem, test_random(test, 0), &disk));
    SOUK_MUST(open_cut(test, disk, &shop, &levels));
    souk_movement received = movement_of(0, there, 0);
    received.opens = true;
    SOUK_MUST(move_one(&shop, levels, &received, &level));
    for (int life = 0; life < 100; life++) {
        souk_levels_free(souk_take(&levels));
        SOUK_MUST(souk_ledger_close(shop.ledger));
        souk_ledger_free(souk_take(&shop.ledger));
        int64_t sold = sell_until_cut(test, disk);
        SOUK_MUST(open_cut(test, disk, &shop, &levels));
        SOUK_MUST(souk_levels_read(levels, &place, &level));
        SOUK_CHECK(level.on_hand.micro == there - sold || level.on_hand.micro == there - sold - 1);
        SOUK_MUST(souk_levels_verify(levels, NULL));
        there = level.on_hand.micro;
    }
    SOUK_CHECK(there < 1000000 - 200);
    souk_levels_free(levels);
    SOUK_MUST(souk_ledger_close(shop.ledger));
    souk_ledger_free(shop.ledger);
}

SOUK_TEST("whatever allocation fails, a basket is whole or absent and memory equals the rows")
{
    SOUK_FAULT_LOOP (test) {
        souk_disk *disk = NULL;
        struct shop shop = {.ledger = NULL};
        souk_levels *levels = NULL;
        souk_stock_level after;
        souk_err err = souk_disk_open_sim(souk_mem_heap(), 3, &disk);
        souk_ledger_options options = {.no_thread = true, .readers = 1};
        if (!err)
            err = souk_ledger_open_sqlite(souk_mem_heap(), disk, "ledger", &options, &shop.ledger,
                                          NULL);
        if (!err)
            err = levels_open_as(test->mem, shop.ledger, &test_key, false, &levels, NULL);
        for (unsigned i = 0; i < 3 && !err; i++) {
            souk_movement received = movement_of(i, 5, 0);
            received.opens = true;
            err = move_one(&shop, levels, &received, &after);
        }
        if (levels && err) /* the fault is over */
            SOUK_MUST(souk_levels_verify(levels, NULL));
        SOUK_CHECK(err == SOUK_OK || err == SOUK_ENOMEM);
        souk_levels_free(levels);
        souk_ledger_free(shop.ledger);
        souk_disk_free(disk);
        test_fault_seen(test, err);
    }
}
