/* spine_model.h - who is who and what they did, in the plainest words there are: lists, walked from
 * end to end.  The oracle of spine_model_test.c; it shares no code with what it judges.
 *
 * A fault breaks one of the model's rules, so that the judge must notice a product which differs. */
#ifndef SOUK_CORE_SPINE_MODEL_H
#define SOUK_CORE_SPINE_MODEL_H

#include "core/consent.h"

enum {
    MODEL_IDS = 90,
    MODEL_ATOMS = 8192,
    MODEL_EVENTS = 16384,
    MODEL_DECISIONS = 2048,
    MODEL_PURPOSES = SOUK_PURPOSE_FIXED,
    MODEL_LINES = 2,
    MODEL_STATES_ADULT = 0x8000, /* in an atom's bases: a source says so */
};

#define MODEL_FAULT_TABLE(X)                                    \
    X(SOUND, "nothing")                                         \
    X(NOBODY, "an event without identifiers is somebody's")     \
    X(WEAKEST, "the weakest identifier decides")                \
    X(JOIN, "a new strong identifier never joins")              \
    X(TIE, "a new weak identifier is not tied")                 \
    X(CLAIM, "a visitor's device is not claimed")               \
    X(SHARE, "a second user's device is not shared")            \
    X(DURABLE, "a card moves to whoever shows it")              \
    X(SHOPPER, "a visitor becomes a shopper")                   \
    X(MERGE, "a merge is forgotten")                            \
    X(UNMERGE, "an un-merge is forgotten")                      \
    X(WITHDRAW, "a withdrawal stays on one atom")               \
    X(GRANT, "a grant goes to every atom")                      \
    X(STRICT, "one yes of a merged person is enough")           \
    X(AGE, "age does not matter")                               \
    X(ERASE_ID, "an erased identifier still leads somewhere")   \
    X(ERASE_SUM, "an erased shopper's events leave the totals") \
    X(REPEAT, "a repeat counts again")                          \
    X(SUM, "a cancelled order is not counted")                  \
    X(TIMELINE, "the first event of a timeline is missing")     \
    X(KEYS, "an erasure forgets to destroy the keys")

enum model_fault {
#define MODEL_FAULT_ENUM(name, words) MODEL_##name,
    MODEL_FAULT_TABLE(MODEL_FAULT_ENUM)
#undef MODEL_FAULT_ENUM
        MODEL_FAULTS
};

struct model_id {
    souk_id_kind kind;
    char value[32];
    uint32_t atom; /* 0: leads to nobody */
};

struct model_atom {
    uint32_t shopper;
    souk_id_kind strongest;
    bool shared, erased;
    uint16_t bases;
    souk_age age;
    souk_basis said[MODEL_PURPOSES]; /* SOUK_BASIS_NONE: nothing */
    bool guardian[MODEL_PURPOSES];
};

struct model_event {
    uint64_t position;
    souk_time at;
    uint32_t atom, number; /* the number makes its message id and its text */
    uint32_t source;
    unsigned type, product[MODEL_LINES], line_count;
    int64_t amount, quantity[MODEL_LINES];
    uint8_t flags;
    bool anonymised; /* its shopper was erased */
};

struct model {
    enum model_fault fault;
    struct model_id ids[MODEL_IDS];
    struct model_atom atoms[MODEL_ATOMS]; /* from 1 */
    uint32_t atom_count, shopper_count;   /* next numbers */
    struct model_event events[MODEL_EVENTS];
    size_t event_count;
    struct model_decision {
        uint32_t a, b;
        bool stands;
    } decisions[MODEL_DECISIONS];
    size_t decision_count;
    uint64_t next; /* position */
};

/* ---- whose event ------------------------------------------------------------------------------- */

static inline uint32_t model_new_atom(struct model *model, bool shared)
{
    souk_assert(model->atom_count < MODEL_ATOMS);
    model->atoms[model->atom_count] = (struct model_atom){.shared = shared};
    return model->atom_count++;
}

