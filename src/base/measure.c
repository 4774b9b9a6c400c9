/* measure.c - patterns of measure.h: their reader, and codes through them. */
#include "base/measure.h"

#include "base/epc.h"

enum { ANY_DIGIT = 0x3ff, LEAST_DIGITS = 6, VALUE_DIGITS = 12, EAN = 13, UPCA = 12, EAN8 = 8 };

/* ---- the check digit of a value ---------------------------------------------------------------------- */

/* General Specifications 7.9.2: the weights "2-", "3", "5+" and "5-", and what each makes of a digit. */
static const uint8_t by_2_minus[10] = {0, 2, 4, 6, 8, 9, 1, 3, 5, 7};
static const uint8_t by_5_plus[10] = {0, 5, 1, 6, 2, 7, 3, 8, 4, 9};
static const uint8_t by_5_minus[10] = {0, 5, 9, 4, 8, 3, 7, 2, 6, 1};

char souk_measure_check_digit(souk_text digits)
{
    static const uint8_t *const four[] = {by_2_minus, by_2_minus, NULL, by_5_minus};
    static const uint8_t *const five[] = {by_5_plus, by_2_minus, by_5_minus, by_5_plus, by_2_minus};
    unsigned sum = 0;
    if (digits.bytes != 4 && digits.bytes != 5)
        return 0;
    for (size_t i = 0; i < digits.bytes; i++) {
        const uint8_t *weight = digits.bytes == 4 ? four[i] : five[i];
        unsigned digit = (unsigned)(digits.at[i] - '0');
        if (digit > 9)
            return 0;
        sum += weight ? weight[digit] : digit * 3 % 10;
    }
    if (digits.bytes == 4)
        return (char)('0' + sum * 3 % 10); /* 7.9.3 */
    unsigned rest = (10 - sum % 10) % 10, digit = 0;
    while (by_5_minus[digit] != rest) /* 7.9.4: the digit that "5-" makes the rest to ten */
        digit++;
    return (char)('0' + digit);
}

/* ---- reading a template ------------------------------------------------------------------------------ */

struct reader {
    souk_text line;
    size_t at;
    souk_measure_template row;
    size_t columns[SOUK_MEASURE_DIGITS]; /* of each digit, from 1 */
    souk_diag *diag;
};

static souk_err wrong(struct reader *reader, size_t column, const char *words)
{
    if (reader->diag)
        reader->diag->column = column;
    return souk_diag_say(reader->diag, SOUK_ESYNTAX, "the template at column %zu: %s", column,
                         words);
}

static souk_err add_digit(struct reader *reader, size_t column, char part, unsigned allowed)
{
    souk_measure_template *row = &reader->row;
    if (row->digits == SOUK_MEASURE_DIGITS)
        return wrong(reader, column, "more than 24 digits: no bar code of a scale is so long");
    reader->columns[row->digits] = column;
    row->parts[row->digits] = part;
    row->allowed[row->digits++] = (uint16_t)allowed;
    return SOUK_OK;
}

/* "[0-4]" or "[135]"; the reader stands on '['. */
static souk_err read_class(struct reader *reader)
{
    size_t begin = reader->at++;
    unsigned allowed = 0;
    souk_text line = reader->line;
    while (reader->at < line.bytes && line.at[reader->at] != ']') {
        size_t at = reader->at;
        bool range = at + 2 < line.bytes && line.at[at + 1] == '-';
        unsigned low = (unsigned)(line.at[at] - '0');
        unsigned high = range ? (unsigned)(line.at[at + 2] - '0') : low;
        if (low > 9 || high > 9 || high < low)
            return wrong(reader, at + 1, "in brackets stand digits, as [0-4] or [135]");
        for (unsigned digit = low; digit <= high; digit++)
            allowed |= 1u << digit;
        reader->at += range ? 3 : 1;
    }
    if (reader->at == line.bytes || allowed == 0)
        return wrong(reader, begin + 1, "this bracket has no end, or nothing in it: write [0-4]");
    reader->at++;
    return add_digit(reader, begin + 1, 'd', allowed);
}

