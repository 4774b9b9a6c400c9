/* levels_history.c - the movements of a level, newest first, and what a count makes of them: see levels.h. */
#include "service/stock/levels_inside.h"

enum { SINCE_MOST = 256 }; /* movements behind the moment of a count: the writer looks at them */

/* ---- walking -------------------------------------------------------------------------------------------- */

/* Of a level, in a transaction: along the chain from `last`, or by the index below before_id. */
struct walk {
    souk_tx *tx;
    int64_t level, next;
    bool by_chain;
    unsigned most;
    bool (*each)(void *context, const souk_moved *moved); /* false: enough */
    void *context;
};

static souk_err read_moved(souk_rows *rows, souk_moved *ret_moved)
{
    souk_text reference = souk_rows_blob(rows, 6);
    *ret_moved = (souk_moved){.id = souk_rows_int(rows, 0),
                              .at = souk_rows_int(rows, 1),
                              .kind = souk_rows_int(rows, 2),
                              .lot = souk_rows_text(rows, 3),
                              .on_hand = {souk_rows_int(rows, 4)},
                              .reserved = {souk_rows_int(rows, 5)}};
    if (reference.bytes != sizeof ret_moved->reference)
        return SOUK_ECORRUPT;
    memcpy(&ret_moved->reference, reference.at, sizeof ret_moved->reference);
    return SOUK_OK;
}

static souk_err walk_chain(struct walk *walk)
{
    bool goes_on = true;
    for (unsigned i = 0; i < walk->most && walk->next && goes_on; i++) {
        souk_auto_value(souk_rows) rows = {0};
        souk_moved moved;
        SOUK_TRY(souk_rows_begin(
            walk->tx,
            "SELECT id, at, kind, lot, on_hand, reserved, reference, before FROM stock_movement "
            "WHERE id = ?1 AND level = ?2",
            SOUK_VALUES(SOUK_INT(walk->next), SOUK_INT(walk->level)), &rows));
        if (!souk_rows_next(&rows))
            return souk_rows_check(&rows) ? souk_rows_check(&rows) : SOUK_ECORRUPT;
        SOUK_TRY(read_moved(&rows, &moved));
        walk->next = souk_rows_int(&rows, 7);
        goes_on = walk->each(walk->context, &moved);
    }
    return SOUK_OK;
}

static souk_err walk_index(struct walk *walk)
{
    souk_auto_value(souk_rows) rows = {0};
    souk_moved moved;
    SOUK_TRY(souk_rows_begin(
        walk->tx,
        "SELECT id, at, kind, lot, on_hand, reserved, reference FROM stock_movement "
        "WHERE level = ?1 AND id < ?2 ORDER BY id DESC LIMIT ?3",
        SOUK_VALUES(SOUK_INT(walk->level), SOUK_INT(walk->next), SOUK_INT(walk->most)), &rows));
    while (souk_rows_next(&rows)) {
        SOUK_TRY(read_moved(&rows, &moved));
        if (!walk->each(walk->context, &moved))
            return SOUK_OK;
    }
    return souk_rows_check(&rows);
}

static souk_err walk_back(struct walk *walk)
{
    return walk->by_chain ? walk_chain(walk) : walk_index(walk);
}

/* ---- counting --------------------------------------------------------------------------------------- */

/* ---- counting ------------------------------------------------------------------------------------------- */

struct since {
    const souk_movement *count;
    souk_time at;
    int64_t sum;
    unsigned seen;
    bool overflows, reached; /* reached: the moment of the count */
};

/* Movements are stored nearly in the order of their times: a minute apart at most, as long as a plan may wait. */
static bool add_since(void *context, const souk_moved *moved)
{
    struct since *since = context;
    bool counts = since->count->lot.bytes == 0 || souk_text_equal(moved->lot, since->count->lot);
    if (counts && moved->at > since->at)
        since->overflows |= __builtin_add_overflow(since->sum, moved->on_hand.micro, &since->sum);
    since->seen++;
    since->reached = moved->at <= since->at - 60000;
    return !since->reached;
}

