/* outbox_desk.h - for tests of webhooks: a shop on a simulated disk, its endpoints and what waits for them.
 *
 *     struct outbox_desk desk;
 *     outbox_desk_open(&desk, test);
 *     int64_t endpoint = outbox_desk_add(&desk, "Order Completed", "", "");
 *     outbox_desk_send(&desk, "Order Completed", "SH-1", "u-17");
 *     outbox_desk_step(&desk);
 *     SOUK_CHECK(outbox_desk_count(&desk, "SELECT count(*) FROM webhook_delivery") == 1);
 *     outbox_desk_close(&desk);
 *
 * Everything happens in the caller's thread, and the clock stands still.  Stands after test/test.h in a test. */
#ifndef SOUK_SERVE_OUTBOX_DESK_H
#define SOUK_SERVE_OUTBOX_DESK_H

#include "core/merchant.h"
#include "serve/outbox.h"
#include "store/postgres_server.h"

#include <stdio.h>

#define OUTBOX_DESK_NOW ((souk_time)1767268800000)

struct outbox_desk {
    souk_test *test;
    souk_disk *disk;
    souk_spine *spine;
    souk_merchants *merchants;
    souk_outbox *outbox; /* of test->mem */
    souk_outbox_options options;
    souk_clock_fake clock;
    uint64_t sent; /* for message ids */
};

static inline souk_err outbox_desk_start(struct outbox_desk *desk)
{
    souk_spine_options options = {.open_ledger = test_ledger_opener(),
                                  .clock = &desk->clock.clock,
                                  .ledger = {.no_thread = true, .readers = 1},
                                  .vault = {.block_slots = 64, .cache_keys = 64},
                                  .runs_memory = 4096};
    SOUK_TRY(souk_spine_open(souk_mem_heap(), desk->disk, &options, &desk->spine, NULL));
    SOUK_TRY(souk_merchants_open(souk_mem_heap(), desk->spine, &desk->merchants, NULL));
    return souk_outbox_open(desk->test->mem, desk->spine, &desk->options, &desk->outbox, NULL);
}

/* As a crash would. */
static inline void outbox_desk_abandon(struct outbox_desk *desk)
{
    souk_outbox_free(souk_take(&desk->outbox));
    souk_merchants_free(souk_take(&desk->merchants));
    souk_spine_free(souk_take(&desk->spine));
}

static inline void outbox_desk_open(struct outbox_desk *desk, souk_test *test)
{
    souk_secrets secrets;
    *desk = (struct outbox_desk){.test = test};
    souk_clock_fake_init(&desk->clock, OUTBOX_DESK_NOW);
    souk_spine_options options = {.open_ledger = test_ledger_opener(),
                                  .vault = {.block_slots = 64, .cache_keys = 64}};
    SOUK_MUST(souk_disk_open_sim(souk_mem_heap(), test_random(test, 0), &desk->disk));
    SOUK_MUST(souk_spine_init(souk_mem_heap(), desk->disk, &options, NULL));
    SOUK_MUST(outbox_desk_start(desk));
    SOUK_MUST(souk_merchants_found(desk->merchants, SOUK_TEXT("shop"), &secrets));
}

static inline void outbox_desk_close(struct outbox_desk *desk)
{
    outbox_desk_abandon(desk);
    souk_disk_free(desk->disk);
}

/* ---- endpoints ----------------------------------------------------------------------------------------- */

struct outbox_desk_change {
    struct outbox_desk *desk;
    souk_endpoint endpoint;
    souk_signing_secret secret;
    souk_time until;
};

static inline souk_err outbox_desk_added(souk_tx *tx, void *context)
{
    struct outbox_desk_change *change = context;
    return souk_endpoint_add(tx, souk_spine_vault(change->desk->spine), &change->endpoint,
                             souk_clock_now_ms(&change->desk->clock.clock), &change->endpoint.id,
                             &change->secret);
}

/* Lists with '\n' between. */
static inline int64_t outbox_desk_add(struct outbox_desk *desk, const char *events,
                                      const char *stores, const char *purpose)
{
    souk_test *test = desk->test;
    struct outbox_desk_change change = {.desk = desk,
                                        .endpoint = {.url = SOUK_TEXT("https://h.example/"),
                                                     .events = souk_text_of(events),
                                                     .stores = souk_text_of(stores),
                                                     .purpose = souk_text_of(purpose),
                                                     .rate = 50}};
    SOUK_MUST(souk_ledger_write(souk_spine_ledger(desk->spine), SOUK_LANE_JOB, outbox_desk_added,
                                &change));
    return change.endpoint.id;
}

