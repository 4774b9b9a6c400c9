/* clerk.h - threads that handle calls, so that the loops which read requests do not.
 *
 *     souk_auto(souk_clerk) clerk = NULL;
 *     SOUK_TRY(souk_clerk_open(mem, "heavy calls", 1, 0, &clerk));
 *     if (!souk_clerk_put(clerk, call, route->handle))
 *         souk_call_fail(call, SOUK_EBUSY);
 *
 * Why      a batch of events takes a third of a millisecond, a new key a commit: who asks for one shopper
 *          meanwhile should not stand behind them.
 * Memory   nothing a call: they hang on one another
 * Cost     a lock and, where the clerk sleeps, one futex wake
 * Threads  put from any; open and free from the owner */
#ifndef SOUK_SERVE_CLERK_H
#define SOUK_SERVE_CLERK_H

#include "core/service.h"

typedef struct souk_clerk souk_clerk;

/* Of 1 to SOUK_CLERK_THREADS threads; at most `most` calls wait, 0: as many as there are.  The name is cut at 15
 * bytes.  SOUK_ENOMEM.  SOUK_EBUSY: no thread left. */
enum { SOUK_CLERK_THREADS = 64 };
SOUK_CHECKED souk_err souk_clerk_open(souk_mem *mem, const char *name, unsigned threads,
                                      size_t most, souk_clerk **ret_clerk);
/* Handles what waits, then ends. */
void souk_clerk_free(souk_clerk *clerk);
SOUK_AUTO(souk_clerk)

/* handle(call) in a thread of the clerk's, begun in the order of the puts.  False: too many wait, the call is still
 * the caller's. */
SOUK_CHECKED bool souk_clerk_put(souk_clerk *clerk, souk_call *call,
                                 void (*handle)(souk_call *call));

/* Silent: calls waited at the last probe, and none was begun since.  From one thread. */
void souk_clerk_probe(souk_clerk *clerk);
bool souk_clerk_is_silent(souk_clerk *clerk);

#endif
