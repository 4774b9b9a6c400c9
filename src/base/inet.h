/* inet.h - addresses of the internet as numbers, and which of them are everybody's.
 *
 *     souk_inet inet;
 *     SOUK_TRY(souk_inet_read(SOUK_TEXT("169.254.169.254"), &inet));
 *     const char *why = souk_inet_reserved(&inet);         "link-local, where clouds keep their metadata"
 *
 *     souk_inet_range ranges[8];
 *     SOUK_TRY(souk_inet_ranges_read(SOUK_TEXT("127.0.0.0/8, fd00::/8"), ranges, 8, &count, diag));
 *     if (why && !souk_inet_within(ranges, count, &inet)) ...
 *
 * A server that sends where others tell it to must not be led to the machines beside it: to a database on loopback,
 * a printer in the shop, a cloud's store of credentials.
 *
 * Shape    16 bytes; IPv4 is ::ffff:a.b.c.d, so one address has one form
 * Strict   IPv4 is four decimal numbers without leading zeros: 0177.1, 2130706433 and 0x7f.1 are none
 * Public   of IPv4 what the registry of special addresses leaves; of IPv6 2000::/3 without its special ranges, and
 *          64:ff9b::/96 where the IPv4 address within is public
 * Cost     a walk of a short table
 * Source   RFC 6890 and the IANA registries of special-purpose addresses; RFC 4291, 6052
 * Threads  pure */
#ifndef SOUK_BASE_INET_H
#define SOUK_BASE_INET_H

#include "base/text.h"

enum { SOUK_INET_BYTES = 46 /* of an address as text, with its NUL */ };

typedef struct souk_inet {
    uint8_t bytes[16];
} souk_inet;

/* SOUK_EINVAL: no address; a name, or a form that readers understand differently. */
SOUK_CHECKED souk_err souk_inet_read(souk_text text, souk_inet *ret_inet);
/* Of the bytes that a socket's address holds. */
souk_inet souk_inet_of_v4(const void *four_bytes);
souk_inet souk_inet_of_v6(const void *sixteen_bytes);
bool souk_inet_is_v4(const souk_inet *inet);
/* "10.0.0.1", "fe80::1", with a NUL; returns the bytes without it. */
size_t souk_inet_write(const souk_inet *inet, char to[SOUK_INET_BYTES]);

/* What it is set apart for, in words; NULL: it is everybody's. */
const char *souk_inet_reserved(const souk_inet *inet);

/* All addresses that begin with the same bits. */
typedef struct souk_inet_range {
    souk_inet first;
    unsigned bits; /* of 128 */
} souk_inet_range;

/* A list with commas or white space between: addresses, and ranges as "10.0.0.0/8"; empty: none.
 * SOUK_EINVAL, SOUK_ETOOBIG: with words that quote what is wrong. */
SOUK_CHECKED souk_err souk_inet_ranges_read(souk_text list, souk_inet_range *ret_ranges,
                                            size_t most, size_t *ret_count, souk_diag *diag);
bool souk_inet_within(const souk_inet_range *ranges, size_t count, const souk_inet *inet);

#endif
