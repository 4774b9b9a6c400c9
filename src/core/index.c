/* index.c - the arrays of index.h: atoms, shoppers, counters, and links that can be undone.
 * Sums are kept by index_sums.c. */
#include "core/index.h"

#include "base/currency.h"
#include "core/idmap.h"
#include "core/index_private.h"

static const size_t INDEX_ADDRESSES = (size_t)1 << 37; /* reserved per array, not memory */
enum { IDENTIFIERS_MOST = 1 << 30 };

/* ---- life ------------------------------------------------------------------------------------ */

static souk_err make_first_entries(souk_index *index)
{
    /* Entry 0 of each array stands for none; atom 0 sums what is nobody's. */
    SOUK_TRY(souk_region_grow(&index->atoms, sizeof(souk_atom)));
    SOUK_TRY(souk_region_grow(&index->shoppers, sizeof(struct shopper)));
    SOUK_TRY(souk_region_grow(&index->counters, 4096));
    index->head = (struct index_head){.atom_count = 1, .shopper_count = 1, .counter_units = 1};
    index->visible_atoms = index->visible_shoppers = 1;
    index->visible_live = 0;
    souk_mem_put(index->mem, index->slots);
    index->slots = NULL;
    index->slot_words = index->slot_atoms = 0;
    souk_index_atom_at(index, 0)->first_at = INT64_MAX;
    souk_index_atom_at(index, 0)->last_at = INT64_MIN;
    return SOUK_OK;
}

souk_err souk_index_new(souk_mem *mem, const souk_index_options *options, souk_index **ret_index)
{
    souk_auto(souk_index) index = souk_mem_get(mem, sizeof *index);
    if (!index)
        return SOUK_ENOMEM;
    index->mem = mem;
    index->options = *options;
    souk_rwlock_init(&index->lock);
    SOUK_TRY(souk_region_init(&index->atoms, INDEX_ADDRESSES));
    SOUK_TRY(souk_region_init(&index->shoppers, INDEX_ADDRESSES));
    SOUK_TRY(souk_region_init(&index->counters, INDEX_ADDRESSES));
    SOUK_TRY(souk_idmap_new(mem, IDENTIFIERS_MOST, &index->identifiers));
    SOUK_TRY(make_first_entries(index));
    *ret_index = souk_take(&index);
    return SOUK_OK;
}

void souk_index_free(souk_index *index)
{
    if (!index)
        return;
    souk_region_done(&index->atoms);
    souk_region_done(&index->shoppers);
    souk_region_done(&index->counters);
    souk_idmap_free(index->identifiers);
    souk_mem_put(index->mem, index->undo);
    souk_mem_put(index->mem, index->groups);
    souk_mem_put(index->mem, index->slots);
    souk_rwlock_done(&index->lock);
    souk_mem_put(index->mem, index);
}

souk_err souk_index_clear(souk_index *index)
{
    SOUK_TRY(souk_region_clear(&index->atoms));
    SOUK_TRY(souk_region_clear(&index->shoppers));
    SOUK_TRY(souk_region_clear(&index->counters));
    souk_idmap *fresh = NULL;
    SOUK_TRY(souk_idmap_new(index->mem, IDENTIFIERS_MOST, &fresh));
    souk_idmap_free(index->identifiers);
    index->identifiers = fresh;
    index->undo_count = 0;
    souk_index_clear_groups(index);
    return make_first_entries(index);
}

void souk_index_lock(souk_index *index)
{
    souk_rwlock_write(&index->lock);
}

void souk_index_unlock(souk_index *index)
{
    souk_rwlock_unlock(&index->lock);
}

void souk_index_read(souk_index *index)
{
    souk_rwlock_read(&index->lock);
}

void souk_index_read_done(souk_index *index)
{
    souk_rwlock_unlock(&index->lock);
}

/* ---- links, and their undoing ------------------------------------------------------------------ */

static souk_err undo_room(souk_index *index, size_t more)
{
    if (!index->undoable)
        return SOUK_OK;
    return souk_mem_grow(index->mem, &index->undo, &index->undo_capacity, index->undo_count + more,
                         (size_t)1 << 24, sizeof *index->undo);
}

