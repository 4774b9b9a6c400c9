/* foreign_sensors_test.c - what the Sensors SDKs send, from the form to what is told; tests/clients has the SDKs themselves. */
#include "test/test.h"

#include "base/base64.h"
#include "service/collect/foreign_rig.h"

#include <libdeflate.h>
#include <stdio.h>

#define FORM (&souk_foreign_sensors)

/* As sa-sdk-miniprogram 1.22.7 and sa-sdk-javascript 1.27.11 send them, shortened. */
#define WHO                                                                                        \
    "\"distinct_id\":\"u-1\",\"identities\":{\"$identity_mp_id\":\"mp-77\","                       \
    "\"$identity_mp_wx1_openid\":\"openid-1\",\"$identity_login_id\":\"u-1\",\"$identity_"         \
    "mobile\":"                                                                                    \
    "\"13800138000\",\"$identity_anonymous_id\":\"openid-1\"},\"login_id\":\"u-1\","               \
    "\"anonymous_id\":\"openid-1\",\"lib\":{\"$lib\":\"MiniProgram\",\"$lib_version\":\"1.22.7\"}" \
    ","
#define WHEN "\"_track_id\":796920998,\"time\":1767261600998,\"_flush_time\":1767268800000"

static const char track[] = "{" WHO "\"type\":\"track\",\"event\":\"ProductViewed\"," WHEN
                            ",\"properties\":{\"$os\":\"iOS\",\"price\":12.50,\"sku\":\"A\"}}";

/* The form of a JSON text; options: what stands behind it, "&gzip=1".  Lives until the next call. */
static const char *form_of(const char *key, souk_text json, const char *options)
{
    static souk_buf form;
    souk_buf coded = {0};
    char *letters = souk_buf_room(&coded, SOUK_BASE64_BYTES(json.bytes));
    size_t count = souk_base64_encode(json.at, json.bytes, SOUK_BASE64_STANDARD, letters);
    souk_buf_clear(&form);
    souk_buf_print(&form, "%s=", key);
    for (size_t i = 0; i < count; i++)
        if (strchr("+/=", letters[i]))
            souk_buf_print(&form, "%%%02X", (unsigned)letters[i]);
        else
            souk_buf_byte(&form, letters[i]);
    souk_buf_text(&form, souk_text_of(options));
    souk_buf_done(&coded);
    return souk_buf_ended(&form);
}

static void tell(struct rig *rig, const char *json)
{
    rig_tell(rig, FORM, "", form_of("data", souk_text_of(json), ""));
}

SOUK_TEST("a record of a mini program tells its event, its owner and its times")
{
    static const struct {
        const char *path, *text;
    } expected[] = {
        {"type", "track"},
        {"event", "ProductViewed"},
        {"userId", "u-1"},
        {"anonymousId", "mp-77"},
        {"timestamp", "2026-01-01T10:00:00.998Z"},
        {"sentAt", "2026-01-01T12:00:00.000Z"},
        {"context.externalIds.0.type", "phone"},
        {"context.externalIds.0.id", "13800138000"},
        {"context.externalIds.1.type", "open"},
        {"context.externalIds.1.id", "openid-1"},
        {"context.externalIds.2", ""},
        {"context.library.name", "sensors MiniProgram"},
        {"context.library.version", "1.22.7"},
        {"context.identities.$identity_mp_id", "mp-77"},
        {"properties.price", "12.50"},
        {"properties.sku", "A"},
        {"properties.$os", "iOS"},
    };
    struct rig rig;
    char path[100];
    rig_open(&rig, test);
    tell(&rig, track);
    SOUK_CHECK(rig.count == 1);
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        snprintf(path, sizeof path, "0.%s", expected[i].path);
        SOUK_CHECK_TEXT(rig_at(&rig, path), expected[i].text);
    }
    rig_close(&rig);
}

