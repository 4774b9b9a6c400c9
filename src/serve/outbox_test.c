/* outbox_test.c - who is told of what: once, all of it, whatever fails and whenever the process ends. */
#include "test/test.h"

#include "core/reject.h"
#include "serve/outbox_desk.h"
#include "serve/pace.h"

static void settle_one(struct outbox_desk *desk, const souk_delivery *delivery, int status,
                       int64_t retry_ms)
{
    souk_test *test = desk->test;
    souk_outcome outcome = {.delivery = *delivery,
                            .delivered = status >= 200 && status < 300,
                            .gone = status == 410,
                            .status = status,
                            .fault = status < 300 ? SOUK_DELIVERY_FAULT_NONE
                                                  : SOUK_DELIVERY_FAULT_STATUS,
                            .retry_ms = retry_ms};
    SOUK_MUST(souk_outbox_settle(desk->outbox, &outcome, 1));
}

SOUK_TEST("an endpoint is told of the events it wants, in its stores, from when it was made")
{
    struct outbox_desk desk;
    souk_delivery due[SOUK_OUTBOX_DUE];
    outbox_desk_open(&desk, test);
    outbox_desk_send(&desk, "Order Completed", "S1", "u1");
    int64_t orders = outbox_desk_add(&desk, "Order Completed\nOrder Refunded", "", "");
    int64_t all = outbox_desk_add(&desk, "*", "", "");
    int64_t store = outbox_desk_add(&desk, "*", "S1\nS2", "");
    uint64_t first = outbox_desk_send(&desk, "Order Completed", "S1", "u1");
    outbox_desk_send(&desk, "Product Viewed", "", "u1");
    outbox_desk_send(&desk, "Order Refunded", "S3", "");
    outbox_desk_step(&desk);
    SOUK_CHECK(outbox_desk_due(&desk, all, due) == 3);
    SOUK_CHECK(outbox_desk_due(&desk, store, due) == 1 && due[0].position == first);
    SOUK_CHECK(outbox_desk_due(&desk, orders, due) == 2 && due[0].position == first);
    SOUK_CHECK(due[0].kind == SOUK_DELIVERY_EVENT && due[0].at == OUTBOX_DESK_NOW);
    SOUK_CHECK(!strncmp(due[0].webhook_id, "msg_", 4) && strlen(due[0].webhook_id) == 36);
    SOUK_CHECK(strcmp(due[0].webhook_id, due[1].webhook_id) != 0);
    outbox_desk_step(&desk);
    SOUK_CHECK(outbox_desk_count(&desk, "SELECT count(*) FROM webhook_delivery") == 6);
    SOUK_CHECK(outbox_desk_count(&desk, "SELECT sum(waiting) FROM webhook") == 6);
    outbox_desk_close(&desk);
}

SOUK_TEST("an event from outside cannot pass for one of Souk's own")
{
    struct outbox_desk desk;
    souk_delivery due[SOUK_OUTBOX_DUE];
    souk_person *person = souk_mem_get(souk_mem_heap(), sizeof *person);
    uint64_t events;
    outbox_desk_open(&desk, test);
    int64_t all = outbox_desk_add(&desk, "*\nperson.erased", "", "");
    int64_t shops = outbox_desk_add(&desk, "*", "", "");
    int64_t own = outbox_desk_add(&desk, "person.erased", "S9", ""); /* it happens in no store */
    outbox_desk_send(&desk, "person.erased", "", "u1");
    outbox_desk_send(&desk, "Shopper Erased", "", "u1");
    outbox_desk_step(&desk);
    SOUK_CHECK(outbox_desk_due(&desk, all, due) == 1 && due[0].kind == SOUK_DELIVERY_EVENT);
    SOUK_MUST(souk_spine_find(desk.spine, SOUK_ID_USER, SOUK_TEXT("u1"), person));
    SOUK_MUST(souk_spine_erase(desk.spine, person, &events));
    outbox_desk_step(&desk);
    SOUK_CHECK(outbox_desk_due(&desk, all, due) == 2 && due[1].kind == SOUK_DELIVERY_ERASED);
    SOUK_CHECK(outbox_desk_due(&desk, own, due) == 1 && due[0].kind == SOUK_DELIVERY_ERASED);
    SOUK_CHECK(outbox_desk_due(&desk, shops, due) == 1 && due[0].kind == SOUK_DELIVERY_EVENT);
    souk_mem_put(souk_mem_heap(), person);
    outbox_desk_close(&desk);
}

