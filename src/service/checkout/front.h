/* front.h - how a merchant sells: stores, offers, taxes and codes of scales, compiled from documents.
 *
 *     SOUK_TRY(souk_fronts_new(mem, ledger, names, &fronts));
 *     SOUK_TRY(souk_fronts_refresh(fronts));                     what was changed since, by whomever
 *
 *     const souk_front *front = souk_front_hold(fronts, merchant);           NULL: nothing is known of it
 *     const souk_book *book = souk_front_book(fronts, front, "CNY");
 *     souk_front_drop(front);                                                 as soon as the basket is priced
 *
 * Documents (core/document.h), each checked alike before it is stored and when it is read:
 *
 *     store    core/store.h: time_zone and currency are what matters here
 *     offer    key: its number  {"name":"3 for 2 tea","currency":"CNY","offer":{docs/offers.md}}
 *              currency: where amounts are in it; an offer without one holds in every currency
 *     tax      key: a store, or "all"
 *              {"prices":"with_tax","round":"receipt","rounding":"half_up",
 *               "rates":[{"name":"USt 19 %","percent":19},{"name":"USt 7 %","percent":7}],
 *               "classes":{"standard":["USt 19 %"],"reduced":["USt 7 %"],"free":[]},"usual":"standard"}
 *     measure  key: "all"       {"templates":["21IIIIIVVVVVC weight g"]}     base/measure.h
 *
 * A front never changes: what is told anew makes a new one, and who holds the old one finishes with it.  A document that
 * does not fit any more (a name is gone, another offer contradicts) is left out and told as a fault, and the rest holds.
 *
 * Cost     hold: a lock and a search; refresh: one sum over the documents, and for a merchant that changed all of its own
 * Threads  refresh from one; the rest from any */
#ifndef SOUK_SERVICE_CHECKOUT_FRONT_H
#define SOUK_SERVICE_CHECKOUT_FRONT_H

#include "algo/offer.h"
#include "algo/tax.h"
#include "base/measure.h"
#include "base/zone.h"
#include "service/checkout/shelf.h"

enum {
    SOUK_FRONT_CURRENCIES = 32,
    SOUK_FRONT_CLASSES_MOST = 100,
    SOUK_FRONT_OFFER_NAME_BYTES = 200,
};

typedef struct souk_fronts souk_fronts;
typedef struct souk_front souk_front;

SOUK_CHECKED souk_err souk_fronts_new(souk_mem *mem, souk_ledger *ledger, souk_names *names,
                                      souk_fronts **ret_fronts);
/* After the last front was dropped. */
void souk_fronts_free(souk_fronts *fronts);
SOUK_AUTO(souk_fronts)
SOUK_CHECKED souk_err souk_fronts_refresh(souk_fronts *fronts);

/* Whether the document would be taken, an offer beside all others that are there, with words.  kind: "offer", "tax" or
 * "measure". */
SOUK_CHECKED souk_err souk_front_check(souk_fronts *fronts, uint32_t merchant, souk_text kind,
                                       souk_text key, souk_text text, souk_diag *diag);

const souk_front *souk_front_hold(souk_fronts *fronts, uint32_t merchant);
void souk_front_drop(const souk_front *front);

typedef struct souk_front_store {
    souk_text code;
    char currency[4];      /* ""; not told */
    const souk_zone *zone; /* NULL: UTC */
} souk_front_store;
/* NULL: nobody described it. */
const souk_front_store *souk_front_store_of(const souk_front *front, souk_text code);
/* One without offers where there are none; front may be NULL.  It lives as long as the front, or the fronts. */
const souk_book *souk_front_book(const souk_fronts *fronts, const souk_front *front,
                                 const char currency[4]);
/* "": no offer has this number. */
const char *souk_front_offer_name(const souk_front *front, uint64_t offer);
/* The class of coupon that it asks for (SOUK_NOUN_COUPON); 0: none. */
uint32_t souk_front_offer_coupon(const souk_front *front, uint64_t offer);
const souk_measures *souk_front_measures(const souk_front *front);

typedef struct souk_front_tax {
    souk_tax_rule rule;
    uint32_t usual; /* class of products that name none */
} souk_front_tax;
/* Of the store, else of all; NULL: no tax was told, and none is. */
const souk_front_tax *souk_front_tax_of(const souk_front *front, souk_text store);
/* The class's number in the rule; its usual one for "".  SOUK_ENOENT. */
SOUK_CHECKED souk_err souk_front_tax_class(const souk_front *front, const souk_front_tax *tax,
                                           souk_text name, uint32_t *ret_class);

/* Documents left out, and why the first was; "" where all hold. */
size_t souk_front_faults(const souk_front *front, const char **ret_words);

#endif
