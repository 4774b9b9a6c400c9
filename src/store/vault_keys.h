/* vault_keys.h - private to the vault: memory that is not swapped or dumped, and in it the
 * keys used last.
 *
 *     uint64_t epoch;
 *     while (!souk_vault_keys_find(keys, slot, key, &epoch)) {
 *         SOUK_TRY(read the record and open it into key);
 *         if (souk_vault_keys_keep(keys, slot, key, epoch))
 *             break;                     else a key was destroyed meanwhile: read again
 *     }
 *
 * The epoch closes the gap between reading a record and keeping its key: a destroy that comes
 * between raises the epoch, so a key read before it cannot enter the cache after it.
 *
 * Shape    sets of 4 ways, the set is slot modulo the number of sets; the victim is a way not used
 *          since its neighbours were
 * Cost     find: a lock, four comparisons and a copy of 32 bytes
 * Threads  any; one mutex for each of 64 groups of sets; keys leave as copies only */
#ifndef SOUK_STORE_VAULT_KEYS_H
#define SOUK_STORE_VAULT_KEYS_H

#include "base/mem.h"
#include "os/thread.h"

/* Whole pages, zeroed, out of core dumps and, where the limit allows, out of swap. */
typedef struct souk_vault_pages {
    souk_mem *mem;
    void *raw; /* what mem gave */
    void *at;  /* the first page in it */
    size_t bytes;
    bool locked;
} souk_vault_pages;
SOUK_CHECKED souk_err souk_vault_pages_init(souk_vault_pages *pages, souk_mem *mem, size_t bytes);
/* Zeroes and gives back; a zeroed struct is fine. */
void souk_vault_pages_done(souk_vault_pages *pages);

enum { SOUK_VAULT_WAYS = 4, SOUK_VAULT_SHARDS = 64, SOUK_VAULT_CACHE_MOST = 1 << 20 };

typedef struct souk_vault_set {
    uint32_t slot[SOUK_VAULT_WAYS]; /* 0: empty */
    uint8_t key[SOUK_VAULT_WAYS][32];
    uint32_t used; /* bit of each way used since the last round */
} souk_vault_set;

typedef struct souk_vault_shard {
    souk_mutex mutex;
    uint64_t epoch; /* counts what was forgotten here */
    uint64_t hits, misses;
    unsigned char apart[64]; /* neighbours do not share a cache line */
} souk_vault_shard;

typedef struct souk_vault_keys {
    souk_vault_pages pages;
    souk_vault_set *sets;
    uint32_t set_count; /* a power of two */
    souk_vault_shard shards[SOUK_VAULT_SHARDS];
} souk_vault_keys;

/* key_count at most SOUK_VAULT_CACHE_MOST, rounded up to a power of two.  After an error done is
 * fine all the same.  SOUK_ENOMEM. */
SOUK_CHECKED souk_err souk_vault_keys_init(souk_vault_keys *keys, souk_mem *mem,
                                           uint32_t key_count);
void souk_vault_keys_done(souk_vault_keys *keys);

/* False: not here; *ret_epoch is for keep. */
SOUK_CHECKED bool souk_vault_keys_find(souk_vault_keys *keys, uint32_t slot, uint8_t ret_key[32],
                                       uint64_t *ret_epoch);
/* False: something was forgotten since epoch and the key may be stale; nothing was kept. */
SOUK_CHECKED bool souk_vault_keys_keep(souk_vault_keys *keys, uint32_t slot, const uint8_t key[32],
                                       uint64_t epoch);
void souk_vault_keys_forget(souk_vault_keys *keys, uint32_t slot);
void souk_vault_keys_count(souk_vault_keys *keys, uint64_t *ret_hits, uint64_t *ret_misses);

#endif