SOUK_TEST("a withdrawal is told once, rejects as a count at most once a minute")
{
    struct outbox_desk desk;
    souk_delivery due[SOUK_OUTBOX_DUE];
    souk_person *person = souk_mem_get(souk_mem_heap(), sizeof *person);
    souk_reject reject = {
        .source = 1, .fault = SOUK_TEXT("x"), .where = SOUK_TEXT("y"), .text = SOUK_TEXT("z")};
    outbox_desk_open(&desk, test);
    outbox_desk_send(&desk, "Product Viewed", "", "u1");
    SOUK_MUST(souk_rejects_add(souk_spine_rejects(desk.spine), &reject, 1));
    SOUK_MUST(souk_spine_find(desk.spine, SOUK_ID_USER, SOUK_TEXT("u1"), person));
    souk_consent_row row = {.controller = SOUK_OPERATOR,
                            .purpose = SOUK_PURPOSE_PROFILE,
                            .basis = SOUK_BASIS_WITHDRAWN,
                            .from = OUTBOX_DESK_NOW};
    SOUK_MUST(souk_spine_consent_record(desk.spine, person, &row, SOUK_AGE_UNKNOWN));
    int64_t both = outbox_desk_add(&desk, "consent.withdrawn\nreject.added", "", "");
    outbox_desk_step(&desk);
    SOUK_CHECK(outbox_desk_due(&desk, both, due) == 0); /* before its time */
    row.purpose = SOUK_PURPOSE_ADVERTISE;
    SOUK_MUST(souk_spine_consent_record(desk.spine, person, &row, SOUK_AGE_UNKNOWN));
    for (int i = 0; i < 3; i++)
        SOUK_MUST(souk_rejects_add(souk_spine_rejects(desk.spine), &reject, 1));
    outbox_desk_step(&desk);
    SOUK_CHECK(outbox_desk_due(&desk, both, due) == 2);
    SOUK_CHECK(due[0].kind == SOUK_DELIVERY_WITHDRAWN && due[0].number == SOUK_PURPOSE_ADVERTISE);
    SOUK_CHECK(due[1].kind == SOUK_DELIVERY_REJECTS && due[1].number == 3 && due[1].position == 4);
    SOUK_MUST(souk_rejects_add(souk_spine_rejects(desk.spine), &reject, 1));
    outbox_desk_step(&desk);
    SOUK_CHECK(outbox_desk_due(&desk, both, due) == 2);
    souk_clock_fake_advance(&desk.clock, 60000);
    outbox_desk_step(&desk);
    SOUK_CHECK(outbox_desk_due(&desk, both, due) == 3 && due[2].number == 1);
    souk_mem_put(souk_mem_heap(), person);
    outbox_desk_close(&desk);
}

SOUK_TEST(
    "a delivery that fails waits by its schedule, dies after the last try, and is sent again when "
    "somebody says so")
{
    struct outbox_desk desk;
    souk_delivery due[SOUK_OUTBOX_DUE];
    outbox_desk_open(&desk, test);
    int64_t id = outbox_desk_add(&desk, "*", "", "");
    outbox_desk_send(&desk, "A", "", "u1");
    outbox_desk_step(&desk);
    SOUK_CHECK(outbox_desk_due(&desk, id, due) == 1);
    settle_one(&desk, &due[0], 429, 7200000); /* Retry-After is longer than the schedule */
    souk_clock_fake_advance(&desk.clock, 7199999);
    SOUK_CHECK(outbox_desk_due(&desk, id, due) == 0);
    souk_clock_fake_advance(&desk.clock, 1);
    for (unsigned tries = 1; tries < SOUK_PACE_TRIES; tries++) {
        SOUK_CHECK(outbox_desk_due(&desk, id, due) == 1 && due[0].tries == tries);
        SOUK_CHECK(due[0].fault == SOUK_DELIVERY_FAULT_STATUS);
        settle_one(&desk, &due[0], 500, 0);
        SOUK_CHECK(outbox_desk_due(&desk, id, due) == 0);
        souk_clock_fake_advance(&desk.clock, (int64_t)3 * SOUK_DAY_MS);
    }
    SOUK_CHECK(outbox_desk_due(&desk, id, due) == 0);
    SOUK_CHECK(outbox_desk_count(&desk, "SELECT dead FROM webhook") == 1);
    SOUK_CHECK(outbox_desk_count(&desk, "SELECT waiting FROM webhook") == 0);
    outbox_desk_close(&desk);
}

