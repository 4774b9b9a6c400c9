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

static const souk_migration job_steps[] = {
    {1, "CREATE TABLE job ("
        "  id        INTEGER PRIMARY KEY AUTOINCREMENT,"
        "  kind      TEXT NOT NULL,"
        "  arguments TEXT NOT NULL," /* JSON: what it was asked to do */
        "  state     INTEGER NOT NULL CHECK (state BETWEEN 0 AND 5)," /* souk_job_state */
        "  done      INTEGER NOT NULL DEFAULT 0,"                     /* in units of the kind */
        "  total     INTEGER NOT NULL DEFAULT 0,"                     /* 0: not known */
        "  made      INTEGER NOT NULL,"                               /* ms UTC */
        "  started   INTEGER NOT NULL DEFAULT 0,"                     /* ms UTC; 0: not yet */
        "  ended     INTEGER NOT NULL DEFAULT 0,"                     /* ms UTC; 0: not yet */
        "  err       TEXT NOT NULL DEFAULT 'OK',"                     /* name of a souk_err */
        "  words     TEXT NOT NULL DEFAULT '',"
        "  result    TEXT NOT NULL DEFAULT ''," /* JSON */
        "  CHECK ((ended = 0) = (state IN (0, 1)))"
        ")"},
};

souk_err souk_task_migrate(souk_ledger *ledger, souk_diag *diag)
{
    SOUK_TRY(souk_ledger_migrate(ledger, "task", task_steps, sizeof task_steps / sizeof *task_steps,
                                 diag));
    return souk_ledger_migrate(ledger, "job", job_steps, sizeof job_steps / sizeof *job_steps,
                               diag);
}

