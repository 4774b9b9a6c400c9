/* books_inside.h - what the files of books.h share; private to core/books*.c.
 *
 * books.c         schema and accounts
 * books_apply.c   sets of transfers
 * books_why.c     why a statement's predicate said no, in words
 * books_job.c     what jobs do in chunks: expire, roll
 * books_read.c    states, lists
 * books_verify.c  the auditor */
#ifndef SOUK_CORE_BOOKS_INSIDE_H
#define SOUK_CORE_BOOKS_INSIDE_H

#include "core/books.h"

enum { BOOKS_ID_BYTES = 16, BOOKS_SUMS_MOST = 2 * SOUK_BOOKS_SET_MOST };

/* One transfer of a set on its way into the books. */
struct books_leg {
    unsigned char id[BOOKS_ID_BYTES], of[BOOKS_ID_BYTES], reason[BOOKS_ID_BYTES];
    enum souk_transfer_kind kind;
    bool has_of, has_reason, was_there;
    int64_t debit, credit, amount;
    int64_t held; /* by the hold that it settles */
    int64_t most; /* REFUND: what went over */
    int32_t held_day;
    souk_time due;
};

/* What a set does to one account. */
struct books_sum {
    int64_t account;
    int64_t debit, credit, out, in; /* added to its totals; out and in may be negative */
    int64_t spend;                  /* of POST and HOLD: limits bind it */
    int64_t give; /* back to the day of give_day, where the account still counts that day */
    int32_t give_day;
    bool needs_open;
};

/* The set, and the legs in two orders: by id and by what they are of. */
struct books_set {
    souk_books_when when;
    size_t count, sum_count;
    struct books_leg legs[SOUK_BOOKS_SET_MOST];
    struct books_leg *by_id[SOUK_BOOKS_SET_MOST], *by_of[SOUK_BOOKS_SET_MOST];
    struct books_sum sums[BOOKS_SUMS_MOST]; /* of exact accounts, ascending */
};

void books_put_id(souk_hash128 id, unsigned char to[BOOKS_ID_BYTES]);
/* Zero where the column is NULL. */
souk_hash128 books_get_id(souk_rows *rows, unsigned column);
static inline bool books_is_zero(souk_hash128 id)
{
    return (id.low | id.high) == 0;
}
static inline bool books_is_exact(int64_t account)
{
    return account > 0;
}

/* Fills by_id and by_of. */
void books_set_order(struct books_set *set);
/* Takes the hold that the leg settles out of the open ones and copies it.  SOUK_ENOENT: it is not open, or already due
 * (before: at), or not yet. */
enum books_due { BOOKS_DUE_LATER, BOOKS_DUE_ANY, BOOKS_DUE_NOW };
SOUK_CHECKED souk_err books_take_hold(souk_tx *tx, struct books_leg *leg, enum books_due due,
                                      souk_time at);
/* Writes the transfer; *ret_new: false where its id is taken or its accounts do not fit. */
SOUK_CHECKED souk_err books_write(souk_tx *tx, const struct books_set *set,
                                  const struct books_leg *leg, bool *ret_new);
/* Sums the legs by account and changes each exact one, in ascending order. */
SOUK_CHECKED souk_err books_change_accounts(souk_tx *tx, struct books_set *set, souk_diag *diag);

/* Each returns its error; where it finds no reason any more, SOUK_ERETRY. */
souk_err books_why_not_between(souk_tx *tx, int64_t debit, int64_t credit, souk_diag *diag);
souk_err books_why_not_account(souk_tx *tx, const struct books_set *set,
                               const struct books_sum *sum, souk_diag *diag);
souk_err books_why_not_hold(souk_tx *tx, const struct books_leg *leg, souk_diag *diag);
souk_err books_why_not_capture(souk_tx *tx, const struct books_leg *leg, souk_diag *diag);
souk_err books_why_not_refund(souk_tx *tx, const struct books_leg *leg, souk_diag *diag);

#endif