SOUK_TEST("each type of record becomes the call that says the same")
{
    static const struct {
        const char *record, *type, *path, *text;
        size_t count;
    } cases[] = {
        {"{\"type\":\"track\",\"event\":\"$pageview\",\"distinct_id\":\"a\",\"properties\":{\"$"
         "url\":"
         "\"http://s/p\",\"$url_path\":\"/p\",\"$title\":\"Tea\",\"$referrer\":\"http://r\"}}",
         "page", "name", "Tea", 1},
        {"{\"type\":\"track\",\"event\":\"$MPViewScreen\",\"properties\":{\"$url_path\":\"pages/"
         "a\"}}",
         "screen", "name", "pages/a", 1},
        {"{\"type\":\"track\",\"event\":\"$WebClick\",\"distinct_id\":\"a\"}", "track", "event",
         "$WebClick", 1},
        {"{\"type\":\"track_signup\",\"event\":\"$SignUp\",\"distinct_id\":\"u\",\"login_id\":"
         "\"u\","
         "\"original_id\":\"c\",\"anonymous_id\":\"c\",\"time\":5}",
         "alias", "previousId", "c", 2},
        {"{\"type\":\"track_id_bind\",\"event\":\"$BindID\",\"login_id\":\"u\",\"identities\":{"
         "\"$identity_email\":\"a@b.cd\"}}",
         "identify", "traits.email", "a@b.cd", 1},
        {"{\"type\":\"track_id_unbind\",\"event\":\"$UnbindID\",\"login_id\":\"u\"}", "track",
         "event", "$UnbindID", 1},
        {"{\"type\":\"profile_set\",\"login_id\":\"u\",\"properties\":{\"mobile\":\"138\",\"age\":"
         "7}}",
         "identify", "traits.phone", "138", 1},
        {"{\"type\":\"profile_set_once\",\"login_id\":\"u\",\"properties\":{\"$email\":\"a@b.cd\"}"
         "}",
         "identify", "traits.email", "a@b.cd", 1},
        {"{\"type\":\"profile_increment\",\"login_id\":\"u\",\"properties\":{\"n\":1}}", "track",
         "event", "Profile Incremented", 1},
        {"{\"type\":\"profile_append\",\"login_id\":\"u\",\"properties\":{\"x\":[1]}}", "track",
         "event", "Profile Appended", 1},
        {"{\"type\":\"profile_unset\",\"login_id\":\"u\",\"properties\":{\"email\":true}}", "track",
         "properties.email", "true", 1},
        {"{\"type\":\"profile_delete\",\"login_id\":\"u\"}", "track", "event", "Profile Deleted",
         1},
        {"{\"type\":\"item_set\",\"item_type\":\"book\",\"item_id\":\"9\",\"properties\":{\"n\":1}"
         "}",
         "track", "properties.item_id", "9", 1},
        {"{\"type\":\"item_delete\",\"item_type\":\"book\",\"item_id\":\"9\"}", "track", "event",
         "Item Deleted", 1},
        {"{\"type\":\"dance\",\"event\":\"x\"}", "Sensors dance", "event", "x", 1},
        {"{\"event\":\"x\"}", "", "event", "x", 1},
    };
    struct rig rig;
    char path[100];
    rig_open(&rig, test);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tell(&rig, cases[i].record);
        SOUK_CHECK(rig.count == cases[i].count);
        SOUK_CHECK_TEXT(rig_at(&rig, "0.type"), cases[i].type);
        snprintf(path, sizeof path, "0.%s", cases[i].path);
        SOUK_CHECK_TEXT(rig_at(&rig, path), cases[i].text);
    }
    tell(&rig, cases[0].record);
    SOUK_CHECK_TEXT(rig_at(&rig, "0.event"), "");
    SOUK_CHECK_TEXT(rig_at(&rig, "0.context.page.path"), "/p");
    SOUK_CHECK_TEXT(rig_at(&rig, "0.context.page.referrer"), "http://r");
    SOUK_CHECK_TEXT(rig_at(&rig, "0.anonymousId"), "a");
    tell(&rig, cases[3].record);
    SOUK_CHECK_TEXT(rig_at(&rig, "1.type"), "identify");
    SOUK_CHECK_TEXT(rig_at(&rig, "1.userId"), "u");
    SOUK_CHECK_TEXT(rig_at(&rig, "1.anonymousId"), "c");
    SOUK_CHECK(!souk_text_equal(rig_at(&rig, "0.messageId"), rig_at(&rig, "1.messageId")));
    tell(&rig, cases[12].record);
    SOUK_CHECK_TEXT(rig_at(&rig, "0.anonymousId"), "");
    SOUK_CHECK_TEXT(rig_at(&rig, "0.context.externalIds"), "[]");
    rig_close(&rig);
}

