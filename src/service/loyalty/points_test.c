/* points_test.c - points by their sentences: expiry to the millisecond, backs, families, tills that race, cuts. */
#include "test/test.h"

#include "os/disk_sim.h"
#include "os/thread.h"
#include "store/ledger_shop.h"

#include "service/loyalty/points_rig.h"

#include <sqlite3.h>

static const souk_purse ann = {SOUK_PURSE_ATOM, 42}, bob = {SOUK_PURSE_ATOM, 17};

static int64_t points_of(souk_test *test, struct shop *shop, souk_purse purse, souk_time at)
{
    return balance_of(test, shop, &purse, 1, at).points;
}

SOUK_TEST("a lot is burnt until the millisecond before it expires, whether or not the job came by")
{
    EACH_BANK(shop, .readers = 1)
    {
        souk_diag diag = {0};
        souk_time expires = RIG_NOW + 10 * RIG_DAY;
        SOUK_MUST(earn_points(&shop, ann, 1, 100, RIG_NOW, expires));
        SOUK_MUST(burn_points(&shop, &ann, 1, 2, 30, expires - 1, NULL));
        SOUK_CHECK_ERR(burn_points(&shop, &ann, 1, 3, 1, expires, &diag), SOUK_ECONFLICT);
        SOUK_CHECK_TEXT(souk_text_of(diag.words),
                        "0 points are there, and 1 are to be burnt: burn fewer");
        SOUK_CHECK(points_of(test, &shop, ann, expires - 1) == 70);
        SOUK_CHECK(points_of(test, &shop, ann, expires) == 0);
        SOUK_MUST(expire_points(&shop, expires - 1));
        SOUK_CHECK(ask(test, &shop, "SELECT points FROM loyalty_account") == 70);
        SOUK_MUST(expire_points(&shop, expires));
        SOUK_CHECK(ask(test, &shop, "SELECT points FROM loyalty_account") == 0);
        SOUK_CHECK(ask(test, &shop, "SELECT points FROM loyalty_entry WHERE kind = 5") == -70);
        SOUK_MUST(souk_points_verify(shop.ledger, NULL));
    }
}

SOUK_TEST("the earliest expiry is burnt first, then the older lot, whatever came when")
{
    EACH_BANK(shop, .readers = 1)
    {
        SOUK_MUST(earn_points(&shop, ann, 1, 10, RIG_NOW, RIG_NOW + 30 * RIG_DAY));
        SOUK_MUST(earn_points(&shop, ann, 2, 10, RIG_NOW, RIG_NOW + 20 * RIG_DAY));
        SOUK_MUST(earn_points(&shop, ann, 3, 10, RIG_NOW, RIG_NOW + 20 * RIG_DAY));
        SOUK_MUST(burn_points(&shop, &ann, 1, 4, 25, RIG_NOW, NULL));
        SOUK_CHECK(ask(test, &shop, "SELECT rest FROM loyalty_lot WHERE lot = 1") == 5);
        SOUK_CHECK(ask(test, &shop, "SELECT count(*) FROM loyalty_part WHERE entry = 4") == 3);
        SOUK_MUST(give_points(&shop, 4, 7, RIG_NOW, 0, NULL)); /* the last taken first */
        SOUK_CHECK(ask(test, &shop, "SELECT rest FROM loyalty_lot WHERE lot = 1") == 10);
        SOUK_CHECK(ask(test, &shop, "SELECT rest FROM loyalty_lot WHERE lot = 3") == 2);
        SOUK_CHECK(ask(test, &shop, "SELECT rest FROM loyalty_lot WHERE lot = 2") == 0);
        souk_points_balance balance = balance_of(test, &shop, &ann, 1, RIG_NOW);
        SOUK_CHECK(balance.points == 12 && balance.next_points == 2);
        SOUK_CHECK(balance.next_expires == RIG_NOW + 20 * RIG_DAY);
    }
}

