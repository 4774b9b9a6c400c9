/* outbox_ahead_test.c - endpoints as cursors: what the writer does does not grow with what is behind, and what is behind
 * is neither lost nor told twice. */
#include "test/test.h"

#include "core/cursor.h"
#include "serve/outbox_desk.h"

#include <sqlite3.h>

enum { HOOKS = 8, AHEAD = 64 };

/* ---- statements that write, of every connection -------------------------------------------------------- */

static uint64_t writes;

static int note_statement(unsigned kind, void *context, void *statement, void *text)
{
    const char *sql = text;
    (void)kind;
    (void)context;
    if (!sqlite3_stmt_readonly(statement) && strncmp(sql, "BEGIN", 5) != 0)
        writes++;
    return 0;
}

static int watch_connection(sqlite3 *db, const char **words, const struct sqlite3_api_routines *api)
{
    (void)words;
    (void)api;
    return sqlite3_trace_v2(db, SQLITE_TRACE_STMT, note_statement, NULL);
}

static void watch_statements(bool on)
{
    void (*entry)(void) = (void (*)(void))watch_connection;
    if (on)
        sqlite3_auto_extension(entry);
    else
        sqlite3_cancel_auto_extension(entry);
}

static void send_many(struct outbox_desk *desk, const char *type, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        outbox_desk_send(desk, type, "S1", "u1");
}

static int64_t rows_of(struct outbox_desk *desk)
{
    return outbox_desk_count(desk, "SELECT count(*) FROM webhook_delivery");
}

/* Steps to the end; returns how many there were, and the most that one wrote. */
static unsigned step_all(struct outbox_desk *desk, uint64_t *ret_most)
{
    souk_test *test = desk->test;
    unsigned steps = 0;
    bool did = true;
    for (*ret_most = 0; did; steps++) {
        writes = 0;
        SOUK_MUST(souk_outbox_step(desk->outbox, &did));
        *ret_most = souk_max_size(*ret_most, writes);
    }
    return steps;
}

SOUK_TEST("a step writes one row for each endpoint and 128 deliveries at most, and no more of "
          "a log ten "
          "times as long")
{
    if (test_on_postgres())
        return; /* SQLite's own hook counts the rows */
    unsigned steps[2];
    watch_statements(true);
    for (unsigned round = 0; round < 2; round++) {
        struct outbox_desk desk;
        uint64_t most;
        outbox_desk_open(&desk, test);
        for (unsigned i = 0; i < HOOKS; i++)
            outbox_desk_add(&desk, "*", "", "");
        int64_t quiet = outbox_desk_add(&desk, "Never", "", "");
        send_many(&desk, "A", round ? 1500 : 150);
        steps[round] = step_all(&desk, &most);
        SOUK_CHECK(most >= 128 && most <= 128 + HOOKS + 1);
        int64_t rows = rows_of(&desk), each = rows / HOOKS;
        SOUK_CHECK(rows >= (int64_t)HOOKS * AHEAD / 2 && rows <= (int64_t)HOOKS * AHEAD);
        SOUK_CHECK(outbox_desk_count(&desk, "SELECT max(waiting) FROM webhook") == each);
        SOUK_CHECK(step_all(&desk, &most) == 1 && most == 0);
        SOUK_CHECK(souk_outbox_behind(desk.outbox));
        souk_arena arena = {.mem = souk_mem_heap()};
        SOUK_CHECK(outbox_desk_endpoint(&desk, quiet, &arena).behind == 0);
        SOUK_CHECK(outbox_desk_endpoint(&desk, 1, &arena).behind ==
                   (round ? 1500 : 150) - (uint64_t)each);
        souk_arena_done(&arena);
        outbox_desk_close(&desk);
    }
    watch_statements(false);
    SOUK_CHECK(steps[0] == steps[1]);
}

