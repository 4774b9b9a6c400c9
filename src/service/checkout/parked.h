/* parked.h - suspended baskets: put aside at one till, taken up at another of the store, within a day.
 *
 *     souk_parked basket = {.id = id, .merchant = 1, .store = store, .till = till, .lines = 3, .body = json, .at = now};
 *     SOUK_TRY(souk_parked_add(tx, mem, vault, &basket, diag));                   basket.version is 1
 *     SOUK_TRY(souk_parked_read(tx, vault, 1, id, now, arena, &basket));
 *     SOUK_TRY(souk_parked_remove(tx, &basket, 1, diag));                         whoever gets SOUK_OK has it
 *
 * Kept     the body (lines, clerk, customer) sealed under the deployment's own key; in clear what a list needs
 * Version  from 1, each change one more: a change or removal names the version that it is of, so of two tills one has it
 * Life     SOUK_PARKED_MS from its last change; then nobody sees it, and the sweep removes the row
 * Bounds   about SOUK_PARKED_MOST of a store (tills that park at the same moment may be a few above it);
 *          SOUK_PARKED_BODY_MOST bytes
 * Errors   SOUK_ENOENT: there is none, or no longer.  SOUK_ECHANGED: it is of another version.  SOUK_ECONFLICT: another
 *          store's, or the store has too many.  SOUK_ETOOBIG.  SOUK_ECORRUPT: the body does not open
 * Cost     each 1 statement, and the seal; a refusal 1 more
 * Threads  as its souk_tx */
#ifndef SOUK_SERVICE_CHECKOUT_PARKED_H
#define SOUK_SERVICE_CHECKOUT_PARKED_H

#include "base/hash.h"
#include "base/time.h"
#include "store/ledger.h"
#include "store/vault.h"

#define SOUK_PARKED_MS ((int64_t)24 * 3600 * 1000)
enum { SOUK_PARKED_MOST = 500, SOUK_PARKED_BODY_MOST = 256 << 10 };

typedef struct souk_parked {
    souk_hash128 id; /* random */
    uint32_t merchant;
    souk_text store, till; /* till "": not told */
    int64_t lines;         /* how many the basket has */
    souk_time at;          /* of its last change */
    int64_t version;       /* told */
    souk_text body;        /* JSON; "" in lists */
} souk_parked;

SOUK_CHECKED souk_err souk_parked_migrate(souk_ledger *ledger, souk_diag *diag);

SOUK_CHECKED souk_err souk_parked_add(souk_tx *tx, souk_mem *mem, souk_vault *vault,
                                      souk_parked *basket, souk_diag *diag);
/* Its till, lines, at and body, over the version `expected`. */
SOUK_CHECKED souk_err souk_parked_change(souk_tx *tx, souk_mem *mem, souk_vault *vault,
                                         souk_parked *basket, int64_t expected, souk_diag *diag);
/* Of basket: id, merchant and at (now). */
SOUK_CHECKED souk_err souk_parked_remove(souk_tx *tx, const souk_parked *basket, int64_t expected,
                                         souk_diag *diag);

/* Texts in the arena. */
SOUK_CHECKED souk_err souk_parked_read(souk_tx *tx, souk_vault *vault, uint32_t merchant,
                                       souk_hash128 id, souk_time now, souk_arena *arena,
                                       souk_parked *ret_basket);
/* Those of a store, the newest first, at most `most`; texts live until `each` returns, and its error ends the list. */
SOUK_CHECKED souk_err souk_parked_list(souk_tx *tx, uint32_t merchant, souk_text store,
                                       souk_time now, size_t most,
                                       souk_err (*each)(void *context, const souk_parked *basket),
                                       void *context);
/* Removes some that nobody sees any more; *ret_count: how many.  A chunk of a job. */
SOUK_CHECKED souk_err souk_parked_sweep(souk_tx *tx, souk_time now, size_t *ret_count);

#endif
