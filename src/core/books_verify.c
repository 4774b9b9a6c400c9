/* books_verify.c - the books against themselves: each rule of books.h as a question whose answer must be empty.
 *
 * A question returns (which, found, expected) of the first difference; its words tell it.  The caller's
 * transaction is one snapshot on SQLite; on PostgreSQL it must be REPEATABLE READ where tills go on. */
#include "core/books_inside.h"

/* All legs that moved money, up to what each account's row stands for. */
#define MOVED                                                                                    \
    "(SELECT account, sum(debit) AS debits, sum(credit) AS credits FROM ("                       \
    "SELECT debit AS account, amount AS debit, 0 AS credit FROM book_transfer"                   \
    " WHERE kind IN (1, 3, 6) AND (debit > 0 OR seq <= (SELECT upto FROM book_roll)) UNION ALL " \
    "SELECT credit, 0, amount FROM book_transfer"                                                \
    " WHERE kind IN (1, 3, 6) AND (credit > 0 OR seq <= (SELECT upto FROM book_roll))"           \
    ") AS leg GROUP BY account) AS moved"

#define PENDING                                                                           \
    "(SELECT account, sum(outward) AS outward, sum(inward) AS inward FROM ("              \
    "SELECT debit AS account, amount AS outward, 0 AS inward FROM book_hold"              \
    " WHERE debit > 0 UNION ALL SELECT credit, 0, amount FROM book_hold WHERE credit > 0" \
    ") AS leg GROUP BY account) AS pending"

/* Every account with all that it ever gave and took: its row, and for summed ones what is behind the mark. */
#define TOTALS                                                                                 \
    "(SELECT id, debits AS debit, credits AS credit FROM book_account UNION ALL "              \
    "SELECT debit, amount, 0 FROM book_transfer"                                               \
    " WHERE kind IN (1, 3, 6) AND debit < 0 AND seq > (SELECT upto FROM book_roll) UNION ALL " \
    "SELECT credit, 0, amount FROM book_transfer"                                              \
    " WHERE kind IN (1, 3, 6) AND credit < 0 AND seq > (SELECT upto FROM book_roll)) AS part"

