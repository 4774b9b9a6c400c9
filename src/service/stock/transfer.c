/* transfer.c - goods between two locations, or from a supplier to one: see stock.h.
 *
 *     send 10             A: sent -10
 *     arrive 6            B: arrived +6                           4 are on their way
 *     arrive 3, the last  B: arrived +3, arrived +1, written off -1           booked, or it is asked
 *     arrive 5 instead    B: arrived +4, counted +1                           one over: booked, or it is asked
 *
 * So what was sent is always what arrived and what is on its way, and a loss is told where it was found.  From a supplier
 * there is no A: what comes is received, and what never came was never ours.  The row of the transfer is held by
 * whoever tells of an arrival, so its lines stand still meanwhile. */
#include "service/stock/stock_inside.h"

enum { OPEN = 1, DONE = 2 };

static const souk_migration steps[] = {
    {1,
     "CREATE TABLE stock_transfer ("
     "  merchant    INTEGER NOT NULL CHECK (merchant > 0),"
     "  id          TEXT NOT NULL CHECK (length(id) BETWEEN 1 AND 64)," /* the client's */
     "  state       INTEGER NOT NULL CHECK (state BETWEEN 1 AND 2),"    /* on its way, done */
     "  origin      TEXT NOT NULL,"    /* a location; '': a supplier */
     "  destination TEXT NOT NULL,"    /* a location */
     "  expected    INTEGER NOT NULL," /* ms UTC; the last moment of 9999: nobody says */
     "  at          INTEGER NOT NULL," /* ms UTC */
     "  arrivals    INTEGER NOT NULL," /* how often something of it was told to arrive */
     "  ended       INTEGER,"          /* ms UTC; NULL while something is on its way */
     "  PRIMARY KEY (merchant, id), CHECK ((state = 1) = (ended IS NULL))) WITHOUT ROWID;"
     "CREATE INDEX stock_transfer_open ON stock_transfer (merchant, destination) WHERE state = 1;"
     "CREATE TABLE stock_transfer_line ("
     "  merchant INTEGER NOT NULL,"
     "  transfer TEXT NOT NULL,"    /* stock_transfer.id */
     "  line     INTEGER NOT NULL," /* 0, 1, 2 … as it was sent */
     "  product  TEXT NOT NULL,"
     "  lot      TEXT NOT NULL,"                         /* '' where it was not told */
     "  expires  INTEGER NOT NULL,"                      /* of the lot, ms UTC; 0: not known */
     "  sent     INTEGER NOT NULL CHECK (sent > 0),"     /* x 1e-6, as all that follow */
     "  arrived  INTEGER NOT NULL CHECK (arrived >= 0)," /* of what was sent */
     "  lost     INTEGER NOT NULL CHECK (lost >= 0)," /* of what was sent, as was found in the end */
     "  more     INTEGER NOT NULL CHECK (more >= 0)," /* that came besides */
     "  PRIMARY KEY (merchant, transfer, line), CHECK (arrived + lost <= sent)) WITHOUT ROWID;"
     "CREATE INDEX stock_transfer_line_coming ON stock_transfer_line (merchant, product)"
     " WHERE arrived + lost < sent"},
};

souk_err transfers_migrate(souk_ledger *ledger, souk_diag *diag)
{
    return souk_ledger_migrate(ledger, "stock_transfer", steps, sizeof steps / sizeof *steps, diag);
}

/* ---- send ------------------------------------------------------------------------------------------------ */

static souk_err check_send(const stock_moves *moves, souk_text id, const souk_stock_transfer *what)
{
    SOUK_TRY(stock_check_id(id, "transfer", moves->diag));
    if (what->line_count == 0 || what->line_count > SOUK_STOCK_LINES_MOST)
        return souk_diag_say(moves->diag, SOUK_EINVAL, "a transfer has 1 to %d lines",
                             SOUK_STOCK_LINES_MOST);
    if (what->expected < 0 || what->expected >= SOUK_TIME_LAST)
        return souk_diag_say(moves->diag, SOUK_EINVAL,
                             "expected: a moment such as 2026-12-31T09:00:00Z, or a day");
    if (souk_text_equal(what->origin, what->destination))
        return souk_diag_say(moves->diag, SOUK_EINVAL,
                             "a transfer goes from one location to another: %.*s is both",
                             SOUK_TEXT_PRINT(what->origin));
    for (size_t i = 0; i < what->line_count; i++) {
        souk_stock_line line = what->lines[i];
        line.location = what->destination;
        SOUK_TRY(stock_check_line(&line, true, moves->diag));
        line.location = what->origin;
        SOUK_TRY(stock_check_line(&line, what->origin.bytes > 0, moves->diag));
    }
    return SOUK_OK;
}

