/* foreign_tags_test.c - tags as Impinj's and Zebra's readers say them. */
#include "service/collect/foreign_devices.h"
#include "test/test.h"

#include "base/base64.h"
#include "service/collect/tell_rig.h"

#include <stdio.h>

#define IMPINJ(tag)                                                                       \
    "{\"timestamp\":\"2026-01-01T11:59:59.123456789Z\",\"hostname\":\"impinj-14-2b-3c\"," \
    "\"eventType\":\"tagInventory\",\"tagInventoryEvent\":{" tag "}}"

/* What every good reading of this tag has. */
#define ITEM                                                                       \
    "\"epc\":\"3074257BF7194E4000001A85\",\"epc_uri\":\"urn:epc:id:sgtin:0614141." \
    "812345.6789\",\"gtin\":\"80614141123458\",\"product_id\":\"80614141123458\"," \
    "\"serial\":\"6789\""

SOUK_TEST("an Impinj reading has its product and serial number, whatever way its EPC is written")
{
    static const char *const epcs[] = {
        "\"epcHex\":\"3074257BF7194E4000001A85\"",
        "\"epcHex\":\"3074257bf7194e4000001a85\",\"epc\":\"AAAA\"",
        "\"epc\":\"MHQle/cZTkAAABqF\"",
        "\"epc\":\"MHQle_cZTkAAABqF\"",
    };
    struct rig rig;
    char body[600], name[100] = "";
    rig_open(&rig, test);
    for (size_t i = 0; i < sizeof epcs / sizeof *epcs; i++) {
        snprintf(body, sizeof body,
                 IMPINJ("%s,\"antennaPort\":1,\"antennaName\":\"dock\",\"peakRssiCdbm\":-5650,"
                        "\"tidHex\":\"E280116060000204AC6AD0E6\""),
                 epcs[i]);
        SOUK_MUST(rig_tell(&rig, &souk_foreign_impinj, "reads", body));
        SOUK_CHECK(rig.events == 1);
        SOUK_CHECK(rig_has(&rig, "\"event\":\"Tag Read\""));
        SOUK_CHECK(rig_has(&rig, "\"timestamp\":\"2026-01-01T11:59:59.123Z\""));
        SOUK_CHECK(rig_has(&rig, "{" ITEM ",\"reader\":\"impinj-14-2b-3c\",\"antenna\":\"1\","
                                 "\"antenna_name\":\"dock\",\"rssi\":\"-56.5\","
                                 "\"tid\":\"E280116060000204AC6AD0E6\"}"));
        souk_text now = rig_name(&rig);
        SOUK_CHECK(i == 0 || souk_text_equal(now, souk_text_of(name)));
        memcpy(name, now.at, now.bytes + 1);
    }
    rig_close(&rig);
}

SOUK_TEST("an item's product is named as a till scans it, a box and a place by their own keys")
{
    static const struct {
        const char *hex, *told;
    } tags[] = {
        {"30395DFA835709C0000A28D3", "\"gtin\":\"03583788755593\",\"product_id\":"
                                     "\"3583788755593\",\"serial\":\"665811\""},
        {"3174257BF4499602D2000000", "\"sscc\":\"106141412345678908\",\"reader\""},
        {"3274257BF46072000000162E", "\"gln\":\"0614141123452\",\"serial\":\"5678\""},
    };
    struct rig rig;
    char body[300];
    rig_open(&rig, test);
    for (size_t i = 0; i < sizeof tags / sizeof *tags; i++) {
        snprintf(body, sizeof body, IMPINJ("\"epcHex\":\"%s\""), tags[i].hex);
        SOUK_MUST(rig_tell(&rig, &souk_foreign_impinj, "", body));
        SOUK_CHECK(rig.events == 1 && rig_has(&rig, tags[i].told));
    }
    rig_close(&rig);
}

