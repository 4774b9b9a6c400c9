/* thread_test.c - threads, what they wait on, and the clocks. */
#include "os/thread.h"

#include "os/clock.h"
#include "test/test.h"

#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

typedef struct counter {
    souk_mutex mutex;
    souk_rwlock lock;
    uint64_t a, b;
    bool torn;
} counter;

static void count_up(void *context)
{
    counter *c = context;
    for (int i = 0; i < 10000; i++) {
        souk_auto_lock(&c->mutex);
        if (i % 2)
            continue; /* the guard lets go on this way out too */
        c->a++;
    }
}

SOUK_TEST("a guarded counter counts every thread's steps")
{
    counter c = {0};
    souk_mutex_init(&c.mutex);
    souk_thread threads[4] = {0};
    for (int i = 0; i < 4; i++)
        SOUK_MUST(souk_thread_start(&threads[i], "counter", count_up, &c));
    for (int i = 0; i < 4; i++)
        souk_thread_join(&threads[i]);
    souk_thread_join(&threads[0]);
    SOUK_CHECK(c.a == 20000);
    SOUK_CHECK(souk_mutex_try(&c.mutex));
    souk_mutex_unlock(&c.mutex);
    souk_mutex_done(&c.mutex);
}

static void write_both(void *context)
{
    counter *c = context;
    for (int i = 0; i < 2000; i++) {
        souk_auto_write(&c->lock);
        c->a++;
        c->b++;
    }
}

static void read_both(void *context)
{
    counter *c = context;
    for (bool done = false; !done;) {
        souk_auto_read(&c->lock);
        if (c->a != c->b)
            __atomic_store_n(&c->torn, true, __ATOMIC_RELAXED);
        done = c->a == 4000;
    }
}

SOUK_TEST("readers see whole writes, and do not starve the writers")
{
    counter c = {0};
    souk_rwlock_init(&c.lock);
    void (*const jobs[])(void *) = {read_both, read_both, write_both, write_both};
    souk_thread threads[4] = {0};
    for (int i = 0; i < 4; i++)
        SOUK_MUST(souk_thread_start(&threads[i], "rw", jobs[i], &c));
    for (int i = 0; i < 4; i++)
        souk_thread_join(&threads[i]);
    SOUK_CHECK(c.a == 4000 && !c.torn);
    souk_rwlock_done(&c.lock);
}

typedef struct mailbox {
    souk_mutex mutex;
    souk_cond filled;
    int letters, taken;
    char name[16];
    bool blocks_signals;
} mailbox;

static void take_letters(void *context)
{
    mailbox *box = context;
    sigset_t mask;
    pthread_sigmask(SIG_SETMASK, NULL, &mask);
    souk_auto_lock(&box->mutex);
    box->blocks_signals = sigismember(&mask, SIGTERM) && sigismember(&mask, SIGINT);
    while (box->taken < 100) {
        while (!box->letters)
            souk_cond_wait(&box->filled, &box->mutex);
        box->taken += box->letters;
        box->letters = 0;
    }
    prctl(PR_GET_NAME, box->name);
}

SOUK_TEST("a thread with a name and no signals takes what a condition announces")
{
    mailbox box = {0};
    souk_mutex_init(&box.mutex);
    souk_cond_init(&box.filled);
    souk_thread thread = {0};
    SOUK_MUST(souk_thread_start(&thread, "a name of more than fifteen", take_letters, &box));
    for (int i = 0; i < 100; i++) {
        souk_auto_lock(&box.mutex);
        box.letters++;
        souk_cond_signal(&box.filled);
    }
    souk_thread_join(&thread);
    SOUK_CHECK(box.taken == 100 && box.blocks_signals);
    SOUK_CHECK(!strcmp(box.name, "a name of more "));
    souk_cond_done(&box.filled);
    souk_mutex_done(&box.mutex);
}

static _Thread_local int kept[3];
static int ended[8];
static size_t ended_count; /* read when the thread is joined */

static void note_end(void *what)
{
    ended[ended_count++] = *(int *)what;
}

static void keep_three(void *context)
{
    souk_err *err = context;
    souk_thread_prompt(); /* it changes nothing that a thread can do */
    for (int i = 0; i < 3 && !*err; i++) {
        kept[i] = i + 1;
        *err = souk_thread_at_end(note_end, &kept[i]);
    }
}

SOUK_TEST("what a thread keeps is ended with it, the latest first")
{
    souk_err err = SOUK_OK;
    ended_count = 0;
    for (int round = 0; round < 2; round++) {
        souk_thread thread = {0};
        SOUK_MUST(souk_thread_start(&thread, "keeps", keep_three, &err));
        souk_thread_join(&thread);
        SOUK_MUST(err);
        SOUK_CHECK(ended_count == (size_t)(3 * (round + 1)));
        for (int i = 0; i < 3; i++)
            SOUK_CHECK(ended[3 * round + i] == 3 - i);
    }
}

