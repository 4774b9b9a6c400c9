/* segment_consent_test.c - what people say about their data with an event: heard with it, and no later. */
#include "test/test.h"

#include "service/collect/test_shop.h"

static bool may(struct shop *shop, souk_id_kind kind, const char *value, souk_purpose purpose)
{
    souk_test *test = shop->test;
    static souk_person person;
    souk_index *index = souk_spine_index(shop->spine);
    souk_grant grant;
    SOUK_MUST(souk_spine_find(shop->spine, kind, souk_text_of(value), &person));
    souk_index_read(index);
    souk_err err = souk_consent_ask(souk_spine_consent(shop->spine), index, &person, purpose,
                                    SOUK_OPERATOR, SHOP_NOW, &grant, NULL);
    souk_index_read_done(index);
    SOUK_CHECK(err == SOUK_OK || err == SOUK_EDENIED);
    return err == SOUK_OK;
}

static void say(struct shop *shop, const char *who, const char *preferences, const char *traits,
                const char *at)
{
    souk_test *test = shop->test;
    char body[600];
    snprintf(body, sizeof body,
             "{%s,\"timestamp\":\"%s\",\"traits\":{%s},\"context\":{\"consent\":"
             "{\"categoryPreferences\":{%s}}}}",
             who, at, traits, preferences);
    SOUK_CHECK(shop_send(shop, "/v1/identify", body) == 200);
}

static void speak_for(struct shop *shop, souk_speaks speaks)
{
    souk_test *test = shop->test;
    SOUK_MUST(souk_merchants_speaks(shop->merchants, SOUK_OPERATOR, SOUK_TEXT("web"), speaks));
}

/* Of a server of the shop's own, which may say yes for anybody. */
static void open_server(struct shop *shop, souk_test *test)
{
    shop_open(shop, test);
    speak_for(shop, SOUK_SPEAKS_ANYBODY);
}

static size_t rows_of(struct shop *shop)
{
    souk_test *test = shop->test;
    int64_t count;
    SOUK_MUST(shop_count(shop, "SELECT count(*) FROM consent", &count));
    return (size_t)count;
}

SOUK_TEST(
    "a yes with an event is a grant, a no takes it back, and the same words again leave no row")
{
    struct shop shop;
    open_server(&shop, test);
    say(&shop, "\"userId\":\"u\"", "\"profile\":true,\"advertise\":true,\"coffee\":true", "",
        "2026-01-01T10:00:00Z");
    SOUK_CHECK(may(&shop, SOUK_ID_USER, "u", SOUK_PURPOSE_PROFILE));
    SOUK_CHECK(!may(&shop, SOUK_ID_USER, "u", SOUK_PURPOSE_ADVERTISE)); /* of what age? */
    SOUK_CHECK(rows_of(&shop) == 2);
    say(&shop, "\"userId\":\"u\"", "\"profile\":true,\"advertise\":true", "\"age\":30",
        "2026-01-01T10:01:00Z");
    SOUK_CHECK(may(&shop, SOUK_ID_USER, "u", SOUK_PURPOSE_ADVERTISE));
    SOUK_CHECK(rows_of(&shop) == 2);
    say(&shop, "\"userId\":\"u\"", "\"profile\":false,\"serve\":false", "", "2026-01-01T10:02:00Z");
    SOUK_CHECK(!may(&shop, SOUK_ID_USER, "u", SOUK_PURPOSE_PROFILE));
    SOUK_CHECK(may(&shop, SOUK_ID_USER, "u", SOUK_PURPOSE_SERVE));
    SOUK_CHECK(rows_of(&shop) == 3);
    say(&shop, "\"userId\":\"u\"", "\"profile\":false,\"mood\":false", "", "2026-01-01T10:03:00Z");
    SOUK_CHECK(rows_of(&shop) == 3); /* nobody might use it for moods */
    shop_close(&shop);
}

SOUK_TEST("what was said earlier and arrives later changes nothing")
{
    struct shop shop;
    open_server(&shop, test);
    say(&shop, "\"userId\":\"u\"", "\"profile\":true", "", "2026-01-01T10:00:00Z");
    say(&shop, "\"userId\":\"u\"", "\"profile\":false", "", "2026-01-01T11:00:00Z");
    say(&shop, "\"userId\":\"u\"", "\"profile\":true", "", "2026-01-01T10:30:00Z");
    SOUK_CHECK(!may(&shop, SOUK_ID_USER, "u", SOUK_PURPOSE_PROFILE));
    say(&shop, "\"userId\":\"u\"", "\"profile\":true", "", "2026-01-01T11:30:00Z");
    SOUK_CHECK(may(&shop, SOUK_ID_USER, "u", SOUK_PURPOSE_PROFILE));
    say(&shop, "\"userId\":\"u\"", "\"profile\":false", "", "2026-01-01T11:15:00Z");
    SOUK_CHECK(may(&shop, SOUK_ID_USER, "u", SOUK_PURPOSE_PROFILE));
    shop_close(&shop);
}

