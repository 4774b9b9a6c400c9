/* levels_rig.h - for tests of stock: levels kept in memory and in rows, on every ledger.  Stands after test/test.h. */
#ifndef SOUK_SERVICE_STOCK_LEVELS_RIG_H
#define SOUK_SERVICE_STOCK_LEVELS_RIG_H

#include "service/stock/levels_inside.h"
#include "store/ledger_shop.h"

static const souk_hash_key test_key = {"sixteen bytes .."};

/* Each ledger, with levels in memory where it can, and in rows. */
#define EACH_LEVELS(shop, levels, ...)                                             \
    EACH_SHOP(shop, __VA_ARGS__)                                                   \
    for (int levels##_way = 0; levels##_way < 2; levels##_way++)                   \
        for (souk_levels *levels = open_levels(test, &shop, levels##_way); levels; \
             souk_levels_free(souk_take(&levels)))

static inline souk_levels *open_levels(souk_test *test, struct shop *shop, int rows_alone)
{
    souk_levels *levels = NULL;
    SOUK_MUST(levels_open_as(test->mem, shop->ledger, &test_key, rows_alone, &levels, NULL));
    if (rows_alone) /* of the same ledger as before: from the beginning */
        must_sql(test, shop,
                 "DELETE FROM stock_level; DELETE FROM stock_movement; DELETE FROM stock_lot; "
                 "UPDATE stock_mark SET through = 0");
    return levels;
}

struct moving {
    souk_levels *levels;
    const souk_movement *movements;
    size_t count;
    souk_stock_level after;
    souk_err answer; /* of the closure, behind its movements */
};

static inline souk_err move_all(souk_tx *tx, void *context)
{
    struct moving *moving = context;
    for (size_t i = 0; i < moving->count; i++)
        SOUK_TRY(souk_levels_move(moving->levels, tx, &moving->movements[i], &moving->after));
    return moving->answer;
}

static inline souk_err move_one(struct shop *shop, souk_levels *levels,
                                const souk_movement *movement, souk_stock_level *ret_after)
{
    struct moving moving = {.levels = levels, .movements = movement, .count = 1};
    souk_err err = souk_ledger_write(shop->ledger, SOUK_LANE_TILL, move_all, &moving);
    *ret_after = moving.after;
    return err;
}

#endif
