/* levels.c - the tables, and levels as rows: see levels.h. */
#include "service/stock/levels_inside.h"

static const souk_migration steps[] = {
    {1,
     /* How much is where.  With one writer the numbers may lag behind, up to `through`; with several they are exact. */
     "CREATE TABLE stock_level ("
     "  id       INTEGER PRIMARY KEY,"
     "  merchant INTEGER NOT NULL CHECK (merchant > 0)," /* whose goods */
     "  location TEXT NOT NULL CHECK (length(location) BETWEEN 1 AND 64),"
     "  product  TEXT NOT NULL CHECK (length(product) BETWEEN 1 AND 100),"
     "  on_hand  INTEGER NOT NULL,"                       /* x 1e-6 */
     "  reserved INTEGER NOT NULL CHECK (reserved >= 0)," /* of on_hand, x 1e-6 */
     "  through  INTEGER NOT NULL,"                       /* the last movement that is in it */
     "  UNIQUE (merchant, location, product));"
     "CREATE INDEX stock_level_product ON stock_level (merchant, product, location);"
     /* What came and went; never changed, never removed. */
     "CREATE TABLE stock_movement ("
     "  id        INTEGER PRIMARY KEY,"
     "  at        INTEGER NOT NULL,"                              /* ms UTC */
     "  level     INTEGER NOT NULL,"                              /* stock_level.id */
     "  kind      INTEGER NOT NULL CHECK (kind > 0),"             /* SOUK_MOVES */
     "  on_hand   INTEGER NOT NULL,"                              /* added, x 1e-6 */
     "  reserved  INTEGER NOT NULL,"                              /* added, x 1e-6 */
     "  lot       TEXT NOT NULL,"                                 /* '' where it is not known */
     "  reference BLOB NOT NULL CHECK (length(reference) = 16));" /* receipt, reservation, … */
     "CREATE INDEX stock_movement_level ON stock_movement (level, id);"
     /* Every movement up to here is in its level's row. */
     "CREATE TABLE stock_mark (one INTEGER PRIMARY KEY CHECK (one = 1), through INTEGER NOT NULL);"
     "INSERT INTO stock_mark (one, through) VALUES (1, 0)"},
    {2, "ALTER TABLE stock_level ADD COLUMN has_lots INTEGER NOT NULL DEFAULT 0"
        " CHECK (has_lots IN (0, 1));" /* 1: there are rows in stock_lot */
        /* How much of a level is of which lot; together at most the level. */
        "CREATE TABLE stock_lot ("
        "  level   INTEGER NOT NULL,"                                   /* stock_level.id */
        "  lot     TEXT NOT NULL CHECK (length(lot) BETWEEN 1 AND 20)," /* GS1 AI (10) */
        "  expires INTEGER NOT NULL," /* ms UTC, GS1 AI (17); the last moment of 9999: not known */
        "  on_hand INTEGER NOT NULL CHECK (on_hand >= 0)," /* x 1e-6 */
        "  PRIMARY KEY (level, lot)) WITHOUT ROWID"},
    {3,
     /* With one writer the movements of a level are a chain from its last one back: an index of them would be a page
      * here and a page there for each line of a sale.  With several they have the index (levels_open_as). */
     "ALTER TABLE stock_movement ADD COLUMN before INTEGER NOT NULL DEFAULT 0;" /* of the level; 0: none, or not kept */
     "ALTER TABLE stock_level ADD COLUMN last INTEGER NOT NULL DEFAULT 0;" /* its last movement, up to `through` */
     "UPDATE stock_movement SET before = coalesce((SELECT max(p.id) FROM stock_movement p"
     "  WHERE p.level = stock_movement.level AND p.id < stock_movement.id), 0);"
     "UPDATE stock_level SET last ="
     "  coalesce((SELECT max(m.id) FROM stock_movement m WHERE m.level = stock_level.id), 0);"
     "DROP INDEX stock_movement_level"},
};

const char *souk_move_word(int64_t kind)
{
    switch (kind) {
#define MOVE_WORD(name, number, word) \
    case number:                      \
        return word;
        SOUK_MOVES(MOVE_WORD)
#undef MOVE_WORD
    default:
        return NULL;
    }
}

static souk_err make_index(souk_tx *tx, void *context)
{
    (void)context;
    return souk_sql_script(
        tx, "CREATE INDEX IF NOT EXISTS stock_movement_level ON stock_movement (level, id)");
}