static void remember(souk_index *index, struct undo undo)
{
    if (index->undoable)
        index->undo[index->undo_count++] = undo;
}

static void remember_atom(souk_index *index, uint32_t atom)
{
    remember(index, (struct undo){.kind = UNDO_ATOM,
                                  .number = atom,
                                  .old_atom = *souk_index_atom_at(index, atom)});
}

static souk_err put_identifier(souk_index *index, souk_hash128 hash, uint32_t atom)
{
    souk_idmap_key key = souk_idmap_key_of(&hash);
    uint32_t old = souk_index_find_now(index, hash);
    souk_err err = souk_idmap_replace(index->identifiers, &key, atom);
    SOUK_TRY(err == SOUK_ENOENT ? souk_idmap_put(index->identifiers, &key, atom) : err);
    remember(index, (struct undo){.kind = UNDO_IDENTIFIER, .number = old, .hash = hash});
    return SOUK_OK;
}

static souk_err add_atom(souk_index *index, souk_atom atom)
{
    struct index_head *head = &index->head;
    if (head->atom_count >= SOUK_ATOMS_MOST)
        return SOUK_ETOOBIG;
    size_t need = (head->atom_count + (size_t)1) * sizeof atom;
    if (need > index->atoms.bytes)
        SOUK_TRY(souk_region_grow(&index->atoms, need));
    atom.first_at = INT64_MAX;
    atom.last_at = INT64_MIN;
    *souk_index_atom_at(index, head->atom_count++) = atom;
    remember(index, (struct undo){.kind = UNDO_NEW_ATOM});
    return SOUK_OK;
}

static souk_err add_shopper(souk_index *index, struct shopper shopper)
{
    struct index_head *head = &index->head;
    size_t need = (head->shopper_count + (size_t)1) * sizeof shopper;
    if (need > index->shoppers.bytes)
        SOUK_TRY(souk_region_grow(&index->shoppers, need));
    *souk_index_shopper_at(index, head->shopper_count++) = shopper;
    head->live_shoppers += !souk_index_shopper_erased(index, &shopper);
    remember(index, (struct undo){.kind = UNDO_NEW_SHOPPER});
    return SOUK_OK;
}

souk_err souk_index_given(souk_index *index, uint32_t next_atom, uint32_t next_shopper)
{
    souk_assert(!index->undoable);
    while (index->head.atom_count < next_atom)
        SOUK_TRY(add_atom(index, (souk_atom){.flags = SOUK_ATOM_ERASED}));
    while (index->head.shopper_count < next_shopper)
        SOUK_TRY(add_shopper(index, (struct shopper){0}));
    return SOUK_OK;
}

/* The link's atom: there already, or the next one, made now.  In a replay numbers in between are
 * missing where their shoppers were erased. */
static souk_err reach_atom(souk_index *index, const souk_link *link)
{
    struct index_head *head = &index->head;
    if (link->atom == 0 || link->atom >= SOUK_ATOMS_MOST)
        return SOUK_ECORRUPT;
    if (!index->undoable)
        SOUK_TRY(souk_index_given(index, link->atom, 0));
    if (link->atom > head->atom_count)
        return SOUK_ECORRUPT;
    if (link->atom == head->atom_count)
        return add_atom(index, (souk_atom){.slot = link->slot});
    const souk_atom *there = souk_index_atom_at(index, link->atom);
    return there->slot == link->slot || (there->flags & SOUK_ATOM_ERASED) ? SOUK_OK : SOUK_ECORRUPT;
}

static souk_err link_identifier(souk_index *index, const souk_link *link)
{
    SOUK_TRY(reach_atom(index, link));
    remember_atom(index, link->atom);
    souk_atom *atom = souk_index_atom_at(index, link->atom);
    if (atom->strongest == SOUK_ID_NONE || link->id_kind < atom->strongest)
        atom->strongest = (uint8_t)link->id_kind;
    if (link->kind == SOUK_LINK_SHARED)
        atom->flags |= SOUK_ATOM_SHARED;
    return put_identifier(index, link->hash, link->atom);
}

