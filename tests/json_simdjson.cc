// json_simdjson.cc - our JSON reader and simdjson's DOM must agree on every text and every value.
//
//     tools/json-peers test [ROUNDS] [SEED]
//
// Each round makes a random document, then changes it byte by byte; after every change both readers
// must accept or refuse alike and, where they accept, tell the same values in the same order.
// Every kernel of this machine is asked.
//
// Known differences, which are counted and not held against either:
//   integers outside [-2^63, 2^64) and decimals beyond a double, such as 1e400: RFC 8259 allows
//   them and we keep them as text; simdjson must give them a value and refuses.
// Lone surrogates are no difference for high ones; see `lone_low` for those that are.
#include "json_souk.h"

#include <simdjson.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <string>

using simdjson::dom::element;
using simdjson::dom::element_type;

static std::mt19937_64 source;

static size_t below(size_t limit) { return source() % limit; }

static void tell_text(std::string &out, char mark, std::string_view text)
{
    out += mark + std::to_string(text.size()) + ":";
    out += text;
    out += '\n';
}

static void tell(std::string &out, element value)
{
    char bits[32];
    double number;
    uint64_t raw;
    switch (value.type()) {
    case element_type::NULL_VALUE:
        out += "n\n";
        break;
    case element_type::BOOL:
        out += value.get_bool().value_unsafe() ? "t\n" : "f\n";
        break;
    case element_type::INT64:
        out += "i" + std::to_string(value.get_int64().value_unsafe()) + "\n";
        break;
    case element_type::UINT64:
        out += "i" + std::to_string(value.get_uint64().value_unsafe()) + "\n";
        break;
    case element_type::DOUBLE:
        number = value.get_double().value_unsafe();
        memcpy(&raw, &number, sizeof raw);
        snprintf(bits, sizeof bits, "d%016llx\n", (unsigned long long)raw);
        out += bits;
        break;
    case element_type::STRING:
        tell_text(out, 's', value.get_string().value_unsafe());
        break;
    case element_type::ARRAY: {
        simdjson::dom::array array = value.get_array().value_unsafe();
        out += "[" + std::to_string(array.size()) + "\n";
        for (element child : array)
            tell(out, child);
        break;
    }
    case element_type::OBJECT: {
        simdjson::dom::object object = value.get_object().value_unsafe();
        out += "{" + std::to_string(object.size()) + "\n";
        for (auto member : object) {
            tell_text(out, 'k', member.key);
            tell(out, member.value);
        }
        break;
    }
    }
}

static void make_white(std::string &out)
{
    while (below(8) == 0)
        out += " \t\r\n"[below(4)];
}

static void make_string(std::string &out)
{
    static const char *const pieces[] = {"a",
                                         "key",
                                         "\\\"",
                                         "\\\\",
                                         "\\/",
                                         "\\b\\f\\n\\r\\t",
                                         "\\u0041",
                                         "\\u00e9",
                                         "\\u0000",
                                         "\\ud83d\\ude00",
                                         "\xC3\xA9",
                                         "\xE8\x89\xAF\xE5\x93\x81",
                                         "\xF0\x9F\x98\x80",
                                         "{}[]:,",
                                         " ",
                                         "0123456789abcdefghijklmnopqrstuvwxyz",
                                         "\\uD7FF",
                                         "\\uFFFF",
                                         "\xED\x9F\xBF",
                                         "\x7F"};
    out += '"';
    for (size_t i = below(6); i > 0; i--)
        out += pieces[below(sizeof pieces / sizeof *pieces)];
    out += '"';
}

static void make_number(std::string &out)
{
    static const char *const numbers[] = {"0",
                                          "-0",
                                          "-0.0",
                                          "1",
                                          "-1",
                                          "12.50",
                                          "1e9",
                                          "1E-7",
                                          "0.1",
                                          "123456789012345678",
                                          "9223372036854775807",
                                          "-9223372036854775808",
                                          "9223372036854775808",
                                          "18446744073709551615",
                                          "18446744073709551616",
                                          "-9223372036854775809",
                                          "1e400",
                                          "1e-400",
                                          "2.2250738585072014e-308",
                                          "1.7976931348623157e308",
                                          "3.14159265358979323846",
                                          "1e0"};
    if (below(2))
        out += numbers[below(sizeof numbers / sizeof *numbers)];
    else
        out += std::to_string((long long)source() >> below(64));
}

