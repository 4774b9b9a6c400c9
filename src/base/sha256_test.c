/* sha256_test.c - the standard's own examples. */
#include "base/sha256.h"
#include "test/test.h"

static bool is_sum(const unsigned char sum[SOUK_SHA256_BYTES], const char *hex)
{
    char text[2 * SOUK_SHA256_BYTES + 1];
    for (size_t i = 0; i < SOUK_SHA256_BYTES; i++) {
        text[2 * i] = "0123456789abcdef"[sum[i] >> 4];
        text[2 * i + 1] = "0123456789abcdef"[sum[i] & 15];
    }
    text[sizeof text - 1] = '\0';
    return souk_text_equal(souk_text_of(text), souk_text_of(hex));
}

/* NIST's examples for SHA-256: the empty message, one block, two blocks. */
SOUK_TEST("SHA-256 gives the sums of the standard's examples, in one part or several")
{
    unsigned char sum[SOUK_SHA256_BYTES];
    souk_sha256(NULL, 0, sum);
    SOUK_CHECK(is_sum(sum, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"));
    souk_text one[] = {SOUK_TEXT("abc")},
              three[] = {SOUK_TEXT("a"), SOUK_TEXT(""), SOUK_TEXT("bc")};
    souk_sha256(one, 1, sum);
    SOUK_CHECK(is_sum(sum, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"));
    souk_sha256(three, 3, sum);
    SOUK_CHECK(is_sum(sum, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"));
    souk_text two[] = {SOUK_TEXT("abcdbcdecdefdefgefghfghighijhijk"),
                       SOUK_TEXT("ijkljklmklmnlmnomnopnopq")};
    souk_sha256(two, 2, sum);
    SOUK_CHECK(is_sum(sum, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"));
}
