/* points_keep.c - reading, expiring and proving points: see points.h. */
#include "service/loyalty/points_inside.h"

/* ---- reading ------------------------------------------------------------------------------------------------ */

static souk_err read_owed(souk_tx *tx, uint32_t merchant, souk_purse purse, int64_t *ret_owed)
{
    *ret_owed = 0;
    souk_err err = souk_sql_one_int(
        tx, "SELECT owed FROM loyalty_account WHERE merchant = ?1 AND kind = ?2 AND owner = ?3",
        SOUK_VALUES(SOUK_INT(merchant), SOUK_INT(purse.kind), SOUK_INT(purse.owner)), ret_owed);
    return err == SOUK_ENOENT ? SOUK_OK : err;
}

static souk_err add_balance(souk_tx *tx, uint32_t merchant, souk_purse purse, souk_time at,
                            souk_points_balance *balance)
{
    souk_auto_value(souk_rows) rows = {0};
    SOUK_TRY(souk_rows_begin(
        tx,
        "SELECT l.expires, CAST(sum(l.rest) AS BIGINT) FROM loyalty_account a "
        "JOIN loyalty_lot l ON l.account = a.id AND l.rest > 0 AND l.expires > ?4 "
        "WHERE a.merchant = ?1 AND a.kind = ?2 AND a.owner = ?3 "
        "GROUP BY l.expires ORDER BY l.expires",
        SOUK_VALUES(SOUK_INT(merchant), SOUK_INT(purse.kind), SOUK_INT(purse.owner), SOUK_INT(at)),
        &rows));
    while (souk_rows_next(&rows)) {
        souk_time expires = souk_rows_int(&rows, 0);
        int64_t points = souk_rows_int(&rows, 1);
        if (expires < balance->next_expires) {
            balance->next_expires = expires;
            balance->next_points = 0;
        }
        if (expires == balance->next_expires && expires != SOUK_TIME_LAST)
            balance->next_points += points;
        if (__builtin_add_overflow(balance->points, points, &balance->points))
            return SOUK_EOVERFLOW;
    }
    return souk_rows_check(&rows);
}

souk_err souk_points_read(souk_tx *tx, uint32_t merchant, const souk_purse *purses,
                          size_t purse_count, souk_time at, souk_points_balance *ret_balance)
{
    souk_points_balance balance = {.next_expires = SOUK_TIME_LAST};
    for (size_t i = 0; i < purse_count; i++) {
        int64_t owed;
        SOUK_TRY(read_owed(tx, merchant, purses[i], &owed));
        SOUK_TRY(add_balance(tx, merchant, purses[i], at, &balance));
        balance.owed += owed;
    }
    *ret_balance = balance;
    return SOUK_OK;
}

/* One purse's newest entries, kept until those of all purses are in their order. */
struct kept {
    souk_points_entry *list; /* [room], newest first */
    size_t count, room;
    souk_arena *arena;
};

static souk_text keep_text(souk_arena *arena, souk_text text)
{
    return (souk_text){souk_arena_copy(arena, text.at, text.bytes), text.bytes};
}

static void keep(struct kept *kept, const souk_points_entry *entry)
{
    size_t at = kept->count < kept->room ? kept->count++ : kept->room - 1;
    for (; at > 0 && kept->list[at - 1].id < entry->id; at--)
        kept->list[at] = kept->list[at - 1];
    kept->list[at] = *entry;
    kept->list[at].reason = keep_text(kept->arena, entry->reason);
    kept->list[at].by = keep_text(kept->arena, entry->by);
}

static souk_err keep_entries(souk_tx *tx, uint32_t merchant, souk_purse purse, int64_t before_id,
                             struct kept *kept)
{
    souk_auto_value(souk_rows) rows = {0};
    SOUK_TRY(souk_rows_begin(
        tx,
        "SELECT e.id, e.kind, e.at, e.points, e.owed, e.forgiven, e.receipt, e.reason, e.by, "
        "coalesce(l.expires, 0) FROM loyalty_account a JOIN loyalty_entry e ON e.account = a.id "
        "LEFT JOIN loyalty_lot l ON l.lot = e.id "
        "WHERE a.merchant = ?1 AND a.kind = ?2 AND a.owner = ?3 AND e.id < ?4 "
        "ORDER BY e.id DESC LIMIT ?5",
        SOUK_VALUES(SOUK_INT(merchant), SOUK_INT(purse.kind), SOUK_INT(purse.owner),
                    SOUK_INT(before_id), SOUK_INT(kept->room)),
        &rows));
    while (souk_rows_next(&rows)) {
        souk_points_entry entry = {.id = souk_rows_int(&rows, 0),
                                   .purse = purse,
                                   .kind = (souk_points_kind)souk_rows_int(&rows, 1),
                                   .at = souk_rows_int(&rows, 2),
                                   .points = souk_rows_int(&rows, 3),
                                   .owed = souk_rows_int(&rows, 4),
                                   .forgiven = souk_rows_int(&rows, 5),
                                   .reason = souk_rows_text(&rows, 7),
                                   .by = souk_rows_text(&rows, 8),
                                   .expires = souk_rows_int(&rows, 9)};
        souk_text receipt = souk_rows_blob(&rows, 6);
        if (receipt.bytes != sizeof entry.receipt)
            return SOUK_ECORRUPT;
        memcpy(&entry.receipt, receipt.at, sizeof entry.receipt);
        if (kept->count == kept->room && kept->list[kept->room - 1].id > entry.id)
            break; /* older than all that are wanted */
        keep(kept, &entry);
    }
    return souk_rows_check(&rows);
}