SOUK_TEST("points given back to a lot that expired meanwhile live for the grace, and no others do")
{
    EACH_BANK(shop, .readers = 1)
    {
        souk_time later = RIG_NOW + 10 * RIG_DAY;
        SOUK_MUST(earn_points(&shop, ann, 1, 50, RIG_NOW, RIG_NOW + 5 * RIG_DAY));
        SOUK_MUST(burn_points(&shop, &ann, 1, 2, 20, RIG_NOW, NULL));
        SOUK_MUST(give_points(&shop, 2, 20, later, 14 * RIG_DAY, NULL));
        SOUK_CHECK(points_of(test, &shop, ann, later) == 20);
        SOUK_CHECK(points_of(test, &shop, ann, later + 14 * RIG_DAY - 1) == 20);
        SOUK_CHECK(points_of(test, &shop, ann, later + 14 * RIG_DAY) == 0);
        souk_diag diag = {0};
        SOUK_CHECK_ERR(give_points(&shop, 2, 1, later, 0, &diag), SOUK_ECONFLICT);
        SOUK_CHECK(strstr(diag.words, "of what the receipt burnt 0 are left"));
        SOUK_MUST(souk_points_verify(shop.ledger, NULL));
    }
}

SOUK_TEST("what a returned line earned goes: from its lot, from others, then it is owed to a limit")
{
    EACH_BANK(shop, .readers = 1)
    {
        int64_t forgiven;
        souk_diag diag = {0};
        SOUK_MUST(earn_points(&shop, ann, 1, 100, RIG_NOW, SOUK_TIME_LAST));
        SOUK_MUST(earn_points(&shop, ann, 2, 30, RIG_NOW, RIG_NOW + RIG_DAY));
        SOUK_MUST(burn_points(&shop, &ann, 1, 3, 90, RIG_NOW, NULL)); /* 30 and 60: 40 are left */
        SOUK_MUST(claw_points(&shop, 1, 3, 10, RIG_NOW, 20, &forgiven, NULL));
        SOUK_CHECK(points_of(test, &shop, ann, RIG_NOW) == 10 && forgiven == 0);
        SOUK_MUST(claw_points(&shop, 1, 7, 10, RIG_NOW, 20, &forgiven, NULL));
        souk_points_balance balance = balance_of(test, &shop, &ann, 1, RIG_NOW);
        SOUK_CHECK(balance.points == 0 && balance.owed == 20 && forgiven == 40);
        SOUK_CHECK_ERR(claw_points(&shop, 1, 1, 10, RIG_NOW, 20, &forgiven, &diag), SOUK_ECONFLICT);
        SOUK_CHECK_TEXT(souk_text_of(diag.words), "line 1: more comes back than was sold");
        SOUK_MUST(earn_points(&shop, ann, 4, 50, RIG_NOW, SOUK_TIME_LAST));
        balance = balance_of(test, &shop, &ann, 1, RIG_NOW);
        SOUK_CHECK(balance.points == 30 && balance.owed == 0);
        SOUK_CHECK(ask(test, &shop, "SELECT sum(spend) FROM loyalty_entry") == 8000);
        SOUK_MUST(souk_points_verify(shop.ledger, NULL));
    }
}

SOUK_TEST("what was clawed back is the same whether the lot had been booked as expired or not")
{
    EACH_BANK(shop, .readers = 1)
    {
        for (uint64_t swept = 0; swept < 2; swept++) {
            int64_t forgiven;
            souk_time later = RIG_NOW + 2 * RIG_DAY;
            souk_purse purse = swept ? ann : bob;
            uint64_t receipt = 10 * swept;
            SOUK_MUST(earn_points(&shop, purse, receipt + 1, 100, RIG_NOW, RIG_NOW + RIG_DAY));
            SOUK_MUST(burn_points(&shop, &purse, 1, receipt + 2, 30, RIG_NOW, NULL));
            SOUK_MUST(earn_points(&shop, purse, receipt + 3, 50, later, SOUK_TIME_LAST));
            if (swept)
                SOUK_MUST(expire_points(&shop, later));
            SOUK_MUST(claw_points(&shop, receipt + 1, 8, 10, later, 0, &forgiven, NULL));
            SOUK_CHECK(points_of(test, &shop, purse, later) == 40); /* 80: the 70 and 10 more */
            SOUK_CHECK(forgiven == 0);
            SOUK_MUST(souk_points_verify(shop.ledger, NULL));
        }
    }
}

