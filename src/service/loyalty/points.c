/* points.c - the tables, accounts held in order, earning and burning: see points.h. */
#include "service/loyalty/points_inside.h"

#include "service/loyalty/family.h"

#include <stdlib.h>

static const souk_migration steps[] = {
    {1,
     /* Whose points; its row is what a transaction locks. */
     "CREATE TABLE loyalty_account ("
     "  id       INTEGER PRIMARY KEY,"
     "  merchant INTEGER NOT NULL CHECK (merchant > 0),"
     "  kind     INTEGER NOT NULL CHECK (kind IN (1, 2))," /* souk_purse_kind */
     "  owner    INTEGER NOT NULL CHECK (owner > 0),"      /* the atom, or loyalty_family.id */
     "  points   INTEGER NOT NULL CHECK (points >= 0),"    /* sum of rests of its lots */
     "  owed     INTEGER NOT NULL CHECK (owed >= 0),"      /* clawed back and not there */
     "  UNIQUE (merchant, kind, owner));"
     /* What changed an account; never changed, never removed. */
     "CREATE TABLE loyalty_entry ("
     "  id        INTEGER PRIMARY KEY,"
     "  account   INTEGER NOT NULL,"                  /* loyalty_account.id */
     "  kind      INTEGER NOT NULL CHECK (kind > 0)," /* SOUK_POINTS_KINDS */
     "  at        INTEGER NOT NULL,"                  /* ms UTC */
     "  counts_at INTEGER NOT NULL," /* for tiers: of what is clawed, when it was earned */
     "  points    INTEGER NOT NULL," /* by which account.points changed */
     "  owed      INTEGER NOT NULL," /* by which account.owed changed */
     "  forgiven  INTEGER NOT NULL CHECK (forgiven >= 0),"
     "  spend     INTEGER NOT NULL," /* minor units that count for tiers; below zero: no longer */
     "  receipt   BLOB NOT NULL CHECK (length(receipt) = 16),"
     "  reason    TEXT NOT NULL,"  /* '' but by hand */
     "  by        TEXT NOT NULL);" /* who, by hand */
     "CREATE INDEX loyalty_entry_account ON loyalty_entry (account, id);"
     "CREATE INDEX loyalty_entry_receipt ON loyalty_entry (receipt);"
     /* What an entry brought, and what is left of it. */
     "CREATE TABLE loyalty_lot ("
     "  lot     INTEGER NOT NULL," /* loyalty_entry.id of what made it */
     "  account INTEGER NOT NULL,"
     "  expires INTEGER NOT NULL,"                     /* ms UTC: not to be burnt from then on */
     "  points  INTEGER NOT NULL CHECK (points >= 0)," /* as it was made; 0: a receipt that counts for tiers alone */
     "  rest    INTEGER NOT NULL CHECK (rest >= 0)," /* that are still there */
     "  lapsed  INTEGER NOT NULL CHECK (lapsed >= 0)," /* that expired and were not clawed back since */
     "  shares  BLOB NOT NULL," /* by line: line, points, spend as varints, see points_back.c */
     "  PRIMARY KEY (lot),"
     "  CHECK (rest + lapsed <= points));"
     "CREATE INDEX loyalty_lot_open ON loyalty_lot (account, expires, lot) WHERE rest > 0;"
     "CREATE INDEX loyalty_lot_expires ON loyalty_lot (expires, account) WHERE rest > 0;"
     /* From which lots an entry took (below zero), or into which it put. */
     "CREATE TABLE loyalty_part ("
     "  entry  INTEGER NOT NULL,"
     "  lot    INTEGER NOT NULL,"
     "  points INTEGER NOT NULL CHECK (points <> 0),"
     "  back   INTEGER NOT NULL CHECK (back >= 0)," /* of what it burnt: given back since */
     "  PRIMARY KEY (entry, lot),"
     "  CHECK (back = 0 OR back <= -points)) WITHOUT ROWID;"
     /* How much of a line that earned came back. */
     "CREATE TABLE loyalty_back ("
     "  lot      INTEGER NOT NULL,"
     "  line     INTEGER NOT NULL CHECK (line > 0),"
     "  quantity INTEGER NOT NULL CHECK (quantity > 0)," /* x 1e-6 */
     "  PRIMARY KEY (lot, line)) WITHOUT ROWID"},
};

