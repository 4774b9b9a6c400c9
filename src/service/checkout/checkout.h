/* checkout.h - baskets: priced, paid and written down in one transaction; docs/checkout.md has it for whoever calls.
 *
 *     POST /v1/till/price        what a basket costs here and now, and why
 *     POST /v1/till/commit       paid: money, stock and receipt at once, or nothing of it
 *     GET  /v1/receipts/{store}/{till}/{number}
 *     GET, PUT, DELETE  /v1/offers/{offer}   /v1/taxes/{store}   /v1/measures/{all}      front.h
 *     POST /v1/prices            prices and bar codes, shelf.h
 *     POST /v1/accounts          a shopper's balance or tab; top up, look
 *     POST /v1/baskets           suspended at one till, taken up at another
 *     POST /v1/payments          an account charged by itself, or held; capture, void, refund, look
 *
 * A thread of its own takes up what was changed (by whatever process) every half second, ends holds that are due,
 * rolls the books and forgets suspended baskets.
 *
 * Neighbours are plugged in by app/; without them the checkout works, and what they would do is left undone. */
#ifndef SOUK_SERVICE_CHECKOUT_CHECKOUT_H
#define SOUK_SERVICE_CHECKOUT_CHECKOUT_H

#include "algo/earn.h"
#include "core/service.h"
#include "service/checkout/basket.h"

typedef struct souk_checkout souk_checkout;

/* Goods that leave by a till, or come back: who keeps stock adds what must happen to the plan.  What it adds lives in
 * the plan's arena. */
typedef struct souk_till_goods {
    souk_text location, product;
    souk_decimal quantity; /* above 0 */
    souk_text lot;         /* "": not told */
    souk_hash128 reference;
} souk_till_goods;

/* Who stands at the till, with which codes of coupons in hand. */
typedef struct souk_till_member {
    uint32_t merchant;
    const souk_person *person; /* NULL: nobody known */
    souk_text store;
    souk_time at;
    int64_t day;      /* of the store, since 1970 */
    unsigned weekday; /* of that day: 0 Monday */
    uint64_t caller;  /* a hash of who asks: guessing is counted */
    const souk_text *codes;
    size_t code_count;
} souk_till_member;
/* A line that came back, of a sale's. */
typedef struct souk_till_back {
    uint32_t line;
    souk_decimal quantity, sold;
} souk_till_back;

/* What neighbours do with a basket.  What they make lives in the arena they are given, or in the plan's. */
typedef struct souk_till_ports {
    void *stock;
    void (*sell)(void *stock, souk_plan *plan, const souk_till_goods *goods);
    void (*bring_back)(void *stock, souk_plan *plan, const souk_till_goods *goods, bool is_void);

    void *loyalty; /* NULL: no points and no coupons, and the rest is NULL as well */
    souk_err (*enter)(void *loyalty, const souk_till_member *member, souk_arena *arena,
                      void **ret_visit, souk_diag *diag);
    /* The class that offers ask for; "": this code does not hold here and now. */
    souk_text (*opens)(void *visit, size_t code);
    uint32_t (*tier)(void *visit); /* 0: none */
    /* What the lines would earn; told by `write`. */
    souk_err (*earn)(void *visit, const char currency[4], const souk_earn_line *lines, size_t count,
                     souk_arena *arena, souk_diag *diag);
    souk_err (*worth)(void *visit, int64_t points, const char currency[4], int64_t *ret_minor,
                      souk_diag *diag);
    /* Redeems the codes that were used, burns, and earns. */
    void (*leave)(void *visit, souk_plan *plan, souk_hash128 receipt, int64_t burn,
                  const bool *used);
    /* Members of an open object: "points" and "coupons". */
    void (*write)(void *visit, souk_json_writer *json, const bool *used);
    souk_err (*undo)(void *loyalty, souk_plan *plan, souk_hash128 sale, const souk_till_back *backs,
                     size_t count, bool is_void, souk_diag *diag);
} souk_till_ports;
/* Before the first call. */
void souk_checkout_plug(souk_checkout *checkout, const souk_till_ports *ports);

extern const souk_service souk_checkout_service; /* its state is the souk_checkout */

#endif
