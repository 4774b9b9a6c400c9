/* books_power_test.c - the power goes, an operation fails, memory runs out: every answered transfer is in the books
 * once, nothing refused is there, and the auditor is content.
 *
 * One life: open, tell numbered transfers until the planned misfortune.  Number n is a hold, its capture, a basket
 * of two, or a refund of one of its legs, by turns, so that each depends on those before it.  Then the power returns,
 * and all that was ever answered is told again: it must be there, and the shop's sales the sum of it.
 * SOUK_POWER_CUTS=300000 in the environment makes the run longer. */
#include "test/test.h"

#include "core/books_world.h"
#include "store/sqlite_watch.h"

#include <stdlib.h>

enum { NUMBERS_MOST = 400, LIFE_MOST = 24 };

enum fate { NOT_RUN, KEPT, REFUSED, UNKNOWN };

struct life {
    souk_test *test;
    souk_disk *disk;
    souk_ledger_options options;
    struct world world;
    enum fate fates[NUMBERS_MOST];
    uint64_t next;
    uint64_t cuts, answers;
};

static souk_err wake_up(struct life *life)
{
    souk_mem *mem = life->test->mem;
    struct world *world = &life->world;
    *world = (struct world){.test = life->test, .when = {.at = NOON}};
    SOUK_TRY(
        souk_ledger_open_sqlite(mem, life->disk, "ledger", &life->options, &world->ledger, NULL));
    SOUK_TRY(souk_books_migrate(world->ledger, NULL));
    souk_book book = {.merchant = 1,
                      .kind = SOUK_BOOK_TAB,
                      .owner = 1,
                      .currency = "EUR",
                      .limits = {.below_minor = 3000}};
    SOUK_TRY(open_book(world, book, &world->tab));
    book = (souk_book){.merchant = 1, .kind = SOUK_BOOK_SALES, .owner = 1, .currency = "EUR"};
    SOUK_TRY(open_book(world, book, &world->sales));
    book.kind = SOUK_BOOK_TAX;
    return open_book(world, book, &world->tax);
}

static void fall_asleep(struct life *life)
{
    souk_ledger_free(souk_take(&life->world.ledger));
}

static int64_t amount_of(uint64_t number)
{
    return 5 + (int64_t)(number / 4 % 20);
}

/* The transfers of a number, and what they add to the shop's sales. */
static size_t make_number(const struct life *life, uint64_t number, souk_transfer set[2],
                          int64_t *ret_sales)
{
    uint64_t id = number * 2 + 2;
    int64_t amount = amount_of(number);
    const struct world *world = &life->world;
    *ret_sales = amount;
    switch (number % 4) {
    case 0:
        set[0] = hold(id, world->tab, world->sales, amount + 3);
        *ret_sales = 0;
        return 1;
    case 1:
        set[0] = later(SOUK_TRANSFER_CAPTURE, id, id - 2, amount);
        return 1;
    case 2:
        set[0] = post(id, world->tab, world->sales, amount);
        set[1] = post(id + 1, world->tab, world->tax, 1);
        return 2;
    default:
        set[0] = later(SOUK_TRANSFER_REFUND, id, id - 2, amount - 2);
        *ret_sales = 2 - amount;
        return 1;
    }
}

static souk_err tell_number(struct life *life, uint64_t number)
{
    souk_transfer set[2];
    int64_t sales;
    size_t count = make_number(life, number, set, &sales);
    return tell_set(&life->world, set, count);
}

static enum fate fate_of(souk_err err)
{
    if (err == SOUK_OK)
        return KEPT;
    return err == SOUK_EIO ? UNKNOWN : REFUSED;
}