souk_err souk_points_migrate(souk_ledger *ledger, souk_diag *diag)
{
    return souk_ledger_migrate(ledger, "loyalty", steps, sizeof steps / sizeof *steps, diag);
}

const char *souk_points_word(int64_t kind)
{
    switch (kind) {
#define POINTS_WORD(name, number, word) \
    case number:                        \
        return word;
        SOUK_POINTS_KINDS(POINTS_WORD)
#undef POINTS_WORD
    default:
        return NULL;
    }
}

/* ---- accounts ------------------------------------------------------------------------------------------ */

points_held *points_find(points_doing *doing, souk_purse purse)
{
    for (size_t i = 0; i < doing->held_count; i++)
        if (doing->held[i].purse.kind == purse.kind && doing->held[i].purse.owner == purse.owner)
            return &doing->held[i];
    return NULL;
}

points_held *points_find_id(points_doing *doing, int64_t account)
{
    for (size_t i = 0; i < doing->held_count; i++)
        if (doing->held[i].id == account)
            return &doing->held[i];
    return NULL;
}

souk_err points_want(points_doing *doing, souk_purse purse, points_held **ret_held)
{
    points_held *there = points_find(doing, purse);
    if (!there && doing->held_count == doing->held_room) {
        size_t room = doing->held_room ? 2 * doing->held_room : 8;
        points_held *grown = souk_arena_get(doing->plan->arena, room * sizeof *grown);
        if (doing->plan->arena->failed)
            return SOUK_ENOMEM;
        if (doing->held_count)
            memcpy(grown, doing->held, doing->held_count * sizeof *grown);
        doing->held = grown;
        doing->held_room = room;
    }
    if (!there) {
        there = &doing->held[doing->held_count++];
        *there = (points_held){.purse = purse};
    }
    *ret_held = there;
    return SOUK_OK;
}

static int by_purse(const void *left, const void *right)
{
    const souk_purse *a = &((const points_held *)left)->purse;
    const souk_purse *b = &((const points_held *)right)->purse;
    if (a->kind != b->kind)
        return a->kind < b->kind ? -1 : 1;
    return (a->owner > b->owner) - (a->owner < b->owner);
}

/* Takes and adds what is known beforehand, under its predicate; the row is this transaction's from here on. */
static souk_err hold_row(points_doing *doing, points_held *held, bool *ret_held)
{
    souk_auto_value(souk_rows) rows = {0};
    SOUK_TRY(souk_rows_begin(doing->tx,
                             "UPDATE loyalty_account SET points = points - ?4 + ?5 "
                             "WHERE merchant = ?1 AND kind = ?2 AND owner = ?3 AND points >= ?4 "
                             "AND points - ?4 + ?5 <= 1000000000000 RETURNING id, owed",
                             SOUK_VALUES(SOUK_INT(doing->plan->merchant),
                                         SOUK_INT(held->purse.kind), SOUK_INT(held->purse.owner),
                                         SOUK_INT(held->minus), SOUK_INT(held->plus)),
                             &rows));
    *ret_held = souk_rows_next(&rows);
    if (*ret_held) {
        held->id = souk_rows_int(&rows, 0);
        held->owed = souk_rows_int(&rows, 1);
    }
    return souk_rows_check(&rows);
}

/* For words: nothing is decided by it. */
static souk_err say_too_few(points_doing *doing, int64_t wanted, souk_time at,
                            const souk_purse *purses, size_t count)
{
    souk_points_balance balance;
    SOUK_TRY(souk_points_read(doing->tx, doing->plan->merchant, purses, count, at, &balance));
    return souk_diag_say(&doing->plan->diag, SOUK_ECONFLICT,
                         "%lld points are there, and %lld are to be burnt: burn fewer",
                         (long long)balance.points, (long long)wanted);
}

static souk_err create_row(points_doing *doing, const points_held *held)
{
    return souk_sql_run(doing->tx,
                        "INSERT INTO loyalty_account (merchant, kind, owner, points, owed) "
                        "VALUES (?1, ?2, ?3, 0, 0) ON CONFLICT (merchant, kind, owner) DO NOTHING",
                        SOUK_VALUES(SOUK_INT(doing->plan->merchant), SOUK_INT(held->purse.kind),
                                    SOUK_INT(held->purse.owner)));
}

