/* run_file.c - reads a file of sorted pairs where it lies, see run_file.h for its bytes.
 *
 * A search goes: filter, guess of the block from the key (keys are spread evenly, or nearly so), a
 * few doubling steps in the index from there, one block.  Looking up many keys at once does each of
 * these for all keys before the next, so that the waits for memory overlap. */
#include "core/run_file.h"

#include "base/hash.h"

enum { SOME = 64, VERSION = 1, FLAG_FILTER = 1 };

/* Beyond any file that could be written, and small enough that no sum below overflows. */
#define ROOM_MOST ((uint64_t)1 << 36)

static void file_done(souk_run_file *file)
{
    souk_map_done(file->disk, (void *)(uintptr_t)file->at, file->bytes);
    souk_mem_put(file->mem, file->checked);
    souk_mem_put(file->mem, file);
}

souk_run_file *souk_run_file_hold(souk_run_file *file)
{
    __atomic_fetch_add(&file->refs, 1, __ATOMIC_RELAXED);
    return file;
}

void souk_run_file_free(souk_run_file *file)
{
    if (file && __atomic_sub_fetch(&file->refs, 1, __ATOMIC_ACQ_REL) == 0)
        file_done(file);
}

/* ---- opening ---------------------------------------------------------------------------- */

static souk_err check_head(const unsigned char *head)
{
    if (memcmp(head, "SoukRun1", 8) || souk_get_u32(head + 80) != souk_crc32c(0, head, 80))
        return SOUK_ECORRUPT;
    if (souk_get_u32(head + 8) > VERSION)
        return SOUK_EVERSION;
    uint64_t pairs = souk_get_u64(head + 16), room = souk_get_u64(head + 24);
    bool good = pairs > 0 && pairs <= room && room <= ROOM_MOST;
    return good ? SOUK_OK : SOUK_ECORRUPT;
}

static souk_err map_whole(souk_disk *disk, const char *name, souk_run_file *file)
{
    souk_auto(souk_file) from = NULL;
    souk_err err = souk_file_open(disk, name, SOUK_FILE_READ, &from);
    if (err)
        return err == SOUK_ENOENT ? SOUK_ECORRUPT : err;
    SOUK_TRY(souk_file_size(from, &file->bytes));
    if (file->bytes < 4096 + SOUK_RUN_END)
        return SOUK_ECORRUPT;
    void *at;
    SOUK_TRY(souk_file_map(from, 0, file->bytes, NULL, &at));
    file->at = at;
    return SOUK_OK;
}

static souk_err find_parts(souk_run_file *file)
{
    const unsigned char *head = file->at;
    SOUK_TRY(check_head(head));
    bool filter = souk_get_u32(head + 12) & FLAG_FILTER;
    souk_run_layout layout = souk_run_layout_of(souk_get_u64(head + 24), filter);
    file->pairs = souk_get_u64(head + 16);
    file->block_bytes = souk_get_u64(head + 32);
    file->greatest_key = souk_get_u64(head + 40);
    file->least_value = souk_get_u64(head + 48);
    file->greatest_value = souk_get_u64(head + 56);
    file->block_count = (file->pairs + SOUK_RUN_BLOCK - 1) / SOUK_RUN_BLOCK;
    if (file->bytes < layout.blocks_at || file->bytes - layout.blocks_at != file->block_bytes)
        return SOUK_ECORRUPT;

    if (filter)
        file->filter =
            souk_bloom_over((void *)(uintptr_t)(file->at + layout.filter_at), layout.filter_bytes);
    const void *keys = file->at + layout.keys_at, *values = file->at + layout.values_at;
    const void *offsets = file->at + layout.offsets_at;
    file->first_keys = keys;
    file->first_values = values;
    file->offsets = offsets;
    file->blocks = file->at + layout.blocks_at;
    if (souk_crc32c(0, file->at + layout.filter_at, layout.filter_bytes) !=
            souk_get_u32(head + 64) ||
        souk_crc32c(0, keys, file->block_count * 8) != souk_get_u32(head + 68) ||
        souk_crc32c(0, values, file->block_count * 8) != souk_get_u32(head + 72) ||
        souk_crc32c(0, offsets, file->block_count * 4) != souk_get_u32(head + 76) ||
        file->greatest_key < file->first_keys[0])
        return SOUK_ECORRUPT;
    file->blocks_per_key =
        (double)file->block_count / ((double)(file->greatest_key - file->first_keys[0]) + 1);
    return SOUK_OK;
}

