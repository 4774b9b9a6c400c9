/* idempotency.h - a request sent twice under one Idempotency-Key is done once: the first answer is given again.
 *
 *     souk_auto(souk_idempotency) keys = NULL;
 *     SOUK_TRY(souk_idempotency_open(mem, spine, NULL, &keys, diag));
 *     souk_idempotency_handle(keys, call, route);          in a thread that may wait
 *
 * No key: the handler is called.  A key of an answer that is kept: that answer, with Idempotency-Replayed: true.
 * SOUK_EREUSED (422): the key came with another request.  SOUK_ECONFLICT (409): the first is still at work.
 * SOUK_EINVAL (400): no key of 1 to 255 visible characters, or none where the route needs one.
 *
 * Kept     answers of 2xx, sealed, for SOUK_IDEMPOTENCY_KEPT_MS, durable before they are sent; what failed changed
 *          nothing, and its key is free.  A key is its caller's own: another token's is another key
 * Secrets  a secret is in the answer that makes it and nowhere else: of a route with a `secret` the answer is kept
 *          without that member, and says "withheld":"token" in its place.  Who lost it revokes its id, asks for another
 * Once     what a handler did and its answer are two transactions: a power cut between them leaves the deed without
 *          the answer, and the same key does it again.  A handler that runs a plan (souk_call_plan) has both in one;
 *          of a route that `plans` the plan finds the repeat, and where none comes to run, the refusal does
 * Cost     a read before (but for routes that plan), a commit behind each request with a key that is no plan's
 * Source   draft-ietf-httpapi-idempotency-key-header-07; Stripe's API keeps answers in the same way
 * Threads  any */
#ifndef SOUK_SERVE_IDEMPOTENCY_H
#define SOUK_SERVE_IDEMPOTENCY_H

#include "core/service.h"

#define SOUK_IDEMPOTENCY_KEPT_MS SOUK_ONCE_KEPT_MS

typedef struct souk_idempotency souk_idempotency;

/* clock NULL: the spine's. */
SOUK_CHECKED souk_err souk_idempotency_open(souk_mem *mem, souk_spine *spine,
                                            const souk_clock *clock, souk_idempotency **ret_keys,
                                            souk_diag *diag);
/* After the last call was answered. */
void souk_idempotency_free(souk_idempotency *keys);
SOUK_AUTO(souk_idempotency)

/* Calls `handle`, or answers in its place. */
void souk_idempotency_handle(souk_idempotency *keys, souk_call *call, const souk_route *route);

#endif
