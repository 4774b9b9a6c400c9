/* idmap.c - linear hashing over buckets of one cache line.
 *
 * With 2^level + split buckets, a hash lives in bucket (hash mod 2^level), or, where that one was
 * split in this round already, in (hash mod 2^(level + 1)).  Whenever there are more than LOAD
 * entries a bucket, bucket `split` is divided between itself and a new one at the end, and split
 * moves on; after 2^level splits the round ends and level grows.  Buckets not yet split in a round
 * are fuller than the others, so some always spill into overflow buckets: at a load of 4 entries
 * for 4 slots that costs fewer bytes than the emptier tables that spill less.
 *
 *     main       overflow
 *     [0] ─────> [3] ──> 0        numbers of overflow buckets start at 1
 *     [1] ──> 0                   emptied ones wait in a list of their own, free_first
 *     [2] ─────> [1] ─────> [2] ──> 0
 *
 * Buckets in the middle of a chain may have room: a removal closes the gap in its own bucket only,
 * so that it can be done in a file with one write inside one disk sector. */
#include "core/idmap.h"

#include "core/idmap_inside.h"
#include "os/region.h"

enum { BATCH = 16 };

struct souk_idmap {
    souk_mem *mem;
    souk_region main, overflow;
    souk_idmap_shape shape;
    uint64_t most_count;
};

/* Addresses for the overflow too: as much as for the main buckets, about twice what hashes need. */
static size_t most_bytes(uint64_t most_count)
{
    return (size_t)((most_count / LOAD + (2u << START_LEVEL)) * sizeof(souk_idmap_bucket));
}

souk_err souk_idmap_new(souk_mem *mem, uint64_t most_count, souk_idmap **ret_map)
{
    if (most_count == 0 || most_count > UINT32_MAX - (1u << 20))
        return SOUK_EINVAL;
    souk_auto(souk_idmap) map = souk_mem_get(mem, sizeof *map);
    if (!map)
        return SOUK_ENOMEM;
    map->mem = mem;
    map->most_count = most_count;
    map->shape.level = START_LEVEL;
    SOUK_TRY(souk_region_init(&map->main, most_bytes(most_count)));
    SOUK_TRY(souk_region_init(&map->overflow, most_bytes(most_count)));
    *ret_map = souk_take(&map);
    return SOUK_OK;
}

void souk_idmap_free(souk_idmap *map)
{
    if (!map)
        return;
    souk_region_done(&map->main);
    souk_region_done(&map->overflow);
    souk_mem_put(map->mem, map);
}

uint64_t souk_idmap_count(const souk_idmap *map)
{
    return map->shape.count;
}

uint64_t souk_idmap_bytes(const souk_idmap *map)
{
    return map->main.bytes + map->overflow.bytes;
}

/* ---- reading ---------------------------------------------------------------------------- */

static souk_idmap_bucket *main_at(const souk_idmap *map, uint64_t index)
{
    return (souk_idmap_bucket *)map->main.at + index;
}

/* NULL at the end of the chain; a number from a damaged snapshot ends it too. */
static souk_idmap_bucket *overflow_at(const souk_idmap *map, uint32_t number)
{
    if (number == 0 || number > map->shape.overflow_count)
        return NULL;
    return (souk_idmap_bucket *)map->overflow.at + (number - 1);
}

/* The slot, and its bucket, or NULL.  Counting hops keeps a circle in a damaged file finite. */
static unsigned char *find_from(const souk_idmap *map, souk_idmap_bucket *bucket,
                                const souk_idmap_key *key, souk_idmap_bucket **ret_bucket)
{
    for (int hop = 0; bucket && hop < SOUK_IDMAP_CHAIN; hop++) {
        unsigned char *slot = souk_idmap_bucket_find(bucket, key);
        if (slot) {
            *ret_bucket = bucket;
            return slot;
        }
        bucket = overflow_at(map, bucket->next);
    }
    return NULL;
}

