/* trace_test.c - what names a person in a text is found however it is written, and what names another is not. */
#include "test/test.h"

#include "core/trace.h"

#include <stdio.h>

static bool finds(souk_test *test, const char *text, souk_id_kind kind, const char *value)
{
    souk_auto_value(souk_buf) room = {.mem = test->mem};
    souk_identifier id = {.kind = kind, .value = souk_text_of(value)};
    bool found;
    SOUK_MUST(souk_trace_find(&room, souk_text_of(text), &id, 1, &found));
    return found;
}

struct sample {
    souk_id_kind kind;
    const char *value, *text;
};

static void check_all(souk_test *test, const struct sample *samples, size_t count, bool expected)
{
    for (size_t i = 0; i < count; i++)
        if (finds(test, samples[i].text, samples[i].kind, samples[i].value) != expected)
            test_fail(test, __FILE__, __LINE__, "%s is%s found in %s", samples[i].value,
                      expected ? " not" : "", samples[i].text);
}

SOUK_TEST("an identifier is found where it says whose the event is, short or long, escaped or not")
{
    static const struct sample samples[] = {
        {SOUK_ID_USER, "7", "{\"userId\":7}"},
        {SOUK_ID_USER, "7", "{\"type\":\"page\",\"userId\" : \" 7 \",\"properties\":{}}"},
        {SOUK_ID_USER, "7", "{\"userId\":\"\\u0037\"}"},
        {SOUK_ID_USER, "anna", "{\"USERID\":\"anna\"}"},
        {SOUK_ID_USER, "u\"1", "{\"userId\":\"u\\\"1\"}"},
        {SOUK_ID_USER, "a/b", "{\"userId\":\"a\\/b\"}"},
        {SOUK_ID_USER, "\xf0\x9f\x90\x88", "{\"userId\":\"\\ud83d\\udc08\"}"},
        {SOUK_ID_USER, "17850", "{\"InvoiceNo\":\"1\",\"CustomerID\":\"17850\"}"},
        {SOUK_ID_USER, "7", "{\"traits\":{\"id\":7}}"},
        {SOUK_ID_DEVICE, "d1", "{\"context\":{\"device\":{\"model\":\"x\",\"id\":\"d1\"}}}"},
        {SOUK_ID_ANONYMOUS, "a", "{\"previousId\":\"a\"}"},
        {SOUK_ID_ANONYMOUS, "a", "{\"anonymousId\":[\"b\",\"a\"]}"},
        {SOUK_ID_USER, "7", "{\"properties\":{\"list\":[{\"id\":1},{}]},\"userId\":7}"},
        {SOUK_ID_PHONE, "+4420", "{\"traits\":{\"phone\":\"+44 (20)\"}}"},
        {SOUK_ID_EMAIL, "anna@example.com", "{\"traits\":{\"email\":\"Anna@Example.COM\"}}"},
        {SOUK_ID_USER, "anna", "{\"userId\":\"anna"},
    };
    check_all(test, samples, sizeof samples / sizeof *samples, true);
}

SOUK_TEST(
    "what is distinct is found anywhere: in free text, in addresses, in names, in what is no JSON")
{
    static const struct sample samples[] = {
        {SOUK_ID_USER, "user-17", "{\"note\":\"it was user-17.\"}"},
        {SOUK_ID_USER, "user-17", "{\"note\":\"it was \\u0075ser\\u002d17\"}"},
        {SOUK_ID_USER, "user-17", "{\"note\":\"\\nuser-17\\n\"}"},
        {SOUK_ID_USER, "user-17", "{\"user-17\":{\"a\":1}}"},
        {SOUK_ID_USER, "user-17", "user-17, cut off he"},
        {SOUK_ID_EMAIL, "anna@example.com", "{\"url\":\"/?mail=anna%40EXAMPLE.com&x=1\"}"},
        {SOUK_ID_EMAIL, "anna@example.com", "{\"url\":\"mailto:anna@example.com\"}"},
        {SOUK_ID_EMAIL, "anna@example.com", "{\"note\":\"Mail anna@example.com. Thanks\"}"},
        {SOUK_ID_PHONE, "+442079460000", "{\"note\":\"call 0044 20 7946-0000 now\"}"},
        {SOUK_ID_PHONE, "+442079460000", "{\"note\":\"call+44(20)79460000.\"}"},
        {SOUK_ID_CARD, "4000123412341234", "{\"note\":\"card 4000123412341234\"}"},
        {SOUK_ID_OPEN, "oAbCdEfGhIjKlMnO", "{\"x\":[[\"oAbCdEfGhIjKlMnO\"]]}"},
    };
    check_all(test, samples, sizeof samples / sizeof *samples, true);
}

