/* index_sums.c - an atom's sums: one block each, keys sorted, so that a fold is one search.
 *
 *     { count u16, class u8, width u8, keys u32[capacity], values[capacity] }   from a multiple of 16 bytes
 *
 * Four of five atoms did one thing once: two sums, each 1, of a type, and of a category in the month of the
 * atom's only event.  Such an atom keeps type and category where others keep the number of their block
 * (bit 31, type << 16, category), and has none.  A block's values are as wide as its widest one needs (1, 2, 4
 * or 8 bytes).  Measured over a Zipf load of 1.1 M events: 86 bytes an atom with values of 8 bytes, 28 with
 * narrow ones, 16 with both.  The heaviest have some thousands (categories
 * by months): a chain was measured to take half of the writer's time, a sorted block takes one line or two of
 * the cache.  A block that is full, or too narrow, moves to the next class; freed ones wait in a list for each.
 *
 * At most SUMS_MOST keys an atom: events of further types and categories are summed under "other", so
 * that nobody can make a fold expensive. */
#include "core/index_private.h"

enum { SUMS_MOST = 4096, SUMS_UNIT = 16, FOLD_KEYS = 5 + SOUK_EVENT_LINES };

/* Sizes of the classes in units: steps of a third to a half. */
static const uint16_t class_units[INDEX_CLASSES] = {1,   2,   3,   4,    6,    8,    12,  16,
                                                    24,  32,  48,  64,   96,   128,  192, 256,
                                                    384, 512, 768, 1024, 1536, 2048, 3584};

struct block {
    uint16_t count;
    uint8_t class, width;
};
_Static_assert(SUMS_MOST + FOLD_KEYS < UINT16_MAX, "counts fit");

static size_t class_bytes(uint32_t class)
{
    return (size_t)class_units[class] * SUMS_UNIT;
}

static size_t capacity_of(uint32_t class, uint32_t width)
{
    return (class_bytes(class) - sizeof(struct block)) / (sizeof(uint32_t) + width);
}

static struct block *block_at(const souk_index *index, uint32_t at)
{
    return (struct block *)(void *)((char *)index->counters.at + (size_t)at * SUMS_UNIT);
}

static uint32_t *keys_of(const struct block *block)
{
    return (uint32_t *)(uintptr_t)(block + 1);
}

static char *value_at(const struct block *block, size_t i)
{
    return (char *)(keys_of(block) + capacity_of(block->class, block->width)) + i * block->width;
}

/* NULL where the number, from a damaged snapshot, is no block's. */
static struct block *sound_block(const souk_index *index, uint32_t at)
{
    if (at == 0 || at >= index->head.counter_units)
        return NULL;
    struct block *block = block_at(index, at);
    bool sound =
        block->class < INDEX_CLASSES && class_units[block->class] <= index->head.counter_units - at;
    return sound ? block : NULL;
}

/* The sums of an atom with one event, as the block that they would be. */
struct lone_block {
    struct block head;
    uint32_t keys[2];
    int8_t values[2], spare[2];
};
_Static_assert(sizeof(struct lone_block) == SUMS_UNIT, "it lies as the smallest class");
enum { ALONE_TYPES = 1 << 15, ALONE_CATEGORIES = 1 << 16 };
static const uint32_t ALONE = (uint32_t)1 << 31;

static const struct block *lone_block(const souk_atom *atom, struct lone_block *room)
{
    uint32_t category = atom->counters & (ALONE_CATEGORIES - 1);
    *room = (struct lone_block){
        .head = {.count = 2, .class = 0, .width = 1},
        .keys = {SOUK_COUNTER_KEY(SOUK_COUNT_TYPE, atom->counters >> 16 & (ALONE_TYPES - 1)),
                 SOUK_COUNTER_KEY(SOUK_COUNT_MONTH, category << 12 | index_month(atom->first_at))},
        .values = {1, 1}};
    return &room->head;
}