souk_err souk_run_file_open(souk_mem *mem, souk_disk *disk, const char *name,
                            souk_run_file **ret_file)
{
    souk_auto(souk_run_file) file = souk_mem_get(mem, sizeof *file);
    if (!file)
        return SOUK_ENOMEM;
    file->mem = mem;
    file->disk = disk;
    file->refs = 1;
    SOUK_TRY(map_whole(disk, name, file));
    SOUK_TRY(find_parts(file));
    file->checked = souk_mem_array(mem, (size_t)(file->block_count + 63) / 64, 8);
    if (!file->checked)
        return SOUK_ENOMEM;
    *ret_file = souk_take(&file);
    return SOUK_OK;
}

/* ---- one block -------------------------------------------------------------------------- */

/* Fills *block from the block's head and says how many bytes it has; false if they are too many. */
static bool measure_block(const souk_run_file *file, uint64_t index, souk_run_block *block,
                          size_t *ret_bytes)
{
    uint64_t offset = (uint64_t)file->offsets[index] * 8;
    if (offset + SOUK_RUN_BLOCK_HEAD + SOUK_RUN_END > file->block_bytes)
        return false;
    const unsigned char *at = file->blocks + offset;
    uint64_t before = index * SOUK_RUN_BLOCK;
    block->count =
        (unsigned)(file->pairs - before < SOUK_RUN_BLOCK ? file->pairs - before : SOUK_RUN_BLOCK);
    block->key_bits = at[4];
    block->value_bits = at[5];
    if (block->key_bits > 64 || block->value_bits > 64)
        return false;
    size_t key_bytes = (block->count * block->key_bits + 7) / 8;
    size_t bytes = SOUK_RUN_BLOCK_HEAD + key_bytes + (block->count * block->value_bits + 7) / 8;
    bytes = (bytes + 7) & ~(size_t)7;
    block->keys = at + SOUK_RUN_BLOCK_HEAD;
    block->values = block->keys + key_bytes;
    block->first_key = file->first_keys[index];
    block->least_value = souk_get_u64(at + 8);
    *ret_bytes = bytes;
    return offset + bytes + SOUK_RUN_END <= file->block_bytes;
}

static bool crc_is_right(const souk_run_block *block, size_t bytes)
{
    const unsigned char *at = block->keys - SOUK_RUN_BLOCK_HEAD;
    return souk_get_u32(at) == souk_crc32c(0, at + 4, bytes - 4);
}

souk_err souk_run_file_block(const souk_run_file *file, uint64_t index, souk_run_block *ret_block)
{
    size_t bytes;
    if (!measure_block(file, index, ret_block, &bytes))
        return SOUK_ECORRUPT;
    uint64_t *word = &file->checked[index / 64], bit = (uint64_t)1 << (index % 64);
    if (__atomic_load_n(word, __ATOMIC_RELAXED) & bit)
        return SOUK_OK;
    if (!crc_is_right(ret_block, bytes))
        return SOUK_ECORRUPT;
    __atomic_fetch_or(word, bit, __ATOMIC_RELAXED);
    return SOUK_OK;
}

/* ---- search ----------------------------------------------------------------------------- */

static bool starts_below(const souk_run_file *file, uint64_t block, uint64_t key, uint64_t before)
{
    uint64_t first = file->first_keys[block];
    return first < key || (first == key && file->first_values[block] < before);
}

static uint64_t guess_block(const souk_run_file *file, uint64_t key)
{
    if (key <= file->first_keys[0])
        return 0;
    double guess = (double)(key - file->first_keys[0]) * file->blocks_per_key;
    double last = (double)(file->block_count - 1);
    return (uint64_t)(guess < last ? guess : last);
}