SOUK_TEST("64 outcomes of 8 endpoints are 64 rows and 8, twice 8 where they fail")
{
    if (test_on_postgres())
        return; /* SQLite's own hook counts the rows */
    struct outbox_desk desk;
    souk_outcome outcomes[SOUK_OUTBOX_SETTLE];
    watch_statements(true);
    outbox_desk_open(&desk, test);
    for (unsigned i = 0; i < HOOKS; i++)
        outbox_desk_add(&desk, "*", "", "");
    send_many(&desk, "A", 16);
    outbox_desk_step(&desk);
    for (unsigned failing = 0; failing < 2; failing++) {
        for (unsigned i = 0; i < HOOKS; i++) {
            souk_delivery due[SOUK_OUTBOX_DUE];
            SOUK_CHECK(outbox_desk_due(&desk, i + 1, due) >= 8);
            for (unsigned k = 0; k < 8; k++)
                outcomes[k * HOOKS + i] = (souk_outcome){
                    .delivery = due[k], .delivered = !failing, .status = failing ? 500 : 200};
        }
        writes = 0;
        SOUK_MUST(souk_outbox_settle(desk.outbox, outcomes, SOUK_OUTBOX_SETTLE));
        SOUK_CHECK(writes == 64 + (failing ? 2 * HOOKS : HOOKS));
    }
    SOUK_CHECK(outbox_desk_count(&desk, "SELECT sum(waiting) FROM webhook") == 8 * HOOKS);
    SOUK_CHECK(outbox_desk_count(&desk, "SELECT min(failures) FROM webhook") == 8);
    watch_statements(false);
    outbox_desk_close(&desk);
}

static void settle_all(struct outbox_desk *desk, const souk_delivery *due, size_t count, int status)
{
    souk_test *test = desk->test;
    souk_outcome outcomes[SOUK_OUTBOX_DUE];
    for (size_t i = 0; i < count; i++)
        outcomes[i] =
            (souk_outcome){.delivery = due[i], .delivered = status < 300, .status = status};
    SOUK_MUST(souk_outbox_settle(desk->outbox, outcomes, count));
}

SOUK_TEST("of outcomes settled together the last success counts, and what failed behind it")
{
    struct outbox_desk desk;
    souk_delivery due[SOUK_OUTBOX_DUE];
    outbox_desk_open(&desk, test);
    int64_t id = outbox_desk_add(&desk, "*", "", "");
    send_many(&desk, "A", 6);
    outbox_desk_step(&desk);
    SOUK_CHECK(outbox_desk_due(&desk, id, due) == 6);
    settle_all(&desk, due, 2, 500);
    SOUK_CHECK(outbox_desk_count(&desk, "SELECT failures FROM webhook") == 2);
    SOUK_CHECK(outbox_desk_count(&desk, "SELECT failing FROM webhook") == OUTBOX_DESK_NOW);
    souk_clock_fake_advance(&desk.clock, 7);
    souk_outcome mixed[] = {{.delivery = due[2], .status = 500},
                            {.delivery = due[3], .status = 200, .delivered = true},
                            {.delivery = due[4], .status = 500}};
    SOUK_MUST(souk_outbox_settle(desk.outbox, mixed, 3));
    SOUK_CHECK(outbox_desk_count(&desk, "SELECT failures FROM webhook") == 1);
    SOUK_CHECK(outbox_desk_count(&desk, "SELECT failing FROM webhook") == OUTBOX_DESK_NOW + 7);
    settle_all(&desk, &due[5], 1, 200);
    SOUK_CHECK(outbox_desk_count(&desk, "SELECT failures + failing FROM webhook") == 0);
    outbox_desk_close(&desk);
}

/* Delivers until nothing is due; returns how many there were, all at positions in [from, to). */
static uint64_t drain(struct outbox_desk *desk, int64_t endpoint, uint64_t from, uint64_t to)
{
    souk_test *test = desk->test;
    souk_delivery due[SOUK_OUTBOX_DUE];
    uint64_t told = 0;
    for (size_t count = 1; count; told += count) {
        outbox_desk_step(desk);
        count = outbox_desk_due(desk, endpoint, due);
        for (size_t i = 0; i < count; i++)
            SOUK_CHECK(due[i].position >= from && due[i].position < to);
        settle_all(desk, due, count, 200);
    }
    return told;
}

SOUK_TEST("an endpoint that falls behind holds nobody back, and hears of all once it goes on")
{
    struct outbox_desk desk;
    outbox_desk_open(&desk, test);
    int64_t slow = outbox_desk_add(&desk, "*", "", ""), quick = outbox_desk_add(&desk, "*", "", ""),
            rare = outbox_desk_add(&desk, "B", "", "");
    uint64_t from = souk_spine_end(desk.spine);
    for (int i = 0; i < 4; i++) {
        send_many(&desk, "A", 60);
        send_many(&desk, "B", 1);
    }
    uint64_t to = souk_spine_end(desk.spine);
    SOUK_CHECK(drain(&desk, quick, from, to) == 244);
    SOUK_CHECK(drain(&desk, rare, from, to) == 4);
    SOUK_CHECK(outbox_desk_count(&desk, "SELECT waiting FROM webhook WHERE id = 1") == AHEAD);
    SOUK_CHECK(drain(&desk, slow, from, to) == 244);
    SOUK_CHECK(rows_of(&desk) == 492);
    SOUK_CHECK(outbox_desk_count(&desk, "SELECT sum(atom) FROM webhook_delivery") == 0);
    SOUK_CHECK(outbox_desk_count(&desk, "SELECT count(DISTINCT key) FROM webhook_delivery") == 492);
    outbox_desk_close(&desk);
}

