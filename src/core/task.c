/* task.c - the table of task.h. */
#include "core/task.h"

static const souk_migration task_steps[] = {
    {1, "CREATE TABLE task ("
        "  id      INTEGER PRIMARY KEY,"
        "  kind    TEXT NOT NULL,"    /* import online-retail */
        "  subject TEXT NOT NULL,"    /* what it works on: a file's fingerprint */
        "  done    INTEGER NOT NULL," /* in units of the kind, durable */
        "  total   INTEGER NOT NULL," /* 0: not known */
        "  begun   INTEGER NOT NULL," /* ms UTC */
        "  told    INTEGER NOT NULL," /* ms UTC of the last progress */
        "  ended   INTEGER,"          /* ms UTC; NULL: running, or cut off */
        "  UNIQUE (kind, subject)"
        ")"},
    /* The last item that was noted, over all runs; what an older program ended it noted whole. */
    {2, "ALTER TABLE task ADD COLUMN noted INTEGER NOT NULL DEFAULT 0;"
        "UPDATE task SET noted = CASE WHEN ended IS NULL THEN done ELSE 9223372036854775807 END"},
};

souk_err souk_task_migrate(souk_ledger *ledger, souk_diag *diag)
{
    return souk_ledger_migrate(ledger, "task", task_steps, sizeof task_steps / sizeof *task_steps,
                               diag);
}

struct telling {
    souk_text kind, subject;
    souk_task task;
    uint64_t done, total;
    souk_time now;
};

static souk_err begin(souk_tx *tx, void *context)
{
    struct telling *telling = context;
    int64_t done = 0;
    SOUK_TRY(souk_sql_run(
        tx,
        "INSERT INTO task (kind, subject, done, total, begun, told) "
        "VALUES (?1, ?2, 0, 0, ?3, ?3) ON CONFLICT (kind, subject) DO UPDATE SET "
        "done = CASE WHEN ended IS NULL THEN done ELSE 0 END, ended = NULL",
        SOUK_VALUES(SOUK_STR(telling->kind), SOUK_STR(telling->subject), SOUK_INT(telling->now))));
    SOUK_TRY(souk_sql_one_int(tx, "SELECT id FROM task WHERE kind = ?1 AND subject = ?2",
                              SOUK_VALUES(SOUK_STR(telling->kind), SOUK_STR(telling->subject)),
                              &telling->task.id));
    SOUK_TRY(souk_sql_one_int(tx, "SELECT done FROM task WHERE id = ?1",
                              SOUK_VALUES(SOUK_INT(telling->task.id)), &done));
    telling->task.done = (uint64_t)done;
    return SOUK_OK;
}

souk_err souk_task_begin(souk_ledger *ledger, souk_text kind, souk_text subject, souk_time now,
                         souk_task *ret_task)
{
    struct telling telling = {.kind = kind, .subject = subject, .now = now};
    SOUK_TRY(souk_ledger_write(ledger, SOUK_LANE_JOB, begin, &telling));
    *ret_task = telling.task;
    return SOUK_OK;
}

static souk_err progress(souk_tx *tx, void *context)
{
    const struct telling *telling = context;
    return souk_sql_run(tx, "UPDATE task SET done = ?2, total = ?3, told = ?4 WHERE id = ?1",
                        SOUK_VALUES(SOUK_INT(telling->task.id), SOUK_INT(telling->done),
                                    SOUK_INT(telling->total), SOUK_INT(telling->now)));
}

souk_err souk_task_progress(souk_ledger *ledger, const souk_task *task, uint64_t done,
                            uint64_t total, souk_time now)
{
    struct telling telling = {.task = *task, .done = done, .total = total, .now = now};
    return souk_ledger_write(ledger, SOUK_LANE_JOB, progress, &telling);
}

souk_err souk_task_note(souk_tx *tx, const souk_task *task, uint64_t item, bool *ret_first)
{
    SOUK_TRY(souk_sql_run(tx, "UPDATE task SET noted = ?2 WHERE id = ?1 AND noted < ?2",
                          SOUK_VALUES(SOUK_INT(task->id), SOUK_INT(item))));
    *ret_first = souk_sql_changed(tx) == 1;
    return SOUK_OK;
}

static souk_err end(souk_tx *tx, void *context)
{
    const struct telling *telling = context;
    return souk_sql_run(tx, "UPDATE task SET ended = ?2, told = ?2 WHERE id = ?1",
                        SOUK_VALUES(SOUK_INT(telling->task.id), SOUK_INT(telling->now)));
}

souk_err souk_task_end(souk_ledger *ledger, const souk_task *task, souk_time now)
{
    struct telling telling = {.task = *task, .now = now};
    return souk_ledger_write(ledger, SOUK_LANE_JOB, end, &telling);
}
