/* spine_erase_late.c - what comes to be hers while she is being erased.
 *
 *     erase        lists her atoms ......... the log entry ............. is forgotten, keys destroyed
 *     writer                   her event claims a visitor's atom
 *
 * Left out, the visitor's atom would keep what is hers, and the log would tell of a claim by a shopper whom
 * nothing in it makes: it could not be read again from the start.  So the writer, in the moment at which it
 * forgets her and from which on nothing resolves to her, looks for what came. */
#include "core/spine_erase_private.h"

static souk_err add_late(souk_spine *spine, struct spine_late late)
{
    SOUK_TRY(souk_mem_grow(spine->mem, &spine->late, &spine->late_capacity, spine->late_count + 1,
                           SOUK_ATOMS_MOST, sizeof *spine->late));
    spine->late[spine->late_count++] = late;
    return SOUK_OK;
}

/* The shopper whose own atom this is: without it the log could not tell of her other atoms. */
static uint32_t own_shopper(const souk_index *index, uint32_t number)
{
    const souk_atom *atom = souk_index_atom_now(index, number);
    return atom && souk_index_shopper_atom(index, atom->shopper) == number ? atom->shopper : 0;
}

static bool is_noted(const struct erasing *erasing, uint32_t atom, uint32_t shopper)
{
    const souk_spine *spine = erasing->spine;
    bool noted = false;
    for (size_t i = 0; i < erasing->gone_count; i++)
        noted |= erasing->gone[i].atom == atom && erasing->gone[i].shopper == shopper;
    for (size_t i = 0; i < spine->late_count; i++)
        noted |= spine->late[i].atom == atom && spine->late[i].shopper == shopper;
    return noted;
}

souk_err erase_find_late(struct erasing *erasing, const struct erase_gone *gone)
{
    souk_spine *spine = erasing->spine;
    const souk_index *index = spine->index;
    uint32_t shopper = own_shopper(index, gone->atom), next = shopper ? gone->atom : 0;
    if (shopper && !is_noted(erasing, gone->atom, shopper))
        SOUK_TRY(add_late(spine, (struct spine_late){gone->atom, gone->slot, shopper}));
    for (uint32_t steps = souk_index_next_atom(index); next && steps; steps--) {
        const souk_atom *atom = souk_index_atom_now(index, next);
        if (!atom)
            break; /* a damaged snapshot */
        if (!(atom->flags & SOUK_ATOM_ERASED) && !erase_is_gone(erasing, next))
            SOUK_TRY(add_late(spine, (struct spine_late){next, atom->slot, shopper}));
        next = atom->next_of_shopper;
    }
    return SOUK_OK;
}

struct gone_late {
    const struct erase_gone *gone;
    size_t count;
    uint32_t with; /* an atom that has a row: at, position */
};

static souk_err write_late(souk_tx *tx, void *context)
{
    const struct gone_late *late = context;
    for (size_t i = 0; i < late->count; i++) {
        const struct erase_gone *gone = &late->gone[i];
        SOUK_TRY(souk_sql_run(
            tx,
            "INSERT INTO erasure (atom, slot, shopper, at, position, links, state) "
            "SELECT ?1, ?2, ?3, at, position, ?4, 0 FROM erasure WHERE atom = ?5 "
            "ON CONFLICT (atom) DO UPDATE SET shopper = excluded.shopper, "
            "links = excluded.links, state = 0",
            SOUK_VALUES(SOUK_INT(gone->atom), SOUK_INT(gone->slot), SOUK_INT(gone->shopper),
                        SOUK_BLOB(gone->links, gone->link_count * sizeof(uint64_t)),
                        SOUK_INT(late->with))));
        if (souk_sql_changed(tx) != 1)
            return SOUK_ECORRUPT;
    }
    return SOUK_OK;
}

souk_err erase_take_late(struct erasing *erasing, souk_arena *arena, souk_person *person)
{
    souk_spine *spine = erasing->spine;
    size_t count = erasing->gone_count;
    struct erase_gone *gone = souk_arena_get(arena, (count + spine->late_count) * sizeof *gone);
    if (arena->failed)
        return SOUK_ENOMEM;
    memcpy(gone, erasing->gone, count * sizeof *gone);
    struct gone_late late = {.gone = gone + count, .count = spine->late_count, gone[0].atom};
    for (size_t i = 0; i < spine->late_count; i++) {
        const struct spine_late *found = &spine->late[i];
        gone[count] = (struct erase_gone){
            .atom = found->atom, .slot = found->slot, .shopper = found->shopper};
        SOUK_TRY(spine_erase_links(spine, arena, gone[count].atom, &gone[count].links,
                                   &gone[count].link_count));
        if (person->atom_count == SOUK_PERSON_ATOMS)
            return SOUK_ETOOBIG;
        person->atoms[person->atom_count++] = gone[count++].atom;
    }
    if (late.count)
        SOUK_TRY(souk_ledger_write(spine->ledger, SOUK_LANE_JOB, write_late, &late));
    spine->late_count = 0;
    erasing->gone = gone;
    erasing->gone_count = count;
    return SOUK_OK;
}
