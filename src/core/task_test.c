/* task_test.c - tasks go on where they were cut off; jobs tell what became of them. */
#include "core/task.h"
#include "store/postgres_server.h"

#include "test/test.h"

#include <stdio.h>

static souk_ledger *open_ledger(souk_test *test, souk_disk *disk)
{
    souk_ledger_options options = {.no_thread = true, .readers = 1};
    souk_ledger *ledger = NULL;
    SOUK_MUST(test_ledger_open(souk_mem_heap(), disk, "ledger", &options, &ledger, NULL));
    SOUK_MUST(souk_task_migrate(ledger, NULL));
    return ledger;
}

/* A ledger for the statement that follows. */
#define WITH_LEDGER(ledger)                                     \
    souk_auto(souk_disk) disk = NULL;                           \
    SOUK_MUST(souk_disk_open_sim(souk_mem_heap(), 7, &disk));   \
    for (souk_ledger *ledger = open_ledger(test, disk); ledger; \
         souk_ledger_free(souk_take(&ledger)))

/* The newest job, its texts copied. */
struct newest {
    souk_job_row row;
    char words[100], result[100], kind[40];
    unsigned count;
};

static souk_err note(void *context, const souk_job_row *row)
{
    struct newest *newest = context;
    if (newest->count++)
        return SOUK_OK;
    newest->row = *row;
    snprintf(newest->words, sizeof newest->words, "%.*s", SOUK_TEXT_PRINT(row->words));
    snprintf(newest->result, sizeof newest->result, "%.*s", SOUK_TEXT_PRINT(row->result));
    snprintf(newest->kind, sizeof newest->kind, "%.*s", SOUK_TEXT_PRINT(row->kind));
    return SOUK_OK;
}

static struct newest newest_of(souk_test *test, souk_ledger *ledger)
{
    struct newest newest = {.count = 0};
    SOUK_MUST(souk_job_rows_each(ledger, INT64_MAX, 10000, note, &newest));
    return newest;
}

static souk_err tell_300(souk_tx *tx, void *task)
{
    return souk_task_progress(tx, task, 300, 1000, 11);
}

SOUK_TEST("a task begun again goes on where it was cut off, and starts over where it had ended")
{
    WITH_LEDGER(ledger)
    {
        souk_task task, other;
        souk_text kind = SOUK_TEXT("import"), subject = SOUK_TEXT("a file");
        SOUK_MUST(souk_task_begin(ledger, kind, subject, 10, &task));
        SOUK_CHECK(task.done == 0);
        SOUK_MUST(souk_ledger_write(ledger, SOUK_LANE_JOB, tell_300, &task));
        SOUK_MUST(souk_task_begin(ledger, kind, SOUK_TEXT("another"), 12, &other));
        SOUK_CHECK(other.done == 0 && other.id != task.id);
        SOUK_MUST(souk_task_begin(ledger, kind, subject, 13, &task));
        SOUK_CHECK(task.done == 300);
        SOUK_MUST(souk_task_end(ledger, &task, 14));
        SOUK_MUST(souk_task_begin(ledger, kind, subject, 15, &task));
        SOUK_CHECK(task.done == 0);
    }
}

SOUK_TEST("a job is told from waiting to done, with its result, and ends once")
{
    WITH_LEDGER(ledger)
    {
        int64_t id;
        SOUK_MUST(souk_job_row_add(ledger, SOUK_TEXT("verify"), SOUK_TEXT("{}"), 10, &id));
        SOUK_CHECK(newest_of(test, ledger).row.state == SOUK_JOB_WAITING);
        SOUK_MUST(souk_job_row_tell(ledger, id, 9, 9)); /* it does not run: nothing to tell */
        SOUK_CHECK(newest_of(test, ledger).row.done == 0);
        SOUK_MUST(souk_job_row_start(ledger, id, 20));
        SOUK_CHECK_ERR(souk_job_row_start(ledger, id, 21), SOUK_ECONFLICT);
        SOUK_MUST(souk_job_row_tell(ledger, id, 5, 8));
        struct newest newest = newest_of(test, ledger);
        SOUK_CHECK(newest.row.state == SOUK_JOB_RUNNING && newest.row.done == 5);
        SOUK_CHECK(newest.row.total == 8 && newest.row.ended == 0 &&
                   !strcmp(newest.kind, "verify"));
        souk_job_row row = {.id = id,
                            .state = SOUK_JOB_DONE,
                            .done = 8,
                            .total = 8,
                            .ended = 30,
                            .result = SOUK_TEXT("{\"done\":true}")};
        SOUK_MUST(souk_job_row_end(ledger, &row));
        row.state = SOUK_JOB_FAILED;
        SOUK_CHECK_ERR(souk_job_row_end(ledger, &row), SOUK_ECONFLICT);
        newest = newest_of(test, ledger);
        SOUK_CHECK(newest.row.state == SOUK_JOB_DONE && newest.row.err == SOUK_OK);
        SOUK_CHECK(newest.row.made == 10 && newest.row.started == 20 && newest.row.ended == 30);
        SOUK_CHECK(!strcmp(newest.result, "{\"done\":true}"));
        row = (souk_job_row){.id = id + 1, .state = SOUK_JOB_DONE, .ended = 1};
        SOUK_CHECK_ERR(souk_job_row_end(ledger, &row), SOUK_ECONFLICT); /* there is none */
    }
}

