/* thread.c - the wrappers of thread.h over POSIX threads and eventfd. */
#include "os/thread.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static void *thread_main(void *at)
{
    souk_thread *thread = at;
    pthread_setname_np(pthread_self(), thread->name); /* before run, which may show it */
    thread->run(thread->context);
    return NULL;
}

souk_err souk_thread_start(souk_thread *thread, const char *name, void (*run)(void *context),
                           void *context)
{
    souk_assert(!thread->started);
    *thread = (souk_thread){.run = run, .context = context};
    snprintf(thread->name, sizeof thread->name, "%s", name);

    /* A new thread inherits the mask, so that no signal can slip in between. */
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failed = pthread_create(&thread->id, NULL, thread_main, thread);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failed)
        return failed == ENOMEM ? SOUK_ENOMEM : SOUK_EBUSY;
    thread->started = true;
    return SOUK_OK;
}

void souk_thread_join(souk_thread *thread)
{
    if (!thread->started)
        return;
    int failed = pthread_join(thread->id, NULL);
    souk_assert(!failed);
    thread->started = false;
}

/* struct sched_attr of linux/sched/types.h, which not every libc shows: version 0 of it. */
struct slice {
    uint32_t size, policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime_ns, deadline_ns, period_ns;
};

void souk_thread_prompt(void)
{
    /* SCHED_FLAG_KEEP_POLICY (sched.h of Linux 5.3): a server that was started as a batch stays one. */
    struct slice slice = {.size = sizeof slice, .flags = 8, .runtime_ns = 100000};
    slice.nice = getpriority(PRIO_PROCESS, (id_t)gettid());
    (void)syscall(SYS_sched_setattr, 0, &slice, 0);
}

/* ---- what a thread keeps -------------------------------------------------------------------- */

struct kept {
    void (*done)(void *what);
    void *what;
    struct kept *before;
};

static pthread_once_t keeping = PTHREAD_ONCE_INIT;
static pthread_key_t latest;
static bool can_keep;

static void end_of_thread(void *at)
{
    for (struct kept *kept = at, *before; kept; kept = before) {
        before = kept->before;
        kept->done(kept->what);
        free(kept);
    }
}

static void begin_keeping(void)
{
    can_keep = pthread_key_create(&latest, end_of_thread) == 0;
}

souk_err souk_thread_at_end(void (*done)(void *what), void *what)
{
    pthread_once(&keeping, begin_keeping);
    struct kept *kept = can_keep ? malloc(sizeof *kept) : NULL;
    if (!kept)
        return SOUK_ENOMEM;
    *kept = (struct kept){done, what, pthread_getspecific(latest)};
    if (pthread_setspecific(latest, kept) == 0)
        return SOUK_OK;
    free(kept);
    return SOUK_ENOMEM;
}

/* ---- locks ---------------------------------------------------------------------------------- */

void souk_mutex_init(souk_mutex *mutex)
{
    int failed = pthread_mutex_init(&mutex->mutex, NULL);
    souk_assert(!failed);
}

void souk_mutex_done(souk_mutex *mutex)
{
    int failed = pthread_mutex_destroy(&mutex->mutex);
    souk_assert(!failed);
}

void souk_rwlock_init(souk_rwlock *lock)
{
    pthread_rwlockattr_t kind;
    pthread_rwlockattr_init(&kind);
    /* glibc ignores the plain PREFER_WRITER kind: pthread_rwlockattr_setkind_np(3) */
    pthread_rwlockattr_setkind_np(&kind, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
    int failed = pthread_rwlock_init(&lock->lock, &kind);
    pthread_rwlockattr_destroy(&kind);
    souk_assert(!failed);
}

void souk_rwlock_done(souk_rwlock *lock)
{
    int failed = pthread_rwlock_destroy(&lock->lock);
    souk_assert(!failed);
}

void souk_cond_init(souk_cond *cond)
{
    pthread_condattr_t clock;
    pthread_condattr_init(&clock);
    int failed = pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
    souk_assert(!failed);
    failed = pthread_cond_init(&cond->cond, &clock);
    pthread_condattr_destroy(&clock);
    souk_assert(!failed);
}

void souk_cond_done(souk_cond *cond)
{
    int failed = pthread_cond_destroy(&cond->cond);
    souk_assert(!failed);
}

void souk_cond_wait(souk_cond *cond, souk_mutex *mutex)
{
    int failed = pthread_cond_wait(&cond->cond, &mutex->mutex);
    souk_assert(!failed);
}

bool souk_cond_wait_until(souk_cond *cond, souk_mutex *mutex, int64_t deadline_ns)
{
    if (deadline_ns < 0)
        deadline_ns = 0;
    struct timespec at = {(time_t)(deadline_ns / 1000000000), (long)(deadline_ns % 1000000000)};
    int failed = pthread_cond_timedwait(&cond->cond, &mutex->mutex, &at);
    souk_assert(!failed || failed == ETIMEDOUT);
    return !failed;
}

void souk_cond_signal(souk_cond *cond)
{
    pthread_cond_signal(&cond->cond);
}

void souk_cond_broadcast(souk_cond *cond)
{
    pthread_cond_broadcast(&cond->cond);
}

souk_err souk_wake_init(souk_wake *wake)
{
    wake->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (wake->fd < 0)
        return errno == ENOMEM ? SOUK_ENOMEM : SOUK_EBUSY;
    return SOUK_OK;
}

void souk_wake_done(souk_wake *wake)
{
    if (wake->fd >= 0)
        close(wake->fd);
    wake->fd = -1;
}

void souk_wake_raise(souk_wake *wake)
{
    /* EAGAIN means the counter is full, that is: raised.  errno is kept for signal handlers. */
    int kept_errno = errno;
    while (write(wake->fd, &(uint64_t){1}, sizeof(uint64_t)) < 0 && errno == EINTR)
        ;
    errno = kept_errno;
}

bool souk_wake_clear(souk_wake *wake)
{
    uint64_t raised;
    ssize_t got;
    while ((got = read(wake->fd, &raised, sizeof raised)) < 0 && errno == EINTR)
        ;
    return got == (ssize_t)sizeof raised;
}

bool souk_wake_wait(souk_wake *wake, int64_t wait_ms)
{
    struct pollfd one = {.fd = wake->fd, .events = POLLIN};
    int got = poll(&one, 1, wait_ms < 0 ? -1 : wait_ms > INT_MAX ? INT_MAX : (int)wait_ms);
    return got > 0;
}
