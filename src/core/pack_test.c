/* pack_test.c - texts come back to the byte; hostile bytes are refused or bounded. */
#include "core/pack_private.h"
#include "test/test.h"

/* Invented events, one of each form that clients send. */
static const char *const corpus[] = {
    "",
    "{}",
    "{\"type\":\"track\"}",
    "{\"timestamp\":\"2026-01-02T03:04:05.678Z\",\"integrations\":{},\"anonymousId\":"
    "\"0f1e2d3c-4b5a-4978-8796-a5b4c3d2e1f0\",\"event\":\"Product Viewed\",\"type\":\"track\","
    "\"properties\":{\"product_id\":\"P-1\",\"sku\":\"SKU-77\",\"name\":\"Quilted "
    "Anorak\",\"price\":"
    "59.90,\"quantity\":1,\"currency\":\"EUR\"},\"context\":{\"userAgent\":\"Mozilla/5.0 (Windows "
    "NT "
    "10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36\","
    "\"locale\":\"de-DE\",\"library\":{\"name\":\"analytics.js\",\"version\":\"npm:next-1.84.3\"},"
    "\"timezone\":\"Europe/Berlin\"},\"messageId\":\"ajs-next-1767323045678-"
    "aaaabbbb-cccc-4ddd-9eee-ffff00001111\"}",
    "{\"type\":\"page\",\"name\":\"首页\",\"properties\":{\"title\":\"手工陶瓷茶壶 - "
    "首页\",\"url\":"
    "\"https://shop.example.cn/茶?utm_source=baidu\",\"path\":\"/"
    "茶\"},\"context\":{\"page\":{\"title\":"
    "\"手工陶瓷茶壶 - "
    "首页\",\"url\":\"https://shop.example.cn/茶?utm_source=baidu\"}},\"userId\":null}",
    "{\"integrations\": {}, \"anonymousId\": \"0F1E2D3C-4B5A-4978-8796-A5B4C3D2E1F0\", "
    "\"timestamp\": "
    "\"2026-01-02T03:04:05.678901+00:00\", \"context\": {\"library\": {\"name\": "
    "\"analytics-python\", \"version\": \"2.3.3\"}}, \"properties\": {\"price\": 7.5}}",
    "{\"event\":\"Order "
    "Completed\",\"properties\":{\"order_id\":\"W1\",\"total\":1e3,\"products\":[{"
    "\"product_id\":\"1\",\"shade\":\"ash\",\"price\":1},{\"product_id\":\"2\",\"shade\":\"ash\","
    "\"price\":2},{\"product_id\":\"3\",\"shade\":\"oak\",\"price\":-3.25}]},\"epc\":"
    "\"306039324330820000001A85\",\"hash\":\"00112233445566778899aabbccddeeff\",\"sentAt\":"
    "\"2109-01-01T00:00:00.000Z\",\"receivedAt\":\"2026-02-30T00:00:00.000Z\"}",
    "  [ \"not an event\", \"\\u4e2d\\u6587\", 12345678901234567890, true ]\n",
};
#define CORPUS_COUNT (sizeof corpus / sizeof *corpus)

static souk_text corpus_pick(souk_test *test)
{
    return souk_text_of(corpus[test_random(test, CORPUS_COUNT)]);
}

static void check_round_trip(souk_test *test, souk_packer *packer, souk_text text)
{
    souk_auto_value(souk_buf) packed = {.mem = test->mem};
    souk_auto_value(souk_buf) back = {.mem = test->mem};
    SOUK_MUST(souk_pack(packer, text, &packed));
    SOUK_CHECK(packed.bytes <= text.bytes + 1);
    SOUK_MUST(souk_unpack(packer, souk_buf_view(&packed), text.bytes, &back));
    SOUK_CHECK(souk_text_equal(souk_buf_view(&back), text));
    if (text.bytes > 0) {
        souk_buf_clear(&back);
        SOUK_CHECK_ERR(souk_unpack(packer, souk_buf_view(&packed), text.bytes - 1, &back),
                       SOUK_ETOOBIG);
        SOUK_CHECK(back.bytes == 0);
    }
}

