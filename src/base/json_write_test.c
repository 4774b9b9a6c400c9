/* json_write_test.c - the writer by example, against the reader, and under faults. */
#include "base/json_write.h"

#include "base/utf8.h"
#include "test/test.h"

static void write_sample(souk_json_writer *json)
{
    souk_json_write_object(json);
    souk_json_write_key(json, SOUK_TEXT("a"));
    souk_json_write_array(json);
    souk_json_write_i64(json, INT64_MIN);
    souk_json_write_u64(json, UINT64_MAX);
    souk_json_write_decimal(json, (souk_decimal){-500000});
    souk_json_write_object(json);
    souk_json_write_end(json);
    souk_json_write_array(json);
    souk_json_write_end(json);
    souk_json_write_end(json);
    souk_json_write_key(json, SOUK_TEXT("q\""));
    souk_json_write_text(json, SOUK_TEXT("tab\t nul\x01 \xE8\x89\xAF / \\ end"));
    souk_json_write_key(json, SOUK_TEXT(""));
    souk_json_write_bool(json, true);
    souk_json_write_key(json, SOUK_TEXT("n"));
    souk_json_write_null(json);
    souk_json_write_key(json, SOUK_TEXT("r"));
    souk_json_write_raw(json, SOUK_TEXT("[1, 2]"));
    souk_json_write_end(json);
}

static const char sample[] =
    "{\"a\":[-9223372036854775808,18446744073709551615,-0.5,{},[]],"
    "\"q\\\"\":\"tab\\t nul\\u0001 \xE8\x89\xAF / \\\\ end\",\"\":true,\"n\":null,\"r\":[1, 2]}";

SOUK_TEST("a document is written with its commas, colons and escapes")
{
    souk_auto_value(souk_buf) out = {.mem = test->mem};
    souk_json_writer json = {.out = &out};
    write_sample(&json);
    SOUK_MUST(souk_json_write_check(&json));
    SOUK_CHECK_TEXT(souk_buf_view(&out), sample);
}

static void check_text(souk_test *test, souk_text text, const char *expected)
{
    souk_auto_value(souk_buf) out = {.mem = test->mem};
    souk_json_writer json = {.out = &out};
    souk_json_write_text(&json, text);
    SOUK_MUST(souk_json_write_check(&json));
    SOUK_CHECK_TEXT(souk_buf_view(&out), expected);
}

SOUK_TEST("what is not UTF-8 becomes one U+FFFD for each maximal subpart")
{
#define BAD "\xEF\xBF\xBD"
    check_text(test, SOUK_TEXT("a\xFFz"), "\"a" BAD "z\"");
    check_text(test, SOUK_TEXT("\xE4\xB8"), "\"" BAD "\"");
    check_text(test, SOUK_TEXT("\xE4\xB8z"), "\"" BAD "z\"");
    check_text(test, SOUK_TEXT("\xF0\x9F\x98z"), "\"" BAD "z\"");
    check_text(test, SOUK_TEXT("\xED\xA0\x80"), "\"" BAD BAD BAD "\"");
    check_text(test, SOUK_TEXT("\xC0\x80\xC2"), "\"" BAD BAD BAD "\"");
    /* the example of The Unicode Standard, table 3-11 */
    check_text(test,
               SOUK_TEXT("\xE1\x80\xE2\xF0\x91\x92\xF1\xBF"
                         "A"),
               "\"" BAD BAD BAD BAD "A\"");
    check_text(test, (souk_text){NULL, 0}, "\"\"");
    check_text(test, SOUK_TEXT("\x7F\b\f\n\r\t\x1F\0"), "\"\x7F\\b\\f\\n\\r\\t\\u001f\\u0000\"");
#undef BAD
}

