/* pan.c - runs of digits, their groups, issuers and Luhn. */
#include "base/pan.h"

enum { LEAST = 13, MOST = 19, GROUPS = 5, PREFIX = 6 };

/* Lengths as bits: LENGTH(16) | LENGTH(19). */
#define LENGTH(digits) (1u << (digits))
#define FROM_16        (LENGTH(16) | LENGTH(17) | LENGTH(18) | LENGTH(19))

/* The first six digits from and to, in their order, and the lengths that are in use; where ranges overlap
 * a number may have the lengths of both. */
static const struct issuer {
    uint32_t first, last;
    uint32_t lengths;
} issuers[] = {
    {220000, 220499, LENGTH(16) | LENGTH(19)},              /* Mir */
    {222100, 272099, LENGTH(16)},                           /* Mastercard, since 2017 */
    {300000, 305999, LENGTH(14) | LENGTH(16)},              /* Diners Club */
    {309500, 309599, LENGTH(14) | LENGTH(16)},              /* Diners Club */
    {340000, 349999, LENGTH(15)},                           /* American Express */
    {352800, 358999, LENGTH(16) | LENGTH(19)},              /* JCB */
    {360000, 369999, LENGTH(14) | LENGTH(16)},              /* Diners Club */
    {370000, 379999, LENGTH(15)},                           /* American Express */
    {380000, 399999, LENGTH(14) | LENGTH(16)},              /* Diners Club */
    {400000, 499999, LENGTH(13) | LENGTH(16) | LENGTH(19)}, /* Visa */
    {501800, 501899, LENGTH(16) | LENGTH(18) | LENGTH(19)}, /* Maestro */
    {502000, 502099, LENGTH(16) | LENGTH(18) | LENGTH(19)}, /* Maestro */
    {503800, 503899, LENGTH(16) | LENGTH(18) | LENGTH(19)}, /* Maestro */
    {506099, 506198, LENGTH(16) | LENGTH(18) | LENGTH(19)}, /* Verve */
    {508500, 508999, LENGTH(16)},                           /* RuPay */
    {510000, 559999, LENGTH(16)},                           /* Mastercard */
    {589300, 589399, LENGTH(16) | LENGTH(18) | LENGTH(19)}, /* Maestro */
    {601100, 601199, LENGTH(16) | LENGTH(19)},              /* Discover */
    {606282, 606282, LENGTH(16) | LENGTH(19)},              /* Hipercard */
    {606985, 607984, LENGTH(16)},                           /* RuPay */
    {608001, 608500, LENGTH(16)},                           /* RuPay */
    {620000, 629999, FROM_16},                              /* UnionPay */
    {630400, 630499, LENGTH(16) | LENGTH(18) | LENGTH(19)}, /* Maestro */
    {636297, 636297, LENGTH(16)},                           /* Elo */
    {644000, 659999, LENGTH(16) | LENGTH(19)},              /* Discover, RuPay, Elo, Verve */
    {675900, 675999, LENGTH(16) | LENGTH(18) | LENGTH(19)}, /* Maestro */
    {676100, 676399, LENGTH(16) | LENGTH(18) | LENGTH(19)}, /* Maestro */
    {810000, 817199, FROM_16},                              /* UnionPay, RuPay */
    {860000, 860099, LENGTH(16)},                           /* Uzcard */
    {979200, 979289, LENGTH(16)},                           /* Troy */
    {986000, 986099, LENGTH(16)},                           /* Humo */
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_issued(souk_text digits)
{
    uint32_t prefix = 0;
    for (size_t i = 0; i < PREFIX; i++)
        prefix = prefix * 10 + (uint32_t)(digits.at[i] - '0');
    for (size_t i = 0; i < sizeof issuers / sizeof *issuers && issuers[i].first <= prefix; i++) {
        if (prefix <= issuers[i].last && (issuers[i].lengths & LENGTH(digits.bytes)))
            return true;
    }
    return false;
}

/* From the right every second digit counts twice, with the sum of its product's digits. */
static bool keeps_luhn(souk_text digits)
{
    unsigned sum = 0;
    for (size_t i = 0; i < digits.bytes; i++) {
        unsigned digit = (unsigned)(digits.at[digits.bytes - 1 - i] - '0');
        sum += i % 2 == 0 ? digit : digit < 5 ? 2 * digit : 2 * digit - 9;
    }
    return sum % 10 == 0;
}

bool souk_pan_is(souk_text digits)
{
    if (digits.bytes < LEAST || digits.bytes > MOST)
        return false;
    for (size_t i = 0; i < digits.bytes; i++) {
        if (!is_digit(digits.at[i]))
            return false;
    }
    return is_issued(digits) && keeps_luhn(digits);
}

/* ---- runs in a text ------------------------------------------------------------------------------------ */

static bool is_word(char c)
{
    return is_digit(c) || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' ||
           (unsigned char)c >= 0x80;
}

/* A group of digits at `at`; its length. */
static size_t group_at(souk_text text, size_t at)
{
    size_t digits = 0;
    while (at + digits < text.bytes && is_digit(text.at[at + digits]))
        digits++;
    return digits;
}

/* Rule 2 for groups after the first: fours with a last one of one to four, 4-6-5 and 4-6-4. */
static bool is_card_shape(const size_t *groups, size_t count)
{
    if (count == 1)
        return true;
    if (count == 3 && groups[0] == 4 && groups[1] == 6)
        return groups[2] == 5 || groups[2] == 4;
    for (size_t i = 0; i + 1 < count; i++) {
        if (groups[i] != 4)
            return false;
    }
    return count >= 4 && groups[count - 1] <= 4;
}

/* Does the text go on behind `at` in a way that makes a longer number or word of what ends here? */
static bool goes_on(souk_text text, size_t at)
{
    if (at == text.bytes)
        return false;
    char c = text.at[at];
    bool point = c == '.' || c == ',';
    return is_word(c) || (point && at + 1 < text.bytes && is_digit(text.at[at + 1]));
}

static bool comes_from(souk_text text, size_t at)
{
    if (at == 0)
        return false;
    char c = text.at[at - 1];
    bool point = c == '.' || c == ',';
    return is_word(c) || (point && at > 1 && is_digit(text.at[at - 2]));
}

/* The longest card that begins with the group at `at`; 0: none. */
static size_t card_at(souk_text text, size_t at)
{
    char digits[MOST];
    size_t groups[GROUPS], count = 0, total = 0, end = at, found = 0;
    char mark = '\0';
    for (;;) {
        size_t bytes = group_at(text, end);
        if (bytes == 0 || total + bytes > MOST)
            break;
        memcpy(digits + total, text.at + end, bytes);
        total += bytes;
        end += bytes;
        groups[count++] = bytes;
        souk_text number = {digits, total};
        if (total >= LEAST && is_card_shape(groups, count) && !goes_on(text, end) &&
            souk_pan_is(number))
            found = end - at;
        bool more = count < GROUPS && end + 1 < text.bytes &&
                    (text.at[end] == ' ' || text.at[end] == '-') &&
                    (mark == '\0' || text.at[end] == mark);
        if (!more)
            break;
        mark = text.at[end++];
    }
    return found;
}

souk_text souk_pan_find(souk_text text)
{
    for (size_t at = 0; at < text.bytes; at++) {
        if (!is_digit(text.at[at]))
            continue;
        size_t bytes = comes_from(text, at) ? 0 : card_at(text, at);
        if (bytes)
            return (souk_text){text.at + at, bytes};
        at += group_at(text, at); /* and the mark behind it, which is no digit */
    }
    return (souk_text){NULL, 0};
}