struct retrying {
    struct outbox_desk *desk;
    int64_t endpoint, id;
    souk_endpoint at;
};

static souk_err retry(souk_tx *tx, void *context)
{
    struct retrying *retrying = context;
    return souk_outbox_retry(retrying->desk->outbox, tx, retrying->endpoint, retrying->id);
}

static souk_err try_it(souk_tx *tx, void *context)
{
    struct retrying *retrying = context;
    return souk_outbox_test(retrying->desk->outbox, tx, &retrying->at, &retrying->id);
}

SOUK_TEST("what was delivered or died waits again under the same id, and the counts follow")
{
    struct outbox_desk desk;
    souk_delivery due[SOUK_OUTBOX_DUE], again[SOUK_OUTBOX_DUE];
    souk_arena arena = {.mem = souk_mem_heap()};
    outbox_desk_open(&desk, test);
    souk_ledger *ledger = souk_spine_ledger(desk.spine);
    int64_t id = outbox_desk_add(&desk, "*", "", "");
    struct retrying retrying = {.desk = &desk, .endpoint = id};
    retrying.at = outbox_desk_endpoint(&desk, id, &arena);
    SOUK_MUST(souk_ledger_write(ledger, SOUK_LANE_JOB, try_it, &retrying));
    SOUK_CHECK(outbox_desk_due(&desk, id, due) == 1 && due[0].kind == SOUK_DELIVERY_TEST);
    SOUK_CHECK(due[0].id == retrying.id);
    settle_one(&desk, &due[0], 204, 0);
    SOUK_CHECK(outbox_desk_count(&desk, "SELECT waiting FROM webhook") == 0);
    settle_one(&desk, &due[0], 204, 0); /* told twice: nothing more */
    SOUK_CHECK(outbox_desk_count(&desk, "SELECT waiting FROM webhook") == 0);
    SOUK_MUST(souk_ledger_write(ledger, SOUK_LANE_JOB, retry, &retrying));
    SOUK_CHECK(outbox_desk_due(&desk, id, again) == 1);
    SOUK_CHECK(!strcmp(again[0].webhook_id, due[0].webhook_id) && again[0].tries == 0);
    again[0].tries = SOUK_PACE_TRIES - 1;
    settle_one(&desk, &again[0], 500, 0);
    SOUK_CHECK(outbox_desk_count(&desk, "SELECT dead FROM webhook") == 1);
    SOUK_MUST(souk_ledger_write(ledger, SOUK_LANE_JOB, retry, &retrying));
    SOUK_CHECK(outbox_desk_count(&desk, "SELECT waiting + 10 * dead FROM webhook") == 1);
    SOUK_MUST(souk_ledger_write(ledger, SOUK_LANE_JOB, retry, &retrying)); /* it waits already */
    SOUK_CHECK(outbox_desk_count(&desk, "SELECT waiting + 10 * dead FROM webhook") == 1);
    retrying.endpoint++;
    SOUK_CHECK_ERR(souk_ledger_write(ledger, SOUK_LANE_JOB, retry, &retrying), SOUK_ENOENT);
    souk_arena_done(&arena);
    outbox_desk_close(&desk);
}

