/* index_model.h - for the tests of the index: who is who in plain arrays, searched from end to end.
 *
 * Identifiers are numbers below MODEL_IDS, of which the last MODEL_SHOPPERS are public ids.  A begin copies
 * the whole model, a rollback copies it back.  Stands after test/test.h in a test. */
#ifndef SOUK_CORE_INDEX_MODEL_H
#define SOUK_CORE_INDEX_MODEL_H

#include "core/index.h"

#include <stdlib.h>

enum {
    MODEL_ATOMS = 200,
    MODEL_SHOPPERS = 80,
    MODEL_IDS = 300 + MODEL_SHOPPERS,
    MODEL_COUNTS = 160,
    MODEL_JOINS = 100,
    MODEL_CURRENCIES = 3,
};

struct model_atom {
    souk_atom atom; /* counters and next_of_shopper are not used */
    souk_count counts[MODEL_COUNTS];
    size_t count;
};

struct index_model {
    struct model_atom atoms[MODEL_ATOMS];
    struct {
        uint32_t first_atom;
        bool erased;
    } shoppers[MODEL_SHOPPERS];
    uint32_t ids[MODEL_IDS]; /* atom; 0: nobody's */
    uint32_t atom_count, shopper_count;
    uint32_t visible_atoms, visible_shoppers;
    uint64_t through;
    uint64_t events, orders, cancelled;
    souk_wide amounts[MODEL_CURRENCIES];
    bool currency_seen[MODEL_CURRENCIES];
    uint32_t joins[MODEL_JOINS][2];
    size_t join_count;
};

static inline uint16_t model_bases_of(void *context, uint32_t source)
{
    (void)context;
    return (uint16_t)souk_mix64(source);
}

static inline souk_err model_index(souk_mem *mem, souk_index **ret_index)
{
    souk_index_options options = {model_bases_of, NULL};
    return souk_index_new(mem, &options, ret_index);
}

static inline void model_begin(struct index_model *model)
{
    memset(model, 0, sizeof *model);
    model->atom_count = model->shopper_count = 1;
    model->visible_atoms = model->visible_shoppers = 1;
}

static inline souk_hash128 model_hash(uint32_t id)
{
    return (souk_hash128){souk_mix64(id * 2 + 1), souk_mix64(id ^ 0x5eed)};
}

/* ---- links ------------------------------------------------------------------------------------- */

static inline void model_new_atom(struct index_model *model, const souk_link *link)
{
    if (link->atom < model->atom_count)
        return;
    souk_assert(model->atom_count < MODEL_ATOMS);
    struct model_atom *atom = &model->atoms[model->atom_count++];
    memset(atom, 0, sizeof *atom);
    atom->atom.slot = link->slot;
    atom->atom.first_at = INT64_MAX;
    atom->atom.last_at = INT64_MIN;
}

/* The link must fit: the index decides about those that do not. */
static inline void model_link(struct index_model *model, const souk_link *link, uint32_t id)
{
    if (link->kind == SOUK_LINK_MOVED) {
        if (model->ids[id] == link->atom)
            model->ids[id] = 0;
        return;
    }
    model_new_atom(model, link);
    souk_atom *atom = &model->atoms[link->atom].atom;
    if (link->kind == SOUK_LINK_CLAIM) {
        atom->shopper = link->shopper;
        return;
    }
    model->ids[id] = link->atom;
    if (link->kind == SOUK_LINK_SHOPPER) {
        souk_assert(model->shopper_count < MODEL_SHOPPERS);
        atom->shopper = link->shopper;
        model->shoppers[model->shopper_count].erased = false;
        model->shoppers[model->shopper_count++].first_atom = link->atom;
        return;
    }
    if (!atom->strongest || link->id_kind < atom->strongest)
        atom->strongest = (uint8_t)link->id_kind;
    if (link->kind == SOUK_LINK_SHARED)
        atom->flags |= SOUK_ATOM_SHARED;
}

static inline void model_commit(struct index_model *model)
{
    model->visible_atoms = model->atom_count;
    model->visible_shoppers = model->shopper_count;
}

/* ---- sums --------------------------------------------------------------------------------------- */

static inline void model_count(struct model_atom *atom, uint32_t key, int64_t value)
{
    size_t i = 0;
    while (i < atom->count && atom->counts[i].key != key)
        i++;
    souk_assert(i < MODEL_COUNTS);
    if (i == atom->count)
        atom->counts[atom->count++] = (souk_count){key, 0};
    atom->counts[i].value += value;
}

