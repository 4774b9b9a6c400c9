/* http_bytes.c - the classes of bytes of http_bytes.h, and what is made of them. */
#include "serve/http_bytes.h"

#define PATH (HTTP_IN_PATH | HTTP_IN_QUERY)
#define ALL  (HTTP_IN_TOKEN | PATH)
#define NAME (ALL | HTTP_IN_HOST)
#define HEX  (NAME | HTTP_IN_HEX)
/* clang-format off */
const unsigned char http_byte_class[256] = {
    ['!'] = ALL, ['#'] = HTTP_IN_TOKEN, ['$'] = ALL, ['%'] = ALL, ['&'] = ALL, ['\''] = ALL,
    ['('] = PATH, [')'] = PATH, ['*'] = ALL, ['+'] = ALL, [','] = PATH, ['-'] = NAME, ['.'] = NAME,
    ['/'] = PATH, [':'] = PATH, [';'] = PATH, ['='] = PATH, ['?'] = HTTP_IN_QUERY, ['@'] = PATH,
    ['['] = PATH, ['\\'] = HTTP_IN_QUERY, [']'] = PATH, ['^'] = ALL, ['_'] = NAME,
    ['`'] = HTTP_IN_TOKEN | HTTP_IN_QUERY, ['{'] = HTTP_IN_QUERY, ['|'] = ALL, ['}'] = HTTP_IN_QUERY, ['~'] = NAME,
    ['0'] = HEX, ['1'] = HEX, ['2'] = HEX, ['3'] = HEX, ['4'] = HEX, ['5'] = HEX, ['6'] = HEX,
    ['7'] = HEX, ['8'] = HEX, ['9'] = HEX, ['A'] = HEX, ['B'] = HEX, ['C'] = HEX, ['D'] = HEX,
    ['E'] = HEX, ['F'] = HEX, ['a'] = HEX, ['b'] = HEX, ['c'] = HEX, ['d'] = HEX, ['e'] = HEX,
    ['f'] = HEX, ['G'] = NAME, ['H'] = NAME, ['I'] = NAME, ['J'] = NAME, ['K'] = NAME, ['L'] = NAME,
    ['M'] = NAME, ['N'] = NAME, ['O'] = NAME, ['P'] = NAME, ['Q'] = NAME, ['R'] = NAME,
    ['S'] = NAME, ['T'] = NAME, ['U'] = NAME, ['V'] = NAME, ['W'] = NAME, ['X'] = NAME,
    ['Y'] = NAME, ['Z'] = NAME, ['g'] = NAME, ['h'] = NAME, ['i'] = NAME, ['j'] = NAME,
    ['k'] = NAME, ['l'] = NAME, ['m'] = NAME, ['n'] = NAME, ['o'] = NAME, ['p'] = NAME,
    ['q'] = NAME, ['r'] = NAME, ['s'] = NAME, ['t'] = NAME, ['u'] = NAME, ['v'] = NAME,
    ['w'] = NAME, ['x'] = NAME, ['y'] = NAME, ['z'] = NAME,
};
/* clang-format on */
#undef PATH
#undef ALL
#undef NAME
#undef HEX

bool http_all_are(souk_text text, unsigned class)
{
    for (size_t i = 0; i < text.bytes; i++)
        if (!http_is(text.at[i], class))
            return false;
    return text.bytes > 0;
}

/* RFC 9110 5.5: visible ASCII, space, tab and bytes above 127.  Eight at a time: a byte below 32
 * borrows into its top bit when 32 is taken off, 127 when it is flipped to zero and 1 is taken off;
 * borrows may also blame a neighbour, so what looks guilty is looked at again singly. */
bool http_value_is_clean(souk_text value)
{
    const uint64_t ones = 0x0101010101010101u, tops = 0x8080808080808080u;
    size_t i = 0;
    for (; i + 8 <= value.bytes; i += 8) {
        uint64_t v = souk_get_u64(value.at + i), del = v ^ (ones * 127);
        uint64_t guilty = (((v - ones * 32) & ~v) | ((del - ones) & ~del)) & tops;
        for (size_t j = i; guilty && j < i + 8; j++) {
            unsigned char c = (unsigned char)value.at[j];
            if ((c < 32 && c != '\t') || c == 127)
                return false;
        }
    }
    for (; i < value.bytes; i++) {
        unsigned char c = (unsigned char)value.at[i];
        if ((c < 32 && c != '\t') || c == 127)
            return false;
    }
    return true;
}

bool http_host_is_good(souk_text host)
{
    souk_text name = host, port = {NULL, 0};
    if (host.bytes && host.at[0] == '[') {
        const char *close = memchr(host.at, ']', host.bytes);
        if (!close)
            return false;
        name = souk_text_range(host.at + 1, close);
        for (size_t i = 0; i < name.bytes; i++)
            if (!http_is(name.at[i], HTTP_IN_HEX) && name.at[i] != ':' && name.at[i] != '.')
                return false;
        port = souk_text_range(close + 1, host.at + host.bytes);
        if (port.bytes && port.at[0] != ':')
            return false;
        if (port.bytes)
            port = souk_text_range(port.at + 1, host.at + host.bytes);
    } else {
        port = host;
        name = souk_text_cut(&port, ':');
        if (!http_all_are(name, HTTP_IN_HOST))
            return false;
    }
    for (size_t i = 0; i < port.bytes; i++)
        if (port.at[i] < '0' || port.at[i] > '9')
            return false;
    return name.bytes > 0 && port.bytes <= 5;
}

bool http_escapes_are_good(souk_text text)
{
    for (size_t i = 0; i < text.bytes; i++)
        if (text.at[i] == '%' && (text.bytes - i < 3 || !http_is(text.at[i + 1], HTTP_IN_HEX) ||
                                  !http_is(text.at[i + 2], HTTP_IN_HEX)))
            return false;
    return true;
}
