/* quarantine.c - the table of quarantine.h. */
#include "core/quarantine.h"

static const souk_migration quarantine_steps[] = {
    {1, "CREATE TABLE quarantine ("
        "  reader   TEXT NOT NULL,"                         /* index, or a cursor's name */
        "  position INTEGER NOT NULL CHECK (position > 0)," /* of the event in the log */
        "  why      TEXT NOT NULL,"                         /* name of a souk_err */
        "  at       INTEGER NOT NULL,"                      /* ms UTC */
        "  PRIMARY KEY (reader, position)"
        ") WITHOUT ROWID"},
};

souk_err souk_quarantine_migrate(souk_ledger *ledger, souk_diag *diag)
{
    return souk_ledger_migrate(ledger, "quarantine", quarantine_steps,
                               sizeof quarantine_steps / sizeof *quarantine_steps, diag);
}

souk_err souk_quarantine_put(souk_tx *tx, souk_text reader, uint64_t position, souk_err why,
                             souk_time now)
{
    return souk_sql_run(
        tx,
        "INSERT INTO quarantine (reader, position, why, at) VALUES (?1, ?2, ?3, ?4) "
        "ON CONFLICT (reader, position) DO NOTHING",
        SOUK_VALUES(SOUK_STR(reader), SOUK_INT(position),
                    SOUK_STR(souk_text_of(souk_err_name(why))), SOUK_INT(now)));
}

souk_err souk_quarantine_forget(souk_tx *tx, souk_text reader, uint64_t position)
{
    SOUK_TRY(souk_sql_run(tx, "DELETE FROM quarantine WHERE reader = ?1 AND position = ?2",
                          SOUK_VALUES(SOUK_STR(reader), SOUK_INT(position))));
    return souk_sql_changed(tx) == 1 ? SOUK_OK : SOUK_ENOENT;
}

static souk_err err_of(souk_text name)
{
    for (int err = 0; err < SOUK_ERR_COUNT; err++)
        if (souk_text_equal(name, souk_text_of(souk_err_name((souk_err)err))))
            return (souk_err)err;
    return SOUK_ECORRUPT;
}

souk_err souk_quarantine_list(souk_tx *tx, souk_text after_reader, uint64_t after_position,
                              size_t most,
                              souk_err (*each)(void *context, const souk_quarantined *row),
                              void *context)
{
    souk_auto_value(souk_rows) rows = {0};
    SOUK_TRY(souk_rows_begin(
        tx,
        "SELECT reader, position, why, at FROM quarantine "
        "WHERE (reader, position) > (?1, ?2) ORDER BY reader, position LIMIT ?3",
        SOUK_VALUES(SOUK_STR(after_reader), SOUK_INT(after_position), SOUK_INT(most)), &rows));
    while (souk_rows_next(&rows)) {
        souk_quarantined row = {.reader = souk_rows_text(&rows, 0),
                                .position = (uint64_t)souk_rows_int(&rows, 1),
                                .why = err_of(souk_rows_text(&rows, 2)),
                                .at = souk_rows_int(&rows, 3)};
        SOUK_TRY(each(context, &row));
    }
    return souk_rows_check(&rows);
}

souk_err souk_quarantine_count(souk_tx *tx, uint64_t *ret_count)
{
    int64_t count;
    SOUK_TRY(souk_sql_one_int(tx, "SELECT count(*) FROM quarantine", SOUK_NO_VALUES, &count));
    *ret_count = (uint64_t)count;
    return SOUK_OK;
}