/* What moved behind the moment of the count. */
static souk_err sum_since(souk_levels *levels, souk_tx *tx, int64_t level,
                          const souk_movement *count, souk_time at, int64_t *ret_sum)
{
    struct since since = {.count = count, .at = at};
    struct walk walk = {.tx = tx,
                        .level = level,
                        .by_chain = levels->memory != NULL,
                        .next =
                            levels->memory ? levels_memory_last(levels->memory, level) : INT64_MAX,
                        .most = SINCE_MOST,
                        .each = add_since,
                        .context = &since};
    SOUK_TRY(walk_back(&walk));
    *ret_sum = since.sum;
    if (since.seen == SINCE_MOST && !since.reached)
        return SOUK_ETOOBIG;
    return since.overflows ? SOUK_EOVERFLOW : SOUK_OK;
}

souk_err souk_levels_counted(souk_levels *levels, souk_tx *tx, const souk_movement *count,
                             souk_time counted_at, souk_decimal *ret_difference,
                             souk_stock_level *ret_after)
{
    souk_stock_level level;
    souk_decimal there;
    int64_t since = 0;
    SOUK_TRY(levels_check(count));
    if (levels->memory)
        SOUK_TRY(levels_memory_look(levels->memory, tx, count, &level));
    else
        SOUK_TRY(levels_hold_row(tx, count, &level));
    there = level.on_hand;
    if (count->lot.bytes)
        SOUK_TRY(souk_levels_lot(tx, level.id, count->lot, &there));
    if (counted_at < count->at)
        SOUK_TRY(sum_since(levels, tx, level.id, count, counted_at, &since));
    souk_movement movement = *count;
    int64_t now;
    if (__builtin_add_overflow(count->on_hand.micro, since, &now) ||
        __builtin_sub_overflow(now, there.micro, &movement.on_hand.micro))
        return SOUK_EOVERFLOW;
    movement.beyond = true; /* it is what lies there */
    *ret_difference = movement.on_hand;
    return souk_levels_move(levels, tx, &movement, ret_after);
}

/* ---- telling -------------------------------------------------------------------------------------------- */

struct history {
    souk_levels *levels;
    const souk_stock_place *place;
    int64_t before_id, last; /* last: of the chain */
    unsigned most;
    souk_err (*each)(void *context, const souk_moved *moved);
    void *context;
    souk_err err;
};

static bool pass_on(void *context, const souk_moved *moved)
{
    struct history *history = context;
    history->err = history->each(history->context, moved);
    return !history->err;
}

/* Behind a movement of the level, the next page of its chain. */
static souk_err find_before(souk_tx *tx, int64_t id, int64_t level, int64_t *ret_next)
{
    souk_err err =
        souk_sql_one_int(tx, "SELECT before FROM stock_movement WHERE id = ?1 AND level = ?2",
                         SOUK_VALUES(SOUK_INT(id), SOUK_INT(level)), ret_next);
    return err == SOUK_ENOENT ? SOUK_EINVAL : err;
}

static souk_err list_moved(souk_tx *tx, void *context)
{
    struct history *history = context;
    souk_stock_level level;
    struct walk walk = {.tx = tx,
                        .by_chain = history->levels->memory != NULL,
                        .most = history->most,
                        .each = pass_on,
                        .context = history};
    SOUK_TRY(levels_read_row(tx, history->place, &level));
    walk.level = level.id;
    walk.next = history->before_id;
    history->err = SOUK_OK;
    if (walk.by_chain && history->before_id == INT64_MAX)
        walk.next = history->last;
    else if (walk.by_chain)
        SOUK_TRY(find_before(tx, history->before_id, level.id, &walk.next));
    SOUK_TRY(walk_back(&walk));
    return history->err;
}

/* The chain's end is read first: what was committed by then is in a snapshot that begins later. */
souk_err souk_levels_moved(souk_levels *levels, const souk_stock_place *place, int64_t before_id,
                           unsigned most, souk_err (*each)(void *context, const souk_moved *moved),
                           void *context)
{
    struct history history = {.levels = levels,
                              .place = place,
                              .before_id = before_id,
                              .most = most,
                              .each = each,
                              .context = context};
    if (levels->memory)
        SOUK_TRY(levels_memory_seen_last(levels->memory, place, &history.last));
    return souk_ledger_read(levels->ledger, list_moved, &history);
}
