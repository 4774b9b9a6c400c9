/* sqlite_memory_test.c - every allocation of a ledger's story fails once, and from then on: ours and
 * those which SQLite makes for itself.  The answers stay true, also when the power goes right after. */
#include "store/ledger.h"
#include "test/test.h"

#include "store/sqlite_watch.h"

/* ---- the story ------------------------------------------------------------------------------------ */

enum { JOBS = 5 };

struct entry {
    souk_job job;
    int number;
    souk_err err;
    bool answered;
};

struct story {
    souk_disk *disk;
    struct entry entries[JOBS];
};

static souk_err entry_apply(souk_tx *tx, souk_job *job)
{
    struct entry *my = SOUK_JOB_OWNER(job, struct entry, job);
    SOUK_TRY(souk_sql_run(tx, "INSERT INTO entry (id, note) VALUES (?1, zeroblob(6000))",
                          SOUK_VALUES(SOUK_INT(my->number))));
    return my->number == 3 ? SOUK_ECONFLICT : SOUK_OK;
}

static void entry_after(souk_job *job, souk_err err)
{
    struct entry *my = SOUK_JOB_OWNER(job, struct entry, job);
    my->err = err;
    my->answered = true;
}

static souk_err read_all(souk_tx *tx, void *context)
{
    bool *there = context; /* bool there[JOBS] */
    souk_auto_value(souk_rows) rows = {0};
    SOUK_TRY(souk_rows_begin(tx, "SELECT id, note FROM entry", SOUK_NO_VALUES, &rows));
    while (souk_rows_next(&rows)) {
        souk_text note = souk_rows_blob(&rows, 1);
        int64_t id = souk_rows_int(&rows, 0);
        if (note.bytes == 6000 && id >= 0 && id < JOBS)
            there[id] = true;
    }
    return souk_rows_check(&rows);
}

static const souk_migration schema[] = {
    {1, "CREATE TABLE entry (id INTEGER PRIMARY KEY, note BLOB)"}};

static souk_err tell(souk_mem *mem, struct story *story)
{
    souk_ledger_options options = {.no_thread = true};
    bool there[JOBS] = {false};
    souk_auto(souk_ledger) ledger = NULL;
    SOUK_TRY(souk_ledger_open_sqlite(mem, story->disk, "ledger", &options, &ledger, NULL));
    SOUK_TRY(souk_ledger_migrate(ledger, "bank", schema, 1, NULL));
    souk_ledger_hold(ledger);
    souk_err err = SOUK_OK;
    for (int i = 0; i < JOBS && !err; i++) {
        story->entries[i] = (struct entry){
            .job = {.lane = SOUK_LANE_TILL, .apply = entry_apply, .after = entry_after},
            .number = i};
        err = souk_ledger_submit(ledger, &story->entries[i].job);
    }
    souk_ledger_release(ledger);
    for (int i = 0; i < JOBS && !err; i++)
        err = i == 3 && story->entries[i].err == SOUK_ECONFLICT ? SOUK_OK : story->entries[i].err;
    SOUK_TRY(err);
    SOUK_TRY(souk_ledger_read(ledger, read_all, there));
    SOUK_TRY(souk_ledger_backup(ledger, story->disk, "copy", NULL, NULL));
    return souk_ledger_close(ledger);
}

/* Against what was answered; nothing fails meanwhile. */
static void check_truth(souk_test *test, struct story *story)
{
    souk_ledger_options options = {.no_thread = true};
    bool there[JOBS] = {false};
    souk_ledger *ledger = NULL;
    SOUK_MUST(souk_ledger_open_sqlite(test->mem, story->disk, "ledger", &options, &ledger, NULL));
    SOUK_MUST(souk_ledger_verify(ledger, NULL));
    SOUK_MUST(souk_ledger_migrate(ledger, "bank", schema, 1, NULL));
    SOUK_MUST(souk_ledger_read(ledger, read_all, there));
    for (int i = 0; i < JOBS; i++) {
        const struct entry *entry = &story->entries[i];
        bool unknown = entry->answered && entry->err == SOUK_EIO;
        SOUK_CHECK(unknown || there[i] == (entry->answered && !entry->err));
    }
    SOUK_MUST(souk_ledger_close(ledger));
    souk_ledger_free(ledger);
}

