/* index_test.c - the index against plain arrays: links and their undoing, sums, persons, erasure.
 * Snapshots are in index_file_test.c. */
#include "test/test.h"

#include "core/index_model.h"

static uint32_t below(souk_test *test, uint64_t limit)
{
    return (uint32_t)test_random(test, limit);
}

/* ---- random links --------------------------------------------------------------------------------- */

static souk_link random_link(souk_test *test, const struct index_model *model, uint32_t *ret_id)
{
    souk_link link = {.kind = SOUK_LINK_IDENTIFIER + (souk_link_kind)below(test, 5),
                      .id_kind = SOUK_ID_USER + (souk_id_kind)below(test, SOUK_ID_KINDS - 1),
                      .position = 1 + test_random(test, 1000)};
    bool fresh = link.kind == SOUK_LINK_SHARED || model->atom_count == 1 || !below(test, 4);
    if (model->atom_count == MODEL_ATOMS)
        fresh = false;
    link.atom = fresh ? model->atom_count : 1 + below(test, model->atom_count - 1);
    link.slot = fresh ? 1 + below(test, 1000) : model->atoms[link.atom].atom.slot;
    *ret_id = below(test, MODEL_IDS - MODEL_SHOPPERS);
    if (link.kind == SOUK_LINK_SHOPPER) {
        link.shopper = model->shopper_count;
        *ret_id = MODEL_IDS - MODEL_SHOPPERS + link.shopper % MODEL_SHOPPERS;
    } else if (link.kind == SOUK_LINK_CLAIM) {
        link.shopper = below(test, model->shopper_count);
    } else if (link.kind == SOUK_LINK_MOVED && below(test, 2)) {
        link.atom = model->ids[*ret_id];
    }
    link.hash = model_hash(*ret_id);
    return link;
}

static bool fits(const struct index_model *model, const souk_link *link)
{
    bool is_new = link->atom == model->atom_count;
    const souk_atom *atom = &model->atoms[link->atom].atom;
    if (link->kind == SOUK_LINK_MOVED)
        return true;
    if (!is_new && (atom->flags & SOUK_ATOM_ERASED))
        return false;
    bool owned = !is_new && atom->shopper;
    if (link->kind == SOUK_LINK_SHOPPER)
        return !owned && model->shopper_count < MODEL_SHOPPERS;
    if (link->kind == SOUK_LINK_CLAIM)
        return !owned && link->shopper && !model->shoppers[link->shopper].erased;
    return link->kind == SOUK_LINK_IDENTIFIER || is_new;
}

/* A transaction of random links; readers are asked in its midst. */
static void transact(souk_test *test, souk_index *index, struct index_model *model)
{
    static struct index_model before;
    before = *model;
    souk_index_begin(index);
    for (uint32_t links = below(test, 12); links; links--) {
        uint32_t id;
        souk_link link = random_link(test, model, &id);
        if (!fits(model, &link))
            continue;
        SOUK_MUST(souk_index_link(index, &link));
        model_link(model, &link, id);
    }
    SOUK_CHECK(model_same_within(index, model, &before));
    if (below(test, 3)) {
        souk_index_commit(index);
        model_commit(model);
    } else {
        souk_index_rollback(index);
        *model = before;
    }
}

/* ---- random events and erasures --------------------------------------------------------------------- */

static const struct {
    souk_time at;
    uint32_t month;
} times[] = {{-1, 0},
             {INT64_MIN / 2, 0},
             {0, 0},
             {1767268800000, 672}, /* January 2026 */
             {1769904000000, 673},
             {1769903999999, 672}};

static void fold(souk_test *test, souk_index *index, struct index_model *model)
{
    souk_fact_line lines[4];
    uint32_t when = below(test, sizeof times / sizeof *times);
    souk_fact fact = {.position = model->through + below(test, 2),
                      .at = times[when].at,
                      .atom = below(test, model->visible_atoms + 2),
                      .source = below(test, 5),
                      .type = below(test, 20),
                      .currency = 1 + below(test, MODEL_CURRENCIES),
                      .line_count = below(test, 5),
                      .amount_micro = (int64_t)test_random(test, 2000000) - 1000000,
                      .flags = (uint8_t)below(test, 16)};
    for (uint32_t i = 0; i < fact.line_count; i++)
        lines[i] = (souk_fact_line){.product = below(test, 100),
                                    .category = below(test, 12),
                                    .quantity_micro = (int64_t)test_random(test, 5000000) - 1000,
                                    .amount_micro = 7};
    SOUK_MUST(souk_index_fold(index, &fact, lines));
    model_fold(model, &fact, lines, times[when].month);
}

