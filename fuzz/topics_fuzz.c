/* topics_fuzz.c - any text as subscriptions, and any topic against them: what is read is whole, what fits fits itself. */
#include "serve/mqtt_topics.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool is_plain(souk_text filter)
{
    return !memchr(filter.at, '+', filter.bytes) && !memchr(filter.at, '#', filter.bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    souk_text rest = {(const char *)data, size};
    souk_text name = souk_text_cut(&rest, '\n');
    souk_mqtt_topic topics[SOUK_MQTT_TOPICS];
    size_t count = 0;
    souk_text store;
    souk_diag diag = {.words = ""};
    souk_err err = souk_mqtt_topics_read(rest, topics, &count, &diag);
    souk_assert(!err == !diag.words[0] && count <= SOUK_MQTT_TOPICS);
    for (size_t i = 0; !err && i < count; i++) {
        souk_assert(topics[i].form && topics[i].source.bytes && topics[i].filter.bytes);
        if (is_plain(topics[i].filter))
            souk_assert(souk_mqtt_topic_find(&topics[i], 1, topics[i].filter, &store));
    }
    const souk_mqtt_topic *found = err ? NULL : souk_mqtt_topic_find(topics, count, name, &store);
    for (size_t i = 0; found && &topics[i] != found; i++)
        souk_assert(!souk_mqtt_topic_find(&topics[i], 1, name, &store));
    return 0;
}
