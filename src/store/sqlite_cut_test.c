/* sqlite_cut_test.c - what a power cut, a failing operation and a full disk leave of a ledger.
 *
 * One life of the story: open (or make) a ledger, run groups of transfers that each write a row of
 * their own and move money between accounts, checkpoint often, until the planned misfortune.  Then the
 * power returns and the books are examined: every answered job is there once, nothing refused is
 * there, nobody's money is gone, the file is whole.  What was answered SOUK_EIO may be either.
 *
 * SOUK_CUTS=100000 in the environment makes the run longer. */
#include "store/ledger.h"
#include "test/test.h"

#include <stdio.h>
#include <stdlib.h>

enum { ACCOUNTS = 8, OPENING = 1000, JOBS_MOST = 160, GROUP_MOST = 6 };

enum fate { NOT_RUN, KEPT, REFUSED, UNKNOWN };

struct life {
    souk_test *test;
    souk_disk *disk;
    souk_ledger_options options;
    enum fate fates[JOBS_MOST]; /* by the number of the job, over all lives on this disk */
    int next;
    int kept;
};

struct transfer {
    souk_job job;
    struct life *life;
    int number, from, to;
    size_t note_bytes;
};

static souk_err transfer_apply(souk_tx *tx, souk_job *job)
{
    struct transfer *my = SOUK_JOB_OWNER(job, struct transfer, job);
    static const char note[3000];
    SOUK_TRY(souk_sql_run(tx, "INSERT INTO entry (id, note) VALUES (?1, ?2)",
                          SOUK_VALUES(SOUK_INT(my->number), SOUK_BLOB(note, my->note_bytes))));
    SOUK_TRY(souk_sql_run(tx, "UPDATE account SET balance = balance - 7 WHERE id = ?1",
                          SOUK_VALUES(SOUK_INT(my->from))));
    SOUK_TRY(souk_sql_run(tx, "UPDATE account SET balance = balance + 7 WHERE id = ?1",
                          SOUK_VALUES(SOUK_INT(my->to))));
    return my->number % 13 == 5 ? SOUK_ECONFLICT : SOUK_OK; /* some are turned down */
}

static void transfer_after(souk_job *job, souk_err err)
{
    struct transfer *my = SOUK_JOB_OWNER(job, struct transfer, job);
    enum fate fate = err == SOUK_OK ? KEPT : err == SOUK_EIO ? UNKNOWN : REFUSED;
    my->life->fates[my->number] = fate;
    my->life->kept += fate == KEPT;
}

static const souk_migration schema[] = {
    {1, "CREATE TABLE entry (id INTEGER PRIMARY KEY, note BLOB);"
        "CREATE TABLE account (id INTEGER PRIMARY KEY, balance INTEGER NOT NULL);"
        "WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 7)"
        " INSERT INTO account SELECT i, 1000 FROM n"},
};

static souk_err open_ledger(struct life *life, souk_ledger **ret_ledger)
{
    souk_auto(souk_ledger) ledger = NULL;
    SOUK_TRY(souk_ledger_open_sqlite(life->test->mem, life->disk, "ledger", &life->options, &ledger,
                                     NULL));
    SOUK_TRY(souk_ledger_migrate(ledger, "bank", schema, 1, NULL));
    *ret_ledger = souk_take(&ledger);
    return SOUK_OK;
}

/* One group of up to GROUP_MOST jobs. */
static souk_err run_group(struct life *life, souk_ledger *ledger)
{
    souk_test *test = life->test;
    struct transfer transfers[GROUP_MOST];
    int count = 1 + (int)test_random(test, GROUP_MOST);
    souk_err err = SOUK_OK;
    souk_ledger_hold(ledger);
    for (int i = 0; i < count && life->next < JOBS_MOST && !err; i++) {
        transfers[i] = (struct transfer){
            .job = {.lane = (enum souk_lane)test_random(test, SOUK_LANE_COUNT),
                    .may_fail = test_random(test, 2),
                    .apply = transfer_apply,
                    .after = transfer_after},
            .life = life,
            .number = life->next++,
            .from = (int)test_random(test, ACCOUNTS),
            .to = (int)test_random(test, ACCOUNTS),
            .note_bytes = test_random(test, 3000),
        };
        err = souk_ledger_submit(ledger, &transfers[i].job);
    }
    souk_ledger_release(ledger);
    return err;
}

