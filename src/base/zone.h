/* zone.h - local time: what the clock on a shop's wall says, and when it said so.
 *
 *     bytes of /usr/share/zoneinfo/Europe/London, read by the caller after souk_zone_name_valid
 *     souk_auto(souk_zone) london = NULL;
 *     SOUK_TRY(souk_zone_new(mem, name, bytes, &london, diag));
 *     souk_time wall = souk_zone_local(london, at);             as if the wall's time were UTC
 *     int64_t trading_day = souk_time_day(wall);
 *     SOUK_TRY(souk_zone_utc(london, wall, SOUK_LOCAL_COMPATIBLE, &at));
 *
 * Clocks go forward over a gap and back through an overlap: a local time may be no moment or two,
 * and a policy chooses.  NULL is a zone wherever one is read: UTC.  Moments outside SOUK_TIME_FIRST
 * to SOUK_TIME_LAST are taken as the nearer of the two.
 *
 * The rule at the end of a file holds for ever.  It is unrolled over 400 years at birth, after
 * which the Gregorian calendar repeats, weekdays included.
 *
 * Shape    at most SOUK_ZONE_FILE_BYTES of file; about 14 KiB in memory
 * Cost     a binary search over about 1000 changes
 * Source   RFC 8536 (TZif 1 to 3; 4 differs in leap seconds only); POSIX.1-2017 chapter 8.3 for the
 *          rule
 * Threads  a zone does not change after birth; share it */
#ifndef SOUK_BASE_ZONE_H
#define SOUK_BASE_ZONE_H

#include "base/time.h"

typedef struct souk_zone souk_zone;

enum { SOUK_ZONE_FILE_BYTES = 65536, SOUK_ZONE_NAME_BYTES = 63 };

/* Letters, digits and _ + - in parts between slashes, none empty, at most SOUK_ZONE_NAME_BYTES:
 * safe to put behind a folder's name. */
bool souk_zone_name_valid(souk_text name);

/* Makes a zone of a TZif file's bytes, which may be freed afterwards.
 * SOUK_EINVAL: the name.  SOUK_ETOOBIG: the file or a count in it.  SOUK_ESYNTAX: no TZif, or a
 * file with leap seconds ("right/..."), which our time does not have.  SOUK_ENOMEM. */
SOUK_CHECKED souk_err souk_zone_new(souk_mem *mem, souk_text name, souk_text bytes,
                                    souk_zone **ret_zone, souk_diag *diag);
void souk_zone_free(souk_zone *zone);
SOUK_AUTO(souk_zone)

/* "Europe/London"; "UTC" for NULL. */
const char *souk_zone_name(const souk_zone *zone);

/* Seconds that local time is ahead of UTC at a moment. */
int32_t souk_zone_offset_s(const souk_zone *zone, souk_time at);
/* Local time as if it were UTC: days, months and texts of time.h then are local ones. */
souk_time souk_zone_local(const souk_zone *zone, souk_time at);

/*                            in an overlap    in a gap of an hour, 01:30 is */
typedef enum souk_local {
    SOUK_LOCAL_COMPATIBLE, /* the first time   02:30, as on a clock nobody has put forward */
    SOUK_LOCAL_EARLIER,    /* the first time   00:30 */
    SOUK_LOCAL_LATER,      /* the second time  02:30 */
    SOUK_LOCAL_REFUSE,     /* SOUK_EINVAL      SOUK_EINVAL */
} souk_local;

SOUK_CHECKED souk_err souk_zone_utc(const souk_zone *zone, souk_time local, souk_local policy,
                                    souk_time *ret_time);

#endif
