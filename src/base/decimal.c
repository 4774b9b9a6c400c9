/* decimal.c - the arithmetic of decimal.h.
 *
 * A number on the wire is digits, a point and an exponent: D x 10^(exponent - fraction digits).
 * In micro-units that is D x 10^shift.  "12.5e-1" has D = 125, shift = -1 - 1 + 6 = 4: 1250000.
 * shift >= 0 appends zeros to D; shift < 0 cuts -shift digits off its end, and the cut rounds. */
#include "base/decimal.h"

__extension__ typedef __int128 wide;

static const int64_t power10[SOUK_DECIMAL_MAX_EXPONENT + 1] = {1,     10,     100,    1000,
                                                               10000, 100000, 1000000};

/* The parts of a number, found by lex. */
typedef struct parts {
    bool negative;
    const char *digits, *end; /* D, with at most one point among them */
    int64_t count, fraction;  /* digits in all, and behind the point */
    int64_t exponent;
    uint64_t head; /* D itself while count <= HEAD_DIGITS */
} parts;

/* No text is that long, so an exponent cut off here decides as its true value would. */
#define EXPONENT_END ((int64_t)1 << 56)
enum { HEAD_DIGITS = 18 };

static bool is_digit(const char *at, const char *end)
{
    return at < end && *at >= '0' && *at <= '9';
}

static const char *lex_digits(const char *at, const char *end, parts *ret_parts)
{
    for (; is_digit(at, end); at++) {
        if (ret_parts->count++ < HEAD_DIGITS)
            ret_parts->head = ret_parts->head * 10 + (uint64_t)(*at - '0');
    }
    return at;
}

static const char *lex_exponent(const char *at, const char *end, int64_t *ret_exponent)
{
    bool negative = at < end && *at == '-';
    if (at < end && (*at == '-' || *at == '+'))
        at++;
    if (!is_digit(at, end))
        return NULL;
    int64_t exponent = 0;
    for (; is_digit(at, end); at++)
        if (exponent < EXPONENT_END)
            exponent = exponent * 10 + (*at - '0');
    *ret_exponent = negative ? -exponent : exponent;
    return at;
}

static bool lex(souk_text number, parts *ret_parts)
{
    if (number.bytes == 0)
        return false;
    const char *at = number.at, *end = number.at + number.bytes;
    *ret_parts = (parts){.negative = *at == '-'};
    at += ret_parts->negative;
    if (!is_digit(at, end))
        return false;
    ret_parts->digits = at;
    at = lex_digits(at, end, ret_parts);
    if (*ret_parts->digits == '0' && ret_parts->count > 1)
        return false;
    if (at < end && *at == '.') {
        int64_t whole = ret_parts->count;
        at = lex_digits(at + 1, end, ret_parts);
        ret_parts->fraction = ret_parts->count - whole;
        if (ret_parts->fraction == 0)
            return false;
    }
    ret_parts->end = at;
    if (at < end && (*at == 'e' || *at == 'E'))
        at = lex_exponent(at + 1, end, &ret_parts->exponent);
    return at == end;
}

/* Signs a magnitude; false where it does not fit. */
static bool sign(uint64_t magnitude, bool negative, int64_t *ret_micro)
{
    if (magnitude > (uint64_t)INT64_MAX + negative)
        return false;
    *ret_micro = (int64_t)(negative ? 0 - magnitude : magnitude);
    return true;
}

/* D x 10^shift for any number of digits; false on overflow. */
static bool scale(const parts *number, int64_t shift, uint64_t *ret_magnitude, bool *ret_rounded)
{
    int64_t keep = shift < 0 ? number->count + shift : number->count;
    uint64_t magnitude = 0;
    int first_cut = 0;
    bool more_cut = false;
    int64_t index = 0;
    for (const char *at = number->digits; at < number->end; at++) {
        if (*at == '.')
            continue;
        unsigned digit = (unsigned)(*at - '0');
        if (index < keep) {
            if (__builtin_mul_overflow(magnitude, 10u, &magnitude) ||
                __builtin_add_overflow(magnitude, digit, &magnitude))
                return false;
        } else if (index == keep) {
            first_cut = (int)digit;
        } else {
            more_cut |= digit != 0;
        }
        index++;
    }
    for (int64_t zeros = shift; zeros > 0 && magnitude; zeros--)
        if (__builtin_mul_overflow(magnitude, 10u, &magnitude))
            return false;
    *ret_rounded = first_cut || more_cut;
    bool up = first_cut > 5 || (first_cut == 5 && (more_cut || (magnitude & 1)));
    return !__builtin_add_overflow(magnitude, (uint64_t)up, ret_magnitude);
}

