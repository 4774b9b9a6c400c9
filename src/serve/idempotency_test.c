/* idempotency_test.c - a key does a deed once, tells another request from it, and belongs to its caller. */
#include "test/test.h"

#include "os/thread.h"
#include "serve/idempotency.h"
#include "serve/test_desk.h"

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
    seen.answers++;
    seen.status = status;
    seen.replayed[0] = '\0';
    for (size_t i = 0; i < call->header_count; i++)
        if (souk_text_equal(call->headers[i].name, SOUK_TEXT("Idempotency-Replayed")))
            snprintf(seen.replayed, sizeof seen.replayed, "%.*s",
                     SOUK_TEXT_PRINT(call->headers[i].value));
    snprintf(seen.answer, sizeof seen.answer, "%.*s", SOUK_TEXT_PRINT(body));
    souk_call_free(call);
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
