/* hash.c - SipHash through libsodium, and two ways to one CRC-32C. */
#include "base/hash.h"

#include <sodium.h>

_Static_assert(sizeof(souk_hash_key) == crypto_shorthash_siphash24_KEYBYTES &&
                   sizeof(souk_hash_key) == crypto_shorthash_siphashx24_KEYBYTES,
               "one key serves both lengths");
_Static_assert(sizeof(souk_hash128) == crypto_shorthash_siphashx24_BYTES, "two words");

uint64_t souk_hash64(const souk_hash_key *key, const void *from, size_t bytes)
{
    unsigned char out[crypto_shorthash_siphash24_BYTES];
    crypto_shorthash_siphash24(out, from, bytes, key->bytes);
    return souk_get_u64(out);
}

static void sip128(const souk_hash_key *key, const void *from, size_t bytes, unsigned char out[16])
{
    crypto_shorthash_siphashx24(out, from, bytes, key->bytes);
}

souk_hash128 souk_hash128_of(const souk_hash_key *key, const souk_text *parts, size_t part_count)
{
    souk_assert(part_count <= SOUK_HASH_PARTS);
    unsigned char list[SOUK_HASH_PARTS * (8 + SOUK_HASH_INLINE_BYTES)];
    size_t used = 0;
    for (size_t i = 0; i < part_count; i++) {
        souk_put_u64(list + used, parts[i].bytes);
        used += 8;
        if (parts[i].bytes > SOUK_HASH_INLINE_BYTES) {
            sip128(key, parts[i].at, parts[i].bytes, list + used);
            used += sizeof(souk_hash128);
        } else if (parts[i].bytes) {
            memcpy(list + used, parts[i].at, parts[i].bytes);
            used += parts[i].bytes;
        }
    }
    unsigned char out[16];
    sip128(key, list, used, out);
    return (souk_hash128){souk_get_u64(out), souk_get_u64(out + 8)};
}

/* Eight bytes at once: crc_tables[n][b] is the effect of byte b with n more bytes behind it. */
static uint32_t crc_tables[8][256];
static bool crc_in_hardware;

__attribute__((constructor)) static void crc_choose(void)
{
    for (uint32_t byte = 0; byte < 256; byte++) {
        uint32_t sum = byte;
        for (int bit = 0; bit < 8; bit++)
            sum = (sum >> 1) ^ (sum & 1 ? 0x82F63B78u : 0); /* the polynomial, bits reversed */
        crc_tables[0][byte] = sum;
    }
    for (int n = 1; n < 8; n++)
        for (uint32_t byte = 0; byte < 256; byte++) {
            uint32_t sum = crc_tables[n - 1][byte];
            crc_tables[n][byte] = (sum >> 8) ^ crc_tables[0][sum & 255];
        }
#ifdef __x86_64__
    __builtin_cpu_init();
    crc_in_hardware = __builtin_cpu_supports("sse4.2");
#endif
}

uint32_t souk_crc32c_portable(uint32_t before, const void *from, size_t bytes)
{
    const unsigned char *at = from;
    uint32_t sum = ~before;
    for (; bytes >= 8; at += 8, bytes -= 8) {
        uint64_t word = souk_get_u64(at) ^ sum;
        sum = 0;
        for (int n = 0; n < 8; n++)
            sum ^= crc_tables[7 - n][(word >> (8 * n)) & 255];
    }
    for (; bytes; at++, bytes--)
        sum = (sum >> 8) ^ crc_tables[0][(sum ^ *at) & 255];
    return ~sum;
}

#ifdef __x86_64__
__attribute__((target("sse4.2"))) static uint32_t
crc_hardware(uint32_t before, const unsigned char *at, size_t bytes)
{
    uint64_t sum = ~before;
    for (; bytes >= 8; at += 8, bytes -= 8)
        sum = __builtin_ia32_crc32di(sum, souk_get_u64(at));
    uint32_t tail = (uint32_t)sum;
    for (; bytes; at++, bytes--)
        tail = __builtin_ia32_crc32qi(tail, *at);
    return ~tail;
}
#endif

uint32_t souk_crc32c(uint32_t before, const void *from, size_t bytes)
{
#ifdef __x86_64__
    if (crc_in_hardware)
        return crc_hardware(before, from, bytes);
#endif
    return souk_crc32c_portable(before, from, bytes);
}