SOUK_TEST("one basket burns and earns: what it earns does not pay for it")
{
    EACH_BANK(shop, .readers = 1)
    {
        int64_t points[2] = {30, 40};
        souk_points_act acts[2] = {{.kind = SOUK_POINTS_EARNED, .expires = SOUK_TIME_LAST},
                                   {.kind = SOUK_POINTS_BURNED}};
        for (int i = 0; i < 2; i++) {
            acts[i].purses = &ann;
            acts[i].purse_count = 1;
            acts[i].receipt = receipt_of(9);
            acts[i].at = RIG_NOW;
        }
        SOUK_MUST(earn_points(&shop, ann, 1, 20, RIG_NOW, SOUK_TIME_LAST));
        SOUK_CHECK_ERR(points_do(&shop, acts, points, 2, NULL), SOUK_ECONFLICT);
        points[1] = 20;
        SOUK_MUST(points_do(&shop, acts, points, 2, NULL));
        SOUK_CHECK(acts[0].points == 30 && acts[1].points == -20 && acts[1].entry < acts[0].entry);
        SOUK_CHECK(points_of(test, &shop, ann, RIG_NOW) == 30);
        SOUK_MUST(souk_points_verify(shop.ledger, NULL));
    }
}

SOUK_TEST("an account takes no more than it can hold, and bad acts are refused in words")
{
    EACH_BANK(shop, .readers = 1)
    {
        souk_diag diag = {0};
        int64_t points = 1;
        souk_points_act act = {.kind = SOUK_POINTS_ADJUSTED,
                               .purses = &ann,
                               .purse_count = 1,
                               .at = RIG_NOW,
                               .expires = SOUK_TIME_LAST};
        SOUK_MUST(earn_points(&shop, ann, 1, SOUK_POINTS_MOST, RIG_NOW, SOUK_TIME_LAST));
        SOUK_CHECK_ERR(points_do(&shop, &act, &points, 1, &diag), SOUK_EOVERFLOW);
        SOUK_CHECK(strstr(diag.words, "at most 1000000000000 points"));
        points = SOUK_POINTS_MOST + 1;
        SOUK_CHECK_ERR(points_do(&shop, &act, &points, 1, &diag), SOUK_EINVAL);
        points = INT64_MIN;
        SOUK_CHECK_ERR(points_do(&shop, &act, &points, 1, &diag), SOUK_EINVAL);
        SOUK_CHECK_ERR(burn_points(&shop, &bob, 1, 2, 5, RIG_NOW, &diag), SOUK_ECONFLICT);
        SOUK_CHECK_ERR(burn_points(&shop, &bob, 1, 2, -5, RIG_NOW, &diag), SOUK_EINVAL);
        SOUK_CHECK(ask(test, &shop, "SELECT count(*) FROM loyalty_account") == 1);
    }
}

/* ---- families -------------------------------------------------------------------------------------------------- */

struct telling {
    souk_family_member as;
    int64_t atom, family;
    int what; /* 0 found, 1 invite, 2 accept, 3 leave */
    souk_diag diag;
};

static souk_err tell_family(souk_tx *tx, void *context)
{
    struct telling *telling = context;
    souk_text name = SOUK_TEXT("Miller");
    telling->diag = (souk_diag){0};
    switch (telling->what) {
    case 0:
        return souk_family_found(tx, 1, telling->atom, name, RIG_NOW, &telling->family,
                                 &telling->diag);
    case 1:
        return souk_family_invite(tx, &telling->as, telling->atom, RIG_NOW, &telling->diag);
    case 2:
        return souk_family_accept(tx, &telling->as, RIG_NOW, &telling->diag);
    default:
        return souk_family_leave(tx, &telling->as, RIG_NOW, &telling->diag);
    }
}