/* Currencies are numbers from 1; months come from the test, so that the model needs no calendar. */
static inline void model_fold(struct index_model *model, const souk_fact *fact,
                              const souk_fact_line *lines, uint32_t month)
{
    model->through = fact->position + 1;
    if (fact->source == 0)
        return;
    model->events++;
    model->orders += (fact->flags & SOUK_EVENT_ORDER) != 0;
    model->cancelled += (fact->flags & SOUK_EVENT_CANCELLED) != 0;
    bool sale = fact->flags & SOUK_EVENT_SALE;
    if (sale) {
        model->amounts[fact->currency - 1] += fact->amount_micro;
        model->currency_seen[fact->currency - 1] = true;
    }
    if (fact->atom == 0 || fact->atom >= model->atom_count ||
        (model->atoms[fact->atom].atom.flags & SOUK_ATOM_ERASED))
        return;
    struct model_atom *atom = &model->atoms[fact->atom];
    int64_t units = 0;
    model_count(atom, SOUK_COUNTER_KEY(SOUK_COUNT_TYPE, fact->type), 1);
    for (uint32_t i = 0; i < fact->line_count; i++) {
        model_count(atom, SOUK_COUNTER_KEY(SOUK_COUNT_MONTH, lines[i].category << 12 | month), 1);
        units += sale ? lines[i].quantity_micro : 0;
    }
    if (fact->line_count == 0)
        model_count(atom, SOUK_COUNTER_KEY(SOUK_COUNT_MONTH, month), 1);
    if (fact->flags & SOUK_EVENT_ORDER)
        model_count(atom, SOUK_COUNTER_KEY(SOUK_COUNT_ORDERS, 0), 1);
    if (fact->flags & SOUK_EVENT_CANCELLED)
        model_count(atom, SOUK_COUNTER_KEY(SOUK_COUNT_CANCELLED, 0), 1);
    if (sale) {
        model_count(atom, SOUK_COUNTER_KEY(SOUK_COUNT_UNITS, 0), units);
        model_count(atom, SOUK_COUNTER_KEY(SOUK_COUNT_AMOUNT, fact->currency), fact->amount_micro);
    }
    if (fact->at < atom->atom.first_at)
        atom->atom.first_at = fact->at;
    if (fact->at > atom->atom.last_at)
        atom->atom.last_at = fact->at;
    atom->atom.bases |= model_bases_of(NULL, fact->source);
}

static inline void model_erase(struct index_model *model, uint32_t number)
{
    struct model_atom *atom = &model->atoms[number];
    uint32_t shopper = atom->atom.shopper;
    if (shopper && model->shoppers[shopper].first_atom == number)
        model->shoppers[shopper].erased = true;
    memset(atom, 0, sizeof *atom);
    atom->atom = (souk_atom){
        .first_at = INT64_MAX, .last_at = INT64_MIN, .shopper = shopper, .flags = SOUK_ATOM_ERASED};
}

/* ---- persons ------------------------------------------------------------------------------------ */

static inline void model_group(const struct index_model *model, uint32_t shopper, bool *in)
{
    memset(in, 0, MODEL_SHOPPERS);
    in[shopper] = true;
    for (bool changed = true; changed;) {
        changed = false;
        for (size_t i = 0; i < model->join_count; i++) {
            uint32_t a = model->joins[i][0], b = model->joins[i][1];
            if (in[a] != in[b] && !model->shoppers[a].erased && !model->shoppers[b].erased)
                changed = in[a] = in[b] = true;
        }
    }
}

static inline uint32_t model_persons(const struct index_model *model)
{
    uint32_t persons = 0;
    for (uint32_t shopper = 1; shopper < model->visible_shoppers; shopper++) {
        bool in[MODEL_SHOPPERS], lowest = !model->shoppers[shopper].erased;
        model_group(model, shopper, in);
        for (uint32_t i = 1; i < shopper; i++)
            lowest &= !in[i];
        persons += lowest;
    }
    return persons;
}

static inline uint32_t model_owner(const struct index_model *model, uint32_t number)
{
    uint32_t shopper = model->atoms[number].atom.shopper;
    return model->shoppers[shopper].erased ? 0 : shopper;
}

static inline souk_err model_person(const struct index_model *model, uint32_t number,
                                    souk_person *ret_person)
{
    if (number == 0 || number >= model->visible_atoms ||
        (model->atoms[number].atom.flags & SOUK_ATOM_ERASED))
        return SOUK_ENOENT;
    uint32_t shopper = model->atoms[number].atom.shopper;
    *ret_person = (souk_person){.atom_count = 1, .atoms = {number}};
    if (shopper == 0 || shopper >= model->visible_shoppers || model->shoppers[shopper].erased)
        return SOUK_OK;
    bool in[MODEL_SHOPPERS];
    model_group(model, shopper, in);
    while (!in[ret_person->shopper])
        ret_person->shopper++;
    ret_person->atom_count = 0;
    for (uint32_t i = 1; i < model->visible_atoms; i++)
        if (in[model->atoms[i].atom.shopper] && !(model->atoms[i].atom.flags & SOUK_ATOM_ERASED))
            ret_person->atoms[ret_person->atom_count++] = i;
    return SOUK_OK;
}

/* ---- comparisons --------------------------------------------------------------------------------- */

_Static_assert(offsetof(souk_count, key) == 0, "sorted as numbers are");
static inline int model_by_key(const void *a, const void *b)
{
    uint32_t left = souk_get_u32(a), right = souk_get_u32(b); /* a key, or an atom's number */
    return (left > right) - (left < right);
}