SOUK_TEST("random bytes are written as JSON, and UTF-8 comes back as it was")
{
    souk_auto_value(souk_buf) out = {.mem = test->mem};
    souk_auto_value(souk_json_doc) doc = {.mem = test->mem};
    souk_auto_value(souk_arena) arena = {.mem = test->mem};
    int valid = 0;
    for (int round = 0; round < 4000; round++) {
        char bytes[40];
        souk_text text = {bytes, test_random(test, sizeof bytes)}, back;
        unsigned span = round % 2 ? 128 : 256;
        for (size_t i = 0; i < text.bytes; i++)
            bytes[i] = (char)test_random(test, span);
        souk_buf_clear(&out);
        souk_arena_clear(&arena);
        souk_json_writer json = {.out = &out};
        souk_json_write_text(&json, text);
        SOUK_MUST(souk_json_write_check(&json));
        SOUK_MUST(souk_json_read(&doc, souk_buf_view(&out), NULL, NULL));
        SOUK_MUST(souk_json_text(&doc, 0, &arena, &back));
        SOUK_CHECK(souk_text_equal(text, back) == souk_utf8_valid(text));
        valid += souk_utf8_valid(text);
    }
    SOUK_CHECK(valid > 1000 && valid < 3000); /* both sides were tried */
}

/* Writes what the doc holds at node once more. */
static void write_again(souk_json_writer *json, const souk_json_doc *doc, souk_json_node node,
                        souk_arena *arena)
{
    souk_text text = {NULL, 0};
    souk_json_kind kind = souk_json_type(doc, node);
    if (kind == SOUK_JSON_STRING) {
        souk_err err = souk_json_text(doc, node, arena, &text);
        souk_json_write_text(json, err ? (souk_text){NULL, 0} : text);
    } else if (kind < SOUK_JSON_ARRAY) {
        souk_json_write_raw(json, souk_json_raw(doc, node));
    } else {
        if (kind == SOUK_JSON_OBJECT)
            souk_json_write_object(json);
        else
            souk_json_write_array(json);
        for (souk_json_node at = souk_json_first(doc, node); at != SOUK_JSON_NONE;
             at = souk_json_next(doc, at)) {
            if (souk_json_key_text(doc, at, arena, &text) == SOUK_OK)
                souk_json_write_key(json, text);
            write_again(json, doc, at, arena);
        }
        souk_json_write_end(json);
    }
}

SOUK_TEST("what was read and written again is the same text")
{
    souk_auto_value(souk_buf) out = {.mem = test->mem};
    souk_auto_value(souk_json_doc) doc = {.mem = test->mem};
    souk_auto_value(souk_arena) arena = {.mem = test->mem};
    static const char text[] = "[1,{\"a\\n\":[],\"\":{\"b\":\"\\\"\"}},[[]],\"\",null,true,-1.5e3]";
    SOUK_MUST(souk_json_read(&doc, souk_text_of(text), NULL, NULL));
    souk_json_writer json = {.out = &out};
    write_again(&json, &doc, souk_json_root(&doc), &arena);
    SOUK_MUST(souk_json_write_check(&json));
    SOUK_CHECK_TEXT(souk_buf_view(&out), text);
}

SOUK_TEST("a document nested too deep, or too long, is told at the end")
{
    souk_auto_value(souk_buf) out = {.mem = test->mem};
    for (unsigned extra = 0; extra < 3; extra++) {
        souk_buf_clear(&out);
        souk_json_writer json = {.out = &out};
        unsigned depth = SOUK_JSON_DEPTH_MAX + extra;
        for (unsigned i = 0; i < depth; i++) {
            souk_json_write_object(&json);
            souk_json_write_key(&json, SOUK_TEXT("k"));
        }
        souk_json_write_null(&json);
        for (unsigned i = 0; i < depth; i++)
            souk_json_write_end(&json);
        SOUK_CHECK_ERR(souk_json_write_check(&json), extra ? SOUK_ETOOBIG : SOUK_OK);
    }
    souk_auto_value(souk_buf) small = {.mem = test->mem, .limit_bytes = 20};
    souk_json_writer json = {.out = &small};
    write_sample(&json);
    SOUK_CHECK_ERR(souk_json_write_check(&json), SOUK_ETOOBIG);
}

SOUK_TEST("every failed allocation of the buffer is told by the check")
{
    SOUK_FAULT_LOOP (test) {
        souk_auto_value(souk_buf) out = {.mem = test->mem};
        souk_json_writer json = {.out = &out};
        write_sample(&json);
        souk_err err = souk_json_write_check(&json);
        SOUK_CHECK(err == SOUK_ENOMEM ||
                   (err == SOUK_OK && souk_text_equal(souk_buf_view(&out), souk_text_of(sample))));
        test_fault_seen(test, err);
    }
}
