/* points_model_test.c - random histories of points against a model that moves one point at a time. */
#include "test/test.h"

#include "store/ledger_shop.h"

#include "service/loyalty/points_rig.h"

enum { PURSES = 5, LOTS = 400, TAKEN = 20000, RECEIPTS = 400, STEPS = 150 };

/* ---- the model ------------------------------------------------------------------------------------------- */

struct model_lot {
    unsigned purse;
    int64_t points, rest, dead; /* dead: expired, and passed over when it came to life again */
    souk_time expires;
    uint64_t receipt; /* 0: by hand */
    int64_t back;     /* quantity that came back, of 4 */
};
struct model_taken { /* one point that a receipt burnt */
    uint64_t receipt;
    unsigned lot;
    bool given;
};
struct model {
    struct model_lot lots[LOTS];
    unsigned lot_count;
    struct model_taken taken[TAKEN];
    unsigned taken_count;
    int64_t owed[PURSES];
    int64_t month_burned; /* by the member, of the pot */
    souk_time now;
    bool burned[RECEIPTS];
};

static const souk_purse purses[PURSES] = {{SOUK_PURSE_ATOM, 7},
                                          {SOUK_PURSE_ATOM, 3},
                                          {SOUK_PURSE_ATOM, 12},
                                          {SOUK_PURSE_FAMILY, 1},
                                          {SOUK_PURSE_ATOM, 40}};

static bool is_open(const struct model *model, unsigned lot)
{
    return model->lots[lot].rest > 0 && model->lots[lot].expires > model->now;
}

/* The lot that is next to be burnt of the purses in the mask; LOTS: none. */
static unsigned next_of(const struct model *model, unsigned mask)
{
    unsigned best = LOTS;
    for (unsigned i = 0; i < model->lot_count; i++)
        if ((mask >> model->lots[i].purse & 1) && is_open(model, i) &&
            (best == LOTS || model->lots[i].expires < model->lots[best].expires))
            best = i;
    return best;
}

static int64_t model_balance(const struct model *model, unsigned mask)
{
    int64_t points = 0;
    for (unsigned i = 0; i < model->lot_count; i++)
        if ((mask >> model->lots[i].purse & 1) && is_open(model, i))
            points += model->lots[i].rest;
    return points;
}

static void model_settle(struct model *model, unsigned purse)
{
    for (unsigned lot; model->owed[purse] > 0 && (lot = next_of(model, 1u << purse)) < LOTS;) {
        model->lots[lot].rest--;
        model->owed[purse]--;
    }
}

static void model_earn(struct model *model, unsigned purse, uint64_t receipt, int64_t points,
                       souk_time expires)
{
    model->lots[model->lot_count++] = (struct model_lot){
        .purse = purse, .points = points, .rest = points, .expires = expires, .receipt = receipt};
    model_settle(model, purse);
}

static bool model_burn(struct model *model, unsigned mask, uint64_t receipt, int64_t points)
{
    if (model_balance(model, mask) < points)
        return false;
    for (; points > 0; points--) {
        unsigned lot = next_of(model, mask);
        model->lots[lot].rest--;
        if (receipt)
            model->taken[model->taken_count++] = (struct model_taken){receipt, lot, false};
    }
    return true;
}

static unsigned last_taken(const struct model *model, uint64_t receipt)
{
    unsigned best = TAKEN;
    for (unsigned i = 0; i < model->taken_count; i++) {
        const struct model_taken *taken = &model->taken[i];
        if (taken->receipt != receipt || taken->given)
            continue;
        if (best == TAKEN ||
            model->lots[taken->lot].expires > model->lots[model->taken[best].lot].expires ||
            (model->lots[taken->lot].expires == model->lots[model->taken[best].lot].expires &&
             taken->lot >= model->taken[best].lot))
            best = i;
    }
    return best;
}

static bool model_give(struct model *model, uint64_t receipt, int64_t points, int64_t grace)
{
    struct model before = *model;
    unsigned goes[64];
    int count = 0;
    for (; points > 0; points--) {
        unsigned taken = last_taken(model, receipt);
        if (taken == TAKEN) {
            *model = before;
            return false;
        }
        model->taken[taken].given = true;
        goes[count++] = model->taken[taken].lot;
    }
    for (int i = 0; i < count; i++) {
        struct model_lot *lot = &model->lots[goes[i]];
        if (lot->expires <= model->now) {
            lot->dead += lot->rest;
            lot->rest = 0;
            lot->expires = model->now + grace;
        }
        lot->rest++;
    }
    for (unsigned purse = 0; purse < PURSES; purse++)
        model_settle(model, purse);
    return true;
}

