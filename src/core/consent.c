/* consent.c - the rows of consent.h, the few that speak kept in memory (consent_ask.c answers).
 *
 * Most atoms have no row: what their sources state is in the atom itself.  An atom with rows has one
 * `said` for each (controller, purpose), found by hash; withdrawals take effect there before the commit,
 * grants after it.  A said whose `until` has passed says nothing. */
#include "base/random.h"
#include "core/consent_inside.h"

static const souk_migration consent_steps[] = {
    {1, "CREATE TABLE consent ("
        "  id         INTEGER PRIMARY KEY AUTOINCREMENT," /* the newest of an atom's rows holds */
        "  atom       INTEGER NOT NULL CHECK (atom > 0),"
        "  controller INTEGER NOT NULL CHECK (controller > 0)," /* merchant that may use the data */
        "  purpose    INTEGER NOT NULL CHECK (purpose BETWEEN 0 AND 63),"   /* consent.h */
        "  basis      INTEGER NOT NULL CHECK (basis BETWEEN 1 AND 4),"      /* 4: withdrawn */
        "  since      INTEGER NOT NULL,"                                    /* ms UTC */
        "  until      INTEGER NOT NULL CHECK (until = 0 OR until > since)," /* 0: open */
        "  guardian   INTEGER NOT NULL CHECK (guardian IN (0, 1))," /* given by a guardian */
        "  evidence   BLOB NOT NULL" /* where and how, as the caller sealed it */
        ");"
        "CREATE INDEX consent_atom ON consent (atom);"
        "CREATE TABLE consent_age ("
        "  atom     INTEGER PRIMARY KEY,"
        "  age      INTEGER NOT NULL CHECK (age IN (1, 2))," /* souk_age */
        "  evidence BLOB NOT NULL"
        ");"
        "CREATE TABLE consent_party ("
        "  purpose INTEGER PRIMARY KEY CHECK (purpose BETWEEN 8 AND 63)," /* share:<party> */
        "  party   TEXT NOT NULL UNIQUE"
        ")"},
};

/* ---- the two tables in memory --------------------------------------------------------------------------- */

uint64_t consent_hash_said(uint32_t atom, uint32_t controller, unsigned purpose)
{
    return souk_mix64(((uint64_t)atom << 32 | controller) ^ ((uint64_t)purpose << 58));
}

struct consent_said *consent_find_said(const souk_consent *consent, uint32_t atom,
                                       uint32_t controller, unsigned purpose)
{
    if (consent->said_capacity == 0)
        return NULL;
    size_t mask = consent->said_capacity - 1;
    for (size_t at = consent_hash_said(atom, controller, purpose) & mask; consent->said[at].atom;
         at = (at + 1) & mask) {
        struct consent_said *said = &consent->said[at];
        if (said->atom == atom && said->controller == controller && said->purpose == purpose)
            return said;
    }
    return NULL;
}

static void place_said(struct consent_said *table, size_t capacity, struct consent_said said)
{
    size_t at = consent_hash_said(said.atom, said.controller, said.purpose) & (capacity - 1);
    while (table[at].atom)
        at = (at + 1) & (capacity - 1);
    table[at] = said;
}

/* For one more, and for all that waits for the commit. */
static souk_err said_room(souk_consent *consent)
{
    size_t need = (consent->said_count + 1 + consent->waiting_count) * 2, capacity = 256;
    if (need <= consent->said_capacity)
        return SOUK_OK;
    while (capacity < need)
        capacity *= 2;
    struct consent_said *grown = souk_mem_array(consent->mem, capacity, sizeof *grown);
    if (!grown)
        return SOUK_ENOMEM;
    for (size_t i = 0; i < consent->said_capacity; i++)
        if (consent->said[i].atom)
            place_said(grown, capacity, consent->said[i]);
    souk_mem_put(consent->mem, consent->said);
    consent->said = grown;
    consent->said_capacity = capacity;
    return SOUK_OK;
}

