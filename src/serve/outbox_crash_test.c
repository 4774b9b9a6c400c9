/* outbox_crash_test.c - the outbox against a dumb model, with the power cut again and again.
 *
 * The model knows every event that was stored, and which endpoints were on and wanted it at that time.  A receiver
 * writes down the webhook-ids it got, and what each told.  Few rows are made ahead, so positions lag when the power goes
 * and when an endpoint is turned off. */
#include "test/test.h"

#include "serve/outbox_desk.h"

enum { ENDPOINTS = 4, EVENTS = 300, IDS = ENDPOINTS * EVENTS };

static const char *const names[] = {"A", "B", "C"};
static const char *const stores[] = {"", "S1", "S2"};
static const struct {
    const char *events, *stores;
} wants[ENDPOINTS] = {{"A", ""}, {"*", "S1"}, {"B\nC", ""}, {"*", ""}};

struct model {
    struct outbox_desk desk;
    int64_t ids[ENDPOINTS];
    bool on[ENDPOINTS];
    bool told[ENDPOINTS][EVENTS + 10]; /* by position */
    uint64_t end;
    struct got {
        char webhook_id[SOUK_WEBHOOK_ID_BYTES];
        int64_t endpoint;
        uint64_t position;
        unsigned times;
    } got[IDS];
    size_t got_count;
};

static bool model_wants(size_t endpoint, unsigned name, unsigned store)
{
    const char *events = wants[endpoint].events;
    bool named = events[0] == '*' || strchr(events, names[name][0]);
    return named && (!wants[endpoint].stores[0] || !strcmp(wants[endpoint].stores, stores[store]));
}

static void send_some(struct model *model, souk_test *test)
{
    for (uint64_t i = test_random(test, 12); i > 0 && model->end < EVENTS; i--) {
        unsigned name = (unsigned)test_random(test, 3), store = (unsigned)test_random(test, 3);
        uint64_t position = outbox_desk_send(&model->desk, names[name], stores[store], "u1");
        SOUK_CHECK(position == model->end);
        for (size_t e = 0; e < ENDPOINTS; e++)
            model->told[e][position] = model->on[e] && model_wants(e, name, store);
        model->end++;
    }
}

static void receive(struct model *model, souk_test *test, const souk_delivery *delivery)
{
    size_t i = 0;
    while (i < model->got_count && strcmp(model->got[i].webhook_id, delivery->webhook_id) != 0)
        i++;
    SOUK_CHECK(i < IDS);
    struct got *got = &model->got[i];
    if (i == model->got_count) {
        model->got_count++;
        memcpy(got->webhook_id, delivery->webhook_id, sizeof got->webhook_id);
        got->endpoint = delivery->endpoint;
        got->position = delivery->position;
    }
    SOUK_CHECK(got->endpoint == delivery->endpoint && got->position == delivery->position);
    got->times++;
}

/* Sends what is due, as a sender would; the receiver answers by chance. */
static souk_err deliver(struct model *model, souk_test *test, size_t endpoint, size_t *ret_count)
{
    souk_delivery due[SOUK_OUTBOX_DUE];
    souk_outcome outcomes[SOUK_OUTBOX_DUE];
    SOUK_TRY(souk_outbox_due(model->desk.outbox, model->ids[endpoint], NULL, 0,
                             1 + test_random(test, SOUK_OUTBOX_DUE), due, ret_count));
    for (size_t i = 0; i < *ret_count; i++) {
        bool taken = test_random(test, 4) > 0;
        if (taken)
            receive(model, test, &due[i]);
        outcomes[i] = (souk_outcome){.delivery = due[i],
                                     .delivered = taken && test_random(test, 10) > 0,
                                     .status = taken ? 200 : 500};
    }
    return souk_outbox_settle(model->desk.outbox, outcomes, *ret_count);
}

/* One life: until the power goes, or there is nothing more to do. */
static void live(struct model *model, souk_test *test)
{
    souk_err err = SOUK_OK;
    for (unsigned idle = 0; !err && idle < 3;) {
        size_t count = 0;
        bool did = false, swept = false;
        err = souk_outbox_step(model->desk.outbox, &did);
        for (size_t i = 0; i < ENDPOINTS && !err; i++) {
            size_t some;
            err = deliver(model, test, i, &some);
            count += err ? 0 : some;
        }
        if (!err)
            err = souk_outbox_sweep(model->desk.outbox, &swept);
        if (!err)
            souk_clock_fake_advance(&model->desk.clock, 3000);
        idle = did || count ? 0 : idle + 1;
    }
}

