/* tiers.h - who is silver and who is gold: by what counted within a year, up at once, down at the year's end after a grace.
 *
 *     SOUK_TRY(souk_tiers_touch(tx, &tiers, account, now, &standing));          behind an earn, in its transaction
 *     SOUK_TRY(souk_tiers_read(tx, &tiers, account, now, &standing));           as it is now, whether or not the job came by
 *
 *     spend 510.00  -> silver until 2027-11-26                    at once
 *     2027-11-26    only 300.00 in the year: grace of 60 days     still silver; 500.00 by then renew it
 *     2028-01-25    none                                          down to what the year says, perhaps several levels
 *
 * Year     rolling: the 365 days before; a level holds 365 days from the day it was reached or renewed.
 *          calendar: since 1 January (UTC); a level holds to the end of the year, and what was reached in the year before is
 *          looked at until the grace is over
 * Counts   spend: minor units of receipts that earned, less what came back of them; points: earned, less clawed back.  By the time
 *          of the earning: what comes back lowers the year in which it was bought.  Points by hand do not count
 * Truth    the entries of points.h.  A standing is a decision over them, every change is kept, and no change undoes a level
 *          that was granted before its end: a return does not take a tier at the till
 * Due      a standing that ends waits for the job, in chunks; what is read before it comes is the same
 * Threads  as the souk_tx */
#ifndef SOUK_SERVICE_LOYALTY_TIERS_H
#define SOUK_SERVICE_LOYALTY_TIERS_H

#include "base/time.h"
#include "store/ledger.h"

enum { SOUK_TIER_LEVELS = 8, SOUK_TIER_NAME_BYTES = 40 };

typedef struct souk_tier_level {
    souk_text name;
    int64_t from;           /* minor units, or points */
    int64_t multiply_micro; /* of what is earned */
} souk_tier_level;
typedef struct souk_tiers {
    bool by_points, calendar;
    int64_t grace_ms;
    souk_tier_level levels[SOUK_TIER_LEVELS]; /* [level_count], `from` ascending */
    size_t level_count;                       /* 0: no tiers */
} souk_tiers;

typedef struct souk_standing {
    size_t level;    /* from 1; 0: none */
    souk_time since; /* 0: level 0 from ever */
    souk_time until; /* the end of its year; 0: level 0 */
    bool in_grace;   /* the year has ended, the grace has not */
    int64_t counted; /* in the year that runs */
    int64_t missing; /* to the next level; 0: there is none */
} souk_standing;

SOUK_CHECKED souk_err souk_tiers_migrate(souk_ledger *ledger, souk_diag *diag);

/* What counts in [from, to). */
typedef souk_err souk_tiers_count(void *context, souk_time from, souk_time to,
                                  int64_t *ret_counted);
/* What has become of a standing by `at`: each end of a year and of a grace is looked at as of its own moment. */
SOUK_CHECKED souk_err souk_tiers_judge(const souk_tiers *tiers, souk_standing standing,
                                       souk_time at, souk_tiers_count *count, void *context,
                                       souk_standing *ret_standing);
/* When the year that begins, or runs, at `at` ends for a level. */
souk_time souk_tiers_end(const souk_tiers *tiers, souk_time at);

SOUK_CHECKED souk_err souk_tiers_read(souk_tx *tx, const souk_tiers *tiers, int64_t account,
                                      souk_time at, souk_standing *ret_standing);
/* The same, and keeps what has changed; the account's row is held (points.h). */
SOUK_CHECKED souk_err souk_tiers_touch(souk_tx *tx, const souk_tiers *tiers, int64_t account,
                                       souk_time at, souk_standing *ret_standing);

/* Looks again at standings of the merchant that are due, at most `most`, in a transaction of the lane of jobs. */
SOUK_CHECKED souk_err souk_tiers_review(souk_ledger *ledger, uint32_t merchant,
                                        const souk_tiers *tiers, souk_time now, unsigned most,
                                        bool *ret_more);

typedef struct souk_tier_change {
    int64_t id;
    souk_time at;
    souk_text before, after; /* names; "": none */
    int64_t counted;
} souk_tier_change;
/* Newest first, at most `most`. */
SOUK_CHECKED souk_err souk_tiers_changes(souk_tx *tx, int64_t account, unsigned most,
                                         souk_err (*each)(void *context,
                                                          const souk_tier_change *change),
                                         void *context);
/* The account of an owner (points.h); 0: there is none. */
SOUK_CHECKED souk_err souk_tiers_account(souk_tx *tx, uint32_t merchant, int kind, int64_t owner,
                                         int64_t *ret_account);

#endif
