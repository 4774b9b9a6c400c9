/* signature_test.c - the vector of the standard's own library, and secrets as text. */
#include "test/test.h"

#include "serve/signature.h"

static const char vector_secret[] = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
static const char vector_id[] = "msg_p5jXN8AQM9LWM0D4loKWxJek";
static const char vector_body[] = "{\"test\": 2432232314}";
static const char vector_signature[] = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

static void check_signed(souk_test *test, const souk_signing_secret *secrets, size_t count,
                         const char *wanted)
{
    souk_auto_value(souk_buf) out = {.mem = test->mem};
    souk_signature_write(secrets, count, souk_text_of(vector_id), 1614265330,
                         souk_text_of(vector_body), &out);
    SOUK_MUST(souk_buf_check(&out));
    SOUK_CHECK_TEXT(souk_buf_view(&out), wanted);
}

SOUK_TEST("the signature is that of the standard's own library")
{
    souk_signing_secret secret;
    SOUK_MUST(souk_signing_secret_read(souk_text_of(vector_secret), &secret));
    check_signed(test, &secret, 1, vector_signature);
}

SOUK_TEST("while a secret is rotated each of them signs, the newest first")
{
    souk_signing_secret secrets[2];
    souk_auto_value(souk_buf) both = {.mem = test->mem};
    souk_signing_secret_make(&secrets[0]);
    SOUK_MUST(souk_signing_secret_read(souk_text_of(vector_secret), &secrets[1]));
    souk_signature_write(secrets, 2, souk_text_of(vector_id), 1614265330, souk_text_of(vector_body),
                         &both);
    SOUK_MUST(souk_buf_check(&both));
    souk_text rest = souk_buf_view(&both), first = souk_text_cut(&rest, ' ');
    SOUK_CHECK(first.bytes == strlen(vector_signature));
    SOUK_CHECK(!souk_text_equal(first, souk_text_of(vector_signature)));
    SOUK_CHECK_TEXT(rest, vector_signature);
}

SOUK_TEST("a secret is read as it was written, and nothing else is a secret")
{
    static const char *const none[] = {
        "",
        "whsec_",
        "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS",
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLa==",
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLa w",
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLa_w",
        "WHSEC_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    };
    for (unsigned i = 0; i < 100; i++) {
        souk_signing_secret secret, again;
        char text[SOUK_SIGNING_TEXT];
        souk_signing_secret_make(&secret);
        secret.bytes =
            SOUK_SIGNING_MADE + test_random(test, SOUK_SIGNING_BYTES - SOUK_SIGNING_MADE + 1);
        souk_signing_secret_write(&secret, text);
        SOUK_MUST(souk_signing_secret_read(souk_text_of(text), &again));
        SOUK_CHECK(again.bytes == secret.bytes && !memcmp(again.key, secret.key, secret.bytes));
        souk_signing_secrets_wipe(&secret, 1);
        SOUK_CHECK(secret.bytes == 0 && secret.key[0] == 0);
    }
    souk_signing_secret untouched = {.bytes = 77};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        SOUK_CHECK_ERR(souk_signing_secret_read(souk_text_of(none[i]), &untouched), SOUK_EINVAL);
    SOUK_CHECK(untouched.bytes == 77);
}
