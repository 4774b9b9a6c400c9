/* consent_world.h - for the tests of consent: a ledger on a simulated disk, a small index, and a closure
 * that says something.
 *
 * Atoms 1 to WORLD_SHOPPERS are the shoppers' own, WORLD_CLAIMS more belong to shoppers 1, 2, 3…, two are
 * visitors', and the last is shared.  Stands after test/test.h in a test. */
#ifndef SOUK_CORE_CONSENT_WORLD_H
#define SOUK_CORE_CONSENT_WORLD_H

#include "core/consent.h"
#include "store/postgres_server.h"

enum {
    WORLD_SHOPPERS = 12,
    WORLD_CLAIMS = 4,
    WORLD_VISITOR = WORLD_SHOPPERS + WORLD_CLAIMS + 1,
    WORLD_SHARED = WORLD_VISITOR + 2,
    WORLD_ATOMS = WORLD_SHARED + 1, /* numbers below it */
};

/* Sources by what they state; told to every new consent. */
enum { SOURCE_SILENT = 1, SOURCE_ADULT, SOURCE_UNKNOWN, SOURCE_MINOR, WORLD_SOURCES };
static const struct {
    uint16_t bases;
    souk_age age;
} world_sources[WORLD_SOURCES] = {
    [SOURCE_ADULT] = {1u << SOUK_PURPOSE_SERVE | 1u << SOUK_PURPOSE_PROFILE |
                          1u << SOUK_PURPOSE_ADVERTISE,
                      SOUK_AGE_ADULT},
    [SOURCE_UNKNOWN] = {1u << SOUK_PURPOSE_SERVE | 1u << SOUK_PURPOSE_PROFILE |
                            1u << SOUK_PURPOSE_MOOD,
                        SOUK_AGE_UNKNOWN},
    [SOURCE_MINOR] = {1u << SOUK_PURPOSE_SERVE | 1u << SOUK_PURPOSE_PROFILE |
                          1u << SOUK_PURPOSE_ADVERTISE,
                      SOUK_AGE_MINOR},
};

struct consent_world {
    souk_consent_change change; /* of world_say */
    souk_mem *mem;
    souk_disk *disk;
    souk_ledger *ledger;
    souk_consent *consent;
    souk_index *index;
    uint64_t position;
};

/* The index outlives a consent that is opened again. */
static inline uint16_t world_bases_of(void *context, uint32_t source)
{
    return souk_consent_bases_of(((struct consent_world *)context)->consent, source);
}

static inline void world_close_consent(struct consent_world *world)
{
    if (world->consent)
        souk_consent_change_done(world->consent, &world->change);
    souk_consent_free(souk_take(&world->consent));
    souk_ledger_free(souk_take(&world->ledger));
}

static inline void world_close(struct consent_world *world)
{
    world_close_consent(world);
    souk_index_free(souk_take(&world->index));
    souk_disk_free(souk_take(&world->disk));
}

static inline souk_err world_open_consent(struct consent_world *world)
{
    souk_ledger_options options = {.no_thread = true, .readers = 1};
    SOUK_TRY(test_ledger_open(world->mem, world->disk, "ledger", &options, &world->ledger, NULL));
    SOUK_TRY(souk_consent_open(world->mem, world->ledger, &world->consent, NULL));
    for (uint32_t i = SOURCE_SILENT; i < WORLD_SOURCES; i++)
        souk_consent_source(world->consent, i, world_sources[i].bases, world_sources[i].age);
    return SOUK_OK;
}

static inline souk_err world_link(struct consent_world *world, souk_link_kind kind, uint32_t atom,
                                  uint32_t shopper)
{
    souk_link link = {.hash = {souk_mix64(atom), (uint64_t)kind},
                      .atom = atom,
                      .slot = atom,
                      .shopper = shopper,
                      .kind = kind,
                      .id_kind = SOUK_ID_DEVICE,
                      .position = ++world->position};
    return souk_index_link(world->index, &link);
}

static inline souk_err world_link_all(struct consent_world *world)
{
    for (uint32_t atom = 1; atom < WORLD_SHARED; atom++)
        SOUK_TRY(world_link(world, SOUK_LINK_IDENTIFIER, atom, 0));
    SOUK_TRY(world_link(world, SOUK_LINK_SHARED, WORLD_SHARED, 0));
    for (uint32_t i = 1; i <= WORLD_SHOPPERS; i++)
        SOUK_TRY(world_link(world, SOUK_LINK_SHOPPER, i, i));
    for (uint32_t i = 1; i <= WORLD_CLAIMS; i++)
        SOUK_TRY(world_link(world, SOUK_LINK_CLAIM, WORLD_SHOPPERS + i, i));
    return SOUK_OK;
}

static inline souk_err world_open(struct consent_world *world, souk_mem *mem)
{
    *world = (struct consent_world){.mem = mem};
    souk_index_options options = {world_bases_of, world};
    SOUK_TRY(souk_disk_open_sim(mem, 1, &world->disk));
    SOUK_TRY(souk_index_new(mem, &options, &world->index));
    SOUK_TRY(world_open_consent(world));
    souk_index_begin(world->index);
    SOUK_TRY(world_link_all(world));
    souk_index_commit(world->index);
    return SOUK_OK;
}

