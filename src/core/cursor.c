/* cursor.c - one row for each cursor; an event that does not fit costs two tries and a row of quarantine. */
#include "core/cursor.h"

#include "core/log.h"
#include "core/quarantine.h"

static const souk_migration cursor_steps[] = {
    {1, "CREATE TABLE cursor ("
        "  name     TEXT PRIMARY KEY,"
        "  position INTEGER NOT NULL CHECK (position > 0)" /* of the event it takes next */
        ") WITHOUT ROWID"},
};

struct souk_cursor {
    souk_mem *mem;
    souk_ledger *ledger;
    const souk_clock *clock;
    souk_cursor_options options;
    uint64_t position;
    uint64_t failing; /* position that failed once; 0: none */
};

/* One transaction's plan, and how it went. */
struct step {
    souk_cursor *cursor;
    uint64_t position;
    size_t most, taken;
    uint64_t failed_at; /* 0: none */
};

static souk_text name_of(const souk_cursor *cursor)
{
    return souk_text_of(cursor->options.name);
}

static souk_err find_row(souk_tx *tx, void *context)
{
    souk_cursor *cursor = context;
    int64_t position;
    SOUK_TRY(souk_sql_run(
        tx,
        "INSERT INTO cursor (name, position) VALUES (?1, ?2) "
        "ON CONFLICT (name) DO NOTHING",
        SOUK_VALUES(SOUK_STR(name_of(cursor)), SOUK_INT(souk_max_size(cursor->options.from, 1)))));
    SOUK_TRY(souk_sql_one_int(tx, "SELECT position FROM cursor WHERE name = ?1",
                              SOUK_VALUES(SOUK_STR(name_of(cursor))), &position));
    cursor->position = (uint64_t)position;
    return SOUK_OK;
}

souk_err souk_cursor_open(souk_mem *mem, souk_ledger *ledger, const souk_clock *clock,
                          const souk_cursor_options *options, souk_cursor **ret_cursor,
                          souk_diag *diag)
{
    SOUK_TRY(souk_quarantine_migrate(ledger, diag));
    SOUK_TRY(souk_ledger_migrate(ledger, "cursor", cursor_steps,
                                 sizeof cursor_steps / sizeof *cursor_steps, diag));
    souk_auto(souk_cursor) cursor = souk_mem_get(mem, sizeof *cursor);
    if (!cursor)
        return SOUK_ENOMEM;
    *cursor = (souk_cursor){.mem = mem, .ledger = ledger, .clock = clock, .options = *options};
    SOUK_TRY(souk_ledger_write(ledger, SOUK_LANE_JOB, find_row, cursor));
    *ret_cursor = souk_take(&cursor);
    return SOUK_OK;
}

void souk_cursor_free(souk_cursor *cursor)
{
    if (cursor)
        souk_mem_put(cursor->mem, cursor);
}

uint64_t souk_cursor_position(const souk_cursor *cursor)
{
    return cursor->position;
}

static bool is_weather(souk_err err)
{
    return err == SOUK_ENOMEM || err == SOUK_EIO || err == SOUK_EFULL || err == SOUK_EBUSY ||
           err == SOUK_ESTOPPED;
}

/* The row must stand where this cursor believes: two cursors of one name would take events twice. */
static souk_err move_row(souk_tx *tx, const souk_cursor *cursor, uint64_t from, uint64_t to)
{
    SOUK_TRY(souk_sql_run(tx, "UPDATE cursor SET position = ?3 WHERE name = ?1 AND position = ?2",
                          SOUK_VALUES(SOUK_STR(name_of(cursor)), SOUK_INT(from), SOUK_INT(to))));
    return souk_sql_changed(tx) == 1 ? SOUK_OK : SOUK_ECONFLICT;
}

static souk_err take_from(struct step *step, souk_tx *tx, const souk_block *block)
{
    const souk_cursor_options *options = &step->cursor->options;
    size_t at = (size_t)(step->position - block->first_position);
    size_t end = at + souk_min_size(step->most, block->count - at);
    for (size_t i = at; i < end; i++) {
        const souk_fact *fact = &block->facts[i];
        souk_err err = options->take(options->context, tx, fact, block->lines + fact->first_line);
        if (err) {
            step->failed_at = is_weather(err) ? 0 : fact->position;
            return err;
        }
    }
    step->taken = end - at;
    return SOUK_OK;
}

