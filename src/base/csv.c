/* csv.c - the reader and writer of csv.h.
 *
 * An import is gigabytes of plain rows, so 64 bytes are looked at together: one bit mask each for
 * quotes, delimiters and line ends.  A byte is inside quotes where the number of quotes before it
 * is odd, a doubled quote flips that twice, and so an xor over all bits below tells what is
 * structure:
 *
 *     text     a , " b , c " , d LF
 *     quotes   0 0 1 0 0 0 1 0 0 0
 *     inside   0 0 1 1 1 1 0 0 0 0
 *     ends     0 1 0 0 0 0 0 1 0 1      delimiters and line ends that are not inside
 *
 * Whether quotes stand where they may is checked per field afterwards, only in rows that have any;
 * both together accept exactly what a parser does that goes byte by byte.  That parser is here too,
 * to say where the mistake is.
 *
 * The part of a row at a chunk's end goes into `carry`; the next chunk completes it there, its
 * quotes counted on, so that even chunks of one byte cost linear time. */
#include "base/csv.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

enum { STEP = 64, DEFAULT_FIELDS = 1024, DEFAULT_ROW_BYTES = 1 << 20 };
static const char byte_order_mark[3] = {'\xEF', '\xBB', '\xBF'};

/* A walk over bytes in steps of 64. */
typedef struct scan {
    souk_text text;
    size_t row_start;
    size_t base, next;               /* of the step at hand, and of the one to come */
    uint64_t quotes, newlines, ends; /* bit i: text.at[base + i]; ends lose those that were seen */
    uint64_t inside;                 /* all ones where the step at hand ends inside quotes */
    char delimiter, quote;
    bool no_quotes;
} scan;

struct souk_csv {
    souk_mem *mem;
    char delimiter, quote;
    bool no_quotes;
    size_t max_fields, max_row_bytes;
    scan chunk;
    bool last;            /* no chunk will follow */
    unsigned mark_bytes;  /* of the byte order mark seen; 3: the beginning is over */
    souk_buf carry;       /* the row cut by the end of a chunk */
    bool carry_inside;    /* it ends inside quotes */
    bool carry_delivered; /* its fields are in the caller's hands */
    souk_text *fields;
    size_t fields_capacity, field_count;
    char *unquoted; /* bytes of the row's fields that had doubled quotes */
    size_t unquoted_capacity;
    uint64_t row_number, line; /* rows so far, and where the next one starts */
    souk_err failed;
    souk_diag diag;
};

souk_err souk_csv_new(souk_mem *mem, const souk_csv_options *options, souk_csv **ret_csv)
{
    char delimiter = options->delimiter ? options->delimiter : ',';
    char quote = options->quote ? options->quote : '"';
    if (delimiter == quote || delimiter == '\n' || delimiter == '\r' || quote == '\n' ||
        quote == '\r')
        return SOUK_EINVAL;
    souk_csv *csv = souk_mem_get(mem, sizeof *csv);
    if (!csv)
        return SOUK_ENOMEM;
    csv->mem = mem;
    csv->delimiter = delimiter;
    csv->quote = quote;
    csv->no_quotes = options->no_quotes;
    csv->max_fields = options->max_fields ? options->max_fields : DEFAULT_FIELDS;
    csv->max_row_bytes = options->max_row_bytes ? options->max_row_bytes : DEFAULT_ROW_BYTES;
    csv->carry = (souk_buf){.mem = mem, .limit_bytes = csv->max_row_bytes + 2};
    csv->line = 1;
    *ret_csv = csv;
    return SOUK_OK;
}

void souk_csv_free(souk_csv *csv)
{
    if (!csv)
        return;
    souk_buf_done(&csv->carry);
    souk_mem_put(csv->mem, csv->fields);
    souk_mem_put(csv->mem, csv->unquoted);
    souk_mem_put(csv->mem, csv);
}

souk_err souk_csv_check(const souk_csv *csv, souk_diag *diag)
{
    if (csv->failed && diag && !diag->words[0])
        *diag = csv->diag;
    return csv->failed;
}

/* ---- finding the ends of fields and rows ---- */

