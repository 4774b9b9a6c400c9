/* reservation.c - what is kept back for somebody until a moment: see stock.h.
 *
 *     held --fulfil--> fulfilled      until is not over
 *          --release-> released
 *          --expire--> expired        until is over
 *
 * One row decides: who changes it from `held` under its predicate has won, and moves the levels. */
#include "service/stock/stock_inside.h"

#include <stdlib.h>

/*    name      number  word   stored for ever */
#define STATES(X)                \
    X(HELD, 1, "held")           \
    X(FULFILLED, 2, "fulfilled") \
    X(RELEASED, 3, "released")   \
    X(EXPIRED, 4, "expired")
enum {
#define STATE_ENUM(name, number, word) STATE_##name = number,
    STATES(STATE_ENUM)
#undef STATE_ENUM
};

enum { EXPIRE_AT_ONCE = 96, EXPIRE_LINES = 128 }; /* of one slice of the writer */

static const souk_migration steps[] = {
    {1, "CREATE TABLE stock_reservation ("
        "  merchant INTEGER NOT NULL CHECK (merchant > 0),"
        "  id       TEXT NOT NULL CHECK (length(id) BETWEEN 1 AND 64)," /* the client's */
        "  state    INTEGER NOT NULL CHECK (state BETWEEN 1 AND 4),"    /* held, fulfilled, … */
        "  until    INTEGER NOT NULL," /* ms UTC: from then on nothing is kept back */
        "  at       INTEGER NOT NULL," /* ms UTC */
        "  ended    INTEGER,"          /* ms UTC; NULL while it is held */
        "  PRIMARY KEY (merchant, id), CHECK ((state = 1) = (ended IS NULL))) WITHOUT ROWID;"
        "CREATE INDEX stock_reservation_until ON stock_reservation (until) WHERE state = 1;"
        "CREATE TABLE stock_reservation_line ("
        "  merchant    INTEGER NOT NULL,"
        "  reservation TEXT NOT NULL,"    /* stock_reservation.id */
        "  line        INTEGER NOT NULL," /* 0, 1, 2 … as it was asked for */
        "  location    TEXT NOT NULL,"
        "  product     TEXT NOT NULL,"
        "  quantity    INTEGER NOT NULL CHECK (quantity > 0)," /* x 1e-6 */
        "  PRIMARY KEY (merchant, reservation, line)) WITHOUT ROWID"},
};

souk_err reservations_migrate(souk_ledger *ledger, souk_diag *diag)
{
    return souk_ledger_migrate(ledger, "stock_reservation", steps, sizeof steps / sizeof *steps,
                               diag);
}

static const char *state_word(int64_t state)
{
    switch (state) {
#define STATE_WORD(name, number, word) \
    case number:                       \
        return word;
        STATES(STATE_WORD)
#undef STATE_WORD
    default:
        return "unknown";
    }
}

static souk_hash128 reference_of(const stock_moves *moves, uint32_t merchant, souk_text id)
{
    return stock_reference(moves->stock, "reservation", merchant, id);
}

/* ---- reserve --------------------------------------------------------------------------------------------- */

static souk_err check(const stock_moves *moves, souk_text id, const souk_stock_reservation *what)
{
    SOUK_TRY(stock_check_id(id, "reservation", moves->diag));
    if (what->line_count == 0 || what->line_count > SOUK_STOCK_LINES_MOST)
        return souk_diag_say(moves->diag, SOUK_EINVAL, "a reservation has 1 to %d lines",
                             SOUK_STOCK_LINES_MOST);
    if (what->until <= moves->at || what->until - moves->at > SOUK_STOCK_UNTIL_MOST_MS)
        return souk_diag_say(moves->diag, SOUK_EINVAL,
                             "until: a moment to come, within a year, such as now + 15 minutes");
    for (size_t i = 0; i < what->line_count; i++)
        SOUK_TRY(stock_check_line(&what->lines[i], true, moves->diag));
    return SOUK_OK;
}