static unsigned char *find_slot(const souk_idmap *map, const souk_idmap_key *key,
                                souk_idmap_bucket **ret_bucket)
{
    if (!map->shape.bucket_count)
        return NULL;
    return find_from(map, main_at(map, souk_idmap_address(&map->shape, key)), key, ret_bucket);
}

uint32_t souk_idmap_find(const souk_idmap *map, const souk_idmap_key *key)
{
    souk_idmap_bucket *bucket;
    unsigned char *slot = find_slot(map, key, &bucket);
    return slot ? souk_get_u32(slot + SOUK_IDMAP_KEY) : SOUK_IDMAP_NONE;
}

void souk_idmap_expect(const souk_idmap *map, const souk_idmap_key *key)
{
    if (map->shape.bucket_count)
        __builtin_prefetch(main_at(map, souk_idmap_address(&map->shape, key)));
}

/* Three passes over a few keys: ask for the main buckets; look into them and ask for the overflow
 * of those that go on; look there.  The waits for memory overlap. */
static void find_some(const souk_idmap *map, const souk_idmap_key *keys, size_t count,
                      uint32_t *ret_values)
{
    souk_idmap_bucket *bucket[BATCH];
    for (size_t i = 0; i < count; i++) {
        bucket[i] = main_at(map, souk_idmap_address(&map->shape, &keys[i]));
        __builtin_prefetch(bucket[i]);
    }
    for (size_t i = 0; i < count; i++) {
        const unsigned char *slot = souk_idmap_bucket_find(bucket[i], &keys[i]);
        ret_values[i] = slot ? souk_get_u32(slot + SOUK_IDMAP_KEY) : SOUK_IDMAP_NONE;
        bucket[i] = slot ? NULL : overflow_at(map, bucket[i]->next);
        if (bucket[i])
            __builtin_prefetch(bucket[i]);
    }
    for (size_t i = 0; i < count; i++) {
        souk_idmap_bucket *found;
        const unsigned char *slot = bucket[i] ? find_from(map, bucket[i], &keys[i], &found) : NULL;
        if (slot)
            ret_values[i] = souk_get_u32(slot + SOUK_IDMAP_KEY);
    }
}

void souk_idmap_find_batch(const souk_idmap *map, const souk_idmap_key *keys, size_t count,
                           uint32_t *ret_values)
{
    if (!map->shape.bucket_count) {
        for (size_t i = 0; i < count; i++)
            ret_values[i] = SOUK_IDMAP_NONE;
        return;
    }
    for (size_t from = 0; from < count; from += BATCH)
        find_some(map, keys + from, souk_min_size(count - from, BATCH), ret_values + from);
}

/* ---- writing ---------------------------------------------------------------------------- */

/* One more bucket at the end of a region, zeroed. */
static souk_err add_bucket(souk_region *region, souk_idmap_bucket **ret_bucket)
{
    size_t at = region->bytes;
    SOUK_TRY(souk_region_grow(region, at + sizeof(souk_idmap_bucket)));
    *ret_bucket = (souk_idmap_bucket *)((char *)region->at + at);
    **ret_bucket = (souk_idmap_bucket){0};
    return SOUK_OK;
}

static souk_err take_overflow(souk_idmap *map, uint32_t *ret_number)
{
    souk_idmap_shape *shape = &map->shape;
    souk_idmap_bucket *bucket = overflow_at(map, shape->free_first);
    if (bucket) {
        *ret_number = shape->free_first;
        shape->free_first = bucket->next;
        *bucket = (souk_idmap_bucket){0};
        return SOUK_OK;
    }
    SOUK_TRY(add_bucket(&map->overflow, &bucket));
    *ret_number = ++shape->overflow_count;
    return SOUK_OK;
}

static void give_overflow(souk_idmap *map, uint32_t number)
{
    *overflow_at(map, number) = (souk_idmap_bucket){.next = map->shape.free_first};
    map->shape.free_first = number;
}

