/* levels_lots.c - which lots a movement touches: see levels.h.
 *
 *     level 7, three lots of it         a sale of 6 that names none
 *       A  expires 1 March   2            A  -2
 *       B  expires 9 March   3            B  -3      each a movement of its own
 *       no lot told          4               -1
 *
 * The level has moved before: with several writers its row is held, so nobody else touches its lots. */
#include "service/stock/levels_inside.h"

enum { LOTS_AT_ONCE = 16 };

struct lot {
    char name[SOUK_STOCK_LOT_BYTES];
    size_t bytes;
    int64_t on_hand;
};

/* A movement in parts, the first of which carries what is reserved. */
struct parts {
    souk_levels *levels;
    souk_tx *tx;
    const souk_movement *movement;
    int64_t level;
    int64_t reserved; /* not carried yet */
};

static souk_err write_part(struct parts *parts, souk_text lot, int64_t on_hand)
{
    int64_t reserved = parts->reserved;
    parts->reserved = 0;
    return levels_write(parts->levels, parts->tx, parts->movement, parts->level, lot, on_hand,
                        reserved);
}

souk_err souk_levels_lot(souk_tx *tx, int64_t level, souk_text lot, souk_decimal *ret_on_hand)
{
    ret_on_hand->micro = 0;
    souk_err err =
        souk_sql_one_int(tx, "SELECT on_hand FROM stock_lot WHERE level = ?1 AND lot = ?2",
                         SOUK_VALUES(SOUK_INT(level), SOUK_STR(lot)), &ret_on_hand->micro);
    return err == SOUK_ENOENT ? SOUK_OK : err;
}

/* ---- in -------------------------------------------------------------------------------------------------- */

static souk_err add(struct parts *parts, int64_t quantity)
{
    const souk_movement *movement = parts->movement;
    souk_time expires = movement->expires ? movement->expires : SOUK_TIME_LAST;
    SOUK_TRY(souk_sql_run(
        parts->tx,
        "INSERT INTO stock_lot (level, lot, expires, on_hand) VALUES (?1, ?2, ?3, ?4) "
        "ON CONFLICT (level, lot) DO UPDATE SET on_hand = stock_lot.on_hand + ?4, "
        "expires = CASE WHEN ?3 < stock_lot.expires THEN ?3 ELSE stock_lot.expires END "
        "WHERE ?3 = ?5 OR stock_lot.expires = ?5 OR stock_lot.expires = ?3",
        SOUK_VALUES(SOUK_INT(parts->level), SOUK_STR(movement->lot), SOUK_INT(expires),
                    SOUK_INT(quantity), SOUK_INT(SOUK_TIME_LAST))));
    return souk_sql_changed(parts->tx) == 1 ? SOUK_OK : SOUK_EEXIST;
}

/* A level below zero owes what it has sold already: that much of what comes in is gone, and of no lot. */
static souk_err put(struct parts *parts, const souk_stock_level *after)
{
    int64_t in_lots, quantity = parts->movement->on_hand.micro;
    SOUK_TRY(souk_sql_one_int(
        parts->tx,
        "SELECT CAST(coalesce(sum(on_hand), 0) AS BIGINT) FROM stock_lot WHERE level = ?1",
        SOUK_VALUES(SOUK_INT(parts->level)), &in_lots));
    int64_t room = after->on_hand.micro - in_lots;
    int64_t fits = room < 0 ? 0 : room < quantity ? room : quantity;
    SOUK_TRY(add(parts, fits));
    SOUK_TRY(write_part(parts, parts->movement->lot, fits));
    return fits < quantity ? write_part(parts, SOUK_TEXT(""), quantity - fits) : SOUK_OK;
}

/* ---- out ------------------------------------------------------------------------------------------------- */

static souk_err take_of(struct parts *parts, souk_text lot, int64_t quantity)
{
    SOUK_TRY(souk_sql_run(parts->tx,
                          "UPDATE stock_lot SET on_hand = on_hand - ?3 "
                          "WHERE level = ?1 AND lot = ?2 AND on_hand >= ?3",
                          SOUK_VALUES(SOUK_INT(parts->level), SOUK_STR(lot), SOUK_INT(quantity))));
    if (souk_sql_changed(parts->tx) != 1)
        return SOUK_ECONFLICT;
    return write_part(parts, lot, -quantity);
}

static souk_err read_oldest(struct parts *parts, struct lot *lots, size_t *ret_count)
{
    souk_auto_value(souk_rows) rows = {0};
    *ret_count = 0;
    SOUK_TRY(souk_rows_begin(parts->tx,
                             "SELECT lot, on_hand FROM stock_lot WHERE level = ?1 AND on_hand > 0 "
                             "ORDER BY expires, lot LIMIT ?2",
                             SOUK_VALUES(SOUK_INT(parts->level), SOUK_INT(LOTS_AT_ONCE)), &rows));
    while (souk_rows_next(&rows)) {
        souk_text name = souk_rows_text(&rows, 0);
        struct lot *lot = &lots[*ret_count];
        if (name.bytes > sizeof lot->name)
            return SOUK_ECORRUPT;
        memcpy(lot->name, name.at, name.bytes);
        lot->bytes = name.bytes;
        lot->on_hand = souk_rows_int(&rows, 1);
        ++*ret_count;
    }
    return souk_rows_check(&rows);
}

