/* run_maker.c - writes a file of sorted pairs in one pass with a fixed amount of memory.
 *
 * Each part of the file is a stream with a buffer of its own, because all of them grow with every
 * block.  The filter is one of them: sorted keys fill its blocks from front to back (bloom.h).
 * Bytes are synced every few megabytes, or the last sync of a large merge would hold up those of
 * the writer for seconds. */
#include "base/hash.h"
#include "core/run_file.h"

enum {
    BUFFER_BYTES = 1 << 16,
    SYNC_BYTES = 8 << 20,
    BLOCK_MOST = SOUK_RUN_BLOCK_HEAD + 2 * 8 * SOUK_RUN_BLOCK + 16,
};

enum { FILTER, KEYS, VALUES, OFFSETS, BLOCKS, PARTS };

typedef struct run_part {
    uint64_t at; /* in the file, of the buffer's first byte */
    size_t used;
    uint32_t crc;
    unsigned char buffer[BUFFER_BYTES];
} run_part;

struct souk_run_maker {
    souk_mem *mem;
    souk_file *file;
    souk_run_layout layout;
    uint64_t room, pairs, block_bytes, unsynced_bytes;
    uint64_t least_value, greatest_value;
    uint64_t filter_blocks, filter_block; /* all; the one that is being filled */
    uint64_t bits[8];                     /* of that one */
    souk_run_pair block[SOUK_RUN_BLOCK], last;
    size_t block_count; /* pairs in block */
    run_part parts[PARTS];
};

static uint64_t up_to_line(uint64_t bytes)
{
    return (bytes + 63) & ~(uint64_t)63;
}

souk_run_layout souk_run_layout_of(uint64_t room, bool filter)
{
    souk_run_layout layout = {.filter_at = 4096};
    uint64_t blocks = (room + SOUK_RUN_BLOCK - 1) / SOUK_RUN_BLOCK;
    layout.filter_bytes = filter ? souk_bloom_bytes(room, SOUK_RUN_FILTER_BITS) : 0;
    layout.keys_at = layout.filter_at + layout.filter_bytes;
    layout.values_at = up_to_line(layout.keys_at + blocks * 8);
    layout.offsets_at = up_to_line(layout.values_at + blocks * 8);
    layout.blocks_at = up_to_line(layout.offsets_at + blocks * 4);
    return layout;
}

size_t souk_run_maker_bytes(void)
{
    return sizeof(souk_run_maker);
}

souk_err souk_run_maker_new(souk_mem *mem, souk_disk *disk, const char *name, uint64_t room,
                            bool filter, souk_run_maker **ret_maker)
{
    souk_auto(souk_run_maker) maker = souk_mem_get(mem, sizeof *maker);
    if (!maker)
        return SOUK_ENOMEM;
    maker->mem = mem;
    maker->room = room;
    maker->layout = souk_run_layout_of(room, filter);
    maker->filter_blocks = maker->layout.filter_bytes / SOUK_BLOOM_BLOCK;
    maker->least_value = UINT64_MAX;
    maker->parts[FILTER].at = maker->layout.filter_at;
    maker->parts[KEYS].at = maker->layout.keys_at;
    maker->parts[VALUES].at = maker->layout.values_at;
    maker->parts[OFFSETS].at = maker->layout.offsets_at;
    maker->parts[BLOCKS].at = maker->layout.blocks_at;
    SOUK_TRY(souk_file_open(disk, name, SOUK_FILE_TRUNCATE, &maker->file));
    *ret_maker = souk_take(&maker);
    return SOUK_OK;
}

void souk_run_maker_free(souk_run_maker *maker)
{
    if (!maker)
        return;
    souk_file_free(maker->file);
    souk_mem_put(maker->mem, maker);
}

static souk_err part_flush(souk_run_maker *maker, run_part *part)
{
    if (part->used == 0)
        return SOUK_OK;
    SOUK_TRY(souk_file_write(maker->file, part->buffer, part->used, part->at));
    part->crc = souk_crc32c(part->crc, part->buffer, part->used);
    part->at += part->used;
    maker->unsynced_bytes += part->used;
    part->used = 0;
    if (maker->unsynced_bytes < SYNC_BYTES)
        return SOUK_OK;
    maker->unsynced_bytes = 0;
    return souk_file_sync(maker->file);
}

/* bytes are at most BUFFER_BYTES. */
static souk_err part_add(souk_run_maker *maker, int which, const void *from, size_t bytes)
{
    run_part *part = &maker->parts[which];
    if (part->used + bytes > BUFFER_BYTES)
        SOUK_TRY(part_flush(maker, part));
    memcpy(part->buffer + part->used, from, bytes);
    part->used += bytes;
    return SOUK_OK;
}

static unsigned bits_for(uint64_t number)
{
    return number ? 64 - (unsigned)__builtin_clzll(number) : 0;
}

/* The bytes are zero so far. */
static void put_bits(unsigned char *to, size_t at, uint64_t number, unsigned bits)
{
    unsigned shift = at & 7;
    uint64_t word;
    memcpy(&word, to + at / 8, sizeof word);
    word |= number << shift;
    memcpy(to + at / 8, &word, sizeof word);
    if (shift + bits > 64)
        to[at / 8 + 8] |= (unsigned char)(number >> (64 - shift));
}

