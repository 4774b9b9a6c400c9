/* programme_say.c - what a programme says of a basket, of a lot's end and of points as money: see programme.h. */
#include "service/loyalty/programme.h"

/* ---- earning -------------------------------------------------------------------------------------------------- */

static int64_t tier_micro(const souk_programme *programme, souk_text tier)
{
    for (size_t i = 0; i < programme->tiers.level_count; i++)
        if (souk_text_equal(programme->tiers.levels[i].name, tier))
            return programme->tiers.levels[i].multiply_micro;
    return 0;
}

souk_err souk_programme_preview(const souk_programme *programme, const souk_earn_line *lines,
                                size_t line_count, souk_earn_when when, souk_arena *arena,
                                souk_programme_earning *ret_earning)
{
    souk_programme_earning earning = {
        .shares = souk_arena_get(arena, (line_count + 1) * sizeof *earning.shares)};
    souk_share_seat *seats = souk_arena_get(arena, (line_count + 1) * sizeof *seats);
    int64_t *points = souk_arena_get(arena, (line_count + 1) * sizeof *points);
    if (arena->failed)
        return SOUK_ENOMEM;
    when.tier_micro = tier_micro(programme, when.tier);
    SOUK_TRY(souk_earn_points(&programme->earn, lines, line_count, &when, seats, points,
                              &earning.points));
    for (size_t i = 0; i < line_count; i++) {
        bool counts = souk_earn_multiplier(&programme->earn, &lines[i], &when) > 0;
        int64_t spend = counts ? lines[i].amount_minor : 0;
        if (points[i] || spend)
            earning.shares[earning.share_count++] =
                (souk_points_share){(uint32_t)i + 1, points[i], spend};
        earning.spend_minor += spend;
    }
    *ret_earning = earning;
    return SOUK_OK;
}

/* ---- expiring -------------------------------------------------------------------------------------------------- */

static int64_t days_in(int64_t month)
{
    souk_date first = souk_date_of(souk_time_day(souk_time_of_month((int32_t)month)));
    int64_t next = month + 1;
    return souk_time_day(souk_time_of_month((int32_t)next)) - souk_date_day(first);
}

/* The same time of the day so many months later; the last day of a month that has no such day. */
static souk_time months_later(souk_time at, int64_t months)
{
    int64_t day = souk_time_day(at), month = souk_time_month(at) + months;
    int64_t of_month = souk_date_of(day).day, most = days_in(month);
    int64_t first = souk_time_day(souk_time_of_month((int32_t)month));
    return (first + (of_month < most ? of_month : most) - 1) * SOUK_DAY_MS + at - day * SOUK_DAY_MS;
}

souk_time souk_programme_expires(const souk_programme *programme, souk_time at)
{
    if (programme->expire_days == 0 && programme->expire_months == 0)
        return SOUK_TIME_LAST;
    souk_time end = programme->expire_days ? at + programme->expire_days * SOUK_DAY_MS
                                           : months_later(at, programme->expire_months);
    souk_date date = souk_date_of(souk_time_day(end));
    switch (programme->expire_end) {
    case SOUK_EXPIRE_DAY:
        end = (souk_time_day(end) + 1) * SOUK_DAY_MS;
        break;
    case SOUK_EXPIRE_MONTH:
        end = souk_time_of_month(souk_time_month(end) + 1);
        break;
    case SOUK_EXPIRE_YEAR:
        end = souk_date_day((souk_date){date.year + 1, 1, 1}) * SOUK_DAY_MS;
        break;
    case SOUK_EXPIRE_EXACT:
        break;
    }
    return end < SOUK_TIME_LAST ? end : SOUK_TIME_LAST;
}

/* ---- paying ----------------------------------------------------------------------------------------------------- */

int64_t souk_programme_worth(const souk_programme *programme, int64_t points)
{
    int64_t minor;
    if (programme->worth_points == 0 || points <= 0 ||
        !souk_ratio(points, programme->worth_minor, programme->worth_points, SOUK_ROUND_DOWN,
                    &minor))
        return 0;
    return minor;
}

int64_t souk_programme_cost(const souk_programme *programme, int64_t minor)
{
    int64_t step = programme->burn_step, points;
    if (programme->worth_points == 0 ||
        !souk_ratio(minor, programme->worth_points, programme->worth_minor, SOUK_ROUND_DOWN,
                    &points) ||
        points > SOUK_POINTS_MOST)
        return SOUK_POINTS_MOST + 1;
    points += souk_programme_worth(programme, points) < minor;
    points = points < programme->burn_least ? programme->burn_least : points;
    points = (points + step - 1) / step * step;
    return points > SOUK_POINTS_MOST ? SOUK_POINTS_MOST + 1 : points;
}

souk_err souk_programme_burnable(const souk_programme *programme, int64_t points, souk_diag *diag)
{
    if (programme->worth_points == 0)
        return souk_diag_say(diag, SOUK_EINVAL, "points pay for nothing in this programme");
    if (points < programme->burn_least)
        return souk_diag_say(diag, SOUK_EINVAL, "points are burnt from %lld on",
                             (long long)programme->burn_least);
    if (points % programme->burn_step)
        return souk_diag_say(diag, SOUK_EINVAL, "points are burnt in steps of %lld",
                             (long long)programme->burn_step);
    if (souk_programme_worth(programme, points) == 0)
        return souk_diag_say(diag, SOUK_EINVAL, "%lld points are worth nothing: burn more",
                             (long long)points);
    return SOUK_OK;
}