souk_err levels_open_as(souk_mem *mem, souk_ledger *ledger, const souk_hash_key *hashes_key,
                        bool rows_alone, souk_levels **ret_levels, souk_diag *diag)
{
    SOUK_TRY(souk_ledger_migrate(ledger, "stock", steps, sizeof steps / sizeof *steps, diag));
    souk_auto(souk_levels) levels = souk_mem_get(mem, sizeof *levels);
    if (!levels)
        return SOUK_ENOMEM;
    levels->mem = mem;
    levels->ledger = ledger;
    souk_err err = rows_alone ? SOUK_EUNSUPPORTED
                              : levels_memory_open(mem, ledger, hashes_key, &levels->memory, diag);
    if (err == SOUK_EUNSUPPORTED)
        err = souk_ledger_write(ledger, SOUK_LANE_JOB, make_index, NULL);
    SOUK_TRY(err);
    *ret_levels = souk_take(&levels);
    return SOUK_OK;
}

souk_err souk_levels_open(souk_mem *mem, souk_ledger *ledger, const souk_hash_key *hashes_key,
                          souk_levels **ret_levels, souk_diag *diag)
{
    return levels_open_as(mem, ledger, hashes_key, false, ret_levels, diag);
}

void souk_levels_free(souk_levels *levels)
{
    if (!levels)
        return;
    levels_memory_free(levels->memory);
    souk_mem_put(levels->mem, levels);
}

/* ---- moving ---------------------------------------------------------------------------------------- */

souk_err levels_sum(const souk_stock_level *before, const souk_movement *movement,
                    souk_stock_level *ret_after)
{
    int64_t on_hand = before->on_hand.micro + movement->on_hand.micro;
    int64_t reserved = before->reserved.micro + movement->reserved.micro;
    if (on_hand > LEVEL_MOST_MICRO || on_hand < -LEVEL_MOST_MICRO || reserved > LEVEL_MOST_MICRO)
        return SOUK_EOVERFLOW;
    if (reserved < 0 || (levels_asks(movement) && on_hand - reserved < 0))
        return SOUK_ECONFLICT;
    *ret_after = (souk_stock_level){before->id, {on_hand}, {reserved}, before->has_lots};
    return SOUK_OK;
}

static bool is_code(souk_text code, size_t most)
{
    return code.bytes > 0 && code.bytes <= most;
}

static bool is_bounded(souk_decimal quantity)
{
    return quantity.micro <= SOUK_STOCK_MOST_MICRO && quantity.micro >= -SOUK_STOCK_MOST_MICRO;
}

souk_err levels_check(const souk_movement *movement)
{
    bool good = movement->place.merchant > 0 &&
                is_code(movement->place.location, SOUK_STOCK_LOCATION_BYTES) &&
                is_code(movement->place.product, SOUK_STOCK_PRODUCT_BYTES) &&
                movement->lot.bytes <= SOUK_STOCK_LOT_BYTES && is_bounded(movement->on_hand) &&
                is_bounded(movement->reserved) && souk_move_word(movement->kind);
    return good ? SOUK_OK : SOUK_EINVAL;
}

static souk_stock_level level_of(souk_rows *rows, unsigned column)
{
    return (souk_stock_level){souk_rows_int(rows, column),
                              {souk_rows_int(rows, column + 1)},
                              {souk_rows_int(rows, column + 2)},
                              souk_rows_int(rows, column + 3) != 0};
}

souk_err levels_read_row(souk_tx *tx, const souk_stock_place *place, souk_stock_level *ret_level)
{
    souk_auto_value(souk_rows) rows = {0};
    SOUK_TRY(souk_rows_begin(
        tx,
        "SELECT id, on_hand, reserved, has_lots FROM stock_level "
        "WHERE merchant = ?1 AND location = ?2 AND product = ?3",
        SOUK_VALUES(SOUK_INT(place->merchant), SOUK_STR(place->location), SOUK_STR(place->product)),
        &rows));
    bool there = souk_rows_next(&rows);
    if (there)
        *ret_level = level_of(&rows, 0);
    SOUK_TRY(souk_rows_check(&rows));
    return there ? SOUK_OK : SOUK_ENOENT;
}

