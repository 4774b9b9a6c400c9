/* offer.h - what a shop promises its shoppers, compiled into a book that prices baskets quickly.
 *
 *     souk_offer_scope tea = {.tags = (uint32_t[]){TEA}, .tag_count = 1};
 *     souk_offer offers[] = {
 *         {.id = 7, .kind = SOUK_OFFER_N_FOR_M, .scopes = &tea, .scope_count = 1, .take = 3, .pay = 2},
 *         {.id = 9, .kind = SOUK_OFFER_BASKET_PERCENT, .scopes = &(souk_offer_scope){0}, .scope_count = 1,
 *          .percent_micro = 50000, .least_minor = 5000},                          5 % from 50.00 on
 *     };
 *     souk_auto(souk_book) book = NULL;
 *     SOUK_TRY(souk_book_new(mem, offers, 2, 2, &book, diag));
 *
 * pricing.h says what the offers of a book make of a basket; this page says what one offer is.
 *
 * Kinds    SCOPES and numbers each kind takes; all else must be 0
 *
 *            line offers, on units                             scopes   numbers
 *            UNIT_AMOUNT     amount off each unit              1        amount_minor
 *            UNIT_PERCENT    percent off                       1        percent_micro
 *            UNIT_PRICE      each unit for this price          1        amount_minor
 *            N_FOR_M         take 3, pay 2, cheapest free      1        take, pay
 *            N_FOR_PRICE     3 for 10.00                       1        take, amount_minor
 *            BUNDLE_PRICE    shirt + 2 socks for 30.00         2 to 8   amount_minor, each scope's quantity
 *            BUNDLE_PERCENT  shirt + 2 socks 20 % off          2 to 8   percent_micro, each scope's quantity
 *
 *            basket offers, on the subtotal after line offers; with a least quantity or amount: thresholds
 *            BASKET_AMOUNT   10.00 off                         1        amount_minor
 *            BASKET_PERCENT  5 % off                           1        percent_micro
 *            BASKET_FREE     a product of the second free      2        the second scope's quantity
 *
 * Scope    products or tags (numbers of categories, brands, any) that are meant, less those excluded.  A scope that
 *          includes nothing by name means everything.  Lines marked `no_offers` are in no scope.
 * Least    line offers: what the (first) scope holds in the basket at list prices, before any offer.  Basket offers:
 *          what it holds after line offers.  Weighed goods count by their quantity: 2.5 kg are 2.5.
 * Times    most_times limits what a basket gets of an offer: units of a UNIT_ kind (a weighed line is one), sets of
 *          the next four, and of basket offers how many times the least fits in ("5.00 off for every 50.00").  0: no
 *          limit for line offers, once for basket offers.
 * Ceiling  most_minor: the most it takes off in one basket; 0: none.  A budget over baskets is the caller's.
 * Coupon   an offer with a coupon class holds only with a coupon of it in hand.  It uses one a time as counted above;
 *          a UNIT_ kind without most_times uses one for all its units.
 * Hours    [minute_from, minute_until) of the shop's day; until at most from means over midnight, and then the
 *          weekday is the one on which it began.  Both 0: all day.
 * Cost     a book: 300 bytes an offer and what its scopes name; a lookup for each product and tag of a basket
 * Threads  a book never changes: free to share */
#ifndef SOUK_ALGO_OFFER_H
#define SOUK_ALGO_OFFER_H

#include "base/decimal.h"

/*    name, in JSON, on units */
#define SOUK_OFFER_KINDS(X)                    \
    X(UNIT_AMOUNT, "amount_off", true)         \
    X(UNIT_PERCENT, "percent_off", true)       \
    X(UNIT_PRICE, "fixed_price", true)         \
    X(N_FOR_M, "n_for_m", true)                \
    X(N_FOR_PRICE, "n_for_price", true)        \
    X(BUNDLE_PRICE, "bundle_price", true)      \
    X(BUNDLE_PERCENT, "bundle_percent", true)  \
    X(BASKET_AMOUNT, "basket_amount", false)   \
    X(BASKET_PERCENT, "basket_percent", false) \
    X(BASKET_FREE, "basket_free", false)

