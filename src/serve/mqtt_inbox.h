/* mqtt_inbox.h - messages of a broker on their way into the log: gathered, stored together, never two ways.
 *
 *     souk_auto(souk_inbox) inbox = NULL;
 *     SOUK_TRY(souk_inbox_open(mem, spine, merchants, topics, count, &inbox, diag));
 *     souk_inbox_take(inbox, topic, payload, is_retained);      as often as messages come
 *     SOUK_TRY(souk_inbox_store(inbox));                        then they may be acknowledged to the broker
 *
 * Once      after an error of store nothing may be acknowledged: the broker sends all of it again, and what was stored is
 *           then a repeat
 * Retained  messages are states of long ago, not events: they are passed over
 * Floods    at most 100 rejects at once and 100 a minute are kept of what cannot be told, for a broken sensor repeats
 *           itself for ever; what goes beyond is counted
 * Limits    a payload of 1 MiB, 8,000 events a message; above, a reject without its text
 * Threads   one, but for souk_inbox_count */
#ifndef SOUK_SERVE_MQTT_INBOX_H
#define SOUK_SERVE_MQTT_INBOX_H

#include "core/merchant.h"
#include "serve/mqtt_topics.h"

enum { SOUK_INBOX_PAYLOAD_BYTES = 1 << 20, SOUK_INBOX_REJECTS = 100 };

typedef struct souk_inbox souk_inbox;

/* The sources are found by their names, or made; the topics and their texts live as long as the inbox.
 * SOUK_ENOMEM and errors of the ledger, with words. */
SOUK_CHECKED souk_err souk_inbox_open(souk_mem *mem, souk_spine *spine, souk_merchants *merchants,
                                      const souk_mqtt_topic *topics, size_t count,
                                      souk_inbox **ret_inbox, souk_diag *diag);
void souk_inbox_free(souk_inbox *inbox);
SOUK_AUTO(souk_inbox)

/* Both texts are copied.  What goes wrong is told by the next store. */
void souk_inbox_take(souk_inbox *inbox, souk_text topic, souk_text payload, bool is_retained);
/* Whether so much has gathered that it should be stored. */
bool souk_inbox_full(const souk_inbox *inbox);
/* Waits until all that was taken is durable; the inbox is empty then, also after an error. */
SOUK_CHECKED souk_err souk_inbox_store(souk_inbox *inbox);

typedef struct souk_inbox_counts {
    uint64_t messages; /* that were stored, or passed over */
    uint64_t events, rejects;
    uint64_t rejects_dropped; /* beyond what is kept of a flood */
    uint64_t left_out;        /* faces and plates */
    uint64_t retained, unmatched, too_large;
    uint64_t stores, failed_stores;
} souk_inbox_counts;
souk_inbox_counts souk_inbox_count(const souk_inbox *inbox);

#endif