/* Under its predicate, in one statement: nobody changes it between a look and a write. */
static souk_err change_row(souk_tx *tx, const souk_movement *movement, souk_stock_level *ret_after)
{
    const souk_stock_place *place = &movement->place;
    souk_auto_value(souk_rows) rows = {0};
    SOUK_TRY(souk_rows_begin(
        tx,
        "UPDATE stock_level SET on_hand = on_hand + ?4, reserved = reserved + ?5 "
        "WHERE merchant = ?1 AND location = ?2 AND product = ?3 AND reserved + ?5 >= 0 "
        "AND on_hand + ?4 BETWEEN -4000000000000000000 AND 4000000000000000000 "
        "AND reserved + ?5 <= 4000000000000000000 "
        "AND (?6 = 0 OR on_hand + ?4 - reserved - ?5 >= 0) "
        "RETURNING id, on_hand, reserved, has_lots",
        SOUK_VALUES(SOUK_INT(place->merchant), SOUK_STR(place->location), SOUK_STR(place->product),
                    SOUK_INT(movement->on_hand.micro), SOUK_INT(movement->reserved.micro),
                    SOUK_INT(levels_asks(movement))),
        &rows));
    bool done = souk_rows_next(&rows);
    if (done)
        *ret_after = level_of(&rows, 0);
    SOUK_TRY(souk_rows_check(&rows));
    return done ? SOUK_OK : SOUK_ENOENT;
}

static souk_err open_row(souk_tx *tx, const souk_stock_place *place)
{
    return souk_sql_run(tx,
                        "INSERT INTO stock_level (merchant, location, product, on_hand, reserved, "
                        "through) VALUES (?1, ?2, ?3, 0, 0, 0) "
                        "ON CONFLICT (merchant, location, product) DO NOTHING",
                        SOUK_VALUES(SOUK_INT(place->merchant), SOUK_STR(place->location),
                                    SOUK_STR(place->product)));
}

static souk_err move_row(souk_tx *tx, const souk_movement *movement, souk_stock_level *ret_after)
{
    souk_err err = change_row(tx, movement, ret_after);
    if (err != SOUK_ENOENT)
        return err;
    if (movement->opens) {
        SOUK_TRY(open_row(tx, &movement->place));
        err = change_row(tx, movement, ret_after);
        if (err != SOUK_ENOENT)
            return err;
    }
    /* Why not?  The answer is for words: nothing is decided by it. */
    souk_stock_level there, after;
    SOUK_TRY(levels_read_row(tx, &movement->place, &there));
    *ret_after = there;
    err = levels_sum(&there, movement, &after);
    return err ? err : SOUK_ERETRY; /* somebody brought some meanwhile */
}

/* In rows the ledger gives the numbers; in memory they are given here, so that the chain is known. */
static souk_err write_row(souk_tx *tx, const souk_movement *movement, int64_t level, souk_text lot,
                          int64_t on_hand, int64_t reserved)
{
    return souk_sql_run(
        tx,
        "INSERT INTO stock_movement (at, level, kind, on_hand, reserved, lot, reference) "
        "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        SOUK_VALUES(SOUK_INT(movement->at), SOUK_INT(level), SOUK_INT(movement->kind),
                    SOUK_INT(on_hand), SOUK_INT(reserved), SOUK_STR(lot),
                    SOUK_BLOB(&movement->reference, sizeof movement->reference)));
}

souk_err levels_write(souk_levels *levels, souk_tx *tx, const souk_movement *movement,
                      int64_t level, souk_text lot, int64_t on_hand, int64_t reserved)
{
    if (!levels->memory)
        return write_row(tx, movement, level, lot, on_hand, reserved);
    int64_t before, id = levels_memory_next(levels->memory, level, &before);
    return souk_sql_run(
        tx,
        "INSERT INTO stock_movement (id, at, level, kind, on_hand, reserved, lot, reference, "
        "before) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        SOUK_VALUES(SOUK_INT(id), SOUK_INT(movement->at), SOUK_INT(level), SOUK_INT(movement->kind),
                    SOUK_INT(on_hand), SOUK_INT(reserved), SOUK_STR(lot),
                    SOUK_BLOB(&movement->reference, sizeof movement->reference), SOUK_INT(before)));
}

static souk_err begin_lots(souk_levels *levels, souk_tx *tx, int64_t level)
{
    if (levels->memory)
        levels_memory_has_lots(levels->memory, level);
    return souk_sql_run(tx, "UPDATE stock_level SET has_lots = 1 WHERE id = ?1",
                        SOUK_VALUES(SOUK_INT(level)));
}