static uint64_t mask_of(const char *at, char wanted)
{
    uint64_t mask = 0;
#ifdef __SSE2__
    const __m128i all = _mm_set1_epi8(wanted);
    for (int i = 0; i < STEP / 16; i++) {
        __m128i bytes;
        memcpy(&bytes, at + 16 * i, sizeof bytes);
        mask |= (uint64_t)(uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, all)) << (16 * i);
    }
#else
    for (int i = 0; i < STEP; i++)
        mask |= (uint64_t)(at[i] == wanted) << i;
#endif
    return mask;
}

/* Bit i of the result is the xor of bits 0 to i. */
static uint64_t xor_below(uint64_t bits)
{
    for (int shift = 1; shift < 64; shift *= 2)
        bits ^= bits << shift;
    return bits;
}

static void scan_start(scan *s, souk_text text, const souk_csv *csv, bool inside)
{
    *s = (scan){.text = text,
                .delimiter = csv->delimiter,
                .quote = csv->quote,
                .no_quotes = csv->no_quotes,
                .inside = inside ? ~(uint64_t)0 : 0};
}

/* Loads the next step; false where the text ends. */
static bool scan_step(scan *s)
{
    if (s->next >= s->text.bytes)
        return false;
    const char *at = s->text.at + s->next;
    char padded[STEP] = {0};
    size_t left = s->text.bytes - s->next;
    if (left < STEP)
        at = memcpy(padded, at, left);
    s->base = s->next;
    s->next += STEP;
    s->quotes = s->no_quotes ? 0 : mask_of(at, s->quote);
    s->newlines = mask_of(at, '\n');
    s->ends = s->newlines | mask_of(at, s->delimiter);
    if (s->quotes | s->inside) {
        uint64_t inside = xor_below(s->quotes) ^ s->inside;
        s->ends &= ~inside;
        s->inside = 0 - (inside >> 63);
    }
    return true;
}

/* ---- errors ---- */

static void fail(souk_csv *csv, souk_err err, uint64_t line, uint64_t column)
{
    csv->failed = err;
    csv->diag.line = line;
    csv->diag.column = column;
}

typedef enum place { FIELD_START, UNQUOTED, QUOTED, CLOSED } place;

/* One byte further; what is wrong with it, or NULL.  line_end: an LF, or the CR in front of one. */
static const char *go_on(place *at, char c, const souk_csv *csv, bool line_end)
{
    bool is_quote = c == csv->quote && !csv->no_quotes;
    if (*at == QUOTED) {
        *at = is_quote ? CLOSED : QUOTED;
    } else if (c == csv->delimiter) {
        *at = FIELD_START;
    } else if (is_quote) {
        if (*at == UNQUOTED)
            return "a quote stands inside a field that does not begin with one";
        *at = QUOTED; /* opened, or doubled after all */
    } else if (!line_end) {
        if (*at == CLOSED)
            return "text follows the closing quote";
        *at = UNQUOTED;
    }
    return NULL;
}

/* Goes byte by byte to the first mistake of a row, whose text ends with it or with the file.  Where
 * there is none, the row has outgrown a ceiling: `otherwise` says which. */
static void explain(souk_csv *csv, souk_text row, bool file_ends, const char *otherwise)
{
    place at = FIELD_START;
    uint64_t line = csv->line, column = 1, field = 1;
    const char *mistake = NULL;
    for (size_t i = 0; i < row.bytes; i++) {
        char c = row.at[i];
        bool before_newline = i + 1 < row.bytes && row.at[i + 1] == '\n';
        field += c == csv->delimiter && at != QUOTED;
        mistake = go_on(&at, c, csv, c == '\n' || (c == '\r' && before_newline));
        if (mistake)
            break;
        line += c == '\n';
        column = c == '\n' ? 1 : column + 1;
    }
    if (!mistake && at == QUOTED && file_ends)
        mistake = "its quote is never closed";
    souk_err err = mistake ? SOUK_ESYNTAX : SOUK_ETOOBIG;
    souk_assert(mistake || otherwise);
    fail(csv, err, line, column);
    souk_diag_say(&csv->diag, err, "row %llu, field %llu: %s",
                  (unsigned long long)csv->row_number + 1, (unsigned long long)field,
                  mistake ? mistake : otherwise);
}

