/* quarantine.h - events that a reader of the log could not take: kept by position, told, passed over.
 *
 *     SOUK_TRY(souk_quarantine_put(tx, SOUK_TEXT("index"), position, SOUK_EOVERFLOW, now));
 *
 * The event itself stays in the log and counts as durable; what is missing is one reader's output for it.  So a
 * row is an alarm (souk_quarantined in /metrics, GET /v1/quarantine) and a place to come back to once the
 * reader is mended.
 * Threads  put and forget in a writing closure, list in any. */
#ifndef SOUK_CORE_QUARANTINE_H
#define SOUK_CORE_QUARANTINE_H

#include "base/time.h"
#include "store/ledger.h"

SOUK_CHECKED souk_err souk_quarantine_migrate(souk_ledger *ledger, souk_diag *diag);

/* Once for each (reader, position): a repeat changes nothing. */
SOUK_CHECKED souk_err souk_quarantine_put(souk_tx *tx, souk_text reader, uint64_t position,
                                          souk_err why, souk_time now);
/* The event was taken after all.  SOUK_ENOENT. */
SOUK_CHECKED souk_err souk_quarantine_forget(souk_tx *tx, souk_text reader, uint64_t position);

typedef struct souk_quarantined {
    souk_text reader;
    uint64_t position;
    souk_err why;
    souk_time at;
} souk_quarantined;
/* In order of reader and position, at most `most` behind (after_reader, after_position). */
SOUK_CHECKED souk_err
souk_quarantine_list(souk_tx *tx, souk_text after_reader, uint64_t after_position, size_t most,
                     souk_err (*each)(void *context, const souk_quarantined *row), void *context);
SOUK_CHECKED souk_err souk_quarantine_count(souk_tx *tx, uint64_t *ret_count);

#endif