static souk_err link_shopper(souk_index *index, const souk_link *link)
{
    SOUK_TRY(reach_atom(index, link));
    if (!index->undoable)
        SOUK_TRY(souk_index_given(index, 0, link->shopper));
    if (link->shopper != index->head.shopper_count ||
        souk_index_atom_at(index, link->atom)->shopper)
        return SOUK_ECORRUPT;
    SOUK_TRY(put_identifier(index, link->hash, link->atom));
    remember_atom(index, link->atom);
    souk_index_atom_at(index, link->atom)->shopper = link->shopper;
    return add_shopper(index, (struct shopper){.first_atom = link->atom});
}

/* The shopper's own atom stays the first of its chain; claimed ones follow, the newest first. */
static souk_err link_claim(souk_index *index, const souk_link *link)
{
    SOUK_TRY(reach_atom(index, link));
    if (!index->undoable)
        SOUK_TRY(souk_index_given(index, 0, link->shopper + 1));
    if (link->shopper == 0 || link->shopper >= index->head.shopper_count)
        return SOUK_ECORRUPT;
    souk_atom *claimed = souk_index_atom_at(index, link->atom);
    if (claimed->shopper)
        return SOUK_ECORRUPT;
    uint32_t own_number = souk_index_shopper_at(index, link->shopper)->first_atom;
    bool has_own = souk_index_has_atom(index, own_number);
    if (!has_own && index->undoable)
        return SOUK_ECORRUPT;
    remember_atom(index, link->atom);
    claimed->shopper = link->shopper;
    if (!has_own) /* a replay: her own key is destroyed already, this atom's was not before the crash */
        return SOUK_OK;
    remember_atom(index, own_number);
    souk_atom *own = souk_index_atom_at(index, own_number);
    if (index->undoable)
        claimed->flags |= SOUK_ATOM_CLAIMED;
    claimed->next_of_shopper = own->next_of_shopper;
    own->next_of_shopper = link->atom;
    return SOUK_OK;
}

souk_err souk_index_link(souk_index *index, const souk_link *link)
{
    SOUK_TRY(undo_room(index, 6));
    switch (link->kind) {
    case SOUK_LINK_IDENTIFIER:
    case SOUK_LINK_SHARED:
        return link_identifier(index, link);
    case SOUK_LINK_MOVED:
        if (souk_index_find_now(index, link->hash) != link->atom)
            return SOUK_OK;
        remember(index,
                 (struct undo){.kind = UNDO_IDENTIFIER, .number = link->atom, .hash = link->hash});
        souk_index_unlink(index, link->hash);
        return SOUK_OK;
    case SOUK_LINK_SHOPPER:
        return link_shopper(index, link);
    case SOUK_LINK_CLAIM:
        return link_claim(index, link);
    }
    return SOUK_ECORRUPT;
}

void souk_index_begin(souk_index *index)
{
    souk_assert(!index->undoable);
    souk_assert(index->undo_count == 0);
    index->undoable = true;
}

void souk_index_commit(souk_index *index)
{
    for (size_t i = 0; i < index->undo_count; i++)
        if (index->undo[i].kind == UNDO_ATOM) {
            souk_atom *atom = souk_index_atom_at(index, index->undo[i].number);
            atom->flags = (uint8_t)(atom->flags & ~SOUK_ATOM_CLAIMED);
        }
    index->undoable = false;
    index->undo_count = 0;
    index->visible_atoms = index->head.atom_count;
    index->visible_shoppers = index->head.shopper_count;
    index->visible_live = index->head.live_shoppers;
}

static void undo_identifier(souk_index *index, const struct undo *undo)
{
    souk_idmap_key key = souk_idmap_key_of(&undo->hash);
    souk_err err = SOUK_OK;
    if (undo->number == 0)
        souk_idmap_remove(index->identifiers, &key);
    else if (souk_index_find_now(index, undo->hash))
        err = souk_idmap_replace(index->identifiers, &key, undo->number);
    else
        err = souk_idmap_put(index->identifiers, &key, undo->number);
    /* Its place was there a moment ago, so putting it back needs no memory. */
    souk_assert(err == SOUK_OK);
}

