/* writer.h - the thread that commits: three lanes of jobs in, groups of one transaction each, answers
 * out.  Private to store/; ledger.h tells what it promises.
 *
 *     souk_auto(souk_writer) writer = NULL;
 *     SOUK_TRY(souk_writer_new(mem, tx, &options, &writer));
 *     SOUK_TRY(souk_writer_submit(writer, &my->job));
 *     souk_writer_stop(writer, false);                finishes what is queued
 *
 * Threads  any; the connection belongs to the writer's thread until stop has returned. */
#ifndef SOUK_STORE_WRITER_H
#define SOUK_STORE_WRITER_H

#include "store/ledger_backend.h"

typedef struct souk_writer souk_writer;

/* Starts the thread (unless options->no_thread) and, where the backend writes in parallel, the tills, which
 * connect to the place themselves; options with their defaults filled in.  The connection must outlive the
 * writer.
 * SOUK_ENOMEM.  SOUK_EBUSY: no thread to be had. */
SOUK_CHECKED souk_err souk_writer_new(souk_mem *mem, souk_tx *tx, void *place,
                                      const souk_ledger_options *options, souk_writer **ret_writer);
/* Ends the thread: after everything queued, or (abandon) after the running group, the rest being
 * told SOUK_ESTOPPED.  A second call does nothing. */
void souk_writer_stop(souk_writer *writer, bool abandon);
/* Abandons where nobody stopped it. */
void souk_writer_free(souk_writer *writer);
SOUK_AUTO(souk_writer)

SOUK_CHECKED souk_err souk_writer_write(souk_writer *writer, enum souk_lane lane,
                                        souk_tx_closure *apply, void *context);
SOUK_CHECKED souk_err souk_writer_submit(souk_writer *writer, souk_job *job);
/* One attempt, between two groups.  SOUK_EBUSY: readers stand in the way of truncating. */
SOUK_CHECKED souk_err souk_writer_checkpoint(souk_writer *writer, bool truncate);
/* From within a closure. */
void souk_writer_watch(souk_writer *writer, souk_watch *watch, bool on);
void souk_writer_hold(souk_writer *writer);
void souk_writer_release(souk_writer *writer);
/* SOUK_EIO once a sync has failed, SOUK_OK before. */
souk_err souk_writer_failed(souk_writer *writer);
void souk_writer_count(souk_writer *writer, souk_ledger_counters *ret_counters);
void souk_writer_found_room(souk_writer *writer);

#endif
