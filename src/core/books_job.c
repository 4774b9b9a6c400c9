/* books_job.c - what jobs do to the books in chunks: holds that are due end, and the totals of summed
 * accounts move forward.  See books.h. */
#include "core/books_inside.h"

/* ---- expire ------------------------------------------------------------------------------------------- */

/* Not the caller's, and not to be guessed as one: it is a hash, as theirs are, of another list. */
souk_hash128 souk_books_expiry(souk_hash128 hold)
{
    static const souk_hash_key key = {"souk book expiry"};
    unsigned char of[BOOKS_ID_BYTES];
    books_put_id(hold, of);
    souk_text parts[] = {SOUK_TEXT("expire"), {(const char *)of, BOOKS_ID_BYTES}};
    return souk_hash128_of(&key, parts, 2);
}

static souk_err find_due(souk_tx *tx, struct books_set *set)
{
    souk_auto_value(souk_rows) rows = {0};
    SOUK_TRY(souk_rows_begin(tx, "SELECT id FROM book_hold WHERE due <= ?1 ORDER BY due LIMIT ?2",
                             SOUK_VALUES(SOUK_INT(set->when.at), SOUK_INT(SOUK_BOOKS_SET_MOST)),
                             &rows));
    while (set->count < SOUK_BOOKS_SET_MOST && souk_rows_next(&rows)) {
        struct books_leg *leg = &set->legs[set->count++];
        *leg = (struct books_leg){.kind = SOUK_TRANSFER_EXPIRE, .has_of = true};
        souk_hash128 hold = books_get_id(&rows, 0);
        books_put_id(hold, leg->of);
        books_put_id(souk_books_expiry(hold), leg->id);
    }
    return souk_rows_check(&rows);
}

/* Keeps in the set what was still open and due. */
static souk_err take_due(souk_tx *tx, struct books_set *set)
{
    size_t kept = 0;
    bool taken[SOUK_BOOKS_SET_MOST];
    for (size_t i = 0; i < set->count; i++) {
        struct books_leg *leg = set->by_of[i];
        souk_err err = books_take_hold(tx, leg, BOOKS_DUE_NOW, set->when.at);
        taken[leg - set->legs] = err == SOUK_OK;
        if (err && err != SOUK_ENOENT)
            return err;
        leg->amount = leg->held;
    }
    for (size_t i = 0; i < set->count; i++)
        if (taken[i])
            set->legs[kept++] = set->legs[i];
    set->count = kept;
    books_set_order(set);
    return SOUK_OK;
}

souk_err souk_books_expire(souk_tx *tx, const souk_books_when *when, size_t *ret_count,
                           souk_diag *diag)
{
    struct books_set set;
    set.when = *when;
    set.count = 0;
    SOUK_TRY(find_due(tx, &set));
    books_set_order(&set);
    SOUK_TRY(take_due(tx, &set));
    for (size_t i = 0; i < set.count; i++) {
        bool is_new = false;
        SOUK_TRY(books_write(tx, &set, set.by_id[i], &is_new));
        if (!is_new)
            return souk_diag_say(diag, SOUK_ECORRUPT,
                                 "a hold is open that had ended before: run souk verify");
    }
    SOUK_TRY(books_change_accounts(tx, &set, diag));
    *ret_count = set.count;
    return SOUK_OK;
}

/* ---- roll --------------------------------------------------------------------------------------------- */

enum { ROLL_MOST = 10000 }; /* transfers of at most 10^14 each: their sum fits */

struct roll {
    int64_t upto, mark, marked_at, newest;
};

