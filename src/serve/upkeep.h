/* upkeep.h - what an operator looks after: events that a reader of the log could not take; and as jobs (jobs.h),
 * beside reads and collection:
 *
 *     {"kind":"verify"}                 everything derived compared with the log   result {"done":true,"events":…}
 *     {"kind":"backup","to":"/DIR"}     ledger, keys and erasures as three files   result {"done":true}
 *
 * The ledger's copy gets its name last, so a folder with a `ledger` in it is a whole backup. */
#ifndef SOUK_SERVE_UPKEEP_H
#define SOUK_SERVE_UPKEEP_H

#include "core/service.h"

extern const souk_service souk_upkeep_service;

#endif