SOUK_TEST("one batch may say yes and no in turn, and a repeat of it says nothing")
{
    struct shop shop;
    static const char body[] =
        "{\"batch\":["
        "{\"type\":\"page\",\"userId\":\"u\",\"messageId\":\"1\",\"context\":{\"consent\":"
        "{\"categoryPreferences\":{\"profile\":true,\"research\":true}}}},"
        "{\"type\":\"page\",\"userId\":\"u\",\"messageId\":\"2\",\"context\":{"
        "\"consentManagement\":"
        "{\"allowedConsentIds\":[\"research\"],\"deniedConsentIds\":[\"profile\"]}}}]}";
    open_server(&shop, test);
    SOUK_CHECK(shop_send(&shop, "/v1/batch", body) == 200);
    SOUK_CHECK(!may(&shop, SOUK_ID_USER, "u", SOUK_PURPOSE_PROFILE));
    SOUK_CHECK(may(&shop, SOUK_ID_USER, "u", SOUK_PURPOSE_RESEARCH));
    SOUK_CHECK(rows_of(&shop) == 3);
    say(&shop, "\"userId\":\"u\"", "\"profile\":true", "", "2026-01-01T12:00:00Z");
    SOUK_CHECK(shop_send(&shop, "/v1/batch", body) == 200);
    SOUK_CHECK(may(&shop, SOUK_ID_USER, "u", SOUK_PURPOSE_PROFILE));
    shop_close(&shop);
}

SOUK_TEST("a minor stays one whatever a later event says, and a birthday tells it by its day")
{
    struct shop shop;
    const char *all = "\"advertise\":true";
    open_server(&shop, test);
    say(&shop, "\"userId\":\"a\"", all, "\"birthday\":\"2008-01-02\"", "2026-01-01T10:00:00Z");
    say(&shop, "\"userId\":\"b\"", all, "\"birthday\":\"2008-01-01\"", "2026-01-01T10:00:00Z");
    say(&shop, "\"userId\":\"c\"", all, "\"age_band\":\"adult\"", "2026-01-01T10:00:00Z");
    SOUK_CHECK(!may(&shop, SOUK_ID_USER, "a", SOUK_PURPOSE_ADVERTISE));
    SOUK_CHECK(may(&shop, SOUK_ID_USER, "b", SOUK_PURPOSE_ADVERTISE));
    SOUK_CHECK(may(&shop, SOUK_ID_USER, "c", SOUK_PURPOSE_ADVERTISE));
    say(&shop, "\"userId\":\"a\"", all, "\"age\":40", "2026-01-01T11:00:00Z");
    say(&shop, "\"userId\":\"c\"", all, "\"age\":\"17\"", "2026-01-01T11:00:00Z");
    SOUK_CHECK(!may(&shop, SOUK_ID_USER, "a", SOUK_PURPOSE_ADVERTISE));
    SOUK_CHECK(!may(&shop, SOUK_ID_USER, "c", SOUK_PURPOSE_ADVERTISE));
    shop_close(&shop);
}

SOUK_TEST("a refusal from any of a person's histories is heard for all of them")
{
    struct shop shop;
    open_server(&shop, test);
    say(&shop, "\"userId\":\"u\"", "\"profile\":true", "", "2026-01-01T10:00:00Z");
    say(&shop, "\"anonymousId\":\"phone\"", "\"profile\":true", "", "2026-01-01T10:00:00Z");
    say(&shop, "\"userId\":\"u\",\"anonymousId\":\"phone\"", "", "", "2026-01-01T10:01:00Z");
    SOUK_CHECK(may(&shop, SOUK_ID_ANONYMOUS, "phone", SOUK_PURPOSE_PROFILE));
    say(&shop, "\"anonymousId\":\"phone\"", "\"profile\":false", "", "2026-01-01T10:02:00Z");
    SOUK_CHECK(!may(&shop, SOUK_ID_USER, "u", SOUK_PURPOSE_PROFILE));
    SOUK_CHECK(rows_of(&shop) == 4); /* one for each atom */
    shop_close(&shop);
}

SOUK_TEST("a browser that asks not to be sold refuses advertising with every event")
{
    struct shop shop;
    open_server(&shop, test);
    say(&shop, "\"userId\":\"u\"", "\"advertise\":true", "\"age\":30", "2026-01-01T10:00:00Z");
    SOUK_CHECK(may(&shop, SOUK_ID_USER, "u", SOUK_PURPOSE_ADVERTISE));
    shop.gpc = "1";
    say(&shop, "\"userId\":\"u\"", "\"advertise\":true", "", "2026-01-01T10:01:00Z");
    SOUK_CHECK(!may(&shop, SOUK_ID_USER, "u", SOUK_PURPOSE_ADVERTISE));
    shop_close(&shop);
}