SOUK_TEST("both alphabets of base64 read any tag of up to 62 bytes as its hexadecimal text does")
{
    struct rig rig;
    rig_open(&rig, test);
    for (int round = 0; round < 300; round++) {
        unsigned char bytes[62];
        char hex[2 * sizeof bytes + 1] = "", letters[100], body[700], name[100];
        size_t count = 1 + test_random(test, sizeof bytes);
        for (size_t i = 0; i < count; i++)
            bytes[i] = (unsigned char)test_random(test, 256);
        souk_hex(bytes, count, hex);
        souk_base64_encode(bytes, count, (unsigned)test_random(test, 4), letters);
        snprintf(body, sizeof body, IMPINJ("\"epcHex\":\"%s\""), hex);
        SOUK_MUST(rig_tell(&rig, &souk_foreign_impinj, "", body));
        souk_text first = rig_name(&rig);
        memcpy(name, first.at, first.bytes + 1);
        snprintf(body, sizeof body, IMPINJ("\"epc\":\"%s\""), letters);
        SOUK_MUST(rig_tell(&rig, &souk_foreign_impinj, "", body));
        SOUK_CHECK(rig.events == 1);
        SOUK_CHECK_TEXT(rig_name(&rig), name);
    }
    rig_close(&rig);
}

SOUK_TEST("arrays and lines of readings are read one by one, and other events passed over")
{
    struct rig rig;
    rig_open(&rig, test);
    SOUK_MUST(rig_tell(
        &rig, &souk_foreign_impinj, "",
        "[" IMPINJ("\"epc\":\"MHQle_cZTkAAABqF\"") ",{\"eventType\":\"heartbeat\"}," IMPINJ(
            "\"epc\":\"!\"") "," IMPINJ("\"epcHex\":\"AB\"") "]"));
    SOUK_CHECK(rig.events == 2 && rig.refused == 1);
    SOUK_CHECK(rig_has(&rig, "{\"epc\":\"AB\",\"reader\"")); /* no EPC: its bits are kept */
    SOUK_CHECK_TEXT(rig.parts[0], IMPINJ("\"epc\":\"!\""));
    SOUK_MUST(
        rig_tell(&rig, &souk_foreign_impinj, "",
                 IMPINJ("\"epc\":\"MHQle_cZTkAAABqF\"") "\r\n\r\n" IMPINJ(
                     "\"epcHex\":\"AB\"") "\r\n{\"broken\":\r\n" IMPINJ("\"epcHex\":\"CD\"")));
    SOUK_CHECK(rig.events == 3 && rig.refused == 1);
    SOUK_CHECK_TEXT(rig.parts[0], "{\"broken\":");
    rig_refuses(&rig, &souk_foreign_impinj, "", "{\n\"timestamp\":\n", "value");
    rig_refuses(&rig, &souk_foreign_impinj, "", "{\"tagInventoryEvent\":{\"epcHex\":\"AB\"}}",
                "timestamp");
    rig_refuses(&rig, &souk_foreign_impinj, "", IMPINJ("\"epcHex\":\"ABC\""), "hexadecimal");
    rig_close(&rig);
}

