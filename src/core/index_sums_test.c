/* index_sums_test.c - sums at the ends of their range, atoms with too many of them, and no memory. */
#include "test/test.h"

#include "core/index_model.h"

static souk_err make_atoms(souk_index *index, struct index_model *model, uint32_t count)
{
    model_begin(model);
    souk_index_begin(index);
    for (uint32_t atom = 1; atom <= count; atom++) {
        souk_link link = {.hash = model_hash(atom),
                          .atom = atom,
                          .slot = atom,
                          .kind = SOUK_LINK_IDENTIFIER,
                          .id_kind = SOUK_ID_USER};
        souk_err err = souk_index_link(index, &link);
        if (err) {
            souk_index_rollback(index);
            model_begin(model);
            return err;
        }
        model_link(model, &link, atom);
    }
    souk_index_commit(index);
    model_commit(model);
    return SOUK_OK;
}

/* ---- the ends of the range ------------------------------------------------------------------------ */

static int64_t extreme(souk_test *test)
{
    static const int64_t ends[] = {INT64_MAX, INT64_MIN, INT64_MAX / 2, INT64_MIN / 2, 1, -1, 0};
    uint64_t i = test_random(test, sizeof ends / sizeof *ends + 2);
    return i < sizeof ends / sizeof *ends ? ends[i] : (int64_t)test_random(test, 0);
}

static bool would_overflow(const struct model_atom *atom, uint32_t key, int64_t value)
{
    int64_t sum;
    for (size_t i = 0; i < atom->count; i++)
        if (atom->counts[i].key == key)
            return __builtin_add_overflow(atom->counts[i].value, value, &sum);
    return false;
}

static bool event_overflows(const struct model_atom *atom, const souk_fact *fact,
                            const souk_fact_line *lines)
{
    int64_t units = 0;
    if (!(fact->flags & SOUK_EVENT_SALE))
        return false;
    for (uint32_t i = 0; i < fact->line_count; i++)
        if (__builtin_add_overflow(units, lines[i].quantity_micro, &units))
            return true;
    return would_overflow(atom, SOUK_COUNTER_KEY(SOUK_COUNT_UNITS, 0), units) ||
           would_overflow(atom, SOUK_COUNTER_KEY(SOUK_COUNT_AMOUNT, fact->currency),
                          fact->amount_micro);
}

SOUK_TEST("an event of which one sum would not fit is left out whole, and totals are wider")
{
    enum { ATOMS = 4 };
    static struct index_model model;
    souk_auto(souk_index) index = NULL;
    SOUK_MUST(model_index(test->mem, &index));
    SOUK_MUST(make_atoms(index, &model, ATOMS));
    unsigned refused = 0;
    for (uint64_t i = 0; i < 3000; i++) {
        souk_fact_line lines[2] = {{.quantity_micro = extreme(test)},
                                   {.quantity_micro = extreme(test), .category = 3}};
        souk_fact fact = {.position = i,
                          .atom = (uint32_t)test_random(test, ATOMS + 1),
                          .source = 1,
                          .type = 1 + (uint32_t)test_random(test, 3),
                          .currency = 1 + (uint32_t)test_random(test, MODEL_CURRENCIES),
                          .line_count = (uint32_t)test_random(test, 3),
                          .amount_micro = extreme(test),
                          .flags = (uint8_t)test_random(test, 8)};
        bool overflows = fact.atom && event_overflows(&model.atoms[fact.atom], &fact, lines);
        SOUK_CHECK_ERR(souk_index_fold(index, &fact, lines), overflows ? SOUK_EOVERFLOW : SOUK_OK);
        refused += overflows;
        if (overflows)
            model.through = i + 1;
        else
            model_fold(&model, &fact, lines, 0);
        SOUK_CHECK(i % 100 || model_same(index, &model));
    }
    SOUK_CHECK(refused > 100 && refused < 2900 && model_same(index, &model));
}

SOUK_TEST("a basket of too many lines and a currency too many are left out whole")
{
    static struct index_model model;
    static souk_fact_line lines[SOUK_EVENT_LINES + 1];
    static souk_totals before, after;
    souk_auto(souk_index) index = NULL;
    SOUK_MUST(model_index(test->mem, &index));
    SOUK_MUST(make_atoms(index, &model, 1));
    souk_fact fact = {.atom = 1, .source = 1, .type = 1, .line_count = SOUK_EVENT_LINES + 1};
    SOUK_CHECK_ERR(souk_index_fold(index, &fact, lines), SOUK_EOVERFLOW);
    fact.line_count = SOUK_EVENT_LINES;
    SOUK_MUST(souk_index_fold(index, &fact, lines));
    fact.flags = SOUK_EVENT_SALE;
    for (uint32_t i = 1; i <= SOUK_TOTAL_CURRENCIES; i++) {
        fact.currency = i;
        SOUK_MUST(souk_index_fold(index, &fact, lines));
    }
    souk_count counts[300];
    size_t count = souk_index_counts(index, 1, counts, 300);
    souk_index_totals(index, &before);
    SOUK_CHECK(count == SOUK_TOTAL_CURRENCIES + 3 && before.events == SOUK_TOTAL_CURRENCIES + 1);
    fact.currency = SOUK_TOTAL_CURRENCIES + 1;
    SOUK_CHECK_ERR(souk_index_fold(index, &fact, lines), SOUK_ETOOBIG);
    fact.atom = 0;
    SOUK_CHECK_ERR(souk_index_fold(index, &fact, lines), SOUK_ETOOBIG);
    souk_index_totals(index, &after);
    SOUK_CHECK(souk_index_counts(index, 1, counts, 300) == count);
    SOUK_CHECK(after.events == before.events && after.currency_count == before.currency_count);
}

