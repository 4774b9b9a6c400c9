/* charge.c - accounts found, then one set: see charge.h. */
#include "core/charge.h"

enum { ACCOUNTS_MOST = 2 * SOUK_BOOKS_SET_MOST };

struct found {
    souk_book book;
    int64_t account;
};

struct finding {
    struct found found[ACCOUNTS_MOST];
    size_t count;
};

static bool is_same(const souk_book *a, const souk_book *b)
{
    return a->merchant == b->merchant && a->kind == b->kind && a->owner == b->owner &&
           !memcmp(a->currency, b->currency, sizeof a->currency);
}

static souk_err say_none(const souk_book *book, souk_diag *diag)
{
    static const char *const words[] = {[SOUK_BOOK_BALANCE] = "stored balance",
                                        [SOUK_BOOK_TAB] = "tab",
                                        [SOUK_BOOK_GIFT] = "gift card",
                                        [SOUK_BOOK_POINTS] = "points account"};
    const char *word = book->kind < sizeof words / sizeof *words && words[book->kind]
                           ? words[book->kind]
                           : "account";
    return souk_diag_say(diag, SOUK_ENOENT, "there is no %s in %s here: open one first", word,
                         book->currency);
}

static souk_err find(struct finding *finding, souk_tx *tx, souk_plan *plan, const souk_book *book,
                     int64_t *ret_account)
{
    for (size_t i = 0; i < finding->count; i++)
        if (is_same(&finding->found[i].book, book)) {
            *ret_account = finding->found[i].account;
            return SOUK_OK;
        }
    souk_err err = book->kind >= SOUK_BOOK_SUMMED
                       ? souk_books_open(tx, book, plan->at, ret_account, &plan->diag)
                       : souk_books_find(tx, book, ret_account);
    if (err == SOUK_ENOENT)
        return say_none(book, &plan->diag);
    SOUK_TRY(err);
    finding->found[finding->count++] = (struct found){*book, *ret_account};
    return SOUK_OK;
}

static bool moves(const souk_transfer *transfer)
{
    return transfer->kind == SOUK_TRANSFER_POST || transfer->kind == SOUK_TRANSFER_HOLD;
}

souk_err souk_charge_apply(void *state, souk_tx *tx, souk_plan *plan, const souk_effect *effects,
                           size_t count)
{
    (void)state;
    struct finding finding = {.count = 0};
    souk_transfer set[SOUK_BOOKS_SET_MOST];
    souk_books_when when = {.at = plan->at};
    if (count > SOUK_BOOKS_SET_MOST)
        return souk_diag_say(&plan->diag, SOUK_ETOOBIG,
                             "more than %d movements of money in one basket", SOUK_BOOKS_SET_MOST);
    for (size_t i = 0; i < count; i++) {
        const souk_charge *charge = effects[i].what;
        set[i] = charge->transfer;
        when.day = charge->day;
        when.confirmed |= charge->confirmed;
        if (!moves(&charge->transfer))
            continue;
        SOUK_TRY(find(&finding, tx, plan, &charge->debit, &set[i].debit));
        SOUK_TRY(find(&finding, tx, plan, &charge->credit, &set[i].credit));
    }
    return souk_books_apply(tx, &when, set, count, NULL, &plan->diag);
}
