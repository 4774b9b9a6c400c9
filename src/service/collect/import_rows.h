/* import_rows.h - CSV with a fixed heading: the reader of formats that others publish.
 *
 *     struct state {
 *         import_rows rows;                                 first
 *         …
 *     };
 *     begin:   return import_rows_begin(&state->rows, sink, "cdnow", columns, read_row);
 *     feed:    return import_rows_feed(&state->rows, piece, last, diag);
 *     done:    import_rows_done(&state->rows);
 *
 * The heading must be the columns, in this order; further ones behind them are passed over.  A row without them
 * (field_count below) is a fault before read_row sees it. */
#ifndef SOUK_SERVICE_COLLECT_IMPORT_ROWS_H
#define SOUK_SERVICE_COLLECT_IMPORT_ROWS_H

#include "base/csv.h"
#include "service/collect/import_format.h"

typedef struct import_rows import_rows;
struct import_rows {
    souk_import_sink *sink;
    const char *name;
    const char *const *columns; /* NULL behind the last */
    size_t column_count;
    souk_csv *csv;
    bool is_headed;
    uint64_t line; /* of the row in hand */
    souk_buf body;
    /* Puts what the row is.  SOUK_EINVAL with words: a fault. */
    souk_err (*row)(import_rows *rows, const souk_text *fields, souk_diag *fault);
    /* Set after begin, may be NULL: what a row at fault means for its order.  fields NULL: it has another number of
     * them than the heading, so none can be trusted. */
    souk_err (*refuse)(import_rows *rows, const souk_text *fields, souk_diag *fault);
};

SOUK_CHECKED souk_err import_rows_begin(import_rows *rows, souk_import_sink *sink, const char *name,
                                        const char *const *columns,
                                        souk_err (*row)(import_rows *rows, const souk_text *fields,
                                                        souk_diag *fault));
SOUK_CHECKED souk_err import_rows_feed(import_rows *rows, souk_text piece, bool last,
                                       souk_diag *diag);
void import_rows_done(import_rows *rows);

/* The row as JSON under the heading's names, every field as the text it is, empty ones left out; in rows->body. */
SOUK_CHECKED souk_err import_rows_write(import_rows *rows, const souk_text *fields, size_t count,
                                        souk_text *ret_body);

#endif
