/* pack_value.c - reads and prints the fixed forms of pack_value.h.
 *
 * Hexadecimal goes eight characters at a time in one 64-bit word, the first character in the lowest
 * byte: a digit's value is its low four bits, plus nine for letters (bit 6 tells them apart). */
#include "core/pack_value.h"
#include "base/time.h"

#define EACH(byte) (UINT64_C(0x0101010101010101) * (byte))

static uint64_t digits_of(uint64_t values, souk_hex_case hex_case)
{
    uint64_t letters = ((values + EACH(6)) >> 4) & EACH(1);
    return values + EACH('0') +
           letters * (hex_case == SOUK_HEX_LOWER ? 'a' - '9' - 1 : 'A' - '9' - 1);
}

bool souk_pack_hex8(uint64_t text, souk_hex_case hex_case, uint32_t *ret_number)
{
    uint64_t values = (text & EACH(15)) + ((text >> 6) & EACH(1)) * 9;
    if ((values & EACH(0xf0)) || digits_of(values, hex_case) != text)
        return false;
    uint64_t x = __builtin_bswap64(values);
    x = (x | x >> 4) & UINT64_C(0x00ff00ff00ff00ff);
    x = (x | x >> 8) & UINT64_C(0x0000ffff0000ffff);
    *ret_number = (uint32_t)(x | x >> 16);
    return true;
}

uint64_t souk_pack_hex8_print(uint32_t number, souk_hex_case hex_case)
{
    uint64_t x = number;
    x = (x | x << 16) & UINT64_C(0x0000ffff0000ffff);
    x = (x | x << 8) & UINT64_C(0x00ff00ff00ff00ff);
    x = (x | x << 4) & EACH(15);
    return digits_of(__builtin_bswap64(x), hex_case);
}

bool souk_pack_uuid(const char *at, souk_hex_case hex_case, uint64_t halves[2])
{
    if (at[8] != '-' || at[13] != '-' || at[18] != '-' || at[23] != '-')
        return false;
    uint32_t part[4];
    uint64_t second = souk_get_u32(at + 9) | (uint64_t)souk_get_u32(at + 14) << 32;
    uint64_t third = souk_get_u32(at + 19) | (uint64_t)souk_get_u32(at + 24) << 32;
    if (!souk_pack_hex8(souk_get_u64(at), hex_case, &part[0]) ||
        !souk_pack_hex8(second, hex_case, &part[1]) || !souk_pack_hex8(third, hex_case, &part[2]) ||
        !souk_pack_hex8(souk_get_u64(at + 28), hex_case, &part[3]))
        return false;
    halves[0] = (uint64_t)part[0] << 32 | part[1];
    halves[1] = (uint64_t)part[2] << 32 | part[3];
    return true;
}

void souk_pack_uuid_print(const uint64_t halves[2], souk_hex_case hex_case, char *to)
{
    uint64_t second = souk_pack_hex8_print((uint32_t)halves[0], hex_case);
    uint64_t third = souk_pack_hex8_print((uint32_t)(halves[1] >> 32), hex_case);
    souk_put_u64(to, souk_pack_hex8_print((uint32_t)(halves[0] >> 32), hex_case));
    souk_put_u32(to + 9, (uint32_t)second);
    souk_put_u32(to + 14, (uint32_t)(second >> 32));
    souk_put_u32(to + 19, (uint32_t)third);
    souk_put_u32(to + 24, (uint32_t)(third >> 32));
    souk_put_u64(to + 28, souk_pack_hex8_print((uint32_t)halves[1], hex_case));
    to[8] = to[13] = to[18] = to[23] = '-';
}

/* `count` decimal digits; at least 2^31 where one is not a digit. */
static uint32_t decimal(const char *at, unsigned count)
{
    uint32_t number = 0, bad = 0;
    for (unsigned i = 0; i < count; i++) {
        uint32_t digit = (uint32_t)(unsigned char)at[i] - '0';
        bad |= digit > 9;
        number = number * 10 + digit;
    }
    return bad ? UINT32_MAX : number;
}

static void decimal_print(uint32_t number, unsigned count, char *to)
{
    while (count-- > 0) {
        to[count] = (char)('0' + number % 10);
        number /= 10;
    }
}

/* Days since 1970-01-01 of a date in the years 1970 to 2109: March starts the year, so that the
 * leap day is its last.  The only century in reach that is no leap year is 2100. */
static uint32_t days_of(uint32_t year, uint32_t month, uint32_t day)
{
    uint32_t y = year - (month <= 2), m = month <= 2 ? month + 9 : month - 3;
    uint32_t centuries = y / 100;
    return y * 365 + y / 4 - centuries + centuries / 4 + (153 * m + 2) / 5 + day - 1 - 719468;
}

static uint32_t month_days(uint32_t year, uint32_t month)
{
    if (month == 2)
        return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28;
    return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}

bool souk_pack_stamp(const char *at, uint64_t *ret_ms)
{
    if (at[4] != '-' || at[7] != '-' || at[10] != 'T' || at[13] != ':' || at[16] != ':' ||
        at[19] != '.')
        return false;
    uint32_t year = decimal(at, 4), month = decimal(at + 5, 2), day = decimal(at + 8, 2);
    uint32_t hour = decimal(at + 11, 2), minute = decimal(at + 14, 2);
    uint32_t second = decimal(at + 17, 2), part = decimal(at + 20, 3);
    if (year < 1970 || year > 2108 || month - 1 > 11 || hour > 23 || minute > 59 || second > 59 ||
        part > 999 || day < 1 || day > month_days(year, month))
        return false;
    uint64_t seconds =
        days_of(year, month, day) * UINT64_C(86400) + hour * 3600 + minute * 60 + second;
    *ret_ms = seconds * 1000 + part;
    return true;
}

void souk_pack_stamp_print(uint64_t ms, char *to)
{
    uint64_t seconds = ms / 1000;
    uint32_t days = (uint32_t)(seconds / 86400), rest = (uint32_t)(seconds % 86400);
    souk_date date = souk_date_of(days);
    memcpy(to, "0000-00-00T00:00:00.000Z", SOUK_PACK_STAMP_BYTES);
    decimal_print((uint32_t)date.year, 4, to);
    decimal_print(date.month, 2, to + 5);
    decimal_print(date.day, 2, to + 8);
    decimal_print(rest / 3600, 2, to + 11);
    decimal_print(rest / 60 % 60, 2, to + 14);
    decimal_print(rest % 60, 2, to + 17);
    decimal_print((uint32_t)(ms % 1000), 3, to + 20);
}

bool souk_pack_micro(const char *at, unsigned *ret_us)
{
    uint32_t us = decimal(at, 3);
    if (us > 999 || memcmp(at + 3, "+00:00", 6) != 0)
        return false;
    *ret_us = us;
    return true;
}

void souk_pack_micro_print(unsigned us, char *to)
{
    decimal_print(us, 3, to);
    memcpy(to + 3, "+00:00", 6);
}

bool souk_pack_milli(const char *at, uint64_t *ret_ms)
{
    uint32_t high = decimal(at, 7), low = decimal(at + 7, 6);
    if (at[0] == '0' || high > 9999999 || low > 999999)
        return false;
    uint64_t ms = high * UINT64_C(1000000) + low;
    if (ms >> SOUK_PACK_TIME_BITS)
        return false;
    *ret_ms = ms;
    return true;
}

void souk_pack_milli_print(uint64_t ms, char *to)
{
    decimal_print((uint32_t)(ms / 1000000), 7, to);
    decimal_print((uint32_t)(ms % 1000000), 6, to + 7);
}