/* The block is read in the transaction: an erasure cannot come between it and the output. */
static souk_err take_some(souk_tx *tx, void *context)
{
    struct step *step = context;
    uint64_t first;
    size_t count;
    step->taken = 0;
    step->failed_at = 0;
    souk_err err = souk_log_find(tx, step->position, &first, &count);
    if (err == SOUK_ENOENT)
        return SOUK_OK;
    SOUK_TRY(err);
    souk_auto(souk_block) block = NULL;
    SOUK_TRY(souk_log_columns(step->cursor->mem, tx, first, &block));
    SOUK_TRY(take_from(step, tx, block));
    return move_row(tx, step->cursor, step->position, step->position + step->taken);
}

struct passing {
    souk_cursor *cursor;
    souk_err why;
};

static souk_err pass_over(souk_tx *tx, void *context)
{
    const struct passing *passing = context;
    const souk_cursor *cursor = passing->cursor;
    SOUK_TRY(souk_quarantine_put(tx, name_of(cursor), cursor->position, passing->why,
                                 souk_clock_now_ms(cursor->clock)));
    return move_row(tx, cursor, cursor->position, cursor->position + 1);
}

/* The event at the cursor's position failed with `why`: for the first time, or alone and again. */
static souk_err give_up_or_wait(souk_cursor *cursor, souk_err why)
{
    if (cursor->failing != cursor->position) {
        cursor->failing = cursor->position;
        return SOUK_OK;
    }
    struct passing passing = {cursor, why};
    SOUK_TRY(souk_ledger_write(cursor->ledger, SOUK_LANE_JOB, pass_over, &passing));
    cursor->position++;
    return SOUK_OK;
}

souk_err souk_cursor_step(souk_cursor *cursor, size_t most, bool *ret_did)
{
    struct step step = {.cursor = cursor,
                        .position = cursor->position,
                        .most = cursor->failing == cursor->position ? 1 : most};
    *ret_did = false;
    souk_err err = souk_ledger_write(cursor->ledger, SOUK_LANE_JOB, take_some, &step);
    if (err && step.failed_at > cursor->position) { /* those before it first */
        step.most = (size_t)(step.failed_at - cursor->position);
        err = souk_ledger_write(cursor->ledger, SOUK_LANE_JOB, take_some, &step);
    }
    if (err && step.failed_at == cursor->position) {
        SOUK_TRY(give_up_or_wait(cursor, err));
        *ret_did = true;
        return SOUK_OK;
    }
    SOUK_TRY(err);
    cursor->position += step.taken;
    *ret_did = step.taken > 0;
    return SOUK_OK;
}

struct skipping {
    const souk_cursor *cursor;
    uint64_t to;
};

static souk_err skip(souk_tx *tx, void *context)
{
    const struct skipping *skipping = context;
    return move_row(tx, skipping->cursor, skipping->cursor->position, skipping->to);
}

souk_err souk_cursor_skip(souk_cursor *cursor, uint64_t to)
{
    struct skipping skipping = {cursor, to};
    if (to <= cursor->position)
        return SOUK_OK;
    SOUK_TRY(souk_ledger_write(cursor->ledger, SOUK_LANE_JOB, skip, &skipping));
    cursor->position = to;
    return SOUK_OK;
}

static souk_err take_again(souk_tx *tx, void *context)
{
    struct step *step = context;
    uint64_t first;
    size_t count;
    SOUK_TRY(souk_quarantine_forget(tx, name_of(step->cursor), step->position));
    SOUK_TRY(souk_log_find(tx, step->position, &first, &count));
    souk_auto(souk_block) block = NULL;
    SOUK_TRY(souk_log_columns(step->cursor->mem, tx, first, &block));
    return take_from(step, tx, block);
}

souk_err souk_cursor_retry(souk_cursor *cursor, uint64_t position)
{
    struct step step = {.cursor = cursor, .position = position, .most = 1};
    return souk_ledger_write(cursor->ledger, SOUK_LANE_JOB, take_again, &step);
}
