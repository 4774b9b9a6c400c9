/* mqtt.h - a client of the shop's MQTT broker: what devices publish becomes events.
 *
 *     souk_mqtt *mqtt = souk_api_state(api, &souk_mqtt_service);
 *     SOUK_TRY(souk_mqtt_start(mqtt, &(souk_mqtt_options){.broker = "broker.shop:8883", .ca_file = "/etc/…/ca.pem",
 *                                    .client_id = "souk", .subscriptions = "frigate/# = frigate, cameras, SH-14"}, diag));
 *
 *     GET /v1/mqtt    {"running":true,"connected":true,"broker":"broker.shop:8883","messages":120,"events":118,…}
 *
 * Once         QoS 1, a session that the broker keeps (clean session off, a client id that stays): a message is
 *              acknowledged once its events are durable.  What a crash leaves unacknowledged the broker sends again,
 *              and its messageId makes it a repeat
 *              libmosquitto queues the acknowledgement before it hands a message over; while it believes that threads
 *              are at work (mosquitto_threaded_set) it leaves writing to us, and we write when the batch is stored
 * Batches      what has arrived is stored together: as many as the broker sends without an acknowledgement
 *              (mosquitto: max_inflight_messages, 20 unless it is set)
 * Weather      a broker that is not there, or hangs up, is tried again after half a second, then ever later up to 30 s; so
 *              is the write to a full disk, with the connection given up meanwhile.  /readyz does not look at it
 * Threads      one of its own; start and close from the owner, the rest from any */
#ifndef SOUK_SERVE_MQTT_H
#define SOUK_SERVE_MQTT_H

#include "base/log.h"
#include "core/service.h"
#include "serve/mqtt_inbox.h"

typedef struct souk_mqtt souk_mqtt;

typedef struct souk_mqtt_options {
    const char *broker;    /* HOST:PORT */
    const char *ca_file;   /* certificates (PEM), one of which signed the broker's; "": no TLS */
    const char *user;      /* "": none */
    const char *password;  /* "": none */
    const char *client_id; /* the broker keeps the session under it */
    const char *subscriptions; /* mqtt_topics.h */
    souk_log *log;             /* lives as long as the service; NULL: silent */
} souk_mqtt_options;

/* "broker.shop:1883", "[::1]:1883".  SOUK_EINVAL with words. */
SOUK_CHECKED souk_err souk_mqtt_check_broker(souk_text broker, souk_diag *diag);

/* Connects in a thread of its own; returns at once.  Texts are copied.  Once.
 * SOUK_EINVAL: an option, with words.  SOUK_ENOMEM, SOUK_EBUSY: no thread. */
SOUK_CHECKED souk_err souk_mqtt_start(souk_mqtt *mqtt, const souk_mqtt_options *options,
                                      souk_diag *diag);

typedef struct souk_mqtt_counts {
    souk_inbox_counts inbox;
    uint64_t connects, lost; /* connections made, and those that ended before we did */
    bool is_connected;
} souk_mqtt_counts;
souk_mqtt_counts souk_mqtt_count(const souk_mqtt *mqtt);
/* Its state is a souk_mqtt that rests until it is started; closing ends it in order. */
extern const souk_service souk_mqtt_service;

#endif
