/* spine_consent.c - what a person says about her data: by decision, and with an event (spine.h). */
#include "core/spine_private.h"

#include "base/random.h"

/* ---- by decision ---------------------------------------------------------------------------------------- */

struct consenting {
    souk_spine *spine;
    const souk_person *person;
    const souk_consent_row *row;
    souk_age age;
    souk_consent_change change;
};

static souk_err write_consent(souk_tx *tx, void *context)
{
    struct consenting *told = context;
    souk_consent *consent = told->spine->consent;
    const souk_person *person = told->person;
    souk_consent_row row = *told->row;
    souk_consent_begin(consent, &told->change);
    if (row.basis != SOUK_BASIS_WITHDRAWN) {
        row.atom = row.atom ? row.atom : person->atoms[0];
        SOUK_TRY(souk_consent_apply(consent, &told->change, tx, &row, 1));
    } else {
        for (uint32_t i = 0; i < person->atom_count; i++) {
            row.atom = person->atoms[i];
            SOUK_TRY(souk_consent_apply(consent, &told->change, tx, &row, 1));
        }
    }
    for (uint32_t i = 0; i < person->atom_count && told->age != SOUK_AGE_UNKNOWN; i++)
        SOUK_TRY(souk_consent_set_age(consent, &told->change, tx, person->atoms[i], told->age,
                                      row.evidence));
    return SOUK_OK;
}

souk_err souk_spine_consent_record(souk_spine *spine, const souk_person *person,
                                   const souk_consent_row *row, souk_age age)
{
    souk_auto_value(souk_buf) words = {.mem = spine->mem};
    souk_consent_row sealed = *row;
    struct consenting told = {.spine = spine, .person = person, .row = &sealed, .age = age};
    souk_auto_lock(&spine->decision_mutex);
    SOUK_TRY(spine_check(spine));
    SOUK_TRY(spine_seal_words(spine, person->atoms[0], row->evidence, SOUK_TEXT(""), &words));
    sealed.evidence = souk_buf_view(&words);
    souk_err err = souk_ledger_write(spine->ledger, SOUK_LANE_INGEST, write_consent, &told);
    souk_err abandoned = SOUK_OK;
    if (err)
        abandoned = souk_consent_abandoned(spine->consent, &told.change);
    else
        souk_consent_committed(spine->consent, &told.change);
    souk_consent_change_done(spine->consent, &told.change);
    return abandoned ? abandoned : err;
}

/* ---- with an event -------------------------------------------------------------------------------------- */

/* "event 17", under the key of the event's atom. */
static souk_err seal_evidence(souk_spine *spine, const souk_fact *fact, souk_buf *ret_words)
{
    unsigned char nonce[SOUK_NONCE];
    souk_seal_place place = {.merchant = SOUK_OPERATOR, .class = SPINE_CLASS_DECISION};
    souk_entropy(nonce, sizeof nonce);
    souk_buf_clear(ret_words);
    souk_buf_append(ret_words, nonce, sizeof nonce);
    souk_buf_print(ret_words, "event %llu", (unsigned long long)fact->position);
    size_t plain_bytes = ret_words->bytes - sizeof nonce;
    if (!souk_buf_room(ret_words, SOUK_SEAL_TAG))
        return souk_buf_check(ret_words);
    souk_buf_added(ret_words, SOUK_SEAL_TAG);
    uint32_t slot = souk_index_atom_now(spine->index, fact->atom)->slot;
    return souk_vault_seal(spine->vault, slot, &place, nonce, ret_words->at + sizeof nonce,
                           plain_bytes, ret_words->at + sizeof nonce);
}

struct telling {
    souk_spine *spine;
    souk_tx *tx;
    const souk_event *event;
    const souk_fact *fact;
    souk_buf evidence; /* sealed; empty until the first row */
};

static souk_err say(struct telling *telling, uint32_t atom, souk_purpose purpose, souk_basis basis)
{
    souk_spine *spine = telling->spine;
    const souk_fact *fact = telling->fact;
    if (telling->evidence.bytes == 0)
        SOUK_TRY(seal_evidence(spine, fact, &telling->evidence));
    souk_consent_row row = {.atom = atom,
                            .controller = spine->sources[fact->source].merchant,
                            .purpose = purpose,
                            .basis = basis,
                            .from = fact->at,
                            .evidence = souk_buf_view(&telling->evidence)};
    return souk_consent_apply(spine->consent, &spine->group.consent, telling->tx, &row, 1);
}

/* What an event may grant at most (speaks_for says of whom): a write key is public, and whoever knows a user id can speak in her name.  Being recognised,
 * paying by face and being read for a mood are granted by a decision alone (souk_spine_consent_record).  A
 * refusal is heard from anybody. */
enum {
    TOLD_GRANTS = 1 << SOUK_PURPOSE_PROFILE | 1 << SOUK_PURPOSE_PERSONALISE |
                  1 << SOUK_PURPOSE_ADVERTISE | 1 << SOUK_PURPOSE_RESEARCH
};

/* Whether the source's yes is believed of this atom.  A visitor's is that of a browser or device without a durable
 * identifier: who sends its random id is who holds it.  A user id can be known by many. */
