/* test_shop.h - a shop on a simulated disk for the tests of the doors: calls go in, stories come out.
 *
 *     struct shop shop;
 *     shop_open(&shop, test);
 *     SOUK_CHECK(shop_send(&shop, "/v1/track", "{\"event\":\"Search\",\"userId\":\"u-1\"}") == 200);
 *     SOUK_CHECK_TEXT(shop_story(&shop, "u-1", 0)->text, "{…}");
 *     shop_close(&shop);
 *
 * Everything happens in the caller's thread and the clock stands still at SHOP_NOW.  Stands after
 * test/test.h in a test. */
#ifndef SOUK_SERVICE_COLLECT_TEST_SHOP_H
#define SOUK_SERVICE_COLLECT_TEST_SHOP_H

#include "service/collect/segment.h"
#include "store/postgres_server.h"

#include <stdio.h>

#define SHOP_NOW ((souk_time)1767268800000) /* 2026-01-01T12:00:00Z */

struct shop {
    souk_test *test;
    souk_disk *disk;
    souk_spine *spine;
    souk_merchants *merchants;
    void *collect;
    souk_secrets secrets;
    souk_clock_fake clock;
    souk_arena arena;                /* of stories and rejects */
    souk_text query;                 /* of the next call */
    const char *authorization, *gpc; /* headers of the next calls */
    int status;
    unsigned answers, retry_s;
    char answer[1024];
};

static inline void shop_open(struct shop *shop, souk_test *test)
{
    *shop = (struct shop){.test = test, .arena = {.mem = souk_mem_heap()}};
    souk_clock_fake_init(&shop->clock, SHOP_NOW);
    souk_spine_options options = {.open_ledger = test_ledger_opener(),
                                  .clock = &shop->clock.clock,
                                  .ledger = {.no_thread = true, .readers = 1},
                                  .vault = {.block_slots = 64, .cache_keys = 64},
                                  .runs_memory = 4096};
    SOUK_MUST(souk_disk_open_sim(souk_mem_heap(), test_random(test, 0), &shop->disk));
    SOUK_MUST(souk_spine_init(souk_mem_heap(), shop->disk, &options, NULL));
    SOUK_MUST(souk_spine_open(souk_mem_heap(), shop->disk, &options, &shop->spine, NULL));
    SOUK_MUST(souk_merchants_open(souk_mem_heap(), shop->spine, &shop->merchants, NULL));
    SOUK_MUST(souk_merchants_found(shop->merchants, SOUK_TEXT("shop"), &shop->secrets));
    SOUK_MUST(souk_collect_open(test->mem, shop->spine, shop->merchants, &shop->collect));
}

static inline void shop_close(struct shop *shop)
{
    souk_collect_close(shop->collect);
    souk_merchants_free(shop->merchants);
    souk_spine_free(shop->spine);
    souk_disk_free(shop->disk);
    souk_arena_done(&shop->arena);
}

/* ---- calls ------------------------------------------------------------------------------------------ */

static inline souk_text shop_header(souk_call *call, souk_text name)
{
    const struct shop *shop = call->from;
    if (souk_text_equal(name, SOUK_TEXT("sec-gpc")))
        return souk_text_of(shop->gpc);
    return souk_text_equal(name, SOUK_TEXT("authorization")) ? souk_text_of(shop->authorization)
                                                             : SOUK_TEXT("");
}

static inline void shop_answered(souk_call *call, int status, const char *type, souk_text body,
                                 unsigned retry_s)
{
    struct shop *shop = call->from;
    (void)type;
    shop->answers++;
    shop->status = status;
    shop->retry_s = retry_s;
    snprintf(shop->answer, sizeof shop->answer, "%.*s", SOUK_TEXT_PRINT(body));
}

/* POST; the answer's status.  Without shop->authorization and ->query the first write key is used. */
static inline int shop_send_text(struct shop *shop, const char *path, souk_text body)
{
    souk_test *test = shop->test;
    char query[100];
    souk_call *call = NULL;
    snprintf(query, sizeof query, "writeKey=%s", shop->secrets.write_key);
    bool keyed = shop->authorization || shop->query.at;
    if (souk_call_new(test->mem, &call))
        return shop->status = 503; /* what serve/ says then */
    call->spine = shop->spine;
    call->merchants = shop->merchants;
    call->method = SOUK_TEXT("POST");
    call->path = souk_text_of(path);
    call->query = keyed ? shop->query : souk_text_of(query);
    call->body = body;
    call->state = shop->collect;
    call->from = shop;
    call->header = shop_header;
    call->send = shop_answered;
    shop->answers = 0;
    if (!strcmp(path, "/v1/batch"))
        souk_collect_batch(call);
    else
        souk_collect_one(call);
    souk_call_free(call);
    SOUK_CHECK(shop->answers == 1);
    return shop->status;
}

