/* import_table.h - a table of any heading, row by row: what orders, products, shoppers and consents are read with.
 *
 *     struct state {
 *         import_table table;                                  first
 *         …
 *     };
 *     begin:   return import_table_begin(&state->table, sink, &import_orders_kind, ready, read_row);
 *     ready:   SOUK_TRY(import_guess_need(table->guess, IMPORT_ORDER, diag));       once the columns are known
 *     row:     souk_text order = import_table_cell(table, IMPORT_ORDER);
 *
 * A row of more cells than the heading, one with a NUL or with bytes that are not of the encoding is a fault before
 * read_row sees it; one of fewer cells has empty ones; one of empty cells alone is none. */
#ifndef SOUK_SERVICE_COLLECT_IMPORT_TABLE_H
#define SOUK_SERVICE_COLLECT_IMPORT_TABLE_H

#include "base/csv.h"
#include "service/collect/import_format.h"
#include "service/collect/import_guess.h"

typedef struct import_table import_table;
struct import_table {
    souk_import_sink *sink;
    const import_kind *kind;
    souk_err (*ready)(import_table *table, souk_diag *diag);
    souk_err (*row)(import_table *table, souk_diag *fault);
    /* Set after begin, may be NULL: what a row at fault means for its order.  Without is_whole its cells cannot be
     * trusted. */
    souk_err (*refuse)(import_table *table, bool is_whole, souk_diag *fault);
    import_guess *guess; /* NULL: the head is not read yet */
    souk_decoder *decoder;
    souk_csv *csv;
    souk_buf head;
    bool is_headed;
    const souk_text *cells; /* of the row in hand */
    size_t cell_count;
    const souk_text
        *above; /* [kind->count]: what an empty cell of a meaning stands for; NULL: for nothing */
    souk_buf body; /* room for the row's JSON */
};

SOUK_CHECKED souk_err import_table_begin(import_table *table, souk_import_sink *sink,
                                         const import_kind *kind,
                                         souk_err (*ready)(import_table *table, souk_diag *diag),
                                         souk_err (*row)(import_table *table, souk_diag *fault));
SOUK_CHECKED souk_err import_table_feed(import_table *table, souk_text piece, bool last,
                                        souk_diag *diag);
void import_table_done(import_table *table);
/* souk_import_format.tell of a state that begins with a table. */
void import_table_tell(const void *state, souk_json_writer *out);

/* The row's cell of a meaning, trimmed, or what stands above it; empty where no column has it. */
souk_text import_table_cell(const import_table *table, int meaning);
static inline bool import_table_has(const import_table *table, int meaning)
{
    return table->guess->column_of[meaning] >= 0;
}
/* "'Menge' is no number" for a cell of this meaning; SOUK_EINVAL. */
SOUK_CHECKED souk_err import_table_blame(const import_table *table, int meaning, const char *words,
                                         souk_diag *fault);
/* Cells as values; ret_there (may be NULL) says whether there is one at all.  SOUK_EINVAL with words. */
SOUK_CHECKED souk_err import_table_money(const import_table *table, int meaning,
                                         souk_decimal *ret_money, char *currency, bool *ret_there,
                                         souk_diag *fault);
/* Not in the future. */
SOUK_CHECKED souk_err import_table_time(const import_table *table, int meaning, int time_of_day,
                                        souk_time *ret_at, souk_diag *fault);
/* Copies a cell's code where there is one, else what the options say, else leaves `currency`. */
SOUK_CHECKED souk_err import_table_currency(const import_table *table, int meaning,
                                            char currency[4], souk_diag *fault);

/* Members of an open object: the cells of columns without a meaning, under their headings. */
void import_table_write_rest(const import_table *table, souk_json_writer *json);
/* How many bytes those are, about. */
bool import_table_has_rest(const import_table *table);

#endif
