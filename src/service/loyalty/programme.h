/* programme.h - how a merchant's points are earned, what they are worth, how long they hold: one document.
 *
 *     PUT /v1/loyalty/programme
 *     {"name":"Tea Club","currency":"EUR",
 *      "earn":{"points":1,"per":"1.00","round":"down","by":"receipt","least":"5.00","rules_go":"highest",
 *              "rules":[{"name":"double tea","tags":["tea"],"multiply":2,"weekdays":["tue"]},
 *                       {"name":"none on tobacco","tags":["tobacco"],"multiply":0}]},
 *      "expire":{"months":24,"end_of":"month"},
 *      "worth":{"points":100,"amount":"1.00","least":100,"step":100},
 *      "returns":{"debt":1000,"grace_days":14},
 *      "tiers":{"by":"spend","year":"rolling","grace_days":60,
 *               "levels":[{"name":"silver","from":"500.00","multiply":1.25},{"name":"gold","from":"2000.00","multiply":1.5}]}}
 *
 *     SOUK_TRY(souk_programme_load(ledger, merchant, arena, &programme, diag));         SOUK_ENOENT: there is none
 *     SOUK_TRY(souk_programme_preview(programme, lines, count, &when, arena, &preview));
 *     minor = souk_programme_worth(programme, 500);                                       500 points are 5.00
 *
 * Earn     algo/earn.h.  Amounts are in `currency`; a basket in another earns nothing
 * Expire   days, or months (a lot of 31 January lives to the end of the 28th of a February), then on to the end of its day, month
 *          or year, in UTC; left out: never
 * Worth    what so many points pay for; burnt from `least` on in whole `step`s
 * Returns  debt: how far a claw-back may take an account below zero (0 where left out).  grace_days: how long points live that
 *          a return gives back to an expired lot (14)
 * Limits   64 rules, 1,000 names in a list, 8 levels; a document's size
 * Threads  a programme never changes */
#ifndef SOUK_SERVICE_LOYALTY_PROGRAMME_H
#define SOUK_SERVICE_LOYALTY_PROGRAMME_H

#include "algo/earn.h"
#include "service/loyalty/points.h"
#include "service/loyalty/tiers.h"

enum { SOUK_PROGRAMME_RULES = 64, SOUK_PROGRAMME_NAMES = 1000, SOUK_PROGRAMME_NAME_BYTES = 100 };

typedef enum souk_expire_end {
    SOUK_EXPIRE_EXACT,
    SOUK_EXPIRE_DAY,
    SOUK_EXPIRE_MONTH,
    SOUK_EXPIRE_YEAR
} souk_expire_end;

typedef struct souk_programme {
    souk_text name;
    char currency[4];
    unsigned exponent;
    souk_earn earn;
    const souk_text *rule_names;        /* [earn.rule_count] */
    int64_t expire_days, expire_months; /* both 0: never */
    souk_expire_end expire_end;
    int64_t worth_points, worth_minor; /* 0: points pay for nothing */
    int64_t burn_least, burn_step;
    int64_t debt_most, grace_ms;
    souk_tiers tiers;
    uint64_t version; /* of its document */
} souk_programme;

SOUK_CHECKED souk_err souk_programme_read(souk_text json, souk_arena *arena,
                                          const souk_programme **ret_programme, souk_diag *diag);
SOUK_CHECKED souk_err souk_programme_load(souk_ledger *ledger, uint32_t merchant, souk_arena *arena,
                                          const souk_programme **ret_programme, souk_diag *diag);

typedef struct souk_programme_earning {
    int64_t points, spend_minor;
    souk_points_share *shares; /* [share_count] in the arena: lines that earn or count, from 1 */
    size_t share_count;
} souk_programme_earning;
/* when->tier_micro is set by the tier's name.  Errors as souk_earn_points'. */
SOUK_CHECKED souk_err souk_programme_preview(const souk_programme *programme,
                                             const souk_earn_line *lines, size_t line_count,
                                             souk_earn_when when, souk_arena *arena,
                                             souk_programme_earning *ret_earning);
/* When a lot expires that is earned at `at`; SOUK_TIME_LAST: never. */
souk_time souk_programme_expires(const souk_programme *programme, souk_time at);
/* Minor units that so many points pay for, rounded down. */
int64_t souk_programme_worth(const souk_programme *programme, int64_t points);
/* Points that pay for at least so much, in whole steps; SOUK_POINTS_MOST + 1: nothing does. */
int64_t souk_programme_cost(const souk_programme *programme, int64_t minor);
/* SOUK_EINVAL with words: they cannot be burnt as they are: too few, no whole step, worth nothing. */
SOUK_CHECKED souk_err souk_programme_burnable(const souk_programme *programme, int64_t points,
                                              souk_diag *diag);

#endif