SOUK_TEST("Zebra's fixed readers say a tag with or without data around it, alone or in arrays")
{
    static const char *const bodies[] = {
        "{\"type\":\"SimpleTagEvent\",\"timestamp\":\"2026-01-01T13:59:59.123+0200\",\"data\":{"
        "\"format\":\"epc\",\"idHex\":\"3074257bf7194e4000001a85\",\"peakRssi\":-56,\"antenna\":2,"
        "\"channel\":911.25,\"phase\":12.3,\"eventNum\":17,\"hostName\":\"FX9600\"}}",
        "[{\"timestamp\":1767268799123,\"idHex\":\"3074257BF7194E4000001A85\",\"peakRssi\":\"-56\","
        "\"antenna\":2,\"eventNum\":17,\"hostName\":\"FX9600\"}]",
    };
    struct rig rig;
    rig_open(&rig, test);
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        SOUK_MUST(rig_tell(&rig, &souk_foreign_zebra, "zebra/fx/data", bodies[i]));
        SOUK_CHECK(rig.events == 1);
        SOUK_CHECK(rig_has(&rig, "\"timestamp\":\"2026-01-01T11:59:59.123Z\""));
        SOUK_CHECK(rig_has(&rig, "{" ITEM ",\"reader\":\"FX9600\",\"antenna\":\"2\","
                                 "\"rssi\":\"-56\"}"));
    }
    SOUK_MUST(rig_tell(&rig, &souk_foreign_zebra, "zebra/fx/data", "{\"idHex\":\"AB\"}"));
    SOUK_CHECK(rig.events == 1 && rig_has(&rig, "\"reader\":\"zebra/fx/data\""));
    SOUK_CHECK(rig_name(&rig).bytes == 0); /* nothing tells it apart */
    SOUK_CHECK(rig_has(&rig, "\"timestamp\":\"2026-01-01T12:00:00.000Z\""));
    rig_close(&rig);
}

SOUK_TEST("Zebra's handheld readers say many tags at once, and their topic names them")
{
    struct rig rig;
    rig_open(&rig, test);
    SOUK_MUST(
        rig_tell(&rig, &souk_foreign_zebra, "tenant/DATA/clients/data1event/RFD40-17",
                 "{\"dataEVT\":{\"type\":\"data\",\"timestamp\":\"2026-01-01T12:00:00Z\","
                 "\"data\":{\"tagData\":[{\"idHex\":\"3074257BF7194E4000001A85\","
                 "\"rssi\":-40,\"seenCount\":3},\"AB\"],\"barcodeData\":[{\"data\":\"1\"}]}}}"));
    SOUK_CHECK(rig.events == 2 && rig_count(&rig, "\"reader\":\"RFD40-17\"") == 2);
    SOUK_CHECK(rig_has(&rig, "{" ITEM ",\"reader\":\"RFD40-17\",\"rssi\":\"-40\","
                             "\"seen_count\":\"3\"}"));
    SOUK_MUST(rig_tell(&rig, &souk_foreign_zebra, "t",
                       "{\"type\":\"dataEVT\",\"timestamp\":1767268800000,\"data\":{"
                       "\"tagData\":[{\"tagID\":\"AB\"}]}}"));
    SOUK_CHECK(rig.events == 1);
    SOUK_MUST(rig_tell(&rig, &souk_foreign_zebra, "t", "{\"type\":\"heartbeat\",\"data\":{}}"));
    SOUK_CHECK(rig.events == 0);
    rig_refuses(&rig, &souk_foreign_zebra, "t", "{\"x\":1}", "neither idHex");
    rig_refuses(&rig, &souk_foreign_zebra, "t", "{\"idHex\":\"XY\"}", "hexadecimal");
    rig_refuses(&rig, &souk_foreign_zebra, "t", "{\"idHex\":\"AB\",\"timestamp\":\"noon\"}",
                "timestamp");
    SOUK_MUST(rig_tell(&rig, &souk_foreign_zebra, "t", "[{\"idHex\":\"AB\"},{\"idHex\":\"A\"},1]"));
    SOUK_CHECK(rig.events == 1 && rig.refused == 2);
    rig_close(&rig);
}

SOUK_TEST("readings of tags survive any failing allocation")
{
    rig_faults(test, &souk_foreign_impinj, "", "[" IMPINJ("\"epc\":\"MHQle_cZTkAAABqF\"") "]");
    rig_faults(test, &souk_foreign_impinj, "",
               IMPINJ("\"epc\":\"MHQle_cZTkAAABqF\"") "\n" IMPINJ("\"epcHex\":\"AB\""));
    rig_faults(test, &souk_foreign_zebra, "t", "{\"idHex\":\"3074257BF7194E4000001A85\"}");
}