SOUK_TEST("somebody else's text stays: a number, a word, a part of another identifier")
{
    static const struct sample samples[] = {
        {SOUK_ID_USER, "7",
         "{\"userId\":\"17\",\"properties\":{\"quantity\":7,\"order_id\":\"7\"}}"},
        {SOUK_ID_USER, "7", "7"},
        {SOUK_ID_USER, "7", "{\"properties\":{\"products\":[{\"id\":7,\"price\":7}]}}"},
        {SOUK_ID_USER, "7", "{\"traits\":{\"id\":8},\"x\":{\"id\":7}}"},
        {SOUK_ID_USER, "104233", "{\"userId\":\"u\",\"properties\":{\"order_id\":104233}}"},
        {SOUK_ID_USER, "summer", "{\"userId\":\"u\",\"event\":\"summer sale\"}"},
        {SOUK_ID_USER, "user-17", "{\"userId\":\"user-178\"}"},
        {SOUK_ID_USER, "user-17", "{\"userId\":\"user-17-b\"}"},
        {SOUK_ID_USER, "user-17", "{\"userId\":\"a_user-17\"}"},
        {SOUK_ID_USER, "user-17", "{\"userId\":\"User-17\"}"}, /* a door keeps them apart, too */
        {SOUK_ID_USER, "user-17", "{\"userId\":\"user-17\xc3\xa9\"}"},
        {SOUK_ID_EMAIL, "anna@example.com", "{\"email\":\"joanna@example.com\"}"},
        {SOUK_ID_EMAIL, "anna@example.com", "{\"email\":\"jo.anna@example.com\"}"},
        {SOUK_ID_EMAIL, "anna@example.com", "{\"email\":\"anna@example.com.au\"}"},
        {SOUK_ID_PHONE, "+442079460000", "{\"phone\":\"+4420794600001\"}"},
        {SOUK_ID_PHONE, "+442079460000", "{\"phone\":\"2079460000\"}"},
        {SOUK_ID_PHONE, "2079460000", "{\"phone\":\"+442079460000\"}"},
        {SOUK_ID_USER, "", "{\"userId\":\"\"}"},
        {SOUK_ID_USER, "", ""},
        {SOUK_ID_USER, "anna", "\"\\u12"},
        {SOUK_ID_USER, "anna", "}}]]{\"a\\"},
    };
    check_all(test, samples, sizeof samples / sizeof *samples, false);
}

/* ---- random texts -------------------------------------------------------------------------------------- */

static void put_spelled(souk_test *test, souk_buf *out, const char *value)
{
    for (; *value; value++)
        if (test_random(test, 3) == 0)
            souk_buf_print(out, "\\u%04x", (unsigned char)*value);
        else
            souk_buf_byte(out, *value);
}

/* {"k0":[{"k1":…{"userId":"…"}…}]} with neighbours, its value spelled at random. */
static void put_text(souk_test *test, souk_buf *out, const char *name, const char *value)
{
    unsigned depth = (unsigned)test_random(test, 60);
    souk_buf_clear(out);
    souk_buf_print(out, "{");
    for (unsigned i = 0; i < depth; i++)
        souk_buf_print(out, i % 2 ? "\"n\":\"]}\\\"\",\"k%u\":{" : "\"i\":[1,{}],\"k%u\":{", i);
    souk_buf_print(out, "\"x\":[\"u-%u\",7],\"%s\" :\"", (unsigned)test_random(test, 9), name);
    put_spelled(test, out, value);
    souk_buf_print(out, "\"");
    for (unsigned i = 0; i <= depth; i++)
        souk_buf_byte(out, '}');
}

SOUK_TEST(
    "random texts name whom they were written for, at any depth, and cut anywhere they do no harm")
{
    souk_auto_value(souk_buf) text = {.mem = test->mem}, room = {.mem = test->mem};
    for (unsigned round = 0; round < 3000; round++) {
        char hers[32], other[32];
        unsigned number = 100000 + (unsigned)test_random(test, 900000);
        snprintf(hers, sizeof hers, "user-%u", number);
        snprintf(other, sizeof other, "user-%u", number - 1);
        bool is_hers = test_random(test, 2);
        put_text(test, &text, test_random(test, 2) ? "userId" : "note", is_hers ? hers : other);
        SOUK_CHECK(finds(test, souk_buf_ended(&text), SOUK_ID_USER, hers) == is_hers);
        SOUK_CHECK(finds(test, souk_buf_ended(&text), SOUK_ID_USER, other) != is_hers);
        souk_identifier id = {.kind = SOUK_ID_USER, .value = souk_text_of(hers)};
        bool found;
        souk_text cut = {text.at, test_random(test, text.bytes)};
        SOUK_MUST(souk_trace_find(&room, cut, &id, 1, &found));
        SOUK_CHECK(is_hers || !found);
        text.at[test_random(test, text.bytes)] = (char)test_random(test, 256); /* any bytes */
        SOUK_MUST(souk_trace_find(&room, souk_buf_view(&text), &id, 1, &found));
    }
}

SOUK_TEST("a search that runs out of memory says so")
{
    SOUK_FAULT_LOOP (test) {
        souk_auto_value(souk_buf) room = {.mem = test->mem};
        souk_identifier id = {.kind = SOUK_ID_EMAIL, .value = SOUK_TEXT("a@b.cd")};
        bool found = false;
        souk_err err = souk_trace_find(
            &room, SOUK_TEXT("[\"a long string %20 that needs room\",\"a\\u0040b.cd\"]"), &id, 1,
            &found);
        SOUK_CHECK(err == SOUK_ENOMEM || (err == SOUK_OK && found));
        test_fault_seen(test, err);
    }
}
