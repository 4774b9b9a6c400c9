/* postgres_sql.c - statements on PostgreSQL.  A literal is found by its address, as in sqlite_sql.c, and prepared
 * under a number of its own with the types that its values have: INT is bigint, REAL double precision, STR text,
 * BLOB bytea.  The server's own guess would make an int4 of `?1 = 0`, which a large number does not fit.  NULL says
 * nothing of its type; where a later run says more the statement is prepared again. */
#include "store/postgres_tx.h"

#include "base/hash.h"
#include "store/postgres_dialect.h"

#include <stdio.h>
#include <stdlib.h>

/* ---- parameters ------------------------------------------------------------------------------ */

static Oid type_of(const souk_value *value)
{
    static const Oid types[] = {[SOUK_VALUE_NULL] = 0,
                                [SOUK_VALUE_INT] = PG_INT8,
                                [SOUK_VALUE_REAL] = PG_FLOAT8,
                                [SOUK_VALUE_STR] = PG_TEXT,
                                [SOUK_VALUE_BLOB] = PG_BYTEA};
    return types[value->kind];
}

souk_err souk_postgres_values(const souk_value *values, size_t count,
                              struct postgres_values *ret_values)
{
    souk_assert(count <= POSTGRES_VALUES_MOST);
    ret_values->count = count;
    for (size_t i = 0; i < count; i++) {
        const souk_value *value = &values[i];
        uint64_t bits = (uint64_t)value->integer;
        bool is_number = value->kind == SOUK_VALUE_INT || value->kind == SOUK_VALUE_REAL;
        if (value->kind == SOUK_VALUE_REAL)
            memcpy(&bits, &value->real, 8);
        if (is_number)
            souk_postgres_put64(bits, ret_values->numbers[i]);
        else if (value->kind != SOUK_VALUE_NULL && value->bytes.bytes > POSTGRES_VALUE_BYTES)
            return SOUK_ETOOBIG;
        /* No pointer is NULL; no bytes are not. */
        const char *bytes = value->kind == SOUK_VALUE_NULL ? NULL
                            : value->bytes.bytes           ? value->bytes.at
                                                           : "";
        ret_values->at[i] = is_number ? (const char *)ret_values->numbers[i] : bytes;
        ret_values->bytes[i] = is_number ? 8 : bytes ? (int)value->bytes.bytes : 0;
        ret_values->formats[i] = 1;
    }
    return SOUK_OK;
}

/* ---- the cache ------------------------------------------------------------------------------- */

static struct postgres_prepared **slot_of(struct postgres_prepared **slots, size_t room,
                                          const char *sql)
{
    size_t at = (size_t)(((uintptr_t)sql * 0x9e3779b97f4a7c15u) >> 32) & (room - 1);
    while (slots[at] && slots[at]->sql != sql)
        at = (at + 1) & (room - 1);
    return &slots[at];
}

/* Room for one more, at most three quarters full. */
static souk_err grow_cache(struct postgres_tx *my)
{
    if ((my->prepared_count + 1) * 4 <= my->prepared_room * 3)
        return SOUK_OK;
    size_t room = my->prepared_room ? my->prepared_room * 2 : 64;
    struct postgres_prepared **slots = souk_mem_array(my->place->mem, room, sizeof *slots);
    if (!slots)
        return SOUK_ENOMEM;
    for (size_t i = 0; i < my->prepared_room; i++)
        if (my->prepared[i])
            *slot_of(slots, room, my->prepared[i]->sql) = my->prepared[i];
    souk_mem_put(my->place->mem, my->prepared);
    my->prepared = slots;
    my->prepared_room = room;
    return SOUK_OK;
}

static void prepared_free(souk_mem *mem, struct postgres_prepared *prepared)
{
    if (prepared)
        souk_mem_put(mem, prepared->text);
    souk_mem_put(mem, prepared);
}

