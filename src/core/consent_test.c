/* consent_test.c - what consent.h promises, one sentence each.  Random histories against a dumb model are
 * in consent_model_test.c. */
#include "test/test.h"

#include "core/consent_world.h"

static void open_world(souk_test *test, struct consent_world *world)
{
    SOUK_MUST(world_open(world, test->mem));
}

/* ---- words ------------------------------------------------------------------------------------- */

SOUK_TEST("the words of purposes, bases and ages lead there and back")
{
    for (unsigned i = 0; i < SOUK_PURPOSE_FIXED; i++) {
        souk_purpose purpose = SOUK_PURPOSE_MOST;
        const char *word = souk_purpose_word((souk_purpose)i);
        SOUK_CHECK(souk_purpose_of_word(souk_text_of(word), &purpose) && purpose == i);
    }
    souk_purpose untouched = SOUK_PURPOSE_MOOD;
    SOUK_CHECK(!souk_purpose_of_word(SOUK_TEXT("profiles"), &untouched));
    SOUK_CHECK(!souk_purpose_of_word(SOUK_TEXT(""), &untouched) && untouched == SOUK_PURPOSE_MOOD);
    for (souk_basis basis = SOUK_BASIS_CONSENT; basis <= SOUK_BASIS_WITHDRAWN; basis++)
        SOUK_CHECK(souk_basis_of_word(souk_text_of(souk_basis_word(basis))) == basis);
    SOUK_CHECK(souk_basis_of_word(SOUK_TEXT("none")) == SOUK_BASIS_NONE);
    SOUK_CHECK(souk_basis_of_word(SOUK_TEXT("wish")) == SOUK_BASIS_NONE);
    SOUK_CHECK_TEXT(souk_text_of(souk_age_word(SOUK_AGE_UNKNOWN)), "unknown");
    SOUK_CHECK_TEXT(souk_text_of(souk_age_word(SOUK_AGE_MINOR)), "minor");
    SOUK_CHECK_TEXT(souk_text_of(souk_age_word(SOUK_AGE_ADULT)), "adult");
}

/* ---- grants, withdrawals, persons ---------------------------------------------------------------- */

SOUK_TEST("nobody said anything: every purpose is denied, with the reason, and no grant is written")
{
    struct consent_world world;
    open_world(test, &world);
    souk_grant grant = {.shopper = 77};
    for (unsigned i = 0; i < SOUK_PURPOSE_MOST; i++) {
        souk_diag diag = {.words = ""};
        SOUK_CHECK_ERR(world_ask_as(&world, 5, (souk_purpose)i, SOUK_OPERATOR, 1, &grant, &diag),
                       SOUK_EDENIED);
        SOUK_CHECK(strstr(diag.words, "nobody gave consent") && grant.shopper == 77);
    }
    souk_person nobody = {.shopper = 5};
    SOUK_CHECK_ERR(souk_consent_ask(world.consent, world.index, &nobody, SOUK_PURPOSE_SERVE,
                                    SOUK_OPERATOR, 1, &grant, NULL),
                   SOUK_EDENIED);
    SOUK_CHECK(!world_masked(&world, 5, SOUK_PURPOSE_SERVE));
    world_close(&world);
}

SOUK_TEST("a grant stays on its atom: a person says yes only where each of her atoms does")
{
    struct consent_world world;
    open_world(test, &world);
    uint32_t own = 1, claimed = WORLD_SHOPPERS + 1;
    SOUK_MUST(world_grants(&world, own, SOUK_PURPOSE_PROFILE));
    SOUK_CHECK(!world_may(&world, own, SOUK_PURPOSE_PROFILE));
    SOUK_CHECK(!world_masked(&world, 1, SOUK_PURPOSE_PROFILE));
    SOUK_MUST(world_grants(&world, claimed, SOUK_PURPOSE_PROFILE));
    SOUK_CHECK(world_may(&world, own, SOUK_PURPOSE_PROFILE));
    SOUK_CHECK(world_may(&world, claimed, SOUK_PURPOSE_PROFILE));
    SOUK_CHECK(world_masked(&world, 1, SOUK_PURPOSE_PROFILE));
    SOUK_CHECK(!world_may(&world, own, SOUK_PURPOSE_PERSONALISE));
    SOUK_MUST(world_grants(&world, WORLD_VISITOR, SOUK_PURPOSE_PROFILE));
    SOUK_CHECK(world_may(&world, WORLD_VISITOR, SOUK_PURPOSE_PROFILE));
    SOUK_MUST(world_grants(&world, WORLD_SHARED, SOUK_PURPOSE_PROFILE));
    SOUK_CHECK(!world_may(&world, WORLD_SHARED, SOUK_PURPOSE_PROFILE));
    world_close(&world);
}

