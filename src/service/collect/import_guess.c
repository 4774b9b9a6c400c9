/* import_guess.c - see import_guess.h. */
#include "service/collect/import_guess.h"

#include "base/currency.h"
#include "os/zones.h"
#include "service/collect/import_sniff.h"

#include <stdlib.h>

enum {
    CLAIM_LEAST = 50,
    BY_CELLS_EMAIL = 75,
    BY_CELLS_PHONE = 60,
    BY_CELLS_CURRENCY = 65,
    BY_CELLS_TIME = 55
};
enum { TOLD = 100 };

/* ---- what cells are ---------------------------------------------------------------------------------------------- */

static bool is_email(souk_text cell)
{
    const char *at = cell.bytes ? memchr(cell.at, '@', cell.bytes) : NULL;
    return at && at > cell.at && memchr(at, '.', (size_t)(cell.at + cell.bytes - at)) &&
           !memchr(cell.at, ' ', cell.bytes);
}

/* International, or a Chinese mobile number; other local numbers are known by their heading alone. */
static bool is_phone(souk_text cell, bool strictly)
{
    size_t digits = 0;
    for (size_t i = 0; i < cell.bytes; i++) {
        bool digit = cell.at[i] >= '0' && cell.at[i] <= '9';
        digits += digit;
        if (!digit && !memchr(" +-.()/", cell.at[i], 7))
            return false;
    }
    if (!strictly)
        return digits >= 5 && digits <= 15;
    bool chinese = digits == 11 && cell.bytes == 11 && cell.at[0] == '1' && cell.at[1] >= '3';
    return chinese || (cell.at[0] == '+' && digits >= 8 && digits <= 15);
}

static bool is_number(souk_text cell, import_habits habits)
{
    souk_decimal number;
    habits.decimal = '.';
    if (import_read_number(cell, &habits, &number))
        return true;
    habits.decimal = ',';
    return import_read_number(cell, &habits, &number);
}

static bool is_time(souk_text cell, import_habits habits)
{
    souk_time at;
    habits.order = IMPORT_DMY;
    if (import_read_time(cell, &habits, &at))
        return true;
    habits.order = IMPORT_MDY;
    return import_read_time(cell, &habits, &at);
}

static bool is_of(souk_text cell, import_type type, const import_habits *habits)
{
    char code[4];
    int64_t ms;
    switch (type) {
    case IMPORT_TIME:
        return is_time(cell, *habits);
    case IMPORT_TIME_OF_DAY:
        return import_read_time_of_day(cell, &ms);
    case IMPORT_NUMBER:
    case IMPORT_MONEY:
        return is_number(cell, *habits);
    case IMPORT_CURRENCY:
        return souk_currency_read(cell, code) == SOUK_OK;
    case IMPORT_EMAIL:
        return is_email(cell);
    case IMPORT_PHONE:
        return is_phone(cell, false);
    case IMPORT_YES:
        return import_read_yes(cell) >= 0;
    case IMPORT_URL:
        return souk_text_starts(cell, SOUK_TEXT("http")) || souk_text_starts(cell, SOUK_TEXT("/"));
    case IMPORT_TEXT:
        break;
    }
    return true;
}

/* Of its cells that are not empty, in percent; 100 where all are. */
static unsigned fitting(const import_guess *guess, const import_sample *sample, size_t column,
                        import_type type, bool strictly)
{
    size_t cells = 0, fit = 0;
    for (size_t row = 1; row < sample->row_count; row++) {
        souk_text cell = import_sample_cell(sample, row, column);
        if (cell.bytes == 0)
            continue;
        cells++;
        fit += type == IMPORT_PHONE && strictly ? is_phone(cell, true)
                                                : is_of(cell, type, &guess->habits);
    }
    if (cells == 0)
        return strictly ? 0 : 100;
    return (unsigned)(fit * 100 / cells);
}

/* ---- claims ------------------------------------------------------------------------------------------------------- */

struct claim {
    uint16_t column, meaning;
    unsigned score;
    const char *why;
};

static unsigned by_cells(import_type type)
{
    switch (type) {
    case IMPORT_EMAIL:
        return BY_CELLS_EMAIL;
    case IMPORT_PHONE:
        return BY_CELLS_PHONE;
    case IMPORT_CURRENCY:
        return BY_CELLS_CURRENCY;
    case IMPORT_TIME:
        return BY_CELLS_TIME;
    default:
        return 0;
    }
}

