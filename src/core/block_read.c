/* block_read.c - reads the bytes of block.h: all events of a block, or one. */
#include "core/block_private.h"
#include "os/thread.h"

#include <zstd.h>

static bool get_money(const unsigned char **at, const unsigned char *end, int64_t *ret_micro)
{
    static const int64_t powers[7] = {1, 10, 100, 1000, 10000, 100000, 1000000};
    uint64_t folded;
    if (!souk_varint_read(at, end, &folded))
        return false;
    if ((folded & 7) == 7) {
        uint64_t whole;
        if (folded != 7 || !souk_varint_read(at, end, &whole))
            return false;
        *ret_micro = souk_unzigzag(whole);
        return true;
    }
    return !__builtin_mul_overflow(souk_unzigzag(folded >> 3), powers[folded & 7], ret_micro);
}

/* ---- reading --------------------------------------------------------------------------------- */

static souk_err read_header(const void *bytes, struct header *ret_header)
{
    memcpy(ret_header, bytes, sizeof *ret_header);
    const struct header *h = ret_header;
    if (h->magic != BLOCK_MAGIC)
        return SOUK_ECORRUPT;
    if (h->version != BLOCK_VERSION)
        return SOUK_EVERSION;
    if (h->count > SOUK_BLOCK_EVENTS || h->line_count > BLOCK_LINES ||
        h->edge_count > BLOCK_EDGES || h->columns_raw_bytes > (uint32_t)1 << 28)
        return SOUK_ECORRUPT;
    return SOUK_OK;
}

souk_err souk_block_head_bytes(const void *header, size_t *ret_bytes)
{
    struct header h;
    SOUK_TRY(read_header(header, &h));
    *ret_bytes = SOUK_BLOCK_HEADER + (size_t)h.columns_bytes + (size_t)h.count * SOUK_BLOCK_MESSAGE;
    return SOUK_OK;
}

/* A column being read: where it stands and where it ends; `bad` is sticky. */
struct reader {
    const unsigned char *at[COLUMNS], *end[COLUMNS];
    bool bad;
};

static uint64_t take(struct reader *reader, enum column column)
{
    uint64_t v = 0;
    if (!souk_varint_read(&reader->at[column], reader->end[column], &v))
        reader->bad = true;
    return v;
}

static uint32_t take_u32(struct reader *reader, enum column column)
{
    uint64_t v = take(reader, column);
    if (v > UINT32_MAX)
        reader->bad = true;
    return (uint32_t)v;
}

static int64_t take_money(struct reader *reader, enum column column)
{
    int64_t micro = 0;
    if (!get_money(&reader->at[column], reader->end[column], &micro))
        reader->bad = true;
    return micro;
}

static souk_err split_columns(const unsigned char *raw, size_t bytes, struct reader *reader)
{
    const unsigned char *at = raw, *end = raw + bytes;
    for (size_t i = 0; i < COLUMNS; i++) {
        uint64_t column_bytes;
        if (!souk_varint_read(&at, end, &column_bytes) || column_bytes > (size_t)(end - at))
            return SOUK_ECORRUPT;
        reader->at[i] = at;
        reader->end[i] = at += column_bytes;
    }
    return at == end ? SOUK_OK : SOUK_ECORRUPT;
}

/* All but its place and its lines; `received` is that of the event before. */
static void read_fact(struct reader *reader, souk_fact *fact)
{
    fact->received = wrap_add(fact->received, souk_unzigzag(take(reader, COL_RECEIVED)));
    fact->at = wrap_subtract(fact->received, souk_unzigzag(take(reader, COL_AT)));
    fact->atom = take_u32(reader, COL_ATOM);
    fact->source = take_u32(reader, COL_SOURCE);
    fact->type = take_u32(reader, COL_TYPE);
    fact->store = take_u32(reader, COL_STORE);
    fact->currency = take_u32(reader, COL_CURRENCY) & 0xffffff;
    fact->flags = (uint8_t)take(reader, COL_FLAGS);
    fact->amount_micro = take_money(reader, COL_AMOUNT);
    fact->sealed_bytes = take_u32(reader, COL_SEALED);
    fact->line_count = take_u32(reader, COL_LINES);
}

static void read_lines(struct reader *reader, souk_fact_line *lines, souk_fact *fact)
{
    for (size_t i = 0; i < fact->line_count && !reader->bad; i++) {
        lines[i].product = take_u32(reader, COL_PRODUCT);
        lines[i].category = take_u32(reader, COL_CATEGORY);
        lines[i].quantity_micro = take_money(reader, COL_QUANTITY);
        lines[i].amount_micro = take_money(reader, COL_LINE_AMOUNT);
        fact->amount_micro = wrap_add(fact->amount_micro, lines[i].amount_micro);
    }
}

