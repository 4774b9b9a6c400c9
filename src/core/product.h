/* product.h - what a merchant says of its products, and what it said before.
 *
 *     souk_product product = {.code = SOUK_TEXT("85123A"), .title = SOUK_TEXT("Heart holder"),
 *                             .price = {2550000}, .currency = "GBP"};
 *     SOUK_TRY(souk_product_put(tx, SOUK_OPERATOR, now, &product, &changed));       in a transaction
 *     SOUK_TRY(souk_product_read(ledger, SOUK_OPERATOR, SOUK_TEXT("85123A"), arena, &product, &since));
 *
 * Code     as events name products (catalogue.h), byte for byte, of one merchant.  Either may come first: the
 *          catalogue numbers what events name, this room holds what the merchant states, and the code joins them
 * Changes  a product told again as it was adds nothing; told otherwise it is a new version, and the old one stays
 *          with the time from which it held.  Nothing is taken away: a product that is sold no longer says so in
 *          `availability`
 * Truth    `souk rebuild` leaves it alone; `souk verify` recomputes each version's sum (souk_products_verify)
 * People   there are none in it: an erasure has nothing to do here
 *
 * Cost     put: two look-ups and an insertion, 4 us; memory: none
 * Threads  put in the writer; reads from any */
#ifndef SOUK_CORE_PRODUCT_H
#define SOUK_CORE_PRODUCT_H

#include "base/decimal.h"
#include "base/time.h"
#include "store/ledger.h"

enum {
    SOUK_PRODUCT_CODE_BYTES = 100,
    SOUK_PRODUCT_TEXT_BYTES = 500, /* title, brand, category, gtin, availability */
    SOUK_PRODUCT_URL_BYTES = 2000,
    SOUK_PRODUCT_ATTRIBUTES_BYTES = 30000
};

typedef struct souk_product {
    souk_text code;
    souk_text title, brand, category; /* for people; a category's levels parted by " > " */
    souk_text gtin;                   /* digits */
    souk_text url, image;
    souk_text availability; /* in_stock, out_of_stock, preorder, backorder; or as it was told */
    souk_text attributes;   /* what else was told: a JSON object, or empty */
    souk_decimal price;     /* of one */
    char currency[4];       /* of the price; "": no price was told */
} souk_product;

SOUK_CHECKED souk_err souk_products_migrate(souk_ledger *ledger, souk_diag *diag);

/* In a transaction.  SOUK_EINVAL: no code, or a text above its bytes, not UTF-8, or with a NUL. */
SOUK_CHECKED souk_err souk_product_put(souk_tx *tx, uint32_t merchant, souk_time at,
                                       const souk_product *product, bool *ret_changed);
/* Whether put would take it, with words. */
SOUK_CHECKED souk_err souk_product_check(const souk_product *product, souk_diag *diag);

/* As it is now, its texts in the arena, and since when (ret_since may be NULL).  SOUK_ENOENT. */
SOUK_CHECKED souk_err souk_product_read(souk_ledger *ledger, uint32_t merchant, souk_text code,
                                        souk_arena *arena, souk_product *ret_product,
                                        souk_time *ret_since);

typedef souk_err souk_product_each(void *context, const souk_product *product, souk_time since);
/* Products by code, byte order, behind after_code, at most `most`; texts live during the call.  Within a read of
 * the ledger: keep it short. */
SOUK_CHECKED souk_err souk_products_each(souk_ledger *ledger, uint32_t merchant,
                                         souk_text after_code, unsigned most,
                                         souk_product_each *each, void *context);
/* Every version of one, oldest first. */
SOUK_CHECKED souk_err souk_product_versions(souk_ledger *ledger, uint32_t merchant, souk_text code,
                                            souk_product_each *each, void *context);
/* Versions of every merchant as they were put, in the order of their rows' ids, behind after_id, at most `most`: for who
 * keeps products in memory.  In the caller's transaction. */
SOUK_CHECKED souk_err souk_products_told(souk_tx *tx, int64_t after_id, unsigned most,
                                         souk_err (*each)(void *context, int64_t id,
                                                          uint32_t merchant,
                                                          const souk_product *product),
                                         void *context);
SOUK_CHECKED souk_err souk_products_count(souk_ledger *ledger, uint32_t merchant,
                                          uint64_t *ret_count);

/* Reads every version.  SOUK_ECORRUPT with the first that is not what was put. */
SOUK_CHECKED souk_err souk_products_verify(souk_mem *mem, souk_ledger *ledger, souk_diag *diag);

#endif