static void model_claw_one(struct model *model, unsigned own, int64_t debt_most, int64_t *forgiven)
{
    struct model_lot *lot = &model->lots[own];
    unsigned other = next_of(model, 1u << lot->purse);
    if (lot->dead > 0)
        lot->dead--;
    else if (lot->rest > 0)
        lot->rest--;
    else if (other < LOTS)
        model->lots[other].rest--;
    else if (model->owed[lot->purse] < debt_most)
        model->owed[lot->purse]++;
    else
        ++*forgiven;
}

static bool model_claw(struct model *model, uint64_t receipt, int64_t quantity, int64_t debt_most,
                       int64_t *forgiven)
{
    for (unsigned i = 0; i < model->lot_count; i++) {
        struct model_lot *lot = &model->lots[i];
        if (lot->receipt != receipt)
            continue;
        if (lot->back + quantity > 4)
            return false;
        int64_t points = lot->points * (lot->back + quantity) / 4 - lot->points * lot->back / 4;
        lot->back += quantity;
        for (; points > 0; points--)
            model_claw_one(model, i, debt_most, forgiven);
    }
    return true;
}

/* ---- random histories ----------------------------------------------------------------------------------------- */

struct history {
    souk_test *test;
    struct shop *shop;
    struct model *model;
    uint64_t receipt;
    unsigned done, refused;
    bool naive_fell; /* the planted sum went wrong */
};

static void check_purse(struct history *history, unsigned mask)
{
    souk_test *test = history->test;
    souk_purse some[PURSES];
    size_t count = 0;
    int64_t owed = 0;
    for (unsigned i = 0; i < PURSES; i++)
        if (mask >> i & 1) {
            some[count++] = purses[i];
            owed += history->model->owed[i];
        }
    souk_points_balance balance = balance_of(test, history->shop, some, count, history->model->now);
    SOUK_CHECK(balance.points == model_balance(history->model, mask));
    SOUK_CHECK(balance.owed == owed);
    unsigned next = next_of(history->model, mask);
    SOUK_CHECK(balance.next_expires ==
               (next < LOTS ? history->model->lots[next].expires : SOUK_TIME_LAST));
}

/* What FloCafe#78 did: what was earned and has not expired, less all that was ever burnt. */
static void check_naive(struct history *history)
{
    int64_t naive = 0, points = 0;
    for (unsigned i = 0; i < history->model->lot_count; i++) {
        const struct model_lot *lot = &history->model->lots[i];
        naive += lot->expires > history->model->now ? lot->points : 0;
        points += is_open(history->model, i) ? lot->rest : 0;
    }
    for (unsigned i = 0; i < history->model->taken_count; i++)
        naive -= !history->model->taken[i].given;
    history->naive_fell |= naive < points - 20;
}

static unsigned random_mask(souk_test *test)
{
    return 1 + (unsigned)test_random(test, (1u << PURSES) - 1);
}

static size_t purses_of(unsigned mask, souk_purse *ret_purses)
{
    size_t count = 0;
    for (unsigned i = 0; i < PURSES; i++)
        if (mask >> i & 1)
            ret_purses[count++] = purses[PURSES - 1 - i]; /* in any order */
    return count;
}

static unsigned turned(unsigned mask)
{
    unsigned other = 0;
    for (unsigned i = 0; i < PURSES; i++)
        other |= (mask >> i & 1) << (PURSES - 1 - i);
    return other;
}

static void step_earn(struct history *history)
{
    souk_test *test = history->test;
    unsigned purse = (unsigned)test_random(test, PURSES);
    int64_t points = 1 + (int64_t)test_random(test, 30);
    souk_time expires = test_random(test, 5)
                            ? history->model->now + (int64_t)test_random(test, 40) * RIG_DAY
                            : SOUK_TIME_LAST;
    SOUK_MUST(earn_points(history->shop, purses[purse], history->receipt, points,
                          history->model->now, expires));
    model_earn(history->model, purse, history->receipt++, points, expires);
}