static souk_err read_pattern(struct reader *reader)
{
    while (reader->at < reader->line.bytes) {
        char c = reader->line.at[reader->at];
        if (c == '[') {
            SOUK_TRY(read_class(reader));
            continue;
        }
        if (c >= 'a' && c <= 'z' && c != 'd')
            return SOUK_OK;
        reader->at++;
        if (c == ' ')
            continue;
        if (c >= '0' && c <= '9')
            SOUK_TRY(add_digit(reader, reader->at, 'd', 1u << (c - '0')));
        else if (c && strchr("dIVPWNKC", c))
            SOUK_TRY(add_digit(reader, reader->at, c, ANY_DIGIT));
        else
            return wrong(reader, reader->at,
                         "this is none of digits, [0-4], d, I, V, P, W, N, K and C");
    }
    return SOUK_OK;
}

/* The next word behind the pattern; empty at the end. */
static souk_text next_word(struct reader *reader)
{
    souk_text line = reader->line;
    while (reader->at < line.bytes && line.at[reader->at] == ' ')
        reader->at++;
    size_t begin = reader->at;
    while (reader->at < line.bytes && line.at[reader->at] != ' ')
        reader->at++;
    return souk_text_range(line.at + begin, line.at + reader->at);
}

/* A number above 0 and up to 1000, as the rest of the line begins; without one it is 1. */
static souk_err read_scale(struct reader *reader, souk_decimal *ret_scale)
{
    struct reader ahead = *reader;
    souk_text word = next_word(&ahead);
    bool rounded = false;
    ret_scale->micro = 1000000;
    if (word.bytes == 0 || word.at[0] < '0' || word.at[0] > '9')
        return SOUK_OK;
    if (souk_decimal_read(word, ret_scale, &rounded) != SOUK_OK || rounded ||
        ret_scale->micro <= 0 || ret_scale->micro > 1000000000)
        return wrong(reader, ahead.at - word.bytes + 1,
                     "what one step of the value is: a number above 0 and up to 1000, as 0.01");
    reader->at = ahead.at;
    return SOUK_OK;
}

static souk_err read_weight(struct reader *reader)
{
    static const struct {
        souk_text word;
        int64_t micro;
        const char *unit;
    } units[] = {{{"g", 1}, 1000, "kg"},
                 {{"kg", 2}, 1000000, "kg"},
                 {{"oz", 2}, 62500, "lb"},
                 {{"lb", 2}, 1000000, "lb"}};
    souk_decimal scale;
    bool rounded;
    SOUK_TRY(read_scale(reader, &scale));
    souk_text word = next_word(reader);
    size_t column = reader->at - word.bytes + 1;
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        if (!souk_text_equal(word, units[i].word))
            continue;
        reader->row.unit = units[i].unit;
        SOUK_TRY(souk_decimal_mul(scale, (souk_decimal){units[i].micro}, &reader->row.weight_scale,
                                  &rounded));
        return rounded || reader->row.weight_scale.micro == 0
                   ? wrong(reader, column, "one step is finer than 0.000001 kg or lb")
                   : SOUK_OK;
    }
    return wrong(reader, column, "weight is told in g, kg, oz or lb: write as weight g");
}

/* "price 0.01 weight g": which values there are, as letters P, W and N. */
static souk_err read_values(struct reader *reader, char values[4])
{
    size_t count = 0;
    for (souk_text word; (word = next_word(reader)).bytes;) {
        size_t column = reader->at - word.bytes + 1;
        char value = souk_text_equal(word, SOUK_TEXT("price"))    ? 'P'
                     : souk_text_equal(word, SOUK_TEXT("weight")) ? 'W'
                     : souk_text_equal(word, SOUK_TEXT("count"))  ? 'N'
                                                                  : '\0';
        if (!value)
            return wrong(reader, column, "here stands price, weight or count");
        if (memchr(values, value, count))
            return wrong(reader, column, "this value is told twice");
        values[count++] = value;
        values[count] = '\0';
        if (value == 'P')
            SOUK_TRY(read_scale(reader, &reader->row.price_scale));
        if (value == 'W')
            SOUK_TRY(read_weight(reader));
    }
    return count ? SOUK_OK
                 : wrong(reader, reader->at + 1,
                         "say what the value is: price 0.01, weight g or count");
}

/* ---- does it make sense? ------------------------------------------------------------------------------ */