static souk_err write_sent(const stock_moves *moves, souk_text id, size_t number,
                           const souk_stock_line *line)
{
    return souk_sql_run(moves->tx,
                        "INSERT INTO stock_transfer_line (merchant, transfer, line, product, lot, "
                        "expires, sent, arrived, lost, more) "
                        "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 0, 0, 0)",
                        SOUK_VALUES(SOUK_INT(moves->merchant), SOUK_STR(id), SOUK_INT(number),
                                    SOUK_STR(line->product), SOUK_STR(line->lot),
                                    SOUK_INT(line->expires), SOUK_INT(line->quantity.micro)));
}

static souk_err send(stock_moves *moves, souk_text id, const souk_stock_transfer *what)
{
    SOUK_TRY(check_send(moves, id, what));
    souk_hash128 reference = stock_reference(moves->stock, "transfer", moves->merchant, id);
    SOUK_TRY(souk_sql_run(
        moves->tx,
        "INSERT INTO stock_transfer (merchant, id, state, origin, destination, expected, at, "
        "arrivals) VALUES (?1, ?2, 1, ?3, ?4, ?5, ?6, 0) ON CONFLICT (merchant, id) DO NOTHING",
        SOUK_VALUES(SOUK_INT(moves->merchant), SOUK_STR(id), SOUK_STR(what->origin),
                    SOUK_STR(what->destination),
                    SOUK_INT(what->expected ? what->expected : SOUK_TIME_LAST),
                    SOUK_INT(moves->at))));
    if (souk_sql_changed(moves->tx) != 1)
        return souk_diag_say(moves->diag, SOUK_EEXIST,
                             "there is a transfer %.*s already: take another id",
                             SOUK_TEXT_PRINT(id));
    for (size_t i = 0; i < what->line_count; i++) {
        souk_stock_line line = what->lines[i];
        line.location = what->origin;
        SOUK_TRY(write_sent(moves, id, i, &line));
        if (what->origin.bytes)
            stock_moves_line(moves, &line, SOUK_MOVE_SENT, -1, 0, reference);
    }
    return SOUK_OK;
}

/* ---- arrive ----------------------------------------------------------------------------------------------- */

struct coming { /* a line that was sent */
    int64_t line, sent, arrived;
    souk_text product, lot;
    souk_time expires;
};

struct arriving {
    stock_moves *moves;
    souk_text id;
    const souk_stock_transfer *what;
    souk_hash128 reference;
    souk_text origin, destination;
    struct coming *lines; /* [count], as they stand after what has arrived so far */
    size_t count;
};

static souk_text keep(stock_moves *moves, souk_text text)
{
    return (souk_text){souk_arena_copy(&moves->arena, text.at, text.bytes), text.bytes};
}

/* From here on until the commit nobody else tells of an arrival. */
static souk_err hold(struct arriving *arriving)
{
    stock_moves *moves = arriving->moves;
    souk_auto_value(souk_rows) rows = {0};
    SOUK_TRY(souk_rows_begin(moves->tx,
                             "UPDATE stock_transfer SET arrivals = arrivals + 1 WHERE merchant = "
                             "?1 AND id = ?2 AND state = 1 RETURNING origin, destination",
                             SOUK_VALUES(SOUK_INT(moves->merchant), SOUK_STR(arriving->id)),
                             &rows));
    bool held = souk_rows_next(&rows);
    if (held) {
        arriving->origin = keep(moves, souk_rows_text(&rows, 0));
        arriving->destination = keep(moves, souk_rows_text(&rows, 1));
    }
    SOUK_TRY(souk_rows_check(&rows));
    return held ? SOUK_OK : SOUK_ENOENT;
}

static souk_err say_why(const struct arriving *arriving)
{
    const stock_moves *moves = arriving->moves;
    int64_t there;
    SOUK_TRY(souk_sql_one_int(
        moves->tx, "SELECT count(*) FROM stock_transfer WHERE merchant = ?1 AND id = ?2",
        SOUK_VALUES(SOUK_INT(moves->merchant), SOUK_STR(arriving->id)), &there));
    if (there)
        return souk_diag_say(moves->diag, SOUK_ECONFLICT,
                             "transfer %.*s has arrived already: count what differs",
                             SOUK_TEXT_PRINT(arriving->id));
    return souk_diag_say(moves->diag, SOUK_ENOENT, "there is no transfer %.*s",
                         SOUK_TEXT_PRINT(arriving->id));
}

