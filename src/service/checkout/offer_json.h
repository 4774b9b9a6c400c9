/* offer_json.h - an offer as JSON: read strictly, written back the same.
 *
 *     {"id": 7, "kind": "n_for_m", "on": {"tags": ["tea"]}, "take": 3, "pay": 2,
 *      "when": {"weekdays": ["fri", "sat"]}, "limit": {"times": 2}}
 *
 *     souk_offer_reader reader = {.exponent = 2, .arena = &arena, .names = &catalogue};
 *     souk_offer offer;
 *     SOUK_TRY(souk_offer_read(&reader, &doc, souk_json_root(&doc), SOUK_TEXT("offers[3]"), &offer, diag));
 *
 * docs/offers.md has an example of each kind; offer.h says what they mean.
 *
 * Strict   A member that is not known, is there twice, is missing or does not go with the kind is refused: "offers[3].
 *          when.weekdys: there is no such member: do you mean weekdays?".
 * Names    products, tags, stores, tiers, audiences, coupons and groups are numbers, or names that `names` finds.
 * Amounts  in the currency, as number or text: 12.5, "12.50"; more places than it has are refused, nothing is rounded
 * Memory   lists lie in the arena, up to SOUK_OFFER_NAMES_MOST each
 * Cost     a walk over the members; a call of `find` for each name
 * Threads  a reader belongs to one */
#ifndef SOUK_SERVICE_CHECKOUT_OFFER_JSON_H
#define SOUK_SERVICE_CHECKOUT_OFFER_JSON_H

#include "algo/offer.h"
#include "base/json_write.h"
#include "base/zone.h"

typedef enum souk_offer_noun {
    SOUK_OFFER_PRODUCT,
    SOUK_OFFER_TAG,
    SOUK_OFFER_STORE,
    SOUK_OFFER_TIER,
    SOUK_OFFER_AUDIENCE,
    SOUK_OFFER_COUPON,
    SOUK_OFFER_GROUP
} souk_offer_noun;

/* As they are written: "mon" to "sun". */
extern const char *const souk_offer_weekdays[7];

/* Who knows what names mean.  find answers SOUK_ENOENT where there is none of it. */
typedef struct souk_offer_names souk_offer_names;
struct souk_offer_names {
    souk_err (*find)(const souk_offer_names *self, souk_offer_noun noun, souk_text name,
                     uint32_t *ret_number);
};

typedef struct souk_offer_reader {
    unsigned exponent;             /* of the currency */
    const struct souk_zone *zone;  /* of times without an offset; NULL: UTC */
    const souk_offer_names *names; /* NULL: numbers only */
    souk_arena *arena;
} souk_offer_reader;

/* Reads the object at node; `path` is where it stands, for words: may be empty.  What offer.h demands is asked too.
 * SOUK_EINVAL: not an offer.  SOUK_ETOOBIG: a list too long.  SOUK_ENOMEM. */
SOUK_CHECKED souk_err souk_offer_read(const souk_offer_reader *reader, const souk_json_doc *doc,
                                      souk_json_node node, souk_text path, souk_offer *ret_offer,
                                      souk_diag *diag);

/* Writes an offer that souk_offer_check found good, with numbers for names and times in UTC; souk_offer_read reads the
 * same offer from it. */
void souk_offer_write(souk_json_writer *json, const souk_offer *offer, unsigned exponent);

#endif