SOUK_TEST("whose a record is, is found wherever the SDKs put it")
{
    static const struct {
        const char *ids, *user, *anonymous, *open;
    } cases[] = {
        {"\"distinct_id\":\"c\",\"anonymous_id\":\"c\",\"identities\":{\"$identity_cookie_id\":"
         "\"c\"}",
         "", "c", ""},
        {"\"distinct_id\":\"c\"", "", "c", ""},
        {"\"distinct_id\":\"u\",\"properties\":{\"$is_login_id\":true}", "u", "", ""},
        {"\"distinct_id\":\"u\",\"identities\":{\"$identity_login_id\":\"u\"}", "u", "", ""},
        {"\"distinct_id\":\"no+u-1\",\"login_id\":\"no+u-1\",\"identities\":{\"no\":\"u-1\"}",
         "u-1", "", ""},
        {"\"distinct_id\":\"a+b\",\"login_id\":\"a+b\",\"identities\":{\"no\":\"b\"}", "a+b", "",
         ""},
        {"\"login_id\":17,\"anonymous_id\":null", "17", "", ""},
        {"\"anonymous_id\":\"o\",\"identities\":{\"$identity_mp_openid\":\"o\",\"$identity_mp_id\":"
         "\"m\"}",
         "", "m", "o"},
        {"\"anonymous_id\":\"o\",\"identities\":{\"$identity_mp_openid\":\"o\"}", "", "", "o"},
        {"\"identities\":{\"$identity_mp_x_openid\":\"o\",\"$identity_mp_unionid\":\"un\","
         "\"$identity_mp_id\":\"m\"}",
         "", "m", "un"},
    };
    struct rig rig;
    char record[400];
    rig_open(&rig, test);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        snprintf(record, sizeof record, "{\"type\":\"track\",\"event\":\"x\",%s}", cases[i].ids);
        tell(&rig, record);
        SOUK_CHECK_TEXT(rig_at(&rig, "0.userId"), cases[i].user);
        SOUK_CHECK_TEXT(rig_at(&rig, "0.anonymousId"), cases[i].anonymous);
        SOUK_CHECK_TEXT(rig_at(&rig, "0.context.externalIds.0.id"), cases[i].open);
    }
    rig_close(&rig);
}

SOUK_TEST("a record sent again keeps its name, whatever its flush, and another one has another")
{
    static const char *const records[] = {
        "{\"type\":\"track\",\"event\":\"x\",\"distinct_id\":\"a\",\"_track_id\":1,\"time\":5,"
        "\"_flush_time\":6}",
        "{\"type\":\"track\",\"event\":\"x\",\"distinct_id\":\"a\",\"_track_id\":1,\"time\":5,"
        "\"_flush_time\":9000,\"properties\":{\"$is_first_day\":true}}",
        "{\"type\":\"track\",\"event\":\"x\",\"distinct_id\":\"a\",\"_track_id\":2,\"time\":5}",
        "{\"type\":\"track\",\"event\":\"x\",\"distinct_id\":\"a\",\"_track_id\":1,\"time\":6}",
        "{\"type\":\"track\",\"event\":\"y\",\"distinct_id\":\"a\",\"_track_id\":1,\"time\":5}",
        "{\"type\":\"track\",\"event\":\"x\",\"distinct_id\":\"b\",\"_track_id\":1,\"time\":5}",
        "{\"type\":\"profile_set\",\"distinct_id\":\"a\",\"time\":5,\"properties\":{\"n\":1}}",
        "{\"type\":\"profile_set\",\"distinct_id\":\"a\",\"time\":5,\"properties\":{\"n\":2}}",
        "{\"type\":\"profile_set\",\"distinct_id\":\"a\",\"properties\":{\"n\":1}}",
    };
    struct rig rig;
    char names[9][101];
    rig_open(&rig, test);
    for (size_t i = 0; i < 9; i++) {
        tell(&rig, records[i]);
        snprintf(names[i], sizeof names[i], "%.*s", SOUK_TEXT_PRINT(rig_at(&rig, "0.messageId")));
        for (size_t k = 0; k < i; k++)
            SOUK_CHECK((strcmp(names[i], names[k]) == 0) == (i == 1 && k == 0));
    }
    SOUK_CHECK(names[8][0] == '\0'); /* it gives nothing to tell it by */
    rig_close(&rig);
}