/* Puts an entry that is not there into the first room of the chain. */
static souk_err put_into(souk_idmap *map, souk_idmap_bucket *bucket, const unsigned char *entry)
{
    for (int hop = 1; bucket->used >= SLOTS; hop++) {
        souk_idmap_bucket *next = overflow_at(map, bucket->next);
        if (!next) {
            uint32_t number;
            if (hop >= SOUK_IDMAP_CHAIN)
                return SOUK_ETOOBIG;
            SOUK_TRY(take_overflow(map, &number));
            bucket->next = number;
            next = overflow_at(map, number);
        } else if (hop >= SOUK_IDMAP_CHAIN) {
            return SOUK_ETOOBIG;
        }
        bucket = next;
    }
    memcpy(bucket->slots[bucket->used++], entry, SLOT_BYTES);
    return SOUK_OK;
}

/* A damaged snapshot may hold more than its header counted. */
static void forget_one(souk_idmap_shape *shape)
{
    shape->count -= shape->count > 0;
}

/* Divides bucket `split` between itself and a new last one.  Each bucket of the old chain is
 * copied, emptied and given back before its entries are put again: the entries of k buckets never
 * need more than the k - 1 overflow buckets given back and two main ones, so nothing but the new
 * main bucket is asked of the system. */
static souk_err split_one(souk_idmap *map)
{
    souk_idmap_shape *shape = &map->shape;
    souk_idmap_bucket *fresh, *old = main_at(map, shape->split);
    SOUK_TRY(add_bucket(&map->main, &fresh));
    shape->bucket_count++;
    if (++shape->split == (uint64_t)1 << shape->level) {
        shape->level++;
        shape->split = 0;
    }

    souk_idmap_bucket copy = *old;
    *old = (souk_idmap_bucket){0};
    for (int hop = 0; hop < SOUK_IDMAP_CHAIN; hop++) {
        for (unsigned i = 0; i < souk_idmap_bucket_used(&copy); i++) {
            souk_idmap_key key = souk_idmap_key_of(copy.slots[i]);
            bool stays = main_at(map, souk_idmap_address(shape, &key)) == old;
            /* Fails only where a damaged snapshot has a circle for a chain. */
            if (put_into(map, stays ? old : fresh, copy.slots[i]))
                forget_one(shape);
        }
        uint32_t number = copy.next;
        souk_idmap_bucket *next = overflow_at(map, number);
        if (!next)
            break;
        copy = *next;
        give_overflow(map, number);
    }
    return SOUK_OK;
}

static souk_err make_first_buckets(souk_idmap *map)
{
    uint64_t count = 1u << START_LEVEL;
    SOUK_TRY(souk_region_grow(&map->main, count * sizeof(souk_idmap_bucket)));
    memset(map->main.at, 0, count * sizeof(souk_idmap_bucket));
    map->shape.bucket_count = count;
    return SOUK_OK;
}

souk_err souk_idmap_put(souk_idmap *map, const souk_idmap_key *key, uint32_t value)
{
    souk_assert(value != SOUK_IDMAP_NONE);
    souk_idmap_shape *shape = &map->shape;
    souk_idmap_bucket *bucket;
    if (find_slot(map, key, &bucket))
        return SOUK_EEXIST;
    if (shape->count >= map->most_count)
        return SOUK_ETOOBIG;
    if (!shape->bucket_count)
        SOUK_TRY(make_first_buckets(map));

    unsigned char entry[SLOT_BYTES];
    memcpy(entry, key->bytes, SOUK_IDMAP_KEY);
    souk_put_u32(entry + SOUK_IDMAP_KEY, value);
    SOUK_TRY(put_into(map, main_at(map, souk_idmap_address(shape, key)), entry));
    shape->count++;
    /* A split that finds no memory is made up for at the next put. */
    if (shape->count > shape->bucket_count * LOAD)
        (void)!split_one(map);
    return SOUK_OK;
}

