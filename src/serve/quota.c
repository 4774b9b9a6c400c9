/* quota.c - buckets in a table of 8 ways: a caller's lie in one of QUOTA_CALLERS / 8 sets, by hash. */
#include "serve/quota.h"

#include "os/thread.h"

enum { WAYS = 8, SETS = SOUK_QUOTA_CALLERS / WAYS };

struct bucket {
    uint64_t caller;      /* 0: free */
    int64_t at_ms;        /* when `thousandths` was true */
    uint64_t thousandths; /* of a request */
};

struct souk_quota {
    souk_mem *mem;
    souk_mutex mutex;
    uint32_t rate;
    struct bucket buckets[SETS][WAYS];
};

souk_err souk_quota_new(souk_mem *mem, uint32_t rate, souk_quota **ret_quota)
{
    souk_assert(rate > 0 && rate <= 1000000);
    souk_quota *quota = souk_mem_get(mem, sizeof *quota);
    if (!quota)
        return SOUK_ENOMEM;
    quota->mem = mem;
    quota->rate = rate;
    souk_mutex_init(&quota->mutex);
    *ret_quota = quota;
    return SOUK_OK;
}

void souk_quota_free(souk_quota *quota)
{
    if (!quota)
        return;
    souk_mutex_done(&quota->mutex);
    souk_mem_put(quota->mem, quota);
}

static uint64_t full(const souk_quota *quota)
{
    return (uint64_t)quota->rate * SOUK_QUOTA_WINDOW_S * 1000;
}

/* What has flowed in meanwhile: `rate` thousandths a millisecond.  A clock that went back gives nothing. */
static void fill(const souk_quota *quota, struct bucket *bucket, int64_t now_ms)
{
    uint64_t room = full(quota) - bucket->thousandths;
    uint64_t passed = now_ms > bucket->at_ms ? (uint64_t)(now_ms - bucket->at_ms) : 0;
    bucket->thousandths += passed > room / quota->rate ? room : passed * quota->rate;
    bucket->at_ms = now_ms;
}

static struct bucket *find(souk_quota *quota, uint64_t caller, int64_t now_ms)
{
    struct bucket *set = quota->buckets[caller % SETS], *best = &set[0];
    for (size_t i = 0; i < WAYS; i++) {
        if (set[i].caller == caller) {
            fill(quota, &set[i], now_ms);
            return &set[i];
        }
        if (set[i].caller)
            fill(quota, &set[i], now_ms);
        if (best->caller && (!set[i].caller || set[i].thousandths > best->thousandths))
            best = &set[i];
    }
    *best = (struct bucket){caller, now_ms, full(quota)};
    return best;
}

souk_quota_answer souk_quota_take(souk_quota *quota, uint64_t caller, int64_t now_ms)
{
    souk_auto_lock(&quota->mutex);
    struct bucket *bucket = find(quota, caller ? caller : 1, now_ms);
    souk_quota_answer answer = {.allowed = bucket->thousandths >= 1000,
                                .quota = quota->rate * SOUK_QUOTA_WINDOW_S};
    if (answer.allowed)
        bucket->thousandths -= 1000;
    uint64_t missing =
        answer.allowed ? full(quota) - bucket->thousandths : 1000 - bucket->thousandths;
    answer.left = (uint32_t)(bucket->thousandths / 1000);
    answer.wait_s =
        (uint32_t)((missing + (uint64_t)quota->rate * 1000 - 1) / ((uint64_t)quota->rate * 1000));
    return answer;
}