SOUK_TEST("while merged the strictest holds, and the un-merge gives the grant back")
{
    struct consent_world world;
    open_world(test, &world);
    SOUK_MUST(world_grants(&world, 7, SOUK_PURPOSE_PROFILE));
    SOUK_MUST(souk_index_join(world.index, 8, 7));
    SOUK_CHECK(!world_may(&world, 7, SOUK_PURPOSE_PROFILE));
    SOUK_CHECK(!world_masked(&world, 7, SOUK_PURPOSE_PROFILE));
    souk_index_clear_groups(world.index);
    SOUK_CHECK(world_may(&world, 7, SOUK_PURPOSE_PROFILE));
    SOUK_CHECK(!world_may(&world, 8, SOUK_PURPOSE_PROFILE));
    SOUK_CHECK(world_masked(&world, 7, SOUK_PURPOSE_PROFILE));
    world_close(&world);
}

SOUK_TEST("a withdrawal made while merged stays on every atom after the un-merge")
{
    struct consent_world world;
    open_world(test, &world);
    uint32_t claimed = WORLD_SHOPPERS + 1, atoms[] = {1, claimed, 9};
    for (size_t i = 0; i < 3; i++)
        SOUK_MUST(world_grants(&world, atoms[i], SOUK_PURPOSE_PERSONALISE));
    SOUK_MUST(souk_index_join(world.index, 1, 9));
    SOUK_CHECK(world_may(&world, 9, SOUK_PURPOSE_PERSONALISE));
    SOUK_MUST(world_withdraws(&world, 9, SOUK_PURPOSE_PERSONALISE));
    souk_index_clear_groups(world.index);
    souk_diag diag = {.words = ""};
    souk_grant grant;
    for (size_t i = 0; i < 3; i++)
        SOUK_CHECK_ERR(world_ask_as(&world, atoms[i], SOUK_PURPOSE_PERSONALISE, SOUK_OPERATOR, 1,
                                    &grant, &diag),
                       SOUK_EDENIED);
    SOUK_CHECK(strstr(diag.words, "withdrew") != NULL);
    SOUK_MUST(world_grants(&world, 9, SOUK_PURPOSE_PERSONALISE));
    SOUK_CHECK(world_may(&world, 9, SOUK_PURPOSE_PERSONALISE));
    SOUK_CHECK(!world_may(&world, 1, SOUK_PURPOSE_PERSONALISE));
    world_close(&world);
}

SOUK_TEST("what a source states holds for the operator alone, until the shopper withdraws it")
{
    struct consent_world world;
    open_world(test, &world);
    souk_grant grant;
    SOUK_MUST(world_event(&world, 6, SOURCE_ADULT));
    SOUK_CHECK(world_may(&world, 6, SOUK_PURPOSE_PROFILE));
    SOUK_CHECK(world_may(&world, 6, SOUK_PURPOSE_ADVERTISE));
    SOUK_CHECK(!world_may(&world, 6, SOUK_PURPOSE_RESEARCH));
    SOUK_CHECK_ERR(world_ask_as(&world, 6, SOUK_PURPOSE_PROFILE, 2, 1, &grant, NULL), SOUK_EDENIED);
    SOUK_MUST(world_withdraws(&world, 6, SOUK_PURPOSE_PROFILE));
    SOUK_MUST(world_event(&world, 6, SOURCE_ADULT)); /* stating it again is no answer to that */
    SOUK_CHECK(!world_may(&world, 6, SOUK_PURPOSE_PROFILE));
    SOUK_CHECK(world_may(&world, 6, SOUK_PURPOSE_ADVERTISE));
    SOUK_CHECK(world_may(&world, 6, SOUK_PURPOSE_SERVE));
    world_close(&world);
}

