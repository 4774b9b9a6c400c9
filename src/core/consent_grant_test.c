/* consent_grant_test.c - who may use a grant and who may not; parties; the rows behind; erasure. */
#include "test/test.h"

#include "core/consent_world.h"

static void open_world(souk_test *test, struct consent_world *world)
{
    SOUK_MUST(world_open(world, test->mem));
}

/* ---- grants ------------------------------------------------------------------------------------- */

SOUK_TEST("a grant of which one bit was changed covers nobody")
{
    struct consent_world world;
    static souk_person person;
    open_world(test, &world);
    SOUK_MUST(world_grants(&world, 6, SOUK_PURPOSE_PROFILE));
    souk_grant grant, forged;
    memset(&grant, 0, sizeof grant);
    SOUK_MUST(world_ask_as(&world, 6, SOUK_PURPOSE_PROFILE, SOUK_OPERATOR, 1, &grant, NULL));
    SOUK_MUST(souk_index_person_of_atom(world.index, 6, &person));
    SOUK_CHECK(souk_grant_covers(world.consent, &grant, &person, 1));
    const struct {
        size_t at, bytes;
    } fields[] = {{offsetof(souk_grant, shopper), sizeof grant.shopper},
                  {offsetof(souk_grant, controller), sizeof grant.controller},
                  {offsetof(souk_grant, purpose), sizeof grant.purpose},
                  {offsetof(souk_grant, epoch), sizeof grant.epoch},
                  {offsetof(souk_grant, until), sizeof grant.until},
                  {offsetof(souk_grant, seal), sizeof grant.seal}};
    for (size_t field = 0; field < 6; field++)
        for (size_t bit = 0; bit < fields[field].bytes * 8; bit++) {
            forged = grant;
            ((unsigned char *)&forged)[fields[field].at + bit / 8] ^= (unsigned char)(1 << bit % 8);
            SOUK_CHECK(!souk_grant_covers(world.consent, &forged, &person, 1));
        }
    SOUK_CHECK(!souk_grant_covers(world.consent, &(souk_grant){.shopper = 6}, &person, 1));
    world_close(&world);
}

SOUK_TEST("a grant is for the person asked about, in this process, and in this epoch")
{
    struct consent_world world, other;
    static souk_person person, neighbour;
    open_world(test, &world);
    open_world(test, &other);
    SOUK_MUST(world_grants(&world, 6, SOUK_PURPOSE_PROFILE));
    SOUK_MUST(world_grants(&world, 7, SOUK_PURPOSE_PROFILE));
    SOUK_MUST(world_grants(&other, 6, SOUK_PURPOSE_PROFILE));
    SOUK_MUST(world_grants(&other, 7, SOUK_PURPOSE_PROFILE));
    souk_grant grant;
    SOUK_MUST(world_ask_as(&world, 6, SOUK_PURPOSE_PROFILE, SOUK_OPERATOR, 1, &grant, NULL));
    SOUK_MUST(souk_index_person_of_atom(world.index, 6, &person));
    SOUK_MUST(souk_index_person_of_atom(world.index, 7, &neighbour));
    SOUK_CHECK(!souk_grant_covers(world.consent, &grant, &neighbour, 1));
    SOUK_CHECK(souk_consent_epoch(other.consent) == souk_consent_epoch(world.consent));
    SOUK_CHECK(!souk_grant_covers(other.consent, &grant, &person, 1));
    SOUK_CHECK(souk_grant_covers(world.consent, &grant, &person, 1));
    SOUK_MUST(world_withdraws(&world, 7, SOUK_PURPOSE_PROFILE));
    SOUK_CHECK(!souk_grant_covers(world.consent, &grant, &person, 1));
    world_close(&other);
    world_close(&world);
}

SOUK_TEST("a grant ends with the row it rests on, or when a later row begins, and so does a mask")
{
    struct consent_world world;
    static souk_person person;
    open_world(test, &world);
    SOUK_MUST(souk_index_person_of_atom(world.index, 6, &person));
    for (unsigned begins = 0; begins < 2; begins++) {
        souk_consent_row row = begins ? world_withdrawal(6, SOUK_PURPOSE_PROFILE)
                                      : world_grant(6, SOUK_PURPOSE_PROFILE);
        row.from = begins ? 2000 : 1;
        row.until = begins ? 0 : 2000;
        if (begins) /* her sources state it, until she says no */
            SOUK_MUST(world_event(&world, 6, SOURCE_ADULT));
        SOUK_MUST(world_say(&world, &row, 1));
        souk_grant grant;
        uint64_t *bits, epoch;
        size_t words;
        souk_time until = 0;
        SOUK_MUST(world_ask_as(&world, 6, SOUK_PURPOSE_PROFILE, 1, 1000, &grant, NULL));
        SOUK_CHECK(souk_grant_covers(world.consent, &grant, &person, 1000));
        SOUK_CHECK(souk_grant_covers(world.consent, &grant, &person, 1999));
        SOUK_CHECK(!souk_grant_covers(world.consent, &grant, &person, 2000));
        SOUK_MUST(souk_consent_mask(world.consent, world.index, SOUK_PURPOSE_PROFILE, 1, 1000,
                                    test->mem, &bits, &words, &epoch, &until));
        SOUK_CHECK(bits[0] == 1u << 6 && until == 2000);
        souk_mem_put(test->mem, bits);
    }
    world_close(&world);
}