/* Lives until the groups are done or something fails; the ledger is abandoned as a crash would. */
static souk_err live(struct life *life, int groups)
{
    souk_auto(souk_ledger) ledger = NULL;
    SOUK_TRY(open_ledger(life, &ledger));
    for (int i = 0; i < groups && life->next < JOBS_MOST; i++) {
        SOUK_TRY(run_group(life, ledger));
        if (test_random(life->test, 12) == 0)
            SOUK_TRY(souk_ledger_checkpoint(ledger, test_random(life->test, 2)));
    }
    souk_ledger_counters counters;
    souk_ledger_count(ledger, &counters);
    SOUK_TRY(counters.failed);
    return test_random(life->test, 2) ? souk_ledger_close(ledger) : SOUK_OK;
}

/* ---- the examination ---------------------------------------------------------------------------- */

struct books {
    const struct life *life;
    const char *complaint;
};

static souk_err examine_books(souk_tx *tx, void *context)
{
    struct books *books = context;
    bool there[JOBS_MOST] = {false};
    int64_t sum = 0;
    SOUK_TRY(souk_sql_one_int(tx, "SELECT sum(balance) FROM account", SOUK_NO_VALUES, &sum));
    if (sum != ACCOUNTS * OPENING)
        books->complaint = "money was made or lost";
    souk_auto_value(souk_rows) rows = {0};
    SOUK_TRY(souk_rows_begin(tx, "SELECT id FROM entry", SOUK_NO_VALUES, &rows));
    while (souk_rows_next(&rows)) {
        int64_t id = souk_rows_int(&rows, 0);
        if (id < 0 || id >= books->life->next || there[id])
            books->complaint = "a job is there that nobody brought, or twice";
        else
            there[id] = true;
    }
    for (int i = 0; i < books->life->next; i++) {
        if (books->life->fates[i] == KEPT && !there[i])
            books->complaint = "an answered job is lost";
        if (books->life->fates[i] == REFUSED && there[i])
            books->complaint = "a refused job is there";
    }
    return souk_rows_check(&rows);
}

/* NULL where the books are in order. */
static const char *examine(struct life *life)
{
    souk_ledger_options options = {.no_thread = true};
    souk_auto(souk_ledger) ledger = NULL;
    souk_mem *mem = life->test->mem;
    if (souk_ledger_open_sqlite(mem, life->disk, "ledger", &options, &ledger, NULL))
        return "the ledger does not open";
    if (souk_ledger_verify(ledger, NULL))
        return "the file is damaged";
    if (souk_ledger_migrate(ledger, "bank", schema, 1, NULL))
        return "the schema is half made";
    struct books books = {.life = life};
    if (souk_ledger_read(ledger, examine_books, &books))
        return "the books cannot be read";
    if (!books.complaint && souk_ledger_close(ledger))
        return "the ledger does not close";
    return books.complaint;
}

/* What was in doubt is settled by what the recovered ledger says; later lives must keep to it. */
static souk_err settle_doubts(souk_tx *tx, void *context)
{
    struct life *life = context;
    for (int i = 0; i < life->next; i++) {
        int64_t found = 0;
        SOUK_TRY(souk_sql_one_int(tx, "SELECT count(*) FROM entry WHERE id = ?1",
                                  SOUK_VALUES(SOUK_INT(i)), &found));
        if (life->fates[i] == UNKNOWN || life->fates[i] == NOT_RUN)
            life->fates[i] = found ? KEPT : REFUSED;
    }
    return SOUK_OK;
}

/* ---- power cuts ------------------------------------------------------------------------------------ */

struct cuts {
    int cuts, kept, complaints;
    const char *complaint;
};

