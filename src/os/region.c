/* region.c - a reserved range of addresses, made of memory from the front.
 *
 *     at                     bytes      committed_bytes                    reserved_bytes
 *     | in use               | zeros    | PROT_NONE: addresses, no memory  |
 *
 * Bytes in [bytes, committed_bytes) are always zero, so growing has nothing to clear. */
#include "os/region.h"

#include <errno.h>
#include <sys/mman.h>

enum { PAGE_BYTES = 4096, STEP_BYTES = 1 << 20 };

static bool round_to_pages(size_t bytes, size_t *ret_rounded)
{
    if (bytes > SIZE_MAX - (PAGE_BYTES - 1))
        return false;
    *ret_rounded = (bytes + PAGE_BYTES - 1) & ~(size_t)(PAGE_BYTES - 1);
    return true;
}

/* Fresh addresses without memory; `at` not NULL replaces what lies there. */
static void *reserve(void *at, size_t bytes)
{
    void *got = mmap(at, bytes, PROT_NONE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | (at ? MAP_FIXED : 0), -1, 0);
    return got == MAP_FAILED ? NULL : got;
}

souk_err souk_region_init(souk_region *region, size_t most_bytes)
{
    size_t reserved;
    if (most_bytes == 0)
        return SOUK_EINVAL;
    if (!round_to_pages(most_bytes, &reserved))
        return SOUK_ENOMEM;
    void *at = reserve(NULL, reserved);
    if (!at)
        return SOUK_ENOMEM;
    /* A core dump of a hundred gigabytes of index helps nobody and would leak shoppers. */
    madvise(at, reserved, MADV_DONTDUMP);
    *region = (souk_region){.at = at, .reserved_bytes = reserved};
    return SOUK_OK;
}

void souk_region_done(souk_region *region)
{
    if (region->at) {
        int failed = munmap(region->at, region->reserved_bytes);
        souk_assert(!failed);
    }
    *region = (souk_region){0};
}

souk_err souk_region_grow(souk_region *region, size_t bytes)
{
    souk_assert(bytes >= region->bytes);
    if (bytes > region->reserved_bytes)
        return SOUK_ETOOBIG;
    if (bytes > region->committed_bytes) {
        size_t step = souk_max_size(region->committed_bytes / 8, STEP_BYTES);
        size_t most = region->reserved_bytes - region->committed_bytes;
        size_t want = souk_max_size(bytes - region->committed_bytes, souk_min_size(step, most));
        size_t more;
        if (!round_to_pages(want, &more) || more > most)
            more = most;
        if (mprotect((char *)region->at + region->committed_bytes, more, PROT_READ | PROT_WRITE))
            return SOUK_ENOMEM;
        region->committed_bytes += more;
    }
    region->bytes = bytes;
    return SOUK_OK;
}

souk_err souk_region_clear(souk_region *region)
{
    if (region->committed_bytes && !reserve(region->at, region->committed_bytes))
        return SOUK_ENOMEM;
    if (region->committed_bytes)
        madvise(region->at, region->committed_bytes, MADV_DONTDUMP);
    region->bytes = region->committed_bytes = 0;
    return SOUK_OK;
}

souk_err souk_region_write(const souk_region *region, souk_file *file, uint64_t offset)
{
    if (offset % PAGE_BYTES)
        return SOUK_EINVAL;
    return souk_file_write(file, region->at, region->bytes, offset);
}

souk_err souk_region_map(souk_region *region, souk_file *file, uint64_t offset, size_t bytes)
{
    souk_assert(region->bytes == 0);
    if (offset % PAGE_BYTES)
        return SOUK_EINVAL;
    if (bytes > region->reserved_bytes)
        return SOUK_ETOOBIG;
    if (bytes == 0)
        return SOUK_OK;
    void *at;
    souk_err err = souk_file_map(file, offset, bytes, region->at, &at);
    if (err) {
        /* A half-made map may have replaced our addresses: take them back as they were. */
        size_t touched = souk_max_size(region->committed_bytes, bytes);
        region->committed_bytes = 0;
        return reserve(region->at, touched) ? err : SOUK_ENOMEM;
    }
    size_t pages;
    bool fits = round_to_pages(bytes, &pages);
    souk_assert(fits && pages <= region->reserved_bytes);
    /* What follows in the file shares the last page; ours ends here, and grows with zeros. */
    memset((char *)region->at + bytes, 0, pages - bytes);
    madvise(region->at, pages, MADV_DONTDUMP);
    region->bytes = bytes;
    region->committed_bytes = souk_max_size(pages, region->committed_bytes);
    return SOUK_OK;
}
