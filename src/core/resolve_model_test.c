/* resolve_model_test.c - random events against a dumb model: two plain lists, identifier to atom
 * and atom to shopper, and the rules of resolve.h read aloud over them. */
#include "test/test.h"

#include "core/resolve_desk.h"

/* ---- the dumb model -------------------------------------------------------------------------- */

enum { VALUES = 12, MODEL_IDS = SOUK_ID_ANONYMOUS * VALUES, MODEL_ATOMS = 2048 };

enum wrong { /* a rule that the model gets wrong on purpose */
             RIGHT,
             JOINS_ANY,       /* 3 without its condition */
             JOINS_DEVICE,    /* 3 through a shopper's device */
             JOINS_SHARED,    /* 3 for a shared device */
             CLAIMS_NOTHING,  /* without 5 */
             SHARES_NOTHING,  /* without 6 */
             MOVES_CARDS,     /* 6 for what 7 protects */
             VISITOR_SHOPPER, /* 8 for every identifier */
             WRONGS
};

struct model_atom {
    uint32_t shopper;
    souk_id_kind strongest;
    bool shared;
};

struct model {
    enum wrong wrong;
    uint32_t atom_of_id[MODEL_IDS]; /* 0: never seen; id = (kind - 1) * VALUES + value */
    struct model_atom atoms[MODEL_ATOMS];
    uint32_t atom_count, shopper_count; /* both with entry 0, which is nobody */
};

static souk_id_kind kind_of(uint32_t id)
{
    return (souk_id_kind)(id / VALUES + 1);
}

static uint32_t model_start(struct model *model, uint32_t id, bool shared)
{
    model->atoms[model->atom_count] =
        (struct model_atom){.strongest = kind_of(id), .shared = shared};
    model->atom_of_id[id] = model->atom_count;
    return model->atom_count++;
}

static uint32_t model_joinable(const struct model *model, const uint32_t *ids, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        uint32_t number = model->atom_of_id[ids[i]];
        const struct model_atom *atom = &model->atoms[number];
        bool weaker = atom->strongest > kind_of(ids[0]) || model->wrong == JOINS_ANY;
        bool proof = souk_id_is_durable(kind_of(ids[i])) || !atom->shopper;
        if (number && weaker && (proof || model->wrong == JOINS_DEVICE) &&
            (!atom->shared || model->wrong == JOINS_SHARED))
            return number;
    }
    return 0;
}

static void model_join(struct model *model, uint32_t id, uint32_t number)
{
    struct model_atom *atom = &model->atoms[number];
    atom->strongest = atom->strongest < kind_of(id) ? atom->strongest : kind_of(id);
    model->atom_of_id[id] = number;
}

static void model_weaker(struct model *model, uint32_t id, uint32_t number)
{
    uint32_t other = model->atom_of_id[id], shopper = model->atoms[number].shopper;
    if (other == 0)
        model_join(model, id, number);
    else if (other == number || (souk_id_is_durable(kind_of(id)) && model->wrong != MOVES_CARDS))
        return;
    else if (model->atoms[other].shared || !shopper || model->atoms[other].shopper == shopper)
        return;
    else if (model->atoms[other].shopper == 0)
        model->atoms[other].shopper = model->wrong == CLAIMS_NOTHING ? 0 : shopper;
    else if (model->wrong != SHARES_NOTHING)
        model_start(model, id, true);
}

/* ids strongest first, one of each kind. */
static uint32_t model_resolve(struct model *model, const uint32_t *ids, size_t count)
{
    if (count == 0)
        return 0;
    uint32_t number = model->atom_of_id[ids[0]];
    if (!number && (number = model_joinable(model, ids, count)))
        model_join(model, ids[0], number);
    if (!number)
        number = model_start(model, ids[0], false);
    struct model_atom *atom = &model->atoms[number];
    if (!atom->shopper && (souk_id_is_durable(atom->strongest) || model->wrong == VISITOR_SHOPPER))
        atom->shopper = model->shopper_count++;
    for (size_t i = 1; i < count; i++)
        model_weaker(model, ids[i], number);
    return number;
}

static souk_hash128 model_hash(const struct desk *desk, uint32_t id)
{
    char value = (char)('a' + id % VALUES);
    return souk_hashes_identifier(&desk->resolver.hashes, kind_of(id), (souk_text){&value, 1});
}

static bool atoms_equal(const struct model *model, const souk_index *index)
{
    for (uint32_t number = 1; number < model->atom_count; number++) {
        const souk_atom *atom = souk_index_atom_now(index, number);
        const struct model_atom *same = &model->atoms[number];
        if (!atom || atom->shopper != same->shopper || atom->strongest != same->strongest ||
            (bool)(atom->flags & SOUK_ATOM_SHARED) != same->shared)
            return false;
    }
    return true;
}