static struct claim weigh(const import_guess *guess, const import_sample *sample, size_t column,
                          size_t number)
{
    const import_meaning *meaning = &guess->kind->meanings[number];
    struct claim claim = {.column = (uint16_t)column, .meaning = (uint16_t)number};
    unsigned score = import_word_score(meaning, guess->columns[column].name);
    if (score) {
        unsigned fit = meaning->type == IMPORT_TEXT
                           ? 100
                           : fitting(guess, sample, column, meaning->type, false);
        claim.score = fit >= 50 ? score : 0;
        claim.why = score > 75 ? "the heading says so" : "the heading holds the word";
    } else if (by_cells(meaning->type) &&
               fitting(guess, sample, column, meaning->type, true) >= 90) {
        claim.score = by_cells(meaning->type);
        claim.why = "its cells look so";
    }
    return claim;
}

static int by_score(const void *a, const void *b)
{
    const struct claim *one = a, *other = b;
    if (one->score != other->score)
        return one->score > other->score ? -1 : 1;
    if (one->meaning != other->meaning)
        return one->meaning < other->meaning ? -1 : 1;
    return (one->column > other->column) - (one->column < other->column);
}

static bool is_free(const import_guess *guess, const struct claim *claim)
{
    const import_column *column = &guess->columns[claim->column];
    return column->meaning < 0 && !column->is_ignored && guess->column_of[claim->meaning] < 0;
}

/* Two free columns whose headings say the same thing equally well: the user has to choose. */
static souk_err check_rivals(const import_guess *guess, const struct claim *claims, size_t count,
                             size_t at, souk_diag *diag)
{
    for (size_t i = at + 1; i < count && claims[i].score == claims[at].score; i++) {
        if (claims[i].meaning != claims[at].meaning || !is_free(guess, &claims[i]) ||
            claims[i].score <= 75)
            continue;
        souk_text one = guess->columns[claims[at].column].name;
        souk_text other = guess->columns[claims[i].column].name;
        const char *meaning = guess->kind->meanings[claims[at].meaning].name;
        return souk_diag_say(diag, SOUK_EINVAL,
                             "columns '%.*s' and '%.*s' could both be %s: pass --map '%.*s=%s' or "
                             "--map '%.*s=%s'",
                             SOUK_TEXT_PRINT(one), SOUK_TEXT_PRINT(other), meaning,
                             SOUK_TEXT_PRINT(one), meaning, SOUK_TEXT_PRINT(other), meaning);
    }
    return SOUK_OK;
}

static void assign(import_guess *guess, size_t column, size_t meaning, unsigned confidence,
                   const char *why)
{
    guess->columns[column].meaning = (int)meaning;
    guess->columns[column].confidence = confidence;
    guess->columns[column].why = why;
    guess->column_of[meaning] = (int)column;
}

static souk_err settle_claims(import_guess *guess, const import_sample *sample, souk_diag *diag)
{
    size_t count = 0, most = guess->column_count * guess->kind->count + 1;
    struct claim *claims = souk_mem_array(guess->mem, most, sizeof *claims);
    souk_err err = claims ? SOUK_OK : SOUK_ENOMEM;
    for (size_t column = 0; !err && column < guess->column_count; column++)
        for (size_t meaning = 0; meaning < guess->kind->count; meaning++) {
            claims[count] = weigh(guess, sample, column, meaning);
            count += claims[count].score >= CLAIM_LEAST;
        }
    if (!err)
        qsort(claims, count, sizeof *claims, by_score);
    for (size_t i = 0; !err && i < count; i++) {
        if (!is_free(guess, &claims[i]))
            continue;
        err = check_rivals(guess, claims, count, i, diag);
        if (!err)
            assign(guess, claims[i].column, claims[i].meaning, claims[i].score, claims[i].why);
    }
    souk_mem_put(guess->mem, claims);
    return err;
}

/* ---- --map ---------------------------------------------------------------------------------------------------------- */

/* By heading, or "#3" for the third; -1: none. */
static int find_column(const import_guess *guess, souk_text name)
{
    uint64_t number;
    for (size_t i = 0; i < guess->column_count; i++)
        if (souk_text_equal_nocase(name, guess->columns[i].name))
            return (int)i;
    if (name.bytes > 1 && name.at[0] == '#' &&
        souk_text_to_u64((souk_text){name.at + 1, name.bytes - 1}, &number) == SOUK_OK &&
        number >= 1 && number <= guess->column_count)
        return (int)number - 1;
    return -1;
}

