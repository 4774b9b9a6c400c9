/* front_inside.h - a front as it is made; private to service/checkout/front*.c. */
#ifndef SOUK_SERVICE_CHECKOUT_FRONT_INSIDE_H
#define SOUK_SERVICE_CHECKOUT_FRONT_INSIDE_H

#include "base/currency.h"
#include "base/json.h"
#include "os/thread.h"
#include "service/checkout/front.h"

#include <stdio.h>
#include <stdlib.h>

enum { FRONT_EXPONENTS = 5 }; /* of currencies: 0 to 4 */

struct front_book {
    char currency[4];
    souk_book *book;
};
struct front_offer {
    souk_offer offer;
    char currency[4];
    const char *name;
};
struct front_tax_of {
    souk_text store;
    souk_front_tax tax;
};

struct souk_front {
    souk_mem *mem;
    souk_fronts *fronts;
    uint32_t merchant;
    unsigned holders;
    souk_arena arena; /* of all lists and texts below */
    souk_front_store *stores;
    size_t store_count, store_capacity;
    souk_zone **zones;
    size_t zone_count, zone_capacity;
    struct front_offer *offers; /* by id */
    size_t offer_count, offer_capacity;
    struct front_tax_of *taxes;
    size_t tax_count, tax_capacity;
    souk_measures measures;
    struct front_book books[SOUK_FRONT_CURRENCIES];
    size_t book_count;
    souk_book *plain[FRONT_EXPONENTS]; /* of offers without a currency; NULL: there are none */
    size_t fault_count;
    char fault[500];
};

typedef struct front_reading {
    souk_names *names;
    uint32_t merchant;
    souk_json_doc doc;
    souk_diag diag;
} front_reading;

/* Takes one document into the front; its texts are copied.  SOUK_EINVAL and others with words in reading->diag. */
SOUK_CHECKED souk_err front_read(front_reading *reading, souk_front *front, souk_text kind,
                                 souk_text key, souk_text text);

/* A copy in the arena. */
static inline souk_text front_keep(souk_arena *arena, souk_text text)
{
    return (souk_text){souk_arena_copy(arena, text.at, text.bytes), text.bytes};
}

#endif
