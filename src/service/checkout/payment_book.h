/* payment_book.h - an account charged by itself: what a payment was asked to be, and what became of it.
 *
 *     souk_payment payment = {.id = souk_payment_id(key, merchant, name), .name = name, …};
 *     … a HOLD or POST under that id goes into the books …
 *     SOUK_TRY(souk_payment_keep(tx, &payment, diag));                 in the same transaction, behind it
 *     … a CAPTURE under souk_payment_step_id(key, payment.id, SOUK_TEXT("capture"), told) …
 *     SOUK_TRY(souk_payment_keep_step(tx, payment.id, step, diag));
 *     SOUK_TRY(souk_payment_read(tx, payment.id, now, arena, &payment));
 *     payment.state == SOUK_PAYMENT_CAPTURED, payment.captured_minor …
 *
 * Shape    Money and history stand in the books alone; here is what the books have no room for: the caller's name for
 *          it, the store, its reference, and which transfers are of it.  Nobody is named: an account is opaque
 * States   of what the books hold: authorised until it is captured, voided or due; refunded when all of it went back
 * Ids      of transfers, by a keyed hash: a payment's by (merchant, name), a step's by (payment, verb, what tells it apart,
 *          such as the Idempotency-Key), so each happens once however long ago it was first told
 * Bounds   SOUK_PAYMENT_STEPS steps of a payment
 * Errors   SOUK_EREUSED: the same name with another store or reference.  SOUK_ECONFLICT: too many steps.  SOUK_ENOENT
 * Order    rows of payments are locked behind all of the books
 * Cost     keep: 1 statement; a step: 2; reading: 2, and one for each step
 * Threads  as its souk_tx */
#ifndef SOUK_SERVICE_CHECKOUT_PAYMENT_BOOK_H
#define SOUK_SERVICE_CHECKOUT_PAYMENT_BOOK_H

#include "core/books.h"

enum { SOUK_PAYMENT_NAME_BYTES = 64, SOUK_PAYMENT_STEPS = 100 };

typedef enum souk_payment_state {
    SOUK_PAYMENT_AUTHORISED, /* its amount is held */
    SOUK_PAYMENT_CAPTURED,
    SOUK_PAYMENT_REFUNDED, /* all that was captured */
    SOUK_PAYMENT_VOIDED,
    SOUK_PAYMENT_EXPIRED
} souk_payment_state;
/* "authorised", … */
const char *souk_payment_word(souk_payment_state state);

typedef struct souk_payment_step {
    souk_hash128 id;
    enum souk_transfer_kind kind;
    int64_t number;       /* in the books */
    int64_t amount_minor; /* of a VOID or EXPIRE: what it freed */
    souk_time at;
} souk_payment_step;

typedef struct souk_payment {
    souk_hash128 id; /* of its first transfer */
    uint32_t merchant;
    souk_text name;             /* as the caller calls it */
    unsigned kind;              /* SOUK_BOOK_BALANCE, SOUK_BOOK_TAB */
    char currency[4];           /* ISO 4217 */
    souk_text store, reference; /* "": not told */

    /* told by souk_payment_read */
    souk_payment_state state;
    int64_t amount_minor, captured_minor, refunded_minor;
    souk_time at, due;     /* due: of a hold; else 0 */
    souk_hash128 captured; /* the transfer that a refund is of; zero: none */
    souk_payment_step steps[SOUK_PAYMENT_STEPS + 2]; /* the first transfer is the first of them */
    size_t step_count;
} souk_payment;

SOUK_CHECKED souk_err souk_payments_migrate(souk_ledger *ledger, souk_diag *diag);

souk_hash128 souk_payment_id(const souk_hash_key *key, uint32_t merchant, souk_text name);
souk_hash128 souk_payment_step_id(const souk_hash_key *key, souk_hash128 payment, souk_text verb,
                                  souk_text told);

/* The same again is SOUK_OK and changes nothing, of both. */
SOUK_CHECKED souk_err souk_payment_keep(souk_tx *tx, const souk_payment *payment, souk_diag *diag);
SOUK_CHECKED souk_err souk_payment_keep_step(souk_tx *tx, souk_hash128 payment, souk_hash128 step,
                                             souk_diag *diag);

/* Texts in the arena. */
SOUK_CHECKED souk_err souk_payment_read(souk_tx *tx, souk_hash128 id, souk_time now,
                                        souk_arena *arena, souk_payment *ret_payment);
/* The step of this id; NULL: none. */
const souk_payment_step *souk_payment_find_step(const souk_payment *payment, souk_hash128 id);
/* The name of the payment that a transfer is of; "": of none. */
SOUK_CHECKED souk_err souk_payment_name_of(souk_tx *tx, const souk_book_entry *entry,
                                           souk_arena *arena, souk_text *ret_name);

/* Each payment and step is a transfer of the books, and a step one of its payment's.  SOUK_ECORRUPT with words. */
SOUK_CHECKED souk_err souk_payments_verify(souk_ledger *ledger, souk_diag *diag);

#endif