static void regroup(souk_test *test, souk_index *index, const struct index_model *model)
{
    souk_index_clear_groups(index);
    for (size_t i = 0; i < model->join_count; i++)
        SOUK_MUST(souk_index_join(index, model->joins[i][0], model->joins[i][1]));
}

static void join_or_part(souk_test *test, souk_index *index, struct index_model *model)
{
    if (model->join_count && (below(test, 3) == 0 || model->join_count == MODEL_JOINS)) {
        size_t at = below(test, model->join_count--);
        memmove(model->joins[at], model->joins[at + 1],
                (model->join_count - at) * sizeof *model->joins);
        regroup(test, index, model);
    } else if (model->visible_shoppers > 1) {
        uint32_t *join = model->joins[model->join_count++];
        join[0] = 1 + below(test, model->visible_shoppers - 1);
        join[1] = 1 + below(test, model->visible_shoppers - 1);
        SOUK_MUST(souk_index_join(index, join[0], join[1]));
    }
    SOUK_CHECK_ERR(souk_index_join(index, 1, model->visible_shoppers), SOUK_ENOENT);
    SOUK_CHECK_ERR(souk_index_join(index, 0, 1), SOUK_ENOENT);
}

static void erase(souk_test *test, souk_index *index, struct index_model *model)
{
    if (model->visible_atoms == 1)
        return;
    uint32_t atom = 1 + below(test, model->visible_atoms - 1);
    bool known = below(test, 2); /* else swept at the end */
    for (uint32_t id = 0; id < MODEL_IDS; id++)
        if (model->ids[id] == atom) {
            model->ids[id] = 0;
            if (known)
                souk_index_unlink(index, model_hash(id));
        }
    souk_index_erase_atom(index, atom);
    souk_index_erase_atom(index, atom); /* a half-done erasure is done again */
    souk_index_unlink_erased(index);
    model_erase(model, atom);
    regroup(test, index, model);
}

static void step(souk_test *test, souk_index *index, struct index_model *model)
{
    uint32_t kind = below(test, 100);
    if (kind < 40)
        transact(test, index, model);
    else if (kind < 85)
        fold(test, index, model);
    else if (kind < 97)
        join_or_part(test, index, model);
    else
        erase(test, index, model);
}

SOUK_TEST("random links, events, merges and erasures are told as plain arrays tell them")
{
    static struct index_model model;
    for (int life = 0; life < 4; life++) {
        souk_auto(souk_index) index = NULL;
        SOUK_MUST(model_index(test->mem, &index));
        model_begin(&model);
        for (int i = 0; i < 400; i++) {
            step(test, index, &model);
            SOUK_CHECK(model_same(index, &model));
        }
        model_begin(&model);
        SOUK_MUST(souk_index_clear(index));
        SOUK_CHECK(model_same(index, &model));
    }
}

SOUK_TEST("one sum, one link and one merge too many are noticed by the comparison")
{
    static struct index_model model, wrong;
    souk_auto(souk_index) index = NULL;
    SOUK_MUST(model_index(test->mem, &index));
    model_begin(&model);
    for (int i = 0; i < 300; i++)
        step(test, index, &model);
    uint32_t busy = 1;
    while (busy < model.visible_atoms && model.atoms[busy].count < 2)
        busy++;
    SOUK_CHECK(busy < model.visible_atoms);
    SOUK_CHECK(model_same(index, &model));
    wrong = model;
    wrong.atoms[busy].counts[1].value++;
    SOUK_CHECK(!model_same(index, &wrong));
    wrong = model;
    wrong.orders++;
    SOUK_CHECK(!model_same(index, &wrong));
    wrong = model;
    wrong.ids[0] = wrong.ids[0] ? 0 : 1;
    SOUK_CHECK(!model_same(index, &wrong));
    souk_index_clear_groups(index);
    model.join_count = 0;
    SOUK_CHECK(model_same(index, &model));
    uint32_t a = 1;
    while (a < model.visible_shoppers && model.shoppers[a].erased)
        a++;
    uint32_t b = a + 1;
    while (b < model.visible_shoppers && model.shoppers[b].erased)
        b++;
    SOUK_CHECK(b < model.visible_shoppers);
    SOUK_MUST(souk_index_join(index, a, b));
    SOUK_CHECK(!model_same(index, &model));
}

/* ---- links that do not fit ---------------------------------------------------------------------------- */