/* ---- too many sums --------------------------------------------------------------------------------- */

/* Values of a dimension added up, and how many keys it has. */
static int64_t sum_of(const souk_count *counts, size_t count, enum souk_counter dimension,
                      int64_t *ret_other)
{
    int64_t sum = 0;
    *ret_other = 0;
    for (size_t i = 0; i < count; i++)
        if (counts[i].key >> 28 == (uint32_t)dimension) {
            sum += counts[i].value;
            if ((counts[i].key & SOUK_COUNTER_REST) == SOUK_COUNTER_REST)
                *ret_other = counts[i].value;
        }
    return sum;
}

SOUK_TEST("an atom keeps about 4096 sums: what is new beyond is summed as other, and none is lost")
{
    enum { MOST = 5000, EVENTS = 60 };
    static struct index_model model;
    static souk_fact_line lines[SOUK_EVENT_LINES];
    static souk_count counts[MOST];
    souk_auto(souk_index) index = NULL;
    SOUK_MUST(model_index(test->mem, &index));
    SOUK_MUST(make_atoms(index, &model, 2));
    int64_t other;
    size_t count = 0;
    for (uint32_t i = 0; i < EVENTS; i++) {
        souk_fact fact = {
            .position = i, .atom = 1, .source = 1, .type = 1, .line_count = SOUK_EVENT_LINES};
        for (uint32_t j = 0; j < SOUK_EVENT_LINES; j++)
            lines[j].category = (i * SOUK_EVENT_LINES + j) * 7 % 65536;
        SOUK_MUST(souk_index_fold(index, &fact, lines));
        count = souk_index_counts(index, 1, counts, MOST);
        SOUK_CHECK(count <= 4096 + SOUK_EVENT_LINES);
        SOUK_CHECK(sum_of(counts, count, SOUK_COUNT_MONTH, &other) == (i + 1) * SOUK_EVENT_LINES);
        SOUK_CHECK(sum_of(counts, count, SOUK_COUNT_TYPE, &other) == i + 1);
    }
    sum_of(counts, count, SOUK_COUNT_MONTH, &other);
    SOUK_CHECK(other > EVENTS * SOUK_EVENT_LINES / 2);
    /* A currency has no "other". */
    souk_fact sale = {.position = EVENTS,
                      .atom = 1,
                      .source = 1,
                      .type = 1,
                      .currency = 5,
                      .amount_micro = 1,
                      .flags = SOUK_EVENT_SALE};
    SOUK_CHECK_ERR(souk_index_fold(index, &sale, lines), SOUK_EOVERFLOW);
    SOUK_CHECK(souk_index_counts(index, 1, counts, MOST) == count);
    /* What an erased atom leaves is used again. */
    souk_index_bytes before, after;
    souk_index_memory(index, &before);
    souk_index_erase_atom(index, 1);
    for (uint32_t i = 0; i < 20; i++) {
        souk_fact fact = {
            .position = i, .atom = 2, .source = 1, .type = 1, .line_count = SOUK_EVENT_LINES};
        for (uint32_t j = 0; j < SOUK_EVENT_LINES; j++)
            lines[j].category = i * SOUK_EVENT_LINES + j;
        SOUK_MUST(souk_index_fold(index, &fact, lines));
    }
    souk_index_memory(index, &after);
    SOUK_CHECK(before.counters == after.counters);
}

/* ---- no memory --------------------------------------------------------------------------------------- */

static souk_err story(souk_index *index, struct index_model *model, souk_disk *disk)
{
    SOUK_TRY(make_atoms(index, model, MODEL_SHOPPERS - 1));
    souk_index_begin(index);
    static struct index_model before;
    before = *model;
    for (uint32_t i = 1; i < MODEL_SHOPPERS; i++) {
        uint32_t id = MODEL_IDS - MODEL_SHOPPERS + i;
        souk_link link = {.hash = model_hash(id),
                          .atom = i,
                          .slot = i,
                          .shopper = i,
                          .kind = SOUK_LINK_SHOPPER,
                          .position = i};
        souk_err err = souk_index_link(index, &link);
        if (err) {
            souk_index_rollback(index);
            *model = before;
            return err;
        }
        model_link(model, &link, id);
    }
    souk_index_commit(index);
    model_commit(model);
    for (uint32_t i = 1; i + 1 < MODEL_SHOPPERS; i += 2) {
        SOUK_TRY(souk_index_join(index, i, i + 1));
        memcpy(model->joins[model->join_count++], (uint32_t[]){i, i + 1}, sizeof *model->joins);
    }
    SOUK_TRY(souk_index_save(index, disk, "index"));
    souk_index_clear_groups(index);
    model->join_count = 0;
    return SOUK_OK;
}

SOUK_TEST("whichever allocation fails, the index is as it was before the transaction")
{
    static struct index_model model;
    SOUK_FAULT_LOOP (test) {
        souk_auto(souk_disk) disk = NULL;
        souk_auto(souk_index) index = NULL;
        souk_auto(souk_index) copy = NULL;
        model_begin(&model);
        souk_err err = souk_disk_open_sim(test->mem, 1, &disk);
        if (!err)
            err = model_index(test->mem, &index);
        if (!err)
            err = story(index, &model, disk);
        if (index)
            SOUK_CHECK(model_same(index, &model));
        if (!err)
            err = model_index(test->mem, &copy);
        if (!err) {
            err = souk_index_load(copy, disk, "index");
            if (err) /* empty, and good for a rebuild */
                model_begin(&model);
            SOUK_CHECK(model_same(copy, &model));
        }
        SOUK_CHECK(err == SOUK_OK || err == SOUK_ENOMEM);
        test_fault_seen(test, err);
    }
}
