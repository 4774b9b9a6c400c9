/* merchant_private.h - the struct behind merchant.h, shared by merchant.c and merchant_list.c. */
#ifndef SOUK_CORE_MERCHANT_PRIVATE_H
#define SOUK_CORE_MERCHANT_PRIVATE_H

#include "core/merchant.h"
#include "os/thread.h"

struct secret {
    souk_hash128 hash;
    souk_caller caller; /* scopes 0: free; merchant 0: revoked, and probes go on behind it */
};

struct souk_merchants {
    souk_mem *mem;
    souk_spine *spine;
    souk_hash_key key;      /* under which secrets are hashed */
    souk_mutex changes;     /* one at a time, from its room to its end */
    souk_rwlock lock;       /* of what follows */
    struct secret *secrets; /* open addressing */
    size_t capacity, count; /* count includes what was revoked since the table grew */
};

#endif
