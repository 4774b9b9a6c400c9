/* signature.c - signature.h over libsodium. */
#include "serve/signature.h"

#include "base/random.h"

#include <sodium.h>
#include <stdio.h>

#define PREFIX SOUK_TEXT("whsec_")

void souk_signing_secret_make(souk_signing_secret *ret_secret)
{
    *ret_secret = (souk_signing_secret){.bytes = SOUK_SIGNING_MADE};
    souk_entropy(ret_secret->key, ret_secret->bytes);
}

souk_err souk_signing_secret_read(souk_text text, souk_signing_secret *ret_secret)
{
    souk_signing_secret secret = {.bytes = 0};
    if (!souk_text_starts(text, PREFIX))
        return SOUK_EINVAL;
    const char *letters = text.at + PREFIX.bytes;
    if (sodium_base642bin(secret.key, sizeof secret.key, letters, text.bytes - PREFIX.bytes, NULL,
                          &secret.bytes, NULL, sodium_base64_VARIANT_ORIGINAL) ||
        secret.bytes < SOUK_SIGNING_MADE)
        return SOUK_EINVAL;
    *ret_secret = secret;
    return SOUK_OK;
}

void souk_signing_secret_write(const souk_signing_secret *secret, char to[SOUK_SIGNING_TEXT])
{
    memcpy(to, PREFIX.at, PREFIX.bytes);
    sodium_bin2base64(to + PREFIX.bytes, SOUK_SIGNING_TEXT - PREFIX.bytes, secret->key,
                      secret->bytes, sodium_base64_VARIANT_ORIGINAL);
}

void souk_signing_secrets_wipe(souk_signing_secret *secrets, size_t count)
{
    sodium_memzero(secrets, count * sizeof *secrets);
}

void souk_signature_write(const souk_signing_secret *secrets, size_t count, souk_text id,
                          int64_t timestamp_s, souk_text body, souk_buf *out)
{
    char stamp[32];
    size_t stamp_bytes = (size_t)snprintf(stamp, sizeof stamp, ".%lld.", (long long)timestamp_s);
    for (size_t i = 0; i < count; i++) {
        unsigned char mac[crypto_auth_hmacsha256_BYTES];
        char letters[sodium_base64_ENCODED_LEN(sizeof mac, sodium_base64_VARIANT_ORIGINAL)];
        crypto_auth_hmacsha256_state state;
        crypto_auth_hmacsha256_init(&state, secrets[i].key, secrets[i].bytes);
        crypto_auth_hmacsha256_update(&state, (const unsigned char *)id.at, id.bytes);
        crypto_auth_hmacsha256_update(&state, (const unsigned char *)stamp, stamp_bytes);
        crypto_auth_hmacsha256_update(&state, (const unsigned char *)body.at, body.bytes);
        crypto_auth_hmacsha256_final(&state, mac);
        sodium_bin2base64(letters, sizeof letters, mac, sizeof mac, sodium_base64_VARIANT_ORIGINAL);
        souk_buf_print(out, "%sv1,%s", i ? " " : "", letters);
        sodium_memzero(&state, sizeof state);
    }
}
