/* stream_test.c - the live stream over sockets: filters, order, who may listen, who comes back. */
#include "test/test.h"

#include "serve/stream_rig.h"

/* ---- who hears what --------------------------------------------------------------------------- */

SOUK_TEST("listeners are told what fits their filters, in order, and nothing else")
{
    struct rig rig;
    rig_open(&rig, test);
    rig_send(&rig, 1, "S1", "View"); /* before anybody listens */
    struct ear *all = rig_listen(&rig, "", NULL), *store = rig_listen(&rig, "?store=S2", NULL);
    struct ear *types = rig_listen(&rig, "?type=View&type=Add%20To%20Cart&type=View", NULL);
    struct ear *both = rig_listen(&rig, "?store=S2&type=View&source=web", NULL);
    struct ear *product = rig_listen(&rig, "?product=P5&rate=10", NULL);
    struct ear *never = rig_listen(&rig, "?source=till", NULL);
    rig_send(&rig, 2, "S1", "View");
    rig_send(&rig, 3, "S2", "View");
    rig_send(&rig, 4, "S2", "Add To Cart");
    rig_send(&rig, 5, "S3", "Leave");
    rig_send(&rig, 6, "S2", "Leave");
    for (uint64_t i = 2; i <= 6; i++)
        rig_hear_number(&rig, all, i);
    SOUK_CHECK(!strcmp(all->id, "6"));
    rig_hear_number(&rig, store, 3);
    rig_hear_number(&rig, store, 4);
    rig_hear_number(&rig, store, 6);
    rig_hear_number(&rig, types, 2);
    rig_hear_number(&rig, types, 3);
    rig_hear_number(&rig, types, 4);
    rig_hear_number(&rig, both, 3);
    rig_hear_number(&rig, product, 5);
    rig_send(&rig, 5, "S3", "Leave"); /* a repeat: stored once, told once */
    rig_send(&rig, 7, "S2", "View");
    rig_hear_number(&rig, all, 7);
    rig_hear_number(&rig, both, 7);
    SOUK_CHECK(!never->waiting);
    rig_close(&rig);
}

SOUK_TEST("a message says what lies clear in the log, and nothing of the shopper")
{
    struct rig rig;
    souk_json_doc doc = {.mem = test->mem};
    souk_diag diag;
    char authorization[160] = "Basic ", pair[80];
    rig_open(&rig, test);
    struct ear *ear = rig_listen(&rig, "", NULL);
    snprintf(pair, sizeof pair, "%s:", rig.desk.secrets.write_key);
    base64_of(pair, authorization + 6);
    SOUK_CHECK(
        rig_ask(&rig, "POST", "/v1/track", authorization,
                "{\"event\":\"Order Completed\",\"userId\":\"anna-secret\",\"messageId\":\"m1\","
                "\"properties\":{\"order_id\":\"o1\",\"store_id\":\"S1\","
                "\"currency\":\"EUR\",\"total\":\"12.5\",\"products\":[{\"product_id\":\"P1\","
                "\"category\":\"S\\u0001\\n\\ndata: x\",\"price\":2,\"quantity\":3}]}}",
                NULL) == 200);
    SOUK_CHECK(rig_hear(&rig, ear) && ear->is_event);
    SOUK_MUST(souk_json_read(&doc, souk_text_of(ear->data), NULL, &diag));
    if (!strstr(ear->data, "\"amount\":\"12.5\",\"currency\":\"EUR\""))
        test_fail(test, __FILE__, __LINE__, "%s", ear->data);
    SOUK_CHECK(strstr(ear->data,
                      "\"products\":[{\"quantity\":\"3\",\"amount\":\"6\",\"product\":\"P1\","
                      "\"category\":\"S\\u0001\\n\\ndata: x\"}]"));
    SOUK_CHECK(strstr(ear->data, "\"source\":\"web\""));
    SOUK_CHECK(!strstr(ear->data, "anna") && !strstr(ear->data, "atom") &&
               !strstr(ear->data, "shopper") && !strchr(ear->data, '\n'));
    souk_json_doc_done(&doc);
    rig_close(&rig);
}