static inline int shop_send(struct shop *shop, const char *path, const char *body)
{
    return shop_send_text(shop, path, souk_text_of(body));
}

/* ---- what came of them ------------------------------------------------------------------------------ */

/* A person's events, newest first, in the shop's arena. */
static inline size_t shop_timeline_of(struct shop *shop, souk_id_kind kind, const char *value,
                                      souk_story **ret_stories)
{
    static souk_person person;
    souk_test *test = shop->test;
    souk_grant grant;
    size_t count;
    SOUK_MUST(souk_spine_find(shop->spine, kind, souk_text_of(value), &person));
    souk_index *index = souk_spine_index(shop->spine);
    souk_index_read(index);
    souk_err err = souk_consent_ask(souk_spine_consent(shop->spine), index, &person,
                                    SOUK_PURPOSE_SERVE, SOUK_OPERATOR, SHOP_NOW, &grant, NULL);
    souk_index_read_done(index);
    SOUK_MUST(err);
    SOUK_MUST(souk_spine_timeline(shop->spine, &person, &grant, UINT64_MAX, 5000, &shop->arena,
                                  ret_stories, &count));
    return count;
}

static inline size_t shop_timeline(struct shop *shop, const char *user, souk_story **ret_stories)
{
    return shop_timeline_of(shop, SOUK_ID_USER, user, ret_stories);
}

/* The n-th event of a user, 0 the newest. */
static inline const souk_story *shop_story(struct shop *shop, const char *user, size_t n)
{
    souk_test *test = shop->test;
    souk_story *stories;
    size_t count = shop_timeline(shop, user, &stories);
    SOUK_CHECK(n < count);
    return &stories[n];
}

static inline const char *shop_name(struct shop *shop, souk_name_kind kind, uint32_t number)
{
    char *name = souk_arena_get(&shop->arena, 128);
    souk_catalogue_name(souk_spine_catalogue(shop->spine), kind, number, name, 128);
    return name;
}

struct shop_counting {
    const char *sql;
    int64_t count;
};

static inline souk_err shop_read_count(souk_tx *tx, void *context)
{
    struct shop_counting *counting = context;
    return souk_sql_one_int(tx, counting->sql, SOUK_NO_VALUES, &counting->count);
}

static inline souk_err shop_count(struct shop *shop, const char *sql, int64_t *ret_count)
{
    struct shop_counting counting = {.sql = sql};
    souk_err err = souk_ledger_read(souk_spine_ledger(shop->spine), shop_read_count, &counting);
    *ret_count = counting.count;
    return err;
}

struct shop_rejects {
    struct shop *shop;
    size_t count;
    souk_reject at[100]; /* the oldest */
};

static inline souk_text shop_keep(struct shop *shop, souk_text text)
{
    return (souk_text){souk_arena_copy(&shop->arena, text.at, text.bytes), text.bytes};
}

static inline souk_err shop_take_reject(void *context, const souk_reject *reject)
{
    struct shop_rejects *rejects = context;
    souk_reject *kept = &rejects->at[rejects->count++];
    *kept = *reject;
    kept->fault = shop_keep(rejects->shop, reject->fault);
    kept->where = shop_keep(rejects->shop, reject->where);
    kept->text = shop_keep(rejects->shop, reject->text);
    return SOUK_OK;
}

static inline void shop_rejects(struct shop *shop, struct shop_rejects *ret_rejects)
{
    souk_test *test = shop->test;
    *ret_rejects = (struct shop_rejects){.shop = shop};
    SOUK_MUST(
        souk_rejects_each(souk_spine_rejects(shop->spine), 0, 100, shop_take_reject, ret_rejects));
}

static inline uint64_t shop_events(struct shop *shop)
{
    return souk_spine_end(shop->spine) - 1;
}

#endif
