/* merchant_fault_test.c - what a failure in the middle of a founding or a change leaves. */
#include "test/test.h"

#include "core/merchant_desk.h"
#include "os/thread.h"

#include <sched.h>
#include <stdio.h>

SOUK_TEST("a founding that ran out of memory founded nothing, and is done when it is tried again")
{
    SOUK_FAULT_LOOP (test) {
        struct desk desk = {.mem = NULL};
        char id[33];
        souk_spine_options options = spine_options(false);
        souk_mem *heap = souk_mem_heap();
        SOUK_MUST(souk_disk_open_sim(heap, 5, &desk.disk));
        SOUK_MUST(souk_spine_init(heap, desk.disk, &options, NULL));
        SOUK_MUST(souk_spine_open(heap, desk.disk, &options, &desk.spine, NULL));
        souk_err err = souk_merchants_open(test->mem, desk.spine, &desk.merchants, NULL);
        if (!err) {
            err = souk_merchants_found(desk.merchants, SOUK_TEXT("Salty"), &desk.secrets);
            if (err) {
                SOUK_CHECK_ERR(souk_merchants_operator(desk.merchants, id), SOUK_ENOENT);
                SOUK_MUST(souk_merchants_found(desk.merchants, SOUK_TEXT("Salty"), &desk.secrets));
            }
            SOUK_MUST(ask(&desk, desk.secrets.admin_token, SOUK_SCOPE_ALL));
            SOUK_MUST(send_with(&desk, desk.secrets.write_key));
        }
        SOUK_CHECK(err == SOUK_OK || err == SOUK_ENOMEM);
        test_fault_seen(test, err);
        desk_end(&desk);
    }
}

enum { BEFORE_GROWTH = 30 }; /* with the founding's two the table of 64 is half full */

/* One more token, source and revocation; each was done or was not, and can be tried again. */
static souk_err change(souk_test *test, struct desk *desk, char tokens[][SOUK_TOKEN_BYTES])
{
    char token[SOUK_TOKEN_BYTES], key[SOUK_WRITE_KEY_BYTES];
    souk_statement statement = {.bases = {0}};
    souk_text name = SOUK_TEXT("one more");
    uint32_t source;
    souk_err first = SOUK_OK, err;
    while ((err = souk_merchants_add_token(desk->merchants, 1, name, 1, token)) == SOUK_ENOMEM)
        first = err;
    SOUK_MUST(err);
    while ((err = souk_merchants_source(desk->merchants, 1, SOUK_TEXT("tills"), &statement, &source,
                                        key)) == SOUK_ENOMEM)
        first = err;
    SOUK_MUST(err);
    while ((err = souk_merchants_revoke(desk->merchants, SOUK_OPERATOR, SOUK_TEXT("t0"))) ==
           SOUK_ENOMEM)
        first = err;
    SOUK_MUST(err);
    SOUK_MUST(ask(desk, token, 1));
    SOUK_MUST(send_with(desk, key));
    for (int i = 0; i < BEFORE_GROWTH; i++)
        SOUK_CHECK_ERR(ask(desk, tokens[i], SOUK_SCOPE_READ), i ? SOUK_OK : SOUK_EUNAUTH);
    SOUK_MUST(send_with(desk, desk->secrets.write_key));
    return first;
}

SOUK_TEST("a change that ran out of memory was not made, and locks nobody out")
{
    SOUK_FAULT_LOOP (test) {
        struct desk desk;
        char tokens[BEFORE_GROWTH][SOUK_TOKEN_BYTES], name[16];
        uint64_t fault = test->fail_at;
        test->fail_at = 0; /* the setting of the scene always succeeds */
        must_found(test, &desk);
        for (int i = 0; i < BEFORE_GROWTH; i++) {
            snprintf(name, sizeof name, "t%d", i);
            SOUK_MUST(souk_merchants_add_token(desk.merchants, 1, souk_text_of(name),
                                               SOUK_SCOPE_READ, tokens[i]));
        }
        test->fault_calls = 0;
        test->fail_at = fault;
        souk_err err = change(test, &desk, tokens);
        test_fault_seen(test, err);
        desk_end(&desk);
    }
}

/* A neighbour in the group that fails makes the ledger run every closure of it again. */
static souk_err fail(souk_tx *tx, souk_job *job)
{
    (void)tx;
    (void)job;
    return SOUK_ECONFLICT;
}

static void forget(souk_job *job, souk_err err)
{
    (void)job;
    (void)err;
}

struct founding {
    struct desk *desk;
    souk_err err;
};

static void found(void *context)
{
    struct founding *founding = context;
    founding->err = souk_merchants_found(founding->desk->merchants, SOUK_TEXT("Salty & Sons"),
                                         &founding->desk->secrets);
}

static souk_err count_salty(souk_tx *tx, void *count)
{
    return souk_sql_one_int(tx, "SELECT count(*) FROM merchant WHERE name = 'Salty & Sons'",
                            SOUK_NO_VALUES, count);
}

SOUK_TEST("a founding whose transaction runs twice founds the same shop")
{
    struct desk desk;
    desk_begin(test, &desk, true);
    souk_ledger *ledger = souk_spine_ledger(desk.spine);
    souk_ledger_counters counters = {0};
    souk_thread thread = {0};
    souk_job failing = {.lane = SOUK_LANE_INGEST, .apply = fail, .after = forget};
    struct founding founding = {.desk = &desk};
    souk_ledger_hold(ledger);
    SOUK_MUST(souk_thread_start(&thread, "founder", found, &founding));
    while (!counters.queued[SOUK_LANE_INGEST]) {
        sched_yield();
        souk_ledger_count(ledger, &counters);
    }
    SOUK_MUST(souk_ledger_submit(ledger, &failing));
    souk_ledger_release(ledger);
    souk_thread_join(&thread);
    SOUK_MUST(founding.err);
    souk_ledger_count(ledger, &counters);
    SOUK_CHECK(counters.rerun_groups > 0 || test_on_postgres()); /* too slow for one slice */
    int64_t salty;
    SOUK_MUST(souk_ledger_read(ledger, count_salty, &salty));
    SOUK_CHECK(salty == 1);
    SOUK_MUST(ask(&desk, desk.secrets.admin_token, SOUK_SCOPE_ALL));
    SOUK_MUST(send_with(&desk, desk.secrets.write_key));
    desk_end(&desk);
}
