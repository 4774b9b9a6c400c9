/* block_private.h - what the two directions of block.h share: the header, the order of the columns, the sums.
 *
 * Columns are varints, one column after another, each preceded by its length, then zstd level 1 over
 * all of them.  Money is stored as a mantissa and a count of stripped zeros: 15.30 is 15,300,000
 * millionths, stored as 1,530 and 4 in three bytes. */
#ifndef SOUK_CORE_BLOCK_PRIVATE_H
#define SOUK_CORE_BLOCK_PRIVATE_H

#include "core/block.h"

enum {
    BLOCK_MAGIC = 0x3142,
    BLOCK_VERSION = 2,
    BLOCK_LINES = 1 << 22,
    BLOCK_EDGES = SOUK_BLOCK_EVENTS * 8,
    EDGE_HEAD = 6
};
_Static_assert(sizeof(souk_hash128) == 16, "a hash is stored as it lies in memory");

/* One column each; the order is the format. */
enum column {
    COL_RECEIVED, /* difference to the one before */
    COL_AT,       /* received - at */
    COL_ATOM,
    COL_SOURCE,
    COL_TYPE,
    COL_STORE,
    COL_CURRENCY,
    COL_FLAGS,
    COL_AMOUNT, /* minus the sum of the lines' amounts */
    COL_SEALED,
    COL_LINES,
    COL_PRODUCT,
    COL_CATEGORY,
    COL_QUANTITY,
    COL_LINE_AMOUNT,
    COLUMNS
};

struct header {
    uint16_t magic, version;
    uint32_t count, line_count, edge_count;
    uint32_t columns_bytes, columns_raw_bytes, edges_bytes, sealed_bytes;
    uint64_t first_position;
    unsigned char prefix[SOUK_BLOCK_PREFIX];
    uint32_t crc;       /* of the header with 0 here, the columns and the messages */
    uint32_t edges_crc; /* of the edges' heads; 0: of none, or the block is older than this sum */
};
_Static_assert(sizeof(struct header) == SOUK_BLOCK_HEADER, "the header is stored as it lies");

/* Sums that wrap are fine here: writing subtracts what reading adds. */
static inline int64_t wrap_add(int64_t a, int64_t b)
{
    return (int64_t)((uint64_t)a + (uint64_t)b);
}

static inline int64_t wrap_subtract(int64_t a, int64_t b)
{
    return (int64_t)((uint64_t)a - (uint64_t)b);
}

/* The sum of the edges' heads as it stands in the header, where 0 tells that there is none. */
static inline uint32_t block_edges_crc(size_t edge_count, uint32_t crc)
{
    return edge_count && crc == 0 ? 1 : crc;
}

static inline uint32_t block_crc(const struct header *header, const void *columns,
                                 const void *messages)
{
    struct header without = *header;
    without.crc = 0;
    uint32_t crc = souk_crc32c(0, &without, sizeof without);
    crc = souk_crc32c(crc, columns, header->columns_bytes);
    return souk_crc32c(crc, messages, (size_t)header->count * SOUK_BLOCK_MESSAGE);
}

#endif