static souk_err read_coming(struct arriving *arriving)
{
    stock_moves *moves = arriving->moves;
    souk_auto_value(souk_rows) rows = {0};
    arriving->lines =
        souk_arena_get(&moves->arena, SOUK_STOCK_LINES_MOST * sizeof *arriving->lines);
    if (moves->arena.failed)
        return SOUK_ENOMEM;
    SOUK_TRY(souk_rows_begin(moves->tx,
                             "SELECT line, sent, arrived, product, lot, expires FROM "
                             "stock_transfer_line WHERE merchant = ?1 AND transfer = ?2 "
                             "ORDER BY line",
                             SOUK_VALUES(SOUK_INT(moves->merchant), SOUK_STR(arriving->id)),
                             &rows));
    while (souk_rows_next(&rows)) {
        if (arriving->count == SOUK_STOCK_LINES_MOST)
            return SOUK_ECORRUPT;
        arriving->lines[arriving->count++] = (struct coming){souk_rows_int(&rows, 0),
                                                             souk_rows_int(&rows, 1),
                                                             souk_rows_int(&rows, 2),
                                                             keep(moves, souk_rows_text(&rows, 3)),
                                                             keep(moves, souk_rows_text(&rows, 4)),
                                                             souk_rows_int(&rows, 5)};
    }
    SOUK_TRY(souk_rows_check(&rows));
    return moves->arena.failed ? SOUK_ENOMEM : SOUK_OK;
}

static souk_err add_to_line(struct arriving *arriving, struct coming *coming, int64_t arrived,
                            int64_t lost, int64_t more)
{
    const stock_moves *moves = arriving->moves;
    SOUK_TRY(souk_sql_run(
        moves->tx,
        "UPDATE stock_transfer_line SET arrived = arrived + ?4, lost = lost + ?5, more = more + ?6 "
        "WHERE merchant = ?1 AND transfer = ?2 AND line = ?3 AND arrived + lost + ?4 + ?5 <= sent",
        SOUK_VALUES(SOUK_INT(moves->merchant), SOUK_STR(arriving->id), SOUK_INT(coming->line),
                    SOUK_INT(arrived), SOUK_INT(lost), SOUK_INT(more))));
    coming->arrived += arrived + lost;
    return souk_sql_changed(moves->tx) == 1 ? SOUK_OK : SOUK_ECORRUPT;
}

static void move_in(struct arriving *arriving, const struct coming *coming,
                    const souk_stock_line *told, souk_move_kind kind, int64_t quantity)
{
    bool names = told && told->lot.bytes;
    souk_stock_line line = {arriving->destination,
                            coming->product,
                            {quantity},
                            names ? told->lot : coming->lot,
                            names ? told->expires : coming->expires};
    stock_moves_line(arriving->moves, &line, kind, kind == SOUK_MOVE_WRITTEN_OFF ? -1 : 1, 0,
                     arriving->reference);
}

static souk_move_kind kind_in(const struct arriving *arriving)
{
    return arriving->origin.bytes ? SOUK_MOVE_ARRIVED : SOUK_MOVE_RECEIVED;
}

/* Whether what came may be of that line: of the lot that was sent, where both were told. */
static bool fits(const struct coming *coming, const souk_stock_line *came)
{
    return souk_text_equal(coming->product, came->product) &&
           (came->lot.bytes == 0 || coming->lot.bytes == 0 ||
            souk_text_equal(coming->lot, came->lot));
}

static souk_err take_more(struct arriving *arriving, struct coming *last,
                          const souk_stock_line *came, int64_t rest)
{
    char words[SOUK_DECIMAL_BYTES];
    souk_decimal_write((souk_decimal){rest}, words);
    if (!arriving->what->books)
        return souk_diag_say(arriving->moves->diag, SOUK_ECONFLICT,
                             "%s of %.*s came above what was sent: look again, or send "
                             "\"difference\":\"book\"",
                             words, SOUK_TEXT_PRINT(came->product));
    SOUK_TRY(add_to_line(arriving, last, 0, 0, rest));
    move_in(arriving, last, came, arriving->origin.bytes ? SOUK_MOVE_COUNTED : SOUK_MOVE_RECEIVED,
            rest);
    return SOUK_OK;
}

