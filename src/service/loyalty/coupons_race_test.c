/* coupons_race_test.c - many tills at once, requests that come twice, power that goes: every limit holds exactly.
 *
 * SOUK_RACES=100000 in the environment makes the random race longer. */
#include "test/test.h"

#include "base/random.h"
#include "os/disk_sim.h"
#include "os/thread.h"
#include "store/ledger_shop.h"
#include "store/vault_desk.h"

#include "service/loyalty/coupons_rig.h"

#include <stdlib.h>

enum { CLIENTS = 64, RACERS = 16, RACES = 2000, CODES = 200, PEOPLE = 50, STORES = 5, ONE = 1 };

static const char one[] = "{\"title\":\"one\",\"limits\":{\"all\":1}}";
static const char few[] =
    "{\"title\":\"few\",\"kind\":\"multi\",\"uses\":4,\"limits\":{\"all\":500,"
    "\"person\":12,\"store\":150}}";

/* ---- one coupon, sixty-four clients ------------------------------------------------------------------------- */

struct client {
    struct shop *shop;
    uint64_t number;
    bool naive;
    souk_err err;
    souk_thread thread;
};

struct naive {
    int64_t used;
};

static souk_err naive_look(souk_tx *tx, void *context)
{
    return souk_sql_one_int(tx, "SELECT used FROM coupon_code WHERE class = 'one'", SOUK_NO_VALUES,
                            &((struct naive *)context)->used);
}

static souk_err naive_write(souk_tx *tx, void *context)
{
    (void)context;
    return souk_sql_run(tx, "UPDATE coupon_code SET used = 1 WHERE class = 'one'", SOUK_NO_VALUES);
}

/* Planted, what everybody does: is it unused?  Then use it. */
static souk_err naive_redeem(struct shop *shop)
{
    struct naive naive;
    SOUK_TRY(souk_ledger_read(shop->ledger, naive_look, &naive));
    if (naive.used)
        return SOUK_ECONFLICT;
    return souk_ledger_write(shop->ledger, SOUK_LANE_TILL, naive_write, NULL);
}

static void redeem_one(void *context)
{
    struct client *client = context;
    struct rig_coupon coupon = coupon_of(ONE, NULL, 0, "A", RIG_DAY);
    client->err = client->naive
                      ? naive_redeem(client->shop)
                      : rig_redeem(client->shop, &coupon, client->number, NULL, NULL, NULL);
}

static unsigned race_for_one(souk_test *test, struct shop *shop, bool naive)
{
    struct client clients[CLIENTS];
    unsigned got = 0;
    souk_ledger_hold(shop->ledger); /* all have looked before the first may write */
    for (unsigned i = 0; i < CLIENTS; i++) {
        clients[i] = (struct client){.shop = shop, .number = i + 1, .naive = naive};
        SOUK_MUST(souk_thread_start(&clients[i].thread, "client", redeem_one, &clients[i]));
    }
    souk_ledger_counters counters = {0};
    while (counters.queued[SOUK_LANE_TILL] < CLIENTS)
        souk_ledger_count(shop->ledger, &counters);
    souk_ledger_release(shop->ledger);
    for (unsigned i = 0; i < CLIENTS; i++) {
        souk_thread_join(&clients[i].thread);
        got += clients[i].err == SOUK_OK;
        SOUK_CHECK(clients[i].err == SOUK_OK || clients[i].err == SOUK_ECONFLICT);
    }
    return got;
}

SOUK_TEST("64 clients redeem one coupon of limit 1, all having seen it good: exactly one gets it")
{
    EACH_COUNTER(shop, .readers = 4)
    {
        if (shop.how->no_thread)
            continue;
        SOUK_MUST(put_class(&shop, "one", one));
        SOUK_MUST(issue_codes(&shop, "one", one, ONE, 1, 0, SOUK_TIME_LAST));
        SOUK_CHECK(race_for_one(test, &shop, false) == 1);
        SOUK_CHECK(ask(test, &shop, "SELECT count(*) FROM coupon_use") == 1);
        SOUK_MUST(souk_coupons_verify(shop.ledger, NULL));
        /* and who looks first and writes later gives it to all of them */
        must_sql(test, &shop, "UPDATE coupon_code SET used = 0");
        SOUK_CHECK(race_for_one(test, &shop, true) == CLIENTS);
    }
}

