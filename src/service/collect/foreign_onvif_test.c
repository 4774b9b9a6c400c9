/* foreign_onvif_test.c - counters of ONVIF cameras by topic and payload. */
#include "service/collect/foreign_devices.h"
#include "test/test.h"

#include "service/collect/tell_rig.h"

#define COUNTER "cam-14/onvif-ej/RuleEngine/CountAggregation/Counter"

SOUK_TEST("a counter's total is told with its camera, its rule and its own time")
{
    struct rig rig;
    rig_open(&rig, test);
    rig.store = SOUK_TEXT("SH-14");
    SOUK_MUST(rig_tell(&rig, &souk_foreign_onvif, COUNTER,
                       "{\"UtcTime\":\"2026-01-01T11:59:58.5Z\",\"Source\":{\"VideoSource\":\"1\","
                       "\"AnalyticsConfiguration\":\"2\",\"Rule\":\"entrance\"},"
                       "\"Data\":{\"Count\":217}}"));
    SOUK_CHECK(rig.events == 1);
    SOUK_CHECK(rig_has(&rig, "\"event\":\"Door Counted\""));
    SOUK_CHECK(rig_has(&rig, "\"timestamp\":\"2026-01-01T11:59:58.500Z\""));
    SOUK_CHECK(rig_has(&rig,
                       "{\"store_id\":\"SH-14\",\"sensor_id\":\"cam-14\",\"rule\":\"entrance\","
                       "\"video_source\":\"1\",\"total\":217}"));
    rig_close(&rig);
}

SOUK_TEST("values may be quoted, the topic may have sources and a name space, a prefix its levels")
{
    static const char *const topics[] = {
        "stores/14/cam/onvif-ej/RuleEngine/CountAggregation/OccupancyCounter",
        "stores/14/cam/onvif-ej/RuleEngine/CountAggregation/OccupancyCounter/&/1/2/queue",
        "stores/14/cam/onvif-ej/tns1:RuleEngine/CountAggregation/OccupancyCounter&/1",
    };
    struct rig rig;
    char name[100] = "";
    rig_open(&rig, test);
    for (size_t i = 0; i < sizeof topics / sizeof *topics; i++) {
        SOUK_MUST(rig_tell(&rig, &souk_foreign_onvif, topics[i],
                           "{\"UtcTime\":\"2026-01-01T12:00:00Z\",\"Source\":{\"Rule\":\"queue\"},"
                           "\"Data\":{\"Count\":\"5\"}}"));
        SOUK_CHECK(rig.events == 1 && rig_has(&rig, "\"event\":\"Zone Counted\""));
        SOUK_CHECK(rig_has(&rig, "{\"sensor_id\":\"stores/14/cam\",\"rule\":\"queue\","
                                 "\"zone_id\":\"queue\",\"occupancy\":5}"));
        souk_text now = rig_name(&rig);
        SOUK_CHECK(i == 0 || souk_text_equal(now, souk_text_of(name)));
        memcpy(name, now.at, now.bytes + 1);
    }
    rig_close(&rig);
}

SOUK_TEST("a camera's other topics are passed over, and what is none of ONVIF's is refused")
{
    struct rig rig;
    rig_open(&rig, test);
    SOUK_MUST(
        rig_tell(&rig, &souk_foreign_onvif, "cam/onvif-ej/RuleEngine/LineDetector/Crossed", "{}"));
    SOUK_CHECK(rig.events == 0);
    SOUK_MUST(rig_tell(&rig, &souk_foreign_onvif,
                       "cam/onvif-ej/MyRuleEngine/CountAggregation/Counter", "no JSON"));
    SOUK_CHECK(rig.events == 0);
    rig_refuses(&rig, &souk_foreign_onvif, "cam/RuleEngine/CountAggregation/Counter", "{}",
                "onvif-ej");
    rig_refuses(&rig, &souk_foreign_onvif, "/onvif-ej/RuleEngine/CountAggregation/Counter", "{}",
                "onvif-ej");
    rig_refuses(&rig, &souk_foreign_onvif, COUNTER, "{}", "UtcTime");
    rig_refuses(&rig, &souk_foreign_onvif, COUNTER,
                "{\"UtcTime\":\"2026-01-01T12:00:00Z\",\"Data\":{\"Count\":-1}}", "Data.Count");
    rig_refuses(&rig, &souk_foreign_onvif, COUNTER,
                "{\"UtcTime\":\"2026-01-01T12:00:00Z\",\"Data\":{\"Count\":1.5}}", "Data.Count");
    rig_refuses(&rig, &souk_foreign_onvif, COUNTER, "<Count>1</Count>", "value");
    rig_close(&rig);
}

SOUK_TEST("a camera's counter survives any failing allocation")
{
    rig_faults(test, &souk_foreign_onvif, COUNTER,
               "{\"UtcTime\":\"2026-01-01T12:00:00Z\",\"Source\":{\"Rule\":\"\\u0041\"},"
               "\"Data\":{\"Count\":\"5\"}}");
}