/* What such an atom keeps, 0 where its first event says more than that. */
static uint32_t alone_of(const souk_count *deltas, size_t count)
{
    if (count != 2 || deltas[0].value != 1 || deltas[1].value != 1 ||
        deltas[0].key >> 28 != SOUK_COUNT_TYPE || deltas[1].key >> 28 != SOUK_COUNT_MONTH)
        return 0;
    uint32_t type = deltas[0].key & SOUK_COUNTER_REST;
    uint32_t category = (deltas[1].key & SOUK_COUNTER_REST) >> 12;
    return type < ALONE_TYPES && category < ALONE_CATEGORIES ? ALONE | type << 16 | category : 0;
}

static const struct block *block_of(const souk_index *index, const souk_atom *atom,
                                    struct lone_block *room)
{
    if (atom->counters & ALONE)
        return lone_block(atom, room);
    struct block *block = sound_block(index, atom->counters);
    if (!block ||
        (block->width != 1 && block->width != 2 && block->width != 4 && block->width != 8))
        return NULL;
    return block->count <= capacity_of(block->class, block->width) ? block : NULL;
}

void souk_index_expect_fold(const souk_index *index, uint32_t atom)
{
    if (!souk_index_has_atom(index, atom))
        return;
    uint32_t at = souk_index_atom_at(index, atom)->counters;
    if (!(at & ALONE))
        __builtin_prefetch(block_at(index, at), 1);
}

static int64_t value_of(const struct block *block, size_t i)
{
    const char *at = value_at(block, i);
    int64_t wide;
    int32_t four;
    int16_t two;
    switch (block->width) {
    case 1:
        return (signed char)*at;
    case 2:
        memcpy(&two, at, sizeof two);
        return two;
    case 4:
        memcpy(&four, at, sizeof four);
        return four;
    default:
        memcpy(&wide, at, sizeof wide);
        return wide;
    }
}

static uint32_t width_for(int64_t value)
{
    return value == (int8_t)value    ? 1
           : value == (int16_t)value ? 2
           : value == (int32_t)value ? 4
                                     : 8;
}

/* Little-endian machines only, as everything that is mapped: the low bytes come first. */
static void set_value(const struct block *block, size_t i, int64_t value)
{
    souk_assert(width_for(value) <= block->width);
    memcpy(value_at(block, i), &value, block->width);
}

