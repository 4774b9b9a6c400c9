/* region.h - an array that grows in place without ever moving, and that a file can stand under.
 *
 *     souk_region atoms;
 *     SOUK_TRY(souk_region_init(&atoms, (size_t)1 << 36));     reserves addresses, no memory
 *     SOUK_TRY(souk_region_grow(&atoms, count * sizeof(struct atom)));
 *     struct atom *all = atoms.at;                             never changes
 *     SOUK_TRY(souk_region_write(&atoms, file, offset));       a snapshot
 *     ...
 *     SOUK_TRY(souk_region_map(&atoms, file, offset, bytes));  a restart: mapped, not read
 *
 * Workload  the profile index: 10 M shoppers, restart in seconds; pages are read when first touched
 *           and copied when first written (MAP_PRIVATE), so the file never changes under us.
 * Cost      growing within what is committed (steps of an eighth, at least 1 MiB): a comparison; a
 *           committed page costs memory only once it is touched.
 * Threads   one writer; readers may read below the `bytes` they were told while it grows. */
#ifndef SOUK_OS_REGION_H
#define SOUK_OS_REGION_H

#include "os/disk.h"

typedef struct souk_region {
    void *at;     /* page-aligned; NULL after done */
    size_t bytes; /* in use, zeroed when grown */
    size_t reserved_bytes, committed_bytes;
} souk_region;

/* Addresses for most_bytes (rounded up to pages).  SOUK_EINVAL: none asked for.  SOUK_ENOMEM. */
SOUK_CHECKED souk_err souk_region_init(souk_region *region, size_t most_bytes);
/* Fine twice, and on a zeroed struct. */
void souk_region_done(souk_region *region);
/* bytes >= region->bytes.  SOUK_ETOOBIG above the reservation, SOUK_ENOMEM. */
SOUK_CHECKED souk_err souk_region_grow(souk_region *region, size_t bytes);
/* Empty again, all memory given back; `at` stays.  SOUK_ENOMEM leaves the region as it was. */
SOUK_CHECKED souk_err souk_region_clear(souk_region *region);
/* Writes [0, bytes) to the file at offset (a multiple of 4096); not to the file that was mapped
 * here (see souk_file_map).  Unsynced.  SOUK_EINVAL: offset unaligned; else as souk_file_write. */
SOUK_CHECKED souk_err souk_region_write(const souk_region *region, souk_file *file,
                                        uint64_t offset);
/* Puts `bytes` of the file at `offset` (a multiple of 4096) under an empty region, which can grow
 * on from there.  The file may be closed afterwards.
 * SOUK_ETOOBIG above the reservation; else as souk_file_map; on failure the region stays empty. */
SOUK_CHECKED souk_err souk_region_map(souk_region *region, souk_file *file, uint64_t offset,
                                      size_t bytes);

#endif
