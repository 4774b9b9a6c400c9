/* payload.h - what a delivery tells, read when it is sent and not when it was queued.
 *
 *     souk_buf_clear(&body);
 *     SOUK_TRY(souk_payload_write(payload, endpoint, delivery, &body, &told));
 *
 *     {"type":"Order Completed","timestamp":"2026-01-02T03:04:05.678Z","data":{"position":4711,"event":"Order Completed",
 *      "at":…,"received":…,"store":"SH-014","amount":"12.5","currency":"EUR",
 *      "products":[{"product":"P1","category":"Snacks","quantity":"2","amount":"12.5"}],
 *      "person":{"shopper":"5f0c…","event":{…as it was sent…}}}}
 *
 * Clear in the log are position, times, names and sums; they are told to any endpoint.  The person, by her public id
 * and the event's own text, is told only where the endpoint names a purpose, and she grants that purpose to the operator
 * at this moment: what was withdrawn or erased while the delivery waited is not told.  Then "person" is null, and
 * "withheld" true where she said no; the rest goes out all the same, since totals outlive a person (DESIGN.md, 1).
 * Every repeat asks again.
 *
 * Cost     an event: one row of the ledger, unless the delivery before was of the same block; a person: one block more
 * Threads  one for each souk_payload */
#ifndef SOUK_SERVE_PAYLOAD_H
#define SOUK_SERVE_PAYLOAD_H

#include "serve/outbox.h"

typedef struct souk_payload souk_payload;

SOUK_CHECKED souk_err souk_payload_new(souk_mem *mem, souk_spine *spine,
                                       souk_payload **ret_payload);
void souk_payload_free(souk_payload *payload);
SOUK_AUTO(souk_payload)

typedef enum souk_payload_person {
    SOUK_PAYLOAD_NOBODY, /* there is none, she is erased, or the endpoint names no purpose */
    SOUK_PAYLOAD_TOLD,
    SOUK_PAYLOAD_WITHHELD, /* she does not grant it */
} souk_payload_person;

/* Appends the body.  SOUK_ENOENT: the event is not in the log.  SOUK_ENOMEM, SOUK_EIO, SOUK_ECORRUPT. */
SOUK_CHECKED souk_err souk_payload_write(souk_payload *payload, const souk_endpoint *endpoint,
                                         const souk_delivery *delivery, souk_buf *body,
                                         souk_payload_person *ret_person);

#endif
