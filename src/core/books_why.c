/* books_why.c - why a statement of books_apply.c changed nothing, in words for the caller's engineer.
 *
 * The statement has decided; what is read here only explains, and may have changed on PostgreSQL since: then
 * nothing explains it, and the closure is run again. */
#include "core/books_inside.h"

#include "base/currency.h"

#include <stdio.h>

static souk_err changed_meanwhile(souk_diag *diag)
{
    return souk_diag_say(diag, SOUK_ERETRY, "the account changed at this moment: send it again");
}

/* "12.50 EUR", "300 points": who reads it may be a cashier. */
struct amount {
    char text[SOUK_MONEY_BYTES + 8];
};

static struct amount amount_of(int64_t minor, const char currency[4])
{
    struct amount amount;
    char number[SOUK_MONEY_BYTES];
    bool is_points = !strcmp(currency, "XXX");
    souk_money_write(minor, is_points ? 0 : souk_currency_exponent(currency), number);
    snprintf(amount.text, sizeof amount.text, "%s %s", number, is_points ? "points" : currency);
    return amount;
}

/* ---- a transfer was not written ---------------------------------------------------------------------- */

struct side {
    int64_t merchant;
    char currency[4];
    bool closed;
};

static souk_err look_at(souk_tx *tx, int64_t account, struct side *ret_side, souk_diag *diag)
{
    souk_auto_value(souk_rows) rows = {0};
    SOUK_TRY(souk_rows_begin(tx,
                             "SELECT merchant, currency, closed FROM book_account WHERE id = ?1",
                             SOUK_VALUES(SOUK_INT(account)), &rows));
    if (!souk_rows_next(&rows)) {
        SOUK_TRY(souk_rows_check(&rows));
        return souk_diag_say(diag, SOUK_ENOENT, "there is no account %lld: open it first",
                             (long long)account);
    }
    souk_text currency = souk_rows_text(&rows, 1);
    *ret_side =
        (struct side){.merchant = souk_rows_int(&rows, 0), .closed = souk_rows_int(&rows, 2)};
    memcpy(ret_side->currency, currency.at, currency.bytes < 4 ? currency.bytes : 3);
    return souk_rows_check(&rows);
}

souk_err books_why_not_between(souk_tx *tx, int64_t debit, int64_t credit, souk_diag *diag)
{
    struct side from, to;
    SOUK_TRY(look_at(tx, debit, &from, diag));
    SOUK_TRY(look_at(tx, credit, &to, diag));
    if (from.merchant != to.merchant)
        return souk_diag_say(
            diag, SOUK_EINVAL,
            "account %lld is merchant %lld's and %lld is %lld's: link two transfers "
            "through an account of each in the other's books",
            (long long)debit, (long long)from.merchant, (long long)credit, (long long)to.merchant);
    if (strcmp(from.currency, to.currency) != 0)
        return souk_diag_say(diag, SOUK_EINVAL,
                             "account %lld holds %s and %lld holds %s: exchange it first",
                             (long long)debit, from.currency, (long long)credit, to.currency);
    if (from.closed || to.closed)
        return souk_diag_say(diag, SOUK_ECONFLICT, "account %lld is closed: name another",
                             (long long)(from.closed ? debit : credit));
    return changed_meanwhile(diag);
}

/* ---- an account was not changed ----------------------------------------------------------------------- */

struct account_row {
    char currency[4];
    int64_t available, debits, credits, closed, set_most, day_most, confirm_above, day, day_spent;
};

static souk_err read_row(souk_tx *tx, int64_t account, struct account_row *row)
{
    souk_auto_value(souk_rows) rows = {0};
    SOUK_TRY(souk_rows_begin(tx,
                             "SELECT credits - debits - held_out + below, debits + held_out,"
                             " credits + held_in, closed, set_most, day_most, confirm_above, day,"
                             " day_spent, currency FROM book_account WHERE id = ?1",
                             SOUK_VALUES(SOUK_INT(account)), &rows));
    if (!souk_rows_next(&rows)) {
        SOUK_TRY(souk_rows_check(&rows));
        return SOUK_ENOENT;
    }
    *row = (struct account_row){
        .available = souk_rows_int(&rows, 0),
        .debits = souk_rows_int(&rows, 1),
        .credits = souk_rows_int(&rows, 2),
        .closed = souk_rows_int(&rows, 3),
        .set_most = souk_rows_int(&rows, 4),
        .day_most = souk_rows_int(&rows, 5),
        .confirm_above = souk_rows_int(&rows, 6),
        .day = souk_rows_int(&rows, 7),
        .day_spent = souk_rows_int(&rows, 8),
    };
    souk_text currency = souk_rows_text(&rows, 9);
    memcpy(row->currency, currency.at, currency.bytes < 4 ? currency.bytes : 3);
    return souk_rows_check(&rows);
}