static souk_err live(struct life *life, uint64_t most)
{
    SOUK_TRY(wake_up(life));
    for (uint64_t i = 0; i < most && life->next < NUMBERS_MOST; i++) {
        uint64_t number = life->next++;
        souk_err err = tell_number(life, number);
        life->fates[number] = fate_of(err);
        life->answers += err == SOUK_OK;
        bool refused = err == SOUK_ECONFLICT || err == SOUK_ENOENT;
        if (err && !refused)
            return err;
        struct call call = {.world = &life->world};
        if (number % 16 == 15)
            SOUK_TRY(souk_ledger_write(life->world.ledger, SOUK_LANE_JOB, roll_closure, &call));
        if (number % 32 == 31)
            SOUK_TRY(souk_ledger_checkpoint(life->world.ledger, number % 64 == 63));
    }
    return SOUK_OK;
}

/* ---- the examination ------------------------------------------------------------------------------------------ */

struct looking {
    uint64_t id;
    souk_book_entry entry;
};

static souk_err look_closure(souk_tx *tx, void *context)
{
    struct looking *looking = context;
    return souk_books_entry(tx, id_of(looking->id), &looking->entry);
}

static bool is_there(struct life *life, uint64_t id)
{
    struct looking looking = {.id = id};
    return souk_ledger_read(life->world.ledger, look_closure, &looking) == SOUK_OK;
}

/* NULL where all is well; what was in doubt is settled by what is found. */
static const char *examine_numbers(struct life *life, int64_t *ret_sales)
{
    *ret_sales = 0;
    for (uint64_t number = 0; number < life->next; number++) {
        souk_transfer set[2];
        int64_t sales;
        size_t count = make_number(life, number, set, &sales);
        bool there = is_there(life, number * 2 + 2);
        if (count == 2 && is_there(life, number * 2 + 3) != there)
            return "half a basket is there";
        if (life->fates[number] == KEPT && (tell_number(life, number) || !life->world.was_there))
            return "an answered transfer is lost";
        if (life->fates[number] == REFUSED && there)
            return "a refused transfer is there";
        life->fates[number] = there ? KEPT : REFUSED;
        *ret_sales += there ? sales : 0;
    }
    return NULL;
}

static const char *examine(struct life *life)
{
    int64_t sales;
    struct call call = {.world = &life->world};
    if (wake_up(life))
        return "the books do not open";
    const char *complaint = examine_numbers(life, &sales);
    call.account = life->world.sales;
    if (!complaint && verify(&life->world))
        complaint = "the auditor complains";
    if (!complaint && souk_ledger_read(life->world.ledger, state_closure, &call))
        complaint = "the sales cannot be read";
    if (!complaint && call.state.balance != sales)
        complaint = "the sales are not the sum of what was answered";
    fall_asleep(life);
    return complaint;
}

/* ---- power cuts ------------------------------------------------------------------------------------------------- */

static const char *cut_one_disk(struct life *life, bool lying)
{
    souk_test *test = life->test;
    const char *complaint = NULL;
    SOUK_MUST(souk_disk_open_sim(test->mem, test_random(test, 0), &life->disk));
    life->next = 0;
    memset(life->fates, 0, sizeof life->fates);
    SOUK_MUST(live(life, 4));
    fall_asleep(life);
    for (int i = 0; i < 8 && !complaint; i++) {
        souk_sim_plan(life->disk,
                      (souk_sim_faults){.cut_at = 1 + test_random(test, 150), .lying_sync = lying});
        souk_err err = live(life, LIFE_MOST);
        SOUK_CHECK(err == SOUK_OK || souk_sim_is_cut(life->disk));
        fall_asleep(life);
        souk_sim_power_on(life->disk);
        souk_sim_plan(life->disk, (souk_sim_faults){0});
        complaint = examine(life);
        life->cuts++;
    }
    souk_disk_free(life->disk);
    return complaint;
}

static uint64_t cuts_wanted(void)
{
    const char *told = getenv("SOUK_POWER_CUTS");
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    return told ? strtoull(told, NULL, 10) : 80;
#else
    return told ? strtoull(told, NULL, 10) : 400;
#endif
}

