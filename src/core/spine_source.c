/* spine_source.c - the senders of events: whose they are, and what they stated once and for all. */
#include "core/spine_private.h"

static const souk_migration source_steps[] = {
    {1, "CREATE TABLE source ("
        "  number   INTEGER PRIMARY KEY CHECK (number BETWEEN 1 AND 65535)," /* in blocks */
        "  merchant INTEGER NOT NULL CHECK (merchant > 0)," /* whose products it names */
        "  bases    INTEGER NOT NULL," /* bit p: it states a basis for purpose p (consent.h) */
        "  age      INTEGER NOT NULL"  /* souk_age of all its shoppers, as it states */
        ")"},
    /* souk_speaks: for whom it says yes.  What was there before speaks for visitors: the safest. */
    {2, "ALTER TABLE source ADD COLUMN speaks INTEGER NOT NULL DEFAULT 1 "
        "CHECK (speaks BETWEEN 1 AND 3)"},
};

void souk_spine_know_source(souk_spine *spine, uint32_t source, uint32_t merchant, uint16_t bases,
                            souk_age age, souk_speaks speaks)
{
    souk_assert(source < SPINE_SOURCES);
    spine->sources[source] = (struct spine_source){merchant, bases, (uint8_t)age, (uint8_t)speaks};
    souk_consent_source(spine->consent, source, bases, age);
}

souk_err souk_spine_new_source(souk_tx *tx, uint32_t merchant, uint16_t bases, souk_age age,
                               souk_speaks speaks, uint32_t *ret_source)
{
    int64_t number;
    SOUK_TRY(souk_sql_one_int(
        tx,
        "INSERT INTO source (number, merchant, bases, age, speaks) "
        "SELECT coalesce(max(number), 0) + 1, ?1, ?2, ?3, ?4 FROM source "
        "RETURNING number",
        SOUK_VALUES(SOUK_INT(merchant), SOUK_INT(bases), SOUK_INT(age), SOUK_INT(speaks)),
        &number));
    *ret_source = (uint32_t)number;
    return SOUK_OK;
}

souk_err souk_spine_change_speaks(souk_tx *tx, uint32_t source, souk_speaks speaks)
{
    return souk_sql_run(tx, "UPDATE source SET speaks = ?2 WHERE number = ?1",
                        SOUK_VALUES(SOUK_INT(source), SOUK_INT(speaks)));
}

void souk_spine_know_speaks(souk_spine *spine, uint32_t source, souk_speaks speaks)
{
    souk_assert(source < SPINE_SOURCES);
    __atomic_store_n(&spine->sources[source].speaks, (uint8_t)speaks, __ATOMIC_RELEASE);
}

static souk_err read_sources(souk_tx *tx, void *context)
{
    souk_spine *spine = context;
    souk_auto_value(souk_rows) rows = {0};
    SOUK_TRY(souk_rows_begin(tx, "SELECT number, merchant, bases, age, speaks FROM source",
                             SOUK_NO_VALUES, &rows));
    while (souk_rows_next(&rows))
        souk_spine_know_source(spine, (uint32_t)souk_rows_int(&rows, 0),
                               (uint32_t)souk_rows_int(&rows, 1), (uint16_t)souk_rows_int(&rows, 2),
                               (souk_age)souk_rows_int(&rows, 3),
                               (souk_speaks)souk_rows_int(&rows, 4));
    return souk_rows_check(&rows);
}

souk_err spine_sources_open(souk_spine *spine, souk_diag *diag)
{
    SOUK_TRY(souk_ledger_migrate(spine->ledger, "source", source_steps,
                                 sizeof source_steps / sizeof *source_steps, diag));
    return souk_ledger_read(spine->ledger, read_sources, spine);
}
