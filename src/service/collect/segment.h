/* segment.h - the Segment protocol as routes: /v1/batch and the single calls.
 *
 *     POST /v1/batch   {"batch":[{"type":"track","event":"Product Viewed","userId":"u1",…},…]}
 *     POST /v1/track   {"event":"Product Viewed","userId":"u1",…}      and identify, page, screen, …
 *
 *     POST /v1/b, /v1/import, /beacon/v1/batch                         batches of other clients of the protocol
 *     POST /v1/t, i, p, s, g, a                                        single calls of Segment's browser client
 *
 * The write key comes as the user of Basic authorization, as writeKey in the body or in the query.  Any
 * Content-Type; gzip is recognised by its first bytes, capped inflated as the body is (limits of the call).
 * 200 {"success":true}: every event is durable, or stands in the rejects with its fault.  400: not JSON.
 * 401: no write key of ours.  413: too large.  503 with Retry-After: nothing was stored, send again. */
#ifndef SOUK_SERVICE_COLLECT_SEGMENT_H
#define SOUK_SERVICE_COLLECT_SEGMENT_H

#include "core/service.h"
#include "service/collect/intake.h"

SOUK_CHECKED souk_err souk_collect_open(souk_mem *mem, souk_spine *spine, souk_merchants *merchants,
                                        void **ret_state);
void souk_collect_close(void *state);

/* The write key of the header or the query.  SOUK_EUNAUTH with words. */
SOUK_CHECKED souk_err souk_collect_key(souk_call *call, souk_text *ret_key);
/* The caller of a write key; `key` as the body or the path told it, empty: that of the header or the query.
 * SOUK_EUNAUTH with words. */
SOUK_CHECKED souk_err souk_collect_caller(souk_call *call, souk_text key);
/* {"success":true}, or the problem. */
void souk_collect_answer(souk_call *call, souk_err err);

void souk_collect_batch(souk_call *call);
void souk_collect_one(souk_call *call);

/* Takes a reject again, as it is or mended (an event as JSON), waits until it is durable and removes the
 * reject.  What came by a single call is of that call's type, unless the mended event names its own.
 * SOUK_EINVAL: still at fault.  SOUK_ENOENT. */
SOUK_CHECKED souk_err souk_collect_replay(souk_collect *state, souk_call *call, uint64_t reject_id,
                                          souk_text mended);

extern const souk_service souk_collect_service;

#endif
