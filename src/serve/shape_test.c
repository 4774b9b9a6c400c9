/* shape_test.c - shapes become schemas; what is no shape is refused with its column. */
#include "test/test.h"

#include "serve/shape.h"

static void check_shape(souk_test *test, const char *shape, const char *schema)
{
    souk_auto_value(souk_buf) text = {.mem = test->mem};
    souk_json_writer out = {.out = &text};
    souk_diag diag = {.words = ""};
    SOUK_MUST(souk_shape_schema(souk_text_of(shape), &out, &diag));
    SOUK_MUST(souk_json_write_check(&out));
    SOUK_CHECK_TEXT(souk_buf_view(&text), schema);
}

SOUK_TEST("a shape in one line becomes a schema")
{
    check_shape(test, "integer", "{\"type\":\"integer\"}");
    check_shape(test, "text?", "{\"type\":[\"string\",\"null\"]}");
    check_shape(test, "any", "{}");
    check_shape(test, "a|b-c|d", "{\"type\":\"string\",\"enum\":[\"a\",\"b-c\",\"d\"]}");
    check_shape(test, "a|b?", "{\"type\":[\"string\",\"null\"],\"enum\":[\"a\",\"b\",null]}");
    check_shape(test, "integer(1..1000)", "{\"type\":\"integer\",\"minimum\":1,\"maximum\":1000}");
    check_shape(test, "text(..100)", "{\"type\":\"string\",\"maxLength\":100}");
    check_shape(test, "[Event]",
                "{\"type\":\"array\",\"items\":{\"$ref\":\"#/components/schemas/Event\"}}");
    check_shape(test, "Event?",
                "{\"anyOf\":[{\"$ref\":\"#/components/schemas/Event\"},{\"type\":\"null\"}]}");
    check_shape(
        test, "[{a: [integer]}]?",
        "{\"type\":[\"array\",\"null\"],\"items\":{\"type\":\"object\",\"properties\":{\"a\":{"
        "\"type\":\"array\",\"items\":{\"type\":\"integer\"}}},\"required\":[\"a\"]}}");
    check_shape(test, "{}", "{\"type\":\"object\",\"properties\":{}}");
    check_shape(test, "{a: text 'the first', b?: {c: boolean}, *: decimal 'by name'}",
                "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"string\",\"description\":"
                "\"the first\"},\"b\":{\"type\":\"object\",\"properties\":{\"c\":{\"type\":"
                "\"boolean\"}},\"required\":[\"c\"]}},\"required\":[\"a\"],"
                "\"additionalProperties\":{\"type\":\"string\",\"pattern\":"
                "\"^-?[0-9]+(\\\\.[0-9]+)?$\",\"description\":\"by name\"}}");
    check_shape(
        test, "{a?: integer?, b: time}",
        "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":[\"integer\",\"null\"]},\"b\":{"
        "\"type\":\"string\",\"format\":\"date-time\"}},\"required\":[\"b\"]}");
}

SOUK_TEST("what is no shape is refused, with the column and what was expected")
{
    static const struct {
        const char *shape, *words;
    } cases[] = {
        {"", "column 1 of '': a word, '{' or '[' was expected"},
        {"float", "column 6 of 'float': this word is none of shape.h"},
        {"{a text}", "column 4 of '{a text}': ':' was expected behind the name"},
        {"{a: text", "column 9 of '{a: text': ',' or '}' was expected"},
        {"{a: text 'no end}", "column 18 of '{a: text 'no end}': the words have no end"},
        {"[text", "column 6 of '[text': ']' was expected"},
        {"text text", "column 6 of 'text text': nothing more was expected"},
        {"integer(1)", "column 10 of 'integer(1)': '..' was expected between the limits"},
        {"a|", "column 3 of 'a|': a word was expected behind '|'"},
        {"[[[[[[[[[[[[[text]]]]]]]]]]]]]",
         "column 13 of '[[[[[[[[[[[[[text]]]]]]]]]]]]]': it is too deep"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        souk_auto_value(souk_buf) text = {.mem = test->mem};
        souk_json_writer out = {.out = &text};
        souk_diag diag = {.words = ""};
        SOUK_CHECK_ERR(souk_shape_schema(souk_text_of(cases[i].shape), &out, &diag), SOUK_ESYNTAX);
        SOUK_CHECK_TEXT(souk_text_of(diag.words), cases[i].words);
    }
}
