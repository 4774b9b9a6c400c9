/* tiers.c - a standing for each account that reached a level, and every change of one: see tiers.h. */
#include "service/loyalty/tiers.h"

#define YEAR_MS (INT64_C(365) * SOUK_DAY_MS)

static const souk_migration steps[] = {
    {1, "CREATE TABLE loyalty_standing ("
        "  account INTEGER NOT NULL,"                                     /* loyalty_account.id */
        "  level   TEXT NOT NULL CHECK (length(level) BETWEEN 1 AND 40)," /* by its name */
        "  since   INTEGER NOT NULL,"                                     /* ms UTC */
        "  until   INTEGER NOT NULL," /* ms UTC: the end of its year */
        "  due     INTEGER NOT NULL," /* ms UTC: when a job looks again */
        "  PRIMARY KEY (account));"
        "CREATE INDEX loyalty_standing_due ON loyalty_standing (due);"
        /* Never changed, never removed. */
        "CREATE TABLE loyalty_tier_change ("
        "  id      INTEGER PRIMARY KEY,"
        "  account INTEGER NOT NULL,"
        "  at      INTEGER NOT NULL,"  /* ms UTC */
        "  before  TEXT NOT NULL,"     /* a level's name; '': none */
        "  after   TEXT NOT NULL,"     /* the same as before: renewed */
        "  counted INTEGER NOT NULL);" /* in the year, by which it was decided */
        "CREATE INDEX loyalty_tier_change_account ON loyalty_tier_change (account, id)"},
};

souk_err souk_tiers_migrate(souk_ledger *ledger, souk_diag *diag)
{
    return souk_ledger_migrate(ledger, "loyalty_tier", steps, sizeof steps / sizeof *steps, diag);
}

/* ---- judging ------------------------------------------------------------------------------------------------ */

static size_t level_of(const souk_tiers *tiers, int64_t counted)
{
    size_t level = 0;
    while (level < tiers->level_count && counted >= tiers->levels[level].from)
        level++;
    return level;
}

static souk_time year_start(souk_time at)
{
    souk_date date = souk_date_of(souk_time_day(at));
    return souk_date_day((souk_date){date.year, 1, 1}) * SOUK_DAY_MS;
}

souk_time souk_tiers_end(const souk_tiers *tiers, souk_time at)
{
    souk_date date = souk_date_of(souk_time_day(at));
    return tiers->calendar ? souk_date_day((souk_date){date.year + 1, 1, 1}) * SOUK_DAY_MS
                           : at + YEAR_MS;
}

/* The year that runs at a moment, the moment itself included. */
static souk_err level_at(const souk_tiers *tiers, souk_time at, souk_tiers_count *count,
                         void *context, int64_t *ret_counted, size_t *ret_level)
{
    souk_time from = tiers->calendar ? year_start(at) : at - YEAR_MS + 1;
    SOUK_TRY(count(context, from, at + 1, ret_counted));
    *ret_level = level_of(tiers, *ret_counted);
    return SOUK_OK;
}

/* The year that ended at a moment. */
static souk_err level_before(const souk_tiers *tiers, souk_time until, souk_tiers_count *count,
                             void *context, size_t *ret_level)
{
    souk_time from = tiers->calendar ? year_start(until - 1) : until - YEAR_MS;
    int64_t counted;
    SOUK_TRY(count(context, from, until, &counted));
    *ret_level = level_of(tiers, counted);
    return SOUK_OK;
}

/* One end of a year: the level is renewed, in its grace, or lower from the grace's end on. */
static souk_err end_year(const souk_tiers *tiers, souk_standing *standing, souk_time at,
                         souk_tiers_count *count, void *context)
{
    size_t before, now;
    int64_t counted;
    souk_time end = standing->until + tiers->grace_ms;
    SOUK_TRY(level_before(tiers, standing->until, count, context, &before));
    if (before >= standing->level) {
        standing->until = souk_tiers_end(tiers, standing->until);
        return SOUK_OK;
    }
    souk_time moment = at < end ? at : end;
    SOUK_TRY(level_at(tiers, moment, count, context, &counted, &now));
    if (now >= standing->level) {
        standing->until = souk_tiers_end(tiers, moment);
        return SOUK_OK;
    }
    standing->in_grace = at < end;
    if (standing->in_grace)
        return SOUK_OK;
    size_t level = now > before ? now : before;
    *standing =
        level ? (souk_standing){.level = level, .since = end, .until = souk_tiers_end(tiers, end)}
              : (souk_standing){.since = end};
    return SOUK_OK;
}