SOUK_TEST("a grant given before a merge does not cover the merged person, who may say no")
{
    struct consent_world world;
    static souk_person person;
    open_world(test, &world);
    SOUK_MUST(world_grants(&world, 6, SOUK_PURPOSE_PROFILE));
    souk_grant grant;
    SOUK_MUST(world_ask_as(&world, 6, SOUK_PURPOSE_PROFILE, SOUK_OPERATOR, 1, &grant, NULL));
    SOUK_MUST(souk_index_join(world.index, 6, 7));
    SOUK_MUST(souk_index_person_of_atom(world.index, 6, &person));
    SOUK_CHECK(person.shopper == 6 && person.atom_count == 2);
    SOUK_CHECK(!souk_grant_covers(world.consent, &grant, &person, 1));
    souk_index_clear_groups(world.index);
    SOUK_MUST(souk_index_person_of_atom(world.index, 6, &person));
    SOUK_CHECK(souk_grant_covers(world.consent, &grant, &person, 1));
    world_close(&world);
}

SOUK_TEST("a visitor's grant is the visitor's, and no shopper's of like number")
{
    struct consent_world world;
    static souk_person visitor, other;
    open_world(test, &world);
    souk_grant grant;
    SOUK_MUST(world_grants(&world, WORLD_VISITOR, SOUK_PURPOSE_PROFILE));
    SOUK_MUST(
        world_ask_as(&world, WORLD_VISITOR, SOUK_PURPOSE_PROFILE, SOUK_OPERATOR, 1, &grant, NULL));
    SOUK_MUST(souk_index_person_of_atom(world.index, WORLD_VISITOR, &visitor));
    SOUK_MUST(souk_index_person_of_atom(world.index, WORLD_VISITOR + 1, &other));
    SOUK_CHECK(souk_grant_covers(world.consent, &grant, &visitor, 1));
    SOUK_CHECK(!souk_grant_covers(world.consent, &grant, &other, 1));
    SOUK_CHECK(!souk_grant_covers(world.consent, &grant, &(souk_person){.shopper = 0}, 1));
    world_close(&world);
}

SOUK_TEST("controllers do not hear what was said to another, grants and withdrawals alike")
{
    struct consent_world world;
    open_world(test, &world);
    souk_grant grant;
    souk_consent_row rows[] = {world_grant(6, SOUK_PURPOSE_RESEARCH),
                               world_withdrawal(6, SOUK_PURPOSE_RESEARCH)};
    rows[0].controller = 2;
    rows[1].controller = 3;
    SOUK_MUST(world_grants(&world, 6, SOUK_PURPOSE_RESEARCH));
    SOUK_MUST(world_say(&world, rows, 2));
    souk_err expected[] = {SOUK_EDENIED, SOUK_OK, SOUK_OK, SOUK_EDENIED, SOUK_EDENIED};
    for (uint32_t controller = 0; controller < 5; controller++) {
        uint64_t *bits, epoch;
        size_t words;
        souk_time until;
        SOUK_CHECK_ERR(world_ask_as(&world, 6, SOUK_PURPOSE_RESEARCH, controller, 1, &grant, NULL),
                       expected[controller]);
        SOUK_MUST(souk_consent_mask(world.consent, world.index, SOUK_PURPOSE_RESEARCH, controller,
                                    1, test->mem, &bits, &words, &epoch, &until));
        SOUK_CHECK(bits[0] == (expected[controller] ? 0 : 1u << 6));
        SOUK_CHECK(until == INT64_MAX && words == 1 && epoch == souk_consent_epoch(world.consent));
        souk_mem_put(test->mem, bits);
    }
    world_close(&world);
}

/* ---- parties ------------------------------------------------------------------------------------ */

struct naming {
    souk_job job;
    struct consent_world *world;
    souk_text party;
    souk_purpose purpose;
    souk_err fail, err;
    unsigned runs;
};

static souk_err name_party(souk_tx *tx, void *context)
{
    struct naming *my = context;
    my->runs++;
    SOUK_TRY(souk_consent_party(my->world->consent, tx, my->party, &my->purpose));
    return my->fail;
}