/* Into the room that is there. */
static void settle_said(souk_consent *consent, struct consent_said said)
{
    struct consent_said *there =
        consent_find_said(consent, said.atom, said.controller, said.purpose);
    if (there && there->turn <= said.turn)
        *there = said;
    if (there)
        return;
    place_said(consent->said, consent->said_capacity, said);
    consent->said_count++;
}

static souk_err put_said(souk_consent *consent, struct consent_said said)
{
    SOUK_TRY(said_room(consent));
    settle_said(consent, said);
    return SOUK_OK;
}

struct consent_aged *consent_find_aged(const souk_consent *consent, uint32_t atom)
{
    if (consent->aged_capacity == 0)
        return NULL;
    size_t mask = consent->aged_capacity - 1;
    for (size_t at = souk_mix64(atom) & mask; consent->aged[at].atom; at = (at + 1) & mask)
        if (consent->aged[at].atom == atom)
            return &consent->aged[at];
    return NULL;
}

static void place_aged(struct consent_aged *table, size_t capacity, struct consent_aged aged)
{
    size_t at = souk_mix64(aged.atom) & (capacity - 1);
    while (table[at].atom)
        at = (at + 1) & (capacity - 1);
    table[at] = aged;
}

static souk_err aged_room(souk_consent *consent)
{
    size_t need = (consent->aged_count + 1 + consent->waiting_count) * 2, capacity = 256;
    if (need <= consent->aged_capacity)
        return SOUK_OK;
    while (capacity < need)
        capacity *= 2;
    struct consent_aged *grown = souk_mem_array(consent->mem, capacity, sizeof *grown);
    if (!grown)
        return SOUK_ENOMEM;
    for (size_t i = 0; i < consent->aged_capacity; i++)
        if (consent->aged[i].atom)
            place_aged(grown, capacity, consent->aged[i]);
    souk_mem_put(consent->mem, consent->aged);
    consent->aged = grown;
    consent->aged_capacity = capacity;
    return SOUK_OK;
}

/* Into the room that is there. */
static void settle_aged(souk_consent *consent, struct consent_aged aged)
{
    struct consent_aged *there = consent_find_aged(consent, aged.atom);
    if (there && there->turn <= aged.turn)
        *there = aged;
    if (there)
        return;
    place_aged(consent->aged, consent->aged_capacity, aged);
    consent->aged_count++;
}

static souk_err put_aged(souk_consent *consent, struct consent_aged aged)
{
    SOUK_TRY(aged_room(consent));
    settle_aged(consent, aged);
    return SOUK_OK;
}

/* ---- life ------------------------------------------------------------------------------------------------- */

static souk_err read_consents(souk_tx *tx, void *context)
{
    souk_consent *consent = context;
    if (consent->said) /* the closure runs again */
        memset(consent->said, 0, consent->said_capacity * sizeof *consent->said);
    if (consent->aged)
        memset(consent->aged, 0, consent->aged_capacity * sizeof *consent->aged);
    consent->said_count = consent->aged_count = 0;
    souk_auto_value(souk_rows) rows = {0}, ages = {0};
    SOUK_TRY(souk_rows_begin(tx,
                             "SELECT atom, controller, purpose, basis, guardian, since, until "
                             "FROM consent ORDER BY id",
                             SOUK_NO_VALUES, &rows));
    while (souk_rows_next(&rows)) {
        struct consent_said said = {.atom = (uint32_t)souk_rows_int(&rows, 0),
                                    .controller = (uint32_t)souk_rows_int(&rows, 1),
                                    .purpose = (uint8_t)souk_rows_int(&rows, 2),
                                    .basis = (uint8_t)souk_rows_int(&rows, 3),
                                    .guardian = souk_rows_int(&rows, 4) != 0,
                                    .since = souk_rows_int(&rows, 5),
                                    .until = souk_rows_int(&rows, 6)};
        SOUK_TRY(put_said(consent, said));
    }
    SOUK_TRY(souk_rows_check(&rows));
    SOUK_TRY(souk_rows_begin(tx, "SELECT atom, age FROM consent_age", SOUK_NO_VALUES, &ages));
    while (souk_rows_next(&ages))
        SOUK_TRY(put_aged(consent, (struct consent_aged){.atom = (uint32_t)souk_rows_int(&ages, 0),
                                                         .age = (uint8_t)souk_rows_int(&ages, 1)}));
    SOUK_TRY(souk_rows_check(&ages));
    SOUK_TRY(said_room(consent)); /* for what waits */
    return aged_room(consent);
}