static souk_err reserve(stock_moves *moves, souk_text id, const souk_stock_reservation *what)
{
    SOUK_TRY(check(moves, id, what));
    souk_hash128 reference = reference_of(moves, moves->merchant, id);
    SOUK_TRY(souk_sql_run(moves->tx,
                          "INSERT INTO stock_reservation (merchant, id, state, until, at) "
                          "VALUES (?1, ?2, 1, ?3, ?4) ON CONFLICT (merchant, id) DO NOTHING",
                          SOUK_VALUES(SOUK_INT(moves->merchant), SOUK_STR(id),
                                      SOUK_INT(what->until), SOUK_INT(moves->at))));
    if (souk_sql_changed(moves->tx) != 1)
        return souk_diag_say(moves->diag, SOUK_EEXIST,
                             "there is a reservation %.*s already: take another id",
                             SOUK_TEXT_PRINT(id));
    for (size_t i = 0; i < what->line_count; i++) {
        const souk_stock_line *line = &what->lines[i];
        SOUK_TRY(souk_sql_run(
            moves->tx,
            "INSERT INTO stock_reservation_line (merchant, reservation, line, location, product, "
            "quantity) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            SOUK_VALUES(SOUK_INT(moves->merchant), SOUK_STR(id), SOUK_INT(i),
                        SOUK_STR(line->location), SOUK_STR(line->product),
                        SOUK_INT(line->quantity.micro))));
        souk_stock_line plain = {line->location, line->product, line->quantity, SOUK_TEXT(""), 0};
        stock_moves_line(moves, &plain, SOUK_MOVE_RESERVE, 0, 1, reference);
    }
    return SOUK_OK;
}

/* ---- the end ----------------------------------------------------------------------------------------------- */

/* Its lines never change, so whoever ended it may read them. */
static souk_err move_lines(stock_moves *moves, uint32_t merchant, souk_text id, souk_move_kind kind)
{
    souk_hash128 reference = reference_of(moves, merchant, id);
    souk_auto_value(souk_rows) rows = {0};
    SOUK_TRY(souk_rows_begin(moves->tx,
                             "SELECT location, product, quantity FROM stock_reservation_line "
                             "WHERE merchant = ?1 AND reservation = ?2 ORDER BY line",
                             SOUK_VALUES(SOUK_INT(merchant), SOUK_STR(id)), &rows));
    uint32_t before = moves->merchant;
    moves->merchant = merchant;
    while (souk_rows_next(&rows)) {
        souk_stock_line line = {souk_rows_text(&rows, 0),
                                souk_rows_text(&rows, 1),
                                {souk_rows_int(&rows, 2)},
                                SOUK_TEXT(""),
                                0};
        stock_moves_line(moves, &line, kind, kind == SOUK_MOVE_FULFIL ? -1 : 0, -1, reference);
    }
    moves->merchant = before;
    return souk_rows_check(&rows);
}

/* In words; nothing is decided by it. */
static souk_err say_why(stock_moves *moves, souk_text id)
{
    souk_auto_value(souk_rows) rows = {0};
    SOUK_TRY(souk_rows_begin(moves->tx,
                             "SELECT state FROM stock_reservation WHERE merchant = ?1 AND id = ?2",
                             SOUK_VALUES(SOUK_INT(moves->merchant), SOUK_STR(id)), &rows));
    if (souk_rows_next(&rows)) {
        int64_t state = souk_rows_int(&rows, 0);
        return souk_diag_say(moves->diag, SOUK_ECONFLICT,
                             "reservation %.*s %s: reserve again under another id",
                             SOUK_TEXT_PRINT(id),
                             state == STATE_HELD        ? "is over its time"
                             : state == STATE_FULFILLED ? "was fulfilled already"
                             : state == STATE_RELEASED  ? "was released already"
                                                        : "has expired");
    }
    SOUK_TRY(souk_rows_check(&rows));
    return souk_diag_say(moves->diag, SOUK_ENOENT, "there is no reservation %.*s",
                         SOUK_TEXT_PRINT(id));
}

static souk_err end(stock_moves *moves, souk_text id, int state)
{
    SOUK_TRY(stock_check_id(id, "reservation", moves->diag));
    SOUK_TRY(
        souk_sql_run(moves->tx,
                     "UPDATE stock_reservation SET state = ?3, ended = ?4 "
                     "WHERE merchant = ?1 AND id = ?2 AND state = 1 AND (?5 = 0 OR until > ?4)",
                     SOUK_VALUES(SOUK_INT(moves->merchant), SOUK_STR(id), SOUK_INT(state),
                                 SOUK_INT(moves->at), SOUK_INT(state == STATE_FULFILLED))));
    if (souk_sql_changed(moves->tx) != 1)
        return say_why(moves, id);
    return move_lines(moves, moves->merchant, id,
                      state == STATE_FULFILLED ? SOUK_MOVE_FULFIL : SOUK_MOVE_RELEASE);
}

