/* loyalty_routes_test.c - the routes of loyalty as two merchants ask them, and with any allocation failing. */
#include "test/test.h"

#include "service/loyalty/loyalty_inside.h"

#include <stdio.h>

struct counter { /* where one asks */
    souk_test *test;
    souk_disk *disk;
    souk_spine *spine;
    souk_loyalty *loyalty;
    souk_effect_owners owners;
    uint32_t merchant;
    souk_mem *mem; /* of calls */
    const char *if_match;
    unsigned answers;
    int status;
    char answer[20000];
};

static souk_clock_fake noon;

static void meet(struct counter *counter, const char *user)
{
    souk_test *test = counter->test;
    const souk_hashes *hashes = souk_spine_hashes(counter->spine);
    souk_event event = {.type = SOUK_TEXT("Identify"), .at = 1000};
    souk_batch batch = {.source = 0, .events = &event, .count = 1};
    event.message = souk_hashes_message(hashes, 0, souk_text_of(user));
    souk_event_identify(&event, hashes, SOUK_ID_USER, souk_text_of(user));
    SOUK_MUST(souk_spine_write(counter->spine, &batch));
}

static void open_counter(struct counter *counter, souk_test *test)
{
    souk_mem *heap = souk_mem_heap();
    void *state;
    souk_clock_fake_init(&noon, 1767268800000); /* 2026-01-01 */
    souk_spine_options options = {
        .clock = &noon.clock, .vault = {.block_slots = 64}, .runs_memory = 4096};
    memset(counter, 0, sizeof *counter);
    counter->test = test;
    counter->merchant = 1;
    counter->mem = heap;
    SOUK_MUST(souk_disk_open_real(heap, test_folder(test), &counter->disk, NULL));
    SOUK_MUST(souk_spine_init(heap, counter->disk, &options, NULL));
    SOUK_MUST(souk_spine_open(heap, counter->disk, &options, &counter->spine, NULL));
    meet(counter, "ann");
    meet(counter, "bob");
    SOUK_MUST(souk_loyalty_service.open(heap, counter->spine, NULL, &state));
    counter->loyalty = state;
    souk_loyalty_service.own(state, &counter->owners);
}

static void close_counter(struct counter *counter)
{
    souk_loyalty_service.close(counter->loyalty);
    souk_spine_free(counter->spine);
    souk_disk_free(counter->disk);
}

static void answered(souk_call *call, int status, const char *type, souk_text body,
                     unsigned retry_s)
{
    struct counter *counter = call->from;
    (void)type, (void)retry_s;
    counter->status = status;
    snprintf(counter->answer, sizeof counter->answer, "%.*s", SOUK_TEXT_PRINT(body));
    souk_call_free(call);
    counter->answers++;
}

static souk_err nothing(souk_tx *tx, void *context)
{
    (void)tx, (void)context;
    return SOUK_OK;
}

/* The version of what is changed; "*": it is new. */
static souk_text header(souk_call *call, souk_text name)
{
    const struct counter *counter = call->from;
    bool is_new = counter->if_match && !strcmp(counter->if_match, "*");
    if (counter->if_match && is_new == souk_text_equal_nocase(name, SOUK_TEXT("if-none-match")) &&
        (is_new || souk_text_equal_nocase(name, SOUK_TEXT("if-match"))))
        return souk_text_of(counter->if_match);
    return SOUK_TEXT("");
}

/* The status; 0: there was no memory for the call itself. */
static int ask(struct counter *counter, const char *method, const char *path, const char *body)
{
    souk_test *test = counter->test;
    unsigned before = counter->answers;
    souk_call *call;
    if (souk_call_new(counter->mem, &call))
        return 0;
    call->spine = counter->spine;
    call->method = souk_text_of(method);
    call->query = souk_text_of(path);
    call->path = souk_text_cut(&call->query, '?');
    call->body = souk_text_of(body);
    call->caller = (souk_caller){.merchant = counter->merchant, .scopes = SOUK_SCOPE_ALL};
    call->state = counter->loyalty;
    call->owners = &counter->owners;
    call->from = counter;
    call->send = answered;
    call->header = header;
    for (size_t i = 0; i < souk_loyalty_service.route_count; i++) {
        const souk_route *route = &souk_loyalty_service.routes[i];
        if (strcmp(route->method, method) || !souk_route_fits(route, call->path, call->parts))
            continue;
        call->route = route;
        route->handle(call);
        break;
    }
    SOUK_MUST(souk_ledger_write(counter->loyalty->ledger, SOUK_LANE_JOB, nothing, NULL));
    SOUK_CHECK(counter->answers == before + 1);
    return counter->status;
}