static souk_err hold_one(points_doing *doing, points_held *held)
{
    bool done;
    SOUK_TRY(hold_row(doing, held, &done));
    if (!done && held->creates) {
        SOUK_TRY(create_row(doing, held));
        SOUK_TRY(hold_row(doing, held, &done));
    }
    if (done || (held->minus == 0 && held->plus == 0))
        return SOUK_OK; /* or there is none, and nothing is taken from it alone */
    if (held->minus)
        return say_too_few(doing, held->minus, doing->plan->at, &held->purse, 1);
    return souk_diag_say(&doing->plan->diag, SOUK_EOVERFLOW,
                         "an account holds at most %lld points: these are too many",
                         (long long)SOUK_POINTS_MOST);
}

souk_err points_hold(points_doing *doing)
{
    if (doing->held_count)
        qsort(doing->held, doing->held_count, sizeof *doing->held, by_purse);
    for (size_t i = 0; i < doing->held_count; i++)
        SOUK_TRY(hold_one(doing, &doing->held[i]));
    return SOUK_OK;
}

souk_err points_change(souk_tx *tx, points_held *held, int64_t points, int64_t owed)
{
    SOUK_TRY(souk_sql_run(
        tx,
        "UPDATE loyalty_account SET points = points + ?2, owed = owed + ?3 "
        "WHERE id = ?1 AND owed = ?4 AND points + ?2 BETWEEN 0 AND 1000000000000",
        SOUK_VALUES(SOUK_INT(held->id), SOUK_INT(points), SOUK_INT(owed), SOUK_INT(held->owed))));
    held->owed += owed;
    return souk_sql_changed(tx) == 1 ? SOUK_OK : SOUK_EOVERFLOW;
}

/* ---- entries ------------------------------------------------------------------------------------------- */

souk_err points_write_entry(souk_tx *tx, int64_t account, const points_note *note,
                            int64_t *ret_entry)
{
    return souk_sql_one_int(
        tx,
        "INSERT INTO loyalty_entry (account, kind, at, counts_at, points, owed, forgiven, spend, "
        "receipt, reason, by) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11) RETURNING id",
        SOUK_VALUES(SOUK_INT(account), SOUK_INT(note->kind), SOUK_INT(note->at),
                    SOUK_INT(note->counts_at), SOUK_INT(note->points), SOUK_INT(note->owed),
                    SOUK_INT(note->forgiven), SOUK_INT(note->spend_minor),
                    SOUK_BLOB(&note->receipt, sizeof note->receipt), SOUK_STR(note->reason),
                    SOUK_STR(note->by)),
        ret_entry);
}

static souk_err write_parts(souk_tx *tx, int64_t account, int64_t entry, int64_t points,
                            souk_time at, int64_t first_lot, int64_t *ret_taken)
{
    souk_auto_value(souk_rows) rows = {0};
    *ret_taken = 0;
    SOUK_TRY(souk_rows_begin(
        tx,
        "INSERT INTO loyalty_part (entry, lot, points, back) "
        "SELECT ?1, lot, CASE WHEN before + rest > ?3 THEN before - ?3 ELSE -rest END, 0 FROM ("
        "  SELECT lot, rest, CAST(sum(rest) OVER ("
        "    ORDER BY CASE WHEN lot = ?5 THEN 0 ELSE 1 END, expires, lot) AS BIGINT) - rest AS "
        "before"
        "  FROM loyalty_lot WHERE account = ?2 AND rest > 0 AND expires > ?4) AS open "
        "WHERE before < ?3 RETURNING points",
        SOUK_VALUES(SOUK_INT(entry), SOUK_INT(account), SOUK_INT(points), SOUK_INT(at),
                    SOUK_INT(first_lot)),
        &rows));
    while (souk_rows_next(&rows))
        *ret_taken -= souk_rows_int(&rows, 0);
    return souk_rows_check(&rows);
}

