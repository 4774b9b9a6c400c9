/* hmac.h - was this message made by somebody who knows our secret?
 *
 *     uint8_t ours[SOUK_HMAC_BYTES];
 *     souk_hmac_sha256(secret, body, ours);
 *     if (!souk_hmac_equal(ours, theirs))
 *         return SOUK_EUNAUTH;
 *
 * equal takes the same time whatever differs, so that nobody can guess a signature byte by byte.
 *
 * Cost     one SHA-256 of the message; nothing allocates
 * Source   RFC 2104, FIPS 180-4, through libsodium; vectors of RFC 4231
 * Threads  no state */
#ifndef SOUK_BASE_HMAC_H
#define SOUK_BASE_HMAC_H

#include "base/text.h"

enum { SOUK_HMAC_BYTES = 32 };

/* A secret of any length. */
void souk_hmac_sha256(souk_text secret, souk_text message, uint8_t ret_mac[SOUK_HMAC_BYTES]);
bool souk_hmac_equal(const uint8_t a[SOUK_HMAC_BYTES], const uint8_t b[SOUK_HMAC_BYTES]);

#endif
