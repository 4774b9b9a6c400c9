/* index_read.c - what readers ask of index.h: identifiers, persons, sums. */
#include "core/index_private.h"

#include <stdlib.h>

uint32_t souk_index_find_now(const souk_index *index, souk_hash128 hash)
{
    souk_idmap_key key = souk_idmap_key_of(&hash);
    uint32_t atom = souk_idmap_find(index->identifiers, &key);
    return souk_index_has_atom(index, atom) ? atom : 0;
}

void souk_index_expect(const souk_index *index, souk_hash128 hash)
{
    souk_idmap_key key = souk_idmap_key_of(&hash);
    souk_idmap_expect(index->identifiers, &key);
}

void souk_index_expect_atom(const souk_index *index, uint32_t atom)
{
    if (souk_index_has_atom(index, atom))
        __builtin_prefetch(souk_index_atom_at(index, atom), 1);
}

/* Where the transaction under way changed where the identifier leads: where it led before, told by the
 * oldest of its undo entries. */
static bool find_undo(const souk_index *index, souk_hash128 hash, uint32_t *ret_atom)
{
    for (size_t i = 0; i < index->undo_count; i++) {
        const struct undo *undo = &index->undo[i];
        if (undo->kind == UNDO_IDENTIFIER && souk_hash128_equal(undo->hash, hash)) {
            *ret_atom = undo->number;
            return true;
        }
    }
    return false;
}

uint32_t souk_index_find(const souk_index *index, souk_hash128 hash)
{
    uint32_t atom;
    if (!find_undo(index, hash, &atom))
        atom = souk_index_find_now(index, hash);
    return atom < index->visible_atoms ? atom : 0;
}

const souk_atom *souk_index_atom_now(const souk_index *index, uint32_t atom)
{
    return souk_index_has_atom(index, atom) ? souk_index_atom_at(index, atom) : NULL;
}

const souk_atom *souk_index_atom(const souk_index *index, uint32_t atom)
{
    return atom && atom < index->visible_atoms ? souk_index_atom_at(index, atom) : NULL;
}

static const struct shopper *visible_shopper(const souk_index *index, uint32_t shopper)
{
    return shopper && shopper < index->visible_shoppers ? souk_index_shopper_at(index, shopper)
                                                        : NULL;
}

uint32_t souk_index_owner(const souk_index *index, uint32_t atom)
{
    const souk_atom *there = souk_index_atom(index, atom);
    if (!there || (there->flags & SOUK_ATOM_CLAIMED))
        return 0;
    const struct shopper *shopper = visible_shopper(index, there->shopper);
    return shopper && !souk_index_shopper_erased(index, shopper) ? there->shopper : 0;
}

uint32_t souk_index_shopper_atom(const souk_index *index, uint32_t shopper)
{
    const struct shopper *there = visible_shopper(index, shopper);
    return there ? there->first_atom : 0;
}

uint32_t souk_index_shopper_count(const souk_index *index)
{
    return index->visible_shoppers - 1;
}

uint32_t souk_index_person_count(const souk_index *index)
{
    return index->visible_live - index->joins;
}

uint64_t souk_index_identifier_count(const souk_index *index)
{
    return souk_idmap_count(index->identifiers);
}

/* ---- groups of merged shoppers ------------------------------------------------------------------ */

static struct group *find_group(const souk_index *index, uint32_t shopper)
{
    if (index->group_capacity == 0)
        return NULL;
    size_t mask = index->group_capacity - 1;
    for (size_t at = souk_mix64(shopper) & mask; index->groups[at].shopper; at = (at + 1) & mask)
        if (index->groups[at].shopper == shopper)
            return &index->groups[at];
    return NULL;
}

static void put_group(struct group *groups, size_t capacity, struct group group)
{
    size_t mask = capacity - 1;
    size_t at = souk_mix64(group.shopper) & mask;
    while (groups[at].shopper)
        at = (at + 1) & mask;
    groups[at] = group;
}

souk_err souk_index_group_room(souk_index *index, size_t joins)
{
    size_t need = (index->group_count + 2 * joins) * 2;
    if (need <= index->group_capacity)
        return SOUK_OK;
    size_t capacity = souk_max_size(64, index->group_capacity);
    while (capacity < need)
        capacity *= 2;
    struct group *grown = souk_mem_array(index->mem, capacity, sizeof *grown);
    if (!grown)
        return SOUK_ENOMEM;
    for (size_t i = 0; i < index->group_capacity; i++)
        if (index->groups[i].shopper)
            put_group(grown, capacity, index->groups[i]);
    souk_mem_put(index->mem, index->groups);
    index->groups = grown;
    index->group_capacity = capacity;
    return SOUK_OK;
}

/* A shopper never merged is a ring of one. */
static struct group *reach_group(souk_index *index, uint32_t shopper)
{
    struct group *there = find_group(index, shopper);
    if (there)
        return there;
    put_group(index->groups, index->group_capacity, (struct group){shopper, shopper, shopper});
    index->group_count++;
    return find_group(index, shopper);
}

void souk_index_clear_groups(souk_index *index)
{
    if (index->groups)
        memset(index->groups, 0, index->group_capacity * sizeof *index->groups);
    index->group_count = 0;
    index->joins = 0;
}