souk_err points_take(souk_tx *tx, int64_t account, int64_t entry, int64_t points, souk_time at,
                     int64_t first_lot, int64_t *ret_taken)
{
    SOUK_TRY(write_parts(tx, account, entry, points, at, first_lot, ret_taken));
    if (*ret_taken == 0)
        return SOUK_OK;
    return souk_sql_run(tx,
                        "UPDATE loyalty_lot SET rest = rest + (SELECT p.points FROM loyalty_part p "
                        "WHERE p.entry = ?1 AND p.lot = loyalty_lot.lot) "
                        "WHERE lot IN (SELECT lot FROM loyalty_part WHERE entry = ?1)",
                        SOUK_VALUES(SOUK_INT(entry)));
}

souk_err points_settle(points_doing *doing, points_held *held, souk_time at)
{
    int64_t entry, taken;
    if (held->owed == 0)
        return SOUK_OK;
    souk_points_balance balance;
    SOUK_TRY(souk_points_read(doing->tx, doing->plan->merchant, &held->purse, 1, at, &balance));
    int64_t pays = balance.points < held->owed ? balance.points : held->owed;
    if (pays == 0)
        return SOUK_OK;
    points_note note = {
        .kind = SOUK_POINTS_SETTLED, .at = at, .counts_at = at, .points = -pays, .owed = -pays};
    SOUK_TRY(points_write_entry(doing->tx, held->id, &note, &entry));
    SOUK_TRY(points_take(doing->tx, held->id, entry, pays, at, 0, &taken));
    if (taken != pays)
        return SOUK_ERETRY;
    return points_change(doing->tx, held, -pays, -pays);
}

/* ---- earning ------------------------------------------------------------------------------------------- */

static souk_err write_lot(points_doing *doing, const souk_points_act *act, int64_t account,
                          int64_t points)
{
    souk_auto_value(souk_buf) shares = {.mem = doing->plan->arena->mem};
    for (size_t i = 0; i < act->share_count; i++) {
        souk_buf_varint(&shares, act->shares[i].line);
        souk_buf_varint(&shares, (uint64_t)act->shares[i].points);
        souk_buf_varint(&shares, (uint64_t)act->shares[i].spend_minor);
    }
    SOUK_TRY(souk_buf_check(&shares));
    return souk_sql_run(doing->tx,
                        "INSERT INTO loyalty_lot (lot, account, expires, points, rest, lapsed, "
                        "shares) VALUES (?1, ?2, ?3, ?4, ?4, 0, ?5)",
                        SOUK_VALUES(SOUK_INT(act->entry), SOUK_INT(account), SOUK_INT(act->expires),
                                    SOUK_INT(points), SOUK_BLOB(shares.at, shares.bytes)));
}

static souk_err earn(points_doing *doing, souk_points_act *act, int64_t points)
{
    points_held *held = points_find(doing, act->purses[0]);
    points_note note = {.kind = act->kind,
                        .at = act->at,
                        .counts_at = act->at,
                        .points = points,
                        .spend_minor = act->spend_minor,
                        .receipt = act->receipt,
                        .reason = act->reason,
                        .by = act->by};
    if (points == 0 && act->spend_minor == 0)
        return SOUK_OK;
    SOUK_TRY(points_write_entry(doing->tx, held->id, &note, &act->entry));
    act->points = points;
    if (points || act->share_count)
        SOUK_TRY(write_lot(doing, act, held->id, points));
    if (act->tiers && act->tiers->level_count)
        SOUK_TRY(souk_tiers_touch(doing->tx, act->tiers, held->id, act->at, &act->standing));
    return points_settle(doing, held, act->at);
}

/* ---- burning ------------------------------------------------------------------------------------------- */

static souk_err draw(points_doing *doing, const souk_points_act *act, souk_purse purse,
                     int64_t points)
{
    if (purse.kind != SOUK_PURSE_FAMILY || act->member == 0)
        return SOUK_OK;
    return souk_family_draw(doing->tx, purse.owner, act->member, points, act->at,
                            &doing->plan->diag);
}

/* `changed`: the account's own row is lowered already. */
static souk_err burn_one(points_doing *doing, souk_points_act *act, points_held *held,
                         int64_t points, bool changed)
{
    int64_t taken;
    points_note note = {.kind = act->kind,
                        .at = act->at,
                        .counts_at = act->at,
                        .points = -points,
                        .receipt = act->receipt,
                        .reason = act->reason,
                        .by = act->by};
    SOUK_TRY(points_write_entry(doing->tx, held->id, &note, &act->entry));
    SOUK_TRY(points_take(doing->tx, held->id, act->entry, points, act->at, 0, &taken));
    if (taken != points)
        return say_too_few(doing, points, act->at, &held->purse, 1);
    if (!changed)
        SOUK_TRY(points_change(doing->tx, held, -points, 0));
    act->points -= points;
    return draw(doing, act, held->purse, points);
}