static souk_err read_facts(struct reader *reader, souk_block *block)
{
    souk_time received = 0;
    size_t line_at = 0;
    uint64_t sealed_at = 0;
    for (size_t i = 0; i < block->count && !reader->bad; i++) {
        souk_fact *fact = &block->facts[i];
        fact->received = received;
        read_fact(reader, fact);
        received = fact->received;
        fact->position = block->first_position + i;
        fact->sealed_at = (uint32_t)sealed_at;
        fact->first_line = (uint32_t)line_at;
        sealed_at += fact->sealed_bytes;
        if (sealed_at > block->sealed_bytes || fact->line_count > block->line_count - line_at)
            return SOUK_ECORRUPT;
        read_lines(reader, block->lines + line_at, fact);
        line_at += fact->line_count;
    }
    bool whole = !reader->bad && line_at == block->line_count && sealed_at == block->sealed_bytes;
    return whole ? SOUK_OK : SOUK_ECORRUPT;
}

/* ---- one of them ----------------------------------------------------------------------------- */

/* A number ends with a byte below 128; eight bytes are looked at together. */
static void skip(struct reader *reader, enum column column, size_t count)
{
    const uint64_t tops = 0x8080808080808080;
    const unsigned char *at = reader->at[column], *end = reader->end[column];
    while (count > 8 && end - at >= 8) {
        count -= (size_t)__builtin_popcountll(~souk_get_u64(at) & tops);
        at += 8;
    }
    while (count && at < end)
        count -= *at++ < 128;
    reader->at[column] = at;
    reader->bad |= count != 0;
}

static void skip_money(struct reader *reader, enum column column, size_t count)
{
    while (count-- && !reader->bad)
        (void)take_money(reader, column);
}

/* Of at most SOUK_BLOCK_EVENTS numbers below 2^32, so it does not wrap. */
static uint64_t take_sum(struct reader *reader, enum column column, size_t count)
{
    uint64_t sum = 0;
    while (count-- && !reader->bad)
        sum += take_u32(reader, column);
    return sum;
}

/* Moves to the event with this index; returns the bytes sealed before it. */
static uint64_t skip_events(struct reader *reader, size_t index, souk_time *ret_received)
{
    souk_time received = 0;
    for (size_t i = 0; i < index && !reader->bad; i++)
        received = wrap_add(received, souk_unzigzag(take(reader, COL_RECEIVED)));
    *ret_received = received;
    for (enum column column = COL_AT; column < COL_AMOUNT; column++)
        skip(reader, column, index);
    skip_money(reader, COL_AMOUNT, index);
    uint64_t sealed = take_sum(reader, COL_SEALED, index);
    uint64_t lines = take_sum(reader, COL_LINES, index);
    skip(reader, COL_PRODUCT, lines);
    skip(reader, COL_CATEGORY, lines);
    skip_money(reader, COL_QUANTITY, lines);
    skip_money(reader, COL_LINE_AMOUNT, lines);
    return sealed;
}

souk_err souk_block_fact(const souk_block *block, uint64_t position, souk_arena *arena,
                         souk_fact *ret_fact, const souk_fact_line **ret_lines)
{
    struct reader reader = {.bad = false};
    if (position - block->first_position >= block->count)
        return SOUK_ENOENT;
    SOUK_TRY(split_columns(block->columns, block->columns_bytes, &reader));
    souk_fact fact = {.position = position};
    uint64_t sealed_at = skip_events(&reader, position - block->first_position, &fact.received);
    read_fact(&reader, &fact);
    if (reader.bad || fact.line_count > block->line_count ||
        sealed_at + fact.sealed_bytes > block->sealed_bytes)
        return SOUK_ECORRUPT;
    fact.sealed_at = (uint32_t)sealed_at;
    souk_fact_line *lines = souk_arena_get(arena, fact.line_count * sizeof *lines);
    if (arena->failed)
        return SOUK_ENOMEM;
    read_lines(&reader, lines, &fact);
    if (reader.bad)
        return SOUK_ECORRUPT;
    *ret_fact = fact;
    *ret_lines = lines;
    return SOUK_OK;
}

/* ---- the whole ------------------------------------------------------------------------------- */

static souk_err read_edges(souk_block *block, const struct header *header, const unsigned char *at)
{
    const unsigned char *end = at + header->edges_bytes;
    uint32_t crc = 0;
    for (size_t i = 0; i < block->edge_count; i++) {
        souk_block_edge *edge = &block->edges[i];
        if (end - at < EDGE_HEAD)
            return SOUK_ECORRUPT;
        crc = souk_crc32c(crc, at, EDGE_HEAD);
        edge->slot = souk_get_u32(at);
        edge->sealed_bytes = souk_get_u16(at + 4);
        edge->sealed = at += EDGE_HEAD;
        if (end - at < edge->sealed_bytes)
            return SOUK_ECORRUPT;
        at += edge->sealed_bytes;
    }
    bool summed = header->edges_crc != 0;
    if (summed && header->edges_crc != block_edges_crc(block->edge_count, crc))
        return SOUK_ECORRUPT;
    return at == end ? SOUK_OK : SOUK_ECORRUPT;
}