SOUK_TEST("a stream is refused with words: no token, a wrong question, no such shopper")
{
    static const struct {
        const char *query;
        int status;
        const char *words;
    } cases[] = {
        {"?store=%00", 400, "badly escaped"},
        {"?type=", 400, "type is empty: leave it out"},
        {"?store", 400, "store is empty: leave it out"},
        {"?shopper=", 400, "shopper is empty: leave it out"},
        {"?purpose=serve", 400, "purpose goes with shopper"},
        {"?shop=S1", 400, "'shop' is nothing a stream is asked by"},
        {"?rate=0", 400, "rate is a number from 1 to 10000"},
        {"?from=-1", 400, "from is a number"},
        {"?shopper=u1", 400, "shopper is KIND:VALUE"},
        {"?shopper=user:", 400, "shopper is KIND:VALUE"},
        {"?shopper=user:u1", 404, "nobody has this user"},
        {"?shopper=user:u1&purpose=fun", 400, "'fun' is no purpose"},
        {"?ticket=souk_st_1", 401, "the ticket is none"},
    };
    struct rig rig;
    rig_open(&rig, test);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bool is_ticket = strstr(cases[i].query, "ticket") != NULL;
        struct ear *ear = rig_try_listen(&rig, cases[i].query, is_ticket ? "" : NULL, NULL);
        while (ear_read(&rig, ear))
            ;
        if (ear->status != cases[i].status || !strstr(souk_buf_ended(&ear->heads), cases[i].words))
            test_fail(test, __FILE__, __LINE__, "%s: %s", cases[i].query,
                      souk_buf_ended(&ear->heads));
        ear_done(ear);
    }
    SOUK_CHECK(rig_try_listen(&rig, "", "", NULL)->status == 401);
    SOUK_CHECK(rig_try_listen(&rig, "", rig.desk.secrets.write_key, NULL)->status == 401);
    char long_query[300] = "?type=";
    memset(long_query + 6, 'x', 200);
    SOUK_CHECK(rig_try_listen(&rig, long_query, NULL, NULL)->status == 400);
    souk_auto_value(souk_buf) head = {.mem = souk_mem_heap()};
    SOUK_CHECK(rig_manage(&rig, "HEAD", "/v1/stream", "", &head) == 200);
    SOUK_CHECK(strstr(souk_buf_ended(&head), "text/event-stream"));
    rig_close(&rig);
}

/* ---- who may listen ------------------------------------------------------------------------------ */

static souk_err run_sql(souk_tx *tx, void *sql)
{
    return souk_sql_script(tx, sql);
}

SOUK_TEST("a guest merchant hears its own sources alone, and asks for no shopper")
{
    static char sql[] = "INSERT INTO merchant (number, public_id, name)"
                        " VALUES (2, 'ffffffffffffffffffffffffffffffff', 'Sweet & Co')";
    struct rig rig;
    uint32_t source;
    char key[SOUK_WRITE_KEY_BYTES], token[SOUK_TOKEN_BYTES];
    souk_statement statement = {.bases = {[SOUK_PURPOSE_SERVE] = SOUK_BASIS_CONTRACT}};
    rig_open(&rig, test);
    SOUK_MUST(souk_ledger_write(souk_spine_ledger(rig.desk.spine), SOUK_LANE_JOB, run_sql, sql));
    SOUK_MUST(
        souk_merchants_source(rig.desk.merchants, 2, SOUK_TEXT("web"), &statement, &source, key));
    SOUK_MUST(
        souk_merchants_add_token(rig.desk.merchants, 2, SOUK_TEXT("t"), SOUK_SCOPE_READ, token));
    struct ear *guest = rig_listen(&rig, "", token), *own = rig_listen(&rig, "", NULL);
    struct ear *named = rig_listen(&rig, "?source=web", token);
    for (uint64_t i = 1; i <= 10; i++)
        rig_send_batch(&rig, i % 2 ? key : rig.desk.secrets.write_key, i, 1, NULL, "S1", "View");
    for (uint64_t i = 1; i <= 10; i++) {
        rig_hear_number(&rig, own, i);
        if (i % 2) {
            rig_hear_number(&rig, guest, i);
            rig_hear_number(&rig, named, i);
        }
    }
    SOUK_CHECK(rig_try_listen(&rig, "?shopper=user:u1", token, NULL)->status == 403);
    rig_close(&rig);
}

