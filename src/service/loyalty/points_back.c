/* points_back.c - what a return does to points: given back to the lots they came from, clawed back from those they made.
 *
 * A lot's shares are three varints a line: its number, its points, its spend in minor units. */
#include "service/loyalty/points_inside.h"

souk_err points_want_receipt(points_doing *doing, souk_hash128 receipt, souk_points_kind kind)
{
    souk_auto_value(souk_rows) rows = {0};
    SOUK_TRY(souk_rows_begin(
        doing->tx,
        "SELECT a.kind, a.owner FROM loyalty_entry e JOIN loyalty_account a ON a.id = e.account "
        "WHERE e.receipt = ?1 AND e.kind = ?2 AND a.merchant = ?3",
        SOUK_VALUES(SOUK_BLOB(&receipt, sizeof receipt), SOUK_INT(kind),
                    SOUK_INT(doing->plan->merchant)),
        &rows));
    while (souk_rows_next(&rows)) {
        points_held *held;
        souk_purse purse = {(souk_purse_kind)souk_rows_int(&rows, 0), souk_rows_int(&rows, 1)};
        SOUK_TRY(points_want(doing, purse, &held));
    }
    return souk_rows_check(&rows);
}

/* ---- expiry -------------------------------------------------------------------------------------------- */

static souk_err write_lapse(souk_tx *tx, const points_held *held, souk_time at, int64_t *ret_entry,
                            int64_t *ret_points)
{
    static const souk_hash128 none;
    souk_auto_value(souk_rows) rows = {0};
    *ret_points = 0;
    SOUK_TRY(souk_rows_begin(
        tx,
        "INSERT INTO loyalty_entry (account, kind, at, counts_at, points, owed, forgiven, spend, "
        "receipt, reason, by) SELECT account, 5, ?2, ?2, CAST(-sum(rest) AS BIGINT), 0, 0, 0, ?3, "
        "'', '' FROM loyalty_lot WHERE account = ?1 AND rest > 0 AND expires <= ?2 "
        "GROUP BY account RETURNING id, points",
        SOUK_VALUES(SOUK_INT(held->id), SOUK_INT(at), SOUK_BLOB(&none, sizeof none)), &rows));
    if (souk_rows_next(&rows)) {
        *ret_entry = souk_rows_int(&rows, 0);
        *ret_points = souk_rows_int(&rows, 1);
    }
    return souk_rows_check(&rows);
}

souk_err points_lapse(souk_tx *tx, points_held *held, souk_time at)
{
    int64_t entry, points;
    SOUK_TRY(write_lapse(tx, held, at, &entry, &points));
    if (points == 0)
        return SOUK_OK;
    SOUK_TRY(souk_sql_run(tx,
                          "INSERT INTO loyalty_part (entry, lot, points, back) "
                          "SELECT ?1, lot, -rest, 0 FROM loyalty_lot "
                          "WHERE account = ?2 AND rest > 0 AND expires <= ?3",
                          SOUK_VALUES(SOUK_INT(entry), SOUK_INT(held->id), SOUK_INT(at))));
    SOUK_TRY(souk_sql_run(tx,
                          "UPDATE loyalty_lot SET lapsed = lapsed + rest, rest = 0 "
                          "WHERE account = ?1 AND rest > 0 AND expires <= ?2",
                          SOUK_VALUES(SOUK_INT(held->id), SOUK_INT(at))));
    return points_change(tx, held, points, 0);
}

/* ---- clawing back --------------------------------------------------------------------------------------- */

struct lot {
    int64_t id, account;
    souk_time earned_at;
    souk_text shares;
};

