/* levels_lots_test.c - lots against a plain model: named, taken in the order in which they expire, counted, never more
 * than the level. */
#include "test/test.h"

#include "service/stock/levels_rig.h"

enum { LOTS = 4, DAY = 86400000 };

static const char *const lot_names[LOTS] = {"A", "B", "C", "D"};
static const souk_time noon = 1767268800000;

struct lots_model {
    bool is_there, known[LOTS];
    int64_t on_hand, expires[LOTS], lots[LOTS];
};

static souk_movement lots_movement(int64_t on_hand, int lot, souk_time expires)
{
    return (souk_movement){.place = {1, SOUK_TEXT("SH-014"), SOUK_TEXT("milk")},
                           .kind = on_hand < 0 ? SOUK_MOVE_SALE : SOUK_MOVE_RECEIVED,
                           .on_hand = {on_hand},
                           .lot = lot < 0 ? SOUK_TEXT("") : souk_text_of(lot_names[lot]),
                           .expires = expires,
                           .at = noon};
}

static int64_t model_sum(const struct lots_model *model)
{
    int64_t sum = 0;
    for (int i = 0; i < LOTS; i++)
        sum += model->lots[i];
    return sum;
}

/* The lot that expires first, then the one whose day nobody told. */
static int model_oldest(const struct lots_model *model)
{
    int oldest = -1;
    for (int i = 0; i < LOTS; i++) {
        souk_time day = model->expires[i] ? model->expires[i] : INT64_MAX;
        if (model->lots[i] > 0 &&
            (oldest < 0 || day < (model->expires[oldest] ? model->expires[oldest] : INT64_MAX)))
            oldest = i;
    }
    return oldest;
}

static souk_err model_put(struct lots_model *model, const souk_movement *movement, int lot)
{
    model->on_hand += movement->on_hand.micro;
    if (lot < 0 || movement->on_hand.micro == 0)
        return SOUK_OK;
    if (model->known[lot] && movement->expires && model->expires[lot] &&
        movement->expires != model->expires[lot])
        return SOUK_EEXIST;
    int64_t room = model->on_hand - model_sum(model);
    room = room < 0 ? 0 : room;
    model->lots[lot] += room < movement->on_hand.micro ? room : movement->on_hand.micro;
    model->known[lot] = true;
    if (movement->expires)
        model->expires[lot] = movement->expires;
    return SOUK_OK;
}

static souk_err model_take(struct lots_model *model, const souk_movement *movement, int lot)
{
    int64_t quantity = -movement->on_hand.micro;
    model->on_hand -= quantity;
    if (!movement->beyond && (model->on_hand < 0 || (lot >= 0 && model->lots[lot] < quantity)))
        return SOUK_ECONFLICT;
    for (; quantity > 0; quantity--) { /* piece by piece, as plainly as it can be said */
        int from = lot >= 0 && model->lots[lot] > 0 ? lot : model_oldest(model);
        if (from >= 0)
            model->lots[from]--;
    }
    return SOUK_OK;
}

static souk_err model_moves(struct lots_model *model, const souk_movement *movement, int lot)
{
    struct lots_model before = *model;
    if (!model->is_there && !movement->opens)
        return SOUK_ENOENT;
    model->is_there = true;
    souk_err err = movement->on_hand.micro < 0 ? model_take(model, movement, lot)
                                               : model_put(model, movement, lot);
    if (err)
        *model = before;
    return err;
}

struct lots_seen {
    souk_test *test;
    const struct lots_model *model;
    int64_t sum;
    souk_time last;
};

static souk_err check_lot(void *context, souk_text lot, souk_time expires, souk_decimal on_hand)
{
    struct lots_seen *seen = context;
    souk_test *test = seen->test;
    int number = lot.at[0] - 'A';
    SOUK_CHECK(on_hand.micro == seen->model->lots[number]);
    SOUK_CHECK(expires == seen->model->expires[number]);
    SOUK_CHECK((expires ? expires : INT64_MAX) >= seen->last);
    seen->last = expires ? expires : INT64_MAX;
    seen->sum += on_hand.micro;
    return SOUK_OK;
}

static void check_lots(souk_test *test, souk_levels *levels, const struct lots_model *model)
{
    souk_movement movement = lots_movement(0, -1, 0);
    souk_stock_level level;
    struct lots_seen seen = {test, model, 0, 0};
    if (souk_levels_read(levels, &movement.place, &level))
        return;
    SOUK_CHECK(level.on_hand.micro == model->on_hand);
    SOUK_MUST(souk_levels_lots(levels, level.id, 100, check_lot, &seen));
    SOUK_CHECK(seen.sum == model_sum(model));
    SOUK_MUST(souk_levels_verify(levels, NULL));
}

static void one_move(souk_test *test, struct shop *shop, souk_levels *levels,
                     struct lots_model *model)
{
    int lot = (int)test_random(test, LOTS + 1) - 1;
    int64_t quantity = (int64_t)test_random(test, 11) - 5;
    souk_time expires = test_random(test, 8) ? noon + (LOTS - lot) * DAY : noon + 99 * (int64_t)DAY;
    souk_movement movement =
        lots_movement(quantity, lot, lot == 3 || test_random(test, 4) == 0 ? 0 : expires);
    movement.opens = test_random(test, 3) > 0;
    movement.beyond = test_random(test, 3) == 0;
    struct moving moving = {.levels = levels, .movements = &movement, .count = 1};
    moving.answer = test_random(test, 8) ? SOUK_OK : SOUK_EDENIED; /* undone behind the move */
    struct lots_model before = *model;
    souk_err expected = model_moves(model, &movement, lot);
    if (!expected && moving.answer) {
        *model = before;
        expected = SOUK_EDENIED;
    }
    SOUK_CHECK_ERR(souk_ledger_write(shop->ledger, SOUK_LANE_TILL, move_all, &moving), expected);
}