SOUK_TEST("what was still to be told when an endpoint was turned off is told when it goes on, what "
          "came meanwhile is not")
{
    struct outbox_desk desk;
    souk_arena arena = {.mem = souk_mem_heap()};
    outbox_desk_open(&desk, test);
    int64_t id = outbox_desk_add(&desk, "*", "", "");
    send_many(&desk, "A", 100);
    outbox_desk_step(&desk);
    for (int i = 0; i < 3; i++) { /* each time far behind */
        outbox_desk_turn(&desk, id, SOUK_ENDPOINT_OFF);
        send_many(&desk, "Meanwhile", 5);
        outbox_desk_step(&desk);
        SOUK_CHECK(rows_of(&desk) == AHEAD);
        outbox_desk_turn(&desk, id, SOUK_ENDPOINT_ON);
        send_many(&desk, "A", 10);
    }
    SOUK_CHECK(outbox_desk_count(&desk, "SELECT count(*) FROM webhook_gap") == 3);
    SOUK_CHECK(drain(&desk, id, 1, UINT64_MAX) == 130);
    SOUK_CHECK(outbox_desk_count(&desk, "SELECT count(*) FROM webhook_gap") == 0);
    SOUK_CHECK(outbox_desk_endpoint(&desk, id, &arena).behind == 0);
    outbox_desk_turn(&desk, id, SOUK_ENDPOINT_OFF); /* with nothing behind */
    send_many(&desk, "Meanwhile", 5);
    outbox_desk_turn(&desk, id, SOUK_ENDPOINT_ON);
    SOUK_CHECK(outbox_desk_count(&desk, "SELECT count(*) FROM webhook_gap") == 0);
    send_many(&desk, "A", 1);
    SOUK_CHECK(drain(&desk, id, 1, UINT64_MAX) == 1);
    souk_arena_done(&arena);
    outbox_desk_close(&desk);
}

SOUK_TEST("an endpoint that is turned on and off without end has 64 gaps, and is told the rest")
{
    struct outbox_desk desk;
    outbox_desk_open(&desk, test);
    int64_t id = outbox_desk_add(&desk, "*", "", "");
    send_many(&desk, "A", AHEAD + 1);
    outbox_desk_step(&desk);
    for (int i = 0; i < 70; i++) {
        outbox_desk_turn(&desk, id, SOUK_ENDPOINT_OFF);
        send_many(&desk, "Meanwhile", 1);
        outbox_desk_turn(&desk, id, SOUK_ENDPOINT_ON);
        send_many(&desk, "A", 1);
    }
    SOUK_CHECK(outbox_desk_count(&desk, "SELECT count(*) FROM webhook_gap") == 64);
    SOUK_CHECK(drain(&desk, id, 1, UINT64_MAX) == AHEAD + 1 + 70 + 6);
    outbox_desk_close(&desk);
}

static void sweep_all(struct outbox_desk *desk)
{
    souk_test *test = desk->test;
    bool did = true;
    souk_clock_fake_advance(&desk->clock, 60001);
    while (did)
        SOUK_MUST(souk_outbox_sweep(desk->outbox, &did));
}

static souk_err removed(souk_tx *tx, void *context)
{
    return souk_endpoint_remove(tx, *(int64_t *)context);
}

