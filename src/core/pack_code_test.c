/* pack_code_test.c - the codes against a reader of one bit at a time, and against the entropy. */
#include "core/pack_code.h"
#include "test/test.h"

#include <math.h>

#define MOST 3000

typedef struct codes {
    uint32_t weights[MOST];
    uint8_t lengths[MOST];
    uint32_t numbers[MOST];
    souk_pack_node nodes[2 * MOST];
    souk_pack_book book;
} codes;

static codes *make(souk_test *test, size_t count, unsigned steep)
{
    codes *c = souk_mem_get(test->mem, sizeof *c);
    SOUK_CHECK(c);
    for (size_t i = 0; i < count; i++)
        c->weights[i] =
            (uint32_t)(1 +
                       (test_random(test, UINT64_C(1) << 32) >> test_random(test, steep + 1)) / 2);
    souk_pack_code_lengths(c->weights, count, c->nodes, c->lengths);
    souk_pack_code_numbers(c->lengths, count, c->numbers);
    souk_pack_book_fill(c->lengths, count, &c->book);
    return c;
}

/* Which symbol's code the bits begin with, by looking at all of them. */
static size_t read_dumb(const codes *c, size_t count, const unsigned char *from, uint64_t bit)
{
    uint32_t code = 0;
    for (unsigned bits = 1; bits <= SOUK_PACK_CODE_MOST; bits++, bit++) {
        code = code << 1 | ((unsigned)from[bit >> 3] >> (7 - (bit & 7)) & 1u);
        for (size_t i = 0; i < count; i++)
            if (c->lengths[i] == bits && c->numbers[i] >> 5 == code)
                return i;
    }
    return SOUK_PACK_SYMBOLS;
}

SOUK_TEST("what is written in codes and numbers is read back, as a dumb reader reads it")
{
    for (int round = 0; round < 12; round++) {
        size_t count = 2 + test_random(test, round % 2 ? 40 : 1000);
        codes *c = make(test, count, (unsigned)round * 3);
        unsigned char bytes[8192] = {0};
        size_t symbols[300];
        uint64_t numbers[300];
        souk_pack_writer to = {.at = bytes};
        for (size_t i = 0; i < 300; i++) {
            unsigned bits = 1 + (unsigned)(i % 56);
            symbols[i] = test_random(test, count);
            numbers[i] = test_random(test, UINT64_C(1) << bits);
            souk_pack_put(&to, c->numbers[symbols[i]] >> 5, c->numbers[symbols[i]] & 31);
            souk_pack_put(&to, numbers[i], bits);
        }
        uint64_t bit = 0;
        for (size_t i = 0; i < 300; i++) {
            SOUK_CHECK(read_dumb(c, count, bytes, bit) == symbols[i]);
            SOUK_CHECK(souk_pack_book_read(&c->book, bytes, &bit) == symbols[i]);
            SOUK_CHECK(souk_pack_take(bytes, &bit, 1 + (unsigned)(i % 56)) == numbers[i]);
        }
        souk_mem_put(test->mem, c);
    }
}

SOUK_TEST("codes have at most 16 bits, fill the space, and are near the entropy")
{
    for (int round = 0; round < 30; round++) {
        size_t count = 2 + test_random(test, MOST - 2);
        codes *c = make(test, count, (unsigned)round);
        double total = 0, bits = 0, entropy = 0;
        uint64_t space = 0;
        for (size_t i = 0; i < count; i++)
            total += c->weights[i];
        for (size_t i = 0; i < count; i++) {
            SOUK_CHECK(c->lengths[i] >= 1 && c->lengths[i] <= SOUK_PACK_CODE_MOST);
            space += UINT64_C(1) << (SOUK_PACK_CODE_MOST - c->lengths[i]);
            double share = c->weights[i] / total;
            bits += share * c->lengths[i];
            entropy -= share * log2(share);
        }
        SOUK_CHECK(space <= UINT64_C(1) << SOUK_PACK_CODE_MOST);
        SOUK_CHECK(bits >= entropy - 1e-9 && bits < entropy + 1);
        souk_mem_put(test->mem, c);
    }
}

SOUK_TEST("bits that begin no code are told from symbols")
{
    souk_pack_book *book = souk_mem_get(test->mem, sizeof *book);
    SOUK_CHECK(book);
    const uint8_t lengths[3] = {2, 3, 12};
    souk_pack_book_fill(lengths, 3, book);
    unsigned char ones[16];
    memset(ones, 0xff, sizeof ones);
    uint64_t bit = 0;
    SOUK_CHECK(souk_pack_book_read(book, ones, &bit) == SOUK_PACK_SYMBOLS);
    souk_mem_put(test->mem, book);
}
