/* stock_rig.h - for tests of stock: a shop with stock on every ledger, levels in memory and in rows, asked by plans.
 * Stands after test/test.h. */
#ifndef SOUK_SERVICE_STOCK_STOCK_RIG_H
#define SOUK_SERVICE_STOCK_STOCK_RIG_H

#include "service/stock/stock_inside.h"
#include "store/ledger_shop.h"

static const souk_hash_key stock_rig_key = {"sixteen bytes .."};
static const souk_time rig_noon = 1767268800000;

#define EACH_STOCK(shop, stock, ...)                                        \
    EACH_SHOP(shop, __VA_ARGS__)                                            \
    for (int stock##_way = 0; stock##_way < 2; stock##_way++)               \
        for (souk_stock *stock = rig_open(test, &shop, stock##_way); stock; \
             souk_stock_free(souk_take(&stock)))

static inline souk_stock *rig_open(souk_test *test, struct shop *shop, int rows_alone)
{
    souk_stock *stock = NULL;
    souk_stock_options options = {.rows_alone = rows_alone};
    SOUK_MUST(souk_stock_open(test->mem, shop->ledger, souk_clock_real(), &stock_rig_key, &options,
                              &stock, NULL));
    if (rows_alone) /* of the same ledger as before: from the beginning */
        must_sql(test, shop,
                 "DELETE FROM stock_level; DELETE FROM stock_movement; DELETE FROM stock_lot; "
                 "DELETE FROM stock_reservation; DELETE FROM stock_reservation_line; "
                 "DELETE FROM stock_transfer; DELETE FROM stock_transfer_line; "
                 "UPDATE stock_mark SET through = 0");
    return stock;
}

/* A plan with its own arena. */
struct rig_plan {
    souk_plan plan;
    souk_arena arena;
    souk_err err;
};

static inline void rig_begin(souk_test *test, struct rig_plan *rig, souk_time at)
{
    *rig = (struct rig_plan){.arena = {.mem = test->mem}, .err = SOUK_OK};
    rig->plan = (souk_plan){.arena = &rig->arena, .at = at, .merchant = 1};
}

static inline void rig_level(struct rig_plan *rig, const char *key, int64_t amount,
                             souk_stock_deed *deed)
{
    souk_plan_add(&rig->plan, SOUK_EFFECT_STOCK, souk_text_of(key), amount, deed);
}

static inline void rig_other(struct rig_plan *rig, const char *id, void *what)
{
    souk_plan_add(&rig->plan, SOUK_EFFECT_STOCK, souk_text_of(id), 0, what);
}

/* Runs it and is done with it; its words stay. */
static inline souk_err rig_run(struct rig_plan *rig, struct shop *shop, souk_stock *stock)
{
    rig->err = souk_plan_run(shop->ledger, &stock->owners, &rig->plan);
    souk_arena_done(&rig->arena);
    return rig->err;
}

static inline souk_err rig_one(souk_test *test, struct shop *shop, souk_stock *stock,
                               souk_stock_verb verb, const char *key, int64_t amount,
                               souk_diag *diag)
{
    struct rig_plan rig;
    souk_stock_deed deed = {.verb = verb};
    rig_begin(test, &rig, rig_noon);
    rig_level(&rig, key, amount, &deed);
    souk_err err = rig_run(&rig, shop, stock);
    if (diag)
        *diag = rig.plan.diag;
    return err;
}

static inline souk_err rig_end(souk_test *test, struct shop *shop, souk_stock *stock,
                               souk_stock_verb verb, const char *id, souk_time at, souk_diag *diag)
{
    struct rig_plan rig;
    souk_stock_reservation what = {.verb = verb};
    rig_begin(test, &rig, at);
    rig_other(&rig, id, &what);
    souk_err err = rig_run(&rig, shop, stock);
    if (diag)
        *diag = rig.plan.diag;
    return err;
}

static inline souk_err rig_reserve(souk_test *test, struct shop *shop, souk_stock *stock,
                                   const char *id, int64_t amount, souk_time until)
{
    struct rig_plan rig;
    souk_stock_line line = {SOUK_TEXT("SH"), SOUK_TEXT("tea"), {amount}, SOUK_TEXT(""), 0};
    souk_stock_reservation what = {
        .verb = SOUK_STOCK_RESERVE, .until = until, .lines = &line, .line_count = 1};
    rig_begin(test, &rig, rig_noon);
    rig_other(&rig, id, &what);
    return rig_run(&rig, shop, stock);
}

static inline souk_stock_level rig_read(souk_test *test, souk_stock *stock, const char *location,
                                        const char *product)
{
    souk_stock_level level = {.id = 0};
    souk_stock_place place = {1, souk_text_of(location), souk_text_of(product)};
    souk_err err = souk_levels_read(stock->levels, &place, &level);
    SOUK_CHECK(err == SOUK_OK || err == SOUK_ENOENT);
    return level;
}

#endif