souk_err souk_levels_move(souk_levels *levels, souk_tx *tx, const souk_movement *movement,
                          souk_stock_level *ret_after)
{
    SOUK_TRY(levels_check(movement));
    if (levels->memory)
        SOUK_TRY(levels_memory_move(levels->memory, tx, movement, ret_after));
    else
        SOUK_TRY(move_row(tx, movement, ret_after));
    bool takes = movement->on_hand.micro < 0 && ret_after->has_lots, first;
    if (!takes && (!movement->lot.bytes || !movement->on_hand.micro))
        return levels_write(levels, tx, movement, ret_after->id, movement->lot,
                            movement->on_hand.micro, movement->reserved.micro);
    SOUK_TRY(lots_move(levels, tx, movement, ret_after, &first));
    return first ? begin_lots(levels, tx, ret_after->id) : SOUK_OK;
}

/* In rows: from here on until the commit nobody else changes it. */
souk_err levels_hold_row(souk_tx *tx, const souk_movement *movement, souk_stock_level *ret_level)
{
    const souk_movement none = {.place = movement->place};
    souk_err err = change_row(tx, &none, ret_level);
    if (err != SOUK_ENOENT || !movement->opens)
        return err;
    SOUK_TRY(open_row(tx, &movement->place));
    return change_row(tx, &none, ret_level);
}

/* ---- reading ---------------------------------------------------------------------------------------- */

struct reading {
    souk_levels *levels;
    const souk_stock_place *place;
    souk_text after;
    unsigned most;
    souk_level_each *each;
    void *context;
    souk_stock_level level;
};

static souk_err read_level(souk_tx *tx, void *context)
{
    struct reading *reading = context;
    return levels_read_row(tx, reading->place, &reading->level);
}

souk_err souk_levels_read(souk_levels *levels, const souk_stock_place *place,
                          souk_stock_level *ret_level)
{
    if (levels->memory)
        return levels_memory_read(levels->memory, place, ret_level);
    struct reading reading = {.place = place};
    SOUK_TRY(souk_ledger_read(levels->ledger, read_level, &reading));
    *ret_level = reading.level;
    return SOUK_OK;
}

static souk_err begin_list(souk_tx *tx, const struct reading *reading, souk_rows *rows)
{
    const souk_stock_place *filter = reading->place;
    if (filter->product.bytes)
        return souk_rows_begin(
            tx,
            "SELECT location, product, id, on_hand, reserved, has_lots FROM stock_level "
            "WHERE merchant = ?1 AND product = ?2 AND location > ?3 ORDER BY location LIMIT ?4",
            SOUK_VALUES(SOUK_INT(filter->merchant), SOUK_STR(filter->product),
                        SOUK_STR(reading->after), SOUK_INT(reading->most)),
            rows);
    return souk_rows_begin(
        tx,
        "SELECT location, product, id, on_hand, reserved, has_lots FROM stock_level "
        "WHERE merchant = ?1 AND location = ?2 AND product > ?3 ORDER BY product LIMIT ?4",
        SOUK_VALUES(SOUK_INT(filter->merchant), SOUK_STR(filter->location),
                    SOUK_STR(reading->after), SOUK_INT(reading->most)),
        rows);
}

static souk_err list_levels(souk_tx *tx, void *context)
{
    struct reading *reading = context;
    souk_auto_value(souk_rows) rows = {0};
    SOUK_TRY(begin_list(tx, reading, &rows));
    while (souk_rows_next(&rows)) {
        souk_stock_place place = {reading->place->merchant, souk_rows_text(&rows, 0),
                                  souk_rows_text(&rows, 1)};
        souk_stock_level level = level_of(&rows, 2);
        if (reading->levels->memory)
            SOUK_TRY(levels_memory_read(reading->levels->memory, &place, &level));
        SOUK_TRY(reading->each(reading->context, &place, &level));
    }
    return souk_rows_check(&rows);
}

souk_err souk_levels_list(souk_levels *levels, const souk_stock_place *filter, souk_text after,
                          unsigned most, souk_level_each *each, void *context)
{
    souk_assert((filter->product.bytes > 0) != (filter->location.bytes > 0));
    struct reading reading = {.levels = levels,
                              .place = filter,
                              .after = after,
                              .most = most,
                              .each = each,
                              .context = context};
    return souk_ledger_read(levels->ledger, list_levels, &reading);
}