souk_err souk_idmap_replace(souk_idmap *map, const souk_idmap_key *key, uint32_t value)
{
    souk_assert(value != SOUK_IDMAP_NONE);
    souk_idmap_bucket *bucket;
    unsigned char *slot = find_slot(map, key, &bucket);
    if (!slot)
        return SOUK_ENOENT;
    souk_put_u32(slot + SOUK_IDMAP_KEY, value);
    return SOUK_OK;
}

/* Takes an emptied overflow bucket out of its chain. */
static void unlink_bucket(souk_idmap *map, souk_idmap_bucket *head, souk_idmap_bucket *empty)
{
    souk_idmap_bucket *before = head;
    for (int hop = 0; before && hop < SOUK_IDMAP_CHAIN; hop++) {
        souk_idmap_bucket *next = overflow_at(map, before->next);
        if (next == empty) {
            uint32_t number = before->next;
            before->next = empty->next;
            give_overflow(map, number);
            return;
        }
        before = next;
    }
}

bool souk_idmap_remove(souk_idmap *map, const souk_idmap_key *key)
{
    souk_idmap_bucket *bucket;
    unsigned char *slot = find_slot(map, key, &bucket);
    if (!slot)
        return false;
    souk_idmap_bucket_remove(bucket, slot);
    forget_one(&map->shape);
    souk_idmap_bucket *head = main_at(map, souk_idmap_address(&map->shape, key));
    if (bucket != head && bucket->used == 0)
        unlink_bucket(map, head, bucket);
    return true;
}

/* One entry of a chain that is to go; false: none. */
static bool sweep_one(souk_idmap *map, uint64_t home, bool (*drop)(void *context, uint32_t value),
                      void *context)
{
    const souk_idmap_bucket *bucket = main_at(map, home);
    for (int hop = 0; bucket && hop < SOUK_IDMAP_CHAIN; hop++) {
        for (unsigned i = 0; i < souk_idmap_bucket_used(bucket); i++) {
            souk_idmap_key key = souk_idmap_key_of(bucket->slots[i]);
            if (drop(context, souk_get_u32(bucket->slots[i] + SOUK_IDMAP_KEY)))
                return souk_idmap_remove(map, &key);
        }
        bucket = overflow_at(map, bucket->next);
    }
    return false;
}

uint64_t souk_idmap_sweep(souk_idmap *map, bool (*drop)(void *context, uint32_t value),
                          void *context)
{
    uint64_t swept = 0;
    for (uint64_t home = 0; home < map->shape.bucket_count; home++)
        while (sweep_one(map, home, drop, context))
            swept++;
    return swept;
}

/* ---- snapshots -------------------------------------------------------------------------- */

souk_err souk_idmap_write(const souk_idmap *map, souk_file *file, uint64_t offset,
                          uint64_t *ret_bytes)
{
    souk_assert(offset % SOUK_IDMAP_PAGE == 0);
    unsigned char header[SOUK_IDMAP_PAGE] = {0};
    souk_idmap_header_make(&map->shape, header);
    uint64_t overflow_at_byte = souk_idmap_overflow_offset(&map->shape);
    SOUK_TRY(souk_file_write(file, header, sizeof header, offset));
    SOUK_TRY(souk_region_write(&map->main, file, offset + SOUK_IDMAP_PAGE));
    SOUK_TRY(souk_region_write(&map->overflow, file, offset + overflow_at_byte));
    *ret_bytes = souk_idmap_page_up(overflow_at_byte + map->overflow.bytes);
    return SOUK_OK;
}

/* Entries counted bucket by bucket: after a removal in the file its header does not know. */
static souk_err count_anew(souk_idmap *map)
{
    uint64_t count = 0;
    const souk_idmap_bucket *bucket = map->main.at;
    for (uint64_t i = 0; i < map->shape.bucket_count; i++)
        count += souk_idmap_bucket_used(&bucket[i]);
    bucket = map->overflow.at;
    for (uint64_t i = 0; i < map->shape.overflow_count; i++)
        count += souk_idmap_bucket_used(&bucket[i]);
    map->shape.count = count;
    return count <= map->most_count ? SOUK_OK : SOUK_ETOOBIG;
}