static souk_err party(struct consent_world *world, souk_text name, souk_purpose *ret_purpose)
{
    struct naming naming = {.world = world, .party = name};
    souk_err err = souk_ledger_write(world->ledger, SOUK_LANE_JOB, name_party, &naming);
    if (!err)
        *ret_purpose = naming.purpose;
    return err;
}

SOUK_TEST("a party has one purpose for ever, and 56 parties are the most")
{
    struct consent_world world;
    open_world(test, &world);
    char name[80];
    memset(name, 'x', sizeof name);
    souk_purpose purpose, again;
    SOUK_CHECK_ERR(party(&world, SOUK_TEXT(""), &purpose), SOUK_EINVAL);
    SOUK_CHECK_ERR(party(&world, (souk_text){name, 64}, &purpose), SOUK_EINVAL);
    for (unsigned i = SOUK_PURPOSE_SHARE; i <= SOUK_PURPOSE_MOST; i++) {
        name[0] = (char)('0' + i);
        SOUK_CHECK_ERR(party(&world, (souk_text){name, 63}, &purpose),
                       i < SOUK_PURPOSE_MOST ? SOUK_OK : SOUK_ETOOBIG);
        SOUK_CHECK(i == SOUK_PURPOSE_MOST || purpose == i);
    }
    world_close_consent(&world);
    SOUK_MUST(world_open_consent(&world));
    for (unsigned i = SOUK_PURPOSE_MOST; i-- > SOUK_PURPOSE_SHARE;) {
        name[0] = (char)('0' + i);
        SOUK_MUST(party(&world, (souk_text){name, 63}, &again));
        SOUK_CHECK(again == i);
    }
    world_close(&world);
}

SOUK_TEST("a party's word is its purpose once it is named, and nobody else's")
{
    struct consent_world world;
    open_world(test, &world);
    souk_purpose named, found = SOUK_PURPOSE_MOOD;
    static const char *const none[] = {"share:nestle", "share:", "share", "nestle", "", "profiles"};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        SOUK_CHECK_ERR(souk_consent_purpose(world.consent, souk_text_of(none[i]), &found),
                       SOUK_ENOENT);
    SOUK_CHECK(found == SOUK_PURPOSE_MOOD);
    SOUK_MUST(party(&world, SOUK_TEXT("danone"), &named));
    SOUK_MUST(party(&world, SOUK_TEXT("nestle"), &named));
    for (int opened = 0; opened < 2; opened++) {
        SOUK_MUST(souk_consent_purpose(world.consent, SOUK_TEXT("share:nestle"), &found));
        SOUK_CHECK(found == named);
        SOUK_MUST(souk_consent_purpose(world.consent, SOUK_TEXT("research"), &found));
        SOUK_CHECK(found == SOUK_PURPOSE_RESEARCH);
        SOUK_CHECK_ERR(souk_consent_purpose(world.consent, SOUK_TEXT("share:nest"), &found),
                       SOUK_ENOENT);
        world_close_consent(&world);
        SOUK_MUST(world_open_consent(&world));
    }
    world_close(&world);
}

SOUK_TEST("a party is adults' alone, and one party's grant is no other's")
{
    struct consent_world world;
    open_world(test, &world);
    souk_purpose one, two;
    SOUK_MUST(party(&world, SOUK_TEXT("nestle"), &one));
    SOUK_MUST(party(&world, SOUK_TEXT("danone"), &two));
    SOUK_CHECK(one != two && one >= SOUK_PURPOSE_SHARE && two >= SOUK_PURPOSE_SHARE);
    SOUK_MUST(world_grants(&world, 6, one));
    SOUK_CHECK(!world_may(&world, 6, one));
    SOUK_MUST(world_age(&world, 6, SOUK_AGE_ADULT));
    SOUK_CHECK(world_may(&world, 6, one) && !world_may(&world, 6, two));
    souk_diag diag = {.words = ""};
    souk_grant grant;
    SOUK_CHECK_ERR(world_ask_as(&world, 6, two, SOUK_OPERATOR, 1, &grant, &diag), SOUK_EDENIED);
    SOUK_CHECK(strstr(diag.words, "'share'") != NULL);
    world_close(&world);
}

static souk_err apply_naming(souk_tx *tx, souk_job *job)
{
    return name_party(tx, SOUK_JOB_OWNER(job, struct naming, job));
}

static void after_naming(souk_job *job, souk_err err)
{
    SOUK_JOB_OWNER(job, struct naming, job)->err = err;
}