static bool is_strict(const struct consent_pending *pending)
{
    return pending->age == SOUK_AGE_UNKNOWN ? pending->said.basis == SOUK_BASIS_WITHDRAWN
                                            : pending->age == SOUK_AGE_MINOR;
}

static void hear(souk_consent *consent, const struct consent_pending *pending)
{
    if (pending->age == SOUK_AGE_UNKNOWN)
        settle_said(consent, pending->said);
    else
        settle_aged(consent, (struct consent_aged){pending->said.atom, (uint8_t)pending->age,
                                                   pending->said.turn});
}

/* What is not committed yet, and stricter, holds all the same. */
static void hear_strict_again(souk_consent *consent)
{
    for (const souk_consent_change *change = consent->changes; change; change = change->next)
        for (size_t i = 0; i < change->count; i++)
            if (is_strict(&change->pending[i]))
                hear(consent, &change->pending[i]);
}

/* All or nothing: with half of the withdrawals forgotten, what a source stated would speak again. */
static souk_err read_anew(souk_consent *consent)
{
    struct souk_consent fresh = {.mem = consent->mem, .waiting_count = consent->waiting_count};
    souk_err err = souk_ledger_read(consent->ledger, read_consents, &fresh);
    struct souk_consent *unused = err ? &fresh : consent;
    souk_mem_put(consent->mem, unused->said);
    souk_mem_put(consent->mem, unused->aged);
    if (err)
        return err;
    consent->said = fresh.said;
    consent->said_capacity = fresh.said_capacity;
    consent->said_count = fresh.said_count;
    consent->aged = fresh.aged;
    consent->aged_capacity = fresh.aged_capacity;
    consent->aged_count = fresh.aged_count;
    hear_strict_again(consent);
    return SOUK_OK;
}

souk_err souk_consent_open(souk_mem *mem, souk_ledger *ledger, souk_consent **ret_consent,
                           souk_diag *diag)
{
    SOUK_TRY(souk_ledger_migrate(ledger, "consent", consent_steps,
                                 sizeof consent_steps / sizeof *consent_steps, diag));
    souk_auto(souk_consent) consent = souk_mem_get(mem, sizeof *consent);
    if (!consent)
        return SOUK_ENOMEM;
    consent->mem = mem;
    consent->ledger = ledger;
    souk_rwlock_init(&consent->lock);
    souk_entropy(&consent->seal, sizeof consent->seal);
    consent->source_bases = souk_mem_array(mem, CONSENT_SOURCES, sizeof *consent->source_bases);
    if (!consent->source_bases)
        return SOUK_ENOMEM;
    SOUK_TRY(read_anew(consent));
    *ret_consent = souk_take(&consent);
    return SOUK_OK;
}

void souk_consent_free(souk_consent *consent)
{
    if (!consent)
        return;
    souk_mem_put(consent->mem, consent->said);
    souk_mem_put(consent->mem, consent->aged);
    souk_mem_put(consent->mem, consent->source_bases);
    souk_rwlock_done(&consent->lock);
    souk_mem_put(consent->mem, consent);
}

/* ---- saying ------------------------------------------------------------------------------------------------ */