struct outbox_desk_look {
    souk_arena *arena;
    int64_t id;
    souk_endpoint endpoint;
    const char *sql;
    int64_t number;
};

static inline souk_err outbox_desk_find(souk_tx *tx, void *context)
{
    struct outbox_desk_look *look = context;
    return souk_endpoint_find(tx, look->id, look->arena, &look->endpoint);
}

/* Its texts in the arena. */
static inline souk_endpoint outbox_desk_endpoint(struct outbox_desk *desk, int64_t id,
                                                 souk_arena *arena)
{
    souk_test *test = desk->test;
    struct outbox_desk_look look = {.arena = arena, .id = id};
    SOUK_MUST(souk_ledger_read(souk_spine_ledger(desk->spine), outbox_desk_find, &look));
    return look.endpoint;
}

static inline souk_err outbox_desk_changed(souk_tx *tx, void *context)
{
    struct outbox_desk_change *change = context;
    return souk_endpoint_change(tx, &change->endpoint);
}

static inline void outbox_desk_turn(struct outbox_desk *desk, int64_t id, souk_endpoint_state state)
{
    souk_test *test = desk->test;
    souk_arena arena = {.mem = souk_mem_heap()};
    struct outbox_desk_change change = {.desk = desk};
    change.endpoint = outbox_desk_endpoint(desk, id, &arena);
    change.endpoint.state = state;
    souk_err err = souk_ledger_write(souk_spine_ledger(desk->spine), SOUK_LANE_JOB,
                                     outbox_desk_changed, &change);
    souk_arena_done(&arena);
    SOUK_MUST(err);
}

static inline souk_err outbox_desk_counted(souk_tx *tx, void *context)
{
    struct outbox_desk_look *look = context;
    return souk_sql_one_int(tx, look->sql, SOUK_NO_VALUES, &look->number);
}

static inline int64_t outbox_desk_count(struct outbox_desk *desk, const char *sql)
{
    souk_test *test = desk->test;
    struct outbox_desk_look look = {.sql = sql};
    SOUK_MUST(souk_ledger_read(souk_spine_ledger(desk->spine), outbox_desk_counted, &look));
    return look.number;
}

/* ---- events -------------------------------------------------------------------------------------------- */

static inline void outbox_desk_done(souk_batch *batch, souk_err err)
{
    (void)err;
    (void)batch;
}

/* Of a user, "" of nobody; its text is {"of":USER}, not packed: readers get nothing of it. */
static inline uint64_t outbox_desk_send(struct outbox_desk *desk, const char *type,
                                        const char *store, const char *user)
{
    souk_test *test = desk->test;
    const souk_hashes *hashes = souk_spine_hashes(desk->spine);
    uint64_t position = souk_spine_end(desk->spine);
    char message[32];
    souk_line line = {.product = SOUK_TEXT("P1"),
                      .category = SOUK_TEXT("Snacks"),
                      .quantity = {2000000},
                      .amount = {12500000}};
    souk_event event = {.at = souk_clock_now_ms(&desk->clock.clock),
                        .received = souk_clock_now_ms(&desk->clock.clock),
                        .type = souk_text_of(type),
                        .store = souk_text_of(store),
                        .amount = {12500000},
                        .currency = "EUR",
                        .flags = SOUK_EVENT_SALE,
                        .line_count = 1,
                        .lines = &line};
    snprintf(message, sizeof message, "m%llu-%llu", (unsigned long long)position,
             (unsigned long long)desk->sent++);
    event.message = souk_hashes_message(hashes, 1, souk_text_of(message));
    if (*user)
        souk_event_identify(&event, hashes, SOUK_ID_USER, souk_text_of(user));
    souk_batch batch = {.source = 1, .events = &event, .count = 1, .done = outbox_desk_done};
    SOUK_MUST(souk_spine_write(desk->spine, &batch));
    return position;
}

/* To the end of what there is to tell. */
static inline void outbox_desk_step(struct outbox_desk *desk)
{
    souk_test *test = desk->test;
    bool did = true;
    while (did)
        SOUK_MUST(souk_outbox_step(desk->outbox, &did));
}

static inline size_t outbox_desk_due(struct outbox_desk *desk, int64_t endpoint,
                                     souk_delivery due[SOUK_OUTBOX_DUE])
{
    souk_test *test = desk->test;
    size_t count;
    SOUK_MUST(souk_outbox_due(desk->outbox, endpoint, NULL, 0, SOUK_OUTBOX_DUE, due, &count));
    return count;
}

#endif
