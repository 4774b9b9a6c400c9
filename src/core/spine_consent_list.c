/* spine_consent_list.c - a list of consents, recorded in one transaction (souk_spine_consents_record).
 *
 * Persons are found and words sealed before the transaction, with decisions held, so that nobody is merged or
 * erased in between; what stands already is read within it, so that a row earlier in the list counts. */
#include "core/spine_private.h"

#include "base/random.h"

/* One row of the list: whose atoms, in `atoms` from `first` on; the words in `words` from `at` on. */
struct listed {
    const souk_consent_told *told;
    uint32_t own, slot; /* atom of the identifier, and its key's; 0: nobody knows her */
    size_t first_atom, atom_count;
    size_t words_at, words_bytes;
};

struct listing {
    souk_spine *spine;
    struct listed *rows;
    size_t count;
    uint32_t *atoms;
    size_t atom_count, atom_capacity;
    souk_buf words;
    souk_person *person; /* room */
    size_t stored;
    souk_consent_change change;
};

/* ---- before the transaction ------------------------------------------------------------------------------ */

static souk_err find_atoms(struct listing *listing, struct listed *listed)
{
    souk_spine *spine = listing->spine;
    souk_hash128 hash =
        souk_hashes_identifier(&spine->hashes, listed->told->kind, listed->told->value);
    uint32_t own = souk_index_find(spine->index, hash);
    souk_err err = souk_index_person_of_atom(spine->index, own, listing->person);
    if (err == SOUK_ENOENT)
        return SOUK_OK;
    SOUK_TRY(err);
    size_t count = listing->person->atom_count;
    SOUK_TRY(souk_mem_grow(spine->mem, &listing->atoms, &listing->atom_capacity,
                           listing->atom_count + count, (size_t)1 << 24, sizeof *listing->atoms));
    memcpy(listing->atoms + listing->atom_count, listing->person->atoms,
           count * sizeof *listing->atoms);
    listed->own = own;
    listed->slot = souk_index_atom(spine->index, own)->slot;
    listed->first_atom = listing->atom_count;
    listed->atom_count = count;
    listing->atom_count += count;
    return SOUK_OK;
}

/* Under one lock: what the writer waits for it is below a millisecond. */
static souk_err find_all(struct listing *listing, const souk_consent_told *told)
{
    souk_err err = SOUK_OK;
    souk_index_read(listing->spine->index);
    for (size_t i = 0; i < listing->count && !err; i++) {
        listing->rows[i] = (struct listed){.told = &told[i]};
        err = find_atoms(listing, &listing->rows[i]);
    }
    souk_index_read_done(listing->spine->index);
    return err;
}

/* Nonces are of the list and the number in it: 16 random bytes, then that. */
static souk_err seal_all(struct listing *listing)
{
    unsigned char nonce[SOUK_NONCE];
    souk_entropy(nonce, sizeof nonce);
    for (size_t i = 0; i < listing->count; i++) {
        struct listed *listed = &listing->rows[i];
        listed->words_at = listing->words.bytes;
        if (listed->own == 0)
            continue;
        souk_put_u64(nonce + sizeof nonce - sizeof(uint64_t), i);
        SOUK_TRY(spine_seal_words_of(listing->spine, listed->slot, nonce,
                                     listed->told->row.evidence, SOUK_TEXT(""), &listing->words));
        listed->words_bytes = listing->words.bytes - listed->words_at;
    }
    return SOUK_OK;
}

/* ---- in it ------------------------------------------------------------------------------------------------ */

/* Whether the atom has this very row, or a newer one about the same.  Of whom nothing is in memory nothing is stored. */
static souk_err is_old(const souk_consent *consent, souk_tx *tx, const souk_consent_row *row,
                       bool *ret_old)
{
    souk_auto_value(souk_rows) rows = {0};
    souk_time since;
    *ret_old = false;
    if (!souk_consent_last(consent, row->atom, row->controller, row->purpose, &since))
        return SOUK_OK;
    SOUK_TRY(souk_rows_begin(
        tx,
        "SELECT since, basis, until, guardian FROM consent "
        "WHERE atom = ?1 AND controller = ?2 AND purpose = ?3",
        SOUK_VALUES(SOUK_INT(row->atom), SOUK_INT(row->controller), SOUK_INT(row->purpose)),
        &rows));
    while (souk_rows_next(&rows)) {
        bool same = souk_rows_int(&rows, 0) == row->from &&
                    souk_rows_int(&rows, 1) == (int64_t)row->basis &&
                    souk_rows_int(&rows, 2) == row->until &&
                    (souk_rows_int(&rows, 3) != 0) == row->guardian;
        *ret_old |= same || souk_rows_int(&rows, 0) > row->from;
    }
    return souk_rows_check(&rows);
}