souk_err souk_decimal_read(souk_text number, souk_decimal *ret_decimal, bool *ret_rounded)
{
    parts found;
    if (!lex(number, &found))
        return SOUK_ESYNTAX;
    int64_t shift = found.exponent - found.fraction + 6;
    uint64_t magnitude;
    bool rounded = false;
    bool fits = true;
    /* Nearly every price ends here. */
    if (found.count <= HEAD_DIGITS && shift >= 0 && shift <= SOUK_DECIMAL_MAX_EXPONENT)
        fits = !__builtin_mul_overflow(found.head, (uint64_t)power10[shift], &magnitude);
    else
        fits = scale(&found, shift, &magnitude, &rounded);
    if (!fits || !sign(magnitude, found.negative, &ret_decimal->micro))
        return SOUK_EOVERFLOW;
    if (ret_rounded)
        *ret_rounded = rounded;
    return SOUK_OK;
}

size_t souk_decimal_write(souk_decimal decimal, char out[SOUK_DECIMAL_BYTES])
{
    bool negative = decimal.micro < 0;
    uint64_t magnitude = negative ? 0 - (uint64_t)decimal.micro : (uint64_t)decimal.micro;
    uint64_t whole = magnitude / 1000000;
    uint32_t fraction = (uint32_t)(magnitude % 1000000);
    char reversed[SOUK_DECIMAL_BYTES];
    size_t count = 0;
    if (fraction) {
        int places = 6;
        for (; fraction % 10 == 0; fraction /= 10)
            places--;
        for (; places; places--, fraction /= 10)
            reversed[count++] = (char)('0' + fraction % 10);
        reversed[count++] = '.';
    }
    do {
        reversed[count++] = (char)('0' + whole % 10);
        whole /= 10;
    } while (whole);
    if (negative)
        reversed[count++] = '-';
    for (size_t i = 0; i < count; i++)
        out[i] = reversed[count - 1 - i];
    out[count] = '\0';
    return count;
}

souk_err souk_decimal_add(souk_decimal a, souk_decimal b, souk_decimal *ret_sum)
{
    int64_t micro;
    if (__builtin_add_overflow(a.micro, b.micro, &micro))
        return SOUK_EOVERFLOW;
    ret_sum->micro = micro;
    return SOUK_OK;
}

souk_err souk_decimal_sub(souk_decimal a, souk_decimal b, souk_decimal *ret_rest)
{
    int64_t micro;
    if (__builtin_sub_overflow(a.micro, b.micro, &micro))
        return SOUK_EOVERFLOW;
    ret_rest->micro = micro;
    return SOUK_OK;
}

souk_err souk_decimal_mul_int(souk_decimal a, int64_t times, souk_decimal *ret_product)
{
    int64_t micro;
    if (__builtin_mul_overflow(a.micro, times, &micro))
        return SOUK_EOVERFLOW;
    ret_product->micro = micro;
    return SOUK_OK;
}

/* number / by, to the nearest, half to even; by is even or 1, as all powers of ten are. */
static wide divide(wide number, int64_t by, bool *ret_rounded)
{
    wide quotient = number / by;
    int64_t rest = (int64_t)(number % by);
    if (rest < 0)
        rest = -rest;
    if (ret_rounded)
        *ret_rounded = rest != 0;
    if (rest > by / 2 || (rest && rest == by / 2 && quotient % 2 != 0))
        quotient += number < 0 ? -1 : 1;
    return quotient;
}

souk_err souk_decimal_mul(souk_decimal a, souk_decimal b, souk_decimal *ret_product,
                          bool *ret_rounded)
{
    bool rounded;
    wide micro = divide((wide)a.micro * b.micro, 1000000, &rounded);
    if (micro > INT64_MAX || micro < INT64_MIN)
        return SOUK_EOVERFLOW;
    ret_product->micro = (int64_t)micro;
    if (ret_rounded)
        *ret_rounded = rounded;
    return SOUK_OK;
}

souk_err souk_decimal_from_minor(int64_t minor, unsigned exponent, souk_decimal *ret_decimal)
{
    if (exponent > SOUK_DECIMAL_MAX_EXPONENT)
        return SOUK_EINVAL;
    return souk_decimal_mul_int((souk_decimal){minor},
                                power10[SOUK_DECIMAL_MAX_EXPONENT - exponent], ret_decimal);
}

souk_err souk_decimal_to_minor(souk_decimal decimal, unsigned exponent, int64_t *ret_minor,
                               bool *ret_rounded)
{
    if (exponent > SOUK_DECIMAL_MAX_EXPONENT)
        return SOUK_EINVAL;
    *ret_minor =
        (int64_t)divide(decimal.micro, power10[SOUK_DECIMAL_MAX_EXPONENT - exponent], ret_rounded);
    return SOUK_OK;
}
