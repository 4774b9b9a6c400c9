/* pack_table.h - pack_words.h made ready for use: symbols, their codes at each place, a matcher.
 *
 *     const souk_pack_table *table = souk_pack_table_get();      the process has one
 *     unsigned bytes, symbol = souk_pack_table_longest(table, at, &bytes);
 *
 * Symbols  0 to 255 are the bytes themselves, then SYM_…, then pairs of digits and words
 * Cost     the first get of a process: some milliseconds; longest: two look-ups
 * Memory   about 0.9 MiB of the process, never written again
 * Threads  any */
#ifndef SOUK_CORE_PACK_TABLE_H
#define SOUK_CORE_PACK_TABLE_H

#include "core/pack_code.h"
#include "core/pack_words.h"

enum {
    SYM_FOLLOW = 256, /* the join and the key that came after the last key the time before */
    SYM_UUID4,        /* 122 bits: a random UUID in small letters */
    SYM_UUID4_UPPER,  /* 122 bits: in capitals */
    SYM_UUID,         /* 128 bits: any other in small letters */
    SYM_STAMP,        /* 42 bits: 2026-01-02T03:04:05.678Z */
    SYM_STAMP_NEAR,   /* the same, as a difference to the last time in this text */
    SYM_MICRO,        /* 42 and 10 bits: 2026-01-02T03:04:05.678901+00:00 */
    SYM_MICRO_NEAR,   /* the same, as a difference of milliseconds */
    SYM_MILLI,        /* 42 bits: 1767323045678 */
    SYM_MILLI_NEAR,   /* the same, as a difference */
    SYM_HEX,          /* 3 bits count of 8 digits less 2, 1 bit capitals, 32 bits each */
    SYM_COPY,         /* distance and length of bytes that stood before */
    SYM_HAN,          /* 15 bits: a character from U+4E00 */
    SYM_PHRASE        /* the first of the phrases */
};

/* Longest phrase, in bytes; text given to souk_pack_table_longest is readable so far and 8 more. */
#define SOUK_PACK_PHRASE_MOST 127

typedef struct souk_pack_symbol {
    uint32_t at; /* in the pool, from where 16-byte steps may be copied */
    uint8_t bytes, kind;
    uint8_t next[2]; /* the place behind it; [1] inside of a number */
    uint8_t group;   /* of a key: where the keys behind it are looked up */
    bool joins, keys;
    bool closes; /* of a join: two levels end, so that a key of the top is likely */
} souk_pack_symbol;

/* What came after a key: a join (0 where the key ends at a key itself), and the next key (0: none). */
typedef struct souk_pack_follow {
    uint16_t join, key;
} souk_pack_follow;

/* A phrase as the matcher sees it: its first 8 bytes under a mask. */
typedef struct souk_pack_match {
    uint64_t head, mask;
    uint32_t at, weight;
    uint16_t symbol, slot;
    uint8_t bytes;
    bool last; /* of its slot */
} souk_pack_match;

#define SOUK_PACK_SLOT_BITS 13

typedef struct souk_pack_table {
    size_t symbol_count, match_count, pool_bytes;
    souk_pack_symbol symbols[SOUK_PACK_SYMBOLS];
    souk_pack_follow follows[SOUK_PACK_SYMBOLS];   /* by key: the first guess; [0] is the start's */
    uint32_t numbers[AT_COUNT][SOUK_PACK_SYMBOLS]; /* see souk_pack_code_numbers */
    souk_pack_book books[AT_COUNT];
    souk_pack_match matches[SOUK_PACK_SYMBOLS];     /* by slot, the longest first */
    uint16_t long_slots[1 << SOUK_PACK_SLOT_BITS];  /* by 4 bytes: matches index + 1 */
    uint16_t short_slots[1 << SOUK_PACK_SLOT_BITS]; /* by 2 bytes: phrases of 2 and 3 bytes */
    char pool[1 << 15];
} souk_pack_table;

const souk_pack_table *souk_pack_table_get(void);

static inline uint32_t souk_pack_slot(uint32_t head)
{
    return head * UINT32_C(2654435761) >> (32 - SOUK_PACK_SLOT_BITS);
}

/* Are the bytes equal?  8 at least; eight at a time, the last eight overlapping. */
static inline bool souk_pack_same(const char *a, const char *b, size_t bytes)
{
    for (size_t i = 0; i + 8 < bytes; i += 8)
        if (souk_get_u64(a + i) != souk_get_u64(b + i))
            return false;
    return souk_get_u64(a + bytes - 8) == souk_get_u64(b + bytes - 8);
}

static inline unsigned souk_pack_slot_find(const souk_pack_table *table, unsigned slot,
                                           const char *at, uint64_t head, unsigned *ret_bytes)
{
    if (!slot)
        return 0;
    for (const souk_pack_match *match = &table->matches[slot - 1];; match++) {
        if (!((head ^ match->head) & match->mask) &&
            (match->bytes <= 8 || souk_pack_same(at, table->pool + match->at, match->bytes))) {
            *ret_bytes = match->bytes;
            return match->symbol;
        }
        if (match->last)
            return 0;
    }
}

/* The longest phrase at `at`; 0 where there is none. */
static inline unsigned souk_pack_table_longest(const souk_pack_table *table, const char *at,
                                               unsigned *ret_bytes)
{
    uint64_t head = souk_get_u64(at);
    unsigned found = souk_pack_slot_find(table, table->long_slots[souk_pack_slot((uint32_t)head)],
                                         at, head, ret_bytes);
    if (found)
        return found;
    return souk_pack_slot_find(table, table->short_slots[souk_pack_slot((uint32_t)head & 0xffff)],
                               at, head, ret_bytes);
}

#endif