/* The next lot that the receipt made, behind lot->id; id 0: there is none. */
static souk_err next_lot(points_doing *doing, souk_hash128 receipt, struct lot *lot)
{
    souk_auto_value(souk_rows) rows = {0};
    SOUK_TRY(souk_rows_begin(
        doing->tx,
        "SELECT l.lot, l.account, e.at, l.shares FROM loyalty_entry e "
        "JOIN loyalty_lot l ON l.lot = e.id JOIN loyalty_account a ON a.id = e.account "
        "WHERE e.receipt = ?1 AND e.kind = 1 AND a.merchant = ?2 AND e.id > ?3 ORDER BY e.id "
        "LIMIT 1",
        SOUK_VALUES(SOUK_BLOB(&receipt, sizeof receipt), SOUK_INT(doing->plan->merchant),
                    SOUK_INT(lot->id)),
        &rows));
    lot->id = 0;
    if (souk_rows_next(&rows)) {
        souk_text shares = souk_rows_blob(&rows, 3);
        *lot = (struct lot){
            souk_rows_int(&rows, 0),
            souk_rows_int(&rows, 1),
            souk_rows_int(&rows, 2),
            {souk_arena_copy(doing->plan->arena, shares.at, shares.bytes), shares.bytes}};
    }
    SOUK_TRY(souk_rows_check(&rows));
    return doing->plan->arena->failed ? SOUK_ENOMEM : SOUK_OK;
}

static souk_err find_share(const struct lot *lot, uint32_t line, souk_points_share *ret_share)
{
    const unsigned char *at = (const unsigned char *)lot->shares.at;
    const unsigned char *end = at + lot->shares.bytes;
    uint64_t number, points, spend;
    *ret_share = (souk_points_share){.line = line};
    while (at < end) {
        if (!souk_varint_read(&at, end, &number) || !souk_varint_read(&at, end, &points) ||
            !souk_varint_read(&at, end, &spend))
            return SOUK_ECORRUPT;
        if (number == line) {
            ret_share->points += (int64_t)points;
            ret_share->spend_minor += (int64_t)spend;
        }
    }
    return SOUK_OK;
}

/* What of an amount has gone when so much of the line came back: rounded down until all of it has. */
static int64_t gone(int64_t amount, int64_t quantity, int64_t sold)
{
    __extension__ typedef __int128 wide;
    return (int64_t)((wide)amount * quantity / sold);
}

/* The line's part of the lot, once for each piece that comes back. */
static souk_err bring_back(points_doing *doing, const struct lot *lot, const souk_points_back *back,
                           int64_t *points, int64_t *spend)
{
    souk_points_share share;
    int64_t now = 0, more = back->quantity.micro, sold = back->sold.micro;
    SOUK_TRY(find_share(lot, back->line, &share));
    if (share.points == 0 && share.spend_minor == 0)
        return SOUK_OK;
    souk_err err = more < 1 || more > sold ? SOUK_ENOENT : SOUK_OK;
    if (!err)
        err = souk_sql_one_int(
            doing->tx,
            "INSERT INTO loyalty_back (lot, line, quantity) VALUES (?1, ?2, ?3) "
            "ON CONFLICT (lot, line) DO UPDATE SET quantity = loyalty_back.quantity + ?3 "
            "WHERE loyalty_back.quantity + ?3 <= ?4 RETURNING quantity",
            SOUK_VALUES(SOUK_INT(lot->id), SOUK_INT(back->line), SOUK_INT(more), SOUK_INT(sold)),
            &now);
    if (err == SOUK_ENOENT)
        return souk_diag_say(&doing->plan->diag, SOUK_ECONFLICT,
                             "line %u: more comes back than was sold", back->line);
    SOUK_TRY(err);
    *points += gone(share.points, now, sold) - gone(share.points, now - more, sold);
    *spend += gone(share.spend_minor, now, sold) - gone(share.spend_minor, now - more, sold);
    return SOUK_OK;
}

/* What of the lot expired without being burnt is no longer anybody's: it counts as taken. */
static souk_err claw_lapsed(souk_tx *tx, const struct lot *lot, int64_t *points)
{
    int64_t lapsed;
    SOUK_TRY(souk_sql_one_int(tx, "SELECT lapsed FROM loyalty_lot WHERE lot = ?1",
                              SOUK_VALUES(SOUK_INT(lot->id)), &lapsed));
    int64_t takes = lapsed < *points ? lapsed : *points;
    if (takes == 0)
        return SOUK_OK;
    SOUK_TRY(souk_sql_run(
        tx, "UPDATE loyalty_lot SET lapsed = lapsed - ?2 WHERE lot = ?1 AND lapsed = ?3",
        SOUK_VALUES(SOUK_INT(lot->id), SOUK_INT(takes), SOUK_INT(lapsed))));
    *points -= takes;
    return souk_sql_changed(tx) == 1 ? SOUK_OK : SOUK_ERETRY;
}

