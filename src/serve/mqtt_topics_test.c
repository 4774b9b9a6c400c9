/* mqtt_topics_test.c - subscriptions as an operator writes them, and topics that fit. */
#include "serve/mqtt_topics.h"
#include "test/test.h"

SOUK_TEST("subscriptions are read one behind another, each with its form, its source and its store")
{
    souk_mqtt_topic topics[SOUK_MQTT_TOPICS];
    size_t count = 9;
    SOUK_MUST(souk_mqtt_topics_read(SOUK_TEXT(" frigate/# = frigate, cameras, SH-14;\n"
                                              "stores/+/rfid/# = impinj,readers,+ ; a=counts,c;"),
                                    topics, &count, NULL));
    SOUK_CHECK(count == 3);
    SOUK_CHECK_TEXT(topics[0].filter, "frigate/#");
    SOUK_CHECK(!strcmp(topics[0].form->name, "frigate"));
    SOUK_CHECK_TEXT(topics[0].source, "cameras");
    SOUK_CHECK_TEXT(topics[0].store, "SH-14");
    SOUK_CHECK_TEXT(topics[1].store, "+");
    SOUK_CHECK(topics[2].store.bytes == 0 && !strcmp(topics[2].form->name, "counts"));
    SOUK_MUST(souk_mqtt_topics_read(SOUK_TEXT(""), topics, &count, NULL));
    SOUK_CHECK(count == 0);
}

SOUK_TEST("a subscription that cannot be meant is refused in words")
{
    static const struct {
        const char *text, *words;
    } bad[] = {
        {"= frigate, s", "topic filter is empty"},
        {"a#/b = frigate, s", "not alone"},
        {"a+/b = frigate, s", "not alone"},
        {"#/b = frigate, s", "stands behind #"},
        {"a/b", "is no form"},
        {"a/b = video, s", "'video' behind the filter 'a/b' is no form"},
        {"a/b = frigate", "no source"},
        {"a/b = frigate, ", "no source"},
        {"a/b = frigate, s, +", "has no +"},
        {"\xff = frigate, s", "no UTF-8"},
    };
    souk_mqtt_topic topics[SOUK_MQTT_TOPICS];
    size_t count;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        souk_diag diag = {.words = ""};
        SOUK_CHECK_ERR(souk_mqtt_topics_read(souk_text_of(bad[i].text), topics, &count, &diag),
                       SOUK_EINVAL);
        if (!strstr(diag.words, bad[i].words))
            test_fail(test, __FILE__, __LINE__, "'%s' has no '%s'", diag.words, bad[i].words);
    }
    souk_auto_value(souk_buf) many = {.mem = test->mem};
    for (int i = 0; i < 65; i++)
        souk_buf_print(&many, "a/%d=counts,s;", i);
    SOUK_CHECK_ERR(souk_mqtt_topics_read(souk_buf_view(&many), topics, &count, NULL), SOUK_EINVAL);
}

/* MQTT 3.1.1, 4.7.1 and 4.7.2 */
SOUK_TEST("filters fit topics as the standard says, and a + may be the store")
{
    static const struct {
        const char *filter, *topic, *store; /* NULL: does not fit */
    } cases[] = {
        {"a/b", "a/b", ""},
        {"a/b", "a/b/", NULL},
        {"a/b", "a", NULL},
        {"a/#", "a", ""},
        {"a/#", "a/b/c", ""},
        {"a/#", "ab", NULL},
        {"#", "a/b", ""},
        {"#", "/", ""},
        {"#", "$SYS/x", NULL},
        {"+", "a", "a"},
        {"+", "a/b", NULL},
        {"+/b", "/b", ""},
        {"+/+", "/f", ""},
        {"/+", "/f", "f"},
        {"+", "/f", NULL},
        {"s/+/#", "s/14", "14"},
        {"s/+/#", "s/14/x/y", "14"},
        {"s/+/x", "s/14/y", NULL},
        {"s/+/+/x", "s/14/15/x", "14"},
        {"+/x", "$SYS/x", NULL},
        {"$SYS/#", "$SYS/x", ""},
        {"a/+", "a/", ""},
        {"a", "", NULL},
        {"a/+/b", "a//b", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        souk_mqtt_topic topic = {.filter = souk_text_of(cases[i].filter), .store = SOUK_TEXT("+")};
        souk_text store = {"?", 1};
        const souk_mqtt_topic *found =
            souk_mqtt_topic_find(&topic, 1, souk_text_of(cases[i].topic), &store);
        if (!found != !cases[i].store)
            test_fail(test, __FILE__, __LINE__, "%s and %s", cases[i].filter, cases[i].topic);
        SOUK_CHECK(!found || souk_text_equal(store, souk_text_of(cases[i].store)));
    }
}

/* Splits both into levels and compares them one by one. */
static bool fits_dumbly(const char *filter, const char *topic)
{
    if (topic[0] == '$' && filter[0] != '$')
        return false;
    for (;;) {
        size_t f = strcspn(filter, "/"), t = strcspn(topic, "/");
        if (f == 1 && filter[0] == '#')
            return true;
        if (!(f == 1 && filter[0] == '+') && (f != t || memcmp(filter, topic, f) != 0))
            return false;
        if (!filter[f] && !topic[t])
            return true;
        if (!topic[t])
            return !strcmp(filter + f, "/#");
        if (!filter[f])
            return false;
        filter += f + 1;
        topic += t + 1;
    }
}

SOUK_TEST("20,000 random filters and topics fit as in a dumb model, and a planted level is noticed")
{
    static const char *const words[] = {"a", "b", "", "+", "a", "$"};
    size_t fit = 0;
    for (int round = 0; round < 20000; round++) {
        char filter[40] = "", topic[40] = "";
        size_t levels = 1 + test_random(test, 3), topic_levels = 1 + test_random(test, 4);
        for (size_t i = 0; i < levels; i++) {
            strcat(filter, i ? "/" : "");
            strcat(filter, i + 1 == levels && test_random(test, 3) == 0
                               ? "#"
                               : words[test_random(test, 6)]);
        }
        for (size_t i = 0; i < topic_levels; i++) {
            static const char *const levels_of_topics[] = {"a", "b", "", "$"};
            strcat(topic, i ? "/" : "");
            strcat(topic, levels_of_topics[test_random(test, 4)]);
        }
        if (!filter[0]) /* refused when it is read */
            continue;
        souk_mqtt_topic one = {.filter = souk_text_of(filter)};
        souk_text store;
        bool does = souk_mqtt_topic_find(&one, 1, souk_text_of(topic), &store) != NULL;
        if (does != fits_dumbly(filter, topic))
            test_fail(test, __FILE__, __LINE__, "'%s' and '%s'", filter, topic);
        fit += does;
        strcat(topic, "/x/x/x/x");
        one.filter = SOUK_TEXT("+/+/+/+");
        SOUK_CHECK(!souk_mqtt_topic_find(&one, 1, souk_text_of(topic), &store));
    }
    SOUK_CHECK(fit > 1000);
}