static souk_err link_one(souk_index *index, souk_link_kind kind, uint32_t id, uint32_t atom,
                         uint32_t slot, uint32_t shopper)
{
    souk_link link = {.hash = model_hash(id),
                      .atom = atom,
                      .slot = slot,
                      .shopper = shopper,
                      .kind = kind,
                      .id_kind = SOUK_ID_USER,
                      .position = 9};
    return souk_index_link(index, &link);
}

SOUK_TEST("a link that contradicts what is there is refused, and undone with its transaction")
{
    souk_auto(souk_index) index = NULL;
    SOUK_MUST(model_index(test->mem, &index));
    SOUK_MUST(link_one(index, SOUK_LINK_IDENTIFIER, 1, 1, 11, 0));
    SOUK_MUST(link_one(index, SOUK_LINK_IDENTIFIER, 2, 2, 12, 0));
    SOUK_MUST(link_one(index, SOUK_LINK_SHOPPER, 3, 1, 11, 1));
    souk_index_commit(index);
    const struct {
        souk_link_kind kind;
        uint32_t atom, slot, shopper;
    } wrong[] = {
        {SOUK_LINK_IDENTIFIER, 0, 11, 0}, {SOUK_LINK_IDENTIFIER, 4, 14, 0},
        {SOUK_LINK_IDENTIFIER, 1, 12, 0}, {SOUK_LINK_IDENTIFIER, SOUK_ATOMS_MOST, 1, 0},
        {SOUK_LINK_SHOPPER, 2, 12, 1},    {SOUK_LINK_SHOPPER, 2, 12, 3},
        {SOUK_LINK_SHOPPER, 1, 11, 2},    {SOUK_LINK_CLAIM, 2, 12, 0},
        {SOUK_LINK_CLAIM, 2, 12, 2},      {SOUK_LINK_CLAIM, 1, 11, 1},
        {SOUK_LINK_CLAIM, 3, 13, 2},      {(souk_link_kind)0, 2, 12, 0},
        {(souk_link_kind)6, 2, 12, 0},    {SOUK_LINK_SHARED, 2, 11, 0},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        souk_index_begin(index);
        SOUK_CHECK_ERR(
            link_one(index, wrong[i].kind, 5, wrong[i].atom, wrong[i].slot, wrong[i].shopper),
            SOUK_ECORRUPT);
        souk_index_rollback(index);
        SOUK_CHECK(souk_index_next_atom(index) == 3 && souk_index_next_shopper(index) == 2);
        SOUK_CHECK(souk_index_find_now(index, model_hash(5)) == 0);
        SOUK_CHECK(souk_index_atom(index, 1)->shopper == 1);
        SOUK_CHECK(souk_index_atom(index, 2)->shopper == 0);
    }
}

SOUK_TEST("in a replay numbers in between were erased ones', and none is given twice")
{
    souk_auto(souk_index) index = NULL;
    souk_person *person = souk_mem_get(test->mem, sizeof *person);
    SOUK_MUST(model_index(test->mem, &index));
    SOUK_MUST(link_one(index, SOUK_LINK_IDENTIFIER, 1, 3, 13, 0));
    SOUK_MUST(link_one(index, SOUK_LINK_SHOPPER, 2, 3, 13, 4));
    SOUK_MUST(souk_index_given(index, 8, 6));
    SOUK_MUST(souk_index_given(index, 2, 2)); /* fewer than there are: nothing */
    souk_index_commit(index);
    SOUK_CHECK(souk_index_next_atom(index) == 8 && souk_index_next_shopper(index) == 6);
    SOUK_CHECK(souk_index_person_count(index) == 1 && souk_index_shopper_count(index) == 5);
    for (uint32_t atom = 1; atom < 8; atom++) {
        SOUK_CHECK(!(souk_index_atom(index, atom)->flags & SOUK_ATOM_ERASED) == (atom == 3));
        SOUK_CHECK_ERR(souk_index_person_of_atom(index, atom, person),
                       atom == 3 ? SOUK_OK : SOUK_ENOENT);
    }
    SOUK_CHECK_ERR(link_one(index, SOUK_LINK_SHOPPER, 3, 1, 1, 5), SOUK_ECORRUPT);
    souk_mem_put(test->mem, person);
}