/* First expired, first out. */
static souk_err take_oldest(struct parts *parts, int64_t quantity)
{
    struct lot lots[LOTS_AT_ONCE];
    size_t count = LOTS_AT_ONCE;
    while (quantity > 0 && count == LOTS_AT_ONCE) {
        SOUK_TRY(read_oldest(parts, lots, &count));
        for (size_t i = 0; i < count && quantity > 0; i++) {
            int64_t takes = lots[i].on_hand < quantity ? lots[i].on_hand : quantity;
            SOUK_TRY(take_of(parts, (souk_text){lots[i].name, lots[i].bytes}, takes));
            quantity -= takes;
        }
    }
    return quantity ? write_part(parts, SOUK_TEXT(""), -quantity) : SOUK_OK;
}

static souk_err take(struct parts *parts)
{
    int64_t quantity = -parts->movement->on_hand.micro;
    souk_text lot = parts->movement->lot;
    souk_decimal there;
    if (lot.bytes == 0)
        return take_oldest(parts, quantity);
    if (!parts->movement->beyond)
        return take_of(parts, lot, quantity);
    SOUK_TRY(souk_levels_lot(parts->tx, parts->level, lot, &there));
    int64_t takes = there.micro < quantity ? there.micro : quantity;
    if (takes)
        SOUK_TRY(take_of(parts, lot, takes));
    return takes < quantity ? take_oldest(parts, quantity - takes) : SOUK_OK;
}

souk_err lots_move(souk_levels *levels, souk_tx *tx, const souk_movement *movement,
                   const souk_stock_level *after, bool *ret_first)
{
    struct parts parts = {levels, tx, movement, after->id, movement->reserved.micro};
    *ret_first = movement->on_hand.micro > 0 && !after->has_lots;
    return movement->on_hand.micro > 0 ? put(&parts, after) : take(&parts);
}

/* ---- verify ------------------------------------------------------------------------------------------------ */

static souk_err verify_sums(souk_tx *tx, souk_diag *diag)
{
    souk_auto_value(souk_rows) rows = {0};
    SOUK_TRY(souk_rows_begin(
        tx,
        "SELECT l.location, l.product, o.lot FROM stock_lot o JOIN stock_level l ON l.id = o.level "
        "LEFT JOIN (SELECT level, lot, sum(on_hand) AS on_hand FROM stock_movement "
        " WHERE lot <> '' GROUP BY level, lot) AS m ON m.level = o.level AND m.lot = o.lot "
        "WHERE l.has_lots = 0 OR o.on_hand <> coalesce(m.on_hand, 0) LIMIT 1",
        SOUK_NO_VALUES, &rows));
    if (souk_rows_next(&rows))
        return souk_diag_say(
            diag, SOUK_ECORRUPT, "lot %.*s of %.*s at %.*s is not the sum of its movements",
            SOUK_TEXT_PRINT(souk_rows_text(&rows, 2)), SOUK_TEXT_PRINT(souk_rows_text(&rows, 1)),
            SOUK_TEXT_PRINT(souk_rows_text(&rows, 0)));
    return souk_rows_check(&rows);
}

souk_err lots_verify(souk_tx *tx, souk_diag *diag)
{
    SOUK_TRY(verify_sums(tx, diag));
    souk_auto_value(souk_rows) rows = {0};
    SOUK_TRY(souk_rows_begin(
        tx,
        "SELECT l.location, l.product FROM stock_level l JOIN "
        "(SELECT level, sum(on_hand) AS on_hand FROM stock_lot GROUP BY level) AS o "
        "ON o.level = l.id JOIN (SELECT m.level, sum(m.on_hand) AS on_hand FROM stock_movement m "
        " JOIN stock_level n ON n.id = m.level WHERE n.has_lots = 1 GROUP BY m.level) AS s "
        "ON s.level = l.id "
        "WHERE o.on_hand > CASE WHEN s.on_hand > 0 THEN s.on_hand ELSE 0 END LIMIT 1",
        SOUK_NO_VALUES, &rows));
    if (souk_rows_next(&rows))
        return souk_diag_say(
            diag, SOUK_ECORRUPT, "the lots of %.*s at %.*s are more than the level",
            SOUK_TEXT_PRINT(souk_rows_text(&rows, 1)), SOUK_TEXT_PRINT(souk_rows_text(&rows, 0)));
    return souk_rows_check(&rows);
}
