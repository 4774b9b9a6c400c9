/* resolve.h - whose event is this?  Decided from the event and the edges it finds, never from a merge.
 *
 *     souk_resolver resolver = {index, vault, write_link, writer};
 *     SOUK_TRY(souk_resolve(&resolver, &event, position, &atom));
 *
 * Rules, in order (kinds by strength, event.h):
 *  1. An event without identifiers is nobody's: atom 0.
 *  2. Its atom is that of its strongest identifier.
 *  3. A strongest identifier never seen joins the atom of a weaker one of the event, if that atom has
 *     only weaker identifiers than it and is not shared (6); through a device or anonymous id it joins a
 *     visitor's atom only (who signs in for the first time stays one atom), never a shopper's: another
 *     person may hold the device.  Else it starts a new atom.
 *  4. The event's other identifiers, never seen, join the atom.
 *  5. A device or anonymous id that led to a visitor's atom: that atom now belongs to the same shopper.  Who
 *     has SOUK_CLAIMED_ATOMS atoms, merged shoppers together (a robot, a user that a whole shop shares), gets no more, the atom stays
 *     a visitor's: a person of too many atoms could be neither read nor erased.
 *  6. One that led to another shopper's atom is shared from now on: it starts an atom of its own that
 *     is nobody's, since its next event could be anybody's.
 *  7. A card, phone, e-mail or open id of another atom stays where it is: two users never join without
 *     a person's decision.
 *  8. An atom with a durable identifier becomes a shopper.
 * An identifier that still leads to an atom being erased counts as never seen.
 *
 * Every link goes through write_link, which stores it and applies it to the index at once, so that the
 * next event finds it.
 * Threads  the writer. */
#ifndef SOUK_CORE_RESOLVE_H
#define SOUK_CORE_RESOLVE_H

#include "core/index.h"
#include "store/vault.h"

typedef struct souk_resolver {
    souk_index *index;
    souk_vault *vault;
    souk_hashes hashes;
    souk_err (*write_link)(void *context, const souk_link *link, souk_text value);
    void *context;
} souk_resolver;

/* A shopper's public id, made of the key of her first atom: stored nowhere, and gone with the key. */
enum { SOUK_PUBLIC_ID = 16 };
SOUK_CHECKED souk_err souk_public_id(souk_vault *vault, uint32_t slot, char ret_id[SOUK_PUBLIC_ID]);

SOUK_CHECKED souk_err souk_resolve(const souk_resolver *resolver, const souk_event *event,
                                   uint64_t position, uint32_t *ret_atom);

#endif
