/* vault_keys.c - locked pages and the cache of vault_keys.h. */
#include "store/vault_keys.h"

#include <sodium.h>
#include <string.h>
#include <sys/mman.h>

enum { PAGE_BYTES = 4096 };

souk_err souk_vault_pages_init(souk_vault_pages *pages, souk_mem *mem, size_t bytes)
{
    size_t whole = (bytes + PAGE_BYTES - 1) & ~(size_t)(PAGE_BYTES - 1);
    void *raw = souk_mem_get(mem, whole + PAGE_BYTES);
    if (!raw)
        return SOUK_ENOMEM;
    uintptr_t into = (uintptr_t)raw % PAGE_BYTES;
    void *at = (char *)raw + (into ? PAGE_BYTES - into : 0);
    /* Both are best effort: a container may forbid locking, and the server works without. */
    bool locked = mlock(at, whole) == 0;
    (void)madvise(at, whole, MADV_DONTDUMP);
    *pages = (souk_vault_pages){mem, raw, at, whole, locked};
    return SOUK_OK;
}

void souk_vault_pages_done(souk_vault_pages *pages)
{
    if (!pages->raw)
        return;
    sodium_memzero(pages->at, pages->bytes);
    (void)madvise(pages->at, pages->bytes, MADV_DODUMP);
    if (pages->locked)
        (void)munlock(pages->at, pages->bytes);
    souk_mem_put(pages->mem, pages->raw);
    *pages = (souk_vault_pages){0};
}

souk_err souk_vault_keys_init(souk_vault_keys *keys, souk_mem *mem, uint32_t key_count)
{
    souk_assert(key_count <= SOUK_VAULT_CACHE_MOST);
    for (size_t i = 0; i < SOUK_VAULT_SHARDS; i++)
        souk_mutex_init(&keys->shards[i].mutex);
    keys->set_count = 1;
    while (keys->set_count * SOUK_VAULT_WAYS < key_count)
        keys->set_count *= 2;
    SOUK_TRY(souk_vault_pages_init(&keys->pages, mem, keys->set_count * sizeof *keys->sets));
    keys->sets = keys->pages.at;
    return SOUK_OK;
}

void souk_vault_keys_done(souk_vault_keys *keys)
{
    if (!keys->set_count)
        return;
    souk_vault_pages_done(&keys->pages);
    for (size_t i = 0; i < SOUK_VAULT_SHARDS; i++)
        souk_mutex_done(&keys->shards[i].mutex);
    keys->set_count = 0;
}

static souk_vault_set *set_of(souk_vault_keys *keys, uint32_t slot)
{
    return &keys->sets[slot & (keys->set_count - 1)];
}

/* Where there are fewer sets than shards some shards have none; a set is always in one shard. */
static souk_vault_shard *shard_of(souk_vault_keys *keys, uint32_t slot)
{
    return &keys->shards[slot & (keys->set_count - 1) & (SOUK_VAULT_SHARDS - 1)];
}

/* SOUK_VAULT_WAYS: not there. */
static uint32_t way_of(const souk_vault_set *set, uint32_t slot)
{
    uint32_t way = 0;
    while (way < SOUK_VAULT_WAYS && set->slot[way] != slot)
        way++;
    return way;
}

static void touch(souk_vault_set *set, uint32_t way)
{
    set->used |= 1u << way;
    if (set->used == (1u << SOUK_VAULT_WAYS) - 1)
        set->used = 1u << way;
}

bool souk_vault_keys_find(souk_vault_keys *keys, uint32_t slot, uint8_t ret_key[32],
                          uint64_t *ret_epoch)
{
    souk_vault_shard *shard = shard_of(keys, slot);
    souk_auto_lock(&shard->mutex);
    souk_vault_set *set = set_of(keys, slot);
    uint32_t way = way_of(set, slot);
    if (way == SOUK_VAULT_WAYS) {
        shard->misses++;
        *ret_epoch = shard->epoch;
        return false;
    }
    shard->hits++;
    touch(set, way);
    memcpy(ret_key, set->key[way], 32);
    return true;
}

bool souk_vault_keys_keep(souk_vault_keys *keys, uint32_t slot, const uint8_t key[32],
                          uint64_t epoch)
{
    souk_vault_shard *shard = shard_of(keys, slot);
    souk_auto_lock(&shard->mutex);
    if (shard->epoch != epoch)
        return false;
    souk_vault_set *set = set_of(keys, slot);
    uint32_t way = way_of(set, slot); /* another thread may have been faster */
    if (way == SOUK_VAULT_WAYS)
        way = way_of(set, 0);
    if (way == SOUK_VAULT_WAYS)
        way = (uint32_t)__builtin_ctz(~set->used); /* touch leaves at least one bit clear */
    set->slot[way] = slot;
    memcpy(set->key[way], key, 32);
    touch(set, way);
    return true;
}

void souk_vault_keys_forget(souk_vault_keys *keys, uint32_t slot)
{
    souk_vault_shard *shard = shard_of(keys, slot);
    souk_auto_lock(&shard->mutex);
    shard->epoch++;
    souk_vault_set *set = set_of(keys, slot);
    uint32_t way = way_of(set, slot);
    if (way == SOUK_VAULT_WAYS)
        return;
    set->slot[way] = 0;
    set->used &= ~(1u << way);
    sodium_memzero(set->key[way], 32);
}

void souk_vault_keys_count(souk_vault_keys *keys, uint64_t *ret_hits, uint64_t *ret_misses)
{
    *ret_hits = *ret_misses = 0;
    for (size_t i = 0; i < SOUK_VAULT_SHARDS; i++) {
        souk_vault_shard *shard = &keys->shards[i];
        souk_auto_lock(&shard->mutex);
        *ret_hits += shard->hits;
        *ret_misses += shard->misses;
    }
}
