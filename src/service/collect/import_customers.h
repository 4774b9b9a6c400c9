/* import_customers.h - how many different people an import names, over all its files.
 *
 *     import_customers customers = {.mem = mem};
 *     SOUK_TRY(import_customers_add(&customers, event->ids[0].hash.low));
 *     customers.count
 *
 * Cost     16 to 32 bytes a person */
#ifndef SOUK_SERVICE_COLLECT_IMPORT_CUSTOMERS_H
#define SOUK_SERVICE_COLLECT_IMPORT_CUSTOMERS_H

#include "base/mem.h"

typedef struct import_customers {
    souk_mem *mem;
    uint64_t *hashes; /* open addressing over 64 bits of identifiers */
    size_t capacity;
    uint64_t count;
} import_customers;
void import_customers_done(import_customers *customers);

/* SOUK_ENOMEM. */
SOUK_CHECKED souk_err import_customers_add(import_customers *customers, uint64_t hash);

#endif
