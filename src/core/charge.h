/* charge.h - money as effects of a plan: all transfers of a basket go into the books as one set.
 *
 *     souk_charge sale = {.transfer = {.id = id, .kind = SOUK_TRANSFER_POST, .amount_minor = 1990, .reason = receipt},
 *                         .debit = {merchant, SOUK_BOOK_BALANCE, atom, "EUR"},
 *                         .credit = {merchant, SOUK_BOOK_SALES, store, "EUR"}};
 *     souk_plan_add(&plan, SOUK_EFFECT_CHARGE, SOUK_TEXT(""), 1990, &sale);
 *
 * Accounts  summed ones (sales, taxes, tenders) are made where they are new; an exact one must be there: nobody
 *           gets a credit line by buying
 * Order     books.h takes its locks in one order for the whole set, whatever the keys of these effects are
 * Errors    those of souk_books_apply, with words.  SOUK_ENOENT: no such account
 * Cost      one look-up for each account of the set, each once; and the set */
#ifndef SOUK_CORE_CHARGE_H
#define SOUK_CORE_CHARGE_H

#include "core/books.h"
#include "core/plan.h"

typedef struct souk_charge {
    souk_transfer transfer;  /* its accounts are found by the owner */
    souk_book debit, credit; /* of POST and HOLD */
    int32_t day;    /* the shop's local day, for limits by day; 0: that of plan->at in UTC */
    bool confirmed; /* the shopper has just proved who he is */
} souk_charge;

/* The owner of SOUK_EFFECT_CHARGE; needs no state. */
souk_err souk_charge_apply(void *state, souk_tx *tx, souk_plan *plan, const souk_effect *effects,
                           size_t count);

#endif