SOUK_TEST("power cuts anywhere in the books lose no transfer that was answered, and double none")
{
    struct life life = {.test = test,
                        .options = {.no_thread = true, .checkpoint_pages = 24, .readers = 1}};
    const char *complaint = NULL;
    while (life.cuts < cuts_wanted() && !complaint)
        complaint = cut_one_disk(&life, false);
    fprintf(stderr, "  books: %llu cuts, %llu transfers answered\n", (unsigned long long)life.cuts,
            (unsigned long long)life.answers);
    if (complaint)
        test_fail(test, __FILE__, __LINE__, "%s after %llu cuts", complaint,
                  (unsigned long long)life.cuts);
    SOUK_CHECK(life.answers > life.cuts);
}

SOUK_TEST("the same power cuts catch books on a ledger that does not sync, and on a disk that lies")
{
    const enum souk_ledger_sync planted[] = {SOUK_SYNC_NORMAL, SOUK_SYNC_OFF, SOUK_SYNC_FULL};
    for (size_t i = 0; i < 3; i++) {
        struct life life = {.test = test,
                            .options = {.sync = planted[i], .no_thread = true, .readers = 1}};
        const char *complaint = NULL;
        while (life.cuts < 300 && !complaint)
            complaint = cut_one_disk(&life, planted[i] == SOUK_SYNC_FULL);
        SOUK_CHECK(complaint);
    }
}

/* ---- faults -------------------------------------------------------------------------------------------------------- */

/* Fails each operation of a life in turn. */
static void fail_each(souk_test *test, souk_sim_faults faults)
{
    bool failed = true;
    for (faults.fail_at = 1; failed; faults.fail_at += 1 + faults.fail_at / 40) {
        struct life life = {.test = test,
                            .options = {.no_thread = true, .checkpoint_pages = 24, .readers = 1}};
        SOUK_MUST(souk_disk_open_sim(test->mem, faults.fail_at, &life.disk));
        souk_sim_plan(life.disk, faults);
        souk_err err = live(&life, LIFE_MOST);
        failed = souk_sim_operations(life.disk) >= faults.fail_at;
        SOUK_CHECK(err == SOUK_OK || failed);
        souk_sim_plan(life.disk, (souk_sim_faults){0});
        if (life.world.ledger)
            fall_asleep(&life);
        const char *complaint = examine(&life);
        if (complaint)
            test_fail(test, __FILE__, __LINE__, "operation %llu failed: %s",
                      (unsigned long long)faults.fail_at, complaint);
        souk_disk_free(life.disk);
    }
    SOUK_CHECK(faults.fail_at > 60);
}

SOUK_TEST("whichever operation of the disk fails, the books hold what was answered and nothing "
          "that was refused")
{
    fail_each(test, (souk_sim_faults){0});
    fail_each(test, (souk_sim_faults){.fail_err = SOUK_EFULL});
    fail_each(test, (souk_sim_faults){.fail_reads = true});
}

SOUK_TEST("whichever allocation fails, SQLite's own too, the books hold what was answered")
{
    SOUK_FAULT_LOOP (test) {
        struct life life = {.test = test, .options = {.no_thread = true, .readers = 1}};
        uint64_t fail_at = test->fail_at;
        test->fail_at = 0; /* the story begins with books that are there */
        SOUK_MUST(souk_disk_open_sim(test->mem, 1, &life.disk));
        SOUK_MUST(live(&life, 4));
        test->fail_at = fail_at;
        watch.counted = test;
        souk_err err = SOUK_OK;
        for (uint64_t number = 4; number < 8 && !err; number++) {
            err = tell_number(&life, number);
            life.fates[number] = fate_of(err);
            life.next = number + 1;
        }
        watch.counted = NULL;
        test->fail_at = 0;
        SOUK_CHECK(err == SOUK_OK || err == SOUK_ENOMEM || err == SOUK_EIO);
        fall_asleep(&life);
        const char *complaint = examine(&life);
        if (complaint)
            test_fail(test, __FILE__, __LINE__, "%s", complaint);
        souk_disk_free(life.disk);
        test->fail_at = fail_at;
        test_fault_seen(test, err);
    }
}
