/* decimal_test.c - decimal.h against arithmetic on paper: digits in an array, one place at a time.
 */
#include "base/decimal.h"
#include "test/test.h"

#include <stdio.h>
#include <stdlib.h>

__extension__ typedef __int128 wide;

static souk_decimal dec(const char *text)
{
    souk_decimal decimal = {-1};
    bool rounded = true;
    if (souk_decimal_read(souk_text_of(text), &decimal, &rounded) || rounded)
        return (souk_decimal){INT64_MIN + 1};
    return decimal;
}

SOUK_TEST("decimals read and write as people write them")
{
    static const struct {
        const char *in, *out;
        int64_t micro;
    } rows[] = {
        {"0", "0", 0},
        {"-0", "0", 0},
        {"-0.0e-7", "0", 0},
        {"12", "12", 12000000},
        {"-0.5", "-0.5", -500000},
        {"9747747.934", "9747747.934", 9747747934000},
        {"1e3", "1000", 1000000000},
        {"1E+2", "100", 100000000},
        {"12.5e-1", "1.25", 1250000},
        {"0.000001", "0.000001", 1},
        {"1e-6", "0.000001", 1},
        {"0e99999999999999999999999999", "0", 0},
        {"0.00000000000000000000000001e26", "1", 1000000},
        {"100000000000000000000000e-23", "1", 1000000},
        {"9223372036854.775807", "9223372036854.775807", INT64_MAX},
        {"-9223372036854.775808", "-9223372036854.775808", INT64_MIN},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        souk_decimal decimal;
        bool rounded;
        char text[SOUK_DECIMAL_BYTES];
        SOUK_MUST(souk_decimal_read(souk_text_of(rows[i].in), &decimal, &rounded));
        SOUK_CHECK(decimal.micro == rows[i].micro && !rounded);
        SOUK_CHECK(souk_decimal_write(decimal, text) == strlen(rows[i].out));
        SOUK_CHECK_TEXT(souk_text_of(text), rows[i].out);
    }
}

SOUK_TEST("a number that JSON does not know is refused")
{
    static const char *const rows[] = {
        "",   "-",   "+1",  "01",  "-01",  "1.",   ".5",   "-.5", "1e",    "1e+", " 1",
        "1 ", "1,5", "0x1", "NaN", "1..2", "1e5.", "1.e5", "--1", "1e5e5", "00",  "Infinity"};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        souk_decimal decimal = {77};
        bool rounded = true;
        SOUK_CHECK_ERR(souk_decimal_read(souk_text_of(rows[i]), &decimal, &rounded), SOUK_ESYNTAX);
        SOUK_CHECK(decimal.micro == 77 && rounded);
    }
    souk_decimal decimal;
    SOUK_CHECK_ERR(souk_decimal_read((souk_text){"1\0", 2}, &decimal, NULL), SOUK_ESYNTAX);
    SOUK_CHECK_ERR(souk_decimal_read((souk_text){NULL, 0}, &decimal, NULL), SOUK_ESYNTAX);
}

SOUK_TEST("a seventh decimal is rounded half to even and flagged")
{
    static const struct {
        const char *in;
        int64_t micro;
        bool rounded;
    } rows[] = {
        {"0.0000005", 0, true},
        {"0.0000015", 2, true},
        {"0.0000025", 2, true},
        {"-0.0000015", -2, true},
        {"0.00000250000000000000000000000000001", 3, true},
        {"1.00000000000000000000000000000000000", 1000000, false},
        {"4e-7", 0, true},
        {"6e-7", 1, true},
        {"1e-99999999999999999999999", 0, true},
        {"123456789.1234565", 123456789123456, true},
        {"123456789.1234575", 123456789123458, true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        souk_decimal decimal;
        bool rounded;
        SOUK_MUST(souk_decimal_read(souk_text_of(rows[i].in), &decimal, &rounded));
        SOUK_CHECK(decimal.micro == rows[i].micro && rounded == rows[i].rounded);
    }
}

SOUK_TEST("a number that does not fit is told apart from one that does not parse")
{
    static const char *const rows[] = {"9223372036854.775808",  "-9223372036854.775809",
                                       "9223372036854.7758075", "1e13",
                                       "99999999999999999999",  "1e9999999999999999999999",
                                       "18446744073709.551615", "18446744073709551615.5"};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        souk_decimal decimal = {77};
        SOUK_CHECK_ERR(souk_decimal_read(souk_text_of(rows[i]), &decimal, NULL), SOUK_EOVERFLOW);
        SOUK_CHECK(decimal.micro == 77);
    }
    souk_decimal decimal;
    SOUK_MUST(souk_decimal_read(SOUK_TEXT("9223372036854.7758074"), &decimal, NULL));
    SOUK_CHECK(decimal.micro == INT64_MAX);
}

