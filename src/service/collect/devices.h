/* devices.h - routes for tills and devices that speak HTTP: what they send is told by its form (foreign.h).
 *
 *     POST /v1/counts?store=SH-14           {"sensor":"d-1","start":…,"end":…,"in":12,"out":9}      foreign_counts.c
 *     POST /v1/poslog                       <POSLog>…                                               foreign_poslog.c
 *     POST /v1/devices/impinj?store=SH-14   what the reader's webhook sends; zebra and other forms  foreign_devices.h
 *
 * The write key comes as the user of Basic authorization, as the header X-Write-Key, or as writeKey in the query.  store:
 * where the sender stands, if its messages do not say; reader: its name, likewise.  gzip is recognised by its first bytes.
 * 200 {"success":true,"events":12,"rejected":1}: every event is durable, or stands in the rejects with its fault.
 * 401: no write key of ours.  404: no such form.  413: too large.  503 with Retry-After: nothing was stored, send it again. */
#ifndef SOUK_SERVICE_COLLECT_DEVICES_H
#define SOUK_SERVICE_COLLECT_DEVICES_H

#include "core/service.h"

void souk_devices_counts(souk_call *call);
void souk_devices_poslog(souk_call *call);
void souk_devices_form(souk_call *call);

#endif