SOUK_TEST("events of every client come back to the byte and small")
{
    souk_auto(souk_packer) packer = NULL;
    SOUK_MUST(souk_packer_new(test->mem, &packer));
    for (size_t i = 0; i < CORPUS_COUNT; i++)
        check_round_trip(test, packer, souk_text_of(corpus[i]));
    souk_auto_value(souk_buf) packed = {.mem = test->mem};
    SOUK_MUST(souk_pack(packer, souk_text_of(corpus[3]), &packed));
    SOUK_CHECK(packed.bytes * 5 < strlen(corpus[3]));
}

/* FNV-1a over the bytes that the corpus packs to. */
static uint64_t fingerprint(souk_test *test, souk_packer *packer)
{
    souk_auto_value(souk_buf) packed = {.mem = test->mem};
    for (size_t i = 0; i < CORPUS_COUNT; i++)
        SOUK_MUST(souk_pack(packer, souk_text_of(corpus[i]), &packed));
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < packed.bytes; i++)
        hash = (hash ^ (unsigned char)packed.at[i]) * UINT64_C(0x100000001b3);
    return hash;
}

/* FNV-1a over all codes and phrases. */
static uint64_t table_fingerprint(const souk_pack_table *table)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (size_t place = 0; place < AT_COUNT; place++)
        for (size_t i = 0; i < table->symbol_count; i++)
            hash = (hash ^ table->numbers[place][i]) * UINT64_C(0x100000001b3);
    for (size_t i = 0; i < table->pool_bytes; i++)
        hash = (hash ^ (unsigned char)table->pool[i]) * UINT64_C(0x100000001b3);
    return hash;
}

SOUK_TEST("version 1 never changes: stored events depend on it")
{
    souk_auto(souk_packer) packer = NULL;
    SOUK_MUST(souk_packer_new(test->mem, &packer));
    SOUK_CHECK(table_fingerprint(packer->table) == UINT64_C(0x8a1124cefe5c9922));
    SOUK_CHECK(fingerprint(test, packer) == UINT64_C(0xbda0f997f6dec87c));

    unsigned char stored[64];
    souk_text hex = SOUK_TEXT("5376203253234dbcf8");
    SOUK_CHECK(souk_unhex(hex, stored, hex.bytes / 2));
    souk_auto_value(souk_buf) back = {.mem = test->mem};
    SOUK_MUST(souk_unpack(packer, (souk_text){(char *)stored, hex.bytes / 2}, 1000, &back));
    SOUK_CHECK_TEXT(
        souk_buf_view(&back),
        "{\"type\":\"track\",\"event\":\"Product Added\",\"properties\":{\"sku\":\"Z9\"}}");
}

SOUK_TEST("random bytes of every length come back, one byte longer at most")
{
    souk_auto(souk_packer) packer = NULL;
    SOUK_MUST(souk_packer_new(test->mem, &packer));
    char bytes[700];
    for (int round = 0; round < 1500; round++) {
        size_t count = test_random(test, round % 3 ? 40 : sizeof bytes);
        uint64_t span = round % 2 ? 256 : 1 + test_random(test, 128);
        for (size_t i = 0; i < count; i++)
            bytes[i] = (char)test_random(test, span);
        check_round_trip(test, packer, (souk_text){bytes, count});
    }
}

static void print_value(souk_test *test, unsigned depth, souk_buf *out);

static void print_string(souk_test *test, souk_buf *out)
{
    static const char *const parts[] = {"Shirt",
                                        "an",
                                        "茶",
                                        "é",
                                        "0",
                                        "17",
                                        "-",
                                        " ",
                                        "\\\"",
                                        "product_id",
                                        "Z",
                                        "https://",
                                        "x",
                                        "\",\"",
                                        "1767323045678",
                                        "2026-01-02T03:04:05.678Z",
                                        "deadbeefdeadbeef",
                                        "龘",
                                        "\xff",
                                        "00000000-0000-4000-8000-000000000000"};
    size_t count = test_random(test, 6);
    for (size_t i = 0; i < count; i++)
        souk_buf_print(out, "%s", parts[test_random(test, sizeof parts / sizeof *parts)]);
}