SOUK_TEST("serve cannot be withdrawn, and rows that make no sense are refused whole")
{
    struct consent_world world;
    open_world(test, &world);
    SOUK_MUST(world_event(&world, 6, SOURCE_UNKNOWN));
    souk_consent_row rows[] = {world_withdrawal(6, SOUK_PURPOSE_PROFILE),
                               world_withdrawal(6, SOUK_PURPOSE_SERVE)};
    SOUK_CHECK_ERR(world_say(&world, rows, 2), SOUK_EINVAL);
    SOUK_CHECK(world_may(&world, 6, SOUK_PURPOSE_SERVE));
    SOUK_CHECK(world_may(&world, 6, SOUK_PURPOSE_PROFILE)); /* undone with the other row */
    souk_consent_row row = world_grant(6, SOUK_PURPOSE_RESEARCH);
    row.from = row.until = 5;
    SOUK_CHECK_ERR(world_say(&world, &row, 1), SOUK_EINVAL);
    row.until = 4;
    SOUK_CHECK_ERR(world_say(&world, &row, 1), SOUK_EINVAL);
    row = world_grant(6, SOUK_PURPOSE_MOST);
    SOUK_CHECK_ERR(world_say(&world, &row, 1), SOUK_EINVAL);
    row = world_grant(6, SOUK_PURPOSE_RESEARCH);
    row.basis = SOUK_BASIS_NONE;
    SOUK_CHECK_ERR(world_say(&world, &row, 1), SOUK_EINVAL);
    row = world_grant(0, SOUK_PURPOSE_RESEARCH);
    SOUK_CHECK_ERR(world_say(&world, &row, 1), SOUK_ECONFLICT);
    SOUK_CHECK(!world_may(&world, 6, SOUK_PURPOSE_RESEARCH));
    world_close(&world);
}

SOUK_TEST("a grant speaks from `from` on and no longer at `until`; then the source is heard again")
{
    struct consent_world world;
    open_world(test, &world);
    souk_grant grant;
    souk_consent_row row = world_grant(6, SOUK_PURPOSE_RESEARCH);
    row.from = 100;
    row.until = 200;
    SOUK_MUST(world_say(&world, &row, 1));
    const struct {
        souk_time now;
        souk_err err;
    } times[] = {{99, SOUK_EDENIED},
                 {100, SOUK_OK},
                 {199, SOUK_OK},
                 {200, SOUK_EDENIED},
                 {INT64_MAX, SOUK_EDENIED}};
    for (size_t i = 0; i < sizeof times / sizeof *times; i++)
        SOUK_CHECK_ERR(world_ask_as(&world, 6, SOUK_PURPOSE_RESEARCH, SOUK_OPERATOR, times[i].now,
                                    &grant, NULL),
                       times[i].err);
    row.until = 0; /* the newest row holds, and it is open */
    SOUK_MUST(world_say(&world, &row, 1));
    SOUK_MUST(
        world_ask_as(&world, 6, SOUK_PURPOSE_RESEARCH, SOUK_OPERATOR, INT64_MAX, &grant, NULL));
    SOUK_MUST(world_event(&world, 6, SOURCE_UNKNOWN));
    row = world_withdrawal(6, SOUK_PURPOSE_PROFILE);
    row.from = 100;
    row.until = 200;
    SOUK_MUST(world_say(&world, &row, 1));
    SOUK_CHECK_ERR(world_ask_as(&world, 6, SOUK_PURPOSE_PROFILE, SOUK_OPERATOR, 150, &grant, NULL),
                   SOUK_EDENIED);
    SOUK_MUST(world_ask_as(&world, 6, SOUK_PURPOSE_PROFILE, SOUK_OPERATOR, 200, &grant, NULL));
    world_close(&world);
}

/* ---- age --------------------------------------------------------------------------------------- */

static const souk_purpose adult_purposes[] = {SOUK_PURPOSE_RECOGNISE, SOUK_PURPOSE_FACE_PAY,
                                              SOUK_PURPOSE_MOOD, SOUK_PURPOSE_ADVERTISE,
                                              SOUK_PURPOSE_SHARE + 3};
enum { ADULT_PURPOSES = sizeof adult_purposes / sizeof *adult_purposes };

SOUK_TEST(
    "without a known adult no advertising, face, mood, recognition or party, whatever was granted")
{
    struct consent_world world;
    open_world(test, &world);
    for (size_t i = 0; i < ADULT_PURPOSES; i++) {
        souk_consent_row row = world_grant(6, adult_purposes[i]);
        row.guardian = true; /* of no use here */
        SOUK_MUST(world_say(&world, &row, 1));
    }
    souk_age ages[] = {SOUK_AGE_UNKNOWN, SOUK_AGE_MINOR, SOUK_AGE_ADULT, SOUK_AGE_MINOR};
    for (size_t age = 0; age < 4; age++) {
        if (ages[age] != SOUK_AGE_UNKNOWN)
            SOUK_MUST(world_age(&world, 6, ages[age]));
        for (size_t i = 0; i < ADULT_PURPOSES; i++) {
            bool adult = ages[age] == SOUK_AGE_ADULT;
            SOUK_CHECK(world_may(&world, 6, adult_purposes[i]) == adult);
            SOUK_CHECK(world_masked(&world, 6, adult_purposes[i]) == adult);
        }
    }
    world_close(&world);
}