/* hidden: flags that only a transaction under way has. */
static inline bool model_same_atom(const souk_index *index, const struct index_model *model,
                                   uint32_t number, unsigned hidden)
{
    static struct model_atom sorted;
    sorted = model->atoms[number];
    qsort(sorted.counts, sorted.count, sizeof *sorted.counts, model_by_key);
    souk_count counts[MODEL_COUNTS];
    size_t count = souk_index_counts(index, number, counts, MODEL_COUNTS);
    if (number >= model->visible_atoms)
        return count == 0 && !souk_index_atom(index, number);
    qsort(counts, souk_min_size(count, MODEL_COUNTS), sizeof *counts, model_by_key);
    const souk_atom *a = souk_index_atom(index, number), *b = &sorted.atom;
    bool same = a && a == souk_index_atom_now(index, number) && count == sorted.count &&
                a->first_at == b->first_at && a->last_at == b->last_at && a->slot == b->slot &&
                a->shopper == b->shopper && a->bases == b->bases && a->strongest == b->strongest &&
                (a->flags & ~hidden) == b->flags;
    for (size_t i = 0; same && i < count; i++)
        same = counts[i].key == sorted.counts[i].key && counts[i].value == sorted.counts[i].value;
    return same;
}

static inline bool model_same_person(const souk_index *index, const struct index_model *model,
                                     uint32_t number)
{
    static souk_person person, right;
    souk_err err = souk_index_person_of_atom(index, number, &person);
    if (err != model_person(model, number, &right))
        return false;
    if (err)
        return true;
    /* A person of one shopper has her own atom first, claimed ones behind it; merged ones are sorted. */
    qsort(person.atoms, person.atom_count, sizeof *person.atoms, model_by_key);
    return person.shopper == right.shopper && person.atom_count == right.atom_count &&
           !memcmp(person.atoms, right.atoms, right.atom_count * sizeof *right.atoms);
}

static inline bool model_same_group(const souk_index *index, const struct index_model *model,
                                    uint32_t shopper)
{
    bool in[MODEL_SHOPPERS];
    uint32_t members[MODEL_SHOPPERS];
    size_t count, expected = 0;
    model_group(model, shopper, in);
    for (uint32_t i = 1; i < MODEL_SHOPPERS; i++)
        expected += in[i];
    if (souk_index_group(index, shopper, members, MODEL_SHOPPERS, &count) || count != expected ||
        members[0] != shopper)
        return false;
    for (size_t i = 0; i < count; i++) {
        if (members[i] >= MODEL_SHOPPERS || !in[members[i]])
            return false;
        in[members[i]] = false;
    }
    return souk_index_group(index, shopper, members, expected - 1, &count) == SOUK_ETOOBIG;
}

static inline bool model_same_totals(const souk_index *index, const struct index_model *model)
{
    static souk_totals totals;
    size_t seen = 0;
    souk_index_totals(index, &totals);
    for (uint32_t i = 0; i < MODEL_CURRENCIES; i++)
        seen += model->currency_seen[i];
    bool same = totals.events == model->events && totals.orders == model->orders &&
                totals.cancelled == model->cancelled && totals.currency_count == seen;
    for (size_t i = 0; same && i < seen; i++)
        same = totals.amounts[i].currency - 1 < MODEL_CURRENCIES &&
               totals.amounts[i].amount_micro == model->amounts[totals.amounts[i].currency - 1];
    return same;
}

/* Everything a reader can ask.  Within a transaction readers are told what was before it; an atom itself is
 * shown as it is now. */
static inline bool model_same_within(const souk_index *index, const struct index_model *model,
                                     const struct index_model *before)
{
    unsigned hidden = model == before ? 0 : SOUK_ATOM_CLAIMED;
    bool same = model_same_totals(index, model) &&
                souk_index_next_atom(index) == model->atom_count &&
                souk_index_next_shopper(index) == model->shopper_count &&
                souk_index_shopper_count(index) == model->visible_shoppers - 1 &&
                souk_index_person_count(index) == model_persons(model) &&
                souk_index_through(index) == model->through;
    uint64_t identifiers = 0;
    for (uint32_t id = 0; same && id < MODEL_IDS; id++) {
        identifiers += model->ids[id] != 0;
        same = souk_index_find_now(index, model_hash(id)) == model->ids[id] &&
               souk_index_find(index, model_hash(id)) == before->ids[id];
    }
    same = same && souk_index_identifier_count(index) == identifiers;
    for (uint32_t i = 0; same && i < MODEL_ATOMS; i++)
        same = i == 0 ? !souk_index_atom(index, 0) : model_same_atom(index, model, i, hidden);
    for (uint32_t i = 0; same && i < MODEL_ATOMS; i++)
        same = model_same_person(index, before, i) &&
               (i >= before->visible_atoms || souk_index_owner(index, i) == model_owner(before, i));
    for (uint32_t i = 1; same && i < MODEL_SHOPPERS; i++) {
        bool seen = i < model->visible_shoppers;
        same = souk_index_shopper_atom(index, i) == (seen ? model->shoppers[i].first_atom : 0) &&
               (!seen || model_same_group(index, model, i));
    }
    return same;
}

static inline bool model_same(const souk_index *index, const struct index_model *model)
{
    return model_same_within(index, model, model);
}

#endif