SOUK_TEST("a transaction's own numbers are nowhere to be seen by readers before its commit")
{
    souk_auto(souk_index) index = NULL;
    souk_person *person = souk_mem_get(test->mem, sizeof *person);
    SOUK_MUST(model_index(test->mem, &index));
    SOUK_MUST(link_one(index, SOUK_LINK_IDENTIFIER, 1, 1, 11, 0));
    SOUK_MUST(link_one(index, SOUK_LINK_SHOPPER, 2, 1, 11, 1));
    souk_index_commit(index);
    souk_index_begin(index);
    SOUK_MUST(link_one(index, SOUK_LINK_IDENTIFIER, 3, 2, 12, 0));
    SOUK_MUST(link_one(index, SOUK_LINK_CLAIM, 4, 2, 12, 1));
    SOUK_MUST(link_one(index, SOUK_LINK_IDENTIFIER, 5, 3, 13, 0));
    SOUK_MUST(link_one(index, SOUK_LINK_SHOPPER, 6, 3, 13, 2));
    for (int committed = 0; committed < 2; committed++) {
        bool seen = committed;
        SOUK_MUST(souk_index_person_of_atom(index, 1, person));
        SOUK_CHECK(person->atom_count == (seen ? 2 : 1) && person->atoms[0] == 1);
        SOUK_CHECK(souk_index_person_count(index) == (seen ? 2 : 1));
        SOUK_CHECK(souk_index_shopper_count(index) == (seen ? 2 : 1));
        SOUK_CHECK(souk_index_find(index, model_hash(5)) == (seen ? 3 : 0));
        SOUK_CHECK((souk_index_atom(index, 3) != NULL) == seen);
        SOUK_CHECK(souk_index_atom_now(index, 3) != NULL);
        SOUK_CHECK(souk_index_shopper_atom(index, 2) == (seen ? 3 : 0));
        SOUK_CHECK_ERR(souk_index_join(index, 1, 2), seen ? SOUK_OK : SOUK_ENOENT);
        if (!committed)
            souk_index_commit(index);
    }
    souk_mem_put(test->mem, person);
}

/* Visitor 2 has identifiers 3 and 4; shopper 1 is atom 1's. */
static void claim_and_move(souk_test *test, souk_index *index)
{
    souk_index_begin(index);
    SOUK_MUST(link_one(index, SOUK_LINK_CLAIM, 9, 2, 12, 1));
    SOUK_MUST(link_one(index, SOUK_LINK_MOVED, 3, 2, 12, 0));
    SOUK_MUST(link_one(index, SOUK_LINK_MOVED, 4, 2, 12, 0));
    SOUK_MUST(link_one(index, SOUK_LINK_SHARED, 4, 3, 13, 0));
    SOUK_MUST(link_one(index, SOUK_LINK_IDENTIFIER, 5, 1, 11, 0));
}

SOUK_TEST("what a transaction does to what was there before is not seen before its commit either")
{
    souk_person *person = souk_mem_get(test->mem, sizeof *person);
    for (int undone = 0; undone < 2; undone++) {
        souk_auto(souk_index) index = NULL;
        SOUK_MUST(model_index(test->mem, &index));
        SOUK_MUST(link_one(index, SOUK_LINK_IDENTIFIER, 1, 1, 11, 0));
        SOUK_MUST(link_one(index, SOUK_LINK_SHOPPER, 2, 1, 11, 1));
        SOUK_MUST(link_one(index, SOUK_LINK_IDENTIFIER, 3, 2, 12, 0));
        SOUK_MUST(link_one(index, SOUK_LINK_IDENTIFIER, 4, 2, 12, 0));
        souk_index_commit(index);
        claim_and_move(test, index);
        for (int ended = 0; ended < 2; ended++) {
            bool seen = ended && !undone;
            SOUK_CHECK(souk_index_find(index, model_hash(3)) == (seen ? 0 : 2));
            SOUK_CHECK(souk_index_find(index, model_hash(4)) == (seen ? 3 : 2));
            SOUK_CHECK(souk_index_find(index, model_hash(5)) == (seen ? 1 : 0));
            SOUK_MUST(souk_index_person_of_atom(index, 1, person));
            SOUK_CHECK(person->shopper == 1 && person->atom_count == (seen ? 2 : 1));
            SOUK_MUST(souk_index_person_of_atom(index, 2, person));
            SOUK_CHECK(person->shopper == (seen ? 1 : 0) && person->atom_count == (seen ? 2 : 1));
            SOUK_CHECK(souk_index_owner(index, 2) == (seen ? 1 : 0));
            SOUK_CHECK(souk_index_owner(index, 1) == 1);
            SOUK_CHECK(souk_index_find_now(index, model_hash(4)) == (seen || !ended ? 3 : 2));
            if (!ended && undone)
                souk_index_rollback(index);
            else if (!ended)
                souk_index_commit(index);
        }
        SOUK_CHECK(souk_index_atom(index, 2)->flags == 0);
    }
    souk_mem_put(test->mem, person);
}
