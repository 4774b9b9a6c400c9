/* books_read.c - what an account holds, and what it is made of.  See books.h. */
#include "core/books_inside.h"

/* ---- states ------------------------------------------------------------------------------------------- */

/* Sums come in two parts, so that neither can overflow on the way: a * 10^9 + b. */
#define PART (1000000000)
#define HIGH_AND_LOW(column, where)                                                               \
    " (SELECT CAST(coalesce(sum(amount / 1000000000), 0) AS BIGINT) FROM " where column " = ?1)," \
    " (SELECT CAST(coalesce(sum(amount % 1000000000), 0) AS BIGINT) FROM " where column " = ?1)"
#define BEHIND_THE_MARK \
    "book_transfer WHERE seq > (SELECT upto FROM book_roll) AND kind IN (1, 3, 6) AND "

static bool add_parts(int64_t base, int64_t high, int64_t low, int64_t *ret_total)
{
    int64_t total;
    bool over = __builtin_mul_overflow(high, PART, &total) ||
                __builtin_add_overflow(total, low, &total) ||
                __builtin_add_overflow(total, base, &total);
    *ret_total = total;
    return !over && total <= SOUK_BOOKS_TOTAL_MOST;
}

static void settle_state(souk_book_state *state, int64_t below)
{
    state->balance = state->credits_minor - state->debits_minor;
    state->available = state->balance - state->pending_out + below;
}

static souk_err read_exact(souk_tx *tx, int64_t account, souk_book_state *state)
{
    souk_auto_value(souk_rows) rows = {0};
    SOUK_TRY(souk_rows_begin(tx,
                             "SELECT debits, credits, held_out, held_in, below, closed"
                             " FROM book_account WHERE id = ?1",
                             SOUK_VALUES(SOUK_INT(account)), &rows));
    bool found = souk_rows_next(&rows);
    SOUK_TRY(souk_rows_check(&rows));
    if (!found)
        return SOUK_ENOENT;
    *state = (souk_book_state){.debits_minor = souk_rows_int(&rows, 0),
                               .credits_minor = souk_rows_int(&rows, 1),
                               .pending_out = souk_rows_int(&rows, 2),
                               .pending_in = souk_rows_int(&rows, 3),
                               .closed = souk_rows_int(&rows, 5) == 1};
    settle_state(state, souk_rows_int(&rows, 4));
    return SOUK_OK;
}

static souk_err read_summed(souk_tx *tx, int64_t account, souk_book_state *state, souk_diag *diag)
{
    souk_auto_value(souk_rows) rows = {0};
    SOUK_TRY(souk_rows_begin(
        tx,
        "SELECT debits, credits, closed," HIGH_AND_LOW("debit", BEHIND_THE_MARK) "," HIGH_AND_LOW(
            "credit",
            BEHIND_THE_MARK) "," HIGH_AND_LOW("debit",
                                              "book_hold WHERE ") "," HIGH_AND_LOW("credit",
                                                                                   "book_hold "
                                                                                   "WHERE ") " FROM"
                                                                                             " book"
                                                                                             "_acco"
                                                                                             "unt "
                                                                                             "WHERE"
                                                                                             " id "
                                                                                             "= ?1",
        SOUK_VALUES(SOUK_INT(account)), &rows));
    bool found = souk_rows_next(&rows);
    SOUK_TRY(souk_rows_check(&rows));
    if (!found)
        return SOUK_ENOENT;
    *state = (souk_book_state){.closed = souk_rows_int(&rows, 2) == 1};
    struct {
        int64_t base, *to;
    } const totals[] = {{souk_rows_int(&rows, 0), &state->debits_minor},
                        {souk_rows_int(&rows, 1), &state->credits_minor},
                        {0, &state->pending_out},
                        {0, &state->pending_in}};
    for (unsigned i = 0; i < 4; i++)
        if (!add_parts(totals[i].base, souk_rows_int(&rows, 3 + 2 * i),
                       souk_rows_int(&rows, 4 + 2 * i), totals[i].to))
            return souk_diag_say(diag, SOUK_EOVERFLOW,
                                 "the totals of account %lld are above %lld: open another for new "
                                 "transfers",
                                 (long long)account, (long long)SOUK_BOOKS_TOTAL_MOST);
    settle_state(state, 0);
    return SOUK_OK;
}

souk_err souk_books_state(souk_tx *tx, int64_t account, souk_book_state *ret_state, souk_diag *diag)
{
    souk_book_state state;
    SOUK_TRY(books_is_exact(account) ? read_exact(tx, account, &state)
                                     : read_summed(tx, account, &state, diag));
    *ret_state = state;
    return SOUK_OK;
}

/* ---- transfers ------------------------------------------------------------------------------------------ */

#define ENTRY "seq, id, kind, debit, credit, amount, legs, original, reason, at, due"

static souk_book_entry entry_of(souk_rows *rows)
{
    return (souk_book_entry){.number = souk_rows_int(rows, 0),
                             .id = books_get_id(rows, 1),
                             .kind = (enum souk_transfer_kind)souk_rows_int(rows, 2),
                             .debit = souk_rows_int(rows, 3),
                             .credit = souk_rows_int(rows, 4),
                             .amount_minor = souk_rows_int(rows, 5),
                             .set_count = (unsigned)souk_rows_int(rows, 6),
                             .of = books_get_id(rows, 7),
                             .reason = books_get_id(rows, 8),
                             .at = souk_rows_int(rows, 9),
                             .due = souk_rows_int(rows, 10)};
}

souk_err souk_books_entry(souk_tx *tx, souk_hash128 id, souk_book_entry *ret_entry)
{
    unsigned char bytes[BOOKS_ID_BYTES];
    books_put_id(id, bytes);
    souk_auto_value(souk_rows) rows = {0};
    SOUK_TRY(souk_rows_begin(tx, "SELECT " ENTRY " FROM book_transfer WHERE id = ?1",
                             SOUK_VALUES(SOUK_BLOB(bytes, sizeof bytes)), &rows));
    bool found = souk_rows_next(&rows);
    souk_book_entry entry = found ? entry_of(&rows) : (souk_book_entry){0};
    SOUK_TRY(souk_rows_check(&rows));
    if (!found)
        return SOUK_ENOENT;
    *ret_entry = entry;
    return SOUK_OK;
}

souk_err souk_books_list(souk_tx *tx, int64_t account, int64_t before, size_t most,
                         souk_err (*each)(void *context, const souk_book_entry *entry),
                         void *context)
{
    souk_auto_value(souk_rows) rows = {0};
    SOUK_TRY(souk_rows_begin(
        tx,
        "SELECT " ENTRY " FROM ("
        "SELECT * FROM (SELECT " ENTRY " FROM book_transfer WHERE debit = ?1 AND seq < ?2"
        " ORDER BY seq DESC LIMIT ?3) AS given UNION ALL "
        "SELECT * FROM (SELECT " ENTRY " FROM book_transfer WHERE credit = ?1 AND seq < ?2"
        " ORDER BY seq DESC LIMIT ?3) AS taken) AS either ORDER BY seq DESC LIMIT ?3",
        SOUK_VALUES(SOUK_INT(account), SOUK_INT(before > 0 ? before : INT64_MAX), SOUK_INT(most)),
        &rows));
    while (souk_rows_next(&rows)) {
        souk_book_entry entry = entry_of(&rows);
        SOUK_TRY(souk_rows_check(&rows));
        SOUK_TRY(each(context, &entry));
    }
    return souk_rows_check(&rows);
}