static souk_err claw_lot(points_doing *doing, souk_points_act *act, const struct lot *lot,
                         int64_t points, int64_t spend)
{
    points_held *held = points_find_id(doing, lot->account);
    points_note note = {.kind = SOUK_POINTS_CLAWED,
                        .at = act->at,
                        .counts_at = lot->earned_at,
                        .spend_minor = -spend,
                        .receipt = act->receipt,
                        .reason = act->reason,
                        .by = act->by};
    int64_t taken;
    SOUK_TRY(claw_lapsed(doing->tx, lot, &points));
    SOUK_TRY(points_write_entry(doing->tx, held->id, &note, &act->entry));
    SOUK_TRY(points_take(doing->tx, held->id, act->entry, points, act->at, lot->id, &taken));
    int64_t rest = points - taken, room = act->debt_most - held->owed;
    int64_t owes = rest < room ? rest : room > 0 ? room : 0;
    SOUK_TRY(souk_sql_run(
        doing->tx, "UPDATE loyalty_entry SET points = ?2, owed = ?3, forgiven = ?4 WHERE id = ?1",
        SOUK_VALUES(SOUK_INT(act->entry), SOUK_INT(-taken), SOUK_INT(owes),
                    SOUK_INT(rest - owes))));
    act->points -= taken;
    act->forgiven += rest - owes;
    return points_change(doing->tx, held, -taken, owes);
}

souk_err points_claw(points_doing *doing, souk_points_act *act)
{
    struct lot lot = {0};
    for (;;) {
        int64_t points = 0, spend = 0;
        SOUK_TRY(next_lot(doing, act->receipt, &lot));
        if (lot.id == 0)
            return SOUK_OK;
        points_held *held = points_find_id(doing, lot.account);
        if (!held)
            return SOUK_ERETRY; /* it was made after this plan had looked which accounts to hold */
        SOUK_TRY(points_lapse(doing->tx, held, act->at));
        for (size_t i = 0; i < act->back_count; i++)
            SOUK_TRY(bring_back(doing, &lot, &act->backs[i], &points, &spend));
        if (points || spend)
            SOUK_TRY(claw_lot(doing, act, &lot, points, spend));
    }
}

/* ---- giving back ----------------------------------------------------------------------------------------- */

struct part {
    int64_t entry, lot, account, points;
};
struct parts {
    struct part *list;
    size_t count, room;
};

static souk_err add_part(souk_arena *arena, struct parts *parts, const struct part *part)
{
    if (parts->count == parts->room) {
        size_t room = parts->room ? 2 * parts->room : 16;
        struct part *grown = souk_arena_get(arena, room * sizeof *grown);
        if (arena->failed)
            return SOUK_ENOMEM;
        if (parts->count)
            memcpy(grown, parts->list, parts->count * sizeof *grown);
        parts->list = grown;
        parts->room = room;
    }
    parts->list[parts->count++] = *part;
    return SOUK_OK;
}