SOUK_TEST(
    "410 turns an endpoint off at once, days of failures do; while it is off nothing is queued")
{
    struct outbox_desk desk;
    souk_delivery due[SOUK_OUTBOX_DUE];
    souk_arena arena = {.mem = souk_mem_heap()};
    outbox_desk_open(&desk, test);
    int64_t gone = outbox_desk_add(&desk, "*", "", ""),
            failing = outbox_desk_add(&desk, "*", "", "");
    outbox_desk_send(&desk, "A", "", "u1");
    outbox_desk_step(&desk);
    SOUK_CHECK(outbox_desk_due(&desk, gone, due) == 1);
    settle_one(&desk, &due[0], 410, 0);
    SOUK_CHECK(outbox_desk_endpoint(&desk, gone, &arena).state == SOUK_ENDPOINT_GONE);
    SOUK_CHECK(outbox_desk_endpoint(&desk, gone, &arena).version == 2);
    SOUK_CHECK(outbox_desk_due(&desk, failing, due) == 1);
    for (unsigned i = 0; i < SOUK_ENDPOINT_FAILURES + 5; i++)
        settle_one(&desk, &due[0], 500, 0);
    SOUK_CHECK(outbox_desk_endpoint(&desk, failing, &arena).state == SOUK_ENDPOINT_ON);
    souk_clock_fake_advance(&desk.clock, SOUK_ENDPOINT_FAILING_MS);
    settle_one(&desk, &due[0], 500, 0);
    SOUK_CHECK(outbox_desk_endpoint(&desk, failing, &arena).state == SOUK_ENDPOINT_FAILING);
    int64_t rows = outbox_desk_count(&desk, "SELECT count(*) FROM webhook_delivery");
    outbox_desk_send(&desk, "B", "", "u1");
    outbox_desk_step(&desk);
    SOUK_CHECK(outbox_desk_count(&desk, "SELECT count(*) FROM webhook_delivery") == rows);
    outbox_desk_turn(&desk, failing, SOUK_ENDPOINT_ON);
    SOUK_CHECK(outbox_desk_endpoint(&desk, failing, &arena).failures == 0);
    outbox_desk_send(&desk, "C", "", "u1");
    outbox_desk_step(&desk);
    SOUK_CHECK(outbox_desk_count(&desk, "SELECT count(*) FROM webhook_delivery") == rows + 1);
    settle_one(&desk, &due[0], 200, 0);
    SOUK_CHECK(outbox_desk_endpoint(&desk, failing, &arena).failing == 0);
    souk_arena_done(&arena);
    outbox_desk_close(&desk);
}

SOUK_TEST("above its ceiling the outbox waits, and loses nothing")
{
    struct outbox_desk desk;
    souk_delivery due[SOUK_OUTBOX_DUE];
    outbox_desk_open(&desk, test);
    souk_outbox_set(desk.outbox, &(souk_outbox_options){.waiting_most = 3});
    int64_t id = outbox_desk_add(&desk, "*", "", "");
    for (int i = 0; i < 9; i++)
        outbox_desk_send(&desk, "A", "", "u1");
    outbox_desk_step(&desk);
    int64_t rows = outbox_desk_count(&desk, "SELECT count(*) FROM webhook_delivery");
    SOUK_CHECK(souk_outbox_is_full(desk.outbox) && rows >= 3 && rows < 9);
    uint64_t told = 0;
    for (size_t count = 1; count;) {
        outbox_desk_step(&desk);
        count = outbox_desk_due(&desk, id, due);
        for (size_t i = 0; i < count; i++)
            settle_one(&desk, &due[i], 200, 0);
        told += count;
    }
    SOUK_CHECK(told == 9 && !souk_outbox_is_full(desk.outbox));
    outbox_desk_close(&desk);
}

static souk_err removed(souk_tx *tx, void *context)
{
    return souk_endpoint_remove(tx, *(int64_t *)context);
}

static void sweep_all(struct outbox_desk *desk)
{
    souk_test *test = desk->test;
    bool did = true;
    souk_clock_fake_advance(&desk->clock, 60001);
    while (did)
        SOUK_MUST(souk_outbox_sweep(desk->outbox, &did));
}

SOUK_TEST("what was delivered goes after 7 days, what is dead after 30, what was removed at once")
{
    struct outbox_desk desk;
    souk_delivery due[SOUK_OUTBOX_DUE];
    outbox_desk_open(&desk, test);
    int64_t id = outbox_desk_add(&desk, "*", "", "");
    for (int i = 0; i < 5; i++)
        outbox_desk_send(&desk, "A", "", "u1");
    outbox_desk_step(&desk);
    SOUK_CHECK(outbox_desk_due(&desk, id, due) == 5);
    settle_one(&desk, &due[0], 200, 0);
    due[1].tries = SOUK_PACE_TRIES;
    settle_one(&desk, &due[1], 500, 0);
    souk_clock_fake_advance(&desk.clock, 7 * SOUK_DAY_MS - 60002);
    sweep_all(&desk);
    SOUK_CHECK(outbox_desk_count(&desk, "SELECT count(*) FROM webhook_delivery") == 5);
    sweep_all(&desk);
    SOUK_CHECK(outbox_desk_count(&desk, "SELECT count(*) FROM webhook_delivery") == 4);
    souk_clock_fake_advance(&desk.clock, 23 * SOUK_DAY_MS);
    sweep_all(&desk);
    SOUK_CHECK(outbox_desk_count(&desk, "SELECT 100 * count(*) + 10 * sum(dead) + sum(waiting) "
                                        "FROM webhook") == 103);
    SOUK_CHECK(outbox_desk_count(&desk, "SELECT count(*) FROM webhook_delivery") == 3);
    SOUK_MUST(souk_ledger_write(souk_spine_ledger(desk.spine), SOUK_LANE_JOB, removed, &id));
    SOUK_CHECK_ERR(souk_ledger_write(souk_spine_ledger(desk.spine), SOUK_LANE_JOB, removed, &id),
                   SOUK_ENOENT);
    sweep_all(&desk);
    SOUK_CHECK(outbox_desk_count(&desk, "SELECT count(*) FROM webhook_delivery") == 0);
    SOUK_CHECK(outbox_desk_count(&desk, "SELECT count(*) FROM webhook") == 0);
    SOUK_CHECK(outbox_desk_count(&desk, "SELECT count(*) FROM webhook_secret") == 0);
    outbox_desk_close(&desk);
}

