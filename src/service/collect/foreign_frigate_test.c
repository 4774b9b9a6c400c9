/* foreign_frigate_test.c - Frigate's messages as its documentation shows them, and what may never come through. */
#include "service/collect/foreign_devices.h"
#include "test/test.h"

#include "service/collect/tell_rig.h"

#define SIGHT(zones, entered, more)                                                             \
    "{\"id\":\"1767268790.123-abc12\",\"camera\":\"entrance\",\"frame_time\":1767268800.5,"     \
    "\"snapshot\":{\"frame_time\":1767268799.1,\"box\":[1,2,3,4]},\"label\":\"person\","        \
    "\"sub_label\":[\"Ada Lovelace\",0.97],\"top_score\":0.958984375,\"false_positive\":false," \
    "\"start_time\":1767268790.123,\"end_time\":null,\"score\":0.7890625,\"box\":[424,500,536," \
    "712],"                                                                                     \
    "\"area\":23744,\"region\":[264,450,667,853],\"current_zones\":" zones                      \
    ",\"entered_zones\":" entered                                                               \
    ",\"thumbnail\":null,\"has_snapshot\":false,\"has_clip\":false,\"stationary\":false,"       \
    "\"motionless_count\":0,\"position_changes\":2,\"attributes\":{\"face\":0.64},"             \
    "\"current_attributes\":[]" more "}"

static const char update[] =
    "{\"type\":\"update\",\"before\":" SIGHT("[\"door\"]", "[\"door\"]", "") ",\"after\":" SIGHT(
        "[\"aisle\"]", "[\"door\",\"aisle\"]", "") "}";
static const char end[] =
    "{\"type\":\"end\",\"before\":{\"current_zones\":[\"aisle\"]},\"after\":{\"id\":\"i\","
    "\"camera\":\"entrance\",\"label\":\"person\",\"start_time\":1767268790.123,"
    "\"end_time\":1767268852.623,\"current_zones\":[],\"entered_zones\":[\"door\",\"aisle\"]}}";

SOUK_TEST("a person who walks on enters one zone and leaves the other, and is nobody")
{
    struct rig rig;
    rig_open(&rig, test);
    rig.store = SOUK_TEXT("SH-14");
    SOUK_MUST(rig_tell(&rig, &souk_foreign_frigate, "frigate/events", update));
    SOUK_CHECK(rig.events == 2);
    SOUK_CHECK(rig_count(&rig, "\"timestamp\":\"2026-01-01T12:00:00.500Z\"") == 2);
    SOUK_CHECK(rig_has(&rig, "\"event\":\"Zone Entered\""));
    SOUK_CHECK(rig_has(&rig, "\"properties\":{\"store_id\":\"SH-14\",\"zone_id\":\"aisle\","
                             "\"device_id\":\"entrance\",\"label\":\"person\"}}"));
    SOUK_CHECK(rig_has(&rig, "\"event\":\"Zone Left\""));
    SOUK_CHECK(rig_count(&rig, "\"zone_id\":\"door\"") == 1);
    static const char *const never[] = {"Ada",         "abc12",      "0.97",   "box",   "userId",
                                        "anonymousId", "\"device\"", "face",   "0.789", "region",
                                        "external",    "sub_la",     "1767268"};
    for (size_t i = 0; i < sizeof never / sizeof *never; i++)
        SOUK_CHECK(!rig_has(&rig, never[i]));
    rig_close(&rig);
}

SOUK_TEST("the end of an object tells how long it was there, for each zone that it entered")
{
    struct rig rig;
    rig_open(&rig, test);
    SOUK_MUST(rig_tell(&rig, &souk_foreign_frigate, "stores/14/frigate/events", end));
    SOUK_CHECK(rig.events == 3);
    SOUK_CHECK(rig_count(&rig, "\"event\":\"Zone Dwelled\"") == 2);
    SOUK_CHECK(rig_count(&rig, "\"dwell_s\":\"62.5\"") == 2);
    SOUK_CHECK(rig_count(&rig, "\"event\":\"Zone Left\"") == 1);
    SOUK_CHECK(rig_count(&rig, "\"timestamp\":\"2026-01-01T12:00:52.623Z\"") == 3);
    rig_close(&rig);
}

SOUK_TEST("a new object is in its zones whatever stood before, and a false one is nothing")
{
    struct rig rig;
    rig_open(&rig, test);
    SOUK_MUST(rig_tell(
        &rig, &souk_foreign_frigate, "frigate/events",
        "{\"type\":\"new\",\"before\":" SIGHT("[\"door\"]", "[\"door\"]", "") ",\"after\":" SIGHT(
            "[\"door\"]", "[\"door\"]", "") "}"));
    SOUK_CHECK(rig.events == 1 && rig_has(&rig, "Zone Entered"));
    SOUK_MUST(rig_tell(&rig, &souk_foreign_frigate, "frigate/events",
                       "{\"type\":\"new\",\"before\":null,\"after\":{\"id\":\"i\",\"camera\":\"c\","
                       "\"label\":\"dog\",\"frame_time\":1767268800,\"false_positive\":true,"
                       "\"current_zones\":[\"door\"]}}"));
    SOUK_CHECK(rig.events == 0);
    SOUK_MUST(
        rig_tell(&rig, &souk_foreign_frigate, "frigate/events",
                 "{\"type\":\"new\",\"before\":null,\"after\":{\"id\":\"i\",\"camera\":\"c\","
                 "\"label\":\"dog\",\"frame_time\":1767268800,\"current_zones\":[\"door\"]}}"));
    SOUK_CHECK(rig.events == 1 && rig_has(&rig, "\"label\":\"dog\""));
    rig_close(&rig);
}

