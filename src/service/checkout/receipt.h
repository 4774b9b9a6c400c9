/* receipt.h - what was sold, for good: numbered by till without a gap, each holding the hash of the one before it.
 *
 *     souk_receipt sale = {.store = SOUK_TEXT("SH-014"), .till = SOUK_TEXT("3"), .kind = SOUK_RECEIPT_SALE,
 *                          .at = now, .currency = "CNY", .total_minor = 4210, .body = lines_and_tenders};
 *     souk_plan_add(&plan, SOUK_EFFECT_RECEIPT, key, 1, &sale);          the owner tells number and hash in `sale`
 *
 *     SOUK_TRY(souk_receipt_read(tx, &name, arena, &receipt));
 *     SOUK_TRY(souk_receipts_verify(ledger, &count, diag));              every chain, every byte
 *
 * Chain    hash(n) = SHA-256(hash(n - 1), SHA-256(body), "store/till/number"); hash(0) is 32 zero bytes.  A receipt is handed
 *          out with its hash and the one before, so anybody checks a chain with what was printed.  One that is
 *          changed, left out, added or moved breaks it; the head of a till, kept elsewhere, shows a cut-off end, too
 * People   there are none in a receipt: who bought is told by the event of the sale, which her keys seal.  An erasure
 *          leaves receipts as the law wants them, without a person
 * Returns  a line of a sale is brought back at most as often as it was sold, whatever tills do at the same time: each
 *          return adds to the line's sum under a predicate
 * Log      a receipt waits in receipt_untold, with who was named, sealed, until the log knows of it
 * Cost     a sale: four statements; a return: two, and two for each line
 * Source   the hash chain of the German and French till laws (KassenSichV; CGI 286-I-3 bis) in its simplest form;
 *          SHA-256: FIPS 180-4
 * Threads  as the souk_tx */
#ifndef SOUK_SERVICE_CHECKOUT_RECEIPT_H
#define SOUK_SERVICE_CHECKOUT_RECEIPT_H

#include "base/decimal.h"
#include "base/sha256.h"
#include "core/plan.h"

enum {
    SOUK_RECEIPT_STORE_BYTES = 64,
    SOUK_RECEIPT_TILL_BYTES = 32,
    SOUK_RECEIPT_BODY_MOST =
        768 << 10, /* a basket of as many lines as there may be, and its answer */
};

/*    name       number  word     stored for ever */
#define SOUK_RECEIPT_KINDS(X)                            \
    X(SALE, 1, "sale")                                   \
    X(RETURN, 2, "return") /* of some lines of a sale */ \
    X(VOID, 3, "void")     /* of a whole receipt, as if it had never been */
typedef enum souk_receipt_kind {
#define SOUK_RECEIPT_ENUM(name, number, word) SOUK_RECEIPT_##name = number,
    SOUK_RECEIPT_KINDS(SOUK_RECEIPT_ENUM)
#undef SOUK_RECEIPT_ENUM
} souk_receipt_kind;
/* NULL: no such kind. */
const char *souk_receipt_word(int64_t kind);

/* Which receipt: "SH-014/3/1207". */
typedef struct souk_receipt_name {
    uint32_t merchant;
    souk_text store, till;
    int64_t number; /* from 1 */
} souk_receipt_name;

typedef struct souk_receipt_back { /* one line of a sale that is brought back */
    uint32_t line;                 /* from 1 */
    souk_decimal quantity, sold;   /* of it, now; and as the sale has it */
    souk_decimal before; /* of it, as what is paid back was counted: souk_receipt_returned */
} souk_receipt_back;

typedef struct souk_receipt {
    souk_text store, till;
    souk_receipt_kind kind;
    souk_time at;
    char currency[4];
    int64_t total_minor; /* paid; below zero for returns and voids */
    souk_text body;      /* what the receipt says, a JSON object: lines, offers, taxes, tenders */
    souk_text who;       /* sealed, for who tells the log of it (told.c); "": nobody was named */
    /* By which other rows refer to it: the reference of movements, the reason of transfers. */
    souk_hash128 id;
    unsigned char body_hash[SOUK_SHA256_BYTES]; /* souk_receipt_prepare */
    /* Of RETURN and VOID: the sale, and what comes back of it; a void brings back every line. */
    souk_receipt_name of;
    const souk_receipt_back *backs;
    size_t back_count;
    /* Told by the owner. */
    int64_t number;
    unsigned char hash[SOUK_SHA256_BYTES];
} souk_receipt;

SOUK_CHECKED souk_err souk_receipts_migrate(souk_ledger *ledger, souk_diag *diag);

/* Hashes the body, in the caller's thread: the writer's is dear. */
void souk_receipt_prepare(souk_receipt *receipt);
/* The owner of SOUK_EFFECT_RECEIPT; what: souk_receipt.  SOUK_EINVAL: a name or text beyond its bytes.  SOUK_ENOENT: `of`
 * is no receipt.  SOUK_ECONFLICT: more comes back than was sold, it is void, or another return came first. */
souk_err souk_receipt_apply(void *state, souk_tx *tx, souk_plan *plan, const souk_effect *effects,
                            size_t count);

/* A receipt as it is in the chain; the body in the arena.  SOUK_ENOENT. */
typedef struct souk_receipt_row {
    souk_text body;
    souk_receipt_kind kind;
    souk_time at;
    int64_t total_minor;
    char currency[4];
    souk_hash128 id;
    bool is_void; /* a later receipt took it back whole */
    unsigned char hash[SOUK_SHA256_BYTES], before[SOUK_SHA256_BYTES];
} souk_receipt_row;
SOUK_CHECKED souk_err souk_receipt_read(souk_tx *tx, const souk_receipt_name *name,
                                        souk_arena *arena, souk_receipt_row *ret_row);
/* How much of its line came back so far; 0 where none did. */
SOUK_CHECKED souk_err souk_receipt_returned(souk_tx *tx, const souk_receipt_name *name,
                                            uint32_t line, souk_decimal *ret_quantity);

/* Walks every chain.  SOUK_ECORRUPT with the first receipt that does not fit. */
SOUK_CHECKED souk_err souk_receipts_verify(souk_ledger *ledger, uint64_t *ret_count,
                                           souk_diag *diag);

#endif
