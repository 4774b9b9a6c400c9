/* ledger_watch_test.c - numbers in memory that go with the writer's transactions equal the rows, whoever failed. */
#include "test/test.h"

#include "store/ledger_shop.h"

enum { PLACES = 4, JOBS = 24, UNDO_MOST = 4 * JOBS };

/* What a watcher keeps: the numbers, and the way back. */
struct tally {
    souk_watch watch;
    int64_t now[PLACES];
    struct {
        unsigned place;
        int64_t before;
    } undo[UNDO_MOST];
    size_t undo_count, mark;
    unsigned undone, ended;
    bool unsupported;
    bool deaf; /* the planted fault: it does not hear that a job was undone */
};

static void go_back(struct tally *tally, size_t to)
{
    while (tally->undo_count > to) {
        tally->undo_count--;
        tally->now[tally->undo[tally->undo_count].place] = tally->undo[tally->undo_count].before;
    }
}

static void mark(souk_watch *watch)
{
    struct tally *tally = SOUK_JOB_OWNER(watch, struct tally, watch);
    tally->mark = tally->undo_count;
}

static void undo(souk_watch *watch)
{
    struct tally *tally = SOUK_JOB_OWNER(watch, struct tally, watch);
    tally->undone++;
    if (!tally->deaf)
        go_back(tally, tally->mark);
}

static void end(souk_watch *watch, bool committed)
{
    struct tally *tally = SOUK_JOB_OWNER(watch, struct tally, watch);
    tally->ended++;
    if (!committed)
        go_back(tally, 0);
    tally->undo_count = tally->mark = 0;
}

struct step {
    souk_job job;
    struct tally *tally;
    unsigned place;
    int64_t amount;
    const char *sql; /* behind the change; NULL: nothing */
    souk_err answer, err;
};

static souk_err apply(souk_tx *tx, souk_job *job)
{
    struct step *step = SOUK_JOB_OWNER(job, struct step, job);
    struct tally *tally = step->tally;
    souk_assert(tally->undo_count < UNDO_MOST);
    tally->undo[tally->undo_count].place = step->place;
    tally->undo[tally->undo_count++].before = tally->now[step->place];
    tally->now[step->place] += step->amount;
    SOUK_TRY(souk_sql_run(tx, "UPDATE item SET stock = stock + ?2 WHERE id = ?1",
                          SOUK_VALUES(SOUK_INT(step->place), SOUK_INT(step->amount))));
    if (step->sql)
        SOUK_TRY(souk_sql_script(tx, step->sql));
    return step->answer;
}

static void after(souk_job *job, souk_err err)
{
    SOUK_JOB_OWNER(job, struct step, job)->err = err;
}

static struct step random_step(souk_test *test, struct tally *tally)
{
    struct step step = {.job = {.lane = (enum souk_lane)test_random(test, SOUK_LANE_COUNT),
                                .may_fail = test_random(test, 2),
                                .apply = apply,
                                .after = after},
                        .tally = tally,
                        .place = (unsigned)test_random(test, PLACES),
                        .amount = (int64_t)test_random(test, 100)};
    switch (test_random(test, 12)) {
    case 0:
        step.answer = SOUK_ECONFLICT;
        break;
    case 1: /* a statement fails */
        step.sql = "UPDATE item SET stock = -1 WHERE id = 0";
        break;
    case 2: /* the commit fails */
        step.sql = "INSERT INTO debt (item) VALUES (77)";
        break;
    default:
        break;
    }
    return step;
}

static void run_group(souk_test *test, struct shop *shop, struct tally *tally)
{
    struct step steps[JOBS];
    souk_ledger_hold(shop->ledger);
    for (size_t i = 0; i < JOBS; i++) {
        steps[i] = random_step(test, tally);
        SOUK_MUST(souk_ledger_submit(shop->ledger, &steps[i].job));
    }
    souk_ledger_release(shop->ledger);
    SOUK_MUST(souk_ledger_write(shop->ledger, SOUK_LANE_JOB, nothing, NULL)); /* behind them all */
}

static bool is_same(souk_test *test, struct shop *shop, const struct tally *tally)
{
    static const char *const sql[PLACES] = {
        "SELECT stock FROM item WHERE id = 0", "SELECT stock FROM item WHERE id = 1",
        "SELECT stock FROM item WHERE id = 2", "SELECT stock FROM item WHERE id = 3"};
    bool same = true;
    for (unsigned i = 0; i < PLACES; i++)
        same &= ask(test, shop, sql[i]) == tally->now[i];
    return same;
}

static bool run_rounds(souk_test *test, struct shop *shop, struct tally *tally, unsigned rounds)
{
    tally->watch = (souk_watch){.mark = mark, .undo = undo, .end = end};
    souk_err err = souk_ledger_watch(shop->ledger, &tally->watch);
    tally->unsupported = err == SOUK_EUNSUPPORTED;
    if (tally->unsupported)
        return true;
    SOUK_MUST(err);
    must_sql(test, shop,
             "INSERT INTO item (id, name, stock) VALUES (0, 'a', 0), (1, 'b', 0), (2, 'c', 0),"
             " (3, 'd', 0);"
             "CREATE TABLE debt (item INTEGER REFERENCES item (id) DEFERRABLE INITIALLY DEFERRED)");
    for (unsigned round = 0; round < rounds; round++)
        run_group(test, shop, tally);
    souk_ledger_unwatch(shop->ledger, &tally->watch);
    return is_same(test, shop, tally);
}

SOUK_TEST(
    "numbers in memory that follow the writer equal the rows, through failed jobs and commits")
{
    EACH_SHOP(shop, .slice_us = 10000000)
    {
        struct tally tally = {.ended = 0};
        SOUK_CHECK(run_rounds(test, &shop, &tally, 20));
        SOUK_CHECK(tally.unsupported || (tally.undone > 0 && tally.ended >= 20));
    }
}

SOUK_TEST("the same harness notices a watcher that misses an undo")
{
    EACH_SHOP(shop, .slice_us = 10000000)
    {
        struct tally tally = {.deaf = true};
        SOUK_CHECK(!run_rounds(test, &shop, &tally, 20) || tally.unsupported);
    }
}
