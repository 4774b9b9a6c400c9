/* gs1_check.c - is this a value of its format?  The letters behind a count of gs1_table.h:
 *
 *     c  the last digit is the check digit       a  the last two characters are the check characters
 *     d  YYMMDD, day 00 is the month's end       D  YYMMDD       F  YYYYMMDD
 *     t  HHMM      h  HH      m  minutes or seconds
 *     b  0 or 1    o  0       +  not all zeros   u  no zero in front
 *     e  '=' at the end only
 *     p  PPTT, piece P of T   l  0 to 180 degrees, L to 360, x 1e-7      -  a dash, for "below zero" */
#include "base/epc.h"
#include "base/gs1_table.h"
#include "base/time.h"

static unsigned number_of(const char *at, size_t digits)
{
    unsigned number = 0;
    for (size_t i = 0; i < digits; i++)
        number = number * 10 + (unsigned)(at[i] - '0');
    return number;
}

/* The 82 characters, 7.11 figure 1: visible ASCII without # $ @ [ \ ] ^ ` { | } ~ */
static bool in_82(char c)
{
    return c > ' ' && c < '{' && c != '#' && c != '$' && c != '@' && c != '`' &&
           !(c >= '[' && c <= '^');
}

static bool in_set(char kind, char c)
{
    bool digit = c >= '0' && c <= '9', upper = c >= 'A' && c <= 'Z', lower = c >= 'a' && c <= 'z';
    switch (kind) {
    case 'n':
        return digit;
    case 'y': /* figure 2 */
        return digit || upper || c == '#' || c == '-' || c == '/';
    case 'z': /* figure 3 */
        return digit || upper || lower || c == '-' || c == '_' || c == '=';
    default:
        return in_82(c);
    }
}

/* ---- rules for a content --------------------------------------------------------------------------- */

/* General Specifications 7.9.5: the k-th character from the right counts its place among the 82, times the k-th prime;
 * the sum modulo 1021 is two characters of five bits each. */
static bool check_pair(souk_text value)
{
    static const uint8_t primes[] = {2,  3,  5,  7,  11, 13, 17, 19, 23, 29, 31, 37,
                                     41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83};
    static const char letters[] = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ";
    if (value.bytes < 2 || value.bytes - 2 > sizeof primes)
        return false;
    unsigned sum = 0;
    for (size_t i = 0; i < value.bytes - 2; i++) {
        unsigned place = 0;
        for (char c = '!'; c < value.at[i]; c++)
            place += in_82(c);
        sum += place * primes[value.bytes - 3 - i];
    }
    sum %= 1021;
    return value.at[value.bytes - 2] == letters[sum / 32] &&
           value.at[value.bytes - 1] == letters[sum % 32];
}

/* The century does not matter for a day's being there, but for 29 February of 00: 2000 had one. */
static bool is_date(const char *at, size_t year_digits, bool day_may_be_0)
{
    souk_date date = {(int32_t)number_of(at, year_digits) + (year_digits == 2 ? 2000 : 0),
                      (uint8_t)number_of(at + year_digits, 2),
                      (uint8_t)number_of(at + year_digits + 2, 2)};
    if (day_may_be_0 && date.day == 0)
        date.day = 1;
    return souk_date_valid(date);
}

/* NULL: the content keeps its rule. */
static const char *broken_rule(char rule, souk_text part)
{
    const char *at = part.at;
    switch (rule) {
    case 'c':
        return souk_gs1_check_digit((souk_text){at, part.bytes - 1}) == at[part.bytes - 1]
                   ? NULL
                   : "the check digit is wrong";
    case 'a':
        return check_pair(part) ? NULL : "the two check characters are wrong";
    case 'd':
        return is_date(at, 2, true) ? NULL : "there is no such day";
    case 'D':
        return is_date(at, 2, false) ? NULL : "there is no such day";
    case 'F':
        return is_date(at, 4, false) ? NULL : "there is no such day";
    case 't':
        return number_of(at, 2) < 24 && number_of(at + 2, 2) < 60 ? NULL : "there is no such time";
    case 'h':
        return number_of(at, 2) < 24 ? NULL : "there is no such time";
    case 'm':
        return number_of(at, 2) < 60 ? NULL : "there is no such time";
    case 'b':
        return at[0] <= '1' ? NULL : "this is neither 0 nor 1";
    case 'o':
        return at[0] == '0' ? NULL : "this is not 0";
    case '+':
        return number_of(at, part.bytes) ? NULL : "this is 0";
    case 'u':
        return at[0] != '0' ? NULL : "there is a zero in front";
    case 'e': {
        const char *pad = memchr(at, '=', part.bytes);
        return !pad || (at[part.bytes - 1] == '=' && at + part.bytes - pad <= 2)
                   ? NULL
                   : "a '=' stands within";
    }
    case 'p': {
        unsigned piece = number_of(at, 2), pieces = number_of(at + 2, 2);
        return piece && piece <= pieces ? NULL : "there is no such piece of so many";
    }
    case 'l':
        return memcmp(at, "1800000000", 10) <= 0 ? NULL : "there is no such latitude";
    case 'L':
        return memcmp(at, "3600000000", 10) <= 0 ? NULL : "there is no such longitude";
    case '-':
        return at[0] == '-' ? NULL : "this is not a dash";
    default:
        return NULL;
    }
}

/* ---- the parts ------------------------------------------------------------------------------------- */

struct part {
    bool optional, up_to;
    char kind, rule;
    size_t count;
};

/* Cuts the next part off a format; our own table is always well formed. */
static struct part next_part(const char **format)
{
    const char *at = *format;
    struct part part = {.optional = *at == '?'};
    at += part.optional;
    part.kind = *at++;
    part.up_to = *at == '<';
    at += part.up_to;
    while (*at >= '0' && *at <= '9')
        part.count = part.count * 10 + (size_t)(*at++ - '0');
    part.rule = *at && *at != ' ' ? *at++ : '\0';
    *format = at + (*at == ' ');
    return part;
}

souk_err souk_gs1_check(const souk_gs1_ai *ai, souk_text value, size_t *ret_column,
                        const char **ret_words)
{
    const char *format = ai->format;
    size_t at = 0;
    *ret_words = "there is nothing in it";
    *ret_column = 0;
    while (*format) {
        struct part part = next_part(&format);
        size_t left = value.bytes - at;
        if (left == 0 && part.optional)
            return SOUK_OK;
        *ret_column = at;
        if (left < (part.up_to ? 1 : part.count)) {
            *ret_column = value.bytes;
            *ret_words = value.bytes ? "it is too short" : *ret_words;
            return SOUK_EINVAL;
        }
        size_t bytes = souk_min_size(left, part.count);
        for (size_t i = at; i < at + bytes; i++) {
            if (!in_set(part.kind, value.at[i])) {
                *ret_column = i;
                *ret_words = part.kind == 'n' ? "here must be a digit"
                                              : "this character may not stand in it";
                return SOUK_EINVAL;
            }
        }
        const char *broken = broken_rule(part.rule, (souk_text){value.at + at, bytes});
        if (broken) {
            *ret_words = broken;
            return SOUK_EINVAL;
        }
        at += bytes;
    }
    *ret_column = at;
    *ret_words = "it is too long";
    return at == value.bytes ? SOUK_OK : SOUK_EINVAL;
}