/* ---- a random race --------------------------------------------------------------------------------------------- */

/* A request follows from its number: whoever sends it again sends the same. */
struct request {
    unsigned code, person, store;
};

static struct request request_of(uint64_t number)
{
    uint64_t mixed = souk_mix64(number);
    return (struct request){(unsigned)(mixed % CODES), (unsigned)(mixed >> 20) % PEOPLE,
                            (unsigned)(mixed >> 40) % STORES};
}

static souk_err tell_nothing(souk_plan *plan, souk_tx *tx)
{
    (void)tx;
    souk_buf_clear(&plan->once->body);
    souk_buf_text(&plan->once->body, SOUK_TEXT("{}"));
    plan->once->status = 201;
    memcpy(plan->once->type, "application/json", sizeof "application/json");
    return SOUK_OK;
}

static souk_err send_request(struct shop *shop, souk_vault *vault, uint64_t number, bool *ret_again)
{
    static const char *const stores[STORES] = {"A", "B", "C", "D", "E"};
    struct request request = request_of(number);
    uint32_t atom = request.person + 1;
    struct rig_coupon coupon = coupon_of(request.code, &atom, 1, stores[request.store], RIG_DAY);
    souk_once once = {.vault = vault,
                      .id = {number, 1},
                      .fingerprint = {number, 2},
                      .at = RIG_AT,
                      .body = {.mem = souk_mem_heap()}};
    souk_err err = rig_redeem(shop, &coupon, number, &once, tell_nothing, ret_again);
    souk_once_done(&once);
    return err;
}

struct racer {
    struct shop *shop;
    souk_vault *vault;
    uint64_t seed, races;
    uint64_t first, again, refused, others;
    souk_thread thread;
};

static void race(void *context)
{
    struct racer *racer = context;
    souk_random random = souk_random_of(racer->seed);
    for (uint64_t i = 0; i < racer->races; i++) {
        bool again = false;
        /* each request is sent by several, and by some more than once */
        uint64_t number = souk_random_below(&random, racer->races * RACERS / 3 + 1);
        souk_err err = send_request(racer->shop, racer->vault, number, &again);
        racer->first += err == SOUK_OK && !again;
        racer->again += err == SOUK_OK && again;
        racer->refused += err == SOUK_ECONFLICT;
        racer->others += err != SOUK_OK && err != SOUK_ECONFLICT;
    }
}

static void race_all(souk_test *test, struct shop *shop, souk_vault *vault, uint64_t races)
{
    struct racer racers[RACERS];
    uint64_t first = 0, again = 0, refused = 0;
    for (unsigned i = 0; i < RACERS; i++) {
        racers[i] = (struct racer){
            .shop = shop, .vault = vault, .seed = test_random(test, 0), .races = races / RACERS};
        SOUK_MUST(souk_thread_start(&racers[i].thread, "racer", race, &racers[i]));
    }
    for (unsigned i = 0; i < RACERS; i++) {
        souk_thread_join(&racers[i].thread);
        SOUK_CHECK(racers[i].others == 0);
        first += racers[i].first;
        again += racers[i].again;
        refused += racers[i].refused;
    }
    SOUK_CHECK(first > 100 && again > 100 && refused > 10);
    SOUK_CHECK((uint64_t)ask(test, shop, "SELECT count(*) FROM coupon_use") == first);
}

static const char *const never[] = {
    "SELECT count(*) FROM coupon_code WHERE used > 4",
    "SELECT count(*) FROM (SELECT hash FROM coupon_use GROUP BY hash HAVING count(*) > 4) AS a",
    "SELECT count(*) FROM (SELECT person FROM coupon_use GROUP BY person HAVING count(*) > 12) AS "
    "a",
    "SELECT count(*) FROM (SELECT store FROM coupon_use GROUP BY store HAVING count(*) > 150) AS a",
    "SELECT count(*) FROM (SELECT receipt FROM coupon_use GROUP BY receipt HAVING count(*) > 1) AS "
    "a",
    "SELECT count(*) FROM (SELECT class FROM coupon_use GROUP BY class HAVING count(*) > 500) AS a",
};