souk_err reservation_apply(stock_moves *moves, souk_text id, const souk_stock_reservation *what)
{
    if (what->verb == SOUK_STOCK_RESERVE)
        return reserve(moves, id, what);
    return end(moves, id, what->verb == SOUK_STOCK_FULFIL ? STATE_FULFILLED : STATE_RELEASED);
}

/* ---- expiry -------------------------------------------------------------------------------------------------- */

struct due {
    uint32_t merchant;
    char id[SOUK_STOCK_ID_BYTES];
    size_t bytes;
};

struct expiring {
    souk_stock *stock;
    souk_time now;
    struct due due[EXPIRE_AT_ONCE];
    size_t due_count;
    uint64_t expired;
};

static int compare_due(const void *left, const void *right)
{
    const struct due *a = left, *b = right;
    if (a->merchant != b->merchant)
        return a->merchant < b->merchant ? -1 : 1;
    return souk_text_compare((souk_text){a->id, a->bytes}, (souk_text){b->id, b->bytes});
}

/* The oldest, as many as have EXPIRE_LINES lines together, at least one. */
static souk_err find_due(souk_tx *tx, void *context)
{
    struct expiring *expiring = context;
    souk_auto_value(souk_rows) rows = {0};
    int64_t lines = 0;
    expiring->due_count = 0;
    SOUK_TRY(souk_rows_begin(
        tx,
        "SELECT merchant, id, (SELECT count(*) FROM stock_reservation_line l "
        "  WHERE l.merchant = r.merchant AND l.reservation = r.id) "
        "FROM stock_reservation r WHERE state = 1 AND until <= ?1 ORDER BY until LIMIT ?2",
        SOUK_VALUES(SOUK_INT(expiring->now), SOUK_INT(EXPIRE_AT_ONCE)), &rows));
    while (souk_rows_next(&rows)) {
        souk_text id = souk_rows_text(&rows, 1);
        struct due *due = &expiring->due[expiring->due_count];
        if (id.bytes > sizeof due->id)
            return SOUK_ECORRUPT;
        lines += souk_rows_int(&rows, 2);
        if (expiring->due_count && lines > EXPIRE_LINES)
            break;
        due->merchant = (uint32_t)souk_rows_int(&rows, 0);
        memcpy(due->id, id.at, id.bytes);
        due->bytes = id.bytes;
        expiring->due_count++;
    }
    return souk_rows_check(&rows);
}

static souk_err expire_due(struct expiring *expiring, stock_moves *moves)
{
    expiring->expired = 0;
    for (size_t i = 0; i < expiring->due_count; i++) {
        const struct due *due = &expiring->due[i];
        souk_text id = {due->id, due->bytes};
        SOUK_TRY(souk_sql_run(
            moves->tx,
            "UPDATE stock_reservation SET state = 4, ended = ?3 "
            "WHERE merchant = ?1 AND id = ?2 AND state = 1 AND until <= ?3",
            SOUK_VALUES(SOUK_INT(due->merchant), SOUK_STR(id), SOUK_INT(expiring->now))));
        if (souk_sql_changed(moves->tx) != 1)
            continue; /* it was released meanwhile */
        SOUK_TRY(move_lines(moves, due->merchant, id, SOUK_MOVE_RELEASE));
        expiring->expired++;
    }
    return stock_moves_run(moves);
}

static souk_err expire(souk_tx *tx, void *context)
{
    struct expiring *expiring = context;
    stock_moves moves = {.stock = expiring->stock,
                         .tx = tx,
                         .at = expiring->now,
                         .arena = {.mem = expiring->stock->mem}};
    souk_err err = expire_due(expiring, &moves);
    souk_arena_done(&moves.arena);
    return err;
}

souk_err souk_stock_expire(souk_stock *stock, souk_time now, uint64_t *ret_count)
{
    struct expiring expiring = {.stock = stock, .now = now};
    *ret_count = 0;
    for (;;) {
        SOUK_TRY(souk_ledger_read(stock->ledger, find_due, &expiring));
        if (expiring.due_count == 0)
            return SOUK_OK;
        qsort(expiring.due, expiring.due_count, sizeof *expiring.due, compare_due);
        SOUK_TRY(souk_ledger_write(stock->ledger, SOUK_LANE_JOB, expire, &expiring));
        *ret_count += expiring.expired;
        __atomic_add_fetch(&stock->expired, expiring.expired, __ATOMIC_RELAXED);
    }
}