static souk_err family_do(struct shop *shop, int what, int64_t as, int64_t atom, int64_t most,
                          souk_diag *ret_diag)
{
    struct telling telling = {.as = {.merchant = 1, .family = 1, .atom = as, .month_most = most},
                              .atom = atom,
                              .what = what};
    souk_err err = souk_ledger_write(shop->ledger, SOUK_LANE_TILL, tell_family, &telling);
    if (ret_diag)
        *ret_diag = telling.diag;
    return err;
}

static souk_err burn_as(struct shop *shop, const souk_purse *purses, size_t count, int64_t member,
                        uint64_t receipt, int64_t points, souk_time at, souk_diag *ret_diag)
{
    souk_points_act act = {.kind = SOUK_POINTS_BURNED,
                           .purses = purses,
                           .purse_count = count,
                           .receipt = receipt_of(receipt),
                           .at = at,
                           .member = member};
    return points_do(shop, &act, &points, 1, ret_diag);
}

SOUK_TEST("a member joins by the yes of both, burns the pot to her limit, and leaves without it")
{
    EACH_BANK(shop, .readers = 1)
    {
        const souk_purse pot = {SOUK_PURSE_FAMILY, 1}, both[] = {bob, pot};
        souk_diag diag = {0};
        SOUK_MUST(family_do(&shop, 0, 0, 42, 0, NULL));
        SOUK_CHECK_ERR(family_do(&shop, 0, 0, 42, 0, &diag), SOUK_ECONFLICT);
        SOUK_CHECK_ERR(family_do(&shop, 2, 17, 0, 0, &diag), SOUK_ENOENT); /* nobody asked him */
        SOUK_CHECK_ERR(family_do(&shop, 1, 17, 17, 0, &diag), SOUK_EDENIED);
        SOUK_MUST(family_do(&shop, 1, 42, 17, 50, NULL));
        SOUK_MUST(earn_points(&shop, pot, 1, 200, RIG_NOW, RIG_NOW + RIG_DAY));
        SOUK_MUST(earn_points(&shop, bob, 2, 30, RIG_NOW, RIG_NOW + 40 * RIG_DAY));
        SOUK_CHECK_ERR(burn_as(&shop, &pot, 1, 17, 3, 10, RIG_NOW, &diag), SOUK_ECONFLICT);
        SOUK_MUST(family_do(&shop, 2, 17, 0, 0, NULL));
        SOUK_MUST(burn_as(&shop, &pot, 1, 17, 4, 20, RIG_NOW, NULL));
        SOUK_CHECK_ERR(burn_as(&shop, &pot, 1, 17, 5, 31, RIG_NOW, &diag), SOUK_ECONFLICT);
        SOUK_CHECK(strstr(diag.words, "may burn 30 more points"));
        SOUK_MUST(burn_as(&shop, both, 2, 17, 6, 50, RIG_NOW, NULL)); /* 30 of the pot, 20 his */
        SOUK_CHECK(points_of(test, &shop, pot, RIG_NOW) == 150);
        SOUK_CHECK(points_of(test, &shop, bob, RIG_NOW) == 10);
        SOUK_CHECK_ERR(burn_as(&shop, both, 2, 17, 7, 11, RIG_NOW, &diag), SOUK_ECONFLICT);
        SOUK_MUST(family_do(&shop, 3, 17, 0, 0, NULL));
        SOUK_CHECK_ERR(burn_as(&shop, &pot, 1, 17, 8, 1, RIG_NOW + 31 * RIG_DAY, &diag),
                       SOUK_ECONFLICT);
        SOUK_CHECK(points_of(test, &shop, bob, RIG_NOW) == 10);
        SOUK_CHECK_ERR(family_do(&shop, 3, 17, 0, 0, &diag), SOUK_ENOENT);
        SOUK_CHECK(ask(test, &shop, "SELECT members FROM loyalty_family") == 1);
        SOUK_MUST(souk_points_verify(shop.ledger, NULL));
    }
}