/* INDEX_CLASSES: none holds so many. */
static uint32_t class_for(size_t count, uint32_t width)
{
    uint32_t class = 0;
    while (class < INDEX_CLASSES && capacity_of(class, width) < count)
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

/* A free block names the next one behind its head. */
static uint32_t take_block(souk_index *index, uint32_t class, uint32_t width)
{
    uint32_t at = index->head.free_blocks[class];
    const struct block *freed = sound_block(index, at);
    if (freed && freed->class == class) {
        index->head.free_blocks[class] = *keys_of(freed);
    } else {
        index->head.free_blocks[class] = 0;
        at = index->head.counter_units;
        index->head.counter_units += class_units[class];
        souk_assert((size_t)index->head.counter_units * SUMS_UNIT <= index->counters.bytes);
    }
    *block_at(index, at) = (struct block){.class = (uint8_t) class, .width = (uint8_t)width};
    return at;
}

static void free_block(souk_index *index, uint32_t at)
{
    struct block *block = sound_block(index, at);
    if (!block)
        return;
    uint8_t class = block->class;
    memset(block, 0, class_bytes(class));
    block->class = class;
    *keys_of(block) = index->head.free_blocks[class];
    index->head.free_blocks[class] = at;
}

void index_sums_free(souk_index *index, souk_atom *atom)
{
    if (atom->counters && !(atom->counters & ALONE))
        free_block(index, atom->counters);
    atom->counters = 0;
}

size_t index_sums_read(const souk_index *index, const souk_atom *atom, souk_count *ret_counts,
                       size_t most)
{
    struct lone_block room;
    const struct block *block = block_of(index, atom, &room);
    if (!block)
        return 0;
    for (size_t i = 0; i < souk_min_size(block->count, most); i++)
        ret_counts[i] = (souk_count){keys_of(block)[i], value_of(block, i)};
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

static uint32_t find_key(const struct block *block, uint32_t key, bool *ret_there)
{
    uint32_t at = block ? lower_bound(keys_of(block), block->count, key) : 0;
    *ret_there = block && at < block->count && keys_of(block)[at] == key;
    return at;
}

souk_err index_sums_check(const souk_index *index, const souk_atom *atom, souk_count *deltas,
                          size_t count, struct index_sums_need *ret_need)
{
    struct lone_block room;
    const struct block *block = block_of(index, atom, &room);
    if (atom->counters && !block)
        return SOUK_ECORRUPT;
    *ret_need = (struct index_sums_need){.width = block ? block->width : 1,
                                         .alone = block ? 0 : alone_of(deltas, count)};
    for (size_t i = 0; i < count; i++) {
        bool there;
        uint32_t key = deltas[i].key, at = find_key(block, key, &there);
        if (!there) {
            SOUK_TRY(fit_key(block, &deltas[i]));
            ret_need->missing++; /* an "other" may be there: room for one too many is no harm */
            at = find_key(block, deltas[i].key, &there);
        }
        int64_t sum = deltas[i].value;
        if (there && __builtin_add_overflow(value_of(block, at), sum, &sum))
            return SOUK_EOVERFLOW;
        /* several may meet in one "other" */
        uint32_t width = deltas[i].key == key ? width_for(sum) : 8;
        if (width > ret_need->width)
            ret_need->width = width;
    }
    return SOUK_OK;
}

/* A damaged list of free blocks may give out the very block that moves. */
souk_err index_sums_space(souk_index *index, souk_atom *atom, const struct index_sums_need *need)
{
    struct lone_block room;
    const struct block *old = block_of(index, atom, &room);
    bool lone = (atom->counters & ALONE) != 0;
    size_t count = (old ? old->count : 0) + need->missing;
    if (need->alone) {
        atom->counters = need->alone;
        return SOUK_OK;
    }
    if (old && !lone && need->width == old->width && count <= capacity_of(old->class, old->width))
        return SOUK_OK;
    uint32_t class = class_for(count, need->width);
    if (class == INDEX_CLASSES)
        return SOUK_ECORRUPT;
    uint32_t old_end = old && !lone ? atom->counters + class_units[old->class] : 0;
    uint32_t at = take_block(index, class, need->width);
    if (old && !lone && at < old_end && atom->counters < at + class_units[class])
        return SOUK_ECORRUPT;
    struct block *fresh = block_at(index, at);
    if (old) {
        fresh->count = old->count;
        memcpy(keys_of(fresh), keys_of(old), old->count * sizeof(uint32_t));
        for (size_t i = 0; i < old->count; i++)
            set_value(fresh, i, value_of(old, i));
        index_sums_free(index, atom);
    }
    atom->counters = at;
    return SOUK_OK;
}

/* Keys out of order, from a damaged snapshot, are not found where check found them: what does not fit then
 * is left out, as the block is lost anyway. */
void index_sums_apply(souk_index *index, souk_atom *atom, const souk_count *deltas, size_t count)
{
    if (atom->counters & ALONE)
        return; /* said all */
    struct block *block = block_at(index, atom->counters);
    uint32_t *keys = keys_of(block);
    for (size_t i = 0; i < count; i++) {
        bool there;
        uint32_t at = find_key(block, deltas[i].key, &there);
        if (!there) {
            size_t behind = block->count - at;
            if (block->count == capacity_of(block->class, block->width))
                continue;
            memmove(keys + at + 1, keys + at, behind * sizeof *keys);
            memmove(value_at(block, at + 1), value_at(block, at), behind * block->width);
            keys[at] = deltas[i].key;
            block->count++;
            set_value(block, at, 0);
        }
        int64_t sum = value_of(block, at);
        if (!__builtin_add_overflow(sum, deltas[i].value, &sum) && width_for(sum) <= block->width)
            set_value(block, at, sum);
    }
}