struct telling {
    souk_text kind, subject;
    souk_task task;
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
        "done = CASE WHEN task.ended IS NULL THEN task.done ELSE 0 END, ended = NULL",
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

souk_err souk_task_progress(souk_tx *tx, const souk_task *task, uint64_t done, uint64_t total,
                            souk_time now)
{
    return souk_sql_run(
        tx, "UPDATE task SET done = ?2, total = ?3, told = ?4 WHERE id = ?1",
        SOUK_VALUES(SOUK_INT(task->id), SOUK_INT(done), SOUK_INT(total), SOUK_INT(now)));
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

/* ---- jobs ---------------------------------------------------------------------------------------- */

static const char *const state_words[SOUK_JOB_STATE_COUNT] = {
#define SOUK_JOB_STATE_WORD(name, word) word,
    SOUK_JOB_STATES(SOUK_JOB_STATE_WORD)
#undef SOUK_JOB_STATE_WORD
};

const char *souk_job_state_word(souk_job_state state)
{
    souk_assert((unsigned)state < SOUK_JOB_STATE_COUNT);
    return state_words[state];
}

static souk_err add_row(souk_tx *tx, void *context)
{
    souk_job_row *row = context;
    SOUK_TRY(souk_sql_one_int(
        tx, "INSERT INTO job (kind, arguments, state, made) VALUES (?1, ?2, 0, ?3) RETURNING id",
        SOUK_VALUES(SOUK_STR(row->kind), SOUK_STR(row->arguments), SOUK_INT(row->made)), &row->id));
    return souk_sql_run(tx, "DELETE FROM job WHERE id <= ?1 AND ended <> 0",
                        SOUK_VALUES(SOUK_INT(row->id - SOUK_JOB_ROWS)));
}

souk_err souk_job_row_add(souk_ledger *ledger, souk_text kind, souk_text arguments, souk_time now,
                          int64_t *ret_id)
{
    souk_job_row row = {.kind = kind, .arguments = arguments, .made = now};
    SOUK_TRY(souk_ledger_write(ledger, SOUK_LANE_JOB, add_row, &row));
    *ret_id = row.id;
    return SOUK_OK;
}

static souk_err start_row(souk_tx *tx, void *context)
{
    const souk_job_row *row = context;
    SOUK_TRY(souk_sql_run(tx, "UPDATE job SET state = 1, started = ?2 WHERE id = ?1 AND state = 0",
                          SOUK_VALUES(SOUK_INT(row->id), SOUK_INT(row->started))));
    return souk_sql_changed(tx) == 1 ? SOUK_OK : SOUK_ECONFLICT;
}

souk_err souk_job_row_start(souk_ledger *ledger, int64_t id, souk_time now)
{
    souk_job_row row = {.id = id, .started = now};
    return souk_ledger_write(ledger, SOUK_LANE_JOB, start_row, &row);
}

static souk_err tell_row(souk_tx *tx, void *context)
{
    const souk_job_row *row = context;
    return souk_sql_run(tx, "UPDATE job SET done = ?2, total = ?3 WHERE id = ?1 AND state = 1",
                        SOUK_VALUES(SOUK_INT(row->id), SOUK_INT(row->done), SOUK_INT(row->total)));
}

souk_err souk_job_row_tell(souk_ledger *ledger, int64_t id, uint64_t done, uint64_t total)
{
    souk_job_row row = {.id = id, .done = done, .total = total};
    return souk_ledger_write(ledger, SOUK_LANE_JOB, tell_row, &row);
}

static souk_err end_row(souk_tx *tx, void *context)
{
    const souk_job_row *row = context;
    SOUK_TRY(souk_sql_run(tx,
                          "UPDATE job SET state = ?2, done = ?3, total = ?4, ended = ?5, err = ?6, "
                          "words = ?7, result = ?8 WHERE id = ?1 AND ended = 0",
                          SOUK_VALUES(SOUK_INT(row->id), SOUK_INT(row->state), SOUK_INT(row->done),
                                      SOUK_INT(row->total), SOUK_INT(row->ended),
                                      SOUK_STR(souk_text_of(souk_err_name(row->err))),
                                      SOUK_STR(row->words), SOUK_STR(row->result))));
    return souk_sql_changed(tx) == 1 ? SOUK_OK : SOUK_ECONFLICT;
}

souk_err souk_job_row_end(souk_ledger *ledger, const souk_job_row *row)
{
    souk_job_row ended = *row;
    return souk_ledger_write(ledger, SOUK_LANE_JOB, end_row, &ended);
}

static souk_err count_open(souk_tx *tx, void *context)
{
    return souk_sql_one_int(tx, "SELECT count(*) FROM job WHERE ended = 0", SOUK_NO_VALUES,
                            context);
}

static souk_err interrupt_rows(souk_tx *tx, void *context)
{
    const souk_job_row *row = context;
    return souk_sql_run(tx,
                        "UPDATE job SET state = 5, ended = ?1, err = 'EINTERRUPT', words = ?2 "
                        "WHERE ended = 0",
                        SOUK_VALUES(SOUK_INT(row->ended), SOUK_STR(row->words)));
}

souk_err souk_job_rows_interrupt(souk_ledger *ledger, souk_text words, souk_time now)
{
    souk_job_row row = {.words = words, .ended = now};
    int64_t count;
    SOUK_TRY(souk_ledger_read(ledger, count_open, &count));
    return count ? souk_ledger_write(ledger, SOUK_LANE_JOB, interrupt_rows, &row) : SOUK_OK;
}

struct listing {
    int64_t before;
    unsigned most;
    souk_err (*each)(void *context, const souk_job_row *row);
    void *context;
};

/* SOUK_EVERSION of a name that this program does not know. */
static souk_err err_of(souk_text name)
{
    for (unsigned i = 0; i < SOUK_ERR_COUNT; i++)
        if (souk_text_equal(name, souk_text_of(souk_err_name((souk_err)i))))
            return (souk_err)i;
    return SOUK_EVERSION;
}

static souk_err list_rows(souk_tx *tx, void *context)
{
    const struct listing *listing = context;
    souk_auto_value(souk_rows) rows = {0};
    SOUK_TRY(souk_rows_begin(tx,
                             "SELECT id, kind, arguments, state, done, total, made, started, "
                             "ended, err, words, result FROM job WHERE id <= ?1 "
                             "ORDER BY id DESC LIMIT ?2",
                             SOUK_VALUES(SOUK_INT(listing->before), SOUK_INT(listing->most)),
                             &rows));
    while (souk_rows_next(&rows)) {
        souk_job_row row = {.id = souk_rows_int(&rows, 0),
                            .kind = souk_rows_text(&rows, 1),
                            .arguments = souk_rows_text(&rows, 2),
                            .state = (souk_job_state)souk_rows_int(&rows, 3),
                            .done = (uint64_t)souk_rows_int(&rows, 4),
                            .total = (uint64_t)souk_rows_int(&rows, 5),
                            .made = souk_rows_int(&rows, 6),
                            .started = souk_rows_int(&rows, 7),
                            .ended = souk_rows_int(&rows, 8),
                            .err = err_of(souk_rows_text(&rows, 9)),
                            .words = souk_rows_text(&rows, 10),
                            .result = souk_rows_text(&rows, 11)};
        SOUK_TRY(listing->each(listing->context, &row));
    }
    return souk_rows_check(&rows);
}

souk_err souk_job_rows_each(souk_ledger *ledger, int64_t before, unsigned most,
                            souk_err (*each)(void *context, const souk_job_row *row), void *context)
{
    struct listing listing = {before, most, each, context};
    return souk_ledger_read(ledger, list_rows, &listing);
}
