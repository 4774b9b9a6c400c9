/* once.h - a request told twice is done once: its key, what it asked and what it was answered, in the deed's own transaction.
 *
 *     static souk_err pay(souk_tx *tx, void *context)                       a closure
 *     {
 *         bool again;
 *         SOUK_TRY(souk_once_claim(tx, &my->once, &again));
 *         if (again)
 *             return SOUK_OK;                      status, type and body are those of the first time
 *         … the deed …
 *         my->once.status = 201;
 *         souk_buf_append(&my->once.body, …);
 *         return souk_once_answer(tx, &my->once);
 *     }
 *
 * Claim     comes first: where the ledger has several writers, whoever comes second with the key waits for the
 *           first one's end, and then either reads its answer or does the deed itself
 * Kept      sealed under the deployment's own key, for SOUK_ONCE_KEPT_MS (a till may be cut off for three days);
 *           afterwards the key is free, and the sweep removes the row
 * Only      what was done is kept: a refused deed is undone with its claim, and its key is free
 * Errors    SOUK_EREUSED: the key came with another request.  SOUK_ECORRUPT: the answer does not open
 * Cost      claim: one insertion; answer: the seal and one update
 * Source    draft-ietf-httpapi-idempotency-key-header-07, section 2 */
#ifndef SOUK_CORE_ONCE_H
#define SOUK_CORE_ONCE_H

#include "base/hash.h"
#include "base/time.h"
#include "store/ledger.h"
#include "store/vault.h"

#define SOUK_ONCE_KEPT_MS ((int64_t)72 * 3600 * 1000)
enum { SOUK_ONCE_BODY_MOST = 1 << 20, SOUK_ONCE_TYPE_MOST = 100 };

typedef struct souk_once {
    souk_vault *vault; /* NULL: no key came; nothing is claimed, and the answer is not kept */
    souk_hash128 id;   /* of who asks and the key */
    souk_hash128 fingerprint; /* of what is asked */
    souk_time at;
    /* The answer: to be kept, or as it was kept. */
    int status; /* 200 to 299 */
    char type[SOUK_ONCE_TYPE_MOST + 1];
    souk_buf body; /* souk_once_done frees it */
} souk_once;

SOUK_CHECKED souk_err souk_once_migrate(souk_ledger *ledger, souk_diag *diag);
void souk_once_done(souk_once *once);
/* SOUK_EREUSED, with words for whoever asked. */
SOUK_CHECKED souk_err souk_once_say_reused(souk_diag *diag);

/* In the deed's transaction, before anything else of it. */
SOUK_CHECKED souk_err souk_once_claim(souk_tx *tx, souk_once *once, bool *ret_again);
/* Behind the deed, in the same transaction.  SOUK_ETOOBIG: the body is above SOUK_ONCE_BODY_MOST. */
SOUK_CHECKED souk_err souk_once_answer(souk_tx *tx, souk_once *once);
/* Only looks. */
SOUK_CHECKED souk_err souk_once_find(souk_tx *tx, souk_once *once, bool *ret_again);
/* Removes what is older than it is kept, at most `most` rows; a job's closure, and never a till's: two tills that
 * sweep would wait for each other. */
SOUK_CHECKED souk_err souk_once_sweep(souk_tx *tx, souk_time now, unsigned most);

#endif