static bool starts_with_verb(souk_text text, const char *verb)
{
    text = souk_text_trim(text);
    size_t bytes = strlen(verb);
    return text.bytes > bytes &&
           souk_text_equal_nocase((souk_text){text.at, bytes}, souk_text_of(verb));
}

static souk_err translate(struct postgres_tx *my, souk_text sql, char **ret_text)
{
    souk_auto_value(souk_buf) out = {.mem = my->place->mem};
    souk_diag diag = {.words = ""};
    souk_err err = souk_postgres_dialect(sql, &out, &diag);
    souk_buf_byte(&out, '\0');
    err = err ? err : souk_buf_check(&out);
    if (err) {
        snprintf(my->tx.words, sizeof my->tx.words, "column %llu: %s",
                 (unsigned long long)diag.column, souk_diag_words(&diag, err));
        return err;
    }
    *ret_text = souk_take(&out.at);
    return SOUK_OK;
}

static souk_err make(struct postgres_tx *my, const char *sql, size_t count,
                     struct postgres_prepared **ret_prepared)
{
    souk_mem *mem = my->place->mem;
    souk_text text = souk_text_of(sql);
    struct postgres_prepared *prepared =
        souk_mem_get(mem, sizeof *prepared + count * sizeof prepared->types[0]);
    if (!prepared)
        return SOUK_ENOMEM;
    souk_err err = translate(my, text, &prepared->text);
    if (err) {
        prepared_free(mem, prepared);
        return err;
    }
    prepared->sql = sql;
    prepared->sum = souk_crc32c(0, text.at, text.bytes);
    prepared->count = count;
    prepared->is_query = souk_postgres_is_query(text);
    prepared->changes = starts_with_verb(text, "INSERT") || starts_with_verb(text, "UPDATE") ||
                        starts_with_verb(text, "DELETE") ||
                        (starts_with_verb(text, "WITH") && !prepared->is_query);
    prepared->number = (unsigned)my->prepared_count + 1;
    *ret_prepared = prepared;
    return SOUK_OK;
}

void souk_postgres_name(const struct postgres_prepared *prepared, char name[24])
{
    snprintf(name, 24, "s%u", prepared->number);
}

/* Takes over what the values say of their types; true where that is news. */
static bool learn_types(struct postgres_prepared *prepared, const souk_value *values)
{
    bool news = false;
    for (size_t i = 0; i < prepared->count; i++) {
        Oid type = type_of(&values[i]);
        news |= type && type != prepared->types[i];
        prepared->types[i] = type ? type : prepared->types[i];
    }
    return news;
}

/* The old one under this name goes in the same breath. */
static souk_err prepare(struct postgres_tx *my, struct postgres_prepared *prepared)
{
    char name[24], drop[50];
    souk_postgres_name(prepared, name);
    if (prepared->prepared) {
        snprintf(drop, sizeof drop, "DEALLOCATE %s", name);
        SOUK_TRY(souk_postgres_exec(my, drop, NULL));
        prepared->prepared = false;
    }
    PGresult *result =
        PQprepare(my->conn, name, prepared->text, (int)prepared->count, prepared->types);
    souk_err err =
        PQresultStatus(result) == PGRES_COMMAND_OK ? SOUK_OK : souk_postgres_err(my, result);
    PQclear(result);
    prepared->prepared = err == SOUK_OK;
    prepared->stale = false;
    return err;
}

souk_err souk_postgres_find(struct postgres_tx *my, const char *sql, const souk_value *values,
                            size_t count, bool prepares, struct postgres_prepared **ret_prepared)
{
    SOUK_TRY(grow_cache(my));
    struct postgres_prepared **slot = slot_of(my->prepared, my->prepared_room, sql);
    if (!*slot) {
        souk_assert(my->prepared_count < POSTGRES_PREPARED_MOST); /* literals, not buffers */
        SOUK_TRY(make(my, sql, count, slot));
        my->prepared_count++;
    }
    struct postgres_prepared *prepared = *slot;
    souk_assert(prepared->count == count);
    souk_assert(prepared->sum == souk_crc32c(0, sql, strlen(sql))); /* a literal keeps its text */
    prepared->stale |= learn_types(prepared, values);
    if (!my->conn)
        return SOUK_ERETRY;
    if (prepares && (prepared->stale || !prepared->prepared))
        SOUK_TRY(prepare(my, prepared));
    *ret_prepared = prepared;
    return SOUK_OK;
}