souk_err souk_index_join(souk_index *index, uint32_t shopper_a, uint32_t shopper_b)
{
    const struct shopper *a = visible_shopper(index, shopper_a),
                         *b = visible_shopper(index, shopper_b);
    if (!a || !b)
        return SOUK_ENOENT;
    if (souk_index_shopper_erased(index, a) || souk_index_shopper_erased(index, b))
        return SOUK_OK;
    SOUK_TRY(souk_index_group_room(index, 1));
    struct group *left = reach_group(index, shopper_a), *right = reach_group(index, shopper_b);
    if (left->lowest == right->lowest)
        return SOUK_OK;
    uint32_t lowest = left->lowest < right->lowest ? left->lowest : right->lowest;
    uint32_t swap = left->next; /* exchanging two successors joins two rings */
    left->next = right->next;
    right->next = swap;
    struct group *member = left;
    do {
        member->lowest = lowest;
        member = find_group(index, member->next);
    } while (member != left);
    index->joins++;
    return SOUK_OK;
}

souk_err souk_index_group(const souk_index *index, uint32_t shopper, uint32_t *ret_shoppers,
                          size_t most, size_t *ret_count)
{
    size_t count = 0;
    const struct group *first = find_group(index, shopper), *member = first;
    if (most == 0)
        return SOUK_ETOOBIG;
    ret_shoppers[count++] = shopper;
    while (member && member->next != shopper) {
        if (count == most)
            return SOUK_ETOOBIG;
        ret_shoppers[count++] = member->next;
        member = find_group(index, member->next);
    }
    *ret_count = count;
    return SOUK_OK;
}

static int by_number(const void *a, const void *b)
{
    uint32_t left = souk_get_u32(a), right = souk_get_u32(b);
    return (left > right) - (left < right);
}

static souk_err add_atoms_of(const souk_index *index, uint32_t shopper, souk_person *person)
{
    uint32_t atom = souk_index_shopper_at(index, shopper)->first_atom, steps = 0;
    for (; atom; atom = souk_index_atom_at(index, atom)->next_of_shopper) {
        if (!souk_index_has_atom(index, atom) || steps++ == index->head.atom_count)
            return SOUK_ECORRUPT;
        if (atom >= index->visible_atoms ||
            (souk_index_atom_at(index, atom)->flags & (SOUK_ATOM_ERASED | SOUK_ATOM_CLAIMED)))
            continue;
        if (person->atom_count == SOUK_PERSON_ATOMS)
            return SOUK_ETOOBIG;
        person->atoms[person->atom_count++] = atom;
    }
    return SOUK_OK;
}

/* At most `most`. */
static uint32_t count_atoms(const souk_index *index, uint32_t shopper, uint32_t most)
{
    uint32_t count = 0, atom = souk_index_has_shopper(index, shopper)
                                   ? souk_index_shopper_at(index, shopper)->first_atom
                                   : 0;
    for (; count < most && souk_index_has_atom(index, atom); count++)
        atom = souk_index_atom_at(index, atom)->next_of_shopper;
    return count;
}

bool souk_index_person_full_now(souk_index *index, uint32_t shopper)
{
    souk_index_read(index); /* decisions change groups beside the writer */
    const struct group *group = find_group(index, shopper), *member = group;
    uint32_t count = group ? 0 : count_atoms(index, shopper, SOUK_CLAIMED_ATOMS);
    while (member && count < SOUK_CLAIMED_ATOMS) {
        count += count_atoms(index, member->shopper, SOUK_CLAIMED_ATOMS - count);
        member = find_group(index, member->next);
        if (member == group)
            break;
    }
    souk_index_read_done(index);
    return count == SOUK_CLAIMED_ATOMS;
}

souk_err souk_index_person_of_atom(const souk_index *index, uint32_t atom, souk_person *ret_person)
{
    const souk_atom *there = souk_index_atom(index, atom);
    if (!there || (there->flags & SOUK_ATOM_ERASED))
        return SOUK_ENOENT;
    ret_person->shopper = 0;
    ret_person->atom_count = 1;
    ret_person->atoms[0] = atom;
    uint32_t owner = souk_index_owner(index, atom);
    if (owner == 0)
        return SOUK_OK;
    ret_person->atom_count = 0;
    const struct group *group = find_group(index, owner), *member = group;
    ret_person->shopper = group ? group->lowest : owner;
    if (!group)
        SOUK_TRY(add_atoms_of(index, owner, ret_person));
    while (member) {
        SOUK_TRY(add_atoms_of(index, member->shopper, ret_person));
        member = find_group(index, member->next);
        if (member == group)
            break;
    }
    qsort(ret_person->atoms, ret_person->atom_count, sizeof *ret_person->atoms, by_number);
    return SOUK_OK;
}

/* ---- sums ---------------------------------------------------------------------------------------- */

size_t souk_index_counts(const souk_index *index, uint32_t atom, souk_count *ret_counts,
                         size_t most)
{
    if (atom >= index->visible_atoms)
        return 0;
    return index_sums_read(index, souk_index_atom_at(index, atom), ret_counts, most);
}

void souk_index_totals(const souk_index *index, souk_totals *ret_totals)
{
    *ret_totals = index->head.totals;
}

void souk_index_memory(const souk_index *index, souk_index_bytes *ret_bytes)
{
    *ret_bytes = (souk_index_bytes){.atoms = index->head.atom_count * sizeof(souk_atom),
                                    .shoppers = index->head.shopper_count * sizeof(struct shopper),
                                    .counters = (uint64_t)index->head.counter_units * 16,
                                    .identifiers = souk_idmap_bytes(index->identifiers)};
}