/* ---- rows ---- */

static const char too_long[] = "the row is longer than the limit, or a quote was not closed";
static const char too_many[] = "the row has more fields than the limit";

static bool add_field(souk_csv *csv, const char *from, size_t bytes)
{
    if (csv->field_count == csv->fields_capacity) {
        souk_err err = souk_mem_grow(csv->mem, &csv->fields, &csv->fields_capacity,
                                     csv->field_count + 1, csv->max_fields, sizeof *csv->fields);
        if (err) {
            if (err == SOUK_ETOOBIG)
                souk_diag_say(&csv->diag, err, "row %llu: %s",
                              (unsigned long long)csv->row_number + 1, too_many);
            fail(csv, err, csv->line, 1);
            return false;
        }
    }
    csv->fields[csv->field_count++] = (souk_text){from, bytes};
    return true;
}

typedef enum found { FOUND_ROW, FOUND_END, FOUND_FAILURE } found;

/* Splits the row at row_start into fields, raw; *ret_quoted where it may have quotes. */
static found split_row(souk_csv *csv, scan *s, size_t *ret_row_end, bool *ret_quoted)
{
    const char *text = s->text.at;
    size_t field_start = s->row_start;
    bool begun = s->row_start < s->next;
    *ret_quoted = begun && s->quotes >> (s->row_start - s->base);
    csv->field_count = 0;
    for (;;) {
        while (s->ends) {
            unsigned bit = (unsigned)__builtin_ctzll(s->ends);
            size_t end = s->base + bit;
            s->ends &= s->ends - 1;
            if (!add_field(csv, text + field_start, end - field_start))
                return FOUND_FAILURE;
            if (s->newlines >> bit & 1) {
                *ret_row_end = end;
                return FOUND_ROW;
            }
            field_start = end + 1;
        }
        if (!scan_step(s))
            break;
        *ret_quoted |= s->quotes != 0;
    }
    if (s->row_start == s->text.bytes || !csv->last)
        return FOUND_END;
    *ret_row_end = s->text.bytes;
    return add_field(csv, text + field_start, s->text.bytes - field_start) ? FOUND_ROW
                                                                           : FOUND_FAILURE;
}

/* Takes the quotes off; `room` has space for the field.  False where quotes stand wrongly. */
static bool unquote(souk_text *field, char mark, char **room)
{
    const char *at = field->at, *end = at + field->bytes;
    if (field->bytes == 0 || *at != mark)
        return field->bytes == 0 || !memchr(at, mark, field->bytes);
    if (field->bytes < 2 || end[-1] != mark)
        return false;
    at++;
    end--;
    *field = souk_text_range(at, end);
    const char *quote = at == end ? NULL : memchr(at, mark, (size_t)(end - at));
    if (!quote)
        return true;
    char *start = *room;
    while (quote) {
        size_t bytes = (size_t)(quote - at) + 1;
        memcpy(*room, at, bytes);
        *room += bytes;
        at = quote + 2;
        if (at > end || quote[1] != mark)
            return false;
        quote = at == end ? NULL : memchr(at, mark, (size_t)(end - at));
    }
    memcpy(*room, at, (size_t)(end - at));
    *room += end - at;
    *field = souk_text_range(start, *room);
    return true;
}

static bool unquote_row(souk_csv *csv, souk_text row, bool file_ends)
{
    souk_err err = souk_mem_grow(csv->mem, &csv->unquoted, &csv->unquoted_capacity, row.bytes,
                                 csv->max_row_bytes + 2, 1);
    if (err) {
        fail(csv, err, csv->line, 1);
        return false;
    }
    char *room = csv->unquoted;
    for (size_t i = 0; i < csv->field_count; i++)
        if (!unquote(&csv->fields[i], csv->quote, &room)) {
            explain(csv, row, file_ends, NULL);
            return false;
        }
    return true;
}

static uint64_t count_lines(souk_text text)
{
    uint64_t count = 0;
    for (const char *at = text.at, *end = at + text.bytes; at < end; count++, at++)
        if (!(at = memchr(at, '\n', (size_t)(end - at))))
            break;
    return count;
}

