/* metrics.h - counters as Prometheus text 0.0.4.
 *
 *     souk_metrics_write(spine, &out);        souk_events_total 541909 …
 *
 * Names end in their unit or _total.  No label carries anything of a shopper. */
#ifndef SOUK_SERVE_METRICS_H
#define SOUK_SERVE_METRICS_H

#include "core/spine.h"
#include "serve/http.h"

void souk_metrics_write(souk_spine *spine, souk_buf *out);
void souk_metrics_write_http(const souk_http *http, souk_buf *out);

/* One counter or gauge with its help. */
void souk_metrics_put(souk_buf *out, const char *name, const char *type, const char *help,
                      uint64_t value);

#endif