SOUK_TEST("a minor is profiled with a guardian's word only, and served without it")
{
    struct consent_world world;
    open_world(test, &world);
    SOUK_MUST(world_event(&world, 6, SOURCE_UNKNOWN));
    SOUK_MUST(world_grants(&world, 6, SOUK_PURPOSE_RESEARCH));
    SOUK_CHECK(world_may(&world, 6, SOUK_PURPOSE_RESEARCH)); /* unknown age */
    SOUK_MUST(world_age(&world, 6, SOUK_AGE_MINOR));
    souk_diag diag = {.words = ""};
    souk_grant grant;
    SOUK_CHECK_ERR(world_ask_as(&world, 6, SOUK_PURPOSE_RESEARCH, SOUK_OPERATOR, 1, &grant, &diag),
                   SOUK_EDENIED);
    SOUK_CHECK(strstr(diag.words, "guardian") != NULL);
    SOUK_CHECK(
        !world_may(&world, 6, SOUK_PURPOSE_PROFILE)); /* stated, but nobody's guardian spoke */
    SOUK_CHECK(world_may(&world, 6, SOUK_PURPOSE_SERVE));
    souk_consent_row row = world_grant(6, SOUK_PURPOSE_RESEARCH);
    row.guardian = true;
    SOUK_MUST(world_say(&world, &row, 1));
    SOUK_CHECK(world_may(&world, 6, SOUK_PURPOSE_RESEARCH));
    SOUK_CHECK(!world_may(&world, 6, SOUK_PURPOSE_PROFILE));
    world_close(&world);
}

SOUK_TEST("the age a source states holds for its shoppers, and a minor's over an adult's")
{
    struct consent_world world;
    open_world(test, &world);
    SOUK_MUST(world_event(&world, 6, SOURCE_MINOR));
    SOUK_CHECK(!world_may(&world, 6, SOUK_PURPOSE_PROFILE));
    SOUK_CHECK(!world_may(&world, 6, SOUK_PURPOSE_ADVERTISE));
    SOUK_CHECK(world_may(&world, 6, SOUK_PURPOSE_SERVE));
    SOUK_MUST(world_event(&world, 6, SOURCE_ADULT));
    SOUK_CHECK(!world_may(&world, 6, SOUK_PURPOSE_PROFILE));
    SOUK_CHECK(!world_may(&world, 6, SOUK_PURPOSE_ADVERTISE));
    SOUK_MUST(world_age(&world, 6, SOUK_AGE_ADULT)); /* her own passport outweighs sources */
    SOUK_CHECK(world_may(&world, 6, SOUK_PURPOSE_PROFILE));
    SOUK_CHECK(world_may(&world, 6, SOUK_PURPOSE_ADVERTISE));
    world_close(&world);
}

/* ---- the order of a commit ----------------------------------------------------------------------- */

struct seen_inside {
    uint32_t shopper;
    souk_purpose purpose;
    bool masked, may;
    uint64_t epoch;
};

static void look_inside(void *context, struct consent_world *world)
{
    struct seen_inside *seen = context;
    seen->masked = world_masked(world, seen->shopper, seen->purpose);
    seen->may = world_may(world, seen->shopper, seen->purpose);
    seen->epoch = souk_consent_epoch(world->consent);
}

SOUK_TEST("a withdrawal clears the mask's bit before its commit, a grant sets it after")
{
    struct consent_world world;
    open_world(test, &world);
    struct seen_inside seen = {.shopper = 6, .purpose = SOUK_PURPOSE_PROFILE};
    souk_consent_row row = world_grant(6, SOUK_PURPOSE_PROFILE);
    struct saying saying = {
        .world = &world, .rows = &row, .count = 1, .inside = look_inside, .context = &seen};
    uint64_t epoch = souk_consent_epoch(world.consent);
    SOUK_MUST(world_say_all(&saying));
    SOUK_CHECK(!seen.masked && !seen.may);
    SOUK_CHECK(world_masked(&world, 6, SOUK_PURPOSE_PROFILE));
    SOUK_CHECK(souk_consent_epoch(world.consent) > epoch);

    epoch = souk_consent_epoch(world.consent);
    row.basis = SOUK_BASIS_WITHDRAWN;
    SOUK_MUST(world_say_all(&saying));
    SOUK_CHECK(!seen.masked && !seen.may && seen.epoch > epoch);
    SOUK_CHECK(!world_masked(&world, 6, SOUK_PURPOSE_PROFILE));
    world_close(&world);
}