SOUK_TEST("what waited or ran when the folder was last open is told as interrupted, nothing else")
{
    WITH_LEDGER(ledger)
    {
        int64_t ended, running, waiting;
        SOUK_MUST(souk_job_row_add(ledger, SOUK_TEXT("import"), SOUK_TEXT("{}"), 1, &ended));
        SOUK_MUST(souk_job_row_start(ledger, ended, 2));
        souk_job_row row = {.id = ended,
                            .state = SOUK_JOB_FAILED,
                            .ended = 3,
                            .err = SOUK_EFULL,
                            .words = SOUK_TEXT("the disk is full")};
        SOUK_MUST(souk_job_row_end(ledger, &row));
        SOUK_MUST(souk_job_row_add(ledger, SOUK_TEXT("import"), SOUK_TEXT("{}"), 4, &running));
        SOUK_MUST(souk_job_row_start(ledger, running, 5));
        SOUK_MUST(souk_job_row_tell(ledger, running, 7, 9));
        SOUK_MUST(souk_job_row_add(ledger, SOUK_TEXT("verify"), SOUK_TEXT("{}"), 6, &waiting));
        for (unsigned again = 0; again < 2; again++) {
            SOUK_MUST(souk_job_rows_interrupt(ledger, SOUK_TEXT("cut off"), 50 + again));
            struct newest newest = newest_of(test, ledger);
            SOUK_CHECK(newest.count == 3 && newest.row.id == waiting && newest.row.ended == 50);
            SOUK_CHECK(newest.row.state == SOUK_JOB_INTERRUPTED &&
                       !strcmp(newest.words, "cut off"));
            newest.count = 0;
            SOUK_MUST(souk_job_rows_each(ledger, running, 1, note, &newest));
            SOUK_CHECK(newest.count == 1 && newest.row.id == running && newest.row.done == 7);
            SOUK_CHECK(newest.row.state == SOUK_JOB_INTERRUPTED);
            SOUK_CHECK(newest.row.err == SOUK_EINTERRUPT);
            newest.count = 0;
            SOUK_MUST(souk_job_rows_each(ledger, ended, 1, note, &newest));
            SOUK_CHECK(newest.row.state == SOUK_JOB_FAILED && newest.row.err == SOUK_EFULL);
        }
    }
}

SOUK_TEST("the last thousand jobs are kept, and no number is given twice")
{
    WITH_LEDGER(ledger)
    {
        int64_t first, id = 0;
        SOUK_MUST(souk_job_row_add(ledger, SOUK_TEXT("verify"), SOUK_TEXT("{}"), 1, &first));
        for (unsigned i = 0; i < SOUK_JOB_ROWS + 20; i++) {
            SOUK_MUST(souk_job_row_add(ledger, SOUK_TEXT("verify"), SOUK_TEXT("{}"), 1, &id));
            SOUK_CHECK(id == first + 1 + i);
            souk_job_row row = {.id = id, .state = SOUK_JOB_DONE, .ended = 2};
            SOUK_MUST(souk_job_row_end(ledger, &row));
        }
        /* The first one has not ended: it is not forgotten. */
        SOUK_CHECK(newest_of(test, ledger).count == SOUK_JOB_ROWS + 1);
    }
}
