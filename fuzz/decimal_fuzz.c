/* decimal_fuzz.c - any bytes as a decimal, beside arithmetic in 128 bits as one does it on paper: the same
 * texts are read, to the same millionths, rounded half to even and told so; what is written is read again.
 *
 * The first 16 bytes also serve as two decimals that are multiplied and settled in minor units. */
#include "base/decimal.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

__extension__ typedef __int128 wide;

enum { WIDE_DIGITS = 25, EXPONENT_MOST = 1 << 20 };

/* A number on paper: its digits without leading zeros, and where the unit of millionths stands. */
struct paper {
    const char *at, *end;
    char digits[512];
    size_t count;
    int64_t shift; /* the value is digits x 10^shift millionths */
    bool negative;
};

static bool take(struct paper *paper, char mark)
{
    if (paper->at == paper->end || *paper->at != mark)
        return false;
    paper->at++;
    return true;
}

static size_t take_digits(struct paper *paper)
{
    size_t taken = 0;
    for (; paper->at < paper->end && *paper->at >= '0' && *paper->at <= '9'; paper->at++, taken++)
        if (paper->count || *paper->at != '0')
            paper->digits[paper->count++] = *paper->at;
    return taken;
}

static bool take_exponent(struct paper *paper)
{
    int64_t exponent = 0;
    bool negative = take(paper, '-');
    if (!negative)
        take(paper, '+');
    const char *first = paper->at;
    for (; paper->at < paper->end && *paper->at >= '0' && *paper->at <= '9'; paper->at++)
        if (exponent < EXPONENT_MOST)
            exponent = exponent * 10 + (*paper->at - '0');
    paper->shift += negative ? -exponent : exponent;
    return paper->at > first;
}

/* RFC 8259 section 6 */
static bool read_paper(struct paper *paper, souk_text text)
{
    *paper = (struct paper){.at = text.at, .end = text.at + text.bytes, .shift = 6};
    paper->negative = take(paper, '-');
    bool zero = paper->at < paper->end && *paper->at == '0';
    size_t whole = take_digits(paper);
    if (whole == 0 || (zero && whole > 1))
        return false;
    if (take(paper, '.')) {
        size_t fraction = take_digits(paper);
        paper->shift -= (int64_t)fraction;
        if (fraction == 0)
            return false;
    }
    if ((take(paper, 'e') || take(paper, 'E')) && !take_exponent(paper))
        return false;
    return paper->at == paper->end;
}

static souk_err fit(wide value, int64_t *ret_micro)
{
    if (value < INT64_MIN || value > INT64_MAX)
        return SOUK_EOVERFLOW;
    *ret_micro = (int64_t)value;
    return SOUK_OK;
}

static souk_err round_paper(const struct paper *paper, int64_t *ret_micro, bool *ret_rounded)
{
    int64_t kept = (int64_t)paper->count + paper->shift; /* digits in front of the unit */
    wide value = 0;
    *ret_micro = 0;
    *ret_rounded = false;
    if (paper->count && kept > WIDE_DIGITS)
        return SOUK_EOVERFLOW;
    for (int64_t i = 0; paper->count && i < kept; i++)
        value = value * 10 + (i < (int64_t)paper->count ? paper->digits[i] - '0' : 0);
    int first_lost = 0;
    bool more_lost = false;
    for (int64_t i = kept < 0 ? 0 : kept; i < (int64_t)paper->count; i++) {
        *ret_rounded |= paper->digits[i] != '0';
        if (i == kept)
            first_lost = paper->digits[i] - '0';
        else
            more_lost |= paper->digits[i] != '0';
    }
    value += first_lost > 5 || (first_lost == 5 && (more_lost || value % 2));
    return fit(paper->negative ? -value : value, ret_micro);
}

/* value / by, half to even */
static wide divide(wide value, wide by, bool *ret_rounded)
{
    wide size = value < 0 ? -value : value, rest = size % by, whole = size / by;
    whole += rest * 2 > by || (rest * 2 == by && whole % 2);
    *ret_rounded = rest != 0;
    return value < 0 ? -whole : whole;
}

static void check_text(souk_text text)
{
    static struct paper paper;
    souk_decimal got = {42}, again = {43};
    int64_t micro;
    bool rounded = false, expected_rounded = false;
    souk_err err = souk_decimal_read(text, &got, &rounded);
    souk_err expected = SOUK_ESYNTAX;
    if (read_paper(&paper, text))
        expected = round_paper(&paper, &micro, &expected_rounded);
    souk_assert(err == expected);
    souk_assert(err == SOUK_OK || got.micro == 42);
    if (err)
        return;
    souk_assert(got.micro == micro && rounded == expected_rounded);
    char written[SOUK_DECIMAL_BYTES];
    size_t bytes = souk_decimal_write(got, written);
    souk_assert(bytes < sizeof written && written[bytes] == '\0');
    souk_assert(souk_decimal_read((souk_text){written, bytes}, &again, &rounded) == SOUK_OK);
    souk_assert(again.micro == got.micro && !rounded);
}

static void check_pair(souk_decimal a, souk_decimal b)
{
    static const int64_t powers[] = {1, 10, 100, 1000, 10000, 100000, 1000000};
    unsigned exponent = (uint64_t)a.micro % 7;
    souk_decimal got = {42}, back;
    int64_t expected = 42, minor = 42;
    bool rounded = false, expected_rounded = false;
    wide product = divide((wide)a.micro * b.micro, 1000000, &expected_rounded);
    souk_assert(souk_decimal_mul(a, b, &got, &rounded) == fit(product, &expected));
    souk_assert(got.micro == expected);
    souk_assert(expected == 42 || rounded == expected_rounded);
    souk_assert(souk_decimal_to_minor(b, exponent, &minor, &rounded) == SOUK_OK);
    wide settled = divide((wide)b.micro * powers[exponent], 1000000, &expected_rounded);
    souk_assert(settled == minor && rounded == expected_rounded);
    souk_err err = souk_decimal_from_minor(minor, exponent, &back);
    souk_assert(rounded || (err == SOUK_OK && back.micro == b.micro));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    souk_decimal pair[2];
    check_text((souk_text){(const char *)bytes, souk_min_size(count, 500)});
    if (count >= sizeof pair) {
        memcpy(pair, bytes, sizeof pair);
        check_pair(pair[0], pair[1]);
    }
    return 0;
}
