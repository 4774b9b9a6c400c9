/* payload_test.c - what a delivery tells, and of whom: asked when it is sent. */
#include "test/test.h"

#include "base/json.h"
#include "serve/outbox_desk.h"
#include "serve/payload.h"

struct told {
    souk_buf body;
    souk_payload_person person;
};

static souk_err write_due(struct outbox_desk *desk, souk_mem *mem, int64_t id, size_t index,
                          struct told *told)
{
    souk_delivery due[SOUK_OUTBOX_DUE];
    souk_arena arena = {.mem = souk_mem_heap()};
    souk_auto(souk_payload) payload = NULL;
    souk_endpoint endpoint = outbox_desk_endpoint(desk, id, &arena);
    souk_err err = outbox_desk_due(desk, id, due) > index ? SOUK_OK : SOUK_ENOENT;
    souk_buf_clear(&told->body);
    if (!err)
        err = souk_payload_new(mem, desk->spine, &payload);
    if (!err)
        err = souk_payload_write(payload, &endpoint, &due[index], &told->body, &told->person);
    souk_arena_done(&arena);
    return err;
}

static void check_body(souk_test *test, const struct told *told, const char *wanted)
{
    souk_auto_value(souk_json_doc) doc = {.mem = souk_mem_heap()};
    SOUK_MUST(souk_json_read(&doc, souk_buf_view(&told->body), NULL, NULL));
    SOUK_CHECK_TEXT(souk_buf_view(&told->body), wanted);
}

#define AT "2026-01-01T12:00:00.000Z"
#define CLEAR(position)                                                                          \
    "{\"type\":\"Order Completed\",\"timestamp\":\"" AT "\",\"data\":{\"position\":" position    \
    ",\"event\":\"Order Completed\",\"at\":\"" AT "\",\"received\":\"" AT "\",\"store\":\"S1\"," \
    "\"amount\":\"12.5\",\"currency\":\"EUR\",\"products\":[{\"product\":\"P1\",\"category\":"   \
    "\"Snacks\",\"quantity\":\"2\",\"amount\":\"12.5\"}]"

SOUK_TEST("an endpoint without a purpose is told what is clear, and of nobody")
{
    struct outbox_desk desk;
    struct told told = {.body = {.mem = test->mem}};
    outbox_desk_open(&desk, test);
    int64_t id = outbox_desk_add(&desk, "*", "", "");
    SOUK_CHECK(outbox_desk_send(&desk, "Order Completed", "S1", "u1") == 1);
    outbox_desk_step(&desk);
    SOUK_MUST(write_due(&desk, test->mem, id, 0, &told));
    check_body(test, &told, CLEAR("1") "}}");
    SOUK_CHECK(told.person == SOUK_PAYLOAD_NOBODY);
    souk_buf_done(&told.body);
    outbox_desk_close(&desk);
}