static inline void model_point(struct model *model, struct model_id *id, uint32_t atom)
{
    id->atom = atom;
    if (!model->atoms[atom].strongest || id->kind < model->atoms[atom].strongest)
        model->atoms[atom].strongest = id->kind;
}

/* Rule 3: the first weaker identifier whose atom knows only weaker ones. */
static inline uint32_t model_joinable(const struct model *model, struct model_id *const *ids,
                                      size_t count)
{
    if (model->fault == MODEL_JOIN)
        return 0;
    for (size_t i = 1; i < count; i++) {
        const struct model_atom *atom = &model->atoms[ids[i]->atom];
        bool proof = ids[i]->kind <= SOUK_ID_OPEN || atom->shopper == 0;
        if (ids[i]->atom && !atom->shared && atom->strongest > ids[0]->kind && proof)
            return ids[i]->atom;
    }
    return 0;
}

static inline void model_settle(struct model *model, struct model_id *id, uint32_t mine)
{
    struct model_atom *found = &model->atoms[id->atom];
    uint32_t shopper = model->atoms[mine].shopper;
    if (found->shared || shopper == 0 || found->shopper == shopper)
        return;
    if (found->shopper == 0 && model->fault != MODEL_CLAIM)
        found->shopper = shopper;
    else if (found->shopper && model->fault != MODEL_SHARE)
        model_point(model, id, model_new_atom(model, true));
}

/* ids: strongest first.  The atom; 0: nobody. */
static inline uint32_t model_resolve(struct model *model, struct model_id **ids, size_t count)
{
    if (count == 0)
        return model->fault == MODEL_NOBODY && model->atom_count > 1 ? 1 : 0;
    struct model_id *first = ids[model->fault == MODEL_WEAKEST ? count - 1 : 0];
    uint32_t mine = first->atom;
    if (!mine) {
        mine = model_joinable(model, ids, count);
        model_point(model, first, mine ? mine : model_new_atom(model, false));
        mine = first->atom;
    }
    bool durable = model->atoms[mine].strongest <= SOUK_ID_OPEN || model->fault == MODEL_SHOPPER;
    if (!model->atoms[mine].shopper && durable)
        model->atoms[mine].shopper = model->shopper_count++;
    for (size_t i = 0; i < count; i++) {
        if (ids[i] == first || ids[i]->atom == mine)
            continue;
        if (ids[i]->atom == 0) {
            if (model->fault != MODEL_TIE)
                model_point(model, ids[i], mine);
        } else if (ids[i]->kind > SOUK_ID_OPEN) {
            model_settle(model, ids[i], mine);
        } else if (model->fault == MODEL_DURABLE) {
            model_point(model, ids[i], mine);
        }
    }
    return mine;
}

/* ---- one person -------------------------------------------------------------------------------- */

static inline void model_spread(const struct model *model, uint32_t shopper, bool *in)
{
    bool more = true;
    in[shopper] = true;
    while (more) {
        more = false;
        for (size_t i = 0; i < model->decision_count; i++) {
            const struct model_decision *decision = &model->decisions[i];
            if (decision->stands && in[decision->a] != in[decision->b])
                more = in[decision->a] = in[decision->b] = true;
        }
    }
}

/* The atoms of the person that an atom belongs to, ascending; 0: none. */
static inline size_t model_person(const struct model *model, uint32_t atom, uint32_t *ret_atoms)
{
    static bool in[MODEL_ATOMS];
    size_t count = 0;
    if (!atom || model->atoms[atom].erased)
        return 0;
    if (!model->atoms[atom].shopper) {
        ret_atoms[0] = atom;
        return 1;
    }
    memset(in, 0, sizeof in);
    model_spread(model, model->atoms[atom].shopper, in);
    for (uint32_t i = 1; i < model->atom_count; i++)
        if (model->atoms[i].shopper && in[model->atoms[i].shopper] && !model->atoms[i].erased)
            ret_atoms[count++] = i;
    return count;
}

