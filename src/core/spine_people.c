/* spine_people.c - persons found, merged and parted by decision, and their consent. */
#include "core/spine_private.h"

#include "base/random.h"

static const souk_migration people_steps[] = {
    {1, "CREATE TABLE decision ("
        "  id        INTEGER PRIMARY KEY AUTOINCREMENT,"
        "  at        INTEGER NOT NULL," /* ms UTC */
        "  shopper_a INTEGER NOT NULL," /* these two are one person */
        "  shopper_b INTEGER NOT NULL CHECK (shopper_b <> shopper_a),"
        "  words     BLOB NOT NULL," /* nonce[24], then who and why, sealed under a's key */
        "  undone_at INTEGER,"       /* NULL: it stands */
        "  undone    BLOB"           /* as words: who undid it, and why */
        ");"
        "CREATE INDEX decision_a ON decision (shopper_a);"
        "CREATE INDEX decision_b ON decision (shopper_b)"},
};

souk_err spine_people_migrate(souk_spine *spine, souk_diag *diag)
{
    return souk_ledger_migrate(spine->ledger, "people", people_steps,
                               sizeof people_steps / sizeof *people_steps, diag);
}

/* ---- finding ------------------------------------------------------------------------------------------ */

souk_err souk_spine_find(souk_spine *spine, souk_id_kind kind, souk_text value,
                         souk_person *ret_person)
{
    char room[SOUK_ID_BYTES], public_id[SOUK_PUBLIC_ID];
    souk_text normal;
    SOUK_TRY(spine_check(spine));
    if (kind == SOUK_ID_PUBLIC) {
        if (!souk_unhex(value, public_id, sizeof public_id))
            return SOUK_EINVAL;
        normal = (souk_text){public_id, sizeof public_id};
    } else {
        SOUK_TRY(souk_id_normalise(kind, value, room, &normal));
    }
    souk_hash128 hash = souk_hashes_identifier(&spine->hashes, kind, normal);
    souk_index_read(spine->index);
    uint32_t atom = souk_index_find(spine->index, hash);
    souk_err err = souk_index_person_of_atom(spine->index, atom, ret_person);
    souk_index_read_done(spine->index);
    return err;
}

souk_err souk_spine_public_id(souk_spine *spine, uint32_t shopper, char ret_id[33])
{
    SOUK_TRY(spine_check(spine));
    souk_index_read(spine->index);
    const souk_atom *atom =
        souk_index_atom(spine->index, souk_index_shopper_atom(spine->index, shopper));
    uint32_t slot = atom ? atom->slot : 0;
    bool erased = atom && (atom->flags & SOUK_ATOM_ERASED);
    souk_index_read_done(spine->index);
    if (!atom || erased)
        return erased ? SOUK_EERASED : SOUK_ENOENT;
    char public_id[SOUK_PUBLIC_ID];
    SOUK_TRY(souk_public_id(spine->vault, slot, public_id));
    souk_hex(public_id, sizeof public_id, ret_id);
    ret_id[32] = '\0';
    return SOUK_OK;
}

/* ---- decisions ----------------------------------------------------------------------------------------- */

struct decision {
    souk_spine *spine;
    uint32_t shopper_a, shopper_b;
    souk_time at;
    souk_buf words; /* sealed */
    uint64_t changed;
};

static uint32_t own_atom(souk_spine *spine, uint32_t shopper)
{
    souk_index_read(spine->index);
    uint32_t atom = souk_index_shopper_atom(spine->index, shopper);
    souk_index_read_done(spine->index);
    return atom;
}

/* nonce[24], then the words sealed under the key of an atom. */
souk_err spine_seal_words_of(souk_spine *spine, uint32_t slot,
                             const unsigned char nonce[SOUK_NONCE], souk_text by, souk_text reason,
                             souk_buf *words)
{
    souk_buf_append(words, nonce, SOUK_NONCE);
    size_t start = words->bytes;
    souk_buf_text(words, by);
    souk_buf_byte(words, '\n');
    souk_buf_text(words, reason);
    size_t plain_bytes = words->bytes - start;
    if (!souk_buf_room(words, SOUK_SEAL_TAG))
        return souk_buf_check(words);
    souk_buf_added(words, SOUK_SEAL_TAG);
    souk_seal_place place = {.merchant = SOUK_OPERATOR, .class = SPINE_CLASS_DECISION};
    return souk_vault_seal(spine->vault, slot, &place, nonce, words->at + start, plain_bytes,
                           words->at + start);
}

