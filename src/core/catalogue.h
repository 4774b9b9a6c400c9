/* catalogue.h - numbers for the names that events repeat: types, products, categories, stores.
 *
 *     souk_catalogue_begin(catalogue);                           the writer, in a transaction
 *     SOUK_TRY(souk_catalogue_number(catalogue, tx, SOUK_NAME_TYPE, 0, SOUK_TEXT("Order Completed"),
 *                                    &type));
 *     souk_catalogue_commit(catalogue);                          after the commit, or rollback
 *     souk_text name = souk_catalogue_name(catalogue, SOUK_NAME_TYPE, type);
 *
 * Codes compare byte for byte.  Products and stores belong to a merchant, types and categories to all.
 * Numbers start at 1 and are never reused; 0 means none.  A kind that is full gives 0: the name then
 * stands in the event's sealed text alone, so nobody can fill the catalogue with what is not a name.
 *
 * Memory   about 80 bytes for each name, and the text where it is longer than 40
 * Threads  one writer; readers take committed names at any time. */
#ifndef SOUK_CORE_CATALOGUE_H
#define SOUK_CORE_CATALOGUE_H

#include "store/ledger.h"

typedef enum souk_name_kind {
    SOUK_NAME_TYPE = 1,
    SOUK_NAME_PRODUCT = 2,
    SOUK_NAME_CATEGORY = 3,
    SOUK_NAME_STORE = 4,
    SOUK_NAME_KINDS
} souk_name_kind;

typedef struct souk_catalogue souk_catalogue;

/* Makes the tables, reads the names. */
SOUK_CHECKED souk_err souk_catalogue_open(souk_mem *mem, souk_ledger *ledger,
                                          souk_catalogue **ret_catalogue, souk_diag *diag);
void souk_catalogue_free(souk_catalogue *catalogue);
SOUK_AUTO(souk_catalogue)

/* New names since begin are forgotten by rollback, and seen by readers after commit. */
void souk_catalogue_begin(souk_catalogue *catalogue);
void souk_catalogue_commit(souk_catalogue *catalogue);
void souk_catalogue_rollback(souk_catalogue *catalogue);

/* The number of a name, given now where it is new; 0 for the empty name and where the kind is full. */
SOUK_CHECKED souk_err souk_catalogue_number(souk_catalogue *catalogue, souk_tx *tx,
                                            souk_name_kind kind, uint32_t merchant, souk_text name,
                                            uint32_t *ret_number);
/* A product with its title and category (may be empty); they are kept from the first event that
 * tells them. */
SOUK_CHECKED souk_err souk_catalogue_product(souk_catalogue *catalogue, souk_tx *tx,
                                             uint32_t merchant, souk_text code, souk_text title,
                                             souk_text category, uint32_t *ret_number,
                                             uint32_t *ret_category);

/* Copies the name, cut to fit, with a NUL; "" for 0 and unknown numbers. */
void souk_catalogue_name(const souk_catalogue *catalogue, souk_name_kind kind, uint32_t number,
                         char *ret_name, size_t room);
/* 0 where there is none. */
uint32_t souk_catalogue_find(const souk_catalogue *catalogue, souk_name_kind kind,
                             uint32_t merchant, souk_text name);
/* Committed names of a kind, in order, those above `after`, at most limit; texts live until `each` returns.  Reads the
 * ledger: keep `each` short. */
SOUK_CHECKED souk_err souk_catalogue_list(souk_catalogue *catalogue, souk_name_kind kind,
                                          uint32_t merchant, souk_text after, size_t limit,
                                          souk_err (*each)(void *context, souk_text name),
                                          void *context);
uint32_t souk_catalogue_count(const souk_catalogue *catalogue, souk_name_kind kind);

#endif
