/* idmap_inside.h - private to idmap: a bucket, the shape of the table, the header of a snapshot.
 *
 * Header, 4096 bytes of which these are not zero (little endian, from the first sector's start):
 *     0  magic "SoukIdm1"     8  version u32 = 1    12  flags u32 (bit 0: count the entries anew)
 *    16  entries u64         24  split u64          32  overflow buckets u32
 *    36  first free overflow u32                    40  level u32
 *    44  main buckets exist u32 (0 or 1)            48  CRC-32C of bytes 0 to 47 */
#ifndef SOUK_CORE_IDMAP_INSIDE_H
#define SOUK_CORE_IDMAP_INSIDE_H

#include "core/idmap.h"

enum {
    SLOTS = 4,
    SLOT_BYTES = SOUK_IDMAP_KEY + 4,
    LOAD = 5,        /* entries a main bucket above which one is split */
    START_LEVEL = 6, /* the first put makes 2^6 buckets */
    SOUK_IDMAP_PAGE = 4096,
    SOUK_IDMAP_HEADER = 52,
};

typedef struct souk_idmap_bucket {
    unsigned char slots[SLOTS][SLOT_BYTES];
    uint32_t next; /* overflow bucket, from 1; 0: none */
    uint8_t used;
    uint8_t zero[3];
} souk_idmap_bucket;
_Static_assert(sizeof(souk_idmap_bucket) == 64, "a bucket is one cache line");

typedef struct souk_idmap_shape {
    uint64_t count;
    uint64_t bucket_count; /* main: 2^level + split, or 0 before the first put */
    uint64_t split;
    uint32_t overflow_count; /* made, in use or free */
    uint32_t free_first;
    unsigned level;
} souk_idmap_shape;

static inline uint64_t souk_idmap_address(const souk_idmap_shape *shape, const souk_idmap_key *key)
{
    uint64_t hash = souk_get_u64(key->bytes), round = (uint64_t)1 << shape->level;
    uint64_t index = hash & (round - 1);
    return index < shape->split ? hash & (2 * round - 1) : index;
}

/* A damaged snapshot may say more than there are. */
static inline unsigned souk_idmap_bucket_used(const souk_idmap_bucket *bucket)
{
    return bucket->used < SLOTS ? bucket->used : SLOTS;
}

/* The slot of the key in this one bucket, or NULL. */
static inline unsigned char *souk_idmap_bucket_find(souk_idmap_bucket *bucket,
                                                    const souk_idmap_key *key)
{
    uint64_t low = souk_get_u64(key->bytes);
    uint16_t high = souk_get_u16(key->bytes + 8);
    for (unsigned i = 0, used = souk_idmap_bucket_used(bucket); i < used; i++) {
        unsigned char *slot = bucket->slots[i];
        if (souk_get_u64(slot) == low && souk_get_u16(slot + 8) == high)
            return slot;
    }
    return NULL;
}

/* Closes the gap with the bucket's last entry and zeroes the slot that becomes free. */
static inline void souk_idmap_bucket_remove(souk_idmap_bucket *bucket, unsigned char *slot)
{
    unsigned char *last = bucket->slots[souk_idmap_bucket_used(bucket) - 1];
    memmove(slot, last, SLOT_BYTES);
    memset(last, 0, SLOT_BYTES);
    bucket->used = (uint8_t)(souk_idmap_bucket_used(bucket) - 1);
}

static inline uint64_t souk_idmap_page_up(uint64_t bytes)
{
    return (bytes + SOUK_IDMAP_PAGE - 1) / SOUK_IDMAP_PAGE * SOUK_IDMAP_PAGE;
}

/* Where the overflow buckets begin, from the snapshot's first byte. */
static inline uint64_t souk_idmap_overflow_offset(const souk_idmap_shape *shape)
{
    return SOUK_IDMAP_PAGE + souk_idmap_page_up(shape->bucket_count * sizeof(souk_idmap_bucket));
}

/* Fills the first SOUK_IDMAP_HEADER bytes. */
void souk_idmap_header_make(const souk_idmap_shape *shape, unsigned char *header);
/* SOUK_ECORRUPT, SOUK_EVERSION, SOUK_EIO; *ret_recount: entries were removed in the file. */
SOUK_CHECKED souk_err souk_idmap_header_read(souk_file *file, uint64_t offset,
                                             souk_idmap_shape *ret_shape, bool *ret_recount);

#endif
