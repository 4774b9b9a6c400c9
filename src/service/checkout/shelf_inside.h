/* shelf_inside.h - the prices of one product, in memory; private to service/checkout/shelf*.c. */
#ifndef SOUK_SERVICE_CHECKOUT_SHELF_INSIDE_H
#define SOUK_SERVICE_CHECKOUT_SHELF_INSIDE_H

#include "service/checkout/shelf.h"

typedef struct shelf_price {
    int64_t id;
    souk_time from, until;
    int64_t micro;
    uint32_t store; /* SOUK_NOUN_STORE; 0: all */
    bool ends;
    char currency[4];
    char list[SOUK_SHELF_LIST_BYTES + 1];
} shelf_price;

/* {0} is empty; list is of the heap. */
typedef struct shelf_prices {
    shelf_price *list;
    size_t count, capacity;
    souk_time swept; /* when it was last in vain to forget those that are over */
} shelf_prices;

/* A price told at `at`; one of the same store and `from` that was told before it goes.  Where there are very many, those that
 * can hold no more are forgotten; where none can be, this one is left out: a shelf never fails for one product. */
SOUK_CHECKED souk_err shelf_prices_put(shelf_prices *prices, souk_mem *mem, const shelf_price *told,
                                       souk_time at);
/* There is no room for another request's, and no use in looking for what is over. */
bool shelf_prices_crowded(const shelf_prices *prices, souk_time now);
/* What holds in the store; NULL: none. */
const shelf_price *shelf_prices_at(const shelf_prices *prices, uint32_t store, souk_time at);

#endif