/* The next row that is not empty. */
static found take_row(souk_csv *csv, scan *s, souk_csv_row *ret_row)
{
    for (;;) {
        size_t row_end = 0;
        bool quoted;
        found what = split_row(csv, s, &row_end, &quoted);
        if (what != FOUND_ROW)
            return what;
        bool ended = row_end < s->text.bytes;
        souk_text row = souk_text_range(s->text.at + s->row_start, s->text.at + row_end);
        souk_text *last = &csv->fields[csv->field_count - 1];
        if (ended && last->bytes && last->at[last->bytes - 1] == '\r') {
            last->bytes--;
            row.bytes--;
        }
        if (row.bytes > csv->max_row_bytes || (!ended && s->inside)) {
            explain(csv, row, !ended, too_long);
            return FOUND_FAILURE;
        }
        s->row_start = ended ? row_end + 1 : row_end;
        uint64_t line = csv->line;
        if (row.bytes == 0) {
            csv->line++;
            continue;
        }
        if (quoted && !unquote_row(csv, row, !ended))
            return FOUND_FAILURE;
        csv->line += (quoted ? count_lines(row) : 0) + 1;
        *ret_row = (souk_csv_row){csv->fields, csv->field_count, ++csv->row_number, line};
        return FOUND_ROW;
    }
}

/* ---- chunks ---- */

static void carry_append(souk_csv *csv, souk_text text)
{
    souk_buf_text(&csv->carry, text);
    souk_err err = souk_buf_check(&csv->carry);
    if (err == SOUK_ETOOBIG) {
        size_t room = csv->max_row_bytes + 2 - csv->carry.bytes;
        csv->carry.failed = SOUK_OK;
        souk_buf_append(&csv->carry, text.at, souk_min_size(room, text.bytes));
        explain(csv, souk_buf_view(&csv->carry), false, too_long);
    } else if (err) {
        fail(csv, err, csv->line, 1);
    }
}

void souk_csv_feed(souk_csv *csv, souk_text chunk, bool last)
{
    if (csv->failed)
        return;
    souk_assert(!csv->last && !csv->carry_delivered);
    souk_assert(csv->chunk.row_start == csv->chunk.text.bytes);
    csv->last = last;
    while (csv->mark_bytes < 3 && chunk.bytes && chunk.at[0] == byte_order_mark[csv->mark_bytes]) {
        csv->mark_bytes++;
        chunk.at++;
        chunk.bytes--;
    }
    if (csv->mark_bytes < 3 && (chunk.bytes || last)) {
        /* Not the mark: what looked like one was text. */
        carry_append(csv, (souk_text){byte_order_mark, csv->mark_bytes});
        csv->mark_bytes = 3;
    }
    if (chunk.bytes == 0)
        chunk.at = "";
    scan_start(&csv->chunk, chunk, csv, csv->carry_inside);
}

/* Completes the row in `carry` from the chunk; false where the chunk ends first. */
static bool complete_carry(souk_csv *csv)
{
    scan *s = &csv->chunk;
    uint64_t row_ends = 0;
    while (!row_ends && scan_step(s))
        row_ends = s->ends & s->newlines;
    size_t end = row_ends ? s->base + (size_t)__builtin_ctzll(row_ends) + 1 : s->text.bytes;
    souk_text rest = {s->text.at + end, s->text.bytes - end};
    carry_append(csv, (souk_text){s->text.at, end});
    csv->carry_inside = !row_ends && s->inside;
    scan_start(s, rest, csv, csv->carry_inside);
    return row_ends || csv->last;
}

static found row_from_carry(souk_csv *csv, souk_csv_row *ret_row)
{
    if (!complete_carry(csv) || csv->failed)
        return FOUND_END;
    scan whole;
    scan_start(&whole, souk_buf_view(&csv->carry), csv, false);
    found what = take_row(csv, &whole, ret_row);
    if (what == FOUND_ROW)
        csv->carry_delivered = true;
    else
        souk_buf_clear(&csv->carry); /* an empty line */
    return what;
}

