/* consent_model_test.c - random histories of consent against plain arrays, and every allocation failing.
 *
 * The model keeps all rows in one list and searches it from its end for each question; ages, bases, owners
 * and merges are arrays beside it. */
#include "test/test.h"

#include "core/consent_world.h"

enum { MODEL_ROWS = 4096, MODEL_JOINS = 64, CONTROLLERS = 3, PURPOSES = SOUK_PURPOSE_SHARE + 2 };

struct consent_model {
    souk_consent_row rows[MODEL_ROWS];
    size_t row_count;
    souk_age age[WORLD_ATOMS];             /* as set; SOUK_AGE_UNKNOWN: nobody did */
    bool sent[WORLD_ATOMS][WORLD_SOURCES]; /* the source had an event of the atom */
    uint32_t owner[WORLD_ATOMS];           /* shopper; 0: a visitor's */
    bool erased[WORLD_ATOMS];
    uint32_t joins[MODEL_JOINS][2];
    size_t join_count;
};

static void begin_model(struct consent_model *model)
{
    memset(model, 0, sizeof *model);
    for (uint32_t i = 1; i <= WORLD_SHOPPERS; i++)
        model->owner[i] = i;
    for (uint32_t i = 1; i <= WORLD_CLAIMS; i++)
        model->owner[WORLD_SHOPPERS + i] = i;
}

/* ---- the model's answers ------------------------------------------------------------------------- */

static souk_age model_age(const struct consent_model *model, uint32_t atom)
{
    if (model->age[atom] != SOUK_AGE_UNKNOWN)
        return model->age[atom];
    if (model->sent[atom][SOURCE_MINOR])
        return SOUK_AGE_MINOR;
    return model->sent[atom][SOURCE_ADULT] ? SOUK_AGE_ADULT : SOUK_AGE_UNKNOWN;
}

static const souk_consent_row *newest_row(const struct consent_model *model, uint32_t atom,
                                          souk_purpose purpose, uint32_t controller, souk_time now)
{
    for (size_t i = model->row_count; i-- > 0;) {
        const souk_consent_row *row = &model->rows[i];
        if (row->atom == atom && row->purpose == purpose && row->controller == controller)
            return row->from <= now && (!row->until || now < row->until) ? row : NULL;
    }
    return NULL;
}

static bool is_stated(const struct consent_model *model, uint32_t atom, souk_purpose purpose)
{
    bool stated = false;
    for (uint32_t i = SOURCE_SILENT; i < WORLD_SOURCES && purpose < SOUK_PURPOSE_FIXED; i++)
        stated |= model->sent[atom][i] && (world_sources[i].bases >> purpose & 1);
    return stated;
}

static bool needs_adult(souk_purpose purpose)
{
    return purpose == SOUK_PURPOSE_RECOGNISE || purpose == SOUK_PURPOSE_FACE_PAY ||
           purpose == SOUK_PURPOSE_MOOD || purpose == SOUK_PURPOSE_ADVERTISE ||
           purpose >= SOUK_PURPOSE_SHARE;
}

static bool atom_may(const struct consent_model *model, uint32_t atom, souk_purpose purpose,
                     uint32_t controller, souk_time now)
{
    const souk_consent_row *row = newest_row(model, atom, purpose, controller, now);
    if (atom == WORLD_SHARED || (row && row->basis == SOUK_BASIS_WITHDRAWN))
        return false;
    if (!row && !(controller == SOUK_OPERATOR && is_stated(model, atom, purpose)))
        return false;
    souk_age age = model_age(model, atom);
    if (needs_adult(purpose))
        return age == SOUK_AGE_ADULT;
    return age != SOUK_AGE_MINOR || purpose == SOUK_PURPOSE_SERVE || (row && row->guardian);
}

/* One person: joins are followed until nothing changes. */
static void mark_person(const struct consent_model *model, uint32_t atom, bool *in)
{
    bool shoppers[WORLD_SHOPPERS + 1] = {false};
    memset(in, 0, WORLD_ATOMS);
    in[atom] = true;
    if (!model->owner[atom])
        return;
    shoppers[model->owner[atom]] = true;
    for (bool changed = true; changed;) {
        changed = false;
        for (size_t i = 0; i < model->join_count; i++) {
            bool *a = &shoppers[model->joins[i][0]], *b = &shoppers[model->joins[i][1]];
            changed |= *a != *b;
            *a = *b = *a || *b;
        }
    }
    for (uint32_t i = 1; i < WORLD_ATOMS; i++)
        in[i] = !model->erased[i] && model->owner[i] && shoppers[model->owner[i]];
}