void souk_index_rollback(souk_index *index)
{
    index->undoable = false;
    while (index->undo_count) {
        const struct undo *undo = &index->undo[--index->undo_count];
        switch (undo->kind) {
        case UNDO_ATOM:
            *souk_index_atom_at(index, undo->number) = undo->old_atom;
            break;
        case UNDO_NEW_ATOM:
            index->head.atom_count--;
            break;
        case UNDO_NEW_SHOPPER:
            index->head.shopper_count--;
            index->head.live_shoppers--; /* what is undone was never erased */
            break;
        case UNDO_IDENTIFIER:
            undo_identifier(index, undo);
            break;
        }
    }
}

uint32_t souk_index_next_atom(const souk_index *index)
{
    return index->head.atom_count;
}

uint32_t souk_index_next_shopper(const souk_index *index)
{
    return index->head.shopper_count;
}

/* ---- sums -------------------------------------------------------------------------------------- */

enum { FOLD_KEYS = 5 + SOUK_EVENT_LINES };

struct deltas {
    size_t count;
    souk_count at[FOLD_KEYS];
};

static void add_delta(struct deltas *deltas, uint32_t key, int64_t value)
{
    for (size_t i = 0; i < deltas->count; i++)
        if (deltas->at[i].key == key) {
            deltas->at[i].value = (int64_t)((uint64_t)deltas->at[i].value + (uint64_t)value);
            return;
        }
    souk_assert(deltas->count < FOLD_KEYS);
    deltas->at[deltas->count++] = (souk_count){key, value};
}

static souk_err sum_units(const souk_fact *fact, const souk_fact_line *lines, int64_t *ret_units)
{
    int64_t units = 0;
    for (uint32_t i = 0; i < fact->line_count; i++)
        if (__builtin_add_overflow(units, lines[i].quantity_micro, &units))
            return SOUK_EOVERFLOW;
    *ret_units = units;
    return SOUK_OK;
}

static souk_err make_deltas(const souk_fact *fact, const souk_fact_line *lines,
                            struct deltas *deltas)
{
    uint32_t month = index_month(fact->at);
    deltas->count = 0;
    add_delta(deltas, SOUK_COUNTER_KEY(SOUK_COUNT_TYPE, fact->type & SOUK_COUNTER_REST), 1);
    uint32_t line_count = fact->line_count;
    if (line_count > SOUK_EVENT_LINES)
        return SOUK_EOVERFLOW;
    for (uint32_t i = 0; i < line_count; i++)
        add_delta(deltas,
                  SOUK_COUNTER_KEY(SOUK_COUNT_MONTH, (lines[i].category & 0xffff) << 12 | month),
                  1);
    if (line_count == 0)
        add_delta(deltas, SOUK_COUNTER_KEY(SOUK_COUNT_MONTH, month), 1);
    if (fact->flags & SOUK_EVENT_ORDER)
        add_delta(deltas, SOUK_COUNTER_KEY(SOUK_COUNT_ORDERS, 0), 1);
    if (fact->flags & SOUK_EVENT_CANCELLED)
        add_delta(deltas, SOUK_COUNTER_KEY(SOUK_COUNT_CANCELLED, 0), 1);
    if (fact->flags & SOUK_EVENT_SALE) {
        int64_t units;
        SOUK_TRY(sum_units(fact, lines, &units));
        add_delta(deltas, SOUK_COUNTER_KEY(SOUK_COUNT_UNITS, 0), units);
        add_delta(deltas, SOUK_COUNTER_KEY(SOUK_COUNT_AMOUNT, fact->currency), fact->amount_micro);
    }
    return SOUK_OK;
}

_Static_assert(SOUK_TOTAL_CURRENCIES > (size_t)SOUK_CURRENCIES_MOST,
               "each currency and none have a place");

