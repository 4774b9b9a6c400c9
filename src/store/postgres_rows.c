/* postgres_rows.c - cursors on PostgreSQL.
 *
 * A connection runs one statement at a time, and cursors nest, so that rows lie in memory before the next
 * statement runs.  How many of them:
 *
 *     direct    the prepared statement, row by row into a list; one round trip.  For statements that have proven
 *               small (at most FIRST_ROWS, TRUSTED_RUNS times in a row) and for those that change rows.
 *     declared  DECLARE … CURSOR and the first FETCH in one round trip; further chunks of about CHUNK_BYTES.  For all
 *               other queries.
 *
 * A trusted statement that brings more than DIRECT_ROWS all the same is let go with its connection, and its closure
 * runs again with a declared cursor: memory stays bounded, and it happens once for each statement. */
#include "store/postgres_tx.h"

#include <stdio.h>

enum {
    FIRST_ROWS = 32,
    TRUSTED_RUNS = 3,
    DIRECT_ROWS = 512,
    CHANGED_ROWS = 100000, /* of RETURNING */
    CHUNK_ROWS = 1000,
    CHUNK_BYTES = 1 << 20,
};

struct postgres_cursor {
    PGresult **parts; /* PGresult *[part_room]: the rows in memory, in order */
    size_t part_count, part_room;
    size_t part; /* where the current row lies */
    int row;
    bool declared, exhausted;
    char name[24];
};

static void drop_parts(struct postgres_cursor *cursor)
{
    for (size_t i = 0; i < cursor->part_count; i++)
        PQclear(cursor->parts[i]);
    cursor->part_count = cursor->part = 0;
    cursor->row = -1;
}

static void cursor_free(souk_mem *mem, struct postgres_cursor *cursor)
{
    drop_parts(cursor);
    souk_mem_put(mem, cursor->parts);
    souk_mem_put(mem, cursor);
}

static souk_err keep_part(struct postgres_tx *my, struct postgres_cursor *cursor, PGresult *part,
                          size_t most)
{
    souk_err err = cursor->part_count < most
                       ? souk_mem_grow(my->place->mem, &cursor->parts, &cursor->part_room,
                                       cursor->part_count + 1, most, sizeof *cursor->parts)
                       : SOUK_ETOOBIG;
    if (err)
        PQclear(part);
    else
        cursor->parts[cursor->part_count++] = part;
    return err;
}

/* ---- direct ------------------------------------------------------------------------------------- */

/* The end of a statement's answers, whatever they are. */
static void pass_over(struct postgres_tx *my)
{
    for (PGresult *result; (result = PQgetResult(my->conn));)
        PQclear(result);
}

static souk_err take_rows(struct postgres_tx *my, struct postgres_prepared *prepared,
                          struct postgres_cursor *cursor)
{
    size_t most = prepared->is_query ? DIRECT_ROWS : CHANGED_ROWS;
    for (PGresult *result; (result = PQgetResult(my->conn));) {
        switch (PQresultStatus(result)) {
        case PGRES_SINGLE_TUPLE:
            SOUK_TRY(keep_part(my, cursor, result, most));
            break;
        case PGRES_TUPLES_OK:
        case PGRES_COMMAND_OK:
            souk_postgres_count_changes(my, prepared, result);
            PQclear(result);
            break;
        default: {
            souk_err err = souk_postgres_statement_err(my, prepared, result);
            PQclear(result);
            return err;
        }
        }
    }
    return SOUK_OK;
}

static souk_err run_direct(struct postgres_tx *my, struct postgres_prepared *prepared,
                           const struct postgres_values *given, struct postgres_cursor *cursor)
{
    char name[24];
    souk_postgres_name(prepared, name);
    if (!PQsendQueryPrepared(my->conn, name, (int)given->count, given->at, given->bytes,
                             given->formats, 1))
        return souk_postgres_err(my, NULL);
    PQsetSingleRowMode(my->conn);
    souk_err err = take_rows(my, prepared, cursor);
    cursor->exhausted = true;
    if (err == SOUK_ETOOBIG || err == SOUK_ENOMEM) {
        bool again = err == SOUK_ETOOBIG && prepared->is_query;
        prepared->small_runs = 0;
        prepared->large |= again;
        souk_postgres_hang_up(my); /* what is still on its way would have to be read */
        return again ? SOUK_ERETRY : err;
    }
    pass_over(my);
    return err;
}

/* ---- declared ------------------------------------------------------------------------------------ */