/* With room for it where it will stand, so that what is stored is also heard. */
static souk_err wait_for_commit(souk_consent *consent, souk_consent_change *change,
                                struct consent_pending pending)
{
    SOUK_TRY(pending.age == SOUK_AGE_UNKNOWN ? said_room(consent) : aged_room(consent));
    SOUK_TRY(souk_mem_grow(consent->mem, &change->pending, &change->capacity, change->count + 1,
                           (size_t)1 << 24, sizeof pending));
    SOUK_TRY(consent_change_room(consent, change));
    pending.said.turn = ++consent->turns;
    change->pending[change->count++] = pending;
    consent_change_note(change, change->count - 1);
    consent->waiting_count++;
    if (is_strict(&pending)) { /* effective before the commit: stricter is never wrong */
        hear(consent, &pending);
        consent->epoch++;
    }
    return SOUK_OK;
}

static souk_err apply_row(souk_consent *consent, souk_consent_change *change, souk_tx *tx,
                          const souk_consent_row *row)
{
    if (row->basis == SOUK_BASIS_NONE || (unsigned)row->purpose >= SOUK_PURPOSE_MOST ||
        (row->until && row->until <= row->from))
        return SOUK_EINVAL;
    if (row->basis == SOUK_BASIS_WITHDRAWN && row->purpose == SOUK_PURPOSE_SERVE)
        return SOUK_EINVAL;
    SOUK_TRY(souk_sql_run(
        tx,
        "INSERT INTO consent (atom, controller, purpose, basis, since, until, guardian, evidence) "
        "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        SOUK_VALUES(SOUK_INT(row->atom), SOUK_INT(row->controller), SOUK_INT(row->purpose),
                    SOUK_INT(row->basis), SOUK_INT(row->from), SOUK_INT(row->until),
                    SOUK_INT(row->guardian), SOUK_BLOB(row->evidence.at, row->evidence.bytes))));
    struct consent_said said = {.atom = row->atom,
                                .controller = row->controller,
                                .purpose = (uint8_t)row->purpose,
                                .basis = (uint8_t)row->basis,
                                .guardian = row->guardian,
                                .since = row->from,
                                .until = row->until};
    return wait_for_commit(consent, change, (struct consent_pending){.said = said});
}

void souk_consent_begin(souk_consent *consent, souk_consent_change *change)
{
    souk_auto_write(&consent->lock);
    consent_change_clear(consent, change);
    if (change->is_open)
        return;
    change->is_open = true;
    change->next = consent->changes;
    consent->changes = change;
}

souk_err souk_consent_apply(souk_consent *consent, souk_consent_change *change, souk_tx *tx,
                            const souk_consent_row *rows, size_t count)
{
    souk_assert(change->is_open);
    souk_auto_write(&consent->lock);
    for (size_t i = 0; i < count; i++)
        SOUK_TRY(apply_row(consent, change, tx, &rows[i]));
    return SOUK_OK;
}

souk_err souk_consent_set_age(souk_consent *consent, souk_consent_change *change, souk_tx *tx,
                              uint32_t atom, souk_age age, souk_text evidence)
{
    SOUK_TRY(souk_sql_run(
        tx,
        "INSERT INTO consent_age (atom, age, evidence) VALUES (?1, ?2, ?3) "
        "ON CONFLICT (atom) DO UPDATE SET age = ?2, evidence = ?3",
        SOUK_VALUES(SOUK_INT(atom), SOUK_INT(age), SOUK_BLOB(evidence.at, evidence.bytes))));
    souk_auto_write(&consent->lock);
    return wait_for_commit(consent, change,
                           (struct consent_pending){.said = {.atom = atom}, .age = age});
}

void souk_consent_committed(souk_consent *consent, souk_consent_change *change)
{
    souk_auto_write(&consent->lock);
    for (size_t i = 0; i < change->count; i++)
        hear(consent, &change->pending[i]);
    consent->epoch += change->count != 0;
    consent_change_close(consent, change);
}