/* An event of the atom, and with it what its source states. */
static inline souk_err world_event(struct consent_world *world, uint32_t atom, uint32_t source)
{
    souk_fact fact = {
        .position = ++world->position, .at = 1, .atom = atom, .source = source, .type = 1};
    SOUK_TRY(souk_index_room(world->index, 1, 0));
    return souk_index_fold(world->index, &fact, NULL);
}

/* ---- saying, in one transaction ----------------------------------------------------------------- */

struct saying {
    struct consent_world *world;
    const souk_consent_row *rows;
    size_t count;
    uint32_t aged_atom; /* 0: none */
    souk_age age;
    void (*inside)(void *context, struct consent_world *world); /* before the commit; or NULL */
    void *context;
    souk_err fail; /* how the closure ends */
};

static inline souk_err world_saying(souk_tx *tx, void *context)
{
    struct saying *my = context;
    souk_consent *consent = my->world->consent;
    souk_consent_begin(consent, &my->world->change);
    SOUK_TRY(souk_consent_apply(consent, &my->world->change, tx, my->rows, my->count));
    if (my->aged_atom)
        SOUK_TRY(souk_consent_set_age(consent, &my->world->change, tx, my->aged_atom, my->age,
                                      SOUK_TEXT("a passport")));
    if (my->inside)
        my->inside(my->context, my->world);
    return my->fail;
}

static inline souk_err world_say_all(struct saying *my)
{
    souk_err err = souk_ledger_write(my->world->ledger, SOUK_LANE_JOB, world_saying, my);
    if (!err) {
        souk_consent_committed(my->world->consent, &my->world->change);
        return SOUK_OK;
    }
    souk_err abandoned = souk_consent_abandoned(my->world->consent, &my->world->change);
    return abandoned ? abandoned : err;
}

static inline souk_err world_say(struct consent_world *world, const souk_consent_row *rows,
                                 size_t count)
{
    return world_say_all(&(struct saying){.world = world, .rows = rows, .count = count});
}

static inline souk_err world_age(struct consent_world *world, uint32_t atom, souk_age age)
{
    return world_say_all(&(struct saying){.world = world, .aged_atom = atom, .age = age});
}

static inline souk_consent_row world_grant(uint32_t atom, souk_purpose purpose)
{
    return (souk_consent_row){.atom = atom,
                              .controller = SOUK_OPERATOR,
                              .purpose = purpose,
                              .basis = SOUK_BASIS_CONSENT,
                              .evidence = SOUK_TEXT("a form")};
}

static inline souk_consent_row world_withdrawal(uint32_t atom, souk_purpose purpose)
{
    souk_consent_row row = world_grant(atom, purpose);
    row.basis = SOUK_BASIS_WITHDRAWN;
    return row;
}

static inline souk_err world_grants(struct consent_world *world, uint32_t atom,
                                    souk_purpose purpose)
{
    souk_consent_row row = world_grant(atom, purpose);
    return world_say(world, &row, 1);
}

/* Told for every atom of the person to whom the atom belongs. */
static inline souk_err world_withdraws(struct consent_world *world, uint32_t atom,
                                       souk_purpose purpose)
{
    static souk_person person;
    souk_consent_row rows[WORLD_ATOMS];
    SOUK_TRY(souk_index_person_of_atom(world->index, atom, &person));
    for (uint32_t i = 0; i < person.atom_count; i++)
        rows[i] = world_withdrawal(person.atoms[i], purpose);
    return world_say(world, rows, person.atom_count);
}

/* ---- asking ------------------------------------------------------------------------------------ */

static inline souk_err world_ask_as(const struct consent_world *world, uint32_t atom,
                                    souk_purpose purpose, uint32_t controller, souk_time now,
                                    souk_grant *ret_grant, souk_diag *diag)
{
    static souk_person person;
    SOUK_TRY(souk_index_person_of_atom(world->index, atom, &person));
    return souk_consent_ask(world->consent, world->index, &person, purpose, controller, now,
                            ret_grant, diag);
}

static inline bool world_may(const struct consent_world *world, uint32_t atom, souk_purpose purpose)
{
    souk_grant grant;
    return world_ask_as(world, atom, purpose, SOUK_OPERATOR, 1, &grant, NULL) == SOUK_OK;
}

/* The mask's bit of one shopper; memory of the heap, so that it never fails. */
static inline bool world_masked(const struct consent_world *world, uint32_t shopper,
                                souk_purpose purpose)
{
    uint64_t *bits, epoch;
    size_t words;
    souk_time until;
    souk_err err = souk_consent_mask(world->consent, world->index, purpose, SOUK_OPERATOR, 1,
                                     souk_mem_heap(), &bits, &words, &epoch, &until);
    souk_assert(!err && shopper / 64 < words);
    bool bit = bits[shopper / 64] >> shopper % 64 & 1;
    souk_mem_put(souk_mem_heap(), bits);
    return bit;
}

#endif