souk_err souk_tiers_judge(const souk_tiers *tiers, souk_standing standing, souk_time at,
                          souk_tiers_count *count, void *context, souk_standing *ret_standing)
{
    size_t now;
    standing.in_grace = false;
    while (standing.level && at >= standing.until && !standing.in_grace)
        SOUK_TRY(end_year(tiers, &standing, at, count, context));
    SOUK_TRY(level_at(tiers, at, count, context, &standing.counted, &now));
    if (now > standing.level) {
        standing.level = now;
        standing.since = at;
        standing.until = souk_tiers_end(tiers, at);
        standing.in_grace = false;
    }
    standing.missing = 0;
    if (standing.level < tiers->level_count &&
        tiers->levels[standing.level].from > standing.counted)
        standing.missing = tiers->levels[standing.level].from - standing.counted;
    *ret_standing = standing;
    return SOUK_OK;
}

/* ---- sums ---------------------------------------------------------------------------------------------------- */

struct summing {
    souk_tx *tx;
    const souk_tiers *tiers;
    int64_t account;
};

static souk_err count_entries(void *context, souk_time from, souk_time to, int64_t *ret_counted)
{
    const struct summing *summing = context;
    return souk_sql_one_int(
        summing->tx,
        "SELECT CAST(coalesce(sum(CASE WHEN ?4 = 0 THEN spend WHEN kind = 1 THEN points "
        "ELSE points - owed - forgiven END), 0) AS BIGINT) FROM loyalty_entry "
        "WHERE account = ?1 AND kind IN (1, 3) AND counts_at >= ?2 AND counts_at < ?3",
        SOUK_VALUES(SOUK_INT(summing->account), SOUK_INT(from), SOUK_INT(to),
                    SOUK_INT(summing->tiers->by_points)),
        ret_counted);
}

/* ---- standings ------------------------------------------------------------------------------------------------ */

static size_t level_named(const souk_tiers *tiers, souk_text name)
{
    for (size_t i = 0; i < tiers->level_count; i++)
        if (souk_text_equal(tiers->levels[i].name, name))
            return i + 1;
    return 0; /* the programme has it no more */
}

static souk_text name_of(const souk_tiers *tiers, size_t level)
{
    return level ? tiers->levels[level - 1].name : SOUK_TEXT("");
}

struct kept { /* as it is stored */
    souk_standing standing;
    bool there;
    char name[SOUK_TIER_NAME_BYTES + 1];
};

static souk_err read_kept(souk_tx *tx, const souk_tiers *tiers, int64_t account, struct kept *kept)
{
    souk_auto_value(souk_rows) rows = {0};
    *kept = (struct kept){.there = false};
    SOUK_TRY(souk_rows_begin(tx,
                             "SELECT level, since, until FROM loyalty_standing WHERE account = ?1",
                             SOUK_VALUES(SOUK_INT(account)), &rows));
    if (souk_rows_next(&rows)) {
        souk_text name = souk_rows_text(&rows, 0);
        if (name.bytes > SOUK_TIER_NAME_BYTES)
            return SOUK_ECORRUPT;
        memcpy(kept->name, name.at, name.bytes);
        kept->there = true;
        kept->standing = (souk_standing){.level = level_named(tiers, name),
                                         .since = souk_rows_int(&rows, 1),
                                         .until = souk_rows_int(&rows, 2)};
    }
    return souk_rows_check(&rows);
}

static souk_err judge(souk_tx *tx, const souk_tiers *tiers, int64_t account, souk_time at,
                      struct kept *ret_kept, souk_standing *ret_standing)
{
    struct summing summing = {tx, tiers, account};
    SOUK_TRY(read_kept(tx, tiers, account, ret_kept));
    return souk_tiers_judge(tiers, ret_kept->standing, at, count_entries, &summing, ret_standing);
}

souk_err souk_tiers_read(souk_tx *tx, const souk_tiers *tiers, int64_t account, souk_time at,
                         souk_standing *ret_standing)
{
    struct kept kept;
    return judge(tx, tiers, account, at, &kept, ret_standing);
}

static souk_err write_change(souk_tx *tx, const souk_tiers *tiers, int64_t account,
                             const struct kept *kept, const souk_standing *standing, souk_time at)
{
    return souk_sql_run(
        tx,
        "INSERT INTO loyalty_tier_change (account, at, before, after, counted) "
        "VALUES (?1, ?2, ?3, ?4, ?5)",
        SOUK_VALUES(SOUK_INT(account), SOUK_INT(at), SOUK_STR(souk_text_of(kept->name)),
                    SOUK_STR(name_of(tiers, standing->level)), SOUK_INT(standing->counted)));
}

static souk_err write_standing(souk_tx *tx, const souk_tiers *tiers, int64_t account,
                               const souk_standing *standing, souk_time due)
{
    if (standing->level == 0)
        return souk_sql_run(tx, "DELETE FROM loyalty_standing WHERE account = ?1",
                            SOUK_VALUES(SOUK_INT(account)));
    return souk_sql_run(tx,
                        "INSERT INTO loyalty_standing (account, level, since, until, due) "
                        "VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (account) "
                        "DO UPDATE SET level = ?2, since = ?3, until = ?4, due = ?5",
                        SOUK_VALUES(SOUK_INT(account), SOUK_STR(name_of(tiers, standing->level)),
                                    SOUK_INT(standing->since), SOUK_INT(standing->until),
                                    SOUK_INT(due)));
}