SOUK_TEST(
    "what one that is off was still to be told is given up after 30 days, and its gaps go with "
    "it")
{
    struct outbox_desk desk;
    souk_arena arena = {.mem = souk_mem_heap()};
    outbox_desk_open(&desk, test);
    int64_t id = outbox_desk_add(&desk, "*", "", "");
    send_many(&desk, "A", AHEAD + 20);
    outbox_desk_step(&desk);
    outbox_desk_turn(&desk, id, SOUK_ENDPOINT_OFF);
    send_many(&desk, "Meanwhile", 1);
    outbox_desk_turn(&desk, id, SOUK_ENDPOINT_ON);
    outbox_desk_turn(&desk, id, SOUK_ENDPOINT_OFF);
    send_many(&desk, "Meanwhile", 1);
    sweep_all(&desk); /* it is seen to be off */
    souk_clock_fake_advance(&desk.clock, (int64_t)30 * SOUK_DAY_MS - 60001 - 2);
    sweep_all(&desk);
    SOUK_CHECK(outbox_desk_endpoint(&desk, id, &arena).behind == 21);
    sweep_all(&desk);
    SOUK_CHECK(outbox_desk_endpoint(&desk, id, &arena).behind == 0);
    SOUK_CHECK(outbox_desk_count(&desk, "SELECT count(*) FROM webhook_gap") == 0);
    outbox_desk_turn(&desk, id, SOUK_ENDPOINT_ON);
    uint64_t from = outbox_desk_send(&desk, "A", "S1", "u1");
    SOUK_CHECK(drain(&desk, id, from, from + 1) == 1 && rows_of(&desk) == 1);
    send_many(&desk, "A", AHEAD + 1);
    outbox_desk_step(&desk);
    outbox_desk_turn(&desk, id, SOUK_ENDPOINT_OFF);
    send_many(&desk, "Meanwhile", 1);
    outbox_desk_turn(&desk, id, SOUK_ENDPOINT_ON);
    SOUK_MUST(souk_ledger_write(souk_spine_ledger(desk.spine), SOUK_LANE_JOB, removed, &id));
    sweep_all(&desk);
    SOUK_CHECK(outbox_desk_count(&desk, "SELECT (SELECT count(*) FROM webhook_gap) + (SELECT "
                                        "count(*) FROM webhook)") == 0);
    souk_arena_done(&arena);
    outbox_desk_close(&desk);
}

SOUK_TEST("a change of what an endpoint wants holds for what is behind")
{
    struct outbox_desk desk;
    souk_arena arena = {.mem = souk_mem_heap()};
    outbox_desk_open(&desk, test);
    int64_t id = outbox_desk_add(&desk, "A", "", "");
    send_many(&desk, "A", AHEAD + 30);
    send_many(&desk, "B", 3);
    outbox_desk_step(&desk);
    struct outbox_desk_change change = {.desk = &desk,
                                        .endpoint = outbox_desk_endpoint(&desk, id, &arena)};
    change.endpoint.events = SOUK_TEXT("B");
    SOUK_MUST(souk_ledger_write(souk_spine_ledger(desk.spine), SOUK_LANE_JOB, outbox_desk_changed,
                                &change));
    SOUK_CHECK(drain(&desk, id, 1, UINT64_MAX) == AHEAD + 3);
    souk_arena_done(&arena);
    outbox_desk_close(&desk);
}

static souk_err unplace(souk_tx *tx, void *context)
{
    (void)context;
    return souk_sql_run(tx, "UPDATE webhook SET position = 0, until = 0", SOUK_NO_VALUES);
}

/* As a ledger was whose outbox had one cursor. */
static void go_back(struct outbox_desk *desk, uint64_t position)
{
    souk_test *test = desk->test;
    souk_ledger *ledger = souk_spine_ledger(desk->spine);
    souk_cursor_options options = {.name = "webhooks", .from = position};
    souk_cursor *cursor;
    SOUK_MUST(souk_cursor_open(test->mem, ledger, &desk->clock.clock, &options, &cursor, NULL));
    souk_cursor_free(cursor);
    SOUK_MUST(souk_ledger_write(ledger, SOUK_LANE_JOB, unplace, NULL));
}

SOUK_TEST(
    "endpoints of a ledger with one cursor for all go on where that stood, or where they began")
{
    struct outbox_desk desk;
    outbox_desk_open(&desk, test);
    int64_t early = outbox_desk_add(&desk, "*", "", "");
    uint64_t from = outbox_desk_send(&desk, "A", "", "u1") + 3;
    send_many(&desk, "A", 9);
    int64_t late = outbox_desk_add(&desk, "*", "", ""), off = outbox_desk_add(&desk, "*", "", "");
    outbox_desk_turn(&desk, off, SOUK_ENDPOINT_OFF);
    uint64_t since = souk_spine_end(desk.spine);
    send_many(&desk, "A", 2);
    go_back(&desk, from);
    outbox_desk_abandon(&desk);
    SOUK_MUST(outbox_desk_start(&desk));
    outbox_desk_turn(&desk, off, SOUK_ENDPOINT_ON);
    SOUK_CHECK(drain(&desk, early, from, UINT64_MAX) == since + 2 - from);
    SOUK_CHECK(drain(&desk, late, since, UINT64_MAX) == 2);
    SOUK_CHECK(drain(&desk, off, 1, UINT64_MAX) == 0);
    outbox_desk_close(&desk);
}
