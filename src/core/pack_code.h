/* pack_code.h - prefix codes from weights, and the bits they are written in.
 *
 *     souk_pack_code_lengths(weights, count, nodes, lengths);
 *     souk_pack_code_numbers(lengths, count, numbers);           for writing
 *     souk_pack_book_fill(lengths, count, &book);                for reading
 *
 * Canonical Huffman codes of at most 16 bits, first bit highest.  Weights are integers and ties fall
 * to the lower symbol, so every machine builds the same code.
 *
 * Cost     read: one table look-up for codes of up to 10 bits, a short search for longer ones
 * Source   Huffman 1952; canonical form: Schwartz and Kallick 1964
 * Threads  no state of their own */
#ifndef SOUK_CORE_PACK_CODE_H
#define SOUK_CORE_PACK_CODE_H

#include "base/text.h"

/* Symbols there can be; a book's entry keeps 12 bits for one. */
#define SOUK_PACK_SYMBOLS   3072
#define SOUK_PACK_CODE_MOST 16
#define SOUK_PACK_FAST_BITS 10

typedef struct souk_pack_book {
    uint16_t fast[1 << SOUK_PACK_FAST_BITS]; /* symbol * 16 + bits; 0: the code is longer */
    uint32_t end[SOUK_PACK_CODE_MOST + 1]; /* the first 16-bit window behind codes of this length */
    int32_t base[SOUK_PACK_CODE_MOST + 1]; /* order index of a code: base + code */
    uint16_t order[SOUK_PACK_SYMBOLS];     /* symbols by code */
} souk_pack_book;

/* A node of the tree while it is built; scratch of 2 * count of them. */
typedef struct souk_pack_node {
    uint64_t weight;
    uint32_t symbol, parent;
} souk_pack_node;

/* weights > 0, count in [2, SOUK_PACK_SYMBOLS]; lengths in [1, 16], Kraft's sum is at most 1. */
void souk_pack_code_lengths(const uint32_t *weights, size_t count, souk_pack_node *nodes,
                            uint8_t *lengths);
/* numbers[i] = code << 5 | length. */
void souk_pack_code_numbers(const uint8_t *lengths, size_t count, uint32_t *numbers);
void souk_pack_book_fill(const uint8_t *lengths, size_t count, souk_pack_book *book);

/* Writing: into storage with room for all the bits and 8 bytes more.  Whole bytes leave `hold` at
 * once and without a branch, which would be mispredicted half of the time. */
typedef struct souk_pack_writer {
    unsigned char *at;
    uint64_t hold; /* the lowest `held` bits are still to be counted in; at[0] shows them already */
    unsigned held; /* < 8 */
} souk_pack_writer;

/* The lowest `bits` of value, bits in [1, 56]; higher ones are zero. */
static inline void souk_pack_put(souk_pack_writer *to, uint64_t value, unsigned bits)
{
    to->hold = to->hold << bits | value;
    to->held += bits;
    souk_put_u64(to->at, __builtin_bswap64(to->hold << (64 - to->held)));
    to->at += to->held >> 3;
    to->held &= 7;
}

/* Reading: the next 57 bits at least, highest first; 8 bytes behind `bit` must be readable. */
static inline uint64_t souk_pack_window(const unsigned char *from, uint64_t bit)
{
    return __builtin_bswap64(souk_get_u64(from + (bit >> 3))) << (bit & 7);
}

/* The next `bits` bits, 1 to 57. */
static inline uint64_t souk_pack_take(const unsigned char *from, uint64_t *bit, unsigned bits)
{
    uint64_t value = souk_pack_window(from, *bit) >> (64 - bits);
    *bit += bits;
    return value;
}

/* Codes longer than the fast table's; SOUK_PACK_SYMBOLS where no code fits. */
unsigned souk_pack_book_slow(const souk_pack_book *book, uint64_t window, unsigned *ret_bits);

static inline unsigned souk_pack_book_read(const souk_pack_book *book, const unsigned char *from,
                                           uint64_t *bit)
{
    uint64_t window = souk_pack_window(from, *bit);
    unsigned entry = book->fast[window >> (64 - SOUK_PACK_FAST_BITS)];
    unsigned bits = entry & 15, symbol = entry >> 4;
    if (!entry)
        symbol = souk_pack_book_slow(book, window, &bits);
    *bit += bits;
    return symbol;
}

#endif