static void print_object(souk_test *test, unsigned depth, souk_buf *out)
{
    const char *space = test_random(test, 4) ? "" : " ";
    size_t count = test_random(test, 6);
    souk_buf_print(out, "{");
    for (size_t i = 0; i < count; i++) {
        souk_buf_print(out, "%s\"", i ? (*space ? ", " : ",") : "");
        if (test_random(test, 3))
            souk_buf_print(out, "%s", souk_pack_keys[test_random(test, souk_pack_key_count)].name);
        else
            print_string(test, out);
        souk_buf_print(out, "\":%s", space);
        print_value(test, depth + 1, out);
    }
    souk_buf_print(out, "}");
}

static void print_value(souk_test *test, unsigned depth, souk_buf *out)
{
    switch (test_random(test, depth < 4 ? 6 : 4)) {
    case 0:
        souk_buf_print(out, "%u.%02u", (unsigned)test_random(test, 2000),
                       (unsigned)test_random(test, 100));
        break;
    case 1:
        souk_buf_print(out, "%s", test_random(test, 2) ? "null" : "true");
        break;
    case 2:
    case 3:
        souk_buf_print(out, "\"");
        print_string(test, out);
        souk_buf_print(out, "\"");
        break;
    case 4:
        souk_buf_print(out, "[");
        print_value(test, depth + 1, out);
        souk_buf_print(out, "]");
        break;
    default:
        print_object(test, depth, out);
    }
}

SOUK_TEST("random JSON comes back to the byte")
{
    souk_auto(souk_packer) packer = NULL;
    SOUK_MUST(souk_packer_new(test->mem, &packer));
    souk_auto_value(souk_buf) text = {.mem = test->mem};
    for (int round = 0; round < 1500; round++) {
        souk_buf_clear(&text);
        print_object(test, 0, &text);
        SOUK_MUST(souk_buf_check(&text));
        check_round_trip(test, packer, souk_buf_view(&text));
    }
}

/* A few bytes of text changed, cut out or doubled. */
static void mutate(souk_test *test, souk_buf *text)
{
    size_t count = 1 + test_random(test, 4);
    for (size_t i = 0; i < count && text->bytes > 0; i++) {
        size_t at = test_random(test, text->bytes), bytes = 1 + test_random(test, text->bytes - at);
        switch (test_random(test, 3)) {
        case 0:
            text->at[at] = (char)test_random(test, 256);
            break;
        case 1:
            memmove(text->at + at, text->at + at + bytes, text->bytes - at - bytes);
            text->bytes -= bytes;
            break;
        default:
            if (souk_buf_room(text, bytes)) { /* moves the text: copy by position afterwards */
                memcpy(text->at + text->bytes, text->at + at, bytes);
                souk_buf_added(text, bytes);
            }
        }
    }
}

SOUK_TEST("mutated events come back to the byte")
{
    souk_auto(souk_packer) packer = NULL;
    SOUK_MUST(souk_packer_new(test->mem, &packer));
    souk_auto_value(souk_buf) text = {.mem = test->mem};
    for (int round = 0; round < 3000; round++) {
        souk_buf_clear(&text);
        souk_buf_text(&text, corpus_pick(test));
        mutate(test, &text);
        SOUK_MUST(souk_buf_check(&text));
        check_round_trip(test, packer, souk_buf_view(&text));
    }
}

SOUK_TEST("a text packs to the same bytes whatever was packed or refused before")
{
    souk_auto(souk_packer) used = NULL;
    souk_auto(souk_packer) fresh = NULL;
    SOUK_MUST(souk_packer_new(test->mem, &used));
    SOUK_MUST(souk_packer_new(test->mem, &fresh));
    souk_auto_value(souk_buf) a = {.mem = test->mem};
    souk_auto_value(souk_buf) b = {.mem = test->mem};
    for (int round = 0; round < 300; round++) {
        souk_buf_clear(&a);
        SOUK_MUST(souk_pack(used, corpus_pick(test), &a));
        a.at[test_random(test, a.bytes)] ^= (char)(1u << test_random(test, 8));
        souk_err err = souk_unpack(used, souk_buf_view(&a), 2000, &b);
        SOUK_CHECK(err == SOUK_OK || err == SOUK_ECORRUPT || err == SOUK_ETOOBIG ||
                   err == SOUK_EVERSION);
        if (round % 50 == 0) /* the counter of positions turns over */
            used->copy_base = UINT32_MAX / 2 - 10;
    }
    SOUK_CHECK(!memcmp(used->follows, used->table->follows, sizeof used->follows));
    souk_buf_clear(&a);
    souk_buf_clear(&b);
    for (size_t i = 0; i < CORPUS_COUNT; i++) {
        SOUK_MUST(souk_pack(used, souk_text_of(corpus[i]), &a));
        SOUK_MUST(souk_pack(fresh, souk_text_of(corpus[i]), &b));
    }
    SOUK_CHECK(souk_text_equal(souk_buf_view(&a), souk_buf_view(&b)));
}

