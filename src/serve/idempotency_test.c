/* idempotency_test.c - a key does a deed once, tells another request from it, and belongs to its caller. */
#include "test/test.h"

#include "os/thread.h"
#include "serve/idempotency.h"
#include "serve/test_desk.h"

#include <sched.h>

/* What the handler was asked, and what came of a call. */
static struct {
    unsigned deeds, answers;
    int status;
    char answer[300], replayed[8];
    const char *key, *who;
    int next_status; /* of the handler */
    bool holds;      /* the handler keeps the call */
    souk_call *held;
} seen;

static souk_clock_fake noon;

static souk_text header(souk_call *call, souk_text name)
{
    (void)call;
    if (souk_text_equal(name, SOUK_TEXT("idempotency-key")))
        return souk_text_of(seen.key);
    return souk_text_equal(name, SOUK_TEXT("authorization")) ? souk_text_of(seen.who)
                                                             : SOUK_TEXT("");
}

static void answered(souk_call *call, int status, const char *type, souk_text body,
                     unsigned retry_s)
{
    (void)type, (void)retry_s;
    seen.status = status;
    seen.replayed[0] = '\0';
    for (size_t i = 0; i < call->header_count; i++)
        if (souk_text_equal(call->headers[i].name, SOUK_TEXT("Idempotency-Replayed")))
            snprintf(seen.replayed, sizeof seen.replayed, "%.*s",
                     SOUK_TEXT_PRINT(call->headers[i].value));
    snprintf(seen.answer, sizeof seen.answer, "%.*s", SOUK_TEXT_PRINT(body));
    souk_call_free(call);
    __atomic_add_fetch(&seen.answers, 1, __ATOMIC_RELEASE); /* perhaps in the writer's thread */
}

static void do_deed(souk_call *call)
{
    char body[40];
    seen.deeds++;
    if (seen.holds) {
        seen.held = call;
        return;
    }
    int bytes = snprintf(body, sizeof body, "deed %u", seen.deeds);
    souk_call_answer_text(call, seen.next_status, "text/plain", (souk_text){body, (size_t)bytes});
}

static const souk_route route = {"POST", "/deed", SOUK_SCOPE_MANAGE, do_deed, .summary = "a deed"};
static const souk_route strict = {
    "POST", "/deed", SOUK_SCOPE_MANAGE, do_deed, .summary = "a deed", .needs_key = true};

static void make_token(souk_call *call)
{
    seen.deeds++;
    souk_call_answer_text(
        call, 201, "application/json",
        SOUK_TEXT("{\"id\":\"7\",\"token\":\"souk_at_1\",\"scopes\":[\"read\"]}"));
}
static const souk_route minting = {
    "POST", "/deed", SOUK_SCOPE_ADMIN, make_token, .summary = "a token", .secret = "token"};

static void ask(souk_test *test, souk_idempotency *keys, const souk_route *asked, const char *key,
                const char *who, const char *body)
{
    souk_call *call;
    SOUK_MUST(souk_call_new(souk_mem_heap(), &call));
    call->method = SOUK_TEXT("POST");
    call->path = SOUK_TEXT("/deed");
    call->body = souk_text_of(body);
    call->header = header;
    call->send = answered;
    seen.key = key;
    seen.who = who;
    souk_idempotency_handle(keys, call, asked);
}

static void begin(souk_test *test, struct desk *desk, souk_idempotency **ret_keys)
{
    memset(&seen, 0, sizeof seen);
    seen.next_status = 201;
    souk_clock_fake_init(&noon, 1767268800000);
    desk_open(desk, test);
    SOUK_MUST(souk_idempotency_open(test->mem, desk->spine, &noon.clock, ret_keys, NULL));
}

SOUK_TEST("the same request under a key is done once and answered the same each time")
{
    struct desk desk;
    souk_idempotency *keys;
    begin(test, &desk, &keys);
    for (unsigned i = 0; i < 3; i++) {
        ask(test, keys, &route, "k-1", "Bearer a", "{\"x\":1}");
        SOUK_CHECK(seen.deeds == 1 && seen.status == 201 && !strcmp(seen.answer, "deed 1"));
        SOUK_CHECK(!strcmp(seen.replayed, i ? "true" : ""));
    }
    ask(test, keys, &route, "k-1", "Bearer a", "{\"x\":2}");
    SOUK_CHECK(seen.status == 422 && seen.deeds == 1 && strstr(seen.answer, "another request"));
    ask(test, keys, &route, "k-1", "Bearer b", "{\"x\":2}"); /* another caller's key */
    SOUK_CHECK(seen.status == 201 && seen.deeds == 2);
    ask(test, keys, &route, "", "Bearer a", "{\"x\":1}");
    ask(test, keys, &route, "", "Bearer a", "{\"x\":1}");
    SOUK_CHECK(seen.deeds == 4);
    souk_idempotency_free(keys);
    desk_close(&desk);
}