static bool model_may(const struct consent_model *model, uint32_t atom, souk_purpose purpose,
                      uint32_t controller, souk_time now)
{
    bool in[WORLD_ATOMS], yes = !model->erased[atom];
    mark_person(model, atom, in);
    for (uint32_t i = 1; yes && i < WORLD_ATOMS; i++)
        yes = !in[i] || atom_may(model, i, purpose, controller, now);
    return yes;
}

/* Is every answer before `until` still yes? */
static bool ends_in_time(const struct consent_model *model, uint32_t atom, souk_purpose purpose,
                         uint32_t controller, souk_time now, souk_time until)
{
    bool yes = now < until &&
               (until == INT64_MAX || model_may(model, atom, purpose, controller, until - 1));
    for (souk_time later = now + 1; yes && later < now + 600 && later < until; later += 97)
        yes = model_may(model, atom, purpose, controller, later);
    return yes;
}

/* Everything that can be asked, one by one and by mask. */
static bool equal(const struct consent_world *world, const struct consent_model *model,
                  souk_time now)
{
    bool same = true;
    for (unsigned question = 0; same && question < PURPOSES * CONTROLLERS; question++) {
        souk_purpose purpose = (souk_purpose)(question / CONTROLLERS);
        uint32_t controller = SOUK_OPERATOR + question % CONTROLLERS;
        uint64_t *bits = NULL, epoch = 0;
        size_t words = 0;
        souk_time until = 0;
        same = !souk_consent_mask(world->consent, world->index, purpose, controller, now,
                                  world->mem, &bits, &words, &epoch, &until) &&
               words == 1 && epoch == souk_consent_epoch(world->consent);
        for (uint32_t atom = 1; same && atom < WORLD_ATOMS; atom++) {
            souk_grant grant;
            bool may = model_may(model, atom, purpose, controller, now);
            same = may == !world_ask_as(world, atom, purpose, controller, now, &grant, NULL);
            bool masked = atom <= WORLD_SHOPPERS && (bits[0] >> atom & 1);
            if (atom <= WORLD_SHOPPERS) /* her own atom has her number */
                same &= may == masked;
            if (may) /* while nobody says anything new */
                same &= ends_in_time(model, atom, purpose, controller, now, grant.until);
            if (masked)
                same &= ends_in_time(model, atom, purpose, controller, now, until);
        }
        same &= !bits || !((bits[0] & 1) | bits[0] >> (WORLD_SHOPPERS + 1));
        souk_mem_put(world->mem, bits);
    }
    return same;
}

/* ---- random steps --------------------------------------------------------------------------------- */

static souk_consent_row random_row(souk_test *test)
{
    souk_consent_row row = {.atom = 1 + (uint32_t)test_random(test, WORLD_ATOMS - 1),
                            .controller = SOUK_OPERATOR + (uint32_t)test_random(test, CONTROLLERS),
                            .purpose = (souk_purpose)test_random(test, PURPOSES),
                            .basis = SOUK_BASIS_CONSENT + (souk_basis)test_random(test, 3),
                            .from = (souk_time)test_random(test, 1000),
                            .guardian = test_random(test, 3) == 0,
                            .evidence = SOUK_TEXT("a form")};
    if (test_random(test, 3) == 0)
        row.until = row.from + 1 + (souk_time)test_random(test, 500);
    return row;
}

/* Between one and four sentences: grants for an atom, withdrawals for all atoms of a person. */
static size_t random_rows(souk_test *test, const struct consent_model *model,
                          souk_consent_row *rows)
{
    size_t count = 0;
    for (uint64_t sentences = 1 + test_random(test, 4); sentences; sentences--) {
        souk_consent_row row = random_row(test);
        if (count && test_random(test, 3) == 0) { /* again about the same */
            row.purpose = rows[count - 1].purpose;
            row.controller = rows[count - 1].controller;
            row.atom = rows[count - 1].atom;
        }
        if (row.purpose == SOUK_PURPOSE_SERVE || test_random(test, 3)) {
            rows[count++] = row;
            continue;
        }
        bool in[WORLD_ATOMS];
        row.basis = SOUK_BASIS_WITHDRAWN;
        mark_person(model, row.atom, in);
        for (row.atom = 1; row.atom < WORLD_ATOMS; row.atom++)
            if (in[row.atom])
                rows[count++] = row;
    }
    return count;
}