SOUK_TEST("what tells of more than one merchant is refused to a guest, whatever its token may do")
{
    static char sql[] = "INSERT INTO merchant (number, public_id, name)"
                        " VALUES (2, 'ffffffffffffffffffffffffffffffff', 'Sweet & Co')";
    static const struct {
        const char *method, *path;
        int operators; /* status */
    } asks[] = {{"GET", "/v1/stats", 200},
                {"GET", "/metrics", 200},
                {"GET", "/v1/rejects", 200},
                {"POST", "/v1/rejects/1/replay", 400},
                {"DELETE", "/v1/rejects/1", 200}};
    struct rig rig;
    char token[SOUK_TOKEN_BYTES], guest[128], own[128];
    souk_auto_value(souk_buf) answer = {.mem = souk_mem_heap()};
    souk_reject reject = {
        .source = 1, .fault = SOUK_TEXT("odd"), .text = SOUK_TEXT("{\"userId\":\"u1\"}")};
    rig_open(&rig, test);
    SOUK_MUST(souk_ledger_write(souk_spine_ledger(rig.desk.spine), SOUK_LANE_JOB, run_sql, sql));
    SOUK_MUST(souk_rejects_add(souk_spine_rejects(rig.desk.spine), &reject, 1));
    SOUK_MUST(
        souk_merchants_add_token(rig.desk.merchants, 2, SOUK_TEXT("t"), SOUK_SCOPE_ALL, token));
    snprintf(guest, sizeof guest, "Bearer %s", token);
    snprintf(own, sizeof own, "Bearer %s", rig.desk.secrets.admin_token);
    for (size_t i = 0; i < sizeof asks / sizeof *asks; i++) {
        souk_buf_clear(&answer);
        SOUK_CHECK(rig_ask(&rig, asks[i].method, asks[i].path, guest, "", &answer) == 403);
        SOUK_CHECK(strstr(souk_buf_ended(&answer), "operator's"));
        SOUK_CHECK(!strstr(souk_buf_ended(&answer), "u1"));
        souk_buf_clear(&answer);
        SOUK_CHECK(rig_ask(&rig, asks[i].method, asks[i].path, own, "", &answer) ==
                   asks[i].operators);
    }
    rig_close(&rig);
}

SOUK_TEST("a stream ends when its token is revoked, and its ticket's")
{
    struct rig rig;
    char token[SOUK_TOKEN_BYTES], bearer[128], query[128] = "?ticket=";
    souk_auto_value(souk_buf) answer = {.mem = souk_mem_heap()};
    rig_open(&rig, test);
    SOUK_MUST(souk_merchants_add_token(rig.desk.merchants, SOUK_OPERATOR, SOUK_TEXT("screen"),
                                       SOUK_SCOPE_READ, token));
    snprintf(bearer, sizeof bearer, "Bearer %s", token);
    SOUK_CHECK(rig_ask(&rig, "POST", "/v1/stream/tickets", bearer, "", &answer) == 201);
    const char *ticket = strstr(souk_buf_ended(&answer), "souk_st_");
    SOUK_CHECK(ticket && strstr(souk_buf_ended(&answer), "\"expires_in\":60"));
    memcpy(query + 8, ticket, 40);
    struct ear *by_token = rig_listen(&rig, "", token), *by_ticket = rig_listen(&rig, query, "");
    struct ear *other = rig_listen(&rig, "", NULL);
    SOUK_CHECK(rig_try_listen(&rig, query, "", NULL)->status == 401); /* once */
    rig_send(&rig, 1, "S1", "View");
    rig_hear_number(&rig, by_token, 1);
    rig_hear_number(&rig, by_ticket, 1);
    SOUK_MUST(souk_merchants_revoke(rig.desk.merchants, SOUK_OPERATOR, SOUK_TEXT("screen")));
    rig_hear_end(&rig, by_token, "the token was revoked");
    rig_hear_end(&rig, by_ticket, "the token was revoked");
    rig_send(&rig, 2, "S1", "View");
    rig_hear_number(&rig, other, 1);
    rig_hear_number(&rig, other, 2);
    SOUK_CHECK(rig_try_listen(&rig, "", token, NULL)->status == 401);
    rig_close(&rig);
}

/* ---- one shopper ------------------------------------------------------------------------------------ */

static void send_of(struct rig *rig, const char *user, uint64_t number)
{
    rig_send_batch(rig, rig->desk.secrets.write_key, number, 1, user, "S1", "View");
}