/* Where the points came from that go back, the last taken first. */
static souk_err find_parts(points_doing *doing, const souk_points_act *act, int64_t points,
                           struct parts *parts)
{
    int64_t wanted = points;
    souk_auto_value(souk_rows) rows = {0};
    SOUK_TRY(souk_rows_begin(
        doing->tx,
        "SELECT p.entry, p.lot, e.account, -p.points - p.back FROM loyalty_entry e "
        "JOIN loyalty_account a ON a.id = e.account JOIN loyalty_part p ON p.entry = e.id "
        "JOIN loyalty_lot l ON l.lot = p.lot "
        "WHERE e.receipt = ?1 AND e.kind = 2 AND a.merchant = ?2 AND p.back < -p.points "
        "ORDER BY l.expires DESC, p.lot DESC, p.entry DESC",
        SOUK_VALUES(SOUK_BLOB(&act->receipt, sizeof act->receipt), SOUK_INT(doing->plan->merchant)),
        &rows));
    while (points > 0 && souk_rows_next(&rows)) {
        struct part part = {souk_rows_int(&rows, 0), souk_rows_int(&rows, 1),
                            souk_rows_int(&rows, 2), souk_rows_int(&rows, 3)};
        part.points = part.points < points ? part.points : points;
        points -= part.points;
        SOUK_TRY(add_part(doing->plan->arena, parts, &part));
    }
    SOUK_TRY(souk_rows_check(&rows));
    if (points == 0)
        return SOUK_OK;
    return souk_diag_say(&doing->plan->diag, SOUK_ECONFLICT,
                         "%lld points are to be given back, and of what the receipt burnt %lld are "
                         "left",
                         (long long)wanted, (long long)(wanted - points));
}

static souk_err give_part(souk_tx *tx, const souk_points_act *act, const struct part *part)
{
    SOUK_TRY(souk_sql_run(
        tx,
        "INSERT INTO loyalty_part (entry, lot, points, back) "
        "VALUES (?1, ?2, ?3, 0) ON CONFLICT (entry, lot) "
        "DO UPDATE SET points = loyalty_part.points + ?3",
        SOUK_VALUES(SOUK_INT(act->entry), SOUK_INT(part->lot), SOUK_INT(part->points))));
    SOUK_TRY(souk_sql_run(
        tx,
        "UPDATE loyalty_part SET back = back + ?3 "
        "WHERE entry = ?1 AND lot = ?2 AND back + ?3 <= -points",
        SOUK_VALUES(SOUK_INT(part->entry), SOUK_INT(part->lot), SOUK_INT(part->points))));
    if (souk_sql_changed(tx) != 1)
        return SOUK_ERETRY;
    return souk_sql_run(tx,
                        "UPDATE loyalty_lot SET rest = rest + ?2, "
                        "expires = CASE WHEN expires <= ?3 THEN ?3 + ?4 ELSE expires END "
                        "WHERE lot = ?1",
                        SOUK_VALUES(SOUK_INT(part->lot), SOUK_INT(part->points), SOUK_INT(act->at),
                                    SOUK_INT(act->grace_ms)));
}

static souk_err give_account(points_doing *doing, souk_points_act *act, points_held *held,
                             const struct parts *parts)
{
    points_note note = {.kind = SOUK_POINTS_GIVEN,
                        .at = act->at,
                        .counts_at = act->at,
                        .receipt = act->receipt,
                        .reason = act->reason,
                        .by = act->by};
    for (size_t i = 0; i < parts->count; i++)
        if (parts->list[i].account == held->id)
            note.points += parts->list[i].points;
    if (note.points == 0)
        return SOUK_OK;
    SOUK_TRY(points_lapse(doing->tx, held, act->at));
    SOUK_TRY(points_write_entry(doing->tx, held->id, &note, &act->entry));
    for (size_t i = 0; i < parts->count; i++)
        if (parts->list[i].account == held->id)
            SOUK_TRY(give_part(doing->tx, act, &parts->list[i]));
    act->points += note.points;
    SOUK_TRY(points_change(doing->tx, held, note.points, 0));
    return points_settle(doing, held, act->at);
}

souk_err points_give(points_doing *doing, souk_points_act *act, int64_t points)
{
    struct parts parts = {0};
    if (points == 0)
        return SOUK_OK;
    SOUK_TRY(find_parts(doing, act, points, &parts));
    for (size_t i = 0; i < parts.count; i++)
        if (!points_find_id(doing, parts.list[i].account))
            return SOUK_ERETRY; /* burnt after this plan had looked which accounts to hold */
    for (size_t i = 0; i < doing->held_count; i++)
        SOUK_TRY(give_account(doing, act, &doing->held[i], &parts));
    return SOUK_OK;
}
