/* consent_list_test.c - withdrawals by anybody, for those who must be told. */
#include "test/test.h"

#include "core/consent_world.h"

struct told {
    souk_test *test;
    struct consent_world *world;
    uint64_t after, last, newest;
    size_t most, count;
    uint32_t atoms[10];
};

static souk_err note(void *context, uint64_t id, const souk_consent_row *row)
{
    struct told *told = context;
    souk_test *test = told->test;
    SOUK_CHECK(row->basis == SOUK_BASIS_WITHDRAWN && row->controller == SOUK_OPERATOR);
    SOUK_CHECK(id > told->after && told->count < 10);
    told->atoms[told->count++] = row->atom;
    return SOUK_OK;
}

static souk_err list(souk_tx *tx, void *context)
{
    struct told *told = context;
    SOUK_TRY(souk_consent_newest(tx, &told->newest));
    return souk_consent_withdrawn(tx, told->after, told->most, note, told, &told->last);
}

static struct told told_of(souk_test *test, struct consent_world *world, uint64_t after,
                           size_t most)
{
    struct told told = {.test = test, .world = world, .after = after, .most = most};
    SOUK_MUST(souk_ledger_read(world->ledger, list, &told));
    return told;
}

static void withdraw(souk_test *test, struct consent_world *world, uint32_t first, uint32_t count,
                     souk_purpose purpose, const char *evidence)
{
    souk_consent_row rows[4];
    for (uint32_t i = 0; i < count; i++) {
        rows[i] = world_withdrawal(first + i, purpose);
        rows[i].evidence = souk_text_of(evidence);
    }
    SOUK_MUST(world_say(world, rows, count));
}

SOUK_TEST("withdrawals are listed in their order, a decision once however many atoms it went to")
{
    struct consent_world world;
    SOUK_MUST(world_open(&world, test->mem));
    struct told told = told_of(test, &world, 0, 10);
    SOUK_CHECK(told.count == 0 && told.last == 0 && told.newest == 0);
    SOUK_MUST(world_grants(&world, 1, SOUK_PURPOSE_PROFILE));             /* row 1 */
    withdraw(test, &world, 1, 3, SOUK_PURPOSE_PROFILE, "sealed once");    /* 2 to 4 */
    withdraw(test, &world, 5, 1, SOUK_PURPOSE_PROFILE, "sealed twice");   /* 5 */
    withdraw(test, &world, 5, 1, SOUK_PURPOSE_ADVERTISE, "sealed twice"); /* 6, of one event */
    SOUK_MUST(world_grants(&world, 6, SOUK_PURPOSE_PROFILE));             /* 7 */
    told = told_of(test, &world, 0, 10);
    SOUK_CHECK(told.count == 3 && told.last == 7 && told.newest == 7);
    SOUK_CHECK(told.atoms[0] == 1 && told.atoms[1] == 5 && told.atoms[2] == 5);
    told = told_of(test, &world, 4, 2);
    SOUK_CHECK(told.count == 2 && told.last == 6 && told.atoms[0] == 5);
    told = told_of(test, &world, 7, 2);
    SOUK_CHECK(told.count == 0 && told.last == 7);
    world_close(&world);
}