static void say_something(souk_test *test, struct consent_world *world, struct consent_model *model)
{
    souk_consent_row rows[4 * WORLD_ATOMS];
    struct saying saying = {.world = world, .rows = rows};
    saying.count = random_rows(test, model, rows);
    if (test_random(test, 4) == 0) {
        saying.aged_atom = 1 + (uint32_t)test_random(test, WORLD_ATOMS - 1);
        saying.age = test_random(test, 2) ? SOUK_AGE_ADULT : SOUK_AGE_MINOR;
    }
    saying.fail = test_random(test, 5) ? SOUK_OK : SOUK_ECONFLICT;
    SOUK_CHECK_ERR(world_say_all(&saying), saying.fail);
    if (saying.fail)
        return;
    SOUK_CHECK(model->row_count + saying.count <= MODEL_ROWS);
    memcpy(model->rows + model->row_count, rows, saying.count * sizeof *rows);
    model->row_count += saying.count;
    if (saying.aged_atom)
        model->age[saying.aged_atom] = saying.age;
}

static void regroup(souk_test *test, struct consent_world *world, const struct consent_model *model)
{
    souk_index_clear_groups(world->index);
    for (size_t i = 0; i < model->join_count; i++)
        SOUK_MUST(souk_index_join(world->index, model->joins[i][0], model->joins[i][1]));
}

static void merge_or_part(souk_test *test, struct consent_world *world, struct consent_model *model)
{
    uint32_t a = 1 + (uint32_t)test_random(test, WORLD_SHOPPERS);
    uint32_t b = 1 + (uint32_t)test_random(test, WORLD_SHOPPERS);
    if (model->join_count && test_random(test, 2)) {
        size_t at = (size_t)test_random(test, model->join_count--);
        memmove(model->joins[at], model->joins[at + 1],
                (model->join_count - at) * sizeof *model->joins);
    } else if (a != b && model->join_count < MODEL_JOINS && !model->erased[a] &&
               !model->erased[b]) {
        memcpy(model->joins[model->join_count++], (uint32_t[]){a, b}, sizeof *model->joins);
    }
    regroup(test, world, model);
}

struct forgetting {
    struct consent_world *world;
    const struct consent_model *model;
    uint32_t shopper;
};

static souk_err forget_shopper(souk_tx *tx, void *context)
{
    struct forgetting *my = context;
    for (uint32_t atom = 1; atom < WORLD_ATOMS; atom++)
        if (my->model->owner[atom] == my->shopper)
            SOUK_TRY(souk_consent_forget(my->world->consent, tx, atom));
    return SOUK_OK;
}

static void erase_shopper(souk_test *test, struct consent_world *world, struct consent_model *model)
{
    struct forgetting forgetting = {world, model, 1 + (uint32_t)test_random(test, WORLD_SHOPPERS)};
    SOUK_MUST(souk_ledger_write(world->ledger, SOUK_LANE_JOB, forget_shopper, &forgetting));
    for (uint32_t atom = 1; atom < WORLD_ATOMS; atom++)
        if (model->owner[atom] == forgetting.shopper) {
            souk_index_erase_atom(world->index, atom);
            model->erased[atom] = true;
        }
    size_t kept = 0;
    for (size_t i = 0; i < model->join_count; i++)
        if (model->joins[i][0] != forgetting.shopper && model->joins[i][1] != forgetting.shopper)
            memcpy(model->joins[kept++], model->joins[i], sizeof *model->joins);
    model->join_count = kept;
    regroup(test, world, model);
}

static void step(souk_test *test, struct consent_world *world, struct consent_model *model)
{
    uint64_t kind = test_random(test, 200);
    uint32_t atom = 1 + (uint32_t)test_random(test, WORLD_ATOMS - 1);
    uint32_t source = SOURCE_SILENT + (uint32_t)test_random(test, WORLD_SOURCES - SOURCE_SILENT);
    if (kind < 120) {
        say_something(test, world, model);
    } else if (kind < 160) {
        merge_or_part(test, world, model);
    } else if (kind < 190) {
        SOUK_MUST(world_event(world, atom, source));
        model->sent[atom][source] = true;
    } else if (kind < 199) {
        world_close_consent(world);
        SOUK_MUST(world_open_consent(world));
    } else {
        erase_shopper(test, world, model);
    }
}