static size_t pack_block(const souk_run_pair *pairs, size_t count, unsigned char *to)
{
    uint64_t least = UINT64_MAX, greatest = 0;
    for (size_t i = 0; i < count; i++) {
        least = pairs[i].value < least ? pairs[i].value : least;
        greatest = pairs[i].value > greatest ? pairs[i].value : greatest;
    }
    unsigned key_bits = bits_for(pairs[count - 1].key - pairs[0].key);
    unsigned value_bits = bits_for(greatest - least);
    to[4] = (unsigned char)key_bits;
    to[5] = (unsigned char)value_bits;
    souk_put_u64(to + 8, least);
    unsigned char *keys = to + SOUK_RUN_BLOCK_HEAD, *values = keys + (count * key_bits + 7) / 8;
    for (size_t i = 0; i < count; i++) {
        put_bits(keys, i * key_bits, pairs[i].key - pairs[0].key, key_bits);
        put_bits(values, i * value_bits, pairs[i].value - least, value_bits);
    }
    size_t bytes = (size_t)(values - to) + (count * value_bits + 7) / 8;
    bytes = (bytes + 7) & ~(size_t)7;
    souk_put_u32(to, souk_crc32c(0, to + 4, bytes - 4));
    return bytes;
}

static souk_err end_block(souk_run_maker *maker)
{
    unsigned char packed[BLOCK_MOST] = {0};
    size_t bytes = pack_block(maker->block, maker->block_count, packed);
    if (maker->block_bytes / 8 > UINT32_MAX)
        return SOUK_ETOOBIG;
    uint32_t offset = (uint32_t)(maker->block_bytes / 8);
    SOUK_TRY(part_add(maker, KEYS, &maker->block[0].key, 8));
    SOUK_TRY(part_add(maker, VALUES, &maker->block[0].value, 8));
    SOUK_TRY(part_add(maker, OFFSETS, &offset, 4));
    SOUK_TRY(part_add(maker, BLOCKS, packed, bytes));
    maker->block_bytes += bytes;
    maker->block_count = 0;
    return SOUK_OK;
}

/* Writes the filter's blocks up to, and without, `block`. */
static souk_err move_filter(souk_run_maker *maker, uint64_t block)
{
    while (maker->filter_block < block) {
        SOUK_TRY(part_add(maker, FILTER, maker->bits, sizeof maker->bits));
        memset(maker->bits, 0, sizeof maker->bits);
        maker->filter_block++;
    }
    return SOUK_OK;
}

souk_err souk_run_maker_add(souk_run_maker *maker, souk_run_pair pair)
{
    if (maker->pairs) {
        if (pair.key == maker->last.key && pair.value == maker->last.value)
            return SOUK_OK;
        /* Out of order only where a source file is damaged in a way its checksum does not see. */
        if (pair.key < maker->last.key ||
            (pair.key == maker->last.key && pair.value < maker->last.value))
            return SOUK_ECORRUPT;
    }
    souk_assert(maker->pairs < maker->room);
    if (maker->filter_blocks) {
        SOUK_TRY(move_filter(maker, souk_bloom_block(pair.key, maker->filter_blocks)));
        souk_bloom_add_to(maker->bits, pair.key);
    }
    maker->least_value = pair.value < maker->least_value ? pair.value : maker->least_value;
    maker->greatest_value = pair.value > maker->greatest_value ? pair.value : maker->greatest_value;
    maker->last = pair;
    maker->pairs++;
    maker->block[maker->block_count++] = pair;
    return maker->block_count == SOUK_RUN_BLOCK ? end_block(maker) : SOUK_OK;
}

static souk_err write_head(souk_run_maker *maker)
{
    unsigned char head[4096] = "SoukRun1";
    souk_put_u32(head + 8, 1);
    souk_put_u32(head + 12, maker->filter_blocks > 0);
    souk_put_u64(head + 16, maker->pairs);
    souk_put_u64(head + 24, maker->room);
    souk_put_u64(head + 32, maker->block_bytes);
    souk_put_u64(head + 40, maker->last.key);
    souk_put_u64(head + 48, maker->least_value);
    souk_put_u64(head + 56, maker->greatest_value);
    for (int i = FILTER; i <= OFFSETS; i++)
        souk_put_u32(head + 64 + i * 4, maker->parts[i].crc);
    souk_put_u32(head + 80, souk_crc32c(0, head, 80));
    return souk_file_write(maker->file, head, sizeof head, 0);
}

souk_err souk_run_maker_finish(souk_run_maker *maker)
{
    static const unsigned char zeros[SOUK_RUN_END];
    souk_assert(maker->pairs > 0);
    if (maker->block_count)
        SOUK_TRY(end_block(maker));
    SOUK_TRY(part_add(maker, BLOCKS, zeros, sizeof zeros));
    maker->block_bytes += sizeof zeros;
    SOUK_TRY(move_filter(maker, maker->filter_blocks));
    for (int i = 0; i < PARTS; i++)
        SOUK_TRY(part_flush(maker, &maker->parts[i]));
    SOUK_TRY(write_head(maker));
    return souk_file_sync(maker->file);
}
