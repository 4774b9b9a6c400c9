/* import_sniff.c - see import_sniff.h. */
#include "service/collect/import_sniff.h"

#include "base/csv.h"

/* ---- rows ---------------------------------------------------------------------------------------------------- */

static souk_err keep_row(import_guess *guess, const souk_csv_row *row, import_sample *sample)
{
    souk_text *cells =
        souk_arena_copy(&guess->arena, row->fields, row->field_count * sizeof *cells);
    if (guess->arena.failed)
        return SOUK_ENOMEM;
    for (size_t i = 0; i < row->field_count; i++)
        cells[i].at = souk_arena_copy(&guess->arena, cells[i].at, cells[i].bytes);
    sample->rows[sample->row_count] = cells;
    sample->counts[sample->row_count++] = row->field_count;
    return guess->arena.failed ? SOUK_ENOMEM : SOUK_OK;
}

static souk_err read_sample(import_guess *guess, souk_text text, bool is_whole,
                            import_sample *sample, souk_diag *diag)
{
    souk_auto(souk_csv) csv = NULL;
    souk_csv_row row;
    sample->row_count = 0;
    SOUK_TRY(souk_csv_new(guess->mem,
                          &(souk_csv_options){.delimiter = guess->separator,
                                              .quote = guess->quote,
                                              .no_quotes = guess->no_quotes,
                                              .max_fields = IMPORT_COLUMNS_MOST},
                          &csv));
    souk_csv_feed(csv, text, is_whole);
    while (sample->row_count <= IMPORT_SAMPLE_ROWS && souk_csv_next(csv, &row))
        SOUK_TRY(keep_row(guess, &row, sample));
    return sample->row_count <= IMPORT_SAMPLE_ROWS ? souk_csv_check(csv, diag) : SOUK_OK;
}

souk_text import_sample_cell(const import_sample *sample, size_t row, size_t column)
{
    if (column >= sample->counts[row])
        return SOUK_TEXT("");
    return souk_text_trim(souk_csv_unguard(souk_text_trim(sample->rows[row][column])));
}

/* ---- how it is written ------------------------------------------------------------------------------------------ */

/* Of the rows, in percent, those that have as many cells as the heading; 0 where it has one. */
static size_t evenness(const import_sample *sample)
{
    size_t same = 0;
    if (sample->row_count == 0 || sample->counts[0] < 2)
        return 0;
    for (size_t i = 0; i < sample->row_count; i++)
        same += sample->counts[i] == sample->counts[0];
    return same * 100 / sample->row_count;
}

/* What the present separator and quotes make of the text: even rows first, then more columns. */
static size_t try_reading(import_guess *guess, souk_text text, bool is_whole, import_sample *sample,
                          souk_err *ret_err)
{
    souk_arena room = {.mem = guess->mem}, kept = guess->arena;
    guess->arena = room;
    *ret_err = read_sample(guess, text, is_whole, sample, NULL);
    size_t score = *ret_err == SOUK_ESYNTAX ? 0 : evenness(sample) * 1000;
    score += score ? souk_min_size(sample->counts[0], 999) : 0;
    souk_arena_done(&guess->arena);
    guess->arena = kept;
    return score;
}

/* Whether cells of the heading stand in apostrophes. */
static bool has_apostrophes(souk_text text)
{
    souk_text line = souk_text_trim(souk_text_cut(&text, '\n'));
    return line.bytes > 2 && line.at[0] == '\'' && line.at[line.bytes - 1] == '\'';
}

/* A quote that begins a cell means it; within cells only, it is an inch or a second. */
static bool opens_cells(souk_text text)
{
    const char *at = text.at, *end = text.at + text.bytes;
    for (; at < end && (at = memchr(at, '"', (size_t)(end - at))); at++)
        if (at == text.at || memchr(",;\t|\n", at[-1], 5))
            return true;
    return false;
}