/* ---- consent ----------------------------------------------------------------------------------- */

static inline bool model_atom_says(const struct model *model, uint32_t number, unsigned purpose)
{
    const struct model_atom *atom = &model->atoms[number];
    static const bool adults[MODEL_PURPOSES] = {[SOUK_PURPOSE_RECOGNISE] = true,
                                                [SOUK_PURPOSE_FACE_PAY] = true,
                                                [SOUK_PURPOSE_MOOD] = true,
                                                [SOUK_PURPOSE_ADVERTISE] = true};
    souk_basis said = atom->said[purpose];
    souk_age age = atom->age                          ? atom->age
                   : atom->bases & MODEL_STATES_ADULT ? SOUK_AGE_ADULT
                                                      : SOUK_AGE_UNKNOWN;
    if (atom->shared || atom->erased || said == SOUK_BASIS_WITHDRAWN)
        return false;
    if (said == SOUK_BASIS_NONE && !(atom->bases >> purpose & 1))
        return false;
    if (model->fault == MODEL_AGE)
        return true;
    if (adults[purpose])
        return age == SOUK_AGE_ADULT;
    return age != SOUK_AGE_MINOR || purpose == SOUK_PURPOSE_SERVE ||
           (said != SOUK_BASIS_NONE && atom->guardian[purpose]);
}

static inline bool model_says(const struct model *model, const uint32_t *atoms, size_t count,
                              unsigned purpose)
{
    size_t yes = 0;
    for (size_t i = 0; i < count; i++)
        yes += model_atom_says(model, atoms[i], purpose);
    return model->fault == MODEL_STRICT ? yes > 0 : count > 0 && yes == count;
}

static inline void model_consent(struct model *model, const uint32_t *atoms, size_t count,
                                 unsigned purpose, souk_basis basis, bool guardian, souk_age age)
{
    bool every = basis == SOUK_BASIS_WITHDRAWN ? model->fault != MODEL_WITHDRAW
                                               : model->fault == MODEL_GRANT;
    for (size_t i = 0; i < (every ? count : 1); i++) {
        model->atoms[atoms[i]].said[purpose] = basis;
        model->atoms[atoms[i]].guardian[purpose] = guardian;
    }
    for (size_t i = 0; i < count && age != SOUK_AGE_UNKNOWN; i++)
        model->atoms[atoms[i]].age = age;
}

/* ---- decisions --------------------------------------------------------------------------------- */

static inline void model_merge(struct model *model, uint32_t a, uint32_t b)
{
    souk_assert(model->decision_count < MODEL_DECISIONS);
    if (model->fault != MODEL_MERGE)
        model->decisions[model->decision_count++] = (struct model_decision){a, b, true};
}

/* How many decisions fell. */
static inline size_t model_unmerge(struct model *model, uint32_t shopper)
{
    size_t fell = 0;
    for (size_t i = 0; i < model->decision_count; i++) {
        struct model_decision *decision = &model->decisions[i];
        if (decision->stands && (decision->a == shopper || decision->b == shopper)) {
            decision->stands = model->fault == MODEL_UNMERGE;
            fell++;
        }
    }
    return fell;
}

static inline void model_erase(struct model *model, const uint32_t *atoms, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct model_atom *atom = &model->atoms[atoms[i]];
        atom->erased = true;
        if (atom->shopper)
            model_unmerge(model, atom->shopper);
        for (size_t k = 0; k < MODEL_IDS; k++)
            if (model->ids[k].atom == atoms[i] && model->fault != MODEL_ERASE_ID)
                model->ids[k].atom = 0;
        for (size_t k = 0; k < model->event_count; k++)
            if (model->events[k].atom == atoms[i]) {
                model->events[k].atom = 0;
                model->events[k].anonymised = true;
            }
    }
}

#endif