static void reopen(struct model *model, souk_test *test)
{
    outbox_desk_abandon(&model->desk);
    souk_sim_power_on(model->desk.disk);
    souk_sim_plan(model->desk.disk, (souk_sim_faults){0});
    SOUK_MUST(outbox_desk_start(&model->desk));
}

static void check_all(struct model *model, souk_test *test)
{
    size_t wanted = 0, unheard = 0, planted = 0;
    for (size_t e = 0; e < ENDPOINTS; e++)
        for (uint64_t p = 1; p < model->end; p++) {
            bool found = false;
            for (size_t i = 0; i < model->got_count && !found; i++)
                found = model->got[i].endpoint == model->ids[e] && model->got[i].position == p;
            bool should = model->told[e][p];
            if (found && !should)
                test_fail(test, __FILE__, __LINE__, "endpoint %zu heard of %llu", e,
                          (unsigned long long)p);
            wanted += should;
            unheard += should && !found;
            planted += found != model->told[(e + 1) % ENDPOINTS][p];
        }
    SOUK_CHECK(unheard == 0 && wanted == model->got_count && wanted > 0);
    SOUK_CHECK(planted > 0); /* a model that takes one endpoint for another is noticed */
    SOUK_CHECK(outbox_desk_count(&model->desk,
                                 "SELECT count(*) FROM webhook WHERE waiting <> (SELECT count(*) "
                                 "FROM webhook_delivery WHERE endpoint = webhook.id AND state = 0) "
                                 "OR dead <> (SELECT count(*) FROM webhook_delivery WHERE "
                                 "endpoint = webhook.id AND state = 2)") == 0);
}

/* What it was still to be told goes on behind it. */
static void turn_one(struct model *model, souk_test *test)
{
    size_t e = test_random(test, ENDPOINTS);
    if (!model->ids[e])
        return;
    model->on[e] = !model->on[e];
    outbox_desk_turn(&model->desk, model->ids[e],
                     model->on[e] ? SOUK_ENDPOINT_ON : SOUK_ENDPOINT_OFF);
}

SOUK_TEST(
    "through power cuts each endpoint hears of each event it wants, repeats under the same id, and "
    "nothing else")
{
    for (unsigned round = 0; round < 4; round++) {
        struct model *model = souk_mem_get(souk_mem_heap(), sizeof *model);
        souk_outbox_options options = {.first_wait_ms = 1000, .ahead = 4};
        unsigned repeats = 0;
        outbox_desk_open(&model->desk, test);
        model->desk.options = options;
        model->end = souk_spine_end(model->desk.spine);
        for (unsigned life = 0; life < 16; life++) {
            if (life % 2 == 0 && life / 2 < ENDPOINTS) {
                size_t e = life / 2;
                model->ids[e] = outbox_desk_add(&model->desk, wants[e].events, wants[e].stores, "");
                model->on[e] = true;
            }
            send_some(model, test);
            for (unsigned turn = 0; turn < 3; turn++) {
                turn_one(model, test);
                send_some(model, test);
            }
            souk_sim_plan(model->desk.disk,
                          (souk_sim_faults){.cut_at = 1 + test_random(test, 120)});
            live(model, test);
            reopen(model, test);
        }
        for (size_t e = 0; e < ENDPOINTS; e++) /* what waits for the one that is off */
            if (!model->on[e])
                outbox_desk_turn(&model->desk, model->ids[e], SOUK_ENDPOINT_ON);
        souk_clock_fake_advance(&model->desk.clock, SOUK_DAY_MS);
        for (unsigned day = 0; day < 8; day++) {
            live(model, test);
            souk_clock_fake_advance(&model->desk.clock, SOUK_DAY_MS);
        }
        check_all(model, test);
        for (size_t i = 0; i < model->got_count; i++)
            repeats += model->got[i].times > 1;
        SOUK_CHECK(repeats > 0);
        outbox_desk_close(&model->desk);
        souk_mem_put(souk_mem_heap(), model);
    }
}
