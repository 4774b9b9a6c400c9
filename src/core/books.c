/* books.c - the tables of the books, and accounts.  See books.h. */
#include "core/books_inside.h"

#include "base/currency.h"

#include <stdio.h>

/* ---- schema ------------------------------------------------------------------------------------ */

static const char tables[] =
    /* Numbers given to accounts, so that none is given twice. */
    "CREATE TABLE book_number ("
    " number INTEGER PRIMARY KEY,"
    " at INTEGER NOT NULL" /* ms UTC */
    ") STRICT;"
    /* Accounts.  Money in minor units of the currency. */
    "CREATE TABLE book_account ("
    " id INTEGER NOT NULL," /* above 0: exact, the totals are of now; below 0: summed, up to book_roll.upto */
    " merchant INTEGER NOT NULL,"
    " kind INTEGER NOT NULL,"  /* enum souk_book_kind */
    " owner INTEGER NOT NULL," /* opaque 64 bits */
    " currency TEXT NOT NULL," /* ISO 4217 */
    " opened_at INTEGER NOT NULL,"
    " closed INTEGER NOT NULL DEFAULT 0," /* 1: no transfer but the end of a hold */
    " debits INTEGER NOT NULL DEFAULT 0,"
    " credits INTEGER NOT NULL DEFAULT 0,"
    " held_out INTEGER NOT NULL DEFAULT 0," /* by open holds that would debit it; summed: always 0 */
    " held_in INTEGER NOT NULL DEFAULT 0," /* by open holds that would credit it; summed: always 0 */
    " below INTEGER NOT NULL DEFAULT 0,"   /* how far below zero it may go */
    " set_most INTEGER NOT NULL,"          /* most that one set may take; 4 x 10^18: no limit */
    " day_most INTEGER NOT NULL,"          /* the same of a day */
    " confirm_above INTEGER NOT NULL,"     /* the same without the shopper's confirmation */
    " day INTEGER NOT NULL DEFAULT 0,"     /* the latest local day on which it was spent from */
    " day_spent INTEGER NOT NULL DEFAULT 0," /* on that day, released holds of that day taken off */
    " PRIMARY KEY (id),"
    " UNIQUE (merchant, kind, owner, currency),"
    " CHECK (length(currency) = 3),"
    " CHECK (kind BETWEEN 0 AND 127 AND (kind < 64 AND id > 0 OR kind >= 64 AND id < 0)),"
    " CHECK (closed BETWEEN 0 AND 1),"
    " CHECK (debits BETWEEN 0 AND 4000000000000000000 AND credits BETWEEN 0 AND "
    "4000000000000000000),"
    " CHECK (held_out BETWEEN 0 AND 4000000000000000000 AND held_in BETWEEN 0 AND "
    "4000000000000000000),"
    " CHECK (below BETWEEN 0 AND 100000000000000 AND set_most >= 0 AND day_most >= 0),"
    " CHECK (confirm_above >= 0 AND day_spent >= 0),"
    " CHECK (id < 0 OR credits - debits - held_out + below >= 0)"
    ") STRICT;"
    /* Transfers: facts, never changed and never deleted. */
    "CREATE TABLE book_transfer ("
    " seq INTEGER PRIMARY KEY," /* the order in which they were written */
    " id BLOB NOT NULL UNIQUE," /* 128 bits, the caller's: what makes it happen once */
    " kind INTEGER NOT NULL,"   /* enum souk_transfer_kind */
    " debit INTEGER NOT NULL,"  /* account that gives */
    " credit INTEGER NOT NULL," /* account that takes */
    " amount INTEGER NOT NULL," /* of a VOID or EXPIRE: what it freed */
    " legs INTEGER NOT NULL,"   /* transfers in its set; EXPIRE: 1 */
    " original BLOB,"           /* id of the transfer that it settles or gives back */
    " reason BLOB,"             /* id of the receipt */
    " at INTEGER NOT NULL,"     /* ms UTC, told by the caller */
    " due INTEGER,"             /* HOLD: from here on it cannot be captured */
    " CHECK (length(id) = 16 AND length(original) = 16 AND length(reason) = 16),"
    " CHECK (kind BETWEEN 1 AND 6 AND legs BETWEEN 1 AND 32),"
    " CHECK (debit <> credit AND amount BETWEEN 1 AND 100000000000000),"
    " CHECK ((original IS NULL) = (kind <= 2) AND (due IS NULL) = (kind <> 2))"
    ") STRICT;"
    "CREATE INDEX book_transfer_debit ON book_transfer (debit, seq);"
    "CREATE INDEX book_transfer_credit ON book_transfer (credit, seq);"
    /* Holds that are open: the transfers of kind HOLD that nothing has settled.  Deleting the row is what
     * makes a hold end once. */
    "CREATE TABLE book_hold ("
    " id BLOB NOT NULL," /* of the transfer, as the next four */
    " debit INTEGER NOT NULL,"
    " credit INTEGER NOT NULL,"
    " amount INTEGER NOT NULL,"
    " due INTEGER NOT NULL,"
    " day INTEGER NOT NULL," /* the shop's local day on which it was made */
    " PRIMARY KEY (id)"
    ") STRICT, WITHOUT ROWID;"
    "CREATE INDEX book_hold_due ON book_hold (due);"
    /* How much of a POST or CAPTURE was given back. */
    "CREATE TABLE book_refund ("
    " original BLOB NOT NULL,"
    " most INTEGER NOT NULL,"     /* the original's amount */
    " refunded INTEGER NOT NULL," /* sum of the transfers of kind REFUND of it */
    " PRIMARY KEY (original),"
    " CHECK (refunded BETWEEN 1 AND most)"
    ") STRICT, WITHOUT ROWID;"
    /* How far the totals of summed accounts are.  One row. */
    "CREATE TABLE book_roll ("
    " one INTEGER NOT NULL,"
    " upto INTEGER NOT NULL,"      /* the last transfer in the rows of summed accounts */
    " mark INTEGER NOT NULL,"      /* the newest transfer at marked_at: how far upto may go */
    " marked_at INTEGER NOT NULL," /* ms UTC */
    " PRIMARY KEY (one),"
    " CHECK (one = 1 AND upto BETWEEN 0 AND mark)"
    ") STRICT;"
    "INSERT INTO book_roll (one, upto, mark, marked_at) VALUES (1, 0, 0, 0);";