souk_err souk_points_entries(souk_tx *tx, uint32_t merchant, const souk_purse *purses,
                             size_t purse_count, int64_t before_id, unsigned most,
                             souk_err (*each)(void *context, const souk_points_entry *entry),
                             void *context)
{
    souk_arena arena = {.mem = souk_mem_heap()};
    struct kept kept = {
        .list = souk_arena_get(&arena, most * sizeof *kept.list), .room = most, .arena = &arena};
    souk_err err = arena.failed ? SOUK_ENOMEM : SOUK_OK;
    for (size_t i = 0; i < purse_count && !err && most; i++)
        err = keep_entries(tx, merchant, purses[i], before_id, &kept);
    if (!err && arena.failed)
        err = SOUK_ENOMEM;
    for (size_t i = 0; i < kept.count && !err; i++)
        err = each(context, &kept.list[i]);
    souk_arena_done(&arena);
    return err;
}

souk_err souk_points_total(souk_tx *tx, uint32_t merchant, souk_time now,
                           souk_points_totals *ret_totals)
{
    souk_points_totals totals;
    souk_auto_value(souk_rows) rows = {0};
    SOUK_TRY(souk_rows_begin(
        tx,
        "SELECT count(*), CAST(coalesce(sum(owed), 0) AS BIGINT) FROM loyalty_account "
        "WHERE merchant = ?1",
        SOUK_VALUES(SOUK_INT(merchant)), &rows));
    souk_rows_next(&rows);
    totals.accounts = souk_rows_int(&rows, 0);
    totals.owed = souk_rows_int(&rows, 1);
    SOUK_TRY(souk_rows_check(&rows));
    souk_rows_done(&rows);
    SOUK_TRY(souk_rows_begin(
        tx,
        "SELECT count(*), CAST(coalesce(sum(l.rest), 0) AS BIGINT) FROM loyalty_lot l "
        "JOIN loyalty_account a ON a.id = l.account "
        "WHERE a.merchant = ?1 AND l.rest > 0 AND l.expires > ?2",
        SOUK_VALUES(SOUK_INT(merchant), SOUK_INT(now)), &rows));
    souk_rows_next(&rows);
    totals.lots = souk_rows_int(&rows, 0);
    totals.liability = souk_rows_int(&rows, 1);
    SOUK_TRY(souk_rows_check(&rows));
    *ret_totals = totals;
    return SOUK_OK;
}

/* ---- expiring ------------------------------------------------------------------------------------------------- */

struct due {
    uint32_t merchant;
    souk_purse purse;
};
struct expiring {
    souk_time now;
    unsigned most;
    struct due *due; /* [most] */
    size_t count;
};

static souk_err find_due(souk_tx *tx, struct expiring *expiring)
{
    souk_auto_value(souk_rows) rows = {0};
    expiring->count = 0;
    SOUK_TRY(souk_rows_begin(
        tx,
        "SELECT DISTINCT a.merchant, a.kind, a.owner FROM ("
        "  SELECT account FROM loyalty_lot WHERE rest > 0 AND expires <= ?1 "
        "  ORDER BY expires, account LIMIT ?2) AS due "
        "JOIN loyalty_account a ON a.id = due.account ORDER BY a.merchant, a.kind, a.owner",
        SOUK_VALUES(SOUK_INT(expiring->now), SOUK_INT(expiring->most)), &rows));
    while (souk_rows_next(&rows))
        expiring->due[expiring->count++] =
            (struct due){(uint32_t)souk_rows_int(&rows, 0),
                         {(souk_purse_kind)souk_rows_int(&rows, 1), souk_rows_int(&rows, 2)}};
    return souk_rows_check(&rows);
}

static souk_err expire_all(souk_tx *tx, void *context)
{
    struct expiring *expiring = context;
    SOUK_TRY(find_due(tx, expiring));
    for (size_t i = 0; i < expiring->count; i++) {
        souk_arena arena = {.mem = souk_mem_heap()};
        souk_plan plan = {
            .arena = &arena, .merchant = expiring->due[i].merchant, .at = expiring->now};
        points_held held = {.purse = expiring->due[i].purse};
        points_doing doing = {
            .tx = tx, .plan = &plan, .held = &held, .held_count = 1, .held_room = 1};
        souk_err err = points_hold(&doing);
        if (!err)
            err = points_lapse(tx, &held, expiring->now);
        souk_arena_done(&arena);
        SOUK_TRY(err);
    }
    return SOUK_OK;
}

