/* json_cases.h - texts that are JSON and texts that are not, for the tests of the reader.
 *
 * YES and NO follow from RFC 8259; where it leaves the choice to the reader, MAY and MAY_NOT tell ours.
 * All are read with the default limits. */
#ifndef SOUK_BASE_JSON_CASES_H
#define SOUK_BASE_JSON_CASES_H

#include "base/text.h"

typedef struct json_case {
    souk_text text;
    bool good;
} json_case;

#define JSON_CASE(literal, is_good)             \
    {                                           \
        {literal, sizeof(literal) - 1}, is_good \
    }
#define YES(literal)     JSON_CASE(literal, true)
#define NO(literal)      JSON_CASE(literal, false)
#define MAY(literal)     JSON_CASE(literal, true)
#define MAY_NOT(literal) JSON_CASE(literal, false)

/* clang-format off */
static const json_case json_cases[] = {
    /* whole texts */
    YES("null"), YES("true"), YES("false"), YES("0"), YES("-1"), YES("\"\""), YES("[]"), YES("{}"),
    YES(" [] "), YES("\t[\r\n]\n"), YES(" 1 "), YES("\"a\"\n"), YES("{ }"), YES("[\n\n\n]"),
    NO(""), NO(" "), NO("\n\t"), NO("\0"), NO("[]\0"), NO("null\0"), NO("1 2"), NO("[][]"),
    NO("[] x"), NO("{}{}"), NO("null null"), NO("\"a\" \"b\""), NO("truefalse"), NO("[]]"),
    NO("{}}"), NO("1]"), NO("]"), NO("}"), NO(","), NO(":"), NO("\xEF\xBB\xBF[]"), NO("\xEF\xBB\xBF"),
    NO("\xFE\xFF"), NO("[\0"), NO("\xA0"), NO("[]\xC2\xA0"), NO("\x0C[]"), NO("[\x0B]"), NO("\x1A"),
    NO("//x\n[]"), NO("[]/**/"), NO("[]#"), NO("<null>"), NO("\xE2\x81\xA0[]"), NO("[1\x0C,2]"),
    NO("[1\x0C" "2]"), NO("{\"a\"\x1A 1}"), NO("\x7F"),
    /* words */
    YES("[true,false,null]"), YES("[ true , false , null ]"), YES("{\"a\":null}"),
    NO("nul"), NO("nulll"), NO("n"), NO("t"), NO("tru"), NO("f"), NO("fals"), NO("True"), NO("NULL"),
    NO("truE"), NO("[nul]"), NO("[tru]"), NO("[fals]"), NO("[t]"), NO("[f]"), NO("[n]"),
    NO("[truex]"), NO("[true\"a\"]"), NO("[true[]]"), NO("undefined"), NO("[true true]"),
    NO("nan"), NO("[Infinity]"), NO("[-Infinity]"), NO("[NaN]"), NO("[true\0]"), NO("\\ntrue"),
    /* numbers */
    YES("[0]"), YES("[-0]"), YES("[1]"), YES("[10]"), YES("[1234567890123456789012345678901]"),
    YES("[0.5]"), YES("[-0.5]"), YES("[0e1]"), YES("[0E+1]"), YES("[1e-2]"), YES("[1.5e10]"),
    YES("[1E00]"), YES("[123.456e78]"), YES("[-0.0]"), YES("-0"), YES("[0.00000000000000000001]"),
    YES("[1 ]"), YES("[1\n]"), YES("[1,2 ,3]"), YES("{\"a\":1}"), YES("{\"a\":-1.0E-1 }"),
    MAY("[1e400]"), MAY("[-1e400]"), MAY("[1e-400]"), MAY("[18446744073709551616]"), MAY("1e9999999"),
    NO("[01]"), NO("[-01]"), NO("[00]"), NO("[+1]"), NO("[1.]"), NO("[.5]"), NO("[-]"), NO("[-.5]"),
    NO("[1.e1]"), NO("[1e]"), NO("[1e+]"), NO("[1E-]"), NO("[1e1.5]"), NO("[1ee1]"), NO("[--1]"),
    NO("[1-2]"), NO("[0x1]"), NO("[1a]"), NO("[1 000]"), NO("[1_0]"), NO("-"), NO("1."), NO("1e"),
    NO("01"), NO("-01"), NO("+1"), NO(".5"), NO("[1\0]"), NO("[\xEF\xBC\x91]"), NO("[1\"a\"]"),
    NO("[1{}]"), NO("[1:2]"), NO("[1\x01]"), NO("[-a]"), NO("[1+2]"), NO("[0.1.2]"), NO("[2.e3]"),
    NO("[- 1]"), NO("[1e 1]"), NO("[9.3e+]"), NO("[1e\xE5]"), NO("[0\xE5]"),
    /* strings */
    YES("[\"\"]"), YES("[\"a\"]"), YES("[\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"]"), YES("[\"\\u0000\"]"),
    YES("[\"\\u00e9\\u00E9\"]"), YES("[\"\\uD834\\uDD1E\"]"), YES("[\"\\ud834\\udd1e\"]"),
    YES("[\"\\uDBFF\\uDFFF\"]"), YES("[\"\\uD7FF\\uE000\\uFFFF\"]"), YES("[\"\x7F\"]"),
    YES("[\"\xC2\x80\"]"), YES("[\"\xDF\xBF\"]"), YES("[\"\xE0\xA0\x80\"]"), YES("[\"\xED\x9F\xBF\"]"),
    YES("[\"\xEE\x80\x80\xEF\xBF\xBF\"]"), YES("[\"\xF0\x90\x80\x80\"]"), YES("[\"\xF4\x8F\xBF\xBF\"]"),
    YES("[\"\xE8\x89\xAF\xE5\x93\x81\xE9\x93\xBA\xE5\xAD\x90\"]"), YES("[\"\xE2\x80\xA8\"]"),
    YES("[\"{}[]:,\"]"), YES("[\"a,b\",\":\"]"), YES("[\"\\\\\"]"), YES("[\"\\\\\\\"\"]"),
    YES("[\"\\\\u0\"]"), YES("[\"//\"]"), YES("[\"/**/\"]"), YES("[\"\xF0\x9F\x98\x80\"]"),
    YES("[\"\\\\\\\\\\\\\\\\\"]"), YES("[\"\\uD800\\uDC00\\uD800\\uDC00\"]"), YES("\"\\u0022\""),
    MAY_NOT("[\"\\uD800\"]"), MAY_NOT("[\"\\uDC00\"]"), MAY_NOT("[\"\\uD800\\uD800\"]"),
    MAY_NOT("[\"\\uDC00\\uD800\"]"), MAY_NOT("[\"\\uD800a\"]"), MAY_NOT("[\"\\uD800\\n\"]"),
    MAY_NOT("[\"\\uD800\\u0041\"]"), MAY_NOT("[\"\\uD800\\uDC00\\uDC00\"]"),
    MAY_NOT("[\"\\\\uD800\\uDC00\"]"), MAY_NOT("[\"\\uD800 \\uDC00\"]"), MAY_NOT("\"\\uDC00\""),
    MAY_NOT("[\"\\uD800\",\"\\uDC00\"]"), MAY_NOT("[\"\\uD800\\\\uDC00\"]"),
    NO("[\""), NO("\""), NO("[\"a]"), NO("[\"a"), NO("[a\"]"), NO("['a']"), NO("[\"\\\"]"),
    NO("[\"\\x41\"]"), NO("[\"\\a\"]"), NO("[\"\\0\"]"), NO("[\"\\'\"]"), NO("[\"\\U0041\"]"),
    NO("[\"\\u\"]"), NO("[\"\\u1\"]"), NO("[\"\\u12\"]"), NO("[\"\\u123\"]"), NO("[\"\\u123g\"]"),
    NO("[\"\\u 123\"]"), NO("[\"\\uD834\\uDd\"]"), NO("[\"\\uD834\\u\"]"), NO("[\"\\uD834\\\"]"),
    NO("[\"\\\n\"]"), NO("[\"\n\"]"), NO("[\"\t\"]"), NO("[\"\0\"]"), NO("[\"\x1F\"]"),
    NO("[\"\\\0\"]"), NO("[\"\\u-123\"]"), NO("[\"\\\xC3\xA9\"]"), NO("[\"\\u\xC3\xA9" "00\"]"),
    NO("\"\\"), NO("\"\\u12"), NO("\"\\uD834\\uDD1"), NO("[\\n]"), NO("[\\u0020\"a\"]"),
    NO("[\"a\"\"b\"]"), NO("[\"a\"b]"), NO("[\"a\" \"b\"]"), NO("[\"a\"1]"), NO("[1\\\"a\"]"),
    /* UTF-8 */
    NO("[\"\x80\"]"), NO("[\"\xBF\"]"), NO("[\"\xC0\x80\"]"), NO("[\"\xC1\xBF\"]"), NO("[\"\xC2\"]"),
    NO("[\"\xC2\xC2\x80\"]"), NO("[\"\xC2\x80\x80\"]"), NO("[\"\xE0\x80\x80\"]"), NO("[\"\xE0\x9F\xBF\"]"),
    NO("[\"\xE0\xA0\"]"), NO("[\"\xE1\x80\"]"), NO("[\"\xED\xA0\x80\"]"), NO("[\"\xED\xBF\xBF\"]"),
    NO("[\"\xE1\x80\x80\x80\"]"), NO("[\"\xF0\x80\x80\x80\"]"), NO("[\"\xF0\x8F\xBF\xBF\"]"),
    NO("[\"\xF0\x90\x80\"]"), NO("[\"\xF4\x90\x80\x80\"]"), NO("[\"\xF5\x80\x80\x80\"]"),
    NO("[\"\xF8\x88\x80\x80\x80\"]"), NO("[\"\xFE\"]"), NO("[\"\xFF\"]"), NO("[\"\xF0\x90\x80\x80\x80\"]"),
    NO("[\"\xE9\"]"), NO("[\"a\xC3\"]"), NO("\"\xC3"), NO("\"\xE4\xB8"), NO("\"\xF0\x9F\x98"),
    NO("[\"\xE4\",\"\xB8\xAD\"]"), NO("[\xC3\xA9]"), NO("[\xFF]"), NO("{\"\xFF\":1}"), NO("[\"\xF1\x80\x80\"]"),
    /* arrays */
    YES("[1]"), YES("[[]]"), YES("[[],[]]"), YES("[[[[[]]]]]"), YES("[1,[2],{\"a\":3}]"), YES("[{},{}]"),
    YES("[\"\",\"\"]"), YES("[[\"a\"],\"b\"]"), YES("[\"a\", \"b\" ]"), YES("[1,null,\"x\"]"),
    NO("["), NO("[1"), NO("[1,"), NO("[,"), NO("[,1]"), NO("[1,]"), NO("[1,,2]"), NO("[,]"), NO("[1 2]"),
    NO("[1}"), NO("{1]"), NO("[}"), NO("[[]"), NO("[[1]"), NO("[1,[2]"), NO("[[],"), NO("[\"a\":1]"),
    NO("[1;2]"), NO("[\"a\","), NO("[1,\n"), NO("[[]x]"), NO("[:]"), NO("[\"a\":\"b\",1]"), NO("[{}"),
    NO("[\"a\",\"b\":"), NO("[[[[[[[["), NO("[*]"), NO("[...]"), NO("[1],"),
    /* objects */
    YES("{\"a\":1,\"b\":2}"), YES("{\"\":0}"), YES("{\"a\":{\"b\":{\"c\":[]}}}"), YES("{\"a\":[],\"b\":{}}"),
    YES("{\"a\":\"b\"}"), YES("{\"a\":\"b\",\"c\":\"d\"}"), YES("{\"a\":\"b\",\"c\":\"d\",\"e\":1}"),
    YES("{ \"a\" : \"b\" , \"c\" : [ ] }"), YES("{\"\\u0061\":1}"), YES("{\"a\\u0000b\":1}"),
    MAY("{\"a\":1,\"a\":2}"), MAY("{\"a\":1,\"a\":1}"), MAY("{\"a\":1,\"\\u0061\":2}"),
    NO("{"), NO("{\"a\""), NO("{\"a\":"), NO("{\"a\":1"), NO("{\"a\":1,"), NO("{,}"), NO("{\"a\"}"),
    NO("{\"a\":}"), NO("{:1}"), NO("{\"a\" 1}"), NO("{\"a\",1}"), NO("{a:1}"), NO("{1:1}"), NO("{null:1}"),
    NO("{'a':1}"), NO("{\"a\":1,}"), NO("{\"a\":\"b\",}"), NO("{\"a\":1,,\"b\":2}"), NO("{\"a\"::1}"),
    NO("{\"a\":1:2}"), NO("{\"a\":1 \"b\":2}"), NO("{\"a\":1]"), NO("{\"a\":\"b\""), NO("{\"a\":\"b\","),
    NO("{\"a\":\"b\",\"c\"}"), NO("{\"a\":\"b\",\"c\":}"), NO("{\"a\":\"b\" \"c\":\"d\"}"), NO("{[]:1}"),
    NO("{\"a\":\"b\":\"c\"}"), NO("{\"a\":\"b\",1}"), NO("{\"a\":\"b\"]"), NO("{{}:1}"), NO("{\"a\":1}x"),
    NO("{\"a\":[}"), NO("{\"a\":{}"), NO("{\"a\":{]}"), NO("{\"a\":1,\"b\"}"), NO("{\"a"), NO("{\"a:1}"),
    NO("{\"a\":\"b}"), NO("{\"a\":\"b\",\"c\":\"d\",}"), NO("{\"a\":\"b\",\"c\":\"d\""), NO("{\"\\uZ\":1}"),
    NO("{\"a\":/*x*/1}"), NO("{\"a\":1//x\n}"), NO("{\"a\"=1}"), NO("{\"a\":1;\"b\":2}"),
    /* depth: 32 is read, 33 is not */
    YES("[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]"),
    MAY_NOT("[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]"),
};
/* clang-format on */
enum { JSON_CASE_COUNT = sizeof json_cases / sizeof json_cases[0] };

#undef YES
#undef NO
#undef MAY
#undef MAY_NOT

#endif
