/* import_rows.c - see import_rows.h. */
#include "service/collect/import_rows.h"

souk_err import_rows_begin(import_rows *rows, souk_import_sink *sink, const char *name,
                           const char *const *columns,
                           souk_err (*row)(import_rows *rows, const souk_text *fields,
                                           souk_diag *fault))
{
    rows->sink = sink;
    rows->name = name;
    rows->columns = columns;
    rows->row = row;
    rows->body.mem = sink->mem;
    while (columns[rows->column_count])
        rows->column_count++;
    return souk_csv_new(sink->mem, &(souk_csv_options){.max_row_bytes = 65536}, &rows->csv);
}

void import_rows_done(import_rows *rows)
{
    souk_csv_free(rows->csv);
    souk_buf_done(&rows->body);
}

souk_err import_rows_write(import_rows *rows, const souk_text *fields, size_t count,
                           souk_text *ret_body)
{
    souk_json_writer json = {.out = &rows->body};
    souk_buf_clear(&rows->body);
    souk_json_write_object(&json);
    for (size_t i = 0; i < count && rows->columns[i]; i++) {
        if (fields[i].bytes == 0)
            continue;
        souk_json_write_key(&json, souk_text_of(rows->columns[i]));
        souk_json_write_text(&json, fields[i]);
    }
    souk_json_write_end(&json);
    *ret_body = souk_buf_view(&rows->body);
    return souk_json_write_check(&json);
}

static souk_err check_heading(const import_rows *rows, const souk_csv_row *row, souk_diag *diag)
{
    for (size_t i = 0; i < rows->column_count; i++)
        if (i >= row->field_count ||
            !souk_text_equal(souk_text_trim(row->fields[i]), souk_text_of(rows->columns[i])))
            return souk_diag_say(
                diag, SOUK_EINVAL,
                "line 1: column %zu should be '%s': this is not a file of format %s", i + 1,
                rows->columns[i], rows->name);
    return SOUK_OK;
}

static souk_err take_row(import_rows *rows, const souk_csv_row *row)
{
    souk_diag fault = {.words = ""};
    souk_text body;
    souk_err err;
    rows->sink->rows++;
    rows->line = row->line;
    if (row->field_count != rows->column_count)
        err = souk_diag_say(&fault, SOUK_EINVAL, "%zu fields where the heading has %zu",
                            row->field_count, rows->column_count);
    else
        err = rows->row(rows, row->fields, &fault);
    if (err != SOUK_EINVAL)
        return err;
    if (rows->refuse)
        SOUK_TRY(rows->refuse(rows, row->field_count == rows->column_count ? row->fields : NULL,
                              &fault));
    SOUK_TRY(import_rows_write(rows, row->fields, row->field_count, &body));
    return souk_import_put_fault(rows->sink, row->line, &fault, body);
}

souk_err import_rows_feed(import_rows *rows, souk_text piece, bool last, souk_diag *diag)
{
    souk_csv_row row;
    souk_csv_feed(rows->csv, piece, last);
    while (souk_csv_next(rows->csv, &row)) {
        if (rows->is_headed)
            SOUK_TRY(take_row(rows, &row));
        else
            SOUK_TRY(check_heading(rows, &row, diag));
        rows->is_headed = true;
    }
    SOUK_TRY(souk_csv_check(rows->csv, diag));
    return last && !rows->is_headed ? souk_diag_say(diag, SOUK_EINVAL, "the file is empty")
                                    : SOUK_OK;
}
