/* mqtt_topics.h - which messages of a broker are whose: the setting mqtt.subscriptions.
 *
 *     frigate/# = frigate, cameras, SH-14; stores/+/rfid/# = impinj, readers, +
 *
 *     souk_mqtt_topic topics[SOUK_MQTT_TOPICS];
 *     SOUK_TRY(souk_mqtt_topics_read(text, topics, &count, diag));
 *     souk_text store;
 *     const souk_mqtt_topic *topic = souk_mqtt_topic_find(topics, count, SOUK_TEXT("stores/14/rfid/a"), &store);
 *     topic->form                                       souk_foreign_impinj; store is "14"
 *
 * Grammar   TOPIC-FILTER = FORM, SOURCE [, STORE], one behind another with ';' between.  STORE may be + where the filter
 *           has one: then it is what stands for the first + in a message's topic
 * Order     the first that fits counts
 * Source    MQTT 3.1.1, 4.7: + is one level, # the rest, neither fits a topic that begins with $ */
#ifndef SOUK_SERVE_MQTT_TOPICS_H
#define SOUK_SERVE_MQTT_TOPICS_H

#include "service/collect/foreign.h"

enum { SOUK_MQTT_TOPICS = 64, SOUK_MQTT_FILTER_BYTES = 200, SOUK_MQTT_NAME_BYTES = 100 };

typedef struct souk_mqtt_topic {
    souk_text filter, source, store; /* in the text that was read */
    const souk_foreign_form *form;
} souk_mqtt_topic;

/* An empty text has none.  SOUK_EINVAL with words. */
SOUK_CHECKED souk_err souk_mqtt_topics_read(souk_text text,
                                            souk_mqtt_topic ret_topics[SOUK_MQTT_TOPICS],
                                            size_t *ret_count, souk_diag *diag);

/* NULL: none fits.  *ret_store: where the message is from, a part of either text; may be empty. */
const souk_mqtt_topic *souk_mqtt_topic_find(const souk_mqtt_topic *topics, size_t count,
                                            souk_text topic, souk_text *ret_store);

#endif
