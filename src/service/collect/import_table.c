/* import_table.c - see import_table.h. */
#include "service/collect/import_table.h"

#include "base/currency.h"
#include "base/utf8.h"

#include <stdio.h>

souk_err import_table_begin(import_table *table, souk_import_sink *sink, const import_kind *kind,
                            souk_err (*ready)(import_table *table, souk_diag *diag),
                            souk_err (*row)(import_table *table, souk_diag *fault))
{
    table->sink = sink;
    table->kind = kind;
    table->ready = ready;
    table->row = row;
    table->head.mem = table->body.mem = sink->mem;
    return SOUK_OK;
}

void import_table_done(import_table *table)
{
    import_guess_free(table->guess);
    souk_decoder_free(table->decoder);
    souk_csv_free(table->csv);
    souk_buf_done(&table->head);
    souk_buf_done(&table->body);
}

void import_table_tell(const void *state, souk_json_writer *out)
{
    const import_table *table = state;
    if (table->guess)
        import_guess_tell(table->guess, out);
}

/* ---- cells ------------------------------------------------------------------------------------------------------ */

/* Without the apostrophe that a sheet, or our own export, sets before a text that looks like a formula. */
static souk_text cell_at(const import_table *table, size_t column)
{
    return column < table->cell_count
               ? souk_text_trim(souk_csv_unguard(souk_text_trim(table->cells[column])))
               : SOUK_TEXT("");
}

souk_text import_table_cell(const import_table *table, int meaning)
{
    int column = table->guess->column_of[meaning];
    souk_text cell = column < 0 ? SOUK_TEXT("") : cell_at(table, (size_t)column);
    return cell.bytes || !table->above ? cell : table->above[meaning];
}

souk_err import_table_blame(const import_table *table, int meaning, const char *words,
                            souk_diag *fault)
{
    int column = table->guess->column_of[meaning];
    souk_text name = column < 0 ? souk_text_of(table->kind->meanings[meaning].name)
                                : table->guess->columns[column].name;
    return souk_diag_say(fault, SOUK_EINVAL, "'%.*s' %s", SOUK_TEXT_PRINT(name), words);
}

souk_err import_table_money(const import_table *table, int meaning, souk_decimal *ret_money,
                            char *currency, bool *ret_there, souk_diag *fault)
{
    souk_text cell = import_table_cell(table, meaning);
    if (ret_there)
        *ret_there = cell.bytes > 0;
    if (cell.bytes && !import_read_money(cell, &table->guess->habits, ret_money, currency))
        return import_table_blame(table, meaning, "is no number, or does not fit", fault);
    return SOUK_OK;
}

souk_err import_table_time(const import_table *table, int meaning, int time_of_day,
                           souk_time *ret_at, souk_diag *fault)
{
    souk_text cell = import_table_cell(table, meaning);
    souk_text time = time_of_day < 0 ? SOUK_TEXT("") : import_table_cell(table, time_of_day);
    if (!import_read_day_and_time(cell, time, &table->guess->habits, ret_at))
        return import_table_blame(
            table, meaning, "is no time that can be read: write it as 2026-01-31 13:45", fault);
    if (*ret_at > table->sink->received + SOUK_DAY_MS)
        return import_table_blame(table, meaning, "lies in the future", fault);
    return SOUK_OK;
}

souk_err import_table_currency(const import_table *table, int meaning, char currency[4],
                               souk_diag *fault)
{
    souk_text cell = import_table_cell(table, meaning);
    if (cell.bytes && souk_currency_read(cell, currency))
        return import_table_blame(table, meaning, "is no code of ISO 4217, such as EUR", fault);
    if (cell.bytes == 0 && currency[0] == '\0')
        memcpy(currency, table->guess->currency, sizeof table->guess->currency);
    return SOUK_OK;
}

static bool is_rest(const import_table *table, size_t column)
{
    const import_column *of = &table->guess->columns[column];
    return of->meaning < 0 && !of->is_ignored && cell_at(table, column).bytes > 0;
}

bool import_table_has_rest(const import_table *table)
{
    for (size_t i = 0; i < table->guess->column_count; i++)
        if (is_rest(table, i))
            return true;
    return false;
}

static void write_heading(const import_table *table, size_t column, souk_json_writer *json)
{
    char number[24];
    souk_text name = table->guess->columns[column].name;
    if (name.bytes == 0)
        name =
            (souk_text){number, (size_t)snprintf(number, sizeof number, "column %zu", column + 1)};
    souk_json_write_key(json, name);
}

void import_table_write_rest(const import_table *table, souk_json_writer *json)
{
    for (size_t i = 0; i < table->guess->column_count; i++) {
        if (!is_rest(table, i))
            continue;
        write_heading(table, i, json);
        souk_json_write_text(json, cell_at(table, i));
    }
}

/* ---- faults -------------------------------------------------------------------------------------------------------- */

