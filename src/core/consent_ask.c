/* consent_ask.c - the one place that answers: one atom, a person, a mask, and the grant that proves a yes. */
#include "core/consent_inside.h"

static const bool needs_adult[] = {
#define SOUK_PURPOSE_ADULT(name, word, adult) adult,
    SOUK_PURPOSE_TABLE(SOUK_PURPOSE_ADULT)
#undef SOUK_PURPOSE_ADULT
};

enum answer { ANSWER_YES, ANSWER_SILENT, ANSWER_WITHDRAWN, ANSWER_AGE, ANSWER_GUARDIAN };

static souk_time earlier(souk_time a, souk_time b)
{
    return a < b ? a : b;
}

/* *until comes down to the time from which the answer may be another. */
static enum answer answer_of(const souk_consent *consent, const souk_index *index, uint32_t number,
                             souk_purpose purpose, uint32_t controller, souk_time now,
                             souk_time *until)
{
    const souk_atom *atom = souk_index_atom(index, number);
    if (!atom || (atom->flags & (SOUK_ATOM_ERASED | SOUK_ATOM_SHARED)))
        return ANSWER_SILENT;
    const struct consent_aged *aged = consent_find_aged(consent, number);
    souk_age age = aged                         ? (souk_age)aged->age
                   : atom->bases & STATED_MINOR ? SOUK_AGE_MINOR
                   : atom->bases & STATED_ADULT ? SOUK_AGE_ADULT
                                                : SOUK_AGE_UNKNOWN;
    const struct consent_said *said = consent_find_said(consent, number, controller, purpose);
    bool heard = said && said->since <= now && (said->until == 0 || now < said->until);
    if (heard && said->until)
        *until = earlier(*until, said->until);
    if (said && said->since > now)
        *until = earlier(*until, said->since);
    if (heard && said->basis == SOUK_BASIS_WITHDRAWN)
        return ANSWER_WITHDRAWN;
    bool stated =
        controller == SOUK_OPERATOR && purpose < SOUK_PURPOSE_FIXED && (atom->bases >> purpose & 1);
    if (!heard && !stated)
        return ANSWER_SILENT;
    /* A purpose without a name of its own hands data to a party: as strict as advertising. */
    if (purpose >= SOUK_PURPOSE_FIXED || needs_adult[purpose]) {
        if (age != SOUK_AGE_ADULT)
            return ANSWER_AGE;
    } else if (age == SOUK_AGE_MINOR && purpose != SOUK_PURPOSE_SERVE &&
               !(heard && said->guardian)) {
        return ANSWER_GUARDIAN;
    }
    return ANSWER_YES;
}

/* Over the very atoms that were asked: a person who has one more since then was not. */
static uint64_t seal_of(const souk_consent *consent, const souk_grant *grant,
                        const souk_person *person)
{
    uint64_t fields[] = {
        grant->shopper,
        grant->controller,
        grant->purpose,
        grant->epoch,
        (uint64_t)grant->until,
        souk_hash64(&consent->seal, person->atoms, person->atom_count * sizeof *person->atoms)};
    return souk_hash64(&consent->seal, fields, sizeof fields);
}

static souk_err deny(enum answer answer, souk_purpose purpose, souk_diag *diag)
{
    static const char *const why[] = {
        [ANSWER_SILENT] = "nobody gave consent and no source states a basis",
        [ANSWER_WITHDRAWN] = "the shopper withdrew it",
        [ANSWER_AGE] = "the shopper's age is unknown or a minor's",
        [ANSWER_GUARDIAN] = "a minor's consent needs a guardian",
    };
    const char *word =
        (unsigned)purpose < SOUK_PURPOSE_FIXED ? souk_purpose_word(purpose) : "share";
    return souk_diag_say(diag, SOUK_EDENIED,
                         "purpose '%s' is not permitted: %s; ask the shopper, or send from "
                         "a source that was made with a basis",
                         word, why[answer]);
}

souk_err souk_consent_ask(const souk_consent *consent, const souk_index *index,
                          const souk_person *person, souk_purpose purpose, uint32_t controller,
                          souk_time now, souk_grant *ret_grant, souk_diag *diag)
{
    souk_rwlock *lock = (souk_rwlock *)(uintptr_t)&consent->lock;
    souk_time until = INT64_MAX;
    souk_auto_read(lock);
    for (uint32_t i = 0; i < person->atom_count; i++) {
        enum answer answer =
            answer_of(consent, index, person->atoms[i], purpose, controller, now, &until);
        if (answer != ANSWER_YES)
            return deny(answer, purpose, diag);
    }
    if (person->atom_count == 0)
        return deny(ANSWER_SILENT, purpose, diag);
    *ret_grant = (souk_grant){.shopper = person->shopper ? person->shopper : ~person->atoms[0],
                              .controller = controller,
                              .purpose = purpose,
                              .epoch = consent->epoch,
                              .until = until};
    ret_grant->seal = seal_of(consent, ret_grant, person);
    return SOUK_OK;
}

bool souk_grant_covers(const souk_consent *consent, const souk_grant *grant,
                       const souk_person *person, souk_time now)
{
    souk_rwlock *lock = (souk_rwlock *)(uintptr_t)&consent->lock;
    souk_auto_read(lock);
    uint32_t whom = person->shopper ? person->shopper : ~person->atoms[0];
    return person->atom_count && grant->shopper == whom && grant->epoch == consent->epoch &&
           now < grant->until && grant->seal == seal_of(consent, grant, person);
}

uint64_t souk_consent_epoch(const souk_consent *consent)
{
    souk_rwlock *lock = (souk_rwlock *)(uintptr_t)&consent->lock;
    souk_auto_read(lock);
    return consent->epoch;
}

souk_err souk_consent_mask(const souk_consent *consent, const souk_index *index,
                           souk_purpose purpose, uint32_t controller, souk_time now, souk_mem *mem,
                           uint64_t **ret_bits, size_t *ret_words, uint64_t *ret_epoch,
                           souk_time *ret_until)
{
    uint32_t count = souk_index_shopper_count(index);
    size_t words = (count + (size_t)1 + 63) / 64;
    uint64_t *bits = souk_mem_array(mem, words, sizeof *bits);
    souk_person *person = souk_mem_get(mem, sizeof *person);
    souk_err err = bits && person ? SOUK_OK : SOUK_ENOMEM;
    souk_time until = INT64_MAX;
    souk_rwlock *lock = (souk_rwlock *)(uintptr_t)&consent->lock;
    souk_auto_read(lock);
    for (uint32_t shopper = 1; shopper <= count && !err; shopper++) {
        souk_err found =
            souk_index_person_of_atom(index, souk_index_shopper_atom(index, shopper), person);
        bool yes = found == SOUK_OK && person->atom_count > 0;
        souk_time hers = INT64_MAX;
        for (uint32_t i = 0; yes && i < person->atom_count; i++)
            yes = answer_of(consent, index, person->atoms[i], purpose, controller, now, &hers) ==
                  ANSWER_YES;
        if (!yes)
            continue;
        bits[shopper / 64] |= (uint64_t)1 << shopper % 64;
        until = earlier(until, hers); /* who is left out may stay out */
    }
    souk_mem_put(mem, person);
    if (err) {
        souk_mem_put(mem, bits);
        return err;
    }
    *ret_bits = bits;
    *ret_words = words;
    *ret_epoch = consent->epoch;
    *ret_until = until;
    return SOUK_OK;
}