static const char kept_by_sqlite[] =
    "CREATE TRIGGER book_transfer_kept BEFORE UPDATE ON book_transfer"
    " BEGIN SELECT RAISE(ABORT, 'a transfer is never changed'); END;"
    "CREATE TRIGGER book_transfer_stays BEFORE DELETE ON book_transfer"
    " BEGIN SELECT RAISE(ABORT, 'a transfer is never deleted'); END;"
    "CREATE TRIGGER book_account_kept BEFORE UPDATE OF id, merchant, kind, owner, currency ON"
    " book_account BEGIN SELECT RAISE(ABORT, 'an account stays whose it is'); END;"
    "CREATE TRIGGER book_account_stays BEFORE DELETE ON book_account"
    " BEGIN SELECT RAISE(ABORT, 'an account is never deleted'); END;";

/* The trigger binds also the owner of the tables, whom a REVOKE would not. */
static const char kept_by_postgres[] =
    "CREATE FUNCTION book_keep() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN"
    " RAISE EXCEPTION ''a fact of the books is never changed''"
    " USING ERRCODE = ''restrict_violation''; END';"
    "CREATE TRIGGER book_transfer_kept BEFORE UPDATE OR DELETE ON book_transfer"
    " FOR EACH ROW EXECUTE FUNCTION book_keep();"
    "CREATE TRIGGER book_transfer_stays BEFORE TRUNCATE ON book_transfer"
    " FOR EACH STATEMENT EXECUTE FUNCTION book_keep();"
    "CREATE TRIGGER book_account_kept BEFORE UPDATE OF id, merchant, kind, owner, currency OR "
    "DELETE"
    " ON book_account FOR EACH ROW EXECUTE FUNCTION book_keep();";