SOUK_TEST("clocks that are years off and times that are none never refuse a record")
{
    static const struct {
        const char *time, *timestamp;
    } cases[] = {
        {"0", "1970-01-01T00:00:00.000Z"},
        {"253402300799999", "9999-12-31T23:59:59.999Z"},
        {"253402300800000", ""},
        {"-5", ""},
        {"1e400", ""},
        {"99999999999999999999999", ""},
        {"\"1767261600998\"", "2026-01-01T10:00:00.998Z"},
        {"null", ""},
    };
    struct rig rig;
    char record[200];
    rig_open(&rig, test);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        snprintf(record, sizeof record,
                 "{\"type\":\"track\",\"event\":\"x\",\"time\":%s,"
                 "\"_flush_time\":%s,\"_track_id\":1}",
                 cases[i].time, cases[i].time);
        tell(&rig, record);
        SOUK_CHECK_TEXT(rig_at(&rig, "0.timestamp"), cases[i].timestamp);
        SOUK_CHECK_TEXT(rig_at(&rig, "0.sentAt"), cases[i].timestamp);
    }
    rig_close(&rig);
}

static souk_text gzip(const char *text, char room[1024])
{
    struct libdeflate_compressor *compressor = libdeflate_alloc_compressor(6);
    size_t bytes = libdeflate_gzip_compress(compressor, text, strlen(text), room, 1024);
    libdeflate_free_compressor(compressor);
    return (souk_text){room, bytes};
}

SOUK_TEST(
    "a list is told in order, in gzip too, and what is no record never refuses its neighbours")
{
    const char *list =
        "[{\"type\":\"track\",\"event\":\"one\",\"distinct_id\":\"a\"},7,null,\"x\",[],"
        "{\"type\":\"track\",\"event\":\"two\",\"distinct_id\":\"a\"}]";
    struct rig rig;
    char packed[1024];
    rig_open(&rig, test);
    const char *forms[] = {"", "&ext=", "&gzip=0"};
    for (size_t i = 0; i < 5; i++) {
        if (i < 3)
            rig_tell(&rig, FORM, "", form_of("data_list", souk_text_of(list), forms[i]));
        else
            rig_tell(&rig, FORM, "",
                     form_of("data_list", gzip(list, packed), i == 3 ? "&gzip=1" : ""));
        SOUK_CHECK(rig.count == 6);
        SOUK_CHECK_TEXT(rig_at(&rig, "0.event"), "one");
        SOUK_CHECK_TEXT(rig_at(&rig, "1"), "7");
        SOUK_CHECK_TEXT(rig_at(&rig, "5.event"), "two");
    }
    rig_tell(&rig, FORM, "", form_of("data", SOUK_TEXT("[]"), ""));
    SOUK_CHECK(rig.count == 0);
    rig_close(&rig);
}

SOUK_TEST("the crc of the letters is checked where one is given, as Java counts it")
{
    struct rig rig;
    rig_open(&rig, test);
    /* String.hashCode of "e30=" */
    rig_tell(&rig, FORM, "", "data=e30%3D&ext=crc%3D3059451");
    rig_tell(&rig, FORM, "", "ext=crc%3D3059451&data=e30=");
    rig_refused(&rig, FORM, "", "data=e30%3D&ext=crc%3D3059452", "3059451 and not 3059452");
    rig_refused(&rig, FORM, "", "data=e30%3D&ext=crc%3D", "the crc of data is");
    rig_refused(&rig, FORM, "", "data=e30%3D&ext=v%3D1%26crc%3D-1", "and not -1");
    /* and one beyond 31 bits, negative */
    const char *form = form_of("data", souk_text_of(track), "&ext=crc%3D0");
    SOUK_CHECK_ERR(rig_try(&rig, FORM, "", souk_text_of(form)), SOUK_EINVAL);
    char code[20], body[2000];
    SOUK_CHECK(sscanf(rig.diag.words, "the crc of data is %19s", code) == 1);
    snprintf(body, sizeof body, "%.*scrc%%3D%s", (int)(strstr(form, "crc") - form), form, code);
    rig_tell(&rig, FORM, "", body);
    rig_close(&rig);
}

