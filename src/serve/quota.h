/* quota.h - how often each caller may ask: a bucket of requests for each token, filled evenly.
 *
 *     souk_quota_answer quota = souk_quota_take(quotas, souk_hash64(…token…), now_ms);
 *     if (!quota.allowed)                       429, Retry-After: quota.wait_s
 *
 * A caller may spend rate x window at once, then `rate` a second.  Nobody's bucket is kept longer than it takes to
 * fill: a caller who is not known has a full one.
 *
 * Memory   QUOTA_CALLERS buckets; above, the one that is fullest goes, which costs its caller nothing much
 * Source   token bucket; draft-ietf-httpapi-ratelimit-headers-10 for how it is told
 * Threads  any */
#ifndef SOUK_SERVE_QUOTA_H
#define SOUK_SERVE_QUOTA_H

#include "base/err.h"
#include "base/mem.h"

enum { SOUK_QUOTA_CALLERS = 4096, SOUK_QUOTA_WINDOW_S = 10 };

typedef struct souk_quota souk_quota;

/* rate: requests a second of each caller, 1 to 1,000,000. */
SOUK_CHECKED souk_err souk_quota_new(souk_mem *mem, uint32_t rate, souk_quota **ret_quota);
void souk_quota_free(souk_quota *quota);
SOUK_AUTO(souk_quota)

typedef struct souk_quota_answer {
    bool allowed;
    uint32_t quota, left; /* of requests: in a window, and now */
    uint32_t wait_s;      /* until the bucket is full, or, where not allowed, until there is one */
} souk_quota_answer;
souk_quota_answer souk_quota_take(souk_quota *quota, uint64_t caller, int64_t now_ms);

#endif
