/* webhooks_inside.h - what webhooks.c (the service) shares with webhooks_body.c (JSON in and out). */
#ifndef SOUK_SERVE_WEBHOOKS_INSIDE_H
#define SOUK_SERVE_WEBHOOKS_INSIDE_H

#include "serve/outbox.h"
#include "serve/webhooks.h"

/* The members of a body: url, events, stores, purpose, rate, state; texts in the call's arena.  Whatever is wrong is
 * said; whether the url may be sent to is asked by the caller. */
SOUK_CHECKED souk_err webhooks_read_body(souk_call *call, souk_endpoint *ret_endpoint);
/* {"keep_s":…}, or nothing. */
SOUK_CHECKED souk_err webhooks_read_keep(souk_call *call, souk_time *ret_keep_ms);

/* An object; secret NULL: none. */
void webhooks_write_endpoint(souk_json_writer *out, const souk_endpoint *endpoint,
                             const char *secret);
void webhooks_write_delivery(souk_json_writer *out, const souk_delivery *delivery);

#endif
