/* ledger_group_test.c - the contract of ledger.h on every arrangement: lanes, groups, who is guilty, the end. */
#include "test/test.h"

#include "os/thread.h"
#include "store/ledger_shop.h"

enum { STEPS = 64 };
static souk_mutex diary_lock = SOUK_MUTEX_INIT; /* tills may end in several threads */
struct diary {
    int order[STEPS];
    size_t count;
};

/* A job that writes its number, and what it is to do besides. */
struct step {
    souk_job job;
    int number;
    const char *sql;     /* after the insert; NULL: nothing */
    souk_err answer;     /* of the closure itself */
    int retries;         /* answers SOUK_ERETRY this often first */
    struct diary *diary; /* the order of `after` */
    souk_err err;
    int afters;
};

static souk_err step_apply(souk_tx *tx, souk_job *job)
{
    struct step *step = SOUK_JOB_OWNER(job, struct step, job);
    SOUK_TRY(
        souk_sql_run(tx, "INSERT INTO item (id) VALUES (?1)", SOUK_VALUES(SOUK_INT(step->number))));
    if (step->sql)
        SOUK_TRY(souk_sql_script(tx, step->sql));
    if (step->retries > 0) {
        step->retries--;
        return SOUK_ERETRY;
    }
    return step->answer;
}

static void step_after(souk_job *job, souk_err err)
{
    struct step *step = SOUK_JOB_OWNER(job, struct step, job);
    souk_auto_lock(&diary_lock);
    step->err = err;
    step->afters++;
    step->diary->order[step->diary->count++] = step->number;
}

static struct step step_of(int number, enum souk_lane lane, struct diary *diary)
{
    return (struct step){.job = {.lane = lane, .apply = step_apply, .after = step_after},
                         .number = number,
                         .diary = diary};
}

static size_t count_of(struct diary *diary)
{
    souk_auto_lock(&diary_lock);
    return diary->count;
}

/* Until so many are answered: those of the writer's lanes stand before a job, tills stand beside it. */
static void wait_for(souk_test *test, struct shop *shop, struct diary *diary, size_t count)
{
    do
        SOUK_MUST(souk_ledger_write(shop->ledger, SOUK_LANE_JOB, nothing, NULL));
    while (shop->how->postgres && count_of(diary) < count);
}

/* All of them as one group; returns when they are answered. */
static void run_steps(souk_test *test, struct shop *shop, struct step *steps, size_t count)
{
    size_t before = count_of(steps[0].diary);
    souk_ledger_hold(shop->ledger);
    for (size_t i = 0; i < count; i++)
        SOUK_MUST(souk_ledger_submit(shop->ledger, &steps[i].job));
    souk_ledger_release(shop->ledger);
    wait_for(test, shop, steps[0].diary, before + count);
    for (size_t i = 0; i < count; i++)
        SOUK_CHECK(steps[i].afters == 1);
}

/* Whether those of the order that are among the wanted came in their order. */
static bool came_in_order(const struct diary *diary, const int *wanted, size_t count)
{
    size_t met = 0;
    for (size_t i = 0; i < diary->count; i++)
        met += met < count && diary->order[i] == wanted[met];
    return met == count;
}

SOUK_TEST("tills go before events and events before jobs, each in the order of submission")
{
    EACH_SHOP(shop, .slice_us = 10000000)
    {
        struct diary diary = {0};
        struct step steps[] = {
            step_of(1, SOUK_LANE_JOB, &diary),    step_of(2, SOUK_LANE_INGEST, &diary),
            step_of(3, SOUK_LANE_JOB, &diary),    step_of(4, SOUK_LANE_TILL, &diary),
            step_of(5, SOUK_LANE_INGEST, &diary), step_of(6, SOUK_LANE_TILL, &diary)};
        souk_ledger_counters before, after;
        souk_ledger_count(shop.ledger, &before);
        run_steps(test, &shop, steps, 6);
        souk_ledger_count(shop.ledger, &after);
        static const int order[] = {4, 6, 2, 5, 1, 3};
        if (shop.how->postgres) { /* tills go beside the others, each on a connection of its own */
            SOUK_CHECK(came_in_order(&diary, order + 2, 4) && diary.count == 6);
            SOUK_CHECK(after.jobs - before.jobs >= 7);
        } else {
            SOUK_CHECK(came_in_order(&diary, order, 6));
            SOUK_CHECK(after.jobs - before.jobs == 7);
            SOUK_CHECK(after.groups - before.groups <= 2); /* six jobs cost one sync */
            SOUK_CHECK(after.written_bytes > before.written_bytes);
        }
        SOUK_CHECK(after.commit_p50_us <= after.commit_p99_us);
    }
}