static souk_err take_line(struct arriving *arriving, const souk_stock_line *came)
{
    stock_moves *moves = arriving->moves;
    int64_t rest = came->quantity.micro;
    struct coming *last = NULL;
    SOUK_TRY(stock_check_line(came, false, moves->diag));
    for (size_t i = 0; i < arriving->count; i++) {
        struct coming *coming = &arriving->lines[i];
        if (!fits(coming, came))
            continue;
        int64_t missing = coming->sent - coming->arrived;
        int64_t part = missing < rest ? missing : rest;
        last = coming;
        if (part == 0)
            continue;
        SOUK_TRY(add_to_line(arriving, coming, part, 0, 0));
        move_in(arriving, coming, came, kind_in(arriving), part);
        rest -= part;
    }
    if (!last)
        return souk_diag_say(moves->diag, SOUK_ENOENT,
                             "transfer %.*s brings no %.*s of that lot: receive or count it",
                             SOUK_TEXT_PRINT(arriving->id), SOUK_TEXT_PRINT(came->product));
    return rest ? take_more(arriving, last, came, rest) : SOUK_OK;
}

/* What has not come when nothing more comes. */
static souk_err lose(struct arriving *arriving, struct coming *coming)
{
    int64_t rest = coming->sent - coming->arrived;
    char words[SOUK_DECIMAL_BYTES];
    souk_decimal_write((souk_decimal){rest}, words);
    if (!arriving->what->books)
        return souk_diag_say(arriving->moves->diag, SOUK_ECONFLICT,
                             "%s of %.*s has not come: leave out \"last\", or send "
                             "\"difference\":\"book\" to write it off",
                             words, SOUK_TEXT_PRINT(coming->product));
    SOUK_TRY(add_to_line(arriving, coming, 0, rest, 0));
    if (arriving->origin.bytes == 0)
        return SOUK_OK; /* it was never ours */
    move_in(arriving, coming, NULL, SOUK_MOVE_ARRIVED, rest);
    move_in(arriving, coming, NULL, SOUK_MOVE_WRITTEN_OFF, rest);
    return SOUK_OK;
}

static souk_err finish(struct arriving *arriving)
{
    const stock_moves *moves = arriving->moves;
    size_t missing = 0;
    for (size_t i = 0; i < arriving->count; i++) {
        struct coming *coming = &arriving->lines[i];
        if (coming->arrived < coming->sent && arriving->what->last)
            SOUK_TRY(lose(arriving, coming));
        missing += coming->arrived < coming->sent;
    }
    if (missing)
        return SOUK_OK;
    SOUK_TRY(souk_sql_run(
        moves->tx,
        "UPDATE stock_transfer SET state = 2, ended = ?3 "
        "WHERE merchant = ?1 AND id = ?2 AND state = 1",
        SOUK_VALUES(SOUK_INT(moves->merchant), SOUK_STR(arriving->id), SOUK_INT(moves->at))));
    return souk_sql_changed(moves->tx) == 1 ? SOUK_OK : SOUK_ECORRUPT;
}

static souk_err arrive(stock_moves *moves, souk_text id, const souk_stock_transfer *what)
{
    struct arriving arriving = {.moves = moves,
                                .id = id,
                                .what = what,
                                .reference =
                                    stock_reference(moves->stock, "transfer", moves->merchant, id)};
    SOUK_TRY(stock_check_id(id, "transfer", moves->diag));
    if (what->line_count > SOUK_STOCK_LINES_MOST || (what->line_count == 0 && !what->last))
        return souk_diag_say(moves->diag, SOUK_EINVAL,
                             "an arrival has 1 to %d lines, or none where it is the last",
                             SOUK_STOCK_LINES_MOST);
    souk_err err = hold(&arriving);
    if (err == SOUK_ENOENT)
        return say_why(&arriving);
    SOUK_TRY(err);
    SOUK_TRY(read_coming(&arriving));
    for (size_t i = 0; i < what->line_count; i++)
        SOUK_TRY(take_line(&arriving, &what->lines[i]));
    return finish(&arriving);
}

souk_err transfer_apply(stock_moves *moves, souk_text id, const souk_stock_transfer *what)
{
    return what->verb == SOUK_STOCK_SEND ? send(moves, id, what) : arrive(moves, id, what);
}