static souk_err send_declared(struct postgres_tx *my, struct postgres_prepared *prepared,
                              const struct postgres_values *given, struct postgres_cursor *cursor)
{
    souk_auto_value(souk_buf) text = {.mem = my->place->mem};
    char fetch[60];
    snprintf(cursor->name, sizeof cursor->name, "c%llu", (unsigned long long)++my->cursors);
    souk_buf_print(&text, "DECLARE %s NO SCROLL CURSOR FOR ", cursor->name);
    souk_buf_text(&text, souk_text_of(prepared->text));
    SOUK_TRY(souk_buf_check(&text));
    snprintf(fetch, sizeof fetch, "FETCH %d FROM %s", FIRST_ROWS, cursor->name);
    if (!PQenterPipelineMode(my->conn))
        return souk_postgres_err(my, NULL);
    bool sent = PQsendQueryParams(my->conn, souk_buf_ended(&text), (int)given->count,
                                  prepared->types, given->at, given->bytes, given->formats, 1) &&
                PQsendQueryParams(my->conn, fetch, 0, NULL, NULL, NULL, NULL, 1) &&
                PQpipelineSync(my->conn);
    if (sent)
        return SOUK_OK;
    souk_err err = souk_postgres_err(my, NULL);
    souk_postgres_hang_up(my);
    return err;
}

static souk_err keep_chunk(struct postgres_tx *my, struct postgres_cursor *cursor, PGresult *chunk,
                           int asked)
{
    cursor->exhausted = PQntuples(chunk) < asked;
    return keep_part(my, cursor, chunk, 1);
}

static souk_err run_declared(struct postgres_tx *my, struct postgres_prepared *prepared,
                             const struct postgres_values *given, struct postgres_cursor *cursor)
{
    PGresult *chunk = NULL;
    SOUK_TRY(send_declared(my, prepared, given, cursor));
    cursor->declared = true;
    souk_err err = souk_postgres_take_two(my, &chunk);
    if (err || !chunk) {
        PQclear(chunk);
        return err ? err : SOUK_EIO;
    }
    SOUK_TRY(keep_chunk(my, cursor, chunk, FIRST_ROWS));
    prepared->small_runs = cursor->exhausted ? prepared->small_runs + 1 : 0;
    return SOUK_OK;
}

/* About a megabyte, by what the rows so far were. */
static souk_err fetch_more(struct postgres_tx *my, struct postgres_cursor *cursor)
{
    char text[60];
    size_t rows = (size_t)PQntuples(cursor->parts[0]);
    size_t row_bytes = PQresultMemorySize(cursor->parts[0]) / (rows ? rows : 1) + 1;
    int ask = (int)souk_max_size(1, souk_min_size(CHUNK_ROWS, CHUNK_BYTES / row_bytes));
    drop_parts(cursor);
    snprintf(text, sizeof text, "FETCH %d FROM %s", ask, cursor->name);
    if (!my->conn)
        return SOUK_ERETRY;
    PGresult *chunk = PQexecParams(my->conn, text, 0, NULL, NULL, NULL, NULL, 1);
    if (PQresultStatus(chunk) != PGRES_TUPLES_OK) {
        souk_err err = souk_postgres_err(my, chunk);
        PQclear(chunk);
        return err;
    }
    return keep_chunk(my, cursor, chunk, ask);
}

/* ---- the port -------------------------------------------------------------------------------------- */

souk_err souk_postgres_rows_begin(souk_tx *tx, const char *sql, const souk_value *values,
                                  size_t count, souk_rows *rows)
{
    struct postgres_tx *my = postgres_tx_of(tx);
    struct postgres_prepared *prepared = NULL;
    struct postgres_values given;
    SOUK_TRY(souk_postgres_values(values, count, &given));
    SOUK_TRY(souk_postgres_find(my, sql, values, count, false, &prepared));
    bool direct = !prepared->is_query || (!prepared->large && prepared->small_runs >= TRUSTED_RUNS);
    if (direct)
        SOUK_TRY(souk_postgres_find(my, sql, values, count, true, &prepared));
    struct postgres_cursor *cursor = souk_mem_get(my->place->mem, sizeof *cursor);
    if (!cursor)
        return SOUK_ENOMEM;
    cursor->row = -1;
    souk_err err = direct ? run_direct(my, prepared, &given, cursor)
                          : run_declared(my, prepared, &given, cursor);
    if (err) {
        cursor_free(my->place->mem, cursor);
        return err;
    }
    rows->statement = cursor;
    rows->sql = sql;
    return SOUK_OK;
}

