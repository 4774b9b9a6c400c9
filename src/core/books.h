/* books.h - double-entry books: who has what and who owes whom, exact at every commit.
 *
 *     SOUK_TRY(souk_books_migrate(ledger, diag));                       once, at start
 *
 *     inside a closure (ledger.h), with a diag that the closure clears first:
 *     souk_book mine = {.merchant = 1, .kind = SOUK_BOOK_BALANCE, .owner = atom, .currency = "EUR"};
 *     SOUK_TRY(souk_books_open(tx, &mine, now, &account, diag));         the same again: the same account
 *
 *     souk_transfer hold = {.id = h, .kind = SOUK_TRANSFER_HOLD, .debit = account, .credit = sales,
 *                           .amount_minor = 5000, .due = now + 600000};
 *     SOUK_TRY(souk_books_apply(tx, &(souk_books_when){.at = now}, &hold, 1, &was_there, diag));
 *     souk_transfer take = {.id = c, .kind = SOUK_TRANSFER_CAPTURE, .of = h, .amount_minor = 4210};
 *     SOUK_TRY(souk_books_apply(tx, &(souk_books_when){.at = now}, &take, 1, &was_there, diag));
 *                                                        42.10 EUR went over, 7.90 are free again
 *
 * The workload: a till charges a basket in one small set of transfers, thousands of tills at a time; a
 * shopper's account is touched by one of them, the store's sales account by all.
 *
 * Shape    Facts are transfers: one immutable row takes an amount from a debit account to a credit account of
 *          the same merchant and currency, so no row can stand without its other leg, and the sum of all debits is
 *          the sum of all credits.  A shopper who spends is debited, the shop's sales are credited:
 *              balance = credits - debits          available = balance - holds + limit
 *          Partners settle by linked transfers through an account of each in the other's books.
 *          Exact accounts (ids above 0: what has a limit) keep their totals in their row, each change one
 *          UPDATE under its predicate.  Summed accounts (ids below 0: sales, tax, tender) have no row that a
 *          transfer writes: on PostgreSQL all tills of a store would queue for it, and striping it only
 *          shortens the queue and costs a statement.  Their totals are the transfers behind a mark, and a
 *          total up to it which souk_books_roll moves forward; reading one is one statement, one snapshot.
 * Holds    A HOLD takes from what is available until it is captured (all or part; the rest is free again),
 *          voided, or due; exactly one of these happens.  A capture at `due` or later is refused, whether or not
 *          souk_books_expire has been there.
 * Sets     The transfers of one call stand or fall together and are judged by their sum on each account: in any
 *          order, they leave no account beyond its limit.  On any error return it from the closure, which undoes what
 *          the call had begun (a closure that goes on commits half a set; souk_books_verify finds it).
 * Again    The id makes a transfer happen once: hash of the caller and his key.  Told again with the same content
 *          it answers SOUK_OK and *ret_was_there, whatever has happened since, and writes nothing; with other content
 *          SOUK_EREUSED.  Content: kind, accounts, amount, of, reason and the size of its set; not at, due, confirmed.
 *          A set of which a part is there is other content.
 * Limits   of an exact account: how far below zero; the most of one set, of one day (a hold released on the day on
 *          which it was made counts no more), and the amount above which the shopper must have confirmed.  They bind
 *          POST and HOLD; a refund that takes (of a top-up) only minds what is available.  SOUK_EDENIED asks.
 * Order    one lock order for every set: holds by id, transfers by id, refunds by id, accounts by number; within a
 *          plan, books come as one set.
 * Bounds   an amount: 1 to 10^14 minor units; a total: 4 x 10^18.  No arithmetic here can overflow unseen.
 * Clock    `at` and `day` are told, and may jump: a day that goes back counts with the later one.
 * Cost     statements of a set on exact-to-summed accounts, for each transfer: POST 1, HOLD 2, CAPTURE and VOID 2,
 *          REFUND 3, and 1 more for each exact account in the set; told again: 1 more, and none for accounts.
 *          So a charge is 2 statements.  Opening is 1 where the account is there.  Nothing allocates.
 * Threads  as its souk_tx. */
#ifndef SOUK_CORE_BOOKS_H
#define SOUK_CORE_BOOKS_H

#include "base/hash.h"
#include "base/time.h"
#include "store/ledger.h"

/* Exact below SOUK_BOOK_SUMMED, summed from there.  A caller may use further numbers of either half.
 *    name       number  what its balance says */