souk_err souk_points_expire(souk_ledger *ledger, souk_time now, unsigned most, bool *ret_more)
{
    struct expiring expiring = {.now = now, .most = most};
    souk_mem *heap = souk_mem_heap();
    expiring.due = souk_mem_array(heap, most, sizeof *expiring.due);
    if (!expiring.due)
        return SOUK_ENOMEM;
    souk_err err = souk_ledger_write(ledger, SOUK_LANE_JOB, expire_all, &expiring);
    *ret_more = !err && expiring.count > 0; /* asked once more, it finds none */
    souk_mem_put(heap, expiring.due);
    return err;
}

/* ---- proving ---------------------------------------------------------------------------------------------------- */

struct rule {
    const char *sql; /* what breaks it: an id and two sums that should be equal */
    const char *noun, *has, *other;
};

static const struct rule rules[] = {
    {"SELECT id, points, lots FROM (SELECT a.id, a.points, CAST(coalesce((SELECT sum(l.rest) FROM "
     "loyalty_lot l WHERE l.account = a.id AND l.rest > 0), 0) AS BIGINT) AS lots "
     "FROM loyalty_account a) AS sums WHERE points <> lots LIMIT 1",
     "account", "points", "in its lots"},
    {"SELECT id, points, entries FROM (SELECT a.id, a.points, CAST(coalesce((SELECT sum(e.points) "
     "FROM loyalty_entry e WHERE e.account = a.id), 0) AS BIGINT) AS entries "
     "FROM loyalty_account a) AS sums WHERE points <> entries LIMIT 1",
     "account", "points", "by its entries"},
    {"SELECT id, owed, entries FROM (SELECT a.id, a.owed, CAST(coalesce((SELECT sum(e.owed) "
     "FROM loyalty_entry e WHERE e.account = a.id), 0) AS BIGINT) AS entries "
     "FROM loyalty_account a) AS sums WHERE owed <> entries LIMIT 1",
     "account", "points of debt", "by its entries"},
    {"SELECT l.lot, l.rest, l.points + coalesce(p.taken, 0) FROM loyalty_lot l LEFT JOIN "
     "(SELECT lot, CAST(sum(points) AS BIGINT) AS taken FROM loyalty_part GROUP BY lot) AS p "
     "ON p.lot = l.lot WHERE l.rest <> l.points + coalesce(p.taken, 0) LIMIT 1",
     "lot", "points left", "by its parts"},
    {"SELECT id, points, parts FROM (SELECT e.id, e.points, CAST(coalesce((SELECT sum(p.points) "
     "FROM loyalty_part p WHERE p.entry = e.id), 0) AS BIGINT) + coalesce((SELECT l.points FROM "
     "loyalty_lot l WHERE l.lot = e.id), 0) AS parts FROM loyalty_entry e) AS sums "
     "WHERE points <> parts LIMIT 1",
     "entry", "points", "by its parts"},
    {"SELECT entry, back, given FROM (SELECT min(b.id) AS entry, CAST(sum(coalesce((SELECT "
     "sum(p.back) FROM loyalty_part p WHERE p.entry = b.id), 0)) AS BIGINT) AS back, "
     "CAST(coalesce((SELECT sum(g.points) FROM loyalty_entry g WHERE g.receipt = b.receipt "
     "AND g.kind = 4 AND g.account = b.account), 0) AS BIGINT) AS given FROM loyalty_entry b "
     "WHERE b.kind = 2 GROUP BY b.receipt, b.account) AS sums WHERE back <> given LIMIT 1",
     "the burn of entry", "points marked as given back", "by entries"},
};

static souk_err verify_rule(souk_tx *tx, const struct rule *rule, souk_diag *diag)
{
    souk_auto_value(souk_rows) rows = {0};
    SOUK_TRY(souk_rows_begin(tx, rule->sql, SOUK_NO_VALUES, &rows));
    if (souk_rows_next(&rows))
        return souk_diag_say(diag, SOUK_ECORRUPT,
                             "points do not add up: %s %lld has %lld %s, and %lld %s", rule->noun,
                             (long long)souk_rows_int(&rows, 0), (long long)souk_rows_int(&rows, 1),
                             rule->has, (long long)souk_rows_int(&rows, 2), rule->other);
    return souk_rows_check(&rows);
}

static souk_err verify(souk_tx *tx, void *context)
{
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
        SOUK_TRY(verify_rule(tx, &rules[i], context));
    return SOUK_OK;
}

souk_err souk_points_verify(souk_ledger *ledger, souk_diag *diag)
{
    return souk_ledger_read(ledger, verify, diag);
}
