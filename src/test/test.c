/* test.c - the runner of test.h: finds the tests, counts memory, plants faults, prints the sum. */
#include "test/test.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static souk_test_entry *entries, **entries_end = &entries;

void test_register(souk_test_entry *entry)
{
    *entries_end = entry;
    entries_end = &entry->next;
}

/* The allocator of a test: counts live blocks and fails the n-th call on demand. */
typedef struct test_mem {
    souk_mem mem;
    souk_test *test;
    long live;
} test_mem;

static void *counted_resize(souk_mem *self, void *old, size_t new_bytes)
{
    test_mem *counted = (test_mem *)self;
    if (new_bytes == 0) {
        __atomic_fetch_sub(&counted->live, old != NULL, __ATOMIC_RELAXED);
        free(old);
        return NULL;
    }
    uint64_t call = __atomic_add_fetch(&counted->test->fault_calls, 1, __ATOMIC_RELAXED);
    if (counted->test->fail_at && call == counted->test->fail_at) {
        counted->test->fault_hit = true;
        return NULL;
    }
    void *got = realloc(old, new_bytes);
    __atomic_fetch_add(&counted->live, got != NULL && old == NULL, __ATOMIC_RELAXED);
    return got;
}

enum { STOP_FAILED = 1, STOP_SKIPPED = 2 };

void test_fail(souk_test *test, const char *file, int line, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fprintf(stderr, "\n  %s:%d: ", file, line);
    vfprintf(stderr, format, arguments);
    if (test->fail_at)
        fprintf(stderr, " (with fault %llu)", (unsigned long long)test->fail_at);
    fprintf(stderr, "\n");
    va_end(arguments);
    longjmp(test->stop, STOP_FAILED);
}

void test_skip(souk_test *test, const char *why)
{
    fprintf(stderr, "  skipped: %s\n", why);
    longjmp(test->stop, STOP_SKIPPED);
}

uint64_t test_random(souk_test *test, uint64_t below)
{
    /* splitmix64, Steele, Lea, Flood 2014 */
    uint64_t z = (test->random += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    z ^= z >> 31;
    return below ? z % below : z;
}

const char *test_folder(souk_test *test)
{
    if (!test->folder) {
        const char *under = getenv("TMPDIR");
        char path[512];
        snprintf(path, sizeof path, "%s/souk-test-XXXXXX", under ? under : "/tmp");
        if (!mkdtemp(path))
            test_fail(test, __FILE__, __LINE__, "no folder can be made: %s", path);
        test->folder = strdup(path);
    }
    return test->folder;
}

static void remove_folder(souk_test *test)
{
    if (!test->folder)
        return;
    char command[600];
    snprintf(command, sizeof command, "rm -rf '%s'", test->folder);
    if (system(command))
        fprintf(stderr, "  left behind: %s\n", test->folder);
    free((void *)(uintptr_t)test->folder);
    test->folder = NULL;
}

bool test_fault_next(souk_test *test)
{
    if (!test->loop_started) {
        test->loop_started = true;
        test->fail_at = 0;
        test->fault_hit = true; /* as if the fault before the first had been met */
    }
    if (!test->fault_hit) {
        test->fail_at = 0;
        return false;
    }
    test->fail_at++;
    test->fault_calls = 0;
    test->fault_hit = false;
    return true;
}

void test_fault_seen(souk_test *test, souk_err err)
{
    if (err && !test->fault_hit)
        test_fail(test, __FILE__, __LINE__, "%s although nothing was made to fail",
                  souk_err_name(err));
}

static bool wanted(const souk_test_entry *entry, int word_count, char **words)
{
    for (int i = 0; i < word_count; i++)
        if (strstr(entry->name, words[i]) || strstr(entry->file, words[i]))
            return true;
    return word_count == 0;
}

static uint64_t name_seed(const char *name, uint64_t seed)
{
    for (; *name; name++)
        seed = (seed ^ (unsigned char)*name) * 0x100000001b3u;
    return seed;
}

/* 0 passed, STOP_FAILED, STOP_SKIPPED */
static int run_one(const souk_test_entry *entry, uint64_t seed)
{
    souk_test test = {.random = name_seed(entry->name, seed)};
    test_mem counted = {{counted_resize}, &test, 0};
    test.mem = &counted.mem;
    volatile int stopped = setjmp(test.stop);
    if (!stopped) {
        entry->body(&test);
        if (counted.live) {
            fprintf(stderr, "\n  %s:%d: %ld blocks of memory leaked\n", entry->file, entry->line,
                    counted.live);
            stopped = STOP_FAILED;
        }
    }
    remove_folder(&test);
    return stopped;
}

int main(int argument_count, char **arguments)
{
    uint64_t seed = 1;
    int first = 1;
    if (argument_count > 2 && !strcmp(arguments[1], "--seed")) {
        seed = strtoull(arguments[2], NULL, 10);
        first = 3;
    }
    int passed = 0, failed = 0, skipped = 0;
    for (souk_test_entry *entry = entries; entry; entry = entry->next) {
        if (!wanted(entry, argument_count - first, arguments + first))
            continue;
        struct timespec from, to;
        clock_gettime(CLOCK_MONOTONIC, &from);
        int stopped = run_one(entry, seed);
        clock_gettime(CLOCK_MONOTONIC, &to);
        double took_s =
            (double)(to.tv_sec - from.tv_sec) + (double)(to.tv_nsec - from.tv_nsec) / 1e9;
        if (stopped == STOP_FAILED)
            fprintf(stderr, "FAILED  %s (%s:%d)\n", entry->name, entry->file, entry->line);
        else if (stopped == STOP_SKIPPED)
            fprintf(stderr, "skipped %s\n", entry->name);
        else if (took_s > 1.0)
            fprintf(stderr, "ok      %s (%.1f s)\n", entry->name, took_s);
        passed += stopped == 0;
        failed += stopped == STOP_FAILED;
        skipped += stopped == STOP_SKIPPED;
    }
    if (skipped)
        printf("%d passed, %d failed, %d skipped\n", passed, failed, skipped);
    else
        printf("%d passed, %d failed\n", passed, failed);
    return failed != 0;
}
