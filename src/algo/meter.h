/* meter.h - how many were counted between two readings of a counter that somebody resets now and then.
 *
 *     souk_meter meter = {0};                                 one a sensor, a rule and a direction
 *     souk_meter_read(&meter, 217, ten_oclock);               0: nobody knows since when
 *     souk_meter_read(&meter, 230, quarter_past);             13
 *     souk_meter_read(&meter, 4, half_past);                  4: it was reset in between
 *
 * A camera tells its total since the last reset and not when that was ("Door Counted" with `total`, see
 * docs/devices.md), so a total that falls is a reset: what was counted between the last reading and the reset is
 * lost, and a reset that is passed before the next reading goes unseen.  Readings are taken in the order of their own
 * times: one that is late, or comes twice, counts nothing.
 *
 * Cost     a few instructions, nothing allocates
 * Threads  a meter belongs to one */
#ifndef SOUK_ALGO_METER_H
#define SOUK_ALGO_METER_H

#include <stdbool.h>
#include <stdint.h>

typedef struct souk_meter {
    uint64_t total; /* of the newest reading */
    int64_t at;     /* its time */
    bool has_begun;
} souk_meter;

uint64_t souk_meter_read(souk_meter *meter, uint64_t total, int64_t at);

#endif