static void step_burn(struct history *history)
{
    souk_test *test = history->test;
    unsigned mask = test_random(test, 2) ? 1u << test_random(test, PURSES) : random_mask(test);
    int64_t points = 1 + (int64_t)test_random(test, 40);
    souk_purse some[PURSES];
    size_t count = purses_of(mask, some);
    souk_err err = burn_points(history->shop, some, count, history->receipt, points,
                               history->model->now, NULL);
    bool takes = model_burn(history->model, turned(mask), history->receipt, points);
    SOUK_CHECK(err == (takes ? SOUK_OK : SOUK_ECONFLICT));
    history->model->burned[history->receipt % RECEIPTS] = takes;
    history->receipt++;
    history->done += takes;
    history->refused += !takes;
}

static void step_give(struct history *history)
{
    souk_test *test = history->test;
    uint64_t receipt = 1 + test_random(test, history->receipt);
    int64_t points = 1 + (int64_t)test_random(test, 20);
    int64_t grace = (int64_t)test_random(test, 3) * 7 * RIG_DAY;
    souk_err err = give_points(history->shop, receipt, points, history->model->now, grace, NULL);
    bool takes = model_give(history->model, receipt, points, grace);
    SOUK_CHECK(err == (takes ? SOUK_OK : SOUK_ECONFLICT));
}

static void step_claw(struct history *history)
{
    souk_test *test = history->test;
    uint64_t receipt = 1 + test_random(test, history->receipt);
    int64_t quantity = 1 + (int64_t)test_random(test, 4), debt = 25, told, forgiven = 0;
    souk_err err =
        claw_points(history->shop, receipt, quantity, 4, history->model->now, debt, &told, NULL);
    bool takes = model_claw(history->model, receipt, quantity, debt, &forgiven);
    SOUK_CHECK(err == (takes ? SOUK_OK : SOUK_ECONFLICT));
    SOUK_CHECK(told == forgiven || !takes);
}

static void step_adjust(struct history *history)
{
    souk_test *test = history->test;
    unsigned purse = (unsigned)test_random(test, PURSES);
    int64_t points = (int64_t)test_random(test, 41) - 20;
    souk_points_act act = {.kind = SOUK_POINTS_ADJUSTED,
                           .purses = &purses[purse],
                           .purse_count = 1,
                           .at = history->model->now,
                           .expires = history->model->now + 20 * RIG_DAY,
                           .reason = SOUK_TEXT("a kettle leaked"),
                           .by = SOUK_TEXT("ann")};
    souk_err err = points_do(history->shop, &act, &points, 1, NULL);
    bool takes = points >= 0 || model_burn(history->model, 1u << purse, 0, -points);
    if (points > 0)
        model_earn(history->model, purse, 0, points, act.expires);
    SOUK_CHECK(err == (takes ? SOUK_OK : SOUK_ECONFLICT));
}

static void step(struct history *history)
{
    souk_test *test = history->test;
    history->model->now += (int64_t)test_random(test, 3 * SOUK_DAY_MS / 2);
    switch (test_random(test, 9)) {
    case 0:
    case 1:
    case 2:
        step_earn(history);
        break;
    case 3:
    case 4:
        step_burn(history);
        break;
    case 5:
        step_give(history);
        break;
    case 6:
        step_claw(history);
        break;
    case 7:
        step_adjust(history);
        break;
    default: /* the job comes by when it likes */
        SOUK_MUST(expire_points(history->shop, history->model->now));
    }
    for (unsigned i = 0; i < PURSES; i++)
        check_purse(history, 1u << i);
    check_purse(history, random_mask(test));
    check_naive(history);
    souk_diag diag = {0};
    if (souk_points_verify(history->shop->ledger, &diag))
        test_fail(test, __FILE__, __LINE__, "%s", diag.words);
}

SOUK_TEST(
    "random histories of points equal a model that moves one point at a time, at every commit")
{
    unsigned done = 0, refused = 0;
    bool naive_fell = false;
    EACH_BANK(shop, .readers = 1)
    {
        struct model *model = souk_mem_get(souk_mem_heap(), sizeof *model);
        SOUK_CHECK(model != NULL);
        model->now = RIG_NOW;
        struct history history = {.test = test, .shop = &shop, .model = model, .receipt = 1};
        for (int i = 0; i < STEPS; i++)
            step(&history);
        done += history.done;
        refused += history.refused;
        naive_fell |= history.naive_fell;
        souk_mem_put(souk_mem_heap(), model);
    }
    SOUK_CHECK(done > 10 && refused > 5);
    /* Planted: a balance from which an expired lot drops out while what was burnt of it stays, as many count it. */
    SOUK_CHECK(naive_fell);
}