/* A disk that loses its power three times, each time at a random operation. */
static void cut_one_disk(souk_test *test, struct cuts *cuts, enum souk_ledger_sync sync,
                         bool lying_sync)
{
    struct life life = {.test = test,
                        .options = {.sync = sync, .no_thread = true, .checkpoint_pages = 12}};
    SOUK_MUST(souk_disk_open_sim(test->mem, test_random(test, 0), &life.disk));
    if (lying_sync ||
        test_random(test, 2)) { /* else the first cut may meet the making of the file */
        SOUK_MUST(live(&life, 1));
        SOUK_CHECK(examine(&life) == NULL);
    }
    for (int i = 0; i < 3; i++) {
        souk_sim_plan(life.disk, (souk_sim_faults){.cut_at = 1 + test_random(test, 250),
                                                   .lying_sync = lying_sync});
        souk_err err = live(&life, 20);
        SOUK_CHECK(souk_sim_is_cut(life.disk) ? err == SOUK_EIO || err == SOUK_OK : err == SOUK_OK);
        souk_sim_power_on(life.disk);
        souk_sim_plan(life.disk, (souk_sim_faults){0});
        const char *complaint = examine(&life);
        cuts->cuts++;
        if (complaint) {
            cuts->complaints++;
            cuts->complaint = complaint;
            break;
        }
        souk_ledger *ledger = NULL;
        SOUK_MUST(open_ledger(&life, &ledger));
        SOUK_MUST(souk_ledger_read(ledger, settle_doubts, &life));
        souk_ledger_free(ledger);
    }
    cuts->kept += life.kept;
    souk_disk_free(life.disk);
}

static int wanted_cuts(void)
{
    const char *words = getenv("SOUK_CUTS");
    return words ? atoi(words) : 600;
}

SOUK_TEST("after a power cut every answered job is there once, and the books are whole")
{
    struct cuts cuts = {0};
    while (cuts.cuts < wanted_cuts() && !cuts.complaints)
        cut_one_disk(test, &cuts, SOUK_SYNC_FULL, false);
    if (cuts.complaints)
        test_fail(test, __FILE__, __LINE__, "%s after %d cuts", cuts.complaint, cuts.cuts);
    SOUK_CHECK(cuts.kept > cuts.cuts); /* the story got somewhere */
}

static void must_be_caught(souk_test *test, enum souk_ledger_sync sync, bool lying_sync)
{
    struct cuts cuts = {0};
    while (cuts.cuts < 300 && !cuts.complaints)
        cut_one_disk(test, &cuts, sync, lying_sync);
    SOUK_CHECK(cuts.complaints > 0);
}

SOUK_TEST("the same cuts catch a ledger that syncs only now and then")
{
    must_be_caught(test, SOUK_SYNC_NORMAL, false);
}

SOUK_TEST("the same cuts catch a ledger that never syncs")
{
    must_be_caught(test, SOUK_SYNC_OFF, false);
}

SOUK_TEST("the same cuts catch a disk that lies about its sync")
{
    must_be_caught(test, SOUK_SYNC_FULL, true);
}

/* ---- failing operations ------------------------------------------------------------------------------ */

/* A fixed story with everything in it; each run draws the same numbers. */
static souk_err whole_story(struct life *life)
{
    life->test->random = 77;
    souk_auto(souk_ledger) ledger = NULL;
    SOUK_TRY(open_ledger(life, &ledger));
    souk_err first = SOUK_OK;
    for (int i = 0; i < 8; i++) {
        souk_err err = run_group(life, ledger);
        if (!err && i % 3 == 2)
            err = souk_ledger_checkpoint(ledger, i == 5);
        if (!err && i == 4)
            err = souk_ledger_backup(ledger, life->disk, "copy", NULL, NULL);
        first = first ? first : err;
    }
    souk_ledger_counters counters;
    souk_ledger_count(ledger, &counters);
    if (counters.failed) { /* sticky: nothing is promised or read any more */
        souk_test *test = life->test;
        SOUK_CHECK_ERR(souk_ledger_read(ledger, examine_books, NULL), SOUK_EIO);
        SOUK_CHECK_ERR(souk_ledger_checkpoint(ledger, false), SOUK_EIO);
        SOUK_CHECK_ERR(souk_ledger_close(ledger), SOUK_EIO);
        return SOUK_EIO;
    }
    souk_err err = souk_ledger_close(ledger);
    return first ? first : err;
}