/* The model: places[p] is the digit worth 10^(p - 60).  half_up plants a wrong rounding. */
enum { PLACES = 140, ONES = 60 };
static souk_err on_paper(const char *number, bool half_up, int64_t *ret_micro, bool *ret_rounded)
{
    char places[PLACES] = {0};
    bool negative = *number == '-';
    const char *digits = number + negative, *exponent = strchr(digits, 'e');
    const char *end = exponent ? exponent : digits + strlen(digits);
    const char *point = memchr(digits, '.', (size_t)(end - digits));
    long power = (exponent ? strtol(exponent + 1, NULL, 10) : 0) +
                 (long)((point ? point : end) - digits) - 1;
    for (const char *at = digits; at < end; at++)
        if (*at != '.')
            places[ONES + power--] = (char)(*at - '0');

    wide micro = 0;
    for (int p = PLACES - 1; p >= ONES - 6; p--)
        if (micro < (wide)1 << 80)
            micro = micro * 10 + places[p];
    bool tail = false;
    for (int p = 0; p < ONES - 7; p++)
        tail |= places[p] != 0;
    int next = places[ONES - 7];
    *ret_rounded = next || tail;
    if (next > 5 || (next == 5 && (tail || half_up || micro % 2)))
        micro++;
    if (negative)
        micro = -micro;
    if (micro > INT64_MAX || micro < INT64_MIN)
        return SOUK_EOVERFLOW;
    *ret_micro = (int64_t)micro;
    return SOUK_OK;
}

static void random_number(souk_test *test, char out[64])
{
    size_t n = 0;
    if (test_random(test, 2))
        out[n++] = '-';
    size_t whole = test_random(test, 15), fraction = test_random(test, 12);
    if (whole == 0)
        out[n++] = '0';
    for (size_t i = 0; i < whole; i++)
        out[n++] = (char)('0' + (i ? test_random(test, 10) : 1 + test_random(test, 9)));
    if (fraction)
        out[n++] = '.';
    bool half = test_random(test, 3) == 0; /* "…5" or "…500" right behind the sixth place */
    for (size_t i = 0; i < fraction; i++)
        out[n++] = (char)('0' + (half && i >= 6 ? (i == 6 ? 5 : 0) : test_random(test, 10)));
    out[n] = '\0';
    if (!half && test_random(test, 2))
        snprintf(out + n, 64 - n, "e%d", (int)test_random(test, 41) - 20);
}

static int disagreements(souk_test *test, bool half_up)
{
    int found = 0;
    for (int round = 0; round < 20000; round++) {
        char number[64];
        random_number(test, number);
        int64_t micro = 0;
        bool model_rounded, rounded = false;
        souk_err model = on_paper(number, half_up, &micro, &model_rounded);
        souk_decimal decimal = {0};
        souk_err err = souk_decimal_read(souk_text_of(number), &decimal, &rounded);
        found += err != model || (!err && (decimal.micro != micro || rounded != model_rounded));
        char text[SOUK_DECIMAL_BYTES];
        souk_decimal_write(decimal, text);
        SOUK_CHECK(dec(text).micro == decimal.micro);
    }
    return found;
}

SOUK_TEST("random numbers read as they do on paper, and rounding half up would be noticed")
{
    SOUK_CHECK(disagreements(test, false) == 0);
    SOUK_CHECK(disagreements(test, true) > 0);
}

/* Mostly small, at times at the very ends. */
static int64_t random_i64(souk_test *test)
{
    uint64_t bits = test_random(test, 0) >> test_random(test, 64);
    return test_random(test, 20) ? (int64_t)bits : INT64_MIN + (int64_t)test_random(test, 3);
}