static souk_err map_one(import_guess *guess, souk_text pair, souk_diag *diag)
{
    char list[500];
    souk_text rest = pair, name = souk_text_trim(souk_text_cut(&rest, '='));
    bool has_meaning = name.bytes < pair.bytes && memchr(pair.at, '=', pair.bytes);
    souk_text meaning = souk_text_trim(rest);
    int column = find_column(guess, name);
    if (!has_meaning)
        return souk_diag_say(diag, SOUK_EINVAL, "--map takes 'Column=meaning', not '%.*s'",
                             SOUK_TEXT_PRINT(pair));
    if (column < 0)
        return souk_diag_say(diag, SOUK_EINVAL,
                             "--map: there is no column '%.*s': name one of the heading, or its "
                             "number as #3",
                             SOUK_TEXT_PRINT(name));
    if (meaning.bytes == 0) {
        guess->columns[column].is_ignored = true;
        guess->columns[column].why = "--map says so";
        return SOUK_OK;
    }
    int number = import_meaning_of(guess->kind, meaning);
    import_list_meanings(guess->kind, list, sizeof list);
    if (number < 0)
        return souk_diag_say(diag, SOUK_EINVAL, "--map: %s have no meaning '%.*s'; there is: %s",
                             guess->kind->name, SOUK_TEXT_PRINT(meaning), list);
    if (guess->column_of[number] >= 0 || guess->columns[column].meaning >= 0)
        return souk_diag_say(
            diag, SOUK_EINVAL,
            "--map: '%.*s=%.*s' says twice what a column means, or which one means "
            "it: say it once",
            SOUK_TEXT_PRINT(name), SOUK_TEXT_PRINT(meaning));
    assign(guess, (size_t)column, (size_t)number, TOLD, "--map says so");
    return SOUK_OK;
}

static souk_err take_map(import_guess *guess, souk_text map, souk_diag *diag)
{
    while (map.bytes) {
        souk_text pair = souk_text_trim(souk_text_cut(&map, ','));
        if (pair.bytes)
            SOUK_TRY(map_one(guess, pair, diag));
    }
    return SOUK_OK;
}

/* ---- habits ---------------------------------------------------------------------------------------------------------- */

/* Votes of the cells of every column of these types. */
static void count_votes(const import_guess *guess, const import_sample *sample, bool of_time,
                        size_t votes[4])
{
    for (size_t i = 0; i < guess->column_count; i++) {
        int meaning = guess->columns[i].meaning;
        import_type type = meaning < 0 ? IMPORT_TEXT : guess->kind->meanings[meaning].type;
        bool wanted = of_time ? type == IMPORT_TIME : type == IMPORT_MONEY || type == IMPORT_NUMBER;
        for (size_t row = 1; wanted && row < sample->row_count; row++) {
            souk_text cell = import_sample_cell(sample, row, i);
            votes[of_time ? import_vote_for_order(cell) : import_vote_for_decimal(cell)]++;
        }
    }
}

/* 1/2/2026 with points is a day first, with slashes as the country has it: where numbers have a decimal comma, a day. */
static void find_order(import_guess *guess, const import_sample *sample)
{
    size_t votes[4] = {0};
    count_votes(guess, sample, true, votes);
    guess->habits.order = IMPORT_YMD;
    if (votes[1] + votes[2] + votes[3] == 0)
        return;
    guess->order_is_open = votes[1] == 0 && votes[2] == 0;
    if (!guess->order_is_open) {
        guess->habits.order = votes[1] >= votes[2] ? IMPORT_DMY : IMPORT_MDY;
        return;
    }
    bool points = false;
    for (size_t i = 0; i < guess->column_count; i++) {
        int meaning = guess->columns[i].meaning;
        souk_text cell = guess->columns[i].sample;
        if (meaning >= 0 && guess->kind->meanings[meaning].type == IMPORT_TIME && cell.bytes > 3)
            points |= memchr(cell.at, '.', 4 < cell.bytes ? 4 : cell.bytes) != NULL;
    }
    guess->habits.order = points || guess->habits.decimal == ',' ? IMPORT_DMY : IMPORT_MDY;
    guess->order_is_open = !points;
}

