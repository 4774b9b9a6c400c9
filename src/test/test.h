/* test.h - tests that register themselves, named as sentences, with loops that plant faults.
 *
 *     SOUK_TEST("a sketch merged with itself counts the same")
 *     {
 *         souk_auto(souk_reach) week = NULL;
 *         SOUK_MUST(souk_reach_new(test->mem, 14, &week));
 *         SOUK_CHECK(souk_reach_count(week) == 0);
 *     }
 *
 * A failed check ends its test.  `souk-tests WORD…` runs the tests whose file or name has a word;
 * `souk-tests --seed N` repeats a random run.  The last line printed is "N passed, N failed".
 *
 * Every fallible path runs under
 *
 *     SOUK_FAULT_LOOP(test) {                    once per allocation, until none fails
 *         souk_err err = story(test->mem);
 *         SOUK_CHECK(err == SOUK_OK || err == SOUK_ENOMEM);
 *         test_fault_seen(test, err);
 *     }
 *
 * test->mem counts what is live: a test that leaks fails. */
#ifndef SOUK_TEST_TEST_H
#define SOUK_TEST_TEST_H

#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"

#include <setjmp.h>

typedef struct souk_test {
    souk_mem *mem;      /* counts, and fails on demand */
    uint64_t random;    /* state of test_random */
    const char *folder; /* an empty folder of this test's own on the real disk, made on first use
                           by test_folder and removed afterwards */
    /* the fault loop */
    uint64_t fail_at, fault_calls; /* fail_at 0: none */
    bool fault_hit, loop_started;
    jmp_buf stop;
} souk_test;

typedef void souk_test_body(souk_test *test);
typedef struct souk_test_entry {
    const char *name, *file;
    int line;
    souk_test_body *body;
    struct souk_test_entry *next;
} souk_test_entry;
void test_register(souk_test_entry *entry);

#define SOUK_TEST_PASTE2(a, b) a##b
#define SOUK_TEST_PASTE(a, b)  SOUK_TEST_PASTE2(a, b)
#define SOUK_TEST(sentence)    SOUK_TEST_AT(sentence, __COUNTER__)
#define SOUK_TEST_AT(sentence, n)                                                 \
    static void SOUK_TEST_PASTE(test_body_, n)(souk_test * test);                 \
    static souk_test_entry SOUK_TEST_PASTE(test_entry_, n) = {                    \
        sentence, __FILE__, __LINE__, SOUK_TEST_PASTE(test_body_, n), NULL};      \
    __attribute__((constructor)) static void SOUK_TEST_PASTE(test_ctor_, n)(void) \
    {                                                                             \
        test_register(&SOUK_TEST_PASTE(test_entry_, n));                          \
    }                                                                             \
    static void SOUK_TEST_PASTE(test_body_, n)(__attribute__((unused)) souk_test * test)

_Noreturn void test_fail(souk_test *test, const char *file, int line, const char *format, ...)
    SOUK_PRINTF(4, 5);
#define SOUK_CHECK(condition) \
    ((condition) ? (void)0 : test_fail(test, __FILE__, __LINE__, "%s does not hold", #condition))
#define SOUK_MUST(call)                                                                    \
    do {                                                                                   \
        souk_err must_err = (call);                                                        \
        if (must_err)                                                                      \
            test_fail(test, __FILE__, __LINE__, "%s: %s", #call, souk_err_name(must_err)); \
    } while (0)
#define SOUK_CHECK_ERR(call, expected)                                         \
    do {                                                                       \
        souk_err check_err = (call);                                           \
        if (check_err != (expected))                                           \
            test_fail(test, __FILE__, __LINE__, "%s: %s instead of %s", #call, \
                      souk_err_name(check_err), souk_err_name(expected));      \
    } while (0)
#define SOUK_CHECK_TEXT(text, literal)                                                 \
    do {                                                                               \
        souk_text check_text = (text);                                                 \
        if (!souk_text_equal(check_text, souk_text_of(literal)))                       \
            test_fail(test, __FILE__, __LINE__, "%s is '%.*s' instead of '%s'", #text, \
                      SOUK_TEXT_PRINT(check_text), literal);                           \
    } while (0)

/* Uniform in [0, below); seeded per test by --seed and the test's name. */
uint64_t test_random(souk_test *test, uint64_t below);
/* The path of an empty folder on the real disk; removed when the test ends. */
const char *test_folder(souk_test *test);
/* Ends the test as skipped, with the reason printed. */
_Noreturn void test_skip(souk_test *test, const char *why);

bool test_fault_next(souk_test *test);
/* Tell the loop how the story ended: an error ends the check, SOUK_OK without a hit ends the loop. */
void test_fault_seen(souk_test *test, souk_err err);
#define SOUK_FAULT_LOOP(test) for ((test)->loop_started = false; test_fault_next(test);)

#endif