SOUK_TEST("a family has sixteen members at most, and a member's limit begins anew each month")
{
    EACH_BANK(shop, .readers = 1)
    {
        const souk_purse pot = {SOUK_PURSE_FAMILY, 1};
        souk_diag diag = {0};
        SOUK_MUST(family_do(&shop, 0, 0, 42, 0, NULL));
        for (int i = 1; i < SOUK_FAMILY_MEMBERS; i++)
            SOUK_MUST(family_do(&shop, 1, 42, 100 + i, 5, NULL));
        SOUK_MUST(family_do(&shop, 1, 42, 101, 10, NULL)); /* asked again: has her place */
        SOUK_CHECK_ERR(family_do(&shop, 1, 42, 99, 5, &diag), SOUK_ECONFLICT);
        SOUK_MUST(family_do(&shop, 3, 102, 0, 0, NULL)); /* declines */
        SOUK_MUST(family_do(&shop, 1, 42, 99, 5, NULL));
        SOUK_MUST(family_do(&shop, 2, 101, 0, 0, NULL));
        SOUK_MUST(earn_points(&shop, pot, 1, 200, RIG_NOW, SOUK_TIME_LAST));
        SOUK_MUST(burn_as(&shop, &pot, 1, 101, 2, 10, RIG_NOW, NULL));
        SOUK_CHECK_ERR(burn_as(&shop, &pot, 1, 101, 3, 1, RIG_NOW + 30 * RIG_DAY, NULL),
                       SOUK_ECONFLICT);
        SOUK_MUST(burn_as(&shop, &pot, 1, 101, 4, 10, RIG_NOW + 31 * RIG_DAY, NULL));
    }
}

/* ---- statements --------------------------------------------------------------------------------------------------- */

static unsigned statements;

static int note_statement(unsigned kind, void *context, void *statement, void *text)
{
    const char *sql = text;
    (void)kind, (void)context, (void)statement;
    statements += strncmp(sql, "BEGIN", 5) && strncmp(sql, "COMMIT", 6) &&
                  strncmp(sql, "SAVEPOINT", 9) && strncmp(sql, "RELEASE", 7) &&
                  strncmp(sql, "--", 2) && strncmp(sql, "PRAGMA", 6);
    return 0;
}

static int watch_connection(sqlite3 *db, const char **words, const struct sqlite3_api_routines *api)
{
    (void)words, (void)api;
    return sqlite3_trace_v2(db, SQLITE_TRACE_STMT, note_statement, NULL);
}

SOUK_TEST("an earn is three statements, a burn four however many lots it takes from")
{
    void (*entry)(void) = (void (*)(void))watch_connection;
    sqlite3_auto_extension(entry);
    struct shop shop = open_shop(test, &arrangements[0], (souk_ledger_options){.readers = 1});
    sqlite3_cancel_auto_extension(entry);
    SOUK_MUST(souk_points_migrate(shop.ledger, NULL));
    SOUK_MUST(souk_family_migrate(shop.ledger, NULL));
    for (uint64_t i = 1; i <= 20; i++)
        SOUK_MUST(earn_points(&shop, ann, i, 10, RIG_NOW, SOUK_TIME_LAST));
    statements = 0;
    SOUK_MUST(earn_points(&shop, ann, 21, 10, RIG_NOW, SOUK_TIME_LAST));
    SOUK_CHECK(statements == 3);
    statements = 0;
    SOUK_MUST(burn_points(&shop, &ann, 1, 30, 5, RIG_NOW, NULL));
    SOUK_CHECK(statements == 4);
    statements = 0;
    SOUK_MUST(burn_points(&shop, &ann, 1, 31, 150, RIG_NOW, NULL));
    SOUK_CHECK(statements == 4);
    close_shop(test, &shop);
}

/* ---- many tills ------------------------------------------------------------------------------------------------------ */

enum { TILLS = 8, BASKETS = 40, POINTS = 100 };
struct till {
    struct shop *shop;
    unsigned number, burned, refused, others;
    souk_thread thread;
    bool naive;
};

struct naive {
    int64_t points;
};