/* Whom a row names must be found in it by an erasure, whatever its heading says (core/trace.h). */
static const char *name_of_who(const char *meaning)
{
    static const char *const names[][2] = {{"user", "userId"},
                                           {"card", "card"},
                                           {"phone", "phone"},
                                           {"email", "email"},
                                           {"open", "openId"}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (!strcmp(meaning, names[i][0]))
            return names[i][1];
    return NULL;
}

static souk_err put_fault(import_table *table, uint64_t line, const souk_diag *fault)
{
    souk_json_writer json = {.out = &table->body};
    souk_buf_clear(&table->body);
    souk_json_write_object(&json);
    for (size_t i = 0; i < table->cell_count; i++) {
        const import_column *column =
            i < table->guess->column_count ? &table->guess->columns[i] : NULL;
        const char *who = column && column->meaning >= 0
                              ? name_of_who(table->kind->meanings[column->meaning].name)
                              : NULL;
        souk_text cell = cell_at(table, i);
        if (cell.bytes == 0)
            continue;
        if (who)
            souk_json_write_key(&json, souk_text_of(who));
        else if (column)
            write_heading(table, i, &json);
        else
            souk_json_write_key(&json, SOUK_TEXT("beyond the heading"));
        souk_json_write_text(&json, cell);
    }
    souk_json_write_end(&json);
    SOUK_TRY(souk_json_write_check(&json));
    return souk_import_put_fault(table->sink, line, fault, souk_buf_view(&table->body));
}

static souk_err check_cells(const import_table *table, souk_diag *fault)
{
    const import_guess *guess = table->guess;
    bool decoded_badly = souk_decoder_faults(table->decoder) > 0;
    for (size_t i = guess->column_count; i < table->cell_count; i++)
        if (table->cells[i].bytes)
            return souk_diag_say(fault, SOUK_EINVAL,
                                 "%zu cells where the heading has %zu: is a separator within a "
                                 "cell, without quotes?",
                                 table->cell_count, guess->column_count);
    for (size_t i = 0; i < table->cell_count; i++) {
        souk_text cell = table->cells[i];
        if (cell.bytes == 0)
            continue;
        if (memchr(cell.at, 0, cell.bytes))
            return souk_diag_say(fault, SOUK_EINVAL, "cell %zu has a NUL character", i + 1);
        if (!souk_utf8_valid(cell) ||
            (decoded_badly && memmem(cell.at, cell.bytes, "\xEF\xBF\xBD", 3)))
            return souk_diag_say(fault, SOUK_EINVAL,
                                 "cell %zu has bytes that are not %s: pass --encoding where the "
                                 "file has another",
                                 i + 1, souk_charset_word(guess->charset));
    }
    return SOUK_OK;
}

/* ---- rows ----------------------------------------------------------------------------------------------------------- */

static bool is_empty(const souk_csv_row *row)
{
    for (size_t i = 0; i < row->field_count; i++)
        if (souk_text_trim(row->fields[i]).bytes)
            return false;
    return true;
}

static souk_err take_row(import_table *table, const souk_csv_row *row)
{
    souk_diag fault = {.words = ""};
    if (is_empty(row))
        return SOUK_OK;
    table->sink->rows++;
    table->cells = row->fields;
    table->cell_count = row->field_count;
    souk_err err = check_cells(table, &fault);
    bool is_whole = !err;
    if (!err)
        err = table->row(table, &fault);
    if (err != SOUK_EINVAL)
        return err;
    if (table->refuse)
        SOUK_TRY(table->refuse(table, is_whole, &fault));
    return put_fault(table, row->line, &fault);
}

static souk_err read_rows(import_table *table, souk_text piece, bool last, souk_diag *diag)
{
    souk_csv_row row;
    souk_text text;
    SOUK_TRY(souk_decoder_feed(table->decoder, piece, last, &text));
    souk_csv_feed(table->csv, text, last);
    while (souk_csv_next(table->csv, &row)) {
        if (table->is_headed)
            SOUK_TRY(take_row(table, &row));
        table->is_headed = true;
    }
    return souk_csv_check(table->csv, diag);
}

static souk_err find_out(import_table *table, bool last, souk_diag *diag)
{
    souk_text head = souk_buf_view(&table->head);
    bool is_whole = last && head.bytes < IMPORT_HEAD_BYTES;
    head.bytes = souk_min_size(head.bytes, IMPORT_HEAD_BYTES);
    SOUK_TRY(import_guess_new(table->sink->mem, table->kind, table->sink->options, head, is_whole,
                              &table->guess, diag));
    const import_guess *guess = table->guess;
    SOUK_TRY(souk_decoder_new(table->sink->mem, guess->charset, &table->decoder));
    SOUK_TRY(souk_csv_new(table->sink->mem,
                          &(souk_csv_options){.delimiter = guess->separator,
                                              .quote = guess->quote,
                                              .no_quotes = guess->no_quotes,
                                              .max_fields = IMPORT_COLUMNS_MOST,
                                              .max_row_bytes = 1 << 18},
                          &table->csv));
    return table->ready(table, diag);
}

souk_err import_table_feed(import_table *table, souk_text piece, bool last, souk_diag *diag)
{
    if (table->guess)
        return read_rows(table, piece, last, diag);
    souk_buf_text(&table->head, piece);
    SOUK_TRY(souk_buf_check(&table->head));
    if (table->head.bytes < IMPORT_HEAD_BYTES && !last)
        return SOUK_OK;
    SOUK_TRY(find_out(table, last, diag));
    return read_rows(table, souk_buf_view(&table->head), last, diag);
}