souk_err souk_consent_abandoned(souk_consent *consent, souk_consent_change *change)
{
    souk_auto_write(&consent->lock);
    consent_change_close(consent, change);
    consent->epoch++;
    return read_anew(consent);
}

souk_err souk_consent_forget(souk_consent *consent, souk_tx *tx, uint32_t atom)
{
    SOUK_TRY(souk_sql_run(tx, "DELETE FROM consent WHERE atom = ?1", SOUK_VALUES(SOUK_INT(atom))));
    SOUK_TRY(
        souk_sql_run(tx, "DELETE FROM consent_age WHERE atom = ?1", SOUK_VALUES(SOUK_INT(atom))));
    souk_auto_write(&consent->lock);
    consent_change_forget(consent, atom);
    for (size_t i = 0; i < consent->said_capacity; i++)
        if (consent->said[i].atom == atom) /* keeps its place: others may lie behind it */
            consent->said[i].basis = SOUK_BASIS_WITHDRAWN;
    struct consent_aged *aged = consent_find_aged(consent, atom);
    if (aged)
        aged->age = SOUK_AGE_UNKNOWN;
    consent->epoch++;
    return SOUK_OK;
}

/* The ledger alone knows them: a closure may run twice, or be undone. */
souk_err souk_consent_party(souk_consent *consent, souk_tx *tx, souk_text party,
                            souk_purpose *ret_purpose)
{
    (void)consent;
    int64_t number;
    if (party.bytes == 0 || party.bytes > PARTY_BYTES)
        return SOUK_EINVAL;
    souk_err err = souk_sql_one_int(tx, "SELECT purpose FROM consent_party WHERE party = ?1",
                                    SOUK_VALUES(SOUK_STR(party)), &number);
    if (err == SOUK_ENOENT) {
        SOUK_TRY(souk_sql_one_int(tx, "SELECT coalesce(max(purpose) + 1, ?1) FROM consent_party",
                                  SOUK_VALUES(SOUK_INT(SOUK_PURPOSE_SHARE)), &number));
        if (number >= SOUK_PURPOSE_MOST)
            return SOUK_ETOOBIG;
        err = souk_sql_run(tx, "INSERT INTO consent_party (purpose, party) VALUES (?1, ?2)",
                           SOUK_VALUES(SOUK_INT(number), SOUK_STR(party)));
    }
    SOUK_TRY(err);
    *ret_purpose = (souk_purpose)number;
    return SOUK_OK;
}

struct wanted {
    souk_text party;
    int64_t purpose;
};

static souk_err read_party(souk_tx *tx, void *context)
{
    struct wanted *wanted = context;
    return souk_sql_one_int(tx, "SELECT purpose FROM consent_party WHERE party = ?1",
                            SOUK_VALUES(SOUK_STR(wanted->party)), &wanted->purpose);
}

souk_err souk_consent_purpose(const souk_consent *consent, souk_text word,
                              souk_purpose *ret_purpose)
{
    souk_text share = SOUK_TEXT("share:");
    if (souk_purpose_of_word(word, ret_purpose))
        return SOUK_OK;
    if (!souk_text_starts(word, share))
        return SOUK_ENOENT;
    struct wanted wanted = {{word.at + share.bytes, word.bytes - share.bytes}, 0};
    SOUK_TRY(souk_ledger_read(consent->ledger, read_party, &wanted));
    *ret_purpose = (souk_purpose)wanted.purpose;
    return SOUK_OK;
}

void souk_consent_source(souk_consent *consent, uint32_t source, uint16_t bases, souk_age age)
{
    souk_assert(source < CONSENT_SOURCES);
    souk_auto_write(&consent->lock);
    consent->source_bases[source] =
        (uint16_t)((bases & STATED_BASES) | (age == SOUK_AGE_ADULT   ? STATED_ADULT
                                             : age == SOUK_AGE_MINOR ? STATED_MINOR
                                                                     : 0));
}

