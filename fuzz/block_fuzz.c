/* block_fuzz.c - any bytes as a block of the log: refused, or read within bounds.
 *
 * Each input is read as it stands, and once more with its CRC made right and its columns packed by zstd, or
 * nothing behind those two doors would ever be reached. */
#include "core/block.h"

#include <zstd.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

enum {
    AT_COUNT = 4,
    AT_EDGES = 12,
    AT_COLUMNS = 16,
    AT_RAW = 20,
    AT_CRC = 56,
    AT_EDGES_CRC = 60,
    RAW_MOST = 1 << 16,
    EDGE_HEAD = 6,
};

/* Where all events can be read, each is the same read alone; where not, what one says lies within the block. */
static void read_one(souk_text text, const souk_block *columns)
{
    souk_auto(souk_block) few = NULL;
    souk_auto_value(souk_arena) arena = {.mem = souk_mem_heap()};
    if (souk_block_read(souk_mem_heap(), text, SOUK_BLOCK_FEW, &few))
        return;
    for (size_t i = 0; i < few->count; i += 1 + few->count / 8) {
        souk_fact fact;
        const souk_fact_line *lines;
        souk_err err = souk_block_fact(few, few->first_position + i, &arena, &fact, &lines);
        if (!err)
            souk_assert((uint64_t)fact.sealed_at + fact.sealed_bytes <= few->sealed_bytes &&
                        fact.line_count <= few->line_count);
        if (columns)
            souk_assert(!err && fact.at == columns->facts[i].at &&
                        fact.amount_micro == columns->facts[i].amount_micro &&
                        fact.sealed_at == columns->facts[i].sealed_at &&
                        fact.line_count == columns->facts[i].line_count);
    }
}

static void read_block(souk_text text)
{
    souk_auto(souk_block) columns = NULL;
    souk_auto(souk_block) all = NULL;
    if (souk_block_read(souk_mem_heap(), text, SOUK_BLOCK_COLUMNS, &columns) == SOUK_OK)
        souk_assert(columns->count <= SOUK_BLOCK_EVENTS);
    read_one(text, columns);
    if (souk_block_read(souk_mem_heap(), text, SOUK_BLOCK_ALL, &all) == SOUK_OK)
        for (size_t i = 0; i < all->count; i++)
            souk_assert(all->facts[i].first_line + all->facts[i].line_count <= all->line_count);
}

/* The sum of as many edge heads as there are, from `at` on. */
static uint32_t edges_crc(const char *at, size_t bytes, uint32_t count)
{
    uint32_t crc = 0;
    for (; count && bytes >= EDGE_HEAD; count--) {
        size_t step = EDGE_HEAD + (size_t)souk_get_u16(at + 4);
        crc = souk_crc32c(crc, at, EDGE_HEAD);
        at += souk_min_size(step, bytes);
        bytes -= souk_min_size(step, bytes);
    }
    return crc;
}

static void mend_crc(char *block, size_t bytes)
{
    size_t head = SOUK_BLOCK_HEADER;
    uint64_t summed = souk_get_u32(block + AT_COLUMNS) +
                      (uint64_t)souk_get_u32(block + AT_COUNT) * SOUK_BLOCK_MESSAGE;
    if (summed > bytes - head)
        return;
    if (souk_get_u32(block + AT_EDGES_CRC)) /* 0 is an old block */
        souk_put_u32(block + AT_EDGES_CRC, edges_crc(block + head + summed, bytes - head - summed,
                                                     souk_get_u32(block + AT_EDGES)));
    souk_put_u32(block + AT_CRC, 0);
    souk_put_u32(block + AT_CRC, souk_crc32c(0, block, head + summed));
}

/* The input as header, raw columns (their size in the header's place for it), and the rest. */
static void read_packed(souk_text text)
{
    size_t head = SOUK_BLOCK_HEADER, raw = souk_get_u32(text.at + AT_RAW) % RAW_MOST;
    souk_auto_value(souk_buf) block = {.mem = souk_mem_heap()};
    if (raw > text.bytes - head)
        return;
    souk_buf_append(&block, text.at, head);
    char *room = souk_buf_room(&block, ZSTD_compressBound(raw));
    size_t packed = ZSTD_compress(room, ZSTD_compressBound(raw), text.at + head, raw, 1);
    souk_buf_added(&block, packed);
    souk_buf_append(&block, text.at + head + raw, text.bytes - head - raw);
    souk_put_u32(block.at + AT_COLUMNS, (uint32_t)packed);
    souk_put_u32(block.at + AT_RAW, (uint32_t)raw);
    mend_crc(block.at, block.bytes);
    read_block(souk_buf_view(&block));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    souk_text text = {(const char *)bytes, count};
    read_block(text);
    if (count < SOUK_BLOCK_HEADER)
        return 0;
    read_packed(text);
    souk_auto_value(souk_buf) mended = {.mem = souk_mem_heap()};
    souk_buf_text(&mended, text);
    mend_crc(mended.at, mended.bytes);
    read_block(souk_buf_view(&mended));
    return 0;
}
