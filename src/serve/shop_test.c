/* shop_test.c - who may ask the shop's routes for a shopper. */
#include "serve/shop.h"

#include "test/test.h"

#include "serve/test_desk.h"

SOUK_TEST("a guest merchant is refused whomever it asks for, and learns not whether she exists")
{
    static struct desk desk;
    static const char *const reads[] = {"/v1/shoppers/user/u1", "/v1/shoppers/user/u1/profile",
                                        "/v1/shoppers/user/u1/timeline"};
    static const char *const changes[] = {"merge", "unmerge", "consent", "erase"};
    char told[1000], path[60];
    desk_open(&desk, test);
    for (size_t i = 0; i < 3; i++)
        SOUK_CHECK(desk_ask(&desk, &souk_shop_service, "GET", reads[i], "") == 404);
    souk_hash128 id =
        souk_hashes_identifier(souk_spine_hashes(desk.spine), SOUK_ID_USER, SOUK_TEXT("u1"));
    souk_event event = {.type = SOUK_TEXT("Search"),
                        .ids = {{.kind = SOUK_ID_USER, .hash = id, .value = SOUK_TEXT("u1")}},
                        .id_count = 1};
    souk_batch batch = {.source = 1, .events = &event, .count = 1};
    SOUK_MUST(souk_spine_write(desk.spine, &batch));
    for (unsigned guest = 0; guest < 2; guest++) {
        desk.caller.merchant = guest ? 2 : SOUK_OPERATOR;
        for (size_t i = 0; i < 3; i++)
            SOUK_CHECK(desk_ask(&desk, &souk_shop_service, "GET", reads[i], "") ==
                       (guest ? 403 : 200));
    }
    SOUK_CHECK(strlen(desk.answer) < sizeof told);
    memcpy(told, desk.answer, sizeof told);
    SOUK_CHECK(desk_ask(&desk, &souk_shop_service, "GET", "/v1/shoppers/user/nobody", "") == 403);
    SOUK_CHECK(!strcmp(told, desk.answer) && strstr(told, "operator's"));
    for (size_t i = 0; i < 4; i++) {
        snprintf(path, sizeof path, "/v1/shoppers/%s", changes[i]);
        SOUK_CHECK(desk_ask(&desk, &souk_shop_service, "POST", path,
                            "{\"a\":{\"kind\":\"user\",\"value\":\"u1\"},\"purpose\":\"profile\","
                            "\"b\":{\"kind\":\"user\",\"value\":\"u2\"},\"basis\":\"consent\"}") ==
                   403);
    }
    SOUK_CHECK(souk_spine_end(desk.spine) == 2); /* nothing was erased */
    desk_close(&desk);
}