static bool speaks_for(const struct telling *telling, uint32_t atom)
{
    const souk_spine *spine = telling->spine;
    uint8_t speaks =
        __atomic_load_n(&spine->sources[telling->fact->source].speaks, __ATOMIC_ACQUIRE);
    if (speaks != SOUK_SPEAKS_VISITOR)
        return speaks == SOUK_SPEAKS_ANYBODY;
    return !souk_id_is_durable((souk_id_kind)souk_index_atom_now(spine->index, atom)->strongest);
}

/* A grant on the event's own atom, unless it stands there already or something newer does. */
static souk_err tell_grant(struct telling *telling, souk_purpose purpose)
{
    const souk_fact *fact = telling->fact;
    souk_time since;
    souk_basis last =
        souk_consent_last(telling->spine->consent, fact->atom,
                          telling->spine->sources[fact->source].merchant, purpose, &since);
    if (last == SOUK_BASIS_CONSENT || (last != SOUK_BASIS_NONE && since > fact->at))
        return SOUK_OK;
    return say(telling, fact->atom, purpose, SOUK_BASIS_CONSENT);
}

/* Whether anything says yes: who refuses what nobody may do anyway leaves no row. */
static bool is_allowed(const struct telling *telling, uint32_t atom, souk_purpose purpose,
                       souk_basis last)
{
    souk_spine *spine = telling->spine;
    uint16_t stated = souk_consent_bases_of(spine->consent, telling->fact->source);
    if (last != SOUK_BASIS_NONE)
        return last != SOUK_BASIS_WITHDRAWN;
    return (souk_index_atom_now(spine->index, atom)->bases | stated) >> purpose & 1;
}

/* A withdrawal for every atom of the person. */
static souk_err tell_refusal(struct telling *telling, souk_purpose purpose,
                             const souk_person *person)
{
    const souk_fact *fact = telling->fact;
    uint32_t controller = telling->spine->sources[fact->source].merchant;
    for (uint32_t i = 0; i < person->atom_count; i++) {
        souk_time since;
        souk_basis last = souk_consent_last(telling->spine->consent, person->atoms[i], controller,
                                            purpose, &since);
        if (is_allowed(telling, person->atoms[i], purpose, last) &&
            (last == SOUK_BASIS_NONE || since <= fact->at))
            SOUK_TRY(say(telling, person->atoms[i], purpose, SOUK_BASIS_WITHDRAWN));
    }
    return SOUK_OK;
}

/* What an event says of an age makes nobody older than she said before; that somebody is a minor is heard from all. */
static souk_err tell_age(struct telling *telling)
{
    souk_spine *spine = telling->spine;
    souk_age told = (souk_age)telling->event->age;
    souk_age last = souk_consent_last_age(spine->consent, telling->fact->atom);
    if (told == SOUK_AGE_UNKNOWN || told == last || last == SOUK_AGE_MINOR)
        return SOUK_OK;
    if (told != SOUK_AGE_MINOR && !speaks_for(telling, telling->fact->atom))
        return SOUK_OK;
    if (telling->evidence.bytes == 0)
        SOUK_TRY(seal_evidence(spine, telling->fact, &telling->evidence));
    return souk_consent_set_age(spine->consent, &spine->group.consent, telling->tx,
                                telling->fact->atom, told, souk_buf_view(&telling->evidence));
}

/* As she is today; an atom of this transaction, or one of too many, speaks for itself: while they are one person
 * one refusal is enough. */
static void find_person(souk_spine *spine, uint32_t atom, souk_person *ret_person)
{
    souk_index_read(spine->index);
    souk_err err = souk_index_person_of_atom(spine->index, atom, ret_person);
    souk_index_read_done(spine->index);
    if (err) {
        ret_person->atom_count = 1;
        ret_person->atoms[0] = atom;
    }
}

static souk_err tell_all(struct telling *telling, souk_person *person)
{
    const souk_event *event = telling->event;
    if (event->refused)
        find_person(telling->spine, telling->fact->atom, person);
    for (unsigned purpose = SOUK_PURPOSE_SERVE + 1; purpose < SOUK_PURPOSE_FIXED; purpose++) {
        if (event->refused >> purpose & 1)
            SOUK_TRY(tell_refusal(telling, (souk_purpose)purpose, person));
        else if ((event->granted & TOLD_GRANTS) >> purpose & 1 &&
                 speaks_for(telling, telling->fact->atom))
            SOUK_TRY(tell_grant(telling, (souk_purpose)purpose));
    }
    return tell_age(telling);
}

souk_err spine_consent_event(souk_spine *spine, souk_tx *tx, const souk_event *event,
                             const souk_fact *fact)
{
    if (fact->atom == 0 || !(event->granted | event->refused | event->age))
        return SOUK_OK;
    if (!spine->group.consent.is_open)
        souk_consent_begin(spine->consent, &spine->group.consent);
    struct telling telling = {
        .spine = spine, .tx = tx, .event = event, .fact = fact, .evidence = {.mem = spine->mem}};
    souk_err err = tell_all(&telling, &spine->group.person);
    souk_buf_done(&telling.evidence);
    return err;
}