void souk_postgres_unprepare(struct postgres_tx *my)
{
    for (size_t i = 0; i < my->prepared_room; i++)
        if (my->prepared[i])
            my->prepared[i]->prepared = false;
}

/* ---- running ---------------------------------------------------------------------------------- */

void souk_postgres_count_changes(struct postgres_tx *my, const struct postgres_prepared *prepared,
                                 PGresult *result)
{
    if (prepared->changes)
        my->tx.changed = strtoull(PQcmdTuples(result), NULL, 10);
}

souk_err souk_postgres_statement_err(struct postgres_tx *my, struct postgres_prepared *prepared,
                                     const PGresult *result)
{
    const char *code = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const char *words = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    souk_err err = souk_postgres_err(my, result);
    if (!code || !words)
        return err;
    if (!strcmp(code, "26000")) /* it went with another session */
        prepared->prepared = false;
    else if (!strcmp(code, "0A000") && strstr(words, "cached plan"))
        prepared->stale = true; /* a migration changed what it returns */
    else
        return err;
    return SOUK_ERETRY;
}

souk_err souk_postgres_run(souk_tx *tx, const char *sql, const souk_value *values, size_t count)
{
    struct postgres_tx *my = postgres_tx_of(tx);
    struct postgres_prepared *prepared = NULL;
    struct postgres_values given;
    char name[24];
    SOUK_TRY(souk_postgres_values(values, count, &given));
    SOUK_TRY(souk_postgres_find(my, sql, values, count, true, &prepared));
    souk_postgres_name(prepared, name);
    PGresult *result =
        PQexecPrepared(my->conn, name, (int)count, given.at, given.bytes, given.formats, 1);
    ExecStatusType status = PQresultStatus(result);
    souk_err err = SOUK_OK;
    if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK)
        souk_postgres_count_changes(my, prepared, result);
    else
        err = souk_postgres_statement_err(my, prepared, result);
    PQclear(result);
    return err;
}

souk_err souk_postgres_script(souk_tx *tx, const char *sql)
{
    struct postgres_tx *my = postgres_tx_of(tx);
    char *text = NULL;
    SOUK_TRY(translate(my, souk_text_of(sql), &text));
    souk_err err = souk_postgres_exec(my, text, NULL);
    souk_mem_put(my->place->mem, text);
    return err;
}

/* ---- slices of blobs ----------------------------------------------------------------------------- */

/* The statement for one column, made once; the names are literals, as SQL is. */
struct postgres_slice {
    const char *table, *column;
    struct postgres_slice *next;
    bool is_blob;
    char sql[300];
};

/* The key is the table's only column of a primary key that is a bigint, as INTEGER PRIMARY KEY is the rowid. */
static souk_err learn_slice(struct postgres_tx *my, struct postgres_slice *slice)
{
    static const char question[] =
        "SELECT format('SELECT length(%I), substr(%I, ($2)::int4, ($3)::int4) FROM %I WHERE %I = "
        "$1',"
        " c.attname, c.attname, t.relname, k.attname), c.atttypid = 17 OR c.atttypid = 25"
        " FROM pg_class t JOIN pg_attribute c ON c.attrelid = t.oid AND c.attname = $2"
        " JOIN pg_index i ON i.indrelid = t.oid AND i.indisprimary AND i.indnkeyatts = 1"
        " JOIN pg_attribute k ON k.attrelid = t.oid AND k.attnum = i.indkey[0] AND k.atttypid = 20"
        " WHERE t.oid = to_regclass(quote_ident($1))";
    const char *names[] = {slice->table, slice->column};
    const Oid types[] = {PG_TEXT, PG_TEXT};
    PGresult *result = PQexecParams(my->conn, question, 2, types, names, NULL, NULL, 0);
    souk_err err =
        PQresultStatus(result) == PGRES_TUPLES_OK ? SOUK_OK : souk_postgres_err(my, result);
    if (!err && PQntuples(result) == 1) {
        snprintf(slice->sql, sizeof slice->sql, "%s", PQgetvalue(result, 0, 0));
        slice->is_blob = !strcmp(PQgetvalue(result, 0, 1), "t");
    }
    PQclear(result);
    return err;
}