static void make_value(std::string &out, unsigned depth)
{
    make_white(out);
    switch (below(depth ? 9 : 5)) {
    case 0:
        out += below(2) ? "true" : "false";
        break;
    case 1:
        out += "null";
        break;
    case 2:
        make_number(out);
        break;
    case 3:
    case 4:
        make_string(out);
        break;
    default: {
        bool object = below(2);
        out += object ? '{' : '[';
        make_white(out);
        for (size_t count = below(6), i = 0; i < count; i++) {
            if (i)
                out += ',';
            make_white(out);
            if (object) {
                make_string(out);
                make_white(out);
                out += ':';
            }
            make_value(out, depth - 1);
        }
        out += object ? '}' : ']';
    }
    }
    make_white(out);
}

static void mutate(std::string &text)
{
    static const char bytes[] = "{}[]:,\"\\ \n\0ue01-.EtfnDd8\x01\x80\xBF\xC3\xED\xA0\xF0\xFF";
    static const std::string likely(bytes, sizeof bytes - 1);
    if (text.empty())
        return;
    size_t at = below(text.size());
    switch (below(6)) {
    case 0:
        text[at] = likely[below(likely.size())];
        break;
    case 1:
        text.erase(at, 1);
        break;
    case 2:
        text.insert(at, 1, likely[below(likely.size())]);
        break;
    case 3:
        text.insert(at, text.substr(below(text.size()), below(12)));
        break;
    case 4:
        text.insert(at, below(2) ? "\\ud83d" : "\\uDe00");
        break;
    default:
        text[at] = (char)below(256);
    }
}

// An escape of a low surrogate without a high one in front; simdjson 3.0 writes it out as three
// bytes that are not UTF-8, we refuse it.
static bool lone_low(const std::string &text)
{
    bool high = false;
    for (size_t i = 0; i + 1 < text.size(); i++) {
        if (text[i] != '\\') {
            high = false;
            continue;
        }
        bool surrogate = text[i + 1] == 'u' && i + 5 < text.size() &&
                         (text[i + 2] == 'd' || text[i + 2] == 'D') &&
                         strchr("89abABcdefCDEF", text[i + 3]);
        bool low = surrogate && strchr("cdefCDEF", text[i + 3]);
        if (low && !high)
            return true;
        high = surrogate && !low;
        i += text[i + 1] == 'u' ? 5 : 1;
    }
    return false;
}

static unsigned long accepted, refused, huge_numbers, lone_surrogates;

static bool compare(simdjson::dom::parser &parser, const std::string &text)
{
    element root;
    auto error = parser.parse(text.data(), text.size()).get(root);
    std::string theirs;
    if (!error)
        tell(theirs, root);
    for (int kernel = 0; json_souk_kernel(kernel); kernel++) {
        // A copy without a byte behind it: the sanitizer sees a read too far.
        char *copy = (char *)malloc(text.size() ? text.size() : 1);
        memcpy(copy, text.data(), text.size());
        size_t bytes = 0;
        int huge = 0;
        const char *ours = json_souk_tell(copy, text.size(), &bytes, &huge);
        free(copy);
        if (!ours && error)
            refused++;
        else if (ours && !error && std::string_view(ours, bytes) == theirs)
            accepted++;
        else if (ours && error && huge)
            huge_numbers++;
        else if (!ours && !error && lone_low(text))
            lone_surrogates++;
        else {
            printf("kernel %d: we %s, simdjson says %s: %s\n", kernel,
                   ours ? "read it" : "refuse it", simdjson::error_message(error), text.c_str());
            return false;
        }
    }
    return true;
}

int main(int count, char **arguments)
{
    unsigned long rounds = count > 1 ? strtoul(arguments[1], nullptr, 10) : 20000;
    source.seed(count > 2 ? strtoul(arguments[2], nullptr, 10) : 1);
    simdjson::dom::parser parser;
    for (unsigned long round = 0; round < rounds; round++) {
        std::string text;
        make_value(text, 1 + (unsigned)(round % 6));
        if (round % 64 == 0) { // longer than a step of the scan
            while (text.size() < 10000) {
                text += ',';
                make_value(text, 4);
            }
            text = "[" + text + "]";
        }
        if (!compare(parser, text))
            return 1;
        for (int change = 0; change < 8; change++) {
            mutate(text);
            if (!compare(parser, text))
                return 1;
        }
    }
    printf("%lu read alike, %lu refused alike, %lu with numbers only we keep, "
           "%lu with lone low surrogates only simdjson reads\n",
           accepted, refused, huge_numbers, lone_surrogates);
    // The comparison must have been one.
    return accepted > rounds && refused > rounds ? 0 : 1;
}