/* Planted: looks in one transaction and writes in another what it has seen. */
static souk_err write_seen(souk_tx *tx, void *context)
{
    const struct naive *naive = context;
    return souk_sql_run(tx, "UPDATE loyalty_account SET points = ?1 WHERE owner = 42",
                        SOUK_VALUES(SOUK_INT(naive->points - 1)));
}

static souk_err look(souk_tx *tx, void *context)
{
    struct naive *naive = context;
    return souk_sql_one_int(tx, "SELECT points FROM loyalty_account WHERE owner = 42",
                            SOUK_NO_VALUES, &naive->points);
}

static souk_err burn_naive(struct shop *shop)
{
    struct naive naive;
    SOUK_TRY(souk_ledger_read(shop->ledger, look, &naive));
    if (naive.points < 1)
        return SOUK_ECONFLICT;
    return souk_ledger_write(shop->ledger, SOUK_LANE_TILL, write_seen, &naive);
}

static void race(void *context)
{
    struct till *till = context;
    for (unsigned i = 0; i < (till->naive ? 1 : BASKETS); i++) {
        uint64_t receipt = 1000 + till->number * BASKETS + i;
        souk_err err = till->naive ? burn_naive(till->shop)
                                   : burn_points(till->shop, &ann, 1, receipt, 1, RIG_NOW, NULL);
        till->burned += err == SOUK_OK;
        till->refused += err == SOUK_ECONFLICT;
        till->others += err != SOUK_OK && err != SOUK_ECONFLICT;
    }
}

static unsigned race_all(souk_test *test, struct shop *shop, bool naive)
{
    struct till tills[TILLS];
    unsigned burned = 0;
    if (naive) /* all have looked before the first may write */
        souk_ledger_hold(shop->ledger);
    for (unsigned i = 0; i < TILLS; i++) {
        tills[i] = (struct till){.shop = shop, .number = i, .naive = naive};
        SOUK_MUST(souk_thread_start(&tills[i].thread, "till", race, &tills[i]));
    }
    souk_ledger_counters counters = {0};
    while (naive && counters.queued[SOUK_LANE_TILL] < TILLS)
        souk_ledger_count(shop->ledger, &counters);
    if (naive)
        souk_ledger_release(shop->ledger);
    for (unsigned i = 0; i < TILLS; i++) {
        souk_thread_join(&tills[i].thread);
        burned += tills[i].burned;
        SOUK_CHECK(tills[i].others == 0);
    }
    return burned;
}

SOUK_TEST("eight tills race for the last points: as many are burnt as there were")
{
    EACH_BANK(shop, .readers = 4)
    {
        if (shop.how->no_thread)
            continue;
        SOUK_MUST(earn_points(&shop, ann, 1, POINTS, RIG_NOW, SOUK_TIME_LAST));
        SOUK_CHECK(race_all(test, &shop, false) == POINTS);
        SOUK_CHECK(points_of(test, &shop, ann, RIG_NOW) == 0);
        SOUK_MUST(souk_points_verify(shop.ledger, NULL));
        /* who looks first and writes later burns points that are not there */
        must_sql(test, &shop, "UPDATE loyalty_account SET points = 1");
        SOUK_CHECK(race_all(test, &shop, true) == TILLS);
    }
}

/* ---- several accounts at once, in any order ---- */

enum { RING = 4, DRAWS = 30 };
struct ring {
    struct shop *shop;
    unsigned number;
    int64_t burned;
    unsigned others;
    souk_thread thread;
};