static void check_one_guilty(souk_test *test, struct shop *shop, const char *sql, souk_err answer,
                             souk_err expected, bool may_fail)
{
    must_sql(test, shop, "DELETE FROM item WHERE id > 0");
    struct diary diary = {0};
    struct step steps[8];
    for (int i = 0; i < 8; i++)
        steps[i] = step_of(i + 1, SOUK_LANE_INGEST, &diary);
    steps[5].sql = sql;
    steps[5].answer = answer;
    steps[5].job.may_fail = may_fail;
    run_steps(test, shop, steps, 8);
    for (int i = 0; i < 8; i++)
        SOUK_CHECK_ERR(steps[i].err, i == 5 ? expected : SOUK_OK);
    for (int i = 0; i < 8; i++)
        SOUK_CHECK(diary.order[i] == i + 1);
    SOUK_CHECK(ask(test, shop, "SELECT count(*) FROM item WHERE id > 0") == 7);
    SOUK_CHECK(ask(test, shop, "SELECT count(*) FROM item WHERE id = 6") == 0);
}

SOUK_TEST("of a group only the guilty job gets its error and leaves no trace, the others commit")
{
    EACH_SHOP(shop, .slice_us = 10000000)
    {
        must_sql(
            test, &shop,
            "CREATE TABLE debt (item INTEGER REFERENCES item (id) DEFERRABLE INITIALLY DEFERRED)");
        for (int may_fail = 0; may_fail < 2; may_fail++) {
            check_one_guilty(test, &shop, NULL, SOUK_EDENIED, SOUK_EDENIED, may_fail);
            check_one_guilty(test, &shop, "INSERT INTO item (id) VALUES (6)", SOUK_OK, SOUK_EEXIST,
                             may_fail);
            if (!shop.how->postgres) /* takes the whole transaction with it */
                check_one_guilty(test, &shop, "INSERT OR ROLLBACK INTO item (id) VALUES (6)",
                                 SOUK_OK, SOUK_EEXIST, may_fail);
            check_one_guilty(test, &shop, "INSERT INTO debt VALUES (77)", SOUK_OK, SOUK_ECONFLICT,
                             may_fail); /* seen only by the commit */
        }
        souk_ledger_counters counters;
        souk_ledger_count(shop.ledger, &counters);
        uint64_t refusals = shop.how->postgres ? 6 : 8;
        SOUK_CHECK(counters.refused_jobs == refusals);
        SOUK_CHECK(counters.rerun_groups >= 4 && counters.rerun_groups <= refusals);
    }
}

SOUK_TEST("a job that asks to be run again is run again and counts once, but not for ever")
{
    EACH_SHOP(shop, .slice_us = 10000000)
    {
        struct diary diary = {0};
        struct step steps[] = {step_of(1, SOUK_LANE_TILL, &diary),
                               step_of(2, SOUK_LANE_TILL, &diary),
                               step_of(3, SOUK_LANE_TILL, &diary)};
        steps[1].retries = 4;
        steps[2].retries = 1000;
        steps[2].job.may_fail = true;
        run_steps(test, &shop, steps, 3);
        SOUK_CHECK_ERR(steps[0].err, SOUK_OK);
        SOUK_CHECK_ERR(steps[1].err, SOUK_OK);
        SOUK_CHECK_ERR(steps[2].err, SOUK_ERETRY);
        SOUK_CHECK(steps[1].retries == 0 && steps[2].retries > 900);
        SOUK_CHECK(ask(test, &shop, "SELECT count(*) FROM item") == 2);
    }
}