souk_err spine_seal_words(souk_spine *spine, uint32_t number, souk_text by, souk_text reason,
                          souk_buf *words)
{
    souk_index_read(spine->index);
    const souk_atom *atom = souk_index_atom(spine->index, number);
    uint32_t slot = atom ? atom->slot : 0;
    souk_index_read_done(spine->index);
    if (slot == 0)
        return SOUK_ENOENT;
    unsigned char nonce[SOUK_NONCE];
    souk_entropy(nonce, sizeof nonce);
    return spine_seal_words_of(spine, slot, nonce, by, reason, words);
}

static souk_err write_merge(souk_tx *tx, void *context)
{
    struct decision *merge = context;
    souk_index_lock(merge->spine->index);
    souk_err err = souk_index_group_room(merge->spine->index, 1);
    souk_index_unlock(merge->spine->index);
    SOUK_TRY(err);
    return souk_sql_run(
        tx, "INSERT INTO decision (at, shopper_a, shopper_b, words) VALUES (?1, ?2, ?3, ?4)",
        SOUK_VALUES(SOUK_INT(merge->at), SOUK_INT(merge->shopper_a), SOUK_INT(merge->shopper_b),
                    SOUK_BLOB(merge->words.at, merge->words.bytes)));
}

/* The decisions that stand, and room in the index to follow them. */
struct standing {
    souk_spine *spine;
    souk_index *index;
    struct joined {
        uint32_t shopper_a, shopper_b;
    } * joined;
    size_t count, capacity;
};

static souk_err read_standing(souk_tx *tx, void *context)
{
    struct standing *standing = context;
    souk_auto_value(souk_rows) rows = {0};
    standing->count = 0;
    SOUK_TRY(souk_rows_begin(tx,
                             "SELECT shopper_a, shopper_b FROM decision WHERE undone_at IS NULL "
                             "ORDER BY id",
                             SOUK_NO_VALUES, &rows));
    while (souk_rows_next(&rows)) {
        SOUK_TRY(souk_mem_grow(standing->spine->mem, &standing->joined, &standing->capacity,
                               standing->count + 1, (size_t)1 << 28, sizeof *standing->joined));
        standing->joined[standing->count++] =
            (struct joined){(uint32_t)souk_rows_int(&rows, 0), (uint32_t)souk_rows_int(&rows, 1)};
    }
    SOUK_TRY(souk_rows_check(&rows));
    souk_index_lock(standing->index);
    souk_err err = souk_index_group_room(standing->index, standing->count);
    souk_index_unlock(standing->index);
    return err;
}

/* Under the index's lock, where others read it. */
static void follow(const struct standing *standing)
{
    souk_index_clear_groups(standing->index);
    for (size_t i = 0; i < standing->count; i++) {
        const struct joined *joined = &standing->joined[i];
        souk_err err = souk_index_join(standing->index, joined->shopper_a, joined->shopper_b);
        souk_assert(err == SOUK_OK || err == SOUK_ENOENT); /* room was made */
    }
}

souk_err spine_load_groups(souk_spine *spine, souk_index *index)
{
    struct standing standing = {.spine = spine, .index = index};
    souk_err err = souk_ledger_read(spine->ledger, read_standing, &standing);
    if (!err) {
        souk_index_lock(index);
        follow(&standing);
        souk_index_unlock(index);
    }
    souk_mem_put(spine->mem, standing.joined);
    return err;
}

souk_err spine_regroup(souk_spine *spine)
{
    return spine_load_groups(spine, spine->index);
}

struct parting {
    struct decision decision;
    struct standing standing; /* afterwards */
};