typedef enum souk_offer_kind {
#define SOUK_OFFER_ENUM(name, json, line) SOUK_OFFER_##name,
    SOUK_OFFER_KINDS(SOUK_OFFER_ENUM)
#undef SOUK_OFFER_ENUM
        SOUK_OFFER_KIND_COUNT
} souk_offer_kind;

/* "n_for_m"; kind below SOUK_OFFER_KIND_COUNT. */
const char *souk_offer_kind_name(souk_offer_kind kind);

enum {
    SOUK_OFFER_SCOPES_MOST = 8,
    SOUK_OFFER_NAMES_MOST = 100000, /* products and tags in one scope's lists, each */
    SOUK_OFFER_SET_MOST = 1000,     /* units in a set, of one scope of a bundle too */
    SOUK_OFFER_TIERS = 64,
    SOUK_PERCENT_ALL = 1000000, /* percent_micro of 100 % */
    SOUK_BOOK_OFFERS_MOST = 100000,
};
/* An amount in an offer is at most this: 10^12 minor units, a decimal whatever the exponent. */
#define SOUK_OFFER_MINOR_MOST INT64_C(1000000000000)

/* Lists in any order; {0} is everything. */
typedef struct souk_offer_scope {
    const uint32_t *products, *tags, *not_products, *not_tags;
    size_t product_count, tag_count, not_product_count, not_tag_count;
    uint32_t
        quantity; /* bundles: its units in each set; BASKET_FREE, second scope: units given a time; else 0 */
} souk_offer_scope;

typedef struct souk_offer {
    uint64_t id;      /* the caller's, unique in a book */
    int32_t priority; /* lower comes first */
    souk_offer_kind kind;
    uint32_t group; /* of these only the best holds, see pricing.h; 0: none */
    bool exclusive; /* stands alone in the basket */
    const souk_offer_scope *scopes;
    size_t scope_count;

    int64_t amount_minor;
    uint32_t percent_micro; /* 10 %: 100000 */
    uint32_t take, pay;

    souk_decimal least_quantity;
    int64_t least_minor;
    int64_t from, until; /* ms UTC, [from, until); 0: open */
    uint8_t weekdays;    /* bit 0: Monday; 0: all */
    uint16_t minute_from, minute_until;
    const uint32_t *stores, *audiences; /* one of them; count 0: all */
    size_t store_count, audience_count;
    uint64_t tiers;  /* bit n: tier n, 0 is who has none; 0: all */
    uint32_t coupon; /* class; 0: none needed */

    uint32_t most_times;
    int64_t most_minor;
} souk_offer;

typedef struct souk_book souk_book;

/* Compiles the offers for baskets of a currency with this exponent (JPY 0, EUR 2); the order of offers does not
 * matter, nothing of the caller's is kept.
 * SOUK_EINVAL: an offer that is not as its kind wants it, an id twice, a group of line and basket offers; diag names
 * the offer.  SOUK_ETOOBIG: above a limit of this page.  SOUK_ENOMEM. */
SOUK_CHECKED souk_err souk_book_new(souk_mem *mem, const souk_offer *offers, size_t count,
                                    unsigned exponent, souk_book **ret_book, souk_diag *diag);
void souk_book_free(souk_book *book);
SOUK_AUTO(souk_book)

size_t souk_book_count(const souk_book *book);
unsigned souk_book_exponent(const souk_book *book);
/* The n-th in order of (priority, id); lists sorted, without repeats. */
const souk_offer *souk_book_at(const souk_book *book, size_t n);
/* Whether one offer is as its kind wants it; souk_book_new asks the same. */
SOUK_CHECKED souk_err souk_offer_check(const souk_offer *offer, souk_diag *diag);

#endif
