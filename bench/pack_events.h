/* pack_events.h - synthetic events for measuring core/pack: seeded, distinct, of several kinds.
 *
 *     uint64_t random = 1;
 *     souk_buf_clear(&text);
 *     pack_event_print(&random, PACK_EVENT_ORDER, &text);
 *
 * Shops, products, people and free text are invented here and are not in the packer's vocabulary,
 * except where shops do use its words; keys, clients and user agents are the real ones' forms. */
#ifndef SOUK_BENCH_PACK_EVENTS_H
#define SOUK_BENCH_PACK_EVENTS_H

#include "base/text.h"

typedef enum pack_event_kind {
    PACK_EVENT_PAGE,     /* browser, analytics.js */
    PACK_EVENT_VIEW,     /* Product Viewed, browser */
    PACK_EVENT_ADD,      /* Product Added, node server */
    PACK_EVENT_ORDER,    /* Order Completed with 1 to 5 products, node server */
    PACK_EVENT_IDENTIFY, /* RudderStack node, traits twice */
    PACK_EVENT_CHINESE,  /* Product Viewed with Chinese names, in WeChat */
    PACK_EVENT_PYTHON,   /* Product Added, spaced JSON of the python library */
    PACK_EVENT_STORE,    /* shelf and zone events of a store's own gateway */
    PACK_EVENT_REVIEW,   /* Product Reviewed with prose, in English, German and Chinese */
    PACK_EVENT_CUSTOM,   /* a shop's own event and keys, none of them in the vocabulary */
    PACK_EVENT_KINDS
} pack_event_kind;

const char *pack_event_name(pack_event_kind kind);
/* Appends one event; *random is the state and moves on. */
void pack_event_print(uint64_t *random, pack_event_kind kind, souk_buf *out);

#endif