static int put(struct counter *counter, const char *path, const char *body, const char *if_match)
{
    counter->if_match = if_match;
    int status = ask(counter, body ? "PUT" : "DELETE", path, body ? body : "");
    counter->if_match = NULL;
    return status;
}

#define CLUB                                                                     \
    "{\"currency\":\"EUR\",\"earn\":{\"points\":1,\"per\":\"1.00\"},\"worth\":{" \
    "\"points\":100,\"amount\":1},\"tiers\":{\"levels\":[{\"name\":\"silver\",\"from\":5}]}}"
#define ANN "\"customer\":{\"kind\":\"user\",\"value\":\"ann\"}"
#define BOB "\"customer\":{\"kind\":\"user\",\"value\":\"bob\"}"

/* The n-th text in quotes behind the word. */
static void text_behind(const struct counter *counter, const char *word, char *to, size_t room)
{
    const char *at = strstr(counter->answer, word);
    at = at ? strchr(at, ':') : NULL;
    at = at ? strchr(at, '"') : NULL;
    snprintf(to, room, "%.*s", at ? (int)strcspn(at + 1, "\"") : 0, at ? at + 1 : "");
}

SOUK_TEST("a guest merchant has coupons of its own, no shoppers, and sees nothing of another's")
{
    struct counter counter;
    char code[40], body[200];
    open_counter(&counter, test);
    SOUK_CHECK(put(&counter, "/v1/loyalty/programme", CLUB, "*") == 201);
    SOUK_CHECK(put(&counter, "/v1/loyalty/coupons/tea", "{\"title\":\"tea\"}", "*") == 201);
    SOUK_CHECK(ask(&counter, "POST", "/v1/loyalty/coupons/tea/codes", "{\"count\":1}") == 201);
    text_behind(&counter, "codes", code, sizeof code);
    SOUK_CHECK(ask(&counter, "POST", "/v1/loyalty/families", "{" ANN "}") == 201);
    snprintf(body, sizeof body, "{\"code\":\"%s\"}", code);
    counter.merchant = 2;
    SOUK_CHECK(ask(&counter, "GET", "/v1/loyalty/programme", "") == 404);
    SOUK_CHECK(ask(&counter, "GET", "/v1/loyalty/coupons/tea", "") == 404);
    SOUK_CHECK(ask(&counter, "GET", "/v1/loyalty/families/1", "") == 404);
    SOUK_CHECK(ask(&counter, "GET", "/v1/loyalty/accounts/user/ann", "") == 403);
    SOUK_CHECK(ask(&counter, "POST", "/v1/loyalty/adjust",
                   "{" ANN ",\"points\":1,\"reason\":\"x\"}") == 403);
    SOUK_CHECK(ask(&counter, "POST", "/v1/loyalty/coupons/look", body) == 404);
    SOUK_CHECK(ask(&counter, "POST", "/v1/loyalty/coupons/redeem", body) == 404);
    SOUK_CHECK(ask(&counter, "POST", "/v1/loyalty/coupons/tea/codes", "{\"count\":1}") == 404);
    SOUK_CHECK(ask(&counter, "POST", "/v1/loyalty/coupons/tea/revoke", "{\"batch\":1}") == 200);
    SOUK_CHECK(!strcmp(counter.answer, "{\"revoked\":0}"));
    SOUK_CHECK(put(&counter, "/v1/loyalty/coupons/tea", "{\"title\":\"t2\"}", "*") == 201);
    SOUK_CHECK(ask(&counter, "GET", "/v1/loyalty/totals", "") == 200);
    SOUK_CHECK(strstr(counter.answer, "\"coupons_issued\":0"));
    counter.merchant = 1;
    SOUK_CHECK(ask(&counter, "POST", "/v1/loyalty/coupons/look", body) == 200);
    SOUK_CHECK(strstr(counter.answer, "{\"good\":true"));
    close_counter(&counter);
}