/* Burns over three of four accounts in an order of its own, and earns on the fourth: one plan. */
static void draw_ring(void *context)
{
    struct ring *ring = context;
    for (unsigned i = 0; i < DRAWS; i++) {
        souk_purse purses[RING];
        for (unsigned j = 0; j < RING; j++)
            purses[j] =
                (souk_purse){SOUK_PURSE_ATOM, 1 + (ring->number * (2 * j + 1) + i + 3 * j) % RING};
        souk_points_act acts[2] = {{.kind = SOUK_POINTS_BURNED, .purse_count = 3},
                                   {.kind = SOUK_POINTS_EARNED, .purse_count = 1}};
        int64_t points[2] = {3, 2};
        acts[0].purses = purses;
        acts[1].purses = &purses[3];
        for (unsigned j = 0; j < 2; j++) {
            acts[j].receipt = receipt_of(5000 + ring->number * DRAWS + i);
            acts[j].at = RIG_NOW;
            acts[j].expires = SOUK_TIME_LAST;
        }
        souk_err err = points_do(ring->shop, acts, points, 2, NULL);
        ring->burned += err ? 0 : 1;
        ring->others += err != SOUK_OK && err != SOUK_ECONFLICT;
    }
}

SOUK_TEST("tills that draw on several accounts in any order never wait for each other in a ring")
{
    EACH_BANK(shop, .readers = 2)
    {
        if (shop.how->no_thread)
            continue;
        struct ring rings[TILLS];
        souk_purse purses[RING];
        int64_t burned = 0;
        for (unsigned i = 0; i < RING; i++) {
            purses[i] = (souk_purse){SOUK_PURSE_ATOM, i + 1};
            SOUK_MUST(earn_points(&shop, purses[i], i + 1, 60, RIG_NOW, SOUK_TIME_LAST));
        }
        for (unsigned i = 0; i < TILLS; i++) {
            rings[i] = (struct ring){.shop = &shop, .number = i};
            SOUK_MUST(souk_thread_start(&rings[i].thread, "till", draw_ring, &rings[i]));
        }
        for (unsigned i = 0; i < TILLS; i++) {
            souk_thread_join(&rings[i].thread);
            SOUK_CHECK(rings[i].others == 0);
            burned += rings[i].burned;
        }
        SOUK_CHECK(burned > 100);
        SOUK_CHECK(balance_of(test, &shop, purses, RING, RIG_NOW).points == 240 - burned);
        SOUK_MUST(souk_points_verify(shop.ledger, NULL));
    }
}

/* ---- damage, cuts, faults --------------------------------------------------------------------------------------------- */

SOUK_TEST(
    "verify notices a balance, a lot, a part or a return that does not add up, and says which")
{
    static const char *const breaks[][3] = {
        {"UPDATE loyalty_account SET points = points + 1",
         "UPDATE loyalty_account SET points = points - 1", "in its lots"},
        {"UPDATE loyalty_account SET owed = 1", "UPDATE loyalty_account SET owed = 0",
         "points of debt"},
        {"UPDATE loyalty_part SET back = 3 WHERE entry = 2",
         "UPDATE loyalty_part SET back = 0 WHERE entry = 2", "the burn of entry 2"},
        {"UPDATE loyalty_entry SET points = points + 5 WHERE id = 1",
         "UPDATE loyalty_entry SET points = points - 5 WHERE id = 1", "by its entries"},
        /* a missing allocation */
        {"DELETE FROM loyalty_part WHERE entry = 2", NULL, "lot 1"},
    };
    EACH_BANK(shop, .readers = 1)
    {
        SOUK_MUST(earn_points(&shop, ann, 1, 100, RIG_NOW, SOUK_TIME_LAST));
        SOUK_MUST(burn_points(&shop, &ann, 1, 2, 30, RIG_NOW, NULL));
        for (size_t i = 0; i < sizeof breaks / sizeof *breaks; i++) {
            souk_diag diag = {0};
            SOUK_MUST(souk_points_verify(shop.ledger, &diag));
            must_sql(test, &shop, breaks[i][0]);
            SOUK_CHECK_ERR(souk_points_verify(shop.ledger, &diag), SOUK_ECORRUPT);
            SOUK_CHECK(strstr(diag.words, breaks[i][2]));
            if (breaks[i][1])
                must_sql(test, &shop, breaks[i][1]);
        }
    }
}

static souk_err open_cut(souk_test *test, souk_disk *disk, struct shop *shop)
{
    souk_ledger_options options = {.no_thread = true, .readers = 1};
    shop->disk = disk;
    SOUK_TRY(souk_ledger_open_sqlite(test->mem, disk, "ledger", &options, &shop->ledger, NULL));
    SOUK_TRY(souk_points_migrate(shop->ledger, NULL));
    return souk_family_migrate(shop->ledger, NULL);
}