SOUK_TEST(
    "a shopper's stream has her events with their texts, from where it is asked, and nobody else's")
{
    struct rig rig;
    rig_open(&rig, test);
    for (uint64_t i = 1; i <= 6; i++)
        send_of(&rig, i % 2 ? "anna" : "bert", i);
    struct ear *anna = rig_listen(&rig, "?shopper=user:anna&from=2", NULL);
    struct ear *view = rig_listen(&rig, "?shopper=user:anna&type=Add", NULL);
    rig_hear_number(&rig, anna, 3);
    SOUK_CHECK(
        strstr(anna->data, "\"event\":{\"type\":\"track\",\"event\":\"View\",\"userId\":\"anna\""));
    rig_hear_number(&rig, anna, 5);
    for (uint64_t i = 7; i <= 10; i++)
        send_of(&rig, i % 2 ? "anna" : "bert", i);
    rig_hear_number(&rig, anna, 7);
    rig_hear_number(&rig, anna, 9);
    rig_send_batch(&rig, rig.desk.secrets.write_key, 11, 1, "anna", "S1", "Add");
    rig_hear_number(&rig, view, 11);
    rig_hear_number(&rig, anna, 11);
    rig_close(&rig);
}

SOUK_TEST("a shopper's stream ends with the grant, and with the shopper")
{
    struct rig rig;
    rig_open(&rig, test);
    send_of(&rig, "anna", 1);
    SOUK_CHECK(rig_try_listen(&rig, "?shopper=user:anna&purpose=profile", NULL, NULL)->status ==
               403);
    const char *who =
        "{\"a\":{\"kind\":\"user\",\"value\":\"anna\"},\"purpose\":\"profile\",\"basis\":";
    char body[200];
    snprintf(body, sizeof body, "%s\"consent\"}", who);
    SOUK_CHECK(rig_manage(&rig, "POST", "/v1/shoppers/consent", body, NULL) == 200);
    struct ear *profile = rig_listen(&rig, "?shopper=user:anna&purpose=profile", NULL);
    struct ear *serve = rig_listen(&rig, "?shopper=user:anna", NULL);
    send_of(&rig, "anna", 2);
    rig_hear_number(&rig, profile, 2);
    rig_hear_number(&rig, serve, 2);
    snprintf(body, sizeof body, "%s\"withdrawn\"}", who);
    SOUK_CHECK(rig_manage(&rig, "POST", "/v1/shoppers/consent", body, NULL) == 200);
    rig_hear_end(&rig, profile, "may not be used for this");
    send_of(&rig, "anna", 3);
    rig_hear_number(&rig, serve, 3);
    SOUK_CHECK(rig_manage(&rig, "POST", "/v1/shoppers/erase",
                          "{\"a\":{\"kind\":\"user\",\"value\":\"anna\"}}", NULL) == 200);
    send_of(&rig, "anna", 4); /* somebody new */
    rig_hear_end(&rig, serve, "nobody has this identifier any more");
    rig_close(&rig);
}

/* ---- coming back ------------------------------------------------------------------------------------ */

enum { EVENTS = 1500, BREAKS = 40 };

struct sender {
    struct rig *rig;
    souk_thread thread;
};

static void run_sender(void *context)
{
    struct sender *sender = context;
    for (uint64_t i = 1; i <= EVENTS; i += 25)
        rig_send_batch(sender->rig, sender->rig->desk.secrets.write_key, i, 25, NULL,
                       i % 50 == 1 ? "S1" : "S2", "View");
}

/* Listens from the first event on with breaks, going on behind the last id; how many messages were not the expected
 * next one. */
static unsigned hear_with_breaks(struct rig *rig, bool planted)
{
    souk_test *test = rig->test;
    char last[24] = "0";
    unsigned wrong = 0;
    uint64_t next = 1;
    for (unsigned breaks = 0; next <= EVENTS && !wrong; breaks++) {
        if (planted && next > 100) /* comes back one event too early */
            snprintf(last, sizeof last, "%llu", strtoull(last, NULL, 10) - 1);
        struct ear *ear = rig_try_listen(rig, "?rate=10000", NULL, last);
        SOUK_CHECK(ear->status == 200);
        uint64_t most = breaks < BREAKS ? 1 + test_random(test, 60) : EVENTS;
        for (; most-- && next <= EVENTS && !wrong; next++) {
            SOUK_CHECK(rig_hear(rig, ear));
            wrong += !ear->is_event || ear->number != next;
            memcpy(last, ear->id, sizeof last);
        }
        ear_done(ear);
    }
    return wrong;
}

