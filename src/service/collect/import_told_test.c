/* import_told_test.c - files of events and of receipts: the same events in whatever pieces they come, faults with
 * their lines. */
#include "test/test.h"

#include "service/collect/import_rig.h"

static const char lines[] =
    "{\"type\":\"track\",\"event\":\"Order Completed\",\"messageId\":\"m1\",\"userId\":\"u1\","
    "\"timestamp\":\"2025-12-02T10:00:00Z\",\"properties\":{\"order_id\":\"o\",\"total\":\"7\","
    "\"currency\":\"CNY\"}}\n"
    "\r\n"
    "{\"type\":\"track\",\"event\":\"Zone "
    "Entered\",\"messageId\":\"m2\",\"timestamp\":\"2025-12-02T10:00:00Z\","
    "\"properties\":{\"store_id\":\"S1\",\"zone_id\":\"till\"}}\n"
    "{\"type\":\"track\",\"event\":\"Order Completed\",\"userId\":\"u1\"}\n"
    "{\"type\":\n"
    "{\"type\":\"page\",\"userId\":\"u2\",\"timestamp\":\"2025-12-03\"}";

static const char told[] =
    "event 1 2025-12-02T10:00:00.000Z Order Completed 7 CNY flags 5 user=u1 |\n"
    "event 2 2025-12-02T10:00:00.000Z Zone Entered in S1 0  flags 0 |\n"
    "fault 3 line 4: properties.order_id is missing: Order Completed needs it: "
    "{\"type\":\"track\",\"event\":\"Order Completed\",\"userId\":\"u1\"}\n"
    "fault 4 line 5: a value was expected, but the text ends: {\"type\":\n"
    "event 5 2025-12-03T00:00:00.000Z Page 0  flags 0 user=u2 |\n"
    "rows 5\n";

SOUK_TEST("a file of events is read the same in pieces of any size, its faults with their lines")
{
    for (size_t piece = 1; piece < sizeof lines; piece += piece < 40 ? 1 : 37) {
        souk_auto_value(souk_buf) out = {.mem = test->mem};
        souk_diag diag = {.words = ""};
        SOUK_MUST(rig_read(test->mem, &souk_import_events, NULL,
                           (souk_text){lines, sizeof lines - 1}, piece, &out, &diag));
        SOUK_CHECK_TEXT(souk_buf_view(&out), told);
    }
}

SOUK_TEST("a file that is none of events, or empty, is refused with words")
{
    souk_auto_value(souk_buf) out = {.mem = test->mem}, large = {.mem = test->mem};
    souk_diag diag = {.words = ""};
    SOUK_CHECK_ERR(
        rig_read(test->mem, &souk_import_events, NULL, SOUK_TEXT("\n\n"), 9, &out, &diag),
        SOUK_EINVAL);
    SOUK_CHECK_TEXT(souk_text_of(diag.words), "the file is empty");
    diag.words[0] = '\0';
    for (size_t i = 0; i < (1 << 20) + 10; i++)
        souk_buf_byte(&large, 'x');
    SOUK_CHECK_ERR(
        rig_read(test->mem, &souk_import_events, NULL, souk_buf_view(&large), 1 << 18, &out, &diag),
        SOUK_EINVAL);
    SOUK_CHECK_TEXT(souk_text_of(diag.words),
                    "line 1 has more than 1048576 bytes: is this a file of events, one a line?");
}