souk_err souk_books_migrate(souk_ledger *ledger, souk_diag *diag)
{
    bool is_sqlite = !strcmp(souk_ledger_backend_name(ledger), "sqlite");
    const souk_migration steps[] = {{1, tables},
                                    {2, is_sqlite ? kept_by_sqlite : kept_by_postgres}};
    return souk_ledger_migrate(ledger, "books", steps, sizeof steps / sizeof *steps, diag);
}

/* ---- small things -------------------------------------------------------------------------------- */

void books_put_id(souk_hash128 id, unsigned char to[BOOKS_ID_BYTES])
{
    souk_put_u64(to, id.low);
    souk_put_u64(to + 8, id.high);
}

souk_hash128 books_get_id(souk_rows *rows, unsigned column)
{
    souk_text bytes = souk_rows_blob(rows, column);
    if (bytes.bytes != BOOKS_ID_BYTES)
        return (souk_hash128){0, 0};
    return (souk_hash128){souk_get_u64(bytes.at), souk_get_u64(bytes.at + 8)};
}

static souk_err check_limits(const souk_book_limits *limits, souk_diag *diag)
{
    if (limits->below_minor < 0 || limits->set_minor < 0 || limits->day_minor < 0 ||
        limits->confirm_minor < 0)
        return souk_diag_say(diag, SOUK_EINVAL,
                             "a limit of an account is below zero: give 0 for none, or more");
    if (limits->below_minor > SOUK_BOOKS_AMOUNT_MOST)
        return souk_diag_say(diag, SOUK_EOVERFLOW,
                             "a credit line of %lld minor units is above %lld: give less",
                             (long long)limits->below_minor, (long long)SOUK_BOOKS_AMOUNT_MOST);
    return SOUK_OK;
}

/* As the tables keep it. */
static int64_t most_of(int64_t limit_minor)
{
    return limit_minor == 0 || limit_minor > SOUK_BOOKS_TOTAL_MOST ? SOUK_BOOKS_TOTAL_MOST
                                                                   : limit_minor;
}

/* ---- accounts ------------------------------------------------------------------------------------ */

static souk_err check_book(const souk_book *book, char ret_currency[4], souk_diag *diag)
{
    if (book->kind >= SOUK_BOOK_KINDS)
        return souk_diag_say(diag, SOUK_EINVAL, "%u is no kind of account: give 0 to %d",
                             book->kind, SOUK_BOOK_KINDS - 1);
    souk_text told = {book->currency, strnlen(book->currency, sizeof book->currency)};
    if (souk_currency_read(told, ret_currency))
        return souk_diag_say(diag, SOUK_EINVAL,
                             "'%.*s' is no currency: give the three letters of ISO 4217",
                             SOUK_TEXT_PRINT(told));
    const souk_book_limits *limits = &book->limits;
    bool limited =
        limits->below_minor || limits->set_minor || limits->day_minor || limits->confirm_minor;
    if (limited && book->kind >= SOUK_BOOK_SUMMED)
        return souk_diag_say(diag, SOUK_EINVAL,
                             "an account of kind %u has no limits, only its sum: leave them out",
                             book->kind);
    return check_limits(limits, diag);
}

static souk_err find(souk_tx *tx, const souk_book *book, const char *currency, int64_t *ret_account)
{
    return souk_sql_one_int(tx,
                            "SELECT id FROM book_account"
                            " WHERE merchant = ?1 AND kind = ?2 AND owner = ?3 AND currency = ?4",
                            SOUK_VALUES(SOUK_INT(book->merchant), SOUK_INT(book->kind),
                                        SOUK_INT(book->owner), SOUK_STR(souk_text_of(currency))),
                            ret_account);
}

souk_err souk_books_find(souk_tx *tx, const souk_book *book, int64_t *ret_account)
{
    char currency[4];
    SOUK_TRY(check_book(book, currency, NULL));
    return find(tx, book, currency, ret_account);
}

