/* jobs_private.h - what jobs.c (the thread) shows jobs_routes.c (the routes). */
#ifndef SOUK_SERVE_JOBS_PRIVATE_H
#define SOUK_SERVE_JOBS_PRIVATE_H

#include "core/task.h"
#include "serve/jobs.h"

/* What of a job is in memory only, or not yet stored: row holds for the job row.id (0: none). */
struct jobs_now {
    souk_job_row row; /* id, state, done, total, ended, err, and the texts below */
    char words[sizeof((souk_diag *)0)->words];
    souk_buf result;
};

/* Queues a job of this kind; arguments are copied.
 * SOUK_EINVAL: no such kind.  SOUK_EBUSY: too many wait.  SOUK_ESTOPPED. */
SOUK_CHECKED souk_err jobs_ask(souk_jobs *jobs, souk_text kind, souk_text arguments,
                               int64_t *ret_id, souk_diag *diag);
/* SOUK_ENOENT: it neither waits nor runs. */
SOUK_CHECKED souk_err jobs_cancel(souk_jobs *jobs, int64_t id);
/* A copy of what is known now, its texts in the arena. */
souk_job_row jobs_now(souk_jobs *jobs, souk_arena *arena);
/* "bytes" for "import"; empty for a kind that nobody offers any more. */
const char *jobs_unit(const souk_jobs *jobs, souk_text kind);

#endif
