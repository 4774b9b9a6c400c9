/* shelf.h - what a till must know of products, in memory: found by any code, with the price of this store and moment.
 *
 *     SOUK_TRY(souk_shelf_open(mem, ledger, names, &shelf, diag));
 *     SOUK_TRY(souk_shelf_refresh(shelf, now_ms));                      what was written since, by whomever
 *
 *     souk_shelf_item item;
 *     SOUK_TRY(souk_shelf_find(shelf, merchant, &scan, store, now, arena, &item));
 *     item.price                                                        item.has_price: false where none holds
 *
 * Products come from core/product.h.  Two tables more are kept here, rows of which are never changed: what is told again
 * overrides, and what ends is told so.
 *
 *     bar codes    a GTIN, or the item of a scale's code -> product and how many of it (a carton of 12)
 *     prices       product, store (or all), from, until -> price of one
 *
 * Price    of those that hold at the moment: a store's own before one of all stores, then the one that began last, then
 *          the one told last.  Where none holds, the price that the product itself was told with
 * Tags     what offers speak of: "brand:Oatly", and each level of a category: "category:Drinks",
 *          "category:Drinks > Tea"
 * Refresh  costs a look at the ends of three tables; call it once a second, and behind a change of one's own
 * Memory   some 400 bytes a product, with its texts
 * Threads  refresh from one; find from any */
#ifndef SOUK_SERVICE_CHECKOUT_SHELF_H
#define SOUK_SERVICE_CHECKOUT_SHELF_H

#include "base/decimal.h"
#include "base/time.h"
#include "service/checkout/names.h"
#include "store/ledger.h"

enum {
    SOUK_SHELF_CODE_BYTES = 100, /* of a product, or a bar code */
    SOUK_SHELF_STORE_BYTES = 64,
    SOUK_SHELF_LIST_BYTES = 40, /* a price list's name */
    SOUK_SHELF_TAGS = 16,
};

/* Names have numbers by what they are of. */
enum souk_shelf_noun {
    SOUK_NOUN_PRODUCT,
    SOUK_NOUN_TAG,
    SOUK_NOUN_STORE,
    SOUK_NOUN_TIER,
    SOUK_NOUN_AUDIENCE,
    SOUK_NOUN_COUPON,
    SOUK_NOUN_GROUP,
    SOUK_NOUN_TAX_CLASS
};

typedef struct souk_shelf souk_shelf;

/* Makes the two tables, and reads everything. */
SOUK_CHECKED souk_err souk_shelf_open(souk_mem *mem, souk_ledger *ledger, souk_names *names,
                                      souk_shelf **ret_shelf, souk_diag *diag);
void souk_shelf_free(souk_shelf *shelf);
SOUK_AUTO(souk_shelf)
/* now_ms: of a monotonic clock, above 0. */
SOUK_CHECKED souk_err souk_shelf_refresh(souk_shelf *shelf, uint64_t now_ms);

typedef struct souk_shelf_item { /* texts in the caller's arena */
    uint32_t number;             /* SOUK_NOUN_PRODUCT */
    souk_text code, title;
    uint32_t tags[SOUK_SHELF_TAGS];
    size_t tag_count;
    souk_text brand, category; /* as the tags are made of */
    souk_text tax_class;       /* the product's attribute "tax_class"; "": the shop's usual */
    souk_text unit;      /* its attribute "unit": "kg" of what is weighed; "": sold by the piece */
    bool no_offers;      /* its attribute "no_offers" is true */
    souk_decimal pieces; /* that the code stands for: 12 of a carton, else 1 */
    bool has_price;
    souk_decimal price;
    char currency[4];
    souk_text price_list; /* the list that the price is of; "": the product's own */
} souk_shelf_item;

/* By a product's code, or by a bar code.  SOUK_ENOENT. */
SOUK_CHECKED souk_err souk_shelf_find(souk_shelf *shelf, uint32_t merchant, souk_text code,
                                      souk_text store, souk_time at, souk_arena *arena,
                                      souk_shelf_item *ret_item);

typedef struct souk_price {
    souk_text product;
    souk_text store;       /* "": all */
    souk_text list;        /* for people: "weekend" */
    souk_time from, until; /* [from, until); until 0: open */
    bool ends; /* the one of this product, store and `from` that was told before holds no longer */
    souk_decimal price;
    char currency[4];
} souk_price;
/* In a transaction.  SOUK_EINVAL with words: a code or time that is none, a price below zero, no such currency. */
SOUK_CHECKED souk_err souk_price_put(souk_tx *tx, uint32_t merchant, souk_time now,
                                     const souk_price *price, souk_diag *diag);
/* code: a GTIN in any form (kept as 14 digits), or the item of a scale's code.  pieces 0: it means nothing any more. */
SOUK_CHECKED souk_err souk_barcode_put(souk_tx *tx, uint32_t merchant, souk_time now,
                                       souk_text code, souk_text product, souk_decimal pieces,
                                       souk_diag *diag);

uint64_t souk_shelf_count(souk_shelf *shelf);
/* The product has so many prices that hold, or will, that no more should be told; what is told nevertheless may be left out. */
bool souk_shelf_crowded(souk_shelf *shelf, uint32_t merchant, souk_text product, souk_time now);

#endif
