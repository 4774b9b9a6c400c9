/* run_file.h - private to runs: a file of sorted pairs, written front to back and then only read.
 *
 *     { head 4096 | filter | first keys | first values | block offsets | blocks }
 *
 * head      little endian: 0 magic "SoukRun1", 8 version u32 = 1, 12 flags u32 (bit 0: filter),
 *           16 pairs u64, 24 room u64 (the pairs that the parts before the blocks have room for),
 *           32 bytes of all blocks u64, 40 greatest key, 48 least value, 56 greatest value,
 *           64 CRC-32C of filter, 68 of first keys, 72 of first values, 76 of offsets,
 *           80 of bytes 0 to 79
 * filter    souk_bloom_bytes(room, 12) bytes, or none
 * index     uint64_t first_key[], uint64_t first_value[], uint32_t offset[] (in 8 bytes from the
 *           start of the blocks), each with room for ceil(room / 128), filled to ceil(pairs / 128)
 * block     128 pairs (the last one fewer): CRC-32C of what follows u32, key_bits u8,
 *           value_bits u8, 2 zero, least value u64, then (key - first key) in key_bits each, from
 *           the next whole byte (value - least value) in value_bits each, up to a multiple of 8
 *
 * Every part but the last starts at a multiple of 64.  16 zero bytes end the file.
 *
 * Fixed widths, not gaps: the keys of a block cost about 6 bits a pair more than as gaps, and a
 * lookup reads the three or four pairs it compares instead of unpacking 128. */
#ifndef SOUK_CORE_RUN_FILE_H
#define SOUK_CORE_RUN_FILE_H

#include "algo/bloom.h"
#include "core/run_table.h"
#include "os/disk.h"

enum {
    SOUK_RUN_BLOCK = 128,      /* pairs */
    SOUK_RUN_HEAD_BYTES = 84,  /* of 4096 */
    SOUK_RUN_BLOCK_HEAD = 16,  /* bytes */
    SOUK_RUN_END = 16,         /* zero bytes after the last block: numbers are read 9 bytes wide */
    SOUK_RUN_FILTER_BITS = 12, /* a pair */
};
/* Above this, files are no longer merged; block offsets stay below 2^32 in any case. */
#define SOUK_RUN_PAIRS_MOST ((uint64_t)1 << 31)

/* Where the parts lie; follows from room and the filter flag. */
typedef struct souk_run_layout {
    uint64_t filter_at, filter_bytes, keys_at, values_at, offsets_at, blocks_at;
} souk_run_layout;
souk_run_layout souk_run_layout_of(uint64_t room, bool filter);

/* ---- writing ---------------------------------------------------------------------------- */

typedef struct souk_run_maker souk_run_maker;

/* Begins a file for at most `room` pairs, replacing what has the name. */
SOUK_CHECKED souk_err souk_run_maker_new(souk_mem *mem, souk_disk *disk, const char *name,
                                         uint64_t room, bool filter, souk_run_maker **ret_maker);
void souk_run_maker_free(souk_run_maker *maker);
SOUK_AUTO(souk_run_maker)
/* Pairs come in ascending order; one equal to the last is dropped. */
SOUK_CHECKED souk_err souk_run_maker_add(souk_run_maker *maker, souk_run_pair pair);
/* Writes what is left and syncs the file (not its name). */
SOUK_CHECKED souk_err souk_run_maker_finish(souk_run_maker *maker);
size_t souk_run_maker_bytes(void);

/* ---- reading ---------------------------------------------------------------------------- */

typedef struct souk_run_file {
    souk_mem *mem;
    souk_disk *disk;
    const unsigned char *at; /* the mapped file */
    uint64_t bytes, pairs, block_count, block_bytes;
    uint64_t greatest_key, least_value, greatest_value;
    const uint64_t *first_keys, *first_values; /* [block_count] */
    const uint32_t *offsets;                   /* [block_count] */
    const unsigned char *blocks;               /* [block_bytes] */
    souk_bloom filter;                         /* no words: none */
    double blocks_per_key;                     /* for the first guess of a search */
    uint64_t *checked; /* atomic, a bit a block: its CRC was seen to be right */
    uint32_t refs;     /* atomic */
    uint32_t tier;
    uint64_t number;
} souk_run_file;

/* Maps a finished file and checks all but its blocks.  SOUK_ECORRUPT also where it is missing. */
SOUK_CHECKED souk_err souk_run_file_open(souk_mem *mem, souk_disk *disk, const char *name,
                                         souk_run_file **ret_file);
souk_run_file *souk_run_file_hold(souk_run_file *file);
/* Gives a reference back; the last one unmaps. */
void souk_run_file_free(souk_run_file *file);
SOUK_AUTO(souk_run_file)

/* One block's bytes, checked. */
typedef struct souk_run_block {
    const unsigned char *keys, *values;
    uint64_t first_key, least_value;
    unsigned key_bits, value_bits, count;
} souk_run_block;
SOUK_CHECKED souk_err souk_run_file_block(const souk_run_file *file, uint64_t index,
                                          souk_run_block *ret_block);

/* bits in [0, 64] from bit number `at`; reads up to 9 bytes. */
static inline uint64_t souk_run_bits(const unsigned char *from, size_t at, unsigned bits)
{
    unsigned shift = at & 7;
    uint64_t word;
    memcpy(&word, from + at / 8, sizeof word);
    word >>= shift;
    if (shift + bits > 64)
        word |= (uint64_t)from[at / 8 + 8] << (64 - shift);
    return bits < 64 ? word & (((uint64_t)1 << bits) - 1) : word;
}
static inline uint64_t souk_run_block_key(const souk_run_block *block, size_t i)
{
    return block->first_key + souk_run_bits(block->keys, i * block->key_bits, block->key_bits);
}
static inline uint64_t souk_run_block_value(const souk_run_block *block, size_t i)
{
    return block->least_value +
           souk_run_bits(block->values, i * block->value_bits, block->value_bits);
}

/* The pair with the greatest value of the key below `before`: its number in the file and its value;
 * false where there is none.  Reads one block, or none. */
SOUK_CHECKED souk_err souk_run_file_below(const souk_run_file *file, uint64_t key, uint64_t before,
                                          uint64_t *ret_index, uint64_t *ret_value,
                                          bool *ret_found);
/* The value of pair `index` if it is of this key. */
SOUK_CHECKED souk_err souk_run_file_value(const souk_run_file *file, uint64_t index, uint64_t key,
                                          uint64_t *ret_value, bool *ret_found);
/* For keys[count], at most 64, the greatest value or none (UINT64_MAX). */
SOUK_CHECKED souk_err souk_run_file_find_some(const souk_run_file *file, const uint64_t *keys,
                                              size_t count, uint64_t *ret_values);
/* Reads all, checks every CRC, the order, the index, and that the filter lets each key pass. */
SOUK_CHECKED souk_err souk_run_file_verify(const souk_run_file *file);

#endif