static souk_err read_purpose(souk_consent *consent, souk_tx *tx, souk_text word,
                             souk_purpose *ret_purpose)
{
    souk_text share = SOUK_TEXT("share:");
    if (souk_purpose_of_word(word, ret_purpose))
        return SOUK_OK;
    if (!souk_text_starts(word, share))
        return SOUK_EINVAL;
    souk_text party = {word.at + share.bytes, word.bytes - share.bytes};
    return souk_consent_party(consent, tx, party, ret_purpose);
}

/* Of an age that is known already the first evidence stays. */
static souk_err record_age(struct listing *listing, souk_tx *tx, const struct listed *listed,
                           souk_text evidence)
{
    souk_consent *consent = listing->spine->consent;
    souk_age age = listed->told->age;
    for (size_t i = 0; i < listed->atom_count; i++) {
        uint32_t atom = listing->atoms[listed->first_atom + i];
        if (souk_consent_last_age(consent, atom) != age)
            SOUK_TRY(souk_consent_set_age(consent, &listing->change, tx, atom, age, evidence));
    }
    return SOUK_OK;
}

static souk_err record_row(struct listing *listing, souk_tx *tx, const struct listed *listed)
{
    souk_consent *consent = listing->spine->consent;
    souk_consent_row row = listed->told->row;
    const uint32_t *atoms = listing->atoms + listed->first_atom;
    bool withdrawn = row.basis == SOUK_BASIS_WITHDRAWN, stored = false, old;
    size_t count = withdrawn ? listed->atom_count : 1;
    if (listed->own == 0)
        return SOUK_OK;
    SOUK_TRY(read_purpose(consent, tx, listed->told->purpose, &row.purpose));
    row.evidence = (souk_text){listing->words.at + listed->words_at, listed->words_bytes};
    for (size_t i = 0; i < count; i++) {
        row.atom = withdrawn ? atoms[i] : listed->own;
        SOUK_TRY(is_old(consent, tx, &row, &old));
        if (old)
            continue;
        SOUK_TRY(souk_consent_apply(consent, &listing->change, tx, &row, 1));
        stored = true;
    }
    listing->stored += stored;
    return stored && listed->told->age ? record_age(listing, tx, listed, row.evidence) : SOUK_OK;
}

static souk_err record_all(souk_tx *tx, void *context)
{
    struct listing *listing = context;
    listing->stored = 0;
    souk_consent_begin(listing->spine->consent, &listing->change);
    for (size_t i = 0; i < listing->count; i++)
        SOUK_TRY(record_row(listing, tx, &listing->rows[i]));
    return SOUK_OK;
}

static souk_err record(struct listing *listing, const souk_consent_told *told, size_t count)
{
    souk_spine *spine = listing->spine;
    listing->rows = souk_mem_array(spine->mem, count, sizeof *listing->rows);
    listing->person = souk_mem_get(spine->mem, sizeof *listing->person);
    if (!listing->rows || !listing->person)
        return SOUK_ENOMEM;
    souk_auto_lock(&spine->decision_mutex);
    SOUK_TRY(spine_check(spine));
    listing->count = count;
    SOUK_TRY(find_all(listing, told));
    SOUK_TRY(seal_all(listing));
    souk_err err = souk_ledger_write(spine->ledger, SOUK_LANE_INGEST, record_all, listing);
    souk_err abandoned = SOUK_OK;
    if (err)
        abandoned = souk_consent_abandoned(spine->consent, &listing->change);
    else
        souk_consent_committed(spine->consent, &listing->change);
    souk_consent_change_done(spine->consent, &listing->change);
    return abandoned ? abandoned : err;
}

souk_err souk_spine_consents_record(souk_spine *spine, const souk_consent_told *told, size_t count,
                                    size_t *ret_stored)
{
    struct listing listing = {.spine = spine, .words = {.mem = spine->mem}};
    souk_assert(count <= SOUK_CONSENTS_TOLD);
    souk_err err = count ? record(&listing, told, count) : SOUK_OK;
    souk_buf_done(&listing.words);
    souk_mem_put(spine->mem, listing.rows);
    souk_mem_put(spine->mem, listing.atoms);
    souk_mem_put(spine->mem, listing.person);
    if (!err)
        *ret_stored = listing.stored;
    return err;
}