static bool slots_differ(const souk_index *index)
{
    for (uint32_t a = 1; a < souk_index_next_atom(index); a++)
        for (uint32_t b = 1; b < a; b++)
            if (souk_index_atom_now(index, a)->slot == souk_index_atom_now(index, b)->slot)
                return false;
    return true;
}

static bool model_equal(const struct model *model, const struct desk *desk, const souk_index *index)
{
    for (uint32_t id = 0; id < MODEL_IDS; id++)
        if (souk_index_find_now(index, model_hash(desk, id)) != model->atom_of_id[id])
            return false;
    return souk_index_next_atom(index) == model->atom_count &&
           souk_index_next_shopper(index) == model->shopper_count && atoms_equal(model, index);
}

/* What the rules are for: no two user ids lead to one shopper. */
static bool users_apart(const struct model *model)
{
    uint64_t seen = 0;
    for (uint32_t id = 0; id < VALUES; id++) {
        uint32_t number = model->atom_of_id[id];
        uint64_t bit = number ? (uint64_t)1 << model->atoms[number].shopper % 64 : 0;
        if (seen & bit)
            return false;
        seen |= bit;
    }
    return true;
}

/* An event with each kind of identifier at times, few values, so that they meet often. */
static size_t random_ids(souk_test *test, uint32_t *ids)
{
    size_t count = 0;
    uint64_t percent = 5 + test_random(test, 40);
    for (uint32_t kind = 0; kind < SOUK_ID_ANONYMOUS; kind++)
        if (test_random(test, 100) < percent)
            ids[count++] = kind * VALUES + (uint32_t)test_random(test, VALUES);
    return count;
}

static souk_event random_event(souk_test *test, const struct desk *desk, const uint32_t *ids,
                               size_t count)
{
    static const char values[VALUES + 1] = "abcdefghijkl";
    souk_event event = {.at = 0};
    size_t start = count ? test_random(test, count) : 0;
    for (size_t i = 0; i < count; i++) {
        uint32_t id = ids[(start + i) % count];
        souk_event_identify(&event, &desk->resolver.hashes, kind_of(id),
                            (souk_text){values + id % VALUES, 1});
    }
    return event;
}

/* Resolved and then undone, as in a transaction that did not commit. */
static void resolve_in_vain(souk_test *test, struct desk *desk, const souk_event *event)
{
    uint32_t atom;
    size_t links = desk->link_count;
    souk_index_begin(desk->index);
    SOUK_MUST(souk_resolve(&desk->resolver, event, desk->position + 1, &atom));
    souk_index_rollback(desk->index);
    desk->link_count = links;
}

/* Whether desk and model went the same way through `steps` random events. */
static bool walk(souk_test *test, struct desk *desk, struct model *model, int steps)
{
    model->atom_count = model->shopper_count = 1;
    for (int step = 0; step < steps; step++) {
        uint32_t ids[EVENT_WORDS], atom;
        size_t count = random_ids(test, ids);
        souk_event event = random_event(test, desk, ids, count);
        if (test_random(test, 4) == 0)
            resolve_in_vain(test, desk, &event);
        SOUK_MUST(resolve_event(desk, &event, &atom));
        if (atom != model_resolve(model, ids, count) || !model_equal(model, desk, desk->index))
            return false;
        SOUK_CHECK(model->wrong || users_apart(model));
    }
    return true;
}

SOUK_TEST("random events are resolved as the rules read aloud would, and again in a replay")
{
    for (int round = 0; round < 25; round++)
        WITH_DESK(desk)
        {
            struct model model = {.wrong = RIGHT};
            souk_auto(souk_index) replayed = NULL;
            SOUK_CHECK(walk(test, &desk, &model, 200));
            SOUK_MUST(new_index(test->mem, &replayed));
            for (size_t i = 0; i < desk.link_count; i++)
                SOUK_MUST(souk_index_link(replayed, &desk.links[i]));
            SOUK_CHECK(model_equal(&model, &desk, replayed));
            SOUK_CHECK(slots_differ(desk.index));
        }
}

SOUK_TEST("a model with one rule wrong goes another way within a few random events")
{
    for (enum wrong wrong = JOINS_ANY; wrong < WRONGS; wrong++) {
        bool noticed = false;
        for (int round = 0; round < 25 && !noticed; round++)
            WITH_DESK(desk)
            {
                struct model model = {.wrong = wrong};
                noticed = !walk(test, &desk, &model, 200);
            }
        SOUK_CHECK(noticed);
    }
}
