/* zones.h - the machine's files of local time (zone.h knows what is in them).
 *
 *     souk_auto(souk_zone) zone = NULL;
 *     SOUK_TRY(souk_zone_open(mem, SOUK_TEXT("Asia/Shanghai"), &zone, diag));
 *
 * Cost     a read of some kilobytes, and a zone of 14 KiB
 * Source   the tz database in /usr/share/zoneinfo */
#ifndef SOUK_OS_ZONES_H
#define SOUK_OS_ZONES_H

#include "base/zone.h"

/* SOUK_EINVAL with words: this machine has no such zone. */
SOUK_CHECKED souk_err souk_zone_open(souk_mem *mem, souk_text name, souk_zone **ret_zone,
                                     souk_diag *diag);

#endif