/* Fails each operation of the story in turn; `after`: does the power go too, once it has failed? */
static void fail_each(souk_test *test, souk_sim_faults faults, bool power_goes)
{
    uint64_t random = test->random;
    for (faults.fail_at = 1;; faults.fail_at++) {
        struct life life = {.test = test, .options = {.no_thread = true, .checkpoint_pages = 8}};
        SOUK_MUST(souk_disk_open_sim(test->mem, faults.fail_at, &life.disk));
        souk_sim_plan(life.disk, faults);
        souk_err err = whole_story(&life);
        bool failed = souk_sim_operations(life.disk) >= faults.fail_at;
        souk_err expected = faults.fail_err ? faults.fail_err : SOUK_EIO;
        SOUK_CHECK(err == SOUK_OK || (failed && (err == expected || err == SOUK_EIO)));
        if (power_goes)
            souk_sim_power_on(life.disk);
        souk_sim_plan(life.disk, (souk_sim_faults){0});
        const char *complaint = examine(&life);
        if (complaint)
            test_fail(test, __FILE__, __LINE__, "operation %llu failed: %s",
                      (unsigned long long)faults.fail_at, complaint);
        souk_disk_free(life.disk);
        if (!failed)
            break;
    }
    SOUK_CHECK(faults.fail_at > 60); /* the story has that many */
    test->random = random;
}

SOUK_TEST("whichever operation fails, the answers are true, also when the power goes with it")
{
    for (int power_goes = 0; power_goes < 2; power_goes++) {
        fail_each(test, (souk_sim_faults){0}, power_goes);
        fail_each(test, (souk_sim_faults){.fail_for_ever = true}, power_goes);
        fail_each(test, (souk_sim_faults){.fail_err = SOUK_EFULL}, power_goes);
    }
}

SOUK_TEST("whichever read fails, the answers are true")
{
    fail_each(test, (souk_sim_faults){.fail_reads = true}, false);
}

/* Writes, reads without a look at the error, writes again. */
static souk_err ignore_read(souk_tx *tx, void *context)
{
    int64_t *sum = context;
    SOUK_TRY(souk_sql_run(tx, "INSERT INTO entry (id) VALUES (1)", SOUK_NO_VALUES));
    souk_err err = souk_sql_one_int(tx, "SELECT sum(balance) FROM account", SOUK_NO_VALUES, sum);
    (void)err;
    err = souk_sql_run(tx, "INSERT INTO entry (id) VALUES (2)", SOUK_NO_VALUES);
    (void)err;
    return SOUK_OK;
}

static souk_err count_entries(souk_tx *tx, void *context)
{
    return souk_sql_one_int(tx, "SELECT count(*) FROM entry", SOUK_NO_VALUES, context);
}

/* SQLite rolls back by itself after some failures; what came behind one would commit alone. */
SOUK_TEST("a closure that ignores a failed read leaves nothing behind")
{
    souk_sim_struck struck = {.op = SOUK_SIM_READ};
    for (uint64_t at = 1; struck.op; at++) {
        struct life life = {.test = test, .options = {.no_thread = true}};
        souk_ledger *ledger = NULL;
        int64_t sum, count = 0;
        SOUK_MUST(souk_disk_open_sim(test->mem, at, &life.disk));
        for (int round = 0; round < 2; round++) { /* the second with an empty page cache */
            souk_ledger_free(ledger);
            SOUK_MUST(open_ledger(&life, &ledger));
        }
        souk_sim_plan(life.disk, (souk_sim_faults){.fail_at = at, .fail_reads = true});
        souk_err err = souk_ledger_write(ledger, SOUK_LANE_TILL, ignore_read, &sum);
        struck = souk_sim_struck_by_plan(life.disk);
        souk_sim_plan(life.disk, (souk_sim_faults){.fail_at = 0});
        SOUK_CHECK(err == SOUK_OK || err == SOUK_EIO);
        souk_ledger_free(souk_take(&ledger));
        SOUK_MUST(open_ledger(&life, &ledger));
        SOUK_MUST(souk_ledger_read(ledger, count_entries, &count));
        SOUK_CHECK(count == 0 || count == 2);
        SOUK_CHECK(err || count == 2);
        souk_ledger_free(ledger);
        souk_disk_free(life.disk);
    }
}