SOUK_TEST("a secret is in the first answer alone, and a repeat says what it withholds")
{
    struct desk desk;
    souk_idempotency *keys;
    begin(test, &desk, &keys);
    ask(test, keys, &minting, "k", "Bearer a", "{}");
    SOUK_CHECK(strstr(seen.answer, "\"token\":\"souk_at_1\"") && !seen.replayed[0]);
    ask(test, keys, &minting, "k", "Bearer a", "{}");
    SOUK_CHECK(seen.deeds == 1 && seen.status == 201 && !strcmp(seen.replayed, "true"));
    SOUK_CHECK_TEXT(souk_text_of(seen.answer),
                    "{\"id\":\"7\",\"scopes\":[\"read\"],\"withheld\":\"token\"}");
    souk_idempotency_free(keys);
    desk_close(&desk);
}

SOUK_TEST("what failed may be tried again under its key, and a key is no more after three days")
{
    struct desk desk;
    souk_idempotency *keys;
    begin(test, &desk, &keys);
    seen.next_status = 409;
    ask(test, keys, &route, "k", "a", "");
    seen.next_status = 200;
    ask(test, keys, &route, "k", "a", "");
    SOUK_CHECK(seen.deeds == 2 && seen.status == 200);
    souk_clock_fake_advance(&noon, SOUK_IDEMPOTENCY_KEPT_MS - 1);
    ask(test, keys, &route, "k", "a", "");
    SOUK_CHECK(seen.deeds == 2);
    souk_clock_fake_advance(&noon, 1);
    ask(test, keys, &route, "k", "a", "");
    SOUK_CHECK(seen.deeds == 3 && seen.status == 200);
    souk_idempotency_free(keys);
    desk_close(&desk);
}

/* ---- plans ------------------------------------------------------------------------------------------------ */

static souk_spine *spine;

/* Its owner counts deeds in a table, up to three. */
static souk_err count_deed(void *state, souk_tx *tx, souk_plan *plan, const souk_effect *effects,
                           size_t count)
{
    (void)state, (void)effects, (void)count;
    SOUK_TRY(souk_sql_run(tx, "UPDATE deed SET done = done + 1 WHERE done < 3", SOUK_NO_VALUES));
    return souk_sql_changed(tx) == 1 ? SOUK_OK
                                     : souk_diag_say(&plan->diag, SOUK_ECONFLICT, "three are done");
}
static const souk_effect_owners owners = {.of = {[SOUK_EFFECT_STOCK] = {count_deed, NULL}}};

static souk_err tell_deed(souk_plan *plan, souk_tx *tx, souk_json_writer *out)
{
    (void)plan, (void)tx;
    souk_json_write_object(out);
    souk_json_put_u64(out, "deed", seen.deeds);
    souk_json_write_end(out);
    return SOUK_OK;
}

static void plan_deed(souk_call *call)
{
    call->spine = spine;
    souk_plan *plan = souk_call_plan(call);
    seen.deeds++;
    if (plan)
        souk_plan_add(plan, SOUK_EFFECT_STOCK, SOUK_TEXT("k"), 1, NULL);
    souk_call_run(call, &owners, plan, 201, tell_deed);
}
static const souk_route planning = {"POST", "/deed", SOUK_SCOPE_MANAGE, plan_deed,
                                    .summary = "a plan"};

static souk_err script(souk_tx *tx, void *context)
{
    (void)context;
    return souk_sql_script(tx, "CREATE TABLE deed (done INTEGER NOT NULL);"
                               "INSERT INTO deed (done) VALUES (0)");
}

static souk_err sum(souk_tx *tx, void *context)
{
    return souk_sql_one_int(tx,
                            "SELECT 100 * (SELECT done FROM deed) + (SELECT count(*) FROM "
                            "idempotency)",
                            SOUK_NO_VALUES, context);
}

/* When so many were answered: plans are answered by another thread. */
static int64_t deeds_and_keys(souk_test *test, unsigned answers)
{
    int64_t found = -1;
    while (__atomic_load_n(&seen.answers, __ATOMIC_ACQUIRE) < answers)
        sched_yield();
    SOUK_MUST(souk_ledger_write(souk_spine_ledger(spine), SOUK_LANE_JOB, sum, &found));
    return found;
}