SOUK_TEST("sums and products agree with arithmetic in 128 bits")
{
    for (int round = 0; round < 20000; round++) {
        souk_decimal a = {random_i64(test)}, b = {random_i64(test)}, got = {77};
        wide sums[3] = {(wide)a.micro + b.micro, (wide)a.micro - b.micro, (wide)a.micro * b.micro};
        souk_err errs[3];
        errs[0] = souk_decimal_add(a, b, &got);
        SOUK_CHECK(got.micro == (errs[0] ? 77 : (int64_t)sums[0]));
        got.micro = 77;
        errs[1] = souk_decimal_sub(a, b, &got);
        SOUK_CHECK(got.micro == (errs[1] ? 77 : (int64_t)sums[1]));
        got.micro = 77;
        errs[2] = souk_decimal_mul_int(a, b.micro, &got);
        SOUK_CHECK(got.micro == (errs[2] ? 77 : (int64_t)sums[2]));
        for (int i = 0; i < 3; i++)
            SOUK_CHECK(errs[i] == (sums[i] == (int64_t)sums[i] ? SOUK_OK : SOUK_EOVERFLOW));

        /* Twice the remainder against the divisor says how to round, whatever the sign. */
        bool rounded = false;
        souk_err err = souk_decimal_mul(a, b, &got, &rounded);
        wide size = sums[2] < 0 ? -sums[2] : sums[2], low = size / 1000000, rest = size % 1000000;
        if (rest * 2 > 1000000 || (rest * 2 == 1000000 && low % 2))
            low++;
        low = sums[2] < 0 ? -low : low;
        SOUK_CHECK(err == (low == (int64_t)low ? SOUK_OK : SOUK_EOVERFLOW));
        SOUK_CHECK(err || (got.micro == (int64_t)low && rounded == (rest != 0)));
    }
    SOUK_CHECK(souk_decimal_compare(dec("1.5"), dec("1.4999")) > 0);
    SOUK_CHECK(souk_decimal_compare(dec("-1.5"), dec("1.4")) < 0);
    SOUK_CHECK(souk_decimal_compare(dec("2"), dec("2.0")) == 0);
}

SOUK_TEST("minor units follow the currency's exponent")
{
    souk_decimal decimal;
    SOUK_MUST(souk_decimal_from_minor(1234, 0, &decimal)); /* JPY */
    SOUK_CHECK(decimal.micro == dec("1234").micro);
    SOUK_MUST(souk_decimal_from_minor(-1234, 2, &decimal)); /* GBP */
    SOUK_CHECK(decimal.micro == dec("-12.34").micro);
    SOUK_MUST(souk_decimal_from_minor(1234, 3, &decimal)); /* KWD */
    SOUK_CHECK(decimal.micro == dec("1.234").micro);
    SOUK_CHECK_ERR(souk_decimal_from_minor(1, 7, &decimal), SOUK_EINVAL);
    SOUK_CHECK_ERR(souk_decimal_from_minor(INT64_MAX / 1000, 2, &decimal), SOUK_EOVERFLOW);

    int64_t minor;
    bool rounded;
    SOUK_MUST(souk_decimal_to_minor(dec("0.125"), 2, &minor, &rounded));
    SOUK_CHECK(minor == 12 && rounded);
    SOUK_MUST(souk_decimal_to_minor(dec("-0.135"), 2, &minor, &rounded));
    SOUK_CHECK(minor == -14 && rounded);
    SOUK_MUST(souk_decimal_to_minor(dec("-0.5"), 0, &minor, &rounded));
    SOUK_CHECK(minor == 0 && rounded);
    SOUK_MUST(souk_decimal_to_minor(dec("7.65"), 2, &minor, &rounded));
    SOUK_CHECK(minor == 765 && !rounded);
    SOUK_MUST(souk_decimal_to_minor((souk_decimal){INT64_MIN}, 6, &minor, NULL));
    SOUK_CHECK(minor == INT64_MIN);
    SOUK_CHECK_ERR(souk_decimal_to_minor(dec("1"), 7, &minor, NULL), SOUK_EINVAL);

    for (int round = 0; round < 10000; round++) {
        unsigned exponent = (unsigned)test_random(test, 5);
        int64_t there = (int64_t)test_random(test, 2000000000) - 1000000000, back;
        SOUK_MUST(souk_decimal_from_minor(there, exponent, &decimal));
        SOUK_MUST(souk_decimal_to_minor(decimal, exponent, &back, &rounded));
        SOUK_CHECK(back == there && !rounded);
    }
}
