/* log.c - the table behind log.h. */
#include "core/log.h"

static const souk_migration log_steps[] = {
    {1, "CREATE TABLE log_block ("
        "  first INTEGER PRIMARY KEY CHECK (first > 0)," /* position of its first event */
        "  count INTEGER NOT NULL CHECK (count > 0),"    /* events; the next block starts behind */
        "  bytes BLOB NOT NULL"                          /* block.h */
        ")"},
};

souk_err souk_log_migrate(souk_ledger *ledger, souk_diag *diag)
{
    return souk_ledger_migrate(ledger, "log", log_steps, sizeof log_steps / sizeof *log_steps,
                               diag);
}

souk_err souk_log_end(souk_tx *tx, uint64_t *ret_position)
{
    int64_t end;
    souk_err err =
        souk_sql_one_int(tx, "SELECT first + count FROM log_block ORDER BY first DESC LIMIT 1",
                         SOUK_NO_VALUES, &end);
    if (err == SOUK_ENOENT) {
        *ret_position = 1;
        return SOUK_OK;
    }
    *ret_position = (uint64_t)end;
    return err;
}

souk_err souk_log_append(souk_tx *tx, uint64_t first, size_t count, souk_text bytes)
{
    return souk_sql_run(
        tx, "INSERT INTO log_block (first, count, bytes) VALUES (?1, ?2, ?3)",
        SOUK_VALUES(SOUK_INT(first), SOUK_INT(count), SOUK_BLOB(bytes.at, bytes.bytes)));
}

souk_err souk_log_find(souk_tx *tx, uint64_t position, uint64_t *ret_first, size_t *ret_count)
{
    souk_auto_value(souk_rows) rows = {0};
    SOUK_TRY(souk_rows_begin(
        tx, "SELECT first, count FROM log_block WHERE first <= ?1 ORDER BY first DESC LIMIT 1",
        SOUK_VALUES(SOUK_INT(position)), &rows));
    if (!souk_rows_next(&rows)) {
        SOUK_TRY(souk_rows_check(&rows));
        return SOUK_ENOENT;
    }
    *ret_first = (uint64_t)souk_rows_int(&rows, 0);
    *ret_count = (size_t)souk_rows_int(&rows, 1);
    return position - *ret_first < *ret_count ? SOUK_OK : SOUK_ENOENT;
}

souk_err souk_log_load(souk_tx *tx, uint64_t first, souk_buf *out)
{
    souk_auto_value(souk_rows) rows = {0};
    SOUK_TRY(souk_rows_begin(tx, "SELECT bytes FROM log_block WHERE first = ?1",
                             SOUK_VALUES(SOUK_INT(first)), &rows));
    if (!souk_rows_next(&rows)) {
        SOUK_TRY(souk_rows_check(&rows));
        return SOUK_ENOENT;
    }
    souk_buf_text(out, souk_rows_blob(&rows, 0));
    return souk_buf_check(out);
}

souk_err souk_log_load_at(souk_tx *tx, uint64_t position, uint64_t *ret_first, souk_buf *out)
{
    souk_auto_value(souk_rows) rows = {0};
    SOUK_TRY(souk_rows_begin(tx,
                             "SELECT first, count, bytes FROM log_block WHERE first <= ?1 "
                             "ORDER BY first DESC LIMIT 1",
                             SOUK_VALUES(SOUK_INT(position)), &rows));
    if (!souk_rows_next(&rows)) {
        SOUK_TRY(souk_rows_check(&rows));
        return SOUK_ENOENT;
    }
    *ret_first = (uint64_t)souk_rows_int(&rows, 0);
    if (position - *ret_first >= (uint64_t)souk_rows_int(&rows, 1))
        return SOUK_ENOENT;
    souk_buf_text(out, souk_rows_blob(&rows, 2));
    return souk_buf_check(out);
}