/* Where a part begins, and of how many digits it is; SIZE_MAX: it is not there. */
static size_t find_part(const souk_measure_template *row, char part, size_t *ret_digits)
{
    const char *at = strchr(row->parts, part);
    *ret_digits = at ? strspn(at, (char[]){part, '\0'}) : 0;
    return at ? (size_t)(at - row->parts) : SIZE_MAX;
}

/* The value that K checks. */
static char checked_value(const souk_measure_template *row)
{
    return strchr(row->parts, 'P') ? 'P' : strchr(row->parts, 'W') ? 'W' : 'N';
}

static souk_err check_values(struct reader *reader, const char *values)
{
    souk_measure_template *row = &reader->row;
    size_t digits, at = find_part(row, 'V', &digits);
    if (at != SIZE_MAX && values[1])
        return wrong(reader, reader->columns[at], "of two values each has its letter: P, W or N");
    for (char *part = row->parts; *part; part++)
        *part = *part == 'V' ? values[0] : *part;
    for (const char *value = "PWN"; *value; value++) {
        at = find_part(row, *value, &digits);
        if ((at != SIZE_MAX) != (strchr(values, *value) != NULL))
            return at != SIZE_MAX
                       ? wrong(reader, reader->columns[at],
                               "nothing behind the pattern says what this value is")
                       : wrong(reader, 1, "a value is named that has no digits in the pattern");
        if (at != SIZE_MAX && strchr(row->parts + at + digits, *value))
            return wrong(reader,
                         reader->columns[strchr(row->parts + at + digits, *value) - row->parts],
                         "the digits of a value stand together");
        if (digits > VALUE_DIGITS)
            return wrong(reader, reader->columns[at], "a value has at most 12 digits");
    }
    return SOUK_OK;
}

static souk_err check_parts(struct reader *reader)
{
    souk_measure_template *row = &reader->row;
    size_t digits, value_digits, at = find_part(row, 'K', &digits);
    (void)find_part(row, checked_value(row), &value_digits);
    if (at != SIZE_MAX && strchr(row->parts + at + 1, 'K'))
        return wrong(reader, reader->columns[strchr(row->parts + at + 1, 'K') - row->parts],
                     "a second K: one value has a check digit");
    if (at != SIZE_MAX && value_digits != 4 && value_digits != 5)
        return wrong(reader, reader->columns[at],
                     "K checks a value of four or five digits: write d where it is none");
    at = find_part(row, 'C', &digits);
    if (at != SIZE_MAX && at + 1 != row->digits)
        return wrong(reader, reader->columns[at], "C is the last digit");
    return strchr(row->parts, 'I') ? SOUK_OK : wrong(reader, 1, "no I: which item is it?");
}

/* UPC-A is EAN-13 with a 0 in front. */
static void pad(struct reader *reader)
{
    souk_measure_template *row = &reader->row;
    memmove(row->parts + 1, row->parts, UPCA + 1);
    memmove(row->allowed + 1, row->allowed, UPCA * sizeof *row->allowed);
    memmove(reader->columns + 1, reader->columns, UPCA * sizeof *reader->columns);
    row->parts[0] = 'd';
    row->allowed[0] = 1;
    row->digits = EAN;
}

/* General Specifications 1.4.2 and 1.4.3: the other prefixes are those of companies. */
static souk_err check_length(struct reader *reader)
{
    souk_measure_template *row = &reader->row;
    if (row->digits < LEAST_DIGITS || row->digits == 14)
        return wrong(reader, 1, "a code of a scale has 6 to 13 or 15 to 24 digits");
    if (row->digits == UPCA)
        pad(reader);
    if (row->digits != EAN && row->digits != EAN8)
        return SOUK_OK;
    if (row->parts[row->digits - 1] != 'C')
        return wrong(reader, reader->columns[row->digits - 1],
                     "8, 12 and 13 digits end with a check digit: C");
    unsigned first = row->allowed[0], second = row->allowed[1];
    bool ours = row->digits == EAN8 ? (first & ~5u) == 0
                                    : first == 4 || (first == 1 && (second & ~20u) == 0);
    return ours ? SOUK_OK
                : wrong(reader, 1,
                        "these numbers belong to companies: EAN-13 begins with 02, 04 or 20 to "
                        "29, UPC-A with 2 or 4, EAN-8 with 0 or 2");
}

