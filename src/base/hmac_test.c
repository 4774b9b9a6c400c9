/* hmac_test.c - hmac.h against published vectors. */
#include "base/base64.h"
#include "base/hmac.h"
#include "test/test.h"

static void check(souk_test *test, souk_text secret, souk_text message, const char *hex)
{
    uint8_t mac[SOUK_HMAC_BYTES], expected[SOUK_HMAC_BYTES];
    souk_hmac_sha256(secret, message, mac);
    SOUK_CHECK(souk_unhex(souk_text_of(hex), expected, sizeof expected));
    SOUK_CHECK(souk_hmac_equal(mac, expected));
    for (size_t i = 0; i < sizeof mac; i++) {
        expected[i] ^= (uint8_t)(1u << test_random(test, 8));
        SOUK_CHECK(!souk_hmac_equal(mac, expected));
        expected[i] = mac[i];
    }
}

SOUK_TEST("the vectors of RFC 4231 come out, and one wrong bit is another signature")
{
    char twenty[20], long_key[131], dd[50];
    memset(twenty, 0x0b, sizeof twenty);
    memset(long_key, 0xaa, sizeof long_key);
    memset(dd, 0xdd, sizeof dd);
    check(test, (souk_text){twenty, 20}, SOUK_TEXT("Hi There"),
          "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    check(test, SOUK_TEXT("Jefe"), SOUK_TEXT("what do ya want for nothing?"),
          "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    check(test, (souk_text){long_key, 20}, (souk_text){dd, 50},
          "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe");
    check(test, (souk_text){long_key, 131},
          SOUK_TEXT("Test Using Larger Than Block-Size Key - Hash Key First"),
          "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
    check(test, (souk_text){NULL, 0}, (souk_text){NULL, 0},
          "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

SOUK_TEST("the signature of a hook comes out as its senders make it")
{
    uint8_t mac[SOUK_HMAC_BYTES];
    char text[SOUK_BASE64_BYTES(SOUK_HMAC_BYTES)];
    souk_hmac_sha256(SOUK_TEXT("hush"),
                     SOUK_TEXT("{\"id\":820982911946154508,\"email\":\"jon@example.com\"}"), mac);
    souk_base64_encode(mac, sizeof mac, SOUK_BASE64_STANDARD, text);
    SOUK_CHECK(!strcmp(text, "D0UMXmhjwBRi4y66TmhJrDlhQABD7zI2fm3p6/QLMo8="));
}
