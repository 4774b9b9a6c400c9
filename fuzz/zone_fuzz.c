/* zone_fuzz.c - bytes as a TZif file: what is accepted must answer every question consistently. */
#include "base/zone.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    souk_auto(souk_zone) zone = NULL;
    souk_text bytes = {(const char *)data, size};
    if (souk_zone_new(souk_mem_heap(), SOUK_TEXT("Fuzz"), bytes, &zone, NULL))
        return 0;
    for (souk_time at = SOUK_TIME_FIRST + SOUK_DAY_MS; at < SOUK_TIME_LAST - SOUK_DAY_MS;
         at += 3000000000001) {
        souk_time wall = souk_zone_local(zone, at), early, late;
        souk_assert(wall - at == (souk_time)souk_zone_offset_s(zone, at) * 1000);
        if (wall < SOUK_TIME_FIRST || wall > SOUK_TIME_LAST)
            continue;
        souk_assert(!souk_zone_utc(zone, wall, SOUK_LOCAL_EARLIER, &early));
        souk_assert(!souk_zone_utc(zone, wall, SOUK_LOCAL_LATER, &late));
        souk_assert(early <= at && at <= late);
    }
    return 0;
}
