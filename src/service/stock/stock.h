/* stock.h - what a shop has where, what is promised to whom, and what is on its way: the owner of SOUK_EFFECT_STOCK.
 *
 *     souk_stock_deed sale = {.verb = SOUK_STOCK_SELL, .reference = receipt};
 *     souk_plan_add(&plan, SOUK_EFFECT_STOCK, souk_stock_key(arena, location, product), 2000000, &sale);
 *     owners.of[SOUK_EFFECT_STOCK] = souk_stock_owner(stock);
 *     SOUK_TRY(souk_plan_run(ledger, &owners, &plan));      sale.kept, sale.after: whether and what is left there
 *
 *     souk_stock_line lines[] = {{.location = …, .product = …, .quantity = {1000000}}};
 *     souk_stock_reservation reserve = {.verb = SOUK_STOCK_RESERVE, .until = now + 900000, .lines = lines, .line_count = 1};
 *     souk_plan_add(&plan, SOUK_EFFECT_STOCK, SOUK_TEXT("click-4711"), 0, &reserve);
 *
 * Effects  of a level: key is location "/" product, amount the quantity x 1e-6, never below zero, `what` a souk_stock_deed.
 *          Of a reservation or transfer: key is its id, amount 0, `what` a souk_stock_reservation or _transfer
 * Kept     a product that has no level at a location is not kept in stock there.  A till's SELL, a RETURN and a VOID then
 *          move nothing and say so (kept false); everybody else is refused, but PUT, COUNT and ARRIVE, which begin one
 * Order    reservations by id, transfers by id, then levels by key: whoever locks locks in this order
 * Reserve  until a moment: from then on it cannot be fulfilled, and a second later at the latest it is free again
 * Transfer what was sent is on its way until it arrives, in parts; what is short is written off in the end or asked
 *          about, what is over is counted in or asked about.  One without an origin comes from a supplier
 * Errors   words in plan->diag name product, location, what is free and what was asked.  SOUK_ENOENT: not kept there,
 *          or no such reservation or transfer.  SOUK_ECONFLICT: less is free; it has ended already.  SOUK_EEXIST: the id
 *          is taken; the lot expires on another day.  SOUK_EINVAL
 * Threads  any; a thread of its own expires reservations and writes rows (souk_stock_start) */
#ifndef SOUK_SERVICE_STOCK_STOCK_H
#define SOUK_SERVICE_STOCK_STOCK_H

#include "core/plan.h"
#include "core/service.h"
#include "service/stock/levels.h"

enum { SOUK_STOCK_ID_BYTES = 64, SOUK_STOCK_LINES_MOST = 100 };
#define SOUK_STOCK_UNTIL_MOST_MS ((int64_t)366 * 86400000) /* of a reservation */

typedef enum souk_stock_verb {
    /* of a level */
    SOUK_STOCK_TAKE,      /* sold, and refused where less is free */
    SOUK_STOCK_SELL,      /* sold by a till, which has it in its hand */
    SOUK_STOCK_PUT,       /* received from a supplier */
    SOUK_STOCK_RETURN,    /* brought back by a shopper, fit to be sold */
    SOUK_STOCK_VOID,      /* a sale that was none after all */
    SOUK_STOCK_WRITE_OFF, /* broken, expired, stolen; refused where less is free */
    SOUK_STOCK_COUNT,     /* amount is what was counted */
    /* of a reservation */
    SOUK_STOCK_RESERVE,
    SOUK_STOCK_RELEASE,
    SOUK_STOCK_FULFIL,
    /* of a transfer */
    SOUK_STOCK_SEND,
    SOUK_STOCK_ARRIVE,
} souk_stock_verb;

typedef struct souk_stock_deed { /* `what` of an effect on a level */
    souk_stock_verb verb;
    souk_hash128 reference;
    souk_text lot;        /* "": not told */
    souk_time expires;    /* of that lot; 0: not known */
    souk_time counted_at; /* of COUNT; 0: now */
    /* told */
    bool kept;               /* in stock there: it has moved */
    souk_stock_level after;  /* where it is kept */
    souk_decimal difference; /* of COUNT: found (above zero) or missing */
} souk_stock_deed;

typedef struct souk_stock_line {
    souk_text location, product; /* location: of reservations */
    souk_decimal quantity;
    souk_text lot;     /* of transfers; "": not told */
    souk_time expires; /* of that lot; 0: not known */
} souk_stock_line;

typedef struct souk_stock_reservation { /* `what` of an effect on a reservation */
    souk_stock_verb verb;
    /* Of RESERVE; the others find what it holds. */
    souk_time until;
    const souk_stock_line *lines;
    size_t line_count;
} souk_stock_reservation;

typedef struct souk_stock_transfer { /* `what` of an effect on a transfer */
    souk_stock_verb verb;
    souk_text origin, destination; /* of SEND; origin "": a supplier */
    souk_time expected;            /* of SEND: when it arrives; 0: nobody says */
    const souk_stock_line *lines;
    size_t line_count;
    bool last; /* of ARRIVE: nothing more comes */
    bool
        books; /* of ARRIVE: differences are booked; otherwise they are refused, for somebody to look */
} souk_stock_transfer;

typedef struct souk_stock souk_stock;

typedef struct souk_stock_options { /* {0} is the sane default */
    bool rows_alone; /* levels in rows although the ledger has one writer: for measurements */
} souk_stock_options;
/* Makes the tables; options may be NULL.  hashes_key: the deployment's. */
SOUK_CHECKED souk_err souk_stock_open(souk_mem *mem, souk_ledger *ledger, const souk_clock *clock,
                                      const souk_hash_key *hashes_key,
                                      const souk_stock_options *options, souk_stock **ret_stock,
                                      souk_diag *diag);
/* After the last plan that names it.  Ends its thread. */
void souk_stock_free(souk_stock *stock);
SOUK_AUTO(souk_stock)

souk_effect_owner souk_stock_owner(souk_stock *stock);
souk_levels *souk_stock_levels(souk_stock *stock);
/* location "/" product. */
souk_text souk_stock_key(souk_arena *arena, souk_text location, souk_text product);

/* Frees what reservations until `now` and before still hold, in slices of the writer; *ret_count of them. */
SOUK_CHECKED souk_err souk_stock_expire(souk_stock *stock, souk_time now, uint64_t *ret_count);
/* One step of writing rows of levels, see levels.h. */
SOUK_CHECKED souk_err souk_stock_keep(souk_stock *stock, unsigned most, bool *ret_more);
/* Both of it, in a thread of its own. */
SOUK_CHECKED souk_err souk_stock_start(souk_stock *stock);
/* Levels, lots, reservations and transfers against their movements.  SOUK_ECORRUPT with the first that is wrong. */
SOUK_CHECKED souk_err souk_stock_verify(souk_stock *stock, souk_diag *diag);

/* The routes of docs/stock.md; its state is the souk_stock. */
extern const souk_service souk_stock_service;

#endif
