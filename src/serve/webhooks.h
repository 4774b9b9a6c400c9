/* webhooks.h - events told to other servers, signed by Standard Webhooks.  All need a token with the scope admin.
 *
 *     GET    /v1/webhooks                            the endpoints, with what waits for each
 *     POST   /v1/webhooks                            {"url":…,"events":["Order Completed"],"stores":[],"rate":50,
 *                                                     "purpose":"serve","enabled":true}     {…,"secret":"whsec_…"}
 *     GET    /v1/webhooks/{id}                       with its version as ETag
 *     PUT    /v1/webhooks/{id}                       the same members, under If-Match
 *     DELETE /v1/webhooks/{id}
 *     POST   /v1/webhooks/{id}/rotate                {"keep_s":86400}: both secrets sign for so long
 *     POST   /v1/webhooks/{id}/test                  a delivery that only says that it arrives
 *     GET    /v1/webhooks/{id}/deliveries            ?state=dead&before=ID
 *     POST   /v1/webhooks/{id}/deliveries/{delivery}/retry
 *
 * A secret is in the answer that makes it and nowhere else.  An url is looked up when it is given, and its addresses
 * again at each connection (posts.h).  docs/webhooks.md is the page for who receives them.
 *
 * The sender runs where somebody starts it, which is `souk serve`; commands beside it only change and look. */
#ifndef SOUK_SERVE_WEBHOOKS_H
#define SOUK_SERVE_WEBHOOKS_H

#include "base/log.h"
#include "core/service.h"
#include "serve/target.h"

typedef struct souk_webhooks_options { /* {0} is the sane default */
    souk_target_allowed allowed;
    int64_t first_wait_ms; /* pace.h; 0: 5,000 */
    int64_t deadline_ms;   /* of a try; 0: 15,000 */
} souk_webhooks_options;

extern const souk_service souk_webhooks_service;

/* state: the service's.  Before its first call. */
void souk_webhooks_set(void *state, const souk_webhooks_options *options);
/* From now on deliveries go out.  SOUK_EBUSY, SOUK_ENOMEM. */
SOUK_CHECKED souk_err souk_webhooks_start(void *state, souk_log *log);

#endif