SOUK_TEST("after a commit that nobody knows about everything is refused, until it is opened again")
{
    uint64_t refusals = 0;
    for (uint64_t fail_at = 1;; fail_at++) {
        struct life life = {.test = test, .options = {.no_thread = true}};
        SOUK_MUST(souk_disk_open_sim(test->mem, fail_at, &life.disk));
        souk_ledger *ledger = NULL;
        SOUK_MUST(open_ledger(&life, &ledger));
        souk_sim_plan(life.disk, (souk_sim_faults){.fail_at = fail_at});
        SOUK_MUST(run_group(&life, ledger));
        bool failed = souk_sim_operations(life.disk) >= fail_at;
        souk_sim_plan(life.disk, (souk_sim_faults){0}); /* the disk is well again */
        struct transfer late = {.job = {.apply = transfer_apply, .after = transfer_after}};
        if (failed) {
            refusals++;
            SOUK_CHECK(life.kept == 0);
            SOUK_CHECK_ERR(souk_ledger_submit(ledger, &late.job), SOUK_EIO);
            SOUK_CHECK_ERR(souk_ledger_read(ledger, examine_books, NULL), SOUK_EIO);
            SOUK_CHECK_ERR(souk_ledger_backup(ledger, life.disk, "copy", NULL, NULL), SOUK_EIO);
            SOUK_CHECK_ERR(souk_ledger_close(ledger), SOUK_EIO);
        }
        souk_ledger_free(ledger);
        SOUK_CHECK(examine(&life) == NULL);
        souk_disk_free(life.disk);
        if (!failed)
            break;
    }
    SOUK_CHECK(refusals >= 3); /* a frame's head, its page, the sync */
}

/* The disk is well again, but the kernel took the pages of the failed sync for clean: what a reader
 * sees of them is in memory only.  The next owner tells it on (an event sent again is a repeat of it). */
SOUK_TEST("what a failed sync left in the page cache is saved before the next owner answers")
{
    int failures = 0;
    for (uint64_t round = 0; round < 200; round++) {
        struct life life = {.test = test, .options = {.no_thread = true, .checkpoint_pages = 12}};
        SOUK_MUST(souk_disk_open_sim(test->mem, round, &life.disk));
        SOUK_MUST(live(&life, 2));
        souk_sim_plan(life.disk, (souk_sim_faults){.fail_at = 1 + test_random(test, 60)});
        failures += live(&life, 8) == SOUK_EIO;
        souk_sim_plan(life.disk, (souk_sim_faults){0});

        souk_ledger *ledger = NULL;
        SOUK_MUST(open_ledger(&life, &ledger));
        SOUK_MUST(souk_ledger_read(ledger, settle_doubts, &life));
        SOUK_MUST(run_group(&life, ledger));
        souk_ledger_free(ledger);
        souk_sim_power_on(life.disk);
        const char *complaint = examine(&life);
        if (complaint)
            test_fail(test, __FILE__, __LINE__, "round %llu: %s", (unsigned long long)round,
                      complaint);
        souk_disk_free(life.disk);
    }
    SOUK_CHECK(failures > 100);
}

/* ---- a full disk ---------------------------------------------------------------------------------------- */

SOUK_TEST("a full disk refuses, reads go on, and with space again the next group commits")
{
    struct life life = {.test = test, .options = {.no_thread = true}};
    SOUK_MUST(souk_disk_open_sim(test->mem, 9, &life.disk));
    souk_ledger *ledger = NULL;
    SOUK_MUST(open_ledger(&life, &ledger));
    souk_sim_plan(life.disk, (souk_sim_faults){.capacity_bytes = 200000});
    while (life.next < JOBS_MOST &&
           !(life.next && life.fates[life.next - 1] == REFUSED && (life.next - 1) % 13 != 5))
        SOUK_MUST(run_group(&life, ledger));
    SOUK_CHECK(life.next < JOBS_MOST && life.kept > 0); /* it did fill up */
    struct books books = {.life = &life};
    SOUK_MUST(souk_ledger_read(ledger, examine_books, &books));
    SOUK_CHECK(books.complaint == NULL);
    souk_ledger_counters counters;
    souk_ledger_count(ledger, &counters);
    SOUK_CHECK(counters.failed == SOUK_OK && counters.full);

    souk_sim_plan(life.disk, (souk_sim_faults){0});
    int kept = life.kept;
    SOUK_MUST(run_group(&life, ledger));
    SOUK_MUST(run_group(&life, ledger));
    SOUK_CHECK(life.kept > kept);
    souk_ledger_count(ledger, &counters);
    SOUK_CHECK(counters.full); /* one group that fits is no room: somebody must look */
    souk_ledger_found_room(ledger);
    souk_ledger_count(ledger, &counters);
    SOUK_CHECK(!counters.full);
    souk_ledger_free(ledger);
    souk_sim_power_on(life.disk);
    SOUK_CHECK(examine(&life) == NULL);
    souk_disk_free(life.disk);
}

/* ---- what an erasure leaves ------------------------------------------------------------------------------ */

