/* resolve.c - the rules of resolve.h; each function is one or two of them. */
#include "core/resolve.h"

struct step {
    const souk_resolver *resolver;
    const souk_event *event;
    uint64_t position;
    uint32_t atom;
};

static souk_err write_identifier(const struct step *step, const souk_identifier *id, uint32_t atom,
                                 uint32_t slot, souk_link_kind kind)
{
    souk_link link = {.hash = id->hash,
                      .atom = atom,
                      .slot = slot,
                      .kind = kind,
                      .id_kind = id->kind,
                      .position = step->position};
    return step->resolver->write_link(step->resolver->context, &link, id->value);
}

/* Whom an identifier leads to; 0: nobody, or somebody who is being erased. */
static uint32_t atom_of(const struct step *step, souk_hash128 hash)
{
    uint32_t found = souk_index_find_now(step->resolver->index, hash);
    const souk_atom *atom = souk_index_atom_now(step->resolver->index, found);
    return atom && !(atom->flags & SOUK_ATOM_ERASED) ? found : 0;
}

static uint32_t slot_of(const struct step *step, uint32_t atom)
{
    return souk_index_atom_now(step->resolver->index, atom)->slot;
}

static souk_err start_atom(const struct step *step, const souk_identifier *id, souk_link_kind kind,
                           uint32_t *ret_atom)
{
    uint32_t slot;
    SOUK_TRY(souk_vault_take(step->resolver->vault, &slot));
    *ret_atom = souk_index_next_atom(step->resolver->index);
    return write_identifier(step, id, *ret_atom, slot, kind);
}

/* Rule 3.  A device is no proof: whoever joined a shopper's atom through one would become that shopper. */
static bool is_joinable(const souk_atom *atom, souk_id_kind by, souk_id_kind through)
{
    return atom->strongest > by && !(atom->flags & SOUK_ATOM_SHARED) &&
           (souk_id_is_durable(through) || atom->shopper == 0);
}

/* The atom of a weaker identifier that the strongest may join; 0: none. */
static uint32_t joinable_atom(const struct step *step)
{
    const souk_event *event = step->event;
    for (size_t i = 1; i < event->id_count; i++) {
        uint32_t found = atom_of(step, event->ids[i].hash);
        const souk_atom *atom = souk_index_atom_now(step->resolver->index, found);
        if (atom && is_joinable(atom, event->ids[0].kind, event->ids[i].kind))
            return found;
    }
    return 0;
}

/* Rules 2 and 3. */
static souk_err place_strongest(struct step *step)
{
    const souk_identifier *strongest = &step->event->ids[0];
    step->atom = atom_of(step, strongest->hash);
    if (step->atom)
        return SOUK_OK;
    step->atom = joinable_atom(step);
    if (!step->atom)
        return start_atom(step, strongest, SOUK_LINK_IDENTIFIER, &step->atom);
    return write_identifier(step, strongest, step->atom, slot_of(step, step->atom),
                            SOUK_LINK_IDENTIFIER);
}

souk_err souk_public_id(souk_vault *vault, uint32_t slot, char ret_id[SOUK_PUBLIC_ID])
{
    return souk_vault_derive(vault, slot, "souk: public id", ret_id, SOUK_PUBLIC_ID);
}

/* Rule 8. */
static souk_err make_shopper(const struct step *step)
{
    const souk_atom *atom = souk_index_atom_now(step->resolver->index, step->atom);
    if (atom->shopper || !souk_id_is_durable(atom->strongest))
        return SOUK_OK;
    char public_id[SOUK_PUBLIC_ID];
    SOUK_TRY(souk_public_id(step->resolver->vault, atom->slot, public_id));
    souk_text value = {public_id, sizeof public_id};
    souk_link link = {.hash =
                          souk_hashes_identifier(&step->resolver->hashes, SOUK_ID_PUBLIC, value),
                      .atom = step->atom,
                      .slot = atom->slot,
                      .shopper = souk_index_next_shopper(step->resolver->index),
                      .kind = SOUK_LINK_SHOPPER,
                      .id_kind = SOUK_ID_PUBLIC,
                      .position = step->position};
    return step->resolver->write_link(step->resolver->context, &link, value);
}

/* Rules 5 and 6: a device or anonymous id of the event leads to another atom. */
static souk_err settle_device(const struct step *step, const souk_identifier *id, uint32_t other)
{
    const souk_atom *mine = souk_index_atom_now(step->resolver->index, step->atom);
    const souk_atom *found = souk_index_atom_now(step->resolver->index, other);
    if ((found->flags & SOUK_ATOM_SHARED) || mine->shopper == 0 || found->shopper == mine->shopper)
        return SOUK_OK;
    if (found->shopper == 0 && souk_index_person_full_now(step->resolver->index, mine->shopper))
        return SOUK_OK;
    if (found->shopper == 0) {
        souk_link claim = {.atom = other,
                           .slot = found->slot,
                           .shopper = mine->shopper,
                           .kind = SOUK_LINK_CLAIM,
                           .position = step->position};
        return step->resolver->write_link(step->resolver->context, &claim, SOUK_TEXT(""));
    }
    uint32_t shared;
    SOUK_TRY(write_identifier(step, id, other, found->slot, SOUK_LINK_MOVED));
    return start_atom(step, id, SOUK_LINK_SHARED, &shared);
}

/* Rules 4 to 7. */
static souk_err tie_weaker(const struct step *step, const souk_identifier *id)
{
    uint32_t found = atom_of(step, id->hash);
    if (found == step->atom)
        return SOUK_OK;
    if (found == 0)
        return write_identifier(step, id, step->atom, slot_of(step, step->atom),
                                SOUK_LINK_IDENTIFIER);
    if (souk_id_is_durable(id->kind))
        return SOUK_OK;
    return settle_device(step, id, found);
}

souk_err souk_resolve(const souk_resolver *resolver, const souk_event *event, uint64_t position,
                      uint32_t *ret_atom)
{
    struct step step = {resolver, event, position, 0};
    *ret_atom = 0;
    if (event->id_count == 0)
        return SOUK_OK;
    SOUK_TRY(place_strongest(&step));
    SOUK_TRY(make_shopper(&step));
    for (size_t i = 1; i < event->id_count; i++)
        SOUK_TRY(tie_weaker(&step, &event->ids[i]));
    *ret_atom = step.atom;
    return SOUK_OK;
}