souk_err souk_log_replace(souk_tx *tx, uint64_t first, souk_text bytes)
{
    SOUK_TRY(souk_sql_run(tx, "UPDATE log_block SET bytes = ?2 WHERE first = ?1",
                          SOUK_VALUES(SOUK_INT(first), SOUK_BLOB(bytes.at, bytes.bytes))));
    return souk_sql_changed(tx) == 1 ? SOUK_OK : SOUK_ECORRUPT;
}

static souk_err read_part(souk_tx *tx, uint64_t first, size_t offset, void *to, size_t bytes)
{
    return souk_sql_blob_read(tx, "log_block", "bytes", (int64_t)first, offset, to, bytes);
}

souk_err souk_log_columns(souk_mem *mem, souk_tx *tx, uint64_t first, souk_block **ret_block)
{
    unsigned char header[SOUK_BLOCK_HEADER];
    size_t head_bytes;
    SOUK_TRY(read_part(tx, first, 0, header, sizeof header));
    SOUK_TRY(souk_block_head_bytes(header, &head_bytes));
    souk_auto_value(souk_buf) head = {.mem = mem};
    char *room = souk_buf_room(&head, head_bytes);
    if (!room)
        return souk_buf_check(&head);
    SOUK_TRY(read_part(tx, first, 0, room, head_bytes));
    souk_buf_added(&head, head_bytes);
    return souk_block_read(mem, souk_buf_view(&head), SOUK_BLOCK_COLUMNS, ret_block);
}

souk_err souk_log_messages(souk_tx *tx, uint64_t first, size_t count, souk_buf *out)
{
    unsigned char header[SOUK_BLOCK_HEADER];
    size_t head_bytes;
    SOUK_TRY(read_part(tx, first, 0, header, sizeof header));
    SOUK_TRY(souk_block_head_bytes(header, &head_bytes));
    char *room = souk_buf_room(out, count * SOUK_BLOCK_MESSAGE);
    if (!room || head_bytes < SOUK_BLOCK_HEADER + count * SOUK_BLOCK_MESSAGE)
        return room ? SOUK_ECORRUPT : souk_buf_check(out);
    SOUK_TRY(read_part(tx, first, head_bytes - count * SOUK_BLOCK_MESSAGE, room,
                       count * SOUK_BLOCK_MESSAGE));
    souk_buf_added(out, count * SOUK_BLOCK_MESSAGE);
    return SOUK_OK;
}

struct walk {
    uint64_t next;
    souk_buf bytes;
    bool found;
};

static souk_err load_next(souk_tx *tx, void *context)
{
    struct walk *walk = context;
    uint64_t first;
    size_t count;
    souk_buf_clear(&walk->bytes);
    souk_err err = souk_log_find(tx, walk->next, &first, &count);
    walk->found = err == SOUK_OK;
    if (err == SOUK_ENOENT)
        return SOUK_OK;
    SOUK_TRY(err);
    SOUK_TRY(souk_log_load(tx, first, &walk->bytes));
    walk->next = first + count;
    return SOUK_OK;
}

souk_err souk_log_walk_to(souk_mem *mem, souk_ledger *ledger, uint64_t from, uint64_t to,
                          souk_log_each *each, void *context)
{
    struct walk walk = {.next = souk_max_size(from, 1), .bytes = {.mem = mem}};
    souk_err err = SOUK_OK;
    while (walk.next < to && !(err = souk_ledger_read(ledger, load_next, &walk)) && walk.found) {
        souk_block *block = NULL;
        err = souk_block_read(mem, souk_buf_view(&walk.bytes), SOUK_BLOCK_ALL, &block);
        if (!err)
            err = each(context, block);
        souk_block_free(block);
        if (err)
            break;
    }
    souk_buf_done(&walk.bytes);
    return err;
}

souk_err souk_log_walk(souk_mem *mem, souk_ledger *ledger, uint64_t from, souk_log_each *each,
                       void *context)
{
    return souk_log_walk_to(mem, ledger, from, UINT64_MAX, each, context);
}