static bool fit_same_code(const souk_measure_template *a, const souk_measure_template *b)
{
    if (a->digits != b->digits)
        return false;
    for (size_t i = 0; i < a->digits; i++) {
        if ((a->allowed[i] & b->allowed[i]) == 0)
            return false;
    }
    return true;
}

souk_err souk_measure_add(souk_measures *measures, souk_text line, souk_diag *diag)
{
    struct reader reader = {.line = line, .diag = diag};
    char values[4] = "";
    SOUK_TRY(read_pattern(&reader));
    SOUK_TRY(read_values(&reader, values));
    SOUK_TRY(check_values(&reader, values));
    SOUK_TRY(check_parts(&reader));
    SOUK_TRY(check_length(&reader));
    for (size_t i = 0; i < measures->count; i++) {
        if (fit_same_code(&measures->rows[i], &reader.row))
            return souk_diag_say(diag, SOUK_ECONFLICT,
                                 "this template fits codes of template %zu: tell them apart by "
                                 "the digits in front",
                                 i + 1);
    }
    if (measures->count == SOUK_MEASURES)
        return souk_diag_say(diag, SOUK_ETOOBIG,
                             "more than %d templates: write some as one, 2[0-4]", SOUK_MEASURES);
    measures->rows[measures->count++] = reader.row;
    return SOUK_OK;
}

/* ---- reading a code ----------------------------------------------------------------------------------- */

static bool fits(const souk_measure_template *row, souk_text code)
{
    if (row->digits != code.bytes)
        return false;
    for (size_t i = 0; i < code.bytes; i++) {
        if ((row->allowed[i] >> (code.at[i] - '0') & 1) == 0)
            return false;
    }
    return true;
}

static souk_text part_of(const souk_measure_template *row, char part, const char *code)
{
    size_t digits, at = find_part(row, part, &digits);
    return at == SIZE_MAX ? (souk_text){NULL, 0} : (souk_text){code + at, digits};
}

static souk_err check_digits(const souk_measure_template *row, souk_text code, souk_diag *diag)
{
    souk_text whole = part_of(row, 'C', code.at), value = part_of(row, 'K', code.at);
    char right = souk_gs1_check_digit((souk_text){code.at, code.bytes - 1});
    if (whole.at && *whole.at != right)
        return souk_diag_say(diag, SOUK_EINVAL,
                             "the check digit is %c, by the digits before it it should be %c: scan "
                             "it again",
                             *whole.at, right);
    if (value.at == NULL)
        return SOUK_OK;
    char checked = checked_value(row);
    right = souk_measure_check_digit(part_of(row, checked, code.at));
    if (*value.at != right)
        return souk_diag_say(diag, SOUK_EINVAL,
                             "the check digit of the %s is %c, by its digits it should be %c: "
                             "scan it again, or see the scale's settings",
                             checked == 'P'   ? "price"
                             : checked == 'W' ? "weight"
                                              : "count",
                             *value.at, right);
    return SOUK_OK;
}

/* A scale's step times so many; twelve digits fit an int64. */
static souk_err scaled(souk_text digits, souk_decimal scale, souk_decimal *ret_value,
                       souk_diag *diag)
{
    uint64_t steps;
    SOUK_TRY(souk_text_to_u64(digits, &steps));
    if (souk_decimal_mul_int(scale, (int64_t)steps, ret_value) != SOUK_OK)
        return souk_diag_say(diag, SOUK_EOVERFLOW,
                             "the value is above 9,223,372,036,854: see the template's step");
    return SOUK_OK;
}

static void strip_values(const souk_measure_template *row, souk_text code, souk_measure *measure)
{
    size_t item = 0;
    for (size_t i = 0; i < code.bytes; i++) {
        if (row->parts[i] == 'I')
            measure->item[item++] = code.at[i];
        measure->code[i] = strchr("PWNK", row->parts[i]) ? '0' : code.at[i];
    }
    measure->item[item] = measure->code[code.bytes] = '\0';
    if (row->parts[code.bytes - 1] == 'C')
        measure->code[code.bytes - 1] =
            souk_gs1_check_digit((souk_text){measure->code, code.bytes - 1});
}

