/* target.h - where a webhook goes: a URL read strictly, and the addresses that it may lead to.
 *
 *     souk_target target;
 *     SOUK_TRY(souk_target_read(SOUK_TEXT("https://shop.example/hooks?k=7"), &target, diag));
 *     if (target.is_address)
 *         SOUK_TRY(souk_target_may(&allowed, target.is_tls, &target.inet, diag));
 *     …and again with the very address, when the connection is opened
 *
 * Strict   http or https, a host, a port, a path: no user and password, no fragment, no white space, no backslash,
 *          nothing but ASCII.  A host that ends in a number is four decimal numbers (127.0.0.1) and nothing else:
 *          2130706433, 0x7f.1 and 0177.0.0.1 are refused, since other readers take them for 127.0.0.1
 * May      an address that is everybody's, over TLS; another one, or one without TLS, where the operator's own list
 *          (the setting webhooks.allow_private) holds it
 * Threads  pure */
#ifndef SOUK_SERVE_TARGET_H
#define SOUK_SERVE_TARGET_H

#include "base/inet.h"

enum { SOUK_TARGET_BYTES = 2000, SOUK_TARGET_HOST = 254, SOUK_TARGET_RANGES = 32 };

typedef struct souk_target {
    char host[SOUK_TARGET_HOST]; /* lower case, without brackets */
    uint16_t port;
    bool is_tls, is_address;
    souk_inet inet; /* of a host that is an address */
} souk_target;

/* SOUK_EINVAL, with words. */
SOUK_CHECKED souk_err souk_target_read(souk_text url, souk_target *ret_target, souk_diag *diag);

/* What the operator allows besides. */
typedef struct souk_target_allowed {
    souk_inet_range ranges[SOUK_TARGET_RANGES];
    size_t count;
} souk_target_allowed;

/* SOUK_EDENIED, with words. */
SOUK_CHECKED souk_err souk_target_may(const souk_target_allowed *allowed, bool is_tls,
                                      const souk_inet *inet, souk_diag *diag);

#endif