static souk_err map_parts(souk_idmap *map, souk_file *file, uint64_t offset)
{
    bool recount;
    SOUK_TRY(souk_idmap_header_read(file, offset, &map->shape, &recount));
    size_t main_bytes = map->shape.bucket_count * sizeof(souk_idmap_bucket);
    size_t overflow_bytes = map->shape.overflow_count * sizeof(souk_idmap_bucket);
    if (map->shape.count > map->most_count || main_bytes > map->main.reserved_bytes ||
        overflow_bytes > map->overflow.reserved_bytes)
        return SOUK_ETOOBIG;
    if (main_bytes)
        SOUK_TRY(souk_region_map(&map->main, file, offset + SOUK_IDMAP_PAGE, main_bytes));
    if (overflow_bytes)
        SOUK_TRY(souk_region_map(&map->overflow, file,
                                 offset + souk_idmap_overflow_offset(&map->shape), overflow_bytes));
    return recount ? count_anew(map) : SOUK_OK;
}

souk_err souk_idmap_map(souk_idmap *map, souk_file *file, uint64_t offset)
{
    souk_assert(map->shape.count == 0 && offset % SOUK_IDMAP_PAGE == 0);
    SOUK_TRY(souk_region_clear(&map->main));
    souk_err err = souk_region_clear(&map->overflow);
    if (!err)
        err = map_parts(map, file, offset);
    if (err) {
        map->shape = (souk_idmap_shape){.level = START_LEVEL};
        /* Giving memory back can only fail to save memory; the shape says what is in use. */
        (void)!souk_region_clear(&map->main);
        (void)!souk_region_clear(&map->overflow);
    }
    return err;
}

static bool bucket_is_sound(const souk_idmap *map, const souk_idmap_bucket *bucket, uint64_t home)
{
    static const unsigned char zeros[SLOTS * SLOT_BYTES];
    if (bucket->used > SLOTS || bucket->next > map->shape.overflow_count ||
        memcmp(bucket->slots[0] + bucket->used * SLOT_BYTES, zeros,
               (size_t)(SLOTS - bucket->used) * SLOT_BYTES) ||
        memcmp(bucket->zero, zeros, sizeof bucket->zero))
        return false;
    for (unsigned i = 0; i < bucket->used; i++) {
        souk_idmap_key key = souk_idmap_key_of(bucket->slots[i]);
        souk_idmap_bucket *found;
        if (souk_idmap_address(&map->shape, &key) != home ||
            find_slot(map, &key, &found) != bucket->slots[i])
            return false;
    }
    return true;
}

souk_err souk_idmap_verify(const souk_idmap *map)
{
    uint64_t entries = 0, overflow_seen = 0;
    for (uint64_t home = 0; home < map->shape.bucket_count; home++) {
        const souk_idmap_bucket *bucket = main_at(map, home);
        for (int hop = 0; bucket; hop++) {
            if (hop >= SOUK_IDMAP_CHAIN || !bucket_is_sound(map, bucket, home))
                return SOUK_ECORRUPT;
            entries += bucket->used;
            overflow_seen += hop > 0;
            bucket = overflow_at(map, bucket->next);
        }
    }
    uint32_t number = map->shape.free_first;
    for (; number && overflow_seen <= map->shape.overflow_count; overflow_seen++) {
        const souk_idmap_bucket *bucket = overflow_at(map, number);
        if (!bucket || !bucket_is_sound(map, bucket, 0) || bucket->used)
            return SOUK_ECORRUPT;
        number = bucket->next;
    }
    bool right = overflow_seen == map->shape.overflow_count && entries == map->shape.count;
    return right ? SOUK_OK : SOUK_ECORRUPT;
}
