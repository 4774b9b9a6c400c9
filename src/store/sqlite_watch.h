/* sqlite_watch.h - SQLite's own allocations, counted and failed by a test; for tests alone, where it stands
 * after test/test.h.  Several files of one program may have it: each watches through the one before.
 *
 *     watch.counted = test;       its fault loop counts and fails SQLite's allocations, too
 *     watch.fail_from = 100;      from the hundredth on none succeeds */
#ifndef SOUK_STORE_SQLITE_WATCH_H
#define SOUK_STORE_SQLITE_WATCH_H

#include <sqlite3.h>

static sqlite3_mem_methods real_methods;
static struct {
    souk_test *counted;        /* its fault loop counts these calls too */
    uint64_t calls, fail_from; /* every call from this one on fails; 0: none */
} watch;

static bool must_fail(void)
{
    watch.calls++;
    if (watch.fail_from && watch.calls >= watch.fail_from)
        return true;
    souk_test *test = watch.counted;
    if (!test || !test->fail_at)
        return false;
    uint64_t call = __atomic_add_fetch(&test->fault_calls, 1, __ATOMIC_RELAXED);
    if (call == test->fail_at)
        test->fault_hit = true;
    return call == test->fail_at;
}

static void *watched_malloc(int bytes)
{
    return (watch.counted || watch.fail_from) && must_fail() ? NULL : real_methods.xMalloc(bytes);
}

static void *watched_realloc(void *old, int bytes)
{
    return (watch.counted || watch.fail_from) && must_fail() ? NULL
                                                             : real_methods.xRealloc(old, bytes);
}

/* Before anybody has used SQLite in this process. */
__attribute__((constructor)) static void watch_allocations(void)
{
    sqlite3_config(SQLITE_CONFIG_GETMALLOC, &real_methods);
    sqlite3_mem_methods watched = real_methods;
    watched.xMalloc = watched_malloc;
    watched.xRealloc = watched_realloc;
    sqlite3_config(SQLITE_CONFIG_MALLOC, &watched);
}

#endif