#define SOUK_BOOK_TABLE(X)                                                            \
    X(BALANCE, 1)     /* what a shopper has stored with the merchant */               \
    X(TAB, 2)         /* below zero: what a shopper owes on a credit line */          \
    X(GIFT, 3)        /* what is left on a gift card */                               \
    X(POINTS, 4)      /* points a shopper may burn; currency XXX */                   \
    X(SALES, 64)      /* net sales; owner: store */                                   \
    X(TAX, 65)        /* tax owed; owner: its rate, in the caller's numbers */        \
    X(TENDER, 66)     /* below zero: cash and outside payments taken; owner: which */ \
    X(RECEIVABLE, 67) /* below zero: what others owe; owner: who */                   \
    X(ROUNDING, 68)   /* what rounding gave or took */                                \
    X(LIABILITY, 69)  /* below zero: points and cards given away */                   \
    X(SUSPENSE, 70)   /* what a person has yet to explain */

enum souk_book_kind {
#define SOUK_BOOK_ENUM(name, number) SOUK_BOOK_##name = (number),
    SOUK_BOOK_TABLE(SOUK_BOOK_ENUM)
#undef SOUK_BOOK_ENUM
        SOUK_BOOK_SUMMED = 64,
    SOUK_BOOK_KINDS = 128
};

#define SOUK_BOOKS_AMOUNT_MOST 100000000000000     /* minor units of one transfer */
#define SOUK_BOOKS_TOTAL_MOST  4000000000000000000 /* of all debits, or all credits, of an account */
enum { SOUK_BOOKS_SET_MOST = 32 };

/* 0: no such limit; for `below_minor` zero is the end. */
typedef struct souk_book_limits {
    int64_t below_minor;   /* how far below zero the account may go */
    int64_t set_minor;     /* most that one set may take */
    int64_t day_minor;     /* most that a day may take */
    int64_t confirm_minor; /* above it the shopper must have confirmed */
} souk_book_limits;

typedef struct souk_book {
    uint32_t merchant;
    unsigned kind;
    uint64_t owner;          /* opaque: an atom, a card, a store, a rate; 0 is one, too */
    char currency[4];        /* ISO 4217 */
    souk_book_limits limits; /* of exact accounts only */
} souk_book;

enum souk_transfer_kind {
    SOUK_TRANSFER_POST = 1, /* debit -> credit, at once */
    SOUK_TRANSFER_HOLD,     /* the same, until its capture or its end */
    SOUK_TRANSFER_CAPTURE,  /* of a hold: amount_minor goes over, the rest is free again */
    SOUK_TRANSFER_VOID,     /* of a hold: all of it is free again */
    SOUK_TRANSFER_EXPIRE,   /* the same when it was due; made by souk_books_expire alone */
    SOUK_TRANSFER_REFUND,   /* of a POST or CAPTURE: back, in all at most what went over */
};

typedef struct souk_transfer {
    souk_hash128 id;
    enum souk_transfer_kind kind;
    int64_t debit, credit; /* accounts; POST and HOLD only: the others take them from `of` */
    int64_t amount_minor;  /* above 0; VOID: 0 */
    souk_hash128 of;       /* the transfer that this one settles or gives back; POST, HOLD: zero */
    souk_time due;         /* HOLD only: behind `at` */
    souk_hash128 reason;   /* the receipt's id; zero: none */
} souk_transfer;

/* What holds for the set as a whole. */
typedef struct souk_books_when {
    souk_time at;
    int32_t day;    /* the shop's local day, for limits by day; 0: the day of `at` in UTC */
    bool confirmed; /* the shopper has just proved who he is */
} souk_books_when;

/* ---- life ------------------------------------------------------------------------------------- */

/* Makes the tables, with triggers that keep transfers as they were written. */
SOUK_CHECKED souk_err souk_books_migrate(souk_ledger *ledger, souk_diag *diag);

/* The account of (merchant, kind, owner, currency), made where it is new; the limits of one that is there
 * stay.  SOUK_EINVAL: no such kind or currency, or a limit that is negative or of a summed account. */
SOUK_CHECKED souk_err souk_books_open(souk_tx *tx, const souk_book *book, souk_time at,
                                      int64_t *ret_account, souk_diag *diag);
/* SOUK_ENOENT. */
SOUK_CHECKED souk_err souk_books_find(souk_tx *tx, const souk_book *book, int64_t *ret_account);
/* SOUK_ECONFLICT: it stands further below zero, with its holds, than the new limit.  SOUK_ENOENT. */
SOUK_CHECKED souk_err souk_books_limit(souk_tx *tx, int64_t account, const souk_book_limits *limits,
                                       souk_diag *diag);