static souk_err why_not_spend(const struct books_set *set, const struct books_sum *sum,
                              const struct account_row *row, souk_diag *diag)
{
    if (sum->spend > row->set_most)
        return souk_diag_say(
            diag, SOUK_EDENIED,
            "account %lld may spend %s at once and %s are asked: pay the rest in another way",
            (long long)sum->account, amount_of(row->set_most, row->currency).text,
            amount_of(sum->spend, row->currency).text);
    int64_t spent = row->day < set->when.day ? 0 : row->day_spent;
    if (row->day == sum->give_day)
        spent -= sum->give;
    if (spent + sum->spend > row->day_most)
        return souk_diag_say(
            diag, SOUK_EDENIED,
            "account %lld may spend %s a day, has spent %s, and %s are asked: pay in another way, "
            "or tomorrow",
            (long long)sum->account, amount_of(row->day_most, row->currency).text,
            amount_of(spent, row->currency).text, amount_of(sum->spend, row->currency).text);
    if (!set->when.confirmed && sum->spend > row->confirm_above)
        return souk_diag_say(
            diag, SOUK_EDENIED,
            "above %s account %lld wants the shopper's confirmation: ask for it and send this "
            "again with `confirmed`",
            amount_of(row->confirm_above, row->currency).text, (long long)sum->account);
    return changed_meanwhile(diag);
}

souk_err books_why_not_account(souk_tx *tx, const struct books_set *set,
                               const struct books_sum *sum, souk_diag *diag)
{
    struct account_row row;
    souk_err err = read_row(tx, sum->account, &row);
    if (err == SOUK_ENOENT)
        return souk_diag_say(diag, SOUK_ECORRUPT, "account %lld is gone: run souk verify",
                             (long long)sum->account);
    SOUK_TRY(err);
    if (row.closed && sum->needs_open)
        return souk_diag_say(diag, SOUK_ECONFLICT, "account %lld is closed: name another",
                             (long long)sum->account);
    if (row.debits + sum->debit + sum->out > SOUK_BOOKS_TOTAL_MOST ||
        row.credits + sum->credit + sum->in > SOUK_BOOKS_TOTAL_MOST)
        return souk_diag_say(diag, SOUK_EOVERFLOW,
                             "the totals of account %lld would be above %lld: open another",
                             (long long)sum->account, (long long)SOUK_BOOKS_TOTAL_MOST);
    int64_t need = sum->debit + sum->out - sum->credit;
    if (need > 0 && row.available < need)
        return souk_diag_say(diag, SOUK_ECONFLICT,
                             "account %lld has %s available and %s are asked: take less, or pay "
                             "the rest in another way",
                             (long long)sum->account, amount_of(row.available, row.currency).text,
                             amount_of(need, row.currency).text);
    return sum->spend ? why_not_spend(set, sum, &row, diag) : changed_meanwhile(diag);
}

/* ---- a hold was not open, a refund was too much --------------------------------------------------------- */

souk_err books_why_not_hold(souk_tx *tx, const struct books_leg *leg, souk_diag *diag)
{
    souk_book_entry hold;
    int64_t open = 0;
    souk_hash128 of = {souk_get_u64(leg->of), souk_get_u64(leg->of + 8)};
    souk_err err = souk_books_entry(tx, of, &hold);
    if (err == SOUK_ENOENT)
        return souk_diag_say(diag, err, "there is no hold that this is of: look at its id");
    SOUK_TRY(err);
    if (hold.kind != SOUK_TRANSFER_HOLD)
        return souk_diag_say(diag, SOUK_EINVAL,
                             "what this is of is no hold: capture and void take the id of a hold");
    SOUK_TRY(souk_sql_one_int(tx, "SELECT count(*) FROM book_hold WHERE id = ?1",
                              SOUK_VALUES(SOUK_BLOB(leg->of, BOOKS_ID_BYTES)), &open));
    return souk_diag_say(diag, SOUK_ECONFLICT,
                         open ? "the hold was due: make a new one"
                              : "the hold is over, it was captured, voided or due: make a new one");
}

souk_err books_why_not_capture(souk_tx *tx, const struct books_leg *leg, souk_diag *diag)
{
    struct side from;
    SOUK_TRY(look_at(tx, leg->debit, &from, diag));
    return souk_diag_say(diag, SOUK_ECONFLICT, "%s are captured of a hold of %s: capture less",
                         amount_of(leg->amount, from.currency).text,
                         amount_of(leg->held, from.currency).text);
}

souk_err books_why_not_refund(souk_tx *tx, const struct books_leg *leg, souk_diag *diag)
{
    int64_t refunded = 0;
    struct side to;
    SOUK_TRY(look_at(tx, leg->credit, &to, diag));
    souk_err err = souk_sql_one_int(tx, "SELECT refunded FROM book_refund WHERE original = ?1",
                                    SOUK_VALUES(SOUK_BLOB(leg->of, BOOKS_ID_BYTES)), &refunded);
    if (err && err != SOUK_ENOENT)
        return err;
    return souk_diag_say(
        diag, SOUK_ECONFLICT, "%s are asked back and %s of %s are left to refund: ask for less",
        amount_of(leg->amount, to.currency).text, amount_of(leg->most - refunded, to.currency).text,
        amount_of(leg->most, to.currency).text);
}