/* Made once a thread: a new one asks the processor what it can (CPUID), which under a hypervisor takes
 * longer than the block. */
static _Thread_local ZSTD_DCtx *decompressor;

static void free_decompressor(void *at)
{
    ZSTD_freeDCtx(at);
}

static souk_err make_decompressor(void)
{
    ZSTD_DCtx *made = ZSTD_createDCtx();
    souk_err err = made ? souk_thread_at_end(free_decompressor, made) : SOUK_ENOMEM;
    if (err)
        ZSTD_freeDCtx(made);
    else
        decompressor = made;
    return err;
}

/* The columns as they were before zstd. */
static souk_err unfold_columns(const struct header *header, const char *at, souk_block *block)
{
    if (!decompressor)
        SOUK_TRY(make_decompressor());
    block->columns_bytes = header->columns_raw_bytes;
    block->columns = souk_mem_get(block->mem, block->columns_bytes);
    if (!block->columns)
        return SOUK_ENOMEM;
    size_t got = ZSTD_decompressDCtx(decompressor, block->columns, block->columns_bytes, at,
                                     header->columns_bytes);
    return got == block->columns_bytes ? SOUK_OK : SOUK_ECORRUPT;
}

static souk_err read_columns(souk_block *block)
{
    struct reader reader = {.bad = false};
    block->facts = souk_mem_array(block->mem, block->count, sizeof *block->facts);
    block->lines = souk_mem_array(block->mem, block->line_count, sizeof *block->lines);
    if (!block->facts || !block->lines)
        return SOUK_ENOMEM;
    SOUK_TRY(split_columns(block->columns, block->columns_bytes, &reader));
    SOUK_TRY(read_facts(&reader, block));
    souk_mem_put(block->mem, souk_take(&block->columns));
    return SOUK_OK;
}

souk_err souk_block_read(souk_mem *mem, souk_text bytes, enum souk_block_part part,
                         souk_block **ret_block)
{
    struct header h;
    size_t head_bytes;
    if (bytes.bytes < SOUK_BLOCK_HEADER)
        return SOUK_ECORRUPT;
    SOUK_TRY(read_header(bytes.at, &h));
    SOUK_TRY(souk_block_head_bytes(bytes.at, &head_bytes));
    uint64_t total = (uint64_t)head_bytes + h.edges_bytes + h.sealed_bytes;
    if (bytes.bytes < head_bytes || (part == SOUK_BLOCK_ALL && bytes.bytes != total))
        return SOUK_ECORRUPT;
    const char *columns = bytes.at + SOUK_BLOCK_HEADER, *messages = columns + h.columns_bytes;
    if (block_crc(&h, columns, messages) != h.crc)
        return SOUK_ECORRUPT;

    souk_auto(souk_block) block = souk_mem_get(mem, sizeof *block);
    if (!block)
        return SOUK_ENOMEM;
    *block = (souk_block){.mem = mem,
                          .first_position = h.first_position,
                          .count = h.count,
                          .line_count = h.line_count,
                          .edge_count = h.edge_count,
                          .sealed_bytes = h.sealed_bytes,
                          .sealed_offset = head_bytes + h.edges_bytes,
                          .total_bytes = total};
    memcpy(block->prefix, h.prefix, sizeof block->prefix);
    SOUK_TRY(unfold_columns(&h, columns, block));
    if (part != SOUK_BLOCK_FEW)
        SOUK_TRY(read_columns(block));
    if (part == SOUK_BLOCK_ALL) {
        const unsigned char *whole = (const unsigned char *)bytes.at;
        block->messages = (const unsigned char *)messages;
        block->sealed = whole + block->sealed_offset;
        block->edges = souk_mem_array(mem, h.edge_count, sizeof *block->edges);
        if (!block->edges)
            return SOUK_ENOMEM;
        SOUK_TRY(read_edges(block, &h, whole + head_bytes));
    }
    *ret_block = souk_take(&block);
    return SOUK_OK;
}

void souk_block_free(souk_block *block)
{
    if (!block)
        return;
    souk_mem_put(block->mem, block->columns);
    souk_mem_put(block->mem, block->facts);
    souk_mem_put(block->mem, block->lines);
    souk_mem_put(block->mem, block->edges);
    souk_mem_put(block->mem, block);
}
