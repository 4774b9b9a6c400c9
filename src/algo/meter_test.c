/* meter_test.c - readings of a counter against one who stands beside it. */
#include "algo/meter.h"
#include "test/test.h"

SOUK_TEST("a meter tells what was counted between two readings, and after a reset what came since")
{
    souk_meter meter = {0};
    SOUK_CHECK(souk_meter_read(&meter, 217, 1000) == 0);
    SOUK_CHECK(souk_meter_read(&meter, 230, 2000) == 13);
    SOUK_CHECK(souk_meter_read(&meter, 230, 3000) == 0);
    SOUK_CHECK(souk_meter_read(&meter, 4, 4000) == 4);
    SOUK_CHECK(souk_meter_read(&meter, 0, 5000) == 0);
    SOUK_CHECK(souk_meter_read(&meter, 9, 6000) == 9);
}

SOUK_TEST("a reading that is late or comes twice counts nothing")
{
    souk_meter meter = {0};
    SOUK_CHECK(souk_meter_read(&meter, 10, 1000) == 0);
    SOUK_CHECK(souk_meter_read(&meter, 20, 3000) == 10);
    SOUK_CHECK(souk_meter_read(&meter, 15, 2000) == 0);
    SOUK_CHECK(souk_meter_read(&meter, 20, 3000) == 0);
    SOUK_CHECK(souk_meter_read(&meter, 25, 4000) == 5);
}

/* One who counts each person, and writes down what a reading could know. */
SOUK_TEST("10,000 random readings with resets, delays and repeats count as one who stood beside")
{
    souk_meter meter = {0};
    uint64_t total = 0, since = 0, counted = 0, wanted = 0;
    int64_t now = 0;
    souk_meter_read(&meter, 0, now);
    for (int round = 0; round < 10000; round++) {
        uint64_t people = test_random(test, 50);
        total += people;
        since += people;
        if (test_random(test, 20) == 0) { /* a reset: since then only, if the total shows it */
            total = test_random(test, 3);
            since = total < meter.total ? total : total - meter.total;
        }
        counted += souk_meter_read(&meter, total, ++now);
        wanted += since;
        since = 0;
        if (test_random(test, 5) == 0)
            counted += souk_meter_read(&meter, test_random(test, 1000), now - 1);
    }
    SOUK_CHECK(counted == wanted);
    SOUK_CHECK(counted + 1 != wanted);
    souk_meter_read(&meter, total, now + 1);
    SOUK_CHECK(souk_meter_read(&meter, total + 1, now + 2) == 1); /* a planted person is noticed */
}
