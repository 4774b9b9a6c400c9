/* basket.h - what a till sends becomes lines with prices, offers and taxes; and the answer that says why.
 *
 *     {"store":"SH-014","till":"3",
 *      "lines":[{"scan":"4006381333931"},{"scan":"2100042012509"},{"product":"TEA-20","quantity":3}]}
 *
 *     souk_basket_desk *desk = …;                                      one a thread
 *     SOUK_TRY(souk_basket_read(&rooms, merchant, now, &doc, souk_json_root(&doc), arena, &basket, diag));
 *     SOUK_TRY(souk_basket_price(&rooms, desk, &basket, diag));
 *     souk_basket_write(json, &basket);                                the members of an open object
 *
 * Lines    by scan (base/scan.h: any bar code, a GS1 label, a scale's code) or by the product's own code; quantity is 1
 *          where neither tells one.  Goods with a unit ("kg") take parts, all others whole pieces.  A price that a
 *          person gives (`price`, with a `reason`) stands for the list's, and is told as given
 * Currency the basket's, else the store's, else that of the first line's price; a line of another one is refused
 * Money    amounts are texts with the currency's places: "12.50"
 * Cards    a number of a payment card, in whatever text, refuses the basket
 * Limits   SOUK_BASKET_LINES lines
 * Errors   SOUK_EINVAL with the path and what to do: "lines[2].scan: no product has the code 04006381333931"
 * Threads  one desk each; the rooms are shared */
#ifndef SOUK_SERVICE_CHECKOUT_BASKET_H
#define SOUK_SERVICE_CHECKOUT_BASKET_H

#include "algo/pricing.h"
#include "algo/tax.h"
#include "base/currency.h"
#include "base/form.h"
#include "base/gs1.h"
#include "base/json_write.h"
#include "service/checkout/front.h"

enum { SOUK_BASKET_LINES = 1000, SOUK_BASKET_COUPONS = 16, SOUK_BASKET_TEXT_BYTES = 200 };

/* What baskets are read and priced with. */
typedef struct souk_basket_rooms {
    souk_names *names;
    souk_shelf *shelf;
    souk_fronts *fronts;
} souk_basket_rooms;

typedef struct souk_till_line {
    souk_shelf_item item;
    souk_decimal quantity, unit_price;
    souk_text price_list; /* "" the product's own price; "scale": printed on the label */
    souk_text reason;     /* of a price that a person gave; "": the list's */
    souk_text batch, serial;
    int64_t expiry_day; /* SOUK_GS1_NO_DAY: not told */
    const souk_priced_line *priced;
    const souk_taxed_line *taxed;
} souk_till_line;

typedef struct souk_till_basket {
    uint32_t merchant;
    souk_time at;
    souk_text store, till; /* till "": none told */
    char currency[4];
    unsigned exponent;
    souk_till_line *lines;
    size_t line_count;
    const souk_front *front; /* held until souk_basket_done */
    /* Before it is priced: what is in hand, ascending by class (SOUK_NOUN_COUPON), and who she is. */
    souk_coupons coupons[SOUK_BASKET_COUPONS];
    size_t coupon_count;
    uint32_t tier; /* 0: none */
    /* of souk_basket_price, in the desk until its next basket */
    const souk_front_tax *tax;
    const souk_priced *priced;
    const souk_taxed *taxed;
    int64_t total_minor; /* to pay */
} souk_till_basket;

typedef struct souk_basket_desk souk_basket_desk;
SOUK_CHECKED souk_err souk_basket_desk_new(souk_mem *mem, souk_basket_desk **ret_desk);
void souk_basket_desk_free(souk_basket_desk *desk);
SOUK_AUTO(souk_basket_desk)

/* The members of a basket, for forms that have others besides: their `user` begins with a souk_basket_reading. */
typedef struct souk_basket_reading {
    const souk_basket_rooms *rooms;
    souk_till_basket *basket;
    /* private: of the line being read */
    souk_till_line line;
    souk_json_node lines_node;
    bool has_scan, has_product, has_quantity, has_price, has_label_price;
    souk_text scan, product;
    souk_decimal quantity, price;
} souk_basket_reading;
extern const souk_form_member souk_basket_members[];
enum { SOUK_BASKET_MEMBERS = 4 };
/* Before the form is read, and behind it. */
void souk_basket_begin(souk_basket_reading *reading, const souk_basket_rooms *rooms,
                       uint32_t merchant, souk_time now, souk_till_basket *basket);
SOUK_CHECKED souk_err souk_basket_end(souk_basket_reading *reading, souk_form *form);

/* All three for a basket alone. */
SOUK_CHECKED souk_err souk_basket_read(const souk_basket_rooms *rooms, uint32_t merchant,
                                       souk_time now, const souk_json_doc *doc, souk_json_node node,
                                       souk_arena *arena, souk_till_basket *ret_basket,
                                       souk_diag *diag);
SOUK_CHECKED souk_err souk_basket_price(const souk_basket_rooms *rooms, souk_basket_desk *desk,
                                        souk_till_basket *basket, souk_arena *arena,
                                        souk_diag *diag);
/* Lets go of the front; also of a basket that was half read. */
void souk_basket_done(souk_till_basket *basket);

/* Members of an object that the caller begins and ends: lines, offers, taxes, totals, hints. */
void souk_basket_write(souk_json_writer *json, const souk_till_basket *basket);
/* "key":"12.50" */
void souk_money_put(souk_json_writer *json, const char *key, int64_t minor, unsigned exponent);
/* A text that must hold no number of a payment card. */
SOUK_CHECKED souk_err souk_form_plain(souk_form *form, souk_json_node value, size_t least,
                                      size_t most, souk_text *ret_text);

#endif