SOUK_TEST("a minor's age holds before its commit, an adult's after")
{
    struct consent_world world;
    open_world(test, &world);
    struct seen_inside seen = {.shopper = 6, .purpose = SOUK_PURPOSE_ADVERTISE};
    SOUK_MUST(world_grants(&world, 6, SOUK_PURPOSE_ADVERTISE));
    struct saying saying = {.world = &world,
                            .aged_atom = 6,
                            .age = SOUK_AGE_ADULT,
                            .inside = look_inside,
                            .context = &seen};
    SOUK_MUST(world_say_all(&saying));
    SOUK_CHECK(!seen.masked && world_masked(&world, 6, SOUK_PURPOSE_ADVERTISE));
    saying.age = SOUK_AGE_MINOR;
    SOUK_MUST(world_say_all(&saying));
    SOUK_CHECK(!seen.masked && !world_masked(&world, 6, SOUK_PURPOSE_ADVERTISE));
    world_close(&world);
}

SOUK_TEST("what is rolled back was never said")
{
    struct consent_world world;
    open_world(test, &world);
    struct seen_inside seen = {.shopper = 6, .purpose = SOUK_PURPOSE_PROFILE};
    SOUK_MUST(world_grants(&world, 6, SOUK_PURPOSE_PROFILE));
    souk_consent_row rows[] = {world_withdrawal(6, SOUK_PURPOSE_PROFILE),
                               world_grant(6, SOUK_PURPOSE_RESEARCH)};
    struct saying saying = {.world = &world,
                            .rows = rows,
                            .count = 2,
                            .aged_atom = 6,
                            .age = SOUK_AGE_MINOR,
                            .inside = look_inside,
                            .context = &seen,
                            .fail = SOUK_ECONFLICT};
    SOUK_CHECK_ERR(world_say_all(&saying), SOUK_ECONFLICT);
    SOUK_CHECK(!seen.may);
    SOUK_CHECK(world_may(&world, 6, SOUK_PURPOSE_PROFILE));
    SOUK_CHECK(!world_may(&world, 6, SOUK_PURPOSE_RESEARCH));
    SOUK_MUST(world_say(&world, NULL, 0)); /* nothing waited for a later commit */
    SOUK_CHECK(!world_may(&world, 6, SOUK_PURPOSE_RESEARCH));
    world_close(&world);
}

static void break_disk(void *context, struct consent_world *world)
{
    (void)context;
    souk_sim_plan(world->disk,
                  (souk_sim_faults){.fail_at = 1, .fail_for_ever = true, .fail_reads = true});
}

SOUK_TEST("a disk that cannot be read after a rollback does not make a withdrawal forgotten")
{
    if (test_on_postgres())
        return; /* the disk is the server's */
    if (test_on_postgres())
        return; /* the disk is the server's */
    struct consent_world world;
    open_world(test, &world);
    SOUK_MUST(world_event(&world, 6, SOURCE_ADULT));
    SOUK_MUST(world_withdraws(&world, 6, SOUK_PURPOSE_PROFILE));
    souk_consent_row row = world_grant(7, SOUK_PURPOSE_PROFILE);
    struct saying saying = {
        .world = &world, .rows = &row, .count = 1, .inside = break_disk, .fail = SOUK_ECONFLICT};
    SOUK_CHECK_ERR(world_say_all(&saying), SOUK_EIO);
    SOUK_CHECK(!world_may(&world, 6, SOUK_PURPOSE_PROFILE));
    SOUK_CHECK(!world_masked(&world, 6, SOUK_PURPOSE_PROFILE));
    souk_sim_plan(world.disk, (souk_sim_faults){.fail_at = 0});
    SOUK_MUST(souk_consent_abandoned(world.consent, &world.change));
    SOUK_CHECK(!world_may(&world, 6, SOUK_PURPOSE_PROFILE));
    SOUK_CHECK(world_may(&world, 6, SOUK_PURPOSE_ADVERTISE));
    world_close(&world);
}

SOUK_TEST("of two rows in one transaction the later holds, in memory as in the ledger")
{
    struct consent_world world;
    open_world(test, &world);
    souk_consent_row rows[] = {
        world_grant(6, SOUK_PURPOSE_PROFILE), world_withdrawal(6, SOUK_PURPOSE_PROFILE),
        world_withdrawal(7, SOUK_PURPOSE_PROFILE), world_grant(7, SOUK_PURPOSE_PROFILE)};
    SOUK_MUST(world_say(&world, rows, 4));
    for (int opened = 0; opened < 2; opened++) {
        SOUK_CHECK(!world_may(&world, 6, SOUK_PURPOSE_PROFILE));
        SOUK_CHECK(world_may(&world, 7, SOUK_PURPOSE_PROFILE));
        world_close_consent(&world);
        SOUK_MUST(world_open_consent(&world));
    }
    world_close(&world);
}