SOUK_TEST("lots are taken in the order in which they expire, and equal a plain model")
{
    EACH_LEVELS(shop, levels, .readers = 2)
    {
        struct lots_model model = {.on_hand = 0};
        for (int i = 0; i < 400; i++) {
            bool more;
            one_move(test, &shop, levels, &model);
            if (i % 25 == 0)
                check_lots(test, levels, &model);
            if (i % 40 == 0)
                SOUK_MUST(souk_levels_keep(levels, 9, &more));
        }
        check_lots(test, levels, &model);
    }
}

SOUK_TEST("levels know after a restart that they have lots, even where the first one was undone")
{
    EACH_SHOP(shop, .readers = 2)
    {
        struct lots_model model = {.on_hand = 0};
        for (int life = 0; life < 12; life++) {
            souk_auto(souk_levels) levels = open_levels(test, &shop, false);
            for (int i = 0; i < 12; i++)
                one_move(test, &shop, levels, &model);
            check_lots(test, levels, &model);
        }
    }
}

struct counting {
    souk_levels *levels;
    souk_movement count;
    souk_time at;
    souk_decimal difference;
    souk_stock_level after;
};

static souk_err count_closure(souk_tx *tx, void *context)
{
    struct counting *my = context;
    return souk_levels_counted(my->levels, tx, &my->count, my->at, &my->difference, &my->after);
}

static int64_t counted(souk_test *test, struct shop *shop, souk_levels *levels, int64_t quantity,
                       int lot, souk_time at)
{
    struct counting my = {.levels = levels, .count = lots_movement(quantity, lot, 0), .at = at};
    my.count.kind = SOUK_MOVE_COUNTED;
    my.count.at = noon + 5 * 3600000;
    my.count.opens = true;
    SOUK_MUST(souk_ledger_write(shop->ledger, SOUK_LANE_TILL, count_closure, &my));
    return my.difference.micro;
}

SOUK_TEST("a count is of its moment: what moved since then still counts")
{
    EACH_LEVELS(shop, levels, .readers = 1)
    {
        souk_stock_level after;
        SOUK_CHECK(counted(test, &shop, levels, 10, -1, INT64_MAX) == 10); /* it opens a level */
        souk_movement sale = lots_movement(-3, -1, 0);
        sale.at = noon + 6 * 3600000;
        SOUK_MUST(move_one(&shop, levels, &sale, &after));
        /* 9 were counted before those 3 were sold: one is missing, and 6 are there now */
        struct counting my = {.levels = levels, .at = noon + 5 * 3600000 + 1};
        my.count = lots_movement(9, -1, 0);
        my.count.at = noon + 7 * 3600000;
        SOUK_MUST(souk_ledger_write(shop.ledger, SOUK_LANE_TILL, count_closure, &my));
        SOUK_CHECK(my.difference.micro == -1 && my.after.on_hand.micro == 6);
        souk_movement milk = lots_movement(4, 1, noon + DAY);
        SOUK_MUST(move_one(&shop, levels, &milk, &after));
        SOUK_CHECK(counted(test, &shop, levels, 3, 1, INT64_MAX) == -1);  /* of lot B alone */
        SOUK_CHECK(counted(test, &shop, levels, 2, -1, INT64_MAX) == -7); /* B goes first */
        check_lots(
            test, levels,
            &(struct lots_model){.is_there = true, .on_hand = 2, .expires = {0, noon + DAY}});
    }
}

SOUK_TEST("a count of a moment since which hundreds of sales were made is refused")
{
    EACH_LEVELS(shop, levels, .readers = 1)
    {
        souk_stock_level after;
        souk_movement milk = lots_movement(1000, -1, 0), sale = lots_movement(-1, -1, 0);
        struct counting my = {.levels = levels, .count = lots_movement(9, -1, 0), .at = noon - 1};
        souk_movement sales[255];
        struct moving moving = {.levels = levels, .movements = sales, .count = 255};
        for (int i = 0; i < 255; i++)
            sales[i] = sale;
        milk.opens = true;
        my.count.at = noon + 1;
        SOUK_MUST(move_one(&shop, levels, &milk, &after));
        SOUK_MUST(souk_ledger_write(shop.ledger, SOUK_LANE_TILL, move_all, &moving));
        SOUK_CHECK_ERR(souk_ledger_write(shop.ledger, SOUK_LANE_TILL, count_closure, &my),
                       SOUK_ETOOBIG);
        SOUK_MUST(souk_levels_verify(levels, NULL));
    }
}

SOUK_TEST("verify notices a lot that is not the sum of its movements")
{
    EACH_LEVELS(shop, levels, .readers = 1)
    {
        souk_stock_level after;
        souk_diag diag = {0};
        souk_movement milk = lots_movement(4, 1, noon + DAY);
        milk.opens = true;
        SOUK_MUST(move_one(&shop, levels, &milk, &after));
        must_sql(test, &shop, "UPDATE stock_lot SET on_hand = on_hand - 1");
        SOUK_CHECK_ERR(souk_levels_verify(levels, &diag), SOUK_ECORRUPT);
        SOUK_CHECK(strstr(diag.words, "lot B of milk at SH-014"));
        must_sql(test, &shop, "UPDATE stock_lot SET on_hand = on_hand + 1");
        SOUK_MUST(souk_levels_verify(levels, NULL));
    }
}