static const struct question {
    const char *sql, *words; /* words take which, found, expected */
} questions[] = {
    {"SELECT t.seq, t.debit, t.credit FROM book_transfer AS t"
     " LEFT JOIN book_account AS d ON d.id = t.debit LEFT JOIN book_account AS c ON c.id = t.credit"
     " WHERE d.id IS NULL OR c.id IS NULL ORDER BY t.seq LIMIT 1",
     "transfer %lld stands between accounts %lld and %lld, one of which is not there"},
    {"SELECT t.seq, t.debit, t.credit FROM book_transfer AS t"
     " JOIN book_account AS d ON d.id = t.debit JOIN book_account AS c ON c.id = t.credit"
     " WHERE d.merchant <> c.merchant OR d.currency <> c.currency ORDER BY t.seq LIMIT 1",
     "transfer %lld stands between strangers: accounts %lld and %lld"},
    {"SELECT seq, amount, legs FROM book_transfer WHERE amount NOT BETWEEN 1 AND 100000000000000"
     " OR kind NOT BETWEEN 1 AND 6 OR legs NOT BETWEEN 1 AND 32 OR debit = credit OR"
     " (original IS NULL) <> (kind <= 2) ORDER BY seq LIMIT 1",
     "transfer %lld cannot be: amount %lld in a set of %lld"},
    {"SELECT s.seq, s.amount, coalesce(h.amount, 0) FROM book_transfer AS s"
     " LEFT JOIN book_transfer AS h ON h.id = s.original AND h.kind = 2"
     " AND h.debit = s.debit AND h.credit = s.credit AND h.seq < s.seq"
     " WHERE s.kind IN (3, 4, 5) AND (h.id IS NULL OR s.amount > h.amount OR"
     " s.kind > 3 AND s.amount <> h.amount) ORDER BY s.seq LIMIT 1",
     "transfer %lld settles %lld of a hold of %lld"},
    {"SELECT min(seq), count(*), 1 FROM book_transfer WHERE kind IN (3, 4, 5)"
     " GROUP BY original HAVING count(*) > 1 ORDER BY 1 LIMIT 1",
     "the hold that transfer %lld settles is settled %lld times instead of %lld"},
    {"SELECT r.seq, r.amount, coalesce(o.amount, 0) FROM book_transfer AS r"
     " LEFT JOIN book_transfer AS o ON o.id = r.original AND o.kind IN (1, 3)"
     " AND o.debit = r.credit AND o.credit = r.debit AND o.seq < r.seq"
     " WHERE r.kind = 6 AND o.id IS NULL ORDER BY r.seq LIMIT 1",
     "transfer %lld gives back %lld of nothing that went over (%lld)"},
    {"SELECT o.seq, CAST(r.back AS BIGINT), coalesce(f.refunded, 0) FROM"
     " (SELECT original, sum(amount) AS back FROM book_transfer WHERE kind = 6 GROUP BY original)"
     " AS r JOIN book_transfer AS o ON o.id = r.original"
     " LEFT JOIN book_refund AS f ON f.original = r.original AND f.most = o.amount"
     " WHERE r.back > o.amount OR r.back <> coalesce(f.refunded, 0) ORDER BY o.seq LIMIT 1",
     "of transfer %lld %lld are given back and %lld are counted"},
    {"SELECT f.refunded, f.most, 0 FROM book_refund AS f LEFT JOIN"
     " (SELECT DISTINCT original FROM book_transfer WHERE kind = 6) AS r ON r.original = f.original"
     " WHERE r.original IS NULL LIMIT 1",
     "a refund of %lld of %lld is counted and was never made (%lld)"},
    {"SELECT h.seq, h.amount, coalesce(o.amount, 0) FROM book_transfer AS h"
     " LEFT JOIN (SELECT DISTINCT original FROM book_transfer WHERE kind IN (3, 4, 5)) AS s"
     " ON s.original = h.id LEFT JOIN book_hold AS o ON o.id = h.id AND o.debit = h.debit"
     " AND o.credit = h.credit AND o.due = h.due WHERE h.kind = 2 AND coalesce(o.amount, 0) <>"
     " CASE WHEN s.original IS NULL THEN h.amount ELSE 0 END ORDER BY h.seq LIMIT 1",
     "the hold of transfer %lld, of %lld, stands open with %lld"},
    {"SELECT o.debit, o.amount, 0 FROM book_hold AS o LEFT JOIN book_transfer AS h"
     " ON h.id = o.id AND h.kind = 2 WHERE h.id IS NULL LIMIT 1",
     "account %lld has an open hold of %lld that was never made (%lld)"},
    {"SELECT a.id, a.debits, CAST(coalesce(moved.debits, 0) AS BIGINT) FROM book_account AS a"
     " LEFT JOIN " MOVED " ON moved.account = a.id"
     " WHERE a.debits <> coalesce(moved.debits, 0) ORDER BY a.id LIMIT 1",
     "account %lld says that it gave %lld and its transfers say %lld"},
    {"SELECT a.id, a.credits, CAST(coalesce(moved.credits, 0) AS BIGINT) FROM book_account AS a"
     " LEFT JOIN " MOVED " ON moved.account = a.id"
     " WHERE a.credits <> coalesce(moved.credits, 0) ORDER BY a.id LIMIT 1",
     "account %lld says that it took %lld and its transfers say %lld"},
    {"SELECT a.id, a.held_out, CAST(coalesce(pending.outward, 0) AS BIGINT) FROM book_account AS a"
     " LEFT JOIN " PENDING " ON pending.account = a.id"
     " WHERE a.held_out <> coalesce(pending.outward, 0) ORDER BY a.id LIMIT 1",
     "account %lld says that %lld of it are held and its holds say %lld"},
    {"SELECT a.id, a.held_in, CAST(coalesce(pending.inward, 0) AS BIGINT) FROM book_account AS a"
     " LEFT JOIN " PENDING " ON pending.account = a.id"
     " WHERE a.held_in <> coalesce(pending.inward, 0) ORDER BY a.id LIMIT 1",
     "account %lld says that %lld are held for it and its holds say %lld"},
    {"SELECT id, credits - debits - held_out, -below FROM book_account"
     " WHERE id > 0 AND credits - debits - held_out + below < 0 ORDER BY id LIMIT 1",
     "account %lld stands at %lld and may go down to %lld"},
    {"SELECT a.merchant, CAST(sum(part.debit) AS BIGINT), CAST(sum(part.credit) AS BIGINT)"
     " FROM " TOTALS " JOIN book_account AS a ON a.id = part.id GROUP BY a.merchant, a.currency"
     " HAVING sum(part.debit) <> sum(part.credit) ORDER BY 1 LIMIT 1",
     "merchant %lld gave %lld and took %lld in one currency"},
    {"SELECT one, upto, mark FROM book_roll WHERE upto < 0 OR upto > mark OR"
     " mark > (SELECT coalesce(max(seq), 0) FROM book_transfer) LIMIT 1",
     "mark %lld of the sums stands at %lld below %lld"},
};

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral" /* the words are the table's */
static souk_err ask(souk_tx *tx, const struct question *question, souk_diag *diag)
{
    souk_auto_value(souk_rows) rows = {0};
    SOUK_TRY(souk_rows_begin(tx, question->sql, SOUK_NO_VALUES, &rows));
    if (!souk_rows_next(&rows))
        return souk_rows_check(&rows);
    return souk_diag_say(diag, SOUK_ECORRUPT, question->words, (long long)souk_rows_int(&rows, 0),
                         (long long)souk_rows_int(&rows, 1), (long long)souk_rows_int(&rows, 2));
}
#pragma GCC diagnostic pop

souk_err souk_books_verify(souk_tx *tx, souk_diag *diag)
{
    int64_t rows = 0;
    SOUK_TRY(souk_sql_one_int(tx, "SELECT count(*) FROM book_roll", SOUK_NO_VALUES, &rows));
    if (rows != 1)
        return souk_diag_say(diag, SOUK_ECORRUPT, "the mark of the sums is gone: restore a backup");
    for (size_t i = 0; i < sizeof questions / sizeof *questions; i++)
        SOUK_TRY(ask(tx, &questions[i], diag));
    return SOUK_OK;
}
