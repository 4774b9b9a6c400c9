/* idmap.h - whose identifier is this?  An 80-bit keyed hash leads to an atom; no pause, ever.
 *
 *     souk_auto(souk_idmap) map = NULL;
 *     SOUK_TRY(souk_idmap_new(mem, 200 * 1000 * 1000, &map));
 *     souk_idmap_key key = souk_idmap_key_of(&hash128);
 *     SOUK_TRY(souk_idmap_put(map, &key, atom));
 *     uint32_t found = souk_idmap_find(map, &key);            SOUK_IDMAP_NONE: nobody's
 *     SOUK_TRY(souk_idmap_write(map, file, 0, &bytes));       a snapshot
 *     SOUK_TRY(souk_idmap_map(map, file, 0));                 a restart: mapped, not read
 *
 * Why      a table that doubles stops the writer for seconds at 100 M entries.  Linear hashing
 *          splits one bucket for every few entries put, so that a put costs the same at any size.
 *
 * Bucket   64 bytes, one cache line: 4 slots of { key[10], value[4] } packed from the front, the
 *          number of the next overflow bucket (u32, from 1; 0: none), used slots (u8), 3 spare.
 *          Slots not in use are zero: a removed key is in no byte of the memory or of a snapshot.
 * Snapshot { header 4096 | main buckets | overflow buckets }, each part from a multiple of 4096.
 *          The header has a CRC; buckets have none, and whatever they hold, no call reads outside.
 *
 * Keys     hashes under a secret key (equal keys mean the same identifier; 80 bits among 300 M keys
 *          meet by chance with probability 4e-8).  Keys that share their low bits on purpose fill
 *          their chain of SOUK_IDMAP_CHAIN buckets and are then refused.
 * Memory   21.0 bytes an entry, 20.9 to 21.1 within a round of splits (measured at 1 to 10 M
 *          entries); address space for most_count is reserved at birth, memory comes as it fills
 * Errors   SOUK_ENOMEM and SOUK_ETOOBIG leave the map as it was.
 * Cost     find: one cache line, or two where the entry has spilled; a batch keeps 16 under way
 * Source   Litwin, "Linear hashing: a new tool for file and table addressing", VLDB 1980
 * Threads  any number of readers, or one writer alone: the caller's lock decides */
#ifndef SOUK_CORE_IDMAP_H
#define SOUK_CORE_IDMAP_H

#include "os/disk.h"

#define SOUK_IDMAP_NONE UINT32_MAX

enum {
    SOUK_IDMAP_KEY = 10,
    SOUK_IDMAP_CHAIN = 64, /* buckets from one address, at most */
};

typedef struct souk_idmap_key {
    unsigned char bytes[SOUK_IDMAP_KEY];
} souk_idmap_key;

/* The first ten bytes of a longer hash. */
static inline souk_idmap_key souk_idmap_key_of(const void *hash)
{
    souk_idmap_key key;
    memcpy(key.bytes, hash, sizeof key.bytes);
    return key;
}

typedef struct souk_idmap souk_idmap;

/* An empty map that may hold up to most_count entries, in [1, 2^32 - 2^20].
 * SOUK_EINVAL: most_count.  SOUK_ENOMEM: no memory, or no addresses. */
SOUK_CHECKED souk_err souk_idmap_new(souk_mem *mem, uint64_t most_count, souk_idmap **ret_map);
void souk_idmap_free(souk_idmap *map);
SOUK_AUTO(souk_idmap)

/* The value, or SOUK_IDMAP_NONE. */
uint32_t souk_idmap_find(const souk_idmap *map, const souk_idmap_key *key);
/* The key will soon be looked for: the processor brings its bucket meanwhile. */
void souk_idmap_expect(const souk_idmap *map, const souk_idmap_key *key);
/* The same for keys[count] into ret_values[count]. */
void souk_idmap_find_batch(const souk_idmap *map, const souk_idmap_key *keys, size_t count,
                           uint32_t *ret_values);

/* Adds an entry; value is not SOUK_IDMAP_NONE.  SOUK_EEXIST: the key is there, nothing changed.
 * SOUK_ETOOBIG: most_count entries, or a full chain.  SOUK_ENOMEM. */
SOUK_CHECKED souk_err souk_idmap_put(souk_idmap *map, const souk_idmap_key *key, uint32_t value);
/* Gives the entry a new value.  SOUK_ENOENT: there is none. */
SOUK_CHECKED souk_err souk_idmap_replace(souk_idmap *map, const souk_idmap_key *key,
                                         uint32_t value);
/* Removes the entry and overwrites its bytes; false where there was none.  Buckets are not given
 * back to the system. */
bool souk_idmap_remove(souk_idmap *map, const souk_idmap_key *key);

/* Removes every entry whose value `drop` says yes to; a pass over all.  Returns how many. */
uint64_t souk_idmap_sweep(souk_idmap *map, bool (*drop)(void *context, uint32_t value),
                          void *context);

uint64_t souk_idmap_count(const souk_idmap *map);
/* Bytes of main and overflow buckets. */
uint64_t souk_idmap_bytes(const souk_idmap *map);

/* Writes a snapshot at offset (a multiple of 4096) and says how many bytes it took (also one).
 * The caller syncs and renames.  SOUK_EIO, SOUK_EFULL. */
SOUK_CHECKED souk_err souk_idmap_write(const souk_idmap *map, souk_file *file, uint64_t offset,
                                       uint64_t *ret_bytes);
/* Puts a snapshot under an empty map; the file is not written to and may be freed or removed.
 * Costs one read of the header, unless somebody was removed in the file: then all is counted anew.
 * SOUK_ECORRUPT: not a snapshot, or a damaged one.  SOUK_EVERSION.  SOUK_ETOOBIG: most_count.
 * After an error the map is empty. */
SOUK_CHECKED souk_err souk_idmap_map(souk_idmap *map, souk_file *file, uint64_t offset);
/* Reads all: every entry is where it belongs, counts are right, unused slots are zero.
 * SOUK_ECORRUPT. */
SOUK_CHECKED souk_err souk_idmap_verify(const souk_idmap *map);

/* The key's value inside a snapshot, SOUK_IDMAP_NONE where it has none.
 * SOUK_ENOENT: no such file.  SOUK_ECORRUPT, SOUK_EVERSION, SOUK_EIO. */
SOUK_CHECKED souk_err souk_idmap_find_in_file(souk_disk *disk, const char *name, uint64_t offset,
                                              const souk_idmap_key *key, uint32_t *ret_value);
/* Removes the key inside a snapshot in the file `name` at `offset`, in place, and syncs: after
 * SOUK_OK the key is in no byte of it, whether it was there or not (so a half-done erasure is
 * simply done again).  A power cut leaves the entry whole or gone.  A map that was mapped from the
 * file: remove there first, so that it has a page of its own before the file changes.
 * SOUK_ENOENT: no such file.  SOUK_ECORRUPT, SOUK_EVERSION, SOUK_EIO. */
SOUK_CHECKED souk_err souk_idmap_remove_in_file(souk_disk *disk, const char *name, uint64_t offset,
                                                const souk_idmap_key *key);

#endif
