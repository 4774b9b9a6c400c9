/* hmac.c - hmac.h over libsodium. */
#include "base/hmac.h"

#include <sodium.h>

_Static_assert(SOUK_HMAC_BYTES == crypto_auth_hmacsha256_BYTES, "SHA-256");

void souk_hmac_sha256(souk_text secret, souk_text message, uint8_t ret_mac[SOUK_HMAC_BYTES])
{
    crypto_auth_hmacsha256_state state;
    crypto_auth_hmacsha256_init(&state, (const unsigned char *)(secret.at ? secret.at : ""),
                                secret.bytes);
    crypto_auth_hmacsha256_update(&state, (const unsigned char *)(message.at ? message.at : ""),
                                  message.bytes);
    crypto_auth_hmacsha256_final(&state, ret_mac);
    sodium_memzero(&state, sizeof state);
}

bool souk_hmac_equal(const uint8_t a[SOUK_HMAC_BYTES], const uint8_t b[SOUK_HMAC_BYTES])
{
    return sodium_memcmp(a, b, SOUK_HMAC_BYTES) == 0;
}
