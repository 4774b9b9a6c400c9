/* mqtt_topics.c - reading and matching of mqtt_topics.h. */
#include "serve/mqtt_topics.h"

#include "base/utf8.h"
#include "service/collect/intake.h"

/* # only as the last level, + only alone in one. */
static souk_err check_filter(souk_text filter, souk_diag *diag)
{
    souk_text rest = filter;
    if (filter.bytes == 0 || filter.bytes > SOUK_MQTT_FILTER_BYTES || !souk_utf8_valid(filter))
        return souk_diag_say(diag, SOUK_EINVAL,
                             "a topic filter is empty, above %d bytes or no UTF-8: write it as "
                             "stores/+/frigate/#",
                             SOUK_MQTT_FILTER_BYTES);
    while (rest.bytes) {
        souk_text level = souk_text_cut(&rest, '/');
        bool has_plus = level.bytes && memchr(level.at, '+', level.bytes);
        bool has_hash = level.bytes && memchr(level.at, '#', level.bytes);
        if ((has_plus || has_hash) && level.bytes > 1)
            return souk_diag_say(diag, SOUK_EINVAL,
                                 "in the filter '%.*s' a + or # is not alone in its level: write "
                                 "it as stores/+/frigate/#",
                                 SOUK_TEXT_PRINT(filter));
        if (has_hash && level.at + 1 != filter.at + filter.bytes)
            return souk_diag_say(diag, SOUK_EINVAL,
                                 "in the filter '%.*s' something stands behind #: it is the end",
                                 SOUK_TEXT_PRINT(filter));
    }
    return SOUK_OK;
}

static bool is_name(souk_text name)
{
    return name.bytes && name.bytes <= SOUK_MQTT_NAME_BYTES && souk_utf8_valid(name);
}

static bool has_plus(souk_text filter)
{
    return memchr(filter.at, '+', filter.bytes) != NULL;
}

static souk_err read_topic(souk_text text, souk_mqtt_topic *topic, souk_diag *diag)
{
    souk_text rest = text;
    *topic = (souk_mqtt_topic){.filter = souk_text_trim(souk_text_cut(&rest, '='))};
    SOUK_TRY(check_filter(topic->filter, diag));
    souk_text form = souk_text_trim(souk_text_cut(&rest, ','));
    topic->source = souk_text_trim(souk_text_cut(&rest, ','));
    topic->store = souk_text_trim(rest);
    topic->form = souk_foreign_find(form);
    if (!topic->form)
        return souk_diag_say(diag, SOUK_EINVAL,
                             "'%.*s' behind the filter '%.*s' is no form: frigate, onvif, impinj, "
                             "zebra and counts are",
                             (int)souk_min_size(form.bytes, 40), form.at ? form.at : "",
                             SOUK_TEXT_PRINT(topic->filter));
    if (!is_name(topic->source))
        return souk_diag_say(diag, SOUK_EINVAL,
                             "the filter '%.*s' has no source: write FILTER = FORM, SOURCE, STORE",
                             SOUK_TEXT_PRINT(topic->filter));
    if (topic->store.bytes && !is_name(topic->store))
        return souk_diag_say(diag, SOUK_EINVAL, "the store of the filter '%.*s' is too long",
                             SOUK_TEXT_PRINT(topic->filter));
    if (souk_text_equal(topic->store, SOUK_TEXT("+")) && !has_plus(topic->filter))
        return souk_diag_say(diag, SOUK_EINVAL,
                             "the store of the filter '%.*s' is +, and the filter has no +: write "
                             "it as stores/+/frigate/#",
                             SOUK_TEXT_PRINT(topic->filter));
    return SOUK_OK;
}

souk_err souk_mqtt_topics_read(souk_text text, souk_mqtt_topic ret_topics[SOUK_MQTT_TOPICS],
                               size_t *ret_count, souk_diag *diag)
{
    size_t count = 0;
    while (text.bytes) {
        souk_text one = souk_text_trim(souk_text_cut(&text, ';'));
        if (one.bytes == 0)
            continue;
        if (count == SOUK_MQTT_TOPICS)
            return souk_diag_say(diag, SOUK_EINVAL,
                                 "there are more than %d subscriptions: join some",
                                 SOUK_MQTT_TOPICS);
        SOUK_TRY(read_topic(one, &ret_topics[count], diag));
        count++;
    }
    *ret_count = count;
    return SOUK_OK;
}

/* The next level; a text that ends with '/' has an empty one behind it. */
static souk_text next_level(souk_text *rest, bool *more)
{
    const char *slash = rest->bytes ? memchr(rest->at, '/', rest->bytes) : NULL;
    *more = slash != NULL;
    return souk_text_cut(rest, '/');
}

static bool fits(souk_text filter, souk_text topic, souk_text *ret_plus)
{
    bool more_filter = true, more_topic = true, has_found = false;
    *ret_plus = (souk_text){"", 0};
    if (topic.bytes && topic.at[0] == '$' && filter.at[0] != '$')
        return false;
    while (more_filter) {
        souk_text want = next_level(&filter, &more_filter);
        if (souk_text_equal(want, SOUK_TEXT("#")))
            return true; /* also of the level above: "a/#" fits "a" */
        if (!more_topic)
            return false;
        souk_text level = next_level(&topic, &more_topic);
        bool is_plus = souk_text_equal(want, SOUK_TEXT("+"));
        if (!is_plus && !souk_text_equal(want, level))
            return false;
        if (is_plus && !has_found)
            *ret_plus = level;
        has_found |= is_plus;
    }
    return !more_topic;
}

const souk_mqtt_topic *souk_mqtt_topic_find(const souk_mqtt_topic *topics, size_t count,
                                            souk_text topic, souk_text *ret_store)
{
    souk_text plus;
    for (size_t i = 0; i < count; i++)
        if (fits(topics[i].filter, topic, &plus)) {
            bool is_plus = souk_text_equal(topics[i].store, SOUK_TEXT("+"));
            *ret_store = is_plus ? plus : topics[i].store;
            return &topics[i];
        }
    return NULL;
}
