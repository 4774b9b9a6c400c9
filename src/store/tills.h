/* tills.h - threads that run tills where the database lets several commit at once; private to store/.
 *
 *     SOUK_TRY(souk_tills_new(mem, &souk_ledger_postgres, place, &options, &tills));
 *     SOUK_TRY(souk_tills_submit(tills, &my->job));        the next free thread takes it
 *     souk_tills_stop(tills, false);                       finishes what is queued
 *
 * Each of options.writers threads has a connection of its own, made with its first job, and runs one closure at a
 * time as one transaction, READ COMMITTED.  A closure that lost against another (SOUK_ERETRY: a deadlock, a lock that
 * was held too long, a connection that broke) runs again, ATTEMPTS times, after pauses that grow.  Jobs start in the
 * order of submission; they may end in another.
 *
 * Where nobody knows whether a commit happened the tills have failed, as the writer does: see ledger.h.
 *
 * Threads  any */
#ifndef SOUK_STORE_TILLS_H
#define SOUK_STORE_TILLS_H

#include "store/latency.h"
#include "store/ledger_backend.h"

typedef struct souk_tills souk_tills;

/* SOUK_ENOMEM.  SOUK_EBUSY: no thread to be had. */
SOUK_CHECKED souk_err souk_tills_new(souk_mem *mem, const souk_ledger_backend *backend, void *place,
                                     const souk_ledger_options *options, souk_tills **ret_tills);
/* Ends the threads: after everything queued, or (abandon) after what runs, the rest being told SOUK_ESTOPPED. */
void souk_tills_stop(souk_tills *tills, bool abandon);
/* Abandons where nobody stopped them.  NULL is fine. */
void souk_tills_free(souk_tills *tills);
SOUK_AUTO(souk_tills)

/* As souk_ledger_submit; `after` is called in the thread that ran the job. */
SOUK_CHECKED souk_err souk_tills_submit(souk_tills *tills, souk_job *job);
void souk_tills_hold(souk_tills *tills);
void souk_tills_release(souk_tills *tills);
/* Whether the calling thread is one of them. */
bool souk_tills_is_inside(const souk_tills *tills);
souk_err souk_tills_failed(souk_tills *tills);
void souk_tills_found_room(souk_tills *tills);
/* Adds theirs. */
void souk_tills_count(souk_tills *tills, souk_ledger_counters *counters, struct latency *commits);

#endif