struct lots_listing {
    int64_t level;
    unsigned most;
    souk_err (*each)(void *context, souk_text lot, souk_time expires, souk_decimal on_hand);
    void *context;
};

static souk_err list_lots(souk_tx *tx, void *context)
{
    struct lots_listing *listing = context;
    souk_auto_value(souk_rows) rows = {0};
    SOUK_TRY(souk_rows_begin(tx,
                             "SELECT lot, expires, on_hand FROM stock_lot WHERE level = ?1 AND "
                             "on_hand > 0 ORDER BY expires, lot LIMIT ?2",
                             SOUK_VALUES(SOUK_INT(listing->level), SOUK_INT(listing->most)),
                             &rows));
    while (souk_rows_next(&rows)) {
        souk_time expires = souk_rows_int(&rows, 1);
        SOUK_TRY(listing->each(listing->context, souk_rows_text(&rows, 0),
                               expires == SOUK_TIME_LAST ? 0 : expires,
                               (souk_decimal){souk_rows_int(&rows, 2)}));
    }
    return souk_rows_check(&rows);
}

souk_err souk_levels_lots(souk_levels *levels, int64_t level, unsigned most,
                          souk_err (*each)(void *context, souk_text lot, souk_time expires,
                                           souk_decimal on_hand),
                          void *context)
{
    struct lots_listing listing = {level, most, each, context};
    return souk_ledger_read(levels->ledger, list_lots, &listing);
}

/* ---- upkeep ------------------------------------------------------------------------------------------ */

souk_err souk_levels_keep(souk_levels *levels, unsigned most, bool *ret_more)
{
    *ret_more = false;
    return levels->memory ? levels_memory_keep(levels->memory, most, ret_more) : SOUK_OK;
}

struct verifying {
    bool has_memory;
    souk_diag *diag;
};

/* Rows say what they are the sum of: all movements with several writers, those up to `through` with one. */
static souk_err verify_rows(souk_tx *tx, void *context)
{
    const struct verifying *verifying = context;
    souk_auto_value(souk_rows) rows = {0};
    SOUK_TRY(souk_rows_begin(
        tx,
        "SELECT l.location, l.product, l.on_hand, l.reserved, CAST(coalesce(s.on_hand, 0) AS "
        "BIGINT), CAST(coalesce(s.reserved, 0) AS BIGINT) FROM stock_level l LEFT JOIN "
        "(SELECT m.level, sum(m.on_hand) AS on_hand, sum(m.reserved) AS reserved "
        " FROM stock_movement m JOIN stock_level n ON n.id = m.level "
        " WHERE ?1 = 0 OR m.id <= n.through GROUP BY m.level) AS s ON s.level = l.id "
        "WHERE l.on_hand <> coalesce(s.on_hand, 0) OR l.reserved <> coalesce(s.reserved, 0) "
        "LIMIT 1",
        SOUK_VALUES(SOUK_INT(verifying->has_memory)), &rows));
    if (souk_rows_next(&rows)) {
        char text[4][SOUK_DECIMAL_BYTES];
        for (unsigned i = 0; i < 4; i++)
            souk_decimal_write((souk_decimal){souk_rows_int(&rows, 2 + i)}, text[i]);
        souk_text location = souk_rows_text(&rows, 0), product = souk_rows_text(&rows, 1);
        return souk_diag_say(
            verifying->diag, SOUK_ECORRUPT,
            "stock of %.*s at %.*s: the level says %s on hand and %s reserved, its "
            "movements add up to %s and %s",
            SOUK_TEXT_PRINT(product), SOUK_TEXT_PRINT(location), text[0], text[1], text[2],
            text[3]);
    }
    SOUK_TRY(souk_rows_check(&rows));
    return lots_verify(tx, verifying->diag);
}

souk_err souk_levels_verify(souk_levels *levels, souk_diag *diag)
{
    struct verifying verifying = {levels->memory != NULL, diag};
    SOUK_TRY(souk_ledger_read(levels->ledger, verify_rows, &verifying));
    return levels->memory ? levels_memory_verify(levels->memory, diag) : SOUK_OK;
}

void souk_levels_count(souk_levels *levels, souk_levels_counters *ret_counters)
{
    *ret_counters = (souk_levels_counters){0};
    if (levels->memory)
        levels_memory_count(levels->memory, ret_counters);
}
