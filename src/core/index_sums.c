/* index_sums.c - an atom's sums: one block each, keys sorted, so that a fold is one search.
 *
 *     { count u32, class u32, keys u32[capacity], values i64[capacity] }     from a multiple of 16 bytes
 *
 * A shopper has about eight sums, the heaviest some thousands (categories by months): a chain was measured
 * to take half of the writer's time on a Zipf load, a sorted block takes one line or two of the cache.
 * A block that is full moves to the next class; freed blocks wait in a list for each class.
 *
 * At most SUMS_MOST keys an atom: events of further types and categories are summed under "other", so
 * that nobody can make a fold expensive. */
#include "core/index_private.h"

enum { SUMS_MOST = 4096, SUMS_UNIT = 16, FOLD_KEYS = 5 + SOUK_EVENT_LINES };

/* Capacities of the classes: steps of about a third, so a quarter of the room stays empty at most. */
static const uint16_t capacities[INDEX_CLASSES] = {4,   8,    12,   16,   24,   32,   48,
                                                   64,  96,   128,  192,  256,  384,  512,
                                                   768, 1024, 1536, 2048, 3072, 4096, 4608};

struct block {
    uint32_t count, class;
};

static size_t class_bytes(uint32_t class)
{
    size_t bytes = sizeof(struct block) + capacities[class] * (sizeof(uint32_t) + sizeof(int64_t));
    return (bytes + SUMS_UNIT - 1) / SUMS_UNIT * SUMS_UNIT;
}

static struct block *block_at(const souk_index *index, uint32_t at)
{
    return (struct block *)(void *)((char *)index->counters.at + (size_t)at * SUMS_UNIT);
}

/* Values come first, for their alignment; capacities are even. */
static int64_t *values_of(struct block *block)
{
    return (int64_t *)(void *)(block + 1);
}

static uint32_t *keys_of(struct block *block)
{
    return (uint32_t *)(void *)(values_of(block) + capacities[block->class]);
}

static uint32_t class_for(size_t count)
{
    uint32_t class = 0;
    while (capacities[class] < count)
        class ++;
    return class;
}

/* The first place whose key is not below. */
static uint32_t lower_bound(const uint32_t *keys, uint32_t count, uint32_t key)
{
    uint32_t low = 0;
    while (count) {
        uint32_t half = count / 2;
        if (keys[low + half] < key) {
            low += half + 1;
            count -= half + 1;
        } else {
            count = half;
        }
    }
    return low;
}

souk_err souk_index_room(souk_index *index, size_t events, size_t lines)
{
    (void)lines;
    /* Addresses, not memory: pages come when a block is written. */
    size_t need =
        (size_t)index->head.counter_units * SUMS_UNIT + events * class_bytes(INDEX_CLASSES - 1);
    if (need <= index->counters.bytes)
        return SOUK_OK;
    return souk_region_grow(&index->counters, need);
}

static uint32_t take_block(souk_index *index, uint32_t class)
{
    uint32_t at = index->head.free_blocks[class];
    if (at) {
        index->head.free_blocks[class] = block_at(index, at)->count;
    } else {
        at = index->head.counter_units;
        index->head.counter_units += (uint32_t)(class_bytes(class) / SUMS_UNIT);
        souk_assert((size_t)index->head.counter_units * SUMS_UNIT <= index->counters.bytes);
    }
    *block_at(index, at) = (struct block){.class = class};
    return at;
}

static void free_block(souk_index *index, uint32_t at)
{
    struct block *block = block_at(index, at);
    uint32_t class = block->class;
    memset(block, 0, class_bytes(class));
    block->class = class;
    block->count = index->head.free_blocks[class];
    index->head.free_blocks[class] = at;
}

void index_sums_free(souk_index *index, souk_atom *atom)
{
    if (atom->counters)
        free_block(index, atom->counters);
    atom->counters = 0;
}

size_t index_sums_read(const souk_index *index, const souk_atom *atom, souk_count *ret_counts,
                       size_t most)
{
    if (atom->counters == 0)
        return 0;
    struct block *block = block_at(index, atom->counters);
    for (size_t i = 0; i < souk_min_size(block->count, most); i++)
        ret_counts[i] = (souk_count){keys_of(block)[i], values_of(block)[i]};
    return block->count;
}

/* A key that is missing from a full block becomes the "other" of its dimension. */
static souk_err fit_key(const struct block *block, souk_count *delta)
{
    uint32_t dimension = delta->key >> 28;
    if (!block || block->count < SUMS_MOST)
        return SOUK_OK;
    if (dimension == SOUK_COUNT_AMOUNT)
        return SOUK_EOVERFLOW;
    if (dimension == SOUK_COUNT_TYPE || dimension == SOUK_COUNT_MONTH)
        delta->key = SOUK_COUNTER_KEY(dimension, SOUK_COUNTER_REST);
    return SOUK_OK;
}

souk_err index_sums_check(const souk_index *index, const souk_atom *atom, souk_count *deltas,
                          size_t count, size_t *ret_missing)
{
    struct block *block = atom->counters ? block_at(index, atom->counters) : NULL;
    size_t missing = 0;
    for (size_t i = 0; i < count; i++) {
        uint32_t at = block ? lower_bound(keys_of(block), block->count, deltas[i].key) : 0;
        if (!block || at == block->count || keys_of(block)[at] != deltas[i].key) {
            SOUK_TRY(fit_key(block, &deltas[i]));
            missing++; /* an "other" may be there: room for one too many is no harm */
            at = block ? lower_bound(keys_of(block), block->count, deltas[i].key) : 0;
        }
        int64_t sum;
        if (block && at < block->count && keys_of(block)[at] == deltas[i].key &&
            __builtin_add_overflow(values_of(block)[at], deltas[i].value, &sum))
            return SOUK_EOVERFLOW;
    }
    *ret_missing = missing;
    return SOUK_OK;
}

static void make_space(souk_index *index, souk_atom *atom, size_t missing)
{
    struct block *old = atom->counters ? block_at(index, atom->counters) : NULL;
    size_t need = (old ? old->count : 0) + missing;
    if (old && need <= capacities[old->class])
        return;
    uint32_t at = take_block(index, class_for(need));
    struct block *fresh = block_at(index, at);
    if (old) {
        fresh->count = old->count;
        memcpy(keys_of(fresh), keys_of(old), old->count * sizeof(uint32_t));
        memcpy(values_of(fresh), values_of(old), old->count * sizeof(int64_t));
        free_block(index, atom->counters);
    }
    atom->counters = at;
}

void index_sums_apply(souk_index *index, souk_atom *atom, const souk_count *deltas, size_t count,
                      size_t missing)
{
    make_space(index, atom, missing);
    struct block *block = block_at(index, atom->counters);
    uint32_t *keys = keys_of(block);
    int64_t *values = values_of(block);
    for (size_t i = 0; i < count; i++) {
        uint32_t at = lower_bound(keys, block->count, deltas[i].key);
        if (at == block->count || keys[at] != deltas[i].key) {
            memmove(keys + at + 1, keys + at, (block->count - at) * sizeof *keys);
            memmove(values + at + 1, values + at, (block->count - at) * sizeof *values);
            keys[at] = deltas[i].key;
            values[at] = 0;
            block->count++;
        }
        values[at] += deltas[i].value;
    }
}