SOUK_TEST("every truncation of packed bytes is refused or reads as the beginning of the text")
{
    souk_auto(souk_packer) packer = NULL;
    SOUK_MUST(souk_packer_new(test->mem, &packer));
    souk_auto_value(souk_buf) packed = {.mem = test->mem};
    souk_auto_value(souk_buf) back = {.mem = test->mem};
    for (size_t i = 0; i < CORPUS_COUNT; i++) {
        souk_text text = souk_text_of(corpus[i]);
        souk_buf_clear(&packed);
        SOUK_MUST(souk_pack(packer, text, &packed));
        for (size_t bytes = 0; bytes < packed.bytes; bytes++) {
            souk_buf_clear(&back);
            souk_err err = souk_unpack(packer, (souk_text){packed.at, bytes}, text.bytes, &back);
            SOUK_CHECK(err == SOUK_OK ? souk_text_starts(text, souk_buf_view(&back))
                                      : err == SOUK_ECORRUPT && back.bytes == 0);
        }
    }
}

SOUK_TEST("hostile bytes are refused or yield what the ceiling allows")
{
    souk_auto(souk_packer) packer = NULL;
    SOUK_MUST(souk_packer_new(test->mem, &packer));
    souk_auto_value(souk_buf) packed = {.mem = test->mem};
    souk_auto_value(souk_buf) back = {.mem = test->mem};
    for (int round = 0; round < 6000; round++) {
        souk_buf_clear(&packed);
        souk_buf_clear(&back);
        if (round % 2) {
            SOUK_MUST(souk_pack(packer, corpus_pick(test), &packed));
            mutate(test, &packed);
        } else
            for (size_t i = 1 + test_random(test, 200); i-- > 0;)
                souk_buf_byte(&packed, (char)test_random(test, 256));
        SOUK_MUST(souk_buf_check(&packed));
        if (packed.bytes)
            packed.at[0] = (char)((packed.at[0] & 0x3f) | VERSION_ONE << 6);
        size_t most = test_random(test, 3000);
        souk_err err = souk_unpack(packer, souk_buf_view(&packed), most, &back);
        SOUK_CHECK(err == SOUK_OK || err == SOUK_ECORRUPT || err == SOUK_ETOOBIG);
        SOUK_CHECK(back.bytes <= most && (err == SOUK_OK || back.bytes == 0));
    }
}

SOUK_TEST("versions, padding and sizes that no packer wrote are refused")
{
    souk_auto(souk_packer) packer = NULL;
    SOUK_MUST(souk_packer_new(test->mem, &packer));
    souk_auto_value(souk_buf) out = {.mem = test->mem};
    SOUK_CHECK_ERR(souk_unpack(packer, SOUK_TEXT(""), 10, &out), SOUK_ECORRUPT);
    SOUK_CHECK_ERR(souk_unpack(packer, SOUK_TEXT("\x01"), 10, &out), SOUK_ECORRUPT);
    SOUK_CHECK_ERR(souk_unpack(packer, SOUK_TEXT("\x80"), 10, &out), SOUK_EVERSION);
    SOUK_CHECK_ERR(souk_unpack(packer, SOUK_TEXT("\xff"), 10, &out), SOUK_EVERSION);
    SOUK_CHECK_ERR(souk_unpack(packer, SOUK_TEXT("\x7f"), 10, &out), SOUK_ECORRUPT);
    SOUK_CHECK_ERR(souk_unpack(packer, SOUK_TEXT("\0abc"), 2, &out), SOUK_ETOOBIG);
    SOUK_MUST(souk_unpack(packer, SOUK_TEXT("\0abc"), 3, &out));
    SOUK_CHECK_TEXT(souk_buf_view(&out), "abc");
    SOUK_MUST(souk_unpack(packer, SOUK_TEXT("\0"), 0, &out));

    souk_text too_long = {corpus[3], SOUK_PACK_MOST_BYTES + 1}; /* its bytes are not looked at */
    SOUK_CHECK_ERR(souk_pack(packer, too_long, &out), SOUK_ETOOBIG);
    souk_auto_value(souk_buf) narrow = {.mem = test->mem, .limit_bytes = 20};
    SOUK_CHECK_ERR(souk_pack(packer, souk_text_of(corpus[3]), &narrow), SOUK_ETOOBIG);
    SOUK_CHECK(narrow.bytes == 0);
    SOUK_CHECK_TEXT(souk_buf_view(&out), "abc");
}

