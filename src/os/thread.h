/* thread.h - threads and what they wait on: mutex, condition, reader-writer lock, wake-up.
 *
 *     souk_thread writer = {0};
 *     SOUK_TRY(souk_thread_start(&writer, "writer", run_writer, ledger));
 *     ...
 *     {
 *         souk_auto_lock(&ledger->mutex);              unlocked on every path out of the block
 *         ledger->stopping = true;
 *         souk_cond_signal(&ledger->work);
 *     }
 *     souk_thread_join(&writer);
 *
 * Waiting with an end, the loop every condition needs:
 *
 *     while (!queue->count && souk_cond_wait_until(&queue->filled, &queue->mutex, deadline_ns))
 *         ;
 *
 * The structs live in the caller's storage and must not move between init and done.  A wrong use
 * (unlocking what is not locked, destroying what is in use) is a bug of ours: souk_assert.
 *
 * Times    absolute nanoseconds of CLOCK_MONOTONIC: souk_clock.monotonic_ns (os/clock.h).
 * Errors   only starting a thread and opening a wake-up can fail.
 * Cost     an uncontended lock is one atomic instruction; a wake-up is one file descriptor.
 * Threads  everything here, from any thread; start and join of one souk_thread by its owner. */
#ifndef SOUK_OS_THREAD_H
#define SOUK_OS_THREAD_H

#include "base/err.h"

#include <pthread.h>

typedef struct souk_thread {
    pthread_t id; /* private from here on */
    void (*run)(void *context);
    void *context;
    char name[16];
    bool started;
} souk_thread;

/* Runs run(context) in a thread of its own that every tool shows as `name` (cut at 15 bytes).
 * All signals are blocked there: they belong to the thread that reads them (os/process.h).
 * SOUK_EBUSY: the system has no thread left.  SOUK_ENOMEM. */
SOUK_CHECKED souk_err souk_thread_start(souk_thread *thread, const char *name,
                                        void (*run)(void *context), void *context);
/* Waits until run has returned; does nothing where the thread never started or was joined. */
void souk_thread_join(souk_thread *thread);

/* The calling thread works for microseconds and others wait for it: it asks the scheduler for short slices, which
 * come sooner (sched_setattr(2), Linux 6.12 on; older ones stay as they are). */
void souk_thread_prompt(void);

/* For what a thread makes once and keeps in a _Thread_local of its own: done(what) when the calling
 * thread ends, the latest first.  The main thread does not end.  On failure nothing is kept.
 * SOUK_ENOMEM. */
SOUK_CHECKED souk_err souk_thread_at_end(void (*done)(void *what), void *what);

typedef struct souk_mutex {
    pthread_mutex_t mutex;
} souk_mutex;
/* For mutexes with static storage; others are born with souk_mutex_init. */
#define SOUK_MUTEX_INIT           \
    {                             \
        PTHREAD_MUTEX_INITIALIZER \
    }

void souk_mutex_init(souk_mutex *mutex);
void souk_mutex_done(souk_mutex *mutex);
static inline void souk_mutex_lock(souk_mutex *mutex)
{
    int failed = pthread_mutex_lock(&mutex->mutex);
    souk_assert(!failed);
}
/* False where somebody holds it. */
SOUK_CHECKED static inline bool souk_mutex_try(souk_mutex *mutex)
{
    return pthread_mutex_trylock(&mutex->mutex) == 0;
}
static inline void souk_mutex_unlock(souk_mutex *mutex)
{
    int failed = pthread_mutex_unlock(&mutex->mutex);
    souk_assert(!failed);
}

typedef struct souk_rwlock {
    pthread_rwlock_t lock;
} souk_rwlock;

/* A waiting writer goes before new readers; so a thread must not read-lock twice. */
void souk_rwlock_init(souk_rwlock *lock);
void souk_rwlock_done(souk_rwlock *lock);
static inline void souk_rwlock_read(souk_rwlock *lock)
{
    int failed = pthread_rwlock_rdlock(&lock->lock);
    souk_assert(!failed);
}
static inline void souk_rwlock_write(souk_rwlock *lock)
{
    int failed = pthread_rwlock_wrlock(&lock->lock);
    souk_assert(!failed);
}
static inline void souk_rwlock_unlock(souk_rwlock *lock)
{
    int failed = pthread_rwlock_unlock(&lock->lock);
    souk_assert(!failed);
}

/* Guards: held from this line to the end of the block.  One use per source line. */
#define souk_auto_lock(mutex)   SOUK_GUARD_(souk_mutex, mutex, souk_mutex_guard_lock_)
#define souk_auto_read(rwlock)  SOUK_GUARD_(souk_rwlock, rwlock, souk_rwlock_guard_read_)
#define souk_auto_write(rwlock) SOUK_GUARD_(souk_rwlock, rwlock, souk_rwlock_guard_write_)

typedef struct souk_cond {
    pthread_cond_t cond;
} souk_cond;

void souk_cond_init(souk_cond *cond);
void souk_cond_done(souk_cond *cond);
/* Both may return although nobody signalled: wait in a loop over the condition itself. */
void souk_cond_wait(souk_cond *cond, souk_mutex *mutex);
/* False once the deadline has passed; the mutex is held again either way. */
SOUK_CHECKED bool souk_cond_wait_until(souk_cond *cond, souk_mutex *mutex, int64_t deadline_ns);
void souk_cond_signal(souk_cond *cond);
void souk_cond_broadcast(souk_cond *cond);

/* Wakes a thread that sleeps in epoll or poll: fd is readable from raise to clear. */
typedef struct souk_wake {
    int fd; /* for epoll_ctl; owned by the wake-up */
} souk_wake;

/* SOUK_EBUSY: no file descriptor left.  SOUK_ENOMEM. */
SOUK_CHECKED souk_err souk_wake_init(souk_wake *wake);
void souk_wake_done(souk_wake *wake);
/* May be called from a signal handler; many raises before a clear are one. */
void souk_wake_raise(souk_wake *wake);
/* Whether it had been raised. */
bool souk_wake_clear(souk_wake *wake);
/* Sleeps until raised, at most wait_ms (negative: for ever); does not clear. */
SOUK_CHECKED bool souk_wake_wait(souk_wake *wake, int64_t wait_ms);

/* ---- the machinery of the guards --------------------------------------------------------- */

#define SOUK_GUARD_NAME2_(line) souk_guard_##line
#define SOUK_GUARD_NAME_(line)  SOUK_GUARD_NAME2_(line)
#define SOUK_GUARD_(type, lock, enter)                                                       \
    __attribute__((cleanup(type##_guard_leave_), unused)) type *SOUK_GUARD_NAME_(__LINE__) = \
        enter(lock)

static inline souk_mutex *souk_mutex_guard_lock_(souk_mutex *mutex)
{
    souk_mutex_lock(mutex);
    return mutex;
}
static inline void souk_mutex_guard_leave_(souk_mutex **mutex)
{
    souk_mutex_unlock(*mutex);
}
static inline souk_rwlock *souk_rwlock_guard_read_(souk_rwlock *lock)
{
    souk_rwlock_read(lock);
    return lock;
}
static inline souk_rwlock *souk_rwlock_guard_write_(souk_rwlock *lock)
{
    souk_rwlock_write(lock);
    return lock;
}
static inline void souk_rwlock_guard_leave_(souk_rwlock **lock)
{
    souk_rwlock_unlock(*lock);
}

#endif