static souk_err total_amount(souk_totals *totals, const souk_fact *fact)
{
    size_t i = 0;
    while (i < totals->currency_count && totals->amounts[i].currency != fact->currency)
        i++;
    if (i == SOUK_TOTAL_CURRENCIES)
        return SOUK_ETOOBIG;
    if (i == totals->currency_count) {
        totals->amounts[i].currency = fact->currency;
        totals->amounts[i].amount_micro = 0;
        totals->currency_count++;
    }
    totals->amounts[i].amount_micro += fact->amount_micro;
    return SOUK_OK;
}

static souk_err add_totals(souk_totals *totals, const souk_fact *fact)
{
    if (fact->flags & SOUK_EVENT_SALE)
        SOUK_TRY(total_amount(totals, fact));
    totals->events++;
    totals->orders += (fact->flags & SOUK_EVENT_ORDER) != 0;
    totals->cancelled += (fact->flags & SOUK_EVENT_CANCELLED) != 0;
    return SOUK_OK;
}

static souk_err fold_into_atom(souk_index *index, souk_atom *atom, const souk_fact *fact,
                               const souk_fact_line *lines)
{
    struct deltas deltas;
    struct index_sums_need need;
    SOUK_TRY(souk_index_room(index, 1, fact->line_count));
    SOUK_TRY(make_deltas(fact, lines, &deltas));
    SOUK_TRY(index_sums_check(index, atom, deltas.at, deltas.count, &need));
    SOUK_TRY(index_sums_space(index, atom, &need));
    SOUK_TRY(add_totals(&index->head.totals, fact));
    index_sums_apply(index, atom, deltas.at, deltas.count);
    if (fact->at < atom->first_at)
        atom->first_at = fact->at;
    if (fact->at > atom->last_at)
        atom->last_at = fact->at;
    atom->bases |= index->options.bases_of(index->options.context, fact->source);
    return SOUK_OK;
}

souk_err souk_index_fold(souk_index *index, const souk_fact *fact, const souk_fact_line *lines)
{
    index->head.through = fact->position + 1;
    if (fact->source == 0) /* Souk's own entries are no shopper's and no merchant's */
        return SOUK_OK;
    /* An atom that no link tells of was erased, and its blocks are still to be rewritten. */
    if (fact->atom >= index->head.atom_count)
        return add_totals(&index->head.totals, fact);
    souk_atom *atom = souk_index_atom_at(index, fact->atom);
    if (fact->atom == 0 || (atom->flags & SOUK_ATOM_ERASED))
        return add_totals(&index->head.totals, fact);
    return fold_into_atom(index, atom, fact, lines);
}

uint64_t souk_index_through(const souk_index *index)
{
    return index->head.through;
}

void souk_index_set_through(souk_index *index, uint64_t position)
{
    index->head.through = position;
}

/* ---- erasure ----------------------------------------------------------------------------------- */

void souk_index_unlink(souk_index *index, souk_hash128 hash)
{
    souk_idmap_key key = souk_idmap_key_of(&hash);
    souk_idmap_remove(index->identifiers, &key);
}

static bool leads_to_erased(void *context, uint32_t value)
{
    const souk_index *index = context;
    return value < index->head.atom_count &&
           (souk_index_atom_at(index, value)->flags & SOUK_ATOM_ERASED);
}

void souk_index_unlink_erased(souk_index *index)
{
    souk_idmap_sweep(index->identifiers, leads_to_erased, index);
}

void souk_index_erase_atom(souk_index *index, uint32_t number)
{
    souk_assert(number > 0 && number < index->head.atom_count);
    souk_atom *atom = souk_index_atom_at(index, number);
    if (atom->flags & SOUK_ATOM_ERASED)
        return;
    index_sums_free(index, atom);
    if (souk_index_has_shopper(index, atom->shopper) &&
        souk_index_shopper_at(index, atom->shopper)->first_atom == number) {
        index->head.live_shoppers--;
        index->visible_live -= atom->shopper < index->visible_shoppers;
    }
    *atom = (souk_atom){.first_at = INT64_MAX,
                        .last_at = INT64_MIN,
                        .shopper = atom->shopper,
                        .next_of_shopper = atom->next_of_shopper,
                        .flags = SOUK_ATOM_ERASED};
}
