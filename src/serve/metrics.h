/* metrics.h - counters as Prometheus text 0.0.4.
 *
 *     souk_metrics_write(spine, &out);        souk_events_total 541909 …
 *
 * Names end in their unit or _total.  No label carries anything of a shopper. */
#ifndef SOUK_SERVE_METRICS_H
#define SOUK_SERVE_METRICS_H

#include "core/spine.h"

void souk_metrics_write(souk_spine *spine, souk_buf *out);

#endif
