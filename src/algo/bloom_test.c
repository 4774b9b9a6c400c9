/* bloom_test.c - never a false no, few false yeses, and the batch says what the single call says. */
#include "algo/bloom.h"
#include "test/test.h"

static souk_bloom filter_of(souk_test *test, const uint64_t *keys, size_t count, unsigned bits)
{
    size_t bytes = souk_bloom_bytes(count, bits);
    void *at = souk_mem_get(test->mem, bytes);
    SOUK_CHECK(at);
    souk_bloom filter = souk_bloom_over(at, bytes);
    for (size_t i = 0; i < count; i++)
        souk_bloom_add(&filter, keys[i]);
    return filter;
}

static uint64_t *random_keys(souk_test *test, size_t count)
{
    uint64_t *keys = souk_mem_array(test->mem, count, sizeof *keys);
    SOUK_CHECK(keys);
    for (size_t i = 0; i < count; i++)
        keys[i] = test_random(test, 0);
    return keys;
}

/* How many of `keys` the filter denies: must be none. */
static size_t denied(const souk_bloom *filter, const uint64_t *keys, size_t count)
{
    size_t no = 0;
    for (size_t i = 0; i < count; i++)
        no += !souk_bloom_maybe(filter, keys[i]);
    return no;
}

SOUK_TEST("a filter never denies a key that was added, at any size")
{
    for (size_t count = 1; count < 20000; count = count * 3 + test_random(test, 3)) {
        uint64_t *keys = random_keys(test, count);
        souk_bloom filter = filter_of(test, keys, count, 12);
        SOUK_CHECK(denied(&filter, keys, count) == 0);
        souk_mem_put(test->mem, filter.words);
        souk_mem_put(test->mem, keys);
    }
}

SOUK_TEST("a bit cleared in the filter is noticed")
{
    uint64_t *keys = random_keys(test, 5000);
    souk_bloom filter = filter_of(test, keys, 5000, 12);
    uint64_t *word = filter.words + souk_bloom_block(keys[7], filter.block_count) * 8;
    for (int i = 0; i < 8; i++)
        word[i] = 0;
    SOUK_CHECK(denied(&filter, keys, 5000) > 0);
    souk_mem_put(test->mem, filter.words);
    souk_mem_put(test->mem, keys);
}

SOUK_TEST("at 12 bits a key fewer than 7 in 1,000 strangers pass, at 16 fewer than 2, at 8 fewer "
          "than 30")
{
    static const struct {
        unsigned bits;
        size_t most;
    } cases[] = {{8, 6000}, {12, 1400}, {16, 400}};
    enum { COUNT = 200000 };
    uint64_t *keys = random_keys(test, COUNT), *strangers = random_keys(test, COUNT);
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        souk_bloom filter = filter_of(test, keys, COUNT, cases[c].bits);
        size_t passed = COUNT - denied(&filter, strangers, COUNT);
        SOUK_CHECK(passed < cases[c].most);
        SOUK_CHECK(passed > 0);
        souk_mem_put(test->mem, filter.words);
    }
    souk_mem_put(test->mem, strangers);
    souk_mem_put(test->mem, keys);
}

SOUK_TEST("the batch answers as the single call does, for every count")
{
    uint64_t *keys = random_keys(test, 1000);
    souk_bloom filter = filter_of(test, keys, 500, 4);
    uint8_t maybe[1000];
    for (size_t count = 0; count <= 1000; count = count * 2 + 1) {
        size_t from = test_random(test, 1001 - count), expected = 0;
        size_t yes = souk_bloom_maybe_batch(&filter, keys + from, count, maybe);
        for (size_t i = 0; i < count; i++) {
            SOUK_CHECK(maybe[i] == souk_bloom_maybe(&filter, keys[from + i]));
            expected += maybe[i];
        }
        SOUK_CHECK(yes == expected);
    }
    souk_mem_put(test->mem, filter.words);
    souk_mem_put(test->mem, keys);
}

SOUK_TEST("blocks stand in the order of their keys")
{
    uint64_t before = 0;
    for (uint64_t i = 0; i < 5000; i++) {
        uint64_t key = UINT64_MAX / 5000 * i;
        uint64_t block = souk_bloom_block(key, 977);
        SOUK_CHECK(block >= before && block < 977);
        before = block;
    }
    SOUK_CHECK(souk_bloom_block(UINT64_MAX, 977) == 976);
    SOUK_CHECK(souk_bloom_block(0, 977) == 0);
}

SOUK_TEST("sizes are whole blocks, and what does not fit is 0")
{
    SOUK_CHECK(souk_bloom_bytes(0, 12) == 64);
    SOUK_CHECK(souk_bloom_bytes(42, 12) == 64);
    SOUK_CHECK(souk_bloom_bytes(43, 12) == 128);
    SOUK_CHECK(souk_bloom_bytes(UINT64_MAX, 12) == 0);
}
