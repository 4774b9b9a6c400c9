/* signature.h - Standard Webhooks: the secret of an endpoint, and what proves that a delivery is ours.
 *
 *     souk_signing_secret secret;
 *     souk_signing_secret_make(&secret);
 *     souk_signing_secret_write(&secret, text);              "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
 *     souk_signature_write(secrets, 2, SOUK_TEXT("msg_p5jX…"), 1614265330, body, &header);
 *                                                            "v1,g0hM9SsE… v1,rAvfW3dJ…"
 *
 * Several secrets sign while one is rotated: whoever knows any of them can verify.
 *
 * Source   standardwebhooks.com, specification 1.0.0: HMAC-SHA256 of "id.timestamp.body", base64 with padding
 * Threads  pure */
#ifndef SOUK_SERVE_SIGNATURE_H
#define SOUK_SERVE_SIGNATURE_H

#include "base/text.h"

enum {
    SOUK_SIGNING_BYTES = 64, /* at most */
    SOUK_SIGNING_MADE = 24,  /* of those made here */
    SOUK_SIGNING_TEXT = 96,  /* of the longest as text, with its NUL */
};

typedef struct souk_signing_secret {
    uint8_t key[SOUK_SIGNING_BYTES];
    size_t bytes; /* 24 to 64 */
} souk_signing_secret;

void souk_signing_secret_make(souk_signing_secret *ret_secret);
/* SOUK_EINVAL: not whsec_ and the base64 of 24 to 64 bytes. */
SOUK_CHECKED souk_err souk_signing_secret_read(souk_text text, souk_signing_secret *ret_secret);
void souk_signing_secret_write(const souk_signing_secret *secret, char to[SOUK_SIGNING_TEXT]);
/* Nothing of it stays in memory. */
void souk_signing_secrets_wipe(souk_signing_secret *secrets, size_t count);

/* Appends one signature for each secret, with a space between. */
void souk_signature_write(const souk_signing_secret *secrets, size_t count, souk_text id,
                          int64_t timestamp_s, souk_text body, souk_buf *out);

#endif