static souk_err find_slice(struct postgres_tx *my, const char *table, const char *column,
                           struct postgres_slice **ret_slice)
{
    for (struct postgres_slice *slice = my->slices; slice; slice = slice->next)
        if (!strcmp(slice->table, table) && !strcmp(slice->column, column)) {
            *ret_slice = slice;
            return SOUK_OK;
        }
    struct postgres_slice *slice = souk_mem_get(my->place->mem, sizeof *slice);
    if (!slice)
        return SOUK_ENOMEM;
    slice->table = table;
    slice->column = column;
    souk_err err = my->conn ? learn_slice(my, slice) : SOUK_ERETRY;
    if (err || !slice->sql[0]) {
        souk_mem_put(my->place->mem, slice);
        return err ? err : SOUK_EINVAL; /* no such column, or no key to find its row by */
    }
    slice->next = my->slices;
    my->slices = *ret_slice = slice;
    return SOUK_OK;
}

static souk_err copy_slice(PGresult *result, size_t offset, void *to, size_t bytes)
{
    int64_t all = 0;
    if (PQntuples(result) == 0)
        return SOUK_ENOENT;
    if (PQgetisnull(result, 0, 0) || souk_postgres_int(PQftype(result, 0), PQgetvalue(result, 0, 0),
                                                       (size_t)PQgetlength(result, 0, 0), &all))
        return SOUK_EINVAL;
    if (offset > (size_t)all || bytes > (size_t)all - offset ||
        (size_t)PQgetlength(result, 0, 1) != bytes)
        return SOUK_EINVAL;
    memcpy(to, PQgetvalue(result, 0, 1), bytes);
    return SOUK_OK;
}

souk_err souk_postgres_blob_read(souk_tx *tx, const char *table, const char *column, int64_t rowid,
                                 size_t offset, void *to, size_t bytes)
{
    struct postgres_tx *my = postgres_tx_of(tx);
    struct postgres_slice *slice = NULL;
    struct postgres_values given;
    SOUK_TRY(find_slice(my, table, column, &slice));
    if (!slice->is_blob || offset > POSTGRES_VALUE_BYTES || bytes > POSTGRES_VALUE_BYTES)
        return SOUK_EINVAL;
    const Oid types[] = {PG_INT8, PG_INT8, PG_INT8};
    SOUK_TRY(souk_postgres_values(
        SOUK_VALUES(SOUK_INT(rowid), SOUK_INT(offset + 1), SOUK_INT(bytes)), &given));
    PGresult *result =
        PQexecParams(my->conn, slice->sql, 3, types, given.at, given.bytes, given.formats, 1);
    souk_err err = PQresultStatus(result) == PGRES_TUPLES_OK ? copy_slice(result, offset, to, bytes)
                                                             : souk_postgres_err(my, result);
    PQclear(result);
    return err;
}

void souk_postgres_forget_statements(struct postgres_tx *my)
{
    souk_mem *mem = my->place->mem;
    for (size_t i = 0; i < my->prepared_room; i++)
        prepared_free(mem, my->prepared[i]);
    souk_mem_put(mem, my->prepared);
    my->prepared = NULL;
    my->prepared_room = my->prepared_count = 0;
    for (struct postgres_slice *slice; (slice = my->slices);) {
        my->slices = slice->next;
        souk_mem_put(mem, slice);
    }
}