static const char secret[] = "the shopper's key 8f1c2e";

static souk_err put_secret(souk_tx *tx, void *context)
{
    (void)context;
    return souk_sql_run(tx, "INSERT INTO entry (id, note) VALUES (0, ?1)",
                        SOUK_VALUES(SOUK_BLOB(secret, sizeof secret)));
}

static souk_err drop_secret(souk_tx *tx, void *context)
{
    (void)context;
    return souk_sql_run(tx, "DELETE FROM entry", SOUK_NO_VALUES);
}

static void look_for_secret(void *context, const char *name, const void *at, size_t bytes)
{
    (void)name;
    *(bool *)context |= bytes && memmem(at, bytes, secret, sizeof secret) != NULL;
}

static bool secret_is_on(souk_disk *disk)
{
    bool found = false;
    souk_sim_scan(disk, look_for_secret, &found);
    return found;
}

SOUK_TEST("what was deleted is on no sector after a truncating checkpoint, also after a power cut")
{
    for (uint64_t seed = 1; seed <= 30; seed++) {
        struct life life = {.test = test, .options = {.no_thread = true}};
        SOUK_MUST(souk_disk_open_sim(test->mem, seed, &life.disk));
        souk_ledger *ledger = NULL;
        SOUK_MUST(open_ledger(&life, &ledger));
        SOUK_MUST(souk_ledger_write(ledger, SOUK_LANE_JOB, put_secret, NULL));
        SOUK_CHECK(secret_is_on(life.disk)); /* the scan can find it */
        if (seed % 2)
            SOUK_MUST(souk_ledger_checkpoint(ledger, false));
        SOUK_MUST(souk_ledger_write(ledger, SOUK_LANE_JOB, drop_secret, NULL));
        SOUK_MUST(souk_ledger_checkpoint(ledger, false));
        SOUK_CHECK(secret_is_on(life.disk)); /* still in the log: deleting is not enough */
        SOUK_MUST(souk_ledger_checkpoint(ledger, true));
        SOUK_CHECK(!secret_is_on(life.disk));
        souk_ledger_free(ledger);
        souk_sim_power_on(life.disk);
        SOUK_CHECK(!secret_is_on(life.disk));
        souk_disk_free(life.disk);
    }
}

/* ---- files that are not ours ------------------------------------------------------------------------------ */

SOUK_TEST("a file that is no ledger is refused with words, and a damaged one is noticed")
{
    souk_ledger_options options = {.no_thread = true, .quick_check = true};
    struct life life = {.test = test, .options = options};
    SOUK_MUST(souk_disk_open_sim(test->mem, 3, &life.disk));
    souk_ledger *ledger = NULL;
    souk_diag diag = {0};
    static const char garbage[8192] = "this is a shopping list and no database";
    SOUK_MUST(souk_disk_put(life.disk, "list", garbage, sizeof garbage));
    SOUK_CHECK_ERR(souk_ledger_open_sqlite(test->mem, life.disk, "list", &options, &ledger, &diag),
                   SOUK_ECORRUPT);
    SOUK_CHECK(strstr(diag.words, "list"));

    SOUK_MUST(live(&life, 10));
    SOUK_CHECK(examine(&life) == NULL);
    souk_auto_value(souk_buf) all = {.mem = test->mem};
    SOUK_MUST(souk_disk_take(life.disk, "ledger", &all));
    all.at[68] = 'X'; /* the application's mark: some other program's database */
    SOUK_MUST(souk_disk_put(life.disk, "other", all.at, all.bytes));
    diag = (souk_diag){0};
    SOUK_CHECK_ERR(souk_ledger_open_sqlite(test->mem, life.disk, "other", &options, &ledger, &diag),
                   SOUK_EINVAL);
    SOUK_CHECK(strstr(diag.words, "not a ledger"));

    all.at[68] = 'S';
    memset(all.at + 4096 * 2, 0x5a, 4096); /* a page in the middle */
    SOUK_MUST(souk_disk_put(life.disk, "hurt", all.at, all.bytes));
    diag = (souk_diag){0};
    SOUK_CHECK_ERR(souk_ledger_open_sqlite(test->mem, life.disk, "hurt", &options, &ledger, &diag),
                   SOUK_ECORRUPT);
    SOUK_CHECK(ledger == NULL && diag.words[0]);
    souk_disk_free(life.disk);
}