/* How many blocks start below (key, before): doubling steps away from the guess, then halving. */
static uint64_t blocks_below(const souk_run_file *file, uint64_t key, uint64_t before)
{
    uint64_t low = 0, high = file->block_count, at = guess_block(file, key);
    if (starts_below(file, at, key, before)) {
        low = at + 1;
        for (uint64_t step = 1; low + step <= high; step *= 2) {
            if (!starts_below(file, low + step - 1, key, before)) {
                high = low + step - 1;
                break;
            }
            low += step;
        }
    } else {
        high = at;
        for (uint64_t step = 1; step <= high; step *= 2) {
            if (starts_below(file, high - step, key, before)) {
                low = high - step + 1;
                break;
            }
            high -= step;
        }
    }
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        if (starts_below(file, middle, key, before))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* The last pair of the block below (key, before); its first one is. */
static size_t last_below(const souk_run_block *block, uint64_t key, uint64_t before)
{
    size_t low = 0, high = block->count;
    while (high - low > 1) {
        size_t middle = (low + high) / 2;
        uint64_t here = souk_run_block_key(block, middle);
        if (here < key || (here == key && souk_run_block_value(block, middle) < before))
            low = middle;
        else
            high = middle;
    }
    return low;
}

static souk_err search_block(const souk_run_file *file, uint64_t index, uint64_t key,
                             uint64_t before, uint64_t *ret_index, uint64_t *ret_value,
                             bool *ret_found)
{
    souk_run_block block;
    SOUK_TRY(souk_run_file_block(file, index, &block));
    size_t at = last_below(&block, key, before);
    *ret_found = souk_run_block_key(&block, at) == key;
    *ret_index = index * SOUK_RUN_BLOCK + at;
    *ret_value = souk_run_block_value(&block, at);
    return SOUK_OK;
}

souk_err souk_run_file_below(const souk_run_file *file, uint64_t key, uint64_t before,
                             uint64_t *ret_index, uint64_t *ret_value, bool *ret_found)
{
    *ret_found = false;
    if (key > file->greatest_key || before <= file->least_value ||
        (file->filter.words && !souk_bloom_maybe(&file->filter, key)))
        return SOUK_OK;
    uint64_t blocks = blocks_below(file, key, before);
    if (blocks == 0)
        return SOUK_OK;
    return search_block(file, blocks - 1, key, before, ret_index, ret_value, ret_found);
}

souk_err souk_run_file_value(const souk_run_file *file, uint64_t index, uint64_t key,
                             uint64_t *ret_value, bool *ret_found)
{
    souk_run_block block;
    SOUK_TRY(souk_run_file_block(file, index / SOUK_RUN_BLOCK, &block));
    *ret_found = souk_run_block_key(&block, index % SOUK_RUN_BLOCK) == key;
    *ret_value = souk_run_block_value(&block, index % SOUK_RUN_BLOCK);
    return SOUK_OK;
}

souk_err souk_run_file_find_some(const souk_run_file *file, const uint64_t *keys, size_t count,
                                 uint64_t *ret_values)
{
    uint8_t maybe[SOME];
    size_t left[SOME], left_count = 0;
    uint64_t block[SOME], index;
    souk_assert(count <= SOME);
    if (file->filter.words)
        souk_bloom_maybe_batch(&file->filter, keys, count, maybe);
    for (size_t i = 0; i < count; i++) {
        ret_values[i] = UINT64_MAX;
        if ((file->filter.words && !maybe[i]) || keys[i] > file->greatest_key)
            continue;
        __builtin_prefetch(&file->first_keys[guess_block(file, keys[i])]);
        left[left_count++] = i;
    }
    for (size_t i = 0; i < left_count; i++) {
        block[i] = blocks_below(file, keys[left[i]], UINT64_MAX);
        if (block[i])
            __builtin_prefetch(&file->offsets[block[i] - 1]);
    }
    for (size_t i = 0; i < left_count; i++)
        if (block[i])
            __builtin_prefetch(file->blocks + (uint64_t)file->offsets[block[i] - 1] * 8);
    for (size_t i = 0; i < left_count; i++) {
        bool found = false;
        uint64_t value;
        if (block[i])
            SOUK_TRY(search_block(file, block[i] - 1, keys[left[i]], UINT64_MAX, &index, &value,
                                  &found));
        if (found)
            ret_values[left[i]] = value;
    }
    return SOUK_OK;
}

/* ---- proof ------------------------------------------------------------------------------ */

/* The pairs of a block ascend, go on from *last and keep to what head, index and filter say. */
static bool block_is_sound(const souk_run_file *file, uint64_t index, const souk_run_block *block,
                           souk_run_pair *last)
{
    for (size_t i = 0; i < block->count; i++) {
        souk_run_pair pair = {souk_run_block_key(block, i), souk_run_block_value(block, i)};
        bool first = index == 0 && i == 0;
        if (!first &&
            (pair.key < last->key || (pair.key == last->key && pair.value <= last->value)))
            return false;
        if (i == 0 &&
            (pair.key != file->first_keys[index] || pair.value != file->first_values[index]))
            return false;
        if (pair.value < file->least_value || pair.value > file->greatest_value)
            return false;
        if (file->filter.words && !souk_bloom_maybe(&file->filter, pair.key))
            return false;
        *last = pair;
    }
    return true;
}

souk_err souk_run_file_verify(const souk_run_file *file)
{
    souk_run_pair last = {0, 0};
    for (uint64_t index = 0; index < file->block_count; index++) {
        souk_run_block block;
        size_t bytes;
        if (!measure_block(file, index, &block, &bytes) || !crc_is_right(&block, bytes) ||
            !block_is_sound(file, index, &block, &last))
            return SOUK_ECORRUPT;
    }
    return last.key == file->greatest_key ? SOUK_OK : SOUK_ECORRUPT;
}