struct standing {
    int policy, nice;
};

static void keep_standing(void *context)
{
    struct standing *standing = context;
    const struct sched_param none = {0};
    (void)sched_setscheduler(0, SCHED_BATCH, &none);
    (void)setpriority(PRIO_PROCESS, (id_t)gettid(), 15);
    souk_thread_prompt();
    *standing = (struct standing){sched_getscheduler(0), getpriority(PRIO_PROCESS, (id_t)gettid())};
}

SOUK_TEST("who was started as a batch and last of all is not promoted by prompt")
{
    struct standing standing = {0};
    souk_thread thread = {0};
    SOUK_MUST(souk_thread_start(&thread, "stands", keep_standing, &standing));
    souk_thread_join(&thread);
    SOUK_CHECK(standing.policy == SCHED_BATCH && standing.nice == 15);
}

SOUK_TEST("a wait with a deadline in the past ends, and so does one a little ahead")
{
    mailbox box = {0};
    souk_mutex_init(&box.mutex);
    souk_cond_init(&box.filled);
    const souk_clock *clock = souk_clock_real();
    {
        souk_auto_lock(&box.mutex);
        SOUK_CHECK(!souk_cond_wait_until(&box.filled, &box.mutex, -5));
        SOUK_CHECK(!souk_cond_wait_until(&box.filled, &box.mutex, 0));
        int64_t deadline_ns = souk_clock_monotonic_ns(clock) + 2000000;
        while (souk_cond_wait_until(&box.filled, &box.mutex, deadline_ns))
            ;
        SOUK_CHECK(souk_clock_monotonic_ns(clock) >= deadline_ns);
    }
    souk_cond_done(&box.filled);
    souk_mutex_done(&box.mutex);
}

static void raise_it(void *context)
{
    souk_wake_raise(context);
}

SOUK_TEST("a wake-up ends a poll until it is cleared, and many raises are one")
{
    souk_wake wake;
    SOUK_MUST(souk_wake_init(&wake));
    SOUK_CHECK(!souk_wake_wait(&wake, 0) && !souk_wake_clear(&wake));
    souk_thread thread = {0};
    SOUK_MUST(souk_thread_start(&thread, "raiser", raise_it, &wake));
    SOUK_CHECK(souk_wake_wait(&wake, -1));
    souk_thread_join(&thread);
    souk_wake_raise(&wake);
    souk_wake_raise(&wake);
    struct pollfd one = {.fd = wake.fd, .events = POLLIN};
    SOUK_CHECK(poll(&one, 1, 0) == 1);
    SOUK_CHECK(souk_wake_clear(&wake) && !souk_wake_clear(&wake));
    SOUK_CHECK(poll(&one, 1, 0) == 0);
    souk_wake_done(&wake);
    souk_wake_done(&wake);
}

SOUK_TEST("the real clock tells the century and never goes back")
{
    const souk_clock *clock = souk_clock_real();
    SOUK_CHECK(souk_clock_now_ms(clock) > 1577836800000); /* 2020 */
    int64_t last = souk_clock_monotonic_ns(clock), cpu = souk_clock_cpu_ns(clock);
    for (int i = 0; i < 1000; i++) {
        int64_t now = souk_clock_monotonic_ns(clock);
        SOUK_CHECK(now >= last);
        last = now;
    }
    SOUK_CHECK(souk_clock_cpu_ns(clock) >= cpu);
}

SOUK_TEST("a fake clock stands still until it is moved")
{
    souk_clock_fake fake;
    souk_clock_fake_init(&fake, 5000);
    const souk_clock *clock = &fake.clock;
    int64_t monotonic = souk_clock_monotonic_ns(clock), cpu = souk_clock_cpu_ns(clock);
    SOUK_CHECK(souk_clock_now_ms(clock) == 5000 && monotonic == 1000000000);
    souk_clock_fake_advance(&fake, 1500);
    SOUK_CHECK(souk_clock_now_ms(clock) == 6500);
    SOUK_CHECK(souk_clock_monotonic_ns(clock) == monotonic + 1500000000);
    SOUK_CHECK(souk_clock_cpu_ns(clock) == cpu);
    souk_clock_fake_set_now(&fake, 10);
    SOUK_CHECK(souk_clock_now_ms(clock) == 10);
    SOUK_CHECK(souk_clock_monotonic_ns(clock) == monotonic + 1500000000);
    souk_clock_fake_burn(&fake, 3);
    SOUK_CHECK(souk_clock_cpu_ns(clock) == cpu + 3000000 && souk_clock_now_ms(clock) == 13);
}