/* Earns 3 and burns 1 in turn until the power goes; what was answered is counted. */
static int64_t live(souk_test *test, souk_disk *disk, uint64_t *receipt)
{
    struct shop shop = {.ledger = NULL};
    int64_t points = 0;
    souk_sim_plan(disk, (souk_sim_faults){.cut_at = 1 + test_random(test, 150)});
    souk_err err = open_cut(test, disk, &shop);
    for (unsigned i = 0; !err; i++) {
        int64_t change = i % 2 ? -1 : 3;
        err = i % 2 ? burn_points(&shop, &ann, 1, ++*receipt, 1, RIG_NOW, NULL)
                    : earn_points(&shop, ann, ++*receipt, 3, RIG_NOW, SOUK_TIME_LAST);
        points += err ? 0 : change;
    }
    souk_ledger_free(shop.ledger);
    souk_sim_power_on(disk);
    souk_sim_plan(disk, (souk_sim_faults){.cut_at = 0});
    return points;
}

SOUK_TEST("through power cuts every answered point is there, and no other but those in doubt")
{
    souk_auto(souk_disk) disk = NULL;
    int64_t there = 0;
    uint64_t receipt = 0;
    SOUK_MUST(souk_disk_open_sim(test->mem, test_random(test, 0), &disk));
    for (int i = 0; i < 60; i++) {
        struct shop shop = {.ledger = NULL};
        int64_t answered = live(test, disk, &receipt);
        SOUK_MUST(open_cut(test, disk, &shop));
        int64_t points = points_of(test, &shop, ann, RIG_NOW);
        int64_t doubt = points - there - answered;
        SOUK_CHECK(doubt == 0 || doubt == 3 || doubt == -1);
        SOUK_MUST(souk_points_verify(shop.ledger, NULL));
        there = points;
        SOUK_MUST(souk_ledger_close(shop.ledger));
        souk_ledger_free(shop.ledger);
    }
    SOUK_CHECK(there > 50);
}

static souk_err story(struct shop *shop)
{
    int64_t forgiven;
    const souk_purse both[] = {ann, bob};
    SOUK_TRY(earn_points(shop, ann, 1, 10, RIG_NOW, RIG_NOW + RIG_DAY));
    SOUK_TRY(earn_points(shop, bob, 2, 10, RIG_NOW, SOUK_TIME_LAST));
    SOUK_TRY(burn_points(shop, both, 2, 3, 15, RIG_NOW, NULL));
    SOUK_TRY(give_points(shop, 3, 4, RIG_NOW, 0, NULL));
    SOUK_TRY(claw_points(shop, 1, 1, 1, RIG_NOW, 5, &forgiven, NULL));
    return expire_points(shop, RIG_NOW + 2 * RIG_DAY);
}

SOUK_TEST("whatever allocation fails, a change of points is whole or absent")
{
    SOUK_FAULT_LOOP (test) {
        souk_disk *disk = NULL;
        struct shop shop = {.ledger = NULL};
        souk_err err = souk_disk_open_sim(souk_mem_heap(), 3, &disk);
        souk_ledger_options options = {.no_thread = true, .readers = 1};
        if (!err)
            err = souk_ledger_open_sqlite(test->mem, disk, "ledger", &options, &shop.ledger, NULL);
        if (!err)
            err = souk_points_migrate(shop.ledger, NULL);
        if (!err)
            err = souk_family_migrate(shop.ledger, NULL);
        bool opened = !err;
        if (!err)
            err = story(&shop);
        if (opened && err)
            SOUK_MUST(souk_points_verify(shop.ledger, NULL)); /* the fault is over */
        SOUK_CHECK(err == SOUK_OK || err == SOUK_ENOMEM);
        souk_ledger_free(shop.ledger);
        souk_disk_free(disk);
        test_fault_seen(test, err);
    }
}