static souk_err find_separator(import_guess *guess, const souk_import_options *options,
                               souk_text text, bool is_whole, import_sample *sample)
{
    static const char separators[] = {',', ';', '\t', '|'};
    size_t best = 0;
    char separator = guess->separator ? guess->separator : ',', quote = guess->quote;
    bool no_quotes = guess->no_quotes, quotes_told = options->quote.bytes > 0;
    char told = guess->separator;
    for (int style = 0; style < 3; style++) {
        bool apostrophes = style == 1, none = style == 2;
        if (quotes_told && style > 0)
            break;
        if (apostrophes && !has_apostrophes(text))
            continue;
        if (none && (best >= 1000 * 50 || opens_cells(text))) /* it reads well with quotes */
            break;
        if (!quotes_told) {
            guess->quote = apostrophes ? '\'' : '"';
            guess->no_quotes = none;
        }
        for (size_t i = 0; i < sizeof separators; i++) {
            souk_err err;
            if (told && separators[i] != told)
                continue;
            guess->separator = separators[i];
            size_t score = try_reading(guess, text, is_whole, sample, &err);
            if (err == SOUK_ENOMEM)
                return err;
            /* apostrophes around the first line's ends are no accident */
            score += apostrophes && score ? 1000 : 0;
            if (score <= best)
                continue;
            best = score;
            separator = separators[i];
            quote = guess->quote;
            no_quotes = guess->no_quotes;
        }
    }
    guess->separator = separator;
    guess->quote = best || quotes_told ? quote : '"';
    guess->no_quotes = best || quotes_told ? no_quotes : false;
    return SOUK_OK;
}

static souk_err take_options(import_guess *guess, const souk_import_options *options,
                             souk_diag *diag)
{
    souk_text separator = options->separator, quote = options->quote;
    if (souk_text_equal_nocase(separator, SOUK_TEXT("tab")))
        separator = SOUK_TEXT("\t");
    if (separator.bytes > 1 || (separator.bytes && !memchr(",;\t|", separator.at[0], 4)))
        return souk_diag_say(diag, SOUK_EINVAL, "the separator is one of , ; | and tab, not '%.*s'",
                             SOUK_TEXT_PRINT(separator));
    guess->separator = separator.bytes ? separator.at[0] : '\0';
    guess->no_quotes = souk_text_equal_nocase(quote, SOUK_TEXT("none"));
    guess->quote = '"';
    if (quote.bytes && !guess->no_quotes) {
        if (quote.bytes > 1 || (quote.at[0] != '"' && quote.at[0] != '\''))
            return souk_diag_say(diag, SOUK_EINVAL, "the quote is \" or ' or none, not '%.*s'",
                                 SOUK_TEXT_PRINT(quote));
        guess->quote = quote.at[0];
    }
    if (options->encoding.bytes && !souk_charset_of_word(options->encoding, &guess->charset))
        return souk_diag_say(diag, SOUK_EINVAL,
                             "'%.*s' is no encoding: say UTF-8, UTF-16LE, UTF-16BE, GB18030 or "
                             "windows-1252",
                             SOUK_TEXT_PRINT(options->encoding));
    return SOUK_OK;
}

souk_err import_sniff(import_guess *guess, const souk_import_options *options, souk_text head,
                      bool is_whole, import_sample *sample, souk_diag *diag)
{
    souk_auto(souk_decoder) decoder = NULL;
    souk_text text;
    SOUK_TRY(take_options(guess, options, diag));
    if (options->encoding.bytes == 0)
        guess->charset = souk_charset_guess(head, is_whole);
    SOUK_TRY(souk_decoder_new(guess->mem, guess->charset, &decoder));
    SOUK_TRY(souk_decoder_feed(decoder, head, is_whole, &text));
    if (souk_text_starts(text, SOUK_TEXT("\xEF\xBB\xBF")))
        text = souk_text_range(text.at + 3, text.at + text.bytes);
    SOUK_TRY(find_separator(guess, options, text, is_whole, sample));
    SOUK_TRY(read_sample(guess, text, is_whole, sample, diag));
    return sample->row_count ? SOUK_OK : souk_diag_say(diag, SOUK_EINVAL, "the file is empty");
}