uint16_t souk_consent_bases_of(void *context, uint32_t source)
{
    const souk_consent *consent = context;
    return source < CONSENT_SOURCES
               ? __atomic_load_n(&consent->source_bases[source], __ATOMIC_RELAXED)
               : 0;
}

/* ---- listing ------------------------------------------------------------------------------------------------ */

souk_err souk_consent_rows(souk_consent *consent, souk_tx *tx, uint32_t atom,
                           souk_err (*each)(void *context, const souk_consent_row *row),
                           void *context)
{
    (void)consent;
    souk_auto_value(souk_rows) rows = {0};
    SOUK_TRY(souk_rows_begin(tx,
                             "SELECT controller, purpose, basis, since, until, guardian, evidence "
                             "FROM consent WHERE atom = ?1 ORDER BY id",
                             SOUK_VALUES(SOUK_INT(atom)), &rows));
    while (souk_rows_next(&rows)) {
        souk_consent_row row = {.atom = atom,
                                .controller = (uint32_t)souk_rows_int(&rows, 0),
                                .purpose = (souk_purpose)souk_rows_int(&rows, 1),
                                .basis = (souk_basis)souk_rows_int(&rows, 2),
                                .from = souk_rows_int(&rows, 3),
                                .until = souk_rows_int(&rows, 4),
                                .guardian = souk_rows_int(&rows, 5) != 0,
                                .evidence = souk_rows_blob(&rows, 6)};
        SOUK_TRY(each(context, &row));
    }
    return souk_rows_check(&rows);
}

/* Whether the row tells what the row before it told, of another atom: the words of a decision are sealed once. */
static bool is_told(souk_buf *before, souk_purpose purpose, souk_text evidence)
{
    souk_text told = souk_buf_view(before);
    bool same = told.bytes == evidence.bytes + 1 && told.at[0] == (char)purpose &&
                !memcmp(told.at + 1, evidence.at, evidence.bytes);
    souk_buf_clear(before);
    souk_buf_byte(before, (char)purpose);
    souk_buf_text(before, evidence);
    return same && evidence.bytes;
}

souk_err souk_consent_withdrawn(souk_tx *tx, uint64_t after, size_t most,
                                souk_err (*each)(void *context, uint64_t id,
                                                 const souk_consent_row *row),
                                void *context, uint64_t *ret_last)
{
    souk_auto_value(souk_rows) rows = {0};
    souk_auto_value(souk_buf) before = {.mem = NULL};
    uint64_t last = after;
    SOUK_TRY(souk_rows_begin(tx,
                             "SELECT id, atom, controller, purpose, basis, since, evidence "
                             "FROM consent WHERE id > ?1 ORDER BY id LIMIT ?2",
                             SOUK_VALUES(SOUK_INT(after), SOUK_INT(most)), &rows));
    while (souk_rows_next(&rows)) {
        souk_consent_row row = {.atom = (uint32_t)souk_rows_int(&rows, 1),
                                .controller = (uint32_t)souk_rows_int(&rows, 2),
                                .purpose = (souk_purpose)souk_rows_int(&rows, 3),
                                .basis = (souk_basis)souk_rows_int(&rows, 4),
                                .from = souk_rows_int(&rows, 5),
                                .evidence = souk_rows_blob(&rows, 6)};
        last = (uint64_t)souk_rows_int(&rows, 0);
        if (row.basis == SOUK_BASIS_WITHDRAWN && !is_told(&before, row.purpose, row.evidence))
            SOUK_TRY(each(context, last, &row));
        SOUK_TRY(souk_buf_check(&before));
    }
    *ret_last = last;
    return souk_rows_check(&rows);
}

souk_err souk_consent_newest(souk_tx *tx, uint64_t *ret_id)
{
    int64_t id = 0;
    souk_err err = souk_sql_one_int(tx, "SELECT max(id) FROM consent", SOUK_NO_VALUES, &id);
    *ret_id = (uint64_t)id;
    return err == SOUK_ENOENT ? SOUK_OK : err;
}