SOUK_TEST("a random history is answered, one by one and by mask, as plain arrays answer it")
{
    static struct consent_model model;
    for (int life = 0; life < 3; life++) {
        struct consent_world world;
        begin_model(&model);
        SOUK_MUST(world_open(&world, test->mem));
        for (int i = 0; i < 200; i++) {
            step(test, &world, &model);
            SOUK_CHECK(equal(&world, &model, (souk_time)test_random(test, 1500)));
        }
        world_close(&world);
    }
}

SOUK_TEST("a row lost, an age too many and a merge left out are noticed by the comparison")
{
    static struct consent_model model, wrong;
    struct consent_world world;
    begin_model(&model);
    SOUK_MUST(world_open(&world, test->mem));
    for (uint32_t atom = 1; atom < WORLD_SHARED; atom++) {
        souk_consent_row row = world_grant(atom, SOUK_PURPOSE_RESEARCH);
        SOUK_MUST(world_say(&world, &row, 1));
        model.rows[model.row_count++] = row;
    }
    SOUK_CHECK(equal(&world, &model, 1));
    wrong = model;
    wrong.row_count--;
    SOUK_CHECK(!equal(&world, &wrong, 1));
    wrong = model;
    wrong.age[3] = SOUK_AGE_MINOR;
    SOUK_CHECK(!equal(&world, &wrong, 1));
    SOUK_MUST(world_withdraws(&world, 5, SOUK_PURPOSE_RESEARCH));
    model.rows[model.row_count++] = world_withdrawal(5, SOUK_PURPOSE_RESEARCH);
    SOUK_CHECK(equal(&world, &model, 1));
    SOUK_MUST(souk_index_join(world.index, 5, 6));
    SOUK_CHECK(!equal(&world, &model, 1));
    world_close(&world);
}

/* ---- no memory ------------------------------------------------------------------------------------ */

/* Many rows, so that tables grow; in memory nobody is used who withdrew, wherever it ends. */
static souk_err story(struct consent_world *world, bool *ret_withdrawn)
{
    souk_consent_row rows[300];
    for (uint32_t i = 0; i < 300; i++)
        rows[i] = world_grant(1 + i % WORLD_SHOPPERS, SOUK_PURPOSE_SHARE + i / WORLD_SHOPPERS);
    SOUK_TRY(world_event(world, 6, SOURCE_ADULT));
    SOUK_TRY(world_withdraws(world, 6, SOUK_PURPOSE_PROFILE));
    *ret_withdrawn = true;
    SOUK_TRY(world_say(world, rows, 300));
    SOUK_TRY(world_age(world, 7, SOUK_AGE_ADULT));
    struct saying undone = {.world = world, .rows = rows, .count = 1, .fail = SOUK_ECONFLICT};
    souk_err err = world_say_all(&undone);
    if (err != SOUK_ECONFLICT)
        return err;
    uint64_t *bits, epoch;
    size_t words;
    souk_time until;
    SOUK_TRY(souk_consent_mask(world->consent, world->index, SOUK_PURPOSE_SERVE, SOUK_OPERATOR, 1,
                               world->mem, &bits, &words, &epoch, &until));
    bool right = bits[0] == 1u << 6;
    souk_mem_put(world->mem, bits);
    world_close_consent(world);
    SOUK_TRY(world_open_consent(world));
    return right && world_may(world, 7, SOUK_PURPOSE_SHARE) ? SOUK_OK : SOUK_ECORRUPT;
}

SOUK_TEST("whichever allocation fails, who withdrew is not used, and nothing leaks")
{
    SOUK_FAULT_LOOP (test) {
        struct consent_world world;
        bool withdrawn = false;
        souk_err err = world_open(&world, test->mem);
        if (!err)
            err = story(&world, &withdrawn);
        SOUK_CHECK(err == SOUK_OK || err == SOUK_ENOMEM);
        test_fault_seen(test, err);
        if (world.consent && withdrawn)
            SOUK_CHECK(!world_may(&world, 6, SOUK_PURPOSE_PROFILE));
        world_close(&world);
    }
}