SOUK_TEST("who comes back with the last id hears each event once, in order, while more come")
{
    struct rig rig;
    struct sender sender = {.rig = &rig};
    rig_open(&rig, test);
    SOUK_MUST(souk_thread_start(&sender.thread, "sender", run_sender, &sender));
    SOUK_CHECK(hear_with_breaks(&rig, false) == 0);
    souk_thread_join(&sender.thread);
    SOUK_CHECK(hear_with_breaks(&rig, false) == 0); /* and when all of it is old */
    SOUK_CHECK(hear_with_breaks(&rig, true) > 0);
    rig_close(&rig);
}

SOUK_TEST("positions that the log does not have are told as a gap, and the stream goes on")
{
    struct rig rig;
    rig_open(&rig, test);
    rig_send(&rig, 1, "S1", "View");
    struct ear *ear = rig_try_listen(&rig, "", NULL, "76"); /* of a log that was restored since */
    rig_hear_words(&rig, ear, "gap", "{\"from\":2,\"through\":76}");
    rig_send(&rig, 2, "S1", "View");
    rig_hear_number(&rig, ear, 2);
    SOUK_CHECK(!strcmp(ear->id, "2"));
    rig_close(&rig);
}

SOUK_TEST("a quiet stream says every 15 seconds where it is, and a ticket ends after a minute")
{
    struct rig rig;
    souk_clock_fake clock;
    souk_auto_value(souk_buf) answer = {.mem = souk_mem_heap()};
    char query[128] = "?ticket=";
    souk_clock_fake_init(&clock, 1795493340000);
    rig_open_with(&rig, test, souk_mem_heap(), &clock.clock);
    struct ear *quiet = rig_listen(&rig, "?store=S2", NULL), *all = rig_listen(&rig, "", NULL);
    rig_send_batch(&rig, rig.desk.secrets.write_key, 1, 7, NULL, "S1", "View");
    for (uint64_t i = 1; i <= 7; i++)
        rig_hear_number(&rig, all, i);
    for (int i = 0; i < 2; i++) {
        souk_clock_fake_advance(&clock, 15000);
        while (!souk_text_equal(souk_buf_view(&quiet->sse.id), SOUK_TEXT("7")))
            SOUK_CHECK(ear_read(&rig, quiet));
        souk_buf_clear(&quiet->sse.id);
    }
    SOUK_CHECK(!quiet->waiting); /* no message of it */
    SOUK_CHECK(rig_manage(&rig, "POST", "/v1/stream/tickets", "", &answer) == 201);
    memcpy(query + 8, strstr(souk_buf_ended(&answer), "souk_st_"), 40);
    souk_clock_fake_advance(&clock, 60000);
    SOUK_CHECK(rig_try_listen(&rig, query, "", NULL)->status == 401);
    rig_close(&rig);
}

/* ---- too many, too slow ------------------------------------------------------------------------------- */

static uint64_t number_behind(const char *data, const char *key)
{
    const char *at = strstr(data, key);
    return at ? strtoull(at + strlen(key), NULL, 10) : 0;
}

SOUK_TEST("above its rate a listener is told how many it was not told")
{
    struct rig rig;
    rig_open(&rig, test);
    struct ear *ear = rig_listen(&rig, "?rate=10", NULL);
    rig_send_batch(&rig, rig.desk.secrets.write_key, 1, 200, NULL, "S1", "View");
    uint64_t told = 0, skipped = 0, through = 0;
    while (told + skipped < 200) {
        SOUK_CHECK(rig_hear(&rig, ear));
        if (ear->is_event) {
            SOUK_CHECK(ear->number > through);
            through = ear->number;
            told++;
        } else {
            SOUK_CHECK(!strcmp(ear->event, "skipped") && strstr(ear->data, "\"why\":\"rate\""));
            SOUK_CHECK(number_behind(ear->data, "\"from\":") == through + 1);
            through = number_behind(ear->data, "\"through\":");
            skipped += number_behind(ear->data, "\"count\":");
            SOUK_CHECK(strtoull(ear->id, NULL, 10) == through);
        }
    }
    SOUK_CHECK(told + skipped == 200 && through == 200 && told >= 10 && skipped > 0);
    rig_close(&rig);
}

