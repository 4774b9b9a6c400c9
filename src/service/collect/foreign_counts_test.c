/* foreign_counts_test.c - plain counts, alone and in arrays. */
#include "service/collect/foreign_devices.h"
#include "test/test.h"

#include "service/collect/tell_rig.h"

SOUK_TEST("a plain count is a door's, and with a zone a zone's")
{
    struct rig rig;
    rig_open(&rig, test);
    rig.store = SOUK_TEXT("SH-1");
    SOUK_MUST(rig_tell(&rig, &souk_foreign_counts, "",
                       "{\"sensor\":\"d-1\",\"start\":\"2026-01-01T11:45:00+01:00\","
                       "\"end\":\"2026-01-01T12:00:00+01:00\",\"in\":12,\"out\":\"9\","
                       "\"store\":\"SH-14\"}"));
    SOUK_CHECK(rig.events == 1 && rig_has(&rig, "\"event\":\"Door Counted\""));
    SOUK_CHECK(rig_has(&rig, "\"timestamp\":\"2026-01-01T11:00:00.000Z\""));
    SOUK_CHECK(rig_has(&rig, "{\"store_id\":\"SH-14\",\"sensor_id\":\"d-1\","
                             "\"start\":\"2026-01-01T10:45:00.000Z\","
                             "\"end\":\"2026-01-01T11:00:00.000Z\",\"in\":12,\"out\":9}"));
    SOUK_MUST(rig_tell(&rig, &souk_foreign_counts, "",
                       "{\"sensor\":7,\"zone\":\"queue\",\"end\":1767268800,\"occupancy\":0,"
                       "\"in\":null}"));
    SOUK_CHECK(rig.events == 1 && rig_has(&rig, "\"event\":\"Zone Counted\""));
    SOUK_CHECK(rig_has(&rig, "{\"store_id\":\"SH-1\",\"sensor_id\":\"7\",\"zone_id\":\"queue\","
                             "\"end\":\"2026-01-01T12:00:00.000Z\",\"occupancy\":0}"));
    rig_close(&rig);
}

SOUK_TEST("a count of an array stands or falls alone, and the same window has the same name")
{
    struct rig rig;
    char name[100];
    rig_open(&rig, test);
    SOUK_MUST(rig_tell(&rig, &souk_foreign_counts, "",
                       "[{\"sensor\":\"a\",\"end\":\"2026-01-01T12:00:00Z\",\"in\":1},"
                       "{\"sensor\":\"a\",\"end\":\"2026-01-01T12:00:00Z\",\"in\":-1},7,"
                       "{\"sensor\":\"b\",\"end\":\"2026-01-01T12:00:00Z\",\"in\":1}]"));
    SOUK_CHECK(rig.events == 2 && rig.refused == 2);
    SOUK_CHECK_TEXT(rig.parts[0], "{\"sensor\":\"a\",\"end\":\"2026-01-01T12:00:00Z\",\"in\":-1}");
    SOUK_CHECK(strstr(rig.faults[0].words, "in is no whole number"));
    SOUK_CHECK(strstr(rig.faults[1].words, "no object"));
    souk_text first = rig_name(&rig);
    memcpy(name, first.at, first.bytes + 1);
    SOUK_MUST(rig_tell(&rig, &souk_foreign_counts, "",
                       "{\"in\":2,\"end\":\"2026-01-01T13:00:00+01:00\",\"sensor\":\"a\"}"));
    SOUK_CHECK_TEXT(rig_name(&rig), name);
    SOUK_MUST(rig_tell(&rig, &souk_foreign_counts, "",
                       "{\"in\":2,\"end\":\"2026-01-01T12:00:01Z\",\"sensor\":\"a\"}"));
    SOUK_CHECK(!souk_text_equal(rig_name(&rig), souk_text_of(name)));
    rig_close(&rig);
}

SOUK_TEST("what is no count is refused with what is missing")
{
    static const struct {
        const char *body, *words;
    } bad[] = {
        {"{}", "sensor is missing"},
        {"\"d\"", "no object"},
        {"{\"sensor\":\"d\"}", "end is no time"},
        {"{\"sensor\":\"d\",\"end\":\"noon\",\"in\":1}", "end is no time"},
        {"{\"sensor\":\"d\",\"end\":1767268800,\"start\":1767268801,\"in\":1}", "behind end"},
        {"{\"sensor\":\"d\",\"end\":1767268800}", "none of in, out"},
        {"{\"sensor\":\"d\",\"end\":1767268800,\"in\":1.5}", "in is no whole"},
        {"{\"sensor\":\"d\",\"end\":1767268800,\"out\":100000001}", "out is no whole"},
        {"{\"sensor\":\"d\",\"end\":1767268800,\"total\":[1]}", "total is no whole"},
        {"", "value"},
    };
    struct rig rig;
    rig_open(&rig, test);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        rig_refuses(&rig, &souk_foreign_counts, "", bad[i].body, bad[i].words);
    rig_close(&rig);
}

SOUK_TEST("counts survive any failing allocation")
{
    rig_faults(test, &souk_foreign_counts, "",
               "[{\"sensor\":\"a\\n\",\"end\":\"2026-01-01T12:00:00Z\",\"in\":1},{}]");
}
