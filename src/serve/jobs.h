/* jobs.h - long work beside the server's own: one at a time, watched, cancelled, never lost from sight.
 *
 *     GET  /v1/jobs                 the last ones, newest first          ?before=ID
 *     GET  /v1/jobs/{id}            {"id":7,"kind":"import","state":"running","done":…,"total":…,"unit":"bytes",…}
 *     POST /v1/jobs/{id}/cancel     what is done by then stays
 *     POST /v1/jobs                 {"kind":"import",…}: only over the control socket, whose callers own the
 *                                   machine's files as the server does; a job reads and writes them by path
 *
 *     souk_auto(souk_jobs) jobs = NULL;
 *     SOUK_TRY(souk_jobs_open(mem, spine, merchants, &jobs));
 *     souk_jobs_offer(jobs, service, state);              each service, with the work it offers
 *     SOUK_TRY(souk_jobs_start(jobs));
 *     …
 *     souk_jobs_stop(jobs);                               tells the running one to end; free waits for it
 *
 * A job waits, runs, and then is done, failed (with words), cancelled, or interrupted: the server stopped, or
 * ended, in the middle.  Nothing begins again by itself: a file that broke the server once would break it
 * at every start.  Asked again, an import goes on where it was.
 *
 * Durable  every change of state, and once a second how far it is.  Where the end cannot be stored (a full
 *          disk), it is told from memory until the server ends.
 * Limits   SOUK_JOBS_WAITING wait behind the running one: above, SOUK_EBUSY.  The last 1,000 are kept
 * Threads  any; jobs run in one thread of their own. */
#ifndef SOUK_SERVE_JOBS_H
#define SOUK_SERVE_JOBS_H

#include "core/service.h"

enum { SOUK_JOBS_WAITING = 16 };

typedef struct souk_jobs souk_jobs;

/* Tells of what ran when the folder was last open that it was interrupted. */
SOUK_CHECKED souk_err souk_jobs_open(souk_mem *mem, souk_spine *spine, souk_merchants *merchants,
                                     souk_jobs **ret_jobs);
void souk_jobs_free(souk_jobs *jobs);
SOUK_AUTO(souk_jobs)

void souk_jobs_offer(souk_jobs *jobs, const souk_service *service, void *state);
SOUK_CHECKED souk_err souk_jobs_start(souk_jobs *jobs);
/* No job begins any more, and the running one ends at the next word of progress. */
void souk_jobs_stop(souk_jobs *jobs);

/* The routes above; its state is the souk_jobs. */
extern const souk_service souk_jobs_service;

#endif
