/* import_guess_tell.c - a guess in words: what is missing, and what was found. */
#include "service/collect/import_guess.h"

#include <stdio.h>

enum { SAMPLE_SHOWN = 40 };

static bool has_rows(const import_guess *guess)
{
    for (size_t i = 0; i < guess->column_count; i++)
        if (guess->columns[i].sample.bytes)
            return true;
    return false;
}

souk_err import_guess_need_one(const import_guess *guess, const int *meanings, size_t count,
                               souk_diag *diag)
{
    char names[200] = "", columns[300] = "";
    for (size_t i = 0; i < count; i++) {
        if (guess->column_of[meanings[i]] >= 0)
            return SOUK_OK;
        snprintf(names + strlen(names), sizeof names - strlen(names), "%s%s", i ? " or " : "",
                 guess->kind->meanings[meanings[i]].name);
    }
    if (!has_rows(guess))
        return souk_diag_say(diag, SOUK_EINVAL,
                             "there is a heading and nothing below it: give a file with rows");
    for (size_t i = 0; i < guess->column_count && strlen(columns) < 150; i++)
        if (guess->columns[i].meaning < 0)
            snprintf(columns + strlen(columns), sizeof columns - strlen(columns), "%s%.*s",
                     columns[0] ? ", " : "", (int)souk_min_size(guess->columns[i].name.bytes, 60),
                     guess->columns[i].name.at);
    return souk_diag_say(diag, SOUK_EINVAL,
                         "no column is %s: pass --map 'COLUMN=%s' with one of: %s", names,
                         guess->kind->meanings[meanings[0]].name, columns[0] ? columns : "(none)");
}

souk_err import_guess_need(const import_guess *guess, int meaning, souk_diag *diag)
{
    return import_guess_need_one(guess, &meaning, 1, diag);
}

static void tell_text(souk_json_writer *json, const char *name, const char *value)
{
    souk_json_write_key(json, souk_text_of(name));
    souk_json_write_text(json, souk_text_of(value));
}

/* Orders whose money would be stored as of no currency, for ever: what is known is not taken again. */
static bool lacks_currency(const import_guess *guess)
{
    static const int money[] = {IMPORT_PRICE, IMPORT_AMOUNT, IMPORT_TOTAL};
    if (guess->kind != &import_orders_kind || guess->currency[0] ||
        guess->column_of[IMPORT_CURRENCY_COLUMN] >= 0)
        return false;
    for (size_t i = 0; i < sizeof money / sizeof *money; i++) {
        int column = guess->column_of[money[i]];
        char currency[4] = "";
        souk_decimal amount;
        if (column >= 0 &&
            import_read_money(guess->columns[column].sample, &guess->habits, &amount, currency) &&
            !currency[0])
            return true;
    }
    return false;
}

static void tell_notes(const import_guess *guess, souk_json_writer *json)
{
    souk_json_put_array(json, "notes");
    if (guess->order_is_open)
        souk_json_write_text(json, guess->habits.order == IMPORT_MDY
                                       ? SOUK_TEXT("dates like 1/2/2026 could be read both ways: "
                                                   "taken as month/day; pass --dates dmy if not")
                                       : SOUK_TEXT("dates like 1/2/2026 could be read both ways: "
                                                   "taken as day/month; pass --dates mdy if not"));
    if (guess->decimal_is_open)
        souk_json_write_text(json,
                             guess->habits.decimal == '.'
                                 ? SOUK_TEXT("numbers like 1,234 could be read both ways: the "
                                             "decimal mark is taken to be a point; pass "
                                             "--decimal comma if not")
                                 : SOUK_TEXT("numbers like 1,234 could be read both ways: the "
                                             "decimal mark is taken to be a comma; pass "
                                             "--decimal point if not"));
    if (lacks_currency(guess))
        souk_json_write_text(json,
                             SOUK_TEXT("no column tells the currency: pass --currency, such as "
                                       "--currency EUR; what is stored without stays so"));
    souk_json_write_end(json);
}

/* At most some characters, none of them cut. */
static souk_text shorten(souk_text text)
{
    size_t bytes = souk_min_size(text.bytes, SAMPLE_SHOWN);
    while (bytes && bytes < text.bytes && (text.at[bytes] & 0xC0) == 0x80)
        bytes--;
    return (souk_text){text.at, bytes};
}

static void tell_column(const import_guess *guess, const import_column *column,
                        souk_json_writer *json)
{
    souk_json_write_object(json);
    souk_json_put_text(json, "column", column->name);
    souk_json_write_key(json, SOUK_TEXT("meaning"));
    if (column->meaning >= 0)
        souk_json_write_text(json, souk_text_of(guess->kind->meanings[column->meaning].name));
    else
        souk_json_write_null(json);
    souk_json_put_u64(json, "confidence", column->confidence);
    souk_json_put_text(json, "sample", shorten(column->sample));
    tell_text(json, "why", column->why ? column->why : "kept as it is");
    souk_json_write_end(json);
}

void import_guess_tell(const import_guess *guess, souk_json_writer *json)
{
    static const char *const orders[] = {
        [IMPORT_YMD] = "ymd", [IMPORT_DMY] = "dmy", [IMPORT_MDY] = "mdy"};
    const char separator[2] = {guess->separator, '\0'}, quote[2] = {guess->quote, '\0'};
    tell_text(json, "encoding", souk_charset_word(guess->charset));
    tell_text(json, "separator", guess->separator == '\t' ? "tab" : separator);
    tell_text(json, "quote", guess->no_quotes ? "none" : quote);
    tell_text(json, "decimal", guess->habits.decimal == ',' ? "comma" : "point");
    tell_text(json, "dates", orders[guess->habits.order]);
    tell_text(json, "zone", souk_zone_name(guess->zone));
    tell_text(json, "currency", guess->currency);
    tell_notes(guess, json);
    souk_json_put_array(json, "columns");
    for (size_t i = 0; i < guess->column_count; i++)
        tell_column(guess, &guess->columns[i], json);
    souk_json_write_end(json);
}