static souk_err read_roll(souk_tx *tx, struct roll *roll)
{
    souk_auto_value(souk_rows) rows = {0};
    SOUK_TRY(souk_rows_begin(tx,
                             "SELECT upto, mark, marked_at,"
                             " (SELECT coalesce(max(seq), 0) FROM book_transfer) FROM book_roll",
                             SOUK_NO_VALUES, &rows));
    if (souk_rows_next(&rows))
        *roll = (struct roll){souk_rows_int(&rows, 0), souk_rows_int(&rows, 1),
                              souk_rows_int(&rows, 2), souk_rows_int(&rows, 3)};
    return souk_rows_check(&rows);
}

/* Only from where it was read: of two jobs at once one finds nothing to change and is run again. */
static souk_err move(souk_tx *tx, const struct roll *from, const struct roll *to)
{
    SOUK_TRY(
        souk_sql_run(tx,
                     "UPDATE book_roll SET upto = ?1, mark = ?2, marked_at = ?3"
                     " WHERE upto = ?4 AND mark = ?5",
                     SOUK_VALUES(SOUK_INT(to->upto), SOUK_INT(to->mark), SOUK_INT(to->marked_at),
                                 SOUK_INT(from->upto), SOUK_INT(from->mark))));
    return souk_sql_changed(tx) == 1 ? SOUK_OK : SOUK_ERETRY;
}

#define SUMS_BETWEEN                                                                        \
    "(SELECT account, CAST(sum(debit) AS BIGINT) AS debits, CAST(sum(credit) AS BIGINT)"    \
    " AS credits FROM (SELECT debit AS account, amount AS debit, 0 AS credit"               \
    " FROM book_transfer WHERE seq > ?1 AND seq <= ?2 AND kind IN (1, 3, 6) AND debit < 0"  \
    " UNION ALL SELECT credit, 0, amount"                                                   \
    " FROM book_transfer WHERE seq > ?1 AND seq <= ?2 AND kind IN (1, 3, 6) AND credit < 0" \
    ") AS leg GROUP BY account) AS part"

static souk_err add_sums(souk_tx *tx, int64_t after, int64_t upto, souk_diag *diag)
{
    int64_t too_much = 0;
    SOUK_TRY(souk_sql_one_int(tx,
                              "SELECT count(*) FROM book_account JOIN " SUMS_BETWEEN
                              " ON id = part.account"
                              " WHERE book_account.debits + part.debits > 4000000000000000000"
                              " OR book_account.credits + part.credits > 4000000000000000000",
                              SOUK_VALUES(SOUK_INT(after), SOUK_INT(upto)), &too_much));
    if (too_much)
        return souk_diag_say(diag, SOUK_EOVERFLOW,
                             "the total of a summed account is above %lld: open another for new "
                             "transfers",
                             (long long)SOUK_BOOKS_TOTAL_MOST);
    return souk_sql_run(tx,
                        "UPDATE book_account SET debits = book_account.debits + part.debits,"
                        " credits = book_account.credits + part.credits FROM " SUMS_BETWEEN
                        " WHERE book_account.id = part.account",
                        SOUK_VALUES(SOUK_INT(after), SOUK_INT(upto)));
}

souk_err souk_books_roll(souk_tx *tx, souk_time at, int64_t lag_ms, size_t *ret_count,
                         souk_diag *diag)
{
    struct roll from = {0};
    SOUK_TRY(read_roll(tx, &from));
    struct roll to = from;
    /* A calendar that went back tells nothing about how long ago the mark was made: a new one. */
    if (from.upto == from.mark || at < from.marked_at) {
        to.mark = from.newest;
        to.marked_at = at;
    }
    if (at - to.marked_at >= lag_ms)
        to.upto = to.mark - from.upto > ROLL_MOST ? from.upto + ROLL_MOST : to.mark;
    *ret_count = (size_t)(to.upto - from.upto);
    if (to.upto == from.upto && to.mark == from.mark && to.marked_at >= from.marked_at)
        return SOUK_OK; /* nothing came since */
    SOUK_TRY(move(tx, &from, &to));
    return to.upto > from.upto ? add_sums(tx, from.upto, to.upto, diag) : SOUK_OK;
}