SOUK_TEST("a plan's deed, its key and its answer are one: told again, kept once, undone together")
{
    if (test_on_postgres())
        return; /* the harness waits by a job, and a till goes beside it there */
    struct desk desk;
    souk_idempotency *keys;
    begin(test, &desk, &keys);
    spine = desk.spine;
    SOUK_MUST(souk_ledger_write(souk_spine_ledger(spine), SOUK_LANE_JOB, script, NULL));
    for (unsigned i = 0; i < 2; i++) {
        ask(test, keys, &planning, "k-1", "Bearer a", "{}");
        SOUK_CHECK(deeds_and_keys(test, i + 1) == 101);
        SOUK_CHECK(seen.status == 201 && !strcmp(seen.answer, "{\"deed\":1}"));
        SOUK_CHECK(!strcmp(seen.replayed, i ? "true" : ""));
    }
    ask(test, keys, &planning, "", "Bearer a", "{}"); /* without a key nothing is kept */
    SOUK_CHECK(deeds_and_keys(test, 3) == 201 && seen.status == 201);
    ask(test, keys, &planning, "k-2", "Bearer a", "{}");
    SOUK_CHECK(deeds_and_keys(test, 4) == 302 && seen.status == 201);
    ask(test, keys, &planning, "k-3", "Bearer a", "{}");
    SOUK_CHECK(deeds_and_keys(test, 5) == 302);
    SOUK_CHECK(seen.status == 409 && strstr(seen.answer, "three are done"));
    SOUK_CHECK(seen.answers == 5);
    souk_idempotency_free(keys);
    desk_close(&desk);
}

/* As a till's: what stands in the way is told before there is a plan. */
static void plan_or_refuse(souk_call *call)
{
    seen.deeds += seen.next_status != 201;
    if (seen.next_status == 201)
        plan_deed(call);
    else
        souk_call_answer_text(call, seen.next_status, "text/plain", SOUK_TEXT("prices changed"));
}
static const souk_route till = {
    "POST", "/deed", SOUK_SCOPE_MANAGE, plan_or_refuse, .summary = "a till", .plans = true};

SOUK_TEST("a plan's repeat hears the first answer whatever stands in its way by now")
{
    if (test_on_postgres())
        return; /* the harness waits by a job, and a till goes beside it there */
    struct desk desk;
    souk_idempotency *keys;
    begin(test, &desk, &keys);
    spine = desk.spine;
    SOUK_MUST(souk_ledger_write(souk_spine_ledger(spine), SOUK_LANE_JOB, script, NULL));
    for (unsigned i = 0; i < 3; i++) {
        seen.next_status = i < 2 ? 201 : 409;
        ask(test, keys, &till, "k-1", "Bearer a", "{}");
        SOUK_CHECK(deeds_and_keys(test, i + 1) == 101);
        SOUK_CHECK(seen.status == 201 && !strcmp(seen.answer, "{\"deed\":1}"));
        SOUK_CHECK(!strcmp(seen.replayed, i ? "true" : ""));
    }
    for (unsigned i = 0; i < 2; i++) { /* planned and refused: the key is another request's */
        seen.next_status = i ? 409 : 201;
        ask(test, keys, &till, "k-1", "Bearer a", "{\"x\":2}");
        SOUK_CHECK(deeds_and_keys(test, i + 4) == 101 && seen.status == 422);
        SOUK_CHECK(strstr(seen.answer, "another request: take a new one") != NULL);
    }
    seen.next_status = 409;
    ask(test, keys, &till, "k-2", "Bearer a", "{}"); /* nobody's repeat */
    SOUK_CHECK(deeds_and_keys(test, 6) == 101);
    SOUK_CHECK(seen.status == 409 && !strcmp(seen.answer, "prices changed"));
    seen.next_status = 201;
    ask(test, keys, &till, "k-2", "Bearer a", "{}");
    SOUK_CHECK(deeds_and_keys(test, 7) == 202 && seen.status == 201);
    SOUK_CHECK(seen.answers == 7);
    souk_idempotency_free(keys);
    desk_close(&desk);
}

SOUK_TEST("while the first is at work the second hears so, and a missing or odd key is refused")
{
    struct desk desk;
    souk_idempotency *keys;
    char long_key[257];
    memset(long_key, 'k', 256);
    long_key[256] = '\0';
    begin(test, &desk, &keys);
    seen.holds = true;
    ask(test, keys, &route, "k", "a", "");
    SOUK_CHECK(seen.deeds == 1 && seen.answers == 0);
    ask(test, keys, &route, "k", "a", "");
    SOUK_CHECK(seen.status == 409 && seen.deeds == 1);
    souk_call_answer_text(seen.held, 200, "text/plain", SOUK_TEXT("late"));
    seen.holds = false;
    ask(test, keys, &route, "k", "a", "");
    SOUK_CHECK(seen.status == 200 && seen.deeds == 1 && !strcmp(seen.answer, "late"));
    ask(test, keys, &route, long_key, "a", "");
    SOUK_CHECK(seen.status == 400);
    ask(test, keys, &route, "two words", "a", "");
    SOUK_CHECK(seen.status == 400);
    ask(test, keys, &strict, "", "a", "");
    SOUK_CHECK(seen.status == 400 && strstr(seen.answer, "needs an Idempotency-Key"));
    SOUK_CHECK(seen.deeds == 1);
    souk_idempotency_free(keys);
    desk_close(&desk);
}