struct listing {
    souk_test *test;
    int64_t endpoint, before, next, ids[300];
    int state;
    size_t count, most;
};

static souk_err note(void *context, const souk_delivery *row)
{
    struct listing *listing = context;
    listing->ids[listing->count++] = row->id;
    return row->endpoint == listing->endpoint ? SOUK_OK : SOUK_ECORRUPT;
}

static souk_err list(souk_tx *tx, void *context)
{
    struct listing *listing = context;
    return souk_outbox_list(tx, listing->endpoint, listing->state, listing->before, listing->most,
                            note, listing, &listing->next);
}

SOUK_TEST("an endpoint's deliveries are listed in pages, the newest first, of one state or of all")
{
    struct outbox_desk desk;
    souk_delivery due[SOUK_OUTBOX_DUE];
    outbox_desk_open(&desk, test);
    int64_t one = outbox_desk_add(&desk, "A", "", ""), two = outbox_desk_add(&desk, "*", "", "");
    for (int i = 0; i < 20; i++)
        outbox_desk_send(&desk, i % 2 ? "A" : "B", "", "u1");
    outbox_desk_step(&desk);
    SOUK_CHECK(outbox_desk_due(&desk, one, due) == 10);
    for (int i = 0; i < 4; i++)
        settle_one(&desk, &due[i], 200, 0);
    struct listing all = {
        .test = test, .endpoint = one, .state = -1, .before = INT64_MAX, .most = 3};
    do {
        SOUK_MUST(souk_ledger_read(souk_spine_ledger(desk.spine), list, &all));
        all.before = all.next;
    } while (all.next);
    SOUK_CHECK(all.count == 10 && all.ids[9] == due[0].id && all.ids[0] > all.ids[1]);
    struct listing told = {.endpoint = one, .state = 1, .before = INT64_MAX, .most = 100};
    SOUK_MUST(souk_ledger_read(souk_spine_ledger(desk.spine), list, &told));
    SOUK_CHECK(told.count == 4 && told.next == 0);
    told = (struct listing){.endpoint = two, .state = 1, .before = INT64_MAX, .most = 100};
    SOUK_MUST(souk_ledger_read(souk_spine_ledger(desk.spine), list, &told));
    SOUK_CHECK(told.count == 0);
    outbox_desk_close(&desk);
}

SOUK_TEST("an outbox whose n-th allocation fails says so, and tells everything once it does not")
{
    SOUK_FAULT_LOOP (test) {
        struct outbox_desk desk;
        souk_mem *failing = test->mem;
        test->mem = souk_mem_heap();
        outbox_desk_open(&desk, test);
        int64_t id = outbox_desk_add(&desk, "*", "", "");
        outbox_desk_send(&desk, "A", "", "u1");
        souk_outbox_free(souk_take(&desk.outbox));
        test->mem = failing;
        bool did = false;
        souk_err err = souk_outbox_open(failing, desk.spine, &desk.options, &desk.outbox, NULL);
        if (!err)
            err = souk_outbox_step(desk.outbox, &did);
        SOUK_CHECK(err == SOUK_OK || err == SOUK_ENOMEM);
        if (!err) {
            souk_delivery due[SOUK_OUTBOX_DUE];
            SOUK_CHECK(did && outbox_desk_due(&desk, id, due) == 1);
        }
        outbox_desk_close(&desk);
        test_fault_seen(test, err);
    }
}