/* One round with whatever the caller has planned; nothing fails afterwards. */
static souk_err round_of(souk_test *test, souk_mem *mem, bool power_goes, uint64_t *plan)
{
    struct story story = {0};
    souk_err err = souk_disk_open_sim(mem, 11, &story.disk);
    if (err) {
        watch.counted = NULL;
        return err;
    }
    err = tell(mem, &story);
    uint64_t planned = *plan;
    *plan = 0;
    watch.counted = NULL; /* a check that fails must leave nothing behind for the next test */
    if (power_goes)
        souk_sim_power_on(story.disk);
    check_truth(test, &story);
    souk_disk_free(story.disk);
    *plan = planned;
    return err;
}

SOUK_TEST("whichever allocation fails, ours or SQLite's, the answer is no memory and it is true")
{
    SOUK_FAULT_LOOP (test) {
        watch.counted = test;
        souk_err err = round_of(test, test->mem, test->fail_at % 2, &test->fail_at);
        SOUK_CHECK(err == SOUK_OK || err == SOUK_ENOMEM);
        test_fault_seen(test, err);
    }
}

SOUK_TEST("when memory ends for good in the middle of the story, nothing untrue is said")
{
    uint64_t rounds = 0;
    for (uint64_t from = 1;; from += 5) {
        watch.calls = 0;
        watch.fail_from = from;
        souk_err err = round_of(test, test->mem, from % 2, &watch.fail_from);
        bool met = watch.calls >= from;
        watch.fail_from = 0;
        SOUK_CHECK(err == SOUK_OK || err == SOUK_ENOMEM || err == SOUK_EIO);
        rounds++;
        if (!met)
            break;
    }
    SOUK_CHECK(rounds > 50);
}

/* ---- memory that ends behind the commit's last frame --------------------------------------------- */

static souk_err put_blob(souk_tx *tx, void *context)
{
    const int64_t *entry = context; /* id, bytes */
    return souk_sql_run(tx, "INSERT INTO entry (id, note) VALUES (?1, zeroblob(?2))",
                        SOUK_VALUES(SOUK_INT(entry[0]), SOUK_INT(entry[1])));
}

static souk_err count_blob(souk_tx *tx, void *context)
{
    return souk_sql_one_int(tx, "SELECT count(*) FROM entry WHERE id = 1", SOUK_NO_VALUES, context);
}

/* The index of the write-ahead log takes memory for its second part with frame 4063: after the frames
 * have reached the disk, the commit's own among them.  A refusal then must hold after a power cut. */
static souk_err cross_a_part(souk_test *test, uint64_t fail_at, bool *ret_met)
{
    souk_ledger_options options = {.no_thread = true, .checkpoint_pages = 1000000};
    souk_disk *disk = NULL;
    souk_ledger *ledger = NULL;
    SOUK_MUST(souk_disk_open_sim(test->mem, fail_at, &disk));
    SOUK_MUST(souk_ledger_open_sqlite(test->mem, disk, "ledger", &options, &ledger, NULL));
    SOUK_MUST(souk_ledger_migrate(ledger, "bank", schema, 1, NULL));
    SOUK_MUST(souk_ledger_write(ledger, SOUK_LANE_JOB, put_blob, (int64_t[]){0, 4020 * 4092}));
    souk_ledger_counters counters;
    souk_ledger_count(ledger, &counters);
    SOUK_CHECK(counters.wal_bytes / 4096 > 4020 && counters.wal_bytes / 4096 < 4060);

    test->fail_at = fail_at;
    test->fault_calls = 0;
    test->fault_hit = false;
    watch.counted = test;
    souk_err err = souk_ledger_write(ledger, SOUK_LANE_JOB, put_blob, (int64_t[]){1, 60 * 4092});
    watch.counted = NULL;
    *ret_met = test->fault_hit;
    test->fail_at = 0;
    souk_ledger_free(ledger);
    souk_sim_power_on(disk);

    int64_t there = 0;
    SOUK_MUST(souk_ledger_open_sqlite(test->mem, disk, "ledger", &options, &ledger, NULL));
    SOUK_MUST(souk_ledger_read(ledger, count_blob, &there));
    SOUK_CHECK(there == (err == SOUK_OK));
    souk_ledger_free(ledger);
    souk_disk_free(disk);
    return err;
}

SOUK_TEST("a commit refused for want of memory stays refused when the power goes")
{
    bool met = true;
    for (uint64_t fail_at = 1; met; fail_at++) {
        souk_err err = cross_a_part(test, fail_at, &met);
        SOUK_CHECK(err == SOUK_OK || (met && err == SOUK_ENOMEM));
    }
}
