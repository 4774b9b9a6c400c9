/* names.h - numbers for what a shop calls by name: products, tags, stores, tiers, coupons; the same for as long as it runs.
 *
 *     SOUK_TRY(souk_names_number(names, merchant, SOUK_OFFER_TAG, SOUK_TEXT("brand:Oatly"), &number));
 *     number = souk_names_find(names, merchant, SOUK_OFFER_TAG, text);                        0: never heard of
 *
 * Numbers start at 1 and mean nothing outside this process.
 * Memory   21 bytes a name (idmap.h), up to SOUK_NAMES_MOST of them
 * Threads  any */
#ifndef SOUK_SERVICE_CHECKOUT_NAMES_H
#define SOUK_SERVICE_CHECKOUT_NAMES_H

#include "base/hash.h"

enum { SOUK_NAMES_MOST = 1 << 24 };

typedef struct souk_names souk_names;

SOUK_CHECKED souk_err souk_names_new(souk_mem *mem, const souk_hash_key *key,
                                     souk_names **ret_names);
void souk_names_free(souk_names *names);
SOUK_AUTO(souk_names)

/* noun: any small number that parts the kinds of names.  SOUK_ETOOBIG: SOUK_NAMES_MOST of them.  SOUK_ENOMEM. */
SOUK_CHECKED souk_err souk_names_number(souk_names *names, uint32_t merchant, unsigned noun,
                                        souk_text name, uint32_t *ret_number);
uint32_t souk_names_find(souk_names *names, uint32_t merchant, unsigned noun, souk_text name);

#endif
