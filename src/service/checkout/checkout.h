/* checkout.h - baskets: priced, paid and written down in one transaction; docs/checkout.md has it for whoever calls.
 *
 *     POST /v1/till/price        what a basket costs here and now, and why
 *     POST /v1/till/commit       paid: money, stock and receipt at once, or nothing of it
 *     GET  /v1/receipts/{store}/{till}/{number}
 *     GET, PUT, DELETE  /v1/offers/{offer}   /v1/taxes/{store}   /v1/measures/{all}      front.h
 *     POST /v1/prices            prices and bar codes, shelf.h
 *     POST /v1/accounts          a shopper's balance or tab; top up, look
 *
 * A thread of its own takes up what was changed (by whatever process) every half second, ends holds that are due and
 * rolls the books.
 *
 * Neighbours are plugged in by app/; without them the checkout works, and what they would do is left undone. */
#ifndef SOUK_SERVICE_CHECKOUT_CHECKOUT_H
#define SOUK_SERVICE_CHECKOUT_CHECKOUT_H

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
typedef struct souk_till_ports {
    void *stock;
    void (*sell)(void *stock, souk_plan *plan, const souk_till_goods *goods);
    void (*bring_back)(void *stock, souk_plan *plan, const souk_till_goods *goods, bool is_void);
} souk_till_ports;
/* Before the first call. */
void souk_checkout_plug(souk_checkout *checkout, const souk_till_ports *ports);

extern const souk_service souk_checkout_service; /* its state is the souk_checkout */

#endif