static souk_err write_unmerge(souk_tx *tx, void *context)
{
    struct parting *parting = context;
    struct decision *part = &parting->decision;
    SOUK_TRY(souk_sql_run(tx,
                          "UPDATE decision SET undone_at = ?2, undone = ?3 "
                          "WHERE undone_at IS NULL AND (shopper_a = ?1 OR shopper_b = ?1)",
                          SOUK_VALUES(SOUK_INT(part->shopper_a), SOUK_INT(part->at),
                                      SOUK_BLOB(part->words.at, part->words.bytes))));
    part->changed = souk_sql_changed(tx);
    return read_standing(tx, &parting->standing);
}

souk_err spine_forget_decisions(souk_tx *tx, uint32_t shopper)
{
    return souk_sql_run(tx, "DELETE FROM decision WHERE shopper_a = ?1 OR shopper_b = ?1",
                        SOUK_VALUES(SOUK_INT(shopper)));
}

/* SOUK_OK where the two are there and not yet one. */
static souk_err check_apart(souk_spine *spine, uint32_t shopper_a, uint32_t shopper_b)
{
    souk_auto_value(souk_buf) room = {.mem = spine->mem};
    souk_person *a = (souk_person *)(void *)souk_buf_room(&room, 2 * sizeof *a);
    if (!a)
        return SOUK_ENOMEM;
    souk_person *b = a + 1;
    souk_index_read(spine->index);
    souk_err err = souk_index_person_of_atom(spine->index,
                                             souk_index_shopper_atom(spine->index, shopper_a), a);
    if (!err)
        err = souk_index_person_of_atom(spine->index,
                                        souk_index_shopper_atom(spine->index, shopper_b), b);
    souk_index_read_done(spine->index);
    SOUK_TRY(err);
    if (a->shopper == b->shopper)
        return SOUK_EEXIST;
    return a->atom_count + b->atom_count > SOUK_PERSON_ATOMS ? SOUK_ETOOBIG : SOUK_OK;
}

souk_err souk_spine_merge(souk_spine *spine, uint32_t shopper_a, uint32_t shopper_b, souk_text by,
                          souk_text reason)
{
    struct decision merge = {.spine = spine,
                             .shopper_a = shopper_a,
                             .shopper_b = shopper_b,
                             .at = souk_clock_now_ms(spine->clock),
                             .words = {.mem = spine->mem}};
    souk_auto_lock(&spine->decision_mutex);
    SOUK_TRY(spine_check(spine));
    SOUK_TRY(check_apart(spine, shopper_a, shopper_b));
    souk_err err = spine_seal_words(spine, own_atom(spine, shopper_a), by, reason, &merge.words);
    if (!err)
        err = souk_ledger_write(spine->ledger, SOUK_LANE_INGEST, write_merge, &merge);
    souk_buf_done(&merge.words);
    SOUK_TRY(err);
    souk_index_lock(spine->index);
    err = souk_index_join(spine->index, shopper_a, shopper_b);
    souk_index_unlock(spine->index);
    return err;
}

souk_err souk_spine_unmerge(souk_spine *spine, uint32_t shopper, souk_text by, souk_text reason)
{
    struct parting parting = {.decision = {.spine = spine,
                                           .shopper_a = shopper,
                                           .at = souk_clock_now_ms(spine->clock),
                                           .words = {.mem = spine->mem}},
                              .standing = {.spine = spine, .index = spine->index}};
    souk_auto_lock(&spine->decision_mutex);
    SOUK_TRY(spine_check(spine));
    souk_err err =
        spine_seal_words(spine, own_atom(spine, shopper), by, reason, &parting.decision.words);
    if (!err)
        err = souk_ledger_write(spine->ledger, SOUK_LANE_INGEST, write_unmerge, &parting);
    if (!err) {
        souk_index_lock(spine->index);
        follow(&parting.standing);
        souk_index_unlock(spine->index);
    }
    souk_buf_done(&parting.decision.words);
    souk_mem_put(spine->mem, parting.standing.joined);
    SOUK_TRY(err);
    return parting.decision.changed ? SOUK_OK : SOUK_ENOENT;
}
