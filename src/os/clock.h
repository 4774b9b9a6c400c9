/* clock.h - what time is it: a parameter, so that a test decides.
 *
 *     souk_till till = {.clock = souk_clock_real()};
 *     int64_t sold_ms = souk_clock_now_ms(till.clock);
 *
 *     souk_clock_fake noon;
 *     souk_clock_fake_init(&noon, 1767268800000);
 *     souk_till test_till = {.clock = &noon.clock};
 *     souk_clock_fake_advance(&noon, 90 * 1000);          a minute and a half later, at once
 *
 * now_ms is the calendar: milliseconds UTC since 1970 without leap seconds; it can jump when the
 * machine's clock is set.  monotonic_ns never goes back: durations and deadlines are made of it.
 * cpu_ns is what all threads of the process have burnt together.
 *
 * Cost     now and monotonic: no system call (vDSO); cpu: one.
 * Threads  both clocks may be read and the fake one moved from any thread. */
#ifndef SOUK_OS_CLOCK_H
#define SOUK_OS_CLOCK_H

#include "base/err.h"

typedef struct souk_clock souk_clock;
struct souk_clock {
    int64_t (*now_ms)(const souk_clock *self);
    int64_t (*monotonic_ns)(const souk_clock *self);
    int64_t (*cpu_ns)(const souk_clock *self);
};

/* The machine's clock. */
const souk_clock *souk_clock_real(void);

static inline int64_t souk_clock_now_ms(const souk_clock *clock)
{
    return clock->now_ms(clock);
}
static inline int64_t souk_clock_monotonic_ns(const souk_clock *clock)
{
    return clock->monotonic_ns(clock);
}
static inline int64_t souk_clock_cpu_ns(const souk_clock *clock)
{
    return clock->cpu_ns(clock);
}

/* Stands still until it is told to move.  Waits on threads and sockets do not obey it. */
typedef struct souk_clock_fake {
    souk_clock clock;                     /* first: what the code under test is handed */
    int64_t now_ms, monotonic_ns, cpu_ns; /* private */
} souk_clock_fake;

/* monotonic and cpu time begin at one second, so that "an instant ago" is no negative number. */
void souk_clock_fake_init(souk_clock_fake *fake, int64_t now_ms);
/* Time passes: calendar and monotonic together, by_ms >= 0. */
void souk_clock_fake_advance(souk_clock_fake *fake, int64_t by_ms);
/* Somebody sets the calendar, forwards or back; monotonic time does not notice. */
void souk_clock_fake_set_now(souk_clock_fake *fake, int64_t now_ms);
/* The process works: cpu and monotonic time pass together, the calendar with them. */
void souk_clock_fake_burn(souk_clock_fake *fake, int64_t by_ms);

#endif
