/* names.c - one map of hashes under a lock: see names.h. */
#include "service/checkout/names.h"

#include "core/idmap.h"
#include "os/thread.h"

struct souk_names {
    souk_mem *mem;
    souk_hash_key key;
    souk_rwlock lock;
    souk_idmap *map;
    uint32_t count;
};

souk_err souk_names_new(souk_mem *mem, const souk_hash_key *key, souk_names **ret_names)
{
    souk_names *names = souk_mem_get(mem, sizeof *names);
    if (!names)
        return SOUK_ENOMEM;
    names->mem = mem;
    names->key = *key;
    souk_rwlock_init(&names->lock);
    souk_err err = souk_idmap_new(mem, SOUK_NAMES_MOST, &names->map);
    if (err)
        souk_names_free(names);
    else
        *ret_names = names;
    return err;
}

void souk_names_free(souk_names *names)
{
    if (!names)
        return;
    souk_idmap_free(names->map);
    souk_rwlock_done(&names->lock);
    souk_mem_put(names->mem, names);
}

static souk_idmap_key key_of(const souk_names *names, uint32_t merchant, unsigned noun,
                             souk_text name)
{
    uint32_t numbers[2] = {merchant, noun};
    souk_text parts[] = {{(const char *)numbers, sizeof numbers}, name};
    souk_hash128 hash = souk_hash128_of(&names->key, parts, 2);
    return souk_idmap_key_of(&hash);
}

static uint32_t find(souk_names *names, const souk_idmap_key *key)
{
    souk_rwlock_read(&names->lock);
    uint32_t number = souk_idmap_find(names->map, key);
    souk_rwlock_unlock(&names->lock);
    return number == SOUK_IDMAP_NONE ? 0 : number;
}

uint32_t souk_names_find(souk_names *names, uint32_t merchant, unsigned noun, souk_text name)
{
    souk_idmap_key key = key_of(names, merchant, noun, name);
    return find(names, &key);
}

souk_err souk_names_number(souk_names *names, uint32_t merchant, unsigned noun, souk_text name,
                           uint32_t *ret_number)
{
    souk_idmap_key key = key_of(names, merchant, noun, name);
    if ((*ret_number = find(names, &key)))
        return SOUK_OK;
    souk_rwlock_write(&names->lock);
    souk_err err = souk_idmap_put(names->map, &key, names->count + 1);
    if (!err)
        *ret_number = ++names->count;
    else if (err == SOUK_EEXIST) /* somebody was quicker */
        *ret_number = souk_idmap_find(names->map, &key);
    souk_rwlock_unlock(&names->lock);
    return err == SOUK_EEXIST ? SOUK_OK : err;
}