SOUK_TEST("a full lane refuses, the other lanes go on, and there is room again afterwards")
{
    EACH_SHOP(shop, .queue_jobs = 2)
    {
        struct diary diary = {0};
        struct step steps[] = {
            step_of(1, SOUK_LANE_INGEST, &diary), step_of(2, SOUK_LANE_INGEST, &diary),
            step_of(3, SOUK_LANE_INGEST, &diary), step_of(4, SOUK_LANE_TILL, &diary)};
        souk_ledger_hold(shop.ledger);
        SOUK_MUST(souk_ledger_submit(shop.ledger, &steps[0].job));
        SOUK_MUST(souk_ledger_submit(shop.ledger, &steps[1].job));
        SOUK_CHECK_ERR(souk_ledger_submit(shop.ledger, &steps[2].job), SOUK_EBUSY);
        SOUK_MUST(souk_ledger_submit(shop.ledger, &steps[3].job));
        souk_ledger_counters counters;
        souk_ledger_count(shop.ledger, &counters);
        SOUK_CHECK(counters.busy == 1 && counters.queued[SOUK_LANE_INGEST] == 2);
        souk_ledger_release(shop.ledger);
        wait_for(test, &shop, &diary, 3);
        SOUK_CHECK(steps[2].afters == 0 && diary.count == 3);
        run_steps(test, &shop, &steps[2], 1);
        SOUK_CHECK(ask(test, &shop, "SELECT count(*) FROM item") == 4);
    }
}

/* `after` brings the next one, ten times. */
struct chain {
    struct step step;
    souk_ledger *ledger;
    souk_err refused;
};

static void chain_after(souk_job *job, souk_err err)
{
    struct chain *chain = SOUK_JOB_OWNER(job, struct chain, step.job);
    chain->step.err = err;
    if (++chain->step.number <= 10)
        chain->refused = souk_ledger_submit(chain->ledger, job);
}

SOUK_TEST("what is queued is finished by close, and refused by free; later work hears of it")
{
    EACH_ARRANGEMENT (how) {
        struct shop shop = open_shop(test, how, (souk_ledger_options){0});
        struct diary diary = {0};
        struct step steps[] = {step_of(1, SOUK_LANE_JOB, &diary), step_of(2, SOUK_LANE_JOB, &diary),
                               step_of(3, SOUK_LANE_JOB, &diary)};
        souk_ledger_hold(shop.ledger);
        SOUK_MUST(souk_ledger_submit(shop.ledger, &steps[0].job));
        SOUK_MUST(souk_ledger_close(shop.ledger));
        SOUK_CHECK(steps[0].afters == 1 && steps[0].err == SOUK_OK);
        SOUK_CHECK_ERR(souk_ledger_submit(shop.ledger, &steps[1].job), SOUK_ESTOPPED);
        SOUK_CHECK_ERR(souk_ledger_read(shop.ledger, nothing, NULL), SOUK_ESTOPPED);
        SOUK_CHECK_ERR(souk_ledger_checkpoint(shop.ledger, true), SOUK_ESTOPPED);
        souk_ledger_free(souk_take(&shop.ledger));

        open_with(test, &shop, (souk_ledger_options){0});
        souk_ledger_hold(shop.ledger);
        SOUK_MUST(souk_ledger_submit(shop.ledger, &steps[2].job));
        souk_ledger_free(souk_take(&shop.ledger));
        SOUK_CHECK(steps[2].afters == 1 && steps[2].err == SOUK_ESTOPPED);

        open_with(test, &shop, (souk_ledger_options){0});
        SOUK_CHECK(ask(test, &shop, "SELECT count(*) FROM item") == 1);
        must_sql(test, &shop, "DELETE FROM item");
        struct chain chain = {.step = step_of(1, SOUK_LANE_JOB, &diary), .ledger = shop.ledger};
        chain.step.job.after = chain_after;
        SOUK_MUST(souk_ledger_submit(shop.ledger, &chain.step.job));
        for (int i = 0; i < 10; i++)
            SOUK_MUST(souk_ledger_write(shop.ledger, SOUK_LANE_JOB, nothing, NULL));
        close_shop(test, &shop);
        SOUK_CHECK(chain.step.number == 11 && !chain.refused && !chain.step.err);
    }
}