static souk_err find_habits(import_guess *guess, const souk_import_options *options,
                            const import_sample *sample, souk_diag *diag)
{
    size_t votes[4] = {0};
    count_votes(guess, sample, false, votes);
    guess->decimal_is_open = votes[1] == 0 && votes[2] == 0 && votes[3] > 0;
    bool comma = votes[1] > votes[2] || (votes[1] + votes[2] == 0 && guess->separator == ';');
    guess->habits.decimal = comma ? ',' : '.';
    if (options->decimal.bytes) {
        bool point = souk_text_equal_nocase(options->decimal, SOUK_TEXT("point"));
        if (!point && !souk_text_equal_nocase(options->decimal, SOUK_TEXT("comma")))
            return souk_diag_say(diag, SOUK_EINVAL, "the decimal mark is point or comma");
        guess->habits.decimal = point ? '.' : ',';
        guess->decimal_is_open = false;
    }
    find_order(guess, sample);
    if (options->dates.bytes) {
        bool dmy = souk_text_equal_nocase(options->dates, SOUK_TEXT("dmy")),
             mdy = souk_text_equal_nocase(options->dates, SOUK_TEXT("mdy"));
        if (!dmy && !mdy && !souk_text_equal_nocase(options->dates, SOUK_TEXT("ymd")))
            return souk_diag_say(diag, SOUK_EINVAL, "the order of dates is dmy, mdy or ymd");
        guess->habits.order = dmy ? IMPORT_DMY : mdy ? IMPORT_MDY : IMPORT_YMD;
        guess->order_is_open = false;
    }
    if (options->currency.bytes && souk_currency_read(options->currency, guess->currency))
        return souk_diag_say(diag, SOUK_EINVAL,
                             "'%.*s' is no code of ISO 4217: say one such as EUR",
                             SOUK_TEXT_PRINT(options->currency));
    if (options->zone.bytes)
        SOUK_TRY(souk_zone_open(guess->mem, options->zone, &guess->zone, diag));
    guess->habits.zone = guess->zone;
    return SOUK_OK;
}

/* ---- the whole -------------------------------------------------------------------------------------------------------- */

static souk_err take_heading(import_guess *guess, const import_sample *sample)
{
    guess->column_count = sample->counts[0];
    guess->columns = souk_mem_array(guess->mem, guess->column_count, sizeof *guess->columns);
    if (!guess->columns)
        return SOUK_ENOMEM;
    for (size_t i = 0; i < guess->column_count; i++) {
        import_column *column = &guess->columns[i];
        *column = (import_column){.name = import_sample_cell(sample, 0, i), .meaning = -1};
        for (size_t row = 1; row < sample->row_count && column->sample.bytes == 0; row++)
            column->sample = import_sample_cell(sample, row, i);
    }
    for (size_t i = 0; i < IMPORT_MEANINGS_MOST; i++)
        guess->column_of[i] = -1;
    return SOUK_OK;
}

static souk_err find_out(import_guess *guess, const souk_import_options *options, souk_text head,
                         bool is_whole, import_sample *sample, souk_diag *diag)
{
    SOUK_TRY(import_sniff(guess, options, head, is_whole, sample, diag));
    SOUK_TRY(take_heading(guess, sample));
    SOUK_TRY(take_map(guess, options->map, diag));
    SOUK_TRY(settle_claims(guess, sample, diag));
    return find_habits(guess, options, sample, diag);
}

souk_err import_guess_new(souk_mem *mem, const import_kind *kind,
                          const souk_import_options *options, souk_text head, bool is_whole,
                          import_guess **ret_guess, souk_diag *diag)
{
    souk_auto(import_guess) guess = souk_mem_get(mem, sizeof *guess);
    souk_assert(kind->count <= IMPORT_MEANINGS_MOST);
    if (!guess)
        return SOUK_ENOMEM;
    guess->mem = guess->arena.mem = mem;
    guess->kind = kind;
    import_sample *sample = souk_mem_get(mem, sizeof *sample);
    souk_err err = sample ? find_out(guess, options, head, is_whole, sample, diag) : SOUK_ENOMEM;
    souk_mem_put(mem, sample);
    if (!err)
        *ret_guess = souk_take(&guess);
    return err;
}

void import_guess_free(import_guess *guess)
{
    if (!guess)
        return;
    souk_mem_put(guess->mem, guess->columns);
    souk_zone_free(guess->zone);
    souk_arena_done(&guess->arena);
    souk_mem_put(guess->mem, guess);
}
