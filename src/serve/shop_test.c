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

static void know(struct desk *desk, const char *user)
{
    souk_test *test = desk->test;
    souk_text value = souk_text_of(user);
    souk_hash128 id = souk_hashes_identifier(souk_spine_hashes(desk->spine), SOUK_ID_USER, value);
    souk_event event = {.type = SOUK_TEXT("Search"),
                        .message = id,
                        .ids = {{.kind = SOUK_ID_USER, .hash = id, .value = value}},
                        .id_count = 1};
    souk_batch batch = {.source = 1, .events = &event, .count = 1};
    SOUK_MUST(souk_spine_write(desk->spine, &batch));
}

SOUK_TEST("a value in a path is all that stands there: no other shopper is shown for a part of it")
{
    static const struct {
        const char *path;
        int status;
        const char *words; /* of the answer */
    } asked[] = {
        {"user/ann", 200, "\"value\":\"ann\""},
        {"user/ann&bo", 200, "\"value\":\"ann&bo\""}, /* '&' is a letter of a path: RFC 3986 3.3 */
        {"user/ann%26bo", 200, "\"value\":\"ann&bo\""},
        {"user/ann&co", 404, "nobody has this user"},
        {"user/&ann", 404, "nobody has this user"},
        {"user/a+b=c", 200, "\"value\":\"a+b=c\""},
        {"user/a%2Bb%3dc", 200, "\"value\":\"a+b=c\""},
        {"user/a%20b=c", 404, "nobody has this user"},
        {"user/ann%00", 400, "in the path is badly escaped"},
        {"user/ann%zz", 400, "in the path is badly escaped"},
        {"user/a%0an", 400, "the value is no user: from 1 to 256 bytes, no control characters"},
        {"user/%ff", 400, "the value is no user"},
        {"user/%20", 400, "the value is no user"},
        {"public/ann", 400, "a public id has 32 hexadecimal digits"},
        {"public/0123456789abcdef0123456789abcdef", 404, "nobody has this public"},
    };
    static struct desk desk;
    char path[100];
    desk_open(&desk, test);
    know(&desk, "ann");
    know(&desk, "ann&bo");
    know(&desk, "a+b=c");
    for (size_t i = 0; i < sizeof asked / sizeof *asked; i++) {
        snprintf(path, sizeof path, "/v1/shoppers/%s", asked[i].path);
        int status = desk_ask(&desk, &souk_shop_service, "GET", path, "");
        if (status != asked[i].status || !strstr(desk.answer, asked[i].words))
            test_fail(test, __FILE__, __LINE__, "%s: %d %s", path, status, desk.answer);
    }
    desk_close(&desk);
}
