/* task.h - how far long work has come, so that it can be watched, cut off and gone on with.
 *
 *     souk_task task;
 *     SOUK_TRY(souk_task_begin(ledger, SOUK_TEXT("import online-retail"), fingerprint, now, &task));
 *     if (task.done) ...                           cut off once: go on from here
 *     SOUK_TRY(souk_task_progress(ledger, &task, done, total, now));
 *     SOUK_TRY(souk_task_end(ledger, &task, now));
 *
 * A task is known by its kind and its subject (a file's fingerprint): beginning it again finds the one
 * that was cut off, or starts over where the last one ended.  What `done` counts must be durable before it
 * is told. */
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
SOUK_CHECKED souk_err souk_task_progress(souk_ledger *ledger, const souk_task *task, uint64_t done,
                                         uint64_t total, souk_time now);
/* In the caller's transaction, for what an item of the work leaves behind and that nothing else keeps
 * single: *ret_first tells whether no run over this subject, whole or cut off, noted the item before.
 * Items count from 1 and are noted in order; notes outlive the end of the task. */
SOUK_CHECKED souk_err souk_task_note(souk_tx *tx, const souk_task *task, uint64_t item,
                                     bool *ret_first);
SOUK_CHECKED souk_err souk_task_end(souk_ledger *ledger, const souk_task *task, souk_time now);

#endif