SOUK_TEST("a listener that does not read is told how many it lost, and others lose nothing")
{
    enum { MANY = 8100, BATCH = 150 }; /* one batch a round, below the rate */
    struct rig rig;
    uint64_t told = 0, lost = 0, next = 1;
    rig_open(&rig, test);
    struct ear *slow = rig_listen(&rig, "?rate=10000", NULL);
    struct ear *quick = rig_listen(&rig, "?rate=10000&type=View", NULL);
    for (uint64_t i = 1; i <= MANY; i += BATCH) {
        rig_send_batch(&rig, rig.desk.secrets.write_key, i, BATCH, NULL, "S1", "View");
        for (; next < i + BATCH; next++)
            rig_hear_number(&rig, quick, next);
    }
    while (told + lost < MANY) {
        SOUK_CHECK(rig_hear(&rig, slow));
        if (slow->is_event) {
            SOUK_CHECK(slow->number == told + lost + 1);
            told++;
        } else {
            SOUK_CHECK(strstr(slow->data, "\"why\":\"slow\""));
            SOUK_CHECK(number_behind(slow->data, "\"from\":") == told + lost + 1);
            lost += number_behind(slow->data, "\"count\":");
            SOUK_CHECK(number_behind(slow->data, "\"through\":") == told + lost);
        }
    }
    SOUK_CHECK(told + lost == MANY && lost > 0 && told > 0);
    rig_close(&rig);
}

/* ---- the end, and memory that fails ------------------------------------------------------------------- */

static void run_drain(void *context)
{
    (void)!souk_http_drain(context, RIG_WAIT_MS);
}

SOUK_TEST("a server that stops tells its listeners what is stored, and says good bye")
{
    struct rig rig;
    souk_thread drainer = {0};
    rig_open(&rig, test);
    struct ear *ear = rig_listen(&rig, "", NULL), *shopper;
    send_of(&rig, "anna", 1);
    shopper = rig_listen(&rig, "?shopper=user:anna&from=1", NULL);
    rig_hear_number(&rig, ear, 1);
    rig_hear_number(&rig, shopper, 1);
    send_of(&rig, "anna", 2);
    SOUK_MUST(souk_thread_start(&drainer, "drain", run_drain, rig.http));
    rig_hear_number(&rig, ear, 2);
    rig_hear_end(&rig, ear, "the server stops");
    rig_hear_number(&rig, shopper, 2);
    rig_hear_end(&rig, shopper, "the server stops");
    souk_thread_join(&drainer);
    rig_close(&rig);
}

/* Fails the n-th allocation from when it is armed, in whatever thread. */
struct failing {
    souk_mem mem;
    int64_t left; /* atomic; 0: not armed */
    bool hit;     /* atomic */
};

static void *resize_failing(souk_mem *mem, void *old, size_t bytes)
{
    struct failing *failing = (struct failing *)mem;
    if (bytes && __atomic_load_n(&failing->left, __ATOMIC_RELAXED) > 0 &&
        __atomic_sub_fetch(&failing->left, 1, __ATOMIC_RELAXED) == 0) {
        __atomic_store_n(&failing->hit, true, __ATOMIC_RELAXED);
        return NULL;
    }
    return souk_mem_heap()->resize(souk_mem_heap(), old, bytes);
}

SOUK_TEST("whatever allocation fails, a listener hears each event or that it did not, and the "
          "server lives")
{
    struct failing failing = {.mem = {.resize = resize_failing}};
    struct rig rig;
    uint64_t number = 1;
    bool hit = true;
    rig_open_with(&rig, test, &failing.mem, NULL);
    send_of(&rig, "anna", number);
    for (int64_t n = 1; hit && n < 200; n++) {
        static const char *const queries[] = {"", "?store=S1&type=View", "?shopper=user:anna"};
        __atomic_store_n(&failing.hit, false, __ATOMIC_RELAXED);
        __atomic_store_n(&failing.left, n, __ATOMIC_RELAXED);
        struct ear *ear = rig_try_listen(&rig, queries[n % 3], NULL, NULL);
        SOUK_CHECK(ear->status == 200 || ear->status == 503);
        int64_t left = __atomic_exchange_n(&failing.left, 0, __ATOMIC_RELAXED);
        send_of(&rig, "anna", ++number); /* the door has memory */
        __atomic_store_n(&failing.left, left, __ATOMIC_RELAXED);
        if (ear->status == 200) {
            SOUK_CHECK(rig_hear(&rig, ear));
            SOUK_CHECK(!ear->is_event || ear->number == number ||
                       !ear->number); /* a name may fail */
        }
        __atomic_store_n(&failing.left, 0, __ATOMIC_RELAXED);
        hit = __atomic_load_n(&failing.hit, __ATOMIC_RELAXED);
        ear_done(ear);
    }
    struct ear *ear = rig_listen(&rig, "", NULL);
    send_of(&rig, "anna", ++number);
    rig_hear_number(&rig, ear, number);
    rig_close(&rig);
}