static void check_never(souk_test *test, struct shop *shop)
{
    souk_diag diag = {0};
    for (size_t i = 0; i < sizeof never / sizeof *never; i++)
        if (ask(test, shop, never[i]))
            test_fail(test, __FILE__, __LINE__, "%s", never[i]);
    if (souk_coupons_verify(shop->ledger, &diag))
        test_fail(test, __FILE__, __LINE__, "%s", diag.words);
}

static void open_few(souk_test *test, struct shop *shop)
{
    SOUK_MUST(souk_once_migrate(shop->ledger, NULL));
    SOUK_MUST(put_class(shop, "few", few));
    SOUK_MUST(issue_codes(shop, "few", few, 0, CODES, 0, SOUK_TIME_LAST));
}

SOUK_TEST(
    "a random race of redemptions with repeats ends with every limit kept and none done twice")
{
    const char *told = getenv("SOUK_RACES");
    uint64_t races = told ? strtoull(told, NULL, 10) : RACES;
    EACH_COUNTER(shop, .readers = 4)
    {
        if (shop.how->no_thread)
            continue;
        vault_desk keys = desk_of(test, &small);
        open_few(test, &shop);
        race_all(test, &shop, keys.vault, races);
        check_never(test, &shop);
        desk_done(&keys);
    }
}

/* ---- power cuts --------------------------------------------------------------------------------------------------- */

static souk_err open_cut(souk_test *test, souk_disk *disk, struct shop *shop)
{
    souk_ledger_options options = {.no_thread = true, .readers = 1};
    shop->disk = disk;
    SOUK_TRY(souk_ledger_open_sqlite(test->mem, disk, "ledger", &options, &shop->ledger, NULL));
    SOUK_TRY(souk_once_migrate(shop->ledger, NULL));
    SOUK_TRY(souk_documents_migrate(shop->ledger, NULL));
    return souk_coupons_migrate(shop->ledger, NULL);
}

/* Sends requests in turn until the power goes; *number is the first that was not answered. */
static void live(souk_test *test, souk_disk *disk, souk_vault *vault, uint64_t *number,
                 uint64_t *done, uint64_t *again)
{
    struct shop shop = {.ledger = NULL};
    souk_sim_plan(disk, (souk_sim_faults){.cut_at = 1 + test_random(test, 120)});
    souk_err err = open_cut(test, disk, &shop);
    *number -= *number > 1; /* whoever lost an answer sends the request again */
    while (!err || err == SOUK_ECONFLICT) {
        bool repeats;
        err = send_request(&shop, vault, *number, &repeats);
        *done += err == SOUK_OK && !repeats;
        *again += err == SOUK_OK && repeats;
        *number += !err || err == SOUK_ECONFLICT;
    }
    souk_ledger_free(shop.ledger);
    souk_sim_power_on(disk);
    souk_sim_plan(disk, (souk_sim_faults){.cut_at = 0});
}

SOUK_TEST("through power cuts a redemption that is sent again until it is answered is done once")
{
    souk_auto(souk_disk) disk = NULL;
    vault_desk keys = desk_of(test, &small);
    struct shop shop = {.ledger = NULL};
    uint64_t number = 1, done = 0, again = 0;
    SOUK_MUST(souk_disk_open_sim(test->mem, test_random(test, 0), &disk));
    SOUK_MUST(open_cut(test, disk, &shop));
    open_few(test, &shop);
    SOUK_MUST(souk_ledger_close(shop.ledger));
    souk_ledger_free(souk_take(&shop.ledger));
    for (int i = 0; i < 80; i++)
        live(test, disk, keys.vault, &number, &done, &again);
    SOUK_MUST(open_cut(test, disk, &shop));
    check_never(test, &shop);
    int64_t doubtful = ask(test, &shop, "SELECT count(*) FROM coupon_use") - (int64_t)done;
    SOUK_CHECK(doubtful == 0 || doubtful == 1); /* the last one, which nobody answered */
    SOUK_CHECK(done > 30 && again > 30);
    SOUK_MUST(souk_ledger_close(shop.ledger));
    souk_ledger_free(shop.ledger);
    desk_done(&keys);
}