/* What a route answered where memory was there; else false. */
static bool answers(struct counter *counter, int status, int wanted, const char *path)
{
    souk_test *test = counter->test;
    if (status == 0 || status == 503)
        return false;
    if (status != wanted)
        test_fail(test, __FILE__, __LINE__, "%s: %d %s", path, status, counter->answer);
    return true;
}

/* All that the API does, once; false: something was answered by 503, or not at all. */
static bool whole_day(struct counter *counter, unsigned number)
{
    static const struct {
        const char *method, *path, *body;
    } asks[] = {
        {"POST", "/v1/loyalty/adjust", "{" ANN ",\"points\":90,\"reason\":\"w\\u00e4rme\"}"},
        {"POST", "/v1/loyalty/adjust", "{" BOB ",\"points\":9,\"reason\":\"x\",\"by\":\"y\"}"},
        {"GET", "/v1/loyalty/accounts/user/ann", ""},
        {"GET", "/v1/loyalty/accounts/user/bob/entries?limit=2", ""},
        {"GET", "/v1/loyalty/coupons?limit=1", ""},
        {"GET", "/v1/loyalty/programme", ""},
        {"GET", "/v1/loyalty/totals", ""},
        {"GET", "/v1/loyalty/families/1", ""},
        {"POST", "/v1/loyalty/preview",
         "{" ANN ",\"currency\":\"EUR\",\"lines\":[{\"amount\":2,\"tags\":[\"a\"]}]}"},
    };
    char path[60], name[100], code[40] = "", receipt[40] = "", body[300];
    bool fine = true;
    for (size_t i = 0; i < sizeof asks / sizeof *asks; i++)
        fine &= answers(counter, ask(counter, asks[i].method, asks[i].path, asks[i].body), 200,
                        asks[i].path);
    snprintf(path, sizeof path, "/v1/loyalty/coupons/c%u", number);
    fine &= answers(counter, put(counter, path, "{\"title\":\"t\",\"limits\":{\"person\":1}}", "*"),
                    201, path);
    if (!fine)
        return false; /* there may be no class */
    snprintf(name, sizeof name, "%s/codes", path);
    fine &= answers(counter, ask(counter, "POST", name, "{\"count\":1," ANN "}"), 201, name);
    text_behind(counter, "codes", code, sizeof code);
    if (!fine)
        return false;
    snprintf(body, sizeof body, "{\"code\":\"%s\",\"store\":\"S\"," ANN "}", code);
    fine &= answers(counter, ask(counter, "POST", "/v1/loyalty/coupons/look", body), 200, "look");
    int status = ask(counter, "POST", "/v1/loyalty/coupons/redeem", body);
    fine &= answers(counter, status, 200, "redeem");
    text_behind(counter, "receipt", receipt, sizeof receipt);
    if (!fine)
        return false;
    snprintf(body, sizeof body, "{\"receipt\":\"%s\"}", receipt);
    fine &=
        answers(counter, ask(counter, "POST", "/v1/loyalty/coupons/restore", body), 200, "back");
    return fine && answers(counter, put(counter, path, NULL, "\"v1\""), 200, path);
}

SOUK_TEST("whatever allocation of a call fails, it is answered, and points and coupons add up")
{
    struct counter counter;
    unsigned number = 0;
    souk_diag diag = {0};
    open_counter(&counter, test);
    SOUK_CHECK(put(&counter, "/v1/loyalty/programme", CLUB, "*") == 201);
    SOUK_CHECK(ask(&counter, "POST", "/v1/loyalty/families", "{" ANN "}") == 201);
    SOUK_CHECK(whole_day(&counter, number++));
    SOUK_FAULT_LOOP (test) {
        counter.mem = test->mem;
        bool fine = whole_day(&counter, number++);
        test_fault_seen(test, fine ? SOUK_OK : SOUK_ENOMEM);
    }
    if (souk_loyalty_service.verify(counter.loyalty, &diag))
        test_fail(test, __FILE__, __LINE__, "%s", diag.words);
    close_counter(&counter);
}