/* How much of each account a burn over several takes: first in first out over all of them, and of a pot no more than
 * its member may draw.  They are held: nobody changes it meanwhile. */
static souk_err split(points_doing *doing, const souk_points_act *act, int64_t points,
                      int64_t *parts, int64_t *limits)
{
    souk_value values[SOUK_PURSES_MOST + 1];
    souk_auto_value(souk_rows) rows = {0};
    for (size_t i = 0; i < SOUK_PURSES_MOST; i++) {
        const points_held *held = i < act->purse_count ? points_find(doing, act->purses[i]) : NULL;
        values[i] = SOUK_INT(held ? held->id : 0);
    }
    values[SOUK_PURSES_MOST] = SOUK_INT(act->at);
    SOUK_TRY(souk_rows_begin(
        doing->tx,
        "SELECT account, rest FROM loyalty_lot WHERE account IN (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, "
        "?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26, "
        "?27, ?28, ?29, ?30, ?31, ?32, ?33, ?34, ?35, ?36, ?37, ?38, ?39, ?40, ?41, ?42, ?43, ?44, "
        "?45, ?46, ?47, ?48, ?49, ?50, ?51, ?52, ?53, ?54, ?55, ?56, ?57, ?58, ?59, ?60, ?61, ?62, "
        "?63, ?64) AND rest > 0 AND expires > ?65 ORDER BY expires, lot",
        values, SOUK_PURSES_MOST + 1, &rows));
    while (points > 0 && souk_rows_next(&rows)) {
        int64_t account = souk_rows_int(&rows, 0), rest = souk_rows_int(&rows, 1);
        size_t at = 0;
        while (values[at].integer != account)
            at++;
        int64_t takes = rest < points ? rest : points;
        takes = takes < limits[at] ? takes : limits[at];
        parts[at] += takes;
        limits[at] -= takes;
        points -= takes;
    }
    SOUK_TRY(souk_rows_check(&rows));
    return points == 0 ? SOUK_OK : SOUK_ECONFLICT;
}

static souk_err burn_several(points_doing *doing, souk_points_act *act, int64_t points)
{
    int64_t parts[SOUK_PURSES_MOST] = {0}, limits[SOUK_PURSES_MOST];
    for (size_t i = 0; i < act->purse_count; i++) {
        limits[i] = INT64_MAX;
        if (act->purses[i].kind == SOUK_PURSE_FAMILY && act->member)
            SOUK_TRY(souk_family_room(doing->tx, act->purses[i].owner, act->member, act->at,
                                      &limits[i]));
    }
    souk_err err = split(doing, act, points, parts, limits);
    if (err == SOUK_ECONFLICT)
        return say_too_few(doing, points, act->at, act->purses, act->purse_count);
    SOUK_TRY(err);
    for (size_t i = 0; i < act->purse_count; i++)
        if (parts[i])
            SOUK_TRY(burn_one(doing, act, points_find(doing, act->purses[i]), parts[i], false));
    return SOUK_OK;
}

static souk_err burn(points_doing *doing, souk_points_act *act, int64_t points)
{
    if (points == 0)
        return SOUK_OK;
    if (act->purse_count > 1)
        return burn_several(doing, act, points);
    return burn_one(doing, act, points_find(doing, act->purses[0]), points, true);
}

/* ---- the owner ----------------------------------------------------------------------------------------- */