bool souk_csv_next(souk_csv *csv, souk_csv_row *ret_row)
{
    if (csv->carry_delivered) {
        souk_buf_clear(&csv->carry);
        csv->carry_delivered = false;
    }
    if (csv->failed)
        return false;
    if (csv->carry.bytes) {
        found what = row_from_carry(csv, ret_row);
        if (what == FOUND_ROW)
            return true;
        if (csv->carry.bytes || csv->failed)
            return false;
    }
    scan *s = &csv->chunk;
    found what = take_row(csv, s, ret_row);
    if (what == FOUND_END && s->row_start < s->text.bytes) {
        csv->carry_inside = s->inside;
        carry_append(csv, (souk_text){s->text.at + s->row_start, s->text.bytes - s->row_start});
        s->row_start = s->text.bytes;
    }
    return what == FOUND_ROW;
}

/* ---- writing ---- */

static bool has_any(souk_text text, const char *marks)
{
    for (; *marks; marks++)
        if (text.bytes && memchr(text.at, *marks, text.bytes))
            return true;
    return false;
}

/* "-0.5": a sign, digits, and perhaps a point with digits. */
static bool is_number(souk_text text)
{
    size_t i = text.bytes && (text.at[0] == '-' || text.at[0] == '+'), digits = 0;
    bool point = false;
    for (; i < text.bytes; i++) {
        if (text.at[i] == '.' && digits && !point) {
            point = true;
            digits = 0;
        } else if (text.at[i] >= '0' && text.at[i] <= '9') {
            digits++;
        } else {
            return false;
        }
    }
    return digits > 0;
}

/* Would a sheet run it?  The wide forms of U+FF0B, FF0D, FF1D and FF20 count there too. */
static bool is_formula(souk_text text)
{
    static const souk_text wide[] = {
        {"\xEF\xBC\x8B", 3}, {"\xEF\xBC\x8D", 3}, {"\xEF\xBC\x9D", 3}, {"\xEF\xBC\xA0", 3}};
    if (text.bytes && memchr("=+-@\t\r\n", text.at[0], 7))
        return !is_number(text);
    for (size_t i = 0; i < sizeof wide / sizeof *wide; i++)
        if (souk_text_starts(text, wide[i]))
            return true;
    return false;
}

/* What gets an apostrophe in front: a formula, and one that has apostrophes already, so that each text is known by
 * what was written for it. */
static bool is_guarded(souk_text text)
{
    while (text.bytes && text.at[0] == '\'')
        text = (souk_text){text.at + 1, text.bytes - 1};
    return is_formula(text);
}

souk_text souk_csv_unguard(souk_text field)
{
    if (field.bytes == 0 || field.at[0] != '\'')
        return field;
    souk_text rest = {field.at + 1, field.bytes - 1};
    return is_guarded(rest) ? rest : field;
}

void souk_csv_put(souk_csv_writer *writer, souk_text field)
{
    souk_buf *out = writer->out;
    char marks[] = {'"', '\n', '\r', writer->delimiter ? writer->delimiter : ',', '\0'};
    bool formula = writer->guard && is_guarded(field);
    /* A sheet set to another delimiter must not find a formula behind it, and the reader must not
     * take a first field for the byte order mark. */
    bool quote = has_any(field, marks) || (writer->guard && has_any(field, ",;\t|")) ||
                 souk_text_starts(field, (souk_text){byte_order_mark, 3});
    if (writer->field_count++)
        souk_buf_byte(out, marks[3]);
    writer->only_empty = writer->field_count == 1 && field.bytes == 0;
    if (quote)
        souk_buf_byte(out, '"');
    if (formula)
        souk_buf_byte(out, '\'');
    while (quote && has_any(field, "\"")) {
        souk_buf_text(out, souk_text_cut(&field, '"'));
        souk_buf_append(out, "\"\"", 2);
    }
    souk_buf_text(out, field);
    if (quote)
        souk_buf_byte(out, '"');
}

void souk_csv_end_row(souk_csv_writer *writer)
{
    if (writer->field_count == 0)
        return;
    /* An empty line would be no row. */
    if (writer->only_empty)
        souk_buf_append(writer->out, "\"\"", 2);
    souk_buf_append(writer->out, "\r\n", 2);
    writer->field_count = 0;
    writer->only_empty = false;
}