SOUK_TEST("what is no form of the SDKs is refused in words")
{
    static const struct {
        const char *body, *words;
    } cases[] = {
        {"", "neither data nor data_list"},
        {"project=x", "neither data nor data_list"},
        {"data=", "neither data nor data_list"},
        {"data=e30%3", "a % of data"},
        {"data=e30%zz", "a % of data"},
        {"data=e30!", "not base64 at letter 4"},
        {"data=e30", "no error"},
        {"data=e3", "not zero"},
        {"data=e", "not base64"},
        {"data=eyJ9", "no JSON that can be read"},
        {"data=e30%253D", "not base64"},
        {"data=e30%3D&gzip=1", "no gzip"},
        {"data=H4sIAAAAAAAAA6tWKkktLlGyUlAqS8wpTlWqBQCZHmk2FgAA", "no gzip, or damaged"},
    };
    struct rig rig;
    rig_open(&rig, test);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (strcmp(cases[i].words, "no error"))
            rig_refused(&rig, FORM, "", cases[i].body, cases[i].words);
        else
            rig_tell(&rig, FORM, "", cases[i].body);
    rig_close(&rig);
}

SOUK_TEST("a bomb is refused before it fills the memory, and so are 10,001 records")
{
    struct rig rig;
    size_t bytes = 40 << 20;
    char *zeros = souk_mem_get(souk_mem_heap(), bytes),
         *packed = souk_mem_get(souk_mem_heap(), bytes);
    struct libdeflate_compressor *compressor = libdeflate_alloc_compressor(6);
    size_t count = libdeflate_gzip_compress(compressor, zeros, bytes, packed, bytes);
    libdeflate_free_compressor(compressor);
    rig_open(&rig, test);
    const char *form = form_of("data", (souk_text){packed, count}, "&gzip=1");
    SOUK_CHECK_ERR(rig_try(&rig, FORM, "", souk_text_of(form)), SOUK_ETOOBIG);
    SOUK_CHECK(strstr(rig.diag.words, "send fewer"));
    memset(zeros, ' ', bytes);
    zeros[0] = '[';
    for (size_t i = 0; i <= 10000; i++)
        memcpy(zeros + 1 + 3 * i, i < 10000 ? "{}," : "{}]", 3);
    form = form_of("data_list", (souk_text){zeros, 1 + 3 * 10001}, "");
    SOUK_CHECK_ERR(rig_try(&rig, FORM, "", souk_text_of(form)), SOUK_ETOOBIG);
    SOUK_CHECK(strstr(rig.diag.words, "10000 records"));
    souk_mem_put(souk_mem_heap(), zeros);
    souk_mem_put(souk_mem_heap(), packed);
    rig_close(&rig);
}

SOUK_TEST("100,000 identities of one record are read once, and named as left out")
{
    struct rig rig;
    souk_auto_value(souk_buf) json = {.mem = souk_mem_heap()};
    rig_open(&rig, test);
    souk_buf_print(&json, "{\"type\":\"track\",\"event\":\"x\",\"identities\":{");
    for (int i = 0; i < 100000; i++)
        souk_buf_print(&json, "\"$identity_mp_%d_openid\":\"o%d\",", i, i);
    souk_buf_print(&json, "\"$identity_login_id\":\"u\"}}");
    rig_tell(&rig, FORM, "", form_of("data", souk_buf_view(&json), ""));
    SOUK_CHECK(rig.out.bytes < 1000);
    SOUK_CHECK_TEXT(rig_at(&rig, "0.userId"), "u");
    SOUK_CHECK_TEXT(rig_at(&rig, "0.context.externalIds.0.id"), "o0");
    SOUK_CHECK_TEXT(rig_at(&rig, "0.properties.left_out.0"), "identities");
    rig_close(&rig);
}

SOUK_TEST("without memory a record is not told, and nothing is kept")
{
    struct rig rig;
    char packed[1024];
    rig_open(&rig, test);
    SOUK_FAULT_LOOP (test) {
        souk_err err =
            rig_try(&rig, FORM, "", souk_text_of(form_of("data", gzip(track, packed), "")));
        SOUK_CHECK(err == SOUK_OK || err == SOUK_ENOMEM);
        test_fault_seen(test, err);
    }
    SOUK_CHECK_TEXT(rig_at(&rig, "0.event"), "ProductViewed");
    rig_close(&rig);
}
