/* idmap_file.c - the header of a snapshot, and the removal of one entry inside a file.
 *
 * A removal changes the file in two steps, each one write inside one sector: first the header says
 * that entries must be counted anew (once in the life of a snapshot), and only when that is synced
 * does the bucket lose its entry.  So the count is right after a power cut at any point. */
#include "base/hash.h"
#include "core/idmap.h"
#include "core/idmap_inside.h"

enum { VERSION = 1, FLAG_RECOUNT = 1, MOST_LEVEL = 30 };
static const char magic[8] = "SoukIdm1";

static void seal_header(unsigned char *header)
{
    souk_put_u32(header + 48, souk_crc32c(0, header, 48));
}

void souk_idmap_header_make(const souk_idmap_shape *shape, unsigned char *header)
{
    memcpy(header, magic, sizeof magic);
    souk_put_u32(header + 8, VERSION);
    souk_put_u32(header + 12, 0);
    souk_put_u64(header + 16, shape->count);
    souk_put_u64(header + 24, shape->split);
    souk_put_u32(header + 32, shape->overflow_count);
    souk_put_u32(header + 36, shape->free_first);
    souk_put_u32(header + 40, shape->level);
    souk_put_u32(header + 44, shape->bucket_count > 0);
    seal_header(header);
}

static souk_err take_header(souk_file *file, uint64_t offset, unsigned char *header)
{
    size_t got;
    SOUK_TRY(souk_file_read(file, header, SOUK_IDMAP_HEADER, offset, &got));
    if (got < SOUK_IDMAP_HEADER || memcmp(header, magic, sizeof magic) ||
        souk_get_u32(header + 48) != souk_crc32c(0, header, 48))
        return SOUK_ECORRUPT;
    return souk_get_u32(header + 8) > VERSION ? SOUK_EVERSION : SOUK_OK;
}

static souk_err shape_of(const unsigned char *header, souk_idmap_shape *ret_shape)
{
    souk_idmap_shape shape = {
        .count = souk_get_u64(header + 16),
        .split = souk_get_u64(header + 24),
        .overflow_count = souk_get_u32(header + 32),
        .free_first = souk_get_u32(header + 36),
        .level = souk_get_u32(header + 40),
    };
    if (shape.level > MOST_LEVEL || shape.split >= (uint64_t)1 << shape.level ||
        shape.free_first > shape.overflow_count)
        return SOUK_ECORRUPT;
    if (souk_get_u32(header + 44))
        shape.bucket_count = ((uint64_t)1 << shape.level) + shape.split;
    else if (shape.count || shape.split || shape.overflow_count || shape.level != START_LEVEL)
        return SOUK_ECORRUPT;
    *ret_shape = shape;
    return SOUK_OK;
}

souk_err souk_idmap_header_read(souk_file *file, uint64_t offset, souk_idmap_shape *ret_shape,
                                bool *ret_recount)
{
    unsigned char header[SOUK_IDMAP_HEADER];
    SOUK_TRY(take_header(file, offset, header));
    *ret_recount = souk_get_u32(header + 12) & FLAG_RECOUNT;
    return shape_of(header, ret_shape);
}

static souk_err read_bucket(souk_file *file, uint64_t at, souk_idmap_bucket *bucket)
{
    size_t got;
    SOUK_TRY(souk_file_read(file, bucket, sizeof *bucket, at, &got));
    return got == sizeof *bucket && bucket->used <= SLOTS ? SOUK_OK : SOUK_ECORRUPT;
}

/* The bucket that holds the key; *ret_slot is NULL where none does. */
static souk_err search_file(souk_file *file, uint64_t offset, const souk_idmap_shape *shape,
                            const souk_idmap_key *key, souk_idmap_bucket *bucket, uint64_t *ret_at,
                            unsigned char **ret_slot)
{
    *ret_slot = NULL;
    if (!shape->bucket_count)
        return SOUK_OK;
    uint64_t at =
        offset + SOUK_IDMAP_PAGE + souk_idmap_address(shape, key) * sizeof(souk_idmap_bucket);
    for (int hop = 0; hop < SOUK_IDMAP_CHAIN; hop++) {
        SOUK_TRY(read_bucket(file, at, bucket));
        *ret_at = at;
        *ret_slot = souk_idmap_bucket_find(bucket, key);
        if (*ret_slot || bucket->next == 0)
            return SOUK_OK;
        if (bucket->next > shape->overflow_count)
            return SOUK_ECORRUPT;
        at = offset + souk_idmap_overflow_offset(shape) +
             (uint64_t)(bucket->next - 1) * sizeof(souk_idmap_bucket);
    }
    return SOUK_ECORRUPT;
}

static souk_err mark_recount(souk_file *file, uint64_t offset, unsigned char *header)
{
    uint32_t flags = souk_get_u32(header + 12);
    if (flags & FLAG_RECOUNT)
        return SOUK_OK;
    souk_put_u32(header + 12, flags | FLAG_RECOUNT);
    seal_header(header);
    SOUK_TRY(souk_file_write(file, header, SOUK_IDMAP_HEADER, offset));
    return souk_file_sync(file);
}

souk_err souk_idmap_find_in_file(souk_disk *disk, const char *name, uint64_t offset,
                                 const souk_idmap_key *key, uint32_t *ret_value)
{
    souk_auto(souk_file) file = NULL;
    SOUK_TRY(souk_file_open(disk, name, SOUK_FILE_READ, &file));
    unsigned char header[SOUK_IDMAP_HEADER], *slot;
    souk_idmap_shape shape;
    souk_idmap_bucket bucket;
    uint64_t at;
    SOUK_TRY(take_header(file, offset, header));
    SOUK_TRY(shape_of(header, &shape));
    SOUK_TRY(search_file(file, offset, &shape, key, &bucket, &at, &slot));
    *ret_value = slot ? souk_get_u32(slot + SOUK_IDMAP_KEY) : SOUK_IDMAP_NONE;
    return SOUK_OK;
}

souk_err souk_idmap_remove_in_file(souk_disk *disk, const char *name, uint64_t offset,
                                   const souk_idmap_key *key)
{
    souk_assert(offset % SOUK_IDMAP_PAGE == 0);
    souk_auto(souk_file) file = NULL;
    SOUK_TRY(souk_file_open(disk, name, SOUK_FILE_WRITE, &file));
    unsigned char header[SOUK_IDMAP_HEADER], *slot;
    souk_idmap_shape shape;
    SOUK_TRY(take_header(file, offset, header));
    SOUK_TRY(shape_of(header, &shape));
    souk_idmap_bucket bucket;
    uint64_t at = 0;
    SOUK_TRY(search_file(file, offset, &shape, key, &bucket, &at, &slot));
    if (slot) {
        SOUK_TRY(mark_recount(file, offset, header));
        souk_idmap_bucket_remove(&bucket, slot);
        SOUK_TRY(souk_file_write(file, &bucket, sizeof bucket, at));
    }
    /* Also where it was gone: an attempt before this one may have ended between write and sync. */
    return souk_file_sync(file);
}