souk_err souk_tiers_touch(souk_tx *tx, const souk_tiers *tiers, int64_t account, souk_time at,
                          souk_standing *ret_standing)
{
    struct kept kept;
    SOUK_TRY(judge(tx, tiers, account, at, &kept, ret_standing));
    const souk_standing *next = ret_standing;
    bool same = next->level == kept.standing.level && next->until == kept.standing.until &&
                (kept.there == (next->level > 0));
    souk_time due = next->in_grace ? next->until + tiers->grace_ms : next->until;
    if (same && !next->in_grace)
        return SOUK_OK;
    if (!same)
        SOUK_TRY(write_change(tx, tiers, account, &kept, next, at));
    return write_standing(tx, tiers, account, next, due);
}

/* ---- the job ---------------------------------------------------------------------------------------------------- */

struct review {
    uint32_t merchant;
    const souk_tiers *tiers;
    souk_time now;
    unsigned most;
    int64_t *accounts; /* [most] */
    size_t count;
};

static souk_err find_due(souk_tx *tx, struct review *review)
{
    souk_auto_value(souk_rows) rows = {0};
    review->count = 0;
    SOUK_TRY(souk_rows_begin(
        tx,
        "SELECT id FROM (SELECT a.id, a.kind, a.owner FROM loyalty_standing s "
        /* the order of the tables is that of the search: few are due */
        "CROSS JOIN loyalty_account a WHERE a.id = s.account AND s.due <= ?1 AND a.merchant = ?2 "
        "ORDER BY s.due LIMIT ?3) AS due ORDER BY kind, owner",
        SOUK_VALUES(SOUK_INT(review->now), SOUK_INT(review->merchant), SOUK_INT(review->most)),
        &rows));
    while (souk_rows_next(&rows))
        review->accounts[review->count++] = souk_rows_int(&rows, 0);
    return souk_rows_check(&rows);
}

static souk_err review_all(souk_tx *tx, void *context)
{
    struct review *review = context;
    SOUK_TRY(find_due(tx, review));
    for (size_t i = 0; i < review->count; i++) {
        souk_standing standing;
        SOUK_TRY(souk_sql_run(tx, "UPDATE loyalty_account SET points = points WHERE id = ?1",
                              SOUK_VALUES(SOUK_INT(review->accounts[i]))));
        SOUK_TRY(souk_tiers_touch(tx, review->tiers, review->accounts[i], review->now, &standing));
    }
    return SOUK_OK;
}

souk_err souk_tiers_review(souk_ledger *ledger, uint32_t merchant, const souk_tiers *tiers,
                           souk_time now, unsigned most, bool *ret_more)
{
    souk_mem *heap = souk_mem_heap();
    struct review review = {.merchant = merchant, .tiers = tiers, .now = now, .most = most};
    review.accounts = souk_mem_array(heap, most, sizeof *review.accounts);
    if (!review.accounts)
        return SOUK_ENOMEM;
    souk_err err = souk_ledger_write(ledger, SOUK_LANE_JOB, review_all, &review);
    *ret_more = !err && review.count == most;
    souk_mem_put(heap, review.accounts);
    return err;
}

/* ---- reading ------------------------------------------------------------------------------------------------------ */

souk_err souk_tiers_changes(souk_tx *tx, int64_t account, unsigned most,
                            souk_err (*each)(void *context, const souk_tier_change *change),
                            void *context)
{
    souk_auto_value(souk_rows) rows = {0};
    SOUK_TRY(souk_rows_begin(tx,
                             "SELECT id, at, before, after, counted FROM loyalty_tier_change "
                             "WHERE account = ?1 ORDER BY id DESC LIMIT ?2",
                             SOUK_VALUES(SOUK_INT(account), SOUK_INT(most)), &rows));
    while (souk_rows_next(&rows)) {
        souk_tier_change change = {souk_rows_int(&rows, 0), souk_rows_int(&rows, 1),
                                   souk_rows_text(&rows, 2), souk_rows_text(&rows, 3),
                                   souk_rows_int(&rows, 4)};
        SOUK_TRY(each(context, &change));
    }
    return souk_rows_check(&rows);
}

souk_err souk_tiers_account(souk_tx *tx, uint32_t merchant, int kind, int64_t owner,
                            int64_t *ret_account)
{
    *ret_account = 0;
    souk_err err = souk_sql_one_int(
        tx, "SELECT id FROM loyalty_account WHERE merchant = ?1 AND kind = ?2 AND owner = ?3",
        SOUK_VALUES(SOUK_INT(merchant), SOUK_INT(kind), SOUK_INT(owner)), ret_account);
    return err == SOUK_ENOENT ? SOUK_OK : err;
}