/* No POST, HOLD or REFUND touches it again.  An exact one must be empty, of holds too: SOUK_ECONFLICT.  One that is
 * closed stays closed: SOUK_OK.  SOUK_ENOENT.  On PostgreSQL a set under way may still reach a summed one. */
SOUK_CHECKED souk_err souk_books_close(souk_tx *tx, int64_t account, souk_diag *diag);

/* ---- transfers --------------------------------------------------------------------------------- */

/* Applies the set, in the caller's transaction.  ret_was_there may be NULL.
 * SOUK_EINVAL: an amount, account, time or kind that cannot be; accounts of two merchants or currencies; an id
 * twice.  SOUK_EOVERFLOW: above the bounds.  SOUK_ENOENT: no such account, or nothing that `of` names.
 * SOUK_ECONFLICT: not enough available; the hold is over or due, or smaller; more than is left to refund; an
 * account is closed.  SOUK_EDENIED: above a limit, or the shopper must confirm.  SOUK_EREUSED.
 * SOUK_ERETRY: it changed between the refusal and the look at why. */
SOUK_CHECKED souk_err souk_books_apply(souk_tx *tx, const souk_books_when *when,
                                       const souk_transfer *set, size_t count, bool *ret_was_there,
                                       souk_diag *diag);

/* Ends up to SOUK_BOOKS_SET_MOST holds that are due at when->at, the longest due first: a chunk of a job.
 * *ret_count: how many; 0: none is due. */
SOUK_CHECKED souk_err souk_books_expire(souk_tx *tx, const souk_books_when *when, size_t *ret_count,
                                        souk_diag *diag);
/* Id of the transfer that it writes for a hold, whether or not it has. */
souk_hash128 souk_books_expiry(souk_hash128 hold);

/* Moves the mark of summed accounts over up to 10,000 transfers: a chunk of a job, and the only thing that
 * writes their rows.  *ret_count: how many.  The mark stops at what was the newest transfer `lag_ms` ago or more (told
 * by the calls before): on PostgreSQL a transaction under way may hold a lower number than one that is done, and
 * lag_ms must be longer than any transaction is allowed to take.  On SQLite 0 will do.
 * SOUK_EOVERFLOW: a total is above the bounds; it is still read, and the mark stays. */
SOUK_CHECKED souk_err souk_books_roll(souk_tx *tx, souk_time at, int64_t lag_ms, size_t *ret_count,
                                      souk_diag *diag);

/* ---- reading (books_read.c) -------------------------------------------------------------------- */

typedef struct souk_book_state {
    int64_t debits_minor, credits_minor; /* of all time */
    int64_t pending_out, pending_in;     /* open holds that would debit, credit it */
    int64_t balance;                     /* credits - debits */
    int64_t
        available; /* exact: balance - pending_out + below_minor; summed: balance - pending_out */
    bool closed;
} souk_book_state;
/* SOUK_ENOENT.  SOUK_EOVERFLOW: above the bounds. */
SOUK_CHECKED souk_err souk_books_state(souk_tx *tx, int64_t account, souk_book_state *ret_state,
                                       souk_diag *diag);

typedef struct souk_book_entry {
    int64_t number; /* a cursor for `before` */
    souk_hash128 id, of, reason;
    enum souk_transfer_kind kind;
    int64_t debit, credit;
    int64_t amount_minor; /* of a VOID or EXPIRE: what it freed */
    unsigned set_count;   /* transfers in its set */
    souk_time at, due;
} souk_book_entry;
/* Calls each with transfers of the account, newest first, below the cursor (0: from the newest), `most` of them; its
 * error ends the list with it. */
SOUK_CHECKED souk_err souk_books_list(souk_tx *tx, int64_t account, int64_t before, size_t most,
                                      souk_err (*each)(void *context, const souk_book_entry *entry),
                                      void *context);
/* One transfer by its id.  SOUK_ENOENT. */
SOUK_CHECKED souk_err souk_books_entry(souk_tx *tx, souk_hash128 id, souk_book_entry *ret_entry);

/* ---- the auditor (books_verify.c) ---------------------------------------------------------------- */

/* Reads everything in one snapshot and holds it against itself: debits equal credits by merchant and currency, the
 * rows equal a replay of the transfers, holds equal what is pending, none is settled twice or above
 * its amount, no refund above what went over, no account beyond its limit, no transfer between strangers.
 * SOUK_ECORRUPT: the first difference, in words.  Cost: sorts of all transfers, in the database. */
SOUK_CHECKED souk_err souk_books_verify(souk_tx *tx, souk_diag *diag);

#endif
