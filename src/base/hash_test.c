/* hash_test.c - hash.h against published vectors, libsodium and a CRC of one bit at a time. */
#include "base/hash.h"
#include "test/test.h"

#include <sodium.h>

static souk_hash_key counting_key(void)
{
    souk_hash_key key;
    for (unsigned i = 0; i < sizeof key.bytes; i++)
        key.bytes[i] = (unsigned char)i;
    return key;
}

static void fill_random(souk_test *test, void *to, size_t bytes)
{
    unsigned char *at = to;
    for (size_t i = 0; i < bytes; i++)
        at[i] = (unsigned char)test_random(test, 256);
}

SOUK_TEST("the 64-bit hash is SipHash-2-4 as its authors print it")
{
    /* Aumasson, Bernstein 2012, appendix A: key 00..0f, input 00..0e */
    souk_hash_key key = counting_key();
    unsigned char input[15];
    for (unsigned i = 0; i < sizeof input; i++)
        input[i] = (unsigned char)i;
    SOUK_CHECK(souk_hash64(&key, input, sizeof input) == 0xa129ca6149be45e5u);
}

SOUK_TEST("lists of parts that run together the same differ in their hash")
{
    souk_hash_key key = counting_key();
    souk_text lists[][3] = {
        {SOUK_TEXT("ab"), SOUK_TEXT("c"), SOUK_TEXT("")},
        {SOUK_TEXT("a"), SOUK_TEXT("bc"), SOUK_TEXT("")},
        {SOUK_TEXT(""), SOUK_TEXT("ab"), SOUK_TEXT("c")},
        {SOUK_TEXT("abc"), {NULL, 0}, {NULL, 0}},
    };
    souk_hash128 seen[16];
    size_t seen_count = 0;
    for (size_t list = 0; list < 4; list++)
        for (size_t parts = 0; parts <= 3; parts++)
            if (parts > 0 || list == 0)
                seen[seen_count++] = souk_hash128_of(&key, lists[list], parts);
    for (size_t i = 0; i < seen_count; i++)
        for (size_t j = 0; j < i; j++)
            SOUK_CHECK(!souk_hash128_equal(seen[i], seen[j]));
    souk_hash_key other = key;
    other.bytes[15] ^= 1;
    SOUK_CHECK(!souk_hash128_equal(souk_hash128_of(&other, lists[0], 3), seen[3]));
}

/* The model of the header's Shape; glued plants the error of leaving the lengths out. */
static souk_hash128 model128(const souk_hash_key *key, const souk_text *parts, size_t count,
                             bool glued)
{
    souk_buf list = {0};
    for (size_t i = 0; i < count; i++) {
        unsigned char length[8], inner[16];
        souk_put_u64(length, parts[i].bytes);
        if (!glued)
            souk_buf_append(&list, length, 8);
        crypto_shorthash_siphashx24(inner, (const unsigned char *)parts[i].at, parts[i].bytes,
                                    key->bytes);
        if (parts[i].bytes > 64)
            souk_buf_append(&list, inner, 16);
        else
            souk_buf_text(&list, parts[i]);
    }
    souk_hash128 hash;
    crypto_shorthash_siphashx24((unsigned char *)&hash, (unsigned char *)list.at, list.bytes,
                                key->bytes);
    souk_buf_done(&list);
    return hash;
}

SOUK_TEST("random lists hash as the header says")
{
    char bytes[300];
    int glued_agrees = 0;
    for (int round = 0; round < 2000; round++) {
        souk_hash_key key;
        fill_random(test, &key, sizeof key);
        fill_random(test, bytes, sizeof bytes);
        souk_text parts[SOUK_HASH_PARTS];
        size_t count = 1 + test_random(test, SOUK_HASH_PARTS);
        for (size_t i = 0; i < count; i++) {
            size_t from = test_random(test, 150);
            size_t length = test_random(test, 4) ? test_random(test, 20) : test_random(test, 150);
            parts[i] = (souk_text){bytes + from, length};
        }
        souk_hash128 hash = souk_hash128_of(&key, parts, count);
        SOUK_CHECK(souk_hash128_equal(hash, model128(&key, parts, count, false)));
        glued_agrees += souk_hash128_equal(hash, model128(&key, parts, count, true));
    }
    SOUK_CHECK(glued_agrees == 0);
}

SOUK_TEST("128-bit hashes sort as numbers")
{
    souk_hash128 rows[] = {{0, 0}, {1, 0}, {UINT64_MAX, 0}, {0, 1}, {5, 1}, {0, UINT64_MAX}};
    for (size_t i = 0; i < 6; i++)
        for (size_t j = 0; j < 6; j++)
            SOUK_CHECK(souk_hash128_compare(rows[i], rows[j]) == (i > j) - (i < j));
}

SOUK_TEST("one input bit changes about half of the mixed bits")
{
    uint64_t changed = 0;
    for (int round = 0; round < 10000; round++) {
        uint64_t number = test_random(test, 1000000);
        uint64_t other = number ^ (uint64_t)1 << test_random(test, 64);
        changed += (uint64_t)__builtin_popcountll(souk_mix64(number) ^ souk_mix64(other));
    }
    SOUK_CHECK(changed > 310000 && changed < 330000);
    SOUK_CHECK(souk_mix64(0) == 0);
}

/* One bit at a time; the polynomial is a parameter so that a wrong one can be planted. */
static uint32_t crc_model(uint32_t polynomial, const unsigned char *at, size_t bytes)
{
    uint32_t sum = ~0u;
    for (size_t i = 0; i < bytes; i++)
        for (int bit = 0; bit < 8; bit++) {
            uint32_t low = (sum ^ (uint32_t)(at[i] >> bit)) & 1;
            sum = (sum >> 1) ^ (low ? polynomial : 0);
        }
    return ~sum;
}

SOUK_TEST("the checksum of RFC 3720 comes out of both ways")
{
    unsigned char zeros[32] = {0}, ones[32];
    memset(ones, 0xff, sizeof ones);
    SOUK_CHECK(souk_crc32c(0, zeros, 32) == 0x8a9136aa);
    SOUK_CHECK(souk_crc32c(0, ones, 32) == 0x62a8ab43);
    SOUK_CHECK(souk_crc32c(0, "123456789", 9) == 0xe3069283);
    SOUK_CHECK(souk_crc32c_portable(0, zeros, 32) == 0x8a9136aa);
    SOUK_CHECK(souk_crc32c(0, NULL, 0) == 0);

    int wrong_agrees = 0;
    for (int round = 0; round < 2000; round++) {
        unsigned char bytes[200];
        fill_random(test, bytes, sizeof bytes);
        size_t from = test_random(test, 9), length = 1 + test_random(test, 190);
        size_t cut = test_random(test, length + 1);
        uint32_t model = crc_model(0x82f63b78, bytes + from, length);
        SOUK_CHECK(souk_crc32c(0, bytes + from, length) == model);
        SOUK_CHECK(souk_crc32c_portable(0, bytes + from, length) == model);
        uint32_t first = souk_crc32c(0, bytes + from, cut);
        SOUK_CHECK(souk_crc32c(first, bytes + from + cut, length - cut) == model);
        wrong_agrees += model == crc_model(0xedb88320, bytes + from, length);
    }
    SOUK_CHECK(wrong_agrees == 0);
}
