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
/* clang-format on */

static const size_t CODES = sizeof codes / sizeof *codes;
_Static_assert(sizeof codes / sizeof *codes <= SOUK_CURRENCIES_MOST,
               "the totals hold one place more than there are codes");

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
