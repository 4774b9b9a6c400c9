/* clock.c - the machine's clock and the one a test moves by hand. */
#include "os/clock.h"

#include <time.h>

static int64_t read_ns(clockid_t id)
{
    struct timespec at;
    int failed = clock_gettime(id, &at);
    souk_assert(!failed);
    return (int64_t)at.tv_sec * 1000000000 + at.tv_nsec;
}

static int64_t real_now_ms(const souk_clock *self)
{
    (void)self;
    return read_ns(CLOCK_REALTIME) / 1000000;
}

static int64_t real_monotonic_ns(const souk_clock *self)
{
    (void)self;
    return read_ns(CLOCK_MONOTONIC);
}

static int64_t real_cpu_ns(const souk_clock *self)
{
    (void)self;
    return read_ns(CLOCK_PROCESS_CPUTIME_ID);
}

const souk_clock *souk_clock_real(void)
{
    static const souk_clock real = {real_now_ms, real_monotonic_ns, real_cpu_ns};
    return &real;
}

static int64_t fake_now_ms(const souk_clock *self)
{
    return __atomic_load_n(&((const souk_clock_fake *)self)->now_ms, __ATOMIC_ACQUIRE);
}

static int64_t fake_monotonic_ns(const souk_clock *self)
{
    return __atomic_load_n(&((const souk_clock_fake *)self)->monotonic_ns, __ATOMIC_ACQUIRE);
}

static int64_t fake_cpu_ns(const souk_clock *self)
{
    return __atomic_load_n(&((const souk_clock_fake *)self)->cpu_ns, __ATOMIC_ACQUIRE);
}

void souk_clock_fake_init(souk_clock_fake *fake, int64_t now_ms)
{
    *fake = (souk_clock_fake){
        {fake_now_ms, fake_monotonic_ns, fake_cpu_ns}, now_ms, 1000000000, 1000000000};
}

void souk_clock_fake_advance(souk_clock_fake *fake, int64_t by_ms)
{
    souk_assert(by_ms >= 0);
    __atomic_fetch_add(&fake->now_ms, by_ms, __ATOMIC_ACQ_REL);
    __atomic_fetch_add(&fake->monotonic_ns, by_ms * 1000000, __ATOMIC_ACQ_REL);
}

void souk_clock_fake_set_now(souk_clock_fake *fake, int64_t now_ms)
{
    __atomic_store_n(&fake->now_ms, now_ms, __ATOMIC_RELEASE);
}

void souk_clock_fake_burn(souk_clock_fake *fake, int64_t by_ms)
{
    souk_clock_fake_advance(fake, by_ms);
    __atomic_fetch_add(&fake->cpu_ns, by_ms * 1000000, __ATOMIC_ACQ_REL);
}