SOUK_TEST(
    "a person is told by her grant of this moment, withheld without it, and nobody once she is "
    "erased")
{
    struct outbox_desk desk;
    struct told told = {.body = {.mem = test->mem}};
    souk_person *person = souk_mem_get(souk_mem_heap(), sizeof *person);
    uint64_t events;
    outbox_desk_open(&desk, test);
    int64_t serve = outbox_desk_add(&desk, "*", "", "serve");
    int64_t profile = outbox_desk_add(&desk, "*", "", "profile");
    outbox_desk_send(&desk, "Order Completed", "S1", "u1");
    outbox_desk_send(&desk, "Order Completed", "S1", "");
    outbox_desk_step(&desk);
    SOUK_MUST(write_due(&desk, test->mem, serve, 0, &told)); /* by contract, as its source states */
    SOUK_CHECK(told.person == SOUK_PAYLOAD_TOLD);
    SOUK_CHECK(memmem(told.body.at, told.body.bytes, "\"person\":{\"shopper\":\"", 21) != NULL);
    SOUK_MUST(write_due(&desk, test->mem, serve, 1, &told));
    check_body(test, &told, CLEAR("2") ",\"person\":null}}");
    SOUK_CHECK(told.person == SOUK_PAYLOAD_NOBODY);
    SOUK_MUST(write_due(&desk, test->mem, profile, 0, &told));
    check_body(test, &told, CLEAR("1") ",\"person\":null,\"withheld\":true}}");
    SOUK_CHECK(told.person == SOUK_PAYLOAD_WITHHELD);
    SOUK_MUST(souk_spine_find(desk.spine, SOUK_ID_USER, SOUK_TEXT("u1"), person));
    souk_consent_row row = {.controller = SOUK_OPERATOR,
                            .purpose = SOUK_PURPOSE_PROFILE,
                            .basis = SOUK_BASIS_CONSENT,
                            .from = OUTBOX_DESK_NOW};
    SOUK_MUST(souk_spine_consent_record(desk.spine, person, &row, SOUK_AGE_UNKNOWN));
    SOUK_MUST(write_due(&desk, test->mem, profile, 0, &told));
    SOUK_CHECK(told.person == SOUK_PAYLOAD_TOLD);
    row.basis = SOUK_BASIS_WITHDRAWN;
    row.from++;
    souk_clock_fake_advance(&desk.clock, 1);
    SOUK_MUST(souk_spine_consent_record(desk.spine, person, &row, SOUK_AGE_UNKNOWN));
    SOUK_MUST(write_due(&desk, test->mem, profile, 0, &told));
    SOUK_CHECK(told.person == SOUK_PAYLOAD_WITHHELD);
    SOUK_MUST(souk_spine_erase(desk.spine, person, &events));
    SOUK_MUST(write_due(&desk, test->mem, serve, 0, &told));
    check_body(test, &told, CLEAR("1") ",\"person\":null}}");
    souk_mem_put(souk_mem_heap(), person);
    souk_buf_done(&told.body);
    outbox_desk_close(&desk);
}

/* {"type":"person.erased",…,"data":{"position":3,"at":"…"`more`}} */
static void check_erased(souk_test *test, struct told *told, const char *more)
{
    souk_text body = souk_buf_view(&told->body);
    char ends[200];
    snprintf(ends, sizeof ends, "\"at\":\"" AT "\"%s}}", more);
    SOUK_CHECK(souk_text_starts(body, SOUK_TEXT("{\"type\":\"person.erased\",")));
    SOUK_CHECK(body.bytes > strlen(ends));
    souk_text end = {body.at + body.bytes - strlen(ends), strlen(ends)};
    SOUK_CHECK_TEXT(end, ends);
}

SOUK_TEST("whoever was told of a person hears under which ids, for a month, and nobody else does")
{
    struct outbox_desk desk;
    struct told told = {.body = {.mem = test->mem}};
    souk_person *one = souk_mem_get(souk_mem_heap(), sizeof *one);
    souk_person *two = souk_mem_get(souk_mem_heap(), sizeof *two);
    uint64_t events;
    char first[33], second[33], more[120];
    bool did;
    outbox_desk_open(&desk, test);
    int64_t serve = outbox_desk_add(&desk, "person.erased", "", "serve");
    int64_t clear = outbox_desk_add(&desk, "person.erased", "", "");
    outbox_desk_send(&desk, "Order Completed", "S1", "u1");
    outbox_desk_send(&desk, "Order Completed", "S1", "u2");
    SOUK_MUST(souk_spine_find(desk.spine, SOUK_ID_USER, SOUK_TEXT("u1"), one));
    SOUK_MUST(souk_spine_find(desk.spine, SOUK_ID_USER, SOUK_TEXT("u2"), two));
    SOUK_MUST(souk_spine_public_id(desk.spine, one->shopper, first));
    SOUK_MUST(souk_spine_public_id(desk.spine, two->shopper, second));
    SOUK_MUST(souk_spine_merge(desk.spine, one->shopper, two->shopper, SOUK_TEXT("clerk"),
                               SOUK_TEXT("one card")));
    SOUK_MUST(souk_spine_find(desk.spine, SOUK_ID_USER, SOUK_TEXT("u2"), one));
    SOUK_MUST(souk_spine_erase(desk.spine, one, &events));
    outbox_desk_step(&desk);
    SOUK_MUST(write_due(&desk, test->mem, serve, 0, &told));
    snprintf(more, sizeof more, ",\"shoppers\":[\"%s\",\"%s\"]", first, second);
    check_erased(test, &told, more);
    SOUK_MUST(write_due(&desk, test->mem, clear, 0, &told));
    check_erased(test, &told, "");
    SOUK_CHECK(outbox_desk_count(&desk, "SELECT count(*) FROM erasure_told") == 1);
    souk_clock_fake_advance(&desk.clock, SOUK_ERASED_TOLD_MS);
    SOUK_MUST(write_due(&desk, test->mem, serve, 0, &told));
    check_erased(test, &told, ",\"shoppers\":[]");
    SOUK_MUST(souk_outbox_sweep(desk.outbox, &did));
    SOUK_CHECK(outbox_desk_count(&desk, "SELECT count(*) FROM erasure_told") == 0);
    souk_mem_put(souk_mem_heap(), one);
    souk_mem_put(souk_mem_heap(), two);
    souk_buf_done(&told.body);
    outbox_desk_close(&desk);
}

