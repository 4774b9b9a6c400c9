/* task.h - how far long work has come, so that it can be watched, cut off and gone on with.
 *
 *     souk_task task;
 *     SOUK_TRY(souk_task_begin(ledger, SOUK_TEXT("import online-retail"), fingerprint, now, &task));
 *     if (task.done) ...                           cut off once: go on from here
 *     SOUK_TRY(souk_task_progress(tx, &task, done, total, now));
 *     SOUK_TRY(souk_task_end(ledger, &task, now));
 *
 * A task is known by its kind and its subject (a file's fingerprint): beginning it again finds the one
 * that was cut off, or starts over where the last one ended.  What `done` counts must be durable before it
 * is told.
 *
 * A job is one run of such work that somebody asked for, kept for whoever asks later what became of it:
 *
 *     SOUK_TRY(souk_job_row_add(ledger, SOUK_TEXT("import"), arguments, now, &id));       waiting
 *     SOUK_TRY(souk_job_row_start(ledger, id, now));                                      running
 *     SOUK_TRY(souk_job_row_tell(ledger, id, done, total));
 *     SOUK_TRY(souk_job_row_end(ledger, &row));                    done, failed or cancelled
 *
 * When the folder is opened nothing runs: souk_job_rows_interrupt tells so of every job that had not ended.
 * The last SOUK_JOB_ROWS jobs are kept. */
#ifndef SOUK_CORE_TASK_H
#define SOUK_CORE_TASK_H

#include "base/time.h"
#include "store/ledger.h"

typedef struct souk_task {
    int64_t id;
    uint64_t done; /* where the last run was cut off; 0 for a fresh one */
} souk_task;

SOUK_CHECKED souk_err souk_task_migrate(souk_ledger *ledger, souk_diag *diag);
SOUK_CHECKED souk_err souk_task_begin(souk_ledger *ledger, souk_text kind, souk_text subject,
                                      souk_time now, souk_task *ret_task);
/* In the caller's transaction. */
SOUK_CHECKED souk_err souk_task_progress(souk_tx *tx, const souk_task *task, uint64_t done,
                                         uint64_t total, souk_time now);
/* In the caller's transaction, for what an item of the work leaves behind and that nothing else keeps
 * single: *ret_first tells whether no run over this subject, whole or cut off, noted the item before.
 * Items count from 1 and are noted in order; notes outlive the end of the task. */
SOUK_CHECKED souk_err souk_task_note(souk_tx *tx, const souk_task *task, uint64_t item,
                                     bool *ret_first);
SOUK_CHECKED souk_err souk_task_end(souk_ledger *ledger, const souk_task *task, souk_time now);

/* ---- jobs ---------------------------------------------------------------------------------------- */

enum { SOUK_JOB_ROWS = 1000 };

/*    name         word */
#define SOUK_JOB_STATES(X)                                                  \
    X(WAITING, "waiting")                                                   \
    X(RUNNING, "running")                                                   \
    X(DONE, "done")                                                         \
    X(FAILED, "failed")                                                     \
    X(CANCELLED, "cancelled")     /* somebody said so, or pressed Ctrl-C */ \
    X(INTERRUPTED, "interrupted") /* the server stopped, or ended, in the middle */
typedef enum souk_job_state {
#define SOUK_JOB_STATE_ENUM(name, word) SOUK_JOB_##name,
    SOUK_JOB_STATES(SOUK_JOB_STATE_ENUM)
#undef SOUK_JOB_STATE_ENUM
        SOUK_JOB_STATE_COUNT
} souk_job_state;
const char *souk_job_state_word(souk_job_state state);

typedef struct souk_job_row {  /* texts live until `each` returns */
    int64_t id;                /* from 1, never given again */
    souk_text kind, arguments; /* arguments: a JSON object */
    souk_job_state state;
    uint64_t done, total;           /* in units of the kind; total 0: not known */
    souk_time made, started, ended; /* 0: not yet */
    souk_err err;                   /* of a job that ended otherwise than well */
    souk_text words;                /* what went wrong, and what to do */
    souk_text result;               /* of one that is done: a JSON value */
} souk_job_row;

SOUK_CHECKED souk_err souk_job_row_add(souk_ledger *ledger, souk_text kind, souk_text arguments,
                                       souk_time now, int64_t *ret_id);
SOUK_CHECKED souk_err souk_job_row_start(souk_ledger *ledger, int64_t id, souk_time now);
SOUK_CHECKED souk_err souk_job_row_tell(souk_ledger *ledger, int64_t id, uint64_t done,
                                        uint64_t total);
/* Writes state, done, total, ended, err, words and result of the row with this id. */
SOUK_CHECKED souk_err souk_job_row_end(souk_ledger *ledger, const souk_job_row *row);
/* Whatever waits or runs is interrupted now. */
SOUK_CHECKED souk_err souk_job_rows_interrupt(souk_ledger *ledger, souk_text words, souk_time now);
/* Calls each with the jobs, the newest first, from `before` (INT64_MAX: the last) down; at most `most`.
 * Within a read of the ledger: keep it short. */
SOUK_CHECKED souk_err souk_job_rows_each(souk_ledger *ledger, int64_t before, unsigned most,
                                         souk_err (*each)(void *context, const souk_job_row *row),
                                         void *context);

#endif
