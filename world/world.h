/* world.h - a simulated retail world with known truth: people shop in it, and their events hide what they are.
 *
 *     souk_auto(souk_world) world = NULL;
 *     souk_auto(souk_world_day) day = NULL;
 *     souk_world_options options = {.shoppers = 10000, .stores = 5, .days = 30, .seed = 1};
 *     SOUK_TRY(souk_world_new(mem, &options, &world, diag));
 *     SOUK_TRY(souk_world_day_new(mem, &day));
 *     for (uint32_t number = 0; number < 30; number++) {
 *         SOUK_TRY(souk_world_live(world, number, 0, 10000, day));
 *         souk_world_tell(world, &day, 1, 0, SOUK_DAY_MS, &out);      lines of JSON in the order of time
 *     }
 *
 *     {"type":"track","event":"Receipt Issued","messageId":"w41c1f0a2-0003-0000000017",
 *      "timestamp":"2024-01-04T02:11:09.120Z","context":{"library":{"name":"souk-world"},
 *      "externalIds":[{"type":"card","id":"7704518823"}]},"properties":{"receipt_id":"…","total":12.50,…}}
 *
 * What one person does on one day is a function of (seed, person, day) and of nothing else: nothing is
 * remembered from day to day.  So days and people may be told in any order, in any parts, by any number of
 * threads, and the bytes are the same; what depends on the past (the last trip, the receipt that a return
 * takes back) is found by living those days again.  All numbers are integers: the same on every machine.
 *
 * Model, part by part; its numbers stand in tables (shelves.c, person.c):
 *   trips      Poisson, with a rate of each person's own that is gamma over people (NBD), while she is a customer,
 *              for a time whose tail is Pareto's: Ehrenberg, "The Pattern of Consumer Purchases", Applied
 *              Statistics 8, 1959; Schmittlein, Morrison, Colombo, "Counting Your Customers", Management Science
 *              33, 1987; Fader, Hardie, Lee, Marketing Science 24, 2005.  Weekdays and months make them more or less
 *   needs      milk, nappies, coffee run out after intervals more regular than chance, as in the condensed Poisson
 *              of Chatfield, Goodhardt, JASA 68, 1973.  A trip buys what ran out since the last one
 *   impulses   each trip buys a category with a chance that tastes, household, car, age, season, promotions and
 *              what lies in the basket already (complements) raise by factors that truth.json states
 *   brands     shares fall by rank (Zipf); a price band near the own income and the own favourite raise them: much
 *              as in the Dirichlet of Goodhardt, Ehrenberg, Chatfield, JRSS A 147, 1984
 *   planted    a rival brand rises on a day, for a reason; promotions; complements; returns
 *   identity   members, card holders, guests; phones, laptops, apps and shared tablets; second cards, a partner's
 *              card, typing errors; sensors in shops know only who has the app and said yes to being recognised
 *   consent    how private a person is decides each purpose, with noise; some withdraw
 * What is left out: prices that answer demand, stock-outs, weather, minors as shoppers.
 *
 * Shape    people 0 to shoppers - 1; 2k and 2k + 1 may be a couple.  Days are local ones of Asia/Shanghai from
 *          2024-01-01, a Monday; money is CNY.  No number that events carry tells the number of a person
 * Cost     live: some 200 ns a person and 100 an event; tell: some 200 ns an event, mostly copying
 * Memory   the world 0.5 MB; a day 24 bytes an event, 40 a trip
 * Threads  a world does not change after birth: share it; a day belongs to one that lives it, then to all readers */
#ifndef SOUK_WORLD_WORLD_H
#define SOUK_WORLD_WORLD_H

#include "base/text.h"

enum {
    SOUK_WORLD_SHOPPERS_MOST = 10000000,
    SOUK_WORLD_STORES_MOST = 9999,
    SOUK_WORLD_DAYS_MOST = 3660,
};

typedef struct souk_world_options {
    uint32_t shoppers, stores, days; /* from 1 to the limits above */
    uint64_t seed;
} souk_world_options;

typedef struct souk_world souk_world;

/* SOUK_EINVAL: a number out of its range.  SOUK_ENOMEM. */
SOUK_CHECKED souk_err souk_world_new(souk_mem *mem, const souk_world_options *options,
                                     souk_world **ret_world, souk_diag *diag);
void souk_world_free(souk_world *world);
SOUK_AUTO(souk_world)

/* What some of the people do on one day; kept and used again, its memory grows to the largest. */
typedef struct souk_world_day souk_world_day;

SOUK_CHECKED souk_err souk_world_day_new(souk_mem *mem, souk_world_day **ret_day);
void souk_world_day_free(souk_world_day *day);
SOUK_AUTO(souk_world_day)

/* Lets people [first, end) live through a day, 0 to days - 1; what the day held before is gone.  SOUK_ENOMEM. */
SOUK_CHECKED souk_err souk_world_live(const souk_world *world, uint32_t number, uint32_t first,
                                      uint32_t end, souk_world_day *day);
uint64_t souk_world_day_events(const souk_world_day *day);

/* Appends the events that happen in [from_ms, to_ms) of the local day, a line each, in the order of time; those of
 * one millisecond in the order of people.  parts: the same day of all the people, lower ones first; the lines do
 * not depend on how the people were parted.  Errors are the buffer's; returns how many events. */
uint64_t souk_world_tell(const souk_world *world, souk_world_day *const *parts, size_t part_count,
                         uint32_t from_ms, uint32_t to_ms, souk_buf *out);

/* The files beside the events; docs/world.md tells their fields. */
void souk_world_products(const souk_world *world, souk_buf *out); /* CSV */
void souk_world_stores(const souk_world *world, souk_buf *out);   /* CSV */
void souk_world_truth(const souk_world *world, souk_buf *out);    /* JSON: what was planted */
void souk_world_readme(const souk_world *world, souk_buf *out);
/* One line of JSON for each of the people [first, end). */
void souk_world_people(const souk_world *world, uint32_t first, uint32_t end, souk_buf *out);

#endif
