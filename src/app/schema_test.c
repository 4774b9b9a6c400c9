/* schema_test.c - every module's tables on both databases: all steps are taken, and the columns are the same. */
#include "app/app.h"
#include "store/postgres_server.h"
#include "test/test.h"

#include <stdio.h>

/* All that a server opens, on one of the databases. */
struct house {
    souk_disk *disk;
    souk_spine *spine;
    souk_merchants *merchants;
    souk_api *api;
};

static void house_open(souk_test *test, struct house *house, souk_ledger_opener *opener,
                       const char *name)
{
    char folder[600];
    souk_mem *heap = souk_mem_heap();
    souk_secrets secrets;
    souk_spine_options options = {.open_ledger = opener, .vault = {.block_slots = 64}};
    snprintf(folder, sizeof folder, "%s/%s", test_folder(test), name);
    SOUK_MUST(souk_disk_open_real(heap, folder, &house->disk, NULL));
    SOUK_MUST(souk_spine_init(heap, house->disk, &options, NULL));
    SOUK_MUST(souk_spine_open(heap, house->disk, &options, &house->spine, NULL));
    SOUK_MUST(souk_merchants_open(heap, house->spine, &house->merchants, NULL));
    SOUK_MUST(souk_merchants_found(house->merchants, SOUK_TEXT("shop"), &secrets));
    SOUK_MUST(souk_api_open(heap, house->spine, house->merchants, app_services, app_service_count,
                            &house->api));
}

static void house_close(struct house *house)
{
    souk_api_free(house->api);
    souk_merchants_free(house->merchants);
    souk_spine_free(house->spine);
    souk_disk_free(house->disk);
}

/* One line for each column: table, column, kind, whether it may be NULL where it is not in the key. */
struct listing {
    const char *sql;
    souk_buf lines;
};

static const char sqlite_columns[] =
    "SELECT m.name, c.name, c.type, CASE WHEN c.pk > 0 THEN 0 ELSE c.\"notnull\" END"
    " FROM sqlite_schema AS m, pragma_table_info(m.name) AS c"
    " WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite%' ORDER BY m.name, c.name";

/* In the words of SQLite. */
static const char postgres_columns[] =
    "SELECT t.relname, c.attname, CASE c.atttypid WHEN 20 THEN 'INTEGER' WHEN 25 THEN 'TEXT'"
    "  WHEN 17 THEN 'BLOB' WHEN 701 THEN 'REAL' ELSE 'another' END,"
    " CASE WHEN c.attnotnull AND NOT EXISTS (SELECT 1 FROM pg_index i WHERE i.indrelid = t.oid"
    "  AND i.indisprimary AND c.attnum = ANY (i.indkey)) THEN 1 ELSE 0 END"
    " FROM pg_class t JOIN pg_attribute c ON c.attrelid = t.oid AND c.attnum > 0"
    "  AND NOT c.attisdropped"
    " WHERE t.relkind = 'r' AND t.relnamespace = 'public'::regnamespace"
    "  AND t.relname <> 'souk_writer' ORDER BY t.relname, c.attname";

static souk_err list(souk_tx *tx, void *context)
{
    struct listing *listing = context;
    souk_auto_value(souk_rows) rows = {0};
    souk_buf_clear(&listing->lines);
    SOUK_TRY(souk_rows_begin(tx, listing->sql, SOUK_NO_VALUES, &rows));
    while (souk_rows_next(&rows)) {
        for (unsigned i = 0; i < 3; i++) {
            souk_text word = souk_rows_text(&rows, i);
            souk_buf_text(&listing->lines,
                          souk_text_equal(word, SOUK_TEXT("BIGINT")) ? SOUK_TEXT("INTEGER") : word);
            souk_buf_byte(&listing->lines, ' ');
        }
        souk_buf_print(&listing->lines, "%d\n", (int)souk_rows_int(&rows, 3));
    }
    return souk_rows_check(&rows);
}

static void list_columns(souk_test *test, const struct house *house, const char *sql,
                         struct listing *listing)
{
    *listing = (struct listing){.sql = sql};
    SOUK_MUST(souk_ledger_read(souk_spine_ledger(house->spine), list, listing));
    SOUK_MUST(souk_buf_check(&listing->lines));
}

/* The first line that only one of them has. */
static bool is_same(const struct listing *a, const struct listing *b, char differ[200])
{
    souk_text left = souk_buf_view(&a->lines), right = souk_buf_view(&b->lines);
    while (left.bytes || right.bytes) {
        souk_text line = souk_text_cut(&left, '\n'), other = souk_text_cut(&right, '\n');
        if (!souk_text_equal(line, other)) {
            snprintf(differ, 200, "sqlite '%.*s', postgres '%.*s'", SOUK_TEXT_PRINT(line),
                     SOUK_TEXT_PRINT(other));
            return false;
        }
    }
    return true;
}

static souk_err plant(souk_tx *tx, void *context)
{
    (void)context;
    return souk_sql_script(tx, "ALTER TABLE document ADD COLUMN planted REAL");
}

SOUK_TEST("every module's tables have the same columns on both databases, and a planted one shows")
{
    struct house embedded = {0}, shared = {0};
    struct listing here, there;
    char differ[200];
    if (!postgres_server_found())
        test_skip(test, "PostgreSQL is not installed");
    house_open(test, &embedded, NULL, "embedded");
    house_open(test, &shared, postgres_open, "shared");
    list_columns(test, &embedded, sqlite_columns, &here);
    list_columns(test, &shared, postgres_columns, &there);
    SOUK_CHECK(here.lines.bytes > 3000); /* tables there are */
    if (!is_same(&here, &there, differ))
        test_fail(test, __FILE__, __LINE__, "%s", differ);
    souk_buf_done(&there.lines);
    SOUK_MUST(souk_ledger_write(souk_spine_ledger(shared.spine), SOUK_LANE_JOB, plant, NULL));
    list_columns(test, &shared, postgres_columns, &there);
    SOUK_CHECK(!is_same(&here, &there, differ) && strstr(differ, "planted"));
    souk_buf_done(&here.lines);
    souk_buf_done(&there.lines);
    house_close(&embedded);
    house_close(&shared);
}
