/* import_customers.c - see import_customers.h. */
#include "service/collect/import_customers.h"

enum { CAPACITY_FIRST = 1 << 16 };

void import_customers_done(import_customers *customers)
{
    souk_mem_put(customers->mem, customers->hashes);
    *customers = (import_customers){.mem = customers->mem};
}

static uint64_t *place_of(uint64_t *hashes, size_t capacity, uint64_t key)
{
    size_t at = key & (capacity - 1);
    while (hashes[at] && hashes[at] != key)
        at = (at + 1) & (capacity - 1);
    return &hashes[at];
}

static souk_err grow(import_customers *customers)
{
    size_t capacity = souk_max_size(CAPACITY_FIRST, customers->capacity * 2);
    uint64_t *grown = souk_mem_array(customers->mem, capacity, sizeof *grown);
    if (!grown)
        return SOUK_ENOMEM;
    for (size_t i = 0; i < customers->capacity; i++)
        if (customers->hashes[i])
            *place_of(grown, capacity, customers->hashes[i]) = customers->hashes[i];
    souk_mem_put(customers->mem, customers->hashes);
    customers->hashes = grown;
    customers->capacity = capacity;
    return SOUK_OK;
}

souk_err import_customers_add(import_customers *customers, uint64_t hash)
{
    uint64_t key = hash | 1;
    if ((customers->count + 1) * 2 > customers->capacity)
        SOUK_TRY(grow(customers));
    uint64_t *place = place_of(customers->hashes, customers->capacity, key);
    customers->count += *place == 0;
    *place = key;
    return SOUK_OK;
}