static souk_err read_with(const souk_measure_template *row, souk_text code,
                          souk_measure *ret_measure, souk_diag *diag)
{
    souk_measure measure = {.has_price = false};
    SOUK_TRY(check_digits(row, code, diag));
    souk_text price = part_of(row, 'P', code.at), weight = part_of(row, 'W', code.at);
    souk_text count = part_of(row, 'N', code.at);
    measure.has_price = price.at != NULL;
    measure.has_weight = weight.at != NULL;
    measure.has_count = count.at != NULL;
    if (price.at)
        SOUK_TRY(scaled(price, row->price_scale, &measure.price, diag));
    if (weight.at)
        SOUK_TRY(scaled(weight, row->weight_scale, &measure.weight, diag));
    if (count.at)
        SOUK_TRY(souk_text_to_u64(count, &measure.count));
    measure.unit = row->unit;
    strip_values(row, code, &measure);
    *ret_measure = measure;
    return SOUK_OK;
}

souk_err souk_measure_read(const souk_measures *measures, souk_text digits,
                           souk_measure *ret_measure, souk_diag *diag)
{
    char padded[EAN];
    for (size_t i = 0; i < digits.bytes; i++) {
        if (digits.at[i] < '0' || digits.at[i] > '9')
            return souk_diag_say(diag, SOUK_ENOENT, "a code of a scale has digits only");
    }
    if (digits.bytes == UPCA) {
        padded[0] = '0';
        memcpy(padded + 1, digits.at, UPCA);
        digits = (souk_text){padded, EAN};
    } else if (digits.bytes == 14 && digits.at[0] == '0') {
        digits = (souk_text){digits.at + 1, EAN};
    }
    for (size_t i = 0; i < measures->count; i++) {
        if (!fits(&measures->rows[i], digits))
            continue;
        SOUK_TRY(read_with(&measures->rows[i], digits, ret_measure, diag));
        ret_measure->template_index = i;
        return SOUK_OK;
    }
    return souk_diag_say(diag, SOUK_ENOENT,
                         "no template fits this code: set one for the codes of the scale");
}

/* ---- writing a code ----------------------------------------------------------------------------------- */

static bool put_value(const souk_measure_template *row, char part, uint64_t value, char *code)
{
    size_t digits, at = find_part(row, part, &digits);
    if (at == SIZE_MAX)
        return true;
    while (digits-- > 0) {
        code[at + digits] = (char)('0' + value % 10);
        value /= 10;
    }
    return value == 0;
}

souk_err souk_measure_write(const souk_measure_template *row, souk_text item, uint64_t price,
                            uint64_t weight, uint64_t count, char out[SOUK_MEASURE_DIGITS + 1],
                            souk_diag *diag)
{
    char code[SOUK_MEASURE_DIGITS + 1];
    size_t item_digits = 0;
    for (size_t i = 0; i < row->digits; i++) {
        char digit = '0';
        while ((row->allowed[i] >> (digit - '0') & 1) == 0)
            digit++;
        if (row->parts[i] == 'I' && item_digits < item.bytes)
            digit = item.at[item_digits];
        item_digits += row->parts[i] == 'I';
        if (digit < '0' || digit > '9')
            return souk_diag_say(diag, SOUK_EINVAL,
                                 "an item's number has digits only: leave out what is none");
        code[i] = digit;
    }
    if (item_digits != item.bytes)
        return souk_diag_say(diag, SOUK_EINVAL,
                             "the item has %zu digits in this template: write zeros in front",
                             item_digits);
    if (!put_value(row, 'P', price, code) || !put_value(row, 'W', weight, code) ||
        !put_value(row, 'N', count, code))
        return souk_diag_say(diag, SOUK_EOVERFLOW,
                             "the value has more digits than the template: weigh less");
    size_t digits, at = find_part(row, 'K', &digits);
    if (at != SIZE_MAX)
        code[at] = souk_measure_check_digit(part_of(row, checked_value(row), code));
    if (row->parts[row->digits - 1] == 'C')
        code[row->digits - 1] = souk_gs1_check_digit((souk_text){code, row->digits - 1});
    code[row->digits] = '\0';
    memcpy(out, code, row->digits + 1);
    return SOUK_OK;
}
