/* meter.c - the differences of meter.h. */
#include "algo/meter.h"

uint64_t souk_meter_read(souk_meter *meter, uint64_t total, int64_t at)
{
    if (meter->has_begun && at <= meter->at)
        return 0;
    uint64_t counted = !meter->has_begun ? 0 : total < meter->total ? total : total - meter->total;
    *meter = (souk_meter){.total = total, .at = at, .has_begun = true};
    return counted;
}