SOUK_TEST("one block kept for the next delivery does not bring an erased person back")
{
    struct outbox_desk desk;
    souk_delivery due[SOUK_OUTBOX_DUE];
    souk_arena arena = {.mem = souk_mem_heap()};
    souk_auto(souk_payload) payload = NULL;
    souk_auto_value(souk_buf) body = {.mem = test->mem};
    souk_payload_person told;
    souk_person *person = souk_mem_get(souk_mem_heap(), sizeof *person);
    uint64_t events;
    outbox_desk_open(&desk, test);
    int64_t id = outbox_desk_add(&desk, "*", "", "serve");
    outbox_desk_send(&desk, "Order Completed", "S1", "u1");
    outbox_desk_step(&desk);
    souk_endpoint endpoint = outbox_desk_endpoint(&desk, id, &arena);
    SOUK_CHECK(outbox_desk_due(&desk, id, due) == 1);
    SOUK_MUST(souk_payload_new(test->mem, desk.spine, &payload));
    SOUK_MUST(souk_payload_write(payload, &endpoint, &due[0], &body, &told));
    SOUK_CHECK(told == SOUK_PAYLOAD_TOLD);
    SOUK_MUST(souk_spine_find(desk.spine, SOUK_ID_USER, SOUK_TEXT("u1"), person));
    SOUK_MUST(souk_spine_erase(desk.spine, person, &events));
    souk_buf_clear(&body);
    SOUK_MUST(souk_payload_write(payload, &endpoint, &due[0], &body, &told));
    SOUK_CHECK(told == SOUK_PAYLOAD_NOBODY);
    SOUK_CHECK(memmem(body.at, body.bytes, "\"person\":null", 13) != NULL);
    souk_mem_put(souk_mem_heap(), person);
    souk_arena_done(&arena);
    outbox_desk_close(&desk);
}

SOUK_TEST("a body whose n-th allocation fails is not half a body")
{
    struct outbox_desk desk;
    souk_mem *failing = test->mem;
    test->mem = souk_mem_heap();
    outbox_desk_open(&desk, test);
    int64_t id = outbox_desk_add(&desk, "*", "", "serve");
    outbox_desk_send(&desk, "Order Completed", "S1", "u1");
    outbox_desk_step(&desk);
    test->mem = failing;
    SOUK_FAULT_LOOP (test) {
        struct told told = {.body = {.mem = failing}};
        souk_err err = write_due(&desk, failing, id, 0, &told);
        SOUK_CHECK(err == SOUK_OK || err == SOUK_ENOMEM);
        if (!err)
            SOUK_CHECK(told.person == SOUK_PAYLOAD_TOLD &&
                       told.body.at[told.body.bytes - 1] == '}');
        souk_buf_done(&told.body);
        test_fault_seen(test, err);
    }
    outbox_desk_close(&desk);
}