SOUK_TEST("an event grants neither being recognised nor paying by face nor moods, and refuses all "
          "of them")
{
    struct shop shop;
    open_server(&shop, test);
    say(&shop, "\"userId\":\"u\"",
        "\"recognise\":true,\"face_pay\":true,\"mood\":true,\"profile\":true", "\"age\":30",
        "2026-01-01T10:00:00Z");
    SOUK_CHECK(may(&shop, SOUK_ID_USER, "u", SOUK_PURPOSE_PROFILE));
    SOUK_CHECK(!may(&shop, SOUK_ID_USER, "u", SOUK_PURPOSE_RECOGNISE));
    SOUK_CHECK(!may(&shop, SOUK_ID_USER, "u", SOUK_PURPOSE_FACE_PAY));
    SOUK_CHECK(!may(&shop, SOUK_ID_USER, "u", SOUK_PURPOSE_MOOD));
    SOUK_CHECK(rows_of(&shop) == 1);
    shop_close(&shop);
}

SOUK_TEST("a page's write key says yes for its own visitor, and for nobody whose user id it knows")
{
    struct shop shop;
    const char *all = "\"profile\":true,\"research\":true", *age = "\"age\":30";
    shop_open(&shop, test); /* the first source, as `souk init` makes it */
    say(&shop, "\"userId\":\"u\"", "", "", "2026-01-01T10:00:00Z");
    say(&shop, "\"userId\":\"u\"", all, age, "2026-01-01T10:01:00Z");
    say(&shop, "\"userId\":\"u\",\"anonymousId\":\"mine\"", all, age, "2026-01-01T10:02:00Z");
    say(&shop, "\"userId\":\"new\"", all, age, "2026-01-01T10:02:00Z");
    SOUK_CHECK(rows_of(&shop) == 0);
    SOUK_CHECK(!may(&shop, SOUK_ID_USER, "u", SOUK_PURPOSE_PROFILE));
    say(&shop, "\"anonymousId\":\"a\"", all, "", "2026-01-01T10:03:00Z");
    SOUK_CHECK(may(&shop, SOUK_ID_ANONYMOUS, "a", SOUK_PURPOSE_PROFILE));
    SOUK_CHECK(rows_of(&shop) == 2);
    /* she signs in: her history is a shopper's now, and what it says comes from a server */
    say(&shop, "\"anonymousId\":\"a\",\"userId\":\"a\"", "", "", "2026-01-01T10:04:00Z");
    SOUK_CHECK(may(&shop, SOUK_ID_USER, "a", SOUK_PURPOSE_PROFILE));
    say(&shop, "\"anonymousId\":\"a\"", "\"personalise\":true", "", "2026-01-01T10:05:00Z");
    SOUK_CHECK(rows_of(&shop) == 2);
    shop_close(&shop);
}

SOUK_TEST("a no and a minor are heard from every source, and who speaks for nobody grants nothing")
{
    struct shop shop;
    open_server(&shop, test);
    say(&shop, "\"userId\":\"u\"", "\"profile\":true,\"advertise\":true", "\"age\":30",
        "2026-01-01T10:00:00Z");
    SOUK_CHECK(may(&shop, SOUK_ID_USER, "u", SOUK_PURPOSE_ADVERTISE));
    speak_for(&shop, SOUK_SPEAKS_NOBODY);
    say(&shop, "\"anonymousId\":\"a\"", "\"profile\":true", "\"age\":30", "2026-01-01T10:01:00Z");
    SOUK_CHECK(!may(&shop, SOUK_ID_ANONYMOUS, "a", SOUK_PURPOSE_PROFILE));
    SOUK_CHECK(may(&shop, SOUK_ID_USER, "u", SOUK_PURPOSE_PROFILE)); /* what was granted stands */
    say(&shop, "\"userId\":\"u\"", "\"profile\":false", "\"age\":12", "2026-01-01T10:02:00Z");
    SOUK_CHECK(!may(&shop, SOUK_ID_USER, "u", SOUK_PURPOSE_PROFILE));
    SOUK_CHECK(!may(&shop, SOUK_ID_USER, "u", SOUK_PURPOSE_ADVERTISE));
    SOUK_CHECK_ERR(souk_merchants_speaks(shop.merchants, SOUK_OPERATOR, SOUK_TEXT("none"),
                                         SOUK_SPEAKS_VISITOR),
                   SOUK_ENOENT);
    SOUK_CHECK_ERR(souk_merchants_speaks(shop.merchants, 2, SOUK_TEXT("web"), SOUK_SPEAKS_ANYBODY),
                   SOUK_ENOENT); /* another merchant's */
    shop_close(&shop);
}