/* A whole number beyond 64 bits is told here, because the accessors cannot. */
static souk_err check_row(const struct postgres_cursor *cursor)
{
    PGresult *part = cursor->parts[cursor->part];
    for (int column = 0; column < PQnfields(part); column++) {
        int64_t number;
        if (PQftype(part, column) != PG_NUMERIC || PQgetisnull(part, cursor->row, column))
            continue;
        SOUK_TRY(souk_postgres_int(PG_NUMERIC, PQgetvalue(part, cursor->row, column),
                                   (size_t)PQgetlength(part, cursor->row, column), &number));
    }
    return SOUK_OK;
}

souk_err souk_postgres_rows_next(souk_rows *rows, bool *ret_more)
{
    struct postgres_tx *my = postgres_tx_of(rows->tx);
    struct postgres_cursor *cursor = rows->statement;
    *ret_more = false;
    for (;;) {
        while (cursor->part < cursor->part_count &&
               cursor->row + 1 >= PQntuples(cursor->parts[cursor->part])) {
            if (cursor->declared)
                break;
            cursor->part++;
            cursor->row = -1;
        }
        if (cursor->part < cursor->part_count &&
            cursor->row + 1 < PQntuples(cursor->parts[cursor->part])) {
            cursor->row++;
            *ret_more = true;
            return check_row(cursor);
        }
        if (cursor->exhausted)
            return SOUK_OK;
        SOUK_TRY(fetch_more(my, cursor));
    }
}

struct cell {
    Oid type;
    const void *at;
    size_t bytes;
    bool null;
};

static struct cell cell_of(const souk_rows *rows, unsigned column)
{
    const struct postgres_cursor *cursor = rows->statement;
    if (cursor->part >= cursor->part_count || cursor->row < 0)
        return (struct cell){.null = true};
    PGresult *part = cursor->parts[cursor->part];
    souk_assert((int)column < PQnfields(part));
    return (struct cell){.type = PQftype(part, (int)column),
                         .at = PQgetvalue(part, cursor->row, (int)column),
                         .bytes = (size_t)PQgetlength(part, cursor->row, (int)column),
                         .null = PQgetisnull(part, cursor->row, (int)column)};
}

enum souk_value_kind souk_postgres_rows_kind(const souk_rows *rows, unsigned column)
{
    struct cell cell = cell_of(rows, column);
    return cell.null ? SOUK_VALUE_NULL : souk_postgres_kind(cell.type, cell.at, cell.bytes);
}

int64_t souk_postgres_rows_int(const souk_rows *rows, unsigned column)
{
    struct cell cell = cell_of(rows, column);
    int64_t number = 0;
    if (cell.null || souk_postgres_int(cell.type, cell.at, cell.bytes, &number))
        return 0;
    return number;
}

double souk_postgres_rows_real(const souk_rows *rows, unsigned column)
{
    struct cell cell = cell_of(rows, column);
    return cell.null ? 0 : souk_postgres_real(cell.type, cell.at, cell.bytes);
}

souk_err souk_postgres_rows_bytes(souk_rows *rows, unsigned column, souk_text *ret_bytes)
{
    struct cell cell = cell_of(rows, column);
    *ret_bytes = (souk_text){0};
    if (cell.null)
        return SOUK_OK;
    enum souk_value_kind kind = souk_postgres_kind(cell.type, cell.at, cell.bytes);
    if (kind != SOUK_VALUE_STR && kind != SOUK_VALUE_BLOB) {
        snprintf(rows->tx->words, sizeof rows->tx->words, "column %u is neither text nor blob",
                 column);
        return SOUK_EINVAL;
    }
    *ret_bytes = (souk_text){cell.at, cell.bytes};
    return SOUK_OK;
}

void souk_postgres_rows_done(souk_rows *rows)
{
    struct postgres_tx *my = postgres_tx_of(rows->tx);
    struct postgres_cursor *cursor = rows->statement;
    char text[40];
    snprintf(text, sizeof text, "CLOSE %s", cursor->name);
    bool alive = my->conn && PQtransactionStatus(my->conn) == PQTRANS_INTRANS;
    if (cursor->declared && alive)
        (void)!souk_postgres_exec(my, text, NULL); /* the transaction's end closes it, too */
    cursor_free(my->place->mem, cursor);
}
