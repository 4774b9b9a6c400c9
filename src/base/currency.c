/* currency.c - the table of currency.h. */
#include "base/currency.h"

/* clang-format off */
static const char codes[][4] = {
    "AED", "AFN", "ALL", "AMD", "ANG", "AOA", "ARS", "AUD", "AWG", "AZN", "BAM", "BBD", "BDT",
    "BGN", "BHD", "BIF", "BMD", "BND", "BOB", "BOV", "BRL", "BSD", "BTN", "BWP", "BYN", "BYR",
    "BZD", "CAD", "CDF", "CHE", "CHF", "CHW", "CLF", "CLP", "CNY", "COP", "COU", "CRC", "CUC",
    "CUP", "CVE", "CZK", "DJF", "DKK", "DOP", "DZD", "EEK", "EGP", "ERN", "ETB", "EUR", "FJD",
    "FKP", "GBP", "GEL", "GHS", "GIP", "GMD", "GNF", "GTQ", "GYD", "HKD", "HNL", "HRK", "HTG",
    "HUF", "IDR", "ILS", "INR", "IQD", "IRR", "ISK", "JMD", "JOD", "JPY", "KES", "KGS", "KHR",
    "KMF", "KPW", "KRW", "KWD", "KYD", "KZT", "LAK", "LBP", "LKR", "LRD", "LSL", "LTL", "LVL",
    "LYD", "MAD", "MDL", "MGA", "MKD", "MMK", "MNT", "MOP", "MRO", "MRU", "MUR", "MVR", "MWK",
    "MXN", "MXV", "MYR", "MZN", "NAD", "NGN", "NIO", "NOK", "NPR", "NZD", "OMR", "PAB", "PEN",
    "PGK", "PHP", "PKR", "PLN", "PYG", "QAR", "ROL", "RON", "RSD", "RUB", "RWF", "SAR", "SBD",
    "SCR", "SDG", "SEK", "SGD", "SHP", "SKK", "SLE", "SLL", "SOS", "SRD", "SSP", "STD", "STN",
    "SVC", "SYP", "SZL", "THB", "TJS", "TMT", "TND", "TOP", "TRL", "TRY", "TTD", "TWD", "TZS",
    "UAH", "UGX", "USD", "USN", "UYI", "UYU", "UYW", "UZS", "VED", "VEF", "VES", "VND", "VUV",
    "WST", "XAD", "XAF", "XAG", "XAU", "XBA", "XBB", "XBC", "XBD", "XCD", "XCG", "XDR", "XOF",
    "XPD", "XPF", "XPT", "XSU", "XTS", "XUA", "XXX", "YER", "ZAR", "ZMK", "ZMW", "ZWG", "ZWL",
};
/* The numbers of the same list, in the same order; 532 is that of XCG and was that of ANG. */
static const uint16_t numbers[] = {
    784, 971, 8, 51, 532, 973, 32, 36, 533, 944, 977, 52, 50, 975, 48, 108,
    60, 96, 68, 984, 986, 44, 64, 72, 933, 974, 84, 124, 976, 947, 756, 948,
    990, 152, 156, 170, 970, 188, 931, 192, 132, 203, 262, 208, 214, 12, 233, 818,
    232, 230, 978, 242, 238, 826, 981, 936, 292, 270, 324, 320, 328, 344, 340, 191,
    332, 348, 360, 376, 356, 368, 364, 352, 388, 400, 392, 404, 417, 116, 174, 408,
    410, 414, 136, 398, 418, 422, 144, 430, 426, 440, 428, 434, 504, 498, 969, 807,
    104, 496, 446, 478, 929, 480, 462, 454, 484, 979, 458, 943, 516, 566, 558, 578,
    524, 554, 512, 590, 604, 598, 608, 586, 985, 600, 634, 642, 946, 941, 643, 646,
    682, 90, 690, 938, 752, 702, 654, 703, 925, 694, 706, 968, 728, 678, 930, 222,
    760, 748, 764, 972, 934, 788, 776, 792, 949, 780, 901, 834, 980, 800, 840, 997,
    940, 858, 927, 860, 926, 937, 928, 704, 548, 882, 396, 950, 961, 959, 955, 956,
    957, 958, 951, 532, 960, 952, 964, 953, 962, 994, 963, 965, 999, 886, 710, 894,
    967, 924, 932,
};
/* clang-format on */

static const size_t CODES = sizeof codes / sizeof *codes;
_Static_assert(sizeof codes / sizeof *codes <= SOUK_CURRENCIES_MOST,
               "the totals hold one place more than there are codes");

_Static_assert(sizeof codes / sizeof *codes == sizeof numbers / sizeof *numbers,
               "each code has its number");

souk_err souk_currency_read(souk_text told, char ret_code[4])
{
    char code[4] = "";
    if (told.bytes != 3)
        return SOUK_EINVAL;
    for (size_t i = 0; i < 3; i++) {
        code[i] = told.at[i];
        if (code[i] >= 'a' && code[i] <= 'z')
            code[i] = (char)(code[i] - 'a' + 'A');
        if (code[i] < 'A' || code[i] > 'Z')
            return SOUK_EINVAL;
    }
    size_t from = 0, end = CODES;
    while (from < end) {
        size_t middle = from + (end - from) / 2;
        int order = memcmp(code, codes[middle], sizeof code);
        if (order == 0) {
            memcpy(ret_code, code, sizeof code);
            return SOUK_OK;
        }
        from = order > 0 ? middle + 1 : from;
        end = order > 0 ? end : middle;
    }
    return SOUK_ENOENT;
}

const char *souk_currency_at(size_t n)
{
    return n < CODES ? codes[n] : NULL;
}

/* From the end: where a number was given anew, the younger code is the later one. */
souk_err souk_currency_of_number(souk_text digits, char ret_code[4])
{
    uint64_t number;
    if (digits.bytes != 3 || souk_text_to_u64(digits, &number) != SOUK_OK)
        return SOUK_EINVAL;
    for (size_t i = CODES; i-- > 0;) {
        if (numbers[i] == number) {
            memcpy(ret_code, codes[i], sizeof codes[i]);
            return SOUK_OK;
        }
    }
    return SOUK_ENOENT;
}

unsigned souk_currency_exponent(const char code[4])
{
    /* ISO 4217 list one: all that are not 2 */
    static const char *const places[] = {"0BIF", "0CLP", "0DJF", "0GNF", "0ISK", "0JPY", "0KMF",
                                         "0KRW", "0PYG", "0RWF", "0UGX", "0UYI", "0VND", "0VUV",
                                         "0XAF", "0XOF", "0XPF", "3BHD", "3IQD", "3JOD", "3KWD",
                                         "3LYD", "3OMR", "3TND", "4CLF", "4UYW"};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        if (!memcmp(places[i] + 1, code, 3))
            return (unsigned)(places[i][0] - '0');
    return 2;
}

size_t souk_money_write(int64_t minor, unsigned exponent, char out[SOUK_MONEY_BYTES])
{
    char text[SOUK_MONEY_BYTES], *end = text + sizeof text, *at = end;
    uint64_t rest = minor < 0 ? 0 - (uint64_t)minor : (uint64_t)minor;
    *--at = '\0';
    for (unsigned digit = 0; digit <= exponent || rest; digit++) {
        if (digit == exponent && exponent)
            *--at = '.';
        *--at = (char)('0' + rest % 10);
        rest /= 10;
    }
    if (minor < 0)
        *--at = '-';
    memcpy(out, at, (size_t)(end - at));
    return (size_t)(end - at) - 1;
}