SOUK_TEST("a party's number survives a closure that runs twice, and goes with one that is undone")
{
    struct consent_world world;
    open_world(test, &world);
    struct naming jobs[2];
    for (size_t i = 0; i < 2; i++)
        jobs[i] = (struct naming){
            .job = {.lane = SOUK_LANE_JOB, .apply = apply_naming, .after = after_naming},
            .world = &world,
            .party = i ? SOUK_TEXT("danone") : SOUK_TEXT("nestle"),
            .fail = i ? SOUK_ECONFLICT : SOUK_OK};
    souk_ledger_hold(world.ledger);
    for (size_t i = 0; i < 2; i++)
        SOUK_MUST(souk_ledger_submit(world.ledger, &jobs[i].job));
    souk_ledger_release(world.ledger);
    SOUK_CHECK(jobs[0].runs > 1); /* its neighbour's failure made the group run again */
    SOUK_MUST(jobs[0].err);
    SOUK_CHECK_ERR(jobs[1].err, SOUK_ECONFLICT);
    SOUK_MUST(souk_consent_abandoned(world.consent, &world.change));
    souk_purpose kept, fresh, lost;
    SOUK_MUST(party(&world, SOUK_TEXT("kraft"), &fresh));
    world_close_consent(&world);
    SOUK_MUST(world_open_consent(&world));
    SOUK_MUST(party(&world, SOUK_TEXT("nestle"), &kept));
    SOUK_MUST(party(&world, SOUK_TEXT("danone"), &lost));
    SOUK_CHECK(kept == jobs[0].purpose && fresh == kept + 1 && lost == fresh + 1);
    world_close(&world);
}

/* ---- rows, and erasure ---------------------------------------------------------------------------- */

struct listing {
    struct consent_world *world;
    souk_test *test;
    const souk_consent_row *expected;
    size_t count;
    bool wrong;
};

static souk_err compare_row(void *context, const souk_consent_row *row)
{
    struct listing *my = context;
    const souk_consent_row *right = &my->expected[my->count++];
    my->wrong |= row->atom != right->atom || row->controller != right->controller ||
                 row->purpose != right->purpose || row->basis != right->basis ||
                 row->from != right->from || row->until != right->until ||
                 row->guardian != right->guardian ||
                 !souk_text_equal(row->evidence, right->evidence);
    return SOUK_OK;
}

static souk_err list_rows(souk_tx *tx, void *context)
{
    struct listing *my = context;
    my->count = 0;
    return souk_consent_rows(my->world->consent, tx, 6, compare_row, my);
}

static souk_err forget_atom(souk_tx *tx, void *context)
{
    struct consent_world *world = context;
    return souk_consent_forget(world->consent, tx, 6);
}

SOUK_TEST("an atom's rows are listed oldest first as they were said, and are gone once forgotten")
{
    struct consent_world world;
    open_world(test, &world);
    souk_consent_row rows[] = {world_grant(6, SOUK_PURPOSE_RESEARCH),
                               world_withdrawal(6, SOUK_PURPOSE_RESEARCH),
                               world_grant(6, SOUK_PURPOSE_MOST - 1)};
    rows[1].from = 7;
    rows[1].evidence = (souk_text){"\0\xff", 2};
    rows[2] = (souk_consent_row){.atom = 6,
                                 .controller = 900,
                                 .purpose = SOUK_PURPOSE_MOST - 1,
                                 .basis = SOUK_BASIS_CONTRACT,
                                 .from = -5,
                                 .until = 1767268800000,
                                 .guardian = true};
    SOUK_MUST(world_say(&world, rows, 3));
    SOUK_MUST(world_grants(&world, 7, SOUK_PURPOSE_PROFILE));
    SOUK_MUST(world_grants(&world, 6, SOUK_PURPOSE_PROFILE));
    SOUK_MUST(world_age(&world, 6, SOUK_AGE_ADULT));
    struct listing listing = {.world = &world, .test = test, .expected = rows};
    souk_consent_row all[4] = {rows[0], rows[1], rows[2], world_grant(6, SOUK_PURPOSE_PROFILE)};
    listing.expected = all;
    SOUK_MUST(souk_ledger_read(world.ledger, list_rows, &listing));
    SOUK_CHECK(listing.count == 4 && !listing.wrong);
    SOUK_MUST(souk_ledger_write(world.ledger, SOUK_LANE_JOB, forget_atom, &world));
    for (int opened = 0; opened < 2; opened++) {
        SOUK_MUST(souk_ledger_read(world.ledger, list_rows, &listing));
        SOUK_CHECK(listing.count == 0);
        SOUK_CHECK(!world_may(&world, 6, SOUK_PURPOSE_PROFILE));
        SOUK_CHECK(world_may(&world, 7, SOUK_PURPOSE_PROFILE));
        world_close_consent(&world);
        SOUK_MUST(world_open_consent(&world));
    }
    world_close(&world);
}