SOUK_TEST("one message has one name however often it comes, and another object another")
{
    struct rig rig;
    char first[100], second[100];
    rig_open(&rig, test);
    SOUK_MUST(rig_tell(&rig, &souk_foreign_frigate, "frigate/events", update));
    souk_text name = rig_name(&rig);
    SOUK_CHECK(name.bytes == 8 + 32 && souk_text_starts(name, SOUK_TEXT("frigate/")));
    memcpy(first, name.at, name.bytes + 1);
    SOUK_MUST(rig_tell(&rig, &souk_foreign_frigate, "frigate/events", update));
    SOUK_CHECK_TEXT(rig_name(&rig), first);
    char other[sizeof update];
    memcpy(other, update, sizeof update);
    for (char *at = other; (at = strstr(at, "abc12")) != NULL;)
        at[0] = 'x';
    SOUK_MUST(rig_tell(&rig, &souk_foreign_frigate, "frigate/events", other));
    name = rig_name(&rig);
    memcpy(second, name.at, name.bytes + 1);
    SOUK_CHECK(strcmp(first, second));
    rig_close(&rig);
}

SOUK_TEST("faces and plates are counted as left out, whole or broken, and nothing of them stays")
{
    static const char *const bodies[] = {
        "{\"type\":\"face\",\"id\":\"i\",\"name\":\"Ada\",\"score\":0.9,\"camera\":\"c\"}",
        "{\"type\":\"lpr\",\"id\":\"i\",\"name\":\"Ada's\",\"plate\":\"B-AL 1815\"}",
        "{\"type\":\"description\",\"id\":\"i\",\"description\":\"a tall woman\"}",
        "{\"type\":\"face\",\"name\":\"Ad",
    };
    struct rig rig;
    rig_open(&rig, test);
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        SOUK_MUST(
            rig_tell(&rig, &souk_foreign_frigate, "frigate/tracked_object_update", bodies[i]));
        SOUK_CHECK(rig.events == 0 && rig.refused == 0 && rig.left_out == 1);
    }
    SOUK_MUST(rig_tell(&rig, &souk_foreign_frigate, "frigate/c/tracked_object_update", bodies[0]));
    SOUK_CHECK(rig.events == 0 && rig.left_out == 1);
    SOUK_CHECK(souk_foreign_frigate.is_private);
    rig_close(&rig);
}

SOUK_TEST("a zone's count is told with its object, and switches and pictures are not for us")
{
    struct rig rig;
    rig_open(&rig, test);
    SOUK_MUST(rig_tell(&rig, &souk_foreign_frigate, "frigate/aisle/person", "3"));
    SOUK_CHECK(rig.events == 1);
    SOUK_CHECK(
        rig_has(&rig, "\"event\":\"Zone Counted\",\"timestamp\":\"2026-01-01T12:00:00.000Z\""));
    SOUK_CHECK(rig_has(&rig, "{\"zone_id\":\"aisle\",\"label\":\"person\",\"occupancy\":3}"));
    static const struct {
        const char *topic, *body;
    } others[] = {
        {"frigate/reviews", "{\"type\":\"new\"}"},
        {"frigate/available", "online"},
        {"frigate/stats", "{}"},
        {"frigate/aisle/person/active", "2"},
        {"frigate/cam/person/snapshot", "\xff\xd8\xff"},
        {"frigate/cam/detect/state", "ON"},
        {"frigate/cam/motion_threshold/state", "30"},
        {"frigate/cam/audio/rms", "123"},
        {"frigate/restarts", "7"},
        {"frigate/cam/motion", "ON"},
        {"", "7"},
    };
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        SOUK_MUST(rig_tell(&rig, &souk_foreign_frigate, others[i].topic, others[i].body));
        SOUK_CHECK(rig.events == 0 && rig.left_out == 0);
    }
    rig_close(&rig);
}

SOUK_TEST("what is not Frigate's is refused with its place")
{
    static const struct {
        const char *body, *words;
    } bad[] = {
        {"", "value"},
        {"{\"type\":\"new\"", "the text ends"},
        {"[]", "type is none"},
        {"{\"type\":\"gone\",\"after\":{}}", "type is none"},
        {"{\"type\":\"new\",\"after\":{\"camera\":\"c\",\"label\":\"person\"}}", "after has no id"},
        {"{\"type\":\"new\",\"after\":{\"id\":\"i\",\"camera\":\"c\",\"label\":\"person\"}}",
         "frame_time"},
        {"{\"type\":\"end\",\"after\":{\"id\":\"i\",\"camera\":\"c\",\"label\":\"person\","
         "\"end_time\":1767268800,\"start_time\":1767268900}}",
         "in order"},
    };
    struct rig rig;
    rig_open(&rig, test);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        rig_refuses(&rig, &souk_foreign_frigate, "frigate/events", bad[i].body, bad[i].words);
    rig_close(&rig);
}

SOUK_TEST("Frigate's messages survive any failing allocation")
{
    rig_faults(test, &souk_foreign_frigate, "frigate/events", update);
    rig_faults(test, &souk_foreign_frigate, "frigate/events", end);
}