static souk_err make(souk_tx *tx, const souk_book *book, const char *currency, souk_time at,
                     int64_t *ret_account)
{
    int64_t number;
    SOUK_TRY(souk_sql_one_int(tx, "INSERT INTO book_number (at) VALUES (?1) RETURNING number",
                              SOUK_VALUES(SOUK_INT(at)), &number));
    *ret_account = book->kind < SOUK_BOOK_SUMMED ? number : -number;
    return souk_sql_run(
        tx,
        "INSERT INTO book_account (id, merchant, kind, owner, currency, opened_at,"
        " below, set_most, day_most, confirm_above)"
        " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)"
        " ON CONFLICT (merchant, kind, owner, currency) DO NOTHING",
        SOUK_VALUES(SOUK_INT(*ret_account), SOUK_INT(book->merchant), SOUK_INT(book->kind),
                    SOUK_INT(book->owner), SOUK_STR(souk_text_of(currency)), SOUK_INT(at),
                    SOUK_INT(book->limits.below_minor), SOUK_INT(most_of(book->limits.set_minor)),
                    SOUK_INT(most_of(book->limits.day_minor)),
                    SOUK_INT(most_of(book->limits.confirm_minor))));
}

souk_err souk_books_open(souk_tx *tx, const souk_book *book, souk_time at, int64_t *ret_account,
                         souk_diag *diag)
{
    char currency[4];
    int64_t account = 0;
    SOUK_TRY(check_book(book, currency, diag));
    souk_err err = find(tx, book, currency, &account);
    if (err == SOUK_ENOENT) {
        SOUK_TRY(make(tx, book, currency, at, &account));
        /* somebody else may have opened it at the same time: then its own number counts */
        err = souk_sql_changed(tx) == 1 ? SOUK_OK : find(tx, book, currency, &account);
    }
    SOUK_TRY(err);
    *ret_account = account;
    return SOUK_OK;
}

static souk_err is_there(souk_tx *tx, int64_t account, souk_diag *diag)
{
    int64_t found;
    souk_err err = souk_sql_one_int(tx, "SELECT id FROM book_account WHERE id = ?1",
                                    SOUK_VALUES(SOUK_INT(account)), &found);
    if (err == SOUK_ENOENT)
        souk_diag_say(diag, err, "there is no account %lld: open it first", (long long)account);
    return err;
}

souk_err souk_books_limit(souk_tx *tx, int64_t account, const souk_book_limits *limits,
                          souk_diag *diag)
{
    SOUK_TRY(check_limits(limits, diag));
    if (!books_is_exact(account))
        return souk_diag_say(diag, SOUK_EINVAL,
                             "account %lld has no limits, only its sum: name an exact one",
                             (long long)account);
    SOUK_TRY(souk_sql_run(
        tx,
        "UPDATE book_account SET below = ?2, set_most = ?3, day_most = ?4, confirm_above = ?5"
        " WHERE id = ?1 AND credits - debits - held_out + ?2 >= 0",
        SOUK_VALUES(SOUK_INT(account), SOUK_INT(limits->below_minor),
                    SOUK_INT(most_of(limits->set_minor)), SOUK_INT(most_of(limits->day_minor)),
                    SOUK_INT(most_of(limits->confirm_minor)))));
    if (souk_sql_changed(tx) == 1)
        return SOUK_OK;
    SOUK_TRY(is_there(tx, account, diag));
    return souk_diag_say(diag, SOUK_ECONFLICT,
                         "account %lld stands further below zero than %lld minor units with its "
                         "holds: let it be paid down first",
                         (long long)account, (long long)limits->below_minor);
}

souk_err souk_books_close(souk_tx *tx, int64_t account, souk_diag *diag)
{
    SOUK_TRY(souk_sql_run(tx,
                          "UPDATE book_account SET closed = 1 WHERE id = ?1"
                          " AND (id < 0 OR credits = debits AND held_out = 0 AND held_in = 0)",
                          SOUK_VALUES(SOUK_INT(account))));
    if (souk_sql_changed(tx) == 1)
        return SOUK_OK;
    SOUK_TRY(is_there(tx, account, diag));
    return souk_diag_say(diag, SOUK_ECONFLICT,
                         "account %lld is not empty: settle its balance and its holds first",
                         (long long)account);
}