/* ---- reading ------------------------------------------------------------------------------------------------- */

static souk_err write_lines(souk_tx *tx, uint32_t merchant, souk_text id, souk_json_writer *out)
{
    souk_auto_value(souk_rows) rows = {0};
    SOUK_TRY(souk_rows_begin(tx,
                             "SELECT location, product, quantity FROM stock_reservation_line "
                             "WHERE merchant = ?1 AND reservation = ?2 ORDER BY line",
                             SOUK_VALUES(SOUK_INT(merchant), SOUK_STR(id)), &rows));
    souk_json_put_array(out, "lines");
    while (souk_rows_next(&rows)) {
        souk_json_write_object(out);
        souk_json_put_text(out, "location", souk_rows_text(&rows, 0));
        souk_json_put_text(out, "product", souk_rows_text(&rows, 1));
        stock_put_decimal(out, "quantity", (souk_decimal){souk_rows_int(&rows, 2)});
        souk_json_write_end(out);
    }
    souk_json_write_end(out);
    return souk_rows_check(&rows);
}

struct head {
    int64_t state, until, at, ended; /* ended 0: it has not */
};

static souk_err read_head(souk_tx *tx, uint32_t merchant, souk_text id, struct head *ret_head)
{
    souk_auto_value(souk_rows) rows = {0};
    SOUK_TRY(souk_rows_begin(tx,
                             "SELECT state, until, at, ended FROM stock_reservation "
                             "WHERE merchant = ?1 AND id = ?2",
                             SOUK_VALUES(SOUK_INT(merchant), SOUK_STR(id)), &rows));
    bool there = souk_rows_next(&rows);
    if (there)
        *ret_head = (struct head){souk_rows_int(&rows, 0), souk_rows_int(&rows, 1),
                                  souk_rows_int(&rows, 2), souk_rows_int(&rows, 3)};
    SOUK_TRY(souk_rows_check(&rows));
    return there ? SOUK_OK : SOUK_ENOENT;
}

souk_err reservation_write(souk_tx *tx, uint32_t merchant, souk_text id, souk_json_writer *out)
{
    struct head head = {0};
    SOUK_TRY(read_head(tx, merchant, id, &head));
    souk_json_write_object(out);
    souk_json_put_text(out, "id", id);
    souk_json_put_words(out, "state", state_word(head.state));
    souk_json_put_time(out, "until", head.until);
    souk_json_put_time(out, "made", head.at);
    if (head.ended)
        souk_json_put_time(out, "ended", head.ended);
    SOUK_TRY(write_lines(tx, merchant, id, out));
    souk_json_write_end(out);
    return SOUK_OK;
}

/* ---- verify --------------------------------------------------------------------------------------------------- */

souk_err reservations_verify(souk_tx *tx, souk_diag *diag)
{
    souk_auto_value(souk_rows) rows = {0};
    SOUK_TRY(souk_rows_begin(
        tx,
        "SELECT l.location, l.product FROM stock_level l LEFT JOIN "
        "(SELECT level, sum(reserved) AS reserved FROM stock_movement GROUP BY level) AS m "
        "ON m.level = l.id LEFT JOIN "
        "(SELECT i.merchant, i.location, i.product, sum(i.quantity) AS quantity "
        " FROM stock_reservation_line i JOIN stock_reservation r "
        " ON r.merchant = i.merchant AND r.id = i.reservation WHERE r.state = 1 "
        " GROUP BY i.merchant, i.location, i.product) AS h "
        "ON h.merchant = l.merchant AND h.location = l.location AND h.product = l.product "
        "WHERE coalesce(m.reserved, 0) <> coalesce(h.quantity, 0) LIMIT 1",
        SOUK_NO_VALUES, &rows));
    if (souk_rows_next(&rows))
        return souk_diag_say(
            diag, SOUK_ECORRUPT, "what is reserved of %.*s at %.*s is not what reservations hold",
            SOUK_TEXT_PRINT(souk_rows_text(&rows, 1)), SOUK_TEXT_PRINT(souk_rows_text(&rows, 0)));
    return souk_rows_check(&rows);
}