SOUK_TEST("the longest text comes back, with copies from as far as they reach")
{
    souk_auto(souk_packer) packer = NULL;
    SOUK_MUST(souk_packer_new(test->mem, &packer));
    souk_auto_value(souk_buf) text = {.mem = test->mem, .limit_bytes = SOUK_PACK_MOST_BYTES};
    while (text.bytes < SOUK_PACK_MOST_BYTES) {
        souk_text next = corpus_pick(test);
        next.bytes = souk_min_size(next.bytes, SOUK_PACK_MOST_BYTES - text.bytes);
        souk_buf_text(&text, next);
    }
    SOUK_MUST(souk_buf_check(&text));
    check_round_trip(test, packer, souk_buf_view(&text));
}

/* Packs the corpus, and counts the texts that a damaged packer does not bring back. */
static size_t lost(souk_test *test, souk_packer *to, souk_packer *from)
{
    size_t count = 0;
    for (size_t i = 0; i < CORPUS_COUNT; i++) {
        souk_auto_value(souk_buf) packed = {.mem = test->mem};
        souk_auto_value(souk_buf) back = {.mem = test->mem};
        SOUK_MUST(souk_pack(to, souk_text_of(corpus[i]), &packed));
        souk_err err = souk_unpack(from, souk_buf_view(&packed), 4000, &back);
        count += err || !souk_text_equal(souk_buf_view(&back), souk_text_of(corpus[i]));
    }
    return count;
}

SOUK_TEST("one wrong letter in the reader's words, or one wrong guess, is noticed")
{
    souk_auto(souk_packer) to = NULL;
    souk_auto(souk_packer) from = NULL;
    SOUK_MUST(souk_packer_new(test->mem, &to));
    SOUK_MUST(souk_packer_new(test->mem, &from));
    SOUK_CHECK(lost(test, to, from) == 0);
    unsigned bytes = 0, word = souk_pack_table_longest(from->table, corpus[3] + 2, &bytes);
    SOUK_CHECK(bytes > 8);
    souk_pack_table *wrong = souk_mem_get(test->mem, sizeof *wrong);
    SOUK_CHECK(wrong);
    memcpy(wrong, from->table, sizeof *wrong);
    from->table = wrong;
    wrong->pool[wrong->symbols[word].at] ^= 1;
    SOUK_CHECK(lost(test, to, from) > 0);
    from->table = to->table;
    souk_mem_put(test->mem, wrong);
    SOUK_CHECK(lost(test, to, from) == 0);
    from->follows[word].key = (uint16_t)word;
    SOUK_CHECK(lost(test, to, from) > 0);
}

static souk_err story(souk_mem *mem)
{
    souk_auto(souk_packer) packer = NULL;
    souk_auto_value(souk_buf) packed = {.mem = mem};
    souk_auto_value(souk_buf) back = {.mem = mem};
    SOUK_TRY(souk_packer_new(mem, &packer));
    for (size_t i = 0; i < CORPUS_COUNT; i++) {
        souk_text text = souk_text_of(corpus[i]);
        souk_buf_clear(&packed);
        souk_buf_clear(&back);
        SOUK_TRY(souk_pack(packer, text, &packed));
        SOUK_TRY(souk_unpack(packer, souk_buf_view(&packed), text.bytes, &back));
        if (!souk_text_equal(souk_buf_view(&back), text))
            return SOUK_EINVAL;
    }
    return SOUK_OK;
}

SOUK_TEST("without memory packing and unpacking say so and lose nothing")
{
    SOUK_FAULT_LOOP (test) {
        souk_err err = story(test->mem);
        SOUK_CHECK(err == SOUK_OK || err == SOUK_ENOMEM);
        test_fault_seen(test, err);
    }
}