static souk_err check(const souk_effect *effect, souk_diag *diag)
{
    const souk_points_act *act = effect->what;
    int64_t sum = 0;
    bool names_none = act->kind == SOUK_POINTS_CLAWED || act->kind == SOUK_POINTS_GIVEN;
    bool by_hand = act->kind == SOUK_POINTS_ADJUSTED;
    souk_assert(act->kind == SOUK_POINTS_EARNED || act->kind == SOUK_POINTS_BURNED || names_none ||
                by_hand);
    if (effect->amount > SOUK_POINTS_MOST || effect->amount < (by_hand ? -SOUK_POINTS_MOST : 0))
        return souk_diag_say(diag, SOUK_EINVAL, "points are a number from %s to 10^12",
                             by_hand ? "-10^12" : "0");
    if (act->purse_count > SOUK_PURSES_MOST)
        return souk_diag_say(diag, SOUK_ETOOBIG,
                             "this person has more than %d accounts: merge fewer shoppers",
                             SOUK_PURSES_MOST);
    souk_assert(names_none ? act->purse_count == 0 : act->purse_count > 0);
    souk_assert(act->kind == SOUK_POINTS_BURNED || act->purse_count <= 1);
    if (act->share_count > SOUK_POINTS_LINES_MOST || act->back_count > SOUK_POINTS_LINES_MOST)
        return souk_diag_say(diag, SOUK_ETOOBIG, "a receipt earns by at most %d lines",
                             SOUK_POINTS_LINES_MOST);
    if (act->reason.bytes > SOUK_POINTS_REASON_BYTES || act->by.bytes > SOUK_POINTS_BY_BYTES)
        return souk_diag_say(diag, SOUK_EINVAL, "a reason has at most %d bytes, a name %d",
                             SOUK_POINTS_REASON_BYTES, SOUK_POINTS_BY_BYTES);
    for (size_t i = 0; i < act->share_count; i++)
        sum += act->shares[i].points;
    souk_assert(act->share_count == 0 || sum == effect->amount);
    return SOUK_OK;
}

static souk_err want(points_doing *doing, const souk_effect *effect)
{
    const souk_points_act *act = effect->what;
    bool alone = act->purse_count == 1;
    if (act->kind == SOUK_POINTS_CLAWED)
        return points_want_receipt(doing, act->receipt, SOUK_POINTS_EARNED);
    if (act->kind == SOUK_POINTS_GIVEN)
        return points_want_receipt(doing, act->receipt, SOUK_POINTS_BURNED);
    for (size_t i = 0; i < act->purse_count; i++) {
        points_held *held;
        SOUK_TRY(points_want(doing, act->purses[i], &held));
        bool burns = act->kind == SOUK_POINTS_BURNED || effect->amount < 0;
        if (burns && alone)
            held->minus += effect->amount < 0 ? -effect->amount : effect->amount;
        else if (!burns)
            held->plus += effect->amount;
        held->creates |= !burns;
    }
    return SOUK_OK;
}

static souk_err act_on(points_doing *doing, const souk_effect *effect)
{
    souk_points_act *act = effect->what;
    switch (act->kind) {
    case SOUK_POINTS_EARNED:
        return earn(doing, act, effect->amount);
    case SOUK_POINTS_BURNED:
        return burn(doing, act, effect->amount);
    case SOUK_POINTS_CLAWED:
        return points_claw(doing, act);
    case SOUK_POINTS_GIVEN:
        return points_give(doing, act, effect->amount);
    case SOUK_POINTS_ADJUSTED:
        return effect->amount < 0 ? burn(doing, act, -effect->amount)
                                  : earn(doing, act, effect->amount);
    default:
        return SOUK_EINVAL;
    }
}

souk_err souk_points_apply(void *state, souk_tx *tx, souk_plan *plan, const souk_effect *effects,
                           size_t count)
{
    /* What a basket earns cannot pay for it, so burning comes first; what it gives back cannot be clawed as somebody
     * else's. */
    static const souk_points_kind order[] = {SOUK_POINTS_BURNED, SOUK_POINTS_GIVEN,
                                             SOUK_POINTS_CLAWED, SOUK_POINTS_EARNED,
                                             SOUK_POINTS_ADJUSTED};
    points_doing doing = {.tx = tx, .plan = plan};
    (void)state;
    for (size_t i = 0; i < count; i++) {
        souk_points_act *act = effects[i].what;
        SOUK_TRY(check(&effects[i], &plan->diag));
        act->points = act->forgiven = act->entry = 0;
        SOUK_TRY(want(&doing, &effects[i]));
    }
    SOUK_TRY(points_hold(&doing));
    for (size_t step = 0; step < sizeof order / sizeof *order; step++)
        for (size_t i = 0; i < count; i++)
            if (((souk_points_act *)effects[i].what)->kind == order[step])
                SOUK_TRY(act_on(&doing, &effects[i]));
    return SOUK_OK;
}
