/* foreign_devices.h - the forms of devices: cameras, counters, readers of tags (foreign.h).
 *
 *     topic                                          form     becomes
 *     frigate/events                                 frigate  Zone Entered, Zone Left, Zone Dwelled
 *     frigate/<zone>/<object>                        frigate  Zone Counted
 *     <camera>/onvif-ej/RuleEngine/CountAggregation/ onvif    Door Counted, Zone Counted with a running total
 *     (webhook, or any topic)                        impinj   Tag Read
 *     (webhook, or any topic)                        zebra    Tag Read
 *     (POST /v1/counts, or any topic)                counts   Door Counted, Zone Counted
 *
 * People seen by a camera are nobody's: an event of theirs has no identifier, no box, no track, no name.
 * docs/devices.md tells engineers how to point each at Souk. */
#ifndef SOUK_SERVICE_COLLECT_FOREIGN_DEVICES_H
#define SOUK_SERVICE_COLLECT_FOREIGN_DEVICES_H

#include "service/collect/foreign.h"

extern const souk_foreign_form souk_foreign_frigate, souk_foreign_onvif, souk_foreign_impinj,
    souk_foreign_zebra, souk_foreign_counts;

#endif
