/* consent_change.c - what a transaction says about consent while it is open: found by (atom, controller, purpose). */
#include "core/consent_inside.h"

/* An age stands where no purpose does. */
enum { PURPOSE_OF_AGE = 63 + 1 };

static uint32_t *place_of(const souk_consent_change *change, uint32_t atom, uint32_t controller,
                          unsigned purpose)
{
    size_t mask = change->place_capacity - 1;
    size_t at = consent_hash_said(atom, controller, purpose) & mask;
    for (; change->places[at]; at = (at + 1) & mask) {
        const struct consent_pending *pending = &change->pending[change->places[at] - 1];
        unsigned its = pending->age == SOUK_AGE_UNKNOWN ? pending->said.purpose : PURPOSE_OF_AGE;
        if (pending->said.atom == atom && pending->said.controller == controller && its == purpose)
            break;
    }
    return &change->places[at];
}

/* What the change says last; NULL: nothing. */
static const struct consent_pending *find_pending(const souk_consent_change *change, uint32_t atom,
                                                  uint32_t controller, unsigned purpose)
{
    if (change->count == 0)
        return NULL;
    uint32_t number = *place_of(change, atom, controller, purpose);
    return number ? &change->pending[number - 1] : NULL;
}

void consent_change_note(souk_consent_change *change, size_t index)
{
    const struct consent_pending *pending = &change->pending[index];
    bool is_age = pending->age != SOUK_AGE_UNKNOWN;
    *place_of(change, pending->said.atom, pending->said.controller,
              is_age ? PURPOSE_OF_AGE : pending->said.purpose) = (uint32_t)index + 1;
}

static void note_places(souk_consent_change *change)
{
    if (change->places)
        memset(change->places, 0, change->place_capacity * sizeof *change->places);
    for (size_t i = 0; i < change->count; i++)
        consent_change_note(change, i);
}

souk_err consent_change_room(souk_consent *consent, souk_consent_change *change)
{
    if ((change->count + 1) * 2 <= change->place_capacity)
        return SOUK_OK;
    size_t capacity = souk_max_size(64, change->place_capacity * 2);
    uint32_t *grown = souk_mem_array(consent->mem, capacity, sizeof *grown);
    if (!grown)
        return SOUK_ENOMEM;
    souk_mem_put(consent->mem, change->places);
    change->places = grown;
    change->place_capacity = capacity;
    note_places(change);
    return SOUK_OK;
}

/* What it said is no longer waited for; what of it was stricter stays until the rows are read anew. */
void consent_change_clear(souk_consent *consent, souk_consent_change *change)
{
    consent->waiting_count -= change->count;
    change->count = 0;
    note_places(change);
}

void consent_change_close(souk_consent *consent, souk_consent_change *change)
{
    souk_consent_change **at = &consent->changes;
    consent_change_clear(consent, change);
    while (*at && *at != change)
        at = &(*at)->next;
    if (*at)
        *at = change->next;
    change->is_open = false;
}

/* What an erased atom said is not heard when it is committed. */
void consent_change_forget(souk_consent *consent, uint32_t atom)
{
    for (souk_consent_change *change = consent->changes; change; change = change->next) {
        size_t kept = 0;
        for (size_t i = 0; i < change->count; i++)
            if (change->pending[i].said.atom != atom)
                change->pending[kept++] = change->pending[i];
        consent->waiting_count -= change->count - kept;
        change->count = kept;
        note_places(change);
    }
}

void souk_consent_change_done(souk_consent *consent, souk_consent_change *change)
{
    if (change->is_open) {
        souk_auto_write(&consent->lock);
        consent_change_close(consent, change);
    }
    souk_mem_put(consent->mem, souk_take(&change->pending));
    souk_mem_put(consent->mem, souk_take(&change->places));
    change->capacity = change->place_capacity = 0;
}

/* ---- what was said last ------------------------------------------------------------------------------------ */

souk_basis souk_consent_last(const souk_consent *consent, uint32_t atom, uint32_t controller,
                             souk_purpose purpose, souk_time *ret_since)
{
    souk_auto_read((souk_rwlock *)(uintptr_t)&consent->lock);
    struct consent_said none = {.basis = SOUK_BASIS_NONE};
    const struct consent_said *found = consent_find_said(consent, atom, controller, purpose);
    const struct consent_said *last = found ? found : &none;
    for (const souk_consent_change *change = consent->changes; change; change = change->next) {
        const struct consent_pending *pending = find_pending(change, atom, controller, purpose);
        if (pending && pending->said.turn >= last->turn)
            last = &pending->said;
    }
    *ret_since = last->since;
    return (souk_basis)last->basis;
}

souk_age souk_consent_last_age(const souk_consent *consent, uint32_t atom)
{
    souk_auto_read((souk_rwlock *)(uintptr_t)&consent->lock);
    const struct consent_aged *aged = consent_find_aged(consent, atom);
    souk_age age = aged ? (souk_age)aged->age : SOUK_AGE_UNKNOWN;
    uint64_t turn = aged ? aged->turn : 0;
    for (const souk_consent_change *change = consent->changes; change; change = change->next) {
        const struct consent_pending *pending = find_pending(change, atom, 0, PURPOSE_OF_AGE);
        if (pending && pending->said.turn >= turn) {
            age = pending->age;
            turn = pending->said.turn;
        }
    }
    return age;
}
