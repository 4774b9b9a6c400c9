/* import_saying.h - what a row of a list of consents says, as an event "Consent Given" or "Consent Withdrawn".
 *
 *     SOUK_TRY(import_saying(sink, &entry->consent, &body, &event));        body: its JSON
 *
 * The event's identity is all that the row says, so a list again adds nothing. */
#ifndef SOUK_SERVICE_COLLECT_IMPORT_SAYING_H
#define SOUK_SERVICE_COLLECT_IMPORT_SAYING_H

#include "service/collect/import_format.h"

/* The event points to the texts of `told`; body is cleared first. */
SOUK_CHECKED souk_err import_saying(const souk_import_sink *sink, const souk_consent_told *told,
                                    souk_buf *body, souk_event *ret_event);

#endif
